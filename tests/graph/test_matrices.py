"""Inverses, determinants, products and selections in formulas: against NumPy, and differences in 60 digits."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import symgd as sg
from symgd import FormulaError, Objective, ShapeError
from symgd.graph import elimination
from symgd.kernel import threads
from symgd.kernel.machine import matrices

# The matrices here have condition numbers below 100, and a handful of rows: what rounding makes of them is far below
# this share of the largest number.
NEAR = 1e-12
DIGITS = 60


# ---- the oracle: a formula as Python, on arrays of mpmath's numbers --------------------------------------------------


def _entrywise(function):
    return np.frompyfunc(function, 1, 1)


def _mp(array):
    return mp.matrix(array.tolist())


def _inv(array):
    return np.array(mp.inverse(_mp(array)).tolist(), dtype=object)


def _slogdet(array):
    value = mp.det(_mp(array))
    return mp.sign(value), mp.log(abs(value))


def _logsumexp(array):
    return mp.log(sum(mp.exp(a) for a in np.ravel(array)))


MANY = {name: getattr(np, name) for name in np.__all__ if name not in ("long", "ulong")} | {
    "np": np,
    "inv": _inv,
    "solve": lambda a, b: _inv(a) @ b,
    "det": lambda a: mp.det(_mp(a)),
    "slogdet": _slogdet,
    "logabsdet": lambda a: _slogdet(a)[1],
    "logdet": lambda a: mp.log(mp.det(_mp(a))),
    "logsumexp": _logsumexp,
    "len": len,
    "softplus": lambda a: np.logaddexp(0, a),
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    **{name: _entrywise(getattr(mp, name)) for name in ("exp", "log", "sqrt", "sin", "tanh")},
}
PLAIN = MANY | {
    "inv": np.linalg.inv,
    "solve": np.linalg.solve,
    "det": np.linalg.det,
    "slogdet": np.linalg.slogdet,
    "logabsdet": lambda a: np.linalg.slogdet(a)[1],
    "logdet": lambda a: np.log(np.linalg.det(a)),
    "logsumexp": lambda a: np.log(np.sum(np.exp(a))),
    **{name: getattr(np, name) for name in ("exp", "log", "sqrt", "sin", "tanh")},
}


def bare(text):
    """A formula without NumPy's prefixes."""
    return text.replace("np.linalg.", "").replace("np.", "")


def exactly(values):
    return {n: np.vectorize(mp.mpf, otypes=[object])(v) if np.ndim(v) else mp.mpf(v) for n, v in values.items()}


def many(text, point, data):
    fixed = {n: v if np.asarray(v).dtype.kind in "bi" else exactly({n: v})[n] for n, v in data.items()}
    with np.errstate(all="ignore"):
        return eval(bare(text), dict(MANY), point | fixed)


def moved(point, *steps):
    for direction, size in steps:
        point = {name: value + size * direction[name] for name, value in point.items()}
    return point


def slope(text, point, data, v):
    """The derivative along v, by a central difference whose error is far below that of float64."""
    with mp.workdps(DIGITS):
        h = mp.mpf(10) ** -20
        up, down = (many(text, moved(exactly(point), (exactly(v), s * h)), data) for s in (1, -1))
        return float((up - down) / (2 * h))


def curvature(text, point, data, u, v):
    with mp.workdps(DIGITS):
        h = mp.mpf(10) ** -14
        corners = [
            s * t * many(text, moved(exactly(point), (exactly(u), s * h), (exactly(v), t * h)), data)
            for s in (1, -1)
            for t in (1, -1)
        ]
        return float(sum(corners) / (4 * h**2))


def direction(point, seed):
    random = np.random.default_rng(seed)
    return {name: np.round(random.uniform(-1, 1, np.shape(v)), 3)[()] for name, v in point.items()}


def inner(a, b):
    return float(sum(np.sum(np.asarray(a[name]) * b[name]) for name in a))


def plainly(text, point, data):
    with np.errstate(all="ignore"):
        return eval(text, dict(PLAIN), {n: np.asarray(v, float)[()] for n, v in point.items()} | data)


