r"""LaTeX: each formula against NumPy written by hand, in the notations of several kinds of author."""

import numpy as np
import pytest
from scipy import special

from symgd import FormulaError
from symgd.language.latex import read_latex

RNG = np.random.default_rng(7)
N, K = 6, 3
VALUES = {
    "x": RNG.normal(size=N), "y": RNG.normal(size=N), "z": RNG.normal(size=N), "X": RNG.normal(size=(N, K)),
    "w": RNG.normal(size=K), "v": RNG.normal(size=K), "b": 0.3, "lambda": 0.7, "a": 1.3, "c": -0.4, "sigma": 1.7,
    "mu": 0.2, "theta": RNG.normal(size=K), "A": RNG.normal(size=(K, K)) + 3 * np.eye(K), "p": RNG.uniform(0.1, 0.9, N),
    "t": (RNG.normal(size=N) > 0) * 1.0, "alpha": 0.9, "beta": 0.4, "yhat": RNG.normal(size=N),
    "W": RNG.normal(size=(K, 2)),
    "Y": RNG.normal(size=(N, 2)), "delta": 0.8, "tau": 0.3, "w_0": 0.6, "H": RNG.normal(size=(K, K)),
}  # fmt: skip
AXES = {N: "n", K: "k", 2: "r"}
SHAPES = {name: tuple(AXES[s] for s in np.shape(value)) for name, value in VALUES.items()}
NUMPY = {
    "sum": np.sum, "log": np.log, "exp": np.exp, "abs": np.abs, "norm": np.linalg.norm, "maximum": np.maximum,
    "minimum": np.minimum, "sigmoid": special.expit, "tanh": np.tanh, "where": np.where, "sqrt": np.sqrt, "sin": np.sin,
    "cos": np.cos, "inv": np.linalg.inv, "det": np.linalg.det, "trace": np.trace, "len": len, "pi": np.pi, "e": np.e,
    "amax": np.amax, "prod": np.prod, "cbrt": np.cbrt, "softplus": lambda a: np.logaddexp(0, a), "gamma": special.gamma,
    "relu": lambda a: np.maximum(a, 0), "log2": np.log2, "inf": np.inf, "softmax": special.softmax, "arctan": np.arctan,
}  # fmt: skip

SPACE = {name + ("_" if name == "lambda" else ""): value for name, value in VALUES.items()}

