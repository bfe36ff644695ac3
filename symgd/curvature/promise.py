"""What Newton's step still promises at a point: whether a descent is at its end, whatever the units.

A gradient of 1e-9 is small or large only beside the objective's own size. What counts is how far Newton's step still
goes, beside the way that was gone, each parameter measured by its own curvature; and whether value and gradient still
stand out from their rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from symgd.curvature.problem import Problem
from symgd.curvature.spectrum import DENSE, EPS, unit_diagonal
from symgd.draws import Draws
from symgd.records import dataclass

Vector = NDArray[np.float64]
Truths = NDArray[np.bool_]
Slopes = Callable[[Vector], tuple[Vector, Vector]]

NEAR = 1e-8  # of the way gone that Newton's step may still go at the end of a descent
LOOSE = 1e-2  # the same where the tolerance was chosen by the user
OWN = 1e-6  # of its own size that a parameter of little curvature may still move by
LATE = 1e-4  # the same where rounding hides the rest
STRONG = 1e-2  # of the largest scale of a parameter, from which on the norm speaks for it
SHAKEN = 6  # points beside the point from which rounding is read off
ROUGH = 1e-10  # relative size of what may be rounding
TOLD = 8.0  # times its rounding up to which a number cannot be told from 0


@dataclass(frozen=True, eq=False)
class Promise:
    """What Newton's step promises.

    Parameters
    ----------
    gain : float
        How far the value is to fall; infinite where nothing bounds it.
    share : float
        How far the step goes, beside the way that was gone; infinite where that is not known.
    settled : bool
        Whether nothing is left to do: the step is a share of at most `NEAR`, or rounding hides what is left.
    rounded : bool
        Whether it is rounding that hides it.
    """

    gain: float
    share: float
    settled: bool
    rounded: bool = False


@dataclass(frozen=True, eq=False)
class Promises:
    """What Newton's steps promise at many points: `Promise`, each of its numbers of shape (k,)."""

    gain: Vector
    share: Vector
    settled: Truths
    rounded: Truths

    def at(self, place: int) -> Promise:
        """Give what the step promises at one of the points."""
        settled, rounded = bool(self.settled[place]), bool(self.rounded[place])
        return Promise(float(self.gain[place]), float(self.share[place]), settled, rounded)


NOTHING_KNOWN = Promise(math.inf, math.inf, settled=False)
DONE = Promise(0.0, 0.0, settled=True)


@np.errstate(all="ignore")  # numerical trouble is data
def promise(kernel: Problem, x: Vector, f: float, g: Vector, start: Vector | None, steepest: float) -> Promise:
    """Tell what Newton's step still promises.

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
        Where the descent began, if that is known.
    steepest : float
        The largest norm of a gradient on the way.

    Returns
    -------
    Promise

    References
    ----------
    Boyd and Vandenberghe 2004, Convex optimization, section 9.5.1 (the Newton decrement).

    Examples
    --------
    >>> import symgd
    >>> kernel = symgd.Objective("1e-10*(x - 1)**2").kernel()
    >>> x = np.array([0.9])
    >>> promise(kernel, x, *kernel.slope(x), np.zeros(1), 2e-10).settled
    False
    """
    if not g.any():
        return DONE
    way = x - start if start is not None and start.size == x.size else x
    if not kernel.curved:
        share = float(np.abs(g).max()) / steepest if steepest else math.inf
        return Promise(math.inf, share, settled=share <= NEAR)
    if len(x) > DENSE:
        return _along_slope(kernel, x, g, way)
    h = kernel.hessian(x)

    def slopes(points: Vector) -> tuple[Vector, Vector]:
        values, gradients = zip(*(kernel.slope(point) for point in points), strict=True)
        return np.array(values), np.array(gradients)

    return promises(x[None], np.array([f]), g[None], way[None], h[None], slopes).at(0)


def _along_slope(kernel: Problem, x: Vector, g: Vector, way: Vector) -> Promise:
    """Take the step along the gradient for Newton's, where there are too many parameters for the Hessian."""
    squared, bent = float(g @ g), float(g @ kernel.product(x, g))
    if not bent > 0:
        return NOTHING_KNOWN
    share = squared / bent * math.sqrt(squared) / (float(np.linalg.norm(way)) or 1e-300)
    return Promise(0.5 * squared * squared / bent, share, settled=share <= NEAR)


