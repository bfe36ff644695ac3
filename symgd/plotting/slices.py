"""Slices through the ends of runs, one parameter at a time, of several objectives over each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from symgd.errors import UsageError, safe
from symgd.plotting import frame, grid, style, view

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from symgd.plotting.view import Range
    from symgd.run import Run

_MOST = 6  # parameters that are drawn without being named
_PLACES = 201
_LINES = ("-", "--", "-.", ":")
_WIDTH = 1.0  # to either side of an end that stands alone, or the size of the parameter there


def plot_slices(
    runs: Sequence[Run],
    labels: Sequence[str] | None = None,
    figure: Figure | SubFigure | None = None,
    *,
    params: Sequence[str] | None = None,
    ranges: Mapping[str, Range] | None = None,
) -> list[Axes]:
    """Draw the objectives of runs along each parameter, through the points at which the runs ended.

    Objectives of the same parameters lie over each other: the same model on other data, or the same data with another
    loss.

    Parameters
    ----------
    runs : sequence of Run
        The runs.
    labels : sequence of str, optional
        Their names in the legend; by default the formulas.
    figure : Figure or SubFigure, optional
        An empty figure to draw in; by default a new one.
    params : sequence of str, optional
        The parameters, or single numbers of arrays such as ``w[0]``; by default the first six.
    ranges : mapping of str to tuple of float, optional
        From where to where, by parameter; by default around the ends, and where the runs started is inside.

    Returns
    -------
    list of Axes
        One for each parameter.

    Raises
    ------
    UsageError
        If there are no runs, they have other parameters, or an objective is not known.

    Examples
    --------
    >>> from symgd import Objective
    >>> runs = [Objective(f"(x - 1)**2 + {c}*y**2").minimize([0, 1]) for c in (1, 5)]
    >>> [ax.get_xlabel() for ax in plot_slices(runs)]
    ['x', 'y']
    """
    runs = list(runs)
    if not runs:
        raise UsageError("runs is empty; give at least one run")
    if any(run.objective is None for run in runs):
        raise UsageError("slices need the objectives of the runs, and one has none")
    names = list(runs[0].objective.names)
    if any(list(run.objective.names) != names for run in runs):
        raise UsageError("the runs have other parameters, so that their slices have no axis in common")
    if labels is not None and len(labels) != len(runs):
        raise UsageError(f"labels has {len(labels)} names for {len(runs)} runs; give one for each")
    chosen = list(params) if params is not None else names[:_MOST]
    for name in (*chosen, *(ranges or {})):
        if name not in names:
            raise UsageError(f"'{safe(name)}' is no parameter of the runs; they are {', '.join(names[:20])}")
    if not chosen:
        raise UsageError("params is empty; give at least one parameter")
    axes = style.new_panels(len(chosen), figure)
    told = list(labels) if labels is not None else [style.shorten(run.formula, 50) for run in runs]
    for ax, name in zip(axes, chosen, strict=True):
        asked = (ranges or {}).get(name)
        _draw(ax, runs, told, names.index(name), None if asked is None else frame.checked_range(name, asked))
        style.name_axes(ax, name, "f" if ax is axes[0] else "")
        legend = ax.get_legend()
        if legend is not None and ax is not axes[0]:
            legend.remove()
    return axes


def _draw(ax: Axes, runs: Sequence[Run], labels: Sequence[str], place: int, asked: Range | None) -> None:
    low, high = asked or _range(runs, place)
    x = np.linspace(low, high, _PLACES)
    ends = []
    for number, (run, label) in enumerate(zip(runs, labels, strict=True)):
        points = np.tile(run.x, (_PLACES, 1))
        points[:, place] = x
        colour = style.SERIES[number % len(style.SERIES)]
        look: dict[str, Any] = {"color": colour, "linestyle": _LINES[number % len(_LINES)], "linewidth": 1.8}
        ax.plot(x, grid.one_by_one(run.objective, points), label=f"{label}: f = {run.value:.4g}", gid="slice", **look)
        ax.plot(run.x[place], run.value, linestyle="", zorder=5, gid="end", **{**style.END, "color": colour})
        ends.append((run.x[place], run.value))
    ax.set_xlim(low, high)
    ax.grid(visible=True, color="0.92", linewidth=0.7)
    style.put_legend(ax, *np.array(ends).T)


def _range(runs: Sequence[Run], place: int) -> Range:
    ends = np.array([run.x[place] for run in runs if np.isfinite(run.x[place])])
    if not len(ends):
        return -_WIDTH, _WIDTH
    trails = [view.path(run).point[view.shown(run)] for run in runs]
    seen = np.concatenate([ends, *(trail[:, place] for trail in trails if trail.shape[1])])
    reach = max(float(np.abs(seen - e).max()) for e in ends) or max(_WIDTH, float(np.abs(ends).max()))
    return float(ends.min() - reach), float(ends.max() + reach)
