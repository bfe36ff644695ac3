"""Modules that stand alone: they give symgd's numbers, need NumPy alone, and take the formula's own names."""

import ast
import inspect
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symgd as sg
from symgd.language.quoted import quoted, written

RNG = np.random.default_rng(11)
N = 9
DATA = {
    "X": RNG.normal(size=(N, 3)), "Y": RNG.normal(size=(N, 4)), "y": RNG.normal(size=N), "z": RNG.normal(size=N),
    "u": RNG.integers(0, 5, N), "k": RNG.integers(0, 2, N).astype(bool), "m": 2,
    quoted("column (Hz)"): RNG.normal(size=N),
    "np": RNG.normal(size=N), "start": RNG.normal(size=N), "t1": 0.5, "scatter": RNG.normal(size=N),
}  # fmt: skip
POINT = {
    "a": 0.7, "b": -0.3, "w": RNG.normal(size=3), "W": RNG.normal(size=(3, 4)), "U": RNG.normal(size=(5, 2)),
    "A": RNG.normal(size=(3, 3)), "r": RNG.normal(size=7), "rows": 0.4, "join": 0.2,
    **{f"x{i}": 0.1 * i - 0.5 for i in range(20)},
}  # fmt: skip
FORMULAS = [
    "(1 - a)**2 + 100*(b - a**2)**2", "0*a", "a*b*0 + 3", "exp(a)/b + a**b", "where(a > b, sin(a), b**3) + digamma(a)",
    "mean((y - (a*z + b))**2)", "mean((y - (a*exp(-b*z) + rows))**2)", "mean((y - X @ w)**2) + a*sum(w**2)",
    "mean(softplus(X @ w + b) - z*(X @ w + b))", "mean(logsumexp(X @ W, axis=1) - sum(Y*(X @ W), axis=1))",
    "sum((Y - tanh(X @ W + b))**2)", "sum((y - sum(U[u]**2, axis=1))**2)", "log(sum(exp(y*a + z*b)))",
    "max(a*y) + min(b*z) + sum(maximum(y, a))", "prod(1 + a*y*0.1) + W[m, 1]*a", "sum(where(k, a*y, b*z))",
    "sum(r[1:]*r[:-1]) + sum(r[::2]**3)", "sum(inv(A @ A.T + 3*eye(3)) @ w) + log(abs(det(A + 4*eye(3))))",
    "sum(exp(-(r[:, None] - r[None, :])**2))", "std(a*y + b*z)", "mean(gammaln(exp(a*y)) + erf(b*z))",
    "mean((`column (Hz)` - a)**2)", "mean((np - a*start)**2)*t1*join + mean(log(sum(exp(y*join))))",
    "sum((scatter - U[u, 0])**2)", "len(y)*a**2", "sum(a*y)**2",
    "+".join(f"(x{i} - {i})**2*x{(i * 7 + 1) % 20}" for i in range(20)),
]  # fmt: skip


def run(f):
    """Run the module of an objective."""
    text = f.code("numpy")
    assert "symgd" not in "".join(line for line in text.splitlines() if "import" in line)
    space = {}
    exec(compile(text, "<module>", "exec"), space)
    return space


def known(formula):
    return {n: DATA[n] for n in DATA if n in formula or written(n) in formula}


def agree(f, space, data, point, rtol=1e-11):
    """Compare all four functions with those of the objective, which is asked in the first tier."""
    given, x = [point[n] for n in f.params], f.vector(point)
    v = np.cos(np.arange(1, len(x) + 1.0))
    parts = f.model.shapes.values_of(v)
    # Columns in the order of the module's own arguments.
    order = list(inspect.signature(space["value"]).parameters)[len(f.params) :]
    plain = {"np_": "np", "scatter_": "scatter", "column_Hz": quoted("column (Hz)")}
    rest = [N if n == "rows" else data[plain.get(n, n)] for n in order]
    flat = lambda found: np.concatenate([np.ravel(p) for p in found])  # noqa: E731

    def same(found, expected):
        # Numbers are computed by NumPy here, and by Python's math there: a rounding or two in each step.
        scale = np.max(np.abs(expected), initial=1.0)
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * scale)

    same(space["value"](*given, *rest), f.value(point))
    value, gradient = space["value_and_gradient"](*given, *rest)
    same(value, f.value(point))
    same(flat(gradient), f.jac(x))
    assert [np.shape(p) for p in gradient] == list(f.model.shapes.values())
    same(flat(space["hessian_times"](*given, *(parts[n] for n in f.params), *rest)), f.hessp(x, v))
    same(space["hessian"](*given, *rest), f.hess(x))


