"""Where parameters may lie, read off the formula and the data: units of columns, and places among them.

A parameter has units. In ``a*exp(-b*x)`` that of ``b`` is one over that of ``x``, for an exponential has no units, and
so ``b`` lies between one over the range of ``x`` and one over its spacing. In ``exp(-((x - mu)/s)**2)`` the parameter
``mu`` is a place on the axis of ``x``. Starts made this way move with the units and the origin of the data.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.graph import Fold, Leaf, Map, Node, reachable
from symgd.graph.nodes import Const
from symgd.graph.tape import Tape
from symgd.records import dataclass
from symgd.squares import Squares
from symgd.squares.together import all_numbers

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

SAME = {"abs", "maximum", "minimum", "relu", "hypot", "clip"}  # keep units, which must be the same
COMPARED = {"less", "less_equal", "greater", "greater_equal", "equal", "not_equal"}
WAVES = {"sin", "cos", "tan", "sinc"}
NO_UNIT = 1e-9  # exponents below this are rounding
WIDER, FINER = 3.0, 0.5  # how far parameters may lie beyond the range of a column, and below its spacing
POWERS = (0.1, 10.0)  # where numbers without units lie
INSIDE, STAYS = 0.6, 0.85  # shares of places that lie along the rows, and of those that do not lie outside either
OUTSIDE = (0.01, 3.0)  # how far beyond the ends of a column a place may lie, in ranges


@dataclass(frozen=True)
class Extent:
    """The sizes that a column knows: from its spacing to its range."""

    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Place:
    """A parameter that is added to something of the rows: a place on its axis.

    Parameters
    ----------
    name : str
        The parameter.
    factor : float
        What it is multiplied by.
    other : Node
        What it is added to.
    """

    name: str
    factor: float
    other: Node


class Scales:
    """The sizes and places of the parameters of a sum of squares.

    Parameters
    ----------
    squares : Squares
        The residuals.
    """

    def __init__(self, squares: Squares) -> None:
        self._squares = squares
        self._nodes = reachable([term.residual for term in squares.terms])
        self.names = list(squares.shapes)
        self._columns: list[tuple[Node, bool]] = []  # parts without parameters, and whether one over them is meant
        self._conditions: list[dict[Any, float]] = []
        self._units: dict[Node, dict[Any, float] | None] = {}
        for node in self._nodes:
            self._units[node] = self._unit(node)

    # ---- units -----------------------------------------------------------------------------------------------------

    def _unit(self, node: Node) -> dict[Any, float] | None:
        """Give the exponents of a node's unit, in parameters and columns; ``None`` for numbers, which fit anything."""
        if isinstance(node, Const):  # a number has none, and 0 fits everything
            return {} if node.constant else None
        if not node.active:
            return self._column(node, inverse=False)
        if isinstance(node, Leaf):
            return {node.name: 1.0}
        if isinstance(node, Fold):
            return self._units[node.body] if node.function in ("sum", "min", "max") else {}
        return self._of_map(node) if isinstance(node, Map) else None

    def _column(self, node: Node, *, inverse: bool) -> dict[Any, float] | None:
        """Give the unit of what no parameter reaches: a symbol of its own, if it varies."""
        if not node.labels:
            return None
        key = node, inverse
        if key not in self._columns:
            self._columns.append(key)
        return {self._columns.index(key): 1.0}

    def _of_map(self, node: Map) -> dict[Any, float] | None:
        units = [self._units[arg] for arg in node.args]
        match node.function:
            case "multiply":
                return _combined(units[0], units[1], 1.0)
            case "divide" | "ratio" | "xdivy":
                under = node.args[1]
                if not under.active and under.labels:
                    return _combined(units[0], self._column(under, inverse=True), 1.0)
                return _combined(units[0], units[1], -1.0)
            case "power":
                exponent = node.args[1].constant
                if exponent is not None:
                    return _combined({}, units[0], float(exponent))
                self._same([units[1], {}])
                # An unknown power of a unit: the same for all that has this exponent, so that bases are compared.
                return _combined(units[0], {node.args[1]: 1.0}, 1.0)
            case "sqrt" | "sqrt0":
                return _combined({}, units[0], 0.5)
            case "where":
                return self._same(units[1:])
            case "weighted" | "xlogy" | "held" | "copysign":
                return units[0] if node.function != "held" else None
            case "below":  # of numbers and what they are compared with, an exponent for the sake of digits
                self._same([units[0], {}])
                return {}
            case "log" | "log2" | "log10":  # of a product: its factors have units, and only the sum has none
                return None
            case "add":
                return self._same(units)
        if node.function in COMPARED:
            self._same(units)
            return None
        if node.function in SAME:
            return self._same(units)
        for unit in units:
            self._same([unit, {}])
        return {}

    def _same(self, units: list[dict[Any, float] | None]) -> dict[Any, float] | None:
        """Demand that units are the same."""
        known = [unit for unit in units if unit is not None]
        for unit in known[1:]:
            self._conditions.append(_combined(known[0], unit, -1.0) or {})
        return known[0] if known else None

    @cached_property
    def exponents(self) -> NDArray[np.float64]:
        """The unit of each parameter, in powers of the columns'; shape (parameters, columns)."""
        rows, columns = len(self._conditions), len(self._columns)
        if not rows or not columns:
            return np.zeros((len(self.names), columns))
        keys = {key for condition in self._conditions for key in condition if not isinstance(key, int)}
        unknown = [*self.names, *sorted((k for k in keys if isinstance(k, Node)), key=lambda k: k.number)]
        left, right = np.zeros((rows, len(unknown))), np.zeros((rows, columns))
        for i, condition in enumerate(self._conditions):
            for key, power in condition.items():
                if isinstance(key, int):
                    right[i, key] -= power
                else:
                    left[i, unknown.index(key)] += power
        found = np.linalg.lstsq(left, right)[0][: len(self.names)]
        return np.asarray(np.where(np.abs(found) < NO_UNIT, 0.0, found))

    @cached_property
    def extents(self) -> list[Extent]:
        """The sizes of the columns."""
        nodes = [node for node, _ in self._columns]
        values = self._squares.tape(nodes).at({}) if nodes else {}
        found = []
        with np.errstate(all="ignore"):
            for node, inverse in self._columns:
                column = np.ravel(values[node]).astype(float)
                found.append(_extent(1 / column if inverse else column, bound=node in self._bound))
        return found

    @cached_property
    def _bound(self) -> set[Node]:
        """The parts without parameters whose origin matters: those that a shift does not leave the model's form."""
        bound: set[Node] = set()
        plain = {node: {node} for node, _ in self._columns}  # what they are multiplied by has no rows
        for node in self._nodes:
            if not (isinstance(node, Map) and node.active):
                continue
            inside = set().union(*(plain.get(arg, set()) for arg in node.args))
            others = [arg for arg in node.args if arg not in plain]
            if node.function in ("multiply", "divide"):
                if any(arg.active and arg.labels for arg in others):
                    bound |= inside
                else:
                    plain[node] = inside
            elif node.function == "power" or (node.function != "add" and len(node.args) == 1 and inside):
                bound |= inside if node.function in ("power", "log", "sqrt") else set()
        return bound

    @cached_property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """The logarithms of the smallest and the largest size that each parameter may have."""
        found = {}
        for name, powers in zip(self.names, self.exponents, strict=True):
            low = high = 0.0
            if not powers.any():
                low, high = map(math.log, POWERS)
            for power, extent in zip(powers, self.extents, strict=True):
                ends = math.log(FINER * extent.low), math.log(WIDER * extent.high)
                low += power * (ends[0] if power > 0 else ends[1])
                high += power * (ends[1] if power > 0 else ends[0])
            found[name] = low, high
        return found

    @property
    def sizes(self) -> Vector:
        """The largest size that each number of the parameters may have, shape (n,)."""
        shapes = self._squares.shapes
        with np.errstate(all="ignore"):
            return np.concatenate([np.full(math.prod(shapes[k]), np.exp(self.ranges[k][1])) for k in self.names])

    # ---- places ----------------------------------------------------------------------------------------------------

    @cached_property
    def places(self) -> dict[str, Place]:
        """The parameters that are places."""
        found: dict[str, Place] = {}
        for node in self._nodes:
            if isinstance(node, Map) and node.active and node.function in {"add", *COMPARED}:
                sides = [(node.args[0], 1.0), (node.args[1], -1.0 if node.function in COMPARED else 1.0)]
                for (one, sign), (other, back) in (sides, sides[::-1]):
                    leaf, factor = _parameter(one)
                    if leaf is None or leaf.name in found or not other.labels:
                        continue
                    if leaf.name not in _reads(other):
                        found[leaf.name] = Place(leaf.name, sign * factor / back, other)
        return found

    @cached_property
    def waves(self) -> set[str]:
        """The parameters that are multiplied by something of the rows inside of a sine: frequencies."""
        inside: set[str] = set()
        for node in self._nodes:
            if isinstance(node, Map) and node.active and node.function in WAVES:
                inside |= _reads(node.args[0])
        return {name for name in inside if self.exponents[self.names.index(name)].any()}

    # ---- starts ----------------------------------------------------------------------------------------------------

    def starts(self, skipped: Collection[str], count: int) -> Matrix:
        """Give points that lie where the data are, evenly over sizes, signs and places.

        Parameters
        ----------
        skipped : collection of str
            Parameters that are found from the others: they are 1.
        count : int
            How many.

        Returns
        -------
        ndarray, shape (count, n)
        """
        shapes = self._squares.shapes
        found = {name: np.ones((count, math.prod(shape))) for name, shape in shapes.items()}
        drawn = [name for name in self.names if name not in skipped]
        places = [name for name in drawn if name in self.places] if all_numbers(self._squares) else []
        drawn = [name for name in drawn if name not in places] + places  # what places are measured by comes first
        tape = self._squares.tape([self.places[name].other for name in places])
        cube = np.split(_even(count, 2 * sum(found[name].shape[1] for name in drawn)),
                        np.cumsum([2 * found[name].shape[1] for name in drawn])[:-1], axis=1)  # fmt: skip
        for name, part in zip(drawn, cube, strict=True):
            size, side = np.split(part, 2, axis=1)
            found[name] = self._drawn(name, size, side)
            if name in places:
                self._put(found, self.places[name], tape, size[:, 0], side[:, 0])
        return np.hstack(list(found.values()))

    def _drawn(self, name: str, size: Matrix, side: Matrix) -> Matrix:
        """Give values by their sizes: logarithms evenly, frequencies evenly themselves half of the time."""
        low, high = self.ranges[name]
        with np.errstate(all="ignore"):
            spread = np.exp(low + size * (high - low))
            if name in self.waves:
                return np.where(side < 0.6, size * np.exp(high), spread)
        rate = bool((self.exponents[self.names.index(name)] < 0).any())
        return np.where(side < (0.4 if rate else 0.2), -spread, spread)

    def _put(self, found: dict[str, Matrix], place: Place, tape: Tape, size: Vector, side: Vector) -> None:
        """Put a parameter where a sum vanishes, somewhere along the rows, or a little outside; some stay."""
        point = {name: values[:, 0] for name, values in found.items()}
        other = np.asarray(tape.at(point, many=True)[place.other])
        values = other.reshape(len(size) if place.other.active else 1, -1)
        low, high = values.min(axis=1), values.max(axis=1)
        beyond = OUTSIDE[0] * (OUTSIDE[1] / OUTSIDE[0]) ** size
        where = np.where(side < INSIDE, size, np.where(side < (INSIDE + STAYS) / 2, -beyond, 1 + beyond))
        with np.errstate(all="ignore"):
            put = -(low + where * (high - low)) / place.factor
        moved = np.isfinite(put) & (side < STAYS)
        found[place.name][moved, 0] = put[moved]


