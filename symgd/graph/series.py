"""Power series of formulas, and what they are for: quotients and differences whose parts all vanish or are infinite.

``(exp(x) - 1 - x)/x**2`` and ``1/x - 1/tan(x)`` have a value and derivatives at 0, but float64 takes there the
difference of numbers that agree, and at 0 itself has none. Where such a formula is one of a single base, and its series
about the place in question has no negative powers, it is read as a polynomial near that place and as written elsewhere.
Coefficients are exact ratios, so that a leading term that cancels is known to be 0.
"""

from __future__ import annotations

from fractions import Fraction
from math import isfinite, isqrt, log
from typing import TYPE_CHECKING

from symgd.graph.forms import Forms
from symgd.graph.nodes import Const, Map, Node, reachable
from symgd.graph.removable import factors, product

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from symgd.graph.graph import Graph

TERMS = 34  # of a series
LARGEST = 24  # nodes of a formula that is looked at
MOST_TERMS = 4  # of a sum
# Within what distance the series stands for the formula, and how many terms it may have there.
NEAR = (Fraction(1, 2), Fraction(1, 4), Fraction(1, 8), Fraction(1, 16), Fraction(1, 32))
MOST_POWERS = 24
ROUNDING, SHOWN = Fraction(1, 2**58), Fraction(1, 2**46)  # what is left out, relative to the first term; by views
_TWO_OVER_ROOT_PI = Fraction(11283791670955125738961589031215451716881012586580, 10**49)


class NoSeriesError(Exception):
    """The formula has no power series with ratios for coefficients, or none is known."""


class Series:
    """``s**order*(c[0] + c[1]*s + ...)``, with c[0] != 0 unless all that is known is 0."""

    def __init__(self, order: int, c: list[Fraction]) -> None:
        leading = next((k for k, v in enumerate(c) if v), len(c))
        self.order, self.c = order + leading, c[leading:]

    @property
    def end(self) -> int:
        """The first power that is not known any more."""
        return self.order + len(self.c)

    def at(self, k: int) -> Fraction:
        """The coefficient of a power."""
        return self.c[k - self.order] if self.order <= k < self.end else Fraction(0)

    def constant(self, value: int) -> Series:
        """Ask for the term of order 0, which must be this one."""
        if self.order < 0 or self.end < 1 or self.at(0) != value:
            raise NoSeriesError
        return self

    def __add__(self, other: Series) -> Series:
        low, end = min(self.order, other.order), min(self.end, other.end)
        return Series(low, [self.at(k) + other.at(k) for k in range(low, end)])

    def __mul__(self, other: Series) -> Series:
        n = min(len(self.c), len(other.c))
        c = [sum((self.c[j] * other.c[k - j] for j in range(k + 1) if self.c[j]), Fraction(0)) for k in range(n)]
        return Series(self.order + other.order, c)

    def __truediv__(self, other: Series) -> Series:
        if not other.c:
            raise NoSeriesError
        n, c = min(len(self.c), len(other.c)), list[Fraction]()
        for k in range(n):
            rest = self.c[k] - sum((c[j] * other.c[k - j] for j in range(k) if c[j]), Fraction(0))
            c.append(rest / other.c[0])
        return Series(self.order - other.order, c)

    def scaled(self, factor: Fraction) -> Series:
        """The series times a number."""
        return Series(self.order, [factor * v for v in self.c])

    def slope(self) -> Series:
        """The derivative."""
        return Series(self.order - 1, [(self.order + k) * v for k, v in enumerate(self.c)])

    def integral(self) -> Series:
        """The integral that is 0 at 0."""
        if self.order < 0:
            raise NoSeriesError
        return Series(self.order + 1, [v / (self.order + k + 1) for k, v in enumerate(self.c)])

    def power(self, p: Fraction) -> Series:
        """A power: that of the leading term must be a ratio, and that of s a whole number."""
        if not self.c or self.order * p != int(self.order * p):
            raise NoSeriesError
        lead = self.c[0]
        if p.denominator == 1:
            first = lead ** int(p)
        elif lead == 1:
            first = lead
        else:
            raise NoSeriesError
        c = [first]
        for k in range(1, len(self.c)):
            total = sum(((p * j - (k - j)) * self.c[j] * c[k - j] for j in range(1, k + 1) if self.c[j]), Fraction(0))
            c.append(total / (k * lead))
        return Series(int(self.order * p), c)


