"""Derivatives as nodes that a person would write: what the chain rule leaves apart is gathered, what is 0 vanishes.

Values and domains stay the same. What the formula itself says is left as it was written.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from symgd.graph import Const, Fold, Graph, Leaf, Map, Node, Span, arguments, is_zero, reachable
from symgd.graph.exact import Number
from symgd.views.patterns import is_centred, same_places

_HALF = Fraction(1, 2)


def tidied(graph: Graph, nodes: Iterable[Node], written: int = -1) -> list[Node]:
    """Rewrite the nodes of derivatives.

    Parameters
    ----------
    graph : Graph
        Where they were made, and where new ones are made.
    nodes : iterable of Node
        The derivatives.
    written : int
        The number of the last node of the formula itself: what is older is not changed.

    Returns
    -------
    list of Node
    """
    roots = list(nodes)
    found: dict[Node, Node] = {}
    for node in reachable(roots):
        if node.number <= written or isinstance(node, Leaf | Const):
            found[node] = node
            continue
        args = tuple(found[a] for a in arguments(node))
        if isinstance(node, Fold):
            found[node] = _fold(graph, node.function, args[0], node.label)
        else:
            found[node] = _map(graph, node, args, written) if isinstance(node, Map) else graph.same(node, args)
    return [found[root] for root in roots]


# ---- folds ---------------------------------------------------------------------------------------------------------


def _fold(graph: Graph, function: str, body: Node, label: str) -> Node:
    if function != "sum" or label not in body.labels:
        return graph.fold(function, body, label)
    picked = _picked(graph, body, label)
    if picked is not None:
        return picked
    if isinstance(body, Map) and body.function == "add" and any(_picked(graph, term, label) for term in body.args):
        return graph.add(*(_fold(graph, "sum", term, label) for term in body.args))
    outside, inside = _outside(graph, body, label)
    if inside is not body:
        return graph.multiply(outside, _fold(graph, "sum", inside, label))
    total = graph.fold("sum", body, label)
    return graph.const(0) if isinstance(total, Fold) and is_centred(graph, total) else total


def _outside(graph: Graph, body: Node, label: str) -> tuple[Node, Node]:
    """Take the factors that do not vary along a label off a product."""
    one = graph.const(1)
    if label not in body.labels:
        return body, one
    if isinstance(body, Map) and body.function in ("multiply", "divide"):
        (a, x), (b, y) = (_outside(graph, arg, label) for arg in body.args)
        if (x, y) != body.args:
            combine = graph.multiply if body.function == "multiply" else graph.divide
            return combine(a, b), combine(x, y)
    if isinstance(body, Map) and body.function == "where" and is_zero(body.args[2]):
        factor, rest = graph.split(body.args[1])
        if factor != 1:
            return graph.const(factor), graph.map("where", body.args[0], rest, body.args[2])
    return one, body


def _picked(graph: Graph, body: Node, label: str) -> Node | None:
    """Give the one term of a sum that is not 0, where the body is where() along its label equals another one."""
    conditions: list[Node] = []
    while isinstance(body, Map) and body.function == "where" and is_zero(body.args[2]):
        condition, body, _ = body.args
        pair = same_places(condition)
        if pair and label in pair and graph.length(pair[0]) == graph.length(pair[1]):
            other = pair[0] if pair[1] == label else pair[1]
            for outer in reversed(conditions):
                body = graph.map("where", outer, body, graph.const(0))
            return graph.substitute(body, {label: Span(other)})
        conditions.append(condition)
    return None


# ---- maps ----------------------------------------------------------------------------------------------------------


def _map(graph: Graph, node: Map, args: tuple[Node, ...], written: int) -> Node:
    if node.function == "add":
        return _sum(graph, args)
    if node.function == "where":
        return _where(graph, args)
    if node.function == "ratio":
        factor, rest = graph.split(args[0])
        if isinstance(args[0], Const):
            factor, rest = args[0].value, graph.const(1)
        return graph.scaled(factor, graph.raw("ratio", rest, args[1])) if factor else graph.const(0)
    if node.function == "divide":
        return _quotient(graph, *args)
    if node.function == "power" and isinstance(args[1], Const) and args[1].value == -_HALF:
        return graph.raw("divide", graph.const(1), graph.raw("sqrt", args[0]))
    if node.function == "multiply" and isinstance(args[0], Const) and args[1].number > written:
        return _spread(graph, args[0].value, args[1])
    return node if args == node.args else graph.map(node.function, *args)


def _quotient(graph: Graph, a: Node, b: Node) -> Node:
    """Divide; the number in front of the divisor goes above the line."""
    factor, rest = graph.split(b)
    size = isinstance(rest, Leaf) and rest.kind == "count" and factor in graph.store.averaged  # of an array: 3*len(Y)
    if isinstance(factor, Fraction) and factor not in (0, 1) and not size and not isinstance(a, Const):
        return graph.multiply(graph.const(1 / factor), graph.divide(a, rest))
    return graph.divide(a, b)


def _spread(graph: Graph, factor: Number, node: Node) -> Node:
    """Multiply a sum by a number, term by term if all terms have one of their own."""
    if isinstance(node, Map) and node.function == "add" and all(graph.split(t)[0] not in (1, -1) for t in node.args):
        return graph.add(*(graph.multiply(graph.const(factor), term) for term in node.args))
    return graph.multiply(graph.const(factor), node)


def _sum(graph: Graph, terms: tuple[Node, ...]) -> Node:
    """Add, the branches of where() under one condition together."""
    branches: dict[Node, list[tuple[Node, Node]]] = {}
    order: list[Node | None] = []
    others: list[Node] = []
    for term in terms:
        factor, rest = graph.split(term)
        if isinstance(rest, Map) and rest.function == "where" and any(map(is_zero, rest.args[1:])):
            condition, *pair = rest.args
            if condition not in branches:
                order.append(condition)
            scaled = [graph.multiply(graph.const(factor), branch) for branch in pair]
            branches.setdefault(condition, []).append((scaled[0], scaled[1]))
        else:
            order.append(None)
            others.append(term)
    found: list[Node] = []
    rest_of = iter(others)
    for place in order:
        if place is None:
            found.append(next(rest_of))
            continue
        yes, no = (graph.add(*side) for side in zip(*branches[place], strict=True))
        found.append(_where(graph, (place, yes, no)))
    return graph.add(*found)


def _where(graph: Graph, args: tuple[Node, ...]) -> Node:
    condition, yes, no = args
    step = _step(graph, condition, yes, no)
    if step is not None:
        return step
    # Within a branch it is known whether the condition holds.
    if isinstance(yes, Map) and yes.function == "where" and yes.args[0] is condition:
        yes = yes.args[1]
    if isinstance(no, Map) and no.function == "where" and no.args[0] is condition:
        no = no.args[2]
    pair = same_places(condition)
    if pair and is_zero(no) and graph.length(pair[0]) == graph.length(pair[1]):  # on the diagonal, one place for both
        yes = graph.substitute(yes, {pair[1]: Span(pair[0])})
    if (is_zero(yes) and is_zero(no)) or (is_zero(no) and _vanishes(condition, yes)):
        return yes
    return graph.map("where", condition, yes, no)


def _step(graph: Graph, condition: Node, yes: Node, no: Node) -> Node | None:
    """Write the slope of a maximum or minimum, where(a > b, 1, where(a == b, 1/2, 0)), as heaviside(a - b, 1/2)."""
    if not (isinstance(condition, Map) and condition.function in ("greater", "less") and yes.constant == 1):
        return None
    if not (isinstance(no, Map) and no.function == "where"):
        return None
    tie, half, zero = no.args
    equal = isinstance(tie, Map) and tie.function == "equal" and set(tie.args) == set(condition.args)
    if not (equal and isinstance(half, Const) and half.value == _HALF and is_zero(zero)):
        return None
    a, b = condition.args if condition.function == "greater" else condition.args[::-1]
    above = graph.subtract(a, b)
    return graph.raw("heaviside", above, graph.const(_HALF)) if above.constant is None else None


def _vanishes(condition: Node, node: Node) -> bool:
    """Tell whether the node is relu(u) times inputs, and the condition u > 0: it is 0 where that does not hold."""
    if not (isinstance(condition, Map) and condition.function == "greater" and is_zero(condition.args[1])):
        return False
    factors, stack = [], [node]
    while stack:
        part = stack.pop()
        if isinstance(part, Map) and part.function == "multiply":
            stack += part.args
        else:
            factors.append(part)
    halves = [f for f in factors if isinstance(f, Map) and f.function == "relu" and f.args[0] is condition.args[0]]
    return bool(halves) and all(isinstance(f, Leaf | Const) or f in halves for f in factors)
