"""Looking for a case in which a law fails, and making it small."""

from __future__ import annotations

from random import Random

from symgd import checks
from symgd.testing.laws.case import Answer, Case, Reason, Verdict
from symgd.testing.laws.law import Law
from symgd.testing.protocol import Optimizer


def check(law: Law, optimizer: Optimizer, *, examples: int = 100, seed: int = 0) -> Verdict:
    """Check a law on cases that Hypothesis draws; a case in which it fails is shrunk.

    Parameters
    ----------
    law : Law
        The law.
    optimizer : Optimizer
        What is checked.
    examples : int
        How many cases at most, at least 1.
    seed : int
        Which ones, at least 0.

    Returns
    -------
    Verdict
        Where the law fails, that of the smallest such case; where it holds, that of the case which came nearest to the
        bound; undecided if nothing could be said in any of them.
    """
    from hypothesis import HealthCheck, Phase, find, settings
    from hypothesis.errors import NoSuchExample, Unsatisfiable

    checks.whole("examples", examples, 1)
    checks.whole("seed", seed)
    nearest = Verdict(law.name, Answer.UNDECIDED, Reason.NOT_ASSUMED)

    def fails(case: Case) -> bool:
        nonlocal nearest
        verdict = law(optimizer, case)
        if _rank(verdict) > _rank(nearest):
            nearest = verdict
        return verdict.answer is Answer.FAILS

    how = settings(max_examples=examples, database=None, deadline=None, suppress_health_check=list(HealthCheck),
                   phases=(Phase.explicit, Phase.generate, Phase.shrink))  # fmt: skip
    try:
        smallest = find(law.cases(), fails, settings=how, random=Random(seed))  # noqa: S311 - no secret
    except (NoSuchExample, Unsatisfiable):
        return nearest
    return law(optimizer, smallest)


def _rank(verdict: Verdict) -> tuple[int, float]:
    """Put verdicts in order: undecided ones with a reason first, then by how near they come to the bound."""
    if verdict.answer is Answer.UNDECIDED:
        return (0 if verdict.case is None else 1), 0.0
    return 2, min(verdict.reached or 0.0, 1e300)
