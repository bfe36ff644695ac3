"""Functions as Python whose loops over the parameters are statements of NumPy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symgd.kernel.code.elementwise import spelt
from symgd.kernel.code.forms import (
    Add,
    Assign,
    At,
    Call,
    Choice,
    Expression,
    For,
    Name,
    Negated,
    Not,
    Number,
    Operation,
    Statement,
    Sum,
)
from symgd.kernel.code.python import Python

EACH = "_p"  # the name of the place in loops over the parameters
_LOGICAL = {"and": "&", "or": "|"}


class Vectorised(Python):
    """Writes functions for the interpreter, on arrays."""

    name = Python.name  # the same tier

    def __init__(self, function: object) -> None:
        super().__init__(function)  # type: ignore[arg-type]
        self.width: int | None = None  # of the loop that is being written as one statement each

    def statement(self, s: Statement, depth: int) -> None:
        """Write a statement; a loop over the parameters at one go."""
        if isinstance(s, For) and s.name == EACH and isinstance(s.stop, Number) and _independent(s.body):
            self.width = int(s.stop.value)
            for inner in s.body:
                self._whole(inner, depth)
            self.width = None
            return
        super().statement(s, depth)

    def _whole(self, s: Statement, depth: int) -> None:
        """Write what happens at every place."""
        if isinstance(s, Add):
            value = self.show(s.value)
            total = value if isinstance(s.target, At) else f"float(np.sum({value}))"
            self.line(f"{self._target(s.target)} += {total}", depth)
            return
        assert isinstance(s, Assign)
        # An array that is read and changed later must not be the same one.
        values = [f"{self.show(v)}.copy()" if isinstance(v, At) else self.show(v) for v in s.values]
        self.line(f"{', '.join(map(self._target, s.targets))} = {', '.join(values)}", depth)

    def _target(self, target: Expression) -> str:
        if not isinstance(target, At):
            return self.show(target)
        code = self.show(target)
        return code if code.endswith("]") else f"{code}[:]"

    # ---- expressions in such a loop --------------------------------------------------------------------------------

    def at(self, e: At, level: int) -> str:
        """Write an element of an array, or all of them."""
        if self.width is None:
            return super().at(e, level)
        *before, last = e.places
        start = _offset(last)
        if start is None:
            return super().at(e, level)
        rows = [self.show(p) for p in before]
        if start:
            rows.append(f"{start}:{start + self.width}")
        return f"{e.array}[{', '.join(rows)}]" if rows else e.array

    def operation(self, e: Operation, level: int) -> str:
        """Write arithmetic; ``and`` and ``or`` place by place."""
        if self.width is not None and e.sign in _LOGICAL:
            return f"(({self.show(e.a)}) {_LOGICAL[e.sign]} ({self.show(e.b)}))"
        return super().operation(e, level)

    def negation(self, e: Not, level: int) -> str:
        """Write the opposite of a condition."""
        return super().negation(e, level) if self.width is None else f"np.logical_not({self.show(e.a)})"

    def choice(self, e: Choice, level: int) -> str:
        """Write one of two values, by a condition at each place."""
        if self.width is None:
            return super().choice(e, level)
        return f"np.where({self.show(e.test)}, {self.show(e.yes)}, {self.show(e.no)})"

    def call(self, e: Call, level: int) -> str:
        """Write a call; of a function of the table, on arrays."""
        if self.width is None:
            return super().call(e, level)
        if e.function == "float":
            return self.show(e.args[0], level)
        args = [self.show(a) for a in e.args]
        if e.function == "divide":
            return f"np.divide({', '.join(args)})"
        if e.function == "power":
            return f"np.power({', '.join(args)})"
        if e.function == "fading":
            return super().call(e, level)
        return f"{spelt(e.function, self.calls)}({', '.join(args)})"


def _offset(place: Expression) -> int | None:
    """Give where a vector begins in which the place is that of the loop."""
    if isinstance(place, Name) and place.name == EACH:
        return 0
    if isinstance(place, Operation) and place.sign == "+" and isinstance(place.a, Number):
        return int(place.a.value) if isinstance(place.b, Name) and place.b.name == EACH else None
    return None


def _independent(body: Sequence[Statement]) -> bool:
    """Tell whether what happens at a place needs nothing from the place before, but for sums."""
    assigned: set[str] = set()
    local = {t.name for s in body if isinstance(s, Assign) for t in s.targets if isinstance(t, Name)}
    for s in body:
        if isinstance(s, Add):
            if isinstance(s.target, Name) and (s.target.name in local or s.target.name in set(_names([s.value]))):
                return False
            read = [s.value]
        elif isinstance(s, Assign):
            read = list(s.values)
        else:
            return False
        if any(name in local and name not in assigned for name in _names(read)):
            return False
        if isinstance(s, Assign):
            assigned |= {t.name for t in s.targets if isinstance(t, Name)}
    return True


def _names(expressions: Sequence[Expression]) -> Iterator[str]:
    """Give the variables that are read."""
    stack: list[Expression] = list(expressions)
    while stack:
        e = stack.pop()
        if isinstance(e, Name):
            yield e.name
        elif isinstance(e, At):
            stack += e.places
        elif isinstance(e, Sum):
            stack += [term for term, _ in e.terms]
        elif isinstance(e, Call):
            stack += e.args
        elif isinstance(e, Choice):
            stack += [e.test, e.yes, e.no]
        elif isinstance(e, Operation):
            stack += [e.a, e.b]
        elif isinstance(e, Negated | Not):
            stack.append(e.a)
