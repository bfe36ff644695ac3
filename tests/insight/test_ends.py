"""Where runs end: the right minimum, or the right refusal to call it one; the same in any units and any order."""

import re

import numpy as np
import pytest
from ends_table import CASES

import symgd as sg

FACTORS = (1e-10, 1e10)


def settle(text, start, **more):
    return sg.Objective(text, tier="python", **more).minimize(start, seconds=30)


def is_right(run, values, kinds):
    """Tell whether a run is ok at one of the minima, or not ok; where there is none, whether it is not ok."""
    if not run.ok:
        return True
    lost = 1e-12 * abs(run.history.value[0])  # of a far start, the digits that are left
    return run.kind in kinds and any(abs(run.value - v) <= 1e-7 * max(1.0, abs(v)) + lost for v in values)


FEW = CASES[::4]


@pytest.mark.parametrize(("text", "values", "start", "kinds"), FEW)
def test_no_run_claims_what_is_no_minimum(text, values, start, kinds):
    run = settle(text, start)
    assert is_right(run, values, kinds), run


@pytest.mark.slow
def test_the_whole_table_is_right_and_solved():
    wrong, solved, there = [], 0, 0
    for text, values, start, kinds in CASES:
        run = settle(text, start)
        if not is_right(run, values, kinds):
            wrong.append((text, start, str(run)))
        there += bool(values)
        solved += bool(values) and (run.ok or run.kind == "boundary")
    assert not wrong
    assert len(CASES) >= 300
    assert solved >= there - 4  # kinks that bfgs stops at, and an edge beside a valley


# ---- units, shifts, order ------------------------------------------------------------------------------------------


def regular(count, *, few):
    """Give problems of the table, with a start each."""
    rows = [c for c in CASES if "1e" not in c[0] and "floor" not in c[0]]
    chosen = rows[:: max(1, len(rows) // count)]
    return chosen[:: 7 if few else 1]


def same(one, other):
    return (one.kind, one.ok) == (other.kind, other.ok)


@pytest.mark.parametrize("few", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_verdicts_do_not_depend_on_the_objective_s_units(few):
    other = []
    for text, _, start, _ in regular(100, few=few):
        run = settle(text, start)
        for factor in FACTORS:
            scaled = settle(f"{factor!r}*({text})", start)
            if not same(run, scaled):
                other.append((text, start, factor, str(run), str(scaled)))
    assert not other


@pytest.mark.parametrize("few", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_verdicts_do_not_depend_on_where_0_is(few):
    other = []
    for text, _, start, _ in regular(100, few=few):
        names = sg.Objective(text).params
        shifted = rewrite(text, {name: f"({name} - 3.25)" for name in names})
        run = settle(text, start)
        moved = settle(shifted, [v + 3.25 for v in start])
        if not same(run, moved):
            other.append((text, start, str(run), str(moved)))
    assert not other


@pytest.mark.parametrize("few", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_verdicts_do_not_depend_on_the_order_of_parameters(few):
    other = []
    for text, _, start, _ in regular(100, few=few):
        f = sg.Objective(text)
        if len(f.params) < 2:
            continue
        order = tuple(reversed(f.params))
        run = settle(text, dict(zip(f.params, start, strict=True)))
        turned = settle(text, dict(zip(f.params, start, strict=True)), params=order)
        if not same(run, turned):
            other.append((text, start, str(run), str(turned)))
    assert not other


def rewrite(text, names):
    """Write expressions for names."""
    return re.sub(r"[A-Za-z_]\w*", lambda found: names.get(found.group(), found.group()), text)


def test_small_data_are_no_small_task():
    x = np.linspace(0, 1, 20)
    for units in (1e-9, 1e-3, 1.0, 1e6):
        f = sg.Objective("mean((y - (a*x + b))**2)", data={"x": x, "y": units * (2 * x + 1)}, tier="python")
        run = f.minimize({"a": 0, "b": 0})
        assert run.ok
        assert run.point["a"] == pytest.approx(2 * units, rel=1e-9)
        assert run.point["b"] == pytest.approx(units, rel=1e-9)


@pytest.mark.parametrize("factor", [1e-300, 1e-150, 1e150, 1e300])
def test_values_at_the_ends_of_float64(factor):
    run = sg.Objective(f"{factor!r}*(x - 1)**2", tier="python").minimize({"x": 1.5}, method="newton")
    assert run.ok
    assert run.point["x"] == pytest.approx(1.0)


def test_rounding_ends_a_descent_whose_gradient_gets_no_smaller():
    run = sg.Objective("1e10*((x - 0.3)**2 + 3*(y + 0.7)**2)", tier="python").minimize(
        {"x": 5, "y": 4}, method="gd", lr=1.5e-11
    )
    assert run.ok
    assert run.steps < 1000
