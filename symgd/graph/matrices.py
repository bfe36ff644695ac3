"""Functions of whole square matrices: how they are made from a formula, and their derivatives.

For a matrix A with the inverse R and the adjugate C, ``A @ C = det(A) I``:

- ``dR = -R dA R``;
- ``d logabsdet(A) = trace(R dA)``;
- ``d det(A) = trace(C dA)``, which is right where A is singular too;
- ``dC`` is a polynomial for matrices of two and three rows, by Cayley and Hamilton: ``C = trace(A) I - A`` and
  ``C = A A - trace(A) A + (trace(A)**2 - trace(A A))/2 I``; beyond, ``dC = C trace(R dA) - C dA R``.

Each is a sum over ``dA[k,l]`` of a coefficient, which backward and forward mode share.

Magnus and Neudecker, Matrix Differential Calculus, 3rd ed. 2019, chapter 8.
"""

from __future__ import annotations

from collections.abc import Sequence

from symgd.graph import arrays
from symgd.graph.arrays import ONE, Array, Misfit
from symgd.graph.graph import Graph
from symgd.graph.nodes import ROWS, Index, Matrix, Node, Span

LARGEST = 200  # rows of a matrix that is inverted: the work grows with the third power
SMALL = 3  # rows up to which the adjugate is differentiated as a polynomial


# ---- made ------------------------------------------------------------------------------------------------------------


def square(graph: Graph, array: Array) -> tuple[Node, int, Sequence[str]]:
    """Check that an array is a square matrix, and name its rows and columns as inside of a `Matrix`.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    array : Array
        What is to be inverted.

    Returns
    -------
    body : Node
        Its element, with the labels of `Graph.square`.
    length : int
        Of its sides.
    axes : sequence of str
        Labels for the axes of a matrix of this size, outside.

    Raises
    ------
    Misfit
        If it is no square matrix, is too large, or is singular whatever the values.
    """
    if len(array.axes) != 2:
        raise Misfit("is no matrix" if len(array.axes) < 2 else "is a stack of matrices, and one matrix is needed")
    sizes = [arrays.size(graph, axis) for axis in array.axes]
    if None in sizes:
        raise Misfit("has a number of rows that is not known here")
    if sizes[0] != sizes[1]:
        raise Misfit("is not square")
    length = sizes[0] or 1
    if length > LARGEST:
        raise Misfit(f"is too large: matrices of up to {LARGEST} rows are inverted")
    if length == 1:
        return array.node, 1, (ONE, ONE)
    inside = graph.store.square(length)
    if set(array.axes) - array.node.labels:
        raise Misfit("is singular: it has equal rows or equal columns")
    body = graph.substitute(array.node, dict(zip(array.axes, map(Span, inside), strict=True)))
    first = array.axes[1] if array.axes[1] != ROWS else graph.label(length)
    return body, length, (first, graph.label(length, (first,)))


def inverse(graph: Graph, array: Array) -> Array:
    """Give the inverse of a square matrix.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    array : Array
        The matrix.

    Returns
    -------
    Array

    Raises
    ------
    Misfit
        If it cannot be inverted, whatever its values.
    """
    body, length, axes = square(graph, array)
    if length == 1:
        return Array(graph.divide(graph.const(1), body), (ONE, ONE))
    return Array(graph.matrix("inv", body, map(Span, axes)), tuple(axes))


def determinant(graph: Graph, array: Array, function: str) -> Node:
    """Give ``det``, ``logdet``, ``logabsdet`` or ``detsign`` of a square matrix.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    array : Array
        The matrix.
    function : str
        Which of them.

    Returns
    -------
    Node

    Raises
    ------
    Misfit
        If it is no square matrix that can be taken apart.
    """
    body, length, _ = square(graph, array)
    if length > 1:
        return graph.matrix(function, body)
    if function == "det":
        return body
    if function == "detsign":
        return graph.map("sign", body)
    return graph.map("log", graph.map("abs", body) if function == "logabsdet" else body)


# ---- differentiated --------------------------------------------------------------------------------------------------


