"""Where a descent has ended at no minimum: whether its method has another way to try."""

from __future__ import annotations

import numpy as np

from symgd.curvature import DENSE, classify, edge
from symgd.curvature.problem import Problem
from symgd.descent.methods import At, Function, Relay
from symgd.descent.rest import begun, remaining
from symgd.descent.state import Settings, State
from symgd.kernel import code

HIDDEN = 1e-12  # relative to the value: what is left to gain where float64 cannot tell values apart any more


def look_elsewhere(kernel: Problem, state: State, settings: Settings) -> None:
    """Let the default begin anew with another method, where it has ended at no minimum.

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
    ended = state.status in (code.GRADIENT, code.STALLED) and state.t < settings.steps
    if not ended or not isinstance(method, Relay) or kernel.n > DENSE or not kernel.curved:
        return
    if method.exhausted(state.states) or _arrived(kernel, state):
        return
    function = Function(kernel, state.calls, state.cost, settings.sign)
    if method.again(function, At(state.x, state.f, state.g), state.states):
        state.status = code.RUNNING


def _arrived(kernel: Problem, state: State) -> bool:
    """Tell whether a run has come to a minimum, or may have, as far as can be told."""
    if state.status == code.STALLED:
        if edge(kernel, state.x, state.f, state.g) is not None:
            return True
        left = remaining(kernel, state)
        if not left.settled and left.gain > HIDDEN * abs(state.f):
            return False
    start = begun(state)
    reach = 0.0 if start is None else max(float(np.linalg.norm(p)) for p in (state.x, state.x - start))
    return classify(kernel, state.x, state.f, state.g, reach).low
