"""Hand-derived gradients against exact ones: verdicts, causes, counterexamples, files, functions, certificates."""

import dataclasses
import json
from fractions import Fraction

import numpy as np
import pytest
from click.testing import CliRunner

import symgd as sg
from symgd.checking import conditions
from symgd.checking.prove.terms import Poly
from symgd.checking.replay import ReplayError, replay
from symgd.checking.spelling import plain
from symgd.cli import main
from symgd.errors import DataError, FormulaError, UsageError
from symgd.testing import assert_gradient

XY = {"X": "n x k", "y": "n"}
YHAT = "((w*x)**3 + 50*(w*x)**2 + 10*w*x)/1000"
CUBIC = f"2*sum((3*w**2*x**3/1000 + w*x**2/10 + x/100)*({YHAT} - y))"


def kinds(found):
    return {name: verdict.kind for name, verdict in found.items()}


RIGHT = [
    (f"sum((y - {YHAT})**2)", {"w": CUBIC}, ("x", "y")),
    ("mean((y - X @ t)**2)", {"t": "(2/len(y))*X.T @ (X @ t - y)"}, ("X", "y")),
    ("sin(x)*sin(y)", {"x": "cos(x)*sin(y)", "y": "cos(y)*sin(x)"}, None),
    ("mean((y - (w*x + b))**2)", {"w": "-2/n*sum(x*(y - (w*x + b)))", "b": "-2*mean(y - w*x - b)"},
     {"x": "n", "y": "n"}),
    ("(5*x**2 + y**2)/2", {"x": "5*x", "y": "y"}, None),
    ("x**2 - 4*x + 5", {"x": "2*x - 4"}, None),
    ("0.2*x1**2 + x2**2", {"x1": "0.4*x1", "x2": "2*x2"}, None),
    ("x*cos(x) + 9", {"x": "cos(x) - x*sin(x)"}, None),
    ("mean(softplus(X @ w) - y*(X @ w))", {"w": "X.T @ (1/(1 + exp(-X @ w)) - y)/len(y)"}, XY),
    ("mean(maximum(0, 1 - y*(X @ w)))", {"w": "-X.T @ (y*(y*(X @ w) < 1))/len(y)"}, XY),
    ("logsumexp(z)", {"z": "exp(z - max(z))/sum(exp(z - max(z)))"}, None),
    ("a @ b/(norm(a)*norm(b))", {"a": "b/(norm(a)*norm(b)) - (a @ b)*a/(norm(a)**3*norm(b))"}, {"b": "k"}),
    ("sum(sigmoid(X @ W) @ v)", {"W": "X.T @ (sigmoid(X @ W)*(1 - sigmoid(X @ W))*v)"}, {"X": "n x k", "v": "h"}),
    ("sum((P - A @ B.T)**2)", {"A": "-2*(P - A @ B.T) @ B", "B": "-2*(P - A @ B.T).T @ A"}, {"P": "n x m"}),
    ("sum(where(abs(r) <= 1, r**2/2, abs(r) - 1/2))", {"r": "maximum(-1, minimum(1, r))"}, None),
    ("x**y", {"x": "y*x**(y - 1)", "y": "x**y*log(x)"}, None),
    ("lgamma(x + 1)", {"x": "digamma(x) + 1/x"}, None),
    ("sin(2*x)", {"x": "2*cos(x)**2 - 2*sin(x)**2"}, None),
    ("-mean(logsoftmax(X @ W, axis=1)[arange(len(X)), y])",
     {"W": "X.T @ (softmax(X @ W, axis=1) - eye(4)[y])/len(X)"}, {"X": "6 x 3", "y": "6"}),
    ("sum((k[0]*x[2:] + k[1]*x[1:-1] - y)**2)",
     {"k": "2*stack([x[2:], x[1:-1]]) @ (k[0]*x[2:] + k[1]*x[1:-1] - y)"}, {"x": "7", "y": "5"}),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "gradient", "data"), RIGHT)