def backward(graph: Graph, node: Matrix, adjoint: Node) -> Node:
    """Give what arrives at the body of a function of a matrix.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    node : Matrix
        The function.
    adjoint : Node
        What arrives at it, at the places along its labels.

    Returns
    -------
    Node
        With the labels of the matrix's rows and columns.
    """
    apart, places = _apart(graph, node)
    adjoint = graph.substitute(adjoint, places)
    return graph.add(*(_summed(graph, adjoint, term, apart.labels) for term in _coefficient(graph, apart)))


def forward(graph: Graph, node: Matrix, tangent: Node) -> Node:
    """Give the change of a function of a matrix.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    node : Matrix
        The function.
    tangent : Node
        The change of its body.

    Returns
    -------
    Node
    """
    apart, places = _apart(graph, node)
    bound = frozenset((node.row, node.column))
    change = graph.add(*(_summed(graph, tangent, term, bound) for term in _coefficient(graph, apart)))
    back = {new.label: Span(old) for old, new in places.items()}
    return graph.substitute(change, back)


def _apart(graph: Graph, node: Matrix) -> tuple[Matrix, dict[str, Span]]:
    """Rename what a matrix inside of a matrix shares with the rows and columns of the outer one."""
    places: dict[str, Span] = {}
    taken = {*node.labels, node.row, node.column}
    for label in sorted(node.labels & {node.row, node.column}):
        new = graph.label(graph.store.lengths[label], taken)
        taken.add(new)
        places[label] = Span(new)
    renamed = graph.substitute(node, places)
    assert isinstance(renamed, Matrix)
    return renamed, places


def _summed(graph: Graph, factor: Node, term: Node, over: frozenset[str]) -> Node:
    """Sum a product over labels; in derivatives each sum takes out what does not vary along it."""
    total = graph.multiply(factor, term)
    for label in sorted(over, key=lambda name: (name == ROWS, name)):
        total = graph.fold("sum", total, label)
    return total


def _coefficient(graph: Graph, node: Matrix) -> list[Node]:
    """Give the terms of the derivative of an element by the matrix's element in ``row`` and ``column``."""
    row, column = Span(node.row), Span(node.column)

    def of(function: str, i: Index, j: Index) -> Node:
        return graph.matrix(function, node.body, (i, j))

    if node.function == "detsign":
        return [graph.const(0)]
    if node.function in ("logabsdet", "logdet", "det"):
        return [of("adjugate" if node.function == "det" else "inv", column, row)]
    first, second = node.index
    if node.function == "inv":
        return [graph.negate(graph.multiply(of("inv", first, row), of("inv", column, second)))]
    if graph.store.lengths[node.row] > SMALL:
        whole = graph.multiply(of("adjugate", first, second), of("inv", column, row))
        return [whole, graph.negate(graph.multiply(of("adjugate", first, row), of("inv", column, second)))]
    return _polynomial(graph, node, first, second)


def _polynomial(graph: Graph, node: Matrix, i: Index, j: Index) -> list[Node]:
    """Give the terms of the derivative of an element of the adjugate of two or three rows."""
    k, label = Span(node.row), Span(node.column)
    multiply = graph.multiply

    def same(a: Index, b: Index) -> Node:
        equal = graph.map("equal", *(graph.leaf("places", "", (x,)) for x in (a, b)))
        return graph.map("where", equal, graph.const(1), graph.const(0))

    def at(a: Index, b: Index) -> Node:
        return graph.substitute(node.body, {node.row: a, node.column: b})

    unit, both = multiply(same(i, j), same(k, label)), multiply(same(i, k), same(label, j))
    if graph.store.lengths[node.row] == 2:
        return [unit, graph.negate(both)]
    trace = graph.add(*(at(p, p) for p in range(3)))
    return [
        multiply(at(i, k), same(label, j)),
        multiply(same(i, k), at(label, j)),
        multiply(trace, unit),
        graph.negate(multiply(trace, both)),
        graph.negate(multiply(same(k, label), at(i, j))),
        graph.negate(multiply(same(i, j), at(label, k))),
    ]
