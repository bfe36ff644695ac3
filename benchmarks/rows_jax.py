"""Value and gradient of a mean of squares over 20 million rows in float64, against JAX and against memory.

Measured: one call of the compiled kernel, which gives the value and both partial derivatives, against the same of
``jax.jit(jax.value_and_grad(...))`` with the columns on JAX's device beforehand; and against a program that reads both
columns once and adds them up: no kernel that reads all rows can be faster. Two processors for everybody. Of JAX, the
faster of its two ways to hold the parameters (a vector, two numbers); of the readers, the faster of a C loop and
``numpy.sum``, each in two threads.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from interleave import PROCESSORS, Skip, clock, compare, main, ratio_row, same_point

from symgd import Objective

FORMULA = "mean((y - (w*x + b))**2)"
ROWS = 20_000_000
POINT = (0.5, -0.25)
REPEATS = 21
# Several sums side by side, or each addition would wait for the one before.
SOURCE = "double total(const double *x, long n) { double s = 0; for (long i = 0; i < n; i++) s += x[i]; return s; }"
FLAGS = ("-O3", "-march=native", "-ffast-math", "-funroll-loops", "-fvariable-expansion-in-unroller")


def columns():
    """Give rows around a line."""
    random = np.random.default_rng(0)
    x = random.standard_normal(ROWS)
    return x, 2.0 * x + 1.0 + 0.1 * random.standard_normal(ROWS)


def jax_slopes(x, y):
    """Give value and gradient in JAX, for parameters in a vector and as two numbers."""
    try:
        import jax
    except ImportError as error:
        raise Skip(f"{error.name} is not installed") from None
    jax.config.update("jax_enable_x64", True)

    def loss(w, b, x, y):
        return jax.numpy.mean((y - (w * x + b)) ** 2)

    vector = jax.jit(jax.value_and_grad(lambda p, x, y: loss(p[0], p[1], x, y)))
    pair = jax.jit(jax.value_and_grad(loss, argnums=(0, 1)))
    x, y, p = jax.device_put(x), jax.device_put(y), jax.numpy.array(POINT)
    return [
        lambda: jax.block_until_ready(vector(p, x, y)),
        lambda: jax.block_until_ready(pair(*POINT, x, y)),
    ]


def readers(x, y, folder):
    """Give programs that read both columns once."""
    pool = ThreadPoolExecutor(PROCESSORS)
    parts = [part for column in (x, y) for part in np.array_split(column, PROCESSORS)]

    def spread(total):
        return lambda: sum(pool.map(total, parts))

    found = [spread(np.sum)]
    compiler = shutil.which("gcc")
    if compiler:
        source, library = Path(folder) / "total.c", Path(folder) / "total.so"
        source.write_text(SOURCE)
        subprocess.run([compiler, *FLAGS, "-shared", "-fPIC", "-o", library, source], check=True)
        total = ctypes.CDLL(str(library)).total  # ctypes lets other threads run meanwhile
        total.argtypes, total.restype = [ctypes.c_void_p, ctypes.c_long], ctypes.c_double
        found.append(spread(lambda part: total(part.ctypes.data, part.size)))
    return found


def faster(programs):
    """Give the one whose best time of several is the shortest."""
    return min(programs, key=lambda program: min(clock(program) for _ in range(5)))


def measure():
    x, y = columns()
    slopes = jax_slopes(x, y)
    kernel = Objective(FORMULA, data={"x": x, "y": y}).kernel()
    point = np.array(POINT)

    def ours():
        return kernel.slope(point)

    value, gradient = ours()
    expected = [(float(f), *map(float, g)) for f, g in (slope() for slope in slopes)]
    for other in expected:
        same_point((value, *gradient), other, 1e-10)
    with tempfile.TemporaryDirectory() as folder:
        reader = faster(readers(x, y, folder))
        ours_and_jax, ours_and_memory = compare(ours, faster(slopes), REPEATS), compare(ours, reader, REPEATS)
    speed = 16e-9 * ROWS / min(ours_and_memory.peer)
    return [
        ratio_row("20 million rows / JAX", ours_and_jax, target=1 / 5),
        ratio_row(f"20 million rows / a read at {speed:.0f} GB/s", ours_and_memory, target=1 / 0.6),
    ]


if __name__ == "__main__":
    main(measure)
