"""Quotients that are 0/0 where they have a limit: ``expm1(u)/u``, ``(1 - cos(u))/u**2``, ``(x**l - 1)/l``.

They are read as the function of the table that has the limit for its value, and derivatives that keep their digits near
it. What stands above and below the line is looked at factor by factor: ``A*(1 - exp(-k*t))/(k*t)`` is ``A`` times such
a quotient, and ``(exp(k*t) - 1)/k`` is ``t`` times one.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from symgd.graph.nodes import Const, Fold, Map, Node

if TYPE_CHECKING:
    from symgd.graph.graph import Graph

MOST = 8  # factors that are looked at

# What is divided by its argument, and the quotient.
_OVER = {"expm1": "exprel", "log1p": "log1prel", "sin": "sinrel", "sinh": "sinhrel", "tanh": "tanhrel"}


def rewrite(graph: Graph, function: str, args: tuple[Node, ...]) -> Node | None:
    """Give another form of a quotient; ``None`` where it keeps its own."""
    if function != "divide" or graph.derived or isinstance(args[1], Const | Fold):
        return None
    (scale, above), (size, below) = factors(args[0]), factors(args[1])
    if not (above and below) or size == 0:
        return None
    for place, factor in enumerate(above):
        rest = above[:place] + above[place + 1 :]
        found = _quotient(graph, factor, below)
        if found is not None:
            left, under = _cancelled(rest, found[1])
            return _product(graph, scale / size, [*found[0], *left], under)
    for place, factor in enumerate(below):
        top = _inverse(graph, factor, above)
        if top is not None:
            return _product(graph, scale / size, top, below[:place] + below[place + 1 :])
    return None


def factors(node: Node) -> tuple[Fraction | float, list[Node]]:
    """Give the number in front of a product, and its other factors; none where there are too many."""
    number: Fraction | float = Fraction(1)
    found: list[Node] = []
    stack = [node]
    while stack:
        top = stack.pop()
        if len(found) + len(stack) > MOST:
            return number, []
        if isinstance(top, Const):
            number = number * top.value
        elif isinstance(top, Map) and top.function == "multiply":
            stack += top.args[::-1]
        elif isinstance(top, Map) and top.function == "power" and (n := _count(top.args[1])):
            stack += [top.args[0]] * n
        else:
            found.append(top)
    return number, found


def _count(node: Node) -> int:
    value = node.value if isinstance(node, Const) else None
    return int(value) if value in (2, 3) else 0


def _cancelled(above: list[Node], below: list[Node]) -> tuple[list[Node], list[Node]]:
    """Take off what is in both, as the second x in x*expm1(x)/(x*x)."""
    left, under = [], list(below)
    for factor in above:
        if factor in under:
            under.remove(factor)
        else:
            left.append(factor)
    return left, under


def product(graph: Graph, factors: list[Node]) -> Node:
    """Multiply factors."""
    total: Node | None = None
    for factor in factors:
        total = factor if total is None else graph.multiply(total, factor)
    return graph.const(1) if total is None else total


def _product(graph: Graph, number: Fraction | float, above: list[Node], below: list[Node]) -> Node:
    top: Node = graph.const(number)
    for factor in above:
        top = graph.multiply(top, factor)
    bottom: Node | None = None
    for factor in below:
        bottom = factor if bottom is None else graph.multiply(bottom, factor)
    return top if bottom is None else graph.divide(top, bottom)


def _quotient(graph: Graph, factor: Node, below: list[Node]) -> tuple[list[Node], list[Node]] | None:
    """Give what a factor over others is: factors above the line, the quotient among them, and those left below."""
    factor = graph.store.seams.get(factor, factor)
    if not isinstance(factor, Map):
        return None
    if factor.function in _OVER:
        u = factor.args[0]
        cut = _cut(graph, u, below)
        if cut is None:
            return None
        return [graph.map(_OVER[factor.function], u), *cut[0]], cut[1]
    if factor.function != "add" or len(factor.args) != 2:
        return None
    a, b = factor.args
    for power, one in ((a, b), (b, a)):
        scale, base = graph.split(power)
        if isinstance(base, Map) and base.function == "power" and isinstance(one, Const) and one.value == -scale:
            cut = _cut(graph, base.args[1], below)
            if cut is not None and base.args[1].constant is None:
                return [graph.const(scale), graph.map("boxcox", *base.args), *cut[0]], cut[1]
    return _rest_of_sine(graph, (a, b), below) or _rest_of_sine(graph, (b, a), below)


def _rest_of_sine(graph: Graph, terms: tuple[Node, Node], below: list[Node]) -> tuple[list[Node], list[Node]] | None:
    """k*(u - sin(u)) over three factors u."""
    (scale, u), (weight, sine) = (graph.split(t) for t in terms)
    if not isinstance(sine, Map) or sine.function != "sin":
        return None
    inner, v = graph.split(sine.args[0])
    if v is not u or scale != -weight * inner:
        return None
    above: list[Node] = [graph.const(-weight), graph.map("sinrest", sine.args[0])]
    for _ in range(3):
        cut = _cut(graph, sine.args[0], below)
        if cut is None:
            return None
        above, below = [*above, *cut[0]], cut[1]
    return above, below


def _cut(graph: Graph, u: Node, below: list[Node]) -> tuple[list[Node], list[Node]] | None:
    """Divide u by factors it shares: what is left of u above the line, and of the others below it."""
    number, parts = factors(u)
    left, shared = list(below), False
    above: list[Node] = [graph.const(number)]
    for part in parts:
        if part in left:
            left.remove(part)
            shared = shared or part.active
        else:
            above.append(part)
    return (above, left) if shared else None


def _inverse(graph: Graph, factor: Node, above: list[Node]) -> list[Node] | None:
    """Give what u over expm1(u) or sin(u) is, with the other factors that stand above the line."""
    if not isinstance(factor, Map) or factor.function not in ("expm1", "sin"):
        return None
    u = factor.args[0]
    number, parts = factors(u)
    left = list(above)
    for part in parts:
        if part not in left:
            return None
        left.remove(part)
    if not any(part.active for part in parts):
        return None
    one = graph.const(1)
    inverse = graph.map("expm1inv", u) if factor.function == "expm1" else graph.divide(one, graph.map("sinrel", u))
    return [graph.divide(one, graph.const(number)), inverse, *left]
