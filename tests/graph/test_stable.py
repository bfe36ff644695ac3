"""Spellings that overflow or lose digits in float64: value, gradient and Hessian keep 12 digits all the same."""

import math

import numpy as np
import oracles
import pytest

from symgd import Objective

WHOLE = (-1000.0, -750.0, -100.0, -30.0, -3.0, -0.3, -1e-5, -1e-12, 1e-12, 1e-5, 0.3, 3.0, 30.0, 100.0, 750.0, 1000.0)
AWAY = tuple(x for x in WHOLE if abs(x) > 0.1)  # where the value itself passes through 0 by cancellation
RIGHT = tuple(x for x in WHOLE if x > 0)
SMALL = (*(x for x in WHOLE if abs(x) < 100), 1e-100, -1e-100)
TINY = (1e-300, 1e-200, 1e-30, 1e-12, 1e-5, 0.3, 3.0, 1e5)

# Functions of one variable, and where their value can be told in float64.
ONE = {
    # softplus and sigmoid
    "log(1 + exp(x))": WHOLE,
    "log(exp(x) + 1)": WHOLE,
    "log1p(exp(x))": WHOLE,
    "log(1 + exp(-x))": WHOLE,
    "log(1 + e**x)": WHOLE,
    "logaddexp(0, x)": WHOLE,
    "log(exp(0) + exp(x))": WHOLE,
    "-log(sigmoid(-x))": WHOLE,
    "-log(1/(1 + exp(-x)))": WHOLE,
    "-log(1 - 1/(1 + exp(-x)))": WHOLE,
    "log(1 - sigmoid(x))": WHOLE,
    "log(exp(x)/(1 + exp(x)))": WHOLE,
    "x - log(1 + exp(x))": WHOLE,
    "log(1 + exp(x)) - x": WHOLE,
    "log(2 + 2*exp(x))": WHOLE,
    "log((1 + exp(x))/2)": AWAY,
    "log((1 + exp(x))**3)": WHOLE,
    "log(1/(1 + exp(x))**2)": WHOLE,
    "log(sqrt(1 + exp(x)))": WHOLE,
    "log((1 + exp(x))*(1 + exp(-x)))": WHOLE,
    "1/(1 + exp(-x))": WHOLE[3:],
    "exp(x)/(1 + exp(x))": WHOLE[2:],
    "1 - 1/(1 + exp(x))": WHOLE[2:],
    "1/(1 + exp(x))": WHOLE[:-2],
    "1/(1 + e**-x)": WHOLE[2:],
    "(1 + exp(-x))**-1": WHOLE[2:],
    "(1 + exp(-x))**-2": WHOLE[2:],
    "1/(1 + exp(-x))**2": WHOLE[2:],
    "1/sqrt(1 + exp(-x))": WHOLE[2:],
    "(1 + exp(-x))**-0.5": WHOLE[2:],
    "exp(-x)/(1 + exp(-x))**2": WHOLE[2:-2],
    "exp(x)/(1 + exp(x))**2": WHOLE[2:-2],
    "2/(3 + 4*exp(-x))": WHOLE[2:],
    "x/(1 + exp(-x))": WHOLE[2:],
    "x*exp(x)/(1 + exp(x))": WHOLE[2:],
    "1/(exp(x) + 2 + exp(-x))": WHOLE[2:-2],
    "exp(-log(1 + exp(-x)))": WHOLE[2:],
    "sigmoid(x)*(1 - sigmoid(x))": WHOLE[2:-2],
    "1/(2 + exp(x))**1.5": WHOLE[:-3],
    "1 - sigmoid(x)": WHOLE[:-2],
    "sigmoid(x) - 1": WHOLE[:-2],
    # hyperbolic functions
    "log(cosh(x))": WHOLE,
    "log(2*cosh(x))": WHOLE,
    "log((exp(x) + exp(-x))/2)": WHOLE,
    "log(sinh(x))": RIGHT,
    "log(tanh(x))": RIGHT[:-3],
    "tanh(x)": WHOLE,
    "sinh(x)/cosh(x)": WHOLE,
    "(exp(x) - exp(-x))/(exp(x) + exp(-x))": WHOLE,
    "(exp(2*x) - 1)/(exp(2*x) + 1)": WHOLE,
    "(1 - exp(-2*x))/(1 + exp(-2*x))": WHOLE,
    "2/(1 + exp(-2*x)) - 1": WHOLE,
    "1 - 2/(exp(2*x) + 1)": WHOLE,
    "2*sigmoid(2*x) - 1": WHOLE,
    "1/cosh(x)": WHOLE[2:-2],
    "1/cosh(x)**2": WHOLE[2:-2],
    "1 - tanh(x)**2": WHOLE[2:-2],
    "log(1 - tanh(x)**2)": WHOLE,
    "1 - tanh(x)": WHOLE[:-2],
    "1 + tanh(x)": WHOLE[2:],
    "log(1 + tanh(x))": AWAY,
    "2/(exp(x) + exp(-x))": WHOLE[2:-2],
    "(exp(x) - exp(-x))/2": SMALL,
    "cosh(x) - 1": SMALL,
    "sech(x)": WHOLE[2:-2],
    "exp(x)*sech(x)": WHOLE[2:],
    "cosh(x)*exp(-x)": RIGHT,
    # exponentials
    "exp(x) - 1": SMALL,
    "1 - exp(-x)": SMALL,
    "log(1 - exp(-x))": RIGHT[:-2],
    "log(exp(x) - 1)": RIGHT,
    "exp(x)*exp(-x)": WHOLE,
    "exp(x)*exp(1 - x)": WHOLE,
    "exp(x)/exp(x - 1)": WHOLE,
    "exp(x)**2*exp(-2*x)": WHOLE,
    "log(exp(x))": WHOLE,
    "log(exp(x)**2)": WHOLE,
    "log(3*exp(x))": WHOLE,
    "log(exp(x)/3)": WHOLE,
    "sqrt(exp(2*x))": WHOLE[2:-2],
    "log(exp(-x**2/2)/sqrt(2*pi))": WHOLE,
    "log(1/sqrt(2*pi)*exp(-x**2/2))": WHOLE,
    "log2(1 + 2**x)": WHOLE,
    "log10(1 + 10**x)": WHOLE[2:-2],
    "log2(2**x)": WHOLE,
    "log(exp(x) + exp(2*x))": WHOLE[:-1],
    "2**x - 1": SMALL,
    "log(exp(x) + 2*exp(-x) + 3)": WHOLE,
    "x/(exp(x) - 1)": AWAY[2:-2],
    "x**3/(exp(x) - 1)": AWAY[2:-2],
    "1/(exp(x) - 1)": WHOLE[2:-2],
    "exp(x)/(exp(x) - 1)": WHOLE[2:-2],
    "1/(1 - exp(-x))": WHOLE[2:-2],
    "2 - 2*exp(x)": SMALL,
    "log(x + exp(x))": RIGHT[2:],
    "exp(x) - 1 + x**2": SMALL[:6] + SMALL[6:],
    "log(-expm1(-x))": RIGHT[:-2],
    "log(expm1(x))": RIGHT,
    "exp(-exp(-x))": (-3.0, -0.3, 0.3, 3.0, 30.0),
    "log(exp(-exp(-x)))": WHOLE[2:-2],
    "1/exp(x)": WHOLE[2:-2],
    # logarithms
    "log(1 + x)": TINY,
    "log(x + 1)": TINY,
    "log(1 - x)": (1e-300, 1e-12, 0.3, -1e-9, 0.999),
    "log2(1 + x)": TINY,
    "log10(1 + x)": TINY,
    "log(1 + x**2)": (1e-5, 1e-100, 0.3, 1e100),
    "log(x**2)": (1e-300, -1e-200, 0.3, 3.0, 1e100),
    "log(1/x)": TINY,
    "log(x**3)": (1e-130, 1e-200, 0.3, 3.0),
    "log(x**-2)": (1e-100, 1e-200, 0.3, 3.0),
    "log(sqrt(x))": TINY,
    # differences
    "1 - cos(x)": (*SMALL[:-2], 1e-100),
    "2 - 2*cos(x)": SMALL,
    "cos(x) - 1": SMALL,
    "sqrt(1 + x**2) - 1": (1e-100, 1e-9, -0.3, 3.0, 1e60),
    "sqrt(1 + x) - 1": TINY,
    "1 - sqrt(1 - x)": (1e-300, 1e-12, 0.3, 0.9),
    "sqrt(x + 1) - sqrt(x)": (1e-9, 0.3, 1e9, 1e15),
    "2*(sqrt(1 + x/2) - 1)": TINY,
    # error and gamma functions
    "1 - erf(x)": (-3.0, 0.3, 5.0, 20.0),
    "1 + erf(x)": (-20.0, -5.0, 0.3, 3.0),
    "(1 + erf(x/sqrt(2)))/2": (-30.0, -5.0, 0.3, 3.0),
    "log((1 + erf(x/sqrt(2)))/2)": (-30.0, -5.0, 0.3, 3.0),
    "log(erfc(x))": (-3.0, -0.3, 1e-9, 0.7, 3.0, 30.0, 1000.0),
    "log(1 - erf(x))": (0.3, 30.0),
    "log(erfc(x)/2)": (-0.3, 30.0),
    "log(gamma(x))": (0.3, 1.5, 30.0, 1000.0, 1e9),
    "log(factorial(x))": (0.3, 30.0, 1000.0),
    "log(1/gamma(x))": (0.3, 30.0, 1000.0),
    "log(gamma(x)**2)": (0.3, 30.0, 1000.0),
    "log(exp(-x)*x**3/gamma(x))": (0.3, 30.0, 900.0),
    "log(gamma(x)*gamma(x + 1)/gamma(2*x + 1))": (0.3, 30.0, 300.0),
}


