"""Where rows come from: mappings of arrays, DataFrames, CSV files."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd import formula as fm
from symgd.errors import DataError, safe, shown

Column = NDArray[np.float64]
Data = dict[str, "Column | float"]


def load(source: Any) -> Data:
    """Give data as columns of float64, all of one length, and single numbers.

    Parameters
    ----------
    source : mapping, DataFrame, or path
        Names and values; or a CSV file with a line of names.

    Returns
    -------
    dict of str to ndarray or float

    Raises
    ------
    DataError
        For a file that cannot be read, text where numbers belong, or columns of different lengths.
    """
    if source is None:
        return {}
    if isinstance(source, str | os.PathLike):
        source = read_csv(Path(source))
    if hasattr(source, "columns") and hasattr(source, "to_dict"):  # a DataFrame
        source = {str(name): source[name] for name in source.columns if _usable(str(name))}
    if not isinstance(source, Mapping):
        kind = type(source).__name__
        raise DataError(f"data must be a mapping of names to arrays, a DataFrame or a CSV file; got {kind}")
    data = {fm.check_name(name): column(name, values) for name, values in source.items()}
    lengths = {name: len(c) for name, c in data.items() if isinstance(c, np.ndarray)}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} has {n:,}" for name, n in lengths.items())
        raise DataError(f"all columns must have the same number of rows; {listed}")
    return data


def column(name: str, values: Any) -> Column | float:
    """Give one column, or a single number.

    Parameters
    ----------
    name : str
        Its name, for messages.
    values : array-like
        Its values.

    Returns
    -------
    ndarray or float

    Raises
    ------
    DataError
        If the values are not real numbers, are empty, or have more than one axis.
    """
    try:
        array = np.asarray(values)
        if array.dtype.kind in "mM" or values is None:
            raise DataError(f"'{name}' must hold numbers; got {shown(values)}")
        if array.dtype.kind == "c":
            raise DataError(f"'{name}' has complex values; columns must be real")
        array = array.astype(np.float64) if array.dtype != np.float64 else array
    except (TypeError, ValueError, OverflowError) as problem:
        raise DataError(f"'{name}' must hold numbers; {safe(str(problem))}") from None
    if array.ndim == 0:
        return float(array)
    if array.ndim > 1:
        shape = array.shape
        raise DataError(f"'{name}' has shape {shape}; a column has one axis: give its columns one by one")
    if not len(array):
        raise DataError(f"'{name}' has no rows; a column needs at least one")
    return np.ascontiguousarray(array)


def read_csv(path: Path) -> dict[str, Column]:
    """Read a CSV file whose first line names the columns; columns of text are left out.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    DataError
        If there is no such file, or no column of numbers in it.
    """
    import csv

    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            sample = file.read(4096)
            file.seek(0)
            delimiter = max(",;\t", key=sample.split("\n", 1)[0].count)
            head, *rows = list(csv.reader(file, delimiter=delimiter)) or [[]]
    except FileNotFoundError:
        raise DataError(f"there is no file '{safe(str(path))}'") from None
    except (OSError, ValueError, csv.Error) as problem:
        raise DataError(f"'{safe(str(path))}' cannot be read as CSV: {safe(str(problem))}") from None
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        raise DataError(f"'{safe(str(path))}' has no rows below its line of names")
    for number, row in enumerate(rows, 2):
        if len(row) != len(head):
            raise DataError(f"line {number} of '{safe(str(path))}' has {len(row)} fields; its first line {len(head)}")
    found = {}
    for name, cells in zip((h.strip() for h in head), zip(*rows, strict=True), strict=True):
        try:
            if _usable(name):
                found[name] = np.array(cells, dtype=np.float64)
        except ValueError:
            continue
    if not found:
        raise DataError(f"'{safe(str(path))}' has no column of numbers with a usable name on its first line")
    return found


def names(source: Any) -> Collection[str] | None:
    """Give the names when only names were given, as in ``data=("x", "y")``; ``None`` otherwise."""
    if isinstance(source, list | tuple | set | frozenset) and all(isinstance(s, str) for s in source):
        return [fm.check_name(s) for s in source]
    return None


def _usable(name: str) -> bool:
    try:
        fm.check_name(name)
    except ValueError:
        return False
    return True
