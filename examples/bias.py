"""
A line through a parabola
=========================

A descent that converges has found the best parameters of its model, and says nothing about the model. A line is fitted
to data on a line, and to data on a parabola: both runs end at a minimum, and one loss stays high.
"""

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

runs = {}
for name, y in data.items():
    f = sg.Objective(line, data={"x": x, "y": y}, params=["w", "b"])
    runs[name] = run = f.minimize(start={"w": 0, "b": 0}, lr=0.1, gtol=1e-8)
    w, b = run.point.values()
    residual = y - (w * x + b)
    # Neighbours that miss on the same side: what noise leaves is about 0.
    along = np.corrcoef(residual[:-1], residual[1:])[0, 1]
    print(f"{name:14} {run.outcome} at a {run.kind}: w = {w:.3f}, b = {b:.3f}, loss {run.value:.3f}")
    print(f"{'':14} correlation of neighbouring residuals {along:+.2f}")
    run.plot(kind="both", title=f"data {name}")

# %%
# Slices of both landscapes
# -------------------------
# Through either minimum, along w and along b, both are parabolas of one shape: that the model is wrong shows in the
# height of the lowest point alone.

sg.plotting.plot_slices(list(runs.values()), [f"data {name}" for name in runs])

# %%
# The remedy
# ----------
# A model that can follow the data; the loss comes down to the variance of the noise.

f = sg.Objective("mean((y - (a*x**2 + w*x + b))**2)", data={"x": x, "y": data["on a parabola"]}, params=["a", "w", "b"])
run = f.minimize(start={"a": 0, "w": 0, "b": 0})
print(
    f"{'with a square':14} {run.outcome} at a {run.kind}: loss {run.value:.3f}; the noise's variance {noise.var():.3f}"
)
run.plot(kind="data")
