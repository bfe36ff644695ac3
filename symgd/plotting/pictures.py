"""The pictures that users ask for: of a run, and of an objective."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symgd.errors import UsageError, safe
from symgd.plotting import (
    contours,
    curves,
    fits,
    grid,
    local,
    loss,
    marks,
    models,
    starts,
    style,
    surface,
    view,
    window,
)
from symgd.plotting import frame as frames
from symgd.run import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from symgd.fitting import Fit
    from symgd.many import Many
    from symgd.objective import Objective
    from symgd.plotting.view import Range
    from symgd.run import Run

KINDS = ("auto", "path", "surface", "loss", "parameters", "data", "both")
LANDSCAPES = ("path", "surface", "both")  # kinds that show the landscape, and say why where they cannot


def plot_run(
    run: Run,
    objective: Objective | None = None,
    ax: Axes | None = None,
    *,
    kind: str = "auto",
    ranges: Mapping[str, Range] | None = None,
    field: bool = False,
    at: Any = None,
    title: str | None = None,
) -> Axes:
    """Draw a run: on the curve (1 parameter), on contours (2), or as value and gradient over the steps.

    A second run of the same objective drawn into the same axes adds its path, or its values. Of more than two
    parameters, ``kind="path"`` shows a slice through the end: the plane in which most of the path lies. Of a run in
    batches single steps are drawn.

    Parameters
    ----------
    run : Run
        The run.
    objective : Objective, optional
        What was minimized; by default the run's own. Without it the landscape is unknown, and the loss is drawn.
    ax : Axes, optional
        Where to draw; by default a new figure.
    kind : str
        ``"path"`` for the landscape with the path, ``"surface"`` for the same beside the surface in three dimensions,
        ``"loss"`` for the values over the steps, ``"parameters"`` for the parameters over the steps, ``"data"`` for the
        data and the model of an objective of squares, ``"both"`` for them beside the landscape; ``"auto"`` for the path
        where it can be drawn and the parameters are two at most, and else the loss.
    ranges : mapping of str to tuple of float, optional
        From where to where the landscape is drawn, by parameter; by default so that the path lies inside. Pictures
        that are to be compared should have the same.
    field : bool
        Whether the gradient is drawn as arrows over the contours.
    at : mapping, sequence or str, optional
        A point, ``"start"`` or ``"end"``, at which the tangent is drawn, or the gradient with the ellipse of the
        curvature.
    title : str, optional
        The first line of the title; by default the formula. ``""`` for no title at all.

    Returns
    -------
    Axes

    Raises
    ------
    UsageError
        If there is no such kind, the path cannot be drawn, a range is none, or the axes show another objective.

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
    if kind in ("data", "both"):
        return _plot_model(run, objective, ax, kind, ranges, title)
    frame = frames.along(objective, view.path(run).point[view.shown(run)]) if path and objective is not None else None
    local.check(frame, kind, ranges, at, field=field)
    wide = kind == "surface"
    ax = style.new_axes(11.0 if wide else 6.4) if ax is None else ax
    if frame is None:
        (loss.draw_parameters if kind == "parameters" else loss.draw_loss)(ax, run)
    else:
        frames.claim(ax, run.formula, frame.field.data)
        place = local.place(frame, run, at)
        if place is not None and not ranges and not marks.count(ax):  # what is drawn there has room
            wider = local.reach(window.of_run(run, frame)[0], place)
            ranges = dict(zip(frame.labels, wider, strict=True))
        (curves.draw_steps if len(run.x) == 1 else contours.draw_path)(ax, run, frame, ranges)
        local.draw(ax, frame, place, field=field)
    if wide and frame is not None:
        surface.draw_surface(ax, frame, [run], best=run.value, maximized=run.maximized)
    if title != "":
        count = marks.count(ax) if frame is not None else loss.count(ax)
        below = f"{count} runs" if count > 1 else _told(run, "" if frame is None else frame.note)
        style.put_title(
            ax, run.formula if title is None else title, below, "" if title else style.mathematics(objective)
        )
    return ax


