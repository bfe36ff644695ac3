"""The descents of many starts: a batch of starts at a time, a slice of steps at a time, on all threads."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from symgd import descent, rules
from symgd import language as fm
from symgd.descent import Settings
from symgd.descent.elsewhere import go_on
from symgd.descent.loop import DRAWS, advance, stop_at
from symgd.descent.outcomes import Ends, look_back, look_every, outcomes
from symgd.descent.steps import judge
from symgd.errors import UsageError
from symgd.kernel import Kernel, code
from symgd.many import lanes_code
from symgd.many.lanes import Batch, Lanes, Limits, Runner, Starts, compile_lanes, compile_starts, spread
from symgd.many.result import Many
from symgd.many.starts import Box
from symgd.many.starts_code import write_starts
from symgd.progress import Tick, interruptible
from symgd.progress import progress as show_progress
from symgd.run import Outcome

Matrix = NDArray[np.float64]

BATCH = 1 << 15  # starts that are worked on together; what they need besides points lives no longer than they do
NUMBERS = 1 << 24  # that they may hold
STEPS = 1000  # exact steps, when nothing is said: enough to come near, and Newton's steps do the rest
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
    progress: bool | None = None,
) -> Many:  # fmt: skip
    """Descend from many starts.

    Parameters
    ----------
    kernel : Kernel
        The objective.
    x : ndarray, shape (k, n)
        The starts.
    options : mapping
        As for `symgd.descent.prepare`.
    formula : str
        The objective's text.
    box : Box, optional
        Where the starts were spread.
    progress : bool, optional
        Whether to show progress; by default on a terminal after two seconds.

    Returns
    -------
    Many

    Raises
    ------
    UsageError
        For an option that does not exist or is out of bounds.
    """
    began = time.perf_counter()
    given = _checked(options)
    settings = _settings(kernel, x[0], given)
    k = len(x)
    ends = Batch.of(x, np.zeros((k, 0)), np.zeros((k, 0)), _limits(kernel, settings).looks)
    runner = _runner(kernel, settings, k)
    with (
        interruptible() as asked,
        show_progress(k, "start", began=began, wanted=progress) as tick,
        np.errstate(all="ignore"),
    ):
        watch = _Watch(asked, began + settings.seconds, tick)
        if runner is None:
            _one_by_one(kernel, x, settings, given, ends, watch)
        else:
            size = max(1, min(BATCH, NUMBERS // (x.shape[1] * (3 + len(settings.states)))))
            for low in range(0, k, size):
                rows = slice(low, min(low + size, k))
                _together(kernel, settings, given, runner, x, rows, ends, watch)
                watch.show(rows.stop, ends.f[rows])
        size = np.sqrt(np.einsum("ij,ij->i", ends.g, ends.g))
        told = _outcomes(ends, x, size, settings, watch)
    return Many(
        formula, x, ends.x, ends.f, size, ends.steps.astype(np.int64), told, settings.rule,
        time.perf_counter() - began, box, ends.g, kernel,
    )  # fmt: skip


def _checked(options: Mapping[str, object]) -> dict[str, Any]:
    """Leave the exact Cauchy step where neither a method nor a learning rate is given."""
    for name in ("callback", "every", "save", "save_every"):
        if options.get(name) is not None:
            raise UsageError(f"{name} is for a single run; minimize takes it")
    given = {name: value for name, value in options.items() if value is not None}
    if "method" not in given:
        given["method"] = "gd"
    plain = isinstance(given["method"], str) and given["method"] == "gd"
    if plain and _is_auto(given.get("lr", "auto")) and not {"steps", "batch", "epochs"} & set(given):
        given["steps"] = STEPS
    return given


def _is_auto(lr: object) -> bool:
    return isinstance(lr, str) and lr == "auto"


# What was worked out for an objective lives as long as it does: many short calls shall not wait for it.
_known: WeakKeyDictionary[Kernel, dict[str, Any]] = WeakKeyDictionary()


def _once(kernel: Kernel, key: str, make: Callable[[], Any]) -> Any:
    found = _known.setdefault(kernel, {})
    if key not in found:
        found[key] = make()
    return found[key]


def _settings(kernel: Kernel, start: NDArray[np.float64], given: Mapping[str, object]) -> Settings:
    """Give the settings; once where they do not depend on the start."""
    fixed = not _is_auto(given.get("lr", "auto")) and all(isinstance(v, int | float | str) for v in given.values())
    if not fixed:
        return descent.prepare(kernel, start, 1.0, given)
    key = repr(sorted(given.items()))
    settings: Settings = _once(kernel, key, lambda: descent.prepare(kernel, start, 1.0, given))
    return settings


# ---- compiled, a batch at a time -----------------------------------------------------------------------------------


def _runner(kernel: Kernel, settings: Settings, count: int) -> Runner | None:
    """Give what takes steps of a batch; ``None`` where each start is a run of its own."""
    work = count * min(settings.steps, SHORT) * kernel.step_cost()
    if kernel.tier == "python" or (kernel.tier == "auto" and work <= kernel.budget()):
        return None
    if kernel.large or settings.batch or not settings.source:
        return None
    if settings.recipe and lanes_code.fits(kernel.program.layout):
        limits = _limits(kernel, settings)
        entry, near = _once(kernel, _key(settings, "lanes", limits.tested), lambda: _lanes(kernel, settings, limits))
        return Lanes(kernel, entry, limits, settings.draws, _drawing(kernel, settings), near=near)
    return None if settings.draws else _starts(kernel, settings)


def _key(settings: Settings, *more: object) -> str:
    """Give what the code of a rule depends on: numbers are read at run time."""
    recipe = settings.recipe
    numbers = {"lr": recipe.get("lr"), **recipe.get("hyper", {})}
    written = {name: value if isinstance(value, str) else "#" for name, value in numbers.items()}
    return repr((recipe.get("text"), sorted(recipe.get("init", {}).items()), written, more))


def _lanes(kernel: Kernel, settings: Settings, limits: Limits) -> tuple[Any, bool]:
    """Compile the loop over blocks; and tell whether it reads functions that are nan for large arguments."""
    recipe = settings.recipe
    rule = rules.Rule(recipe["text"], recipe["init"], recipe["name"], **recipe["hyper"])
    lr = recipe["lr"]
    names = tuple(name for name, value in {"lr": lr, **rule.hyper}.items() if not isinstance(value, str))
    lowered = rule.lowered(lr)
    functions = lanes_code.write_lanes(kernel.program, lowered, names, tested=limits.tested)
    return compile_lanes(kernel, functions), lanes_code.is_near(functions)


def _starts(kernel: Kernel, settings: Settings) -> Starts:
    """Give what works on start by start."""
    states, hyper = len(settings.states), len(settings.hyper)

    def make() -> Any:
        assert settings.source is not None
        loop = settings.source["numba"]
        return compile_starts(kernel, loop, write_starts(kernel.program, states, cauchy=not settings.recipe))

    entry = _once(kernel, _key(settings, "starts"), make)
    return Starts(kernel, entry, _limits(kernel, settings), states, hyper)


def _limits(kernel: Kernel, settings: Settings) -> Limits:
    gtol, xtol = (t * t if t >= 0 else -1.0 for t in (settings.gtol, settings.xtol))
    return Limits(settings.steps, gtol, settings.ftol, xtol, look_every(kernel.n, settings.steps))


def _drawing(kernel: Kernel, settings: Settings) -> Callable[[int, int, int], Matrix]:
    """Give what draws the normal numbers of a start: those of a single run whose seed is larger by its number."""
    length = max(1, DRAWS // (kernel.n * max(1, settings.draws)))

    def draw(row: int, first: int, stop: int) -> Matrix:
        found = []
        for block in range(first // length, -(-stop // length)):
            generator = np.random.Generator(np.random.Philox(key=[(settings.seed + row) % 2**64, block]))
            end = min(stop, (block + 1) * length) - block * length
            drawn = generator.standard_normal((end, kernel.n * settings.draws))
            found.append(drawn[max(0, first - block * length) :])
        return np.concatenate(found)

    return draw


def _kept(kernel: Kernel, settings: Settings, given: Mapping[str, object], x: Matrix) -> tuple[Matrix, Matrix]:
    """Give the states and the numbers of a rule at starts; what it reads off each start is worked out for each."""
    k, n = x.shape
    if not settings.recipe or not _of_start(settings, given):
        states = np.concatenate([*settings.states, np.zeros(0)])
        return np.tile(states, (k, 1)), np.tile(settings.hyper, (k, 1))
    each = [descent.prepare(kernel, start, 1.0, given) for start in x]
    states = np.array([np.concatenate([*s.states, np.zeros(0)]) for s in each]).reshape(k, n * len(settings.states))
    return states, np.array([s.hyper for s in each])


def _of_start(settings: Settings, given: Mapping[str, object]) -> bool:
    """Tell whether a rule's numbers or states depend on where a run starts."""
    if _is_auto(given.get("lr")) or ("lr" not in given and rules.find_rule(given["method"]).lr == "auto"):
        return True
    return any("x" in fm.names(fm.parse(text, declared=("x", "lr"))) for text in settings.recipe["init"].values())