# LaTeX, and the same in NumPy; the first group in indices, then superscripts for samples, matrices, and others.
READ = [
    (r"\frac{1}{n}\sum_{i=1}^{n} (y_i - (a x_i + b))^2", "sum((y - (a*x + b))**2)/N"),
    (r"\frac{1}{N} \sum_{i=1}^{N} \left( y_i - (a x_i + b) \right)^2", "sum((y - (a*x + b))**2)/N"),
    (r"-\frac{2}{N}\sum_{i=1}^{N} x_i (y_i - (a x_i + b))", "-2/N*sum(x*(y - (a*x + b)))"),
    (r"\frac{-2}{N}\sum_{i=1}^N \big(y_i - a x_i - b\big)", "-2/N*sum(y - a*x - b)"),
    (r"\sum_i x_i^2", "sum(x**2)"),
    (r"\sum_i x^2_i", "sum(x**2)"),
    (r"\sum_{i} |y_i - a x_i|", "sum(abs(y - a*x))"),
    (r"\sum_{i=1}^{n-1} (x_{i+1} - x_i)^2", "sum((x[1:] - x[:-1])**2)"),
    (r"\sum_{i=2}^{n} (x_i - x_{i-1})^2", "sum((x[1:] - x[:-1])**2)"),
    (r"\sum_{i=2}^{n-1} (x_{i+1} - 2 x_i + x_{i-1})^2", "sum((x[2:] - 2*x[1:-1] + x[:-2])**2)"),
    (r"\sum_{i=0}^{n-1} x_i", "sum(x)"),
    (r"\sum_{i=1}^n \Big(y_i - \sum_{j=1}^k x_{ij} w_j\Big)^2", "sum((y - X @ w)**2)"),
    (r"\frac1n\sum_{i=1}^n\bigl(y_i-\sum_{j=1}^k x_{ij}w_j-b\bigr)^2+\lambda\sum_{j=1}^k w_j^2",
     "sum((y - X @ w - b)**2)/N + lambda_*sum(w**2)"),
    (r"\sum_{j} \Big|w_j\Big|", "sum(abs(w))"),
    (r"\sum_{i,j} x_{ij}^2", "sum(X**2)"),
    (r"\sum_i\sum_j x_{ij} y_i w_j", "y @ X @ w"),
    (r"\sum_i\sum_j y_i x_{ij}", "sum(y[:, None]*X)"),
    (r"\sum_j \Big(\sum_i x_{ij}\Big)^2", "sum(X.sum(0)**2)"),
    (r"\sum_i \sum_l (y_{il} - \sum_j x_{ij} w_{jl})^2", "sum((Y - X @ W)**2)"),
    (r"\sum_{i=1}^n 1", "N"),
    (r"\sum_{i=1}^n x_i + b", "sum(x) + b"),
    (r"b + \sum_{i=1}^n x_i y_i z_i", "b + sum(x*y*z)"),
    (r"\prod_i p_i", "prod(p)"),
    (r"x_1 + x_2", "x[0] + x[1]"),
    (r"w_0 + a", "w_0 + a"),
    (r"\frac{1}{2m}\sum_{i=1}^m (\theta^T x^{(i)} - y^{(i)})^2", "sum((X @ theta - y)**2)/(2*N)"),
    (r"-\frac{1}{m}\sum_{i=1}^m \left[ t^{(i)}\log \sigma_0 + (1-t^{(i)})\log(1-\sigma_0)\right]", None),
    (r"-\frac1m\sum_{i=1}^m [t^{(i)} \log p^{(i)} + (1 - t^{(i)}) \log(1 - p^{(i)})]",
     "-sum(t*log(p) + (1 - t)*log(1 - p))/N"),
    (r"\frac1m\sum_{i=1}^m (w^\top x^{(i)} - y^{(i)}) x^{(i)}", "X.T @ (X @ w - y)/N"),
    (r"X^\top (Xw - y)", "X.T @ (X @ w - y)"),
    (r"2 X^T (X w - y)", "2*X.T @ (X @ w - y)"),
    (r"\|Xw-y\|_2^2", "sum((X @ w - y)**2)"),
    (r"\|y - X w\|^2 + \lambda \|w\|_1", "sum((X @ w - y)**2) + lambda_*sum(abs(w))"),
    (r"\frac12 \lVert Xw - y \rVert_2^2 + \frac{\lambda}{2}\lVert w\rVert^2",
     "sum((X @ w - y)**2)/2 + lambda_/2*sum(w**2)"),
    (r"\frac{1}{2}\left\| \mathbf{X}\mathbf{w} - \mathbf{y} \right\|_2^2", "sum((X @ w - y)**2)/2"),
    (r"(y - Xw)^\top (y - Xw)", "sum((X @ w - y)**2)"),
    (r"(w^\top X^\top - y^\top)(Xw - y)", "sum((X @ w - y)**2)"),
    (r"w^\top A w", "w @ A @ w"),
    (r"\frac12 w^\top A w - v^\top w", "w @ A @ w/2 - v @ w"),
    (r"(A + A^\top) w", "(A + A.T) @ w"),
    (r"A^{-1} w", "inv(A) @ w"),
    (r"w^\top A^{-1} w", "w @ inv(A) @ w"),
    (r"A^{-\top}", "inv(A).T"),
    (r"A^{-T} w w^\top A^{-T}", "inv(A).T @ outer(w, w) @ inv(A).T"),
    (r"w v^\top", "outer(w, v)"),
    (r"w^\mathsf{T} v", None),
    (r"w^{\mathsf{T}} v", "w @ v"),
    (r"w \cdot v", "w @ v"),
    (r"\langle w, v \rangle", "w @ v"),
    (r"w \odot v", "w*v"),
    (r"X^\top (y \odot z)", "X.T @ (y*z)"),
    (r"\operatorname{tr}(A^\top A)", "trace(A.T @ A)"),
    (r"\mathrm{tr}(A H)", "trace(A @ H)"),
    (r"\log \det(A)", "log(det(A))"),
    (r"\|A\|_F^2", "sum(A**2)"),
    (r"\|A - w v^\top\|_F^2", "sum((A - outer(w, v))**2)"),
    (r"\|w\|", "norm(w)"),
    (r"\frac{w^\top v}{\|w\| \|v\|}", "w @ v/(norm(w)*norm(v))"),
    (r"\frac{w}{\|w\|_2}", "w/norm(w)"),
    (r"\|w\|_\infty", "amax(abs(w))"),
    (r"\mathbf{1}^\top w", "sum(w)"),
    (r"\|Y - X W\|_F^2", "sum((Y - X @ W)**2)"),
    (r"X^\top (XW - Y)", "X.T @ (X @ W - Y)"),
    (r"\sum_{i=1}^n \log(1+e^{-y_i w^\top x_i})", "sum(log(1 + exp(-y*(X @ w))))"),
    (r"\frac{1}{n}\sum_i \log\left(1 + \exp(-y_i \, x_i^\top w)\right)", "sum(log(1 + exp(-y*(X @ w))))/N"),
    (r"\sum_i \max(0, 1 - y_i (w^\top x_i + b)) + \lambda \|w\|^2",
     "sum(maximum(0, 1 - y*(X @ w + b))) + lambda_*sum(w**2)"),
    (r"\sum_i \max\{0, 1 - y_i w^\top x_i\}", "sum(maximum(0, 1 - y*(X @ w)))"),
    (r"\log\sum_{j=1}^{k} e^{w_j}", "log(sum(exp(w)))"),
    (r"-w_2 + \log \sum_j \exp(w_j)", "-w[1] + log(sum(exp(w)))"),
    (r"\sum_i \Big( \log \sum_j e^{x_{ij}} - x_{i1} \Big)", "sum(log(exp(X).sum(1)) - X[:, 0])"),
    (r"\frac{1}{2\sigma^2}\sum_i (y_i-\mu)^2 + \frac n2 \log(2\pi\sigma^2)",
     "sum((y - mu)**2)/(2*sigma**2) + N/2*log(2*pi*sigma**2)"),
    (r"\sum_i \frac{(y_i - \mu)^2}{2\sigma^2}", "sum((y - mu)**2)/(2*sigma**2)"),
    (r"-\sum_i t_i \ln p_i", "-sum(t*log(p))"),
    (r"\sum_i (y_i - \hat{y}_i)^2", "sum((y - yhat)**2)"),
    (r"\frac{1}{n} \sum_{i=1}^n (\hat y_i - y_i)^2", "sum((y - yhat)**2)/N"),
    ((r"\sum_i \begin{cases} \frac12 x_i^2 & |x_i| \le \delta \\ "
     r"\delta(|x_i| - \frac{1}{2}\delta) & \text{otherwise}\end{cases}"),
     "sum(where(abs(x) <= delta, x**2/2, delta*(abs(x) - delta/2)))"),
    (r"\sum_i \begin{cases} \tau (y_i - b), & y_i \geq b \\ (\tau - 1)(y_i - b), & y_i < b \end{cases}",
     "sum(where(y >= b, tau*(y - b), (tau - 1)*(y - b)))"),
    (r"\alpha e^{-\beta b}", "alpha*exp(-beta*b)"),
    (r"\alpha \exp\left(-\beta b\right) + c", "alpha*exp(-beta*b) + c"),
    (r"\frac{\alpha}{1 + e^{-\beta(b - c)}}", "alpha/(1 + exp(-beta*(b - c)))"),
    (r"\sin^2 b + \cos^2 b", "1.0"),
    (r"\sin b \cos c", "sin(b)*cos(c)"),
    (r"\sin(b)\cos(c)", "sin(b)*cos(c)"),
    (r"\cos b\,\sin c", "cos(b)*sin(c)"),
    (r"\sin 2b", "sin(2*b)"),
    (r"b\cos(b) + 9", "b*cos(b) + 9"),
    (r"0.2a^2 + c^2", "0.2*a**2 + c**2"),
    (r"a^2 - 4a + 5", "a**2 - 4*a + 5"),
    (r"(1-a)^2 + 100(c-a^2)^2", "(1 - a)**2 + 100*(c - a**2)**2"),
    (r"\sqrt{a^2 + c^2}", "sqrt(a**2 + c**2)"),
    (r"\sqrt[3]{a}", "cbrt(a)"),
    (r"a^{b+1}", "a**(b + 1)"),
    (r"a^{\frac{1}{2}}", "a**0.5"),
    (r"2^{-a}", "2.0**(-a)"),
    (r"10^{-3} a", "1e-3*a"),
    (r"\frac{a}{b}\cdot c", "a/b*c"),
    (r"a/b + c", "a/b + c"),
    (r"\tanh(a) - \arctan a", "tanh(a) - arctan(a)"),
    (r"|a - c|", "abs(a - c)"),
    (r"-a^2", "-a**2"),
    (r"\sum_i \sigma_i", None),
    (r"\sum_j \mathrm{softplus}(w_j)", "sum(softplus(w))"),
    (r"\operatorname{ReLU}(a - c)", "relu(a - c)"),
    (r"\log_2 a", "log2(a)"),
    (r"$$ \mathcal{L} = \frac{1}{n} \sum_{i=1}^n (y_i - a x_i)^2. $$", "sum((y - a*x)**2)/N"),
    (r"\[ J(w) = \|Xw - y\|_2^2 \]", "sum((X @ w - y)**2)"),
    (r"\nabla_w L = \frac{2}{n} X^\top(Xw-y) + 2\lambda w", "2/N*X.T @ (X @ w - y) + 2*lambda_*w"),
    (r"\frac{\partial L}{\partial w_j} = -\frac{2}{n} \sum_{i=1}^n x_{ij}\Big(y_i - \sum_{l=1}^{k} x_{il} w_l\Big)",
     "-2/N*X.T @ (y - X @ w)"),
    (r"\frac{\partial L}{\partial W_{jl}} = \sum_i x_{ij} \Big(\sum_r x_{ir} W_{rl} - Y_{il}\Big)",
     "X.T @ (X @ W - Y)"),
    (r"\frac{dL}{da} = 2a", "2*a"),
    ("2α − β·a", "2*alpha - beta*a"),
]  # fmt: skip


