"""Arrays: nodes whose axes are in order, with NumPy's rules for broadcasting, products, reductions and indices.

A node has labels, which line up by name; NumPy's axes line up by position. An `Array` holds the labels of a node in the
order of its axes. Axes of the same length share a label wherever they can, so that the same subexpression is the same
node however it was reached; where two axes of one array have the same length, one of them has a label of its own. All
that NumPy does with positions is a choice of labels here, and `Graph.substitute` carries it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import NamedTuple

from symgd.graph import selections
from symgd.graph.graph import Graph
from symgd.graph.nodes import ROWS, Index, Node, Span

ONE = ""  # in place of a label: an axis of length 1, along which nothing varies


class Array(NamedTuple):
    """A node, and its axes in order: a label each, or `ONE`."""

    node: Node
    axes: tuple[str, ...] = ()


class Misfit(ValueError):  # noqa: N818 - a finding, which becomes an error where the text is known
    """Shapes that do not go together; says in what way."""


@dataclass(frozen=True)
class Cut:
    """A slice of an axis, its bounds as Python takes them."""

    start: int | None = None
    stop: int | None = None
    step: int | None = None


@dataclass(frozen=True)
class Mask:
    """A condition at each place along an axis, whose own label it has: those where it holds are picked."""

    condition: Node


# What may stand in an index: None is a new axis, ... the axes that are not mentioned.
Item = Cut | int | Array | Mask | None


def shape(graph: Graph, array: Array) -> str:
    """Write an array's shape down; rows of unknown number are ``n``."""
    sizes = [str(size(graph, axis) or "n") for axis in array.axes]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


def size(graph: Graph, axis: str) -> int | None:
    """Give the length of an axis; ``None`` for rows of unknown number."""
    return 1 if axis == ONE else graph.length(axis)


def whole(graph: Graph, kind: str, name: str, sizes: Sequence[int], *, rows: bool = False) -> Array:
    """Give the array of an input; ``rows`` says whether its first axis is that of the data's rows."""
    axes: list[str] = []
    for place, length in enumerate(sizes):
        first = rows and place == 0
        axes.append(ROWS if first else ONE if length == 1 else graph.label(length, axes))
    return Array(graph.leaf(kind, name, [axis or 0 for axis in axes]), tuple(axes))


# ---- broadcasting --------------------------------------------------------------------------------------------------


def broadcast(graph: Graph, *arrays: Array) -> tuple[list[Node], tuple[str, ...]]:
    """Line the axes of arrays up from the last one on, as NumPy does.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    *arrays : Array
        What is to be combined element by element.

    Returns
    -------
    nodes : list of Node
        The arrays' nodes, their labels matched.
    axes : tuple of str
        The labels of the result.

    Raises
    ------
    Misfit
        If two axes in the same position have lengths that are neither equal nor 1.
    """
    columns = list(zip_longest(*(reversed(a.axes) for a in arrays), fillvalue=ONE))
    axes: list[str] = []
    maps: list[dict[str, Index]] = [{} for _ in arrays]
    for column in reversed(columns):
        _assign(graph, column, axes, maps)
    return [graph.substitute(a.node, m) for a, m in zip(arrays, maps, strict=True)], tuple(axes)


def _assign(graph: Graph, column: Sequence[str], axes: list[str], maps: list[dict[str, Index]]) -> None:
    """Choose the label of one axis of the result, and say what becomes of those of the operands."""
    found = [axis for axis in column if axis != ONE]
    lengths = {size(graph, axis) for axis in found}
    if len(lengths) > 1 and lengths - {1}:
        lengths.discard(1)  # a table of one row goes with any number of places
    if len(lengths) > 1 or (len(set(found)) > 1 and not graph.store.selected.keys().isdisjoint(found)):
        raise Misfit("do not broadcast")
    long = [axis for axis in found if size(graph, axis) in lengths]
    chosen = _choose(graph, long, axes) if long else ONE
    axes.append(chosen)
    for axis, places in zip(column, maps, strict=True):
        if axis != ONE:
            places[axis] = Span(chosen) if axis in long else 0


def _choose(graph: Graph, candidates: Sequence[str], taken: Sequence[str]) -> str:
    """Choose a label for axes that are to be one: the rows', or the first that is free."""
    free = [c for c in candidates if c not in taken]
    if ROWS in free:
        return ROWS
    if free:
        return free[0]
    length = graph.length(candidates[0])
    if length is None:
        raise Misfit("would need the number of rows, and the data were given as names only")
    return graph.label(length, taken)


# ---- products ------------------------------------------------------------------------------------------------------


