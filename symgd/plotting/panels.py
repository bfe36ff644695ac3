"""Several runs side by side, over one window, each panel named by what the run shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from symgd.errors import UsageError, safe
from symgd.plotting import contours, curves, frame, grid, local, loss, marks, style, surface, view, window
from symgd.run import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from symgd.objective import Objective
    from symgd.plotting.view import Range
    from symgd.run import Run

KINDS = ("auto", "path", "surface", "loss")
_NAMED = 8  # runs of one picture that the legend has room for
_TURNS = 0.5  # a share of steps that turn back, from which on a run oscillates
# Findings that have a word of their own; what else is found is called as it is.
_WORDS = {
    "diverged": "diverging", "unbounded": "unbounded", "unstable": "oscillating", "flips": "oscillating",
    "zigzag": "oscillating", "crawling": "slow", "unfinished": "slow", "left_domain": "leaves the domain",
    "hovering": "hovering", "local_minimum": "local minimum",
}  # fmt: skip


def word(run: Run) -> str:
    """Name a run by what it shows: its first finding, else how it moves, and good where there is nothing to say.

    Parameters
    ----------
    run : Run
        The run.

    Returns
    -------
    str
    """
    if run.outcome == Outcome.DIVERGED:
        return _WORDS["diverged"]
    found = next(iter(run.diagnosis), None)
    if found is not None:
        return _WORDS.get(found.code, found.code.replace("_", " "))
    if _turns(run) > _TURNS:
        return "oscillating"
    return "good" if run.ok or run.outcome == Outcome.MAX_STEPS else str(run.kind).replace("_", " ")


def _turns(run: Run) -> float:
    """Give the share of the steps that go back against the one before."""
    path = run.history.point
    if len(path) < 4 or not path.shape[1] or (np.diff(run.history.step) != 1).any():
        return 0.0
    steps = np.diff(path, axis=0)
    with np.errstate(all="ignore"):
        along = (steps[1:] * steps[:-1]).sum(axis=1)
    return float(np.mean(along < 0))


def shared(runs: Sequence[Run], objective: Objective) -> dict[str, Range]:
    """Give ranges in which all paths can be compared: those that leave set none, unless all do.

    Parameters
    ----------
    runs : sequence of Run
        The runs, of one or two parameters.
    objective : Objective
        What they descend on.

    Returns
    -------
    dict of str to tuple of float
    """
    found = frame.of_parameters(objective)
    staying = [run for run in runs if not view.is_lost(view.shown(run)) and not _rose(run)]
    windows = [window.of_run(run, found)[0] for run in staying or runs]
    # Of paths that fly off, where they start must be seen.
    points = np.array([run.history.point[0] for run in runs])
    both = window.union(windows)
    ends = [
        (min(low, float(column.min())), max(high, float(column.max())))
        for (low, high), column in zip(both, points.T, strict=True)
    ]
    return dict(zip(found.labels, ends, strict=True))


def _rose(run: Run) -> bool:
    """Tell whether a run ended worse than it began: whatever was asked of it, it is on its way out."""
    values = -run.history.value if run.maximized else run.history.value
    return not values[-1] <= values[0]


def draw(
    axes: Sequence[Axes], runs: Sequence[Run], objective: Objective | None, ranges: Mapping[str, Range] | None
) -> None:
    """Draw each run in its panel.

    Parameters
    ----------
    axes : sequence of Axes
        As many as runs.
    runs : sequence of Run
        The runs.
    objective : Objective or None
        What they descend on, where the landscape is drawn; ``None`` for the loss.
    ranges : mapping of str to tuple of float or None
        From where to where; by default so that all are inside.
    """
    if objective is None:
        for ax, run in zip(axes, runs, strict=True):
            loss.draw_loss(ax, run)
        _share_heights(axes)
    else:
        found = frame.of_parameters(objective)
        chosen = {**shared(runs, objective), **(ranges or {})}
        for ax, run in zip(axes, runs, strict=True):
            (curves.draw_steps if len(found.labels) == 1 else contours.draw_path)(ax, run, found, chosen)
        if len(found.labels) == 1:
            _share_heights(axes)
    for ax, run in zip(axes, runs, strict=True):
        legend = ax.get_legend()
        if legend is not None:
            legend.remove()
        style.put_title(ax, word(run), marks.named(run) + f", {run.steps:,} steps")


def _share_heights(axes: Sequence[Axes]) -> None:
    scales = {ax.get_yscale() for ax in axes}
    if len(scales) > 1:
        values = np.concatenate([np.asarray(line.get_ydata(), dtype=np.float64) for ax in axes for line in ax.lines])
        if not (values[np.isfinite(values)] > 0).all():
            return  # of values of both signs, each panel has the axis that suits it
        for ax in axes:
            ax.set_yscale("log", nonpositive="mask")
    limits = [ax.get_ylim() for ax in axes]
    for ax in axes:
        ax.set_ylim(min(low for low, _ in limits), max(high for _, high in limits))


def plot_runs(
    runs: Sequence[Run],
    objective: Objective | None = None,
    figure: Figure | SubFigure | None = None,
    *,
    kind: str = "auto",
    together: bool = False,
    ranges: Mapping[str, Range] | None = None,
    field: bool = False,
) -> list[Axes]:
    """Draw runs of one objective over the same window: side by side, each named by what it shows, or in one picture.

    The name is the first finding of `Run.diagnosis`: slow, oscillating, diverging ..., and good where there is none.

    Parameters
    ----------
    runs : sequence of Run
        The runs, such as those of several learning rates.
    objective : Objective, optional
        What was minimized; by default that of the first run.
    figure : Figure or SubFigure, optional
        An empty figure to draw in; by default a new one.
    kind : str
        ``"path"`` for the landscape with the path, ``"surface"`` for all paths on it beside the surface in three
        dimensions, ``"loss"`` for the values over the steps, ``"auto"`` for the first where it can be drawn.
    together : bool
        Whether all are drawn into one picture, as ``kind="surface"`` does in any case.
    ranges : mapping of str to tuple of float, optional
        From where to where the landscape is drawn, by parameter; by default all paths that stay are inside.
    field : bool
        Whether the gradient is drawn as arrows over the contours.

    Returns
    -------
    list of Axes
        One for each run, or the one that shows all.

    Raises
    ------
    UsageError
        If there are no runs, they are not of one objective, or the paths cannot be drawn.

    Examples
    --------
    >>> from symgd import Objective
    >>> f = Objective("0.2*x1**2 + x2**2")
    >>> axes = plot_runs([f.minimize([9, -3], lr=lr, steps=40) for lr in (0.2, 0.8, 1.05)])
    >>> axes[2].get_title(loc="left")
    'diverging'
    """
    runs = list(runs)
    if not runs:
        raise UsageError("runs is empty; give at least one run")
    if len({(run.formula, run.history.params, len(run.x)) for run in runs}) > 1:
        raise UsageError("the runs are not all of one objective, so that they have no window in common")
    if kind not in KINDS:
        raise UsageError(f"kind={safe(kind)!r} must be one of {', '.join(KINDS)}")
    objective = objective if objective is not None else runs[0].objective
    count = len(runs[0].x)
    drawable = objective is not None and count <= 2 and grid.side(objective, count) > 0
    if kind in ("path", "surface") and not (drawable and (kind == "path" or count == 2)):
        raise UsageError(f"kind='{kind}' is for objectives of {'one or ' if kind == 'path' else ''}two parameters")
    if not drawable or kind == "loss":
        objective = None
    if objective is not None:
        frame.ranges_of(frame.of_parameters(objective), ranges)
    elif ranges:
        raise UsageError("ranges are for the landscape, and the loss is drawn; leave them out")
    if field and (objective is None or count == 1):
        raise UsageError("field=True is for the landscape of two parameters; leave it out")
    if together or kind == "surface":
        return [_draw_together(runs, objective, figure, ranges, surfaced=kind == "surface", field=field)]
    axes = style.new_panels(len(runs), figure)
    draw(axes, runs, objective, ranges)
    if objective is not None and field:
        for ax in axes:
            local.draw_field(ax, frame.of_parameters(objective))
    return axes


def _draw_together(
    runs: Sequence[Run], objective: Objective | None, figure: Figure | SubFigure | None,
    ranges: Mapping[str, Range] | None, *, surfaced: bool, field: bool,
) -> Axes:  # fmt: skip
    """Draw all runs into one picture."""
    width = 11.0 if surfaced else 6.4
    ax: Axes = (style.new_figure(width, 4.8) if figure is None else figure).subplots()
    if objective is None:
        for run in runs:
            loss.draw_loss(ax, run)
    else:
        found = frame.of_parameters(objective)
        chosen = {**shared(runs, objective), **(ranges or {})}
        frame.claim(ax, runs[0].formula, found.field.data)
        for run in runs:
            (curves.draw_steps if len(found.labels) == 1 else contours.draw_path)(ax, run, found, chosen)
        if field:
            local.draw_field(ax, found)
        if surfaced:
            finite = [run.value for run in runs if np.isfinite(run.value)]
            best = (max if runs[0].maximized else min)(finite, default=None)
            surface.draw_surface(ax, found, runs, best=best, maximized=runs[0].maximized)
    names = {marks.named(run) for run in runs}
    legend = ax.get_legend()
    if legend is not None and (len(names) == 1 < len(runs) or len(runs) > _NAMED):
        legend.remove()  # of runs that differ in their starts alone, it would say the same again and again
    steps = sorted({run.steps for run in runs})
    took = f"{steps[0]:,} steps" if len(steps) == 1 else f"{steps[0]:,} to {steps[-1]:,} steps"
    told = f"{len(runs):,} runs · {next(iter(names)) + ' · ' if len(names) == 1 else ''}{took}"
    style.put_title(ax, runs[0].formula, told, style.mathematics(objective or runs[0].objective))
    return ax
