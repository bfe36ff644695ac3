"""How fits end: at kinks and edges, with parameters that nothing holds, and what is said of each."""

import json
import math

import numpy as np
import pytest

import symgd as sg
from symgd.fitting import ends
from symgd.fitting.problem import read
from symgd.verdict import Kind

X = np.arange(1, 9.0)
ROAD = {
    "x": [7228, 7620, 7730, 7901, 8139, 8370, 8448, 8737, 8824, 9089, 9233, 9321, 9509, 9568, 9642, 9756, 9915, 10601,
          10942],
    "y": [.874, .893, .8905, .8916, .9095, .9142, .9109, .9185, .9169, .9251, .9290, .9304, .9467, .9378, .9464, .9508,
          .9583, .9857, .9975],
}  # fmt: skip


def codes(found):
    return [finding.code for finding in found.diagnosis]


def at_knee(c):
    """Fit a broken line by least squares, the break held."""
    x, y = map(np.array, ROAD.values())
    A = np.stack([np.ones_like(x), np.minimum(x - c, 0), np.maximum(x - c, 0)], 1)
    p = np.linalg.lstsq(A, y, rcond=None)[0]
    return float(((A @ p - y) ** 2).sum()), p


@pytest.mark.parametrize(
    "model",
    ["y0 + k*minimum(x - x0, 0) + l*maximum(x - x0, 0)", "where(x < x0, k*(x - x0) + y0, l*(x - x0) + y0)",
     "y0 + (k + l)/2*(x - x0) + (l - k)/2*abs(x - x0)"],
)  # fmt: skip
def test_a_minimum_at_a_kink_is_one(model):
    best, p = min((at_knee(c) for c in np.linspace(9320, 9322, 2001)), key=lambda pair: pair[0])
    found = sg.fit(model, ROAD, "y", {"x0": 9200, "y0": 0.93, "k": 3e-5, "l": 6e-5})
    assert found.ok
    assert found.kind == Kind.KINK_MINIMUM
    assert codes(found) == ["kink"]
    assert found.rss == pytest.approx(best, rel=1e-9)
    assert found.point["x0"] == pytest.approx(9321, rel=1e-9)
    assert found.point["y0"] == pytest.approx(p[0], rel=1e-6)
    assert math.isfinite(found.stderr["x0"])
    # Doing what the finding says: on both sides the others fit worse.
    assert all(at_knee(9321 + step)[0] > found.rss for step in (-5, 5, -0.01, 0.01))


def test_the_edge_of_a_domain_is_told():
    y = [9.0, 2.1, 1.4, 1.2, 1.0, 0.9, 0.8, 0.75]
    found = sg.fit("a - log(x - m)", {"x": X, "y": np.log(y) + 3 * (X == 1)}, "y", {"a": 1, "m": 0})
    profile = [sg.fit("a - log(x - m)", {"x": X, "y": np.log(y) + 3 * (X == 1), "m": np.full(8, m)}).rss
               for m in (0.9, 0.99, 0.999)]  # fmt: skip
    # The minimum is inside, or it falls right up to the edge.
    if found.ok:
        assert found.rss <= min(profile) * (1 + 1e-9)
    else:
        assert "boundary" in codes(found)


def test_a_minimum_on_the_edge_is_a_boundary():
    # The first row pulls m up to 1, where the root is 0; beyond 1 there is no root.
    y = np.array([-5.0, 1.0, 1.41, 1.73, 2.0, 2.24, 2.45, 2.65])
    found = sg.fit("sqrt(x - m)", {"x": X, "y": y}, "y", {"m": 0.5})
    assert not found.ok
    assert found.kind == Kind.BOUNDARY
    assert "boundary" in codes(found)
    assert found.point["m"] == pytest.approx(1, abs=1e-6)
    assert "m = 1" in found.message


def test_parameters_that_nothing_holds_are_found_and_the_others_keep_their_errors():
    y = np.array([1.01, 0.98, 1, 1.02, 0.99, 1, 1, 1.01])
    found = sg.fit("a*tanh(k*x)", {"x": X, "y": y}, "y", {"a": 1, "k": 1})
    assert not found.ok
    assert found.outcome == sg.Outcome.DIVERGED
    assert codes(found)[0] == "runs_off"
    assert found.diagnosis[0].evidence["parameter"] == "k"
    assert found.point["a"] == pytest.approx(y.mean(), rel=1e-12)
    assert found.dof == 7  # a mean is all that is left
    assert found.stderr["a"] == pytest.approx(y.std(ddof=1) / math.sqrt(8), rel=1e-9)
    # Doing what the finding says: with k a number the fit is sound, whatever the number.
    fixed = sg.fit("a*tanh(k*x)", {"x": X, "y": y}, fixed={"k": found.point["k"]})
    assert fixed.ok
    assert fixed.stderr["a"] == pytest.approx(found.stderr["a"], rel=1e-9)


