"""One generated function: passes over rows and terms, the scalar code between them, and what it gives back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symgd.calculus import Scatter
from symgd.codegen.layout import Layout
from symgd.codegen.schedule import Pass, Schedule, schedule
from symgd.codegen.writer import Expressions, Writer
from symgd.graph import ROWS, Fold, Leaf, Map, Node

BLOCK = 4096  # rows that are summed up before the sum joins the total: fixed, so that results do not depend on threads


@dataclass(frozen=True)
class Output:
    """What a function gives: numbers to return, and entries of a vector, dense and scattered.

    In the unrolled layout the entries are returned behind the numbers. Otherwise they are written to ``_out``.
    """

    numbers: tuple[Node, ...]
    entries: tuple[tuple[int, Node], ...] = ()
    scatters: tuple[Scatter, ...] = ()

    def roots(self) -> list[Node]:
        """Give the nodes without labels that are asked for."""
        return [*self.numbers, *(node for _, node in self.entries)]


class Function:
    """Writes one function.

    Parameters
    ----------
    writer : Writer
        Where the lines go.
    layout : Layout
        The inputs.
    output : Output
        What it gives.
    directed : bool
        Whether it takes a direction v as well.
    """

    def __init__(self, writer: Writer, layout: Layout, output: Output, *, directed: bool = False) -> None:
        self.directed = directed
        self.writer = writer
        self.layout = layout
        self.output = output
        self.plan: Schedule = schedule(output.roots(), [("_out", s) for s in output.scatters])
        self.scalars = Expressions(writer, self._access)
        self.index = ""

    def _access(self, node: Leaf | Fold) -> str:
        return self.layout.access(node, self.index) if isinstance(node, Leaf) else f"_f{node.number}"

    def arguments(self) -> list[str]:
        """Give the names of the function's arguments."""
        points = self.layout.point() + (self.layout.point("v") if self.directed else [])
        vector = [] if self.layout.unrolled or not self._vector() else ["_out"]
        return [*points, *vector, *self.layout.data()]

    def _vector(self) -> bool:
        return bool(self.output.entries or self.output.scatters)

    def write(self, name: str) -> None:
        """Write the function under a name."""
        w = self.writer
        w.open(f"def {name}({', '.join(self.arguments())}):")
        if not self.layout.unrolled:
            self._load()
        for level, nodes in enumerate(self.plan.scalars):
            passes = self.plan.passes[level] if level < len(self.plan.passes) else []
            self.scalars.write(nodes, keep=[*(n for p in passes for n in p.inputs), *self._kept()])
            for piece in passes:
                self._pass(piece)
        self._give()
        w.close()
        w.line("")

    def _kept(self) -> list[Node]:
        """Later levels read what earlier ones computed: it needs a name."""
        return self.output.roots() if len(self.plan.scalars) > 1 else []

    def _load(self) -> None:
        """Read the parameters that stand alone, and clear the vector."""
        seen = set()
        for leaf in self.plan.leaves:
            letter = {"parameter": "x", "direction": "v"}.get(leaf.kind)
            if letter and not leaf.table and leaf not in seen:
                index = self.layout.params.index(leaf.name)
                self.writer.line(f"_{letter}{index} = _{letter}[{index}]")
                seen.add(leaf)
        if self._vector():
            self.writer.open(f"for _j in range({len(self.layout.params)}):")
            self.writer.line("_out[_j] = 0.0")
            self.writer.close()

    # ---- passes ----------------------------------------------------------------------------------------------------

    def _pass(self, piece: Pass) -> None:
        w = self.writer
        for fold in piece.folds:
            w.line(start(fold, "_f"))
        if piece.label == ROWS:
            w.open(f"for _a in range(0, _n, {BLOCK}):")
            for fold in piece.folds:
                w.line(start(fold, "_b"))
            w.open(f"for _i in range(_a, min(_a + {BLOCK}, _n)):")
            self.body(piece, "_i", "_b")
            w.close()
            for fold in piece.folds:
                join(w, fold)
            w.close()
        else:
            length = len(next(n.table for n in piece.nodes if isinstance(n, Leaf) and n.table))
            w.open(f"for _k in range({length}):")
            self.body(piece, "_k", "_f")
            w.close()
        for fold in piece.folds:
            if fold.function == "logsumexp":
                w.line(f"_f{fold.number} = _f{fold.number} + log(_g{fold.number})")

    def body(self, piece: Pass, index: str, prefix: str) -> None:
        """Write what is done at each place along the label."""
        w = self.writer
        self.index = index
        inner = Expressions(w, self._access, outer=self.scalars)
        inner.write(piece.nodes, keep=[s.node for _, s in piece.scatters])
        for fold in piece.folds:
            grow(w, fold, inner[fold.body], prefix)
        for vector, scatter in piece.scatters:
            w.line(f"{vector}[{self.layout.table(scatter.table)}[{index}]] += {inner[scatter.node]}")

    # ---- results ---------------------------------------------------------------------------------------------------

    def _give(self) -> None:
        numbers = [self.scalars[n] for n in self.output.numbers]
        if self.layout.unrolled:
            numbers += [self.scalars[node] for _, node in self.output.entries]
        else:
            for index, node in self.output.entries:
                self.writer.line(f"_out[{index}] += {self.scalars[node]}")
            numbers = numbers or ["0.0"]
        # A tuple, except where a single number is all there is.
        comma = "," if len(numbers) == 1 and self._vector() and self.layout.unrolled else ""
        self.writer.line(f"return ({', '.join(numbers)}{comma})")


