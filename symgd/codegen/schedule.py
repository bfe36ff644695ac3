"""The order of the work: which folds share a pass, and what must wait for a pass to end.

The level of a node is the number of passes that must have ended before it is known. Folds over the same label whose
bodies have the same level share one pass: value and gradient of a sum over the rows are formed together, and only an
objective that nests sums over the rows needs a second one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from symgd.calculus import Scatter
from symgd.graph import Fold, Leaf, Node, arguments, reachable


@dataclass
class Pass:
    """One loop over a label: the folds and the scattered sums that it forms."""

    label: str
    level: int
    folds: list[Fold] = field(default_factory=list)
    scatters: list[tuple[str, Scatter]] = field(default_factory=list)  # the vector that it goes to, and the entries
    nodes: list[Node] = field(default_factory=list)  # what varies along the label, in order
    inputs: list[Node] = field(default_factory=list)  # what does not, but is read

    def roots(self) -> list[Node]:
        """Give the nodes that the pass is for."""
        return [*(f.body for f in self.folds), *(s.node for _, s in self.scatters)]


@dataclass
class Schedule:
    """The passes in order, and the nodes without labels that become known after each number of passes."""

    scalars: list[list[Node]]
    passes: list[list[Pass]]
    leaves: list[Leaf]


def schedule(outputs: Sequence[Node], scatters: Sequence[tuple[str, Scatter]] = ()) -> Schedule:
    """Put the nodes that outputs and scattered entries need in order.

    Parameters
    ----------
    outputs : sequence of Node
        Nodes without labels.
    scatters : sequence of (str, Scatter)
        Entries to scatter, and the vector that they go to.

    Returns
    -------
    Schedule
    """
    nodes = reachable([*outputs, *(s.node for _, s in scatters)])
    levels: dict[Node, int] = {}
    for node in nodes:
        below = max((levels[a] for a in arguments(node)), default=0)
        levels[node] = below + 1 if isinstance(node, Fold) else below
    found: dict[tuple[int, str], Pass] = {}

    def at(level: int, label: str) -> Pass:
        return found.setdefault((level, label), Pass(label, level))

    for node in nodes:
        if isinstance(node, Fold):
            at(levels[node] - 1, node.label).folds.append(node)
    for vector, scatter in scatters:
        at(levels[scatter.node], scatter.label).scatters.append((vector, scatter))
    for piece in found.values():
        inside = reachable(piece.roots())
        piece.nodes = [n for n in inside if piece.label in n.labels]
        piece.inputs = _inputs(piece)
    depth = max((p.level for p in found.values()), default=-1) + 1
    top = max(depth, max(levels.values(), default=0))
    return Schedule(
        [[n for n in nodes if not n.labels and levels[n] == level] for level in range(top + 1)],
        [[found[key] for key in sorted(found) if key[0] == level] for level in range(top)],
        [n for n in nodes if isinstance(n, Leaf)],
    )


def _inputs(piece: Pass) -> list[Node]:
    """Give what the pass reads that does not vary along its label."""
    found: dict[int, Node] = {}
    for node in [*piece.nodes, *(fold.body for fold in piece.folds)]:
        for arg in arguments(node) if piece.label in node.labels else (node,):
            if piece.label not in arg.labels:
                found[arg.number] = arg
    for _, scatter in piece.scatters:
        if piece.label not in scatter.node.labels:
            found[scatter.node.number] = scatter.node
    return [found[number] for number in sorted(found)]
