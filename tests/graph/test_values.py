"""Values of formulas are NumPy's, kinks are where the table says, and every text leads back to the same function."""

import math

import numpy as np
import oracles
import pytest
import strategies
from hypothesis import HealthCheck, assume, given, settings
from scalars import INPUTS, jet_at, near, objective

from symgd import Objective

QUICK = settings(max_examples=100, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
THOROUGH = settings(QUICK, max_examples=2_000)


def property_of_values(text, point, table):
    """As NumPy's, nan and infinities included; where it is a number, to what float64 may lose in both."""
    f = objective(text, table)
    assume(f is not None)
    found, wanted = f.value(point), oracles.numpy_value(text, {**point, **table})
    jet = jet_at(text, point, table)
    if jet is not None:
        # Both may be off by as much; 64 roundings for each step, as for derivatives.
        assert abs(found - wanted) <= 2 * 64 * oracles.EPS * float(jet.ev + abs(jet.v)) + 1e-290
    elif math.isnan(found):
        assert not math.isfinite(wanted)  # never nan where NumPy has a number


test_values_are_numpys = QUICK(given(**INPUTS)(property_of_values))
test_values_of_many_are_numpys = pytest.mark.slow(THOROUGH(given(**INPUTS)(property_of_values)))


def property_of_texts(text, point, table):
    """f.numpy(), read again, is the same function; so are the derivatives' texts."""
    f = objective(text, table)
    assume(f is not None)
    jet = jet_at(text, point, table)
    assume(jet is not None)
    again = objective(f.numpy(), table) or f
    assert near(again.value(point), jet.v, jet.ev)
    for name, written in f.gradient.text().items():
        slope = objective(written, table)
        # Cancelled factors and squares of what was divided by twice: a few roundings more than the derivative itself.
        assert slope is None or near_or_nan(slope.value(point), jet.g.get(name, 0), 16 * jet.eg.get(name, 0))


def near_or_nan(found, wanted, bound):
    return not math.isfinite(found) or near(found, wanted, bound)


test_texts_lead_back = settings(QUICK, max_examples=60)(given(**INPUTS)(property_of_texts))
test_texts_of_many_lead_back = pytest.mark.slow(THOROUGH(given(**INPUTS)(property_of_texts)))


@settings(QUICK, max_examples=60)
@given(text=strategies.scalars(6), point=strategies.points)
def test_sympy_gradient_is_the_gradient(text, point):
    f = objective(text, {})
    assume(f is not None)
    jet = jet_at(text, point, {})
    assume(jet is not None)
    for name, expression in f.gradient.items():
        value = expression.subs({s: point[s.name] for s in expression.free_symbols}).evalf(50)
        # The constants of the formula are exact in SymPy, but a float of the graph has 53 bits.
        assert not value.is_number or not value.is_finite or near(value, jet.g.get(name, 0), jet.eg.get(name, 0))


# ---- kinks -----------------------------------------------------------------------------------------------------------

# At a point: the gradient, as conventions have it.
KINKS = {
    "relu(x)": [(0, 0), (1, 1), (-1, 0)],
    "abs(x)": [(0, 0), (2, 1), (-2, -1)],
    "maximum(x, 0)": [(0, 0.5), (1, 1), (-1, 0)],
    "minimum(x, 0)": [(0, 0.5), (1, 0), (-1, 1)],
    "maximum(x, x)": [(3, 1)],
    "maximum(x, 2*x)": [(0, 1.5), (1, 2), (-1, 1)],
    "sign(x)*x": [(2, 1), (0, 0)],
    "floor(x)*x": [(2.5, 2), (3, 3)],
    "ceil(x)": [(0.3, 0)],
    "rint(x)": [(0.5, 0)],
    "abs(x)**3": [(0, 0), (-2, -12)],
    "sqrt(x**2)": [(0, 0), (-2, -1)],
    "x**2": [(0, 0)],
    "x**3": [(0, 0)],
    "x**2.5": [(0, 0)],
    "hypot(x, 0*x)": [(0, 0), (2, 1)],
    "hypot(x, 1)": [(0, 0)],
    "sqrt(x**2 + (2*x)**2)": [(0, 0)],
    "abs(abs(x))": [(0, 0)],
    "where(x > 0, log(x), 0)": [(0, 0), (-1, 0), (2, 0.5)],
    "where(x > 0, sqrt(x), x)": [(0, 1), (-3, 1), (4, 0.25)],
    "where(x > 0, where(x < 1, log(x)*sqrt(1 - x), 0), x**2)": [(-1, -2), (0, 0), (1, 0), (3, 0)],
    "where(x == 0, 1, sin(x)/where(x == 0, 1, x))": [(0, 0)],
    "where(x > 0, x*log(x), 0)**2": [(0, 0), (-1, 0)],
    "where(x > 0, sqrt(x), 0) + where(x > 1, sqrt(x), 0)": [(-1, 0), (0, 0), (4, 0.5)],
    "exp(where(x > 0, log(x), 0))": [(-1, 0), (2, 1)],
    "1/where(x > 0, x, 1)": [(-1, 0), (2, -0.25)],
    "where(x >= 0, 1, 0)*x": [(2, 1), (-2, 0)],
    "(x > 0)*x": [(2, 1), (-2, 0)],
    "clip(x, 0, 1)": [(0, 0.5), (0.5, 1), (2, 0)],
    "x - x": [(3, 0)],
    "heaviside(x, 0.5)*x": [(2, 1), (-2, 0)],
    "leaky_relu(x)": [(0, 0.01)],
    "elu(x)": [(0, 0.5), (-0.0, 0.5)],
    "x % 2": [(3.5, 1)],
    "x*sinc(x)": [(0, 1)],
    "x**0": [(0, 0)],
    "tanh(1e9*x)": [(1, 0)],
    "copysign(x, 2)": [(0, 0), (-2, -1)],
}
KINKS["elu(x)"] = [(1, 1), (-1, math.exp(-1))]


@pytest.mark.parametrize("text", KINKS)
def test_kinks(text):
    f = Objective(text, params=("x",))
    for x, slope in KINKS[text]:
        assert f.gradient_at(x=x)["x"] == pytest.approx(slope, abs=1e-15), x
        assert np.isfinite(f.hessian_at(x=x)).all(), x


@pytest.mark.parametrize("tier", ["python", "numba"])
def test_kinks_over_rows(tier):
    data = {"x": np.array([-1.0, 0.0, 2.0, 2.0])}
    text = (
        "sum(where(w*x > 0, log(w*x), 0)) + max(w*x) + norm(0*w*x) + std(w + 0*x) + sum(abs(w*x)) + norm(x - x + w - 1)"
    )
    f = Objective(text, data=data, tier=tier)
    # Two rows have log: 2/w; two equal rows have the largest: 2; of abs: 1 + 0 + 2 + 2. The norms are at 0.
    assert f.gradient_at(w=1)["w"] == pytest.approx(2 + 2 + 0 + 0 + 5 + 0)
    assert np.isfinite(f.hessian_at(w=1)).all()


def test_powers_at_zero():
    f = Objective("x**y")
    assert f.gradient_at(x=0, y=2) == {"x": 0, "y": 0}
    assert f.gradient_at(x=0, y=1) == {"x": 1, "y": 0}
    assert f.gradient_at(x=0, y=0) == {"x": 0, "y": 0}
    assert f.value(x=0, y=0) == 1
    assert f.hessian_at(x=0, y=2).tolist() == [[2, 0], [0, 0]]
    # At y = 0 the slope in x is 0, but grows with y: the mixed derivative is 1/x.
    assert f.hessian_at(x=4, y=0)[0, 1] == 0.25
    assert f.gradient_at(x=-2, y=3)["x"] == 12


def test_zero_times_nan_is_nan():
    assert math.isnan(Objective("0*log(x)").value(x=-1))
    assert Objective("0*log(x)").value(x=2) == 0
    assert math.isnan(Objective("x - x").fun([math.inf]))


def test_floor_division_is_numpys():
    f = Objective("a // b")
    for a, b in [(1, 0.1), (7, -2), (-7, 2), (0.3, 0.1), (6, 3)]:
        assert f.value(a=a, b=b) == np.floor_divide(float(a), float(b))


def test_constants_are_exact():
    assert Objective("0.1 + 0.2 - 0.3").value() == 0
    assert Objective("x/3*3").numpy() == "x"
    assert str(Objective("0.1*x").gradient["x"]) == "1/10"
