"""The kind of a stationary point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.curvature.directions import in_names, names_of
from symgd.curvature.escape import Surroundings
from symgd.curvature.problem import Problem
from symgd.curvature.spectrum import DENSE, WORK, Spectrum, extremes, judged
from symgd.errors import unexplained
from symgd.verdict import Kind, Reason, Verdict

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

SETTLING = 120  # Newton steps that a minimum is given to show itself
PROBES = np.logspace(-5, -1, 9)  # how far a flat direction is looked along, relative to the point's size
MOST = 24  # directions without curvature that are looked along
QUADRATIC = 5  # Newton steps within which quadratic convergence shows
QUICK = WORK / 20  # operations that the kind of a point of many parameters may take at the end of a run
NOUGHT = 1e-14  # of the largest curvature: what products of the Hessian are rounded by
NO_HESSIAN = Verdict(Kind.BOUNDARY, Reason.NOT_FINITE, (), "Hessian")


@np.errstate(all="ignore")  # numerical trouble is data
def classify(kernel: Problem, x: Vector, f: float, g: Vector) -> Verdict:
    """Tell what kind of stationary point this is.

    Parameters
    ----------
    kernel : Problem
        The objective.
    x : ndarray, shape (n,)
        A point with a small gradient.
    f : float
        The value there.
    g : ndarray, shape (n,)
        The gradient there.

    Returns
    -------
    Verdict

    References
    ----------
    Nocedal and Wright 2006, theorems 2.3 and 2.4 (second-order conditions).
    """
    try:
        return _classified(kernel, x, f, g)
    except Exception as problem:  # noqa: BLE001 - whatever it is, the point is there
        return Verdict(Kind.UNKNOWN, Reason.UNEXPLAINED, (), unexplained("the kind of point", problem))


def _classified(kernel: Problem, x: Vector, f: float, g: Vector) -> Verdict:
    found = corner(kernel, x)
    if found is not None:
        return found
    if len(x) > DENSE:
        return judge_large(names_of(kernel), extremes(kernel, x, 1, QUICK, progress=False))
    h = kernel.hessian(x)
    if not np.isfinite(h).all():
        return NO_HESSIAN
    values, directions, flat = judged(h)
    return _judge(kernel, x, f, g, h, values, directions, flat)


def _judge(
    kernel: Problem,
    x: Vector,
    f: float,
    g: Vector,
    h: Matrix,
    values: Vector,
    directions: NDArray[np.float64],
    flat: float,
) -> Verdict:
    params = kernel.names
    negative, positive = values < -flat, values > flat
    place = int(np.argmin(values))
    lowest = _along(params, directions[:, place], float(values[place]))
    if negative.any() and not (negative | positive).all():
        if positive.any():
            return Verdict(Kind.SADDLE, Reason.NEGATIVE, *lowest)
        return Verdict(Kind.DEGENERATE, Reason.NEGATIVE_OR_ZERO, *lowest)
    level = np.flatnonzero(~(negative | positive))
    if len(level):
        around = Surroundings(kernel, x, f, g)
        rising = directions[:, positive]
        bent = np.einsum("ik,ij,jk->k", rising, h, rising, optimize=True)
        for index in level[:MOST]:
            seen = _look(around, directions[:, index], rising, bent)
            if seen:
                return Verdict(Kind.DEGENERATE, seen, *_along(params, directions[:, index], 0.0))
        return Verdict(Kind.MINIMUM, Reason.HOLDS)
    settled = _settle(kernel, x, f, g, directions)
    # Where no stationary point is near, there is neither a saddle nor a maximum.
    if not negative.any() or settled.kind != Kind.MINIMUM:
        return settled
    if positive.any():
        return Verdict(Kind.SADDLE, Reason.NEGATIVE, *lowest)
    return Verdict(Kind.MAXIMUM, Reason.ALL_NEGATIVE)


def _along(params: Sequence[str], direction: Vector, curvature: float) -> tuple[tuple[float], str, Vector]:
    """Give the part of a verdict that belongs to a direction."""
    return (curvature,), in_names(params, direction), direction


def _look(around: Surroundings, d: Vector, rising: Matrix, bent: Vector) -> Reason | None:
    """Look at values along a direction without curvature; ``None`` when they all rise.

    A valley may fall though it rises along every straight line, as Peano's ``(y - x**2)*(y - 3*x**2)`` does. So each
    point is also moved to the floor of the valley, by Newton's steps along the directions with positive curvature.
    """
    far = []
    for r in PROBES:
        for sign in (-1.0, 1.0):
            straight = sign * r * (1.0 + np.abs(around.x).max()) * d
            if any(around.fall(step) > 0.0 for step in around.moved(straight, rising, bent)):
                return Reason.FALLS
            far.append(around.kernel.value(around.x + straight))
    return None if all(v > around.f + around.noise for v in far[-4:]) else Reason.FLAT


def _probe(kernel: Problem, x: Vector, f: float, d: Vector, rising: NDArray[np.float64]) -> Reason | None:
    """Do the same where the directions are not conjugate: with the Hessian at each point."""
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


def _settle(kernel: Problem, x: Vector, f: float, g: Vector, directions: NDArray[np.float64]) -> Verdict:
    """Tell a stationary point from a tail that falls for ever, and from an inflection: follow Newton's steps.

    Near a point without vanishing curvature they converge quadratically. Where they only shrink by a steady factor, the
    curvature vanishes at their limit, and values there must tell.
    """
    y, slope, lengths = x.copy(), g, []
    # The room that a point that is at its minimum may still move in.
    room = 0.05 * (1.0 + float(np.linalg.norm(x)))
    for _ in range(SETTLING):
        try:
            step = np.linalg.solve(kernel.hessian(y), slope)
        except np.linalg.LinAlgError:
            break
        lengths.append(float(np.linalg.norm(step)))
        if not math.isfinite(lengths[-1]):
            break
        if lengths[-1] <= 1e-9 * (1.0 + float(np.linalg.norm(y))) or lengths[-1] <= 1e-3 * lengths[0]:
            if len(lengths) > QUADRATIC or _fades(kernel, y, step):
                along: Vector = np.asarray(step / (lengths[-1] or 1.0), dtype=np.float64)
                across = directions - np.outer(along, along @ directions)
                seen = _probe(kernel, y, min(f, kernel.value(y)), along, across)
                if seen:
                    return Verdict(Kind.DEGENERATE, seen, *_along(kernel.names, along, 0.0))
            return _near(x, y, room)
        y = y - step
        slope = kernel.slope(y)[1]
        if float(np.linalg.norm(y - x)) > 100 * room:
            break
    return Verdict(Kind.DEGENERATE, Reason.UNSETTLED)


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


def corner(kernel: Problem, x: Vector) -> Verdict | None:
    """Tell whether the gradient jumps at a point, or the domain ends there.

    Parameters
    ----------
    kernel : Problem
        The objective.
    x : ndarray, shape (n,)
        The point.

    Returns
    -------
    Verdict or None
        ``None`` where the objective is smooth.
    """
    if kernel.smooth or len(x) > DENSE:
        return None
    for index, name in enumerate(kernel.names):
        jumps = []
        for h in (1e-6, 1e-8):
            d = np.zeros(len(x))
            d[index] = h * (1 + abs(x[index]))
            ahead, behind = kernel.slope(x + d)[1][index], kernel.slope(x - d)[1][index]
            if not (math.isfinite(ahead) and math.isfinite(behind)):
                return Verdict(Kind.BOUNDARY, Reason.DOMAIN_ENDS, (), name, d)
            jumps.append(abs(ahead - behind))
        # A smooth gradient changes a hundred times less over a hundredth of the way.
        if jumps[1] > 0.5 * jumps[0] and jumps[0] > 1e-7:
            return Verdict(Kind.KINK, Reason.JUMP, (0.0, jumps[1]), name, d)
    return _lower_nearby(kernel, x)


def _lower_nearby(kernel: Problem, x: Vector) -> Verdict | None:
    """Look for a lower value close by: a kink need not show along the axes, nor a jump of the value in any gradient."""
    f, g = kernel.slope(x)
    if not math.isfinite(f):
        return None
    n = len(x)
    # The axes, the diagonals of pairs, and directions without preference; always the same ones.
    draws = np.random.default_rng(0)
    ways = [*np.eye(n), *draws.choice([-1.0, 1.0], size=(4 * n, n)), *draws.standard_normal((4 * n, n))]
    for way in ways:
        for r in (1e-8, 1e-6, 1e-4):
            for step in (r * (1 + np.abs(x).max()) * way, -r * (1 + np.abs(x).max()) * way):
                # What the gradient itself explains is no surprise.
                expected = 2.0 * abs(float(g @ step)) + 1e-13 * (abs(f) + 1e-3)
                if kernel.value(x + step) < f - expected:
                    along = in_names(kernel.names, step)
                    return Verdict(Kind.KINK, Reason.FALLS_AT_ONCE, (), along, step)
    return None


def judge_large(names: Sequence[str], found: Spectrum) -> Verdict:
    """Tell the kind of a stationary point from extreme eigenvalues.

    Parameters
    ----------
    names : sequence of str
        A name for each parameter.
    found : Spectrum
        Extreme eigenvalues.

    Returns
    -------
    Verdict
        Of the kind ``UNKNOWN`` where curvatures may be negative that have not been found.
    """
    if not found.finite:
        return NO_HESSIAN
    low, high, error = float(found.values[0]), float(found.values[-1]), float(found.errors[0])
    # What products round to is 0; a value that is found is a Rayleigh quotient, so that below 0 it proves its sign.
    zero = NOUGHT * max(abs(low), abs(high))
    if low < -zero:
        along = _along(names, found.vectors[:, 0], low)
        if high > zero:
            return Verdict(Kind.SADDLE, Reason.BENT, *along)
        if found.converged and high < -zero - float(found.errors[-1]):
            return Verdict(Kind.MAXIMUM, Reason.MOST, (high,))
        return Verdict(Kind.DEGENERATE, Reason.HARDLY_POSITIVE, *along)
    if found.above > zero:
        return Verdict(Kind.MINIMUM, Reason.LEAST if found.converged else Reason.ABOVE, (found.above,))
    if error <= max(zero, 0.1 * low):
        if low > zero:
            return Verdict(Kind.MINIMUM, Reason.SMALLEST, (low,))
        return Verdict(Kind.DEGENERATE, Reason.ROUNDED, *_along(names, found.vectors[:, 0], 0.0))
    return Verdict(Kind.UNKNOWN, Reason.UNCERTAIN, (low, error, float(found.above)))
