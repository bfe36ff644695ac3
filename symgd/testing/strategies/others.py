"""Losses on random data, objectives that are not convex, and those from theorems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from numpy.typing import NDArray

from symgd.errors import UsageError, shown
from symgd.testing.classes import HILLS, Hilly, Kinked, LeastSquares, Lessard, Logistic, Resisting, ridge
from symgd.testing.classes.known import Known
from symgd.testing.strategies.draws import (
    THREE,
    YES,
    bounds,
    draw_basis,
    draw_random,
    draw_shape,
    draw_spectrum,
    draw_vector,
    draw_whole,
    scales,
)


def _table(draw: DrawFn, rows: int, columns: int, *, random: bool) -> NDArray[np.float64]:
    """Draw data: small whole numbers, or normal ones in columns of different sizes."""
    whole = draw_whole(draw, rows * columns, -3, 3).reshape(rows, columns).astype(float)
    if random:
        numbers = draw_random(draw)
        whole = numbers.normal(size=(rows, columns)) * 10.0 ** numbers.uniform(-1, 1, columns)
    if not whole.any():
        whole[0, 0] = 1.0
    return whole


def _counts(dims: Any, rows: Any) -> tuple[SearchStrategy[int], SearchStrategy[int]]:
    columns = st.integers(*bounds("dims", dims, 1, 100, whole=True))
    return columns, st.integers(*bounds("rows", rows, 1, 1000, whole=True))


def least_squares(
    dims: int | Sequence[int] = (1, 4), rows: int | Sequence[int] = (1, 12)
) -> SearchStrategy[LeastSquares]:
    """Draw linear least squares on data, with residuals or without, of full rank or not.

    Parameters
    ----------
    dims : int or (int, int)
        The number of coefficients, from 1 to 100, or its bounds.
    rows : int or (int, int)
        The number of rows, from 1 to 1,000, or its bounds.

    Returns
    -------
    SearchStrategy of Known
        Their minimizer is one of many where columns depend on each other; ``nearest`` gives them all.

    Raises
    ------
    UsageError
        If bounds are out of order or out of range.
    """
    counts, lengths = (
        st.integers(*bounds(*given, whole=True)) for given in (("dims", dims, 1, 100), ("rows", rows, 1, 1000))
    )

    @st.composite
    def draws(draw: DrawFn) -> LeastSquares:
        random, rest, kind, n, length = draw(YES), draw(YES), draw(THREE), draw(counts), draw(lengths)
        X = _table(draw, length, n, random=random)
        residual = draw_whole(draw, length, -9, 9) if rest else None
        return LeastSquares(X, draw_vector(draw, n, kind), residual)

    return draws()


def logistic_losses(
    dims: int | Sequence[int] = (1, 4), rows: int | Sequence[int] = (1, 12), *, ridge: bool | None = None
) -> SearchStrategy[Logistic]:
    """Draw logistic losses on data with probabilities for labels.

    Parameters
    ----------
    dims : int or (int, int)
        As for `least_squares`, like ``rows``.
    rows : int or (int, int)
        Likewise.
    ridge : bool, optional
        Whether they are strongly convex; by default sometimes.

    Returns
    -------
    SearchStrategy of Known

    Raises
    ------
    UsageError
        If bounds are out of order or out of range.
    """
    counts, lengths = (
        st.integers(*bounds(*given, whole=True)) for given in (("dims", dims, 1, 100), ("rows", rows, 1, 1000))
    )

    @st.composite
    def draws(draw: DrawFn) -> Logistic:
        random, strong = draw(YES), draw(YES) if ridge is None else ridge
        size = draw(scales(1e-3, 1.0)) if strong else 0.0
        kind, n, length = draw(THREE), draw(counts), draw(lengths)
        X = _table(draw, length, n, random=random)
        best = draw_vector(draw, n, kind)
        # Beyond, probabilities are 0 and 1 to rounding, and the loss has no smallest value.
        far = float(np.abs(X @ best).max())
        return Logistic(X, best * min(1.0, 8 / far) if far else best, size)

    return draws()


def hilly(
    dims: int | Sequence[int] = (1, 4), *, kinds: Sequence[str] = tuple(HILLS), square: bool | None = None
) -> SearchStrategy[Hilly]:
    """Draw objectives that are not convex, with a known minimum and bounds of the curvature.

    Parameters
    ----------
    dims : int or (int, int)
        The number of parameters, from 1 to 100, or its bounds.
    kinds : sequence of str
        ``"cosine"``, ``"welsch"``, ``"geman"``, ``"cauchy"``, or some of them.
    square : bool, optional
        Whether a square is added, so small that they stay as they are; by default sometimes.

    Returns
    -------
    SearchStrategy of Known

    Raises
    ------
    UsageError
        If bounds are out of order or out of range, or a kind is not known.
    """
    sizes = bounds("dims", dims, 1, 100, whole=True)
    for kind in kinds:
        Hilly(kind, [1.0], [0.0])  # refuses what it does not know
    if not kinds:
        raise UsageError(f"kinds={shown(kinds)} must name at least one of {', '.join(HILLS)}")
    counts, kind_of = st.integers(*sizes), st.sampled_from(list(kinds))

    @st.composite
    def draws(draw: DrawFn) -> Hilly:
        kind, share = draw(kind_of), draw(YES) if square is None else square
        shape = draw_shape(draw, counts, (1.0, 1e3), None)
        weights = draw_spectrum(draw, shape)
        basis, _ = draw_basis(draw, shape.n, shape.basis)
        size = -HILLS[kind].low * float(weights.max()) / 4 if share else 0.0
        return Hilly(kind, weights, draw_vector(draw, shape.n, shape.centre), shape.minimum, basis=basis, square=size)

    return draws()


def kinked(dims: int | Sequence[int] = (1, 4)) -> SearchStrategy[Kinked]:
    """Draw weighted sums of distances along the axes, which have a kink at their minimizer.

    Parameters
    ----------
    dims : int or (int, int)
        The number of parameters, from 1 to 100, or its bounds.

    Returns
    -------
    SearchStrategy of Known

    Raises
    ------
    UsageError
        If bounds are out of order or out of range.
    """
    counts = st.integers(*bounds("dims", dims, 1, 100, whole=True))

    @st.composite
    def draws(draw: DrawFn) -> Kinked:
        shape = draw_shape(draw, counts, (1.0, 1e3), None)
        return Kinked(draw_spectrum(draw, shape), draw_vector(draw, shape.n, shape.centre), shape.minimum)

    return draws()


def extremal() -> SearchStrategy[Known]:
    """Draw objectives from theorems: Huber functions of one number, Lessard's, and those that resist subgradients.

    Returns
    -------
    SearchStrategy of Known
    """
    huber = st.builds(lambda L, knee: ridge("huber", [L], scale=knee), scales(0.01, 100.0), scales(0.001, 10.0))
    resisting = st.builds(Resisting, st.integers(1, 9), scales(0.1, 10.0), scales(0.1, 10.0))
    return huber | st.builds(Lessard) | resisting
