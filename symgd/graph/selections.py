"""Rows picked by a condition, ``x[y > 0]``: axes whose length the data decide.

Such an axis has a label of its own, which says along which label the condition holds or not. It lasts until something
is summed, averaged or counted over it; then what was not selected counts for nothing. So the number of places is a sum
like any other, code is the same for any data, and a batch selects among its own rows.
"""

from __future__ import annotations

import math

from symgd.graph.graph import Graph
from symgd.graph.nodes import Node, Span

# What an element that is not selected counts as.
_NOUGHT = {"sum": 0, "prod": 1, "min": math.inf, "max": -math.inf, "logsumexp": -math.inf}


def selection(graph: Graph, label: str, condition: Node) -> str:
    """Give the label of the places along another one where a condition holds.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    label : str
        The label that is selected from.
    condition : Node
        A truth value at each place along it.

    Returns
    -------
    str
    """
    name = f"{label}?{condition.number}"
    graph.store.selected[name] = label, condition
    return name


def fold(graph: Graph, function: str, body: Node, label: str) -> Node:
    """Fold as `Graph.fold` does; over selected places, all others are left out.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    function : str
        A fold's function.
    body : Node
        What is folded.
    label : str
        Over what.

    Returns
    -------
    Node
    """
    if label not in graph.store.selected or label not in body.labels:
        return graph.fold(function, body, label)
    base, condition = graph.store.selected[label]
    place = base
    if base in body.labels:  # as in x[m][:, None] - x
        length = graph.length(base)
        assert length is not None
        place = graph.label(length, body.labels)
    kept = graph.substitute(condition, {base: Span(place)})
    inside = graph.substitute(body, {label: Span(place)})
    nought = graph.const(_NOUGHT[function])
    return graph.fold(function, graph.map("where", kept, inside, nought), place)
