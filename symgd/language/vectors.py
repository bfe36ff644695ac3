"""Every function of the table on NumPy's arrays of float64, with the meaning that it has on plain floats.

Where the row's own NumPy text needs nothing but NumPy it is taken as it stands; where NumPy has the function, its name
is. What is left, the few that SciPy has and the series, is computed number by number by `symgd.language.scalar`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from symgd.language import quotients, scalar
from symgd.language.functions import FUNCTIONS

Array = NDArray[np.float64]
Vector = Callable[..., Array]

# Truth values, which arithmetic takes as 1 and 0.
CONDITIONS = (
    "greater", "greater_equal", "less", "less_equal", "equal", "not_equal", "logical_and", "logical_or", "logical_not",
)  # fmt: skip
# Series and branches in which a text of NumPy's would have too few digits.
_BY_NUMBER = {*quotients.SHARED, "boxcox", "boxcoxslope", "boxcoxbend", "sincslope", "sinc", "floor_divide", "mod"}


def _sigmoid(a: Array) -> Array:
    small = np.exp(-np.abs(a))
    return np.where(a >= 0, 1.0, small) / (1.0 + small)


def _softplus(a: Array) -> Array:
    return np.maximum(a, 0.0) + np.log1p(np.exp(-np.abs(a)))


def _logit(a: Array) -> Array:
    return np.where((a > 0.25) & (a < 0.75), 2.0 * np.arctanh(2.0 * a - 1.0), np.log(a) - np.log1p(-a))


def _rel_entr(a: Array, b: Array) -> Array:
    inside = np.where((a == 0) & (b >= 0), 0.0, np.where((a > 0) & (b > 0), a * np.log(a / b), np.inf))
    return np.where(np.isnan(a) | np.isnan(b), np.nan, inside)


def _weighted(a: Array, b: Array) -> Array:
    half = np.exp(0.5 * b)
    return np.where(a == 0, 0.0, np.where(np.abs(b) < 700, a * np.exp(b), a * half * half))


def _relu(a: Array) -> Array:
    return np.where(a <= 0, 0.0, a)


def _xlogy(a: Array, b: Array) -> Array:
    return np.where(a == 0, 0.0, a * np.log(b))


def _xlog1py(a: Array, b: Array) -> Array:
    return np.where(a == 0, 0.0, a * np.log1p(b))


OWN: dict[str, Vector] = {
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "logit": _logit,
    "rel_entr": _rel_entr,
    "weighted": _weighted,
    "relu": _relu,
    "xlogy": _xlogy,
    "xlog1py": _xlog1py,
}


@cache
def vector(name: str) -> Vector:
    """Give a function of the table as one of arrays.

    Parameters
    ----------
    name : str
        The name of a row of elementwise functions.

    Returns
    -------
    callable
        Takes arrays of float64, or numbers, that NumPy can broadcast. Truth values are bools. Warnings of NumPy's are
        the caller's to silence.

    Examples
    --------
    >>> vector("sigmoid")(np.array([0.0, 1000.0]))
    array([0.5, 1. ])
    """
    row = FUNCTIONS[name]
    if name in OWN:
        return OWN[name]
    if not is_whole(name):
        return _by_number(name)
    if is_ufunc(name):
        return getattr(np, name)  # type: ignore[no-any-return]
    found: Vector = eval(f"lambda {', '.join('abc'[: row.most])}: {row.numpy}", {"np": np})  # noqa: S307 - the table's own text
    return found


def is_whole(name: str) -> bool:
    """Tell whether a function is computed for whole arrays, and not number by number."""
    return name in OWN or not (name in _BY_NUMBER or "special." in FUNCTIONS[name].numpy)


def is_ufunc(name: str) -> bool:
    """Tell whether NumPy has a function under its name in the table."""
    row = FUNCTIONS[name]
    own = name in OWN or name in _BY_NUMBER
    return not own and row.numpy == f"np.{name}({', '.join('abc'[: row.most])})" and hasattr(np, name)


def _by_number(name: str) -> Vector:
    function = np.frompyfunc(lambda *a: scalar.evaluate(name, [float(x) for x in a]), FUNCTIONS[name].least, 1)
    return lambda *a: np.asarray(function(*a), dtype=np.float64)
