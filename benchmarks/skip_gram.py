"""Value and gradient of skip-gram with negative sampling, 200,000 pairs in float64, against PyTorch and JAX.

Word vectors: a pair of words that occur together, and five that do not; each row looks up seven vectors of 64 numbers.
"""

from __future__ import annotations

import numpy as np
from interleave import main
from slopes import available, jax_slope, rows, symgd_slope, torch_slopes

FORMULA = "-mean(logsigmoid(sum(C[c]*O[o], axis=1)) + sum(logsigmoid(-sum(C[c][:, None, :]*O[neg], axis=2)), axis=1))"
PAIRS, NEGATIVES, SIZE, WORDS = 200_000, 5, 64, 10_000
TARGET = 1 / 3


def problem():
    """Give a point and data."""
    random = np.random.default_rng(0)
    point = {name: random.standard_normal((WORDS, SIZE)) / SIZE**0.5 for name in ("C", "O")}
    data = {name: random.integers(WORDS, size=PAIRS) for name in ("c", "o")}
    return point, data | {"neg": random.integers(WORDS, size=(PAIRS, NEGATIVES))}


def jax_loss(jax, point, data):
    sigmoid, total = jax.nn.log_sigmoid, jax.numpy.sum
    c, o, neg = point["C"][data["c"]], point["O"][data["o"]], point["O"][data["neg"]]
    seen = sigmoid(total(c * o, axis=1))
    unseen = total(sigmoid(-total(c[:, None, :] * neg, axis=2)), axis=1)
    return -jax.numpy.mean(seen + unseen)


def torch_loss(torch, point, data):
    looked_up, sigmoid = torch.nn.functional.embedding, torch.nn.functional.logsigmoid
    c, o, neg = looked_up(data["c"], point["C"]), looked_up(data["o"], point["O"]), looked_up(data["neg"], point["O"])
    seen = sigmoid(torch.sum(c * o, dim=1))
    unseen = torch.sum(sigmoid(-torch.bmm(neg, c[:, :, None])[:, :, 0]), dim=1)
    return -torch.mean(seen + unseen)


def measure():
    point, data = problem()
    peers = available(
        PyTorch=lambda: torch_slopes(torch_loss, point, data),
        JAX=lambda: jax_slope(jax_loss, point, data),
    )
    ours = symgd_slope(FORMULA, point, data)
    return rows(f"skip-gram, {PAIRS:,} pairs", ours, peers, {"PyTorch": TARGET})


if __name__ == "__main__":
    main(measure)
