"""Inverse, determinant and adjugate of a small matrix for generated code: on lists, and compiled.

Elimination is with partial pivoting, as in LAPACK's ``getrf``. A matrix without an inverse has nan for one: that is
numerical trouble, which a run reports, and no exception. Numba compiles these functions as they stand, once per
installation, and they are linked into generated code; they work in its memory, where matrices lie row after row.

Golub and Van Loan, Matrix Computations, 4th ed. 2013, sections 3.4 and 3.1.2.
"""

from __future__ import annotations

import math
from collections.abc import MutableSequence

NAMES = ("eliminated", "matrix_inverse", "matrix_adjugate")  # in the order in which they call each other


def eliminated(m: MutableSequence[float], work: int, n: int, right: int, columns: int) -> tuple[float, float]:
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


def matrix_inverse(m: MutableSequence[float], place: int, down: int, right: int, n: int, out: int) -> None:
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


def matrix_adjugate(m: MutableSequence[float], place: int, down: int, right: int, n: int, out: int) -> None:
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
    if n > 16:  # `symgd.graph.elimination.COFACTORS`, which compiled code cannot see
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
