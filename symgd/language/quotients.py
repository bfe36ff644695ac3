"""Quotients whose numerator and denominator vanish together, and their derivatives, on plain floats.

``expm1(a)/a`` is 1 at 0 and has derivatives there, but the quotient rule takes the difference of two numbers that agree
to more digits the nearer 0 is. Each function here is a power series near 0 and the plain formula elsewhere. They are
source for both tiers: as they stand here for plain Python, and compiled by Numba.
"""

from __future__ import annotations

import math
from math import inf


def exprel(a: float) -> float:
    """expm1(a)/a: the mean of exp(t*a) over t from 0 to 1."""
    if a == 0.0:
        return 1.0
    return math.expm1(a) / a if a < 709.7 or a != a else inf  # noqa: PLR0124


def exprelslope(a: float) -> float:
    """The derivative of exprel: the integral of t*exp(t*a)."""
    if abs(a) >= 1.0 or a != a:  # noqa: PLR0124
        return inf if a > 709.0 else (math.exp(a) - math.expm1(a) / a) / a
    term, total = 1.0, 0.5
    for k in range(1, 19):
        term *= a / k
        total += term / (k + 2.0)
    return total


def exprelbend(a: float) -> float:
    """The second derivative of exprel: the integral of t*t*exp(t*a)."""
    if abs(a) >= 2.0 or a != a:  # noqa: PLR0124
        return inf if a > 709.0 else (math.exp(a) - 2.0 * exprelslope(a)) / a
    term, total = 1.0, 1.0 / 3.0
    for k in range(1, 26):
        term *= a / k
        total += term / (k + 3.0)
    return total


def expm1inv(a: float) -> float:
    """a/expm1(a)."""
    if a == 0.0:
        return 1.0
    return 0.0 if a > 800.0 else a * math.exp(-a) if a > 709.0 else a / math.expm1(a)


def tilt(a: float) -> float:
    """exprelslope(a)/exprel(a), which is 1/(1 - exp(-a)) - 1/a: from 0 to 1, and 1/2 at 0."""
    if abs(a) <= 1.0:
        return exprelslope(a) / exprel(a)
    return (0.0 if a < -709.0 else -1.0 / math.expm1(-a)) - 1.0 / a


def tiltslope(a: float) -> float:
    """The derivative of tilt: 1/a**2 - 1/(4*sinh(a/2)**2)."""
    if abs(a) <= 2.0:
        mean = tilt(a)
        return exprelbend(a) / exprel(a) - mean * mean
    small = math.exp(-abs(a))
    return 1.0 / a / a - small / ((1.0 - small) * (1.0 - small))


def expm1invslope(a: float) -> float:
    """The derivative of expm1inv."""
    return -expm1inv(a) * tilt(a)


def expm1invbend(a: float) -> float:
    """The second derivative of expm1inv, which is even."""
    b = abs(a)
    if b <= 2.0:
        mean = tilt(b)
        return expm1inv(b) * (mean * mean - tiltslope(b))
    small = math.exp(-b)
    rest = 1.0 - small
    return small * (b * (1.0 + small) - 2.0 * rest) / (rest * rest * rest) if b < 800.0 or b != b else 0.0  # noqa: PLR0124


def log1prel(a: float) -> float:
    """log1p(a)/a."""
    if a <= -1.0:
        return inf if a == -1.0 else math.nan
    return math.log1p(a) / a if a != 0.0 else 1.0


def log1prelslope(a: float) -> float:
    """The derivative of log1prel: (1/(1 + a) - log1prel(a))/a."""
    if a <= -1.0:
        return -inf if a == -1.0 else math.nan
    if abs(a) >= 0.4 or a != a:  # noqa: PLR0124
        return (1.0 / (1.0 + a) - math.log1p(a) / a) / a
    power, total = 1.0, -0.5
    for k in range(1, 44):
        power *= -a
        total -= power * (k + 1.0) / (k + 2.0)
    return total


def log1prelbend(a: float) -> float:
    """The second derivative of log1prel."""
    if a <= -1.0:
        return inf if a == -1.0 else math.nan
    if abs(a) >= 0.5 or a != a:  # noqa: PLR0124
        below = 1.0 / (1.0 + a)
        return (-below * below - 2.0 * log1prelslope(a)) / a
    power, total = 1.0, 2.0 / 3.0
    for k in range(1, 62):
        power *= -a
        total += power * (k + 1.0) * (k + 2.0) / (k + 3.0)
    return total


def sinrel(a: float) -> float:
    """sin(a)/a."""
    if a - a != 0.0:
        return math.nan
    return math.sin(a) / a if a != 0.0 else 1.0


def sinhrel(a: float) -> float:
    """sinh(a)/a."""
    if abs(a) > 710.0:
        return inf
    return math.sinh(a) / a if a != 0.0 else 1.0


def sinhslope(a: float) -> float:
    """(a*cosh(a) - sinh(a))/a**3."""
    if abs(a) > 710.0:
        return inf
    if abs(a) >= 1.0 or a != a:  # noqa: PLR0124
        return (math.cosh(a) - math.sinh(a) / a) / (a * a)
    term, total = 1.0 / 6.0, 1.0 / 3.0
    for k in range(1, 10):
        term *= a * a / ((2.0 * k + 2.0) * (2.0 * k + 3.0))
        total += term * 2.0 * (k + 1.0)
    return total


def tanhrel(a: float) -> float:
    """tanh(a)/a."""
    return math.tanh(a) / a if a != 0.0 else 1.0


def tanhslope(a: float) -> float:
    """(tanh(a)/a - sech(a)**2)/a**2; near 0 as (sinh(2*a) - 2*a)/(2*a**3)*sech(a)**2, whose first part is a series."""
    small = math.exp(-2.0 * abs(a))
    square = 4.0 * small / ((1.0 + small) * (1.0 + small))
    if abs(a) >= 1.0 or a != a:  # noqa: PLR0124
        return (math.tanh(a) / a - square) / a / a
    term, total = 1.0 / 6.0, 1.0 / 6.0
    for k in range(1, 14):
        term *= 4.0 * a * a / ((2.0 * k + 2.0) * (2.0 * k + 3.0))
        total += term
    return 4.0 * total * square


def sinrest(a: float) -> float:
    """(a - sin(a))/a**3."""
    if a - a != 0.0:
        return math.nan
    if abs(a) >= 2.0:
        return (1.0 - math.sin(a) / a) / a / a
    term, total = 1.0 / 6.0, 1.0 / 6.0
    for k in range(1, 14):
        term *= -a * a / ((2.0 * k + 2.0) * (2.0 * k + 3.0))
        total += term
    return total


def sinrestslope(a: float) -> float:
    """((1 - cos(a))/a**2 - 3*sinrest(a))/a**2: what the derivative of sinrest is a times."""
    if a - a != 0.0:
        return math.nan
    if abs(a) >= 3.0:
        half = math.sin(0.5 * a) / a
        return (2.0 * half * half - 3.0 * sinrest(a)) / a / a
    term, total = -1.0 / 120.0, -1.0 / 60.0
    for k in range(2, 18):
        term *= -a * a / ((2.0 * k + 2.0) * (2.0 * k + 3.0))
        total += term * 2.0 * k
    return total


SHARED = (
    "exprel", "exprelslope", "exprelbend", "expm1inv", "tilt", "tiltslope", "expm1invslope", "expm1invbend",
    "log1prel", "log1prelslope", "log1prelbend",
    "sinrel", "sinhrel", "sinhslope", "tanhrel", "tanhslope", "sinrest", "sinrestslope",
)  # fmt: skip
