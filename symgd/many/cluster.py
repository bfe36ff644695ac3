"""Which of many end points are the same point: each is followed to a stationary point, and told what kind it is.

A descent ends near a stationary point, not at it. So one end point, that with the smallest gradient, is followed by
Newton's steps to where the gradient vanishes to the last digit. That point then claims all end points that belong to
it: those at which the gradient is what its Hessian says, H (x - y). What is left is followed in turn. Where the Hessian
is singular, as in a valley, Newton's steps do not single a point out; such end points are grouped if a way leads from
one to the other along which the value does not rise.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from symgd.curvature import DENSE, classify
from symgd.kernel import Kernel
from symgd.records import dataclass
from symgd.verdict import Kind, Verdict

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Places = NDArray[np.int64]

REACH = 0.05  # how far from an end point its stationary point may be, relative to the size of the box
NEAR = 1e-6  # relative to the box: what is so close is the same point
SINGULAR = 1e-6  # smallest eigenvalue, relative to the largest, under which a Hessian counts as singular
MODEL = 0.2  # relative error of the gradient up to which the Hessian's model of it holds
FAILURES = 2000  # end points that are followed to nowhere before the search is given up
POINTS = 1000  # points of valleys that are joined; others are added to the nearest
NEIGHBOURS = 8
GROUPS = 40  # that are tried to be joined where they come closest
WIDE = 0.1  # relative to the box: who ended so far apart in one group, ended along a valley
FOLLOWED = 40  # Newton steps at most


@dataclass(frozen=True, eq=False)
class Found:
    """A stationary point, and the starts that ended there."""

    point: Vector
    value: float
    gradient_norm: float
    eigenvalues: Vector
    verdict: Verdict
    members: Places


@dataclass(frozen=True, eq=False)
class _Goal:
    """Where Newton's steps led."""

    x: Vector
    f: float
    g: Vector
    h: Matrix
    singular: bool


def cluster(
    kernel: Kernel, x: Matrix, f: Vector, g: Matrix, scale: Vector, candidates: Places, converged: NDArray[np.bool_],
    starts: Matrix,
) -> list[Found]:  # fmt: skip
    """Tell the distinct stationary points among end points.

    Parameters
    ----------
    kernel : Kernel
        The objective.
    x : ndarray, shape (k, n)
        The end points.
    f : ndarray, shape (k,)
        The values there.
    g : ndarray, shape (k, n)
        The gradients.
    scale : ndarray, shape (n,)
        The size of the box.
    candidates : ndarray of int
        Those that may be near a stationary point.
    converged : ndarray of bool, shape (k,)
        Whether a descent said that it is at one.
    starts : ndarray, shape (k, n)
        Where the descents began.

    Returns
    -------
    list of Found
    """
    with np.errstate(all="ignore"):
        sizes = np.linalg.norm(g, axis=1)
        candidates = candidates[np.isfinite(x[candidates]).all(axis=1) & np.isfinite(sizes[candidates])]
        # Converged ones first, of these the best.
        order = candidates[np.lexsort((sizes[candidates], ~converged[candidates]))]
        if kernel.n > DENSE:
            return _joined(kernel, x, f, g, scale, order[converged[order]], starts, _close(x, scale))
        return _followed(kernel, x, f, g, scale, order, converged, starts)


def _followed(
    kernel: Kernel, x: Matrix, f: Vector, g: Matrix, scale: Vector, order: Places, converged: NDArray[np.bool_],
    starts: Matrix,
) -> list[Found]:  # fmt: skip
    goals: list[_Goal] = []
    members: list[list[Places]] = []
    flat: list[int] = []
    lost: list[int] = []
    pending = order
    while len(pending) and len(lost) < FAILURES:
        first, pending = int(pending[0]), pending[1:]
        goal = _follow(kernel, x[first], f[first], g[first], scale, converged=bool(converged[first]))
        if goal is None or goal.singular:
            if converged[first]:
                flat.append(first)
            else:
                lost.append(first)
            continue
        place = _same(goal, goals, scale)
        if place is None:
            place = len(goals)
            goals.append(goal)
            members.append([])
        mine = _belong(goals[place], x[pending], f[pending], g[pending], scale)
        members[place] += [np.array([first]), pending[mine]]
        pending = pending[~mine]
    found = [_told(kernel, goal, np.concatenate(own), starts) for goal, own in zip(goals, members, strict=True)]
    if flat:
        joins = _way(kernel, x, f, scale) if kernel.smooth else _close(x, scale)
        found += _joined(kernel, x, f, g, scale, np.array(flat), starts, joins)
    return found


