"""
A rectifier with two weights
============================

The samples follow relu(8*x1 + 10*x2). At the start the rectifier is closed for most of them: those have no slope, and
the few that are open have to carry the weights until the others open.
"""

import numpy as np

import symgd as sg

rng = np.random.default_rng(16)
X = rng.normal(size=(10, 2))
y = np.maximum(X @ [8, 10], 0)

f = sg.Objective("mean((y - relu(X @ w))**2)", data={"X": X, "y": y})
print(f"d/dw = {f.gradient['w']}")
run = f.minimize(start={"w": [-15, -15]}, lr=1, steps=10)
print("step      w1       w2       loss  open")
for step, (w1, w2), loss in zip(run.history.step, run.history["w"], run.history.value, strict=True):
    print(f"{step:4}  {w1:7.3f}  {w2:7.3f}  {loss:9.4f}  {np.count_nonzero(X @ [w1, w2] > 0):2} of {len(y)}")
print(f"{run.outcome}: {run.message}")

best = f.minimize(start=run.point, lr=1, steps=2000, gtol=1e-9)
print(f"in the end w = {np.round(best.point['w'], 6)} after {best.steps} steps more, {best.outcome}")

# %%
# In pictures
# -----------
# Where no rectifier is open the landscape is flat; the arrows are the gradient.

run.plot(field=True)
run.plot(kind="loss")
