"""Text that is pasted computes what was shown: in NumPy, for every function, at kinks, zeros and masked places."""

import builtins
import itertools
import re

import numpy as np
import pytest
from inside import INSIDE, INSIDE_TWO
from scipy import special

from symgd import Objective, UsageError
from symgd.language.functions import FUNCTIONS
from symgd.views.spelling import spelling

# What f.numpy(), f.gradient.numpy() and f.hessian.numpy() say that they need.
PASTED = {}
exec("from numpy import *\nfrom scipy import special", PASTED)


def run(text, names):
    """The value of an expression, or what statements leave in g or h."""
    names = PASTED | names
    with np.errstate(all="ignore"):
        if "\n" not in text:
            return np.asarray(eval(text, names))
        exec(text, names)
        return np.asarray(names[text.split(" = ", maxsplit=1)[0]])


def called(text):
    """The functions that a text calls."""
    return set(re.findall(r"(?<![\w.])([A-Za-z_]\w*)(?=\(|\.\w+\()", text))


def same(found, wanted, text, rtol=1e-12):
    # Another order of operations, a few of which cancel: a hundredth of the digits that float64 has to spare.
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=1e-14, err_msg=text)


def check(formula, data, shapes, point, rtol=1e-12, hessian=True):
    """Value, gradient and Hessian as text, against the numbers; and the value's text read back."""
    f = Objective(formula, data=data or None, params=shapes, tier="python")
    point = {name: np.asarray(value, dtype=float) for name, value in point.items()}
    names = {**data, **point}
    same(run(f.numpy(), names), f.value(point), f.numpy())
    again = Objective(f.numpy(), data=data or None, params=shapes, tier="python")
    same(again.value(point), f.value(point), f.numpy())
    slopes = f.gradient_at(point)
    for name, text in f.gradient.numpy().items():
        found = run(text, names)
        assert found.shape == np.shape(slopes[name]), text
        same(found, slopes[name], text, rtol)
        assert called(text) <= {n for n in PASTED if callable(PASTED[n])} | {"special", "linalg", *dir(builtins)}, text
    reads_back(f, data, point, slopes)
    if hessian:
        check_hessian(f, names, shapes, f.hessian_at(point), rtol)
    return f


def reads_back(f, data, point, slopes):
    """The texts of derivatives, read as formulas, have their values: each entry times a weight of its own."""
    for texts in (f.gradient.text(), f.gradient.numpy()):
        for name, text in texts.items():
            assert not called(text) & SPELT_OUT, text
            if "\n" in text or not point:
                continue
            weight = 1 + np.arange(np.size(slopes[name]), dtype=float).reshape(np.shape(slopes[name]))
            again = Objective(f"sum(({text})*weight)", data={**data, "weight": weight},
                              params={n: np.shape(v) for n, v in point.items()}, tier="python")  # fmt: skip
            same(again.value(point), np.sum(slopes[name] * weight), text, rtol=1e-10)


def check_hessian(f, names, shapes, wanted, rtol):
    ends = list(itertools.accumulate((int(np.prod(shape)) for shape in shapes.values()), initial=0))
    places = {name: slice(a, b) for name, a, b in zip(shapes, ends, ends[1:], strict=False)}
    texts = f.hessian.numpy()
    for a, b in itertools.combinations_with_replacement(shapes, 2):
        block = wanted[places[a], places[b]]
        if (a, b) not in texts:
            assert not block.any(), (a, b)
            continue
        if texts[a, b].startswith("#"):
            continue
        found = run(texts[a, b], names)
        assert found.shape == shapes[a] + shapes[b], texts[a, b]
        same(found.reshape(block.shape), block, texts[a, b], rtol)
        if shapes[a] or shapes[b]:  # below the diagonal stands the transpose
            below = f.hessian[b, a].numpy()
            same(run(below, names).reshape(block.T.shape), block.T, below, rtol)


# ---- every function ------------------------------------------------------------------------------------------------


def points(row):
    """Points inside the function's domain, and those where it changes its mind and has a derivative all the same."""
    inside = {**INSIDE, **INSIDE_TWO}.get(row.name)
    if inside:  # equal factors are gathered, which overflows at 1e-200 where one after the other does not
        return [np.atleast_1d(p) for p in inside if np.min(np.abs(p)) > 1e-100 and np.max(np.abs(p)) < 1e100]
    return [np.array(p[: row.least]) for p in ((0.3, 0.7, 1.3), (-0.4, 0.2, 2.1), (1.7, -0.6, 0.4))]


