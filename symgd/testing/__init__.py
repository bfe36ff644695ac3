"""Assertions about gradients and optimizers, objectives about which all is known, laws, and problems to compare on.

What draws examples needs Hypothesis (``pip install 'symgd[testing]'``) and is imported at its first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symgd.testing.adapters import adapt
    from symgd.testing.check import assert_optimizer, check_optimizer
    from symgd.testing.classes import Known, quadratic, ridge
    from symgd.testing.compare_result import Attempt, Comparison
    from symgd.testing.compare_runs import compare
    from symgd.testing.gradients import assert_gradient
    from symgd.testing.iterate import iterates
    from symgd.testing.laws import LAWS, find_law, laws_of
    from symgd.testing.problem_set import Problem, problems
    from symgd.testing.report import Report
    from symgd.testing.strategies import (
        convex_bowls,
        convex_quadratics,
        extremal,
        formulas,
        hilly,
        kinked,
        learning_rates,
        least_squares,
        logistic_losses,
        rules,
        starts,
    )

# Each public name and the module that it lives in.
_HOMES = {
    "Attempt": "compare_result",
    "Comparison": "compare_result",
    "Known": "classes",
    "LAWS": "laws",
    "Problem": "problem_set",
    "Report": "report",
    "adapt": "adapters",
    "assert_gradient": "gradients",
    "assert_optimizer": "check",
    "check_optimizer": "check",
    "compare": "compare_runs",
    "convex_bowls": "strategies",
    "convex_quadratics": "strategies",
    "extremal": "strategies",
    "find_law": "laws",
    "formulas": "strategies",
    "hilly": "strategies",
    "iterates": "iterate",
    "kinked": "strategies",
    "laws_of": "laws",
    "learning_rates": "strategies",
    "least_squares": "strategies",
    "logistic_losses": "strategies",
    "problems": "problem_set",
    "quadratic": "classes",
    "ridge": "classes",
    "rules": "strategies",
    "starts": "strategies",
}

__all__ = [
    "LAWS",
    "Attempt",
    "Comparison",
    "Known",
    "Problem",
    "Report",
    "adapt",
    "assert_gradient",
    "assert_optimizer",
    "check_optimizer",
    "compare",
    "convex_bowls",
    "convex_quadratics",
    "extremal",
    "find_law",
    "formulas",
    "hilly",
    "iterates",
    "kinked",
    "laws_of",
    "learning_rates",
    "least_squares",
    "logistic_losses",
    "problems",
    "quadratic",
    "ridge",
    "rules",
    "starts",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'symgd.testing' has no attribute {name!r}")
    try:
        value = getattr(import_module(f"symgd.testing.{_HOMES[name]}"), name)
    except ModuleNotFoundError as problem:
        if problem.name != "hypothesis":
            raise
        raise ImportError(f"symgd.testing.{name} needs Hypothesis: pip install 'symgd[testing]'") from None
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
