"""Gradient descent with the step lengths of Barzilai and Borwein."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from symgd.descent.methods.base import At, Function, Memory, Method, counted, dot
from symgd.descent.methods.lines import armijo, longest, shortest

MEMORY = 10  # values of which the largest may be exceeded by none of the next steps


class BarzilaiBorwein(Method):
    r"""Gradient descent whose step is read off the last change of the gradient, long and short ones in turn.

    .. math:: a = \frac{s^T s}{s^T y} \quad\text{or}\quad \frac{s^T y}{y^T y}, \qquad s = x - x', y = g - g'

    The value need not fall at every step: it must fall below the largest of the last ten.

    References
    ----------
    Barzilai and Borwein 1988, equations 5 and 6; Raydan 1997 (the safeguard); Grippo, Lampariello and Lucidi 1986.
    """

    name = "bb"
    summary = "gradient descent, step lengths off the last change of the gradient (Barzilai and Borwein 1988)"
    patience: ClassVar = 64  # values rise in between

    def begin(self, function: Function, at: At) -> Memory:
        """Begin with a step no longer than 1."""
        return [np.array([shortest(at), 0.0]), np.full(MEMORY, at.f)]

    def step(self, function: Function, at: At, memory: Memory) -> At | None:
        """Go down the gradient."""
        numbers, values = memory
        count = counted(numbers[1])
        first = min(float(numbers[0]), longest(at, at.g))
        found = armijo(function, at, -at.g, first, ceiling=max(float(values.max()), at.f))
        if found is None:
            return None
        s, y = found.at.x - at.x, found.at.g - at.g
        along = dot(s, y)
        if along > 0:
            numbers[0] = dot(s, s) / along if count % 2 == 0 else along / dot(y, y)
        else:  # no positive curvature: go further
            numbers[0] = 4.0 * found.length
        numbers[1] = count + 1
        values[count % MEMORY] = found.at.f
        return found.at