def check(text, point, data, tier, second=True):
    """Value, gradient and Hessian of a formula against NumPy and many digits."""
    data = {name: np.asarray(v) for name, v in data.items()}
    f = Objective(text, data=data or None, params={n: np.shape(v) for n, v in point.items()}, tier=tier)
    value = f.value(point)
    assert value == pytest.approx(plainly(text, point, data), rel=NEAR, abs=NEAR)
    gradient = f.gradient_at(point)
    size = 1 + max(float(np.max(np.abs(g))) for g in gradient.values())
    for name, shape in ((n, np.shape(v)) for n, v in point.items()):
        for place in np.ndindex(*shape):
            unit = {n: np.zeros(np.shape(v))[()] for n, v in point.items()}
            unit[name] = 1.0 if not shape else _unit(shape, place)
            assert np.asarray(gradient[name])[place] == pytest.approx(slope(text, point, data, unit), abs=NEAR * size)
    if not second:
        return
    flat = f.hessian_at(point)
    for seed in range(2):
        u, v = direction(point, 2 * seed), direction(point, 2 * seed + 1)
        product = f.hvp(point, v)
        wanted = curvature(text, point, data, u, v)
        size = 1 + max(abs(wanted), float(np.max(np.abs(flat))))
        assert inner(u, product) == pytest.approx(wanted, abs=10 * NEAR * size)
        vectors = [np.concatenate([np.ravel(w[n]) for n in f.params]) for w in (u, v)]
        assert vectors[0] @ flat @ vectors[1] == pytest.approx(wanted, abs=10 * NEAR * size)


def _unit(shape, place):
    array = np.zeros(shape)
    array[place] = 1.0
    return array


# ---- the formulas that people write ----------------------------------------------------------------------------------

X = np.array([[0.5, -1.2, 0.3], [1.1, 0.4, -0.7], [-0.6, 0.9, 1.3], [0.2, -0.3, -1.0], [1.4, 0.8, 0.1]])
Y = np.array([0.7, -0.2, 1.1, 0.4, -0.9])
C = X.T @ X / 5
S = np.array([[2.0, 0.3, -0.4], [0.1, 1.5, 0.2], [-0.2, 0.4, 1.8]])
A4 = np.array([[3.0, 0.2, -0.1, 0.4], [0.5, 2.5, 0.3, 0.0], [-0.3, 0.1, 2.0, 0.6], [0.2, -0.4, 0.3, 2.2]])
M = np.array([0.1, -0.2, 0.3])
ZEROS = np.array([[1.0, 0.0, 2.0], [0.5, 3.0, 0.0]])
POINTS = np.array([0.0, 0.7, 1.5, 2.1, 3.0])

