"""Runs whose data enter through moments: when, what they say of it, and that they are the same run every time."""

import json
import pickle

import numpy as np
import pytest

import symgd as sg

LINE = "mean((y - (w*x + b))**2)"
ROWS = 60_000
ASKED = {"lr": 0.1, "steps": 1000}


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=ROWS)
    return {"x": x, "y": 2 * x + 1 + 0.1 * rng.normal(size=ROWS)}


def test_a_run_says_so(data):
    run = sg.Objective(LINE, data=data).minimize({"w": 0, "b": 0}, **ASKED)
    told = "the data entered through 6 moments of 60,000 rows"
    assert (run.moments, run.rows) == (6, ROWS)
    assert told in run.summary()
    assert told in run._repr_html_()
    assert "through 6 moments of 60,000 rows" in repr(run)
    found = json.loads(json.dumps(run.to_dict()))
    assert (found["moments"], found["rows"]) == (6, ROWS)


def test_it_ends_where_a_run_over_the_rows_does(data, monkeypatch):
    runs = []
    for _ in range(2):
        f = sg.Objective(LINE, data=data)
        runs.append([f.minimize({"w": 5, "b": 0}, method=method, **ASKED) for method in ("gd", "adam")])
        monkeypatch.setattr(sg.kernel.Kernel, "reduced", lambda self, evaluations=None: None)
    for through, by_rows in zip(*runs, strict=True):
        assert through.moments == 6
        assert by_rows.moments == 0
        assert "moments" not in by_rows.summary()
        assert through.x == pytest.approx(by_rows.x, rel=1e-11)
        assert through.value == pytest.approx(by_rows.value, rel=1e-12)
        assert (through.outcome, through.kind, through.steps) == (by_rows.outcome, by_rows.kind, by_rows.steps)


def test_newton_needs_one_step(data):
    for method in ("newton", "lm"):
        run = sg.Objective(LINE, data={n: np.tile(v, 8) for n, v in data.items()}).minimize(
            {"w": 50, "b": 0}, method=method
        )
        assert run.moments == 6
        assert run.ok
        assert run.x == pytest.approx(np.polyfit(data["x"], data["y"], 1), rel=1e-10)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (LINE, {"lr": 0.1, "steps": 2}),  # too short to pay
        (LINE, {"lr": 0.1, "batch": 100, "epochs": 3}),
        ("mean(abs(y - (w*x + b)))", ASKED),
        ("mean(softplus(w*x + b) - y)", ASKED),
    ],
)
def test_others_look_at_the_rows(data, text, options):
    assert sg.Objective(text, data=data).minimize({"w": 0, "b": 0}, **options).moments == 0


def test_few_rows_are_looked_at(data):
    few = {name: values[:50] for name, values in data.items()}
    assert sg.Objective(LINE, data=few).minimize({"w": 0, "b": 0}, **ASKED).moments == 0


def test_a_batch_of_all_rows_is_none(data):
    run = sg.Objective(LINE, data=data).minimize({"w": 0, "b": 0}, lr=0.1, batch=ROWS, epochs=1000)
    assert run.moments == 6
    assert run.steps == 1000


def test_values_are_those_of_the_rows_whatever_ran_before(data):
    f = sg.Objective(LINE, data=data)
    before = f.value(w=1.5, b=0.5), f.gradient_at(w=1.5, b=0.5), f.hessian_at(w=1.5, b=0.5).tobytes()
    assert f.minimize({"w": 0, "b": 0}, **ASKED).moments
    assert (f.value(w=1.5, b=0.5), f.gradient_at(w=1.5, b=0.5), f.hessian_at(w=1.5, b=0.5).tobytes()) == before


def test_a_run_that_is_taken_up_again_is_the_same_to_the_bit(data, tmp_path):
    f = sg.Objective(LINE, data=data)
    whole = f.minimize({"w": 0, "b": 0}, method="momentum", **ASKED)
    half = f.minimize({"w": 0, "b": 0}, method="momentum", lr=0.1, steps=500)
    assert half.moments
    for saved in (half, half.save(tmp_path / "half.npz"), half.save(tmp_path / "half.json")):
        again = sg.Objective(LINE, data=data).resume(saved, steps=1000)
        assert again.x.tobytes() == whole.x.tobytes()
        assert again.moments == 6
    # One that looked at rows goes on so, however many steps are left.
    short = f.minimize({"w": 0, "b": 0}, lr=0.1, steps=2)
    assert f.resume(short, steps=1000).moments == 0


def test_a_file_that_claims_other_moments_is_refused(data):
    f = sg.Objective(LINE, data=data)
    run = f.minimize({"w": 0, "b": 0}, lr=0.1, steps=500)
    from dataclasses import replace

    with pytest.raises(sg.errors.DataError, match="through so many moments"):
        f.resume(replace(run, state={**run.state, "moments": 7}), steps=1000)


def test_data_that_change_are_seen(monkeypatch):
    from symgd.data import owned

    monkeypatch.setattr(owned, "COPIED", 0)  # read where they lie, as large arrays are
    rng = np.random.default_rng(1)
    data = {"x": rng.normal(size=ROWS), "y": rng.normal(size=ROWS)}
    f = sg.Objective(LINE, data=data)
    first = f.minimize({"w": 0, "b": 0}, **ASKED)
    data["y"] += 3 * data["x"]
    second = f.minimize({"w": 0, "b": 0}, **ASKED)
    assert first.moments == second.moments == 6
    assert second.point["w"] - first.point["w"] == pytest.approx(3, rel=1e-9)


def test_what_travels_needs_no_pass(data):
    f = sg.Objective(LINE, data=data)
    run = f.minimize({"w": 0, "b": 0}, **ASKED)
    again = pickle.loads(pickle.dumps(run))
    assert again.moments == 6
    assert again.diagnosis == run.diagnosis
    kernel = pickle.loads(pickle.dumps(f.kernel().reduced()))
    x = np.array([1.0, 2.0])
    assert kernel.value(x) == f.kernel().reduced().value(x)
    assert kernel.squares() is not None


def test_an_ascent_is_the_descent_of_the_negative(data):
    up = sg.Objective(f"-({LINE})", data=data).maximize({"w": 0, "b": 0}, **ASKED)
    down = sg.Objective(LINE, data=data).minimize({"w": 0, "b": 0}, **ASKED)
    assert up.moments == down.moments == 6
    assert up.x == pytest.approx(down.x, rel=1e-13)
    assert up.value == pytest.approx(-down.value, rel=1e-13)
    assert sg.Objective(LINE, data=data).maximize({"w": 0, "b": 0}, **ASKED).outcome == "diverged"
