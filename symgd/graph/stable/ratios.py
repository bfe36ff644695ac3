"""Products and ratios of exponentials, one of which may overflow where the other vanishes; powers and roots."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from symgd.graph.nodes import Const, Fold, Leaf, Map, Node
from symgd.graph.stable.exponentials import log_of, may_overflow, parts
from symgd.graph.stable.matching import argument, half, is_number, radius, scaled, squared, terms, twice

if TYPE_CHECKING:
    from symgd.graph.graph import Graph


# ---- products ------------------------------------------------------------------------------------------------------


def times_planck(graph: Graph, a: Node, b: Node) -> Node | None:
    """exp(u)*(v/expm1(u)) is -v/expm1(-u); both exp(u) and expm1(u) may be infinite."""
    for exponential, other in ((a, b), (b, a)):
        (scale, power), (factor, ratio) = graph.split(exponential), graph.split(other)
        u = argument(power, "exp")
        if u is None or not isinstance(ratio, Map) or ratio.function != "divide":
            continue
        if argument(ratio.args[1], "expm1") is u:
            below = graph.map("expm1", graph.negate(u))
            return scaled(graph, -factor * scale, graph.divide(ratio.args[0], below))
    return None


def times_sech(graph: Graph, a: Node, b: Node) -> Node | None:
    """exp(u)*sech(u) is 2*sigmoid(2*u)."""
    for exponential, other in ((a, b), (b, a)):
        v, u = argument(exponential, "exp"), argument(other, "sech")
        if v is not None and u is not None and v in (u, graph.negate(u)):
            return twice(graph, graph.map("sigmoid", twice(graph, v)))
    return None


def times_exponential(graph: Graph, a: Node, b: Node) -> Node | None:
    """p*exp(u) times q*exp(v) is p*q*exp(u + v)."""
    (p, u), (q, v) = parts(graph, a), parts(graph, b)
    if u is None or v is None or u is v or not (may_overflow(a) or may_overflow(b)):
        return None
    if not (_no_sum(a) and _no_sum(b)):
        return None
    factor, exponent = graph.multiply(p, q), graph.add(u, v)
    if factor.constant in (0.0, inf, -inf) and 0.0 not in (p.constant, q.constant):
        return None
    extreme = factor.constant is not None and not 1e-100 < abs(factor.constant) < 1e100 and factor.constant != 0
    if graph.guarded and not graph.derived and (factor.constant is None or extreme):
        return graph.map("weighted", factor, exponent)  # 0 times what overflows is 0
    return factor if factor.constant == 0 else graph.multiply(factor, graph.map("exp", exponent))


def _no_sum(node: Node) -> bool:
    """Tell whether a node is a product of exponentials and no sum."""
    if isinstance(node, Map) and node.function in ("multiply", "divide", "power", "sqrt"):
        return all(_no_sum(a) for a in node.args)
    return not isinstance(node, Fold) and not (isinstance(node, Map) and node.function == "add")


# ---- ratios --------------------------------------------------------------------------------------------------------


def over_cosh(graph: Graph, a: Node, b: Node) -> Node | None:
    """sinh(u)/cosh(u) is tanh(u), and any other v/cosh(u) is v*sech(u)."""
    scale, bottom = graph.split(b)
    u = argument(bottom, "cosh")
    if u is None:
        return None
    factor, top = graph.split(a)
    if argument(top, "sinh") is u:
        return scaled(graph, factor / scale, graph.map("tanh", u))
    v = argument(top, "sinh")
    if v is not None and not graph.derived:  # one may overflow and the other vanish
        growth = graph.subtract(graph.map("logcosh", v), graph.map("logcosh", u))
        ratio = graph.multiply(graph.map("tanh", v), graph.map("exp", growth))
        return scaled(graph, factor / scale, ratio)
    return graph.multiply(graph.divide(a, graph.const(scale)), graph.map("sech", u))


def over_expm1(graph: Graph, a: Node, b: Node) -> Node | None:
    """p*exp(u)/expm1(u) is -p/expm1(-u)."""
    v = argument(b, "expm1")
    if v is None:
        return None
    p, u = parts(graph, a)
    return graph.divide(graph.negate(p), graph.map("expm1", graph.negate(v))) if u is v else None


def tanh_spelt_out(graph: Graph, a: Node, b: Node) -> Node | None:
    """(exp(u) - 1)/(exp(u) + 1) is tanh(u/2)."""
    factor, difference = graph.split(a)
    u = argument(difference, "expm1")
    if u is None or _exponents(graph, b) not in ([u, graph.const(0)], [graph.const(0), u]):
        return None
    return scaled(graph, factor, graph.map("tanh", half(graph, u)))


def sigmoid_spelt_out(graph: Graph, a: Node, b: Node) -> Node | None:
    """p*exp(u)/(exp(u) + exp(v)) is p*sigmoid(u - v)."""
    exponents = _exponents(graph, b)
    p, u = parts(graph, a)
    u = graph.const(0) if u is None else u
    if len(exponents) != 2 or u not in exponents:
        return None
    v = exponents[1] if exponents[0] is u else exponents[0]
    form = graph.multiply(p, graph.map("sigmoid", graph.subtract(u, v)))
    factor, top = graph.split(p)
    w = argument(top, "expm1")
    if w is None or not graph.guarded or graph.derived:
        return form
    # expm1(w) is exp(w)*(1 - exp(-w)), whose exponential may be as large as the sigmoid is small.
    growth = graph.divide(graph.map("exp", graph.add(w, u)), b)
    beyond = scaled(graph, -factor, graph.multiply(graph.map("expm1", graph.negate(w)), growth))
    # Exponents beyond 1e5 have no digits to be subtracted, nor has an infinite one.
    large = graph.map(
        "logical_and", graph.map("greater", w, graph.const(1)), graph.map("less", w, graph.const(100_000))
    )
    return graph.store.seam(graph.map("where", large, beyond, form), graph.raw("divide", a, b))


def _exponents(graph: Graph, b: Node) -> list[Node]:
    """Give the exponents of a sum of exponentials and ones; none if there is any other term."""
    found = [graph.const(0) if is_number(t, 1) else argument(t, "exp") for t in terms(b)]
    return [u for u in found if u is not None] if None not in found else []


def over_exponential(graph: Graph, a: Node, b: Node) -> Node | None:
    """p*exp(u) over q*exp(v) is p/q*exp(u - v)."""
    q, v = parts(graph, b)
    if v is None:
        return None
    for mean, swap in ((a, False), (b, True)):  # their numbers of terms stand outside
        if isinstance(mean, Map) and mean.function == "divide" and isinstance(mean.args[0], Fold):
            total, count = mean.args
            quotient = graph.divide(a, total) if swap else graph.divide(total, b)
            return graph.multiply(count, quotient) if swap else graph.divide(quotient, count)
    if isinstance(b, Map) and b.function == "power" and isinstance(b.args[1], Const) and b.args[1].value >= 1:
        return graph.multiply(a, graph.power(graph.divide(graph.const(1), b.args[0]), b.args[1]))
    scale, bottom = graph.split(b)
    if scale != 1 and isinstance(bottom, Fold):
        return graph.divide(graph.divide(a, bottom), graph.const(scale))
    if not graph.guarded:
        return _shown_ratio(graph, a, b)
    p, u = parts(graph, a)
    through = _divided_through(graph, u, b)
    if through is not None:
        return graph.multiply(p, graph.divide(graph.const(1), through))
    return graph.divide(graph.multiply(p, _exp_difference(graph, u or graph.const(0), v)), q)


def _shown_ratio(graph: Graph, a: Node, b: Node) -> Node:
    """p*exp(u)/(q*exp(v)) as people write it: of a sum over a label by its logsumexp."""
    (factor, top), (p, u), (q, v) = graph.split(a), parts(graph, a), parts(graph, b)
    assert v is not None
    if isinstance(top, Fold) and isinstance(b, Fold) and top.label not in b.labels and parts(graph, top.body)[1]:
        return scaled(graph, factor, graph.fold("sum", graph.divide(top.body, b), top.label))
    return graph.multiply(graph.divide(p, q), graph.map("exp", graph.subtract(u or graph.const(0), v)))


def _divided_through(graph: Graph, u: Node | None, b: Node) -> Node | None:
    """Give b/exp(u) where exp(u) is in one of the terms of b, which then varies no more: 1/(q + p*exp(-u))."""
    if u is None or not isinstance(b, Map) or b.function != "add":
        return None
    split = [parts(graph, t) for t in b.args]
    if all(v is not u for _, v in split):
        return None
    zero = graph.const(0)
    return graph.add(*(graph.multiply(p, graph.map("exp", graph.subtract(v or zero, u))) for p, v in split))


def _exp_difference(graph: Graph, u: Node, v: Node) -> Node:
    """exp(u - v), where v may be a shift."""
    if isinstance(v, Map) and v.function == "held":
        return graph.raw("exp", graph.map("below", u, v))
    return graph.map("exp", graph.subtract(u, v))


# ---- powers and roots ----------------------------------------------------------------------------------------------


def square_root(graph: Graph, a: Node, p: Node) -> Node | None:
    """u**(1/2) is sqrt(u)."""
    return graph.map("sqrt", a) if isinstance(p, Const) and p.value * 2 == 1 else None


def power_of_exp(graph: Graph, a: Node, p: Node) -> Node | None:
    """exp(u)**p is exp(p*u)."""
    u = argument(a, "exp")
    return None if u is None else graph.map("exp", graph.multiply(p, u))


def negative_power(graph: Graph, a: Node, p: Node) -> Node | None:
    """(p*exp(u))**-k is (1/(p*exp(u)))**k, or p**-k*exp(-k*u) for roots, which may be large where these vanish."""
    if isinstance(a, Leaf | Const) or not isinstance(p, Const) or p.value >= 0:
        return None
    q, u = parts(graph, a)
    if u is None:
        return None
    if p.value <= -1 or sigmoid_spelt_out(graph, graph.const(1), a) is not None:
        return graph.power(graph.divide(graph.const(1), a), graph.const(-p.value))
    return graph.multiply(graph.power(q, p), graph.map("exp", graph.multiply(p, u)))


def any_power(graph: Graph, a: Node, p: Node) -> Node | None:
    """(exp(u) + exp(v))**p is exp(p*logaddexp(u, v))."""
    if isinstance(a, Leaf | Const) or isinstance(p, Const):
        return None
    u = log_of(graph, a)
    return None if u is None else graph.map("exp", graph.multiply(p, u))


def root_of_square(graph: Graph, a: Node) -> Node | None:
    """sqrt(u**2) is abs(u)."""
    u = squared(a)
    return None if u is None else graph.map("abs", u)


def root_of_exp(graph: Graph, a: Node) -> Node | None:
    """sqrt(exp(u)) is exp(u/2)."""
    u = argument(a, "exp")
    return None if u is None else graph.map("exp", half(graph, u))


def norm_spelt_out(graph: Graph, a: Node) -> Node | None:
    """sqrt(sum(u**2)) is norm(u), flat at 0."""
    return (
        graph.map("sqrt0", a) if isinstance(a, Fold) and a.function == "sum" and squared(a.body) is not None else None
    )


def root_of_squares(graph: Graph, a: Node) -> Node | None:
    """sqrt(u**2 + v**2) is hypot(u, v)."""
    return radius(graph, a)


def exp_of_zero(graph: Graph, a: Node) -> Node | None:
    """exp(0) is 1."""
    return graph.const(1) if is_number(a, 0) else None


def exp_of_softplus(graph: Graph, a: Node) -> Node | None:
    """exp(-softplus(u)) is sigmoid(-u); nothing else is safe to fold."""
    factor, rest = graph.split(a)
    u = argument(rest, "softplus")
    return graph.map("sigmoid", graph.negate(u)) if u is not None and factor == -1 else None
