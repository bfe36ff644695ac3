"""Reading: numbers stay exact and small, bombs are refused at their place, and nothing recurses over long input."""

import contextlib
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from effort import calls

from symgd import FormulaError, Objective

# What is no real number, and where its place is.
REFUSED = {
    "1/0": (3, "division by zero"),
    "x + 2/(1 - 1)": (7, "division by zero"),
    "x/0": (3, "division by zero"),
    "log(-1)": (1, "not a real number"),
    "x*log(0)": (3, "infinite"),
    "0**-1": (1, "infinite"),
    "(-8)**(1/3)": (1, "not a real"),
    "1e308*10": (1, "infinite"),
    "x + 1e308*10": (5, "infinite"),
    "1e400*x": (1, "too large"),
    "9**9**9": (4, "exponent"),
    "(10*x)**400": (1, "too large"),
    "2**10000*x": (1, "too large"),
    "gamma(1000)*x": (1, "too large"),
    "x**1e9": (4, "exponent"),
    "((3*x)**99)**99": (1, "too large"),
    "(((x/3)**999)**999)**999": (2, "too small"),
    "factorial(200)*x": (1, "too large"),
    "exp(1000)*x": (1, "too large"),
    "sqrt(-1)": (1, "not a real"),
    "arcsin(2)": (1, "not a real"),
    "x % 0": (5, "division"),
    "inf*x": (1, "infinite"),
    "nan": (1, "not a real"),
    "where(x > 0, x, 1/0)": (19, "division"),
    "10**9**9": (5, "exponent"),
}
# Bombs that are harmless once read right.
HARMLESS = (
    "(1/3)**500",
    "(1/3)**500*x",
    "0**0",
    "x**9999",
    "((x**100)**100)**100",
    "(x**9999)**9999",
    "x*1e308*1e308",
    "polygamma(10000000, x)",
    "2**x**9999",
    "((((x + 1)**99)**99)**99)",
    "(x/3)**400*(y/7)**300",
    "0.1**300*x",
    "digamma(-1e9)*x",
)


@pytest.mark.parametrize("text", REFUSED)
def test_constants_that_are_no_real_number_are_refused_at_their_place(text):
    column, problem = REFUSED[text]
    with pytest.raises(FormulaError, match=problem) as caught:
        Objective(text)
    assert caught.value.column == column


@pytest.mark.parametrize("text", [*REFUSED, *HARMLESS])
def test_no_constant_takes_long(text):
    found = []

    def build():
        with contextlib.suppress(FormulaError):
            found.append(Objective(text))

    assert calls(build) < 100_000
    if found and found[0].params:
        str(Objective("x").gradient)  # SymPy is loaded
        assert calls(lambda: (str(found[0].gradient), found[0].gradient.text())) < 1_000_000


def test_zero_to_the_zero_is_one():
    assert Objective("0**0").value() == 1


def test_products_of_many_constants():
    f = Objective("x*" + "*".join(["1.1", "1/1.1"] * 3000))
    assert f.value(x=1) == pytest.approx(1, rel=1e-9)  # 12,000 roundings
    with pytest.raises(FormulaError, match="infinite"):
        Objective("*".join(["3"] * 10_000))


# ---- deep and long ---------------------------------------------------------------------------------------------------


def deep(levels):
    text = "x"
    for _ in range(levels):
        text = f"(1 - y*x/-{text}**2 + 3)"
    return text


@pytest.mark.parametrize("text", [deep(49), "(" * 99 + "x" + " + 0.5*y)" * 99], ids=["operators", "parentheses"])
def test_deep_formulas(text):
    f = Objective(text, params=("x", "y"), tier="python")
    point = {"x": 0.7, "y": 0.3}
    assert f.value(point) == pytest.approx(eval(text, dict(point)), rel=1e-12)  # a well-conditioned recurrence
    step = 1e-6
    slope = (f.value(x=0.7 + step, y=0.3) - f.value(x=0.7 - step, y=0.3)) / (2 * step)
    assert f.gradient_at(point)["x"] == pytest.approx(slope, rel=1e-6)  # central differences: eps/step
    assert np.isfinite(f.hessian_at(point)).all()
    assert Objective(f.numpy()).value(point) == pytest.approx(f.value(point), rel=1e-12)
    assert f.gradient["x"].free_symbols <= f.sympy.free_symbols


def test_long_sums():
    f = Objective(" + ".join(["x"] * 29_999))
    assert f.gradient_at(x=1) == {"x": 29_999}
    f = Objective(" + ".join(f"{k}*x{k}" for k in range(1, 5000)))
    assert f.gradient_at(dict.fromkeys(f.params, 1.0)) == {f"x{k}": k for k in range(1, 5000)}


def test_long_sums_of_different_terms():
    functions = ["sin", "cos", "tanh", "arctan"]
    terms = [f"{functions[k % 3]}({'xyz'[k % 3]}*{functions[k % 4]}({'xyz'[k % 2]} + {k}))" for k in range(1500)]
    f = Objective(" + ".join(terms), params=("x", "y", "z"))
    space = {name: getattr(math, {"arctan": "atan"}.get(name, name)) for name in functions} | {
        "x": 0.1,
        "y": 0.2,
        "z": 0.01,
    }
    wanted = math.fsum(eval(t, space) for t in terms)
    assert f.value(x=0.1, y=0.2, z=0.01) == pytest.approx(wanted, abs=1e-12)  # 1,500 terms below 1.6 in size


