"""All functions of one objective, as source for both tiers, with what is needed to call them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from symgd import calculus
from symgd.codegen.functions import Function, Output, is_work
from symgd.codegen.layout import Layout, layout
from symgd.codegen.loop import Loop
from symgd.codegen.writer import Writer
from symgd.functions import FUNCTIONS
from symgd.graph import ROWS, Fold, Graph, Leaf, Map, Node, reachable
from symgd.rules import Lowered

TARGETS = ("python", "numba")


@dataclass(frozen=True)
class Program:
    """Generated source and its inputs.

    Parameters
    ----------
    layout : Layout
        The inputs.
    source : dict of str to str
        The module's text for each tier: functions ``value``, ``slope`` (value and gradient), ``product`` (Hessian
        times v) and ``curvature`` (the Hessian: its upper triangle where parameters are local variables).
    arguments : dict of str to list of str
        The names of each function's arguments.
    strict : bool
        Whether sums must not be reordered nor contracted, as where a smallest element is found again by comparison.
    smooth : bool
        Whether the objective has no kinks: every function in it can be differentiated any number of times.
    work : tuple of int
        Operations for value and gradient: once, and for each row.
    entries : tuple of (int, int)
        The places of what ``curvature`` returns.
    passes : dict of str to list of list of str
        For each function the folds over the rows, pass by pass; where there are any, the text for Numba also has the
        function in pieces, for threads.
    """

    layout: Layout
    source: dict[str, str]
    arguments: dict[str, list[str]]
    strict: bool
    smooth: bool
    work: tuple[int, int]
    entries: tuple[tuple[int, int], ...]
    passes: dict[str, list[list[str]]]

    def width(self, name: str) -> int:
        """Count the numbers that a function returns."""
        if not self.layout.unrolled or name == "value":
            return 1
        n = len(self.layout.params)
        return {"slope": n + 1, "product": n, "curvature": len(self.entries)}[name]

    def to_json(self) -> str:
        """Write the program down."""
        inputs = self.layout
        return json.dumps(
            {
                "layout": [
                    inputs.params,
                    inputs.columns,
                    inputs.scalars,
                    inputs.tables,
                    inputs.unrolled,
                    inputs.counted,
                ],
                "source": self.source,
                "arguments": self.arguments,
                "strict": self.strict,
                "smooth": self.smooth,
                "work": self.work,
                "entries": self.entries,
                "passes": self.passes,
            }
        )

    @staticmethod
    def from_json(text: str) -> Program:
        """Read a program back."""
        d: dict[str, Any] = json.loads(text)
        params, columns, scalars, tables, unrolled, counted = d["layout"]
        tables = tuple(tuple(t) for t in tables)
        inputs = Layout(tuple(params), tuple(columns), tuple(scalars), tables, unrolled, counted)
        entries = tuple((i, j) for i, j in d["entries"])
        work = (d["work"][0], d["work"][1])
        return Program(inputs, d["source"], d["arguments"], d["strict"], d["smooth"], work, entries, d["passes"])


def generate(graph: Graph, root: Node, params: Sequence[str]) -> Program:
    """Differentiate an objective and write its functions.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    root : Node
        The objective.
    params : sequence of str
        The parameters, in order.

    Returns
    -------
    Program
    """
    slope = calculus.gradient(graph, root)
    product = calculus.hessian_vector(graph, slope)
    inputs = layout(params, _leaves([root, *slope.nodes(), *product.nodes()]))
    outputs = {"value": Output((root,)), "slope": _vector(params, slope, (root,)), "product": _vector(params, product)}
    entries: tuple[tuple[int, int], ...] = ()
    if inputs.unrolled:
        second = calculus.hessian(graph, slope, params)
        index = {name: i for i, name in enumerate(params)}
        entries = tuple((index[a], index[b]) for a, b in second)
        outputs["curvature"] = Output((), tuple(enumerate(second.values())))
    source, arguments, passes = {}, {}, {}
    for target in TARGETS:
        writer = Writer(target)
        for name, output in outputs.items():
            function = Function(writer, inputs, output, directed=name == "product")
            function.write(name)
            arguments[name] = function.arguments()
            passes[name] = function.row_folds()
            if target == "numba" and any(passes[name]):
                function.write_pieces(name)
        if not inputs.unrolled:
            arguments["curvature"] = _write_columns(writer, inputs, arguments["product"])
            passes["curvature"] = []
        source[target] = writer.text()
    nodes = reachable([root, *slope.nodes()])
    strict = any(isinstance(n, Fold) and n.function in ("min", "max") for n in nodes)
    smooth = not strict and all(FUNCTIONS[n.function].smooth for n in reachable([root]) if isinstance(n, Map))
    return Program(inputs, source, arguments, strict, smooth, _work(graph, nodes), entries, passes)


def _write_columns(w: Writer, inputs: Layout, product: list[str]) -> list[str]:
    """Write the Hessian as its products with the unit vectors, into the rows of ``_hist``."""
    n = len(inputs.params)
    arguments = ["_x", "_v", "_w", "_hist", *inputs.data()]
    w.open(f"def curvature({', '.join(arguments)}):")
    w.open(f"for _j in range({n}):")
    w.line("_v[_j] = 1.0")
    w.line(f"product({', '.join('_w' if a == '_out' else a for a in product)})")
    w.line("_v[_j] = 0.0")
    w.open(f"for _p in range({n}):")
    w.line("_hist[_j, _p] = _w[_p]")
    w.close(2)
    w.line("return 0.0")
    w.close()
    w.line("")
    return arguments


def write_loop(program: Program, rule: Lowered | None, hyper: tuple[str, ...]) -> dict[str, str]:
    """Write the loop of a rule over an objective's functions.

    Parameters
    ----------
    program : Program
        The objective's functions.
    rule : Lowered or None
        The rule; ``None`` for steepest descent with the exact Cauchy step.
    hyper : tuple of str
        The numbers that it reads, in order.

    Returns
    -------
    dict of str to str
        The function ``loop``, for each tier.
    """
    source = {}
    for target in TARGETS:
        writer = Writer(target)
        Loop(writer, program.layout, rule, hyper).write("loop", "slope", "product")
        source[target] = writer.text()
    return source


def _leaves(nodes: list[Node]) -> list[Leaf]:
    return [n for n in reachable(nodes) if isinstance(n, Leaf)]


def _vector(params: Sequence[str], vector: calculus.Vector, numbers: tuple[Node, ...] = ()) -> Output:
    index = {name: i for i, name in enumerate(params)}
    entries = [(index[name], node) for name, node in vector.dense.items()]
    zero = vector.zero
    if not vector.scatters:
        entries += [(i, zero) for name, i in index.items() if name not in vector.dense]
    return Output(numbers, tuple(sorted(entries, key=lambda e: e[0])), vector.scatters)


def _work(graph: Graph, nodes: list[Node]) -> tuple[int, int]:
    """Count operations: once, and for each row."""
    once = rows = 1
    for node in nodes:
        if is_work(node):
            if ROWS in node.labels:
                rows += 1
            else:
                once += max((graph.lengths.get(label, 1) for label in node.labels), default=1)
    return once, rows if any(ROWS in n.labels for n in nodes) else 0
