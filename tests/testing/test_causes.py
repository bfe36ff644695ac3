"""Rules are recognised by where they go, and their neighbours by the slip; what is written down is read back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import symgd as sg
from symgd.rules import RULES, find_rule
from symgd.testing.adapters import adapt
from symgd.testing.adapters.base import DOUBLE
from symgd.testing.causes.catalogue import forms
from symgd.testing.causes.edits import Slip
from symgd.testing.causes.fit import AGREES, fit, is_share
from symgd.testing.causes.identify import identify
from symgd.testing.causes.neighbours import neighbours
from symgd.testing.causes.probe import START, gradients
from symgd.testing.causes.recurrence import Observed, of_rule, read
from symgd.testing.causes.write import statements

PLAIN = [name for name, row in RULES.items() if "normal()" not in row.text]
SLOPES = gradients()


def observed(rule, hyper):
    blank = Observed(np.broadcast_to(START, (len(SLOPES) + 1, len(START))), SLOPES, np.ones(len(SLOPES)))
    points = rule(blank, hyper)[:, 0]
    return Observed(np.vstack([START[None], points]), SLOPES, blank.values)


@pytest.mark.parametrize("name", PLAIN)
def test_the_evaluator_goes_where_the_engine_goes(name):
    f, start = sg.Objective("x1**2 + 3*x2**2", tier="python"), np.array([3.0, -1.0])
    run = f.minimize(start, method=name, lr=0.05, steps=12, gtol=0)
    trace = adapt(name).run(f, start, 12, {"lr": 0.05})
    np.testing.assert_allclose(trace.points, run.history.point.reshape(-1, 2), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", PLAIN)
def test_a_rule_that_is_written_down_is_read_back(name):
    rule = find_rule(name)
    assert read(statements(rule.steps), rule.hyper).steps == of_rule(rule).steps


@pytest.mark.parametrize("name", ["momentum", "adam", "lion", "rprop"])
def test_so_is_what_a_slip_makes_of_it(name):
    rule = find_rule(name)
    for neighbour in neighbours(of_rule(rule)):
        again = read(statements(neighbour.rule.steps), rule.hyper)
        a, b = (r.edited(r.steps, init=neighbour.rule.init) for r in (again, neighbour.rule))
        if neighbour.rule.precision == "double":
            hyper = {"lr": 0.01, **rule.hyper}
            np.testing.assert_array_equal(observed(a, hyper).points, observed(b, hyper).points)


@pytest.mark.parametrize("name", PLAIN)
def test_lanes_side_by_side_are_single_runs(name):
    rule = of_rule(find_rule(name))
    lrs = np.array([[0.01], [0.1], [0.3]])
    blank = Observed(np.broadcast_to(START, (len(SLOPES) + 1, len(START))), SLOPES, np.ones(len(SLOPES)))
    together = rule(blank, {**rule.hyper, "lr": lrs})
    for k, lr in enumerate(lrs[:, 0]):
        np.testing.assert_array_equal(together[:, k], rule(blank, {**rule.hyper, "lr": lr})[:, 0])


@given(lr=st.floats(1e-3, 1), beta=st.floats(0.3, 0.99), name=st.sampled_from(["momentum", "nesterov", "rmsprop"]))
def test_hidden_numbers_are_found(lr, beta, name):
    rule = of_rule(find_rule(name))
    found = fit(rule, observed(rule, {**rule.hyper, "lr": lr, "beta": beta}), {}, DOUBLE)
    assert found.error <= AGREES
    assert found.hyper["lr"] == pytest.approx(lr, rel=1e-6)
    assert found.hyper["beta"] == pytest.approx(beta, rel=1e-6)


@pytest.mark.parametrize("form", forms(), ids=lambda f: f"{f.method}: {f.source[:30]}")
def test_a_published_form_is_found_though_its_numbers_are_hidden(form):
    rule = form.recurrence()
    found = fit(rule, observed(rule, {**form.hyper, "lr": 0.03}), {}, DOUBLE)
    apart = "- decay*x" in form.text  # decay apart from lr: the table's form agrees with it, with another decay
    if not apart and (any(is_share(k) for k in form.hyper) or not form.hyper):
        assert found.error <= AGREES


def as_step(rule, hyper):
    """A rule as somebody's function, its numbers out of sight."""

    def step(x, g, state):
        state["t"] = state.get("t", 0) + 1
        env = state.setdefault("env", {**hyper, "f": 1.0, **{s: np.zeros_like(x) for s in rule.states}})
        env.update(x=x, g=g, t=float(state["t"]))
        return rule.take(env, first=state["t"] == 1), state

    return step


SLIPS = {Slip.SIGN, Slip.BIAS, Slip.COUNT, Slip.STALE, Slip.FACTOR, Slip.TWICE, Slip.FUNCTION}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["momentum", "adam", "rmsprop"])
def test_a_neighbour_is_recognised_as_one(name):
    rule = of_rule(find_rule(name))
    like = [f for f in forms() if f.method == name]
    hyper = {"lr": 0.02, **rule.hyper}
    looked = missed = 0
    for neighbour in neighbours(rule):
        seen = observed(neighbour.rule, hyper)
        bland = not np.isfinite(seen.points).all() or np.abs(seen.points).max() > 1e100
        if neighbour.slip not in SLIPS or bland:
            continue
        found = identify(adapt(as_step(neighbour.rule, hyper), name="mine"), like)
        if found.agrees:  # with other numbers it is the rule itself: lr twice, where lr is out of sight
            continue
        looked += 1
        missed += found.slip is None
    assert looked >= 10
    assert missed <= 0.1 * looked
