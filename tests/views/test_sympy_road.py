"""What ``f.sympy`` shows is the formula: its derivatives by ``sympy.diff`` and its values by ``sympy.lambdify``."""

import mpmath as mp
import oracles
import pytest
import strategies
import sympy
from hypothesis import HealthCheck, assume, given, settings

from symgd import FormulaError, Objective

NAMES = strategies.PARAMS
# Generalised functions, which sympy.diff gives at kinks and jumps: 0 and a step elsewhere.
MODULES = [
    {
        "DiracDelta": lambda *a: 0,
        "Heaviside": lambda a, *_: (1 + mp.sign(a)) / 2,
        "polygamma": lambda n, a: mp.psi(int(n), a),
        "digamma": lambda a: mp.psi(0, a),
        "sinc": lambda a: mp.sin(a) / a if a else mp.mpf(1),
    },
    "mpmath",
]


def numbers(expressions, symbols, point):
    with mp.workdps(60):
        found = sympy.lambdify(symbols, list(expressions), MODULES)(*(mp.mpf(point[s.name]) for s in symbols))
        return [mp.mpf(v) if mp.im(v) == 0 else mp.nan for v in map(mp.mpmathify, found)]


def agree(what, found, wanted, bound):
    """To 13 digits of the largest number on the way: SymPy holds some numbers as floats."""
    assert abs(found - wanted) <= mp.mpf("1e-13") * (abs(wanted) + bound), what


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(strategies.scalars(6), strategies.points)
def test_value_gradient_and_hessian_of_what_is_shown(text, point):
    check(text, point)


@pytest.mark.slow
@settings(max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck))
@given(strategies.scalars(8), strategies.points)
def test_thousands_of_values_gradients_and_hessians(text, point):
    check(text, point)


def check(text, point):
    try:
        wanted = oracles.exact(text, point, digits=60)
        f = Objective(text, params=NAMES, tier="python")
    except (oracles.OutOfReachError, FormulaError, ZeroDivisionError, OverflowError):
        assume(False)
    shown = f.sympy
    symbols = [sympy.Symbol(name, real=True) for name in NAMES]
    assert shown.free_symbols <= set(symbols)
    slopes = [sympy.diff(shown, s) for s in symbols]
    bends = [sympy.diff(slopes[i], symbols[j]) for i in range(3) for j in range(i, 3)]
    pairs = [tuple(sorted((NAMES[i], NAMES[j]))) for i in range(3) for j in range(i, 3)]
    try:
        value, *rest = numbers([shown, *slopes, *bends], symbols, point)
    except (ZeroDivisionError, OverflowError, TypeError, NameError, ValueError) as problem:
        # SymPy's own derivative of abs(gamma(x)), which it cannot print.
        assume("_print_Derivative" not in str(problem))
        raise AssertionError(f"{shown} at {point}: {problem!r}") from problem
    kernel = f.gradient_at(point)
    agree(f"value of {text} at {point}", value, wanted.v, wanted.ev)
    for name, found in zip(NAMES, rest[:3], strict=True):
        true = wanted.g.get(name, mp.mpf(0))
        agree(f"d/d{name} of {shown} for {text} at {point}", found, true, wanted.eg.get(name, 0))
        bound = 32 * oracles.EPS * (abs(true) + wanted.eg.get(name, 0)) + 1e-300
        assert abs(kernel[name] - true) <= bound, (name, text, point)
    for pair, found in zip(pairs, rest[3:], strict=True):
        true, bound = wanted.h.get(pair, mp.mpf(0)), wanted.eh.get(pair, 0)
        agree(f"d/d{pair} of {shown} for {text} at {point}", found, true, bound)
