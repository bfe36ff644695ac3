"""How descents end: one function of arrays, for a run alone as for many at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from symgd.descent.state import GTOL, Vector, fell_for_ever, room
from symgd.kernel import code
from symgd.records import dataclass
from symgd.run import Outcome

OUTCOMES = tuple(Outcome)
CODES = {outcome: place for place, outcome in enumerate(OUTCOMES)}
_STATUSES = {
    code.RUNNING: Outcome.MAX_STEPS,
    code.NOT_FINITE: Outcome.LEFT_DOMAIN,
    code.GRADIENT: Outcome.CONVERGED_GRADIENT,
    code.VALUE: Outcome.CONVERGED_VALUE,
    code.STEP: Outcome.CONVERGED_STEP,
    code.STALLED: Outcome.STALLED,
}
_BY_STATUS = np.array([CODES[_STATUSES[status]] for status in sorted(_STATUSES)], dtype=np.int8)

_UNFINISHED = CODES[Outcome.MAX_STEPS], CODES[Outcome.TIME_LIMIT]

SWING = 10.0  # times wider that values swing at the end of a run that diverges
FAR = 1e3  # times farther away than its start that a run ends which diverges
QUARTERS = 4
LONGEST = 127  # steps between two looks at the values: odd, so that a swing from step to step shows
LEAST = 16  # looks that a run is given at least
SLICE = 1016  # steps from one look to the next at most, where the history is thinned so far
FEW, SOME = 3, 8  # looks from which values are told to rise, and to swing


@dataclass(frozen=True)
class Ends:
    """What is known of descents where they stand.

    Parameters
    ----------
    status, steps : ndarray, shape (k,)
        How the loop ended (0 for not yet), and the steps taken.
    x, g : ndarray, shape (k, n)
        Points, and gradients there.
    f, size : ndarray, shape (k,)
        Values, and norms of the gradients.
    start : ndarray, shape (k, n)
        Where they began; infinite where nobody knows it any more.
    first : ndarray, shape (k,)
        The value at the start.
    peaks, lows : ndarray, shape (k, 4)
        The largest and the smallest value that was looked at in each quarter of the steps.
    looks : ndarray of int, shape (k,)
        How many were looked at.
    """

    status: Vector
    steps: Vector
    x: NDArray[np.float64]
    g: NDArray[np.float64]
    f: Vector
    size: Vector
    start: NDArray[np.float64]
    first: Vector
    peaks: NDArray[np.float64]
    lows: NDArray[np.float64]
    looks: NDArray[np.int64]

    def some(self, rows: NDArray[np.int64]) -> Ends:
        """Give some of them."""
        return Ends(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def outcomes(ends: Ends, steps: int, gtol: float, stopped: Outcome = Outcome.INTERRUPTED) -> NDArray[np.int8]:
    """Say of each descent how it ended.

    Parameters
    ----------
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
    status = ends.status.astype(np.int8)
    running, lost = status == code.RUNNING, status == code.NOT_FINITE
    cut = running & (ends.steps < steps)
    with np.errstate(all="ignore"):
        fell = np.isfinite(ends.f) & fell_for_ever(ends.f, ends.first)
        found = _BY_STATUS[status]
        found[running & _rising(ends)] = CODES[Outcome.DIVERGED]
        if gtol < 0:
            found[~lost & (ends.size <= GTOL)] = CODES[Outcome.CONVERGED_GRADIENT]
        found[cut] = CODES[stopped]
        # Where a test of the loop was met, there is a bottom, however deep.
        found[fell & ~cut & (running | lost | (status == code.STALLED))] = CODES[Outcome.DIVERGED]
        if lost.any():
            rows = np.flatnonzero(lost)
            found[rows[_grew(ends.some(rows))]] = CODES[Outcome.DIVERGED]
    return found


