"""The account of a run: what ended it, and what kind of point it ended at."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from symgd.curvature import Promise, classify, corner, edge, tail
from symgd.curvature.problem import Problem
from symgd.curvature.promise import LOOSE
from symgd.descent.methods import norm
from symgd.descent.outcomes import OUTCOMES, Ends, far, look_back, look_every, outcomes, rested
from symgd.descent.rest import begun, remaining
from symgd.descent.state import GTOL, Settings, State, Vector, fell_for_ever, saved
from symgd.errors import unexplained
from symgd.history import History
from symgd.kernel import code
from symgd.run import Outcome, Run
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
    verdict = Verdict(Kind.UNKNOWN, Reason.MUTE)
    left = Promise(math.inf, math.inf, settled=False)
    finite = math.isfinite(state.f) and math.isfinite(size)
    try:
        if finite:
            left = remaining(kernel, state)
        outcome, message = _outcome(state, settings, outcome, size, locate, left)
        if finite:
            verdict, outcome, message = judged(
                kernel, state.x, state.f, state.g, begun(state), outcome, message, left
            )  # fmt: skip
    except Exception as problem:  # noqa: BLE001 - whatever it is, the run is there
        outcome, message = _outcome(state, settings, outcome, size, locate, left)
        verdict = Verdict(Kind.UNKNOWN, Reason.UNEXPLAINED, (), unexplained("the kind of point", problem))
    settled = outcome.converged
    if settings.sign < 0:
        verdict = verdict.turned()
    doubt = kernel.doubt(state.x) if finite else ""
    told = _told(verdict, maximized=settings.sign < 0, settled=settled)
    message = "; ".join(part for part in (message, told, doubt) if part)
    return Run(
        formula, kernel.split(state.x), settings.sign * state.f, size, outcome, message,
        verdict, state.t, state.calls, state.seconds, history, _method(state, settings),
        settings.recipe.get("lr", "auto"), settings.sign < 0, _batch(kernel, settings),
        state=saved(kernel, state, settings, formula), moments=kernel.moments, rows=kernel.rows,
    )  # fmt: skip


def _method(state: State, settings: Settings) -> str:
    """Name what took the steps."""
    return settings.method.told(state.states) if settings.method else settings.rule


def judged(
    kernel: Problem, x: Vector, f: float, g: Vector, start: Vector | None, outcome: Outcome, message: str,
    left: Promise,
) -> tuple[Verdict, Outcome, str]:  # fmt: skip
    """Tell what kind of point a descent ended at, and how it ended in the light of that.

    Parameters
    ----------
    kernel : Problem
        The objective.
    x : ndarray, shape (n,)
        The point.
    f : float
        The value there.
    g : ndarray, shape (n,)
        The gradient there.
    start : ndarray, shape (n,), or None
        Where the descent began, if that is known.
    outcome : Outcome
        How it ended as far as its steps tell.
    message : str
        That as a sentence.
    left : Promise
        What Newton's step still promises.

    Returns
    -------
    Verdict, Outcome, str
    """
    found = edge(kernel, x, f, g) if outcome == Outcome.STALLED else None
    if found is None and (outcome.converged or left.settled or hidden(outcome, f, left.gain)):
        if kernel.curved:
            verdict = classify(kernel, x, f, g, start)
        else:
            verdict = corner(kernel, x) or Verdict(Kind.UNKNOWN, Reason.UNSEEN)
        if outcome.converged and verdict.kind.minimal and not _holds(left, verdict):
            verdict = Verdict(Kind.NOT_STATIONARY, Reason.FURTHER, (left.share,))
        if outcome == Outcome.STALLED and verdict.kind.minimal:
            return verdict, Outcome.CONVERGED_VALUE, HIDDEN
        return verdict, outcome, message
    if outcome == Outcome.DIVERGED:  # what falls for ever falls nearby, too
        return Verdict(Kind.NOT_STATIONARY, Reason.MUTE), outcome, message
    found = found or corner(kernel, x)
    if found is not None and outcome in (Outcome.STALLED, Outcome.MAX_STEPS, Outcome.TIME_LIMIT):
        if found.kind == Kind.KINK_MINIMUM:
            return found, Outcome.CONVERGED_VALUE, "the value is at the lowest point of a kink"
        if found.reason == Reason.EDGE:
            return found, Outcome.CONVERGED_VALUE, "the value is the lowest at the edge of the domain"
    if found is None and outcome == Outcome.STALLED:
        found = tail(kernel, x, f, g, start)
    return found or Verdict(Kind.NOT_STATIONARY, Reason.MUTE), outcome, message


HIDDEN = "no smaller value can be told apart in float64"


def hidden(outcome: Outcome, f: float, gain: float) -> bool:
    """Tell whether what is left to gain is lost in the value's last digits, where no step lowers it any more."""
    return outcome == Outcome.STALLED and gain <= NOISE * abs(f)


