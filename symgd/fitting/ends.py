"""What is around the end of a search: ways down, kinks, edges of the domain, parameters that run off to infinity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from symgd.graph import Map, Node, reachable
from symgd.records import dataclass
from symgd.squares import Squares, State, advance, begin
from symgd.squares.factors import Factors, factors

Vector = NDArray[np.float64]

NEAR = (1e-2, 1e-4)  # how far a parameter is moved to see what is beside it, in its standard errors
TINY = 1e-6  # the same relative to its size
BESIDE = 1e-9  # how far from a kink its sides are looked at, relative to a parameter's size
CLOSE = 1e-2  # how near a kink is looked for, relative to a parameter's size
BENT = {"maximum", "minimum", "less", "less_equal", "greater", "greater_equal"}
FAR = (1.0, 10.0, 100.0, 1000.0)  # how far it is moved to see whether anything holds it
STEPS = 12  # that the other parameters get to follow
FALLS = 1e-9  # relative reduction of the sum of squares that counts as a way down
HELD = 1e-3  # rise of the sum of squares, in residual variances, that does not count as one
FELT = 1e-7  # of the target's size: what a parameter that is felt changes when it is doubled
GONE = 1e-13  # of the target's size: what a parameter that is gone changes when it is doubled
FEW = 30  # parameters that are looked at one by one


class Pinned:
    """The sum of squares as a function of all parameters but some, which are held.

    Parameters
    ----------
    squares : Squares
        The residuals.
    x : ndarray, shape (n,)
        The point.
    held : sequence of int
        Places of the parameters that keep their values.
    """

    def __init__(self, squares: Squares, x: Vector, held: Sequence[int]) -> None:
        self._squares, self._x = squares, x
        self._free = np.ones(len(x), dtype=bool)
        self._free[list(held)] = False
        sizes = [math.prod(shape) for shape in squares.shapes.values()]
        owners = np.repeat(np.arange(len(sizes)), sizes)
        self._names = frozenset(np.array(list(squares.shapes))[np.unique(owners[self._free])].tolist())

    def full(self, a: Vector) -> Vector:
        """Give all parameters."""
        x = self._x.copy()
        x[self._free] = a
        return x

    def rss(self, a: Vector) -> float:
        """Give the sum of the squared residuals."""
        return self._squares.rss(self.full(a))

    def normal(self, a: Vector) -> Factors:
        """Give residuals and Jacobian, factorised."""
        r, J = self._squares.jacobian(self.full(a), only=self._names)
        return factors(r, J[:, self._free])

    @np.errstate(all="ignore")
    def best(self, steps: int = STEPS) -> tuple[Vector, float]:
        """Give where the other parameters go, and the sum of squares there; infinite where there is none."""
        a = self._x[self._free]
        if not len(a):
            return self._x, self._squares.rss(self._x)
        state: State = begin(self, a)
        if not (state.factors.finite and math.isfinite(state.factors.rss)):
            return self._x, math.inf
        for _ in range(steps):
            state = advance(self, state)
            if state.moved == 0 or state.predicted < FALLS / 10:
                break
        return self.full(state.x), state.factors.rss


class Sized(Protocol):
    """What knows how large parameters may be."""

    @property
    def sizes(self) -> Vector:
        """The largest size that each number of the parameters may have, shape (n,)."""


@dataclass(frozen=True, eq=False)
class Around:
    """What is beside a point.

    Parameters
    ----------
    lower : ndarray, shape (n,), or None
        A point beside it at which the sum of squares is lower, if there is one.
    edges : tuple of int
        Parameters on one side of which the model is not finite.
    """

    lower: Vector | None
    edges: tuple[int, ...]


def errors_of(found: Factors, m: int) -> Vector:
    """Give standard errors as the Jacobian has them, infinite where it is singular."""
    n = len(found.R)
    if not found.finite or found.rank < n:
        return np.full(n, np.inf)
    with np.errstate(all="ignore"):
        rows = np.linalg.norm(np.linalg.inv(found.R), axis=1)
        return np.asarray(rows * math.sqrt(found.rss / max(1, m - n)))


@np.errstate(all="ignore")
def beside_of(squares: Squares, x: Vector, found: Factors, noise: float, kinks: Kinks) -> Around:
    """Look to both sides of a point, along each parameter, the others following.

    Parameters
    ----------
    squares : Squares
        The residuals.
    x : ndarray, shape (n,)
        The point.
    found : Factors
        Residuals and Jacobian there.
    noise : float
        What the sum of squares changes by rounding.
    kinks : Kinks
        Those of the model.

    Returns
    -------
    Around
    """
    errors, edges = errors_of(found, squares.m), []
    low = found.rss * (1 - FALLS) - noise
    places = range(min(len(x), FEW))
    held = [Pinned(squares, _moved(x, j, step), [j]).best() for j in places for step in (0.0, *kinks.near(x, j))]
    point, rss = min(held, key=lambda pair: pair[1])
    if rss < low:
        return Around(point, ())
    for j in places:
        for step in _beside(x[j], errors[j]):
            moved = _moved(x, j, step)
            point, rss = Pinned(squares, moved, [j]).best()
            if rss < low:
                return Around(point, ())
            if not math.isfinite(squares.rss(moved)) and j not in edges:
                edges.append(j)
    return Around(None, tuple(edges))


def _moved(x: Vector, j: int, step: float) -> Vector:
    moved = x.copy()
    moved[j] += step
    return moved


@np.errstate(all="ignore")
def one_side(squares: Squares, x: Vector, found: Factors) -> Factors:
    """Give the Jacobian at a kink as it is on the flatter side, where the sum of squares rises less.

    Parameters
    ----------
    squares : Squares
        The residuals.
    x : ndarray, shape (n,)
        A minimum at a kink.
    found : Factors
        Residuals and Jacobian there.

    Returns
    -------
    Factors
    """
    sides = []
    for j in range(min(len(x), FEW)):
        step = BESIDE * abs(x[j]) or BESIDE
        both = [squares.normal(_moved(x, j, sign * step)) for sign in (1, -1)]
        slopes = [abs(float(side.gradient[j])) for side in both]
        if all(side.finite for side in both) and not math.isclose(*slopes, rel_tol=1e-3):
            sides += list(zip(slopes, both, strict=True))
    return min(sides, key=lambda pair: pair[0])[1] if sides else found


def _beside(x: float, error: float) -> list[float]:
    """Give steps of a parameter that are short: for its error, and for its size."""
    sizes = {TINY * abs(x) or TINY}
    for share in NEAR:
        if 0 < share * error < math.inf:
            sizes.add(min(share * error, 0.1 * abs(x)) if x else share * error)
    return [sign * size for size in sorted(sizes) for sign in (1, -1)]


class Kinks:
    """The places where a model has a kink: where the argument of an absolute value, or a comparison, changes its sign.

    Parameters
    ----------
    squares : Squares
        The residuals.
    """

    def __init__(self, squares: Squares) -> None:
        self._squares = squares
        pairs: list[tuple[Node, Node | None]] = []
        for node in reachable([term.residual for term in squares.terms]):
            if isinstance(node, Map) and node.active:
                if node.function in ("abs", "relu", "sign"):
                    pairs.append((node.args[0], None))
                elif node.function in BENT and len(node.args) == 2:
                    pairs.append((node.args[0], node.args[1]))
        self._pairs = pairs
        self._tape = squares.tape([node for pair in pairs for node in pair if node is not None]) if pairs else None

    @property
    def any(self) -> bool:
        """Whether there are some."""
        return bool(self._pairs)

    def _arguments(self, x: Vector) -> Vector:
        """Give what changes its sign at a kink, for all of them and all rows."""
        assert self._tape is not None
        values = self._tape.at(self._squares.point(x))
        return np.concatenate([np.ravel(values[a] - (0.0 if b is None else values[b])) for a, b in self._pairs])

    def near(self, x: Vector, j: int) -> list[float]:
        """Give the steps of a parameter to the next kink on either side, where it is near.

        Parameters
        ----------
        x : ndarray, shape (n,)
            The point.
        j : int
            The parameter's place.

        Returns
        -------
        list of float
        """
        if self._tape is None:
            return []
        size = TINY * abs(x[j]) or TINY
        here, there = self._arguments(x), self._arguments(_moved(x, j, size))
        steps = -here / ((there - here) / size)
        steps = steps[np.isfinite(steps) & (steps != 0) & (np.abs(steps) < CLOSE * (abs(x[j]) or 1.0))]
        sides = [steps[steps > 0], -steps[steps < 0]]
        return [sign * float(side.min()) for sign, side in zip((1, -1), sides, strict=True) if len(side)]


@np.errstate(all="ignore")
def running_off(
    squares: Squares, x: Vector, found: Factors, magnitude: float, scales: Sized
) -> tuple[tuple[int, ...], Vector | None]:
    """Find parameters that nothing holds: far away, the others following, the sum of squares is no larger.

    Parameters
    ----------
    squares : Squares
        The residuals.
    x : ndarray, shape (n,)
        A minimum, as far as the curvature tells.
    found : Factors
        Residuals and Jacobian there.
    magnitude : float
        The size of the target.
    scales : Sized
        What the parameters may be as large as, by the units of the data.

    Returns
    -------
    lost : tuple of int
        Their places, with those of the parameters that have no effect when they are gone.
    lower : ndarray or None
        A point far away that is better than a little.
    """
    m, n = squares.m, len(x)
    norms = found.norms
    errors = np.maximum(errors_of(found, m), FELT * magnitude / norms)
    suspects = [j for j in range(n) if not errors[j] < abs(x[j])] if n <= FEW else []
    if not suspects:
        return (), None
    lengths = np.maximum(np.abs(x), np.minimum(errors, scales.sizes))
    lengths = np.where(lengths > 0, lengths, scales.sizes)
    noise = float(8 * np.finfo(float).eps * magnitude) ** 2
    most = found.rss + HELD * found.rss / max(1, m - n) + noise
    together = np.isin(np.arange(n), suspects)
    if all(squares.rss(np.where(together, (1 + share) * x, x)) <= most for share in FAR) and x[together].all():
        return tuple(suspects), None
    lost: set[int] = set()
    for j in suspects:
        if j in lost:
            continue
        far = _pushed(squares, x, j, lengths[j], most)
        if far is None:
            continue
        point, rss = far
        if rss < found.rss * (1 - HELD) - noise:
            return (), point
        lost.add(j)
        norms = squares.normal(point).norms
        grown = np.abs(point) > 0.1 * FAR[-1] * np.abs(x)
        gone = ~(norms * np.abs(point) > GONE * magnitude)
        lost |= {i for i in suspects if grown[i] or gone[i]}
    return tuple(sorted(lost)), None


def _pushed(squares: Squares, x: Vector, j: int, length: float, most: float) -> tuple[Vector, float] | None:
    """Move a parameter further and further away; give the furthest point, unless something holds it on both sides."""
    for sign in (1.0, -1.0) if x[j] >= 0 else (-1.0, 1.0):
        point, rss = x, math.inf
        for share in FAR:
            point, rss = Pinned(squares, _moved(point, j, x[j] + sign * share * length - point[j]), [j]).best()
            if not rss <= most:
                break
        else:
            return point, rss
    return None
