"""Derivatives at zeros, kinks and flat branches, in both tiers: the right value where there is one, and no silence."""

import math

import mpmath as mp
import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symgd as sg
from symgd import Objective
from symgd.run import Kind

TIERS = ("python", "numba")
INF = math.inf


def derivatives(text, point, data=None, tier="python"):
    """Gradient and Hessian of a formula, flat; the Hessian also from its products with vectors."""
    f = Objective(text, data=data or {}, params=tuple(point), tier=tier)
    gradient = np.concatenate([np.ravel(g) for g in f.gradient_at(point).values()])
    hessian = np.asarray(f.hessian_at(point))
    if np.isfinite(hessian).all():
        x = np.concatenate([np.ravel(np.asarray(v, float)) for v in point.values()])
        f = f.with_shapes({k: np.shape(v) for k, v in point.items()})
        products = np.array([f.hessp(x, v) for v in np.eye(len(x))])
        np.testing.assert_allclose(products, hessian, rtol=1e-12, atol=1e-15)
    return gradient, hessian


def check(text, point, gradient, hessian=None, data=None, tier="python"):
    found = derivatives(text, point, data, tier)
    np.testing.assert_allclose(found[0], np.ravel(gradient), rtol=1e-13, atol=1e-300)
    if hessian is not None:
        np.testing.assert_allclose(found[1], hessian, rtol=1e-13, atol=1e-300)


# ---- squares of lengths ----------------------------------------------------------------------------------------------

ZEROS, ONES, I2, I4 = np.zeros(2), np.ones(2), np.eye(2), np.eye(4)
APART = np.block([[I2, -I2], [-I2, I2]])
SQUARES = [
    ("norm(y - c)**2/2", {"y": ONES}, {"c": ONES}, I2),
    ("norm(x)*norm(x)", {"x": ZEROS}, {}, 2 * I2),
    ("3*norm(x)*norm(x)", {"x": ZEROS}, {}, 6 * I2),
    ("square(norm(x))", {"x": ZEROS}, {}, 2 * I2),
    ("np.linalg.norm(x)**2", {"x": ZEROS}, {}, 2 * I2),
    ("sqrt(x @ x)**2", {"x": ZEROS}, {}, 2 * I2),
    ("norm(x)*(x @ x)**0.5", {"x": ZEROS}, {}, 2 * I2),
    ("(norm(x)/s)**2", {"x": ZEROS}, {"s": 2.0}, I2 / 2),
    ("(norm(x)/3)**2", {"x": ZEROS}, {}, 2 * I2 / 9),
    ("(2*norm(x)*norm(z))**2", {"x": ZEROS}, {"z": np.array([3.0, 4.0])}, 200 * I2),
    ("norm(x)**4 + norm(x)**2", {"x": ZEROS}, {}, 2 * I2),
    ("norm(A)**2", {"A": np.zeros((2, 2))}, {}, 2 * I4),
    ("sum(norm(A, axis=1)**2)", {"A": np.zeros((2, 2))}, {}, 2 * I4),
    ("sum(norm(A, axis=0)**2)/2", {"A": np.zeros((2, 2))}, {}, I4),
    ("hypot(x, y)**2", {"x": 0.0, "y": 0.0}, {}, 2 * I2),
    ("hypot(hypot(x, y), 0)**2", {"x": 0.0, "y": 0.0}, {}, 2 * I2),
    ("sqrt(x**2 + y**2)**2", {"x": 0.0, "y": 0.0}, {}, 2 * I2),
    ("sum(abs(x)**2)", {"x": ZEROS}, {}, 2 * I2),
    ("abs(x)**4 + abs(x)*abs(x)", {"x": 0.0}, {}, [[2]]),
    ("(x**4)**0.5", {"x": 0.0}, {}, [[2]]),
    ("std(x)**2", {"x": ONES}, {}, [[0.5, -0.5], [-0.5, 0.5]]),
    ("sqrt(var(x))**2", {"x": ONES}, {}, [[0.5, -0.5], [-0.5, 0.5]]),
    ("exp(-norm(u - v)**2)", {"u": ONES, "v": ONES}, {}, -2 * APART),
    ("exp(-norm(u/s - v/s)**2)", {"u": ONES, "v": ONES}, {"s": 1.0}, -2 * APART),
    ("exp(-(norm(u - v)/s)**2/2)", {"u": ONES, "v": ONES}, {"s": 2.0}, -APART / 4),
    ("sqrt(maximum(x @ x, 0))**2", {"x": ZEROS}, {}, 2 * I2),
    ("norm(x)**3 + sum(x**2)**1.5 + x @ x", {"x": ZEROS}, {}, 2 * I2),
    ("(x**2)**1.5 + x**2", {"x": 0.0}, {}, [[2]]),
]


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize(("text", "point", "data", "hessian"), SQUARES, ids=[row[0] for row in SQUARES])
def test_squares_of_lengths_have_their_second_derivatives_where_the_length_is_0(text, point, data, hessian, tier):
    check(text, point, np.zeros(len(hessian)), hessian, data, tier)


