"""What is said about a formula that cannot be read, or whose shapes are not known yet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NoReturn

from symgd import language as fm
from symgd.errors import FormulaError, ShapeError
from symgd.graph import arrays
from symgd.graph.arrays import Array
from symgd.graph.graph import Graph
from symgd.graph.nodes import Node
from symgd.language import Tree
from symgd.language.functions import FUNCTIONS

Lookup = Callable[[fm.Name], Node | Array]


class NeedsShape(Exception):  # noqa: N818 - a question, not an error
    """A parameter whose shape was not given is used as an array; carries the shape that would do, if one is plain.

    ``reduced`` is the text of a reduction, such as ``mean(w)``, that means something else for a number than for an
    array, where nothing else in the formula tells which of them the parameter is.
    """

    def __init__(self, name: str, guess: tuple[int, ...] | None, reduced: str = "") -> None:
        super().__init__(name)
        self.name, self.guess, self.reduced = name, guess, reduced


class Messages:
    """The text of a formula and the names in it, and what is said about them."""

    def __init__(self, graph: Graph, text: str, lookup: Lookup) -> None:
        self.graph = graph
        self.text = text
        self.lookup = lookup
        self.undeclared: Collection[str] = ()
        self.reduced: NeedsShape | None = None
        # While a group's shape is read, what stands for the names and numbers of its first term, by their place.
        self.override: dict[int, Node] = {}

    def name(self, tree: fm.Name) -> Array:
        """Give what a name stands for."""
        found = self.override.get(tree.start) or self.lookup(tree)
        return found if isinstance(found, Array) else Array(found, tuple(sorted(found.labels)))

    def error(self, problem: str, tree: Tree, hint: str | None = None) -> FormulaError:
        """Make the error that points at a tree."""
        return FormulaError(problem, self.text, tree.start, tree.end, hint)

    def misfit(self, problem: str, start: int, end: int, operands: Sequence[Tree], hint: str | None = None) -> NoReturn:
        """Say that shapes do not fit; while the shape of a parameter among the operands is open, ask for it."""
        self.ask_at_once(operands)
        raise ShapeError(problem, self.text, start, end, hint)

    def ask_at_once(self, operands: Sequence[Tree]) -> None:
        """Ask for the shape of a parameter among the operands, if one is open."""
        for operand in operands:
            for name in fm.names(operand):
                if name in self.undeclared:
                    raise NeedsShape(name, None)

    def ask(self, tree: Tree, operands: Sequence[Tree], *values: Array) -> None:
        """Note that what is reduced has no axes, if it would have some were a parameter an array that may be one."""
        if self.reduced is None and self.undeclared and not any(value.axes for value in values):
            open_names = (n for n in _exposed(operands) if n.name in self.undeclared and not self.name(n).axes)
            name = next(open_names, None)
            self.reduced = NeedsShape(name.name, None, self.brief(tree)) if name else None

    def shown(self, tree: Tree, array: Array) -> str:
        """Write an operand down with its shape."""
        return f"'{self.brief(tree)}' with shape {arrays.shape(self.graph, array)}"

    def brief(self, tree: Tree) -> str:
        """Write an operand down, shortened."""
        text = " ".join(fm.source(self.text, tree).split())
        return text if len(text) <= 30 else text[:27] + "..."

    def between(self, left: Tree, right: Tree) -> tuple[int, int]:
        """Give the place of the operator between two operands."""
        gap = self.text[left.end : right.start]
        if gap.strip() in ("", ","):  # the arguments of a call
            return left.start, right.end
        start = left.end + len(gap) - len(gap.lstrip())
        return start, left.end + len(gap.rstrip())


def _exposed(trees: Sequence[Tree]) -> Iterator[fm.Name]:
    """Give the names whose axes the trees would have, were they arrays: of those that are reduced none is left."""
    stack = list(trees)[::-1]
    while stack:
        tree = stack.pop()
        if isinstance(tree, fm.Name):
            yield tree
        elif isinstance(tree, fm.Call) and tree.function in FUNCTIONS and FUNCTIONS[tree.function].kind == "reduction":
            continue
        elif not (isinstance(tree, fm.Attribute) and tree.name != "T"):
            stack += list(fm.children(tree))[::-1]