# Differences of near equals for large arguments: parts of log(erfc(x)), which is tested at 20 and at 30.
PARTS = ("mills", "millsrest")
# What quotients that are 0/0 are differentiated into; near 0 their own derivatives have no digits to compare.
SPELT_OUT = {name for name in FUNCTIONS if spelling(name, numpy=False)}
QUOTIENTS = {n for n in SPELT_OUT if n.startswith(("exprel", "expm1inv", "log1prel", "sinhrel", "sinhs", "tanhrel",
                                                 "tanhs", "sinrest", "boxcox"))}  # fmt: skip
SLOPES = {n for n in QUOTIENTS if n.endswith(("slope", "bend"))}
SMOOTH = [row for row in FUNCTIONS.values() if row.kind in ("map", "alias") and not row.boolean
          and row.name not in {"millsrest", *SLOPES}]  # fmt: skip


@pytest.mark.parametrize("row", SMOOTH, ids=lambda row: row.name)
def test_every_function(row):
    if row.name == "polygamma":
        formulas = [("polygamma(2, a)", 1)]
    elif row.name in ("where", "xlogy"):
        formulas = [(f"{row.name}({', '.join(['a > 0.1'] * (row.least > 2) + ['a', 'b'])})", 2)]
    else:
        formulas = [(f"{row.name}({', '.join('abc'[: row.least])})", row.least)]
    for formula, count in formulas:
        names = list("abc"[:count])
        for at in points(row):
            point = dict(zip(names, (float(x) for x in at[-count:]), strict=False))
            if len(point) < count:
                point |= {name: 0.8 for name in names if name not in point}
            f = Objective(formula, tier="python")
            if not np.isfinite(f.value(point)) or not np.isfinite(list(f.gradient_at(point).values())).all():
                continue
            point = {name: point[name] for name in f.params}
            part = row.name in PARTS or row.name in QUOTIENTS
            sound = not part and bool(np.isfinite(f.hessian_at(point)).all())
            check(formula, {}, dict.fromkeys(f.params, ()), point, rtol=1e-7 if part else 1e-11, hessian=sound)


def test_every_function_that_numpy_lacks_has_a_spelling():
    for row in FUNCTIONS.values():
        if row.kind == "map" and not row.boolean and row.name not in ("add", "multiply", "divide"):
            assert spelling(row.name, numpy=True) or callable(PASTED.get(row.name)), row.name
    for text in [own[0] for row in FUNCTIONS.values() if (own := spelling(row.name, numpy=True))]:
        for name in re.findall(r"special\.(\w+)", text):
            assert hasattr(special, name), name


# ---- edges ---------------------------------------------------------------------------------------------------------

X = np.array([[0.5, -1.2], [1.0, 0.3], [-0.7, 2.0], [0.0, 1.0]])
Y = np.array([1.0, -1.0, 1.0, -1.0])
DISTANCES = np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 1.5], [2.0, 1.5, 0.0]])
GAP = np.array([1.0, np.nan, 3.0, np.nan])

