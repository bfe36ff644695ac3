"""What nodes show of their values: bounds, whether they are reached, and whether the node is convex in the parameters.

Bounds come from interval arithmetic, with the range of each column of data; convexity from the rules of disciplined
convex programming. Both are sound and incomplete: what is not shown may still be so.

References
----------
Moore 1966, Interval analysis; Grant, Boyd and Ye 2006, Disciplined convex programming.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from symgd.graph.graph import Graph
from symgd.graph.nodes import ROWS, Const, Fold, Leaf, Map, Node, reachable
from symgd.graph.ranges import EVEN, INF, INVERSE, RANGES, Row, power, times
from symgd.language.functions import FUNCTIONS
from symgd.records import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds of a node, and its curvature.

    Parameters
    ----------
    low, high : float
        Bounds of its values.
    low_open, high_open : bool
        Whether a bound is never reached, as 0 is not by an exponential. An infinite bound is open.
    convex, concave : bool
        In the parameters; both for what is affine.
    analytic : bool
        Whether it is made of analytic functions alone: what changes along a line is constant on no part of it.
    """

    low: float = -INF
    high: float = INF
    low_open: bool = True
    high_open: bool = True
    convex: bool = False
    concave: bool = False
    analytic: bool = False

    @property
    def affine(self) -> bool:
        """Whether it is a straight line in the parameters."""
        return self.convex and self.concave

    @property
    def negated(self) -> Bounds:
        """The same of the node times -1."""
        return Bounds(-self.high, -self.low, self.high_open, self.low_open, self.concave, self.convex, self.analytic)

    def scaled(self, low: float, high: float) -> Bounds:
        """Give the same of the node times a number that no parameter reaches, between two bounds."""
        if low >= 0:
            ends = sorted((times(self.low, low), times(self.low, high)))
            tops = sorted((times(self.high, low), times(self.high, high)))
            return Bounds(ends[0], tops[1], self.low_open and low > 0, self.high_open and low > 0,
                         self.convex, self.concave)  # fmt: skip
        if high <= 0:
            return self.scaled(-high, -low).negated
        both = [times(a, b) for a in (self.low, self.high) for b in (low, high)]
        return Bounds(min(both), max(both), False, False, self.affine, self.affine)


UNKNOWN = Bounds()


def bounds_of(graph: Graph, root: Node, data: Mapping[str, Any]) -> Bounds:
    """Tell what the nodes show of the values of one of them.

    Parameters
    ----------
    graph : Graph
        Where the nodes were made.
    root : Node
        The node.
    data : mapping of str to ndarray or float
        The data; of what is not in memory nothing is known.

    Returns
    -------
    Bounds

    Examples
    --------
    >>> import symgd
    >>> model = symgd.Objective("(x - y)**2 + abs(x)").model
    >>> found = bounds_of(*model.plain, {})
    >>> found.low, found.low_open, found.convex
    (0.0, False, True)
    """
    known: dict[Node, Bounds] = {}
    nodes = reachable([root])
    for node in nodes:
        known[node] = _bounds(graph, node, known, data)
    return replace(known[root], analytic=all(_is_analytic(node) for node in nodes if node.active))


def _is_analytic(node: Node) -> bool:
    if isinstance(node, Map):
        return FUNCTIONS[node.function].smooth
    return not (isinstance(node, Fold) and node.function in ("max", "min"))


def _bounds(graph: Graph, node: Node, known: Mapping[Node, Bounds], data: Mapping[str, Any]) -> Bounds:
    flat = not node.active
    if node.constant is not None or isinstance(node, Const):
        value = float(node.constant if node.constant is not None else node.value)  # type: ignore[attr-defined]
        return Bounds(value, value, not math.isfinite(value), not math.isfinite(value), True, True)
    if isinstance(node, Leaf):
        return _leaf(graph, node, data)
    if isinstance(node, Fold):
        found = _folded(graph, node, known[node.body])
    elif isinstance(node, Map):
        found = _mapped(node, known)
    else:
        found = UNKNOWN
    if math.isnan(found.low) or math.isnan(found.high):
        found = replace(UNKNOWN, convex=found.convex, concave=found.concave)
    found = replace(found, low_open=found.low_open or math.isinf(found.low),
                    high_open=found.high_open or math.isinf(found.high))  # fmt: skip
    return replace(found, convex=True, concave=True) if flat else found


