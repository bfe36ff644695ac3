"""The account of a run: what ended it, and what kind of point it ended at."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from symgd.curvature import DENSE, classify, corner
from symgd.descent.methods import norm
from symgd.descent.state import GTOL, Settings, State, Vector, fell_for_ever, saved
from symgd.errors import unexplained
from symgd.kernel import Kernel
from symgd.kernel import code as codegen
from symgd.run import History, Outcome, Run
from symgd.verdict import Kind, Reason, Verdict

SWING = 10.0  # times wider that values swing at the end of a run that diverges
NOISE = 1e-12  # what is left to gain, relative to the value, when float64 cannot tell values apart any more

Locate = Callable[[Vector], tuple[str, bool]]


def account(
    kernel: Kernel, state: State, settings: Settings, outcome: Outcome | None, formula: str,
    locate: Locate | None,
) -> Run:  # fmt: skip
    """Say what happened.

    Parameters
    ----------
    kernel : Kernel
        The objective.
    state : State
        Where the run stands.
    settings : Settings
        How it descended.
    outcome : Outcome or None
        What ended it from outside, if anything did.
    formula : str
        The objective's text.
    locate : callable or None
        Tells which subexpression is not finite at a point, and whether it overflowed.

    Returns
    -------
    Run
    """
    history = _history(kernel, state, settings)
    size = norm(state.g)
    outcome, message = _outcome(state, settings, outcome, size, history, locate)
    verdict = Verdict(Kind.UNKNOWN, Reason.MUTE)
    finite = math.isfinite(state.f) and math.isfinite(size)
    settled = False
    try:
        settled = finite and (
            outcome.converged or size <= GTOL or _gain(kernel, state, outcome) <= NOISE * abs(state.f)
        )
        if finite:
            verdict = _verdict(kernel, state, settled=settled)
    except Exception as problem:  # noqa: BLE001 - whatever it is, the run is there
        verdict = Verdict(Kind.UNKNOWN, Reason.UNEXPLAINED, (), unexplained("the kind of point", problem))
    if settled and outcome == Outcome.STALLED and verdict.kind == Kind.MINIMUM:
        outcome, message = Outcome.CONVERGED_VALUE, "no smaller value can be told apart in float64"
    if settings.sign < 0:
        verdict = verdict.turned()
    doubt = kernel.doubt(state.x) if finite else ""
    told = _told(verdict, Kind.MINIMUM if settings.sign > 0 else Kind.MAXIMUM, settled=settled)
    message = "; ".join(part for part in (message, told, doubt) if part)
    return Run(
        formula, kernel.program.layout.split(state.x), settings.sign * state.f, size, outcome, message,
        verdict, state.t, state.calls, state.seconds, history, settings.rule, settings.recipe.get("lr", "auto"),
        settings.sign < 0, _batch(kernel, settings), state=saved(kernel, state, settings, formula),
    )  # fmt: skip


def _verdict(kernel: Kernel, state: State, *, settled: bool) -> Verdict:
    """Tell what kind of point a run ended at."""
    if settled:
        return classify(kernel, state.x, state.f, state.g)
    return corner(kernel, state.x) or Verdict(Kind.NOT_STATIONARY, Reason.MUTE)


def _told(verdict: Verdict, wanted: Kind, *, settled: bool) -> str:
    """Say what a run has come to, if not to what it was after."""
    if verdict.reason == Reason.UNEXPLAINED or not settled:
        return verdict.message
    if verdict.kind == wanted or verdict.reason == Reason.MUTE:
        return ""
    return f"{_NOT.get(verdict.kind, f'not a {wanted}')}: {verdict.message}"


def _batch(kernel: Kernel, settings: Settings) -> int | None:
    """Give the rows that a step looked at, where the run is told in epochs."""
    return (settings.batch or kernel.rows or None) if settings.epoch else None


# A kink or an edge may well be the lowest point: second derivatives do not say.
_NOT = {Kind.KINK: "at a kink, where curvature cannot tell", Kind.BOUNDARY: "at the edge of the domain"}


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
    state: State, settings: Settings, outcome: Outcome | None, size: float, history: History,
    locate: Locate | None,
) -> tuple[Outcome, str]:  # fmt: skip
    """Name what ended the run, in a sentence."""
    if outcome is None and math.isfinite(state.f) and fell_for_ever(state):
        down = "fell" if settings.sign > 0 else "rose"
        return Outcome.DIVERGED, f"the value {down} to {settings.sign * state.f:.3g} and goes on: it has no bound"
    if state.status == codegen.NOT_FINITE:
        return _not_finite(state, size, history, locate)
    if state.status == codegen.GRADIENT or (settings.gtol < 0 and size <= GTOL and outcome is None):
        tolerance = settings.gtol if settings.gtol >= 0 else GTOL
        return Outcome.CONVERGED_GRADIENT, f"the gradient's norm {size:.3g} is within gtol={tolerance:g}"
    if state.status == codegen.VALUE:
        return Outcome.CONVERGED_VALUE, f"the value changed by no more than ftol={settings.ftol:g}"
    if state.status == codegen.STEP:
        return Outcome.CONVERGED_STEP, f"the step was no longer than xtol={settings.xtol:g}"
    if state.status == codegen.STALLED:
        return Outcome.STALLED, f"no step along the gradient lowers the value; the gradient's norm is {size:.3g}"
    if outcome == Outcome.INTERRUPTED:
        return outcome, f"interrupted after {state.t:,} steps; what was done is kept"
    if outcome == Outcome.TIME_LIMIT:
        return outcome, f"the time limit of {settings.seconds:g} s was reached after {state.t:,} steps"
    if _rising(history, settings.sign):
        first, last = history.value[0], history.value[-1]
        verb = "rose" if settings.sign > 0 else "fell"
        return (
            Outcome.DIVERGED,
            f"the value {verb} from {first:.6g} to {last:.6g} in {state.t:,} steps: lr is too large",
        )
    return Outcome.MAX_STEPS, f"all {state.t:,} steps were taken; the gradient's norm is {size:.3g}"


def _rising(history: History, sign: float) -> bool:
    """Tell whether values went up and up: steadily, or swinging ever wider."""
    values = sign * history.value
    quarter = max(1, len(values) // 4)
    if len(values) < 3 or not np.isfinite(values).all():
        return False
    if values[-quarter:].min() > values[:quarter].max() and values[-1] > values[0]:
        return True
    peaks = np.array([part.max() for part in np.array_split(values, 4)]) - values.min() if len(values) >= 8 else None
    return peaks is not None and bool((np.diff(peaks) > 0).all() and peaks[-1] > SWING * peaks[0])


def _not_finite(state: State, size: float, history: History, locate: Locate | None) -> tuple[Outcome, str]:
    where, overflowed = locate(state.x) if locate else ("a value is not finite", False)
    at = f" at step {state.t:,}" if state.t else " at the start"
    if math.isfinite(state.f) and np.isfinite(state.g).all():
        what = f"the gradient grew to {size:.3g}" if abs(state.f) < codegen.HUGE else f"the value reached {state.f:.3g}"
        return Outcome.DIVERGED, f"{what}{at}"
    sizes = np.abs(history.point).max(axis=1) if history.point.size else np.array([np.inf, np.abs(state.x).max()])
    far = not np.isfinite(state.x).all() or sizes[-1] > 1e3 * (1.0 + sizes[0])
    if state.t and (far or (overflowed and _grew(history))):
        return Outcome.DIVERGED, f"the parameters grew to {sizes[-1]:.3g}{at}: {where}"
    return Outcome.LEFT_DOMAIN, f"{where}{at}"


def _grew(history: History) -> bool:
    finite = history.value[np.isfinite(history.value)]
    return len(finite) > 1 and abs(finite[-1]) > 10 * abs(finite[0]) + 1


def _history(kernel: Kernel, state: State, settings: Settings) -> History:
    layout = kernel.program.layout
    records = state.records[: state.filled]
    if int(records[-1, 0]) != state.t:  # the last step is always shown
        records = np.vstack([records, state.row()])
    epoch = records[:, 0] / settings.epoch if settings.epoch else None
    return History(
        layout.params, records[:, 0].astype(np.int64), settings.sign * records[:, 1], records[:, 2].copy(),
        records[:, 3:].copy(), layout.shapes, epoch,
    )  # fmt: skip
