"""Statements made ready for languages that declare variables: what nobody reads is left out, and where each begins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from symgd.kernel.code import forms
from symgd.kernel.code.forms import (
    Add,
    Assign,
    At,
    Call,
    Choice,
    Do,
    Expression,
    For,
    If,
    Name,
    Negated,
    Not,
    Operation,
    Return,
    Statement,
    Sum,
    While,
)
from symgd.language.functions import FUNCTIONS

VALUES = ("value", "slope")  # functions that give a number, be it 0


def parts(e: Expression) -> tuple[Expression, ...]:
    """Give the expressions that an expression is made of."""
    if isinstance(e, Operation):
        return e.a, e.b
    if isinstance(e, Call):
        return e.args
    if isinstance(e, Sum):
        return tuple(term for term, _ in e.terms)
    if isinstance(e, Choice):
        return e.test, e.yes, e.no
    if isinstance(e, Negated | Not):
        return (e.a,)
    return e.places if isinstance(e, At) else ()


def walk(expressions: Iterable[Expression]) -> Iterator[Expression]:
    """Give all expressions inside of some."""
    stack = list(expressions)
    while stack:
        e = stack.pop()
        yield e
        stack += parts(e)


def names(expressions: Iterable[Expression]) -> Iterator[str]:
    """Give the variables and arrays that are named."""
    for e in walk(expressions):
        if isinstance(e, Name):
            yield e.name
        elif isinstance(e, At):
            yield e.array


def bodies(s: Statement) -> tuple[tuple[Statement, ...], ...]:
    """Give the bodies inside of a statement."""
    if isinstance(s, If):
        return s.body, s.otherwise
    return (s.body,) if isinstance(s, For | While) else ()


def every(statements: Iterable[Statement]) -> Iterator[Statement]:
    """Give all statements, those inside of others too."""
    for s in statements:
        yield s
        for body in bodies(s):
            yield from every(body)


def read(s: Statement) -> list[Expression]:
    """Give the expressions that a statement reads, apart from its bodies."""
    if isinstance(s, Assign):
        places = [place for t in s.targets if isinstance(t, At) for place in t.places]
        return [*s.values, *places]
    if isinstance(s, Add):
        return [s.value, *(s.target.places if isinstance(s.target, At) else ())]
    if isinstance(s, For):
        return [s.start, s.stop]
    if isinstance(s, While | If):
        return [s.test]
    if isinstance(s, Do):
        return [s.call]
    return list(s.values) if isinstance(s, Return) else []


def targets(s: Statement) -> tuple[Expression, ...]:
    """Give what a statement assigns to."""
    if isinstance(s, Assign):
        return s.targets
    return (s.target,) if isinstance(s, Add) else ()


def calls(statements: Iterable[Statement]) -> dict[str, None]:
    """Give the functions that statements call, in order."""
    found = (e.function for s in every(statements) for e in walk(read(s)) if isinstance(e, Call))
    return dict.fromkeys(found)


# ---- what nobody reads ---------------------------------------------------------------------------------------------


def tidy(function: forms.Function) -> forms.Function:
    """Leave out assignments to variables that nobody reads, but for calls of functions that fill arrays."""
    body = function.statements
    while True:
        known = set(names(e for s in every(body) for e in read(s)))
        known |= {t.array for s in every(body) for t in targets(s) if isinstance(t, At)}
        new = _without(body, known)
        if new == body:
            break
        body = new
    result, last = function.result, body[-1] if body else None
    if function.name not in VALUES and _is_zero(last):
        result, body = (), body[:-1]
    return forms.Function(function.name, function.arguments, result, function.role, body)


def _is_zero(last: Statement | None) -> bool:
    """Tell whether a function ends in a 0 that nobody reads."""
    if not isinstance(last, Return) or len(last.values) != 1:
        return False
    (value,) = last.values
    return isinstance(value, forms.Number) and value.value == 0


def _without(body: Sequence[Statement], known: set[str]) -> tuple[Statement, ...]:
    found: list[Statement] = []
    for s in body:
        own = targets(s)
        if own and all(isinstance(t, Name) and t.name not in known for t in own):
            value = s.values[0] if isinstance(s, Assign) else None
            if isinstance(value, Call) and value.function not in FUNCTIONS:
                found.append(Do(value))
            continue
        if isinstance(s, If):
            inside, otherwise = _without(s.body, known), _without(s.otherwise, known)
            if inside or otherwise:
                found.append(If(s.test, inside, otherwise))
        elif isinstance(s, For):
            inside = _without(s.body, known)
            if inside:
                found.append(s._replace(body=inside))
        else:
            found.append(s._replace(body=_without(s.body, known)) if isinstance(s, While) else s)
    return tuple(found)


# ---- where variables begin -----------------------------------------------------------------------------------------


class Scopes(NamedTuple):
    """Where variables are declared: with these statements, by their ``id``, or bare, ahead of them."""

    inline: dict[int, str]
    ahead: dict[int, list[str]]
    constant: set[str]  # that get no other value


class _Block:
    """Statements of one body, and which of them mention a name: at once, or in their own bodies."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        self.statements = statements
        self.own: list[set[str]] = []
        self.inner: list[list[_Block]] = []
        self.users: dict[str, list[int]] = {}
        for place, s in enumerate(statements):
            self.own.append(set(names([*read(s), *targets(s)])))
            self.inner.append([_Block(body) for body in bodies(s)])
            for name in self.own[-1].union(*(block.users for block in self.inner[-1])):
                self.users.setdefault(name, []).append(place)


def scopes(function: forms.Function) -> Scopes:
    """Find where the variables of a function are declared: as far inside as they are used, with their first value."""
    given = {a.name for a in function.arguments}
    counts = Counter(t.name for s in every(function.statements) for t in targets(s) if isinstance(t, Name))
    found, block = Scopes({}, {}, set()), _Block(function.statements)
    for name in counts:
        if name not in given and not _place(name, block, found):
            first = block.statements[block.users[name][0]]
            found.ahead.setdefault(id(first), []).append(name)
    inline = Counter(found.inline.values())
    found.constant.update(name for name, count in counts.items() if count == 1 or inline[name] == count)
    return found


def _place(name: str, block: _Block, found: Scopes) -> bool:
    """Declare a variable in a body, or in the bodies inside of it; tell whether nothing need be declared outside."""
    users = block.users.get(name)
    if not users:
        return True
    first = block.statements[users[0]]
    own = [t.name for t in targets(first) if isinstance(t, Name)]
    if isinstance(first, Assign) and name in own and name not in names(read(first)):
        if len(first.targets) == 1:
            found.inline[id(first)] = name
        else:
            found.ahead.setdefault(id(first), []).append(name)
        return True
    trial = Scopes({}, {}, set())
    inside = not any(name in block.own[place] for place in users)
    if not inside or not all(_place(name, inner, trial) for place in users for inner in block.inner[place]):
        return False
    found.inline.update(trial.inline)
    for key, value in trial.ahead.items():
        found.ahead.setdefault(key, []).extend(value)
    return True
