"""All functions of one objective, as source for both tiers, with what is needed to call them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from symgd.graph import ROWS, Fold, Graph, Leaf, Map, Matrix, Node, calculus, reachable
from symgd.kernel.code import forms, matrices
from symgd.kernel.code.arrays import ArrayFunction
from symgd.kernel.code.columns import columns
from symgd.kernel.code.forms import Argument, At, Text
from symgd.kernel.code.functions import Function, Output, function_arguments
from symgd.kernel.code.layout import Column, Layout, layout
from symgd.kernel.code.llvm import LLVM
from symgd.kernel.code.loop import Loop
from symgd.kernel.code.lowering import lowered
from symgd.kernel.code.pieces import Piece
from symgd.kernel.code.python import Python
from symgd.kernel.code.vectorised import Vectorised
from symgd.kernel.code.writer import Writer
from symgd.language.functions import FUNCTIONS
from symgd.rules import Lowered

PRINTERS: tuple[type[Python | LLVM], ...] = (Python, LLVM)
CURVATURE = [*(Argument(name, "float64") for name in ("_x", "_v", "_w")), Argument("_hist", "matrix")]
_STRICT = ("min", "max")  # folds that have kinks


@dataclass(frozen=True)
class Program:
    """Generated source and its inputs.

    Parameters
    ----------
    layout : Layout
        The inputs.
    functions : dict of str to tuple of Text
        For each tier ``value``, ``slope`` (value and gradient), ``product`` (Hessian times v) and ``curvature`` (the
        Hessian: its upper triangle where parameters are local variables), and what they call.
    strict : bool
        Whether sums must not be reordered nor contracted, as where a smallest element is found again by comparison.
    smooth : bool
        Whether the objective has no kinks: every function in it can be differentiated any number of times.
    work : tuple of int
        Operations for value and gradient: once, and for each row.
    entries : tuple of (int, int)
        The places of what ``curvature`` returns.
    pieces : dict of str to list of dict
        For each function with passes over the rows, the pieces that the text for Numba also has it in, for threads.
    memory : tuple of int
        Numbers of working memory: what passes leave to each other, and that of a block.
    pace : tuple of int
        Nanoseconds that statements of NumPy take for value and gradient: once, and for a thousand rows; nothing where
        there are none.
    """

    layout: Layout
    functions: dict[str, tuple[Text, ...]]
    strict: bool
    smooth: bool
    work: tuple[int, int]
    entries: tuple[tuple[int, int], ...]
    pieces: dict[str, list[Piece]]
    memory: tuple[int, int]
    pace: tuple[int, int] = (0, 0)

    def function(self, name: str, tier: str) -> Text:
        """Give one of the functions."""
        return next(f for f in self.functions[tier] if f.name == name)

    def to_json(self) -> str:
        """Write the program down."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "layout"}
        fields["functions"] = {tier: to_json(found) for tier, found in self.functions.items()}
        inputs = {name: getattr(self.layout, name) for name in self.layout.__dataclass_fields__}
        return json.dumps({"layout": inputs, **fields})

    @staticmethod
    def from_json(text: str) -> Program:
        """Read a program back."""
        d: dict[str, Any] = json.loads(text)
        inputs = {k: _tuples(v) for k, v in d.pop("layout").items()}
        inputs["columns"] = tuple(Column(*c) for c in inputs["columns"])
        for name in ("work", "entries", "memory", "pace"):
            d[name] = _tuples(d[name])
        d["functions"] = {tier: from_json(found) for tier, found in d["functions"].items()}
        return Program(Layout(**inputs), **d)


def to_json(functions: Sequence[Text]) -> list[tuple[object, ...]]:
    """Give functions as JSON writes them."""
    return [f.to_json() for f in functions]


