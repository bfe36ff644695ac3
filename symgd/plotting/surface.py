"""The landscape of two parameters in three dimensions, beside the view from above."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import BoundaryNorm, LightSource, ListedColormap

from symgd.plotting import contours, motion, style, view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from symgd.plotting.frame import Frame
    from symgd.plotting.view import Vector
    from symgd.run import Run

_SIDE = 81  # places along each axis
_DARKEST, _STEEP = 0.7, 30.0  # how far shades go, and how steep hills look to the light
_LIFTED = 0.012  # of the heights, by which a path lies above the surface, so that it is seen


def draw_surface(
    ax: Axes, frame: Frame, runs: Sequence[Run], *, best: float | None = None, maximized: bool = False
) -> Axes:
    """Draw the surface over the window that axes show, at their right, with the paths of runs on it.

    Parameters
    ----------
    ax : Axes
        The view from above, drawn already; it keeps the left half of its place.
    frame : Frame
        The objective and its two coordinates.
    runs : sequence of Run
        The runs.
    best : float, optional
        The best value known.
    maximized : bool
        Whether high is good.

    Returns
    -------
    Axes
        Those of the surface.
    """
    _, beside = style.side_by_side(ax, projection="3d", label="surface")
    view3d: Any = beside
    x, y = ax.get_xlim(), ax.get_ylim()
    across, up = np.meshgrid(np.linspace(*x, _SIDE), np.linspace(*y, _SIDE))
    heights = frame.heights(across, up)
    sign = -1.0 if maximized else 1.0
    lowest = float(np.nanmin(sign * heights)) if np.isfinite(heights).any() else 0.0
    lowest = lowest if best is None else min(lowest, sign * best)
    chosen = contours.levels(sign * heights, lowest)
    view3d.computed_zorder = False  # or paths would vanish behind the surface that they lie on
    if len(chosen) > 1:
        bottom, top = lowest, float(chosen[-1])
        room = 0.02 * (top - bottom)
        shown = sign * np.clip(sign * heights, bottom, top + room)
        edges = [bottom - room, *chosen, top + 2 * room]
        shades = ListedColormap(colormaps[style.LANDSCAPE](np.linspace(0.28, 0.97, len(chosen) + 1)))
        colours = shades(BoundaryNorm(edges, len(edges) - 1)(sign * shown))
        # Matplotlib's own shading turns the colours of the bands grey.
        steep = _STEEP / (top - bottom)
        light = LightSource(300, 50).hillshade(np.nan_to_num(shown) * steep)
        colours[..., :3] *= (_DARKEST + (1 - _DARKEST) * light)[..., None]
        view3d.plot_surface(across, up, shown, facecolors=colours, rcount=_SIDE, ccount=_SIDE, linewidth=0,
                            antialiased=False, shade=False, zorder=1)  # fmt: skip
        ends = sorted((sign * bottom, sign * (top + room)))
        view3d.set_zlim(*ends)
        for place, run in enumerate(runs):
            _draw_path(view3d, frame, run, style.SERIES[place % len(style.SERIES)], (ends[0], ends[1]), (x, y))
    view3d.set(xlim=x, ylim=y)
    view3d.set_xlabel(frame.labels[0], parse_math=False, fontsize=8 if "\n" in frame.labels[0] else 10)
    view3d.set_ylabel(frame.labels[1], parse_math=False, fontsize=8 if "\n" in frame.labels[1] else 10)
    view3d.set_zlabel("f", parse_math=False)
    view3d.view_init(elev=38, azim=-60)
    view3d.set_box_aspect(None, zoom=0.95)
    return beside


def _draw_path(
    ax: Any, frame: Frame, run: Run, colour: str, ends: tuple[float, float], window: tuple[view.Range, view.Range]
) -> None:
    seen = view.shown(run)
    trail = view.path(run)
    path = frame.project(trail.point[seen])
    inside = np.logical_and.reduce([(low <= p) & (p <= high) for p, (low, high) in zip(path.T, window, strict=True)])
    count = len(path) if inside.all() else int(np.argmin(inside))
    if count == 0:
        return
    path, steps = path[:count], trail.step[seen][:count]
    lift = _LIFTED * (ends[1] - ends[0])
    z = np.clip(frame.heights(*path.T), ends[0], ends[1]) + lift
    points: Vector = np.column_stack([path, z])
    look = style.strokes(len(points))
    (line,) = ax.plot(*points.T, color=colour, marker="o", zorder=5, gid="path", **{**look, "linewidth": 1.8})
    motion.grow(line, steps, points, head=True)
    ax.plot(*([v] for v in points[0]), linestyle="", zorder=6, gid="start", **{**style.START, "color": colour})
    if inside.all() and np.isfinite(points[-1]).all():
        (end,) = ax.plot(
            *([v] for v in points[-1]), linestyle="", zorder=6, gid="end", **{**style.END, "color": colour}
        )
        motion.appear(end, int(steps[-1]))
