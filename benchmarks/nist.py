"""Digits of the reference problems of NIST for nonlinear regression, from both starts, beside SciPy's and lmfit's.

Run from the checkout, with symgd installed or ``PYTHONPATH=.``::

    pip install -e .[bench]
    python benchmarks/nist.py           # print the table
    python benchmarks/nist.py --write   # and write it into docs/nist.md

Nobody is helped: formula, data and start as NIST gives them, all options as they are by default.
"""

from __future__ import annotations

import argparse
import json
import math
import time
import warnings
from pathlib import Path

import numpy as np
import scipy
from scipy.optimize import curve_fit, least_squares

import symgd as sg

ROOT = Path(__file__).parents[1]
DATA = ROOT / "tests" / "known" / "nist"
PAGE = ROOT / "docs" / "nist.md"
MOST = 11  # digits that are certified
WANTED = (8, 8, 6)  # of parameters, sum of squares and standard errors

ABOUT = """# Certified digits

The National Institute of Standards and Technology publishes 27 problems of nonlinear regression with answers of
11 certified digits, each with two starts of which the first is far away
([Statistical Reference Datasets](https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml)). The table shows how many
digits agree, as `-log10` of the relative error, at most 11: the worst of the parameters, the residual sum of squares,
and the worst of the standard errors, in this order. A digit or two more or less at the upper end is how the certified
value was rounded. A dash means an answer that has no digit right, or none at all.

Every program gets the formula, the data and the start, and no other option. SciPy and lmfit form their Jacobians by
differences, which costs digits of the standard errors above all, and stop at tolerances of 1e-8; symgd derives the
Jacobian from the formula, and goes on until the last digits stand still, which takes longer. Where the residuals are
hardly larger than the rounding of the data, as in Lanczos1, it computes with 40 digits.

The table is written by `benchmarks/nist.py` ({versions}).
"""


def problems():
    """Give the problems by name."""
    return json.loads((DATA / "problems.json").read_text())


def columns(name):
    """Give the data of a problem."""
    lines = (DATA / f"{name}.csv").read_text().splitlines()
    values = np.array([[float(cell) for cell in line.split(",")] for line in lines[1:]])
    return dict(zip(lines[0].split(","), values.T, strict=True))


def functions(problem, data):
    """Give the target, and the model as a function of the parameters, in NumPy."""
    known = {k: getattr(np, k) for k in ("exp", "log", "sin", "cos", "arctan", "pi")} | data
    code = compile(problem["model"], "model", "eval")
    names = list(problem["certified"])
    return eval(problem["target"], known), lambda *b: eval(code, known, dict(zip(names, b, strict=True)))


def symgd(problem, name, start):
    found = sg.fit(problem["model"], DATA / f"{name}.csv", problem["target"], start)
    names = problem["certified"]
    return [found.point[k] for k in names], found.rss, [found.stderr[k] for k in names]


def scipy_least_squares(method):
    def run(problem, name, start):
        y, model = functions(problem, columns(name))
        found = least_squares(lambda b: model(*b) - y, list(start.values()), method=method)
        rss = 2 * found.cost
        covariance = np.linalg.inv(found.jac.T @ found.jac) * rss / (len(y) - len(start))
        return found.x, rss, np.sqrt(np.diag(covariance))

    return run


def scipy_curve_fit(problem, name, start):
    y, model = functions(problem, columns(name))
    x, covariance = curve_fit(lambda _, *b: model(*b) + 0 * y, y, y, list(start.values()))
    return x, float(np.sum((model(*x) - y) ** 2)), np.sqrt(np.diag(covariance))


def lmfit_minimize(problem, name, start):
    import lmfit

    y, model = functions(problem, columns(name))
    parameters = lmfit.Parameters()
    for parameter, value in start.items():
        parameters.add(parameter, value)
    found = lmfit.minimize(lambda p: model(*p.valuesdict().values()) - y, parameters)
    rows = found.params.values()
    return [p.value for p in rows], found.chisqr, [math.nan if p.stderr is None else p.stderr for p in rows]


PROGRAMS = {
    "symgd": symgd,
    "least_squares": scipy_least_squares("trf"),
    "least_squares, lm": scipy_least_squares("lm"),
    "curve_fit": scipy_curve_fit,
    "lmfit": lmfit_minimize,
}


def digits(found, certified):
    """Count the digits that agree, from 0 to 11: the fewest of several numbers."""
    fewest = float(MOST)
    for a, b in zip(np.atleast_1d(found), np.atleast_1d(certified), strict=True):
        if not math.isfinite(a):
            return 0.0
        error = abs(a - b) / abs(b)
        fewest = min(fewest, MOST if error <= 10.0**-MOST else -math.log10(error))
    return max(0.0, fewest)


def counted(program, problem, name, start):
    """Give the digits of one run, and its seconds; none where it fails."""
    begun = time.perf_counter()
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            point, rss, errors = program(problem, name, problem[start])
    except (RuntimeError, ValueError, np.linalg.LinAlgError):
        return (0.0, 0.0, 0.0), time.perf_counter() - begun
    certified = [list(problem[key].values()) for key in ("certified", "stderr")]
    found = digits(point, certified[0]), digits(rss, problem["rss"]), digits(errors, certified[1])
    return found, time.perf_counter() - begun


def enough(found):
    """Tell whether a run has the digits that are asked for."""
    return all(d >= wanted for d, wanted in zip(found, WANTED, strict=True))


def cell(found):
    return "–" if max(found) < 0.5 else " ".join(f"{d:.1f}" if d >= 0.05 else "0" for d in found)


def table(rows, names):
    """Give a Markdown table of all runs, and the lines that count them."""
    head = ["problem", "level", "start", *(f"`{name}`" for name in names)]
    lines = [head, ["---"] * len(head)]
    for (name, start), (level, runs) in rows.items():
        lines.append([name, level, start[-1], *(cell(runs[program][0]) for program in names)])
    good = [f"{sum(enough(runs[p][0]) for _, runs in rows.values())} of {len(rows)}" for p in names]
    spent = [f"{np.median([runs[p][1] for _, runs in rows.values()]):.3f} s" for p in names]
    wanted = " ".join(map(str, WANTED))
    lines += [["**all**", "", "", *good], ["**median time**", "", "", *spent]]
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return text + f"\nThe line **all** counts the runs that have {wanted} digits or more.\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    options = parser.parse_args()
    programs, versions = dict(PROGRAMS), f"SciPy {scipy.__version__}"
    try:
        import lmfit
    except ImportError:
        del programs["lmfit"]
    else:
        versions += f", lmfit {lmfit.__version__}"
    rows = {}
    for name, problem in problems().items():
        for start in ("start1", "start2"):
            runs = {p: counted(program, problem, name, start) for p, program in programs.items()}
            rows[name, start] = problem["difficulty"].lower(), runs
    text = table(rows, list(programs))
    print(text)
    if options.write:
        about = ABOUT.format(versions=versions)
        PAGE.write_text(f"{about}\n{text}")


if __name__ == "__main__":
    main()
