"""Bounds hold wherever the objective has a value, and what is called convex is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symgd as sg
from symgd.graph.bounds import bounds_of

TEXTS = [
    "(x - y)**2 + abs(x)", "(x*y)**2", "exp(-x) + softplus(y)", "sigmoid(x + y)**2/2", "1/(1 + x**2)", "-exp(-x**2)",
    "sqrt(1 + x**2) + hypot(x, y)", "abs(x)*y", "x**4 - y**2", "logcosh(x - y)", "maximum(x, y) + maximum(-x, -y)",
    "minimum(x, 2) - y**2", "tanh(x)*sigmoid(y)", "(1 - tanh(x))**2", "cos(x) + sin(y)", "x/(1 + y**2)", "arctan(x*y)",
    "exp(x)*exp(y)", "log(1 + exp(x)) - x/3", "where(x > 0, x, -y)**2", "logaddexp(x, y)", "erf(x) - erfc(y)",
    "abs(x)**1.5", "x**2/(2 + sin(y))", "log(exp(x) + exp(y))", "relu(x - 1) + relu(-y)", "(x + y)**3", "expm1(x**2)",
    "sqrt(x**2 + 2*y**2 + 1)", "sech(x)", "sinh(x)**2", "(x - 1)**2*3 - 2",
    "softplus(x*y) - x*y", "softplus(x - y) - 0.3*(x - y) + 1", "log(1 + exp(x)) - x + y**2", "relu(x)**2",
]  # fmt: skip
POINTS = st.floats(-6, 6)


@pytest.fixture(scope="module")
def known():
    found = {}
    for text in TEXTS:
        f = sg.Objective(text, tier="python")
        found[text] = f, bounds_of(*f.model.plain, {})
    return found


@settings(max_examples=150, deadline=None)
@given(text=st.sampled_from(TEXTS), a=st.tuples(POINTS, POINTS), b=st.tuples(POINTS, POINTS), share=st.floats(0, 1))
def test_values_lie_between_the_bounds_and_below_the_chord(known, text, a, b, share):
    f, bounds = known[text]
    n = len(f.params)
    one, other = np.array(a[:n]), np.array(b[:n])
    between = share * one + (1 - share) * other
    values = [f.fun(x) for x in (one, other, between)]
    room = 1e-12 * (1 + max(map(abs, values)))
    for value in values:
        assert bounds.low - room <= value <= bounds.high + room
    chord = share * values[0] + (1 - share) * values[1]
    if bounds.convex:
        assert values[2] <= chord + room
    if bounds.concave:
        assert values[2] >= chord - room


@pytest.mark.parametrize(
    ("text", "low", "open_", "convex"),
    [
        ("(x*y)**2", 0, False, False), ("abs(x) + y**2", 0, False, True), ("exp(-x)", 0, True, True),
        ("sigmoid(x)**2/2", 0, True, False), ("-exp(-x**2)", -1, False, False), ("x", -np.inf, True, True),
        ("sqrt(1 + x**2)", 1, False, True), ("2 + x**2", 2, False, True), ("softplus(x) - x", 0, True, True),
    ],
)  # fmt: skip
def test_what_is_shown_of_a_formula(text, low, open_, convex):
    found = bounds_of(*sg.Objective(text).model.plain, {})
    assert (found.low, found.low_open, found.convex) == (low, open_, convex)


def test_data_bound_what_they_multiply():
    x = np.array([0.0, 2.0, 3.0])
    f = sg.Objective("mean(x*abs(w) + exp(-x)*w**2)", data={"x": x})
    found = f.model.bounds
    assert (found.low, found.convex) == (0.0, True)
    mixed = sg.Objective("mean((x - 1)*abs(w))", data={"x": x}).model.bounds
    assert not mixed.convex


def test_a_maximized_objective_has_the_opposite_bounds():
    f = sg.Objective("-(x**2)")
    assert f.kernel(-1.0).bounds().low == 0.0
    assert f.kernel(-1.0).bounds().convex