def test_right_ones_are_proved(formula, gradient, data):
    params = {"W": "3 x 4"} if "eye(4)" in str(gradient) else {"k": 2} if "k[0]" in formula else None
    found = sg.check_gradient(formula, gradient, data, params=params)
    assert set(kinds(found).values()) == {"proved"}, str(found)
    assert found.ok
    for verdict in found.values():
        assert replay(verdict.certificate, points=2).held > 0


WRONG = [
    (f"mean((y - {YHAT})**2)", {"w": CUBIC}, ("x", "y"), "factor", "1/n"),
    ("sum((y - X @ w)**2)", {"w": "2*X.T @ (y - X @ w)"}, XY, "sign", "minus the derivative"),
    ("sum((y - X @ w)**2) + a*sum(w**2)", {"w": "-2*X.T @ (y - X @ w)"}, {**XY, "a": ""}, "regulariser", "forgotten"),
    ("sum((y - X @ w)**2) + a*sum(w**2)", {"w": "-2*X.T @ (y - X @ w) + a*w"}, {**XY, "a": ""}, "regulariser",
     "factor 2"),
    ("x @ A @ x", {"x": "A @ x"}, {"A": "k x k"}, "product rule", "half applied"),
    ("x @ A @ z", {"A": "outer(z, x)"}, {"x": "k", "z": "k"}, "transposed", "transposed"),
    ("sum(exp(2*x))", {"x": "exp(2*x)"}, None, "factor", "factor 2"),
    ("sum(log(cosh(x)))", {"x": "tanh(x)**2"}, None, "exponent", "off by one"),
    ("sum(log1p(p) - log(q))", {"q": "-1/p"}, None, "another variable", "p stands where q"),
    ("norm(X @ w - y)", {"w": "X.T @ (X @ w - y)"}, XY, "chain-rule factor", "norm(X @ w - y)"),
    ("maximum(0, a @ x + 1)", {"x": "a"}, {"a": "k"}, "mask", "up to a mask"),
    ("mean(softplus(X @ w) - y*(X @ w))", {"w": "X.T @ (X @ w - y)/len(y)"}, XY, "link function", "forgotten"),
    ("a @ b", {"a": "a*0 + sum(b)"}, {"b": "k"}, "sum", "where there should be none"),
    ("trace(X @ X @ B)", {"X": "(X @ B + B @ X)"}, {"B": "k x k"}, "transposed", "transposed"),
    ("x**3 + 2*x", {"x": "3*x**2"}, None, "missing term", "missing"),
    ("x**3", {"x": "3*x**2 + x"}, None, "extra term", "too much"),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "gradient", "data", "kind", "said"), WRONG)
def test_wrong_ones_are_refuted_with_cause_repair_and_counterexample(formula, gradient, data, kind, said):
    found = sg.check_gradient(formula, gradient, data)
    ((name, verdict),) = found.items()
    assert verdict.kind == "wrong"
    assert not found.ok
    assert kind in verdict.cause.kind, verdict.cause
    assert said in verdict.cause.message
    assert verdict.cause.tested.startswith(("proved", "right"))
    again = sg.check_gradient(formula, {name: verdict.cause.repair}, data)
    assert again[name].kind in ("proved", "right where")
    assert verdict.counterexample.yours != pytest.approx(verdict.counterexample.exact, rel=1e-6)
    assert "WRONG" in str(found)
    assert all(len(line) <= 88 or "repair" in line for line in str(found).splitlines())


def test_a_small_error_in_one_coefficient_is_found():
    assert sg.check_gradient("3*sin(x)", {"x": "3.000000003*cos(x)"})["x"].kind == "wrong"
    found = sg.check_gradient("1e8*(x - 1)**2 + 1e-8*(y - 2)**2", {"x": "2e8*(x - 1)", "y": "3e-8*(y - 2)"})
    assert kinds(found) == {"x": "proved", "y": "wrong"}


