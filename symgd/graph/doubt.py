"""Where derivatives have lost their digits: both sides of a quotient near 0, and no function that knows its limit."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from symgd.data import Data
from symgd.graph import Graph, Map, Node, calculus, reachable
from symgd.graph.digits import Digits
from symgd.graph.tape import Point, Tape, Value

SMALL = 0.05  # what both sides of a quotient are below where digits may go
LOST = 1e-6  # the relative error from which it is said
MOST = 20_000  # numbers that are computed with many digits


def quotients(root: Node) -> list[Map]:
    """Give the quotients both sides of which parameters reach."""
    return [
        node
        for node in reachable([root])
        if isinstance(node, Map) and node.function == "divide" and all(a.active for a in node.args)
    ]


def lost(graph: Graph, root: Node, slope: calculus.Vector, point: Point, data: Data) -> str:
    """Tell how many digits the derivatives have at a point, where quotients may have lost some.

    Parameters
    ----------
    graph : Graph
        Where the nodes were made.
    root : Node
        The objective.
    slope : Vector
        Its gradient.
    point : mapping of str to float or ndarray
        The parameters.
    data : mapping of str to ndarray or float
        The data.

    Returns
    -------
    str
        A clause; empty where no digits are missing, as far as that can be told.
    """
    pairs = quotients(root)
    if not pairs:
        return ""
    values = Tape([root], data, graph.store.sizes()).at(point)
    if sum(np.size(v) for v in values.values()) > MOST or not any(_vanish(values, node) for node in pairs):
        return ""
    bent = calculus.hessian_vector(graph, slope)
    found = []
    for what, vector in (("gradient", slope), ("Hessian", bent)):
        nodes = vector.nodes()
        plain = Tape(nodes, data, graph.store.sizes()).at(point)
        try:
            exact = Tape(nodes, data, graph.store.sizes(), Digits(60)).at(point)
        except (NotImplementedError, ValueError, ZeroDivisionError, TypeError):
            return ""
        error = max((_error(plain[node], exact[node]) for node in nodes), default=0.0)
        if error > LOST:
            digits = int(-math.log10(error))
            found.append(f"the {what} has {digits or 'no'} digit{'s' * (digits != 1)}")
    return f"{' and '.join(found)} there, where both sides of a quotient are near 0" if found else ""


def _vanish(values: Mapping[Node, Value], node: Map) -> bool:
    above, below = (np.abs(np.asarray(values[a], dtype=np.float64)) for a in node.args)
    return bool(((above < SMALL) & (below < SMALL) & (below > 0)).any())


def _error(plain: Value, exact: Value) -> float:
    """Give the largest error, relative to the largest of the numbers."""
    a = np.ravel(np.asarray(plain, dtype=np.float64))
    b = np.ravel(np.asarray(exact, dtype=object)).astype(np.float64)
    size = float(np.abs(b).max(initial=0.0))
    if not (np.isfinite(a).all() and 0.0 < size < math.inf):
        return 0.0
    return min(1.0, float(np.abs(a - b).max()) / size)
