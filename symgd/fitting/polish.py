"""The last digits of a minimum: Newton's steps with the exact Hessian, and more digits where those of floats end."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.graph.digits import Digits
from symgd.records import dataclass
from symgd.squares.factors import Factors, factors
from symgd.squares.residuals import BLOCK, Squares

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

EPS = float(np.finfo(float).eps)
STEPS = 30  # of Newton's method at most
WANTED = 1e-12  # relative error of what is reported, from rounding, above which more digits are taken
LARGEST = 400_000  # numbers of a tape that are computed with more digits, a microsecond or ten each


@dataclass(frozen=True, eq=False)
class Polished:
    """A point whose last digits no longer move, and what is known there.

    Parameters
    ----------
    x : ndarray, shape (n,)
        The point.
    factors : Factors
        Residuals and Jacobian there.
    bend : ndarray, shape (n,), or None
        Eigenvalues of the Hessian relative to its Gauss-Newton part: all of them positive at a minimum, 1 where
        the residuals are linear. ``None`` where the Jacobian is singular, or there is no Hessian.
    moved : float
        The length of the last step: the largest change of a parameter, relative to its size.
    hessian : ndarray, shape (n, n), or None
        Half the Hessian of the sum of squares, ``J.T @ J + S``.
    digits : bool
        Whether more digits were taken.
    """

    x: Vector
    factors: Factors
    bend: Vector | None
    moved: float
    hessian: Matrix | None
    digits: bool = False


@np.errstate(all="ignore")
def polish(squares: Squares, x: Vector, magnitude: float = 0.0) -> Polished:
    """Take Newton's steps until they no longer get shorter.

    With ``J = Q R``, the step solves ``(I + R**-T S R**-1) R p = -Q.T @ r``, S being what the Hessian has besides
    ``J.T @ J``: so that the condition of the Jacobian is not squared. Without S, or where the bracket is not positive
    definite, these are the steps of Gauss and Newton.

    Parameters
    ----------
    squares : Squares
        The residuals.
    x : ndarray, shape (n,)
        A point close to a minimum.
    magnitude : float
        The size of the numbers whose difference the residuals are: what a parameter near 0 is measured by.

    Returns
    -------
    Polished

    References
    ----------
    Björck 1996, Numerical Methods for Least Squares Problems, section 9.2.
    """
    found = squares.normal(x)
    best = last = Polished(x, found, None, np.inf, None)
    for _ in range(STEPS):
        step, bend, hessian = _newton(squares, last.x, last.factors)
        if step is None:
            return best
        size = _size(step, last, squares.m, magnitude)
        here = Polished(last.x, last.factors, bend, size, hessian)
        slow = bend is None  # Gauss and Newton's steps get shorter by a constant factor, Newton's by more and more
        if not size < best.moved * (0.8 if slow else 0.5):  # rounding is all that is left
            return here if size < best.moved else best
        best = here
        x = last.x + step
        found = squares.normal(x)
        # Near the minimum the sum of squares is flat: what it rises by rounding is no objection.
        most = last.factors.rss * (1 + 1e-10) + (8 * EPS * magnitude) ** 2
        if size < EPS or not found.finite or found.rss > most or np.array_equal(x, last.x):
            return best
        last = Polished(x, found, None, np.inf, None)
    return best


def _newton(squares: Squares, x: Vector, found: Factors) -> tuple[Vector | None, Vector | None, Matrix | None]:
    """Give Newton's step, the eigenvalues of its bracket, and half the Hessian."""
    hessian = _hessian(squares, x, found)
    return *_solved(found, -found.q, hessian), hessian


def _hessian(squares: Squares, x: Vector, found: Factors) -> Matrix | None:
    S = squares.second(x)
    return None if S is None or not np.isfinite(S).all() else found.R.T @ found.R + S


