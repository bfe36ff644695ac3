"""Saved runs, damaged and edited in every way: each must be refused by name, or go on as if nothing had happened.

    python -m tests.attack.saves --files 10000

Bytes are flipped, cut out, put in, zeroed; members of the archive are swapped, dropped, renamed, written twice, blown
up, compressed or replaced by pickles and by arrays of other types; and, with a checksum that is right again, single
values of what was saved are replaced by odd ones. A file that was altered and whose checksum was not must be refused
with a `DataError` that names it. Of those that were sealed again, nothing but symgd's own errors may come.
"""

from __future__ import annotations

import argparse
import collections
import copy
import io
import json
import math
import pickle
import random
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np

import symgd as sg
from symgd import saving

ODD = (None, True, -1, 0, 1, 3, 2**62, 10**30, 0.5, -0.0, math.nan, math.inf, "", "a", "0x1p+0", "nan", "inf", [], [1],
       [[]], [[1, 2]], [-1], [10**30], {}, {"a": 1}, "x = x - lr*g", "exact", "adam")  # fmt: skip


def cases() -> list[tuple[sg.Objective, sg.Run]]:
    """Give runs of all kinds, stopped half-way."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 3)), rng.normal(size=40)
    one = sg.Objective("(1 - a)**2 + 100*(b - a**2)**2", tier="python")
    rows = sg.Objective("mean((y - X @ w)**2)", data={"X": X, "y": y}, tier="python")
    start = {"a": -1.2, "b": 1.0}
    found = [(one, one.minimize(start, steps=5, **options)) for options in (
        {"lr": 1e-3}, {"lr": "0.001/(1 + t/100)", "method": "momentum"}, {"lr": 0.01, "method": "adam"},
        {"method": "noisy", "lr": 1e-3, "seed": 7}, {"method": "exact", "gtol": 1e-30}, {"method": "newton"},
        {"method": "lbfgs"}, {"method": "bfgs"})]  # fmt: skip
    found.append((rows, rows.minimize({"w": np.zeros(3)}, lr=0.1, batch=16, steps=4)))
    found.append((rows, rows.maximize({"w": np.zeros(3)}, lr=1e-6, steps=4)))
    return found


def damage(content: bytes, suffix: str, rng: random.Random) -> bytes:
    """Damage a file, and leave its checksum as it is."""
    ways = [_flipped, _cut, _zeroed, _inserted, _doubled, _other]
    if suffix == ".npz":
        ways += [_members] * 6
    return rng.choice(ways)(content, rng)


def _flipped(content: bytes, rng: random.Random) -> bytes:
    found = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        found[rng.randrange(len(found))] ^= 1 << rng.randrange(8)
    return bytes(found)


def _cut(content: bytes, rng: random.Random) -> bytes:
    low, high = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    return rng.choice((content[:high], content[low:], content[:low] + content[high:]))


def _zeroed(content: bytes, rng: random.Random) -> bytes:
    low, high = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    return content[:low] + bytes(high - low) + content[high:]


def _inserted(content: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(content) + 1)
    return content[:place] + rng.randbytes(rng.randrange(1, 64)) + content[place:]


def _doubled(content: bytes, rng: random.Random) -> bytes:
    return content + content[-rng.randrange(1, 200) :]


def _other(content: bytes, rng: random.Random) -> bytes:
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("a.txt", "no run")
    return rng.choice((b"", b"\0" * 100, b"PK\x05\x06" + bytes(18), pickle.dumps({"x": 1}), zipped.getvalue(),
                       b"[" * 100_000, b'{"state": {}, "arrays": {}}', rng.randbytes(300)))  # fmt: skip


def _members(content: bytes, rng: random.Random) -> bytes:
    """Write the archive anew, with one member or more that is another, and the old comment."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = [(info.filename, archive.read(info)) for info in archive.infolist()]
        comment = archive.comment
    at, to = rng.randrange(len(parts)), rng.randrange(len(parts))
    name, body = parts[at]
    way = rng.randrange(8)
    if way == 0:
        parts[at], parts[to] = (name, parts[to][1]), (parts[to][0], body)
    elif way == 1:
        del parts[at]
    elif way == 2:
        parts.append((name, body))
    elif way == 3:
        parts[at] = (rng.choice(("../x.npy", "/etc/x", "state.npy", "array_x.npy", "a" * 300)), body)
    elif way == 4:
        parts[at] = (name, _saved(np.array([{}, print], object), pickled=True))
    elif way == 5:
        parts[at] = (name, _saved(np.zeros(3, rng.choice(("f4", "i8", "?", "U5", "c16", ">f8", "M8[s]")))))
    elif way == 6:  # a header that promises much more than there is
        parts[at] = (name, _saved(np.zeros(3)).replace(b"(3,)", b"(9999999999,)"))
    else:
        parts[at] = (name, _saved(np.full(rng.randrange(1, 9), rng.choice((math.nan, math.inf, -1.0, 1e300)))))
    room = io.BytesIO()
    kind = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the name that is there twice
        with zipfile.ZipFile(room, "w", kind) as archive:
            for name, body in parts:
                archive.writestr(name, body)
            archive.comment = comment
    return room.getvalue()


