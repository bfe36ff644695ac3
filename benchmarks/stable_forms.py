"""Search for a stable form that is wrong, or has fewer digits than the text that it stands for.

    python -m benchmarks.stable_forms --instances 1000000

Random formulas around the pattern of every rewrite, evaluated at random points; `tests/patterns.py` says how, and what
counts. A line for each rewrite: how many instances, in how many form and text differ by more than 4e-15 (these are held
against mpmath), in how many numbers the form has more digits than the text, in how many neither has any, and how often
the law is broken. Ends with 1 if it ever is.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import patterns


def one(name: str, count: int, seed: int) -> tuple[str, patterns.Tally, float]:
    """Search one rewrite's patterns."""
    tally, began = patterns.Tally(), time.perf_counter()
    patterns.search(name, count, seed, tally, each=200)
    return name, tally, time.perf_counter() - began


def line(name: str, t: patterns.Tally) -> str:
    """Write what came out of a search."""
    return f"{name:28} {t.instances:10,} {t.compared:7,} {t.gained:7,} {t.beyond:8,} {len(t.wrong):7,}"


def main() -> int:
    """Run the search and print what it found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--only", nargs="*", help="names of rewrites")
    given = parser.parse_args()
    names = given.only or list(dict.fromkeys([*patterns.PATTERNS, *patterns.OVER_ROWS]))
    each = -(-given.instances // len(names))
    total = patterns.Tally()
    print(f"{'rewrite':28}  instances  differ  better  neither  broken  seconds")
    with ProcessPoolExecutor(given.workers) as pool:
        for name, t, seconds in pool.map(one, names, [each] * len(names), [given.seed] * len(names)):
            print(line(name, t), f"{seconds:8.0f}")
            for word, text, point, data, by, form, plain, wanted in t.wrong[:5]:
                about = f"d/d{by} " if by else ""
                print(f"    {word}: {about}{text} at {point} {data or ''}: {form!r}, text {plain!r}, true {wanted}")
            sys.stdout.flush()
            total.instances += t.instances
            total.compared += t.compared
            total.gained += t.gained
            total.beyond += t.beyond
            total.wrong += t.wrong
    print(line("all", total))
    return 1 if total.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
