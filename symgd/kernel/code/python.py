"""Functions as Python: for the interpreter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from symgd.kernel.code.forms import (
    Add,
    Assign,
    At,
    Call,
    Choice,
    Do,
    Expression,
    For,
    Function,
    If,
    Leave,
    Name,
    Negated,
    Not,
    Number,
    Operation,
    Return,
    Skip,
    Statement,
    Sum,
    Text,
    While,
)
from symgd.language.functions import FUNCTIONS

INDENT = "    "
# How tightly operators bind; what stands for itself binds tightest.
CHOICE, OR, AND, NOT, COMPARISON, SUM, PRODUCT, SIGN, ATOM = range(1, 10)
# For each sign: how tightly it binds, how tightly what stands before it must, and how it is written.
_SIGNS = {
    "or": (OR, OR, " or "), "and": (AND, AND, " and "), "+": (SUM, SUM, " + "), "-": (SUM, SUM, " - "),
    "*": (PRODUCT, PRODUCT, "*"), "/": (PRODUCT, PRODUCT, " / "), "//": (PRODUCT, PRODUCT, " // "),
    **{sign: (COMPARISON, SUM, f" {sign} ") for sign in ("<", "<=", ">", ">=", "==", "!=")},
}  # fmt: skip


class Python:
    """Writes functions for the interpreter.

    Parameters
    ----------
    function : Function
        What is to be written.
    """

    name = "python"
    apart = False  # whether what happens at one place is better a function of its own

    def __init__(self, function: Function) -> None:
        self.function = function
        self.calls: dict[str, None] = {}
        self.lines: list[str] = []

    @classmethod
    def text(cls, function: Function) -> Text:
        """Write a function."""
        printer = cls(function)
        printer.block(function.statements, 1)
        f = function
        return Text(f.name, f.arguments, f.result, f.role, tuple(printer.calls), "\n".join(printer.lines) + "\n")

    # ---- statements ------------------------------------------------------------------------------------------------

    def block(self, statements: Sequence[Statement], depth: int) -> None:
        """Write statements."""
        for statement in statements:
            self.statement(statement, depth)

    def line(self, text: str, depth: int) -> None:
        """Write a line."""
        self.lines.append(INDENT * depth + text)

    def statement(self, s: Statement, depth: int) -> None:
        """Write a statement."""
        if isinstance(s, Assign):
            self.line(f"{self.listed(s.targets)} = {self.listed(s.values)}", depth)
        elif isinstance(s, Add):
            self.line(f"{self.show(s.target)} += {self.show(s.value)}", depth)
        elif isinstance(s, Do):
            self.line(self.show(s.call), depth)
        elif isinstance(s, Return):
            self.line(f"return {self.listed(s.values)}", depth)
        elif isinstance(s, For):
            self.line(f"for {s.name} in range({self.span(s)}):", depth)
            self.block(s.body, depth + 1)
        elif isinstance(s, While):
            self.line(f"while {self.show(s.test)}:", depth)
            self.block(s.body, depth + 1)
        elif isinstance(s, If):
            self.line(f"if {self.show(s.test)}:", depth)
            self.block(s.body, depth + 1)
            if s.otherwise:
                self.line("else:", depth)
                self.block(s.otherwise, depth + 1)
        else:
            self.line({Leave: "break", Skip: "continue"}[type(s)], depth)

    def span(self, s: For) -> str:
        """Write the bounds of a loop."""
        start, stop = self.show(s.start), self.show(s.stop)
        if s.step != 1:
            return f"{start}, {stop}, {s.step}"
        return stop if start == "0" else f"{start}, {stop}"

    def listed(self, values: Sequence[Expression]) -> str:
        """Write one expression or several."""
        return ", ".join([self.show(value) for value in values])

    # ---- expressions -----------------------------------------------------------------------------------------------

    def show(self, e: Expression, level: int = 0) -> str:
        """Write an expression, in brackets where it binds less tightly than a level."""
        return e.name if type(e) is Name else _SHOW[type(e)](self, e, level)

    def number(self, e: Number, level: int) -> str:
        """Write a constant."""
        del level
        return number(e.value) if isinstance(e.value, float) else str(e.value)

    def operation(self, e: Operation, level: int) -> str:
        """Write arithmetic, a comparison, ``and`` or ``or``."""
        a, b, (own, left, sign) = e.a, e.b, _SIGNS[e.sign]
        x = a.name if type(a) is Name else self.show(a, left)
        y = b.name if type(b) is Name else self.show(b, own + 1)
        return f"({x}{sign}{y})" if own < level else f"{x}{sign}{y}"

    def sum(self, e: Sum, level: int) -> str:
        """Write a sum."""
        show = self.show
        first, *rest = e.terms
        head = f"-{show(first[0], SIGN)}" if first[1] else show(first[0], SUM)
        text = "".join([head, *[f" - {show(t, PRODUCT)}" if minus else f" + {show(t, PRODUCT)}" for t, minus in rest]])
        return f"({text})" if level > SUM else text

    def negated(self, e: Negated, level: int) -> str:
        """Write the negative of a number."""
        return f"(-{self.show(e.a, SIGN)})" if level > SIGN else f"-{self.show(e.a, SIGN)}"

    def negation(self, e: Not, level: int) -> str:
        """Write the opposite of a condition."""
        return f"(not {self.show(e.a, NOT)})" if level > NOT else f"not {self.show(e.a, NOT)}"

    def choice(self, e: Choice, level: int) -> str:
        """Write one of two values."""
        text = f"{self.show(e.yes, OR)} if {self.show(e.test, OR)} else {self.show(e.no, CHOICE)}"
        return f"({text})" if level > CHOICE else text

    def at(self, e: At, level: int) -> str:
        """Write an element of an array."""
        del level
        return f"{e.array}[{', '.join([self.place(p, unsigned=e.unsigned) for p in e.places])}]"

    def place(self, e: Expression, *, unsigned: bool) -> str:
        """Write a subscript."""
        del unsigned
        return self.show(e)

    def call(self, e: Call, level: int) -> str:
        """Write a call."""
        name = e.function
        if name == "hide":
            return self.hidden(e.args[0], level)
        self.calls[name] = None
        if name == "divide":
            return self.quotient(e.args[0], e.args[1], level)
        row = FUNCTIONS.get(name)
        if row is not None and row.code:
            return row.code.format(*[self.show(a, ATOM) for a in e.args])
        return f"{name}({', '.join([self.show(a) for a in e.args])})"

    def hidden(self, e: Expression, level: int) -> str:
        """Write a number that a compiler shall not know."""
        return self.show(e, level)

    def quotient(self, a: Expression, b: Expression, level: int) -> str:
        """Write a/b, which is infinite or nan where b is 0: plain Python's own would raise."""
        del level
        return f"div({self.show(a)}, {self.show(b)})"


# How each form is written; looked up by type, since long formulas have very many of them.
_SHOW: dict[type, Callable[[Any, Any, int], str]] = {
    Number: lambda p, e, level: p.number(e, level),
    Operation: lambda p, e, level: p.operation(e, level),
    Sum: lambda p, e, level: p.sum(e, level),
    Negated: lambda p, e, level: p.negated(e, level),
    Not: lambda p, e, level: p.negation(e, level),
    Choice: lambda p, e, level: p.choice(e, level),
    At: lambda p, e, level: p.at(e, level),
    Call: lambda p, e, level: p.call(e, level),
}


def number(value: float) -> str:
    """Write a number as a float literal.

    Parameters
    ----------
    value : float
        The number.

    Returns
    -------
    str

    Examples
    --------
    >>> number(2)
    '2.0'
    """
    text = repr(float(value))
    return {"inf": "1e999", "-inf": "-1e999", "nan": "(1e999 - 1e999)"}.get(text, text)
