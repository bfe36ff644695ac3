"""Value and gradient of the extended Rosenbrock function of a million variables in float64, against JAX and others."""

from __future__ import annotations

import numpy as np
from interleave import main
from slopes import available, jax_slope, rows, symgd_slope, torch_slopes

FORMULA = "sum(100*(x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)"
VARIABLES = 1_000_000
TARGET = 1 / 2


def jax_loss(jax, point, data):
    x = point["x"]
    return jax.numpy.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def torch_loss(torch, point, data):
    x = point["x"]
    return torch.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def numpy_slope(point):
    """Give value and gradient by hand."""
    x = point["x"]

    def slope():
        low = x[:-1]
        step, rest = x[1:] - low * low, 1 - low
        gradient = np.zeros_like(x)
        gradient[1:] = 200 * step
        gradient[:-1] -= 400 * low * step + 2 * rest
        return 100 * (step @ step) + rest @ rest, [gradient]

    return slope


def measure():
    point = {"x": np.random.default_rng(0).standard_normal(VARIABLES)}
    peers = available(
        JAX=lambda: jax_slope(jax_loss, point, {}),
        PyTorch=lambda: torch_slopes(torch_loss, point, {}),
        NumPy=lambda: numpy_slope(point),
    )
    ours = symgd_slope(FORMULA, point, {})
    return rows(f"Rosenbrock, {VARIABLES:,} variables", ours, peers, {"JAX": TARGET})


if __name__ == "__main__":
    main(measure)
