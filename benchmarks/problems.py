"""The problems of `symgd.testing`: who solves how many, from the standard start and from ten times it, beside SciPy.

Run from the checkout, with symgd installed or ``PYTHONPATH=.``::

    python benchmarks/problems.py                        # print the tables
    python benchmarks/problems.py --write                # and write them into docs/problems.md
    python benchmarks/problems.py auto scipy:BFGS        # other methods
    python benchmarks/problems.py --failures             # and each attempt of the default method that went wrong

SciPy's methods have the same exact derivatives. All methods try a problem one after the other before the next problem
begins, so that what else happens on the machine meets all of them alike.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import scipy

from symgd.testing import compare, problems

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "problems.md"
FACTORS = (1.0, 10.0)
SCIPY = ("scipy:BFGS", "scipy:L-BFGS-B", "scipy:trust-exact", "scipy:least_squares")
METHODS = ("auto", "newton", "bfgs", "lbfgs", *SCIPY)
BEGIN, END = "<!-- made by benchmarks/problems.py: begin -->\n", "<!-- end -->\n"


def union(found, names):
    """Count the attempts that at least one of several methods solved, and that one brought to the lowest minimum."""
    runs = [[found.by_method[name][task] for name in names] for task in found.tasks]
    return sum(any(a.solved for a in row) for row in runs), sum(any(a.place == "lowest" for a in row) for row in runs)


def table(found):
    """Give a Markdown table: a row for each method, by start, and what SciPy's methods solve together."""
    head = (
        "method",
        *(f"solved, {f:g} times" for f in FACTORS),
        "solved",
        "lowest",
        "false",
        "silent",
        "evaluations",
        "seconds",
    )
    lines = [head, ("---",) * len(head)]
    for row in found.rows:
        own = found.by_method[row.method]
        by_start = [sum(a.solved for (_, f), a in own.items() if f == factor) for factor in FACTORS]
        cells = (row.solved, row.lowest, row.false, row.silent, f"{row.evaluations:.3g}", f"{row.seconds:.2g}")
        lines.append((f"`{row.method}`", *by_start, *cells))
    theirs = [name for name in SCIPY if name in found.methods]
    if theirs:
        solved, lowest = union(found, theirs)
        lines.append(("SciPy's, the best of them for each", "", "", solved, lowest, "", "", "", ""))
    counts = [sum(f == factor for _, f in found.tasks) for factor in FACTORS]
    about = " and ".join(f"{n} starts at {f:g} times" for n, f in zip(counts, FACTORS, strict=True))
    text = "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)
    return f"{len(problems)} problems, {about}; SciPy {scipy.__version__}.\n\n{text}"


def failures(found, name):
    """Tell the attempts of a method that went wrong, those that were said to be right first."""
    own = found.by_method[name]
    for task, a in sorted(own.items(), key=lambda pair: not pair[1].false_success):
        if a.solved and a.claimed:
            continue
        kind = "FALSE SUCCESS" if a.false_success else "not solved" if not a.solved else "solved, but not ok"
        known = problems[a.problem].minima[:1]
        others = [m for m in found.methods if m != name and found.by_method[m][task].solved]
        yield (
            f"{kind:20} {a.problem:28} x{a.factor:<4g} f={a.value:<14.8g} minimum={known[0] if known else 'none':<14.8}"
            f" {a.evaluations:6} evaluations; {a.message}; solved by {', '.join(others) or 'none'}"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="*", default=METHODS, help="by default symgd's and SciPy's")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    parser.add_argument("--failures", action="store_true", help="list what went wrong for the first method")
    parser.add_argument("--json", help="write all attempts to a file")
    parser.add_argument("--seconds", type=float, default=30.0, help="for an attempt at most")
    parser.add_argument("--only", nargs="*", help="names of problems; by default all")
    options = parser.parse_args()
    found = compare(options.methods, options.only, factors=FACTORS, seconds=options.seconds)
    text = table(found)
    print(text)
    if options.failures:
        for line in failures(found, options.methods[0]):
            print(line)
    if options.json:
        Path(options.json).write_text(json.dumps(found.to_dict()))
    if options.write and found.complete:
        page = PAGE.read_text(encoding="utf-8")
        before, rest = page.split(BEGIN)
        PAGE.write_text(before + BEGIN + text + END + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
