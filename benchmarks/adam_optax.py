"""Adam on Rosenbrock's function, against ``optax.adam`` in a jitted ``lax.fori_loop`` in float64.

Measured: a whole call of ``minimize`` on an objective that has been compiled, against the compiled loop of JAX; both
compiled beforehand. Of the two ways to hold the parameters in JAX, one vector or a tuple of numbers, the faster one.
Both counts of steps take ``beta**t`` through the subnormal numbers, where arithmetic is slow.

At a fixed learning rate Adam does not settle at the minimizer but wanders around it, and rounding decides where to:
JAX's own two ways part there. So that both do the same is checked earlier, while they have just arrived.
"""

from __future__ import annotations

from functools import partial

from interleave import Skip, clock, compare, main, ratio_row, same_point

from symgd import Objective

FORMULA = "(1 - x)**2 + 100*(y - x**2)**2"
START, LR = (-1.2, 1.0), 1e-3
SETTLED = 20_000  # steps after which both are still the same to rounding


def load():
    """Give the descent in JAX for parameters in a vector and in a tuple."""
    try:
        import jax
        import optax
    except ImportError as error:
        raise Skip(f"{error.name} is not installed") from None
    jax.config.update("jax_enable_x64", True)
    adam = optax.adam(LR)

    def value(p):
        return (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2

    def step(_, carry):
        point, state = carry
        updates, state = adam.update(jax.grad(value)(point), state, point)
        return optax.apply_updates(point, updates), state

    @partial(jax.jit, static_argnums=1)
    def descend(point, steps):
        return jax.lax.fori_loop(0, steps, step, (point, adam.init(point)))[0]

    vector, pair = jax.numpy.array(START), tuple(map(jax.numpy.float64, START))
    return [lambda steps, p=p: [float(v) for v in descend(p, steps)] for p in (vector, pair)]


def measure():
    peers = load()
    objective = Objective(FORMULA, tier="numba")

    def ours(steps):
        run = objective.minimize(start=START, lr=LR, steps=steps, method="adam")
        assert run.steps == steps
        return list(run.point.values())

    same_point(ours(SETTLED), peers[0](SETTLED), 1e-6)
    rows = []
    for steps, words, repeats in ((1_000_000, "1 million", 15), (10_000_000, "10 million", 7)):
        for point in (ours(steps), *(peer(steps) for peer in peers)):  # warms up, too
            same_point(point, (1.0, 1.0), 1e-3)
        peer = min(peers, key=lambda p, n=steps: min(clock(partial(p, n)) for _ in range(3)))
        ratio = compare(partial(ours, steps), partial(peer, steps), repeats)
        rows.append(ratio_row(f"adam, {words} steps / optax", ratio, target=1.0))
    return rows


if __name__ == "__main__":
    main(measure)
