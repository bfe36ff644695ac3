"""Hyperparameters that somebody's optimizer keeps to itself, fitted to where it went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.records import dataclass
from symgd.testing.causes.recurrence import Observed, Recurrence
from symgd.testing.protocol import Setting

Array = NDArray[np.float64]

AGREES = 1e-9  # of the largest step: rounding of two dozen steps is a thousandth of it
_SHARE = ("beta", "rho", "momentum", "nu", "dampening")  # what lies between 0 and 1, by how its name begins
_GUESSES = {
    "share": (0.9, 0.99, 0.999, 0.5, 0.95, 0.8),
    "eps": (1e-8, 1e-30, 1e-7, 1e-6, 1e-10, 1e-3),
    "scale": (1e-2, 0.1, 1e-4),
}
_ITERATIONS = 30
_HOPELESS = {4: 3.0, 7: 0.3, 12: 1e-2, 18: 1e-4}  # after so many iterations, squares above this come to nothing
_MOST = 120  # sets of guesses at once
_FIRST = 8  # steps that guesses are compared on
_KEPT = 3  # of them are refined
_LOST = 0.6  # of the largest step: guesses that are all further off come to nothing


@dataclass(frozen=True)
class Fitted:
    """How well a rule agrees with what was seen.

    Parameters
    ----------
    error : float
        The largest difference, in terms of the largest step of the same coordinate.
    hyper : mapping of str to float or str
        The numbers with which it is so.
    free : tuple of str
        Those of them that were fitted.
    """

    error: float
    hyper: Mapping[str, Setting]
    free: tuple[str, ...] = ()


def agreement(points: Array, seen: Observed, rounding: float) -> Array:
    """Give the largest difference of points from those that were seen.

    Parameters
    ----------
    points : ndarray of shape (m, k, n)
        Of k candidates.
    seen : Observed
        What was seen.
    rounding : float
        The unit roundoff, whose share is let pass.

    Returns
    -------
    ndarray of shape (k,)
        In terms of the largest step of each coordinate, after what rounding explains; infinite where not finite.
    """
    return np.asarray(np.max(_scaled(points, seen, rounding, past_rounding=True), axis=(0, 2), initial=0.0))


def _scaled(points: Array, seen: Observed, rounding: float, *, past_rounding: bool) -> Array:
    observed = seen.points[1:, None, :]
    size = np.abs(observed).max(axis=0)
    scale = np.abs(observed - seen.points[0]).max(axis=0)
    noise = 8 * rounding * np.maximum(size, 1e-30)
    # What rounding drowns must not decide about numbers to be fitted.
    scale = np.maximum(scale, noise if past_rounding else noise * len(observed) / (0.1 * tolerance(rounding)))
    with np.errstate(all="ignore"):
        found = points - observed
        if past_rounding:
            allowed = 4 * rounding * (1 + np.arange(1, len(observed) + 1))[:, None, None] * size
            found = np.sign(found) * np.maximum(np.abs(found) - allowed, 0)
        found = found / scale
    if past_rounding:
        return np.where(np.isfinite(found), np.abs(found), np.inf)
    return np.clip(np.where(np.isfinite(found), found, 1e3), -1e3, 1e3)


def tolerance(rounding: float) -> float:
    """Give the difference up to which a rule agrees in an arithmetic: corrections divide by 1 - beta2, so lose digits.

    Parameters
    ----------
    rounding : float
        The unit roundoff.

    Returns
    -------
    float
    """
    return max(AGREES, 2e4 * rounding)


def with_numbers(rule: Recurrence, seen: Observed, hyper: Mapping[str, Setting], rounding: float) -> Fitted:
    """Say how well a rule agrees with these numbers.

    Parameters
    ----------
    rule : Recurrence
        The rule.
    seen : Observed
        What was seen.
    hyper : mapping
        All numbers.
    rounding : float
        The unit roundoff.

    Returns
    -------
    Fitted
    """
    return Fitted(float(agreement(rule(seen, hyper), seen, rounding)[0]), dict(hyper))


def fit(
    rule: Recurrence, seen: Observed, fixed: Mapping[str, Setting], rounding: float,
    near: Sequence[Mapping[str, float]] = (),
) -> Fitted:  # fmt: skip
    """Find the numbers with which a rule agrees best.

    Parameters
    ----------
    rule : Recurrence
        The rule.
    seen : Observed
        What was seen.
    fixed : mapping
        Numbers that are known.
    rounding : float
        The unit roundoff.
    near : sequence of mapping
        Where to look first; by default the usual numbers.

    Returns
    -------
    Fitted
    """
    used = {name for s in rule.steps for name in _names(s.value)} | {n for t in rule.init.values() for n in _names(t)}
    free = tuple(name for name in ("lr", *rule.hyper) if name not in fixed and name in used)
    rest = {k: v for k, v in rule.hyper.items() if k not in free and k not in fixed}
    known = {**rest, **fixed}
    if not free:
        return with_numbers(rule, seen, known, rounding)
    starts, score = _starts(rule, seen, free, known, rounding, near)
    if score > _LOST:
        return Fitted(np.inf, known)
    theta = _Search(rule, seen, free, known, rounding).run(starts)
    hyper = {**known, **{name: float(v[0]) for name, v in zip(free, _numbers(free, theta[None]), strict=True)}}
    found = with_numbers(rule, seen, hyper, rounding)
    return Fitted(found.error, hyper, free)


def _names(tree: Any) -> Any:
    from symgd.language import names

    return names(tree)


def is_share(name: str) -> bool:
    """Say whether a hyperparameter lies between 0 and 1.

    Parameters
    ----------
    name : str
        Its name.

    Returns
    -------
    bool
    """
    return name.startswith(_SHARE)


def _starts(
    rule: Recurrence, seen: Observed, free: Sequence[str], known: Mapping[str, Setting], rounding: float,
    near: Sequence[Mapping[str, float]],
) -> tuple[Array, float]:  # fmt: skip
    """Give the best of many guesses, each with the learning rate that suits it, and how far off the best one is.

    Guesses are in the coordinates of the search. How far is the median over coordinates, since eps, and decay, may
    decide about some of them alone.
    """
    others = [name for name in free if name != "lr"]
    usual: list[tuple[float, ...]] = []
    for name in others:
        first = float(rule.hyper.get(name, 0.9))
        more = _GUESSES["share" if is_share(name) else "eps" if name in ("eps", "root") else "scale"]
        usual.append((first, *(v for v in more if v != first)))
    guesses: list[dict[str, float]] = [{n: g[n] for n in others} for g in near if all(n in g for n in others)]
    combos = sorted(product(*(range(len(u)) for u in usual)), key=lambda places: (sum(places), places))
    guesses += [{n: u[p] for n, u, p in zip(others, usual, places, strict=True)} for places in combos]
    guesses = guesses[:_MOST]
    for steps in (1, _FIRST):  # most come to nothing at the first step
        columns, score = _scored(rule, seen, free, known, rounding, guesses, steps)
        if score.min() > _LOST:
            return np.zeros((1, len(free))), float(score.min())
    best = np.argsort(score, kind="stable")[:_KEPT]
    return np.concatenate([_coordinate(n, columns[n][best]) for n in free], axis=1), float(score[best[0]])


def _scored(
    rule: Recurrence, seen: Observed, free: Sequence[str], known: Mapping[str, Setting], rounding: float,
    guesses: Sequence[Mapping[str, float]], steps: int,
) -> tuple[dict[str, Array], Array]:  # fmt: skip
    """Give guesses by name, each with the learning rate that suits it, and how far off they are in the first steps."""
    columns = {n: np.array([[g[n]] for g in guesses]) for n in free if n != "lr"}
    lr = np.full((len(guesses), 1), 0.01)
    seen = Observed(seen.points[: steps + 1], seen.gradients[:steps], seen.values[:steps])
    away = (seen.points[1:] - seen.points[0])[:, None, :]
    moved = rule(seen, {**known, **columns, **({"lr": lr} if "lr" in free else {})}) - seen.points[0]
    with np.errstate(all="ignore"):
        if "lr" in free:
            weight = 1 / np.maximum(np.abs(away).max(axis=0), 1e-300) ** 2
            ratio = (away * moved * weight).sum(axis=(0, 2)) / (moved**2 * weight).sum(axis=(0, 2))
            ratio = np.where(np.isfinite(ratio) & (ratio > 0), ratio, 1.0)
            columns["lr"] = np.clip(lr * ratio[:, None], 1e-12, 1e6)
            moved = moved * ratio[:, None]
        off = np.abs(_scaled(moved + seen.points[0], seen, rounding, past_rounding=False))
    return columns, np.median(off.max(axis=0), axis=1)


def _coordinate(name: str, value: Array) -> Array:
    """Give a number as the search has it: a share as its log odds, anything else as its logarithm."""
    if is_share(name):
        value = np.clip(value, 1e-6, 1 - 1e-9)
        return np.asarray(np.log(value) - np.log1p(-value))
    return np.asarray(np.log(np.maximum(value, 1e-300)))


def _numbers(free: Sequence[str], theta: Array) -> list[Any]:
    with np.errstate(over="ignore"):
        return [1 / (1 + np.exp(-t)) if is_share(name) else np.exp(t) for name, t in zip(free, theta.T, strict=True)]


class _Search:
    """Levenberg and Marquardt's method from several guesses side by side, with differences for the Jacobian."""

    def __init__(
        self, rule: Recurrence, seen: Observed, free: Sequence[str], known: Mapping[str, Setting], rounding: float
    ) -> None:
        self.rule, self.seen, self.free, self.known = rule, seen, free, known
        self.rounding = rounding
        self.h = np.sqrt(rounding)

    def residuals(self, theta: Array) -> Array:
        """Give residuals at each guess and at its neighbours: of shape (guesses, 1 + free, residuals)."""
        guesses, p = theta.shape
        moved = theta[:, None, :] + np.concatenate([np.zeros((1, p)), self.h * np.eye(p)])
        lanes = moved.reshape(-1, p)
        columns = {n: v[:, None] for n, v in zip(self.free, _numbers(self.free, lanes), strict=True)}
        found = _scaled(self.rule(self.seen, {**self.known, **columns}), self.seen, self.rounding, past_rounding=False)
        return found.transpose(1, 0, 2).reshape(guesses, p + 1, -1)

    def run(self, theta: Array) -> Array:
        """Give the best set of numbers, of shape (free,)."""
        guesses, p = theta.shape
        damping = np.full(guesses, 1e-3)
        best, cost = theta.copy(), np.full(guesses, np.inf)
        found = self.residuals(theta)
        kept = found
        for k in range(_ITERATIONS):
            now = (found[:, 0] ** 2).sum(axis=1)
            better = now < cost
            stalled = better & (now > 0.999 * cost) & (k > 3)
            best = np.where(better[:, None], theta, best)
            kept = np.where(better[:, None, None], found, kept)
            damping = np.where(better, np.maximum(damping / 10, 1e-10), damping * 10)
            cost = np.where(better, now, cost)
            low = cost.min()
            if low < (self.rounding * 10) ** 2 or low > _HOPELESS.get(k, np.inf) or (stalled | (damping > 1e8)).all():
                break
            jacobian = (kept[:, 1:] - kept[:, :1]) / self.h
            normal = np.einsum("kim,kjm->kij", jacobian, jacobian)
            slope = np.einsum("kim,km->ki", jacobian, kept[:, 0])
            diagonal = np.einsum("kii->ki", normal)
            diagonal = np.maximum(diagonal, 1e-9 * diagonal.max(axis=1, keepdims=True)) + 1e-12
            system = normal + damping[:, None, None] * diagonal[:, :, None] * np.eye(p)
            step = np.linalg.solve(system, -slope[:, :, None])[:, :, 0]
            theta = best + np.clip(step, -3, 3)
            found = self.residuals(theta)
        last = (found[:, 0] ** 2).sum(axis=1)
        best = np.where((last < cost)[:, None], theta, best)
        return np.asarray(best[np.argmin(np.minimum(cost, last))])
