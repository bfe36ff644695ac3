"""What derivatives say at a place: the gradient as arrows, the tangent of a curve, the ellipse of the curvature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from symgd.errors import UsageError
from symgd.kernel import Kernel
from symgd.plotting import motion, style, view
from symgd.plotting.frame import ranges_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from symgd.plotting.frame import Frame
    from symgd.plotting.view import Range, Vector
    from symgd.run import Run

_ARROWS = (19, 13)  # across and up
_LONG = 0.17  # of the picture: the tangent to either side, the gradient, the longer half axis of an ellipse
_FLAT = 1e-9  # of the larger eigenvalue, below which one is taken for 0
_SWEEP = 100  # frames in which a tangent goes along its curve


def reach(window: list[Range], at: Vector) -> list[Range]:
    """Widen a window so that what is drawn at a place has room.

    Parameters
    ----------
    window : list of tuple of float
        For each axis, from where to where.
    at : ndarray, shape (k,)
        The place.

    Returns
    -------
    list of tuple of float
    """
    size = 1.25 * _LONG * min(high - low for low, high in window)
    return [(min(low, x - size), max(high, x + size)) for (low, high), x in zip(window, at.tolist(), strict=True)]


def slopes(frame: Frame, points: Vector) -> Vector:
    """Give the gradient at points, or of it what lies in the plane of the picture.

    Parameters
    ----------
    frame : Frame
        The objective and the coordinates.
    points : ndarray, shape (m, k)
        Coordinates of the picture.

    Returns
    -------
    ndarray, shape (m, k)
    """
    field = frame.field
    flat = points if frame.plain else points @ frame.axes + frame.origin
    if not isinstance(field, Kernel) and field.names == field.params:
        found = field.gradient_at(dict(zip(field.params, flat.T, strict=True)))
        full = np.stack([found[name] for name in field.params], axis=1)
    else:
        kernel = field if isinstance(field, Kernel) else field.kernel()
        with np.errstate(all="ignore"):
            full = np.array([kernel.sign * kernel.slope(np.ascontiguousarray(x))[1] for x in flat])
    given: Vector = full if frame.plain else full @ frame.axes.T
    return given


def draw_field(ax: Axes, frame: Frame) -> None:
    """Draw the gradient as arrows over the window: they point uphill, and are longer where it is steeper.

    Parameters
    ----------
    ax : Axes
        Where; its limits are settled.
    frame : Frame
        The objective and its two coordinates.
    """
    sides = [
        np.linspace(*ends, n + 1)[:-1] + (ends[1] - ends[0]) / (2 * n)
        for ends, n in zip((ax.get_xlim(), ax.get_ylim()), _ARROWS, strict=True)
    ]
    places = np.stack([side.ravel() for side in np.meshgrid(*sides)], axis=1)
    found = slopes(frame, places)
    extents = np.array([np.ptp(ax.get_xlim()), np.ptp(ax.get_ylim())])
    # As it is seen: each coordinate in shares of the picture, unless both have one scale.
    scale = np.full(2, extents.max()) if ax.get_aspect() != "auto" else extents
    arrows = found * (scale / scale.max()) if ax.get_aspect() != "auto" else found * scale
    sizes = np.linalg.norm(arrows, axis=1)
    seen = np.isfinite(sizes) & (sizes > 0)
    if not seen.any():
        return
    # Lengths by the square root: of a bowl, the arrows near its bottom would be points.
    length = np.sqrt(np.minimum(sizes[seen] / np.quantile(sizes[seen], 0.95), 1.0))
    ways = arrows[seen] / sizes[seen][:, None] * length[:, None]
    ax.plot([], [], color="0.25", linewidth=1.2, marker=">", markersize=5, label="gradient, uphill")
    ax.quiver(
        *places[seen].T, *ways.T, color="0.25", pivot="mid", units="width", scale=_ARROWS[0] * 1.15, width=0.0022,
        headwidth=4.5, zorder=2, gid="field",
    )  # fmt: skip


def draw_tangent(ax: Axes, frame: Frame, at: Vector) -> None:
    """Draw the tangent of a curve at a place; animated, it goes along the curve.

    Parameters
    ----------
    ax : Axes
        Where; its limits are settled.
    frame : Frame
        The objective and its coordinate.
    at : ndarray, shape (1,)
        The place.
    """
    low, high = ax.get_xlim()
    reach = _LONG * (high - low)
    name = frame.labels[0]
    (line,) = ax.plot([], [], color=style.PATH, linewidth=1.8, zorder=4, gid="tangent")
    (dot,) = ax.plot([], [], linestyle="", marker="o", markersize=7, color=style.PATH, zorder=5, gid="point",
                     markeredgecolor="white")  # fmt: skip

    def put(x: float) -> str:
        height, slope = float(frame.heights(np.array([x]))[0]), float(slopes(frame, np.array([[x]]))[0, 0])
        line.set_data([x - reach, x + reach], [height - reach * slope, height + reach * slope])
        dot.set_data([x], [height])
        told = f"tangent at {name} = {view.spell(x, high - low)}: slope {slope:.4g}"
        for text in legend.get_texts() if (legend := ax.get_legend()) else []:
            if text.get_text().startswith("tangent"):
                text.set_text(told)
        return told

    line.set_label(put(float(at[0])))
    places = np.linspace(low, high, _SWEEP + 1)

    def told(step: int) -> str:
        return put(float(places[min(step, _SWEEP)]))

    motion.moves(line, _SWEEP, lambda _: None, told)  # what is told puts the line where it is told of
    motion.moves(dot, _SWEEP, lambda _: None)


def draw_curvature(ax: Axes, frame: Frame, at: Vector) -> None:
    """Draw the gradient at a place, and the ellipse of the Hessian: its half axes go as 1 over the root of eigenvalues.

    Along a direction whose curvature is negative, the axis is dashed; then there is no ellipse.

    Parameters
    ----------
    ax : Axes
        Where; its limits are settled.
    frame : Frame
        The objective and its two coordinates, which are its parameters.
    at : ndarray, shape (2,)
        The place.
    """
    field = frame.field
    kernel = field if isinstance(field, Kernel) else field.kernel()
    values, vectors = np.linalg.eigh(kernel.sign * kernel.hessian(np.ascontiguousarray(at)))
    extents = np.array([np.ptp(ax.get_xlim()), np.ptp(ax.get_ylim())])
    size = _LONG * float(extents.min())
    ax.plot(*at, linestyle="", marker="o", markersize=6, color="black", markeredgecolor="white", zorder=6, gid="point")
    slope = slopes(frame, at[None])[0]
    if np.linalg.norm(slope) > 0:
        tip = at + slope / np.linalg.norm(slope) * size
        arrow: dict[str, Any] = {"arrowstyle": "-|>", "color": "black", "linewidth": 1.6, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", xy=tuple(tip), xytext=tuple(at), arrowprops=arrow, zorder=6, gid="gradient")
    ax.plot([], [], color="black", linewidth=1.6, label=f"gradient ({', '.join(f'{g:.4g}' for g in slope)})")
    largest = float(np.abs(values).max())
    bent = np.abs(values) > _FLAT * largest
    if not largest > 0:
        return
    halves = np.where(bent, 1 / np.sqrt(np.where(bent, np.abs(values), 1.0)), np.inf)
    halves *= size / float(halves[bent].max())
    told = f"curvature {', '.join(f'{v:.4g}' for v in values)}"
    for value, half, way in zip(values, np.minimum(halves, size), vectors.T, strict=True):
        ends = np.stack([at - half * way, at + half * way])
        ax.plot(
            *ends.T, color="black", linewidth=1.1, linestyle="--" if value < 0 else "-", zorder=5, gid="eigenvector"
        )
    angle = np.linspace(0, 2 * np.pi, 121)
    if bent.all() and (values > 0).all() == (values > 0).any():
        ring = at + (np.stack([np.cos(angle), np.sin(angle)], axis=1) * halves) @ vectors.T
        ax.plot(*ring.T, color="black", linewidth=1.6, zorder=5, gid="curvature", label=told)
    else:
        ax.plot([], [], color="black", linewidth=1.1, linestyle="--", label=told)


def check(frame: Frame | None, kind: str, ranges: Mapping[str, Range] | None, at: Any, *, field: bool) -> None:
    """Refuse what a picture has no place for.

    Parameters
    ----------
    frame : Frame or None
        The coordinates of the landscape, where one is drawn.
    kind : str
        The kind of picture.
    ranges : mapping of str to tuple of float or None
        From where to where.
    at : object
        A point, or nothing.
    field : bool
        Whether the gradient is drawn.

    Raises
    ------
    UsageError
        If something is asked for that is not drawn.
    """
    if frame is None and ranges:
        raise UsageError("ranges are for the landscape, and the loss is drawn; leave them out")
    if frame is None and (field or at is not None):
        raise UsageError("field= and at= are for the landscape, and the loss is drawn; leave them out")
    if frame is None:
        return
    ranges_of(frame, ranges)
    if len(frame.labels) == 1 and (field or kind == "surface"):
        what = "kind='surface'" if kind == "surface" else "field=True"
        raise UsageError(f"{what} is for two parameters, and this objective has one; at= draws its tangent")
    if at is not None and not frame.plain:
        raise UsageError("at= is for pictures of one or two parameters; of more, the plane of the path is drawn")


def place(frame: Frame, run: Run | None, at: Any) -> Vector | None:
    """Give the point at which derivatives are drawn.

    Parameters
    ----------
    frame : Frame
        The coordinates.
    run : Run or None
        Whose start or end may be meant.
    at : object
        What was given.

    Returns
    -------
    ndarray or None

    Raises
    ------
    UsageError
        If it is no point.
    """
    if at is None:
        return None
    if run is not None and isinstance(at, str) and at in ("start", "end"):
        return run.history.point[0] if at == "start" else run.x
    field = frame.field
    if isinstance(field, Kernel):
        raise UsageError("at= is for objectives and runs")
    return field.vector(at)


def draw(ax: Axes, frame: Frame, at: Vector | None, *, field: bool) -> None:
    """Draw what was asked for of the gradient, and of derivatives at a point.

    Parameters
    ----------
    ax : Axes
        Where; its limits are settled.
    frame : Frame
        The objective and the coordinates.
    at : ndarray or None
        The point.
    field : bool
        Whether the gradient is drawn all over.
    """
    if field:
        draw_field(ax, frame)
    if at is not None:
        (draw_tangent if len(frame.labels) == 1 else draw_curvature)(ax, frame, at)
    if at is not None or field:
        corners = np.array([ax.get_xlim(), ax.get_ylim()]).T
        points = [line.get_xydata() for line in ax.lines if line.get_gid() in ("path", "curve", "point")]
        style.put_legend(ax, *np.vstack([np.asarray(p) for p in points] or [corners]).T)
