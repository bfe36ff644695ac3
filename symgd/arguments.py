"""What users give for parameters and points, checked before any work is done."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd import formula as fm
from symgd.errors import FormulaError, UsageError, shown, suggest
from symgd.functions import CONSTANTS

Vector = NDArray[np.float64]
Point = Mapping[str, float] | Sequence[float] | Vector


def checked_params(params: Sequence[str] | None) -> tuple[str, ...] | None:
    """Check the names of declared parameters."""
    if params is None:
        return None
    if isinstance(params, str):
        params = [p.strip() for p in params.split(",")]
    if not isinstance(params, Sequence | Mapping):
        raise UsageError(f"params={shown(params)} must be a sequence of names")
    checked = tuple(fm.check_name(p) for p in params)
    if len(set(checked)) < len(checked):
        twice = next(p for p in checked if checked.count(p) > 1)
        raise UsageError(f"params names '{twice}' twice; give each parameter once")
    return checked


def find_params(
    text: str, used: Mapping[str, tuple[int, int]], known: set[str], chosen: tuple[str, ...] | None
) -> tuple[str, ...]:
    """Tell parameters from data and constants."""
    free = [name for name in used if name not in known]
    if chosen is None:
        return tuple(name for name in free if name not in CONSTANTS)
    both = [name for name in chosen if name in known]
    if both:
        raise UsageError(f"'{both[0]}' is given both as a parameter and as data; choose one")
    for name in free:
        if name not in chosen and name not in CONSTANTS:
            begin, end = used[name]
            near = suggest(name, [*chosen, *known])
            hint = f"did you mean '{near}'?" if near else f"the parameters are {', '.join(chosen) or 'none'}"
            raise FormulaError(f"unknown name '{name}'", text, begin, end, hint)
    return chosen


def vector(params: tuple[str, ...], point: Point | None, values: Mapping[str, float]) -> Vector:
    """Give a point as a vector in the order of the parameters."""
    if isinstance(point, str | bytes):
        raise UsageError(f"a point must be a mapping or a sequence of numbers; got {shown(point)}")
    if isinstance(point, Mapping) or (point is None and values is not None):
        given = {fm.check_name(k): v for k, v in {**(point or {}), **values}.items()}
        missing = [p for p in params if p not in given]
        extra = [k for k in given if k not in params]
        if extra:
            near = suggest(extra[0], list(params))
            hint = f"did you mean '{near}'?" if near else f"the parameters are {', '.join(params) or 'none'}"
            raise UsageError(f"'{extra[0]}' is no parameter of the formula; {hint}")
        if missing:
            raise UsageError(f"no value for {', '.join(missing[:5])}; give every parameter one: {_example(params)}")
        entries = [(p, given[p]) for p in params]
    else:
        if values:
            raise UsageError("give the point by name or by position, not both")
        try:
            listed = list(point)
        except TypeError:
            raise UsageError(f"a point must be a mapping or a sequence; got {shown(point)}") from None
        if len(listed) != len(params):
            needed = f"{len(params)} parameter{'s' if len(params) != 1 else ''}"
            has = f"{len(listed)} value{'s' if len(listed) != 1 else ''}"
            raise UsageError(f"the point has {has} for {needed}: {', '.join(params[:20])}")
        entries = list(zip(params, listed, strict=True))
    return np.array([_real(name, value) for name, value in entries], dtype=np.float64)


def _real(name: str, value: Any) -> float:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, str | bytes | complex):
        raise UsageError(f"{name}={shown(value)} must be a real number")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        kind = type(value).__name__
        raise UsageError(f"{name}={shown(value)} must be a real number; got {kind}") from None
    if not math.isfinite(number):
        raise UsageError(f"{name}={number} must be finite")
    return number


def _example(params: tuple[str, ...]) -> str:
    shown = ", ".join(f"'{p}': 1.0" for p in params[:3])
    return "{" + shown + (", ..." if len(params) > 3 else "") + "}"


def flat(params: tuple[str, ...], x: Any) -> Vector:
    """Give a flat vector as SciPy hands it over, checked."""
    try:
        array = np.atleast_1d(np.asarray(x, dtype=np.float64))
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"a vector must hold real numbers; got {shown(x)}") from None
    if array.shape != (len(params),):
        raise UsageError(f"the vector has shape {array.shape}; this objective takes ({len(params)},)")
    return array


def check_callback(callback: Any) -> None:
    """Refuse a callback that cannot be called."""
    if callback is not None and not callable(callback):
        raise UsageError(f"callback={shown(callback)} must be a function of step, point and value")
