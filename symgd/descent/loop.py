"""THE loop: chunks of compiled steps, and between them the clock, the callback, the history and Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from symgd import checks, saving
from symgd.curvature.problem import Problem
from symgd.descent.account import Locate, account
from symgd.descent.elsewhere import go_on
from symgd.descent.rest import look, next_look
from symgd.descent.state import Fine, Settings, State, Vector, saved
from symgd.descent.steps import judge, take
from symgd.errors import UsageError, shown
from symgd.kernel import code
from symgd.progress import interruptible, postponed
from symgd.progress import progress as show_progress
from symgd.run import Outcome, Run

TICK = 0.1  # seconds of compiled steps between two looks at the clock
SAVED = 60.0  # seconds between two saves, when nothing is said
DRAWS = 1 << 16  # normal numbers drawn at a time

Callback = Callable[[int, dict[str, float | Vector], float], object]


def descend(
    kernel: Problem,
    state: State,
    settings: Settings,
    *,
    formula: str = "",
    locate: Locate | None = None,
    callback: Callback | None = None,
    progress: bool | None = None,
    keep: Keep | None = None,
) -> Run:
    """Run the loop until a test ends it.

    Parameters
    ----------
    kernel : Problem
        The objective.
    state : State
        Where to go on from; it is changed.
    settings : Settings
        How to descend.
    formula : str
        The objective's text, for the account.
    locate : callable, optional
        Tells which subexpression is not finite at a point.
    callback : callable, optional
        Called with step number, point and value every ``settings.every`` steps; a true result ends the run.
    progress : bool, optional
        Whether to show progress; by default on a terminal after two seconds.
    keep : Keep, optional
        Where to save the run meanwhile.

    Returns
    -------
    Run
    """
    began = time.perf_counter() - state.seconds
    outcome = None
    if state.t == 0 and state.status == code.RUNNING:
        judge(state, settings)
        settings = go_on(kernel, state, settings)
    bar = show_progress(settings.steps, "step", done=state.t, began=began, wanted=progress)
    with interruptible() as asked, bar as tick:
        try:
            while state.status == code.RUNNING and state.t < settings.steps and outcome is None:
                advance(kernel, state, settings, stop_at(kernel, state, settings, callback))
                look(kernel, state, settings)
                settings = go_on(kernel, state, settings)
                tick(state.t, f"value={state.f:.6g}")
                if keep and keep.due() and state.status == code.RUNNING:
                    state.seconds = time.perf_counter() - began
                    keep.write(saved(kernel, state, settings, formula))
                if callback and (state.t % settings.every == 0 or state.status or state.t == settings.steps):
                    point = kernel.split(state.x)
                    if callback(state.t, point, settings.sign * state.f):
                        outcome = Outcome.INTERRUPTED
                if asked() or (keep and keep.ended()):
                    outcome = Outcome.INTERRUPTED
                elif time.perf_counter() - began > settings.seconds:
                    outcome = outcome or Outcome.TIME_LIMIT
        except KeyboardInterrupt:  # raised by the callback itself
            outcome = Outcome.INTERRUPTED
    state.seconds = time.perf_counter() - began
    return account(kernel, state, settings, outcome, formula, locate)


class Keep:
    """Where a run is saved while it goes on, and how often.

    Parameters
    ----------
    path : str or path
        The file, as `Run.save` takes it.
    every : float
        Seconds from one time to the next.
    more : mapping
        What is saved besides the state of the descent.

    Raises
    ------
    UsageError
        If there is no such folder, or no such span of time.
    """

    def __init__(self, path: object, every: object, more: Mapping[str, object]) -> None:
        rule = "a number of seconds, at least 0"
        self.path = saving.checked_path(path)
        self.every = SAVED if every is None else checks.number("save_every", every, rule, low=0.0)
        self.more = more
        if not self.path.parent.is_dir():
            raise UsageError(f"save={shown(str(path))}: there is no folder '{saving.named(self.path.parent)}'")
        self.last = time.perf_counter()
        self.ended: Callable[[], bool] = bool

    @contextmanager
    def until_saved(self) -> Iterator[None]:
        """Let signals that end the process end the run, which is saved, before they end the process."""
        with postponed() as self.ended:
            yield

    def due(self) -> bool:
        """Tell whether it is time."""
        return time.perf_counter() - self.last >= self.every

    def write(self, state: Mapping[str, object]) -> None:
        """Save the run; an error of the disk ends the run, which is better than one that cannot be gone on with."""
        saving.write(self.path, {**state, **self.more})
        self.last = time.perf_counter()


# ---- chunks --------------------------------------------------------------------------------------------------------


def stop_at(kernel: Problem, state: State, settings: Settings, callback: Callback | None = None) -> int:
    """Give the step up to which to go before looking up."""
    stop = settings.steps
    if callback:
        stop = min(stop, (state.t // settings.every + 1) * settings.every)
    if state.t < kernel.switch() and not settings.method:
        stop = min(stop, kernel.switch())
    if settings.draws:
        length = _draw_length(kernel, settings)
        stop = min(stop, (state.t // length + 1) * length)
    if settings.batch:
        length = batches(kernel, settings)
        stop = min(stop, (state.t // length + 1) * length)
    if settings.gtol >= 0:
        stop = min(stop, next_look(state.t))
    # The first step tells how long one takes.
    return min(stop, state.t + int(state.extra.get("chunk", 1)))


def _draw_length(kernel: Problem, settings: Settings) -> int:
    return max(1, DRAWS // (kernel.n * settings.draws))


def advance(kernel: Problem, state: State, settings: Settings, stop: int) -> None:
    """Take steps up to ``stop``, and make room in the history where it is full."""
    before, start = state.t, time.perf_counter()
    if settings.method:
        take(kernel, state, settings, stop)
    else:
        _run(kernel, state, settings, stop)
    if settings.batch:
        _end_batches(kernel, state, settings)
    for kept in (state, state.fine):
        if kept and kept.filled == len(kept.records):
            _thin(kept)
    spent = time.perf_counter() - start
    if state.t > before:
        pace = (state.t - before) * TICK / max(spent, 1e-6)
        state.extra["chunk"] = int(max(1, min(pace, 8 * state.extra.get("chunk", 16))))


def _run(kernel: Problem, state: State, settings: Settings, stop: int) -> None:
    """Take a rule's steps, in its generated loop."""
    assert settings.source is not None
    loop = kernel.loop(settings.source, kernel.tier_at(state.t))
    draws, first = _draws(kernel, state, settings)
    kept = state.fine or state  # of batches, the loop sees single steps alone
    state.t, state.status, state.f, kept.next_record, kept.filled, calls = loop(
        state.x, state.g, state.states, state.hyper, draws, first, state.t, stop, state.f, kept.next_record,
        kept.stride, kept.records, kept.filled, _squared(settings.gtol), settings.ftol, _squared(settings.xtol),
        settings.sign, *_order(kernel, state, settings),
    )  # fmt: skip
    state.calls += calls


