"""Inverse, determinant and adjugate of a matrix in NumPy's arrays, of floats or of numbers of many digits.

Elimination is with partial pivoting, as in generated code; a matrix without an inverse has nan for one.

Golub and Van Loan, Matrix Computations, 4th ed. 2013, sections 3.4 and 3.1.2.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

COFACTORS = 16  # rows up to which the adjugate is made of cofactors, and is right where there is no inverse


def function(name: str, matrix: NDArray[Any]) -> Any:
    """Give a function of a matrix of floats, or of numbers of many digits.

    Parameters
    ----------
    name : str
        As in `symgd.graph.Matrix`.
    matrix : ndarray of shape (n, n)
        The matrix; of objects for many digits.

    Returns
    -------
    number or ndarray of shape (n, n)
    """
    n = len(matrix)
    if name == "adjugate" and n <= COFACTORS:
        found = np.empty_like(matrix)
        for row in range(n):
            for column in range(n):
                minor = np.delete(np.delete(matrix, row, 0), column, 1)
                found[column, row] = (-1) ** (row + column) * function("det", minor)
        return found
    upper, inverse, sign = _eliminated(matrix)
    pivots = np.diagonal(upper)
    if name == "detsign":
        return sign
    if name in ("logabsdet", "logdet"):
        return sum(_log(abs(p)) for p in pivots) if name == "logabsdet" or sign >= 0 else math.nan
    value = sign * abs(np.prod(pivots))
    if name == "det":
        return value
    if sign == 0 or sign != sign:  # noqa: PLR0124
        return matrix * math.nan
    for k in range(n - 1, -1, -1):
        inverse[k] = (inverse[k] - upper[k, k + 1 :] @ inverse[k + 1 :]) / upper[k, k]
    return inverse * value if name == "adjugate" else inverse


def _eliminated(matrix: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], Any]:
    n = len(matrix)
    upper, right = matrix.copy(), np.eye(n) + matrix * 0
    sign: float = 1
    for k in range(n):
        at = max(range(k, n), key=lambda i: abs(upper[i, k]))
        if at != k:
            upper[[k, at]], right[[k, at]], sign = upper[[at, k]], right[[at, k]], -sign
        if upper[k, k] == 0:
            return upper, right, 0
        sign = sign if upper[k, k] > 0 else -sign if upper[k, k] < 0 else math.nan
        for i in range(k + 1, n):
            factor = upper[i, k] / upper[k, k]
            upper[i, k + 1 :] -= factor * upper[k, k + 1 :]
            right[i] -= factor * right[k]
    return upper, right, sign


def _log(number: Any) -> Any:
    if hasattr(number, "context"):
        return number.context.log(number)
    return math.log(number) if number > 0 else number or -math.inf