def promises(x: Vector, f: Vector, g: Vector, way: Vector, h: Vector, slopes: Slopes) -> Promises:
    """Tell what Newton's steps still promise at many points of few parameters.

    Parameters
    ----------
    x : ndarray, shape (k, n)
        The points.
    f : ndarray, shape (k,)
        The values there.
    g : ndarray, shape (k, n)
        The gradients there.
    way : ndarray, shape (k, n)
        The ways that were gone; the points, where that is not known.
    h : ndarray, shape (k, n, n)
        The Hessians.
    slopes : callable
        Gives values and gradients at points.

    Returns
    -------
    Promises
    """
    with np.errstate(all="ignore"):
        known = np.isfinite(h).all(axis=(1, 2))
        gain, share = (np.full(len(x), math.inf) for _ in range(2))
        settled, rounded = (np.zeros(len(x), dtype=np.bool_) for _ in range(2))
        rows = np.flatnonzero(known)
        if len(rows):
            part = _dense(x[rows], f[rows], g[rows], h[rows], way[rows], slopes)
            gain[rows], share[rows], settled[rows], rounded[rows] = part
        done = ~g.any(axis=1)
        gain[done] = share[done] = 0.0
        settled |= done
        rounded &= ~done
    return Promises(gain, share, settled, rounded)


def _dense(
    x: Vector, f: Vector, g: Vector, h: Vector, way: Vector, slopes: Slopes
) -> tuple[Vector, Vector, Truths, Truths]:  # fmt: skip
    scaled, size = unit_diagonal(h)
    slope = g / size
    values, vectors = np.linalg.eigh(scaled)
    flat = 64 * x.shape[1] * EPS * np.maximum(1.0, np.abs(values).max(axis=1))
    along = np.einsum("kji,kj->ki", vectors, slope)
    bent = np.abs(values) > flat[:, None]
    # Without curvature a slope is taken for the step that it is where curvatures are 1.
    move = np.where(bent, along / np.where(bent, values, 1.0), along)
    step = np.einsum("kij,kj->ki", vectors, np.where(bent, move, 0.0)) / size
    gain = 0.5 * np.where(bent, np.abs(along * move), 0.0).sum(axis=1)
    gone = np.linalg.norm(size * way, axis=1)
    left = np.linalg.norm(move, axis=1)
    level = np.asarray(~h.any(axis=(1, 2)))  # no step is Newton's
    share = np.where((gone > 0) & ~level, left / gone, math.inf)
    gain = np.where(level, math.inf, gain)
    own = np.abs(x) + np.abs(way)
    strong = size >= STRONG * size.max(axis=1, keepdims=True)
    near = (share <= NEAR) & ((np.abs(step) <= OWN * own) | strong).all(axis=1)
    # Rounding is looked at where it may be what is left: the point's last digits, times the Hessian, or the value's.
    of_point = (np.abs(g) <= ROUGH * np.einsum("kij,kj->ki", np.abs(h), np.abs(x))).all(axis=1)
    hidden = ~near & (of_point | (gain <= ROUGH * np.abs(f)) | level)
    rows = np.flatnonzero(hidden)
    if len(rows):
        value, shaken = _shaken(x[rows], f[rows], g[rows], slopes)
        small = (np.abs(g[rows]) <= TOLD * shaken).all(axis=1)
        low = (gain[rows] <= TOLD * value) & (np.abs(step[rows]) <= LATE * own[rows]).all(axis=1) & ~level[rows]
        still = (np.abs(along[rows]) <= 1e-7 * np.maximum(gone[rows], 1e-300)[:, None]) | bent[rows]
        hidden[rows] = small | (low & still.all(axis=1))
    return gain, share, near | hidden, hidden


def _shaken(x: Vector, f: Vector, g: Vector, slopes: Slopes) -> tuple[Vector, Vector]:
    """Give by how much value and gradient change where each point moves in its last digits."""
    k, n = x.shape
    draws = Draws(1).choice([-2.0, -1.0, 1.0, 2.0], (SHAKEN, n))
    moved = x[:, None] + EPS * np.abs(x)[:, None] * draws
    there, slope = slopes(moved.reshape(-1, n))
    there, slope = there.reshape(k, SHAKEN), slope.reshape(k, SHAKEN, n)
    seen = np.isfinite(there) & np.isfinite(slope).all(axis=2)
    value = np.where(seen, np.abs(there - f[:, None]), 0.0).max(axis=1)
    changes = np.where(seen[:, :, None], np.abs(slope - g[:, None]), 0.0).max(axis=1)
    return np.maximum(2.0 * EPS * np.abs(f), value), changes
