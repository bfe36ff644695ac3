"""The trust region: how far a quadratic model is believed, and its minimizer within."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from symgd.descent.methods.base import INVISIBLE, NOISE, At, Function, Vector, dot, lowers

SMALLEST = 1e-16  # a radius, relative to the point, at which no step changes it any more
ACCEPTED = 1e-4  # share of the fall that the model promised from which on a step is taken
ROUNDS = 80

# Gives a step and the fall that the model promises for it, within a radius.
Model = Callable[[float], tuple[Vector, float]]


def within(values: Vector, slope: Vector, radius: float) -> Vector:
    r"""Minimize a quadratic within a ball, in the coordinates of its eigenvectors, indefinite ones included.

    .. math:: \min_s \; b^T s + \tfrac12 \sum_i \lambda_i s_i^2 \quad\text{with } |s| \le r

    Parameters
    ----------
    values : ndarray, shape (n,)
        The eigenvalues, ascending.
    slope : ndarray, shape (n,)
        The gradient b.
    radius : float
        Of the ball.

    Returns
    -------
    ndarray, shape (n,)

    References
    ----------
    Moré and Sorensen 1983; Nocedal and Wright 2006, section 4.3, the hard case included.

    Examples
    --------
    >>> within(np.array([1.0, 2.0]), np.array([1.0, 2.0]), 10.0)
    array([-1., -1.])
    """
    lowest = float(values[0])
    size = max(float(np.abs(values).max()), float(np.linalg.norm(slope)) / radius, 1e-300)
    # What products round to leads nowhere: without curvature to stop it, it would lead to the edge.
    nought = (np.abs(values) <= 1e-14 * size) & (np.abs(slope) <= 1e-15 * float(np.linalg.norm(slope)))
    slope = np.where(nought, 0.0, slope)
    # Beside a shift, eigenvalues are as good as the largest of them allows; without one, each is as good as it is.
    blur = 1e-14 * (size if lowest < -1e-14 * size else abs(lowest))
    # The shift lies between these two; at the lower end the step is too long, or the hard case is met.
    low = max(0.0, -lowest)
    high = low + float(np.linalg.norm(slope)) / radius + 1e-15 * size
    edge = values + low <= blur
    if np.abs(slope[edge]).max(initial=0.0) <= 0.1 * blur * radius:
        # Along the lowest curvature the slope says nothing: its eigenvector fills the ball up.
        step = np.where(edge, 0.0, -slope / np.where(edge, 1.0, values + low))
        rest = radius * radius - dot(step, step)
        if rest >= 0:
            if lowest < -1e-14 * size:
                step[int(np.argmax(edge))] = math.sqrt(rest)
            return step
    shift = high
    for _ in range(ROUNDS):  # Newton's steps on 1/|s| - 1/r, kept between the two ends
        step = -slope / (values + shift)
        length = float(np.linalg.norm(step))
        if abs(length - radius) <= 1e-10 * radius:
            break
        low, high = (shift, high) if length > radius else (low, shift)
        below = float(step @ (step / (values + shift)))
        shift += (length - radius) / radius * length * length / below if below > 0 else 0.0
        if not low < shift < high:
            shift = 0.5 * (low + high)
    return step


def step_within(
    function: Function, at: At, model: Model, radius: Vector, measure: Callable[[Vector], float], widest: float
) -> At | None:
    """Take the model's step, on a smaller radius until the value falls as promised; the radius is kept up to date.

    A radius that shrank to nothing somewhere else says little about the model here: before a step is given up, the
    region is tried once more at its first size.

    Parameters
    ----------
    function : Function
        The objective.
    at : At
        Where the run stands.
    model : callable
        Gives a step and the promised fall for a radius.
    radius : ndarray, shape (1,)
        The radius; it is changed in place.
    measure : callable
        The norm that the radius is in.
    widest : float
        The region's first size.

    Returns
    -------
    At or None
        ``None`` where no step lowers the value.

    References
    ----------
    Nocedal and Wright 2006, algorithm 4.1.
    """
    begun = float(radius[0])
    new = _shrinking(function, at, model, radius, measure)
    if new is None and begun < widest and model(widest)[1] > NOISE * abs(at.f):
        radius[0] = widest
        new = _shrinking(function, at, model, radius, measure)
    return new


def _shrinking(
    function: Function, at: At, model: Model, radius: Vector, measure: Callable[[Vector], float]
) -> At | None:
    """Take the model's step on smaller and smaller radii, until the value falls as promised."""
    least = SMALLEST * (measure(at.x) or 1e-3)
    while True:
        step, promised = model(float(radius[0]))
        new = function.at(at.x + step)
        length = measure(step)
        ratio = (at.f - new.f) / promised if new.finite and promised > 0 else -1.0
        close = promised <= NOISE * abs(at.f)
        if lowers(at, new, min(ACCEPTED * promised, promised) if not close else promised):
            if ratio < 0.25 and not close:
                radius[0] = 0.25 * length
            elif ratio > 0.75 and length > 0.8 * radius[0]:
                radius[0] = 2.0 * radius[0]
            return new
        if abs(promised) <= INVISIBLE * abs(at.f):
            return None
        radius[0] = 0.25 * min(length, float(radius[0]))
        if not radius[0] > least:
            return None


def promised(gradient: Vector, product: Vector, step: Vector) -> float:
    """Give the fall of the model ``g's + s'Hs/2`` along a step, from H times the step."""
    return -dot(gradient, step) - 0.5 * dot(step, product)


def decomposed(hessian: NDArray[np.float64], scale: Vector) -> tuple[Vector, NDArray[np.float64]]:
    """Give eigenvalues and eigenvectors of a Hessian in scaled parameters."""
    values, vectors = np.linalg.eigh(hessian / np.outer(scale, scale))
    return values, vectors
