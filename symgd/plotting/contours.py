"""Two parameters: the landscape as contours, with the path on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps

from symgd.plotting import marks, style, view, window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.contour import QuadContourSet

    from symgd.plotting.frame import Frame
    from symgd.plotting.view import Range, Vector
    from symgd.run import Run

_LEVELS = 13
_STEEP = 300.0  # when the high ground is so many times as high as the low, levels are spaced by factors


def levels(heights: Vector, best: float) -> Vector:
    """Choose the heights of contours.

    Parameters
    ----------
    heights : ndarray
        The objective on a grid, above its best value; nan where it has none.
    best : float
        The best value known, which must lie below the first contour.

    Returns
    -------
    ndarray
        Rising heights, none when the landscape is flat.
    """
    above = heights[np.isfinite(heights)] - best
    above = above[above > 0]
    if not len(above):
        return np.array([])
    low, middle, top = np.quantile(above, [0.005, 0.1, 0.97])
    if not top > 1e-13 * max(abs(best), 1e-300):
        return np.array([])
    if top > _STEEP * low and top > _STEEP / 6 * middle:
        rising = np.geomspace(max(low, 1e-6 * top), top, _LEVELS)
    else:
        rising = top * (np.arange(1, _LEVELS + 1) / _LEVELS) ** 2  # on a quadratic, contours at equal distances
    chosen: Vector = np.unique(best + rising)
    return chosen


def draw_landscape(
    ax: Axes, frame: Frame, x: Range, y: Range, *, best: float | None = None, maximized: bool = False
) -> QuadContourSet | None:
    """Draw the contours of an objective over two coordinates, darker where it is better.

    Parameters
    ----------
    ax : Axes
        Where; a landscape that is there is replaced.
    frame : Frame
        The objective and the coordinates.
    x : tuple of float
        The range of the first coordinate.
    y : tuple of float
        The range of the second.
    best : float, optional
        The best value known, if the grid may miss it.
    maximized : bool
        Whether high is good.

    Returns
    -------
    QuadContourSet or None
        The contours; none where the objective has one value, or no value, all over the picture.
    """
    for old in landscape(ax):
        old.remove()
    count = frame.side
    across, up = np.meshgrid(np.linspace(*x, count), np.linspace(*y, count))
    sign = -1.0 if maximized else 1.0
    heights = sign * frame.heights(across, up)
    ax.set_xlim(*x)
    ax.set_ylim(*y)
    style.name_axes(ax, frame.labels[0], frame.labels[1])
    ax.set_facecolor("0.88")  # seen where the objective has no value
    if not np.isfinite(heights).any():
        return None
    lowest = float(np.nanmin(heights))
    lowest = lowest if best is None else min(lowest, sign * best)
    return _contours(ax, (across, up, np.ma.masked_invalid(heights)), levels(heights, lowest), sign)


def landscape(ax: Axes) -> list[Any]:
    """Give the contours that axes show."""
    return [artist for artist in ax.collections if artist.get_gid() == "landscape"]


def _contours(ax: Axes, surface: tuple[Vector, Vector, Vector], chosen: Vector, sign: float) -> QuadContourSet | None:
    if len(chosen) < 2:
        return None
    shades = colormaps[style.LANDSCAPE](np.linspace(0.28, 0.97, len(chosen) + 1))
    reach = float(chosen[-1] - chosen[0])
    low = min(float(surface[2].min()), float(chosen[0])) - reach
    high = max(float(surface[2].max()), float(chosen[-1])) + reach
    bands = ax.contourf(*surface, [low, *chosen, high], colors=list(shades), zorder=0)
    lines: QuadContourSet = ax.contour(*surface, chosen, colors="white", linewidths=0.8, linestyles="solid", zorder=1)
    for artist in (bands, lines):
        artist.set_gid("landscape")
    marked = chosen[3::3]  # the innermost lie too close for a label
    for text in ax.clabel(lines, marked, fontsize=7, fmt=lambda height: _three_digits(sign * height), colors="0.15"):
        text.set_parse_math(False)
    return lines


def _three_digits(height: float) -> str:
    return f"{float(f'{height:.3g}'):g}"


def draw_path(ax: Axes, run: Run, frame: Frame, ranges: Mapping[str, Range] | None = None) -> None:
    """Draw the landscape and the path of a run on it; on a landscape that is there, the path alone.

    Parameters
    ----------
    ax : Axes
        Where.
    run : Run
        The run.
    frame : Frame
        The objective and the coordinates.
    ranges : mapping of str to tuple of float, optional
        From where to where, by parameter.
    """
    seen = view.shown(run)
    trail = view.path(run)
    path, values = frame.project(trail.point[seen]), run.history.value
    chosen, same = window.of_run(run, frame, ranges)
    there = marks.count(ax) > 0
    if there and not ranges:
        before = [ax.get_xlim(), ax.get_ylim()]
        both = window.union([before, chosen])
        # A path that lies in the picture is drawn on the landscape as it is.
        chosen = before if window.holds(before, path) else both
    if not there or chosen != [ax.get_xlim(), ax.get_ylim()]:
        values = values[np.isfinite(values)]
        best = None if not len(values) else float(values.max() if run.maximized else values.min())
        draw_landscape(ax, frame, chosen[0], chosen[1], best=best, maximized=run.maximized)
        ax.set_aspect("equal" if same else "auto", adjustable="box")
    marks.draw(ax, run, path, trail.step[seen], last_value=float(trail.value[seen][-1]), spelt=frame.plain)
    style.put_legend(ax, *path.T)
