"""What a method is: a step from one point to the next, and a memory of arrays that lives from step to step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from symgd.checks import number
from symgd.curvature.problem import Problem
from symgd.errors import UsageError, suggest
from symgd.graph import poles
from symgd.kernel.code import HUGE
from symgd.records import dataclass
from symgd.squares import Squares

Vector = NDArray[np.float64]
Memory = list[NDArray[np.float64]]

TINY = 1e-280  # squares below which digits are lost
LARGEST = 1e305  # from which on a value or a slope is as good as infinite
NOISE = 8 * float(np.finfo(float).eps)  # relative error of a value, under which two cannot be told apart
INVISIBLE = 1e-2 * NOISE  # a fall, relative to the value, that never shows


def dot(a: Vector, b: Vector) -> float:
    """Give the product of two vectors.

    Not by BLAS: its threads, woken for every product of long vectors, cost more than they gain, above all beside the
    objective's own.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.einsum("i,i->", a, b))


def norm(a: Vector) -> float:
    """Give the Euclidean norm of a vector."""
    squared = dot(a, a)
    if TINY < squared < HUGE or not len(a):
        return math.sqrt(squared)
    # Squares that overflow, or vanish: what is left of them is no length.
    size = float(np.abs(a).max())
    return size * math.sqrt(dot(a / size, a / size)) if 0.0 < size < math.inf else size


def counted(number: float) -> int:
    """Give a count that a memory holds; 0 for what is none, as in a saved run that somebody edited."""
    return int(number) if math.isfinite(number) else 0


@dataclass(frozen=True, slots=True, eq=False)
class At:
    """A point with the value and the gradient there."""

    x: Vector
    f: float
    g: Vector

    @property
    def squared(self) -> float:
        """The gradient's squared norm."""
        return dot(self.g, self.g)

    @property
    def finite(self) -> bool:
        """Whether value and gradient are numbers to go on with."""
        return abs(self.f) < LARGEST and bool((np.abs(self.g) < LARGEST).all())


class Function:
    """An objective as methods see it; what it is asked is counted.

    Parameters
    ----------
    kernel : Problem
        The objective.
    calls : int
        Evaluations of value and gradient so far.
    cost : int
        The work so far, in such evaluations. It alone decides which tier works, so that a run that is taken up again
        comes out the same.
    sign : float
        -1 when the objective is maximized.
    """

    def __init__(self, kernel: Problem, calls: int = 0, cost: int = 0, sign: float = 1.0) -> None:
        self.kernel, self.calls, self.cost, self.sign = kernel, calls, cost, sign
        self.n = kernel.n
        self._here: tuple[Vector, Vector] | None = None

    @cached_property
    def squares(self) -> Squares | None:
        """The objective's residuals, where it is a sum of squares; else ``None``."""
        return self.kernel.squares() if self.sign > 0 else None

    def count(self, calls: int) -> None:
        """Note evaluations that were made elsewhere."""
        self.calls += calls
        self.cost += calls

    def _tier(self, cost: int) -> str:
        self.cost += cost
        return self.kernel.tier_at(self.cost)

    def stand(self, at: At) -> None:
        """Note where the next step begins: what lies across a pole is as good as infinite from there."""
        side = self.kernel.sides(at.x)
        self._here = None if side is None else (at.x, side)

    def at(self, x: Vector, *, across: bool = False) -> At:
        """Evaluate value and gradient; with ``across``, whatever lies in between."""
        self.calls += 1
        with np.errstate(all="ignore"):
            f, g = self.kernel.slope(x, self._tier(1))
        return At(x, f if across or not self._parted(x) else math.inf, g)

    def _parted(self, x: Vector) -> bool:
        """Tell whether a pole lies between a point and where the step begins."""
        if self._here is None:
            return False
        start, side = self._here
        other = self.kernel.sides(x)
        if other is None or not (side * other < 0).any():
            return False
        return poles.between(self.kernel.value, self.kernel.sides, start, x)

    def product(self, x: Vector, v: Vector) -> Vector:
        """Give the Hessian at a point times a vector."""
        return self.kernel.product(x, v, self._tier(2))

    def hessian(self, x: Vector) -> NDArray[np.float64]:
        """Give the Hessian at a point."""
        return self.kernel.hessian(x, self._tier(2 * self.n))


class Method:
    """A method that is more than a recurrence.

    Parameters
    ----------
    **hyper : float
        Its numbers.

    Raises
    ------
    UsageError
        For a number that the method does not have, or that is out of bounds.
    """

    name: str
    summary: ClassVar[str]
    # Each number's default, and the bounds that it must lie between.
    hyper: ClassVar[Mapping[str, float]] = {}
    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {}
    # Whether it looks for a way down where the gradient vanishes and the point is no minimum.
    escapes: ClassVar[bool] = False
    # Steps within which the lowest value must fall, or the smallest gradient halve; 0 where neither need be.
    patience: ClassVar[int] = 16

    def __init__(self, **hyper: float) -> None:
        for key, value in hyper.items():
            if key not in self.hyper:
                near = suggest(key, list(self.hyper))
                hint = f"did you mean '{near}'?" if near else f"it has: {', '.join(self.hyper) or 'none'}"
                raise UsageError(f"{self.name} has no number '{key}'; {hint}")
            low, high = self.bounds.get(key, (-math.inf, math.inf))
            between = f" from {low:g} to {high:g}" if math.isfinite(low + high) else ""
            hyper[key] = number(key, value, f"a finite number{between}", low=low, high=high)
        self.values = {**self.hyper, **hyper}

    def begin(self, function: Function, at: At) -> Memory:
        """Give the memory before the first step."""
        return []

    def suits(self, function: Function, at: At) -> bool:
        """Tell whether it may go on from a point where another method stalls."""
        return True

    def moved(self, function: Function, at: At, memory: Memory) -> Memory:
        """Give the memory after a step that was not the method's own."""
        return self.begin(function, at)

    def again(self, function: Function, at: At, memory: Memory) -> bool:
        """Look for a lower point elsewhere, where the run has ended at no minimum; give whether there is a way to."""
        return False

    def told(self, memory: Memory) -> str:
        """Give the name under which the run is told."""
        return self.name

    def step(self, function: Function, at: At, memory: Memory) -> At | None:
        """Take a step, and note in the memory what the next one needs.

        Parameters
        ----------
        function : Function
            The objective.
        at : At
            Where the run stands.
        memory : list of ndarray
            What earlier steps left behind; it is changed in place.

        Returns
        -------
        At or None
            Where it goes; ``None`` where no step lowers the value.

        Raises
        ------
        NotImplementedError
            Always: each method has its own.
        """
        raise NotImplementedError


def lowers(at: At, new: At, expected: float) -> bool:
    """Tell whether a step may be taken: the value falls enough, or, where values are too close to tell, the gradient.

    Parameters
    ----------
    at : At
        Before the step.
    new : At
        After it.
    expected : float
        How much the value must fall by.

    Returns
    -------
    bool

    References
    ----------
    Hager and Zhang 2005, A new conjugate gradient method with guaranteed descent, section 4 (approximate Wolfe).
    """
    if not new.finite:
        return False
    if new.f <= at.f - expected and new.f < at.f:
        return True
    noise = NOISE * abs(at.f)
    return abs(expected) <= noise and new.f <= at.f + noise and new.squared < at.squared
