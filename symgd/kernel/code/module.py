"""All functions of one objective, as source for both tiers, with what is needed to call them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, NamedTuple

from symgd.graph import ROWS, Fold, Graph, Leaf, Map, Matrix, Node, calculus, reachable
from symgd.kernel.code import matrices
from symgd.kernel.code.arrays import ArrayFunction
from symgd.kernel.code.columns import columns
from symgd.kernel.code.forms import Argument, At, Text
from symgd.kernel.code.functions import Function, Output, function_arguments
from symgd.kernel.code.layout import Column, Layout, layout
from symgd.kernel.code.llvm import LLVM
from symgd.kernel.code.lowering import lowered
from symgd.kernel.code.pieces import Piece
from symgd.kernel.code.python import Python
from symgd.kernel.code.vectorised import Vectorised
from symgd.kernel.code.writer import Writer
from symgd.language.functions import FUNCTIONS

CURVATURE = [*(Argument(name, "float64") for name in ("_x", "_v", "_w")), Argument("_hist", "matrix")]
_STRICT = ("min", "max")  # folds that have kinks


class Written(NamedTuple):
    """What machine code is made from: functions, pieces of them for threads, and how much memory they work in.

    Parameters
    ----------
    functions : tuple of Text
        As those of a `Program`.
    pieces : dict of str to list of dict
        For each function with passes over the rows, the pieces that it is written in as well, for threads.
    memory : tuple of int
        Numbers of working memory: what passes leave to each other, and that of a block.
    """

    functions: tuple[Text, ...]
    pieces: dict[str, list[Piece]]
    memory: tuple[int, int]


@dataclass(frozen=True)
class Program:
    """Generated source and its inputs.

    Parameters
    ----------
    layout : Layout
        The inputs.
    functions : tuple of Text
        For the first tier ``value``, ``slope`` (value and gradient), ``product`` (Hessian times v) and ``curvature``
        (the Hessian: its upper triangle where parameters are local variables), and what they call.
    strict : bool
        Whether sums must not be reordered nor contracted, as where a smallest element is found again by comparison.
    smooth : bool
        Whether the objective has no kinks: every function in it can be differentiated any number of times.
    work : tuple of int
        Operations for value and gradient: once, and for each row.
    entries : tuple of (int, int)
        The places of what ``curvature`` returns.
    memory : tuple of int
        Numbers of working memory that the first tier's functions take.
    pace : tuple of int
        Nanoseconds that statements of NumPy take for value and gradient: once, and for a thousand rows; nothing where
        there are none.
    nodes : int
        Of value and gradient: by them compiling is priced.
    write : callable, optional
        Gives what machine code is made from; a run that ends before needs none of it.
    key : str
        What it is known by.
    """

    layout: Layout
    functions: tuple[Text, ...]
    strict: bool
    smooth: bool
    work: tuple[int, int]
    entries: tuple[tuple[int, int], ...]
    memory: tuple[int, int]
    pace: tuple[int, int] = (0, 0)
    nodes: int = 0
    write: Callable[[], Written] | None = field(default=None, repr=False, compare=False)
    key: str = ""

    def __getstate__(self) -> dict[str, object]:
        # What writes stands in a graph; what was written is sent.
        return {**self.__dict__, "written": self.written, "write": None}

    @cached_property
    def written(self) -> Written:
        """What machine code is made from."""
        assert self.write is not None
        return self.write()

    @property
    def identity(self) -> str:
        """What machine code is known by: the key, or all of the text."""
        return self.key or repr(self.written.functions)

    def function(self, name: str) -> Text:
        """Give one of the first tier's functions."""
        return next(f for f in self.functions if f.name == name)

    def to_json(self) -> str:
        """Write the program down, but for what machine code is made from."""
        without = ("layout", "write", "key")
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in without}
        fields["functions"] = to_json(self.functions)
        inputs = {name: getattr(self.layout, name) for name in self.layout.__dataclass_fields__}
        return json.dumps({"layout": inputs, **fields})

    @staticmethod
    def from_json(text: str, write: Callable[[], Written], key: str) -> Program:
        """Read a program back."""
        d: dict[str, Any] = json.loads(text)
        inputs = {k: _tuples(v) for k, v in d.pop("layout").items()}
        inputs["columns"] = tuple(Column(*c) for c in inputs["columns"])
        for name in ("work", "entries", "memory", "pace"):
            d[name] = _tuples(d[name])
        d["functions"] = from_json(d["functions"])
        return Program(Layout(**inputs), **d, write=write, key=key)


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
    pace = memory = (0, 0)
    if inputs.vectorised:
        functions, pace = _on_arrays(inputs, outputs, graph.store.lengths, derived.whole())
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