@given(st.lists(st.floats(-1e150, 1e150), min_size=2, max_size=2), st.sampled_from(SQUARES[1:6]))
@settings(max_examples=40)
def test_squares_of_lengths_keep_their_values(x, row):
    text, data = row[0], {k: v for k, v in row[2].items() if k not in row[1]}
    f = Objective(text, data=data, params=("x",), tier="python")
    assert f.value(x=x) == pytest.approx(
        oracles.numpy_value(text.replace("np.linalg.", ""), {"x": x, **data}), rel=1e-14
    )


def test_a_root_of_what_may_be_negative_keeps_its_domain():
    f = Objective("sqrt(x)**2", tier="python")
    assert math.isnan(f.value(x=-1))
    assert math.isnan(Objective("sqrt(x*y)**2", tier="python").value(x=-1, y=1))


@pytest.mark.parametrize("text", ["norm(X @ w - y)**2", "sum(abs(X @ w - y)**2)", "norm(X @ w - y)*norm(X @ w - y)/2",
                                  "(norm(X @ w - y)/s)**2", "std(X @ w - y)**2 + w @ w"])  # fmt: skip
def test_squares_of_lengths_are_sums_of_squares(text):
    data = {"X": np.array([[1.0, 2], [3, 4], [5, 7]]), "y": np.array([1.0, 2, 4]), "s": 2.0}
    run = Objective(text, data={k: v for k, v in data.items() if k in text}, tier="python").minimize({"w": ZEROS})
    assert run.ok
    assert run.method == "lm"


# ---- flat branches ---------------------------------------------------------------------------------------------------

ROWS = np.array([[1.0, 0], [0, 1], [1, 1]])
FLAT = [
    ("sqrt(maximum(0, x**2 - z**2))", {"x": 1.0}, {"z": 2.0}),
    ("arccos(clip(x, -1, 1))", {"x": 2.0}, {}),
    ("arcsin(minimum(maximum(x, -1), 1))", {"x": -3.0}, {}),
    ("arccosh(maximum(x, 1))", {"x": 0.0}, {}),
    ("sum(maximum(X @ w, 0)**0.5)", {"w": -ONES}, {"X": ROWS}),
    ("sqrt(sum(maximum(X @ w, 0)))", {"w": -ONES}, {"X": ROWS}),
    ("norm(relu(X @ w))", {"w": -ONES}, {"X": ROWS}),
    ("sqrt(max(relu(x)))", {"x": -ONES}, {}),
    ("sqrt(relu(x)*relu(y))", {"x": 1.0, "y": -1.0}, {}),
    ("sqrt(relu(x) + relu(y))", {"x": -1.0, "y": -1.0}, {}),
    ("cbrt(relu(x)) + relu(x)**0.3 + sqrt(relu(x)**3)", {"x": -1.0}, {}),
    ("sqrt(where(x > 0, where(x < 1, x, 0), 0))", {"x": 2.0}, {}),
    ("sqrt(x*(x > 0))", {"x": -1.0}, {}),
    ("sqrt(1 - clip(x, -1, 1)**2)", {"x": 3.0}, {}),
    ("log(maximum(x, 1))*sqrt(maximum(x - 1, 0))", {"x": -3.0}, {}),
    ("maximum(0, sqrt(x) - 1)", {"x": 0.0}, {}),
    ("sqrt(mean(relu(x)**2)*y)", {"x": -ONES, "y": 2.0}, {}),
    ("xlogy(maximum(x, 0), maximum(x, 0))", {"x": -1.0}, {}),
]


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize(("text", "point", "data"), FLAT, ids=[row[0] for row in FLAT])
def test_where_a_branch_is_flat_all_derivatives_are_0(text, point, data, tier):
    n = sum(np.size(v) for v in point.values())
    check(text, point, np.zeros(n), np.zeros((n, n)), data, tier)


