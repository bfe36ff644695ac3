"""Rosenbrock's chained function written out in 100 and 1,000 variables: from the text to derivatives and compiled code.

Measured, each in a process of its own with an empty cache, from after the import of symgd, with all other imports:

- the seconds to read the text and derive its gradient, and for 100 variables its Hessian;
- the same with every entry turned into a SymPy expression, as printing them does, the import of SymPy included;
- the seconds from the objective to the first value and gradient out of compiled code, the import of Numba included.

These have limits, no peer. Then against SymPy alone, in plain Python: from the text to the first value and gradient
(``parse_expr``, ``diff``, ``lambdify`` with common subexpressions), and from the text to all entries of the Hessian
(``sympy.hessian``). The processes take turns.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from interleave import Ratio, main, ratio_row, seconds_row

REPEATS = 3
HEAD = """
import time, numpy as np, symgd.objective
n, text = {n}, {text!r}
point = np.linspace(-1.0, 1.0, n)
began = time.perf_counter()
"""
TAIL = "\nprint(time.perf_counter() - began)"
READ = "f = symgd.objective.Objective(text); f.gradient"
HESSIAN = READ + "; f.hessian"
SHOWN = HESSIAN + "; dict(f.gradient), dict(f.hessian)"
COMPILE = """
f = symgd.objective.Objective(text, tier="numba")
f.root
began = time.perf_counter()
f.kernel().slope(point)
"""
SLOPE = "symgd.objective.Objective(text, tier='python').kernel().slope(point)"
SYMPY = """
import sympy
names = sympy.symbols([f"x{i}" for i in range(1, n + 1)])
f = sympy.parse_expr(text, {str(s): s for s in names})
code = sympy.lambdify(names, [f, *(f.diff(s) for s in names)], "math", cse=True)
code(*point.tolist())
"""
SYMPY_HESSIAN = """
import sympy
names = sympy.symbols([f"x{i}" for i in range(1, n + 1)])
f = sympy.parse_expr(text, {str(s): s for s in names})
sympy.hessian(f, names)
"""


def chain(n):
    """Give the text of the function in n variables."""
    return " + ".join(f"(1 - x{i})**2 + 100*(x{i + 1} - x{i}**2)**2" for i in range(1, n))


def seconds(code, n):
    """Run code in a new process with an empty cache; give the seconds that it says."""
    with tempfile.TemporaryDirectory() as cache:
        source = HEAD.format(n=n, text=chain(n)) + code + TAIL
        environment = {**os.environ, "SYMGD_CACHE": cache}
        done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"a process failed:\n{done.stderr}")
    return float(done.stdout)


def limited(what, code, n, limit=None):
    """Give the line of something that has a limit, or none."""
    return seconds_row(f"{what}, {n:,} variables", [seconds(code, n) for _ in range(REPEATS)], limit)


def against(what, ours, peer, n):
    """Give the line of a comparison with SymPy; the processes take turns."""
    pairs = [(seconds(ours, n), seconds(peer, n)) for _ in range(REPEATS)]
    return ratio_row(f"{what}, {n:,} variables / SymPy", Ratio(*zip(*pairs, strict=True)))


def measure():
    return [
        limited("read, gradient, Hessian", HESSIAN, 100, 1.0),
        limited("the same as SymPy expressions", SHOWN, 100),
        limited("read, gradient", READ, 1000, 5.0),
        limited("compile", COMPILE, 100, 5.0),
        limited("compile", COMPILE, 1000, 15.0),
        against("text to first gradient", SLOPE, SYMPY, 100),
        against("text to Hessian", SHOWN, SYMPY_HESSIAN, 100),
    ]


if __name__ == "__main__":
    main(measure)
