"""The kind of a stationary point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from symgd.curvature.corner import CLOSE, at_bound, corner
from symgd.curvature.directions import in_names, names_of
from symgd.curvature.escape import Surroundings, escape
from symgd.curvature.problem import Problem
from symgd.curvature.settle import PROBES, settle
from symgd.curvature.spectrum import DENSE, EPS, WORK, Spectrum, extremes, judged
from symgd.curvature.tails import tail
from symgd.draws import Draws
from symgd.errors import unexplained
from symgd.verdict import Kind, Reason, Verdict

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

MOST = 24  # directions without curvature that are looked along
QUICK = WORK / 20  # operations that the kind of a point of many parameters may take at the end of a run
NOUGHT = 1e-14  # of the largest curvature: what products of the Hessian are rounded by
DOUBTFUL = Kind.DEGENERATE, Kind.NOT_STATIONARY, Kind.UNKNOWN  # what may be a tail beside what passes for a minimum
NO_HESSIAN = Verdict(Kind.BOUNDARY, Reason.NOT_FINITE, (), "Hessian")
POLISHED = 4  # Newton steps by which a point is moved to the floor of its valley before it is judged
WIDE, DEEP = 1e-3, 12  # from which distance on the floor is looked for longer, and Newton steps to it
NIL = 1e-13  # of the point's size, up to which a coordinate is 0
SMALL = 64  # parameters up to which the Hessian is formed at every point of a valley's floor
BEYOND = (0.15, 0.2, 0.3, 0.4)  # how far the floor of a valley is followed that has not risen
SUNK = 1e-290  # over its bound a value may be what is left of underflow, and is as good as the same all around
SAME = 1e-11  # relative change of a value up to which it counts as the same along a way
WHOLE = (0.5, 1.0, 2.0, 4.0)  # how far a way without curvature is followed, relative to the point's size


@np.errstate(all="ignore")  # numerical trouble is data
def classify(kernel: Problem, x: Vector, f: float, g: Vector, start: Vector | None = None) -> Verdict:
    """Tell what kind of stationary point this is.

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
    start : ndarray, shape (n,), optional
        Where the descent began that led there, if that is known.

    Returns
    -------
    Verdict

    References
    ----------
    Nocedal and Wright 2006, theorems 2.3 and 2.4 (second-order conditions).
    """
    try:
        found = _classified(kernel, x, f, g, start)
        if not (found.kind.minimal or found.kind in DOUBTFUL) or found.falls:
            return found
        return tail(kernel, x, f, g, start) or found
    except Exception as problem:  # noqa: BLE001 - whatever it is, the point is there
        return Verdict(Kind.UNKNOWN, Reason.UNEXPLAINED, (), unexplained("the kind of point", problem))


def _classified(kernel: Problem, x: Vector, f: float, g: Vector, start: Vector | None) -> Verdict:
    found = corner(kernel, x)
    if found is not None:
        return found
    if len(x) > DENSE:
        return _proved(kernel, x, f, g, judge_large(names_of(kernel), extremes(kernel, x, 1, QUICK, progress=False)))
    h = kernel.hessian(x)
    if not np.isfinite(h).all():
        return NO_HESSIAN
    own = float(np.linalg.norm(x))
    size = (0.0 if start is None else max(own, float(np.linalg.norm(x - start)))) or 1.0 + own
    return Point(kernel, x, f, g, h, size).judged()


def floor(kernel: Problem, x: Vector) -> Vector:
    """Give the point close by where the valley's floor is, as far as Newton's and Polyak's steps tell.

    Parameters
    ----------
    kernel : Problem
        The objective.
    x : ndarray, shape (n,)
        A point with a small gradient.

    Returns
    -------
    ndarray, shape (n,)
    """
    f, g = kernel.slope(x)
    h = kernel.hessian(x)
    if not np.isfinite(h).all():
        return x
    point = Point(kernel, x, f, g, h, 1.0 + float(np.linalg.norm(x)))
    bottom = at_bound(kernel, point.x, point.f, point.g, point.size)
    return point.x if bottom is None else bottom


def _proved(kernel: Problem, x: Vector, f: float, g: Vector, seen: Verdict) -> Verdict:
    """Give what the formula proves where curvatures leave it open."""
    if seen.kind.minimal or seen.kind == Kind.MAXIMUM:
        return seen
    if at_bound(kernel, x, f, g) is not None:
        return Verdict(Kind.WEAK_MINIMUM, Reason.BOUND, (f,))
    if kernel.bounds().convex and seen.kind in (Kind.DEGENERATE, Kind.UNKNOWN) and seen.along:
        return Verdict(Kind.WEAK_MINIMUM, Reason.CONVEX, (0.0,), seen.along, seen.direction)
    return seen


class Point:
    """A point with a small gradient, moved to the floor of its valley, and what its Hessian says.

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
    h : ndarray, shape (n, n)
        The Hessian there.
    size : float
        The size of the point, or of the way to it.
    """

    def __init__(self, kernel: Problem, x: Vector, f: float, g: Vector, h: Matrix, size: float) -> None:
        self.kernel, self.size = kernel, size
        self.given = x, f, g
        self._move(x, f, g, h)
        self._polish()

    def _move(self, x: Vector, f: float, g: Vector, h: Matrix) -> None:
        self.x, self.f, self.g, self.h = x, f, g, h
        self.values, self.directions, self.flat = judged(self.h)
        self.positive = self.values > self.flat
        rising = self.directions[:, self.positive]
        self.bent = np.sum(rising * (self.h @ rising), axis=0)

    def _polish(self) -> None:
        """Move to where Newton's steps along the positive curvatures lead, if that is close.

        What is left of the gradient, times third derivatives, would else pass for curvature.
        """
        begun = self.x
        for _ in range(POLISHED):
            rising = self.directions[:, self.positive]
            if not rising.shape[1]:
                return
            y = self.x - rising @ ((rising.T @ self.g) / self.bent)
            if np.linalg.norm(y - begun) > CLOSE * self.size or not (y != self.x).any():
                return
            f, g = self.kernel.slope(y)
            h = self.kernel.hessian(y)
            if not (f <= self.f + 1e-14 * abs(self.f) and np.isfinite(h).all() and np.linalg.norm(g)
                    < np.linalg.norm(self.g)):  # fmt: skip
                return
            self._move(y, f, g, h)

    def _snap(self) -> None:
        """Put to 0 what is left of coordinates that went there: curvatures of its size would pass for units."""
        small = (np.abs(self.x) <= NIL * self.size) & (self.x != 0.0)
        if not small.any():
            return
        x = np.where(small, 0.0, self.x)
        f, g = self.kernel.slope(x)
        h = self.kernel.hessian(x)
        room = Surroundings(self.kernel, self.x, self.f, self.g).noise
        if f <= self.f + room and np.isfinite(g).all() and np.isfinite(h).all():
            self._move(x, f, g, h)

    def judged(self) -> Verdict:
        """Tell the kind."""
        bottom = at_bound(self.kernel, self.x, self.f, self.g, self.size)
        lowest = bottom is not None
        if bottom is not None and bottom is not self.x:
            self._move(bottom, *self.kernel.slope(bottom), self.kernel.hessian(bottom))
        self._snap()
        if lowest and 0.0 < self.given[1] - self.kernel.bounds().low <= SUNK:
            return Verdict(Kind.WEAK_MINIMUM, Reason.BOUND, (self.f,))
        negative = self.values < -max(self.flat, self._rounding())
        convex, concave = self.kernel.bounds().convex, self.kernel.bounds().concave
        if lowest or (convex and not concave):  # then it is rounding
            negative[:] = False
        level = np.flatnonzero(~(negative | self.positive))
        if negative.any() and len(level):
            along = self._along(int(np.argmin(self.values)))
            if self.positive.any():
                return Verdict(Kind.SADDLE, Reason.NEGATIVE, *along)
            return Verdict(Kind.DEGENERATE, Reason.NEGATIVE_OR_ZERO, *along)
        settled = settle(self.kernel, *self.given, self.directions, self.size) if len(level) < len(self.x) else None
        if len(level):
            if settled is not None and settled.kind != Kind.MINIMUM and not lowest:
                return settled
            found = self._level(level, lowest=lowest)
            strict = found.kind == Kind.MINIMUM or not lowest
            return found if strict else replace(found, kind=Kind.WEAK_MINIMUM, reason=Reason.BOUND, numbers=(self.f,))
        assert settled is not None
        # Where no stationary point is near, there is neither a saddle nor a maximum.
        if not negative.any() or settled.kind != Kind.MINIMUM:
            return settled
        if self.positive.any():
            return Verdict(Kind.SADDLE, Reason.NEGATIVE, *self._along(int(np.argmin(self.values))))
        return Verdict(Kind.MAXIMUM, Reason.ALL_NEGATIVE)

    def _rounding(self) -> float:
        """Give what counts as 0 among the scaled eigenvalues, by what moving in the last digits changes of them."""
        if not (self.values < -self.flat).any():
            return 0.0
        draws = Draws(5).choice([-2.0, 2.0], (2, len(self.x)))
        size = np.sqrt(np.abs(np.diag(self.h)))
        if not (size > 0).all():
            return 0.0
        changes = [self.kernel.hessian(self.x + EPS * np.abs(self.x) * draw) - self.h for draw in draws]
        found = [float(np.abs(np.linalg.eigvalsh(c / size / size[:, None])).max()) for c in changes
                 if np.isfinite(c).all()]  # fmt: skip
        return 4.0 * max(found, default=0.0)

    def _along(self, place: int, curvature: float | None = None) -> tuple[tuple[float], str, Vector]:
        """Give the part of a verdict that belongs to a direction."""
        d = self.directions[:, place]
        value = float(self.values[place]) if curvature is None else curvature
        return (value,), in_names(self.kernel.names, d), d

    def _level(self, level: NDArray[np.intp], *, lowest: bool) -> Verdict:
        """Look along the directions without curvature."""
        around = Surroundings(self.kernel, self.x, self.f, self.g)
        rising = self.directions[:, self.positive]
        stays: Verdict | None = None
        for index in level[:MOST]:
            seen = _look(around, self.directions[:, index], rising, self.bent)
            if seen == Reason.FALLS:
                return Verdict(Kind.DEGENERATE, seen, *self._along(index, 0.0))
            if seen and (stays is None or stays.reason == Reason.STAYS):
                stays = Verdict(Kind.WEAK_MINIMUM, seen, *self._along(index, 0.0))
        # Where the formula shows that nothing is lower, nothing is looked for.
        if len(level) > 1 and not (lowest or self.kernel.bounds().convex):
            step = escape(self.kernel, self.x, self.f, self.g)
            if step is not None:
                return Verdict(Kind.DEGENERATE, Reason.FALLS, (0.0,), in_names(self.kernel.names, step), step)
        if stays is None:
            return Verdict(Kind.MINIMUM, Reason.HOLDS)
        if stays.reason == Reason.STAYS:
            return stays
        bounds = self.kernel.bounds()
        if bounds.convex and (not self.kernel.smooth or self._is_held(around, stays.direction)):
            return Verdict(Kind.WEAK_MINIMUM, Reason.CONVEX, *stays_along(stays))
        return Verdict(Kind.DEGENERATE, stays.reason, stays.numbers, stays.along, stays.direction)

    def _is_held(self, around: Surroundings, d: Vector | None) -> bool:
        """Tell whether the value rises to both sides far out, or to neither: on a tail it rises to one side alone."""
        if d is None:
            return False
        unit = WHOLE[-1] * (1.0 + np.abs(around.x).max()) * d
        ends = [self.kernel.value(around.x + side * unit) for side in (-1.0, 1.0)]
        room = around.noise + SAME * abs(around.f)
        rises = [not v <= around.f + room for v in ends]
        return rises[0] == rises[1]


def stays_along(verdict: Verdict) -> tuple[tuple[float, ...], str, Vector | None]:
    """Give the part of a verdict that belongs to its direction."""
    return verdict.numbers, verdict.along, verdict.direction


def _look(around: Surroundings, d: Vector, rising: Matrix, bent: Vector) -> Reason | None:
    """Look at values along a direction without curvature; ``None`` when they all rise.

    A valley may fall though it rises along every straight line, as Peano's ``(y - x**2)*(y - 3*x**2)`` does. So each
    point is also moved to the floor of the valley, by Newton's steps along the directions with positive curvature.
    """
    straight_line: list[float] = []
    floors: list[float] = []
    for r in PROBES:
        for sign in (-1.0, 1.0):
            straight = sign * r * (1.0 + np.abs(around.x).max()) * d
            steps = list(around.moved(straight, rising, bent))
            if r > WIDE:
                steps.append(_across(around, straight, d, rising, bent))
            if any(around.fall(step) > 0.0 for step in steps):
                return Reason.FALLS
            straight_line.append(around.kernel.value(around.x + straight))
            floors.append(around.kernel.value(around.x + steps[-1]))
    room = around.noise + SAME * abs(around.f)
    # The floor of a valley that bends is met up to what is left of Newton's steps.
    steep = float(bent.max(initial=0.0))
    lengths = np.repeat(PROBES, 2) * (1.0 + np.abs(around.x).max())
    level = [abs(v - around.f) <= room + SAME * max(0.0, s - around.f, 0.5 * steep * t * t)
             for v, s, t in zip(floors, straight_line, lengths, strict=True)]  # fmt: skip
    if _sinks(around, d, rising, bent, np.array(floors), room):
        return Reason.FALLS
    if all(v > around.f + room for v in straight_line[-4:]) and not any(level[-4:]):
        return None
    if _stays(around, d, room):
        return Reason.STAYS
    if all(level) and not all(abs(v - around.f) <= room for v in straight_line):
        return Reason.STAYS  # a valley that bends
    return Reason.FADED if all(level) else Reason.FLAT


def _across(around: Surroundings, step: Vector, d: Vector, rising: Matrix, bent: Vector) -> Vector:
    """Move a point to the floor of a valley, at right angles to its direction: with the Hessian at each point."""
    n = len(d)
    if n > SMALL:
        *_, moved = around.moved(step, rising, bent, DEEP)
        return moved
    unit = d / np.linalg.norm(d)
    basis = np.linalg.qr(unit[:, None], mode="complete")[0][:, 1:]
    moved = step
    for _ in range(DEEP if n > 1 else 0):
        z = around.x + moved
        slope, h = basis.T @ around.kernel.slope(z)[1], basis.T @ around.kernel.hessian(z) @ basis
        if not (np.isfinite(slope).all() and np.isfinite(h).all()):
            break
        values, vectors = np.linalg.eigh(h)
        some = np.abs(values) > 1e-12 * max(float(np.abs(values).max()), 1e-300)
        push = vectors[:, some] @ ((vectors[:, some].T @ slope) / np.abs(values[some]))
        moved = moved - basis @ push
        if float(np.linalg.norm(push)) <= 1e-12 * float(np.linalg.norm(step)):
            break
    return moved


def _sinks(around: Surroundings, d: Vector, rising: Matrix, bent: Vector, floors: Vector, room: float) -> bool:
    """Tell whether the floor of a valley falls further out, without having risen before: at a high order."""
    for side, sign in enumerate((-1.0, 1.0)):
        if floors[side::2].max() > around.f + room:
            continue
        for r in BEYOND:
            step = _across(around, sign * r * (1.0 + np.abs(around.x).max()) * d, d, rising, bent)
            if not np.linalg.norm(step) <= 4.0 * (1.0 + np.abs(around.x).max()):
                break
            if around.fall(step) > room:
                return True
            if around.kernel.value(around.x + step) > around.f + room:
                break
    return False


def _stays(around: Surroundings, d: Vector, room: float) -> bool:
    """Tell whether the value stays the same far out along a line, to both sides."""
    unit = d * (1.0 + np.abs(around.x).max())
    values = [around.kernel.value(around.x + sign * r * unit) for r in WHOLE for sign in (-1.0, 1.0)]
    seen = [v for v in values if math.isfinite(v)]
    return len(seen) > 1 and all(abs(v - around.f) <= room for v in seen)


def judge_large(names: Sequence[str], found: Spectrum) -> Verdict:
    """Tell the kind of a stationary point from extreme eigenvalues.

    Parameters
    ----------
    names : sequence of str
        A name for each parameter.
    found : Spectrum
        Extreme eigenvalues.

    Returns
    -------
    Verdict
        Of the kind ``UNKNOWN`` where curvatures may be negative that have not been found.
    """
    if not found.finite:
        return NO_HESSIAN
    low, high, error = float(found.values[0]), float(found.values[-1]), float(found.errors[0])
    # What products round to is 0; a value that is found is a Rayleigh quotient, so that below 0 it proves its sign.
    zero = NOUGHT * max(abs(low), abs(high))
    if low < -zero:
        along = (low,), in_names(names, found.vectors[:, 0]), found.vectors[:, 0]
        if high > zero:
            return Verdict(Kind.SADDLE, Reason.BENT, *along)
        if found.converged and high < -zero - float(found.errors[-1]):
            return Verdict(Kind.MAXIMUM, Reason.MOST, (high,))
        return Verdict(Kind.DEGENERATE, Reason.HARDLY_POSITIVE, *along)
    if found.above > zero:
        return Verdict(Kind.MINIMUM, Reason.LEAST if found.converged else Reason.ABOVE, (found.above,))
    if error <= max(zero, 0.1 * low):
        if low > zero:
            return Verdict(Kind.MINIMUM, Reason.SMALLEST, (low,))
        along = (0.0,), in_names(names, found.vectors[:, 0]), found.vectors[:, 0]
        return Verdict(Kind.DEGENERATE, Reason.ROUNDED, *along)
    return Verdict(Kind.UNKNOWN, Reason.UNCERTAIN, (low, error, float(found.above)))
