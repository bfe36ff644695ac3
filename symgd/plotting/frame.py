"""What the axes of a landscape are: the parameters, or of more than two the plane in which a path lies best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from symgd.errors import UsageError, safe, suggest
from symgd.plotting import grid, style
from symgd.records import dataclass

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from symgd.plotting.grid import Field
    from symgd.plotting.view import Range, Vector

_TERMS = 3  # parameters that the label of a direction has room for
_SMALL = 0.05  # a share of a direction, below which a parameter is not named


@dataclass(frozen=True, eq=False)
class Frame:
    """The coordinates of a picture.

    Parameters
    ----------
    field : Objective or Kernel
        What is drawn.
    labels : tuple of str
        A name for each axis.
    origin : ndarray, shape (n,)
        The point at which all coordinates are 0.
    axes : ndarray, shape (k, n)
        The directions in which they grow, of length 1 and at right angles.
    note : str
        What is to be said of it; nothing where the axes are the parameters.
    """

    field: Field
    labels: tuple[str, ...]
    origin: Vector
    axes: Vector
    note: str = ""

    @property
    def plain(self) -> bool:
        """Whether the axes are the parameters."""
        return not self.note

    def project(self, points: Vector) -> Vector:
        """Give the coordinates of points, or of what of them lies in the plane; shape (m, k)."""
        if self.plain:
            return points
        with np.errstate(all="ignore"):
            found: Vector = (points - self.origin) @ self.axes.T
        return found

    def heights(self, *coordinates: Vector) -> Vector:
        """Give the objective's values at coordinates, of their shape; nan where it has none."""
        if self.plain:
            return grid.values(self.field, dict(zip(self.labels, coordinates, strict=True)))
        flat = np.stack([c.ravel() for c in coordinates], axis=1) @ self.axes + self.origin
        return grid.one_by_one(self.field, flat).reshape(coordinates[0].shape)

    @property
    def side(self) -> int:
        """Points along each axis that a picture can afford."""
        return grid.side(self.field, len(self.labels), plain=self.plain)


def of_parameters(field: Field) -> Frame:
    """Give the frame whose axes are the parameters.

    Parameters
    ----------
    field : Objective or Kernel
        Of one or two parameters.

    Returns
    -------
    Frame
    """
    count = len(field.names)
    return Frame(field, tuple(field.names), np.zeros(count), np.eye(count))


def along(field: Field, path: Vector) -> Frame:
    """Give the frame for a path: the parameters, or the plane through its end in which most of the path lies.

    The label of a direction says which share it has of the squared distances from the end.

    Parameters
    ----------
    field : Objective or Kernel
        What is drawn.
    path : ndarray, shape (m, n)
        Points, all finite.

    Returns
    -------
    Frame

    References
    ----------
    Li, Xu, Taylor, Studer and Goldstein 2018, Visualizing the loss landscape of neural nets, section 7.2.
    """
    if path.shape[1] <= 2:
        return of_parameters(field)
    end = path[-1]
    away = path - end
    size = float(np.abs(away).max()) or 1.0
    _, lengths, ways = np.linalg.svd(away / size, full_matrices=False)
    squares = lengths * lengths
    total = float(squares.sum())
    first, second = _two(ways, lengths, path.shape[1])
    shares = [float(s) / total if total > 0 else 0.0 for s in (*squares[:2], 0.0)[:2]]
    labels = tuple(
        f"principal direction {place} of the path ({100 * share:.3g} %):\n{_spell(way, tuple(field.names))}"
        for place, way, share in zip((1, 2), (first, second), shares, strict=True)
    )
    return Frame(field, labels, end, np.stack([first, second]), "slice through the end")


def _two(ways: Vector, lengths: Vector, count: int) -> tuple[Vector, Vector]:
    """Give two directions at right angles: those of the path, completed where it is a point or a straight line."""
    chosen: list[Vector] = [w for w, s in zip(ways, lengths, strict=True) if s > 1e-12 * max(lengths[0], 1e-300)][:2]
    while len(chosen) < 2:
        rest = np.eye(count)
        for way in chosen:
            rest -= np.outer(rest @ way, way)
        sizes = np.linalg.norm(rest, axis=1)
        place = int(np.argmax(sizes))
        chosen.append(rest[place] / sizes[place])
    first, second = (way if way[np.argmax(np.abs(way))] > 0 else -way for way in chosen)
    return first, second


def _spell(way: Vector, names: tuple[str, ...]) -> str:
    order = [int(i) for i in np.argsort(-np.abs(way), kind="stable")[:_TERMS] if abs(way[i]) >= _SMALL]
    terms = [f"{'-' if way[i] < 0 else '+'} {abs(way[i]):.2g} {names[i]}" for i in order]
    text = " ".join(terms).removeprefix("+ ")
    return text + (" ..." if np.linalg.norm(way[order]) < 1 - 1e-3 else "")


def ranges_of(frame: Frame, ranges: Mapping[str, Any] | None) -> tuple[Range | None, ...]:
    """Check the ranges that were asked for, and put them in order.

    Parameters
    ----------
    frame : Frame
        The coordinates.
    ranges : mapping of str to tuple of float, optional
        From where to where, by parameter.

    Returns
    -------
    tuple of tuple of float or None
        For each axis, ``None`` where nothing was asked for.

    Raises
    ------
    UsageError
        If a range is none, or of no parameter, or the axes are no parameters.
    """
    asked = dict(ranges or {})
    if asked and not frame.plain:
        raise UsageError("ranges are for pictures of one or two parameters; of more, the plane of the path is drawn")
    for name in asked:
        if name not in frame.labels:
            near = suggest(str(name), list(frame.labels))
            hint = f"did you mean '{near}'?" if near else f"its parameters are {', '.join(frame.labels)}"
            raise UsageError(f"ranges has '{safe(name)}', which the objective has not; {hint}")
    return tuple(checked_range(name, asked[name]) if name in asked else None for name in frame.labels)


_SHOWN: WeakKeyDictionary[Axes, tuple[str, Mapping[str, Any]]] = WeakKeyDictionary()


def claim(ax: Axes, formula: str, data: Mapping[str, Any]) -> None:
    """Take axes for the landscape of an objective: what is drawn into them later must be of the same.

    Parameters
    ----------
    ax : Axes
        The axes.
    formula : str
        The objective's text.
    data : mapping
        Its data.

    Raises
    ------
    UsageError
        If they show that of another objective.
    """
    known, held = _SHOWN.setdefault(ax, (formula, data))
    same = known == formula and set(held) == set(data)
    if not same or any(v is not data[n] and not np.array_equal(v, data[n]) for n, v in held.items()):
        what = f"'{safe(style.shorten(known, 60))}'" + ("" if known != formula else " of other data")
        raise UsageError(
            f"these axes show the landscape of {what}, on which a run of '{safe(style.shorten(formula, 60))}' would be "
            "misread; give it axes of its own, or compare values by kind='loss'"
        )


def checked_range(name: str, given: Any) -> Range:
    """Check a range.

    Parameters
    ----------
    name : str
        Whose it is.
    given : object
        What was given.

    Returns
    -------
    tuple of float

    Raises
    ------
    UsageError
        If it is no two finite numbers that rise.
    """
    try:
        low, high = (float(end) for end in given)
    except (TypeError, ValueError):
        raise UsageError(f"ranges['{name}']={safe(given)} must be two numbers, such as (-3, 3)") from None
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise UsageError(f"ranges['{name}']={safe(given)} must be finite and rising, such as (-3, 3)")
    return low, high