def _plot_model(
    run: Run, objective: Objective | None, ax: Axes | None, kind: str, ranges: Mapping[str, Range] | None,
    title: str | None,
) -> Axes:  # fmt: skip
    """Draw the data of an objective of squares and its model, and beside them the landscape."""
    seen = models.of_run(run, objective)
    if seen is None:
        raise UsageError(f"kind='{kind}' is for objectives with a square of data less a model, such as (y - w*x)**2")
    if kind == "both":
        ax, beside = style.side_by_side(style.new_axes(11.0) if ax is None else ax)
        plot_run(run, objective, beside, kind="path", ranges=ranges, title=None if title is None else "")
    ax = style.new_axes() if ax is None else ax
    fits.draw_fit(ax, seen, None, residuals=False)
    if title != "":
        style.put_title(ax, f"{seen.target} = {seen.model}" if title is None else title, _told(run))
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
        ``"data"``, or ``"path"``, ``"surface"``, ``"loss"`` or ``"parameters"`` for the descent, as `plot_run` draws
        it; ``"both"`` for the data and the path beside them, in the landscape of the squared residuals.
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
    descent = ("path", "surface", "loss", "parameters")
    if kind not in (*fits.KINDS, *descent):
        raise UsageError(f"kind={safe(kind)!r} must be one of {', '.join((*fits.KINDS, *descent))}")
    if kind in descent:
        return plot_run(fit.run, ax=ax, kind=kind, title=title)
    fits.check_band(band)
    if kind == "both":
        _draws_path(fit.run, fit.run.objective, "path")
        ax, beside = style.side_by_side(style.new_axes(11.0) if ax is None else ax)
        plot_run(fit.run, ax=beside, kind="path", title=None if title is None else "")
    ax = style.new_axes() if ax is None else ax
    fits.draw_fit(ax, fit, band, residuals=residuals)
    if title != "":
        alone = fits.count(ax) == 1  # of several, the legend tells which is which
        text = f"{fit.target} = {fit.model}" if alone else f"{fits.count(ax)} fits of {fit.target}"
        style.put_title(ax, text if title is None else title, fits.told(fit) if alone else "")
    return ax


