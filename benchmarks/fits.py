"""Fits as people pose them: how many are right, from a near start, a far one, and none; in other units and shifted too.

Run from the checkout, with symgd installed or ``PYTHONPATH=.``::

    python benchmarks/fits.py           # what is not right, and how many are
    python benchmarks/fits.py --all     # every fit

The answers in ``tests/known/fits/fits.json`` are SciPy's from many starts, settled by mpmath. A fit is right if it is
``ok`` with the lowest sum of squares there is and its standard errors; where there is no answer, if it is not ``ok``
and the parameters that nothing holds have infinite errors.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import Counter
from pathlib import Path

import symgd as sg

CASES = Path(__file__).parents[1] / "tests" / "known" / "fits" / "fits.json"


def verdict(case, start):
    """Fit, and tell what is wrong; nothing where all is right."""
    try:
        found = sg.fit(case["model"], case["data"], "y", start)
    except Exception as problem:  # noqa: BLE001 - whatever it is, this fit is not right
        return f"{type(problem).__name__}: {problem}"
    if "open" in case:
        held = [name for name in case["open"] if not math.isinf(found.stderr[name])]
        return "ok, and there is no answer" if found.ok else f"finite errors of {held}" if held else ""
    if found.rss > case["rss"] * (1 + 1e-6):
        return f"{'ok at ' if found.ok else ''}{found.rss / case['rss']:.4g} times the sum of squares"
    if not found.ok:
        return f"not ok: {found.message}"
    errors = zip(sorted(found.stderr.values()), sorted(case["stderr"].values()), strict=True)  # peaks may be exchanged
    off = max(abs(error / certain - 1) for error, certain in errors)
    return f"errors are {off:.2g} off" if off > 1e-5 else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="print every fit")
    options = parser.parse_args()
    right, tried, slowest, total = Counter(), Counter(), 0.0, 0.0
    for case in json.loads(CASES.read_text()):
        for label, start in case["starts"].items():
            begun = time.perf_counter()
            wrong = verdict(case, start)
            seconds = time.perf_counter() - begun
            kind = "refused" if "open" in case else label
            tried[kind] += 1
            right[kind] += not wrong
            slowest, total = max(slowest, seconds), total + seconds
            if wrong or options.all:
                print(f"{case['name']}, {label}: {wrong or 'right'} ({seconds:.1f} s)", flush=True)
    for kind, count in tried.items():
        print(f"{kind}: {right[kind]} of {count}")
    print(f"in all {sum(right.values())} of {sum(tried.values())}; {total:.0f} s, the slowest {slowest:.1f} s")


if __name__ == "__main__":
    main()