def test_conditions_are_found_given_and_read_off_data():
    claim = {"Z": "softmax(Z, axis=1) - T"}
    formula = "-sum(T*log(softmax(Z, axis=1)))"
    found = sg.check_gradient(formula, claim, {"T": "n x k"}, params={"Z": "n x k"})["Z"]
    assert (found.kind, found.conditions) == ("right where", ("each row of T sums to 1",))
    T = np.eye(3)[[0, 2, 1, 1]]
    assert sg.check_gradient(formula, claim, {"T": T}, params={"Z": (4, 3)})["Z"].kind == "right where"
    T = np.arange(12.0).reshape(4, 3)
    assert sg.check_gradient(formula, claim, {"T": T}, params={"Z": (4, 3)})["Z"].kind == "wrong"
    square = ("x @ A @ x/2", {"x": "A @ x"}, {"A": "k x k"})
    assert sg.check_gradient(*square)["x"].kind == "wrong"
    assert sg.check_gradient(*square, where="A is symmetric")["x"].kind == "right where"


def test_unknown_conditions_are_refused():
    with pytest.raises(UsageError, match="no condition that is known"):
        sg.check_gradient("x @ A @ x", {"x": "A @ x"}, {"A": "k x k"}, where="A is nice")
    for kind, row in conditions.KINDS.items():
        said = row.said.format("A")
        assert conditions.parse(said, {"A"})[0].kind == kind
    assert [c.name for c in conditions.parse("A and B symmetric; y in {0, 1}", {"A", "B", "y"})] == ["A", "B", "y"]


def test_hessians_and_jacobians():
    found = sg.check_hessian("arctan2(y, x)", [["2*x*y/(x**2 + y**2)**2", "(y**2 - x**2)/(x**2 + y**2)**2"],
                                               ["(y**2 - x**2)/(x**2 + y**2)**2", "2*x*y/(x**2 + y**2)**2"]],
                             params=("x", "y"))  # fmt: skip
    assert list(kinds(found).values()) == ["proved", "proved", "proved", "wrong"]
    assert found["y", "y"].cause.kind == "sign"
    block = sg.check_hessian("norm(A @ x - b)", {"x,x": "A.T @ A/norm(A @ x - b) - outer(A.T @ (A @ x - b), "
                             "A.T @ (A @ x - b))/norm(A @ x - b)**3"}, {"A": "n x k", "b": "n"})  # fmt: skip
    assert block["x,x"].kind == "proved"
    rows = sg.check_jacobian("tanh(X @ w)", {"w": "(1 - tanh(X @ w)**2)[:, None]*X"}, {"X": "n x k"}, params={"w": "k"})
    assert rows["w"].kind == "proved"
    listed = sg.check_jacobian(["x*y", "x + y"], [["y", "x"], ["1", "2"]])
    assert kinds(listed) == {"0,x": "proved", "0,y": "proved", "1,x": "proved", "1,y": "wrong"}


def test_shapes_that_do_not_fit_are_a_finding():
    found = sg.check_gradient("sum((X @ w - y)**2)", {"w": "2*(X @ w - y)[:, None]*X"}, XY)["w"]
    assert found.kind == "wrong"
    assert "shape" in found.reason
    assert "sum over axis 0 is missing" in found.cause.message


def test_mistakes_in_the_call_are_errors():
    with pytest.raises(UsageError, match="no parameter 'v'"):
        sg.check_gradient("w**2", {"v": "2*w"})
    with pytest.raises(FormulaError, match="unknown function"):
        sg.check_gradient("w**2", {"w": "sinn(w)"})
    with pytest.raises(UsageError, match="mapping of parameters"):
        sg.check_gradient("w**2", {})
    with pytest.raises(UsageError, match="lengths such as"):
        sg.check_gradient("sum(w*x)", {"w": "x"}, {"x": "n by k"})
    with pytest.raises(FormulaError, match="must be one number"):
        sg.check_gradient("w*x", {"w": "x"}, {"x": "n"})


