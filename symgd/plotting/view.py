"""What part of a path is worth seeing, and how far around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from symgd.run import Outcome

if TYPE_CHECKING:
    from symgd.run import Run

Vector = NDArray[np.float64]
Range = tuple[float, float]

_FIRST = 4  # points of a diverging path that set the scale
_GROWTH = 3.0  # times that scale is shown
_LEAP = 20.0  # a step longer than so many times the start's size is off the picture
_SQUARE = 3.0  # ranges that differ by no more are drawn to one scale


def shown(run: Run) -> NDArray[np.bool_]:
    """Tell which recorded points belong in the picture: of a path that flies off, its beginning.

    Parameters
    ----------
    run : Run
        The run.

    Returns
    -------
    ndarray of bool, shape (k,)
    """
    path = run.history.point
    seen = np.isfinite(path).all(axis=1)
    if run.outcome not in (Outcome.DIVERGED, Outcome.LEFT_DOMAIN):
        return seen
    with np.errstate(over="ignore", invalid="ignore"):
        seen &= (np.abs(path - path[0]) <= _LEAP * (1 + np.abs(path[0]))).all(axis=1) | _near(path)
        first = path[seen][:_FIRST]
        low, high = first.min(axis=0), first.max(axis=0)
        room = (_GROWTH - 1) / 2 * (high - low)
        seen &= ((path >= low - room) & (path <= high + room)).all(axis=1)
    gone = np.flatnonzero(~seen)
    if len(gone):
        seen[gone[0] :] = False  # a path that comes back is not drawn as if it had never left
    return seen


def _near(path: Vector) -> NDArray[np.bool_]:
    """Tell which points lie within a few first steps' reach, for problems in units far from 1."""
    reach = 8 * np.abs(path[1] - path[0]) if len(path) > 1 else np.zeros(path.shape[1])
    near: NDArray[np.bool_] = (np.abs(path - path[0]) <= np.minimum(reach, 1e3 * np.abs(path[0]))).all(axis=1)
    return near


def around(values: Vector, end: float, margin: float = 0.16, beyond: float = 0.42) -> Range:
    """Give a range around values, in which the end has room on both sides.

    Parameters
    ----------
    values : ndarray, shape (k,)
        What must be seen.
    end : float
        The value around which the landscape matters most.
    margin : float
        Room at both sides, as a share of the values' extent.
    beyond : float
        Room on both sides of the end.

    Returns
    -------
    tuple of float
        The lower and the upper bound.
    """
    low, high = float(values.min()), float(values.max())
    extent = high - low
    if not extent > 1e-9 * max(abs(low), abs(high)):
        extent = max(abs(low), abs(high)) or 1.0
    return min(low - margin * extent, end - beyond * extent), max(high + margin * extent, end + beyond * extent)


def to_scale(x: Range, y: Range) -> tuple[Range, Range, bool]:
    """Widen the narrower of two ranges that are of a like size, so that both axes may have one scale.

    Parameters
    ----------
    x, y : tuple of float
        The ranges.

    Returns
    -------
    x : tuple of float
        The range of the first axis.
    y : tuple of float
        The range of the second.
    same : bool
        Whether one scale suits both; then a gradient stands at right angles on the contours.
    """
    width, height = x[1] - x[0], y[1] - y[0]
    if max(width, height) > _SQUARE * min(width, height):
        return x, y, False
    # The panel of a figure is about 1.3 times as wide as high.
    return _widened(x, 1.3 * height), _widened(y, width / 1.3), True


def _widened(ends: Range, least: float) -> Range:
    room = max(0.0, least - (ends[1] - ends[0])) / 2
    return ends[0] - room, ends[1] + room
