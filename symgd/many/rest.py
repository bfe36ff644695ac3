"""Whether starts among many have come to rest: what `symgd.descent.rest` asks of one run, of many at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from symgd.curvature import DENSE, Promises, corner, promise, promises
from symgd.descent import Settings
from symgd.descent.account import judged
from symgd.descent.outcomes import CODES, OUTCOMES, Ends, outcomes, rested
from symgd.descent.rest import FADED, FIRST, PATIENT, STILL, finer, looks, next_look, refines
from symgd.kernel import Kernel, code
from symgd.many.lanes import Batch
from symgd.many.stacks import NUMBERS, hessians, slopes
from symgd.run import Outcome

Places = NDArray[np.int64]

_UNSURE = [CODES[o] for o in (Outcome.CONVERGED_GRADIENT, Outcome.MAX_STEPS, Outcome.TIME_LIMIT, Outcome.STALLED)]


def next_stop(kernel: Kernel, settings: Settings, step: int) -> int:
    """Give the step up to which starts may go before it is looked whether they are at rest.

    Parameters
    ----------
    kernel : Kernel
        The objective.
    settings : Settings
        How they descend.
    step : int
        Where they stand.

    Returns
    -------
    int
    """
    if not looks(kernel, settings):
        return settings.steps
    half = FIRST // 2  # the first look is at what has happened since
    return half if step < half else next_look(step)


def refined(kernel: Kernel, settings: Settings, batch: Batch, starts: NDArray[np.float64], rows: Places) -> Places:
    """Let those that met the gradient's tolerance too early go on with a finer one; tell which.

    Parameters
    ----------
    kernel : Kernel
        The objective.
    settings : Settings
        How they descend.
    batch : Batch
        Where they stand; status and tolerance are changed.
    starts : ndarray, shape (k, n)
        Where they began.
    rows : ndarray of int
        Those that are asked about.

    Returns
    -------
    ndarray of int
    """
    if not refines(settings.gtol):
        return rows[:0]
    rows = rows[(batch.status[rows] == code.GRADIENT) & (batch.steps[rows] < settings.steps)]
    size = np.linalg.norm(batch.g[rows], axis=1)
    faded = (batch.steps[rows] >= PATIENT) & (size <= FADED * np.sqrt(batch.steepest[rows]))
    rows, size = rows[~faded], size[~faded]
    left = remaining(kernel, batch.x[rows], batch.f[rows], batch.g[rows], starts[rows], batch.steepest[rows])
    wanted = finer(size, left.share)
    on = ~left.settled & (wanted > 0.0) & (wanted < size)
    again: Places = rows[on]
    batch.status[again] = code.RUNNING
    batch.gtol[again] = wanted[on] * wanted[on]
    return again


def look(
    kernel: Kernel, settings: Settings, batch: Batch, starts: NDArray[np.float64], rows: Places, step: int
) -> None:  # fmt: skip
    """End those that are at rest though their tolerance is too fine for the objective's units.

    Parameters
    ----------
    kernel : Kernel
        The objective.
    settings : Settings
        How they descend.
    batch : Batch
        Where they stand; the status is changed.
    starts : ndarray, shape (k, n)
        Where they began.
    rows : ndarray of int
        Those that are asked about.
    step : int
        Where these stand.
    """
    if not looks(kernel, settings) or step < FIRST // 2 or step & (step - 1):
        return
    rows = rows[batch.status[rows] == code.RUNNING]
    f = batch.f[rows]
    if step >= FIRST:
        still = np.maximum(batch.highest[rows] - f, f - batch.lowest[rows]) <= STILL * np.abs(f)
        calm = rows[still]
        left = remaining(kernel, batch.x[calm], batch.f[calm], batch.g[calm], starts[calm], batch.steepest[calm])
        kinks = np.zeros(len(calm), dtype=np.bool_)
        for place in [] if kernel.smooth else np.flatnonzero(~left.settled).tolist():
            found = corner(kernel, batch.x[calm[place]])
            kinks[place] = found is not None and found.kind.minimal
        batch.status[calm[left.settled]] = code.GRADIENT
        batch.status[calm[left.rounded | kinks]] = code.VALUE
    batch.highest[rows] = batch.lowest[rows] = f


def remaining(
    kernel: Kernel, x: NDArray[np.float64], f: NDArray[np.float64], g: NDArray[np.float64],
    starts: NDArray[np.float64], steepest: NDArray[np.float64],
) -> Promises:  # fmt: skip
    """Tell what Newton's steps still promise.

    Parameters
    ----------
    kernel : Kernel
        The objective.
    x : ndarray, shape (k, n)
        The points.
    f : ndarray, shape (k,)
        The values there.
    g : ndarray, shape (k, n)
        The gradients there.
    starts : ndarray, shape (k, n)
        Where the descents began; infinite where nobody knows it any more.
    steepest : ndarray, shape (k,)
        Squares of the largest norms of gradients on the ways.

    Returns
    -------
    Promises
    """
    known = np.asarray(np.isfinite(starts).all(axis=1))
    parts: list[Promises] = []
    for rows in _chunks(len(x), kernel.n):
        if kernel.n > DENSE or not kernel.curved:
            each = [
                promise(kernel, x[i], f[i], g[i], starts[i] if known[i] else None, math.sqrt(steepest[i]))
                for i in range(rows.start, rows.stop)
            ]
            parts.append(Promises(*(np.array(column) for column in zip(
                *((p.gain, p.share, p.settled, p.rounded) for p in each), strict=True))))  # fmt: skip
            continue
        way = np.where(known[rows, None], x[rows] - starts[rows], x[rows])
        parts.append(promises(x[rows], f[rows], g[rows], way, hessians(kernel, x[rows]), partial(slopes, kernel)))
    if not parts:
        parts = [Promises(np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.bool_), np.zeros(0, dtype=np.bool_))]
    return Promises(*(np.concatenate([getattr(p, name) for p in parts]) for name in Promises.__dataclass_fields__))


def _chunks(count: int, n: int) -> Iterator[slice]:
    """Give ranges of points whose Hessians may be held together."""
    size = max(1, NUMBERS // (n * n))
    for low in range(0, count, size):
        yield slice(low, min(low + size, count))


def told(kernel: Kernel, ends: Ends, steps: int, gtol: float, stopped: Outcome) -> NDArray[np.int8]:
    """Say of each start how it ended, as the account of a single run says it.

    Parameters
    ----------
    kernel : Kernel
        The objective.
    ends : Ends
        Where they stand.
    steps : int
        The steps that they were to take at most.
    gtol : float
        The tolerance of the gradient's norm; negative for none.
    stopped : Outcome
        What ended those that were not done.

    Returns
    -------
    ndarray of int8, shape (k,)
        Places in `OUTCOMES`.
    """
    found = outcomes(ends, steps, gtol, stopped)
    unsure = np.isin(found, _UNSURE) & np.isfinite(ends.f) & np.isfinite(ends.size)
    unsure &= (found != CODES[Outcome.CONVERGED_GRADIENT]) | (ends.status == code.RUNNING)
    rows = np.flatnonzero(unsure)
    some = ends.some(rows)
    left = remaining(kernel, some.x, some.f, some.g, some.start, some.size**2)
    found[rows] = rested(found[rows], some.status, left.settled, left.rounded)
    for place, row in enumerate(rows.tolist()):
        outcome = OUTCOMES[found[row]]
        # Of what is smooth and has not stalled, the point's kind changes nothing.
        if outcome.converged or (kernel.smooth and outcome != Outcome.STALLED):
            continue
        start = some.start[place] if np.isfinite(some.start[place]).all() else None
        _, outcome, _ = judged(
            kernel, some.x[place], float(some.f[place]), some.g[place], start, outcome, "", left.at(place)
        )
        found[row] = CODES[outcome]
    return found
