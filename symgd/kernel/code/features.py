"""What is computed of each row, and handed out row by row: statements of NumPy for a block of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeGuard

from symgd.graph import ROWS, Leaf, Map, Node, Span, reachable
from symgd.kernel.code.arrays import ArrayFunction
from symgd.kernel.code.forms import Text
from symgd.kernel.code.layout import Layout, layout
from symgd.kernel.code.schedule import Pass, Schedule, parts


class Features(ArrayFunction):
    """Writes a function that gives arrays of rows; its name is ``features``.

    Parameters
    ----------
    inputs : Layout
        The inputs, none of which are parameters.
    nodes : sequence of Node
        What is computed: numbers, and arrays whose last axis is that of the rows.
    lengths : mapping of str to int
        Of the labels but the rows'.
    """

    def __init__(self, inputs: Layout, nodes: Sequence[Node], lengths: Mapping[str, int]) -> None:
        super().__init__("features", inputs, (), (), lengths, inputs.data(), vector=False)
        self.given = nodes
        rows = [node for node in dict.fromkeys(nodes) if node.labels and not self._is_input(node)]
        inside = reachable(nodes)
        piece = Pass(ROWS, 0, stores=rows, nodes=[n for n in inside if n.labels])
        piece.inputs = [a for n in piece.nodes for a in parts(n) if not a.labels]
        passes = [[piece]] if rows else []
        numbers: list[Node] = [n for n in inside if not n.labels and isinstance(n, Map)]
        self.plan = Schedule([numbers, []], passes, [n for n in inside if isinstance(n, Leaf)], [[], []])
        self.reads = self._reads(list(nodes), [])

    def _is_input(self, node: Node) -> TypeGuard[Leaf]:
        """Tell whether a node is an array of numbers as it was given."""
        return isinstance(node, Leaf) and node.index == (Span(ROWS),) and self.layout.is_float(node)

    def _give(self) -> int:
        given = [
            f"_d{self.layout.column(n)}" if self._is_input(n) else f"_s{n.number}" if n.labels else self.numeric(n).code
            for n in self.given
        ]
        self.line(f"return {', '.join([*given, ''])}")
        return len(self.given)


def features(
    nodes: Sequence[Node], lengths: Mapping[str, int], data: Mapping[str, tuple[str, tuple[int, ...]]]
) -> tuple[Layout, Text]:
    """Write the function that computes features of rows.

    Parameters
    ----------
    nodes : sequence of Node
        What no parameter reaches.
    lengths : mapping of str to int
        Of the labels but the rows'.
    data : mapping of str to (str, tuple of int)
        Type and shape of each data array.

    Returns
    -------
    tuple of Layout and Text
    """
    inside = reachable(nodes)
    inputs = layout((), [n for n in inside if isinstance(n, Leaf)], {}, data)
    return inputs, Features(inputs, nodes, lengths).text()
