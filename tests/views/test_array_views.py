"""How formulas of arrays are shown: NumPy text that runs and reads back, SymPy, LaTeX."""

import arrays
import numpy as np
import pytest
from arrays import EPS, Case
from hypothesis import HealthCheck, assume, given, settings
from scipy import special

from symgd import Objective, UsageError
from symgd.graph import Graph, whole
from symgd.language.functions import FUNCTIONS
from symgd.views import to_sympy, to_text

# Random formulas make squares of columns, of which people are warned.
pytestmark = pytest.mark.filterwarnings("ignore::symgd.SymgdWarning")

# Formula, shapes, its text, and that of its derivatives.
TEXTS = [
    ("mean((X @ w - y)**2)", "w(3) | X(7,3) y(7)", "=", ["2*X.T @ (X @ w - y)/len(X)"]),
    ("mean((y - X @ w)**2)", "w(3) | X(7,3) y(7)", "=", ["-2*X.T @ (y - X @ w)/len(y)"]),
    ("mean((y - w @ X.T)**2)", "w(3) | X(7,3) y(7)", "=", ["-2*X.T @ (y - X @ w)/len(y)"]),
    ("mean(softplus(X @ w) - y*(X @ w))", "w(3) | X(7,3) y(7)", "mean(logaddexp(0, X @ w) - y*(X @ w))",
     ["X.T @ (sigmoid(X @ w) - y)/len(X)"]),
    ("mean((y - (w*x + b))**2)", "w() b() | x(7) y(7)", "=",
     ["-2*mean(x*(y - (w*x + b)))", "-2*mean(y - (w*x + b))"]),
    ("mean((X @ w + b - y)**2) + 0.1*sum(w**2)", "w(3) b() | X(7,3) y(7)", "=",
     ["0.2*w + 2*X.T @ (X @ w + b - y)/len(X)", "2*mean(X @ w + b - y)"]),
    ("mean((y - relu(X @ w))**2)", "w(3) | X(7,3) y(7)", "mean((y - maximum(X @ w, 0))**2)",
     ["-2*X.T @ where(X @ w > 0, y - relu(X @ w), 0)/len(y)"]),
    ("mean((X @ W - Y)**2)", "W(3,2) | X(7,3) Y(7,2)", "=", ["2*X.T @ (X @ W - Y)/Y.size"]),
    ("-mean(sum(T*logsoftmax(X @ W + b), axis=1))", "W(3,4) b(4) | X(7,3) T(7,4)",
     "-mean(sum(T*special.log_softmax(X @ W + b, axis=1), axis=1))",
     ["-X.T @ (T - sum(T, axis=1, keepdims=True)*softmax(X @ W + b, axis=1))/len(T)",
      "-mean(T - sum(T, axis=1, keepdims=True)*softmax(X @ W + b, axis=1), axis=0)"]),
    ("mean(logsumexp(X @ W, axis=1) - sum(T*(X @ W), axis=1))", "W(3,4) | X(7,3) T(7,4)",
     "mean(special.logsumexp(X @ W, axis=1) - sum(T*(X @ W), axis=1))", ["X.T @ (softmax(X @ W, axis=1) - T)/len(X)"]),
    ("mean((y - tanh(X @ A + a) @ c)**2)", "A(2,3) a(3) c(3) | X(7,2) y(7)", "=",
     ["-2*c*(X.T @ ((y - tanh(X @ A + a) @ c)[:, None]/cosh(X @ A + a)**2))/len(y)",
      "-2*c*((1/cosh(X @ A + a).T**2) @ (y - tanh(X @ A + a) @ c))/len(y)",
      "-2*tanh(X @ A + a).T @ (y - tanh(X @ A + a) @ c)/len(y)"]),
    ("sum((R - U @ V.T)**2)", "U(4,2) V(3,2) | R(4,3)", "=", ["-2*(R - U @ V.T) @ V", "-2*(R.T - V @ U.T) @ U"]),
    ("mean((r - sum(U[u]*V[v], axis=1))**2) + 0.1*sum(U**2)", "U(4,2) V(3,2) | r(9) u(9)<4 v(9)<3", "=",
     ["g = zeros((4, 2))\ng += 0.2*U\nadd.at(g, u, -2*V[v]*(r - sum(U[u]*V[v], axis=1))[:, None]/len(r))",
      "g = zeros((3, 2))\nadd.at(g, v, -2*U[u]*(r - sum(U[u]*V[v], axis=1))[:, None]/len(r))"]),
    ("sum(100*(x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)", "x(6)", "=",
     ["g = zeros(6)\ng[1:] += 200*(x[1:] - x[:-1]**2)\ng[:-1] += -2*(1 - x[:-1]) - 400*x[:-1]*(x[1:] - x[:-1]**2)"]),
    ("0.5*x @ A @ x - b @ x", "x(3) | A(3,3) b(3)", "=", ["0.5*A @ x - b + 0.5*A.T @ x"]),
    ("x @ A @ x", "x(3) A(3,3)", "=", ["A.T @ x + A @ x", "outer(x, x)"]),
    ("sum(A @ x*b)", "A(2,3) x(3) | b(2)", "sum((A @ x)*b)", ["outer(b, x)", "A.T @ b"]),
    ("sum(tanh(x[:, None] + y)*A)", "x(3) y(2) | A(3,2)", "=", None),
    ("sum((A - mean(A, axis=1, keepdims=True))**2)", "A(3,4)", "=", None),
    ("sum(A/norm(A, axis=0))", "A(3,2)", "sum(A/linalg.norm(A, axis=0))", None),
    ("sum(std(A, axis=1) + var(A, axis=1))", "A(3,4)", "=", None),
    ("norm(X @ w - y)", "w(3) | X(7,3) y(7)", "linalg.norm(X @ w - y)",
     ["X.T @ (X @ w - y)/where(norm(X @ w - y) == 0, inf, norm(X @ w - y))"]),
    ("trace(A) + trace(A @ B)", "A(3,3) B(3,3)", "trace(A) + sum(A*B.T)", None),
    ("sum(x)", "x(3)", "=", ["ones(3)"]),
    ("mean(A)", "A(3,2)", "=", ["ones((3, 2))/6"]),
    ("sum(sum(A, axis=1)**2)", "A(2,3)", "=", ["2*outer(sum(A, axis=1), ones(3))"]),
    ("sum(x[u]**2)", "x(3) | u(6)~3", "=", ["g = zeros(3)\nadd.at(g, u, 2*x[u])"]),
    ("x[0]*x[-1] + x[1]", "x(6)", "x[0]*x[-1] + x[1]",
     ["g = zeros(6)\ng[0] += x[-1]\ng[-1] += x[0]\ng[1] += 1"]),
    ("sum(A[:, 0]*A[2])", "A(3,3)", "A[:, 0] @ A[2]", ["g = zeros((3, 3))\ng[:, 0] += A[2]\ng[2] += A[:, 0]"]),
    ("sum(A[u, v]) + A[0, 1]", "A(3,2) | u(5)<3 v(5)<2", "=",
     ["g = zeros((3, 2))\nadd.at(g, s_[u, v], 1)\ng[0, 1] += 1"]),
    ("g @ g[::-1]", "g(4)", "=", None),
    ("2*s", "s() x(3)", "=", ["2", "zeros(3)"]),
]  # fmt: skip