# ---- Newton's steps ------------------------------------------------------------------------------------------------


def _follow(kernel: Kernel, x: Vector, f: float, g: Vector, scale: Vector, *, converged: bool) -> _Goal | None:
    """Follow Newton's steps from an end point; ``None`` where they lead away, or the gradient does not fall."""
    at, size = x, float(np.linalg.norm(g))
    start = f
    h = kernel.hessian(at)
    for _ in range(FOLLOWED):
        step = _step(h, g)
        if step is None:
            return None
        new = at - step
        if np.abs((new - x) / scale).max() > REACH:
            return None
        value, slope = kernel.slope(new)
        left = float(np.linalg.norm(slope))
        if not left < size:  # as close as float64 comes
            break
        at, f, g, size, h = new, value, slope, left, kernel.hessian(new)
    if not np.isfinite(h).all():
        return None
    step = _step(h, g)
    singular = step is None or _singular(h)
    settled = step is not None and np.abs(step / scale).max() <= NEAR
    if not settled and not singular:
        return None
    # Who was still on the way may only be taken down to a minimum.
    if not converged and (singular or f > start or np.linalg.eigvalsh(h)[0] <= 0):
        return None
    return _Goal(at, float(f), g, h, singular)


def _step(h: Matrix, g: Vector) -> Vector | None:
    """Give Newton's step, leaving out the directions without curvature."""
    if not np.isfinite(h).all():
        return None
    values, vectors = np.linalg.eigh(h)
    curved = np.abs(values) > 1e-14 * np.abs(values).max()
    if not curved.any():
        return None
    along = vectors[:, curved]
    step: Vector = along @ ((along.T @ g) / values[curved])
    return step if np.isfinite(step).all() else None


def _singular(h: Matrix) -> bool:
    """Tell whether a direction has no curvature, in parameters of whatever size."""
    size = np.sqrt(np.abs(np.diag(h)))
    if not size.max() > 0:
        return True
    size = np.where(size > 1e-8 * size.max(), size, size.max())
    values = np.abs(np.linalg.eigvalsh(h / np.outer(size, size)))
    return bool(values.min() <= SINGULAR * values.max())


def _same(goal: _Goal, goals: list[_Goal], scale: Vector) -> int | None:
    """Give the place of a point that was found before."""
    for place, other in enumerate(goals):
        if np.abs((goal.x - other.x) / scale).max() <= NEAR:
            return place
    return None


def _belong(goal: _Goal, x: Matrix, f: Vector, g: Matrix, scale: Vector) -> NDArray[np.bool_]:
    """Tell which points lie where the Hessian's model of the gradient holds."""
    away = x - goal.x
    far = np.abs(away / scale).max(axis=1)
    missed = np.linalg.norm(g - away @ goal.h, axis=1)
    model = (far <= REACH) & (missed <= MODEL * np.linalg.norm(g, axis=1))
    if np.linalg.eigvalsh(goal.h)[0] > 0:
        model &= f >= goal.f - 1e-9 * (1.0 + abs(goal.f))
    else:  # who passes by a saddle has not stopped there
        model &= far <= 1e3 * NEAR
    return np.asarray(model | (far <= NEAR), dtype=np.bool_)


def _told(kernel: Kernel, goal: _Goal, members: Places, starts: Matrix) -> Found:
    verdict = classify(kernel, goal.x, goal.f, goal.g, starts[members[0]])
    size = float(np.linalg.norm(goal.g))
    return Found(goal.x, goal.f, size, _eigenvalues(goal.h), verdict, np.sort(members))


def _eigenvalues(h: Matrix) -> Vector:
    """Give the eigenvalues, ascending; nan where the Hessian is not finite, as at a kink or an edge."""
    if not np.isfinite(h).all():
        return np.full(len(h), np.nan)
    return np.asarray(np.linalg.eigvalsh(h), dtype=np.float64)


# ---- valleys, kinks, and very many parameters ----------------------------------------------------------------------

Joins = Callable[[int, int], bool]


