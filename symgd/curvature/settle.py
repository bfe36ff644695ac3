"""Newton's steps from a point that looks stationary: to a minimum near by, to one of high order, or off on a tail."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.curvature.directions import in_names
from symgd.curvature.escape import Surroundings
from symgd.curvature.problem import Problem
from symgd.curvature.spectrum import judged
from symgd.verdict import Kind, Reason, Verdict

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

SETTLING = 120  # Newton steps that a minimum is given to show itself
QUADRATIC = 5  # Newton steps within which quadratic convergence shows
PROBES = np.logspace(-5, -1, 9)  # how far a flat direction is looked along, relative to the point's size
ROOM = 0.05  # of the point's size, or of the way gone: how far the minimum may be from a point that is at it
STEADY = 0.05  # by which the factor between Newton's steps may change where the minimum is of high order
FAR = 2.0 ** np.arange(0, 40, 4)  # how far a tail is looked along, in Newton steps


def settle(kernel: Problem, x: Vector, f: float, g: Vector, directions: Matrix, reach: float) -> Verdict:
    """Tell a stationary point from a tail that falls for ever, and from an inflection: follow Newton's steps.

    Near a point without vanishing curvature they converge quadratically. Where they only shrink by a steady factor, the
    curvature vanishes at their limit, and values there must tell. On a tail they do not shrink.

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
    directions : ndarray, shape (n, n)
        Conjugate directions of the Hessian there.
    reach : float
        The size of the point, or of the way to it.

    Returns
    -------
    Verdict
    """
    y, slope, lengths = x.copy(), g, []
    room = ROOM * reach
    for _ in range(SETTLING):
        step = _newton(kernel.hessian(y), slope)
        if step is None:
            break
        lengths.append(float(np.linalg.norm(step)))
        if not math.isfinite(lengths[-1]):
            break
        if lengths[-1] <= 1e-9 * (reach + float(np.linalg.norm(y))) or lengths[-1] <= 1e-3 * lengths[0]:
            if len(lengths) > QUADRATIC or _fades(kernel, y, step):
                along: Vector = np.asarray(step / (lengths[-1] or 1.0), dtype=np.float64)
                across = directions - np.outer(along, along @ directions)
                seen = _probe(kernel, y, min(f, kernel.value(y)), along, across)
                if seen:
                    return Verdict(Kind.DEGENERATE, seen, (0.0,), in_names(kernel.names, along), along)
            return _near(x, y, room)
        y = y - step
        slope = kernel.slope(y)[1]
        if float(np.linalg.norm(y - x)) > 100 * room:
            break
    return _tail(kernel, x, f, g, lengths) or Verdict(Kind.DEGENERATE, Reason.UNSETTLED)


def _newton(h: Matrix, slope: Vector) -> Vector | None:
    """Give Newton's step along the directions that have a curvature."""
    if not np.isfinite(h).all():
        return None
    values, directions, flat = judged(h)
    bent = np.abs(values) > flat
    ways = directions[:, bent]
    curvatures = np.sum(ways * (h @ ways), axis=0)
    step: Vector = ways @ ((ways.T @ slope) / curvatures)
    return step


def _fades(kernel: Problem, y: Vector, step: NDArray[Any]) -> bool:
    """Tell whether the curvature along Newton's step goes with it, as where it vanishes at the step's end.

    A step that is as good as nothing moves past no change of a curvature that is there; that of ``x**3`` halves.
    """
    before, after = (float(step @ kernel.hessian(at) @ step) for at in (y, y - step))
    return before > 0.0 and not after > 0.9 * before


def _near(x: Vector, y: Vector, room: float) -> Verdict:
    distance = float(np.linalg.norm(y - x))
    if distance <= room:
        return Verdict(Kind.MINIMUM, Reason.POSITIVE)
    return Verdict(Kind.NOT_STATIONARY, Reason.ELSEWHERE, (distance,))


def _probe(kernel: Problem, x: Vector, f: float, d: Vector, rising: Matrix) -> Reason | None:
    """Look at values along a direction without curvature, with the Hessian at each point; ``None`` when all rise."""
    noise = 1e-15 * abs(f) + 1e-300
    far = []
    for r in PROBES:
        for sign in (-1.0, 1.0):
            z = x + sign * r * (1.0 + np.abs(x).max()) * d
            values = [kernel.value(z)]
            bent = rising.T @ kernel.hessian(z) @ rising if rising.size else np.full((1, 1), np.nan)
            if np.isfinite(bent).all():
                push = rising @ np.linalg.lstsq(bent, rising.T @ kernel.slope(z)[1], rcond=None)[0]
                values.append(kernel.value(z - push))
            if min(values) < f - noise:
                return Reason.FALLS
            far.append(values[0])
    return None if all(v > f + noise for v in far[-4:]) else Reason.FLAT


def _tail(kernel: Problem, x: Vector, f: float, g: Vector, lengths: list[float]) -> Verdict | None:
    """Tell a tail from a minimum of high order: along the first Newton step, far out."""
    found = _newton(kernel.hessian(x), g)
    if found is None or not (np.isfinite(found).all() and found.any()):
        return None
    step = -found
    if float(step @ g) > 0:  # where the curvature is negative, Newton's step leads uphill
        step = -step
    along = in_names(kernel.names, step)
    ratios = [b / a for a, b in pairwise(lengths) if a > 0]
    late = ratios[-10:]
    if len(late) >= 5 and max(late) < 1.0 - 1e-6 and max(late) - min(late) < STEADY:
        factor = late[-1]
        # A geometric series: the minimum is of the order 1 + 1/(1 - factor).
        goal = x + step / (1.0 - factor)
        return _of_high_order(kernel, x, f, goal, along)
    noise = Surroundings(kernel, x, f, g).noise
    values = [kernel.value(x + t * step) for t in FAR]
    seen = [v for v in values if math.isfinite(v)]
    if len(seen) < 4 or any(b > a + noise for a, b in pairwise([f, *seen])):
        return None
    low = kernel.bounds()
    end = 0.0 if abs(seen[-1]) <= 1e-6 * abs(f) else seen[-1]
    limit = low.low if low.low_open and math.isfinite(low.low) and seen[-1] - low.low <= f - low.low else end
    return Verdict(Kind.DEGENERATE, Reason.TAIL, (limit,), along, step)


def _of_high_order(kernel: Problem, x: Vector, f: float, goal: Vector, along: str) -> Verdict | None:
    there = kernel.value(goal)
    if not (math.isfinite(there) and there <= f):
        return None
    distance = float(np.linalg.norm(goal - x))
    return Verdict(Kind.DEGENERATE, Reason.ORDER, (there, distance), along, goal - x)
