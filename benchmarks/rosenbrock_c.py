"""Ten million steps of gradient descent on Rosenbrock's function, against C.

Measured: a whole call of ``minimize`` on an objective that has been compiled, with its tests of every step, its history
and its final account; against a C loop that does nothing but evaluate the gradient and step (``-O3 -march=native``).
Compilation is measured on neither side. The bare loop is the strictest peer; nothing else in C does the same work.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from pathlib import Path

from interleave import Skip, compare, main, ratio_row, same_point

from symgd import Objective

FORMULA = "(1 - x)**2 + 100*(y - x**2)**2"
START, LR, STEPS = (-1.2, 1.0), 1e-3, 10_000_000
SOURCE = """
void descend(double *point, double lr, long steps) {
    double x = point[0], y = point[1];
    for (long t = 0; t < steps; t++) {
        double r = 1.0 - x, s = y - x*x;
        double gx = -2.0*r - 400.0*x*s, gy = 200.0*s;
        x -= lr*gx;
        y -= lr*gy;
    }
    point[0] = x;
    point[1] = y;
}
"""


def build(folder):
    """Compile the C loop and give it as a function that returns the end point."""
    compiler = shutil.which("gcc")
    if compiler is None:
        raise Skip("gcc is not installed")
    source, library = Path(folder) / "descend.c", Path(folder) / "descend.so"
    source.write_text(SOURCE)
    subprocess.run([compiler, "-O3", "-march=native", "-shared", "-fPIC", "-o", library, source], check=True)
    function = ctypes.CDLL(str(library)).descend
    function.argtypes = [ctypes.POINTER(ctypes.c_double), ctypes.c_double, ctypes.c_long]

    def descend():
        point = (ctypes.c_double * 2)(*START)
        function(point, LR, STEPS)
        return list(point)

    return descend


def measure():
    with tempfile.TemporaryDirectory() as folder:
        peer = build(folder)
        objective = Objective(FORMULA, tier="numba")

        def ours():
            run = objective.minimize(start=START, lr=LR, steps=STEPS)
            assert run.steps == STEPS
            return list(run.point.values())

        # Rounding differs (which products are fused), and the descent contracts it.
        same_point(ours(), peer(), 1e-12)
        return [ratio_row("gd, 10 million steps / C", compare(ours, peer, repeats=15), target=1.15)]


if __name__ == "__main__":
    main(measure)