def _squared(tolerance: float) -> float:
    """The loop compares squares; a tolerance that is not set must never be met."""
    return tolerance * tolerance if tolerance >= 0 else -1.0


def _draws(kernel: Problem, state: State, settings: Settings) -> tuple[NDArray[np.float64], int]:
    """Give the normal numbers of the block of steps that comes next; they depend on seed and step alone."""
    if not settings.draws:
        return np.zeros((1, 1)), 0
    length = _draw_length(kernel, settings)
    block = state.t // length
    if state.extra.get("block") != block:
        generator = np.random.Generator(np.random.Philox(key=[settings.seed % 2**64, block]))
        state.extra["block"] = block
        state.extra["draws"] = generator.standard_normal((length, kernel.n * settings.draws))
    return state.extra["draws"], block * length


def batches(kernel: Problem, settings: Settings) -> int:
    """Count the steps of an epoch."""
    return -(-kernel.rows // settings.batch)


def _order(kernel: Problem, state: State, settings: Settings) -> tuple[NDArray[np.int64], int, int] | tuple[()]:
    """Give the order of the rows in this epoch, which depends on seed and epoch alone; for arrays on disk, of batches.

    Rows that lie next to each other on disk are read together, so that there whole batches are shuffled.
    """
    if not settings.batch:
        return ()
    length = batches(kernel, settings)
    epoch = state.t // length
    if state.extra.get("epoch") != epoch:
        state.extra["epoch"] = epoch
        state.extra["order"] = _shuffled(kernel, settings, epoch)
    return state.extra["order"], settings.batch, epoch * length


def _shuffled(kernel: Problem, settings: Settings, epoch: int) -> NDArray[np.int64]:
    rows = np.arange(kernel.rows, dtype=np.int64)
    if not settings.shuffle:
        return rows
    generator = np.random.Generator(np.random.Philox(key=[settings.seed % 2**64, epoch]))
    if not kernel.stored:
        return generator.permutation(rows)
    whole = kernel.rows // settings.batch  # what is left over comes last
    order = generator.permutation(whole)
    first = rows[: whole * settings.batch].reshape(whole, settings.batch)[order].reshape(-1)
    return np.concatenate([first, rows[whole * settings.batch :]])


def _end_batches(kernel: Problem, state: State, settings: Settings) -> None:
    """At the end of an epoch, and of the run, look at all rows: what is recorded is the objective itself."""
    if state.status == code.RUNNING and state.t % batches(kernel, settings) and state.t < settings.steps:
        return
    if state.status == code.NOT_FINITE:
        return
    state.f, state.g[:] = kernel.slope(state.x, kernel.tier_at(state.t))
    state.calls += 1
    if state.t % batches(kernel, settings) == 0:
        state.record()
    judge(state, settings)


def _thin(state: State | Fine) -> None:
    """Keep every second record; from now on record half as often."""
    kept = state.records[::2].copy()
    state.records[: len(kept)] = kept
    state.filled = len(kept)
    state.stride *= 2
    state.next_record = int(kept[-1, 0]) + state.stride
