"""Findings: those that a teacher would give, with the right numbers, and none on healthy runs."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symgd as sg

RUNS = json.loads((Path(__file__).parents[1] / "known" / "tutorial_runs.json").read_text())
PARABOLA = "x**2 - 4*x + 5"
BOWL = "(5*x**2 + y**2)/2"


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def codes(run):
    return [finding.code for finding in run.diagnosis]


def parabola(lr, steps=10):
    return sg.Objective(PARABOLA).minimize({"x": -1}, lr=lr, steps=steps)


# ---- what a teacher would say --------------------------------------------------------------------------------------


def test_a_learning_rate_over_the_limit():
    (finding,) = parabola(1.01).diagnosis
    assert finding.code == "diverged"
    assert "lr=1.01 is over the limit 2/lambda_max = 1 at x = 2" in finding.message
    assert finding.evidence == pytest.approx({"lr": 1.01, "limit": 1.0, "lambda_max": 2.0})
    assert "below lr=1. Take lr=0.5: 10 steps end at 1 " in finding.remedy
    assert finding.change == {"lr": 0.5}


def test_flipping_between_two_points():
    (finding,) = parabola(1.0).diagnosis
    assert finding.code == "flips"
    assert "between x = 5 and x = -1 without progress" in finding.message
    assert finding.evidence["limit"] == pytest.approx(1.0)


def test_a_learning_rate_that_is_too_small():
    (finding,) = parabola(0.02).diagnosis
    assert finding.code == "crawling"
    assert finding.evidence["rate"] == pytest.approx(0.96)
    # |g| is 6*0.96**10 after the ten steps.
    assert finding.evidence["remaining"] == pytest.approx(np.log(1e-8 / (6 * 0.96**10)) / np.log(0.96))
    assert "lr=0.5: 10 steps end at 1 " in finding.remedy


def test_overshooting():
    (finding,) = parabola(0.8).diagnosis
    assert finding.code == "zigzag"
    assert finding.evidence["factor"] == pytest.approx(-0.6)


@pytest.mark.parametrize("lr", [0.2, 0.5])
def test_nothing_to_say_of_good_learning_rates(lr):
    assert codes(parabola(lr)) == []


def test_a_zigzag_names_both_curvatures():
    run = sg.Objective("0.2*x1**2 + x2**2").minimize({"x1": 9, "x2": -3}, lr=0.8, steps=100)
    (finding,) = run.diagnosis
    assert finding.code == "zigzag"
    assert "along x2, where the curvature is 2" in finding.message
    assert "along x1, where it is 0.4" in finding.message
    assert run.measured_rate == pytest.approx(0.68, rel=1e-3)
    assert run.predicted_rate == pytest.approx(0.68)


@pytest.mark.parametrize(
    ("lr", "found"), [(0.02, ["crawling"]), (0.1, []), (0.36, ["zigzag"]), (0.4, ["flips"]), (0.45, ["diverged"])]
)
def test_learning_rates_compared(lr, found):
    run = sg.Objective(BOWL).minimize({"x": 9, "y": 9}, lr=lr, steps=40)
    assert codes(run) == found
    if found == ["diverged"]:
        assert run.diagnosis[0].evidence["limit"] == pytest.approx(0.4)


def test_maximizing_is_told_in_its_own_words():
    run = sg.Objective("4*x - x**2").maximize({"x": -1}, lr=1.01, steps=10)
    (finding,) = run.diagnosis
    assert finding.code == "diverged"
    assert "at x = 2" in finding.message


# ---- where runs end ------------------------------------------------------------------------------------------------


def test_a_saddle_with_its_way_out():
    run = sg.Objective("x**2 - y**2 + y**4").minimize({"x": 1, "y": 0}, lr=0.1)
    (finding,) = run.diagnosis
    assert finding.code == "saddle"
    assert finding.evidence == {"curvature": -2.0, "direction": "y"}
    assert "newton" in finding.remedy


def test_a_worse_local_minimum():
    run = sg.Objective("(x**2 - 1)**2 + x/4").minimize({"x": 1.5}, lr=0.02)
    assert codes(run) == ["local_minimum"]
    better = sg.Objective("(x**2 - 1)**2 + x/4").minimize({"x": -1.5})
    assert run.diagnosis[0].evidence["better"] == pytest.approx(better.value)


def test_equally_good_minima_are_no_finding():
    assert codes(sg.Objective("(x**2 - 1)**2").minimize({"x": 1.5}, lr=0.05)) == []


def test_a_plateau():
    run = sg.Objective("tanh(x - 3)**2").minimize({"x": 25}, lr=0.1)
    assert codes(run) == ["saturated"]
    assert run.diagnosis[0].change["start"] == {"x": 7.5}


def test_parameters_that_are_not_told_apart():
    run = sg.Objective("(a + b - 1)**2").minimize({"a": 0, "b": 0}, lr=0.1)
    assert codes(run) == ["flat"]
    assert "a + b" in run.diagnosis[0].message


def test_an_objective_without_a_bound():
    assert codes(sg.Objective("x").minimize({"x": 0}, lr=0.1, steps=100)) == ["unbounded"]
    assert codes(sg.Objective("-x**2").minimize({"x": 1}, lr=0.1)) == ["unbounded"]


def test_a_kink():
    run = sg.Objective("abs(x) - 2*x + x**2/100").minimize({"x": -4}, lr=1.0, steps=2)
    assert run.kind == "kink" or not run.ok
    lowest = sg.Objective("abs(x)").minimize({"x": 1}, lr=0.25, steps=4)
    assert (lowest.kind, lowest.ok, codes(lowest)) == ("kink_minimum", True, [])


def test_leaving_the_domain_names_the_subexpression_and_the_row():
    x = np.array([1.0, 2.0, 0.5])
    run = sg.Objective("mean(log(w - x))", data={"x": x}).minimize({"w": 3.0}, lr=2.0, steps=5)
    assert run.outcome == "left_domain"
    (finding,) = run.diagnosis
    assert finding.code == "left_domain"
    assert "log(w - x) is nan in row 1" in finding.message
    assert "before that it stood at w = 3" in finding.message


def test_badly_scaled_features(rng):
    x = rng.standard_normal((200, 3)) * [1.0, 100.0, 1e4]
    y = x @ [1.0, 2.0, 3.0] + rng.standard_normal(200)
    run = sg.Objective("mean((y - X @ w)**2)", data={"X": x, "y": y}).minimize({"w": np.zeros(3)}, lr=1e-9, steps=1000)
    assert "scaling" in codes(run)
    finding = run.diagnosis[codes(run).index("scaling")]
    assert finding.evidence["condition"] > 1e6
    assert finding.evidence["scaled_condition"] < 10
    assert "Standardise" in finding.remedy


def test_the_noise_floor_of_batches(rng):
    x = rng.standard_normal((200, 3))
    y = x @ [1.0, 2.0, 3.0] + rng.standard_normal(200)
    f = sg.Objective("mean((y - X @ w)**2)", data={"X": x, "y": y})
    noisy = f.minimize({"w": np.zeros(3)}, lr=0.1, batch=10, epochs=40)
    (finding,) = noisy.diagnosis
    assert finding.code == "noise_floor"
    lowest = f.minimize({"w": np.zeros(3)}).value
    assert finding.evidence["lowest"] == pytest.approx(lowest, rel=1e-9)
    late = noisy.history.value[len(noisy.history) // 2 :]
    assert finding.evidence["floor"] == pytest.approx(np.median(late - lowest), rel=1e-6)


def cubic(index):
    known = RUNS["cubic"]
    run = known["runs"][index]
    f = sg.Objective(known["formula"], data={k: np.array(v) for k, v in known["data"].items()})
    return f.minimize(run["start"], lr=run["lr"], steps=run["steps"])


def test_instability_along_the_way():
    run = cubic(1)
    (finding,) = run.diagnosis
    assert finding.code == "unstable"
    assert finding.evidence["rises"] == np.count_nonzero(np.diff(run.history.value) > 0) >= 2
    assert finding.evidence["lr"] > finding.evidence["limit"] == pytest.approx(2 / finding.evidence["lambda_max"])


def test_creeping_into_the_worse_minimum():
    (finding,) = cubic(2).diagnosis
    assert finding.code == "local_minimum"
    assert finding.evidence["value"] == pytest.approx(8.778, abs=1e-3)
    assert "at w = 10" in finding.message


# ---- how it is told ------------------------------------------------------------------------------------------------


def test_findings_are_plain_data_and_are_shown():
    run = parabola(1.01)
    (plain,) = run.to_dict()["diagnosis"]
    assert set(plain) == {"code", "message", "remedy", "evidence", "change"}
    json.dumps(run.to_dict())
    assert "diverged: The run diverged" in run.summary()
    assert "The run diverged" in run._repr_html_()
    assert "1.02 a step, measured; 1.02, predicted" in run.summary()


# ---- healthy runs --------------------------------------------------------------------------------------------------


@st.composite
def quadratics(draw):
    n = draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    condition = 10.0 ** draw(st.floats(0, 2))
    values = np.sort(rng.uniform(1.0, condition, n))
    q, _ = np.linalg.qr(rng.standard_normal((n, n)))
    a = (q * values) @ q.T
    return (a + a.T) / 2, rng.standard_normal(n), rng.standard_normal(n) * 3, float(values[-1])


@settings(max_examples=60, deadline=None)
@given(
    problem=quadratics(), method=st.sampled_from(["gd", "momentum", "nesterov", "auto", "lbfgs", "cg", "exact", "bb"])
)
def test_healthy_runs_have_no_findings(problem, method):
    a, b, start, largest = problem
    f = sg.Objective("x @ A @ x/2 - b @ x", data={"A": a, "b": b}, params={"x": len(b)}, tier="python")
    more = (
        {"lr": 1 / largest} if method in ("gd", "nesterov") else {"lr": 0.5 / largest} if method == "momentum" else {}
    )
    run = f.minimize({"x": start}, method=method, **more)
    assert run.ok
    assert codes(run) == []
    if method in ("gd", "momentum", "nesterov") and run.steps > 60:
        assert run.measured_rate == pytest.approx(run.predicted_rate, abs=0.05)
