"""Both sides as numbers: at random points, in float64 and to many digits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from symgd.checking.claims import SEED, Exact, index_names
from symgd.checking.conditions import KINDS, Condition
from symgd.checking.reading import Reading
from symgd.graph import Array, Leaf, Map, Node, Span, reachable
from symgd.graph.digits import Digits
from symgd.graph.tape import Tape
from symgd.language.functions import FUNCTIONS
from symgd.records import dataclass

DIGITS = 40  # that are compared
WORKING = 60  # that are computed with
STYLES = ("real", "positive", "unit", "wide", "small", "above")


class Safe(Digits):
    """Numbers of many digits in which what has no value is nan, and nothing raises."""

    def _find(self, function: str) -> Any:
        try:
            found = super()._find(function)
        except NotImplementedError:
            found = self._by_sympy(function)
        nan = self.context.nan
        mpc = self.context.mpc

        def safe(*args: Any) -> Any:
            try:
                value = found(*args)
            except (ZeroDivisionError, ValueError, OverflowError, TypeError, NotImplementedError):
                return nan
            return nan if isinstance(value, (mpc, complex)) else value

        return safe

    def _by_sympy(self, function: str) -> Any:
        """Give what a row says of itself, for helpers of derivatives that have no form of many digits."""
        row = FUNCTIONS[function]
        if row.sympy is None:
            raise NotImplementedError(f"the function '{function}' has no form of many digits")
        import sympy

        names = sympy.symbols("a b c", real=True)[: row.least]
        expression = row.sympy(sympy, *names)

        def value(*args: Any) -> Any:
            at = {n: sympy.Float(self.context.nstr(v, WORKING + 20), WORKING + 20)
                  for n, v in zip(names, args, strict=True)}  # fmt: skip
            return self.context.mpf(str(expression.subs(at).evalf(WORKING)))

        return value


@dataclass(frozen=True)
class Pair:
    """Exact and claimed block at a point."""

    exact: Any
    yours: Any


class Numbers:
    """Evaluates an exact block and formulas for it.

    Parameters
    ----------
    exact : Exact
        The block.
    theirs : sequence of Array
        Formulas that broadcast to its shape.
    digits : int
        0 for float64.
    watched : sequence of Node
        What else is to have ``values``.

    Raises
    ------
    NotImplementedError
        If the number of rows is not known.
    """

    def __init__(self, exact: Exact, theirs: list[Array], digits: int = 0, watched: Sequence[Node] = ()) -> None:
        self.exact, self.theirs = exact, theirs
        self.entries = [e for e in exact.slope.entries if e.leaf.name == exact.target.name]
        graph = exact.reading.graph
        nodes = [e.node for e in self.entries] + [i for e in self.entries for i in e.leaf.index if isinstance(i, Node)]
        nodes += [t.node for t in theirs]
        nodes += [exact.reading.value.node, *watched]
        self.digits = digits
        arithmetic = Safe(digits) if digits else None
        self.arithmetic = arithmetic
        self.tape = Tape(nodes, {}, graph.store.sizes(), arithmetic)
        for node in self.tape.nodes:  # a point gives all values, the data's too
            if isinstance(node, Leaf) and node.kind == "count":
                raise NotImplementedError
        self.tape._data = _Everything(self)  # noqa: SLF001
        self.point: Mapping[str, Any] = {}
        self.values: Mapping[Node, Any] = {}  # of all nodes at the last point

    def at(self, point: Mapping[str, Any]) -> tuple[Any, list[Any], Any]:
        """Give the exact block, the formulas' and the objective's value at a point."""
        point = {name: value if np.ndim(value) else float(value) for name, value in point.items()}
        seeds = self.exact.seed
        if not self.exact.target.of:
            return self._once(point)
        block = self._array(self.exact.shape)
        yours: list[Any] = []
        value = None
        for place in product(*(range(n) for n in seeds)):
            unit = np.zeros(seeds)
            unit[place] = 1.0
            part, yours, value = self._once({**point, SEED: unit if seeds else 1.0})
            block[place] = part
        return block, yours, value

    def _once(self, point: Mapping[str, Any]) -> tuple[Any, list[Any], Any]:
        self.point = point
        self.tape._fixed = None  # noqa: SLF001 - the data move too
        values = self.values = self.tape.at(point)
        out = self._array(self.exact.reading.params[self.exact.target.name])
        for entry in self.entries:
            self._scatter(out, entry.leaf, values[entry.node], values)
        return out, [self._dense(t, values) for t in self.theirs], values[self.exact.reading.value.node]

    def _array(self, shape: tuple[int, ...]) -> Any:
        if self.arithmetic is None:
            return np.zeros(shape)
        out = np.empty(shape, dtype=object)
        out[...] = self.arithmetic.context.mpf(0)
        return out

    def _scatter(self, out: Any, leaf: Leaf, value: Any, values: Mapping[Node, Any]) -> None:
        labels, sizes = self.tape.labels, self.tape.sizes
        needed = [label for label in labels if label in leaf.labels or (np.ndim(value) and self._varies(value, label))]
        shape = [sizes[label] if label in needed else 1 for label in labels]
        full = np.broadcast_to(np.asarray(value, dtype=None if self.digits == 0 else object), shape)
        places = []
        for index in leaf.index:
            if isinstance(index, Span):
                at = index.start + index.step * np.arange(sizes[index.label])
                at = at.reshape([-1 if label == index.label else 1 for label in labels])
            elif isinstance(index, int):
                at = np.asarray(index)
            else:
                at = np.asarray(values[index]).astype(float).astype(np.int64)
            places.append(np.broadcast_to(at, shape))
        if places:
            np.add.at(out, tuple(places), full)
        else:
            out[()] = out[()] + full.sum()

    def _varies(self, value: Any, label: str) -> bool:
        return bool(np.shape(value)[self.tape.labels.index(label)] > 1)

    def _dense(self, array: Array, values: Mapping[Node, Any]) -> Any:
        value, sizes = values[array.node], self.tape.sizes
        shape = tuple(sizes[a] if a else 1 for a in array.axes)
        kept = [a for a in array.axes if a]
        source = np.asarray(value)
        if source.ndim and self.tape.labels:
            order = [self.tape.labels.index(a) for a in kept]
            rest = [i for i in range(source.ndim) if i not in order]
            source = source.transpose([*order, *rest]).reshape([source.shape[i] for i in order] or ())
        else:
            source = source.reshape((1,) * len(kept)) if kept else source
        full = np.broadcast_to(source, [sizes[a] for a in kept])
        return np.array(np.broadcast_to(full.reshape(shape), self.exact.shape))


class _Everything(Mapping[str, Any]):
    """The values of data, out of the point."""

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers

    def __getitem__(self, name: str) -> Any:
        return self.numbers.point[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.numbers.point)

    def __len__(self) -> int:
        return len(self.numbers.point)


# ---- points --------------------------------------------------------------------------------------------------------


def draw(
    reading: Reading, rng: np.random.Generator, style: str, conditions: tuple[Condition, ...] = ()
) -> dict[str, Any]:
    """Draw a point: every parameter and all data, in short decimals.

    Parameters
    ----------
    reading : Reading
        What for.
    rng : Generator
        Where from.
    style : str
        How large, and of what sign.
    conditions : tuple of Condition
        What data fulfil.

    Returns
    -------
    dict of str to ndarray or float
    """
    point: dict[str, Any] = {}
    indices = indexed_axes(reading)
    for name, shape in {**reading.params, **reading.data}.items():
        if name in indices:
            point[name] = rng.integers(indices[name], size=shape).astype(float)
            continue
        values = _draw(rng, shape, style)
        for condition in sorted(
            (c for c in conditions if c.name == name), key=lambda c: (c.kind == "symmetric", c.kind != "positive")
        ):
            values = KINDS[condition.kind].drawn(rng, values)
        point[name] = np.round(np.asarray(values, dtype=float), 4)
    return point


def _draw(rng: np.random.Generator, shape: tuple[int, ...], style: str) -> Any:
    values = rng.normal(size=shape) * {"wide": 4.0, "small": 0.2}.get(style, 1.2)
    if style == "positive":
        values = np.abs(values) + 0.3
    elif style == "unit":
        values = rng.uniform(0.1, 0.9, size=shape)
    elif style == "above":
        values = 1.2 + np.abs(values)
    values = np.round(values, 2)
    return np.where(values == 0, 0.37, values)


def indexed_axes(reading: Reading) -> dict[str, int]:
    """Give the data that serve as an index, each with the length of the axis that it points into."""
    names = index_names(reading)
    if not names:
        return {}
    found: dict[str, int] = {}
    for node in reachable([reading.value.node]):
        if isinstance(node, Leaf):
            shape = reading.params.get(node.name) or reading.data.get(node.name) or ()
            for size, index in zip(shape, node.index, strict=False):
                if isinstance(index, Node):
                    for n in reachable([index]):
                        if isinstance(n, Leaf) and n.name in names:
                            found[n.name] = min(size, found.get(n.name, size))
    return found


def finite(value: Any) -> bool:
    """Tell whether all numbers are finite."""
    try:
        return bool(np.isfinite(np.asarray(value, dtype=np.float64)).all())
    except (TypeError, ValueError, OverflowError):
        return False


def same(a: Any, b: Any, digits: int) -> bool:
    """Tell whether arrays agree to so many digits, each entry measured by itself."""
    a, b = np.broadcast_arrays(np.asarray(a), np.asarray(b))
    for x, y in zip(a.ravel(), b.ravel(), strict=True):
        size = max(abs(x), abs(y))
        if size and not abs(x - y) <= size * type(x)(10) ** (-digits):
            if size < type(x)(10) ** (-digits):
                continue
            return False
    return True


def kinks(exact: Exact, theirs: list[Array]) -> list[Node]:
    """Give the nodes whose sign says on which side of a kink a point lies."""
    found: list[Node] = []
    graph = exact.reading.graph
    for node in reachable([exact.reading.value.node, *(t.node for t in theirs)]):
        if isinstance(node, Map):
            if node.function in ("abs", "relu", "sign"):
                found.append(node.args[0])
            elif node.function in ("maximum", "minimum", "greater", "less", "greater_equal", "less_equal"):
                found.append(graph.tidy.subtract(node.args[0], node.args[1]))
    return found


def crossing(
    exact: Exact, theirs: Array, points: Iterable[Mapping[str, Any]]
) -> tuple[list[Mapping[str, Any]], int]:  # fmt: skip
    """Choose points that lie on both sides of every kink.

    Parameters
    ----------
    exact : Exact
        The block.
    theirs : Array
        A formula for it.
    points : iterable of mapping
        Points to choose from.

    Returns
    -------
    chosen : list of mapping
        A point for each side that was met.
    missed : int
        Sides that were not.
    """
    places = list(dict.fromkeys(kinks(exact, [theirs])))
    if not places:
        return [], 0
    numbers = Numbers(exact, [theirs], 0, places)
    sides = {(node, sign) for node in places for sign in (1, -1)}
    chosen = []
    for point in points:
        right, (yours,), value = numbers.at(point)
        if not (finite(value) and finite(right) and finite(yours)):
            continue
        met = {(node, sign) for node, sign in sides if (np.sign(numbers.values[node]) == sign).any()}
        if met:
            chosen.append(point)
            sides -= met
        if not sides:
            break
    return chosen, len(sides)
