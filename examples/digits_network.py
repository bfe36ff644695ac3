"""
A network that reads digits
===========================

Two layers, 64 -> 32 -> 10: relu between them, and the cross-entropy of a softmax at the end. The loss is one formula,
its four gradients are derived from it, and Adam goes through the images in batches of 32. Data: Optical Recognition of
Handwritten Digits, UCI Machine Learning Repository, 1,797 images of 8 x 8 pixels, as scikit-learn ships them.
"""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import symgd as sg

X, digit = load_digits(return_X_y=True)
X, X_held, digit, digit_held = train_test_split(X / 16, digit, test_size=1 / 3, random_state=0)

f = sg.Objective(
    "-mean(sum(T*logsoftmax(relu(X @ W1 + b1) @ W2 + b2), axis=1))",
    data={"X": X, "T": np.eye(10)[digit]},
    params={"W1": (64, 32), "b1": 32, "W2": (32, 10), "b2": 10},
)
rng = np.random.default_rng(0)
start = {
    "W1": rng.normal(0, np.sqrt(2 / 64), (64, 32)),
    "b1": np.zeros(32),
    "W2": rng.normal(0, np.sqrt(2 / 32), (32, 10)),
    "b2": np.zeros(10),
}


def read(point, X):
    return np.argmax(np.maximum(X @ point["W1"] + point["b1"], 0) @ point["W2"] + point["b2"], axis=1)


run = f.minimize(start=start, method="adam", lr=0.01, batch=32, epochs=20, seed=0)
for name, text in f.gradient.text().items():
    print(f"d/d{name} = {text}")
for epoch, loss in zip(run.history.epoch, run.history.value, strict=True):
    print(f"epoch {epoch:2.0f}  loss {loss:.4f}")
print(f"{run.steps:,} steps on {sum(np.size(v) for v in run.point.values()):,} weights")
print(f"right on {np.mean(read(run.point, X) == digit):.1%} of the images it has seen")
print(f"right on {np.mean(read(run.point, X_held) == digit_held):.1%} of those it has not")

# %%
# In pictures
# -----------
# The loss of all images after each epoch, and what single steps saw of it.

run.plot(kind="loss")
