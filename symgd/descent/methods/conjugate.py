"""Nonlinear conjugate gradients."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from symgd.descent.methods.base import At, Function, Memory, Method, dot, norm
from symgd.descent.methods.lines import longest, shortest, wolfe

FLOOR = 0.01  # Hager and Zhang's eta: how far the last direction may be turned back


class ConjugateGradient(Method):
    r"""Conjugate gradients with Hager and Zhang's directions, which point downhill whatever the line search finds.

    .. math:: d' = -g' + \beta d, \qquad
        \beta = \frac{1}{d^T y}\Big(y - 2 d \frac{|y|^2}{d^T y}\Big)^T g'

    References
    ----------
    Hager and Zhang 2005, equations 1.2 to 1.6.
    """

    name = "cg"
    summary = "nonlinear conjugate gradients: two vectors of memory (Hager and Zhang 2005)"
    hyper: ClassVar = {"c1": 1e-4, "c2": 0.1}
    bounds: ClassVar = {"c1": (1e-12, 0.49), "c2": (1e-6, 0.999)}

    def begin(self, function: Function, at: At) -> Memory:
        """Begin down the gradient, with steps no longer than 1."""
        return [-at.g, np.array([shortest(at)])]

    def step(self, function: Function, at: At, memory: Memory) -> At | None:
        """Go along the direction; where that leads nowhere, down the gradient."""
        direction, length = memory
        for d in (direction.copy(), -at.g):
            slope = dot(at.g, d)
            if not slope < 0:
                continue
            # Newton's step along the line, which the exact Hessian gives.
            bent = dot(d, function.product(at.x, d))
            first = min(-slope / bent if bent > 0 else float(length[0]), longest(at, d))
            found = wolfe(function, at, d, first, self.values["c1"], self.values["c2"])
            if found is not None:
                self._turn(at, found.at, d, direction)
                length[0] = found.length
                return found.at
        return None

    def _turn(self, at: At, new: At, d: np.ndarray, direction: np.ndarray) -> None:
        y = new.g - at.g
        along = dot(d, y)
        beta = 0.0
        if along > 0:
            beta = dot(y - 2.0 * d * dot(y, y) / along, new.g) / along
            size = norm(d) * min(FLOOR, at.squared**0.5)
            beta = max(beta, -1.0 / size if size > 0 else 0.0)
        direction[:] = -new.g + beta * d
