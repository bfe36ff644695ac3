"""Nodes to expressions and statements.

Each node that is used more than once becomes one assignment; since equal subexpressions are one node, they are
computed once. A node used once is written into the expression that uses it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

from symgd.graph import Const, Fold, Leaf, Map, Matrix, Node, arguments
from symgd.kernel.code import forms
from symgd.kernel.code.forms import (
    MAIN,
    Argument,
    At,
    Call,
    Choice,
    Code,
    Expression,
    Negated,
    Number,
    Operation,
    Sum,
    of,
)
from symgd.language.functions import FUNCTIONS

LONGEST_INLINE = 120  # characters; a longer expression gets a name, so that lines stay readable
LONGEST_SUM = 200  # terms

Access = Callable[[Any], Expression]  # of a leaf, a fold or a matrix


class Writer:
    """Collects functions, statement by statement.

    Parameters
    ----------
    apart : bool
        Whether what happens at one place is a function of its own, as compiled code has it.
    """

    def __init__(self, *, apart: bool = False) -> None:
        self.apart = apart
        self.functions: list[forms.Function] = []
        self._body: list[forms.Statement] = []

    def put(self, statement: forms.Statement) -> None:
        """Write a statement."""
        self._body.append(statement)

    def assign(self, target: Code, value: Code) -> None:
        """Write an assignment."""
        self._body.append(forms.Assign((of(target),), (of(value),)))

    def assign_all(self, targets: Sequence[Code], *values: Code) -> None:
        """Write an assignment to several targets at once: a value each, or what one call gives back."""
        if targets:
            self._body.append(forms.Assign(tuple(map(of, targets)), tuple(map(of, values))))

    def add(self, target: Code, value: Code) -> None:
        """Write an addition to a target."""
        self._body.append(forms.Add(of(target), of(value)))

    def call(self, function: str, *args: Code) -> None:
        """Write a call for what it does."""
        self._body.append(forms.Do(Call(function, *args)))

    def leave(self) -> None:
        """Write the end of the loop around."""
        self._body.append(forms.Leave())

    def skip(self) -> None:
        """Write the end of this round of the loop around."""
        self._body.append(forms.Skip())

    def give(self, *values: Code) -> None:
        """Write the end of the function, and what it gives back; by default 0, which nobody reads."""
        self._body.append(forms.Return(tuple(map(of, values or (0.0,)))))

    @contextmanager
    def _inside(self) -> Iterator[list[forms.Statement]]:
        """Collect what is written meanwhile as a body."""
        before, self._body = self._body, []
        inside = self._body
        yield inside
        self._body = before

    @contextmanager
    def function(
        self, name: str, arguments: Iterable[Argument], result: Sequence[str] = ("number",), role: str = MAIN
    ) -> Iterator[None]:
        """Write a function; what is written meanwhile is its body."""
        with self._inside() as body:
            yield
        self.functions.append(forms.Function(name, tuple(arguments), tuple(result), role, tuple(body)))

    @contextmanager
    def loop(self, name: str, start: Code, stop: Code, step: int = 1) -> Iterator[None]:
        """Write a loop over whole numbers."""
        with self._inside() as body:
            yield
        self.put(forms.For(name, of(start), of(stop), step, tuple(body)))

    @contextmanager
    def repeat(self, test: Code) -> Iterator[None]:
        """Write a loop that goes on as long as a condition holds."""
        with self._inside() as body:
            yield
        self.put(forms.While(of(test), tuple(body)))

    @contextmanager
    def when(self, test: Code) -> Iterator[None]:
        """Write what is done where a condition holds."""
        with self._inside() as body:
            yield
        self.put(forms.If(of(test), tuple(body), ()))

    @contextmanager
    def otherwise(self) -> Iterator[None]:
        """Write what is done where the condition of the statement before does not hold."""
        last = self._body.pop()
        assert isinstance(last, forms.If)
        with self._inside() as body:
            yield
        self.put(last._replace(otherwise=tuple(body)))


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
        self.code: dict[Node, Expression] = {}
        self._sizes: dict[Node, int] = {}  # characters of what is written into other expressions

    def __getitem__(self, node: Node) -> Expression:
        """Give the expression of a node written before."""
        return self.find(node) or self._simple(node) or _missing(node)

    def find(self, node: Node) -> Expression | None:
        """Give the expression of a node if it was written, here or in the code around this block."""
        return self.code.get(node) or (self.outer.find(node) if self.outer else None)

    def _simple(self, node: Node) -> Expression | None:
        if node.constant is not None:
            return Number(float(node.constant))
        return self.access(node) if isinstance(node, Leaf | Fold | Matrix) else None

    def write(self, nodes: Iterable[Node], keep: Iterable[Node] = ()) -> None:
        """Write nodes, given in topological order; those in ``keep`` always get a name."""
        order = [n for n in nodes if isinstance(n, Map) and n.constant is None and self.find(n) is None]
        # Each argument counts once for each time that it stands in the code of its user.
        uses = Counter(a for node in order for i, a in enumerate(node.args) for _ in range(_mentions(node, i)))
        uses.update(dict.fromkeys(keep, 2))
        for node in order:
            code = self._expression(node)
            size = self._length(node)
            if uses[node] > 1 or size > LONGEST_INLINE:
                code = self._named(node, code)
            else:
                self._sizes[node] = size
            self.code[node] = code

    def _length(self, node: Map) -> int:
        """Count the characters of a node's code, everything in brackets."""
        sizes = [self._sizes.get(arg) or _width(self[arg]) for arg in node.args]
        if node.function == "add":
            signs = [_signed(self[arg])[1] for arg in node.args]
            return sum(sizes) + 3 * len(sizes) - 1 - sum(signs) + signs[0]
        if node.function in ("multiply", "divide"):
            first = self[node.args[0]]
            minus = node.function == "multiply" and isinstance(first, Number) and first.value == -1.0
            return 3 + sizes[1] if minus else sum(sizes) + (3 if node.function == "multiply" else 5)
        if node.function == "power" and isinstance(node.args[1], Const):
            return _power_length(sizes[0], node.args[1].value)
        code = FUNCTIONS[node.function].code
        if not code:
            return len(node.function) + 2 * len(sizes) + sum(sizes)
        return len(code) + sum((size - 3) * _mentions(node, index) for index, size in enumerate(sizes))

    def _named(self, node: Node, code: Expression) -> Expression:
        name = forms.Name(f"_t{node.number}{self.suffix}")
        self.writer.assign(name, code)
        return name

    def _expression(self, node: Map) -> Expression:
        if node.function == "add":
            return self._sum(node)
        args = [self[a] for a in node.args]
        if node.function == "multiply":
            a, b = args
            return Negated(b) if isinstance(a, Number) and a.value == -1.0 else Operation("*", a, b)
        if node.function == "power" and isinstance(node.args[1], Const):
            return _power(args[0], node.args[1].value)
        if node.function == "xdivy":
            return Choice(args[0].is_(0.0), 0.0, Call("divide", *args))
        return Call(node.function, *args)

    def _sum(self, node: Map) -> Expression:
        terms = [_signed(self[term]) for term in node.args]
        while len(terms) > LONGEST_SUM:  # the compiler of Python recurses over the terms of a sum
            terms = [(self._named(node, Sum(terms[:LONGEST_SUM])), False), *terms[LONGEST_SUM:]]
        return Sum(terms)


