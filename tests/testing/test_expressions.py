"""Formulas and rules that strategies draw, and what `symgd.testing` loads."""

import subprocess
import sys
from random import Random

import numpy as np
import pytest
from hypothesis import find, given, settings

import symgd as sg
from symgd.errors import UsageError
from symgd.insight.theory import obstacle
from symgd.testing import formulas, rules

FEW = settings(max_examples=max(40, settings().max_examples // 2))
HOW = settings(max_examples=100, database=None, deadline=None)


@FEW
@given(f=formulas())
def test_formulas_have_the_value_of_numpy_and_a_gradient_at_their_point(f):
    assert isinstance(f, sg.Objective)
    plain = f.plain("python")
    # Sums in another order, and powers by another routine, of numbers up to 1e6 that may cancel.
    assert plain.value(f.point) == pytest.approx(f.expected, rel=1e-9, abs=1e-9)
    assert all(np.isfinite(g).all() for g in plain.gradient_at(f.point).values())


@FEW
@given(f=formulas())
def test_formulas_are_printed_to_be_pasted(f):
    again = eval(repr(f), {"Objective": sg.Objective})
    assert again.params == f.params
    assert again.value(f.point) == f.value(f.point)


def test_formulas_are_of_every_kind_and_small_where_they_may_be():
    def smallest(kind, condition):
        return find(formulas([kind]), condition, settings=HOW, random=Random(0))

    assert repr(smallest("numbers", lambda f: True)) == "Objective('x')"
    assert smallest("rows", lambda f: "sum" in f.written).written == "sum(u) + x"
    assert "X @ w" in smallest("arrays", lambda f: "X @ w" in f.written).written


def test_kinds_and_sizes_that_do_not_exist_are_refused():
    with pytest.raises(UsageError, match="kinds='number' must be some of numbers, rows, arrays"):
        formulas("number")
    with pytest.raises(UsageError, match="size=0 must be a whole number from 1 to 100"):
        formulas(size=0)


@FEW
@given(rule=rules())
def test_rules_run(rule):
    run = sg.Objective("(2*a**2 + b**2)/2", tier="python").minimize(start=[1.0, -1.0], method=rule, lr=0.01, steps=5)
    assert len(run.history.point) == 6
    assert (
        eval(repr(rule), {"Rule": lambda text, **hyper: sg.Rule(text, dict(rule.init), **hyper)}) == rule or rule.name
    )


@FEW
@given(rule=rules(linear=True))
def test_linear_rules_have_a_theory(rule):
    assert not obstacle(rule)
    assert rule.theory(largest=1.0).stable_lr > 0


@FEW
@given(rule=rules(linear=False))
def test_others_have_none(rule):
    assert obstacle(rule)


def alone(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_hypothesis_is_loaded_by_what_draws_alone():
    code = "import sys, symgd.testing as t; t.quadratic([1]); t.LAWS; print('hypothesis' in sys.modules)"
    assert alone(code).stdout == "False\n"


def test_without_hypothesis_the_message_says_what_to_install():
    code = "import sys; sys.modules['hypothesis'] = None\nimport symgd.testing as t\n"
    for use in ("t.convex_quadratics", "t.formulas", "from symgd.testing.laws import check"):
        run = alone(code + use)
        if use.startswith("t."):
            assert f"ImportError: symgd.testing.{use[2:]} needs Hypothesis: pip install 'symgd[testing]'" in run.stderr
        else:
            assert run.returncode == 0
