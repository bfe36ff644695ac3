"""One generated function: passes over rows and terms, the scalar code between them, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
        self.name = ""

        # In the pieces for threads, where the results of passes over the rows are found.
        self.sums: dict[Fold, str] = {}

    def _access(self, node: Leaf | Fold) -> str:
        if isinstance(node, Leaf):
            return self.layout.access(node, self.index)
        return self.sums.get(node) or f"_f{node.number}"

    def arguments(self) -> list[str]:
        """Give the names of the function's arguments."""
        points = self.layout.point() + (self.layout.point("v") if self.directed else [])
        vector = [] if self.layout.unrolled or not self._vector() else ["_out"]
        return [*points, *vector, *self.layout.data()]

    def _vector(self) -> bool:
        return bool(self.output.entries or self.output.scatters)

    def write(self, name: str) -> None:
        """Write the function under a name, after the functions for blocks of rows that it calls."""
        w = self.writer
        self.name = name
        for together in self.plan.passes:
            for piece in together:
                if piece.label == ROWS:
                    self._write_block(piece)
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

    # ---- blocks of rows --------------------------------------------------------------------------------------------

    def _write_block(self, piece: Pass) -> None:
        """Write the function that sums up the rows ``_lo`` to ``_hi``.

        Compiled, the sums may be reordered, so that they run in vector registers; what is summed may not, since
        ``(a + b) - a`` is not b where a is infinite. So it is a function of its own, with flags of its own.
        """
        w = self.writer
        inputs = [f"_i{n.number}" for n in piece.inputs]
        leaves = [n for n in piece.nodes if isinstance(n, Leaf)]
        values = [f"_e{n.number}" for n in leaves]
        if w.target == "numba":
            w.open(f"def {self.name}_each{piece.level}({', '.join([*inputs, *values])}):")
            results = self._row(piece, dict(zip(leaves, values, strict=True)))
            w.line(f"return ({', '.join(results)},)")
            w.close()
        columns = [a for a in self.layout.data() if a.startswith("_d")]
        w.open(f"def {self.name}_block{piece.level}({', '.join([*inputs, '_lo', '_hi', *columns])}):")
        for fold in piece.folds:
            w.line(start(fold, "_b"))
        w.open("for _i in range(_lo, _hi):")
        rows = {leaf: self.layout.access(leaf, "_i") for leaf in leaves}
        if w.target == "numba":
            results = [f"_r{index}" for index in range(len(piece.folds))]
            call = f"{self.name}_each{piece.level}({', '.join([*inputs, *rows.values()])})"
            w.line(f"{''.join(r + ', ' for r in results)}= {call}")
        else:
            results = self._row(piece, rows)
        for fold, result in zip(piece.folds, results, strict=True):
            grow(w, fold, result, "_b")
        w.close()
        w.line(f"return ({', '.join(accumulators(piece, '_b'))},)")
        w.close()

    def _row(self, piece: Pass, leaves: dict[Leaf, str]) -> list[str]:
        """Write what is computed in one row; give the code of what is summed."""
        inner = Expressions(self.writer, lambda node: leaves[node] if isinstance(node, Leaf) else _unknown(node))
        inner.code.update({node: f"_i{node.number}" for node in piece.inputs})
        inner.write(piece.nodes)
        return [inner[fold.body] for fold in piece.folds]

    def _block_call(self, piece: Pass, low: str, high: str) -> str:
        """Write the call that sums a block of rows up."""
        inputs = [self.scalars[n] for n in piece.inputs]
        columns = [a for a in self.layout.data() if a.startswith("_d")]
        results = "".join(name + ", " for name in accumulators(piece, "_b"))
        return f"{results}= {self.name}_block{piece.level}({', '.join([*inputs, low, high, *columns])})"

    # ---- the same in pieces, for threads ---------------------------------------------------------------------------

    def row_folds(self) -> list[list[str]]:
        """Give the functions of the folds over the rows, pass by pass."""
        return [[f.function for p in level if p.label == ROWS for f in p.folds] for level in self.plan.passes]

    def write_pieces(self, name: str) -> None:
        """Write one function for each pass over the rows, and one for what follows them.

        ``name_pass0(..., _sums, _lo, _hi, _part)`` works on blocks ``_lo`` to ``_hi`` and writes one row of ``_part``
        a block; the rows are then joined, in order, into ``_sums``, from which the next piece reads.
        """
        folds = [f for level in self.plan.passes for p in level if p.label == ROWS for f in p.folds]
        self.sums = {fold: f"_sums[{index}]" for index, fold in enumerate(folds)}
        for level in range(len(self.plan.passes)):
            self._write_piece(f"{name}_pass{level}", level)
        self._write_piece(f"{name}_end", None)

    def _write_piece(self, name: str, last: int | None) -> None:
        w = self.writer
        extra = ["_sums"] if last is None else ["_sums", "_lo", "_hi", "_part"]
        arguments = [a for a in self.arguments() if last is None or a != "_out"]
        w.open(f"def {name}({', '.join([*arguments, *extra])}):")
        self.scalars = Expressions(w, self._access)
        if not self.layout.unrolled:
            self._load(clear=last is None)
        for level, nodes in enumerate(self.plan.scalars[: None if last is None else last + 1]):
            passes = self.plan.passes[level] if level < len(self.plan.passes) else []
            self.scalars.write(nodes, keep=[*(n for p in passes for n in p.inputs), *self._kept()])
            for piece in passes:
                if piece.label == ROWS and level == last:
                    self._blocks(piece)
                elif piece.label != ROWS and (last is None or level < last):
                    self._pass(piece if last is None else replace(piece, scatters=[]))
        if last is None:
            self._give()
        else:
            w.line("return 0.0")
        w.close()
        w.line("")

    def _blocks(self, piece: Pass) -> None:
        w = self.writer
        w.open("for _q in range(_lo, _hi):")
        w.line(self._block_call(piece, f"_q*{BLOCK}", f"min((_q + 1)*{BLOCK}, _n)"))
        for column, name in enumerate(accumulators(piece, "_b")):
            w.line(f"_part[_q, {column}] = {name}")
        w.close()

    # ---- passes and results ----------------------------------------------------------------------------------------

    def _kept(self) -> list[Node]:
        """Later levels read what earlier ones computed: it needs a name."""
        return self.output.roots() if len(self.plan.scalars) > 1 else []

    def _load(self, *, clear: bool = True) -> None:
        """Read the parameters that stand alone, and clear the vector."""
        seen = set()
        for leaf in self.plan.leaves:
            letter = {"parameter": "x", "direction": "v"}.get(leaf.kind)
            if letter and not leaf.table and leaf not in seen:
                index = self.layout.index[leaf.name]
                self.writer.line(f"_{letter}{index} = _{letter}[{index}]")
                seen.add(leaf)
        if clear and self._vector():
            self.writer.open(f"for _j in range({len(self.layout.params)}):")
            self.writer.line("_out[_j] = 0.0")
            self.writer.close()

    def _pass(self, piece: Pass) -> None:
        w = self.writer
        for fold in piece.folds:
            w.line(start(fold, "_f"))
        if piece.label == ROWS:
            w.open(f"for _a in range(0, _n, {BLOCK}):")
            w.line(self._block_call(piece, "_a", f"min(_a + {BLOCK}, _n)"))
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


