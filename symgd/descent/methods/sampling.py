"""Gradient sampling: down the shortest mixture of the slopes around a point, where kinks meet."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from symgd.curvature.corner import shortest_mixture
from symgd.descent.methods.base import At, Function, Memory, Method, Vector, norm
from symgd.draws import Draws

WIDEST, NARROWEST = 1e-1, 1e-11  # radii within which slopes are asked for, relative to the point's size
CLOSE = 1e-6  # the radius within which kinks must be
JUMP = 1e-4  # of the steepest slope, by which slopes differ at a kink
NARROWER = 0.1  # what a radius is multiplied by where its slopes have a mixture that is nearly 0
SHORT = 1e-7  # of the steepest slope: a mixture that is as good as 0
FALL = 1e-4  # share of the fall that the mixture promises which a step must bring
LONGER = 30  # doublings of a step that brings more and more
MISSING = 32  # slopes that are looked for on the way down, at most


class Sampling(Method):
    r"""Steps along the shortest mixture of gradients around, which goes down where kinks cross.

    At a kink the gradient is that of one side, and says nothing of the others; the shortest mixture of the gradients
    close by is 0 at a minimum, and leads down along the kink's floor elsewhere. The radius shrinks where it is 0.

    .. math:: d = -\arg\min \{ |v| : v \in \mathrm{conv}(\nabla f(x), \nabla f(x + r u_1), ..., \nabla f(x + r u_m)) \}

    References
    ----------
    Burke, Lewis and Overton 2005, A robust gradient sampling algorithm for nonsmooth, nonconvex optimization;
    Kiwiel 2007 (the step lengths).
    """

    name = "sampling"
    summary = "down the shortest mixture of the slopes around, for kinks (Burke, Lewis and Overton 2005)"
    patience: ClassVar = 0  # the value hardly falls while the radius shrinks

    def begin(self, function: Function, at: At) -> Memory:
        """Begin with the widest radius, and no draws."""
        return [np.array([WIDEST, 0.0])]

    def suits(self, function: Function, at: At) -> bool:
        """Tell whether there are kinks: where slopes close by are all the same, there is nothing to mix."""
        slopes = self._around(function, at, CLOSE * (1.0 + float(np.abs(at.x).max())), 0)
        return bool(np.abs(slopes - at.g).max() > JUMP * np.abs(slopes).max())

    def moved(self, function: Function, at: At, memory: Memory) -> Memory:
        """Go on with the same radius."""
        return memory

    def step(self, function: Function, at: At, memory: Memory) -> At | None:
        """Go down the shortest mixture, with smaller radii where it leads nowhere."""
        head = memory[0]
        while head[0] >= NARROWEST:
            radius = float(head[0]) * (1.0 + float(np.abs(at.x).max()))
            head[1] += 1.0  # every radius, and every step, has draws of its own, the same in every run
            new = self._down(function, at, radius, self._around(function, at, radius, int(head[1])))
            if new is not None:
                return new
            head[0] *= NARROWER
        return None

    def _down(self, function: Function, at: At, radius: float, slopes: Vector) -> At | None:
        """Go along the shortest mixture; where that does not lead down, with the slope that is found there."""
        for _ in range(MISSING):
            mixed = shortest_mixture(slopes)
            length = norm(mixed)
            if not length > SHORT * float(np.linalg.norm(slopes, axis=1).max()):
                return None
            way = -mixed / length
            new = function.at(at.x + radius * way)
            if new.finite and new.f <= at.f - FALL * radius * length and new.f < at.f:
                return self._farther(function, at, new, radius * way)
            if not np.isfinite(new.g).all():
                return None
            slopes = np.vstack([slopes, new.g])
        return None

    def _around(self, function: Function, at: At, radius: float, seed: int) -> Vector:
        """Give the gradient at a point, and at more points in a ball around it than there are parameters."""
        draws = Draws(seed)
        ways = draws.normal((function.n + 2, function.n))
        ways *= (draws.uniform(0.0, 1.0, len(ways)) ** (1.0 / function.n) / np.linalg.norm(ways, axis=1))[:, None]
        found = [at.g, *(function.at(at.x + radius * sign * way).g for way in ways for sign in (1.0, -1.0))]
        return np.array([g for g in found if np.isfinite(g).all()])

    def _farther(self, function: Function, at: At, new: At, step: Vector) -> At:
        """Go twice as far as long as the value falls further."""
        for _ in range(LONGER):
            step = 2.0 * step
            far = function.at(at.x + step)
            if not (far.finite and far.f < new.f):
                break
            new = far
        return new
