"""Newton's method with the exact Hessian, within a trust region."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from symgd.descent.methods.base import At, Function, Memory, Method, Vector, lowers, norm
from symgd.descent.methods.trust import Model, decomposed, promised, step_within, within

# Curvature, relative to the largest, that a parameter is at least given in the scaling: smaller ones would let it run
# away at the first steps.
LEAST = 1e-4
AGREES = 1e-3  # difference between a fall and the one foretold, relative, up to which the objective is a quadratic


class Newton(Method):
    """Newton's method: the exact quadratic model, believed within a trust region, solved by its eigenvalues.

    Parameters are measured by the square roots of their own curvatures, so that units do not matter. The Hessian may be
    indefinite: its negative curvature leads away from saddles. Near a minimum the steps are Newton's own.

    References
    ----------
    Moré and Sorensen 1983; Conn, Gould and Toint 2000, chapter 7; Nocedal and Wright 2006, chapter 4.
    """

    name = "newton"
    summary = "Newton with the exact Hessian in a trust region; leaves saddles (Moré and Sorensen 1983)"
    escapes = True

    def begin(self, function: Function, at: At) -> Memory:
        """Begin with a radius that the first step sets."""
        return [np.zeros(1)]

    def step(self, function: Function, at: At, memory: Memory) -> At | None:
        """Minimize the model within the region."""
        (radius,) = memory
        hessian = function.hessian(at.x)
        if not np.isfinite(hessian).all():
            return None
        scale = _scale(hessian)
        values, vectors = decomposed(hessian, scale)
        slope = vectors.T @ (at.g / scale)

        def measure(v: Vector) -> float:
            return norm(scale * v)

        def model(r: float) -> tuple[Vector, float]:
            step = vectors @ within(values, slope, r) / scale
            return step, promised(at.g, hessian @ step, step)

        if not radius[0] > 0:
            radius[0] = _first(values, slope, at.x, vectors, scale)
            new = _whole(function, at, values, model, measure, float(radius[0]))
            if new is not None:
                radius[0] = max(float(radius[0]), 2.0 * measure(new.x - at.x))
                return new
        return step_within(function, at, model, radius, measure)


def _whole(
    function: Function, at: At, values: Vector, model: Model, measure: Callable[[Vector], float], radius: float
) -> At | None:
    """Take Newton's whole step at once, however long, where the value does what the model foretold: on a quadratic."""
    if not values[0] > 0:
        return None
    step, fall = model(np.inf)
    if not measure(step) > radius:
        return None
    new = function.at(at.x + step)
    exact = new.finite and abs(at.f - new.f - fall) <= AGREES * fall
    return new if exact and lowers(at, new, 0.5 * fall) else None


def _scale(hessian: np.ndarray) -> Vector:
    """Measure each parameter by its own curvature."""
    seen = np.sqrt(np.abs(np.diag(hessian)))
    largest = float(seen.max())
    return np.maximum(seen, np.sqrt(LEAST) * largest) if largest > 0 else np.ones_like(seen)


def _first(values: Vector, slope: Vector, x: Vector, vectors: np.ndarray, scale: Vector) -> float:
    """Give the first radius: Newton's step where there is one, no longer than twice the point's own size."""
    curved = np.maximum(np.abs(values), 1e-8 * max(float(np.abs(values).max()), 1e-300))
    with np.errstate(over="ignore", invalid="ignore"):
        step = -slope / curved
        length = float(np.linalg.norm(step))
        far = float(np.linalg.norm(vectors @ step / scale))
    room = 2.0 * (1.0 + float(np.linalg.norm(x)))
    return length * min(1.0, room / far) if 0 < far < np.inf else room
