"""Sums of squares: recognised, with exact residuals, Jacobian and second derivatives; the steps; many digits."""

import itertools

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import least_squares

from symgd import Objective
from symgd.fitting.polish import polish, with_digits
from symgd.fitting.separable import Separable, linear_sets
from symgd.graph import Graph
from symgd.graph.digits import Digits
from symgd.graph.tape import Tape
from symgd.language.functions import FUNCTIONS
from symgd.squares import advance, begin, residuals, squares

ROWS = 7


def data():
    rng = np.random.default_rng(0)
    return {
        "x": rng.random(ROWS) + 0.5, "y": rng.random(ROWS), "X": rng.random((ROWS, 2)), "q": rng.random(ROWS),
        "R": rng.random((4, 3)), "u": np.array([0, 1, 2, 1, 0, 2, 1]), "v": np.array([0, 1, 1, 1, 0, 1, 1]),
        "E": np.eye(4),
    }  # fmt: skip


def made(text, params=None, given=None):
    columns = data() if given is None else given
    f = Objective(text, {k: v for k, v in columns.items() if k in text}, params)
    graph, root = f.model.plain
    return f, squares(graph, root, f.model.shapes, f.data)


FACTORS = {"U": (4, 2), "V": (3, 2)}
SUMS = (
    ("mean((y - a*x)**2)", None),
    ("sum(q*(y - a*exp(b*x))**2)", None),
    ("sum((y - a*x)**2)/2 + 3", None),
    ("norm(y - a*x)**2", None),
    ("dot(y - a*x, y - a*x)", None),
    ("(y - a*x) @ (y - a*x)", None),
    ("mean(square(y - X @ w)) + 0.1*sum(w**2)", None),
    ("(1 - a)**2 + 100*(b - a**2)**2", None),
    ("sum((R - U @ V.T)**2)", FACTORS),
    ("mean(mean((R - U @ V.T)**2, axis=0))", FACTORS),
    ("sum((y - exp(a))**2)", None),
    ("mean(((y - a*x)/q)**2)", None),
    ("sum(abs(y - a*x)**2)", None),
    ("sum((y - a)*(y - a)*q)", None),
    ("var(a*x**b - y)", None),
    ("sum((w[1:] - w[:-1]**2)**2)", {"w": 5}),
    ("sqrt(mean((y - a*x)**2))**2", None),
    ("sum((y - a*x)**4)", None),
    ("-sum(-(y - a*x)**2)", None),
    ("sum(exp(a*x)**2)", None),
    ("mean((y - sum(U[u]*V[v], axis=1))**2) + 0.1*sum(U**2)", {"U": (3, 2), "V": (2, 2)}),
    ("mean((y - tanh(X @ W) @ p)**2)", {"W": (2, 3), "p": 3}),
    ("sum((x - p)**2)", {"p": ROWS}),
    ("sum((y - sigmoid(a + b*x))**2)", None),
    ("sum((W @ W.T - E)**2)", {"W": (4, 4)}),
)
OTHERS = (
    "norm(y - a*x)",
    "mean((y - a*x)**2) - sum((a - x)**2)",
    "mean(abs(y - a*x))",
    "mean((y - a*x)**2) + a",
    "sum((y - 0.5)*(y - a*x)**2)",  # a weight is negative
    "max((y - a*x)**2)",
    "sum(exp(a*x))",
)