def _leaf(graph: Graph, node: Leaf, data: Mapping[str, Any]) -> Bounds:
    if node.kind == "parameter":
        return Bounds(convex=True, concave=True)
    if node.kind == "count":
        rows = graph.store.rows or 0
        return Bounds(float(rows or 1), float(rows) if rows else INF, False, not rows, True, True)
    values: Any = node.table if node.kind == "numbers" else data.get(node.name) if node.kind == "data" else None
    if node.kind == "places":
        return Bounds(0.0, INF, False, True, True, True)
    if values is None or not isinstance(values, np.ndarray | float | int | tuple):
        return Bounds(convex=True, concave=True)
    array = np.asarray(values)
    if array.dtype.kind not in "fiub" or not array.size or not np.isfinite(array.astype(np.float64)).all():
        return Bounds(convex=True, concave=True)
    return Bounds(float(array.min()), float(array.max()), False, False, True, True)


def _folded(graph: Graph, node: Fold, body: Bounds) -> Bounds:
    length = graph.store.rows if node.label == ROWS else graph.store.sizes().get(node.label)
    if node.function == "sum":
        low = body.low if body.low >= 0 and not length else times(body.low, length or INF)
        high = body.high if body.high <= 0 and not length else times(body.high, length or INF)
        return replace(body, low=low, high=high)
    if node.function == "max":
        return replace(body, concave=False)
    if node.function == "min":
        return replace(body, convex=False)
    if node.function == "logsumexp":
        return Bounds(body.low, INF, body.low_open, True, body.convex, False)
    return Bounds(0.0 if body.low >= 0 else -INF, INF, False)  # a product


def _mapped(node: Map, known: Mapping[Node, Bounds]) -> Bounds:
    args = [known[a] for a in node.args]
    match node.function:
        case "add":
            return _entropy(node, known) or _added(args)
        case "multiply":
            return _multiplied(node, *args)
        case "divide":
            return _divided(node, *args)
        case "power":
            return _powered(node, args[0])
        case "maximum":
            a, b = args
            return Bounds(max(a.low, b.low), max(a.high, b.high), a.low_open and b.low_open,
                         a.high_open or b.high_open, a.convex and b.convex, False)  # fmt: skip
        case "minimum":
            a, b = args
            return Bounds(min(a.low, b.low), min(a.high, b.high), a.low_open or b.low_open,
                         a.high_open and b.high_open, False, a.concave and b.concave)  # fmt: skip
        case "where":
            _, a, b = args
            return Bounds(min(a.low, b.low), max(a.high, b.high), a.low_open or b.low_open, a.high_open or b.high_open)
        case "hypot":
            a, b = (_composed(RANGES["abs"], arg) for arg in args)
            return Bounds(math.hypot(a.low, b.low), INF, a.low_open or b.low_open, True,
                          args[0].affine and args[1].affine, False)  # fmt: skip
        case "logaddexp":
            a, b = args
            return Bounds(max(a.low, b.low), INF, True, True, a.convex and b.convex, False)
        case "held":
            return args[0]
    if node.function in ("sqrt", "sqrt0") and (length := _length(node.args[0], known)) is not None:
        return length
    row = RANGES.get(node.function)
    return _composed(row, args[0]) if row and len(args) == 1 else UNKNOWN


def _added(args: list[Bounds]) -> Bounds:
    return Bounds(
        sum(a.low for a in args), sum(a.high for a in args), any(a.low_open for a in args),
        any(a.high_open for a in args), all(a.convex for a in args), all(a.concave for a in args),
    )  # fmt: skip


def _entropy(node: Map, known: Mapping[Node, Bounds]) -> Bounds | None:
    """Give the bounds of ``softplus(z) - y*z``, the loss of a probability ``y``: 0 is below all, and never reached."""
    for first in (a for a in node.args if isinstance(a, Map) and a.function == "softplus"):
        for second in node.args:
            share = _share(second, first.args[0], known)
            if share is None or share.low < -1.0 or share.high > 0.0:
                continue
            both = _added([known[first], known[second]])
            loss = replace(both, low=0.0, high=INF, low_open=True, high_open=True)
            return _added([loss, *(known[a] for a in node.args if a is not first and a is not second)])
    return None


def _share(node: Node, z: Node, known: Mapping[Node, Bounds]) -> Bounds | None:
    """Give the bounds of what a node is times another that it has as a factor, where no parameter reaches that."""
    factor = Bounds(1.0, 1.0, False, False)
    while node is not z:
        if not (isinstance(node, Map) and node.function == "multiply"):
            return None
        still, node = sorted(node.args, key=lambda a: a.active)
        if still.active:
            return None
        factor = factor.scaled(known[still].low, known[still].high)
    return factor


