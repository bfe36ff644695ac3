"""
A cubic with one weight
=======================

The learning rate decides whether the descent settles, jumps about, or creeps into a worse minimum. The data follow
w = 10; the loss has another, worse minimum near w = -10.
"""

import numpy as np

import symgd as sg

rng = np.random.default_rng(0)
x = rng.normal(size=10)
y = x**3 + 5 * x**2 + x / 10

f = sg.Objective("mean((y - ((w*x)**3 + 50*(w*x)**2 + 10*w*x)/1000)**2)", data={"x": x, "y": y})
for lr, start in ((0.5, 0.5), (1.5, 0.5), (0.2, -5)):
    run = f.minimize(start={"w": start}, lr=lr, steps=10)
    print(f"lr = {lr}, start {start}")
    print("  step       w       loss")
    for step, w, loss in zip(run.history.step, run.history["w"], run.history.value, strict=True):
        print(f"  {step:4}  {w:6.3f}  {loss:9.4f}")
    print(f"  {run.outcome}: {run.message}")

for start in (0.5, -5):
    run = f.minimize(start={"w": start}, lr=0.1)
    print(f"from {start}: a {run.kind} at w = {run.point['w']:.4f}, loss {run.value:.4f}")

# %%
# In pictures
# -----------
# From 0.5 with a good rate, with one that is unstable, and from -5, where the descent creeps into the worse minimum.

runs = [f.minimize(start={"w": w}, lr=lr, steps=10) for lr, w in ((0.1, 0.5), (1.5, 0.5), (0.1, -5))]
sg.plotting.plot_runs(runs)
f.minimize(start={"w": -5}, lr=0.1).plot()
