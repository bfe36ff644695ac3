"""Products taken apart: what stands above and below the line, and which sums of products ``@`` writes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from symgd.graph import ROWS, Const, Fold, Graph, Leaf, Map, Node, is_zero
from symgd.graph.exact import Number


@dataclass(frozen=True, slots=True)
class Contraction:
    """The sum over a label of a product that falls in two parts with no other label in common: what ``@`` is."""

    label: str
    top: tuple[Factor, ...]
    bottom: tuple[Factor, ...]
    labels: frozenset[str]  # of the sum


@dataclass(frozen=True, slots=True)
class Masked:
    """A product where a condition holds (or, if ``inside`` is false, where it does not), 0 elsewhere."""

    condition: Node
    inside: bool
    product: Product
    labels: frozenset[str]


@dataclass(frozen=True, slots=True)
class Ones:
    """Ones along labels that a derivative has, but does not vary along."""

    labels: frozenset[str]


Factor = Node | Contraction | Masked | Ones


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
            yield from nodes(factor.product.factors())


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
        return isinstance(node, Map) and (
            node.function in ("multiply", "divide") or (self.tidy and node.function == "ratio")
        )

    def of(self, node: Node) -> Product:
        """Take a node apart."""
        if node not in self._known:
            self._known[node] = self._means(self.flat(node))
        return self._known[node]

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
                a, b = part.args
                stack += [(b, side if part.function == "multiply" else -side), (a, side)]
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
        for place, factor in enumerate(below):
            if isinstance(factor, Const) and factor.value == extra:
                return replace(product, bottom=below[:place] + below[place + 1 :], means=frozenset(along))
        total = math.prod(product.numbers, start=Fraction(1))
        likely = counts or _periodic(extra) or any(f.labels for f in sums)
        if likely and isinstance(total, Fraction) and total.denominator % extra == 0:
            return replace(product, numbers=(total * extra,), bottom=below, means=frozenset(along))
        constants = any(isinstance(f, Const) for f in below)
        return replace(product, bottom=below, means=frozenset([ROWS])) if counts and not constants else product


def _periodic(number: int) -> bool:
    """Tell whether 1/number is no decimal fraction, which nobody would write but for a mean."""
    for prime in (2, 5):
        while number % prime == 0:
            number //= prime
    return number > 1


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
    """Take factors that have labels of their own out of where(condition, product, 0)."""
    numbers, top, changed = list(product.numbers), [], False
    for factor in product.top:
        masked = _mask(factor)
        if masked is None:
            top.append(factor)
            continue
        condition, branch, inside = masked
        found = products.flat(branch)
        kept = [f for f in found.top if f.labels <= condition.labels]
        own = Product((), tuple(kept), found.bottom)
        if len(kept) < len(found.top) and labels_of(found.bottom) <= condition.labels:
            numbers += found.numbers
            top.append(Masked(condition, inside, own, condition.labels))
            top += [f for f in found.top if f not in kept]
            changed = True
        else:
            top.append(factor)
    return replace(product, numbers=tuple(numbers), top=tuple(top)) if changed else None


def _mask(factor: Factor) -> tuple[Node, Node, bool] | None:
    if isinstance(factor, Map) and factor.function == "where":
        condition, yes, no = factor.args
        if is_zero(no):
            return condition, yes, True
        if is_zero(yes):
            return condition, no, False
    return None
