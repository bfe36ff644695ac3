"""Four kinds of node, and how to walk them.

A `Leaf` is a parameter or a data array, its axes addressed by labels: ``X[i,j]``, ``x[i+1]``, ``U[u[i],k]``; a `Map`
applies one function of the table to its arguments, element by element; a `Fold` adds up (or multiplies, or takes the
minimum, maximum, or logsumexp of) its body over a label; a `Matrix` is a function of a whole square matrix, such as its
inverse, addressed like a leaf. Axes are labels, and line up by name. A node is always younger than its arguments, so
that sorting by `Node.number` is a topological order and no walk recurses.
"""

from __future__ import annotations

from collections.abc import Iterable

from symgd.graph.exact import Number
from symgd.records import dataclass

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


@dataclass(frozen=True, slots=True)
class Span:
    """Where along an axis of a leaf: at ``start + step*i`` for the place i along ``label``."""

    label: str
    start: int = 0
    step: int = 1


# Where along an axis of a leaf: along a label, at one place, or where a node with whole numbers for values says.
Index = Span | int | Node


@dataclass(frozen=True, slots=True, eq=False)
class Leaf(Node):
    """An input. ``kind`` says which, ``index`` where in it, one entry an axis.

    Kinds: ``parameter`` and ``direction`` (a parameter's component of the vector v in a Hessian times v), by name or,
    with a ``table`` of names, one of them for each place along a label; ``data``; ``numbers`` (a table of constants);
    ``places`` (the place along the axis itself); ``constant`` (pi, e); ``count`` (how many rows the data column
    ``name`` has); ``symbol`` (what an update rule reads).
    """

    kind: str
    name: str
    index: tuple[Index, ...]
    table: tuple[object, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Map(Node):
    """A function of the table applied elementwise."""

    function: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Fold(Node):
    """A reduction of ``body`` over ``label``; ``function`` is ``sum``, ``prod``, ``min``, ``max`` or ``logsumexp``."""

    function: str
    body: Node
    label: str


@dataclass(frozen=True, slots=True, eq=False)
class Matrix(Node):
    """A function of the square matrix that ``body`` is along the labels ``row`` and ``column``, which are bound.

    ``function`` is ``inv`` or ``adjugate``, matrices themselves, of which ``index`` says the element as it does in a
    leaf; or ``det``, ``logdet`` (of a positive one), ``logabsdet`` or ``detsign``, numbers, whose ``index`` is empty.
    """

    function: str
    body: Node
    row: str
    column: str
    index: tuple[Index, ...]


def arguments(node: Node) -> tuple[Node, ...]:
    """Give the nodes that a node is made of."""
    if isinstance(node, Map):
        return node.args
    if isinstance(node, Leaf):
        return tuple(i for i in node.index if isinstance(i, Node))
    if isinstance(node, Matrix):
        return (node.body, *(i for i in node.index if isinstance(i, Node)))
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