# What every construct is used in at least once.
MORE = [
    ("sum(mean(concatenate([w, X], axis=1), axis=(1, 0)), axis=0)", "w(2,1,4) | X(2,3,4)"),  # 4 of 3*4 places
    ("sum(sin(A @ B))", "A(2,3,2) B(2,2,3)"),
    ("sum(sin(A @ B))", "A(2,3,2) B(2,3)"),
    ("sum(sin(A @ B))", "A(3,2) B(2,2,3)"),
    ("sum(sin(A @ b)) + sum(cos(a @ A))", "A(2,3,2) b(2) a(3)"),
    ("sum(A.T*B)", "A(2,3,2) | B(2,3,2)"),
    ("sum(B.T*B) + sum(B[:, 0] @ B[:, :, 1])", "B(3,3,3)"),
    ("sum(tanh(B @ B)*B)", "B(3,3,3)"),
    ("sum(tanh(sum(A[:, :, None]*B*c, axis=1)))", "A(2,3) B(3,2) c(2)"),
    ("sum((A @ A.T @ A)**2)", "A(2,3)"),
    ("sum(X.T @ X*A)", "A(3,3) | X(3,3)"),
    ("sum((X.T*s) @ X*A)", "A(3,3) s(5) | X(5,3)"),
    ("sum((X @ A.T)[u]*A.T)", "A(3,3) | X(3,3) u(3)<3"),
    ("sum(X @ w)", "w(1) | X(3,1)"),
    ("mean((X @ W - y)**2)", "W(3,1) | X(7,3) y(7,1)"),
    ("mean(A)", "A(1,1,1)"),
    ("sum(x/y) + sum(A/x)", "x(3) y(3) A(2,3)"),
    ("sum(A/x @ y)", "x(3) y(3) A(2,3)"),
    ("sum(max(A, axis=1)*min(A, axis=-1)) + max(A) - min(A)", "A(3,4)"),
    ("sum(max(A, axis=(0, 1)))", "A(2,3,2)"),
    ("sum(sum(A, axis=(0, 2))**2)", "A(2,3,2)"),
    ("sum(A.mean(axis=0)*A.sum(axis=0))", "A(3,2)"),
    ("sum((A/(1 + sum(A**2, axis=1, keepdims=True)))**2)", "A(3,2)"),
    ("sum(A/(1 + sum(A**2, keepdims=True)))", "A(3,2)"),
    ("logsumexp(A) + sum(logsumexp(A, axis=0)**2)", "A(2,3)"),
    ("sum(softmax(x)**2) + sum(logsoftmax(A, axis=0)*B)", "x(4) A(2,3) | B(2,3)"),
    ("norm(x) + norm(A) + sum(norm(A, axis=1)**3)", "x(3) A(3,2)"),
    ("sum(X*w)/X.size + len(w)*sum(w**2)/X.shape[1]", "w(3) | X(2,3)"),
    ("mean(x)*sum(x)/len(y)*sum(y)", "x(3) | y(7)"),
    ("sum(x[:, None]*y[None, :] + outer(y, x).T)", "x(3) y(2)"),
    ("sum(tanh(A*B + c))", "A(2,1,3) B(4,1) c()"),
    ("sum(x[:, None, None]*A)", "x(2) A(2,2,3)"),
    ("sum(x[::2]**2*x[1::2]) + sum(x[::-2]**2)", "x(6)"),
    ("sum(x[3:0:-1]*x[:3]) + sum(x[-2:]*x[:2])", "x(5)"),
    ("sum((A[1:, 1:] - A[:-1, :-1])**2) + sum(A[::-1, ::2]**3)", "A(3,4)"),
    ("sum((x + y)[1:]**2) + sum((A @ B)[0]**2)", "x(3) A(2,3) B(3,2) | y(3)"),
    ("sum(U[u]**2*X) + sum(U[u, 0]*U[u, 1])", "U(3,2) | u(5)<3 X(5,2)"),
    ("sum(tanh(U[..., v])) + sum(U[0, :, v]**2)", "U(2,3,2) | v(4)<2"),
    ("sum(tanh(U[0, v])) + sum(U[-1, v]**2)", "U(2,3) | v(4)<3"),
    ("sum(U[u][:, None]*V[neg])", "U(3,2) V(4,2) | u(4)<3 neg(4,2)<4"),
    ("sum(tanh(x[neg]) @ y)", "x(3) y(2) | neg(4,2)<3"),
    ("sum(x[u][1:]*x[u[:-1]]) + sum(x[u][v]**2)", "x(3) | u(5)<3 v(2)<5"),
    ("sum(U[u] @ W @ U[u].T)", "U(3,2) W(2,2) | u(4)<3"),
    ("sum(A[u][:, u]*A) + sum(A[u, u]*x)", "A(3,3) x(3) | u(3)<3"),
    ("sum(B[u, v]*B[:, v, u])", "B(3,3,3) | u(3)<3 v(3)<3"),
    ("trace(A) + trace(A[u])*trace(A.T[:, u]) + trace(B)", "A(3,3) B(3,2) | u(3)<3"),
    ("sum(concatenate([x, y])**2*z) + sum(concatenate([x[1:], x[:1]])*x)", "x(2) y(3) | z(5)"),
    ("sum(concatenate([A, B], axis=1) @ x)", "A(2,1) B(2,2) x(3)"),
    ("sum(stack([x, y, x*y])**2*z)", "x(2) y(2) | z(3,2)"),
    ("norm(stack([s, t, s*t]))", "s() t()"),
    ("sum(x*arange(4)) + sum((x[1:] - arange(1, 4))**2) + sum(x*arange(1, 5)**-1)", "x(4)"),
    ("sum(x[arange(2)]**2)", "x(4)"),
    ("sum(where(X > 0, w*X, 0.1*w)) + sum((X > 0.2)*w**2)", "w(3) | X(4,3)"),
    ("sum(where((X > 0) & (X < 1), w, w**2))", "w(3) | X(4,3)"),
    ("sum(where(x[:, None] > x[None, :], x[:, None]*x, 0))", "x(4)"),
    ("sum(where(M > 0, (R - U @ V.T)**2, 0))", "U(4,2) V(3,2) | R(4,3) M(4,3)"),
    ("sum(where(M > 0, 0, (R - U @ V.T)**2))", "U(4,2) V(3,2) | R(4,3) M(4,3)"),
    ("sum(maximum(A, x)*minimum(A, 0.3)) + sum(clip(x, -0.5, 0.5)*x)", "A(3,2) x(2)"),
    ("sum(hypot(x, y) + logaddexp(x, y) + abs(x) + relu(x)*abs(y))", "x(3) y(3)"),
    ("sum(softplus(A) + erf(A)*sigmoid(A) + arctan(A) + exp(-A**2/2) + log(1 + A**2))", "A(2,3)"),
    ("sum(2**x + abs(x)**1.5 + (1 + x**2)**y)", "x(3) y(3)"),
    ("mean(softplus(-sum(C[c]*O[o], axis=1)) + sum(softplus(sum(C[c][:, None, :]*O[neg], axis=2)), axis=1))",
     "C(5,2) O(5,2) | c(7)<5 o(7)<5 neg(7,3)<5"),
    ("mean(logsumexp(C[c] @ O.T, axis=1) - sum(C[c]*O[o], axis=1))", "C(4,2) O(4,2) | c(6)<4 o(6)<4"),
    ("mean(min(sum((X[:, None, :] - C[None, :, :])**2, axis=2), axis=1))", "C(3,2) | X(7,2)"),
    ("mean((y[1:-1] - (k[0]*x[:-2] + k[1]*x[1:-1] + k[2]*x[2:]))**2)", "k(3) | x(8) y(8)"),
    ("mean((y - (X - mean(X, axis=0))/std(X, axis=0) @ w)**2)", "w(3) | X(6,3) y(6)"),
    ("-mean(sum(T*logsoftmax(relu(X @ W1 + b1) @ W2 + b2), axis=1))", "W1(3,4) b1(4) W2(4,3) b2(3) | X(6,3) T(6,3)"),
    ("mean(softmax(X @ W, axis=0)**2) + sum(mean(X*W[:, 0], axis=0)**2)", "W(3,3) | X(7,3)"),
    ("sum(a - y)**2 + sum((a*y)**2) + sum(softmax(a - y)*y)", "a(7) | y(7)"),
    ("sum(logsumexp(A[:, :, None] + A.T[None], axis=1)*A)", "A(3,3)"),
    ("sum(logsoftmax(A, axis=0)[:-1]*B)", "A(3,2) | B(2,2)"),
]  # fmt: skip

