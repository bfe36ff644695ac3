"""What is to be checked: an objective, the shapes of everything in it, and lengths that are free."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from typing import Any

import numpy as np

from symgd import data as data_module
from symgd import language as fm
from symgd.checking.reading import Reading
from symgd.checking.spelling import plain
from symgd.errors import FormulaError, UsageError, safe, shown
from symgd.language.functions import CONSTANTS
from symgd.records import dataclass

Dim = int | str
Dims = tuple[Dim, ...]

# Lengths of free axes: far apart and odd, so that what holds for them holds for all, since nothing is written out; and
# small, unequal ones for numbers, since square shapes hide transposes.
LARGE = (10007, 1_000_003, 100_000_007, 10_000_000_019, 1_000_000_000_039, 100_000_000_000_031)
MIDDLE = (199, 197, 193, 191, 181, 179)  # where a matrix is inverted, which may not be large
SMALL = ((4, 3, 2, 5, 6, 7), (5, 2, 3, 4, 7, 6))
TRIED = 1500  # sets of shapes that are tried where none were given


@dataclass(frozen=True)
class Problem:
    """An objective with shapes.

    Parameters
    ----------
    text : str
        The formula, as it is read.
    params, data : mapping of str to tuple
        Shapes; a length that is free is a name.
    values : mapping of str to ndarray or float
        Data whose values were given.
    where : tuple of str
        Conditions that were given.
    inferred : bool
        Whether shapes were found from the formulas.
    """

    text: str
    params: Mapping[str, Dims]
    data: Mapping[str, Dims]
    values: Mapping[str, Any] = field(default_factory=dict)
    where: tuple[str, ...] = ()
    inferred: bool = False

    @cached_property
    def tree(self) -> fm.Tree:
        """What the formula says."""
        return fm.parse(self.text, declared={*self.params, *self.data, *self.free})

    @cached_property
    def free(self) -> tuple[str, ...]:
        """The lengths that are free, in order."""
        found: dict[str, None] = {}
        for dims in (*self.data.values(), *self.params.values()):
            for dim in dims:
                if isinstance(dim, str):
                    found[dim] = None
        return tuple(found)

    def lengths(self, which: str | int) -> dict[str, int]:
        """Give numbers for the free lengths: ``"large"``, ``"middle"``, or one of the small sets."""
        chosen = LARGE if which == "large" else MIDDLE if which == "middle" else SMALL[int(which)]
        return {name: chosen[i % len(chosen)] + i // len(chosen) * 10 for i, name in enumerate(self.free)}

    def reading(self, which: str | int) -> Reading:
        """Read the objective at certain lengths; each is read once."""
        known: dict[Any, Reading] = self.__dict__.setdefault("_readings", {})
        if which not in known:
            known[which] = self._read(self.lengths(which))
        return known[which]

    def _read(self, sizes: Mapping[str, int]) -> Reading:
        def whole(shapes: Mapping[str, Dims]) -> dict[str, tuple[int, ...]]:
            return {n: tuple(sizes[d] if isinstance(d, str) else d for d in dims) for n, dims in shapes.items()}

        # A name that has a value of its own is not the length.
        names = {n: v for n, v in sizes.items() if n not in self.params and n not in self.data}
        return Reading(self.text, self.tree, whole(self.params), whole(self.data), names)

    def smaller(self) -> Problem:
        """Give the problem with all lengths free, those that were numbers too."""
        names: dict[int, str] = {}

        def freed(shapes: Mapping[str, Dims]) -> dict[str, Dims]:
            return {n: tuple(d if isinstance(d, str) or d == 1 else names.setdefault(d, f"length{d}") for d in dims)
                    for n, dims in shapes.items()}  # fmt: skip

        return replace(self, data=freed(self.data), params=freed(self.params), values={})


# ---- what users give -----------------------------------------------------------------------------------------------


def dims(given: Any, name: str) -> Dims:
    """Read a shape: ``"n x k"``, ``"n"``, ``""``, a whole number or a tuple of such."""
    if isinstance(given, str):
        parts = [p.strip() for p in given.replace("×", "x").replace(",", "x").strip("()[] ").split("x")]
        given = [p for p in parts if p]
    elif isinstance(given, int | np.integer) and not isinstance(given, bool):
        given = [given]
    found: list[Dim] = []
    for part in given:
        text = str(part)
        if text.isdecimal() and int(text) > 0:
            found.append(int(text))
        elif isinstance(part, str) and text.isidentifier() and "x" not in text:
            found.append(fm.check_name(text))
        else:
            rule = 'lengths such as "n x k", "n x 3" or "20 x 3"'
            raise UsageError(f"the shape {shown(given)} of '{safe(name)}' must be {rule}")
    if len(found) > data_module.AXES:
        raise UsageError(f"the shape of '{safe(name)}' has {len(found)} axes, and {data_module.AXES} are the most")
    return tuple(found)


def _is_shape(value: Any) -> bool:
    return isinstance(value, str) and not value.endswith((".npy", ".csv", ".npz", ".parquet"))


def split_data(data: Any) -> tuple[dict[str, Dims | None], dict[str, Any]]:
    """Give the shapes of data (None where only the name is known), and the values that are known."""
    if data is None:
        return {}, {}
    if isinstance(data, Mapping):
        shapes: dict[str, Dims | None] = {}
        given = {}
        for key, value in data.items():
            name = fm.check_name(key)
            if value is None:
                shapes[name] = None
            elif _is_shape(value):
                shapes[name] = dims(value, name)
            else:
                given[name] = value
        values = data_module.load(given) if given else {}
    else:
        names = data_module.names(data)
        if names is not None:
            return dict.fromkeys(names), {}
        shapes, values = {}, data_module.load(data)
    known: dict[str, Any] = {}
    for name, array in values.items():
        known[name] = array.whole() if hasattr(array, "whole") else array
        shapes[name] = np.shape(known[name])
    return shapes, known


def named(params: Any) -> list[str]:
    """Give the names of parameters that were given in one text, or one by one."""
    names = params.split(",") if isinstance(params, str) else params
    if not isinstance(names, list | tuple | Mapping) or not all(isinstance(n, str) for n in names):
        raise UsageError(f"params={shown(params)} must be the names of parameters, such as 'w, b' or ['w', 'b']")
    return [fm.check_name(n.strip()) for n in names]


def make(
    formula: str, claims: Mapping[str, Sequence[str]], data: Any, params: Any, where: tuple[str, ...],
    *, rank: str = "gradient",
) -> Problem:  # fmt: skip
    """Make a problem of what a user gives; shapes that are missing are found from the formulas.

    Parameters
    ----------
    formula : str
        The objective.
    claims : mapping of str to sequence of str
        The texts that are claimed for each parameter.
    data : object
        As `check_gradient` takes them.
    params : object
        As `check_gradient` takes them.
    where : tuple of str
        Conditions.
    rank : str
        What the claims are of: ``"gradient"`` texts have the shape of their parameter.

    Returns
    -------
    Problem

    Raises
    ------
    UsageError
        If a parameter is none, or is data.
    """
    if not isinstance(formula, str):
        raise UsageError(f"the objective must be a formula (str); got {type(formula).__name__}")
    text = plain(formula)
    shapes, values = split_data(data)
    declared: dict[str, Dims | None] = {}
    if isinstance(params, Mapping):
        declared = {fm.check_name(n): None if s is None else dims(s, n) for n, s in params.items()}
    elif params is not None:
        declared = dict.fromkeys(named(params))
    free = {d for s in (*shapes.values(), *declared.values()) if s for d in s if isinstance(d, str)}
    tree = fm.parse(text, declared={*shapes, *declared, *claims, *free})
    used = fm.names(tree)
    for name in claims:
        if name not in used:
            from symgd.errors import suggest

            near = suggest(name, list(used))
            hint = f"did you mean '{near}'?" if near else f"its names are {', '.join(used)}"
            raise UsageError(f"the formula has no parameter '{safe(name)}'; {hint}")
        if name in shapes:
            raise UsageError(f"'{safe(name)}' is given as data, and a derivative by it is checked; choose one")
    unknown: dict[str, Dims | None] = {}
    for name in used:
        if name in shapes or name in free or (name in CONSTANTS and name not in declared and name not in claims):
            continue
        unknown[name] = declared.get(name)
    others = [n for texts in claims.values() for t in texts for n in _names(plain(t), {*shapes, *unknown, *free})]
    for name in others:
        if name not in shapes and name not in unknown and name not in free and name not in CONSTANTS:
            unknown.setdefault(name, ())
    return _settled(text, shapes, unknown, values, claims, where, rank, set(claims))


def _names(text: str, declared: set[str]) -> Iterable[str]:
    try:
        return fm.names(fm.parse(text, declared=declared))
    except FormulaError:
        return ()


def _settled(
    text: str, shapes: Mapping[str, Dims | None], unknown: Mapping[str, Dims | None],
    values: Mapping[str, Any], claims: Mapping[str, Sequence[str]], where: tuple[str, ...], rank: str,
    checked: set[str],
) -> Problem:  # fmt: skip
    """Give the problem, the shapes that nobody gave chosen so that the formulas read."""
    every = {**shapes, **unknown}
    open_names = [n for n, s in every.items() if s is None]

    def problem(chosen: Mapping[str, Dims]) -> Problem:
        full = {n: chosen[n] if s is None else s for n, s in every.items()}
        params = {n: full[n] for n in unknown}
        return Problem(text, params, {n: full[n] for n in shapes}, values, where, bool(open_names))

    if not open_names:
        return problem({})
    known = sorted({d for s in every.values() if s for d in s}, key=str)
    reduced = _reduced(text, every)
    options = [_candidates(n, known, is_data=n in shapes, vector=not shapes and n in reduced) for n in open_names]
    first_error: FormulaError | None = None
    fallback: Problem | None = None
    for chosen in _best_first(options):
        candidate = problem(dict(zip(open_names, chosen, strict=True)))
        try:
            reading = candidate.reading(0)
            if rank in ("gradient", "hessian"):
                reading.scalar()
            elif not _rows(reading):
                continue
        except FormulaError as error:
            first_error = first_error or error
            continue
        if all(_fits(reading, name, t, rank) for name in checked for t in claims[name]):
            return candidate
        fallback = fallback or candidate
    if fallback is not None:
        return fallback
    if first_error is None:
        raise UsageError("no shapes were found with which this formula can be read; give them, as data={'X': 'n x k'}")
    raise first_error


def _reduced(text: str, declared: Mapping[str, Any]) -> set[str]:
    """Give the names that stand inside of a reduction."""
    from symgd.language.functions import FUNCTIONS

    found: set[str] = set()
    for part in fm.walk(fm.parse(text, declared=set(declared))):
        if isinstance(part, fm.Call) and part.function in FUNCTIONS and FUNCTIONS[part.function].kind == "reduction":
            found |= set(fm.names(part))
    return found


def _rows(reading: Reading) -> bool:
    return len([a for a in reading.value.axes if a]) == 1


def _fits(reading: Reading, name: str, text: str, rank: str) -> bool:
    try:
        found = reading.read(plain(text))
    except FormulaError:
        return False
    if rank == "hessian":
        return True
    lengths = tuple(1 if a == "" else reading.graph.length(a) for a in found.axes)
    wanted = reading.params[name]
    if rank == "rows" and (lengths or wanted):
        return lengths == (*(reading.graph.length(a) for a in reading.value.axes if a), *wanted)
    return lengths == wanted


def _candidates(name: str, known: Sequence[Dim], *, is_data: bool, vector: bool) -> list[Dims]:
    """Give the shapes that a name may have, the likeliest first: capitals are matrices, data have rows."""
    vectors: list[Dims] = [(d,) for d in dict.fromkeys((*(["n", "k"] if is_data else ["k", "n"]), *known))]
    flat: list[Dims] = [("n", "k"), ("k", "m"), ("k", "n"), ("m", "k"), ("n", "m"), ("n", "n"), ("k", "k")]
    flat += [(a, b) for a in known for b in known if (a, b) not in flat]
    if name[:1].isupper():
        order = [*(flat if is_data else [("k", "m"), *flat]), *vectors, ()]
    elif is_data:
        order = [*vectors[:1], (), *vectors[1:], *flat]
    elif vector:  # sum(x**2), without data, is of an array
        order = [*vectors, (), *flat]
    else:
        order = [(), *vectors, *flat]
    return list(dict.fromkeys(order))


def _best_first(options: Sequence[Sequence[Dims]]) -> Iterable[tuple[Dims, ...]]:
    """Give choices of one option a name, those of early options first."""
    start = (0,) * len(options)
    queue = [(0, start)]
    seen = {start}
    for _ in range(TRIED):
        if not queue:
            return
        cost, at = heapq.heappop(queue)
        yield tuple(o[i] for o, i in zip(options, at, strict=True))
        for k, i in enumerate(at):
            following = (*at[:k], i + 1, *at[k + 1 :])
            if i + 1 < len(options[k]) and following not in seen:
                seen.add(following)
                heapq.heappush(queue, (cost + 1, following))


def size(shape: Iterable[int]) -> int:
    """Give the number of entries."""
    return math.prod(shape)
