"""Update rules evaluated by NumPy on gradients that are given, for many sets of hyperparameters side by side.

The generated loops of symgd take seconds to make; here thousands of neighbours of a rule are each run for a few steps.
What a rule's text cannot say of whole points is there too: ``mean``, ``sum`` and ``norm`` are those over a point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd import language as fm
from symgd.errors import FormulaError
from symgd.graph.tape import Floats
from symgd.language import Tree
from symgd.language.functions import CONSTANTS, FUNCTIONS
from symgd.records import dataclass
from symgd.rules import READ, Rule
from symgd.testing.adapters.schedule import number_at
from symgd.testing.protocol import Setting

Array = NDArray[np.float64]
Environment = dict[str, Any]
Code = Callable[[Environment], Any]

_FLOATS = Floats()
_OVER_POINTS: Mapping[str, Callable[[Any], Any]] = {
    "mean": lambda a: np.mean(a, axis=-1, keepdims=True),
    "sum": lambda a: np.sum(a, axis=-1, keepdims=True),
    "max": lambda a: np.max(a, axis=-1, keepdims=True),
    "norm": lambda a: np.sqrt(np.sum(np.square(a), axis=-1, keepdims=True)),
}
_BINARY: Mapping[str, Callable[[Any, Any], Any]] = {
    "*": np.multiply, "/": np.divide, "%": np.mod, "//": np.floor_divide, "<": np.less, "<=": np.less_equal,
    ">": np.greater, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal,
}  # fmt: skip


@dataclass(frozen=True)
class Observed:
    """Gradients that an optimizer was given, and the points that it went to.

    Parameters
    ----------
    points : ndarray of shape (m + 1, n)
        The start, and the point after each step.
    gradients : ndarray of shape (m, n)
        The gradient at each step.
    values : ndarray of shape (m,)
        The value at each step.
    """

    points: Array
    gradients: Array
    values: Array

    @property
    def steps(self) -> int:
        """How many steps."""
        return len(self.gradients)


@dataclass(frozen=True)
class Recurrence:
    """A rule as trees that may be edited.

    Parameters
    ----------
    steps : tuple of Assignment
        The statements.
    init : mapping of str to Tree
        What states start at that do not start at 0.
    hyper : mapping of str to float or str
        Hyperparameters with their defaults, the learning rate not among them.
    precision : str
        ``"double"``; ``"single"``, and ``"single states"``.
    """

    steps: tuple[fm.Assignment, ...]
    init: Mapping[str, Tree] = field(default_factory=dict)
    hyper: Mapping[str, Setting] = field(default_factory=dict)
    precision: str = "double"

    def edited(self, steps: tuple[fm.Assignment, ...], **more: Any) -> Recurrence:
        """Give the same with other statements."""
        return replace(self, steps=steps, **more)

    @cached_property
    def code(self) -> list[tuple[str, Code]]:
        """The statements as functions of the names' values."""
        return [(s.name, _code(s.value)) for s in self.steps]

    @cached_property
    def states(self) -> tuple[str, ...]:
        """Give the names that are read before they are assigned, and what is said to start somewhere."""
        assigned: set[str] = set()
        found: dict[str, None] = dict.fromkeys(self.init)
        targets = {s.name for s in self.steps}
        for step in self.steps:
            for name in fm.names(step.value):
                if name in targets and name not in assigned and name != "x":
                    found[name] = None
            assigned.add(step.name)
        return tuple(found)

    def take(self, env: Environment, *, first: bool) -> Array:
        """Take one step.

        Parameters
        ----------
        env : dict
            The values of all names, which are changed.
        first : bool
            Whether states are still to start where ``init`` says.

        Returns
        -------
        ndarray of shape (n,)
            The new point.
        """
        with np.errstate(all="ignore"):
            if first:
                env |= {s: _code(t)(env) + np.zeros_like(env["x"]) for s, t in self.init.items()}
            for name, run in self.code:
                env[name] = run(env)
        return np.asarray(env["x"], dtype=np.float64)

    def __call__(self, seen: Observed, hyper: Mapping[str, Any]) -> Array:
        """Give the points that the rule goes to on the gradients that were seen.

        Parameters
        ----------
        seen : Observed
            Gradients and start.
        hyper : mapping
            ``lr`` and hyperparameters: numbers, arrays of shape (k, 1), one row a set of them, or formulas of t.

        Returns
        -------
        ndarray of shape (m, k, n)
        """
        single = self.precision != "double"
        narrow = np.float32 if self.precision == "single" else np.float64
        lanes = max((np.shape(v)[0] for v in hyper.values() if np.ndim(v)), default=1)
        x = np.broadcast_to(seen.points[0], (lanes, seen.points.shape[1])).astype(narrow)
        env: Environment = {"x": x, "f": seen.values[0], "t": 0.0}
        env |= {k: _cast(v, narrow) for k, v in hyper.items() if not isinstance(v, str)}
        moving = {k: v for k, v in hyper.items() if isinstance(v, str)}
        states, code = self.states, self.code
        points = np.empty((seen.steps, lanes, x.shape[1]))
        with np.errstate(all="ignore"):
            env |= {k: number_at(v, 1) for k, v in moving.items()}
            env |= {s: np.zeros_like(x) for s in states}
            env |= {s: _code(t)({**env, "g": np.broadcast_to(seen.gradients[0], x.shape)}) + np.zeros_like(x)
                    for s, t in self.init.items()}  # fmt: skip
            for i in range(seen.steps):
                env |= {"g": seen.gradients[i].astype(narrow), "f": seen.values[i], "t": float(i + 1)}
                env |= {k: number_at(v, i + 1) for k, v in moving.items()}
                for name, run in code:
                    env[name] = run(env)
                if single:
                    for s in states:
                        env[s] = np.asarray(env[s], dtype=np.float32)
                points[i] = env["x"]
        return points


