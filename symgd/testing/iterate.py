"""Where an optimizer goes on a formula."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd import checks
from symgd.errors import UsageError
from symgd.objective import Objective
from symgd.testing.adapters import Steps, adapt
from symgd.testing.protocol import Setting


def iterates(
    optimizer: Any, objective: str | Objective, start: Any, steps: int = 10, *, state: Any = None,
    hyper: Mapping[str, Any] | None = None, **settings: Setting,
) -> NDArray[np.float64]:  # fmt: skip
    """Run an optimizer of any kind on a formula.

    Parameters
    ----------
    optimizer : object
        As for `check_optimizer`, like ``state`` and ``hyper``.
    objective : str or Objective
        A formula of single numbers.
    start : array of shape (n,)
        A value for each of them, in the order in which they stand there.
    steps : int
        How many steps to take, at least 0.
    state : object, optional
        What a step keeps before the first one.
    hyper : mapping, optional
        Numbers of the optimizer.
    **settings : float or str
        ``lr`` and hyperparameters that are set for this run, by the names of the table of rules.

    Returns
    -------
    ndarray of shape (steps + 1, n)
        The start, and the point after each step; fewer where the optimizer ends earlier.

    Raises
    ------
    UsageError
        If it cannot be run like this.

    Examples
    --------
    >>> iterates("momentum", "x**2", start=[1], steps=2, lr=0.25)[:, 0]
    array([ 1. ,  0.5, -0.2])
    >>> iterates(lambda x, g: x - 0.25 * g, "x**2", start=[1], steps=2)[:, 0]
    array([1.  , 0.5 , 0.25])
    """
    checks.whole("steps", steps)
    f = Objective(objective) if isinstance(objective, str) else objective
    adapted = optimizer if isinstance(optimizer, Steps) else adapt(optimizer, hyper, state=state)
    trace = adapted.run(f, np.atleast_1d(np.array(start, dtype=float)), steps, settings)
    if trace.unable:
        raise UsageError(f"{adapted.name} cannot be run: {trace.unable}")
    return trace.points
