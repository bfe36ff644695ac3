"""The cache's folder on disk: whose it is, how its files are opened, and the key that marks what symgd wrote there.

Machine code is run, so nothing is read that another user may have written, and nothing that merely came to belong to
the user, as what is unpacked from an archive does: an entry carries an HMAC with a key that stays in the user's
configuration. The folder is opened once for each look into it; its files are named relative to what was opened.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache as once
from pathlib import Path

from symgd.records import dataclass

LARGEST = 100_000_000  # bytes of an entry: more is neither written nor read
NOBODY = 65534  # whoever runs as nobody shares that name with strangers
OFF = ("off", "none", "no", "false", "0", "")
BYTES = 32  # of a key

_SAFE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _SAFE  # a pipe without a writer is not waited for
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFE
_RELATIVE = os.open in os.supports_dir_fd  # not on Windows, where the system guards the user's profile


def folder() -> Path | None:
    """Give the cache's folder, ``$SYMGD_CACHE`` or the platform's; ``None`` for ``SYMGD_CACHE=off`` and its like."""
    chosen = os.environ.get("SYMGD_CACHE")
    if (chosen is not None and chosen.strip().lower() in OFF) or _user() == NOBODY:
        return None
    bases = {"win32": ("LOCALAPPDATA", "~/AppData/Local"), "darwin": ("", "~/Library/Caches")}
    return _expanded(chosen) if chosen else _placed(*bases.get(sys.platform, ("XDG_CACHE_HOME", "~/.cache")))


def _placed(variable: str, otherwise: str) -> Path | None:
    base = _expanded(os.environ.get(variable) or otherwise)
    return base and base / "symgd"


def _expanded(path: str) -> Path | None:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # no home
        return None


def _user() -> int:
    return os.geteuid() if hasattr(os, "geteuid") else -1


@dataclass(frozen=True)
class Shelf:
    """An open folder of the user's own.

    Parameters
    ----------
    path : Path
        Where it is.
    handle : int or None
        What it was opened as; ``None`` where files cannot be named relative to that.
    """

    path: Path
    handle: int | None

    def name(self, name: str) -> str:
        """Give a file's name as the system's calls take it, together with `handle`."""
        return name if self.handle is not None else str(self.path / name)

    def read(self, name: str, most: int = LARGEST, *, private: bool = False) -> tuple[bytes, float] | None:
        """Give what a file holds and when it was used last; ``None`` for what is not an ordinary one of the user's."""
        file = os.open(self.name(name), _READ, dir_fd=self.handle)
        with os.fdopen(file, "rb") as opened:
            status = os.fstat(file)
            if (
                not is_ours(status)
                or status.st_size > most
                or (private and os.name == "posix" and status.st_mode & 0o77)
            ):
                return None
            return opened.read(most + 1), status.st_mtime

    def write(self, name: str, content: bytes, *, replace: bool = True) -> None:
        """Write a file aside and move it into place: whoever reads sees all of it or nothing."""
        aside = f".new-{os.urandom(8).hex()}"
        file = os.open(self.name(aside), _WRITE, 0o600, dir_fd=self.handle)
        try:
            with os.fdopen(file, "wb") as opened:
                opened.write(content)
            if replace:
                os.replace(self.name(aside), self.name(name), src_dir_fd=self.handle, dst_dir_fd=self.handle)
            else:  # fails where there is one
                os.link(self.name(aside), self.name(name), src_dir_fd=self.handle, dst_dir_fd=self.handle)
                self.remove(aside)
        except OSError:
            self.remove(aside)
            raise

    def touch(self, name: str) -> None:
        """Note that a file is used now."""
        if self.handle is None:
            os.utime(self.name(name))
        else:
            os.utime(name, dir_fd=self.handle, follow_symlinks=False)

    def remove(self, name: str) -> None:
        """Remove a file."""
        os.unlink(self.name(name), dir_fd=self.handle)

    def files(self) -> Iterator[tuple[str, os.stat_result]]:
        """Give names and states of the user's own ordinary files."""
        with os.scandir(self.path if self.handle is None else self.handle) as found:
            for entry in found:
                with contextlib.suppress(OSError):  # another process may have removed it
                    status = entry.stat(follow_symlinks=False)
                    if is_ours(status):
                        yield entry.name, status


@contextmanager
def opened(path: Path, *, make: bool = False) -> Iterator[Shelf]:
    """Open a folder, made where it is missing.

    Parameters
    ----------
    path : Path
        The folder.
    make : bool
        Whether it is made.

    Yields
    ------
    Shelf

    Raises
    ------
    OSError
        If there is none, or it is not the user's alone to write to.
    """
    if make:
        _make(path)
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _SAFE) if _RELATIVE else None
    try:
        if not is_ours(os.fstat(handle) if handle is not None else path.lstat(), directory=True):
            raise PermissionError(path)
        yield Shelf(path, handle)
    finally:
        if handle is not None:
            os.close(handle)


def _make(path: Path) -> None:
    """Make a folder, but none of the superuser's inside of what belongs to another, as a home kept by sudo does."""
    above = path
    while not above.exists() and above != above.parent:
        above = above.parent
    if _user() == 0 and above.stat().st_uid != 0:
        raise PermissionError(path)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def is_ours(status: os.stat_result, *, directory: bool = False) -> bool:
    """Tell whether a file is an ordinary one of the user's own, and nobody else may write to it.

    Parameters
    ----------
    status : os.stat_result
        Its state.
    directory : bool
        Whether it has to be a folder instead.

    Returns
    -------
    bool
    """
    if not (stat.S_ISDIR(status.st_mode) if directory else stat.S_ISREG(status.st_mode)):
        return False
    return os.name != "posix" or (status.st_uid == _user() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


# ---- the key -------------------------------------------------------------------------------------------------------


def mark(path: Path, name: str, content: bytes) -> bytes:
    """Give what only this user can put before an entry's content.

    Parameters
    ----------
    path : Path
        The cache's folder.
    name : str
        The entry's name.
    content : bytes
        Its content.

    Returns
    -------
    bytes
        64 hexadecimal digits.

    Raises
    ------
    OSError
        If there is no key, and none can be kept.
    """
    config = _placed(
        *(("APPDATA", "~/AppData/Roaming") if sys.platform == "win32" else ("XDG_CONFIG_HOME", "~/.config"))
    )
    key = _key(config, path.absolute().parent)
    return hmac.digest(key, name.encode() + b"\n" + content, "sha256").hex().encode()


@once
def _key(config: Path | None, beside: Path) -> bytes:
    """Give the user's key, from the configuration or, without a home, from beside the cache."""
    for place, name in ((config, "cache-key"), (beside, ".symgd-cache-key")):
        if place is not None:
            with contextlib.suppress(OSError), opened(place, make=True) as shelf:
                found = _kept(shelf, name) or _made(shelf, name)
                if found:
                    return found
    raise PermissionError(beside)


def _kept(shelf: Shelf, name: str) -> bytes | None:
    try:
        found = shelf.read(name, BYTES, private=True)
    except OSError:
        return None
    return found[0] if found and len(found[0]) == BYTES else None


def _made(shelf: Shelf, name: str) -> bytes | None:
    """Make a key, in place of one that cannot be read; where another process was first, its own is taken."""
    try:
        shelf.write(name, os.urandom(BYTES), replace=False)
    except OSError:
        found = _kept(shelf, name)
        if found:
            return found
        shelf.write(name, os.urandom(BYTES))
    return _kept(shelf, name)