KERNEL = "(exp(-(t[:, None] - t[None, :])**2/(2*l**2)) + s**2*eye(5))"
FORMULAS = [
    ("slogdet(S)[1] + trace(inv(S) @ C)", {"S": S}, {"C": C}),
    ("-0.5*logabsdet(P) + 0.5*sum((X - m) @ P * (X - m))/5", {"P": S, "m": M}, {"X": X}),
    ("np.linalg.slogdet(S)[1] + mean(sum((X - m) @ np.linalg.inv(S) * (X - m), axis=1))", {"S": S, "m": M}, {"X": X}),
    ("log(det(S)) + x @ solve(S, x)", {"S": S, "x": M}, {}),
    ("sum(diagonal((X - m) @ inv(S) @ (X - m).T))", {"S": S, "m": M}, {"X": X}),
    ("y @ X @ inv(X.T @ X + l*eye(3)) @ X.T @ y", {"l": 0.7}, {"X": X, "y": Y}),
    ("sum((y - X @ solve(X.T @ X + exp(a)*eye(3), X.T @ y))**2)/(5 - trace(X @ inv(X.T @ X + exp(a)*eye(3)) @ X.T))**2",
     {"a": -0.5}, {"X": X, "y": Y}),
    (f"0.5*y @ solve({KERNEL}, y) + 0.5*slogdet({KERNEL})[1]", {"l": 0.9, "s": 0.5}, {"t": POINTS, "y": Y}),
    (f"0.5*y @ inv({KERNEL}) @ y + 0.5*logdet({KERNEL})", {"l": 0.9, "s": 0.5}, {"t": POINTS, "y": Y}),
    ("trace(solve(S, C)) - log(det(inv(S)))", {"S": S}, {"C": C}),
    ("logdet(L @ L.T) + trace(solve(L @ L.T, C))", {"L": np.tril(S)}, {"C": C}),
    ("logdet(tril(L) @ tril(L).T + diag(exp(d))) + sum(triu(L, 1)**2)", {"L": S, "d": M}, {}),
    ("sum(inv(S)[1:, 0]*inv(S)[0, :2]) + inv(S)[2, 2]", {"S": S}, {}),
    ("sum(inv(inv(S) + diag(x)) @ x)", {"S": S, "x": M}, {}),
    ("sum(sin(inv(S @ S.T + eye(3))))", {"S": S}, {}),
    ("det(S)*sum(solve(S, x)**2)", {"S": S, "x": M}, {}),
    ("det(A)**2 + det(A[:2, :2]) + det(A[1:, 1:])", {"A": A4}, {}),
    ("det(stack([stack([a, b]), stack([b, c])])) + logabsdet(stack([stack([a, b]), stack([b, c])]))",
     {"a": 2.0, "b": -0.5, "c": 1.5}, {}),
    ("slogdet(S)[0]*slogdet(S)[1] + sum(slogdet(S @ S))", {"S": S[[1, 0, 2]]}, {}),
    ("x @ solve(X.T @ (w[:, None]*X), x) - logdet(X.T @ (w[:, None]*X))", {"w": np.array([1, 2, 0.5, 1.5, 1]), "x": M},
     {"X": X}),
    ("sum((X - mean(X, axis=0)) @ inv(outer(v, v) + eye(3)) * X)", {"v": M}, {"X": X}),
    ("sum(solve(S, B)**2)", {"S": S, "B": X.T[:, :2]}, {}),
    ("inv(A)[0, 0] + det(A) + slogdet(A)[1] + solve(A, b)[0]", {"A": np.array([[2.5]]), "b": np.array([0.5])}, {}),
]  # fmt: skip
OTHERS = [
    ("prod(x)", {"x": np.array([1.5, -0.5, 2.0])}, {}),
    ("prod(x)", {"x": np.array([1.5, 0.0, 2.0])}, {}),
    ("prod(x)", {"x": np.array([0.0, 0.0, 2.0])}, {}),
    ("prod(x)", {"x": np.zeros(4)}, {}),
    ("sum(prod(A, axis=0)**2) + sum(prod(A, axis=1)) + prod(A)", {"A": ZEROS}, {}),
    ("sum(prod(A, axis=1, keepdims=True)*A)", {"A": np.array([[1.0, 0.0], [0.5, 3.0]])}, {}),
    ("log(prod(1 + exp(w*y)))", {"w": 0.7}, {"y": Y}),
    ("prod(w - y)", {"w": 0.7}, {"y": Y}),
    ("sum(cumsum(x)**2) + sum(cumprod(x)*x)", {"x": np.array([1.5, 0.0, 2.0, -1.0])}, {}),
    ("sum(cumsum(A, axis=0)**2*cumprod(A, axis=1))", {"A": ZEROS}, {}),
    ("sum((cumsum(w*y) - y)**2)", {"w": 0.7}, {"y": Y}),
    ("sum(flip(x)*x**2) + sum(flip(A, axis=1)*A**2) + sum(flip(A)**3*A)", {"x": M, "A": S}, {}),
    ("sum(diff(x)**2*x[1:])", {"x": M}, {}),
    ("sum((x - ones_like(x))**2) + sum(zeros_like(A) + A**2) + sum(full_like(x, x[0])*x) + sum(full((2, 3), c)*c)",
     {"x": M, "A": S, "c": 1.5}, {}),
    ("sum(matmul(A, x)**2) + np.matmul(x, x)", {"A": S, "x": M}, {}),
    ("trace(diag(x) @ A) + sum(diag(A)**2) + sum(identity(3)*A)", {"A": S, "x": M}, {}),
    ("einsum('i,ij,j->', x, A, x)", {"A": S, "x": M}, {}),
    ("sum(einsum('ij,jk', A, A)**2)", {"A": S}, {}),
    ("sum(einsum('ij->ji', A) @ A) + einsum('ii', A) + sum(einsum('ii->i', A)**2)", {"A": S}, {}),
    ("sum(einsum('ni,ij,nj->n', X, A, X)**2)", {"A": S}, {"X": X}),
    ("sum(einsum('ba', A)*A)", {"A": S}, {}),
    ("sum(einsum('i,j,k->ikj', x, x, x)*x)", {"x": M}, {}),
    ("einsum('ij,kj->', A, X)", {"A": S}, {"X": X}),
]  # fmt: skip
SELECTIONS = [
    ("mean((y[y > 0] - X[y > 0] @ w)**2)", {"w": M}, {"X": X, "y": Y}),
    ("sum(log(y[y > 0] + w**2))", {"w": 0.5}, {"y": Y}),
    ("sum(sqrt(w*y[y > 0])) + mean(w*y[y < 0])", {"w": 0.5}, {"y": Y}),
    ("mean((y[k] - X[k] @ w)**2) + mean((y[~k] - X[~k] @ w)**4)", {"w": M},
     {"X": X, "y": Y, "k": np.array([True, False, True, True, False])}),
    ("mean(X[y > 0, 1]*w) + sum(mean(X[y > 0], axis=0)*w)", {"w": 0.5}, {"X": X, "y": Y}),
    ("var(w*y[y > 0]) + std(w*X[y > 0, 0]) + len(y[y > 0])*w**2 + y[y > 0].size*w", {"w": 0.5}, {"y": Y, "X": X}),
    ("max(w*y[y > 0]) + min(w*y[y > 0]) + logsumexp(w*y[y > 0])", {"w": 0.5}, {"y": Y}),
    ("sum((X[y > 0].T @ y[y > 0] - v)**2)", {"v": M}, {"X": X, "y": Y}),
    ("sum((p[q > 0] - 1)**2)", {"p": M}, {"q": np.array([1.0, -1.0, 2.0])}),
    ("slogdet(X[y > 0].T @ X[y > 0] + l*eye(3))[1]", {"l": 0.5}, {"X": X, "y": Y}),
    ("mean((y[(y > 0) & (X[:, 0] > 0)] - w)**2)", {"w": 0.5}, {"X": X, "y": Y}),
]  # fmt: skip