def _only(shapes, text):
    """Leave out the vector where the matrix of its rows is meant, the matrix elsewhere, and w_0 where there is w."""
    out = {"x" if "X" in text else "X", "y" if "Y" in text else "Y", *(() if "w_0" in text else ("w_0",))}
    return {name: shape for name, shape in shapes.items() if name not in out and ("w_0" not in text or name != "w")}


FORMULA = {name: shape for name, shape in SHAPES.items() if name not in ("X", "Y", "w_0")}


@pytest.mark.parametrize(("latex", "numpy"), [pair for pair in READ if pair[1]], ids=lambda text: text[:50])
def test_latex_means_what_numpy_says(latex, numpy):
    space = {**NUMPY, **SPACE, "N": N, "outer": np.outer, "np": np}
    wanted = eval(numpy, space)
    found = read_latex(latex, _only(SHAPES, numpy)).formula
    got = eval(found.replace("lambda", "lambda_"), space)
    assert np.shape(got) == np.shape(wanted)
    np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-13)


def test_enough_are_tried():
    assert sum(pair[1] is not None for pair in READ) >= 100


ASKED = [
    (r"w^2", "squared length"),
    (r"w v", "inner product"),
    (r"|w|", "length"),
    (r"|A|", "determinant"),
    (r"\|A\|", "Frobenius"),
    (r"A^2", "product with itself"),
    (r"\log a b", "times this"),
    (r"\log 2\pi\sigma^2", "all of it"),
    (r"\log(a)^2", "power of its argument"),
    (r"\sin^{-1} a", "inverse function"),
    (r"1/2 a", "below the line"),
    (r"\bar{x}", "the mean of x"),
    (r"w'v", "transpose"),
    (r"\log a \cdot b", "times this"),
    (r"\exp(A)", "each entry"),
    (r"\sum_i x_i / n a", "below the line"),
    (r"x_0", "counted from"),
]


