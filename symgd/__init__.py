"""symgd: gradient descent for formulas, with exact derivatives and an honest account of every run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from symgd import curvature, plotting, testing
    from symgd.checking import Check, check_file, check_gradient, check_hessian, check_jacobian
    from symgd.errors import DataError, FormulaError, ShapeError, SymgdError, SymgdWarning, UsageError
    from symgd.fitting import Fit, fit
    from symgd.history import History
    from symgd.insight.theory import Theory
    from symgd.many import Many
    from symgd.objective import Objective
    from symgd.objective.callables import minimize_callable
    from symgd.rules import Rule
    from symgd.rules.schedules import schedule
    from symgd.run import Outcome, Run
    from symgd.verdict import Kind

# Each public name and the module that it lives in: imported at its first use, so that `import symgd` costs nothing.
_HOMES = {
    "Check": "checking",
    "DataError": "errors",
    "Fit": "fitting",
    "FormulaError": "errors",
    "History": "history",
    "Kind": "verdict",
    "Many": "many",
    "Objective": "objective",
    "Outcome": "run",
    "Rule": "rules",
    "Run": "run",
    "ShapeError": "errors",
    "SymgdError": "errors",
    "SymgdWarning": "errors",
    "Theory": "insight.theory",
    "UsageError": "errors",
    "check_file": "checking",
    "check_gradient": "checking",
    "check_hessian": "checking",
    "check_jacobian": "checking",
    "fit": "fitting",
    "minimize_callable": "objective.callables",
    "schedule": "rules.schedules",
}

__all__ = [
    "Check",
    "DataError",
    "Fit",
    "FormulaError",
    "History",
    "Kind",
    "Many",
    "Objective",
    "Outcome",
    "Rule",
    "Run",
    "ShapeError",
    "SymgdError",
    "SymgdWarning",
    "Theory",
    "UsageError",
    "check_file",
    "check_gradient",
    "check_hessian",
    "check_jacobian",
    "curvature",
    "fit",
    "minimize_callable",
    "plotting",
    "schedule",
    "testing",
]

_METHODS = ("minimize", "maximize", "minimize_many", "gradient_at", "hessian_at")  # of objectives
_PACKAGES = ("curvature", "plotting", "testing")  # those that a user may ask for by name


def __getattr__(name: str) -> Any:
    if name not in _HOMES and name not in _PACKAGES:
        more = f"; write symgd.Objective(text, data).{name}(...)" if name in _METHODS else ""
        raise AttributeError(f"module 'symgd' has no attribute {name!r}{more}")
    from importlib import import_module

    if name in _PACKAGES:
        return import_module(f"symgd.{name}")
    value = getattr(import_module(f"symgd.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_PACKAGES})
