"""Values and tables as users are shown them: as text, as HTML, and as JSON holds them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Value: TypeAlias = float | NDArray[np.generic]
Json: TypeAlias = "float | list[Json] | None"

LISTED = 6  # numbers of an array that are listed


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def escaped(text: object) -> Markup:
    """Give text as HTML."""
    import html

    return text if isinstance(text, Markup) else Markup(html.escape(str(text)))


def code(text: object) -> Markup:
    """Give text as HTML in a typewriter's letters."""
    return Markup(f"<code>{escaped(text)}</code>")


def html(caption: object, rows: Iterable[Sequence[object]], head: Sequence[object] = ()) -> str:
    """Give a table as HTML.

    Parameters
    ----------
    caption : object
        What stands above it.
    rows : iterable of sequence
        The cells, what is no `Markup` to be escaped.
    head : sequence, optional
        Names of the columns; without them, the first cell of a row is its name.

    Returns
    -------
    str

    Examples
    --------
    >>> html("a < b", [("x", 1)])
    '<table><caption>a &lt; b</caption><tr><th>x</th><td>1</td></tr></table>'
    """

    def line(cells: Sequence[object], names: int) -> str:
        kinds = ["th" if place < names else "td" for place in range(len(cells))]
        return f"<tr>{''.join(f'<{k}>{escaped(c)}</{k}>' for k, c in zip(kinds, cells, strict=True))}</tr>"

    top = line(head, len(head)) if head else ""
    body = "".join(line(row, 0 if head else 1) for row in rows)
    return f"<table><caption>{escaped(caption)}</caption>{top}{body}</table>"


def lines(rows: Sequence[Sequence[str]], left: int = 0) -> list[str]:
    """Give a table as lines of text, its columns as wide as they must be.

    Parameters
    ----------
    rows : sequence of sequence of str
        The cells.
    left : int
        The columns that begin at their left edge; numbers end at the right one.

    Returns
    -------
    list of str

    Examples
    --------
    >>> lines([["name", "value"], ["a", "12.5"]], left=1)
    ['name  value', 'a      12.5']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    places = [(width, str.ljust if place < left else str.rjust) for place, width in enumerate(widths)]
    return ["  ".join(put(c, width) for c, (width, put) in zip(row, places, strict=True)).rstrip() for row in rows]


def one_line(text: str, limit: int = 76) -> str:
    """Give text on one line, its end left out where that is long."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 3] + "..."


def brief(value: Value, digits: int) -> str:
    """Write a parameter's value: a number, the few numbers of a small array, or what a large one is like."""
    if not isinstance(value, np.ndarray):
        return f"{value:.{digits}g}"
    if value.size <= LISTED and value.ndim == 1:
        return "[" + ", ".join(f"{v:.{min(digits, 6)}g}" for v in value) + "]"
    sizes = " x ".join(f"{n:,}" for n in value.shape)
    return f"array of {sizes}, from {value.min():.4g} to {value.max():.4g}"


def finite(value: float | None) -> float | None:
    """Give a number as JSON can hold it."""
    return value if value is not None and math.isfinite(value) else None


def plain(value: Value) -> Json:
    """Give a number or an array as JSON can hold it: nan and infinities become ``None``."""
    if isinstance(value, np.ndarray):
        found: list[Json] = value.tolist() if np.isfinite(value).all() else [plain(v) for v in value]
        return found
    return finite(float(value))
