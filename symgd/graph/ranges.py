"""Functions of one argument, for bounds: their values at the ends of an interval, and how they bend."""

from __future__ import annotations

import math
from collections.abc import Callable

from symgd.records import dataclass

INF = math.inf


@dataclass(frozen=True)
class Row:
    """A function: its value, where it bends which way, and whether it rises.

    Parameters
    ----------
    value : callable
        Gives its value.
    bend : str
        ``"convex"`` or ``"concave"``, if it is that everywhere that it is defined.
    rises, falls, dips : bool
        Whether it does so; what dips falls to its value at 0, and rises from there.
    low, high : float
        Bounds that it has whatever the argument, which it only nears.
    reached : bool
        Of functions that turn, or are flat in part: whether they reach their lower bound.
    """

    value: Callable[[float], float]
    bend: str = ""
    rises: bool = False
    falls: bool = False
    dips: bool = False
    low: float = -INF
    high: float = INF
    reached: bool = False


def times(a: float, b: float) -> float:
    """Multiply ends of intervals: nothing times whatever is nothing.

    Parameters
    ----------
    a : float
        An end; it may be infinite.
    b : float
        Another.

    Returns
    -------
    float
    """
    return 0.0 if a == 0 or b == 0 else a * b


def power(value: float, exponent: float) -> float:
    """Raise an end of an interval to a power.

    Parameters
    ----------
    value : float
        The end; it may be infinite.
    exponent : float
        The exponent.

    Returns
    -------
    float
        Infinite where it overflows.
    """
    try:
        if value == 0 and exponent < 0:
            return INF
        if math.isinf(value):
            size = 0.0 if exponent < 0 else INF
            return -size if value < 0 and exponent % 2 == 1 else size
        return float(value**exponent)
    except OverflowError:
        return INF if value > 0 or exponent % 2 == 0 else -INF


def _safe(function: Callable[[float], float], at_low: float, at_high: float) -> Callable[[float], float]:
    def value(v: float) -> float:
        if v == -INF:
            return at_low
        if v == INF:
            return at_high
        try:
            return function(v)
        except OverflowError:
            return at_high
        except ValueError:
            return at_low

    return value


def _softplus(v: float) -> float:
    return max(v, 0.0) + math.log1p(math.exp(-abs(v)))


EVEN = Row(lambda v: power(v, 2), bend="convex", dips=True)
INVERSE = Row(lambda v: power(v, -1), bend="convex", falls=True)
RANGES: dict[str, Row] = {
    "abs": Row(abs, bend="convex", dips=True),
    "logcosh": Row(_safe(lambda v: abs(v) + math.log1p(math.exp(-2 * abs(v))) - math.log(2), INF, INF),
                    bend="convex", dips=True),
    "cosh": Row(_safe(math.cosh, INF, INF), bend="convex", dips=True),
    "exp": Row(_safe(math.exp, 0.0, INF), bend="convex", rises=True),
    "expm1": Row(_safe(math.expm1, -1.0, INF), bend="convex", rises=True),
    "softplus": Row(_safe(_softplus, 0.0, INF), bend="convex", rises=True),
    "relu": Row(lambda v: max(v, 0.0), bend="convex", rises=True, reached=True),
    "log": Row(_safe(lambda v: math.log(v) if v > 0 else -INF, -INF, INF), bend="concave", rises=True),
    "log1p": Row(_safe(lambda v: math.log1p(v) if v > -1 else -INF, -INF, INF), bend="concave", rises=True),
    "log2": Row(_safe(lambda v: math.log2(v) if v > 0 else -INF, -INF, INF), bend="concave", rises=True),
    "log10": Row(_safe(lambda v: math.log10(v) if v > 0 else -INF, -INF, INF), bend="concave", rises=True),
    "sqrt": Row(_safe(lambda v: math.sqrt(max(v, 0.0)), 0.0, INF), bend="concave", rises=True),
    "sqrt0": Row(_safe(lambda v: math.sqrt(max(v, 0.0)), 0.0, INF), bend="concave", rises=True),
    "sigmoid": Row(_safe(lambda v: 1 / (1 + math.exp(-v)), 0.0, 1.0), rises=True),
    "tanh": Row(_safe(math.tanh, -1.0, 1.0), rises=True),
    "arctan": Row(math.atan, rises=True),
    "arcsinh": Row(_safe(math.asinh, -INF, INF), rises=True),
    "sinh": Row(_safe(math.sinh, -INF, INF), rises=True),
    "cbrt": Row(_safe(lambda v: math.copysign(abs(v) ** (1 / 3), v), -INF, INF), rises=True),
    "erf": Row(math.erf, rises=True),
    "erfc": Row(math.erfc, falls=True),
    "sech": Row(abs, low=0.0, high=1.0),
    "sin": Row(math.sin, low=-1.0, high=1.0, reached=True),
    "cos": Row(math.cos, low=-1.0, high=1.0, reached=True),
}  # fmt: skip
