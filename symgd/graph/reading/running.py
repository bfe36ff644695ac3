"""Functions of the language along an axis, products above all, and arrays in the shape of another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from symgd import language as fm
from symgd.graph import arrays, picks
from symgd.graph.arrays import ONE, Array, Misfit
from symgd.graph.nodes import ROWS, Span
from symgd.graph.picks import Cut

if TYPE_CHECKING:
    from symgd.graph.reading.reader import Reader

LONGEST = 2000  # places along an axis: the work grows with their square


def _known_axis(reader: Reader, tree: fm.Call, array: Array, place: int) -> tuple[Array, int]:
    """Give an array whose axis at a place is not that of the rows, and the length of that axis."""
    graph = reader.graph
    axis = array.axes[place]
    length = arrays.size(graph, axis)
    if length is None:
        picked = axis in graph.store.selected
        what = "what a condition picks is not in an order" if picked else "their number is not known"
        raise reader.error(f"'{tree.function}' along rows needs all of them, and {what}", tree)
    if length > LONGEST:
        hint = "prod(x) of positive x is exp(sum(log(x)))" if tree.function == "prod" else None
        raise reader.error(f"'{tree.function}' along {length} places is too long: up to {LONGEST} are read", tree, hint)
    if axis != ROWS:
        return array, length
    label = graph.label(length, array.axes)
    axes = tuple(label if a == ROWS else a for a in array.axes)
    return Array(graph.substitute(array.node, {ROWS: Span(label)}), axes), length


def _product(reader: Reader, tree: fm.Call) -> Array:
    """Multiply along axes. The derivative is the product of all other elements, and so right where one is 0."""
    array = reader.number(tree.args[0])
    over, keep = reader.axes(tree, array)
    for place in over:
        if array.axes[place] != ONE and array.axes[place] not in reader.graph.store.selected:
            array, _ = _known_axis(reader, tree, array, place)
    if any(axis in reader.graph.store.selected for axis in array.axes):
        raise reader.error("'prod' of what a condition picks is not read", tree, "prod(where(condition, x, 1))")
    return arrays.reduce(reader.graph, "prod", array, over, keep=keep)


def _cumulated(reader: Reader, tree: fm.Call) -> Array:
    """Sums and products of the elements up to each."""
    graph = reader.graph
    array = reader.number(tree.args[0])
    if not array.axes:
        reader.misfit(f"'{tree.function}' needs an array", tree.start, tree.end, tree.args, "write a list: [a, b]")
    over, _ = reader.axes(tree, array)
    if len(over) > 1:
        raise reader.error(f"'{tree.function}' of a matrix needs axis=", tree, f"{tree.function}(A, axis=0)")
    place = over[0]
    if array.axes[place] == ONE:
        return array
    array, length = _known_axis(reader, tree, array, place)
    label = array.axes[place]
    inner = graph.label(length, array.axes)
    before = graph.map("less_equal", graph.leaf("places", "", (inner,)), graph.leaf("places", "", (label,)))
    body = graph.substitute(array.node, {label: Span(inner)})
    function, nought = ("sum", 0) if tree.function == "cumsum" else ("prod", 1)
    kept = graph.map("where", before, body, graph.const(nought))
    return Array(graph.fold(function, kept, inner), array.axes)


def _flip(reader: Reader, tree: fm.Call) -> Array:
    array = reader.number(tree.args[0])
    over, _ = reader.axes(tree, array)
    cuts = [Cut(None, None, -1) if place in over else Cut() for place in range(len(array.axes))]
    try:
        return picks.pick(reader.graph, array, cuts)
    except Misfit as problem:
        shown = reader.shown(tree.args[0], array)
        reader.misfit(f"{shown} {problem}", tree.start, tree.end, tree.args)


def _like(reader: Reader, tree: fm.Call) -> Array:
    """zeros_like, ones_like and full_like."""
    graph = reader.graph
    axes = reader.value(tree.args[0]).axes
    if tree.function != "full_like":
        return Array(graph.const(int(tree.function == "ones_like")), axes)
    value = reader.number(tree.args[1])
    try:
        nodes, found = arrays.broadcast(graph, Array(graph.const(0), axes), value)
    except Misfit:
        found = ()
    if len(found) != len(axes) or any(b != ONE and a == ONE for a, b in zip(axes, found, strict=True)):
        shown = reader.shown(tree.args[1], value)
        shape = arrays.shape(graph, Array(graph.const(0), axes))
        reader.misfit(f"{shown} does not fill the shape {shape}", tree.start, tree.end, tree.args)
    return Array(nodes[1], found)


def _full(reader: Reader, tree: fm.Call) -> Array:
    shape = reader.filled(tree.args[0])
    value = reader.number(tree.args[1])
    if value.axes:
        raise reader.error("'full' takes one number", tree.args[1], "write zeros(shape) + values")
    return Array(value.node, shape)


FUNCTIONS: dict[str, Callable[[Reader, fm.Call], Array]] = {
    "prod": _product, "cumsum": _cumulated, "cumprod": _cumulated, "flip": _flip, "zeros_like": _like,
    "ones_like": _like, "full_like": _like, "full": _full,
}  # fmt: skip
