"""What descents do from step to step, whatever the problem; and what few assumptions are enough for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from symgd.testing.classes import Known, Resisting
from symgd.testing.laws.assumptions import below_two, convex, is_smooth_convex, lr_of, smooth, up_to_one
from symgd.testing.laws.case import Answer, Case, Reason, Verdict
from symgd.testing.laws.kinds import Pairs, Rate, Stepwise, falling
from symgd.testing.laws.law import Law, blur
from symgd.testing.protocol import Optimizer, Setting, Trace

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

GD = frozenset({"gd"})
MONOTONE = frozenset({"armijo", "wolfe", "cg", "bfgs", "lbfgs", "newton", "newton_cg", "sampling"})
# What moves a point at which the gradient is 0: decay of x, and noise.
RESTLESS = frozenset({"adamw", "noisy"})


def is_smooth(f: Known) -> bool:
    """Tell whether the gradient of an objective is Lipschitz continuous."""
    return math.isfinite(f.L)


# ---- one step --------------------------------------------------------------------------------------------------------


def _descent_lemma(case: Case, trace: Trace) -> Pairs:
    f, lr = case.problem, lr_of(case)
    gap, g = f.gap(trace.points), f.slope(trace.points[:-1])
    return gap[1:], gap[:-1] - lr * (1 - lr * f.L / 2) * np.sum(g * g, axis=-1), f.L / 2


def _values(case: Case, trace: Trace) -> Pairs:
    # The formula's values have the minimum in them, and are not told apart below its rounding; a relative 1e-6 of what
    # is added here is a hundred units in its last place.
    added = 1e8 * np.finfo(float).eps * abs(case.problem.minimum)
    return falling(case.problem.gap(trace.points) + added, case.problem.L / 2)


def _distances(case: Case, trace: Trace) -> Pairs:
    return falling(case.problem.distance(trace.points) ** 2, 1.0)


def _slopes(case: Case, trace: Trace) -> Pairs:
    g = case.problem.slope(trace.points)
    return falling(np.sum(g * g, axis=-1), case.problem.L**2)


def _energy(case: Case, trace: Trace) -> Pairs:
    f, L, n = case.problem, 1 / lr_of(case), np.arange(trace.steps + 1)
    return falling(n * f.gap(trace.points) + L / 2 * f.distance(trace.points) ** 2, (n * f.L + L) / 2)


# ---- without smoothness, without convexity ---------------------------------------------------------------------------


def _lipschitz() -> SearchStrategy[Known]:
    from hypothesis import strategies as st

    from symgd.testing.strategies import convex_bowls, kinked

    resisting = st.builds(Resisting, st.integers(1, 9))
    return kinked() | resisting | convex_bowls(strongly=False)


def _subgradient(case: Case, _: float) -> dict[str, Setting]:
    far = case.radius2 or 1.0  # a start among the minimizers may take any step
    return {"lr": math.sqrt(far / (case.steps + 1)) / case.problem.lipschitz}


def _subgradient_bound(case: Case, n: int) -> float:
    return case.problem.lipschitz * math.sqrt(case.radius2 / (n + 1))


def _subgradient_cases() -> list[Case]:
    cases = []
    for n in (1, 4, 8):
        f = Resisting(n + 1, 2.0, 1.0)
        # Differences at the start break ties; they make the first step that is not taken up by a number of its own.
        start = np.array([1e-9 * i for i in range(n + 1, 0, -1)])
        case = Case(f, start, n)
        cases.append(Case(f, start, n, _subgradient(case, 1.0)))
    return cases


def _least_slope(case: Case, trace: Trace) -> Pairs:
    f = case.problem
    g, gap, n = f.slope(trace.points), f.gap(trace.points), np.arange(1, trace.steps + 1)
    least = np.minimum.accumulate(np.sum(g * g, axis=-1))[1:]
    return least, 4 * f.L * (gap[0] - gap[1:]) / (3 * n), f.L**2


def _centred() -> SearchStrategy[Known]:
    from symgd.testing.strategies import convex_bowls, convex_quadratics, hilly

    return convex_quadratics() | convex_bowls() | hilly()


# ---- where it ends ---------------------------------------------------------------------------------------------------


class Stays(Law):
    """At the minimizer, where the gradient is 0, nothing moves."""

    def judge(self, optimizer: Optimizer, case: Case) -> Verdict:
        """Start at the minimizer."""
        trace = self.run(optimizer, case, start=case.problem.minimizer)
        refused = self.refusal(case, trace)
        if refused is not None:
            stays = refused.reason is Reason.ENDED  # what tests its gradient takes no step at all
            return Verdict(self.name, Answer.HOLDS, Reason.BELOW, case, 0, 0.0, 0.0) if stays else refused
        moved = case.problem.distance(trace.points[1:])
        size = max(1.0, float(np.abs(case.problem.minimizer).max()))
        bounds = np.full(trace.steps, 1e-6 * size)
        return self.compare(
            case, np.arange(1, trace.steps + 1), moved, bounds, np.full(trace.steps, blur(optimizer, case, trace))
        )


LAWS: list[Law] = [
    Stepwise(
        name="descent-lemma",
        claim="f(x') <= f(x) - lr (1 - L lr/2) |grad(x)|^2",
        assumes="f L-smooth; 0 < lr < 2/L",
        source="Nesterov 2004, inequality 1.2.5; Bertsekas 1999, proposition A.24",
        methods=GD, problems=smooth, assumed=is_smooth, settings=below_two, pairs=_descent_lemma,
    ),
    Stepwise(
        name="values-fall",
        claim="f(x') <= f(x)",
        assumes="f smooth; the method searches along a line, or trusts a region",
        source="Nocedal and Wright 2006, sections 3.1 and 4.1",
        methods=MONOTONE, problems=smooth, assumed=is_smooth, shared=False, pairs=_values,
    ),
    Stepwise(
        name="gd-nearer",
        claim="|x' - x*| <= |x - x*|",
        assumes="f convex, L-smooth; 0 < lr < 2/L",
        source="Nesterov 2004, theorem 2.1.14",
        methods=GD, problems=convex, assumed=is_smooth_convex, settings=below_two, pairs=_distances,
    ),
    Stepwise(
        name="gd-flatter",
        claim="|grad(x')| <= |grad(x)|",
        assumes="f convex, L-smooth; 0 < lr < 2/L",
        source="Nesterov 2004, theorem 2.1.5 (the gradient is cocoercive)",
        methods=GD, problems=convex, assumed=is_smooth_convex, settings=below_two, pairs=_slopes,
    ),
    Stepwise(
        name="gd-energy",
        claim="n (f(xn) - f*) + |xn - x*|^2/(2 lr) never rises",
        assumes="f convex, L-smooth; 0 < lr <= 1/L",
        source="Bansal and Gupta 2019, section 3.1",
        methods=GD, problems=convex, assumed=is_smooth_convex, settings=up_to_one, pairs=_energy,
    ),
    Stepwise(
        name="gd-nonconvex",
        claim="min |grad(xt)|^2 <= 4 L (f(x0) - f(xn))/(3 n)",
        assumes="f L-smooth; lr = 1/L",
        source="Abbaszadehpeivasti, de Klerk and Zamani 2021, theorem 2",
        methods=GD, problems=smooth, assumed=is_smooth, settings=lambda case, _: {"lr": 1 / case.problem.L},
        shared=False, pairs=_least_slope,
    ),
    Rate(
        name="gd-lipschitz",
        claim="min f(xt) - f* <= M R/sqrt(n + 1)",
        assumes="f convex, M-Lipschitz; lr = R/(M sqrt(n + 1))",
        source="Nesterov 2004, theorem 3.2.2; Drori and Teboulle 2016, section 3",
        methods=GD, problems=_lipschitz, assumed=lambda f: f.mu is not None and math.isfinite(f.lipschitz),
        settings=_subgradient, shared=False, every=False, least=True, measure="gap of a Lipschitz function",
        bound=_subgradient_bound, extremal=_subgradient_cases,
    ),
    Stays(
        name="fixed-point",
        claim="xn = x* from x0 = x*",
        assumes="grad(x*) is 0 to the last bit; no decay of x, no noise",
        source="the definition of a minimizer",
        lacking=RESTLESS, problems=_centred, assumed=lambda f: is_smooth(f) and not f.rough, shared=False,
    ),
]  # fmt: skip
