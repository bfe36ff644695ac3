"""The QR factorisation of a Jacobian: all that a step needs of it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from symgd.records import dataclass

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

HUGE = 1e290  # as good as infinite


@dataclass(frozen=True, eq=False)
class Factors:
    """What a step needs of residuals and Jacobian: the QR factorisation ``J = Q R``.

    Parameters
    ----------
    R : ndarray, shape (n, n)
        Upper triangular.
    q : ndarray, shape (n,)
        The residuals' components ``Q.T @ r`` in the range of the Jacobian.
    rss : float
        The sum of the squared residuals.
    """

    R: Matrix
    q: Vector
    rss: float

    @property
    def gradient(self) -> Vector:
        """The gradient of half the sum of squares, ``J.T @ r``."""
        return self.R.T @ self.q

    @property
    def norms(self) -> Vector:
        """The lengths of the Jacobian's columns."""
        return lengths(self.R)

    @property
    def rank(self) -> int:
        """The rank of the Jacobian, its columns scaled, as far as rounding can tell."""
        norms = self.norms
        s = np.linalg.svd(self.R / np.where(norms > 0, norms, 1.0), compute_uv=False)
        return int((s > 10 * np.finfo(float).eps * len(s) * max(s[0], 1e-300)).sum())

    @property
    def finite(self) -> bool:
        """Whether every number is."""
        return bool((np.abs(self.R) < HUGE).all() and (np.abs(self.q) < HUGE).all())


def lengths(columns: Matrix) -> Vector:
    """Give the lengths of columns, of those too whose squares are too small or too large for float64."""
    with np.errstate(all="ignore"):
        largest = np.abs(columns).max(axis=0, initial=0.0)
        found = largest * np.linalg.norm(columns / np.where(largest > 0, largest, 1.0), axis=0)
    return np.asarray(np.where(np.isfinite(largest), found, largest))


def factors(r: Vector, J: Matrix) -> Factors:
    """Factorise a Jacobian that is there as a whole."""
    return joined([(r, J)], J.shape[1])


def joined(blocks: Iterable[tuple[Vector, Matrix]], n: int) -> Factors:
    """Factorise a Jacobian that comes in blocks of rows.

    Parameters
    ----------
    blocks : iterable of tuple
        Residuals and Jacobian of some rows.
    n : int
        The number of columns.

    Returns
    -------
    Factors

    References
    ----------
    Demmel, Grigori, Hoemmen and Langou 2012, Communication-optimal parallel and sequential QR and LU factorizations,
    section 3 (sequential TSQR).
    """
    R, rss = np.zeros((0, n + 1)), 0.0
    with np.errstate(all="ignore"):
        for r, J in blocks:
            rss += float(r @ r)
            R = np.asarray(np.linalg.qr(np.vstack([R, np.column_stack([J, r])]), mode="r"))
    R = np.vstack([R, np.zeros((max(0, n + 1 - len(R)), n + 1))])
    return Factors(R[:n, :n], R[:n, n], rss)
