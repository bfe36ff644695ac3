"""The nodes of one objective, equal ones only once, with what is known of them and of their labels."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, TypeVar

from symgd.graph.exact import NUMBERS, ratio_to_float
from symgd.graph.nodes import ROWS, Const, Fold, Index, Leaf, Map, Matrix, Node, Span, arguments
from symgd.language import scalar

if TYPE_CHECKING:
    from symgd.graph.exact import Number, Numbers

Made = TypeVar("Made", bound=Node)
Found = TypeVar("Found")


class Store:
    """All nodes of one objective.

    Nodes are made here as they stand; which ones a formula or a derivative is made of, is for a `Graph` to say.

    Parameters
    ----------
    rows : int, optional
        The number of rows of the data, where they are known.
    numbers : Numbers
        How exact numbers are.
    """

    def __init__(self, rows: int | None = None, numbers: Numbers = NUMBERS) -> None:
        self.rows, self.numbers = rows, numbers
        self.lengths: dict[str, int] = {}  # of all labels but the rows'
        self.selected: dict[str, tuple[str, Node]] = {}  # labels of what a condition picks: see selections.selection
        self.column = ""  # of the data, by which their number of rows is written
        # What reading notes of the text.
        self.spans: dict[int, tuple[int, int]] = {}  # where nodes stand in it
        self.averaged: set[int] = set()  # of how many terms, the rows left aside, the formula takes means
        self.notes: dict[str, None] = {}  # what is probably not meant, in the order of the text
        self.gaps: frozenset[str] = frozenset()  # data with entries that are no numbers, for views
        self.seams: dict[Node, Node] = {}  # branches that are one function, and what was written for it
        self.edges: set[Node] = set()  # conditions of those that are power series
        self.fired: Counter[str] = Counter()  # how often each stable form was made
        self._nodes: dict[tuple[object, ...], Node] = {}
        self._memos: dict[Callable[..., object], dict[object, object]] = {}

    def copy(self) -> Store:
        """Give the same nodes, and what is known of them, to be added to apart from these."""
        new = Store()
        for name, value in vars(self).items():
            setattr(new, name, value.copy() if isinstance(value, dict | set) else value)
        new._memos = {of: known.copy() for of, known in self._memos.items()}
        return new

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes.values())

    def memo(self, of: Callable[..., Found]) -> dict[object, Found]:
        """Give what a function has found about nodes so far, by what it was asked."""
        return self._memos.setdefault(of, {})  # type: ignore[return-value]

    def _intern(self, key: tuple[object, ...], make: Callable[[int], Node]) -> Node:
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = make(len(self._nodes))
        return node

    # ---- nodes -----------------------------------------------------------------------------------------------------

    def const(self, value: Number | int) -> Node:
        """Give the node of a number."""
        exact = Fraction(value) if isinstance(value, int) else value
        number = self.numbers.kept(exact if isinstance(exact, Fraction) else self.numbers.read(exact))
        key = ("const", number.hex() if isinstance(number, float) else number)
        return self._intern(key, lambda i: Const(i, frozenset(), False, ratio_to_float(number), number))

    def leaf(self, kind: str, name: str, index: Iterable[Index | str] = (), table: tuple[object, ...] = ()) -> Node:
        """Give the node of an input; a label in ``index`` stands for all places along it."""
        places = tuple(Span(i) if isinstance(i, str) else i for i in index)
        if kind == "data" and places and places[0] == Span(ROWS):
            self.column = self.column or name
        if kind == "places" and not isinstance(places[0], Span):
            return self.const(places[0]) if isinstance(places[0], int) else places[0]
        constant = {"pi": math.pi, "e": math.e}.get(name) if kind == "constant" else None
        return self._intern(
            ("leaf", kind, name, places, table),
            lambda i: Leaf(i, _labels(places), kind == "parameter", constant, kind, name, places, table),
        )

    def map(self, function: str, *args: Node) -> Node:
        """Apply a function of the table."""
        if function == "multiply":
            swapped = self._nodes.get(("map", function, args[1].number, args[0].number))
            if swapped is not None:
                return swapped
        return self._intern(
            ("map", function, *(a.number for a in args)),
            lambda i: Map(
                i,
                frozenset().union(*(a.labels for a in args)),
                any(a.active for a in args),
                constant_value(function, args),
                function,
                args,
            ),
        )

    def fold(self, function: str, body: Node, label: str) -> Node:
        """Reduce over a label that the body has."""
        return self._intern(
            ("fold", function, body.number, label),
            lambda i: Fold(i, body.labels - {label}, body.active, None, function, body, label),
        )

    def matrix(self, function: str, body: Node, index: Iterable[Index] = ()) -> Node:
        """Give a function of a square matrix, whose rows and columns lie along the labels of `square`."""
        places = tuple(index)
        row, column = self.square(max(self.lengths[label] for label in body.labels))
        return self._intern(
            ("matrix", function, body.number, places),
            lambda i: Matrix(i, _labels(places), body.active, None, function, body, row, column, places),
        )

    # ---- labels ----------------------------------------------------------------------------------------------------

    def label(self, length: int, taken: Collection[str] = ()) -> str:
        """Give a label of a length: the same for all axes of this length, but for those that are taken."""
        name = f"n{length}"
        while name in taken:
            name += "'"
        self.lengths[name] = length
        return name

    def length(self, label: str) -> int | None:
        """Give the number of places along a label; ``None`` for rows whose data are not known."""
        return self.rows if label == ROWS else None if label in self.selected else self.lengths[label]

    def sizes(self) -> dict[str, int]:
        """Give the lengths of all labels, the rows' too where it is known."""
        return self.lengths | ({ROWS: self.rows} if self.rows is not None else {})

    def square(self, length: int) -> tuple[str, str]:
        """Give the labels of rows and columns inside of a `Matrix`, which nothing outside of it has."""
        names = f"m{length}", f"m{length}'"
        self.lengths.update(dict.fromkeys(names, length))
        return names

    # ---- what is known of nodes ------------------------------------------------------------------------------------

    def seam(self, node: Node, written: Node) -> Node:
        """Note that branches are one function, and what was written for it."""
        if node is not written:
            self.seams[node] = written
        return node

    def without_seams(self, root: Node) -> list[Node]:
        """Give the nodes that a root is made of, without the branches and shifts that mean nothing but to float64."""
        kept: dict[Node, bool] = {}
        stack = [root]
        while stack:
            node = stack.pop()
            if node in kept:
                continue
            shift = isinstance(node, Map) and node.function in ("held", "below")
            kept[node] = not shift and node not in self.seams
            stack += [self.seams[node]] if node in self.seams else arguments(node)[: -1 if shift else None]
        return [node for node, keep in kept.items() if keep]

    def signature(self) -> str:
        """Write all nodes down: equal texts are equal graphs."""
        lines = []
        for node in self:
            if isinstance(node, Const):
                lines.append(repr(node.value))
            elif isinstance(node, Leaf):
                index = [i.number if isinstance(i, Node) else i for i in node.index]
                lines.append(f"{node.kind} {node.name} {index} {node.table}")
            elif isinstance(node, Map):
                lines.append(f"{node.function} {[a.number for a in node.args]}")
            elif isinstance(node, Fold):
                lines.append(f"{node.function} {node.body.number} {node.label}")
            elif isinstance(node, Matrix):
                index = [i.number if isinstance(i, Node) else i for i in node.index]
                lines.append(f"{node.function} {node.body.number} {node.row} {node.column} {index}")
        return "\n".join([*lines, *map(repr, sorted(self.lengths.items()))])


def _labels(index: Iterable[Index]) -> frozenset[str]:
    """Give the labels along which what is read at an index varies."""
    return frozenset[str]().union(
        *([i.label] if isinstance(i, Span) else i.labels for i in index if not isinstance(i, int))
    )


def constant_value(function: str, args: tuple[Node, ...]) -> float | None:
    """Give the value of a function of constants; ``None`` when an argument is not one."""
    values = [a.constant for a in args]
    if any(v is None for v in values):
        return None
    return scalar.evaluate(function, [float(v) for v in values if v is not None])