EDGES = [
    ("norm(x)", {}, {"x": (3,)}, {"x": [0, 0, 0]}),
    ("norm(x - c)", {"c": np.array([1.0, 2.0])}, {"x": (2,)}, {"x": [1, 2]}),
    ("norm(X @ w)", {"X": X}, {"w": (2,)}, {"w": [0, 0]}),
    ("sum(norm(A, axis=1))", {}, {"A": (3, 2)}, {"A": [[0, 0], [1, 2], [0, 3]]}),
    ("sum((norm(p[:, None] - p, axis=2) - D)**2)", {"D": DISTANCES}, {"p": (3, 2)}, {"p": [[0, 0], [1, 1], [2, 0.5]]}),
    ("sum((D - sqrt(sum((p[:, None] - p)**2, axis=2)))**2)", {"D": DISTANCES}, {"p": (3, 2)},
     {"p": [[0, 0], [1, 1], [1, 1]]}),
    ("sum(D*hypot(p[:, None] - p, q[:, None] - q))", {"D": DISTANCES}, {"p": (3,), "q": (3,)},
     {"p": [0, 1, 1], "q": [0, 2, 2]}),
    ("std(x)", {}, {"x": (3,)}, {"x": [2, 2, 2]}),
    ("hypot(a, b)", {}, {"a": (), "b": ()}, {"a": 0, "b": 0}),
    ("a**b", {}, {"a": (), "b": ()}, {"a": 0, "b": 3}),
    ("sinc(x)", {}, {"x": ()}, {"x": 0}),
    ("sinc(x)", {}, {"x": ()}, {"x": 1e-7}),
    ("sinc(x)", {}, {"x": ()}, {"x": 0.05}),
    ("sum(abs(x)) + sum(relu(x)) + sum(sign(x)*x)", {}, {"x": (3,)}, {"x": [0, 1, -1]}),
    ("sum(maximum(x, c)) + sum(minimum(x, c))", {"c": np.array([0.5, 1.0, 2.0])}, {"x": (3,)}, {"x": [0.5, 2, 1]}),
    ("sum(clip(x, -1, 1)**2)", {}, {"x": (4,)}, {"x": [-1, 1, 0, 5]}),
    ("max(x) + min(x)", {}, {"x": (3,)}, {"x": [1, 1, 0]}),
    ("mean(maximum(0, 1 - y*(X @ w)))", {"X": X, "y": Y}, {"w": (2,)}, {"w": [1, 0]}),
    ("mean(relu(1 - y*(X @ w))**2)", {"X": X, "y": Y}, {"w": (2,)}, {"w": [1, 0]}),
    ("mean(maximum(0.2*(y - X @ w), -0.8*(y - X @ w)))", {"X": X, "y": Y}, {"w": (2,)}, {"w": [1, 0]}),
    ("sum(where(y == y, (where(y == y, y, 0) - b)**2, 0))", {"y": GAP}, {"b": ()}, {"b": 0.4}),
    ("sum(where(m > 0, (y - G @ w)**2, 0))", {"m": np.array([1, 0, 1, 1]), "y": Y, "G": X + GAP[[0, 1, 0, 0], None]},
     {"w": (2,)}, {"w": [1, 2]}),
    ("sum(where(x > 0, x*log(x), 0))", {}, {"x": (3,)}, {"x": [0, 1, 2]}),
    ("sum(xlogy(c, x))", {"c": np.array([0.0, 1.0, 2.0])}, {"x": (3,)}, {"x": [0, 1, 2]}),
    ("softplus(x) + sigmoid(3*x) + logaddexp(x, 0)", {}, {"x": ()}, {"x": -800}),
    ("softplus(x) + sigmoid(3*x) + logaddexp(x, 0)", {}, {"x": ()}, {"x": 800}),
    ("log(cosh(x)) + tanh(x)", {}, {"x": ()}, {"x": 400}),
    ("log(erfc(x))", {}, {"x": ()}, {"x": 30}),
    ("log(erfc(x))", {}, {"x": ()}, {"x": -3}),
    ("log(1 - exp(x))", {}, {"x": ()}, {"x": -1e-9}),
    ("arcsin(x) + arctanh(x)", {}, {"x": ()}, {"x": 1 - 1e-9}),
    ("logsumexp(x) + sum(softmax(x)**2)", {}, {"x": (3,)}, {"x": [800, 800, -800]}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("formula", "shapes", "point"),
    [
        ("a**b", {"a": (), "b": ()}, {"a": 0, "b": 0}),
        ("sum(x**y)", {"x": (3,), "y": (3,)}, {"x": [0, 0, 2], "y": [0, 2, 0]}),
        ("sum(x**arange(4))", {"x": (4,)}, {"x": [0, 0, 0, 2]}),
    ],
)
def test_powers_of_zero(formula, shapes, point):
    check(formula, {}, shapes, point, hessian=False)


@pytest.mark.parametrize(("formula", "data", "shapes", "point"), EDGES, ids=[f"{e[0]} {e[3]}" for e in EDGES])
def test_edges(formula, data, shapes, point):
    check(formula, data, shapes, point)


# ---- as a person writes it -------------------------------------------------------------------------------------------

WRITTEN = [
    ("tanh(a)", {}, {"a": ()}, {"a": "1/cosh(a)**2"}),
    ("arctanh(a)", {}, {"a": ()}, {"a": "1/((1 - a)*(1 + a))"}),
    ("arccos(a)", {}, {"a": ()}, {"a": "-1/sqrt((1 - a)*(1 + a))"}),
    ("exp(-z**2/2)/sqrt(2*pi)", {}, {"z": ()}, {"z": "-z*exp(-0.5*z**2)/sqrt(2*pi)"}),
    ("log(s*sqrt(2*pi)) + (x - m)**2/(2*s**2)", {}, {"s": (), "x": (), "m": ()},
     {"s": "1/s - (x - m)**2/s**3", "x": "(x - m)/s**2", "m": "-(x - m)/s**2"}),
    ("sum((b*x - y)**2)/(2*len(y))", {"x": Y, "y": Y}, {"b": ()}, {"b": "mean(x*(b*x - y))"}),
    ("sum((X @ w - y)**2)/(2*len(y))", {"X": X, "y": Y}, {"w": (2,)}, {"w": "X.T @ (X @ w - y)/len(X)"}),
    ("len(x)*log(s) + sum((x - m)**2)/(2*s**2)", {"x": Y}, {"s": (), "m": ()},
     {"s": "len(x)/s - sum((x - m)**2)/s**3", "m": "-sum(x - m)/s**2"}),
    ("std(x)", {}, {"x": (3,)}, {"x": "(x - mean(x))/(3*where(std(x) == 0, inf, std(x)))"}),
    ("var(x)", {}, {"x": (3,)}, {"x": "2*(x - mean(x))/3"}),
    ("sum(x**2)/sum(x)**2", {}, {"x": (3,)}, {"x": "2*x/sum(x)**2 - 2*sum(x**2)/sum(x)**3"}),
    ("sum(x*log(x))", {}, {"x": (3,)}, {"x": "log(x) + 1"}),
    ("lam/2*w @ w + lam*(w @ w)/2", {"lam": 0.1}, {"w": (2,)}, {"w": "2*lam*w"}),
    ("mean(maximum(0, 1 - y*(X @ w)))", {"X": X, "y": Y}, {"w": (2,)},
     {"w": "-X.T @ (y*heaviside(1 - y*(X @ w), 0.5))/len(y)"}),
    ("mean(where(y*(X @ w) < 1, 1 - y*(X @ w), 0))", {"X": X, "y": Y}, {"w": (2,)},
     {"w": "-X.T @ where(y*(X @ w) < 1, y, 0)/len(y)"}),
    ("mean(relu(1 - y*(X @ w))**2)", {"X": X, "y": Y}, {"w": (2,)},
     {"w": "-2*X.T @ (y*relu(1 - y*(X @ w)))/len(y)"}),
    ("mean(where(abs(y - X @ w) <= 1, (y - X @ w)**2/2, abs(y - X @ w) - 0.5))", {"X": X, "y": Y}, {"w": (2,)},
     {"w": "-X.T @ where(abs(y - X @ w) <= 1, y - X @ w, sign(y - X @ w))/len(y)"}),
    # A sum that is halved is no mean over two; a mean over two stays one.
    ("sum(exp(-sum((x - C)**2, axis=1)/2))", {"C": X}, {"x": (2,)},
     {"x": "-(x - C).T @ exp(-0.5*sum((x - C)**2, axis=1))"}),
    ("sum(x)**2/2", {}, {"x": (2,)}, {"x": "sum(x)*ones(2)"}),
    ("mean(x)**2", {}, {"x": (2,)}, None),
    ("sum(sigmoid(X @ w))", {"X": X}, {"w": (2,)}, {"w": "X.T @ (sigmoid(X @ w)*sigmoid(-X @ w))"}),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "data", "shapes", "slopes"), WRITTEN, ids=[w[0] for w in WRITTEN])
