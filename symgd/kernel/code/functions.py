"""One generated function: passes over blocks, the scalar code between them, and what it gives back."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from symgd.graph import ROWS, Fold, Leaf, Matrix, Node
from symgd.graph.calculus import Entry
from symgd.kernel.code import folds, matrices
from symgd.kernel.code.blocks import Block
from symgd.kernel.code.forms import Argument, At, Call, Code, Expression, Name, Number, of
from symgd.kernel.code.layout import Layout
from symgd.kernel.code.pieces import Piece, Total
from symgd.kernel.code.schedule import Pass, Schedule, schedule
from symgd.kernel.code.writer import Expressions, Writer
from symgd.records import dataclass

# What a piece for threads takes besides: where each share of the rows begins, from which to which, and room for sums.
SHARES = [
    Argument("_cuts", "int64"), Argument("_lo", "whole"), Argument("_hi", "whole"), Argument("_part", "float64"),
]  # fmt: skip


@dataclass(frozen=True)
class Output:
    """What a function gives: numbers to return, and the entries of a vector.

    In the unrolled layout the entries are returned behind the numbers. Otherwise they are added to ``_out``.
    """

    numbers: tuple[Node, ...]
    entries: tuple[Entry, ...] = ()
    vector: bool = False  # whether there is one, though all of it may be 0

    def singles(self) -> list[Entry]:
        """Give the entries that are single numbers."""
        return [e for e in self.entries if not e.leaf.labels and not e.node.labels]

    def spread(self) -> list[Entry]:
        """Give the entries at places along labels."""
        return [e for e in self.entries if e.leaf.labels or e.node.labels]

    def roots(self) -> list[Node]:
        """Give the nodes without labels that are asked for."""
        singles = self.singles()
        places = [i for e in singles for i in e.leaf.index if isinstance(i, Node)]
        return [*self.numbers, *(e.node for e in singles), *places]


def function_arguments(layout: Layout, *, directed: bool, vector: bool) -> list[Argument]:
    """Give the arguments of a function: the point, a direction, the vector that it fills, and the data."""
    points = layout.point() + (layout.point("v") if directed else [])
    filled = [] if layout.unrolled or not vector else [Argument("_out", "float64")]
    return [*points, *filled, *layout.data()]


class Function:
    """Plans one function, and writes it for each target.

    Parameters
    ----------
    name : str
        Its name.
    layout : Layout
        The inputs.
    output : Output
        What it gives.
    lengths : mapping of str to int
        Of the labels but the rows'.
    directed : bool
        Whether it takes a direction v as well.
    strict : bool
        Whether sums must come out the same to the last bit wherever they are computed.
    """

    def __init__(
        self, name: str, layout: Layout, output: Output, lengths: Mapping[str, int], *, directed: bool = False,
        strict: bool = False,
    ) -> None:  # fmt: skip
        self.directed = directed
        self.strict = strict
        self.name = name
        self.layout = layout
        self.output = output
        self.lengths = lengths
        self.plan: Schedule = schedule(output.roots(), output.spread(), lengths)
        self.passes = [piece for level in self.plan.passes for piece in level]
        self.memory: matrices.Memory = {}  # what passes leave to each other
        self.size = 0  # of that memory
        self.block_size = 0  # of the memory of one block
        self.blocks: dict[int, Block] = {}
        found = [node for group in self.plan.matrices for node in group]
        self.size = matrices.lay_out(found, self.memory, self.size, lengths)
        for number, piece in enumerate(self.passes):
            block = Block(
                layout, piece, lengths, self.memory, f"{name}_block{number}", directed=directed, strict=strict
            )  # fmt: skip
            self._leave(piece, block)
            self.blocks[id(piece)] = block
            self.block_size = max(self.block_size, block.plan.size)
        # In the pieces for threads, where the results of passes are found, and up to which level matrices are inverted.
        self.sums: dict[Fold, Expression] = {}
        self.inverted = 0

    def _access(self, node: Leaf | Fold | Matrix) -> Expression:
        if isinstance(node, Matrix):
            return At("_mem", matrices.offset(node, self.memory, self.lengths, Name, self._whole))
        if isinstance(node, Fold):
            return self.sums.get(node) or Name(f"_f{node.number}")
        if not node.index:
            return self.layout.number(node)
        # An element at a fixed place.
        return self.layout.element(node, self._offset(node))

    def _offset(self, leaf: Leaf) -> Expression:
        return self.layout.offset(leaf, Name, self._whole)

    def _whole(self, node: Node) -> Expression:
        return Call("int", self.scalars[node])

    def arguments(self) -> list[Argument]:
        """Give the function's arguments."""
        return function_arguments(self.layout, directed=self.directed, vector=self.output.vector)

    def result(self) -> list[str]:
        """Give the kinds of what the function gives back."""
        spread = len(self.layout.params) if self.layout.unrolled and self.output.vector else 0
        return ["number"] * max(1, len(self.output.numbers) + spread)

    def write(self, writer: Writer) -> None:
        """Write the function, after the functions for blocks that it calls."""
        self.writer = writer
        self.scalars = Expressions(writer, self._access)
        for block in self.blocks.values():
            block.write(writer)
        with writer.function(self.name, self.arguments(), self.result()):
            self._load()
            for level in range(len(self.plan.scalars)):
                self._write_scalars(level)
                for piece in self.plan.passes[level] if level < len(self.plan.passes) else []:
                    self._pass(piece)
            self._give()

    def _leave(self, piece: Pass, block: Block) -> None:
        """Find room for what a pass leaves to later ones."""
        for node in [*(f for f in piece.folds if f.labels), *piece.stores]:
            axes = block.planner.sorted(node.labels)
            self.memory[node] = (self.size, axes)
            self.size += math.prod(self.lengths[label] for label in axes)

    # ---- scalar code -----------------------------------------------------------------------------------------------

    def _write_scalars(self, level: int, *, shared: bool = False) -> None:
        """Write what is known from a level on; what lies in memory is there already where threads share it."""
        if not shared:
            matrices.write_calls(self.writer, self.plan.matrices[level], self.memory, self.lengths)
        passes = self.plan.passes[level] if level < len(self.plan.passes) else []
        # Later levels read what earlier ones computed: it needs a name.
        kept = self.output.roots() if len(self.plan.scalars) > 1 else []
        self.scalars.write(self.plan.scalars[level], keep=[*(n for p in passes for n in p.inputs), *kept])

    def _load(self, *, clear: bool = True) -> None:
        """Read the parameters that stand alone, and clear the vector."""
        if self.layout.unrolled:
            return
        for leaf in dict.fromkeys(n for n in self.plan.leaves if n.kind in ("parameter", "direction") and not n.index):
            vector = "_x" if leaf.kind == "parameter" else "_v"
            place = self.layout.point_shapes.starts[leaf.name]
            self.writer.assign(f"{vector}{place}", At(vector, place))
        if clear and self.output.vector:
            with self.writer.loop("_j", 0, self.layout.size):
                self.writer.assign(At("_out", "_j"), 0.0)

    def _give(self) -> None:
        numbers = [self.scalars[n] for n in self.output.numbers]
        if self.layout.unrolled:
            given = {e.leaf.name: e.node for e in self.output.entries}
            if self.output.vector:
                numbers += [self.scalars[given[n]] if n in given else Number(0.0) for n in self.layout.params]
        else:
            for entry in self.output.singles():
                leaf = entry.leaf
                place = self._offset(leaf) if leaf.index else self.layout.point_shapes.starts[leaf.name]
                self.writer.add(At("_out", place), self.scalars[entry.node])
        self.writer.give(*numbers)

    # ---- passes ----------------------------------------------------------------------------------------------------

    def _pass(self, piece: Pass) -> None:
        """Write a pass: block after block, each joined to what came before."""
        w = self.writer
        block = self.blocks[id(piece)]
        for fold in block.numbers():
            folds.start(w, fold, f"_f{fold.number}", f"_g{fold.number}")
        for fold in block.plan.totals:
            block.fill("_mem", self.memory[fold][0], self._size_of(fold), folds.STARTS[fold.function])
        length: Code = "_n" if piece.home == ROWS else self.lengths[piece.home]
        size = block.plan.block
        with w.loop("_a", 0, length, size):
            block.call([self.scalars[n] for n in block.inputs()], "_a", Call("min", of("_a") + size, length))
            for fold in block.numbers():
                folds.join(w, fold, f"_f{fold.number}", f"_b{fold.number}", f"_g{fold.number}", f"_c_{fold.number}")
            for fold, place in block.plan.totals.items():
                self._join(block, fold, "_mem", self.memory[fold][0], place)
        for fold in block.numbers():
            folds.finish(w, fold, f"_f{fold.number}", f"_g{fold.number}")

    def _size_of(self, fold: Fold) -> int:
        return math.prod(self.lengths[label] for label in fold.labels)

    def _join(self, block: Block, fold: Fold, array: str, start: Code, place: int) -> None:
        """Write the joining of a block's sums with labels."""
        with self.writer.loop("_z", 0, self._size_of(fold)):
            total = block.at(array, of(start) + "_z")
            folds.grow(self.writer, fold, total, block.at("_buf", of(place) + "_z"))

    # ---- the same in pieces, for threads ---------------------------------------------------------------------------

    def write_pieces(self) -> list[Piece]:
        """Write the function in pieces: one for each pass over the rows, and one for what stands between two of them.

        ``name_pass0(..., _sums, _cuts, _lo, _hi, _part)`` works on shares ``_lo`` to ``_hi`` of the rows, which begin
        at ``_cuts``, and adds each to its part of ``_part``; the parts are then joined, in order, into ``_sums`` and
        ``_mem``, from which the pieces that follow read.

        Returns
        -------
        list of dict
            The pieces in order: their names, and where what a pass sums up goes.
        """
        every = [fold for piece in self.passes for fold in piece.folds if not fold.labels]
        self.sums = {fold: At("_sums", index) for index, fold in enumerate(every)}
        pieces: list[Piece] = []
        waiting: list[Pass] = []
        for number, piece in enumerate(self.passes):
            if piece.home != ROWS:
                waiting.append(piece)
                continue
            if waiting or not pieces or any(self.plan.matrices[self.inverted : piece.level + 1]):
                step = f"{self.name}_step{number}"
                pieces.append(self._write_between(step, waiting, piece.level, first=not pieces))
                waiting = []
            pieces.append(self._write_rows(f"{self.name}_pass{number}", piece, every))
        top = len(self.plan.scalars) - 1
        last = self._write_between(f"{self.name}_end", waiting, top, first=not pieces, last=True)
        return [*pieces, {**last, "sums": len(every)}]

    @contextmanager
    def _part(self, name: str, extra: list[Argument], result: list[str], *, clear: bool) -> Iterator[None]:
        """Write a piece: what is written meanwhile is its body."""
        with self.writer.function(name, [*self.arguments(), Argument("_sums", "float64"), *extra], result):
            self.scalars = Expressions(self.writer, self._access)
            self._load(clear=clear)
            yield

    def _write_between(
        self, name: str, passes: list[Pass], level: int, *, first: bool, last: bool = False
    ) -> Piece:  # fmt: skip
        """Write passes that are not over the rows, and what is inverted up to a level."""
        with self._part(name, [], self.result() if last else ["number"], clear=first):
            done = 0
            for piece in passes:
                while done <= piece.level:
                    self._write_scalars(done, shared=done < self.inverted)
                    done += 1
                self._pass(piece)
                for fold in piece.folds:
                    if not fold.labels:
                        self.writer.assign(self.sums[fold], f"_f{fold.number}")
            while done <= level and (last or any(self.plan.matrices[done : level + 1])):
                self._write_scalars(done, shared=done < self.inverted)
                done += 1
            self.inverted = max(self.inverted, done)
            if last:
                self._give()
            else:
                self.writer.give()
        return {"name": name, "end": last}

    def _write_rows(self, name: str, piece: Pass, every: list[Fold]) -> Piece:
        w = self.writer
        block = self.blocks[id(piece)]
        size = block.plan.block
        width = sum(1 + (f.function in folds.DOUBLE) for f in block.numbers())
        width += sum(self._size_of(f) for f in block.plan.totals)
        totals: list[Total] = []
        with self._part(name, SHARES, ["number"], clear=False):
            for level in range(piece.level + 1):
                self._write_scalars(level, shared=True)
            end = At("_cuts", of("_s") + 1)
            with w.loop("_s", "_lo", "_hi"), w.loop("_a", At("_cuts", "_s"), end, size):
                block.call([self.scalars[n] for n in block.inputs()], "_a", Call("min", of("_a") + size, end))
                place = 0
                for fold in block.numbers():
                    double = fold.function in folds.DOUBLE
                    part, second = (block.at("_part", of("_s") * width + (place + i)) for i in range(2))
                    folds.join(w, fold, part, f"_b{fold.number}", second, f"_c_{fold.number}")
                    totals.append({"function": fold.function, "sum": every.index(fold), "size": 1 + double})
                    place += 1 + double
                for fold, start in block.plan.totals.items():
                    self._join(block, fold, "_part", of("_s") * width + place, start)
                    length = self._size_of(fold)
                    totals.append({"function": fold.function, "memory": self.memory[fold][0], "size": length})
                    place += length
            w.give()
        return {"name": name, "block": size, "totals": totals, "entries": bool(piece.entries)}
