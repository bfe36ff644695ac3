"""A formula whose arrays have shapes: its graph, its derivatives, its generated functions, and its kernels."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd import language as fm
from symgd.data import Data, Stored
from symgd.errors import DataError, FormulaError, unexplained
from symgd.graph import (
    Array,
    Fold,
    Graph,
    Leaf,
    Map,
    Node,
    Span,
    calculus,
    doubt,
    is_zero,
    locate,
    reachable,
    read,
    shape,
    whole,
)
from symgd.graph.bounds import Bounds, bounds_of
from symgd.kernel import Kernel
from symgd.kernel import code as codegen
from symgd.kernel.code import Layout, Program
from symgd.kernel.machine import cache
from symgd.language import Tree
from symgd.language.functions import CONSTANTS
from symgd.squares import Squares, squares
from symgd.views import Entries, Gradient, Hessian

Shape = tuple[int, ...]
CHUNK = 1 << 20  # numbers of an array on disk that are looked at together


class Model:
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
    columns : collection of str
        The names that are data, those included whose values are not known.
    undeclared : collection of str
        Parameters that are taken for numbers, though nobody said so.

    Raises
    ------
    FormulaError
        If the formula is none with these shapes.
    NeedsShape
        If a parameter in ``undeclared`` must be an array.
    """

    def __init__(
        self, text: str, tree: Tree, shapes: Mapping[str, Shape], data: Data, columns: Collection[str],
        undeclared: Collection[str] = (),
    ) -> None:  # fmt: skip
        self.text = text
        self.tree = tree
        self.shapes = dict(shapes)
        self.params = tuple(shapes)
        self.data = data
        self.columns = columns
        self.undeclared = undeclared
        self.rows = row_count(tree, data)
        self.notes: tuple[str, ...] = ()  # what is probably not meant
        self._programs: dict[float, Program] = {}
        # Read at once, so that a mistake is reported here and not at the first evaluation.
        self.root  # noqa: B018

    def __reduce__(self) -> tuple[Any, ...]:
        # The graph stays behind, and the tree too, which may be deeper than pickle goes.
        return _again, (self.text, self.shapes, self.data, tuple(self.columns), tuple(self.undeclared))

    # ---- the graph -------------------------------------------------------------------------------------------------

    def _read(self, *, group: bool, guarded: bool = True) -> tuple[Graph, Node]:
        graph = Graph()
        graph.guarded = guarded
        graph.rows = self.rows
        graph.booleans = frozenset(n for n in self.columns if str(getattr(self.data.get(n), "dtype", "")) == "bool")
        with _deep():
            found = read(
                graph, self.text, self.tree, lambda name: self._leaf(graph, name.name), group=group,
                undeclared=self.undeclared, bounds=lambda node: self._bounds(graph, node) if self.data else (0, 0),
                flags=[name for name in self.columns if self._is_flag(self.data.get(name))],
            )  # fmt: skip
        if found.axes:
            one_a_row = found.axes == ("rows",)
            what = "one value a row" if one_a_row else f"the shape {shape(graph, found)}"
            problem = f"the objective must be one number, but this has {what}"
            raise FormulaError(problem, self.text, 0, len(self.text), "put mean(...) or sum(...) around it")
        self.notes = tuple(graph.notes)
        return graph, found.node

    @staticmethod
    def _is_flag(values: Any) -> bool:
        """Tell whether data hold True and False, or may: where only their names are known."""
        return values is None or (not isinstance(values, float) and np.dtype(values.dtype).kind == "b")

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
            found = locate.evaluate([node], {}, self.data, graph.sizes())
            parts = [np.asarray(found[node])]
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
    def grouped(self) -> tuple[Graph, Node]:
        """The graph, long sums of terms of one shape as one term."""
        return self._read(group=True)

    @cached_property
    def plain(self) -> tuple[Graph, Node]:
        """The graph without grouped terms."""
        graph, root = self.grouped
        return self._read(group=False) if any(label.startswith("terms") for label in graph.lengths) else (graph, root)

    @cached_property
    def written(self) -> tuple[Graph, Node]:
        """The graph that views show: without what keeps float64 in range."""
        graph, root = self.plain
        guards = any(n.function in ("logsumexp", "held", "where") for n in graph if isinstance(n, Map | Fold))
        return self._read(group=False, guarded=False) if guards else (graph, root)

    @property
    def root(self) -> Node:
        """The objective's node."""
        return self.grouped[1]

    @cached_property
    def slope(self) -> calculus.Vector:
        """The gradient, in the graph that views show."""
        with _deep():
            return calculus.gradient(*self.written)

    @cached_property
    def gaps(self) -> frozenset[str]:
        """The data in memory with entries that are infinite or no numbers: masked, where the objective is sound."""
        held = {name: v for name, v in self.data.items() if isinstance(v, np.ndarray) and v.dtype.kind == "f"}
        return frozenset(name for name, values in held.items() if not np.isfinite(values).all())

    @cached_property
    def _second(self) -> tuple[Graph, calculus.Vector, int]:
        """A graph of its own for second derivatives, the gradient in it, and the number of the formula's last node."""
        graph, root = self._read(group=False, guarded=False)
        graph.gaps = self.gaps
        return graph, calculus.gradient(graph, root), root.number

    @cached_property
    def gradient(self) -> Gradient:
        """The gradient, to be shown."""
        graph, root = self.written
        slope = self.slope
        graph.gaps = self.gaps
        return Gradient(graph, slope, self.shapes, root.number)

    @cached_property
    def hessian(self) -> Hessian:
        """The second derivatives, to be shown."""
        return Hessian(self.shapes, self.block)

    def block(self, name: str, by: str) -> Entries:
        """Differentiate the gradient by one parameter by another.

        Parameters
        ----------
        name : str
            A parameter.
        by : str
            A parameter.

        Returns
        -------
        Entries
            An array with the axes of ``name``, then those of ``by``.
        """
        graph, slope, written = self._second
        taken = {label for node in reachable(slope.nodes()) for label in node.labels}
        axes: list[Span | int] = []
        for size in self.shapes[by]:
            axes.append(Span(graph.label(size, taken)) if size > 1 else 0)
            taken |= {axis.label for axis in axes if isinstance(axis, Span)}
        own = [entry for entry in slope.entries if entry.leaf.name == name]
        parts = reachable(entry.node for entry in own)
        seeds = {p: _unit(graph, p, axes) for p in parts if isinstance(p, Leaf) and p.active and p.name == by}
        along = calculus.directional(graph, [entry.node for entry in own], seeds)
        found = []
        for entry in own:
            place = graph.leaf("block", f"{name}, {by}", (*entry.leaf.index, *axes))
            if isinstance(place, Leaf) and not is_zero(along[entry.node]):
                found.append((place, along[entry.node]))
        return Entries(graph, tuple(found), written)

    # ---- functions -------------------------------------------------------------------------------------------------

    def program(self, sign: float = 1.0) -> Program:
        """Give the generated functions, from the disk cache where they are known.

        Parameters
        ----------
        sign : float
            -1 for the functions of the negated objective.

        Returns
        -------
        Program
        """
        if sign not in self._programs:
            graph, root = self.grouped
            types = {name: _type(self.data.get(name)) for name in self.columns}
            parts = map(repr, (self.shapes, sorted(types.items()), root.number, sign))
            key = cache.key("program", cache.generator(), self.text, *parts, graph.signature())
            stored = cache.load(key)
            if stored is not None:
                self._programs[sign] = Program.from_json(stored.decode())
            else:
                graph, root = self._read(group=True)  # what derivatives add stays out of the next key
                node = root if sign > 0 else graph.negate(root)
                known = {name: t for name, t in types.items() if t is not None}
                with _deep():
                    self._programs[sign] = codegen.generate(
                        graph, node, self.params, self.shapes, known, self.written[1]
                    )
                cache.save(key, self._programs[sign].to_json().encode())
        return self._programs[sign]

    def kernel(self, sign: float, tier: str, workers: int | None) -> Kernel:
        """Give a running kernel.

        Parameters
        ----------
        sign : float
            -1 for the negated objective.
        tier : str
            As for `Kernel`.
        workers : int, optional
            Threads.

        Returns
        -------
        Kernel

        Raises
        ------
        DataError
            If the data were given as names only.
        """
        missing = [name for name in self.columns if name not in self.data]
        if missing:
            raise DataError(f"the columns {', '.join(missing)} have no values; give data={{...}} to Objective")
        program = self.program(sign)
        known = partial(_squares, self, sign), partial(_doubt, self, program.layout), partial(_bounds, self, sign)
        return Kernel(program, self.data, tier, workers, self.rows or 0, *known)

    @cached_property
    def squares(self) -> Squares | None:
        """The residuals, where the formula is a sum of squares."""
        # Derivatives are added to a graph of their own.
        with _deep():
            return squares(*self._read(group=False), self.shapes, self.data)

    @cached_property
    def bounds(self) -> Bounds:
        """What the formula shows of its values: bounds, and whether it is convex."""
        with _deep():
            return bounds_of(*self.plain, self.data)

    @cached_property
    def _doubtful(self) -> bool:
        """Whether a quotient may be 0/0 at some point: most formulas have none, and nothing is asked of them."""
        small = (self.rows or 0) <= doubt.MOST and not any(isinstance(self.data.get(n), Stored) for n in self.columns)
        return small and bool(doubt.quotients(self.plain[1]))

    def doubt(self, values: Mapping[str, Any]) -> str:
        """Tell how many digits the derivatives have at a point, if quotients have lost some there."""
        if not self._doubtful:
            return ""
        try:
            return doubt.lost(*self.written, self.slope, values, self.data)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the point is there
            return unexplained("the number of digits", problem)

    def locate(self, values: Mapping[str, Any]) -> str:
        """Name the first subexpression that is not finite at a point."""
        try:
            return locate.first_bad(*self.plain, self.text, values, self.data)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the run is there
            return f"a value is not finite, and where {unexplained('it arose', problem)}"


