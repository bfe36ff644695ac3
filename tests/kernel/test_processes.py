"""The same bits at the first call and the last, and results that travel."""

import copy
import pickle
from functools import partial

import numpy as np
import pytest

import symgd as sg

RNG = np.random.default_rng(3)
X = RNG.normal(size=(20_000, 3))
y = X @ [1.0, -2.0, 0.5]
POINT = np.array([0.3, -0.2, 0.7])
MADE = {
    "scalars": partial(sg.Objective, "(1 - a)**2 + 100*(b - a**2)**2 + exp(sin(a*b*c)) + c**2"),
    "arrays": partial(sg.Objective, "sum((w - 0.3)**4) + tanh(w[0]*w[1]) + w[2]**2", params={"w": 3}),
    "rows": partial(sg.Objective, "mean((y - tanh(X @ w))**2)", data={"X": X, "y": y}, params={"w": 3}),
}


@pytest.mark.parametrize("name", MADE)
def test_the_first_call_and_the_last_have_the_same_bits(name, monkeypatch):
    from symgd.kernel import Kernel

    objective = MADE[name]()
    cost = objective.kernel().cost()
    monkeypatch.setattr(Kernel, "budget", lambda _: 100 * cost)  # that of a hundred calls
    points = [POINT + 0.001 * i for i in range(40)]
    first = [(objective.fun(x), objective.jac(x).tobytes(), objective.hess(x).tobytes()) for x in points]
    for x in points * 20:
        objective.fun(x + 1e-9)
        objective.jac(x + 1e-9)
    assert [(objective.fun(x), objective.jac(x).tobytes(), objective.hess(x).tobytes()) for x in points] == first


def test_runs_and_maps_travel():
    objective = sg.Objective("(1 - a)**2 + b**4", tier="python")
    kept = [
        objective.minimize([3, 1], lr=0.1, steps=5), objective.minimize_many([[3, 1], [2, 0]], lr=0.1, steps=5),
        objective.map(a=(-1, 1), b=(-1, 1), lr=0.1, steps=5),
    ]  # fmt: skip
    for result in kept:
        for other in (copy.copy(result), copy.deepcopy(result), pickle.loads(pickle.dumps(result))):
            assert repr(other) == repr(result)


def test_the_first_look_at_the_clock_comes_after_one_step(monkeypatch):
    from symgd.descent import loop

    stops = []
    advance = loop.advance

    def watched(kernel, state, settings, stop):
        stops.append(stop - state.t)
        advance(kernel, state, settings, stop)

    monkeypatch.setattr(loop, "advance", watched)
    run = sg.Objective("(1 - a)**2", tier="python").minimize([3], lr=0.001, steps=1000, seconds=0)
    assert stops == [1]
    assert run.steps == 1
