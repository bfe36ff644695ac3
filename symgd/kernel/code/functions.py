"""One generated function: passes over blocks, the scalar code between them, and what it gives back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symgd.graph import ROWS, Fold, Leaf, Matrix, Node
from symgd.graph.calculus import Entry
from symgd.kernel.code import folds, matrices
from symgd.kernel.code.blocks import Block
from symgd.kernel.code.layout import Layout
from symgd.kernel.code.schedule import Pass, Schedule, schedule
from symgd.kernel.code.writer import Expressions, Writer


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
    lengths : mapping of str to int
        Of the labels but the rows'.
    directed : bool
        Whether it takes a direction v as well.
    strict : bool
        Whether sums must come out the same to the last bit wherever they are computed.
    """

    def __init__(
        self, writer: Writer, layout: Layout, output: Output, lengths: Mapping[str, int], *, directed: bool = False,
        strict: bool = False,
    ) -> None:  # fmt: skip
        self.directed = directed
        self.strict = strict
        self.writer = writer
        self.layout = layout
        self.output = output
        self.lengths = lengths
        self.plan: Schedule = schedule(output.roots(), output.spread(), lengths)
        self.passes = [piece for level in self.plan.passes for piece in level]
        self.memory: matrices.Memory = {}  # what passes leave to each other
        self.size = 0  # of that memory
        self.block_size = 0  # of the memory of one block
        self.blocks: dict[int, Block] = {}
        self.scalars = Expressions(writer, self._access)
        self.name = ""
        # In the pieces for threads, where the results of passes are found, and up to which level matrices are inverted.
        self.sums: dict[Fold, str] = {}
        self.inverted = 0

    def _access(self, node: Leaf | Fold | Matrix) -> str:
        if isinstance(node, Matrix):
            return f"_mem[{matrices.offset(node, self.memory, self.lengths, str, self._whole)}]"
        if isinstance(node, Fold):
            return self.sums.get(node) or f"_f{node.number}"
        if not node.index:
            return self.layout.number(node)
        # An element at a fixed place.
        return self.layout.element(node, self._offset(node))

    def _offset(self, leaf: Leaf) -> str:
        return self.layout.offset(leaf, str, self._whole)

    def _whole(self, node: Node) -> str:
        return f"int({self.scalars[node]})"

    def arguments(self) -> list[str]:
        """Give the names of the function's arguments."""
        points = self.layout.point() + (self.layout.point("v") if self.directed else [])
        vector = [] if self.layout.unrolled or not self.output.vector else ["_out"]
        return [*points, *vector, *self.layout.data()]

    def write(self, name: str) -> None:
        """Write the function under a name, after the functions for blocks that it calls."""
        w = self.writer
        self.name = name
        found = [node for level in self.plan.matrices for node in level]
        self.size = matrices.lay_out(found, self.memory, self.size, self.lengths)
        for number, piece in enumerate(self.passes):
            block = Block(
                w, self.layout, piece, self.lengths, self.memory, f"{name}_block{number}", directed=self.directed,
                strict=self.strict,
            )  # fmt: skip
            self._leave(piece, block)
            self.blocks[id(piece)] = block
            self.block_size = max(self.block_size, block.plan.size)
            block.write()
        w.open(f"def {name}({', '.join(self.arguments())}):")
        self._load()
        for level in range(len(self.plan.scalars)):
            self._write_scalars(level)
            for piece in self.plan.passes[level] if level < len(self.plan.passes) else []:
                self._pass(piece)
        self._give()
        w.close()
        w.line("")

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
            letter = "x" if leaf.kind == "parameter" else "v"
            self.writer.line(f"_{letter}{self.layout.index[leaf.name]} = _{letter}[{self.layout.index[leaf.name]}]")
        if clear and self.output.vector:
            self.writer.open(f"for _j in range({self.layout.size}):")
            self.writer.line("_out[_j] = 0.0")
            self.writer.close()

    def _give(self) -> None:
        numbers = [self.scalars[n] for n in self.output.numbers]
        if self.layout.unrolled:
            given = {e.leaf.name: e.node for e in self.output.entries}
            if self.output.vector:
                numbers += [self.scalars[given[n]] if n in given else "0.0" for n in self.layout.params]
        else:
            for entry in self.output.singles():
                place = self._offset(entry.leaf) if entry.leaf.index else self.layout.index[entry.leaf.name]
                self.writer.line(f"_out[{place}] += {self.scalars[entry.node]}")
            numbers = numbers or ["0.0"]
        # A tuple, except where a single number is all there is.
        comma = "," if len(numbers) == 1 and self.output.vector and self.layout.unrolled else ""
        self.writer.line(f"return ({', '.join(numbers)}{comma})")

    # ---- passes ----------------------------------------------------------------------------------------------------

    def _length(self, piece: Pass) -> str:
        return "_n" if piece.home == ROWS else str(self.lengths[piece.home])

    def _pass(self, piece: Pass) -> None:
        """Write a pass: block after block, each joined to what came before."""
        w = self.writer
        block = self.blocks[id(piece)]
        for fold in block.numbers():
            folds.start(w, fold, f"_f{fold.number}", f"_g{fold.number}")
        for fold in block.plan.totals:
            block.fill("_mem", str(self.memory[fold][0]), self._size_of(fold), folds.STARTS[fold.function])
        length = self._length(piece)
        size = block.plan.block
        w.open(f"for _a in range(0, {length}, {size}):")
        w.line(block.call([self.scalars[n] for n in block.inputs()], "_a", f"min(_a + {size}, {length})"))
        for fold in block.numbers():
            folds.join(w, fold, f"_f{fold.number}", f"_b{fold.number}", f"_g{fold.number}", f"_c_{fold.number}")
        for fold, place in block.plan.totals.items():
            self._join(block, fold, "_mem", self.memory[fold][0], place)
        w.close()
        for fold in block.numbers():
            folds.finish(w, fold, f"_f{fold.number}", f"_g{fold.number}")

    def _size_of(self, fold: Fold) -> str:
        return str(math.prod(self.lengths[label] for label in fold.labels))

    def _join(self, block: Block, fold: Fold, array: str, start: int | str, place: int) -> None:
        """Write the joining of a block's sums with labels."""
        w = self.writer
        w.open(f"for _z in range({self._size_of(fold)}):")
        total = f"{array}[{block.at(f'{start} + _z')}]"
        folds.grow(w, fold, total, f"_buf[{block.at(f'{place} + _z')}]")
        w.close()

    # ---- the same in pieces, for threads ---------------------------------------------------------------------------

    def write_pieces(self) -> list[dict[str, Any]]:
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
        self.sums = {fold: f"_sums[{index}]" for index, fold in enumerate(every)}
        pieces: list[dict[str, Any]] = []
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

    def _begin(self, name: str, extra: list[str], *, clear: bool) -> None:
        self.writer.open(f"def {name}({', '.join([*self.arguments(), *extra])}):")
        self.scalars = Expressions(self.writer, self._access)
        self._load(clear=clear)

    def _write_between(
        self, name: str, passes: list[Pass], level: int, *, first: bool, last: bool = False
    ) -> dict[str, Any]:  # fmt: skip
        """Write passes that are not over the rows, and what is inverted up to a level."""
        self._begin(name, ["_sums"], clear=first)
        done = 0
        for piece in passes:
            while done <= piece.level:
                self._write_scalars(done, shared=done < self.inverted)
                done += 1
            self._pass(piece)
            for fold in piece.folds:
                if not fold.labels:
                    self.writer.line(f"{self.sums[fold]} = _f{fold.number}")
        while done <= level and (last or any(self.plan.matrices[done : level + 1])):
            self._write_scalars(done, shared=done < self.inverted)
            done += 1
        self.inverted = max(self.inverted, done)
        if last:
            self._give()
        else:
            self.writer.line("return 0.0")
        self.writer.close()
        self.writer.line("")
        return {"name": name, "end": last}

    def _write_rows(self, name: str, piece: Pass, every: list[Fold]) -> dict[str, Any]:
        w = self.writer
        block = self.blocks[id(piece)]
        self._begin(name, ["_sums", "_cuts", "_lo", "_hi", "_part"], clear=False)
        for level in range(piece.level + 1):
            self._write_scalars(level, shared=True)
        size = block.plan.block
        width = sum(1 + (f.function == "logsumexp") for f in block.numbers())
        width += sum(int(self._size_of(f)) for f in block.plan.totals)
        w.open("for _s in range(_lo, _hi):")
        w.open(f"for _a in range(_cuts[_s], _cuts[_s + 1], {size}):")
        w.line(block.call([self.scalars[n] for n in block.inputs()], "_a", f"min(_a + {size}, _cuts[_s + 1])"))
        place = 0
        totals: list[dict[str, Any]] = []
        for fold in block.numbers():
            double = fold.function == "logsumexp"
            part = f"_part[{block.at(f'_s*{width} + {place}')}]"
            second = f"_part[{block.at(f'_s*{width} + {place + 1}')}]" if double else ""
            folds.join(w, fold, part, f"_b{fold.number}", second, f"_c_{fold.number}")
            totals.append({"function": fold.function, "sum": every.index(fold), "size": 1 + double})
            place += 1 + double
        for fold, start in block.plan.totals.items():
            self._join(block, fold, "_part", f"_s*{width} + {place}", start)
            length = int(self._size_of(fold))
            totals.append({"function": fold.function, "memory": self.memory[fold][0], "size": length})
            place += length
        w.close(2)
        w.line("return 0.0")
        w.close()
        w.line("")
        return {"name": name, "block": size, "totals": totals, "entries": bool(piece.entries)}