def rested(
    found: NDArray[np.int8], status: Vector, settled: NDArray[np.bool_], rounded: NDArray[np.bool_]
) -> NDArray[np.int8]:  # fmt: skip
    """Say how descents ended in the light of what Newton's step promises: whether they are at rest.

    Parameters
    ----------
    found : ndarray of int8, shape (k,)
        What `outcomes` gave.
    status : ndarray, shape (k,)
        How the loop ended, 0 for not yet.
    settled : ndarray of bool, shape (k,)
        Whether nothing is left to do, as in `symgd.curvature.promise.Promise`.
    rounded : ndarray of bool, shape (k,)
        Whether it is rounding that hides what is left.

    Returns
    -------
    ndarray of int8, shape (k,)
        Places in `OUTCOMES`.
    """
    told = found.copy()
    told[(found == CODES[Outcome.CONVERGED_GRADIENT]) & (status == code.RUNNING) & ~settled] = CODES[Outcome.MAX_STEPS]
    done = np.isin(found, _UNFINISHED) & settled
    told[done] = CODES[Outcome.CONVERGED_GRADIENT]
    told[done & rounded] = CODES[Outcome.CONVERGED_VALUE]
    return told


def far(ends: Ends) -> NDArray[np.bool_]:
    """Tell which points are not finite, or far from where they began."""
    reach = np.abs(ends.x).max(axis=1, initial=0.0)
    begun = np.abs(ends.start).max(axis=1, initial=0.0)
    found: NDArray[np.bool_] = ~np.isfinite(reach) | (reach > FAR * (1.0 + begun))
    return found


def _rising(ends: Ends) -> NDArray[np.bool_]:
    """Tell where values went up and up: steadily, or swinging ever wider."""
    lows, peaks = ends.lows.T, ends.peaks.T  # a few long columns: NumPy's reductions would run along the short rows
    steadily = (lows[-1] > peaks[0]) & (ends.looks >= FEW)
    wider = (ends.looks >= SOME) & (peaks[0] < peaks[1]) & (peaks[1] < peaks[2]) & (peaks[2] < peaks[3])
    lowest = np.minimum(np.minimum(lows[0], lows[1]), np.minimum(lows[2], lows[3]))
    found: NDArray[np.bool_] = steadily | (wider & (peaks[-1] - lowest > SWING * (peaks[0] - lowest)))
    return found


def _grew(ends: Ends) -> NDArray[np.bool_]:
    """Tell where what is not finite comes of growing, and not of a formula that has no value there."""
    whole = np.isfinite(ends.g).all(axis=1)
    high = np.isposinf(ends.f) | (np.isfinite(ends.f) & (np.abs(ends.f) > 10 * np.abs(ends.first) + 1))
    found: NDArray[np.bool_] = (np.isfinite(ends.f) & whole) | ((far(ends) | high) & (ends.steps > 0))
    return found


# ---- looks at the values -------------------------------------------------------------------------------------------


def look_every(n: int, steps: int) -> int:
    """Give the steps from one look at the values to the next.

    Parameters
    ----------
    n : int
        Parameters.
    steps : int
        Steps to take at most.

    Returns
    -------
    int
        An odd number times what the history of so many steps is thinned by, so that a single run looks there too.
    """
    rows, thinned = room(n, steps + 2), 1
    while steps >= (rows - 1) * thinned:
        thinned *= 2
    odd = max(1, min(LONGEST, steps // (LEAST * thinned), SLICE // thinned))
    return (odd - (odd + 1) % 2) * thinned


def look_back(
    step: Vector, value: Vector, last: tuple[int, float], steps: int, every: int
) -> tuple[Vector, Vector, int]:  # fmt: skip
    """Look at recorded values.

    Parameters
    ----------
    step : ndarray, shape (k,)
        The steps that were recorded.
    value : ndarray, shape (k,)
        The values there.
    last : tuple of int and float
        Step and value where the run stands.
    steps : int
        Steps to take at most.
    every : int
        Steps from one look to the next.

    Returns
    -------
    peaks, lows : ndarray, shape (4,)
        The largest and the smallest value in each quarter of the steps.
    looks : int
        How many values were looked at.
    """
    seen = (step % every == 0) & (step < last[0])
    at, values = np.append(step[seen], last[0]).astype(np.int64), np.append(value[seen], last[1])
    quarter = np.clip((QUARTERS * at - 1) // steps, 0, QUARTERS - 1)
    peaks, lows = np.full(QUARTERS, -np.inf), np.full(QUARTERS, np.inf)
    np.fmax.at(peaks, quarter, values)
    np.fmin.at(lows, quarter, values)
    return peaks, lows, len(at)
