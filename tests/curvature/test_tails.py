"""Tails, where the value falls for ever: told from minima that are reached, by any method."""

import numpy as np
import pytest

import symgd as sg

X = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
PARTED = {"x": X, "y": np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0])}
MIXED = {"x": X, "y": np.array([0.0, 1.0, 0.0, 1.0, 0.0, 1.0])}
METHODS = pytest.mark.parametrize("method", ["auto", "lbfgs", "bfgs", "newton"])


@METHODS
@pytest.mark.parametrize(
    ("text", "data", "start", "limit"),
    [
        ("exp(-x)", {}, [0.0], 0.0),
        ("exp(-x) + (y - 1)**2", {}, [0.0, 5.0], 0.0),
        ("exp(-a*b)", {}, [1.0, 0.5], 0.0),
        ("exp(exp(-x))", {}, [0.0], 1.0),
        ("arctan(x)", {}, [0.0], -np.pi / 2),
        ("-tanh(x)", {}, [0.5], -1.0),
        ("1/(1 + x**2)", {}, [1.0], 0.0),
        ("sqrt(1 + x**2) - x", {}, [0.0], 0.0),
        ("(sigmoid(w) - 1)**2", {}, [-3.0], 0.0),
        ("sum(log(1 + exp(-w*x)))", {"x": X}, [0.0], 0.0),
        ("sum((sigmoid(a + b*x) - y)**2)", PARTED, [0.0, 0.0], 0.0),
        ("mean(softplus(a + b*x) - y*(a + b*x))", PARTED, [0.0, 0.0], 0.0),
        ("-sum(y*log(sigmoid(a + b*x)) + (1 - y)*log(1 - sigmoid(a + b*x)))", PARTED, [0.0, 0.0], 0.0),
    ],
)
def test_a_tail_is_no_minimum_however_far_out(text, data, start, limit, method):
    run = sg.Objective(text, data).minimize(start, method=method)
    assert not run.ok
    (found,) = run.diagnosis
    assert found.code in ("tail", "separable")
    assert found.evidence["limit"] == pytest.approx(limit, abs=1e-9)


@METHODS
@pytest.mark.parametrize(
    ("text", "data", "start"),
    [
        ("(x + y)**2", {}, [1.0, 2.0]),
        ("x**2*y**2", {}, [3.0, 0.2]),
        ("(exp(a) - exp(b))**2", {}, [1.0, 0.0]),
        ("relu(1 - w)**2", {}, [0.0]),
        ("maximum(0, 1 - w)", {}, [0.0]),
        ("x**2/(1 + x**2)", {}, [0.5]),
        ("1e10 + (x - 1)**2", {}, [1.5]),
        ("x**2 + exp(-x)", {}, [3.0]),
        ("sum(softplus(a + b*x) - y*(a + b*x))", MIXED, [0.0, 0.0]),
    ],
)
def test_a_minimum_that_is_reached_is_no_tail(text, data, start, method):
    run = sg.Objective(text, data).minimize(start, method=method)
    assert run.ok
    assert not {"tail", "separable"} & {found.code for found in run.diagnosis}


def test_what_underflows_at_the_end_of_a_run_does_not_break_its_method():
    run = sg.Objective("1/x").minimize([1e102], method="newton")
    assert not run.ok