NUMPY = {name: getattr(np, name) for name in np.__all__} | {
    row.name: eval(f"lambda a, b=None, c=None: {row.numpy}", {"np": np, "special": special})
    for row in FUNCTIONS.values()
    if row.kind == "map" and row.name not in np.__all__
}
NUMPY |= {name: arrays.NUMPY[name] for name in ("logsumexp", "softmax", "logsoftmax", "norm", "e")}
# The error that float64 makes is bounded for the formula as it is written. The texts take other routes through the same
# terms, and their functions err by up to 8 units: as in the tests of the compiled derivatives, 64 covers both.
FACTOR = 64
FLOOR = 1e-30


def objective(text, case):
    shapes = {name: value.shape for name, value in case.point.items()}
    return Objective(text, data=case.data or None, params=shapes)


# What f.numpy() and f.gradient.numpy() say that they need, and nothing else.
PASTED = {}
exec("from numpy import *\nfrom scipy import special", PASTED)


def run(text, case, functions=NUMPY):
    """Run a text as NumPy: the value of an expression, or what statements leave in g or h."""
    names = {**functions, **case.data, **case.point}
    with np.errstate(all="ignore"):
        if "\n" not in text:
            return np.asarray(eval(text, names))
        exec(text, names)
        return np.asarray(names[text.split(" = ", maxsplit=1)[0]])


