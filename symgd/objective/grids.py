"""An objective at many points at once: an axis for the points beside those that the formula has."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.data import Stored
from symgd.graph import ROWS, Matrix, Node, calculus, reachable
from symgd.graph.tape import Tape
from symgd.kernel import Kernel
from symgd.objective.formula import deep
from symgd.objective.model import Model

Values = NDArray[np.float64]

NUMBERS = 1 << 17  # in the array of one node: a megabyte, so that some hundred nodes stay within memory


class Grid:
    """Value and gradient of an objective at many points.

    Where the parameters are numbers, NumPy does all points of a part together, node by node; each part is so small that
    memory stays bounded. Otherwise the kernel is asked at one point after the other.

    Parameters
    ----------
    model : Model
        The objective.
    kernel : Kernel
        The same, for what goes point by point.
    """

    def __init__(self, model: Model, kernel: Kernel) -> None:
        self.model, self.kernel = model, kernel
        self.graph, self.root = model.plain
        self.sizes = {**self.graph.store.sizes(), ROWS: model.rows or 1}

    @cached_property
    def together(self) -> bool:
        """Whether points go through NumPy together."""
        nodes = reachable([self.root])
        stored = any(isinstance(values, Stored) for values in self.model.data.values())
        plain = not any(self.model.shapes.values()) and not any(isinstance(node, Matrix) for node in nodes)
        return plain and not stored and self._widest(nodes) <= NUMBERS

    def _widest(self, nodes: Iterable[Node]) -> int:
        return max((math.prod(self.sizes[label] for label in node.labels) for node in nodes), default=1)

    @cached_property
    def _value(self) -> Tape:
        return Tape([self.root], self.model.data, self.graph.store.sizes())

    @cached_property
    def _slope(self) -> tuple[Tape, dict[str, Node]]:
        graph = self.graph.copy()
        with deep():
            slope = calculus.gradient(graph, self.root).scalars()
        return Tape([self.root, *slope.values()], self.model.data, graph.store.sizes()), slope

    def values(self, points: Mapping[str, Values]) -> Values:
        """Give the values at points.

        Parameters
        ----------
        points : mapping of str to ndarray
            What `spread` gave.

        Returns
        -------
        ndarray
            Of the shape of the grid.
        """
        if self.together:
            (found,) = self._run(self._value, [self.root], points)
        else:
            found = np.array([self.kernel.value(x) for x in self._each(points)])
        return found.reshape(self._shape(points))

    def slopes(self, points: Mapping[str, Values]) -> tuple[Values, dict[str, Values]]:
        """Give values and gradients at points.

        Parameters
        ----------
        points : mapping of str to ndarray
            What `spread` gave.

        Returns
        -------
        values : ndarray
            Of the shape of the grid.
        gradient : dict of str to ndarray
            For each parameter an array with the axes of the grid before its own.
        """
        shape = self._shape(points)
        if self.together:
            tape, slope = self._slope
            found, *parts = self._run(tape, [self.root, *slope.values()], points)
            known = dict(zip(slope, parts, strict=True))
            return found.reshape(shape), {n: known.get(n, np.zeros_like(found)).reshape(shape) for n in points}
        both = [self.kernel.slope(x) for x in self._each(points)]
        split = [self.kernel.split(g) for _, g in both]
        gradient = {n: np.reshape([g[n] for g in split], points[n].shape) for n in points}
        return np.reshape([f for f, _ in both], shape), gradient

    def _run(self, tape: Tape, nodes: list[Node], points: Mapping[str, Values]) -> list[Values]:
        flat = {name: np.ravel(values) for name, values in points.items()}
        count = len(next(iter(flat.values())))
        step = max(1, NUMBERS // self._widest(tape.nodes))
        found = [np.empty(count) for _ in nodes]
        for low in range(0, count, step):
            values = tape.at({name: column[low : low + step] for name, column in flat.items()}, many=True)
            for out, node in zip(found, nodes, strict=True):
                out[low : low + step] = np.ravel(np.asarray(values[node], dtype=np.float64))
        return found

    def _shape(self, points: Mapping[str, Values]) -> tuple[int, ...]:
        name, own = next(iter(self.model.shapes.items()))
        return points[name].shape[: points[name].ndim - len(own)]

    def _each(self, points: Mapping[str, Values]) -> Values:
        """Give the points as flat vectors, one a row."""
        count = math.prod(self._shape(points))
        with np.errstate(all="ignore"):
            return np.concatenate([points[name].reshape(count, -1) for name in self.model.params], axis=1)


def is_mesh(given: Mapping[str, Any]) -> bool:
    """Tell whether values are meshes, as ``numpy.meshgrid`` gives them: several, of one shape of two axes or more."""
    shapes = {np.shape(value) for value in given.values()}
    return len(given) > 1 and len(shapes) == 1 and len(next(iter(shapes))) > 1


def spread(given: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Values] | None:
    """Tell whether values are those of many points: arrays with axes before those that their parameters have.

    Parameters
    ----------
    given : mapping of str to float or ndarray
        What was given for each parameter.
    shapes : mapping of str to tuple of int
        The parameters' shapes.

    Returns
    -------
    dict of str to ndarray or None
        For each parameter an array with the axes of the grid before its own; ``None`` for a single point.
    """
    axes = {name: np.ndim(value) - len(shapes[name]) for name, value in given.items()}
    if max(axes.values(), default=0) <= 0:
        return None
    if any(axes[name] < 0 or np.shape(value)[axes[name] :] != shapes[name] for name, value in given.items()):
        return None  # of arrays of other shapes, the objective says what is wrong
    try:
        grid = np.broadcast_shapes(*(np.shape(value)[: axes[name]] for name, value in given.items()))
    except ValueError:
        return None
    return {
        name: np.broadcast_to(
            np.asarray(value, dtype=np.float64).reshape(*[1] * (len(grid) - axes[name]), *np.shape(value)),
            (*grid, *shapes[name]),
        )
        for name, value in given.items()
    }
