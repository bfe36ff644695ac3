"""The objective as users hold it: reading, data, points, SciPy, errors."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

import symgd as sg
from symgd import language as fm
from symgd.errors import DataError, FormulaError, UsageError
from symgd.objective.formula import row_count

DATA = {"x": [1.0, 2.0, 3.0, 5.0], "y": [2.0, 3.9, 6.1, 9.8]}
LINE = "mean((y - (w*x + b))**2)"


def test_names_that_get_data_are_data_and_the_rest_are_parameters():
    objective = sg.Objective(LINE, data=DATA)
    assert objective.params == ("w", "b")
    assert objective.columns == ("y", "x")
    assert repr(objective) == "Objective('mean((y - (w*x + b))**2)', params: w, b, data: y, x (4 rows))"
    assert sg.Objective("a*pi + e*b").params == ("a", "b")
    assert sg.Objective("a*e", params=["a", "e"]).params == ("a", "e")


def test_declared_parameters_make_any_other_name_an_error():
    with pytest.raises(FormulaError, match=r"unknown name 'bb' at column 20\n.*\n.*\ndid you mean 'b'"):
        sg.Objective("(y - w)**2 + w*y + bb", params=["y", "w", "b"])
    with pytest.raises(UsageError, match="params names 'a' twice"):
        sg.Objective("a", params=["a", "a"])
    with pytest.raises(UsageError, match="'x' is given both as a parameter and as data"):
        sg.Objective(LINE, data=DATA, params=["w", "b", "x"])
    assert sg.Objective("a", params="a, b").params == ("a", "b")
    assert sg.Objective("a**2", params=["a", "b"]).gradient_at(a=1, b=5) == {"a": 2.0, "b": 0.0}


@pytest.mark.parametrize("make", [dict, pd.DataFrame, lambda d: {k: np.array(v) for k, v in d.items()}])
def test_data_come_from_mappings_arrays_and_frames(make):
    objective = sg.Objective(LINE, data=make(DATA))
    x, y = np.array(DATA["x"]), np.array(DATA["y"])
    assert objective.value(w=2, b=0.1) == pytest.approx(np.mean((y - (2 * x + 0.1)) ** 2), rel=1e-14)


def test_data_come_from_csv(tmp_path):
    path = tmp_path / "line.csv"
    path.write_text("y, x,note\n2,1,a\n4,2,b\n\n6,3,c\n")
    for source in (path, str(path)):
        assert sg.Objective(LINE, data=source).value(w=2, b=0) == 0
    path.write_text("y;x\n2;1\n4;2\n")
    assert sg.Objective(LINE, data=path).value(w=2, b=0) == 0


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"x": [1, 2], "y": [1, 2, 3]}, r"'y' with shape \(3,\) and '.*' with shape \(2,\) do not broadcast"),
        ({"x": ["a", "b"], "y": [1, 2]}, "'x' must hold numbers"),
        ({"x": [1j], "y": [1]}, "'x' has complex values"),
        ({"x": [], "y": []}, "'x' has no rows"),
        ({"x y": [1], "y": [1]}, "column"),
        ({"__class__": [1], "y": [1]}, "__class__"),
        (5, "data must be a mapping of names to arrays, a DataFrame, or a file of .*; got int"),
        ("nowhere.csv", "there is no file 'nowhere.csv'"),
    ],
)
def test_bad_data_are_refused(data, message):
    with pytest.raises(sg.SymgdError, match=message):
        sg.Objective(LINE, data=data)


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "no rows"), ("x,y\n", "no rows below its line of names"), ("x,y\na,b\n", "no column of numbers"),
     ("x,y\n1\n", "line 2 of .* has 1 fields; its first line 2")],
)  # fmt: skip
def test_bad_files_are_refused(text, message, tmp_path):
    (tmp_path / "bad.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        sg.Objective(LINE, data=tmp_path / "bad.csv")


def test_single_numbers_are_data_too():
    objective = sg.Objective("mean((y - w*x)**2) + lam*w**2", data=DATA | {"lam": 0.5})
    assert objective.params == ("w",)
    plain = sg.Objective("mean((y - w*x)**2) + 0.5*w**2", data=DATA)
    assert objective.value(w=3) == pytest.approx(plain.value(w=3))
    assert objective.gradient_at(w=3)["w"] == pytest.approx(plain.gradient_at(w=3)["w"])


def test_names_alone_are_enough_to_derive():
    objective = sg.Objective(LINE, data=("x", "y"))
    assert set(objective.gradient.text()) == {"w", "b"}
    with pytest.raises(DataError, match="the columns y, x have no values; give data="):
        objective.value(w=1, b=1)


def test_an_objective_is_one_number():
    with pytest.raises(FormulaError, match="must be one number, but this has one value a row"):
        sg.Objective("(y - w*x)**2", data=DATA)
    with pytest.raises(UsageError, match="there is nothing to minimize"):
        sg.Objective("mean(x)", data=DATA).minimize(start={})
    assert sg.Objective("mean(x)", data=DATA).value() == pytest.approx(2.75)
    assert sg.Objective("1 + 2").value() == 3.0


def test_points_are_given_by_name_or_by_position():
    objective = sg.Objective("a**2 + 3*b")
    for point in ({"a": 2, "b": 1}, {"b": 1, "a": 2}, [2, 1], (2, 1), np.array([2.0, 1.0])):
        assert objective.value(point) == 7
    assert objective.value(a=2, b=1) == 7
    assert objective.value({"a": 2}, b=1) == 7
    assert objective.value({"a": np.float32(2), "b": np.int64(1)}) == 7
    with pytest.raises(UsageError, match="by name or by position, not both"):
        objective.value([2], b=1)


def test_hvp_is_the_hessian_times_the_vector():
    objective = sg.Objective("sin(a*b) + exp(a)*c**2")
    point, v = [0.3, -0.8, 1.1], np.array([1.0, -2.0, 0.5])
    product = np.array(list(objective.hvp(point, v).values()))
    assert product == pytest.approx(objective.hessian_at(point) @ v, rel=1e-13)


def test_integers_do_not_wrap():
    assert sg.Objective("x**40", tier="numba").value(x=np.int64(3)) == pytest.approx(3.0**40, rel=1e-14)


def test_scipy_takes_what_it_asks_for():
    objective = sg.Objective("(1 - x)**2 + 100*(y - x**2)**2")
    for options in ({"jac": objective.jac}, {"jac": objective.jac, "hess": objective.hess, "method": "trust-exact"},
                    {"jac": objective.jac, "hessp": objective.hessp, "method": "trust-krylov"}):  # fmt: skip
        found = optimize.minimize(objective.fun, [-1.2, 1.0], **options)
        # SciPy's own tolerances: some stop at a gradient of 1e-4.
        assert found.x == pytest.approx([1, 1], abs=1e-3)


def test_a_plain_function_is_handed_out():
    value = sg.Objective("sum((y - w*x)**2)", data=DATA).lambdify()
    assert value(2) == pytest.approx(sum((y - 2 * x) ** 2 for x, y in zip(*DATA.values(), strict=True)))
    f, g = sg.Objective("x**3").lambdify("slope")(2)
    assert (f, g) == (8, 12)
    with pytest.raises(UsageError, match="what='hess' must be 'value' or 'slope'"):
        sg.Objective("x").lambdify("hess")


def test_hessian_answers_to_names_pairs_and_places():
    import sympy

    h = sg.Objective("x**2*y + y**3").hessian
    x, y = (sympy.Symbol(n, real=True) for n in "xy")
    assert h["x", "y"] == h["y", "x"] == h[0, 1] == h["x"]["y"] == 2 * x
    assert h.matrix == sympy.Matrix([[2 * y, 2 * x], [2 * x, 6 * y]])
    assert h.shape == (2, 2)
    assert h == h.matrix
    with pytest.raises(KeyError):
        h["z"]


def test_curvature_at_a_point():
    c = sg.Objective("(5*x**2 + y**2)/2").curvature(x=0, y=0)
    assert c.eigenvalues == pytest.approx([1, 5])
    assert (c.condition, c.largest_lr, c.kind) == (pytest.approx(5), pytest.approx(0.4), "minimum")
    assert sg.Objective("x**2 - y**2").curvature(x=0, y=0).kind == "saddle"
    assert sg.Objective("x**2 - y**2").curvature(x=1, y=0).kind == "not_stationary"
    flat = sg.Objective("(x + y)**2").curvature(x=0, y=0)
    assert flat.kind == "weak_minimum"
    assert "the formula shows that none is lower" in flat.message
    told = "of x and y only x + y is determined: along x - y the value does not change"
    assert [way.message for way in flat.flat] == [told]
    assert math.isinf(flat.condition) or flat.condition > 1e15


def test_run_shows_itself():
    run = sg.Objective("0.2*x1**2 + x2**2").minimize(start={"x1": 9, "x2": -3})
    assert repr(run).startswith("Run(converged_gradient, minimum, value=")
    assert "outcome   converged_gradient (ok): the gradient's norm" in run.summary()
    assert "<table>" in run._repr_html_()
    d = run.to_dict()
    assert {"point", "value", "outcome", "steps", "gradient_norm", "diagnosis"} <= set(d)
    import json

    assert json.loads(json.dumps(d))["outcome"] == "converged_gradient"


def test_views_show_latex():
    objective = sg.Objective("x1**2/3 + sin(beta)")
    assert objective._repr_latex_() == r"$f(x1, beta) = \frac{x_{1}^{2}}{3} + \sin{\left(\beta \right)}$"
    assert r"\frac{\partial f}{\partial x_{1}} &= \frac{2 x_{1}}{3}" in objective.gradient.latex()
    assert objective.gradient._repr_latex_().startswith("$")


def test_tiers_are_checked():
    with pytest.raises(UsageError, match="tier='gpu' must be one of auto, python, numba"):
        sg.Objective("x", tier="gpu")


def test_unknown_public_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="has no attribute 'minimise'"):
        sg.minimise
    assert set(sg.__all__) <= set(dir(sg))


U = np.array([1.0, 2.0, -3.0])
COLUMNS = [
    "sum(u**0*w)", "sum(u**0) + w", "sum(power(u, 0)*w)", "sum(2*u**0) + w", "sum(where(u > 0, w, w))",
    "sum(where(u**0 > 0, w, u))", "log(sum(exp(u**0*w)))", "sum(mean(u)*w + u**0)", "len(u**0)*w", "dot(u, u**0)*w",
    "len(u)*w**2", "w/len(u)", "u.size*w", "u.shape[0]*w",
]  # fmt: skip


@pytest.mark.parametrize("text", COLUMNS)
def test_a_column_that_comes_to_a_constant_is_still_a_column(text):
    space = {**vars(np), "u": U, "len": len}
    for name in ("sum", "mean"):
        space[name] = getattr(np, name)

    def value(w):
        return eval(text, space | {"w": w})  # the test's own text

    objective = sg.Objective(text, data={"u": U})
    again = sg.Objective(objective.numpy(), data={"u": U}, params=["w"])
    assert objective.value(w=0.7) == pytest.approx(value(0.7), rel=1e-13)
    assert again.value(w=0.7) == pytest.approx(value(0.7), rel=1e-13)
    # A central difference: exact up to rounding/h = 1e-10 on these functions.
    assert objective.gradient_at(w=0.7)["w"] == pytest.approx((value(0.7001) - value(0.6999)) / 2e-4, rel=1e-6)


# ---- how many rows there are ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "lengths", "rows"),
    [
        ("sum(x*y) + sum(U)", {"x": 3, "y": 3, "U": 7}, 3),  # most have it, though another is longer
        ("sum(U) + sum(x*y)", {"x": 3, "y": 3, "U": 2}, 3),
        ("sum(x) + sum(U)", {"x": 3, "U": 7}, 7),  # as many have either
        ("sum(x*U[u])", {"x": 3, "u": 3, "U": 7}, 3),
        ("sum(U[u])", {"u": 3, "U": 7}, 3),  # a table is none of rows
        ("sum(U[u] + V[u])", {"u": 3, "U": 7, "V": 7}, 3),
        ("sum(U[0] + U[1])", {"U": 7}, 7),
        ("w**2", {}, None),
    ],
)
def test_rows_are_what_most_arrays_have(text, lengths, rows):
    data = {name: np.zeros(n, dtype=int) for name, n in lengths.items()}
    assert row_count(fm.parse(text), data) == rows


@pytest.mark.parametrize("tier", ["python", "numba"])
def test_rows_beside_a_longer_array(tier):
    rng = np.random.default_rng(0)
    x, y, U = rng.normal(size=3), rng.normal(size=3), rng.normal(size=7)
    f = sg.Objective("mean((y - w*x)**2) + w*sum(U**2)", data={"x": x, "y": y, "U": U}, tier=tier)
    assert f.model.rows == 3
    assert f.value({"w": 0.7}) == pytest.approx(np.mean((y - 0.7 * x) ** 2) + 0.7 * np.sum(U**2), rel=1e-14)
