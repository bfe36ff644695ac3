"""Arrays: nodes whose axes are in order, with NumPy's rules for broadcasting, products and reductions.

A node has labels, which line up by name; NumPy's axes line up by position. An `Array` holds the labels of a node in the
order of its axes. Axes of the same length share a label wherever they can, so that the same subexpression is the same
node however it was reached; where two axes of one array have the same length, one of them has a label of its own. All
that NumPy does with positions is a choice of labels here, and `Graph.substitute` carries it out.
"""

from __future__ import annotations

from collections.abc import Sequence
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
        assign(graph, column, axes, maps)
    return [graph.substitute(a.node, m) for a, m in zip(arrays, maps, strict=True)], tuple(axes)


def assign(graph: Graph, column: Sequence[str], axes: list[str], maps: list[dict[str, Index]]) -> None:
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
        assign(graph, pair, axes, maps)
    kept = tuple(axes)
    assign(graph, (inner_a, inner_b), axes, maps)
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
