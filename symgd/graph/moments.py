"""Objectives whose sums over the rows come apart: the same objective of moments of the data, without rows.

``mean((y - (w*x + b))**2)`` needs the data through the inner products of y, x and 1 alone. Where a body is a sum of
products, each of a factor and a feature (`apart.py`), the feature is summed up once for all. What is multiplied, or
squared, is kept as a triangle: the features' columns are rotated until no more rows are left than there are features,
which changes no inner product, and the residual on those few rows is the same formula. It loses no more digits than the
sum over all rows does, where the matrix of the inner products itself would lose twice as many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from symgd.graph.apart import (
    MARK,
    ROW_COUNT,
    Apart,
    Offset,
    Reference,
    Request,
    Sum,
    Term,
    Triangle,
    Unfit,
    own,
    separate,
    simple,
)
from symgd.graph.graph import Graph
from symgd.graph.nodes import ROWS, Fold, Leaf, Map, Matrix, Node, Span, arguments, reachable
from symgd.records import dataclass

MOST = 128  # columns of a triangle
SMALL = 8  # columns up to which a triangle is written out, number by number


class Moments(NamedTuple):
    """An objective without rows, and the moments that it reads in their place.

    Parameters
    ----------
    graph : Graph
        Where the nodes are.
    root : Node
        The objective: what was the data's rows is read from arrays whose names begin with `MARK`.
    levels : tuple of tuple of Request
        What is wanted of the rows; the features of a level may read what the levels before have given.
    rooted : bool
        Whether a weight has gone under a root, and must not be negative.
    paired : bool
        Whether there are two references.
    """

    graph: Graph
    root: Node
    levels: tuple[tuple[Request, ...], ...]
    rooted: bool
    paired: bool


@dataclass(frozen=True)
class _Dress:
    """What every feature of a body is multiplied by, and where it counts."""

    weights: tuple[Node, ...] = ()
    masks: tuple[tuple[Node, bool], ...] = ()

    def labels(self) -> set[str]:
        """Give the labels of all of it."""
        return {label for node in (*self.weights, *(mask for mask, _ in self.masks)) for label in node.labels}


class _Side(NamedTuple):
    """One factor of a product: its terms, and what is fixed of it."""

    terms: list[Term]
    offsets: tuple[Offset, ...]  # the same one at its reference far, and near, where there are two


def moments(graph: Graph, root: Node, *, signed: bool = False, paired: bool = False) -> Moments | None:
    """Take the rows out of an objective, where its sums over them come apart.

    Parameters
    ----------
    graph : Graph
        Where the nodes are made; it is added to.
    root : Node
        The objective, without grouped terms.
    signed : bool
        Whether weights may be negative: then no root is taken of them.
    paired : bool
        Whether factors are counted from the nearer of two references: one near the best fit, one where they are small.

    Returns
    -------
    Moments or None
        ``None`` where any sum needs its rows, and where there is none.

    Notes
    -----
    On triangles in place of normal equations: Golub and Van Loan 2013, Matrix Computations, section 5.3.
    """
    writer = _Writer(graph, signed, paired)
    try:
        found = writer.rewritten(root)
    except Unfit:
        return None
    levels = writer.levels()
    inside = reachable([node for level in levels for request in level for node in wanted(request)])
    return Moments(graph, found, levels, writer.rooted, paired) if levels and all(map(_of_a_row, inside)) else None


def _of_a_row(node: Node) -> bool:
    """Tell whether a node is a number, an input as it stands, or a function of one row."""
    if isinstance(node, Leaf):
        spans = [i for i in node.index if isinstance(i, Span) and i.label == ROWS]
        return not spans or node.kind == "places" or (node.kind == "data" and spans == [node.index[0]] == [Span(ROWS)])
    return not isinstance(node, Matrix) and (ROWS in node.labels or not node.labels)


class _Writer(Apart):
    """Makes an objective of moments."""

    rooted = False

    def rewritten(self, root: Node) -> Node:
        """Give a node without rows."""
        graph, new = self.graph, dict[Node, Node]()
        for node in reachable([root]):
            args = tuple(new[a] for a in arguments(node))
            if isinstance(node, Leaf) and node.kind == "count":
                new[node] = graph.leaf("data", ROW_COUNT)
            elif isinstance(node, Fold) and node.label == ROWS:
                new[node] = self.summed(self._body(node, args[0]), _Dress())
            elif isinstance(node, Leaf) and args:
                rest = iter(args)
                index = [next(rest) if isinstance(i, Node) else i for i in node.index]
                new[node] = graph.leaf(node.kind, node.name, index, node.table)
            else:
                new[node] = graph.same(node, args) if args else node
        return new[root]

    def _body(self, fold: Fold, body: Node) -> Node:
        if fold.function != "sum":
            raise Unfit
        return body

    def levels(self) -> tuple[tuple[Request, ...], ...]:
        """Put the requests in order: after those whose moments their features read."""
        depth: dict[str, int] = {ROW_COUNT: -1}
        found: list[list[Request]] = []
        for request in self.requests.values():
            read = {n.name.split(".")[0] for n in reachable(wanted(request)) if isinstance(n, Leaf) and is_moment(n)}
            if isinstance(request, Triangle):
                read |= {offset.reference for offset in request.offsets}
            if isinstance(request, Reference) and request.after:
                read.add(request.after)
            depth[request.name] = level = 1 + max((depth[name] for name in read), default=-1)
            found += [[] for _ in range(level + 1 - len(found))]
            found[level].append(request)
        return tuple(map(tuple, found))

    # ---- sums over the rows ----------------------------------------------------------------------------------------

    def summed(self, body: Node, dress: _Dress) -> Node:
        """Give the sum of a body over the rows."""
        graph = self.graph
        if ROWS not in body.labels:
            return graph.multiply(body, self.total(self.dressed(graph.const(1), dress)))
        if not body.active:
            return self.total(self.dressed(body, dress))
        if isinstance(body, Fold):
            separate([body.label], dress.labels())
            return graph.fold("sum", self.summed(self._body(body, body.body), dress), body.label)
        if not isinstance(body, Map):
            raise Unfit
        match body.function:
            case "add":
                return graph.add(*(self.summed(part, dress) for part in self.centred(body)))
            case "multiply":
                a, b = body.args
                by, rest = self.split(a, b)
                return self.product(a, b, dress) if by is None else self.scaled(rest, by, dress)
            case "divide" if simple(body.args[1]):
                return self.scaled(body.args[0], graph.divide(graph.const(1), body.args[1]), dress)
            case "where" if not body.args[0].active:
                condition, yes, no = body.args
                here, there = (replace(dress, masks=(*dress.masks, (condition, side))) for side in (True, False))
                return graph.add(self.summed(yes, here), self.summed(no, there))
            case "power":
                first, second = self.halves(body)
                return self.product(first, second, dress)
        raise Unfit

    def scaled(self, body: Node, by: Node, dress: _Dress) -> Node:
        """Give the sum of a multiple of a body."""
        if ROWS not in by.labels:
            return self.graph.multiply(by, self.summed(body, dress))
        return self.summed(body, replace(dress, weights=(*dress.weights, by)))

    def total(self, node: Node) -> Node:
        """Give the sum over the rows of what no parameter reaches."""
        graph = self.graph
        if node.constant is not None:
            return graph.multiply(node, graph.leaf("data", ROW_COUNT))
        return self.place(self.ask(Sum, node), 0, own(node))

    def dressed(self, feature: Node, dress: _Dress, *, root: bool = False) -> Node:
        """Give a feature with its weights, or their roots, and 0 where it does not count."""
        graph = self.graph
        for weight in dress.weights:
            feature = graph.multiply(feature, graph.map("sqrt", weight) if root else weight)
            self.rooted = self.rooted or root
        for condition, yes in dress.masks:
            zero = graph.const(0)
            feature = graph.raw("where", condition, *((feature, zero) if yes else (zero, feature)))
        if feature.labels and ROWS not in feature.labels:
            raise Unfit
        return feature

    # ---- products --------------------------------------------------------------------------------------------------

    def product(self, a: Node, b: Node, dress: _Dress) -> Node:
        """Give the sum over the rows of a product of what comes apart, by a triangle."""
        graph = self.graph
        weighted = self.signed and bool(dress.weights)
        given = [(a, dress)] if a is b and not weighted else [(a, dress), (b, replace(dress, weights=()))]
        if not weighted:
            given = [(node, dress) for node, _ in given]
        parts = [self.offset(self.side(node, own_dress)) for node, own_dress in given]
        features = tuple(dict.fromkeys(term.feature for _, terms in parts for term in terms))
        sides = [_Side(terms, self.refer(offset, terms, features)) for offset, terms in parts]
        offsets = tuple(dict.fromkeys(offset for side in sides for offset in side.offsets))
        columns = (*features, *(offset.node for offset in offsets))
        total = sum(self.width(column) for column in columns)
        if total > MOST:
            raise Unfit
        flat = not any(map(own, columns)) and not any(t.factor.labels for side in sides for t in side.terms)
        made = self.ask(Triangle, features, offsets, flat and total <= SMALL)
        if made.single:
            rows = [[self.written(made, side, row) for side in sides] for row in range(total)]
            return graph.add(*map(self.multiplied, rows))
        axis = f"n{total}{made.name}"  # which nothing else has
        graph.store.lengths[axis] = total
        return graph.fold("sum", self.multiplied([self.residual(made, side, axis) for side in sides]), axis)

    def multiplied(self, factors: Sequence[Node]) -> Node:
        """Multiply residuals, or square the one there is."""
        graph = self.graph
        return graph.multiply(*factors) if len(factors) == 2 else graph.power(factors[0], graph.const(2))

    def side(self, node: Node, dress: _Dress) -> list[Term]:
        """Give the terms of one factor of a product, with their weights."""
        found = []
        for factor, feature, labels in self.terms(node):
            separate(labels, dress.labels())
            found.append(Term(factor, self.dressed(feature, dress, root=not self.signed), labels))
        return found

    def refer(self, offset: Node | None, terms: Sequence[Term], features: tuple[Node, ...]) -> tuple[Offset, ...]:
        """Give an offset with its references, which count the features that are summed over all their labels."""
        if offset is None:
            return ()
        counted = tuple(t.feature for t in terms if own(t.feature) == t.labels and not set(t.labels) & offset.labels)
        requests = [self.ask(Reference, offset, counted)]
        if self.paired and counted:
            requests.append(self.ask(Reference, offset, counted, requests[0].name))
        places = tuple(map(features.index, counted))
        return tuple(Offset(offset, request.name, places) for request in requests)

    def width(self, node: Node) -> int:
        """Give the number of columns that a feature is."""
        found = 1
        for label in own(node):
            found *= self.graph.store.lengths[label]
        return found

    def moved(self, made: Triangle, side: _Side) -> list[Node]:
        """Give the factors of a side's terms as they are counted from its reference, the nearer one of two."""
        graph, found = self.graph, []
        nearer = self.nearer(made, side)
        for term in side.terms:
            places = self.places(made, side, term)
            if not places:
                found.append(term.factor)
                continue
            moved = graph.add(term.factor, graph.negate(self.chosen(nearer, places)))
            found.append(graph.store.seam(moved, term.factor))
        return found

    def places(self, made: Triangle, side: _Side, term: Term) -> list[Node]:
        """Give where the factor of a term may be counted from."""
        place = made.features.index(term.feature)
        return [
            self.graph.leaf("data", f"{o.reference}.{o.counted.index(place)}", (*term.labels, *own(o.node)))
            for o in side.offsets
            if place in o.counted
        ]

    def nearer(self, made: Triangle, side: _Side) -> Node | None:
        """Give the condition that the second reference is nearer, in units of the features; ``None`` without one."""
        graph = self.graph
        if len(side.offsets) < 2:
            return None
        near = side.offsets[1]
        lengths = []
        for which in range(2):
            parts = []
            for term in side.terms:
                places = self.places(made, side, term)
                if places:
                    at = near.counted.index(made.features.index(term.feature))
                    size = graph.leaf("data", f"{near.reference}.size{at}", term.labels)
                    part = graph.multiply(size, graph.map("abs", graph.add(term.factor, graph.negate(places[which]))))
                    for label in term.labels:
                        part = graph.fold("sum", part, label)
                    parts.append(part)
            lengths.append(graph.add(*parts))
        return graph.map("less", lengths[1], lengths[0])

    def chosen(self, nearer: Node | None, nodes: Sequence[Node]) -> Node:
        """Give what belongs to the nearer reference."""
        return nodes[0] if nearer is None else self.graph.map("where", nearer, nodes[1], nodes[0])

    def written(self, made: Triangle, side: _Side, row: int) -> Node:
        """Write one row of a residual, number by number; what is on the left of a triangle is 0."""
        graph, parts = self.graph, []
        for term, factor in zip(side.terms, self.moved(made, side), strict=True):
            column = made.features.index(term.feature)
            if column >= row:
                parts.append(graph.multiply(self.place(made, f"{row}.{column}"), factor))
        ends = [len(made.features) + made.offsets.index(offset) for offset in side.offsets]
        if ends:
            left = [self.place(made, f"{row}.{end}") if end >= row else graph.const(0) for end in ends]
            parts.append(self.left(made, side, left))
        return graph.add(*parts)

    def residual(self, made: Triangle, side: _Side, axis: str) -> Node:
        """Write a residual on the rows of a triangle."""
        graph, parts = self.graph, []
        for term, factor in zip(side.terms, self.moved(made, side), strict=True):
            column = self.place(made, made.features.index(term.feature), [axis, *own(term.feature)])
            part = graph.multiply(column, factor)
            for label in term.labels:
                part = graph.fold("sum", part, label)
            parts.append(part)
        if side.offsets:
            ends = [len(made.features) + made.offsets.index(offset) for offset in side.offsets]
            left = [self.place(made, end, [axis, *own(o.node)]) for end, o in zip(ends, side.offsets, strict=True)]
            parts.append(self.left(made, side, left))
        return graph.add(*parts)

    def left(self, made: Triangle, side: _Side, columns: Sequence[Node]) -> Node:
        """Give what is left of an offset at the nearer reference."""
        return self.graph.store.seam(self.chosen(self.nearer(made, side), columns), columns[0])


def is_moment(leaf: Leaf) -> bool:
    """Tell whether a leaf reads what was made of the rows."""
    return leaf.name.startswith(MARK)


def wanted(request: Request) -> list[Node]:
    """Give the nodes that are computed, row by row, for a request."""
    if isinstance(request, Sum):
        return [request.node]
    if isinstance(request, Reference):
        return [request.offset, *request.features]
    return list(request.columns)
