"""Which subexpression is not finite, and in which row: the graph evaluated node by node, with NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symgd.graph import ROWS, Fold, Graph, Leaf, Map, Matrix, Node, calculus, reachable
from symgd.graph.tape import Tape


def evaluate(
    nodes: list[Node], point: Mapping[str, Any], data: Mapping[str, Any], lengths: Mapping[str, int] | None = None
) -> dict[Node, Any]:
    """Give the value of every node that the given ones are made of.

    Parameters
    ----------
    nodes : list of Node
        Nodes without grouped terms.
    point : mapping of str to float or ndarray
        The parameters; where the nodes have no labels, arrays of values for each are broadcast.
    data : mapping of str to ndarray or float
        The data.
    lengths : mapping of str to int, optional
        Of the labels; those of the rows are read off the data.

    Returns
    -------
    dict of Node to float or ndarray
        An array has one axis for each label of any node, in the order of `tape.label_order`, of length 1 where the node
        does not vary.
    """
    return Tape(nodes, data, lengths).at(point)


def first_bad(
    graph: Graph, root: Node, text: str, point: Mapping[str, float], data: Mapping[str, Any]
) -> tuple[str, bool]:
    """Name the first subexpression that is not finite at a point.

    Parameters
    ----------
    graph : Graph
        Where the nodes were made.
    root : Node
        The objective.
    text : str
        Its text.
    point : mapping of str to float
        The parameters.
    data : mapping of str to ndarray or float
        The data.

    Returns
    -------
    message : str
        Such as ``log(x) is nan where x = -1.0``.
    overflowed : bool
        Whether it is infinite though its arguments are moderate, as by overflow.
    """
    values = evaluate([root], point, data, graph.sizes())
    if not np.isfinite(values[root]):
        culprit = _trace(root, values)
        return _describe(culprit, values, graph, text, "")
    for node in reachable([root]):
        if isinstance(node, Map) and node.active:
            slopes = [p for p, a in zip(calculus.partials(graph, node), node.args, strict=True) if a.active]
            found = evaluate(slopes, point, data, graph.sizes())
            for slope in slopes:
                if not np.isfinite(found[slope]).all():
                    return _describe(node, {**values, node: found[slope]}, graph, text, "the derivative of ")
    return "the gradient is not finite", True


def _trace(root: Node, values: Mapping[Node, Any]) -> Node:
    """Go down from the root to where a value that is not finite first arises."""
    node = root
    while True:
        below = _sources(node, values)
        worse = [a for a in below if not np.isfinite(np.asarray(values[a], dtype=np.float64)).all()]
        if not worse:
            return node
        node = worse[0]


def _sources(node: Node, values: Mapping[Node, Any]) -> tuple[Node, ...]:
    """Give the arguments that a node's value comes from: of where(), the branch that is taken."""
    if isinstance(node, Fold | Matrix):
        return (node.body,)
    if isinstance(node, Map) and node.function == "where":
        condition = np.asarray(values[node.args[0]], dtype=bool)
        return tuple(a for a, taken in ((node.args[1], condition.any()), (node.args[2], not condition.all())) if taken)
    return node.args if isinstance(node, Map) else ()


def _describe(node: Node, values: Mapping[Node, Any], graph: Graph, text: str, prefix: str) -> tuple[str, bool]:
    begin, end = graph.spans.get(node.number) or _span_of_matrix(graph, node) or (0, len(text))
    written = " ".join(text[begin:end].split())
    written = written if len(written) <= 60 else written[:57] + "..."
    array = np.asarray(values[node], dtype=np.float64)
    place = tuple(int(p[0]) for p in np.nonzero(~np.isfinite(array))) if array.ndim else ()
    bad = float(array[place])
    if isinstance(node, Matrix):  # of finite elements, all of which take part
        why, overflowed = _of_matrix(node, bad)
        return f"{prefix}{written} is {bad:g}: {why}", overflowed
    inputs = [n for n in reachable([node]) if isinstance(n, Leaf) and n.constant is None and n.kind != "count"]
    at = ", ".join(f"{_name(n)} = {_pick(values[n], place):.6g}" for n in inputs[:4] if n.kind != "places")
    where = f" in row {place[0]}" if ROWS in node.labels else f" at place {max(place)}" if node.labels else ""
    return f"{prefix}{written} is {bad:g}{where}" + (f" where {at}" if at else ""), bool(np.isinf(bad))


def _span_of_matrix(graph: Graph, node: Node) -> tuple[int, int] | None:
    """Give where a function of a matrix stands, whichever of its elements was read."""
    same = (n.number for n in graph if isinstance(n, Matrix) and isinstance(node, Matrix) and n.body is node.body)
    return next((graph.spans[number] for number in same if number in graph.spans), None)


def _of_matrix(node: Matrix, value: float) -> tuple[str, bool]:
    """Say why a function of a matrix whose elements are finite is not, and whether it overflowed."""
    if node.function == "logdet" and np.isnan(value):
        return "the determinant is negative", False
    if node.function in ("logdet", "logabsdet") and value < 0:
        return "the determinant is 0", False
    if node.function == "inv" and np.isnan(value):
        return "the matrix has no inverse", False
    return "the elements of the matrix are too large", True


def _name(leaf: Leaf) -> str:
    return leaf.name if len(leaf.index) < 2 else f"an element of {leaf.name}"


def _pick(value: Any, place: tuple[int, ...]) -> float:
    """Give the element of a value that stands at a place, its axes of length 1 aside."""
    array = np.asarray(value)
    return float(array[tuple(min(p, n - 1) for p, n in zip(place, array.shape, strict=True))] if array.ndim else array)