def _unit(graph: Graph, leaf: Leaf, axes: Sequence[Span | int]) -> Node:
    """Give 1 where a leaf reads the element at the places along the axes, 0 elsewhere."""
    found = graph.const(1)
    for index, axis in zip(leaf.index, axes, strict=True):
        if isinstance(axis, Span):
            here = index if isinstance(index, Node) else graph.leaf("places", "", (index,))
            condition = graph.map("equal", here, graph.leaf("places", "", (axis,)))
            found = graph.map("where", condition, found, graph.const(0))
    return found


def _again(
    text: str, shapes: Mapping[str, Shape], data: Data, columns: Collection[str], undeclared: Collection[str]
) -> Model:
    """Give a model that has travelled."""
    return Model(text, fm.parse(text, declared={*columns, *shapes}), shapes, data, columns, undeclared)


def _doubt(model: Model, layout: Layout, x: NDArray[np.float64]) -> str:
    return model.doubt(layout.split(x))


def _squares(model: Model, sign: float) -> Squares | None:
    return model.squares if sign > 0 else None


def _bounds(model: Model, sign: float) -> Bounds:
    return model.bounds if sign > 0 else model.bounds.negated


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
    used = [name for name in fm.names(tree) if name in data and not isinstance(data[name], float)]
    indexed = {t.value.name for t in fm.walk(tree) if isinstance(t, fm.Index) and isinstance(t.value, fm.Name)
               and any(isinstance(i, fm.Name | fm.Index) for i in t.items)}  # fmt: skip
    lengths = [len(data[name]) for name in used if name not in indexed]  # type: ignore[arg-type]
    lengths = lengths or [len(data[name]) for name in used]  # type: ignore[arg-type]
    return max(lengths, key=lambda n: (lengths.count(n), n)) if lengths else None


def indices(tree: Tree) -> dict[str, bool]:
    """Give the names that serve as an index; true for those that do so as they stand, as u in ``U[u]``."""
    found: dict[str, bool] = {}
    for item in (item for t in fm.walk(tree) if isinstance(t, fm.Index) for item in t.items):
        for name in fm.names(item):
            found[name] = isinstance(item, fm.Name) and found.get(name, True)
    return found


def _chunks(values: Stored) -> Iterator[Any]:
    step = max(1, CHUNK // max(1, values.width))
    for low in range(0, len(values), step):
        yield values.rows(low, min(low + step, len(values)))


def _type(values: Any) -> tuple[str, Shape] | None:
    """Give type and shape of a data array, as code is generated for them: for any length of its first axis."""
    if values is None or isinstance(values, float):
        return None
    # True and False are 1 and 0, and Numba makes no float of a truth value.
    return str(values.dtype).replace("bool", "uint8"), (0, *values.shape[1:])


@contextmanager
def _deep() -> Iterator[None]:
    """Let a formula nested as deeply as the language allows be walked: Python's own limit is in the way."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, 3_000))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
