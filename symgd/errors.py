"""Every exception that symgd raises, and the words in which it is told.

Whatever a user typed goes through `safe` before it is echoed: a message shows control, bidirectional and invisible
characters as escapes, never as themselves.
"""

from __future__ import annotations

import difflib
import reprlib
import unicodedata
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

WINDOW = 72  # columns of a formula that a message shows
_COMPARED = 200  # names that a suggestion is chosen from; each costs some ten microseconds
_LISTED = 10_000  # names that are looked at, at all
_LONGEST = 32  # longer names get no suggestion: comparing takes the square of the length

# Letters that print as nothing or join with their neighbours although Unicode counts them as printable.
_INVISIBLE = frozenset("\u3164\uffa0\u115f\u2800") | frozenset(map(chr, range(0x1160, 0x1200)))
_SIDEWAYS = frozenset({"R", "AL", "AN"})  # written from right to left: a terminal would move the caret's neighbours


class SymgdError(Exception):
    """What symgd raises when it is used wrongly; numerical trouble is an outcome of the run instead."""


class UsageError(SymgdError, ValueError):
    """A call that cannot be carried out: the name and value, the rule, the remedy.

    Examples
    --------
    >>> raise UsageError("lr must be positive; got -1")
    Traceback (most recent call last):
    symgd.errors.UsageError: lr must be positive; got -1
    """


class DataError(SymgdError, ValueError):
    """Data that cannot be used: which column or array, what is wrong with it, the remedy."""


class UnknownNameError(SymgdError, KeyError):
    """A name under which there is nothing: the name, the nearest one, and what there is.

    Parameters
    ----------
    name : object
        What was asked for.
    known : iterable of str
        What there is.
    what : str
        What has the names, for the message.

    Examples
    --------
    >>> print(UnknownNameError("w1", ["w", "b"], "the gradient"))
    the gradient has no 'w1'; did you mean 'w'? It has: w, b
    """

    def __init__(self, name: object, known: Iterable[str], what: str) -> None:
        names = list(known)
        super().__init__(name, names, what)  # all of it goes to args, from which pickle rebuilds an exception
        near = suggest(name, names) if isinstance(name, str) else None
        hint = f"did you mean '{near}'? It has" if near else "it has"
        listed = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
        self.message = f"{what} has no {shown(name)}; {hint}: {listed or 'nothing'}"

    def __str__(self) -> str:
        return self.message  # KeyError shows the repr


class FormulaError(SymgdError, ValueError):
    """A text that is not a formula: what is wrong, where, and what to write instead.

    Parameters
    ----------
    problem : str
        What is wrong, without the place.
    text : str
        The whole text, as it was typed.
    start : int
        Where the place begins, in characters.
    end : int
        Where it ends: the place is ``text[start:end]``.
    hint : str, optional
        What to write instead.

    Examples
    --------
    >>> print(FormulaError("unknown function 'sinn'", "x + sinn(y)", 4, 8, "did you mean 'sin'?"))
    unknown function 'sinn' at column 5
      x + sinn(y)
          ^^^^
    did you mean 'sin'?
    """

    def __init__(self, problem: str, text: str, start: int, end: int, hint: str | None = None) -> None:
        # All five go to args: that is what pickle and copy rebuild an exception from.
        super().__init__(problem, text, start, end, hint)
        self.problem = problem
        self.text = text
        self.start = start
        self.end = end
        self.hint = hint

    @property
    def line(self) -> int:
        """Number of the line that the place is on, from 1."""
        return self.text.count("\n", 0, self.start) + 1

    @property
    def column(self) -> int:
        """Column of the place in its line, from 1, counted in characters."""
        return self.start - self.text.rfind("\n", 0, self.start)

    def __str__(self) -> str:
        place = f"line {self.line}, column {self.column}" if "\n" in self.text else f"column {self.column}"
        lines = [f"{_escaped(self.problem)} at {place}", *_excerpt(self.text, self.start, self.end)]
        if self.hint:
            lines.append(_escaped(self.hint))
        return "\n".join(lines)


class ShapeError(FormulaError):
    """Arrays in a formula whose shapes do not go together: both operands with their shapes, and the operator.

    Examples
    --------
    >>> print(ShapeError("'X' with shape (10, 3) and 'w' with shape (4,) do not broadcast", "X*w", 1, 2))
    'X' with shape (10, 3) and 'w' with shape (4,) do not broadcast at column 2
      X*w
       ^
    """