def cases(*given):
    """Run a test for each of the cases."""
    return pytest.mark.parametrize(
        ("text", "point", "data"), [pytest.param(*case, id=f"{n}-{case[0][:40]}") for n, case in enumerate(given)]
    )


every = cases(*FORMULAS, *OTHERS, *SELECTIONS)


@every
def test_values_and_derivatives(text, point, data):
    check(text, point, data, "python")


QUICKLY = [OTHERS[9], SELECTIONS[3], SELECTIONS[10]]  # the slow test compiles them all


@cases(*QUICKLY)
def test_compiled_values_and_derivatives(text, point, data):
    check(text, point, data, "numba")


@pytest.mark.slow
@every
def test_all_compiled_values_and_derivatives(text, point, data):
    check(text, point, data, "numba")


# What texts for NumPy say that they need, and nothing else.
PASTED = {}
exec("from numpy import *\nfrom scipy import special", PASTED)


def shown(text, point, data, functions):
    """Run a text: the value of an expression, or what statements leave in g or h."""
    names = dict(functions) | {n: np.asarray(v, float)[()] for n, v in point.items()} | data
    with np.errstate(all="ignore"):  # where() computes both of its branches
        exec(text if text.startswith(("g = ", "h = ")) else f"g = {text}", names)
    return names["h" if text.startswith("h = ") else "g"]


@every
def test_texts_compute_what_they_show(text, point, data):
    f = Objective(text, data=data or None, params={n: np.shape(v) for n, v in point.items()}, tier="python")
    assert f.value(point) == pytest.approx(shown(f.numpy(), point, data, PASTED), rel=NEAR, abs=NEAR)
    again = Objective(f.numpy(), data=data or None, params={n: np.shape(v) for n, v in point.items()}, tier="python")
    assert again.value(point) == pytest.approx(f.value(point), rel=NEAR, abs=NEAR)
    gradient = f.gradient_at(point)
    size = 1 + max(float(np.max(np.abs(g))) for g in gradient.values())
    for texts, functions in ((f.gradient.text(), PLAIN), (f.gradient.numpy(), PASTED)):
        for name, written in texts.items():
            found = shown(written, point, data, functions)
            assert np.allclose(found, gradient[name], rtol=0, atol=10 * NEAR * size), written