def plot_objective(
    objective: Objective,
    ranges: Mapping[str, Range],
    ax: Axes | None = None,
    *,
    kind: str = "auto",
    field: bool = False,
    at: Any = None,
    title: str | None = None,
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
    kind : str
        ``"surface"`` for the surface in three dimensions beside the contours, else ``"auto"``.
    field : bool
        Whether the gradient is drawn as arrows over the contours.
    at : mapping or sequence, optional
        A point at which the tangent is drawn, or the gradient with the ellipse of the curvature. Animated, the tangent
        goes along the curve.
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
    >>> ax = plot_objective(Objective("x*cos(x) + 9"), {"x": (0, 15)}, at={"x": 2})
    >>> ax.get_xlim() == (0, 15)
    True
    """
    if kind not in ("auto", "surface"):
        raise UsageError(f"kind={safe(kind)!r} must be auto or surface")
    params = objective.names
    if len(params) not in (1, 2):
        raise UsageError(
            f"a landscape has one or two parameters; this objective has {len(params)}: give it data, or a run"
        )
    if grid.side(objective, len(params)) == 0:
        raise UsageError("the data have too many rows for a picture of the landscape; take a part of them")
    frame = frames.of_parameters(objective)
    ends = [given or _missing(name) for given, name in zip(frames.ranges_of(frame, ranges), frame.labels, strict=True)]
    local.check(frame, kind, None, at, field=field)
    place = local.place(frame, None, at)
    ax = style.new_axes(11.0 if kind == "surface" else 6.4) if ax is None else ax
    frames.claim(ax, objective.text, objective.data)
    if len(params) == 1:
        curve = curves.draw_curve(ax, frame, ends[0])
        curves.choose_height(ax, curve, curve[:0])
    else:
        contours.draw_landscape(ax, frame, *ends)
    local.draw(ax, frame, place, field=field)
    if kind == "surface":
        surface.draw_surface(ax, frame, [])
    if title != "":
        style.put_title(
            ax, objective.text if title is None else title, "", "" if title else style.mathematics(objective)
        )
    return ax


def plot_many(
    many: Many,
    ax: Axes | None = None,
    *,
    kind: str = "auto",
    ranges: Mapping[str, Range] | None = None,
    title: str | None = None,
) -> Axes:
    """Draw many descents: the starts, each in the colour of the minimum that it reached, on the landscape.

    Of more than two parameters, the values that were reached are drawn, the lowest first: what is reached often is a
    step of the staircase.

    Parameters
    ----------
    many : Many
        The descents.
    ax : Axes, optional
        Where to draw; by default a new figure.
    kind : str
        ``"basins"`` for the starts on the landscape, ``"values"`` for the staircase, ``"auto"`` for the first where it
        can be drawn.
    ranges : mapping of str to tuple of float, optional
        From where to where the landscape is drawn, by parameter; by default the starts and the minima are inside.
    title : str, optional
        The first line of the title; by default the formula. ``""`` for no title at all.

    Returns
    -------
    Axes

    Raises
    ------
    UsageError
        If there is no such kind, basins cannot be drawn, or a range is none.

    Examples
    --------
    >>> from symgd import Objective
    >>> found = Objective("x*cos(x) + 9").minimize_many(box={"x": (-15, 15)}, n=50)
    >>> plot_many(found).get_xlabel()
    'x'
    """
    if kind not in starts.KINDS:
        raise UsageError(f"kind={safe(kind)!r} must be one of {', '.join(starts.KINDS)}")
    problem = starts.draws_basins(many, kind)
    if problem and kind == "basins":
        raise UsageError(f"kind='basins': {problem}")
    if problem and ranges:
        raise UsageError(f"ranges are for the landscape, and values are drawn: {problem}")
    if not problem:
        frames.ranges_of(frames.of_parameters(many.kernel), ranges)
    ax = style.new_axes(8.0) if ax is None else ax
    if problem:
        starts.draw_values(ax, many)
    else:
        frames.claim(ax, many.formula, many.kernel.data)
        starts.draw_basins(ax, many, ranges)
    if title != "":
        style.put_title(ax, many.formula if title is None else title, starts.told(many))
    return ax


def _draws_path(run: Run, objective: Objective | None, kind: str) -> bool:
    """Tell whether the landscape is drawn, or only the loss."""
    if kind not in KINDS:
        raise UsageError(f"kind={safe(kind)!r} must be one of {', '.join(KINDS)}")
    count = len(run.x)
    problem = ""
    if objective is None:
        problem = "the objective is needed to draw its landscape: plot_run(run, objective=f)"
    elif not run.history.point.shape[1]:
        problem = f"of {count:,} parameters the run has kept no path"
    elif grid.side(objective, min(count, 2)) == 0:
        problem = "the data have too many rows for a picture of the landscape"
    if kind == "parameters" and not run.history.point.shape[1]:
        raise UsageError(f"kind='parameters': of {count:,} parameters the run has kept no path")
    if kind in LANDSCAPES and problem:
        raise UsageError(f"kind='{kind}': {problem}")
    return not problem and (kind in LANDSCAPES or (kind == "auto" and count <= 2))


def _missing(name: str) -> Range:
    raise UsageError(f"ranges has no '{name}'; give it as ranges={{'{name}': (-3, 3)}}")


def _told(run: Run, note: str = "") -> str:
    """Say in a line what was done, how it ended and at what kind of point."""
    steps = f"{run.steps:,} step" + ("" if run.steps == 1 else "s")
    done = f"maximized by {marks.named(run)}" if run.maximized else marks.named(run)
    # Where a run converged, the kind of point says more.
    ended = [] if run.outcome.converged else [str(run.outcome).replace("_", " ")]
    kind = [] if run.outcome in (Outcome.DIVERGED, Outcome.LEFT_DOMAIN) else [str(run.kind).replace("_", " ")]
    shades = ["dark is high"] if run.maximized and len(run.x) > 1 else []
    return " · ".join([done, steps, *([note] if note else []), *ended, *kind, *shades])
