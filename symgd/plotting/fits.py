"""A fitted model: data, curve with bands, and the residuals below them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from symgd import language as fm
from symgd.data import Stored
from symgd.errors import UsageError, shown
from symgd.fitting.curve import on
from symgd.plotting import motion, style
from symgd.records import dataclass

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D
    from numpy.typing import NDArray

    from symgd.fitting import Fit
    from symgd.plotting.models import Seen
    from symgd.plotting.style import Vector

KINDS = ("data", "both")
BANDS = ("confidence", "prediction")
_MOST = 4000  # rows that are drawn; more make files of megabytes and a patch of ink
_BARS = 300  # rows that get error bars
_CURVE = 401  # places of the curve
_BEYOND = 0.04  # of the data's extent, to which the curve goes on at both sides
_DECADES = 100.0  # largest over smallest column value from which on its axis may be logarithmic
_ROOM = 0.5  # of the heights of data and curve, which a band may add to the picture at either side
_BELOW = "residuals of a fit"  # the label of the axes below


@dataclass(frozen=True, eq=False)
class Scene:
    """What a fit is drawn over.

    Parameters
    ----------
    label : str
        What the horizontal axis shows.
    x : ndarray, shape (n,)
        Where the values of the target stand.
    column : str or None
        The only column that varies in the model; ``None`` where there is none, or several.
    rowwise : bool
        Whether the model's value in a row follows from that row, so that there is a curve in between rows.
    """

    label: str
    x: Vector
    column: str | None
    rowwise: bool


def scene(fit: Fit | Seen) -> Scene:
    """Choose what a fit is drawn over: its only column, else the rows where it reads none, else the fitted values.

    Parameters
    ----------
    fit : Fit
        The fit.

    Returns
    -------
    Scene
    """
    rows = fit.y.size
    columns = {name: values for name, values in _read(fit).items() if _size(values) > 1}
    if not columns:
        return Scene("row", np.arange(1.0, rows + 1), None, rowwise=False)
    flat = {k: np.asarray(v, dtype=np.float64) for k, v in columns.items() if np.shape(v) == (rows,)}
    varying = [name for name, values in flat.items() if np.ptp(values) > 0] or list(flat)
    if len(flat) == len(columns) and len(varying) == 1 and fit.y.ndim <= 1:
        name = varying[0]
        return Scene(fm.unquoted(name) or name, flat[name], name, _rowwise(fit, rows))
    return Scene(f"fitted {fit.target}", np.ravel(fit.fitted), None, rowwise=False)


def _read(fit: Fit | Seen) -> dict[str, Any]:
    """Give the data that the model reads, arrays on disk left there."""
    names = set(fm.names(fit.formula.tree)) - set(fit.shapes) - set(fit.fixed)
    return {name: fit.data[name] for name in fit.data if name in names}


def _size(values: Any) -> int:
    return int(np.prod(values.shape)) if isinstance(values, np.ndarray | Stored) else 1


def _rowwise(fit: Fit | Seen, rows: int) -> bool:
    """Tell whether every second row alone gives what it gives among the others: no mean, no neighbour is read."""
    half = {name: v[::2] if np.shape(v) == (rows,) else v for name, v in _read(fit).items()}
    try:
        alone, among = fit.predict(half), fit.fitted[::2]
    except (ValueError, ArithmeticError):
        return False
    return np.shape(alone) == among.shape and bool(np.allclose(alone, among, rtol=1e-9, atol=0, equal_nan=True))


# ---- drawing ---------------------------------------------------------------------------------------------------------


def draw_fit(ax: Axes, fit: Fit | Seen, band: str | None, *, residuals: bool) -> None:
    """Draw data, curve, band and residuals; in axes that show a fit of these data, the curve and its residuals alone.

    Parameters
    ----------
    ax : Axes
        Where.
    fit : Fit
        The fit.
    band : str or None
        ``"confidence"`` or ``"prediction"``, both of them where the rows weigh the same, or ``None`` for no band.
    residuals : bool
        Whether residuals are drawn below.
    """
    found = scene(fit)
    before = count(ax)
    colour = style.SERIES[before % len(style.SERIES)]
    first = before == 0
    if first:
        _draw_data(ax, fit, found)
    heights = _draw_curve(
        ax,
        fit,
        found,
        band if first or band != "both" else "confidence",
        {"color": colour, "label": style.shorten(fit.model, 40)},
    )
    _limit(ax, fit, heights, first=first)
    below = _axes_below(ax) if residuals else None
    if below is not None:
        _draw_residuals(below, fit, found, colour)
    if found.column and first and _is_log(found.x):
        ax.set_xscale("log")
    style.name_axes(ax, "" if below is not None else found.label, fit.target)
    if below is not None:
        style.name_axes(below, found.label, "residual")
        ax.tick_params(labelbottom=False)
    style.put_legend(ax, *_thinned(found.x, np.ravel(fit.y)))


def count(ax: Axes) -> int:
    """Count the fits that axes show.

    Parameters
    ----------
    ax : Axes
        The axes of the data.

    Returns
    -------
    int
    """
    return sum(line.get_gid() in ("curve", "equal") for line in ax.lines)


def _spreads(fit: Fit | Seen) -> Vector | None:
    """Give the standard deviation of each value of the target, where they are known or differ."""
    w = np.ravel(np.broadcast_to(fit.weights, fit.y.shape)).astype(np.float64)
    weighty = w[w > 0]
    if not len(weighty) or not (fit.absolute_sigma or np.ptp(weighty) > 1e-12 * weighty.max()):
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        spread: Vector = np.where(w > 0, np.sqrt(fit.variance / w), np.nan)
    return spread


def _thinned(*columns: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    step = -(-len(columns[0]) // _MOST)
    return tuple(column[::step] for column in columns)


def _draw_data(ax: Axes, fit: Fit | Seen, found: Scene) -> None:
    y = np.ravel(fit.y)
    counts = np.ravel(np.broadcast_to(fit.weights, fit.y.shape)) > 0
    x, y, counts = _thinned(found.x, y, counts)
    of = "" if len(y) == fit.y.size else f", {len(y):,} of {fit.y.size:,}"
    spreads = _spreads(fit)
    if spreads is not None and len(y) <= _BARS:
        ax.errorbar(x, y, yerr=_thinned(spreads)[0], fmt="none", ecolor="0.55", elinewidth=1.0, capsize=2, zorder=2)
    ax.plot(x[counts], y[counts], label=f"data{of}", gid="data", **_dots(len(y)))
    if not counts.all():
        left_out = {**_dots(len(y)), "markerfacecolor": "white", "color": "0.5"}
        ax.plot(x[~counts], y[~counts], label="of weight 0", gid="left_out", **left_out)


def _dots(count: int) -> dict[str, Any]:
    size = 5.0 if count <= 60 else 3.2 if count <= 600 else 1.8
    return {"linestyle": "", "marker": "o", "markersize": size, "color": "0.2", "markeredgewidth": 0.9, "zorder": 3}


def _draw_curve(ax: Axes, fit: Fit | Seen, found: Scene, band: str | None, look: dict[str, Any]) -> Vector:
    """Draw the curve, or where there is none the line on which data and model are equal; give all its heights."""
    options = {"linewidth": 1.9, "zorder": 4, **look}
    if found.column is None and found.label != "row":
        ends = np.array([np.nanmin(found.x), np.nanmax(found.x)])
        ax.plot(ends, ends, gid="equal", **{**options, "label": "fitted = measured"})
        return ends
    x, data = _places(fit, found)
    value = np.ravel(np.asarray(fit.predict(data)))
    bounds = [_bounds(fit, data, one) for one in _bands(fit, band)]
    order = np.argsort(x, kind="stable")
    for (name, lower, upper), alpha in zip(bounds, (0.30, 0.13), strict=False):
        ax.fill_between(
            x[order], lower[order], upper[order], color=look["color"], alpha=alpha, linewidth=0, zorder=1,
            label=f"{100 * fit.level:.4g} % {name}" if count(ax) == 0 else None, gid=name,
        )  # fmt: skip
    (line,) = ax.plot(x[order], value[order], gid="curve", **options)
    _follow(line, fit, x, data, order)
    inner = np.ravel([np.quantile(b[np.isfinite(b)], [0, 1]) for _, *pair in bounds for b in pair if _any(b)])
    return np.concatenate([value, inner])


def _follow(line: Line2D, fit: Fit | Seen, x: Vector, data: Any, order: NDArray[np.int64]) -> None:
    """Let the curve move as the descent did that led to it."""
    history = fit.run.history
    if tuple(history.params) != tuple(fit.shapes) or not history.point.shape[1]:
        return
    trail = history.batches or history
    model = fit.formula if data is None else on(fit.formula, data, fit.fixed)[0]

    def put(step: int) -> None:
        place = max(0, int(np.searchsorted(trail.step, step, side="right")) - 1)
        values = model.values({**fit.run.point, **fit.shapes.values_of(trail.point[place])})
        line.set_data(x[order], np.broadcast_to(values, x.shape)[order])

    motion.moves(line, int(trail.step[-1]), put)


def _any(values: Vector) -> bool:
    return bool(np.isfinite(values).any())


def _bands(fit: Fit | Seen, band: str | None) -> tuple[str, ...]:
    if band is None:
        return ()
    # A further observation has one weight: beside data of several, its band would belong to none of them.
    return BANDS if band == "both" and _spreads(fit) is None else ("confidence",) if band == "both" else (band,)


def _bounds(fit: Fit | Seen, data: Any, band: str) -> tuple[str, Vector, Vector]:
    found: Any = fit.predict(data, band=band)
    return band, np.ravel(found.lower), np.ravel(found.upper)


def _places(fit: Fit | Seen, found: Scene) -> tuple[Vector, Any]:
    """Give places close to each other, and the data there; the rows themselves where the model reads other rows."""
    if found.column is None or not found.rowwise:
        return found.x, None
    low, high = float(found.x.min()), float(found.x.max())
    if _is_log(found.x):
        room = (high / low) ** _BEYOND
        x = np.geomspace(low / room, high * room, _CURVE)
    else:
        room = _BEYOND * (high - low)
        # A column that stops at 0 often does so for a reason, such as log(x).
        x = np.linspace(low - room if low < 0 or low > room else low, high + room, _CURVE)
    rest = {k: np.full(_CURVE, v[0]) if np.shape(v) == found.x.shape else v for k, v in _read(fit).items()}
    return x, {**rest, found.column: x}


def _is_log(x: Vector) -> bool:
    """Tell whether a column spans decades, and evenly so."""
    low, high = float(x.min()), float(x.max())
    return low > 0 and high > _DECADES * low and float(np.median(x)) < low + 0.2 * (high - low)


def _limit(ax: Axes, fit: Fit | Seen, heights: Vector, *, first: bool) -> None:
    """Show data and curve, and of bands that run off as much as leaves room for both."""
    spreads = _spreads(fit)
    bars = np.nan_to_num(spreads) if spreads is not None and fit.y.size <= _BARS else np.zeros(fit.y.size)
    y = np.concatenate([np.ravel(fit.y) - bars, np.ravel(fit.y) + bars])
    y = y[np.isfinite(y)]
    if not len(y):
        return
    extent = float(np.ptp(y)) or abs(float(y[0])) or 1.0
    low, high = float(y.min()) - _ROOM * extent, float(y.max()) + _ROOM * extent
    seen = np.concatenate([y, np.clip(heights[np.isfinite(heights)], low, high)])
    room = 0.05 * (float(np.ptp(seen)) or extent)
    ends = float(seen.min()) - room, float(seen.max()) + room
    if not first:
        ends = min(ends[0], ax.get_ylim()[0]), max(ends[1], ax.get_ylim()[1])
    ax.set_ylim(*ends)


# ---- residuals -------------------------------------------------------------------------------------------------------


def _axes_below(ax: Axes) -> Axes:
    """Give the axes for residuals, which take the lower part of the place that the axes have."""
    other: Any
    for other in ax.get_shared_x_axes().get_siblings(ax):
        if other.get_label() == _BELOW:
            return cast("Axes", other)
    figure, spec = ax.get_figure(), ax.get_subplotspec()
    if figure is None:
        raise UsageError("the axes are in no figure; make them by figure.subplots()")
    if spec is None:
        x, y, width, height = ax.get_position().bounds
        below = figure.add_axes((x, y, width, 0.24 * height), sharex=ax, label=_BELOW)
        ax.set_position((x, y + 0.3 * height, width, 0.7 * height))
        return below
    parts = spec.subgridspec(2, 1, height_ratios=(3, 1), hspace=0.08)
    ax.set_subplotspec(parts[0])
    return figure.add_subplot(parts[1], sharex=ax, label=_BELOW)


def _draw_residuals(ax: Axes, fit: Fit | Seen, found: Scene, colour: str) -> None:
    x, residuals = _thinned(found.x, np.ravel(fit.residuals))
    first = not ax.lines
    if first:
        ax.axhline(0.0, color="0.6", linewidth=0.9, zorder=1, gid="zero")
    spreads = _spreads(fit)
    if spreads is not None and len(x) <= _BARS:
        ax.errorbar(x, residuals, yerr=_thinned(spreads)[0], fmt="none", ecolor="0.55", elinewidth=1.0, zorder=2)
    ax.plot(x, residuals, gid="residuals", **{**_dots(len(x)), "color": colour})
    reach = np.abs(residuals) + (0.0 if spreads is None else np.nan_to_num(_thinned(spreads)[0]))
    largest = max([*reach[np.isfinite(reach)], *([ax.get_ylim()[1] / 1.15] if not first else [])], default=0.0)
    if largest > 0:
        ax.set_ylim(-1.15 * largest, 1.15 * largest)


def check_band(band: object) -> None:
    """Refuse a band that there is not.

    Parameters
    ----------
    band : object
        What was given.

    Raises
    ------
    UsageError
        If it is none of those that `draw_fit` knows.
    """
    if band is not None and not (isinstance(band, str) and band in (*BANDS, "both")):
        raise UsageError(f"band={shown(band)} must be 'both', 'confidence', 'prediction' or None")


def told(fit: Fit) -> str:
    """Say in a line what was found.

    Parameters
    ----------
    fit : Fit
        The fit.

    Returns
    -------
    str
    """
    errors = fit.shapes.join(fit.stderr)
    parts = [f"{name} = {_with_error(x, e)}" for name, x, e in zip(fit.names, fit.x, errors, strict=True)][:4]
    more = [f"and {len(fit.names) - 4} more"] if len(fit.names) > 4 else []
    return " · ".join([", ".join([*parts, *more]), *([] if fit.ok else [f"not ok: {fit.kind}"])])


def _with_error(value: float, error: float) -> str:
    if not np.isfinite(error) or not error > 0:
        return f"{value:.4g} ± {error:.2g}"
    places = 1 - int(np.floor(np.log10(error)))
    if not -3 <= places <= 6 or abs(value) >= 1e6:
        return f"{value:.5g} ± {error:.2g}"
    return f"{round(value, places):.{max(places, 0)}f} ± {round(error, places):.{max(places, 0)}f}"
