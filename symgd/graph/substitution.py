"""Indices put in for labels, all at once: slices, gathers, transposes and single elements are all this."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from symgd.graph.nodes import Fold, Index, Leaf, Map, Matrix, Node, Span

if TYPE_CHECKING:
    from symgd.graph.graph import Graph

_Key = tuple[Node, tuple[tuple[str, str | int], ...]]


class Substitution:
    """One substitution, which meets each node once for all labels of it that are replaced.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._known: dict[_Key, Node] = {}

    def of(self, node: Node, places: Mapping[str, Index]) -> Node:
        """Give a node with indices in place of labels."""
        used = {label: index for label, index in places.items() if label in node.labels}
        if not used:
            return node
        key = (node, tuple(sorted((label, str(index) if isinstance(index, Span | int) else index.number)
                                  for label, index in used.items())))  # fmt: skip
        if key not in self._known:
            found = self._known[key] = self._made(node, used)
            store = self.graph.store
            if node in store.seams:
                store.seams[found] = self.of(store.seams[node], used)
            if node in store.edges:
                store.edges.add(found)
        return self._known[key]

    def _made(self, node: Node, used: dict[str, Index]) -> Node:
        graph = self.graph
        if isinstance(node, Leaf):
            return graph.leaf(node.kind, node.name, [self._at(i, used) for i in node.index], node.table)
        if isinstance(node, Fold):
            return self._fold(node, used)
        if isinstance(node, Matrix):  # its body has no label but those that it binds
            return graph.matrix(node.function, node.body, [self._at(i, used) for i in node.index])
        assert isinstance(node, Map)
        return graph.map(node.function, *(self.of(a, used) for a in node.args))

    def _fold(self, node: Fold, used: dict[str, Index]) -> Node:
        """Put indices in inside of a fold, whose own label must not be mistaken for one of theirs."""
        free: set[str] = set()
        for index in used.values():
            free |= {index.label} if isinstance(index, Span) else set() if isinstance(index, int) else index.labels
        label = node.label
        inner = {k: v for k, v in used.items() if k != label}
        if label in free:
            length = self.graph.length(label)
            assert length is not None
            label = self.graph.label(length, free | node.body.labels)
            inner[node.label] = Span(label)
        return self.graph.fold(node.function, self.of(node.body, inner), label)

    def _at(self, index: Index, places: Mapping[str, Index]) -> Index:
        """Give one entry of a leaf's index with other indices put in for labels."""
        if isinstance(index, int):
            return index
        if isinstance(index, Node):
            node = self.of(index, places)
            return node if node.constant is None else int(node.constant)
        place = places.get(index.label)
        if place is None:
            return index
        if isinstance(place, Span):
            return Span(place.label, index.start + index.step * place.start, index.step * place.step)
        if isinstance(place, int):
            return index.start + index.step * place
        if (index.start, index.step) == (0, 1):
            return place
        graph = self.graph
        return graph.add(graph.const(index.start), graph.multiply(graph.const(index.step), place))