def from_json(functions: Sequence[Sequence[object]]) -> tuple[Text, ...]:
    """Read functions back."""
    return tuple(Text.from_json(function) for function in functions)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


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
    strict = any(isinstance(n, Fold) and n.function in _STRICT for n in nodes)
    # What keeps digits and range has branches that are no kinks.
    smooth = _is_smooth(graph.store.without_seams(root))
    functions, pieces, memory = _write(graph, inputs, outputs, strict=strict)
    pace = (0, 0)
    if inputs.vectorised:
        functions[Python.name], pace = _on_arrays(inputs, outputs, graph.store.lengths, derived.whole())
    return Program(inputs, functions, strict, smooth, _work(graph, nodes), derived.entries, pieces, memory, pace)


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
        if isinstance(node, Fold) and node.function in _STRICT:
            return False
    return True


def _write(
    graph: Graph, inputs: Layout, outputs: Mapping[str, Output], *, strict: bool
) -> tuple[dict[str, tuple[Text, ...]], dict[str, list[Piece]], tuple[int, int]]:
    """Write all functions for both tiers."""
    functions: dict[str, tuple[Text, ...]] = {}
    pieces: dict[str, list[Piece]] = {name: [] for name in (*outputs, "curvature")}
    planned = [
        Function(name, inputs, output, graph.store.lengths, directed=name == "product", strict=strict)
        for name, output in outputs.items()
    ]
    alike = inputs.unrolled and not any(function.passes for function in planned)  # without loops, for all targets
    written: list[forms.Function] = []
    for printer in PRINTERS:
        if printer is Python and inputs.vectorised:
            continue
        writer = Writer(apart=printer.apart)
        for function in [] if written and alike else planned:
            function.write(writer)
            if printer.apart and any(piece.home == ROWS for piece in function.passes):
                pieces[function.name] = function.write_pieces()
        if not inputs.unrolled:
            _write_columns(writer, inputs)
        written = writer.functions or written
        functions[printer.name] = tuple(map(printer.text, written))
    memory = max(f.size for f in planned), max(f.block_size for f in planned)
    return functions, pieces, memory


def _on_arrays(
    inputs: Layout, outputs: Mapping[str, Output], lengths: Mapping[str, int], whole: Output | None
) -> tuple[tuple[Text, ...], tuple[int, int]]:
    """Write all functions as statements of NumPy; say what value and gradient cost."""
    texts = []
    pace = (0, 0)
    for name, output in outputs.items():
        arguments = function_arguments(inputs, directed=name == "product", vector=output.vector)
        function = ArrayFunction(
            name, inputs, output.numbers, output.entries, lengths, arguments, vector=output.vector
        )  # fmt: skip
        texts.append(function.text())
        if name == "slope":
            once, row = function.cost
            pace = round(once), round(1000 * row)
    if whole:
        arguments = [*CURVATURE, *inputs.data()]
        texts.append(ArrayFunction(
            "curvature", inputs, (), whole.entries, lengths, arguments, vector=True, units=True
        ).text())  # fmt: skip
    elif not inputs.unrolled:
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


def write_loop(
    program: Program, rule: Lowered | None, hyper: tuple[str, ...], *, batched: bool = False
) -> dict[str, tuple[Text, ...]]:
    """Write the loop of a rule over an objective's functions.

    Parameters
    ----------
    program : Program
        The objective's functions.
    rule : Lowered or None
        The rule; ``None`` for steepest descent with the exact Cauchy step.
    hyper : tuple of str
        The numbers that it reads, in order.
    batched : bool
        Whether each step looks at a batch of rows of its own.

    Returns
    -------
    dict of str to tuple of Text
        The function ``loop``, for each tier; for batches, ``stage`` as well.
    """
    writer = Writer()
    Loop(writer, program.layout, rule, hyper, batched=batched).write("loop", "slope", "product")
    printers = [Vectorised if p is Python and program.layout.vectorised else p for p in PRINTERS]
    return {printer.name: tuple(map(printer.text, writer.functions)) for printer in printers}


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
