"""Gradient descent on a cubic model of 20 million rows, 10,000 steps with a fixed learning rate, whole runs.

The objective is ``mean((y - (a*x**3 + b*x**2 + c*x + d))**2)``, and symgd finds out by itself that the rows count
through their moments alone: its time is that of a run, from making the objective to the account of the run, the pass
over the rows included. Nothing is kept from one run to the next but generated code, on disk.

The peers are loops that look at the rows at every step: NumPy with the gradient by hand, its features made beforehand;
JAX with all steps in one compiled loop; PyTorch with a compiled gradient, the polynomial in Horner's form. They are
timed for `STEPS` of the 10,000 steps, and the time is scaled up; what they do before the first step counts for nothing.

Whoever sees what the moments do can write them by hand: NumPy forms the inner products once, and descends on a matrix
of 4 x 4. That stands in the table too. It loses digits that symgd keeps, for it squares the condition.
"""

from __future__ import annotations

import sys

import numpy as np
from interleave import PROCESSORS, Ratio, Row, Skip, clock, main, ratio_row, same_point
from slopes import available

from symgd import Objective

FORMULA = "mean((y - (a*x**3 + b*x**2 + c*x + d))**2)"
ROWS, ALL, LR = 20_000_000, 10_000, 0.01
STEPS = 10  # of a peer
REPEATS = 3
TARGET = 1 / 500


def problem(rows):
    """Give the data."""
    random = np.random.default_rng(0)
    x = random.standard_normal(rows)
    return {"x": x, "y": 2 * x**3 - x**2 + 0.5 * x + 1 + 0.1 * random.standard_normal(rows)}


def symgd_run(data, steps):
    """Give a run of symgd, that of ten thousand steps."""
    return Objective(FORMULA, data=data, workers=PROCESSORS).minimize([0.0] * 4, lr=LR, steps=steps)


def numpy_steps(data):
    """Give steps by hand, the features made beforehand."""
    x, y = data["x"], data["y"]
    features = np.stack([x**3, x**2, x, np.ones_like(x)])

    def run(steps):
        p = np.zeros(4)
        for _ in range(steps):
            p += 2 * LR / len(y) * (features @ (y - p @ features))
        return p

    return run


def normal_equations(data):
    """Give steps on the matrix of inner products, which is formed in the run."""
    x, y = data["x"], data["y"]

    def run(steps):
        powers = [np.ones(len(x)), x]
        for _ in range(2):
            powers.append(powers[-1] * x)
        features = np.stack(powers[::-1])
        matrix, right = features @ features.T / len(y), features @ y / len(y)
        p = np.zeros(4)
        for _ in range(steps):
            p += 2 * LR * (right - matrix @ p)
        return p

    return run


def jax_steps(data):
    """Give steps in one compiled loop."""
    try:
        import jax
    except ImportError as error:
        raise Skip(f"{error.name} is not installed") from None
    jax.config.update("jax_enable_x64", True)
    x, y = (jax.device_put(data[name]) for name in ("x", "y"))

    def loss(p, x, y):
        return jax.numpy.mean((y - (((p[0] * x + p[1]) * x + p[2]) * x + p[3])) ** 2)

    @jax.jit
    def loop(steps, p, x, y):
        return jax.lax.fori_loop(0, steps, lambda _, p: p - LR * jax.grad(loss)(p, x, y), p)

    return lambda steps: np.asarray(jax.block_until_ready(loop(steps, jax.numpy.zeros(4), x, y)))


def torch_steps(data):
    """Give steps with a compiled gradient."""
    try:
        import torch
    except ImportError as error:
        raise Skip(f"{error.name} is not installed") from None
    torch.set_num_threads(PROCESSORS)
    x, y = (torch.from_numpy(data[name]) for name in ("x", "y"))

    @torch.compile
    def loss(p, x, y):
        return torch.mean((y - (((p[0] * x + p[1]) * x + p[2]) * x + p[3])) ** 2)

    def run(steps):
        p = torch.zeros(4, dtype=torch.float64, requires_grad=True)
        for _ in range(steps):
            (slope,) = torch.autograd.grad(loss(p, x, y), [p])
            p = (p.detach() - LR * slope).requires_grad_()
        return p.detach().numpy()

    try:
        run(1)
    except Exception as error:  # noqa: BLE001 - it needs a compiler, and does not know every version of everything
        raise Skip(f"torch.compile: {type(error).__name__}") from None
    return run


def measure(rows=ROWS):
    data = problem(rows)
    peers = available(
        NumPy=lambda: numpy_steps(data), JAX=lambda: jax_steps(data), **{"torch.compile": lambda: torch_steps(data)}
    )
    expected = symgd_run(data, STEPS).x
    for run in peers.values():
        same_point(run(STEPS), expected, 1e-9)
    by_hand = normal_equations(data)
    same_point(by_hand(ALL), symgd_run(data, ALL).x, 1e-9)
    spent = {name: [] for name in ("symgd", *peers, "normal equations")}
    for _ in range(REPEATS):
        spent["symgd"].append(clock(lambda: symgd_run(data, ALL)))
        spent["normal equations"].append(clock(lambda: by_hand(ALL)))
        for name, run in peers.items():
            spent[name].append(ALL / STEPS * clock(lambda run=run: run(STEPS)))
    ours = tuple(spent.pop("symgd"))
    found: list[Row] = []
    for name, seconds in spent.items():
        target = TARGET if name in peers else None
        told = f"{name}, {STEPS} steps scaled" if name in peers else f"NumPy, {name} by hand"
        found.append(ratio_row(f"cubic, {rows:,} rows, {ALL:,} steps / {told}", Ratio(ours, tuple(seconds)), target))
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["--rows"]:
        rows = int(sys.argv[2])
        del sys.argv[1:3]
        main(lambda: measure(rows))
    else:
        main(measure)
