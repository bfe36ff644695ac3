"""A model whose data enter through their moments alone: the same objective, without rows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING

from symgd.data import Owned
from symgd.graph.bounds import Bounds, bounds_of
from symgd.graph.moments import Moments
from symgd.kernel import Kernel, moments
from symgd.kernel.code import Program
from symgd.kernel.machine import cache
from symgd.objective.formula import deep, kept
from symgd.squares import Squares, squares

if TYPE_CHECKING:
    from symgd.objective.model import Model


class Reduced:
    """A model, and the moments of its data.

    Parameters
    ----------
    model : Model
        The model.
    made : mapping of str to float or ndarray
        The moments.
    form : mapping of str to bool
        In which form they were asked for.
    """

    def __init__(self, model: Model, made: moments.Made, form: Mapping[str, bool]) -> None:
        self.model, self.made, self.form = model, made, form
        self.data = {**model.data, **made}

    def __reduce__(self) -> tuple[object, ...]:
        return Reduced, (self.model, self.made, self.form)

    @property
    def _found(self) -> Moments:
        found = self.model.moments(**self.form)
        assert found is not None
        return found

    @cached_property
    def program(self) -> Program:
        """The generated functions, from the disk cache where they are known."""
        graph, root, *_ = self._found
        model = self.model
        types = moments.types(self.data)
        known = sorted((name, types[name]) for name in types if name in self.made)
        parts = map(repr, (model.shapes, known, root.number))
        key = cache.key("moments", cache.generator(), model.text, *parts, graph.store.signature())

        def make() -> Program:
            from symgd.kernel.code import module

            return module.generate(graph.copy(), root, model.params, model.shapes, types)

        return kept(key, make)

    @cached_property
    def squares(self) -> Squares | None:
        """The residuals, of which there are as many as the triangles have rows."""
        graph, root, *_ = self._found
        with deep():
            return squares(graph.copy(), root, self.model.shapes, self.data)

    @cached_property
    def bounds(self) -> Bounds:
        """What the formula shows of its values; those of the rows need not be looked at once more."""
        graph, root, *_ = self._found
        with deep():
            return bounds_of(graph.copy(), root, self.data)

    def kernel(self, whole: Kernel) -> Kernel:
        """Give the running kernel; of what is known of the objective, some is that of the one with rows."""
        return whole.without_rows(
            self.program, self.data, partial(_squares, self), partial(_bounds, self), moments.counted(self._found)
        )


def reduced(model: Model, whole: Kernel, evaluations: int | None) -> Kernel | None:
    """Give a kernel that needs no rows, made in one pass over them.

    Parameters
    ----------
    model : Model
        The model.
    whole : Kernel
        Its kernel, whose value and gradient are sums over the rows.
    evaluations : int or None
        About how many of these a run needs, for which the pass must pay; ``None`` for a kernel at any price.

    Returns
    -------
    Kernel or None
        ``None`` where the objective needs its rows, where they are too few, or where digits would be lost.
    """
    found = model.moments(signed=False, paired=False)
    if found is None:
        return None
    if evaluations is not None and not moments.pays(found, whole.program, whole.rows, evaluations):
        return None
    if not model.reduced or not _fixed(model):
        model.reduced = [_made(model, whole)]
    (ready,) = model.reduced
    return None if ready is None else ready.kernel(whole)


def _fixed(model: Model) -> bool:
    """Tell whether the data cannot have changed since moments were made of them."""
    return isinstance(model.data, Owned) and model.data.fixed(model.columns)


def _made(model: Model, whole: Kernel) -> Reduced | None:
    """Make the moments, in the first form that is as good as the rows."""
    form = {"signed": False, "paired": False}
    while True:
        found = model.moments(**form)
        if found is None:
            return None
        try:
            native = whole.tier != "python"
            made = moments.make(found, model.data, whole.rows, whole.workers, native=native)
            return Reduced(model, made, form)
        except moments.Alike:
            form = {**form, "paired": True}
        except moments.Refused:
            if form["signed"] or not found.rooted:
                return None
            form = {**form, "signed": True}


def _bounds(ready: Reduced) -> Bounds:
    return ready.bounds


def _squares(ready: Reduced) -> Squares | None:
    return ready.squares
