"""The text of functions of whole matrices, of running sums and products, and of stacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symgd.graph import Fold, Map, Matrix
from symgd.views.leaves import write_indexed
from symgd.views.patterns import cumulated, stacked
from symgd.views.pieces import ATOM, MULTIPLY, Piece

if TYPE_CHECKING:
    from symgd.views.text import Writer


def write_matrix(writer: Writer, node: Matrix, target: tuple[str, ...]) -> Piece | None:
    """Write a function of a whole matrix, and the element of it.

    Parameters
    ----------
    writer : Writer
        Writes the matrix.
    node : Matrix
        The element.
    target : tuple of str
        The labels of the axes, in order.

    Returns
    -------
    Piece or None
        ``None`` where it takes a transpose, or a new axis behind the brackets.
    """
    body = writer.best(node.body, (node.row, node.column))
    if not node.index:
        return writer.applied(node.function, [body])
    inverse = writer.applied("inv", [body])
    found = write_indexed(writer, node, inverse, target)
    if node.function == "inv":
        return found
    if found is None and (turned := write_indexed(writer, node, inverse, target[::-1])):
        found = turned.turned()  # NumPy has no adjugate: it is written as determinant times inverse
    return found and Piece(f"{writer.applied('det', [body]).text}*{found.inside(ATOM)}", MULTIPLY, found.cost)


def write_running(writer: Writer, node: Fold, target: tuple[str, ...]) -> Piece | None:
    """Write sums or products of the elements up to each.

    Parameters
    ----------
    writer : Writer
        Writes the elements.
    node : Fold
        Any sum or product.
    target : tuple of str
        The labels of the axes, in order.

    Returns
    -------
    Piece or None
        ``None`` if it is none.
    """
    found = cumulated(writer.graph, node)
    if found is None:
        return None
    name, inside, label, result = found
    axes = tuple(label if axis == result else axis for axis in target)
    if inside.labels != set(axes):
        return None
    piece = writer.best(inside, axes)
    axis = f", axis={axes.index(label)}" if len(axes) > 1 else ""
    return Piece(f"{name}({piece.text}{axis})", ATOM, piece.cost)


def write_stack(writer: Writer, node: Map, target: tuple[str, ...]) -> Piece | None:
    """Write arrays side by side.

    Parameters
    ----------
    writer : Writer
        Writes each of them.
    node : Map
        Any node.
    target : tuple of str
        The labels of the axes, in order.

    Returns
    -------
    Piece or None
        ``None`` if it is no stack.
    """
    found = stacked(writer.graph, node)
    if found is None:
        return None
    label, items = found
    kept = tuple(axis for axis in target if axis != label)
    if label not in target or any(item.labels != set(kept) for item in items):
        return None
    written = [writer.best(item, kept) for item in items]
    axis = f", axis={target.index(label)}" if target.index(label) else ""
    return Piece(f"stack([{', '.join(w.text for w in written)}]{axis})", ATOM, sum(w.cost for w in written))
