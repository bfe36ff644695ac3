"""Where quotients have poles: on which side of each a point is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.graph.graph import Graph
from symgd.graph.lengths import never_zero
from symgd.graph.nodes import ROWS, Const, Leaf, Map, Node, arguments, reachable
from symgd.graph.tape import Tape

Vector = NDArray[np.float64]

CLOSER = 2.0**-45  # how near to a pole values are looked at, relative to the way past it
FARTHER = 2.0**15  # times as far that they are compared with
GROWS = 64.0  # times as large that they are nearer, where they grow without end; a simple pole makes it 32,768
ROUNDING = 64 * float(np.finfo(float).eps)
HALVINGS = 80


class Poles:
    """The denominators of a formula that parameters reach and data rows do not.

    Parameters
    ----------
    graph : Graph
        Where the nodes were made.
    root : Node
        The formula.
    data : mapping of str to ndarray or float
        The data.
    """

    def __init__(self, graph: Graph, root: Node, data: Mapping[str, Any]) -> None:
        self.nodes, self.waves = _denominators(root)
        self._tape = Tape([*self.nodes, *self.waves], data, graph.store.sizes())

    def __bool__(self) -> bool:
        return bool(self.nodes or self.waves)

    def sides(self, point: Mapping[str, Any]) -> Vector:
        """Give numbers that change their signs where a denominator does.

        Parameters
        ----------
        point : mapping of str to float or ndarray
            The parameters.

        Returns
        -------
        ndarray, shape (k,)
        """
        with np.errstate(all="ignore"):
            values = self._tape.at(point)
            found = [values[node] for node in self.nodes] + [np.cos(values[node]) for node in self.waves]
        return np.concatenate([np.ravel(np.asarray(v, dtype=np.float64)) for v in found])


def between(value: Callable[[Vector], float], sides: Callable[[Vector], Any], a: Vector, b: Vector) -> bool:
    """Tell whether the way from one point straight to another leads across a pole.

    Where a denominator changes its sign, its zero is found by halving; it is a pole if values grow without end there,
    and nothing if the numerator is 0 as well.

    Parameters
    ----------
    value : callable
        Gives the value at a point.
    sides : callable
        As `Poles.sides`.
    a : ndarray, shape (n,)
        Where the way begins.
    b : ndarray, shape (n,)
        Where it ends.

    Returns
    -------
    bool
    """
    here, there = sides(a), sides(b)
    return any(_pole(value, sides, a, b - a, int(k)) for k in np.flatnonzero(here * there < 0))


def _pole(value: Callable[[Vector], float], sides: Callable[[Vector], Any], a: Vector, way: Vector, k: int) -> bool:
    low, high, side = 0.0, 1.0, np.sign(sides(a)[k])
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        if not low < middle < high:
            break
        low, high = (middle, high) if sides(a + middle * way)[k] * side > 0 else (low, middle)
    # No nearer than the point's last digits tell apart.
    closer = max(CLOSER, ROUNDING * float(np.abs(a).max()) / float(np.abs(way).max()))
    for side in (-1, 1):
        near, nearer = (
            abs(value(a + min(max(low + side * share, 0.0), 1.0) * way)) for share in (FARTHER * closer, closer)
        )
        if not np.isfinite(nearer) or nearer > GROWS * near:
            return True
    return False


def _denominators(root: Node) -> tuple[list[Node], list[Node]]:
    """Give nodes at whose zeros there may be poles, and those at whose odd multiples of pi/2 tangents have some."""
    nodes: dict[Node, None] = {}
    waves: dict[Node, None] = {}
    order = reachable([root])
    rowed = _rowed(order)
    for node in order:
        if not isinstance(node, Map) or node in rowed:
            continue
        if node.function == "divide":
            nodes |= dict.fromkeys(_factors(node.args[1]))
        elif node.function == "power" and isinstance(node.args[1], Const) and node.args[1].value < 0:
            nodes |= dict.fromkeys(_factors(node.args[0]))
        elif node.function == "tan" and node.active:
            waves[node.args[0]] = None
    return list(nodes), list(waves)


def _rowed(order: list[Node]) -> set[Node]:
    """Give the nodes that need the rows of the data, of which there may be many."""
    found: set[Node] = set()
    for node in order:
        if ROWS in node.labels or any(part in found for part in arguments(node)) or (
            isinstance(node, Leaf) and node.kind == "count"
        ):  # fmt: skip
            found.add(node)
    return found


def _factors(node: Node) -> list[Node]:
    """Give the factors of a denominator that may be 0."""
    found, stack = [], [node]
    while stack:
        here = stack.pop()
        if not here.active or never_zero(here):
            continue
        if isinstance(here, Map) and here.function in ("multiply", "divide", "power", "abs", "sqrt"):
            stack += here.args[:1] if here.function != "multiply" else here.args
        else:
            found.append(here)
    return found