@pytest.mark.parametrize("tier", TIERS)
def test_beside_the_flat_branch_and_at_its_edge(tier):
    x = mp.mpf(3)
    check("sqrt(maximum(0, x**2 - z**2))", {"x": 3.0}, [float(x / mp.sqrt(5))], [[float(-4 / mp.sqrt(5) ** 3)]],
          {"z": 2.0}, tier)  # fmt: skip
    check("sum(arccos(minimum(x, 1)))", {"x": [2.0, 0.5]}, [0, -2 / math.sqrt(3)], None, {}, tier)
    # A tie splits evenly, and half of an infinite slope is infinite.
    check("arccos(clip(x, -1, 1))", {"x": 1.0}, [-INF], None, {}, tier)
    check("sqrt(relu(x))", {"x": 0.0}, [0], None, {}, tier)


# ---- powers and logarithms at 0 --------------------------------------------------------------------------------------

AT_ZERO = [
    ("sum(xlogy(x, 2))", {"x": [0.0, 1.0]}, {}, [math.log(2)] * 2, np.zeros((2, 2))),
    ("xlogy(x, y)", {"x": 0.0, "y": 0.5}, {}, [math.log(0.5), 0], [[0, 2], [2, 0]]),
    ("xlog1py(x, y)", {"x": 0.0, "y": -0.5}, {}, [math.log(0.5), 0], [[0, 2], [2, 0]]),
    ("-xlogy(p, p) - xlogy(1 - p, 1 - p)", {"p": 1.0}, {}, [-INF], [[-INF]]),
    ("-xlogy(p, p) - xlogy(1 - p, 1 - p)", {"p": 0.0}, {}, [INF], [[-INF]]),
    ("entr(p) + entr(1 - p)", {"p": 1.0}, {}, [-INF], [[-INF]]),
    ("rel_entr(p, q)", {"p": 0.0, "q": 0.5}, {}, [-INF, 0], [[INF, -2], [-2, 0]]),
    ("kl_div(p, q)", {"p": 0.0, "q": 0.5}, {}, [-INF, 1], [[INF, -2], [-2, 0]]),
    ("xlogy(y, p) + xlogy(1 - y, 1 - p)", {"p": 1.0}, {"y": 1.0}, [1], [[-1]]),
    ("xlogy(y, sigmoid(z)) + xlogy(1 - y, 1 - sigmoid(z))", {"z": 800.0}, {"y": 1.0}, [0], [[0]]),
    ("sum(c*x**arange(4))", {"x": 0.0}, {"c": np.array([1.0, -2, 3, 0])}, [-2], [[6]]),
    ("sum(c*x**p*y**q)", {"x": 0.0, "y": 0.0}, {"c": np.ones(3), "p": np.arange(3.0), "q": np.array([2.0, 1, 0])},
     [0, 0], [[2, 1], [1, 2]]),
    ("x**0 + x**n", {"x": 0.0}, {"n": 0.0}, [0], [[0]]),
    ("x**n", {"x": 0.0}, {"n": 1.0}, [1], [[0]]),
    ("x**n", {"x": 0.0}, {"n": 2.0}, [0], [[2]]),
    ("x**n", {"x": 0.0}, {"n": 1.5}, [0], [[INF]]),
    ("sum(x**0)", {"x": ZEROS}, {}, [0, 0], np.zeros((2, 2))),
    ("x**n", {"x": 0.0, "n": 2.0}, {}, [0, 0], [[2, 0], [0, 0]]),
    ("x**n", {"x": 0.0, "n": 1.0}, {}, [1, 0], [[0, -INF], [-INF, 0]]),
]  # fmt: skip


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize(("text", "point", "data", "gradient", "hessian"), AT_ZERO, ids=[row[0] for row in AT_ZERO])
def test_powers_and_logarithms_at_zero(text, point, data, gradient, hessian, tier):
    check(text, point, gradient, hessian, data, tier)


def test_a_polynomial_in_powers_of_a_range_is_minimized_from_0():
    run = Objective("sum(c*x**arange(4))", data={"c": [1.0, -2, 3, 0]}).minimize({"x": 0.0})
    assert run.ok
    assert run.point["x"] == pytest.approx(1 / 3, rel=1e-12)
    assert run.value == pytest.approx(2 / 3, rel=1e-15)


# ---- removable quotients ---------------------------------------------------------------------------------------------

