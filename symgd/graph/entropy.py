"""``xlogy(a, b)`` with the logarithm that keeps the digits of b."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symgd.graph.nodes import Map, Node
from symgd.graph.stable.exponentials import log_of

if TYPE_CHECKING:
    from symgd.graph.graph import Graph


def rewrite(graph: Graph, function: str, args: tuple[Node, ...]) -> Node | None:
    """Give another form of a function applied to arguments; ``None`` where it keeps its own."""
    if function != "xlogy":
        return None
    a, b = args
    if log_of(graph, b) is not None:  # finite wherever b is, so that nothing needs to be left out at a = 0
        return graph.multiply(a, graph.map("log", b))
    logarithm = graph.map("log", b)
    if isinstance(logarithm, Map) and logarithm.function == "log1p":
        return graph.map("xlog1py", a, logarithm.args[0])
    return None
