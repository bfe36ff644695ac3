"""The path of a run, and the marks at its start and at its end, on a curve as on contours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from symgd.plotting import motion, style, view, window

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation
    from numpy.typing import NDArray

    from symgd.plotting.view import Vector
    from symgd.run import Run

_HIDDEN = 0.03  # of the picture: marks closer to each other cover each other
_RING: dict[str, Any] = {"markersize": 19, "markerfacecolor": "none", "zorder": 6}


def count(ax: Axes) -> int:
    """Count the paths that axes show."""
    return sum(line.get_gid() == "path" for line in ax.lines)


def named(run: Run) -> str:
    """Name a run by what was chosen for it: the method and the learning rate, where there is one."""
    rate = "" if run.lr == "auto" else run.lr if isinstance(run.lr, str) else f"{run.lr:g}"
    batch = "" if run.batch is None else f", batches of {run.batch:,}"
    return run.method + (f", lr = {rate}" if rate else "") + batch


def draw(ax: Axes, run: Run, path: Vector, steps: NDArray[np.int64], *, last_value: float, spelt: bool = True) -> None:
    """Draw a path with its ends; the limits of the axes are settled.

    Parameters
    ----------
    ax : Axes
        Where.
    run : Run
        The run.
    path : ndarray, shape (m, 2)
        The points that are shown.
    steps : ndarray of int, shape (m,)
        Their steps.
    last_value : float
        The objective's value at the last of them.
    spelt : bool
        Whether the legend says where the ends are.
    """
    before = count(ax)
    colour = style.SERIES[before % len(style.SERIES)]
    if before:  # of several paths, the legend has the names alone
        for line in ax.lines:
            if line.get_gid() in ("start", "end", "lost"):
                line.set_label(f"_{line.get_gid()}")
    look = style.strokes(len(path))
    gone = window.leaving(path, [ax.get_xlim(), ax.get_ylim()])
    drawn = path if gone is None else np.vstack([path[: gone[0] + 1], gone[1]])
    (line,) = ax.plot(*drawn.T, color=colour, marker="o", label=named(run), zorder=3, gid="path", **look)
    motion.grow(line, steps if gone is None else steps[: gone[0] + 2], drawn, head=True)
    curve = len(run.x) == 1
    text, mark, gid = _ending(ax, run, path, steps, last_value, gone)
    if gid == "end" and spelt:
        text += f" {spell(ax, path[-1], curve=curve)}"
    first = f"start {spell(ax, path[0], curve=curve)}" if spelt else "start"
    labels = ("_start", f"_{gid}") if before else (first, text)
    last = int(steps[min(len(drawn), len(steps)) - 1])
    _mark(ax, drawn, labels, gid, {**mark, "color": colour}, last)
    if gone is not None:
        motion.appear(_draw_arrow(ax, drawn[-2], drawn[-1], colour), last)


def _ending(
    ax: Axes, run: Run, path: Vector, steps: NDArray[np.int64], last_value: float, gone: tuple[int, Vector] | None
) -> tuple[str, dict[str, Any], str]:
    """Say how the path ends in the picture, and how that is marked."""
    if gone is not None:
        return f"leaves the picture after step {steps[gone[0]]:,}", style.LOST, "lost"
    if steps[-1] < run.history.step[-1]:
        return f"leaves the picture after step {steps[-1]:,}", style.LOST, "lost"
    if not np.isfinite(last_value):
        return f"f is not finite at {spell(ax, path[-1], curve=len(run.x) == 1)}", style.LOST, "lost"
    return "end", style.END, "end"


def _mark(ax: Axes, path: Vector, labels: tuple[str, str], gid: str, mark: dict[str, Any], last: int) -> None:
    start, end = path[0], path[-1]
    extents = np.array([np.ptp(ax.get_xlim()), np.ptp(ax.get_ylim())])
    hidden = bool((np.abs(end - start) < _HIDDEN * extents).all())
    first = {"zorder": 5, **style.START, "color": mark["color"], **(_RING if hidden else {})}
    ax.plot(*start, linestyle="", label=labels[0], gid="start", **first)
    if np.isfinite(end).all():
        (reached,) = ax.plot(*end, linestyle="", label=labels[1], zorder=5, gid=gid, **mark)
    else:  # on a curve, the value is not
        reached = ax.axvline(end[0], linestyle=":", linewidth=1.4, label=labels[1], gid=gid, color=mark["color"])
    motion.appear(reached, last)


def _draw_arrow(ax: Axes, inside: Vector, edge: Vector, colour: str) -> Annotation:
    return ax.annotate(
        "", xy=tuple(edge), xytext=tuple(inside), zorder=4, gid="leaves",
        arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 1.4, "shrinkA": 0, "shrinkB": 0},
    )  # fmt: skip


def spell(ax: Axes, point: Vector, *, curve: bool = False) -> str:
    """Write a point as finely as the picture shows it; on a curve, its parameter alone."""
    extents = [float(np.ptp(limits)) for limits in (ax.get_xlim(), ax.get_ylim())]
    parts = [view.spell(v, extent) for v, extent in zip(point.tolist(), extents, strict=True) if np.isfinite(v)]
    return parts[0] if curve else "(" + ", ".join(parts) + ")"
