"""The fitted model at the rows of data, with bands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from symgd import data as data_module
from symgd import language as fm
from symgd.data import Owned, points
from symgd.errors import DataError, safe, suggest
from symgd.language.functions import CONSTANTS
from symgd.objective.formula import Formula, indices

Array = NDArray[np.float64]


class Band(NamedTuple):
    """The model's values and the bounds to both sides, each of the shape of the target."""

    value: Array
    lower: Array
    upper: Array


def on(model: Formula, data: Any, fixed: Mapping[str, float]) -> tuple[Formula, tuple[int, ...]]:
    """Give a model on other data, and the shape of its values.

    Parameters
    ----------
    model : Formula
        The model.
    data : mapping, DataFrame or path
        The columns that it reads.
    fixed : mapping of str to float
        Parameters that keep their values.

    Returns
    -------
    found : Formula
    shape : tuple of int
        One value a row of the data, for a model that does not read them too.

    Raises
    ------
    DataError
        If the data lack a column of the model.
    """
    known = {**data_module.load(data), **fixed}
    used = [name for name in fm.names(model.tree) if name not in model.shapes]
    for name in used:
        if name not in known and name not in CONSTANTS:
            near = suggest(name, list(known))
            hint = f"did you mean '{near}'?" if near else "give it a column"
            plain = safe(fm.unquoted(name) or name)
            raise DataError(f"the model reads '{plain}', and the data have no column of that name; {hint}")
    serving = indices(model.tree)
    points.check_indices(serving, data)
    found = Formula(model.text, model.tree, model.shapes, Owned(known, serving, used))
    lengths = (len(v) for name, v in known.items() if name not in model.shapes and not isinstance(v, float))
    return found, found.shape or (found.rows or max(lengths, default=1),)


def band(found: Formula, shape: tuple[int, ...], x: Array, covariance: Array, width: float, variance: float) -> Band:
    """Give values and bounds.

    Parameters
    ----------
    found : Formula
        The model.
    shape : tuple of int
        That of its values.
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
    value, J = found.residuals.jacobian(x)
    with np.errstate(all="ignore"):
        known = bool(np.isfinite(covariance).all())
        parts = None if known else np.where(J[:, :, None] == 0, 0.0, J[:, :, None] * covariance)
        along = J @ covariance if parts is None else parts.sum(axis=1)
        spread = width * np.sqrt(np.sum(np.where(J == 0, 0.0, along * J), axis=1) + variance)
    value, spread = (np.broadcast_to(a.reshape(found.shape), shape) for a in (value, spread))
    return Band(value.copy(), value - spread, value + spread)
