"""Gradient descent with a line search that satisfies the strong Wolfe conditions."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from symgd.descent.methods.base import At, Function, Memory, Method
from symgd.descent.methods.lines import longest, shortest, wolfe


class Wolfe(Method):
    """Gradient descent with steps that satisfy the strong Wolfe conditions.

    References
    ----------
    Wolfe 1969; Nocedal and Wright 2006, algorithm 3.5.
    """

    name = "wolfe"
    summary = "gradient descent, steps by the strong Wolfe conditions (Wolfe 1969)"
    hyper: ClassVar = {"c1": 1e-4, "c2": 0.1}
    bounds: ClassVar = {"c1": (1e-12, 0.49), "c2": (1e-6, 0.999)}

    def begin(self, function: Function, at: At) -> Memory:
        """Begin with a step no longer than 1."""
        return [np.array([shortest(at)])]

    def step(self, function: Function, at: At, memory: Memory) -> At | None:
        """Go down the gradient."""
        first = min(float(memory[0][0]), longest(at, at.g))
        found = wolfe(function, at, -at.g, first, self.values["c1"], self.values["c2"])
        if found is None:
            return None
        # The next step is expected to lower the value as much as this one (Nocedal and Wright 2006, equation 3.60).
        fall = 2.02 * (at.f - found.at.f)
        memory[0][0] = fall / found.at.squared if fall > 0 and found.at.squared > 0 else found.length
        return found.at
