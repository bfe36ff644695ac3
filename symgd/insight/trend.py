"""How a gradient's norm falls from step to step: by a factor, or like a power of the number of steps."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from symgd.history import History

Vector = NDArray[np.float64]


def factor(history: History) -> float | None:
    """Give the factor per step by which the gradient's norm shrank over the second half of a run, or grew.

    Parameters
    ----------
    history : History
        The recorded steps.

    Returns
    -------
    float or None
        ``None`` where fewer than three steps tell.
    """
    step, size = history.step.astype(float), history.gradient_norm
    usable = np.isfinite(size) & (size > 0) & (size < 1e140)
    step, size = step[usable], size[usable]
    if len(step) < 3:
        return None
    # Below this the gradient is rounding.
    large = np.flatnonzero(size > max(1e-13 * float(size.max()), 1e-300))
    step, size = step[: large[-1] + 1], size[: large[-1] + 1]
    half = step >= 0.5 * (step[0] + step[-1])
    if np.count_nonzero(half) < 3:
        half = np.ones(len(step), dtype=bool)
    return math.exp(_slope(step[half], np.log(size[half]))) if len(step) >= 3 else None


def power(history: History) -> float | None:
    """Give the power of the steps that the gradient falls like, where that fits better than a factor a step.

    Parameters
    ----------
    history : History
        The recorded steps.

    Returns
    -------
    float or None
        ``None`` where it does not.
    """
    step, size = history.step.astype(float), history.gradient_norm
    usable = np.isfinite(size) & (size > 0) & (step >= 0.1 * step[-1]) & (step > 0)
    step, size = step[usable], np.log(size[usable])
    if len(step) < 10:
        return None
    misfits = []
    for t in (step, np.log(step)):
        slope = _slope(t, size)
        misfits.append((float(np.var(size - slope * t)), -slope))
    (geometric, _), (powers, exponent) = misfits
    # A rate that is next to 1 looks like either over few steps: the power must be the clearly better fit.
    return exponent if powers < 0.25 * geometric and 0.05 < exponent < 8.0 else None


def _slope(t: Vector, y: Vector) -> float:
    """Give the slope of the line through points, by least squares."""
    t = t - t.mean()
    return float(t @ (y - y.mean())) / float(t @ t)
