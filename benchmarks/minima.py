"""The minima of the problems of `symgd.testing`, found by descents and refined to 50 digits.

Run from the checkout, with symgd installed or ``PYTHONPATH=.``::

    python benchmarks/minima.py                 # print what is found
    python benchmarks/minima.py --write         # and write it to symgd/testing/problem_set/answers.json
    python benchmarks/minima.py rosenbrock ...  # these alone; the others stay as they are

What descents end at is not believed: Newton's method goes on from there with 100 digits, on differences of values that
come from NumPy's meaning of the formula alone (`tests/manydigits.py`), and a point is kept where it comes to rest with
a Hessian that is positive definite. Minimizers without that are given here, exactly.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from pathlib import Path

import mpmath as mp
import numpy as np
from scipy.optimize import minimize

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
import manydigits  # noqa: E402

from symgd.testing.compare_runs import stationary  # noqa: E402
from symgd.testing.problem_set import ANSWERS, problems  # noqa: E402

MOST = 12  # minima that are kept of a problem
ALIKE = 3  # of these, how many may have one value, as mirrored points do
STARTS = 25  # at random, where there are several minima
PATIENCE = 25.0  # seconds for the descents of a problem
# Minimizers with a singular Hessian or a kink, all of them exact.
SINGULAR = {
    "powell_singular": [[0] * 4],
    "extended_powell_singular": [[0] * 12],
    "chained_powell_singular": [[0] * 8],
    "linear_rank_1": [[mp.mpf(3) / (41 * 55)] * 10],
    "linear_rank_1_zero": [[0, *[mp.mpf(3) / (37 * 44)] * 8, 0]],
    "denschnd": [[0] * 3],
    "sisser": [[0] * 2],
    "miele_cantrell": [[0, 1, 1, 1]],
    "cragg_levy": [[0, 1, 1, 1]],
    "nondquar": [[0] * 10],
    "dqrtic": [list(range(1, 11))],
    "power_4": [[0] * 10],
    "fletchcr": [[0, *[-1] * 9]],
    "schumer_steiglitz": [[0] * 3],
    "sinquad": [[1] * 5],
    "ackley_2": [[0] * 2],
    "ackley_5": [[0] * 5],
}
# Minimizers of the literature that descents do not find by themselves.
KNOWN = {
    "brown_almost_linear_10": [[0.97943] * 9 + [1.20569]],
    "trefethen": [[-0.0244030796943752, 0.210612427155358]],
    "trigonometric": [[0.05, 0.055, 0.06, 0.06, 0.06, 0.065, 0.2, 0.08, 0.09, 0.05], [0.0] * 10],
}


def candidates(problem, rng):
    """Give points that descents end at."""
    f, begun = problem.objective(tier="python"), time.perf_counter()
    starts = [f.vector(problem.start_at(factor)) for factor in (1, 10)]
    if "several" in problem.tags:
        scale = np.maximum(np.abs(starts[0]), 1.0)
        starts += [rng.uniform(-2, 2, len(scale)) * scale for _ in range(STARTS)]
        starts += [starts[0] + rng.normal(0, 0.4, len(scale)) * scale for _ in range(STARTS)]
    for start in starts:
        for method in ("auto", "trust-exact"):
            if time.perf_counter() - begun > PATIENCE:
                return
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                try:
                    if method == "trust-exact":
                        end = minimize(f.fun, start, jac=f.jac, hess=f.hess, method=method, options={"maxiter": 200}).x
                    else:
                        end = f.minimize(problem.point(start), method=method, steps=300, seconds=3).x
                except Exception:  # noqa: BLE001 - a method that fails has nothing to say
                    continue
            if np.isfinite(end).all() and stationary(f, end):
                yield end


def known(name):
    """Give minimizers that the literature names."""
    if name.startswith("brown_almost_linear"):  # (0, ..., 0, n + 1), which the paper lists too, is no minimum
        yield [1.0] * problems[name].n
    if "several" in problems[name].tags:
        yield from ([0.0] * problems[name].n, [1.0] * problems[name].n)
    yield from KNOWN.get(name, ())
    yield from (point for _, point in problems[name].known)


def same(a, b):
    return all(abs(u - v) <= 1e-7 * (1e-6 + abs(u)) or abs(u - v) < 1e-10 for u, v in zip(a, b, strict=True))


def minima(problem):
    """Give the minima of a problem, the lowest first: value and point."""
    exact, found, seen = manydigits.Exact(problem), [], []
    for point in SINGULAR.get(problem.name, ()):
        with mp.workdps(manydigits.DIGITS):
            x = [mp.mpf(v) for v in point]
        found.append((exact.value(x), x))
    for end in [*known(problem.name), *candidates(problem, np.random.default_rng(len(problem.name)))]:
        if any(same(end, x) for x in seen) or any(np.allclose(end, s, rtol=1e-4, atol=1e-4) for s in seen):
            continue
        seen.append(end)
        if len(seen) > 3 * MOST or len(found) >= 2 * MOST:
            break
        x = manydigits.refined(exact, end, problem.objective().hess)
        if x is None or any(same(x, y) for _, y in found) or not manydigits.definite(exact.hessian(x)):
            continue
        found.append((exact.value(x), x))
    found.sort(key=lambda pair: (mp.nint(pair[0] * 10**20), [float(v) for v in pair[1]]))
    told = [(number(value), [number(v) for v in x]) for value, x in found]
    values = [value for value, _ in told]
    few = [pair for place, pair in enumerate(told) if values[:place].count(pair[0]) < ALIKE]
    return [{"value": value, "point": x} for value, x in few[:MOST]]


def number(value):
    """Give the float nearest to a number; what is 0 but for the last digits is 0."""
    return float(value) if abs(value) > mp.mpf(10) ** -30 else 0.0


def written(answers):
    """Give the answers as JSON, a minimum a line."""
    blocks = []
    for name, found in answers.items():
        lines = ",\n".join(f"    {json.dumps(minimum)}" for minimum in found)
        blocks.append(f'  "{name}": [\n{lines}\n  ]')
    return "{\n" + ",\n".join(blocks) + "\n}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="problems; by default all")
    parser.add_argument("--write", action="store_true", help=f"write {ANSWERS.relative_to(ROOT)}")
    options = parser.parse_args()
    answers = json.loads(ANSWERS.read_text()) if ANSWERS.exists() else {}
    for name in options.names or [n for n, p in problems.items() if "no_minimum" not in p.tags]:
        found = minima(problems[name])
        for minimum in found[:4]:
            print(f"{name:28} {minimum['value']:<24.17g} {minimum['point'][:4]}", flush=True)
        print(f"{name:28} {len(found)} minima", flush=True)
        answers[name] = found
        if options.write:
            answers |= json.loads(ANSWERS.read_text()) | {name: found}
            ANSWERS.write_text(written({n: answers[n] for n in problems if n in answers}))


if __name__ == "__main__":
    main()