def safe(text: object, limit: int = 60) -> str:
    r"""Give a text, or the ``repr`` of another object, in a form that may be echoed.

    Parameters
    ----------
    text : object
        What a user handed over.
    limit : int
        Most characters to give; a longer text ends in ``...``.

    Returns
    -------
    str
        Printable characters only, the others as escapes.

    Examples
    --------
    >>> print(safe("a\x1b[2Jb"), safe("x" * 100, limit=8))
    a\x1b[2Jb xxxxx...
    """
    if not isinstance(text, str):
        try:
            text = reprlib.repr(text)
        except Exception:  # noqa: BLE001 - any code may stand in a repr, and an error message must not raise
            text = f"<{type(text).__name__}>"
    shown = _escaped(text[: limit + 1])
    return shown if len(shown) <= limit else shown[: max(limit - 3, 0)] + "..."


def shown(value: object, limit: int = 60) -> str:
    """Show a value in a message: text in quotes, anything else as `safe` has it.

    Parameters
    ----------
    value : object
        What was given.
    limit : int
        How many characters to show at most.

    Returns
    -------
    str

    Examples
    --------
    >>> shown("gpu"), shown(5)
    ("'gpu'", '5')
    """
    return f"'{safe(value, limit)}'" if isinstance(value, str) else safe(value, limit)


def suggest(name: str, known: Iterable[str]) -> str | None:
    """Find the known name that was probably meant.

    Parameters
    ----------
    name : str
        What was typed.
    known : iterable of str
        The names there are; of a long list only the likeliest are compared.

    Returns
    -------
    str or None
        One of `known`, or ``None`` when none is close.

    Examples
    --------
    >>> suggest("sinn", ["cos", "sin"])
    'sin'
    """
    if len(name) > _LONGEST:
        return None
    wanted = name.lower()
    lowered = {other.lower(): other for other in islice(known, _LISTED) if abs(len(other) - len(name)) <= 3}
    if wanted in lowered:
        return lowered[wanted]
    # Of many names, those that begin alike come first.
    likely = sorted(lowered, key=lambda other: (other[:1] != wanted[:1], other[:2] != wanted[:2]))[:_COMPARED]
    close = difflib.get_close_matches(wanted, likely, n=1)
    return lowered[close[0]] if close else None


def _shown(character: str) -> str:
    """Give a character as it may be echoed."""
    if " " <= character <= "~":
        return character
    hidden = (
        not character.isprintable()
        or character in _INVISIBLE
        or unicodedata.category(character) in ("Mn", "Me")
        or unicodedata.bidirectional(character) in _SIDEWAYS
    )
    return character.encode("unicode_escape").decode("ascii") if hidden else character


def _escaped(text: str) -> str:
    return text if text.isascii() and text.isprintable() else "".join(map(_shown, text))


def _width(shown: str) -> int:
    """Count the columns that a terminal gives to printable characters."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in shown)


def _excerpt(text: str, start: int, end: int) -> list[str]:
    """Give the line of the place, or a window of it, and carets under the place."""
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", start)
    last = len(text) if last < 0 else last
    low, high = max(first, start - WINDOW), min(last, start + WINDOW)
    cells = [" " if character == "\t" else _shown(character) for character in text[low:high].rstrip("\r")]
    if not "".join(cells).strip():
        return []
    widths = [_width(cell) for cell in cells]
    here = min(start - low, len(cells))
    left, right = _window(widths, here)
    before = "..." if low + left > first else ""
    after = "..." if low + right < last - text.count("\r", last - 1, last) else ""
    caret = sum(widths[here : min(end - low, right)]) or 1
    return [
        f"  {before}{''.join(cells[left:right])}{after}",
        f"  {' ' * (len(before) + sum(widths[left:here]))}{'^' * caret}",
    ]


def _window(widths: list[int], here: int) -> tuple[int, int]:
    """Grow a range of cells from `here`, to both sides in turn, until it fills the window."""
    left = right = here
    room = WINDOW
    while room > 0 and (left > 0 or right < len(widths)):
        if right < len(widths):
            room -= widths[right]
            right += 1
        if left > 0 and room > 0:
            left -= 1
            room -= widths[left]
    return left, right
