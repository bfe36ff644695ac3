"""The disk cache: what was derived and compiled once, by content.

An entry's name is the hash of all that it was made from, versions and processor included; its first line is the hash
of what follows. So an entry is right or it is ignored: damaged, foreign and half-written files are. Entries are text
and machine code, never pickles. Since machine code is run, the folder and its files must belong to the user and be
writable by nobody else.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
from functools import cache as once
from pathlib import Path

MAGIC = b"symgd1 "


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


@once
def generator() -> str:
    """Give the hash of the code that generates code: what another version wrote is never taken for this one's."""
    home = Path(__file__).parent.parent
    sources = [home / f"{name}.py" for name in ("functions", "scalar", "vector", "calculus", "rules")]
    for package in ("formula", "graph", "codegen"):
        sources += sorted((home / package).glob("*.py"))
    return key(*(source.read_text(encoding="utf-8") for source in sources if source.exists()))


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
    except OSError:
        return None
    if head != MAGIC + hashlib.sha256(name.encode() + content).hexdigest().encode() + b"\n":
        return None
    return content


def save(name: str, content: bytes) -> None:
    """Keep an entry, if the folder can be written to. Another process may be doing the same.

    Parameters
    ----------
    name : str
        The entry's key.
    content : bytes
        Its content.
    """
    base = folder()
    if base is None:
        return
    with contextlib.suppress(OSError):
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _ours(base.stat(), directory=True):
            return
        # Written aside and moved into place: whoever reads sees all of it or nothing.
        handle, aside = tempfile.mkstemp(dir=base, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(MAGIC + hashlib.sha256(name.encode() + content).hexdigest().encode() + b"\n" + content)
            Path(aside).replace(base / name)
        except OSError:
            Path(aside).unlink()


def _ours(status: os.stat_result, *, directory: bool = False) -> bool:
    """Tell whether a file is the user's own and nobody else may write to it."""
    if not (stat.S_ISDIR(status.st_mode) if directory else stat.S_ISREG(status.st_mode)):
        return False
    if not hasattr(os, "getuid"):  # Windows: the user's profile is guarded by the system
        return True
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
