"""A function of an objective as statements of NumPy: whole arrays, a block of rows at a time.

What compiled code does in nests of loops is done here by one statement an operation, for a block of the pass's home, so
that memory stays bounded whatever the number of rows. Axes are labels here too: the array of a node has one axis for
each of its labels, the home first, and `aligned` inserts what is missing. A sum of a product of two arrays is a matrix
product (`contractions.py`), what is gathered is scattered back by counting.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from symgd.graph import ROWS, Const, Fold, Index, Leaf, Map, Matrix, Node, Span, arguments
from symgd.graph.calculus import Entry
from symgd.kernel.code import contractions
from symgd.kernel.code.contractions import Value, aligned, atom, sorted_axes, transposed
from symgd.kernel.code.elementwise import expression, literal
from symgd.kernel.code.folds import DOUBLE, STARTS
from symgd.kernel.code.forms import MAIN, Argument, Text
from symgd.kernel.code.layout import Layout
from symgd.kernel.code.matrices import work as matrix_work
from symgd.kernel.code.schedule import Pass, Schedule, schedule
from symgd.language.vectors import CONDITIONS, is_whole

INDENT = "    "
BLOCK = 1 << 15  # numbers in an array of one block: a few of them lie in the second-level cache
LEAST_ROWS = 256  # of a block, that products of matrices are worth their call
MOST = 1 << 22  # numbers in an array of one block, at most
INLINE = 150  # characters of an expression that is written into another
# What statements cost, in nanoseconds: each of them, and for each number that it computes.
STATEMENT, SIMPLE, GATHERED, MULTIPLIED, REDUCED = 1000.0, 0.7, 4.0, 0.15, 0.7
DEAR = {"add": SIMPLE, "multiply": SIMPLE, "divide": SIMPLE, "where": 2.0, "abs": SIMPLE, "sqrt": 2.0}  # others:
ELEMENTARY, BY_NUMBER = 8.0, 600.0


class Source(NamedTuple):
    """An array that is read at places: its name in the text, and its shape; ``None`` for the number of rows."""

    name: str
    shape: tuple[int | None, ...]


class ArrayFunction:
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
        self.name, self.layout, self.lengths, self.arguments, self.vector = name, layout, lengths, arguments, vector
        self.numbers = numbers
        self.units = (
            layout.size if units else 0
        )  # unit vectors, of what is filled and of directions, for each parameter
        self.singles = [e for e in entries if not e.leaf.labels and not e.node.labels]
        spread = [e for e in entries if e.leaf.labels or e.node.labels]
        places = [i for e in self.singles for i in e.leaf.index if isinstance(i, Node)]
        self.plan: Schedule = schedule([*numbers, *(e.node for e in self.singles), *places], spread, lengths)
        self.head: dict[str, str] = {}  # inputs as they are read: name to text
        self.lines: list[str] = []
        self.calls: dict[str, None] = {}
        self.depth = 1
        self.size = 1  # of a block
        self.home = ""  # of the pass that is being written
        self.blocked = False  # whether it goes by blocks
        self.known: dict[Node, Value] = {}  # numbers, and what passes have left
        self.local: dict[Node, Value] = {}  # arrays of the current block
        self.matrices: dict[tuple[Node, str], Source] = {}
        self.cost = [0.0, 0.0]  # nanoseconds: once, and for each row

    def charge(self, labels: Iterable[str], each: float) -> None:
        """Count what a statement costs, for each number along labels."""
        found = set(labels)
        self.cost[ROWS in found] += each * math.prod(self.lengths[label] for label in found if label != ROWS)

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
            first = ["_out = _hist.reshape(-1)", "_v = np.eye(len(_x)).reshape(-1)"] if self.units else []
            self.head = dict(enumerate([*first, "_out[:] = 0.0"])) | self.head  # type: ignore[assignment]
        body = [*(INDENT + line for line in self.head.values()), *self.lines]
        return Text(
            self.name, tuple(self.arguments), ("number",) * count, MAIN, tuple(self.calls), "\n".join(body) + "\n"
        )

    def line(self, text: str) -> None:
        """Write a line."""
        self.lines.append(INDENT * self.depth + text)
        # In a block, once for all its rows; the first block stands for the call.
        self.cost[0] += STATEMENT * (1 + text.count("(") / 2)
        if self.depth > 1 and self.home == ROWS:
            self.cost[1] += STATEMENT / self.size

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

    def _number(self, node: Node) -> None:
        """Write a node without labels."""
        if node.constant is None and isinstance(node, Map):
            codes = [v.code for v in self._arguments(node)]
            self.line(f"_t{node.number} = {expression(node, codes, self.calls, scalar=True)}")
            self.known[node] = Value(f"_t{node.number}", ())

    def _arguments(self, node: Map) -> list[Value]:
        """Give the arguments of a map: as truth values where they are asked for, else as numbers."""
        if node.function in CONDITIONS:
            return [self.value(a) for a in node.args]
        return [self.value(a) if node.function == "where" and i == 0 else self.numeric(a)
                for i, a in enumerate(node.args)]  # fmt: skip

    def numeric(self, node: Node) -> Value:
        """Give the code of a node as numbers, truth values as 1 and 0."""
        found = self.value(node)
        if isinstance(node, Map) and node.function in CONDITIONS:
            return Value(f"1.0*{atom(found.code)}", found.axes)
        return found

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

    # ---- what is read ----------------------------------------------------------------------------------------------

    def _leaf(self, leaf: Leaf) -> Value:
        layout = self.layout
        if leaf.kind == "count":
            return Value("float(_n)", ())
        if not leaf.index:
            if leaf.kind == "data" or layout.unrolled:
                return Value(layout.number(leaf).name, ())  # type: ignore[attr-defined]
            return Value(f"{'_x' if leaf.kind == 'parameter' else '_v'}[{layout.point_shapes.starts[leaf.name]}]", ())
        if leaf.kind == "places":
            (index,) = leaf.index
            return Value(f"1.0*({self._places(index)})", self._labels(index))
        if leaf.table:
            found = self._at(Source(layout.table(leaf.table), (len(leaf.table),)), leaf.index)
            if leaf.kind == "numbers":
                return found
            return Value(f"{'_x' if leaf.kind == 'parameter' else '_v'}[{found.code}]", found.axes)
        found = self._at(self._source(leaf), leaf.index, data=leaf.kind == "data")
        if layout.is_float(leaf):
            return found
        return Value(f"np.asarray({found.code}, float)", found.axes)

    def _source(self, leaf: Leaf, vector: str = "") -> Source:
        """Give the array that a leaf reads, in its own shape."""
        layout = self.layout
        if leaf.kind == "data":
            place = layout.column(leaf)
            column, name = layout.columns[place], f"_d{place}"
            shape: tuple[int | None, ...] = (None, *column.shape) if column.rows else column.shape
            if column.shape and len(shape) > 1:
                self.head[name] = f"{name} = {name}.reshape({', '.join(str(n or -1) for n in shape)})"
            return Source(name, shape)
        letter = vector or {"parameter": "_x", "direction": "_v"}[leaf.kind]
        start, sides = layout.point_shapes.starts[leaf.name], layout.point_shapes[leaf.name]
        name = f"{letter}{start}"
        if self.units and letter != "_x":
            start, sides = start * self.units, (*sides, self.units)
        cut = f"{letter}[{start}:{start + math.prod(sides)}]"
        # What is filled must stay a view of it.
        self.head[name] = f"{name} = {cut}" + (f".reshape({', '.join(map(str, sides))})" if len(sides) > 1 else "")
        return Source(name, sides)

    def _element(self, node: Matrix) -> Value:
        source = self.matrices[node.body, node.function]
        return self._at(source, node.index) if node.index else Value(source.name, ())

    def _labels(self, index: Index) -> tuple[str, ...]:
        if isinstance(index, Span):
            return (index.label,)
        return () if isinstance(index, int) else sorted_axes(index.labels, self.home)

    def _bounds(self, label: str) -> tuple[str, str]:
        if label == self.home and self.blocked:
            return "_a", "_b"
        return "0", "_n" if label == ROWS else str(self.lengths[label])

    def _places(self, index: Index, *, data: bool = False) -> str:
        """Write where along an axis: a whole number, or an array of them along the labels of the index."""
        if isinstance(index, int):
            return str(index)
        if isinstance(index, Node):
            return self._whole(index).code
        low, high = self._bounds(index.label)
        # The rows' own numbers, which in a batch are not those of the places.
        code = "_id[_a:_b]" if index.label == ROWS and not data else f"np.arange({low}, {high})"
        code = code if index.step == 1 else f"{index.step}*{code}"
        return code if index.start == 0 else f"{code} + {index.start}"

    def _whole(self, node: Node) -> Value:
        """Write a node as whole numbers."""
        if isinstance(node, Leaf) and node.kind == "data" and node.index and not self.layout.is_float(node):
            found = self._at(self._source(node), node.index, data=True)
            return found if found.axes else Value(f"int({found.code})", ())
        found = self.value(node)
        return Value(f"np.asarray({found.code}, np.int64)" if found.axes else f"int({found.code})", found.axes)

    def _at(self, source: Source, index: Sequence[Index], *, data: bool = False) -> Value:
        """Write an array at places along labels."""
        spans = [i for i in index if isinstance(i, Span)]
        nodes = [i for i in index if isinstance(i, Node)]
        labels = [i.label for i in spans]
        plain = all(i.step > 0 and (data or i.label != ROWS) for i in spans) and len(set(labels)) == len(labels)
        gathers = [n for n in nodes if n.labels]
        if plain and not gathers:
            return self._sliced(source, index)
        if plain and len(gathers) == 1 and len(spans) == len(index) - 1 and not gathers[0].labels & set(labels):
            return self._gathered(source, index)
        axes = sorted_axes({label for i in index for label in self._labels(i)}, self.home)
        places = [aligned(Value(f"({self._places(i, data=data)})", self._labels(i)), axes) for i in index]
        return Value(f"{source.name}[{', '.join(places)}]", axes)

    def _sliced(self, source: Source, index: Sequence[Index]) -> Value:
        """Write a view."""
        places = [self._slice(i, length) for i, length in zip(index, source.shape, strict=True)]
        axes = tuple(i.label for i in index if isinstance(i, Span))
        while places and places[-1] == ":":
            places.pop()
        code = f"{source.name}[{', '.join(places)}]" if places else source.name
        return transposed(Value(code, axes), sorted_axes(axes, self.home))

    def _slice(self, index: Index, length: int | None) -> str:
        if not isinstance(index, Span):
            return self._places(index)
        low, high = self._bounds(index.label)
        start, step = index.start, index.step
        if low == "0":
            if index.label == ROWS or (start == 0 and step == 1 and self.lengths[index.label] == length):
                return ":"
            last = start + step * (self.lengths[index.label] - 1) + 1
            return f"{start}:{last}" + (f":{step}" if step != 1 else "")
        if step == 1:
            return f"{low}:{high}" if start == 0 else f"{start} + {low}:{start} + {high}"
        return f"{start} + {step}*{low}:{start} + {step}*{high}:{step}"

    def _gathered(self, source: Source, index: Sequence[Index]) -> Value:
        """Write rows, or columns, of an array that a node picks."""
        places: list[str] = []
        axes: list[str] = []
        for i, length in zip(index, source.shape, strict=True):
            found = self._whole(i) if isinstance(i, Node) else Value(self._slice(i, length), self._labels(i))
            places.append(found.code)
            axes += found.axes
        while places[-1] == ":":
            places.pop()
        return transposed(Value(f"{source.name}[{', '.join(places)}]", tuple(axes)), sorted_axes(axes, self.home))

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
        self.blocked = piece.home == ROWS or self.lengths[piece.home] > size
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
            self.line(f"_s{node.number}[_a:_b] = {code}" if self.blocked else f"_s{node.number} = {code}")
        for entry in piece.entries:
            self._add(entry)

    def _demand(self, piece: Pass) -> Counter[Node]:
        """Count how often each node's array is needed: not the product under a sum, which is a product of matrices."""
        demand: Counter[Node] = Counter()
        self.uses = Counter(a for node in [*piece.nodes, *piece.folds] for a in arguments(node))
        for fold in piece.folds:
            demand.update(self._factors(fold.body) if fold.function == "sum" else [fold.body])
        demand.update(piece.stores)
        for entry in piece.entries:
            extra = entry.node.labels - entry.leaf.labels
            demand.update(self._factors(entry.node) if extra else [entry.node])
            demand.update(i for i in entry.leaf.index if isinstance(i, Node))
        for node in reversed(piece.nodes):
            if not demand[node] or node in self.known:
                continue
            if isinstance(node, Fold):
                demand.update(self._factors(node.body) if node.function == "sum" else [node.body])
            elif isinstance(node, Map):
                demand.update(node.args)
            else:
                demand.update(i for i in arguments(node)[isinstance(node, Matrix) :])
        return demand

    def _factors(self, body: Node) -> list[Node]:
        """Take a product apart that nothing else reads."""
        found: list[Node] = []
        stack = [body]
        while stack:
            node = stack.pop()
            alone = node is body or self.uses[node] == 1
            if isinstance(node, Map) and node.function == "multiply" and alone and node not in self.known:
                stack += reversed(node.args)
            else:
                found.append(node)
        return found

    def _block(self, piece: Pass, demand: Counter[Node]) -> int:
        """Choose how many places along the home a block has."""
        widths = [
            math.prod(self.lengths[label] for label in node.labels if label != piece.home)
            for node in piece.nodes
            if demand[node] and not (isinstance(node, Leaf) and not any(isinstance(i, Node) for i in node.index))
        ]
        width = max(widths, default=1)
        return max(1, min(max(LEAST_ROWS, BLOCK // width), MOST // width))

    def _write(self, node: Node, uses: int) -> None:
        """Write a node with labels: under a name, or into what reads it."""
        if isinstance(node, Map):
            dear = ELEMENTARY if is_whole(node.function) else BY_NUMBER
            self.charge(node.labels, DEAR.get(node.function, dear))
            axes = sorted_axes(node.labels, self.home)
            codes = [aligned(v, axes) for v in self._arguments(node)]
            value = Value(expression(node, codes, self.calls), axes)
        elif isinstance(node, Fold):
            value = self._fold(node.function, node.body, node.label)
        elif isinstance(node, Leaf | Matrix):
            value = self.value(node)
            if any(isinstance(i, Node) for i in node.index):
                self.charge(node.labels, GATHERED)
        else:
            assert isinstance(node, Const)
            return
        view = isinstance(node, Leaf) and "(" not in value.code
        if view or (uses == 1 and len(value.code) <= INLINE):
            self.local[node] = value
            return
        self.line(f"_t{node.number} = {value.code}")
        self.local[node] = Value(f"_t{node.number}", value.axes)

    def _fold(self, function: str, body: Node, label: str) -> Value:
        """Write a reduction over one label."""
        self.charge(body.labels, REDUCED if function != "sum" or len(self._factors(body)) < 2 else MULTIPLIED)
        if function == "sum":
            values = [self.numeric(f) for f in self._factors(body)]
            return contractions.contraction(values, label, self._width(label), self.home)
        value = self.numeric(body)
        axes = sorted_axes(body.labels, self.home)
        value = Value(aligned(value, axes), axes)
        rest = tuple(a for a in axes if a != label)
        name = {"prod": "np.prod", "min": "np.min", "max": "np.max", "logsumexp": "np.logaddexp.reduce"}[function]
        return Value(f"{name}({value.code}, {axes.index(label)})", rest)

    def _width(self, label: str) -> str:
        low, high = self._bounds(label)
        return high if low == "0" else f"({high} - {low})"

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
        value = self._fold(fold.function, fold.body, fold.label)
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

    # ---- entries of the vector -------------------------------------------------------------------------------------

    def _add(self, entry: Entry) -> None:
        """Write the addition of an array to what a leaf reads."""
        leaf = entry.leaf
        value = self._reduced(entry)
        if leaf.table:
            places = self._at(Source(self.layout.table(leaf.table), (len(leaf.table),)), leaf.index)
            self._scatter("_out", places.code, aligned(value, places.axes))
            return
        source = self._source(leaf, "_out")
        spans = [i for i in leaf.index if isinstance(i, Span)]
        plain = all(i.step > 0 and i.label != ROWS for i in spans) and len({i.label for i in spans}) == len(spans)
        if plain and not any(isinstance(i, Node) for i in leaf.index):
            axes = tuple(i.label for i in spans)
            cut = ", ".join(self._slice(i, n) for i, n in zip(leaf.index, source.shape, strict=True))
            code = aligned(transposed(value, tuple(a for a in axes if a in value.axes)), axes)
            self.line(f"{source.name}[{cut}] += {code}")
            return
        self.charge(leaf.labels, GATHERED)
        if not self._add_rows(leaf, source, value):
            self._add_places(leaf, source, value)

    def _add_rows(self, leaf: Leaf, source: Source, value: Value) -> bool:
        """Write the addition to rows of a matrix that a node picks, if that is what a leaf reads."""
        first, *rest = leaf.index
        if not (isinstance(first, Node) and len(rest) == 1 and self._is_whole_axis(rest[0], source.shape[1])):
            return False
        axes = (*sorted_axes(first.labels, self.home), *self._labels(rest[0]))
        if len(set(axes)) != 2:
            return False
        code = aligned(transposed(value, tuple(a for a in axes if a in value.axes)), axes)
        self.calls["scatter_rows"] = None
        self.line(f"scatter_rows({source.name}, {self._whole(first).code}, {code})")
        return True

    def _is_whole_axis(self, index: Index, length: int | None) -> bool:
        if not isinstance(index, Span) or index.label == ROWS or (index.start, index.step) != (0, 1):
            return False
        return self.lengths[index.label] == length

    def _add_places(self, leaf: Leaf, source: Source, value: Value) -> None:
        """Write the addition to places of the vector that are worked out for each number."""
        axes = sorted_axes(leaf.labels, self.home)
        sides = [side or 0 for side in source.shape]
        terms = []
        for axis, i in enumerate(leaf.index):
            step = math.prod(sides[axis + 1 :])
            code = aligned(Value(f"({self._places(i)})", self._labels(i)), axes)
            terms.append(code if step == 1 else f"{step}*{code}")
        start = self.layout.point_shapes.starts[leaf.name] * (self.units or 1)
        self._scatter(f"_out[{start}:{start + math.prod(sides)}]", " + ".join(terms), aligned(value, axes))

    def _scatter(self, out: str, places: str, values: str) -> None:
        self.calls["scatter"] = None
        self.line(f"scatter({out}, {places}, {values})")

    def _reduced(self, entry: Entry) -> Value:
        """Give what is added, summed over the labels that the leaf does not have."""
        extra = sorted(entry.node.labels - entry.leaf.labels, key=lambda label: (label == self.home, label))
        if not extra:
            return self.numeric(entry.node)
        *inner, last = extra
        values = [self.numeric(f) for f in self._factors(entry.node)]
        self.charge(entry.node.labels, MULTIPLIED if len(values) > 1 else REDUCED)
        value = contractions.contraction(values, last, self._width(last), self.home)
        for label in inner:
            value = contractions.contraction([value], label, self._width(label), self.home)
        return value
