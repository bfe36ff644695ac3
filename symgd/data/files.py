"""Files of several arrays: CSV, Parquet, ``.npz``, and ``.npy`` of records."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from symgd import language as fm
from symgd.data.stored import Stored, header, named, opened, parse_header, unreadable
from symgd.errors import DataError, safe, shown

if TYPE_CHECKING:
    from zipfile import ZipFile, ZipInfo


class Columns(dict[str, Any]):
    """Columns by name, and of those that were left out, for they hold something else than numbers, what that is."""

    def __init__(self, found: Iterable[tuple[str, Any]] = (), left_out: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.left_out = dict(left_out or {})
        for name, values in found:
            if name in self or name in self.left_out:
                raise ValueError(f"several columns are named '{safe(name)}'; rename all but one")
            self[name] = values


def read(path: Path) -> dict[str, Any]:
    """Read a file as its suffix says.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict of str to array or Stored
        What it holds in numbers, under names that a formula can use.

    Raises
    ------
    DataError
        If there is no such file, or nothing of use in it.
    """
    readers = {".parquet": read_parquet, ".npz": read_npz, ".npy": read_npy}
    return readers.get(path.suffix.lower(), read_csv)(path)


def read_csv(path: Path) -> dict[str, Any]:
    """Read a CSV file whose first line names the columns; columns of text are left out.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict of str to ndarray
        Columns of int64 where every cell is an integer, of float64 otherwise.

    Raises
    ------
    DataError
        If there is no such file, or no column of numbers in it.
    """
    table = _table(path)
    known = [column_name(name) for name in table.head]
    columns = list(zip(*table.rows, strict=True))
    values = [_cells(cells) for cells in columns]
    left = {n: _not_numbers(path, table, i) for i, n in enumerate(known) if n is not None and values[i] is None}
    twice = next((name for name in known if name is not None and known.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"several columns of '{named(path)}' are named '{safe(twice)}'; rename all but one")
    found = ((n, v) for n, v in zip(known, values, strict=True) if n is not None and v is not None)
    numbers = Columns(found, left)
    if not numbers:
        why = next(iter(left.values()), "")
        more = f": {why}" if why else " on its first line"
        raise DataError(f"'{named(path)}' has no column of numbers with a usable name{more}")
    return numbers


class _Table(NamedTuple):
    """The names on the first line of a CSV file, the cells below, and the lines they are on."""

    head: list[str]
    rows: list[list[str]]
    lines: list[int]


def _table(path: Path) -> _Table:
    """Read a CSV file: commas, semicolons, tabs or blanks between cells, and comments (#) above the names."""
    import csv

    try:
        kept = _text(path).splitlines(keepends=True)
        above = next((i for i, line in enumerate(kept) if line.strip() and not line.lstrip().startswith("#")), 0)
        kept[:above] = ["\n"] * above
        first = kept[above] if kept else ""
        delimiter = max(",;\t", key=first.count)
        if delimiter not in first and len(first.split()) > 1:  # blanks, as many as there are
            numbered = [(i, line.split()) for i, line in enumerate(kept, 1)]
        else:
            reader = csv.reader(kept, delimiter=delimiter)
            numbered = [(reader.line_num, row) for row in reader]
    except (OSError, ValueError, csv.Error) as problem:
        raise unreadable(path, "CSV", problem) from None
    table = [(line, row) for line, row in numbered if any(cell.strip() for cell in row)]
    if len(table) < 2:
        raise DataError(f"'{named(path)}' has no rows below its line of names")
    head = table[0][1]
    if all(_cells((cell,)) is not None for cell in head):
        rule = "put a line above it that names the columns" + (", without a #" if table[0][0] > 1 else "")
        raise DataError(f"line {table[0][0]} of '{named(path)}' holds numbers; {rule}")
    for line, row in table[1:]:
        if len(row) != len(head):
            comment = "; comments stand above the names: leave that line out" if row[0].lstrip().startswith("#") else ""
            raise DataError(
                f"line {line} of '{named(path)}' has {len(row)} fields; its first line {len(head)}{comment}"
            )
    return _Table([name.strip() for name in head], [row for _, row in table[1:]], [line for line, _ in table[1:]])


def _text(path: Path) -> str:
    """Decode a text file: UTF-8, UTF-16 or UTF-32 where it begins as such, and Latin-1 where it is none of them."""
    content = path.read_bytes()
    for mark, code in ((b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32")):
        if content.startswith(mark):
            return content.decode(code)
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16")
    if b"\0" in content:
        raise ValueError("it has zero bytes, as UTF-16 without a mark has, and what is no text; save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _not_numbers(path: Path, table: _Table, place: int) -> str:
    """Say what a column of a CSV file has in the first cell that is no number."""
    cells = [row[place] for row in table.rows]
    at = next((i for i, cell in enumerate(cells) if _cells((cell,)) is None), 0)
    cell = cells[at].strip()
    holds = f"has {shown(cell)} in line {table.lines[at]}" if cell else f"is empty in line {table.lines[at]}"
    point = "numbers have a decimal point: " if re.fullmatch(r"[+-]?\d+,\d+", cell) else ""
    what = f"the column '{safe(table.head[place])}' of '{named(path)}' {holds}, where a number must be"
    return f"{what}; {point}give numbers there, or leave such rows out"


def read_parquet(path: Path) -> dict[str, Any]:
    """Read a Parquet file; columns of lists of one length get further axes, and what is missing becomes nan.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict of str to ndarray
        The columns of numbers; others, and lists of different lengths, are left out.

    Raises
    ------
    DataError
        If there is no such file, no column of numbers in it, or pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise DataError("a Parquet file needs pyarrow: pip install 'symgd[parquet]'") from None
    try:
        with opened(path, "Parquet") as source, pq.ParquetFile(source) as file:
            wanted = [field.name for field in file.schema_arrow if usable(field.name) and _is_numeric(field.type)]
            table = file.read(columns=wanted)
    except DataError:
        raise
    except (OSError, ValueError, MemoryError, pa.ArrowException) as problem:
        raise unreadable(path, "Parquet", problem) from None
    if not table.num_rows and wanted:
        raise DataError(f"'{named(path)}' has no rows; it needs at least one")
    columns = ((fm.check_name(name), _arrow(table.column(i))) for i, name in enumerate(table.column_names))
    return _some(path, ((name, values) for name, values in columns if values is not None))


def read_npz(path: Path) -> dict[str, Any]:
    """Read the arrays of numbers in a ``.npz`` file; arrays of text and of objects are left out.

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
        If there is no such file, or no array of numbers in it.
    """
    import zipfile
    import zlib

    found = []
    try:
        with opened(path, ".npz") as source, zipfile.ZipFile(source) as archive:
            for info in archive.infolist():
                name = info.filename.removesuffix(".npy")
                if name != info.filename and usable(name) and (array := _member(archive, info)) is not None:
                    found.append((fm.check_name(name), array))
    except DataError:
        raise
    except (OSError, ValueError, EOFError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error) as problem:
        raise unreadable(path, ".npz", problem) from None
    return _some(path, found)


def read_npy(path: Path) -> dict[str, Any]:
    """Open a ``.npy`` file: the array stays on disk and gets the name of the file; of records, the fields are read.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict of str to ndarray or Stored

    Raises
    ------
    DataError
        If there is no such file, its name is not usable, or no field is of numbers.
    """
    dtype = header(path)[2]
    if dtype.names:
        try:
            records = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as problem:
            raise unreadable(path, ".npy", problem) from None
        fields = [name for name in dtype.names if usable(name) and dtype[name].base.kind in "biuf"]
        return _some(path, ((fm.check_name(name), records[name]) for name in fields))
    if not usable(path.stem):
        name = named(path)
        raise DataError(f'\'{safe(path.stem)}\' is no name for a formula; give one: data={{"x": "{name}"}}')
    return {path.stem: Stored.open(path)}


def usable(name: str) -> bool:
    """Whether a formula can use a name."""
    try:
        fm.check_name(name)
    except ValueError:
        return False
    return True


def column_name(label: str) -> str | None:
    """Give the name that a column has in a formula: that of its own, or one that stands for it in backquotes.

    Parameters
    ----------
    label : str
        What the column is called.

    Returns
    -------
    str or None
        ``None`` where it cannot be typed at all.
    """
    if usable(label):
        return fm.check_name(label)
    return fm.quoted(label) if label and label.isprintable() and "`" not in label and len(label) <= 200 else None


def _some(path: Path, found: Iterable[tuple[str, Any]]) -> Columns:
    try:
        columns = Columns(found)
    except ValueError as problem:
        raise DataError(f"in '{named(path)}' {problem}") from None
    if not columns:
        raise DataError(f"'{named(path)}' has no array of numbers with a usable name")
    return columns


def _member(archive: ZipFile, info: ZipInfo) -> NDArray[Any] | None:
    """Read one array of a ``.npz`` file; ``None`` if it is not of numbers."""
    with archive.open(info) as file:
        shape, _, dtype, offset = parse_header(file)
    if dtype.kind not in "biufc":
        return None
    if info.file_size < offset + math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{info.filename} is cut short")
    with archive.open(info) as file:
        array: NDArray[Any] = npy.read_array(file, allow_pickle=False)
    return array


def _cells(cells: tuple[str, ...]) -> NDArray[Any] | None:
    """Read a column of a CSV file, if it holds numbers, or True and False."""
    if all(cell.strip().lower() in ("true", "false") for cell in cells):
        return np.array([cell.strip().lower() == "true" for cell in cells])
    if any("_" in cell for cell in cells):  # Python would take 1_0 for ten
        return None
    for dtype in (np.int64, np.float64):
        try:
            return np.array(cells, dtype=dtype)
        except (ValueError, OverflowError):
            continue
    return None


def _is_numeric(kind: Any) -> bool:
    """Whether a column of an Arrow type holds numbers, or lists of numbers."""
    from pyarrow import types

    if _is_list(kind) or types.is_dictionary(kind):
        return _is_numeric(kind.value_type)
    checks = (types.is_integer, types.is_floating, types.is_decimal, types.is_boolean)
    return any(check(kind) for check in checks)


def _is_list(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _arrow(column: Any) -> NDArray[Any] | None:
    """Give an Arrow column of numbers, nan where it has nothing; ``None`` for lists of different lengths."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not _is_list(column.type):
        # One chunk is no copy where the values lie as NumPy has them; several are joined.
        part = column.chunk(0) if column.num_chunks == 1 else column
        array: NDArray[Any] = part.to_numpy(zero_copy_only=False)
        return array.astype(np.float64) if array.dtype == object else array
    lengths = pc.unique(pc.list_value_length(column.drop_null())).to_pylist()
    values = _arrow(pc.list_flatten(column))
    if values is None or len(lengths) != 1 or not lengths[0]:
        return None
    values = values.reshape(-1, lengths[0], *values.shape[1:])
    if not column.null_count:
        return values
    dtype = values.dtype if values.dtype.kind == "f" else np.float64
    filled = np.full((len(column), *values.shape[1:]), np.nan, dtype)
    filled[column.is_valid().to_numpy()] = values
    return filled
