"""
A bowl, and a path that zig-zags
================================

The bowl is five times as steep along x2 as along x1. At lr = 0.8 the steps along x2 overshoot and change sign each
time: the path zig-zags, and yet it converges faster than at lr = 0.2, since it is the flat direction that takes the
time. The fastest fixed rate makes both directions equally slow; momentum is faster still, and Newton's method, which
divides by the curvature, arrives in one step.
"""

import numpy as np

import symgd as sg

f = sg.Objective("0.2*x1**2 + x2**2")
start = {"x1": 9, "x2": -3}

print(f"gradient {f.gradient}, at the start {f.gradient_at(start)}")
bowl = f.curvature(x1=0, x2=0)
print(f"condition {bowl.condition:g}, stable below lr = {bowl.largest_lr:g}, fastest at {bowl.best_lr:.4f}")

for lr in (0.2, 0.8):
    run = f.minimize(start=start, lr=lr, steps=100)
    crossings = int(np.count_nonzero(np.diff(np.sign(run.history["x2"][:20]))))
    print(
        f"\nlr = {lr}: {crossings} of the first 19 steps cross the valley; f = {run.value:.3g} after {run.steps} steps"
    )
    print(f"  rate {run.measured_rate:.4f} measured, {run.predicted_rate:.4f} predicted")
    for finding in run.diagnosis:
        print(f"  {finding.code}: {finding.message}")

print("\nsteps until the gradient's norm is 1e-8:")
pair = bowl.momentum
ways = {
    "lr = 0.2": {"lr": 0.2},
    "lr = 0.8": {"lr": 0.8},
    f"lr = {bowl.best_lr:.4f}, the fastest": {"lr": bowl.best_lr},
    f"lr = {pair.lr:.4f}, beta = {pair.beta:.4f}": {"method": "momentum", "lr": pair.lr, "beta": pair.beta},
    "exact line search": {"method": "exact"},
    "Newton": {"method": "newton"},
}
for name, options in ways.items():
    run = f.minimize(start=start, **options)
    rate = "" if run.predicted_rate is None else f"  rate {run.predicted_rate:.4f}"
    print(f"  {name:28} {run.steps:4}{rate}")

# %%
# In pictures
# -----------
# The arrow at the start is the gradient, (3.6, -6); the ellipse is what the Hessian says: long where it is flat.

for lr in (0.2, 0.8):
    f.minimize(start=start, lr=lr, steps=100).plot(at="start")

# %%
# Mode by mode
# ------------
# Along each eigenvector of the Hessian the distance from the minimum shrinks by a factor of its own, as theory says.

sg.plotting.plot_modes(f.minimize(start=start, lr=0.8, steps=60))

# %%
# Step by step
# ------------
# ``run.animate("bowl.mp4")`` writes it to a file.

f.minimize(start=start, lr=0.8, steps=25).animate()
