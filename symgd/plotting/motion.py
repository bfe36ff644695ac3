"""What moves in a picture: which artists change with the step, and how.

Whoever draws something that a descent changes says so here (`grow`, `appear`, `moves`), and so every picture that shows
a descent can be animated (`films.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from symgd.records import dataclass

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.lines import Line2D
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Moving:
    """What an artist does: up to which step, and what it is at each."""

    last: int
    at: Callable[[int], None]
    head: Callable[[int], NDArray[np.float64]] | None = None  # where a dot goes along, if one does
    told: Callable[[int], str] | None = None  # what is to be said of a step, besides its number


MOVING: WeakKeyDictionary[Artist, Moving] = WeakKeyDictionary()


def moves(artist: Artist, last: int, at: Callable[[int], None], told: Callable[[int], str] | None = None) -> None:
    """Say that an artist changes with the step.

    Parameters
    ----------
    artist : Artist
        What changes.
    last : int
        The step after which it stays as it is.
    at : callable
        Takes a step, and makes the artist what it is there.
    told : callable, optional
        Takes a step, and gives the line that is written instead of its number.
    """
    MOVING[artist] = Moving(last, at, told=told)


def grow(
    line: Line2D, steps: NDArray[Any], points: NDArray[np.float64], *, head: bool = False,
    told: Callable[[int], str] | None = None,
) -> None:  # fmt: skip
    """Say that a line grows with the step.

    Parameters
    ----------
    line : Line2D
        The line, of two or three coordinates.
    steps : ndarray of int, shape (m,)
        At which step each of its points is reached.
    points : ndarray, shape (m, k)
        Its points.
    head : bool
        Whether a dot marks where it is.
    told : callable, optional
        As for `moves`; takes the place of a point among them.
    """
    put: Any = getattr(line, "set_data_3d", line.set_data)

    def count(step: int) -> int:
        return max(1, int(np.searchsorted(steps, step, side="right")))

    MOVING[line] = Moving(
        int(steps[-1]),
        lambda step: put(*points[: count(step)].T),
        (lambda step: points[count(step) - 1]) if head else None,
        None if told is None else lambda step: told(count(step) - 1),
    )


def appear(artist: Artist, step: int) -> None:
    """Say that an artist is seen from a step on.

    Parameters
    ----------
    artist : Artist
        What appears.
    step : int
        When.
    """
    MOVING[artist] = Moving(step, lambda now: artist.set_visible(now >= step))
