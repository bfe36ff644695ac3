"""Parameters that the residuals are linear in, found in the formula, and the problem that is left without them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from symgd.graph import Leaf, Node, reachable
from symgd.squares.factors import HUGE, Factors, factors, lengths
from symgd.squares.residuals import Squares
from symgd.squares.together import Together

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

RANK = 1e-13  # a column counts if so much of it is not made of others


def linear_sets(squares: Squares) -> list[tuple[str, ...]]:
    """Find parameters that the residuals are linear in together, the others held.

    They are where no second derivative by two of them is left in the formula.

    Parameters
    ----------
    squares : Squares
        The residuals.

    Returns
    -------
    list of tuple of str
        Sets of names, the largest first, none within another; empty where there are none.
    """
    if None in squares.entries:
        return []
    reads: dict[str, set[str]] = {name: set() for name in squares.shapes}
    for found in squares.entries:
        for entry in found or ():
            reads[entry.leaf.name] |= _names(entry.node)
    alone = [name for name in squares.shapes if name not in reads[name]]
    found_sets: list[tuple[str, ...]] = []
    for first in alone:
        chosen = [first]
        for name in alone:
            if name not in chosen and not any(name in reads[c] or c in reads[name] for c in chosen):
                chosen.append(name)
        kept = tuple(name for name in squares.shapes if name in chosen)
        if kept not in found_sets:
            found_sets.append(kept)
    return sorted(found_sets, key=lambda names: -sum(math.prod(squares.shapes[n]) for n in names))


def _names(node: Node) -> set[str]:
    return {n.name for n in reachable([node]) if isinstance(n, Leaf) and n.active}


class Separable:
    """The sum of squares as a function of the other parameters alone, the linear ones at their best.

    Parameters
    ----------
    squares : Squares
        The residuals.
    linear : sequence of str
        Parameters that they are linear in.

    References
    ----------
    Golub and Pereyra 1973, The differentiation of pseudo-inverses and nonlinear least squares problems whose variables
    separate, SIAM J. Numer. Anal. 10; Kaufman 1975, A variable projection method for solving separable nonlinear least
    squares problems, BIT 15, whose Jacobian this is.
    """

    def __init__(self, squares: Squares, linear: Sequence[str]) -> None:
        self._squares = squares
        shapes = squares.shapes
        self.linear = shapes.join({name: np.full(shape, name in linear) for name, shape in shapes.items()}) > 0
        self.names = frozenset(linear)
        self.n = int((~self.linear).sum())

    def reduced(self, x: Vector) -> Vector:
        """Give the parameters that are left."""
        reduced: Vector = x[~self.linear]
        return reduced

    def full(self, a: Vector) -> Vector:
        """Give all parameters, the linear ones at their best."""
        return self._solve(a)[0]

    @np.errstate(all="ignore")
    def _solve(self, a: Vector) -> tuple[Vector, Vector, Matrix]:
        """Give all parameters, the residuals there, and an orthogonal basis of what the linear ones can change."""
        x = np.zeros(len(self.linear))
        x[~self.linear] = a
        r, J = self._squares.jacobian(x, only=self.names)
        columns = J[:, self.linear]
        if not ((np.abs(r) < HUGE).all() and (np.abs(columns) < HUGE).all()):
            return x, np.full_like(r, np.nan), columns
        norms = lengths(columns)
        norms[norms == 0] = 1.0
        U, s, Vt = np.linalg.svd(columns / norms, full_matrices=False)
        kept = s > RANK * max(s[0], 1e-300)
        U, s, Vt = U[:, kept], s[kept], Vt[kept]
        x[self.linear] = -(Vt.T @ ((U.T @ r) / s)) / norms
        return x, r - U @ (U.T @ r), U

    def rss(self, a: Vector) -> float:
        """Give the sum of the squared residuals."""
        r = self._solve(a)[1]
        with np.errstate(all="ignore"):
            return float(r @ r)

    @cached_property
    def _together(self) -> Together:
        return Together(self._squares, [name for name in self._squares.shapes if name in self.names])

    @np.errstate(all="ignore")
    def at_many(self, X: Matrix) -> Vector:
        """Give the sum of the squared residuals at many points, whose linear parameters are not looked at; roughly."""
        X = np.where(self.linear, 0.0, X)
        r, J = self._together.at(X)
        largest = np.abs(J).max(axis=1, keepdims=True)
        usable = np.isfinite(r).all(axis=1) & (np.isfinite(largest) & (largest < HUGE)).all(axis=(1, 2))
        found = np.full(len(X), np.inf)
        columns = J[usable] / np.where(largest == 0, 1.0, largest)[usable]
        norms = np.linalg.norm(columns, axis=1, keepdims=True)
        U, s, _ = np.linalg.svd(columns / np.where(norms == 0, 1.0, norms), full_matrices=False)
        along = np.einsum("kmi,km->ki", U, r[usable]) * (s > RANK * s[:, :1])
        left = r[usable] - np.einsum("kmi,ki->km", U, along)
        found[usable] = np.einsum("km,km->k", left, left)
        return np.where(np.isfinite(found), found, np.inf)

    def normal(self, a: Vector) -> Factors:
        """Give residuals and Jacobian, factorised."""
        x, r, U = self._solve(a)
        if not np.isfinite(r).all():
            return Factors(np.full((self.n, self.n), np.nan), np.full(self.n, np.nan), np.inf)
        J = self._squares.jacobian(x)[1][:, ~self.linear]
        with np.errstate(all="ignore"):
            return factors(r, J - U @ (U.T @ J))