# ---- accumulators -----------------------------------------------------------------------------------------------------


def start(fold: Fold, prefix: str) -> str:
    """Write the start of a fold; logsumexp holds the largest body so far, and the sum in units of its exponential."""
    number = fold.number
    if fold.function == "logsumexp":
        return f"{prefix}{number}, {_second(prefix)}{number} = -1e999, 0.0"
    return f"{prefix}{number} = " + {"sum": "0.0", "min": "1e999", "max": "-1e999"}[fold.function]


def _second(prefix: str) -> str:
    """Give the prefix of logsumexp's second accumulator."""
    return {"_f": "_g", "_b": "_c_"}[prefix]


def grow(w: Writer, fold: Fold, value: str, prefix: str) -> None:
    """Write one more place into a fold. A nan stays, whatever follows."""
    total = f"{prefix}{fold.number}"
    if fold.function == "sum":
        w.line(f"{total} += {value}")
        return
    w.line(f"_m = {value}")
    if fold.function == "logsumexp":
        _rescale(w, total, f"{_second(prefix)}{fold.number}", "_m", "1.0")
        return
    sign = "<" if fold.function == "min" else ">"
    w.line(f"{total} = _m if (_m {sign} {total} or _m != _m) else {total}")


def _rescale(w: Writer, largest: str, total: str, other: str, weight: str) -> None:
    """Write ``total*exp(largest) + weight*exp(other)`` in units of the larger exponential."""
    w.open(f"if {other} <= {largest}:")
    w.open(f"if {largest} > -1e999:")
    w.line(f"{total} += {weight}*exp({other} - {largest})")
    w.close(2)
    w.open("else:")
    w.line(f"{total} = {total}*exp({largest} - {other}) + {weight}")
    w.line(f"{largest} = {other}")
    w.close()


def join(w: Writer, fold: Fold) -> None:
    """Write a block's result into the total."""
    number = fold.number
    if fold.function == "sum":
        w.line(f"_f{number} += _b{number}")
    elif fold.function == "logsumexp":
        _rescale(w, f"_f{number}", f"_g{number}", f"_b{number}", f"_c_{number}")
    else:
        sign = "<" if fold.function == "min" else ">"
        w.line(f"_f{number} = _b{number} if (_b{number} {sign} _f{number} or _b{number} != _b{number}) else _f{number}")


def is_work(node: Node) -> bool:
    """Tell whether a node costs anything to compute."""
    return isinstance(node, Map | Fold) and node.constant is None
