"""Logarithms: of exponentials, of 1 + u, of products, powers, and functions that over- or underflow."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from symgd.graph.nodes import Const, Fold, Leaf, Map, Matrix, Node
from symgd.graph.stable.exponentials import log_of, parts
from symgd.graph.stable.matching import Rules, argument, first, half, is_number, radius, terms, twice

if TYPE_CHECKING:
    from symgd.graph.graph import Graph


def _of_exponentials(graph: Graph, a: Node) -> Node | None:
    """log(exp(u) + exp(v)), log(sum(exp(u)))."""
    return log_of(graph, a)


def _of_difference(graph: Graph, a: Node) -> Node | None:
    """log(exp(u) - exp(v)) is u + log(1 - exp(v - u))."""
    found = terms(a)
    if len(found) != 2:
        return None
    for (k, first_), (m, second) in zip(
        *[[graph.split(t) for t in order] for order in (found, found[::-1])], strict=True
    ):
        u = graph.const(0) if is_number(first_, 1) else _exponent(graph, first_) if k == 1 else None
        v = _exponent(graph, second) if m == -1 else graph.const(0) if is_number(second, -1) else None
        if u is not None and v is not None:
            return graph.add(u, graph.map("log1mexp", graph.subtract(v, u)))
    return None


def _exponent(graph: Graph, node: Node) -> Node | None:
    """Give u where the node is exp(u) or another one made of exponentials, but no sum."""
    return None if isinstance(node, Fold) or len(terms(node)) > 1 else log_of(graph, node)


def _of_scaled(graph: Graph, a: Node) -> Node | None:
    """log(p*exp(u)) is log(p) + u, whatever the sign of p, and so for sums of such terms."""
    p, u = parts(graph, a)
    return None if u is None else graph.add(graph.raw("log", p) if p is a else graph.map("log", p), u)


def _of_one_and_more(graph: Graph, a: Node) -> Node | None:
    """log(1 + u) is log1p(u); of several terms only where 1 does not cancel with one of them."""
    found = terms(a)
    rest = [t for t in found if not is_number(t, 1)]
    if not 0 < len(rest) < len(found):
        return None
    u = graph.add(*rest)
    near = graph.map("log1p", u)
    if len(rest) == 1 or not graph.guarded:
        return near
    small = graph.map("less", graph.map("abs", u), graph.const(Fraction(1, 2)))
    plain = graph.raw("log", a)
    return graph.store.seam(graph.map("where", small, near, plain), plain)


def _of_squares(graph: Graph, a: Node) -> Node | None:
    """log(u**2 + v**2) is 2*log(hypot(u, v))."""
    found = radius(graph, a)
    return None if found is None else twice(graph, graph.map("log", found))


def _of_minus_expm1(graph: Graph, a: Node) -> Node | None:
    """log(-k*expm1(v)) is log(k) + log1mexp(v)."""
    factor, rest = graph.split(a)
    v = argument(rest, "expm1")
    size = graph.store.numbers.multiply(factor, Fraction(-1))
    if v is None or not 1 / _PLAIN <= size <= _PLAIN:
        return None
    return graph.add(graph.map("log", graph.const(size)), graph.map("log1mexp", v))


def _of_multiple(graph: Graph, a: Node) -> Node | None:
    """log(k/u) is log(k) - log(u), and log(k*f(u)) is log(k) + log(f(u)) where log(f(u)) has a better form."""
    if not isinstance(a, Map) or a.function not in ("multiply", "divide"):
        return None
    k, f = a.args
    # A larger number would take digits off what is added to its logarithm.
    if not isinstance(k, Const) or not 1 / _PLAIN <= k.value <= _PLAIN:
        return None
    log = first(graph, LOGARITHMS, f)
    if log is None:
        if a.function == "multiply":
            return None
        log = graph.map("log", f)
    number = graph.map("log", k)
    return graph.add(number, log) if a.function == "multiply" else graph.subtract(number, log)


_PLAIN = 1000


def _of_gammas(graph: Graph, a: Node) -> Node | None:
    """The logarithm of a product with gamma functions in it, each of them too large for float64 from 172 on.

    Two negative factors have a positive product: logarithms are those of the sizes, and the signs are multiplied.
    """
    if not isinstance(a, Map) or a.function not in ("multiply", "divide"):
        return None
    factors = _factors(a)
    if not any(argument(f, "gamma") is not None for f, _ in factors):
        return None
    logs, sign = [], graph.const(1)
    for factor, side in factors:
        log, of = _log_of_size(graph, factor)
        logs.append(log if side > 0 else graph.negate(log))
        sign = sign if of is None else graph.multiply(sign, graph.map("sign", of))
    total, plain = graph.add(*logs), graph.raw("log", a)
    found = graph.store.seam(graph.map("where", graph.map("greater", sign, graph.const(0)), total, plain), plain)
    if not graph.guarded:
        return found
    # The logarithms of factors cancel where the product is moderate, whose own logarithm keeps its digits.
    low, high = (graph.map("less", *pair) for pair in ((graph.const(Fraction(1, _PLAIN)), a), (a, graph.const(_PLAIN))))
    return graph.store.seam(graph.map("where", graph.map("logical_and", low, high), plain, found), plain)


def _log_of_size(graph: Graph, factor: Node) -> tuple[Node, Node | None]:
    """Give log(abs(factor)), and what has the sign of the factor; ``None`` where that is positive."""
    if isinstance(factor, Map) and factor.function == "power":
        base, p = factor.args
        whole = isinstance(p, Const) and isinstance(p.value, Fraction) and p.value.denominator == 1
        if not whole:
            return graph.multiply(p, graph.map("log", base)), base  # nan where the base is negative
        odd = isinstance(p, Const) and p.value % 2 == 1
        return graph.multiply(p, graph.map("log", graph.map("abs", base))), base if odd else None
    log = log_of(graph, factor)
    return (log, None) if log is not None else (graph.map("log", graph.map("abs", factor)), factor)


def _factors(node: Node, sign: int = 1) -> list[tuple[Node, int]]:
    """Give the factors of a product or ratio, with 1 for those above and -1 for those below the line."""
    found: list[tuple[Node, int]] = []
    stack = [(node, sign)]
    while stack:
        top, sign = stack.pop()
        if isinstance(top, Map) and top.function in ("multiply", "divide") and len(found) + len(stack) < 16:
            a, b = top.args
            stack += [(b, sign if top.function == "multiply" else -sign), (a, sign)]
        else:
            found.append((top, sign))
    return found


def _of_power(graph: Graph, a: Node) -> Node | None:
    """log(u**p) is p*log(abs(u)) for even p, p*log(u) for others."""
    if not isinstance(a, Map) or a.function != "power":
        return None
    base, p = a.args
    if not isinstance(p, Const) or p.value == 0:
        return None
    # u**2 is positive for negative u too, and so is u**-2, but not u**3 or sqrt(u).
    even = isinstance(p.value, Fraction) and p.value.denominator == 1 and p.value % 2 == 0
    inside = graph.map("abs", base) if even else base
    return graph.multiply(p, graph.map("log", inside))


def _of_sinh(graph: Graph, u: Node) -> Node:
    small = graph.map("log1mexp", twice(graph, graph.negate(u)))
    return graph.subtract(graph.add(u, small), graph.map("log", graph.const(2)))


def _of_tanh(graph: Graph, u: Node) -> Node:
    v = twice(graph, graph.negate(u))
    return graph.subtract(graph.map("log1mexp", v), graph.map("softplus", v))


def _of_abs(graph: Graph, u: Node) -> Node | None:
    v = argument(u, "gamma")
    return None if v is None else graph.map("lgamma", v)


def _of_determinant(graph: Graph, a: Node) -> Node | None:
    """A determinant overflows long before its logarithm."""
    return graph.matrix("logdet", a.body) if isinstance(a, Matrix) and a.function == "det" else None


def _of_size_of_determinant(graph: Graph, a: Node) -> Node | None:
    """log(abs(det(A))), of which slogdet(A) has the digits."""
    u = argument(a, "abs")
    return graph.matrix("logabsdet", u.body) if isinstance(u, Matrix) and u.function == "det" else None


def _of(function: str, make: Callable[[Graph, Node], Node | None]) -> Callable[[Graph, Node], Node | None]:
    """Give the rule for the logarithm of a function."""

    def rule(graph: Graph, a: Node) -> Node | None:
        u = argument(a, function)
        return None if u is None else make(graph, u)

    return rule


LOGARITHMS: Rules = (
    ("log of exponentials", _of_exponentials),
    ("log of exp(u) - exp(v)", _of_difference),
    ("log of p*exp(u)", _of_scaled),
    ("log of 1 + u", _of_one_and_more),
    ("log of squares", _of_squares),
    ("log of gammas", _of_gammas),
    ("log of -expm1", _of_minus_expm1),
    ("log of k*f(u)", _of_multiple),
    ("log of a power", _of_power),
    ("log of sqrt", _of("sqrt", lambda graph, u: half(graph, graph.map("log", u)))),
    ("log of gamma", _of("gamma", lambda graph, u: graph.map("lngamma", u))),
    ("log of abs(gamma)", _of("abs", _of_abs)),
    ("log of expm1", _of("expm1", lambda graph, u: graph.add(u, graph.map("log1mexp", graph.negate(u))))),
    ("log of sinh", _of("sinh", _of_sinh)),
    ("log of tanh", _of("tanh", _of_tanh)),
    ("log of det", _of_determinant),
    ("log of abs(det)", _of_size_of_determinant),
    ("log of erfc", _of("erfc", lambda graph, u: graph.map("logerfc", u))),
)


def log(graph: Graph, a: Node) -> Node | None:
    """Give the stable form of log(a)."""
    return None if isinstance(a, Leaf | Const) else first(graph, LOGARITHMS, a)


def log_to_base(base: int) -> Callable[[Graph, Node], Node | None]:
    """Give the rule for logarithms to another base."""

    def rule(graph: Graph, a: Node) -> Node | None:
        natural = log(graph, a)
        return None if natural is None else graph.divide(natural, graph.map("log", graph.const(base)))

    return rule


def log1p_of_exponential(graph: Graph, a: Node) -> Node | None:
    """log1p(exp(u)) is softplus(u)."""
    u = log_of(graph, a)
    return None if u is None else graph.map("softplus", u)


def log1p_of_negative(graph: Graph, a: Node) -> Node | None:
    """log1p(-exp(u)) is log1mexp(u)."""
    factor, rest = graph.split(a)
    u = log_of(graph, rest) if factor == -1 else None
    return None if u is None else graph.map("log1mexp", u)


def logaddexp_of_zero(graph: Graph, a: Node, b: Node) -> Node | None:
    """logaddexp(0, u) is softplus(u)."""
    if is_number(a, 0):
        return graph.map("softplus", b)
    return graph.map("softplus", a) if is_number(b, 0) else None
