"""What the loops cannot do at one go, written out in what they can."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from symgd.graph import ROWS, Fold, Graph, Leaf, Map, Matrix, Node, arguments, reachable
from symgd.kernel.code.schedule import home_of


def lowered(graph: Graph, roots: Sequence[Node], lengths: Mapping[str, int]) -> dict[Node, Node]:
    """Write logsumexp along an inner axis as a maximum and a sum, which both run in vector registers.

    A logsumexp over the home of a pass stays: it is accumulated as it goes. Where a graph takes the largest body off
    first, to keep digits, it need not be known before: what is accumulated is relative to it anyway.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    roots : sequence of Node
        What is to be computed.
    lengths : mapping of str to int
        Of the labels but the rows'.

    Returns
    -------
    dict of Node to Node
        What each node that the roots are made of becomes.
    """
    new: dict[Node, Node] = {}
    nodes = reachable(roots)
    uses = Counter(a for node in nodes for a in arguments(node)) + Counter(roots)
    for node in nodes:
        if isinstance(node, Map) and node.function in ("multiply", "divide") and len(node.labels) > 1:
            new[node] = _product(graph, node, uses, new)
        elif isinstance(node, Map):
            share = _share(graph, node, new) if node.function == "exp" else None
            new[node] = share or graph.same(node, tuple(new[a] for a in node.args))
        elif isinstance(node, Matrix):
            new[node] = graph.same(node, tuple(new[a] for a in arguments(node)))
        elif isinstance(node, Fold):
            inner = node.labels or node.label != home_of(node.body.labels, lengths)
            body = new[node.body]
            below = _shifted(node)
            if node.function == "logsumexp" and inner:
                new[node] = _logsumexp(graph, body, node.label, small=below is not None)
            elif below is not None:
                new[node] = graph.raw_fold("logexcess", new[below], node.label)
            else:
                new[node] = graph.same(node, (body,))
        else:
            new[node] = _leaf(graph, node, new)
    return new


def _product(graph: Graph, node: Map, uses: Counter[Node], new: Mapping[Node, Node]) -> Node:
    """Multiply first what varies least: it is then computed outside of the inner loops, a division above all."""
    factors: list[tuple[Node, bool]] = []  # and whether they stand below the line
    stack: list[tuple[Node, bool]] = [(node, False)]
    while stack:
        part, below = stack.pop()
        inside = part is node or (uses[part] == 1 and part.labels == node.labels)
        if isinstance(part, Map) and part.function in ("multiply", "divide") and inside:
            a, b = part.args
            stack += [(b, below != (part.function == "divide")), (a, below)]
        else:
            factors.append((part, below))
    if len(factors) < 3:
        return graph.same(node, tuple(new[a] for a in node.args))
    total: Node | None = None
    for factor, below in sorted(factors, key=lambda f: (len(f[0].labels), ROWS not in f[0].labels, f[1])):
        if total is None:
            total = graph.raw("divide", graph.const(1), new[factor]) if below else new[factor]
        else:
            total = graph.raw("divide" if below else "multiply", total, new[factor])
    assert total is not None
    return total


def _leaf(graph: Graph, node: Node, new: Mapping[Node, Node]) -> Node:
    if isinstance(node, Leaf) and any(isinstance(i, Node) and new[i] is not i for i in node.index):
        index = [new[i] if isinstance(i, Node) else i for i in node.index]
        return graph.leaf(node.kind, node.name, index, node.table)
    return node


def _shifted(node: Fold) -> Node | None:
    """Give u where the node is logsumexp(u - max(u))."""
    body = node.body
    if node.function != "logsumexp" or not isinstance(body, Map) or body.function != "below":
        return None
    u, shift = body.args
    largest = shift.args[0] if isinstance(shift, Map) and shift.function == "held" else None
    same = isinstance(largest, Fold) and (largest.function, largest.body, largest.label) == ("max", u, node.label)
    return u if same else None


def _logsumexp(graph: Graph, body: Node, label: str, *, small: bool) -> Node:
    """Write a logsumexp relative to the largest body, as derivatives do, so that exponentials are computed once."""
    if small:
        return graph.raw("log", graph.fold("sum", graph.raw("exp", body), label))
    largest = graph.fold("max", body, label)
    below = graph.raw("below", body, graph.raw("held", largest))  # 0 where both are infinite
    return graph.raw("add", largest, graph.raw("log", graph.fold("sum", graph.raw("exp", below), label)))


def _share(graph: Graph, node: Map, new: Mapping[Node, Node]) -> Node | None:
    """Give ``exp(u - log(sum(exp(u))))`` as a quotient, whose exponentials are those of the sum."""
    (body,) = node.args
    if not (isinstance(body, Map) and body.function == "add" and len(body.args) == 2):
        return None
    u, other = body.args
    excess = new[other.args[1]] if isinstance(other, Map) and other.function == "multiply" else None
    total = excess.args[0] if isinstance(excess, Map) and excess.function == "log" else None
    power = graph.raw("exp", new[u])
    if excess is None or other.args[0].constant != -1 or not isinstance(total, Fold):  # type: ignore[attr-defined]
        return None
    if (total.function, total.body) != ("sum", power):
        return None
    return graph.raw("multiply", power, graph.raw("divide", graph.const(1), total))
