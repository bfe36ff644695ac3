"""The objective's values on a line or a grid of points."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symgd.kernel import Kernel

if TYPE_CHECKING:
    from symgd.objective import Objective

    Field: TypeAlias = Objective | Kernel  # what has values over its parameters

Values = NDArray[np.float64]

_ROWS = 20_000_000  # rows that a picture may read in all
_QUICK = 800_000  # and may read in well under a second
_USUAL, _FINEST = 60, 121  # points along each axis of a grid when every point means a pass over the data
_COARSEST = 16  # fewer show no landscape


def side(objective: Field, free: int, *, plain: bool = True) -> int:
    """Give the number of points along each axis that a picture can afford.

    Parameters
    ----------
    objective : Objective or Kernel
        The objective.
    free : int
        How many axes, dimensionless.
    plain : bool
        Whether the axes are the parameters, so that NumPy can do all points at once.

    Returns
    -------
    int
        0 when the data are too many for any picture of the landscape.
    """
    rows = max((len(c) for c in objective.data.values() if isinstance(c, np.ndarray)), default=0)
    if not objective.columns or rows == 0:
        quick = plain and not isinstance(objective, Kernel)
        return 801 if free == 1 else 241 if quick else _FINEST
    affordable = int((_ROWS / rows) ** (1 / free))
    if affordable < _COARSEST:
        return 0
    wanted = 401 if free == 1 else min(_FINEST, max(_USUAL, int(math.sqrt(_QUICK / rows))))
    return min(affordable, wanted)


def values(objective: Field, points: dict[str, Values]) -> Values:
    """Evaluate the objective at many points.

    Parameters
    ----------
    objective : Objective or Kernel
        The objective.
    points : dict of str to ndarray
        A value of each parameter at each point, all of one shape.

    Returns
    -------
    ndarray
        Values of that shape; nan where the objective is not finite.
    """
    columns = np.broadcast_arrays(*(points[p] for p in objective.names))
    if not isinstance(objective, Kernel) and objective.names == objective.params:
        found = objective.value(dict(zip(objective.params, columns, strict=True)))
        return np.where(np.isfinite(found), found, math.nan)
    flat = np.stack([c.ravel() for c in columns], axis=1).astype(np.float64)
    return one_by_one(objective, flat).reshape(columns[0].shape)


def one_by_one(objective: Field, points: Values) -> Values:
    """Evaluate the objective at points, one after the other.

    Parameters
    ----------
    objective : Objective or Kernel
        The objective.
    points : ndarray, shape (m, n)
        The points.

    Returns
    -------
    ndarray, shape (m,)
        The values; nan where the objective is not finite.
    """
    # A kernel of its own: what a picture evaluates must not count towards the tier of what the user evaluates.
    kernel = objective if isinstance(objective, Kernel) else objective.model.kernel(objective.tier, objective.workers)
    with np.errstate(all="ignore"):
        found = kernel.sign * np.array([kernel.value(np.ascontiguousarray(point)) for point in points])
    return np.where(np.isfinite(found), found, math.nan)
