"""Gradient descent from 4,096 starts, 1,000 steps each, against ``jax.vmap`` of the same descent, jitted, in float64.

Measured: a whole call of ``minimize_many`` on an objective that has been compiled, starts checked; how each ended, and
which minima there are, is told when it is asked for, and not here. Against the compiled loop of JAX with the starts on
its device beforehand. Of JAX's ways to write the descent (`fori_loop` or `scan`; a point as a vector, or two numbers)
the vector in a `fori_loop` is what ``jax.vmap`` is given in practice, and the fastest of the others has a row of its
own. Two processors for everybody.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from interleave import Skip, clock, compare, main, ratio_row

from symgd import Objective

STARTS, STEPS, REPEATS = 4096, 1000, 15
ADAM = (0.9, 0.999, 1e-8)
# Formula, the same in JAX, the learning rates of gradient descent, momentum and Adam, and half the width of the box.
PROBLEMS = {
    "Rosenbrock": ("(1 - x)**2 + 100*(y - x**2)**2", (5e-4, 1e-4, 1e-2), 1.5),
    "six-hump camel": ("(4 - 2.1*x**2 + x**4/3)*x**2 + x*y + (-4 + 4*y**2)*y**2", (1e-2, 1e-3, 1e-2), 1.5),
    "Rastrigin": ("20 + x**2 - 10*cos(2*pi*x) + y**2 - 10*cos(2*pi*y)", (1e-3, 1e-4, 1e-2), 5.12),
}
METHODS = ("gd", "momentum", "adam")


def jax_descents(formula, method, lr):
    """Give the descents in JAX: from starts in a matrix, and in two vectors."""
    try:
        import jax
    except ImportError as error:
        raise Skip(f"{error.name} is not installed") from None
    jax.config.update("jax_enable_x64", True)
    code = compile(formula, "<formula>", "eval")
    names = {"cos": jax.numpy.cos, "pi": np.pi}

    def vector(p):
        return eval(code, names, {"x": p[0], "y": p[1]})

    gradient = jax.grad(vector)
    zeros = partial(jax.tree.map, jax.numpy.zeros_like)

    def step(t, carry):
        p, m, v = carry
        g = gradient(p)
        if method == "gd":
            return jax.tree.map(lambda x, g: x - lr * g, p, g), m, v
        if method == "momentum":
            m = jax.tree.map(lambda m, g: 0.9 * m - lr * g, m, g)
            return jax.tree.map(lambda x, m: x + m, p, m), m, v
        a, b, eps = ADAM
        m = jax.tree.map(lambda m, g: a * m + (1 - a) * g, m, g)
        v = jax.tree.map(lambda v, g: b * v + (1 - b) * g * g, v, g)
        new = jax.tree.map(
            lambda x, m, v: x - lr * (m / (1 - a ** (t + 1.0))) / (jax.numpy.sqrt(v / (1 - b ** (t + 1.0))) + eps),
            p, m, v,
        )  # fmt: skip
        return new, m, v

    def looped(p):
        return jax.lax.fori_loop(0, STEPS, step, (p, zeros(p), zeros(p)))[0]

    def scanned(p):
        return jax.lax.scan(lambda c, t: (step(t, c), None), (p, zeros(p), zeros(p)), jax.numpy.arange(STEPS))[0][0]

    return [(jax.jit(jax.vmap(f)), pair) for f in (looped, scanned) for pair in (False, True)]


def run(program, points):
    import jax

    return jax.block_until_ready(program(points))


def measure():
    rows = []
    for problem, (formula, rates, width) in PROBLEMS.items():
        starts = np.random.default_rng(0).uniform(-width, width, (STARTS, 2))
        objective = Objective(formula, tier="numba")
        for method, lr in zip(METHODS, rates, strict=True):
            peers = []
            for program, pair in jax_descents(formula, method, lr):
                import jax

                given = tuple(map(jax.device_put, starts.T)) if pair else jax.device_put(starts)
                peers.append(partial(run, program, given))
            ours = partial(objective.minimize_many, starts, method=method, lr=lr, steps=STEPS)
            found, expected = ours(), np.asarray(peers[0]())
            assert (found.steps == STEPS).all()
            # Rounding decides where a start on the edge between two minima goes: nearly all must agree.
            close = np.isclose(found.points, expected, rtol=1e-6, atol=1e-6).all(axis=1)
            if close.mean() < 0.99:
                raise SystemExit(f"{problem}, {method}: the two ended at different points")
            best = min(peers[1:], key=lambda peer: [peer(), min(clock(peer) for _ in range(3))][1])
            what = f"{problem}, {method}"
            for peer, words, target in ((peers[0], "jax.vmap", 1 / 5), (best, "JAX's best", None)):
                wanted = target if (problem, method) == ("Rosenbrock", "gd") else None
                rows.append(ratio_row(f"{what} / {words}", compare(ours, peer, REPEATS), target=wanted))
    return rows


if __name__ == "__main__":
    main(measure)
