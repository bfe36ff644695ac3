"""A user's own functions go through the same loop as a formula, and get the same account."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symgd as sg
from symgd.errors import UsageError
from symgd.kernel import Kernel
from symgd.objective.callables import Functions

TEXT = "sum(log(1 + (1 - x[:-1])**2 + 100*(x[1:] - x[:-1]**2)**2))"


def parts(x):
    a, b = 1 - x[:-1], x[1:] - x[:-1] ** 2
    return a, b, 1 + a**2 + 100 * b**2


def fun(x):
    return float(np.sum(np.log(parts(x)[2])))


def jac(x):
    a, b, inner = parts(x)
    g = np.zeros(len(x))
    g[:-1] += (-2 * a - 400 * b * x[:-1]) / inner
    g[1:] += 200 * b / inner
    return g


def hess(x):
    a, b, inner = parts(x)
    h = np.zeros((len(x), len(x)))
    for i in range(len(x) - 1):
        d = np.array([-2 * a[i] - 400 * b[i] * x[i], 200 * b[i]])
        second = np.array([[2 - 400 * b[i] + 800 * x[i] ** 2, -400 * x[i]], [-400 * x[i], 200.0]])
        h[i : i + 2, i : i + 2] += second / inner[i] - np.outer(d, d) / inner[i] ** 2
    return h


def hessp(x, v):
    return hess(x) @ v


START = np.array([-1.2, 1.0, 0.7])
F = sg.Objective(TEXT, tier="python")


@pytest.mark.parametrize("method", ["newton", "newton_cg", "bfgs", "lbfgs", "cg", "wolfe", "armijo", "bb"])
def test_methods_take_the_steps_that_they_take_on_the_formula(method):
    own = sg.minimize_callable(fun, jac, START, hess, hessp, method=method, steps=8)
    same = F.minimize({"x": START}, method=method, steps=8)
    assert own.steps == same.steps
    assert own.evaluations == same.evaluations
    assert own.outcome == same.outcome
    np.testing.assert_allclose(own.x, same.x, rtol=1e-6)  # rounding, over eight steps
    np.testing.assert_allclose(own.history.value, same.history.value, rtol=1e-6)


@settings(max_examples=15)
@given(st.lists(st.floats(-2, 2), min_size=2, max_size=5), st.sampled_from(["hess", "hessp", "none"]))
def test_it_ends_at_a_minimum_and_says_what_it_knows(start, known):
    more = {"hess": {"hess": hess}, "hessp": {"hessp": hessp}, "none": {}}[known]
    run = sg.minimize_callable(fun, jac, start, **more)
    assert run.method == {"hess": "newton", "hessp": "newton_cg", "none": "bfgs"}[known]
    assert run.gradient_norm == pytest.approx(np.linalg.norm(jac(run.x)))
    assert run.value == fun(run.x)
    if known == "none":
        assert run.kind == sg.Kind.UNKNOWN or not run.outcome.converged
        assert not run.ok
        if run.outcome.converged:
            assert "second derivatives would tell" in run.message
    elif run.outcome.converged:
        lowest = np.linalg.eigvalsh(hess(run.x))[0]
        assert (run.kind == sg.Kind.MINIMUM) == (lowest > 0)
    assert isinstance(run.diagnosis, tuple)


def test_evaluations_are_counted():
    calls = []

    def counted(x):
        calls.append(1)
        return fun(x), jac(x)

    run = sg.minimize_callable(counted, True, START, method="lbfgs", steps=12)
    # One more at the end may look for a kink; without convergence, nothing does.
    assert run.outcome == "max_steps"
    assert run.evaluations <= len(calls) <= run.evaluations + 200
    assert sg.minimize_callable(fun, jac, START, method="lbfgs", steps=12).evaluations == run.evaluations


def test_a_saddle_is_left_and_a_kink_is_told():
    run = sg.minimize_callable(
        lambda x: x[0] ** 2 - x[1] ** 2 + x[1] ** 4, lambda x: np.array([2 * x[0], -2 * x[1] + 4 * x[1] ** 3]),
        [1.0, 0.0], hess=lambda x: np.diag([2.0, -2.0 + 12 * x[1] ** 2]),
    )  # fmt: skip
    assert run.ok
    assert abs(run.x[1]) == pytest.approx(math.sqrt(0.5))
    run = sg.minimize_callable(lambda x: abs(x[0] - 1), lambda x: np.sign(x - 1), [1.0])
    assert (run.kind, run.ok) == (sg.Kind.KINK_MINIMUM, True)


def test_other_ends():
    run = sg.minimize_callable(lambda x: -np.sum(np.exp(x)), lambda x: -np.exp(x), [0.0, 0.0], method="armijo")
    assert run.outcome == "diverged"
    assert run.kind == sg.Kind.NOT_STATIONARY
    assert "goes on: it has no bound" in run.message
    run = sg.minimize_callable(lambda x: math.nan, lambda x: x, [1.0])
    assert run.outcome == "left_domain"
    assert "fun(x) is nan at the start" in run.message
    run = sg.minimize_callable(lambda x: 1.0, lambda x: x * math.inf, [1.0, 1.0])
    assert "2 of jac(x) are not finite at the start" in run.message
    run = sg.minimize_callable(fun, jac, START, callback=lambda step, point, value: step >= 2 and len(point["x"]) == 3)
    assert run.outcome == "interrupted"
    assert run.steps == 2


def test_what_it_is_given_stays_as_it_is():
    def spoils(x):
        x[:] = 7
        return 1.0

    start = START.copy()
    run = sg.minimize_callable(spoils, lambda x: 0 * x, start)
    assert np.array_equal(start, START)
    assert np.array_equal(run.x, START)


def test_numerics_take_a_kernel_and_functions_alike():
    names = [name for name in dir(Functions) if not name.startswith("_") and name != "locate"]
    kernel, own = sg.Objective(TEXT, params={"x": 3}, tier="python").kernel(), Functions(fun, jac, hess, None, 3)
    assert isinstance(kernel, Kernel)
    for name in names:
        assert hasattr(kernel, name)
    assert kernel.names == own.names
    assert kernel.shapes == own.shapes
    assert kernel.value(START) == pytest.approx(own.value(START))
    np.testing.assert_allclose(kernel.slope(START)[1], own.slope(START)[1], rtol=1e-12)
    np.testing.assert_allclose(kernel.hessian(START), own.hessian(START), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(kernel.product(START, START), own.product(START, START), rtol=1e-10)
    np.testing.assert_allclose(kernel.split(START)["x"], own.split(START)["x"])
    with pytest.raises(UsageError, match="an update rule needs a formula"):
        own.loop({}, "python")


def failing(x):
    raise ZeroDivisionError("made for a test")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3, jac, START), "fun=3 must be a function of the point$"),
        ((fun, None, START), "jac=None must be a function of the point, or True if fun returns both"),
        ((fun, jac, START, "h"), "hess='h' must be a function"),
        ((fun, jac, "here"), "x0 must hold numbers"),
        ((fun, jac, 1.0), r"x0 must be a vector of finite numbers; got an array of shape \(\)"),
        ((fun, jac, []), r"x0 must be a vector of finite numbers; got an array of shape \(0,\)"),
        ((fun, jac, [1.0, math.nan]), r"x0 must be a vector of finite numbers; got \[1.0, nan\]"),
        ((failing, jac, START), r"fun raised ZeroDivisionError at x=\[-1.2, 1.0, 0.7\]: made for a test"),
        ((fun, failing, START), "jac raised ZeroDivisionError"),
        ((jac, jac, START), r"fun must return one number; got one of shape \(3,\)"),
        ((lambda x: "a", jac, START), "fun must return one number; what it returned must hold numbers"),
        ((lambda x: 1j, jac, START), "fun must return one number; what it returned must hold numbers; got 1j"),
        ((fun, lambda x: x[:2], START), r"jac must return an array of shape \(3,\); got one of shape \(2,\)"),
        ((fun, jac, START, lambda x: x), r"hess must return an array of shape \(3, 3\); got one of shape \(3,\)"),
        ((fun, jac, START, None, lambda x, v: 1.0), r"hessp must return an array of shape \(3,\); got one of shape"),
        ((fun, True, START), "with jac=True it must return value and gradient"),
        ((fun, jac, START, None, None, "newton"), "method='newton' needs second derivatives: give hess= or hessp="),
        ((fun, jac, START, None, None, "bfsg"), "did you mean 'bfgs'"),
        ((fun, jac, START, None, None, "adam"), "method='adam' is none for functions without a formula; take one of"),
        ((fun, jac, START, None, None, 7), "method=7 is none"),
    ],
)
def test_misuse_is_told(arguments, message):
    with pytest.raises(UsageError, match=message):
        sg.minimize_callable(*arguments)


def test_options_are_checked():
    with pytest.raises(UsageError, match="stepz"):
        sg.minimize_callable(fun, jac, START, stepz=3)
    with pytest.raises(UsageError, match="steps=0 must be a whole number"):
        sg.minimize_callable(fun, jac, START, steps=0)
    with pytest.raises(UsageError, match=r"lr=0\.1 is for update rules"):
        sg.minimize_callable(fun, jac, START, lr=0.1)
