"""The replay of a certificate: a small checker that knows none of the prover's rules.

It takes each line by itself. On the left stands a function of earlier lines, on the right the normal form that the
prover claims for it. Both are evaluated to 50 digits at random values of everything that occurs, at random places along
all labels: the left by the meaning of the function, the right term by term. So a rewrite that changes a function is
caught at its line. In the end the normal forms of both sides must be the same, term by term, or agree likewise.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from itertools import product
from typing import Any

from symgd.checking.certificate import Certificate, Line
from symgd.checking.prove.matrices import Square
from symgd.checking.prove.terms import Atom, Poly, length
from symgd.graph import Const, Fold, Leaf, Map, Matrix, Node, Span, arguments
from symgd.graph.digits import Digits
from symgd.records import dataclass

DIGITS = 50
WORKING = 70
MOST = 4_000  # products that the evaluation of one line may take


class ReplayError(AssertionError):
    """A line that does not hold."""


@dataclass(frozen=True)
class Replay:
    """What a replay did.

    Parameters
    ----------
    held : int
        Comparisons that were made and held.
    lines : int
        Lines that were compared at one point at least.
    skipped : tuple of int
        The numbers of lines that were not: too long to be evaluated, or without a value at the points that were drawn.
    """

    held: int
    lines: int
    skipped: tuple[int, ...]


def replay(certificate: Certificate, *, points: int = 3, seed: int = 0) -> Replay:
    """Check a certificate, line by line.

    Parameters
    ----------
    certificate : Certificate
        What is claimed.
    points : int
        Random points at which each line is evaluated.
    seed : int
        Of the random numbers.

    Returns
    -------
    Replay

    Raises
    ------
    ReplayError
        If a line does not hold; says which.

    Examples
    --------
    >>> from symgd.checking import check_gradient
    >>> found = check_gradient("log(1 + exp(x))", {"x": "1 - 1/(1 + exp(x))"})
    >>> replay(found["x"].certificate).skipped
    ()
    """
    held: dict[int, int] = dict.fromkeys((line.number for line in certificate.lines), 0)
    ends = 0
    for k in range(points):
        checker = _Checker(certificate, random.Random(seed * 1000 + k), positive=k % 2 == 0)  # noqa: S311
        for line in certificate.lines:
            held[line.number] += max(0, checker.line(line))
        ends += checker.end()
    skipped = tuple(n for n, times in held.items() if not times)
    return Replay(sum(held.values()) + ends, len(held) - len(skipped), skipped)


class _UndefinedError(ArithmeticError):
    pass


class _Checker:
    def __init__(self, certificate: Certificate, rng: random.Random, *, positive: bool) -> None:
        self.certificate, self.rng, self.positive = certificate, rng, positive
        self.digits = Digits(WORKING)
        self.mp = self.digits.context
        self.forms = {line.node: line.form for line in certificate.lines}
        self.values: dict[Any, Any] = {}
        self._atoms: dict[Any, Any] = {}

    # ---- one line --------------------------------------------------------------------------------------------------

    def line(self, line: Line) -> int:
        node, form = line.node, line.form
        if isinstance(node, Leaf) and node.name == "the place":
            return 0
        over = length(f"{self._length(node.label)}:") if isinstance(node, Fold) else 1
        below = [self.forms[a] for a in arguments(node)]
        if self.cost(form) + over * sum(map(self.cost, below)) > MOST:
            return -1
        labels = {f"{self._length(label)}:{label}" for label in node.labels} | form.labels
        places = {label: self.rng.randrange(length(label)) for label in sorted(labels)}
        try:
            left, right = self._left(node, places), self.poly(form, places)
        except (_UndefinedError, ZeroDivisionError, ValueError, OverflowError, TypeError, NotImplementedError):
            return 0
        self._same(left, right, str(line))
        return 1

    def end(self) -> int:
        ours, theirs = self.certificate.ours, self.certificate.theirs
        if ours == theirs:
            return 1
        places = {label: self.rng.randrange(length(label)) for label in sorted(ours.labels | theirs.labels)}
        try:
            left, right = self.poly(ours, places), self.poly(theirs, places)
        except (_UndefinedError, ZeroDivisionError, ValueError, OverflowError, TypeError):
            return 0
        self._same(left, right, "the two normal forms")
        return 1

    def _same(self, left: Any, right: Any, said: str) -> None:
        size = max(abs(left), abs(right), self.mp.mpf(10) ** -DIGITS)
        if not abs(left - right) <= size * self.mp.mpf(10) ** -(DIGITS - 10):
            raise ReplayError(f"{said}\n  left {self.mp.nstr(left, 15)}, right {self.mp.nstr(right, 15)}")

    def _length(self, label: str) -> int:
        return self.lengths()[label]

    def lengths(self) -> Mapping[str, int]:
        found: dict[str, int] = self.__dict__.setdefault("_lengths", {})
        if not found:
            for line in self.certificate.lines:
                for label in line.form.labels:
                    found[label.partition(":")[2]] = length(label)
                if isinstance(line.node, Leaf):
                    for index in line.node.index:
                        if isinstance(index, Span):
                            digits = "".join(c for c in index.label if c.isdigit())
                            found.setdefault(index.label, int(digits or 0))
        return found

    def _left(self, node: Node, places: Mapping[str, int]) -> Any:
        if isinstance(node, Const):
            return self.digits.constant(node)
        if isinstance(node, Leaf):
            return self._leaf(node, places)
        if isinstance(node, Fold):
            label = f"{self._length(node.label)}:{node.label}"
            body = self.forms[node.body]
            values = [self.poly(body, {**places, label: k}) for k in range(length(label))]
            if node.function == "logsumexp":
                return self.mp.log(sum(self.mp.exp(v) for v in values))
            folds: Mapping[str, Any] = {"sum": sum, "max": max, "min": min, "prod": self.mp.fprod}
            return folds[node.function](values)
        if isinstance(node, Matrix):
            sides = [f"{self._length(label)}:{label}" for label in (node.row, node.column)]
            at = tuple(self._at(index, places) for index in node.index)
            return self._functions_of(node.function, self.forms[node.body], sides[0], sides[1], at)
        assert isinstance(node, Map)
        value = self.digits.apply(node.function, [self.poly(self.forms[a], places) for a in node.args])
        return self._real(self.mp.mpf(int(value)) if isinstance(value, bool) else value)

    def _at(self, index: Any, places: Mapping[str, int]) -> int:
        if isinstance(index, Span):
            return index.start + index.step * places[f"{self._length(index.label)}:{index.label}"]
        return index if isinstance(index, int) else int(self.poly(self.forms[index], places))

    def _leaf(self, leaf: Leaf, places: Mapping[str, int]) -> Any:
        if leaf.kind == "constant":
            return self.digits.constant(leaf)
        at = [self._at(index, places) for index in leaf.index]
        return self.mp.mpf(at[0]) if leaf.kind == "places" else self._entry(leaf.name, tuple(at))

    def _square(self, name: Square, place: tuple[int, ...]) -> Any:
        """Give an entry of an inverse, or a determinant."""
        return self._functions_of(name.function, name.body, name.row, name.column, place)

    def _functions_of(self, function: str, body: Poly, row: str, column: str, place: tuple[int, ...]) -> Any:
        size = range(length(row))
        values = self.mp.matrix([[self.poly(body, {row: i, column: j}) for j in size] for i in size])
        det = self.mp.det(values)
        if function in ("inv", "adjugate"):
            if not det:
                raise _UndefinedError
            entry = (values**-1)[place]
            return entry * det if function == "adjugate" else entry
        if function == "logdet" and det <= 0:
            raise _UndefinedError
        means = {"det": lambda d: d, "logdet": self.mp.log, "logabsdet": lambda d: self.mp.log(abs(d)),
                 "detsign": self.mp.sign}  # fmt: skip
        return means[function](det)

    def _entry(self, name: str, place: tuple[int, ...]) -> Any:
        key = (name, place)
        if key not in self.values:
            value = self.rng.randrange(1, 400) / 200
            sign = 1 if self.positive or self.rng.random() < 0.5 else -1
            self.values[key] = self.mp.mpf(sign) * self.mp.mpf(repr(value))
        return self.values[key]

    def _real(self, value: Any) -> Any:
        if isinstance(value, (self.mp.mpc, complex)) or value != value:  # noqa: PLR0124
            raise _UndefinedError
        return value

    # ---- normal forms, term by term --------------------------------------------------------------------------------

    def poly(self, form: Poly, places: Mapping[str, int]) -> Any:
        total = self.mp.mpf(0)
        for (factors, bound), c in form.terms.items():
            part = self.mp.mpf(0)
            for chosen in product(*(range(length(label)) for label in bound)):
                here = {**places, **dict(zip(bound, chosen, strict=True))}
                value = self.mp.mpf(1)
                for atom, e in sorted(factors, key=lambda f: f[0].kind not in ("positive", "zero")):
                    value = value * self._power(self.atom(atom, here), e)
                    if not value:
                        break
                part += value
            total += part * c.numerator / c.denominator
        return self._real(total)

    def cost(self, form: Poly) -> int:
        """Count the products that a normal form takes to evaluate."""
        total = 0
        for _, bound in form.terms:
            count = 1
            for label in bound:
                count *= length(label)
            total += count
        return total

    def _power(self, value: Any, e: Any) -> Any:
        if e == int(e):
            if not value and e < 0:
                raise _UndefinedError
            return value ** int(e)
        if value < 0:
            raise _UndefinedError
        return value ** (self.mp.mpf(e.numerator) / e.denominator)

    def atom(self, atom: Atom, places: Mapping[str, int]) -> Any:
        key = (atom, tuple(places[label] for label in sorted(atom.labels)))
        if key not in self._atoms:
            self._atoms[key] = self._atom(atom, places)
        return self._atoms[key]

    def _atom(self, atom: Atom, places: Mapping[str, int]) -> Any:
        kind, args = atom.kind, atom.args
        if kind == "leaf":
            at = tuple(places[i] if isinstance(i, str) else i if isinstance(i, int) else int(self.poly(i, places))
                       for i in args[2])  # fmt: skip
            return self._square(args[1], at) if isinstance(args[1], Square) else self._entry(args[1], at)
        if kind == "place":
            return self.mp.mpf(places[args[0]])
        if kind == "number":
            return self.mp.mpf(args[0])
        if kind == "constant":
            return +self.mp.pi
        if kind == "fold":
            values = [self.poly(args[2], {**places, args[1]: k}) for k in range(length(args[1]))]
            return self.mp.fprod(values) if args[0] == "prod" else max(values)
        if kind == "function":
            if args[0] == "undefined":
                raise _UndefinedError
            return self._real(self.digits.apply(args[0], [self.poly(a, places) for a in args[1:]]))
        value = self.poly(args[0], places)
        if kind in ("positive", "zero"):
            return self.mp.mpf(int(value > 0 if kind == "positive" else abs(value) < self.mp.mpf(10) ** -DIGITS))
        if kind == "log" and value <= 0:
            raise _UndefinedError
        means = {"exp": self.mp.exp, "log": self.mp.log, "sine": self.mp.sin, "cosine": self.mp.cos}
        return value if kind == "base" else means[kind](value)
