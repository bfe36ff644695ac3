"""Value and gradient of logistic regression on one feature, 10 million rows in float64, against NumPy, JAX and PyTorch.

Each row is two numbers read and a softplus: it shows what one pass over the data, in threads and in vector registers,
is worth against one pass for each operation.
"""

from __future__ import annotations

import numpy as np
from interleave import main
from slopes import available, jax_slope, rows, symgd_slope, torch_slopes

FORMULA = "mean(softplus(w*x + b) - y*(w*x + b))"
ROWS = 10_000_000
TARGET = 1 / 3


def problem():
    """Give a point and data."""
    random = np.random.default_rng(0)
    x = random.standard_normal(ROWS)
    y = (random.random(ROWS) < 1 / (1 + np.exp(-2 * x - 1))).astype(np.float64)
    return {"w": 0.5, "b": -0.25}, {"x": x, "y": y}


def jax_loss(jax, point, data):
    z = point["w"] * data["x"] + point["b"]
    return jax.numpy.mean(jax.nn.softplus(z) - data["y"] * z)


def torch_loss(torch, point, data):
    z = point["w"] * data["x"] + point["b"]
    return torch.mean(torch.nn.functional.softplus(z) - data["y"] * z)


def numpy_slope(point, data):
    """Give value and gradient by hand."""
    x, y, w, b = data["x"], data["y"], point["w"], point["b"]

    def slope():
        z = w * x + b
        e = np.exp(-np.abs(z))
        value = np.mean(np.maximum(z, 0) + np.log1p(e) - y * z)
        rest = np.where(z >= 0, 1, e) / (1 + e) - y
        return value, [rest @ x / len(y), rest.mean()]

    return slope


def measure():
    point, data = problem()
    peers = available(
        NumPy=lambda: numpy_slope(point, data),
        JAX=lambda: jax_slope(jax_loss, point, data),
        PyTorch=lambda: torch_slopes(torch_loss, point, data),
    )
    ours = symgd_slope(FORMULA, point, data)
    return rows(f"one feature, {ROWS:,} rows", ours, peers, dict.fromkeys(peers, TARGET))


if __name__ == "__main__":
    main(measure)
