"""The text of products: powers, means, and what stands above and below the line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from symgd.graph import Const, Fold, Leaf, Map, Node
from symgd.views import products
from symgd.views.contractions import outer, outer_text
from symgd.views.leaves import array_of_size
from symgd.views.pieces import ATOM, MATMUL, MULTIPLY, NEGATE, POWER, Piece, coefficient
from symgd.views.products import Factor, Ones, Product

if TYPE_CHECKING:
    from symgd.views.text import Writer


def write_product(writer: Writer, product: Product, target: tuple[str, ...]) -> Piece:
    """Write a product as an operand of what has the axes ``target``."""
    if writer.tidy:
        product = products.gathered(product)
    size, under = _size(writer, product.bottom)
    if writer.tidy:
        product, under = products.numbers_above(replace(product, bottom=tuple(under)))
    negative, above, below = coefficient(product.numbers, alone=not product.top)
    sides = outer(product, target)
    factors = [f for f in product.top if not (sides and f.labels)]
    top = _powers(writer, factors, target, product.means)
    if sides:
        top.append((Ones(frozenset(target)), outer_text(writer, sides, target, product.means)))
    bottom = _powers(writer, under, target)
    if writer.tidy and not product.labels() and not sides:  # sums whose terms cancelled
        if product.is_zero() or any(piece.text == "0" for _, piece in top):
            return Piece("0", ATOM)
        top, bottom = ([pair for pair in side if pair[1].text != "1"] for side in (top, bottom))
        if not top:
            negative, above, below = coefficient(product.numbers, alone=True)
    # What @ joins needs no parentheses at the end, behind numbers.
    joined = [pair for pair in top if pair[1].level == MATMUL]
    others = [f for f, piece in top if piece.level != MATMUL]
    bare = len(joined) == 1 and not products.labels_of([*others, *product.bottom])
    ordered = [pair[1] for pair in top if not bare or pair is not joined[0]]
    if writer.arrays and len(top) == 1 and not (negative or above or below or size or bottom):
        return top[0][1]
    for piece in ordered:  # the first one may be a ratio itself
        first = not above and piece.level == MULTIPLY and not piece.text.startswith("-")
        above.append(piece.text if first else piece.inside(POWER))
    above += [joined[0][1].text] if bare else []
    below += size + [piece.inside(POWER) for _, piece in bottom]
    text = "*".join(above)
    if below:
        text += "/" + (below[0] if len(below) == 1 else f"({'*'.join(below)})")
    level = MULTIPLY if below or len(above) > 1 else NEGATE
    if bare and not below:
        level = MATMUL
    cost = sum(piece.cost for _, piece in top + bottom)
    return Piece(f"-{text}" if negative else text, level, cost)


def _powers(
    writer: Writer, factors: Sequence[Factor], target: tuple[str, ...], means: frozenset[str] = frozenset()
) -> list[tuple[Factor, Piece]]:
    """Write factors: those that stand more than once as powers, in derivatives the short ones first."""
    counts = Counter(factors)
    order = sorted(counts, key=_weight) if writer.tidy else list(counts)
    written = []
    for factor in order:
        if means and isinstance(factor, Fold) and factor.function == "sum":
            piece = _mean(writer, factor, means, target)
        else:
            piece = writer.fitted(factor, target)
        if counts[factor] > 1:
            piece = Piece(f"{piece.inside(ATOM)}**{counts[factor]}", POWER, piece.cost)
        written.append((factor, piece))
    return written


def _mean(writer: Writer, fold: Fold, means: frozenset[str], target: tuple[str, ...]) -> Piece:
    """Write a sum, divided by the number of its terms along some of its labels, as a mean."""
    over, body = writer.products.chain(fold)
    inner = [label for label in over if label not in means]
    outer = [label for label in over if label in means]

    def write(axes: tuple[str, ...]) -> Piece:
        narrow = writer.reduction("sum", lambda order: writer.best(body, order), inner, axes, axes) if inner else None
        return narrow or writer.best(body, axes)

    order = tuple(label for label in target if label in fold.labels)
    kept = tuple(target[target.index(order[0]) :]) if order else ()
    found = writer.reduction("mean", write, outer, fold.labels, kept)
    if found is None:
        narrow = writer.reduction("mean", write, outer, fold.labels, order)
        assert narrow is not None
        found = narrow.widened([label in order for label in kept])
    return found


def _size(writer: Writer, factors: Sequence[Factor]) -> tuple[list[str], list[Factor]]:
    """Take a length times the number of rows out of factors: the size of an array of data."""
    counts = [f for f in factors if isinstance(f, Leaf) and f.kind == "count"]
    lengths = [f for f in factors if isinstance(f, Const)]
    averaged = writer.graph.store.averaged if writer.graph else ()
    if (
        len(counts) == len(lengths) == 1
        and lengths[0].value in averaged
        and (name := array_of_size(writer.graph, lengths[0].value))
    ):
        return [f"{name}.size"], [f for f in factors if f not in (counts[0], lengths[0])]
    return [], list(factors)


def _weight(factor: Factor) -> int:
    """In which order people write factors: constants, data and parameters, powers, then functions and sums."""
    if isinstance(factor, Node) and factor.constant is not None:
        return 0
    if isinstance(factor, Leaf):
        return 1
    if isinstance(factor, Map) and factor.function == "power":
        return 2
    return 3 if isinstance(factor, Node) else 4
