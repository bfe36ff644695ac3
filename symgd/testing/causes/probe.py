"""Gradients that tell optimizers apart, and where an optimizer goes on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.testing.adapters.base import Steps
from symgd.testing.causes.recurrence import Observed
from symgd.testing.protocol import Setting

Array = NDArray[np.float64]

STEPS = 24
START = np.array([1.0, -2.0, 3.0, 0.0, 0.5, -1.5, 40.0, 0.125])
# From large to so small that eps counts, wherever it stands.
_SIZES = np.array([1.0, 3.0, 0.1, 1e-2, 1e-3, 1e-5, 10.0, 1e-8])


class Script:
    """A problem whose gradients are given, whatever the point is.

    Parameters
    ----------
    gradients : ndarray of shape (m, n)
        One after the other; then the last again and again.
    values : ndarray of shape (m,), optional
        Likewise.
    """

    def __init__(self, gradients: Array, values: Array | None = None) -> None:
        self.gradients = gradients
        self.values = np.linspace(2, 1, len(gradients)) if values is None else values
        self.asked = 0

    def fun(self, x: Any) -> float:  # noqa: ARG002 - it is given
        """Give the value of this step."""
        return float(self.values[min(self.asked, len(self.values) - 1)])

    def jac(self, x: Any) -> Array:  # noqa: ARG002 - likewise
        """Give the next gradient."""
        g = self.gradients[min(self.asked, len(self.gradients) - 1)]
        self.asked += 1
        return np.array(g)


def gradients(seed: int = 0) -> Array:
    """Give gradients of all sizes, with signs that stay and signs that change, and one that is 0.

    Parameters
    ----------
    seed : int
        Of the draws.

    Returns
    -------
    ndarray of shape (24, 8)
    """
    random = np.random.default_rng(seed)
    drawn = random.normal(size=(STEPS, len(_SIZES))) + 0.7 * random.choice([-1, 1], len(_SIZES))
    drawn[5, 3] = 0.0
    drawn[STEPS // 2 :] *= 0.02  # so that averages of squares fall as well as rise
    return np.asarray(drawn * _SIZES)


def observe(
    optimizer: Steps, settings: Mapping[str, Setting], seed: int = 0, start: Array = START, factor: float = 1.0
) -> Observed | str:
    """Run an optimizer on them.

    Parameters
    ----------
    optimizer : Steps
        What takes the steps.
    settings : mapping
        Its settings.
    seed : int
        Of the gradients.
    start : ndarray of shape (8,)
        Where it starts.
    factor : float
        What the gradients are multiplied by.

    Returns
    -------
    Observed or str
        A clause where it cannot be run, or ends before the fourth step.
    """
    script = Script(factor * gradients(seed))
    trace = optimizer.run(script, start, STEPS, settings)
    if trace.unable:
        return trace.unable
    if script.asked != trace.steps and not trace.ended:
        return f"it asked for {script.asked} gradients in {trace.steps} steps"
    if trace.steps < 4 or not np.isfinite(trace.points).all():
        return trace.ended or "the point is not finite"
    return Observed(trace.points, script.gradients[: trace.steps], script.values[: trace.steps])
