"""The terms of sums, gathered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from symgd.graph import Const, Map, Node
from symgd.views.pieces import Piece
from symgd.views.products import Factor, Ones, Product, labels_of, total

if TYPE_CHECKING:
    from symgd.views.text import Writer


def _terms(writer: Writer, node: Map) -> list[Node]:
    """Give the terms, those of sums in sums among them."""
    found: list[Node] = []
    for arg in node.args:
        inner = isinstance(arg, Map) and arg.function == "add" and not writer.pattern(arg)
        found += _terms(writer, arg) if inner and isinstance(arg, Map) else (arg,)
    return found


def collected(writer: Writer, node: Map, target: tuple[str, ...]) -> list[Piece]:
    """Write the terms of a sum, equal ones as one, whatever the order of their factors.

    Parameters
    ----------
    writer : Writer
        Writes the terms.
    node : Map
        A sum.
    target : tuple of str
        The labels of its axes, in order.

    Returns
    -------
    list of Piece
    """
    terms = _terms(writer, node)
    for covered in (node.labels, frozenset[str]()):  # x/x is 1 where other terms have its labels
        groups: dict[object, list[tuple[Node, Product]]] = {}
        for term in terms:
            product = writer.products.gathered(term, covered)
            groups.setdefault(_key(writer, product, target), []).append((term, product))
        found = [_one(same) for same in groups.values()]
        left = [f for f in found if isinstance(f, Node) or not f.is_zero()] or found[:1]
        if node.labels <= labels_of(f if isinstance(f, Node) else Ones(f.labels()) for f in left):
            break
    pieces = [writer.fitted(f, target) if isinstance(f, Node) else writer.product(f, target) for f in left]
    return pieces if node.labels else [piece for piece in pieces if piece.text != "0"] or pieces[:1]


def _key(writer: Writer, product: Product, target: tuple[str, ...]) -> object:
    """Give what terms have in common that differ in their numbers, and in the order of their factors."""

    def texts(factors: Sequence[Factor]) -> object:
        axes = [tuple(label for label in target if label in f.labels) for f in factors]
        written = Counter((writer.best(f, a).text, a) for f, a in zip(factors, axes, strict=True))
        return frozenset(item for item in written.items() if item[0] != ("1", ()))

    return texts(product.top), texts(product.bottom), product.means, product.labels()


def _one(same: Sequence[tuple[Node, Product]]) -> Node | Product:
    """Give one term for terms that differ in numbers; a node where nothing has to change."""
    (term, product), *more = same
    if more or product.labels() < term.labels or (not product.factors() and not isinstance(term, Const)):
        return total([p for _, p in same])
    return term
