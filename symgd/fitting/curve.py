"""The fitted model at the rows of data, with bands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from symgd import data as data_module
from symgd import language as fm
from symgd.data import Data
from symgd.errors import DataError, safe, suggest
from symgd.fitting.problem import enclosed
from symgd.language.functions import CONSTANTS
from symgd.objective import Objective
from symgd.objective.model import row_count
from symgd.squares import Squares, squares

Array = NDArray[np.float64]


class Band(NamedTuple):
    """The model's values and the bounds to both sides, each of the shape of the target."""

    value: Array
    lower: Array
    upper: Array


def curve(model: str, shapes: Mapping[str, tuple[int, ...]], data: Any) -> tuple[Squares, tuple[int, ...]]:
    """Give a model's values as residuals from 0, and the shape that they have.

    Parameters
    ----------
    model : str
        The model's formula.
    shapes : mapping of str to tuple of int
        Its parameters.
    data : mapping, DataFrame or path
        The columns that it reads.

    Returns
    -------
    found : Squares
    shape : tuple of int
        One value a row of the data, for a model that does not read them too.

    Raises
    ------
    DataError
        If the data lack a column of the model.
    """
    known: Data = dict(data_module.load(data))
    tree = fm.parse(model, declared={*shapes, *known})
    for name in fm.names(tree):
        if name not in shapes and name not in known and name not in CONSTANTS:
            near = suggest(name, list(known))
            hint = f"did you mean '{near}'?" if near else "give it a column"
            raise DataError(f"the model reads '{safe(name)}', and the data have no column of that name; {hint}")
    zero = "zero"
    while zero in known or zero in shapes:
        zero += "_"
    columns = {name: values for name, values in known.items() if name not in shapes}
    objective = Objective(f"sum(({enclosed(model)} - {zero})**2)", {**columns, zero: 0.0}, dict(shapes))
    graph, root = objective.model.plain
    found = squares(graph, root, objective.model.shapes, objective.data)
    assert found is not None
    rows = row_count(tree, columns) or max((len(v) for v in columns.values() if not isinstance(v, float)), default=1)
    return found, found.shape or (rows,)


def band(found: Squares, shape: tuple[int, ...], x: Array, covariance: Array, width: float, variance: float) -> Band:
    """Give values and bounds.

    Parameters
    ----------
    found : Squares
        As `curve` gives it.
    shape : tuple of int
        Likewise.
    x : ndarray, shape (n,)
        The parameters.
    covariance : ndarray, shape (n, n)
        Theirs.
    width : float
        How many standard errors the bounds are away.
    variance : float
        Of a single observation, besides that of the model's value; 0 for a band around the curve.

    Returns
    -------
    Band
    """
    value, J = found.jacobian(x)
    with np.errstate(all="ignore"):
        parts = np.where(J == 0, 0.0, J[:, :, None] * covariance) if not np.isfinite(covariance).all() else None
        along = J @ covariance if parts is None else parts.sum(axis=1)
        spread = width * np.sqrt(np.sum(np.where(J == 0, 0.0, along * J), axis=1) + variance)
    value, spread = (np.broadcast_to(a.reshape(found.shape), shape) for a in (value, spread))
    return Band(value.copy(), value - spread, value + spread)