@every
def test_texts_of_second_derivatives_compute_what_they_show(text, point, data):
    f = Objective(text, data=data or None, params={n: np.shape(v) for n, v in point.items()}, tier="python")
    full = f.hessian_at(point)
    starts = dict(zip(point, np.cumsum([0, *(np.size(v) for v in point.values())]), strict=False))
    size = 1 + float(np.max(np.abs(full)))
    for texts, functions in ((f.hessian.text(), PLAIN), (f.hessian.numpy(), PASTED)):
        for (a, b), written in texts.items():
            if written.startswith("#"):  # too many axes
                continue
            block = full[starts[a] :, starts[b] :][: np.size(point[a]), : np.size(point[b])]
            found = np.reshape(shown(written, point, data, functions), block.shape)
            assert np.allclose(found, block, rtol=0, atol=100 * NEAR * size), written


# ---- random formulas -------------------------------------------------------------------------------------------------

_LEAVES = st.sampled_from(["S", "C", "S.T", "diag(x)", "outer(x, x)", "tril(S)", "eye(3)", "flip(C, axis=1)"])
_MATRIX = st.recursive(
    _LEAVES,
    lambda m: st.one_of(
        m.map(lambda a: f"inv({a} + 3*eye(3))"),
        m.map(lambda a: f"({a}).T"),
        m.map(lambda a: f"cumsum({a}, axis=0)"),
        m.map(lambda a: f"einsum('ij,kj->ik', {a}, C)"),
        st.tuples(m, m).map(lambda p: f"({p[0]} @ {p[1]})"),
        st.tuples(m, m).map(lambda p: f"({p[0]} - {p[1]}/2)"),
        st.tuples(m, m).map(lambda p: f"solve({p[0]} + 4*eye(3), {p[1]})"),
    ),
    max_leaves=3,
)
_SCALARS = ("trace({0})", "sum({0}*{1})", "slogdet({0} + 3*eye(3))[1]", "det({0})", "x @ {0} @ x", "prod(diag({0}))",
            "x @ solve({0} + 3*eye(3), x)", "sum(cumprod({0} @ x))", "einsum('ij,ji', {0}, {1})")  # fmt: skip


@st.composite
def formulas(draw):
    form = draw(st.sampled_from(_SCALARS))
    return form.format(draw(_MATRIX), draw(_MATRIX))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(formulas())
def test_random_formulas_of_matrices(text):
    point, data = {"S": S, "x": M + 1}, {"C": C}
    f = Objective(text, data=data, params={"S": (3, 3), "x": (3,)}, tier="python")
    value = plainly(text, point, data)
    assume(np.isfinite(value) and abs(value) < 1e4)
    with mp.workdps(DIGITS):
        exact = float(many(text, exactly(point), data))
    # What NumPy's own rounding makes of an ill-conditioned instance says how far ours may be off.
    slack = NEAR * (1 + abs(exact)) + 100 * abs(value - exact)
    assert f.value(point) == pytest.approx(exact, abs=slack)
    v, u = direction(point, 5), direction(point, 6)
    along = slope(text, point, data, v)
    assert inner(f.gradient_at(point), v) == pytest.approx(along, abs=1e3 * slack * (1 + abs(along)))
    wanted = curvature(text, point, data, u, v)
    assert inner(f.hvp(point, v), u) == pytest.approx(wanted, abs=1e3 * slack * (1 + abs(wanted)))


# ---- edges -----------------------------------------------------------------------------------------------------------

TIERS = ("python", "numba")
SINGULAR = np.arange(1.0, 10.0).reshape(3, 3)


@pytest.mark.parametrize("tier", ["python", pytest.param("numba", marks=pytest.mark.slow)])
def test_a_determinant_has_its_derivatives_where_there_is_no_inverse(tier):
    f = Objective("det(A) + det(A @ A[::-1])", params={"A": (3, 3)}, tier=tier)
    for matrix in (SINGULAR, np.zeros((3, 3)), np.ones((3, 3)), np.diag([1.0, 0.0, 2.0])):
        point, v, u = {"A": matrix}, direction({"A": matrix}, 1), direction({"A": matrix}, 2)
        assert inner(f.gradient_at(point), v) == pytest.approx(slope(f.text, point, {}, v), abs=1e-10)
        assert inner(f.hvp(point, v), u) == pytest.approx(curvature(f.text, point, {}, u, v), abs=1e-10)