def matmul(graph: Graph, a: Array, b: Array) -> Array:
    """Multiply as NumPy's ``@`` does.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    a : Array
        Of one axis or more; axes before the last two are broadcast.
    b : Array
        Likewise.

    Returns
    -------
    Array

    Raises
    ------
    Misfit
        If an operand has no axes, or the lengths do not match.
    """
    if not a.axes or not b.axes:
        raise Misfit("cannot be multiplied by '@', which needs arrays")
    *left, inner_a = a.axes
    row = left.pop() if left else None
    *right, inner_b = b.axes if len(b.axes) == 1 else (*b.axes[:-2], b.axes[-1], b.axes[-2])
    column = right.pop() if right else None
    if size(graph, inner_a) != size(graph, inner_b):
        raise Misfit("cannot be multiplied by '@': the last axis on the left and the first of a matrix on the right "
                     f"have lengths {size(graph, inner_a) or 'n'} and {size(graph, inner_b) or 'n'}")  # fmt: skip
    axes: list[str] = []
    maps: list[dict[str, Index]] = [{}, {}]
    outer = [(row, ONE)] if row is not None else []
    outer += [(ONE, column)] if column is not None else []
    stack = list(zip_longest(reversed(left), reversed(right), fillvalue=ONE))[::-1]
    # The rows come first, so that it is the other operand that gives way where both have this label.
    for pair in [*stack, *outer]:
        _assign(graph, pair, axes, maps)
    kept = tuple(axes)
    _assign(graph, (inner_a, inner_b), axes, maps)
    product = graph.multiply(*(graph.substitute(x.node, m) for x, m in zip((a, b), maps, strict=True)))
    return Array(selections.fold(graph, "sum", product, axes[-1]) if axes[-1] != ONE else product, kept)


def transpose(array: Array) -> Array:
    """Turn the order of the axes round."""
    return Array(array.node, array.axes[::-1])


# ---- reductions ----------------------------------------------------------------------------------------------------


def reduce(graph: Graph, function: str, array: Array, over: Sequence[int], *, keep: bool) -> Array:
    """Fold an array over some of its axes, given by position.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    function : str
        A fold's function.
    array : Array
        What is folded.
    over : sequence of int
        Positions of axes.
    keep : bool
        Whether these axes stay, with length 1.

    Returns
    -------
    Array
    """
    node = array.node
    for place in sorted(over, reverse=True):
        if array.axes[place] != ONE:
            node = selections.fold(graph, function, node, array.axes[place])
    kept = tuple(ONE if i in over else axis for i, axis in enumerate(array.axes) if keep or i not in over)
    return Array(node, kept)


def count(graph: Graph, array: Array, over: Sequence[int]) -> Node:
    """Give the number of elements along some axes."""
    total = graph.const(1)
    for place in over:
        if array.axes[place] != ONE:
            total = graph.multiply(total, graph.count(array.axes[place]))
    return total


# ---- indices -------------------------------------------------------------------------------------------------------


def pick(graph: Graph, array: Array, items: Sequence[Item]) -> Array:
    """Index an array, as NumPy does with slices, whole numbers, new axes and arrays of whole numbers.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    array : Array
        What is indexed.
    items : sequence
        One `Cut`, whole number, array, or ``None`` for a new axis, for each place in the brackets; the ellipsis is
        already written out.

    Returns
    -------
    Array

    Raises
    ------
    Misfit
        If there are too many of them, or one is out of bounds.
    """
    used = sum(item is not None for item in items)
    check_rank(array, used)
    return _Pick(graph, array, [*items, *[Cut()] * (len(array.axes) - used)]).result()


