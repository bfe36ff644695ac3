"""The axes of a map: what varies along each, from where to where, and in how many cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd import checks
from symgd.errors import UsageError, shown
from symgd.records import dataclass

Vector = NDArray[np.float64]

DECADES = 100.0  # high over low from which on an axis is logarithmic
CELLS = 200  # along each axis, when nothing is said
MOST = 100_000_000  # cells of a map


@dataclass(frozen=True, eq=False)
class Axis:
    """What varies along one side of a map.

    Parameters
    ----------
    name : str
        ``lr``, a hyperparameter, or a parameter, whose start varies.
    kind : str
        ``"lr"``, ``"hyper"`` or ``"start"``.
    low : float
        Where the first cell begins.
    high : float
        Where the last one ends.
    count : int
        How many cells there are.
    """

    name: str
    kind: str
    low: float
    high: float
    count: int

    @property
    def log(self) -> bool:
        """Whether cells are equally wide on a logarithmic scale: where the range spans two decades or more."""
        return self.low > 0 and self.high >= DECADES * self.low

    def spread(self, places: Vector) -> Vector:
        """Give the values at parts of the way from low to high, 0 to 1."""
        if self.log:
            found: Vector = self.low * np.exp(np.log(self.high / self.low) * places)
            return found
        return self.low + (self.high - self.low) * places

    @property
    def values(self) -> Vector:
        """The value in the middle of each cell, at which its descent is run; shape (count,)."""
        return self.spread((np.arange(self.count) + 0.5) / self.count)

    def to_dict(self) -> dict[str, object]:
        """Give it as plain data."""
        scale = "log" if self.log else "linear"
        return {
            "name": self.name, "kind": self.kind, "low": self.low, "high": self.high, "scale": scale,
            "values": self.values.tolist(),
        }  # fmt: skip

    def __str__(self) -> str:
        start = "start " if self.kind == "start" else ""
        return f"{start}{self.name} from {self.low:.6g} to {self.high:.6g}{', logarithmic' if self.log else ''}"


def is_range(value: object) -> bool:
    """Tell whether an option is a range: two numbers in a tuple, a list or an array."""
    return isinstance(value, tuple | list | np.ndarray) and np.shape(value) == (2,)


def axis(name: str, kind: str, given: Any, count: int) -> Axis:
    """Make an axis of a range that was given.

    Parameters
    ----------
    name : str
        What varies.
    kind : str
        As for `Axis`.
    given : sequence of two numbers
        Low and high.
    count : int
        How many cells.

    Returns
    -------
    Axis

    Raises
    ------
    UsageError
        If the range is none.
    """
    low, high = (checks.number(name, end, "a range (low, high) of finite numbers") for end in given)
    if not low < high:
        raise UsageError(f"{name}={shown(given)} must have low below high")
    if not np.isfinite(high - low):
        raise UsageError(f"{name}={shown(given)} is wider than float64 holds")
    if kind == "lr" and low < 0:
        raise UsageError(f"lr={shown(given)} must not begin below 0")
    return Axis(name, kind, low, high, count)


def sizes(size: object) -> tuple[int, int]:
    """Give how many cells there are, across and up.

    Parameters
    ----------
    size : int, pair of int, or None
        What was given.

    Returns
    -------
    tuple of int

    Raises
    ------
    UsageError
        If they are no numbers of cells, or too many.
    """
    pair = size if is_range(size) else (CELLS if size is None else size,) * 2
    across, up = (checks.whole("size", n, 1) for n in pair)  # type: ignore[attr-defined]
    if across * up > MOST:
        raise UsageError(f"size={shown(size)} is more than {MOST:,} cells")
    return across, up


def split(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tell options that are ranges from others."""
    ranges = {name: value for name, value in given.items() if is_range(value)}
    return ranges, {name: value for name, value in given.items() if name not in ranges}