def near(found, wanted):
    return bool(np.all(abs(found - wanted.v) <= FACTOR * EPS * (wanted.e + abs(wanted.v)) + FLOOR))


def check(case):
    try:
        wanted = arrays.exact(case, case.flat(case.direction()))
    except arrays.OutOfReachError:
        assume(False)
    f = objective(case.text, case)
    text = f.numpy()
    assert near(run(text, case, PASTED), wanted.value), text
    again = objective(text, case)
    assert near(again.value(case.point), wanted.value), text
    first = 0
    for name, value in case.point.items():
        here = slice(first, first + value.size)
        first += value.size
        part = arrays.Rounded(wanted.gradient.v[here], wanted.gradient.e[here])
        for text, functions in ((f.gradient.text()[name], NUMPY), (f.gradient.numpy()[name], PASTED)):
            found = run(text, case, functions)
            assert found.shape == value.shape, text
            assert near(found.ravel(), part), (name, text)


@pytest.mark.parametrize(("text", "shapes", "written", "slopes"), TEXTS, ids=[t[0] for t in TEXTS])
def test_texts(text, shapes, written, slopes):
    case = Case(text, shapes)
    f = objective(text, case)
    assert f.numpy() == (text if written == "=" else written)
    assert slopes is None or list(f.gradient.text().values()) == slopes
    check(case)


