"""All functions of one objective, as source for both tiers, with what is needed to call them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from symgd.graph import ROWS, Fold, Graph, Leaf, Map, Matrix, Node, calculus, reachable
from symgd.kernel.code import matrices
from symgd.kernel.code.arrays import ArrayFunction
from symgd.kernel.code.columns import columns
from symgd.kernel.code.forms import Argument, At, Text
from symgd.kernel.code.functions import Function, Output, function_arguments
from symgd.kernel.code.layout import Layout, layout
from symgd.kernel.code.llvm import LLVM
from symgd.kernel.code.lowering import lowered
from symgd.kernel.code.parting import parted
from symgd.kernel.code.pieces import Piece
from symgd.kernel.code.program import Program, Written
from symgd.kernel.code.python import Python
from symgd.kernel.code.vectorised import Vectorised
from symgd.kernel.code.writer import Writer
from symgd.language.functions import FUNCTIONS

CURVATURE = [*(Argument(name, "float64") for name in ("_x", "_v", "_w")), Argument("_hist", "matrix")]
STRICT = ("min", "max")  # folds that have kinks


def generate(
    graph: Graph, root: Node, params: Sequence[str], shapes: Mapping[str, tuple[int, ...]] | None = None,
    data: Mapping[str, tuple[str, tuple[int, ...]]] | None = None,
) -> Program:  # fmt: skip
    """Differentiate an objective and write its functions.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    root : Node
        The objective.
    params : sequence of str
        The parameters, in order.
    shapes : mapping of str to tuple of int, optional
        Those of the parameters; by default they are numbers.
    data : mapping of str to (str, tuple of int), optional
        Type and shape of each data array.

    Returns
    -------
    Program
    """
    derived = derive(graph, root, params, shapes, data)
    graph, inputs, outputs = derived.graph, derived.inputs, derived.outputs
    nodes = reachable([root, *derived.slope.nodes()])
    strict = any(isinstance(n, Fold) and n.function in STRICT for n in nodes)
    # What keeps digits and range has branches that are no kinks.
    smooth = _is_smooth(graph.store.without_seams(root))
    pace = memory = (0, 0)
    if inputs.vectorised:
        functions, pace = _on_arrays(derived)
    else:
        functions, _, memory = _write(Python, graph, inputs, outputs, strict=strict)
    write = partial(_write, LLVM, graph, inputs, outputs, strict=strict)
    work, size = _work(graph, nodes), len(nodes)
    return Program(inputs, functions, strict, smooth, work, derived.entries, memory, pace, size, write)


class Derived(NamedTuple):
    """An objective with its derivatives: what its functions give, before they are written for any target."""

    graph: Graph
    inputs: Layout
    outputs: dict[str, Output]  # value, slope, product; curvature where parameters are local variables
    slope: calculus.Vector
    entries: tuple[tuple[int, int], ...]  # the places of what curvature gives

    def whole(self) -> Output | None:
        """Give the Hessian for statements of NumPy, where it has no function of its own."""
        return None if self.inputs.unrolled else columns(self.graph, self.outputs["product"], self.inputs.size)

    def on_arrays(self, whole: Output | None) -> dict[str, Output]:
        """Give the functions for statements of NumPy, with the Hessian as a whole where it can be."""
        outputs = self.outputs | ({"curvature": whole} if whole else {})
        found = {}
        for name, output in outputs.items():
            numbers, entries = parted(self.graph, output.numbers, output.entries)
            found[name] = Output(numbers, tuple(entries), output.vector)
        return found


def derive(
    graph: Graph, root: Node, params: Sequence[str], shapes: Mapping[str, tuple[int, ...]] | None = None,
    data: Mapping[str, tuple[str, tuple[int, ...]]] | None = None,
) -> Derived:  # fmt: skip
    """Differentiate an objective; see `generate`."""
    graph = graph.tidy
    slope = calculus.gradient(graph, root)
    product = calculus.hessian_vector(graph, slope)
    vectors = {"slope": slope, "product": product}
    inputs = layout(params, _leaves([root, *(n for v in vectors.values() for n in _parts(v))]), shapes, data)
    numbers = {"value": (root,), "slope": (root,), "product": ()}
    outputs = {
        name: _lowered(graph, Output(given, vectors[name].entries if name in vectors else (), name in vectors))
        for name, given in numbers.items()
    }
    entries: tuple[tuple[int, int], ...] = ()
    if inputs.unrolled:
        second = calculus.hessian(graph, slope, params)
        index = {name: i for i, name in enumerate(params)}
        entries = tuple((index[a], index[b]) for a, b in second)
        outputs["curvature"] = Output(tuple(second.values()))
    return Derived(graph, inputs, outputs, slope, entries)


def _is_smooth(nodes: list[Node]) -> bool:
    """Tell whether every function in an objective can be differentiated any number of times."""
    for node in nodes:
        if isinstance(node, Map) and not FUNCTIONS[node.function].smooth:
            return False
        if isinstance(node, Fold) and node.function in STRICT:
            return False
    return True


def _write(
    printer: type[Python | LLVM], graph: Graph, inputs: Layout, outputs: Mapping[str, Output], *, strict: bool
) -> Written:
    """Write all functions for a target."""
    pieces: dict[str, list[Piece]] = {name: [] for name in (*outputs, "curvature")}
    planned = [
        Function(name, inputs, output, graph.store.lengths, directed=name == "product", strict=strict)
        for name, output in outputs.items()
    ]
    writer = Writer(apart=printer.apart)
    for function in planned:
        function.write(writer)
        if printer.apart and any(piece.home == ROWS for piece in function.passes):
            pieces[function.name] = function.write_pieces()
    if printer is Python and not inputs.unrolled:
        _write_columns(writer, inputs)
    memory = max(f.size for f in planned), max(f.block_size for f in planned)
    return Written(tuple(map(printer.text, writer.functions)), pieces, memory)


def _on_arrays(derived: Derived) -> tuple[tuple[Text, ...], tuple[int, int]]:
    """Write all functions as statements of NumPy; say what value and gradient cost."""
    texts = []
    pace = (0, 0)
    inputs, lengths, outputs = derived.inputs, derived.graph.store.lengths, derived.on_arrays(derived.whole())
    for name, output in outputs.items():
        units = name == "curvature" and not inputs.unrolled
        given = function_arguments(inputs, directed=name == "product", vector=output.vector)
        arguments = [*CURVATURE, *inputs.data()] if units else given
        function = ArrayFunction(
            name, inputs, output.numbers, output.entries, lengths, arguments, vector=output.vector, units=units
        )  # fmt: skip
        texts.append(function.text())
        if name == "slope":
            once, row = function.cost
            pace = round(once), round(1000 * row)
    if not inputs.unrolled and "curvature" not in outputs:
        writer = Writer()
        _write_columns(writer, inputs)
        texts += map(Vectorised.text, writer.functions)
    return tuple(texts), pace


def _lowered(graph: Graph, output: Output) -> Output:
    new = lowered(graph, [*output.numbers, *_parts(calculus.Vector(output.entries))], graph.store.lengths)
    entries = (calculus.Entry(new[e.leaf], new[e.node]) for e in output.entries)  # type: ignore[arg-type]
    return Output(tuple(new[n] for n in output.numbers), tuple(entries), output.vector)


def _parts(vector: calculus.Vector) -> list[Node]:
    return [part for entry in vector.entries for part in (entry.leaf, entry.node)]


def _write_columns(w: Writer, inputs: Layout) -> None:
    """Write the Hessian as its products with the unit vectors, into the rows of ``_hist``."""
    vectors = CURVATURE[:3]
    with w.function("curvature", [*CURVATURE, *inputs.data()]):
        with w.loop("_j", 0, inputs.size):
            w.assign(At("_v", "_j"), 1.0)
            w.call("product", *vectors, *inputs.data())
            w.assign(At("_v", "_j"), 0.0)
            with w.loop("_p", 0, inputs.size):
                w.assign(At("_hist", "_j", "_p"), At("_w", "_p"))
        w.give()


def _leaves(nodes: list[Node]) -> list[Leaf | Matrix]:
    return [n for n in reachable(nodes) if isinstance(n, Leaf | Matrix)]


def _work(graph: Graph, nodes: list[Node]) -> tuple[int, int]:
    """Count operations: once, and for each row."""
    once = rows = 1
    wholes: dict[matrices.Key, int] = {}  # the rows of each matrix that is inverted
    for node in nodes:
        if isinstance(node, Matrix):
            wholes[matrices.key(node)] = graph.store.lengths[node.row]
        if node.constant is None and isinstance(node, Map | Fold):
            labels = node.body.labels if isinstance(node, Fold) else node.labels
            places = math.prod(graph.store.lengths[label] for label in labels if label != ROWS)
            if ROWS in labels:
                rows += places
            else:
                once += places
    once += sum(matrices.work(n, cofactors=cofactors) for (_, cofactors), n in wholes.items())
    return once, rows if any(ROWS in n.labels for n in nodes) else 0
