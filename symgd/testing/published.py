"""Verdicts on published properties as findings, with counterexamples to paste."""

from __future__ import annotations

from symgd.testing.laws import Law
from symgd.testing.laws.case import Answer, Reason, Verdict, listed
from symgd.testing.report import Cause, Counterexample, Finding

_WHY = {
    Reason.ROUNDING: "all there is to compare is below rounding",
    Reason.NOT_ASSUMED: "no problem that was drawn is one that it assumes",
    Reason.ENDED: "it ended before anything could be compared",
    Reason.NOT_FINITE: "the point is not finite",
}
_MEASURED = {"gap": "f.fun(points[{k}]) - ({m})", "distance": "np.sum((points[{k}] - {at})**2)",
             "gradient": "np.sum(f.jac(points[{k}])**2)"}  # fmt: skip


def of_verdict(law: Law, verdict: Verdict, wrong: Cause | None) -> Finding:
    """Give the finding of a published property.

    Parameters
    ----------
    law : Law
        The property.
    verdict : Verdict
        What came of it.
    wrong : Cause or None
        What is known to be wrong with the optimizer.

    Returns
    -------
    Finding
    """
    if verdict.answer is Answer.HOLDS:
        return Finding(law.name, law.claim, law.source, verdict.answer)
    why, example = verdict.detail or _WHY.get(verdict.reason, ""), None
    if verdict.answer is Answer.FAILS and verdict.case is not None:
        if verdict.bound is not None:
            why = f"after {verdict.step} steps {verdict.found:.6g}, more than {verdict.bound:.6g}"
        example = _example(law, verdict, why)
    return Finding(law.name, law.claim, law.source, verdict.answer, why, wrong, example)


def _example(law: Law, verdict: Verdict, why: str) -> Counterexample:
    """Give the case of a verdict; as an assertion, where what is measured can be said of the iterates."""
    case = verdict.case
    assert case is not None
    spelt = case.problem.spelt()
    setup, claim = "", ""
    measure = _MEASURED.get(getattr(law, "measure", ""))
    of_points = getattr(getattr(law, "output", None), "__name__", "") == "points"
    if measure and of_points and spelt.data is None and not spelt.vector and verdict.bound is not None:
        setup = f"f = sg.Objective({spelt.text!r})"
        value = measure.format(k=verdict.step, m=repr(case.problem.minimum), at=listed(case.problem.minimizer))
        claim = f"{value} <= {verdict.bound!r}*(1 + 1e-6)"
    return Counterexample(spelt.text, tuple(map(float, case.start)), case.steps, case.settings, claim, why, setup)