def test_as_a_person_writes_it(formula, data, shapes, slopes):
    rng = np.random.default_rng(0)
    f = check(formula, data, shapes, {name: rng.uniform(0.2, 0.9, shape) for name, shape in shapes.items()})
    assert slopes is None or f.gradient.text() == slopes


SECOND = [
    ("sum((X @ w - y)**2)", {"X": X, "y": Y}, {"w": (2,)}, {("w", "w"): "2*X.T @ X"}),
    ("mean((X @ w - y)**2) + lam*w @ w", {"X": X, "y": Y, "lam": 0.1}, {"w": (2,)},
     {("w", "w"): "2*lam*eye(2) + 2*X.T @ X/len(X)"}),
    ("mean(softplus(X @ w + b) - y*(X @ w + b))", {"X": X, "y": Y}, {"w": (2,), "b": ()},
     {("w", "w"): "(X.T*sigmoid(X @ w + b)*sigmoid(-(X @ w + b))) @ X/len(X)",
      ("w", "b"): "X.T @ (sigmoid(X @ w + b)*sigmoid(-(X @ w + b)))/len(X)",
      ("b", "b"): "mean(sigmoid(X @ w + b)*sigmoid(-(X @ w + b)))"}),
    ("sum(exp(w))", {}, {"w": (3,)}, {("w", "w"): "diag(exp(w))"}),
    ("x @ A @ x", {"A": X[:2]}, {"x": (2,)}, {("x", "x"): "A + A.T"}),
    ("var(x)", {}, {"x": (3,)}, {("x", "x"): "2*(eye(3) - 1/3)/3"}),
    ("logsumexp(x)", {}, {"x": (3,)}, {("x", "x"): "softmax(x)[:, None]*(eye(3) - softmax(x))"}),
    ("sum(x[u]**3)", {"u": np.array([0, 1, 1])}, {"x": (3,)},
     {("x", "x"): "h = zeros((3, 3))\nadd.at(h, u, 6*x[u][:, None]*eye(3)[u])"}),
    ("sum((x[1:] - x[:-1]**2)**2)", {}, {"x": (4,)}, None),
    ("h @ h*sum(h[::2])", {}, {"h": (4,)}, None),
    ("x[0]*x[-1]**2*s", {}, {"x": (3,), "s": ()}, None),
    ("mean((y - tanh(X @ A + a) @ c)**2)", {"X": X, "y": Y}, {"A": (2, 3), "a": (3,), "c": (3,)}, None),
    ("sum((R - outer(u, v))**2)", {"R": X}, {"u": (4,), "v": (2,)}, None),
    ("norm(w)**3 + sum(w)*s", {}, {"w": (3,), "s": ()}, None),
    ("-sum(log(softmax(X @ W, axis=1)[:, 0]))", {"X": X}, {"W": (2, 2)}, None),
    ("sum(a - y)**2 + sum((a*y)**2)", {"y": Y}, {"a": (4,)}, None),
    ("sum(w**3)", {}, {"w": (1,)}, None),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "data", "shapes", "blocks"), SECOND, ids=[s[0] for s in SECOND])
