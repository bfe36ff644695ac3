"""The account of a run: what ended it, and what kind of point it ended at."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from symgd.curvature import DENSE, classify, corner
from symgd.curvature.problem import Problem
from symgd.descent.methods import norm
from symgd.descent.outcomes import OUTCOMES, Ends, far, look_back, look_every, outcomes
from symgd.descent.state import GTOL, Settings, State, Vector, fell_for_ever, saved
from symgd.errors import unexplained
from symgd.kernel import code
from symgd.run import History, Outcome, Run
from symgd.verdict import Kind, Reason, Verdict

NOISE = 1e-12  # what is left to gain, relative to the value, when float64 cannot tell values apart any more

Locate = Callable[[Vector], str]


def account(
    kernel: Problem, state: State, settings: Settings, outcome: Outcome | None, formula: str,
    locate: Locate | None,
) -> Run:  # fmt: skip
    """Say what happened.

    Parameters
    ----------
    kernel : Problem
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
        Tells which subexpression is not finite at a point.

    Returns
    -------
    Run
    """
    history = _history(kernel, state, settings)
    size = norm(state.g)
    outcome, message = _outcome(state, settings, outcome, size, locate)
    verdict = Verdict(Kind.UNKNOWN, Reason.MUTE)
    finite = math.isfinite(state.f) and math.isfinite(size)
    settled = False
    try:
        settled = finite and (
            outcome.converged or size <= GTOL or _gain(kernel, state, outcome) <= NOISE * abs(state.f)
        )
        if finite:
            verdict = _verdict(kernel, state, outcome, settled=settled)
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
        formula, kernel.split(state.x), settings.sign * state.f, size, outcome, message,
        verdict, state.t, state.calls, state.seconds, history, _method(state, settings), settings.recipe.get("lr", "auto"),
        settings.sign < 0, _batch(kernel, settings), state=saved(kernel, state, settings, formula),
    )  # fmt: skip


def _method(state: State, settings: Settings) -> str:
    """Name what took the steps."""
    return settings.method.told(state.states) if settings.method else settings.rule


def _verdict(kernel: Problem, state: State, outcome: Outcome, *, settled: bool) -> Verdict:
    """Tell what kind of point a run ended at."""
    if settled and not kernel.curved:
        return corner(kernel, state.x) or Verdict(Kind.UNKNOWN, Reason.UNSEEN)
    if settled:
        return classify(kernel, state.x, state.f, state.g)
    kink = corner(kernel, state.x) if outcome != Outcome.DIVERGED else None  # what falls for ever falls nearby, too
    return kink or Verdict(Kind.NOT_STATIONARY, Reason.MUTE)


def _told(verdict: Verdict, wanted: Kind, *, settled: bool) -> str:
    """Say what a run has come to, if not to what it was after."""
    if verdict.reason in (Reason.UNEXPLAINED, Reason.UNSEEN) or not settled:
        return verdict.message
    if verdict.kind == wanted or verdict.reason == Reason.MUTE:
        return ""
    return f"{_NOT.get(verdict.kind, f'not a {wanted}')}: {verdict.message}"


def _batch(kernel: Problem, settings: Settings) -> int | None:
    """Give the rows that a step looked at, where the run is told in epochs."""
    return (settings.batch or kernel.rows or None) if settings.epoch else None


# A kink or an edge may well be the lowest point: second derivatives do not say.
_NOT = {Kind.KINK: "at a kink, where curvature cannot tell", Kind.BOUNDARY: "at the edge of the domain"}


def _gain(kernel: Problem, state: State, outcome: Outcome) -> float:
    """Give what Newton's model says is left to gain where no step along the gradient lowers the value any more."""
    if outcome != Outcome.STALLED or len(state.x) > DENSE or not kernel.curved:
        return math.inf
    try:
        step = np.linalg.solve(kernel.hessian(state.x), state.g)
    except np.linalg.LinAlgError:
        return math.inf
    gain = abs(0.5 * float(state.g @ step))
    return gain if math.isfinite(gain) else math.inf


