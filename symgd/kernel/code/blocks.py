"""The code of one pass: a function that works on the places ``_lo`` to ``_hi`` of its home.

Compiled, sums may be reordered, so that they run in vector registers; what is summed may not, since ``(a + b) - a`` is
not b where a is infinite. So what is computed at one place is a function of its own, with flags of its own, which the
compiler writes into the loops. Where sums run along an inner axis, four places of the home are worked on together: what
they share is read once, and no sum waits for the one before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from symgd.graph import Const, Fold, Leaf, Map, Matrix, Node
from symgd.kernel.code import folds, matrices
from symgd.kernel.code.forms import BLOCK, PLACE, Argument, At, Call, Code, Expression, Name, Number, of, total
from symgd.kernel.code.layout import Layout, scaled
from symgd.kernel.code.nests import Gemm, Nest, Plan, Planner
from symgd.kernel.code.schedule import Pass, parts
from symgd.kernel.code.writer import Expressions, Writer
from symgd.records import dataclass

LANES = 4  # places of the home that are worked on together
SHORTEST, LONGEST = 8, 50  # rows that the compiler had better not know the length of
HEIGHT = Name("_hi") - "_lo"  # the places of a block
SMALL = 8  # nodes up to which the work at one place is so little that this pays


@dataclass
class _Work:
    """What a nest reads, what it computes, and what comes of it."""

    numbers: list[Node] = field(default_factory=list)
    read: list[Node] = field(default_factory=list)  # from memory
    computed: list[Node] = field(default_factory=list)
    results: list[Node] = field(default_factory=list)


class Block:
    """Plans the function of one pass, and writes it for each target.

    Parameters
    ----------
    layout : Layout
        The inputs.
    piece : Pass
        The pass.
    lengths : mapping of str to int
        Of the labels but the rows'.
    memory : dict
        Where passes leave nodes to each other: the place in ``_mem``, and the labels in order.
    name : str
        Of the function.
    directed : bool
        Whether a direction v is read.
    strict : bool
        Whether sums must come out the same to the last bit wherever they are computed.
    """

    def __init__(
        self, layout: Layout, piece: Pass, lengths: Mapping[str, int], memory: matrices.Memory, name: str, *,
        directed: bool,
        strict: bool,
    ) -> None:  # fmt: skip
        self.layout = layout
        self.piece = piece
        self.lengths = lengths
        self.memory = memory
        self.name = name
        self.directed = directed
        self.planner = Planner(piece, lengths, layout.is_float, strict=strict)
        self.plan: Plan = self.planner.plan()
        self.works = {id(step): self._work(step) for step in self.plan.steps if isinstance(step, Nest)}
        self.lane = 0

    # ---- the function ----------------------------------------------------------------------------------------------

    def inputs(self) -> list[Node]:
        """Give the numbers that are handed over."""
        return [n for n in self.piece.inputs if n.constant is None]

    def arguments(self) -> list[Argument]:
        """Give what the function takes behind the numbers that are handed over: the places, and arrays."""
        layout = self.layout
        vectors = [] if layout.unrolled else layout.point() + (layout.point("v") if self.directed else [])
        out = [Argument("_out", "float64")] if self.piece.entries else []
        bounds = [Argument("_lo", "whole"), Argument("_hi", "whole")]
        return [*bounds, *vectors, *out, *layout.arrays(), *layout.memory()]

    def totals(self) -> list[str]:
        """Give the variables of the sums that are numbers, which the function returns."""
        names = []
        for fold in self.numbers():
            names += [f"_b{fold.number}", *([f"_c_{fold.number}"] if fold.function in folds.DOUBLE else [])]
        return names

    def numbers(self) -> list[Fold]:
        """Give the folds of the pass that are numbers."""
        return [f for f in self.piece.folds if not f.labels]

    def call(self, numbers: list[Expression], low: Code, high: Code) -> None:
        """Write the call for a block of places."""
        call = Call(self.name, *numbers, low, high, *self.arguments()[2:])
        self.w.assign_all(self.totals() or ["_none"], call)

    def write(self, w: Writer) -> None:
        """Write the function, after those for single places that it calls."""
        self.w = w
        if w.apart:
            for number, step in enumerate(self.plan.steps):
                if isinstance(step, Nest):
                    self._write_place(f"{self.name}_each{number}", self.works[id(step)])
        given = [Argument(f"_i{n.number}", "number") for n in self.inputs()]
        totals = self.totals()
        result = ["number"] * max(1, len(totals))
        with w.function(self.name, [*given, *self.arguments()], result, BLOCK):
            for fold in self.numbers():
                folds.start(w, fold, f"_b{fold.number}", f"_c_{fold.number}")
            for fold, place in self.plan.totals.items():
                if fold not in self.planner.products:
                    self.fill("_buf", place, self.planner.width(fold.labels), folds.STARTS[fold.function])
            for number, step in enumerate(self.plan.steps):
                if isinstance(step, Gemm):
                    self._gemm(step)
                else:
                    self._nest(step, self.works[id(step)], f"{self.name}_each{number}")
            w.give(*totals)

    def fill(self, array: str, place: Code, length: Code, value: float) -> None:
        """Write the filling of a stretch of an array."""
        with self.w.loop("_z", 0, length):
            self.w.assign(self.at(array, of(place) + "_z"), value)

    def at(self, array: str, place: Code) -> Expression:
        """Write an element of an array whose place is never negative."""
        return At(array, place, unsigned=True)

    # ---- what happens at one place ---------------------------------------------------------------------------------

    def _work(self, nest: Nest) -> _Work:
        work = _Work()
        own = set(nest.kept)
        work.results = [*(f.body for f in nest.folds), *nest.kept, *nest.stores, *(e.node for e in nest.entries)]
        stack, seen = list(work.results), set()
        while stack:
            node = stack.pop()
            if node in seen or node.constant is not None:
                continue
            seen.add(node)
            if not node.labels:
                work.numbers.append(node)
            elif self.planner.is_input(node) or (node in self.plan.buffers and node not in own):
                work.read.append(node)
            else:
                work.computed.append(node)
                stack.extend(parts(node))
        for nodes in (work.numbers, work.read, work.computed):
            nodes.sort(key=lambda n: n.number)
        return work

    def _write_place(self, name: str, work: _Work) -> None:
        given = [*(f"_i{n.number}" for n in work.numbers), *(f"_e{n.number}" for n in work.read)]
        arguments = [Argument(name, "number") for name in given]
        with self.w.function(name, arguments, ["number"] * len(work.results), PLACE):
            inner = self._expressions(work, {n: Name(f"_e{n.number}") for n in work.read})
            self.w.give(*(inner[n] for n in work.results))

    def _expressions(self, work: _Work, read: Mapping[Node, Expression]) -> Expressions:
        inner = Expressions(self.w, _unknown)
        inner.code.update({n: Name(f"_i{n.number}") for n in work.numbers})
        inner.code.update(read)
        inner.write(work.computed)
        return inner

    # ---- loops -----------------------------------------------------------------------------------------------------

    def _nest(self, nest: Nest, work: _Work, place: str) -> None:
        w = self.w
        for fold in nest.folds:
            if fold in self.plan.buffers and fold.label != nest.labels[-1]:
                length = HEIGHT * self.planner.width(fold.labels)
                self.fill("_buf", self.plan.buffers[fold], length, folds.STARTS[fold.function])
        lanes = self._lanes(nest, work)
        if lanes == 1:
            self._loops(nest, work, place, "_lo", 1)
        else:
            w.assign("_mid", of("_lo") + HEIGHT // lanes * lanes)
            self._loops(nest, work, place, "_lo", lanes)
            self._loops(nest, work, place, "_mid", 1)

    def _lanes(self, nest: Nest, work: _Work) -> int:
        few = len(nest.labels) == 2 and len(work.computed) <= SMALL and not nest.stores
        sums = all(f.function == "sum" for f in nest.folds) and nest.folds
        simple = all(isinstance(n, Map) and n.function in ("add", "multiply", "power") for n in work.computed)
        return LANES if self.w.apart and few and sums and simple and not nest.entries else 1

    def _loops(self, nest: Nest, work: _Work, place: str, begin: str, lanes: int, level: int = 0,
               code: dict[tuple[Node, int], Expression] | None = None) -> None:  # fmt: skip
        """Write the loops of a nest from a level on, with what is read on the way to the inmost one."""
        found = {} if code is None else code
        inmost = level == len(nest.labels) - 1
        label = nest.labels[level]
        if inmost:
            self._registers(nest, lanes, start=True)
        bounds = (begin, "_mid" if lanes > 1 else "_hi", lanes) if level == 0 else (0, self._bound(nest, work, label))
        with self.w.loop(self._variable(label), *bounds):
            self._read(nest, work, level, lanes, found)
            if inmost:
                self._finish(nest, [self._compute(work, place, found, lane) for lane in range(lanes)])
            else:
                self._loops(nest, work, place, begin, lanes, level + 1, found)
        if inmost and level:
            self._registers(nest, lanes, start=False)

    def _bound(self, nest: Nest, work: _Work, label: str) -> Expression:
        """Write the number of places along an inner label; where short rows are gathered, so that it is not known."""
        length = self.lengths[label]
        leaves = [*(n for n in work.read if isinstance(n, Leaf)), *(e.leaf for e in nest.entries)]
        gathered = any(isinstance(i, Node) for leaf in leaves for i in leaf.index)
        short = SHORTEST <= length < LONGEST and label == nest.labels[-1]
        return Call("hide", length) if gathered and short else Number(length)

    def _variable(self, label: str) -> str:
        return "_i" if label == self.piece.home else f"_j{self.plan.order.index(label)}"

    def _place(self, label: str) -> Expression:
        """Write the place along a label, of the lane that is being written."""
        variable = Name(self._variable(label))
        return variable + self.lane if label == self.piece.home and self.lane else variable

    def _read(
        self, nest: Nest, work: _Work, level: int, lanes: int, code: dict[tuple[Node, int], Expression]
    ) -> None:  # fmt: skip
        """Write the reading of all that varies along the labels down to a level, but no further."""
        above = set(nest.labels[: level + 1])
        inmost = level == len(nest.labels) - 1
        for node in work.read:
            if (node, 0) in code or not node.labels <= above:
                continue
            for lane in range(lanes):
                if lane and self.piece.home not in node.labels:
                    code[node, lane] = code[node, 0]
                    continue
                self.lane = lane
                element = self._element(node)
                if inmost and lanes == 1:
                    code[node, lane] = element
                else:
                    code[node, lane] = Name(f"_v{node.number}_{lane}")
                    self.w.assign(code[node, lane], element)
        self.lane = 0

    def _element(self, node: Node) -> Expression:
        """Write the reading of a node from memory."""
        if isinstance(node, Matrix):
            return self.at("_mem", matrices.offset(node, self.memory, self.lengths, self._place, self._whole))
        if node in self.plan.buffers and not isinstance(node, Leaf):
            return self.at("_buf", self._in_buffer(node))
        if isinstance(node, Leaf):
            if node.kind == "places":
                return Call("float", self._offset(node))
            return self.layout.element(node, self._offset(node), unsigned=True)
        place, axes = self.memory[node]
        return self.at("_mem", self._flat(axes, place))

    def _offset(self, leaf: Leaf) -> Expression:
        return self.layout.offset(leaf, self._place, self._whole)

    def _whole(self, node: Node) -> Expression:
        """Write the value of a node as a whole number, to be an index."""
        if not node.labels:
            return Call("int", f"_i{node.number}")
        if isinstance(node, Leaf) and node.kind == "data" and node.index:
            return Call("int", self.at(self.layout.source(node), self._offset(node)))
        inner = Expressions(self.w, self._element)
        found, stack = set(), [node]
        while stack:
            part = stack.pop()
            if part in found or isinstance(part, Const):
                continue
            if part.labels:
                found.add(part)
                stack.extend(parts(part))
            else:
                inner.code[part] = Name(f"_i{part.number}")
        inner.write(sorted(found, key=lambda n: n.number))
        return Call("int", inner[node])

    def _in_buffer(self, node: Node) -> Expression:
        axes = self.planner.sorted(node.labels)
        return self._flat(axes, self.plan.buffers[node], block=True)

    def _flat(self, axes: tuple[str, ...], place: int, *, block: bool = False) -> Expression:
        """Write the place of an element in row-major order; in a block, the home counts from its first place."""
        terms: list[Code] = []
        stride = 1
        for label in reversed(axes):
            code = self._place(label)
            if block and label == self.piece.home:
                code -= "_lo"
            terms.append(scaled(stride, code))
            stride *= self.lengths.get(label, 1)
        return total([*reversed(terms), place])

    def _compute(
        self, work: _Work, place: str, code: Mapping[tuple[Node, int], Expression], lane: int
    ) -> list[Expression]:  # fmt: skip
        """Write what is computed at one place; give the code of the results."""
        read = {n: code[n, lane] for n in work.read}
        if not self.w.apart:
            inner = self._expressions(work, read)
            return [inner[n] for n in work.results]
        names: list[Expression] = [Name(f"_r{index}_{lane}") for index in range(len(work.results))]
        self.w.assign_all(names, Call(place, *(f"_i{n.number}" for n in work.numbers), *read.values()))
        return names

    # ---- what becomes of it ----------------------------------------------------------------------------------------

    def _in_registers(self, nest: Nest, fold: Fold) -> bool:
        return fold in self.plan.buffers and fold.label == nest.labels[-1]

    def _registers(self, nest: Nest, lanes: int, *, start: bool) -> None:
        """Write the start and the end of sums along the inmost label."""
        for fold in nest.folds:
            if not self._in_registers(nest, fold):
                continue
            for lane in range(lanes):
                name = f"_s{fold.number}_{lane}"
                if start:
                    folds.start(self.w, fold, name)
                else:
                    self.lane = lane
                    self.w.assign(self.at("_buf", self._in_buffer(fold)), name)
        self.lane = 0

    def _finish(self, nest: Nest, results: list[list[Expression]]) -> None:
        """Write where the results go."""
        w = self.w
        for index, fold in enumerate(nest.folds):
            values = [lane[index] for lane in results]
            if self._in_registers(nest, fold):
                for lane, value in enumerate(values):
                    folds.grow(w, fold, f"_s{fold.number}_{lane}", value)
            elif fold in self.plan.buffers:
                folds.grow(w, fold, self.at("_buf", self._in_buffer(fold)), values[0])
            elif fold.labels:
                axes = self.planner.sorted(fold.labels)
                folds.grow(w, fold, self.at("_buf", self._flat(axes, self.plan.totals[fold])), total(values))
            else:
                folds.grow(w, fold, f"_b{fold.number}", total(values), f"_c_{fold.number}")
        first = len(nest.folds)
        for lane, found in enumerate(results):
            self.lane = lane
            rest = iter(found[first:])
            for node in nest.kept:
                w.assign(self.at("_buf", self._in_buffer(node)), next(rest))
            for node in nest.stores:
                place, axes = self.memory[node]
                w.assign(self.at("_mem", self._flat(axes, place)), next(rest))
            for entry in nest.entries:
                w.add(self.at("_out", self._offset(entry.leaf)), next(rest))
        self.lane = 0

    # ---- products of matrices --------------------------------------------------------------------------------------

    def _gemm(self, product: Gemm) -> None:
        fold = product.fold
        inner = fold.label
        sides = [*self._factor(product.a, inner, left=True), *self._factor(product.b, inner, left=False)]
        rows, columns = (self._extent(side.labels - {inner}) for side in (product.a, product.b))
        place = self.plan.totals[fold] if fold in self.plan.totals else self.plan.buffers[fold]
        sizes = (rows, columns, self._extent(frozenset([inner])))
        self.w.call("gemm", *sides, "_buf", place, columns, *sizes, 0.0)

    def _extent(self, labels: frozenset[str]) -> Expression:
        width = self.planner.width(labels)
        if self.piece.home not in labels:
            return Number(width)
        return HEIGHT if width == 1 else HEIGHT * width

    def _factor(self, node: Node, inner: str, *, left: bool) -> list[Code]:
        """Write one factor: its array, where it starts, how far apart its rows are, and whether it is transposed."""
        axes = self.planner.axes(node)
        outer = node.labels - {inner}
        stride = self.planner.width(frozenset([inner])) if axes[-1] == inner else self.planner.width(outer)
        transposed = (axes[0] == inner) if left else (axes[-1] == inner)
        if not self.planner.is_direct(node):
            return ["_buf", self.plan.buffers[node], stride, int(transposed)]
        assert isinstance(node, Leaf)
        start: list[Code] = [] if node.kind == "data" else [self.layout.point_shapes.starts[node.name]]
        if axes[0] == self.piece.home:
            start.append(of("_lo") * self.planner.width(node.labels))
        return [self.layout.source(node), total(start or [0]), stride, int(transposed)]


def _unknown(node: Leaf | Fold) -> Expression:
    message = f"node {node.number} is no input of this place"
    raise AssertionError(message)