@pytest.mark.parametrize(("latex", "reading"), ASKED)
def test_two_readings_are_a_question(latex, reading):
    with pytest.raises(FormulaError, match="two ways") as caught:
        read_latex(latex, FORMULA)
    assert reading in str(caught.value)


REFUSED = [
    (r"\sum_i x_i - y_i", "has ended before this"),
    (r"\sum_{i=1}^{k} y_i", "the sum runs to k, and axis 0 of y has the length n"),
    (r"\foo a", "not understood"),
    (r"\frac{a}{b", "needs '}'"),
    (r"(a + b", "needs '\\)'"),
    (r"a + b)", "closes no bracket"),
    (r"q + a", "'q' is not declared"),
    (r"\frac1q \|w\|^2", "'q' is not declared"),
    (r"a + \ldots", "not understood"),
    (r"a \pm b", "not understood"),
    (r"a = b = c", "second '='"),
    (r"X w^\top", "transposed vector"),
    (r"w A", "a vector stands before a matrix"),
    (r"w + X", "are not added"),
    (r"a / w", "nothing is divided by a vector"),
    (r"X^{12} a^12", "only the first digit"),
    (r"\sum_{i<j} x_i", "not read"),
    (r"\sum a", "needs an index"),
    (r"X_{ij}X_{ij}", "not summed over"),
    (r"b_i", "no axes"),
    (r"\sum_i A_{ii}", "twice"),
    (r"\sum_{a=1}^n x_a", "declared, and an index"),
    (r"\sum_i \sum_i x_i", "in use already"),
    (r"\begin{pmatrix} a \end{pmatrix}", "not read"),
    (r"\begin{cases} a & a > 0 \\ b & a < 0 \end{cases}", "leave places open"),
    (r"w \times v", "cross product"),
    (r"w^*", "superscript"),
    (r"a!", "factorial"),
    (r"\max_j w_j", "index"),
    (r"", "something is missing"),
    ("a \u202e b", "no meaning"),
    (r"i + a", "not declared"),
    (r"\sum_i i x_i", "stands alone"),
    (r"\sum_{i=1}^{n+1} x_i", "beyond the axis"),
    (r"\sum_{i=1}^{n} x_{i+1}", "leaves the array"),
    (r"\sum_{i=1}^{10} x_i", "fixed number"),
    ("{" * 200 + "a" + "}" * 200, "nested"),
    ("a" * 30_000, "characters"),
]


