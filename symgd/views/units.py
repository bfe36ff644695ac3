"""The text of unit matrices, diagonal matrices and unit vectors, which second derivatives are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symgd.graph import Leaf, Map, Node, Span
from symgd.views.patterns import diagonal_matrix, unwrapped, which_places
from symgd.views.pieces import ATOM, Piece, slice_text

if TYPE_CHECKING:
    from symgd.views.text import Writer


def write_diagonal(writer: Writer, node: Map, target: tuple[str, ...]) -> Piece | None:
    """Write a matrix that is 0 but on its diagonal, or unit vectors.

    Parameters
    ----------
    writer : Writer
        Writes what stands on the diagonal.
    node : Map
        Any node.
    target : tuple of str
        The labels of the axes, in order.

    Returns
    -------
    Piece or None
        ``None`` if the node is neither.
    """
    both = diagonal_matrix(writer.graph, node)
    if both is None and writer.tidy and node.function == "where" and (found := which_places(node.args[0])):
        return _units(writer, node, *found, target)
    if both is None or len(target) != 2:
        return None
    if node.args[1].constant == 1 and writer.length(both[0]):
        return Piece(f"eye({writer.length(both[0])})", ATOM)
    if len(node.args[1].labels) != 1:
        return None
    inner = writer.best(node.args[1], tuple(node.args[1].labels))
    return Piece(f"diag({inner.text})", ATOM, inner.cost)


def _units(writer: Writer, node: Map, here: Node, axis: Span, target: tuple[str, ...]) -> Piece | None:
    """Write unit vectors along an axis as rows of the unit matrix."""
    length = writer.length(axis.label)
    if [a.constant for a in node.args[1:]] != [1, 0] or target[-1:] != (axis.label,) or length is None:
        return None
    if len(target) != len(node.labels):
        return None
    if isinstance(here, Leaf) and here.kind == "places" and isinstance(here.index[0], Span):
        span, count = here.index[0], writer.length(here.index[0].label)
        if count is None:
            return None
        all_of_it = (span.start, span.step, count) == (0, 1, length)
        taken = "" if all_of_it else slice_text(span.start, span.step, count, length)
        return Piece(f"eye({length})[{taken}]" if taken else f"eye({length})", ATOM)
    index = writer.fitted(unwrapped(here, length), target[:-1])
    return Piece(f"eye({length})[{index.text}]", ATOM, index.cost)
