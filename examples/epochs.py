"""
Epochs, batches and shuffling
=============================

An epoch is one pass over the data. In batches of 16 rows it takes as many steps as there are batches, each along the
gradient of its own rows, and every epoch deals the rows out anew, in an order that the seed decides.

The loss over all rows after each epoch tells how a run is doing: it falls and flattens out; or it hardly falls; or
noise holds it up, and it moves about without falling; or it rises.
"""

import numpy as np

import symgd as sg

rng = np.random.default_rng(0)
X = rng.normal(size=(256, 3)) * [2, 1, 0.5]
y = X @ [2, -1, 0.5] + 3 + rng.normal(0, 0.5, len(X))
f = sg.Objective("mean((X @ w + b - y)**2)", data={"X": X, "y": y})
start = {"w": np.zeros(3), "b": 0}
lowest = f.minimize(start=start).value
print(f"loss {f.value(start):.4f} at the start, {lowest:.4f} at the minimum")
print(f"with all rows at once stable below lr = {f.curvature(start).largest_lr:.3f}\n")

# Without batches every step sees all rows: a step is an epoch.
runs = {
    "all rows, lr = 0.02": {"lr": 0.02, "steps": 30},
    "16 rows, lr = 0.02": {"lr": 0.02, "batch": 16, "epochs": 30},
    "the same, another seed": {"lr": 0.02, "batch": 16, "epochs": 30, "seed": 1},
    "16 rows, lr = 0.0002": {"lr": 0.0002, "batch": 16, "epochs": 30},
    "16 rows, lr = 0.3": {"lr": 0.3, "batch": 16, "epochs": 30},
    "1 row, lr = 0.02": {"lr": 0.02, "batch": 1, "epochs": 30},
    "1 row, lr = 0.02/(1 + t/256)": {"lr": "0.02/(1 + t/256)", "batch": 1, "epochs": 30},
}
shown = [1, 2, 3, 5, 10, 20, 30]
print(f"{'loss after epoch':29}  steps" + "".join(f"{epoch:>10}" for epoch in shown))
ends = {}
for name, options in runs.items():
    ends[name] = run = f.minimize(start=start, **options)
    print(f"{name:29} {run.steps:6,}" + "".join(f"{run.history.value[epoch]:10.4g}" for epoch in shown))

print("\nWhat the runs say themselves:")
for name, run in ends.items():
    for finding in run.diagnosis:
        print(f"{name}, {finding.code}: {finding.message}\n  remedy: {finding.remedy}")

# %%
# In pictures
# -----------
# One row a step: the loss after each epoch, and what single steps saw of it; and all of them together.

ends["1 row, lr = 0.02"].plot(kind="loss")
sg.plotting.plot_runs([run for run in ends.values() if run.outcome != "diverged"], kind="loss", together=True)
