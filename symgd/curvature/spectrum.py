"""Eigenvalues of the Hessian: all of them of a small one, the extreme ones of a large one from its products."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from symgd.curvature.lanczos import Pairs, lanczos
from symgd.curvature.problem import Problem
from symgd.draws import Draws
from symgd.records import dataclass

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Product = Callable[[Vector], Vector]

DENSE = 512  # parameters up to which the Hessian is formed
STEEP = 1e6  # condition from which the small eigenvalues are worth more digits than their size beside the largest
WORK = 4e10  # operations that a search for extreme eigenvalues may take, about a minute with the second pass
EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Eigenvalues of a Hessian, with what is known of their errors.

    Parameters
    ----------
    values : ndarray, shape (k,)
        Ascending: all of them, or the smallest and the largest.
    vectors : ndarray, shape (n, k)
        Of length 1.
    errors : ndarray, shape (k,)
        Bounds of the errors: there is an eigenvalue so near to each value.
    above : float
        All eigenvalues are above this, as far as is known: certain of a small or tridiagonal matrix; otherwise, with a
        probability of 99.9 %, of a random start of the iteration.
    converged : bool
        Whether the errors are as small as they were meant to be.
    note : str
        How the values were found.
    """

    values: Vector
    vectors: Matrix
    errors: Vector
    above: float
    converged: bool
    note: str

    @property
    def finite(self) -> bool:
        """Whether the Hessian is finite."""
        return bool(np.isfinite(self.values).all())


def unit_diagonal(h: Matrix) -> tuple[Matrix, Vector]:
    """Scale the parameters of a Hessian so that each has the curvature 1 or -1, where it has any.

    Parameters
    ----------
    h : ndarray, shape (..., n, n)
        The Hessian, or many.

    Returns
    -------
    scaled : ndarray, shape (..., n, n)
        The Hessian in parameters that are `size` times as large; the signs of its eigenvalues are the same (Sylvester's
        law of inertia).
    size : ndarray, shape (..., n)
        Square roots of the diagonal's sizes.
    """
    size = np.sqrt(np.abs(np.diagonal(h, axis1=-2, axis2=-1)))
    top = size.max(axis=-1, keepdims=True)
    size = np.where(size < 1e-150, np.where(top > 1e-150, top, 1.0), size)
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = h / size[..., None, :] / size[..., None]
    sound = np.asarray(np.isfinite(scaled).all(axis=(-2, -1), keepdims=True))
    if not sound.all():  # entries beside a diagonal that is as good as 0
        largest = np.sqrt(np.abs(h).max(axis=(-2, -1), keepdims=True))
        size = np.where(sound[..., 0], size, largest[..., 0])
        scaled = np.where(sound, scaled, h / size[..., None, :] / size[..., None])
    return scaled, size


def judged(h: Matrix) -> tuple[Vector, Matrix, float]:
    """Give the eigenvalues of a finite Hessian for telling their signs, and what counts as 0 among them.

    The matrix is scaled to a unit diagonal, so that parameters of different size are judged alike.

    Parameters
    ----------
    h : ndarray, shape (n, n)
        The Hessian.

    Returns
    -------
    values : ndarray, shape (n,)
        Of the scaled matrix, ascending.
    directions : ndarray, shape (n, n)
        The columns belong to them, in the parameters as they are, of length 1.
    flat : float
        Up to this size an eigenvalue is 0 as far as rounding can tell.
    """
    scaled, size = unit_diagonal(h)
    values, vectors = np.linalg.eigh(scaled)
    flat = 64 * len(h) * EPS * max(1.0, float(np.abs(values).max()))
    if not np.abs(h).max() > 0:
        values = np.zeros(len(h))
    directions = vectors / size[:, None]
    directions /= np.linalg.norm(directions, axis=0)
    return values, directions, flat


def dense(h: Matrix) -> Spectrum:
    """Find all eigenvalues of a Hessian that is known in full.

    Parameters
    ----------
    h : ndarray, shape (n, n)
        The Hessian.

    Returns
    -------
    Spectrum
        Where the matrix is positive definite, and its condition is due to parameters of different size, the smallest
        eigenvalues have as many digits as the largest.

    References
    ----------
    Demmel and Veselic 1992, Jacobi's method is more accurate than QR.
    """
    n = len(h)
    if not n or not np.isfinite(h).all():
        nothing = np.full(n, np.nan)
        return Spectrum(nothing, np.eye(n), nothing, np.nan, converged=not n, note="the Hessian is not finite")
    values, vectors = np.linalg.eigh(h)
    errors = np.full(n, 4 * n * EPS * float(np.abs(values).max()))
    if values[-1] > 0 and values[0] < values[-1] / STEEP:
        values, vectors, errors = _graded(h) or (values, vectors, errors)
    return Spectrum(values, vectors, errors, float(values[0] - errors[0]), converged=True, note="all eigenvalues")


def _graded(h: Matrix) -> tuple[Vector, Matrix, Vector] | None:
    """Find eigenvalues to a relative accuracy that only the scaled matrix bounds: Jacobi's method on a Cholesky factor.

    ``None`` where the matrix is not positive definite beyond rounding.
    """
    from scipy.linalg.lapack import dgejsv

    scaled, size = unit_diagonal(h)
    smallest = float(np.linalg.eigvalsh(scaled)[0])
    n = len(h)
    if smallest <= 64 * n * EPS:
        return None
    # Of L.T, whose columns are scaled, the method finds every singular value to a relative accuracy.
    factor = (np.linalg.cholesky(scaled) * size[:, None]).T
    roots, _, vectors, work, _, trouble = dgejsv(factor, joba=0, jobu=1, jobv=0)
    values = (roots * (work[0] / work[1])) ** 2
    if trouble or not np.isfinite(values).all():
        return None
    order = np.argsort(values)
    values = values[order]
    return values, vectors[:, order], 4 * n * EPS / smallest * values


