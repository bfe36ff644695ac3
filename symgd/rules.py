"""Update rules and learning-rate schedules: formulas, and the tables of those that have names."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from symgd import formula as fm
from symgd.errors import FormulaError, UsageError, safe, shown, suggest
from symgd.graph import ROWS, Graph, Leaf, Node, as_number, reachable, read

COMPONENTS = ROWS  # the label of the parameter vector inside a rule: one row a parameter
READ = ("x", "g", "f", "t", "lr")  # what a rule may read besides its hyperparameters and states


@dataclass(frozen=True)
class Row:
    """One row of the table of update rules.

    Parameters
    ----------
    text : str
        The recurrence.
    summary : str
        What it is for, and its source.
    hyper : dict
        Default hyperparameters.
    init : dict
        States that do not start at 0, as formulas of ``x`` and ``lr``.
    lr : float or str
        The learning rate that is taken when none is given; ``"auto"`` for one read off the curvature.
    """

    text: str
    summary: str
    hyper: Mapping[str, float] = field(default_factory=dict)
    init: Mapping[str, str] = field(default_factory=dict)
    lr: float | str = "auto"


_MOMENTS = "m = beta1*m + (1 - beta1)*g; v = beta2*v + (1 - beta2)*g**2; "
_ADAM = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}

RULES: dict[str, Row] = {
    "gd": Row("x = x - lr*g", "gradient descent (Cauchy 1847)"),
    "momentum": Row(
        "v = beta*v - lr*g; x = x + v",
        "heavy ball: a velocity that builds up along the valley (Polyak 1964)",
        {"beta": 0.9},
    ),
    "nesterov": Row(
        "v = beta*v + g; x = x - lr*(g + beta*v)",
        "Nesterov's momentum in the form of Sutskever et al. 2013",
        {"beta": 0.9},
    ),
    "adagrad": Row(
        "s = s + g**2; x = x - lr*g/(sqrt(s) + eps)",
        "steps shrink with the sum of squared gradients, each parameter its own (Duchi et al. 2011)",
        {"eps": 1e-10},
        lr=0.1,
    ),
    "rmsprop": Row(
        "s = beta*s + (1 - beta)*g**2; x = x - lr*g/(sqrt(s) + eps)",
        "Adagrad with a fading memory (Hinton, lecture 6e, 2012)",
        {"beta": 0.99, "eps": 1e-8},
        lr=0.01,
    ),
    "adadelta": Row(
        "s = rho*s + (1 - rho)*g**2; d = g*sqrt(u + eps)/sqrt(s + eps); u = rho*u + (1 - rho)*d**2; x = x - lr*d",
        "steps in the units of the parameters (Zeiler 2012, algorithm 1)",
        {"rho": 0.9, "eps": 1e-6},
        lr=1.0,
    ),
    "adam": Row(
        _MOMENTS + "x = x - lr*(m/(1 - beta1**t))/(sqrt(v/(1 - beta2**t)) + eps)",
        "momentum over RMSProp, both corrected for their start at 0 (Kingma and Ba 2015, algorithm 1)",
        _ADAM,
        lr=0.01,
    ),
    "adamw": Row(
        _MOMENTS + "x = x - lr*((m/(1 - beta1**t))/(sqrt(v/(1 - beta2**t)) + eps) + decay*x)",
        "Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2)",
        {**_ADAM, "decay": 0.01},
        lr=0.01,
    ),
    "amsgrad": Row(
        _MOMENTS + "u = maximum(u, v); x = x - lr*(m/(1 - beta1**t))/(sqrt(u/(1 - beta2**t)) + eps)",
        "Adam whose steps never grow again (Reddi et al. 2018)",
        _ADAM,
        lr=0.01,
    ),
    "nadam": Row(
        _MOMENTS
        + "d = beta1*m/(1 - beta1**(t + 1)) + (1 - beta1)*g/(1 - beta1**t); "
        + "x = x - lr*d/(sqrt(v/(1 - beta2**t)) + eps)",
        "Adam with Nesterov's look ahead (Dozat 2016)",
        _ADAM,
        lr=0.01,
    ),
    "lion": Row(
        "x = x - lr*(sign(beta1*m + (1 - beta1)*g) + decay*x); m = beta2*m + (1 - beta2)*g",
        "the sign of a momentum (Chen et al. 2023, algorithm 2)",
        {"beta1": 0.9, "beta2": 0.99, "decay": 0.0},
        lr=0.001,
    ),
    "rprop": Row(
        "s = where(g*p > 0, minimum(s*up, largest), where(g*p < 0, maximum(s*down, smallest), s)); "
        "p = where(g*p < 0, 0, g); x = x - s*sign(p)",
        "a step of its own for each parameter, from signs alone (Riedmiller and Braun 1993, iRprop-)",
        {"up": 1.2, "down": 0.5, "largest": 50.0, "smallest": 1e-6},
        {"s": "lr"},
        lr=0.01,
    ),
    "signgd": Row("x = x - lr*sign(g)", "steps of one size, from signs alone", lr=0.001),
    "noisy": Row(
        "x = x - lr*(g + noise/(1 + t)**0.275*normal())",
        "gradient descent with fading noise, which leaves saddles and shallow minima (Neelakantan et al. 2015)",
        {"noise": 1.0},
        lr=0.01,
    ),
}


@dataclass(frozen=True)
class Rule:
    """An update rule: one step of an optimizer, as a formula.

    A rule reads ``x`` (the parameters), ``g`` (the gradient), ``f`` (the value), ``t`` (the step's number, from 1),
    ``lr``, ``normal()`` (standard normal draws, one for each parameter) and its hyperparameters. Its statements run
    in order. A name that is read before it is assigned is a state, which starts at 0 or where ``init`` says.

    Parameters
    ----------
    text : str
        Statements such as ``"v = beta*v - lr*g; x = x + v"``.
    init : mapping of str to str, optional
        States that start elsewhere than at 0, as formulas of ``x`` and ``lr``.
    name : str, optional
        What to call it.
    default_lr : float or str
        The learning rate that is taken when none is given.
    **hyper : float or str
        Hyperparameters: numbers, or formulas of ``t``.

    Raises
    ------
    FormulaError
        If a statement is no formula, reads a name that nothing gives, or never assigns ``x``.

    Examples
    --------
    >>> nesterov = Rule("v = beta*v + g; x = x - lr*(g + beta*v)", beta=0.9)
    >>> nesterov.states
    ('v',)
    """

    text: str
    init: Mapping[str, str]
    name: str
    hyper: Mapping[str, float | str]
    lr: float | str
    states: tuple[str, ...]

    def __init__(
        self, text: str, init: Mapping[str, str] | None = None, name: str = "", *, default_lr: float | str = "auto",
        **hyper: float | str,
    ) -> None:  # fmt: skip
        for key, taken, kind in (("init", init, Mapping), ("name", name, str)):
            if taken is not None and not isinstance(taken, kind):
                raise UsageError(
                    f"{key}={shown(taken)} is no hyperparameter; give it another name in the rule and here"
                )
        check_schedule(default_lr)
        steps = fm.parse_program(text, declared=(*READ, *hyper))
        init = dict(init or {})
        _check(text, steps, hyper, init)
        plain = {k: v if isinstance(v, str) else float(v) for k, v in hyper.items()}
        values = {"text": text, "init": init, "name": name, "hyper": plain, "lr": default_lr,
                  "states": _states(steps, hyper)}  # fmt: skip
        for key, value in values.items():
            object.__setattr__(self, key, value)
        for state in init:
            if state not in self.states:
                raise UsageError(f"init names '{state}', which is no state of the rule; its states are {self.states}")
        lower(self, Graph(), "lr")

    def __repr__(self) -> str:
        hyper = "".join(f", {k}={v!r}" for k, v in self.hyper.items())
        return f"Rule({self.text!r}{hyper})"

    def with_hyper(self, values: Mapping[str, float | str]) -> Rule:
        """Give the rule with other hyperparameters.

        Parameters
        ----------
        values : mapping of str to float or str
            New values.

        Returns
        -------
        Rule

        Raises
        ------
        UsageError
            If the rule has no such hyperparameter.
        """
        for key in values:
            if key not in self.hyper:
                near = suggest(key, list(self.hyper))
                has = ", ".join(self.hyper) or "none"
                hint = f"; did you mean '{near}'?" if near else ""
                raise UsageError(f"{self.name or 'this rule'} has no hyperparameter '{key}'; it has: {has}{hint}")
        return Rule(self.text, self.init, self.name, default_lr=self.lr, **{**self.hyper, **values})


def find_rule(method: str | Rule) -> Rule:
    """Give the rule of a name.

    Parameters
    ----------
    method : str or Rule
        A name of the table, or a rule, which is given back.

    Returns
    -------
    Rule

    Raises
    ------
    UsageError
        If there is no such rule.
    """
    if isinstance(method, Rule):
        return method
    row = RULES.get(method) if isinstance(method, str) else None
    if row is None:
        near = suggest(safe(method), list(RULES))
        hint = f"did you mean '{near}'?" if near else f"take one of {', '.join(RULES)}, or a Rule"
        raise UsageError(f"method={shown(method)} is not known; {hint}")
    return Rule(row.text, row.init, method, default_lr=row.lr, **row.hyper)


# ---- from text to nodes --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lowered:
    """A rule as nodes: the new parameters and states, what the states start at, and how many draws a step takes."""

    x: Node
    states: dict[str, Node]
    init: dict[str, Node]
    draws: int

    def roots(self) -> list[Node]:
        """Give the new parameters and states."""
        return [self.x, *self.states.values()]


def reads(node: Node) -> set[str]:
    """Give the names that a node reads."""
    return {n.name for n in reachable([node]) if isinstance(n, Leaf)}


def lower(rule: Rule, graph: Graph, lr: float | str) -> Lowered:
    """Give a rule as nodes.

    Parameters
    ----------
    rule : Rule
        The rule.
    graph : Graph
        Where nodes are made.
    lr : float or str
        A number, which is read at run time under the name ``lr``, or a formula of ``t``.

    Returns
    -------
    Lowered

    Raises
    ------
    FormulaError
        If the schedule is no formula of ``t``.
    """
    known: dict[str, Node] = {name: graph.leaf("symbol", name, (COMPONENTS,)) for name in ("x", "g")}
    known |= {name: graph.leaf("symbol", name) for name in ("f", "t")}
    for name, value in {"lr": lr, **rule.hyper}.items():
        known[name] = _of_t(graph, value) if isinstance(value, str) and value != "lr" else graph.leaf("symbol", name)
    init = {name: _formula(graph, text, known) for name, text in rule.init.items()}
    for state in rule.states:
        known[state] = graph.leaf("symbol", state, (COMPONENTS,))
    draws = 0

    def lookup(name: fm.Name) -> Node:
        nonlocal draws
        if name.name == "normal()":
            draws += 1
            return graph.leaf("draw", str(draws - 1), (COMPONENTS,))
        return known[name.name] if name.name in known else graph.leaf("constant", name.name)

    for step in fm.parse_program(rule.text, declared=known):
        known[step.name] = as_number(graph, read(graph, rule.text, step.value, lookup, group=False).node)
    states = {state: known[state] for state in rule.states}
    return Lowered(known["x"], states, init, draws)


def _of_t(graph: Graph, text: str) -> Node:
    """Read a schedule."""
    return _formula(graph, text, {"t": graph.leaf("symbol", "t")})


def _formula(graph: Graph, text: str, known: Mapping[str, Node]) -> Node:
    tree = fm.parse(text, declared=known)

    def lookup(name: fm.Name) -> Node:
        if name.name in known:
            return known[name.name]
        if name.name in ("pi", "e"):
            return graph.leaf("constant", name.name)
        hint = f"it may read {', '.join(known)}"
        raise FormulaError(f"unknown name '{name.name}'", text, name.start, name.end, hint)

    return read(graph, text, tree, lookup, group=False).node


def check_schedule(lr: Any) -> None:
    """Refuse a learning rate that is neither a positive number, nor ``"auto"``, nor a formula of ``t``.

    Parameters
    ----------
    lr : float or str
        What was given.

    Raises
    ------
    FormulaError
        If it is a text that is no formula of ``t``.
    UsageError
        If it is anything else.
    """
    if isinstance(lr, str):
        node = None if lr == "auto" else _of_t(Graph(), lr)
        if node is not None and node.constant is not None and not node.constant > 0:
            raise UsageError(f"lr={shown(lr)} must be positive")
    elif not _is_number(lr) or not lr > 0:
        rule = "a positive number, 'auto', or a formula of t such as '0.1/(1 + t/100)'"
        raise UsageError(f"lr={safe(lr)} must be {rule}")


def _is_number(value: Any) -> bool:
    """Tell whether a value is a finite real number."""
    try:
        return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # a whole number beyond float64
        return False


def _states(steps: tuple[fm.Assignment, ...], hyper: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the names that are read before they are assigned: what lives from one step to the next."""
    assigned: set[str] = set()
    targets = {step.name for step in steps}
    found: dict[str, None] = {}
    for step in steps:
        for name in fm.names(step.value):
            if name in targets and name not in assigned and name != "x" and name not in hyper:
                found[name] = None
        assigned.add(step.name)
    return tuple(found)


def _check(text: str, steps: tuple[fm.Assignment, ...], hyper: Mapping[str, Any], init: Mapping[str, str]) -> None:
    targets = {step.name for step in steps}
    for step in steps:
        if step.name in ("g", "f", "t", "lr") or step.name in hyper:
            what = "a hyperparameter" if step.name in hyper else "given at each step"
            problem = f"'{step.name}' is {what} and cannot be assigned"
            raise FormulaError(problem, text, step.start, step.start + len(step.name), "take another name")
        for name, (begin, end) in fm.names(step.value).items():
            if name in targets or name in READ or name in hyper or name in ("pi", "e", "normal()"):
                continue
            near = suggest(name, [*READ, *hyper, *targets])
            hint = f"did you mean '{near}'?" if near else f"give it a value: Rule(..., {name}=0.9)"
            raise FormulaError(f"unknown name '{name}'", text, begin, end, hint)
    if "x" not in targets:
        raise FormulaError("the rule never assigns x", text, 0, len(text), "end with a step such as 'x = x - lr*g'")
    for name, value in hyper.items():
        if name in READ:
            raise UsageError(
                f"{name}={shown(value)} is no hyperparameter: every rule reads '{name}'; take another name"
            )
        if not isinstance(value, str) and not _is_number(value):
            raise UsageError(f"{name}={safe(value)} must be a finite number or a formula of t")
    for name in init:
        fm.check_name(name)
