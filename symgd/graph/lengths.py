"""Even powers of lengths and of absolute values, and roots of what is no less than 0.

``norm(u)**2`` is ``sum(u**2)``: a length has a kink at 0 and its square has none, so that the derivatives of the
square must not be made from those of the length. The other way round, the root of a sum of squares is a length however
it was written, and is differentiated as one.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from symgd.graph.nodes import Const, Fold, Leaf, Map, Node

if TYPE_CHECKING:
    from symgd.graph.graph import Graph

# What is never below 0, whatever its argument; and what is never 0 either.
_NOT_NEGATIVE = ("abs", "sqrt", "sqrt0", "hypot", "relu", "erfc")
_POSITIVE = ("exp", "sigmoid", "softplus", "cosh", "sech")
_DEEP = 40  # nodes that are looked at, one below the other
MODERATE = (1e-100, 1e100)  # whose square neither vanishes nor overflows


def rewrite(graph: Graph, function: str, args: tuple[Node, ...]) -> Node | None:
    """Give another form of a function applied to arguments; ``None`` where it keeps its own."""
    match function:
        case "power":
            return _power(graph, *args)
        case "multiply":
            return _product(graph, *args) or _product(graph, args[1], args[0])
        case "sqrt" if smooth(args[0]):
            return _root(graph, args[0])
        case "relu" if not_negative(args[0]):
            return args[0]
        case "maximum":
            a, b = args
            for kept, other in ((a, b), (b, a)):
                if isinstance(other, Const) and other.value == 0 and not_negative(kept):
                    return kept
    return None


# ---- what is known of a node ---------------------------------------------------------------------------------------


def not_negative(node: Node, depth: int = _DEEP) -> bool:
    """Tell whether a node is at least 0 wherever it is defined, as far as its form tells."""
    if node.constant is not None:
        return node.constant >= 0
    if not depth or isinstance(node, Leaf):
        return isinstance(node, Leaf) and node.kind == "count"
    if isinstance(node, Fold):
        return node.function != "logsumexp" and not_negative(node.body, depth - 1)
    if not isinstance(node, Map):
        return False
    match node.function:
        case "add":
            return all(not_negative(a, depth - 1) for a in node.args)
        case "multiply" | "divide" if node.args[0] is not node.args[1]:
            return all(not_negative(a, depth - 1) for a in node.args)
        case "multiply":
            return True
        case "maximum":
            return any(not_negative(a, depth - 1) for a in node.args)
        case "power":
            return _even(node.args[1]) is not None or not_negative(node.args[0], depth - 1)
    return node.function in _NOT_NEGATIVE or node.function in _POSITIVE


def positive(node: Node) -> bool:
    """Tell whether a node is above 0 wherever it is defined."""
    if node.constant is not None:
        return node.constant > 0
    if isinstance(node, Leaf):
        return node.kind == "count"
    return isinstance(node, Map) and node.function in _POSITIVE


def never_zero(node: Node, depth: int = _DEEP) -> bool:
    """Tell whether a node is above 0 wherever it is defined, as 1 + x**2 is."""
    if positive(node):
        return True
    if not depth or isinstance(node, Leaf | Const):
        return False
    if isinstance(node, Fold):
        return node.function != "logsumexp" and never_zero(node.body, depth - 1)
    if not isinstance(node, Map):
        return False
    match node.function:
        case "add" | "hypot":
            some = any(never_zero(a, depth - 1) for a in node.args)
            return some and (node.function == "hypot" or all(not_negative(a) for a in node.args))
        case "multiply" | "divide":
            return all(never_zero(a, depth - 1) for a in node.args)
        case "sqrt" | "sqrt0" | "abs" | "power":
            return never_zero(node.args[0], depth - 1)
    return False


def smooth(node: Node, depth: int = _DEEP) -> bool:
    """Tell whether a node is at least 0, may be 0, and has the slope 0 there: squares, and sums of them."""
    if not depth or isinstance(node, Leaf | Const):
        return False
    if isinstance(node, Fold):
        return node.function != "logsumexp" and smooth(node.body, depth - 1)
    if not isinstance(node, Map):
        return False
    a, *rest = node.args
    match node.function:
        case "add":
            return all(smooth(t, depth - 1) for t in node.args)
        case "multiply":
            (b,) = rest
            return a is b or any(
                smooth(s, depth - 1) and (positive(t) or smooth(t, depth - 1)) for s, t in ((a, b), (b, a))
            )
        case "divide":
            return smooth(a, depth - 1) and positive(rest[0])
        case "power":
            even = _even(rest[0])
            return even is not None and even > 0
    return False


def _even(node: Node) -> Fraction | None:
    """Give an exponent that is an even whole number."""
    value = node.value if isinstance(node, Const) else None
    return value if isinstance(value, Fraction) and value.denominator == 1 and value % 2 == 0 and value else None


# ---- powers and products -------------------------------------------------------------------------------------------


def _power(graph: Graph, a: Node, p: Node) -> Node | None:
    if not isinstance(p, Const) or not isinstance(p.value, Fraction):
        return None
    if _even(p) is not None:
        square = _squared(graph, a)
        return None if square is None else graph.power(square, graph.const(p.value / 2))
    if p.value > 0 and p.value.denominator > 1 and p.value != Fraction(1, 2):
        # (x**2)**1.5 is abs(x)**3, and sum(x**2)**0.75 is norm(x)**1.5: no 0 to a power below 0 in derivatives.
        return graph.power(_root(graph, a), graph.const(2 * p.value)) if smooth(a) else None
    return None


def _root(graph: Graph, u: Node) -> Node:
    """Give the root of a sum of squares: of a single one the number itself, without its sign."""
    if isinstance(u, Map) and u.function == "power":
        even = _even(u.args[1])
        assert even is not None
        half = graph.power(u.args[0], graph.const(even / 2))
        return half if (even / 2) % 2 == 0 else graph.map("abs", half)
    if isinstance(u, Map) and u.function == "multiply" and u.args[0] is u.args[1]:
        return graph.map("abs", u.args[0])
    return graph.map("sqrt0", u)


def _product(graph: Graph, a: Node, b: Node) -> Node | None:
    """``norm(u)*norm(u)``, also where other factors stand before or between."""
    (p, x), (q, y) = graph.split(a), graph.split(b)
    if not isinstance(y, Map) or not _is_length(y):
        return None
    if _same(x, y):
        square = _squared(graph, y)
        return None if square is None else graph.multiply(graph.const(p * q), square)
    if isinstance(x, Map) and x.function == "multiply" and y in x.args:
        rest = x.args[1] if x.args[0] is y else x.args[0]
        square = _squared(graph, y)
        return None if square is None else graph.multiply(graph.multiply(graph.const(p * q), rest), square)
    return None


def _same(x: Node, y: Map) -> bool:
    """Tell whether two lengths are the same; ``x @ x`` and ``sum(x**2)`` are two nodes."""
    if x is y or not isinstance(x, Map) or x.function != y.function:
        return x is y
    (u, *_), (v, *_) = x.args, y.args
    if not isinstance(u, Fold) or not isinstance(v, Fold) or (u.function, u.label) != (v.function, v.label):
        return False
    bases = [b.args[0] if isinstance(b, Map) and b.function in ("power", "multiply") and smooth(b) else None
             for b in (u.body, v.body)]  # fmt: skip
    exponents = {b.args[1] for b in (u.body, v.body) if isinstance(b, Map) and b.function == "power"}
    return bases[0] is not None and bases[0] is bases[1] and all(_even(e) == 2 for e in exponents)


def _is_length(node: Node) -> bool:
    return isinstance(node, Map) and node.function in ("sqrt", "sqrt0", "abs", "hypot")


def _squared(graph: Graph, node: Node, depth: int = 8) -> Node | None:
    """Give the square of a length, of an absolute value, or of a product with such a factor, without the root."""
    if not isinstance(node, Map) or not depth:
        return None
    two = graph.const(2)
    match node.function:
        case "sqrt0":
            return node.args[0]
        case "sqrt":
            return node.args[0] if not_negative(node.args[0]) else None
        case "abs":
            return graph.power(node.args[0], two)
        case "hypot":
            return graph.add(*(graph.power(a, two) for a in node.args))
        case "multiply":
            for length, factor in (node.args, node.args[::-1]):
                found = _scaled(graph, length, factor, lambda n, f: graph.multiply(f, n), depth)
                if found is not None:
                    return found
        case "divide":
            return _scaled(graph, node.args[0], node.args[1], graph.divide, depth)
    return None


def _scaled(graph: Graph, length: Node, factor: Node, apply: Callable[[Node, Node], Node], depth: int) -> Node | None:
    """Give the square of a length times, or over, a factor.

    The factor goes into the sum, ``sum((u/s)**2)``, since its own square may overflow where that of the ratio does not.
    """
    square = _squared(graph, length, depth - 1)
    if square is None:
        return None
    if isinstance(factor, Const) and MODERATE[0] < abs(factor.constant or 0) < MODERATE[1]:
        return apply(square, graph.power(factor, graph.const(2)))
    return _into(graph, square, factor, apply) if factor.labels <= length.labels else None


def _into(graph: Graph, square: Node, factor: Node, apply: Callable[[Node, Node], Node]) -> Node | None:
    """Apply a factor to what is squared in a sum of squares."""
    if isinstance(square, Fold) and square.function == "sum" and square.label not in factor.labels:
        body = _into(graph, square.body, factor, apply)
        return None if body is None else graph.fold("sum", body, square.label)
    if not isinstance(square, Map):
        return None
    a, *rest = square.args
    match square.function:
        case "power" if _even(rest[0]) == 2:
            return graph.power(apply(a, factor), rest[0])
        case "multiply" if a is rest[0]:
            return graph.power(apply(a, factor), graph.const(2))
        case "multiply" if positive(a):
            inside = _into(graph, rest[0], factor, apply)
            return None if inside is None else graph.multiply(a, inside)
        case "divide" if positive(rest[0]):
            inside = _into(graph, a, factor, apply)
            return None if inside is None else graph.divide(inside, rest[0])
        case "add":
            terms = [_into(graph, t, factor, apply) for t in square.args]
            found = [t for t in terms if t is not None]
            return graph.add(*found) if len(found) == len(terms) else None
    return None
