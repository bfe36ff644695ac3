"""What happens inside of a pass: loop nests over blocks, fused where they run over the same places.

A pass works on one block of its home at a time. Within the block, everything that has the same labels and can be known
at the same stage is computed in one nest of loops; what a later nest reads is kept in a buffer of the block's size, so
that nothing as large as the data ever exists. Products of matrices are left to `kernel.machine.gemm`, a block of rows
at a time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field

from symgd.graph import ROWS, Const, Fold, Leaf, Map, Matrix, Node, Span, is_zero
from symgd.graph.calculus import Entry
from symgd.kernel.code.schedule import Pass, parts
from symgd.records import dataclass

CACHE = 24_000  # numbers that a block may take, its data included: the second-level cache must hold them
LARGEST = 4096  # places of a block
SMALLEST = 16
PADDING = 8  # numbers between two buffers, so that the same place in each is not the same line of the cache
MATRIX = 8  # extents from which on a product of matrices is worth a call

# Which nest: the stage, the labels, and what tells nests of the same places apart.
_Key = tuple[int, frozenset[str], int | None]

# What costs no more to compute again than to keep.
_CHEAP = {"add", "multiply", "where", "greater", "greater_equal", "less", "less_equal", "equal", "not_equal", "abs",
          "relu", "maximum", "minimum", "sign"}  # fmt: skip
_ARITHMETIC = _CHEAP | {"divide", "power", "ratio"}


@dataclass
class Nest:
    """One nest of loops: all that it sums up, keeps and adds to."""

    labels: tuple[str, ...]
    folds: list[Fold] = field(default_factory=list)
    kept: list[Node] = field(default_factory=list)  # in buffers of the block
    stores: list[Node] = field(default_factory=list)  # for other passes
    entries: list[Entry] = field(default_factory=list)


@dataclass
class Gemm:
    """A product of matrices: ``fold`` is the sum over its label of ``a*b``, whose other labels are rows and columns."""

    fold: Fold
    a: Node
    b: Node


@dataclass
class Plan:
    """The work of a pass, in order; how many places a block has, and where in the block's memory everything stands."""

    order: tuple[str, ...]  # of the labels: the home first, and last the one along which memory is read
    steps: list[Nest | Gemm]
    block: int
    totals: dict[Fold, int]  # places of the sums with labels
    buffers: dict[Node, int]
    size: int  # of the whole memory of a block


