"""Student's distribution, by the incomplete beta function: `scipy.special` takes longer to import than NumPy."""

from __future__ import annotations

import math

_CLOSE = 1e-16  # relative, where a continued fraction ends
_MOST = 1_000_000  # of its terms: about the square root of the degrees of freedom are needed
_LARGE = 20.0  # from which on logarithms of gamma functions are not subtracted, but their difference is a series


def beyond(t: float, dof: float) -> float:
    """Give the probability of a value further from 0 than ``t``, to either side.

    Parameters
    ----------
    t : float
        At least 0.
    dof : float
        Degrees of freedom; infinite for the normal distribution.

    Returns
    -------
    float

    Examples
    --------
    >>> round(beyond(2.0, 1.0), 12), round(beyond(1.96, math.inf), 6)
    (0.295167235301, 0.049996)
    """
    return _sides(t, dof)[1]


def reach(level: float, dof: float) -> float:
    """Give how far from 0 a share of the values reaches, to both sides: a quantile.

    Parameters
    ----------
    level : float
        The share, between 0 and 1.
    dof : float
        Degrees of freedom; infinite for the normal distribution.

    Returns
    -------
    float

    Examples
    --------
    >>> round(reach(0.95, 47.0), 10), round(reach(0.95, math.inf), 10)
    (2.0117405137, 1.9599639845)
    """
    # In log(t) both probabilities are concave, and Newton's method approaches from the side on which they are smaller.
    side = int(level >= 0.5)
    wanted = 1.0 - level if side else level
    t = 1.0
    while _sides(t, dof)[side] > wanted:
        t *= 2.0 if side else 0.5
    for _ in range(60):
        found = _sides(t, dof)[side]
        slope = 2.0 * t * _density(t, dof) / found
        step = math.log(found / wanted) / (slope if side else -slope)
        t *= math.exp(step)
        if abs(step) < 1e-15:
            break
    return t


def _density(t: float, dof: float) -> float:
    if math.isinf(dof):
        return math.exp(-0.5 * t * t) / math.sqrt(2.0 * math.pi)
    return _ratio(dof / 2.0) / math.sqrt(dof * math.pi) * math.exp(-(dof + 1.0) / 2.0 * math.log1p(t * t / dof))


def _sides(t: float, dof: float) -> tuple[float, float]:
    """Give the probabilities of values nearer to 0, and further from it."""
    if math.isinf(dof):
        return math.erf(t / math.sqrt(2.0)), math.erfc(t / math.sqrt(2.0))
    if t == 0.0 or math.isnan(t):
        return t, 1.0 - t
    half, square = dof / 2.0, t / dof * t
    if math.isinf(square):  # both to the power of half: there is no more to it
        return 1.0, _ratio(half) / math.sqrt(math.pi) / half * math.exp(dof * (0.5 * math.log(dof) - math.log(t)))
    x, rest = 1.0 / (1.0 + square), square / (1.0 + square)
    factor = _ratio(half) / math.sqrt(math.pi) * math.exp(-half * math.log1p(square)) * math.sqrt(rest)
    if t > 1.5:
        far = factor * _fraction(half, 0.5, x, rest)
        return 1.0 - far, far
    near = factor * _fraction(0.5, half, rest, x)
    return near, 1.0 - near


def _ratio(a: float) -> float:
    """Give gamma(a + 1/2)/gamma(a)."""
    if a < _LARGE:
        return math.exp(math.lgamma(a + 0.5) - math.lgamma(a))
    r = 1.0 / (a * a)
    return math.sqrt(a) * math.exp((-1 / 8 + r * (1 / 192 + r * (-1 / 640 + r * (17 / 14336 - r * 31 / 18432)))) / a)


def _fraction(a: float, b: float, x: float, y: float) -> float:
    """Give the continued fraction of the incomplete beta function, where x + y = 1, by Lentz's method.

    References
    ----------
    DiDonato and Morris 1992, equation 9: unlike others, it loses no digits where x or y is near to 0.
    """
    over = (a + b) * y - b if y < x else a - (a + b) * x
    found = c = a / (a + 1.0) * (over + 1.0)
    d = 0.0
    for n in range(1, _MOST):
        share = n * (b - n) * x / (a + 2 * n - 1)
        above = (a + n - 1) * (a + b + n - 1) / (a + 2 * n - 1) * share * x
        below = n + share + (a + n) / (a + 2 * n + 1) * (over + 1.0 + n * (1.0 + y))
        d = 1.0 / (below + above * d)
        c = below + above / c
        found *= c * d
        if abs(c * d - 1.0) <= _CLOSE:
            break
    return 1.0 / found
