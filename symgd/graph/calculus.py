"""Derivatives of a graph: gradient, Hessian-vector product, Hessian.

The one rule of calculus is the table's: the partial derivatives of a `Map` are those that ``sympy.diff`` gives for its
function. Reverse mode over the graph does the rest, and gives a graph again, so that the Hessian is the same rule
applied once more. A `Fold` is differentiated as an objective of its own whose adjoint stays outside of the sum; so the
gradient of a sum over the rows is a sum over the rows, formed in the same pass.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from symgd.graph import (
    ROWS,
    Fold,
    Graph,
    Index,
    Leaf,
    Map,
    Matrix,
    Node,
    Span,
    arguments,
    flat,
    is_zero,
    matrices,
    reachable,
)
from symgd.graph.graph import Tidy
from symgd.graph.partials import partials
from symgd.graph.stable import less_logsumexp
from symgd.records import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """A part of a vector of parameters: at each place along the labels of ``leaf``, ``node`` is added to what it reads.

    The adjoint of a slice is added to the slice, and that of a gather is scattered.
    """

    leaf: Leaf
    node: Node


@dataclass(frozen=True, slots=True)
class Vector:
    """A vector of parameters, as the entries that add up to it."""

    entries: tuple[Entry, ...]

    def nodes(self) -> list[Node]:
        """Give all nodes that the vector is made of."""
        return [entry.node for entry in self.entries]

    def scalars(self) -> dict[str, Node]:
        """Give the entries of parameters that are single numbers, by name."""
        return {e.leaf.name: e.node for e in self.entries if not e.leaf.index}


def gradient(graph: Graph, root: Node) -> Vector:
    """Differentiate a node by every parameter that it depends on.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    root : Node
        A node without labels.

    Returns
    -------
    Vector
        Parameters that the node does not depend on are left out: their derivative is 0.

    References
    ----------
    Griewank and Walther, Evaluating Derivatives, 2nd ed. 2008, section 3.2 (reverse mode).
    """
    graph = graph.tidy

    def parts(node: Node, adjoint: Node) -> Iterator[Part]:
        if not isinstance(node, Fold | Matrix):
            yield from parts_of(graph, node, adjoint)
            return
        # With the adjoint 1 down to what has no labels, so that its own stays outside of all sums: the gradient of a
        # sum over the rows is a sum over the rows, formed in the same pass.
        (part,) = parts_of(graph, node, graph.const(1))
        inner = swept(graph, part, partial(parts_of, graph), lambda n: not n.labels or isinstance(n, Leaf))
        for below, slope in inner.items():
            yield Part(below, graph.multiply(adjoint, slope))

    found = swept(graph, Part(root, graph.const(1)), parts, lambda n: isinstance(n, Leaf))
    return Vector(tuple(Entry(leaf, node) for leaf, node in _merged(graph, found).items() if not is_zero(node)))


# ---- reverse mode --------------------------------------------------------------------------------------------------


class Part(NamedTuple):
    """What arrives at a node from one that is made of it, to be summed over labels that the node does not have."""

    node: Node
    adjoint: Node
    over: frozenset[str] = frozenset()


def swept(
    graph: Graph, root: Part, parts: Callable[[Node, Node], Iterable[Part]], ends: Callable[[Node], bool]
) -> dict[Node, Node]:
    """Go from a node down to where it ends: the one sweep of reverse mode.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    root : Part
        A node, and its adjoint.
    parts : callable
        Gives what a node and its adjoint send on to the nodes that it is made of.
    ends : callable
        Tells whether what arrives at a node is wanted, and goes no further.

    Returns
    -------
    dict of Node to Node
        What arrives at the nodes where it ends; summed over labels that they do not have after all of it is added up.
    """
    adjoints: dict[Node, dict[frozenset[str], list[Node]]] = defaultdict(lambda: defaultdict(list))
    adjoints[root.node][root.over].append(root.adjoint)
    found: dict[Node, Node] = {}
    for node in reversed(reachable([root.node])):
        if not node.active or node not in adjoints:
            continue
        adjoint = graph.add(*(_total(graph, graph.add(*t), over) for over, t in adjoints.pop(node).items()))
        if ends(node):
            found[node] = adjoint
            continue
        for part in parts(node, adjoint):
            adjoints[part.node][part.over].append(part.adjoint)
    return found


def parts_of(graph: Graph, node: Node, adjoint: Node, kept: frozenset[str] = frozenset()) -> Iterator[Part]:
    """Give what a node sends on to the nodes that it is made of: the chain rule.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    node : Node
        A map, a fold or a matrix.
    adjoint : Node
        What has arrived at it.
    kept : frozenset of str
        Labels along which nothing is added up.

    Yields
    ------
    Part
    """
    if isinstance(node, Map):
        for arg, slope in zip(node.args, partials(graph, node), strict=True):
            if arg.active:
                yield Part(arg, _times(graph, adjoint, slope), node.labels - arg.labels - kept)
    elif isinstance(node, Fold):
        yield Part(node.body, _times(graph, adjoint, _weight(graph, node)))
    elif isinstance(node, Matrix):
        yield Part(node.body, matrices.backward(graph, node, adjoint))


def _merged(graph: Graph, found: Mapping[Node, Node]) -> dict[Leaf, Node]:
    """Add up the entries of leaves that differ in the names of their labels only."""
    merged: dict[Leaf, list[Node]] = defaultdict(list)
    for leaf, node in found.items():
        assert isinstance(leaf, Leaf)
        labels: list[str] = []
        places: dict[str, Index] = {}
        # What is compared with its own maximum must stay what it is, to the last bit.
        fixed = leaf.index and any(isinstance(n, Map) and n.function == "equal" and
                                   any(isinstance(a, Fold) for a in n.args) for n in reachable([node]))  # fmt: skip
        for index in () if fixed else leaf.index:
            # Along the rows of the data, gathers, and where two axes share a label, everything stays as it is.
            if isinstance(index, Node) or (isinstance(index, Span) and (index.label == ROWS or index.label in places)):
                places = {}
                break
            if isinstance(index, Span):
                length = graph.length(index.label)
                assert length is not None
                label = index.label if leaf.table else graph.label(length, labels)
                labels.append(label)
                places[index.label] = Span(label)
        target = graph.substitute(leaf, places)
        assert isinstance(target, Leaf)
        merged[target].append(graph.substitute(node, places))
    return {leaf: graph.add(*nodes) for leaf, nodes in merged.items()}


def _total(graph: Graph, node: Node, over: frozenset[str]) -> Node:
    """Sum a node over labels, the rows last."""
    for label in sorted(over, key=lambda name: (name == ROWS, name)):
        node = graph.fold("sum", node, label)
    return node


def _times(graph: Graph, adjoint: Node, slope: Node) -> Node:
    """Multiply an adjoint by a slope, inside the branches of where() that it comes from.

    What two where() read, ``where(x > 0, sqrt(x), 0) + where(x > 1, sqrt(x), 0)``, has a sum of two for its adjoint;
    the slope, which is nan at x < 0, must not reach the branches that are 0. Where a branch is the same for all places,
    as sqrt(b) in ``sum(where(Q > 0, Q*a, sqrt(b)))``, what arrives is their sum, and the branch is taken if any of them
    does.
    """
    if isinstance(graph, Tidy) and flat.limited(graph, slope) and flat.summed(graph, adjoint):
        inside = flat.branches(graph, adjoint, lambda g, n: g.multiply(n, slope))
        if inside is not None:
            return inside
    if isinstance(adjoint, Map) and adjoint.function == "add" and all(_masked(graph, t) for t in adjoint.args):
        return graph.add(*(graph.multiply(t, slope) for t in adjoint.args))
    return graph.multiply(adjoint, slope)


def _masked(graph: Graph, node: Node) -> bool:
    """Tell whether a node is where(), with a branch that is 0, times a number."""
    _, rest = graph.split(node)
    return isinstance(rest, Map) and rest.function == "where" and any(is_zero(branch) for branch in rest.args[1:])


def _weight(graph: Graph, fold: Fold) -> Node:
    """Give the derivative of a fold by its body: what each place along the label counts for."""
    if fold.function == "sum":
        return graph.const(1)
    if fold.function == "logsumexp":
        if isinstance(fold.body, Map) and fold.body.function == "below":
            return graph.map("exp", graph.subtract(fold.body, fold))
        return graph.map("exp", less_logsumexp(graph, fold.body, fold.body, fold.label))
    if fold.function == "prod":  # of all others, so that it is right where some are 0
        length = graph.length(fold.label)
        assert length is not None
        other = graph.label(length, fold.body.labels)
        same = graph.map("equal", *(graph.leaf("places", "", (label,)) for label in (fold.label, other)))
        body = graph.substitute(fold.body, {fold.label: Span(other)})
        return graph.fold("prod", graph.map("where", same, graph.const(1), body), other)
    # min and max: the places that attain it share evenly.
    attained = graph.map("where", graph.map("equal", fold.body, fold), graph.const(1), graph.const(0))
    return graph.divide(attained, graph.fold("sum", attained, fold.label))


# ---- second derivatives --------------------------------------------------------------------------------------------


def directional(graph: Graph, nodes: Iterable[Node], seeds: dict[Leaf, Node]) -> dict[Node, Node]:
    """Differentiate nodes along a direction: forward mode.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    nodes : iterable of Node
        What to differentiate.
    seeds : dict of Leaf to Node
        The direction: what each parameter leaf changes by.

    Returns
    -------
    dict of Node to Node
        The derivative of each of ``nodes``.
    """
    graph = graph.tidy
    wanted = list(nodes)
    zero = graph.const(0)
    tangents: dict[Node, Node] = {}
    for node in reachable(wanted):
        if isinstance(node, Leaf):
            tangents[node] = seeds.get(node, zero)
        elif not any(not is_zero(tangents[a]) for a in arguments(node)):
            tangents[node] = zero
        elif isinstance(node, Map):
            parts = [
                graph.multiply(slope, tangents[a])
                for a, slope in zip(node.args, partials(graph, node), strict=True)
                if not is_zero(tangents[a])
            ]
            tangents[node] = graph.add(*parts)
        elif isinstance(node, Fold):
            weighted = graph.multiply(_weight(graph, node), tangents[node.body])
            tangents[node] = graph.fold("sum", weighted, node.label)
        elif isinstance(node, Matrix):
            tangents[node] = matrices.forward(graph, node, tangents[node.body])
    return {node: tangents[node] for node in wanted}


def hessian_vector(graph: Graph, slope: Vector) -> Vector:
    """Give the Hessian times a vector v, whose components are the leaves of kind ``direction``.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    slope : Vector
        The gradient.

    Returns
    -------
    Vector

    References
    ----------
    Pearlmutter 1994, Fast exact multiplication by the Hessian: the directional derivative of the gradient.
    """
    seeds: dict[Leaf, Node] = {}
    for node in reachable(slope.nodes()):
        if isinstance(node, Leaf) and node.kind == "parameter":
            seeds[node] = graph.leaf("direction", node.name, node.index, node.table)
    along = directional(graph, slope.nodes(), seeds)
    return Vector(tuple(Entry(e.leaf, along[e.node]) for e in slope.entries if not is_zero(along[e.node])))


def hessian(graph: Graph, slope: Vector, names: Iterable[str]) -> dict[tuple[str, str], Node]:
    """Give the second derivatives, without those that are 0 and those below the diagonal.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    slope : Vector
        The gradient, all of whose parameters are single numbers.
    names : iterable of str
        The parameters, in order.

    Returns
    -------
    dict of (str, str) to Node
    """
    order = list(names)
    dense = slope.scalars()
    uses = _uses(dense)
    entries = {}
    one = graph.const(1)
    for column, name in enumerate(order):
        leaf = graph.leaf("parameter", name)
        rows = [row for row in order[: column + 1] if row in dense and name in uses[row]]
        along = directional(graph, [dense[row] for row in rows], {leaf: one})  # type: ignore[dict-item]
        for row in rows:
            if not is_zero(along[dense[row]]):
                entries[row, name] = along[dense[row]]
    return entries


def _uses(slope: dict[str, Node]) -> dict[str, frozenset[str]]:
    """Give the parameters that each entry of the gradient depends on."""
    found: dict[Node, frozenset[str]] = {}
    for node in reachable(slope.values()):
        if isinstance(node, Leaf) and node.active:
            found[node] = frozenset([node.name])
        else:
            found[node] = frozenset().union(*(found[a] for a in arguments(node)))
    return {name: found[node] for name, node in slope.items()}
