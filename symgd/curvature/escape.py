"""A step that leaves a stationary point which is no minimum: along negative curvature, or where curvature is 0."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from symgd.curvature.problem import Problem
from symgd.curvature.spectrum import DENSE, WORK, extremes, judged
from symgd.draws import Draws

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

RADII = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)  # of the spheres that are searched, relative to the point's size
DRAWS = 32  # pseudo-random directions without curvature that are looked along
MOST = 12  # directions without curvature whose pairs are looked along
BEST = 4  # directions that go on to the search on spheres
TURNS = 24  # steps of a search on a sphere
DEAR = 3_000_000  # operations of an evaluation from which directions without preference are left out
REACH = 4.0  # the longest step, relative to the point's size
QUICK = WORK / 10  # operations that the directions among many parameters may take
FLOOR = 3  # Newton steps across a valley, to its floor


@np.errstate(all="ignore")  # numerical trouble is data
def escape(kernel: Problem, x: Vector, f: float, g: Vector) -> Vector | None:
    """Find a step to a clearly lower value from a stationary point that is no minimum.

    Where a curvature is negative, the step goes along the eigenvector of the most negative one. Where none is, but some
    are 0, as at a monkey saddle, the directions without curvature are searched on small spheres, each point also moved
    to the floor of its valley. The same point gives the same step.

    Parameters
    ----------
    kernel : Problem
        The objective.
    x : ndarray, shape (n,)
        A point with a small gradient.
    f : float
        The value there.
    g : ndarray, shape (n,)
        The gradient there.

    Returns
    -------
    ndarray of shape (n,), or None
        A step ``s`` with ``kernel.value(x + s)`` below `f` by more than rounding, and by more than the gradient
        explains, which no step does where the objective is convex; ``None`` where none was found.

    References
    ----------
    Nocedal and Wright 2006, section 3.4 and theorem 2.4 (negative curvature); Conn, Gould and Toint 2000, section 6.6.

    Examples
    --------
    >>> import symgd
    >>> kernel = symgd.Objective("x**2 - y**2 + y**4").kernel()
    >>> x = np.zeros(2)
    >>> step = escape(kernel, x, *kernel.slope(x))
    >>> kernel.value(x + step) < -0.1
    True
    """
    if not (len(x) and np.isfinite(f) and np.isfinite(g).all()):
        return None
    search = Surroundings(kernel, x, f, g)
    if len(x) <= DENSE:
        h = kernel.hessian(x)
        if not np.isfinite(h).all():
            return None
        values, directions, flat = judged(h)
        # The directions are conjugate: a Newton step across a valley goes along one after the other.
        curvatures = np.sum(directions * (h @ directions), axis=0)
    else:
        found = extremes(kernel, x, 3, QUICK, progress=False)
        values, directions, curvatures = found.values, found.vectors, found.values
        if not np.isfinite(values).all():
            return None
        # A value that is found is a Rayleigh quotient: below 0 beyond rounding, the direction falls.
        flat = 1e-12 * float(np.abs(values).max())
    for place in np.argsort(values)[:BEST]:
        if values[place] < -flat:
            step = search.along(directions[:, place])
            if step is not None:
                return step
    level, rising = np.abs(values) <= flat, values > flat
    if len(x) > DENSE:
        # Of so many parameters only a few rising directions are known, which says nothing of a valley's floor.
        rising = np.zeros_like(rising)
    return search.within(directions[:, level], directions[:, rising], curvatures[rising])


class Surroundings:
    """Values around a point, and what of a fall the gradient and rounding do not explain.

    Parameters
    ----------
    kernel : Problem
        The objective.
    x : ndarray, shape (n,)
        The point.
    f : float
        The value there.
    g : ndarray, shape (n,)
        The gradient there.
    """

    def __init__(self, kernel: Problem, x: Vector, f: float, g: Vector) -> None:
        self.kernel, self.x, self.f, self.g = kernel, x, f, g
        self.sizes = 1.0 + np.abs(x)
        # Where the gradient is 0, moving in the last digits changes the value by its rounding alone.
        draws = Draws(1).normal((6, len(x)))
        near = [abs(kernel.value(x + 1e-15 * draw * self.sizes) - f) for draw in draws]
        self.noise = 4.0 * max((v for v in near if np.isfinite(v)), default=0.0) + 4e-16 * abs(f) + 1e-300

    def fall(self, step: Vector) -> float:
        """Give by how much the value falls with a step beyond what is explained; what is not finite has not fallen."""
        value = self.kernel.value(self.x + step)
        # A convex function falls by no more than its slope says; twice that leaves room for rounding.
        return self.f - value - 2.0 * abs(float(self.g @ step)) - self.noise if np.isfinite(value) else -np.inf

    def length(self, d: Vector) -> float:
        """Give the multiple of a direction at which the first parameter has moved by its own size."""
        return 1.0 / float((np.abs(d) / self.sizes).max())

    def along(self, d: Vector) -> Vector | None:
        """Follow a line to both sides, by doubling and halving, to where the value is lowest of what was seen."""
        best: Vector | None = None
        lowest = 0.0
        for way in (d, -d):
            length = 0.25 * self.length(d)
            fall = self.fall(length * way)
            while not fall > 0.0 and length > 1e-9 * self.length(d):
                length /= 4.0
                fall = self.fall(length * way)
            if fall > lowest:
                best, lowest = self._stretched(length * way, fall)
        return best

    def _stretched(self, step: Vector, fall: float) -> tuple[Vector, float]:
        """Lengthen a step that falls while that helps, up to `REACH`; then shorten it likewise."""
        for factor in (2.0, 0.5):
            while np.all(np.abs(factor * step) <= REACH * self.sizes) and (further := self.fall(factor * step)) > fall:
                step, fall = factor * step, further
        return step, fall

    def within(self, level: Matrix, rising: Matrix, curvatures: Vector) -> Vector | None:
        """Search the space that directions without curvature span."""
        if not level.shape[1]:
            return None
        cheap = self.kernel.work() <= DEAR
        ways = [d * self.length(d) for d in _ways(level, DRAWS if cheap else 0)]
        best, lowest = None, 0.0
        ranked: list[tuple[float, Vector]] = []
        for radius in RADII:
            for way in ways:
                for step in (radius * way, -radius * way):
                    for there in self.moved(step, rising, curvatures):
                        fall = self.fall(there)
                        if fall > lowest:
                            best, lowest = there, fall
                        if radius == RADII[0]:
                            ranked.append((-fall, step))
            if best is not None:
                return self._stretched(best, lowest)[0]
        ranked.sort(key=lambda pair: pair[0])
        for _, step in ranked[: BEST if cheap else 0]:
            for radius in RADII[:3]:
                turned = self._turned(radius / RADII[0] * step, level, rising, curvatures)
                if turned is not None:
                    return turned
        return None

    def moved(self, step: Vector, rising: Matrix, curvatures: Vector, turns: int = FLOOR) -> Iterator[Vector]:
        """Give a step, and the same moved to the floor of the valley by Newton steps across it."""
        yield step
        if rising.shape[1]:
            moved = step
            for _ in range(turns if (curvatures > 0.0).all() else 0):
                slope = self.kernel.slope(self.x + moved)[1]
                if not np.isfinite(slope).all():
                    return
                moved = moved - rising @ ((rising.T @ slope) / curvatures)
            yield moved

    def _turned(self, step: Vector, level: Matrix, rising: Matrix, curvatures: Vector) -> Vector | None:
        """Turn a step on its sphere to where the value is lowest, by steepest descent along great circles."""
        basis = np.linalg.qr(level)[0]
        radius = float(np.linalg.norm(step))
        *_, moved = self.moved(step, rising, curvatures)
        fall, angle = self.fall(moved), 0.5
        for _ in range(TURNS):
            slope = basis @ (basis.T @ self.kernel.slope(self.x + moved)[1])
            slope = slope - step * (float(step @ slope) / radius**2)
            size = float(np.linalg.norm(slope))
            if not (np.isfinite(size) and size > 0.0):
                break
            while angle > 1e-3:
                turned = np.cos(angle) * step - np.sin(angle) * radius / size * slope
                *_, shifted = self.moved(turned, rising, curvatures)
                further = self.fall(shifted)
                if further > fall:
                    step, moved, fall, angle = turned, shifted, further, min(2.0 * angle, 1.0)
                    break
                angle /= 2.0
            if fall > 0.0:
                return self._stretched(moved, fall)[0]
        return None


def _ways(level: Matrix, draws: int) -> Iterator[Vector]:
    """Give directions in a space: those that span it, sums and differences of pairs, and some without preference."""
    count = min(level.shape[1], MOST)
    yield from level.T
    for i in range(count):
        for j in range(i):
            yield level[:, i] + level[:, j]
            yield level[:, i] - level[:, j]
    yield from (level @ Draws(2).normal((level.shape[1], draws))).T