@pytest.mark.parametrize("rows", [2, 4, 5, 6])
def test_the_gradient_of_a_determinant_is_its_adjugate(rows):
    matrix = np.random.default_rng(rows).integers(-3, 4, (rows, rows)).astype(float)
    matrix[-1] = matrix[:-1].sum(axis=0)  # singular
    f = Objective("det(A)", params={"A": (rows, rows)}, tier="python")
    found = f.gradient_at({"A": matrix})["A"]
    minors = [[np.delete(np.delete(matrix, i, 0), j, 1) for j in range(rows)] for i in range(rows)]
    wanted = [[float((-1) ** (i + j) * mp.det(_mp(m))) for j, m in enumerate(row)] for i, row in enumerate(minors)]
    assert np.allclose(found, wanted, rtol=0, atol=1e-10)


@pytest.mark.parametrize("tier", TIERS)
def test_where_there_is_no_inverse_a_run_says_so(tier):
    f = Objective("x @ solve(A, x) + slogdet(B)[1]", params={"x": (2,), "A": (2, 2), "B": (2, 2)}, tier=tier)
    point = {"x": [1, 1], "A": [[1, 2], [2, 4]], "B": np.eye(2)}
    assert np.isnan(f.value(point))
    run = f.minimize(start=point, lr=0.1, steps=5)
    assert run.outcome == "left_domain"
    assert "solve(A, x) is nan: the matrix has no inverse" in run.message
    point = {"x": [1, 1], "A": np.eye(2), "B": [[1, 2], [2, 4]]}
    assert f.value(point) == -np.inf
    run = f.minimize(start=point, lr=0.1, steps=5)
    assert run.outcome == "left_domain"
    assert "slogdet(B) is -inf: the determinant is 0" in run.message


@pytest.mark.parametrize("tier", TIERS)
def test_logarithms_of_determinants_neither_over_nor_underflow(tier):
    f = Objective("log(det(c*eye(60))) + log(abs(det(-c*eye(60))))", params={"c": ()}, tier=tier)
    assert f.value(c=1e-10) == pytest.approx(120 * np.log(1e-10))
    assert f.gradient_at(c=1e10)["c"] == pytest.approx(120e-10)
    g = Objective("log(det(A))", params={"A": (2, 2)}, tier=tier)
    assert np.isnan(g.value(A=[[0, 1], [1, 0]]))
    run = g.minimize(start={"A": [[0, 1], [1, 0]]}, lr=0.1, steps=5)
    assert "log(det(A)) is nan: the determinant is negative" in run.message
    assert g.value(A=[[0, 0], [1, 0]]) == -np.inf


@pytest.mark.parametrize("rows", [2, 7, 20, 40])
def test_inverses_are_those_of_lapack(rows):
    random = np.random.default_rng(rows)
    matrix = random.normal(size=(rows, rows)) + 3 * np.eye(rows)
    memory = [*np.ravel(matrix.T), *[0.0] * (4 + 3 * rows * rows)]
    matrices.matrix_inverse(memory, 0, 1, rows, rows, rows * rows)  # given by columns
    sign, logarithm, value, _ = memory[rows * rows : rows * rows + 4]
    inverse = np.reshape(memory[rows * rows + 4 :][: rows * rows], (rows, rows))
    condition = np.linalg.cond(matrix)
    assert np.allclose(inverse, np.linalg.inv(matrix), rtol=0, atol=1e-14 * condition * np.linalg.norm(inverse))
    assert (sign, logarithm) == pytest.approx(np.linalg.slogdet(matrix))
    assert value == pytest.approx(np.linalg.det(matrix), rel=1e-12 * condition)
    assert np.allclose(elimination.function("inv", matrix), inverse, rtol=1e-9)
    matrices.matrix_adjugate(memory, 0, 1, rows, rows, rows * rows)
    adjugate = np.reshape(memory[rows * rows :][: rows * rows], (rows, rows))
    assert np.allclose(adjugate, value * inverse, rtol=1e-8, atol=1e-10 * np.abs(adjugate).max())
    assert np.allclose(
        elimination.function("adjugate", matrix), adjugate, rtol=1e-9, atol=1e-10 * np.abs(adjugate).max()
    )


