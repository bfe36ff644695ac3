"""
Learning rates compared
=======================

A step of gradient descent multiplies the distance along each eigenvector of the Hessian by 1 - lr*eigenvalue. The
largest of these factors, without its sign, is the rate: what a step leaves of the error in the long run. The steepest
direction sets the limit, 2 over its eigenvalue, and the flattest one makes small learning rates slow.
"""

import symgd as sg

f = sg.Objective("(5*x**2 + y**2)/2")
curvature = f.curvature(x=0, y=0)
print(curvature.explain())

gd = sg.Rule("x = x - lr*g")
print(f"\nfor any largest eigenvalue L the limit is {gd.theory().limit}")
for lr, name in ((0.02, "slow"), (0.3, "good"), (0.398, "a bit below the limit"), (0.6, "above the limit")):
    run = f.minimize(start={"x": 5, "y": 10}, lr=lr, steps=60)
    theory = gd.theory(smallest=curvature.smallest, largest=curvature.largest, lr=lr)
    print(f"\nlr = {lr}, {name}: {run.outcome}, x = {run.point['x']:.3g}, y = {run.point['y']:.3g} after 60 steps")
    print(f"  factors {1 - 5 * lr:.3f} along x, {1 - lr:.3f} along y")
    print(f"  rate {theory.rate:.3f} in theory, {run.measured_rate:.3f} measured")
    for finding in run.diagnosis:
        print(f"  {finding.code}: {finding.message}")
        print(f"  remedy: {finding.remedy}")

# %%
# Side by side
# ------------
# The same number of steps, over the same window.

runs = [f.minimize(start={"x": 5, "y": 10}, lr=lr, steps=60) for lr in (0.02, 0.3, 0.398, 0.6)]
sg.plotting.plot_runs(runs)

# %%
# The loss
# --------
# On a logarithmic axis a rate is a slope.

sg.plotting.plot_runs(runs, kind="loss", together=True)

# %%
# Momentum
# --------
# How fast any learning rate with any momentum is, for these two curvatures, and where it is no longer stable.

momentum = sg.Rule("v = beta*v - lr*g; x = x + v", beta=0.9, name="momentum")
sg.plotting.plot_rule(momentum, 1, 5, {"lr": (0.01, 0.8), "beta": (0, 0.99)})
