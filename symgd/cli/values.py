"""Numbers and arrays as a command line spells them: ``name=value,name=value``, lists, and constants such as pi/4."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from symgd.errors import FormulaError, UsageError, safe

T = TypeVar("T")
# Reads the text of a value: takes the option, the name and the text.
ReadValue = Callable[[str, str, str], T]


def items(text: str) -> Iterator[str]:
    """Split at the commas that stand in no brackets.

    Parameters
    ----------
    text : str
        What was typed.

    Yields
    ------
    str
        What stands between two commas.
    """
    depth = first = 0
    for place, sign in enumerate(text):
        depth += (sign in "[(") - (sign in "])")
        if sign == "," and depth == 0:
            yield text[first:place]
            first = place + 1
    if text[first:].strip():
        yield text[first:]


def spans(option: str, texts: Iterable[str]) -> dict[str, tuple[float, float]]:
    """Read ``x=-15:15,y=0:1``.

    Parameters
    ----------
    option : str
        The option that gave it, for messages.
    texts : iterable of str
        What was typed, once for each time that the option was given.

    Returns
    -------
    dict of str to tuple of float

    Raises
    ------
    UsageError
        If it is none, or a name is given twice.
    """
    found: dict[str, tuple[float, float]] = {}
    for item in (item for text in texts for item in items(text)):
        name, sign, bounds = (part.strip() for part in item.partition("="))
        low, colon, high = bounds.partition(":")
        if not name or not sign or not colon:
            raise UsageError(f"{option} {safe(item)} must be name=low:high, such as x=-15:15")
        if name in found:
            raise UsageError(f"{option} gives '{safe(name)}' twice")
        found[name] = (number(option, name, low), number(option, name, high))
    return found


def number(option: str, name: str, text: str) -> float:
    """Read a number, or a constant expression such as ``pi/4``.

    Parameters
    ----------
    option : str
        The option that gave it, for messages.
    name : str
        The name that it is for; may be empty.
    text : str
        What was typed.

    Returns
    -------
    float

    Raises
    ------
    UsageError
        If it is none.
    """
    try:
        return float(text)
    except ValueError:
        pass
    from symgd.objective import Objective

    try:
        return float(Objective(text, params=()).value([]))
    except FormulaError as problem:
        raise UsageError(f"{place(option, name, text)}: the value must be a number; {problem.problem}") from None


def value(option: str, name: str, text: str) -> object:
    """Read a number, or a list, whose entries may be lists: a matrix is a list of its rows.

    Parameters
    ----------
    option : str
        The option that gave it, for messages.
    name : str
        The name that it is for; may be empty.
    text : str
        What was typed.

    Returns
    -------
    float or list

    Raises
    ------
    UsageError
        If it is neither.
    """
    text = text.strip()
    if not text.startswith("["):
        return number(option, name, text)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):  # JSON knows neither .5 nor pi/4
        found = None
    if isinstance(found, list):
        return found
    if not text.endswith("]") or text.count("[") > 1000:
        raise UsageError(f"{place(option, name, text)}: a list must be written as [1,2,3], a matrix as [[1,2],[3,4]]")
    return [value(option, name, part) for part in items(text[1:-1])]


def place(option: str, name: str, text: str) -> str:
    """Say where a value was given.

    Parameters
    ----------
    option : str
        The option.
    name : str
        The name; may be empty.
    text : str
        What was typed.

    Returns
    -------
    str
    """
    return f"{option} {safe(name)}={safe(text.strip())}" if name else f"{option} {safe(text.strip())}"


def named(texts: Iterable[str], option: str, read: ReadValue[T]) -> tuple[dict[str, T], list[T]]:
    """Read ``name=value,name=value``, or values alone.

    Parameters
    ----------
    texts : iterable of str
        What was typed, once for each time that the option was given.
    option : str
        The option, for messages.
    read : callable
        Reads one value.

    Returns
    -------
    named : dict of str to object
        The values by name.
    unnamed : list
        Those without names.

    Raises
    ------
    UsageError
        If a name is given twice, or names are given to some values only.
    """
    found: dict[str, T] = {}
    unnamed: list[T] = []
    for item in (item for text in texts for item in items(text)):
        name, sign, text = item.partition("=")
        name = name.strip()
        if not sign:
            unnamed.append(read(option, "", item))
        elif name in found:
            raise UsageError(f"{option} gives '{safe(name)}' twice")
        else:
            found[name] = read(option, name, text)
    if found and unnamed:
        raise UsageError(f"{option} must give all values by name, or all by position; got both")
    return found, unnamed


def numbers(texts: Iterable[str], option: str) -> tuple[dict[str, float], list[float]]:
    """Read numbers as `named` reads values.

    Parameters
    ----------
    texts : iterable of str
        What was typed.
    option : str
        The option, for messages.

    Returns
    -------
    named : dict of str to float
        The numbers by name.
    unnamed : list of float
        Those without names.
    """
    return named(texts, option, number)


def whole(option: str, given: float) -> int:
    """Check a whole number of at least 1.

    Parameters
    ----------
    option : str
        The option that gave it, for the message.
    given : float
        The number.

    Returns
    -------
    int

    Raises
    ------
    UsageError
        If it is none.
    """
    if not given.is_integer() or given < 1:
        raise UsageError(f"{option} {given:g} must be a whole number of at least 1")
    return int(given)
