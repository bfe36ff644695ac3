"""Symmetries of optimizers that treat all parameters alike: looked at, and held against those alone that claim them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from symgd.testing.adapters.base import Steps
from symgd.testing.causes.probe import START, Script, gradients
from symgd.testing.contract import HOLDS, Array, Duty, Outcome, seeded
from symgd.testing.laws.case import Answer
from symgd.testing.protocol import Setting


def _moved(optimizer: Steps, settings: Mapping[str, Setting], g: Array, start: Array) -> Array | None:
    seeded()
    trace = optimizer.run(Script(g), start, len(g), settings)
    bad = trace.unable or trace.steps < len(g) or not np.isfinite(trace.points).all()
    return None if bad else trace.points


def _close(a: Array, b: Array, rounding: float) -> bool:
    size = max(float(np.abs(a).max()), float(np.abs(b).max()))
    steps = np.abs(np.diff(a, axis=0)).max(initial=0.0)
    return bool(np.abs(a - b).max() <= 1e-6 * steps + 1e3 * rounding * size)


def _permutation(optimizer: Steps, settings: Mapping[str, Setting]) -> Outcome:
    g, order = gradients(), np.array([3, 1, 0, 2, 7, 4, 6, 5])
    a, b = _moved(optimizer, settings, g, START), _moved(optimizer, settings, g[:, order], START[order])
    return _compared(a, b, lambda p: p[:, order], optimizer)


def _mirror(optimizer: Steps, settings: Mapping[str, Setting]) -> Outcome:
    signs = np.array([1.0, -1, -1, 1, -1, 1, -1, -1])
    a, b = (_moved(optimizer, settings, gradients() * s, START * s) for s in (np.ones(8), signs))
    return _compared(a, b, lambda p: p * signs, optimizer)


def _shift(optimizer: Steps, settings: Mapping[str, Setting]) -> Outcome:
    a, b = (_moved(optimizer, settings, gradients(), START + by) for by in (0.0, 2.0))
    return _compared(a, b, lambda p: p + 2.0, optimizer)


def _compared(a: Array | None, b: Array | None, change: Callable[[Array], Array], optimizer: Steps) -> Outcome:
    if a is None or b is None:
        return Outcome(Answer.UNDECIDED, "it cannot be run on gradients that are given")
    if _close(change(a), b, optimizer.rounding):
        return HOLDS
    return Outcome(Answer.UNDECIDED, "it does not; nothing says that it should")


SYMMETRIES = (
    Duty("permutation", "parameters in another order go the same way", _permutation),
    Duty("mirror", "mirrored parameters go the mirrored way", _mirror),
    Duty("translation", "the point itself does not matter, only the gradients do", _shift),
)
