"""What laws ask of an optimizer: to run from a start with given settings, and to hand over where it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from symgd.records import dataclass

Vector = NDArray[np.float64]
Setting = float | str  # a number, or a formula of t, the number of the step from 1


class Oracle(Protocol):
    """What an optimizer may ask of a problem, as ``scipy.optimize.minimize`` asks it; an `Objective` is one."""

    def fun(self, x: Any) -> float:
        """Give the value at a flat vector."""

    def jac(self, x: Any) -> Vector:
        """Give the gradient there, as a new array."""


@dataclass(frozen=True, eq=False)
class Trace:
    """Where an optimizer was.

    Parameters
    ----------
    points : ndarray of shape (m + 1, n)
        The iterates: the start, and the point after each of m steps, as float64 whatever the optimizer works in.
    ended : str
        Why there are fewer steps than were asked for, as a clause; empty where there are all.
    unable : str
        Why the optimizer could not be run with these settings at all, as a clause; then there is the start alone, and
        a law is undecided.
    evaluated : ndarray of shape (k, n) or None
        The points at which a gradient was asked for, in order; ``None`` where that was not seen.
    states : mapping of str to ndarray
        What else it kept, by name, where it says so.
    """

    points: Vector
    ended: str = ""
    unable: str = ""
    evaluated: Vector | None = None
    states: Mapping[str, Any] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        return len(self.points) - 1


class Optimizer(Protocol):
    """What laws are checked on: a name, what may be set, and a run.

    More attributes are read where an optimizer has them, and what it does not have is not assumed. ``method`` is the
    row of the table of rules, or the method, that it claims to be: its published laws apply. ``rule`` is a `Rule` with
    the hyperparameters that hold: its theory applies. ``rounding`` is the unit roundoff of its arithmetic, 2**-53
    unless it says otherwise. ``gradient(problem, x)`` is the gradient that it goes by. ``variants(what)`` gives, by
    name, optimizers that must take the same path: ``what`` is ``"tiers"``, ``"threads"`` (which are compared with each
    other) or ``"resumed"``.
    """

    name: str
    settable: frozenset[str]  # "lr", and hyperparameters by the names that the table of rules has for them
    scheduled: bool  # whether a setting may be a formula of t

    def run(self, problem: Oracle, start: Vector, steps: int, settings: Mapping[str, Setting]) -> Trace:
        """Take that many steps from a start, without a test that ends it earlier.

        The start is not changed. Settings that are left out are the optimizer's own. Numbers that are not finite end
        the run; nothing is raised for them.
        """


class Recorded:
    """A problem that notes where its gradient is asked for.

    Parameters
    ----------
    problem : Oracle
        The problem.

    Examples
    --------
    >>> from symgd import Objective
    >>> seen = Recorded(Objective("x**2 + y**2"))
    >>> seen.jac([1.0, 2.0])
    array([2., 4.])
    >>> seen.evaluated
    array([[1., 2.]])
    """

    def __init__(self, problem: Oracle) -> None:
        self.problem = problem
        self._seen: list[Vector] = []

    def fun(self, x: Any) -> float:
        """Give the value."""
        return self.problem.fun(x)

    def jac(self, x: Any) -> Vector:
        """Give the gradient, and note where."""
        self._seen.append(np.array(x, dtype=float))
        return self.problem.jac(x)

    @property
    def evaluated(self) -> Vector:
        """The points at which the gradient was asked for, in order; none have the shape (0,)."""
        return np.array(self._seen)
