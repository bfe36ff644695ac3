"""Gradient sampling: down the shortest mixture of the slopes around a point, where kinks meet."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from symgd.curvature.corner import shortest_mixture
from symgd.descent.methods.base import At, Function, Memory, Method, Vector, norm

WIDEST, NARROWEST = 1e-1, 1e-11  # radii within which slopes are asked for, relative to the point's size
NARROWER = 0.1  # what a radius is multiplied by where its slopes have a mixture that is nearly 0
SHORT = 1e-7  # of the steepest slope: a mixture that is as good as 0
FALL = 1e-4  # share of the fall that the mixture promises which a step must bring
LONGER = 30  # doublings of a step that brings more and more
SHORTER = 6  # halvings of one that brings too little


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

    def moved(self, function: Function, at: At, memory: Memory) -> Memory:
        """Go on with the same radius."""
        return memory

    def step(self, function: Function, at: At, memory: Memory) -> At | None:
        """Go down the shortest mixture, with smaller radii where it leads nowhere."""
        head = memory[0]
        while head[0] >= NARROWEST:
            radius = float(head[0]) * (1.0 + float(np.abs(at.x).max()))
            head[1] += 1.0  # every radius, and every step, has draws of its own, the same in every run
            slopes = self._around(function, at, radius, int(head[1]))
            mixed = shortest_mixture(slopes)
            length = norm(mixed)
            if length > SHORT * float(np.linalg.norm(slopes, axis=1).max()):
                new = self._along(function, at, -mixed / length, length, radius)
                if new is not None:
                    return new
            head[0] *= NARROWER
        return None

    def _around(self, function: Function, at: At, radius: float, seed: int) -> Vector:
        """Give the gradient at a point, and at more points in a ball around it than there are parameters."""
        draws = np.random.default_rng(seed)
        ways = draws.standard_normal((function.n + 2, function.n))
        ways *= (draws.uniform(size=len(ways)) ** (1.0 / function.n) / np.linalg.norm(ways, axis=1))[:, None]
        found = [at.g, *(function.at(at.x + radius * sign * way).g for way in ways for sign in (1.0, -1.0))]
        return np.array([g for g in found if np.isfinite(g).all()])

    def _along(self, function: Function, at: At, way: Vector, slope: float, radius: float) -> At | None:
        """Go so far that the value falls as promised: twice as far as long as that brings more, else half as far."""
        best = None
        length = radius
        for _ in range(LONGER):
            new = function.at(at.x + length * way)
            if not (new.finite and new.f <= at.f - FALL * length * slope and new.f < (best or at).f):
                break
            best, length = new, 2.0 * length
        if best is not None:
            return best
        for _ in range(SHORTER):
            length *= 0.5
            new = function.at(at.x + length * way)
            if new.finite and new.f <= at.f - FALL * length * slope and new.f < at.f:
                return new
        return None
