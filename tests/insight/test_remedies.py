"""Remedies are true: taken literally, they end better than the run that they are given for."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import symgd as sg
from benchmarks import remedies
from symgd.insight.findings import CODES
from symgd.insight.trials import Trials, typed

pytestmark = pytest.mark.filterwarnings("ignore")


def codes(run):
    return [finding.code for finding in run.diagnosis]


def taken(cases):
    lines = []
    return remedies.look(cases, lines.append), lines


def test_remedies_done_literally_end_better():
    found, lines = taken(list(remedies.unhealthy())[::16])
    assert found["remedies"] >= 10
    assert not found["worse"], lines
    assert found["silent"] == 0, lines


def test_healthy_runs_have_no_finding():
    lines = []
    assert not remedies.false_alarms(list(itertools.islice(remedies.healthy(), 0, 120, 6)), lines.append), lines


@pytest.mark.slow
def test_all_remedies_and_all_healthy_runs():
    found, lines = taken(list(remedies.unhealthy()))
    assert found["runs"] >= 200
    assert not found["worse"], lines
    assert found["silent"] <= 0.02 * found["runs"], lines
    assert not remedies.false_alarms(list(itertools.islice(remedies.healthy(), 500)), lines.append), lines


@given(st.floats(1e-300, 1e300), st.integers(2, 8))
def test_numbers_typed_back_are_not_larger(value, digits):
    told = float(typed(value, digits))
    assert told <= value
    assert told >= value * (1 - 2.5 * 10.0 ** (1 - digits))


def test_every_code_is_told_in_the_documentation():
    sources = (Path(sg.__file__).parent / "insight").glob("*.py")
    text = "\n".join(path.read_text() for path in sources)
    used = set(re.findall(r'Finding\(\s*"([a-z_]+)"', text)) | {"maximum", "separable", "tail", "saddle"}
    assert used == set(CODES)


# ---- single findings -----------------------------------------------------------------------------------------------


def test_nothing_with_a_bound_is_called_unbounded():
    for text in ("(x + y - 1)**2", "abs(x - 3) + y**2", "softplus(x) + softplus(-x) + y**2", "logcosh(x) + y**2"):
        for lr in (5.0, 50.0):
            run = sg.Objective(text, tier="python").minimize({"x": 3, "y": 1}, lr=lr, steps=60)
            assert "unbounded" not in codes(run)


def test_the_limit_is_that_of_the_place_where_the_run_began_to_rise():
    run = sg.Objective("(x - 1)**4", tier="python").minimize({"x": 3}, lr=1, steps=50)
    (finding,) = run.diagnosis
    assert finding.evidence["limit"] == pytest.approx(2 / 48)
    again = sg.Objective("(x - 1)**4", tier="python").minimize({"x": 3}, steps=50, **finding.change)
    assert again.value < 0.01


def test_a_batch_of_a_sum_has_its_own_limit():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(1000)
    f = sg.Objective("sum((y - w*x)**2)", data={"x": x, "y": 2 * x}, tier="python")
    run = f.minimize({"w": 0}, lr=0.05, batch=100, epochs=5)
    finding = next(d for d in run.diagnosis if d.code == "diverged")
    # The curvature of 100 rows is 2*sum(x**2) over them, about 200; of all of them, 2,000.
    assert finding.evidence["limit"] == pytest.approx(0.01, rel=0.3)
    assert "of the 100 rows that a step sees" in finding.message
    assert f.minimize({"w": 0}, batch=100, epochs=5, **finding.change).value < 1e-3 * run.history.value[0]


@pytest.mark.parametrize("length", [{"epochs": 40}, {"steps": 41}])
def test_a_larger_batch_is_tried_as_it_would_run(length):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 3))
    f = sg.Objective(
        "mean((y - X @ w)**2)", data={"X": x, "y": x @ [1, 2, 3] + rng.standard_normal(200)}, tier="python"
    )
    asked = {"lr": 0.1, "batch": 10, **length}
    run = f.minimize({"w": np.zeros(3)}, **asked)
    trial = Trials(f.kernel(), run).make(batch=80)
    again = f.minimize({"w": np.zeros(3)}, **(asked | trial.change))
    assert (trial.run.steps, trial.value) == (again.steps, again.value)
    for finding in run.diagnosis:
        again = f.minimize({"w": np.zeros(3)}, **(asked | finding.change))
        assert f"{again.steps:,} steps end at {again.value:.6g} " in finding.remedy


def test_a_schedule_is_judged_by_its_first_steps():
    f = sg.Objective("x**2 + 10*y**2", tier="python")
    run = f.minimize({"x": 1, "y": 1}, lr="5/(1 + t/100)", steps=100)
    assert codes(run)[0] == "diverged"
    assert run.diagnosis[0].evidence["limit"] == pytest.approx(0.1)
    climbs = f.minimize({"x": 1, "y": 1}, lr="-0.01*t", steps=10)
    assert codes(climbs)[0] == "climbs"
    still = f.minimize({"x": 1, "y": 1}, lr="0*t", steps=10)
    assert codes(still)[0] == "climbs"
    assert "no step moves" in still.diagnosis[0].message


def test_a_schedule_that_ended_is_told():
    run = sg.Objective("(x - 3)**2", tier="python").minimize(
        {"x": 0}, lr=sg.schedule("cosine", 0.002, steps=50), steps=99
    )
    assert codes(run) == ["schedule"]
    assert run.diagnosis[0].evidence["lr"] == pytest.approx(0.002)


def test_a_longer_cycle_is_told_with_its_length():
    # From 1 to 0.4, where the gradient is 0.8, to 0.1, where it is 0.2, and back.
    rule = sg.Rule("x = where(g > 1.5, 0.4, where(g > 0.5, 0.1, 1)) + 0*x")
    run = sg.Objective("x**2", tier="python").minimize({"x": 1}, method=rule, lr=0.1, steps=40)
    assert codes(run)[0] == "flips"
    assert run.diagnosis[0].evidence["period"] == 3


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (sg.Rule("x = x - lr*g/(t - 1)"), "t - 1"),
        (sg.Rule("m = b*m + (1 - b)*g; x = x - lr*m/(1 - b**(t - 1))", b=0.9), "b**(t - 1)"),
        (sg.Rule("s = s + g; x = x - lr*g/sqrt(s - g)"), "sqrt(s - g)"),
    ],
)
def test_a_rule_that_breaks_is_at_fault_itself(rule, words):
    run = sg.Objective("(x - 1)**2", tier="python").minimize({"x": 3}, method=rule, lr=0.1, steps=20)
    assert codes(run)[0] == "rule"
    assert words in run.diagnosis[0].message


def test_a_sign_in_a_rule_is_told_apart_from_the_learning_rate():
    for rule in (sg.Rule("x = x + lr*g"), sg.Rule("v = 0.5*v + g; x = x + lr*v")):
        run = sg.Objective("x**2 + y**2", tier="python").minimize({"x": 1, "y": 2}, method=rule, lr=1e-3, steps=20)
        assert codes(run)[0] == "rule"
        assert "uphill" in run.diagnosis[0].message


def test_separable_classes_have_no_finite_minimum():
    z = np.linspace(-2, 2, 20)
    f = sg.Objective("mean(softplus(w*z) - l*w*z)", data={"z": z, "l": (z > 0) * 1.0}, tier="python")
    run = f.minimize({"w": 0}, lr=0.5, steps=200)
    assert codes(run) == ["separable"]
    assert "more steps remain" not in run.diagnosis[0].message


def test_a_lowest_value_that_was_lost_is_told_with_its_step():
    rng = np.random.default_rng(0)
    f = sg.Objective(
        "sum((X @ w - y)**2)", data={"X": rng.normal(size=(10, 30)), "y": rng.normal(size=10)}, tier="python"
    )
    run = f.minimize({"w": rng.normal(size=30)}, method="adam", lr=0.02, steps=3000)
    for finding in run.diagnosis:
        if finding.code == "lost":
            place = int(np.argmin(run.history.value))
            assert finding.evidence["step"] == run.history.step[place]
            assert finding.evidence["value"] == run.history.value[place]


def test_a_remedy_never_names_the_method_just_used():
    for method in ("newton", "bfgs", "lbfgs", "lm"):
        run = sg.Objective("(tanh(x - 3))**2", tier="python").minimize({"x": 25}, method=method, steps=5)
        for finding in run.diagnosis:
            assert f"method='{method}'" not in finding.remedy


def test_columns_with_gaps_are_named_from_the_data():
    f = sg.Objective("mean((y - a*x)**2)", data={"x": np.array([1.0, np.nan]), "y": np.ones(2)}, tier="python")
    (finding,) = f.minimize({"a": 1.0}).diagnosis
    assert finding.code == "left_domain"
    assert "where(x == x, ..., 0)" in finding.remedy
