"""The runs that public tutorials print, step by step, in both tiers."""

import json
from pathlib import Path

import numpy as np
import pytest

import symgd as sg

RUNS = json.loads((Path(__file__).parent / "known" / "tutorial_runs.json").read_text())
# The traces of float64 originals; what is left is the order of additions.
EXACT = 1e-12
pytestmark = pytest.mark.parametrize("tier", ["python", "numba"])


def cases(*names):
    found = [(name, i) for name in names for i in range(len(RUNS[name]["runs"]))]
    return pytest.mark.parametrize(("name", "index"), found, ids=[f"{n}-{i}" for n, i in found])


@cases("parabola", "bowl", "xcosx")
def test_float64_traces_agree_at_every_step(name, index, tier):
    case, run = RUNS[name], RUNS[name]["runs"][index]
    objective = sg.Objective(case["formula"], tier=tier)
    result = objective.minimize(start=run["start"], lr=run["lr"], steps=run["steps"])
    expected = np.array(run["x"]).reshape(len(run["x"]), -1)
    assert result.history.step.tolist() == list(range(run["steps"] + 1))
    # Relative to the start: the bowl's second coordinate falls to 1e-22, below the rounding of its way there.
    assert result.history.point == pytest.approx(expected, rel=EXACT, abs=EXACT * np.abs(expected).max())


@cases("cubic")
def test_float32_traces_agree_to_the_printed_decimals(name, index, tier):
    case, run = RUNS[name], RUNS[name]["runs"][index]
    objective = sg.Objective(case["formula"], data=case["data"], tier=tier)
    result = objective.minimize(start=run["start"], lr=run["lr"], steps=run["steps"])
    for row in run["trace"]:
        step = row["step"]
        # Printed to three decimals; the original's own float32 rounding is of the same size.
        assert result.history["w"][step] == pytest.approx(row["w_after"], abs=1.5e-3)
        assert result.history.value[step - 1] == pytest.approx(row["loss_before"], abs=1.5e-3)


def test_columns_of_a_linear_regression_stop_where_the_original_stopped(tier):
    # The original's matrix product, written with one column of X for each parameter.
    case, run = RUNS["linear_regression"], RUNS["linear_regression"]["runs"][0]
    X = np.array(case["data"]["X"])
    data = {f"x{i}": X[:, i] for i in range(3)} | {"y": np.array(case["data"]["y"])}
    objective = sg.Objective("mean((a*x0 + b*x1 + c*x2 - y)**2)", data=data, tier=tier)
    result = objective.minimize(
        start=dict(zip("abc", run["start"]["theta"], strict=True)), lr=run["lr"], gtol=run["gtol"], steps=run["steps"]
    )
    assert result.outcome == "converged_gradient"
    assert result.steps == run["converged_at_step"]
    assert [result.point[k] for k in "abc"] == pytest.approx(run["theta"], rel=1e-10)
    assert result.history.value[0] == pytest.approx(run["loss_first"], rel=EXACT)
    assert result.value == pytest.approx(run["loss_last"], rel=1e-10)


def test_gradients_are_those_of_the_tutorials(tier):
    bowl = sg.Objective(RUNS["bowl"]["formula"], tier=tier)
    assert list(bowl.gradient_at(x1=9, x2=-3).values()) == pytest.approx(RUNS["bowl"]["gradient_at_start"], rel=EXACT)
    for name in ("hills", "learning_rates"):
        objective = sg.Objective(RUNS[name]["formula"], tier=tier)
        for param, text in RUNS[name]["gradient"].items():
            by_hand = sg.Objective(text, params=objective.params, tier=tier)
            point = {"x": 0.7, "y": -1.3}
            assert objective.gradient_at(point)[param] == pytest.approx(by_hand.value(point), rel=EXACT)


def test_the_stability_limit_is_where_runs_begin_to_diverge(tier):
    objective = sg.Objective(RUNS["learning_rates"]["formula"], tier=tier)
    limit = RUNS["learning_rates"]["stability_limit"]
    assert objective.curvature(x=0, y=0).largest_lr == pytest.approx(limit, rel=EXACT)
    below = objective.minimize(start={"x": 1, "y": 1}, lr=0.99 * limit, steps=2000)
    above = objective.minimize(start={"x": 1, "y": 1}, lr=1.01 * limit, steps=2000)
    assert below.ok
    assert above.outcome == "diverged"
