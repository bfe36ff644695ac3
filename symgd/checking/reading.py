"""An objective and what is claimed about it, read into one graph."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from symgd import language as fm
from symgd.errors import FormulaError
from symgd.graph import Array, Forms, Graph, Node, Store, as_number, calculus, read, shape, whole
from symgd.graph.exact import Ratios
from symgd.language.functions import CONSTANTS

Shape = tuple[int, ...]


class Reading:
    """A formula and its exact derivatives, for certain shapes of everything that it reads.

    Parameters
    ----------
    text : str
        The objective.
    tree : Tree
        What was read from it.
    params : mapping of str to tuple of int
        The parameters and their shapes.
    data : mapping of str to tuple of int
        Everything else that has values, and its shape.
    sizes : mapping of str to int
        Names that stand for lengths, such as ``n``.

    Raises
    ------
    FormulaError
        If the shapes do not go together.
    """

    def __init__(
        self, text: str, tree: fm.Tree, params: Mapping[str, Shape], data: Mapping[str, Shape],
        sizes: Mapping[str, int],
    ) -> None:  # fmt: skip
        self.text, self.tree, self.params, self.data, self.sizes = text, tree, dict(params), dict(data), dict(sizes)
        self.graph = Graph(Store(numbers=Ratios()), Forms.TYPED)  # what was written, and ratios of any size
        self.value = self._read(text, tree)

    def scalar(self) -> Node:
        """Give the objective's node, which must be one number."""
        if self.value.axes and any(self.value.axes):
            problem = f"the objective must be one number, but this has the shape {shape(self.graph, self.value)}"
            hint = "put mean(...) or sum(...) around it, or ask check_jacobian"
            raise FormulaError(problem, self.text, 0, len(self.text), hint)
        return self.value.node

    @property
    def declared(self) -> set[str]:
        """All names that a formula about this may read."""
        return {*self.params, *self.data, *self.sizes}

    def read(self, text: str) -> Array:
        """Read another formula in the same names."""
        return self._read(text, fm.parse(text, declared=self.declared))

    def _read(self, text: str, tree: fm.Tree) -> Array:
        found = read(self.graph, text, tree, lambda name: self._leaf(text, name), group=False, keep=True)
        return Array(as_number(self.graph, found.node), found.axes)

    def _leaf(self, text: str, name: fm.Name) -> Array:
        if name.name in self.params:
            return whole(self.graph, "parameter", name.name, self.params[name.name])
        if name.name in self.data:
            return whole(self.graph, "data", name.name, self.data[name.name])
        if name.name in self.sizes:
            return Array(self.graph.const(self.sizes[name.name]))
        if name.name in ("pi", "e"):
            return Array(self.graph.leaf("constant", name.name))
        if name.name in CONSTANTS:
            return Array(self.graph.const(CONSTANTS[name.name]))
        from symgd.errors import suggest

        near = suggest(name.name, sorted(self.declared))
        hint = f"did you mean '{near}'?" if near else f"the names are {', '.join(sorted(self.declared))}"
        raise FormulaError(f"unknown name '{name.name}'", text, name.start, name.end, hint)

    @cached_property
    def slope(self) -> calculus.Vector:
        """The exact gradient."""
        return calculus.gradient(self.graph, self.scalar())


def spread(array: Array) -> Any:
    """Give the labels of an array's axes in order."""
    return array.axes
