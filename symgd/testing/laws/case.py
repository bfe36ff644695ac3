"""What a law is checked on, and what came of it: data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.records import dataclass
from symgd.testing.classes import Known
from symgd.testing.classes.known import number
from symgd.testing.protocol import Setting, Vector


@dataclass(frozen=True, eq=False, repr=False)
class Case:
    """A problem, a start, and how to run from it.

    Parameters
    ----------
    problem : Known
        The objective.
    start : ndarray of shape (n,)
        Where to start.
    steps : int
        How many steps, at least 1.
    settings : mapping
        Learning rate and hyperparameters; what is left out is the optimizer's own.
    more : mapping
        What else the law takes, such as the seed of a rotation.

    Examples
    --------
    >>> from symgd.testing import quadratic
    >>> Case(quadratic([2, 1]), np.array([1.0, 3.0]), 5, {"lr": 0.5})
    Case(Objective('x1**2 + x2**2/2'), start=[1, 3], steps=5, lr=0.5)
    """

    problem: Known
    start: Vector
    steps: int = 10
    settings: Mapping[str, Setting] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def radius2(self) -> float:
        """The squared distance of the start from the nearest minimizer."""
        return float(self.problem.distance(self.start)) ** 2

    def spelt(self) -> dict[str, str]:
        """Give each part as text to paste."""
        parts = {"problem": repr(self.problem), "start": listed(self.start), "steps": str(self.steps)}
        parts |= {k: v if isinstance(v, str) else number(v) for k, v in self.settings.items()}
        return parts | {k: listed(v) if isinstance(v, np.ndarray) else f"{v}" for k, v in self.more.items()}

    def __repr__(self) -> str:
        parts = self.spelt()
        named = [f"{k}={v!r}" if isinstance(self.settings.get(k), str) else f"{k}={v}" for k, v in parts.items()]
        return f"Case({', '.join([parts['problem'], *named[1:]])})"


def listed(x: NDArray[np.float64]) -> str:
    """Write a vector as a list, whole numbers as such."""
    return "[" + ", ".join(number(v) for v in x) + "]"


class Answer(StrEnum):
    """What came of a law."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"


class Reason(StrEnum):
    """Why."""

    BELOW = "below"  # found is within the bound, at every step that was compared
    ABOVE = "above"  # found is above the bound at a step
    NOT_FINITE = "not_finite"  # the optimizer left the numbers, or raised
    UNABLE = "unable"  # it cannot be run with these settings
    ENDED = "ended"  # it stopped before anything could be compared
    ROUNDING = "rounding"  # all there is to compare is below rounding
    NOT_ASSUMED = "not_assumed"  # the case is outside what the law assumes


@dataclass(frozen=True, eq=False)
class Verdict:
    """What came of a law in one case.

    Parameters
    ----------
    law : str
        Its name.
    answer : Answer
        Whether it holds.
    reason : Reason
        Why.
    case : Case or None
        Where.
    step : int or None
        The step at which found is largest against the bound, from 0.
    found : float or None
        What was measured there.
    bound : float or None
        What it must not exceed.
    detail : str
        What the optimizer says, as a clause, where it could not be run or ended early.
    """

    law: str
    answer: Answer
    reason: Reason
    case: Case | None = None
    step: int | None = None
    found: float | None = None
    bound: float | None = None
    detail: str = ""

    @property
    def reached(self) -> float | None:
        """The share of the bound that was reached."""
        return None if not self.bound or self.found is None else self.found / self.bound
