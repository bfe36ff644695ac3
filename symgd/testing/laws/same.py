"""What must give the same path again: the same run, another tier, other threads, a run that was saved and resumed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from symgd.records import dataclass
from symgd.testing.classes import Known, LeastSquares
from symgd.testing.laws.assumptions import convex
from symgd.testing.laws.case import Answer, Case, Reason, Verdict
from symgd.testing.laws.law import Law, any_problem
from symgd.testing.protocol import Optimizer, Setting, Trace

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_ORDERS = 1e-9  # tiers add up in another order: a relative change that a few steps magnify


@dataclass(frozen=True, eq=False, kw_only=True)
class Same(Law):
    """Another run of the same takes the same path.

    Parameters
    ----------
    what : str
        Which other runs: ``"again"``, or as an optimizer's ``variants`` take it.
    exact : bool
        Whether to the last bit.
    """

    what: str
    exact: bool = True

    kind: ClassVar[str] = "same"

    def judge(self, optimizer: Optimizer, case: Case) -> Verdict:
        """Run it and its variants."""
        case = replace(case, settings={k: v for k, v in case.settings.items() if k in optimizer.settable})
        variants = getattr(optimizer, "variants", None)
        others = {"again": optimizer} if self.what == "again" else variants(self.what) if variants else {}
        if not others:
            return Verdict(self.name, Answer.UNDECIDED, Reason.UNABLE, case, detail=f"it has no {self.what}")
        start, first = np.array(case.start), optimizer
        if self.what == "threads":  # of a tier that has them
            first, *rest = others.values()
            others = dict(zip(list(others)[1:], rest, strict=True))
        one = self.run(first, case)
        if one.unable:
            return Verdict(self.name, Answer.UNDECIDED, Reason.UNABLE, case, detail=one.unable)
        if not np.array_equal(case.start, start):
            return Verdict(
                self.name, Answer.FAILS, Reason.ABOVE, case, 0, detail="it changed the start that it was given"
            )
        for name, other in others.items():
            step = self._differs(one, self.run(other, case))
            if step is not None:
                return Verdict(self.name, Answer.FAILS, Reason.ABOVE, case, step, detail=f"{name} takes another path")
        return Verdict(self.name, Answer.HOLDS, Reason.BELOW, case, one.steps, 0.0, 0.0)

    def _differs(self, one: Trace, two: Trace) -> int | None:
        """Give the first step at which two paths differ."""
        if self.exact and len(one.points) != len(two.points):
            return min(len(one.points), len(two.points))
        n = min(len(one.points), len(two.points))
        a, b = one.points[:n], two.points[:n]
        if self.exact:
            same = (a == b) | (np.isnan(a) & np.isnan(b))
        else:
            size = np.maximum.accumulate(np.max(np.abs(a), axis=1, keepdims=True))
            with np.errstate(invalid="ignore"):
                same = (np.abs(a - b) <= _ORDERS * np.maximum(size, 1e-300)) | ~np.isfinite(a)
        apart = ~same.all(axis=1)
        return int(np.argmax(apart)) if apart.any() else None


def _lr(case: Case, share: float) -> dict[str, Setting]:
    return {"lr": share / case.problem.L}


def _rows() -> SearchStrategy[Known]:
    """Draw least squares on so many rows that threads have something to share."""
    from hypothesis import strategies as st

    def made(seed: int, rows: int, columns: int) -> Known:
        numbers = np.random.default_rng(seed)
        return LeastSquares(
            numbers.normal(size=(rows, columns)), numbers.normal(size=columns), numbers.normal(size=rows)
        )

    return st.builds(made, st.integers(0, 999), st.integers(20_000, 60_000), st.integers(1, 4))


_ANY: dict[str, Any] = {"problems": convex, "assumed": any_problem, "settings": _lr, "steps": (1, 12)}

LAWS: list[Law] = [
    Same(
        name="again",
        claim="the same run gives the same path, to the last bit, and leaves the start as it was",
        assumes="a seed for what is drawn",
        source="reproducibility",
        what="again", **_ANY,
    ),
    Same(
        name="tiers",
        claim="plain Python and compiled code take the same path, to rounding",
        assumes="few steps, lr <= 1/L",
        source="the formula has one meaning",
        what="tiers", exact=False, **_ANY,
    ),
    Same(
        name="threads",
        claim="any number of threads takes the same path, to the last bit",
        assumes="data of many rows; compiled",
        source="sums over rows are joined in a fixed order",
        what="threads", **{**_ANY, "problems": _rows},
    ),
    Same(
        name="resumed",
        claim="a run that was saved halfway and resumed takes the same path, to the last bit",
        assumes="the same tier",
        source="a saved run holds all of its state",
        what="resumed", **_ANY,
    ),
]  # fmt: skip
