"""The functions of the language that are of matrices: inverses and determinants, products by subscripts, triangles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from symgd import language as fm
from symgd.graph import arrays, matrices, picks, selections
from symgd.graph.arrays import ONE, Array, Misfit
from symgd.graph.nodes import ROWS, Index, Node, Span

if TYPE_CHECKING:
    from symgd.graph.reading.reader import Reader
    from symgd.language import Tree

_MOST = 6  # letters that one product may have


# ---- one matrix ------------------------------------------------------------------------------------------------------


def _matrix(reader: Reader, tree: fm.Call) -> Array:
    """Read an argument that must be a matrix."""
    array = reader.number(tree.args[0])
    if len(array.axes) != 2:
        shown = reader.shown(tree.args[0], array)
        hint = "a matrix has two axes, as X.T @ X, outer(x, x) and [[a, b], [c, d]] have"
        reader.misfit(
            f"'{tree.typed or tree.function}' needs a matrix; got {shown}", tree.start, tree.end, tree.args, hint
        )
    return array


def _checked(reader: Reader, tree: fm.Call, make: Callable[[Array], Array]) -> Array:
    """Make something of a square matrix, or say why that cannot be."""
    array = _matrix(reader, tree)
    try:
        return make(array)
    except Misfit as problem:
        shown = reader.shown(tree.args[0], array)
        hint = "an inverse or a determinant is that of a square matrix" if "square" in str(problem) else None
        reader.misfit(f"{shown} {problem}", tree.args[0].start, tree.args[0].end, tree.args, hint)


def _inverse(reader: Reader, tree: fm.Call) -> Array:
    return _checked(reader, tree, lambda a: matrices.inverse(reader.graph, a))


def _determinant(reader: Reader, tree: fm.Call) -> Array:
    return _checked(reader, tree, lambda a: Array(matrices.determinant(reader.graph, a, tree.function)))


def _slogdet(reader: Reader, tree: fm.Call) -> Array:
    """The pair of sign and logarithm: an array of two elements."""
    graph = reader.graph

    def pair(array: Array) -> Array:
        sign, logarithm = (matrices.determinant(graph, array, name) for name in ("detsign", "logabsdet"))
        for node in (sign, logarithm):
            graph.store.spans.setdefault(node.number, (tree.start, tree.end))
        label = graph.label(2)
        first = graph.map("equal", graph.leaf("places", "", (label,)), graph.const(0))
        return Array(graph.map("where", first, sign, logarithm), (label,))

    return _checked(reader, tree, pair)


def _solve(reader: Reader, tree: fm.Call) -> Array:
    graph = reader.graph
    found = _inverse(reader, tree)
    graph.store.spans.setdefault(found.node.number, (tree.start, tree.end))
    right = reader.number(tree.args[1])
    if not right.axes:
        shown = reader.shown(tree.args[1], right)
        reader.misfit(f"'solve' needs a vector or a matrix on the right; got {shown}", tree.start, tree.end, tree.args,
                      "write inv(A)*b for a number b")  # fmt: skip
    try:
        return arrays.matmul(graph, found, right)
    except Misfit:
        shown = f"{reader.shown(tree.args[0], found)} and {reader.shown(tree.args[1], right)}"
        hint = "solve(A, b) is inv(A) @ b: b has as many rows as A"
        reader.misfit(f"{shown} do not go together in 'solve'", tree.start, tree.end, tree.args, hint)


def _diagonal(reader: Reader, tree: fm.Call) -> Array:
    """diag: the diagonal of a matrix, and the matrix that has a vector on its diagonal."""
    graph = reader.graph
    array = reader.number(tree.args[0])
    if len(array.axes) == 2:
        return picks.diagonal(graph, array)
    if len(array.axes) != 1:
        shown = reader.shown(tree.args[0], array)
        reader.misfit(
            f"'diag' needs a vector or a matrix; got {shown}", tree.start, tree.end, tree.args, "write a list: [a, b]"
        )
    axis = array.axes[0]
    if axis == ONE:
        return Array(array.node, (ONE, ONE))
    length = arrays.size(graph, axis)
    if length is None:
        raise reader.error("a matrix from a vector of rows needs their number, which is not known here", tree)
    first = axis if axis != ROWS else graph.label(length)
    second = graph.label(length, (first,))
    node = graph.substitute(array.node, {axis: Span(first)})
    same = graph.map("equal", *(graph.leaf("places", "", (label,)) for label in (first, second)))
    return Array(graph.map("where", same, node, graph.const(0)), (first, second))


def _triangle(reader: Reader, tree: fm.Call) -> Array:
    """Tril and triu: zeros on the other side of a diagonal."""
    graph = reader.graph
    array = _matrix(reader, tree)
    beside = reader.whole(tree.args[1], "the number of a diagonal") if len(tree.args) > 1 else 0
    row, column = (graph.leaf("places", "", (axis,)) if axis else graph.const(0) for axis in array.axes)
    limit = graph.add(row, graph.const(beside))
    inside = graph.map("less_equal" if tree.function == "tril" else "greater_equal", column, limit)
    return Array(graph.map("where", inside, array.node, graph.const(0)), array.axes)


# ---- products --------------------------------------------------------------------------------------------------------


def _matmul(reader: Reader, tree: fm.Call) -> Array:
    trees = (tree.args[0], tree.args[1])
    return reader.matmul(trees, (reader.number(trees[0]), reader.number(trees[1])))


def _einsum(reader: Reader, tree: fm.Call) -> Array:
    """Sums of products by subscripts: each letter is a label, and those that the result lacks are summed over."""
    first = tree.args[0]
    if not isinstance(first, fm.Text):
        raise reader.error("'einsum' begins with its subscripts", first, "einsum('ij,j->i', A, x)")
    text = first.value.replace(" ", "")
    left, arrow, right = text.partition("->")
    operands = left.split(",")
    trees = tree.args[1:]
    values = [reader.number(t) for t in trees]
    if "." in text:
        raise reader.error("'...' is not read in subscripts", first, "give each axis a letter")
    if not left.replace(",", "").isalpha() or (arrow and right and not right.isalpha()):
        raise reader.error("subscripts are letters with commas and one '->' between them", first, "'ij,j->i'")
    if len(operands) != len(trees):
        given = f"{len(operands)} sets of subscripts for {len(trees)} arrays"
        raise reader.error(f"'einsum' has {given}", first, "one set for each array, with commas between them")
    if not arrow:  # NumPy's rule: what stands once, in the alphabet's order
        right = "".join(sorted(c for c in set(left) - {","} if left.count(c) == 1))
    for letter in right:
        if right.count(letter) > 1 or letter not in left:
            what = "stands twice in the result" if right.count(letter) > 1 else "stands in the result only"
            raise reader.error(f"the subscript '{letter}' {what}", first)
    labels = _letters(reader, first, operands, trees, values)
    nodes = []
    for names, value in zip(operands, values, strict=True):
        places: dict[str, Index] = {a: Span(labels[c]) for a, c in zip(value.axes, names, strict=True) if a != ONE}
        nodes.append(reader.graph.substitute(value.node, places))
    return Array(_contracted(reader, nodes, operands, right, labels), tuple(labels[c] for c in right))


def _letters(
    reader: Reader, first: Tree, operands: list[str], trees: tuple[Tree, ...], values: list[Array]
) -> Mapping[str, str]:
    """Give each subscript a label; one that stands for axes of length 1 only has none."""
    graph = reader.graph
    found: dict[str, tuple[str, Tree, Array]] = {}
    for names, tree, value in zip(operands, trees, values, strict=True):
        if len(names) != len(value.axes):
            problem = f"{reader.shown(tree, value)} has {len(value.axes)} axes, and its subscripts are '{names}'"
            reader.misfit(problem, first.start, first.end, (tree,))
        for letter, axis in zip(names, value.axes, strict=True):
            known = found.get(letter)
            if known is None or known[0] == ONE:
                found[letter] = (axis, tree, value)
            elif axis != ONE and (arrays.size(graph, axis) != arrays.size(graph, known[0])
                                  or ({axis, known[0]} & set(graph.store.selected) and axis != known[0])):  # fmt: skip
                shown = f"{reader.shown(known[1], known[2])} and {reader.shown(tree, value)}"
                reader.misfit(f"{shown} differ in length along '{letter}'", first.start, first.end, (known[1], tree))
            elif axis == ROWS:
                found[letter] = (axis, tree, value)
    if len(found) > _MOST:
        raise reader.error(f"einsum has {len(found)} subscripts, and may have {_MOST}", first, "write it as products")
    labels: dict[str, str] = {}
    for letter, (axis, tree, _) in found.items():
        label = axis
        if axis != ONE and axis in labels.values():
            length = arrays.size(graph, axis)
            if length is None:
                reader.misfit("two subscripts for rows need their number", first.start, first.end, (tree,))
            label = graph.label(length, labels.values())
        labels[letter] = label
    return labels


def _contracted(
    reader: Reader, nodes: list[Node], operands: list[str], right: str, labels: Mapping[str, str]
) -> Node:  # fmt: skip
    """Multiply operands one after the other, and sum over each subscript as soon as no later one has it."""
    graph = reader.graph
    total: Node | None = None
    seen: set[str] = set()
    for place, (node, names) in enumerate(zip(nodes, operands, strict=True)):
        total = node if total is None else graph.multiply(total, node)
        seen |= set(names)
        done = sorted(seen - set(right) - set("".join(operands[place + 1 :])), key=lambda c: (labels[c] == ROWS, c))
        seen -= set(done)
        for letter in done:
            if labels[letter] != ONE:
                total = selections.fold(graph, "sum", total, labels[letter])
    assert total is not None
    return total


FUNCTIONS: dict[str, Callable[[Reader, fm.Call], Array]] = {
    "inv": _inverse, "solve": _solve, "det": _determinant, "logabsdet": _determinant, "logdet": _determinant,
    "slogdet": _slogdet, "diag": _diagonal, "tril": _triangle, "triu": _triangle, "matmul": _matmul, "einsum": _einsum,
}  # fmt: skip
