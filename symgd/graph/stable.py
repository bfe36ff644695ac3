"""Spellings that overflow or lose digits, and the function that each of them means.

``log(1 + exp(x))`` is softplus, ``1/(1 + exp(-x))`` the sigmoid; ``log(cosh(x))`` overflows from 711 on though its
value is about 710; ``1 - cos(x)`` has lost every digit at 1e-9. They are recognised when the node is made, so that
value, gradient and Hessian all take the stable form. Two ideas do most of the work:

- a node made of exponentials has a logarithm that is no larger than its exponents (`log_of`), and any other product is
  a plain factor times such a node (`parts`). So logarithms of them are sums, and their ratios are exponentials of
  differences;
- some differences have a name of their own (`_complement`).

Each rule returns the stable node, or ``None``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from symgd.graph.nodes import Const, Fold, Leaf, Map, Matrix, Node

if TYPE_CHECKING:
    from symgd.graph.graph import Graph

Rule = Callable[["Graph", tuple[Node, ...]], Node | None]


def rewrite(graph: Graph, function: str, args: tuple[Node, ...]) -> Node | None:
    """Give the stable form of a function applied to arguments; ``None`` where it needs none."""
    rule = _RULES.get(function)
    return rule(graph, args) if rule else None


# ---- matching ------------------------------------------------------------------------------------------------------


def _argument(node: Node, function: str) -> Node | None:
    """Give u where the node is function(u)."""
    return node.args[0] if isinstance(node, Map) and node.function == function else None


def _is(node: Node, value: int) -> bool:
    return isinstance(node, Const) and node.value == value


def _terms(node: Node) -> tuple[Node, ...]:
    return node.args if isinstance(node, Map) and node.function == "add" else (node,)


def _half(graph: Graph, node: Node) -> Node:
    return graph.multiply(graph.const(Fraction(1, 2)), node)


def _twice(graph: Graph, node: Node) -> Node:
    return graph.multiply(graph.const(2), node)


def _square(node: Node) -> Node | None:
    """Give u where the node is u**2 or u*u."""
    if isinstance(node, Map) and node.function == "power" and _is(node.args[1], 2):
        return node.args[0]
    if isinstance(node, Map) and node.function == "multiply" and node.args[0] is node.args[1]:
        return node.args[0]
    return None


# ---- exponentials --------------------------------------------------------------------------------------------------


def log_of(graph: Graph, node: Node) -> Node | None:
    """Give the logarithm of a node that is positive because it is made of exponentials; ``None`` for any other."""
    if isinstance(node, Leaf | Const):
        return None
    if node not in graph.logs:
        graph.logs[node] = _find_log(graph, node)
    return graph.logs[node]


def _find_log(graph: Graph, node: Node) -> Node | None:
    if isinstance(node, Fold):
        outer = {"sum": "logsumexp", "prod": "sum"}.get(node.function)
        u = log_of(graph, node.body) if outer else None
        return None if outer is None or u is None else graph.fold(outer, u, node.label)
    if not isinstance(node, Map):
        return None
    a, *rest = node.args
    match node.function:
        case "exp":
            return a
        case "sigmoid":
            return graph.negate(graph.map("softplus", graph.negate(a)))
        case "cosh":
            return graph.map("logcosh", a)
        case "sech":
            return graph.negate(graph.map("logcosh", a))
        case "sqrt":
            u = log_of(graph, a)
            return None if u is None else _half(graph, u)
        case "power":
            if isinstance(a, Const) and a.value > 0:
                return graph.multiply(rest[0], graph.map("log", a))
            u = log_of(graph, a)
            return None if u is None else graph.multiply(rest[0], u)
        case "add" | "multiply" | "divide":
            return _log_of_arithmetic(graph, node)
    return None


def _log_of_arithmetic(graph: Graph, node: Map) -> Node | None:
    """Sums, products and ratios of exponentials and positive numbers."""
    logs = [log_of(graph, a) for a in node.args]
    if all(u is None for u in logs):
        return None
    found = []
    for u, arg in zip(logs, node.args, strict=True):
        known = u if u is not None else _log_of_number(graph, arg)
        if known is None:
            return None
        found.append(known)
    if node.function == "add":
        return _log_sum(graph, found)
    return graph.add(*found) if node.function == "multiply" else graph.subtract(*found)


def _log_of_number(graph: Graph, node: Node) -> Node | None:
    counts = isinstance(node, Leaf) and node.kind == "count"
    if not counts and (node.constant is None or not 0 < node.constant < 1e308):
        return None
    return graph.const(0) if node.constant == 1 else graph.map("log", node)


def _log_sum(graph: Graph, exponents: list[Node]) -> Node:
    """log(exp(u1) + exp(u2) + ...)."""
    total = exponents[0]
    for u in exponents[1:]:
        total = graph.map("logaddexp", total, u)
    return total


def parts(graph: Graph, node: Node) -> tuple[Node, Node | None]:
    """Give p and u where the node is p*exp(u); u is ``None`` where no exponential is a factor."""
    if node not in graph.parts:
        graph.parts[node] = _find_parts(graph, node)
    return graph.parts[node]


def _find_parts(graph: Graph, node: Node) -> tuple[Node, Node | None]:
    u = log_of(graph, node)
    if u is not None:
        return graph.const(1), u
    if not isinstance(node, Map) or node.function not in ("multiply", "divide"):
        return node, None
    (p, u), (q, v) = (parts(graph, a) for a in node.args)
    if u is None and v is None:
        return node, None
    if node.function == "multiply":
        return graph.multiply(p, q), _plus(graph, u, v)
    return graph.divide(p, q), _minus(graph, u, v)


def _plus(graph: Graph, u: Node | None, v: Node | None) -> Node | None:
    return v if u is None else u if v is None else graph.add(u, v)


def _minus(graph: Graph, u: Node | None, v: Node | None) -> Node | None:
    return u if v is None else graph.negate(v) if u is None else graph.subtract(u, v)


def _rescaled(graph: Graph, terms: tuple[Node, ...], total: Node) -> Node:
    """Give the sum of terms p*exp(u), each divided by exp(total)."""
    scaled = []
    for p, u in (parts(graph, t) for t in terms):
        below = graph.negate(total) if u is None else graph.subtract(u, total)
        scaled.append(graph.multiply(p, graph.map("exp", below)))
    return graph.add(*scaled)


# ---- logarithms ----------------------------------------------------------------------------------------------------


def _log(graph: Graph, args: tuple[Node, ...]) -> Node | None:
    (a,) = args
    if isinstance(a, Leaf | Const):
        return None
    u = log_of(graph, a)
    if u is not None:
        return u
    if isinstance(a, Fold):
        return _log_of_fold(graph, a)
    if isinstance(a, Matrix):  # a determinant overflows long before its logarithm
        return graph.matrix("logdet", a.body) if a.function == "det" else None
    assert isinstance(a, Map)
    inner = a.args[0]
    if a.function == "abs" and isinstance(inner, Matrix) and inner.function == "det":
        return graph.matrix("logabsdet", inner.body)
    rule = _LOGS.get(a.function)
    return rule(graph, a) if rule else None


def _log_of_fold(graph: Graph, a: Fold) -> Node | None:
    """log(sum(p*exp(u))) by the largest exponents, whatever the signs of p."""
    p, u = parts(graph, a.body)
    if a.function != "sum" or u is None:
        return None
    total = graph.fold("logsumexp", u, a.label)
    inside = graph.multiply(p, graph.map("exp", graph.subtract(u, total)))
    return graph.add(total, graph._map("log", (graph.fold("sum", inside, a.label),)))  # noqa: SLF001


def _log_of_product(graph: Graph, a: Map) -> Node | None:
    p, u = parts(graph, a)
    if u is not None:
        return graph.add(graph.map("log", p), u)
    gammas = _log_of_gammas(graph, a)
    if gammas is not None:
        return gammas
    top, bottom = a.args
    if a.function == "divide" and isinstance(top, Const) and top.value > 0:
        return graph.subtract(graph.map("log", top), graph.map("log", bottom))
    if isinstance(top, Const) and top.value < 0 and (v := _argument(bottom, "expm1")) is not None:
        return graph.add(graph.map("log", graph.const(-top.value)), graph.map("log1mexp", v))
    if isinstance(top, Const) and top.value > 0 and isinstance(bottom, Fold | Map) and _rewrites(bottom):
        return graph.add(graph.map("log", top), graph.map("log", bottom))
    return None


def _rewrites(node: Node) -> bool:
    return isinstance(node, Fold) or (isinstance(node, Map) and node.function in _LOGS)


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


def _log_of_gammas(graph: Graph, a: Map) -> Node | None:
    """The logarithm of a product with gamma functions in it, each of them too large for float64 from 172 on."""
    factors = _factors(a)
    if not any(_argument(f, "gamma") is not None for f, _ in factors):
        return None
    logs = []
    for factor, sign in factors:
        if isinstance(factor, Map) and factor.function == "power":
            u = graph.multiply(factor.args[1], graph.map("log", factor.args[0]))
        else:
            u = graph.map("log", factor)
        logs.append(u if sign > 0 else graph.negate(u))
    total = graph.add(*logs)
    # Where two of the factors are negative their logarithms are nan, though the product's is not.
    return graph.map("where", graph.map("equal", total, total), total, graph._map("log", (a,)))  # noqa: SLF001


def _log_of_sum(graph: Graph, a: Map) -> Node | None:
    """log(1 + u), log(exp(u) - exp(v)), log(p*exp(u) + q*exp(v)), log(u**2 + v**2)."""
    split = [parts(graph, t) for t in a.args]
    if any(u is not None for _, u in split):
        return _log_of_mixed(graph, a, split)
    if any(_is(t, 1) for t in a.args):
        return graph.map("log1p", graph.add(*(t for t in a.args if not _is(t, 1))))
    radius = _radius(graph, a)
    return None if radius is None else _twice(graph, graph.map("log", radius))


def _log_of_mixed(graph: Graph, a: Map, split: list[tuple[Node, Node | None]]) -> Node | None:
    zero = graph.const(0)
    exponents = [zero if u is None else u for _, u in split]
    if len(split) == 2 and {p.constant for p, _ in split} == {1, -1}:
        u, v = exponents if split[0][0].constant == 1 else exponents[::-1]
        return graph.add(u, graph.map("log1mexp", graph.subtract(v, u)))
    total = _log_sum(graph, exponents)
    return graph.add(total, graph._map("log", (_rescaled(graph, a.args, total),)))  # noqa: SLF001


def _log_of_power(graph: Graph, a: Map) -> Node | None:
    base, exponent = a.args
    if not isinstance(exponent, Const):
        return None
    # u**2 is positive for negative u too, and so are powers 2/3 and -2, but not 1/2.
    even = isinstance(exponent.value, Fraction) and exponent.value.denominator == 1 and exponent.value % 2 == 0
    inside = graph.map("abs", base) if even else base
    return graph.multiply(exponent, graph.map("log", inside))


def _log_of_abs(graph: Graph, a: Map) -> Node | None:
    u = _argument(a.args[0], "gamma")
    return None if u is None else graph.map("lgamma", u)


def _log_of_expm1(graph: Graph, a: Map) -> Node:
    u = a.args[0]
    return graph.add(u, graph.map("log1mexp", graph.negate(u)))


def _log_of_sinh(graph: Graph, a: Map) -> Node:
    u = a.args[0]
    small = graph.map("log1mexp", _twice(graph, graph.negate(u)))
    return graph.subtract(graph.add(u, small), graph.map("log", graph.const(2)))


def _log_of_tanh(graph: Graph, a: Map) -> Node:
    u = _twice(graph, graph.negate(a.args[0]))
    return graph.subtract(graph.map("log1mexp", u), graph.map("softplus", u))


_LOGS: dict[str, Callable[[Graph, Map], Node | None]] = {
    "add": _log_of_sum,
    "multiply": _log_of_product,
    "divide": _log_of_product,
    "power": _log_of_power,
    "sqrt": lambda graph, a: _half(graph, graph.map("log", a.args[0])),
    "gamma": lambda graph, a: graph.map("lngamma", a.args[0]),
    "abs": _log_of_abs,
    "expm1": _log_of_expm1,
    "sinh": _log_of_sinh,
    "tanh": _log_of_tanh,
    "erfc": lambda graph, a: graph.map("logerfc", a.args[0]),
}


def _log_to_base(base: int) -> Rule:
    def rule(graph: Graph, args: tuple[Node, ...]) -> Node | None:
        natural = _log(graph, args)
        return None if natural is None else graph.divide(natural, graph.map("log", graph.const(base)))

    return rule


def _log1p(graph: Graph, args: tuple[Node, ...]) -> Node | None:
    p, u = parts(graph, args[0])
    if u is None or not isinstance(p, Const):
        return None
    if p.value == -1:
        return graph.map("log1mexp", u)
    return graph.map("softplus", u) if p.value == 1 else None


def _logaddexp(graph: Graph, args: tuple[Node, ...]) -> Node | None:
    a, b = args
    if _is(a, 0):
        return graph.map("softplus", b)
    return graph.map("softplus", a) if _is(b, 0) else None


# ---- sums ----------------------------------------------------------------------------------------------------------


def _add(graph: Graph, args: tuple[Node, ...]) -> Node | None:
    """Pairs of terms whose sum has a name of its own."""
    if len(args) > 8:
        return None  # long sums of terms are no such pairs, and looking at all pairs takes long
    for i, a in enumerate(args):
        for j in range(i):
            b = args[j]
            pair = _pair(graph, a, b) or _pair(graph, b, a)
            if pair is not None:
                rest = [t for k, t in enumerate(args) if k not in (i, j)]
                return graph.add(pair, *rest) if rest else pair
    return None


def _pair(graph: Graph, a: Node, b: Node) -> Node | None:
    """Give a + b where the sum has a name: k*f(u) - k, roots, and u - softplus(u)."""
    factor, f = graph.split(a)
    if not isinstance(f, Map) or factor == 0:
        return None
    if isinstance(b, Const):
        found = _complement(graph, f, b.value / factor)
        if found is not None:
            return graph.multiply(graph.const(factor), found)
    weight, other = graph.split(b)
    if f.function == "softplus":
        inner, u = graph.split(f.args[0])
        if u is other and weight == -factor * inner:
            return graph.multiply(graph.const(factor), graph.map("softplus", graph.negate(f.args[0])))
    if f.function == "exp" and abs(weight) == abs(factor):
        v = _argument(other, "exp")
        if v is not None and graph.negate(v) is f.args[0] and graph.split(f.args[0])[0] > 0:
            name = "sinh" if weight * factor < 0 else "cosh"
            return graph.multiply(graph.const(2 * factor), graph.map(name, f.args[0]))
    if f.function == "multiply" and other in f.args:
        first, second = f.args
        q = second if first is other else first
        found = _complement(graph, q, weight / factor) if isinstance(q, Map) else None
        if found is not None:
            return graph.multiply(graph.const(factor), graph.multiply(other, found))
    if f.function in ("sqrt", "hypot"):
        return _difference_of_roots(graph, (factor, f), (weight, b if isinstance(b, Const) else other))
    return None


def _complement(graph: Graph, f: Map, number: Fraction | float) -> Node | None:
    """F + number."""
    u = f.args[0]
    if f.function == "tanh" and abs(number) == 1:
        side = _twice(graph, u) if number == 1 else _twice(graph, graph.negate(u))
        return graph.multiply(graph.const(2 * number), graph.map("sigmoid", side))
    if f.function == "sigmoid" and number == Fraction(-1, 2):
        return _half(graph, graph.map("tanh", _half(graph, u)))
    if f.function == "erf" and number == 1:
        return graph.map("erfc", graph.negate(u))
    if number != -1:
        return None
    match f.function:
        case "exp":
            return graph.map("expm1", u)
        case "sigmoid":
            return graph.negate(graph.map("sigmoid", graph.negate(u)))
        case "erf" | "erfc":
            return graph.negate(graph.map("erfc" if f.function == "erf" else "erf", u))
        case "cos" | "cosh":
            square = graph.power(graph.map("sin" if f.function == "cos" else "sinh", _half(graph, u)), graph.const(2))
            return graph.multiply(graph.const(-2 if f.function == "cos" else 2), square)
        case "power" if _is(f.args[1], 2) and (v := _argument(u, "tanh")) is not None:
            return graph.negate(graph.power(graph.map("sech", v), graph.const(2)))
        case "power" if isinstance(u, Const) and u.value > 0:
            return graph.map("expm1", graph.multiply(f.args[1], graph.map("log", u)))
    return None


def _difference_of_roots(
    graph: Graph, first: tuple[Fraction | float, Map], second: tuple[Fraction | float, Node]
) -> Node | None:
    """k*(sqrt(p) - sqrt(q)) is k*(p - q)/(sqrt(p) + sqrt(q)) where p - q is shorter than p and q."""
    (factor, a), (weight, b) = first, second
    if isinstance(b, Const):
        weight, b = (-factor, graph.const(1)) if b.value == -factor else (0, b)
    elif factor < 0:
        return None  # the pair is looked at the other way round as well
    if weight != -factor:
        return None
    p, q = Counter(_squared(graph, a)), Counter(_squared(graph, b))
    left, right = list((p - q).elements()), list((q - p).elements())
    if len(left) + len(right) > 1:
        return None
    total = graph.add(a, b)
    if left:
        root = _square(left[0])
        ratio = graph.divide(left[0], total) if root is None else graph.multiply(root, graph.divide(root, total))
    else:
        ratio = graph.divide(graph.negate(right[0]), total)
    return graph.multiply(graph.const(factor), ratio)


def _squared(graph: Graph, root: Node) -> tuple[Node, ...]:
    """Give the terms of the square of sqrt(p), hypot(u, v) or 1."""
    if isinstance(root, Map) and root.function == "sqrt":
        return _terms(root.args[0])
    if isinstance(root, Map) and root.function == "hypot":
        return tuple(graph.power(u, graph.const(2)) for u in root.args)
    return (root,)


# ---- products and ratios -------------------------------------------------------------------------------------------


def _multiply(graph: Graph, args: tuple[Node, ...]) -> Node | None:
    """p*exp(u) times q*exp(v), one of which may overflow where the other vanishes."""
    a, b = args
    for exponential, other in ((a, b), (b, a)):
        (scale, power), (factor, ratio) = graph.split(exponential), graph.split(other)
        w = _argument(power, "exp")
        if w is None or not isinstance(ratio, Map) or ratio.function != "divide":
            continue
        if _argument(ratio.args[1], "expm1") is w:  # exp(w)/expm1(w), both of which may be infinite
            below = graph.map("expm1", graph.negate(w))
            return graph.multiply(graph.const(-factor * scale), graph.divide(ratio.args[0], below))
    (p, u), (q, v) = parts(graph, a), parts(graph, b)
    if u is None or v is None or u is v or not (_may_overflow(a) or _may_overflow(b)):
        return None
    sech = next((w for w in (_argument(a, "sech"), _argument(b, "sech")) if w is not None), None)
    exponent = next((w for w in (_argument(a, "exp"), _argument(b, "exp")) if w is not None), None)
    if sech is not None and exponent in (sech, graph.negate(sech)):
        return _twice(graph, graph.map("sigmoid", _twice(graph, exponent)))
    return graph.multiply(graph.multiply(p, q), graph.map("exp", graph.add(u, v)))


def _may_overflow(node: Node) -> bool:
    """Tell whether a node made of exponentials holds another one than those that are at most 1."""
    if isinstance(node, Map) and node.function in ("sigmoid", "sech"):
        return False
    if isinstance(node, Map) and node.function in ("multiply", "divide", "power", "sqrt"):
        return any(_may_overflow(a) for a in node.args if not isinstance(a, Const))
    return isinstance(node, Fold) or (isinstance(node, Map) and node.function in ("exp", "add", "cosh"))


def _divide(graph: Graph, args: tuple[Node, ...]) -> Node | None:
    a, b = args
    scale, bottom = graph.split(b)
    if (u := _argument(bottom, "cosh")) is not None:
        factor, top = graph.split(a)
        if _argument(top, "sinh") is u:
            return graph.multiply(graph.const(factor / scale), graph.map("tanh", u))
        return graph.multiply(graph.divide(a, graph.const(scale)), graph.map("sech", u))
    p, u = parts(graph, a)
    if (v := _argument(b, "expm1")) is not None and u is v:
        return graph.divide(graph.negate(p), graph.map("expm1", graph.negate(v)))
    q, v = parts(graph, b)
    if v is None:
        return None
    tanh = _tanh(graph, a, b)
    if tanh is not None:
        return tanh
    if not _is(q, 1):
        return graph.multiply(graph.divide(p, q), graph.map("exp", graph.subtract(u or graph.const(0), v)))
    if isinstance(a, Map) and a.function == "divide" and isinstance(a.args[0], Fold):
        return graph.divide(graph.divide(a.args[0], b), a.args[1])  # a mean
    if isinstance(a, Fold) and a.function == "sum" and u is None and parts(graph, a.body)[1] is not None:
        return graph.fold("sum", graph.divide(a.body, b), a.label)
    return graph.multiply(p, _share(graph, u or graph.const(0), b, v))


def _share(graph: Graph, u: Node, b: Node, v: Node) -> Node:
    """exp(u)/b, where b = exp(v): a sigmoid where exp(u) is one of the terms of b."""
    logs = [log_of(graph, t) or _log_of_number(graph, t) for t in _terms(b)]
    if len(logs) > 1 and u in logs:
        logs.remove(u)
        others = _log_sum(graph, [graph.subtract(w, u) for w in logs if w is not None])
        return graph.map("sigmoid", graph.negate(others))
    return graph.map("exp", graph.subtract(u, v))


def _tanh(graph: Graph, a: Node, b: Node) -> Node | None:
    """k*(exp(u) - 1)/(exp(u) + 1) is k*tanh(u/2)."""
    factor, difference = graph.split(a)
    below = [log_of(graph, t) or _log_of_number(graph, t) for t in _terms(b)]
    if len(below) != 2:
        return None
    u = _argument(difference, "expm1")
    if u is None or set(below) != {u, graph.const(0)}:
        return None
    return graph.multiply(graph.const(factor), graph.map("tanh", _half(graph, u)))


# ---- powers and roots ----------------------------------------------------------------------------------------------


def _power(graph: Graph, args: tuple[Node, ...]) -> Node | None:
    """exp(u)**p is exp(p*u), (1 + exp(u))**-p is sigmoid(-u)**p, and u**(1/2) is sqrt(u)."""
    a, p = args
    if isinstance(p, Const) and p.value == Fraction(1, 2):
        return graph.map("sqrt", a)
    if isinstance(a, Leaf | Const):
        return None
    if (u := _argument(a, "exp")) is not None:
        return graph.map("exp", graph.multiply(p, u))
    if isinstance(p, Const):
        if p.value > 0 or log_of(graph, a) is None:
            return None
        return graph.power(graph.divide(graph.const(1), a), graph.const(-p.value))
    u = log_of(graph, a)
    return None if u is None else graph.map("exp", graph.multiply(p, u))


def _sqrt(graph: Graph, args: tuple[Node, ...]) -> Node | None:
    (a,) = args
    if (u := _square(a)) is not None:
        return graph.map("abs", u)
    if (u := _argument(a, "exp")) is not None:
        return graph.map("exp", _half(graph, u))
    if isinstance(a, Fold) and a.function == "sum" and _square(a.body) is not None:
        return graph.map("sqrt0", a)  # a norm
    return _radius(graph, a)


def _radius(graph: Graph, a: Node) -> Node | None:
    """Give the root of a sum of squares."""
    terms = _terms(a)
    if not 2 <= len(terms) <= 8:
        return None
    roots = [graph.const(1) if _is(t, 1) else _square(t) for t in terms]
    total = roots[0]
    for root in roots[1:]:
        if total is None or root is None:
            return None
        total = graph.map("hypot", total, root)
    return total


def _exp(graph: Graph, args: tuple[Node, ...]) -> Node | None:
    """exp(0) is 1 and exp(-softplus(u)) is sigmoid(-u); nothing else is safe to fold."""
    if _is(args[0], 0):
        return graph.const(1)
    factor, rest = graph.split(args[0])
    u = _argument(rest, "softplus")
    return graph.map("sigmoid", graph.negate(u)) if u is not None and factor == -1 else None


_RULES: dict[str, Rule] = {
    "log": _log,
    "log2": _log_to_base(2),
    "log10": _log_to_base(10),
    "log1p": _log1p,
    "logaddexp": _logaddexp,
    "add": _add,
    "multiply": _multiply,
    "divide": _divide,
    "power": _power,
    "sqrt": _sqrt,
    "exp": _exp,
}
