r"""Gradients in LaTeX: read as formulas, checked as those are, and told with what was read."""

import json

import pytest
from click.testing import CliRunner

import symgd as sg
from symgd.cli import main
from symgd.errors import FormulaError, UsageError
from symgd.testing import assert_gradient

XY = {"X": "n x k", "y": "n"}
LINE = r"\frac{1}{N}\sum_{i=1}^{N} (y_i - (w x_i + b))^2"
SQUARES = r"\|Xw-y\|_2^2"
LOGISTIC = r"-\sum_{i=1}^n \left( y_i \log\sigma(x_i^\top w) + (1 - y_i)\log(1 - \sigma(x_i^\top w)) \right)"

PROVED = [
    (LINE, {"w": r"\frac{-2}{N}\sum_{i=1}^{N} x_i (y_i - (w x_i + b))", "b": r"-\frac{2}{N}\sum_i (y_i - w x_i - b)"},
     {"x": "n", "y": "n"}),
    (SQUARES, {"w": r"2X^\top (Xw - y)"}, XY),
    (SQUARES, {"w_j": r"2\sum_i x_{ij}(\sum_l x_{il} w_l - y_i)"}, XY),
    (SQUARES, [r"\frac{\partial L}{\partial w_j} = 2\sum_{i=1}^n x_{ij}\left(\sum_{l=1}^k x_{il} w_l - y_i\right)"],
     XY),
    ("L(w) = " + SQUARES, r"\nabla_w L = 2X^\top (Xw - y)", XY),
    (LOGISTIC, {"w": r"X^\top (\sigma(Xw) - y)"}, XY),
    (SQUARES + r" + \lambda \|w\|_2^2", {"w": r"2X^\top (Xw - y) + 2\lambda w"}, {**XY, "lambda_": ""}),
    (r"\|A\|_F^2", {"A_{ij}": "2 a_{ij}"}, None),
    (r"\theta^2 + \frac{1}{\theta}", {r"\theta": r"2\theta - \frac{1}{\theta^2}"}, None),
    ("b_1(1 - e^{-b_2 x})", {"b_1": "1 - e^{-b_2 x}", "b_2": "b_1 x e^{-b_2 x}"}, {"x": ""}),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "gradient", "data"), PROVED)
def test_right_ones_are_proved(formula, gradient, data):
    found = sg.check_gradient(formula, gradient, data, latex=True, params={"A": "m x n"} if "A" in formula else None)
    assert {v.kind for v in found.values()} == {"proved"}, str(found)
    assert found.formula == formula
    assert found.read_as
    again = sg.check_gradient(found.read_as, {n: v.read_as for n, v in found.items()}, data,
                              params=found.shapes if "A" in formula else None)  # fmt: skip
    assert again.ok


def test_what_was_read_is_told_and_wrong_ones_are_refuted():
    found = sg.check_gradient(SQUARES, {"w": r"X^\top (Xw - y)"}, XY, latex=True)
    assert found["w"].kind == "wrong"
    assert found["w"].cause.kind == "factor"
    assert found["w"].yours == r"X^\top (Xw - y)"
    assert "read as sum((X @ w - y)**2)" in str(found)
    assert "read as X.T @ (X @ w - y)" in str(found)
    assert found.to_dict()["details"]["w"]["read_as"] == "X.T @ (X @ w - y)"


def test_second_derivatives_and_jacobians():
    for claim in ({"w_j,w_l": r"2\sum_i x_{ij} x_{il}"}, r"\nabla^2_w L = 2X^\top X",
                  r"\frac{\partial^2 L}{\partial w_j \partial w_l} = 2\sum_i x_{ij} x_{il}"):  # fmt: skip
        assert sg.check_hessian(SQUARES, claim, XY, latex=True)["w,w"].kind == "proved"
    assert sg.check_hessian("x^2 y", {"x,y": "2x", r"y,y": "x"}, latex=True)["y,y"].kind == "wrong"
    assert sg.check_hessian("x^3", r"\frac{d^2 f}{dx^2} = 6x", latex=True)["x,x"].kind == "proved"
    rows = r"\frac{\partial f_i}{\partial w_j} = x_{ij}"
    found = sg.check_jacobian(r"f_i = \sum_j x_{ij} w_j", rows, {"X": "n x k"}, latex=True)
    assert found["w"].kind == "proved"


def test_mistakes_point_into_the_latex():
    with pytest.raises(FormulaError, match="'v' is not declared") as raised:
        sg.check_gradient(SQUARES, {"w": r"X^\top (Xv - y)"}, XY, latex=True)
    assert raised.value.text[raised.value.start] == "v"
    with pytest.raises(FormulaError, match="left side is a derivative by w"):
        sg.check_gradient(SQUARES, {"v": r"\nabla_w L = X^\top (Xw - y)"}, XY, latex=True)
    with pytest.raises(FormulaError, match=r"it was read as X.T @ X @") as raised:
        sg.check_gradient(SQUARES, {"w": r"X^\top X (Xw - y)"}, XY, latex=True)
    assert raised.value.text == r"X^\top X (Xw - y)"
    with pytest.raises(UsageError, match="by what is"):
        sg.check_gradient(SQUARES, r"X^\top (Xw - y)", XY, latex=True)
    with pytest.raises(UsageError, match="two derivatives by 'w'"):
        sg.check_gradient("w^2", [r"\frac{dL}{dw} = 2w", r"\nabla_w L = 2w"], latex=True)
    with pytest.raises(UsageError, match="a derivative is by a parameter"):
        sg.check_gradient("w^2", {"2": "2w"}, latex=True)
    with pytest.raises(UsageError, match="no derivative is given"):
        sg.check_gradient("w^2", {}, latex=True)


def test_assertion_for_tests():
    assert_gradient(SQUARES, {"w": r"2X^\top (Xw - y)"}, XY, latex=True, proved=True)
    with pytest.raises(AssertionError, match=r"read as X.T @ \(X @ w - y\)"):
        assert_gradient(SQUARES, {"w": r"X^\top (Xw - y)"}, XY, latex=True)


def test_command():
    run = CliRunner().invoke
    base = ["check", SQUARES, "--latex", "--data-names", "X,y", "--shape", "X=nxk,y=n", "--json"]
    good = run(main, [*base, "--grad", r"w=2X^\top (Xw - y)"])
    assert good.exit_code == 0, good.output
    assert json.loads(good.stdout)["read_as"] == "sum((X @ w - y)**2)"
    bad = run(main, [*base, "--grad", r"\nabla_w L = X^\top (Xw - y)"])
    assert bad.exit_code == 1, bad.output
    assert run(main, [*base, "--grad", r"w=X^\top (Xq)"]).exit_code == 2
    assert run(main, [*base, "--grad", r"X^\top (Xw)"]).exit_code == 2


def test_what_else_the_objective_reads_is_a_number():
    latex = r"\frac{1}{n}\sum_{i=1}^n (y_i - (w x_i + b))^2 + \lambda w^2"
    claim = {"w": r"-\frac{2}{n}\sum_{i=1}^n x_i(y_i - (w x_i + b)) + 2\lambda w"}
    found = sg.check_gradient(latex, claim, data={"x": "n", "y": "n"}, latex=True)
    assert found.ok
    # A letter whose capital is declared may be meant for it, and n for a length.
    for other in (r"\|X w - y\|^2 + x", r"\frac1n \|X w - y\|^2"):
        with pytest.raises(sg.FormulaError, match="not declared"):
            sg.check_gradient(other, {"w": "w"}, data={"X": "r x k", "y": "r"}, latex=True)
