"""Two parameters: the landscape as contours, with the path on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib import colormaps

from symgd.plotting import grid, style, view

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.contour import QuadContourSet
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
    x : tuple of float
        The range of its first parameter.
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
    first, second = objective.names
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
    lowest = lowest if best is None else min(lowest, sign * best)
    return _contours(ax, (across, up, np.ma.masked_invalid(heights)), levels(heights, lowest), sign)


def _contours(ax: Axes, surface: tuple[Vector, Vector, Vector], chosen: Vector, sign: float) -> QuadContourSet | None:
    if len(chosen) < 2:
        return None
    shades = colormaps[style.LANDSCAPE](np.linspace(0.28, 0.97, len(chosen) + 1))
    reach = float(chosen[-1] - chosen[0])
    low = min(float(surface[2].min()), float(chosen[0])) - reach
    high = max(float(surface[2].max()), float(chosen[-1])) + reach
    ax.contourf(*surface, [low, *chosen, high], colors=list(shades), zorder=0)
    lines: QuadContourSet = ax.contour(*surface, chosen, colors="white", linewidths=0.8, linestyles="solid", zorder=1)
    marked = chosen[3::3]  # the innermost lie too close for a label
    for text in ax.clabel(lines, marked, fontsize=7, fmt=lambda height: _three_digits(sign * height), colors="0.15"):
        text.set_parse_math(False)
    return lines


def _three_digits(height: float) -> str:
    return f"{float(f'{height:.3g}'):g}"


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
    seen = view.shown(run)
    path, values = run.history.point[seen], run.history.value[seen]
    beyond = 0.2 if view.is_lost(seen) else 0.42
    x, y, same = view.to_scale(*(view.around(path[:, i], float(path[-1, i]), beyond=beyond) for i in (0, 1)))
    values = values[np.isfinite(values)]
    best = None if not len(values) else float(values.max() if run.maximized else values.min())
    draw_landscape(ax, objective, x, y, best=best, maximized=run.maximized)
    if same:
        ax.set_aspect("equal", adjustable="box")
    ax.plot(*path.T, color=style.PATH, marker="o", label="steps", zorder=3, gid="path", **style.strokes(len(path)))
    _mark_ends(ax, run, seen)
    style.put_legend(ax, *path.T)


def _mark_ends(ax: Axes, run: Run, seen: NDArray[np.bool_]) -> None:
    history = run.history
    last = int(np.flatnonzero(seen)[-1])
    start, here = history.point[0], history.point[last]
    mark, name, label = style.LOST, "lost", f"leaves the picture after step {history.step[last]:,}"
    if not view.is_lost(seen):
        label = f"f is not finite at {_spell(ax, here)}"
        if np.isfinite(history.value[last]):
            mark, name, label = style.END, "end", f"end {_spell(ax, here)}"
    ax.plot(*start, linestyle="", label=f"start {_spell(ax, start)}", zorder=5, gid="start", **style.START)
    ax.plot(*here, linestyle="", label=label, zorder=5, gid=name, **mark)


def _spell(ax: Axes, point: Vector) -> str:
    extents = (float(np.ptp(limits)) for limits in (ax.get_xlim(), ax.get_ylim()))
    return "(" + ", ".join(view.spell(v, extent) for v, extent in zip(point.tolist(), extents, strict=True)) + ")"
