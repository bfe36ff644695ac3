"""THE loop: chunks of compiled steps, and between them the clock, the callback, the history and Ctrl-C."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd import codegen
from symgd.curvature import DENSE, classify, corner
from symgd.engine import PYTHON_BUDGET, Kernel
from symgd.errors import UsageError
from symgd.run import History, Kind, Outcome, Run

Vector = NDArray[np.float64]

STEPS = 100_000  # when nothing is said
GTOL = 1e-8
TICK = 0.1  # seconds of compiled steps between two looks at the clock
PATIENCE = 2.0  # seconds before a progress bar shows
RECORDS = 20_000  # steps that the history holds before it is thinned
NUMBERS = 4_000_000  # floats that it holds
NOISE = 1e-12  # what is left to gain, relative to the value, when float64 cannot tell values apart any more
HUGE = 1e290  # a value, or a squared gradient, that is as good as infinite
DRAWS = 1 << 16  # normal numbers drawn at a time

Callback = Callable[[int, dict[str, float], float], Any]


@dataclass(frozen=True)
class Settings:
    """How to descend.

    Parameters
    ----------
    rule : str
        The method's name, or the rule's text.
    source : dict of str to str
        The loop's text for each tier.
    hyper : tuple of float
        The numbers that the loop reads, the learning rate first.
    states : tuple of ndarray
        What the rule's states start at.
    draws : int
        Normal draws that each parameter takes a step.
    steps : int
        Steps to take at most.
    gtol, ftol, xtol : float
        Tolerances of the gradient's norm, the value's change and the step's length; negative for none.
    seconds : float
        Wall time to take at most.
    seed : int
        Of the draws.
    every : int
        Steps between two calls of the callback.
    sign : float
        -1 when the objective is maximized.
    """

    rule: str
    source: Mapping[str, str]
    hyper: tuple[float, ...]
    states: tuple[Vector, ...] = ()
    draws: int = 0
    steps: int = STEPS
    gtol: float = GTOL
    ftol: float = -1.0
    xtol: float = -1.0
    seconds: float = math.inf
    seed: int = 0
    every: int = 1
    sign: float = 1.0


@dataclass
class State:
    """Where a run stands: all that it needs to go on."""

    x: Vector
    g: Vector
    f: float
    hyper: Vector
    states: list[Vector]
    records: NDArray[np.float64]
    t: int = 0
    calls: int = 1
    seconds: float = 0.0
    stride: int = 1
    next_record: int = 1
    filled: int = 1
    status: int = codegen.RUNNING
    extra: dict[str, Any] = field(default_factory=dict)


def begin(kernel: Kernel, x0: Vector, settings: Settings) -> State:
    """Evaluate the start.

    Parameters
    ----------
    kernel : Kernel
        The objective.
    x0 : ndarray, shape (n,)
        The start.
    settings : Settings
        How to descend.

    Returns
    -------
    State
    """
    x = np.array(x0, dtype=np.float64)
    f, g = kernel.slope(x)
    rows = max(16, min(RECORDS, NUMBERS // (len(x) + 3), settings.steps + 2))
    records = np.zeros((rows + rows % 2, 3 + len(x)))
    state = State(x, g, f, np.array(settings.hyper), [s.copy() for s in settings.states], records)
    records[0] = [0.0, f, _norm(g), *x]
    return state


def descend(
    kernel: Kernel,
    state: State,
    settings: Settings,
    *,
    formula: str = "",
    locate: Callable[[Vector], tuple[str, bool]] | None = None,
    callback: Callback | None = None,
    progress: bool | None = None,
) -> Run:
    """Run the loop until a test ends it.

    Parameters
    ----------
    kernel : Kernel
        The objective.
    state : State
        Where to go on from; it is changed.
    settings : Settings
        How to descend.
    formula : str
        The objective's text, for the account.
    locate : callable, optional
        Tells which subexpression is not finite at a point, and whether it overflowed.
    callback : callable, optional
        Called with step number, point and value every ``settings.every`` steps; a true result ends the run.
    progress : bool, optional
        Whether to show progress; by default on a terminal after two seconds.

    Returns
    -------
    Run
    """
    began = time.perf_counter() - state.seconds
    outcome = None
    _check_start(state, settings)
    with _interruptible() as asked, _progress(settings.steps, state.t, began, progress) as tick:
        try:
            while state.status == codegen.RUNNING and state.t < settings.steps and outcome is None:
                _advance(kernel, state, settings, _stop(kernel, state, settings, callback))
                tick(state)
                if callback and (state.t % settings.every == 0 or state.status or state.t == settings.steps):
                    point = dict(zip(kernel.program.layout.params, state.x.tolist(), strict=True))
                    if callback(state.t, point, settings.sign * state.f):
                        outcome = Outcome.INTERRUPTED
                if asked():
                    outcome = Outcome.INTERRUPTED
                elif time.perf_counter() - began > settings.seconds:
                    outcome = outcome or Outcome.TIME_LIMIT
        except KeyboardInterrupt:  # raised by the callback itself
            outcome = Outcome.INTERRUPTED
    state.seconds = time.perf_counter() - began
    return _account(kernel, state, settings, outcome, formula, locate)


# ---- chunks ------------------------------------------------------------------------------------------------------------


def _check_start(state: State, settings: Settings) -> None:
    if state.t == 0 and state.status == codegen.RUNNING:
        norm = _norm(state.g)
        if not (abs(state.f) < HUGE and norm * norm < HUGE):
            state.status = codegen.NOT_FINITE
        elif norm <= settings.gtol:
            state.status = codegen.GRADIENT


def switch(kernel: Kernel) -> int:
    """Give the step at which plain Python hands over to compiled code.

    It depends on the problem alone, never on a clock: the tiers round differently, and a run must come out the same
    every time, resumed or not.

    Parameters
    ----------
    kernel : Kernel
        The objective.

    Returns
    -------
    int
    """
    if kernel.tier != "auto":
        return 0 if kernel.tier == "numba" else 1 << 62
    return PYTHON_BUDGET // (kernel.work() + 10 * kernel.n + 20)


def _stop(kernel: Kernel, state: State, settings: Settings, callback: Callback | None) -> int:
    """Give the step up to which to go before looking up."""
    stop = settings.steps
    if callback:
        stop = min(stop, (state.t // settings.every + 1) * settings.every)
    if state.t < switch(kernel):
        stop = min(stop, switch(kernel))
    if settings.draws:
        length = _draw_length(kernel, settings)
        stop = min(stop, (state.t // length + 1) * length)
    return min(stop, state.t + int(state.extra.get("chunk", 16)))


def _draw_length(kernel: Kernel, settings: Settings) -> int:
    return max(1, DRAWS // (kernel.n * settings.draws))


def _advance(kernel: Kernel, state: State, settings: Settings, stop: int) -> None:
    """Take steps up to ``stop``, and make room in the history where it is full."""
    tier = "python" if state.t < switch(kernel) else "numba"
    loop = kernel.loop(settings.source, len(state.states), tier)
    draws, first = _draws(kernel, state, settings)
    before, start = state.t, time.perf_counter()
    state.t, state.status, state.f, state.next_record, state.filled, calls = loop(
        state.x, state.g, state.states, state.hyper, draws, first, state.t, stop, state.f, state.next_record,
        state.stride, state.records, state.filled, _squared(settings.gtol), settings.ftol, _squared(settings.xtol),
    )  # fmt: skip
    state.calls += calls
    kernel.calls += calls
    kernel.spent += calls * kernel.work()
    if state.filled == len(state.records):
        _thin(state)
    spent = time.perf_counter() - start
    if state.t > before:
        pace = (state.t - before) * TICK / max(spent, 1e-6)
        state.extra["chunk"] = int(max(1, min(pace, 8 * state.extra.get("chunk", 16))))


def _squared(tolerance: float) -> float:
    """The loop compares squares; a tolerance that is not set must never be met."""
    return tolerance * tolerance if tolerance >= 0 else -1.0


def _draws(kernel: Kernel, state: State, settings: Settings) -> tuple[NDArray[np.float64], int]:
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


def _thin(state: State) -> None:
    """Keep every second record; from now on record half as often."""
    kept = state.records[::2].copy()
    state.records[: len(kept)] = kept
    state.filled = len(kept)
    state.stride *= 2
    state.next_record = int(kept[-1, 0]) + state.stride


# ---- around the loop -----------------------------------------------------------------------------------------------------


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C into a question that is asked between chunks, so that no step is lost halfway."""
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed.is_set
        return
    former = signal.getsignal(signal.SIGINT)
    if former is None:  # installed by another language; leave it alone
        yield pressed.is_set
        return

    def press(*_: object) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()

    signal.signal(signal.SIGINT, press)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, former)


