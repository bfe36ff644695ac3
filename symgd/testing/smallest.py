"""The smallest problem on which two optimizers part: one parameter before two, small whole numbers first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np

from symgd.testing.adapters.base import Steps
from symgd.testing.causes.recurrence import Observed, Recurrence
from symgd.testing.contract import Bowl, seeded
from symgd.testing.laws.case import listed
from symgd.testing.protocol import Setting
from symgd.testing.report import Counterexample

_CURVATURES = ((2.0,), (4.0,), (20.0,), (2.0, 4.0), (2.0, 20.0), (20.0, 2.0))
_STARTS = (1.0, 2.0, -1.0, 5.0, 50.0)
_STEPS = 12
_VISIBLE = (1e-3, 1e-6, 3e-9)  # differences in terms of the steps: those that a reader sees first


def bowls() -> Iterator[tuple[Bowl, tuple[float, ...]]]:
    """Give quadratics with a start each, the smallest first.

    Yields
    ------
    (Bowl, tuple of float)
    """
    for curvature, at in product(_CURVATURES, _STARTS):
        yield Bowl(curvature), (at, -at / abs(at) * 3.0)[: len(curvature)] if len(curvature) > 1 else (at,)


def where_they_part(
    optimizer: Steps, rule: Recurrence, hyper: Mapping[str, Setting], what: str
) -> Counterexample | None:
    """Find the smallest problem on which an optimizer does not do what a rule does.

    Parameters
    ----------
    optimizer : Steps
        The optimizer.
    rule : Recurrence
        The rule.
    hyper : mapping
        Its numbers, ``lr`` among them.
    what : str
        What the rule is called.

    Returns
    -------
    Counterexample or None
        ``None`` where they do not part visibly.
    """
    lrs: tuple[float | None, ...] = (0.1, 0.5, 0.01) if "lr" in optimizer.settable else (None,)
    cases = [(bowl, start, lr) for lr in lrs for bowl, start in bowls()]
    runs = []
    for bowl, start, lr in cases:
        seeded()
        trace = optimizer.run(bowl, np.array(start), _STEPS, {} if lr is None else {"lr": lr})
        if trace.unable or trace.steps == 0:
            continue
        gradients = np.array([bowl.jac(p) for p in trace.points[:-1]])
        values = np.array([bowl.fun(p) for p in trace.points[:-1]])
        numbers = {**hyper, **({"lr": lr} if lr is not None else {})}
        expected = rule(Observed(trace.points, gradients, values), numbers)[:, 0]
        moved = np.maximum(
            np.abs(np.diff(trace.points, axis=0)).max(axis=1), np.abs(trace.points[1:] - trace.points[0]).max()
        )
        with np.errstate(all="ignore"):
            off = np.abs(expected - trace.points[1:]).max(axis=1) / np.maximum(moved, 1e-300)
        runs.append((bowl, start, lr, trace.points, expected, np.where(np.isfinite(off), off, np.inf)))
    for visible in _VISIBLE:
        for bowl, start, lr, points, expected, off in runs:
            if (off > visible).any():
                k = int(np.argmax(off > visible))
                if not np.isfinite(expected[k]).all():
                    continue
                return _written(bowl, start, lr, points[k + 1], expected[k], k + 1, what)
    return None


def _written(
    bowl: Bowl,
    start: tuple[float, ...],
    lr: float | None,
    found: np.ndarray,
    expected: np.ndarray,
    steps: int,
    what: str,
) -> Counterexample:
    apart = float(np.max(np.abs(found - expected) / np.maximum(np.abs(expected), 1e-300)))
    near = min(10.0 ** np.floor(np.log10(apart / 3)), 1e-3) if np.isfinite(apart) and apart > 0 else 1e-6
    digits = int(np.ceil(-np.log10(near))) + 3
    expected, found = (np.array([float(f"{v:.{digits}g}") for v in x]) for x in (expected, found))
    claim = f"np.allclose(points[-1], {listed(expected)}, rtol={near:.0e}, atol=0)"
    shown = f"{what} goes to {listed(expected)}, yours to {listed(found)}"
    return Counterexample(bowl.formula(), start, steps, {} if lr is None else {"lr": lr}, claim, shown)
