"""Pairs of terms whose sum has a name of its own: exp(u) - 1 is expm1(u), and 1 - cos(u) 2*sin(u/2)**2."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from symgd.graph.exact import Number
from symgd.graph.nodes import Const, Map, Node
from symgd.graph.stable.matching import Rules, argument, first, half, is_number, scaled, squared, terms, twice

if TYPE_CHECKING:
    from symgd.graph.graph import Graph

MOST_TERMS = 8  # long sums are no such pairs, and looking at all pairs takes long


def add(graph: Graph, *args: Node) -> Node | None:
    """Give the sum with the first pair of terms that has a name under that name."""
    if len(args) > MOST_TERMS:
        return None
    for i, a in enumerate(args):
        for j in range(i):
            pair = _pair(graph, a, args[j]) or _pair(graph, args[j], a)
            if pair is not None:
                rest = [t for k, t in enumerate(args) if k not in (i, j)]
                return graph.add(pair, *rest) if rest else pair
    return None


def _pair(graph: Graph, a: Node, b: Node) -> Node | None:
    """Give a + b under its name, a being k*f(u)."""
    factor, f = graph.split(a)
    if not isinstance(f, Map) or factor == 0:
        return None
    weight, other = (b.value, graph.const(1)) if isinstance(b, Const) else graph.split(b)
    found = first(graph, PAIRS, f, weight / factor, other)
    return None if found is None else scaled(graph, factor, found)


# ---- f(u) + number -------------------------------------------------------------------------------------------------


def _complement(
    function: str, number: Fraction | int, make: Callable[[Graph, Node], Node]
) -> Callable[..., Node | None]:
    """Give the rule for function(u) + number."""

    def rule(graph: Graph, f: Map, weight: Number, other: Node) -> Node | None:
        if f.function != function or weight != number or not is_number(other, 1):
            return None
        return make(graph, f.args[0])

    return rule


def _sigmoid(graph: Graph, factor: int, u: Node) -> Node:
    return scaled(graph, factor, graph.map("sigmoid", u))


def _half_angle(graph: Graph, factor: int, function: str, u: Node) -> Node:
    return scaled(graph, factor, graph.power(graph.map(function, half(graph, u)), graph.const(2)))


def _tanh_squared(graph: Graph, f: Map, weight: Number, other: Node) -> Node | None:
    """tanh(u)**2 - 1 is -sech(u)**2."""
    base = squared(f)
    u = argument(base, "tanh") if base is not None else None
    if u is None or weight != -1 or not is_number(other, 1):
        return None
    return graph.negate(graph.power(graph.map("sech", u), graph.const(2)))


def _power_of_number(graph: Graph, f: Map, weight: Number, other: Node) -> Node | None:
    """c**u - 1 is expm1(u*log(c)) near 0; beyond, the power itself has more digits, and all of them for whole u."""
    if f.function != "power" or weight != -1 or not is_number(other, 1) or not graph.guarded:
        return None
    base, u = f.args
    if not isinstance(base, Const) or base.value <= 0:
        return None
    exponent = graph.multiply(u, graph.map("log", base))
    small = graph.map("less", graph.map("abs", exponent), graph.const(Fraction(1, 2)))
    plain = graph.raw("add", f, graph.const(-1))
    return graph.store.seam(graph.map("where", small, graph.map("expm1", exponent), plain), plain)


def _multiple(graph: Graph, f: Map, weight: Number, other: Node) -> Node | None:
    """u*f(v) + k*u is u*(f(v) + k), where that has a name."""
    if f.function != "multiply" or other not in f.args:
        return None
    a, b = f.args
    inner = b if a is other else a
    if not isinstance(inner, Map) or isinstance(other, Const):
        return None
    found = first(graph, COMPLEMENTS, inner, weight, graph.const(1))
    return None if found is None else graph.multiply(other, found)


COMPLEMENTS: Rules = (
    ("exp(u) - 1", _complement("exp", -1, lambda graph, u: graph.map("expm1", u))),
    ("tanh(u) + 1", _complement("tanh", 1, lambda graph, u: _sigmoid(graph, 2, twice(graph, u)))),
    ("tanh(u) - 1", _complement("tanh", -1, lambda graph, u: _sigmoid(graph, -2, twice(graph, graph.negate(u))))),
    ("sigmoid(u) - 1", _complement("sigmoid", -1, lambda graph, u: _sigmoid(graph, -1, graph.negate(u)))),
    ("sigmoid(u) - 1/2", _complement("sigmoid", Fraction(-1, 2),
                                     lambda graph, u: half(graph, graph.map("tanh", half(graph, u))))),
    ("erf(u) + 1", _complement("erf", 1, lambda graph, u: graph.map("erfc", graph.negate(u)))),
    ("erf(u) - 1", _complement("erf", -1, lambda graph, u: graph.negate(graph.map("erfc", u)))),
    ("erfc(u) - 1", _complement("erfc", -1, lambda graph, u: graph.negate(graph.map("erf", u)))),
    ("cos(u) - 1", _complement("cos", -1, lambda graph, u: _half_angle(graph, -2, "sin", u))),
    ("cosh(u) - 1", _complement("cosh", -1, lambda graph, u: _half_angle(graph, 2, "sinh", u))),
    ("tanh(u)**2 - 1", _tanh_squared),
    ("c**u - 1", _power_of_number),
)  # fmt: skip


# ---- f(u) + k*g(u) -------------------------------------------------------------------------------------------------


def _softplus(graph: Graph, f: Map, weight: Number, other: Node) -> Node | None:
    """softplus(u) - u is softplus(-u)."""
    if f.function != "softplus" or isinstance(other, Const):
        return None
    inner, u = graph.split(f.args[0])
    return graph.map("softplus", graph.negate(f.args[0])) if u is other and weight == -inner else None


def _positive_part(graph: Graph, f: Map, weight: Number, other: Node) -> Node | None:
    """abs(u) + u is 2*maximum(u, 0), which is flat where u is below 0."""
    inner, u = graph.split(f.args[0])
    if f.function != "abs" or u is not other or isinstance(u, Const) or abs(weight) != abs(inner):
        return None
    return twice(graph, graph.map("maximum", f.args[0] if weight == inner else graph.negate(f.args[0]), graph.const(0)))


def _less_one_of_two(graph: Graph, f: Map, weight: Number, other: Node) -> Node | None:
    """maximum(u, v) - u is maximum(v - u, 0), which is flat where u is the larger."""
    if f.function not in ("maximum", "minimum") or weight != -1 or isinstance(other, Const) or other not in f.args:
        return None
    u, v = f.args if f.args[0] is other else f.args[::-1]
    return graph.map(f.function, graph.subtract(v, u), graph.const(0))


def _hyperbolic(sign: int, name: str) -> Callable[..., Node | None]:
    """Give the rule for exp(u) + exp(-u) or exp(u) - exp(-u)."""

    def rule(graph: Graph, f: Map, weight: Number, other: Node) -> Node | None:
        v = argument(other, "exp")
        if f.function != "exp" or weight != sign or v is None or graph.negate(v) is not f.args[0]:
            return None
        # With a minus the pair is looked at both ways: u is the exponent without a sign in front.
        return twice(graph, graph.map(name, f.args[0])) if graph.split(f.args[0])[0] > 0 else None

    return rule


def _difference_of_roots(graph: Graph, f: Map, weight: Number, other: Node) -> Node | None:
    """sqrt(p) - v is (p - v**2)/(sqrt(p) + v) where v is positive and p - v**2 is one term.

    Where v is negative there is nothing to cancel, and where both are 0 no quotient.
    """
    if f.function not in ("sqrt", "hypot") or not graph.guarded:
        return None
    if isinstance(other, Const):
        if weight >= 0 or graph.store.numbers.multiply(weight, weight) == 0:
            return None
        weight, other = Fraction(-1), graph.const(graph.store.numbers.multiply(weight, Fraction(-1)))
    if weight != -1:
        return None
    p, q = Counter(_square_terms(graph, f)), Counter(_square_terms(graph, other))
    left, right = list((p - q).elements()), list((q - p).elements())
    if len(left) + len(right) != 1:
        return None
    total = graph.add(f, other)
    (rest,) = left or right
    root = squared(rest)
    ratio = graph.divide(rest, total) if root is None else graph.multiply(root, graph.divide(root, total))
    ratio = ratio if left else graph.negate(ratio)
    if isinstance(other, Const):
        return ratio
    positive, plain = graph.map("greater", other, graph.const(0)), graph.raw("add", f, graph.negate(other))
    return graph.store.seam(graph.map("where", positive, ratio, plain), plain)


def _square_terms(graph: Graph, root: Node) -> tuple[Node, ...]:
    """Give the terms of the square of a node."""
    u = argument(root, "sqrt")
    if u is not None:
        return terms(u)
    if isinstance(root, Map) and root.function == "hypot":
        return tuple(graph.power(v, graph.const(2)) for v in root.args)
    return (graph.power(root, graph.const(2)),)


PAIRS: Rules = (
    *COMPLEMENTS,
    ("u*f(v) + k*u", _multiple),
    ("softplus(u) - u", _softplus),
    ("abs(u) + u", _positive_part),
    ("maximum(u, v) - u", _less_one_of_two),
    ("exp(u) - exp(-u)", _hyperbolic(-1, "sinh")),
    ("exp(u) + exp(-u)", _hyperbolic(1, "cosh")),
    ("sqrt(p) - v", _difference_of_roots),
)
