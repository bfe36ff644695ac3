"""Verdicts: data that sentences are made from, and nothing reads back."""

import json

import numpy as np
import pytest

from symgd import Objective
from symgd.verdict import Kind, Reason, Verdict

VERDICT = Verdict(Kind.DEGENERATE, Reason.FALLS, (0.0,), "x - y", np.array([1.0, -1.0]))


@pytest.mark.parametrize("name", ["u", "flat", "falls", "saddle", "lowest", "along"])
def test_names_decide_nothing(name):
    """x**3 has no minimum at 0, and a plane of minima is one, whatever the parameters are called."""
    many = Objective(f"{name}**3").minimize_many(box={name: (-1, 1)}, n=16, lr=0.1, steps=50, seed=0)
    assert not any(abs(m.point[name]) < 0.1 for m in (*many.minima, *many.outside))
    run = Objective(f"({name} + b - 1)**2").minimize({name: 3, "b": 1}, lr=0.1, steps=300)
    plain = Objective("(u + b - 1)**2").minimize({"u": 3, "b": 1}, lr=0.1, steps=300)
    assert [f.code for f in run.diagnosis] == [f.code for f in plain.diagnosis]
    assert run.verdict.reason == plain.verdict.reason


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_clause(reason):
    for sign in (1.0, -1.0):
        verdict = Verdict(Kind.MINIMUM, reason, (1.0, 2.0, 3.0), "x", sign=sign)
        assert "{" not in verdict.message
        json.dumps(verdict.to_dict())


def test_a_maximum_is_told_in_its_own_words():
    turned = VERDICT.turned()
    assert VERDICT.message == "the curvature is 0 but the value falls along x - y"
    assert turned.message == "the curvature is 0 but the value rises along x - y"
    assert turned.turned().message == VERDICT.message
    assert Verdict(Kind.MINIMUM, Reason.POSITIVE).turned().kind == Kind.MAXIMUM
    low = Verdict(Kind.SADDLE, Reason.BENT, (-2.0,), "x").turned()
    assert (low.kind, low.message) == (Kind.SADDLE, "the curvature is 2 along x")


def test_what_may_be_a_minimum():
    assert Verdict(Kind.DEGENERATE, Reason.FLAT, (0.0,), "x").low
    assert VERDICT.spread().reason == Reason.FALLS
    assert not VERDICT.spread().low
    assert Verdict(Kind.MINIMUM, Reason.HOLDS).spread().low
    assert not VERDICT.low
    assert "told as one" in Verdict(Kind.DEGENERATE, Reason.FLAT, (0.0,), "x").spread().message


def test_a_run_that_maximizes_says_what_it_found():
    run = Objective("y**2 - x**2").maximize({"x": 0.0, "y": 0.0}, lr=0.1)
    assert run.kind == "saddle"
    assert "the curvature is positive along y" in run.message