@pytest.mark.parametrize(("latex", "problem"), REFUSED)
def test_what_is_not_understood_is_an_error(latex, problem):
    with pytest.raises(FormulaError, match=problem):
        read_latex(latex, _only(SHAPES, latex))


def test_nothing_is_dropped():
    """Every character that says something counts: without it, the formula is another one or none."""
    latex = r"\frac{1}{n}\sum_{i=1}^{n}(y_i-ax_i)^2"
    for place, character in enumerate(latex):
        if character in "\\{}_^n1":
            continue  # braces and scripts of single letters can be left out without a change
        shorter = latex[:place] + latex[place + 1 :]
        try:
            found = read_latex(shorter, FORMULA).formula
        except FormulaError:
            continue
        assert found != read_latex(latex, FORMULA).formula, shorter


def test_shapes_that_are_not_known_follow_from_use():
    shapes = {"X": ("n", "k"), "y": ("n",), "w": None, "b": None}
    assert read_latex(r"\|Xw + b - y\|^2", shapes).formula == "sum((X @ w + b - y)**2)"
    found = read_latex(r"\sum_i (y_i - \sum_j x_{ij} w_j)^2", shapes).formula
    assert found == "sum((y - sum(X*w, axis=1))**2)"


def test_names_of_several_letters():
    assert read_latex(r"\mathrm{lr}\, a", {"lr": (), "a": ()}).formula == "lr*a"
    with pytest.raises(FormulaError, match="the name lr"):
        read_latex(r"lr a", {"lr": (), "a": ()})


def test_the_left_side_names_the_parameter():
    assert read_latex(r"\nabla_w L = w", SHAPES).target == "w"
    found = read_latex(r"\frac{\partial L}{\partial w_j} = 2 w_j", SHAPES)
    assert (found.target, found.indices, found.formula) == ("w", ("j",), "2*w")
