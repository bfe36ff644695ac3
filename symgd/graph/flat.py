"""Derivatives where a branch is flat: 0, whatever they are multiplied by.

The slope of ``sqrt(u)`` is infinite at u = 0, and that of ``maximum(0, v)`` is 0 where v < 0. Their product, the slope
of ``sqrt(maximum(0, v))`` there, is 0 and not nan: the function is constant in a neighbourhood. So a factor that may be
infinite is multiplied inside the branches that the other factor chooses between, and never reaches those that are flat.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from symgd.graph.lengths import never_zero
from symgd.graph.nodes import Const, Fold, Map, Node, arguments, is_zero, reachable
from symgd.language.functions import FUNCTIONS

if TYPE_CHECKING:
    from symgd.graph.graph import Graph, Tidy

    Change = Callable[[Tidy, Node], Node]


def singular(graph: Graph, node: Node) -> bool:
    """Tell whether a factor of a derivative may be infinite where the function itself is not."""
    known = graph.store.memo(singular)
    stack = [node]
    while stack:
        top = stack[-1]
        if top in known:
            stack.pop()
        elif not top.active or _pole(top):
            known[top] = top.active
        elif missing := [a for a in arguments(top) if a not in known]:
            stack += missing
        else:
            known[top] = any(known[a] for a in arguments(top))
    return known[node]


def _pole(node: Node) -> bool:
    if not isinstance(node, Map):
        return False
    if node.function == "divide":
        return node.args[1].active and not never_zero(node.args[1])
    if node.function == "power":
        falling = not isinstance(node.args[1], Const) or node.args[1].value < 0
        return falling and not never_zero(node.args[0])
    return node.function in ("log", "log1p", "powslope", "powlog", "tan", "xdivy")


_STEEP = ("exp", "exp2", "expm1", "sinh", "cosh")  # what overflows soonest of all that is defined everywhere


def summed(graph: Tidy, node: Node) -> bool:
    """Tell whether a node is made of a sum of branches, and 0 where none of them is chosen."""
    return masked(graph, node) and any(isinstance(n, Fold) for n in reachable([node]))


def limited(graph: Graph, node: Node) -> bool:
    """Tell whether a node may be no finite number at points where others are."""
    known = graph.store.memo(limited)
    if node not in known:
        made = (n for n in reachable([node]) if isinstance(n, Map) and n.active)
        known[node] = any(FUNCTIONS[n.function].domain != "all reals" or n.function in _STEEP for n in made)
    return known[node]


def masked(graph: Tidy, node: Node, depth: int = 12) -> bool:
    """Tell whether a node is 0 in a whole neighbourhood of some points: a chosen branch, or what is made of such."""
    if not depth or node in graph.shielded:
        return False
    if isinstance(node, Fold):
        return node.function == "sum" and masked(graph, node.body, depth - 1)
    if not isinstance(node, Map):
        return False
    match node.function:
        case "where":
            return any(is_zero(branch) or masked(graph, branch, depth - 1) for branch in node.args[1:])
        case "multiply":
            return any(masked(graph, a, depth - 1) for a in node.args)
        case "divide":
            return masked(graph, node.args[0], depth - 1)
        case "add":
            return all(masked(graph, a, depth - 1) for a in node.args[:16])
        case "maximum" | "minimum":
            return any(is_zero(a) for a in node.args)
        case "power":
            exponent = node.args[1]
            return isinstance(exponent, Const) and exponent.value > 0 and masked(graph, node.args[0], depth - 1)
    return node.function == "relu" or FUNCTIONS[node.function].boolean


def branches(graph: Tidy, node: Node, change: Change) -> Node | None:
    """Apply a change, which multiplies by what may be infinite, to a factor everywhere but where that is flat.

    Parameters
    ----------
    graph : Tidy
        Where nodes are made.
    node : Node
        The factor.
    change : callable
        Gives the product, made by an arithmetic that leaves the factor whole.

    Returns
    -------
    Node or None
        ``None`` for a factor that is flat nowhere.
    """
    if not masked(graph, node):
        return None
    if isinstance(node, Map):
        if node.function == "where":
            condition, *choices = node.args
            return graph.map("where", condition, *(_inside(graph, c, change) for c in choices))
        if node.function == "add":
            return graph.add(*(_inside(graph, t, change) for t in node.args))
        if node.function == "multiply":
            a, b = node.args if masked(graph, node.args[0]) else node.args[::-1]
            return branches(graph, a, lambda g, n: change(g, g.multiply(n, b)))
        if node.function == "divide":
            return branches(graph, node.args[0], lambda g, n: change(g, g.divide(n, node.args[1])))
        if FUNCTIONS[node.function].boolean:
            return graph.map("where", node, change(graph, graph.const(1)), graph.const(0))
    # Not where its value is 0, as a slope's is at a minimum, but where what chooses its branches says so.
    changed = change(graph.shielding(node), node)
    return graph.raw("where", graph.raw("equal", _alive(graph, node), graph.const(0)), graph.const(0), changed)


def _alive(graph: Tidy, node: Node, depth: int = 12) -> Node:
    """Give a number that is 0 where a node is flat: where each of its parts that may be is."""
    one, zero = graph.const(1), graph.const(0)
    if is_zero(node):
        return zero
    if not masked(graph, node, depth):
        return one
    if isinstance(node, Fold):
        body = _alive(graph, node.body, depth - 1)
        return graph.raw_fold("sum", body, node.label) if node.label in body.labels else body
    assert isinstance(node, Map)
    if node.function == "where":
        condition, *choices = node.args
        return graph.raw("where", condition, *(_alive(graph, c, depth - 1) for c in choices))
    if node.function in ("multiply", "add"):
        parts = [_alive(graph, a, depth - 1) for a in node.args]
        return graph.raw(node.function, *parts) if len(parts) > 1 else parts[0]
    if node.function in ("divide", "power"):
        return _alive(graph, node.args[0], depth - 1)
    if FUNCTIONS[node.function].boolean:
        return graph.raw("where", node, one, zero)
    # A positive part, which is 0 where its argument is not positive.
    return graph.raw("where", graph.raw("equal", node, zero), zero, one)


def _inside(graph: Tidy, node: Node, change: Change) -> Node:
    return node if is_zero(node) else branches(graph, node, change) or change(graph, node)
