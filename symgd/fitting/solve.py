"""From a start to the best parameters: several ways down, judged by their end, and the last digits."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.fitting.ends import Kinks, beside_of, errors_of, one_side, running_off
from symgd.fitting.polish import Polished, needs_digits, polish, with_digits
from symgd.fitting.separable import Separable, linear_sets
from symgd.fitting.starts import Starts, around
from symgd.records import dataclass
from symgd.run import Outcome
from symgd.squares import Squares, State, advance, begin
from symgd.verdict import Kind

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
End = tuple[Polished, Outcome, Kind, str]

STEPS = 1000  # of one descent
SHORT = 300  # of one from a start that was made up
CRAWL, CRAWLED = 50, 1e-8  # so many steps must reduce the sum of squares by this much of it
PREDICTED = 1e-15  # relative reduction that the linear model still promises when a descent ends
ROUNDS = 12  # ways down that are found by looking around, one after the other
AGREED = 3  # further starts that must not better a sound minimum
TOGETHER = 10  # points looked at together that take as long as one alone
ALIKE = 0.5  # correlation of neighbouring residuals from which a shape is left over
NEARLY = 0.01  # 1 - R2 below which what is left over is no other minimum
WORK = 3000  # evaluations of few residuals that other starts may take: about a second, and the same every time
PER_EVALUATION = 10_000  # numbers of a Jacobian that take as long again as all else of an evaluation
QUICK = 2_000_000  # numbers of a Jacobian up to which other ways than the first are tried
BETTER = 1e-6  # relative reduction of the sum of squares for which another end is taken
LOWER = 1e-3  # relative reduction that they must promise somewhere else
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
    lost : tuple of int
        Parameters that nothing holds: the sum of squares does not rise however large they get.
    edges : tuple of int
        Parameters on one side of which the model is not finite.
    proved : bool
        Whether there is no lower minimum elsewhere, for the model is linear in all parameters.
    """

    at: Polished
    outcome: Outcome
    kind: Kind
    way: str
    steps: int
    evaluations: int
    starts: int
    trace: Trace
    lost: tuple[int, ...]
    edges: tuple[int, ...]
    proved: bool