@contextmanager
def _progress(steps: int, t: int, began: float, wanted: bool | None) -> Iterator[Callable[[State], None]]:
    """Give a function that shows progress once the run has taken two seconds."""
    bar: Any = None

    def tick(state: State) -> None:
        nonlocal bar
        if wanted is False or (bar is None and time.perf_counter() - began < PATIENCE):
            return
        if bar is None:
            from tqdm.auto import tqdm

            # disable=None: shown on a terminal or in a notebook, not in a file.
            bar = tqdm(total=steps, initial=t, unit="step", unit_scale=True, disable=None if wanted is None else False)
        bar.update(state.t - bar.n)
        bar.set_postfix_str(f"value={state.f:.6g}", refresh=False)

    try:
        yield tick
    finally:
        if bar is not None:
            bar.close()


# ---- the account ---------------------------------------------------------------------------------------------------------


def _account(
    kernel: Kernel, state: State, settings: Settings, outcome: Outcome | None, formula: str,
    locate: Callable[[Vector], tuple[str, bool]] | None,
) -> Run:  # fmt: skip
    history = _history(kernel, state, settings)
    norm = _norm(state.g)
    outcome, message = _outcome(state, settings, outcome, norm, history, locate)
    kind, evidence = Kind.UNKNOWN, ""
    finite = math.isfinite(state.f) and math.isfinite(norm)
    if finite and (outcome.converged or norm <= GTOL or _gain(kernel, state, outcome) <= NOISE * abs(state.f)):
        kind, evidence = classify(kernel, state.x, state.f, state.g)
        if outcome == Outcome.STALLED and kind == Kind.MINIMUM:
            outcome, message = Outcome.CONVERGED_VALUE, "no smaller value can be told apart in float64"
        if kind != Kind.MINIMUM:
            message += f"; not a minimum: {evidence}"
    elif finite:
        kind, evidence = corner(kernel, state.x) or (Kind.NOT_STATIONARY, "")
        message += f"; {evidence}" if evidence else ""
    if settings.sign < 0:
        kind = {Kind.MINIMUM: Kind.MAXIMUM, Kind.MAXIMUM: Kind.MINIMUM}.get(kind, kind)
        message = message.replace("not a minimum", "not a maximum")
    params = kernel.program.layout.params
    return Run(
        formula, dict(zip(params, state.x.tolist(), strict=True)), settings.sign * state.f, norm, outcome,
        message, kind, state.t, state.calls, state.seconds, history, settings.rule, settings.sign < 0,
        state=_saved(kernel, state, settings, formula),
    )  # fmt: skip


