"""From a start to the best parameters: several ways down, judged by their end, and the last digits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.fitting.polish import Polished, needs_digits, polish, with_digits
from symgd.fitting.separable import Separable, linear_sets
from symgd.run import Outcome
from symgd.squares import Squares, State, advance, begin
from symgd.verdict import Kind

Vector = NDArray[np.float64]

STEPS = 1000  # of one descent
SHORT = 300  # of one from a start that was made up
CRAWL, CRAWLED = 50, 1e-8  # so many steps must reduce the sum of squares by this much of it
PREDICTED = 1e-15  # relative reduction that the linear model still promises when a descent ends
RESTARTS = 40  # other starts at most
WORK = 3000  # evaluations of few residuals that they may take together: about a second, and the same every time
PER_EVALUATION = 10_000  # numbers of a Jacobian that take as long again as all else of an evaluation
QUICK = 2_000_000  # numbers of a Jacobian up to which other ways than the first are tried
BETTER = 1e-6  # relative reduction of the sum of squares for which another end is taken
FLAT = 1e-8  # relative curvature below which a direction counts as flat
SETTLED = 1e-7  # last step of Newton's, relative, below which a minimum is one


@dataclass(frozen=True, eq=False)
class Trace:
    """The points of the descent from the start: what the history of a run is made of."""

    x: list[Vector]
    rss: list[float]
    slope: list[float]


@dataclass(frozen=True, eq=False)
class Solution:
    """Where a fit ended.

    Parameters
    ----------
    at : Polished
        The point.
    outcome : Outcome
        How it ended.
    kind : Kind
        What kind of point it is.
    way : str
        What found it.
    steps : int
        Steps of all descents.
    evaluations : int
        Evaluations of the residuals, in all.
    starts : int
        Starts that were tried.
    trace : Trace
        The descent from the first start.
    """

    at: Polished
    outcome: Outcome
    kind: Kind
    way: str
    steps: int
    evaluations: int
    starts: int
    trace: Trace

    @property
    def good(self) -> bool:
        """Whether this is a minimum as far as can be told."""
        return self.outcome.converged and self.kind == Kind.MINIMUM


class Search:
    """The ways down from starts, and the best end so far.

    The first way is Levenberg's and Marquardt's method in all parameters. The second leaves those out that the
    residuals are linear in, which are then at their best at every step. If neither ends at a sound minimum, other
    starts around the given one are tried. Of ends that are equally good the first one counts.

    Parameters
    ----------
    squares : Squares
        The residuals.
    magnitude : float
        The norm of the target.
    total : float
        The sum of squares that a constant leaves.
    """

    def __init__(self, squares: Squares, magnitude: float, total: float) -> None:
        self.squares, self.magnitude, self.total = squares, magnitude, total
        self.steps = self.evaluations = self.starts = 0
        self.best: tuple[Polished, Outcome, Kind, str] | None = None
        self.trace = Trace([], [], [])
        self.work, self.allowed = 0.0, math.inf
        self.cost = 1 + squares.m * (squares.n + 1) / PER_EVALUATION
        self.floor = (0.1 * np.finfo(float).eps * magnitude) ** 2  # less is nothing but rounding
        self.small = squares.m * (squares.n + 1) <= QUICK
        sets = linear_sets(squares) if self.small else []
        self.separable = [Separable(squares, names) for names in sets[:2] if names]

    @np.errstate(all="ignore")
    def run(self, start: Vector, *, guessed: bool) -> Solution:
        """Search, and give the account."""
        interrupted = False
        try:
            self._from(start, SHORT if guessed else STEPS, first=True)
            linear = any(not problem.n for problem in self.separable)  # one end is all there is
            if not linear and (guessed or not self._sound()) and not self._redundant(start):
                self._restart(start, guessed=guessed)
            self._finish()
        except KeyboardInterrupt:
            interrupted = True
        if self.best is None:
            at = Polished(start, self.squares.normal(start), None, np.inf, None)
            outcome = Outcome.INTERRUPTED if interrupted else Outcome.LEFT_DOMAIN
            self.best = at, outcome, Kind.UNKNOWN, "the start"
        at, outcome, kind, way = self.best
        if outcome.converged and needs_digits(self.squares, at, self.magnitude):
            at = with_digits(self.squares, at, self.magnitude)
        if interrupted:
            outcome = Outcome.INTERRUPTED
        return Solution(at, outcome, kind, way, self.steps, self.evaluations, self.starts, self.trace)

    def _finish(self) -> None:
        """Go on from the best end, if it was not let go on."""
        if self.best is not None and not self.best[1].converged:
            self.allowed = math.inf
            self._offer(self._down(self.squares, self.best[0].x, STEPS), self.best[3])

    def _sound(self) -> bool:
        """Tell whether the best end is a minimum, and explains more than a constant does."""
        if self.best is None:
            return False
        at, outcome, kind, _ = self.best
        enough = self.squares.n == 1 or at.factors.rss < 0.9 * self.total or self.total == 0
        return bool(outcome.converged and kind == Kind.MINIMUM and enough)

    def _redundant(self, start: Vector) -> bool:
        """Tell whether parameters cannot be told apart anywhere, so that other starts end no better."""
        if self.best is None or self.best[2] != Kind.DEGENERATE or self.best[0].factors.rss > 0.9 * self.total:
            return False
        rng = np.random.default_rng(1)
        points = [self.best[0].x, *(np.where(start == 0, 1.0, start) * rng.uniform(0.5, 1.5, len(start)) for _ in "ab")]
        ranks = [_rank(self.squares, x) for x in points]
        return bool(ranks[0] < len(start) and max(ranks) == ranks[0])

    def _from(self, start: Vector, limit: int, *, first: bool = False) -> None:
        """Go down from one start in every way."""
        self.starts += 1
        self._offer(self._down(self.squares, start, limit, self.trace if first else None), "all parameters at once")
        if not self.small:
            return
        for problem in self.separable:
            if problem.n:
                state = self._down(problem, problem.reduced(start), SHORT)
                x = problem.full(state.x) if state is not None else None
            else:
                x = problem.full(np.zeros(0))
            if x is not None and np.isfinite(x).all():
                self._offer(self._down(self.squares, x, limit), "the linear parameters left out")

    def _down(self, problem: Any, start: Vector, limit: int, trace: Trace | None = None) -> State | None:
        """Descend by Levenberg's and Marquardt's method; ``None`` where the start has no finite residuals."""
        state = begin(problem, start)
        if not state.factors.finite or not math.isfinite(state.factors.rss):
            return None
        marked = math.inf
        for k in range(limit):
            if k % CRAWL == 0:  # a valley without end, or without slope: the steps are not worth their time
                if state.factors.rss > marked * (1 - CRAWLED):
                    break
                marked = state.factors.rss
            if trace is not None:
                trace.x.append(state.x)
                trace.rss.append(state.factors.rss)
                trace.slope.append(2 * float(np.linalg.norm(state.factors.gradient)))
            before = state.evaluations
            state = advance(problem, state)
            self.work += self.cost * (1 + state.evaluations - before)
            ended = state.moved == 0 or state.predicted < PREDICTED or state.factors.rss <= self.floor
            if ended or self.work > self.allowed:
                break
            self.steps += 1
        self.evaluations += state.evaluations
        return state

    def _offer(self, state: State | None, way: str) -> None:
        """Polish an end, and keep it if it is the best."""
        if state is None:
            return
        rss = state.factors.rss
        if self.best is not None and rss > self.best[0].factors.rss * (1 - BETTER) and self._sound():
            return
        at = polish(self.squares, state.x, self.magnitude)
        outcome, kind = _judged(at, state)
        if self.best is None or self._beats(at, outcome, kind):
            self.best = at, outcome, kind, way

    def _beats(self, at: Polished, outcome: Outcome, kind: Kind) -> bool:
        assert self.best is not None
        before, rss = self.best[0].factors.rss, at.factors.rss
        # Differences of what is only the rounding of the residuals decide nothing.
        noise = float(8 * np.finfo(float).eps * self.magnitude) ** 2
        if rss < before * (1 - BETTER) - noise:
            return True
        close = rss <= before * (1 + BETTER) + noise
        return close and not self._sound() and outcome.converged and kind == Kind.MINIMUM

    def _restart(self, start: Vector, *, guessed: bool) -> None:
        """Try other starts: those nearby first, then further and further away, signs turned round too."""
        rng = np.random.default_rng(0)
        self.allowed, agreed = self.work + WORK, 0
        for k in range(RESTARTS if self.small else 3):
            if self.work > self.allowed:
                return
            width = 4.0 if guessed else 0.3 + 4.0 * k / RESTARTS
            factor = np.exp(width * rng.standard_normal(len(start)))
            factor[rng.random(len(start)) < (0.3 if guessed else 0.1)] *= -1
            x = np.where(start == 0, rng.standard_normal(len(start)) * width, start * factor)
            before = None if self.best is None else self.best[0].factors.rss
            self._from(x, SHORT)
            after = None if self.best is None else self.best[0].factors.rss
            # A sound minimum that several further starts did not better is taken.
            agreed = agreed + 1 if self._sound() and after == before else 0
            if agreed >= (12 if guessed else 3):
                return


def _rank(squares: Squares, x: Vector) -> int:
    """Give the rank of the Jacobian; 0 where it is not finite."""
    found = squares.normal(x)
    return found.rank if found.finite else 0


def _judged(at: Polished, state: State) -> tuple[Outcome, Kind]:
    """Tell how a descent ended, and at what kind of point."""
    if at.bend is None:
        outcome = Outcome.CONVERGED_VALUE if state.predicted < PREDICTED or state.moved == 0 else Outcome.MAX_STEPS
        if at.moved < SETTLED:  # the Jacobian is regular, and no Hessian is formed
            return Outcome.CONVERGED_STEP, Kind.MINIMUM
        return outcome, Kind.DEGENERATE
    smallest = float(at.bend[0])
    if at.moved < SETTLED:
        kind = Kind.MINIMUM if smallest > FLAT else Kind.SADDLE if smallest < -FLAT else Kind.DEGENERATE
        return Outcome.CONVERGED_GRADIENT, kind
    if state.predicted < PREDICTED or state.moved == 0:
        return Outcome.STALLED, Kind.NOT_STATIONARY
    return Outcome.MAX_STEPS, Kind.NOT_STATIONARY
