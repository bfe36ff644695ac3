"""
A line through noisy points
===========================

Least squares by gradient descent, the loss printed every tenth step.
"""

import numpy as np

import symgd as sg

rng = np.random.default_rng(0)
x = np.linspace(-2, 2, 100)
y = 2 * x + 1 + rng.normal(0, 0.5, len(x))

f = sg.Objective("mean((y - (w*x + b))**2)", data={"x": x, "y": y}, params=["w", "b"])
for name, text in f.gradient.text().items():
    print(f"d/d{name} = {text}")


def show(step, point, loss):
    print(f"step {step:3}  loss {loss:.6f}  w {point['w']:.4f}  b {point['b']:.4f}")


run = f.minimize(start={"w": 0, "b": 0}, lr=0.015, steps=100, callback=show, every=10)
w, b = np.polyfit(x, y, 1)
best = f.minimize(start=run.point)
print(f"after {run.steps} steps: w = {run.point['w']:.4f}, b = {run.point['b']:.4f}, {run.outcome}")
print(f"at the minimum:  w = {best.point['w']:.4f}, b = {best.point['b']:.4f}, loss {best.value:.6f}, {best.kind}")
print(f"least squares:   w = {w:.4f}, b = {b:.4f}")

# %%
# The line, and the landscape of its loss
# ---------------------------------------
# Each point of the landscape is a line; the path is the way that the line takes to the data.

run.plot(kind="both")

# %%
# The loss
# --------
# With the rate of theory beside the norm of the gradient.

run.plot(kind="loss")

# %%
# Step by step
# ------------
# The line moves onto the data as the point moves down.

run.animate(kind="both", frames=range(0, 101, 5))