def _gain(kernel: Kernel, state: State, outcome: Outcome) -> float:
    """Give what Newton's model says is left to gain where no step along the gradient lowers the value any more."""
    if outcome != Outcome.STALLED or len(state.x) > DENSE:
        return math.inf
    try:
        step = np.linalg.solve(kernel.hessian(state.x), state.g)
    except np.linalg.LinAlgError:
        return math.inf
    gain = abs(0.5 * float(state.g @ step))
    return gain if math.isfinite(gain) else math.inf


def _outcome(
    state: State, settings: Settings, outcome: Outcome | None, norm: float, history: History,
    locate: Callable[[Vector], tuple[str, bool]] | None,
) -> tuple[Outcome, str]:  # fmt: skip
    """Name what ended the run, in a sentence."""
    if state.status == codegen.NOT_FINITE:
        return _not_finite(state, norm, history, locate)
    if state.status == codegen.GRADIENT or (settings.gtol < 0 and norm <= GTOL and outcome is None):
        tolerance = settings.gtol if settings.gtol >= 0 else GTOL
        return Outcome.CONVERGED_GRADIENT, f"the gradient's norm {norm:.3g} is within gtol={tolerance:g}"
    if state.status == codegen.VALUE:
        return Outcome.CONVERGED_VALUE, f"the value changed by no more than ftol={settings.ftol:g}"
    if state.status == codegen.STEP:
        return Outcome.CONVERGED_STEP, f"the step was no longer than xtol={settings.xtol:g}"
    if outcome is None and _fell_for_ever(state):
        down = "fell" if settings.sign > 0 else "rose"
        return Outcome.DIVERGED, f"the value {down} to {settings.sign * state.f:.3g} and goes on: it has no bound"
    if state.status == codegen.STALLED:
        return Outcome.STALLED, f"no step along the gradient lowers the value; the gradient's norm is {norm:.3g}"
    if outcome == Outcome.INTERRUPTED:
        return outcome, f"interrupted after {state.t:,} steps; what was done is kept"
    if outcome == Outcome.TIME_LIMIT:
        return outcome, f"the time limit of {settings.seconds:g} s was reached after {state.t:,} steps"
    if _rising(history, settings.sign):
        first, last = history.value[0], history.value[-1]
        verb = "rose" if settings.sign > 0 else "fell"
        return Outcome.DIVERGED, f"the value {verb} from {first:.6g} to {last:.6g} in {state.t:,} steps: lr is too large"
    return Outcome.MAX_STEPS, f"all {state.t:,} steps were taken; the gradient's norm is {norm:.3g}"


def _fell_for_ever(state: State) -> bool:
    """Tell whether the value has fallen so far that nothing can be at the bottom."""
    first = float(state.records[0, 1])
    return state.f < first - 1e15 * (1.0 + abs(first))


