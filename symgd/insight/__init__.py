"""What a run shows: findings, each with its evidence and a remedy in numbers, and the rates measured and predicted."""

from __future__ import annotations

import numpy as np

from symgd.curvature.problem import Problem
from symgd.insight.evidence import Evidence
from symgd.insight.findings import AT_LAST, BESIDE, ENDED, OTHER
from symgd.kernel.blas import one_thread
from symgd.run import Diagnosis, Run

__all__ = ["diagnose"]


def diagnose(kernel: Problem, run: Run) -> Diagnosis:
    """Explain a run.

    Parameters
    ----------
    kernel : Problem
        The objective that was minimized: of a run that maximized, the negated one.
    run : Run
        The run.

    Returns
    -------
    Diagnosis
        A healthy run has no findings.

    References
    ----------
    Nocedal and Wright 2006, section 3.3 (rates of steepest descent); Polyak 1987, chapter 3 (stability limits).
    """
    if not kernel.n:
        return Diagnosis((), None, None)
    with np.errstate(all="ignore"), one_thread():
        e = Evidence(kernel, run)
        found = next((f for test in ENDED if (f := test(e)) is not None), None)
        more = BESIDE if found else OTHER
        findings = (*([found] if found else []), *(f for test in more if (f := test(e)) is not None))
        findings = findings or tuple(f for test in AT_LAST if (f := test(e)) is not None)
        return Diagnosis(findings, e.measured_rate, e.predicted_rate)
