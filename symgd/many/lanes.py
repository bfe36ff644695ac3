"""Many starts at once: blocks of them handed to threads, each start worked on as if it were alone.

What a thread works on is a task: some blocks side by side in vector registers, or some starts one after the other. How
the starts are cut into tasks and blocks does not depend on the number of threads, and neither do the results.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from queue import Empty, SimpleQueue
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from symgd.descent.outcomes import LONGEST, QUARTERS
from symgd.kernel import threads
from symgd.kernel.code import Text, kept
from symgd.kernel.kernel import Kernel
from symgd.kernel.machine.compile import Entry, compile_function
from symgd.many import block_code as code
from symgd.records import dataclass

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Draw = Callable[[int, int, int], Matrix]  # the normal numbers of a start, from a step to a step

RECORDS = 1 << 20  # numbers of a start's history
SLICE = 1016  # steps of a slice, after which starts that have ended make room
TASKS = 16  # that a slice is cut into, so that one thread that is held up does not hold up all
# Operations of a task: a call costs some ten thousand, and somebody may want to stop.
LEAST, MOST = 2_000_000, 8_000_000


@dataclass
class Batch:
    """Starts that are worked on together, and where they stand.

    Parameters
    ----------
    x, g : ndarray, shape (k, n)
        Points, and gradients there.
    states : ndarray, shape (k, m)
        What the rule keeps of each, one state after the other.
    hyper : ndarray, shape (k, h)
        The numbers that the rule reads.
    f, status, steps : ndarray, shape (k,)
        Values, how it ended (0 for not yet), and the steps taken.
    first : ndarray, shape (k,)
        The value at the start.
    peaks, lows : ndarray, shape (k, 4)
        The largest and the smallest value noted in each quarter of the steps.
    looks : ndarray of int, shape (k,)
        How many values are looked at in a run to the end.
    gtol : ndarray, shape (k,)
        Squares of the tolerances of the gradients' norms; negative for none.
    steepest : ndarray, shape (k,)
        The largest square of a gradient's norm on the way.
    highest, lowest : ndarray, shape (k,)
        The largest and the smallest value since it was last looked whether a start is at rest.
    """

    x: Matrix
    g: Matrix
    states: Matrix
    hyper: Matrix
    f: Vector
    status: Vector
    steps: Vector
    first: Vector
    peaks: Matrix
    lows: Matrix
    looks: NDArray[np.int64]
    gtol: Vector
    steepest: Vector
    highest: Vector
    lowest: Vector

    @staticmethod
    def of(x: Matrix, states: Matrix, hyper: Matrix, limits: Limits) -> Batch:
        """Give a batch that stands at its starts."""
        k = len(x)
        f, first, high, low = (np.full(k, np.nan) for _ in range(4))
        status, steps, steepest = (np.zeros(k) for _ in range(3))
        peaks, lows = np.full((k, QUARTERS), -np.inf), np.full((k, QUARTERS), np.inf)
        slopes = np.full_like(x, np.nan)
        looks, gtol = np.full(k, limits.looks), np.full(k, limits.gtol)
        return Batch(
            x.copy(), slopes, states, hyper, f, status, steps, first, peaks, lows, looks, gtol, steepest, high, low
        )  # fmt: skip

    def part(self, rows: slice, states: Matrix, hyper: Matrix) -> Batch:
        """Give some of the starts as a batch of views, with states and numbers of its own."""
        others = (getattr(self, name)[rows] for name in list(self.__dataclass_fields__)[4:])
        return Batch(self.x[rows], self.g[rows], states, hyper, *others)

    def put(self, rows: NDArray[np.int64], other: Batch) -> None:
        """Write other starts over some."""
        for name in self.__dataclass_fields__:
            getattr(self, name)[rows] = getattr(other, name)


@dataclass(frozen=True)
class Limits:
    """When a run ends: after so many steps, or by tolerances, squared as the loop compares them.

    ``every`` is the number of steps between two looks at the value.
    """

    steps: int
    gtol: float
    ftol: float
    xtol: float
    every: int

    @property
    def slice(self) -> int:
        """Steps after which starts that have ended make room: a number of looks."""
        return -(-SLICE // self.every) * self.every

    @property
    def chunk(self) -> int:
        """Steps that are taken fast before it is looked whether all went well: a part of those between two looks."""
        found = self.every
        while found > LONGEST:
            found //= 2
        return found

    @property
    def looks(self) -> int:
        """Looks at the values of a run to the end."""
        return 1 + -(-self.steps // self.every)

    @property
    def tested(self) -> bool:
        """Whether there is a tolerance to test."""
        return max(self.gtol, self.ftol, self.xtol) >= 0


@dataclass(frozen=True)
class Slice:
    """A slice of steps: tasks that threads may do in any order, and what writes their results into the batch."""

    tasks: Sequence[Callable[[], object]]
    finish: Callable[[], None]


class Runner(Protocol):
    """What takes steps of a batch."""

    kernel: Kernel
    limits: Limits
    length: int  # steps after which starts that have ended make room

    def slice(self, batch: Batch, rows: NDArray[np.int64], first: int, stop: int) -> Slice:
        """Give the tasks that take the starts in ``rows`` from a step to a step."""


class Lanes:
    """Steps of starts side by side in vector registers.

    Parameters
    ----------
    kernel : Kernel
        The objective, whose layout `symgd.many.lanes_code.fits`.
    entry : Entry
        What `compile_lanes` gave.
    limits : Limits
        When a run ends.
    draws : int
        Normal numbers that a step of a start takes.
    draw : callable
        Gives those of a start.
    varying : list of int
        Which of the rule's numbers differ from start to start.
    near : bool
        Whether the code reads functions that are nan for large arguments.
    """

    def __init__(
        self, kernel: Kernel, entry: Entry, limits: Limits, draws: int, draw: Draw, varying: list[int], *, near: bool
    ) -> None:  # fmt: skip
        self.kernel, self.limits, self.draws, self.draw, self.varying = kernel, limits, draws, draw, varying
        self.offset = 0  # the number of a batch's first start among all
        self.entry, self.near, self.length = entry, near, limits.slice

    def slice(self, batch: Batch, rows: NDArray[np.int64], first: int, stop: int) -> Slice:
        """Give the tasks that take the starts in ``rows`` from a step to a step.

        Parameters
        ----------
        batch : Batch
            The starts.
        rows : ndarray of int
            Which of them.
        first : int
            The step to go on from.
        stop : int
            The step to go to.

        Returns
        -------
        Slice
        """
        count = len(rows)
        blocks = -(-count // code.WIDTH)
        wide, lines = (batch.x, batch.g, batch.states, batch.peaks, batch.lows), _lines(batch)
        whole = count == len(batch.x) == blocks * code.WIDTH  # then the numbers stay where they are
        # What is left of the last block works on its last start once more, and is not looked at.
        given = rows if whole else np.append(rows, np.full(blocks * code.WIDTH - count, rows[-1]))
        runs = [_packed(a if whole else a[given]) for a in wide]
        numbers = lines if whole else [a[given] for a in lines]
        numbers[1][count:] = 1.0
        own = batch.hyper[:, self.varying]
        f, *others = numbers
        sums = np.zeros(len(given))  # what must stay finite is summed up there
        hyper = batch.hyper[rows[0]]
        room = (2 * batch.x.shape[1] + batch.states.shape[1] + 1) * code.WIDTH
        limits = self.limits
        looks = (limits.chunk, limits.every, limits.steps)
        rest = (first, *looks, limits.ftol, limits.xtol, *self.kernel.numbers)
        varied = _packed(own if whole else own[given])
        new = int(np.isnan(batch.first[rows[0]]))

        def work(begin: int, end: int) -> None:
            drawn = self._drawn(given[begin * code.WIDTH : end * code.WIDTH], first, stop)
            kept = np.empty(room)  # what fast steps change, as it was before
            self.entry(begin, end, first, stop, new, *runs, f, sums, *others, varied, kept, hyper, drawn, *rest)

        def finish() -> None:
            where = slice(None) if count == len(batch.x) else rows
            for target, values in zip(wide, runs, strict=True):
                target[where] = _unpacked(values, blocks)[:count]
            for line, values in [] if whole else zip(lines, numbers, strict=True):
                line[where] = values[:count]

        # Side by side and without waiting for each other, operations take a sixteenth of their time or so.
        cost = (self.kernel.work() + 10 * batch.x.shape[1]) * (stop - first) * code.WIDTH // 16
        return _cut(blocks, 1 if self.draws else _size(blocks, cost), work, finish)

    def _drawn(self, rows: NDArray[np.int64], first: int, stop: int) -> Matrix:
        """Give the normal numbers of one block: a line a step, in it a run of all lanes for each number."""
        if not self.draws:
            return np.zeros((1, 1))
        found = np.empty((stop - first, self.draws * self.kernel.n, len(rows)))
        for lane, row in enumerate(rows.tolist()):
            found[:, :, lane] = self.draw(self.offset + row, first, stop)
        return found.reshape(stop - first, -1)


class Starts:
    """Steps of starts one after the other, by the loop of the single run.

    Parameters
    ----------
    kernel : Kernel
        The objective.
    entry : Entry
        What `compile_starts` gave.
    limits : Limits
        When a run ends.
    states : int
        States of the rule.
    hyper : int
        Numbers that it reads.
    """

    def __init__(self, kernel: Kernel, entry: Entry, limits: Limits, states: int, hyper: int) -> None:
        self.kernel, self.entry, self.limits, self.hyper = kernel, entry, limits, hyper
        self.vectors = _vectors(kernel, states)
        # Where there is a tolerance, every value counts.
        self.stride = 1 if limits.gtol >= 0 else limits.every
        self.length = min(limits.slice, max(1, RECORDS // (3 + kept(kernel.n)))) if self.stride == 1 else limits.slice

    def slice(self, batch: Batch, rows: NDArray[np.int64], first: int, stop: int) -> Slice:
        """Give the tasks that take the starts in ``rows`` up to a step; each goes on from where it stands.

        Parameters
        ----------
        batch : Batch
            The starts.
        rows : ndarray of int
            Which of them.
        first : int
            The step to go on from.
        stop : int
            The step to go to.

        Returns
        -------
        Slice
        """
        targets = [batch.x, batch.g, batch.states, batch.hyper, batch.peaks, batch.lows, *_lines(batch)]
        arrays = [a[rows].reshape(-1) for a in targets]
        limits, n = self.limits, batch.x.shape[1]
        rest = (self.stride, limits.every, limits.steps, limits.ftol, limits.xtol)

        def work(begin: int, end: int) -> None:
            own = [*(np.zeros(n) for _ in range(self.vectors)), np.zeros(self.hyper), np.zeros((1, 1))]
            records = np.zeros(((stop - first) // self.stride + 2, 3 + kept(n)))
            self.entry(begin, end, stop, *arrays, *own, records, *rest, *self.kernel.inputs("numba"))

        def finish() -> None:
            for target, values in zip(targets, arrays, strict=True):
                target[rows] = values.reshape(target[rows].shape)

        cost = (self.kernel.work() + 10 * n + 20) * (stop - first)
        return _cut(len(rows), _size(len(rows), cost), work, finish)


def spread(tasks: Sequence[Callable[[], object]], workers: int, stopped: Callable[[], bool]) -> None:
    """Do tasks in threads, this one among them, and leave out what has not begun when somebody wants to stop.

    Parameters
    ----------
    tasks : sequence of callable
        The tasks.
    workers : int
        How many threads.
    stopped : callable
        Tells whether to stop.
    """
    left: SimpleQueue[Callable[[], object]] = SimpleQueue()
    for task in tasks:
        left.put(task)

    def work() -> None:
        while not stopped():
            try:
                task = left.get_nowait()
            except Empty:
                return
            task()

    others = [threads.pool(workers).submit(work) for _ in range(min(workers, len(tasks)) - 1)]
    work()
    for other in others:
        if not other.cancel():  # one that has not woken up yet has nothing left to do
            other.result()


def _cut(count: int, size: int, work: Callable[[int, int], None], finish: Callable[[], None]) -> Slice:
    """Give a slice of so much work in tasks of a size, by what does it from one place up to another."""
    return Slice([partial(work, low, min(low + size, count)) for low in range(0, count, size)], finish)


def _size(count: int, cost: int) -> int:
    """Give how much of so many to put into a task, each of which costs so many operations."""
    cost = max(1, cost)
    tasks = min(TASKS, count * cost // LEAST)
    tasks += tasks % 2  # two threads get the same
    return max(1, min(MOST // cost, -(-count // max(1, tasks))))


def _lines(batch: Batch) -> list[Vector]:
    """Give the numbers of which each start has one, in the order of the compiled functions."""
    line = [batch.f, batch.status, batch.steps, batch.first]
    return [*line, batch.gtol, batch.steepest, batch.highest, batch.lowest]


def compile_lanes(kernel: Kernel, functions: tuple[Text, ...]) -> Entry:
    """Compile what `symgd.many.lanes_code.write_lanes` gave, or take it from the disk cache."""
    return _compiled(kernel, "lanes", functions)


def compile_starts(kernel: Kernel, loop: tuple[Text, ...], starts: Text) -> Entry:
    """Compile the loop of a single run and what `symgd.many.starts_code.write_starts` wrote around it."""
    return _compiled(kernel, "starts", (*loop, starts))


def _vectors(kernel: Kernel, states: int) -> int:
    """Count the vectors that one start needs while it is worked on."""
    return 2 + states + (0 if kernel.program.layout.unrolled else 2)


def _compiled(kernel: Kernel, name: str, functions: tuple[Text, ...]) -> Entry:
    program = kernel.program
    return compile_function((*program.written.functions, *functions), name, strict=program.strict)


def _packed(rows: Matrix) -> Vector:
    """Lay numbers out by blocks: of each block a run of lanes for the first column, then one for the second."""
    count, width = rows.shape
    if not width:
        return np.zeros(0)
    return np.ascontiguousarray(rows.reshape(count // code.WIDTH, code.WIDTH, width).transpose(0, 2, 1)).reshape(-1)


def _unpacked(flat: Vector, blocks: int) -> Matrix:
    """Give the rows back that `_packed` laid out."""
    width = flat.size // (blocks * code.WIDTH)
    rows = np.empty((blocks, code.WIDTH, width))
    for column in range(width):  # NumPy's loop over all of them would run along the short rows
        rows[:, :, column] = flat.reshape(blocks, width, code.WIDTH)[:, column]
    return rows.reshape(blocks * code.WIDTH, width)