@pytest.mark.parametrize(("text", "shapes"), MORE, ids=[f"{t} [{s}]" for t, s in MORE])
def test_texts_run_and_read_back(text, shapes):
    check(Case(text, shapes))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(case=arrays.cases())
def test_texts_of_random_formulas_run_and_read_back(case):
    check(case)


@pytest.mark.parametrize(
    ("text", "shapes", "written"),
    [
        ("sum(diff(x)**2)", "x(4)", "sum((x[1:] - x[:-1])**2)"),
        ("sum((x @ eye(3))**3)", "x(3)", "sum((x @ eye(3))**3)"),
        ("sum(diagonal(A)**2)", "A(3,3)", "sum(diagonal(A)**2)"),
        ("sum(transpose(A) @ ones(3) + zeros(2))", "A(3,2)", "sum(A)"),
    ],
)
def test_what_the_oracle_does_not_know(text, shapes, written):
    case = Case(text, shapes)
    f = objective(text, case)
    assert f.numpy() == written
    # A few roundings of numbers of the order of 1.
    assert run(written, case, PASTED) == pytest.approx(f.value(case.point), rel=1e-14)
    for name, slope in f.gradient_at(case.point).items():
        np.testing.assert_allclose(run(f.gradient.text()[name], case), slope, rtol=1e-13)


