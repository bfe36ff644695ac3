"""Nodes evaluated one after the other over whole arrays, again and again at other points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from symgd.data import Data, Stored
from symgd.graph import ROWS, Fold, Leaf, Map, Matrix, Node, Span, arguments, elimination, reachable
from symgd.language.vectors import vector

# What a node is worth: a number, or an array of numbers; of objects where they have many digits.
Value = float | NDArray[Any]
Point = Mapping[str, Value]

_OPERATORS = {"multiply": np.multiply, "divide": np.divide, "power": np.power}
_VARYING = ("parameter", "direction", "symbol")  # the kinds of leaf that a point gives


class Arithmetic(Protocol):
    """How numbers are held and functions computed."""

    def constant(self, node: Node) -> Value | None:
        """Give the value of a constant node; ``None`` to have it computed from its arguments."""

    def array(self, values: Value) -> Value:
        """Give numbers as they are computed with."""

    def apply(self, function: str, args: list[Value]) -> Value:
        """Apply a function of the table, element by element."""


class Tape:
    """Nodes in the order in which they are computed.

    Parameters
    ----------
    nodes : list of Node
        Nodes without grouped terms.
    data : mapping of str to ndarray or float
        The data.
    lengths : mapping of str to int, optional
        Of the labels; those of the rows are read off the data.
    arithmetic : Arithmetic, optional
        By default that of NumPy's floats.
    """

    def __init__(
        self, nodes: list[Node], data: Data, lengths: Mapping[str, int] | None = None,
        arithmetic: Arithmetic | None = None,
    ) -> None:  # fmt: skip
        self.nodes = reachable(nodes)
        self.labels = label_order(self.nodes)
        self.sizes = dict(lengths or {})
        self._data = data
        self._arithmetic = arithmetic or Floats()
        self._fixed: dict[Node, Value] | None = None

    def at(self, point: Point, *, many: bool = False) -> dict[Node, Value]:
        """Give the value of every node at a point.

        Parameters
        ----------
        point : mapping of str to float or ndarray
            The parameters; where the nodes have no labels, arrays of values for each are broadcast.
        many : bool
            Whether each parameter, a number, is given by a vector of its values at many points: what parameters reach
            has a first axis more.

        Returns
        -------
        dict of Node to float or ndarray
            An array has one axis for each label of any node, in the order of `label_order`, of length 1 where the
            node does not vary. What no parameter reaches is computed once.
        """
        with np.errstate(all="ignore"):
            if self._fixed is None:
                self._measure(point)
                varying: set[Node] = set()
                for node in self.nodes:
                    parts = node.index if isinstance(node, Leaf) else arguments(node)
                    if (isinstance(node, Leaf) and node.kind in _VARYING) or any(p in varying for p in parts):
                        varying.add(node)
                self._fixed = {}
                self._run([node for node in self.nodes if node not in varying], self._fixed, point)
                self._varying = [node for node in self.nodes if node in varying]
            values = dict(self._fixed)
            if many:
                ones = [1] * len(self.labels)
                point = {name: np.reshape(column, (-1, *ones)) for name, column in point.items()}
            self._run(self._varying, values, point, flat=not many)
        return values

    def arranged(self, value: Value, labels: Sequence[str], *, many: bool = False) -> Value:
        """Give a value with one axis for each label of a list, in its order; of many points, one for them is first."""
        if not np.ndim(value):
            return value
        array, first = np.asarray(value), [0] if many else []
        places = [self.labels.index(label) + many for label in labels if label in self.labels]
        rest = [i for i in range(array.ndim) if i not in places + first]
        moved = array.transpose(*first, *places, *rest).reshape([array.shape[i] for i in first + places])
        shape = iter(moved.shape[len(first) :])
        ends = [next(shape) if label in self.labels else 1 for label in labels]
        return moved.reshape([*moved.shape[: len(first)], *ends])

    def _measure(self, point: Point) -> None:
        for node in self.nodes:
            if isinstance(node, Leaf) and node.kind in ("data", "symbol") and node.index[:1] == (Span(ROWS),):
                source = self._data[node.name] if node.kind == "data" else point[node.name]
                assert not isinstance(source, float)
                self.sizes.setdefault(ROWS, len(source))

    def _run(self, nodes: list[Node], values: dict[Node, Value], point: Point, *, flat: bool = True) -> None:
        for node in nodes:
            known = self._arithmetic.constant(node)
            if known is not None:
                values[node] = known
            elif isinstance(node, Leaf):
                values[node] = self._leaf(node, values, point)
            elif isinstance(node, Fold):
                values[node] = self._fold(node, values)
            elif isinstance(node, Matrix):
                values[node] = self._matrix(node, values)
            elif isinstance(node, Map):
                values[node] = self._arithmetic.apply(node.function, [values[a] for a in node.args])
            if flat and self.labels and not node.labels and np.ndim(values[node]):
                values[node] = np.reshape(values[node], ())[()]

    def _leaf(self, leaf: Leaf, values: Mapping[Node, Value], point: Point) -> Value:
        if leaf.kind == "count":
            column = self._data[leaf.name]
            assert not isinstance(column, float)
            return self._arithmetic.array(float(self.sizes.get(ROWS) or len(column)))
        places = self._places(leaf, values)
        if leaf.kind == "places":
            return self._arithmetic.array(np.asarray(places[0], dtype=np.float64))
        source = self._data[leaf.name] if leaf.kind == "data" else point[leaf.name]
        held = source.whole() if isinstance(source, Stored) else source
        return self._arithmetic.array(np.asarray(held)[tuple(places)] if leaf.index else held)

    def _places(self, node: Leaf | Matrix, values: Mapping[Node, Value]) -> list[int | NDArray[np.int64]]:
        """Give where an input or a matrix is read, an array of whole numbers for each of its axes."""
        places: list[int | NDArray[np.int64]] = []
        for index in node.index:
            if isinstance(index, Span):
                shape = [-1 if label == index.label else 1 for label in self.labels]
                places.append((index.start + index.step * np.arange(self.sizes[index.label])).reshape(shape))
            else:
                places.append(index if isinstance(index, int) else np.asarray(values[index]).astype(np.int64))
        return places

    def _matrix(self, node: Matrix, values: dict[Any, Any]) -> Any:
        key = node.body, node.function
        if key not in values:
            sides = [self.labels.index(label) for label in (node.row, node.column)]
            body = np.asarray(values[node.body])
            others = [axis for axis in range(body.ndim) if axis not in sides]
            square = body.transpose(*others, *sides).reshape([body.shape[axis] for axis in sides])
            values[key] = elimination.function(node.function, square)
        found = values[key]
        return found[tuple(self._places(node, values))] if node.index else self._arithmetic.array(found)

    def _fold(self, fold: Fold, values: Mapping[Node, Value]) -> Value:
        axis, body = self.labels.index(fold.label) - len(self.labels), np.asarray(values[fold.body])
        if fold.function == "logsumexp":
            if body.dtype == object:
                total = np.sum(self._arithmetic.apply("exp", [body]), axis=axis, keepdims=True)
                return self._arithmetic.apply("log", [total])
            return np.logaddexp.reduce(body, axis=axis, keepdims=True)
        found: Value = getattr(np, fold.function)(body, axis=axis, keepdims=True)
        return found


def label_order(nodes: Iterable[Node]) -> list[str]:
    """Give all labels of nodes, the rows' first."""
    found = {label for node in nodes for label in node.labels}
    return sorted(found, key=lambda label: (label != ROWS, label))


# ---- arithmetics ---------------------------------------------------------------------------------------------------


class Floats:
    """NumPy's float64."""

    def constant(self, node: Node) -> Value | None:
        """Give the value of a constant node."""
        return node.constant

    def array(self, values: Value) -> Value:
        """Give numbers as float64; those of a point as they are."""
        return np.asarray(values, dtype=np.float64) if isinstance(values, np.ndarray) else values

    def apply(self, function: str, args: list[Value]) -> Value:
        """Apply a function of the table, element by element."""
        if function == "add":
            total = args[0]
            for arg in args[1:]:
                total = np.add(total, arg)
            return total
        known = _OPERATORS.get(function) or vector(function)
        found: Value = known(*(np.asarray(a, dtype=np.float64) for a in args))
        return found
