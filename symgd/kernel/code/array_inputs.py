"""How statements of NumPy read inputs: whole arrays, slices of them, and what is gathered from them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from symgd.graph import ROWS, Index, Leaf, Node, Span
from symgd.kernel.code.contractions import Value, aligned, sorted_axes, transposed
from symgd.kernel.code.layout import Layout


class Source(NamedTuple):
    """An array that is read at places: its name in the text, and its shape; ``None`` for the number of rows."""

    name: str
    shape: tuple[int | None, ...]


class Reading(ABC):
    """Writes what is read, for the block of a pass that is being written.

    Parameters
    ----------
    layout : Layout
        The inputs.
    lengths : mapping of str to int
        Of the labels but the rows'.
    units : int
        Unit vectors that directions are: see `columns.py`; 0 where they are one direction.
    """

    def __init__(self, layout: Layout, lengths: Mapping[str, int], units: int) -> None:
        self.layout, self.lengths, self.units = layout, lengths, units
        self.head: dict[str, str] = {}  # inputs as they are read: name to text
        self.home = ""  # of the pass
        self.blocked = False  # whether it goes by blocks
        self.size = 1  # of a block

    @abstractmethod
    def value(self, node: Node) -> Value:
        """Give the code of a node that is known, with the axes of its array in their order."""

    def _leaf(self, leaf: Leaf) -> Value:
        layout = self.layout
        if leaf.kind == "count":
            return Value("float(_n)", ())
        if not leaf.index:
            if leaf.kind == "data" or layout.unrolled:
                return Value(layout.number(leaf).name, ())  # type: ignore[attr-defined]
            return Value(f"{'_x' if leaf.kind == 'parameter' else '_v'}[{layout.point_shapes.starts[leaf.name]}]", ())
        if leaf.kind == "places":
            (index,) = leaf.index
            return Value(f"1.0*({self._places(index)})", self._labels(index))
        if leaf.table:
            found = self._at(Source(layout.table(leaf.table), (len(leaf.table),)), leaf.index)
            if leaf.kind == "numbers":
                return found
            return Value(f"{'_x' if leaf.kind == 'parameter' else '_v'}[{found.code}]", found.axes)
        found = self._at(self._source(leaf), leaf.index, data=leaf.kind == "data")
        if layout.is_float(leaf):
            return found
        return Value(f"np.asarray({found.code}, float)", found.axes)

    def _source(self, leaf: Leaf, vector: str = "") -> Source:
        """Give the array that a leaf reads, in its own shape."""
        layout = self.layout
        if leaf.kind == "data":
            place = layout.column(leaf)
            column, name = layout.columns[place], f"_d{place}"
            shape: tuple[int | None, ...] = (None, *column.shape) if column.rows else column.shape
            if column.shape and len(shape) > 1:
                self.head[name] = f"{name} = {name}.reshape({', '.join(str(n or -1) for n in shape)})"
            return Source(name, shape)
        letter = vector or {"parameter": "_x", "direction": "_v"}[leaf.kind]
        start, sides = layout.point_shapes.starts[leaf.name], layout.point_shapes[leaf.name]
        name = f"{letter}{start}"
        if self.units and letter != "_x":
            start, sides = start * self.units, (*sides, self.units)
        cut = f"{letter}[{start}:{start + math.prod(sides)}]"
        # What is filled must stay a view of it.
        self.head[name] = f"{name} = {cut}" + (f".reshape({', '.join(map(str, sides))})" if len(sides) > 1 else "")
        return Source(name, sides)

    def _labels(self, index: Index) -> tuple[str, ...]:
        if isinstance(index, Span):
            return (index.label,)
        return () if isinstance(index, int) else sorted_axes(index.labels, self.home)

    def _bounds(self, label: str) -> tuple[str, str]:
        if label == self.home and self.blocked:
            return "_a", "_b"
        return "0", "_n" if label == ROWS else str(self.lengths[label])

    def _places(self, index: Index, *, data: bool = False) -> str:
        """Write where along an axis: a whole number, or an array of them along the labels of the index."""
        if isinstance(index, int):
            return str(index)
        if isinstance(index, Node):
            return self._whole(index).code
        low, high = self._bounds(index.label)
        # The rows' own numbers, which in a batch are not those of the places.
        code = (
            ("_id[_a:_b]" if self.blocked else "_id")
            if index.label == ROWS and not data
            else f"np.arange({low}, {high})"
        )
        code = code if index.step == 1 else f"{index.step}*{code}"
        return code if index.start == 0 else f"{code} + {index.start}"

    def _is_whole(self, node: Node) -> bool:
        """Tell whether a node is data that are whole numbers, which need not become floats to say places."""
        return isinstance(node, Leaf) and node.kind == "data" and bool(node.index) and not self.layout.is_float(node)

    def _read_for(self, index: Iterable[Index]) -> Iterator[Node]:
        """Give the nodes whose arrays say places."""
        for i in index:
            if isinstance(i, Leaf) and self._is_whole(i):
                yield from self._read_for(i.index)
            elif isinstance(i, Node):
                yield i

    def _whole(self, node: Node) -> Value:
        """Write a node as whole numbers."""
        if isinstance(node, Leaf) and self._is_whole(node):
            found = self._at(self._source(node), node.index, data=True)
            if not found.axes:
                return Value(f"int({found.code})", ())
            kind = self.layout.columns[self.layout.column(node)].dtype
            # Whole numbers of eight bits would not hold the places that are worked out from them.
            return found if kind == "int64" else Value(f"np.asarray({found.code}, np.int64)", found.axes)
        found = self.value(node)
        return Value(f"np.asarray({found.code}, np.int64)" if found.axes else f"int({found.code})", found.axes)

    def _at(self, source: Source, index: Sequence[Index], *, data: bool = False) -> Value:
        """Write an array at places along labels."""
        spans = [i for i in index if isinstance(i, Span)]
        nodes = [i for i in index if isinstance(i, Node)]
        labels = [i.label for i in spans]
        plain = all(i.step > 0 and (data or i.label != ROWS) for i in spans) and len(set(labels)) == len(labels)
        gathers = [n for n in nodes if n.labels]
        if plain and not gathers:
            return self._sliced(source, index)
        if plain and len(gathers) == 1 and not gathers[0].labels & set(labels):
            return self._gathered(source, index)
        axes = sorted_axes({label for i in index for label in self._labels(i)}, self.home)
        places = [aligned(Value(f"({self._places(i, data=data)})", self._labels(i)), axes) for i in index]
        return Value(f"{source.name}[{', '.join(places)}]", axes)

    def _sliced(self, source: Source, index: Sequence[Index]) -> Value:
        """Write a view."""
        places = [self._slice(i, length) for i, length in zip(index, source.shape, strict=True)]
        axes = tuple(i.label for i in index if isinstance(i, Span))
        while places and places[-1] == ":":
            places.pop()
        code = f"{source.name}[{', '.join(places)}]" if places else source.name
        return transposed(Value(code, axes), sorted_axes(axes, self.home))

    def _slice(self, index: Index, length: int | None) -> str:
        if not isinstance(index, Span):
            return self._places(index)
        low, high = self._bounds(index.label)
        start, step = index.start, index.step
        if low == "0":
            if index.label == ROWS or (start == 0 and step == 1 and self.lengths[index.label] == length):
                return ":"
            last = start + step * (self.lengths[index.label] - 1) + 1
            return f"{start}:{last}" + (f":{step}" if step != 1 else "")
        if step == 1:
            return f"{low}:{high}" if start == 0 else f"{start} + {low}:{start} + {high}"
        return f"{start} + {step}*{low}:{start} + {step}*{high}:{step}"

    def _gathered(self, source: Source, index: Sequence[Index]) -> Value:
        """Write rows, or columns, of an array that a node picks; ``take`` is several times as fast as a subscript."""
        cut: list[str] = []
        axes: list[tuple[str, ...]] = []
        picked, axis = "", 0
        for i, length in zip(index, source.shape, strict=True):
            if isinstance(i, Node) and i.labels:
                found = self._whole(i)
                picked, axis = found.code, len(axes)
                cut.append(":")
                axes.append(found.axes)
            else:
                cut.append(self._slice(i, length))
                axes += [self._labels(i)] if isinstance(i, Span) else []
        while cut and cut[-1] == ":":
            cut.pop()
        view = f"{source.name}[{', '.join(cut)}]" if cut else source.name
        order = tuple(label for part in axes for label in part)
        length = source.shape[index.index(next(i for i in index if isinstance(i, Node) and i.labels))]
        if (len(axes), axis) == (2, 0) and order[:-1] == (self.home,) and length is not None and length <= self.size:
            # What is picked then lies in memory in the order of its axes; what it is picked from is copied for that.
            return Value(self._taken(f"{view}.T", picked, 1), order[::-1])
        return transposed(Value(self._taken(view, picked, axis), order), sorted_axes(order, self.home))

    def _taken(self, view: str, picked: str, axis: int) -> str:
        """Write what is picked along an axis."""
        return f"{view}.take({picked}, {axis})"

    def _width(self, label: str) -> str:
        low, high = self._bounds(label)
        return high if low == "0" else f"({high} - {low})"
