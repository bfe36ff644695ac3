"""What is known of a run beyond its history: where it was heading, the curvature there, and the theory of its rule.

Everything is worked out when it is first asked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from symgd import descent
from symgd.curvature.problem import Problem
from symgd.insight import trend
from symgd.insight.trials import Trials, some_rows, typed
from symgd.kernel import Kernel
from symgd.records import dataclass
from symgd.rules import RULES, Rule
from symgd.run import Outcome, Run
from symgd.verdict import Reason

if TYPE_CHECKING:
    from symgd.insight.linear import LinearMap
    from symgd.insight.report import Curvature

Vector = NDArray[np.float64]

FULL = 256  # parameters up to which a second descent and a whole Hessian are affordable
WORK = 20_000_000  # operations that a descent from another start may take
SEARCH = 400  # Newton steps that the minimum below a run is given
FLAT = 1e-12  # curvature relative to the largest, under which it counts as none
HIGH = 1e-4  # of the largest curvature at the start, under which one at a minimum of high order counts as none
NEXT_TO_NOTHING = 1e-13  # of the whole fall, that is left where a run has arrived
LOOKS = 16  # points of the path whose curvature is looked at


@dataclass(frozen=True, eq=False)
class Minimum:
    """A minimum near a run, and the curvature there."""

    x: Vector
    value: float
    curvature: Curvature


class Evidence:
    """What findings are made from.

    Parameters
    ----------
    kernel : Problem
        The objective that was minimized: of a run that maximized, the negated one.
    run : Run
        The run.
    """

    def __init__(self, kernel: Problem, run: Run) -> None:
        self.kernel, self.run = kernel, run
        self.trials = Trials(kernel, run)
        self.recipe = self.trials.recipe
        self.sign = -1.0 if run.maximized else 1.0
        self.values = self.sign * run.history.value
        self.gtol = descent.GTOL

    # ---- the rule --------------------------------------------------------------------------------------------------

    @cached_property
    def rule(self) -> Rule | None:
        """The update rule, where the run had one."""
        r = self.recipe
        return Rule(r["text"], r["init"], r["name"], **r["hyper"]) if "text" in r else None

    @property
    def lr(self) -> float | None:
        """The learning rate, where it is one number."""
        lr = self.recipe.get("lr")
        return float(lr) if isinstance(lr, int | float) else None

    @cached_property
    def map(self) -> LinearMap | None:
        """The rule as a matrix, where it is linear and its learning rate fixed."""
        if self.rule is None or not len(self.lrs):
            return None
        from symgd.insight.linear import linear_map

        return linear_map(self.rule)

    @property
    def first_order(self) -> bool:
        """Whether the run used gradients alone, so that scaling and conditioning matter."""
        return self.recipe.get("method") not in ("newton", "newton_cg", "lm")

    @property
    def plain(self) -> bool:
        """Whether the rule is gradient descent: linear, and without states."""
        return self.map is not None and self.map.names == ("x",)

    @property
    def batched(self) -> bool:
        """Whether each step looked at some of the rows."""
        return self.run.batch is not None and self.run.batch < self.kernel.rows

    @property
    def noisy(self) -> bool:
        """Whether the rule draws random numbers."""
        return "text" in self.recipe and "normal(" in self.recipe["text"].replace(" ", "")

    @property
    def is_gd(self) -> bool:
        """Whether the rule is ``x = x - lr*g`` itself."""
        return self.rule is not None and self.rule.text == RULES["gd"].text

    # ---- where it was heading --------------------------------------------------------------------------------------

    @cached_property
    def affordable(self) -> bool:
        """Whether another descent may be made to explain this one."""
        return self.kernel.curved and 0 < self.kernel.n <= FULL and self.kernel.n * self.kernel.work() * 20 <= WORK

    @cached_property
    def minimum(self) -> Minimum | None:
        """The minimum that the run was heading for: the one that Newton's method finds from its end, or its start."""
        if not self.affordable:
            return None
        astray = self.run.outcome in (Outcome.DIVERGED, Outcome.LEFT_DOMAIN)
        starts = [] if astray else [self.run.x]
        if self.run.history.point.size:
            starts.append(self.run.history.point[0])
        return next((found for x in starts if (found := self.below(x)) is not None), None)

    def below(self, x: Vector) -> Minimum | None:
        """Give the minimum that Newton's method finds from a point."""
        if not np.isfinite(x).all():
            return None
        settings = descent.with_method("newton", {"steps": SEARCH})
        found = descent.descend(self.kernel, descent.begin(self.kernel, x, settings), settings, progress=False)
        if not found.kind.minimal:
            return None
        from symgd.insight.report import curvature

        return Minimum(found.x, found.value, curvature(self.kernel, found.x))

    @cached_property
    def eigenvalues(self) -> Vector:
        """The curvatures at that minimum that are not 0, ascending; none where there is no minimum."""
        if self.minimum is None:
            return np.zeros(0)
        values = self.minimum.curvature.eigenvalues
        values = values[values > FLAT * max(float(values[-1]), 0.0)]
        if self.minimum.curvature.verdict.reason in (Reason.HOLDS, Reason.BOUND) and len(self.path):
            # Where the minimum is of high order, its small curvatures are none: they depend on where it was stopped.
            begun = np.abs(np.linalg.eigvalsh(self.kernel.hessian(self.path[0])))
            values = values[values > HIGH * float(begun.max(initial=0.0))]
        return values

    def at(self, x: Vector) -> str:
        """Write a point in names."""
        names = self.kernel.names
        shown = ", ".join(f"{names[i]} = {x[i]:.4g}" for i in range(min(3, len(x))))
        return shown + (" and so on" if len(x) > 3 else "")

    # ---- theory ----------------------------------------------------------------------------------------------------

    def limit(self, eigenvalue: float) -> float:
        """Give the largest stable learning rate of the rule at a curvature."""
        assert self.map is not None
        return self.map.stable_lr(eigenvalue)

    def limit_in_words(self, eigenvalue: float) -> str:
        """Write the limit with where it comes from."""
        limit = typed(self.limit(eigenvalue), 6)
        return f"2/lambda_max = {limit}" if self.is_gd else f"of its rule, {limit},"

    @property
    def top_curvature(self) -> float:
        """The largest curvature at the minimum, as a step sees it: of a run in batches, on some of the rows."""
        assert self.minimum is not None
        if self.rows is self.kernel:
            return float(self.eigenvalues[-1])
        return float(np.linalg.eigvalsh(self.rows.hessian(self.minimum.x))[-1])

    @property
    def end(self) -> float:
        """Where the run ended; infinite where that is no number."""
        value = self.sign * self.run.value
        return value if math.isfinite(value) else math.inf

    @property
    def own(self) -> float:
        """Where the run ended, or began, whichever is lower: what a remedy is measured by."""
        return self.trials.own

    @cached_property
    def gaps(self) -> list[str]:
        """The columns of data with entries that are no numbers."""
        data = self.kernel.data if isinstance(self.kernel, Kernel) else {}
        held = {name: v for name, v in data.items() if isinstance(v, np.ndarray) and v.dtype.kind == "f"}
        return [name for name in self.kernel.columns if name in held and not np.isfinite(held[name]).all()]

    @property
    def floor(self) -> float | None:
        """The lowest value that is known: that of the minimum, where one was found."""
        return self.minimum.value if self.minimum is not None else None

    @cached_property
    def steps_to_end(self) -> int:
        """The step from which on the gradient stays within the tolerance; the last one where it never does."""
        over = np.flatnonzero(~(self.run.history.gradient_norm <= self.gtol))
        steps = self.run.history.step
        return int(steps[min(int(over[-1]) + 1, len(steps) - 1)]) if len(over) else 0

    @cached_property
    def ray(self) -> list[tuple[float, float]]:
        """Values where the way from the start to the lowest point is followed further: times, and the value there."""
        points = self.run.history.point
        finite = np.isfinite(self.values) & np.isfinite(points).all(axis=1) if len(points) else np.zeros(0, dtype=bool)
        if not finite.any():
            return []
        low = points[finite][int(np.argmin(self.values[finite]))]
        way = low - points[0]
        found = [(t, self.kernel.value(points[0] + t * way)) for t in 10.0 ** np.arange(7)]
        return [(float(t), value) for t, value in found if math.isfinite(value)]

    @cached_property
    def falls_for_ever(self) -> bool:
        """Whether values fall without end along the run's way, and the formula shows no bound."""
        if math.isfinite(self.kernel.bounds().low) or len(self.ray) < 4:
            return False
        values = np.array([self.values[0], *(value for _, value in self.ray)])
        falls = -np.diff(values)
        # Without end: ten times as far, the value falls by more each time, and at last far below where it began.
        return bool((falls > 0).all() and (falls[2:] > 1.5 * falls[1:-1]).all())

    def lr_candidates(self, limit: float | None = None) -> list[float]:
        """Give learning rates to try: the best known, shares of the limit, and ever smaller ones."""
        found = []
        lr = self.top_lr
        if self.best is not None:
            found.append(self.best[0])
        if limit is not None and math.isfinite(limit) and limit > 0:
            found += [share * limit for share in (0.9, 0.5, 0.2, 0.05, 0.01)]
        if lr is not None and lr > 0:
            found += [share * lr for share in (0.3, 0.1, 0.01, 1e-3, 1e-4, 1e-6, 1e-8) if share * lr not in found]
        elif lr is not None:
            found += [abs(lr) or 0.1, 0.01, 0.001]
        top = limit if limit is not None and math.isfinite(limit) else math.inf
        return [v for v in found if 0 < v < top]

    def lr_at(self, step: int) -> float | None:
        """Give the learning rate of a step, from 1; ``None`` for a method that finds its own."""
        lr = self.recipe.get("lr")
        if isinstance(lr, str) and lr != "auto":
            from symgd.graph import Graph
            from symgd.graph.tape import Tape
            from symgd.rules.values import of_t

            node = of_t(Graph(), lr)
            return float(np.asarray(Tape([node], {}).at({"t": float(step)})[node]))
        return float(lr) if isinstance(lr, int | float) else None

    @cached_property
    def lrs(self) -> Vector:
        """The learning rates of some of the steps, the first and the last among them."""
        last = max(1, self.run.steps)
        steps = sorted({*range(1, min(last, 8) + 1), *np.linspace(1, last, 64).astype(int).tolist()})
        found = [self.lr_at(step) for step in steps]
        return np.array([v for v in found if v is not None], dtype=np.float64)

    @property
    def top_lr(self) -> float | None:
        """The learning rate, or the largest of a schedule up to where the value began to rise."""
        if self.lr is not None:
            return self.lr
        lrs = self.lrs
        if not len(lrs):
            return None
        return float(lrs[: max(1, min(8, len(self.path)))].max())

    @cached_property
    def best(self) -> tuple[float, float] | None:
        """The best learning rate of the rule at the minimum, and its rate."""
        if self.map is None or not len(self.eigenvalues):
            return None
        low, high = float(self.eigenvalues[0]), float(self.eigenvalues[-1])
        if self.is_gd:
            return 2.0 / (low + high), (high - low) / (high + low)
        assert self.rule is not None
        theory = self.rule.theory(smallest=low, largest=high)
        return (theory.best_lr, theory.best_lr_rate) if theory.best_lr and theory.best_lr_rate is not None else None

    @cached_property
    def predicted_rate(self) -> float | None:
        """The factor per step that theory gives at the minimum: the largest spectral radius."""
        if self.map is None or self.lr is None or not len(self.eigenvalues) or self.run.batch is not None:
            return None
        return float(self.map.radius(self.eigenvalues, self.lr).max())

    @cached_property
    def measured_rate(self) -> float | None:
        """The factor per step by which the gradient's norm shrank over the second half of the run, or grew."""
        if self.run.history.epoch is not None and self.run.batch is not None:
            return None
        return trend.factor(self.run.history)

    @property
    def scheduled(self) -> bool:
        """Whether the learning rate changes from step to step."""
        return isinstance(self.recipe.get("lr"), str) and len(self.lrs) > 0

    @property
    def arrived(self) -> bool:
        """Whether what is left above the minimum is next to nothing of the whole fall."""
        if self.minimum is None or not math.isfinite(self.end):
            return False
        whole = float(self.values[0]) - self.minimum.value
        return self.end - self.minimum.value <= NEXT_TO_NOTHING * whole

    @cached_property
    def power(self) -> float | None:
        """The power of the steps that the gradient falls like, where that fits better than a factor a step."""
        if len(self.eigenvalues) and self.minimum is not None and self.minimum.curvature.positive:
            return None  # into a minimum with curvature the fall is geometric, at last
        return trend.power(self.run.history)

    @property
    def remaining(self) -> float:
        """Steps that are left to the tolerance at the measured rate; infinite where nothing shrinks."""
        rate, size = self.measured_rate, self.run.gradient_norm
        if rate is None or not size > self.gtol:
            return 0.0 if size <= self.gtol else math.inf
        return math.log(self.gtol / size) / math.log(rate) if rate < 1 else math.inf

    # ---- the path --------------------------------------------------------------------------------------------------

    @cached_property
    def consecutive(self) -> NDArray[np.float64]:
        """The recorded points at the end of the run that are one step apart."""
        history = self.run.history
        if not history.point.size:
            return np.zeros((0, self.kernel.n))
        gaps = np.flatnonzero(np.diff(history.step) != 1)
        return history.point[gaps[-1] + 1 if len(gaps) else 0 :]

    @property
    def path(self) -> NDArray[np.float64]:
        """The recorded points that are finite, up to where the value begins to rise; at least the start."""
        points, values = self.run.history.point, self.values
        if not points.size:
            return points
        sound = np.isfinite(points).all(axis=1) & np.isfinite(values)
        rises = np.flatnonzero(~(values[1:] <= values[:-1]))
        last = int(rises[0]) + 1 if len(rises) else len(points)
        found: NDArray[np.float64] = points[:last][sound[:last]]
        return found

    @cached_property
    def rows(self) -> Problem:
        """The objective as a step sees it: of a run in batches, on some of the rows."""
        if not self.batched or not isinstance(self.kernel, Kernel) or self.run.batch is None:
            return self.kernel
        return some_rows(self.kernel, self.run.batch) or self.kernel

    @cached_property
    def steepest(self) -> tuple[float, Vector] | None:
        """Give the largest curvature along the path, up to where the value began to rise, and where it is."""
        found = list(self._curvatures(self.path))
        return max(found, key=lambda pair: pair[0]) if found else None

    def steepest_of_all(self) -> tuple[float, Vector] | None:
        """Give the same along the whole of a path whose values stayed near those of its start."""
        points = self.run.history.point
        near = np.isfinite(self.values) & (self.values <= self.values[0] + abs(self.values[0]))
        found = list(self._curvatures(points[near])) if points.size else []
        return max(found, key=lambda pair: pair[0]) if found else None

    def _curvatures(self, points: NDArray[np.float64]) -> Iterator[tuple[float, Vector]]:
        if not points.size or not self.affordable:
            return
        points = points[np.isfinite(points).all(axis=1)]
        for x in points[sorted({*np.linspace(0, len(points) - 1, LOOKS).astype(int).tolist()})] if len(points) else ():
            h = self.rows.hessian(x)
            if np.isfinite(h).all():
                yield float(np.linalg.eigvalsh(h)[-1]), x
