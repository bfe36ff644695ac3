"""How a fit went, as findings and in a sentence."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from symgd.fitting import statistics
from symgd.fitting.problem import Problem
from symgd.fitting.solve import Solution
from symgd.fitting.statistics import Directions
from symgd.records import dataclass
from symgd.run import Finding, Outcome
from symgd.verdict import Kind

Vector = NDArray[np.float64]

STILL = 1e-10  # of a parameter's size: less than anybody reads
LITTLE = 0.1  # R2 below which a model explains little
ALIKE = 0.7  # correlation of neighbouring residuals from which they have a shape
FEW = 8  # residuals that are too few to tell
SAME = 1e-9  # relative differences of a model that is the same in every row
SURE = 4.0  # the same in standard deviations of what chance gives
EXACT = 1e-10  # 1 - R2 below which what is left is how the data were rounded


@dataclass(frozen=True, eq=False)
class Facts:
    """What is known of a fit when it is told how it went.

    Parameters
    ----------
    problem : Problem
        What was fitted.
    found : Solution
        Where the search ended.
    felt : Directions or None
        What the residuals feel of the parameters.
    residuals : ndarray, shape (m,)
        At the end, weighted.
    counted : int
        How many values of the target count.
    absolute : bool
        Whether the standard deviations are absolute.
    """

    problem: Problem
    found: Solution
    felt: Directions | None
    residuals: Vector
    counted: int
    absolute: bool

    @property
    def names(self) -> Sequence[str]:
        """A name for each number of the parameters."""
        return self.problem.objective.names

    @property
    def rss(self) -> float:
        """The sum of the squared residuals."""
        return self.found.at.factors.rss

    @property
    def ended(self) -> bool:
        """Whether the search ended by itself, at some point of its own."""
        return self.found.outcome not in (Outcome.LEFT_DOMAIN, Outcome.INTERRUPTED)

    @property
    def flat(self) -> bool:
        """Whether the model is the same in every row, where a mean is as good by its nature."""
        target, root = self.problem.weighted
        fitted = (target - self.residuals)[root > 0] / root[root > 0]
        return bool(np.ptp(fitted) <= SAME * np.abs(fitted).max())

    @property
    def explained(self) -> float:
        """R2; nan for a target that is constant."""
        total = self.problem.rows.total
        return 1 - self.rss / total if total > 0 else math.nan

    @property
    def alike(self) -> float:
        """The correlation of neighbouring residuals, where there are enough to tell; 0 otherwise."""
        r = self.residuals
        size = float(r @ r)
        if len(r) < FEW or self.problem.rows.y.ndim > 1 or not size > EXACT * self.problem.rows.total:
            return 0.0
        found = float(r[1:] @ r[:-1]) / size
        return found if found > max(ALIKE, SURE / math.sqrt(len(r))) else 0.0


def findings(facts: Facts) -> tuple[Finding, ...]:
    """Give what is not as it should be.

    Parameters
    ----------
    facts : Facts
        What is known.

    Returns
    -------
    tuple of Finding
    """
    if not facts.ended:
        return ()
    return tuple(_all(facts))


def _all(facts: Facts) -> Iterator[Finding]:
    yield from _undetermined(facts)
    yield from _unsettled(facts)
    yield from _little(facts)
    yield from _without_freedom(facts)


def _undetermined(facts: Facts) -> Iterator[Finding]:
    """Tell parameters that run off, and others that the data do not determine."""
    at, names, felt = facts.found.at, facts.names, facts.felt
    lost = facts.found.lost
    for j in lost:
        yield Finding(
            "runs_off", f"Nothing in the data holds {names[j]}, here {at.x[j]:.4g}: further away the sum of squares is "
            "no larger.",
            f"Leave the term out, fix {names[j]} (fixed=), or measure where the model depends on it.",
            {"parameter": names[j], "value": float(at.x[j])},
        )  # fmt: skip
    if felt is not None and len(felt.open) > len(lost):
        left = [v for v in felt.open if not set(np.flatnonzero(np.abs(v) > statistics.SHARE)) <= set(lost)]
        told = statistics.told(names, left, at.x)
        yield Finding(
            "undetermined", told[0].upper() + told[1:] + ".",
            "Leave one of these parameters out of the model, or fix it at a number (fixed=).",
            {"rank": float(felt.rank), "parameters": float(len(at.x))},
        )  # fmt: skip


def _unsettled(facts: Facts) -> Iterator[Finding]:
    """Tell ends that are no smooth minimum."""
    found, names = facts.found, facts.names
    if found.kind == Kind.BOUNDARY:
        edge = ", ".join(names[j] for j in found.edges)
        yield Finding(
            "boundary", f"The best point lies where the model's domain ends: beyond {edge} = "
            f"{found.at.x[found.edges[0]]:.6g} it is not finite in every row.",
            f"Standard errors mean nothing there; fix {edge} (fixed=), or change the model.", {"parameters": edge},
        )  # fmt: skip
    elif found.kind == Kind.KINK_MINIMUM:
        yield Finding(
            "kink", "The minimum is at a kink of the model: on every side the sum of squares rises at once.",
            "The standard errors are those of one side; profile the parameter where they matter.",
        )  # fmt: skip
    elif found.kind == Kind.SADDLE:
        yield Finding("saddle", "This is a saddle of the sum of squares.", "Try other starts.")
    elif not found.outcome.converged and found.outcome != Outcome.DIVERGED:
        yield Finding(
            "unsettled", f"After {found.steps:,} steps the sum of squares still falls.",
            "Give a start that is about right.", {"steps": float(found.steps)},
        )  # fmt: skip


def _little(facts: Facts) -> Iterator[Finding]:
    """Tell models that explain nothing, and residuals that have a shape."""
    explained, alike = facts.explained, facts.alike
    if explained < LITTLE and not facts.flat:
        worse = explained < 0
        yield Finding(
            "worse_than_mean" if worse else "explains_little",
            f"R2 is {explained:.3g}: " + ("the mean of the target is closer to it than the model." if worse else
                                         f"the model leaves {100 * (1 - explained):.4g} % of the target's variance."),
            "Look at the curve: try a start that is about right, another model"
            + (", or a constant in it." if worse else ", or none."),
            {"r2": explained},
        )  # fmt: skip
    if alike:
        yield Finding(
            "shape", f"Neighbouring residuals are alike (correlation {alike:.2f}): the model misses a shape in "
            "the data, or their noise is alike too.",
            "Standard errors are too small then; plot the residuals, and add what is missing.", {"correlation": alike},
        )  # fmt: skip


def _without_freedom(facts: Facts) -> Iterator[Finding]:
    rows = facts.counted
    if facts.felt is not None and rows <= facts.felt.rank and not facts.absolute:
        yield Finding(
            "no_freedom", "There are as many rows as parameters, and nothing is left to tell errors from.",
            "Give more rows, or standard deviations by sigma= with absolute_sigma=True.", {"rows": float(rows)},
        )  # fmt: skip


def denied(facts: Facts) -> bool:
    """Tell whether what was found is likely no minimum that was meant: a lower one may be elsewhere."""
    if facts.found.proved or facts.flat:
        return False
    return facts.explained < 0 or (facts.explained < LITTLE and bool(facts.alike))


def message(facts: Facts) -> str:
    """Say in a sentence how the search ended.

    Parameters
    ----------
    facts : Facts
        What is known.

    Returns
    -------
    str
    """
    found, problem = facts.found, facts.problem
    if found.outcome == Outcome.LEFT_DOMAIN:
        where = problem.objective.model.locate(problem.squares.point(problem.start))
        return f"{where}, at the start; give a start at which the model is finite in every row"
    if found.outcome == Outcome.INTERRUPTED:
        return "interrupted; this is the best point so far"
    notes = [_told(finding) for finding in findings(facts) if finding.code != "shape"]
    if found.outcome.converged and found.kind == Kind.MINIMUM and not (facts.felt is not None and facts.felt.open):
        still = found.at.moved < STILL
        first = "the last digits stand still" if still else f"the last step was {found.at.moved:.1g} of a parameter"
        notes.insert(0, first + (", with residuals of 40 digits" if found.at.digits else ""))
    if problem.guessed:
        starts = f"the best end of {found.starts} starts" if found.starts > 1 else "one that the data suggest"
        notes.append(f"no start was given: {starts}")
    elif found.starts > 1:
        notes.append(f"the given start and {found.starts - 1} others were tried")
    return "; ".join(notes)


def _told(finding: Finding) -> str:
    """Give a finding as a clause."""
    text = finding.message.rstrip(".")
    return text if text.startswith("R2") else text[0].lower() + text[1:]
