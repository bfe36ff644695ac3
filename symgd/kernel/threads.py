"""Many rows: blocks of rows handed to threads, what they sum up joined in a fixed order.

The rows are cut into shares, the same for any number of threads; a share is worked on block after block, and the shares
are joined one after the other: so the bits of the result do not depend on who did what. Compiled code runs without
Python's lock, so that plain threads are enough.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symgd.data import Stored
from symgd.kernel import streams
from symgd.kernel.code import Program
from symgd.kernel.code.pieces import Piece, Total

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from symgd.kernel.machine.compile import Entry

LARGE = 1 << 22  # operations from which on threads gain more than they cost
SHARE = 1 << 18  # operations that a share has at least
SHARES = 64  # at most
TASKS = 4  # a thread, so that one that is held up does not hold up all
ROOM = 2_000_000  # numbers that the parts of all shares may hold together


def available() -> int:
    """Give the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def pool(workers: int) -> ThreadPoolExecutor:
    """Give the threads, the same ones every time."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(workers, thread_name_prefix="symgd")


if hasattr(os, "register_at_fork"):  # a child has the pool of its parent, but none of its threads
    os.register_at_fork(after_in_child=pool.cache_clear)


def is_large(program: Program, rows: int) -> bool:
    """Tell whether the rows are so much work that they are handed to threads."""
    return program.work[1] * rows >= LARGE


class Spread:
    """One function of an objective, worked on in threads: it takes and gives what the function does.

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
    """

    def __init__(self, program: Program, name: str, rows: int, workers: int) -> None:
        from symgd.kernel.machine.compile import plan

        planned = plan(program)
        self.arguments = program.function(name).names
        self.rows = rows
        self.workers = workers
        self.memory = planned.memory
        self.size = program.layout.size
        self.most = max(2, min(SHARES, program.work[1] * rows // SHARE))
        rows_of = {argument.name for argument in program.layout.arrays(rows=True)}
        self.rowed = [i for i, argument in enumerate(self.arguments) if argument in rows_of]
        self.pieces = [(piece, self._compile(program, piece)) for piece in planned.pieces[name]]
        self.sums = int(planned.pieces[name][-1]["sums"])
        self.out = self.arguments.index("_out") if "_out" in self.arguments else None

    def _compile(self, program: Program, piece: Piece) -> Entry:
        from symgd.kernel.machine.compile import compile_written

        name = piece["name"]
        return compile_written(program.identity, lambda: program.written.functions, name, strict=program.strict)

    def __call__(self, *args: Any) -> Any:
        """Work on all rows; gives what the function gives."""
        plain = [np.asarray(a, dtype=np.float64) if isinstance(a, list) else a for a in args]
        sums = np.zeros(max(1, self.sums))
        result: Any = None
        for piece, entry in self.pieces:
            if "block" in piece:
                self._rows(piece, entry, plain, sums)
            else:
                # What stands between two passes over the rows reads none of them.
                result = entry(*(np.empty(0, a.dtype) if isinstance(a, Stored) else a for a in plain), sums)
        if self.out is not None and isinstance(args[self.out], list):
            args[self.out][:] = plain[self.out].tolist()
        return result

    def _rows(self, piece: Piece, entry: Entry, args: list[Any], sums: NDArray[np.float64]) -> None:
        """Work on a pass over the rows, and join what its shares found."""
        blocks = -(-self.rows // piece["block"])
        width = sum(total["size"] for total in piece["totals"])
        added = self.size if piece["entries"] else 0
        shares = max(min(2, blocks), min(self.most, blocks, ROOM // max(1, width + added)))
        cuts = np.minimum(np.linspace(0, blocks, shares + 1).astype(np.int64) * piece["block"], self.rows)
        parts = np.zeros((shares, width))
        _start(parts, piece["totals"])
        outs = np.zeros((shares, added))
        stored = [args[place] for place in self.rowed if isinstance(args[place], Stored)]
        step = streams.height(stored, piece["block"])

        def work(low: int, high: int) -> None:
            given = list(args)
            if self.memory[1]:
                given[-1] = np.empty(self.memory[1])
            if added and self.out is not None:
                given[self.out] = outs[low]
            if not stored:
                entry(*given, sums, cuts, low, high, parts.reshape(-1))
                return
            for share in range(low, high):
                for first in range(int(cuts[share]), int(cuts[share + 1]), step):
                    last = min(first + step, int(cuts[share + 1]))
                    for place in self.rowed:
                        given[place] = streams.read(args[place], first, last, self.rows)
                    entry(*given, sums, np.array([0, last - first]), 0, 1, parts[share])

        # Several shares at a time where they write to parts only: it is the calls that cost.
        tasks = shares if added else min(shares, self.workers * TASKS)
        ends = np.linspace(0, shares, tasks + 1).astype(int).tolist()
        if self.workers == 1:
            for low, high in pairwise(ends):
                work(low, high)
        else:
            list(pool(self.workers).map(work, ends[:-1], ends[1:]))
        _join(parts, piece["totals"], sums, args[-2] if self.memory[0] else sums)
        if added and self.out is not None:
            for out in outs:
                args[self.out] += out


def _start(parts: NDArray[np.float64], totals: Sequence[Total]) -> None:
    """Fill the parts with what each fold starts from."""
    column = 0
    for total in totals:
        if total["function"] != "sum":
            parts[:, column] = np.inf if total["function"] == "min" else -np.inf
            if "memory" in total:
                parts[:, column : column + total["size"]] = parts[:, column : column + 1]
        column += total["size"]


def _join(
    parts: NDArray[np.float64], totals: Sequence[Total], sums: NDArray[np.float64], memory: NDArray[np.float64]
) -> None:
    """Join the parts of all shares, one after the other."""
    column = 0
    with np.errstate(all="ignore"):
        for total in totals:
            values = parts[:, column : column + total["size"]]
            column += total["size"]
            if "memory" in total:
                memory[total["memory"] : total["memory"] + total["size"]] = getattr(values, total["function"])(axis=0)
            elif total["function"] in ("logsumexp", "logexcess"):
                top = values[:, 0].max()
                weights = np.where(values[:, 0] == top, 1.0, np.exp(values[:, 0] - top))
                excess = np.log((values[:, 1] * weights).sum())
                sums[total["sum"]] = excess if total["function"] == "logexcess" else top + excess
            else:
                sums[total["sum"]] = getattr(values[:, 0], total["function"])()
