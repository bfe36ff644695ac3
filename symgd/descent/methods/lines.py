"""Line searches: how far to go along a direction."""

from __future__ import annotations

import math
from typing import NamedTuple

from symgd.descent.methods.base import INVISIBLE, NOISE, At, Function, Vector, dot, lowers, norm

MOST = 60  # trials along a line
CURVED = 0.9  # how much of the slope may be left after a step of a method that learns curvature


class Found(NamedTuple):
    """A step along a line: how long it is, and where it leads."""

    length: float
    at: At


def shortest(at: At) -> float:
    """Give the length of a first step down the gradient, of whose size nothing is known: no longer than 1."""
    return min(1.0, 1.0 / math.sqrt(max(at.squared, 1e-300)))


def longest(at: At, direction: Vector) -> float:
    """Give the length of a step of twice the point's size: derivatives say nothing about what lies farther off."""
    size = norm(direction)
    return 2.0 * (1.0 + norm(at.x)) / size if size > 0 else 1.0


def armijo(
    function: Function, at: At, direction: Vector, first: float, c1: float = 1e-4, shrink: float = 0.5,
    ceiling: float | None = None,
) -> Found | None:  # fmt: skip
    r"""Shorten a step until the value falls enough.

    .. math:: f(x + a d) \le f(x) + c_1 a \, g^T d

    Parameters
    ----------
    function : Function
        The objective.
    at : At
        Where the line starts.
    direction : ndarray, shape (n,)
        Where it leads: downhill.
    first : float
        The length to try first.
    c1 : float
        The share of the slope that the value must fall by, in (0, 1).
    shrink : float
        The factor between two trials, in (0, 1).
    ceiling : float, optional
        The value that the fall is measured from, where it is not that of the start (Grippo et al. 1986).

    Returns
    -------
    Found or None
        ``None`` where no step lowers the value.

    References
    ----------
    Nocedal and Wright 2006, algorithm 3.1.
    """
    slope = dot(at.g, direction)
    base = at if ceiling is None else At(at.x, ceiling, at.g)
    length = first
    for _ in range(MOST):
        new = function.at(at.x + length * direction)
        if lowers(base, new, -c1 * length * slope):
            return Found(length, new)
        if abs(length * slope) <= INVISIBLE * abs(at.f):
            break
        length *= shrink
    return None


class _Trial(NamedTuple):
    length: float
    value: float
    slope: float
    at: At


def wolfe(
    function: Function, at: At, direction: Vector, first: float = 1.0, c1: float = 1e-4, c2: float = CURVED
) -> Found | None:
    r"""Find a step that satisfies the strong Wolfe conditions.

    .. math:: f(x + a d) \le f(x) + c_1 a \, g^T d, \qquad |g(x + a d)^T d| \le c_2 |g^T d|

    Parameters
    ----------
    function : Function
        The objective.
    at : At
        Where the line starts.
    direction : ndarray, shape (n,)
        Where it leads: downhill.
    first : float
        The length to try first.
    c1 : float
        The share of the slope that the value must fall by.
    c2 : float
        The share of the slope that may be left, ``c1 < c2 < 1``.

    Returns
    -------
    Found or None
        The best step met, where rounding or a kink leaves none that satisfies both; ``None`` where no step lowers the
        value.

    References
    ----------
    Nocedal and Wright 2006, algorithms 3.5 and 3.6; interpolation by cubics, equation 3.59.
    """
    start = _Trial(0.0, at.f, dot(at.g, direction), at)
    fall = abs(first * start.slope)
    if fall <= NOISE * abs(at.f):  # values do not tell any more: the gradient must, unless it stays what it is
        trial = _try(function, at, direction, first)
        if not trial.slope < c2 * start.slope:
            return Found(first, trial.at) if lowers(at, trial.at, fall) else None
        first *= 8.0 * NOISE * abs(at.f) / fall  # a fall that shows
    limit = max(longest(at, direction), first)
    before, length = start, first
    for trial_number in range(MOST):
        trial = _try(function, at, direction, length)
        if not trial.at.finite:
            return _narrow(function, direction, start, before, trial, c1, c2)
        if not _falls(start, trial, c1) or (trial_number and trial.value >= before.value):
            return _narrow(function, direction, start, before, trial, c1, c2)
        if abs(trial.slope) <= c2 * abs(start.slope) or length >= limit:
            return Found(trial.length, trial.at)
        if trial.slope >= 0:
            return _narrow(function, direction, start, trial, before, c1, c2)
        guess = _cubic(before, trial)
        before = trial
        length = min(limit, max(1.5 * length, min(guess, 10.0 * length) if math.isfinite(guess) else 2.0 * length))
    return Found(before.length, before.at)


def _try(function: Function, at: At, direction: Vector, length: float) -> _Trial:
    new = function.at(at.x + length * direction)
    return _Trial(length, new.f, dot(new.g, direction) if new.finite else math.nan, new)


def _falls(start: _Trial, trial: _Trial, c1: float) -> bool:
    """Tell whether the value falls enough; where values are too close to be told apart, the slope must do."""
    if trial.value <= start.value + c1 * trial.length * start.slope:
        return True
    noise = NOISE * abs(start.value)
    return abs(trial.length * start.slope) <= noise and trial.value <= start.value + noise and (
        trial.slope <= (2 * c1 - 1) * start.slope
    )  # fmt: skip


def _narrow(
    function: Function, direction: Vector, start: _Trial, low: _Trial, high: _Trial, c1: float, c2: float
) -> Found | None:
    """Close in on a good step between the better end ``low`` and the other one."""
    least = 1e-17 * norm(start.at.x) / max(norm(direction), 1e-300)
    for _ in range(MOST):
        width = high.length - low.length
        guess = _cubic(low, high)
        # Too close to an end the bracket would hardly shrink.
        near, far = sorted((low.length + 0.1 * width, high.length - 0.1 * width))
        # Where the other end is no number, it may be far too long.
        length = guess if near <= guess <= far else low.length + (0.5 if high.at.finite else 0.1) * width
        trial = _try(function, start.at, direction, length)
        if not trial.at.finite or not _falls(start, trial, c1) or trial.value > low.value:
            high = trial
        else:
            if abs(trial.slope) <= c2 * abs(start.slope):
                return Found(trial.length, trial.at)
            if trial.slope * width >= 0:
                high = low
            low = trial
        if abs(width) <= (1e-10 * low.length or least) or abs(width * start.slope) <= INVISIBLE * abs(start.value):
            break
    return Found(low.length, low.at) if low.length > 0 else None


def _cubic(a: _Trial, b: _Trial) -> float:
    """Give the minimizer of the cubic through two values and slopes; nan where there is none."""
    width = b.length - a.length
    if not math.isfinite(b.value + b.slope + a.value + a.slope) or width == 0:
        return math.nan
    first = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.length - b.length)
    inside = first * first - a.slope * b.slope
    if not inside >= 0:
        return math.nan
    second = math.copysign(math.sqrt(inside), width)
    below = b.slope - a.slope + 2.0 * second
    return b.length - width * (b.slope + second - first) / below if below else math.nan
