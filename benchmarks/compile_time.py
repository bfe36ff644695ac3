"""Seconds until a function of a new formula is compiled, in a process that has compiled others before.

Each number is the processor time of one function (value, slope, product, the loop of a rule) of a formula that no cache
knows: its text is written and turned into machine code, which is linked. The shortest of several formulas that differ
in a constant is shown, so that nothing is found again.
"""

from __future__ import annotations

import os
import time
from itertools import count

from interleave import Row, main

os.environ["SYMGD_CACHE"] = "off"

import numpy as np

from symgd import Objective
from symgd.descent.prepare import prepare

REPEATS = 3
TARGET = 0.3
FUNCTIONS = ("value", "slope", "product")


def tasks():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(569, 30)), (rng.random(569) > 0.5).astype(float)
    pictures, classes = rng.normal(size=(1797, 64)), np.eye(10)[rng.integers(0, 10, 1797)]
    ratings = {"u": rng.integers(0, 200, 3000), "v": rng.integers(0, 50, 3000), "r": rng.normal(size=3000)}
    digits = {"X": pictures, "Y": classes}
    chain = " + ".join(f"100*(x{i + 1} - x{i}**2)**2 + (1 - x{i})**2" for i in range(9))
    return {
        "line": ("mean((y - (w*x + b))**2)", {"x": x[:, 0], "y": y}, {"w": (), "b": ()}),
        "exponential": ("mean((y - a*exp(-k*x) - c)**2)", {"x": x[:, 0], "y": y}, {"a": (), "k": (), "c": ()}),
        "Rosenbrock": ("(1 - x)**2 + 100*(y - x**2)**2", {}, {"x": (), "y": ()}),
        "Rosenbrock, 10 numbers": (chain, {}, {f"x{i}": () for i in range(10)}),
        "logistic": ("mean(softplus(X @ w) - y*(X @ w))", {"X": x, "y": y}, {"w": (30,)}),
        "softmax": (
            "mean(logsumexp(X @ W + b, axis=1) - sum(Y*(X @ W + b), axis=1))", digits, {"W": (64, 10), "b": (10,)}
        ),
        "network": (
            "mean((tanh(X @ W1 + b1) @ W2 + b2 - Y)**2)", digits,
            {"W1": (64, 32), "b1": (32,), "W2": (32, 10), "b2": (10,)},
        ),
        "factorisation": ("mean((r - sum(U[u]*V[v], axis=1))**2)", ratings, {"U": (200, 8), "V": (50, 8)}),
    }  # fmt: skip


def kernel_of(formula, data, shapes, number):
    text = f"1.{number:09}*({formula})"
    kernel = Objective(text, data=data, params=shapes, tier="numba").kernel()
    kernel.program  # derived before the clock starts
    return kernel


def seconds(kernel, name):
    """Give the processor time that a kernel's function, or the loop of Adam, takes to be there."""
    tier = kernel.tiers["numba"]
    loop = prepare(kernel, np.ones(kernel.n), 1.0, {"method": "adam", "lr": 0.01}).source
    began = time.process_time()
    if name == "loop":
        tier.loop(loop)
    else:
        tier.function(name)
    return time.process_time() - began


def measure():
    numbers = count(int(time.time()) % 1_000_000)
    found = []
    names = (*FUNCTIONS, "loop")
    print(f"{'processor seconds':24}" + "".join(f"{name:>9}" for name in names))
    for what, task in tasks().items():
        if not found:
            for name in names:
                seconds(kernel_of(*task, next(numbers)), name)
        best = {name: min(seconds(kernel_of(*task, next(numbers)), name) for _ in range(REPEATS)) for name in names}
        print(f"{what:24}" + "".join(f"{s:9.3f}" for s in best.values()), flush=True)
        found += [Row(f"{what}: {name}", s, "s", TARGET, s) for name, s in best.items()]
    return found


if __name__ == "__main__":
    main(measure)
