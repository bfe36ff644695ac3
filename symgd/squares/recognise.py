"""Sums of squares, recognised from the formula."""

from __future__ import annotations

from fractions import Fraction

from symgd.graph import Fold, Graph, Map, Node
from symgd.graph.nodes import Const
from symgd.records import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """One sum of squares: the sum over ``labels`` of the product of ``weights`` times ``residual`` squared.

    The weights are nodes that no parameter reaches; they may vary along the labels.
    """

    residual: Node
    weights: tuple[Node, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Reached:
    """What stands in front of a node on the way down to it."""

    weights: tuple[Node, ...] = ()
    labels: tuple[str, ...] = ()


def recognise(graph: Graph, root: Node) -> tuple[list[Term], list[Term]] | None:
    """Write an objective as a constant plus sums of weighted squares.

    Parameters
    ----------
    graph : Graph
        Where the nodes were made.
    root : Node
        The objective, without grouped terms.

    Returns
    -------
    tuple or None
        The terms that parameters reach, and the others, whose residual is the constant itself, not squared; ``None``
        where the objective is no such sum.
    """
    squares: list[Term] = []
    constants: list[Term] = []
    stack = [(root, _Reached())]
    while stack:
        node, above = stack.pop()
        if not node.active:
            constants.append(Term(node, above.weights, above.labels))
            continue
        residual = _root(graph, node)
        if residual is not None:
            squares.append(Term(residual, above.weights, above.labels))
            continue
        below = _below(graph, node, above)
        if below is None:
            return None
        stack.extend(reversed(below))
    return (squares, constants) if squares else None


def _below(graph: Graph, node: Node, above: _Reached) -> list[tuple[Node, _Reached]] | None:
    """Go down by one node through what keeps a sum of squares one; ``None`` where nothing does."""
    if isinstance(node, Fold):
        if node.function != "sum" or node.label in above.labels:
            return None
        return [(node.body, _Reached(above.weights, (*above.labels, node.label)))]
    if not isinstance(node, Map):
        return None
    match node.function:
        case "add":
            return [(arg, above) for arg in node.args]
        case "multiply":
            a, b = node.args
            if a.active and b.active:
                inner = _under_root(a) if a is b else None
                return None if inner is None else [(inner, above)]
            weight, rest = (b, a) if a.active else (a, b)
            return [(rest, _Reached((*above.weights, weight), above.labels))]
        case "divide" if not node.args[1].active:
            inverse = graph.divide(graph.const(1), node.args[1])
            return [(node.args[0], _Reached((*above.weights, inverse), above.labels))]
        case "power" if _exponent(node) == 2:
            inner = _under_root(node.args[0])
            return None if inner is None else [(inner, above)]
    return None


def _root(graph: Graph, node: Node) -> Node | None:
    """Give the node whose square this is, as far as its form tells; without recursion, for products may be long."""
    known: dict[Node, Node | None] = {}
    stack = [node]
    while stack:
        here = stack[-1]
        parts = _factors(here)
        if any(part in known and known[part] is None for part in parts):
            known[here] = None
        elif (unknown := next((part for part in parts if part not in known), None)) is not None:
            stack.append(unknown)
            continue
        elif parts:
            assert isinstance(here, Map)
            known[here] = graph.map(here.function, *(found for part in here.args if (found := known[part]) is not None))
        else:
            known[here] = _root_of_one(graph, here)
        stack.pop()
    return known[node]


def _factors(node: Node) -> tuple[Node, ...]:
    """Give the operands of a product or quotient, the last one first: in a long product it is the short one."""
    if isinstance(node, Map) and node.function in ("multiply", "divide") and node.args[0] is not node.args[1]:
        return node.args[::-1]
    return ()


def _root_of_one(graph: Graph, node: Node) -> Node | None:
    """Give the root of what is no product of different factors."""
    if not isinstance(node, Map):
        return None
    if node.function == "power":
        exponent, base = _exponent(node), node.args[0]
        if exponent is None or exponent % 2 or exponent <= 0 or _under_root(base) is not None:
            return None
        if isinstance(base, Map) and base.function == "abs" and exponent == 2:
            base = base.args[0]
        return graph.power(base, graph.const(exponent / 2))
    if node.function == "multiply":  # of a node with itself
        return node.args[0] if _under_root(node.args[0]) is None else None
    if node.function == "exp":  # exp(u)**2 was read as exp(2*u)
        factor, rest = graph.split(node.args[0])
        return graph.map("exp", graph.multiply(graph.const(factor / 2), rest)) if factor == 2 else None
    return None


def _exponent(node: Map) -> Fraction | None:
    value = node.args[1].value if isinstance(node.args[1], Const) else None
    return value if isinstance(value, Fraction) else None


def _under_root(node: Node) -> Node | None:
    """Give u where the node is the square root of u."""
    return node.args[0] if isinstance(node, Map) and node.function in ("sqrt", "sqrt0") else None
