"""
Several minima
==============

A descent ends at the minimum of the valley in which it starts. So the way to a low minimum is to start in many
places: ``minimize_many`` descends from all of them at once, tells the distinct minima apart, and says which start
reached which.
"""

import numpy as np

import symgd as sg

f = sg.Objective("x*cos(x) + 9")

run = f.minimize(start=[5], lr=0.02)
print(f"from x = 5: {run.outcome} at x = {run.point['x']:.4f}, f = {run.value:.4f}")
for finding in run.diagnosis:
    print(f"  {finding.code}: {finding.message}")
    print(f"  remedy: {finding.remedy}")

starts = np.linspace(-15, 15, 121)
many = f.minimize_many({"x": starts}, lr=0.02)
print(f"\n{many}\n")
for number, low in enumerate(many.minima):
    reached = starts[many.reached == number]
    print(f"x = {low.point['x']:8.3f}, f = {low.value:7.3f}: from {reached[0]:6.2f} to {reached[-1]:6.2f}")

right = next(m for m in many.minima if 0 <= m.point["x"] <= 15)
reached = starts[many.reached == many.minima.index(right)]
print(f"\nthe lowest between 0 and 15 is at x = {right.point['x']:.3f}, reached from {reached[0]:g} to {reached[-1]:g}")

# %%
# In pictures
# -----------
# Each start in the colour of the minimum that it reaches; and the descent that ends in the worse one.

many.plot()
run.plot()
