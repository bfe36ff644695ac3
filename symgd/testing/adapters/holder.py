"""Classes whose objects hold the point themselves, and take a step for a gradient: ``Mine(params, lr).step(grads)``."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from symgd.checks import is_number
from symgd.testing.adapters import names
from symgd.testing.adapters.base import Handling, Session, Steps, Vector, check_settings
from symgd.testing.protocol import Oracle, Setting


def holds_point(kind: Any, method: str) -> str:
    """Give the argument that a class takes its point by, where its step takes a gradient alone.

    Parameters
    ----------
    kind : type
        The class.
    method : str
        Its step.

    Returns
    -------
    str
        Empty where it does not.
    """
    if not isinstance(kind, type):
        return ""
    taken = inspect.signature(kind).parameters
    point = next((p for p in taken if p.lower() in names.POINTS), "")
    steps = list(inspect.signature(getattr(kind, method)).parameters.values())[1:]
    required = [p for p in steps if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return point if len(required) == 1 and required[0].name.lower() not in names.POINTS else ""


class Holder(Steps):
    """Such a class.

    Parameters
    ----------
    kind : type
        The class.
    method : str
        Its step.
    point : str
        The argument that it takes its point by.
    name : str
        What to call it.
    given : mapping
        Values of its other arguments.
    """

    style = "step"

    def __init__(self, kind: type, method: str, point: str, name: str, given: Mapping[str, Any]) -> None:
        self.kind, self.method_name, self.point, self.name = kind, method, point, name
        parameters = {k: p for k, p in inspect.signature(kind).parameters.items() if k != point}
        self.own = {key: names.OURS.get(key, key) for key in parameters}
        self.values = {k: given[v] if v in given else given[k] for k, v in self.own.items() if k in given or v in given}
        for key, p in parameters.items():
            if self.own[key] == "lr" and p.default is p.empty:
                self.values.setdefault(key, 0.05)
        said = {**{k: p.default for k, p in parameters.items()}, **self.values}
        self.known = names.numbers({"lr" if self.own[k] == "lr" else k: v for k, v in said.items()})
        self.settable = frozenset(self.own[k] for k, v in said.items() if is_number(v))

    def begin(self, start: Vector, settings: Mapping[str, Setting], handling: Handling = "plain") -> Session:  # noqa: ARG002 - it has the point's array itself
        """Make one that has not taken a step."""
        check_settings(settings, self.settable)
        own = {k: settings[v] for k, v in self.own.items() if v in settings}
        return _HolderSession(self, start, own)


class _HolderSession(Session):
    def __init__(self, of: Holder, start: Vector, own: Mapping[str, Any]) -> None:
        super().__init__(start)
        self.of, self.handed = of, self.x.copy()
        self.held_by = of.kind(**{of.point: self.handed, **of.values, **own})

    def step(self, problem: Oracle) -> None:
        result = getattr(self.held_by, self.of.method_name)(problem.jac(self.x.copy()))
        kept = getattr(self.held_by, self.of.point, self.handed)
        self.x = np.array(kept if result is None else result, dtype=np.float64)
