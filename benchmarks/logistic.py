"""Value and gradient of logistic regression, 500,000 rows of 50 features in float64, against NumPy, JAX and PyTorch."""

from __future__ import annotations

import numpy as np
from interleave import main
from slopes import available, jax_slope, rows, symgd_slope, torch_slopes

FORMULA = "mean(softplus(X @ w) - y*(X @ w))"
ROWS, FEATURES = 500_000, 50
TARGET = 1 / 2.5


def problem():
    """Give a point and data."""
    random = np.random.default_rng(0)
    X = random.standard_normal((ROWS, FEATURES))
    w = random.standard_normal(FEATURES)
    y = (random.random(ROWS) < 1 / (1 + np.exp(-X @ w))).astype(np.float64)
    return {"w": 0.2 * random.standard_normal(FEATURES)}, {"X": X, "y": y}


def jax_loss(jax, point, data):
    z = data["X"] @ point["w"]
    return jax.numpy.mean(jax.nn.softplus(z) - data["y"] * z)


def torch_loss(torch, point, data):
    z = data["X"] @ point["w"]
    return torch.mean(torch.nn.functional.softplus(z) - data["y"] * z)


def numpy_slope(point, data):
    """Give value and gradient by hand."""
    X, y, w = data["X"], data["y"], point["w"]

    def slope():
        z = X @ w
        e = np.exp(-np.abs(z))
        value = np.mean(np.maximum(z, 0) + np.log1p(e) - y * z)
        chance = np.where(z >= 0, 1, e) / (1 + e)
        return value, [(chance - y) @ X / len(y)]

    return slope


def measure():
    point, data = problem()
    peers = available(
        NumPy=lambda: numpy_slope(point, data),
        JAX=lambda: jax_slope(jax_loss, point, data),
        PyTorch=lambda: torch_slopes(torch_loss, point, data),
    )
    ours = symgd_slope(FORMULA, point, data)
    return rows(f"logistic, {ROWS:,} x {FEATURES}", ours, peers, dict.fromkeys(peers, TARGET))


if __name__ == "__main__":
    main(measure)
