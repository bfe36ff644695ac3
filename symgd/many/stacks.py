"""Values, gradients and Hessians at many points: compiled where they are many, else one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from symgd.kernel import Kernel
from symgd.kernel.code import Program, Text
from symgd.kernel.code.forms import Argument, At, Call, of
from symgd.kernel.code.llvm import LLVM
from symgd.kernel.code.writer import Writer
from symgd.kernel.machine.compile import compile_function

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

NUMBERS = 1 << 22  # of Hessians that are held at a time

# What was worked out for an objective lives as long as it does: many short calls shall not wait for it.
_known: WeakKeyDictionary[Kernel, dict[str, Any]] = WeakKeyDictionary()


def once(kernel: Kernel, key: str, make: Callable[[], Any]) -> Any:
    """Give what was made for an objective, or make it.

    Parameters
    ----------
    kernel : Kernel
        The objective.
    key : str
        What it is.
    make : callable
        Makes it.

    Returns
    -------
    object
    """
    found = _known.setdefault(kernel, {})
    if key not in found:
        found[key] = make()
    return found[key]


def is_compiled(kernel: Kernel, work: int) -> bool:
    """Tell whether so many operations of plain Python are worth compiling for, or have been compiled for anyway."""
    return kernel.tier == "numba" or (kernel.tier == "auto" and work > kernel.budget())


def slopes(kernel: Kernel, x: Matrix) -> tuple[Vector, Matrix]:
    """Give values and gradients at points.

    Parameters
    ----------
    kernel : Kernel
        The objective.
    x : ndarray, shape (k, n)
        The points.

    Returns
    -------
    values : ndarray, shape (k,)
    gradients : ndarray, shape (k, n)
    """
    found = _each(kernel, "slope", x)
    if found is None:
        tier = kernel.tier if kernel.tier != "auto" else "python"
        values, gradients = zip(*(kernel.slope(point, tier) for point in x), strict=True)
        return np.array(values), np.array(gradients)
    found *= kernel.sign
    return found[:, 0].copy(), found[:, 1:].copy()


def hessians(kernel: Kernel, x: Matrix) -> NDArray[np.float64]:
    """Give Hessians at points.

    Parameters
    ----------
    kernel : Kernel
        The objective.
    x : ndarray, shape (k, n)
        The points.

    Returns
    -------
    ndarray, shape (k, n, n)
    """
    found = _each(kernel, "curvature", x) if kernel.program.entries else None
    if found is None:
        tier = kernel.tier if kernel.tier != "auto" else "python"
        return np.array([kernel.hessian(point, tier) for point in x]).reshape(len(x), kernel.n, kernel.n)
    full = np.zeros((len(x), kernel.n, kernel.n))
    for column, (i, j) in enumerate(kernel.program.entries):
        full[:, i, j] = full[:, j, i] = kernel.sign * found[:, column]
    return full


def _each(kernel: Kernel, name: str, x: Matrix) -> Matrix | None:
    """Give the numbers that a function gives at each point; ``None`` where that is not worth compiling."""
    program = kernel.program
    if not program.layout.unrolled or not is_compiled(kernel, len(x) * kernel.work()):
        return None
    width = len(program.function(name).result)

    def make() -> Any:
        text = _write(program, name, width)
        return compile_function((*program.written.functions, text), "each", strict=program.strict)

    found = np.empty((len(x), width))
    once(kernel, f"each {name}", make)(len(x), np.ascontiguousarray(x).reshape(-1), found.reshape(-1),
                                       *kernel.inputs("numba"))  # fmt: skip
    return found


def _write(program: Program, name: str, width: int) -> Text:
    """Write the loop over points around a function of one."""
    writer, n = Writer(apart=True), program.layout.size
    whole, points, found = Argument("_many", "whole"), Argument("_X", "float64"), Argument("_found", "float64")
    with writer.function("each", [whole, points, found, *program.layout.data()]):
        with writer.loop("_i", 0, "_many"):
            call = Call(name, *(At("_X", n * of("_i") + j) for j in range(n)), *program.layout.data())
            writer.assign_all([At("_found", width * of("_i") + j) for j in range(width)], call)
        writer.give()
    (function,) = writer.functions
    return LLVM.text(function, {name: program.function(name).result})
