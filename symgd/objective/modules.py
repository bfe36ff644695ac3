"""What `Objective.code` is asked for: the target, and the descents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from symgd import rules as rules_module
from symgd.checks import is_number, single
from symgd.errors import DataError, UsageError, shown, suggest, unknown_option
from symgd.kernel.code.planned import Rule
from symgd.kernel.code.targets import DESCENDS, EMBEDS, TARGETS

if TYPE_CHECKING:
    from symgd.objective import Objective

EXACT = "exact"  # steepest descent with the exact Cauchy step


def checked_target(target: object) -> str:
    """Refuse a target that there is not, and name the nearest."""
    if isinstance(target, str) and target in TARGETS:
        return target
    near = suggest(target, TARGETS) if isinstance(target, str) else None
    hint = f"; did you mean '{near}'?" if near else ""
    raise UsageError(f"target={shown(target)} must be one of {', '.join(TARGETS)}{hint}")


def descents(target: str, rule: Any, lr: Any, hyper: Mapping[str, Any]) -> list[Rule]:
    """Give the descents that are asked for.

    Parameters
    ----------
    target : str
        What the module is for.
    rule : str, Rule, or list of them
        Names of update rules, or their texts.
    lr : float or str or None
        The learning rate.
    hyper : mapping
        Hyperparameters.

    Returns
    -------
    list of Rule

    Raises
    ------
    UsageError
        If there is no such rule, none was given but its numbers, or its learning rate is left open.
    """
    if rule is None:
        given = {"lr": lr, **hyper} if lr is not None else dict(hyper)
        if given:
            raise UsageError(
                f"{next(iter(given))}={shown(next(iter(given.values())))} is for a descent; give rule= too"
            )
        return []
    if target not in DESCENDS:
        raise UsageError(f"rule={shown(rule)} is for {', '.join(DESCENDS)}; a module for {target} has no descent")
    several = list(rule) if isinstance(rule, list | tuple) else [rule]
    found = [_descent(one, lr, hyper, place) for place, one in enumerate(several)]
    if len({one.name for one in found}) < len(found):
        raise UsageError("rule names a rule twice; each has its numbers once")
    return found


def _descent(given: Any, lr: Any, hyper: Mapping[str, Any], place: int) -> Rule:
    if given == EXACT or (given == "gd" and lr == "auto"):
        if hyper or lr not in (None, "auto"):
            raise UsageError(f"rule='{EXACT}' works its step length out; leave lr= and other numbers away")
        return Rule(EXACT, "x = x - lr*g with lr = g'g/g'Hg, halved until the value falls", None, {"lr": 1.0})
    if isinstance(given, str) and "=" in given:
        rule = rules_module.Rule(given, **hyper)
    else:
        rule = rules_module.find_rule(given, (EXACT,))
        rule = rule.with_hyper({k: v for k, v in hyper.items() if k in rule.hyper}) if hyper else rule
        for name in set(hyper) - set(rule.hyper):
            raise unknown_option(name, ["target", "rule", "lr", "embed", *rule.hyper])
    rate = rule.lr if lr is None else lr
    rules_module.check_schedule(rate)
    if rate == "auto":
        raise UsageError(f"{rule.name or 'the rule'} needs lr=, a number or a formula of t, which the code is to hold")
    rate = rate if isinstance(rate, str) else float(single(rate))
    lowered = rule.lowered(rate)
    if lowered.draws:
        raise UsageError(
            "rule= draws normal numbers, which come from NumPy's generator; code that stands alone has none"
        )
    for state, node in lowered.init.items():
        if isinstance(rate, str) and {"lr", "t"} & rules_module.reads(node):
            raise UsageError(
                f"the state '{state}' starts at {rule.init[state]!r}, which needs a fixed lr; got {rate!r}"
            )
    numbers = {name: float(v) for name, v in {"lr": rate, **rule.hyper}.items() if is_number(v)}
    formulas = {name: v for name, v in {"lr": rate, **rule.hyper}.items() if isinstance(v, str)}
    text = "; ".join([rule.text, *(f"{name} = {v}" for name, v in formulas.items())])
    return Rule(rule.name or f"rule{place or ''}", text, lowered, numbers)


def embedded(objective: Objective, target: str) -> dict[str, object]:
    """Give the data that a module is to hold.

    Parameters
    ----------
    objective : Objective
        The objective.
    target : str
        What the module is for.

    Returns
    -------
    dict of str to float or list

    Raises
    ------
    UsageError
        If the target takes none.
    DataError
        If an array has no values, or stays on disk.
    """
    if target not in EMBEDS:
        raise UsageError(
            f"embed=True is for {', '.join(EMBEDS)}; a module for {target} is given its data when it is called"
        )
    found: dict[str, object] = {}
    for name in objective._known:  # noqa: SLF001
        values = objective.data.get(name)
        if values is None:
            raise DataError(f"embed=True needs the values of '{name}'; give data={{...}} to Objective")
        found[name] = values if isinstance(values, float) else np.asarray(values[:]).tolist()
    return found
