"""Many starts: which minimum each reached, on the curve or the contours, or how low each came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from symgd.many.result import ROUNDING
from symgd.plotting import contours, curves, frame, grid, style, view

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from symgd.many import Many
    from symgd.many.result import Minimum
    from symgd.plotting.view import Range, Vector

KINDS = ("auto", "basins", "values")
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # Okabe and Ito
MARKERS = ("o", "s", "^", "D", "v", "P")  # for those who see no colours, and for paper
NONE: dict[str, Any] = {"color": "0.45", "marker": "x", "markeredgewidth": 1.2}
_MOST = 5000  # starts that are drawn
_NAMED = len(COLOURS)  # minima that have a colour of their own


def draws_basins(many: Many, kind: str) -> str:
    """Tell why basins cannot be drawn; nothing where they can.

    Parameters
    ----------
    many : Many
        The descents.
    kind : str
        What was asked for.

    Returns
    -------
    str
    """
    count = many.starts.shape[1]
    if kind == "values":
        return "values were asked for"
    if count > 2:
        return f"the starts have {count} parameters; basins are drawn for one or two"
    return "the data have too many rows for a picture of the landscape" if not grid.side(many.kernel, count) else ""


def draw_basins(ax: Axes, many: Many, ranges: Mapping[str, Range] | None) -> None:
    """Draw the landscape, the starts in the colour of the minimum that they reached, and the minima as stars.

    Parameters
    ----------
    ax : Axes
        Where.
    many : Many
        The descents, of one or two parameters.
    ranges : mapping of str to tuple of float, optional
        From where to where, by parameter.
    """
    found = frame.of_parameters(many.kernel)
    minima = (*many.minima, *many.outside)
    seen = np.vstack([many.starts, *(_flat(many, m)[None] for m in many.minima)])
    lows, highs = (list(map(float, ends)) for ends in (seen.min(axis=0), seen.max(axis=0)))
    if many.box is not None:
        lows = [min(a, float(b)) for a, b in zip(lows, many.box.low, strict=True)]
        highs = [max(a, float(b)) for a, b in zip(highs, many.box.high, strict=True)]
    own = [view.around(np.array(ends), ends[0], 0.03, 0.0) for ends in zip(lows, highs, strict=True)]
    asked = frame.ranges_of(found, ranges)
    window = [given or chosen for given, chosen in zip(asked, own, strict=True)]
    place = _on_curve if len(window) == 1 else _on_contours
    place(ax, many, found, window)
    for number, minimum in enumerate(minima[:_NAMED]):
        at = _flat(many, minimum)
        if len(at) == 1:
            at = np.array([at[0], minimum.value])
        ax.plot(*at, **{**style.END, "color": COLOURS[number]}, linestyle="", zorder=6, gid=f"minimum {number}")
    _put_legend(ax, len(minima))


def _flat(many: Many, minimum: Minimum) -> Vector:
    return np.concatenate([np.ravel(np.asarray(minimum.point[name], dtype=np.float64)) for name in many.kernel.params])


def _on_curve(ax: Axes, many: Many, found: frame.Frame, window: list[Range]) -> None:
    curve = curves.draw_curve(ax, found, window[0])
    curves.choose_height(ax, curve, curve[:0])
    (line,) = (line for line in ax.lines if line.get_gid() == "curve")
    line.set(color="0.55", linewidth=1.2)
    line.set_label("_f")
    chosen = _chosen(many)
    points = np.column_stack([many.starts[chosen, 0], found.heights(many.starts[chosen, 0])])
    _draw_starts(ax, many, points, many.reached[chosen])


def _on_contours(ax: Axes, many: Many, found: frame.Frame, window: list[Range]) -> None:
    contours.draw_landscape(ax, found, window[0], window[1], best=many.best.value if many.best else None)
    for bands in contours.landscape(ax):  # the starts are to be seen, and the landscape behind them
        bands.set_alpha(0.35)
        for text in getattr(bands, "labelTexts", ()):
            text.set_visible(False)
    *_, same = view.to_scale(window[0], window[1])
    ax.set_aspect("equal" if same else "auto", adjustable="box")
    chosen = _chosen(many)
    _draw_starts(ax, many, many.starts[chosen], many.reached[chosen])


def _chosen(many: Many) -> Any:
    return slice(None, None, -(-len(many) // _MOST))


def _draw_starts(ax: Axes, many: Many, points: Vector, reached: Any) -> None:
    minima = (*many.minima, *many.outside)
    size = 5.0 if len(points) <= 200 else 3.4 if len(points) <= 1000 else 2.2
    for place in range(min(len(minima), _NAMED)):
        mine = points[reached == place]
        label = _named(ax, many, minima[place])
        ax.plot(*mine.T, linestyle="", markersize=size, markeredgewidth=0.0, color=COLOURS[place],
                marker=MARKERS[place], label=label, zorder=3, gid=f"starts {place}")  # fmt: skip
    rest = points[reached >= _NAMED]
    if len(rest):
        label = f"{len(minima) - _NAMED:,} other minima"
        ax.plot(*rest.T, linestyle="", markersize=size, color="0.1", marker=".", label=label, zorder=3, gid="others")
    lost = points[reached < 0]
    if len(lost):
        count = int((many.reached < 0).sum())
        ax.plot(*lost.T, linestyle="", markersize=size, label=f"no minimum, {count:,} starts", zorder=3,
                gid="none", **NONE)  # fmt: skip


def _named(ax: Axes, many: Many, minimum: Minimum) -> str:
    """Name a minimum: minima of one value are told apart by their places."""
    value = minimum.value if abs(minimum.value) > ROUNDING else 0.0
    at, limits = _flat(many, minimum), (ax.get_xlim(), ax.get_ylim())
    parts = [view.spell(v, float(np.ptp(ends))) for v, ends in zip(at.tolist(), limits, strict=False)]
    where = "" if len(at) > 2 else f" at {parts[0]}" if len(at) == 1 else f" at ({', '.join(parts)})"
    starts = f"{minimum.count:,} start" + ("" if minimum.count == 1 else "s")
    return f"f = {value:.5g}{where}\n{starts}" + ("" if minimum.inside else ", outside of the box")


def _put_legend(ax: Axes, count: int) -> None:
    if not count and not any(line.get_gid() == "none" for line in ax.lines):
        return
    # Starts fill the picture, so that every corner of it is taken.
    legend = ax.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), borderaxespad=0.0, fontsize=8.5, frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)
    for handle in legend.legend_handles:
        if handle is not None and hasattr(handle, "set_markersize"):
            handle.set_markersize(6.0)


def draw_values(ax: Axes, many: Many) -> None:
    """Draw the values that descents ended at, the lowest first: each minimum that is reached often is a step.

    Parameters
    ----------
    ax : Axes
        Where.
    many : Many
        The descents.
    """
    finite = np.isfinite(many.values)
    order = np.argsort(many.values[finite], kind="stable")
    points = np.column_stack([np.arange(1, len(order) + 1), many.values[finite][order]])
    reached = many.reached[finite][order]
    step = _chosen(many)
    _draw_starts(ax, many, points[step], reached[step])
    if len(order):
        low, high = np.quantile(points[:, 1], [0.0, 0.98])
        room = 0.05 * (float(high - low) or abs(float(low)) or 1.0)
        ax.set_ylim(float(low) - room, float(high) + room)  # of those that fly off, a few would flatten the rest
    style.name_axes(ax, "starts, by the value that they reached", "f where they ended")
    ax.grid(visible=True, color="0.92", linewidth=0.7)
    _put_legend(ax, len(many.minima) + len(many.outside))


def told(many: Many) -> str:
    """Say in a line how many starts reached how many minima."""
    found = len(many.minima)
    missed = int((many.reached < 0).sum())
    shown = -(-len(many) // -(-len(many) // _MOST))
    parts = [f"{len(many):,} starts by {many.method}", f"{found:,} minim{'um' if found == 1 else 'a'}"]
    parts += [f"{missed:,} starts reached none"] if missed else []
    return " · ".join([*parts, *([f"{shown:,} are drawn"] if shown < len(many) else [])])
