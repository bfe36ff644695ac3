"""Formulas with arrays that a warm process has never seen: from the text to the first value and gradient.

A dozen formulas, from a ridge regression to a factorisation of 100,000 ratings, each with value and gradient written by
hand in NumPy. A formula is new by a factor of nearly 1: it is parsed, differentiated and written as code, and its value
and gradient are asked for once, while another has been before it, so that no module is loaded. The peer calls its
function, which is there. Both take turns; figures are the shortest times. The bound is five times the peer's time and
50 ms. Values and gradients must agree.
"""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
from interleave import Row, clock, main, same_point

import symgd as sg

if TYPE_CHECKING:
    from collections.abc import Callable

REPEATS = 5
TIMES, BESIDE = 5.0, 0.05  # the peer's time, and seconds


@dataclass(frozen=True)
class Case:
    """A formula, its data and point, and what gives value and gradients by hand, in the point's order."""

    name: str
    formula: str
    data: dict[str, np.ndarray]
    point: dict[str, np.ndarray]
    by_hand: Callable[..., tuple[float, ...]]


def sigmoid(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


def logistic(X, y, w):
    z = X @ w
    f = np.mean(np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))) - y * z)
    return f, X.T @ (sigmoid(z) - y) / len(y)


def ridge(X, y, w):
    r = X @ w - y
    return np.mean(r * r) + 0.1 * np.sum(w * w), 2 * X.T @ r / len(y) + 0.2 * w


def poisson(X, y, w):
    z = X @ w
    rate = np.exp(z)
    return np.mean(rate - y * z), X.T @ (rate - y) / len(y)


def huber(X, y, w):
    r = y - X @ w
    near = np.abs(r) < 1
    f = np.mean(np.where(near, 0.5 * r * r, np.abs(r) - 0.5))
    return f, -X.T @ np.where(near, r, np.sign(r)) / len(y)


def softmax(X, Y, W, b):
    z = X @ W + b
    z = z - z.max(axis=1, keepdims=True)
    e = np.exp(z)
    t = e.sum(axis=1, keepdims=True)
    d = (e / t - Y) / len(X)
    return np.mean(np.log(t[:, 0]) - np.sum(Y * z, axis=1)), X.T @ d, d.sum(axis=0)


def network(X, Y, A, a, B, b):
    h = np.tanh(X @ A + a)
    f, to_b, last = softmax(h, Y, B, b)
    z = h @ B + b
    e = np.exp(z - z.max(axis=1, keepdims=True))
    d = (e / e.sum(axis=1, keepdims=True) - Y) / len(X)
    back = (d @ B.T) * (1 - h * h)
    return f, X.T @ back, back.sum(axis=0), to_b, last


def factors(u, v, r, U, V):
    a, b = U[u], V[v]
    e = np.sum(a * b, axis=1) - r
    d = (2 / len(r)) * e[:, None]
    return np.mean(e * e), scattered(u, d * b, len(U)), scattered(v, d * a, len(V))


def scattered(places, rows, n):
    return np.stack([np.bincount(places, weights=c, minlength=n) for c in rows.T], axis=1)


def radial(x, y, c, a):
    d = x[:, None] - c
    k = np.exp(-d * d)
    r = y - k @ a
    return np.mean(r * r), -4 * (r @ (k * d)) * a / len(y), -2 * k.T @ r / len(y)


def smooth(y, s):
    d, r = s[1:] - s[:-1], s - y
    g = 2 * r
    g[1:] += 20 * d
    g[:-1] -= 20 * d
    return np.sum(r * r) + 10 * np.sum(d * d), g


def product(M, A, B):
    r = A @ B - M
    return np.mean(r * r), 2 * r @ B.T / r.size, 2 * A.T @ r / r.size


def gated(X, y, A, B):
    s, z = sigmoid(X @ A), X @ B
    r = (np.sum(s * z, axis=1) - y)[:, None] * (2 / len(y))
    return np.sum(r * r) * len(y) / 4, X.T @ (r * z * s * (1 - s)), X.T @ (r * s)


