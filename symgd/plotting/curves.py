"""One parameter: the curve of the objective, with the steps on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from symgd.plotting import marks, style, view, window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from symgd.plotting.frame import Frame
    from symgd.plotting.view import Range, Vector
    from symgd.run import Run


def draw_curve(ax: Axes, frame: Frame, ends: Range, again: Line2D | None = None) -> Vector:
    """Draw the objective over a range of its only coordinate.

    Parameters
    ----------
    ax : Axes
        Where.
    frame : Frame
        The objective and the coordinate.
    ends : tuple of float
        The range.
    again : Line2D, optional
        The curve, if it is drawn already and gets another range.

    Returns
    -------
    ndarray
        Its values there, nan where it has none.
    """
    x = np.linspace(*ends, frame.side)
    y = frame.heights(x)
    if again is None:
        ax.plot(x, y, color=style.CURVE, linewidth=1.8, label="f", zorder=2, gid="curve")
    else:
        again.set_data(x, y)
    ax.set_xlim(*ends)
    style.name_axes(ax, frame.labels[0], "f")
    return y


def draw_steps(ax: Axes, run: Run, frame: Frame, ranges: Mapping[str, Range] | None = None) -> None:
    """Draw the curve and the path of a run along it; where a curve is drawn already, it is prolonged to the path.

    Parameters
    ----------
    ax : Axes
        Where.
    run : Run
        The run.
    frame : Frame
        The objective and the coordinate.
    ranges : mapping of str to tuple of float, optional
        From where to where.
    """
    seen = view.shown(run)
    trail = view.path(run)
    x = trail.point[seen, 0]
    f = run.history.value[seen] if trail is run.history else frame.heights(x)
    [ends], _ = window.of_run(run, frame, ranges)
    paths = [np.column_stack([x, f])]
    if marks.count(ax):
        paths += [np.asarray(line.get_xydata()) for line in ax.lines if line.get_gid() == "path"]
        [ends] = [ends] if ranges else window.union([[ax.get_xlim()], [ends]])
    there = [line for line in ax.lines if line.get_gid() == "curve"]
    curve = draw_curve(ax, frame, ends, there[0] if there else None)
    between = np.linspace(*ends, len(curve))
    all_x, all_f = np.concatenate(paths).T
    inside = (all_x >= ends[0]) & (all_x <= ends[1])
    reached = all_x[inside] if inside.any() else np.array(ends)
    below = curve[(between >= reached.min()) & (between <= reached.max())]
    choose_height(ax, below, all_f[inside])
    marks.draw(ax, run, paths[0], trail.step[seen], last_value=float(f[-1]))
    style.put_legend(ax, np.concatenate([x[:1], between, x]), np.concatenate([f[:1], curve, f]))


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