# ---- accumulators --------------------------------------------------------------------------------------------------


def start(fold: Fold, prefix: str) -> str:
    """Write the start of a fold; logsumexp holds the largest body so far, and the sum in units of its exponential."""
    number = fold.number
    if fold.function == "logsumexp":
        return f"{prefix}{number}, {_second(prefix)}{number} = -1e999, 0.0"
    return f"{prefix}{number} = " + {"sum": "0.0", "min": "1e999", "max": "-1e999"}[fold.function]


def accumulators(piece: Pass, prefix: str) -> list[str]:
    """Give the variables that hold the folds of a pass."""
    names = []
    for fold in piece.folds:
        names.append(f"{prefix}{fold.number}")
        if fold.function == "logsumexp":
            names.append(f"{_second(prefix)}{fold.number}")
    return names


def _unknown(node: Node) -> str:
    message = f"node {node.number} is no input of this row"
    raise AssertionError(message)


def _second(prefix: str) -> str:
    """Give the prefix of logsumexp's second accumulator."""
    return {"_f": "_g", "_b": "_c_"}[prefix]


def grow(w: Writer, fold: Fold, value: str, prefix: str) -> None:
    """Write one more place into a fold. A nan stays, whatever follows."""
    total = f"{prefix}{fold.number}"
    if fold.function == "sum":
        w.line(f"{total} += {value}")
        return
    w.line(f"_value = {value}")
    if fold.function == "logsumexp":
        _rescale(w, total, f"{_second(prefix)}{fold.number}", "_value", "1.0")
        return
    sign = "<" if fold.function == "min" else ">"
    w.line(f"{total} = _value if (_value {sign} {total} or _value != _value) else {total}")


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