def cases():
    rng = np.random.default_rng(0)
    X, small, picture = rng.normal(size=(20_000, 20)), rng.normal(size=(569, 30)), rng.uniform(size=(1797, 64))
    y, w = rng.normal(size=20_000), 0.1 * rng.normal(size=20)
    Y, n = np.eye(10)[rng.integers(0, 10, 1797)], rng.normal
    large = n(size=(100_000, 20))
    z = "X @ W + b"
    h = "tanh(X @ A + a) @ B + b"
    cross = "mean(logsumexp({z}, axis=1) - sum(Y*({z}), axis=1))"
    entropy = "mean(softplus(X @ w) - y*(X @ w))"
    ratings = {"u": rng.integers(0, 2000, 100_000), "v": rng.integers(0, 500, 100_000), "r": n(size=100_000)}
    return [
        Case("logistic, 569 x 30", entropy, {"X": small, "y": (n(size=569) > 0) * 1.0}, {"w": 0.1 * n(size=30)},
             logistic),
        Case("logistic, 100,000 x 20", entropy, {"X": large, "y": (n(size=100_000) > 0) * 1.0}, {"w": w}, logistic),
        Case("ridge, 20,000 x 20", "mean((X @ w - y)**2) + 0.1*sum(w**2)", {"X": X, "y": y}, {"w": w}, ridge),
        Case("Poisson, 20,000 x 20", "mean(exp(X @ w) - y*(X @ w))", {"X": X, "y": np.abs(y)}, {"w": w}, poisson),
        Case("Huber, 20,000 x 20", "mean(where(abs(y - X @ w) < 1, 0.5*(y - X @ w)**2, abs(y - X @ w) - 0.5))",
             {"X": X, "y": y}, {"w": w}, huber),
        Case("softmax, 650 parameters", cross.format(z=z), {"X": picture, "Y": Y},
             {"W": 0.1 * n(size=(64, 10)), "b": n(size=10)}, softmax),
        Case("network 64-32-10", cross.format(z=h), {"X": picture, "Y": Y},
             {"A": 0.1 * n(size=(64, 32)), "a": n(size=32), "B": 0.1 * n(size=(32, 10)), "b": n(size=10)}, network),
        Case("factorisation, 100,000 ratings", "mean((r - sum(U[u]*V[v], axis=1))**2)", ratings,
             {"U": n(size=(2000, 8)), "V": n(size=(500, 8))}, factors),
        Case("20 bumps, 20,000 rows", "mean((y - exp(-(x[:, None] - c)**2) @ a)**2)", {"x": 3 * n(size=20_000), "y": y},
             {"c": 3 * n(size=20), "a": n(size=20)}, radial),
        Case("a smooth line of 100,000", "sum((s - y)**2) + 10*sum((s[1:] - s[:-1])**2)", {"y": n(size=100_000)},
             {"s": n(size=100_000)}, smooth),
        Case("a matrix 400 x 300 of rank 10", "mean((A @ B - M)**2)", {"M": n(size=(400, 300))},
             {"A": n(size=(400, 10)), "B": n(size=(10, 300))}, product),
        Case("gates, 20,000 x 20 x 8", "mean((sum(sigmoid(X @ A)*(X @ B), axis=1) - y)**2)", {"X": X, "y": y},
             {"A": 0.1 * n(size=(20, 8)), "B": 0.1 * n(size=(20, 8))}, gated),
    ]  # fmt: skip


def first(case, formula):
    """Give value and gradients of a formula."""
    f = sg.Objective(formula, data=case.data, params={name: a.shape for name, a in case.point.items()})
    return f.value(case.point), f.gradient_at(case.point)


def measure_case(case, numbers):
    """Give the shortest times, once both are known to say the same."""

    def ours():
        factor = f"1.{next(numbers):012}"
        return float(factor), *first(case, f"{factor}*({case.formula})")

    def peer():
        return case.by_hand(*case.data.values(), *case.point.values())

    factor, value, gradient = ours()
    expected = peer()
    same_point([value], [factor * expected[0]], 1e-9)
    for name, part in zip(case.point, expected[1:], strict=True):
        same_point([np.linalg.norm(gradient[name] / factor - part) / np.linalg.norm(part)], [0.0], 1e-9)
    times = [(clock(ours), min(clock(peer) for _ in range(3))) for _ in range(REPEATS)]
    found, by_hand = (min(column) for column in zip(*times, strict=True))
    bound = TIMES * by_hand + BESIDE
    return Row(f"{case.name}: first value and gradient", found, "s", bound, found, by_hand)


def measure():
    numbers = count(int(time.time()) % 100_000 * 100)
    with tempfile.TemporaryDirectory() as parent:
        os.environ["SYMGD_CACHE"] = parent
        f = sg.Objective("mean((y - x @ w)**2)", data={"x": np.eye(2), "y": np.ones(2)}, params={"w": (2,)})
        f.gradient_at(w=[0.0, 0.0])
        return [measure_case(case, numbers) for case in cases()]


if __name__ == "__main__":
    main(measure)
