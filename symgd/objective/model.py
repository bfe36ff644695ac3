"""A formula whose arrays have shapes: its graph, its derivatives, its generated functions, and its kernels."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from symgd.data import Column, Data, Stored
from symgd.data.points import Vector
from symgd.errors import DataError, FormulaError, unexplained
from symgd.graph import ROWS, Array, Graph, Leaf, Node, Span, calculus, doubt, is_zero, reachable, shape
from symgd.graph.bounds import Bounds, bounds_of
from symgd.graph.poles import Poles
from symgd.kernel import Kernel
from symgd.kernel.code import Program
from symgd.kernel.machine import cache
from symgd.language import Tree
from symgd.objective.formula import Formula, deep, kept
from symgd.parameters import Shape
from symgd.squares import Squares, squares

if TYPE_CHECKING:
    from symgd.graph.moments import Moments
    from symgd.kernel.code.planned import Rule
    from symgd.objective.reduced import Reduced
    from symgd.views import Entries, Gradient, Hessian


class Model(Formula):
    """A formula that is one number: an objective whose parameters have shapes.

    Parameters
    ----------
    text : str
        As for `Formula`, as are the others.
    tree : Tree
        What was read from it.
    shapes : mapping of str to tuple of int
        The parameters.
    data : Data
        The data that are known.
    columns : collection of str, optional
        The names that are data.
    undeclared : collection of str
        Parameters that are taken for numbers.

    Raises
    ------
    FormulaError
        If the formula is none with these shapes, or not one number.
    NeedsShape
        If a parameter in ``undeclared`` must be an array.
    """

    def __init__(
        self, text: str, tree: Tree, shapes: Mapping[str, Shape], data: Data,
        columns: Collection[str] | None = None, undeclared: Collection[str] = (),
    ) -> None:  # fmt: skip
        super().__init__(text, tree, shapes, data, columns, undeclared)
        self.params = tuple(shapes)
        self._moments: dict[str, Moments | None] = {}
        self.reduced: list[Reduced | None] = []  # as it was last, where the data do not change; ``None`` for none
        # Read at once, so that a mistake is reported here and not at the first evaluation.
        if self.axes:
            graph, node = self.grouped
            what = "one value a row" if self.axes == (ROWS,) else f"the shape {shape(graph, Array(node, self.axes))}"
            problem = f"the objective must be one number, but this has {what}"
            raise FormulaError(problem, text, 0, len(text), "put mean(...) or sum(...) around it")

    @property
    def root(self) -> Node:
        """The objective's node."""
        return self.grouped[1]

    @cached_property
    def gaps(self) -> frozenset[str]:
        """The data in memory with entries that are infinite or no numbers: masked, where the objective is sound."""
        held = {name: v for name, v in self.data.items() if isinstance(v, np.ndarray) and v.dtype.kind == "f"}
        return frozenset(name for name, values in held.items() if not np.isfinite(values).all())

    @cached_property
    def written(self) -> tuple[Graph, Node]:
        """The formula that views show, in a graph that they may add to."""
        graph, root = self.bare
        graph = graph.copy()
        graph.store.gaps = self.gaps
        return graph, root

    @cached_property
    def slope(self) -> calculus.Vector:
        """The gradient, in the graph that views show."""
        with deep():
            return calculus.gradient(*self.written)

    @cached_property
    def _second(self) -> tuple[Graph, calculus.Vector, int]:
        """A graph of its own for second derivatives, the gradient in it, and the number of the formula's last node."""
        graph, found = self.read(guarded=False)
        graph.store.gaps = self.gaps
        return graph.tidy, calculus.gradient(graph, found.node), found.node.number

    @cached_property
    def gradient(self) -> Gradient:
        """The gradient, to be shown."""
        from symgd import views

        graph, root = self.written
        return views.Gradient(graph.tidy, self.slope, self.shapes, root.number)

    @cached_property
    def hessian(self) -> Hessian:
        """The second derivatives, to be shown."""
        from symgd import views

        return views.Hessian(self.shapes, self.block)

    def block(self, name: str, by: str) -> Entries:
        """Differentiate the gradient by one parameter by another.

        Parameters
        ----------
        name : str
            A parameter.
        by : str
            A parameter.

        Returns
        -------
        Entries
            An array with the axes of ``name``, then those of ``by``.
        """
        from symgd import views

        graph, slope, written = self._second
        taken = {label for node in reachable(slope.nodes()) for label in node.labels}
        axes: list[Span | int] = []
        for size in self.shapes[by]:
            axes.append(Span(graph.label(size, taken)) if size > 1 else 0)
            taken |= {axis.label for axis in axes if isinstance(axis, Span)}
        own = [entry for entry in slope.entries if entry.leaf.name == name]
        parts = reachable(entry.node for entry in own)
        seeds = {p: _unit(graph, p, axes) for p in parts if isinstance(p, Leaf) and p.active and p.name == by}
        along = calculus.directional(graph, [entry.node for entry in own], seeds)
        found = []
        for entry in own:
            place = graph.leaf("block", f"{name}, {by}", (*entry.leaf.index, *axes))
            if isinstance(place, Leaf) and not is_zero(along[entry.node]):
                found.append((place, along[entry.node]))
        return views.Entries(graph, tuple(found), written)

    # ---- functions -------------------------------------------------------------------------------------------------

    @cached_property
    def program(self) -> Program:
        """The generated functions, from the disk cache where they are known."""
        graph, root = self.grouped
        types = {name: _type(self.data.get(name)) for name in self.columns}
        parts = map(repr, (self.shapes, sorted(types.items()), root.number))
        key = cache.key("program", cache.generator(), self.text, *parts, graph.store.signature())

        def make() -> Program:
            from symgd.kernel.code import module

            return module.generate(graph.copy(), root, self.params, self.shapes, _known(types))

        return kept(key, make)

    def standalone(self, target: str, rules: Sequence[Rule] = (), values: Mapping[str, object] | None = None) -> str:
        """Give the functions, and descents by rules, as a module for a target; see `Objective.code`."""
        from symgd import __version__
        from symgd.kernel.code.module import derive
        from symgd.kernel.code.targets import module

        graph, root = self.grouped
        known = _known({name: _type(self.data.get(name)) for name in self.columns})
        with deep():
            derived = derive(graph.copy(), root, self.params, self.shapes, known)
            columns = [c.name for c in derived.inputs.columns if c.rows and c.name in self.data]
            rows = [len(self.data[name]) for name in columns] or [self.rows or 0]  # type: ignore[arg-type]
            return module(target, derived, self.text, __version__, rules, values, rows)

    def kernel(self, tier: str, workers: int | None) -> Kernel:
        """Give a running kernel.

        Parameters
        ----------
        tier : str
            As for `Kernel`.
        workers : int, optional
            Threads.

        Returns
        -------
        Kernel

        Raises
        ------
        DataError
            If the data were given as names only.
        """
        missing = [name for name in self.columns if name not in self.data]
        if missing:
            raise DataError(f"the columns {', '.join(missing)} have no values; give data={{...}} to Objective")
        known = partial(_squares, self), partial(_doubt, self), partial(_bounds, self), partial(_sides, self)
        return Kernel(self.program, self.data, tier, workers, self.rows or 0, *known, reduce=partial(_reduced, self))

    def moments(self, **form: bool) -> Moments | None:
        """Give the objective without rows, in one of the forms of `symgd.graph.moments.moments`."""
        key = repr(form)
        if key not in self._moments:
            from symgd.graph.moments import moments

            graph, root = self.plain
            with deep():
                self._moments[key] = None if self.rows is None else moments(graph.copy(), root, **form)
        return self._moments[key]

    @cached_property
    def poles(self) -> Poles:
        """The denominators that may be 0; most formulas have none."""
        return Poles(*self.plain, self.data)

    @cached_property
    def squares(self) -> Squares | None:
        """The residuals, where the formula is a sum of squares."""
        graph, root = self.plain
        with deep():
            return squares(graph.copy(), root, self.shapes, self.data)

    @cached_property
    def bounds(self) -> Bounds:
        """What the formula shows of its values: bounds, and whether it is convex."""
        with deep():
            return bounds_of(*self.plain, self.data)

    @cached_property
    def _doubtful(self) -> bool:
        """Whether a quotient may be 0/0 at some point: most formulas have none, and nothing is asked of them."""
        small = (self.rows or 0) <= doubt.MOST and not any(isinstance(self.data.get(n), Stored) for n in self.columns)
        return small and bool(doubt.quotients(self.plain[1]))

    def doubt(self, values: Mapping[str, float | Vector]) -> str:
        """Tell how many digits the derivatives have at a point, if quotients have lost some there."""
        if not self._doubtful:
            return ""
        try:
            return doubt.lost(*self.written, self.slope, values, self.data)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the point is there
            return unexplained("the number of digits", problem)


