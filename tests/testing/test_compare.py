"""Comparisons of methods: where attempts end is judged by what is known, and never by what they say."""

import json
import math
import os
import signal
import threading

import numpy as np
import pytest
from scipy.optimize import OptimizeResult, minimize

import symgd as sg
from symgd.testing import Problem, compare, problems
from symgd.testing.compare_result import Attempt, Comparison, Place
from symgd.testing.compare_runs import stationary


def attempt(method, problem, place=Place.LOWEST, evaluations=10, claimed=True):
    return Attempt(method, problem, 1.0, place, claimed, 0.0, (0.0,), evaluations, 0.1, "")


# ---- who may take part -----------------------------------------------------------------------------------------------


def test_ours_and_scipys_and_a_rule_and_options():
    rule = sg.Rule("v = beta*v - lr*g; x = x + v", beta=0.9)
    methods = {"best": "auto", "momentum": {"method": rule, "lr": 0.01}, "theirs": "scipy:BFGS"}
    found = compare(methods, ["booth", "himmelblau"])
    assert found.methods == ("best", "momentum", "theirs")
    assert [row.solved for row in found.rows] == [2, 2, 2]
    assert [row.false for row in found.rows] == [0, 0, 0]


@pytest.mark.parametrize(
    "name",
    ["CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP", "Newton-CG", "dogleg", "trust-ncg", "trust-krylov", "trust-exact",
     "trust-constr", "Nelder-Mead", "Powell", "COBYLA", "least_squares", "least_squares-dogbox", "least_squares-lm"],
)  # fmt: skip
def test_every_method_of_scipys(name):
    found = compare([f"scipy:{name}"], "hs_201", evaluations=2000)
    (row,) = found.rows
    assert row.solved == row.attempts == 1, found.attempts


def test_a_function_of_your_own():
    asked = {}

    def mine(fun, x0, jac, hessp):
        asked["hessp"] = hessp(x0, np.ones(len(x0)))
        return minimize(fun, x0, jac=jac, method="CG").x  # the point alone will do

    found = compare(mine, "beale")
    assert found.methods == ("mine",)
    assert found.attempts[0].place == Place.LOWEST
    f = problems["beale"].objective()
    np.testing.assert_allclose(asked["hessp"], f.hess([1, 1]) @ np.ones(2))


def test_what_a_function_raises_is_a_failure_of_its_own():
    def broken(fun, x0):
        fun(x0)
        raise ZeroDivisionError("nobody expects it")

    found = compare({"broken": broken, "auto": "auto"}, "booth")
    first, second = found.attempts
    assert not first.solved
    assert first.message == "ZeroDivisionError: nobody expects it"
    assert second.solved


@pytest.mark.parametrize(
    ("methods", "match"),
    [
        (["scipy:BFSG"], "'scipy:BFSG' is no method of SciPy's that compare knows; did you mean 'BFGS'"),
        (["newtn"], "newtn"),
        ([{"method": "newton", "tempo": 3}], "tempo"),
        ([], "methods is empty"),
        ([7], "7 is no method"),
        (7, "methods=7 must be a list"),
        (["auto", "auto"], "two methods have the name 'auto'"),
    ],
)
def test_what_is_no_method_is_told_before_any_work(methods, match):
    with pytest.raises(sg.UsageError, match=match):
        compare(methods, "booth")


def test_what_is_no_problem():
    with pytest.raises(sg.UsageError, match="no problem 'boooth'; did you mean 'booth'"):
        compare("auto", "boooth")
    with pytest.raises(sg.UsageError, match="no problems to compare on"):
        compare("auto", [])
    with pytest.raises(sg.UsageError, match="two problems have the name 'booth'"):
        compare("auto", ["booth", "booth"])
    with pytest.raises(sg.UsageError, match="problems=3 must be problems"):
        compare("auto", 3)
    with pytest.raises(sg.UsageError, match=r"factors=.* must be numbers other than 0"):
        compare("auto", "booth", factors=(0,))


# ---- judging ---------------------------------------------------------------------------------------------------------


def liar(fun, x0):
    """Says that the start is a minimum."""
    fun(x0)
    return OptimizeResult(x=x0, success=True, message="all is well")


def modest(fun, x0, jac):
    """Gets there, and says that it did not."""
    return OptimizeResult(x=minimize(fun, x0, jac=jac, method="BFGS").x, success=False, message="who knows")


def test_false_success_and_silence():
    found = compare([liar, modest], ["beale", "booth"])
    assert [(row.solved, row.false, row.silent) for row in found.rows] == [(0, 2, 0), (2, 0, 2)]
    assert {a.problem for a in found.false_successes} == {"beale", "booth"}


def test_another_minimum_is_told_from_the_lowest():
    problem = problems["freudenstein_roth"]
    ends = iter([problem.flat(m) for m in problem.minimizers])
    found = compare({"one": lambda fun, x0: next(ends), "other": lambda fun, x0: next(ends)}, problem)
    assert [a.place for a in found.attempts] == [Place.LOWEST, Place.MINIMUM]


def test_a_minimum_that_nobody_listed_is_one_by_its_derivatives():
    wavy = Problem("wavy", "x**2/100 + 1 - cos(x)", {"x": 3.0}, "a test", ("zero", "several"), known=((0.0, [0.0]),))
    f = wavy.objective()
    there = f.minimize({"x": 6.0}, method="newton").x
    assert stationary(f, there)
    assert not stationary(f, np.array([np.pi]))  # near a maximum
    assert not stationary(f, there + 0.1)
    (found,) = compare({"there": lambda fun, x0: there}, wavy).attempts
    assert found.place == Place.MINIMUM


