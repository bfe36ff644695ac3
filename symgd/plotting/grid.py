"""The objective's values on a line or a grid of points."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symgd.graph import Const, Leaf, Map, reachable
from symgd.graph.tape import Tape

if TYPE_CHECKING:
    from symgd.objective import Objective

Values = NDArray[np.float64]

_ROWS = 20_000_000  # rows that a picture may read in all
_QUICK = 800_000  # and may read in well under a second
_USUAL, _FINEST = 60, 121  # points along each axis of a grid when every point means a pass over the data
_COARSEST = 16  # fewer show no landscape


def side(objective: Objective, free: int) -> int:
    """Give the number of points along each axis that a picture can afford.

    Parameters
    ----------
    objective : Objective
        The objective.
    free : int
        How many axes, dimensionless.

    Returns
    -------
    int
        0 when the data are too many for any picture of the landscape.
    """
    rows = max((len(c) for c in objective.data.values() if isinstance(c, np.ndarray)), default=0)
    if not objective.columns or rows == 0:
        return 801 if free == 1 else 241
    affordable = int((_ROWS / rows) ** (1 / free))
    if affordable < _COARSEST:
        return 0
    wanted = 401 if free == 1 else min(_FINEST, max(_USUAL, int(math.sqrt(_QUICK / rows))))
    return min(affordable, wanted)


def values(objective: Objective, points: dict[str, Values]) -> Values:
    """Evaluate the objective at many points.

    Parameters
    ----------
    objective : Objective
        The objective.
    points : dict of str to ndarray
        A value of each parameter at each point, all of one shape.

    Returns
    -------
    ndarray
        Values of that shape; nan where the objective is not finite.
    """
    found = _at_once(objective, points) if not objective.columns else None
    if found is None:
        found = _one_by_one(objective, points)
    return np.where(np.isfinite(found), found, math.nan)


def _at_once(objective: Objective, points: dict[str, Values]) -> Values | None:
    """Let NumPy do all points together; ``None`` for a formula with sums over an axis of its own."""
    nodes = reachable([objective.root])
    if not all(isinstance(n, Const | Map) or (isinstance(n, Leaf) and not n.table and not n.labels) for n in nodes):
        return None
    known: dict[str, Any] = {**points, "pi": math.pi, "e": math.e}
    value = Tape([objective.root], objective.data).at(known)[objective.root]
    shape = np.broadcast_shapes(*(p.shape for p in points.values()))
    return np.broadcast_to(np.asarray(value, dtype=np.float64), shape)


def _one_by_one(objective: Objective, points: dict[str, Values]) -> Values:
    # A kernel of its own: what a picture evaluates must not count towards the tier of what the user evaluates.
    kernel = objective.model.kernel(objective.tier, objective.workers)
    columns = np.broadcast_arrays(*(points[p] for p in objective.names))
    flat = np.stack([c.ravel() for c in columns], axis=1).astype(np.float64)
    with np.errstate(all="ignore"):
        found = np.array([kernel.value(np.ascontiguousarray(point)) for point in flat])
    return found.reshape(columns[0].shape)
