"""Many rows: blocks of rows handed to threads, their sums joined in a fixed order.

The blocks are the same for any number of threads, and so is the order in which their sums are added up: so are the
bits of the result. Compiled code runs without Python's lock, so that plain threads are enough.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.codegen import BLOCK, Program
from symgd.engine import native

LARGE = 1 << 17  # rows from which on threads gain more than they cost
SHARES = 4  # pieces of work a thread, so that one that is held up does not hold up all


def available() -> int:
    """Give the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def is_large(rows: int) -> bool:
    """Tell whether data have so many rows that their blocks are handed to threads."""
    return rows >= LARGE


@cache
def _pool(workers: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(workers, thread_name_prefix="symgd")


def spread(program: Program, name: str, rows: int, workers: int) -> Callable[..., Any]:
    """Give a function that works on blocks of rows in threads.

    Parameters
    ----------
    program : Program
        The objective's functions.
    name : str
        One of them.
    rows : int
        How many rows there are.
    workers : int
        How many threads.

    Returns
    -------
    callable
        Takes and gives what the function does.
    """
    passes = program.passes[name]
    kept = [a for a in program.arguments[name] if a != "_out"]
    pieces = [
        _compile(program, f"{name}_pass{level}", [*kept, "_sums", "_lo", "_hi", "_part"], 1)
        for level in range(len(passes))
    ]
    end = _compile(program, f"{name}_end", [*program.arguments[name], "_sums"], program.width(name))
    place = program.arguments[name].index("_out") if "_out" in program.arguments[name] else None
    blocks = -(-rows // BLOCK)
    cuts = np.linspace(0, blocks, min(blocks, workers * SHARES) + 1).astype(int).tolist()

    def call(*args: Any) -> Any:
        plain = [np.asarray(a, dtype=np.float64) if isinstance(a, list) else a for a in args]
        inputs = [a for i, a in enumerate(plain) if i != place]
        sums = np.zeros(sum(len(p) for p in passes) + 1)
        first = 0
        for piece, folds in zip(pieces, passes, strict=True):
            part = np.empty((blocks, len(folds) + folds.count("logsumexp")))
            if folds:
                _run(piece, inputs, sums, part, cuts, workers)
            _join(part, folds, sums[first : first + len(folds)])
            first += len(folds)
        result = end(*plain, sums)
        if place is not None and isinstance(args[place], list):
            args[place][:] = plain[place].tolist()
        return result

    return call


def _run(
    piece: native.Entry, inputs: Sequence[Any], sums: NDArray[Any], part: NDArray[Any], cuts: list[int], workers: int
) -> None:
    spans = list(pairwise(cuts))
    if workers == 1:
        for low, high in spans:
            piece(*inputs, sums, low, high, part)
        return
    for future in [_pool(workers).submit(piece, *inputs, sums, low, high, part) for low, high in spans]:
        future.result()


def _join(part: NDArray[np.float64], folds: list[str], out: NDArray[np.float64]) -> None:
    """Join the blocks' results, block after block."""
    column = 0
    with np.errstate(all="ignore"):
        for index, function in enumerate(folds):
            values = part[:, column]
            column += 1
            if function == "logsumexp":
                top = values.max()
                weights = np.exp(values - top) if np.isfinite(top) else np.ones_like(values)
                out[index] = top + np.log((part[:, column] * weights).sum())
                column += 1
            else:
                out[index] = getattr(values, function)()


def _compile(program: Program, name: str, arguments: list[str], width: int) -> native.Entry:
    kinds = native.kinds_of(arguments, program.layout.tables)
    return native.compile_function(program.source["numba"], name, kinds, "f" * width, strict=program.strict)