def _holds(left: Promise, verdict: Verdict) -> bool:
    """Tell whether so little is left that a test which was met can count, whatever the tolerance that was asked for."""
    return left.settled or left.share <= LOOSE or verdict.kind != Kind.MINIMUM or not math.isfinite(left.gain)


def _told(verdict: Verdict, *, maximized: bool, settled: bool) -> str:
    """Say what a run has come to, if not to what it was after."""
    if verdict.reason in (Reason.UNEXPLAINED, Reason.UNSEEN) or not settled:
        return verdict.message
    wanted = Kind.MAXIMUM if maximized else Kind.MINIMUM
    if verdict.kind == wanted or verdict.reason == Reason.MUTE:
        return ""
    if verdict.kind.maximal if maximized else verdict.kind.minimal:
        return verdict.message
    return f"{_NOT.get(verdict.kind, f'not a {wanted}')}: {verdict.message}"


def _batch(kernel: Problem, settings: Settings) -> int | None:
    """Give the rows that a step looked at, where the run is told in epochs."""
    return (settings.batch or kernel.rows or None) if settings.epoch else None


# A kink or an edge may well be the lowest point: second derivatives do not say.
_NOT = {Kind.KINK: "at a kink, where curvature cannot tell", Kind.BOUNDARY: "at the edge of the domain"}


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
    state: State, settings: Settings, stopped: Outcome | None, size: float, locate: Locate | None, left: Promise
) -> tuple[Outcome, str]:
    """Name what ended the run, in a sentence."""
    ends = _ends(state, settings, size)
    (place,) = outcomes(ends, settings.steps, settings.gtol, stopped or Outcome.INTERRUPTED)
    (found,) = rested(np.array([place]), ends.status, np.array([left.settled]), np.array([left.rounded]))
    outcome = OUTCOMES[found]
    if found != place and outcome.converged:
        return outcome, _at_rest(left, size)
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
    return outcome, {
        Outcome.CONVERGED_GRADIENT: f"the gradient's norm {size:.3g} is within gtol={settings.gtol:g}"
        if size <= settings.gtol and settings.gtol >= GTOL
        else _at_rest(left, size),
        Outcome.CONVERGED_VALUE: HIDDEN
        if settings.ftol < 0
        else f"the value changed by no more than ftol={settings.ftol:g}",
        Outcome.CONVERGED_STEP: f"the step was no longer than xtol={settings.xtol:g}",
        Outcome.STALLED: f"no step along the gradient lowers the value; the gradient's norm is {size:.3g}",
        Outcome.INTERRUPTED: f"interrupted after {state.t:,} steps; what was done is kept",
        Outcome.TIME_LIMIT: f"the time limit of {settings.seconds:g} s was reached after {state.t:,} steps",
        Outcome.MAX_STEPS: f"all {state.t:,} steps were taken; the gradient's norm is {size:.3g}",
    }[outcome]


def _at_rest(left: Promise, size: float) -> str:
    """Say by what a run is seen to be at its end, where no tolerance was met that a user has given."""
    if left.rounded:
        return HIDDEN
    if not left.share > 0.0:
        return f"the gradient's norm is {size:.3g}"
    return f"the gradient's norm is {size:.3g}, and Newton's step is {left.share:.2g} of the way that was gone"


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
    single = None
    if state.fine:
        seen = state.fine.records[: state.fine.filled]
        seen = seen if int(seen[-1, 0]) == state.t else np.vstack([seen, state.row()])
        single = _columns(kernel, seen, settings)
    return _columns(kernel, records, settings, single)


def _columns(
    kernel: Problem, records: NDArray[np.float64], settings: Settings, single: History | None = None
) -> History:
    epoch = records[:, 0] / settings.epoch if settings.epoch else None
    return History(
        kernel.params, records[:, 0].astype(np.int64), settings.sign * records[:, 1], records[:, 2].copy(),
        records[:, 3:].copy(), kernel.shapes, epoch, single,
    )  # fmt: skip