# Functions of several variables, and of data.
SEVERAL = {
    "log(exp(a) + exp(b))": [(1000, 999), (-1000, -1001), (0.3, 2), (-800, 700), (5, 5)],
    "log(exp(a) - exp(b))": [(1000, 999), (-1000, -1001), (2, 0.3), (700, -800)],
    "log(exp(a) + exp(b) + exp(c))": [(1000, 999, 998), (-1000, -1001, -1002), (0.3, 2, 1)],
    "exp(a)/(exp(a) + exp(b) + exp(c))": [(1000, 999, 998), (-1000, -1001, -1002), (0.3, 2, 1), (-500, 2, 1)],
    "log(exp(a)/(exp(a) + exp(b)))": [(1000, 999), (-1000, -1001), (0.3, 2), (-800, 700)],
    "exp(a)/(exp(a) + exp(b))": [(1000, 999), (-1000, -1001), (0.3, 2)],
    "1/(1 + exp(-(a*b)))": [(20, 30), (1, -3), (-20, 30)],
    "1/(1 + exp(-a - b))": [(20, 30), (1, -3), (-20, -300)],
    "log(1 + exp(-a*b))": [(20, 30), (20, -50), (1, -0.3)],
    "-(a*log(sigmoid(b)) + (1 - a)*log(1 - sigmoid(b)))": [(1, 800), (0, -800), (1, -800), (0.3, 40), (0.3, 2)],
    "-(a*log(1/(1 + exp(-b))) + (1 - a)*log(1 - 1/(1 + exp(-b))))": [(1, 800), (0, -800), (1, -800), (0.3, 40)],
    "softplus(b) - a*b": [(0.3, 2)],
    "sqrt(a**2 + b**2)": [(1e200, 1e200), (3e-200, 4e-200), (3, 4), (1e-300, 1)],
    "sqrt(a*a + b*b)": [(1e200, 1e200), (3, 4)],
    "sqrt(a**2 + b**2 + c**2)": [(1e200, 1e200, 1e200), (3, 4, 12), (1e-200, 1e-200, 2e-200)],
    "a/sqrt(a**2 + b**2)": [(1e180, 1e180), (3, 4)],
    "log(sqrt(a**2 + b**2))": [(1e200, 1e200), (3e-100, 4e-100), (3, 4)],
    "log(a**2 + b**2)": [(1e100, 1e200), (3, 4), (1e-100, 1e-100)],
    "exp(a)*exp(b)": [(800, -801), (-800, 799), (1, 2)],
    "exp(a)*b/(1 + exp(a))": [(800, 3), (-300, 3), (1, 2)],
    "exp(a)/exp(b)": [(800, 799), (-800, -801)],
    "log(b*exp(a) + (1 - b)*exp(c))": [(-900, 0.3, -901), (900, 0.3, 899), (1, 0.3, 2)],
    "log(b*exp(-(a - 1)**2/2) + (1 - b)*exp(-(a - c)**2/2))": [(60, 0.3, -1), (0.5, 0.3, -1)],
    "b/(1 + exp(-a))": [(800, 3), (-600, 3)],
    "b/(1 + exp(c - a))**2": [(800, 3, 1), (-300, 3, 1), (1, 2, 3)],
    "b/(1 + exp(c - a))**(1/b)": [(800, 3, 1), (-300, 3, 1), (1, 2, 3)],
    "hypot(a, a) - hypot(a, 3)": [(2.5,), (4.0,)],
    "log(1 + a + b)": [(1e-20, 1e-21), (1, 2)],
    "a**2*(sqrt(1 + (b/a)**2) - 1)": [(1.5, 1e-9), (1.5, 3)],
    "log(b**a/gamma(a)*c**(a - 1)*exp(-b*c))": [(300, 2, 90), (3, 2, 0.5), (0.5, 2, 0.5)],
    "-log(gamma(a + b)/(gamma(a)*gamma(b))*c**(a - 1)*(1 - c)**(b - 1))": [(200, 300, 0.3), (3, 2, 0.5)],
    "log(1/(b*sqrt(2*pi))*exp(-(a - c)**2/(2*b**2)))": [(60, 0.5, -1), (0.5, 0.5, 1)],
    "-log(exp(-a)*a**3/factorial(3))": [(900.0,), (3.0,)],
    "log(exp(a) + b)": [(900, 3), (2, 3)],
    "a*exp(b)/(exp(b) + 1)": [(2, 900), (2, -300)],
    "log(a*exp(b))": [(2, 900), (1e-3, -900)],
    "exp(a)**b": [(3, 2), (-300, 0.5)],
}

