"""How pictures look, and where they are drawn."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.mathtext import MathTextParser
from matplotlib.textpath import TextPath
from matplotlib.ticker import ScalarFormatter
from numpy.typing import NDArray

from symgd.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

Vector = NDArray[np.float64]

# The colours of Okabe and Ito, which people with any kind of colour vision can tell apart.
PATH = "#D55E00"
CURVE = "#0072B2"
SECOND = "#7A7A7A"
BATCH = "#8FBBDA"
SERIES = (PATH, "#000000", "#CC79A7", "#009E73", "#E69F00", "#56B4E9")  # of paths in one picture, or of fits
LANDSCAPE = "Blues_r"  # dark where the objective is best

_LONGEST = 160  # letters of a title that are measured
_WIDEST = 4  # panels in a row
_FEW = 2000  # points of a path whose lines are long

START: dict[str, Any] = {
    "marker": "o",
    "color": PATH,
    "markerfacecolor": "white",
    "markeredgewidth": 1.8,
    "markersize": 8,
}
END: dict[str, Any] = {
    "marker": "*",
    "color": PATH,
    "markeredgecolor": "white",
    "markeredgewidth": 0.9,
    "markersize": 16,
}
LOST: dict[str, Any] = {
    "marker": "X",
    "color": PATH,
    "markeredgecolor": "white",
    "markeredgewidth": 0.9,
    "markersize": 11,
}


def strokes(points: int) -> dict[str, Any]:
    """Give width and dots of a path: the more steps, the finer.

    Parameters
    ----------
    points : int
        How many points the path has.

    Returns
    -------
    dict of str to float
        Keyword arguments of ``Axes.plot``.
    """
    width, dot = (1.4, 5.0) if points <= 30 else (0.9, 3.8) if points <= 300 else (0.9, 1.5)
    return {"linewidth": width, "markersize": dot, "markeredgewidth": 0.0}


def new_axes(width: float = 6.4, height: float = 4.8) -> Axes:
    """Make a figure with one Axes.

    Parameters
    ----------
    width : float
        Width of the figure, in inches.
    height : float
        Its height.

    Returns
    -------
    Axes
    """
    return new_figure(width, height).subplots()


def new_figure(width: float, height: float) -> Figure:
    """Make a figure, by pyplot only where somebody may call ``show`` or a notebook displays it.

    Parameters
    ----------
    width : float
        Width of the figure, in inches.
    height : float
        Its height.

    Returns
    -------
    Figure
    """
    if "matplotlib.pyplot" in sys.modules or _in_ipython():
        from matplotlib import pyplot as plt

        return plt.figure(figsize=(width, height), layout="compressed")
    return Figure(figsize=(width, height), layout="compressed")


def _in_ipython() -> bool:
    module = sys.modules.get("IPython")
    return module is not None and module.get_ipython() is not None


def new_panels(count: int, figure: Figure | SubFigure | None = None) -> list[Axes]:
    """Make panels, up to four in a row.

    Parameters
    ----------
    count : int
        How many.
    figure : Figure or SubFigure, optional
        An empty figure; by default a new one.

    Returns
    -------
    list of Axes
    """
    across = min(count, _WIDEST)
    down = -(-count // across)
    if figure is None:
        figure = new_figure(3.6 * across + 0.6, 3.2 * down + 0.4)
    found: list[Axes] = list(np.ravel(figure.subplots(down, across, squeeze=False)))
    for spare in found[count:]:
        spare.remove()
    return found[:count]


def side_by_side(ax: Axes, **options: Any) -> tuple[Axes, Axes]:
    """Part the place of axes in two; the axes themselves are the left half.

    Parameters
    ----------
    ax : Axes
        In a grid of a figure.
    **options : object
        Of the new axes.

    Returns
    -------
    left, right : Axes

    Raises
    ------
    UsageError
        If they were placed by hand.
    """
    figure, spec = ax.get_figure(), ax.get_subplotspec()
    if figure is None or spec is None:
        raise UsageError("this kind takes axes that figure.subplots() made, or none")
    parts = spec.subgridspec(1, 2)
    ax.set_subplotspec(parts[0])
    return ax, figure.add_subplot(parts[1], **options)


def shorten(text: str, limit: int) -> str:
    """Give a text on one line and of a bounded length.

    Parameters
    ----------
    text : str
        The text.
    limit : int
        Most characters to give.

    Returns
    -------
    str
    """
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 3] + "..."


def put_title(ax: Axes, first: str, second: str = "", latex: str = "") -> None:
    """Write the title: the formula, and below it in smaller letters what was done.

    Parameters
    ----------
    ax : Axes
        Where.
    first : str
        The formula, or a title; it is shown as it is.
    second : str
        The second line; what was there from an earlier call is replaced.
    latex : str
        The formula as LaTeX, which takes the place of the first where matplotlib can set it and there is room.
    """
    for old in [text for text in ax.texts if text.get_gid() == "subtitle"]:
        old.remove()
    room = _room(ax)
    size, deep = _set_size(latex, 12, room)
    if size:
        ax.set_title(f"${latex}$", loc="left", fontsize=size, parse_math=True, pad=(19 if second else 6) + deep)
    else:
        size, text = fitted(first, 11, room)
        ax.set_title(text, loc="left", fontsize=size, parse_math=False, pad=20 if second else 6)
    if second:
        size, text = fitted(second, 9, room)
        ax.annotate(
            text, (0, 1), (0, 5), xycoords="axes fraction", textcoords="offset points", fontsize=size,
            color="0.35", parse_math=False, gid="subtitle",
        )  # fmt: skip


def mathematics(objective: Any) -> str:
    """Give an objective as LaTeX for a title; nothing where it has none.

    Parameters
    ----------
    objective : Objective or None
        The objective.

    Returns
    -------
    str
    """
    try:
        found = objective.latex() if objective is not None and len(objective.text) <= _LONGEST else ""
        return str(found).replace(r"\frac", r"\dfrac")
    except Exception:  # noqa: BLE001 - whatever it is, there is the text
        return ""


def _set_size(latex: str, size: float, room: float) -> tuple[float, float]:
    """Give the size at which mathematics fits in a width, and how far it goes below its line, in points.

    The size is 0 where it does not fit, or is more than matplotlib sets.
    """
    try:
        found = MathTextParser("path").parse(f"${latex}$", prop=FontProperties(size=size))
    except ValueError:
        return 0.0, 0.0
    smaller = min(size, size * room / max(float(found.width), 1.0))
    return (smaller, float(found.depth) * smaller / size) if latex and smaller >= 0.7 * size else (0.0, 0.0)


def _room(ax: Axes) -> float:
    """Give the width that a title has, in points: layouts are made later, and make no room for titles."""
    figure: Any = ax.figure
    share = float(figure.bbox.width / figure.get_figure(root=True).bbox.width)
    spec = ax.get_subplotspec()
    if spec is None:
        width = ax.get_position().width
    else:
        columns = spec.get_topmost_subplotspec()
        width = (columns.colspan.stop - columns.colspan.start) / columns.get_gridspec().ncols
    inches = width * share * float(figure.get_figure(root=True).get_figwidth())
    return max(72.0, 72.0 * (inches - 0.8))


def fitted(text: str, size: float, room: float) -> tuple[float, str]:
    """Make a text fit in a width: by smaller letters first, then by leaving its end away.

    Parameters
    ----------
    text : str
        The text.
    size : float
        The size of letters that it should have, in points.
    room : float
        The width, in points.

    Returns
    -------
    size : float
        The size of letters.
    text : str
        What there is room for.
    """
    flat = shorten(text, _LONGEST)  # the outlines of a letter take a millisecond
    wide = _width(flat, size)
    if wide <= room:
        return size, flat
    smaller = max(0.8 * size, size * room / wide)
    while len(flat) > 8 and _width(flat, smaller) > room:
        most = int(len(flat) * room / _width(flat, smaller))
        flat = shorten(flat, max(8, min(most, len(flat) - 1)))
    return smaller, flat


def _width(text: str, size: float) -> float:
    drawn = TextPath((0, 0), text.replace("$", r"\$"), size=size)
    return float(drawn.get_extents().width) if len(drawn.vertices) else 0.0


def name_axes(ax: Axes, x: str, y: str) -> None:
    """Label both axes, in plain text.

    Parameters
    ----------
    ax : Axes
        Where.
    x : str
        The label of the horizontal axis.
    y : str
        The label of the vertical one.
    """
    for put, label in ((ax.set_xlabel, x), (ax.set_ylabel, y)):
        put(label, parse_math=False, fontsize=8.5 if "\n" in label else 10)
    for axis in (ax.xaxis, ax.yaxis):
        formatter = axis.get_major_formatter()
        if isinstance(formatter, ScalarFormatter):  # whoever gave the Axes may have chosen another
            formatter.set_useOffset(False)
    ax.yaxis.get_offset_text().set(x=-0.01, horizontalalignment="right")  # where it usually is, stands the title


def put_legend(ax: Axes, x: Vector, y: Vector, **options: Any) -> None:
    """Show the legend in the emptiest corner.

    Parameters
    ----------
    ax : Axes
        Where; its limits and scales are settled.
    x : ndarray, shape (k,)
        Where the points are that the legend should not cover; the first and the last count most.
    y : ndarray, shape (k,)
        Their other coordinates.
    **options : object
        Passed to ``Axes.legend``.
    """
    # Axes.legend(loc="best") takes seconds on long paths, and warns of it.
    if 1 < len(x) < _FEW:  # the lines in between must not be covered either
        finer = np.linspace(0, len(x) - 1, 8 * (len(x) - 1) + 1)
        x, y = (np.interp(finer, np.arange(len(x)), values) for values in (x, y))
    across, up = ax.transAxes.inverted().transform(ax.transData.transform(np.column_stack([x, y]))).T
    up = np.where((up >= 0) & (up <= 1), up, np.nan)  # what the picture cuts off cannot be covered
    weight = np.ones(len(x))
    weight[[0, -1]] = len(x)
    places = {
        f"{'upper' if top else 'lower'} {'right' if right else 'left'}": float(
            weight[((across > 0.6) if right else (across < 0.4)) & ((up > 0.68) if top else (up < 0.32))].sum()
        )
        for top in (True, False)
        for right in (True, False)
    }
    place = min(places, key=places.__getitem__)
    look = {"loc": place, "fontsize": 8.5, "framealpha": 0.92, "edgecolor": "0.85", **options}
    legend = ax.legend(**look)
    for text in legend.get_texts():
        text.set_parse_math(False)
    for handle in legend.legend_handles:
        if isinstance(handle, Line2D):  # rings and stars are as large as a line of the legend at most
            handle.set_markersize(min(float(handle.get_markersize()), 11.0))
