"""From nodes of the graph to what the prover computes with."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from symgd.checking.prove import cases, folds, maps, matrices, relations, signs
from symgd.checking.prove import functions as fn
from symgd.checking.prove.algebra import Algebra
from symgd.checking.prove.terms import ONE, Place, Poly, Unsupported, length, number, total
from symgd.checking.reading import Reading
from symgd.graph import Const, Fold, Leaf, Map, Matrix, Node, Span, reachable
from symgd.graph.calculus import Vector


class Converter:
    """Turns nodes into polynomials, each once.

    Parameters
    ----------
    algebra : Algebra
        Where polynomials are made.
    reading : Reading
        What the nodes were read from.
    unroll : bool
        Whether sums are written out, place by place.
    seed : tuple of str and tuple of str
        The data that stand for a unit vector, and the labels of its place.
    """

    def __init__(
        self, algebra: Algebra, reading: Reading, *, unroll: bool = False, seed: tuple[str, tuple[str, ...]] = ("", ())
    ) -> None:
        self.algebra, self.graph, self.unroll = algebra, reading.graph, unroll
        self.reading = reading
        self.seed = seed  # the data that stand for a unit vector, and the labels of its place
        self.known: dict[Node, Poly] = {}

    def shape_of(self, name: str) -> tuple[int, ...]:
        """Give the shape of an array."""
        return self.reading.params.get(name) or self.reading.data.get(name, ())

    def kind_of(self, name: str) -> str:
        """Tell parameters from data."""
        return "parameter" if name in self.reading.params else "data"

    def label(self, name: str) -> str:
        """Give the prover's name of a label."""
        size = self.graph.length(name)
        if size is None:
            raise Unsupported("rows of unknown number")
        return f"{size}:{name}"

    def learn(self, root: Node) -> None:
        """Note where the objective has a value: that is the domain on which equality is asked for."""
        hidden: set[Node] = set()
        for node in reversed(reachable([root])):  # a branch of where() that is not taken says nothing
            if node in hidden or not isinstance(node, Map):
                continue
            if node.function == "where":
                shown = set(reachable([node.args[0]]))
                hidden |= {n for n in reachable(node.args[1:]) if n not in shown}
        for node in reachable([root]):
            if node not in hidden and isinstance(node, Map):
                self._learn(node)
            elif node not in hidden and isinstance(node, Matrix) and node.function == "logdet":
                self._matrix_learnt(node)

    def _learn(self, node: Map) -> None:
        name, args = node.function, node.args
        if name in ("log", "log2", "log10", "sqrt", "sqrt0"):
            given = [self.poly(args[0])]
        elif name == "log1p":
            given = [self.poly(args[0]).plus(ONE)]
        elif name == "power" and not _whole(args[1]):
            given = [self.poly(args[0])]
        elif name in ("arcsin", "arccos", "arctanh"):
            given = [ONE.plus(self.poly(args[0])), ONE.plus(self.poly(args[0]), -1)]
        elif name == "arccosh":
            given = [self.poly(args[0]).plus(ONE, -1), self.poly(args[0])]
        elif name == "logit":
            given = [self.poly(args[0]), ONE.plus(self.poly(args[0]), -1)]
        else:
            return
        for p in given:
            signs.learn(self.algebra, p)
            one = p.single()
            if one and not one[1] and len(one[0]) == 1 and one[0][0][0].kind == "leaf" and one[2] > 0 and (
                one[0][0][1] == 1 and all(isinstance(i, str) for i in one[0][0][0].args[2])
            ):  # fmt: skip
                self.algebra.positive.add(one[0][0][0].args[1])
                self.algebra.signs.clear()

    def _matrix_learnt(self, node: Matrix) -> None:
        self.poly(node.body)
        row, column = matrices.sides(length(self.label(node.row)))
        body = self.algebra.substitute(
            self.known[node.body], {self.label(node.row): row, self.label(node.column): column}
        )
        signs.learn(self.algebra, matrices.determinant(self.algebra, body))

    def poly(self, node: Node) -> Poly:
        """Give the polynomial of a node."""
        for part in reachable([node]):
            if part not in self.known:
                self.known[part] = self._convert(part)
        return self.known[node]

    def _convert(self, node: Node) -> Poly:
        algebra = self.algebra
        if isinstance(node, Const):
            value = node.value
            if not isinstance(value, Fraction) and not abs(value) < float("inf"):
                raise Unsupported(f"the number {value}")
            return number(value if isinstance(value, Fraction) else Fraction(repr(float(value))))
        if isinstance(node, Leaf):
            return self._leaf(node)
        if isinstance(node, Fold):
            return self._fold(node)
        if isinstance(node, Matrix):
            return self._matrix(node)
        if not isinstance(node, Map):
            raise Unsupported(type(node).__name__)
        args = [self.known[a] for a in node.args]
        if node.function in ("divide", "ratio") and isinstance(node.args[1], Map):
            return algebra.multiply(args[0], self._power_of(node.args[1], Fraction(-1)))
        if node.function == "power" and args[1].constant() is not None:
            return self._power_of(node.args[0], args[1].constant() or Fraction(0))
        return maps.apply(algebra, node.function, args)

    def _matrix(self, node: Matrix) -> Poly:
        row, column = matrices.sides(length(self.label(node.row)))
        body = self.known[node.body]
        body = self.algebra.substitute(body, {self.label(node.row): row, self.label(node.column): column})
        return matrices.matrix(self.algebra, node.function, body, tuple(self._place(i) for i in node.index))

    def _power_of(self, node: Node, q: Fraction) -> Poly:
        """Raise a node to a number; factor by factor, before they are multiplied out."""
        algebra = self.algebra
        if isinstance(node, Map) and q.denominator == 1 and q < 0:
            name, args = node.function, node.args
            if name == "multiply":
                return algebra.multiply(self._power_of(args[0], q), self._power_of(args[1], q))
            if name in ("divide", "ratio"):
                return algebra.multiply(self._power_of(args[0], q), self._power_of(args[1], -q))
            if name in ("sqrt", "sqrt0"):
                return self._power_of(args[0], q / 2)
            if name == "power" and self.known[args[1]].constant() is not None:
                return self._power_of(args[0], q * (self.known[args[1]].constant() or Fraction(0)))
        p = self.known[node]
        return fn.power(algebra, p, q) if p.terms or q > 0 else fn.power_or_nothing(algebra, p, q)

    def _leaf(self, leaf: Leaf) -> Poly:
        algebra = self.algebra
        if leaf.kind == "constant":
            if leaf.name == "e":
                return fn.exp(algebra, ONE)
            return algebra.of(algebra.atom("constant", leaf.name))
        index = tuple(self._place(i) for i in leaf.index)
        if leaf.kind == "places":
            at = index[0]
            if isinstance(at, str):
                return algebra.of(algebra.atom("place", at))
            return number(at) if isinstance(at, int) else at
        if leaf.name == self.seed[0]:
            return self._unit(index)
        if leaf.kind not in ("parameter", "data"):
            raise Unsupported(f"a {leaf.kind}")
        return relations.leaf(algebra, leaf.kind, leaf.name, index)

    def _unit(self, index: tuple[Place, ...]) -> Poly:
        """Give the entry of a unit vector: 1 where every index is its place."""
        result = ONE
        for axis, at in zip(self.seed[1], index, strict=True):
            if at == 0 and length(axis) == 1:
                continue
            here, there = self._at(axis), self._at(at)
            result = self.algebra.multiply(result, cases.zero(self.algebra, here.plus(there, -1)))
        return result

    def _at(self, place: Place) -> Poly:
        if isinstance(place, Poly):
            return place
        return number(place) if isinstance(place, int) else self.algebra.of(self.algebra.atom("place", place))

    def _place(self, index: Any) -> Place:
        if isinstance(index, int):
            return index
        if isinstance(index, Span):
            label = self.label(index.label)
            if (index.start, index.step) == (0, 1):
                return label
            at = self.algebra.of(self.algebra.atom("place", label))
            return at.times(index.step).plus(number(index.start))
        p = self.known[index]
        value = p.constant()
        if value is not None:
            return int(value)
        one = p.single()
        if one and one[2] == 1 and not one[1] and len(one[0]) == 1 and one[0][0][0].kind == "place" and (
            one[0][0][1] == 1
        ):  # fmt: skip
            return one[0][0][0].args[0]
        return p

    def _fold(self, node: Fold) -> Poly:
        algebra, label = self.algebra, self.label(node.label)
        body = self.known[node.body]
        if node.function == "sum":
            return self.sum(body, label)
        if node.function == "logsumexp":
            return fn.log(algebra, self.sum(fn.exp(algebra, body), label))
        if node.function == "prod":
            return self.product(body, label)
        if node.function == "min":
            return folds.fold(algebra, "max", body.times(-1), label).times(-1)
        return folds.fold(algebra, node.function, body, label)

    def product(self, body: Poly, label: str) -> Poly:
        """Multiply over a label: written out, or what does not vary taken out of it."""
        if self.unroll and label in body.labels:
            return self.algebra.product(*(self.algebra.substitute(body, {label: k}) for k in range(length(label))))
        return folds.product(self.algebra, body, label)

    def sum(self, body: Poly, label: str) -> Poly:
        """Sum over a label, or write the sum out."""
        if not self.unroll or label not in body.labels:
            return self.algebra.sum(body, label)
        return total(self.algebra.substitute(body, {label: k}) for k in range(length(label)))

    def vector(self, slope: Vector, name: str, axes: list[str]) -> Poly:
        """Give one parameter's entry of a gradient, at the place that the labels of its axes say."""
        parts = []
        for entry in slope.entries:
            if entry.leaf.name != name:
                continue
            for index in entry.leaf.index:
                if isinstance(index, Node):
                    self.poly(index)
            p = self.poly(entry.node)
            where = [self._place(i) for i in entry.leaf.index]
            inner = sorted(({label for w in where for label in _labels(w)} | p.labels) - set(self.seed[1]))
            p, where, inner = self._own(p, where, inner)
            moves: dict[str, Place] = {}
            condition = ONE
            for axis, at in zip(axes, where, strict=True):
                if isinstance(at, str) and at not in moves and length(at) == length(axis):
                    moves[at] = axis
                else:
                    if at == 0 and length(axis) == 1:
                        continue
                    same = cases.zero(self.algebra, self._at(axis).plus(self._at(at), -1))
                    condition = self.algebra.multiply(condition, same)
            p = self.algebra.substitute(self.algebra.multiply(p, condition), moves)
            for label in inner:
                if label not in moves:
                    p = self.sum(p, label) if label in p.labels else p.times(length(label))
            parts.append(p)
        return total(parts)

    def _own(self, p: Poly, where: list[Place], inner: list[str]) -> tuple[Poly, list[Place], list[str]]:
        """Give what an entry reads and writes labels of its own, apart from those of the axes."""
        names: dict[str, Place] = {label: self.algebra.fresh(length(label)) for label in inner}
        moved: list[Place] = [names.get(w, w) if isinstance(w, str) else self.algebra.substitute(w, names)
                              if isinstance(w, Poly) else w for w in where]  # fmt: skip
        return self.algebra.substitute(p, names), moved, [str(names[label]) for label in inner]


def _labels(place: Place) -> frozenset[str]:
    if isinstance(place, str):
        return frozenset([place])
    return place.labels if isinstance(place, Poly) else frozenset()


def _whole(node: Node) -> bool:
    return node.constant is not None and node.constant == int(node.constant)