def _together(
    kernel: Kernel, settings: Settings, given: Mapping[str, object], runner: Runner, x: Matrix, rows: slice,
    ends: Batch, watch: _Watch,
) -> None:  # fmt: skip
    """Take a batch of starts to their ends."""
    batch = ends.part(rows, *_kept(kernel, settings, given, x[rows]))
    if isinstance(runner, Lanes):
        if (batch.hyper != batch.hyper[0]).any():  # lanes share the rule's numbers
            runner = _starts(kernel, settings)
        else:
            runner.offset = rows.start
    _steps(runner, batch, settings, watch)
    if isinstance(runner, Lanes) and runner.near and not settings.draws:
        # Sines of large arguments are nan in vector registers: C's library knows better.
        bad = np.flatnonzero(batch.status == code.NOT_FINITE)
        if len(bad):
            first = x[rows][bad]
            again = Batch.of(first, *_kept(kernel, settings, given, first), runner.limits.looks)
            _steps(_starts(kernel, settings), again, settings, watch)
            batch.put(bad, again)


def _steps(runner: Runner, batch: Batch, settings: Settings, watch: _Watch) -> None:
    """Take slices of steps, of the starts that have not ended."""
    rows = np.arange(len(batch.x))
    length = runner.limits.slice
    for first in range(0, settings.steps, length):
        if not len(rows) or watch.over():
            return
        part = runner.slice(batch, rows, first, min(first + length, settings.steps))
        spread(part.tasks, runner.kernel.workers, watch.over)
        part.finish()
        rows = np.flatnonzero(batch.status == code.RUNNING)


