"""A point of small round numbers at which a formula is not the derivative."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from symgd.checking import numeric
from symgd.checking.claims import Exact, matched
from symgd.checking.conditions import Condition
from symgd.checking.numeric import WORKING, Numbers
from symgd.checking.result import Counterexample
from symgd.errors import SymgdError
from symgd.graph import Array

if TYPE_CHECKING:
    from symgd.checking.decide import Judge

TRIED = 60  # round points
SHRINKS = 80  # steps towards rounder numbers
ROUND = (0.0, 1.0, 2.0, -1.0, 0.5, 3.0)
CLEAR = 1e-3  # relative difference that the eye sees


def find(
    judge: Judge, text: str, theirs: Array, conditions: Sequence[Condition], known: dict[str, Any] | None
) -> Counterexample | None:
    """Find a counterexample: in small arrays where the formulas allow it, with round numbers.

    Parameters
    ----------
    judge : Judge
        What is checked.
    text : str
        What is claimed.
    theirs : Array
        What was read from it.
    conditions : sequence of Condition
        What data fulfil.
    known : dict, optional
        A point at which they differ.

    Returns
    -------
    Counterexample or None
    """
    for exact, array in _settings(judge, text, theirs):
        numbers = Numbers(exact, [array])
        wanted = CLEAR
        for point in _round_points(exact, conditions):
            if _differs(numbers, point, wanted):
                point = _shrunk(numbers, point, {c.name for c in conditions}, wanted)  # noqa: PLW2901
                return _told(exact, array, point)
    if known is None:
        return None
    return _told(judge.exact, theirs, known)


def _settings(judge: Judge, text: str, theirs: Array) -> Iterator[tuple[Exact, Array]]:
    """Give the problem with the smallest lengths that the formulas allow, and then as it is."""
    try:
        problem = judge.problem.smaller()
        sizes = {name: 2 + (i % 2) for i, name in enumerate(problem.free)}
        reading = problem._read(sizes)  # noqa: SLF001
        exact = Exact(reading, judge.target)
        array = matched(reading, reading.read(text), exact.shape)
        exact.slope  # noqa: B018
        if array is not None:
            yield exact, array
    except SymgdError:
        pass
    yield judge.exact, theirs


def _round_points(exact: Exact, conditions: Sequence[Condition]) -> Iterator[dict[str, Any]]:
    rng = np.random.default_rng(11)
    kinds = {c.name for c in conditions}
    for attempt in range(TRIED):
        drawn = numeric.draw(exact.reading, rng, numeric.STYLES[attempt % 3], tuple(conditions))
        indices = numeric.indexed_axes(exact.reading)
        point = {}
        for name, values in drawn.items():
            if name in kinds or name in indices:
                point[name] = values
            elif attempt == 0:
                point[name] = np.ones_like(values)
            elif attempt % 3 == 2:
                point[name] = np.round(values, 1) if attempt < TRIED - 6 else values
            else:
                whole = np.round(values * 1.5)
                point[name] = np.where(whole == 0, 1.0, np.abs(whole) if attempt % 3 == 1 else whole)
        yield point


def _differs(numbers: Numbers, point: dict[str, Any], wanted: float) -> bool:
    try:
        exact, (yours,), value = numbers.at(point)
    except (ArithmeticError, ValueError, IndexError):
        return False
    if not (numeric.finite(value) and numeric.finite(exact) and numeric.finite(yours)):
        return False
    scale = np.maximum(np.abs(exact), np.abs(yours))
    return bool((np.abs(exact - yours) > wanted * scale.max(initial=0) + 1e-9).any())


def _shrunk(numbers: Numbers, point: dict[str, Any], fixed: set[str], wanted: float) -> dict[str, Any]:
    """Make numbers rounder, one after the other, while the two sides still differ."""
    fixed = fixed | set(numeric.indexed_axes(numbers.exact.reading))
    left = SHRINKS
    for name, values in point.items():
        if name in fixed:
            continue
        for place in np.ndindex(np.shape(values)):
            for better in ROUND:
                array = np.array(point[name], dtype=float)
                if left <= 0 or _cost(float(array[place])) <= _cost(better):
                    break
                array[place] = better
                left -= 1
                if _differs(numbers, {**point, name: array}, wanted):
                    point = {**point, name: array}
                    break
    return point


def _cost(value: float) -> float:
    return ROUND.index(value) if value in ROUND else 10 + abs(value)


def _told(exact: Exact, array: Array, point: dict[str, Any]) -> Counterexample | None:
    numbers = Numbers(exact, [array], WORKING)
    right, (yours,), _ = numbers.at(point)
    worst, found = -1.0, None
    for place in np.ndindex(right.shape):
        a, b = _entry(right, place), _entry(yours, place)
        try:
            error = float(abs(a - b) / max(abs(a), abs(b), 1))
        except (ZeroDivisionError, ValueError):
            continue
        if error == error and error > worst:  # noqa: PLR0124
            worst, found = error, (place, float(b), float(a))
    if found is None:
        return None
    place, b, a = found
    size = max(abs(a), abs(b))
    digits = 0 if a * b <= 0 or worst <= 0 else max(0, int(-math.log10(abs(a - b) / size))) if a != b else 16
    reading = exact.reading
    shown = {n: _plain(point[n]) for n in (*reading.params, *reading.data) if n in point}
    return Counterexample(shown, place, b, a, digits)


def _entry(values: Any, place: tuple[int, ...]) -> Any:
    entry = np.asarray(values, dtype=object)[place]
    return entry.item() if isinstance(entry, np.ndarray) else entry


def _plain(value: Any) -> Any:
    return float(value) if np.ndim(value) == 0 else np.asarray(value, dtype=float).tolist()


__all__ = ["find", "replace"]