def test_long_products():
    f = Objective("*".join(["x", "y"] * 400))
    assert f.value(x=1.001, y=0.999) == pytest.approx((1.001 * 0.999) ** 400, rel=1e-12)  # 800 roundings
    assert f.gradient_at(x=1.001, y=0.999)["x"] == pytest.approx(400 * (1.001 * 0.999) ** 400 / 1.001, rel=1e-12)
    Objective("*".join(f"x{k}" for k in range(5000)))


# ---- grouped terms ---------------------------------------------------------------------------------------------------


def rosenbrock(n):
    return " + ".join(f"100*(x{k + 1} - x{k}**2)**2 + (1 - x{k})**2" for k in range(n - 1))


def slope_of_rosenbrock(x):
    g = np.zeros_like(x)
    inner = x[1:] - x[:-1] ** 2
    g[:-1] = -400 * x[:-1] * inner - 2 * (1 - x[:-1])
    g[1:] += 200 * inner
    return g


def hessian_of_rosenbrock(x):
    h = np.diag(-400 * x[:-1], 1)
    h += h.T
    h[range(len(x) - 1), range(len(x) - 1)] += 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
    h[range(1, len(x)), range(1, len(x))] += 200
    return h


@pytest.mark.parametrize("n", [17, 100, 1000])
def test_rosenbrock_written_out(n):
    f = Objective(rosenbrock(n), tier="python")
    x = np.linspace(-1.2, 1.3, n)
    order = [int(name[1:]) for name in f.params]
    x_sorted = np.empty(n)
    x_sorted[order] = x
    inner = x_sorted[1:] - x_sorted[:-1] ** 2
    value, slope = f.kernel().slope(x)
    wanted = slope_of_rosenbrock(x_sorted)[order]
    assert value == pytest.approx(float(np.sum(100 * inner**2 + (1 - x_sorted[:-1]) ** 2)), rel=1e-12)  # all positive
    np.testing.assert_allclose(slope, wanted, rtol=1e-12, atol=1e-9)  # terms of up to 1e3 that cancel
    v = np.cos(np.arange(n))
    product = hessian_of_rosenbrock(x_sorted)[np.ix_(order, order)] @ v
    np.testing.assert_allclose(f.hessp(x, v), product, rtol=1e-11, atol=1e-9)


def test_rosenbrock_written_out_is_linear_work():
    def work(n):
        f = Objective(rosenbrock(n), tier="python")
        return calls(lambda: f.kernel().slope(np.ones(n)))

    work(20)  # loads what is loaded once
    assert work(800) < 6 * work(200)


def test_derivatives_of_grouped_terms_as_sympy_are_quick():
    import sympy

    f = Objective(rosenbrock(100))
    gradient, hessian = f.gradient, f.hessian
    assert calls(lambda: (gradient["x5"], hessian["x5", "x6"], hessian["x5", "x9"])) < 1_000_000
    a, b, c = sympy.symbols("x4 x5 x6", real=True)
    assert sympy.expand(gradient["x5"] - (-400 * b * (c - b**2) - 2 * (1 - b) + 200 * (b - a**2))) == 0
    assert sympy.expand(hessian["x5", "x6"] + 400 * b) == 0
    assert hessian["x5", "x9"] == 0


def test_grouped_and_plain_terms_agree():
    text = rosenbrock(40) + " + sin(x3)*x7 + 0.5*x1**2 - 3"
    grouped, x = Objective(text, tier="python"), np.linspace(-1, 1, 40)
    terms = [f"100*(x{k + 1} - x{k}**2)**2" for k in range(39)], [f"(1 - x{k})**2" for k in range(39)]
    pieces = [" + ".join(part[k : k + 8]) for part in terms for k in range(0, 39, 8)]  # too short to be grouped
    plain = Objective(
        "(" + ") + (".join(pieces) + ") + sin(x3)*x7 + 0.5*x1**2 - 3", params=grouped.params, tier="python"
    )
    assert grouped.root.function == "add"
    long, short = (sum(len(f.body) for f in o.program.functions) for o in (plain, grouped))
    assert long > 3 * short
    # The same terms in another order.
    assert grouped.fun(x) == pytest.approx(plain.fun(x), rel=1e-13)
    np.testing.assert_allclose(grouped.jac(x), plain.jac(x), rtol=1e-12, atol=1e-11)
    np.testing.assert_allclose(grouped.hess(x), plain.hess(x), rtol=1e-12, atol=1e-10)


def test_every_process_makes_the_same_nodes():
    code = (
        "from symgd import Objective\n"
        "f = Objective(\"einsum('ij,jk,kl->', A, B, C)\", params={'A': (2, 3), 'B': (3, 4), 'C': (4, 2)})\n"
        "print(f.model.plain[0].store.signature(), f.numpy(), f.gradient)"
    )
    told = {
        subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True,
                       text=True, check=True).stdout
        for seed in "156"
    }  # fmt: skip
    assert len(told) == 1
