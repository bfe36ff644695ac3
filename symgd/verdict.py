"""What kind of point a point is, and how that is known: data first, words last."""

from __future__ import annotations

import math
from dataclasses import field, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.records import dataclass


class Kind(StrEnum):
    """The kind of point that a run ended at.

    A minimum is weak where the value stays the same along some way, or is 0 to every order that float64 can tell, and
    is known to be no lower anywhere near; at a minimum at a kink the value rises at once in every direction.
    """

    MINIMUM = "minimum"
    WEAK_MINIMUM = "weak_minimum"
    KINK_MINIMUM = "kink_minimum"
    MAXIMUM = "maximum"
    WEAK_MAXIMUM = "weak_maximum"
    KINK_MAXIMUM = "kink_maximum"
    SADDLE = "saddle"
    DEGENERATE = "degenerate"
    KINK = "kink"
    BOUNDARY = "boundary"
    NOT_STATIONARY = "not_stationary"
    UNKNOWN = "unknown"

    @property
    def minimal(self) -> bool:
        """Whether it is a minimum, of whatever kind."""
        return self in (Kind.MINIMUM, Kind.WEAK_MINIMUM, Kind.KINK_MINIMUM)

    @property
    def kinked(self) -> bool:
        """Whether the gradient jumps there, so that curvature says nothing of steps."""
        return self in (Kind.KINK, Kind.KINK_MINIMUM, Kind.KINK_MAXIMUM)

    @property
    def maximal(self) -> bool:
        """Whether it is a maximum, of whatever kind."""
        return self in (Kind.MAXIMUM, Kind.WEAK_MAXIMUM, Kind.KINK_MAXIMUM)


# What each kind of point is. A run is ``ok`` at minima alone, or at maxima when it maximizes.
MEANINGS = {
    Kind.MINIMUM: "the value rises in every direction",
    Kind.WEAK_MINIMUM: "none is lower, but the value stays the same along some way, or as good as the same",
    Kind.KINK_MINIMUM: "the gradient jumps, and 0 is among the mixtures of the slopes around",
    Kind.MAXIMUM: "the value falls in every direction",
    Kind.WEAK_MAXIMUM: "as a weak minimum, of an objective that is maximized",
    Kind.KINK_MAXIMUM: "as a minimum at a kink, of an objective that is maximized",
    Kind.SADDLE: "a curvature is negative beyond rounding, and another positive",
    Kind.DEGENERATE: "a curvature is 0, and values prove no minimum: they fall, run off on a tail, or do not change",
    Kind.KINK: "the gradient jumps, and the value falls to some side, or may",
    Kind.BOUNDARY: "the domain ends there",
    Kind.NOT_STATIONARY: "the gradient is not 0, beside the way that was gone",
    Kind.UNKNOWN: "nothing tells",
}


class Reason(StrEnum):
    """How the kind of a point is known."""

    POSITIVE = "positive"
    LEAST = "least"
    ABOVE = "above"
    SMALLEST = "smallest"
    HOLDS = "holds"
    BOUND = "bound"
    CONVEX = "convex"
    STAYS = "stays"
    RISES = "rises"
    MIXED = "mixed"
    NEGATIVE = "negative"
    BENT = "bent"
    ALL_NEGATIVE = "all_negative"
    MOST = "most"
    NEGATIVE_OR_ZERO = "negative_or_zero"
    HARDLY_POSITIVE = "hardly_positive"
    FALLS = "falls"
    FLAT = "flat"
    VALLEY = "valley"
    ROUNDED = "rounded"
    UNSETTLED = "unsettled"
    TAIL = "tail"
    FADED = "faded"
    ORDER = "order"
    EDGE = "edge"
    ELSEWHERE = "elsewhere"
    FURTHER = "further"
    SLOPE = "slope"
    NOT_FINITE = "not_finite"
    DOMAIN_ENDS = "domain_ends"
    JUMP = "jump"
    FALLS_AT_ONCE = "falls_at_once"
    UNCERTAIN = "uncertain"
    MUTE = "mute"
    NOTHING = "nothing"
    NO_VALUE = "no_value"
    UNEXPLAINED = "unexplained"
    UNSEEN = "unseen"


