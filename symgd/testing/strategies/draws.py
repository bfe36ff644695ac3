"""What strategies of objectives are made of: numbers, bases, spectra, and the shape that they have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from numpy.typing import NDArray

from symgd.checks import is_number
from symgd.errors import UsageError, shown
from symgd.records import dataclass

Vector = NDArray[np.float64]
Range = float | Sequence[float]

LARGEST = 1e12  # a condition beyond it leaves gradients fewer than four digits
LISTED = 20  # parameters up to which each is drawn by itself
_POSITIONS = 1000  # places of an eigenvalue between the smallest and the largest


def bounds(name: str, value: Any, low: float, high: float, *, whole: bool = False) -> tuple[Any, Any]:
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
FOUR, THREE, YES = st.integers(0, 3), st.integers(0, 2), st.booleans()
SEED = st.integers(0, 2**32 - 1)
MINIMA = st.integers(-9, 9).map(float) | st.floats(-100, 100, allow_subnormal=False)


@lru_cache(maxsize=1024)
def _listed(n: int, low: int, high: int) -> SearchStrategy[list[int]]:
    return st.lists(st.integers(low, high), min_size=n, max_size=n)


def draw_whole(draw: DrawFn, n: int, low: int, high: int) -> NDArray[np.int64]:
    """Draw whole numbers: one by one as far as somebody may look at them, the rest from one seed."""
    first = np.array(draw(_listed(min(n, LISTED), low, high)), dtype=np.int64)
    return first if n <= LISTED else np.append(first, draw_random(draw).integers(low, high, n - LISTED, endpoint=True))


def draw_random(draw: DrawFn) -> np.random.Generator:
    """Draw the seed of random numbers, and give their generator."""
    return np.random.default_rng(draw(SEED))


# Whatever does not depend on the number of parameters is drawn before what does, and always: so a case still means the
# same when a parameter is taken away from it.


@dataclass(frozen=True)
class Shape:
    """What kind of objective it is, all but the numbers of each parameter."""

    n: int
    smallest: float
    largest: float
    spectrum: int
    basis: int
    centre: int
    minimum: float


def draw_shape(draw: DrawFn, sizes: SearchStrategy[int], condition: tuple[float, float], largest: Any) -> Shape:
    """Draw what an objective has in common with those of more or fewer parameters."""
    n, ratio = draw(sizes), draw(scales(*condition))
    if largest is None:
        small = draw(scales(1e-6, 1e6))
        big = small * ratio
    else:
        big = draw(scales(*largest))
        small = big / ratio
    while big / small > condition[1]:  # by rounding
        small = math.nextafter(small, math.inf)
    while big / small < condition[0]:
        small = math.nextafter(small, 0.0)
    return Shape(n, small, big, draw(FOUR), draw(FOUR), draw(THREE), draw(MINIMA))


def draw_vector(draw: DrawFn, n: int, kind: int) -> Vector:
    """Draw a point: 0, whole numbers, or any."""
    if kind == 0:
        return np.zeros(n)
    whole = draw_whole(draw, n, -9, 9)
    return whole.astype(float) if kind == 1 else draw_random(draw).uniform(-100, 100, n)


def draw_basis(draw: DrawFn, n: int, kind: int) -> tuple[NDArray[np.float64] | None, Vector | None]:
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
    v = draw_whole(draw, n, -3, 3)
    if kind == 2:
        if np.count_nonzero(v) < 2:  # it only turns an axis round
            return None, None
        whole = int(v @ v) * np.eye(n, dtype=int) - 2 * np.outer(v, v)
        whole //= np.gcd.reduce(whole, axis=1)[:, None]
        whole *= np.sign(whole[np.arange(n), np.argmax(whole != 0, axis=1)])[:, None]
        return whole.astype(float), np.sum(whole.astype(float) ** 2, axis=1)
    q, r = np.linalg.qr(draw_random(draw).normal(size=(n, n)))
    return q * np.sign(np.diagonal(r)), None


def draw_spectrum(draw: DrawFn, shape: Shape) -> Vector:
    """Draw eigenvalues with their smallest and largest: whole, repeated, in clusters, or only the ends."""
    n, small, big, kind = shape.n, shape.smallest, shape.largest, shape.spectrum
    if n <= 2:
        return np.array([big, small][:n])
    ratio, places = big / small, draw_whole(draw, n - 2, 0, _POSITIONS) / _POSITIONS
    if kind == 0:
        inner = small * ratio**places
        inner = np.rint(inner) if small.is_integer() and big.is_integer() and big < 1e6 else inner
    elif kind == 1:  # one value again and again
        inner = np.full(n - 2, small * ratio ** places[0])
    else:
        random = draw_random(draw)
        upper = random.random(n - 2) < 0.5
        # Two clusters, some of them as close as floats get; or none but the ends.
        near = 10 ** -random.uniform(2, 17, n - 2) if kind == 2 else 0.0
        inner = np.where(upper, big * (1 - near), small * (1 + near))
    return np.concatenate([[big], np.clip(inner, small, big), [small]])


def sizes_of(dims: Any, condition: Any, largest: Any) -> tuple[tuple[int, int], tuple[float, float], Any]:
    """Give the bounds of dimensions, conditions and largest curvatures, checked."""
    sizes = bounds("dims", dims, 1, 1_000, whole=True)
    ratios = bounds("condition", condition, 1, LARGEST)
    if ratios[0] > 1:
        if sizes[1] == 1:
            raise UsageError(f"condition={shown(condition)} of one parameter is always 1; give dims= of at least 2")
        sizes = (max(sizes[0], 2), sizes[1])
    return sizes, ratios, None if largest is None else bounds("largest", largest, 1e-100, 1e100)
