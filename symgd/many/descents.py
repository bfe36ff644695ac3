"""The descents of many starts: a batch of starts at a time, a slice of steps at a time, on all threads."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd import descent
from symgd.descent.elsewhere import go_on
from symgd.descent.loop import DRAWS, advance, stop_at
from symgd.descent.outcomes import Ends, look_back, look_every, outcomes
from symgd.descent.rest import look
from symgd.descent.steps import judge
from symgd.kernel import Kernel, code
from symgd.many import lanes_code, rest
from symgd.many.job import Job
from symgd.many.lanes import Batch, Lanes, Limits, Runner, Starts, compile_lanes, compile_starts, spread
from symgd.many.result import Many
from symgd.many.stacks import is_compiled, once
from symgd.many.starts import Box
from symgd.many.starts_code import write_starts
from symgd.progress import Tick, interruptible
from symgd.progress import progress as show_progress
from symgd.records import dataclass
from symgd.run import Outcome

Matrix = NDArray[np.float64]
Places = NDArray[np.int64]

BATCH = 1 << 15  # starts that are worked on together; what they need besides points lives no longer than they do
NUMBERS = 1 << 24  # that they may hold
SHORT = 200  # steps that a start is thought to take when it is decided whether compiling is worth while


@dataclass(frozen=True)
class _Watch:
    """What may end the descents from outside, and what shows how far they are."""

    asked: Callable[[], bool]
    until: float
    tick: Tick
    best: list[float] = field(default_factory=lambda: [math.inf])

    def over(self) -> bool:
        """Tell whether to stop."""
        return self.asked() or time.perf_counter() > self.until

    def why(self) -> Outcome:
        """Tell what ended the descents that were not done."""
        return Outcome.INTERRUPTED if self.asked() else Outcome.TIME_LIMIT

    def show(self, done: int, values: NDArray[np.float64]) -> None:
        """Show progress, and the lowest value so far."""
        self.best[0] = float(np.fmin.reduce(values, initial=self.best[0]))
        self.tick(done, f"value={self.best[0]:.6g}")


def descend_many(
    kernel: Kernel, x: Matrix, options: Mapping[str, object], *, formula: str, box: Box | None = None,
    progress: bool | None = None, settles: bool = True, unit: str = "start",
) -> Many:  # fmt: skip
    """Descend from many starts.

    Parameters
    ----------
    kernel : Kernel
        The objective.
    x : ndarray, shape (k, n)
        The starts.
    options : mapping
        As for `symgd.many.job.Job.of`.
    formula : str
        The objective's text.
    box : Box, optional
        Where the starts were spread.
    progress : bool, optional
        Whether to show progress; by default on a terminal after two seconds.
    settles : bool
        As for `symgd.many.job.Job`.
    unit : str
        What progress counts.

    Returns
    -------
    Many

    Raises
    ------
    UsageError
        For an option that does not exist or is out of bounds.
    """
    began = time.perf_counter()
    job = Job.of(kernel, x, options, settles=settles)
    settings, k = job.settings, len(x)
    ends = Batch.of(x, np.zeros((k, 0)), np.zeros((k, 0)), _limits(job))
    runner = _runner(job)
    with (
        interruptible() as asked,
        show_progress(k, unit, began=began, wanted=progress) as tick,
        np.errstate(all="ignore"),
    ):
        watch = _Watch(asked, began + settings.seconds, tick)
        if runner is None:
            _one_by_one(job, ends, watch)
        else:
            size = max(1, min(BATCH, NUMBERS // (x.shape[1] * (3 + len(settings.states)))))
            for low in range(0, k, size):
                rows = slice(low, min(low + size, k))
                _together(job, runner, rows, ends, watch)
                watch.show(rows.stop, ends.f[rows])
        size = np.sqrt(np.einsum("ij,ij->i", ends.g, ends.g))
    tell = partial(rest.told, kernel) if settles else outcomes
    told = partial(tell, _ends(ends, x, size), settings.steps, settings.gtol, watch.why())
    return Many(
        formula, x, ends.x, ends.f, size, ends.steps.astype(np.int64), settings.rule, time.perf_counter() - began, box,
        ends.g, kernel, told,
    )  # fmt: skip


# ---- compiled, a batch at a time -----------------------------------------------------------------------------------


def _runner(job: Job) -> Runner | None:
    """Give what takes steps of a batch; ``None`` where each start is a run of its own."""
    kernel, settings = job.kernel, job.settings
    if not is_compiled(kernel, len(job.x) * min(settings.steps, SHORT) * kernel.step_cost()):
        return None
    if kernel.large or settings.batch or not settings.source:
        return None
    if job.rule and lanes_code.fits(kernel.program.layout):
        limits = _limits(job)
        entry, near = once(kernel, _key(job, "lanes", limits.tested, job.varying), lambda: _lanes(job, limits))
        varying = [job.names.index(name) for name in job.varying]
        return Lanes(kernel, entry, limits, settings.draws, _drawing(job), varying, near=near)
    return None if settings.draws else _starts(job)


def _key(job: Job, *more: object) -> str:
    """Give what the code of a rule depends on: numbers are read at run time."""
    recipe = job.settings.recipe
    numbers = {"lr": recipe.get("lr"), **recipe.get("hyper", {})}
    written = {name: value if isinstance(value, str) else "#" for name, value in numbers.items()}
    return repr((recipe.get("text"), sorted(recipe.get("init", {}).items()), written, more))


def _lanes(job: Job, limits: Limits) -> tuple[Any, bool]:
    """Compile the loop over blocks; and tell whether it reads functions that are nan for large arguments."""
    assert job.rule is not None
    lowered = job.rule.lowered(job.settings.recipe["lr"])
    functions = lanes_code.write_lanes(
        job.kernel.program, lowered, job.names, tested=limits.tested, varying=job.varying
    )  # fmt: skip
    return compile_lanes(job.kernel, functions), lanes_code.is_near(functions)


def _starts(job: Job) -> Starts:
    """Give what works on start by start."""
    kernel, settings = job.kernel, job.settings
    states, hyper = len(settings.states), len(settings.hyper)

    def make() -> Any:
        assert settings.source is not None
        loop = settings.source["numba"]
        return compile_starts(kernel, loop, write_starts(kernel.program, states, cauchy=not settings.recipe))

    entry = once(kernel, _key(job, "starts"), make)
    return Starts(kernel, entry, _limits(job), states, hyper)


def _limits(job: Job) -> Limits:
    settings = job.settings
    gtol, xtol = (t * t if t >= 0 else -1.0 for t in (settings.gtol, settings.xtol))
    return Limits(settings.steps, gtol, settings.ftol, xtol, look_every(job.kernel.n, settings.steps))


def _drawing(job: Job) -> Callable[[int, int, int], Matrix]:
    """Give what draws the normal numbers of a start: those of a single run whose seed is larger by its number."""
    n, draws, seed = job.kernel.n, job.settings.draws, job.settings.seed
    length = max(1, DRAWS // (n * max(1, draws)))

    def draw(row: int, first: int, stop: int) -> Matrix:
        found = []
        for block in range(first // length, -(-stop // length)):
            generator = np.random.Generator(np.random.Philox(key=[(seed + row) % 2**64, block]))
            end = min(stop, (block + 1) * length) - block * length
            drawn = generator.standard_normal((end, n * draws))
            found.append(drawn[max(0, first - block * length) :])
        return np.concatenate(found)

    return draw


def _together(job: Job, runner: Runner, rows: slice, ends: Batch, watch: _Watch) -> None:
    """Take a batch of starts to their ends."""
    places = np.arange(rows.start, rows.stop)
    batch = ends.part(rows, *job.begin(places))
    if isinstance(runner, Lanes):
        runner.offset = rows.start
    _steps(job, runner, batch, job.x[rows], watch)
    if isinstance(runner, Lanes) and runner.near and not job.settings.draws:
        # Sines of large arguments are nan in vector registers: C's library knows better.
        bad = np.flatnonzero(batch.status == code.NOT_FINITE)
        if len(bad):
            again = Batch.of(job.x[rows][bad], *job.begin(places[bad]), runner.limits)
            _steps(job, _starts(job), again, job.x[rows][bad], watch)
            batch.put(bad, again)


def _steps(job: Job, runner: Runner, batch: Batch, starts: Matrix, watch: _Watch) -> None:
    """Take slices of steps, of the starts that have not ended."""
    kernel, settings, first = job.kernel, job.settings, 0
    rows = np.arange(len(batch.x))
    if not code.kept(kernel.n):
        starts = np.broadcast_to(np.inf, starts.shape)

    def take(some: Places, begin: int, stop: int) -> None:
        part = runner.slice(batch, some, begin, stop)
        spread(part.tasks, kernel.workers, watch.over)
        part.finish()

    while first < settings.steps and len(rows) and not watch.over():
        stop = min((first // runner.length + 1) * runner.length, settings.steps)
        if not job.settles:
            take(rows, first, stop)
        else:
            stop = min(stop, rest.next_stop(kernel, settings, first))
            take(rows, first, stop)
            here = rows
            again = rest.refined(kernel, settings, batch, starts, rows)
            while len(again) and not watch.over():
                here = np.setdiff1d(here, again[batch.steps[again] == stop], assume_unique=True)
                behind = again[batch.steps[again] < stop]
                if not len(behind):
                    break
                take(behind, int(batch.steps[behind].min()), stop)
                again = rest.refined(kernel, settings, batch, starts, behind)
            rest.look(kernel, settings, batch, starts, here, stop)
        rows, first = rows[batch.status[rows] == code.RUNNING], stop


def _ends(ends: Batch, x: Matrix, size: NDArray[np.float64]) -> Ends:
    """Give what is known of the starts where they stand."""
    # Of very many parameters, a run does not remember where it began.
    start = x if code.kept(x.shape[1]) else np.broadcast_to(np.inf, x.shape)
    return Ends(
        ends.status, ends.steps, ends.x, ends.g, ends.f, size, start, ends.first, ends.peaks, ends.lows, ends.looks
    )


# ---- a run for each start ------------------------------------------------------------------------------------------


def _one_by_one(job: Job, ends: Batch, watch: _Watch) -> None:
    """Run start after start, each by the loop of the single run."""
    kernel, settings = job.kernel, job.settings
    every = 1 if settings.batch else look_every(kernel.n, settings.steps)
    for place, start in enumerate(job.x):
        if watch.over():
            break
        own = job.own(place)
        state = descent.begin(kernel, start, own)
        judge(state, own)
        while True:
            own = go_on(kernel, state, own) if job.settles else own
            if state.status != code.RUNNING or state.t >= own.steps or watch.over():
                break
            advance(kernel, state, own, stop_at(kernel, state, own))
            if job.settles:
                look(kernel, state, own)
        step, value = state.records[: state.filled, 0], state.records[: state.filled, 1]
        ends.x[place], ends.g[place], ends.f[place] = state.x, state.g, state.f
        ends.status[place], ends.steps[place], ends.first[place] = state.status, state.t, value[0]
        ends.peaks[place], ends.lows[place], ends.looks[place] = look_back(
            step, value, (state.t, state.f), settings.steps, every
        )
        watch.show(place + 1, ends.f[place : place + 1])
