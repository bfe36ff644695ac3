"""Sums of sums of products, taken apart for whole arrays: each product is then one of matrices, and is never formed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from symgd.graph import Fold, Graph, Leaf, Map, Matrix, Node, arguments, reachable
from symgd.graph.calculus import Entry


def parted(graph: Graph, numbers: Iterable[Node], entries: Iterable[Entry]) -> tuple[tuple[Node, ...], list[Entry]]:
    """Write the sum of ``a*b + c*d`` over a label that they share as two sums, where the products have more axes.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    numbers : iterable of Node
        What a function gives.
    entries : iterable of Entry
        What it adds to a vector.

    Returns
    -------
    numbers : tuple of Node
    entries : list of Entry
    """
    numbers, entries = tuple(numbers), list(entries)
    roots = [*numbers, *(e.node for e in entries), *(e.leaf for e in entries)]
    nodes = reachable(roots)
    uses = Counter(a for node in nodes for a in arguments(node)) + Counter(roots)
    new: dict[Node, Node] = {}
    for node in nodes:
        args = tuple(new[a] for a in arguments(node))
        if isinstance(node, Fold) and node.function == "sum":
            sums = [
                graph.fold("sum", new[part], node.label) for part in _parts(graph, node.body, {node.label}, uses, new)
            ]
            new[node] = sums[0] if len(sums) == 1 else graph.raw("add", *sums)
        elif isinstance(node, Leaf):
            rest = iter(args)
            index = [next(rest) if isinstance(i, Node) else i for i in node.index]
            new[node] = graph.leaf(node.kind, node.name, index, node.table) if args else node
        else:
            new[node] = graph.same(node, args) if isinstance(node, Map | Fold | Matrix) else node
    found = []
    for e in entries:
        extra = e.node.labels - e.leaf.labels
        leaf = new[e.leaf]
        assert isinstance(leaf, Leaf)
        found += [Entry(leaf, new[part]) for part in _parts(graph, e.node, set(extra), uses, new)]
    return tuple(new[n] for n in numbers), found


def _parts(graph: Graph, body: Node, summed: set[str], uses: Counter[Node], new: dict[Node, Node]) -> list[Node]:
    """Give the terms that are summed one by one, and the rest of them together."""
    terms: list[Node] = []
    stack = [body]
    while stack:
        node = stack.pop()
        if isinstance(node, Map) and node.function == "add" and uses[node] == 1:
            stack += reversed(node.args)
        else:
            terms.append(node)
    alone = [term for term in terms if _contracts(term, summed, uses)]
    if len(terms) < 2 or not alone or any(not summed <= term.labels for term in terms):
        return [body]
    rest = [new[term] for term in terms if term not in alone]
    if rest:
        left = rest[0] if len(rest) == 1 else graph.raw("add", *rest)
        new[left] = left
        alone.append(left)
    return alone


def _contracts(term: Node, summed: set[str], uses: Counter[Node]) -> bool:
    """Tell whether the sum is that of a product of arrays of different axes, which is one of matrices."""
    axes: list[frozenset[str]] = []
    stack = [term]
    while stack:
        node = stack.pop()
        if isinstance(node, Map) and node.function == "multiply" and (node is term or uses[node] == 1):
            stack += node.args
        elif node.labels:
            axes.append(frozenset(node.labels))
    return len([a for a in axes if a & summed]) > 1 and len(set(axes)) > 1