def _cast(value: Any, narrow: Any) -> Any:
    return np.asarray(value, dtype=narrow) if np.ndim(value) else narrow(value) if narrow is np.float32 else value


def read(text: str, hyper: Mapping[str, Setting], init: Mapping[str, str] | None = None) -> Recurrence:
    """Read a rule's text.

    Parameters
    ----------
    text : str
        The statements.
    hyper : mapping
        Hyperparameters.
    init : mapping of str to str, optional
        What states start at; it may read the first gradient, ``g``.

    Returns
    -------
    Recurrence

    Raises
    ------
    FormulaError
        If the text is no rule.
    """
    declared = (*READ, *hyper)
    starts = {k: fm.parse(v, declared=declared) for k, v in (init or {}).items()}
    return Recurrence(fm.parse_program(text, declared=declared), starts, dict(hyper))


def of_rule(rule: Rule) -> Recurrence:
    """Give a rule as one."""
    return Recurrence(rule.steps, dict(rule.starts), dict(rule.hyper))


def _code(tree: Tree) -> Code:
    """Give a function of the names' values."""
    match tree:
        case fm.Number(value):
            number = float(value)
            return lambda env: number  # noqa: ARG005 - all of them are functions of the names' values
        case fm.Name(name):
            constant = CONSTANTS.get(name)
            return (lambda env: env[name]) if constant is None else lambda env: env.get(name, constant)
        case fm.Unary("-", arg):
            inner = _code(arg)
            return lambda env: -inner(env)
        case fm.Unary(op, arg):
            inner = _code(arg)
            return inner if op == "+" else lambda env: np.logical_not(inner(env))
        case fm.Sum(args, signs):
            return _sum([_code(a) for a in args], signs)
        case fm.Product(args, ops):
            return _product([_code(a) for a in args], ops)
        case fm.Power(base, exponent):
            return _power(_code(base), _code(exponent))
        case fm.Compare(ops, args):
            return _compare([_code(a) for a in args], ops)
        case fm.Logical(op, args):
            parts = [_code(a) for a in args]
            join = np.logical_and if op == "and" else np.logical_or
            return lambda env: join.reduce([np.broadcast_to(p(env), np.shape(env["x"])) for p in parts])
        case fm.Call("normal"):
            return lambda env: env.get("normal()", 0.0)  # by default the mean: draws are an optimizer's own
        case fm.Call():
            return _call(tree)
    message = f"a rule has no {type(tree).__name__.lower()}"
    raise FormulaError(message, "", tree.start, tree.end)


def _sum(parts: list[Code], signs: tuple[int, ...]) -> Code:
    rest = list(zip(parts[1:], signs[1:], strict=True))
    first, negative = parts[0], signs[0] < 0

    def run(env: Environment) -> Any:
        total = -first(env) if negative else first(env)
        for part, sign in rest:
            total = total + part(env) if sign > 0 else total - part(env)
        return total

    return run


def _product(parts: list[Code], ops: tuple[str, ...]) -> Code:
    rest = [(_BINARY[op], part) for op, part in zip(ops, parts[1:], strict=True)]

    def run(env: Environment) -> Any:
        made = parts[0](env)
        for op, part in rest:
            made = op(made, part(env))
        return made

    return run


def _power(base: Code, exponent: Code) -> Code:
    # np.power, since Python's own raises at 0.0**-1 and turns complex
    return lambda env: np.power(np.asarray(base(env), dtype=None), exponent(env))


def _compare(parts: list[Code], ops: tuple[str, ...]) -> Code:
    def run(env: Environment) -> Any:
        values = [p(env) for p in parts]
        found: Any = True
        for op, a, b in zip(ops, values, values[1:], strict=False):
            found = np.logical_and(found, _BINARY[op](a, b))
        return found

    return run


def _call(tree: fm.Call) -> Code:
    parts = [_code(a) for a in tree.args]
    if tree.function in _OVER_POINTS:
        over = _OVER_POINTS[tree.function]
        return lambda env: over(parts[0](env) + 0.0 * env["x"])
    row = FUNCTIONS[tree.function]
    if row.kind == "alias":
        from symgd.graph.reading import template

        inner = _code(template(row.definition))
        return lambda env: inner({"x": env["x"], **dict(zip("abc", (p(env) for p in parts), strict=False))})
    if row.name == "where":
        return lambda env: np.where(*(p(env) for p in parts))
    plain = getattr(np, row.name, None)
    if isinstance(plain, np.ufunc):
        return lambda env: plain(*(p(env) for p in parts))
    return lambda env: _FLOATS.apply(row.name, [p(env) for p in parts])