def number(value: Fraction | int, end: int = TERMS) -> Series:
    """A constant."""
    return Series(0, [Fraction(value), *([Fraction(0)] * (end - 1))])


# ---- functions -----------------------------------------------------------------------------------------------------


def _exp(s: Series) -> Series:
    s.constant(0)
    c = [Fraction(1)]
    for k in range(1, s.end):
        c.append(sum((j * s.at(j) * c[k - j] for j in range(1, k + 1) if s.at(j)), Fraction(0)) / k)
    return Series(0, c)


def _circle(s: Series, sign: int) -> tuple[Series, Series]:
    """Sine and cosine, with a sign of -1; with 1 those of the hyperbola."""
    s.constant(0)
    odd, even = [Fraction(0)], [Fraction(1)]
    for k in range(1, s.end):
        parts = [(j * s.at(j), k - j) for j in range(1, k + 1) if s.at(j)]
        odd.append(sum((v * even[i] for v, i in parts), Fraction(0)) / k)
        even.append(sign * sum((v * odd[i] for v, i in parts), Fraction(0)) / k)
    return Series(0, odd), Series(0, even)


def _log(s: Series) -> Series:
    s.constant(1)
    return (s.slope() / s).integral()


def _inverse(slope: Callable[[Series], Series]) -> Callable[[Series], Series]:
    """Give the function that is 0 at 0 and has a slope."""
    return lambda s: (s.constant(0).slope() * slope(s)).integral()


def _one_and(factor: int, s: Series) -> Series:
    return number(1) + (s * s).scaled(Fraction(factor))


_ROOT = Fraction(-1, 2)
_FUNCTIONS: dict[str, Callable[[Series], Series]] = {
    "exp": _exp,
    "expm1": lambda s: _exp(s) + number(-1),
    "log": _log,
    "log1p": lambda s: _log(number(1) + s),
    "sqrt": lambda s: s.power(Fraction(1, 2)),
    "sin": lambda s: _circle(s, -1)[0],
    "cos": lambda s: _circle(s, -1)[1],
    "tan": lambda s: _circle(s, -1)[0] / _circle(s, -1)[1],
    "sinh": lambda s: _circle(s, 1)[0],
    "cosh": lambda s: _circle(s, 1)[1],
    "tanh": lambda s: _circle(s, 1)[0] / _circle(s, 1)[1],
    "sech": lambda s: number(1) / _circle(s, 1)[1],
    "sigmoid": lambda s: number(1) / (number(1) + _exp(s.scaled(Fraction(-1)))),
    "logcosh": lambda s: _log(_circle(s, 1)[1]),
    "arctan": _inverse(lambda s: number(1) / _one_and(1, s)),
    "arctanh": _inverse(lambda s: number(1) / _one_and(-1, s)),
    "arcsin": _inverse(lambda s: _one_and(-1, s).power(_ROOT)),
    "arcsinh": _inverse(lambda s: _one_and(1, s).power(_ROOT)),
    "erf": _inverse(lambda s: _exp((s * s).scaled(Fraction(-1))).scaled(_TWO_OVER_ROOT_PI)),
    "erfc": lambda s: number(1) + _FUNCTIONS["erf"](s).scaled(Fraction(-1)),
    "exprel": lambda s: (_exp(s) + number(-1)) / s,
    "expm1inv": lambda s: s / (_exp(s) + number(-1)),
    "log1prel": lambda s: _log(number(1) + s) / s,
    "sinrel": lambda s: _circle(s, -1)[0] / s,
    "sinhrel": lambda s: _circle(s, 1)[0] / s,
    "tanhrel": lambda s: _FUNCTIONS["tanh"](s) / s,
    "sinrest": lambda s: (s + _circle(s, -1)[0].scaled(Fraction(-1))) / (s * s * s),
}  # fmt: skip


