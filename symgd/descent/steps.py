"""Steps of a method that is more than a recurrence: what the generated loop does for a rule, with the same tests."""

from __future__ import annotations

import math

import numpy as np

from symgd.curvature import escape
from symgd.curvature.problem import Problem
from symgd.descent.methods import LARGEST, At, Function, norm
from symgd.descent.state import Settings, State, fell_for_ever
from symgd.kernel import code


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
        with np.errstate(all="ignore"):  # what overflows is seen where it counts: in value and gradient
            new = settings.method.step(function, at, state.states)
        state.calls, state.cost = function.calls, function.cost
        if new is None:
            state.status = code.STALLED
            break
        state.t += 1
        _move(state, new)
        state.record()
        judge(state, settings)
        if state.status == code.RUNNING:
            _compare(state, settings, at)
        else:
            leave_saddle(kernel, state, settings)


def _move(state: State, new: At) -> None:
    state.x, state.f, state.g = new.x, new.f, new.g


def look_at_start(kernel: Problem, state: State, settings: Settings) -> None:
    """End a run that need not begin, or cannot; where it is to leave a saddle, let it.

    Parameters
    ----------
    kernel : Problem
        The objective.
    state : State
        Where the run begins; it is changed.
    settings : Settings
        How it descends.
    """
    judge(state, settings)
    leave_saddle(kernel, state, settings)


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
    if settings.method is None or not settings.method.escapes or state.status != code.GRADIENT:
        return
    step = escape(kernel, state.x, state.f, state.g)
    if step is not None:
        function = Function(kernel, state.calls, state.cost, settings.sign)
        _move(state, function.at(state.x + step))
        state.calls, state.cost = function.calls, function.cost
        state.status = code.RUNNING
        state.t += 1
        state.record()
        judge(state, settings)
        # What the method learnt, it learnt somewhere else.
        state.states = settings.method.begin(function, At(state.x, state.f, state.g))
