"""Two parameters: the landscape as contours, with the path on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib import colormaps
from matplotlib.contour import QuadContourSet

from symgd.plotting import grid, style, view

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from symgd.objective import Objective
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
    ax: Axes, objective: Objective, x: Range, y: Range, *, best: float | None = None, maximized: bool = False
) -> QuadContourSet | None:
    """Draw the contours of an objective of two parameters, darker where it is better.

    Parameters
    ----------
    ax : Axes
        Where.
    objective : Objective
        The objective.
    x, y : tuple of float
        The ranges of its parameters.
    best : float, optional
        The best value known, if the grid may miss it.
    maximized : bool
        Whether high is good.

    Returns
    -------
    QuadContourSet or None
        The contours; none where the objective has one value, or no value, all over the picture.
    """
    first, second = objective.params
    count = grid.side(objective, 2)
    across, up = np.meshgrid(np.linspace(*x, count), np.linspace(*y, count))
    sign = -1.0 if maximized else 1.0
    heights = sign * grid.values(objective, {first: across, second: up})
    ax.set_xlim(*x)
    ax.set_ylim(*y)
    style.name_axes(ax, first, second)
    ax.set_facecolor("0.88")  # seen where the objective has no value
    if not np.isfinite(heights).any():
        return None
    lowest = float(np.nanmin(heights))
    lowest = lowest if best is None or not np.isfinite(best) else min(lowest, sign * best)
    return _contours(ax, across, up, heights, levels(heights, lowest), sign)


def _contours(
    ax: Axes, across: Vector, up: Vector, heights: Vector, chosen: Vector, sign: float
) -> QuadContourSet | None:
    if len(chosen) < 2:
        return None
    hollow = np.ma.masked_invalid(heights)
    shades = colormaps[style.LANDSCAPE](np.linspace(0.28, 0.97, len(chosen) + 1))
    reach = float(chosen[-1] - chosen[0])
    low = min(float(hollow.min()), float(chosen[0])) - reach
    high = max(float(hollow.max()), float(chosen[-1])) + reach
    ax.contourf(across, up, hollow, [low, *chosen, high], colors=list(shades), zorder=0)
    lines: QuadContourSet = ax.contour(across, up, hollow, chosen, colors="white", linewidths=0.8, alpha=0.9, zorder=1)
    marked = chosen[1::3]
    for text in ax.clabel(lines, marked, fontsize=7, fmt=lambda height: f"{sign * height:.3g}", colors="0.15"):
        text.set_parse_math(False)
    return lines


def draw_path(ax: Axes, run: Run, objective: Objective) -> None:
    """Draw the landscape and the path of a run on it.

    Parameters
    ----------
    ax : Axes
        Where.
    run : Run
        The run.
    objective : Objective
        The objective.
    """
    history = run.history
    seen = view.shown(run)
    path = history.point[seen]
    x, y = (view.around(path[:, i], float(path[-1, i])) for i in (0, 1))
    x, y, same = view.to_scale(x, y)
    values = history.value[seen]
    values = values[np.isfinite(values)]
    best = None if not len(values) else float(values.max() if run.maximized else values.min())
    draw_landscape(ax, objective, x, y, best=best, maximized=run.maximized)
    if same:
        ax.set_aspect("equal", adjustable="datalim")
    few = len(path) <= style.FEW
    ax.plot(
        path[:, 0], path[:, 1], color=style.PATH, linewidth=1.4 if few else 1.0, marker="o",
        markersize=4 if few else 2, markeredgewidth=0, label="steps", zorder=3, gid="path",
    )  # fmt: skip
    _mark_ends(ax, run, seen)


def _mark_ends(ax: Axes, run: Run, seen: NDArray[np.bool_]) -> None:
    history = run.history
    last = int(np.flatnonzero(seen)[-1])
    here = history.point[last]
    lost = last < len(history) - 1
    label = f"leaves the picture after step {history.step[last]}" if lost else f"end {_pair(here)}"
    ax.plot(
        *history.point[0], linestyle="", label=f"start {_pair(history.point[0])}", zorder=5, gid="start", **style.START
    )
    ax.plot(*here, linestyle="", label=label, zorder=5, gid="lost" if lost else "end", **(style.LOST if lost else style.END))


def _pair(point: Vector) -> str:
    return "(" + ", ".join(f"{v:.3g}" for v in point) + ")"
