"""What part of a path is worth seeing, and how far around it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from symgd.run import Outcome

if TYPE_CHECKING:
    from symgd.history import History
    from symgd.run import Run

Vector = NDArray[np.float64]
Range = tuple[float, float]

_FIRST = 4  # points of a diverging path that set the scale
_LEAP = 10.0  # times the extent so far, which a step may go without being off the picture
_GROWTH = 3.0  # times the extent of the first points is shown
_SLOW = 1000.0  # times its own scale, that a parameter may grow to the extent of another
_FLAT = 2e-4  # extent over size, below which a range is widened: its ticks would differ in the last digits alone
_SQUARE = 3.0  # ranges that differ by no more are drawn to one scale
_PANEL = 1.45  # width of a figure's panel over its height


def path(run: Run) -> History:
    """Give the points that are drawn: of a run in batches, those of single steps.

    Parameters
    ----------
    run : Run
        The run.

    Returns
    -------
    History
    """
    single = run.history.batches
    return run.history if single is None or len(single) < len(run.history) else single


def shown(run: Run) -> NDArray[np.bool_]:
    """Tell which points of `path` belong in the picture: of a path that flies off, its beginning.

    Parameters
    ----------
    run : Run
        The run.

    Returns
    -------
    ndarray of bool, shape (k,)
    """
    points = path(run).point
    seen: NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(points), axis=1)
    if run.outcome in (Outcome.DIVERGED, Outcome.LEFT_DOMAIN):
        with np.errstate(over="ignore", invalid="ignore"):
            low, high = _box(points)
            seen &= np.logical_and.reduce((points >= low) & (points <= high), axis=1)
    gone = np.flatnonzero(~seen)
    if len(gone):
        seen[gone[0] :] = False  # a path that comes back is not drawn as if it had never left
    return seen


def _box(path: Vector) -> tuple[Vector, Vector]:
    """Give the box in which a path that flies off is worth seeing."""
    first = path[:1]
    for point in path[1:_FIRST]:
        extent = np.ptp(first, axis=0)
        near = np.abs(point - first).max(axis=0) <= _LEAP * extent
        if not np.isfinite(point).all() or (len(first) > 1 and not (near | (extent == 0)).all()):
            break
        first = np.vstack([first, point])
    extent = np.ptp(first, axis=0)
    # Of two parameters of one size, the one that grows slowly at first, as beside a saddle, gets as much room.
    slow = np.minimum(extent.max(), _SLOW * np.maximum(extent, np.abs(path[0])))
    room = np.maximum((_GROWTH - 1) / 2 * extent, slow)
    return first.min(axis=0) - room, first.max(axis=0) + room


def is_lost(seen: NDArray[np.bool_]) -> bool:
    """Tell whether the path goes on outside the picture.

    Parameters
    ----------
    seen : ndarray of bool, shape (k,)
        What `shown` gave.

    Returns
    -------
    bool
    """
    return not bool(seen[-1])


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
    size = max(abs(low), abs(high))
    if extent == 0:
        extent = size or 1.0
    elif extent < _FLAT * size:
        low, high, extent = low - _FLAT * size / 2, high + _FLAT * size / 2, _FLAT * size
    return min(low - margin * extent, end - beyond * extent), max(high + margin * extent, end + beyond * extent)


def to_scale(x: Range, y: Range) -> tuple[Range, Range, bool]:
    """Widen the narrower of two ranges that are of a like size, so that both axes may have one scale.

    Parameters
    ----------
    x : tuple of float
        The range of the first axis.
    y : tuple of float
        The range of the second.

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
    return _widened(x, _PANEL * height), _widened(y, width / _PANEL), True


def _widened(ends: Range, least: float) -> Range:
    room = max(0.0, least - (ends[1] - ends[0])) / 2
    return ends[0] - room, ends[1] + room


def spell(value: float, extent: float) -> str:
    """Write a coordinate as finely as the picture shows it: a ten-thousandth of its extent.

    Parameters
    ----------
    value : float
        The coordinate.
    extent : float
        The extent of what is drawn along its axis.

    Returns
    -------
    str

    Examples
    --------
    >>> spell(-1.96e-22, 12.0), spell(238.94212918, 0.5)
    ('0', '238.94213')
    """
    if not extent > 0 or not math.isfinite(extent):
        return f"{value:.4g}"
    return f"{round(value, 4 - math.floor(math.log10(extent))) + 0.0:.10g}"
