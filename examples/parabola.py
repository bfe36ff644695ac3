"""
Six learning rates on one parabola
==================================

With f'' = 2 each step multiplies the distance from the minimum at 2 by the factor 1 - 2*lr, and that factor explains
every run: between 0 and 1 it comes closer from one side, between -1 and 0 it crosses over at every step, and beyond -1
it goes away. The run says so itself, with what to do about it.
"""

import symgd as sg

f = sg.Objective("x**2 - 4*x + 5")
curvature = f.curvature(x=2)
print(f"f = {f.text}, df/dx = {f.gradient['x']}, which is 0 at x = 2")
print(f"there the curvature is {curvature.largest:g}: stable below lr = {curvature.largest_lr:g}")
print(f"the best learning rate is {curvature.best_lr:g}")

for lr in (0.2, 0.02, 0.8, 1.01, 0.5, 1.0):
    run = f.minimize(start={"x": -1}, lr=lr, steps=10)
    path = ", ".join(f"{x:.4g}" for x in run.history["x"][:4])
    print()
    print(f"lr = {lr:<4}  factor {1 - 2 * lr:5.2f}  x = {path}, ... {run.point['x']:.6g}  {run.outcome}")
    if run.measured_rate is not None:  # one step that arrives leaves nothing to measure
        print(f"  a step leaves {run.measured_rate:.4f} of the gradient; theory says {run.predicted_rate:.4f}")
    for finding in run.diagnosis:
        print(f"  {finding.code}: {finding.message}")
        print(f"  remedy: {finding.remedy}")

# %%
# Side by side
# ------------
# Each panel is named by what its run shows.

runs = [f.minimize(start={"x": -1}, lr=lr, steps=10) for lr in (0.2, 0.02, 0.8, 1.01, 0.5, 1.0)]
sg.plotting.plot_runs(runs)

# %%
# One step of it
# --------------
# Any step of a run is a picture of its own.

runs[2].animate().at(3)

# %%
# The tangent
# -----------
# Its slope is the derivative, 2*x - 4.

f.plot({"x": (-2, 6)}, at=[0])

# %%
# Along the curve
# ---------------
# Left of the minimum the slope is negative, right of it positive.

sg.plotting.animate(f.plot({"x": (-2, 6)}, at=[0]), frames=range(0, 101, 4))
