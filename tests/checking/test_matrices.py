"""Gradients with inverses, determinants, products and selections: proved, and their certificates replayed."""

import pytest

import symgd as sg
from symgd.checking.replay import replay

RIGHT = [
    ("log(det(X))", "X", "inv(X).T", {}, {"X": "k x k"}),
    ("logdet(X)", "X", "inv(X.T)", {}, {"X": "k x k"}),
    ("slogdet(X)[1]", "X", "inv(X).T", {}, {"X": "k x k"}),
    ("det(X)", "X", "det(X)*inv(X).T", {}, {"X": "k x k"}),
    ("trace(inv(X))", "X", "-(inv(X) @ inv(X)).T", {}, {"X": "k x k"}),
    ("trace(inv(X))", "X", "-inv(X.T @ X.T)", {}, {"X": "3 x 3"}),
    ("trace(inv(A @ X))", "X", "-(inv(A @ X) @ inv(A @ X) @ A).T", {"A": "3 x 3"}, {"X": "3 x 3"}),
    ("trace(inv(A @ X))", "X", "-(inv(A @ X) @ inv(X)).T", {"A": "3 x 3"}, {"X": "3 x 3"}),
    ("a @ inv(X) @ b", "X", "-inv(X).T @ outer(a, b) @ inv(X).T", {"a": "k", "b": "k"}, {"X": "k x k"}),
    ("y @ solve(X, y)", "X", "-outer(solve(X.T, y), solve(X, y))", {"y": "k"}, {"X": "k x k"}),
    ("log(det(X.T @ X + a*eye(3)))", "X", "2*X @ inv(X.T @ X + a*eye(3))", {"a": ""}, {"X": "n x 3"}),
    ("trace(inv(c*X))", "c", "-trace(inv(X))/c**2", {}, {"X": "3 x 3", "c": ""}),
    ("prod(x)", "x", "prod(x)/x", {}, {"x": "n"}),
    ("prod(p**t*(1 - p)**(1 - t))", "p", "prod(p**t*(1 - p)**(1 - t))*(t/p - (1 - t)/(1 - p))", {"t": "n"}, {"p": "n"}),
    ("sum(cumsum(x)**2)", "x", "2*cumsum(cumsum(x)[::-1])[::-1]", {}, {"x": "5"}),
    ("sum(diag(X)**2)", "X", "2*diag(diag(X))", {}, {"X": "k x k"}),
]


@pytest.mark.parametrize(("formula", "name", "claim", "data", "params"), RIGHT)
def test_right_ones_are_proved(formula, name, claim, data, params):
    found = sg.check_gradient(formula, {name: claim}, data or None, params=params)[name]
    assert found.kind == "proved", str(found)
    assert replay(found.certificate, points=2).held > 0


WRONG = [
    ("log(det(X))", "inv(X)", {}, "transposed", ".T"),
    ("det(X)", "inv(X).T", {}, "chain-rule factor", "det(X)"),
    ("trace(inv(X))", "-(inv(X) @ inv(X))", {}, "transposed", ".T"),
    ("y @ inv(X) @ y", "inv(X).T @ outer(y, y) @ inv(X).T", {"y": "k"}, "sign", "-("),
]


@pytest.mark.parametrize(("formula", "claim", "data", "kind", "part"), WRONG)
def test_wrong_ones_are_refuted_with_their_cause(formula, claim, data, kind, part):
    found = sg.check_gradient(formula, {"X": claim}, data or None, params={"X": "k x k"})["X"]
    assert found.kind == "wrong"
    assert found.cause.kind == kind, found.cause
    assert part in found.cause.repair or part in found.cause.message
    assert found.cause.tested == "proved"


def test_right_where_the_matrix_is_symmetric():
    found = sg.check_gradient("x @ inv(A) @ x", {"x": "2*inv(A) @ x"}, {"A": "k x k"}, where="A is symmetric")["x"]
    assert found.kind == "right where"
    assert found.conditions == ("A is symmetric",)
    assert sg.check_gradient("x @ inv(A) @ x", {"x": "2*inv(A) @ x"}, {"A": "k x k"})["x"].kind == "wrong"
