"""Data that belong to an objective: what happens to the arrays they were given as changes no answer.

Arrays of up to `COPIED` bytes are copied, and so are larger ones that serve as an index: an entry that grows beyond
the length of what it chooses from would have compiled code read memory that is not its own. Other large arrays are
read where they lie. An array that NumPy maps from a file is read from the file instead, since a file that becomes
shorter ends the process at the next look at what is mapped; where it cannot be, as one that was changed in memory only,
it is copied.
"""

from __future__ import annotations

import hashlib
import sys
import weakref
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.data.stored import DTYPES, Stored
from symgd.errors import safe

COPIED = 1 << 26  # bytes
CHUNK = 1 << 24  # bytes that are hashed at a time
SAMPLE = 4096  # rows that large arrays are told apart by

# Arrays by their id that were read from a file, to which nobody else has a reference.
_FRESH: weakref.WeakValueDictionary[int, NDArray[Any]] = weakref.WeakValueDictionary()


def fresh(values: Any) -> Any:
    """Mark an array that was made for an objective alone, so that it need not be copied.

    Parameters
    ----------
    values : object
        An array, or anything else, which is given back as it is.

    Returns
    -------
    object
        The same.
    """
    if isinstance(values, np.ndarray) and values.flags.c_contiguous and not _is_mapped(values):
        _FRESH[id(values)] = values
    return values


def _is_fresh(values: Any) -> bool:
    return isinstance(values, np.ndarray) and _FRESH.get(id(values)) is values


class Owned(Mapping[str, Any]):
    """Data by name, which nobody changes.

    Parameters
    ----------
    values : mapping of str to float, ndarray or Stored
        As `symgd.data.load` gives them.
    indices : mapping of str to bool, optional
        The names that serve as an index; true for those that do so as they stand, and not in a term.
    used : container of str, optional
        The names that are kept; by default all.
    """

    def __init__(
        self, values: Mapping[str, Any], indices: Mapping[str, bool] | None = None, used: Container[str] | None = None
    ) -> None:
        known = indices or {}
        ours: frozenset[str] = values._ours if isinstance(values, Owned) else frozenset()  # noqa: SLF001
        wanted = {name: array for name, array in values.items() if used is None or name in used}
        self._values = {name: a if name in ours else _own(a, known.get(name)) for name, a in wanted.items()}
        # The arrays that nobody else has a reference to: those that were copied, and not looked at in place.
        arrays = (name for name, a in self._values.items() if isinstance(a, np.ndarray))
        self._ours: frozenset[str] = frozenset(
            name for name in arrays
            if name in ours or _is_fresh(wanted[name]) or not np.may_share_memory(self._values[name], wanted[name])
        )  # fmt: skip

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    @cached_property
    def _hashes(self) -> dict[str, str]:
        # By size alone, so that data that have travelled are told to be the same.
        return {name: _hash(self._values[name]) for name in self._ours if self._values[name].nbytes <= COPIED}

    def fixed(self, names: Iterable[str]) -> bool:
        """Tell whether nobody else can change any of these arrays: none is on disk, or read where it lies."""
        return all(name in self._ours for name in names if not isinstance(self._values.get(name, 0.0), float))

    def fingerprint(self, names: Iterable[str], *, whole: bool = True) -> dict[str, list[Any]]:
        """Give what tells data apart, as JSON holds it.

        Parameters
        ----------
        names : iterable of str
            The data that count.
        whole : bool
            Whether all rows of arrays on disk, and of those that are read where they lie, count, or a sample of them.

        Returns
        -------
        dict of str to [str, list of int, str]
            Of each its type, its shape and a hash of its values.
        """
        found: dict[str, list[Any]] = {}
        for name in names:
            values = self._values.get(name, 0.0)
            if isinstance(values, float):
                found[name] = ["number", [], values.hex()]
                continue
            content = self._hashes.get(name) or _hash(values if whole else _sample(values))
            found[name] = [str(values.dtype), list(values.shape), content]
        return found

    def __repr__(self) -> str:
        return repr(self._values)

    def __getstate__(self) -> dict[str, Any]:
        return self._values

    def __setstate__(self, values: dict[str, Any]) -> None:
        self._values = {name: _frozen(array) for name, array in values.items()}
        self._ours = frozenset(name for name, array in values.items() if isinstance(array, np.ndarray))


