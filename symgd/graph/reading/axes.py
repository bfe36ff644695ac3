"""What a call says about axes, lengths and shapes: numbers that must be known at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from symgd import language as fm
from symgd.graph import arrays
from symgd.graph.arrays import ONE, Array
from symgd.graph.nodes import ROWS, Const, Leaf
from symgd.graph.reading.values import Values
from symgd.language import Tree


class Over(NamedTuple):
    """What a call says about axes: their positions, and whether they stay with length 1."""

    over: tuple[int, ...]
    keep: bool


class Axes(Values):
    """The numbers of axes, and the lengths of new ones."""

    def axes(self, tree: fm.Call, array: Array, default: Sequence[int] | None = None) -> Over:
        """Read ``axis=`` and ``keepdims=``; without an axis, all of them."""
        self.ask(tree, tree.args, array)
        given = dict(tree.keywords)
        keep = given.get("keepdims", fm.Bool(value=False))
        if not isinstance(keep, fm.Bool):
            raise self.error("'keepdims' must be True or False", keep, "write keepdims=True")
        axis = given.get("axis")
        if axis is None or isinstance(axis, fm.NewAxis):
            over = tuple(range(len(array.axes))) if default is None else tuple(default)
            return Over(over, keep.value)
        trees = axis.items if isinstance(axis, fm.Sequence) else (axis,)
        over = tuple(self.position(t, len(array.axes), tree.args) for t in trees)
        if len(set(over)) < len(over):
            self.misfit("an axis is named twice", axis.start, axis.end, tree.args, "name each axis once")
        return Over(over, keep.value)

    def position(self, tree: Tree, rank: int, operands: Sequence[Tree] = ()) -> int:
        """Read the number of an axis."""
        listed = ", ".join(self.brief(t) for t in (*operands[:1], tree))
        place = self.whole(tree, "an axis", f"for the entries of several, write a list: [{listed}]")
        if not -rank <= place < rank:
            has = "no axes" if rank == 0 else "only axis 0" if rank == 1 else f"axes 0 to {rank - 1}"
            shown = f"'{self.brief(operands[0])}'" if operands else "the array"
            self.misfit(f"axis {place} is out of bounds: {shown} has {has}", tree.start, tree.end, operands,
                        "axes are counted from 0, and -1 is the last" if rank else "leave the axis out")  # fmt: skip
        return place % rank

    def scalar(self, tree: Tree, what: str) -> Array:
        """Read one number, which may depend on anything."""
        array = self.number(tree)
        if array.axes:
            raise self.error(f"{what} must be one number", tree, "give a number, or a name that is one")
        return array

    def whole(self, tree: Tree, what: str, hint: str = "write it as a number, such as 0") -> int:
        """Read a whole number that must be known at once."""
        node = self.number(tree).node
        if isinstance(node, Leaf) and node.kind == "count" and self.graph.store.rows is not None:
            return self.graph.store.rows
        if not isinstance(node, Const) or node.value != int(node.value):
            raise self.error(f"{what} must be a whole number", tree, hint)
        spelt = fm.source(self.text, tree)
        if "arange" not in what and isinstance(tree, fm.Number) and not spelt.replace("_", "").isdecimal():
            raise self.error(f"{what} must be written as a whole number", tree, f"write {int(node.value)}")
        return int(node.value)

    def stretch(self, tree: Tree) -> str:
        """Read the length of a new axis: a number, or ``len(x)``; give its label."""
        node = self.number(tree).node
        if isinstance(node, Leaf) and node.kind == "count":
            return ROWS
        length = self.whole(tree, "a length")
        if length < 1:
            raise self.error("a length must be at least 1", tree, "leave the array out")
        return ONE if length == 1 else self.graph.label(length)

    def filled(self, tree: Tree) -> tuple[str, ...]:
        """Read the shape of a new array; give the labels of its axes."""
        axes: list[str] = []
        for item in tree.items if isinstance(tree, fm.Sequence) else (tree,):
            axis = self.stretch(item)
            length = arrays.size(self.graph, axis)
            axes.append(self.graph.label(length, axes) if axis in axes and axis and length else axis)
        return tuple(axes)