REMOVABLE = {
    "log1p({0})/{0}": lambda x: mp.log1p(x) / x,
    "log(1 + {0})/{0}": lambda x: mp.log1p(x) / x,
    "expm1({0})/{0}": lambda x: mp.expm1(x) / x,
    "(exp({0}) - 1)/{0}": lambda x: mp.expm1(x) / x,
    "(1 - exp(-2*{0}))/(3*{0})": lambda x: -mp.expm1(-2 * x) / (3 * x),
    "{0}/expm1({0})": lambda x: x / mp.expm1(x),
    "{0}/(1 - exp(-{0}))": lambda x: -x / mp.expm1(-x),
    "sin({0})/{0}": lambda x: mp.sin(x) / x,
    "(sin({0})/{0})**2": lambda x: (mp.sin(x) / x) ** 2,
    "{0}/sin({0})": lambda x: x / mp.sin(x),
    "(1 - cos({0}))/{0}**2": lambda x: (1 - mp.cos(x)) / x**2,
    "(1 - cos(2*{0}))/{0}": lambda x: (1 - mp.cos(2 * x)) / x,
    "({0} - sin({0}))/{0}**3": lambda x: (x - mp.sin(x)) / x**3,
    "(2*{0} - sin(2*{0}))/({0}*{0}*{0})": lambda x: (2 * x - mp.sin(2 * x)) / x**3,
    "sinh({0})/{0}": lambda x: mp.sinh(x) / x,
    "(cosh({0}) - 1)/{0}**2": lambda x: (mp.cosh(x) - 1) / x**2,
    "tanh({0})/{0}": lambda x: mp.tanh(x) / x,
    "(3**{0} - 1)/{0}": lambda x: (mp.mpf(3) ** x - 1) / x,
    "(7.5**{0} - 1)/{0}*2": lambda x: 2 * (mp.mpf("7.5") ** x - 1) / x,
    "(k**{0} - 1)/{0}": lambda x: (mp.mpf(30) ** x - 1) / x,
    "4*(1 - exp(-k*{0}))/(k*{0})": lambda x: -4 * mp.expm1(-30 * x) / (30 * x),
}
PLACES = [1e-300, -1e-14, 1e-9, -1e-5, 1e-3, 0.3, -0.45, 2.0]


@pytest.mark.parametrize("tier", TIERS)
def test_removable_quotients_keep_their_digits(tier):
    names = [f"x{i}" for i in range(len(REMOVABLE))]
    text = " + ".join(f"({form.format(name)})" for form, name in zip(REMOVABLE, names, strict=True))
    f = Objective(text, data={"k": 30.0}, params=names, tier=tier)
    for place in PLACES:
        x = np.full(len(names), place)
        gradient, hessian = f.jac(x), f.hess(x)
        for i, (form, value) in enumerate(REMOVABLE.items()):
            with mp.workdps(60 + (620 if abs(place) < 1e-100 else 90)):
                near = mp.mpf(place)
                first, second = mp.diff(value, near), mp.diff(value, near, 2)
            # Ten units: a few functions of a unit each; an odd derivative at 1e-300 is itself below float64.
            assert abs(gradient[i] - first) <= 2e-15 * abs(first) + 1e-299, (form, place)
            assert abs(hessian[i, i] - second) <= 5e-15 * abs(second), (form, place)
    # At 0 itself the quotients are their limits.
    assert np.isfinite(f.fun(np.zeros(len(names))))
    assert np.isfinite(f.hess(np.zeros(len(names)))).all()


