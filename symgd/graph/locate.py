"""Which subexpression is not finite, and in which row: the graph evaluated node by node, with NumPy."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from symgd.data import Data
from symgd.graph import ROWS, Fold, Graph, Leaf, Map, Matrix, Node, Span, reachable
from symgd.graph.partials import partials
from symgd.graph.tape import Point, Tape


def first_bad(graph: Graph, root: Node, text: str, point: Point, data: Data) -> str:
    """Name the first subexpression that is not finite at a point.

    Parameters
    ----------
    graph : Graph
        Where the nodes were made.
    root : Node
        The objective.
    text : str
        Its text.
    point : mapping of str to float or ndarray
        The parameters.
    data : mapping of str to ndarray or float
        The data.

    Returns
    -------
    str
        Such as ``log(x) is nan where x = -1``, or of whole arrays ``log(sum(x)) = log(-3) is nan``.
    """
    found = _Values([root], point, data, graph.store.sizes())
    if not math.isfinite(found.at(root, {})):
        node, place = _trace(root, found)
        return _describe(graph, text, found, node, place, found.at(node, place))
    steps = [
        (node, slope)
        for node in reachable([root])
        if isinstance(node, Map) and node.active
        for slope, arg in zip(partials(graph.tidy, node), node.args, strict=True)
        if arg.active
    ]
    found = _Values([root, *(slope for _, slope in steps)], point, data, graph.store.sizes())
    for node, slope in steps:
        where = found.bad(slope, {})
        if where is not None:
            return _describe(graph, text, found, node, where, found.at(slope, where), "the derivative of ")
    return "the gradient is not finite"


class _Values:
    """The values of nodes, looked at one place after the other."""

    def __init__(self, nodes: list[Node], point: Point, data: Data, lengths: Mapping[str, int]) -> None:
        tape = Tape(nodes, data, lengths)
        self.labels = tape.labels
        self.values = tape.at(point)

    def at(self, node: Node, place: Mapping[str, int]) -> float:
        """Give a node's value at a place, which names each of its labels."""
        value = np.asarray(self.values[node])
        return float(value[tuple(place[k] if k in node.labels else 0 for k in self.labels)] if value.ndim else value)

    def bad(self, node: Node, place: Mapping[str, int]) -> dict[str, int] | None:
        """Give the first place, with the labels of one that is known, where a value is not finite; nan before inf."""
        value = np.asarray(self.values[node], dtype=np.float64)
        if value.ndim:
            known = [slice(None) if k not in place or n == 1 else slice(place[k], place[k] + 1)
                     for k, n in zip(self.labels, value.shape, strict=True)]  # fmt: skip
            value = value[tuple(known)]
        for wrong in (np.isnan(value), ~np.isfinite(value)):
            if wrong.any():
                first = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
                here = {k: int(i) for k, i in zip(self.labels, first, strict=False) if k in node.labels}
                return {k: place.get(k, i) for k, i in here.items()}
        return None


def _trace(root: Node, found: _Values) -> tuple[Node, dict[str, int]]:
    """Go down from the root to where, and at which place, a value that is not finite first arises."""
    node, place = root, dict[str, int]()
    while True:
        if isinstance(node, Fold):  # its label is another than one of the same name outside
            place = {k: i for k, i in place.items() if k != node.label}
        worse = [(a, p) for a in _sources(node, found, place) if (p := found.bad(a, place)) is not None]
        if not worse:
            return node, place
        node, place = next(((a, p) for a, p in worse if math.isnan(found.at(a, p))), worse[0])


def _sources(node: Node, found: _Values, place: Mapping[str, int]) -> tuple[Node, ...]:
    """Give the arguments that a node's value at a place comes from: of where(), the branch that is taken."""
    if isinstance(node, Fold | Matrix):
        return (node.body,)
    if isinstance(node, Map) and node.function == "where":
        return (node.args[1] if found.at(node.args[0], place) else node.args[2],)
    return node.args if isinstance(node, Map) else ()


def _describe(
    graph: Graph, text: str, found: _Values, node: Node, place: Mapping[str, int], bad: float, prefix: str = ""
) -> str:
    begin, end = graph.store.spans.get(node.number) or _span_of_matrix(graph, node) or (0, len(text))
    written = " ".join(text[begin:end].split())
    written = written if len(written) <= 60 else written[:57] + "..."
    if isinstance(node, Matrix):  # of finite elements, all of which take part
        return f"{prefix}{written} is {bad:g}: {_of_matrix(node, bad)}"
    leaves = [n for n in reachable([node]) if isinstance(n, Leaf) and n.constant is None]
    leaves = [n for n in leaves if n.kind not in ("count", "places")]
    where = f" in row {place[ROWS]}" if ROWS in node.labels else ""
    # Whole arrays went into it: the numbers that it was made of then say more than theirs.
    whole = any(not n.labels <= place.keys() for n in leaves)
    if whole and isinstance(node, Map) and all(a.labels <= place.keys() for a in node.args):
        written += _applied(node.function, [found.at(a, place) for a in node.args], written)
    at = ", ".join(
        f"{_name(n, found, place)} = {found.at(n, place):.6g}" for n in leaves[:4] if n.labels <= place.keys()
    )
    return f"{prefix}{written} is {bad:g}{where}" + (f" where {at}" if at else "")


def _applied(function: str, values: list[float], written: str) -> str:
    """Write a function of the table of numbers, by the name that it has in the formula."""
    sign = {"add": " + ", "multiply": "*", "divide": "/", "power": "**"}.get(function)
    if function == "log1p" and "log1p" not in written:  # log(1 + u) is read as log1p(u)
        function, values = "log", [1.0 + values[0]]
    args = [f"{v:.6g}" for v in values]
    if sign is not None:
        shown = (f"({a})" if a.startswith("-") and (i or sign != " + ") else a for i, a in enumerate(args))
        return f" = {sign.join(shown)}"
    return f" = {function}({', '.join(args)})" if function in written else ""


def _span_of_matrix(graph: Graph, node: Node) -> tuple[int, int] | None:
    """Give where a function of a matrix stands, whichever of its elements was read."""
    same = (n.number for n in graph.store if isinstance(n, Matrix) and isinstance(node, Matrix) and n.body is node.body)
    return next((graph.store.spans[number] for number in same if number in graph.store.spans), None)


def _of_matrix(node: Matrix, value: float) -> str:
    """Say why a function of a matrix whose elements are finite is not."""
    if node.function == "logdet" and np.isnan(value):
        return "the determinant is negative"
    if node.function in ("logdet", "logabsdet") and value < 0:
        return "the determinant is 0"
    if node.function == "inv" and np.isnan(value):
        return "the matrix has no inverse"
    return "the elements of the matrix are too large"


def _name(leaf: Leaf, found: _Values, place: Mapping[str, int]) -> str:
    """Write the element of an array that a leaf is at a place; the row of a column is told once for all."""
    index = [
        place[i.label] * i.step + i.start if isinstance(i, Span) else i if isinstance(i, int) else
        int(found.at(i, place)) for i in leaf.index
    ]  # fmt: skip
    if leaf.table:
        return str(leaf.table[index[0]])
    if not index or leaf.index == (Span(ROWS),):
        return leaf.name
    return f"{leaf.name}[{', '.join(map(str, index))}]"
