"""Gradient descent with Polyak's step, for a known smallest value."""

from __future__ import annotations

from typing import ClassVar

from symgd.descent.methods.base import At, Function, Memory, Method


class Polyak(Method):
    r"""Gradient descent with the step that would reach the smallest value, were the objective linear.

    .. math:: a = c \, \frac{f(x) - f^*}{|g|^2}

    Give the smallest value as ``minimum`` (when maximizing, the largest); it is 0 unless it is given. With ``factor=2``
    a quadratic contracts fastest.

    References
    ----------
    Polyak 1987, Introduction to Optimization, section 5.3.2; Barre, Taylor and d'Aspremont 2020, proposition 1.
    """

    name = "polyak"
    summary = "gradient descent, steps (f - minimum)/|g|**2 for a known smallest value (Polyak 1987)"
    patience: ClassVar = 0
    hyper: ClassVar = {"minimum": 0.0, "factor": 1.0}
    bounds: ClassVar = {"factor": (1e-6, 2.0)}

    def step(self, function: Function, at: At, memory: Memory) -> At | None:
        """Go down the gradient."""
        gap = at.f - function.sign * self.values["minimum"]
        if not gap > 0 or not at.squared > 0:
            return None
        return function.at(at.x - self.values["factor"] * gap / at.squared * at.g, across=True)