def _combined(a: dict[Any, float] | None, b: dict[Any, float] | None, times: float) -> dict[Any, float]:
    found = dict(a or {})
    for key, power in (b or {}).items():
        found[key] = found.get(key, 0.0) + times * power
    return found


def _extent(column: Vector, *, bound: bool) -> Extent:
    """Measure a column: its range and spacing, or its numbers themselves where their origin matters."""
    column = np.unique(column[np.isfinite(column)])
    sizes = np.abs(column[column != 0])
    if not len(sizes):
        return Extent(1.0, 1.0)
    if len(column) < 2:
        return Extent(float(sizes[0]), float(sizes[0]))
    low, high = float(np.quantile(np.diff(column), 0.1)), float(column[-1] - column[0])
    if bound:
        low, high = min(low, float(sizes.min())), max(high, float(sizes.max()))
    return Extent(max(low, 1e-6 * high), high)


def _parameter(node: Node) -> tuple[Leaf | None, float]:
    """Give the parameter, and its factor, where a node is a number times one parameter."""
    factor = 1.0
    while isinstance(node, Map) and node.function == "multiply" and node.args[0].constant is not None:
        factor *= node.args[0].constant
        node = node.args[1]
    if isinstance(node, Leaf) and node.kind == "parameter" and not node.labels and factor:
        return node, factor
    return None, 0.0


def _reads(node: Node) -> set[str]:
    return {n.name for n in reachable([node]) if isinstance(n, Leaf) and n.active}


def _even(count: int, dimensions: int) -> NDArray[np.float64]:
    """Give points that fill a unit cube evenly: the multiples of powers of the generalised golden ratio.

    References
    ----------
    Roberts 2018, The unreasonable effectiveness of quasirandom sequences.
    """
    ratio = 2.0
    for _ in range(60):
        ratio = (1 + ratio) ** (1 / (dimensions + 1))
    steps = ratio ** -np.arange(1.0, dimensions + 1)
    return np.asarray((0.5 + np.outer(np.arange(1, count + 1), steps)) % 1.0)
