"""Any number of parameters: the value and the gradient's norm over the steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from symgd.plotting import motion, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from symgd.plotting.view import Vector
    from symgd.run import Run

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
    norm_axes = ax.twinx()
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
    style.put_legend(ax, step, _finite(history.value), handles=[value, norm, *theory])


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
