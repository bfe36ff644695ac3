"""
Hills without end
=================

Many random starts, and which minima they reach. Uphill is the same with the sign changed. On a diagonal the gradient
points along it, and so a descent that starts there ends at a saddle; Newton's method sees the curvature, and leaves.
"""

import numpy as np

import symgd as sg

f = sg.Objective("sin(x)*sin(y)")
print(f"gradient {f.gradient}")

starts = np.random.default_rng(1).uniform(-3, 3, (200, 2))
many = f.minimize_many({"x": starts[:, 0], "y": starts[:, 1]}, lr=0.5)
for low in many.minima:
    where = ", ".join(f"{value / np.pi:.1f} pi" for value in low.point.values())
    print(f"{low.count:3} starts end at a {low.kind} at ({where}), f = {low.value:g}")

run = f.minimize(start={"x": 1, "y": 1}, lr=0.5)
print(f"from (1, 1), on the diagonal: {run.outcome}, but {run.message.split('; ')[1]}")
for finding in run.diagnosis:
    print(f"  {finding.code}: {finding.message}\n  remedy: {finding.remedy}")
run = f.minimize(start={"x": 1, "y": 1}, method="newton")
print(f"by Newton's method from there: a {run.kind} with f = {run.value:g}")
run = f.maximize(start={"x": 1, "y": 2}, lr=0.5)
print(f"upwards from (1, 2): a {run.kind} with f = {run.value:g}")

# %%
# Seen from above and from the side
# ---------------------------------
# Twelve of the starts, and the paths that they take.

runs = [f.minimize(start=start, lr=0.3, steps=40) for start in starts[:12]]
sg.plotting.plot_runs(runs, kind="surface")

# %%
# The gradient as a field
# -----------------------
# Arrows point uphill, and paths go against them.

sg.plotting.plot_runs(runs, together=True, field=True)

# %%
# Uphill
# ------
# The same starts, with the sign of the step changed.

sg.plotting.plot_runs([f.maximize(start=start, lr=0.3, steps=40) for start in starts[:12]], together=True)

# %%
# Which start reaches which minimum
# ---------------------------------
# All 200 of them.

many.plot()

# %%
# Step by step
# ------------
# All paths move at once.

sg.plotting.animate(sg.plotting.plot_runs(runs, kind="surface"), frames=range(0, 41, 2))
