"""The search of a fit: it ends at the lowest minimum there is, from near, far and nowhere, in all units."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symgd as sg
from symgd.fitting.problem import read
from symgd.fitting.scales import Scales
from symgd.squares.together import Together

CASES = json.loads((Path(__file__).parents[1] / "known" / "fits" / "fits.json").read_text())
ANSWERED = [case for case in CASES if "point" in case]
REFUSED = [case for case in CASES if "open" in case]
PLAIN = [case for case in ANSWERED if "units" not in case["name"] and "shifted" not in case["name"]]


def named(case):
    return case["name"]


def check(case, start):
    """Hold a fit to the answer that SciPy and mpmath found; components that look alike may be exchanged."""
    found = sg.fit(case["model"], case["data"], "y", start)
    assert found.ok, found.message
    assert found.rss <= case["rss"] * (1 + 1e-9)
    # The answers have sixteen digits; those of the model are fewer where parameters are correlated.
    point = [sorted(abs(v) for k, v in p.items() if k != "p") for p in (found.point, case["point"])]  # p is a phase
    assert point[0] == pytest.approx(point[1], rel=1e-7)
    assert sorted(found.stderr.values()) == pytest.approx(sorted(case["stderr"].values()), rel=1e-6)


@pytest.mark.parametrize("case", PLAIN, ids=named)
def test_the_lowest_minimum_is_found_without_a_start(case):
    check(case, None)


@pytest.mark.slow
@pytest.mark.parametrize("start", ["none", "near", "far"])
@pytest.mark.parametrize("case", ANSWERED, ids=named)
def test_the_lowest_minimum_is_found_from_every_start_and_in_every_unit(case, start):
    if not (start == "none" and case in PLAIN):
        check(case, case["starts"][start])


@pytest.mark.parametrize("name", ["sine", "gaussian", "lorentzian", "logistic", "offset power"])
def test_the_lowest_minimum_is_found_from_a_start_that_is_far(name):
    case = next(case for case in PLAIN if case["name"] == name)
    check(case, case["starts"]["far"])


@pytest.mark.parametrize("start", ["given", pytest.param("none", marks=pytest.mark.slow)])
@pytest.mark.parametrize("case", REFUSED, ids=named)
def test_what_has_no_answer_is_not_ok(case, start):
    found = sg.fit(case["model"], case["data"], "y", case["starts"][start])
    assert not found.ok
    assert found.diagnosis
    assert all(np.isinf(found.stderr[name]) for name in case["open"]), found.message


# ---- units and places ----------------------------------------------------------------------------------------------

MODELS = (
    ("a*exp(-b*x) + c", {"a": (0, 1), "b": (-1, 0), "c": (0, 1)}, {}),
    ("a*exp(-((x - m)/s)**2) + c", {"a": (0, 1), "m": (1, 0), "s": (1, 0), "c": (0, 1)}, {"m": 1}),
    ("L/(1 + exp(-k*(x - m)))", {"L": (0, 1), "k": (-1, 0), "m": (1, 0)}, {"m": 1}),
)
TRUTH = {"a": 3.0, "b": 0.9, "c": 0.4, "m": 2.2, "s": 0.7, "L": 5.0, "k": 2.0}
X = np.linspace(0, 5, 30)


@given(st.integers(-8, 8), st.integers(-8, 8), st.floats(-20, 20), st.sampled_from(MODELS))
@settings(max_examples=12, deadline=None)
def test_the_search_without_a_start_moves_with_units_and_origin(u, v, shift, chosen):
    model, units, places = chosen
    names = {k: getattr(np, k) for k in ("exp",)} | {"x": X} | TRUTH
    y = eval(model, names) + 0.02 * np.cos(17 * X)
    plain = sg.fit(model, {"x": X, "y": y})
    x_unit, y_unit, shift = 10.0**u, 10.0**v, shift if places else 0.0
    moved = sg.fit(model, {"x": (X + shift) * x_unit, "y": y * y_unit})
    assert plain.ok
    assert moved.ok
    for name, (a, b) in units.items():
        expected = (plain.point[name] + places.get(name, 0) * shift) * x_unit**a * y_unit**b
        # The columns are rounded anew, x by as much as it is shifted.
        assert abs(moved.point[name]) == pytest.approx(abs(expected), rel=1e-8)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("a*exp(-b*x)", {"a": [1, 0], "b": [0, -1]}),
        ("E*x**h/(K**h + x**h)", {"E": [1, 0], "h": [0, 0], "K": [0, 1]}),
        ("b + a/(((x - m)/g)**2 + 1)", {"a": [1, 0], "b": [1, 0], "m": [0, 1], "g": [0, 1]}),
        ("y0*K/(y0 + (K - y0)*exp(-r*x))", {"y0": [1, 0], "K": [1, 0], "r": [0, -1]}),
        ("a + b*sqrt(x/c)", {"a": [1, 0], "b": [1, 0], "c": [0, 1]}),
    ],
)
def test_units_of_parameters_are_read_off_the_formula(model, expected):
    problem = read(model, {"x": X + 1, "y": X + 2}, "y", None, None, None)
    scales = Scales(problem.squares)
    found = dict(zip(scales.names, scales.exponents, strict=True))
    for name, powers in expected.items():
        if name not in ("b", "c") or "sqrt" not in model:  # b/sqrt(c) has a unit, b and c alone have not
            np.testing.assert_allclose(found[name], powers, atol=1e-12)


def test_places_are_what_is_added_to_a_column():
    problem = read("a*exp(-((x - m)/s)**2)*sin(w*x + p)", {"x": X, "y": X}, "y", None, None, None)
    scales = Scales(problem.squares)
    assert set(scales.places) == {"m", "p"}
    assert scales.waves == {"w"}
    starts = scales.starts((), 500)
    assert starts.shape == (500, 5)
    m = starts[:, scales.names.index("m")]
    assert 0.4 < np.mean((m >= 0) & (m <= 5)) < 0.9


def test_the_same_points_are_looked_at_together_and_alone():
    problem = read("a*exp(-b*x) + c*sin(d*x)", {"x": X, "y": X}, "y", None, None, None)
    points = np.random.default_rng(0).uniform(0.1, 2, (7, 4))
    r, J = Together(problem.squares, ["a", "d"]).at(points)
    columns = [problem.squares.n - 4 + list(problem.squares.shapes).index(name) for name in "ad"]
    for k, x in enumerate(points):
        alone, jacobian = problem.squares.jacobian(x)
        np.testing.assert_allclose(r[k], alone, rtol=1e-14)
        np.testing.assert_allclose(J[k], jacobian[:, columns], rtol=1e-14)


def test_a_better_minimum_is_looked_for_where_a_shape_is_left():
    x = np.linspace(0, 100, 300)
    found = sg.fit("sin(a*x)", {"x": x, "y": np.sin(1.759 * x)}, "y", {"a": 1})
    assert found.ok
    assert abs(found.point["a"]) == pytest.approx(1.759, rel=1e-12)


def test_a_trust_radius_that_underflows_ends_the_search_and_nothing_else():
    x, y = [400.0, 600, 800, 1000, 1200, 1400, 1600], [0, 0, 0.13, 0.35, 0.75, 0.89, 0.91]
    found = sg.fit("L/(1 + exp(-k*(x - m)))", {"x": x, "y": y}, "y", {"L": 1, "k": 1, "m": 1})
    assert found.ok
    assert found.point == pytest.approx({"L": 0.92633604, "k": 0.0087611134, "m": 1045.7857}, rel=1e-7)
