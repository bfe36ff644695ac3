"""
Linear regression with a matrix
===============================

Batch gradient descent that stops when the gradient's norm is within a tolerance. The gradient is derived from the
formula, and comes out as the NumPy expression that one writes by hand.
"""

import numpy as np

import symgd as sg

rng = np.random.RandomState(42)
X = rng.randn(100, 3)
y = X @ [2, -1, 0.5] + 0.1 * rng.randn(100)
start = {"theta": 0.01 * rng.randn(3)}

f = sg.Objective("mean((X @ theta - y)**2)", data={"X": X, "y": y})
print(f"d/dtheta = {f.gradient['theta']}")
by_hand = (2 / 100) * X.T @ (X @ start["theta"] - y)
print(f"at the start it differs from the one by hand by {abs(f.gradient_at(start)['theta'] - by_hand).max():.0e}")

run = f.minimize(start=start, lr=0.1, steps=1000, gtol=1e-6)
print(f"theta = {np.round(run.point['theta'], 5)} after {run.steps} steps, {run.outcome}")
print(f"loss from {run.history.value[0]:.4f} to {run.value:.6f}; the gradient's norm is {run.gradient_norm:.1e}")
print(f"least squares: {np.round(np.linalg.lstsq(X, y)[0], 5)}")

# Ended by a loss that stops falling, and by one that rises.
run = f.minimize(start=start, lr=0.1, steps=1000, ftol=1e-6)
print(f"ftol: after {run.steps} steps {run.message}")
lr = 1.02 * f.curvature(start).largest_lr
run = f.minimize(start=start, lr=lr, steps=1000)
print(f"lr = {lr:.3f}, just above the limit: {run.outcome}, {run.message}")

# %%
# In pictures
# -----------
# The run that converged: its loss with the rate of theory, and its parameters.

run = f.minimize(start=start, lr=0.1, steps=1000, gtol=1e-6)
run.plot(kind="loss")
run.plot(kind="parameters")
