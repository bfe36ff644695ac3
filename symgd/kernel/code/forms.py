"""What generated code consists of: functions of statements over expressions, as data.

The code of a function is a tree of the few forms below, and means the same whatever it is printed as: whole numbers,
float64, arrays, calls. There is a printer for each target: `symgd.kernel.code.python`, `symgd.kernel.code.c`.
A division that stands in a formula is a call of the table's ``divide``, since not every language has infinities for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from symgd.records import dataclass

# ---- expressions ---------------------------------------------------------------------------------------------------


class Expression:
    """What has a value. Arithmetic on expressions writes expressions."""

    __slots__ = ()

    def __add__(self, other: Code) -> Expression:
        return Operation("+", self, of(other))

    def __sub__(self, other: Code) -> Expression:
        return Operation("-", self, of(other))

    def __mul__(self, other: Code) -> Expression:
        return Operation("*", self, of(other))

    def __rmul__(self, other: Code) -> Expression:
        return Operation("*", of(other), self)

    def __radd__(self, other: Code) -> Expression:
        return Operation("+", of(other), self)

    def __rsub__(self, other: Code) -> Expression:
        return Operation("-", of(other), self)

    def __truediv__(self, other: Code) -> Expression:
        return Operation("/", self, of(other))

    def __rtruediv__(self, other: Code) -> Expression:
        return Operation("/", of(other), self)

    def __floordiv__(self, other: Code) -> Expression:
        return Operation("//", self, of(other))

    def __lt__(self, other: Code) -> Expression:
        return Operation("<", self, of(other))

    def __le__(self, other: Code) -> Expression:
        return Operation("<=", self, of(other))

    def __gt__(self, other: Code) -> Expression:
        return Operation(">", self, of(other))

    def __ge__(self, other: Code) -> Expression:
        return Operation(">=", self, of(other))

    def __and__(self, other: Code) -> Expression:
        return Operation("and", self, of(other))

    def __or__(self, other: Code) -> Expression:
        return Operation("or", self, of(other))

    def is_(self, other: Code) -> Expression:
        """Write a test for equality."""
        return Operation("==", self, of(other))

    def is_not(self, other: Code) -> Expression:
        """Write a test for inequality."""
        return Operation("!=", self, of(other))


@dataclass(eq=False, slots=True)
class Number(Expression):
    """A constant: whole or a float."""

    value: float


@dataclass(eq=False, slots=True)
class Name(Expression):
    """A variable or an argument."""

    name: str


class At(Expression):
    """An element of an array; `unsigned` where the place is never negative, which spares compiled code a look."""

    __slots__ = ("array", "places", "unsigned")

    def __init__(self, array: str, *places: Code, unsigned: bool = False) -> None:
        self.array = array
        self.places = tuple(of(place) for place in places)
        self.unsigned = unsigned


@dataclass(eq=False, slots=True)
class Operation(Expression):
    """Arithmetic on two numbers, a comparison, or ``and`` and ``or``."""

    sign: str
    a: Expression
    b: Expression


class Sum(Expression):
    """Terms that are added up from the first to the last; each with whether it is subtracted."""

    __slots__ = ("terms",)

    def __init__(self, terms: Iterable[tuple[Expression, bool]]) -> None:
        self.terms = tuple(terms)


@dataclass(eq=False, slots=True)
class Negated(Expression):
    """The negative of a number."""

    a: Expression


@dataclass(eq=False, slots=True)
class Not(Expression):
    """The opposite of a condition."""

    a: Expression


class Choice(Expression):
    """One of two values, by a condition."""

    __slots__ = ("no", "test", "yes")

    def __init__(self, test: Code, yes: Code, no: Code) -> None:
        self.test, self.yes, self.no = of(test), of(yes), of(no)


class Call(Expression):
    """A call: of a function of the table, of another generated function, or of what `symgd.kernel` provides."""

    __slots__ = ("args", "function")

    def __init__(self, function: str, *args: Code) -> None:
        self.function = function
        self.args = tuple(of(arg) for arg in args)


class Argument(NamedTuple):
    """An argument of a function.

    ``kind`` is ``"whole"``, ``"number"``, ``"matrix"`` (of float64), or for a flat array NumPy's name of what it holds.
    """

    name: str
    kind: str


# What stands for an expression: a number for a constant, a text or an argument for its name.
Code: TypeAlias = "Expression | Argument | str | float"


def of(code: Code) -> Expression:
    """Give the expression that something stands for.

    Parameters
    ----------
    code : Expression, Argument, str or float
        An expression, the name of a variable, or a constant.

    Returns
    -------
    Expression
    """
    if isinstance(code, Expression):
        return code
    if isinstance(code, str):
        return Name(code)
    return Name(code.name) if isinstance(code, Argument) else Number(code)


def total(terms: Iterable[Code]) -> Expression:
    """Write a sum.

    Parameters
    ----------
    terms : iterable of Expression, str or float
        The terms, at least one.

    Returns
    -------
    Expression
    """
    found = [of(term) for term in terms]
    return found[0] if len(found) == 1 else Sum((term, False) for term in found)


# ---- statements ----------------------------------------------------------------------------------------------------


class Assign(NamedTuple):
    """Targets get values: one each, all at once, or what one call gives back."""

    targets: tuple[Expression, ...]
    values: tuple[Expression, ...]


class Add(NamedTuple):
    """A value is added to a target."""

    target: Expression
    value: Expression


class For(NamedTuple):
    """A body for each whole number from a start up to, but not including, a stop."""

    name: str
    start: Expression
    stop: Expression
    step: int
    body: tuple[Statement, ...]


class While(NamedTuple):
    """A body as long as a condition holds."""

    test: Expression
    body: tuple[Statement, ...]


class If(NamedTuple):
    """A body where a condition holds, and another where it does not."""

    test: Expression
    body: tuple[Statement, ...]
    otherwise: tuple[Statement, ...]


class Do(NamedTuple):
    """A call for what it does."""

    call: Call


class Leave(NamedTuple):
    """The end of the loop around it."""


class Skip(NamedTuple):
    """The end of this round of the loop around it."""


class Return(NamedTuple):
    """The end of the function: one number, or several."""

    values: tuple[Expression, ...]


Statement: TypeAlias = Assign | Add | For | While | If | Do | Leave | Skip | Return


PREFIX = "np_"  # of functions that NumPy does not have

# ---- functions -----------------------------------------------------------------------------------------------------

# What a function is for, which decides how it is compiled:
MAIN = "main"  # called from outside, and from each other
BLOCK = "block"  # loops over a block, whose sums may be reordered, and whose arrays do not overlap
LANES = "lanes"  # likewise, but nothing in it may be reordered
PLACE = "place"  # what happens at one place of a block: written into its loops
NEAR = "near"  # likewise; sine and cosine need hold for moderate arguments only


@dataclass(frozen=True)
class Function:
    """A function as statements.

    Parameters
    ----------
    name : str
        Its name.
    arguments : tuple of Argument
        What it takes.
    result : tuple of str
        The kinds of the numbers that it gives back.
    role : str
        What it is for: `MAIN`, `BLOCK`, `LANES`, `PLACE` or `NEAR`.
    statements : tuple of Statement
        What it does.
    """

    name: str
    arguments: tuple[Argument, ...]
    result: tuple[str, ...]
    role: str
    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class Text:
    """A function as its target has it.

    Parameters
    ----------
    name : str
        Its name.
    arguments : tuple of Argument
        What it takes.
    result : tuple of str
        The kinds of the numbers that it gives back.
    role : str
        What it is for.
    calls : tuple of str
        The functions that it calls, those of the table among them.
    body : str
        Its text below the heading.
    """

    name: str
    arguments: tuple[Argument, ...]
    result: tuple[str, ...]
    role: str
    calls: tuple[str, ...]
    body: str

    @property
    def names(self) -> list[str]:
        """The names of the arguments."""
        return [argument.name for argument in self.arguments]

    def to_json(self) -> tuple[object, ...]:
        """Give what JSON can write."""
        return self.name, self.arguments, self.result, self.role, self.calls, self.body

    @staticmethod
    def from_json(fields: Iterable[object]) -> Text:
        """Give back what `to_json` gave."""
        name, arguments, result, role, calls, body = fields
        return Text(name, tuple(Argument(*a) for a in arguments), tuple(result), role, tuple(calls), body)  # type: ignore[arg-type, attr-defined]


def closure(functions: Iterable[Text], name: str) -> tuple[Text, ...]:
    """Give a function and those that it calls, directly or not, in their order.

    Parameters
    ----------
    functions : iterable of Text
        The functions of a program.
    name : str
        One of them.

    Returns
    -------
    tuple of Text
    """
    known = {function.name: function for function in functions}
    wanted, waiting = {name}, [name]
    while waiting:
        new = {c for c in known[waiting.pop()].calls if c in known} - wanted
        wanted |= new
        waiting += new
    return tuple(function for function in known.values() if function.name in wanted)


def source(functions: Iterable[Text]) -> str:
    """Give functions as the text of a module of Python.

    Parameters
    ----------
    functions : iterable of Text
        The functions.

    Returns
    -------
    str
    """
    return "\n".join([f"def {f.name}({', '.join(f.names)}):\n{f.body}" for f in functions])