# The clause of each reason, in which a run that maximizes swaps the words of the second table.
_CLAUSES = {
    Reason.POSITIVE: "every curvature is {positive}",
    Reason.LEAST: "every curvature is at {least} {0:.3g}",
    Reason.ABOVE: "every curvature is {above} {0:.3g}",
    Reason.SMALLEST: "the {smallest} curvature that was found is {0:.3g}",
    Reason.HOLDS: "no {lower} value is near, though a curvature is 0",
    Reason.BOUND: "the value is {0:.6g}, and the formula shows that none is {lower}",
    Reason.CONVEX: "the formula is {bowl}, so that none is {lower}, though a curvature is 0 along {along}",
    Reason.STAYS: "the value stays the same along {along}, and is nowhere near {lower}",
    Reason.RISES: "the value {falls} in no direction that was looked along, and slopes around the point add up to 0",
    Reason.MIXED: "the formula is {bowl}, and slopes around the point add up to 0",
    Reason.NEGATIVE: "the curvature is {negative} along {along}",
    Reason.BENT: "the curvature is {0:.3g} along {along}",
    Reason.ALL_NEGATIVE: "every curvature is {negative}",
    Reason.MOST: "every curvature is at {most} {0:.3g}",
    Reason.NEGATIVE_OR_ZERO: "the curvature is {negative} along {along} and 0 elsewhere",
    Reason.HARDLY_POSITIVE: "the curvature is {negative} along {along}, and nowhere clearly {positive}",
    Reason.FALLS: "the curvature is 0 but the value {falls} along {along}",
    Reason.FLAT: "the value is flat along {along}",
    Reason.VALLEY: "the value is flat along a valley; the starts ended all along it, and are told as one",
    Reason.ROUNDED: "a curvature is 0 as far as rounding can tell, along {along}",
    Reason.UNSETTLED: "the gradient is small, but Newton's steps do not settle: a plateau, or a tail",
    Reason.TAIL: "the value {falls} for ever along {along}: toward {0:.6g}, which it does not reach",
    Reason.FADED: "value and slope do not change in float64 along {along}, but further away the value does",
    Reason.ORDER: "the value is flat to high order, and the lowest point, {0:.6g} along {along}, is still {1:.3g} away",
    Reason.EDGE: "the domain ends there, along {along}, and no {lower} value is near",
    Reason.ELSEWHERE: "the gradient is small, but the stationary point is still {0:.3g} away",
    Reason.FURTHER: "Newton's step still goes {0:.2g} of the way that was gone",
    Reason.SLOPE: "the gradient's norm is {0:.3g}",
    Reason.NOT_FINITE: "the {along} is not finite there",
    Reason.DOMAIN_ENDS: "the domain ends there, along {along}",
    Reason.JUMP: "the gradient jumps by {1:.3g} along {along}",
    Reason.FALLS_AT_ONCE: "the value {falls} at once along {along}",
    Reason.UNCERTAIN: "the {smallest} curvature that was found is {0:.3g}, give or take {1:.2g}",
    Reason.MUTE: "",
    Reason.NOTHING: "there are no parameters",
    Reason.NO_VALUE: "the value is {0:g} there",
    Reason.UNEXPLAINED: "{along}",
    Reason.UNSEEN: "what kind of point it is, second derivatives would tell",
}
_SWAPPED = {
    "positive": "negative", "negative": "positive", "least": "most", "most": "least", "above": "below",
    "smallest": "largest", "lower": "higher", "falls": "rises", "rises": "falls",
}  # fmt: skip
_OTHER = {
    Kind.MINIMUM: Kind.MAXIMUM, Kind.MAXIMUM: Kind.MINIMUM, Kind.WEAK_MINIMUM: Kind.WEAK_MAXIMUM,
    Kind.WEAK_MAXIMUM: Kind.WEAK_MINIMUM, Kind.KINK_MINIMUM: Kind.KINK_MAXIMUM, Kind.KINK_MAXIMUM: Kind.KINK_MINIMUM,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Verdict:
    """The kind of a point, and how it is known.

    Parameters
    ----------
    kind : Kind
        What it is.
    reason : Reason
        How that is known.
    numbers : tuple of float
        Those that belong to the reason: first a curvature, a distance or a norm.
    along : str
        The direction that shows it, in the parameters' names, or what is not finite.
    direction : ndarray, shape (n,), optional
        The same as numbers.
    valley : bool
        Whether it speaks for many points of a valley.
    sign : float
        -1 for a point of an objective that was maximized, which was judged with the opposite sign.
    slope : float
        The gradient's norm, where the point is none that a gradient of 0 shows.
    """

    kind: Kind
    reason: Reason
    numbers: tuple[float, ...] = ()
    along: str = ""
    direction: NDArray[np.float64] | None = field(default=None, repr=False)
    valley: bool = False
    sign: float = 1.0
    slope: float = math.nan

    @property
    def falls(self) -> bool:
        """Whether a lower value was seen nearby, along a direction without curvature."""
        return self.reason == Reason.FALLS

    @property
    def flat(self) -> bool:
        """Whether the value stays the same along a direction."""
        return self.reason in (Reason.FLAT, Reason.VALLEY, Reason.STAYS)

    @property
    def low(self) -> bool:
        """Whether it is a minimum, or may be one: a valley is, and second derivatives say nothing of a kink."""
        return self.flat or self.kind.minimal or self.kind in (Kind.KINK, Kind.BOUNDARY)

    def turned(self) -> Verdict:
        """Give the same of the objective with the opposite sign: what was a minimum is a maximum."""
        return replace(self, kind=_OTHER.get(self.kind, self.kind), sign=-self.sign)

    def spread(self) -> Verdict:
        """Give the same of a whole valley, whose points are told as one."""
        if self.kind == Kind.DEGENERATE:
            return replace(self, valley=True)
        return replace(self, kind=Kind.WEAK_MINIMUM, reason=Reason.VALLEY, valley=True)

    @property
    def message(self) -> str:
        """The reason, as a clause."""
        words = {word: other if self.sign < 0 else word for word, other in _SWAPPED.items()}
        words["bowl"] = "convex" if self.sign > 0 else "concave"
        signed = [self.sign * n for n in self.numbers[:1]] if self.reason in _CURVATURES else list(self.numbers[:1])
        text = _CLAUSES[self.reason].format(*signed, *self.numbers[1:], along=self.along, **words)
        if self.reason == Reason.UNCERTAIN and math.isfinite(self.numbers[2]):
            further = "smaller ones down" if self.sign > 0 else "larger ones up"
            text += f"; {further} to {self.sign * self.numbers[2]:.2g} may be there"
        if math.isfinite(self.slope):
            text += f"; the gradient's norm is {self.slope:.3g}"
        told = self.valley and self.reason != Reason.VALLEY
        return text + ("; the starts ended all along it, and are told as one" if told else "")

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain data."""
        numbers = [n if math.isfinite(n) else None for n in self.numbers]
        return {"kind": str(self.kind), "reason": str(self.reason), "along": self.along, "numbers": numbers}


# Reasons whose first number is a curvature or a value, and so changes its sign with the objective.
_CURVATURES = (
    Reason.BOUND, Reason.TAIL, Reason.ORDER, Reason.LEAST, Reason.ABOVE, Reason.SMALLEST, Reason.BENT, Reason.MOST,
    Reason.UNCERTAIN, Reason.NO_VALUE,
)  # fmt: skip
