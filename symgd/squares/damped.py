"""The step of Levenberg and Marquardt, in the trust-region form of Moré."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from symgd.records import dataclass
from symgd.squares.factors import Factors

Vector = NDArray[np.float64]

EPS = float(np.finfo(float).eps)
SHORTENINGS = 60  # of one step, before it is given up
TINY = 1e-290
FAR = 100.0  # times its own size that a parameter may move in a step that fails
HUGE = 1e150


class Problem(Protocol):
    """What is minimized: the sum of squares, and its factors."""

    def rss(self, x: Vector) -> float:
        """Give the sum of the squared residuals."""

    def normal(self, x: Vector) -> Factors:
        """Give residuals and Jacobian, factorised."""


@dataclass(frozen=True, eq=False)
class State:
    """Where an iteration stands, and all that it remembers.

    Parameters
    ----------
    x : ndarray, shape (n,)
        The point.
    factors : Factors
        Residuals and Jacobian there.
    scale : ndarray, shape (n,)
        The largest norm that each column of the Jacobian had so far, in which steps are measured; 0 where it had none.
    radius : float
        The longest step that is trusted, in this scale.
    predicted : float
        By how much, relative to its value, the linear model would still reduce the sum of squares, untrusted.
    moved : float
        The length of the last step relative to that of the point, both in scale; 0 if none could be taken.
    evaluations : int
        Of the residuals, so far.
    """

    x: Vector
    factors: Factors
    scale: Vector
    radius: float
    predicted: float = np.inf
    moved: float = np.inf
    evaluations: int = 1


@np.errstate(all="ignore")
def begin(problem: Problem, x: Vector, factor: float = 10.0) -> State:
    """Give the state in which an iteration begins.

    Parameters
    ----------
    problem : Problem
        What to minimize.
    x : ndarray, shape (n,)
        The start.
    factor : float
        The first radius, relative to the length of the start.

    Returns
    -------
    State
    """
    found = problem.normal(x)
    scale = _norms(found)
    length = float(np.linalg.norm(scale * x))
    return State(x, found, scale, factor * (length if 0 < length < np.inf else 1.0))


def _norms(found: Factors) -> Vector:
    norms = found.norms
    return np.where(np.isfinite(norms), norms, 0.0)


def _measured(scale: Vector) -> Vector:
    """Measure parameters that the residuals have not felt yet as those that they felt most."""
    largest = float(scale.max(initial=0.0))
    return np.where(scale > 0, scale, largest if largest > 0 else 1.0)


@np.errstate(all="ignore")
def advance(problem: Problem, state: State) -> State:
    """Take one step of Levenberg and Marquardt.

    The step is the minimizer of the linear model ``|r + J p|`` with ``|D p|`` at most the radius, from the singular
    values of ``R D**-1``: never by the normal equations, and directions that the residuals do not feel are left alone.
    A trial point at which a residual is not finite, or which is no better, shortens the step.

    Parameters
    ----------
    problem : Problem
        What to minimize.
    state : State
        Where it stands; its factors must be finite.

    Returns
    -------
    State
        The same point, with ``moved`` 0, where no step reduces the sum of squares.

    References
    ----------
    Moré 1978, The Levenberg-Marquardt algorithm: implementation and theory, Lecture Notes in Mathematics 630, sections
    3 to 6.
    """
    f, radius, count, measured = state.factors.rss, state.radius, state.evaluations, _measured(state.scale)
    model = _Linear(state.factors, measured)
    predicted = model.reduction(model.newton) / f if f > 0 else 0.0
    held = np.zeros(len(measured), dtype=bool)
    length_x = float(np.linalg.norm(measured * state.x))
    for _ in range(SHORTENINGS):
        if not radius > 0:  # it has underflowed
            break
        z, free = model.step(radius)
        length, expected = float(np.linalg.norm(z)), model.reduction(z)
        x = state.x + model.to_point(z)
        if not expected > 0 or np.array_equal(x, state.x):
            break
        trial = problem.rss(x)
        count += 1
        if not trial < f:
            shorter = _held(measured, x - state.x, state.x, radius)
            if shorter is not None:
                held |= shorter > measured
                measured = shorter
                model = _Linear(state.factors, measured)
                continue
        if not np.isfinite(trial):
            radius = length / 4
            continue
        ratio = (f - trial) / expected
        if ratio < 0.25:
            radius = _shorter(f, trial, model, z) * min(radius, 10 * length)
        elif ratio > 0.75 or free:
            radius = 2 * length
        if ratio < 1e-4:
            continue
        found = problem.normal(x)
        if not found.finite:
            radius = length / 4
            continue
        scale = np.maximum(np.where(held, measured, state.scale), _norms(found))
        return State(x, found, scale, radius, predicted, length / max(length_x, length, 1e-300), count)
    scale = np.where(held, measured, state.scale)
    return State(state.x, state.factors, scale, radius, predicted, 0.0, count)


def _held(scale: Vector, step: Vector, x: Vector, radius: float) -> Vector | None:
    """Measure parameters that a bad step throws far beyond their own size by that size, so that others can move.

    Where the residuals hardly feel a parameter, the linear model sends it as far as it takes; a region that is shrunk
    for its sake holds all of them back.
    """
    size = 1.0 + np.abs(x)
    thrown = np.abs(step) > FAR * size
    if not thrown.any() or thrown.all():
        return None
    wider = np.where(thrown, np.maximum(scale, min(radius, HUGE) / size), scale)
    return wider if (wider > 2.0 * scale).any() else None


def _shorter(f: float, trial: float, model: _Linear, z: Vector) -> float:
    """Choose the factor of a radius that was too long: the minimizer of a parabola, within [0.1, 0.5]."""
    slope = model.slope(z)  # of half the sum of squares
    bend = (trial - f) / 2 - slope
    return float(np.clip(-slope / (2 * bend), 0.1, 0.5)) if bend > 0 else 0.5


class _Linear:
    """The residuals' linear model at a point, in the singular vectors of the scaled Jacobian."""

    def __init__(self, found: Factors, scale: Vector) -> None:
        U, self.s, self._Vt = np.linalg.svd(found.R / scale)
        self.g = U.T @ found.q
        self._scale = scale
        felt = self.s > EPS * len(self.s) * self.s[0]
        self.newton = np.where(felt, -self.g / np.where(felt, self.s, 1.0), 0.0)

    def step(self, radius: float) -> tuple[Vector, bool]:
        """Give the best step within a radius, and whether it is shorter than that."""
        if np.linalg.norm(self.newton) <= radius:
            return self.newton, True
        top = self.s * self.g
        low, high = 0.0, float(np.linalg.norm(top)) / radius
        lam = max(0.001 * high, TINY)
        for _ in range(100):
            bottom = self.s**2 + lam
            length = float(np.linalg.norm(top / bottom))
            slope = -float(np.sum(top**2 / bottom**3))
            if abs(length - radius) <= 0.1 * radius or slope == 0:
                break
            low, high = (lam, high) if length > radius else (low, lam)
            # Newton's method on 1/length, which is nearly linear in lam.
            lam -= (length - radius) / radius * length**2 / slope
            if not low < lam < high:
                lam = max((low * high) ** 0.5, 0.001 * high, TINY)
        return -top / bottom, False

    def reduction(self, z: Vector) -> float:
        """Give by how much a step would reduce the sum of squares."""
        return float(-np.sum(self.s * z * (2 * self.g + self.s * z)))

    def slope(self, z: Vector) -> float:
        return float(np.sum(self.g * self.s * z))

    def to_point(self, z: Vector) -> Vector:
        """Give a step in the parameters as they are."""
        step: Vector = (self._Vt.T @ z) / self._scale
        return step
