"""Arrays and truth values of parts of a formula, lined up as NumPy does."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence

from symgd import language as fm
from symgd.errors import FormulaError
from symgd.graph import arrays
from symgd.graph.arrays import ONE, Array, Misfit
from symgd.graph.graph import Graph
from symgd.graph.nodes import Leaf, Map, Node
from symgd.graph.reading.messages import Lookup, Messages
from symgd.language import Tree
from symgd.language.functions import FUNCTIONS


def is_boolean(node: Node) -> bool:
    """Tell whether a node is a truth value."""
    return isinstance(node, Map) and FUNCTIONS[node.function].boolean


def as_number(graph: Graph, node: Node) -> Node:
    """Give 1 or 0 for a truth value, and any other node as it is."""
    return graph.map("where", node, graph.const(1), graph.const(0)) if is_boolean(node) else node


def _regrouping(tree: Tree) -> list[Tree]:
    """Give the parts of a tree whose axes are not just those of its operands, lined up."""
    found: list[Tree] = []
    for part in fm.walk(tree):
        if isinstance(part, fm.Call):
            row = FUNCTIONS.get(part.function)
            if row is not None and row.kind in ("reduction", "array"):
                found.append(part)
        elif isinstance(part, fm.Index | fm.Attribute) or (isinstance(part, fm.Product) and "@" in part.ops):
            found.append(part)
    return found


class Values(Messages, ABC):
    """The values of parts of a formula."""

    def __init__(self, graph: Graph, text: str, lookup: Lookup, *, strict: bool = True) -> None:
        super().__init__(graph, text, lookup)
        self.strict = strict  # whether constants must be finite; in the table's own formulas their user sees to that
        self.flags: Collection[str] = ()

    @abstractmethod
    def array(self, tree: Tree) -> Array:
        """Give the array of a tree, whatever it is."""

    def value(self, tree: Tree) -> Array:
        """Give the array of a tree, refusing constants that are no real number."""
        array = self.array(tree)
        value = array.node.constant
        if self.strict and value is not None and not math.isfinite(value):
            what = "is not a real number" if value != value else "is infinite, or too large for float64"  # noqa: PLR0124
            raise self.error(
                f"the constant '{fm.source(self.text, tree)[:40]}' {what}", tree, "leave it out, or rewrite it"
            )
        if self.strict:
            self.graph.store.spans.setdefault(array.node.number, (tree.start, tree.end))
        return array

    def number(self, tree: Tree) -> Array:
        """Give an array that arithmetic can be done with: a truth value counts as 1 or 0."""
        return self.numbers(self.value(tree))

    def numbers(self, array: Array) -> Array:
        """Give 1 and 0 for truth values."""
        return Array(as_number(self.graph, array.node), array.axes)

    def condition(self, tree: Tree) -> Array:
        """Give truth values: a number holds where it is not 0."""
        return self._truth(*self.value(tree))

    def _truth(self, node: Node, axes: tuple[str, ...]) -> Array:
        return Array(node if is_boolean(node) else self.graph.map("not_equal", node, self.graph.const(0)), axes)

    def is_truth(self, node: Node) -> bool:
        """Tell whether NumPy would have True and False here: of a comparison, or of data that are so."""
        return is_boolean(node) or (isinstance(node, Leaf) and node.kind == "data" and node.name in self.flags)

    def operand(self, tree: Tree, operator: str) -> Array:
        """Give the truth values that stand beside and, or, not, &, | or ~; of numbers these mean something else.

        In Python ``2 or x`` is 2, and ``~x`` is ``-x - 1``.
        """
        array = self.value(tree)
        if not self.is_truth(array.node):
            brief = self.brief(tree)
            problem = f"'{operator}' wants conditions, and '{brief}' is a number"
            simple = isinstance(tree, fm.Name | fm.Number | fm.Call | fm.Index | fm.Attribute) or brief.startswith("(")
            condition = f"({brief} != 0)" if simple else f"(({brief}) != 0)"
            raise self.error(problem, tree, f"write {condition}; where(condition, a, b) chooses between numbers")
        return self._truth(*array)

    def no_truths(self, operator: str, trees: Sequence[Tree], values: Sequence[Array]) -> None:
        """Refuse an operation that NumPy does in another way where both operands are True and False."""
        if all(self.is_truth(value.node) for value in values):
            problem = f"'{operator}' of truth values is no arithmetic in NumPy"
            raise FormulaError(
                problem, self.text, trees[0].start, trees[-1].end, "write where(condition, 1, 0) for each"
            )

    def lined_up(self, trees: Sequence[Tree], values: Sequence[Array]) -> tuple[list[Node], tuple[str, ...]]:
        """Broadcast the operands of one operator or call."""
        if not any(value.axes for value in values):
            return [value.node for value in values], ()
        try:
            nodes, axes = arrays.broadcast(self.graph, *values)
            self._note_square(trees, values, axes)
            return nodes, axes
        except Misfit as problem:
            second = next(i for i in range(1, len(values)) if self._clashes(values[: i + 1]))
            first = next(i for i in range(second) if self._clashes((values[i], values[second])))
            before, after = trees[second - 1], trees[second]
            start, end = self.between(before, after)
            shown = f"{self.shown(trees[first], values[first])} and {self.shown(trees[second], values[second])}"
            hint = "axes are matched from the last one on, and must be equal or 1"
            self.misfit(f"{shown} {problem}", start, end, [t for tree in trees for t in _regrouping(tree)], hint)

    def _note_square(self, trees: Sequence[Tree], values: Sequence[Array], axes: tuple[str, ...]) -> None:
        """Note where a column beside a vector of the same length makes a square of them, though nothing says so."""
        if len(axes) != 2 or ONE in axes or arrays.size(self.graph, axes[0]) != arrays.size(self.graph, axes[1]):
            return
        column = next((i for i, v in enumerate(values) if len(v.axes) == 2 and v.axes[1] == ONE), None)
        vector = next((i for i, v in enumerate(values) if len(v.axes) == 1), None)
        if column is None or vector is None:
            return
        if any(isinstance(part, fm.NewAxis | fm.Bool) for t in (trees[column], trees[vector]) for part in fm.walk(t)):
            return  # x[:, None] - x is meant so
        (first, a), (second, b) = sorted((i, trees[i]) for i in (column, vector))
        shown = f"{self.shown(a, values[first])} and {self.shown(b, values[second])}"
        name = self.brief(trees[column])
        short = name if isinstance(trees[column], fm.Name) else f"({name})"
        row = self.brief(trees[vector])
        row = row if isinstance(trees[vector], fm.Name) else f"({row})"
        self.graph.store.notes[
            f"{shown} broadcast to {arrays.shape(self.graph, Array(self.graph.const(0), axes))}: every row meets every "
            f"other; write {short}[:, 0] to match them one by one, {row}[None, :] to mean this"
        ] = None

    def _clashes(self, values: Sequence[Array]) -> bool:
        try:
            arrays.broadcast(self.graph, *values)
        except Misfit:
            return True
        return False

    def mapped(self, function: str, trees: Sequence[Tree], values: Sequence[Array]) -> Array:
        """Apply a function element by element."""
        nodes, axes = self.lined_up(trees, values)
        return Array(self.graph.map(function, *nodes), axes)

    def no_divisor(self, operator: str, tree: Tree, value: Array) -> None:
        """Refuse a remainder by True or False, which is one of small whole numbers in NumPy: 0 for False."""
        if self.is_truth(value.node):
            raise self.error(f"a truth value is no divisor for '{operator}'", tree, "write where(condition, 1, 0)")

    def one_shape(self, tree: fm.Compare | fm.Logical, word: str, values: Sequence[Array]) -> None:
        """Refuse arrays beside numbers where Python looks at the left side and may leave the right one out."""
        if len({len(value.axes) for value in values}) > 1:
            shown = self.shown(tree, max(values, key=lambda value: len(value.axes)))
            problem = f"'{word}' joins an array and a number in {shown}"
            raise self.error(problem, tree, "write & or |, with parentheses around each comparison")
