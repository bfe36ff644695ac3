"""The disk cache: what was derived and compiled once, by content.

An entry's name is the hash of all that it was made from, versions and processor included; its first line is the mark of
what follows, which only the user can make. So an entry is right or it is ignored: damaged, foreign and half-written
files are. Entries are text and machine code, never pickles. What is used is touched, and beyond `limit` what was not
used for longest goes first. `shelf` opens the folder and its files, and says whom it trusts.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import sys
import time
from collections.abc import Iterator
from functools import cache as once
from pathlib import Path
from typing import NamedTuple

from symgd.errors import UsageError, safe
from symgd.kernel.machine import shelf
from symgd.kernel.machine.shelf import folder

MAGIC = b"symgd2 "
MEGABYTES = 500  # that the folder may take, where `$SYMGD_CACHE_SIZE` does not say
SHARE = 20  # of the limit, a part: so much is written before the folder is looked through again
STALE = 3600.0  # seconds after which a file that is still being written was left by a killed process
RECENT = 60.0  # seconds for which an entry that was touched is not touched again
PACKAGE = Path(__file__).parents[2]
# What has a part in the code, besides this package and the standard library.
DISTRIBUTIONS = ("numpy", "sympy", "mpmath", "numba", "llvmlite")
_ENTRY = r"[0-9a-f]{64}|\.new-\w+"  # a name; the latter of one that was never finished


def key(*parts: str) -> str:
    """Give the name of the entry that is made from these texts.

    Parameters
    ----------
    *parts : str
        All that it is made from.

    Returns
    -------
    str

    Examples
    --------
    >>> key("a", "bc") == key("ab", "c")
    False
    """
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "little") + raw)
    return digest.hexdigest()


# ---- what code is made from ----------------------------------------------------------------------------------------


def generator() -> str:
    """Give the hash of all that has a part in making code: what another version wrote is never taken for this one's.

    Returns
    -------
    str
        A hash of all sources of the package, of the versions of Python and of `DISTRIBUTIONS`, and of what the
        environment tells Numba and LLVM, such as ``NUMBA_CPU_NAME``.
    """
    told = sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith(("NUMBA_", "LLVM")))
    return key(_generator(folder()), *told)


@once
def _generator(base: Path | None) -> str:
    """Read the sources, and ask for the versions, only when a file or a folder of packages was touched since.

    To look at the files takes half a millisecond, to read them four, and to ask for the versions twenty.
    """
    if base is None:  # nothing is kept
        return ""
    seen = key(repr([(str(path), s.st_size, s.st_mtime_ns, s.st_ctime_ns) for path, s in _stats()]), sys.version)
    known = load(seen)
    if known is None:
        known = key(
            *(part for path in sources() for part in (path.name, hashlib.sha256(path.read_bytes()).hexdigest())),
            sys.version,
            versions(),
        ).encode()
        save(seen, known)
    return known.decode()


def sources() -> list[Path]:
    """Give all modules of the package: sources, or what was compiled from them and came without; or the archive.

    Returns
    -------
    list of Path
    """
    return sorted(Path(path) for path, _ in _files(str(PACKAGE)))


def versions() -> str:
    """Give the versions of the packages that have a part in the code.

    Returns
    -------
    str
    """
    from importlib.metadata import PackageNotFoundError, version

    found = []
    for name in DISTRIBUTIONS:
        with contextlib.suppress(PackageNotFoundError):
            found.append(f"{name} {version(name)}")
    return ", ".join(found)


def _files(base: str) -> Iterator[tuple[str, os.stat_result]]:
    if not os.path.isdir(base):  # noqa: PTH112 - for speed
        archive = next((path for path in Path(base).parents if path.is_file()), None)
        if archive:
            yield str(archive), archive.stat()
        return
    with os.scandir(base) as found:
        for entry in found:
            if entry.is_dir():
                if entry.name != "__pycache__":  # what is there was made from what is here
                    yield from _files(entry.path)
            elif entry.name.endswith((".py", ".pyc")):
                yield entry.path, entry.stat()


def _stats() -> list[tuple[str, os.stat_result]]:
    """Give what changes when the package does, or what is installed beside it.

    Folders without any of the distributions, such as a script's own, are left out: their files come and go.
    """
    folders = [(path, os.stat(path)) for path in sys.path if path and _holds_any(path)]  # noqa: PTH116 - for speed
    return [*folders, *sorted(_files(str(PACKAGE)), key=lambda file: file[0])]


def _holds_any(path: str) -> bool:
    return any(os.path.exists(os.path.join(path, name)) for name in DISTRIBUTIONS)  # noqa: PTH110, PTH118 - for speed


# ---- entries -------------------------------------------------------------------------------------------------------


def load(name: str) -> bytes | None:
    """Give an entry's content; ``None`` when there is none that can be trusted.

    Parameters
    ----------
    name : str
        The entry's key.

    Returns
    -------
    bytes or None
    """
    base = folder()
    if base is None:
        return None
    with contextlib.suppress(OSError), shelf.opened(base) as opened:
        found = opened.read(name)
        if found is None:
            return None
        whole, used = found
        content = whole[len(MAGIC) + 65 :]
        if not hmac.compare_digest(whole[: len(MAGIC) + 65], _head(base, name, content)):
            return None
        if time.time() - used > RECENT:
            with contextlib.suppress(OSError):
                opened.touch(name)
        return content
    return None


def _head(base: Path, name: str, content: bytes) -> bytes:
    return MAGIC + shelf.mark(base, name, content) + b"\n"


def save(name: str, content: bytes) -> None:
    """Keep an entry, if the folder can be written to. Another process may be doing the same.

    Parameters
    ----------
    name : str
        The entry's key.
    content : bytes
        Its content.

    Raises
    ------
    UsageError
        If ``$SYMGD_CACHE_SIZE`` is no size.
    """
    base = folder()
    if base is None:
        return
    most = limit()
    if len(content) > min(most, shelf.LARGEST - 100):
        return
    with contextlib.suppress(OSError), shelf.opened(base, make=True) as opened:
        opened.write(name, _head(base, name, content) + content)
    _make_room(base, most, len(content))


# ---- the size of the folder ----------------------------------------------------------------------------------------


class Entry(NamedTuple):
    """A file of the cache: its size in bytes, and when it was used last, in seconds since 1970."""

    path: Path
    size: int
    used: float


_written: dict[Path, int] = {}  # bytes, since a folder was looked through


def limit() -> int:
    """Give the bytes that the folder may take.

    Returns
    -------
    int
        ``$SYMGD_CACHE_SIZE`` megabytes, or `MEGABYTES`.

    Raises
    ------
    UsageError
        If the variable is set to something else than a number that is not negative.
    """
    chosen = os.environ.get("SYMGD_CACHE_SIZE") or str(MEGABYTES)
    if not re.fullmatch(r"\d{1,9}(\.\d*)?", chosen, re.ASCII):
        raise UsageError(
            f"SYMGD_CACHE_SIZE={safe(chosen)} must be a number of megabytes, such as {MEGABYTES}; 0 keeps nothing"
        )
    return int(float(chosen) * 1e6)


def entries() -> list[Entry]:
    """Give what is in the cache.

    Returns
    -------
    list of Entry
        What was used last stands first. Files that the cache did not write are left out.
    """
    base = folder()
    found: list[Entry] = []
    if base is None:
        return found
    with contextlib.suppress(OSError), shelf.opened(base) as opened:
        for name, status in opened.files():
            if re.fullmatch(_ENTRY, name):
                found.append(Entry(base / name, status.st_size, status.st_mtime))
    return sorted(found, key=lambda entry: (-entry.used, entry.path))


def prune(most: int) -> list[Entry]:
    """Remove what was not used for longest, until what is left fits.

    Parameters
    ----------
    most : int
        Bytes that may stay; 0 removes all.

    Returns
    -------
    list of Entry
        What was removed.
    """
    gone: list[Entry] = []
    total = 0
    base = folder()
    if base is None:
        return gone
    with contextlib.suppress(OSError), shelf.opened(base) as opened:
        for entry in entries():
            total += entry.size
            left = entry.path.name.startswith(".new-") and time.time() - entry.used > STALE
            if total > most or most == 0 or left:
                with contextlib.suppress(OSError):
                    opened.remove(entry.path.name)
                    gone.append(entry)
    return gone


def _make_room(base: Path, most: int, size: int) -> None:
    """Look through the folder at the first entry that a process writes, and from time to time."""
    first = base not in _written
    _written[base] = _written.get(base, 0) + size
    if first or _written[base] > most // SHARE:
        _written[base] = 0
        prune(most - most // SHARE)
