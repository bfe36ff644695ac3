"""What is known of a run beyond its history: where it was heading, the curvature there, and the theory of its rule.

Everything is worked out when it is first asked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd import descent
from symgd.curvature.problem import Problem
from symgd.insight.linear import LinearMap, linear_map
from symgd.insight.report import Curvature, curvature
from symgd.rules import RULES, Rule
from symgd.run import Outcome, Run
from symgd.verdict import Kind

Vector = NDArray[np.float64]

FULL = 256  # parameters up to which a second descent and a whole Hessian are affordable
WORK = 20_000_000  # operations that a descent from another start may take
SEARCH = 400  # Newton steps that the minimum below a run is given
FLAT = 1e-12  # curvature relative to the largest, under which it counts as none
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
        self.recipe: dict[str, Any] = dict(run.state.get("recipe") or {})
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
        return linear_map(self.rule) if self.rule is not None and self.lr is not None else None

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
        return Minimum(found.x, found.value, curvature(self.kernel, found.x))

    @cached_property
    def eigenvalues(self) -> Vector:
        """The curvatures at that minimum that are not 0, ascending; none where there is no minimum."""
        if self.minimum is None:
            return np.zeros(0)
        values = self.minimum.curvature.eigenvalues
        return values[values > FLAT * max(float(values[-1]), 0.0)]

    def at(self, x: Vector) -> str:
        """Write a point in names."""
        names = self.kernel.names
        shown = ", ".join(f"{names[i]} = {x[i]:.4g}" for i in range(min(3, len(x))))
        return shown + (", ..." if len(x) > 3 else "")

    # ---- theory ----------------------------------------------------------------------------------------------------

    def limit(self, eigenvalue: float) -> float:
        """Give the largest stable learning rate of the rule at a curvature."""
        assert self.map is not None
        return self.map.stable_lr(eigenvalue)

    def limit_in_words(self, eigenvalue: float) -> str:
        """Write the limit with where it comes from."""
        limit = self.limit(eigenvalue)
        return f"{'2/lambda_max' if self.is_gd else 'the stability limit'} = {limit:.6g}"

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
        step, size = self.run.history.step.astype(float), self.run.history.gradient_norm
        usable = np.isfinite(size) & (size > 0) & (size < 1e140)
        step, size = step[usable], size[usable]
        if len(step) < 3:
            return None
        # Below this the gradient is rounding.
        large = np.flatnonzero(size > max(1e-13 * float(size.max()), 1e-300))
        step, size = step[: large[-1] + 1], size[: large[-1] + 1]
        half = step >= 0.5 * (step[0] + step[-1])
        if np.count_nonzero(half) < 3:
            half = np.ones(len(step), dtype=bool)
        return math.exp(_slope(step[half], np.log(size[half]))) if len(step) >= 3 else None

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

    @cached_property
    def steepest(self) -> tuple[float, Vector] | None:
        """Give the largest curvature along the path, and where it is."""
        found = list(self._curvatures())
        return max(found, key=lambda pair: pair[0]) if found else None

    def _curvatures(self) -> Iterator[tuple[float, Vector]]:
        points = self.run.history.point
        if not points.size or not self.affordable:
            return
        points = points[np.isfinite(points).all(axis=1)]
        for x in points[np.unique(np.linspace(0, len(points) - 1, LOOKS).astype(int))] if len(points) else ():
            h = self.kernel.hessian(x)
            if np.isfinite(h).all():
                yield float(np.linalg.eigvalsh(h)[-1]), x


def _slope(t: Vector, y: Vector) -> float:
    """Give the slope of the line through points, by least squares."""
    t = t - t.mean()
    return float(t @ (y - y.mean())) / float(t @ t)
