"""What nodes spell out: norm, var, std and softmax; the shapes of inputs; places counted from the end."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from symgd.graph import ROWS, Const, Fold, Graph, Leaf, Map, Node, Span, reachable
from symgd.graph.exact import Number


class Named(NamedTuple):
    """A function of a whole array, what it is of, and the labels that it runs over."""

    name: str
    of: Node
    over: frozenset[str]


def named(graph: Graph | None, node: Node) -> Named | None:
    """Give the reduction that a node spells out.

    Parameters
    ----------
    graph : Graph or None
        Where the lengths of labels are known.
    node : Node
        Any node.

    Returns
    -------
    Named or None
    """
    if not isinstance(node, Map):
        return None
    if node.function == "sqrt0":
        inside = node.args[0]
        if isinstance(inside, Fold) and inside.function == "sum":
            over, body = _folded(inside)
            base = _base(body)
            return Named("norm", base, over) if base is not None else None
        spread = named(graph, inside)
        return spread._replace(name="std") if spread and spread.name == "var" else None
    if node.function == "exp":
        shifted = _normalised(graph, node.args[0])
        return shifted._replace(name="softmax") if shifted else None
    return _normalised(graph, node) or _variance(graph, node)


def diagonal_matrix(graph: Graph | None, node: Map) -> tuple[str, str] | None:
    """Give the labels of rows and columns of a matrix with a vector, or 1, on its diagonal, 0 elsewhere."""
    if node.function != "where" or node.args[2].constant != 0:
        return None
    pair = same_places(node.args[0])
    if graph is None or pair is None or graph.length(pair[0]) != graph.length(pair[1]):
        return None
    plain = node.args[1].constant == 1 or len(node.args[1].labels) == 1
    return pair if plain and node.args[1].labels <= set(pair) else None


def unit_vectors(graph: Graph, node: Map) -> Node | None:
    """Give where(i == j, 1, 0), the unit vectors, for where(i == j, a, 0)."""
    if node.function != "where" or node.args[2].constant != 0 or diagonal_matrix(graph, node):
        return None
    return graph.map("where", node.args[0], graph.const(1), graph.const(0)) if which_places(node.args[0]) else None


def which_places(condition: Node) -> tuple[Node, Span] | None:
    """Give the place that a condition says, and the axis along which it holds there and nowhere else."""
    if not isinstance(condition, Map) or condition.function != "equal":
        return None
    here, axis = condition.args
    if not (isinstance(axis, Leaf) and axis.kind == "places" and isinstance(axis.index[0], Span)):
        return None
    span = axis.index[0]
    placed = isinstance(here, Leaf) and here.kind == "places"
    read = isinstance(here, Const) or any(isinstance(n, Leaf) and n.kind != "places" for n in reachable([here]))
    return (here, span) if span == Span(span.label) and (placed or read) else None


def cumulated(graph: Graph | None, node: Node) -> tuple[str, Node, str, str] | None:
    """Give cumsum or cumprod, its argument, and the labels of argument and result, for a sum of where(j <= i, u, 0)."""
    names = {"sum": ("cumsum", 0), "prod": ("cumprod", 1)}
    if graph is None or not isinstance(node, Fold) or node.function not in names:
        return None
    name, nought = names[node.function]
    body = node.body
    if not isinstance(body, Map) or body.function != "where" or body.args[2].constant != nought:
        return None
    condition, inside, _ = body.args
    if not isinstance(condition, Map) or condition.function != "less_equal":
        return None
    places = [a.index[0] for a in condition.args if isinstance(a, Leaf) and a.kind == "places"]
    labels = [i.label for i in places if isinstance(i, Span) and i == Span(i.label)]
    if len(labels) < 2 or labels[0] != node.label or labels[0] not in inside.labels or labels[1] in inside.labels:
        return None
    return (name, inside, *labels) if graph.length(labels[0]) == graph.length(labels[1]) else None  # type: ignore[return-value]


def stacked(graph: Graph | None, node: Node) -> tuple[str, list[Node]] | None:
    """Give the label and the elements where the node is a stack of as many along it: where(i < 1, a, where(...))."""
    items: list[Node] = []
    label = None
    while isinstance(node, Map) and node.function == "where":
        condition, inside, rest = node.args
        if not isinstance(condition, Map) or condition.function != "less":
            break
        place, limit = condition.args
        if not isinstance(place, Leaf) or place.kind != "places" or limit.constant != len(items) + 1:
            break
        (index,) = place.index
        if not isinstance(index, Span) or index != Span(index.label) or label not in (None, index.label):
            break
        label = index.label
        items.append(inside)
        node = rest
    items.append(node)
    whole = graph is not None and label is not None and graph.length(label) == len(items)
    return (label, items) if whole and label and not any(label in item.labels for item in items) else None


def same_places(condition: Node) -> tuple[str, str] | None:
    """Give two labels where the node says that the places along them are the same."""
    if not isinstance(condition, Map) or condition.function != "equal":
        return None
    labels = [a.index[0].label for a in condition.args
              if isinstance(a, Leaf) and a.kind == "places" and isinstance(a.index[0], Span)
              and a.index[0] == Span(a.index[0].label)]  # fmt: skip
    return (labels[0], labels[1]) if len(set(labels)) == 2 else None


def is_centred(graph: Graph, fold: Fold) -> bool:
    """Tell whether the node is a sum of deviations from their own mean, which is 0."""
    over, body = _folded(fold)
    if not (isinstance(body, Map) and body.function == "add" and len(body.args) == 2):
        return False
    pairs = (body.args, body.args[::-1])
    return any(_mean(graph, b, sign=-1) == (a, over) for a, b in pairs)


def _folded(fold: Fold) -> tuple[frozenset[str], Node]:
    """Give all the labels of folds inside each other, and their body."""
    labels, body = {fold.label}, fold.body
    while isinstance(body, Fold) and body.function == fold.function:
        labels.add(body.label)
        body = body.body
    return frozenset(labels), body


def _normalised(graph: Graph | None, node: Node) -> Named | None:
    """Find a - logsumexp(a)."""
    if not (isinstance(node, Map) and node.function == "add" and len(node.args) == 2):
        return None
    a, b = node.args
    weight, total = _scaled(b)
    if weight != -1 or not isinstance(total, Fold) or total.function != "logsumexp":
        return None
    over, body = _folded(total)
    if body is a:
        return Named("logsoftmax", a, over)
    left = a.labels - total.labels  # the same along an axis of another name
    if graph is not None and len(over) == len(left) == 1:
        (here,), (there,) = over, left
        moved = graph.substitute(body, {here: Span(there)}) if graph.length(here) == graph.length(there) else body
        return Named("logsoftmax", a, left) if moved is a else None
    return None


def _variance(graph: Graph | None, node: Node) -> Named | None:
    outer = _mean(graph, node)
    base = _base(outer[0]) if outer else None
    if outer is None or not (isinstance(base, Map) and base.function == "add" and len(base.args) == 2):
        return None
    a, b = base.args
    inner = _mean(graph, b, sign=-1)
    return Named("var", a, outer[1]) if inner is not None and inner == (a, outer[1]) else None


def _base(node: Node) -> Node | None:
    """Give u where the node is u**2."""
    square = isinstance(node, Map) and node.function == "power" and getattr(node.args[1], "value", None) == 2
    return node.args[0] if isinstance(node, Map) and square else None


def _scaled(node: Node) -> tuple[Number, Node]:
    if isinstance(node, Map) and node.function == "multiply" and isinstance(node.args[0], Const):
        return node.args[0].value, node.args[1]
    return Fraction(1), node


def _mean(graph: Graph | None, node: Node, sign: int = 1) -> tuple[Node, frozenset[str]] | None:
    """Give u, and the labels, where the node is the mean of u, or its negative."""
    factor, rest = _scaled(node)
    share = factor * sign
    rows = False
    if isinstance(rest, Map) and rest.function == "divide":
        rest, below = rest.args
        number, count = _scaled(below)
        if not (isinstance(count, Leaf) and count.kind == "count"):
            return None
        rows, share = True, share / number
    return _counted(graph, rest, share, rows=rows)


def _counted(graph: Graph | None, node: Node, share: Number, *, rows: bool) -> tuple[Node, frozenset[str]] | None:
    """Take sums off a node until their terms are as many as the share says."""
    over: set[str] = set()
    terms = 1
    while isinstance(node, Fold) and node.function == "sum":
        over.add(node.label)
        if node.label != ROWS:
            terms *= (graph.length(node.label) if graph else None) or 0
        node = node.body
        if rows == (ROWS in over) and terms * share == 1:
            return node, frozenset(over)
    return None


# ---- inputs --------------------------------------------------------------------------------------------------------


def sizes_of(graph: Graph | None) -> dict[str, tuple[int | None, ...]]:
    """Give the shapes of all inputs: each was made whole before it was indexed."""
    found: dict[str, tuple[int | None, ...]] = {}
    for node in graph.store if graph else ():
        if isinstance(node, Leaf) and node.index and node.kind in ("data", "parameter") and node.name not in found:
            assert graph is not None
            found[node.name] = tuple(graph.length(i.label) if isinstance(i, Span) else 1 for i in node.index)
    return found


def unwrapped(node: Node, size: int | None) -> Node:
    """Give u where the node is where(u < 0, u + size, u): NumPy counts negative places from the end by itself."""
    if isinstance(node, Map) and node.function == "where":
        condition, yes, no = node.args
        if (
            isinstance(condition, Map)
            and condition.function == "less"
            and condition.args[0] is no
            and isinstance(yes, Map)
            and yes.function == "add"
            and yes.args[0] is no
            and isinstance(yes.args[1], Const)
            and yes.args[1].value == size
        ):
            return no
    return node
