"""What the rules look for in a node, and how a table of them is tried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from symgd.graph.exact import Number
from symgd.graph.nodes import Const, Map, Node

if TYPE_CHECKING:
    from symgd.graph.graph import Graph

# What a rewrite is called, and what tries it: the stable node, or None where the pattern is not there.
Rules = Sequence[tuple[str, Callable[..., Node | None]]]


def first(graph: Graph, rules: Rules, *args: object) -> Node | None:
    """Give what the first rule makes that finds its pattern, and count it."""
    for name, rule in rules:
        found = rule(graph, *args)
        if found is not None:
            graph.store.fired[name] += 1
            return found
    return None


def argument(node: Node, function: str) -> Node | None:
    """Give u where the node is function(u)."""
    return node.args[0] if isinstance(node, Map) and node.function == function else None


def is_number(node: Node, value: int) -> bool:
    """Tell whether the node is a number."""
    return isinstance(node, Const) and node.value == value


def terms(node: Node) -> tuple[Node, ...]:
    """Give the terms of a sum."""
    return node.args if isinstance(node, Map) and node.function == "add" else (node,)


def half(graph: Graph, node: Node) -> Node:
    """Give node/2."""
    return graph.multiply(graph.const(Fraction(1, 2)), node)


def twice(graph: Graph, node: Node) -> Node:
    """Give 2*node."""
    return graph.multiply(graph.const(2), node)


def scaled(graph: Graph, factor: Number, node: Node) -> Node:
    """Give a number times a node."""
    return graph.multiply(graph.const(factor), node)


def squared(node: Node) -> Node | None:
    """Give u where the node is u**2 or u*u."""
    if isinstance(node, Map) and node.function == "power" and is_number(node.args[1], 2):
        return node.args[0]
    if isinstance(node, Map) and node.function == "multiply" and node.args[0] is node.args[1]:
        return node.args[0]
    return None


def radius(graph: Graph, node: Node) -> Node | None:
    """Give the root of a sum of squares."""
    found = terms(node)
    if not 2 <= len(found) <= 8:
        return None
    roots = [graph.const(1) if is_number(t, 1) else squared(t) for t in found]
    total = roots[0]
    for root in roots[1:]:
        if total is None or root is None:
            return None
        total = graph.map("hypot", total, root)
    return total