# Read as a power series near the place where they are 0/0, or where what they are made of is infinite.
SERIES = {
    "arctan({0})/{0}": lambda x: mp.atan(x) / x,
    "arcsin({0})/{0}": lambda x: mp.asin(x) / x,
    "arcsinh({0})/{0}": lambda x: mp.asinh(x) / x,
    "arctanh(2*{0})/{0}": lambda x: mp.atanh(2 * x) / x,
    "erf({0})/{0}": lambda x: mp.erf(x) / x,
    "tan(k*{0})/{0}": lambda x: mp.tan(x / 2) / x,
    "{0}/log1p({0})": lambda x: x / mp.log1p(x),
    "{0}/tanh({0})": lambda x: x / mp.tanh(x),
    "3*{0}/sinh({0})": lambda x: 3 * x / mp.sinh(x),
    "{0}/tan({0})": lambda x: x / mp.tan(x),
    "(exp({0}) - 1 - {0})/{0}**2": lambda x: (mp.expm1(x) - x) / x**2,
    "(exp(k*{0}) - 1 - k*{0})/{0}**2": lambda x: (mp.expm1(x / 2) - x / 2) / x**2,
    "(sqrt(1 + {0}) - 1)/{0}": lambda x: (mp.sqrt(1 + x) - 1) / x,
    "(2**{0} - cos({0}))/sin({0})": lambda x: (mp.mpf(2) ** x - mp.cos(x)) / mp.sin(x),
    "(log(1 + {0}) - {0})/{0}**2": lambda x: (mp.log1p(x) - x) / x**2,
    "(sin({0}) - {0}*cos({0}))/{0}**3": lambda x: (mp.sin(x) - x * mp.cos(x)) / x**3,
    "(1 - sin({0})/{0})/{0}**2": lambda x: (1 - mp.sin(x) / x) / x**2,
    "({0}*exp({0}) - {0})/{0}**2": lambda x: mp.expm1(x) / x,
    "1/{0} - 1/tan({0})": lambda x: 1 / x - 1 / mp.tan(x),
    "1/tanh({0}) - 1/{0}": lambda x: 1 / mp.tanh(x) - 1 / x,
    "1/(exp({0}) - 1) - 1/{0}": lambda x: 1 / mp.expm1(x) - 1 / x,
    "1/log(1 + {0}) - 1/{0}": lambda x: 1 / mp.log1p(x) - 1 / x,
    "log({0} + 1)**2/(({0} + 2)*{0})": lambda x: mp.log1p(x) ** 2 / (x * (x + 2)),
    "log(1 - {0})/(1 - (1 - {0}))": lambda x: mp.log1p(-x) / x,
}  # fmt: skip


@pytest.mark.parametrize("tier", ["python", pytest.param("numba", marks=pytest.mark.slow)])  # two minutes to compile
def test_power_series_where_the_text_is_0_over_0(tier):
    names = [f"x{i}" for i in range(len(SERIES))]
    text = " + ".join(f"({form.format(name)})" for form, name in zip(SERIES, names, strict=True))
    f = Objective(text, data={"k": 0.5}, params=names, tier=tier)
    for place in (0.0, 1e-300, -1e-14, 1e-9, -1e-5, 1e-3, 0.03, -0.07, 0.1):
        x = np.full(len(names), place)
        gradient, hessian = f.jac(x), f.hess(x)
        total = mp.mpf(0)
        for i, (form, value) in enumerate(SERIES.items()):
            with mp.workdps(1300 if 0 < abs(place) < 1e-100 else 140):
                near = mp.mpf(place) if place else mp.mpf("1e-30")
                total += value(near)
                first, second = mp.diff(value, near), mp.diff(value, near, 2)
            assert abs(gradient[i] - first) <= 1e-13 * abs(first) + 1e-29, (form, place)
            assert abs(hessian[i, i] - second) <= 3e-13 * abs(second) + 1e-29, (form, place)
        assert abs(f.fun(x) - total) <= 1e-14 * abs(total)


@pytest.mark.parametrize(("text", "derivatives"), [
    ("log(x)/(x - 1)", (1, -1 / 2, 2 / 3)),
    ("(x - 1)/log(x)", (1, 1 / 2, -1 / 6)),
    ("1/log(x) - 1/(x - 1)", (1 / 2, -1 / 12, 1 / 12)),
    ("log(x)/(1 - x**2)", (-1 / 2, 1 / 2, -5 / 6)),
    ("(x*log(x) - x + 1)/(x - 1)**2", (1 / 2, -1 / 6, 1 / 6)),
])  # fmt: skip
@pytest.mark.parametrize("tier", TIERS)
def test_power_series_about_1(text, derivatives, tier):
    for x in (1.0, 1 + 1e-12, 1 - 1e-9):
        f = Objective(text, tier=tier)
        found = f.value(x=x), f.gradient_at(x=x)["x"], f.hessian_at(x=x)[0, 0]
        assert found == pytest.approx(derivatives, rel=1e-8)


@pytest.mark.parametrize("text", ["arctan(x)/x", "1/tanh(x) - 1/x", "(exp(x) - 1 - x)/x**2"])
def test_power_series_are_not_seen_but_in_numpy(text):
    f = Objective(text, tier="python")
    assert "Piecewise" not in str(f.sympy)
    assert "cases" not in f.gradient.latex()
    for x in (0.0, 1e-6, 0.02, 0.4):
        with np.errstate(all="ignore"):
            pasted = eval(f.gradient.numpy()["x"], {**np.__dict__, "x": np.float64(x)})
        assert pasted == pytest.approx(f.gradient_at(x=x)["x"], rel=1e-10)


