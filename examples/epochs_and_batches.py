"""
Epochs and batches
==================

An epoch is one pass over the data. Batch descent takes one step in it, mini-batch descent one for every few rows,
stochastic descent one a row: more steps for the same work, each along a gradient that only a part of the rows gives.
"""

import matplotlib.pyplot as plt
import numpy as np

import symgd as sg

rng = np.random.default_rng(0)
X = rng.normal(size=(256, 3)) * [2, 1, 0.5]
y = X @ [2, -1, 0.5] + 3 + rng.normal(0, 0.5, len(X))

f = sg.Objective("mean((X @ w + b - y)**2)", data={"X": X, "y": y})
start = {"w": np.zeros(3), "b": 0}
best = f.minimize(start=start, lr=0.1, gtol=1e-10)
print(f"loss {f.value(start):.4f} at the start, {best.value:.4f} at the minimum")

epochs = 30


def descend(**options):
    # Batches of all rows are no batches: then every step is an epoch.
    return f.minimize(start=start, epochs=epochs, seed=0, **options)


def above(run):
    return run.history.value - best.value


# %%
# Batch, mini-batch, stochastic
# -----------------------------
# With one learning rate, the smaller the batches, the faster the first epochs, and the further from the minimum the
# noise keeps the last ones. A rate that falls lets the noise die down.

ways = {
    "batch": descend(batch=256, lr=0.02),
    "mini-batch, 16 rows": descend(batch=16, lr=0.02),
    "stochastic, 1 row": descend(batch=1, lr=0.02),
    "stochastic, lr falls": descend(batch=1, lr="0.02/(1 + t/256)"),
}
shown = [0, 1, 2, 5, 10, 20, 30]
print(f"{'above the minimum after epoch':30}" + "".join(f"{k:>9}" for k in shown))
for name, run in ways.items():
    print(f"{name:22} {run.steps:5,} steps" + "".join(f"{above(run)[k]:9.4f}" for k in shown))

figure, ax = plt.subplots(layout="constrained")
for name, run in ways.items():
    ax.semilogy(range(epochs + 1), above(run), label=name)
ax.set(title="one learning rate, several batches", xlabel="epoch", ylabel="loss above the minimum")
ax.legend()

# %%
# Learning rates, seen in the loss
# --------------------------------
# Too small a rate crawls: the curve falls evenly, and is far from flat at the end. Too large a rate flattens early and
# high, and jumps about; a larger one rises from the first epoch on.

figure, ax = plt.subplots(layout="constrained")
rates = {0.0002: "crawls", 0.02: "good", 0.19: "too large", 0.3: "diverges"}
for lr, name in rates.items():
    run = descend(batch=16, lr=lr)
    after = f"above the minimum {above(run)[1]:.2g} after 1 epoch, {above(run)[-1]:.2g} after the last"
    print(f"lr = {lr:<6}  {run.outcome}: {after}: {name}")
    ax.semilogy(range(len(run.history)), above(run), label=f"{lr:g}, {name}")
ax.set(title="batches of 16, several learning rates", xlabel="epoch", ylim=(1e-6, 1e5))
ax.legend()
