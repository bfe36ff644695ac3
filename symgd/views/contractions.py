"""Sums of products as ``@`` writes them, and products of vectors along different axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from symgd.graph import Leaf, Matrix, Span
from symgd.graph.arrays import ONE
from symgd.views.pieces import ATOM, MATMUL, POWER, SPELT_OUT, Piece, cheapest
from symgd.views.products import Contraction, Factor, Product, batch, labels_of, split

if TYPE_CHECKING:
    from symgd.views.text import Writer

Labels = tuple[str, ...]
_AGAINST = 2.0  # the other one of two ways to write a product of a matrix and a vector


def write_contraction(writer: Writer, core: Contraction, order: Labels) -> Piece:
    """Write the sum over a label of a product.

    Parameters
    ----------
    writer : Writer
        Writes the factors.
    core : Contraction
        The product, and the label.
    order : tuple of str
        The labels of the result, in order.

    Returns
    -------
    Piece
    """
    return cheapest([*_Matmul(writer, core).ways(order), _spelt_out(writer, core, order)])


def outer(product: Product, target: Labels) -> tuple[list[Factor], list[Factor]] | None:
    """Give the factors along the first and along the second axis, where no factor has both.

    Parameters
    ----------
    product : Product
        Any product.
    target : tuple of str
        The labels of the result, in order.

    Returns
    -------
    tuple of two lists of factors, or None
    """
    if len(target) != 2 or ONE in target or labels_of(product.bottom):
        return None
    sides = [[f for f in product.top if f.labels == {label}] for label in target]
    rest = [f for f in product.top if f.labels and not any(f in side for side in sides)]
    return (sides[0], sides[1]) if all(sides) and not rest else None


def _spelt_out(writer: Writer, core: Contraction, order: Labels) -> Piece:
    product = Product((), core.top, core.bottom)
    found = writer.reduction("sum", lambda axes: writer.product(product, axes), [core.label], core.labels, order)
    assert found is not None
    return found._replace(cost=found.cost + SPELT_OUT)


class _Matmul:
    """The ways to write a contraction with ``@``."""

    def __init__(self, writer: Writer, core: Contraction) -> None:
        self.writer, self.core, self.label = writer, core, core.label
        self.factors = [*core.top, *core.bottom]
        self.vectors, self.groups = split(self.factors, core.label)

    def ways(self, order: Labels) -> list[Piece]:
        """Give all that have the axes of the result in an order."""
        if not self.groups:
            a, b = self.vectors
            return [self._join(self._side([a], (self.label,)), self._side([b], (self.label,)))]
        if len(self.groups) == 2:
            pairs = (self.groups, self.groups[::-1])
            found = [self._matrices(p[0], p[1], order, left=left) for p in pairs for left in (True, False)]
            return [way for ways in found for way in ways]
        if self.vectors:
            return self._vector(order)
        return self._stacks(order)

    def _vector(self, order: Labels) -> list[Piece]:
        (matrix,) = self.groups
        solved = self._solved(matrix) if len(order) == 1 else None
        if solved:
            vector = self._side(self.vectors, (self.label,))
            return [self.writer.applied("solve", [solved, vector])]
        right = self._join(self._side(matrix, (*order, self.label)), self._side(self.vectors, (self.label,)))
        left = self._join(
            self._side(self.vectors, (self.label,)), self._side(matrix, (*order[:-1], self.label, order[-1]))
        )
        # In a derivative the matrix comes first; in a formula what came first.
        first = not self.writer.tidy and self.factors.index(self.vectors[0]) < self.factors.index(matrix[0])
        if first:
            return [left, right._replace(cost=right.cost + _AGAINST)]
        return [right, left._replace(cost=left.cost + _AGAINST)]

    def _matrices(self, a: list[Factor], b: list[Factor], order: Labels, *, left: bool) -> list[Piece]:
        """Multiply two matrices, or a stack of them and a matrix; factors along the label alone go to one side."""
        if len(order) < 2:
            return []
        rows, columns = labels_of(a) - {self.label}, labels_of(b) - {self.label}
        both = isinstance(a[0], Leaf) and isinstance(b[0], Leaf)
        if self.vectors and self.writer.tidy and (not left if both else isinstance((a if left else b)[0], Leaf)):
            return []  # X.T @ (r[:, None]*D), not (X.T*r) @ D; but (X.T*r) @ X
        a, b = ([*a, *self.vectors], b) if left else (a, [*b, *self.vectors])
        row, column = order[-2:]
        if columns == {column}:
            return [self._join(self._side(a, (*order[:-1], self.label)), self._side(b, (self.label, column)))]
        if rows == {row} and column in columns:
            stack = (*order[:-2], self.label, column)
            return [self._join(self._side(a, (row, self.label)), self._side(b, stack))]
        return []

    def _stacks(self, order: Labels) -> list[Piece]:
        shared = batch(self.factors, self.label)
        found = []
        for a, b in (self.factors, self.factors[::-1]):
            row, column = order[-2:]
            if shared == frozenset(order[:-2]) and row in a.labels and column in b.labels:
                left = self._side([a], (*order[:-2], row, self.label))
                right = self._side([b], (*order[:-2], self.label, column))
                found.append(self._join(left, right))
        return found

    def _solved(self, matrix: list[Factor]) -> Piece | None:
        """Write the inverse of a matrix times a vector as people do: the matrix of ``solve``."""
        (inverse, *others) = matrix
        if others or not isinstance(inverse, Matrix) or inverse.function != "inv" or self.core.bottom:
            return None
        length = self.writer.length(inverse.row)
        places = [i.label for i in inverse.index
                  if isinstance(i, Span) and i == Span(i.label) and self.writer.length(i.label) == length]  # fmt: skip
        if len(set(places)) < 2:
            return None
        turned = places[0] == self.label
        return self.writer.best(inverse.body, (inverse.row, inverse.column)[:: -1 if turned else 1])

    def _side(self, factors: Sequence[Factor], order: Labels) -> Piece:
        top = [f for f in self.core.top if f in factors]
        bottom = [f for f in self.core.bottom if f in factors]
        if len(self.factors) == 2:  # the same vector may stand on both sides
            top = top[: len(factors)]
        if len(top) == 1 and not bottom:
            return self.writer.best(top[0], order)
        return self.writer.product(Product((), tuple(top), tuple(bottom)), order)

    def _join(self, left: Piece, right: Piece) -> Piece:
        first = left.text if left.level == MATMUL else left.inside(POWER)
        return Piece(f"{first} @ {right.inside(POWER)}", MATMUL, left.cost + right.cost)


def outer_text(
    writer: Writer, sides: tuple[list[Factor], list[Factor]], target: Labels, means: frozenset[str]
) -> Piece:
    """Write the product of two vectors.

    Parameters
    ----------
    writer : Writer
        Writes the factors.
    sides : tuple of two lists of factors
        Those along the first axis, and those along the second.
    target : tuple of str
        The labels of the axes.
    means : frozenset of str
        Along which labels sums are means.

    Returns
    -------
    Piece
    """
    a, b = (writer.product(Product((), tuple(s), (), means), (t,)) for s, t in zip(sides, target, strict=True))
    return Piece(f"outer({a.text}, {b.text})", ATOM, a.cost + b.cost)