def test_what_is_one_function_has_no_kinks():
    """Branches and shifts that keep digits must not choose the method for what has kinks."""
    y = {"y": np.array([0.1, 0.4, 0.9, 1.3]), "t": np.array([-1.0, 0.0, 1.0, 2.0])}
    logistic = Objective("mean((y - K/(1 + A*exp(-r*t)))**2)", data=y, tier="python")
    assert logistic.minimize({"K": 1.0, "A": 1.0, "r": 1.0}, steps=3).method == "lm"
    assert Objective("tan(x)/x", tier="python").minimize({"x": 0.5}, steps=3).method == "newton"
    assert Objective("abs(x)*tan(x)/x", tier="python").minimize({"x": 0.5}, steps=3).method == "bfgs"


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("power", [0.0, 1e-12, -1e-5, 0.3, 2.0])
def test_box_and_cox_near_the_logarithm(power, tier):
    x = np.array([0.2, 1.0, 3.0, 250.0])
    f = Objective("sum((x**p - 1)/p)", data={"x": x}, params=("p",), tier=tier)
    with mp.workdps(120):
        near = mp.mpf(power) if power else mp.mpf("1e-60")
        wanted = [mp.diff(lambda p: mp.fsum((mp.mpf(v) ** p - 1) / p for v in x.tolist()), near, n) for n in range(3)]
    found = f.value(p=power), f.gradient_at(p=power)["p"], f.hessian_at(p=power)[0, 0]
    for a, b in zip(found, wanted, strict=True):
        assert abs(a - b) <= 1e-14 * abs(b)


def test_box_and_cox_in_the_data_at_0():
    f = Objective("sum((x**p - 1)/p)", data={"x": [0.0, 2.0]}, params=("p",), tier="python")
    assert f.gradient_at(p=2.0)["p"] == pytest.approx(0.25 + (4 * math.log(2) - 1.5) / 2, rel=1e-14)


@pytest.mark.parametrize(("text", "y", "x", "match"), [
    ("(sin(x) - sin(y))/(x - y)", 0.0, 1e-9, "the gradient has no digits and the Hessian has no digits there"),
    ("(exp(x) - 1 - sin(x*y)/y)/x**2", 1.0, 1e-4, "the Hessian has 2 digits there, where both sides of a quotient"),
    ("log(x*y)/(x - 1)", 1.0, 1 + 1e-9, "the Hessian has no digits there"),
])  # fmt: skip
def test_lost_digits_are_told(text, y, x, match):
    f = Objective(text, data={"y": y}, tier="python")
    assert match in f.curvature(x=x).message
    assert match.split(" there")[0] in f.minimize({"x": x}, lr=1e-30, steps=1).message


@pytest.mark.parametrize(("text", "x"), [("arctan(x)/x", 0.3), ("log1p(x)/x", 1e-9), ("x/(1 + x)", 1e-9)])
def test_no_digits_are_missed_where_none_are_lost(text, x):
    assert "digit" not in Objective(text, tier="python").curvature(x=x).message


# ---- kinks, and where there is no value ------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "x"), [("norm(x)", ZEROS), ("std(x)", ONES), ("sqrt(var(x))", ONES),
                                         ("sqrt(x @ x/2)", ZEROS), ("norm(x) - x[0]", ZEROS)])  # fmt: skip
def test_a_kink_is_told_and_no_learning_rate_claimed(text, x):
    found = Objective(text, tier="python").curvature(x=x)
    assert found.kind == Kind.KINK_MINIMUM  # none of them is negative
    assert math.isnan(found.largest_lr)
    assert "no limit" not in found.explain()
    if "x[0]" not in text:
        np.testing.assert_array_equal(Objective(text, tier="python").gradient_at(x=x)["x"], [0, 0])


def test_curvature_where_the_value_is_none():
    found = Objective("log(sum(x))", tier="python").curvature(x=[-1.0, -2.0])
    assert found.kind == Kind.BOUNDARY
    assert "the value is nan there" in repr(found)
    assert np.isnan(found.eigenvalues).all()
    assert math.isnan(found.largest_lr)


# ---- runs that meet a bad value --------------------------------------------------------------------------------------

