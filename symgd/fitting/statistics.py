"""What the residuals say of the parameters: covariance, and directions that the data leave open."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from symgd.curvature import in_names
from symgd.fitting import student
from symgd.fitting.polish import Polished
from symgd.records import dataclass
from symgd.squares import Squares
from symgd.squares.factors import lengths

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

EPS = float(np.finfo(float).eps)
KINDS = ("jacobian", "hessian", "robust")
SHARE = 1e-6  # of a direction that is open: a parameter with a larger part in it is not determined


@dataclass(frozen=True, eq=False)
class Directions:
    """What the residuals feel of the parameters.

    Parameters
    ----------
    inverse : ndarray, shape (n, rank)
        Such that ``inverse @ inverse.T`` is the inverse of ``J.T @ J`` in the directions that are felt.
    open : list of ndarray
        The other directions, in the parameters.
    lost : ndarray of bool, shape (n,)
        The parameters that are not determined.
    """

    inverse: Matrix
    open: list[Vector]
    lost: NDArray[np.bool_]

    @property
    def rank(self) -> int:
        """How many directions are felt: so many degrees of freedom the parameters take."""
        return int(self.inverse.shape[1])


def directions(R: Matrix, held_by_nothing: Sequence[int] = ()) -> Directions | None:
    """Tell the directions that residuals feel from those they do not.

    Parameters
    ----------
    R : ndarray, shape (n, n)
        Of the Jacobian.
    held_by_nothing : sequence of int
        Parameters that have run off: that the residuals feel them yet does not count.

    Returns
    -------
    Directions or None
        ``None`` where the Jacobian is not finite.
    """
    if not np.isfinite(R).all():
        return None
    R = R.copy()
    R[:, list(held_by_nothing)] = 0.0
    norms = lengths(R)
    unit = np.where(norms > 0, norms, 1.0)
    _, s, Vt = np.linalg.svd(R / unit)
    felt = s > 10 * EPS * len(R) * max(s[0], 1e-300)
    open_ = [v / unit / np.linalg.norm(v / unit) for v in Vt[~felt]]
    return Directions((Vt[felt].T / s[felt]) / unit[:, None], open_, (np.abs(Vt[~felt]) > SHARE).any(axis=0))


@dataclass(frozen=True, eq=False)
class Spread:
    """How far parameters may be from where they are: their covariance by its root, whose squares may overflow.

    Parameters
    ----------
    root : ndarray, shape (n, k)
        Such that ``root @ root.T`` is the covariance; nan where nothing is known.
    lost : ndarray of bool, shape (n,)
        The parameters that are not determined.
    """

    root: Matrix
    lost: NDArray[np.bool_]

    @cached_property
    def covariance(self) -> Matrix:
        """The covariance, shape (n, n): infinite on the diagonal, and nan beside it, for what is not determined."""
        with np.errstate(all="ignore"):
            return self._without_lost(self.root @ self.root.T, math.inf)

    @cached_property
    def errors(self) -> Vector:
        """The standard errors, shape (n,)."""
        return np.where(self.lost, np.inf, lengths(self.root.T))

    @cached_property
    def correlation(self) -> Matrix:
        """The correlations, shape (n, n)."""
        with np.errstate(all="ignore"):
            unit = self.root / lengths(self.root.T)[:, None]
            found = self._without_lost(unit @ unit.T, 1.0)
        np.fill_diagonal(found, 1.0)
        return found

    def _without_lost(self, found: Matrix, own: float) -> Matrix:
        found[self.lost] = found[:, self.lost] = np.nan
        found[self.lost, self.lost] = own
        return found


def spread(
    squares: Squares, at: Polished, kind: str, deviation: float, felt: Directions | None, counted: int
) -> Spread:
    """Give the covariance of the parameters.

    Parameters
    ----------
    squares : Squares
        The residuals.
    at : Polished
        The minimum.
    kind : str
        ``"jacobian"``: ``s**2 * inv(J.T @ J)``; ``"hessian"``: ``2 * s**2 * inv(H)``, H the exact Hessian of the sum of
        squares; ``"robust"``: ``inv(J.T @ J) @ J.T @ diag(r**2) @ J @ inv(J.T @ J) * m/(m - rank)``.
    deviation : float
        The residual standard deviation ``s``.
    felt : Directions or None
        As `directions` gives them.
    counted : int
        Residuals of positive weight.

    Returns
    -------
    Spread

    References
    ----------
    Seber and Wild 2003, Nonlinear Regression, section 2.1.2; White 1980, A heteroskedasticity-consistent covariance
    matrix estimator, Econometrica 48.
    """
    n = squares.n
    if felt is None:
        return Spread(np.full((n, n), np.nan), np.zeros(n, dtype=bool))
    inverse, rank = felt.inverse, felt.rank
    with np.errstate(all="ignore"):
        if kind == "hessian" and not felt.open:
            root = deviation * _half_of(at, inverse)
        elif kind == "robust":
            r, J = squares.jacobian(at.x)
            share = counted / (counted - rank) if counted > rank else math.nan
            meat = np.asarray(np.linalg.qr((J * r[:, None]) @ inverse, mode="r"))
            root = math.sqrt(share) * inverse @ meat.T
        else:
            root = deviation * inverse
    return Spread(root, felt.lost)


def _half_of(at: Polished, inverse: Matrix) -> Matrix:
    """Give a root of the inverse of half the Hessian, by way of its form relative to ``J.T @ J``."""
    nothing = np.full(at.factors.R.shape, np.nan)
    if at.hessian is None:
        return nothing
    bracket = inverse.T @ at.hessian @ inverse
    values, vectors = np.linalg.eigh((bracket + bracket.T) / 2)
    if values[0] <= 0:  # no minimum, and no covariance
        return nothing
    return np.asarray(inverse @ (vectors / np.sqrt(values)))


def told(names: Sequence[str], directions: Sequence[Vector], x: Vector) -> str:
    """Say which directions are open.

    Parameters
    ----------
    names : sequence of str
        Of the parameters.
    directions : sequence of ndarray
        Along which the residuals do not change.
    x : ndarray, shape (n,)
        The point.

    Returns
    -------
    str
        A sentence.
    """
    sizes = np.where(x == 0, 1.0, 1 / np.abs(np.where(x == 0, 1.0, x)))
    shares = np.abs(directions[0]) * sizes
    if len(directions) == 1 and (shares > SHARE * shares.max()).sum() == 1:
        name = names[int(np.argmax(shares))]
        return f"the data do not determine {name}: the residuals do not depend on it here"
    written = "; ".join(in_names(names, v, sizes=sizes) for v in directions[:3])
    more = "; ..." if len(directions) > 3 else ""
    ways = "the direction" if len(directions) == 1 else f"{len(directions)} directions"
    return f"the data do not determine all parameters: the residuals do not change along {ways} {written}{more}"


def quantile(level: float, dof: float) -> float:
    """Give how many standard errors an interval extends to each side: Student's, or normal for infinite ``dof``."""
    return student.reach(level, dof) if dof > 0 else math.nan


def tail(t: Vector, dof: float) -> Vector:
    """Give the probability of a value further from 0, to either side."""
    return np.array([student.beyond(abs(value), dof) if dof > 0 else math.nan for value in t.tolist()])
