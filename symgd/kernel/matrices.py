"""Inverse, determinant and adjugate of a small matrix: in lists and compiled, and in NumPy's arrays of any numbers.

Both eliminate with partial pivoting, as LAPACK's ``getrf`` does. A matrix without an inverse has nan for one: that is
numerical trouble, which a run reports, and no exception. The first three functions are compiled by Numba as they stand;
they work in the generated code's memory, where matrices lie row after row.

Golub and Van Loan, Matrix Computations, 4th ed. 2013, sections 3.4 and 3.1.2.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.kernel.code.matrices import COFACTORS

NAMES = ("eliminated", "matrix_inverse", "matrix_adjugate")  # in the order in which they call each other


def eliminated(m: Any, work: int, n: int, right: int, columns: int) -> tuple[float, float]:
    """Bring the matrix at ``work`` into upper triangular form, and do the same to the rows of ``right``.

    Parameters
    ----------
    m : list or ndarray
        The memory.
    work : int
        Where the matrix is.
    n : int
        Its rows.
    right : int
        Where a matrix of as many rows is.
    columns : int
        The columns of that; 0 for none.

    Returns
    -------
    sign, logarithm : float
        Of the determinant; 0 and -inf where a pivot is 0, and what follows is left as it is.
    """
    sign, total = 1.0, 0.0
    for k in range(n):
        at, largest = k, abs(m[work + k * n + k])
        for i in range(k + 1, n):
            size = abs(m[work + i * n + k])
            if size > largest:
                at, largest = i, size
        if at != k:
            sign = -sign
            for j in range(n):
                m[work + k * n + j], m[work + at * n + j] = m[work + at * n + j], m[work + k * n + j]
            for j in range(columns):
                here, there = right + k * columns + j, right + at * columns + j
                m[here], m[there] = m[there], m[here]
        pivot = m[work + k * n + k]
        if pivot == 0.0:
            return 0.0, -math.inf
        if pivot < 0.0:
            sign = -sign
        total += math.log(abs(pivot)) if largest < math.inf else largest
        for i in range(k + 1, n):
            factor = m[work + i * n + k] / pivot
            if factor != 0.0:
                for j in range(k + 1, n):
                    m[work + i * n + j] -= factor * m[work + k * n + j]
                for j in range(columns):
                    m[right + i * columns + j] -= factor * m[right + k * columns + j]
    return sign if total == total else total, total  # noqa: PLR0124 - nan


def matrix_inverse(m: Any, place: int, down: int, right: int, n: int, out: int) -> None:
    """Invert a matrix.

    To ``out`` go sign, logarithm of the size, value and logarithm of its determinant, and behind them its inverse.

    Parameters
    ----------
    m : list or ndarray
        The memory.
    place : int
        Where the matrix is.
    down : int
        How far apart neighbours in a column are.
    right : int
        How far apart neighbours in a row are.
    n : int
        Its rows.
    out : int
        Where ``4 + 2*n*n`` numbers have room.
    """
    inverse, work = out + 4, out + 4 + n * n
    for i in range(n):
        for j in range(n):
            m[work + i * n + j] = m[place + i * down + j * right]
            m[inverse + i * n + j] = 1.0 if i == j else 0.0
    sign, total = eliminated(m, work, n, inverse, n)
    m[out], m[out + 1] = sign, total
    m[out + 3] = total if sign >= 0.0 else math.nan
    if sign == 0.0 or sign != sign:  # noqa: PLR0124
        m[out + 2] = sign
        for i in range(n * n):
            m[inverse + i] = math.nan
        return
    value = 1.0
    for k in range(n):
        value *= m[work + k * n + k]
    value = sign * abs(value)
    if value == 0.0 or abs(value) == math.inf:  # on the way only, perhaps
        value = sign * (math.exp(total) if total < 709.78 else math.inf)
    m[out + 2] = value
    for k in range(n - 1, -1, -1):
        for i in range(k + 1, n):
            factor = m[work + k * n + i]
            for j in range(n):
                m[inverse + k * n + j] -= factor * m[inverse + i * n + j]
        for j in range(n):
            m[inverse + k * n + j] /= m[work + k * n + k]


def matrix_adjugate(m: Any, place: int, down: int, right: int, n: int, out: int) -> None:
    """Write the adjugate of a matrix: of small ones as their cofactors, of others as determinant times inverse.

    Parameters
    ----------
    m : list or ndarray
        The memory.
    place : int
        Where the matrix is.
    down : int
        How far apart neighbours in a column are.
    right : int
        How far apart neighbours in a row are.
    n : int
        Its rows.
    out : int
        Where ``4 + 3*n*n`` numbers have room; the adjugate comes first.
    """
    work, k = out + n * n, n - 1
    if n > 16:  # COFACTORS, which compiled code cannot see
        matrix_inverse(m, place, down, right, n, work)
        for i in range(n * n):
            m[out + i] = m[work + 2] * m[work + 4 + i]
        return
    for row in range(n):
        for column in range(n):
            for i in range(k):
                for j in range(k):
                    a, b = i + (i >= row), j + (j >= column)
                    m[work + i * k + j] = m[place + a * down + b * right]
            sign, _ = eliminated(m, work, k, work, 0)
            value = sign
            for i in range(k):
                value *= abs(m[work + i * k + i])
            m[out + column * n + row] = value if (row + column) % 2 == 0 else -value


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
