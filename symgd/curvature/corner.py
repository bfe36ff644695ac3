"""Kinks and edges of the domain: where the gradient jumps, or there is nothing on one side."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from symgd.curvature.directions import in_names
from symgd.curvature.escape import Surroundings
from symgd.curvature.problem import Problem
from symgd.curvature.spectrum import DENSE
from symgd.draws import Draws
from symgd.verdict import Kind, Reason, Verdict

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

JUMP = 1e-7  # of the steepest slope around, from which on a jump of the slope counts
AROUND = 200  # slopes around a kink that are mixed at most
MISSING = 64  # slopes that are looked for on the way down, at most
MIXED = 1e-5  # of the steepest of them, up to which a mixture of them is 0
POLYAK = 30  # steps toward a bound
CLOSE = 1e-3  # of the point's size: how far a point may be from one that it is as good as
EDGE = 1e-8  # of the point's size, up to which the domain's end is looked for


@np.errstate(all="ignore")  # numerical trouble is data
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
    slopes = []
    jump: tuple[float, str, Vector] | None = None
    for index, name in enumerate(kernel.names):
        jumps = []
        for h in (1e-6, 1e-8):
            d = np.zeros(len(x))
            d[index] = h * (1 + abs(x[index]))
            ahead, behind = kernel.slope(x + d)[1][index], kernel.slope(x - d)[1][index]
            if not (math.isfinite(ahead) and math.isfinite(behind)):
                return Verdict(Kind.BOUNDARY, Reason.DOMAIN_ENDS, (), name, d)
            jumps.append(abs(ahead - behind))
            slopes += [abs(ahead), abs(behind)]
        # A smooth gradient changes a hundred times less over a hundredth of the way.
        if jumps[1] > 0.5 * jumps[0] and (jump is None or jumps[1] > jump[0]):
            jump = jumps[1], name, d
    if jump is not None and jump[0] > JUMP * max(slopes):
        low = _lowest(kernel, x)
        return low or Verdict(Kind.KINK, Reason.JUMP, (0.0, jump[0]), jump[1], jump[2])
    return _lower_nearby(kernel, x)


def _lower_nearby(kernel: Problem, x: Vector) -> Verdict | None:
    """Look for a lower value close by: a kink need not show along the axes, nor a jump of the value in any gradient."""
    f, g = kernel.slope(x)
    if not math.isfinite(f):
        return None
    step = _fall(kernel, x, f, g)
    return None if step is None else Verdict(Kind.KINK, Reason.FALLS_AT_ONCE, (), in_names(kernel.names, step), step)


def _fall(kernel: Problem, x: Vector, f: float, g: Vector, more: tuple[Vector, ...] = ()) -> Vector | None:
    """Give a short step to a lower value than the gradient explains, if one is found."""
    n = len(x)
    noise = Surroundings(kernel, x, f, g).noise
    # The axes, the diagonals of pairs, and directions without preference; always the same ones.
    draws = Draws(0)
    ways = [*more, *np.eye(n), *draws.choice([-1.0, 1.0], (4 * n, n)), *draws.normal((4 * n, n))]
    for way in ways:
        for r in (1e-8, 1e-6, 1e-4):
            for step in (r * (1 + np.abs(x).max()) * way, -r * (1 + np.abs(x).max()) * way):
                value = kernel.value(x + step)
                # What the gradient itself explains is no surprise.
                fall = f - value - 2.0 * abs(float(g @ step)) - 1e-13 * abs(f)
                # Where the value jumps, moving in the last digits shows the jump, and rounding beside it alone.
                if fall > 0.0 and (fall > noise or fall > Surroundings(kernel, x + step, value, g).noise):
                    found: Vector = step
                    return found
    return None


def _lowest(kernel: Problem, x: Vector) -> Verdict | None:
    """Tell whether a kink is a minimum: by a bound of the formula, or by 0 among the mixtures of the slopes around it.

    For a convex objective that is a proof. For others the value must rise at once in every direction that is looked
    along, the shortest of the mixtures among them.

    References
    ----------
    Clarke 1983, Optimization and nonsmooth analysis; Burke, Lewis and Overton 2005 (gradient sampling).
    """
    f, g = kernel.slope(x)
    if at_bound(kernel, x, f, g) is not None:
        return Verdict(Kind.KINK_MINIMUM, Reason.BOUND, (f,))
    slopes = _slopes_around(kernel, x)
    if not np.isfinite(slopes).all():
        return None
    shortest = _shortest_around(kernel, x, slopes)
    if not np.linalg.norm(shortest) <= MIXED * float(np.linalg.norm(slopes, axis=1).max()):
        return None
    if kernel.bounds().convex:
        return Verdict(Kind.KINK_MINIMUM, Reason.MIXED)
    # At a kink the gradient is one of many slopes, and explains nothing.
    if _fall(kernel, x, f, np.zeros(len(x)), (shortest,)) is None:
        return Verdict(Kind.KINK_MINIMUM, Reason.RISES)
    return None


def _slopes_around(kernel: Problem, x: Vector) -> Matrix:
    """Give gradients at points close by, among them both ends of every axis."""
    n = len(x)
    draws = Draws(4)
    sizes = 1e-7 * (1.0 + np.abs(x))
    free = draws.uniform(-1.0, 1.0, (max(16, min(2 * n, AROUND - 2 * n)), n))
    ways = [*np.eye(n), *-np.eye(n), *free]
    return np.array([kernel.slope(x + sizes * way)[1] for way in ways])


def _shortest_around(kernel: Problem, x: Vector, slopes: Matrix) -> Vector:
    """Give the shortest mixture of slopes, and of those that are found by going down along it.

    At a minimum the slope on the way down is one that is missing so far, and with it the mixture becomes shorter
    (Wolfe 1975, A method of conjugate subgradients for minimizing nondifferentiable functions).
    """
    enough = MIXED * float(np.linalg.norm(slopes, axis=1).max())
    for _ in range(MISSING):
        shortest = shortest_mixture(slopes)
        length = float(np.linalg.norm(shortest))
        if not length > enough:
            break
        ahead = kernel.slope(x - 1e-7 * (1.0 + float(np.abs(x).max())) * shortest / length)[1]
        if not float(ahead @ shortest) < 0.5 * length**2:
            break
        slopes = np.vstack([slopes, ahead])
    return shortest


def shortest_mixture(slopes: Matrix) -> Vector:
    """Give the shortest of the mixtures: least squares with weights of at least 0 that add up to 1."""
    from scipy.optimize import nnls

    size = float(np.abs(slopes).max()) or 1.0
    weight = 1e3  # how strictly the weights add up
    system = np.vstack([slopes.T / size, np.full((1, len(slopes)), weight)])
    wanted = np.zeros(len(system))
    wanted[-1] = weight
    weights, _ = nnls(system, wanted)
    mixed: Vector = weights @ slopes / (weights.sum() or 1.0)
    return mixed


def at_bound(kernel: Problem, x: Vector, f: float, g: Vector, size: float = 0.0) -> Vector | None:
    """Give a point close by where the value is the lowest that the formula allows, and one that it reaches.

    Where the value is not quite that at the point itself, Polyak's steps must lead there.

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
    size : float
        That of the point, of which a thousandth is close by.

    Returns
    -------
    ndarray of shape (n,), or None

    References
    ----------
    Polyak 1969, Minimization of unsmooth functionals.
    """
    bounds = kernel.bounds()
    if bounds.low_open or not math.isfinite(bounds.low):
        return None
    if f <= bounds.low:
        return x
    noise = Surroundings(kernel, x, f, g).noise
    z, over, slope, best = x, f - bounds.low, g, None
    for _ in range(POLYAK):
        if over <= noise:
            best = z
        steepness = float(np.abs(slope).max())
        if not 0.0 < steepness < math.inf:
            return best
        unit = slope / steepness
        # Twice Polyak's step goes all the way where the value is a square.
        z = z - 2.0 * (over / steepness / float(unit @ unit)) * unit
        there, slope = kernel.slope(z)
        if not there - bounds.low < 0.5 * over or np.linalg.norm(z - x) > CLOSE * size:
            return best
        over = there - bounds.low
    return best


def _falls_beside(kernel: Problem, x: Vector, f: float, g: Vector, index: int) -> bool:
    """Tell whether the value falls along the edge, in the other parameters."""
    way = g.copy()
    way[index] = 0.0
    size = float(np.abs(way).max())
    if not size:
        return False
    steps = (10.0**-k * (1.0 + float(np.abs(x).max())) / size * way for k in range(1, 8))
    return any(kernel.value(x - step) < f - 1e-13 * abs(f) for step in steps)


@np.errstate(all="ignore")  # numerical trouble is data
def edge(kernel: Problem, x: Vector, f: float, g: Vector) -> Verdict | None:
    """Tell whether the way down leads out of the domain at once.

    Parameters
    ----------
    kernel : Problem
        The objective.
    x : ndarray, shape (n,)
        A point from which no step leads further down.
    f : float
        The value there.
    g : ndarray, shape (n,)
        The gradient there.

    Returns
    -------
    Verdict or None
        ``None`` where the domain does not end.
    """
    if len(x) > DENSE or not np.isfinite(g).all():
        return None
    for index, name in enumerate(kernel.names):
        d = np.zeros(len(x))
        d[index] = EDGE * (1.0 + abs(x[index])) * (-math.copysign(1.0, g[index]))
        if g[index] == 0.0 or math.isfinite(kernel.value(x + d)):
            continue
        inside = [kernel.value(x - 10.0**k * d) for k in range(7)]
        lowest = all(value > f for value in inside if math.isfinite(value))
        lowest = lowest and not _falls_beside(kernel, x, f, g, index)
        return Verdict(Kind.BOUNDARY, Reason.EDGE if lowest else Reason.DOMAIN_ENDS, (), name, d)
    return None