def products(kernel: Problem, x: Vector, times: int = 200) -> Product:
    """Give the products of the Hessian at a point, all of them by one tier, so that each gives the same bits again.

    Parameters
    ----------
    kernel : Problem
        The objective.
    x : ndarray, shape (n,)
        The point.
    times : int
        About how many products there will be.

    Returns
    -------
    callable
    """
    tier = kernel.tier
    if tier == "auto":
        tier = "python" if kernel.cost() * times <= kernel.budget() else "numba"
    return lambda v: kernel.product(x, v, tier)


def extremes(kernel: Problem, x: Vector, k: int = 3, work: float = WORK, *, progress: bool = True) -> Spectrum:
    """Find the smallest and largest eigenvalues without forming the Hessian, in memory for some tens of vectors.

    Four products tell a tridiagonal Hessian, as chains have, from others; its eigenvalues are found by bisection. Those
    of others come from Lanczos iteration; of several that are equal it finds one.

    Parameters
    ----------
    kernel : Problem
        The objective.
    x : ndarray, shape (n,)
        The point, of more than `DENSE` parameters.
    k : int
        How many of the smallest, and how many of the largest.
    work : float
        Operations to spend at most; what was found by then is given, with its errors.
    progress : bool
        Whether to show a progress bar after two seconds.

    Returns
    -------
    Spectrum

    References
    ----------
    Paige 1980; Cullum and Willoughby 1985 (Lanczos without reorthogonalisation); Kuczynski and Wozniakowski 1992,
    theorem 4.2 (what a random start may miss); Curtis, Powell and Reid 1974 (banded matrices from products).
    """
    product = products(kernel, x)
    n = len(x)
    with np.errstate(over="ignore", invalid="ignore"):
        band = _tridiagonal(product, n)
        if band is not None:
            return _bisected(product, *band, k)
        limit = int(np.clip(work / (kernel.work() + 20.0 * n), 60, min(n, 5000)))
        return _known(lanczos(product, n, k, limit, progress=progress), n)


def _known(found: Pairs, n: int) -> Spectrum:
    values, steps = found.values, found.steps
    if not (len(values) and np.isfinite(values).all()):
        nothing = np.full(1, np.nan)
        return Spectrum(nothing, np.zeros((n, 1)), nothing, np.nan, converged=False, note="the Hessian is not finite")
    missed = min(1.0, (np.log(1.648e3 * np.sqrt(n)) / (2 * steps - 1)) ** 2)
    low, high = float(values[0] - found.errors[0]), float(values[-1] + found.errors[-1])
    above = (
        low if found.converged else min(low, (values[0] - missed * high) / (1.0 - missed)) if missed < 1 else -np.inf
    )
    note = f"the extreme ones of {n:,}, from {steps:,} steps of Lanczos iteration"
    if found.interrupted:
        note += ", interrupted"
    elif not found.converged:
        note += ", which have not converged"
    return Spectrum(values, found.vectors, found.errors, float(above), found.converged, note)


def _tridiagonal(product: Product, n: int) -> tuple[Vector, Vector] | None:
    """Give the diagonal and the one beside it, if the rest is 0; products with every third unit vector hold them."""
    d, e = np.empty(n), np.empty(n - 1)
    for first in range(3):
        v = np.zeros(n)
        v[first::3] = 1.0
        column = product(v)
        d[first::3] = column[first::3]
        e[first::3] = column[first + 1 :: 3][: len(e[first::3])]
    v = Draws(3).normal(n)
    rest = np.abs(product(v) - _times(d, e, v))
    size = _times(np.abs(d), np.abs(e), np.abs(v))
    if not (np.isfinite(size).all() and rest.max() <= 1e-13 * size.max()):
        return None
    return d, e


def _times(d: Vector, e: Vector, v: Vector) -> Vector:
    out = d * v
    out[:-1] += e * v[1:]
    out[1:] += e * v[:-1]
    return out


def _bisected(product: Product, d: Vector, e: Vector, k: int) -> Spectrum:
    from scipy.linalg import eigh_tridiagonal

    n = len(d)
    k = min(k, n // 2)
    if not e.any():  # LAPACK would look for one after the other
        order = np.argpartition(d, (*range(k), *range(n - k, n)))
        chosen = np.r_[order[:k], order[n - k :]]
        chosen = chosen[np.argsort(d[chosen], kind="stable")]
        vectors = np.zeros((n, 2 * k))
        vectors[chosen, np.arange(2 * k)] = 1.0
        return Spectrum(
            d[chosen], vectors, EPS * np.abs(d[chosen]), float(d[chosen[0]]), converged=True,
            note=f"the extreme ones of {n:,}, from the Hessian's diagonal: the rest of it is 0",
        )  # fmt: skip
    ends = [eigh_tridiagonal(d, e, select="i", select_range=r) for r in ((0, k - 1), (n - k, n - 1))]
    values = np.concatenate([w for w, _ in ends])
    vectors = np.hstack([v for _, v in ends])
    # Bisection is as accurate as the entries of the matrix; so are these bounds, where the vectors are good.
    rounding = 8 * EPS * float(np.abs(values).max())
    residuals = np.array([np.linalg.norm(product(v) - w * v) for w, v in zip(values, vectors.T, strict=True)])
    errors = np.where(residuals < 1e3 * rounding, rounding, residuals)
    return Spectrum(
        values, vectors, errors, float(values[0] - errors[0]), converged=True,
        note=f"the extreme ones of {n:,}, by bisection: the Hessian is tridiagonal",
    )  # fmt: skip
