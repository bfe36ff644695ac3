"""Value and gradient of a matrix factorisation, a million ratings of rank 32 in float64, against PyTorch and JAX.

Rows of two tables are looked up by index, and the gradient is added to them in the same places.
"""

from __future__ import annotations

import numpy as np
from interleave import main
from slopes import available, jax_slope, rows, symgd_slope, torch_slopes

FORMULA = "mean((r - sum(U[u]*V[v], axis=1))**2) + lam*(sum(U**2) + sum(V**2))"
RATINGS, USERS, ITEMS, RANK = 1_000_000, 20_000, 5_000, 32
LAMBDA = 1e-4
TARGET = 1 / 3


def problem():
    """Give a point and data."""
    random = np.random.default_rng(0)
    point = {name: random.standard_normal((n, RANK)) / RANK**0.5 for name, n in (("U", USERS), ("V", ITEMS))}
    data = {
        "r": random.standard_normal(RATINGS),
        "u": random.integers(USERS, size=RATINGS),
        "v": random.integers(ITEMS, size=RATINGS),
        "lam": LAMBDA,
    }
    return point, data


def jax_loss(jax, point, data):
    U, V = point["U"], point["V"]
    rest = data["r"] - jax.numpy.sum(U[data["u"]] * V[data["v"]], axis=1)
    return jax.numpy.mean(rest**2) + data["lam"] * (jax.numpy.sum(U**2) + jax.numpy.sum(V**2))


def torch_loss(torch, point, data):
    U, V = point["U"], point["V"]
    looked_up = torch.nn.functional.embedding  # the gradient of U[u] takes four times as long
    rest = data["r"] - torch.sum(looked_up(data["u"], U) * looked_up(data["v"], V), dim=1)
    return torch.mean(rest**2) + data["lam"] * (torch.sum(U**2) + torch.sum(V**2))


def measure():
    point, data = problem()
    peers = available(
        PyTorch=lambda: torch_slopes(torch_loss, point, data),
        JAX=lambda: jax_slope(jax_loss, point, data),
    )
    ours = symgd_slope(FORMULA, point, data)
    return rows(f"factorisation, {RATINGS:,} ratings", ours, peers, {"PyTorch": TARGET})


if __name__ == "__main__":
    main(measure)
