"""A function is one row of the table: a made-up one is added, and everything that is done with formulas does it."""

import math

import mpmath
import numpy as np
import pytest

import symgd as sg
from symgd.graph.digits import Digits
from symgd.graph.tape import Tape
from symgd.language import functions
from symgd.language.functions import Function

ROW = Function(
    "slowly", "map", 1, 1, "a/(1 + a**2)", aliases=("lorentz",), numpy="a/(1 + a**2)",
    sympy=lambda s, a: a / (1 + a**2), code="({0} / (1.0 + {0}*{0}))", digits=lambda m, a: a / (1 + a**2),
)  # fmt: skip
W = np.array([0.5, -1.2, 2.0])
X = np.array([[0.5, -1.2, 0.1], [1.0, 0.3, 2.0], [-0.7, 2.0, 0.4]])


@pytest.fixture(autouse=True)
def _row(monkeypatch):
    for name in (ROW.name, *ROW.aliases):
        monkeypatch.setitem(functions._NAMES, name, ROW)
    monkeypatch.setitem(functions.FUNCTIONS, ROW.name, ROW)


def plain(a):
    return a / (1 + a**2)


def slope(a):
    return (1 - a**2) / (1 + a**2) ** 2


@pytest.mark.parametrize("tier", ["python", pytest.param("numba", marks=pytest.mark.compiled)])
def test_value_gradient_and_hessian(tier):
    f = sg.Objective("slowly(3*x) + lorentz(y)**2", tier=tier)
    at = {"x": 0.4, "y": -0.7}
    assert f.value(at) == pytest.approx(plain(1.2) + plain(-0.7) ** 2, rel=1e-15)
    found = f.gradient_at(at)
    assert found["x"] == pytest.approx(3 * slope(1.2), rel=1e-13)
    assert found["y"] == pytest.approx(2 * plain(-0.7) * slope(-0.7), rel=1e-13)
    bend = float(mpmath.diff(lambda a: plain(3 * a), 0.4, 2))
    assert f.hessian_at(at)[0][0] == pytest.approx(bend, rel=1e-9)


@pytest.mark.parametrize("tier", ["python", pytest.param("numba", marks=pytest.mark.compiled)])
def test_arrays(tier):
    f = sg.Objective("sum(slowly(X @ w))", {"X": X}, tier=tier)
    np.testing.assert_allclose(f.gradient_at({"w": W})["w"], X.T @ slope(X @ W), rtol=1e-13)
    assert f.value({"w": W}) == pytest.approx(plain(X @ W).sum(), rel=1e-14)


def test_views():
    import sympy

    f = sg.Objective("slowly(x)")
    x = sympy.Symbol("x", real=True)
    assert sympy.simplify(f.sympy - x / (1 + x**2)) == 0
    assert sympy.simplify(f.gradient["x"] - (1 - x**2) / (1 + x**2) ** 2) == 0
    pasted = sg.Objective("sum(slowly(X @ w))", {"X": X}, params={"w": 3}).gradient.numpy()["w"]
    np.testing.assert_allclose(eval(pasted, vars(np) | {"X": X, "w": W}), X.T @ slope(X @ W), rtol=1e-12)
    text = sg.Objective("exp(slowly(x + 1))").gradient.numpy()["x"]
    assert "slowly" not in text
    assert eval(text, vars(math) | {"x": 0.3}) == pytest.approx(math.exp(plain(1.3)) * slope(1.3), rel=1e-12)
    again = sg.Objective(sg.Objective("exp(slowly(x + 1))").gradient.text()["x"])
    assert again.value(x=0.3) == pytest.approx(math.exp(plain(1.3)) * slope(1.3), rel=1e-12)


def test_constants_and_many_digits():
    assert sg.Objective("x*slowly(2)").value(x=1) == pytest.approx(0.4, rel=1e-16)
    _, node = sg.Objective("slowly(x)").model.plain
    digits = Digits(50)
    third = digits.context.mpf(1) / 3
    assert (
        abs(Tape([node], {}, None, digits).at({"x": third})[node] - digits.context.mpf(3) / 10) < mpmath.mpf(10) ** -48
    )


def test_fits_and_checks():
    t = np.linspace(0.1, 3, 12)
    fit = sg.fit("a*slowly(b*t)", {"t": t, "y": 2 * plain(1.5 * t)}, target="y", start={"a": 1, "b": 1})
    assert fit.point["b"] == pytest.approx(1.5, rel=1e-8)
    assert sg.check_gradient("slowly(x)", {"x": "(1 - x**2)/(1 + x**2)**2"}).ok
    assert not sg.check_gradient("slowly(x)", {"x": "(1 + x**2)/(1 + x**2)**2"}).ok
