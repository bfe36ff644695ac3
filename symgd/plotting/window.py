"""From where to where a landscape is drawn: path, start and end inside, and a better minimum nearby not cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from symgd.plotting import frame as frames
from symgd.plotting import view

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from symgd.plotting.frame import Frame
    from symgd.plotting.view import Range, Vector
    from symgd.run import Run

_LOOKED_AT = (0, 401, 61)  # places along each axis that are looked at for a better minimum, by the number of axes
_NEAR = 1.0  # widths of the window at each side that are looked at
_LOWER = 0.02  # of the heights that the path went through, by which a minimum must be lower to be worth the room
_ROOM = 0.12  # of the window's width, around what is taken in


def of_run(run: Run, frame: Frame, ranges: Mapping[str, Range] | None = None) -> tuple[list[Range], bool]:
    """Choose the window for a run.

    Parameters
    ----------
    run : Run
        The run.
    frame : Frame
        The coordinates.
    ranges : mapping of str to tuple of float, optional
        What was asked for, by parameter.

    Returns
    -------
    window : list of tuple of float
        For each axis, from where to where.
    same : bool
        Whether one scale suits all axes.
    """
    asked = frames.ranges_of(frame, ranges)
    seen = view.shown(run)
    lost = view.is_lost(seen)
    path = frame.project(view.path(run).point[seen])
    one = path.shape[1] == 1
    margin = (0.2 if lost else 0.6) if one else 0.16
    beyond = margin * 5 / 3 if one else 0.2 if lost else 0.42
    window = [view.around(path[:, i], float(path[-1, i]), margin, beyond) for i in range(path.shape[1])]
    if not lost and not any(asked):
        window = with_better(frame, window, run)
    window = [chosen or own for chosen, own in zip(asked, window, strict=True)]
    if one:
        return window, False
    x, y, same = view.to_scale(window[0], window[1])
    free = not any(asked)
    return [x, y] if free else window, same and frame.plain


def with_better(frame: Frame, window: list[Range], run: Run) -> list[Range]:
    """Widen a window to a minimum nearby that is better than where the run ended.

    Parameters
    ----------
    frame : Frame
        The coordinates.
    window : list of tuple of float
        The window.
    run : Run
        The run.

    Returns
    -------
    list of tuple of float
    """
    sign = -1.0 if run.maximized else 1.0
    values = sign * run.history.value[np.isfinite(run.history.value)]
    count = min(frame.side, _LOOKED_AT[len(window)])
    if count == 0 or not len(values):
        return window
    wide = [(low - _NEAR * (high - low), high + _NEAR * (high - low)) for low, high in window]
    axes = [np.linspace(*ends, count) for ends in wide]
    heights = sign * frame.heights(*np.meshgrid(*axes, indexing="ij"))
    place = _lowest(heights)
    if place is None:
        return window
    point = [float(axis[i]) for axis, i in zip(axes, place, strict=True)]
    inside = all(low <= v <= high for v, (low, high) in zip(point, window, strict=True))
    enough = float(values.min()) - _LOWER * float(np.ptp(values))
    steps = [float(axis[1] - axis[0]) for axis in axes]
    if inside or not heights[place] < enough or _is_pole(frame, point, steps, heights, place, sign):
        return window
    return [
        (min(low, v - _ROOM * (high - low)), max(high, v + _ROOM * (high - low)))
        for v, (low, high) in zip(point, window, strict=True)
    ]


def _lowest(heights: Vector) -> tuple[int, ...] | None:
    """Give the lowest place, unless it lies on the edge: there, the way down goes on, and there is no minimum."""
    if not np.isfinite(heights).any():
        return None
    place = tuple(int(i) for i in np.unravel_index(int(np.nanargmin(heights)), heights.shape))
    return place if all(0 < i < n - 1 for i, n in zip(place, heights.shape, strict=True)) else None


def _is_pole(
    frame: Frame, point: list[float], steps: list[float], heights: Vector, place: tuple[int, ...], sign: float
) -> bool:
    """Tell whether the place is no minimum, but lies beside a pole: looked at closely, it goes far down."""
    around = heights[tuple(slice(i - 1, i + 2) for i in place)]
    if not np.isfinite(around).all():
        return True
    close = [np.linspace(v - step, v + step, 17) for v, step in zip(point, steps, strict=True)]
    fine = sign * frame.heights(*np.meshgrid(*close, indexing="ij"))
    here = float(heights[place])
    return bool(not np.isfinite(fine).all() or here - float(fine.min()) > float(around.max()) - here)


def union(windows: list[list[Range]]) -> list[Range]:
    """Give the window that holds several.

    Parameters
    ----------
    windows : list of list of tuple of float
        The windows, at least one.

    Returns
    -------
    list of tuple of float
    """
    return [(min(low for low, _ in axis), max(high for _, high in axis)) for axis in zip(*windows, strict=True)]


def holds(window: list[Range], path: Vector) -> bool:
    """Tell whether all points lie in a window.

    Parameters
    ----------
    window : list of tuple of float
        The window.
    path : ndarray, shape (m, k)
        The points.

    Returns
    -------
    bool
    """
    return all(
        low <= float(column.min()) and float(column.max()) <= high
        for column, (low, high) in zip(path.T, window, strict=True)
    )


def leaving(path: Vector, window: list[Range]) -> tuple[int, NDArray[np.float64]] | None:
    """Tell where a path leaves a window for good.

    Parameters
    ----------
    path : ndarray, shape (m, k)
        The points.
    window : list of tuple of float
        For each axis, from where to where.

    Returns
    -------
    place : int
        The last point inside.
    crossing : ndarray, shape (k,)
        Where the next step crosses the edge. ``None`` for a path that ends inside, or never was.
    """
    low, high = (np.array(ends) for ends in zip(*window, strict=True))
    inside = np.logical_and.reduce((path >= low) & (path <= high), axis=1)
    if not inside.any() or inside[-1] or not np.isfinite(path).all():
        return None
    place = int(np.flatnonzero(inside)[-1])
    here, step = path[place], path[place + 1] - path[place]
    with np.errstate(all="ignore"):
        edge = np.where(step > 0, high, low)
        shares = np.where(step != 0, (edge - here) / step, np.inf)
    return place, here + float(np.clip(shares.min(), 0.0, 1.0)) * step
