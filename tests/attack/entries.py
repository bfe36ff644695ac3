"""Cache entries, damaged in every way: each is ignored, and what it held is made again.

    python -m tests.attack.entries --files 10000

Bytes are flipped, cut out, put in, zeroed, entries swapped. What is loaded must be what was kept, or nothing; and now
and then a damaged cache is used, where the value must be the right one.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import random
import sys
import tempfile
from pathlib import Path

import symgd as sg
from symgd.kernel.machine import cache
from tests.attack.saves import damage

EVERY = 500  # damages, between two uses


def use() -> bool:
    """Use what is in the cache, in both tiers; tells whether the values are right."""
    return all(sg.Objective("(x - 1)**2 + y**4", tier=tier).value(x=3, y=2) == 20 for tier in ("python", "numba"))


def attack(files: int, rng: random.Random) -> collections.Counter[str]:
    """Damage so many entries; gives how often what came of it."""
    counts: collections.Counter[str] = collections.Counter()
    if not use():
        counts["WRONG from the start"] += 1
    whole = {entry.path: entry.path.read_bytes() for entry in cache.entries()}
    for i in range(files):
        path = rng.choice(sorted(whole))
        altered = damage(whole[path], "", rng)
        if rng.random() < 0.1:
            altered = whole[rng.choice(sorted(whole))]
        path.write_bytes(altered)
        try:
            found = cache.load(path.name)
        except Exception as problem:  # noqa: BLE001 - it is what is looked for
            counts[f"WRONG {type(problem).__name__}"] += 1
            continue
        same = altered == whole[path]
        if found is not None and not (same and whole[path].endswith(found)):
            counts["WRONG content"] += 1
        counts["unharmed" if same else "ignored"] += 1
        if i % EVERY == EVERY - 1:
            for other, content in whole.items():
                other.write_bytes(damage(content, "", rng))
            counts["used" if use() else "WRONG value"] += 1
        path.write_bytes(whole[path])
    return counts


def main() -> int:
    """Attack, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ["SYMGD_CACHE"] = str(Path(place) / "cache")
        os.environ["XDG_CONFIG_HOME"] = str(Path(place) / "config")
        counts = attack(given.files, random.Random(given.seed))
    print(json.dumps(counts, indent=1))
    return int(any(name.startswith("WRONG") for name in counts))


if __name__ == "__main__":
    sys.exit(main())
