"""Attributes of arrays, and what stands in brackets behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symgd import language as fm
from symgd.graph import arrays, picks
from symgd.graph.arrays import ONE, Array, Misfit
from symgd.graph.nodes import Const, Leaf, Node, Span
from symgd.graph.picks import Cut, Item, Mask
from symgd.graph.reading.array_functions import average_over
from symgd.graph.reading.values import is_boolean
from symgd.language import Tree

if TYPE_CHECKING:
    from symgd.graph.reading.reader import Reader


def attribute(reader: Reader, tree: fm.Attribute) -> Array:
    """Read ``.T``, ``.size`` and the like."""
    array = reader.value(tree.value)
    if tree.name == "T":
        return arrays.transpose(array)
    if tree.name == "size":
        reader.ask(tree, (tree.value,), array)
        average_over(reader.graph, array, range(len(array.axes)))
        return Array(arrays.count(reader.graph, array, range(len(array.axes))))
    if tree.name == "ndim":
        return Array(reader.graph.const(len(array.axes)))
    raise reader.error("a shape is not a number", tree, "write x.shape[0] for the number of rows")


def indexed(reader: Reader, tree: fm.Index) -> Array:
    """Read what stands in brackets."""
    if isinstance(tree.value, fm.Attribute) and tree.value.name == "shape":
        array = reader.value(tree.value.value)
        if len(tree.items) == 1:
            place = reader.position(tree.items[0], len(array.axes), (tree.value.value,))
            return Array(arrays.count(reader.graph, array, (place,)))
        raise reader.error("a shape takes one whole number", tree, "write x.shape[0]")
    array = reader.value(tree.value)
    used = sum(not isinstance(t, fm.Ellipsis_ | fm.NewAxis) for t in tree.items)
    try:
        picks.check_rank(array, used)
        return picks.pick(reader.graph, array, _items(reader, tree, array))
    except Misfit as problem:
        start = tree.value.end
        reader.misfit(
            f"{reader.shown(tree.value, array)} {problem}",
            start,
            tree.end,
            (tree.value,),
            "leave an index out, or pick another",
        )


def _items(reader: Reader, tree: fm.Index, array: Array) -> list[Item]:
    items: list[Item] = []
    dots = [t for t in tree.items if isinstance(t, fm.Ellipsis_)]
    if len(dots) > 1:
        raise reader.error("an index takes one '...' at most", dots[1], "write ':' for the others")
    used = sum(not isinstance(t, fm.Ellipsis_ | fm.NewAxis) for t in tree.items)
    axis = 0
    for item in tree.items:
        if isinstance(item, fm.Ellipsis_):
            items += [Cut()] * max(0, len(array.axes) - used)
            axis += max(0, len(array.axes) - used)
        elif isinstance(item, fm.NewAxis):
            items.append(None)
        else:
            items.append(_item(reader, item, array.axes[axis], tree.value))
            axis += 1
    return items


def _item(reader: Reader, tree: Tree, axis: str, base: Tree) -> Item:
    if isinstance(tree, fm.Slice):
        bounds = (None if t is None else reader.whole(t, "a bound of a slice")
                  for t in (tree.lower, tree.upper, tree.step))  # fmt: skip
        cut = Cut(*bounds)
        if cut.step == 0:
            raise reader.error(
                "the step of a slice must not be 0", tree, "write x[::1] for every entry, x[::-1] backwards"
            )
        return cut
    node, axes = reader.value(tree)
    if is_boolean(node) or (isinstance(node, Leaf) and node.kind == "data" and node.name in reader.masks):
        return _mask(reader, Array(node, axes), tree, axis, base)
    if isinstance(node, Const) and not axes:
        return reader.whole(tree, "an index")
    if node.active:
        raise reader.error("an index must not depend on a parameter", tree, "give it as data")
    return Array(_wrapped(reader, node, tree, axis, base), axes)


def _mask(reader: Reader, array: Array, tree: Tree, axis: str, base: Tree) -> Mask:
    """Read a condition that picks places along an axis."""
    if array.node.active:
        hint = "which rows there are must be known from the data; write where(condition, x, 0)"
        raise reader.error("a condition that picks rows must not depend on a parameter", tree, hint)
    if len(array.axes) != 1 or axis == ONE or array.axes[0] == ONE:
        raise reader.error("a condition picks along one axis", tree, "write where(condition, x, 0)")
    own = array.axes[0]
    if axis in reader.graph.store.selected or own in reader.graph.store.selected:
        raise reader.error("rows are picked once", tree, "join the conditions: x[(a > 0) & (b > 0)]")
    if arrays.size(reader.graph, own) != arrays.size(reader.graph, axis):
        problem = f"{reader.shown(tree, array)} picks along an axis of length {arrays.size(reader.graph, axis) or 'n'}"
        reader.misfit(problem, tree.start, tree.end, (base,), "a condition has one truth value for each place")
    node = reader.graph.substitute(array.node, {own: Span(axis)})
    return Mask(node if is_boolean(node) else reader.graph.map("not_equal", node, reader.graph.const(0)))


def _wrapped(reader: Reader, node: Node, tree: Tree, axis: str, base: Tree) -> Node:
    """Check an array that serves as an index; negative entries count from the end."""
    length = arrays.size(reader.graph, axis)
    if reader.bounds is None or length is None:
        return node
    try:
        low, high = reader.bounds(node)
    except ValueError as problem:
        hint = "an index holds whole numbers; where(condition, x, 0) picks by a condition"
        raise reader.error(str(problem), tree, hint) from None
    if low < -length or high >= length:
        worst = f"index {low if low < -length else high} is out of bounds for an axis of length {length}"
        reader.misfit(worst, tree.start, tree.end, (base,), f"entries go from {-length} to {length - 1}")
    if low >= 0:
        return node
    graph = reader.graph
    negative = graph.map("less", node, graph.const(0))
    return graph.map("where", negative, graph.add(node, graph.const(length)), node)
