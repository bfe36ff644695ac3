"""Whether a descent has come to rest: what is asked when a tolerance is met, and from time to time in between.

A tolerance of the gradient's norm is a number in the objective's units. When it is met, Newton's step must also promise
no more than a small share of the way gone; if it does, the tolerance was too coarse for these units, and is lowered.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from symgd.curvature import DENSE, Promise, corner, promise
from symgd.curvature.problem import Problem
from symgd.curvature.promise import NEAR
from symgd.descent.methods import norm
from symgd.descent.state import GTOL, Settings, State, Vector
from symgd.kernel import code

FINER = 0.5, 1e-4  # between which factors a tolerance is lowered at a time
PATIENT, FADED = 1000, 1e-10  # steps of a rule, and the share of its steepest gradient, after which it may stop
FIRST = 64  # steps before the first look in between
STILL = 1e-12  # relative change of the value over half of the steps, up to which a run may be at rest


def begun(state: State) -> Vector | None:
    """Give where a run began; ``None`` where that is not recorded.

    Parameters
    ----------
    state : State
        Where it stands.

    Returns
    -------
    ndarray of shape (n,), or None
    """
    return state.records[0, 3:] if code.kept(len(state.x)) else None


def remaining(kernel: Problem, state: State) -> Promise:
    """Tell what Newton's step still promises where a run stands.

    Parameters
    ----------
    kernel : Problem
        The objective.
    state : State
        Where the run stands.

    Returns
    -------
    Promise
    """
    return promise(kernel, state.x, state.f, state.g, begun(state), _steepest(state))


def _steepest(state: State) -> float:
    sizes = state.records[: state.filled, 2]
    return float(sizes[np.isfinite(sizes)].max(initial=0.0))


def refine(kernel: Problem, state: State, settings: Settings) -> Settings:
    """Where the gradient's tolerance was met too early, let the run go on with a finer one.

    Parameters
    ----------
    kernel : Problem
        The objective.
    state : State
        Where the run stands; its status is changed.
    settings : Settings
        How it descends.

    Returns
    -------
    Settings
        The same, or with a finer tolerance. One that is coarser than the default was chosen, and stays.
    """
    if state.status != code.GRADIENT or not refines(settings.gtol) or state.t >= settings.steps:
        return settings
    size = norm(state.g)
    # A rule comes ever more slowly into a flat minimum.
    if settings.method is None and state.t >= PATIENT and size <= FADED * _steepest(state):
        return settings
    left = remaining(kernel, state)
    (wanted,) = finer(np.array([size]), np.array([left.share]))
    if left.settled or not 0.0 < wanted < size:
        return settings
    state.status = code.RUNNING
    return replace(settings, gtol=float(wanted))


def refines(gtol: float) -> bool:
    """Tell whether a tolerance may be lowered: one that is coarser than the default was chosen, and stays."""
    return 0.0 <= gtol <= GTOL


def finer(size: Vector, share: Vector) -> Vector:
    """Give finer tolerances of gradients' norms, where Newton's steps still go a share of the way gone.

    Parameters
    ----------
    size : ndarray, shape (k,)
        The norms.
    share : ndarray, shape (k,)
        The shares.

    Returns
    -------
    ndarray, shape (k,)
    """
    with np.errstate(all="ignore"):
        wanted = np.where((share > 0.0) & (share < math.inf), NEAR / share, 0.0)
    lowered: Vector = size * np.clip(wanted, FINER[1], FINER[0])
    return lowered


def look(kernel: Problem, state: State, settings: Settings) -> None:
    """End a run that is at rest though its tolerance is too fine for the objective's units.

    This is asked at powers of two, so that it depends on no clock, and where the value has stopped changing.

    Parameters
    ----------
    kernel : Problem
        The objective.
    state : State
        Where the run stands; its status is changed.
    settings : Settings
        How it descends.
    """
    if state.status != code.RUNNING or state.t < FIRST or state.t & (state.t - 1) or not looks(kernel, settings):
        return
    seen = state.records[: state.filled]
    late = seen[seen[:, 0] >= state.t // 2, 1]
    if len(late) and float(np.abs(late - state.f).max()) <= STILL * abs(state.f):
        left = remaining(kernel, state)
        found = None if left.settled else corner(kernel, state.x)
        if left.rounded or (found is not None and found.kind.minimal):
            state.status = code.VALUE
        elif left.settled:
            state.status = code.GRADIENT


def looks(kernel: Problem, settings: Settings) -> bool:
    """Tell whether it is looked from time to time whether a run is at rest."""
    return not (settings.gtol < 0 or settings.batch or settings.draws or kernel.n > DENSE)


def next_look(step: int) -> int:
    """Give the step of the next look.

    Parameters
    ----------
    step : int
        The step where a run stands.

    Returns
    -------
    int

    Examples
    --------
    >>> next_look(0), next_look(64), next_look(100)
    (64, 128, 128)
    """
    return max(FIRST, 1 << step.bit_length())
