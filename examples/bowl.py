"""
A bowl, and a path that zig-zags
================================

The bowl is five times as steep along x2 as along x1. At lr = 0.8 the steps along x2 overshoot and change sign each
time: the path zig-zags, yet it converges faster, since it is the flat direction that takes the time.
"""

import numpy as np

import symgd as sg

f = sg.Objective("0.2*x1**2 + x2**2")
start = {"x1": 9, "x2": -3}

print(f"gradient {f.gradient}, at the start {f.gradient_at(start)}")
curvature = f.curvature(x1=0, x2=0)
print(f"condition {curvature.condition:g}, stable below lr = {curvature.largest_lr:g}")
for lr in (0.2, 0.8):
    run = f.minimize(start=start, lr=lr, steps=100)
    crossings = int(np.count_nonzero(np.diff(np.sign(run.history["x2"][:20]))))
    print(f"lr = {lr}: {crossings} of the first 19 steps cross the valley; f = {run.value:.3g} after {run.steps} steps")

run = f.minimize(start=start)
print(f"exact steps: f = {run.value:.3g} after {run.steps} steps, {run.outcome}")