def _joined(
    kernel: Kernel, x: Matrix, f: Vector, g: Matrix, scale: Vector, places: Places, starts: Matrix, joins: Joins
) -> list[Found]:
    """Group points, neighbours first, where one leads to the other; the lowest speaks for its group."""
    from scipy.spatial import cKDTree

    if not len(places):
        return []
    # Of very many, some that lie all over.
    chosen = places if len(places) <= POINTS else np.random.default_rng(0).choice(places, POINTS, replace=False)
    tree = cKDTree(x[chosen] / scale)
    group = list(range(len(chosen)))

    def top(place: int) -> int:
        while group[place] != place:
            place = group[place]
        return place

    if len(chosen) > 1:
        distances, neighbours = tree.query(x[chosen] / scale, k=min(NEIGHBOURS, len(chosen)))
        pairs = sorted(
            (d, a, int(b))
            for a, (row, near) in enumerate(zip(distances.tolist(), neighbours.tolist(), strict=True))
            for d, b in zip(row, near, strict=True)
            if a != b
        )
        for _, a, b in pairs:
            one, other = top(a), top(b)
            if one != other and joins(int(chosen[a]), int(chosen[b])):
                group[max(one, other)] = min(one, other)
        _bridge(x[chosen] / scale, group, top, lambda a, b: joins(int(chosen[a]), int(chosen[b])))
    nearest = np.atleast_1d(tree.query(x[places] / scale)[1])
    owners = np.array([top(int(place)) for place in nearest])
    found = []
    for owner in np.unique(owners).tolist():
        own = places[owners == owner]
        best = int(own[np.lexsort((np.linalg.norm(g[own], axis=1), f[own]))[0]])
        verdict = classify(kernel, x[best], float(f[best]), g[best], starts[best])
        smooth = verdict.kind in (Kind.DEGENERATE, Kind.MINIMUM, Kind.WEAK_MINIMUM)
        if smooth and np.ptp(x[own] / scale, axis=0).max() > WIDE:
            verdict = verdict.spread()
        values = _eigenvalues(kernel.hessian(x[best])) if kernel.n <= DENSE else np.zeros(0)
        size = float(np.linalg.norm(g[best]))
        found.append(Found(x[best].copy(), float(f[best]), size, values, verdict, np.sort(own)))
    return found


def _bridge(z: Matrix, group: list[int], top: Callable[[int], int], joins: Joins) -> None:
    """Join groups that are not among each other's nearest neighbours: where they come closest."""
    from scipy.spatial.distance import cdist

    while True:
        owners = np.array([top(place) for place in range(len(z))])
        names = np.unique(owners).tolist()
        if not 1 < len(names) <= GROUPS:
            return
        joined = False
        for one in names:
            mine, rest = np.flatnonzero(owners == one), np.flatnonzero(owners != one)
            a, b = np.unravel_index(int(cdist(z[mine], z[rest]).argmin()), (len(mine), len(rest)))
            other = top(int(rest[b]))
            if top(one) != other and joins(int(mine[a]), int(rest[b])):
                group[max(top(one), other)] = min(top(one), other)
                joined = True
        if not joined:
            return


def _close(x: Matrix, scale: Vector) -> Joins:
    """Join what is close: all that can be said at kinks, and of very many parameters."""
    return lambda a, b: bool(np.abs((x[a] - x[b]) / scale).max() <= 1e3 * NEAR)


def _way(kernel: Kernel, x: Matrix, f: Vector, scale: Vector) -> Joins:
    """Join what a way leads between along which the value does not rise: the middle, taken down to the valley."""
    spread = float(np.ptp(f[np.isfinite(f)])) if np.isfinite(f).any() else 0.0

    def joins(a: int, b: int) -> bool:
        if np.abs((x[a] - x[b]) / scale).max() <= NEAR:
            return True
        middle = 0.5 * (x[a] + x[b])
        most = max(f[a], f[b]) + 1e-9 * (1e-3 * spread + abs(f[a]))
        y, value = middle, kernel.value(middle)
        for _ in range(5):
            if value <= most:
                return True
            step = _step_down(kernel, y)
            if step is None:
                return False
            y = y - step
            value = kernel.value(y)
            if not np.abs((y - middle) / scale).max() <= 0.5 * np.abs((x[a] - x[b]) / scale).max():
                return False
        return bool(value <= most)

    return joins


def _step_down(kernel: Kernel, y: Vector) -> Vector | None:
    """Give Newton's step along the directions that are clearly curved upwards."""
    h, g = kernel.hessian(y), kernel.slope(y)[1]
    if not np.isfinite(h).all():
        return None
    values, vectors = np.linalg.eigh(h)
    up = values > 1e-3 * np.abs(values).max()
    if not up.any():
        return None
    along = vectors[:, up]
    step: Vector = along @ ((along.T @ g) / values[up])
    return step
