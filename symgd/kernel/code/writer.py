"""Nodes to lines of scalar Python.

Each node that is used more than once becomes one assignment; since equal subexpressions are one node, they are
computed once. A node used once is written into the expression that uses it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from symgd.graph import Const, Fold, Leaf, Map, Matrix, Node, arguments
from symgd.language.functions import FUNCTIONS

LONGEST_INLINE = 120  # characters; longer expressions get a name, so that lines stay readable
LONGEST_SUM = 200  # terms
INDENT = "    "

Access = Callable[[Any], str]  # of a leaf, a fold or a matrix


class Writer:
    """Collects the lines of one module.

    Parameters
    ----------
    target : str
        ``"python"`` or ``"numba"``: how division is spelt, which plain Python refuses for a zero divisor.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.lines: list[str] = []
        self.depth = 0

    def line(self, text: str) -> None:
        """Write one line at the present depth."""
        self.lines.append(INDENT * self.depth + text)

    def open(self, text: str) -> None:
        """Write a line that opens a block."""
        self.line(text)
        self.depth += 1

    def close(self, blocks: int = 1) -> None:
        """Close blocks."""
        self.depth -= blocks

    def text(self) -> str:
        """Give the module's text."""
        return "\n".join(self.lines) + "\n"


class Expressions:
    """Writes nodes as assignments, and gives the expression of each.

    Parameters
    ----------
    writer : Writer
        Where the lines go.
    access : callable
        Gives the code that reads a leaf, or the result of a fold.
    outer : Expressions, optional
        The expressions of the code around this block: what is computed there is not computed again.
    suffix : str
        Put behind every name, where a block is written several times.
    """

    def __init__(self, writer: Writer, access: Access, outer: Expressions | None = None, suffix: str = "") -> None:
        self.writer = writer
        self.access = access
        self.outer = outer
        self.suffix = suffix
        self.code: dict[Node, str] = {}

    def __getitem__(self, node: Node) -> str:
        """Give the expression of a node written before."""
        return self.find(node) or self._simple(node) or _missing(node)

    def find(self, node: Node) -> str | None:
        """Give the expression of a node if it was written, here or in the code around this block."""
        return self.code.get(node) or (self.outer.find(node) if self.outer else None)

    def _simple(self, node: Node) -> str | None:
        if node.constant is not None:
            return number(node.constant)
        return self.access(node) if isinstance(node, Leaf | Fold | Matrix) else None

    def write(self, nodes: Iterable[Node], keep: Iterable[Node] = ()) -> None:
        """Write nodes, given in topological order; those in ``keep`` always get a name."""
        order = [n for n in nodes if isinstance(n, Map) and n.constant is None and self.find(n) is None]
        uses = Counter(self._atoms(order))
        uses.update(dict.fromkeys(keep, 2))
        for node in order:
            text = self._expression(node)
            if uses[node] > 1 or len(text) > LONGEST_INLINE:
                name = f"_t{node.number}{self.suffix}"
                self.writer.line(f"{name} = {text}")
                self.code[node] = name
            else:
                self.code[node] = text

    def _atoms(self, order: list[Map]) -> Iterable[Node]:
        """Give each argument once for each time that it stands in the code of its user."""
        for node in order:
            for index, arg in enumerate(node.args):
                yield from [arg] * _mentions(node, index)

    def _expression(self, node: Map) -> str:
        if node.function == "add":
            return self._sum(node)
        args = [self[a] for a in node.args]
        if node.function == "multiply":
            # A number printed with its sign would read as a subtraction further out: it stands in brackets.
            return f"(-{args[1]})" if args[0] == "-1.0" else f"({args[0]}*{args[1]})"
        if node.function == "divide":
            return self.quotient(*args)
        if node.function == "power" and isinstance(node.args[1], Const):
            return self._power(args[0], node.args[1].value)
        code = FUNCTIONS[node.function].code
        return code.format(*args) if code else f"{node.function}({', '.join(args)})"

    def quotient(self, a: str, b: str) -> str:
        """Write a/b, which is infinite or nan where b is 0."""
        return f"({a} / {b})" if self.writer.target == "numba" else f"div({a}, {b})"

    def _sum(self, node: Map) -> str:
        parts = []
        for term in node.args:
            text, sign = self[term], "+"
            if isinstance(term, Map) and term.function == "multiply" and text.startswith("(-"):
                text, sign = "(" + text[2:], "-"
            elif text.startswith("-"):
                text, sign = text[1:], "-"
            parts.append(f"{sign} {text}")
        while len(parts) > LONGEST_SUM:  # the compiler of Python recurses over the terms of a sum
            name = f"_t{node.number}{self.suffix}"
            self.writer.line(f"{name} = {' '.join(parts[:LONGEST_SUM]).removeprefix('+ ')}")
            parts = [f"+ {name}", *parts[LONGEST_SUM:]]
        joined = " ".join(parts)
        return f"({joined[2:]})" if joined.startswith("+ ") else f"({joined[0]}{joined[2:]})"

    def _power(self, base: str, exponent: Fraction | float) -> str:
        if exponent < 0:
            return self.quotient("1.0", self._power(base, -exponent))
        if exponent == 1:
            return base
        if exponent in _POWERS:
            return _POWERS[exponent].format(base)
        return f"pow({base}, {number(float(exponent))})"


# Up to here repeated multiplication is as exact as the power function, and much faster.
_POWERS: dict[Fraction | float, str] = {
    Fraction(1, 2): "sqrt({0})",
    Fraction(3, 2): "({0}*sqrt({0}))",
    Fraction(2): "({0}*{0})",
    Fraction(3): "({0}*{0}*{0})",
    Fraction(4): "(({0}*{0})*({0}*{0}))",
}


def _mentions(node: Map, index: int) -> int:
    """Count how often an argument stands in the code of a node."""
    if node.function == "power" and isinstance(node.args[1], Const) and index == 0:
        exponent = node.args[1].value
        return _POWERS.get(-exponent if exponent < 0 else exponent, "{0}").count("{0}")
    code = FUNCTIONS[node.function].code
    return code.count(f"{{{index}}}") if code else 1


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


def _missing(node: Node) -> str:
    message = f"no code was written for node {node.number}: {[a.number for a in arguments(node)]}"
    raise AssertionError(message)
