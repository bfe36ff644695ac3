"""Saved runs: files that are whole or not there, and that are read with distrust.

A file is written beside its name and renamed when all of it is on the disk, so that a process that ends at any moment
leaves the file before or the one after. It carries the hash of all its other bytes: what was altered is not resumed.
Nothing in it is compressed or code: it is read into no more memory than it has bytes, and by nothing that runs what it
reads.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import math
import os
import re
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from symgd.errors import DataError, UsageError, safe, shown

VERSION = 2
MOST = 1 << 33  # bytes of a file
NAMED = 200  # characters of a path that a message shows
SUFFIXES = (".npz", ".json")
_SEAL = b"symgd %d sha256 " % VERSION  # the comment of a .npz file, which is the last of it, begins with it
_VERSIONS = re.compile(rb'symgd (\d{1,9}) sha256 $|\{"symgd": (\d{1,9}), ')
_HEAD = '{"symgd": %d, "sha256": "%s",\n'  # the first line of a .json file


def checked_path(path: Any) -> Path:
    """Give the path of a file that a run can be saved in.

    Parameters
    ----------
    path : str or path
        A name ending in ``.npz``, or in ``.json`` for text.

    Returns
    -------
    Path

    Raises
    ------
    UsageError
        If it is no path, or ends in neither.
    """
    target = _path(path)
    if target.suffix not in SUFFIXES:
        raise UsageError(f"path={safe(str(target))!r} must end in .npz or .json")
    return target


def write(path: Any, state: Mapping[str, Any]) -> Path:
    """Write what a run needs to go on.

    Parameters
    ----------
    path : str or path
        As `checked_path` takes it.
    state : mapping
        Numbers and texts as JSON holds them, and arrays of floats.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    UsageError
        If the name ends in neither ``.npz`` nor ``.json``.
    DataError
        If it cannot be written: what stood there stays.
    """
    target = checked_path(path)
    arrays = {f"array_{name}": value for name, value in state.items() if isinstance(value, np.ndarray)}
    plain = {name: value for name, value in state.items() if not isinstance(value, np.ndarray)}
    content = (_npz if target.suffix == ".npz" else _json)(plain, arrays)
    try:
        replace_file(target, content)
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise DataError(f"'{named(target)}' cannot be written: {safe(str(reason))}") from None
    return target


def replace_file(target: Path, content: bytes) -> None:
    """Write a file as a whole: what stood there stays until all of it is on the disk.

    A link stays a link, and a file keeps who may read it.
    """
    target = Path(os.path.realpath(target))
    mode = target.stat().st_mode if target.exists() else None
    if mode is not None and not stat.S_ISREG(mode):
        raise OSError("it is no ordinary file")
    beside = target.with_name(f".{target.name[:100]}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            if mode is not None:
                beside.chmod(stat.S_IMODE(mode))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
    with contextlib.suppress(OSError, AttributeError):  # not every system opens folders
        folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _npz(plain: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    room = io.BytesIO()
    np.savez(room, allow_pickle=False, state=np.array(json.dumps(plain).encode()), **arrays)

    with zipfile.ZipFile(room, "a") as archive:
        archive.comment = _SEAL + b"0" * 64
    content = room.getvalue()[:-64]
    return content + hashlib.sha256(content).hexdigest().encode()


def _json(plain: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    # Floats as hexadecimal text: exact, nan and infinities included.
    rows = {name: [array.shape, [float(v).hex() for v in array.ravel()]] for name, array in arrays.items()}
    rest = f'"state": {json.dumps(plain)},\n"arrays": {json.dumps(rows)}}}\n'.encode()
    return (_HEAD % (VERSION, hashlib.sha256(rest).hexdigest())).encode() + rest


# ---- reading -------------------------------------------------------------------------------------------------------


def read(path: Any) -> dict[str, Any]:
    """Read what `write` wrote.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    dict

    Raises
    ------
    DataError
        If the file is no saved run, or is not as it was written.
    """
    target = _path(path)
    try:
        content = _content(target)
        return (_from_json if target.suffix == ".json" else _from_npz)(content)
    except FileNotFoundError:
        raise DataError(f"there is no file '{named(target)}'") from None
    except Exception as problem:  # noqa: BLE001 - whatever a file holds, its reader may raise
        raise DataError(f"'{named(target)}' is not a saved run: {safe(str(problem), 160)}") from None


def _content(target: Path) -> bytes:
    found = target.stat()
    if not stat.S_ISREG(found.st_mode):  # to open a pipe is to wait for who writes to it
        raise ValueError("it is no ordinary file")
    if found.st_size > MOST:
        raise ValueError(f"it has {found.st_size:,} bytes, more than a run has")
    return target.read_bytes()


def named(path: Any) -> str:
    """Give a path for a message."""
    return safe(str(path), NAMED)


def _from_npz(content: bytes) -> dict[str, Any]:
    sealed, given = content[:-64], content[-64:]
    _check_version(_VERSIONS.search(sealed[-40:]))
    if not sealed.endswith(_SEAL):
        raise ValueError(
            "it does not end in the checksum that Run.save writes; it was cut short or edited, or something else wrote "
            "it"
        )
    _check(sealed, given.decode("ascii", "replace"))
    arrays: dict[str, NDArray[Any]] = {}

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        if len({info.filename for info in members}) < len(members):
            raise ValueError("it has an array twice")
        for info in members:
            if info.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"'{info.filename}' in it is compressed")
            arrays[info.filename.removesuffix(".npy")] = _array(archive.read(info), info.filename)
    return _joined(json.loads(arrays.pop("state").item(), parse_constant=_refuse), arrays)


def _array(content: bytes, name: str) -> NDArray[Any]:
    """Read an array that takes as many bytes as there are."""
    file = io.BytesIO(content)
    version = npy.read_magic(file)
    shape, fortran, dtype = (npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0)(file)
    if fortran and len(shape) > 1:
        raise ValueError(f"'{name}' in it is in Fortran order")
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != len(content) - file.tell():
        raise ValueError(f"'{name}' in it is cut short or no array of numbers")
    return np.frombuffer(content, dtype, offset=file.tell()).reshape(shape)


def _from_json(content: bytes) -> dict[str, Any]:
    head, _, rest = content.partition(b"\n")
    _check_version(_VERSIONS.match(head))
    given = head[-66:-2].decode("ascii", "replace")
    if head + b"\n" != (_HEAD % (VERSION, given)).encode():
        raise ValueError(
            "it does not begin with the checksum that Run.save writes; it was edited, or something else wrote it"
        )
    _check(rest, given)
    found = json.loads(content, parse_constant=_refuse)
    arrays = {
        name: np.array([float.fromhex(v) for v in values], dtype=np.float64).reshape(shape)
        for name, (shape, values) in found["arrays"].items()
    }
    return _joined(found["state"], arrays)


def _check_version(found: re.Match[bytes] | None) -> None:
    """Say that a file is of another version, rather than that it is damaged."""
    version = found and int(found[1] or found[2])
    if version and version != VERSION:
        raise ValueError(f"it is of version {version} of saved runs, and this symgd reads {VERSION}; run it anew")


def _check(content: bytes, given: str) -> None:
    if hashlib.sha256(content).hexdigest() != given:
        raise ValueError("its checksum is another than that of its content; it was damaged or edited")


def _joined(plain: Any, arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    if not isinstance(plain, dict):
        raise TypeError("its state is no object of names and values")
    state = dict(plain)
    for name, array in arrays.items():
        if not name.startswith("array_") or array.dtype != np.float64:
            raise ValueError(f"'{name}' in it is no array of floats of a run")
        state[name.removeprefix("array_")] = array
    return state


def _refuse(constant: str) -> Any:
    raise ValueError(f"'{constant}' is no number in JSON")


def _path(path: Any) -> Path:
    if not isinstance(path, str | os.PathLike) or isinstance(path, bytes):
        raise UsageError(f"path={shown(path)} must be the name of a file")
    return Path(path)
