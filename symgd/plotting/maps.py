"""Maps: how many steps a descent takes, over two of learning rate, hyperparameters and start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import patheffects
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, LogNorm, Normalize, to_rgb
from matplotlib.lines import Line2D
from matplotlib.mathtext import MathTextParser
from matplotlib.patches import Patch
from matplotlib.ticker import LogFormatter, NullLocator

from symgd.many.result import ROUNDING
from symgd.plotting import style, view
from symgd.plotting.starts import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from symgd.many import Axis, Map
    from symgd.many.result import Minimum
    from symgd.plotting.view import Vector

_ORDER = (1, 0, 2, 3, 4, 5)  # of the colours: what is alone is blue, as landscapes are
_DARK, _PALE = 0.11, 0.80  # of the light that is reflected: where the fewest steps were taken, and the most
_SHADES = 256
_SLOW = 0.93  # grey where a descent did not converge in time: a little paler than the slowest that did
_LOST = 0.1  # grey where it diverged: all but black
_OTHER = (0.0, 0.0, 0.0)  # what converged to no minimum has shades of grey
_SPREAD = 20.0  # most over fewest steps from which on shades follow the logarithm
_BOUNDARY = "#FFFFFF"
_DEEP = 0.02  # of the picture: how far from its edge a region must reach to be numbered
_MEASURED = 400  # cells along an axis, of which every so many tell where a number stands


def plot_map(found: Map, ax: Axes | None = None, *, boundary: bool = True, title: str | None = None) -> Axes:
    """Draw how many steps descents take to converge: a hue for each minimum, the darker the fewer steps.

    Cells of one number of steps are equally dark whatever their hue, so that the picture can be read without colours;
    then the numbers in it tell the minima apart. Where a descent diverged, it is black. The dashed line is the exact
    boundary of stability that `Rule.theory` gives on quadratics with the largest curvature of a minimum.

    Parameters
    ----------
    found : Map
        The map.
    ax : Axes, optional
        Where to draw; by default a new figure.
    boundary : bool
        Whether the boundary is drawn.
    title : str, optional
        The first line of the title; by default the formula as mathematics. ``""`` for no title at all.

    Returns
    -------
    Axes

    Examples
    --------
    >>> from symgd import Objective
    >>> found = Objective("x**2/2 + 5*y**2", tier="python").map(
    ...     lr=(0, 0.4), beta=(0, 1), start={"x": 1, "y": 1}, size=8, steps=100
    ... )
    >>> ax = plot_map(found)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('learning rate lr', 'beta')

    References
    ----------
    Goh 2017, Why momentum really works.
    """
    ax = style.new_axes(8.4, 5.4) if ax is None else ax
    across, up = found.axes
    _prepare(ax, across, up)
    norm = _norm(found)
    _draw_cells(ax, found, _colours(found, norm))
    ax.set_xlim(across.low, across.high)
    ax.set_ylim(up.low, up.high)
    if across.kind == up.kind == "start" and not (across.log or up.log):
        *_, same = view.to_scale((across.low, across.high), (up.low, up.high))
        ax.set_aspect("equal" if same else "auto", adjustable="box")
    if boundary:
        _draw_boundaries(ax, found)
    _mark_minima(ax, found)
    _number_regions(ax, found)
    _put_bar(ax, found, norm)
    _put_legend(ax, found, boundary=boundary)
    if title != "":
        style.put_title(ax, found.plan.formula if title is None else title, _told(found))
        if title is None:
            _put_formula(ax, found)
    return ax


def _prepare(ax: Axes, across: Axis, up: Axis) -> None:
    """Set scales and labels."""
    ax.set_xscale("log" if across.log else "linear")
    ax.set_yscale("log" if up.log else "linear")
    style.name_axes(ax, *(
        {"lr": "learning rate lr", "start": f"start of {a.name}"}.get(a.kind, a.name) for a in (across, up)
    ))  # fmt: skip


def _draw_cells(ax: Axes, found: Map, colours: NDArray[np.uint8]) -> None:
    across, up = found.axes
    if not (across.log or up.log):
        extent = (across.low, across.high, up.low, up.high)
        ax.imshow(colours, origin="lower", aspect="auto", zorder=0, extent=extent).set_gid("map")
        return
    edges = (a.spread(np.linspace(0.0, 1.0, a.count + 1)) for a in (across, up))  # an image would be stretched
    ax.pcolormesh(*edges, colours, zorder=0, rasterized=True).set_gid("map")


# ---- colours -------------------------------------------------------------------------------------------------------


def _norm(found: Map) -> Normalize:
    """Give the scale of the steps: logarithmic where they differ much."""
    steps = found.steps[found.converged]
    if not steps.size:
        return Normalize(1.0, float(found.plan.steps))
    low, high = max(1.0, float(np.quantile(steps, 0.002))), float(max(steps.max(), 2))
    return LogNorm(low, high, clip=True) if high > _SPREAD * low else Normalize(low, max(high, low + 1.0), clip=True)


def shades(colour: Any, count: int = _SHADES) -> NDArray[np.float64]:
    """Give shades of a colour from dark to pale, which reflect the same light whatever the colour.

    Parameters
    ----------
    colour : object
        Any colour that matplotlib knows.
    count : int
        How many.

    Returns
    -------
    ndarray, shape (count, 3)
    """
    light = _linear(np.array(to_rgb(colour)))
    weights = np.array([0.2126, 0.7152, 0.0722])
    base = light * (_DARK / float(weights @ light)) if light.any() else np.full(3, _DARK)
    if base.max() > 1.0:  # no colour is brighter than the screen: mix some white in, and darken it again
        base = base / base.max()
        gap = (_DARK - float(weights @ base)) / (1.0 - float(weights @ base))
        base = base + gap * (1.0 - base)
    # Equal steps to the eye: lightness goes with the cube root of the light (CIE 1976).
    wanted = np.linspace(_DARK ** (1 / 3), _PALE ** (1 / 3), count) ** 3
    share = (wanted - _DARK) / (1.0 - _DARK)
    mixed = base + share[:, None] * (1.0 - base)
    return np.where(mixed <= 0.0031308, 12.92 * mixed, 1.055 * np.maximum(mixed, 1e-12) ** (1 / 2.4) - 0.055)


def _linear(rgb: Vector) -> Vector:
    """Give the light of a colour of the screen (IEC 61966-2-1)."""
    found: Vector = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return found


def _hue(place: int) -> str:
    return COLOURS[_ORDER[place % len(COLOURS)]]


def _colours(found: Map, norm: Normalize) -> NDArray[np.uint8]:
    """Give the picture."""
    shown = np.full((*found.shape, 3), _SLOW)
    shade = np.clip(np.asarray(norm(found.steps.astype(np.float64))) * (_SHADES - 1), 0, _SHADES - 1).astype(np.int64)
    reached = np.where(found.converged, found.reached, -2)
    for place in range(-1, len(found.minima)):
        mine = reached == place
        shown[mine] = shades(_OTHER if place < 0 else _hue(place))[shade[mine]]
    shown[found.lost] = _LOST
    return (255 * shown).astype(np.uint8)


def _put_bar(ax: Axes, found: Map, norm: Normalize) -> None:
    """Show which shade is how many steps: in grey where there are several hues."""
    if not found.converged.any():
        return
    colour = _hue(0) if len(found.minima) == 1 and not _unnamed(found) else _OTHER
    mappable = ScalarMappable(norm, ListedColormap(shades(colour)))
    room = ax.inset_axes((1.035, 0.0, 0.035, 0.42))
    room.set_gid("steps")
    bar = ax.figure.colorbar(mappable, cax=room)
    bar.set_label("steps to converge", fontsize=9)
    bar.ax.tick_params(labelsize=8.5)
    if isinstance(norm, LogNorm):
        places = [n * 10**k for k in range(9) for n in (1, 2, 5) if norm.vmin <= n * 10**k <= norm.vmax]
        bar.ax.yaxis.set_major_formatter(LogFormatter(labelOnlyBase=False))
        bar.set_ticks(places, labels=[f"{place:,}" for place in places])
    bar.ax.yaxis.set_minor_locator(NullLocator())


# ---- what stands on it ---------------------------------------------------------------------------------------------

_HALO = [patheffects.withStroke(linewidth=2.6, foreground="0.1")]
_STYLES: tuple[Any, ...] = ("--", "-.", ":", (0, (6, 1.5)), (0, (1, 1)), (0, (4, 1, 1, 1, 1, 1)))


def _draw_boundaries(ax: Axes, found: Map) -> None:
    for curve in found.boundaries:
        ax.plot(*curve.points.T, color=_BOUNDARY, linestyle=_STYLES[curve.minimum % len(_STYLES)], linewidth=1.5,
                path_effects=_HALO, zorder=3, gid=f"boundary {curve.minimum}",
                scalex=False, scaley=False)  # fmt: skip


def _mark_minima(ax: Axes, found: Map) -> None:
    """Mark the minima that lie in a map over starts."""
    across, up = found.axes
    if not across.kind == up.kind == "start":
        return
    names = found.plan.kernel.names
    for place, minimum in enumerate(found.minima):
        at = _flat(found, minimum)
        x, y = at[names.index(across.name)], at[names.index(up.name)]
        if across.low <= x <= across.high and up.low <= y <= up.high:
            ax.plot(x, y, **{**style.END, "color": "white", "markeredgecolor": "0.1", "markersize": 13.0}, zorder=5,
                    linestyle="", gid=f"minimum {place}")  # fmt: skip


def _flat(found: Map, minimum: Minimum) -> Vector:
    params = found.plan.kernel.params
    return np.concatenate([np.ravel(np.asarray(minimum.point[name], dtype=np.float64)) for name in params])


def _number_regions(ax: Axes, found: Map) -> None:
    """Write a minimum's number where its region is widest."""
    if len(found.minima) < 2:
        return
    from scipy.ndimage import distance_transform_edt

    rows, columns = (np.arange(0, n, -(-n // _MEASURED)) for n in found.shape)
    reached = np.where(found.converged, found.reached, -2)[np.ix_(rows, columns)]
    across, up = found.axes
    for place in range(min(len(found.minima), len(COLOURS))):
        inside = np.pad(reached == place, 1)
        depth = distance_transform_edt(inside, sampling=(1 / len(rows), 1 / len(columns)))[1:-1, 1:-1]
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        if depth[row, column] < _DEEP:
            continue
        at = float(across.values[columns[column]]), float(up.values[rows[row]])
        ax.text(*at, str(place + 1), color="white", fontsize=10, fontweight="bold", ha="center", va="center", zorder=4,
                path_effects=_HALO, gid=f"number {place}")  # fmt: skip


def _unnamed(found: Map) -> int:
    """Count the cells that converged to what is no minimum."""
    return int((found.converged & (found.reached < 0)).sum())


def _put_legend(ax: Axes, found: Map, *, boundary: bool) -> None:
    handles: list[Any] = []
    several = len(found.minima) > 1
    for place, minimum in enumerate(found.minima[: len(COLOURS)]):
        number = f"{place + 1}: " if several else ""
        handles.append(Patch(color=shades(_hue(place))[_SHADES // 5], label=f"{number}{_named(found, minimum)}"))
    more = len(found.minima) - len(COLOURS)
    if more > 0:
        handles.append(Patch(color="none", label=f"{more:,} more minima, in the same hues again"))
    if _unnamed(found):
        handles.append(Patch(color=shades(_OTHER)[_SHADES // 5], label="converged, but to no minimum"))
    if not (found.converged | found.lost).all():
        label = f"not converged in {found.plan.steps:,} steps"
        handles.append(Patch(facecolor=str(_SLOW), edgecolor="0.6", linewidth=0.6, label=label))
    if found.lost.any():
        handles.append(Patch(color=str(_LOST), label="diverged"))
    for curve in found.boundaries if boundary else ():
        which = f" at minimum {curve.minimum + 1}" if several else ""
        handles.append(Line2D(
            [], [], color=_BOUNDARY, linestyle=_STYLES[curve.minimum % len(_STYLES)], linewidth=1.5,
            path_effects=_HALO, label=f"stable up to here{which}:\nlargest curvature {curve.largest:.4g}",
        ))  # fmt: skip
    legend = ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.02, 1.0), borderaxespad=0.0, fontsize=8.5,
                       frameon=False, handlelength=2.4)  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)


def _named(found: Map, minimum: Minimum) -> str:
    """Say where a minimum is, and how low."""
    value = minimum.value if abs(minimum.value) > ROUNDING else 0.0
    at = _flat(found, minimum)
    where = ", ".join(f"{v if abs(v) > 1e-9 else 0.0:.4g}" for v in at)
    place = "" if len(at) > 2 else f" at ({where})" if len(at) == 2 else f" at {where}"
    return f"{str(minimum.kind).replace('_', ' ')}{place}, f = {value:.4g}"


# ---- the title -----------------------------------------------------------------------------------------------------


def _told(found: Map) -> str:
    """Say in a line what was done."""
    plan = found.plan
    numbers = [f"{name} = {v if isinstance(v, str) else format(v, '.4g')}" for name, v in plan.numbers.items()]
    varied = {a.name for a in found.axes if a.kind == "start"}
    fixed = [(name, v) for name, v in zip(plan.kernel.names, plan.start.tolist(), strict=True) if name not in varied]
    start = [f"start {', '.join(f'{name} = {v:.4g}' for name, v in fixed)}"] if 0 < len(fixed) <= 4 else []
    return " · ".join([found.many.method, *numbers, *start, f"until the gradient's norm is {found.gtol:.2g}"])


def _put_formula(ax: Axes, found: Map) -> None:
    """Write the formula as mathematics, where matplotlib can, and where there is room."""
    formula = found.plan.latex()
    text = f"${formula}$"
    try:
        width = MathTextParser("path").parse(text, dpi=72).width if formula else 0.0
    except ValueError:  # what is LaTeX, and beyond matplotlib
        return
    size = 11.0
    room = ax.get_window_extent().width / ax.figure.dpi * 72.0
    if 0.0 < width * size / 10.0 <= room:
        ax.set_title(text, loc="left", fontsize=size, pad=20, parse_math=True)
