"""Products taken apart: what stands above and below the line, and which sums of products ``@`` writes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from symgd.graph import ROWS, Const, Fold, Graph, Leaf, Map, Node, is_zero, reachable
from symgd.graph.exact import NUMBERS, Number
from symgd.records import dataclass
from symgd.views.patterns import unit_vectors

_LARGEST = 20  # exponent that is taken apart


@dataclass(frozen=True, slots=True)
class Contraction:
    """The sum over a label of a product that falls in two parts with no other label in common: what ``@`` is."""

    label: str
    top: tuple[Factor, ...]
    bottom: tuple[Factor, ...]
    labels: frozenset[str]  # of the sum


@dataclass(frozen=True, slots=True)
class Masked:
    """A product where a condition holds, and another where it does not."""

    condition: Node
    yes: Product
    no: Product
    labels: frozenset[str]


@dataclass(frozen=True, slots=True)
class Guarded:
    """A divisor that makes the ratio 0 where it is 0 itself."""

    of: Node

    @property
    def labels(self) -> frozenset[str]:
        """The labels of the divisor."""
        return self.of.labels


@dataclass(frozen=True, slots=True)
class Ones:
    """Ones along labels that a derivative has, but does not vary along."""

    labels: frozenset[str]


Factor = Node | Contraction | Masked | Guarded | Ones


@dataclass(frozen=True, slots=True)
class Product:
    """Numbers, the factors above and below the line, and along which labels the sums among them are means."""

    numbers: tuple[Number, ...] = ()
    top: tuple[Factor, ...] = ()
    bottom: tuple[Factor, ...] = ()
    means: frozenset[str] = frozenset()

    def factors(self) -> tuple[Factor, ...]:
        """Give the factors on both sides."""
        return self.top + self.bottom

    def labels(self) -> frozenset[str]:
        """Give the labels."""
        return labels_of(self.factors())

    def is_zero(self) -> bool:
        """Tell whether a number in front is 0."""
        return 0 in self.numbers


def labels_of(factors: Iterable[Factor]) -> frozenset[str]:
    """Give the labels of a product."""
    return frozenset().union(*(f.labels for f in factors))


def nodes(factors: Iterable[Factor]) -> Iterator[Node]:
    """Give the nodes that factors are made of."""
    for factor in factors:
        if isinstance(factor, Node):
            yield factor
        elif isinstance(factor, Contraction):
            yield from nodes(factor.top + factor.bottom)
        elif isinstance(factor, Masked):
            yield factor.condition
            yield from nodes(factor.yes.factors() + factor.no.factors())
        elif isinstance(factor, Guarded):
            yield factor.of


class Products:
    """Takes the products of one text apart, each once."""

    def __init__(self, graph: Graph | None, *, tidy: bool) -> None:
        self.graph = graph
        self.tidy = tidy
        self._known: dict[Node, Product] = {}
        self._opened: dict[Fold, Product | None] = {}

    def length(self, label: str) -> int | None:
        """Give the length of a label; ``None`` where it is not known."""
        return self.graph.length(label) if self.graph else None

    def is_product(self, node: Node) -> bool:
        """Tell whether a node is a product or a ratio."""
        if not isinstance(node, Map):
            return False
        return node.function in ("multiply", "divide") or (self.tidy and self._spread(node) is not None)

    def _spread(self, node: Map) -> tuple[list[Factor], list[Factor]] | None:
        """Give what stands above and below the line in functions that derivatives are made of."""
        if node.function == "ratio":
            return [node.args[0]], [Guarded(node.args[1])]
        graph = self.graph
        if graph is None:
            return None
        if (unit := unit_vectors(graph, node)) is not None:
            return ([node.args[1], unit], []) if node.args[1].constant != 1 else None
        base, exponent = _power(node)
        if isinstance(base, Map) and base.function == "sech":
            return [], [graph.raw("cosh", *base.args)] * exponent
        if isinstance(base, Map) and base.function == "mills":
            below: list[Factor] = [graph.raw("sqrt", graph.leaf("constant", "pi")), graph.raw("erfcx", *base.args)]
            return [graph.const(2)] * exponent, below * exponent
        if isinstance(base, Map) and base.function == "cosarcsin" and exponent % 2 == 0 and exponent > 0:
            one, inside = graph.const(1), base.args[0]
            return [graph.subtract(one, inside), graph.add(one, inside)] * (exponent // 2), []
        return None

    def _sides(self, node: Map) -> tuple[list[Factor], list[Factor]]:
        if node.function == "multiply":
            return list(node.args), []
        if node.function == "divide":
            return [node.args[0]], [node.args[1]]
        found = self._spread(node)
        assert found is not None
        return found

    def of(self, node: Node) -> Product:
        """Take a node apart."""
        if node not in self._known:
            self._known[node] = self._means(self.flat(node))
        return self._known[node]

    def gathered(self, node: Node, covered: frozenset[str]) -> Product:
        """Take a node apart, equal factors together, all numbers above the line."""
        return _inverted(gathered(self.of(node), covered))

    def opened(self, fold: Node) -> Product | None:
        """Give a sum that ``@`` writes, what does not vary along its label in front; ``None`` for any other."""
        if not isinstance(fold, Fold) or fold.function != "sum":
            return None
        if fold not in self._opened:
            product = self.flat(fold.body)
            found = _contracted(product, fold)
            if found is None and self.tidy and (unmasked := _unmasked(product, self)) is not None:
                found = _contracted(unmasked, fold)
            self._opened[fold] = found
        return self._opened[fold]

    def chain(self, fold: Fold) -> tuple[tuple[str, ...], Node]:
        """Give the labels of folds inside each other that are one reduction over several axes, and their body."""
        labels, body = [fold.label], fold.body
        while isinstance(body, Fold) and body.function == fold.function and self.opened(body) is None:
            labels.append(body.label)
            body = body.body
        return tuple(labels), body

    def flat(self, node: Node) -> Product:
        """Take a node apart, whatever is a mean in it."""
        numbers: list[Number] = []
        top: list[Factor] = []
        bottom: list[Factor] = []
        stack: list[tuple[Node, int]] = [(node, 1)]
        while stack:
            part, side = stack.pop()
            if isinstance(part, Map) and self.is_product(part):
                above, below = self._sides(part)
                for factor, way in [*((f, -side) for f in below[::-1]), *((f, side) for f in above[::-1])]:
                    if isinstance(factor, Node):
                        stack.append((factor, way))
                    else:
                        (top if way > 0 else bottom).append(factor)
            elif isinstance(part, Const) and side > 0:
                numbers.append(part.value)
            elif side > 0 and (inner := self.opened(part)) is not None:
                numbers += inner.numbers
                top += inner.top
                bottom += inner.bottom
            else:
                (top if side > 0 else bottom).append(part)
        return self._cancelled(Product(tuple(numbers), tuple(top), tuple(bottom)))

    def _cancelled(self, product: Product) -> Product:
        """Take away what stands both above and below the line, if the labels stay."""
        common = Counter(product.top) & Counter(product.bottom)
        if not self.tidy or not common:
            return product
        top, bottom = (tuple((Counter(s) - common).elements()) for s in (product.top, product.bottom))
        shorter = replace(product, top=top, bottom=bottom)
        return shorter if labels_of(shorter.factors()) == labels_of(product.factors()) else product

    def _means(self, product: Product) -> Product:
        """Find the sums that are divided by the number of their terms."""
        sums = [f for f in product.top if isinstance(f, Fold) and f.function == "sum"]
        along = [label for f in sums for label in self.chain(f)[0]]
        lengths = [self.length(label) or 1 for label in along if label != ROWS]
        counts = [f for f in product.bottom if isinstance(f, Leaf) and f.kind == "count"]
        if not sums or len(counts) != along.count(ROWS) or (counts and len(counts) != len(sums)):
            return product
        bottom = [f for f in product.bottom if f not in counts]
        extra = math.prod(lengths)
        below = tuple(bottom)
        if extra == 1:
            return replace(product, bottom=below, means=frozenset(along))
        # A sum that is halved is no mean because it has two terms.
        if self.graph is not None and extra in self.graph.store.averaged:
            for place, factor in enumerate(below):
                if isinstance(factor, Const) and factor.value == extra:
                    return replace(product, bottom=below[:place] + below[place + 1 :], means=frozenset(along))
            total = math.prod(product.numbers, start=Fraction(1))
            if isinstance(total, Fraction) and total.denominator % extra == 0:
                return replace(product, numbers=(total * extra,), bottom=below, means=frozenset(along))
        constants = any(isinstance(f, Const) for f in below)
        return replace(product, bottom=below, means=frozenset([ROWS])) if counts and not constants else product


# ---- sums of products ----------------------------------------------------------------------------------------------


def split(factors: Sequence[Factor], label: str) -> tuple[list[Factor], list[list[Factor]]]:
    """Give the factors that vary along a label only, and the others in groups that share labels."""
    vectors = [f for f in factors if f.labels == {label}]
    groups: list[tuple[frozenset[str], list[Factor]]] = []
    for factor in factors:
        own = factor.labels - {label}
        if not own:
            continue
        linked = [g for g in groups if g[0] & own]
        groups = [g for g in groups if g not in linked]
        merged = [f for f in factors if f is factor or any(f in g[1] for g in linked)]
        groups.append((own.union(*(g[0] for g in linked)), merged))
    return vectors, [g[1] for g in groups]


def batch(factors: Sequence[Factor], label: str) -> frozenset[str] | None:
    """Give the labels that two stacks of matrices share; ``None`` where the factors are something else."""
    if len(factors) != 2:
        return None
    a, b = (f.labels - {label} for f in factors)
    return a & b if len(a - b) == len(b - a) == 1 and a & b else None


def _contracted(product: Product, fold: Fold) -> Product | None:
    label = fold.label
    inner = [f for f in product.factors() if label in f.labels]
    vectors, groups = split(inner, label)
    top, bottom = ([f for f in side if label in f.labels] for side in (product.top, product.bottom))
    multiplied = [f for f in vectors if f in top]
    if set(top) & set(bottom) or not (
        len(groups) == 2
        or (len(groups) == 1 and (multiplied or (batch(inner, label) and not bottom)))
        or (not groups and len(multiplied) == len(vectors) == 2 and (label != ROWS or any(map(_bare, vectors))))
    ):
        return None
    labels = labels_of(inner) - {label}
    core = Contraction(label, tuple(top), tuple(bottom), labels)
    outside = [f for f in product.top if label not in f.labels]
    below = tuple(f for f in product.bottom if label not in f.labels)
    return Product(product.numbers, (*outside, core), below)


def _bare(factor: Factor) -> bool:
    return isinstance(factor, Leaf) and factor.kind == "parameter"


def _unmasked(product: Product, products: Products) -> Product | None:
    """Take the factors that both branches of a where() have, and that vary along labels of their own, out of it."""
    numbers, top, changed = list(product.numbers), [], False
    for factor in product.top:
        found = _shared(factor, products) if isinstance(factor, Map) and factor.function == "where" else None
        if found is None:
            top.append(factor)
            continue
        changed = True
        numbers += found.numbers
        top += found.top
    return replace(product, numbers=tuple(numbers), top=tuple(top)) if changed else None


def _shared(node: Map, products: Products) -> Product | None:
    """Write where(c, X*a, X*b) as X*where(c, a, b)."""
    condition, *branches = node.args
    parts = [gathered(products.flat(branch)) for branch in branches]
    zeros = [is_zero(branch) for branch in branches]
    filled = [p for p, zero in zip(parts, zeros, strict=True) if not zero]
    if not filled:
        return None
    common = Counter(filled[0].top) & Counter(filled[-1].top)
    outside = [f for f in common.elements() if not f.labels <= condition.labels]
    if any(zeros) and products.graph is not None:  # 0*nan is no 0
        gaps = products.graph.store.gaps
        outside = [f for f in outside if not gaps & {n.name for n in reachable(nodes([f])) if isinstance(n, Leaf)}]
    inside = []
    for part in filled:
        left = Counter(part.top)
        left.subtract(outside)
        inside.append(replace(part, top=tuple(left.elements())))
    if not outside or not all(labels_of(part.factors()) <= condition.labels for part in inside):
        return None
    totals = [math.prod(part.numbers, start=Fraction(1)) for part in filled]
    sign = Fraction(-1 if all(total < 0 for total in totals) else 1)
    scale = totals[0] if totals[0] == totals[-1] else sign
    inside = [replace(p, numbers=(t / scale,)) for p, t in zip(inside, totals, strict=True)]
    pair = [Product((Fraction(0),)) if zero else inside.pop(0) for zero in zeros]
    return Product((scale,), (Masked(condition, pair[0], pair[1], condition.labels), *outside))


# ---- gathered ------------------------------------------------------------------------------------------------------


def gathered(product: Product, covered: frozenset[str] = frozenset()) -> Product:
    """Write equal factors, and powers of them, as one: ``s/s**4`` is ``1/s**3``; none vanishes if labels would.

    Parameters
    ----------
    product : Product
        Of a derivative: what stands above and below the line was divided by in the formula itself.
    covered : frozenset of str
        Labels that may vanish.

    Returns
    -------
    Product
    """
    powers: dict[Factor, int] = {}
    for side, factors in ((1, product.top), (-1, product.bottom)):
        for factor in factors:
            base, exponent = _power(factor)
            powers[base] = powers.get(base, 0) + side * exponent
    for base in [b for b in powers if isinstance(b, Guarded) and powers.get(b.of, 0) < 0]:
        powers[base.of] += powers.pop(base)  # what is not guarded elsewhere need not be guarded here
    kept = {base for base, exponent in powers.items() if exponent}
    labels = labels_of(kept) | covered
    for base in powers:
        if base not in kept and not base.labels <= labels:
            return product
    top = [base for base, exponent in powers.items() for _ in range(exponent)]
    bottom = [base for base, exponent in powers.items() for _ in range(-exponent)]
    return replace(product, top=tuple(top), bottom=tuple(bottom))


def numbers_above(product: Product) -> tuple[Product, list[Factor]]:
    """Reduce the numbers above and below the line; give what stays below."""
    if abs(math.prod(product.numbers, start=Fraction(1))) == 1:
        return product, list(product.bottom)
    product = _inverted(product)
    return product, list(product.bottom)


def total(parts: Sequence[Product]) -> Product:
    """Add products up that differ in their numbers."""
    number: Number = Fraction(0)
    for part in parts:
        number = NUMBERS.add(number, math.prod(part.numbers, start=Fraction(1)))
    return replace(parts[0], numbers=(number,))


def _inverted(product: Product) -> Product:
    """Take the numbers below the line to those above."""
    numbers, below = list(product.numbers), []
    for factor in product.bottom:
        if isinstance(factor, Const) and isinstance(factor.value, Fraction) and factor.value:
            numbers.append(1 / factor.value)
        else:
            below.append(factor)
    return replace(product, numbers=tuple(numbers), bottom=tuple(below))


def _power(factor: Factor) -> tuple[Factor, int]:
    """Give base and exponent, down to a base that is no power."""
    exponent = 1
    while isinstance(factor, Map) and factor.function == "power" and isinstance(factor.args[1], Const):
        n = factor.args[1].value
        if not isinstance(n, Fraction) or n.denominator != 1 or abs(n * exponent) > _LARGEST:
            break
        factor, exponent = factor.args[0], exponent * int(n)
    return factor, exponent