@pytest.mark.parametrize(
    ("formula", "x"), [("exp(-x)", 30.0), ("x**4", 0.0), ("-x**2", 0.0), ("x**3", 0.0), ("sqrt(x)", 0.0), ("0*x", 1.0)]
)
def test_tails_saddles_and_singular_points_are_not_shown_to_be_minima(formula, x):
    assert not stationary(sg.Objective(formula), np.array([x]))


def test_starts_outside_of_the_domain_are_left_out():
    assert len(compare("auto", "paviani", factors=(1, 10))) == 1


# ---- bounds ----------------------------------------------------------------------------------------------------------


def test_budget_of_evaluations():
    def endless(fun, x0):
        best = x0
        for k in range(10**9):
            best = x0 + 1e-9 * k
            fun(best)

    (found,) = compare(endless, "rosenbrock", evaluations=37).attempts
    assert found.evaluations == 37
    assert not found.claimed
    assert found.message == "the budget is spent"
    f = problems["rosenbrock"].objective()
    assert f.fun(found.point) == found.value  # the best point that was seen


def test_what_took_more_than_its_budget_does_not_count():
    (found,) = compare("wolfe", "rosenbrock", evaluations=30).attempts
    assert not found.solved
    assert not found.claimed
    assert found.message.startswith(("the budget is spent", "max_steps"))
    (found,) = compare("wolfe", "booth", evaluations=3).attempts
    assert not found.solved


def test_budget_of_seconds():
    def slow(fun, x0):
        for k in range(10**9):
            fun(x0 + 1e-9 * k)

    (found,) = compare(slow, "rosenbrock", seconds=0.2, evaluations=10**9).attempts
    assert found.seconds < 20
    assert not found.solved


def test_a_point_is_counted_once_for_value_and_gradient():
    def asks(fun, x0, jac, hess):
        fun(x0)
        jac(x0)
        hess(x0)
        fun(x0 + 1)
        jac(x0 + 1)
        return x0

    (found,) = compare(asks, "booth").attempts
    assert found.evaluations == 2


def test_interrupting_keeps_what_was_done():
    def presses(fun, x0):
        if len(x0) == 3:  # the second problem
            os.kill(os.getpid(), signal.SIGINT)
            while True:
                fun(x0 + np.random.default_rng().normal(size=3))
        return minimize(fun, x0).x

    assert threading.current_thread() is threading.main_thread()
    found = compare(presses, ["booth", "hs_240", "beale"], seconds=60, evaluations=10**8)
    assert not found.complete
    assert [a.problem for a in found.attempts] == ["booth"]
    assert "interrupted" in repr(found)


# ---- what is told ----------------------------------------------------------------------------------------------------


def test_ratios_and_profile_are_those_of_dolan_and_more():
    # Two methods, four problems: (10, 20), (30, 10), (10, -), (-, -).
    spent = {"p": (10, 20), "q": (30, 10), "r": (10, None), "s": (None, None)}
    rows = []
    for problem, pair in spent.items():
        for method, work in zip("ab", pair, strict=True):
            place = Place.LOWEST if work else Place.NOWHERE
            rows.append(attempt(method, problem, place, work or 99, claimed=bool(work)))
    found = Comparison(tuple(rows), ("a", "b"))
    ratios = found.ratios()
    np.testing.assert_array_equal(ratios["a"], [1, 3, 1, math.inf])
    np.testing.assert_array_equal(ratios["b"], [2, 1, math.inf, math.inf])
    factors, shares = found.profile()["a"]
    np.testing.assert_array_equal(factors, [1, 3])
    np.testing.assert_array_equal(shares, [0.5, 0.75])
    factors, shares = found.profile()["b"]
    np.testing.assert_array_equal(factors, [1, 2])
    np.testing.assert_array_equal(shares, [0.25, 0.5])
    assert [row.evaluations for row in found.rows] == [20, 15]  # over p and q, which both solved
    with pytest.raises(sg.UsageError, match="measure='energy' must be one of evaluations, seconds"):
        found.profile("energy")


def test_table_as_text_html_json_and_frame():
    found = compare(["newton", "bfgs"], ["beale", "booth"])
    lines = repr(found).splitlines()
    assert lines[0] == "2 methods on 2 problems and starts"
    assert lines[1].split() == ["method", "solved", "lowest", "false", "silent", "evaluations", "seconds"]
    assert lines[2].split()[:6] == ["newton", "2", "of", "2", "2", "0"]
    assert found._repr_html_().count("<tr>") == 3
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["complete"] is True
    assert [row["method"] for row in told["methods"]] == ["newton", "bfgs"]
    assert len(told["attempts"]) == 4
    frame = found.to_frame()
    assert frame.shape[0] == 4
    assert set(frame["place"]) == {"lowest"}


def test_picture():
    found = compare(["newton", "bfgs"], ["beale", "booth"])
    ax = found.plot()
    assert [line.get_label() for line in ax.lines] == ["newton", "bfgs"]
    for line, (factors, shares) in zip(ax.lines, found.profile().values(), strict=True):
        x, y = line.get_xdata(), line.get_ydata()
        np.testing.assert_array_equal(x[1:-1], factors)
        np.testing.assert_array_equal(y[1:-1], shares)
    assert found.plot(ax=ax) is ax


def test_nothing_solved_can_be_drawn_and_told():
    found = compare(liar, "beale")
    assert math.isnan(found.rows[0].evaluations)
    assert "-" in repr(found)
    found.plot()
    json.dumps(found.to_dict(), allow_nan=False)
