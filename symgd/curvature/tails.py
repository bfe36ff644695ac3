"""Tails: where the value falls for ever toward a limit that it does not reach, and there is no minimum.

A tail is seen along a ray: the value has come down to the point, and rises nowhere further out. An analytic formula
that changes along a line is constant on no part of it, however many of its values are the same in float64; one with
branches may be, and must be seen to fall, or have a limit that the formula shows it not to reach.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from symgd.curvature.directions import in_names
from symgd.curvature.escape import Surroundings
from symgd.curvature.problem import Problem
from symgd.curvature.spectrum import DENSE, judged
from symgd.verdict import Kind, Reason, Verdict

Vector = NDArray[np.float64]

OUT = np.array([3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0])  # looks ahead, in ways
BACK = np.array([1e-2, 3e-2, 0.1, 0.3, *(1.0 - 10.0 ** -np.arange(0.5, 16.0)), 1.0])  # and back, to the start
LEAST = 3.0  # ways ahead that must be seen
SHORT = 1e-3  # of the point's size: a Newton step that is shorter leads to a minimum
GONE = 2e-3  # of the value, up to which what is left of it far out counts as 0
CLEAR = 4.0  # times its rounding from which on a change is one


@np.errstate(all="ignore")  # numerical trouble is data
def tail(kernel: Problem, x: Vector, f: float, g: Vector, start: Vector | None = None) -> Verdict | None:
    """Tell whether a point is on a tail.

    Parameters
    ----------
    kernel : Problem
        The objective.
    x : ndarray, shape (n,)
        The point.
    f : float
        The value there.
    g : ndarray, shape (n,)
        The gradient there.
    start : ndarray, shape (n,), optional
        Where a descent began that led there; by default 0.

    Returns
    -------
    Verdict or None
        ``None`` where no tail is seen.

    Examples
    --------
    >>> import symgd
    >>> kernel = symgd.Objective("exp(-x) + (y - 1)**2").kernel()
    >>> x = np.array([800.0, 1.0])
    >>> tail(kernel, x, *kernel.slope(x), np.zeros(2)).message
    'the value falls for ever along x: toward 0, which it does not reach'
    """
    if not (len(x) and math.isfinite(f) and np.isfinite(g).all()):
        return None
    around = Surroundings(kernel, x, f, g)
    for way in _ways(kernel, x, g, x if start is None else x - start):
        limit = _limit(around, way)
        if limit is not None:
            return Verdict(Kind.DEGENERATE, Reason.TAIL, (limit,), in_names(kernel.names, way), way)
    return None


def _ways(kernel: Problem, x: Vector, g: Vector, way: Vector) -> Iterable[Vector]:
    """Give the ways that are looked along: the way gone, what of it has no curvature, Newton's step, and the slope."""
    size = float(np.abs(way).max())  # squares would overflow far out, and underflow near by
    if not 0.0 < size < math.inf:
        return
    yield way
    if len(x) <= DENSE and kernel.curved and np.isfinite(h := kernel.hessian(x)).all():
        values, directions, flat = judged(h)
        bent = np.abs(values) > flat
        if (~bent).any() and bent.any():
            level = np.linalg.qr(directions[:, ~bent])[0]
            yield level @ (level.T @ way)
        if bent.any():
            ways = directions[:, bent]
            curvatures = np.sum(ways * (h @ ways), axis=0)
            step = -ways @ ((ways.T @ g) / curvatures)
            step = -step if float(step @ g) > 0 else step  # where the curvature is negative, it leads uphill
            if np.abs(step).max() >= SHORT * max(size, float(np.abs(x).max())):
                yield step
    if g.any():
        yield -g / float(np.abs(g).max()) * size


def _limit(around: Surroundings, way: Vector) -> float | None:
    """Give what the value falls toward along a way; ``None`` where it rises again, or has not come down along it."""
    x, f, value = around.x, around.f, around.kernel.value
    room = CLEAR * around.noise
    lowest, seen = f, 0.0
    for t in OUT:
        there = value(x + t * way)
        if math.isnan(there):
            break
        if there > lowest + room:
            # Far out the terms are larger, and so is their rounding.
            rounding = Surroundings(around.kernel, x + t * way, there, around.g).noise
            if not there - f <= CLEAR * rounding or t < LEAST:
                return None
            break
        lowest, seen = min(lowest, there), t
    if seen < LEAST or not max(value(x - t * way) for t in BACK) > f + room:
        return None
    low = around.kernel.bounds()
    known = math.isfinite(low.low) and low.low_open
    falls = lowest < f - room
    if not (low.analytic or falls or (known and f <= low.low + room)):
        return None
    if lowest == -math.inf or (falls and _without_end(around, way)):
        return None
    if known and lowest - low.low <= GONE * abs(f - low.low):
        return low.low
    return 0.0 if abs(lowest) <= GONE * abs(f) else lowest


def _without_end(around: Surroundings, way: Vector) -> bool:
    """Tell whether the value falls ever further, and not toward a limit."""
    values = [around.kernel.value(around.x + t * way) for t in (0.0, *(10.0 ** np.arange(1, 6)))]
    falls = -np.diff([v for v in values if math.isfinite(v)])
    return not math.isfinite(around.kernel.bounds().low) and len(falls) > 2 and bool((falls[1:] >= falls[:-1]).all())
