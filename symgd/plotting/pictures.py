"""The pictures that users ask for: of a run, and of an objective."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from symgd.errors import UsageError, safe
from symgd.plotting import contours, curves, fits, grid, loss, style

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from symgd.fitting import Fit
    from symgd.objective import Objective
    from symgd.plotting.view import Range
    from symgd.run import Run

KINDS = ("auto", "path", "loss")


def plot_run(
    run: Run,
    objective: Objective | None = None,
    ax: Axes | None = None,
    *,
    kind: str = "auto",
    title: str | None = None,
) -> Axes:
    """Draw a run: on the curve (1 parameter), on contours (2), or as value and gradient over the steps.

    Parameters
    ----------
    run : Run
        The run.
    objective : Objective, optional
        What was minimized; by default the run's own. Without it the landscape is unknown, and the loss is drawn.
    ax : Axes, optional
        Where to draw; by default a new figure.
    kind : str
        ``"path"`` for the landscape with the path, ``"loss"`` for the values over the steps, ``"auto"`` for the first
        where it can be drawn.
    title : str, optional
        The first line of the title; by default the formula. ``""`` for no title at all.

    Returns
    -------
    Axes

    Raises
    ------
    UsageError
        If there is no such kind, or the path cannot be drawn.

    Examples
    --------
    >>> from symgd import Objective
    >>> run = Objective("0.2*x1**2 + x2**2").minimize({"x1": 9, "x2": -3}, lr=0.2)
    >>> ax = plot_run(run)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('x1', 'x2')
    """
    objective = objective if objective is not None else getattr(run, "objective", None)
    path = _draws_path(run, objective, kind)
    ax = style.new_axes() if ax is None else ax
    if not path or objective is None:
        loss.draw_loss(ax, run)
    else:
        (curves.draw_steps if len(run.x) == 1 else contours.draw_path)(ax, run, objective)
    if title != "":
        style.put_title(ax, run.formula if title is None else title, _told(run))
    return ax


def plot_fit(
    fit: Fit,
    ax: Axes | None = None,
    *,
    kind: str = "data",
    band: str | None = "both",
    residuals: bool = True,
    title: str | None = None,
) -> Axes:
    """Draw a fit: data with the fitted curve, bands, and the residuals below; or the descent that led to it.

    A model of one column is drawn over that column. Of several columns no curve can be drawn: then the data stand over
    the fitted values. A second fit drawn into the same axes adds its curve and its residuals.

    Parameters
    ----------
    fit : Fit
        The fit.
    ax : Axes, optional
        Where to draw; by default a new figure. The residuals take the lower part of its place.
    kind : str
        ``"data"``, or ``"path"`` or ``"loss"`` for the descent, as `plot_run` draws it.
    band : str, optional
        ``"confidence"``, ``"prediction"``, or ``"both"``: the prediction is left out where the rows weigh differently.
    residuals : bool
        Whether residuals are drawn.
    title : str, optional
        The first line of the title; by default the model. ``""`` for no title at all.

    Returns
    -------
    Axes
        Those of the data.

    Raises
    ------
    UsageError
        If there is no such kind or band, or the path cannot be drawn.

    Examples
    --------
    >>> from symgd import fit
    >>> found = fit("a*x + b", {"x": [0, 1, 2, 3], "y": [1.1, 2.9, 5.2, 7.0]})
    >>> ax = plot_fit(found)
    >>> ax.get_ylabel()
    'y'
    """
    if kind not in fits.KINDS:
        raise UsageError(f"kind={safe(kind)!r} must be one of {', '.join(fits.KINDS)}")
    if kind != "data":
        return plot_run(fit.run, ax=ax, kind=kind, title=title)
    fits.check_band(band)
    ax = style.new_axes() if ax is None else ax
    fits.draw_fit(ax, fit, band, residuals=residuals)
    if title != "":
        alone = fits.count(ax) == 1  # of several, the legend tells which is which
        text = f"{fit.target} = {fit.model}" if alone else f"{fits.count(ax)} fits of {fit.target}"
        style.put_title(ax, text if title is None else title, fits.told(fit) if alone else "")
    return ax


def plot_objective(
    objective: Objective, ranges: Mapping[str, Range], ax: Axes | None = None, *, title: str | None = None
) -> Axes:
    """Draw an objective of one parameter as a curve, of two as contours.

    Parameters
    ----------
    objective : Objective
        The objective.
    ranges : mapping of str to tuple of float
        From where to where, for each parameter.
    ax : Axes, optional
        Where to draw; by default a new figure.
    title : str, optional
        By default the formula; ``""`` for none.

    Returns
    -------
    Axes

    Raises
    ------
    UsageError
        If the objective has more than two parameters, or a range is missing or empty.

    Examples
    --------
    >>> from symgd import Objective
    >>> ax = plot_objective(Objective("x*cos(x) + 9"), {"x": (0, 15)})
    >>> ax.get_xlim() == (0, 15)
    True
    """
    params = objective.names
    if len(params) not in (1, 2):
        raise UsageError(
            f"a landscape has one or two parameters; this objective has {len(params)}: give it data, or a run"
        )
    if grid.side(objective, len(params)) == 0:
        raise UsageError("the data have too many rows for a picture of the landscape; take a part of them")
    ends = [_range(ranges, name) for name in params]
    ax = style.new_axes() if ax is None else ax
    if len(params) == 1:
        curve = curves.draw_curve(ax, objective, ends[0])
        curves.choose_height(ax, curve, curve[:0])
    else:
        contours.draw_landscape(ax, objective, *ends)
    if title != "":
        style.put_title(ax, objective.text if title is None else title)
    return ax


def _draws_path(run: Run, objective: Objective | None, kind: str) -> bool:
    """Tell whether the landscape is drawn, or only the loss."""
    if kind not in KINDS:
        raise UsageError(f"kind={safe(kind)!r} must be one of {', '.join(KINDS)}")
    count = len(run.x)
    problem = ""
    if count > 2:
        problem = f"the run has {count} parameters; a path is drawn for one or two"
    elif objective is None:
        problem = "the objective is needed to draw its landscape: plot_run(run, objective=f)"
    elif grid.side(objective, count) == 0:
        problem = "the data have too many rows for a picture of the landscape"
    if kind == "path" and problem:
        raise UsageError(f"kind='path': {problem}")
    return kind != "loss" and not problem


def _range(ranges: Mapping[str, Any], name: str) -> Range:
    if name not in ranges:
        raise UsageError(f"ranges has no '{name}'; give it as ranges={{'{name}': (-3, 3)}}")
    try:
        low, high = (float(end) for end in ranges[name])
    except (TypeError, ValueError):
        raise UsageError(f"ranges['{name}']={safe(ranges[name])} must be two numbers, such as (-3, 3)") from None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise UsageError(f"ranges['{name}']={safe(ranges[name])} must be finite and rising, such as (-3, 3)")
    return low, high


def _told(run: Run) -> str:
    """Say in a line what was done and how it ended."""
    rate = _rate(run)
    steps = f"{run.steps:,} step" + ("" if run.steps == 1 else "s")
    parts = [run.method + (f", lr = {rate}" if rate else ""), steps, str(run.outcome).replace("_", " ")]
    return " · ".join(parts)


def _rate(run: Run) -> str:
    """Give the learning rate, where there is one: a method finds its own step lengths."""
    return "" if run.lr == "auto" else run.lr if isinstance(run.lr, str) else f"{run.lr:g}"
