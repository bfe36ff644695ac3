"""Newton's method with the exact Hessian, within a trust region."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from symgd.descent.methods.base import At, Function, Memory, Method, Vector, lowers, norm
from symgd.descent.methods.trust import Model, decomposed, promised, step_within, within

# Parameters whose curvatures differ by less than ALIKE squared count as alike: measured by their own curvatures, those
# that hardly matter where they are would run away. Beyond, they are in units so different that no one ball fits.
ALIKE = 1e2
LEAST = 1e-4  # of the largest, for one with no curvature at all
AGREES = 1e-3  # difference between a fall and the one foretold, relative, up to which the objective is a quadratic


class Newton(Method):
    """Newton's method: the exact quadratic model, believed within a trust region, solved by its eigenvalues.

    The region is a ball, as wide at first as a point of ordinary size is far from 0; only parameters with far less
    curvature than others are given more room. The Hessian may be indefinite: its negative curvature leads away from
    saddles. Near a minimum the steps are Newton's own.

    References
    ----------
    Moré and Sorensen 1983; Conn, Gould and Toint 2000, chapter 7; Nocedal and Wright 2006, chapter 4.
    """

    name = "newton"
    summary = "Newton with the exact Hessian in a trust region; leaves saddles (Moré and Sorensen 1983)"
    escapes = True

    def begin(self, function: Function, at: At) -> Memory:
        """Begin with a radius and a scaling that the first step sets."""
        return [np.zeros(1), np.zeros(function.n)]

    def step(self, function: Function, at: At, memory: Memory) -> At | None:
        """Minimize the model within the region."""
        radius, scale = memory
        hessian = function.hessian(at.x)
        if not np.isfinite(hessian).all():
            return None
        np.maximum(scale, _scale(hessian), out=scale)
        values, vectors = decomposed(hessian, scale)
        slope = vectors.T @ (at.g / scale)
        # In units of the objective in which squares do not overflow; a power of two rounds nothing.
        unit = np.ldexp(1.0, min(1023, -int(np.frexp(np.abs(values).max())[1]))) if np.isfinite(values).all() else 1.0
        bent, steep = unit * values, unit * slope

        def measure(v: Vector) -> float:
            return norm(scale * v)

        def model(r: float) -> tuple[Vector, float]:
            step = vectors @ within(bent, steep, r) / scale
            return step, promised(at.g, hessian @ step, step)

        widest = max(1.0, 0.1 * measure(at.x))
        if not radius[0] > 0:
            radius[0] = widest
            new = _whole(function, at, values, model, measure, float(radius[0]))
            if new is not None:
                radius[0] = max(float(radius[0]), 2.0 * measure(new.x - at.x))
                return new
        return step_within(function, at, model, radius, measure, widest)


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
    """Measure parameters alike, but for those with far less curvature than others."""
    seen = np.sqrt(np.abs(np.diag(hessian)))
    largest = float(seen.max())
    if not largest > 0:
        return np.ones_like(seen)
    return np.clip(ALIKE * (seen / largest), LEAST, 1.0)
