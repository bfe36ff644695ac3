"""What users hand over as numbers, checked in one place: whole numbers, numbers within bounds, and arrays of them.

NumPy's numbers, and arrays without axes, are taken wherever Python's are. Truth values are no numbers among options,
where ``steps=True`` is a slip; among values they are 0 and 1.
"""

from __future__ import annotations

import datetime as dt
import math
import sys
from collections.abc import Set as AbstractSet
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.errors import UsageError, safe, shown

LARGEST = 2**62  # of steps, of a seed, and beyond what any tolerance may be
WORKERS = 1024  # threads beyond which nobody has processors
DEEPEST = 32  # lists within lists: more than NumPy takes

_DATES = (dt.date, dt.time, np.datetime64)
_SPANS = (dt.timedelta, np.timedelta64)
_KINDS = {"M": "a date", "m": "a span of time", "S": "bytes", "V": "bytes", "U": "text"}


def single(value: Any) -> Any:
    """Give the entry of an array without axes, and anything else as it is."""
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def whole(name: str, value: Any, least: int = 0, most: int = LARGEST) -> int:
    """Give an option that is a whole number.

    Parameters
    ----------
    name : str
        The option's, for the message.
    value : object
        What was given: an integer of Python's or NumPy's, or a float that is one.
    least : int
        The lower bound, which is allowed.
    most : int
        The upper one.

    Returns
    -------
    int

    Raises
    ------
    UsageError
        If it is anything else.

    Examples
    --------
    >>> whole("steps", np.int32(5)), whole("steps", 1e3)
    (5, 1000)
    """
    plain = single(value)
    if why_not(plain):
        plain = None
    if isinstance(plain, float | np.floating) and np.isfinite(plain) and plain == int(plain):
        plain = int(plain)
    if not isinstance(plain, Integral) or isinstance(plain, bool) or not least <= int(plain) <= most:
        bound = f"at least {least}" if most == LARGEST else f"{least} to {most:,}"
        given = value if plain is None else plain
        raise UsageError(f"{name}={shown(given)} must be a whole number of {bound}")
    return int(plain)


def is_number(value: Any) -> bool:
    """Tell whether an option is a finite real number."""
    plain = single(value)
    try:
        real = isinstance(plain, Real) and not isinstance(plain, bool) and not why_not(plain)
        return real and math.isfinite(plain)
    except (OverflowError, ValueError):  # a whole number beyond float64
        return False


def number(
    name: str, value: Any, rule: str, *, low: float = -math.inf, high: float = math.inf, closed: bool = True
) -> float:
    """Give an option that is a finite number within bounds.

    Parameters
    ----------
    name : str
        The option's, for the message.
    value : object
        What was given.
    rule : str
        What it must be, for the message: ``a number of at least 0``.
    low : float
        The lower bound.
    high : float
        The upper one.
    closed : bool
        Whether the bounds themselves are allowed.

    Returns
    -------
    float

    Raises
    ------
    UsageError
        If it is anything else.

    Examples
    --------
    >>> number("gtol", np.float32(0.5), "a number of at least 0", low=0)
    0.5
    """
    plain = single(value)
    inside = is_number(plain) and (low <= plain <= high if closed else low < plain < high)
    if not inside:
        raise UsageError(f"{name}={shown(value)} must be {rule}")
    return float(plain)


def seconds(name: str, value: Any) -> float:
    """Give a span of time in seconds, at least 0; infinity for no limit."""
    plain = single(value)
    if isinstance(plain, float | np.floating) and plain == math.inf:
        return math.inf
    return number(name, value, "a number of seconds, at least 0", low=0.0, high=float(LARGEST))


# ---- values --------------------------------------------------------------------------------------------------------