def _ends(state: State, settings: Settings, size: float) -> Ends:
    """Give what is known of a run as arrays of length one."""
    step, value = state.records[: state.filled, 0], state.records[: state.filled, 1]
    # A run in batches is recorded at the ends of epochs, and not at the steps that others are looked at.
    every = 1 if settings.batch else look_every(len(state.x), settings.steps)
    peaks, lows, looks = look_back(step, value, (state.t, state.f), settings.steps, every)
    start = state.records[:1, 3:] if code.kept(len(state.x)) else np.full((1, len(state.x)), np.inf)
    status, steps, f, norms, first = (
        np.array([float(number)]) for number in (state.status, state.t, state.f, size, value[0])
    )
    return Ends(
        status, steps, state.x[None], state.g[None], f, norms, start, first, peaks[None], lows[None], np.array([looks])
    )


def _outcome(
    state: State, settings: Settings, stopped: Outcome | None, size: float, locate: Locate | None
) -> tuple[Outcome, str]:
    """Name what ended the run, in a sentence."""
    ends = _ends(state, settings, size)
    (place,) = outcomes(ends, settings.steps, settings.gtol, stopped or Outcome.INTERRUPTED)
    outcome = OUTCOMES[place]
    finite = math.isfinite(state.f)
    if outcome == Outcome.DIVERGED and finite and fell_for_ever(state.f, float(ends.first[0])):
        down = "fell" if settings.sign > 0 else "rose"
        return outcome, f"the value {down} to {settings.sign * state.f:.3g} and goes on: it has no bound"
    if state.status == code.NOT_FINITE:
        return outcome, _not_finite(ends, outcome, settings.sign, locate)
    if outcome == Outcome.DIVERGED:
        first, last = settings.sign * float(ends.first[0]), settings.sign * state.f
        verb = "rose" if settings.sign > 0 else "fell"
        return outcome, f"the value {verb} from {first:.6g} to {last:.6g} in {state.t:,} steps: lr is too large"
    tolerance = settings.gtol if settings.gtol >= 0 else GTOL
    return outcome, {
        Outcome.CONVERGED_GRADIENT: f"the gradient's norm {size:.3g} is within gtol={tolerance:g}",
        Outcome.CONVERGED_VALUE: f"the value changed by no more than ftol={settings.ftol:g}",
        Outcome.CONVERGED_STEP: f"the step was no longer than xtol={settings.xtol:g}",
        Outcome.STALLED: f"no step along the gradient lowers the value; the gradient's norm is {size:.3g}",
        Outcome.INTERRUPTED: f"interrupted after {state.t:,} steps; what was done is kept",
        Outcome.TIME_LIMIT: f"the time limit of {settings.seconds:g} s was reached after {state.t:,} steps",
        Outcome.MAX_STEPS: f"all {state.t:,} steps were taken; the gradient's norm is {size:.3g}",
    }[outcome]


def _not_finite(ends: Ends, outcome: Outcome, sign: float, locate: Locate | None) -> str:
    """Say what is not finite, and where."""
    (f,), (t,), (x,), (g,) = ends.f.tolist(), ends.steps.astype(int).tolist(), ends.x, ends.g
    at = f" at step {t:,}" if t else " at the start"
    if math.isfinite(f) and np.isfinite(g).all():
        slope = f"the gradient grew to {float(ends.size[0]):.3g}"
        return f"{slope if abs(f) < code.HUGE else f'the value reached {sign * f:.3g}'}{at}"
    where = locate(x) if locate else "a value is not finite"
    if outcome != Outcome.DIVERGED:
        return f"{where}{at}"
    if far(ends)[0]:
        return f"the parameters grew to {float(np.abs(x).max()):.3g}{at}: {where}"
    return f"the value grew to {sign * f:.3g}{at}: {where}"


def _history(kernel: Problem, state: State, settings: Settings) -> History:
    records = state.records[: state.filled]
    if int(records[-1, 0]) != state.t:  # the last step is always shown
        records = np.vstack([records, state.row()])
    epoch = records[:, 0] / settings.epoch if settings.epoch else None
    return History(
        kernel.params, records[:, 0].astype(np.int64), settings.sign * records[:, 1], records[:, 2].copy(),
        records[:, 3:].copy(), kernel.shapes, epoch,
    )  # fmt: skip
