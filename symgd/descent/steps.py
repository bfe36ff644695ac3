"""Steps of a method that is more than a recurrence: what the generated loop does for a rule, with the same tests."""

from __future__ import annotations

import math

import numpy as np

from symgd.curvature import escape
from symgd.curvature.problem import Problem
from symgd.descent.methods import LARGEST, NOISE, At, Function, norm
from symgd.descent.state import Settings, State, fell_for_ever
from symgd.kernel import code

STEEP = 1e140  # a gradient's norm at which no step of a method is short enough, as its square has no room any more


def take(kernel: Problem, state: State, settings: Settings, stop: int) -> None:
    """Take a method's steps up to ``stop``, or until a test says so or the history is full.

    Parameters
    ----------
    kernel : Problem
        The objective.
    state : State
        Where the run stands; it is changed.
    settings : Settings
        How it descends.
    stop : int
        The step to go up to.
    """
    assert settings.method is not None
    function = Function(kernel, state.calls, state.cost, settings.sign)
    while state.t < stop and state.status == code.RUNNING and state.filled < len(state.records):
        at = At(state.x, state.f, state.g)
        function.calls, function.cost = state.calls, state.cost
        function.stand(at)
        with np.errstate(all="ignore"):  # what overflows is seen where it counts: in value and gradient
            new = settings.method.step(function, at, state.states)
        state.calls, state.cost = function.calls, function.cost
        if new is None or (new is not at and new.f == at.f and np.array_equal(new.x, at.x)):
            judge(state, settings)
            state.status = state.status or (code.NOT_FINITE if norm(state.g) > STEEP else code.STALLED)
            break
        state.t += 1
        if new is at:  # it looks elsewhere
            state.record()
            continue
        _move(state, new)
        state.record()
        judge(state, settings)
        if state.status == code.RUNNING:
            _compare(state, settings, at)
            if _idle(state, settings.method.patience):
                state.status = code.STALLED


def _idle(state: State, patience: int) -> bool:
    """Tell whether neither value nor gradient has become smaller for as many steps as a method is given patience.

    Where values are equal but for rounding, each step may find its way back. The history tells, so that a run that is
    taken up again ends at the same step.
    """
    if not patience or state.filled % patience or state.filled < 2 * patience:
        return False
    ends = state.filled - patience, state.filled
    before, now = (state.records[end - patience : end, 1:3].min(axis=0) for end in ends)
    return bool(before[0] - now[0] <= NOISE * abs(now[0]) and now[1] > 0.5 * before[1])


def _move(state: State, new: At) -> None:
    state.x, state.f, state.g = new.x, new.f, new.g


def judge(state: State, settings: Settings) -> None:
    """End the run where the value or the gradient is as good as infinite, or the gradient small enough.

    Parameters
    ----------
    state : State
        Where the run stands; its status is changed.
    settings : Settings
        The tolerances.
    """
    size = norm(state.g)
    top, steepest = (LARGEST, LARGEST) if settings.method else (code.HUGE, math.sqrt(code.HUGE))
    fallen = settings.method and fell_for_ever(state.f, float(state.records[0, 1]))
    if not (abs(state.f) < top and size < steepest) or fallen:
        state.status = code.NOT_FINITE
    elif size <= settings.gtol:
        state.status = code.GRADIENT


def _compare(state: State, settings: Settings, before: At) -> None:
    if abs(state.f - before.f) <= settings.ftol * max(1.0, abs(state.f)):
        state.status = code.VALUE
    elif norm(state.x - before.x) <= settings.xtol:
        state.status = code.STEP


def leave_saddle(kernel: Problem, state: State, settings: Settings) -> None:
    """Where the gradient vanishes, go on if the method uses curvature and that shows a way down.

    Parameters
    ----------
    kernel : Problem
        The objective.
    state : State
        Where the run stands; it is changed.
    settings : Settings
        The method.
    """
    ended = state.status == code.GRADIENT or (state.status == code.STALLED and kernel.smooth)
    if settings.method is None or not settings.method.escapes or not ended:
        return
    step = escape(kernel, state.x, state.f, state.g)
    if step is None:
        return
    function = Function(kernel, state.calls, state.cost, settings.sign)
    _move(state, function.at(state.x + step))
    state.calls, state.cost = function.calls, function.cost
    state.status = code.RUNNING
    state.t += 1
    state.record()
    judge(state, settings)
    if state.status == code.GRADIENT:  # flat there as well: the method goes on from there all the same
        state.status = code.RUNNING
    # What the method learnt, it learnt somewhere else.
    state.states = settings.method.moved(function, At(state.x, state.f, state.g), state.states)
