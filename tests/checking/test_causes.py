"""Causes of wrong derivatives: what a person did, and a repair that is proved."""

import pytest

import symgd as sg

XY = {"X": "n x k", "y": "n"}

WRONG = [
    ("x**2*y", {"x": "x**2"}, None, "another parameter", "derivative by y"),
    ("sum((X @ w - y)**2)", {"w": "2*X @ (X @ w - y)"}, XY, "transposed", "X is transposed"),
    ("sum((r - Y @ x)**2)", {"x": "2*sum(r - Y @ x)*x"}, {"r": "n", "Y": "n x k"}, "term", "multiplied out"),
    ("-sum(x*logsoftmax(A.T @ v))", {"v": "A.T @ (softmax(A.T @ v) - x)"}, {"x": "k", "A": "k x k"}, "transposed", "A"),
    ("sum((Y - X @ B @ X.T)**2)", {"X": "4*(Y - X @ B @ X.T) @ X @ B"}, {"Y": "k x k", "B": "k x k"}, "sign", "sign"),
    ("sum(where(abs(p - y) <= 2, (p - y)**2/2, 2*abs(p - y) - 2))", {"p": "where(p - y <= 2, p - y, 2*sign(p - y))"},
     {"y": "n"}, "abs", "abs is missing"),
    ("sum(sin(x)*cos(x))", {"x": "cos(x)**2"}, None, "product rule", "sin(x)**2"),
    ("sum((x - 1)**4)", {"x": "4*(x - 1)**2"}, None, "exponent", "off by one"),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "gradient", "data", "kind", "said"), WRONG)
def test_the_cause_is_named_and_its_repair_holds(formula, gradient, data, kind, said):
    ((_, verdict),) = sg.check_gradient(formula, gradient, data).items()
    assert verdict.kind == "wrong"
    assert kind in verdict.cause.kind, verdict.cause
    assert said in verdict.cause.message
    assert verdict.cause.tested.startswith(("proved", "right where")), verdict.cause


HESSIANS = [
    ("sum((y - X @ w)**2) + a*w @ w", "w,w", "2*X.T @ X", {**XY, "a": ""}, "missing term", "eye("),
    (
        "-sum(t*logsoftmax(z))",
        "z,z",
        "diag(softmax(z)*(1 - softmax(z)))",
        {"t": "4"},
        "missing term",
        "outer(softmax(z)",
    ),
    ("sum(exp(x)) + x[0]*x[1]", "x,x", "diag(x)", None, "", ""),
]


@pytest.mark.parametrize(("formula", "key", "claim", "data", "kind", "part"), HESSIANS)
def test_what_second_derivatives_lack(formula, key, claim, data, kind, part):
    params = {"x": 3} if "exp(x)" in formula else {"z": 4} if "z" in key else None
    found = sg.check_hessian(formula, {key: claim}, data, params=params)[key]
    assert found.kind == "wrong"
    if kind:
        assert kind in found.cause.kind, found.cause
        assert part in found.cause.repair
        assert found.cause.tested.startswith(("proved", "right where"))
