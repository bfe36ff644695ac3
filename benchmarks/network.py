"""Value and gradient of a network of two layers, 20,000 x 64 -> 128 -> 1 in float64, against NumPy, JAX and PyTorch.

Most of the work is three products of matrices, which all sides leave to a library; what is left to win is the tanh and
the memory between the products.
"""

from __future__ import annotations

import numpy as np
from interleave import main
from slopes import available, jax_slope, rows, symgd_slope, torch_slopes

FORMULA = "mean((tanh(X @ W1 + b1) @ w2 + b2 - y)**2)"
ROWS, INPUTS, HIDDEN = 20_000, 64, 128
TARGET = 1 / 1.2


def problem():
    """Give a point and data."""
    random = np.random.default_rng(0)
    point = {
        "W1": random.standard_normal((INPUTS, HIDDEN)) / INPUTS**0.5,
        "b1": 0.1 * random.standard_normal(HIDDEN),
        "w2": random.standard_normal(HIDDEN) / HIDDEN**0.5,
        "b2": 0.1,
    }
    return point, {"X": random.standard_normal((ROWS, INPUTS)), "y": random.standard_normal(ROWS)}


def jax_loss(jax, point, data):
    hidden = jax.numpy.tanh(data["X"] @ point["W1"] + point["b1"])
    return jax.numpy.mean((hidden @ point["w2"] + point["b2"] - data["y"]) ** 2)


def torch_loss(torch, point, data):
    hidden = torch.tanh(torch.addmm(point["b1"], data["X"], point["W1"]))
    return torch.mean((hidden @ point["w2"] + point["b2"] - data["y"]) ** 2)


def numpy_slope(point, data):
    """Give value and gradient by hand."""
    X, y = data["X"], data["y"]
    W1, b1, w2, b2 = point.values()

    def slope():
        hidden = X @ W1
        hidden += b1
        np.tanh(hidden, out=hidden)
        rest = hidden @ w2 + b2 - y
        outer = rest * (2 / len(y))
        inner = (1 - hidden * hidden) * w2
        inner *= outer[:, None]
        return rest @ rest / len(y), [X.T @ inner, inner.sum(axis=0), outer @ hidden, outer.sum()]

    return slope


def measure():
    point, data = problem()
    peers = available(
        NumPy=lambda: numpy_slope(point, data),
        JAX=lambda: jax_slope(jax_loss, point, data),
        PyTorch=lambda: torch_slopes(torch_loss, point, data),
    )
    ours = symgd_slope(FORMULA, point, data)
    what = f"network, {ROWS:,} x {INPUTS} -> {HIDDEN} -> 1"
    return rows(what, ours, peers, dict.fromkeys(peers, TARGET))


if __name__ == "__main__":
    main(measure)
