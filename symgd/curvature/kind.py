"""The kind of a stationary point."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from symgd.curvature.directions import in_names, names_of
from symgd.curvature.escape import Surroundings
from symgd.curvature.spectrum import DENSE, WORK, Spectrum, extremes, judged
from symgd.errors import unexplained
from symgd.kernel import Kernel
from symgd.run import Kind

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

SETTLING = 120  # Newton steps that a minimum is given to show itself
PROBES = np.logspace(-5, -1, 9)  # how far a flat direction is looked along, relative to the point's size
MOST = 24  # directions without curvature that are looked along
QUADRATIC = 5  # Newton steps within which quadratic convergence shows
QUICK = WORK / 20  # operations that the kind of a point of many parameters may take at the end of a run
NOUGHT = 1e-14  # of the largest curvature: what products of the Hessian are rounded by


@np.errstate(all="ignore")  # numerical trouble is data
def classify(kernel: Kernel, x: Vector, f: float, g: Vector) -> tuple[Kind, str]:
    """Tell what kind of stationary point this is.

    Parameters
    ----------
    kernel : Kernel
        The objective.
    x : ndarray, shape (n,)
        A point with a small gradient.
    f : float
        The value there.
    g : ndarray, shape (n,)
        The gradient there.

    Returns
    -------
    kind : Kind
        What it is.
    message : str
        The evidence, as a clause.

    References
    ----------
    Nocedal and Wright 2006, theorems 2.3 and 2.4 (second-order conditions).
    """
    try:
        return _classified(kernel, x, f, g)
    except Exception as problem:  # noqa: BLE001 - whatever it is, the point is there
        return Kind.UNKNOWN, unexplained("the kind of point", problem)


def _classified(kernel: Kernel, x: Vector, f: float, g: Vector) -> tuple[Kind, str]:
    found = corner(kernel, x)
    if found is not None:
        return found
    if len(x) > DENSE:
        return judge_large(names_of(kernel), extremes(kernel, x, 1, QUICK, progress=False))
    h = kernel.hessian(x)
    if not np.isfinite(h).all():
        return Kind.BOUNDARY, "the Hessian is not finite there"
    values, directions, flat = judged(h)
    return _judge(kernel, x, f, g, h, values, directions, flat)


def _judge(
    kernel: Kernel,
    x: Vector,
    f: float,
    g: Vector,
    h: Matrix,
    values: Vector,
    directions: NDArray[np.float64],
    flat: float,
) -> tuple[Kind, str]:
    params = kernel.program.layout.names
    negative, positive = values < -flat, values > flat
    lowest = in_names(params, directions[:, int(np.argmin(values))])
    if negative.any() and not (negative | positive).all():
        if positive.any():
            return Kind.SADDLE, f"the curvature is negative along {lowest}"
        return Kind.DEGENERATE, f"the curvature is negative along {lowest} and 0 elsewhere"
    level = np.flatnonzero(~(negative | positive))
    if len(level):
        around = Surroundings(kernel, x, f, g)
        rising = directions[:, positive]
        bent = np.einsum("ik,ij,jk->k", rising, h, rising, optimize=True)
        for index in level[:MOST]:
            verdict = _look(around, directions[:, index], rising, bent)
            if verdict:
                return Kind.DEGENERATE, f"{verdict} {in_names(params, directions[:, index])}"
        return Kind.MINIMUM, "no lower value is near, though a curvature is 0"
    settled = _settle(kernel, x, f, g, directions)
    # Where no stationary point is near, there is neither a saddle nor a maximum.
    if not negative.any() or settled[0] != Kind.MINIMUM:
        return settled
    if positive.any():
        return Kind.SADDLE, f"the curvature is negative along {lowest}"
    return Kind.MAXIMUM, "every curvature is negative"


def _look(around: Surroundings, d: Vector, rising: Matrix, bent: Vector) -> str:
    """Look at values along a direction without curvature; an empty text when they all rise.

    A valley may fall though it rises along every straight line, as Peano's ``(y - x**2)*(y - 3*x**2)`` does. So each
    point is also moved to the floor of the valley, by Newton's steps along the directions with positive curvature.
    """
    far = []
    for r in PROBES:
        for sign in (-1.0, 1.0):
            straight = sign * r * (1.0 + np.abs(around.x).max()) * d
            if any(around.fall(step) > 0.0 for step in around.moved(straight, rising, bent)):
                return "the curvature is 0 but the value falls along"
            far.append(around.kernel.value(around.x + straight))
    return "" if all(v > around.f + around.noise for v in far[-4:]) else "the value is flat along"


def _probe(kernel: Kernel, x: Vector, f: float, d: Vector, rising: NDArray[np.float64]) -> str:
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
                return "the curvature is 0 but the value falls along"
            far.append(values[0])
    return "" if all(v > f + noise for v in far[-4:]) else "the value is flat along"


def _settle(kernel: Kernel, x: Vector, f: float, g: Vector, directions: NDArray[np.float64]) -> tuple[Kind, str]:
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
            if len(lengths) > QUADRATIC:
                along: Vector = np.asarray(step / (lengths[-1] or 1.0), dtype=np.float64)
                across = directions - np.outer(along, along @ directions)
                verdict = _probe(kernel, y, min(f, kernel.value(y)), along, across)
                if verdict:
                    return Kind.DEGENERATE, f"{verdict} {in_names(kernel.program.layout.names, along)}"
            return _near(x, y, room)
        y = y - step
        slope = kernel.slope(y)[1]
        if float(np.linalg.norm(y - x)) > 100 * room:
            break
    return Kind.DEGENERATE, "the gradient is small, but Newton's steps do not settle: a plateau, or a tail"


def _near(x: Vector, y: Vector, room: float) -> tuple[Kind, str]:
    distance = float(np.linalg.norm(y - x))
    if distance <= room:
        return Kind.MINIMUM, "every curvature is positive"
    return Kind.NOT_STATIONARY, f"the gradient is small, but the stationary point is still {distance:.3g} away"


def corner(kernel: Kernel, x: Vector) -> tuple[Kind, str] | None:
    """Tell whether the gradient jumps at a point, or the domain ends there.

    Parameters
    ----------
    kernel : Kernel
        The objective.
    x : ndarray, shape (n,)
        The point.

    Returns
    -------
    tuple of Kind and str, or None
        What is there, and the evidence; ``None`` where the objective is smooth.
    """
    if kernel.program.smooth or len(x) > DENSE:
        return None
    for index, name in enumerate(kernel.program.layout.names):
        jumps = []
        for h in (1e-6, 1e-8):
            d = np.zeros(len(x))
            d[index] = h * (1 + abs(x[index]))
            ahead, behind = kernel.slope(x + d)[1][index], kernel.slope(x - d)[1][index]
            if not (math.isfinite(ahead) and math.isfinite(behind)):
                return Kind.BOUNDARY, f"the domain ends there, along {name}"
            jumps.append(abs(ahead - behind))
        # A smooth gradient changes a hundred times less over a hundredth of the way.
        if jumps[1] > 0.5 * jumps[0] and jumps[0] > 1e-7:
            return Kind.KINK, f"the gradient jumps by {jumps[1]:.3g} along {name}"
    return _lower_nearby(kernel, x)


def _lower_nearby(kernel: Kernel, x: Vector) -> tuple[Kind, str] | None:
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
                    along = in_names(kernel.program.layout.names, step)
                    return Kind.KINK, f"the value falls at once along {along}"
    return None


def judge_large(names: Sequence[str], found: Spectrum) -> tuple[Kind, str]:
    """Tell the kind of a stationary point from extreme eigenvalues.

    Parameters
    ----------
    names : sequence of str
        A name for each parameter.
    found : Spectrum
        Extreme eigenvalues.

    Returns
    -------
    kind : Kind
        ``UNKNOWN`` where curvatures may be negative that have not been found.
    message : str
        The evidence, as a clause.
    """
    if not found.finite:
        return Kind.BOUNDARY, "the Hessian is not finite there"
    low, high, error = float(found.values[0]), float(found.values[-1]), float(found.errors[0])
    # What products round to is 0; a value that is found is a Rayleigh quotient, so that below 0 it proves its sign.
    zero = NOUGHT * max(abs(low), abs(high))
    if low < -zero:
        along = in_names(names, found.vectors[:, 0])
        if high > zero:
            return Kind.SADDLE, f"the curvature is {low:.3g} along {along}"
        if found.converged and high < -zero - float(found.errors[-1]):
            return Kind.MAXIMUM, f"every curvature is at most {high:.3g}"
        return Kind.DEGENERATE, f"the curvature is negative along {along}, and nowhere clearly positive"
    if found.above > zero:
        least = f"at least {low:.3g}" if found.converged else f"above {found.above:.3g}"
        return Kind.MINIMUM, f"every curvature is {least}"
    if error <= max(zero, 0.1 * low):
        if low > zero:
            return Kind.MINIMUM, f"the smallest curvature that was found is {low:.3g}"
        return (
            Kind.DEGENERATE,
            f"a curvature is 0 as far as rounding can tell, along {in_names(names, found.vectors[:, 0])}",
        )
    below = f"; smaller ones down to {found.above:.2g} may be there" if np.isfinite(found.above) else ""
    return Kind.UNKNOWN, f"the smallest curvature that was found is {low:.3g}, give or take {error:.2g}{below}"
