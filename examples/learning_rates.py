"""
Learning rates compared
=======================

One quadratic, the same number of steps: the limit is 2 over the largest curvature.
"""

import symgd as sg

f = sg.Objective("(5*x**2 + y**2)/2")
limit = f.curvature(x=0, y=0).largest_lr
print(f"stable below lr = {limit:g}")
for lr, name in ((0.02, "slow"), (0.3, "good"), (0.398, "a bit unstable"), (0.6, "diverges")):
    run = f.minimize(start={"x": 5, "y": 10}, lr=lr, steps=60)
    print(f"lr = {lr:<5}  f = {run.value:.3g} after {run.steps} steps  {run.outcome}: {name}")