def _saved(array: np.ndarray, *, pickled: bool = False) -> bytes:
    room = io.BytesIO()
    np.save(room, array, allow_pickle=pickled)
    return room.getvalue()


def edited(state: dict, rng: random.Random) -> dict:
    """Replace single values of what was saved; it is to be sealed again."""
    found = copy.deepcopy(dict(state))
    for _ in range(rng.choice((1, 1, 2))):
        key = rng.choice(list(found))
        value = found[key]
        if isinstance(value, np.ndarray) and rng.random() < 0.8:
            changed = value.copy()
            way = rng.randrange(4)
            if way == 0 and changed.size:
                changed.reshape(-1)[rng.randrange(changed.size)] = rng.choice((math.nan, math.inf, -1.0, 1e300, 0.5))
            elif way == 1:
                changed = changed.reshape(-1)[: rng.randrange(changed.size + 1)]
            elif way == 2:
                changed = np.concatenate([changed, changed])
            else:
                changed = changed[None]
            found[key] = changed
        elif isinstance(value, dict) and value and rng.random() < 0.8:
            inner = rng.choice(list(value))
            found[key] = {**value, inner: rng.choice(ODD)}
        elif rng.random() < 0.2:
            del found[key]
        else:
            found[key] = rng.choice(ODD)
        if not found:
            break
    return found


def attempt(objective: sg.Objective, path: Path, *, sealed: bool) -> str:
    """Resume, and say what came: what must not come begins with ``WRONG``."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            objective.resume(path, 7, seconds=1)
    except sg.DataError as problem:
        return "refused" if path.name in str(problem) else f"WRONG: the file is not named: {problem}"
    except sg.UsageError as problem:
        told = path.name in str(problem)
        return "refused as another's" if sealed and told else f"WRONG: {type(problem).__name__}: {problem}"
    except Exception as problem:  # noqa: BLE001 - this is what is looked for
        return f"WRONG: {type(problem).__name__}: {problem}"
    return "resumed" if sealed else "WRONG: resumed though it was altered"


def search(count: int, seed: int, folder: Path) -> collections.Counter[str]:
    """Try so many files, and count what came of them."""
    rng = random.Random(seed)
    found: collections.Counter[str] = collections.Counter()
    known = cases()
    sound = {}
    for number, (_, run) in enumerate(known):
        for suffix in saving.SUFFIXES:
            sound[number, suffix] = run.save(folder / f"sound{number}{suffix}").read_bytes()
    for _ in range(count):
        number, suffix = rng.randrange(len(known)), rng.choice(saving.SUFFIXES)
        objective, run = known[number]
        path = folder / f"damaged{suffix}"
        sealed = rng.random() < 0.3
        if sealed:
            try:
                saving.write(path, edited(run.state, rng))
            except (TypeError, ValueError):  # nothing that can be written
                continue
        else:
            content = damage(sound[number, suffix], suffix, rng)
            if content == sound[number, suffix]:
                continue
            path.write_bytes(content)
        found[attempt(objective, path, sealed=sealed)] += 1
    return found


def main() -> int:
    """Search, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = search(given.files, given.seed, Path(folder))
    print(json.dumps(dict(found.most_common()), indent=1))
    return int(any(what.startswith("WRONG") for what in found))


if __name__ == "__main__":
    sys.exit(main())
