"""What the exact Hessian says of a point: eigenvalues, condition, and the kind of point it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.engine import Kernel
from symgd.run import Kind, finite

Vector = NDArray[np.float64]

DENSE = 512  # parameters up to which the Hessian is formed
SETTLING = 120  # Newton steps that a minimum is given to show itself
PROBES = np.logspace(-5, -1, 9)  # how far a flat direction is looked along, relative to the point's size
QUADRATIC = 5  # Newton steps within which quadratic convergence shows


@dataclass(frozen=True, eq=False)
class Curvature:
    """Second-order account of a point.

    Parameters
    ----------
    params : tuple of str
        The parameters, in order.
    eigenvalues : ndarray, shape (n,)
        Of the Hessian, ascending.
    eigenvectors : ndarray, shape (n, n)
        The columns belong to the eigenvalues.
    gradient_norm : float
        The Euclidean norm of the gradient there.
    kind : Kind
        What kind of point it is.
    message : str
        The same in a sentence.
    """

    params: tuple[str, ...]
    eigenvalues: Vector
    eigenvectors: NDArray[np.float64]
    gradient_norm: float
    kind: Kind
    message: str

    @property
    def condition(self) -> float:
        """Largest eigenvalue over smallest, in size; infinite where one is 0."""
        size = np.abs(self.eigenvalues)
        return float(size.max() / size.min()) if size.min() > 0 else math.inf

    @property
    def largest_lr(self) -> float:
        """The learning rate from which on gradient descent leaves this point: 2 over the largest eigenvalue."""
        top = float(self.eigenvalues[-1])
        return 2.0 / top if top > 0 else math.inf

    def to_dict(self) -> dict[str, Any]:
        """Give the account as plain data."""
        return {
            "kind": str(self.kind),
            "message": self.message,
            "eigenvalues": [finite(v) for v in self.eigenvalues.tolist()],
            "eigenvectors": [dict(zip(self.params, column, strict=True)) for column in self.eigenvectors.T.tolist()],
            "condition": finite(self.condition),
            "largest_lr": finite(self.largest_lr),
            "gradient_norm": finite(self.gradient_norm),
        }

    def __repr__(self) -> str:
        values = ", ".join(f"{v:.6g}" for v in self.eigenvalues[:8])
        return (
            f"Curvature({self.kind}, eigenvalues=[{values}{', ...' if len(self.eigenvalues) > 8 else ''}], "
            f"condition={self.condition:.4g}, largest_lr={self.largest_lr:.6g})"
        )


def curvature(kernel: Kernel, x: Vector, gtol: float = 1e-8) -> Curvature:
    """Work the curvature at a point out.

    Parameters
    ----------
    kernel : Kernel
        The objective.
    x : ndarray, shape (n,)
        The point.
    gtol : float
        Gradient norm up to which the point counts as stationary.

    Returns
    -------
    Curvature
    """
    f, g = kernel.slope(x)
    norm = float(np.linalg.norm(g))
    h = kernel.hessian(x)
    values, vectors = np.linalg.eigh(h) if np.isfinite(h).all() else (np.full(len(x), np.nan), np.eye(len(x)))
    if norm <= gtol:
        kind, message = classify(kernel, x, f, g)
    else:
        kind, message = Kind.NOT_STATIONARY, f"the gradient is {norm:.3g}"
    return Curvature(kernel.program.layout.names, values, vectors, norm, kind, message)


def classify(kernel: Kernel, x: Vector, f: float, g: Vector) -> tuple[Kind, str]:
    """Tell what kind of stationary point this is.

    Parameters
    ----------
    kernel : Kernel
        The objective.
    x : ndarray, shape (n,)
        A point with a small gradient.
    f : float
        The value there.
    g : ndarray, shape (n,)
        The gradient there.

    Returns
    -------
    kind : Kind
        What it is.
    message : str
        The evidence, as a clause.

    References
    ----------
    Nocedal and Wright 2006, theorems 2.3 and 2.4 (second-order conditions).
    """
    found = corner(kernel, x)
    if found is not None:
        return found
    if len(x) > DENSE:
        return _classify_large(kernel, x)
    h = kernel.hessian(x)
    if not np.isfinite(h).all():
        return Kind.BOUNDARY, "the Hessian is not finite there"
    # Scaled to a unit diagonal, so that parameters of different size are judged alike; the signs stay (Sylvester).
    size = np.sqrt(np.abs(np.diag(h)))
    size[size < 1e-150] = size.max() if size.max() > 1e-150 else 1.0
    values, vectors = np.linalg.eigh(h / np.outer(size, size))
    flat = 64 * len(x) * np.finfo(float).eps * max(1.0, float(np.abs(values).max()))
    if not np.abs(h).max() > 0:
        values = np.zeros(len(x))
    directions = vectors / size[:, None]
    directions /= np.linalg.norm(directions, axis=0)
    return _judge(kernel, x, f, g, values, directions, flat)


def _judge(
    kernel: Kernel, x: Vector, f: float, g: Vector, values: Vector, directions: NDArray[np.float64], flat: float
) -> tuple[Kind, str]:
    params = kernel.program.layout.names
    negative, positive = values < -flat, values > flat
    lowest = in_names(params, directions[:, int(np.argmin(values))])
    if negative.any() and not (negative | positive).all():
        return Kind.DEGENERATE, f"the curvature is negative along {lowest} and 0 elsewhere"
    for index in np.flatnonzero(~(negative | positive)):
        verdict = _probe(kernel, x, f, directions[:, index], directions[:, positive])
        if verdict:
            return Kind.DEGENERATE, f"{verdict} {in_names(params, directions[:, index])}"
    if not (negative | positive).all():
        return Kind.MINIMUM, "the value rises on all sides"
    settled = _settle(kernel, x, f, g, directions)
    # Where no stationary point is near, there is neither a saddle nor a maximum.
    if not negative.any() or settled[0] != Kind.MINIMUM:
        return settled
    if positive.any():
        return Kind.SADDLE, f"the curvature is negative along {lowest}"
    return Kind.MAXIMUM, "every curvature is negative"


def _probe(kernel: Kernel, x: Vector, f: float, d: Vector, rising: NDArray[np.float64]) -> str:
    """Look at values along a direction without curvature; an empty text when they all rise.

    A valley may fall though it rises along every straight line, as Peano's ``(y - x**2)*(y - 3*x**2)`` does. So each
    point is also moved to the floor of the valley, by a Newton step along the directions with positive curvature.
    """
    noise = 1e-15 * abs(f) + 1e-300
    far = []
    for r in PROBES:
        for sign in (-1.0, 1.0):
            z = x + sign * r * (1.0 + np.abs(x).max()) * d
            values = [kernel.value(z)]
            if rising.size:
                bent = rising.T @ kernel.hessian(z) @ rising
                push = rising @ np.linalg.lstsq(bent, rising.T @ kernel.slope(z)[1], rcond=None)[0]
                values.append(kernel.value(z - push))
            if min(values) < f - noise:
                return "the curvature is 0 but the value falls along"
            far.append(values[0])
    return "" if all(v > f + noise for v in far[-4:]) else "the value is flat along"


def _settle(kernel: Kernel, x: Vector, f: float, g: Vector, directions: NDArray[np.float64]) -> tuple[Kind, str]:
    """Tell a stationary point from a tail that falls for ever, and from an inflection: follow Newton's steps.

    Near a point without vanishing curvature they converge quadratically. Where they only shrink by a steady factor, the
    curvature vanishes at their limit, and values there must tell.
    """
    y, slope, lengths = x.copy(), g, []
    # The room that a point that is at its minimum may still move in.
    room = 0.05 * (1.0 + float(np.linalg.norm(x)))
    for _ in range(SETTLING):
        try:
            step = np.linalg.solve(kernel.hessian(y), slope)
        except np.linalg.LinAlgError:
            break
        lengths.append(float(np.linalg.norm(step)))
        if not math.isfinite(lengths[-1]):
            break
        if lengths[-1] <= 1e-9 * (1.0 + float(np.linalg.norm(y))) or lengths[-1] <= 1e-3 * lengths[0]:
            if len(lengths) > QUADRATIC:
                along: Vector = np.asarray(step / (lengths[-1] or 1.0), dtype=np.float64)
                across = directions - np.outer(along, along @ directions)
                verdict = _probe(kernel, y, min(f, kernel.value(y)), along, across)
                if verdict:
                    return Kind.DEGENERATE, f"{verdict} {in_names(kernel.program.layout.names, along)}"
            return _near(x, y, room)
        y = y - step
        slope = kernel.slope(y)[1]
        if float(np.linalg.norm(y - x)) > 100 * room:
            break
    return Kind.DEGENERATE, "the gradient is small, but Newton's steps do not settle: a plateau, or a tail"


def _near(x: Vector, y: Vector, room: float) -> tuple[Kind, str]:
    distance = float(np.linalg.norm(y - x))
    if distance <= room:
        return Kind.MINIMUM, "every curvature is positive"
    return Kind.NOT_STATIONARY, f"the gradient is small, but the stationary point is still {distance:.3g} away"


def corner(kernel: Kernel, x: Vector) -> tuple[Kind, str] | None:
    """Tell whether the gradient jumps at a point, or the domain ends there.

    Parameters
    ----------
    kernel : Kernel
        The objective.
    x : ndarray, shape (n,)
        The point.

    Returns
    -------
    tuple of Kind and str, or None
        What is there, and the evidence; ``None`` where the objective is smooth.
    """
    if kernel.program.smooth or len(x) > DENSE:
        return None
    for index, name in enumerate(kernel.program.layout.names):
        jumps = []
        for h in (1e-6, 1e-8):
            d = np.zeros(len(x))
            d[index] = h * (1 + abs(x[index]))
            ahead, behind = kernel.slope(x + d)[1][index], kernel.slope(x - d)[1][index]
            if not (math.isfinite(ahead) and math.isfinite(behind)):
                return Kind.BOUNDARY, f"the domain ends there, along {name}"
            jumps.append(abs(ahead - behind))
        # A smooth gradient changes a hundred times less over a hundredth of the way.
        if jumps[1] > 0.5 * jumps[0] and jumps[0] > 1e-7:
            return Kind.KINK, f"the gradient jumps by {jumps[1]:.3g} along {name}"
    return _lower_nearby(kernel, x)


def _lower_nearby(kernel: Kernel, x: Vector) -> tuple[Kind, str] | None:
    """Look for a lower value close by: a kink need not show along the axes, nor a jump of the value in any gradient."""
    f, g = kernel.slope(x)
    if not math.isfinite(f):
        return None
    n = len(x)
    # The axes, the diagonals of pairs, and directions without preference; always the same ones.
    draws = np.random.default_rng(0)
    ways = [*np.eye(n), *draws.choice([-1.0, 1.0], size=(4 * n, n)), *draws.standard_normal((4 * n, n))]
    for way in ways:
        for r in (1e-8, 1e-6, 1e-4):
            for step in (r * (1 + np.abs(x).max()) * way, -r * (1 + np.abs(x).max()) * way):
                # What the gradient itself explains is no surprise.
                expected = 2.0 * abs(float(g @ step)) + 1e-13 * (abs(f) + 1e-3)
                if kernel.value(x + step) < f - expected:
                    along = in_names(kernel.program.layout.names, step)
                    return Kind.KINK, f"the value falls at once along {along}"
    return None


def _classify_large(kernel: Kernel, x: Vector) -> tuple[Kind, str]:
    """Extreme eigenvalues by Lanczos on Hessian-vector products, without forming the matrix."""
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

    operator = LinearOperator((len(x), len(x)), matvec=lambda v: kernel.product(x, np.ravel(v)), dtype=np.float64)
    start = np.ones(len(x))
    try:
        top = float(eigsh(operator, k=1, which="LA", tol=1e-3, v0=start, return_eigenvectors=False)[0])
        low = float(eigsh(operator, k=1, which="SA", tol=1e-3, v0=start, return_eigenvectors=False)[0])
    except ArpackNoConvergence:
        return Kind.UNKNOWN, "the smallest eigenvalue could not be found"
    if low < -1e-10 * abs(top):
        return (Kind.SADDLE if top > 0 else Kind.MAXIMUM), f"the smallest curvature is {low:.3g}"
    if low <= 1e-12 * abs(top):
        return Kind.DEGENERATE, "a curvature is 0"
    return Kind.MINIMUM, f"every curvature is at least {low:.3g}"


def in_names(params: tuple[str, ...], direction: Vector, most: int = 4) -> str:
    """Write a direction in the parameters' names.

    Parameters
    ----------
    params : tuple of str
        The parameters, in order.
    direction : ndarray, shape (n,)
        The direction.
    most : int
        How many of its largest components to show.

    Returns
    -------
    str

    Examples
    --------
    >>> in_names(("a", "b"), np.array([2.0, -1.0]))
    'a - 0.5*b'
    """
    largest = float(np.abs(direction).max()) or 1.0
    scaled = direction / direction[int(np.argmax(np.abs(direction)))]
    order = np.argsort(-np.abs(scaled), kind="stable")[:most]
    text = ""
    for i in order:
        if abs(scaled[i]) * largest > 1e-9 * largest:
            size = "" if abs(abs(scaled[i]) - 1) < 1e-9 else f"{abs(scaled[i]):.3g}*"
            sign = " - " if scaled[i] < 0 else " + "
            text += (sign if text else sign.strip(" +")) + size + params[i]
    return text