def test_hessians_of_arrays(formula, data, shapes, blocks):
    rng = np.random.default_rng(1)
    f = check(formula, data, shapes, {name: rng.uniform(0.2, 0.9, shape) for name, shape in shapes.items()})
    assert blocks is None or f.hessian.text() == blocks
    assert f.hessian.latex().startswith("\\begin{aligned}\\frac{\\partial^2 f}")
    size = sum(int(np.prod(shape)) for shape in shapes.values())
    assert f.hessian.shape == (size, size)


def test_a_hessian_of_four_axes_says_what_there_is_instead():
    f = Objective("sum((X @ W)**2)", data={"X": X}, params={"W": (2, 3)})
    text = f.hessian.text()["W", "W"]
    assert text.startswith("# 4 axes, of shape (2, 3, 2, 3)")
    assert "f.hvp(point, v)" in text
    assert "6 x 6" in text
    assert repr(f.hessian["W", "W"]) == text
    with pytest.raises(UsageError, match="'W' is an array, and the Hessian is no SymPy matrix"):
        f.hessian.matrix


def test_blocks_of_a_hessian():
    f = Objective("sum(exp(w))*s**2", params={"w": (3,), "s": ()})
    assert repr(f.hessian) == (
        "Hessian(w, s; {('w', 'w'): diag(s**2*exp(w)), ('w', 's'): 2*s*exp(w), "
        "('s', 's'): 2*Sum(exp(w[j]), (j, 1, 3))})"
    ).replace("[j]", "[i]").replace("(j,", "(i,")
    assert f.hessian["w", "s"].shape == (3,)
    assert f.hessian["w"]["w"].shape == (3, 3)
    assert f.hessian == Objective("sum(exp(w))*s**2", params={"w": (3,), "s": ()}).hessian
    assert f.hessian["w", "s"]._repr_latex_().startswith(r"$\frac{\partial^2 f}{\partial w_{i} \partial s} = ")
    with pytest.raises(KeyError):
        f.hessian["w", "z"]


