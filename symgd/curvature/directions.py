"""Directions, written in the parameters' names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import NDArray

from symgd.parameters import Shapes

if TYPE_CHECKING:
    from symgd.curvature.problem import Problem

Vector = NDArray[np.float64]

MANY = 20_000  # parameters from which names are made when they are asked for


class Names(Sequence[str]):
    """A name for each number of the parameters, made when it is asked for: a million of them would take 100 MB.

    Parameters
    ----------
    params : sequence of str
        The parameters.
    shapes : sequence of tuple of int
        Theirs.

    Examples
    --------
    >>> Names(("b", "W"), ((), (1000, 1000)))[501]
    'W[0,500]'
    """

    def __init__(self, params: Sequence[str], shapes: Sequence[tuple[int, ...]]) -> None:
        self._shapes = Shapes(params, shapes)

    def __len__(self) -> int:
        return self._shapes.size

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        """Give one name, or a list of some."""
        found = range(len(self))[place]
        return self._shapes.name(found) if isinstance(found, int) else [self._shapes.name(i) for i in found]


def names_of(kernel: Problem) -> Sequence[str]:
    """Give a name for each parameter of a kernel.

    Parameters
    ----------
    kernel : Problem
        The objective.

    Returns
    -------
    sequence of str
    """
    return kernel.names if kernel.n <= MANY else Names(kernel.params, kernel.shapes)


def in_names(params: Sequence[str], direction: Vector, most: int = 4, sizes: Vector | float = 1.0) -> str:
    """Write a direction in the parameters' names.

    Parameters
    ----------
    params : sequence of str
        A name for each number of the parameters, in order.
    direction : ndarray, shape (n,)
        The direction.
    most : int
        How many of its largest components to show; three dots stand for the rest.
    sizes : ndarray, shape (n,), optional
        What the components count for, beside each other; by default all the same.

    Returns
    -------
    str
        The largest component has the coefficient 1; those below 1e-6 of it are left out.

    Examples
    --------
    >>> in_names(("a", "b"), np.array([2.0, -1.0]))
    'a - 0.5*b'
    """
    shares = _shares(direction, sizes)
    count = min(most + 1, len(shares))
    order = np.argpartition(-shares, count - 1)[:count] if len(shares) > count else np.arange(len(shares))
    order = order[np.lexsort((order, -shares[order].round(9)))]
    order = order[shares[order] > 1e-6]
    text = ""
    for i in order[:most]:
        share = float(direction[i] / direction[order[0]])
        text += term(share, params[i], first=not text)
    return text + (" + ..." if len(order) > most else "") or "0"


def term(coefficient: float, name: str, *, first: bool) -> str:
    """Write a term of a sum.

    Parameters
    ----------
    coefficient : float
        Its coefficient.
    name : str
        What it multiplies.
    first : bool
        Whether nothing stands before.

    Returns
    -------
    str

    Examples
    --------
    >>> term(3.0, "a", first=True) + term(-1.0, "b", first=False)
    '3*a - b'
    """
    sign = ("-" if first else " - ") if coefficient < 0 else "" if first else " + "
    return sign + f"{abs(coefficient):.4g}*".removeprefix("1*") + name


def leading(direction: Vector, sizes: Vector | float = 1.0) -> int:
    """Tell which component `in_names` gives the coefficient 1: the first of the largest.

    Parameters
    ----------
    direction : ndarray, shape (n,)
        The direction.
    sizes : ndarray, shape (n,), optional
        As for `in_names`.

    Returns
    -------
    int
    """
    return int(np.argmax(_shares(direction, sizes).round(9)))


def _shares(direction: Vector, sizes: Vector | float) -> Vector:
    shares: Vector = np.abs(direction) * sizes
    return shares / (shares.max(initial=0.0) or 1.0)
