"""Learning rates for a quadratic whose curvatures lie between two bounds, and the steps that they need."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from symgd.checks import number
from symgd.errors import UsageError, shown
from symgd.records import dataclass

METHODS = ("gd", "momentum")


@dataclass(frozen=True)
class Momentum:
    """A learning rate and a momentum.

    Parameters
    ----------
    lr : float
        The learning rate.
    beta : float
        The momentum, dimensionless, in [0, 1).
    rate : float
        What a step leaves of the error, in the long run, at worst.
    """

    lr: float
    beta: float
    rate: float

    def to_dict(self) -> dict[str, float]:
        """Give it as plain data."""
        return asdict(self)


def polyak(low: float, high: float) -> Momentum:
    r"""Give Polyak's pair.

    .. math::
        lr = 4/(\sqrt L + \sqrt\mu)^2, \quad
        \beta = \left(\frac{\sqrt L - \sqrt\mu}{\sqrt L + \sqrt\mu}\right)^2

    Parameters
    ----------
    low : float
        The smallest curvature, above 0.
    high : float
        The largest.

    Returns
    -------
    Momentum

    References
    ----------
    Polyak 1964, Some methods of speeding up the convergence of iteration methods, theorem 9.

    Examples
    --------
    >>> polyak(1.0, 9.0)
    Momentum(lr=0.25, beta=0.25, rate=0.5)
    """
    square = _square(low, high)
    rate = (high - low) / square
    return Momentum(4.0 / square, rate * rate, rate)


def _square(low: float, high: float) -> float:
    """Give the square of the sum of the square roots."""
    return low + high + 2.0 * high * math.sqrt(low / high)


def steps(low: float, high: float, tolerance: float, method: str) -> int:
    """Count the steps with the best fixed learning rate, from the worst start.

    Gradient descent leaves ``r**k`` of the error after k steps. With Polyak's pair, the first step taken without
    momentum, it is ``r**k*(1 + k*(1 + r))`` along the largest curvature: the iteration's matrix has a double eigenvalue
    there.

    Parameters
    ----------
    low : float
        The smallest curvature, above 0.
    high : float
        The largest.
    tolerance : float
        What is to be left of the error, in (0, 1).
    method : str
        One of `METHODS`.

    Returns
    -------
    int

    Examples
    --------
    >>> steps(1.0, 9.0, 1e-6, "gd"), steps(1.0, 9.0, 1e-6, "momentum")
    (62, 26)
    """
    rate = (high - low) / (high + low)
    if rate <= tolerance:
        return 1
    # Where the condition is large, the rate is next to 1, and the difference has more digits.
    if method == "gd":
        shrink = math.log(rate) if rate < 0.5 else math.log1p(-2.0 * low / (low + high))
        return math.ceil(math.log(tolerance) / shrink - 1e-9)
    square = _square(low, high)
    rate, rest = (high - low) / square, 2.0 * (low + high * math.sqrt(low / high)) / square
    shrink = math.log(rate) if rate < 0.5 else math.log1p(-rest)

    def left(k: int) -> float:
        return k * shrink + math.log1p(k * (1.0 + rate)) - math.log(tolerance)

    above = 1
    while left(above) > 0.0:
        above *= 2
    below = above // 2
    while above - below > 1:
        middle = (above + below) // 2
        below, above = (middle, above) if left(middle) > 0.0 else (below, middle)
    return above


def check_steps(tolerance: Any, method: Any) -> None:
    """Refuse a method or a tolerance that there is not.

    Parameters
    ----------
    tolerance : object
        What was given.
    method : object
        What was given.

    Raises
    ------
    UsageError
        If either is out of bounds.
    """
    if not isinstance(method, str) or method not in METHODS:
        raise UsageError(f"method={shown(method)} must be one of {', '.join(METHODS)}")
    number("tolerance", tolerance, "between 0 and 1, the factor that the error shrinks by", low=0, high=1, closed=False)


def checked_beta(beta: Any) -> float:
    """Give a momentum as a number.

    Parameters
    ----------
    beta : object
        What was given.

    Returns
    -------
    float

    Raises
    ------
    UsageError
        If it is out of bounds.
    """
    return number("beta", beta, "at least 0 and below 1", low=0.0, high=math.nextafter(1.0, 0.0))
