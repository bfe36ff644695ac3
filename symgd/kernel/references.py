"""Where the factors of features are counted from, and columns taken there, in more digits where little is left."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TOWARDS = 8.0  # times the offset's size, that the features at a reference have at most
NEAR = 1e-3  # of the offset, that is left at its reference, from which on it is worked out in more digits
RANK = 1e-12  # of the largest singular value, below which a direction counts for nothing
SPLIT = 134217729.0  # 2**27 + 1


class Found(NamedTuple):
    """A reference: factors, and what is known of them.

    ``near`` says that little of the offset is left there, ``cut`` that least squares would have gone on.
    """

    factors: Array  # a row for each column of the features, a column for each of the offset
    near: bool
    cut: bool


def bounded(offset: Array, features: Array) -> Found:
    """Give the factors at which an offset and its features come to little.

    They are those of least squares, as far as the features at them stay about as large as the offset: beyond, they
    would lose more digits where factors are small than they keep where factors are close to them.

    Parameters
    ----------
    offset : ndarray of shape (rows, k)
        The offset's columns.
    features : ndarray of shape (rows, n)
        The features'.

    Returns
    -------
    Found

    Examples
    --------
    >>> bounded(np.array([[2.0], [4.0]]), np.array([[1.0], [2.0]]))
    Found(factors=array([[-2.]]), near=True, cut=False)
    """
    found = np.zeros((features.shape[1], offset.shape[1]))
    near = cut = False
    if not features.size:
        return Found(found, near, cut)
    scale = sizes(features)
    u, s, vt = np.linalg.svd(features / scale, full_matrices=False)
    most = int((s > RANK * s[0]).sum())
    for place, column in enumerate(offset.T):
        size = norm(column)
        if size > 0:
            unit = column / size
            at = np.zeros(len(scale))
            for rank in range(most, 0, -1):
                at = -vt[:rank].T @ ((u[:, :rank].T @ unit) / s[:rank])
                if np.abs(at).sum() <= TOWARDS:
                    break
                cut, at = True, np.zeros(len(scale))
            near = near or norm(unit + (features / scale) @ at) < NEAR
            found[:, place] = at * (size / scale)
    return Found(found, near, cut)


def refer(offset: Array, at: Array, features: Array) -> Array:
    """Give what is left of an offset at a reference, computed with twice the digits and rounded at the end.

    Parameters
    ----------
    offset : ndarray of shape (k, rows)
        The offset's columns, one after the other.
    at : ndarray of shape (n, k)
        The reference.
    features : ndarray of shape (n, rows)
        The features', likewise.

    Returns
    -------
    ndarray of shape (k, rows)
    """
    plain, high, low = offset, offset, np.zeros_like(offset)
    for factors, column in zip(at, features, strict=True):
        product, lost = _product(factors[:, None], column[None, :])
        plain = plain + product
        high, error = add(high, product)
        low += error + lost
    exact = high + low
    return np.where(np.isfinite(exact), exact, plain)


def add(a: Array, b: Array) -> tuple[Array, Array]:
    """Give a sum and its error.

    Parameters
    ----------
    a : ndarray
        A term.
    b : ndarray
        The other.

    Returns
    -------
    tuple of ndarray

    References
    ----------
    Knuth 1997, The Art of Computer Programming 2, section 4.2.2.

    Examples
    --------
    >>> add(np.array([1.0]), np.array([1e-20]))
    (array([1.]), array([1.e-20]))
    """
    total = a + b
    there = total - a
    return total, (a - (total - there)) + (b - there)


def _product(a: Array, b: Array) -> tuple[Array, Array]:
    """Give a product and its error (Dekker 1971, A floating-point technique for extending the available precision)."""
    product = a * b
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _halves(a: Array) -> tuple[Array, Array]:
    """Give the first half of the digits of numbers, and the rest."""
    raised = SPLIT * a
    high = raised - (raised - a)
    return high, a - high


def sizes(columns: Array) -> Array:
    """Give the lengths of columns, 1 for those that are 0."""
    found = np.array([norm(column) for column in columns.T])
    return np.where(found > 0, found, 1.0)


def norm(column: Array) -> float:
    """Give the length of a vector, whatever its scale."""
    largest = float(np.abs(column).max(initial=0.0))
    return largest * float(np.linalg.norm(column / largest)) if 0 < largest < math.inf else largest
