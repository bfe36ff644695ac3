"""Kinds of laws: rates, and what holds from one step to the next."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from symgd.records import dataclass
from symgd.testing.classes import Known
from symgd.testing.laws.case import Answer, Case, Reason, Verdict
from symgd.testing.laws.law import OVER, Law, Values, blur
from symgd.testing.protocol import Optimizer, Trace, Vector


def points(case: Case, trace: Trace) -> Vector:  # noqa: ARG001 - outputs of other methods need it
    """Give the iterates."""
    return trace.points


def once(case: Case) -> float:  # noqa: ARG001 - of other outputs it depends on the case
    """Leave rounding as it is."""
    return 1.0


def gradient_steps(case: Case, trace: Trace) -> Vector:
    """Give the points that one gradient step leads to from each iterate but the last: what momentum extrapolates.

    Momentum methods whose gradient is that of the extrapolated point have them between two iterates.
    """
    lr = float(case.settings["lr"])
    before = trace.points[:-1]
    return np.concatenate([trace.points[:1], before - lr * case.problem.slope(before)])


@dataclass(frozen=True)
class Measure:
    """What is measured at a point; by how much it may change when the point moves by d, where it is m.

    ``blurred`` takes the objective, m and d.
    """

    words: str
    of: Callable[[Known, Vector], Values]
    blurred: Callable[[Known, Values, float], Values]


def _squared(factor: Callable[[Known], float]) -> Callable[[Known, Values, float], Values]:
    """Give the change of c r**2 when r changes by d: 2 c r d + c d**2 (and some)."""

    def change(problem: Known, measured: Values, moved: float) -> Values:
        c = factor(problem)
        return 2 * np.sqrt(c * measured) * moved + c * moved**2

    return change


MEASURES = {
    "gap": Measure("f(xn) - f*", lambda p, x: p.gap(x), _squared(lambda p: p.L / 2)),
    "distance": Measure("|xn - x*|^2", lambda p, x: p.distance(x) ** 2, _squared(lambda _: 1.0)),
    "gradient": Measure("|grad(xn)|^2", lambda p, x: np.sum(p.slope(x) ** 2, axis=-1), _squared(lambda p: p.L**2)),
    "gap of a Lipschitz function": Measure(
        "f(xn) - f*", lambda p, x: p.gap(x), lambda p, m, d: np.full(np.shape(m), p.lipschitz * d)
    ),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Rate(Law):
    """A bound on what is measured after n steps.

    Parameters
    ----------
    measure : str
        A row of ``MEASURES``.
    bound : callable
        What it must not exceed, for a case and a number of steps; nan for numbers of steps that it is not about.
    every : bool
        Whether it holds after every step, or only after the last one, whose number the settings know.
    output : callable
        Which points are measured, of a case and a trace.
    swell : callable
        By how much the output magnifies rounding of the iterates.
    least : bool
        Whether it is about the least so far.
    oracle : callable or None
        What the optimizer asks instead of the problem, of a case.
    """

    measure: str
    bound: Callable[[Case, int], float]
    every: bool = True
    output: Callable[[Case, Trace], Vector] = points
    swell: Callable[[Case], float] = once
    least: bool = False
    oracle: Callable[[Case], Any] | None = None

    kind: ClassVar[str] = "rate"

    def judge(self, optimizer: Optimizer, case: Case) -> Verdict:
        """Compare every step, or the last one, with the bound."""
        trace = self.run(optimizer, case, self.oracle(case) if self.oracle else None)
        refused = self.refusal(case, trace)
        if refused is not None:
            return refused
        measure = MEASURES[self.measure]
        with np.errstate(over="ignore", invalid="ignore"):
            at = self.output(case, trace)
            found = np.asarray(measure.of(case.problem, at), dtype=float)
        if not np.isfinite(found).all():
            step = int(np.argmax(~np.isfinite(found)))
            return Verdict(self.name, Answer.FAILS, Reason.NOT_FINITE, case, step, math.inf)
        begin = found[0]
        if self.least:
            found = np.minimum.accumulate(found)
        ks = np.arange(1, len(found)) if self.every else np.array([case.steps])
        ks = ks[ks < len(found)]
        bounds = np.array([self.bound(case, int(k)) for k in ks])
        kept = bounds > OVER * begin  # not nan, where there is no bound for a number of steps
        ks, bounds = ks[kept], bounds[kept]
        if not len(ks):
            reason = Reason.ENDED if trace.steps < case.steps else Reason.ROUNDING
            return Verdict(self.name, Answer.UNDECIDED, reason, case, detail=trace.ended)
        noise = measure.blurred(case.problem, bounds, self.swell(case) * blur(optimizer, case, trace))
        return self.compare(case, ks, found[ks], bounds, noise)


# ---- one step and the next -------------------------------------------------------------------------------------------

Pairs = tuple[
    Values, Values, Values | float
]  # found, its bound, and numbers c: they change like c r**2 with a distance r


@dataclass(frozen=True, eq=False, kw_only=True)
class Stepwise(Law):
    """A bound on what is measured after each step, by what was measured before it.

    Parameters
    ----------
    pairs : callable
        Gives what was found after each step, its bound, and numbers c such that they change like c r**2 with a
        distance r.
    """

    pairs: Callable[[Case, Trace], Pairs]

    kind: ClassVar[str] = "step"

    def judge(self, optimizer: Optimizer, case: Case) -> Verdict:
        """Compare each step with its bound."""
        trace = self.run(optimizer, case)
        refused = self.refusal(case, trace)
        if refused is not None:
            return refused
        with np.errstate(over="ignore", invalid="ignore"):
            found, bound, factor = self.pairs(case, trace)
        if not np.isfinite(found).all():
            step = int(np.argmax(~np.isfinite(found)))
            return Verdict(self.name, Answer.FAILS, Reason.NOT_FINITE, case, step + 1, math.inf)
        moved = blur(optimizer, case, trace)
        noise = 2 * np.sqrt(factor * np.maximum(bound, 0.0)) * moved + factor * moved**2
        kept = np.flatnonzero(bound > OVER * bound.max(initial=0.0))
        if not len(kept):
            return Verdict(self.name, Answer.UNDECIDED, Reason.ROUNDING, case)
        return self.compare(case, kept + 1, found[kept], bound[kept], (noise + np.zeros(len(bound)))[kept])


def falling(energy: Values, factor: Values | float) -> Pairs:
    """Bound each value by the one before."""
    return energy[1:], energy[:-1], factor if np.ndim(factor) == 0 else np.asarray(factor)[:-1]
