"""A map of momentum on a bowl, a million cells of at most 500 steps, against ``jax.vmap`` of the same descents.

Measured: a whole call of ``map``, cells told converged or diverged; JAX takes all 500 steps in every cell, as its lanes
do not end, and counts those in which the gradient had become small. Two processors for everybody.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from interleave import Skip, compare, main, ratio_row

from symgd import Objective

SIDE, STEPS, GTOL = 1000, 500, 1e-5


def jax_map():
    try:
        import jax
    except ImportError as error:
        raise Skip(f"{error.name} is not installed") from None
    jax.config.update("jax_enable_x64", True)
    place = (np.arange(SIDE) + 0.5) / SIDE
    lr, beta = np.tile(1e-3 * 1000.0**place, SIDE), np.repeat(place, SIDE)
    gradient = jax.grad(lambda p: p[0] ** 2 / 2 + 5 * p[1] ** 2)

    def descend(lr, beta):
        def step(t, carry):
            x, v, count = carry
            g = gradient(x)
            v = beta * v - lr * g
            small = (gradient(x + v) ** 2).sum() <= GTOL**2
            return x + v, v, jax.numpy.where(small & (count == 0), t + 1, count)

        start = jax.numpy.ones(2)
        return jax.lax.fori_loop(0, STEPS, step, (start, jax.numpy.zeros(2), 0))[2]

    return jax.jit(jax.vmap(descend)), jax.device_put(lr), jax.device_put(beta)


def run(program, lr, beta):
    import jax

    return jax.block_until_ready(program(lr, beta))


def measure():
    objective = Objective("x**2/2 + 5*y**2", tier="numba")
    ranges = {"lr": (1e-3, 1), "beta": (0, 1), "start": {"x": 1, "y": 1}}
    ours = partial(objective.map, size=SIDE, steps=STEPS, gtol=GTOL, progress=False, **ranges)
    peer = partial(run, *jax_map())
    found, expected = ours(), np.asarray(peer()).reshape(SIDE, SIDE)
    both = found.converged & (expected > 0)
    if not np.array_equal(found.steps[both], expected[both]) and (found.steps == expected)[both].mean() < 0.999:
        raise SystemExit("the two took different steps")
    return [ratio_row("a million cells of 500 steps / jax.vmap", compare(ours, peer, 3))]


if __name__ == "__main__":
    main(measure)