def expand(graph: Graph, node: Node, base: Node, centre: Fraction) -> Series:
    """Expand a node in powers of base - centre.

    Parameters
    ----------
    graph : Graph
        Where the nodes were made.
    node : Node
        What is expanded.
    base : Node
        What its powers are taken of.
    centre : Fraction
        Where.

    Returns
    -------
    Series

    Raises
    ------
    NoSeriesError
        If it depends on something else, or its coefficients are no ratios.
    """
    node = graph.store.seams.get(node, node)
    if node is base:
        return Series(0, [centre, Fraction(1), *([Fraction(0)] * (TERMS - 2))])
    if isinstance(node, Const):
        if not isinstance(node.value, Fraction):
            raise NoSeriesError
        return number(node.value)
    if node.constant is not None and isfinite(node.constant):  # pi, sqrt(2): to within rounding
        return number(Fraction(node.constant))
    if not isinstance(node, Map):
        raise NoSeriesError
    if node.function == "power":
        exponent = node.args[1]
        if isinstance(node.args[0], Const) and node.args[0].value > 0:
            return _exp(expand(graph, exponent, base, centre).scaled(Fraction(log(node.args[0].value))))
        if not isinstance(exponent, Const) or not isinstance(exponent.value, Fraction) or abs(exponent.value) > TERMS:
            raise NoSeriesError
        return expand(graph, node.args[0], base, centre).power(exponent.value)
    if node.function in _FUNCTIONS:
        return _FUNCTIONS[node.function](expand(graph, node.args[0], base, centre))
    if node.function not in ("add", "multiply", "divide"):
        raise NoSeriesError
    first, *others = (expand(graph, a, base, centre) for a in node.args)
    for other in others:
        first = first + other if node.function == "add" else first * other if node.function == "multiply" else (
            first / other
        )  # fmt: skip
    return first


# ---- what is made of them ------------------------------------------------------------------------------------------


def rewrite(graph: Graph, function: str, args: tuple[Node, ...]) -> Node | None:
    """Give another form of a quotient or a sum; ``None`` where it keeps its own."""
    if graph.derived or graph.forms < Forms.JOINED:
        return None
    if function == "divide" and args[0].active and args[1].active:
        return _quotient(graph, *args)
    if function == "add" and len(args) <= MOST_TERMS and any(_is_quotient(graph, a) for a in args):
        return _sum(graph, args)
    return None


def _transcendental(graph: Graph, nodes: Sequence[Node]) -> list[Node]:
    """Give all nodes of some, where these are few and more than arithmetic; what NumPy has for x/x stays."""
    found = reachable([graph.store.seams.get(n, n) for n in nodes])
    few = len(found) <= LARGEST and any(isinstance(n, Map) and n.function in _FUNCTIONS for n in found)
    return found if few else []


def _quotient(graph: Graph, a: Node, b: Node) -> Node | None:
    (scale, above), (size, below) = factors(a), factors(b)
    parts = _transcendental(graph, [a, b])
    if not (parts and above and below) or size == 0:
        return None
    for base, centre in _places(graph, reachable(below)):
        found = _over(graph, base, centre, above, below)
        if found is not None:
            return graph.multiply(graph.const(Fraction(scale) / Fraction(size)), found)
    for base in parts:  # k*x, over x
        if isinstance(base, Map) and base.function == "multiply" and base.active:
            for k, x in (base.args, base.args[::-1]):
                if x in below and not k.active and not isinstance(k, Const):
                    times = below.count(x)
                    found = _over(graph, base, Fraction(0), above, [base if f is x else f for f in below])
                    if found is not None:
                        power = graph.power(k, graph.const(times))
                        return graph.multiply(graph.const(Fraction(scale) / Fraction(size)),
                                              graph.multiply(power, found))  # fmt: skip
    return None


def _over(graph: Graph, base: Node, centre: Fraction, above: list[Node], below: list[Node]) -> Node | None:
    """Give products over products, their factors that vanish or are infinite at a place as a series there."""
    total = number(1)
    chosen: tuple[list[Node], list[Node]] = ([], [])
    rest: tuple[list[Node], list[Node]] = ([], [])
    vanishing = False
    for side, nodes in enumerate((above, below)):
        for node in nodes:
            try:
                series = expand(graph, node, base, centre)
            except NoSeriesError:
                rest[side].append(node)
                continue
            if series.c and series.order == 0:
                rest[side].append(node)
                continue
            chosen[side].append(node)
            vanishing = vanishing or (side == 1 and series.order > 0)
            try:
                total = total / series if side else total * series
            except NoSeriesError:
                return None
    if not vanishing or total.order < 0 or not total.c or not _transcendental(graph, [*chosen[0], *chosen[1]]):
        return None
    plain = graph.raw("divide", product(graph, chosen[0]), product(graph, chosen[1]))
    found = _near(graph, base, centre, total, plain)
    if found is None:
        return None
    top = graph.multiply(product(graph, rest[0]), found) if rest[0] else found
    return graph.divide(top, product(graph, rest[1])) if rest[1] else top


