"""What users give for parameters and points, checked before any work is done."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd import checks
from symgd import language as fm
from symgd.data import AXES  # as many for a parameter as for an array of data
from symgd.errors import DataError, FormulaError, UsageError, safe, shown, suggest
from symgd.language.functions import CONSTANTS
from symgd.parameters import Shape, flat_of

MOST = 2**40  # most entries

Vector = NDArray[np.float64]
Point = Mapping[str, Any] | Sequence[Any] | Vector


def checked_params(params: Any) -> tuple[tuple[str, ...], dict[str, Shape]] | None:
    """Check declared parameters: their names, and the shapes of those that have one."""
    if params is None:
        return None
    if isinstance(params, str):
        params = [p.strip() for p in params.split(",")]
    if not isinstance(params, Sequence | Mapping):
        raise UsageError(f"params={shown(params)} must be a sequence of names, or a mapping of names to shapes")
    checked = tuple(fm.check_name(p) for p in params)
    if len(set(checked)) < len(checked):
        twice = next(p for p in checked if checked.count(p) > 1)
        raise UsageError(f"params names '{twice}' twice; give each parameter once")
    shapes = {}
    if isinstance(params, Mapping):
        shapes = {fm.check_name(name): _shape(name, given) for name, given in params.items()}
    return checked, shapes


def _shape(name: str, given: object) -> Shape:
    """Check a declared shape: a whole number, or a tuple of up to three."""
    sizes = tuple(given) if isinstance(given, Sequence) and not isinstance(given, str | bytes | bytearray) else (given,)
    whole = all(isinstance(n, int | np.integer) and not isinstance(n, bool) and n > 0 for n in sizes)
    if not whole or len(sizes) > AXES or math.prod(sizes) > MOST:
        rule = f"a tuple of at most {AXES} whole numbers of at least 1, () for a number, and no more than memory holds"
        raise UsageError(f"the shape {shown(given)} of '{safe(name)}' must be {rule}")
    return tuple(int(n) for n in sizes)


def check_indices(names: Iterable[str], data: object) -> None:
    """Refuse a single truth value as an index: in NumPy it chooses all or nothing, and here it would be a place."""
    for name in names:
        value = checks.single(data.get(name)) if isinstance(data, Mapping) else None
        if isinstance(value, bool | np.bool_):
            raise DataError(
                f"'{name}' is {bool(value)}, and serves as an index, which holds positions; give {int(value)} "
                "to choose that entry"
            )


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


def near_column(name: str, data: Collection[str], used: Collection[str]) -> str | None:
    """Give the column that a name was probably meant for: one like it that the formula does not read."""
    left = [column for column in data if column not in used]
    if not left:
        return None
    from symgd.language.foreign import distance

    plain = name.lower().replace("_", "")
    for column in left:
        other = column.lower().replace("_", "")
        if plain == other or (min(len(plain), len(other)) > 3 and distance(plain, other) <= 1 + (len(plain) > 7)):
            return column
    return None


def misspelt(params: Sequence[str], data: Collection[str], used: Collection[str]) -> list[str]:
    """Say of each parameter that nobody declared and that is nearly the name of a column what it was taken for."""
    found = []
    for name in params if data else ():
        near = near_column(name, data, used)
        if near:
            found.append(
                f"'{name}' is taken for a parameter, for no data have this name; did you mean the column '{near}'? "
                "if not, declare it by params="
            )
        elif name in ("n", "N"):
            column = next((c for c in used if c in data), None)
            if column is not None:
                found.append(
                    f"'{name}' is taken for a parameter, for no data have this name; the number of rows is "
                    f"len({column}); if '{name}' is to be fitted, declare it by params="
                )
    return found


def by_label(point: Any) -> Any:
    """Give what labels its values as a mapping, since positions say nothing there; anything else as it is.

    Parameters
    ----------
    point : object
        A named tuple, a record of NumPy's, a Series whose labels are more than positions, or a DataFrame.

    Returns
    -------
    object
        A dict of labels to values, or `point` itself.
    """
    if isinstance(point, tuple) and hasattr(point, "_fields"):
        return dict(zip(point._fields, point, strict=True))
    if isinstance(point, np.void) and point.dtype.names:
        return {name: point[name] for name in point.dtype.names}
    if not hasattr(point, "to_dict") or callable(getattr(point, "index", None)):
        return point
    if hasattr(point, "columns"):
        return {label: point[label].to_numpy() for label in point.columns}
    labels = list(getattr(point, "index", ()))
    return point if labels == list(range(len(point))) else dict(zip(labels, point, strict=True))


def entries(
    params: tuple[str, ...],
    point: Any,
    values: Mapping[str, Any],
    lacking: Callable[[Sequence[str]], str] | None = None,
) -> dict[str, Any]:
    """Give what a point says of each parameter, by name and in order: floats and arrays, checked.

    `lacking` says what may be the matter with those that have no value.
    """
    if isinstance(point, str | bytes):
        raise UsageError(f"a point must be a mapping or a sequence of numbers; got {shown(point)}")
    if hasattr(point, "columns"):
        raise UsageError("a DataFrame holds a point in each row; give one of them: frame.iloc[0]")
    point = by_label(point)
    if isinstance(point, Mapping) or (point is None and values is not None):
        known = set(params)  # these have been checked
        given = {
            k if type(k) is str and k in known else fm.check_name(k): v for k, v in {**(point or {}), **values}.items()
        }
        if len(given) < len({**(point or {}), **values}):
            raise UsageError("the point gives a parameter twice, under two spellings of its name")
        missing = [p for p in params if p not in given]
        extra = [k for k in given if k not in params]
        if extra:
            near = suggest(extra[0], list(params))
            hint = f"did you mean '{near}'?" if near else f"the parameters are {', '.join(params) or 'none'}"
            raise UsageError(f"'{extra[0]}' is no parameter of the formula; {hint}")
        if missing:
            more = lacking(missing) if lacking else ""
            raise UsageError(
                f"no value for {', '.join(missing[:5])}; give every parameter one: {_example(params)}{more}"
            )
        found = [(p, given[p]) for p in params]
    else:
        if values:
            raise UsageError("give the point by name or by position, not both")
        listed = _listed(point, len(params))
        if len(listed) != len(params):
            needed = f"{len(params)} parameter{'s' if len(params) != 1 else ''}"
            has = f"{len(listed)} value{'s' if len(listed) != 1 else ''}"
            raise UsageError(f"the point has {has} for {needed}: {', '.join(params[:20])}")
        found = list(zip(params, listed, strict=True))
    return {name: _value(name, value) for name, value in found}


def _listed(point: Any, count: int) -> list[Any]:
    """Give the values of a point in order; a bare number is the point of a single parameter."""
    reason = checks.why_not(point)
    if reason:
        raise UsageError(f"a point must be a mapping or a sequence of numbers; got {shown(point)}: {reason}")
    if count == 1 and checks.is_number(point):
        return [point]
    try:
        return list(point)
    except TypeError:
        raise UsageError(f"a point must be a mapping or a sequence; got {shown(point)}") from None
    except Exception as problem:  # noqa: BLE001 - any code may stand in an iterator
        raise UsageError(f"a point must be a mapping or a sequence; {safe(str(problem))}") from None


def vector(given: Mapping[str, float | Vector], shapes: Mapping[str, Shape]) -> Vector:
    """Give checked values as one flat vector."""
    for name, value in given.items():
        if np.shape(value) != shapes[name]:
            raise UsageError(f"'{name}' has the shape {np.shape(value)} here, and {shapes[name]} in this objective")
    if not any(shapes.values()):
        return np.array(list(given.values()), dtype=np.float64)
    return flat_of(given.values())


def _value(name: str, value: object) -> float | Vector:
    """Give a parameter's value: a float, or an array of them."""
    if isinstance(value, np.ndarray | list | tuple) or (hasattr(value, "__array__") and np.ndim(value)):
        return _array(name, value)
    return _real(name, value)


