"""Arrays that stay on disk: rows are read when they are asked for, and no more of the file is ever in memory."""

from __future__ import annotations

import io
import math
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from symgd.errors import DataError, UsageError, safe, shown
from symgd.records import dataclass

# What kernels read as it is.
DTYPES = ("float64", "float32", "int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "bool")

CHUNK = 1 << 20  # numbers that are looked at together

Header = tuple[tuple[int, ...], bool, np.dtype[Any], int]


@dataclass(frozen=True, repr=False)
class Stored:
    """An array in a file, its rows one after the other; `open` finds out what a file holds.

    Any number of threads may read at the same time: every call opens the file for itself.

    Parameters
    ----------
    path : Path
        The file.
    dtype : dtype
        Of the arrays that are given: one of `DTYPES`, in native byte order.
    shape : tuple of int
        Its shape; rows are along the first axis.
    offset : int
        Where the values begin, in bytes.
    swapped : bool
        Whether the file has the other byte order.
    seen : tuple of int, optional
        Size and time of change of the file when it was opened: once it has others, nothing is read any more.
    bounds : tuple of float, optional
        The smallest and the largest value, where they serve as an index: others are refused whenever they are read.
    """

    path: Path
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    offset: int
    swapped: bool = False
    seen: tuple[int, int] | None = None
    bounds: tuple[float, float] | None = None

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Stored:
        """Read the header of a ``.npy`` file.

        Parameters
        ----------
        path : str or path
            The file.

        Returns
        -------
        Stored

        Raises
        ------
        DataError
            If it cannot be read, is no ``.npy`` file, is cut short, is in Fortran order or has none of `DTYPES`.
        """
        path = Path(path).absolute()  # the working directory may change before the rows are read
        shape, fortran, dtype, offset = header(path)
        name = named(path)
        if dtype.kind == "c":
            raise DataError(f"'{name}' has complex values; data must be real")
        if dtype.name not in DTYPES:
            kept = " or ".join([", ".join(DTYPES[:-1]), DTYPES[-1]])
            raise DataError(
                f"'{name}' has dtype {safe(str(dtype))}; an array on disk must be of {kept}: "
                "np.save(path, array.astype('float64'))"
            )
        if fortran and len(shape) > 1:
            raise DataError(
                f"'{name}' is in Fortran order, and its rows lie scattered; save it in C order: "
                "np.save(path, np.ascontiguousarray(array))"
            )
        return cls.of(path, dtype, shape, offset)

    @classmethod
    def of(cls, path: Path, dtype: np.dtype[Any], shape: tuple[int, ...], offset: int) -> Stored:
        """Give an array in a file whose layout is known, with the file's fingerprint.

        Parameters
        ----------
        path : Path
            The file.
        dtype : dtype
            In the byte order of the file.
        shape : tuple of int
            The array's.
        offset : int
            Where the values begin, in bytes.

        Returns
        -------
        Stored

        Raises
        ------
        DataError
            If there is no such file, or it is cut short.
        """
        try:
            found = path.stat()
        except OSError as problem:
            raise unreadable(path, ".npy", problem) from None
        seen = found.st_size, found.st_mtime_ns
        stored = cls(path, dtype.newbyteorder("="), shape, offset, not dtype.isnative, seen)
        if found.st_size < offset + stored.nbytes:
            raise DataError(
                f"'{named(path)}' is cut short: it has {found.st_size:,} bytes, and {offset + stored.nbytes:,} belong "
                "there"
            )
        return stored

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def width(self) -> int:
        """Numbers in a row."""
        return math.prod(self.shape[1:])

    @property
    def nbytes(self) -> int:
        """Bytes that all values take."""
        return math.prod(self.shape) * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        size = " x ".join(f"{n:,}" for n in self.shape) or "one number"
        return f"Stored({shown(self.path.name)}, {self.dtype.name}, {size}, {self.nbytes / 2**20:,.1f} MB)"

    def rows(self, low: int, high: int) -> NDArray[Any]:
        """Read the rows from `low` up to `high`, which is not among them.

        Parameters
        ----------
        low : int
            The first row.
        high : int
            The row after the last.

        Returns
        -------
        array of shape (high - low, ...)

        Raises
        ------
        DataError
            If the file can no longer be read.
        """
        out = np.empty((max(high - low, 0), *self.shape[1:]), self.dtype)
        self.read_into(low, high, out)
        return out

    def read_into(self, low: int, high: int, out: NDArray[Any]) -> None:
        """Read rows into an array that is there, as `rows` does into a new one.

        Parameters
        ----------
        low : int
            The first row.
        high : int
            The row after the last.
        out : array of shape (high - low, ...)
            Where to; C-contiguous and of the same dtype.

        Raises
        ------
        UsageError
            If there are no such rows, or they do not fit.
        DataError
            If the file can no longer be read.
        """
        if not 0 <= low <= high <= self.shape[0]:
            raise UsageError(f"rows {low} to {high} of {self!r}: they must lie between 0 and {self.shape[0]}")
        shape = (high - low, *self.shape[1:])
        fits = out.shape == shape and out.dtype == self.dtype and out.flags.c_contiguous and out.flags.writeable
        if not fits:
            kind = f"{out.dtype} of shape {out.shape}"
            raise UsageError(f"out must be a writeable C-contiguous array of {self.dtype} of shape {shape}; got {kind}")
        with opened(self.path) as file:
            self._read(file, low, out)

    def whole(self) -> NDArray[Any]:
        """Read everything: for arrays that are small."""
        out = np.empty(self.shape, self.dtype)
        with opened(self.path) as file:
            self._read(file, 0, out)
        return out

    def sample(self, count: int) -> NDArray[Any]:
        """Read rows that are spread evenly, the first and the last among them: enough to tell two files apart.

        Parameters
        ----------
        count : int
            How many rows to read at most.

        Returns
        -------
        array of shape (min(count, number of rows), ...)

        Raises
        ------
        DataError
            If the file can no longer be read.
        """
        count = min(max(count, 0), self.shape[0])
        out = np.empty((count, *self.shape[1:]), self.dtype)
        with opened(self.path) as file:
            for i in range(count):
                self._read(file, i * (self.shape[0] - 1) // max(count - 1, 1), out[i : i + 1])
        return out

    def _read(self, file: io.FileIO, low: int, out: NDArray[Any]) -> None:
        """Fill a C-contiguous array with values, beginning at a row."""
        target = out.reshape(-1).view(np.uint8)
        done = 0
        try:
            found = os.fstat(file.fileno())
            if found.st_size < self.offset + self.nbytes:
                raise _shorter(self.path)
            self._compare(found)
            file.seek(self.offset + low * self.width * self.dtype.itemsize)
            while done < target.size:  # one read gives at most 2 GB
                got = file.readinto(target[done:])  # type: ignore[arg-type]
                if not got:
                    raise _shorter(self.path)
                done += got
        except OSError as problem:
            raise unreadable(self.path, ".npy", problem) from None
        if self.swapped:
            out.byteswap(inplace=True)
        # The time of change is looked at before, and what is read is what counts.
        if self.bounds and out.size and not self.bounds[0] <= out.min() <= out.max() <= self.bounds[1]:
            raise _changed(self.path, "an index in it is out of bounds")

    def check(self) -> None:
        """Refuse a file that has changed since it was opened: for whoever keeps what was read of it.

        Raises
        ------
        DataError
            If the file has changed, or is gone.
        """
        try:
            self._compare(self.path.stat())
        except OSError as problem:
            raise unreadable(self.path, ".npy", problem) from None

    def _compare(self, found: os.stat_result) -> None:
        if self.seen not in (None, (found.st_size, found.st_mtime_ns)):
            raise _changed(self.path, "its size or its time of change is another")

    def as_index(self) -> Stored:
        """Give the array with the bounds of its values, which are held to whenever it is read."""
        step = max(1, CHUNK // max(1, self.width))
        parts = (self.rows(low, min(low + step, len(self))) for low in range(0, len(self), step))
        ends = [(float(part.min()), float(part.max())) for part in parts]
        return replace(self, bounds=(min(low for low, _ in ends), max(high for _, high in ends)))


def _shorter(path: Path) -> DataError:
    return DataError(f"'{named(path)}' became shorter while it was read; it must stay as it is")


def _changed(path: Path, how: str) -> DataError:
    return DataError(f"'{named(path)}' has changed since it was opened: {how}; make the objective anew")


def opened(path: Path, kind: str = ".npy") -> io.FileIO:
    """Open a file for reading bytes, in any order: a `DataError` if that cannot be done, as of a pipe."""
    try:
        ordinary = stat.S_ISREG(path.stat().st_mode)  # to open a pipe is to wait for who writes to it
        if ordinary:
            return path.open("rb", buffering=0)
    except (OSError, ValueError) as problem:
        raise unreadable(path, kind, problem) from None
    raise unreadable(path, kind, ValueError("it is no ordinary file; copy it to one, so that any bytes can be read"))


def header(path: Path) -> Header:
    """Read the header of a ``.npy`` file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    shape : tuple of int
    fortran : bool
        Whether the first axis varies fastest.
    dtype : dtype
        In the byte order of the file.
    offset : int
        Where the values begin, in bytes.

    Raises
    ------
    DataError
        If there is no such file, or it is none of ``.npy``.
    """
    with opened(path) as file:
        try:
            return parse_header(file)
        except (OSError, ValueError) as problem:
            raise unreadable(path, ".npy", problem) from None


def parse_header(file: IO[bytes] | io.FileIO) -> Header:
    """Read the header of a ``.npy`` file that is open; a ``ValueError`` if it has none.

    Parameters
    ----------
    file : file object
        Stands at the first byte, and at the first value afterwards.

    Returns
    -------
    tuple
        As `header` gives it.

    Raises
    ------
    ValueError
        If the file is none of ``.npy``.
    """
    try:
        version = npy.read_magic(file)
        # Version 3 differs from 2 in how it writes the names of fields.
        reader = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = reader(file)
    except OSError:
        raise
    except Exception as problem:  # noqa: BLE001 - a damaged header is parsed as Python, which may raise anything
        raise ValueError(str(problem)) from None
    if any(n < 0 for n in shape):
        raise ValueError(f"its shape is {shape}")
    return tuple(map(int, shape)), bool(fortran), dtype, file.tell()


def unreadable(path: Path, kind: str, problem: Exception) -> DataError:
    """Say that a file cannot be read as what it should be."""
    if isinstance(problem, FileNotFoundError):
        return DataError(f"there is no file '{named(path)}'")
    return DataError(f"'{named(path)}' cannot be read as {kind}: {safe(str(problem), 160)}")


def named(path: Path) -> str:
    """Give a path for a message: longer than other things may be, for its end tells the most."""
    return safe(str(path), 200)
