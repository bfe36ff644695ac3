"""One parameter: the curve of the objective, with the steps on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from symgd.plotting import grid, style, view

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from symgd.objective import Objective
    from symgd.plotting.view import Range, Vector
    from symgd.run import Run


def draw_curve(ax: Axes, objective: Objective, ends: Range) -> Vector:
    """Draw the objective over a range of its only parameter.

    Parameters
    ----------
    ax : Axes
        Where.
    objective : Objective
        The objective.
    ends : tuple of float
        The range.

    Returns
    -------
    ndarray
        Its values there, nan where it has none.
    """
    (name,) = objective.names
    x = np.linspace(*ends, grid.side(objective, 1))
    y = grid.values(objective, {name: x})
    ax.plot(x, y, color=style.CURVE, linewidth=1.8, label="f", zorder=2, gid="curve")
    ax.set_xlim(*ends)
    style.name_axes(ax, name, "f")
    return y


def draw_steps(ax: Axes, run: Run, objective: Objective) -> None:
    """Draw the curve and the path of a run along it.

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
    x, f = run.history.point[seen, 0], run.history.value[seen]
    margin = 0.2 if view.is_lost(seen) else 0.6
    ends = view.around(x, float(x[-1]), margin=margin, beyond=margin * 5 / 3)
    curve = draw_curve(ax, objective, ends)
    ax.plot(x, f, color=style.PATH, marker="o", label="steps", zorder=3, gid="path", **style.strokes(len(x)))
    _mark_ends(ax, run, seen)
    between = np.linspace(*ends, len(curve))
    choose_height(ax, curve[(between >= x.min()) & (between <= x.max())], f)
    style.put_legend(ax, np.concatenate([x[:1], between, x]), np.concatenate([f[:1], curve, f]))


def _mark_ends(ax: Axes, run: Run, seen: NDArray[np.bool_]) -> None:
    history = run.history
    x, f = history.point[:, 0], history.value
    extent = float(np.ptp(ax.get_xlim()))
    last = int(np.flatnonzero(seen)[-1])
    label = f"start {view.spell(x[0], extent)}"
    ax.plot(x[:1], f[:1], linestyle="", label=label, zorder=5, gid="start", **style.START)
    if view.is_lost(seen):
        label = f"leaves the picture after step {history.step[last]:,}"
        ax.plot(x[[last]], f[[last]], linestyle="", label=label, zorder=5, gid="lost", **style.LOST)
    elif np.isfinite(f[last]):
        label = f"end {view.spell(x[last], extent)}"
        ax.plot(x[[last]], f[[last]], linestyle="", label=label, zorder=5, gid="end", **style.END)
    else:
        label = f"f is not finite at {view.spell(x[last], extent)}"
        ax.axvline(x[last], color=style.PATH, linestyle=":", linewidth=1.4, label=label, gid="lost")


def choose_height(ax: Axes, below: Vector, path: Vector) -> None:
    """Cut off where the curve leaves the path far behind: at a pole, the path would be a flat line at the bottom.

    Parameters
    ----------
    ax : Axes
        Where the curve is drawn.
    below : ndarray
        The curve's values under the path.
    path : ndarray
        The path's values.
    """
    (line,) = (line for line in ax.lines if line.get_gid() == "curve")
    curve = np.asarray(line.get_ydata(), dtype=np.float64)
    drawn = curve[np.isfinite(curve)]
    # The curve under the path belongs in the picture too, but for the last percents, where there may be a pole.
    inner: Any = np.quantile(below[np.isfinite(below)], [0.02, 0.98]) if np.isfinite(below).any() else []
    must = np.array([*path[np.isfinite(path)], *inner])
    if not len(must) or not len(drawn):
        return
    low, high = float(must.min()), float(must.max())
    extent = (high - low) or float(np.ptp(drawn)) or 1.0
    bottom, top = min(low, max(float(drawn.min()), low - extent)), max(high, min(float(drawn.max()), high + extent))
    room = 0.06 * ((top - bottom) or 1.0)
    ax.set_ylim(bottom - room, top + room)
    # Through a pole there is no line: not from below the picture to above it in one step.
    beyond = np.sign(curve - top) + np.sign(curve - bottom)
    line.set_ydata(np.where(np.abs(np.diff(beyond, prepend=beyond[:1])) == 4, np.nan, curve))
