"""A function of an objective as statements of NumPy: whole arrays, a block of rows at a time.

What compiled code does in nests of loops is done here by one statement an operation, for a block of the pass's home, so
that memory stays bounded whatever the number of rows. Axes are labels here too: the array of a node has one axis for
each of its labels, the home last, and `aligned` inserts what is missing. A sum of a product of two arrays is a matrix
product (`contractions.py`), what is gathered is scattered back by counting.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from symgd.graph import ROWS, Const, Fold, Leaf, Map, Matrix, Node, Span, arguments
from symgd.graph.calculus import Entry
from symgd.kernel.code import contractions
from symgd.kernel.code.array_entries import GATHERED, INDENT, Adding
from symgd.kernel.code.array_inputs import Source
from symgd.kernel.code.columns import UNITS
from symgd.kernel.code.contractions import Value, aligned, sorted_axes, transposed
from symgd.kernel.code.elementwise import expression, literal
from symgd.kernel.code.folds import DOUBLE, STARTS
from symgd.kernel.code.forms import MAIN, Argument, Text
from symgd.kernel.code.layout import Layout
from symgd.kernel.code.matrices import work as matrix_work
from symgd.kernel.code.schedule import Pass, Schedule, schedule
from symgd.language.vectors import CONDITIONS, is_whole

BLOCK = 1 << 16  # numbers in an array of one block: a few of them lie in the caches
READ = 1 << 18  # numbers of data that a block reads: they stay in the caches until it is done with them
LEAST_ROWS = 256  # of a block, that products of matrices are worth their call
MOST = 1 << 22  # numbers in an array of one block, at most
INLINE = 150  # characters of an expression that is written into another
# Nanoseconds that functions take for each number.
SIMPLE, ELEMENTARY, BY_NUMBER = 0.4, 3.0, 600.0
DEAR = {
    **dict.fromkeys(("add", "multiply", "divide", "abs", "held"), SIMPLE), "where": 1.0, "exp": 1.0, "sqrt": 1.0,
    "sin": 13.0, "cos": 13.0,
}  # fmt: skip


class ArrayFunction(Adding):
    """Plans one function, and writes it.

    Parameters
    ----------
    name : str
        Its name.
    layout : Layout
        The inputs.
    numbers : sequence of Node
        What it returns.
    entries : sequence of Entry
        What it adds to the vector that it fills.
    lengths : mapping of str to int
        Of the labels but the rows'.
    arguments : list of Argument
        What it takes.
    vector : bool
        Whether it fills a vector.
    units : bool
        Whether what it fills is the whole Hessian: see `columns.py`.
    """

    def __init__(
        self, name: str, layout: Layout, numbers: Sequence[Node], entries: Sequence[Entry],
        lengths: Mapping[str, int], arguments: list[Argument], *, vector: bool,
        units: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(layout, lengths, layout.size if units else 0)
        self.name, self.arguments, self.vector, self.numbers = name, arguments, vector, numbers
        self.singles = [e for e in entries if not e.leaf.labels and not e.node.labels]
        spread = [e for e in entries if e.leaf.labels or e.node.labels]
        places = [i for e in self.singles for i in e.leaf.index if isinstance(i, Node)]
        self.plan: Schedule = schedule([*numbers, *(e.node for e in self.singles), *places], spread, lengths)
        self.reads = self._reads([*numbers, *(e.node for e in self.singles)], places)
        self.local: dict[Node, Value] = {}  # arrays of the current block
        self.matrices: dict[tuple[Node, str], Source] = {}

    # ---- the text --------------------------------------------------------------------------------------------------

    def text(self) -> Text:
        """Write the function."""
        for level, scalars in enumerate(self.plan.scalars):
            self._matrices(self.plan.matrices[level])
            for node in scalars:
                self._number(node)
            for piece in self.plan.passes[level] if level < len(self.plan.passes) else []:
                self._pass(piece)
        count = self._give()
        if self.vector and not self.layout.unrolled:
            self.head = dict(enumerate(self._first())) | self.head  # type: ignore[assignment]
        body = [*(INDENT + line for line in self.head.values()), *self.lines]
        return Text(
            self.name, tuple(self.arguments), ("number",) * count, MAIN, tuple(self.calls), "\n".join(body) + "\n"
        )

    def _first(self) -> list[str]:
        """Give the statements that make the vector which is filled."""
        first = ["_out = _hist.reshape(-1)", "_v = np.eye(len(_x)).reshape(-1)"] if self.units else []
        return [*first, "_out[:] = 0.0"]

    def _give(self) -> int:
        values = [self.numeric(node).code for node in self.numbers]
        if self.layout.unrolled and self.vector:
            given = {e.leaf.name: e.node for e in self.singles}
            values += [self.numeric(given[n]).code if n in given else "0.0" for n in self.layout.params]
        elif self.vector:
            for entry in self.singles:
                self.line(f"_out[{self._offset(entry.leaf)}] += {self.numeric(entry.node).code}")
        self.line(f"return {', '.join(f'float({v})' for v in values) or '0.0'}")
        return max(1, len(values))

    def _offset(self, leaf: Leaf) -> str:
        """Write where in the flat vector a single number of the parameters is."""
        shape, terms = self.layout.point_shapes[leaf.name], []
        fixed = self.layout.point_shapes.starts[leaf.name]
        for axis, index in enumerate(leaf.index):
            step = math.prod(shape[axis + 1 :])
            if isinstance(index, int):
                fixed += index * step
            else:
                assert isinstance(index, Node)
                terms.append(f"{step}*{self._whole(index).code}")
        return " + ".join([*terms, str(fixed)])

    # ---- numbers ---------------------------------------------------------------------------------------------------

    def _reads(self, roots: Sequence[Node], places: Sequence[Node]) -> Counter[Node]:
        """Count how often each number is read; what passes and places read counts as often."""
        found = Counter(a for level in self.plan.scalars for node in level for a in arguments(node))
        found.update(roots)
        inputs = [node for level in self.plan.passes for piece in level for node in piece.inputs]
        leaves = [node for level in self.plan.scalars for node in level if not isinstance(node, Map)]
        for node in [*inputs, *places, *(a for leaf in leaves for a in arguments(leaf))]:
            found[node] += 2
        return found

    def _number(self, node: Node) -> None:
        """Write a node without labels."""
        if node.constant is not None or not isinstance(node, Map):
            return
        code = expression(node, [v.code for v in self._arguments(node)], self.calls, scalar=True)
        if self.reads[node] > 1 or len(code) > INLINE // 2:
            self.line(f"_t{node.number} = {code}")
            code = f"_t{node.number}"
        self.known[node] = Value(code, ())

    def _arguments(self, node: Map) -> list[Value]:
        """Give the arguments of a map: as truth values where they are asked for, else as numbers."""
        if node.function in CONDITIONS:
            return [self.value(a) for a in node.args]
        return [self.value(a) if node.function == "where" and i == 0 else self.numeric(a)
                for i, a in enumerate(node.args)]  # fmt: skip

    def value(self, node: Node) -> Value:
        """Give the code of a node that is known, with the axes of its array in their order."""
        if node.constant is not None:
            return Value(literal(node.constant), ())
        found = self.local.get(node) or self.known.get(node)
        if found is None and isinstance(node, Leaf):
            found = self._leaf(node)
        elif found is None and isinstance(node, Matrix):
            found = self._element(node)
        assert found is not None, node.number
        return self._in_block(found) if node not in self.local else found

    def _in_block(self, value: Value) -> Value:
        """Take from what a pass has left what belongs to the current block."""
        if not value.axes or not value.whole:
            return value
        code = value.code
        if self.blocked and self.home in value.axes:
            code += f"[{', '.join([':'] * value.axes.index(self.home) + ['_a:_b'])}]"
        return transposed(Value(code, value.axes), sorted_axes(value.axes, self.home))

    def _element(self, node: Matrix) -> Value:
        source = self.matrices[node.body, node.function]
        return self._at(source, node.index) if node.index else Value(source.name, ())

    # ---- matrices --------------------------------------------------------------------------------------------------

    def _matrices(self, nodes: Sequence[Matrix]) -> None:
        """Write the functions of whole matrices that are known from here on."""
        for node in nodes:
            if (node.body, node.function) in self.matrices:
                continue
            body = transposed(self.known[node.body], (node.row, node.column))
            name = f"_m{len(self.matrices)}"
            self.calls["matrix"] = None
            self.line(f"{name} = matrix({node.function!r}, {body.code})")
            n = self.lengths[node.row]
            self.cost[0] += matrix_work(n, cofactors=node.function == "adjugate")
            self.matrices[node.body, node.function] = Source(name, (n, n))

    # ---- passes ----------------------------------------------------------------------------------------------------

    def _pass(self, piece: Pass) -> None:
        """Write a pass: block after block, each joined to what came before."""
        self.home, self.local = piece.home, {}
        demand = self._demand(piece)
        size = self.size = self._block(piece, demand)
        self.blocked = self._in_blocks(piece.home, size)
        for fold in piece.folds:
            self._start(fold)
        for node in piece.stores if self.blocked else []:
            shape = [self._length(label) for label in sorted_axes(node.labels, piece.home)]
            self.line(f"_s{node.number} = np.empty(({', '.join(shape)},))")
        if self.blocked:
            length = self._length(piece.home)
            self.line(f"for _a in range(0, {length}, {size}):")
            self.depth += 1
            self.line(f"_b = min(_a + {size}, {length})")
        self._block_body(piece, demand)
        self.depth = 1
        self.blocked = False
        for fold in piece.folds:
            self._finish(fold)
        for node in piece.stores:
            self.known[node] = Value(f"_s{node.number}", sorted_axes(node.labels, piece.home), whole=True)
        self.home, self.local = "", {}

    def _in_blocks(self, home: str, size: int) -> bool:
        """Tell whether a pass goes by blocks of so many places."""
        return home == ROWS or self.lengths[home] > size

    def _length(self, label: str) -> str:
        return "_n" if label == ROWS else str(self.lengths[label])

    def _block_body(self, piece: Pass, demand: Counter[Node]) -> None:
        for node in piece.nodes:
            if demand[node] and node not in self.known and node.constant is None:
                self._write(node, demand[node])
        for fold in piece.folds:
            self._join(fold)
        for node in piece.stores:
            code = self.numeric(node).code
            cut = ", ".join([*[":"] * (len(node.labels) - 1), "_a:_b"])
            self.line(f"_s{node.number}[{cut}] = {code}" if self.blocked else f"_s{node.number} = {code}")
        for entry in piece.entries:
            self._add(entry)

    def _demand(self, piece: Pass) -> Counter[Node]:
        """Count how often each node's array is needed: not the product under a sum, which is a product of matrices."""
        demand: Counter[Node] = Counter()
        self.uses = Counter(a for node in [*piece.nodes, *piece.folds] for a in arguments(node))
        for fold in piece.folds:
            demand.update(self._summed(fold)[1])
        demand.update(piece.stores)
        for entry in piece.entries:
            extra = entry.node.labels - entry.leaf.labels
            demand.update(self._factors(entry.node) if extra else [entry.node])
            demand.update(self._read_for(entry.leaf.index))
        for node in reversed(piece.nodes):
            if not demand[node] or node in self.known:
                continue
            if isinstance(node, Fold):
                demand.update(self._summed(node)[1])
            elif isinstance(node, Map):
                demand.update(node.args)
            elif isinstance(node, Leaf | Matrix):
                demand.update(self._read_for(node.index))
        return demand

    def _block(self, piece: Pass, demand: Counter[Node]) -> int:
        """Choose how many places along the home a block has."""

        def width(node: Node) -> int:
            return math.prod(self.lengths[label] for label in node.labels if label != piece.home)

        views = [n for n in piece.nodes if isinstance(n, Leaf) and not any(isinstance(i, Node) for i in n.index)]
        made = max((width(n) for n in piece.nodes if demand[n] and n not in views), default=1)
        read = sum(width(n) for n in views if n.kind == "data" and piece.home in n.labels)
        rows = min(BLOCK // made, READ // max(1, read))
        return max(1, min(max(LEAST_ROWS, rows), MOST // max(made, read)))

    def _write(self, node: Node, uses: int) -> None:
        """Write a node with labels: under a name, or into what reads it."""
        if isinstance(node, Map):
            dear = ELEMENTARY if is_whole(node.function) else BY_NUMBER
            self.charge(node.labels, DEAR.get(node.function, dear))
            axes = sorted_axes(node.labels, self.home)
            codes = [aligned(v, axes) for v in self._arguments(node)]
            value = Value(expression(node, codes, self.calls), axes)
        elif isinstance(node, Fold):
            value = self._fold(node)
        elif isinstance(node, Leaf | Matrix):
            value = self.value(node)
            if any(isinstance(i, Node) for i in node.index):
                self.charge(node.labels, GATHERED)
        else:
            assert isinstance(node, Const)
            return
        view = isinstance(node, Leaf) and "(" not in value.code and not node.table
        if view or (uses == 1 and len(value.code) <= INLINE):
            self.local[node] = value
            return
        self.line(f"_t{node.number} = {value.code}")
        self.local[node] = Value(f"_t{node.number}", value.axes)

    def _summed(self, fold: Fold) -> tuple[list[str], list[Node]]:
        """Give the labels that are folded at once, and the factors of what is: more than one if it is a sum."""
        if fold.function != "sum":
            return [fold.label], [fold.body]
        labels, body = [fold.label], fold.body
        while isinstance(body, Fold) and body.function == "sum" and self.uses[body] == 1 and body not in self.known:
            labels.append(body.label)
            body = body.body
        factors = self._factors(body)
        if len(labels) > 1 and len(factors) < 3 and all(f.labels == set(labels) for f in factors):
            return labels, factors
        return labels[:1], self._factors(fold.body)

    def _is_unit(self, node: Node, label: str, factors: list[Node]) -> bool:
        """Tell whether a factor of two is the unit matrix, from the label that is summed over to the unit vectors."""
        if not (self.units and len(factors) == 2 and isinstance(node, Leaf) and node.kind == "direction"):
            return False
        if any(label not in f.labels for f in factors):
            return False
        whole = self.layout.point_shapes[node.name] == (self.layout.size,) and not node.table
        return whole and label != self.home != UNITS and node.index == (Span(label), Span(UNITS))

    def _fold(self, fold: Fold) -> Value:
        """Write a reduction over one label, or the sum over all."""
        labels, factors = self._summed(fold)
        values = [self.numeric(f) for f in factors if not self._is_unit(f, fold.label, factors)]
        if len(values) < len(factors):  # the other factor, one column for each unit vector
            axes = tuple(UNITS if a == fold.label else a for a in values[0].axes)
            return transposed(Value(values[0].code, axes), sorted_axes(axes, self.home))
        self.charge({*labels, *fold.body.labels}, self._rate(values))
        if len(labels) > 1:
            return contractions.total(values)
        if fold.function == "sum":
            return contractions.contraction(values, fold.label, self._width(fold.label), self.home)
        axes = sorted_axes(fold.body.labels, self.home)
        value = Value(aligned(values[0], axes), axes)
        rest = tuple(a for a in axes if a != fold.label)
        names = {"prod": "np.prod", "min": "np.min", "max": "np.max", "logsumexp": "np.logaddexp.reduce"}
        return Value(f"{names[fold.function]}({value.code}, {axes.index(fold.label)})", rest)

    # ---- folds over the home ---------------------------------------------------------------------------------------

    def _start(self, fold: Fold) -> None:
        name, first = f"_f{fold.number}", literal(STARTS[fold.function])
        if fold.function in DOUBLE:
            self.line(f"{name}, _g{fold.number} = {first}, 0.0")
        elif self.blocked:
            self.line(f"{name} = {first}")

    def _join(self, fold: Fold) -> None:
        name = f"_f{fold.number}"
        if fold.function in DOUBLE:
            self.calls["join"] = None
            code = aligned(self.numeric(fold.body), sorted_axes(fold.body.labels, self.home))
            self.charge(fold.body.labels, ELEMENTARY)
            self.line(f"{name}, _g{fold.number} = join({name}, _g{fold.number}, {code})")
            return
        value = self._fold(fold)
        if not self.blocked:
            self.line(f"{name} = {value.code}")
        elif fold.function == "sum":
            self.line(f"{name} = {name} + {value.code}")
        elif fold.function == "prod":
            self.line(f"{name} = {name}*{value.code}")
        else:
            self.line(f"{name} = np.{fold.function}imum({name}, {value.code})")

    def _finish(self, fold: Fold) -> None:
        name = f"_f{fold.number}"
        if fold.function in DOUBLE:
            before = f"{name} + " if fold.function == "logsumexp" else ""
            self.line(f"{name} = {before}np.log(_g{fold.number})")
        axes = tuple(a for a in sorted_axes(fold.body.labels, self.home) if a != fold.label)
        self.known[fold] = Value(name, axes, whole=True)
