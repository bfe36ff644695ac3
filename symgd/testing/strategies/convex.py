"""Convex objectives: quadratics, and bowls that grow linearly far out."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from symgd.testing.classes import Ridges, quadratic, ridge
from symgd.testing.strategies.draws import (
    YES,
    Range,
    draw_basis,
    draw_shape,
    draw_spectrum,
    draw_vector,
    scales,
    sizes_of,
)


def convex_quadratics(
    dims: int | Sequence[int] = (1, 5), condition: Range = (1, 1e6), *, largest: Range | None = None,
    centred: bool = False,
) -> SearchStrategy[Ridges]:  # fmt: skip
    r"""Draw convex quadratics with known minimizer, minimum, L and mu.

    .. math:: f(x) = m + \tfrac12 (x - c)^T Q^T \mathrm{diag}(\lambda) Q (x - c)

    They are sums of squares along orthogonal directions, so that eigenvalues hold to a relative rounding for any
    condition, and values have no cancellation.

    Parameters
    ----------
    dims : int or (int, int)
        The number of parameters, from 1 to 1,000, or its bounds.
    condition : float or (float, float)
        The largest eigenvalue over the smallest, from 1 to 1e12, or its bounds. Above 1 it takes two parameters.
    largest : float or (float, float), optional
        The largest eigenvalue, from 1e-100 to 1e100, or its bounds; by default all sizes from 1e-6 on, 1 first.
    centred : bool
        Whether minimizer and minimum are 0.

    Returns
    -------
    SearchStrategy of Known

    Raises
    ------
    UsageError
        If bounds are out of order or out of range.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(convex_quadratics(dims=(2, 5), condition=(1, 1e4)))
    ... def test_gradient_descent_never_rises(f):
    ...     x = f.minimizer + 1
    ...     assert f.gap(x - f.jac(x) / f.L) <= f.gap(x)
    >>> test_gradient_descent_never_rises()
    """
    sizes, ratios, most = sizes_of(dims, condition, largest)

    counts = st.integers(*sizes)

    @st.composite
    def draws(draw: DrawFn) -> Ridges:
        shape = draw_shape(draw, counts, ratios, most)
        spectrum = draw_spectrum(draw, shape)
        basis, over = draw_basis(draw, shape.n, shape.basis)
        if centred:
            return quadratic(spectrum, basis=basis, over=over)
        return quadratic(spectrum, draw_vector(draw, shape.n, shape.centre), shape.minimum, basis=basis, over=over)

    return draws()


def convex_bowls(
    dims: int | Sequence[int] = (1, 5), condition: Range = (1, 1e4), *, strongly: bool | None = None,
    kinds: Sequence[str] = ("huber", "logcosh", "pseudohuber"), largest: Range | None = None,
) -> SearchStrategy[Ridges]:  # fmt: skip
    """Draw convex objectives that grow linearly far out: Huber, log-cosh and pseudo-Huber functions, rotated.

    Parameters
    ----------
    dims : int or (int, int)
        As for `convex_quadratics`, like ``condition`` and ``largest``.
    condition : float or (float, float)
        Of the Hessian at the minimizer; where the objective is strongly convex, also L over mu, nearly.
    strongly : bool, optional
        Whether a square is added, so that mu is positive; by default sometimes.
    kinds : sequence of str
        Which of them.
    largest : float or (float, float), optional
        The largest curvature of what is not the square.

    Returns
    -------
    SearchStrategy of Known

    Raises
    ------
    UsageError
        If bounds are out of order or out of range, or a kind is not known.
    """
    sizes, ratios, most = sizes_of(dims, condition, largest)
    for kind in kinds:
        ridge(kind, [1.0])  # refuses what it does not know
    kind_of = st.sampled_from(list(kinds))

    counts = st.integers(*sizes)

    @st.composite
    def draws(draw: DrawFn) -> Ridges:
        kind, scale = draw(kind_of), draw(scales(0.01, 100.0))
        square = draw(YES) if strongly is None else strongly
        shape = draw_shape(draw, counts, ratios, most)
        spectrum = draw_spectrum(draw, shape)
        basis, over = draw_basis(draw, shape.n, shape.basis)
        smallest = float(spectrum.min()) if square else 0.0
        centre = draw_vector(draw, shape.n, shape.centre)
        return ridge(kind, spectrum, centre, shape.minimum, basis=basis, over=over, scale=scale, smallest=smallest)

    return draws()
