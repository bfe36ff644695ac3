"""Text of users as messages echo it: characters that show, and the line of a place with carets under it."""

from __future__ import annotations

WINDOW = 72  # columns of a formula that a message shows

# Letters that print as nothing or join with their neighbours although Unicode counts them as printable.
_INVISIBLE = frozenset("\u3164\uffa0\u115f\u2800") | frozenset(map(chr, range(0x1160, 0x1200)))
_SIDEWAYS = frozenset({"R", "AL", "AN"})  # written from right to left: a terminal would move the caret's neighbours


def _shown(character: str) -> str:
    """Give a character as it may be echoed."""
    if " " <= character <= "~":
        return character
    import unicodedata

    hidden = (
        not character.isprintable()
        or character in _INVISIBLE
        or unicodedata.category(character) in ("Mn", "Me")
        or unicodedata.bidirectional(character) in _SIDEWAYS
    )
    return character.encode("unicode_escape").decode("ascii") if hidden else character


def escaped(text: str) -> str:
    """Give a text as it may be echoed: what would be invisible, or move the rest, as escapes."""
    return text if text.isascii() and text.isprintable() else "".join(map(_shown, text))


def _width(shown: str) -> int:
    """Count the columns that a terminal gives to printable characters."""
    import unicodedata

    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in shown)


def excerpt(text: str, start: int, end: int) -> list[str]:
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
