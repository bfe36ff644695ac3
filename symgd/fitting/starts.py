"""Other starts of a fit: many points where the data are, rated together, of which the best are gone down from."""

from __future__ import annotations

import math
from collections.abc import Collection
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from symgd.fitting.scales import Scales
from symgd.fitting.separable import Separable
from symgd.squares import Squares
from symgd.squares.residuals import BLOCK
from symgd.squares.together import Together, all_numbers

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

POOL, POOLED = 1000, 100  # points that are looked at for starts at most, and of one parameter half as many
WAVES = 8  # of them for each row, where there are frequencies
GROUPS = 16  # of them, of which each gives one start
PARTS = 8  # nonlinear parameters up to which every two of them are let go anywhere
NUMBERS = 30_000_000  # of Jacobians that are looked at together at most
SLOW, SLOWEST = 100, 8  # points at most that are looked at one by one, few rows or many


class Starts:
    """Where a search may begin.

    Parameters
    ----------
    squares : Squares
        The residuals.
    separable : Separable or None
        The same without the parameters that they are linear in, where that is affordable.
    small : bool
        Whether the residuals are few enough for many points.
    """

    def __init__(self, squares: Squares, separable: Separable | None, *, small: bool) -> None:
        self._squares, self._separable, self._small = squares, separable, small
        self.rated = 0  # points so far

    @cached_property
    def _together(self) -> Together:
        return Together(self._squares)

    @cached_property
    def _numbers(self) -> bool:
        return all_numbers(self._squares)

    @cached_property
    def scales(self) -> Scales:
        """The sizes and places of the parameters."""
        return Scales(self._squares)

    @property
    def sizes(self) -> Vector:
        """The largest size that each number of the parameters may have, shape (n,)."""
        return self.scales.sizes

    @property
    def linear(self) -> NDArray[np.bool_]:
        """The numbers of the parameters that are found from the others."""
        return np.zeros(self._squares.n, dtype=bool) if self._separable is None else self._separable.linear

    def anywhere(self, count: int, skipped: Collection[str] = ()) -> Matrix:
        """Give points that lie where the data are; none where these are on disk.

        Parameters
        ----------
        count : int
            How many.
        skipped : collection of str
            Parameters that are 1.

        Returns
        -------
        ndarray, shape (count, n)
        """
        return np.zeros((0, self._squares.n)) if self._squares.stored else self.scales.starts(skipped, count)

    def _pool(self, dimensions: int, share: int = 1) -> Matrix:
        """Give so many of them as parameters ask for."""
        count = min(POOL, POOLED << min(dimensions, 8))
        if not self._squares.stored and self.scales.waves:
            count = min(2 * POOL, max(count, WAVES * self._squares.m))
        if not (self._small and self._numbers):
            count = min(count, SLOW if self._small else SLOWEST)
        count = min(count, max(SLOWEST, NUMBERS // (self._squares.m * (self._squares.n + 1))))
        return self.anywhere(max(1, count // share), () if self._separable is None else self._separable.names)

    def best(self, start: Vector | None, *, sound: bool) -> list[Vector]:
        """Give the best of many points: those that the data suggest, and those around the start, the best first.

        They are looked at in groups, of which each gives its best: the very best ones are all the same.

        Parameters
        ----------
        start : ndarray, shape (n,), or None
            The start that was given.
        sound : bool
            Whether there is a minimum already, so that another need not be.

        Returns
        -------
        list of ndarray
        """
        X = self._pool(int((~self.linear).sum()), 4 if sound else 1)
        count = len(X)
        X = np.vstack([X, around(np.ones(self._squares.n) if start is None else start, max(4, count // 4))])
        values = self._rated(X)
        if start is None and np.isfinite(values[:count]).sum() > GROUPS:
            values[count:] = np.inf  # ones are a start only where the data suggest none
        most = min(GROUPS if self._small and not sound else 3, len(X))
        groups = [range(k, len(X), most) for k in range(most)]
        best = sorted((min(group, key=lambda i: values[i]) for group in groups), key=lambda i: values[i])
        return [X[i] for i in best if math.isfinite(values[i])]

    def in_parts(self, x: Vector) -> tuple[Vector, float]:
        """Let one parameter, or two, be anywhere, the others where they are.

        Parameters
        ----------
        x : ndarray, shape (n,)
            The point.

        Returns
        -------
        best : ndarray, shape (n,)
            The best that was found; the point itself where there are too many parameters, or there is but one.
        value : float
            The sum of squares there, the linear parameters at their best; infinite where nothing was found.
        """
        free = np.flatnonzero(~self.linear).tolist()
        if not 2 <= len(free) <= PARTS or not self._numbers:
            return x, math.inf
        parts = [[j] for j in free] + [list(pair) for pair in combinations(free, 2)]
        anywhere = self._pool(1)
        X = np.tile(x, (len(parts), len(anywhere), 1))
        for some, part in zip(X, parts, strict=True):
            some[:, part] = anywhere[:, part]
        X = X.reshape(-1, len(x))
        values = self._rated(X)
        best = int(np.argmin(values))
        return X[best], float(values[best])

    def _rated(self, X: Matrix) -> Vector:
        """Give the sum of squares at many points, the linear parameters at their best; infinite where there is none."""
        self.rated += len(X)
        problem, squares = self._separable, self._squares
        if self._numbers:
            step = max(1, BLOCK // (squares.m * (squares.n + 1)))
            many = self._at_many if problem is None else problem.at_many
            found = np.concatenate([many(part) for part in np.split(X, range(step, len(X), step))])
        else:
            found = np.array([squares.rss(x) if problem is None else problem.rss(problem.reduced(x)) for x in X])
        return np.where(np.isfinite(found), found, np.inf)

    def _at_many(self, X: Matrix) -> Vector:
        r, _ = self._together.at(X)
        return np.asarray(np.einsum("km,km->k", r, r))


def around(start: Vector, count: int) -> Matrix:
    """Give points around one: nearby first, then further and further away, signs turned round too.

    Parameters
    ----------
    start : ndarray, shape (n,)
        The point.
    count : int
        How many.

    Returns
    -------
    ndarray, shape (count, n)
    """
    rng = np.random.default_rng(0)
    width = np.linspace(0.3, 4.0, count)[:, None]
    factor = np.exp(width * rng.standard_normal((count, len(start))))
    factor[rng.random(factor.shape) < 0.1] *= -1
    return np.where(start == 0, rng.standard_normal(factor.shape) * width, start * factor)