def _solved(found: Factors, z: Vector, hessian: Matrix | None) -> tuple[Vector | None, Vector | None]:
    """Solve for a step, ``z`` being that of Gauss and Newton times R; none where the Jacobian is singular."""
    if not (found.finite and found.rank == len(z)):
        return None, None
    bend = None
    if hessian is not None:
        half = _across(found.R, hessian - found.R.T @ found.R)
        bracket = np.eye(len(z)) + _across(found.R, half.T)
        bend, vectors = np.linalg.eigh((bracket + bracket.T) / 2)
        if bend[0] > EPS * len(z):
            z = vectors @ ((vectors.T @ z) / bend)
    return np.asarray(np.linalg.solve(found.R, z), dtype=np.float64), bend


def _across(R: Matrix, b: Any) -> Any:
    """Solve with the transpose of R; turned round, it is upper triangular as R is, and pivoting finds nothing to do."""
    return np.linalg.solve(R.T[::-1, ::-1], b[::-1])[::-1]


def _size(step: Vector, at: Polished, m: int, magnitude: float) -> float:
    """Measure a step by the parameter that it changes most, relative to its size or to what could be told from 0."""
    norms = at.factors.norms
    told = np.maximum(1e-3 * np.sqrt(at.factors.rss / max(1, m - len(step))), 1e-4 * magnitude) / norms
    return float(np.max(np.abs(step) / np.maximum(np.maximum(np.abs(at.x), told), 1e-300)))


# ---- more digits ---------------------------------------------------------------------------------------------------


def needs_digits(squares: Squares, at: Polished, magnitude: float) -> bool:
    """Tell whether the rounding of float64 residuals shows in what is reported.

    Parameters
    ----------
    squares : Squares
        The residuals.
    at : Polished
        The minimum.
    magnitude : float
        The size of the numbers whose difference the residuals are: the norm of the target.

    Returns
    -------
    bool
    """
    if not at.factors.finite or at.factors.rank < squares.n or squares.m * (squares.n + 1) > BLOCK:
        return False
    norms = at.factors.norms
    condition = 1 / np.linalg.svd(at.factors.R / norms, compute_uv=False)[-1]
    rounding = EPS * magnitude / max(np.sqrt(at.factors.rss), 1e-300)
    with np.errstate(all="ignore"):
        relative = condition * EPS * magnitude / norms / np.maximum(np.abs(at.x), 1e-300)
    return bool(rounding > WANTED or float(np.max(relative)) > WANTED)


def with_digits(squares: Squares, at: Polished, magnitude: float, digits: int = 40) -> Polished:
    """Go on with residuals and Jacobian of many digits; only the solution of the small linear system is float64.

    Parameters
    ----------
    squares : Squares
        The residuals.
    at : Polished
        The minimum as float64 finds it.
    magnitude : float
        As for `polish`.
    digits : int
        Decimal digits.

    Returns
    -------
    Polished
        What was given, where a function has no form of more digits, or the problem is too large.
    """
    if squares.m * (squares.n + 1) * 10 > LARGEST:
        return at
    arithmetic = Digits(digits)
    convert = np.frompyfunc(arithmetic.context.mpf, 1, 1)
    x: Any = convert(at.x)
    best, moved = at, np.inf
    try:
        for _ in range(STEPS):
            r, J = squares.jacobian(x, arithmetic)
            rounded, exact = x.astype(float), factors(r.astype(float), J.astype(float))
            found = Factors(exact.R, exact.q, float(r @ r))
            hessian = _hessian(squares, rounded, found)
            # What has to be exact is the gradient: it is what becomes 0.
            step, bend = _solved(found, -_across(found.R, (J.T @ r).astype(float)), hessian)
            if step is None or not np.isfinite(step).all():
                return best
            size = _size(step, Polished(rounded, found, None, np.inf, None), squares.m, magnitude)
            if not size < moved / 2:
                return best
            best, moved = Polished(rounded, found, bend, size, hessian, digits=True), size
            if size < 1e-19:
                return best
            x = x + convert(step)
    except (NotImplementedError, ValueError, TypeError, ArithmeticError, AttributeError):
        return at
    return best