@pytest.mark.parametrize("formula", FORMULAS)
def test_it_gives_the_numbers_of_the_objective(formula):
    data = known(formula)
    f = sg.Objective(formula, data=data, tier="python")
    point = {n: POINT[n] for n in f.params}
    f.value(point)
    declared = f.with_shapes({n: np.shape(v) for n, v in point.items()})
    agree(declared, run(declared), data, point)


TUTORIALS = json.loads((Path(__file__).parents[1] / "known" / "tutorial_runs.json").read_text())


@pytest.mark.parametrize("name", TUTORIALS)
def test_tutorials_formulas_give_the_numbers_of_the_objective(name):
    case = TUTORIALS[name]
    data = {n: np.array(values) for n, values in case.get("data", {}).items()}
    start = (case["runs"][0]["start"] if case.get("runs") else None) or {"x": 0.3, "y": -1.2}
    f = sg.Objective(case["formula"], data=data, params={n: np.shape(v) for n, v in start.items()}, tier="python")
    agree(f, run(f), data, start)


ATOMS = ["X @ w", "y", "z*a", "tanh(X @ w)", "U[u, 0]", "softplus(z + b)", "sum(X*w, axis=1)", "abs(y - a)"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ATOMS), st.sampled_from(["+", "-", "*"])), min_size=1, max_size=4),
       st.sampled_from(["mean", "sum", "logsumexp", "max"]))  # fmt: skip
def test_random_formulas_give_the_numbers_of_the_objective(parts, outer):
    body = "".join(f"({atom}) {sign} " for atom, sign in parts) + "y"
    formula = f"{outer}({body}) + a*b*sum(w**2)*sum(U)"
    shapes = {n: np.shape(POINT[n]) for n in ("a", "b", "w", "U")}
    data = {n: DATA[n] for n in ("X", "y", "z", "u")}
    f = sg.Objective(formula, data=data, params=shapes, tier="python")
    # The objective reads some columns only; all are at hand.
    agree(f, run(f), data, {n: POINT[n] for n in shapes})


def test_it_runs_where_symgd_is_not(tmp_path):
    text = sg.Objective("mean(gammaln(1 + exp(X @ w)) - y*(X @ w))", data=known("X y"), params={"w": 3}).code()
    more = "print(value_and_gradient([0.1, 0.2, 0.3], [[1, 2, 3], [4, 5, 6]], [1, 0])[0] > 0, 'symgd' in sys.modules)"
    (tmp_path / "alone.py").write_text(f"{text}\nimport sys\n{more}\n")
    found = subprocess.run([sys.executable, "-I", "alone.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["True", "False"]


def test_its_head_says_what_it_is():
    f = sg.Objective("mean((y - X @ w)**2) + b", data=known("X y"), params={"w": 3, "b": ()})
    head = ast.get_docstring(ast.parse(f.code()))
    assert head.startswith("mean((y - X @ w)**2) + b\n")
    assert f"written by symgd {sg.__version__}" in head
    assert "Parameters: w (3), b (a number)." in head
    assert "Data: y (rows), X (rows x 3)." in head
    assert "4 rows" in head


def test_other_numbers_of_rows_are_taken():
    f = sg.Objective("mean((y - X @ w)**2)", data=known("X y"), params={"w": 3})
    space = run(f)
    rows = 70_000  # more than a block
    x, y = RNG.normal(size=(rows, 3)), RNG.normal(size=rows)
    value, (slope,) = space["value_and_gradient"]([1, 2, 3], X=x, y=y)
    rest = y - x @ [1, 2, 3]
    assert value == pytest.approx(np.mean(rest**2))
    np.testing.assert_allclose(slope, -2 * x.T @ rest / rows)


def test_a_part_of_the_wrong_shape_is_refused_by_numpy():
    with pytest.raises(ValueError, match="reshape"):
        run(sg.Objective("sum(w**2)", params={"w": 3}))["value"]([1.0, 2.0])


@pytest.mark.parametrize("target", ["julia", "", None, 3, "NumPy"])
def test_unknown_targets_are_refused(target):
    with pytest.raises(sg.UsageError, match=r"target=.* must be one of numpy"):
        sg.Objective("x**2").code(target)


def test_shapes_must_be_known():
    with pytest.raises(sg.UsageError, match="declare"):
        sg.Objective("sum(x[1:]*x[:-1])").code()
