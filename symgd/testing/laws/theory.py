"""What `Rule.theory` says of a rule before it runs, against what it does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from symgd.errors import SymgdError
from symgd.records import dataclass
from symgd.rules import Rule, find_rule
from symgd.testing.classes import Known, Ridges, quadratic
from symgd.testing.laws.case import Answer, Case, Reason, Verdict
from symgd.testing.laws.law import Law
from symgd.testing.protocol import Optimizer

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_LONG = 400  # steps at most
_SPAN = 1e30  # distances shrink or grow by no more than this, which leaves room in floats
_RIPPLE = 8.0  # what powers of n and oscillations may change a distance by between the middle and the end


def rule_of(optimizer: Optimizer) -> Rule | None:
    """Give the rule that an optimizer says it is, with the hyperparameters that hold."""
    rule = getattr(optimizer, "rule", None)
    if isinstance(rule, Rule):
        return rule
    method = getattr(optimizer, "method", None)
    if not isinstance(method, str):
        return None
    try:
        found = find_rule(method)
    except SymgdError:
        return None
    known = getattr(optimizer, "known", {})
    return found.with_hyper({k: v for k, v in known.items() if k in found.hyper})


@dataclass(frozen=True, eq=False, kw_only=True)
class Asymptotic(Law):
    """The speed at which distances shrink or grow in the long run is the spectral radius of the iteration matrix.

    It is taken from the largest distances in two stretches, in the middle of a run and at its end.
    """

    kind: ClassVar[str] = "theory"

    def judge(self, optimizer: Optimizer, case: Case) -> Verdict:
        """Run at a share of the largest stable learning rate, and compare speeds."""
        f, rule = case.problem, rule_of(optimizer)
        theory = None if rule is None else rule.theory(largest=f.L)
        limit = None if theory is None else theory.stable_lr
        if rule is None or limit is None or not 0 < limit < math.inf:
            why = "it is no linear rule" if theory is None or not theory.reason else theory.reason
            return Verdict(self.name, Answer.UNDECIDED, Reason.NOT_ASSUMED, case, detail=why)
        lr = float(case.more["share"]) * limit
        assert isinstance(f, Ridges)
        speeds = [rule.theory(float(s), float(s), lr).rate for s in f.ridges[0].factors]
        speed = max((s for s in speeds if s is not None), default=math.nan)
        if not speed > 1e-3 or not math.isfinite(speed) or (theory is not None and theory.notes):
            return Verdict(self.name, Answer.UNDECIDED, Reason.NOT_ASSUMED, case, detail="there is no one rate")
        steps = min(_LONG, int(math.log(_SPAN) / max(abs(math.log(speed)), 1e-9)))
        if steps < 20:
            return Verdict(self.name, Answer.UNDECIDED, Reason.ROUNDING, case)
        settings = {"lr": lr}
        case = Case(f, f.minimizer + np.ones(f.n), steps, settings, case.more)
        trace = self.run(optimizer, case)
        if trace.unable or trace.steps < steps // 2:
            return self.refusal(case, trace) or Verdict(self.name, Answer.UNDECIDED, Reason.ENDED, case)
        return self._compared(case, f.distance(trace.points), speed)

    def _compared(self, case: Case, far: Any, speed: float) -> Verdict:
        end = len(far) - 1
        middle, width = end // 2, max(end // 4, 1)
        before, after = float(far[middle - width : middle + 1].max()), float(far[end - width :].max())
        if not before > 0 or not math.isfinite(after):
            grew = not math.isfinite(after)
            return Verdict(self.name, Answer.HOLDS if grew == (speed > 1) else Answer.FAILS,
                           Reason.BELOW if grew == (speed > 1) else Reason.NOT_FINITE, case)  # fmt: skip
        found = (after / before) ** (1 / (end - middle))
        slack = _RIPPLE ** (1 / (end - middle))
        right = speed / slack <= found <= speed * slack
        answer, reason = (Answer.HOLDS, Reason.BELOW) if right else (Answer.FAILS, Reason.ABOVE)
        return Verdict(self.name, answer, reason, case, end, found, speed)


def _axes() -> SearchStrategy[Known]:
    from hypothesis import strategies as st

    from symgd.testing.strategies.draws import scales

    pairs = st.tuples(scales(1.0, 100.0), scales(0.01, 100.0))
    return pairs.map(lambda p: quadratic([p[0] * p[1], p[1]]))


def _is_axes(f: Known) -> bool:
    return isinstance(f, Ridges) and f.quadratic and len(f.ridges) == 1 and not f.minimizer.any() and bool(f.mu)


def _inside() -> dict[str, SearchStrategy[Any]]:
    from hypothesis import strategies as st

    return {"share": st.sampled_from([0.5, 0.25, 0.9]) | st.floats(0.02, 0.97)}


def _outside() -> dict[str, SearchStrategy[Any]]:
    from hypothesis import strategies as st

    return {"share": st.sampled_from([1.5, 2.0, 1.1]) | st.floats(1.03, 3.0)}


LAWS: list[Law] = [
    Asymptotic(
        name="theory-rate",
        claim="|xn - x*| shrinks like rho**n, rho the largest spectral radius of the iteration matrix",
        assumes="f a quadratic; the rule is linear, lr below its largest stable one",
        source="Polyak 1987, section 2.1.2; Lessard, Recht and Packard 2016, section 2.2; Rule.theory().rate",
        problems=_axes, assumed=_is_axes, extras=_inside, shared=False,
    ),
    Asymptotic(
        name="theory-limit",
        claim="|xn - x*| grows like rho**n, rho the largest spectral radius of the iteration matrix",
        assumes="f a quadratic; the rule is linear, lr above its largest stable one",
        source="Polyak 1987, section 2.1.2; Lessard, Recht and Packard 2016, section 2.2; Rule.theory().stable_lr",
        problems=_axes, assumed=_is_axes, extras=_outside, shared=False,
    ),
]  # fmt: skip
