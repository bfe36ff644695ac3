"""Objectives from theorems: where bounds are attained, and where methods fail."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symgd.testing.classes.known import Known, Spelling, bare, linear, number, shifted


class Lessard(Known):
    r"""A strongly convex function of one number on which the heavy ball with Polyak's constants cycles.

    .. math:: f'(x) = 25 x \ (x < 1), \quad x + 24 \ (1 \le x < 2), \quad 25 x - 24 \ (x \ge 2)

    From 3.3 it ends in the cycle -1.802449, 2.115918, 0.646531, ... for ever.

    Examples
    --------
    >>> Lessard().L, Lessard().mu
    (25.0, 1.0)

    References
    ----------
    Lessard, Recht and Packard 2016, Analysis and Design of Optimization Algorithms via Integral Quadratic Constraints,
    equation 4.11.
    """

    def __init__(self) -> None:
        super().__init__([0.0], 0.0, L=25, mu=1)

    def gap(self, x: Any) -> Any:
        """Give f - minimum."""
        x = np.asarray(x, dtype=float)[..., 0]
        middle, right = x * x / 2 + 24 * x - 12, 12.5 * x * x - 24 * x + 36
        return np.where(x < 1, 12.5 * x * x, np.where(x < 2, middle, right))

    def slope(self, x: Any) -> Any:
        """Give the gradient."""
        x = np.asarray(x, dtype=float)
        return np.where(x < 1, 25 * x, np.where(x < 2, x + 24, 25 * x - 24))

    def spelt(self) -> Spelling:
        """Give the formula."""
        return Spelling("where(x1 < 1, 25*x1**2/2, where(x1 < 2, x1**2/2 + 24*x1 - 12, 25*x1**2/2 - 24*x1 + 36))")


class Kinked(Known):
    r"""A weighted sum of distances along the axes: convex, Lipschitz continuous, with a kink at its minimizer.

    .. math:: f(x) = m + \sum_i w_i |x_i - c_i|

    Parameters
    ----------
    weights : array of shape (n,)
        The w_i, positive.
    minimizer : array of shape (n,)
        c.
    minimum : float
        m.

    Examples
    --------
    >>> Kinked([3, 4], [1, 0]), Kinked([3, 4], [1, 0]).lipschitz
    (Objective('3*abs(x1 - 1) + 4*abs(x2)'), 5.0)
    """

    def __init__(self, weights: Any, minimizer: Any, minimum: float = 0.0) -> None:
        self.weights = np.array(weights, dtype=float)
        slope = math.sqrt(float(self.weights @ self.weights))
        super().__init__(minimizer, minimum, L=math.inf, mu=0, lipschitz=slope)

    def gap(self, x: Any) -> Any:
        """Give f - minimum."""
        return np.sum(self.weights * np.abs(np.asarray(x, dtype=float) - self.minimizer), axis=-1)

    def slope(self, x: Any) -> Any:
        """Give a subgradient, 0 along an axis at its kink."""
        return self.weights * np.sign(np.asarray(x, dtype=float) - self.minimizer)

    def spelt(self) -> Spelling:
        """Give the formula."""
        forms = [bare(linear([1.0], [c], [f"x{i + 1}"])) for i, c in enumerate(self.minimizer)]
        terms = [("" if w == 1 else f"{number(w)}*") + f"abs({t})" for w, t in zip(self.weights, forms, strict=True)]
        return Spelling(shifted(" + ".join(terms), self.minimum))


class Resisting(Known):
    r"""The largest of n numbers, cut off below: no subgradient says more than where one of them leads.

    .. math:: f(x) = M \max(x_1, \dots, x_n, -r)

    Its minimum -M r is attained at (-r, ..., -r), which is r sqrt(n) away from 0. From near 0 each of the first n - 1
    subgradient steps lowers one of the numbers, and the value stays where it is.

    Parameters
    ----------
    n : int
        How many numbers, at least 1.
    lipschitz : float
        M, positive.
    depth : float
        r, positive.

    Examples
    --------
    >>> Resisting(2, 3.0, 0.5)
    Objective('3*maximum(maximum(x1, x2), -0.5)')

    References
    ----------
    Nesterov 2004, Introductory Lectures on Convex Optimization, theorem 3.2.1.
    """

    def __init__(self, n: int, lipschitz: float = 1.0, depth: float = 1.0) -> None:
        self.depth = float(depth)
        super().__init__(np.full(n, -self.depth), -lipschitz * depth, L=math.inf, mu=0, lipschitz=lipschitz)

    def gap(self, x: Any) -> Any:
        """Give f - minimum."""
        return self.lipschitz * np.maximum(np.max(np.asarray(x, dtype=float) + self.depth, axis=-1), 0.0)

    def slope(self, x: Any) -> Any:
        """Give a subgradient: evenly among what ties, as formulas have it."""
        x = np.asarray(x, dtype=float)
        most = np.maximum(x.max(axis=-1, keepdims=True), -self.depth)
        at = x == most
        return self.lipschitz * at / np.maximum(at.sum(axis=-1, keepdims=True) + (most == -self.depth), 1)

    def nearest(self, x: Any) -> Any:
        """Give the nearest minimizer: each number cut off at -r."""
        return np.minimum(np.asarray(x, dtype=float), -self.depth)

    def spelt(self) -> Spelling:
        """Give the formula."""
        text = "x1"
        for i in range(1, self.n):
            text = f"maximum({text}, x{i + 1})"
        factor = "" if self.lipschitz == 1 else f"{number(self.lipschitz)}*"
        return Spelling(f"{factor}maximum({text}, {number(-self.depth)})")
