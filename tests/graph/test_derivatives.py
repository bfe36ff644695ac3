"""Gradient and Hessian of random formulas against jets of 50 digits."""

import numpy as np
import oracles
import pytest
import strategies
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scalars import INPUTS, jet_at, near, objective

from symgd import Objective

QUICK = settings(max_examples=300, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
THOROUGH = settings(QUICK, max_examples=2_000)


def check(text, point, table, f):
    wanted = jet_at(text, point, table)
    assume(wanted is not None)
    gradient, hessian = f.gradient_at(point), f.hessian_at(point)
    assert near(f.value(point), wanted.v, wanted.ev)
    for i, a in enumerate(strategies.PARAMS):
        assert near(gradient[a], wanted.g.get(a, 0), wanted.eg.get(a, 0)), a
        for j, b in enumerate(strategies.PARAMS):
            pair = (min(a, b), max(a, b))
            assert near(hessian[i, j], wanted.h.get(pair, 0), wanted.eh.get(pair, 0)), pair
    v = {"x": 0.3, "y": -1.0, "lambda_": 0.7}
    product = f.hvp(point, v)
    for a in strategies.PARAMS:
        pairs = [((min(a, b), max(a, b)), v[b]) for b in strategies.PARAMS]
        exact = sum(wanted.h.get(p, 0) * w for p, w in pairs)
        size = sum((wanted.eh.get(p, 0) + abs(wanted.h.get(p, 0))) * abs(w) for p, w in pairs)
        assert near(product[a], exact, size), a


def property_of_derivatives(text, point, table):
    f = objective(text, table)
    assume(f is not None)
    check(text, point, table, f)


test_derivatives = QUICK(given(**INPUTS)(property_of_derivatives))
test_derivatives_of_many = pytest.mark.slow(THOROUGH(given(**INPUTS)(property_of_derivatives)))


@settings(QUICK, max_examples=6)
@given(texts=st.lists(strategies.formulas, min_size=8, max_size=8), point=strategies.points, table=strategies.tables)
def test_compiled_derivatives_are_those_of_plain_python(texts, point, table):
    """Eight formulas at a time, each times a parameter of its own, whose derivative is the formula's value."""
    defined = [t for t in texts if objective(t, table) is not None and jet_at(t, point, table) is not None]
    assume(defined)
    weights = [f"c{k}" for k in range(len(defined))]
    text = " + ".join(f"{c}*({t})" for c, t in zip(weights, defined, strict=True))
    params = (*strategies.PARAMS, *weights)
    data = {name: np.array(column) for name, column in table.items()}
    f = Objective(text, params=params, data=data, tier="numba")
    at = {**point, **dict.fromkeys(weights, 1.0)}
    wanted = oracles.exact(text, at, table)
    gradient, product = f.gradient_at(at), f.hvp(at, dict.fromkeys(params, 1.0))
    for a in params:
        assert near(gradient[a], wanted.g.get(a, 0), wanted.eg.get(a, 0)), a
        pairs = [(min(a, b), max(a, b)) for b in params]
        exact = sum(wanted.h.get(p, 0) for p in pairs)
        assert near(product[a], exact, sum(wanted.eh.get(p, 0) + abs(wanted.h.get(p, 0)) for p in pairs)), a
