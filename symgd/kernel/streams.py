"""Rows that stay on disk: read block by block into room of their own, by whoever works on them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from symgd.data import Stored
from symgd.kernel.code.layout import Column

CHUNK = 1 << 19  # numbers that are read at a time
SMALL = 1 << 26  # bytes up to which an array is simply read


def open_column(values: Any, column: Column, rows: int) -> NDArray[np.generic] | Stored:
    """Give a data array as code takes it.

    Of one that is read as a whole, code knows the length by the array's node.

    Parameters
    ----------
    values : ndarray or Stored
        The array.
    column : Column
        What code expects of it.
    rows : int
        How many rows there are.

    Returns
    -------
    ndarray or Stored
    """
    if column.rows and isinstance(values, np.ndarray):
        values = values[:rows]  # a formula may read no more than the first ones: t[:2] beside two rows
    shape = (rows, *column.shape) if column.rows else (len(values), *column.shape[1:])
    return open_flat(values, column.dtype, math.prod(shape), rows=column.rows)


def open_flat(values: object, dtype: str, size: int, *, rows: bool) -> NDArray[np.generic] | Stored:
    """Give a data array as code takes it: a vector, row after row, or rows that stay on disk, if they are many.

    Parameters
    ----------
    values : ndarray or Stored
        The array.
    dtype : str
        NumPy's name of the type that code was generated for.
    size : int
        How many numbers the code reads.
    rows : bool
        Whether it is read row by row; otherwise all of it must be in memory.

    Returns
    -------
    ndarray or Stored
    """
    if isinstance(values, Stored):
        if rows and values.nbytes > SMALL:
            fits(values, size)
            return replace(values, dtype=np.dtype(dtype))  # truth values are read as the bytes they are
        values = values.whole()
    return passed(values, dtype, size)


def passed(values: Any, dtype: DTypeLike, size: int) -> NDArray[Any]:
    """Give an array as machine code reads it: a vector of a type and a length, contiguous and aligned.

    Parameters
    ----------
    values : ndarray
        The array; it is copied where it is not so.
    dtype : dtype
        The type.
    size : int
        The length.

    Returns
    -------
    ndarray, shape (size,)

    Raises
    ------
    ValueError
        If it has another length.
    """
    found = np.require(values, dtype, ("C", "A", "E")).reshape(-1)
    fits(found, size)
    return found


def fits(values: NDArray[Any] | Stored, size: int) -> None:
    """Refuse an array of another length than the code reads, or fills."""
    if math.prod(values.shape) != size:
        message = f"generated code takes an array of {size:,} numbers; got the shape {values.shape}"
        raise ValueError(message)


def height(columns: list[Stored], block: int) -> int:
    """Give how many rows to read at a time: whole blocks, of all arrays on disk together no more than `CHUNK`."""
    width = sum(column.width for column in columns)
    return max(1, CHUNK // max(1, width) // block) * block


def read(column: NDArray[np.generic] | Stored, low: int, high: int, rows: int) -> NDArray[np.generic]:
    """Give rows of an array as a vector: a view of one in memory, what is read of one on disk."""
    if isinstance(column, Stored):
        return column.rows(low, high).reshape(-1)
    width = column.size // rows
    return column[low * width : high * width]


class Blocks:
    """Rows on disk as statements of NumPy read an array: block after block, of which the last is kept.

    Parameters
    ----------
    stored : Stored
        The array.
    """

    def __init__(self, stored: Stored) -> None:
        self.stored = stored
        self._last: tuple[int, int, NDArray[np.generic] | None] = (0, 0, None)

    def reshape(self, *_: int) -> Blocks:
        """Give the rows in their own shape, which they always have."""
        return self

    def __getitem__(self, index: slice | tuple[slice | int, ...]) -> NDArray[np.generic]:
        first, *rest = index if isinstance(index, tuple) else (index,)
        assert isinstance(first, slice)
        low, high, found = self._last  # of whichever thread was here last
        if found is None or (low, high) != (first.start, first.stop):
            found = self.stored.rows(first.start, first.stop)
            self._last = first.start, first.stop, found
        else:
            self.stored.check()
        return found[(slice(None, None, first.step), *rest)]


def stage(order: NDArray[np.int64], low: int, count: int, *columns: NDArray[np.generic] | Blocks) -> float:
    """Copy the rows of a batch to where functions find them, as the generated function of that name does.

    Parameters
    ----------
    order : ndarray of int
        The order of the rows.
    low : int
        Where in it the batch begins.
    count : int
        Its size.
    *columns : ndarray or Stored
        The arrays, and after them the room for each.

    Returns
    -------
    float
        0, as the generated function.
    """
    half = len(columns) // 2
    rows = np.asarray(order[low : low + count])
    for given, target in zip(columns[:half], columns[half:], strict=True):
        source = given.stored if isinstance(given, Blocks) else given
        assert isinstance(target, np.ndarray)
        if isinstance(source, Stored):
            room = target[: count * source.width].reshape(count, *source.shape[1:])
            if (np.diff(rows) == 1).all():
                source.read_into(int(rows[0]), int(rows[-1]) + 1, room)
            else:
                for place, row in enumerate(rows.tolist()):
                    source.read_into(row, row + 1, room[place : place + 1])
        else:
            width = source.size // len(order)
            target[: count * width] = source.reshape(len(order), width)[rows].reshape(-1)
    return 0.0
