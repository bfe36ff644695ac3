"""How formulas and derivatives are shown: tidy SymPy, NumPy text as a person writes it, LaTeX."""

import numpy as np
import pytest

from symgd import Objective
from symgd.language.latex import read_latex
from symgd.views import to_latex

DATA = {"x": np.array([1.0, 2.0, 4.0]), "y": np.array([1.0, 3.0, 2.0])}

# Formula: the text that it is written as, and that of its derivative by its first parameter.
TEXTS = {
    "0.2*x1**2 + x2**2": ("0.2*x1**2 + x2**2", "0.4*x1"),
    "a - (b - c)": ("a - (b - c)", "1"),
    "-(a + b)": ("-(a + b)", "-1"),
    "(-a)**2": ("(-a)**2", "2*a"),
    "-a**2": ("-a**2", "-2*a"),
    "a*-b": ("-a*b", "-b"),
    "a/b/c": ("a/(b*c)", "1/(c*b)"),
    "(a/b)**2": ("(a/b)**2", "2*a/b**2"),
    "a**-1": ("a**-1", "-1/a**2"),
    "a**b**c": ("a**(b**c)", "b**c*a**where(b**c == 0, 1, b**c - 1)"),
    "(a**b)**2": ("(a**b)**2", "2*a**b*(b*a**where(b == 0, 1, b - 1))"),
    "a/3": ("a/3", "1/3"),
    "2*(a + b)/3": ("2*(a + b)/3", "2/3"),
    "1e-7*a": ("1e-07*a", "1e-07"),
    "a/(2*b)": ("a/(2*b)", "1/(2*b)"),
    "sqrt(a**2 + b**2)": ("hypot(a, b)", "a/where(hypot(a, b) == 0, inf, hypot(a, b))"),
    "where(a > 0, log(a), 0)": ("where(a > 0, log(a), 0)", "where(a > 0, 1/a, 0)"),
    "2**a": ("2**a", "log(2)*2**a"),
    "log(1 + exp(a))": ("logaddexp(0, a)", "sigmoid(a)"),
    "1/(1 + exp(-a))": ("1/(1 + exp(-a))", "sigmoid(a)*sigmoid(-a)"),
    "exp(-a*b)": ("exp(-a*b)", "-b*exp(-a*b)"),
    "(1 - a)**2 + 100*(b - a**2)**2": ("(1 - a)**2 + 100*(b - a**2)**2", "-400*a*(b - a**2) - 2*(1 - a)"),
    "abs(a - 1)": ("abs(a - 1)", "sign(a - 1)"),
    "mean((y - (w*x + b))**2)": ("mean((y - (w*x + b))**2)", "-2*mean(x*(y - (w*x + b)))"),
    "norm(w*x - y)": (
        "linalg.norm(w*x - y)",
        "sum(x*(w*x - y))/where(norm(w*x - y) == 0, inf, norm(w*x - y))",
    ),
    "std(w*x)": ("std(w*x)", None),
    "var(w*x)": ("var(w*x)", None),
    "sum(log(1 + exp(-y*(w*x))))/len(x) + 0.1*w**2": (
        "mean(logaddexp(0, -y*w*x)) + 0.1*w**2",
        "0.2*w - mean(y*x*sigmoid(-y*w*x))",
    ),
    "sum(w*x/x)": ("sum(w*x/x)", "sum(x/x)"),  # 3, and not 1
    "log(sum(exp(w*x)))": ("special.logsumexp(w*x)", "sum(x*exp(w*x - logsumexp(w*x)))"),
}


@pytest.mark.parametrize("text", TEXTS)
def test_texts(text):
    f = Objective(
        text,
        data={n: c for n, c in DATA.items() if n in text.replace("exp", "").replace("x1", "").replace("x2", "")}
        or None,
    )
    written, slope = TEXTS[text]
    assert f.numpy() == written
    assert slope is None or f.gradient.text()[f.params[0]] == slope


def test_sympy_gradient_is_tidy():
    assert str(Objective("0.2*x1**2 + x2**2").gradient) == "{'x1': 2*x1/5, 'x2': 2*x2}"
    assert str(Objective("a**b").gradient) == "{'a': a**(b - 1)*b, 'b': a**b*log(a)}"
    assert str(Objective("hypot(a, b)").gradient) == "{'a': a/sqrt(a**2 + b**2), 'b': b/sqrt(a**2 + b**2)}"


def test_hessian_by_names_and_numbers():
    h = Objective("x**2*y").hessian
    assert str(h["x", "y"]) == str(h["y", "x"]) == str(h["x"]["y"]) == str(h[0, 1]) == "2*x"
    assert h.shape == (2, 2)
    assert h.text() == {("x", "x"): "2*y", ("x", "y"): "2*x"}