def _array(name: str, value: object) -> float | Vector:
    try:
        array = checks.numbers(value).astype(np.float64)
    except (ValueError, OverflowError):
        raise UsageError(f"{name}={shown(value)} must be real numbers, in an array of one shape") from None
    if array.ndim == 0:
        return _real(name, array.item())
    if array.ndim > AXES or not array.size:
        raise UsageError(f"{name} has the shape {array.shape}; a parameter has at most {AXES} axes, none of them empty")
    if not np.isfinite(array).all():
        raise UsageError(f"{name} must be finite; {int((~np.isfinite(array)).sum())} of its entries are not")
    return array


def _real(name: str, value: object) -> float:
    try:
        number = checks.real(value)
    except ValueError:
        kind = type(value).__name__
        raise UsageError(f"{name}={shown(value)} must be a real number; got {kind}") from None
    if not math.isfinite(number):
        raise UsageError(f"{name}={number} must be finite")
    return number


def _example(params: tuple[str, ...]) -> str:
    shown = ", ".join(f"'{p}': 1.0" for p in params[:3])
    return "{" + shown + (", ..." if len(params) > 3 else "") + "}"


def flat(size: int, x: object) -> Vector:
    """Give a flat vector as SciPy hands it over, checked."""
    if by_label(x) is not x:
        raise UsageError(
            f"a vector is read by position, and {shown(x)} has labels; give its values alone: x.to_numpy()"
        )
    try:
        array = np.atleast_1d(checks.numbers(x).astype(np.float64, copy=False))
    except (ValueError, OverflowError):
        raise UsageError(f"a vector must hold real numbers; got {shown(x)}") from None
    if array.shape != (size,):
        raise UsageError(f"the vector has shape {array.shape}; this objective takes ({size},)")
    return array


def check_callback(callback: object) -> None:
    """Refuse a callback that cannot be called."""
    if callback is not None and not callable(callback):
        raise UsageError(f"callback={shown(callback)} must be a function of step, point and value")