class Planner:
    """Plans one pass.

    Parameters
    ----------
    piece : Pass
        The pass.
    lengths : mapping of str to int
        Of the labels but the rows'.
    plain : callable
        Tells of a leaf whether it is read as float64 as it stands.
    strict : bool
        Whether sums must come out the same to the last bit wherever they are computed.
    """

    def __init__(
        self, piece: Pass, lengths: Mapping[str, int], plain: Callable[[Leaf], bool], *, strict: bool = False
    ) -> None:
        self.piece = piece
        self.plain = plain
        self.lengths = lengths
        self.home = piece.home
        self.inside = set(piece.nodes)
        self.order = self._label_order()
        self.stages: dict[Node, int] = {}
        self.kept: set[Node] = set()
        self.folds = [n for n in piece.nodes if isinstance(n, Fold) and not self.is_input(n)] + piece.folds
        self.products = {f: g for f in self.folds if not strict and (g := self._product(f)) is not None}

    # ---- labels ----------------------------------------------------------------------------------------------------

    def _label_order(self) -> tuple[str, ...]:
        """Put the labels in order: inmost the one along which most of what is read lies next to each other."""
        last: Counter[str] = Counter()
        labels: set[str] = set()
        for node in self.piece.nodes:
            labels |= node.labels
            if isinstance(node, Leaf) and node.index and isinstance(node.index[-1], Span):
                last[node.index[-1].label] += 1
        for entry in self.piece.entries:
            labels |= entry.leaf.labels | entry.node.labels
            if entry.leaf.index and isinstance(entry.leaf.index[-1], Span):
                last[entry.leaf.index[-1].label] += 1
        for fold in self.piece.folds:
            labels |= fold.body.labels
        labels.discard(self.home)
        return (self.home, *sorted(labels, key=lambda label: (last[label], self.lengths[label], label)))

    def sorted(self, labels: frozenset[str]) -> tuple[str, ...]:
        """Give labels in the pass's order."""
        return tuple(label for label in self.order if label in labels)

    def is_input(self, node: Node) -> bool:
        """Tell whether a node is read, not computed: an input, or what an earlier pass left behind."""
        read = isinstance(node, Leaf | Const | Matrix)
        return read or node not in self.inside or self.piece.finds(node, self.lengths)

    # ---- products of matrices --------------------------------------------------------------------------------------

    def _product(self, fold: Fold) -> Gemm | None:
        """Recognise a sum of products of two matrices that is large enough for a call."""
        body = fold.body
        if fold.function != "sum" or not isinstance(body, Map) or body.function != "multiply":
            return None
        a, b = body.args
        shared = a.labels & b.labels
        if shared != {fold.label} or not a.labels - shared or not b.labels - shared:
            return None
        if self.home not in body.labels:
            return None
        if any(self.lengths[label] < MATRIX for label in body.labels if label != self.home):
            return None
        # The result's rows and columns must lie in its memory as they do in the two factors.
        result = self.sorted(fold.labels)
        rows = self.sorted(a.labels - shared)
        if result[: len(rows)] != rows:
            a, b = b, a
            rows = self.sorted(a.labels - shared)
        columns = self.sorted(b.labels - shared)
        if result != rows + columns:
            return None
        for side, outer in ((a, rows), (b, columns)):
            if not self._is_matrix(side, fold.label, outer):
                return None
        return Gemm(fold, a, b)

    def _is_matrix(self, node: Node, inner: str, outer: tuple[str, ...]) -> bool:
        """Tell whether a factor lies in memory, or will, as a matrix with the inner label on one of its sides."""
        order = self.axes(node)
        return order in ((inner, *outer), (*outer, inner))

    def axes(self, node: Node) -> tuple[str, ...]:
        """Give the labels of a factor in the order of its memory: a leaf's own, or that of a buffer."""
        if self.is_direct(node):
            assert isinstance(node, Leaf)
            return tuple(i.label for i in node.index if isinstance(i, Span))
        return self.sorted(node.labels)

    def is_direct(self, node: Node) -> bool:
        """Tell whether the product of matrices may read a leaf where it is."""
        if not isinstance(node, Leaf) or node.table or node.kind not in ("parameter", "direction", "data"):
            return False
        if not node.index:
            return False
        spans = [i for i in node.index if isinstance(i, Span) and (i.start, i.step) == (0, 1)]
        if len(spans) < len(node.index) or len({i.label for i in spans}) < len(spans):
            return False
        rows = [i.label == ROWS for i in spans]
        if any(rows[1:]) or (rows[0] and (node.kind != "data" or self.home != ROWS)):
            return False
        return self.plain(node)

    # ---- stages ----------------------------------------------------------------------------------------------------

    def plan(self) -> Plan:
        """Plan the pass."""
        for node in [*self.piece.nodes, *self.piece.folds]:
            self.stages[node] = self._stage(node)
        self._choose_kept()
        steps = self._steps()
        block, totals, buffers, size = self._memory(steps)
        return Plan(self.order, steps, block, totals, buffers, size)

    def _stage(self, node: Node) -> int:
        """Give the stage at which a node is computed."""
        if self.is_input(node) and not isinstance(node, Fold):
            return 0
        if isinstance(node, Fold):
            if node in self.products:
                product = self.products[node]
                return max(self._ready(product.a), self._ready(product.b))
            if node not in self.folds:
                return 0
            body = node.body
            return self._ready(body) if isinstance(body, Fold) else self.stages.get(body, 0)
        stage = 0
        for arg in parts(node):
            if arg not in self.inside:
                continue
            ready = self._ready(arg)
            same = arg.labels == node.labels and not isinstance(arg, Fold)
            stage = max(stage, self.stages[arg] if same or self._is_trivial(arg) else ready)
        return stage

    def _ready(self, node: Node) -> int:
        """Give the first stage at which what a nest or a product computed can be read."""
        if self.is_input(node) and not self._copied(node):
            return 0
        return self.stages.get(node, 0) + 1

    def _copied(self, node: Node) -> bool:
        """Tell whether a leaf must be copied to a buffer before the product can read it."""
        factors = (factor for g in self.products.values() for factor in (g.a, g.b))
        return isinstance(node, Leaf | Matrix) and not self.is_direct(node) and node in factors

    def _is_trivial(self, node: Node) -> bool:
        """Tell whether a node costs no more to compute again than to read back."""
        if node.constant is not None or isinstance(node, Leaf | Matrix):
            return True
        if isinstance(node, Map) and node.function in _CHEAP:
            return all(self.is_input(a) or isinstance(a, Fold) for a in node.args if a in self.inside)
        return False

    # ---- buffers ---------------------------------------------------------------------------------------------------

    def _roots(self) -> list[tuple[_Key, Node]]:
        """Give what the pass is for, each with the nest that it is computed in."""
        summed = [f for f in self.folds if f not in self.products]
        found = [(self._key(self.stages[f], f.body.labels), f.body) for f in summed]
        found += [(self._store_key(node), node) for node in self.piece.stores]
        for entry in self.piece.entries:
            found.append((self._entry_key(entry), entry.node))
            found += [(self._entry_key(entry), i) for i in entry.leaf.index if isinstance(i, Node)]
        return found

    def _key(self, stage: int, labels: frozenset[str], own: int | None = None) -> _Key:
        return stage, labels | {self.home}, own

    def _store_key(self, node: Node) -> _Key:
        return self._key(self._ready(node) if isinstance(node, Fold) else self.stages[node], node.labels)

    def _entry_key(self, entry: Entry) -> _Key:
        """Give the nest of an entry: of its own where what it is added to may overlap with that of another."""
        labels = entry.leaf.labels | entry.node.labels
        stage = self._stage_of_entry(entry)
        alone = all(e is entry or e.leaf.name != entry.leaf.name for e in self.piece.entries)
        direct = alone and all(isinstance(i, Span | int) for i in entry.leaf.index) and not entry.leaf.table
        if direct and entry.node.labels == labels:
            return self._key(stage, labels)
        return self._key(stage + (0 if self.is_input(entry.node) else 1), labels, entry.leaf.number)

    def _stage_of_entry(self, entry: Entry) -> int:
        parts = [entry.node, *(i for i in entry.leaf.index if isinstance(i, Node))]
        stages = []
        for node in parts:
            if node in self.inside:
                same = node.labels == entry.leaf.labels | entry.node.labels and not isinstance(node, Fold)
                stages.append(self.stages[node] if same else self._ready(node))
        return max(stages, default=0)

    def _choose_kept(self) -> None:
        """Choose the nodes that go to buffers: what several nests read, or one that runs over more labels."""
        for product in self.products.values():
            for side in (product.a, product.b):
                if not self.is_direct(side):
                    self.kept.add(side)
        self.kept.update(f for f in self.folds if f not in self.piece.folds)
        while (node := self._next_kept()) is not None:
            self.kept.add(node)

    def _next_kept(self) -> Node | None:
        """Give the youngest node that belongs into a buffer and is in none: what is below it may then need none."""
        users: dict[Node, set[_Key]] = defaultdict(set)
        work = [*self._roots(), *((self._key(self.stages[n], n.labels), n) for n in self.kept if n not in self.folds)]
        opened: dict[_Key, set[Node]] = defaultdict(set)
        for key, root in work:
            top = root in self.kept and key == self._key(self.stages[root], root.labels)
            self._mark(key, root, users, opened[key], top=top)
        for node in sorted(users, key=lambda n: -n.number):
            if node in self.kept or self.is_input(node) or isinstance(node, Fold):
                continue
            keys = users[node]
            own = self._key(self.stages[node], node.labels)
            elsewhere = any(key[1] != own[1] for key in keys)
            later = any(key[0] > own[0] or key[2] is not None for key in keys)
            costly = later and isinstance(node, Map) and node.function not in _ARITHMETIC
            if (len(keys) > 1 or elsewhere or costly) and not self._is_trivial(node):
                return node
        return None

    def _mark(self, key: _Key, root: Node, users: dict[Node, set[_Key]], opened: set[Node], *, top: bool) -> None:
        """Note for each node below a root the nest that it is computed in, down to what is kept.

        `opened` holds the nodes below which all is noted for this nest already: its roots share most of what they read.
        """
        stack = [(root, top)]
        while stack:
            node, own = stack.pop()
            if node in opened or node not in self.inside:
                continue
            users[node].add(key)
            if own or (node not in self.kept and not self.is_input(node)):
                opened.add(node)
                stack.extend((a, False) for a in parts(node))

    # ---- steps -----------------------------------------------------------------------------------------------------

    def _steps(self) -> list[Nest | Gemm]:
        nests: dict[_Key, Nest] = {}
        gemms: dict[int, list[Gemm]] = defaultdict(list)

        def at(key: _Key) -> Nest:
            return nests.setdefault(key, Nest(self.sorted(key[1])))

        for node in sorted(self.kept, key=lambda n: n.number):
            if not isinstance(node, Fold):
                at(self._key(self.stages[node], node.labels)).kept.append(node)
        for fold in self.folds:
            if fold in self.products:
                gemms[self.stages[fold]].append(self.products[fold])
            else:
                at(self._key(self.stages[fold], fold.body.labels)).folds.append(fold)
        for node in self.piece.stores:
            at(self._store_key(node)).stores.append(node)
        for entry in self.piece.entries:
            if not is_zero(entry.node):
                at(self._entry_key(entry)).entries.append(entry)
        keys = sorted(nests, key=lambda k: (k[0], len(k[1]), sorted(k[1]), str(k[2])))
        steps: list[Nest | Gemm] = []
        for stage in sorted({*(k[0] for k in keys), *gemms}):
            steps += gemms.get(stage, [])
            steps += [nests[key] for key in keys if key[0] == stage]
        return steps

    def _memory(self, steps: Sequence[Nest | Gemm]) -> tuple[int, dict[Fold, int], dict[Node, int], int]:
        """Choose the number of places of a block, and lay its memory out."""
        widths = {node: self.width(node.labels) for node in self.kept}
        leaves = {n for n in self.piece.nodes if isinstance(n, Leaf) and self.home in n.labels}
        place = sum(widths.values()) + sum(self.width(n.labels) for n in leaves)
        block = LARGEST
        while block > SMALLEST and block * place > CACHE:
            block //= 2
        if any(isinstance(s, Gemm) for s in steps):
            block = max(block, 64)
        totals: dict[Fold, int] = {}
        used = 0
        for fold in self.piece.folds:
            if fold.labels:
                totals[fold] = used
                used += self.width(fold.labels)
        buffers: dict[Node, int] = {}
        for node in sorted(self.kept, key=lambda n: n.number):
            buffers[node] = used
            used += widths[node] * block + PADDING
        return block, totals, buffers, used

    def width(self, labels: frozenset[str]) -> int:
        """Count the places along all labels but the home."""
        total = 1
        for label in labels:
            total *= 1 if label == self.home else self.lengths[label]
        return total
