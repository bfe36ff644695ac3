"""Indices: slices, whole numbers, new axes, arrays of whole numbers and conditions, as NumPy has them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from symgd.graph import selections
from symgd.graph.arrays import ONE, Array, Misfit, assign, shape
from symgd.graph.graph import Graph
from symgd.graph.nodes import Index, Node, Span
from symgd.records import dataclass


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
            assign(graph, column, axes, maps)
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