# ---- shapes that nobody gave -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "asked"),
    [
        ("sum(w**2) + mean(w)", "sum(w**2)"),
        ("var(w)", "var(w)"),
        ("sum(w**2)/sum(w)**2", "sum(w**2)"),
        ("a + norm(w*a)", "norm(w*a)"),
        ("w.size*s", "w.size"),
        ("dot(w, s)", "dot(w, s)"),
        ("max(w)", "max(w)"),
        ("logsumexp(w)", "logsumexp(w)"),
    ],
)
def test_a_name_is_not_taken_for_a_number_where_that_matters(formula, asked):
    f = Objective(formula)
    for ask in (lambda: f.gradient, lambda: f.hessian, lambda: f.sympy, f.numpy, f.latex):
        with pytest.raises(UsageError, match=re.escape(f"may be a number or an array, and {asked} depends on it")):
            ask()
    assert f._repr_latex_() is None
    number = f.with_shapes(dict.fromkeys(f.params, ()))
    assert set(number.gradient.text()) == set(f.params)


def test_asking_changes_nothing():
    f = Objective("sum(w**2) + mean(w)")
    assert f.value(w=[1, 2, 3]) == 16
    assert f.value(w=2.0) == 6
    with pytest.raises(
        UsageError, match=r"declare its shape, as by f.with_shapes\(\{'w': \(3,\)\}\), or f.with_shapes"
    ):
        f.gradient
    assert f.with_shapes({"w": 3}).gradient.text() == {"w": "1/3 + 2*w"}
    assert f.with_shapes({"w": ()}).gradient.text() == {"w": "1 + 2*w"}
    scaled = Objective("mean((y - w*x)**2)", data={"x": Y, "y": Y})
    before = scaled.gradient.text()
    scaled.value(w=np.ones(4))
    assert scaled.gradient.text() == before == {"w": "-2*mean(x*(y - w*x))"}
    assert Objective("mean((y - w*x)**2)", data={"x": Y, "y": Y}).gradient.text() == before


def test_a_matrix_is_not_shown_as_the_vector_that_it_might_be():
    f = Objective("mean(tanh(X @ W)**2)", data={"X": X})
    assert f.gradient.text()["W"].startswith("2*X.T @ ")
    other = Objective("mean(tanh(X @ W)**2)", data={"X": X})
    other.value(W=np.ones((2, 3)))
    with pytest.raises(
        UsageError, match=r"may have the shape \(2,\), and had \(2, 3\) at a point; declare it, as by f.with"
    ):
        other.gradient
    assert other.with_shapes({"W": (2, 3)}).gradient["W"].shape == (2, 3)


def test_what_the_formula_says_elsewhere_is_enough():
    f = Objective("0.1*sum(w**2) + mean((X @ w - y)**2)", data={"X": X, "y": Y})
    assert f.gradient.text() == {"w": "2*X.T @ (X @ w - y)/len(X) + 0.2*w"}
    assert Objective("sum(a*x)", data={"x": Y}).gradient.text() == {"a": "sum(x)"}
    assert Objective("mean(w)").minimize({"w": 1.0}, lr=0.1, steps=1).point == {"w": 0.9}


@pytest.mark.parametrize("formula", [
    "log1p(x)/x", "expm1(x)/x", "x/expm1(x)", "sin(x)/x", "sinh(x)/x", "tanh(x)/x", "(x - sin(x))/x**3", "(3**x - 1)/x",
    "((x + 2)**p - 1)/p", "xlogy(maximum(x, 0), x + 1)", "erf(x)/x", "1/x - 1/tan(x)", "log(x + 1)/x", "x/arctan(x)",
])  # fmt: skip
def test_quotients_that_are_0_over_0(formula):
    for place in (0.0, 1e-9, -1e-4, 0.3, -0.2):
        f = Objective(formula, tier="python")
        point = dict.fromkeys(f.params, place)
        for name, slope in f.gradient_at(point).items():
            texts = f.gradient.numpy()[name], f.gradient.text()[name]
            assert called(texts[0]) <= {n for n in PASTED if callable(PASTED[n])} | {"special"}
            same(run(texts[0], {n: np.float64(v) for n, v in point.items()}), slope, texts[0], rtol=1e-8)
            same(Objective(texts[1], params=f.params, tier="python").value(point), slope, texts[1], rtol=1e-8)
