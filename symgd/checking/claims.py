"""What is claimed: one formula for a block of derivatives, beside the exact block."""

from __future__ import annotations

from functools import cached_property

from symgd.checking.reading import Reading
from symgd.graph import Array, Graph, Node, Span, calculus, reachable, shape, whole
from symgd.graph.calculus import Vector
from symgd.graph.nodes import Leaf
from symgd.records import dataclass

SEED = "the place"  # data that stand for a unit vector: no name of a formula has a space


@dataclass(frozen=True)
class Target:
    """Which derivatives: of what, by which parameter.

    Parameters
    ----------
    name : str
        The parameter that is differentiated by.
    of : str
        ``""`` for the objective; the name of a parameter for a block of the Hessian; ``"rows"`` for a Jacobian.
    """

    name: str
    of: str = ""

    @property
    def key(self) -> str:
        """How results call it."""
        return f"{self.of},{self.name}" if self.of and self.of != "rows" else self.name


class Exact:
    """The exact block of derivatives, in one reading.

    Parameters
    ----------
    reading : Reading
        The objective with shapes.
    target : Target
        Which derivatives.
    """

    def __init__(self, reading: Reading, target: Target) -> None:
        self.reading, self.target = reading, target

    @cached_property
    def seed(self) -> tuple[int, ...]:
        """The shape of what is differentiated: its axes come first."""
        if not self.target.of:
            return ()
        if self.target.of == "rows":
            axes = self.reading.value.axes
            return tuple(1 if a == "" else self.reading.graph.length(a) or 1 for a in axes)
        return self.reading.params[self.target.of]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the block."""
        return (*self.seed, *self.reading.params[self.target.name])

    @cached_property
    def slope(self) -> Vector:
        """The derivatives, as entries; linear in the seed where there is one."""
        reading = self.reading
        if not self.target.of:
            return reading.slope
        return calculus.gradient(reading.graph, self._seeded())

    def _seeded(self) -> Node:
        """Multiply what is differentiated by the seed, and add up."""
        graph = self.reading.graph
        if self.target.of == "rows":
            value = self.reading.value
            node = graph.multiply(value.node, graph.leaf("data", SEED, [a or 0 for a in value.axes]))
            return _total(graph, node)
        graph, parts = graph.tidy, []
        for entry in self.reading.slope.entries:
            if entry.leaf.name == self.target.of:
                node = graph.multiply(entry.node, graph.leaf("data", SEED, entry.leaf.index))
                parts.append(_total(graph, node))
        return graph.add(*parts) if parts else graph.const(0)


def _total(graph: Graph, node: Node) -> Node:
    for label in sorted(node.labels):
        node = graph.fold("sum", node, label)
    return node


def written_shape(reading: Reading, array: Array) -> tuple[int, ...]:
    """Give the shape of an array."""
    return tuple(1 if a == "" else reading.graph.length(a) or 0 for a in array.axes)


def matched(reading: Reading, array: Array, wanted: tuple[int, ...]) -> Array | None:
    """Give an array with the axes that are wanted; None where it does not broadcast to them."""
    have = written_shape(reading, array)
    if have == wanted:
        return array
    if len(have) > len(wanted):
        return None
    axes = ("",) * (len(wanted) - len(have)) + array.axes
    full = (1,) * (len(wanted) - len(have)) + have
    if all(h in (1, w) for h, w in zip(full, wanted, strict=True)):
        return Array(array.node, axes)
    return None


def index_names(reading: Reading) -> set[str]:
    """Give the data that serve as an index."""
    found = set()
    for node in reachable([reading.value.node]):
        if isinstance(node, Leaf):
            for index in node.index:
                if not isinstance(index, Span | int):
                    found |= {n.name for n in reachable([index]) if isinstance(n, Leaf) and n.kind == "data"}
    return found


__all__ = ["SEED", "Exact", "Target", "index_names", "matched", "shape", "whole", "written_shape"]
