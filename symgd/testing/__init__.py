"""What tests use: assertions about gradients, problems whose minima are known, and comparisons of methods on them.

Each name is imported at its first use, and Hypothesis only where examples are drawn.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symgd.testing.compare_result import Attempt, Comparison
    from symgd.testing.compare_runs import compare
    from symgd.testing.gradients import assert_gradient
    from symgd.testing.problem_set import Problem, problems

_HOMES = {
    "Attempt": "compare_result",
    "Comparison": "compare_result",
    "Problem": "problem_set",
    "assert_gradient": "gradients",
    "compare": "compare_runs",
    "problems": "problem_set",
}

__all__ = ["Attempt", "Comparison", "Problem", "assert_gradient", "compare", "problems"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'symgd.testing' has no attribute {name!r}")
    value = getattr(import_module(f"symgd.testing.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
