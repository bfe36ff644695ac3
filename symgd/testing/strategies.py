"""Hypothesis strategies of objectives about which everything is known, of starts, and of learning rates.

What is drawn shrinks to what a person can read: one parameter, the axes for a basis, small whole numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from numpy.typing import NDArray

from symgd.checks import is_number
from symgd.errors import UsageError, shown
from symgd.testing.classes import Known, Ridges, quadratic, ridge

Vector = NDArray[np.float64]
Range = float | Sequence[float]

LARGEST = 1e12  # a condition beyond it leaves gradients fewer than four digits
_POSITIONS = 1000  # places of an eigenvalue between the smallest and the largest


# ---- numbers and vectors ---------------------------------------------------------------------------------------------


def _range(name: str, value: Any, low: float, high: float, *, whole: bool = False) -> tuple[Any, Any]:
    """Give a number, or a pair of them, as a pair."""
    pair = tuple(value) if isinstance(value, tuple | list) else (value, value)
    fine = len(pair) == 2 and all(is_number(v) and low <= v <= high for v in pair) and pair[0] <= pair[1]
    if not fine or (whole and any(float(v) != int(v) for v in pair)):
        what = "a whole number" if whole else "a number"
        raise UsageError(f"{name}={shown(value)} must be {what} from {low:g} to {high:g}, or a pair of them in order")
    return (int(pair[0]), int(pair[1])) if whole else (float(pair[0]), float(pair[1]))


@lru_cache(maxsize=1024)
def scales(low: float, high: float) -> SearchStrategy[float]:
    """Draw positive numbers of all sizes, whole ones first."""
    if low == high:
        return st.just(low)
    wide = st.floats(math.log(low), math.log(high)).map(lambda u: min(max(math.exp(u), low), high))
    least, most = math.ceil(low), min(math.floor(high), 99)
    return st.integers(least, most).map(float) | wide if least <= most else wide


# Drawing costs more than what is made of it: one strategy each, made once, and few draws an example. What is random
# comes from one seed, drawn after the whole numbers that it replaces: to Hypothesis the shorter sequence of draws is
# the simpler one, so that it gives way to them.
_four, _three, _yes = st.integers(0, 3), st.integers(0, 2), st.booleans()
_seed = st.integers(0, 2**32 - 1)
_place = st.integers(0, _POSITIONS)
_minima = st.integers(-9, 9).map(float) | st.floats(-100, 100, allow_subnormal=False)


@lru_cache(maxsize=1024)
def _whole(n: int, most: int) -> SearchStrategy[list[int]]:
    return st.lists(st.integers(-most, most), min_size=n, max_size=n)


@lru_cache(maxsize=1024)
def _places(n: int) -> SearchStrategy[list[int]]:
    return st.lists(_place, min_size=n, max_size=n)


def _random(draw: DrawFn) -> np.random.Generator:
    return np.random.default_rng(draw(_seed))


# Whatever does not depend on the number of parameters is drawn before what does, and always: so a case still means the
# same when a parameter is taken away from it.


@dataclass(frozen=True)
class _Shape:
    """What kind of objective it is, all but the numbers of each parameter."""

    n: int
    ratio: float
    largest: float
    spectrum: int
    basis: int
    centre: int
    minimum: float


def _shape(draw: DrawFn, sizes: SearchStrategy[int], condition: tuple[float, float], largest: Any) -> _Shape:
    n, ratio = draw(sizes), draw(scales(*condition))
    size = draw(scales(1e-6, 1e6)) * ratio if largest is None else draw(scales(*largest))
    return _Shape(n, ratio, size, draw(_four), draw(_four), draw(_three), draw(_minima))


def _vector(draw: DrawFn, n: int, kind: int) -> Vector:
    """Draw a point: 0, whole numbers, or any."""
    if kind == 0:
        return np.zeros(n)
    whole = np.array(draw(_whole(n, 9)), dtype=float)
    return whole if kind == 1 else _random(draw).uniform(-100, 100, n)


def _basis(draw: DrawFn, n: int, kind: int) -> tuple[NDArray[np.float64] | None, Vector | None]:
    """Draw orthogonal directions as rows, with their squared lengths: axes, pairs, reflections, any.

    The first three are whole numbers; the last is uniform among all of them.
    """
    if kind == 0 or n == 1:
        return None, None
    if kind == 1:
        rows, over = np.eye(n), np.ones(n)
        for i in range(0, n - 1, 2):
            rows[i : i + 2, i : i + 2] = [[1, 1], [1, -1]]
            over[i : i + 2] = 2
        return rows, over
    v = np.array(draw(_whole(n, 3)))
    if kind == 2:
        if np.count_nonzero(v) < 2:  # it only turns an axis round
            return None, None
        whole = int(v @ v) * np.eye(n, dtype=int) - 2 * np.outer(v, v)
        whole //= np.gcd.reduce(whole, axis=1)[:, None]
        return whole.astype(float), np.sum(whole.astype(float) ** 2, axis=1)
    q, r = np.linalg.qr(_random(draw).normal(size=(n, n)))
    return q * np.sign(np.diagonal(r)), None


def _spectrum(draw: DrawFn, shape: _Shape) -> Vector:
    """Draw eigenvalues with their smallest and largest: whole, repeated, in clusters, or only the ends."""
    n, ratio, big, kind = shape.n, shape.ratio, shape.largest, shape.spectrum
    small = big / ratio
    if n <= 2:
        return np.array([big, small][:n])
    if kind == 0:
        inner = small * ratio ** (np.array(draw(_places(n - 2))) / _POSITIONS)
        inner = np.rint(inner) if small.is_integer() and big.is_integer() and big < 1e6 else inner
    elif kind == 1:  # one value again and again
        inner = np.full(n - 2, small * ratio ** (draw(_place) / _POSITIONS))
    else:
        random = _random(draw)
        upper = random.random(n - 2) < 0.5
        # Two clusters, some of them as close as floats get; or none but the ends.
        near = 10 ** -random.uniform(2, 17, n - 2) if kind == 2 else 0.0
        inner = np.where(upper, big * (1 - near), small * (1 + near))
    return np.concatenate([[big], np.clip(inner, small, big), [small]])


# ---- objectives ------------------------------------------------------------------------------------------------------


def _sizes(dims: Any, condition: Any, largest: Any) -> tuple[tuple[int, int], tuple[float, float], Any]:
    sizes = _range("dims", dims, 1, 10_000, whole=True)
    ratios = _range("condition", condition, 1, LARGEST)
    if ratios[0] > 1:
        if sizes[1] == 1:
            raise UsageError(f"condition={shown(condition)} of one parameter is always 1; give dims= of at least 2")
        sizes = (max(sizes[0], 2), sizes[1])
    return sizes, ratios, None if largest is None else _range("largest", largest, 1e-100, 1e100)


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
        The number of parameters, from 1 to 10,000, or its bounds.
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
    sizes, ratios, most = _sizes(dims, condition, largest)

    counts = st.integers(*sizes)

    @st.composite
    def draws(draw: DrawFn) -> Ridges:
        shape = _shape(draw, counts, ratios, most)
        spectrum = _spectrum(draw, shape)
        basis, over = _basis(draw, shape.n, shape.basis)
        if centred:
            return quadratic(spectrum, basis=basis, over=over)
        return quadratic(spectrum, _vector(draw, shape.n, shape.centre), shape.minimum, basis=basis, over=over)

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
    sizes, ratios, most = _sizes(dims, condition, largest)
    for kind in kinds:
        ridge(kind, [1.0])  # refuses what it does not know
    kind_of = st.sampled_from(list(kinds))

    counts = st.integers(*sizes)

    @st.composite
    def draws(draw: DrawFn) -> Ridges:
        kind, scale = draw(kind_of), draw(scales(0.01, 100.0))
        square = draw(_yes) if strongly is None else strongly
        shape = _shape(draw, counts, ratios, most)
        spectrum = _spectrum(draw, shape)
        basis, over = _basis(draw, shape.n, shape.basis)
        smallest = float(spectrum.min()) if square else 0.0
        centre = _vector(draw, shape.n, shape.centre)
        return ridge(kind, spectrum, centre, shape.minimum, basis=basis, over=over, scale=scale, smallest=smallest)

    return draws()


# ---- starts and learning rates -----------------------------------------------------------------------------------


def starts(of: Known | int, *, away: bool = True) -> SearchStrategy[Vector]:
    """Draw starts: whole steps from the minimizer, near and far.

    Parameters
    ----------
    of : Known or int
        The objective, or the number of parameters, for starts around 0.
    away : bool
        Whether the minimizer itself is left out.

    Returns
    -------
    SearchStrategy of array of shape (n,)

    Raises
    ------
    UsageError
        If there is no parameter.
    """
    if not isinstance(of, Known) and not (is_number(of) and of >= 1):
        raise UsageError(f"of={shown(of)} must be an objective of symgd.testing, or a whole number of at least 1")
    n, centre = (of.n, of.minimizer) if isinstance(of, Known) else (int(of), np.zeros(int(of)))
    return _offsets(n, away).map(lambda offset: centre + offset)


@lru_cache(maxsize=1024)
def _offsets(n: int, away: bool) -> SearchStrategy[Vector]:  # noqa: FBT001 - private
    @st.composite
    def draws(draw: DrawFn) -> Vector:
        kind, offset = draw(_three), np.array(draw(_whole(n, 9)), dtype=float)
        if kind == 2:
            random = _random(draw)
            return random.normal(size=n) * 10 ** random.uniform(-3, 3)
        if away and not offset.any():
            offset[0] = 1.0
        return offset

    return draws()


_shares = st.sampled_from([1.0, 0.5, 0.25, 0.75, 0.1, 0.9, 0.01]) | st.floats(1e-3, 1.0, allow_subnormal=False)


def shares() -> SearchStrategy[float]:
    """Draw shares of what is largest: all of it first, then simple fractions, then any."""
    return _shares


def learning_rates(of: Known | float, *, method: str | Any = "gd", stable: bool = True) -> SearchStrategy[float]:
    """Draw learning rates: shares of the largest stable one, up to 0.99 of it, or up to four times it.

    Parameters
    ----------
    of : Known or float
        The objective, or its largest curvature L, positive.
    method : str or Rule
        A linear rule of the table, or one's own.
    stable : bool
        Whether the rule must be stable for curvatures from 0 to L.

    Returns
    -------
    SearchStrategy of float

    Raises
    ------
    UsageError
        If L is not positive and finite, or the rule has no largest stable learning rate.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(learning_rates(4.0), lambda lr: lr > 0.1)
    0.25
    """
    from symgd.rules import find_rule

    largest = of.L if isinstance(of, Known) else float(of)
    if not (0 < largest < math.inf):
        raise UsageError(f"L={shown(largest)} must be positive and finite")
    rule = find_rule(method)
    limit = rule.theory(largest=largest).stable_lr
    if limit is None or not 0 < limit < math.inf:
        raise UsageError(f"{rule.name or 'this rule'} has no largest stable learning rate; draw them by hand")
    fractions = [0.5, 0.25, 0.75, 0.9, 0.1, 0.01] + ([] if stable else [1.0, 1.01, 2.0])
    share = st.sampled_from(fractions) | st.floats(1e-3, 0.99 if stable else 4.0, allow_subnormal=False)
    return share.map(lambda s: s * limit)