@pytest.mark.parametrize("name", ["inv", "det", "logabsdet", "detsign", "adjugate"])
def test_many_digits_are_kept(name):
    with mp.workdps(DIGITS):
        matrix = exactly({"A": A4})["A"] / 3
        found = elimination.function(name, matrix)
        value = mp.det(_mp(matrix))
        wanted = {"inv": _inv(matrix), "det": value, "logabsdet": mp.log(abs(value)), "detsign": mp.sign(value),
                  "adjugate": _inv(matrix) * value}[name]  # fmt: skip
        assert np.max(np.abs(found - wanted)) < mp.mpf(10) ** (5 - DIGITS)


@pytest.mark.compiled
def test_the_tiers_agree_to_rounding():
    text, data = "logdet(L @ L.T + eye(3)) + trace(solve(L @ L.T + eye(3), C))", {"C": C}
    found = [Objective(text, data=data, params={"L": (3, 3)}, tier=tier).gradient_at({"L": S})["L"] for tier in TIERS]
    assert np.allclose(*found, rtol=1e-14, atol=1e-15)


def test_threads_share_one_inverse():
    rows = np.random.default_rng(1).normal(size=(200_000, 3))
    text = "logdet(S) + mean(sum(X @ inv(S) * X, axis=1))"
    found = []
    for workers in (1, 2, 3, 5):
        f = Objective(text, data={"X": rows}, params={"S": (3, 3)}, tier="numba", workers=workers)
        assert threads.is_large(f.model.program, len(rows))
        found.append(f.gradient_at(S=S)["S"])
    assert all(np.array_equal(found[0], other) for other in found)
    wanted = np.linalg.inv(S).T - np.linalg.inv(S).T @ (rows.T @ rows / len(rows)) @ np.linalg.inv(S).T
    assert np.allclose(found[0], wanted, atol=1e-10)


def test_threads_invert_what_they_summed_up():
    rows = np.random.default_rng(2).normal(size=(200_000, 3))
    text = "logdet(X.T @ (exp(a)*X)/len(X) + B) + mean(sum(X @ inv(X.T @ (exp(a)*X)/len(X) + B) * X, axis=1)**2)"
    f = Objective(text, data={"X": rows, "B": S}, tier="numba", workers=2)
    gram = rows.T @ rows / len(rows)

    def value(a):
        body = np.exp(a) * gram + S
        return np.linalg.slogdet(body)[1] + np.mean(np.sum(rows @ np.linalg.inv(body) * rows, axis=1) ** 2)

    assert f.value(a=0.3) == pytest.approx(value(0.3), rel=1e-10)
    assert f.gradient_at(a=0.3)["a"] == pytest.approx((value(0.3 + 1e-5) - value(0.3 - 1e-5)) / 2e-5, rel=1e-7)


@pytest.mark.parametrize("tier", TIERS)
def test_a_likelihood_is_maximised_where_the_sample_covariance_is(tier):
    f = Objective("logdet(L @ L.T) + trace(solve(L @ L.T, C))", data={"C": C}, params={"L": (3, 3)}, tier=tier)
    run = f.minimize(start={"L": np.eye(3)})
    assert np.allclose(run.point["L"] @ run.point["L"].T, C, atol=1e-5)


@pytest.mark.parametrize("tier", TIERS)
def test_a_batch_selects_among_its_own_rows(tier):
    x = np.array([5.0, 1.0, 2.0, 7.0, 6.0, 8.0, 4.0, 3.0])
    f = Objective("mean((x[x > 3] - w)**2)", data={"x": x}, tier=tier)
    run = f.minimize(start={"w": 0.0}, lr=0.25, batch=4, epochs=1, shuffle=False)
    first = 0.25 * 2 * np.mean([5.0, 7.0])
    assert run.point["w"] == pytest.approx(first + 0.25 * 2 * (np.mean([6.0, 8.0, 4.0]) - first))


