"""One thread for NumPy's products: those of a block are too small for more, and a machine that is busy pays for them.

OpenBLAS hands even a product of 512 rows by 64 by 32 to all processors, whose threads spin while they wait for each
other: next to other work, 200 steps of a small network took twenty times as long with two threads as with one. With
one, sums are also rounded alike whatever the number of processors is.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec

# What OpenBLAS calls them, in the order of NumPy's wheels, of those before 2.0, and of distributions.
_PREFIXES = ("scipy_openblas_{}64_", "openblas_{}64_", "scipy_openblas_{}", "openblas_{}")


@cache
def _library() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """Give what reads and sets the threads of NumPy's library; ``None`` where it is not OpenBLAS or cannot be found."""
    try:
        # Its symbols are found through the module that was linked with it.
        library = ctypes.CDLL(find_spec("numpy._core._multiarray_umath").origin)  # type: ignore[union-attr]
    except (ImportError, AttributeError, OSError, TypeError):
        return None
    for prefix in _PREFIXES:
        try:
            read, write = (getattr(library, prefix.format(f"{verb}_num_threads")) for verb in ("get", "set"))
        except AttributeError:
            continue
        read.restype, write.argtypes, write.restype = ctypes.c_int, [ctypes.c_int], None
        return read, write
    return None


class _Alone:
    """Counts who asks for one thread: the last to leave puts the number back."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = self.before = 0

    def enter(self) -> None:
        found = _library()
        if found is not None:
            with self.lock:
                if self.inside == 0:
                    self.before = found[0]()
                    if self.before > 1:
                        found[1](1)
                self.inside += 1

    def leave(self) -> None:
        found = _library()
        if found is not None:
            with self.lock:
                self.inside -= 1
                if self.inside == 0 and self.before > 1:
                    found[1](self.before)


_ALONE = _Alone()


@contextmanager
def one_thread() -> Iterator[None]:
    """Let NumPy's products run in the thread that asks for them, as far as NumPy's library is OpenBLAS.

    Examples
    --------
    >>> import numpy as np
    >>> with one_thread():
    ...     float(np.ones(3) @ np.ones(3))
    3.0
    """
    _ALONE.enter()
    try:
        yield
    finally:
        _ALONE.leave()
