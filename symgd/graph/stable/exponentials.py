"""Nodes made of exponentials: their logarithms, and how they are kept in range.

A sum of exponentials is written ``exp(s)*(p*exp(u - s) + q*exp(v - s))``. The shift s may be any number at all, so
derivatives take it as a constant (`held`, a function of the table); it is 0 where the exponentials are far from
overflow, so that there the sum is computed just as it was written, and the size of the largest term beyond.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from symgd.graph.nodes import Const, Fold, Leaf, Map, Node, is_zero
from symgd.graph.stable.matching import half

if TYPE_CHECKING:
    from symgd.graph.graph import Graph

Found = TypeVar("Found")

MOST_TERMS = 16  # of a sum that is shifted
FAR, LARGEST = 350, 700  # of exponents, whose squares derivatives divide by; and of terms with their coefficients


# ---- logarithms of what is positive --------------------------------------------------------------------------------


def log_of(graph: Graph, node: Node) -> Node | None:
    """Give the logarithm of a node that is positive because it is made of exponentials; ``None`` for any other."""
    if isinstance(node, Leaf | Const):
        return None
    return _from_below(graph, node, _find_log)


def _from_below(graph: Graph, node: Node, find: Callable[[Graph, Node], Found]) -> Found:
    """Find something for what a node is made of first: no recursion, for a product may have thousands of factors."""
    known = graph.store.memo(find)
    stack = [node]
    while node not in known:
        first = [a for a in _made_of(stack[-1]) if a not in known]
        if first:
            stack += first
            continue
        part = stack.pop()
        if part not in known:
            known[part] = find(graph, part)
    return known[node]


def _made_of(node: Node) -> list[Fold | Map]:
    """Give the nodes whose logarithms and parts make those of a node."""
    args: tuple[Node, ...] = ()
    if isinstance(node, Fold):
        args = (node.body,) if node.function in ("sum", "prod") else ()
    elif isinstance(node, Map) and node.function in ("add", "multiply", "divide", "sqrt", "power"):
        args = node.args[:1] if node.function == "power" else node.args
    return [a for a in args if isinstance(a, Fold | Map)]


def _find_log(graph: Graph, node: Node) -> Node | None:
    if isinstance(node, Fold):
        outer = {"sum": "logsumexp", "prod": "sum"}.get(node.function)
        u = log_of(graph, node.body) if outer else None
        return None if outer is None or u is None else graph.fold(outer, u, node.label)
    return log_of_map(graph, node.function, node.args) if isinstance(node, Map) else None


def log_of_map(graph: Graph, function: str, args: tuple[Node, ...]) -> Node | None:
    """Give the logarithm of a function of nodes made of exponentials; ``None`` for any other."""
    a, *rest = args
    match function:
        case "exp":
            # What was shifted stays as it is.
            return None if isinstance(a, Map) and a.function == "below" else a
        case "sigmoid":
            return graph.negate(graph.map("softplus", graph.negate(a)))
        case "cosh":
            return graph.map("logcosh", a)
        case "sech":
            return graph.negate(graph.map("logcosh", a))
        case "sqrt":
            u = log_of(graph, a)
            return None if u is None else half(graph, u)
        case "power":
            if isinstance(a, Const) and a.value > 0:
                return graph.multiply(rest[0], graph.map("log", a))
            u = log_of(graph, a)
            return None if u is None else graph.multiply(rest[0], u)
        case "add" | "multiply" | "divide":
            return _log_of_arithmetic(graph, function, args)
    return None


def _log_of_arithmetic(graph: Graph, function: str, args: tuple[Node, ...]) -> Node | None:
    """Sums, products and ratios of exponentials and positive numbers."""
    logs = [log_of(graph, a) for a in args]
    if all(u is None for u in logs):
        return None
    found = []
    for u, arg in zip(logs, args, strict=True):
        known = u if u is not None else log_of_number(graph, arg)
        if known is None:
            return None
        found.append(known)
    if function == "add":
        return log_sum(graph, found)
    return graph.add(*found) if function == "multiply" else graph.subtract(*found)


def log_of_number(graph: Graph, node: Node) -> Node | None:
    """Give the logarithm of a positive number or of the number of rows."""
    counts = isinstance(node, Leaf) and node.kind == "count"
    if not counts and (node.constant is None or not 0 < node.constant < 1e308):
        return None
    return graph.const(0) if node.constant == 1 else graph.map("log", node)


def log_sum(graph: Graph, exponents: list[Node]) -> Node:
    """log(exp(u1) + exp(u2) + ...)."""
    total = exponents[0]
    for u in exponents[1:]:
        total = graph.map("logaddexp", total, u)
    return total


# ---- a factor times an exponential ---------------------------------------------------------------------------------


def parts(graph: Graph, node: Node) -> tuple[Node, Node | None]:
    """Give p and u where the node is p*exp(u); u is ``None`` where no exponential is in it."""
    return _from_below(graph, node, _find_parts)


def keep_parts(graph: Graph, found: Node, function: str, args: tuple[Node, ...]) -> None:
    """Note the logarithm and the parts of what was written, where its stable form does not show them any more."""
    if log_of(graph, found) is None:
        graph.store.memo(_find_log)[found] = log_of_map(graph, function, args)
    if parts(graph, found)[1] is None:
        node = graph.raw(function, *args)
        assert isinstance(node, Map)
        split = _PARTS[function](graph, node) if found is not node else None
        graph.store.memo(_find_parts)[found] = split or (found, None)


def may_overflow(node: Node) -> bool:
    """Tell whether a node holds another exponential than those that are at most 1."""
    stack, seen = [node], set()
    while stack:
        part = stack.pop()
        if part in seen:
            continue
        seen.add(part)
        if isinstance(part, Fold):
            stack.append(part.body)
        elif isinstance(part, Map):
            if part.function in ("add", "multiply", "divide", "power", "sqrt", "where"):
                stack += [a for a in part.args if not isinstance(a, Const | Leaf)]
            shifted = isinstance(part.args[0], Map) and part.args[0].function == "below"
            if part.function == "cosh" or (part.function == "exp" and not shifted):
                return True
    return False


def _find_parts(graph: Graph, node: Node) -> tuple[Node, Node | None]:
    nothing = node, None
    if isinstance(node, Map) and node.function in _PARTS:
        return _PARTS[node.function](graph, node) or nothing
    found = None
    if graph.guarded and isinstance(node, Fold):
        found = shifted_fold(graph, node)
    elif graph.guarded and isinstance(node, Map) and node.function == "add":
        found = shifted_sum(graph, node.args)
    if found is None:
        u = log_of(graph, node)
        found = None if u is None else (graph.const(1), u)
    return found or nothing


def _parts_of_product(graph: Graph, node: Map) -> tuple[Node, Node | None] | None:
    (p, u), (q, v) = (parts(graph, a) for a in node.args)
    if u is None and v is None:
        return None
    if node.function == "multiply":
        return graph.multiply(p, q), _plus(graph, u, v)
    return graph.divide(p, q), _minus(graph, u, v)


def _parts_of_root(graph: Graph, node: Map) -> tuple[Node, Node] | None:
    p, u = parts(graph, node.args[0])
    return None if u is None else (graph.map("sqrt", p), half(graph, u))


def _parts_of_power(graph: Graph, node: Map) -> tuple[Node, Node] | None:
    u = log_of(graph, node)
    if isinstance(node.args[0], Const) and u is not None:
        return graph.const(1), u
    p, u = parts(graph, node.args[0])
    return None if u is None else (graph.power(p, node.args[1]), graph.multiply(node.args[1], u))


def _parts_of_branches(graph: Graph, node: Map) -> tuple[Node, Node] | None:
    """where(c, p*exp(u), 0): where c does not hold, u is not looked at."""
    condition, *branches = node.args
    split = [parts(graph, b) for b in branches]
    if not any(u is not None and is_zero(other) for (_, u), other in zip(split, branches[::-1], strict=True)):
        return None
    zero = graph.const(0)
    factor, exponent = ([n if n is not None else zero for n in column] for column in zip(*split, strict=True))
    return graph.map("where", condition, *factor), graph.map("where", condition, *exponent)


_PARTS = {"multiply": _parts_of_product, "divide": _parts_of_product, "sqrt": _parts_of_root,
          "power": _parts_of_power, "where": _parts_of_branches}  # fmt: skip


def _plus(graph: Graph, u: Node | None, v: Node | None) -> Node | None:
    return v if u is None else u if v is None else graph.add(u, v)


def _minus(graph: Graph, u: Node | None, v: Node | None) -> Node | None:
    return u if v is None else graph.negate(v) if u is None else graph.subtract(u, v)


# ---- shifts --------------------------------------------------------------------------------------------------------


def shifted_sum(graph: Graph, args: tuple[Node, ...]) -> tuple[Node, Node] | None:
    """Give d and s where the sum of the terms is d*exp(s); ``None`` where no exponential is among them."""
    if len(args) > MOST_TERMS:
        return None
    split = [parts(graph, t) for t in args]
    if all(u is None for _, u in split) or not any(map(may_overflow, args)):
        return None
    zero = graph.const(0)
    shift = _shift(graph, _largest(graph, [_size(graph, p, u) for p, u in split]),
                   _largest(graph, [u or zero for _, u in split]))  # fmt: skip
    total = graph.add(*(shifted(graph, p, graph.const(0) if u is None else u, shift) for p, u in split))
    return total, shift


def shifted_fold(graph: Graph, node: Fold) -> tuple[Node, Node] | None:
    """Give d and s where a sum over a label is d*exp(s); ``None`` where there is no exponential in it."""
    p, u = parts(graph, node.body)
    if u is None or node.function != "sum" or not may_overflow(node.body):
        return None
    shift = _shift(graph, *(graph.fold("max", n, node.label) for n in (_size(graph, p, u), u)))
    return graph.fold("sum", shifted(graph, p, u, shift), node.label), shift


def _largest(graph: Graph, nodes: list[Node]) -> Node:
    largest, *others = nodes
    for other in others:
        largest = graph.map("maximum", largest, other)
    return largest


def _shift(graph: Graph, term: Node, exponent: Node) -> Node:
    """Give the size of the largest term where that is large, and 0 where the text can be computed as it stands."""
    large = graph.map("greater", graph.map("abs", exponent), graph.const(FAR))
    if term is not exponent:
        beyond = graph.map("greater", graph.map("abs", term), graph.const(LARGEST))
        large = graph.map("logical_or", large, beyond)
    return graph.map("held", graph.map("where", large, term, graph.const(0)))


def shifted(graph: Graph, p: Node, u: Node, shift: Node) -> Node:
    """p*exp(u - shift); 0 where p is 0, however large the exponential."""
    below = graph.map("below", u, shift)
    if p.constant is not None and p.constant != 0:
        return graph.multiply(p, graph.raw("exp", below))
    return graph.map("weighted", p, below)


def _size(graph: Graph, p: Node, u: Node | None) -> Node:
    """log(abs(p*exp(u))), to within rounding."""
    zero = graph.const(0)
    if p.constant is not None and abs(p.constant) == 1:
        return zero if u is None else u
    size = graph.raw("log", graph.raw("abs", p))
    return size if u is None else graph.add(u, size)


def less_logsumexp(graph: Graph, u: Node, v: Node, label: str) -> Node:
    """U - logsumexp(v) over a label: the largest v is taken off both first, or 1e10 would leave six digits."""
    if label not in v.labels or not graph.guarded:
        return graph.subtract(u, graph.fold("logsumexp", v, label))
    shift = graph.map("held", graph.fold("max", v, label))
    total = graph.fold("logsumexp", graph.map("below", v, shift), label)
    return graph.subtract(graph.map("below", u, shift), total)
