"""Where values come from: numbers, arrays, DataFrames, and files of CSV, Parquet, ``.npz`` or ``.npy``.

Arrays keep the dtype they have, and are used where they lie unless a kernel could not read them there.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd import checks
from symgd import language as fm
from symgd.data.files import Columns, column_name, read, read_csv
from symgd.data.owned import Owned, difference, fresh
from symgd.data.stored import DTYPES, Stored
from symgd.errors import DataError, SymgdError, safe, shown

__all__ = [
    "AXES",
    "DTYPES",
    "Array",
    "Column",
    "Columns",
    "Data",
    "Owned",
    "Stored",
    "column",
    "difference",
    "load",
    "names",
    "read_csv",
    "refuse_left_out",
]

AXES = 3  # most axes of an array

Array = NDArray[Any]
Column = float | Array | Stored
Data = Mapping[str, Column]


def load(source: Any) -> Data:
    """Give data by name: single numbers, arrays of 1 to 3 axes, and arrays that stay on disk.

    Parameters
    ----------
    source : mapping, DataFrame, path or None
        Names and values, as `column` takes them; or columns; or a file. Of a ``.parquet`` and a ``.npz`` file, of a
        ``.npy`` file of records, of any other file, which is read as CSV, and of a DataFrame only what holds numbers
        under a name that a formula can use is taken. A ``.npy`` file of one array gives it the name of the file.

    Returns
    -------
    dict of str to float, ndarray or Stored
        Arrays are C-contiguous, in native byte order, and of one of `DTYPES`; those that were given so are no copies.

    Raises
    ------
    DataError
        For a file that cannot be read, for anything but real numbers, and for arrays that are empty or of more than
        three axes.

    Examples
    --------
    >>> load({"x": [1.5, 2], "group": [0, 3], "scale": 2})
    {'x': array([1.5, 2. ]), 'group': array([0, 3]), 'scale': 2.0}
    """
    if source is None:
        return {}
    if isinstance(source, Owned):
        return source
    if isinstance(source, str | os.PathLike):
        found = read(Path(source))
        left_out = found.left_out if isinstance(found, Columns) else {}
        # One by one, so that no column is in memory twice for longer than it takes.
        return Columns(((fm.check_name(n), fresh(column(n, found.pop(n)))) for n in list(found)), left_out)
    if _is_frame(source):
        source = _columns(source)
    if not isinstance(source, Mapping):
        kind = type(source).__name__
        raise DataError(
            "data must be a mapping of names to arrays, a DataFrame, or a file of CSV, .parquet, .npz or .npy; "
            f"got {kind}; give each array a name: data={{'x': x}}"
        )
    _check_order(source)
    try:
        left_out = source.left_out if isinstance(source, Columns) else {}
        return Columns(((fm.check_name(name), column(name, values)) for name, values in source.items()), left_out)
    except ValueError as problem:
        if isinstance(problem, SymgdError):
            raise
        raise DataError(f"in the data {problem}") from None


def _check_order(source: Mapping[str, Any]) -> None:
    """Refuse Series of the same labels in different orders, since rows are read by position."""
    labelled = [(name, v.index) for name, v in source.items() if hasattr(v, "to_frame") and hasattr(v, "index")]
    for name, index in labelled[1:]:
        first, other = labelled[0]
        if len(index) == len(other) and not index.equals(other) and index.sort_values().equals(other.sort_values()):
            raise DataError(
                f"'{safe(first)}' and '{safe(name)}' have the same labels in different orders, and rows are read by "
                f"position; give them in one order: {safe(name)}.loc[{safe(first)}.index]"
            )


def column(name: str, values: Any) -> float | Array | Stored:
    """Give one array, or a single number.

    Parameters
    ----------
    name : str
        Its name, for messages.
    values : array-like, number, DataFrame, Stored, or path
        Its values; the columns of a DataFrame make the second axis. A path is that of a ``.npy`` file, whose array
        stays on disk.

    Returns
    -------
    float, ndarray or Stored

    Raises
    ------
    DataError
        If the values are not real numbers, are empty, or have more than three axes.
    """
    if isinstance(values, str | os.PathLike):
        if not str(values).lower().endswith(".npy"):
            raise DataError(f"'{name}' must hold numbers, or be the path of a .npy file; got {shown(str(values))}")
        values = Stored.open(values)
    array = values if isinstance(values, Stored) else _numbers(name, values)
    if array.ndim > AXES:
        raise DataError(
            f"'{name}' has {array.ndim} axes, its shape is {array.shape}; arrays have at most {AXES}: join axes with "
            "reshape, or give its parts one by one"
        )
    if 0 in array.shape:
        what = "rows; an array" if array.shape[0] == 0 else f"values, its shape is {array.shape}; every axis"
        raise DataError(f"'{name}' has no {what} needs at least one")
    if array.ndim == 0:
        return float(array.whole() if isinstance(array, Stored) else array)
    return array


def names(source: object) -> Collection[str] | None:
    """Give the names when only names were given, as in ``data=("x", "y")``; ``None`` otherwise."""
    if isinstance(source, list | tuple | set | frozenset) and all(isinstance(s, str) for s in source):
        return [fm.check_name(s) for s in source]
    return None


def refuse_left_out(loaded: object, wanted: Collection[str], *, declare: bool = True) -> None:
    """Refuse names that are columns of a DataFrame or of a file of CSV which hold something else than numbers.

    Parameters
    ----------
    loaded : mapping
        As `load` gives it.
    wanted : collection of str
        Names that were not found among what was loaded.
    declare : bool
        Whether they may be declared as parameters instead.

    Raises
    ------
    DataError
        For the first of them that is a column: says what it holds, and what to do.
    """
    left_out = loaded.left_out if isinstance(loaded, Columns) else {}
    for name in wanted:
        if name in left_out:
            raise DataError(left_out[name] + (f", or declare '{name}' by params=" if declare else ""))


def _not_numbers(name: str, values: Iterable[object], problem: DataError) -> str:
    """Say which cell of a column of a DataFrame is no number."""
    for row, cell in enumerate(values):
        try:
            checks.numbers([cell])
        except ValueError:
            return (
                f"'{name}' must hold numbers; row {row} has {shown(cell)}: give numbers there, or leave such rows out"
            )
    return str(problem)


def _is_frame(source: object) -> bool:
    return hasattr(source, "columns") and hasattr(source, "to_dict")


def _columns(frame: Any) -> Columns:
    """Give the columns of a DataFrame that hold numbers."""
    if not len(frame):
        raise DataError("the DataFrame has no rows; it needs at least one")
    found: dict[str, Any] = {}
    left_out: dict[str, str] = {}
    for label in frame.columns:
        name = column_name(str(label))
        if name is None:
            continue
        if name in found or name in left_out:
            raise DataError(f"the DataFrame has several columns named '{safe(label)}'; rename all but one")
        try:
            found[name] = column(name, frame[label])
        except DataError as problem:
            left_out[name] = _not_numbers(name, frame[label], problem)
    if not found:
        raise DataError("the DataFrame has no column of numbers with a usable name")
    return Columns(found.items(), left_out)


def _numbers(name: str, values: object) -> Array:
    """Give an array of one of `DTYPES` as kernels read it: the one that was given, if it is so."""
    try:
        array = checks.numbers(values)
    except ValueError as problem:
        raise DataError(f"'{name}' {problem}") from None
    try:
        with np.errstate(over="raise"):
            found = array.astype(_kept(array), order="C", copy=False)
            return found if found.flags.aligned else found.copy()
    except ArithmeticError as problem:
        raise DataError(f"'{name}' must hold numbers; {safe(str(problem), 160)}") from None


def _kept(array: Array) -> str:
    """Name the dtype that an array gets."""
    if array.dtype.name in DTYPES:
        return array.dtype.name
    if array.dtype.kind == "u" and array.max(initial=0) <= np.iinfo(np.int64).max:
        return "int64"
    return "float64"
