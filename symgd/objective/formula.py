"""A formula whose parameters have shapes: its graphs, and its values at a point, be they one number or many."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from symgd import language as fm
from symgd.data import Data, Stored
from symgd.errors import unexplained
from symgd.graph import ROWS, Array, Fold, Forms, Graph, Leaf, Map, Node, Store, locate, read, whole
from symgd.graph.tape import Point, Tape
from symgd.kernel.code import Program, Written
from symgd.kernel.machine import cache
from symgd.language import Tree
from symgd.language.functions import CONSTANTS
from symgd.parameters import Shape, Shapes
from symgd.squares import Squares, Term

CHUNK = 1 << 20  # numbers of an array on disk that are looked at together


class Formula:
    """A formula with the shapes of its parameters.

    Parameters
    ----------
    text : str
        The formula.
    tree : Tree
        What was read from it.
    shapes : mapping of str to tuple of int
        The parameters, in order, and their shapes.
    data : Data
        The data that are known.
    columns : collection of str, optional
        The names that are data, those included whose values are not known; by default those of the data.
    undeclared : collection of str
        Parameters that are taken for numbers, though nobody said so.
    """

    def __init__(
        self, text: str, tree: Tree, shapes: Mapping[str, Shape], data: Data,
        columns: Collection[str] | None = None, undeclared: Collection[str] = (),
    ) -> None:  # fmt: skip
        self.text, self.tree, self.shapes, self.data = text, tree, Shapes.of(shapes), data
        self.columns = data.keys() if columns is None else columns
        self.undeclared = undeclared
        self.rows = row_count(tree, data)
        self.notes: tuple[str, ...] = ()  # what is probably not meant

    def __reduce__(self) -> tuple[object, ...]:
        # The graph stays behind, and the tree too, which may be deeper than pickle goes.
        return _again, (type(self), self.text, self.shapes, self.data, tuple(self.columns), tuple(self.undeclared))

    # ---- graphs: nobody adds to them, who differentiates takes a copy ------------------------------------------------

    def read(self, *, group: bool = False, guarded: bool = True) -> tuple[Graph, Array]:
        """Make nodes of the formula.

        Parameters
        ----------
        group : bool
            Whether long sums of terms of one shape become one term.
        guarded : bool
            Whether what is written may become what keeps float64 in range.

        Returns
        -------
        graph : Graph
            A new one.
        found : Array
            The formula in it.
        """
        graph = Graph(Store(self.rows), Forms.GUARDED if guarded else Forms.JOINED)
        with deep():
            found = read(
                graph, self.text, self.tree, lambda name: self._leaf(graph, name.name), group=group,
                undeclared=self.undeclared, bounds=lambda node: self._bounds(graph, node) if self.data else (0, 0),
                flags=[name for name in self.columns if _is_flag(self.data.get(name))],
                masks=[name for name in self.columns if name in self.data and _is_flag(self.data[name])],
            )  # fmt: skip
        self.notes = tuple(graph.store.notes)
        return graph, found

    def _leaf(self, graph: Graph, name: str) -> Array:
        if name in self.shapes:
            return whole(graph, "parameter", name, self.shapes[name])
        if name not in self.columns:
            return Array(graph.leaf("constant", name) if name in ("pi", "e") else graph.const(CONSTANTS[name]))
        values = self.data.get(name)
        if values is None:  # a column, whose values nobody gave yet
            return whole(graph, "data", name, (0,), rows=True)
        if isinstance(values, float):
            return Array(graph.leaf("data", name))
        return whole(graph, "data", name, values.shape, rows=values.shape[0] == self.rows)

    def _bounds(self, graph: Graph, node: Node) -> tuple[int, int]:
        """Give the smallest and the largest entry of an index; whole numbers all of them, or ValueError."""
        if isinstance(node, Leaf) and node.kind == "data":
            values = self.data[node.name]
            if isinstance(values, Stored) and values.bounds and values.dtype.kind in "iu":
                return int(values.bounds[0]), int(values.bounds[1])
            parts = _chunks(values) if isinstance(values, Stored) else [np.asarray(values)]
        else:
            parts = [np.asarray(Tape([node], self.data, graph.store.sizes()).at({})[node])]
        low, high = 0, 0
        for index, part in enumerate(parts):
            if part.dtype.kind == "b":
                message = "a condition is no index"
                raise ValueError(message)
            if part.dtype.kind not in "iu" and not (np.isfinite(part).all() and (part == np.round(part)).all()):
                bad = part[~(np.isfinite(part) & (part == np.round(part)))].flat[0]
                message = f"an index must be whole numbers, and this has {bad:g} in it"
                raise ValueError(message)
            bounds = int(part.min()), int(part.max())
            low, high = (min(low, bounds[0]), max(high, bounds[1])) if index else bounds
        return low, high

    @cached_property
    def _found(self) -> tuple[Graph, Array]:
        return self.read(group=True)

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes of the formula's values, in NumPy's order: a label each, or `symgd.graph.arrays.ONE`."""
        return self._found[1].axes

    @property
    def grouped(self) -> tuple[Graph, Node]:
        """The formula, long sums of terms of one shape as one term."""
        graph, found = self._found
        return graph, found.node

    @cached_property
    def plain(self) -> tuple[Graph, Node]:
        """The formula without grouped terms."""
        graph, node = self.grouped
        if not any(label.startswith("terms") for label in graph.store.lengths):
            return graph, node
        graph, found = self.read()
        return graph, found.node

    @cached_property
    def bare(self) -> tuple[Graph, Node]:
        """The formula without what keeps float64 in range."""
        graph, node = self.plain
        if not any(n.function in ("logsumexp", "held", "where") for n in graph.store if isinstance(n, Map | Fold)):
            return graph, node
        graph, found = self.read(guarded=False)
        return graph, found.node

    # ---- numbers ---------------------------------------------------------------------------------------------------

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """What the formula's values vary along, the rows first."""
        return tuple(sorted((axis for axis in self.axes if axis), key=lambda label: label != ROWS))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the values."""
        sizes = self.plain[0].store.sizes()
        return tuple(sizes[label] for label in self.labels)

    def values(self, point: Point) -> NDArray[np.float64]:
        """Give the formula's values at a point.

        Parameters
        ----------
        point : mapping of str to float or ndarray
            The parameters.

        Returns
        -------
        ndarray
            An axis for each of `labels`.
        """
        graph, node = self.plain
        tape = Tape([node], self.data, graph.store.sizes())
        found = np.asarray(tape.arranged(tape.at(point)[node], self.labels), dtype=np.float64)
        return np.broadcast_to(found, self.shape).copy()

    @cached_property
    def residuals(self) -> Squares:
        """The same values as a function of the flat point, with its Jacobian."""
        graph, node = self.plain
        return Squares(graph.copy(), [Term(node, (), self.labels)], (), self.shapes, self.data)

    def locate(self, values: Point) -> str:
        """Name the first subexpression that is not finite at a point."""
        try:
            graph, node = self.plain
            return locate.first_bad(graph.copy(), node, self.text, values, self.data)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the run is there
            return f"a value is not finite, and where {unexplained('it arose', problem)}"


def _again(
    kind: type[Formula], text: str, shapes: Mapping[str, Shape], data: Data, columns: Collection[str],
    undeclared: Collection[str],
) -> Formula:  # fmt: skip
    """Give a formula that has travelled."""
    return kind(text, fm.parse(text, declared={*columns, *shapes}), shapes, data, columns, undeclared)


def row_count(tree: Tree, data: Data) -> int | None:
    """Give the number of rows of the data: the length that most first axes have, tables that are indexed left aside.

    Parameters
    ----------
    tree : Tree
        The formula.
    data : Data
        The data.

    Returns
    -------
    int or None
        ``None`` where there are none.
    """
    lengths = {name: len(column) for name in fm.names(tree) if not isinstance(column := data.get(name, 0.0), float)}
    indexed = {t.value.name for t in fm.walk(tree) if isinstance(t, fm.Index) and isinstance(t.value, fm.Name)
               and any(isinstance(i, fm.Name | fm.Index) for i in t.items)}  # fmt: skip
    counted = [n for name, n in lengths.items() if name not in indexed] or list(lengths.values())
    return max(counted, key=lambda n: (counted.count(n), n)) if counted else None


def indices(tree: Tree) -> dict[str, bool]:
    """Give the names that serve as an index; true for those that do so as they stand, as u in ``U[u]``."""
    found: dict[str, bool] = {}
    for item in (item for t in fm.walk(tree) if isinstance(t, fm.Index) for item in t.items):
        for name in fm.names(item):
            found[name] = isinstance(item, fm.Name) and found.get(name, True)
    return found


def _is_flag(values: object) -> bool:
    """Tell whether data hold True and False, or may: where only their names are known."""
    return values is None or (isinstance(values, np.ndarray | Stored) and np.dtype(values.dtype).kind == "b")


def _chunks(values: Stored) -> Iterator[NDArray[np.generic]]:
    step = max(1, CHUNK // max(1, values.width))
    for low in range(0, len(values), step):
        yield values.rows(low, min(low + step, len(values)))


@contextmanager
def deep() -> Iterator[None]:
    """Let a formula nested as deeply as the language allows be walked: Python's own limit is in the way."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, 3_000))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def kept(key: str, make: Callable[[], Program]) -> Program:
    """Give a program from the disk cache, or write it; what machine code is made from waits until it is compiled.

    Parameters
    ----------
    key : str
        What it is known by.
    make : callable
        Writes it.

    Returns
    -------
    Program
    """

    def made() -> Program:
        with deep():
            return make()

    def written() -> Written:
        program = made() if stored else found
        with deep():
            return program.written

    stored = cache.load(key)
    if stored is not None:
        return Program.from_json(stored.decode(), written, key)
    found = made()
    cache.save(key, found.to_json().encode())
    return replace(found, write=written, key=key)
