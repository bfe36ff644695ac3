"""Gradient descent with backtracking."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from symgd.descent.methods.base import At, Function, Memory, Method
from symgd.descent.methods.lines import armijo, longest, shortest


class Armijo(Method):
    """Gradient descent whose step is halved until the value falls enough, and tried twice as long the next time.

    References
    ----------
    Armijo 1966; Nocedal and Wright 2006, algorithm 3.1.
    """

    name = "armijo"
    summary = "gradient descent, steps halved until the value falls enough (Armijo 1966)"
    hyper: ClassVar = {"c1": 1e-4, "shrink": 0.5}
    bounds: ClassVar = {"c1": (1e-12, 0.999), "shrink": (1e-3, 0.999)}

    def begin(self, function: Function, at: At) -> Memory:
        """Begin with a step of length 1, or of the gradient's size where that is smaller."""
        return [np.array([shortest(at)])]

    def step(self, function: Function, at: At, memory: Memory) -> At | None:
        """Go down the gradient."""
        first = min(float(memory[0][0]), longest(at, at.g))
        found = armijo(function, at, -at.g, first, self.values["c1"], self.values["shrink"])
        if found is None:
            return None
        memory[0][0] = found.length / self.values["shrink"]
        return found.at