def _rising(history: History, sign: float) -> bool:
    """Tell whether values went up and up: every one of the last quarter above every one of the first."""
    values = sign * history.value
    quarter = max(1, len(values) // 4)
    if len(values) < 3 or not np.isfinite(values).all():
        return False
    return bool(values[-quarter:].min() > values[:quarter].max() and values[-1] > values[0])


def _not_finite(
    state: State, norm: float, history: History, locate: Callable[[Vector], tuple[str, bool]] | None
) -> tuple[Outcome, str]:
    where, overflowed = locate(state.x) if locate else ("a value is not finite", False)
    at = f" at step {state.t:,}" if state.t else " at the start"
    if math.isfinite(state.f) and np.isfinite(state.g).all():
        what = f"the gradient grew to {norm:.3g}" if abs(state.f) < HUGE else f"the value reached {state.f:.3g}"
        return Outcome.DIVERGED, f"{what}{at}"
    sizes = np.abs(history.point).max(axis=1)
    far = not np.isfinite(state.x).all() or sizes[-1] > 1e3 * (1.0 + sizes[0])
    if state.t and (far or (overflowed and _grew(history))):
        return Outcome.DIVERGED, f"the parameters grew to {sizes[-1]:.3g}{at}: {where}"
    return Outcome.LEFT_DOMAIN, f"{where}{at}"


def _grew(history: History) -> bool:
    finite = history.value[np.isfinite(history.value)]
    return len(finite) > 1 and abs(finite[-1]) > 10 * abs(finite[0]) + 1


def _history(kernel: Kernel, state: State, settings: Settings) -> History:
    records = state.records[: state.filled]
    if int(records[-1, 0]) != state.t:  # the last step is always shown
        records = np.vstack([records, [state.t, state.f, _norm(state.g), *state.x]])
    return History(
        kernel.program.layout.params, records[:, 0].astype(np.int64), settings.sign * records[:, 1],
        records[:, 2].copy(), records[:, 3:].copy(),
    )  # fmt: skip


def _norm(g: Vector) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.linalg.norm(g)) if len(g) else 0.0


# ---- saving --------------------------------------------------------------------------------------------------------------


def _saved(kernel: Kernel, state: State, settings: Settings, formula: str) -> dict[str, Any]:
    plain = {
        "version": 1, "formula": formula, "params": list(kernel.program.layout.params), "rule": settings.rule,
        "source": dict(settings.source), "draws": settings.draws, "steps": settings.steps, "seed": settings.seed,
        "tolerances": [settings.gtol.hex(), settings.ftol.hex(), settings.xtol.hex()], "sign": settings.sign,
        "every": settings.every, "t": state.t, "calls": state.calls, "seconds": state.seconds,
        "stride": state.stride, "next_record": state.next_record, "f": state.f.hex(), "tier": kernel.tier,
        "status": state.status,
    }  # fmt: skip
    arrays = {"x": state.x, "g": state.g, "hyper": state.hyper, "records": state.records[: state.filled]}
    arrays |= {f"state{i}": s for i, s in enumerate(state.states)}
    return plain | {k: v.copy() for k, v in arrays.items()}


def restore(saved: Mapping[str, Any], steps: int | None) -> tuple[State, Settings]:
    """Give state and settings back from what a run saved.

    Parameters
    ----------
    saved : mapping
        The run's ``state``.
    steps : int, optional
        A new number of steps in all.

    Returns
    -------
    state : State
        Where the run stood.
    settings : Settings
        How it descended.

    Raises
    ------
    UsageError
        If the run had already ended for another reason than its number of steps.
    """
    gtol, ftol, xtol = (float.fromhex(v) for v in saved["tolerances"])
    total = int(saved["steps"]) if steps is None else steps
    settings = Settings(
        str(saved["rule"]), dict(saved["source"]), (), draws=int(saved["draws"]), steps=total, gtol=gtol, ftol=ftol,
        xtol=xtol, seed=int(saved["seed"]), every=int(saved["every"]), sign=float(saved["sign"]),
    )  # fmt: skip
    kept = np.array(saved["records"], dtype=np.float64)
    n = len(saved["x"])
    rows = max(16, min(RECORDS, NUMBERS // (n + 3), total + 2), len(kept) + 2)
    records = np.zeros((rows + rows % 2, 3 + n))
    records[: len(kept)] = kept
    states = [np.array(saved[f"state{i}"]) for i in range(sum(k.startswith("state") for k in saved))]
    state = State(
        np.array(saved["x"]), np.array(saved["g"]), float.fromhex(saved["f"]), np.array(saved["hyper"]), states, records,
        t=int(saved["t"]), calls=int(saved["calls"]), seconds=float(saved["seconds"]), stride=int(saved["stride"]),
        next_record=int(saved["next_record"]), filled=len(kept), status=int(saved["status"]),
    )  # fmt: skip
    if state.status != codegen.RUNNING:
        raise UsageError("the saved run had ended; start a new one from its point")
    return state, replace(settings, hyper=tuple(state.hyper.tolist()))