class _Pick:
    """One indexing: what becomes of each axis."""

    def __init__(self, graph: Graph, array: Array, items: Sequence[Item]) -> None:
        self.graph = graph
        self.array = array
        self.places: dict[str, Index] = {}  # what is put in for each label
        self.axes: list[str | None] = []  # of the result; None where a slice is still to get its label
        self.cuts: list[tuple[int, str, Cut]] = []
        self.gathered: list[tuple[int, str, Array]] = []
        self.start = 0  # where the axes of the arrays go
        several = any(isinstance(item, Array) for item in items)
        if (masks := sum(isinstance(item, Mask) for item in items)) and masks + several > 1:
            raise Misfit("is indexed by a condition and by another array")
        gathers = [i for i, item in enumerate(items) if isinstance(item, Array | int)] if several else []
        # NumPy's rule: in place where they stand together, and else in front.
        together = not gathers or gathers[-1] - gathers[0] == len(gathers) - 1
        axis = iter(enumerate(array.axes))
        for position, item in enumerate(items):
            if item is None:
                self.axes.append(ONE)
                continue
            number, label = next(axis)
            if position in gathers:
                if position == gathers[0] and together:
                    self.start = len(self.axes)
                self.gathered.append((number, label, item if isinstance(item, Array) else self._fixed(item)))
            elif isinstance(item, Mask):
                self.axes.append(selections.selection(graph, label, item.condition))
                self.places[label] = Span(self.axes[-1] or ONE)
            elif isinstance(item, int):
                self._take(number, label, item)
            else:
                assert isinstance(item, Cut)
                self._cut(label, item)

    def _fixed(self, item: Cut | int | Mask) -> Array:
        assert isinstance(item, int)
        return Array(self.graph.const(item))

    def _take(self, number: int, label: str, item: int) -> None:
        if label != ONE:
            self.places[label] = _inside(self.graph, label, item, number)
        elif item not in (0, -1):
            raise Misfit(f"has 1 place along axis {number}, and index {item} is out of bounds")

    def _cut(self, label: str, cut: Cut) -> None:
        if label == ONE and not range(1)[slice(cut.start, cut.stop, cut.step)]:
            raise Misfit("has no elements left after this slice")
        if label == ONE or cut in (Cut(), Cut(step=1)):
            self.axes.append(label)
        else:
            self.cuts.append((len(self.axes), label, cut))
            self.axes.append(None)

    def result(self) -> Array:
        """Give the array. Axes that stay as they are keep their labels; no other may be mistaken for one of them."""
        graph = self.graph
        taken = [label for label in self.axes if label]
        for place, label, cut in self.cuts:
            length = _known(graph, label)
            kept = range(length)[slice(cut.start, cut.stop, cut.step)]
            if not kept:
                raise Misfit("has no elements left after this slice")
            if len(kept) == 1:
                self.axes[place] = ONE
                self.places[label] = kept[0]
                continue
            same = kept == range(length) and label not in taken
            new = label if same else graph.label(len(kept), taken)
            taken.append(new)
            self.axes[place] = new
            self.places[label] = Span(new, kept.start, kept.step)
        final = [label or ONE for label in self.axes]
        if self.gathered:
            final[self.start : self.start] = _gather(graph, self.gathered, taken, self.places)
        return Array(graph.substitute(self.array.node, self.places), tuple(final))


def _gather(
    graph: Graph, gathered: list[tuple[int, str, Array]], taken: list[str], places: dict[str, Index]
) -> list[str]:
    """Put arrays of whole numbers in for labels; give the axes that they bring along."""
    columns = zip_longest(*(reversed(item.axes) for *_, item in gathered), fillvalue=ONE)
    maps: list[dict[str, Index]] = [{} for _ in gathered]
    axes = list(taken)
    try:
        for column in reversed(list(columns)):
            _assign(graph, column, axes, maps)
    except Misfit:
        shapes = " and ".join(shape(graph, item) for *_, item in gathered)
        raise Misfit(f"is indexed by arrays with the shapes {shapes}, which do not broadcast") from None
    for (number, label, item), mapping in zip(gathered, maps, strict=True):
        if label != ONE:
            node = graph.substitute(item.node, mapping)
            places[label] = _inside(graph, label, int(node.constant), number) if node.constant is not None else node
    return axes[len(taken) :]


def _inside(graph: Graph, label: str, place: int, axis: int) -> int:
    length = _known(graph, label)
    if not -length <= place < length:
        raise Misfit(f"has {length} places along axis {axis}, and index {place} is out of bounds")
    return place % length


def _known(graph: Graph, label: str) -> int:
    length = graph.length(label)
    if label in graph.store.selected:
        raise Misfit("is of rows that a condition picks: it can be summed, averaged and counted, not indexed")
    if length is None:
        raise Misfit("has a number of rows that is not known here, and indexing it would need that")
    return length


def check_rank(array: Array, used: int) -> None:
    """Refuse to index more axes than there are."""
    count = len(array.axes)
    if used > count:
        has = "no axes" if count == 0 else "1 axis" if count == 1 else f"{count} axes"
        raise Misfit(f"has {has}, and {used} {'is' if used == 1 else 'are'} indexed")


def diagonal(graph: Graph, array: Array) -> Array:
    """Give the diagonal of a matrix, of the shorter one of its sides.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    array : Array
        A matrix.

    Returns
    -------
    Array

    Raises
    ------
    Misfit
        If it is no matrix.
    """
    if len(array.axes) != 2:
        raise Misfit("is no matrix")
    first, second = array.axes
    if ONE in array.axes:
        node = graph.substitute(array.node, {first or second: 0}) if first or second else array.node
        return Array(node, (ONE,))
    if _known(graph, first) > _known(graph, second):
        first, second = second, first
    return Array(graph.substitute(array.node, {second: Span(first)}), (first,))