LOCATED = [
    ("log(sum(x))", [-1.0, -2.0], {}, "log(sum(x)) = log(-3) is nan at the start"),
    ("x @ y/(norm(x)*norm(y))", [0.0, 0.0], {"y": [1.0, 2.0]}, "= 0/0 is nan at the start"),
    ("log(1 - x @ x)", [1.0, 1.0], {}, "log(1 - x @ x) = log(-1) is nan"),
    ("sqrt(x[0] - max(x))", [1.0, 3.0], {}, "sqrt(x[0] - max(x)) = sqrt(-2) is nan"),
    ("log(x[0] + x[1])", [-1.0, -2.0], {}, "is nan where x[0] = -1, x[1] = -2"),
    ("sum(log(x))", [1.0, -2.0], {}, "log(x) is nan where x[1] = -2"),
    ("mean(log(X @ x))", [1.0, -1.0], {"X": np.eye(2)}, "log(X @ x) = log(-1) is nan in row 1"),
    ("sum(where(x > 0, log(x), log(1 - x))) + log(sum(x) - 10)", [1.0, -1.0], {}, "= log(-10) is nan"),
    ("sum(log(A @ x))", [1.0, 1.0], {"A": [[1.0, 1.0], [1.0, -3.0]]}, "log(A @ x) = log(-2) is nan in row 1"),
    ("exp(sum(x**2))", [30.0, 1.0], {}, "exp(sum(x**2)) = exp(901) is inf"),
    ("sum(sqrt(x))", [1.0, 0.0], {}, "the derivative of sqrt(x) is inf where x[1] = 0"),
]


@pytest.mark.parametrize(("text", "x", "data", "words"), LOCATED, ids=[row[0] for row in LOCATED])
def test_what_is_not_finite_is_named(text, x, data, words):
    run = Objective(text, data=data, params=("x",), tier="python").minimize({"x": x})
    assert run.outcome == "left_domain"
    assert words in run.message


def test_a_run_that_diverges_by_a_whole_array_says_where():
    run = Objective("-log(1 - x @ x) + 3*x[0]", tier="python").minimize({"x": [0.5, 0.5]}, lr=1.0, steps=50)
    assert "log(1 - x @ x) = log(-21.5) is nan at step 1" in run.message


def broken(*args):
    raise ZeroDivisionError("made for a test")


@pytest.mark.parametrize(("place", "name", "words"), [
    ("symgd.graph.locate", "first_bad", "where it arose could not be worked out (ZeroDivisionError: made for a test)"),
    ("symgd.descent.account", "classify", "the kind of point could not be worked out (ZeroDivisionError: made for"),
])  # fmt: skip
def test_a_run_outlives_what_explains_it(place, name, words, monkeypatch):
    monkeypatch.setattr(f"{place}.{name}", broken)
    start = -1.0 if name == "first_bad" else 1.0
    run = Objective("log(x)**2", tier="python").minimize({"x": start})
    assert words in run.message


def test_a_diagnosis_that_fails_is_a_finding(monkeypatch):
    run = Objective("x**2", tier="python").minimize({"x": 1.0})
    object.__setattr__(run, "explain", broken)
    (finding,) = run.diagnosis
    assert finding.code == "unexplained"
    assert "the diagnosis could not be worked out (ZeroDivisionError: made for a test)" in finding.message


INNER = ["x", "x - 1", "x*y", "abs(x)", "x**2", "sqrt(x)", "1/x", "exp(x)", "log(x)", "x - mean(x)", "maximum(x, 0)",
         "x/norm(x)", "A @ x", "A @ x - y"]  # fmt: skip
WHOLE = ["sum({})", "mean({})", "norm({})", "max({})", "min({})", "std({})", "logsumexp({})", "({})[0]", "({}) @ y"]
OUTER = ["log({})", "sqrt({})", "exp({})", "1/({})", "({})**2", "({})**0.5", "arccos({})", "tan({})", "abs({})",
         "xlogy({0}, {0})", "gamma({})", "where({0} > 0, log({0}), {0})"]  # fmt: skip
BINARY = ["({})*({})", "({})/({})", "({}) + ({})", "({}) - ({})", "maximum({}, {})", "({})**({})"]
QUANTITY = st.builds(str.format, st.sampled_from(WHOLE), st.sampled_from(INNER))
OBJECTIVE = st.recursive(
    QUANTITY,
    lambda inner: st.one_of(
        st.builds(str.format, st.sampled_from(OUTER), inner),
        st.builds(str.format, st.sampled_from(BINARY), inner, inner),
    ),
    max_leaves=4,
)
NUMBER = st.sampled_from([0.0, 1.0, -1.0, 0.5, 2.0, 1e-10, 1e10, 1e200, -1e200, 1e-300])


