"""The order of the work: which sums share a pass, and what must wait for a pass to end.

A pass is one loop over a label, its *home*, in blocks: over the rows of the data, or over the longest axis of what has
no rows. All that varies along the home is computed inside of the pass; what is summed over the home is known when the
pass has ended. The level of a node is the number of passes that must have ended before it is known. Value and gradient
of a sum over the rows are formed in one pass; only an objective that nests sums over the rows needs a second one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from symgd.graph import ROWS, Const, Fold, Leaf, Matrix, Node, arguments, reachable
from symgd.graph.calculus import Entry
from symgd.records import dataclass


@dataclass
class Pass:
    """One loop over a label: what it sums up, what it keeps, and the entries of a vector that it adds to."""

    home: str
    level: int
    folds: list[Fold] = field(default_factory=list)
    stores: list[Node] = field(default_factory=list)  # what passes over other labels read
    entries: list[Entry] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)  # what varies along the home, in order
    inputs: list[Node] = field(default_factory=list)  # numbers that it reads

    def roots(self) -> list[Node]:
        """Give the nodes that the pass is for."""
        leaves = [i for e in self.entries for i in e.leaf.index if isinstance(i, Node)]
        return [*(f.body for f in self.folds), *self.stores, *(e.node for e in self.entries), *leaves]

    def finds(self, node: Node, lengths: Mapping[str, int]) -> bool:
        """Tell whether an earlier pass has left a node with labels behind."""
        return not isinstance(node, Leaf | Const | Matrix) and (is_total(node, lengths) or self.home not in node.labels)


@dataclass
class Schedule:
    """The passes in order, and the numbers that become known after each level of them."""

    scalars: list[list[Node]]
    passes: list[list[Pass]]
    leaves: list[Leaf]
    matrices: list[list[Matrix]]  # whose bodies are known after each level


def parts(node: Node) -> tuple[Node, ...]:
    """Give the nodes that the code of a node reads where it stands: of a matrix, those that say which element."""
    return arguments(node)[isinstance(node, Matrix) :]


def home_of(labels: Iterable[str], lengths: Mapping[str, int]) -> str:
    """Give the label over whose places a pass runs: the rows', or the longest."""
    return max(labels, key=lambda label: (label == ROWS, lengths.get(label, 0), label))


def is_total(node: Node, lengths: Mapping[str, int]) -> bool:
    """Tell whether a node is what a whole pass adds up to."""
    return isinstance(node, Fold) and node.label == home_of(node.body.labels, lengths)


def schedule(
    outputs: Sequence[Node], entries: Sequence[Entry] = (), lengths: Mapping[str, int] | None = None
) -> Schedule:
    """Put the nodes that outputs and entries need in order.

    Parameters
    ----------
    outputs : sequence of Node
        Nodes without labels.
    entries : sequence of Entry
        Entries of a vector, at places along labels.
    lengths : mapping of str to int, optional
        Of the labels.

    Returns
    -------
    Schedule
    """
    nodes = reachable([*outputs, *(e.node for e in entries), *(e.leaf for e in entries)])
    plan = _Plan(lengths or {})
    for node in nodes:
        plan.levels[node] = plan.level(node)
    for entry in entries:
        home = home_of(entry.leaf.labels | entry.node.labels, plan.sizes)
        level = max(plan.needed(entry.node, home), plan.needed(entry.leaf, home), plan.levels[entry.leaf])
        plan.at(level, home).entries.append(entry)
    for piece in plan.passes.values():
        _fill(piece, plan.sizes)
    depth = max((p.level for p in plan.passes.values()), default=-1) + 1
    top = max(depth, max(plan.levels.values(), default=0))
    return Schedule(
        [[n for n in nodes if not n.labels and plan.levels[n] == level] for level in range(top + 1)],
        [[plan.passes[key] for key in sorted(plan.passes) if key[0] == level] for level in range(top)],
        [n for n in nodes if isinstance(n, Leaf)],
        [[n for n in nodes if isinstance(n, Matrix) and plan.levels[n] == level] for level in range(top + 1)],
    )


class _Plan:
    """The passes so far, by level and home, and the level from which on each node is known."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self.sizes = sizes
        self.levels: dict[Node, int] = {}
        self.passes: dict[tuple[int, str], Pass] = {}

    def at(self, level: int, home: str) -> Pass:
        """Give the pass over a home at a level."""
        return self.passes.setdefault((level, home), Pass(home, level))

    def level(self, node: Node) -> int:
        """Give the number of passes that must have ended before a node is known, its arguments' being known."""
        if isinstance(node, Fold):
            home = home_of(node.body.labels, self.sizes)
            level = self.needed(node.body, home)
            if node.label == home:
                self.at(level, home).folds.append(node)
            return level + 1 if node.label == home else level
        if not node.labels and not isinstance(node, Matrix):
            return max((self.levels[a] for a in arguments(node)), default=0)
        home = home_of(node.labels, self.sizes) if node.labels else ""
        if isinstance(node, Matrix):
            indices = (self.needed(i, home) if i.labels else self.levels[i] for i in parts(node))
            return max(self.left_behind(node.body), *indices, 0)
        return max((self.needed(a, home) for a in arguments(node)), default=0)

    def needed(self, arg: Node, home: str) -> int:
        """Give the level from which on a pass over ``home`` can read a node, which another pass keeps for it."""
        if isinstance(arg, Leaf | Matrix):  # read where it stands, at places that must be known there
            return max([self.levels[arg], *(self.needed(i, home) for i in parts(arg))])
        if not arg.labels or isinstance(arg, Const) or is_total(arg, self.sizes):
            return self.levels[arg]
        own = home_of(arg.labels, self.sizes)
        return self.levels[arg] if own == home else self._kept(arg, own)

    def left_behind(self, body: Node) -> int:
        """Give the level from which on all of a matrix is in memory."""
        total = is_total(body, self.sizes)
        return self.levels[body] if total else self._kept(body, home_of(body.labels, self.sizes))

    def _kept(self, node: Node, home: str) -> int:
        stores = self.at(self.levels[node], home).stores
        if node not in stores:
            stores.append(node)
        return self.levels[node] + 1


def _fill(piece: Pass, sizes: Mapping[str, int]) -> None:
    """Find what a pass computes, and the numbers that it reads: down to what was known before."""
    inside: dict[int, Node] = {}
    inputs: dict[int, Node] = {}
    stack = piece.roots()
    while stack:
        node = stack.pop()
        if node.number in inside:
            continue
        if not node.labels:
            inputs[node.number] = node
            continue
        inside[node.number] = node
        if not piece.finds(node, sizes):
            stack.extend(parts(node))
    piece.nodes = [inside[number] for number in sorted(inside)]
    piece.inputs = [inputs[number] for number in sorted(inputs)]