def _unit(graph: Graph, leaf: Leaf, axes: Sequence[Span | int]) -> Node:
    """Give 1 where a leaf reads the element at the places along the axes, 0 elsewhere."""
    found = graph.const(1)
    for index, axis in zip(leaf.index, axes, strict=True):
        if isinstance(axis, Span):
            here = index if isinstance(index, Node) else graph.leaf("places", "", (index,))
            condition = graph.map("equal", here, graph.leaf("places", "", (axis,)))
            found = graph.map("where", condition, found, graph.const(0))
    return found


def _reduced(model: Model, whole: Kernel, evaluations: int | None) -> Kernel | None:
    from symgd.objective.reduced import reduced

    return reduced(model, whole, evaluations)


def _sides(model: Model, x: Vector) -> Vector | None:
    return model.poles.sides(model.shapes.values_of(x)) if model.poles else None


def _doubt(model: Model, x: Vector) -> str:
    return model.doubt(model.shapes.values_of(x))


def _squares(model: Model) -> Squares | None:
    return model.squares


def _bounds(model: Model) -> Bounds:
    return model.bounds


def _known(types: Mapping[str, tuple[str, Shape] | None]) -> dict[str, tuple[str, Shape]]:
    return {name: found for name, found in types.items() if found is not None}


def _type(values: Column | None) -> tuple[str, Shape] | None:
    """Give type and shape of a data array, as code is generated for them: for any length of its first axis."""
    if values is None or isinstance(values, float):
        return None
    # True and False are 1 and 0, and Numba makes no float of a truth value.
    return str(values.dtype).replace("bool", "uint8"), (0, *values.shape[1:])
