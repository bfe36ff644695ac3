"""All benchmarks, each in a process of its own, and one table.

Run from the checkout, with symgd installed or ``PYTHONPATH=.``::

    pip install -e .[bench]
    python benchmarks/run.py                     # all of them, some ten minutes
    python benchmarks/run.py rosenbrock_c        # some
    python benchmarks/run.py --json figures.json

A benchmark whose peer is not installed is skipped. Times mean something on a quiet machine only; where two programs are
compared they take turns, and the table shows the ratio of the medians and that of the shortest times.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from interleave import dumps, loads, report

HERE = Path(__file__).parent
NAMES = (
    "rosenbrock_c", "adam_optax", "rows_jax", "logistic", "one_feature", "network", "factorisation", "skip_gram",
    "rosenbrock_slices", "moments", "memory_cap", "cold_start", "first_answer", "new_formulas", "large_formula",
    "many_starts", "maps",
    "large_curvature",
)  # fmt: skip


def run(name):
    """Run one benchmark; what it says is shown, what it measured is given back, and None if it failed."""
    print(f"== {name}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        done = subprocess.run([sys.executable, HERE / f"{name}.py", "--json", file])
        return loads(file.read_text()) if done.returncode == 0 else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(NAMES)}; by default all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to a file as well")
    options = parser.parse_args()
    for name in options.names:
        if name not in NAMES:
            parser.error(f"no benchmark is called {name!r}; known: {', '.join(NAMES)}")
    found = {name: run(name) for name in options.names or NAMES}
    rows = [row for part in found.values() for row in part or ()]
    print("\n== all")
    report(rows)
    if options.json:
        options.json.write_text(dumps(rows))
    failed = [name for name, part in found.items() if part is None]
    if failed:  # a missed target is a figure; this is none
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