def test_a_finite_rate_with_a_large_error_is_kept():
    rng = np.random.default_rng(5)
    x = np.linspace(0, 1, 40)
    found = sg.fit("a*exp(-b*x)", {"x": x, "y": 2 + 0.2 * rng.normal(size=40)}, "y", {"a": 1, "b": 1})
    assert found.ok
    assert abs(found.point["b"]) < 3 * found.stderr["b"] < 1


def test_an_exact_zero_is_no_parameter_that_runs_off():
    found = sg.fit("a + b*x + c*x**2", {"x": X, "y": 1 + 2 * X})
    assert found.ok
    assert found.point["c"] == pytest.approx(0, abs=1e-15)
    zeros = sg.fit("a*x + b", {"x": X, "y": 0 * X})
    assert zeros.ok
    assert zeros.x.tolist() == [0, 0]


def test_degrees_of_freedom_are_counted_by_the_rank():
    data = {"x": np.arange(5.0), "y": [5.1, 3, 2.1, 1.2, 0.8]}
    found = sg.fit("a*b*exp(-c*x)", data, "y", {"a": 1, "b": 1, "c": 1})
    other = sg.fit("a*exp(-c*x)", data, "y", {"a": 1, "c": 1})
    assert found.rank == other.rank == 2
    assert found.dof == other.dof == 3
    assert found.stderr["c"] == pytest.approx(other.stderr["c"], rel=1e-9)
    assert round(found.stderr["c"], 5) == 0.02103


def test_directions_are_told_without_the_noise_of_rounding():
    data = {"x": X, "m": X % 2, "w": 1 - X % 2, "y": 2 + X % 2 + 0.3 * X}
    found = sg.fit("a + b*m + c*w + d*x", data)
    assert "e-" not in found.message
    assert "d" not in found.diagnosis[0].message.split("direction")[1]


def test_a_fit_that_explains_nothing_says_so():
    rng = np.random.default_rng(2)
    line = sg.fit("a + b*x", {"x": np.arange(50.0), "y": rng.normal(size=50)})
    assert line.ok  # of a line there is no lower minimum
    assert codes(line) == ["explains_little"]
    worse = sg.fit("a*x", {"x": X, "y": 100 + rng.normal(size=8)})
    assert codes(worse)[0] == "worse_than_mean"
    astray = sg.fit("exp(-a*x)", {"x": X, "y": 100 - X})
    assert astray.r2 < 0
    assert not astray.ok


def test_residuals_with_a_shape_are_told():
    x = np.linspace(0, 6, 60)
    found = sg.fit("a + b*x", {"x": x, "y": np.sin(x) + x})
    assert codes(found) == ["shape"]
    assert found.ok


def test_a_healthy_fit_has_no_findings():
    found = sg.fit("a*exp(-b*x)", {"x": X, "y": 3 * np.exp(-0.4 * X) + 0.01 * np.cos(9 * X)})
    assert found.diagnosis == ()
    assert json.loads(json.dumps(found.to_dict()))["diagnosis"] == []


def test_findings_are_in_the_table_and_in_json():
    found = sg.fit("a*b*exp(-c*x)", {"x": X, "y": 3 * np.exp(-0.4 * X) + 0.01 * np.cos(9 * X)})
    assert "finding    undetermined: The data do not determine all parameters" in found.summary()
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["diagnosis"][0]["code"] == "undetermined"


def test_as_many_rows_as_parameters_is_a_finding_unless_errors_are_absolute():
    data = {"x": [0.27, 0.34], "y": [383.5, 424.8], "s": [5, 5]}
    assert codes(sg.fit("a*x**b", data, "y", {"a": 400, "b": 0.5})) == ["no_freedom"]
    absolute = sg.fit("a*x**b", data, "y", {"a": 400, "b": 0.5}, sigma="s", absolute_sigma=True)
    assert absolute.diagnosis == ()
    assert "errors" not in absolute.message
    assert math.isfinite(absolute.stderr["a"])


def test_kinks_are_found_exactly():
    problem = read("k*abs(x - c)", {"x": X, "y": X}, "y", None, None, None)
    kinks = ends.Kinks(problem.squares)
    assert kinks.any
    assert kinks.near(np.array([1.0, 3.001]), 1) == pytest.approx([-0.001], rel=1e-6)
    assert not ends.Kinks(read("k*exp(x - c)", {"x": X, "y": X}, "y", None, None, None).squares).any
