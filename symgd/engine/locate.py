"""Which subexpression is not finite, and in which row: the graph evaluated node by node, with NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symgd import calculus, scalar
from symgd.functions import FUNCTIONS
from symgd.graph import Fold, Graph, Leaf, Map, Node, reachable


def evaluate(nodes: list[Node], point: Mapping[str, Any], data: Mapping[str, Any]) -> dict[Node, Any]:
    """Give the value of every node that the given ones are made of.

    Parameters
    ----------
    nodes : list of Node
        Nodes without grouped terms.
    point : mapping of str to float or ndarray
        The parameters; arrays are broadcast.
    data : mapping of str to ndarray or float
        The data.

    Returns
    -------
    dict of Node to float or ndarray
    """
    rows = next((len(v) for v in data.values() if isinstance(v, np.ndarray)), 1)
    values: dict[Node, Any] = {}
    with np.errstate(all="ignore"):
        for node in reachable(nodes):
            if node.constant is not None:
                values[node] = node.constant
            elif isinstance(node, Leaf):
                source: Mapping[str, Any] = data if node.kind == "data" else point
                values[node] = float(rows) if node.kind == "count" else source[node.name]
            elif isinstance(node, Fold):
                values[node] = _fold(node.function, np.asarray(values[node.body]))
            elif isinstance(node, Map):
                values[node] = _map(node.function, [values[a] for a in node.args])
    return values


def _fold(function: str, body: np.ndarray[Any, Any]) -> float:
    if function == "logsumexp":
        return float(np.logaddexp.reduce(body))
    return float(getattr(np, function)(body))


_PLAIN = {"add": np.add, "multiply": np.multiply, "divide": np.divide, "power": np.power, "abs": np.abs,
          "maximum": np.maximum, "minimum": np.minimum}  # fmt: skip


def _map(function: str, args: list[Any]) -> Any:
    if function == "add":
        total = args[0]
        for arg in args[1:]:
            total = np.add(total, arg)
        return total
    if function == "where":
        return np.where(np.asarray(args[0], dtype=bool), args[1], args[2])
    known = _PLAIN.get(function) or (
        getattr(np, function, None) if FUNCTIONS[function].numpy.startswith("np.") else None
    )
    if known is not None and function not in scalar.SHARED:
        return known(*(np.asarray(a, dtype=np.float64) for a in args))
    return np.vectorize(lambda *a: scalar.evaluate(function, list(a)), otypes=[float])(*args)


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
    values = evaluate([root], point, data)
    if not np.isfinite(values[root]):
        culprit = _trace(root, values)
        return _describe(culprit, values, graph, text, "")
    for node in reachable([root]):
        if isinstance(node, Map) and node.active:
            slopes = [p for p, a in zip(calculus.partials(graph, node), node.args, strict=True) if a.active]
            found = evaluate(slopes, point, data)
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
    if isinstance(node, Fold):
        return (node.body,)
    if isinstance(node, Map) and node.function == "where":
        condition = np.asarray(values[node.args[0]], dtype=bool)
        return tuple(a for a, taken in ((node.args[1], condition.any()), (node.args[2], not condition.all())) if taken)
    return node.args if isinstance(node, Map) else ()


def _describe(node: Node, values: Mapping[Node, Any], graph: Graph, text: str, prefix: str) -> tuple[str, bool]:
    begin, end = graph.spans.get(node.number, (0, len(text)))
    written = " ".join(text[begin:end].split())
    written = written if len(written) <= 60 else written[:57] + "..."
    array = np.asarray(values[node], dtype=np.float64)
    row = "" if array.ndim == 0 else f" in row {int(np.flatnonzero(~np.isfinite(array))[0])}"
    index = int(np.flatnonzero(~np.isfinite(array))[0]) if array.ndim else None
    bad = float(array) if index is None else float(array[index])
    inputs = [n for n in reachable([node]) if isinstance(n, Leaf) and n.constant is None and n.kind != "count"]
    at = ", ".join(f"{n.name} = {_pick(values[n], index):.6g}" for n in inputs[:4])
    return f"{prefix}{written} is {bad:g}{row}" + (f" where {at}" if at else ""), bool(np.isinf(bad))


def _pick(value: Any, index: int | None) -> float:
    array = np.asarray(value)
    return float(array if array.ndim == 0 or index is None else array[index])