class Search:
    """The ways down from starts, and the best end so far.

    The first way is Levenberg's and Marquardt's method in all parameters. The second leaves those out that the
    residuals are linear in, which are then at their best at every step. If neither ends at a sound minimum, other
    starts are tried. Of ends that are equally good the first one counts.

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
        self.best: End | None = None
        self.lost: tuple[int, ...] = ()
        self.edges: tuple[int, ...] = ()
        self.trace = Trace([], [], [])
        self._work, self.allowed = 0.0, math.inf
        self.cost = 1 + squares.m * (squares.n + 1) / PER_EVALUATION
        self.floor = (0.1 * np.finfo(float).eps * magnitude) ** 2  # less is nothing but rounding
        self.small = squares.m * (squares.n + 1) <= QUICK
        sets = linear_sets(squares) if self.small else []
        self.separable = [Separable(squares, names) for names in sets[:2] if names]
        self.other = Starts(squares, self.separable[0] if self.separable else None, small=self.small)

    @cached_property
    def _kinks(self) -> Kinks:
        return Kinks(self.squares)

    @property
    def work(self) -> float:
        """What was done so far, in evaluations of few residuals."""
        return self._work + self.other.rated * self.cost / TOGETHER

    @np.errstate(all="ignore")
    def run(self, start: Vector | None) -> Solution:
        """Search, from a start or from where the data say, and give the account."""
        interrupted = False
        try:
            if start is not None:
                self._from(start, STEPS)
                self._look_around()
                self._look_far()
            if not self._settled(start):
                self._elsewhere(start)
            self._finish()
            self._look_around()
            self._look_far()
        except KeyboardInterrupt:
            interrupted = True
        if self.best is None:
            x = start if start is not None else np.ones(self.squares.n)
            outcome = Outcome.INTERRUPTED if interrupted else Outcome.LEFT_DOMAIN
            self.best = Polished(x, self.squares.normal(x), None, np.inf, None), outcome, Kind.UNKNOWN, "the start"
        at, outcome, kind, way = self.best
        if outcome.converged and needs_digits(self.squares, at, self.magnitude):
            at = with_digits(self.squares, at, self.magnitude)
        if interrupted:
            outcome = Outcome.INTERRUPTED
        proved = any(not problem.n for problem in self.separable)
        evaluations = self.evaluations + self.other.rated
        return Solution(
            at, outcome, kind, way, self.steps, evaluations, self.starts, self.trace, self.lost, self.edges, proved
        )

    def _settled(self, start: Vector | None) -> bool:
        """Tell whether other starts need not be tried."""
        if any(not problem.n for problem in self.separable):  # one end is all there is
            if self.best is None:
                self._from(np.ones(self.squares.n), SHORT)
            return True
        if start is None:
            return False
        return (self._sound() and not self._doubtful()) or self._redundant(start)

    def _finish(self) -> None:
        """Go on from the best end, if it was not let go on."""
        if self.best is not None and not self.best[1].converged:
            self.allowed = math.inf
            self._offer(self._down(self.squares, self.best[0].x, STEPS), self.best[3])

    def _look_around(self) -> None:
        """Where Newton's steps do not settle: go on where there is a way down, and tell a kink or an edge otherwise."""
        for _ in range(ROUNDS):
            if self.best is None or not self.small:
                return
            at, outcome, kind, way = self.best
            if (outcome.converged and kind.minimal) or not at.factors.finite or at.factors.rank < self.squares.n:
                return
            if at.factors.rss <= self.floor:
                self.best = at, Outcome.CONVERGED_VALUE, Kind.MINIMUM, way
                return
            beside = beside_of(self.squares, at.x, at.factors, self.floor, self._kinks)
            if beside.lower is None:
                self.edges = beside.edges
                bent = Kind.KINK_MINIMUM if self._kinks.any else Kind.MINIMUM
                kind = Kind.BOUNDARY if beside.edges else bent
                if kind == Kind.KINK_MINIMUM:
                    at = replace(at, factors=one_side(self.squares, at.x, at.factors), hessian=None)
                self.best = at, Outcome.CONVERGED_STEP, kind, way
                return
            state = self._down(self.squares, beside.lower, CRAWL)
            if state is None or not state.factors.rss < at.factors.rss:
                return
            self.best = self._polished(state, way)

    def _look_far(self) -> None:
        """Tell parameters that nothing holds from those that are at a minimum."""
        for _ in range(ROUNDS):
            if self.best is None or not self.small or self.squares.m < self.squares.n:
                return
            at, outcome, kind, way = self.best
            if not (outcome.converged and kind.minimal and at.factors.finite):
                return
            self.lost, better = running_off(self.squares, at.x, at.factors, self.magnitude, self.other)
            if better is None:
                return
            state = self._down(self.squares, better, STEPS)
            if state is None or not state.factors.rss < at.factors.rss:
                return
            self.best = self._polished(state, way)

    def _sound(self) -> bool:
        """Tell whether the best end is a minimum, and explains more than a constant does."""
        if self.best is None:
            return False
        at, outcome, kind, _ = self.best
        enough = at.factors.rss < 0.9 * self.total or self.total == 0
        return bool(outcome.converged and kind.minimal and enough and not self.lost)

    def _regular(self) -> bool:
        """Tell whether the data determine all parameters at the best end, and it explains more than a constant does."""
        assert self.best is not None
        at = self.best[0]
        return at.factors.finite and at.factors.rank == self.squares.n and not at.factors.rss > 0.9 * self.total

    def _doubtful(self) -> bool:
        """Tell whether a minimum looks like one among several: a shape is left over, or a parameter is any number."""
        assert self.best is not None
        at = self.best[0]
        m, n = self.squares.m, self.squares.n
        if not self.small or m <= n or at.factors.rss <= self.floor:
            return False
        if self._kinks.any:
            return True
        errors = errors_of(at.factors, m)
        r = self.squares.residuals(at.x)
        along = float(r[1:] @ r[:-1]) / at.factors.rss
        shaped = along > max(ALIKE, 3 / math.sqrt(m)) and at.factors.rss > NEARLY * self.total
        return shaped or bool((np.abs(at.x) < errors)[~self.other.linear].any())

    def _redundant(self, start: Vector) -> bool:
        """Tell whether parameters cannot be told apart anywhere, so that other starts end no better."""
        if self.best is None or self.best[2] != Kind.DEGENERATE or self.best[0].factors.rss > 0.9 * self.total:
            return False
        points = np.vstack([self.other.anywhere(4), around(start, 4), self.best[0].x])
        ranks = [_rank(self.squares, x) for x in points]
        return bool(ranks[-1] < len(start) and max(ranks) == ranks[-1])

    def _from(self, start: Vector, limit: int) -> None:
        """Go down from one start in every way."""
        self.starts += 1
        self._offer(self._down(self.squares, start, limit, self.trace), "all parameters at once")
        if self.small:
            for problem in self.separable:
                self._without_linear(problem, start, limit)

    def _without_linear(self, problem: Separable, start: Vector, limit: int) -> None:
        """Go down without the parameters that the residuals are linear in, and from there with them."""
        if problem.n:
            state = self._down(problem, problem.reduced(start), SHORT)
            x = problem.full(state.x) if state is not None else None
        else:
            x = problem.full(np.zeros(0))
        if x is not None and np.isfinite(x).all():
            self._offer(self._down(self.squares, x, limit, self.trace), "the linear parameters left out")

    def _down(self, problem: Any, start: Vector, limit: int, trace: Trace | None = None) -> State | None:
        """Descend by Levenberg's and Marquardt's method; ``None`` where the start has no finite residuals."""
        state = begin(problem, start)
        if not state.factors.finite or not math.isfinite(state.factors.rss):
            return None
        marked = math.inf
        if trace is not None and trace.x:
            trace = None  # there is a first descent
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
            self._work += self.cost * (1 + state.evaluations - before)
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
        found = self._polished(state, way)
        if self.best is None or self._beats(*found[:3]):
            self.best, self.lost = found, ()

    def _polished(self, state: State, way: str) -> End:
        at = polish(self.squares, state.x, self.magnitude)
        outcome, kind = _judged(at, state)
        return at, outcome, kind, way

    def _beats(self, at: Polished, outcome: Outcome, kind: Kind) -> bool:
        assert self.best is not None
        before, rss = self.best[0].factors.rss, at.factors.rss
        # Differences of what is only the rounding of the residuals decide nothing.
        noise = float(8 * np.finfo(float).eps * self.magnitude) ** 2
        if rss < before * (1 - BETTER) - noise:
            return True
        close = rss <= before * (1 + BETTER) + noise
        return close and not self._sound() and outcome.converged and kind.minimal

    # ---- other starts ----------------------------------------------------------------------------------------------

    def _elsewhere(self, start: Vector | None) -> None:
        """Go down from other starts, until several have not bettered a sound minimum."""
        self.allowed, agreed = self.work + WORK, 0
        for x in self.other.best(start, sound=start is not None and self._sound()):
            before = None if self.best is None else self.best[0].factors.rss
            self._below(x)
            after = None if self.best is None else self.best[0].factors.rss
            same = before is not None and after is not None and after >= before * (1 - BETTER)
            agreed = agreed + 1 if same and self._regular() else 0
            if start is None and self._redundant(x):
                return
            if agreed >= (AGREED if self._sound() else 2 * AGREED) or self.work > self.allowed:
                break
        self._in_parts()

    def _in_parts(self) -> None:
        """Let some parameters be anywhere while a shape is left over: of several peaks one may be missing."""
        for _ in range(ROUNDS):
            if self.best is None or self.work > self.allowed or not self._regular():
                return
            if self._sound() and not self._doubtful():
                return
            x, value = self.other.in_parts(self.best[0].x)
            if not value < self.best[0].factors.rss * (1 - LOWER):
                return
            self._below(x)

    def _below(self, x: Vector) -> None:
        """Go down from a start that was made up."""
        self.starts += 1
        if self.separable:
            self._without_linear(self.separable[0], x, SHORT)
        else:
            self._offer(self._down(self.squares, x, SHORT, self.trace), "all parameters at once")


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