NAMES = (
    "lambda_",
    "E",
    "I",
    "S",
    "N",
    "O",
    "Q",
    "beta",
    "gamma",
    "zeta",
    "np_",
    "x1",
    "sympy",
    "i",
    "n",
    "row",
    "Sum",
    "real",
)


@pytest.mark.parametrize("name", [*NAMES, "pi", "e", "sin"])
def test_names_mean_nothing_to_sympy(name):
    f = Objective(f"{name}**2 + 3*{name}", params=(name,), tier="python")
    assert f.gradient_at({name: 2.0}) == {name: 7.0}
    (symbol,) = f.gradient[name].free_symbols
    assert symbol.name == name
    assert f.gradient[name] == 2 * symbol + 3
    assert Objective(f.numpy(), params=(name,)).value({name: 2.0}) == 10
    assert f.gradient.latex()
    assert f.hessian.latex()


def test_latex():
    f = Objective("mean((y - w*x1)**2)", data={"x1": DATA["x"], "y": DATA["y"]})
    assert to_latex(f.sympy) == r"\frac{1}{n} \sum_{i=1}^{n} \left(- w x_{1,i} + y_{i}\right)^{2}"
    assert r"- \frac{2}{n} \sum_{i=1}^{n}" in f.gradient.latex()
    assert r"\frac{\partial f}{\partial \lambda} &= 2 \lambda" in Objective("lambda_**2").gradient.latex()
    assert (
        Objective("x1**2").gradient.latex().startswith(r"\begin{aligned}\frac{\partial f}{\partial x_{1}} &= 2 x_{1}")
    )


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("rate*x", r"\mathrm{rate} x"),
        ("rate2**2", r"\mathrm{rate}_{2}^{2}"),
        ("alpha*bias", r"\alpha \mathrm{bias}"),
        ("lr_0 + w1", r"\mathrm{lr}_{0} + w_{1}"),
        ("xbar*lambda_", r"\lambda \bar{x}"),
    ],
)
def test_names_of_several_letters_are_no_products(text, latex):
    assert Objective(text).latex() == latex


@pytest.mark.parametrize("text", ["rate*x_1 + alpha**2", "bias*w1**2", "rate2**2", "sin(rate)*x"])
def test_names_of_several_letters_are_read_again(text):
    f = Objective(text)
    again = Objective(read_latex(f.latex(), dict.fromkeys(f.params, ())).formula, params=f.params)
    assert again.value([0.3 + k for k in range(len(f.params))]) == f.value([0.3 + k for k in range(len(f.params))])


def test_an_array_of_several_letters_has_its_indices():
    f = Objective("mean(X @ weights)", data={"X": np.ones((3, 2))})
    assert r"X_{i,j} \mathrm{weights}_{j}" in f.latex()


def test_one_over_a_sum_is_no_sum():
    f = Objective("1/sum(w*x)", data={"x": DATA["x"]})
    assert f.latex() == r"\frac{1}{\sum_{i=1}^{n} w x_{i}}"


def test_nested_sums_have_indices_of_their_own():
    f = Objective("mean((w*x - mean(w*x))**2)", data={"x": DATA["x"]})
    text = str(f.sympy)
    assert "x[i]" in text
    assert "x[j]" in text
    g = str(Objective("max(w*x)", data={"x": DATA["x"]}).gradient["w"])
    assert "Sum(1" not in g  # the rows that attain the largest are counted, not all of them


def test_sympy_sums_have_the_values_of_the_kernel():
    for text in (
        "mean((y - w*x)**2)",
        "log(sum(exp(w*x)))",
        "std(w*x)",
        "norm(w*x - y)",
        "sum(where(x > w, x*w, w**2))",
    ):
        f = Objective(text, data={n: c for n, c in DATA.items() if n in text.replace("exp", "")})
        value = numeric(f.sympy, 0.3)
        assert value == pytest.approx(f.value(w=0.3), rel=1e-12)  # the same sums in another order
        assert numeric(f.gradient["w"], 0.3) == pytest.approx(f.gradient_at(w=0.3)["w"], rel=1e-12)


def numeric(expression, w):
    import sympy

    expression = expression.subs({s: 3 for s in expression.free_symbols if s.name == "n"}).doit()
    columns = {}
    for indexed in expression.atoms(sympy.Indexed):
        columns[indexed] = DATA[str(indexed.base.label)][int(indexed.indices[0]) - 1]
    point = {s: w for s in expression.free_symbols if s.name == "w"}
    return float(expression.xreplace(columns).subs(point))
