"""Where a linear rule is stable: decided in exact arithmetic, from the characteristic polynomial.

The polynomial is ``P(z) + s*Q(z)``, with s the eigenvalue, or its product with the learning rate. Where a root z
crosses the unit circle, ``s = -P(z)/Q(z)`` is real, so that ``P(z)*Q(1/z) - P(1/z)*Q(z)`` vanishes: an equation for the
cosine of z's angle alone, of degree n - 1, whose roots give all the s that can end a stable interval. Between two of
them the test of Schur and Cohn decides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import pairwise

import numpy as np

from symgd.graph.exact import ratio_to_float
from symgd.insight.forms import NoMatrix
from symgd.insight.linear import LinearMap, Matrix, Polynomial

_DECADES = 9  # below and above 1 and 1/lambda that are looked at where lr and lambda do not enter as a product
_COARSE, _FINE = 4, 32  # learning rates per decade, more than three below and above that
_TRIED = (Fraction(2), Fraction(3, 7), Fraction(5), Fraction(1, 11))  # a polynomial that vanishes at all of them is 0


def is_stable(polynomial: Polynomial) -> bool:
    """Tell whether all roots lie inside the unit circle, exactly.

    Parameters
    ----------
    polynomial : list of Fraction
        Coefficients, of the highest power first.

    Returns
    -------
    bool

    References
    ----------
    Jury 1964, Theory and Application of the z-Transform Method, chapter 3 (the test of Schur and Cohn).
    """
    while len(polynomial) > 1:
        lead, last = polynomial[0], polynomial[-1]
        if abs(last) >= abs(lead):
            return False
        ratio = last / lead
        polynomial = [a - ratio * b for a, b in zip(polynomial[:-1], polynomial[:0:-1], strict=True)]
    return True


def crossings(p: Polynomial, q: Polynomial) -> list[float]:
    """Give all positive s at which a root of ``P + s*Q`` may cross the unit circle, in order.

    Parameters
    ----------
    p : list of Fraction
        P, of the highest power first.
    q : list of Fraction
        Q, likewise.

    Returns
    -------
    list of float
    """
    found = [ratio_to_float(-_at(p, z) / _at(q, z)) for z in (1, -1) if _at(q, z) != 0]
    cosines = _cosines(p, q)
    if cosines is None:  # s is real all around the circle: roots move along it
        cosines = np.cos(np.linspace(0, math.pi, 257)[1:-1])
    angles = np.exp(1j * np.arccos(cosines))
    above, below = (np.polyval([ratio_to_float(c) for c in f], angles) for f in (p, q))
    real = [float(-(a / b).real) for a, b in zip(above, below, strict=True) if b != 0]
    return sorted({s for s in (*found, *real) if 0 < s < math.inf})


def _at(polynomial: Polynomial, z: int) -> Fraction:
    return sum((c * z**k for k, c in enumerate(reversed(polynomial))), Fraction(0))


def _cosines(p: Polynomial, q: Polynomial) -> Matrix | None:
    """Solve for the cosines of the angles at which s is real; ``None`` where it is everywhere.

    ``sum(r[k]*(z**k - z**-k))`` over ``z - 1/z`` is ``sum(r[k]*U[k - 1](c))``, with Chebyshev's polynomials of the
    second kind.
    """
    n = len(p) - 1
    up, uq = p[::-1], q[::-1]
    series = [sum(up[j + k] * uq[j] - up[j] * uq[j + k] for j in range(n + 1 - k)) for k in range(1, n + 1)]
    total = [Fraction(0)] * n
    before, chebyshev = [Fraction(0)] * n, [Fraction(1)] + [Fraction(0)] * (n - 1)
    for factor in series:
        total = [t + factor * c for t, c in zip(total, chebyshev, strict=True)]
        doubled = [Fraction(0), *(2 * c for c in chebyshev[:-1])]
        before, chebyshev = chebyshev, [d - b for d, b in zip(doubled, before, strict=True)]
    while total and total[-1] == 0:
        total.pop()
    if not total:
        return None
    size = max(map(abs, total))
    roots = np.roots([float(c / size) for c in reversed(total)])
    # Two equal roots come out as a close complex pair: what is taken for a root and is none costs one more test.
    near: Matrix = roots[np.abs(roots.imag) < 1e-3].real
    return near[np.abs(near) < 1]


def stable_lr(found: LinearMap, eigenvalue: float, hyper: Mapping[str, float] | None = None) -> float:
    """Give the end of the stable interval that begins at 0; see `LinearMap.stable_lr`."""
    if math.isnan(eigenvalue):
        return math.nan
    if eigenvalue == 0:
        return math.inf
    if math.isinf(eigenvalue):
        return 0.0
    try:
        if is_product(found, hyper):
            p, q = found.polynomials(Fraction(1), hyper)
            edge = _first_edge(p, q if eigenvalue > 0 else [-c for c in q])
            return edge / abs(eigenvalue)
        return _scan(found, eigenvalue, hyper)
    except NoMatrix:
        return math.nan


def is_product(found: LinearMap, hyper: Mapping[str, float] | None = None) -> bool:
    """Tell whether the learning rate and the eigenvalue enter the polynomial by their product alone."""
    try:
        p, q = found.polynomials(Fraction(1), hyper)
        others = [(lr, *found.polynomials(lr, hyper)) for lr in _TRIED]
    except NoMatrix:
        return False
    return all(a == p and b == [lr * c for c in q] for lr, a, b in others)


def _first_edge(p: Polynomial, q: Polynomial) -> float:
    """Give the end of the interval of stable s that begins at 0."""

    def stable(s: float | Fraction) -> bool:
        exact = Fraction(s)
        return is_stable([a + exact * b for a, b in zip(p, q, strict=True)])

    edges = [0.0, *crossings(p, q)]
    for low, high in pairwise([*edges, 2 * edges[-1] + 1]):
        if not stable((low + high) / 2):
            return _sharpened(stable, low)
    return math.inf


def _sharpened(stable: Callable[[float | Fraction], bool], edge: float) -> float:
    """Bisect around an edge that is known but for rounding."""
    for width in (1e-12, 1e-9, 1e-6, 1e-3):
        low, high = edge * (1 - width), edge * (1 + width)
        if stable(low) and not stable(high):
            while low < (middle := (low + high) / 2) < high:
                low, high = (middle, high) if stable(middle) else (low, middle)
            return high if stable((Fraction(low) + Fraction(high)) / 2) else low  # whichever is nearer
    return edge


def stable_below(found: LinearMap, lr: float, eigenvalue: float, hyper: Mapping[str, float] | None = None) -> bool:
    """Tell whether a learning rate is stable for all eigenvalues from 0 (without it) to the given one, with it."""
    p, q = found.polynomials(lr, hyper)
    sign = 1 if eigenvalue > 0 else -1
    edges = [s for s in crossings(p, [sign * c for c in q]) if s < abs(eigenvalue)]
    tests = [Fraction((low + high) / 2) for low, high in pairwise([0.0, *edges, abs(eigenvalue)])]
    tests.append(abs(Fraction(eigenvalue)))
    return all(is_stable([a + sign * s * b for a, b in zip(p, q, strict=True)]) for s in tests)


def _scan(found: LinearMap, eigenvalue: float, hyper: Mapping[str, float] | None) -> float:
    """Look at learning rates in turn, each of which is decided exactly for all eigenvalues at once."""
    # The limit has the size of 1/lambda in most rules, and that of a hyperparameter or a power of it in others.
    low, high = sorted((0.0, -math.log10(abs(eigenvalue))))
    low, middle, high = max(low - _DECADES, -300), max(low - 3, -300), min(high + _DECADES, 300)
    grid = np.concatenate([np.logspace(low, middle, math.ceil((middle - low) * _COARSE), endpoint=False),
                           np.logspace(middle, high, math.ceil((high - middle) * _FINE))])  # fmt: skip
    tests: list[float] = sorted({*grid.tolist(), *_affine_tests(found, eigenvalue, hyper)})
    good = 0.0
    for lr in tests:
        if not stable_below(found, lr, eigenvalue, hyper):
            if good == 0:
                return 0.0
            while good < (half := (good + lr) / 2) < lr:
                good, lr = (half, lr) if stable_below(found, half, eigenvalue, hyper) else (good, half)  # noqa: PLW2901
            return lr
        good = lr
    return math.inf


def _affine_tests(found: LinearMap, eigenvalue: float, hyper: Mapping[str, float] | None) -> list[float]:
    """Give a learning rate from each interval at the largest eigenvalue, where the polynomial is affine in it."""

    def polynomial(lr: Fraction) -> Polynomial:
        p, q = found.polynomials(lr, hyper)
        return [a + Fraction(eigenvalue) * b for a, b in zip(p, q, strict=True)]

    try:
        start = polynomial(Fraction(0))
    except NoMatrix:
        return []
    slope = [b - a for a, b in zip(start, polynomial(Fraction(1)), strict=True)]
    if any(polynomial(lr) != [a + lr * b for a, b in zip(start, slope, strict=True)] for lr in _TRIED):
        return []
    edges = [0.0, *crossings(start, slope)]
    return [(low + high) / 2 for low, high in pairwise([*edges, 2 * edges[-1]]) if low < high]