def test_functions():
    def slope(v):
        return np.array([2e8 * (v[0] - 1), 2e-8 * (v[1] - 2) * 1.0000001])

    found = sg.check_gradient("1e8*(x - 1)**2 + 1e-8*(y - 2)**2", slope)
    assert kinds(found) == {"x": "verified", "y": "wrong"}
    both = sg.check_gradient("sum(exp(x))", lambda x: (np.exp(x).sum(), np.exp(x)), params={"x": 3})
    assert both["x"].kind == "verified"
    single = sg.check_gradient("sum(exp(x))", {"x": lambda x: np.exp(x).astype(np.float32)}, params={"x": 3})["x"]
    assert single.kind == "verified"
    assert "single precision" in single.notes[0]
    kink = sg.check_gradient("sum(abs(x))", {"x": lambda x: np.where(x >= 0, 1.0, -1.0)}, params={"x": 3})["x"]
    assert kink.kind == "verified"
    assert "kink" in kink.notes[0]
    second = sg.check_hessian("x**2*y", lambda v: np.array([[2 * v[1], 2 * v[0]], [2 * v[0], 0.0]]))
    assert set(kinds(second).values()) == {"verified"}
    with pytest.raises(UsageError, match="the gradient by x, y has 2"):
        sg.check_gradient("x*y", lambda v: np.zeros(3))


def test_spellings():
    assert plain("b1*(1 − Exp[-b2*x])") == "b1*(1 - exp(-b2*x))"
    assert plain("X[0] + Log[x[1]]") == "X[0] + log(x[1])"
    assert sg.check_gradient("Exp[-θ^2]", {"θ": "−2*θ*exp[-θ^2]"}).ok


def test_files(tmp_path):
    text = tmp_path / "model.txt"
    text.write_text("# a model\nf = b1*(1 - exp[-b2*x])\ndata x\ndf/db1 = 1 - exp[-b2*x]\nd2f/db1db2 = x*exp[-b2*x]\n"
                    "d2f/db2^2 = b1*x^2*exp[-b2*x]\n")  # fmt: skip
    first, second = sg.check_file(text)
    assert kinds(first) == {"b1": "proved"}
    assert kinds(second) == {"b1,b2": "proved", "b2,b2": "wrong"}
    assert second["b2,b2"].cause.kind == "sign"
    other = tmp_path / "model.json"
    other.write_text(json.dumps({"formula": "x**2", "gradient": {"x": "2*x"}}))
    assert sg.check_file(other)[0].ok
    text.write_text("f = x\nnonsense\n")
    with pytest.raises(DataError, match="line 2"):
        sg.check_file(text)
    with pytest.raises(DataError, match="cannot be read"):
        sg.check_file(tmp_path / "none.txt")


def test_command():
    run = CliRunner().invoke
    good = run(main, ["check", "x**2", "--grad", "x=2*x", "--json"])
    assert good.exit_code == 0
    assert json.loads(good.stdout)["verdict"] == {"x": "proved"}
    bad = run(main, ["check", "sum((X @ w - y)**2)", "--grad", "w=X.T @ (X @ w - y)", "--data-names", "X,y",
                     "--shape", "X=nxk,y=n,w=k", "--json"])  # fmt: skip
    assert bad.exit_code == 1
    detail = json.loads(bad.stdout)["details"]["w"]
    assert {"counterexample", "yours", "exact", "cause"} <= set(detail)
    assert run(main, ["check", "x**2"]).exit_code == 2
    assert run(main, ["check", "x**2", "--grad", "x=2*"]).exit_code == 2


def test_assertion_for_tests():
    assert_gradient("x**2", {"x": "2*x"}, proved=True)
    with pytest.raises(AssertionError, match="cause: the sign is wrong"):
        assert_gradient("x**2", {"x": "-2*x"})


