"""What the statements of NumPy call besides NumPy: joining blocks, adding to places, functions of whole matrices."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from symgd.graph.elimination import function

Array = NDArray[np.float64]
NAMES = ("join", "scatter", "scatter_rows", "matrix")
FEW = 32  # columns that are counted one by one
KEPT = (1 << 22) - (1 << 10)  # numbers: a little less than the 32 MiB up to which glibc changes its thresholds
SPARSE = 8  # places of a vector for each that something is added to, from which on counting costs more than it saves


@cache
def keep_pages() -> None:
    """Have the allocator keep what arrays of blocks leave, which it otherwise gives back and asks for again.

    glibc gives arrays of over 128 KiB back to the system when they are freed, and each page of the next one is a fault:
    half of the time of a step on blocks. Once a larger one was freed, it keeps what is smaller (mallopt(3), dynamic
    threshold). One that nobody writes to costs nothing.

    Examples
    --------
    >>> keep_pages()
    """
    np.empty(KEPT)


def join(largest: float, total: float, values: Array) -> tuple[float, float]:
    """Join a block to ``total*exp(largest)``, in units of the larger exponential.

    Parameters
    ----------
    largest : float
        The largest value so far.
    total : float
        The sum so far, in units of its exponential.
    values : ndarray
        The block.

    Returns
    -------
    tuple of float

    Examples
    --------
    >>> join(0.0, 1.0, np.array([0.0, 0.0]))
    (0.0, 3.0)
    """
    top = float(np.max(values))
    if not top <= largest:
        total = total * float(np.exp(largest - top)) if total else 0.0
        largest = top
    # Infinities too, whose difference is none.
    parts = np.where(values == largest, 1.0, np.exp(values - largest))
    return largest, total + float(np.sum(parts))


def scatter(out: Array, places: NDArray[np.int64], values: Array) -> None:
    """Add values to places of a vector, to one as often as it is named.

    Parameters
    ----------
    out : ndarray of shape (n,)
        The vector.
    places : ndarray of int
        Where.
    values : ndarray
        What, of the same shape or one that is broadcast to it.

    Examples
    --------
    >>> out = np.zeros(3)
    >>> scatter(out, np.array([0, 2, 2]), np.array([1.0, 1.0, 1.0]))
    >>> out
    array([1., 0., 2.])
    """
    where, what = np.broadcast_arrays(places, values)
    if len(out) > SPARSE * where.size:
        np.add.at(out, where.ravel(), what.ravel())
    else:
        out += np.bincount(where.ravel(), weights=what.ravel(), minlength=len(out))


def scatter_rows(out: Array, rows: NDArray[np.int64], values: Array) -> None:
    """Add rows of values to rows of a matrix, to one as often as it is named.

    Parameters
    ----------
    out : ndarray of shape (m, k)
        The matrix, in memory row after row.
    rows : ndarray of int, shape (n,)
        Which.
    values : ndarray of shape (n, k)
        What, or an array that is broadcast to it.

    Examples
    --------
    >>> out = np.zeros((2, 2))
    >>> scatter_rows(out, np.array([1, 1]), np.array([[1.0, 2.0], [3.0, 4.0]]))
    >>> out
    array([[0., 0.],
           [4., 6.]])
    """
    count, width = out.shape
    what = np.broadcast_to(values, (len(rows), width))
    if width > FEW or count > SPARSE * len(rows):
        scatter(out.reshape(-1), rows[:, None] * width + np.arange(width), what)
        return
    for column in range(width):
        out[:, column] += np.bincount(rows, weights=what[:, column], minlength=count)


def matrix(name: str, body: Array) -> Array | float:
    """Give a function of a square matrix: its inverse, determinant, adjugate, or a part of the determinant."""
    found: Array | float = function(name, body)
    return found