@pytest.mark.parametrize(("text", "params"), SUMS)
def test_a_sum_of_squares_has_the_value_gradient_and_hessian_of_the_objective(text, params):
    f, found = made(text, params)
    x = np.random.default_rng(1).random(found.n)
    r, J = found.jacobian(x)
    # Sums of a few dozen terms of size 1, in another order: some units in the last place of the largest.
    assert found.constant + r @ r == pytest.approx(f.fun(x), rel=1e-14)
    np.testing.assert_allclose(2 * J.T @ r, f.jac(x), rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(found.residuals(x), r)
    S = found.second(x)
    if "var" not in text:  # whose rows all depend on all rows
        np.testing.assert_allclose(2 * (J.T @ J + S), f.hess(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("text", OTHERS)
def test_what_is_no_sum_of_squares_is_not_taken_for_one(text):
    assert made(text)[1] is None


def test_names_without_values_give_no_residuals():
    f = Objective("mean((y - a*x)**2)", ("x", "y"))
    graph, root = f.model.plain
    assert squares(graph, root, f.model.shapes, f.data) is None


@pytest.mark.parametrize(
    "text", ["mean(q*(y - a*exp(b*x))**2)", "mean(square(y - X @ w)) + 0.1*sum(w**2)", "sum((y - w[u])**2)"]
)
def test_blocks_of_rows_give_the_same_factors(text, monkeypatch, tmp_path):
    params = {"w": 3} if "w[u]" in text else None
    _, whole = made(text, params)
    x = np.random.default_rng(1).random(whole.n)
    expected = whole.normal(x)
    monkeypatch.setattr(residuals, "BLOCK", 2 * (whole.n + 1))
    stored = data()
    for name in ("x", "y", "X"):
        np.save(tmp_path / f"{name}.npy", stored[name])
        stored[name] = str(tmp_path / f"{name}.npy")
    for columns in (data(), stored):
        _, parts = made(text, params, columns)
        assert parts.in_blocks
        found = parts.normal(x)
        # R is unique up to signs of its rows; rounding as above.
        np.testing.assert_allclose(found.R.T @ found.R, expected.R.T @ expected.R, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(found.gradient, expected.gradient, rtol=1e-12, atol=1e-13)
        assert found.rss == pytest.approx(expected.rss, rel=1e-14)
        assert parts.rss(x) == pytest.approx(expected.rss, rel=1e-14)


def test_rows_that_need_each_other_stay_together(monkeypatch):
    monkeypatch.setattr(residuals, "BLOCK", 4)
    for text in ("var(a*x**b - y)", "sum((y - a*x/sum(x))**2)", "(1 - a)**2 + (b - a)**2"):
        assert not made(text)[1].in_blocks


# ---- steps ---------------------------------------------------------------------------------------------------------


def descend(problem, x, limit=500):
    state = begin(problem, np.asarray(x, dtype=float))
    values = [state.factors.rss]
    for _ in range(limit):
        state = advance(problem, state)
        values.append(state.factors.rss)
        if state.moved == 0 or state.predicted < 1e-15:
            break
    return state, values


def test_levenberg_marquardt_descends_the_valley_of_rosenbrock():
    state, values = descend(made("(1 - a)**2 + 100*(b - a**2)**2")[1], [-1.2, 1.0])
    np.testing.assert_allclose(state.x, 1.0, rtol=1e-12)  # a zero residual: quadratic convergence to the last digit
    assert all(after <= before for before, after in itertools.pairwise(values))
    assert len(values) < 40


def test_levenberg_marquardt_finds_what_scipy_finds():
    columns = data()
    _, found = made("sum((y - a*exp(b*x))**2)")
    state, _ = descend(found, [1.0, -1.0])
    theirs = least_squares(lambda p: columns["y"] - p[0] * np.exp(p[1] * columns["x"]), [1, -1], xtol=1e-15, ftol=1e-15)
    assert state.factors.rss == pytest.approx(2 * theirs.cost, rel=1e-12)


def test_a_trial_point_outside_of_the_domain_shortens_the_step():
    _, found = made("sum((y - log(a*x))**2)")
    state, values = descend(found, [1e-3])
    assert np.isfinite(values).all()
    assert state.x[0] > 0
    assert abs(state.factors.gradient[0]) < 1e-6


def test_directions_that_residuals_do_not_feel_are_left_alone():
    _, found = made("sum((y - (a + b)*x)**2)")
    state, _ = descend(found, [3.0, 1.0])
    assert state.x[0] - state.x[1] == pytest.approx(2.0, rel=1e-12)
    assert state.factors.rank == 1


def test_parameters_that_are_linear_are_found_in_the_formula():
    assert linear_sets(made("sum((y - (a*exp(-b*x) + c + p*x))**2)")[1]) == [("a", "c", "p")]
    assert linear_sets(made("sum((y - a*b*x)**2)")[1]) == [("a",), ("b",)]
    assert linear_sets(made("sum((y - exp(a*x)/(b + c*x))**2)")[1]) == []
    assert linear_sets(made("sum((y - X @ w - b)**2)")[1]) == [("w", "b")]


def test_without_the_linear_parameters_the_residuals_are_those_at_their_best():
    columns = data()
    _, found = made("sum((y - (a*exp(-b*x) + c))**2)")
    reduced = Separable(found, ("a", "c"))
    assert reduced.n == 1
    x = reduced.full(np.array([0.7]))
    design = np.column_stack([np.exp(-0.7 * columns["x"]), np.ones(ROWS)])
    best, rss, *_ = np.linalg.lstsq(design, columns["y"])
    np.testing.assert_allclose(x[[0, 2]], best, rtol=1e-10)
    assert reduced.rss(np.array([0.7])) == pytest.approx(rss[0], rel=1e-12)
    h = 1e-6  # central differences: an error of h**2
    slope = (reduced.rss(np.array([0.7 + h])) - reduced.rss(np.array([0.7 - h]))) / (2 * h)
    assert 2 * reduced.normal(np.array([0.7])).gradient[0] == pytest.approx(slope, rel=1e-5)


def test_newton_settles_the_last_digits():
    _, found = made("sum((y - a*exp(b*x))**2)")
    rough, _ = descend(found, [1.0, -1.0], limit=6)
    at = polish(found, rough.x)
    assert at.moved < 1e-14
    assert at.bend[0] > 0
    assert at.factors.rss <= rough.factors.rss


def test_a_polished_saddle_is_no_minimum():
    at = polish(made("(a**2 - 1)**2 + b**2", None, {})[1], np.array([0.0, 0.0]))
    assert at.bend is None or at.bend[0] < 0


# ---- many digits ---------------------------------------------------------------------------------------------------


def test_floats_are_read_as_the_decimals_that_they_stand_for():
    digits = Digits(50)
    assert digits.array(0.1) * 10 == 1
    assert abs(digits.array(np.array([0.1, 0.2])).sum() * 10 - 3) < 1e-48
    assert float(digits.array(np.array([0.1], dtype=np.float32))[0]) == float(np.float32(0.1))


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=3))
def test_many_digits_agree_with_floats(values):
    arithmetic = Digits(40)
    graph = Graph()
    leaves = [graph.leaf("parameter", name) for name in "abc"]
    point = dict(zip("abc", values, strict=True))
    for row in dict.fromkeys(FUNCTIONS.values()):
        if row.kind != "map" or row.most is None:
            continue
        node = graph.raw(row.name, *leaves[: row.most])
        expected = Tape([node], {}).at(point)[node]
        if not np.isfinite(expected) or abs(expected) > 1e6:
            continue
        try:
            exact = Tape([node], {}, None, arithmetic).at({k: arithmetic.array(v) for k, v in point.items()})[node]
        except (NotImplementedError, ZeroDivisionError):
            continue
        if not isinstance(exact, mpmath.mpf | bool | int):
            continue
        # Floats near a pole or of a difference have lost digits; what is tested is that the functions are the same.
        assert float(exact) == pytest.approx(float(expected), rel=1e-6, abs=1e-9), row.name


def test_many_digits_settle_residuals_that_are_rounding():
    x = np.arange(1, 9) / 4
    columns = {"x": x, "y": np.round(2 * np.exp(-x), 15)}
    _, found = made("sum((y - a*exp(-b*x))**2)", None, columns)
    at = polish(found, np.array([2.0, 1.0]))
    exact = with_digits(found, at, 1.0)
    assert exact.digits
    with mpmath.workdps(40):
        a, b = (mpmath.mpf(float(v)) for v in exact.x)
        rows = [[mpmath.mpf(repr(float(v))) for v in row] for row in zip(x, columns["y"], strict=True)]
        r = [y - a * mpmath.exp(-b * t) for t, y in rows]
        total = float(sum(v * v for v in r))
    # The point itself is rounded to floats, which moves residuals by 1e-16 at values of 1e-16 to 1e-15.
    assert 0.1 < exact.factors.rss / total < 1.01
    assert exact.factors.rss < 8 * 1e-30
