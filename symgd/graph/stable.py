"""Spellings that overflow or lose digits, and the function that each of them means.

``log(1 + exp(x))`` is softplus, ``1/(1 + exp(-x))`` the sigmoid, ``log(cosh(x))`` overflows from 711 on though its
value is about 710. They are recognised when the node is made, so that value, gradient and Hessian all take the stable
form. Each rule returns the stable node, or ``None``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from symgd.graph.nodes import Const, Fold, Map, Node

if TYPE_CHECKING:
    from symgd.graph.graph import Graph

Rule = Callable[["Graph", tuple[Node, ...]], Node | None]


def rewrite(graph: Graph, function: str, args: tuple[Node, ...]) -> Node | None:
    """Give the stable form of a function applied to arguments; ``None`` where it needs none."""
    rule = _RULES.get(function)
    return rule(graph, args) if rule else None


# ---- matching -------------------------------------------------------------------------------------------------------


def _argument(node: Node, function: str) -> Node | None:
    """Give u where the node is function(u)."""
    return node.args[0] if isinstance(node, Map) and node.function == function else None


def _is(node: Node, value: int) -> bool:
    return isinstance(node, Const) and node.value == value


def _terms(node: Node) -> tuple[Node, ...]:
    return node.args if isinstance(node, Map) and node.function == "add" else (node,)


def _square(node: Node) -> Node | None:
    """Give u where the node is u**2 or u*u."""
    if isinstance(node, Map) and node.function == "power" and _is(node.args[1], 2):
        return node.args[0]
    if isinstance(node, Map) and node.function == "multiply" and node.args[0] is node.args[1]:
        return node.args[0]
    return None


def _exponent(graph: Graph, node: Node) -> tuple[bool, Node] | None:
    """Give (negative, u) where the node is exp(u) or -exp(u), a positive number c counting as exp(log(c))."""
    if isinstance(node, Const) and node.value != 0 and math.isfinite(node.value):
        size = graph.const(abs(node.value))
        return node.value < 0, graph.const(0) if size.constant == 1 else graph.map("log", size)
    factor, rest = graph.split(node)
    u = _argument(rest, "exp")
    if u is None or factor == 0 or not math.isfinite(factor):
        return None
    if abs(factor) != 1:
        u = graph.add(u, graph.map("log", graph.const(abs(factor))))
    return factor < 0, u


def _exponents(graph: Graph, node: Node) -> list[Node] | None:
    """Give u1, u2, ... where the node is exp(u1) + exp(u2) + ... and at least one is no plain number."""
    found = [_exponent(graph, term) for term in _terms(node)]
    if any(f is None or f[0] for f in found) or all(isinstance(t, Const) for t in _terms(node)):
        return None
    return [f[1] for f in found if f is not None]


def _log_sum(graph: Graph, exponents: list[Node]) -> Node:
    """log(exp(u1) + exp(u2) + ...)."""
    total = exponents[0]
    for u in exponents[1:]:
        total = graph.map("logaddexp", total, u)
    return total


# ---- rules ----------------------------------------------------------------------------------------------------------


def _log(graph: Graph, args: tuple[Node, ...]) -> Node | None:
    (a,) = args
    exponents = _exponents(graph, a)
    if exponents is not None:
        return _log_sum(graph, exponents)
    if (u := _argument(a, "cosh")) is not None:
        return graph.map("logcosh", u)
    if (u := _argument(a, "sigmoid")) is not None:
        return graph.negate(graph.map("softplus", graph.negate(u)))
    if (u := _argument(a, "gamma")) is not None:
        # Where gamma is negative its logarithm must stay nan; lgamma would hide that.
        inside = graph.map("greater", u, graph.const(0))
        return graph.map("where", inside, graph.map("lgamma", u), graph._map("log", (a,)))  # noqa: SLF001
    return _log_of_sum(graph, a) or _log_of_fold(graph, a) or _log_of_product(graph, a)


def _log_of_sum(graph: Graph, a: Node) -> Node | None:
    """log(1 + u) and log(1 - exp(u))."""
    if len(_terms(a)) != 2 or not any(_is(t, 1) for t in _terms(a)):
        return None
    (u,) = (t for t in _terms(a) if not _is(t, 1))
    if (factor := graph.split(u)[0]) == -1 and (v := _argument(graph.split(u)[1], "exp")) is not None:
        return graph.map("log1mexp", v)
    return graph.map("log1p", u) if factor else None


def _log_of_fold(graph: Graph, a: Node) -> Node | None:
    """log(sum(c*exp(u))), with the c taken out."""
    factor, rest = graph.split(a)
    if not isinstance(rest, Fold) or rest.function != "sum" or factor <= 0:
        return None
    exponent = _exponent(graph, rest.body)
    if exponent is None or exponent[0] or isinstance(rest.body, Const):
        return None
    value = graph.fold("logsumexp", exponent[1], rest.label)
    return value if factor == 1 else graph.add(value, graph.map("log", graph.const(factor)))


def _log_of_product(graph: Graph, a: Node) -> Node | None:
    """log(p*q) and log(p/q) where p or q is an exponential or a sum of them, which may overflow on its own."""
    if not isinstance(a, Map) or a.function not in ("multiply", "divide"):
        return None
    p, q = a.args
    if not any(_overflows(graph, n) for n in (p, q)):
        return None
    sign = graph.add if a.function == "multiply" else graph.subtract
    return sign(graph.map("log", p), graph.map("log", q))


def _overflows(graph: Graph, node: Node) -> bool:
    return _exponents(graph, node) is not None or (
        isinstance(node, Fold) and node.function == "sum" and _exponent(graph, node.body) is not None
    )


def _log_to_base(base: int) -> Rule:
    def rule(graph: Graph, args: tuple[Node, ...]) -> Node | None:
        natural = _log(graph, args)
        if natural is None or _argument(natural, "log1p") is not None:
            return None
        return graph.divide(natural, graph.map("log", graph.const(base)))

    return rule


def _log1p(graph: Graph, args: tuple[Node, ...]) -> Node | None:
    found = _exponent(graph, args[0])
    if found is None or isinstance(args[0], Const):
        return None
    negative, u = found
    return graph.map("log1mexp", u) if negative else _softplus(graph, u)


def _softplus(graph: Graph, u: Node) -> Node:
    return graph.map("softplus", u)


def _logaddexp(graph: Graph, args: tuple[Node, ...]) -> Node | None:
    a, b = args
    if _is(a, 0):
        return _softplus(graph, b)
    return _softplus(graph, a) if _is(b, 0) else None


def _add(graph: Graph, args: tuple[Node, ...]) -> Node | None:
    """Sums of two terms, one of them 1 or -1."""
    if len(args) != 2:
        return None
    one = next((t for t in args if isinstance(t, Const) and abs(t.value) == 1), None)
    if one is None:
        return None
    other = args[1] if args[0] is one else args[0]
    factor, u = graph.split(other)
    if not isinstance(u, Map) or abs(factor) != 1:
        return None
    if factor * one.value > 0:
        return None
    sign: Callable[[Node], Node] = graph.negate if one.value < 0 else lambda n: n
    complement = _complement(graph, u)
    return None if complement is None else sign(complement)


def _complement(graph: Graph, u: Map) -> Node | None:
    """1 - u, where the difference has a name of its own."""
    if u.function == "exp":
        return graph.negate(graph.map("expm1", u.args[0]))
    if u.function == "sigmoid":
        return graph.map("sigmoid", graph.negate(u.args[0]))
    if u.function in ("erf", "erfc"):
        return graph.map("erfc" if u.function == "erf" else "erf", u.args[0])
    if u.function in ("cos", "cosh"):
        half = graph.multiply(graph.const(Fraction(1, 2)), u.args[0])
        square = graph.power(graph.map("sin" if u.function == "cos" else "sinh", half), graph.const(2))
        return graph.multiply(graph.const(2 if u.function == "cos" else -2), square)
    base = _square(u)
    if base is not None and (v := _argument(base, "tanh")) is not None:
        return graph.power(graph.map("sech", v), graph.const(2))
    return None


def _divide(graph: Graph, args: tuple[Node, ...]) -> Node | None:
    a, b = args
    shifted = _shifted(graph, b)
    if shifted is None:
        return None
    below = _exponents(graph, b)
    tanh = _tanh(graph, a, b)
    if tanh is not None:
        return tanh
    above = _exponent(graph, a) if not isinstance(a, Const) else None
    if below is None:
        return None
    if above is not None:
        # exp(u)/(exp(v) + ...): only differences of exponents matter.
        negative, u = above
        rests = [graph.subtract(v, u) for v in below]
        zeros = [r for r in rests if _is(r, 0)]
        others = [r for r in rests if not _is(r, 0)]
        if not others:
            return None
        if len(zeros) == 1:
            value = graph.map("sigmoid", graph.negate(_log_sum(graph, others)))
        else:
            value = graph.map("exp", graph.negate(_log_sum(graph, rests)))
        return graph.negate(value) if negative else value
    if len(below) > 1 and any(_is(v, 0) for v in below):
        others = [v for v in below if not _is(v, 0)]
        if len(others) == len(below) - 1:
            return graph.multiply(a, graph.map("sigmoid", graph.negate(_log_sum(graph, others))))
    return None


def _shifted(graph: Graph, b: Node) -> Node | None:
    """Give the node back when exponentials are among its terms: the quick way out for all other divisions."""
    return b if any(_argument(graph.split(t)[1], "exp") is not None for t in _terms(b)) else None


def _tanh(graph: Graph, a: Node, b: Node) -> Node | None:
    """(exp(u) - exp(v))/(exp(u) + exp(v)) is tanh((u - v)/2)."""
    above = [_exponent(graph, t) for t in _expanded(graph, a)]
    below = [_exponent(graph, t) for t in _terms(b)]
    if len(above) != 2 or len(below) != 2 or None in above or None in below:
        return None
    plus = {u for negative, u in (f for f in above if f) if not negative}
    minus = {u for negative, u in (f for f in above if f) if negative}
    if len(plus) != 1 or len(minus) != 1 or any(f[0] for f in below if f) or plus | minus != {f[1] for f in below if f}:
        return None
    (u,), (v,) = plus, minus
    return graph.map("tanh", graph.multiply(graph.const(Fraction(1, 2)), graph.subtract(u, v)))


def _expanded(graph: Graph, node: Node) -> tuple[Node, ...]:
    """Give the terms of a sum, exp(u) - 1 being two of them again."""
    factor, rest = graph.split(node)
    u = _argument(rest, "expm1")
    if u is None or abs(factor) != 1:
        return _terms(node)
    power = graph._map("exp", (u,))  # noqa: SLF001
    return graph.scaled(factor, power), graph.const(-factor)


def _power(graph: Graph, args: tuple[Node, ...]) -> Node | None:
    """(1 + exp(u))**-p is sigmoid(-u)**p, and sqrt(u**2) is abs(u)."""
    a, p = args
    if not isinstance(p, Const):
        return None
    if p.value == Fraction(1, 2):
        return _sqrt(graph, (a,)) or graph.map("sqrt", a)
    if p.value >= 0:
        return None
    inverse = _divide(graph, (graph.const(1), a))
    return None if inverse is None else graph.power(inverse, graph.const(-p.value))


def _sqrt(graph: Graph, args: tuple[Node, ...]) -> Node | None:
    u = _square(args[0])
    if u is not None:
        return graph.map("abs", u)
    roots = [graph.const(1) if _is(t, 1) else _square(t) for t in _terms(args[0])]
    if len(roots) == 2 and roots[0] is not None and roots[1] is not None:
        return graph.map("hypot", roots[0], roots[1])
    return None


def _exp(graph: Graph, args: tuple[Node, ...]) -> Node | None:
    """exp(0) is 1; nothing else is safe to fold."""
    return graph.const(1) if _is(args[0], 0) else None


_RULES: dict[str, Rule] = {
    "log": _log,
    "log2": _log_to_base(2),
    "log10": _log_to_base(10),
    "log1p": _log1p,
    "logaddexp": _logaddexp,
    "add": _add,
    "divide": _divide,
    "power": _power,
    "sqrt": _sqrt,
    "exp": _exp,
}
