"""Bodies of sums over the rows that come apart: into factors, which have no rows, and features, which data alone say.

What has a fixed factor is taken at a reference, and the other factors are counted from there: ``x - a`` becomes
``(x - c) - (a - c)``, and ``y - w*x`` becomes ``(y - c*x) - (w - c)*x``. So nothing cancels in a sum of products where
data lie far from 0, nor near a fit that is close to perfect, which did not cancel in the formula as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field
from fractions import Fraction
from itertools import count
from typing import NamedTuple, TypeAlias, TypeVar

from symgd.graph.graph import Graph
from symgd.graph.nodes import ROWS, Const, Fold, Map, Node
from symgd.records import dataclass

MARK = "#"  # what the names of moments begin with, which no name of a formula does
ROW_COUNT = f"{MARK}rows"
DEGREE = 4  # to which what comes apart is raised
LONGEST = 1024  # terms that a product is multiplied out to


class Unfit(Exception):  # noqa: N818 - it ends a search, and is none that anybody sees
    """A sum needs its rows."""


@dataclass(frozen=True)
class Sum:
    """The sum of a node over the rows."""

    name: str
    node: Node


@dataclass(frozen=True)
class Reference:
    """Where the factors of features are counted from: what makes ``offset + sum of features*factors`` small.

    There is one array for each feature, with the feature's labels, the rows left aside, and then the offset's. It is
    found on a sample, and such that no feature at it is much larger than the offset; with the name of such a reference
    in ``after`` it is found on all rows, without bounds.
    """

    name: str
    offset: Node
    features: tuple[Node, ...]
    after: str = ""

    @property
    def triangle(self) -> Triangle:
        """What is rotated to find it on all rows."""
        counted = tuple(range(len(self.features)))
        return Triangle(self.name, self.features, (Offset(self.offset, self.after, counted),), single=False)


class Offset(NamedTuple):
    """A feature with a fixed factor, the name of its reference, and which features of a triangle that counts."""

    node: Node
    reference: str
    counted: tuple[int, ...]


@dataclass(frozen=True)
class Triangle:
    """The triangle that the columns of features, and of offsets at their references, are rotated into.

    ``single`` says that every column is one number a row, and that the triangle is wanted as numbers, not as arrays;
    ``unread`` that nobody reads it: it must show that its columns do not cancel each other.
    """

    name: str
    features: tuple[Node, ...]
    offsets: tuple[Offset, ...]
    single: bool
    unread: bool = False

    @property
    def columns(self) -> tuple[Node, ...]:
        """Features and offsets."""
        return *self.features, *(offset.node for offset in self.offsets)


Request: TypeAlias = Sum | Reference | Triangle
Asked = TypeVar("Asked", Sum, Reference, Triangle)


class Term(NamedTuple):
    """The sum over labels of a factor, which has no rows, times a feature, which no parameter reaches."""

    factor: Node
    feature: Node
    labels: tuple[str, ...] = ()


@dataclass
class Apart:
    """Takes bodies apart, and notes what it wants to know of the rows.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    signed : bool
        Whether weights may be negative.
    paired : bool
        Whether there are references near and far, of which each point has its own.
    """

    graph: Graph
    signed: bool
    paired: bool
    requests: dict[object, Request] = field(default_factory=dict)
    names: count[int] = field(default_factory=count)

    def ask(self, kind: type[Asked], *parts: object) -> Asked:
        """Give the request of a kind for parts, made at its first use."""
        key = kind, *parts
        if key not in self.requests:
            self.requests[key] = kind(f"{MARK}{next(self.names)}", *parts)  # type: ignore[arg-type]
        return self.requests[key]  # type: ignore[return-value]

    def terms(self, node: Node) -> list[Term]:
        """Take a body apart into factors and features, equal features only once."""
        found: dict[tuple[Node, tuple[str, ...]], list[Node]] = {}
        for term in map(self._tidied, self._apart(node)):
            found.setdefault((term.feature, term.labels), []).append(term.factor)
        return [Term(self.graph.add(*factors), *key) for key, factors in found.items()]

    def offset(self, terms: Sequence[Term]) -> tuple[Node | None, list[Term]]:
        """Gather the terms whose factors are fixed as one feature, and give the others."""
        graph, parts = self.graph, []
        for factor, feature, labels in terms:
            if not factor.active:
                part = graph.multiply(factor, feature)
                for label in labels:
                    part = graph.fold("sum", part, label)
                parts.append(part)
        offset = graph.add(*parts) if parts else None
        if offset is not None and offset.labels and ROWS not in offset.labels:
            raise Unfit
        return offset, [term for term in terms if term.factor.active]

    def centred(self, node: Map) -> Sequence[Node]:
        """Give the terms of a sum, what the data and what parameters alone add to it both counted from a reference."""
        data = [arg for arg in node.args if ROWS in arg.labels and not arg.active]
        fixed = [arg for arg in node.args if ROWS not in arg.labels and arg.active]
        if not data or not fixed:
            return node.args
        graph = self.graph
        offset = graph.add(*data)
        at = self.place(self.ask(Reference, offset, (graph.const(1),)), 0, own(offset))
        rest = [arg for arg in node.args if arg not in data and arg not in fixed]
        return [graph.add(offset, at), graph.add(*fixed, graph.negate(at)), *rest]

    def place(self, request: Request, part: object, labels: Sequence[str] = ()) -> Node:
        """Give the leaf that reads one of the arrays of a request."""
        return self.graph.leaf("data", f"{request.name}.{part}", labels)

    def split(self, a: Node, b: Node) -> tuple[Node | None, Node]:
        """Give the factor of a product that comes apart from the other, and the other."""
        for one, other in ((a, b), (b, a)):
            if simple(one):
                return one, other
        return None, a

    def halves(self, node: Map) -> tuple[Node, Node]:
        """Write a power as a product of two nodes."""
        base, exponent = node.args
        value = exponent.value if isinstance(exponent, Const) else None
        if not isinstance(value, Fraction) or value.denominator != 1 or not 2 <= value <= DEGREE:
            raise Unfit
        low, graph = int(value) // 2, self.graph
        return graph.power(base, graph.const(low)), graph.power(base, graph.const(int(value) - low))

    # ---- down through a body ---------------------------------------------------------------------------------------

    def _apart(self, node: Node) -> list[Term]:
        graph, one = self.graph, self.graph.const(1)
        if ROWS not in node.labels:
            return [Term(node, one)]
        if not node.active:
            return [Term(one, node)]
        if isinstance(node, Fold) and node.function == "sum":
            return [self._bound(term, node.label) for term in self._apart(node.body)]
        if not isinstance(node, Map):
            raise Unfit
        match node.function:
            case "add":
                return [term for part in self.centred(node) for term in self._apart(part)]
            case "multiply":
                by, rest = self.split(*node.args)
                return self._expanded(*node.args) if by is None else self._scaled(rest, by)
            case "divide" if simple(node.args[1]):
                return self._scaled(node.args[0], graph.divide(one, node.args[1]))
            case "power":
                return self._expanded(*self.halves(node))
        raise Unfit

    def _bound(self, term: Term, label: str) -> Term:
        separate([label], term.labels)
        return Term(term.factor, term.feature, (*term.labels, label))

    def _scaled(self, node: Node, by: Node) -> list[Term]:
        graph, found = self.graph, []
        for factor, feature, labels in self._apart(node):
            separate(by.labels, labels)
            if ROWS in by.labels:
                found.append(Term(factor, graph.multiply(by, feature), labels))
            else:
                found.append(Term(graph.multiply(by, factor), feature, labels))
        return found

    def _tidied(self, term: Term) -> Term:
        """Sum at once over labels that only one of factor and feature has."""
        graph, kept = self.graph, []
        factor, feature, labels = term
        for label in labels:
            if label in factor.labels and label in feature.labels:
                kept.append(label)
            elif label in feature.labels:
                feature = graph.fold("sum", feature, label)
            else:
                factor = graph.fold("sum", factor, label)
        return Term(factor, feature, tuple(sorted(kept)))

    # ---- products of what comes apart ------------------------------------------------------------------------------

    def _expanded(self, a: Node, b: Node) -> list[Term]:
        """Multiply two sums out, each counted from a reference: what cancels in either has cancelled before."""
        graph = self.graph
        first = self._referred(a)
        second = first if a is b else self._referred(b)
        if len(first) * len(second) > LONGEST:
            raise Unfit
        return [
            Term(graph.multiply(p.factor, q.factor), graph.multiply(p.feature, q.feature))
            for p in first
            for q in second
        ]

    def _referred(self, node: Node) -> list[Term]:
        """Take a body apart, counted from where it is small."""
        graph = self.graph
        offset, terms = self.offset(self.terms(node))
        features = tuple(term.feature for term in terms)
        offset = graph.const(0) if offset is None else offset
        if any(own(feature) for feature in (*features, offset)) or any(term.factor.labels for term in terms):
            raise Unfit
        request = self.ask(Reference, offset, features)
        counted = tuple(range(len(features)))
        self.ask(Triangle, features, (Offset(offset, request.name, counted),), True, True)
        there = [self.place(request, i) for i in range(len(terms))]
        left = graph.add(offset, *(graph.multiply(at, f) for at, f in zip(there, features, strict=True)))
        moved = [Term(graph.add(t.factor, graph.negate(at)), t.feature) for t, at in zip(terms, there, strict=True)]
        return [Term(graph.const(1), left), *moved]


def simple(node: Node) -> bool:
    """Tell whether a node is a factor, or a feature, by itself."""
    return ROWS not in node.labels or not node.active


def own(feature: Node) -> tuple[str, ...]:
    """Give the labels of a feature but the rows', in the order of the axes that its moments have."""
    return tuple(sorted(feature.labels - {ROWS}))


def separate(labels: Iterable[str], others: Iterable[str]) -> None:
    """Refuse a label that would be bound where another of the same name is free."""
    if set(labels) & set(others) - {ROWS}:
        raise Unfit