@given(OBJECTIVE, st.lists(NUMBER, min_size=2, max_size=2), st.sampled_from(["auto", "gd", "momentum", "adam", "newton",
       "bfgs", "lbfgs", "cg", "bb", "polyak", "armijo"]), st.sampled_from([None, 0.1, 1e3]))  # fmt: skip
@settings(max_examples=60)
def test_no_run_raises(text, x, method, lr):
    data = {"A": np.array([[1.0, 2.0], [0.0, -1.0]]), "y": np.array([1.0, -2.0])}
    f = Objective(text, data={k: v for k, v in data.items() if k in text}, params=("x",), tier="python")
    options = {"lr": lr} if lr and method in ("gd", "momentum", "adam") else {}
    run = f.minimize({"x": x}, method=method, steps=20, **options)
    told = run.message + run.summary() + f.curvature(x=x).explain()
    assert "could not be worked out" not in told
    many = f.minimize_many(starts={"x": np.array([x, [1.0, 2.0]])}, steps=5)
    assert "could not be worked out" not in str(many.to_dict())


def test_a_fit_that_leaves_its_domain_says_where():
    data = {"t": np.array([1.0, 2.0, 3.0]), "y": np.array([1.0, 2.0, 4.0])}
    found = sg.fit("a*t + log(-sum(t) - b**2)", data=data, target="y", start={"a": 1.0, "b": 1.0})
    assert "log(-sum(t) - b**2) = log(-7) is nan" in found.message


@pytest.mark.parametrize("bound", [-1.0, -3.0])
def test_a_slope_that_passes_through_zero_is_not_flat(bound):
    u = np.full(4, bound)
    f = sg.Objective("cbrt(-sum(1 + u*0 + maximum(x, u)**2))", data={"u": u}, tier="python")
    # maximum is x around 0: the second derivative of -(4 + 4*x**2)**(1/3) there.
    assert f.gradient_at(x=0)["x"] == 0
    assert f.hessian_at(x=0)[0, 0] == pytest.approx(-8 / 3 * 4 ** (-2 / 3), rel=1e-14)


# ---- zeros with a sign, and branches that nobody takes -------------------------------------------------------------


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("name", ["ceil", "floor", "trunc", "rint"])
@pytest.mark.parametrize("x", [-0.3, -0.0, 0.0, 0.3, -0.5, 0.5, -1.5, 1e300])
def test_zeros_have_the_sign_of_numpy(name, x, tier):
    with np.errstate(all="ignore"):
        wanted = float(1 / getattr(np, name)(np.float64(x)))
    f = Objective(f"1/{name}(x)", tier=tier)
    assert f.value(x=x) == wanted
    assert Objective(f"sum(1/{name}(x))", params={"x": 2}, tier=tier).value(x=[x, 1.0]) == wanted + 1


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize(
    ("text", "gradient"),
    [
        ("sum(where(Q > 0, Q*a, log(-b)*(w @ Q)))", {"a": 4, "b": 0, "w": [0, 0, 0]}),
        ("sum(where(Q > 0, Q*a, Q*log(b)*c + sqrt(b)*c))", {"a": 4, "b": 0, "c": 0}),
        ("mean(where(Q > 0, Q*a, sqrt(-b)*c))", {"a": 4 / 3, "b": 0, "c": 0}),
        ("sum(where(Q > 0, Q*a, exp(1000*c)*a))", {"a": 4, "c": 0}),
        ("sum(where(Q > 0, Q*a, sqrt(-b)*c)*Q)", {"a": 6, "b": 0, "c": 0}),
        ("sum(where(Q > 0, a, arcsin(3*c)*c)**2)", {"a": 6, "c": 0}),
    ],
)
def test_a_branch_that_is_shared_and_not_taken_stays_out(text, gradient, tier):
    point = {name: 1.0 if name != "w" else np.ones(3) for name in gradient}
    f = Objective(text, {"Q": np.array([1.0, 1.0, 2.0])}, tier=tier, params=tuple(gradient))
    assert math.isfinite(f.value(point))
    for name, slope in f.gradient_at(point).items():
        np.testing.assert_allclose(slope, gradient[name], rtol=1e-14)
    assert np.isfinite(f.hessian_at(point)).all()
