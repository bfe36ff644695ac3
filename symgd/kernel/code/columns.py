"""The Hessian as its product with all unit vectors at once: directions get one more axis, along which they stand."""

from __future__ import annotations

from symgd.graph import Graph, Leaf, Node, Span, arguments, reachable
from symgd.graph.calculus import Entry
from symgd.kernel.code.functions import Output

UNITS = "units"  # the label of that axis


def columns(graph: Graph, product: Output, size: int) -> Output | None:
    """Give the Hessian as entries, whose last axis is that of the unit vectors.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    product : Output
        The Hessian times a direction.
    size : int
        Of the vector of parameters.

    Returns
    -------
    Output or None
        ``None`` where parameters are named in a table.
    """
    parts = [part for entry in product.entries for part in (entry.leaf, entry.node)]
    nodes = reachable(parts)
    if any(isinstance(n, Leaf) and n.table and n.kind != "numbers" for n in nodes):
        return None
    graph.store.lengths[UNITS] = size
    new: dict[Node, Node] = {}
    for node in nodes:
        if isinstance(node, Leaf):
            new[node] = _with_units(graph, node) if node.kind == "direction" else node
        else:
            args = tuple(new[a] for a in arguments(node))
            new[node] = node if args == arguments(node) else graph.same(node, args)
    return Output((), tuple(Entry(_with_units(graph, e.leaf), new[e.node]) for e in product.entries), vector=True)


def _with_units(graph: Graph, leaf: Leaf) -> Leaf:
    found = graph.leaf(leaf.kind, leaf.name, (*leaf.index, Span(UNITS)), leaf.table)
    assert isinstance(found, Leaf)
    return found
