"""What a law is: a claim with source and assumptions, the cases it is checked on, and the check."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from symgd.errors import UsageError, shown
from symgd.records import dataclass
from symgd.testing.classes import Known
from symgd.testing.laws.case import Answer, Case, Reason, Verdict
from symgd.testing.protocol import Optimizer, Setting, Trace

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

RELATIVE = 1e-6  # what a bound may be exceeded by, for the rounding of closed forms and of steps
OVER = 1e-20  # bounds under this share of the first one are rounding, and are not compared with
DOUBLE = 2.0**-53

Values = NDArray[np.float64]


def nothing(case: Case, share: float) -> dict[str, Setting]:  # noqa: ARG001 - others need them
    """Leave all settings to the optimizer."""
    return {}


def any_problem(problem: Known) -> bool:  # noqa: ARG001 - any of them
    """Assume nothing of the objective."""
    return True


@dataclass(frozen=True, eq=False, kw_only=True)
class Law:
    """A claim about an optimizer.

    A law is callable: ``law(optimizer, case)``, or ``law(optimizer, problem)`` for ten steps from a start nearby, gives
    a `Verdict`. Subclasses give ``judge``.

    Parameters
    ----------
    name : str
        What it is called by.
    claim : str
        What holds, as a formula.
    assumes : str
        Under which assumptions.
    source : str
        Who showed it, down to the number of the theorem.
    methods : frozenset of str
        The rows of the table of rules, or the methods, that it is published for; empty for any optimizer.
    lacking : frozenset of str
        Those that it is known not to hold for.
    problems : callable
        Gives the strategy of objectives that the assumptions name.
    assumed : callable
        Whether an objective is among them.
    settings : callable
        The settings of a case that has none yet, for a share in (0, 1] of the learning rates in question.
    shared : bool
        Whether that share changes anything.
    steps : tuple of int
        Bounds of the number of steps.
    extras : callable
        Gives strategies of what else a case of the law has, by name.
    extremal : callable or None
        For a bound that is attained: gives cases where it is. For a false law: where it fails.
    false : bool
        Whether it is known not to hold. Such laws are there to be seen failing.
    """

    name: str
    claim: str
    assumes: str
    source: str
    methods: frozenset[str] = frozenset()
    lacking: frozenset[str] = frozenset()
    problems: Callable[[], SearchStrategy[Known]]
    assumed: Callable[[Known], bool] = any_problem
    settings: Callable[[Case, float], Mapping[str, Setting]] = nothing
    shared: bool = True
    steps: tuple[int, int] = (1, 30)
    extras: Callable[[], Mapping[str, SearchStrategy[Any]]] = dict
    extremal: Callable[[], list[Case]] | None = None
    false: bool = False

    kind: ClassVar[str] = "law"

    @property
    def tight(self) -> bool:
        """Whether the bound is attained."""
        return self.extremal is not None and not self.false

    def case(
        self, problem: Known, start: Any = None, steps: int | None = None, share: float = 1.0,
        more: Mapping[str, Any] | None = None,
    ) -> Case:  # fmt: skip
        """Make a case of an objective.

        Parameters
        ----------
        problem : Known
            The objective.
        start : array of shape (n,), optional
            By default 1 away from the minimizer in each parameter.
        steps : int, optional
            By default 10, within the law's bounds.
        share : float
            Which learning rate of those in question, in (0, 1]; 1 is the largest.
        more : mapping, optional
            What else the law takes.

        Returns
        -------
        Case
        """
        start = problem.minimizer + 1.0 if start is None else np.array(start, dtype=float)
        steps = min(max(10, self.steps[0]), self.steps[1]) if steps is None else steps
        bare = Case(problem, start, steps, {}, dict(more or {}))
        return replace(bare, settings=dict(self.settings(bare, share)))

    def cases(self) -> SearchStrategy[Case]:
        """Give the strategy of cases that the assumptions name."""
        from hypothesis import strategies as st

        from symgd.testing.strategies import shares, starts

        numbers = st.integers(*self.steps)
        share = shares() if self.shared else st.just(1.0)
        extra, problems = self.extras(), self.problems()

        @st.composite
        def draws(draw: Any) -> Case:
            # The numbers of parameters come last, so that taking one away leaves the rest as it was.
            steps, part, more = draw(numbers), draw(share), {k: draw(v) for k, v in extra.items()}
            problem = draw(problems)
            return self.case(problem, draw(starts(problem)), steps, part, more)

        return draws()

    def __call__(self, optimizer: Optimizer, case: Case | Known) -> Verdict:
        """Check the law on one case.

        Parameters
        ----------
        optimizer : Optimizer
            What is checked.
        case : Case or Known
            On what.

        Returns
        -------
        Verdict

        Raises
        ------
        UsageError
            If the case is neither.
        """
        if isinstance(case, Known):
            case = self.case(case)
        if not isinstance(case, Case):
            raise UsageError(f"case={shown(case)} must be a Case, or an objective of symgd.testing")
        if not self.assumed(case.problem):
            return Verdict(self.name, Answer.UNDECIDED, Reason.NOT_ASSUMED, case)
        return self.judge(optimizer, case)

    def judge(self, optimizer: Optimizer, case: Case) -> Verdict:
        """Check the law on a case that it is about."""
        raise NotImplementedError

    # ---- for the judges ----------------------------------------------------------------------------------------------

    def run(self, optimizer: Optimizer, case: Case, problem: Any = None, start: Any = None) -> Trace:
        """Run an optimizer on a case, or on another problem with its settings."""
        lacking = set(case.settings) - set(optimizer.settable)
        begin = np.array(case.start if start is None else start, dtype=float)
        if lacking:
            return Trace(begin[None], unable=f"it has no setting {', '.join(sorted(lacking))}")
        if not optimizer.scheduled and any(isinstance(v, str) for v in case.settings.values()):
            return Trace(begin[None], unable="its settings cannot follow formulas of t")
        return optimizer.run(case.problem if problem is None else problem, begin, case.steps, case.settings)

    def refusal(self, case: Case, trace: Trace) -> Verdict | None:
        """Give the verdict of a run about which nothing can be said, or in which numbers were lost."""
        if trace.unable:
            return Verdict(self.name, Answer.UNDECIDED, Reason.UNABLE, case, detail=trace.unable)
        bad = ~np.isfinite(trace.points).all(axis=1)
        if bad.any():
            step = int(np.argmax(bad))
            return Verdict(self.name, Answer.FAILS, Reason.NOT_FINITE, case, step, math.inf, detail=trace.ended)
        if trace.steps == 0:
            return Verdict(self.name, Answer.UNDECIDED, Reason.ENDED, case, detail=trace.ended)
        return None

    def compare(self, case: Case, steps: NDArray[np.int64], found: Values, bound: Values, noise: Values) -> Verdict:
        """Compare what was measured after some steps with what it must not exceed."""
        with np.errstate(divide="ignore", invalid="ignore"):
            above = found > bound * (1 + RELATIVE) + noise
            told = bound > 10 * noise  # elsewhere rounding alone may reach the bound
            share = np.where(bound > 0, found / bound, np.where(found > noise, math.inf, 0.0))
        if not above.any() and not told.any():
            return Verdict(self.name, Answer.UNDECIDED, Reason.ROUNDING, case)
        at = int(np.argmax(above)) if above.any() else int(np.argmax(np.where(told, share, -1.0)))
        answer, reason = (Answer.FAILS, Reason.ABOVE) if above.any() else (Answer.HOLDS, Reason.BELOW)
        return Verdict(self.name, answer, reason, case, int(steps[at]), float(found[at]), float(bound[at]))


def blur(optimizer: Optimizer, case: Case, trace: Trace) -> float:
    """Bound the distance by which rounding may move a point during a run.

    A step rounds its point, and the gradient there, each to a few units in the last place; steps of up to 2/L that do
    not magnify distances add these up.
    """
    f = case.problem
    unit = getattr(optimizer, "rounding", DOUBLE)
    sizes = np.abs(trace.points[np.isfinite(trace.points).all(axis=1)])
    size = max(float(sizes.max(initial=0.0)), float(np.abs(f.minimizer).max()))
    return 8 * unit * (size * math.sqrt(f.n) + 2 * f.rough / f.L) * (trace.steps + 1)
