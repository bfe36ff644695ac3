"""What numerics know of an objective: values and derivatives at points, and a few facts."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from symgd.graph.bounds import Bounds
from symgd.kernel.code import Source
from symgd.kernel.tiers import Loop
from symgd.squares import Squares

Vector = NDArray[np.float64]


class Problem(Protocol):
    """An objective, as curvature, methods and findings see it: the generated one, or a user's own functions."""

    @property
    def n(self) -> int:
        """How many numbers the parameters have."""

    @property
    def params(self) -> tuple[str, ...]:
        """The parameters."""

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Theirs."""

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each number."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the arrays of data."""

    @property
    def rows(self) -> int:
        """How many rows the data have."""

    @property
    def moments(self) -> int:
        """How many moments are known in place of the rows; 0 where the rows are."""

    @property
    def smooth(self) -> bool:
        """Whether there are no kinks."""

    @property
    def curved(self) -> bool:
        """Whether second derivatives are known."""

    @property
    def stored(self) -> bool:
        """Whether data stay on disk."""

    @property
    def tier(self) -> str:
        """What runs it."""

    def value(self, x: Vector) -> float:
        """Give the value at a point."""

    def slope(self, x: Vector, tier: str | None = None) -> tuple[float, Vector]:
        """Give value and gradient at a point."""

    def product(self, x: Vector, v: Vector, tier: str | None = None) -> Vector:
        """Give the Hessian at a point times a vector."""

    def hessian(self, x: Vector, tier: str | None = None) -> NDArray[np.float64]:
        """Give the Hessian at a point."""

    def split(self, x: Vector) -> dict[str, float | Vector]:
        """Give a number or an array for each parameter."""

    def squares(self) -> Squares | None:
        """Give the residuals, where the objective is known as a sum of their squares."""

    def doubt(self, x: Vector) -> str:
        """Tell where derivatives have lost digits."""

    def bounds(self) -> Bounds:
        """Give what is known of the values: bounds, and whether the objective is convex."""

    def sides(self, x: Vector) -> Vector | None:
        """Give numbers that change their signs where a denominator does, if there are any."""

    def work(self) -> int:
        """Give the operations of one evaluation of value and gradient."""

    def cost(self) -> int:
        """Give what that costs the first tier, in operations of plain Python."""

    def budget(self) -> int:
        """Give the operations that plain Python may spend before compiled code takes over."""

    def switch(self) -> int:
        """Give the step of a descent at which another tier takes over."""

    def tier_at(self, step: int) -> str:
        """Give the tier that takes a step of a descent."""

    def loop(self, source: Source, tier: str) -> Loop:
        """Give the loop of a rule, which is generated together with the objective."""