def _outcomes(
    ends: Batch, x: Matrix, size: NDArray[np.float64], settings: Settings, watch: _Watch
) -> NDArray[np.int8]:  # fmt: skip
    """Say of each start how it ended, as the account of a single run says it."""
    # Of very many parameters, a run does not remember where it began.
    start = x if code.kept(x.shape[1]) else np.broadcast_to(np.inf, x.shape)
    known = Ends(
        ends.status, ends.steps, ends.x, ends.g, ends.f, size, start, ends.first, ends.peaks, ends.lows, ends.looks
    )
    return outcomes(known, settings.steps, settings.gtol, watch.why())


# ---- a run for each start ------------------------------------------------------------------------------------------


def _one_by_one(
    kernel: Kernel, x: Matrix, settings: Settings, given: Mapping[str, object], ends: Batch, watch: _Watch
) -> None:
    """Run start after start, each by the loop of the single run."""
    every = 1 if settings.batch else look_every(kernel.n, settings.steps)
    same = settings.method is not None or not settings.recipe or not _of_start(settings, given)
    for place, start in enumerate(x):
        if watch.over():
            break
        own = settings if same else descent.prepare(kernel, start, 1.0, given)
        own = replace(own, seed=settings.seed + place)
        state = descent.begin(kernel, start, own)
        judge(state, own)
        own = go_on(kernel, state, own)
        while state.status == code.RUNNING and state.t < own.steps and not watch.over():
            advance(kernel, state, own, stop_at(kernel, state, own))
            own = go_on(kernel, state, own)
        step, value = state.records[: state.filled, 0], state.records[: state.filled, 1]
        ends.x[place], ends.g[place], ends.f[place] = state.x, state.g, state.f
        ends.status[place], ends.steps[place], ends.first[place] = state.status, state.t, value[0]
        ends.peaks[place], ends.lows[place], ends.looks[place] = look_back(
            step, value, (state.t, state.f), settings.steps, every
        )
        watch.show(place + 1, ends.f[place : place + 1])
