"""L-BFGS: the last few changes of the gradient instead of a matrix."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from symgd.descent.methods.base import At, Function, Memory, Method, Vector, counted, dot, norm
from symgd.descent.methods.lines import longest, shortest, wolfe


class Lbfgs(Method):
    """Quasi-Newton with the memory of the last few steps, for any number of parameters.

    References
    ----------
    Liu and Nocedal 1989; Nocedal and Wright 2006, algorithms 7.4 and 7.5.
    """

    name = "lbfgs"
    summary = "quasi-Newton with the memory of a few steps, for any number of parameters (Liu and Nocedal 1989)"
    hyper: ClassVar = {"memory": 10.0, "c1": 1e-4, "c2": 0.9}
    bounds: ClassVar = {"memory": (1, 1000), "c1": (1e-12, 0.49), "c2": (1e-6, 0.999)}

    def begin(self, function: Function, at: At) -> Memory:
        """Begin with nothing known."""
        m = int(self.values["memory"])
        # Steps, changes of the gradient, their products, and how many were ever kept.
        return [np.zeros((m, function.n)), np.zeros((m, function.n)), np.zeros(m), np.zeros(1)]

    def step(self, function: Function, at: At, memory: Memory) -> At | None:
        """Go along the quasi-Newton direction; where that leads nowhere, forget all and go down the gradient."""
        count = memory[3]
        for attempt in range(2):
            if attempt:
                if not count[0]:
                    break
                count[0] = 0.0
            d = -self._times(at.g, memory)
            if not dot(at.g, d) < 0:
                continue
            first = min(1.0 if count[0] else shortest(at), longest(at, d))
            found = wolfe(function, at, d, first, self.values["c1"], self.values["c2"])
            if found is not None:
                self._learn(found.at.x - at.x, found.at.g - at.g, memory)
                return found.at
        return None

    def _times(self, g: Vector, memory: Memory) -> Vector:
        """Give the inverse Hessian's model times a vector, by the two loops."""
        steps, changes, products, count = memory
        m, kept = len(products), counted(count[0])
        order = [i % m for i in range(max(0, kept - m), kept)]
        q = g.copy()
        weights = {}
        for i in reversed(order):
            weights[i] = dot(steps[i], q) / products[i]
            q -= weights[i] * changes[i]
        if order:
            last = order[-1]
            q *= products[last] / dot(changes[last], changes[last])
        for i in order:
            q += (weights[i] - dot(changes[i], q) / products[i]) * steps[i]
        return q

    def _learn(self, s: Vector, y: Vector, memory: Memory) -> None:
        along = dot(s, y)
        if not along > 1e-14 * norm(s) * norm(y):
            return
        steps, changes, products, count = memory
        place = counted(count[0]) % len(products)
        steps[place], changes[place], products[place] = s, y, along
        count[0] += 1
