"""Functions of whole matrices between two passes: where they lie in memory, and the calls that compute them.

A matrix that is inverted is left in ``_mem`` by the pass that computes it. Before the code of the level at which it is
known, one call inverts it there, and one more makes its adjugate where that is asked for; passes and scalar code then
read elements as they read those of an input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from symgd.graph import ROWS, Matrix, Node, Span
from symgd.graph.elimination import COFACTORS
from symgd.kernel.code.forms import At, Expression, Number, total
from symgd.kernel.code.layout import scaled
from symgd.kernel.code.writer import Writer

# Of each function, where it stands behind the start of what one call leaves: see `symgd.kernel.machine.matrices`.
_PLACES = {"detsign": 0, "logabsdet": 1, "det": 2, "logdet": 3, "inv": 4, "adjugate": 0}

Key = tuple[Node, bool]  # the matrix, and whether it is its adjugate that is asked for
# Where passes leave nodes, and calls what they compute: the place in ``_mem``, and the labels in order.
Memory = dict[Node | Key, tuple[int, tuple[str, ...]]]


def key(node: Matrix) -> Key:
    """Tell which call a node's value comes from."""
    return node.body, node.function == "adjugate"


def work(n: int, *, cofactors: bool) -> int:
    """Count the operations of one call for n rows: of an elimination, or of one for each cofactor of a small matrix."""
    return n**5 if cofactors and n <= COFACTORS else 2 * n**3


def lay_out(nodes: Iterable[Matrix], memory: Memory, used: int, lengths: Mapping[str, int]) -> int:
    """Find room for what the calls leave.

    Parameters
    ----------
    nodes : iterable of Matrix
        All of one function.
    memory : dict
        Takes the place of each.
    used : int
        Numbers of memory that are in use.
    lengths : mapping of str to int
        Of labels.

    Returns
    -------
    int
        Numbers in use then.
    """
    for node in nodes:
        n = lengths[node.row]
        if key(node) not in memory:
            memory[key(node)] = (used, ())
            used += 4 + (3 if node.function == "adjugate" else 2) * n * n
    return used


def write_calls(w: Writer, nodes: Iterable[Matrix], memory: Memory, lengths: Mapping[str, int]) -> None:
    """Write the calls for the matrices that are known from here on.

    Parameters
    ----------
    w : Writer
        Where the lines go.
    nodes : iterable of Matrix
        The functions of them.
    memory : dict
        Where everything is.
    lengths : mapping of str to int
        Of labels.
    """
    for node in {key(node): node for node in nodes}.values():
        place, axes = memory[node.body]
        n = lengths[node.row]
        down, right = (n, 1) if axes[0] == node.row else (1, n)
        name = "matrix_adjugate" if node.function == "adjugate" else "matrix_inverse"
        w.call(name, "_mem", place, down, right, n, memory[key(node)][0])


def offset(
    node: Matrix, memory: Memory, lengths: Mapping[str, int], place: Callable[[str], Expression],
    value: Callable[[Node], Expression],
) -> Expression:  # fmt: skip
    """Give the code of where an element is.

    Parameters
    ----------
    node : Matrix
        The element.
    memory : dict
        Where everything is.
    lengths : mapping of str to int
        Of labels.
    place : callable
        Gives the code of the place along a label.
    value : callable
        Gives the code of a node's value, a whole number.

    Returns
    -------
    Expression
    """
    fixed = memory[key(node)][0] + _PLACES[node.function]
    terms: list[Expression] = []
    for index, step in zip(node.index, (lengths[node.row], 1), strict=False):
        if isinstance(index, int):
            fixed += index * step
        elif isinstance(index, Span):
            code = At("_id", place(ROWS)) if index.label == ROWS else place(index.label)
            fixed += index.start * step
            terms.append(scaled(index.step * step, code))
        else:
            terms.append(scaled(step, value(index)))
    return total([*terms, Number(fixed)])
