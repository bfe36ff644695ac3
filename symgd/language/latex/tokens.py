"""LaTeX to tokens: commands, letters, numbers and signs; what only spaces or sizes things is left out."""

from __future__ import annotations

import re

from symgd.errors import FormulaError
from symgd.records import dataclass

LENGTH = 20_000  # characters that a formula may have


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of LaTeX: its kind (``command``, ``letter``, ``number``, ``sign``, ``end``), its text, and its place."""

    kind: str
    text: str
    start: int
    end: int


_PIECES = re.compile(
    r"(?P<space>\s+|~|%[^\n]*\n?)"
    r"|(?P<command>\\[A-Za-z]+|\\[^A-Za-z])"
    r"|(?P<number>\d+\.\d*|\.\d+|\d+)"
    r"|(?P<letter>[A-Za-zα-ωΑ-Ω])"
    r"|(?P<sign>:=|[-+*/^_{}()\[\]|,;=<>!'&:.−×·≤≥≠])"
)
# What changes how a formula looks and not what it says.
_SPACING = frozenset(
    [
        r"\,",
        r"\;",
        r"\:",
        r"\!",
        r"\>",
        r"\quad",
        r"\qquad",
        r"\left",
        r"\right",
        r"\big",
        r"\Big",
        r"\bigg",
        r"\Bigg",
        r"\bigl",
        r"\bigr",
        r"\Bigl",
        r"\Bigr",
        r"\biggl",
        r"\biggr",
        r"\Biggl",
        r"\Biggr",
        r"\middle",
        r"\displaystyle",
        r"\textstyle",
        r"\scriptstyle",
        r"\limits",
        r"\nolimits",
        r"\nonumber",
        r"\thinspace",
    ]
) | {"\\ "}
_SAME = {
    r"\lVert": r"\|", r"\rVert": r"\|", r"\Vert": r"\|", r"\lvert": "|", r"\rvert": "|", r"\vert": "|", r"\mid": "|",
    r"\lbrace": r"\{", r"\rbrace": r"\}", r"\lbrack": "[", r"\rbrack": "]", r"\le": r"\leq", r"\ge": r"\geq",
    r"\ne": r"\neq", r"\dfrac": r"\frac", r"\tfrac": r"\frac", r"\cfrac": r"\frac", r"\ast": "*", r"\coloneqq": "=",
    r"\lt": "<", r"\gt": ">", r"\intercal": r"\top", r"\star": "*", r"\circ": r"\odot", r"\varepsilon": r"\epsilon",
    ":=": "=", "−": "-", "×": r"\times", "·": r"\cdot", "≤": r"\leq", "≥": r"\geq", "≠": r"\neq",
    r"\varphi": r"\phi", r"\vartheta": r"\theta",
}  # fmt: skip


def tokenize(text: str) -> list[Token]:
    r"""Cut LaTeX into tokens.

    Parameters
    ----------
    text : str
        LaTeX of a formula; dollar signs or ``\\[`` around it may stay.

    Returns
    -------
    list of Token
        The last one is of the kind ``end``.

    Raises
    ------
    FormulaError
        For a character that has no meaning.
    """
    if len(text) > LENGTH:
        problem = f"the formula has {len(text):,} characters, and at most {LENGTH:,} are read"
        raise FormulaError(problem, text[:80], 0, 80)
    start, end = _inside(text)
    found: list[Token] = []
    place = start
    while place < end:
        piece = _PIECES.match(text, place, end)
        if piece is None:
            raise FormulaError("this character has no meaning in LaTeX that symgd reads", text, place, place + 1)
        kind, shown = str(piece.lastgroup), piece.group()
        if kind != "space" and shown not in _SPACING:
            shown = _SAME.get(shown, shown)
            kind = "command" if shown.startswith("\\") else "sign" if kind == "command" else kind
            found.append(Token(kind, shown, place, piece.end()))
        place = piece.end()
    found.append(Token("end", "", end, end))
    return found


def _inside(text: str) -> tuple[int, int]:
    """Give where the formula begins and ends inside of dollar signs and the like."""
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    for before, after in (("$$", "$$"), ("$", "$"), (r"\[", r"\]"), (r"\(", r"\)")):
        if text.startswith(before, start) and text[:end].endswith(after) and end - start >= len(before) + len(after):
            start, end = start + len(before), end - len(after)
    while end > start and text[end - 1] in " \n\t.,;":  # the sentence around it goes on
        end -= 1
    return start, end
