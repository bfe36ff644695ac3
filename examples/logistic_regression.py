"""
Logistic regression
===================

Which tumours are malignant, from thirty measurements of cell nuclei. The cross-entropy of a probability
sigmoid(X @ w + b) is written through softplus, log(1 + exp(z)), which never takes the logarithm of 0. Data: Breast
Cancer Wisconsin (Diagnostic), UCI Machine Learning Repository, as scikit-learn ships it.
"""

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

import symgd as sg

X, benign = load_breast_cancer(return_X_y=True)
X, X_held, y, y_held = train_test_split(X, 1.0 - benign, test_size=1 / 3, random_state=0)
center, spread = X.mean(axis=0), X.std(axis=0)
X, X_held = (X - center) / spread, (X_held - center) / spread

f = sg.Objective("mean(softplus(X @ w + b) - y*(X @ w + b)) + 0.001*sum(w**2)", data={"X": X, "y": y})
for name, text in f.gradient.text().items():
    print(f"d/d{name} = {text}")

start = {"w": np.zeros(30), "b": 0}
runs = []
for options in ({"lr": 0.5, "steps": 300}, {"method": "adam", "lr": 0.05, "batch": 32, "epochs": 10, "seed": 0}):
    run = f.minimize(start=start, **options)
    runs.append(run)
    said = X_held @ run.point["w"] + run.point["b"] > 0
    print(
        f"{run.method:4}  {run.steps:3} steps, loss {run.history.value[0]:.4f} -> {run.value:.4f}, "
        f"held-out accuracy {np.mean(said == y_held):.1%}"
    )
print(f"always benign would be right in {1 - y_held.mean():.1%}")

# %%
# In pictures
# -----------
# The loss of both, and what single batches of Adam saw of it.

sg.plotting.plot_runs(runs, kind="loss", together=True)
runs[1].plot(kind="loss")
