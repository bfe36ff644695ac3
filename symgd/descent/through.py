"""Whether a descent looks at the rows at every step, or once: at their moments, where the objective needs no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symgd.descent.methods import METHODS
from symgd.descent.prepare import AUTO
from symgd.kernel import Kernel

# Evaluations that a run may well need: of a rule, which may take its time, and of a method, which has its end in view.
RULE, METHOD = 1000, 20


def through(kernel: Kernel, options: Mapping[str, Any]) -> Kernel:
    """Give the kernel that a descent uses: one without rows, where its pass over the rows pays.

    It depends on the problem and on what is asked for alone, never on what was asked before.

    Parameters
    ----------
    kernel : Kernel
        The objective.
    options : mapping
        Those of the descent, not yet checked.

    Returns
    -------
    Kernel
    """
    whole, batch = kernel.whole, options.get("batch")
    if batch is not None and not (isinstance(batch, int) and batch >= kernel.rows):
        return whole
    if kernel.moments:
        return kernel
    method = options.get("method", AUTO)
    searches = method in METHODS if isinstance(method, str) else False
    if method == AUTO and not any(options.get(name) is not None for name in ("lr", "batch", "epochs", "shuffle")):
        searches = True
    wanted = options.get("steps") or options.get("epochs")
    most = METHOD if searches else RULE
    steps = wanted if isinstance(wanted, int) else most
    exact = not searches and options.get("lr") is not None and not any(options.get(t) for t in ("gtol", "ftol", "xtol"))
    return whole.reduced(steps if exact else min(steps, most)) or whole
