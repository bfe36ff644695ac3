"""BFGS: a model of the inverse Hessian, built from changes of the gradient."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from symgd.descent.methods.base import At, Function, Memory, Method, dot, norm
from symgd.descent.methods.lines import longest, shortest, wolfe


class Bfgs(Method):
    r"""Quasi-Newton with a full matrix, for up to a few thousand parameters; it also copes with kinks.

    .. math:: H' = \Big(I - \frac{s y^T}{y^T s}\Big) H \Big(I - \frac{y s^T}{y^T s}\Big) + \frac{s s^T}{y^T s}

    References
    ----------
    Nocedal and Wright 2006, algorithm 6.1; Lewis and Overton 2013 (objectives with kinks).
    """

    name = "bfgs"
    summary = "quasi-Newton with a full matrix (Broyden, Fletcher, Goldfarb and Shanno 1970)"
    hyper: ClassVar = {"c1": 1e-4, "c2": 0.9}
    bounds: ClassVar = {"c1": (1e-12, 0.49), "c2": (1e-6, 0.999)}

    def begin(self, function: Function, at: At) -> Memory:
        """Begin with the identity, whose size the first step sets."""
        return [np.eye(function.n), np.zeros(1)]

    def step(self, function: Function, at: At, memory: Memory) -> At | None:
        """Go along the quasi-Newton direction; where that leads nowhere, down the gradient with a new matrix."""
        inverse, begun = memory
        for attempt in range(2):
            if attempt:
                if not begun[0]:
                    break
                inverse[:], begun[0] = np.eye(function.n), 0.0
            d = -(inverse @ at.g)
            if not dot(at.g, d) < 0:
                continue
            first = min(1.0 if begun[0] else shortest(at), longest(at, d))
            found = wolfe(function, at, d, first, self.values["c1"], self.values["c2"])
            if found is not None:
                self._learn(found.at.x - at.x, found.at.g - at.g, inverse, begun)
                return found.at
        return None

    def _learn(self, s: np.ndarray, y: np.ndarray, inverse: np.ndarray, begun: np.ndarray) -> None:
        along = dot(s, y)
        if not along > 1e-14 * norm(s) * norm(y):
            return
        if not begun[0]:  # the size of the first curvature (Nocedal and Wright 2006, equation 6.20)
            inverse *= along / dot(y, y)
            begun[0] = 1.0
        hy = inverse @ y
        inverse += np.outer(s, s) * ((1.0 + dot(y, hy) / along) / along)
        inverse -= (np.outer(hy, s) + np.outer(s, hy)) / along