def _sum(graph: Graph, args: tuple[Node, ...]) -> Node | None:
    below = [term.args[1] for a in args if isinstance(term := graph.split(a)[1], Map) and _is_quotient(graph, a)]
    if not _transcendental(graph, args):
        return None
    for base, centre in _places(graph, reachable(below)):
        try:
            parts = [expand(graph, a, base, centre) for a in args]
        except NoSeriesError:
            continue
        total = sum(parts[1:], parts[0])
        if min(p.order for p in parts) < 0 <= total.order and total.c:
            found = _near(graph, base, centre, total, graph.raw("add", *args))
            if found is not None:
                return found
    return None


def _is_quotient(graph: Graph, node: Node) -> bool:
    """Tell whether a term is something over what parameters reach."""
    node = graph.split(node)[1]
    return isinstance(node, Map) and node.function == "divide" and node.args[1].active


def _places(graph: Graph, nodes: Sequence[Node]) -> list[tuple[Node, Fraction]]:
    """Give the bases in which nodes may be 0, and where: a node itself at 0, u + c at u = -c, log(u) at 1."""
    found: dict[tuple[Node, Fraction], None] = {}
    for node in nodes:
        if not node.active:
            continue
        if isinstance(node, Map) and node.function == "add" and len(node.args) == 2:
            for term, other in (node.args, node.args[::-1]):
                factor, base = graph.split(term)
                if isinstance(other, Const) and isinstance(other.value, Fraction) and isinstance(factor, Fraction):
                    for place in _roots(base, -other.value / factor) if factor else ():
                        found[place] = None
        if isinstance(node, Map) and node.function == "log":
            found[node.args[0], Fraction(1)] = None
        found[graph.split(node)[1], Fraction(0)] = None
    return list(found)


def _roots(base: Node, value: Fraction) -> Iterator[tuple[Node, Fraction]]:
    """Give where a base has a value; of a square the roots."""
    yield base, value
    if isinstance(base, Map) and base.function == "power" and isinstance(base.args[1], Const):
        root = Fraction(isqrt(abs(value.numerator)), isqrt(value.denominator))
        if base.args[1].value == 2 and root * root == value:
            yield base.args[0], root
            yield base.args[0], -root


def _near(graph: Graph, base: Node, centre: Fraction, series: Series, plain: Node) -> Node | None:
    """Give the polynomial near the place and the formula as it was written elsewhere."""
    rounding = ROUNDING if graph.guarded else SHOWN
    for distance in NEAR if graph.guarded else NEAR[-1:]:
        count = _enough(series, distance, rounding)
        terms = [(k, v) for k, v in enumerate(series.c[:count]) if v]
        if 0 < len(terms) <= MOST_POWERS:
            break
    else:
        return None
    s = base if centre == 0 else graph.add(base, graph.const(-centre))
    parts = []
    for k, v in terms:
        n = series.order + k
        parts.append(graph.multiply(graph.const(v), graph.power(s, graph.const(n))) if n else graph.const(v))
    near = graph.raw("less", graph.raw("abs", s), graph.const(distance))
    graph.store.edges.add(near)
    return graph.store.seam(graph.raw("where", near, graph.add(*parts), plain), plain)


def _enough(series: Series, distance: Fraction, rounding: Fraction) -> int:
    """Give how many terms have all digits within a distance, second derivatives included; 0 where too few are known."""
    sizes = [abs(v) * (series.order + k + 2) ** 2 * distance**k for k, v in enumerate(series.c)]
    small = rounding * abs(series.c[0])
    if len(sizes) < TERMS // 2 or any(size > small / 8 for size in sizes[-4:]):
        return 0
    return max(k for k, size in enumerate(sizes) if size > small) + 1