def why_not(value: Any) -> str | None:
    """Say what a value is that turns into a number, or nearly, but is none: a date, bytes, a masked value.

    Parameters
    ----------
    value : object
        A single value.

    Returns
    -------
    str or None
        ``None`` for what may be a number.
    """
    if _is_masked_array(type(value)):
        return "a masked value" if np.ma.is_masked(value) else None
    if isinstance(value, str):
        return "text"
    if isinstance(value, bytes | bytearray | memoryview):
        return "bytes"
    if isinstance(value, _DATES):
        return "a date"
    if isinstance(value, _SPANS):
        return "a span of time"
    if isinstance(value, AbstractSet):
        return "a set, which has no order"
    return "a complex value" if isinstance(value, complex | np.complexfloating) else None


def real(value: Any) -> float:
    """Give a single value as a float.

    Parameters
    ----------
    value : object
        Anything that says what it is as a float: numbers of any kind, truth values, arrays of one entry.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If it is none, or too large: the reason.
    """
    plain = single(value)
    reason = why_not(plain)
    if reason or (isinstance(plain, np.ndarray) and plain.ndim):
        raise ValueError(f"that is {reason or 'an array'}")
    try:
        return float(plain)
    except OverflowError:
        raise ValueError("int too large to convert to float") from None
    except Exception as problem:  # noqa: BLE001 - any code may stand in __float__
        raise ValueError(str(problem)) from None


def numbers(values: Any) -> NDArray[Any]:
    """Give values as an array of integers, floats or truth values.

    Parameters
    ----------
    values : array-like
        Its numbers. Where something is missing, as ``None`` or as pandas marks it, the number is nan.

    Returns
    -------
    ndarray
        Of the dtype that NumPy finds; of float64 where it was given as objects. It may be what was given.

    Raises
    ------
    ValueError
        If they are anything else: says what is wrong with them, such as ``must hold numbers; got ...``.
    """
    reason = why_not(values) or _masked(values)
    if reason:
        raise ValueError(f"must hold numbers; got {shown(values)}: {reason}")
    try:
        array = np.asarray(values)
    except Exception as problem:  # noqa: BLE001 - any code may stand in __array__
        raise ValueError(f"must hold numbers; {safe(str(problem), 160)}") from None
    kind = array.dtype.kind
    if array.dtype.names:
        raise ValueError(f"has the fields {safe(', '.join(array.dtype.names))}; give them one by one")
    if kind == "c":
        raise ValueError("has complex values; data must be real")
    if kind == "O":
        return _from_objects(values, array)
    if kind not in "biuf":
        raise ValueError(f"must hold numbers; got {shown(values)}" + (f": {_KINDS[kind]}" if kind in _KINDS else ""))
    return array


def _is_masked_array(kind: type) -> bool:
    """Tell whether a type is one of masked arrays, without loading what makes them."""
    return "numpy.ma" in sys.modules and issubclass(kind, np.ma.MaskedArray)


def _masked(values: Any, depth: int = 0) -> str | None:
    """Tell whether something in lists of values is masked: NumPy would take what stands under the mask."""
    if not isinstance(values, list | tuple) or depth > DEEPEST:
        return None
    kinds = set(map(type, values))
    if not any(issubclass(kind, list | tuple) or _is_masked_array(kind) for kind in kinds):
        return None
    for value in values:
        if _is_masked_array(type(value)) and np.ma.is_masked(value):
            return "with a masked value"
        if inner := _masked(value, depth + 1):
            return inner
    return None


def _from_objects(values: Any, array: NDArray[Any]) -> NDArray[np.float64]:
    """Turn objects into floats, one by one: what is missing is nan."""
    if values is None:
        raise ValueError("must hold numbers; got None")
    found = np.empty(array.size)
    for place, value in enumerate(array.flat):
        reason = why_not(value)
        if reason:
            raise ValueError(f"must hold numbers; got {shown(value)}: {reason}")
        missing = value is None or type(value).__name__ == "NAType"  # pandas' mark is no float
        try:
            found[place] = math.nan if missing else real(value)
        except ValueError as problem:
            raise ValueError(f"must hold numbers; {safe(str(problem), 160)}") from None
    return found.reshape(array.shape)
