"""Update rules as users hold them: a recurrence as text, read and checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from symgd import language as fm
from symgd.checks import is_number, single
from symgd.errors import FormulaError, UsageError, safe, shown, suggest
from symgd.graph import Graph
from symgd.language import Tree
from symgd.records import dataclass
from symgd.rules.lowering import Lowered, lower
from symgd.rules.table import RULES
from symgd.rules.values import check_schedule

if TYPE_CHECKING:
    from symgd.insight.theory import Theory

READ = ("x", "g", "f", "t", "lr")  # what a rule may read besides its hyperparameters and states


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
    steps: tuple[fm.Assignment, ...] = field(repr=False, compare=False)
    starts: Mapping[str, Tree] = field(repr=False, compare=False)

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
        states = _states(steps, hyper)
        for state in init:
            if state not in states:
                raise UsageError(f"init names '{state}', which is no state of the rule; its states are {states}")
        starts = {state: fm.parse(start, declared=(*READ, *hyper)) for state, start in init.items()}
        default_lr = default_lr if isinstance(default_lr, str) else float(single(default_lr))
        self._set(
            text=text, init=init, name=name, hyper=_numbers(hyper), lr=default_lr, states=states, steps=steps,
            starts=starts,
        )  # fmt: skip
        self.nodes  # noqa: B018 - read at once, so that a mistake is reported here

    def _set(self, **values: Any) -> None:
        for key, value in values.items():
            object.__setattr__(self, key, value)

    @cached_property
    def nodes(self) -> Lowered:
        """The rule as nodes, its learning rate a number that is read at run time."""
        return lower(self, Graph(), "lr")

    def lowered(self, lr: float | str) -> Lowered:
        """Give the rule as nodes; a learning rate that is a number is read at run time, a formula stands in them."""
        return lower(self, Graph(), lr) if isinstance(lr, str) else self.nodes

    def __reduce__(self) -> tuple[Any, ...]:
        return _from_parts, (self.text, dict(self.init), self.name, self.lr, dict(self.hyper))

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
        if not isinstance(values, Mapping):
            raise UsageError(f"values={shown(values)} must be a mapping of hyperparameters to numbers")
        for key in map(str, values):
            if key not in self.hyper:
                near = suggest(key, list(self.hyper))
                has = ", ".join(self.hyper) or "none"
                hint = f"; did you mean '{near}'?" if near else ""
                raise UsageError(f"{self.name or 'this rule'} has no hyperparameter '{safe(key)}'; it has: {has}{hint}")
        for key, value in values.items():
            _check_hyper(key, value)
        other = object.__new__(Rule)
        other._set(**{**vars(self), "hyper": {**self.hyper, **_numbers(values)}})
        # The nodes read numbers by name; formulas of t stand in them.
        if any(isinstance(v, str) for v in (*values.values(), *(self.hyper[key] for key in values))):
            del other.__dict__["nodes"]
            other.nodes  # noqa: B018 - as above
        return other

    def theory(
        self, smallest: float | None = None, largest: float | None = None, lr: float | str | None = None,
        **hyper: float | str,
    ) -> Theory:  # fmt: skip
        """Say what is known of the rule on quadratics: the exact stability limit, the rate, the best it can be.

        Parameters
        ----------
        smallest : float, optional
            The smallest eigenvalue of the Hessian, positive. Without it there are no rates.
        largest : float, optional
            The largest eigenvalue of the Hessian. Without it the limit is given in symbols alone.
        lr : float or str, optional
            The learning rate whose rate is asked for; a formula of ``t`` has none.
        **hyper : float or str
            Hyperparameters other than the rule's own. (One that is called ``smallest``, ``largest`` or ``lr`` is
            changed by `with_hyper`.)

        Returns
        -------
        Theory
            For a rule that is not linear, one that says why there is none.

        Raises
        ------
        UsageError
            If an eigenvalue is not positive, ``smallest`` is above ``largest``, or there is no such hyperparameter.

        Examples
        --------
        >>> momentum = Rule("v = beta*v - lr*g; x = x + v", beta=0.9)
        >>> momentum.theory().limit
        2*(beta + 1)/L
        >>> momentum.theory(smallest=1, largest=9).best
        {'lr': 0.25, 'beta': 0.25}
        """
        from symgd.insight.theory import theory

        return theory(self, smallest, largest, lr, hyper)


def find_rule(method: object, others: Iterable[str] = ()) -> Rule:
    """Give the rule of a name.

    Parameters
    ----------
    method : str or Rule
        A name of the table, or a rule, which is given back.
    others : iterable of str
        What else may be asked for by name, for the message.

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
    if isinstance(method, str) and method in RULES:
        return _of_table(method)
    known = [*RULES, *others]
    near = suggest(safe(method), known)
    hint = f"did you mean '{near}'?" if near else f"take one of {', '.join(known)}, or a Rule"
    raise UsageError(f"method={shown(method)} is not known; {hint}")


@cache
def _of_table(name: str) -> Rule:
    row = RULES[name]
    return Rule(row.text, row.init, name, default_lr=row.lr, **row.hyper)


def _from_parts(
    text: str, init: Mapping[str, str], name: str, lr: float | str, hyper: Mapping[str, float | str]
) -> Rule:
    return Rule(text, init, name, default_lr=lr, **hyper)


def _numbers(hyper: Mapping[str, float | str]) -> dict[str, float | str]:
    return {k: v if isinstance(v, str) else float(single(v)) for k, v in hyper.items()}


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


_GRADIENTS = ("grad", "gradient", "dx", "df", "dw", "nabla", "grads")  # as others call g


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
            near = "g" if name in _GRADIENTS else suggest(name, [*READ, *hyper, *targets])
            hint = f"did you mean '{near}'?" if near else f"give it a value: Rule(..., {name}=0.9)"
            raise FormulaError(f"unknown name '{name}'", text, begin, end, hint)
    if "x" not in targets:
        raise FormulaError("the rule never assigns x", text, 0, len(text), "end with a step such as 'x = x - lr*g'")
    for name, value in hyper.items():
        if name in READ:
            raise UsageError(
                f"{name}={shown(value)} is no hyperparameter: every rule reads '{name}'; take another name"
            )
        _check_hyper(name, value)
    for name in init:
        fm.check_name(name)


def _check_hyper(name: str, value: Any) -> None:
    if not isinstance(value, str) and not is_number(value):
        raise UsageError(f"{name}={safe(value)} must be a finite number or a formula of t")
