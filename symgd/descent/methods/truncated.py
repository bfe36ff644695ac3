"""Truncated Newton: conjugate gradients on products with the Hessian, which is never formed."""

from __future__ import annotations

import math

import numpy as np

from symgd.descent.methods.base import At, Function, Memory, Method, Vector, dot, norm
from symgd.descent.methods.trust import promised, step_within

MOST = 250  # products that one step may take


class TruncatedNewton(Method):
    """Newton-CG within a trust region: for many parameters, two products with the Hessian away from Newton's step.

    The conjugate gradients stop when the residual is a fraction of the gradient that falls with it, at the edge of the
    region, or along negative curvature, which is followed to the edge.

    References
    ----------
    Steihaug 1983; Nocedal and Wright 2006, algorithm 7.2; Pearlmutter 1994 (the products).
    """

    name = "newton_cg"
    summary = "truncated Newton on Hessian-vector products, for many parameters; leaves saddles (Steihaug 1983)"
    escapes = True

    def begin(self, function: Function, at: At) -> Memory:
        """Begin with a radius that the first step sets, and the size of the gradient."""
        return [np.zeros(1), np.array([math.sqrt(at.squared)])]

    def step(self, function: Function, at: At, memory: Memory) -> At | None:
        """Minimize the model within the region."""
        radius, first = memory
        widest = 1.0 + norm(at.x)
        if not radius[0] > 0:
            radius[0] = widest
        return step_within(function, at, lambda r: steihaug(function, at, r, float(first[0])), radius, norm, widest)


def steihaug(function: Function, at: At, radius: float, first: float = 1.0) -> tuple[Vector, float]:
    """Minimize the quadratic model within a ball by conjugate gradients.

    Parameters
    ----------
    function : Function
        The objective.
    at : At
        Where the model is taken.
    radius : float
        Of the ball.
    first : float
        The gradient's norm where the descent began, beside which it is small or not.

    Returns
    -------
    step : ndarray, shape (n,)
        The step.
    fall : float
        What the model promises that the value falls by.

    References
    ----------
    Steihaug 1983; Nocedal and Wright 2006, algorithm 7.2; the forcing sequence of their equation 7.3.
    """
    size = math.sqrt(at.squared)
    enough = min(0.5, math.sqrt(size / first) if first > 0 else 0.5) * size
    step, product = np.zeros_like(at.x), np.zeros_like(at.x)
    if not size > 0:  # there is no direction to go in
        return step, 0.0
    residual, d = at.g.copy(), -at.g
    for _ in range(min(MOST, 2 * function.n + 2)):
        hd = function.product(at.x, d)
        bent, squared = dot(d, hd), dot(residual, residual)
        if not math.isfinite(bent):
            break
        a = squared / bent if bent > 1e-15 * dot(d, d) else math.inf
        if a == math.inf or norm(step + a * d) >= radius:
            a = _to_the_edge(step, d, radius)
            return step + a * d, promised(at.g, product + a * hd, step + a * d)
        step, product, residual = step + a * d, product + a * hd, residual + a * hd
        if norm(residual) <= enough:
            break
        d = dot(residual, residual) / squared * d - residual
    return step, promised(at.g, product, step)


def _to_the_edge(step: Vector, d: Vector, radius: float) -> float:
    """Give how far along d the ball ends."""
    a, b, c = dot(d, d), dot(step, d), dot(step, step) - radius * radius
    return (-b + math.sqrt(max(0.0, b * b - a * c))) / a
