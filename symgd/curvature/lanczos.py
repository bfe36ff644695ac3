"""Lanczos iteration: extreme eigenvalues of a symmetric matrix that is known by its products."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from symgd.draws import Draws
from symgd.progress import progress as show_progress
from symgd.records import dataclass

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Product = Callable[[Vector], Vector]

PATIENCE = 2.0  # seconds before a progress bar appears
RELATIVE = 1e-6  # error bound that is aimed at, beside the eigenvalue; the error itself is about the square of it
ABSOLUTE = 1e-13  # the same beside the largest eigenvalue: what products can be trusted to
GHOST = 1e-9  # share of the start in a copy of an eigenvalue that rounding has brought up again
CHUNK = 8  # vectors that are kept before they are added up
KEPT = 4_000_000  # numbers of the basis that are kept, so that it need not be computed twice
DENSE = 400  # order up to which a tridiagonal matrix is handled as any other: to load SciPy takes longer


@dataclass(frozen=True, eq=False)
class Pairs:
    """Eigenvalues and their vectors.

    Parameters
    ----------
    values : ndarray, shape (k,)
        Ascending.
    vectors : ndarray, shape (n, k)
        Of length 1.
    errors : ndarray, shape (k,)
        The norms of ``H @ v - value*v``: there is an eigenvalue so near to each value.
    steps : int
        Steps of the iteration.
    converged : bool
        Whether all error bounds are as small as they were to be.
    interrupted : bool
        Whether Ctrl-C ended the iteration.
    """

    values: Vector
    vectors: Matrix
    errors: Vector
    steps: int
    converged: bool
    interrupted: bool


def lanczos(product: Product, n: int, k: int, limit: int, *, progress: bool = True) -> Pairs:
    """Find the k smallest and the k largest eigenvalues, as far as they go in so many steps.

    A large basis is not kept, so that a step costs a product and memory is linear in n: the first pass gives the
    tridiagonal matrix, the second, which repeats it, adds the eigenvectors up. Without reorthogonalisation eigenvalues
    that have converged come up again; such copies are known by having nothing of the start in them.

    Parameters
    ----------
    product : callable
        The matrix times a vector; the same vector must give the same bits.
    n : int
        The order of the matrix.
    k : int
        How many at each end.
    limit : int
        Steps to take at most.
    progress : bool
        Whether to show a progress bar after two seconds.

    Returns
    -------
    Pairs
        Of eigenvalues that are equal, one.
    """
    d, e, done = np.empty(limit), np.empty(limit), 0
    check, interrupted = 4 * k + 4, False
    basis: list[Vector] = []
    with show_progress(limit, "product", wanted=None if progress else False) as tick:
        try:
            for v, a, b in _steps(product, n):
                d[done], e[done], done = a, b, done + 1
                if n * done <= KEPT:
                    basis.append(v.copy())
                tick(done)
                size = float(np.abs(d[:done]).max() + e[:done].max())
                if not (np.isfinite(size) and b > 1e-14 * size) or done == limit:
                    break
                if done == check:
                    check = done + max(8, done // 6)
                    if _ends(d[:done], e[:done], k)[1]:
                        break
        except KeyboardInterrupt:
            interrupted = True
    if not done or not np.isfinite(d[:done] + e[:done]).all():
        return Pairs(np.full(1, np.nan), np.zeros((n, 1)), np.full(1, np.nan), done, False, interrupted)
    chosen, converged = _ends(d[:done], e[:done], k)
    with show_progress(done, "product", wanted=None if progress else False) as tick:
        again = basis if len(basis) == done else (v for v, _, _ in _steps(product, n))
        vectors = _summed(again, n, chosen, tick)
    return _rotated(product, vectors, done, converged=converged, interrupted=interrupted)


def _steps(product: Product, n: int) -> Iterator[tuple[Vector, float, float]]:
    """Give the vectors of the basis one after the other, each with its entries of the tridiagonal matrix."""
    v = Draws(0).normal(n)
    v /= np.linalg.norm(v)
    former, b = np.zeros(n), 0.0
    while True:
        w = product(v)
        former *= b
        w -= former
        a = float(w @ v)
        np.multiply(v, a, out=former)
        w -= former
        b = float(np.linalg.norm(w))
        yield v, a, b
        former, v = v, w
        v /= b


def _ends(d: Vector, e: Vector, k: int) -> tuple[Matrix, bool]:
    """Give the coefficients of the wanted vectors, as columns, and whether the error bounds are small enough."""
    m = len(d)
    whole = np.linalg.eigh(np.diag(d) + np.diag(e[: m - 1], -1)) if m <= DENSE else None  # reads the lower triangle
    ends = [_end(d, e[: m - 1], k, whole, low=low) for low in (True, False)]
    # Of a short iteration both ends may be the same values.
    high = ends[1][0] > ends[0][0][-1]
    values = np.concatenate([ends[0][0], ends[1][0][high]])
    vectors = np.hstack([ends[0][1], ends[1][1][:, high]])
    bounds, size = e[m - 1] * np.abs(vectors[-1]), float(np.abs(values).max())
    return vectors, bool((bounds <= np.maximum(RELATIVE * np.abs(values), ABSOLUTE * size)).all())


def _end(d: Vector, e: Vector, k: int, whole: tuple[Vector, Matrix] | None, *, low: bool) -> tuple[Vector, Matrix]:
    """Give the k lowest or highest eigenvalues of a tridiagonal matrix, those that have come up again left out."""
    m, count = len(d), 2 * k
    while True:
        count = min(count, m)
        span = (0, count - 1) if low else (m - count, m - 1)
        values, vectors = _selected(d, e, span) if whole is None else (a[..., span[0] : span[1] + 1] for a in whole)
        apart = _apart(values, np.abs(vectors[0]), 1e-11 * float(np.abs(d).max() + (e.max() if m > 1 else 0.0)))
        if len(apart) >= k or count == m:
            chosen = apart[:k] if low else apart[-k:]
            return values[chosen], vectors[:, chosen]
        count *= 2


def _selected(d: Vector, e: Vector, span: tuple[int, int]) -> tuple[Vector, Matrix]:
    from scipy.linalg import eigh_tridiagonal

    values, vectors = eigh_tridiagonal(d, e, select="i", select_range=span)
    return values, vectors


def _apart(values: Vector, shares: Vector, nearest: float) -> list[int]:
    """Give the places of values that are no copies; of several copies, that with the largest share of the start."""
    found: list[int] = []
    for place in np.flatnonzero(shares > GHOST):
        if not found or values[place] - values[found[-1]] > nearest:
            found.append(int(place))
        elif shares[place] > shares[found[-1]]:
            found[-1] = int(place)
    return found or [int(np.argmax(shares))]


def _summed(basis: Iterable[Vector], n: int, chosen: Matrix, tick: Callable[[int], None]) -> Matrix:
    """Add up the vectors of the basis with the coefficients that are known now."""
    steps = len(chosen)
    vectors, room = np.zeros((chosen.shape[1], n)), np.empty((CHUNK, n))
    for place, v in enumerate(basis):
        room[place % CHUNK] = v
        if place % CHUNK == CHUNK - 1 or place == steps - 1:
            first = place - place % CHUNK
            for which, coefficients in enumerate(chosen[first : place + 1].T):  # no product as large as all of them
                vectors[which] += coefficients @ room[: place % CHUNK + 1]
        tick(place + 1)
        if place == steps - 1:
            break
    return vectors.T


def _rotated(product: Product, vectors: Matrix, steps: int, *, converged: bool, interrupted: bool) -> Pairs:
    """Make the vectors orthogonal, and the best that their space has to offer (Rayleigh and Ritz)."""
    kept = vectors[:, np.linalg.norm(vectors, axis=0) > 1e-6]
    basis = np.linalg.qr(kept)[0]
    images = np.stack([product(np.ascontiguousarray(column)) for column in basis.T], axis=1)
    values, turn = np.linalg.eigh(_symmetric(basis.T @ images))
    vectors = basis @ turn
    images = images @ turn
    errors = np.array([np.linalg.norm(i - w * v) for w, v, i in zip(values, vectors.T, images.T, strict=True)])
    small = errors <= np.maximum(2 * RELATIVE * np.abs(values), 10 * ABSOLUTE * np.abs(values).max())
    return Pairs(values, vectors, errors, steps, converged and bool(small.all()), interrupted)


def _symmetric(matrix: Matrix) -> Matrix:
    return (matrix + matrix.T) / 2
