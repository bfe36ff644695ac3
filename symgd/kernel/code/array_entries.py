"""How statements of NumPy add to the vector that a function fills: to slices, to rows, to places."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from symgd.graph import ROWS, Index, Leaf, Map, Node, Span
from symgd.graph.calculus import Entry
from symgd.kernel.code import contractions
from symgd.kernel.code.array_inputs import Reading, Source
from symgd.kernel.code.contractions import Value, aligned, atom, sorted_axes, transposed
from symgd.kernel.code.layout import Layout
from symgd.language.vectors import CONDITIONS

INDENT = "    "
# What statements cost, in nanoseconds: each; and for each number that is gathered, scattered, summed, or multiplied
# into a sum, where a product of matrices shares what it reads.
STATEMENT, GATHERED, SCATTERED, REDUCED, MULTIPLIED, SHARED = 1000.0, 1.0, 2.5, 0.4, 0.3, 0.05


class Adding(Reading):
    """Writes statements, among them the entries of a vector."""

    def __init__(self, layout: Layout, lengths: Mapping[str, int], units: int) -> None:
        super().__init__(layout, lengths, units)
        self.lines: list[str] = []
        self.calls: dict[str, None] = {}
        self.depth = 1
        self.cost = [0.0, 0.0]  # nanoseconds: once, and for each row
        self.known: dict[Node, Value] = {}  # numbers, and what passes have left
        self.uses: Counter[Node] = Counter()  # how often each node is an argument in the pass

    def charge(self, labels: Iterable[str], each: float) -> None:
        """Count what a statement costs, for each number along labels."""
        found = set(labels)
        self.cost[ROWS in found] += each * math.prod(self.lengths[label] for label in found if label != ROWS)

    def _rate(self, values: Sequence[Value]) -> float:
        """Give what a sum of products costs for each number."""
        axes = [set(v.axes) for v in values]
        own = len(values) == 2 and bool(axes[0] - axes[1]) and bool(axes[1] - axes[0])
        return SHARED if own else MULTIPLIED if len(values) > 1 else REDUCED

    def line(self, text: str) -> None:
        """Write a line."""
        self.lines.append(INDENT * self.depth + text)
        # In a block, once for all its rows; the first block stands for the call.
        self.cost[0] += STATEMENT * (1 + text.count("(") / 2)
        if self.depth > 1 and self.home == ROWS:
            self.cost[1] += STATEMENT / self.size

    def numeric(self, node: Node) -> Value:
        """Give the code of a node as numbers, truth values as 1 and 0."""
        found = self.value(node)
        if isinstance(node, Map) and node.function in CONDITIONS:
            return Value(f"1.0*{atom(found.code)}", found.axes)
        return found

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
        self.charge(leaf.labels, SCATTERED)
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
        self.charge(entry.node.labels, self._rate(values))
        value = contractions.contraction(values, last, self._width(last), self.home)
        for label in inner:
            value = contractions.contraction([value], label, self._width(label), self.home)
        return value
