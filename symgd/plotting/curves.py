"""One parameter: the curve of the objective, with the steps on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from symgd.plotting import grid, style, view

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
    (name,) = objective.params
    x = np.linspace(*ends, grid.side(objective, 1))
    y = grid.values(objective, {name: x})
    ax.plot(x, y, color=style.CURVE, linewidth=1.8, label="f", zorder=2)
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
    curve = draw_curve(ax, objective, view.around(x, float(x[-1]), margin=0.3, beyond=0.6))
    few = len(x) <= style.FEW
    ax.plot(
        x, f, color=style.PATH, linewidth=1.2 if few else 0.7, marker="o", markersize=4.5 if few else 2.5, label="steps",
        zorder=3, gid="path",
    )  # fmt: skip
    _mark_ends(ax, run, seen)
    _choose_height(ax, curve, f)


def _mark_ends(ax: Axes, run: Run, seen: Vector) -> None:
    history = run.history
    x, f = history.point[:, 0], history.value
    ax.plot(x[:1], f[:1], linestyle="", label=f"start {x[0]:.4g}", zorder=5, gid="start", **style.START)
    last = int(np.flatnonzero(seen)[-1])
    if last < len(history) - 1:
        ax.plot(
            x[last : last + 1], f[last : last + 1], linestyle="", label=f"leaves the picture after step {history.step[last]}",
            zorder=5, gid="lost", **style.LOST,
        )  # fmt: skip
    elif np.isfinite(f[last]):
        ax.plot(x[-1:], f[-1:], linestyle="", label=f"end {x[-1]:.4g}", zorder=5, gid="end", **style.END)
    else:
        ax.axvline(x[last], color=style.PATH, linestyle=":", linewidth=1.2, label=f"f is not finite at {x[last]:.4g}")


def _choose_height(ax: Axes, curve: Vector, path: Vector) -> None:
    """Cut off where the curve leaves the path far behind: at a pole, the path would be a flat line at the bottom."""
    path, curve = path[np.isfinite(path)], curve[np.isfinite(curve)]
    if not len(path) or not len(curve):
        return
    low, high = float(path.min()), float(path.max())
    extent = max(high - low, 0.05 * float(np.ptp(curve)))
    bottom, top = max(float(curve.min()), low - 1.5 * extent), min(float(curve.max()), high + 1.5 * extent)
    bottom, top = min(bottom, low), max(top, high)
    room = 0.07 * ((top - bottom) or 1.0)
    ax.set_ylim(bottom - room, top + room)
