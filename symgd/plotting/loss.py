"""Any number of parameters: the value and the gradient's norm over the steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from symgd.plotting import marks, motion, style, view

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from symgd.history import History
    from symgd.plotting.view import Vector
    from symgd.run import Run

_MOST = 12  # parameters that are drawn
_NORM = "gradient norm"  # the label of the axes at the right
_LINES = ("-", "--", "-.", ":")
_RUNS: WeakKeyDictionary[Line2D, Run] = WeakKeyDictionary()  # what the values in axes are of
_DECADES = 2.0  # a span from which on an axis is logarithmic


def draw_loss(ax: Axes, run: Run) -> None:
    """Draw the objective's value over the steps, and the gradient's norm on an axis at the right.

    Parameters
    ----------
    ax : Axes
        Where.
    run : Run
        The run.
    """
    history = run.history
    before = [line for line in ax.lines if line.get_gid() == "value"]
    if before:
        _add(ax, run, before)
        return
    if history.batches is not None:
        _draw_batches(ax, history.batches)
    norm_axes = ax.twinx()
    norm_axes.set_label(_NORM)
    (value,) = ax.plot(
        history.step, _finite(history.value), color=style.CURVE, linewidth=2.0, label="value", gid="value"
    )
    (norm,) = norm_axes.plot(
        history.step, _finite(history.gradient_norm), color=style.SECOND, linewidth=0.9, label="gradient norm",
        gid="gradient_norm",
    )  # fmt: skip
    for line in (value, norm):
        motion.grow(line, history.step, np.asarray(line.get_xydata()), head=line is value)
    ax.set_zorder(norm_axes.get_zorder() + 1)
    ax.patch.set_visible(False)  # or the curve on the axes below would be hidden
    _choose_scale(ax, history.value)
    _choose_scale(norm_axes, history.gradient_norm)
    theory = _draw_theory(norm_axes, run)
    style.name_axes(ax, "step", "f")
    norm_axes.set_ylabel("gradient norm", color=style.SECOND)
    norm_axes.tick_params(axis="y", labelcolor=style.SECOND)
    ax.set_xlim(0, max(int(history.step[-1]), 1))
    ax.grid(visible=True, color="0.92", linewidth=0.7)
    step = history.step.astype(np.float64)
    value.set_label("value" if history.batches is None else "value, of all rows")
    noisy = [line for line in ax.lines if line.get_gid() == "batches"]
    style.put_legend(ax, step, _finite(history.value), handles=[value, *noisy, norm, *theory])
    _RUNS[value] = run


def count(ax: Axes) -> int:
    """Count the runs whose values axes show."""
    return sum(line.get_gid() == "value" for line in ax.lines)


def _add(ax: Axes, run: Run, before: list[Line2D]) -> None:
    """Draw the values of a further run; of several, the gradients' norms would be too much."""
    for other in list(ax.get_shared_x_axes().get_siblings(ax)):
        if other.get_label() == _NORM:
            other.remove()
    for place, line in enumerate(before):
        line.set(color=style.SERIES[place % len(style.SERIES)], linestyle=_LINES[place % len(_LINES)])
        line.set_label(marks.named(_RUNS[line]) if line in _RUNS else line.get_label())
    steps, values = run.history.step, _finite(run.history.value)
    look: dict[str, Any] = {"color": style.SERIES[len(before) % len(style.SERIES)],
                            "linestyle": _LINES[len(before) % len(_LINES)]}  # fmt: skip
    (line,) = ax.plot(steps, values, linewidth=2.0, label=marks.named(run), gid="value", **look)
    motion.grow(line, steps, np.asarray(line.get_xydata()), head=True)
    _RUNS[line] = run
    every = np.concatenate([np.asarray(one.get_ydata(), dtype=np.float64) for one in (*before, line)])
    ax.set_yscale("linear")
    _choose_scale(ax, every)
    ax.set_xlim(0, max(int(steps[-1]), ax.get_xlim()[1]))
    ax.relim()
    ax.autoscale_view(scalex=False)
    style.put_legend(ax, steps.astype(np.float64), values, handles=[*before, line])


def _draw_batches(ax: Axes, single: History) -> None:
    """Draw what each step saw of the value: that of its own rows, where it began."""
    step, value = single.step[1:] - 1, _finite(single.value[1:])
    ax.plot(step, value, linestyle="", marker=".", markersize=3, color=style.BATCH, label="value, rows of a step",
            gid="batches", zorder=1)  # fmt: skip


def draw_parameters(ax: Axes, run: Run) -> None:
    """Draw each number of the parameters over the steps.

    Parameters
    ----------
    ax : Axes
        Where.
    run : Run
        The run, whose path was kept.
    """
    trail = view.path(run)
    seen = view.shown(run)
    for place, name in enumerate(trail.names[:_MOST]):
        look: dict[str, Any] = {"color": style.SERIES[place % len(style.SERIES)],
                                "linestyle": _LINES[place // len(style.SERIES) % len(_LINES)]}  # fmt: skip
        steps, values = trail.step[seen], trail.point[seen, place]
        (line,) = ax.plot(steps, values, linewidth=1.6, label=name, gid=f"parameter {name}", **look)
        motion.grow(line, steps, np.column_stack([steps, values]))
    ax.set_xlim(0, max(int(trail.step[seen][-1]), 1))
    ax.grid(visible=True, color="0.92", linewidth=0.7)
    more = len(trail.names) - _MOST
    style.name_axes(ax, "step", "parameters" if more <= 0 else f"the first {_MOST} of {len(trail.names):,} parameters")
    style.put_legend(ax, trail.step[seen].astype(np.float64), trail.point[seen, 0])


def _draw_theory(ax: Axes, run: Run) -> list[Line2D]:
    """Draw the rate that theory gives at the minimum, through the gradient's norm in the middle of the run."""
    rate, history = run.predicted_rate, run.history
    usable = np.flatnonzero(np.isfinite(history.gradient_norm) & (history.gradient_norm > 0))
    if rate is None or not rate > 0 or len(usable) < 3 or ax.get_yscale() != "log":
        return []
    middle = usable[len(usable) // 2]
    step = history.step.astype(np.float64)
    logs = np.log(history.gradient_norm[middle]) + (step - step[middle]) * np.log(rate)
    low, high = ax.get_ylim()
    inside = (logs > np.log(low)) & (logs < np.log(high))
    look: dict[str, Any] = {"color": style.PATH, "linewidth": 1.2, "linestyle": "--", "gid": "theory"}
    return list(ax.plot(step[inside], np.exp(logs[inside]), label=f"theory: {rate:.4g} a step", **look))


def _finite(values: Vector) -> Vector:
    return np.where(np.isfinite(values), values, np.nan)


def _choose_scale(ax: Axes, values: Vector) -> None:
    seen = values[np.isfinite(values)]
    if not len(seen):
        return
    positive = seen[seen > 0]
    largest = float(np.abs(seen).max())
    if (seen >= 0).all() and len(positive) and largest > 10**_DECADES * float(positive.min()):
        ax.set_yscale("log", nonpositive="mask")
    elif largest > 1e6 * max(abs(float(seen[0])), 1.0):
        ax.set_yscale("symlog", linthresh=max(abs(float(seen[0])), 1.0))
