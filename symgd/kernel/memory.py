"""What was computed last, kept: the account of a run asks again for what the run, and its own parts, have asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Numbers = tuple[float, ...]
Found = tuple[Numbers, Vector | None]

# Points that are kept of each function; a Hessian is large.
POINTS = {"value": 64, "slope": 8, "curvature": 4}
SIZE = 2048  # parameters, at most


class Memory:
    """Keeps the last results of an objective's functions, by the bits of the point.

    Examples
    --------
    >>> memory = Memory()
    >>> memory.recall("value", "python", np.zeros(2), lambda: ((7.0,), None))
    ((7.0,), None)
    >>> memory.recall("value", "python", np.zeros(2), lambda: ((8.0,), None))
    ((7.0,), None)
    """

    def __init__(self) -> None:
        self._found: dict[str, dict[tuple[str, bytes], Found]] = {name: {} for name in POINTS}
        self._lock = threading.Lock()

    def recall(self, name: str, tier: str, x: Vector, compute: Callable[[], Found]) -> Found:
        """Give what a function gave at a point, or compute it.

        Parameters
        ----------
        name : str
            The function.
        tier : str
            Which tier computes it: the last bits are its own.
        x : ndarray, shape (n,)
            The point.
        compute : callable
            Gives the result: numbers, and an array or ``None``.

        Returns
        -------
        tuple
            Of numbers, and an array that nobody may change.
        """
        known, key = self._found.get(name), (tier, x.tobytes())
        if known is None:
            return compute()
        with self._lock:
            found = known.pop(key, None)
        if found is None:
            found = compute()
        with self._lock:
            known[key] = found  # last
            if len(known) > POINTS[name]:
                del known[next(iter(known))]
        return found