def _width(code: Expression) -> int:
    """Count the characters of what a node reads."""
    if isinstance(code, forms.Name):
        return len(code.name)
    if isinstance(code, Number):
        return len(repr(code.value))
    if isinstance(code, At):
        return len(code.array) + 2 * len(code.places) + sum(map(_width, code.places))
    if isinstance(code, Call):
        return len(code.function) + 2 * len(code.args) + sum(map(_width, code.args))
    return _width(code.a) + _width(code.b) + 3 if isinstance(code, Operation) else 1


def _power_length(size: int, exponent: Fraction | float) -> int:
    if exponent < 0:
        return 8 + _power_length(size, -exponent)
    count, more = {1: (1, 0), Fraction(1, 2): (1, 6), Fraction(3, 2): (2, 9), 2: (2, 3), 3: (3, 4), 4: (4, 9)}.get(
        exponent, (1, 7 + len(repr(float(exponent))))
    )
    return count * size + more


def _signed(term: Expression) -> tuple[Expression, bool]:
    """Give a term of a sum without its sign, and whether it is to be subtracted."""
    if isinstance(term, Negated):
        return term.a, True
    if isinstance(term, Number) and term.value < 0:
        return Number(-term.value), True
    if isinstance(term, Operation) and term.sign == "*" and isinstance(term.a, Number) and term.a.value < 0:
        return Operation("*", Number(-term.a.value), term.b), True
    return term, False


def _power(base: Expression, exponent: Fraction | float) -> Expression:
    if exponent < 0:
        return Call("divide", 1.0, _power(base, -exponent))
    if exponent == 1:
        return base
    if exponent in _POWERS:
        return _POWERS[exponent][1](base)
    return Call("power", base, float(exponent))


# Up to here repeated multiplication is as exact as the power function, and much faster: how often each names the base.
_POWERS: dict[Fraction | float, tuple[int, Callable[[Expression], Expression]]] = {
    Fraction(1, 2): (1, lambda a: Call("sqrt", a)),
    Fraction(3, 2): (2, lambda a: a * Call("sqrt", a)),
    Fraction(2): (2, lambda a: a * a),
    Fraction(3): (3, lambda a: a * a * a),
    Fraction(4): (4, lambda a: (a * a) * (a * a)),
}


def _mentions(node: Map, index: int) -> int:
    """Count how often an argument stands in the code of a node."""
    if node.function == "power" and isinstance(node.args[1], Const) and index == 0:
        exponent = node.args[1].value
        return _POWERS.get(-exponent if exponent < 0 else exponent, (1,))[0]
    code = FUNCTIONS[node.function].code
    return code.count(f"{{{index}}}") if code else 1


def _missing(node: Node) -> Expression:
    message = f"no code was written for node {node.number}: {[a.number for a in arguments(node)]}"
    raise AssertionError(message)
