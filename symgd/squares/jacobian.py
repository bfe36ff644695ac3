"""The Jacobian of residuals, as nodes: reverse mode in which the labels of the residuals stay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial

from symgd.graph import ROWS, Fold, Graph, Leaf, Matrix, Node, Span, arguments, is_zero, reachable
from symgd.graph.calculus import Entry, Part, parts_of, swept
from symgd.squares.recognise import Term


def by_row(graph: Graph, residual: Node, labels: frozenset[str]) -> tuple[Entry, ...] | None:
    """Differentiate each residual by every parameter.

    What is differentiated is not their sum, but each of them, at once: along the labels of the residuals nothing is
    added up. So the adjoint of a leaf has those labels and its own, and is a block of the Jacobian.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    residual : Node
        The residuals.
    labels : frozenset of str
        Labels along which there is one residual a place.

    Returns
    -------
    tuple of Entry, or None
        A node for each leaf; ``None`` where a fold inside of the residuals runs over one of their own labels, or is
        no sum, so that places would be mistaken for one another, and where a matrix is inverted.
    """
    graph = graph.tidy
    order = reachable([residual])
    if any(isinstance(n, Fold) and n.active and (n.label in labels or n.function != "sum") for n in order):
        return None
    if any(isinstance(n, Matrix) and n.active for n in order):
        return None
    found = swept(
        graph, Part(residual, graph.const(1)), partial(parts_of, graph, kept=labels), lambda n: isinstance(n, Leaf)
    )
    return tuple(Entry(n, adjoint) for n, adjoint in found.items() if isinstance(n, Leaf) and not is_zero(adjoint))


def by_rows(terms: Sequence[Term], entries: Sequence[tuple[Entry, ...] | None]) -> bool:
    """Tell whether each residual with rows is made from one row of the data, and so is its part of the Jacobian.

    Parameters
    ----------
    terms : sequence of Term
        The sums of squares.
    entries : sequence of tuple of Entry
        The Jacobian of each.

    Returns
    -------
    bool
    """
    uses: dict[str, set[bool]] = defaultdict(set)
    for term, found in zip(terms, entries, strict=True):
        if ROWS not in term.labels:
            continue
        if found is None:
            return False
        slopes = [node for e in found for node in (e.node, *arguments(e.leaf))]
        for node in reachable([term.residual, *slopes]):
            if (isinstance(node, Fold) and node.label == ROWS) or (isinstance(node, Matrix) and ROWS in node.labels):
                return False
            if isinstance(node, Leaf):
                along = [isinstance(i, Span) and i.label == ROWS for i in node.index]
                first = node.kind == "data" and node.index[0] == Span(ROWS) if any(along) else True
                if not first or sum(along) > 1 or node.kind == "count":
                    return False
                if node.kind == "data":
                    uses[node.name].add(any(along))
    return any(True in kinds for kinds in uses.values()) and all(len(kinds) == 1 for kinds in uses.values())


def sliced(terms: Iterable[Term]) -> set[str]:
    """Name the data that residuals read row by row."""
    nodes = reachable([term.residual for term in terms])
    return {n.name for n in nodes if isinstance(n, Leaf) and n.kind == "data" and n.index[:1] == (Span(ROWS),)}
