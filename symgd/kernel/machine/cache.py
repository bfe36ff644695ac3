"""The disk cache: what was derived and compiled once, by content.

An entry's name is the hash of all that it was made from, versions and processor included; its first line is the hash
of what follows. So an entry is right or it is ignored: damaged, foreign and half-written files are. Entries are text
and machine code, never pickles. Since machine code is run, the folder and its files must belong to the user and be
writable by nobody else. What is used is touched, and beyond `limit` what was not used for longest goes first.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import sys
import time
from collections.abc import Iterator
from functools import cache as once
from pathlib import Path
from typing import NamedTuple

from symgd.errors import UsageError, safe

MAGIC = b"symgd1 "
MEGABYTES = 500  # that the folder may take, where `$SYMGD_CACHE_SIZE` does not say
SHARE = 20  # of the limit, a part: so much is written before the folder is looked through again
RECENT = 60.0  # seconds for which an entry that was touched is not touched again
PACKAGE = Path(__file__).parents[2]
# What has a part in the code, besides this package and the standard library.
DISTRIBUTIONS = ("numpy", "sympy", "mpmath", "numba", "llvmlite")
_ENTRY = r"[0-9a-f]{64}|\.new-\w+"  # a name; the latter of one that was never finished


def folder() -> Path | None:
    """Give the cache's folder, ``$SYMGD_CACHE`` or the platform's; ``None`` for ``SYMGD_CACHE=off``."""
    chosen = os.environ.get("SYMGD_CACHE")
    if chosen in ("off", "0", ""):
        return None
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        return Path(base).expanduser() / "symgd"
    except RuntimeError:  # no home
        return None


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
        A hash of all sources of the package, and the versions of Python and of `DISTRIBUTIONS`.
    """
    return _generator(folder())


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
            *(part for path in sources() for part in (path.name, _text(path))), sys.version, versions()
        ).encode()
        save(seen, known)
    return known.decode()


def sources() -> list[Path]:
    """Give all modules of the package.

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


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _files(base: str) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(base) as found:
        for entry in found:
            if entry.is_dir():
                yield from _files(entry.path)
            elif entry.name.endswith(".py"):
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
    try:
        if not _ours(base.stat(), directory=True):
            return None
        with (base / name).open("rb") as file:
            if not _ours(os.fstat(file.fileno())):
                return None
            head, content = file.read(len(MAGIC) + 65), file.read()
            used = os.fstat(file.fileno()).st_mtime
    except OSError:
        return None
    if head != MAGIC + hashlib.sha256(name.encode() + content).hexdigest().encode() + b"\n":
        return None
    if time.time() - used > RECENT:
        with contextlib.suppress(OSError):
            os.utime(base / name)
    return content


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
    with contextlib.suppress(OSError):
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _ours(base.stat(), directory=True):
            return
        # Written aside and moved into place: whoever reads sees all of it or nothing.
        import tempfile

        handle, aside = tempfile.mkstemp(dir=base, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(MAGIC + hashlib.sha256(name.encode() + content).hexdigest().encode() + b"\n" + content)
            Path(aside).replace(base / name)
        except OSError:
            Path(aside).unlink()
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
    with contextlib.suppress(OSError):
        for path in base.iterdir() if base else ():
            with contextlib.suppress(OSError):  # another process may have removed it
                status = path.lstat()
                if re.fullmatch(_ENTRY, path.name) and _ours(status):
                    found.append(Entry(path, status.st_size, status.st_mtime))
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
    for entry in entries():
        total += entry.size
        if total > most or most == 0:
            with contextlib.suppress(OSError):
                entry.path.unlink()
                gone.append(entry)
    return gone


def _make_room(base: Path, most: int, size: int) -> None:
    """Look through the folder at the first entry that a process writes, and from time to time."""
    first = base not in _written
    _written[base] = _written.get(base, 0) + size
    if first or _written[base] > most // SHARE:
        _written[base] = 0
        prune(most - most // SHARE)


def _ours(status: os.stat_result, *, directory: bool = False) -> bool:
    """Tell whether a file is the user's own and nobody else may write to it."""
    if not (stat.S_ISDIR(status.st_mode) if directory else stat.S_ISREG(status.st_mode)):
        return False
    if not hasattr(os, "getuid"):  # Windows: the user's profile is guarded by the system
        return True
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