def _own(values: Any, index: bool | None) -> Any:  # noqa: FBT001 - None for what is no index
    """Give an array that nobody else changes, or a view of a large one."""
    if isinstance(values, Stored):
        # Of a term the bounds are known for the values that are there now, and not for any others between them.
        return values if index is None else values.as_index() if index else _frozen(values.whole())
    if not isinstance(values, np.ndarray):
        return values
    if _is_fresh(values):
        return _frozen(values)
    if values.nbytes <= COPIED or index is not None:
        return _frozen(np.array(values, order="C", subok=False))
    if not _is_mapped(values):
        return _frozen(values.view(np.ndarray))
    return _mapped(values) or _frozen(np.array(values, order="C", subok=False))


def _frozen(values: Any) -> Any:
    if isinstance(values, np.ndarray):
        values.flags.writeable = False
    return values


def _is_mapped(values: object) -> bool:
    """Tell whether an array lies in a file that is mapped into memory, by NumPy or by anybody else."""
    mmap = sys.modules.get("mmap")
    root = values
    while isinstance(root, np.ndarray | memoryview):
        root = root.base if isinstance(root, np.ndarray) else root.obj
    return mmap is not None and isinstance(root, mmap.mmap)


def _mapped(values: NDArray[Any]) -> Stored | None:
    """Give a large array that is mapped from a file as one on disk; ``None`` where the file does not hold all of it."""
    root: Any = values
    while isinstance(root.base, np.ndarray):
        root = root.base
    known = isinstance(root, np.memmap) and root.filename is not None and root.mode != "c"
    if not known or values.dtype.name not in DTYPES:
        return None
    if root.mode != "r":
        root.flush()
    offset = root.offset + values.ctypes.data - root.ctypes.data
    return Stored.of(Path(root.filename).absolute(), values.dtype, values.shape, offset)


def difference(here: Mapping[str, Sequence[object]], there: Mapping[str, Sequence[object]]) -> str | None:
    """Say what differs between two fingerprints.

    Parameters
    ----------
    here : mapping of str to list
        As `Owned.fingerprint` gives it.
    there : mapping
        That of a saved run, which may hold anything.

    Returns
    -------
    str or None
        ``None`` for nothing.
    """
    for name in {**here, **there}:
        if name not in here or name not in there:
            now, then = ("data", "none") if name in here else ("no data", "some")
            return f"'{safe(name)}' is {now} here and was {then} there"
        if here[name] != there[name]:
            now, then = (safe(v[:2] if isinstance(v, list) else v) for v in (here[name], there[name]))
            return f"'{safe(name)}' has other values" if now == then else f"'{safe(name)}' is {now} here and was {then}"
    return None


def _sample(values: Any) -> NDArray[Any]:
    """Give rows of a large array that are spread evenly."""
    if isinstance(values, Stored):
        return values.sample(SAMPLE)
    rows: NDArray[Any] = values[:: max(1, len(values) // SAMPLE)]
    return rows


def _hash(values: Any) -> str:
    """Hash rows, so many at a time."""
    found = hashlib.sha256()
    step = max(1, CHUNK * len(values) // max(1, values.nbytes))
    for low in range(0, len(values), step):
        high = min(low + step, len(values))
        rows = values.rows(low, high) if isinstance(values, Stored) else values[low:high]
        found.update(np.ascontiguousarray(rows).reshape(-1).view(np.uint8).data)
    return found.hexdigest()
