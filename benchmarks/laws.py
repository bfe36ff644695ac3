"""Every law on many objectives: symgd's rules as recurrences in NumPy, and a share of them through the engine.

    python -m benchmarks.laws --examples 100000
    python -m benchmarks.laws --examples 2000 --engine 1 --methods gd,momentum

It prints one line a law and method, and ends with 1 where a law fails.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from runners import Engine, Recurrence

from symgd.descent.methods import METHODS
from symgd.rules import RULES
from symgd.testing.laws import Answer, check, laws_of

COMPILING = ("tiers", "threads")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=100_000, help="objectives in all")
    parser.add_argument("--engine", type=float, default=0.1, help="the share of them that goes through the engine")
    parser.add_argument("--methods", default=",".join([*RULES, *METHODS, "exact"]))
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    jobs = [(m, law) for m in given.methods.split(",") for law in laws_of(m) if law.name not in COMPILING]
    each = max(given.examples // len(jobs), 1)
    began, tally, objectives, quadratics = time.monotonic(), Counter(), 0, 0
    for method, law in jobs:
        runs = [(Engine(method), max(int(each * (given.engine if method in RULES else 1)), 1))]
        if method in RULES and given.engine < 1:
            runs.append((Recurrence(method), each - runs[0][1]))
        for optimizer, examples in runs:
            seen = Counted(optimizer)
            verdict = check(law, seen, examples=max(examples, 1), seed=given.seed)
            objectives, quadratics = objectives + seen.objectives, quadratics + seen.quadratics
            tally[verdict.answer] += 1
            where = f"  {verdict.case}" if verdict.answer is Answer.FAILS else f"  {verdict.detail}"
            reached = "" if verdict.reached is None else f"  reached {verdict.reached:.6f}"
            print(
                f"{type(optimizer).__name__:10} {method:16} {law.name:26} {verdict.answer}{reached}{where}", flush=True
            )
    spent = time.monotonic() - began
    print(f"{objectives:,} objectives, {quadratics:,} of them quadratics, in {spent:,.0f} s: {dict(tally)}")
    return 1 if tally[Answer.FAILS] else 0


class Counted:
    """An optimizer whose objectives are counted."""

    def __init__(self, optimizer):
        self.optimizer, self.objectives, self.quadratics = optimizer, 0, 0

    def __getattr__(self, name):
        return getattr(self.optimizer, name)

    def run(self, problem, start, steps, settings):
        self.objectives += 1
        self.quadratics += bool(getattr(problem, "quadratic", False))
        return self.optimizer.run(problem, start, steps, settings)


if __name__ == "__main__":
    np.seterr(all="ignore")
    sys.exit(main())
