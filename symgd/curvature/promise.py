"""What Newton's step still promises at a point: whether a descent is at its end, whatever the units.

A gradient of 1e-9 is small or large only beside the objective's own size. What counts is how far Newton's step still
goes, beside the way that was gone, each parameter measured by its own curvature; and whether value and gradient still
stand out from their rounding.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from symgd.curvature.problem import Problem
from symgd.curvature.spectrum import DENSE, EPS, unit_diagonal
from symgd.draws import Draws
from symgd.records import dataclass

Vector = NDArray[np.float64]

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
    if not np.isfinite(h).all():
        return NOTHING_KNOWN
    return _dense(kernel, x, f, g, h, way)


def _along_slope(kernel: Problem, x: Vector, g: Vector, way: Vector) -> Promise:
    """Take the step along the gradient for Newton's, where there are too many parameters for the Hessian."""
    squared, bent = float(g @ g), float(g @ kernel.product(x, g))
    if not bent > 0:
        return NOTHING_KNOWN
    share = squared / bent * math.sqrt(squared) / (float(np.linalg.norm(way)) or 1e-300)
    return Promise(0.5 * squared * squared / bent, share, settled=share <= NEAR)


def _dense(kernel: Problem, x: Vector, f: float, g: Vector, h: NDArray[np.float64], way: Vector) -> Promise:
    scaled, size = unit_diagonal(h)
    slope = g / size
    if not h.any():  # no step is Newton's
        hidden = bool((np.abs(g) <= TOLD * _shaken(kernel, x, f, g)[1]).all())
        return Promise(math.inf, math.inf, settled=hidden, rounded=hidden)
    values, vectors = np.linalg.eigh(scaled)
    flat = 64 * len(x) * EPS * max(1.0, float(np.abs(values).max()))
    along = vectors.T @ slope
    bent = np.abs(values) > flat
    # Without curvature a slope is taken for the step that it is where curvatures are 1.
    move = np.where(bent, along / np.where(bent, values, 1.0), along)
    step = vectors @ np.where(bent, move, 0.0) / size
    gain = 0.5 * float(np.abs(along[bent] * move[bent]).sum())
    gone = float(np.linalg.norm(size * way))
    left = float(np.linalg.norm(move))
    share = left / gone if gone else math.inf
    own = np.abs(x) + np.abs(way)
    weak = size < STRONG * size.max()
    near = share <= NEAR and bool((np.abs(step) <= OWN * own)[weak].all())
    if near:
        return Promise(gain, share, settled=True)
    # Rounding is looked at where it may be what is left: the point's last digits, times the Hessian, or the value's.
    plausible = (np.abs(g) <= ROUGH * (np.abs(h) @ np.abs(x))).all() or gain <= ROUGH * abs(f)
    if not plausible:
        return Promise(gain, share, settled=False)
    value, slopes = _shaken(kernel, x, f, g)
    hidden = bool((np.abs(g) <= TOLD * slopes).all())
    hidden |= (
        gain <= TOLD * value
        and bool((np.abs(step) <= LATE * own).all())
        and bool((np.abs(along[~bent]) <= 1e-7 * max(gone, 1e-300)).all())
    )
    return Promise(gain, share, settled=hidden, rounded=hidden)


def _shaken(kernel: Problem, x: Vector, f: float, g: Vector) -> tuple[float, Vector]:
    """Give by how much value and gradient change where the point moves in its last digits."""
    draws = Draws(1).choice([-2.0, -1.0, 1.0, 2.0], (SHAKEN, len(x)))
    value, slopes = 2.0 * EPS * abs(f), np.zeros(len(x))
    for draw in draws:
        there, slope = kernel.slope(x + EPS * np.abs(x) * draw)
        if math.isfinite(there) and np.isfinite(slope).all():
            value = max(value, abs(there - f))
            slopes = np.maximum(slopes, np.abs(slope - g))
    return value, slopes