ROWS = {
    "x": np.array([-1.0, 0.5, 2.0, 30.0]),
    "y": np.array([0.0, 1.0, 0.0, 1.0]),
    "s": np.array([-1.0, 1.0, 1.0, -1.0]),
}
OVER_ROWS = {
    "log(sum(exp(w*x)))": (-40, -0.3, 0.3, 40),
    "log(mean(exp(w*x)))": (-40, 0.3, 40),
    "log(2*sum(exp(w*x)))": (-40, 0.3, 40),
    "log(sum(3*exp(w*x))/len(x))": (-40, 0.3, 40),
    "log(sum(exp(w*x - w)))": (-40, 0.3, 40),
    "logsumexp(w*x)": (-40, 0.3, 40),
    "log(sum(x**2*exp(w*x)))": (-40, 0.3, 40),
    "sum(x*exp(w*x))/sum(exp(w*x))": (-40, 0.3, 40),
    "mean(x*exp(w*x))/mean(exp(w*x))": (-40, 0.3, 40),
    "log(sum(exp(w*x)))/w": (-40, 0.3, 40),
    "mean(log(1 + exp(-s*(w*x))))": (-40, 0.3, 40),
    "sum(log(cosh(w*x - 1)))": (-40, 0.3, 40),
    "-mean(y*log(sigmoid(w*x)) + (1 - y)*log(1 - sigmoid(w*x)))": (-40, 0.3, 40),
    "-sum(y*(w*x) - log(1 + exp(w*x)))": (-40, 0.3, 40),
    "-sum(log(exp(s*w*x)/(1 + exp(s*w*x))))": (-40, 0.3, 40),
    "log(sum(exp(w*x)) + sum(exp(-w*x)))": (-40, 0.3, 40),
    "sqrt(sum(exp(w*x)))": (-1, 0.3, 20),
    "log(sqrt(sum(exp(2*w*x))))": (-40, 0.3, 40),
    "1/sum(exp(w*x))": (-10, 0.3, 20),
    "log(mean(exp(w*x)**2))": (-40, 0.3, 40),
}


