"""Published rates of gradient descent with steps that look at the function: exact line search, Polyak's step."""

from __future__ import annotations

import numpy as np

from symgd.testing.classes import Known, quadratic
from symgd.testing.laws.assumptions import is_quadratic, is_strongly_convex, quadratics, strongly_convex
from symgd.testing.laws.case import Answer, Case, Reason, Verdict
from symgd.testing.laws.kinds import Pairs, Rate, Stepwise
from symgd.testing.laws.law import DOUBLE, Law, blur
from symgd.testing.protocol import Optimizer, Setting, Trace

# ---- exact line search -----------------------------------------------------------------------------------------------


def _definite(f: Known) -> bool:
    return is_quadratic(f) and bool(f.mu)


def _search_bound(case: Case, n: int) -> float:
    f = case.problem
    low, high = f.mu or 0.0, f.L
    return ((high - low) / (high + low)) ** (2 * n) * float(f.gap(case.start))


def _search_cases() -> list[Case]:
    f = quadratic([4.0, 1.0])
    return [Case(f, f.minimizer + np.array([1 / 4, 1.0]), n) for n in (1, 3, 10)]


# ---- Polyak's step ---------------------------------------------------------------------------------------------------


def _polyak(case: Case, _: float) -> dict[str, Setting]:
    return {"minimum": case.problem.minimum, "factor": 2.0}


def _polyak_pairs(case: Case, trace: Trace) -> Pairs:
    """Bound the squared distance after a step by (lr L - 1)(1 - lr mu)/(lr (L + mu) - 1) times the one before."""
    f = case.problem
    low, high = f.mu or 0.0, f.L
    at = trace.points[:-1]
    gap, g = f.gap(at), f.slope(at)
    squared = np.sum(g * g, axis=-1)
    ended = ~(squared > 0)
    lr = np.clip(2 * gap / np.where(ended, 1.0, squared), 1 / high, 1 / low)
    ratio = (lr * high - 1) * (1 - lr * low) / np.maximum(lr * (high + low) - 1, 1e-300)
    before, after = f.distance(at) ** 2, f.distance(trace.points[1:]) ** 2
    # A value is off by a few units in the last place of itself, and the step by that share of the gap.
    off = np.where(ended, 0.0, 16 * DOUBLE * abs(f.minimum) / np.maximum(gap, 1e-300))
    return after, np.where(ended, before, (np.sqrt(ratio * before) + off * lr * np.sqrt(squared)) ** 2), 1.0


def _polyak_cases() -> list[Case]:
    f, cases = quadratic([4.0, 1.0]), []
    for start in ([1.0, 1.0], [0.2, 1.0], [1.0, 0.1]):
        bare = Case(f, np.array(start), 1)
        cases.append(Case(f, bare.start, 1, _polyak(bare, 1.0)))
    return cases


# ---- Newton's step ---------------------------------------------------------------------------------------------------


class AtOnce(Law):
    """Newton's step ends at the minimizer of a quadratic, from anywhere that a trust region does not cut it off."""

    def judge(self, optimizer: Optimizer, case: Case) -> Verdict:
        """Look where the first full step ends."""
        trace = self.run(optimizer, case)
        refused = self.refusal(case, trace)
        if refused is not None:
            return refused
        f = case.problem
        found = f.distance(trace.points[-1:])
        # A solved system is off by its condition times the rounding of its right-hand side.
        noise = np.array(
            [f.L / (f.mu or 1.0) * (blur(optimizer, case, trace) + 64 * DOUBLE * float(f.distance(case.start)))]
        )
        bound = 1e-6 * f.distance(case.start)[None]
        if not bound[0] > 10 * noise[0]:
            return Verdict(self.name, Answer.UNDECIDED, Reason.ROUNDING, case)
        return self.compare(case, np.array([trace.steps]), found, bound, noise)


LAWS: list[Law] = [
    Rate(
        name="exact-search",
        claim="f(xn) - f* <= ((L - mu)/(L + mu))**(2n) (f(x0) - f*)",
        assumes="f mu-strongly convex, L-smooth; each step goes down the gradient to the lowest point. "
                "Of symgd, gd with lr='auto' (`exact`) on quadratics",
        source="de Klerk, Glineur and Taylor 2017, theorem 1.2",
        methods=frozenset({"exact"}), problems=quadratics, assumed=_definite, shared=False,
        measure="gap", bound=_search_bound, extremal=_search_cases,
    ),
    Stepwise(
        name="polyak-step",
        claim="|x' - x*|^2 <= (lr L - 1)(1 - lr mu)/(lr (L + mu) - 1) |x - x*|^2, with lr |grad|^2 = 2 (f - f*)",
        assumes="f mu-strongly convex, L-smooth; factor = 2, the minimum is known",
        source="Barre, Taylor and d'Aspremont 2020, proposition 1",
        methods=frozenset({"polyak"}), problems=strongly_convex, assumed=is_strongly_convex, settings=_polyak,
        shared=False, pairs=_polyak_pairs, extremal=_polyak_cases,
    ),
    AtOnce(
        name="newton-quadratic",
        claim="xn = x*",
        assumes="f a quadratic, mu > 0; n = 15 steps, of which the first ones may be cut off by a trust region",
        source="Nocedal and Wright 2006, section 2.2",
        methods=frozenset({"newton"}), problems=quadratics, assumed=_definite, shared=False, steps=(15, 15),
    ),
]  # fmt: skip
