"""The functions of the language that are of whole arrays: reductions, products, and what makes or joins arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from symgd import language as fm
from symgd.graph import arrays, picks
from symgd.graph.arrays import ONE, Array, Misfit
from symgd.graph.graph import Graph
from symgd.graph.nodes import Const, Node, Span
from symgd.graph.picks import Cut
from symgd.graph.reading import linear_algebra, running
from symgd.language import Tree
from symgd.language.functions import FUNCTIONS

if TYPE_CHECKING:
    from symgd.graph.reading.reader import Reader


def _fold(function: str) -> Callable[[Reader, fm.Call], Array]:
    def fold(reader: Reader, tree: fm.Call) -> Array:
        array = reader.number(tree.args[0])
        over, keep = reader.axes(tree, array)
        if function == "logsumexp" and reader.graph.guarded and sum(bool(array.axes[place]) for place in over) > 1:
            return _logsumexp(reader.graph, array, over, keep=keep)
        return arrays.reduce(reader.graph, function, array, over, keep=keep)

    return fold


def average_over(graph: Graph, array: Array, over: Iterable[int]) -> None:
    """Note that the formula divides by the number of elements along axes: that it is a mean, not a sum over 2."""
    graph.store.averaged.add(math.prod(graph.store.lengths.get(array.axes[place], 1) for place in over))


def _logsumexp(graph: Graph, array: Array, over: Sequence[int], *, keep: bool) -> Array:
    """Logsumexp over several axes, which are taken one after the other: the largest entry of all comes off first."""
    shift = graph.map("held", arrays.reduce(graph, "max", array, over, keep=True).node)
    below = Array(graph.map("below", array.node, shift), array.axes)
    total = arrays.reduce(graph, "logsumexp", below, over, keep=keep)
    return Array(graph.add(shift, total.node), total.axes)


def _extreme(reader: Reader, tree: fm.Call) -> Array:
    """NumPy's max(x), and Python's max(a, b, c)."""
    if len(tree.args) == 1:
        return _fold(tree.function)(reader, tree)
    builtin = FUNCTIONS[tree.function].builtin
    values = [reader.number(t) for t in tree.args]
    first, second = values[0], values[1].node
    if len(values) == 2 and first.axes and isinstance(second, Const) and second.value == int(second.value):
        array, number = (reader.brief(t) for t in tree.args)
        what = "largest" if tree.function == "max" else "smallest"
        problem = f"{tree.function}({array}, {number}) has two meanings"
        hint = (f"write {builtin}({array}, {number}) for the {what} of each entry and {number}, or "
                f"{tree.function}({array}, axis={number}) for NumPy's along axis {number}")  # fmt: skip
        raise reader.error(problem, tree, hint)
    total = values[0]
    left: Tree = tree.args[0]
    for arg, value in zip(tree.args[1:], values[1:], strict=True):
        total = reader.mapped(builtin, (left, arg), (total, value))
        left = fm.Call(builtin, (left, arg), start=tree.args[0].start, end=arg.end)
    return total


def rounded(reader: Reader, tree: fm.Call, array: Array) -> Array:
    """round(x, decimals), as NumPy does it."""
    graph = reader.graph
    decimals = reader.whole(tree.keywords[0][1], "'decimals'")
    if abs(decimals) > 300:
        raise reader.error("'decimals' is from -300 to 300", tree.keywords[0][1], "write a smaller number")
    if not decimals:
        return Array(graph.map("rint", array.node), array.axes)
    scale = graph.const(Fraction(10) ** abs(decimals))
    there, back = (graph.multiply, graph.divide) if decimals > 0 else (graph.divide, graph.multiply)
    return Array(back(graph.map("rint", there(array.node, scale)), scale), array.axes)


def _mean_of(graph: Graph, array: Array, over: Sequence[int], *, keep: bool) -> Array:
    total = arrays.reduce(graph, "sum", array, over, keep=keep)
    average_over(graph, array, over)
    return Array(graph.divide(total.node, arrays.count(graph, array, over)), total.axes)


def _mean(reader: Reader, tree: fm.Call) -> Array:
    array = reader.number(tree.args[0])
    over, keep = reader.axes(tree, array)
    return _mean_of(reader.graph, array, over, keep=keep)


def _variance(reader: Reader, tree: fm.Call) -> Array:
    graph = reader.graph
    array = reader.number(tree.args[0])
    over, keep = reader.axes(tree, array)
    middle = _mean_of(graph, array, over, keep=True)
    square = graph.power(graph.subtract(array.node, middle.node), graph.const(2))
    ddof = dict(tree.keywords).get("ddof")
    if ddof is None:
        result = _mean_of(graph, Array(square, array.axes), over, keep=keep)
    else:
        total = arrays.reduce(graph, "sum", Array(square, array.axes), over, keep=keep)
        less = reader.scalar(ddof, "'ddof'").node
        lengths = [arrays.size(graph, array.axes[place]) for place in over]
        if less.constant is not None and math.prod(n or math.inf for n in lengths) <= less.constant:
            reader.ask_at_once(tree.args)
            problem = f"'ddof' leaves nothing to divide by: {reader.shown(tree.args[0], array)}"
            raise reader.error(problem, ddof, "write less")
        count = graph.subtract(arrays.count(graph, array, over), less)
        result = Array(graph.divide(total.node, count), total.axes)
    return Array(graph.map("sqrt0", result.node), result.axes) if tree.function == "std" else result


def _norm(reader: Reader, tree: fm.Call) -> Array:
    graph = reader.graph
    array = reader.number(tree.args[0])
    order = dict(tree.keywords).get("ord")
    over, keep = reader.axes(tree, array)
    if order is not None and not (isinstance(order, fm.Number) and order.value == 2 and len(over) < 2):
        return _norm_of_order(reader, tree, array, order)
    if not any(array.axes[place] for place in over):
        return arrays.reduce(graph, "sum", Array(graph.map("abs", array.node), array.axes), over, keep=keep)
    square = Array(graph.power(array.node, graph.const(2)), array.axes)
    total = arrays.reduce(graph, "sum", square, over, keep=keep)
    return Array(graph.map("sqrt0", total.node), total.axes)


def _norm_of_order(reader: Reader, tree: fm.Call, array: Array, order: Tree) -> Array:
    """norm(x, 1), norm(x, inf), norm(x, p) along one axis, and the norms of matrices that are sums and maxima."""
    graph = reader.graph
    over, keep = reader.axes(tree, array)
    if not array.axes:
        reader.misfit("the order of a norm is for arrays", order.start, order.end, tree.args, "write abs(x)")
    if len(over) > 2 or (len(array.axes) > 2 and "axis" not in dict(tree.keywords)):
        reader.misfit("the order of a norm is for one axis or two", order.start, order.end, tree.args, "write axis=")
    sign = -1 if isinstance(order, fm.Unary) and order.op == "-" else 1
    named = order.arg if isinstance(order, fm.Unary) and order.op in "+-" else order
    infinite = isinstance(named, fm.Name) and named.name == "inf"
    power = None if infinite else reader.scalar(order, "the order of a norm").node
    size = Array(graph.map("abs", array.node), array.axes)
    if len(over) == 2:
        if not infinite and not (isinstance(power, Const) and abs(power.value) == 1):
            hint = "norm(A) is the root of the sum of squares; for matrices there are the orders 1, -1, inf and -inf"
            raise reader.error("this norm of a matrix needs its singular values", order, hint)
        sign = sign if infinite else int(power.value)  # type: ignore[union-attr]
        inner = over[1] if infinite else over[0]
        sums = arrays.reduce(graph, "sum", size, (inner,), keep=True)
        total = arrays.reduce(graph, "max" if sign > 0 else "min", sums, over, keep=True)
        return total if keep else arrays.reduce(graph, "sum", total, over, keep=False)
    if infinite:
        return arrays.reduce(graph, "max" if sign > 0 else "min", size, over, keep=keep)
    assert power is not None
    if isinstance(power, Const) and power.value == 0:
        filled = graph.map("where", graph.map("not_equal", array.node, power), graph.const(1), power)
        return arrays.reduce(graph, "sum", Array(filled, array.axes), over, keep=keep)
    raised = size.node if isinstance(power, Const) and power.value == 1 else graph.power(size.node, power)
    total = arrays.reduce(graph, "sum", Array(raised, array.axes), over, keep=keep)
    return Array(graph.power(total.node, graph.divide(graph.const(1), power)), total.axes)


def _softmax(reader: Reader, tree: fm.Call) -> Array:
    """exp(a - logsumexp(a)), or its logarithm, of a less its largest entry; by default along the last axis."""
    graph = reader.graph
    array = reader.number(tree.args[0])
    if not array.axes:
        reader.misfit(f"'{tree.function}' needs an array", tree.start, tree.end, tree.args, "write a list: [a, b]")
    over, _ = reader.axes(tree, array, default=(len(array.axes) - 1,))
    below = array
    if graph.guarded:
        shift = graph.map("held", arrays.reduce(graph, "max", array, over, keep=True).node)
        below = Array(graph.map("below", array.node, shift), array.axes)
    log = graph.subtract(below.node, arrays.reduce(graph, "logsumexp", below, over, keep=True).node)
    return Array(log if tree.function == "logsoftmax" else graph.map("exp", log), array.axes)


def _dot(reader: Reader, tree: fm.Call) -> Array:
    trees = (tree.args[0], tree.args[1])
    found = (reader.value(trees[0]), reader.value(trees[1]))
    reader.no_truths(tree.function, trees, found)
    values = (reader.numbers(found[0]), reader.numbers(found[1]))
    if tree.function == "vdot" and all(v.axes for v in values):
        return _over_all(reader, tree, values)
    if tree.function == "inner" and len(values[1].axes) == 2:
        values = (values[0], arrays.transpose(values[1]))
    if not values[0].axes or not values[1].axes:
        for side, value, other in ((trees[0], values[0], values[1]), (trees[1], values[1], values[0])):
            if not value.axes and other.axes and any(name in reader.undeclared for name in fm.names(side)):
                return reader.matmul(trees, values)
        reader.ask(tree, trees, *values)
        return reader.mapped("multiply", trees, values)
    if max(len(v.axes) for v in values) > 2:
        raise reader.error(f"'{tree.function}' is for arrays of one or two axes", tree, "write @")
    return reader.matmul(trees, values)


def _over_all(reader: Reader, tree: fm.Call, values: tuple[Array, Array]) -> Array:
    """vdot: the sum of the products of all entries."""
    if arrays.shape(reader.graph, values[0]) != arrays.shape(reader.graph, values[1]):
        shown = " and ".join(reader.shown(t, v) for t, v in zip(tree.args, values, strict=True))
        reader.misfit(
            f"'vdot' is of arrays of one shape; got {shown}", tree.start, tree.end, tree.args, "write sum(a*b)"
        )
    product = reader.mapped("multiply", tree.args, values)
    return arrays.reduce(reader.graph, "sum", product, range(len(product.axes)), keep=False)


def _outer(reader: Reader, tree: fm.Call) -> Array:
    a, b = (reader.number(t) for t in tree.args)
    if len(a.axes) != 1 or len(b.axes) != 1:
        shown = f"{reader.shown(tree.args[0], a)} and {reader.shown(tree.args[1], b)}"
        reader.misfit(f"'outer' is of two arrays of one axis; got {shown}", tree.start, tree.end, tree.args,
                      "write a[:, None]*b[None, :]")  # fmt: skip
    column, row = Array(a.node, (*a.axes, ONE)), Array(b.node, (ONE, *b.axes))
    return reader.mapped("multiply", tree.args, (column, row))


def _trace(reader: Reader, tree: fm.Call) -> Array:
    array = reader.number(tree.args[0])
    try:
        diagonal = picks.diagonal(reader.graph, array)
    except Misfit as problem:
        shown = reader.shown(tree.args[0], array)
        hint = "write eye(n)*x, or diag(x), for the matrix with a vector on its diagonal"
        reader.misfit(f"{shown} {problem}", tree.start, tree.end, tree.args, hint)
    if tree.function != "trace":
        return diagonal
    return arrays.reduce(reader.graph, "sum", diagonal, (0,), keep=False)


def _length(reader: Reader, tree: fm.Call) -> Array:
    array = reader.value(tree.args[0])
    reader.ask(tree, tree.args, array)
    if tree.function == "size":
        over, _ = reader.axes(tree, array)
        average_over(reader.graph, array, over)
        return Array(arrays.count(reader.graph, array, over))
    if not array.axes:
        reader.misfit("a number has no length", tree.start, tree.end, tree.args, "write 1")
    return Array(arrays.count(reader.graph, array, range(len(array.axes))[:1]))


def _transpose(reader: Reader, tree: fm.Call) -> Array:
    return arrays.transpose(reader.value(tree.args[0]))


def _arange(reader: Reader, tree: fm.Call) -> Array:
    graph = reader.graph
    if len(tree.args) == 1:
        axis = reader.stretch(tree.args[0])
        return Array(graph.leaf("places", "", (axis,)), (axis,)) if axis else Array(graph.const(0), (ONE,))
    numbers = [reader.whole(t, "an argument of arange") for t in tree.args]
    steps = range(*numbers) if len(numbers) < 3 or numbers[2] else range(0)
    if not steps:
        raise reader.error("this arange is empty", tree, "write arange(n) with n of at least 1")
    if len(steps) == 1:
        return Array(graph.const(steps[0]), (ONE,))
    axis = graph.label(len(steps))
    return Array(graph.leaf("places", "", (Span(axis, steps.start, steps.step),)), (axis,))


def _filled(reader: Reader, tree: fm.Call) -> Array:
    """zeros(shape) and ones(shape)."""
    return Array(reader.graph.const(int(tree.function == "ones")), reader.filled(tree.args[0]))


def _eye(reader: Reader, tree: fm.Call) -> Array:
    graph = reader.graph
    length = reader.whole(tree.args[0], "a length")
    if length < 1:
        raise reader.error("a length must be at least 1", tree, "leave the matrix out")
    if length == 1:
        return Array(graph.const(1), (ONE, ONE))
    first = graph.label(length)
    second = graph.label(length, (first,))
    same = graph.map("equal", graph.leaf("places", "", (first,)), graph.leaf("places", "", (second,)))
    return Array(graph.map("where", same, graph.const(1), graph.const(0)), (first, second))


def _differences(reader: Reader, tree: fm.Call) -> Array:
    array = reader.value(tree.args[0])
    reader.no_truths("diff", tree.args, (array,))
    times = dict(tree.keywords).get("n")
    turns = 1 if times is None else reader.whole(times, "'n'")
    if not 0 <= turns <= 20:
        raise reader.error("'n' is from 0 to 20", times or tree, "write a smaller number")
    for _ in range(turns):
        array = _difference(reader, tree, array)
    return array


def _difference(reader: Reader, tree: fm.Call, array: Array) -> Array:
    if not array.axes:
        reader.misfit("'diff' needs an array", tree.start, tree.end, tree.args, "write a list: [a, b]")
    (place, *_), _ = reader.axes(tree, array, default=(len(array.axes) - 1,))
    cuts = [[*[Cut()] * place, cut] for cut in (Cut(1), Cut(None, -1))]
    try:
        later, earlier = (picks.pick(reader.graph, array, cut) for cut in cuts)
    except Misfit as problem:
        shown = reader.shown(tree.args[0], array)
        reader.misfit(f"{shown} {problem}", tree.start, tree.end, tree.args, "leave it out")
    return Array(reader.graph.subtract(later.node, earlier.node), later.axes)


def _joined(reader: Reader, tree: fm.Call) -> Array:
    """Concatenate and stack: at each place along the new axis, the array that it falls into."""
    given = tree.args[0]
    if not isinstance(given, fm.Sequence) or not given.items:
        raise reader.error(f"'{tree.function}' takes a list of arrays", given, f"write {tree.function}([a, b])")
    values = [reader.number(t) for t in given.items]
    ranks = {len(v.axes) for v in values}
    if len(ranks) > 1 or (tree.function == "concatenate" and ranks == {0}):
        shown = ", ".join(reader.shown(t, v) for t, v in zip(given.items, values, strict=True))
        problem = f"'{tree.function}' needs arrays with the same number of axes, got {shown}"
        reader.misfit(problem, tree.start, tree.end, given.items, "add an axis with x[None] or x[:, None]")
    rank = ranks.pop() + (tree.function == "stack")
    axis = dict(tree.keywords).get("axis")
    place = reader.position(axis, rank, given.items) if axis is not None else 0
    if tree.function == "stack":
        values = [Array(v.node, (*v.axes[:place], ONE, *v.axes[place:])) for v in values]
    return _concatenate(reader, tree, given.items, values, place)


def _concatenate(reader: Reader, tree: fm.Call, trees: Sequence[Tree], values: list[Array], place: int) -> Array:
    graph = reader.graph
    lengths = [arrays.size(graph, v.axes[place]) for v in values]
    if None in lengths:
        raise reader.error("rows can be joined only where their number is known", tree, "give the data's values")
    sizes = [length or 1 for length in lengths]
    others = [Array(v.node, (*v.axes[:place], ONE, *v.axes[place + 1 :])) for v in values]
    try:
        _, axes = arrays.broadcast(graph, *others)
    except Misfit:
        shown = ", ".join(reader.shown(t, reader.value(t)) for t in trees)
        problem = f"'{tree.function}' needs arrays that differ along one axis at most, got {shown}"
        reader.misfit(problem, tree.start, tree.end, trees, "write another axis=")
    taken = {label for v in values for label in v.axes} | set(axes)
    label = graph.label(sum(sizes), taken)
    here = graph.leaf("places", "", (label,))
    total: Node | None = None
    first = sum(sizes)
    for value, length in zip(reversed(values), reversed(sizes), strict=True):
        first -= length
        # Outside of its own stretch an array is read at its ends, and not used.
        inside = graph.map("minimum", graph.map("maximum", graph.subtract(here, graph.const(first)), graph.const(0)),
                           graph.const(length - 1))  # fmt: skip
        node = value.node
        if value.axes[place] != ONE:
            node = graph.substitute(node, {value.axes[place]: inside})
        kept = (*value.axes[:place], ONE, *value.axes[place + 1 :])
        nodes, _ = arrays.broadcast(graph, Array(graph.const(0), axes), Array(node, kept))
        node = nodes[1]
        total = node if total is None else graph.map("where", graph.map("less", here, graph.const(first + length)),
                                                     node, total)  # fmt: skip
    assert total is not None
    return Array(total, (*axes[:place], label, *axes[place + 1 :]))


ARRAY_FUNCTIONS: dict[str, Callable[[Reader, fm.Call], Array]] = {
    **{name: _fold(name) for name in ("sum", "logsumexp")}, "min": _extreme, "max": _extreme,
    "mean": _mean, "var": _variance, "std": _variance, "norm": _norm, "softmax": _softmax, "logsoftmax": _softmax,
    "dot": _dot, "inner": _dot, "vdot": _dot, "outer": _outer, "trace": _trace, "diagonal": _trace,
    "len": _length, "size": _length, "transpose": _transpose, "arange": _arange, "zeros": _filled, "ones": _filled,
    "eye": _eye, "diff": _differences, "concatenate": _joined, "stack": _joined,
    "array": lambda reader, tree: reader.value(tree.args[0]),
    **linear_algebra.FUNCTIONS, **running.FUNCTIONS,
}  # fmt: skip
