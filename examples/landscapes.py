"""
Paths on landscapes
===================

What a learning rate does, seen: on the curve of one parameter, and on the contours of two.
"""

import matplotlib.pyplot as plt

import symgd as sg

# %%
# A parabola
# ----------
# Each step multiplies the distance from the minimum at 2 by ``1 - 2*lr``. Below 0.5 the steps come from one side, above
# it they cross over, at 1 they flip for ever, and beyond they run away.

f = sg.Objective("x**2 - 4*x + 5")
figure, axes = plt.subplots(2, 2, figsize=(11, 8), layout="constrained")
for ax, lr in zip(axes.flat, (0.2, 0.02, 0.8, 1.01), strict=True):
    run = f.minimize(start={"x": -1}, lr=lr, steps=10)
    run.plot(ax, title=f"lr = {lr}")

# %%
# A bowl
# ------
# Along ``x2`` it is five times as steep as along ``x1``. A rate that suits the flat direction makes the steep one
# zig-zag.

f = sg.Objective("0.2*x1**2 + x2**2")
figure, axes = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
for ax, lr in zip(axes, (0.2, 0.8), strict=True):
    f.minimize(start={"x1": 9, "x2": -3}, lr=lr, steps=100).plot(ax, title=f"lr = {lr}")

# %%
# A curved valley
# ---------------
# Rosenbrock's function, with momentum and with Adam.

f = sg.Objective("(1 - x)**2 + 100*(y - x**2)**2")
figure, axes = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
for ax, method, lr in zip(axes, ("momentum", "adam"), (0.0005, 0.1), strict=True):
    run = f.minimize(start={"x": -1.2, "y": 1}, method=method, lr=lr)
    run.plot(ax, title=method)
    print(run)
