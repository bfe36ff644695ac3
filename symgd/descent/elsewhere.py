"""Where a descent has come to rest: whether it is at its end, or its method has a way to go on."""

from __future__ import annotations

import math

from symgd.curvature import DENSE, classify, edge
from symgd.curvature.problem import Problem
from symgd.descent.methods import At, Function, Relay
from symgd.descent.rest import begun, refine, remaining
from symgd.descent.state import Settings, State
from symgd.descent.steps import leave_saddle
from symgd.kernel import code
from symgd.verdict import Kind, Reason

REACHED = 1e-16  # of the way down from the first value to the lowest that there can be
HIDDEN = 1e-12  # relative to the value: what is left to gain where float64 cannot tell values apart any more


def go_on(kernel: Problem, state: State, settings: Settings) -> Settings:
    """Let a run that has come to rest go on, where there is something to be gained.

    Parameters
    ----------
    kernel : Problem
        The objective.
    state : State
        Where the run stands; it is changed.
    settings : Settings
        How it descends.

    Returns
    -------
    Settings
        The same, or with a finer tolerance.
    """
    settings = refine(kernel, state, settings)
    if state.t < settings.steps and not _lowest(kernel, state):
        leave_saddle(kernel, state, settings)
        look_elsewhere(kernel, state, settings)
    return settings


def look_elsewhere(kernel: Problem, state: State, settings: Settings) -> None:
    """Let the default go on, or begin anew, with another method, where it has ended at no minimum.

    Parameters
    ----------
    kernel : Problem
        The objective.
    state : State
        Where the run stands; its status is changed.
    settings : Settings
        The method.
    """
    method = settings.method
    ended = state.status in (code.GRADIENT, code.STALLED)
    if not ended or not isinstance(method, Relay) or kernel.n > DENSE or not kernel.curved:
        return
    if method.exhausted(state.states) or _arrived(kernel, state):
        return
    function = Function(kernel, state.calls, state.cost, settings.sign)
    if method.again(function, At(state.x, state.f, state.g), state.states):
        state.status = code.RUNNING


def _lowest(kernel: Problem, state: State) -> bool:
    """Tell whether the value is as good as the least that the formula can have."""
    if state.status not in (code.GRADIENT, code.STALLED):
        return False
    low = kernel.bounds().low
    # A start far up says little of what counts as low.
    return math.isfinite(low) and state.f - low <= REACHED * min(1.0, float(state.records[0, 1]) - low)


def _arrived(kernel: Problem, state: State) -> bool:
    """Tell whether a run has come to a minimum, or may have, as far as can be told."""
    if state.status == code.STALLED:
        if edge(kernel, state.x, state.f, state.g) is not None:
            return True
        left = remaining(kernel, state)
        if not left.settled and left.gain > HIDDEN * abs(state.f):
            return False
    found = classify(kernel, state.x, state.f, state.g, begun(state))
    if found.reason == Reason.TAIL:  # where the objective is convex, no other way ends lower
        return kernel.bounds().convex
    return found.kind.minimal or found.kind == Kind.BOUNDARY
