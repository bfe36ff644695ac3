"""
A line through a parabola
=========================

A descent that converges has found the best parameters of its model, and says nothing about the model. A line is fitted
to data on a line, and to data on a parabola: both runs end at a minimum, and one loss stays high.
"""

import matplotlib.pyplot as plt
import numpy as np

import symgd as sg

rng = np.random.default_rng(0)
x = np.linspace(-2, 2, 100)
noise = rng.normal(0, 0.5, len(x))
data = {"on a line": 2 * x + 1 + noise, "on a parabola": x**2 + 2 * x + 1 + noise}
line = "mean((y - (w*x + b))**2)"

# %%
# The fits
# --------

figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained", sharey=True)
fits = {}
for ax, (name, y) in zip(axes, data.items(), strict=True):
    f = sg.Objective(line, data={"x": x, "y": y}, params=["w", "b"])
    run = f.minimize(start={"w": 0, "b": 0}, lr=0.1, gtol=1e-8)
    fits[name] = f, run
    w, b = run.point.values()
    residual = y - (w * x + b)
    # Neighbours that miss on the same side: what noise leaves is about 0.
    along = np.corrcoef(residual[:-1], residual[1:])[0, 1]
    print(f"{name:14} {run.outcome} at a {run.kind}: w = {w:.3f}, b = {b:.3f}, loss {run.value:.3f}")
    print(f"{'':14} correlation of neighbouring residuals {along:+.2f}")
    ax.plot(x, y, ".", color="0.6")
    ax.plot(x, w * x + b, label=f"loss {run.value:.2f}")
    ax.set(title=f"data {name}", xlabel="x")
    ax.legend()
axes[0].set_ylabel("y")

# %%
# Slices of both landscapes
# -------------------------
# Through either minimum, along w and along b, both are parabolas of one shape: that the model is wrong shows in the
# height of the lowest point alone.

figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained", sharey=True)
for ax, param in zip(axes, ("w", "b"), strict=True):
    for name, (f, run) in fits.items():
        at = np.linspace(run.point[param] - 2, run.point[param] + 2, 81)
        (curve,) = ax.plot(at, [f.value({**run.point, param: v}) for v in at], label=f"data {name}")
        ax.plot(run.point[param], run.value, "o", color=curve.get_color())
    ax.set(xlabel=param, ylim=(0, None))
    ax.legend()
axes[0].set_ylabel("loss")

# %%
# The remedy
# ----------
# A model that can follow the data; the loss comes down to the variance of the noise.

f = sg.Objective("mean((y - (a*x**2 + w*x + b))**2)", data={"x": x, "y": data["on a parabola"]}, params=["a", "w", "b"])
run = f.minimize(start={"a": 0, "w": 0, "b": 0})
print(
    f"{'with a square':14} {run.outcome} at a {run.kind}: loss {run.value:.3f}; the noise's variance {noise.var():.3f}"
)
