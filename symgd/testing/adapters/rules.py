"""Update rules of symgd: names of the table, texts, and `Rule` objects."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from symgd.checks import is_number
from symgd.rules import Rule
from symgd.testing.adapters.base import Handling, Session, Steps, Unable, Vector
from symgd.testing.adapters.schedule import numbers_at
from symgd.testing.protocol import Oracle, Setting


class OfRule(Steps):
    """A rule of symgd, run statement by statement.

    Parameters
    ----------
    rule : Rule
        The rule.
    name : str
        What to call it.
    """

    style = "rule"
    scheduled = True

    def __init__(self, rule: Rule, name: str) -> None:
        from symgd.testing.causes.recurrence import of_rule

        self.rule, self.name = rule, name
        self.method = rule.name or None
        self.settable = frozenset(("lr", *rule.hyper))
        self.known = {k: float(v) for k, v in {"lr": rule.lr, **rule.hyper}.items() if is_number(v)}
        self.recurrence = of_rule(rule)
        self.draws = any("normal()" in s for s in rule.text.split(";"))

    def begin(self, start: Vector, settings: Mapping[str, Setting], handling: Handling = "plain") -> Session:  # noqa: ARG002 - rules change no arrays
        """Make one that has not taken a step."""
        missing = [key for key in settings if key not in self.settable]
        if missing:
            raise Unable(f"it has no {missing[0]}")
        own = self.rule.lr if self.rule.lr != "auto" else 0.05
        return _RuleSession(self, start, {"lr": own, **self.rule.hyper, **settings})


class _RuleSession(Session):
    def __init__(self, of: OfRule, start: Vector, settings: Mapping[str, Setting]) -> None:
        super().__init__(start)
        self.of, self.settings = of, settings
        self.t = 0
        self.env: dict[str, object] = {s: np.zeros_like(self.x) for s in of.recurrence.states}
        self.random = np.random.default_rng(0)

    def step(self, problem: Oracle) -> None:
        self.t += 1
        env = self.env
        env |= {"x": self.x, "t": float(self.t), "f": problem.fun(self.x), "g": problem.jac(self.x)}
        env |= numbers_at(self.settings, self.t)
        if self.of.draws:
            env["normal()"] = self.random.standard_normal(len(self.x))
        self.x = self.of.recurrence.take(env, first=self.t == 1)