def _multiplied(node: Map, a: Bounds, b: Bounds) -> Bounds:
    if node.args[0] is node.args[1]:
        return _composed(EVEN, a)
    if not node.args[0].active:
        return b.scaled(a.low, a.high)
    if not node.args[1].active:
        return a.scaled(b.low, b.high)
    ends = [times(p, q) for p in (a.low, a.high) for q in (b.low, b.high)]
    low, high = min(ends), max(ends)
    # Where both are of one sign, a bound of 0 is reached if either reaches 0.
    return Bounds(low, high, a.low_open and b.low_open if low == 0 else a.low_open or b.low_open,
                 a.high_open or b.high_open)  # fmt: skip


def _divided(node: Map, a: Bounds, b: Bounds) -> Bounds:
    if b.low < 0 < b.high or (b.low <= 0 <= b.high and not (a.low >= 0 or a.high <= 0)):
        return UNKNOWN
    if b.high <= 0:
        return _divided(node, a.negated, b.negated)
    if not node.args[1].active:
        return a.scaled(1.0 / b.high if b.high else 0.0, 1.0 / b.low if b.low else INF)
    below = _composed(INVERSE, b)
    if not node.args[0].active:
        return below.scaled(a.low, a.high)
    found = _multiplied(Map(-1, frozenset(), True, None, "multiply", node.args), a, below)
    return replace(found, convex=False, concave=False)


def _powered(node: Map, base: Bounds) -> Bounds:
    exponent = node.args[1].constant
    if exponent is None:
        return Bounds(0.0, INF, base.low_open, True) if base.low >= 0 else UNKNOWN
    whole = exponent == int(exponent)
    if whole and exponent > 0 and exponent % 2 == 0:
        return _composed(replace(EVEN, value=lambda v: power(v, exponent)), base)
    if exponent < 0:
        if base.low < 0 and not (whole and exponent % 2 == 0):
            return UNKNOWN
        if base.low < 0:
            return Bounds(0.0, INF, True, True)
        return _composed(replace(INVERSE, value=lambda v: power(v, exponent)), base)
    if base.low >= 0 or not whole:  # 0 <= base, or nothing is there
        base = replace(base, low=max(base.low, 0.0), low_open=base.low_open and base.low >= 0)
        bend = "convex" if exponent >= 1 else "concave"
        return _composed(Row(lambda v: power(v, exponent), bend=bend, rises=True), base)
    return _composed(Row(lambda v: power(v, exponent), rises=True), base)  # an odd power


def _length(node: Node, known: Mapping[Node, Bounds]) -> Bounds | None:
    """Give the bounds of the root of a sum of squares of what is affine: a length, which is convex."""
    stack, closed = [node], 0.0
    while stack:
        part = stack.pop()
        if isinstance(part, Map) and part.function == "add":
            stack += part.args
        elif isinstance(part, Fold) and part.function == "sum":
            stack.append(part.body)
        elif isinstance(part, Map) and part.function == "multiply" and not part.args[0].active:
            if known[part.args[0]].low < 0:
                return None
            stack.append(part.args[1])
        elif isinstance(part, Map) and part.function == "divide" and not part.args[1].active:
            if known[part.args[1]].low < 0:
                return None
            stack.append(part.args[0])
        elif not part.active:
            if known[part].low < 0:
                return None
            closed += known[part].low
        elif not (isinstance(part, Map) and part.function == "power" and part.args[1].constant == 2
                  and known[part.args[0]].affine):  # fmt: skip
            return None
    return Bounds(math.sqrt(max(closed, 0.0, known[node].low)), INF, False, True, True, False)


def _composed(row: Row, a: Bounds) -> Bounds:
    """Give the bounds of a function of a node: its ends from the ends, its curvature from the rules of composition."""
    if row.dips:
        inside = a.low < 0 < a.high
        nearest, open_ = (0.0, False) if inside else (a.low, a.low_open) if a.low >= 0 else (a.high, a.high_open)
        far = max(row.value(a.low), row.value(a.high))
        low, high = row.value(nearest), far
        convex = row.bend == "convex" and (a.affine or (a.convex and a.low >= 0) or (a.concave and a.high <= 0))
        return Bounds(low, high, open_, a.high_open or a.low_open, convex, False)
    rising, falling = (a.convex, a.concave) if row.bend == "convex" else (a.concave, a.convex)
    bent = a.affine or (row.rises and rising) or (row.falls and falling)
    convex, concave = row.bend == "convex" and bent, row.bend == "concave" and bent
    if not (row.rises or row.falls):
        closed = row.reached
        return Bounds(row.low, row.high, not closed, not closed, convex, concave)
    ends = (a.low, a.low_open), (a.high, a.high_open)
    (low, low_open), (high, high_open) = ends if row.rises else ends[::-1]
    low_open = low_open and not row.reached  # what is flat in part reaches its end before its argument does
    return Bounds(row.value(low), row.value(high), low_open, high_open, convex, concave)