def test_nothing_selected_is_numpys_nan():
    f = Objective("mean(w*y[y > 9])", data={"y": Y}, tier="python")
    assert np.isnan(f.value(w=1))
    assert Objective("sum(w*y[y > 9])", data={"y": Y}, tier="python").value(w=1) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trace(inv(A))", r"'A' with shape \(2, 3\) is not square at column 11[\s\S]*square matrix"),
        ("trace(inv(x))", r"'inv' needs a matrix; got 'x' with shape \(3,\)"),
        ("det(x)", "'det' needs a matrix"),
        ("slogdet(B)", r"the objective must be one number, but this has the shape \(2,\)"),
        ("sum(inv(ones((3, 3))))", "is singular: it has equal rows or equal columns"),
        ("sum(inv(x[:, None] + zeros((3, 3))))", "is singular: it has equal rows or equal columns"),
        ("sum(inv(zeros((300, 300)) + eye(300)))", "is too large: matrices of up to 200 rows are inverted"),
        ("sum(solve(B, A))", r"'B' with shape \(3, 3\) and 'A' with shape \(2, 3\) do not go together in 'solve'"),
        ("sum(solve(B, 2))", "'solve' needs a vector or a matrix on the right"),
        ("sum(inv(T))", r"'inv' needs a matrix; got 'T' with shape \(2, 3, 3\)"),
        ("sum(diag(T))", "'diag' needs a vector or a matrix"),
        ("sum(tril(x))", "'tril' needs a matrix"),
        ("cumsum(A)[0]", "'cumsum' of a matrix needs axis="),
        ("sum(cumsum(2))", "'cumsum' needs an array"),
        ("sum(full_like(x, A))", r"'A' with shape \(2, 3\) does not fill the shape \(3,\)"),
        ("sum(full((2, 3), x))", "'full' takes one number"),
        ("einsum(A, x)", "'einsum' begins with its subscripts"),
        ("einsum('ij,j->i->k', A, x)", "one '->' between them"),
        ("einsum('i...,i', A, x)", r"'\.\.\.' is not read in subscripts"),
        ("einsum('ij', A, x)", "'einsum' has 1 sets of subscripts for 2 arrays"),
        ("sum(einsum('ij->ik', A))", "the subscript 'k' stands in the result only"),
        ("sum(einsum('ij->ii', A))", "the subscript 'i' stands twice in the result"),
        ("einsum('ijk->', A)", r"'A' with shape \(2, 3\) has 2 axes, and its subscripts are 'ijk'"),
        ("einsum('ij,i->', A, x)", r"differ in length along 'i'"),
        ("sum('ij')", "leave the quotes out"),
        ("sum(y[w > 0])", "a condition that picks rows must not depend on a parameter"),
        ("sum(y[y > 0] - y)", "do not broadcast"),
        ("sum(y[y > 0] - y[y < 0])", "do not broadcast"),
        ("sum(y[y > 0][0])", "is of rows that a condition picks"),
        ("sum(y[y > 0][y > 0])", "rows are picked once"),
        ("sum(y[x > 0])", r"'x > 0' with shape \(3,\) picks along an axis of length 4"),
        ("sum(A[A > 0])", "a condition picks along one axis"),
        ("y[y > 0]", "the objective must be one number"),
        ("prod(y[y > 0])", "'prod' of what a condition picks is not read"),
        ("sum(cumsum(y[y > 0]))", "what a condition picks is not in an order"),
    ],
)
def test_what_cannot_be_is_refused_at_its_place(text, message):
    data = {"y": [1.0, -1.0, 2.0, 0.5], "x": [1.0, 2.0, 3.0], "A": X[:2], "B": S, "T": np.ones((2, 3, 3))}
    used = {name: v for name, v in data.items() if name in text}
    with pytest.raises((FormulaError, ShapeError), match=message):
        Objective(text, data=used, params={"w": ()} if "w" in text else None)


def test_names_only_select_too():
    f = Objective("mean((y[y > 0] - w)**2)", data=("y",))
    assert f.gradient.text() == {"w": "-2*sum(where(y > 0, y - w, 0))/sum(where(y > 0, 1, 0))"}
    assert sg.Objective(f.numpy(), data={"y": Y}).value(w=0.5) == pytest.approx(np.mean((Y[Y > 0] - 0.5) ** 2))