def check(text, point, data=None, bound=1e-12):
    """Value, gradient and Hessian to 12 digits, where the true number is one of float64."""
    # 1 + exp(-1000) - 1 takes 434 digits, 1 - tanh(1000)**2 twice as many.
    digits = 120 if all(1e-30 < abs(v) < 10 for v in point.values()) else 1400
    f = Objective(text, params=tuple(point), data=data, tier="python")
    wanted = oracles.exact(text, point, data, digits=digits, largest=math.inf)
    gradient, hessian = f.gradient_at(point), f.hessian_at(point)
    compare(f"{text} at {point}", f.value(point), wanted.v, bound)
    for i, a in enumerate(point):
        slope = f"d/d{a} {text} at {point}"
        compare(slope, gradient[a], wanted.g.get(a, 0), bound, abs(wanted.v))
        for j, b in enumerate(point):
            pair = (min(a, b), max(a, b))
            compare(
                f"d/d{a}d{b} {text} at {point}",
                hessian[i, j],
                wanted.h.get(pair, 0),
                bound,
                max(wanted.eh.get(pair, 0), abs(wanted.v)),
            )


def compare(what, found, wanted, bound, size=0):
    # A derivative that passes through 0 by cancellation, as the sigmoid's second does, is held against its terms.
    near_zero = size and abs(wanted) < 1e-3 * size and abs(found - wanted) <= 1e-15 * size
    assert near_zero or oracles.error(found, wanted) <= bound, (what, found, oracles.mp.nstr(wanted, 17))


@pytest.mark.parametrize("text", ONE)
def test_functions_of_one_variable(text):
    for x in ONE[text]:
        check(text, {"x": x})


@pytest.mark.parametrize("text", SEVERAL)
def test_functions_of_several_variables(text):
    for values in SEVERAL[text]:
        check(text, dict(zip("abc", map(float, values), strict=False)), bound=2e-12)  # exponents of 1,000: 3 digits


@pytest.mark.parametrize("text", OVER_ROWS)
def test_sums_over_rows(text):
    for w in OVER_ROWS[text]:
        check(text, {"w": float(w)}, ROWS, bound=2e-12)  # likewise
