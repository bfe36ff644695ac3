"""Methods end: at minima to rounding, at kinks, far out; and none steps across a pole."""

import numpy as np
import pytest

import symgd as sg
from symgd.descent.methods import METHODS

EVERY = pytest.mark.parametrize("method", ["auto", *METHODS])
FALLING = [m for m in METHODS if m not in ("polyak", "lm")]

rng = np.random.default_rng(3)
KM = rng.uniform(20_000, 240_000, 24)
PRICES = 8500 - 0.0215 * KM + rng.normal(0, 400, 24)
X = rng.normal(size=40)
Y = 2 * X + 1 + rng.normal(size=40)


@pytest.mark.parametrize("method", ["auto", *FALLING])
def test_a_minimum_of_a_large_value_is_not_searched_for_ever(method):
    f = sg.Objective("2*x**2 - 1.05*x**4 + x**6/6 + x*y + y**2 + 1e6", tier="python")
    run = f.minimize({"x": 2, "y": -1}, method=method)
    assert run.outcome.converged, run
    assert run.evaluations < (1000 if method == "sampling" else 300)  # it asks for eight gradients a step, at least
    assert run.point == pytest.approx({"x": 1.7475524, "y": -0.8737762}, abs=1e-3)


@pytest.mark.parametrize("method", ["auto", "bfgs", "lbfgs", "cg", "newton", "newton_cg"])
def test_columns_of_different_sizes(method):
    f = sg.Objective("mean((a + b*km - price)**2)/2", data={"km": KM, "price": PRICES}, tier="python")
    run = f.minimize({"a": 0, "b": 0}, method=method)
    b, a = np.polyfit(KM, PRICES, 1)
    assert run.point == pytest.approx({"a": a, "b": b}, rel=1e-6)
    assert run.ok
    assert run.evaluations < 200


@EVERY
@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("mean(abs(y - (a*x + b)))", {"a": 0.0, "b": 0.0}), ("abs(a)", {"a": 1.3}),
        ("abs(a - 3) + 2*abs(b + 1)", {"a": 0.0, "b": 0.0}),
        ("maximum(maximum(a + 2*b, b - a), -b - 1)", {"a": 1.0, "b": 3.0}), ("sqrt(a) + a", {"a": 1.0}),
        ("0*a + 3", {"a": 1.0}),
    ],
)  # fmt: skip
def test_kinks_edges_and_planes_end(text, start, method):
    if method in ("lm", "polyak"):
        pytest.skip("for other objectives")
    columns = {"x": X, "y": Y} if "x" in text.replace("maximum", "") else None
    run = sg.Objective(text, data=columns, tier="python").minimize(start, method=method, steps=3000)
    assert run.outcome != "max_steps" or method == "wolfe", run
    assert run.evaluations < 5000 or method == "wolfe"
    assert run.value <= run.history.value[0]


@pytest.mark.parametrize("method", ["auto", *FALLING])
@pytest.mark.parametrize(
    ("text", "start", "end"),
    [("x + 1/x", 1500.0, 1.0), ("x + 1e-9/x", 1500.0, 10**-4.5), ("1/(2 - x)**2 + x", 5.0, 2 + 2 ** (1 / 3))],
)
def test_no_step_crosses_a_pole(text, start, end, method):
    run = sg.Objective(text, tier="python").minimize({"x": start}, method=method)
    assert run.point["x"] == pytest.approx(end, rel=1e-3)


def test_a_zero_of_a_denominator_that_is_no_pole_is_crossed():
    f = sg.Objective("(x**2 - 4)/(x - 2) + (x + 1)**2", tier="python")
    for method in FALLING:
        assert f.minimize({"x": 7.0}, method=method).point["x"] == pytest.approx(-1.5, abs=1e-5)


@pytest.mark.parametrize("method", ["auto", "newton", "bfgs", "lbfgs"])
@pytest.mark.parametrize("start", [1e-4, 0.0, -3.0, 1e8])
def test_one_parameter(method, start):
    run = sg.Objective("(x - 1)**2 + exp(-x)", tier="python").minimize({"x": start}, method=method)
    if np.isfinite(run.history.value[0]):
        assert run.ok
        assert run.point["x"] == pytest.approx(1.15718, abs=1e-4)


@pytest.mark.parametrize("method", ["auto", *FALLING])
def test_a_start_without_a_value_is_told(method):
    run = sg.Objective("log(x) + x**2", tier="python").minimize({"x": -1.0}, method=method)
    assert run.outcome == "left_domain"
    assert run.steps == 0


UNITS = {
    "rosenbrock": ("100*(y - x**2)**2 + (1 - x)**2", {"x": -1.2, "y": 1.0}),
    "beale": ("(1.5 - x*(1 - y))**2 + (2.25 - x*(1 - y**2))**2 + (2.625 - x*(1 - y**3))**2", {"x": 1.0, "y": 1.0}),
    "camel": ("(4 - 2.1*x**2 + x**4/3)*x**2 + x*y + (4*y**2 - 4)*y**2", {"x": 0.5, "y": 0.5}),
    "log": ("log(1 + (1 - x)**2 + 100*(y - x**2)**2)", {"x": -1.2, "y": 1.0}),
}


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize("method", ["auto", "newton", "newton_cg", "lm"])
@pytest.mark.parametrize("factor", [2.0**-33, 2.0**33])
def test_values_in_other_units_are_the_same_path(name, method, factor):
    text, start = UNITS[name]
    f, g = (sg.Objective(t, tier="python") for t in (text, f"{factor!r}*({text})"))
    if method == "lm" and f.kernel().squares() is None:
        pytest.skip("no sum of squares")
    ours, theirs = f.minimize(start, method=method), g.minimize(start, method=method)
    both = min(ours.steps, theirs.steps, 8)
    assert theirs.history.point[:both] == pytest.approx(ours.history.point[:both], rel=1e-6, abs=1e-9)
    assert (theirs.kind, theirs.ok) == (ours.kind, ours.ok)
    assert theirs.x == pytest.approx(ours.x, abs=1e-6)
