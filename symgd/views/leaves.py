"""The text of parameters and data where they are indexed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from symgd.errors import UsageError
from symgd.graph import ROWS, Graph, Leaf, Matrix, Node, Span
from symgd.records import dataclass
from symgd.views.patterns import unwrapped
from symgd.views.pieces import ATOM, GATHERED, KEPT, Piece, brackets, place_text, slice_text

if TYPE_CHECKING:
    from symgd.views.text import Writer

Sizes = Mapping[str, tuple[int | None, ...]]


@dataclass(frozen=True, slots=True)
class Subscript:
    """What stands in the brackets, one item an axis of the array, and the labels of the axes that come out."""

    items: tuple[str, ...]
    axes: tuple[str, ...]
    shown: tuple[str | None, ...]  # of each item, the label of the axis that it leaves
    gathers: bool
    cost: float = 0.0

    def text(self) -> str:
        """Write the brackets; none where the whole array is taken."""
        return brackets(self.items)


def array_of_size(graph: Graph | None, length: object) -> str | None:
    """Name data that have this many numbers in each row."""
    seen: set[str] = set()
    for node in graph.store if graph else ():
        if not isinstance(node, Leaf) or node.kind != "data" or not node.index or node.name in seen:
            continue
        seen.add(node.name)  # made whole first; where it is sliced or gathered it has other lengths
        if node.index[:1] == (Span(ROWS),) and len(node.index) > 1:
            assert graph is not None
            lengths = [graph.length(i.label) if isinstance(i, Span) else 1 for i in node.index[1:]]
            if math.prod(n or 0 for n in lengths) == length:
                return node.name
    return None


def is_whole(graph: Graph, leaf: Leaf, shape: Sequence[int]) -> bool:
    """Tell whether a leaf reads all of an array, each place once and in order."""
    labels = [i.label for i in leaf.index if isinstance(i, Span)]
    if len(set(labels)) < len(labels):
        return False
    for index, size in zip(leaf.index, shape, strict=True):
        if isinstance(index, Span):
            if (index.start, index.step) != (0, 1) or graph.length(index.label) not in (None, size):
                return False
        elif index != 0 or size != 1:
            return False
    return True


def write_leaf(writer: Writer, leaf: Leaf, target: tuple[str, ...]) -> Piece | None:
    """Write an input with its axes in the order of ``target``, which may have axes that the input lacks.

    Parameters
    ----------
    writer : Writer
        Writes what stands in the index.
    leaf : Leaf
        The input.
    target : tuple of str
        Labels, in order.

    Returns
    -------
    Piece or None
        ``None`` where it takes a transpose, or a new axis behind the brackets.

    Raises
    ------
    UsageError
        For grouped terms.
    """
    if leaf.table:
        raise UsageError("grouped terms cannot be written as one NumPy expression")
    if leaf.kind == "count":
        return Piece(f"len({leaf.name})", ATOM)
    if not leaf.index:
        return Piece(leaf.name, ATOM)
    if leaf.kind == "places":
        return _arange(writer, leaf.index[0]) if len(target) == 1 else None
    return write_indexed(writer, leaf, Piece(leaf.name, ATOM), target)


def write_indexed(writer: Writer, leaf: Leaf | Matrix, whole: Piece, target: tuple[str, ...]) -> Piece | None:
    """Write what an index takes out of an array whose text is given.

    Parameters
    ----------
    writer : Writer
        Writes what stands in the index.
    leaf : Leaf or Matrix
        The array, and the index.
    whole : Piece
        All of the array.
    target : tuple of str
        Labels, in order.

    Returns
    -------
    Piece or None
        ``None`` where it takes a transpose, or a new axis behind the brackets.
    """
    order = tuple(label for label in target if label in leaf.labels)
    if order == target and _is_diagonal(writer, leaf):
        return Piece(f"diagonal({whole.text})", ATOM, whole.cost)
    found = subscript(writer, leaf, order)
    name = whole.inside(ATOM)
    if found.axes == order == target:
        return Piece(name + found.text(), ATOM, whole.cost + found.cost) if found.text() else whole
    if found.axes == order and not found.gathers:
        return Piece(name + brackets(_with_new_axes(found, target)), ATOM, whole.cost + found.cost + KEPT)
    if order == target and (found.axes != order[::-1] or len(order) < 2):
        found = subscript(writer, leaf, order, everywhere=True)
        return Piece(name + found.text(), ATOM, whole.cost + found.cost)
    return None


def sizes_along(writer: Writer, leaf: Leaf | Matrix) -> Sequence[int | None]:
    """Give the lengths of the axes that are indexed."""
    if isinstance(leaf, Matrix):
        return [writer.length(label) for label in (leaf.row, leaf.column)]
    return writer.sizes.get(leaf.name) or (None,) * len(leaf.index)


def subscript(writer: Writer, leaf: Leaf | Matrix, order: Sequence[str], *, everywhere: bool = False) -> Subscript:
    """Write the index of a leaf.

    Parameters
    ----------
    writer : Writer
        Writes the arrays that stand in it.
    leaf : Leaf or Matrix
        A leaf with axes, or the element of a matrix.
    order : sequence of str
        In which order the axes should come out, as far as NumPy lets them.
    everywhere : bool
        Whether each axis is indexed by an array, which gives any order.

    Returns
    -------
    Subscript
    """
    index = leaf.index
    spans = Counter(i.label for i in index if isinstance(i, Span))
    joint = frozenset().union(*(i.labels for i in index if isinstance(i, Node)))
    arrays = [p for p, i in enumerate(index)
              if isinstance(i, Node)
              or (isinstance(i, Span) and (everywhere or i.label in joint or spans[i.label] > 1))]  # fmt: skip
    together: frozenset[str] = frozenset()
    for place in arrays:
        entry = index[place]
        together |= {entry.label} if isinstance(entry, Span) else entry.labels if isinstance(entry, Node) else set()
    block = tuple(label for label in order if label in together)
    # A number among arrays counts as one of them; where they do not stand side by side their axes come first.
    mixed = [p for p, i in enumerate(index) if p in arrays or isinstance(i, int)] if arrays else []
    before = mixed[0] if mixed and mixed[-1] - mixed[0] == len(mixed) - 1 else 0
    sizes = sizes_along(writer, leaf)
    items: list[str] = []
    axes: list[str] = []
    shown: list[str | None] = []
    cost = 0.0
    for place, (entry, size) in enumerate(zip(index, sizes, strict=True)):
        if arrays and place == before:
            axes += block
        shown.append(None)
        if place in arrays:
            node = _index_piece(writer, entry, block, size)
            items.append(node.text)
            cost += node.cost + (GATHERED if isinstance(entry, Span) else 0)
        elif isinstance(entry, int):
            items.append(place_text(entry, size))
        else:
            assert isinstance(entry, Span)
            items.append(_slice(writer, entry, size))
            axes.append(entry.label)
            shown[-1] = entry.label
    return Subscript(tuple(items), tuple(axes), tuple(shown), bool(arrays), cost)


def _slice(writer: Writer, span: Span, size: int | None) -> str:
    length = writer.length(span.label)
    if (span.start, span.step) == (0, 1) and (length is None or size is None or length == size):
        return ":"
    if length is None:
        raise UsageError("a slice of rows whose number is not known cannot be written as NumPy text")
    return slice_text(span.start, span.step, length, size)


def _index_piece(writer: Writer, entry: Span | int | Node, block: tuple[str, ...], size: int | None) -> Piece:
    if isinstance(entry, Node):
        return writer.fitted(unwrapped(entry, size), block)
    assert isinstance(entry, Span)
    piece = _arange(writer, entry)
    here = block.index(entry.label)
    return piece.widened([True] + [False] * (len(block) - here - 1)) if here < len(block) - 1 else piece


def _arange(writer: Writer, index: Span | int | Node) -> Piece:
    assert isinstance(index, Span)
    length = writer.length(index.label)
    if (index.start, index.step) == (0, 1):
        named = writer.graph.store.column if writer.graph and index.label == ROWS else ""
        return Piece(f"arange(len({named}))" if named else f"arange({length})", ATOM)
    if length is None:
        raise UsageError("places along rows whose number is not known cannot be written as NumPy text")
    stop = index.start + index.step * length
    step = f", {index.step}" if index.step != 1 else ""
    return Piece(f"arange({index.start}, {stop}{step})", ATOM)


def _is_diagonal(writer: Writer, leaf: Leaf | Matrix) -> bool:
    if len(leaf.index) != 2 or leaf.index[0] != leaf.index[1] or not isinstance(leaf.index[0], Span):
        return False
    length = writer.length(leaf.index[0].label)
    return leaf.index[0] == Span(leaf.index[0].label) and set(sizes_along(writer, leaf)) == {length}


def _with_new_axes(found: Subscript, target: Sequence[str]) -> list[str]:
    """Write None where the target has an axis that the array lacks."""
    items = list(zip(found.items, found.shown, strict=True))
    written: list[str] = []
    for label in target:
        if label not in found.axes:
            written.append("None")
            continue
        while items:
            text, own = items.pop(0)
            written.append(text)
            if own == label:
                break
    return written + [text for text, _ in items]