def test_objective_has_the_same():
    g = sg.Objective("mean((y - X @ w)**2)", data={"X": np.ones((5, 3)), "y": np.zeros(5)}, params={"w": 3})
    assert g.check_gradient({"w": "-2*X.T @ (y - X @ w)/len(y)"}).ok
    assert g.check_hessian({"w,w": "2*X.T @ X/len(y)"}).ok


def test_a_certificate_that_was_tampered_with_does_not_replay():
    certificate = sg.check_gradient("log(1 + exp(x))", {"x": "sigmoid(x)"})["x"].certificate
    assert replay(certificate).skipped == ()
    last = certificate.lines[-1]
    wrong = dataclasses.replace(last, form=last.form.plus(Poly({((), ()): Fraction(1, 7)})))
    with pytest.raises(ReplayError, match=f"#{last.number}"):
        replay(dataclasses.replace(certificate, lines=(*certificate.lines[:-1], wrong)))


def test_reports_are_data_and_html():
    found = sg.check_gradient("x**2", {"x": "3*x"})
    json.dumps(found.to_dict(), allow_nan=False)
    assert "<table>" in found._repr_html_()
    with pytest.raises(dataclasses.FrozenInstanceError):
        found["x"].kind = "proved"


def test_functions_of_torch():
    torch = pytest.importorskip("torch")

    def slope(w, X, y):
        w = w.clone().requires_grad_(True)
        ((X @ w - y) ** 2).sum().backward()
        return w.grad

    assert sg.check_gradient("sum((X @ w - y)**2)", {"w": slope}, XY)["w"].kind == "verified"
    half = {"w": lambda w, X, y: 1.5 * X.T @ (torch.mv(X, w) - y)}
    assert sg.check_gradient("sum((X @ w - y)**2)", half, XY)["w"].cause.kind == "factor"


def test_a_function_of_jax():
    jax = pytest.importorskip("jax")
    slope = jax.grad(lambda w, X, y: ((X @ w - y) ** 2).sum())
    found = sg.check_gradient("sum((X @ w - y)**2)", {"w": slope}, XY)["w"]
    assert found.kind == "verified"
    assert "single precision" in found.notes[0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sg.check_hessian("x**2", 5), "the Hessian must be a list or a mapping; got 5"),
        (lambda: sg.check_hessian("x**2", [5]), "a row of the Hessian must be a list or a mapping; got 5"),
        (lambda: sg.check_hessian("x**2", {1: "2"}), "a second derivative is by two parameters, such as 'x,y'; got 1"),
        (lambda: sg.check_hessian("x**2", {("x", 1): "2"}), "a second derivative is by two parameters"),
        (lambda: sg.check_jacobian(5, [["1"]]), "the formulas must be a list or a mapping; got 5"),
        (lambda: sg.check_jacobian(["x"], np.array(1)), "the Jacobian must be a list or a mapping"),
        (lambda: sg.check_jacobian(["x", "x*y"], [["1"], ["y"]]), "by x, y has 2 entries; got 1"),
        (lambda: sg.check_gradient("x**2", {"x": "2*x"}, params=5), "params=5 must be the names of parameters"),
        (lambda: sg.check_gradient("x**2", {"x": "2*x"}, params=[1]), r"params=\[1\] must be the names"),
        (lambda: sg.check_gradient("x**2", {"x": "2*x"}, where=5), "where=5 must be a condition, such as 'x > 0'"),
        (lambda: sg.check_gradient("x**2", lambda x: None), "the function must return numbers; it returned None"),
    ],
)
def test_odd_arguments_are_refused(call, message):
    with pytest.raises(sg.UsageError, match=message):
        call()


def test_names_of_columns_may_stand_where_files_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke(main, ["check", "mean((y - w*x)**2)", "--grad", "w=-2*mean(x*(y - w*x))", "--data", "x,y"])
    assert run.exit_code == 0, run.output
    assert "proved" in run.output
    run = CliRunner().invoke(main, ["check", "mean((y - w*x)**2)", "--grad", "w=x", "--data", "missing.csv"])
    assert run.exit_code == 2
    assert "there is no file" in run.output