def test_a_text_that_cannot_be_written_is_refused():
    factors = [f"x[{', '.join(':' if axis == k else 'None' for axis in range(7))}]" for k in range(7)]
    f = Objective(f"sum(sin({' + '.join(factors)}))", params={"x": (2,)})
    with pytest.raises(UsageError, match="an array with 7 axes cannot be written as one NumPy expression"):
        f.numpy()


def test_any_order_of_axes_can_be_asked_for():
    graph = Graph()
    array = whole(graph, "parameter", "A", (2, 3, 4))
    a, b, c = array.axes
    point = np.arange(24.0).reshape(2, 3, 4)
    for axes, order in (((a, b, c), (0, 1, 2)), ((c, b, a), (2, 1, 0)), ((b, a, c), (1, 0, 2)), ((c, a, b), (2, 0, 1))):
        text = to_text(graph.map("exp", array.node), graph=graph, axes=axes)
        np.testing.assert_array_equal(eval(text, NUMPY | {"A": point}), np.exp(point).transpose(order))


# ---- SymPy and LaTeX -------------------------------------------------------------------------------------------------

ELEMENTS = [
    ("mean((X @ w - y)**2)", "w(3) | X(4,3) y(4)"),
    ("mean((X @ w - y)**2) + 0.1*norm(w)", "w(3) | X(4,3) y(4)"),
    ("-mean(sum(T*logsoftmax(X @ W + b), axis=1))", "W(2,3) b(3) | X(3,2) T(3,3)"),
    ("mean((r - sum(U[u]*V[v], axis=1))**2) + 0.1*sum(U**2)", "U(3,2) V(2,2) | r(4) u(4)<3 v(4)<2"),
    ("sum(U[u][:, None]*V[neg])", "U(3,2) V(4,2) | u(4)<3 neg(4,2)<4"),
    ("sum(100*(x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)", "x(4)"),
    ("sum(x[::2]**2*x[1::2]) + sum(x[::-2]**2) + x[-1]**3", "x(6)"),
    ("sum((x - mean(x))**2) + sum(x*arange(4)) + sum(x[arange(2)]**3)", "x(4)"),
    ("x @ A @ x + trace(A)*sum(A[:, 0]*A[1]) + sum(A*A.T)", "x(3) A(3,3)"),
    ("sum(concatenate([x, y])**2*z)", "x(2) y(3) | z(5)"),
    ("sum(where(x[:, None] > x, outer(x, x), relu(x)))", "x(3)"),
    ("mean((X @ W - y)**2)", "W(2,1) | X(3,2) y(3,1)"),
]


def number(expression, case, indices=None):
    """The value of a SymPy expression: rows are counted from 1, and what index arrays say too."""
    import sympy

    rows = next((len(v) for v in case.data.values()), 0)
    at = {s: (indices or {}).get(s, rows) for s in expression.free_symbols if s.is_integer}
    expression = expression.subs(at).doit()
    values = case.point | case.data
    while found := {i for i in expression.atoms(sympy.Indexed) if all(k.is_Integer for k in i.indices)}:
        known = {}
        for indexed in found:
            value = values[str(indexed.base.label)][tuple(int(k) - 1 for k in indexed.indices)]
            known[indexed] = sympy.Integer(value + 1) if isinstance(value, np.integer) else sympy.Float(value)
        expression = expression.xreplace(known).doit()
    return float(expression.subs({s: float(values[s.name]) for s in expression.free_symbols}))


