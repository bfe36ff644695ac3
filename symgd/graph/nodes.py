"""Three kinds of node, and how to walk them.

A `Leaf` is a parameter or a data column; a `Map` applies one function of the table to its arguments, element by
element; a `Fold` adds up (or takes the minimum, maximum, or logsumexp of) its body over a label. Axes are labels, and
line up by name. A node is always younger than its arguments, so that sorting by `Node.number` is a topological order
and no walk recurses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from symgd.graph.exact import Number

ROWS = "rows"  # the label of the first axis of the data


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """What every node has: its number, its labels, whether a parameter reaches it, and its value if constant."""

    number: int
    labels: frozenset[str]
    active: bool
    constant: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Const(Node):
    """A number: exact while it is a small ratio, float64 otherwise."""

    value: Number


@dataclass(frozen=True, slots=True, eq=False)
class Leaf(Node):
    """An input. ``kind`` says which; a ``table`` gives one entry for each place along the leaf's label.

    Kinds: ``parameter`` and ``direction`` (a parameter's component of the vector v in a Hessian times v), alone or,
    with a table of names, gathered along a label; ``data``; ``numbers`` (a table of constants); ``constant`` (pi, e);
    ``count`` (how many rows the data column ``name`` has); ``symbol`` (what an update rule reads).
    """

    kind: str
    name: str
    table: tuple[object, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Map(Node):
    """A function of the table applied elementwise."""

    function: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Fold(Node):
    """A reduction of ``body`` over ``label``; ``function`` is ``sum``, ``min``, ``max`` or ``logsumexp``."""

    function: str
    body: Node
    label: str


def arguments(node: Node) -> tuple[Node, ...]:
    """Give the nodes that a node is made of."""
    if isinstance(node, Map):
        return node.args
    return (node.body,) if isinstance(node, Fold) else ()


def reachable(roots: Iterable[Node]) -> list[Node]:
    """Give all nodes that the roots are made of, arguments first."""
    found: dict[int, Node] = {}
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node.number not in found:
            found[node.number] = node
            stack.extend(arguments(node))
    return [found[number] for number in sorted(found)]


def is_zero(node: Node) -> bool:
    """Tell whether the node is the number 0."""
    return isinstance(node, Const) and node.value == 0
