"""The default: which method goes on where another does not get there, and that the run says so."""

import numpy as np
import pytest

import symgd as sg

BEALE = "(1.5 - x*(1 - y))**2 + (2.25 - x*(1 - y**2))**2 + (2.625 - x*(1 - y**3))**2"
CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]])
XOR = "mean((tanh(X @ W + b) @ v + c - t)**2)"


def network(seed):
    rng = np.random.default_rng(seed)
    return {"W": rng.normal(size=(2, 2)), "b": rng.normal(size=2), "v": rng.normal(size=2), "c": float(rng.normal())}


def test_a_run_that_ends_at_no_minimum_begins_anew():
    f = sg.Objective(BEALE, tier="python")
    alone = f.minimize({"x": 10, "y": 10}, method="lm")
    assert alone.value > 0.4  # out on the plateau
    run = f.minimize({"x": 10, "y": 10})
    assert run.ok
    assert run.value < 1e-12
    assert run.method.startswith("lm, then ")
    assert run.evaluations < 500


def test_the_lowest_point_is_kept_meanwhile():
    run = sg.Objective(BEALE, tier="python").minimize({"x": 10, "y": 10})
    assert (np.diff(run.history.value) <= 0).all()


def test_a_run_that_gets_there_is_that_of_its_method():
    f = sg.Objective("(1 - x)**2 + 100*(y - x**2)**2", tier="python")
    run, alone = (f.minimize({"x": -1.2, "y": 1}, **how) for how in ({}, {"method": "lm"}))
    assert run.method == alone.method == "lm"
    assert np.array_equal(run.history.point, alone.history.point)
    assert run.evaluations == alone.evaluations


def test_a_method_that_was_asked_for_is_not_left():
    f = sg.Objective(BEALE, tier="python")
    assert f.minimize({"x": 10, "y": 10}, method="lm").method == "lm"


@pytest.mark.parametrize("stop", [3, 10, 25, 60])
def test_a_run_that_is_taken_up_again_is_the_same_bit_for_bit(stop, tmp_path):
    f = sg.Objective(BEALE, tier="python")
    start = {"x": 10.0, "y": 10.0}
    whole = f.minimize(start, steps=200)
    first = f.minimize(start, steps=stop)
    if first.outcome != "max_steps":
        pytest.skip("it had ended")
    again = f.resume(first.save(tmp_path / "run.npz"), steps=200)
    assert again.point == whole.point
    assert (again.steps, again.evaluations, again.method) == (whole.steps, whole.evaluations, whole.method)
    assert np.array_equal(again.history.value, whole.history.value)


def test_networks_are_trained_as_often_as_by_a_trust_region_in_scipy():
    f = sg.Objective(XOR, data={"X": CORNERS, "t": [0, 1, 1, 0.0]}, tier="python")
    newton = [f.minimize(network(seed), method="newton").value < 1e-3 for seed in range(20)]
    assert sum(newton) >= 18  # trust-exact of SciPy 1.17 with the same Hessian: 19


def test_many_starts_of_beale():
    f = sg.Objective(BEALE, tier="python")
    rng = np.random.default_rng(0)
    starts = [{"x": a, "y": b} for a, b in rng.uniform(-4.5, 4.5, (30, 2)).tolist()]
    assert sum(f.minimize(s, method="newton", steps=200).value < 1e-6 for s in starts) >= 20  # SciPy's trust-exact: 20


@pytest.mark.slow
def test_the_default_gets_there_more_often_than_one_method():
    f = sg.Objective(XOR, data={"X": CORNERS, "t": [0, 1, 1, 0.0]}, tier="python")
    assert sum(f.minimize(network(seed)).value < 1e-3 for seed in range(20)) >= 16
    f = sg.Objective(BEALE, tier="python")
    rng = np.random.default_rng(0)
    starts = [{"x": a, "y": b} for a, b in rng.uniform(-4.5, 4.5, (30, 2)).tolist()]
    assert sum(f.minimize(s, steps=500).value < 1e-6 for s in starts) >= 22


def test_a_method_that_creeps_is_followed_by_newton():
    # Brown and Dennis: large residuals, on which Gauss-Newton converges slowly.
    text = " + ".join(f"((x + {i}/5*y - exp({i}/5))**2 + (z + w*sin({i}/5) - cos({i}/5))**2)**2" for i in range(1, 21))
    f = sg.Objective(text, tier="python")
    start = {"x": 25.0, "y": 5.0, "z": -5.0, "w": -1.0}
    run, alone = f.minimize(start), f.minimize(start, method="lm")
    assert run.ok
    assert run.method == "lm, then newton"
    assert run.value == pytest.approx(85822.20163, rel=1e-9)
    assert run.evaluations < 0.6 * alone.evaluations


def test_numbers_of_a_method_are_for_that_method_alone():
    f = sg.Objective("sum(x**4)", params={"x": 300}, tier="python")
    assert f.minimize({"x": np.ones(300)}, memory=3, steps=2).method == "lbfgs"