@pytest.mark.parametrize(("text", "shapes"), ELEMENTS)
def test_sympy_elements_have_the_values_of_the_gradient(text, shapes):
    case = Case(text, shapes)
    f = objective(text, case)
    graph, root = f.model.written
    # The same sums in another order.
    assert number(to_sympy(root, graph=graph), case) == pytest.approx(f.value(case.point), rel=1e-12)
    for name, slope in f.gradient_at(case.point).items():
        partial = f.gradient[name]
        for place in np.ndindex(slope.shape):
            at = dict(zip(partial.indices, (k + 1 for k in place), strict=True))
            assert number(partial.sympy, case, at) == pytest.approx(slope[place], rel=1e-12, abs=1e-14)


def shown(text, shapes):
    f = objective(text, Case(text, shapes))
    return f.gradient


def test_latex_of_one_element():
    gradient = shown("mean((X @ w + b - y)**2)", "w(3) b() | X(7,3) y(7)")
    assert gradient.latex() == (
        r"\begin{aligned}\frac{\partial f}{\partial w_{j}} &= \frac{2}{n} \sum_{i=1}^{n} "
        r"\left(b - y_{i} + \sum_{k=1}^{3} X_{i,k} w_{k}\right) X_{i,j} \\ \frac{\partial f}{\partial b} &= "
        r"\frac{2}{n} \sum_{i=1}^{n} \left(b - y_{i} + \sum_{j=1}^{3} X_{i,j} w_{j}\right)\end{aligned}"
    )
    assert gradient._repr_latex_() == f"${gradient.latex()}$"
    assert gradient["w"]._repr_latex_().startswith(r"$\frac{\partial f}{\partial w_{j}} = \frac{2}{n} \sum_{i=1}^{n}")


def test_latex_of_slices_and_gathered_elements():
    assert shown("sum(x[1:]*x[:-1])", "x(4)")["x"].latex() == (
        r"\begin{cases} x_{i + 1} & \text{for}\: i \leq 3 \\0 & \text{otherwise} \end{cases} + "
        r"\begin{cases} x_{i - 1} & \text{for}\: i \geq 2 \\0 & \text{otherwise} \end{cases}"
    )
    assert shown("sum(U[u]**2)", "U(4,2) | u(5)<4")["U"].latex() == r"\sum_{i=1}^{n} 2 \delta_{j u_{i}} U_{u_{i},k}"


# ---- what users hold -------------------------------------------------------------------------------------------------


def test_gradients_of_arrays_are_shown_as_numpy_text():
    gradient = shown("mean((X @ w + b - y)**2) + sum(x[u])", "w(3) b() x(4) | X(7,3) y(7) u(5)<4")
    assert repr(gradient) == (
        "{'w': 2*X.T @ (X @ w + b - y)/len(X), 'b': 2*mean(X @ w + b - y), 'x': g = zeros(4); add.at(g, u, 1)}"
    )
    partial = gradient["w"]
    assert repr(partial) == partial.text == "2*X.T @ (X @ w + b - y)/len(X)"
    assert partial.shape == (3,)
    assert str(partial.by) == "w[j]"
    assert str(gradient["b"]) == "2*Sum(b - y[i] + Sum(X[i, j]*w[j], (j, 1, 3)), (i, 1, n))/n"
    assert partial == gradient["w"]
    assert partial != gradient["x"]
    assert len({partial, gradient["w"]}) == 1


def test_a_parameter_that_does_not_matter_has_derivative_0():
    gradient = shown("s**2 + 0*t", "s() t() A(2,3)")
    assert gradient.text() == {"s": "2*s", "t": "0", "A": "zeros((2, 3))"}
    assert gradient["A"].sympy == 0
    assert gradient["t"] == 0
    assert r"\frac{\partial f}{\partial A_{i,j}} &= 0" in gradient.latex()


def test_the_same_gradients_are_equal():
    shapes = "w(3) b() | X(7,3) y(7)"
    assert shown("mean((X @ w + b - y)**2)", shapes) == shown("mean((X @ w + b - y)**2)", shapes)
    assert shown("mean((X @ w + b - y)**2)", shapes) != shown("mean((X @ w - b - y)**2)", shapes)
