"""How functions are spelt that NumPy, or the language of formulas, has no name for.

Derivatives are made of functions of their own, such as ``sech``, whose values keep their digits where the textbook's
form loses them. No text names them: `Function.formula` in the table says what they are in the language of formulas.
What that language adds to NumPy is written with NumPy's own functions as far as they go, and with those of
``scipy.special`` (as ``special.erf``) where NumPy has none: as `Function.numpy` says, or `Function.pasted` where a text
reads better.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from symgd.language.functions import AS_NUMPY, FUNCTIONS, Function
from symgd.views.pieces import ADD, ATOM, MATMUL, MULTIPLY, POWER, Piece

# The text, and how tightly its outermost operator binds. {a} stands for an argument between parentheses or commas, {a_}
# for one beside * or /, {a__} for one that is raised to a power, and {_a} for the argument with its sign changed.
Spelling = tuple[str, int]

# Functions of matrices that no formula names: in formulas, and pasted.
_OF_MATRICES = {"detsign": ("slogdet({a})[0]", "linalg.slogdet({a})[0]")}


@cache
def spelling(function: str, *, numpy: bool) -> Spelling | None:
    """Give how a function is spelt.

    Parameters
    ----------
    function : str
        The name of its row.
    numpy : bool
        Whether only names that NumPy and ``scipy.special`` have are used.

    Returns
    -------
    tuple of str and int, or None
        ``None`` where it is called by its name.
    """
    row = FUNCTIONS.get(function)
    text = _OF_MATRICES[function][numpy] if row is None else _text(row, numpy=numpy)
    return (text, _level(text)) if text else None


def _text(row: Function, *, numpy: bool) -> str:
    if numpy and row.pasted:
        return row.pasted
    if row.formula:
        return _as_numpy_has_it(row) if row.formula == AS_NUMPY else row.formula
    known = row.kind == "reduction" or row.numpy.startswith(f"np.{row.name}(")
    return _as_numpy_has_it(row) if numpy and not known else ""


def _as_numpy_has_it(row: Function) -> str:
    """Take the spelling from the table's NumPy; an argument stands alone in a plain call only."""
    plain = re.sub(r"\bnp\.", "", row.numpy)
    call = re.fullmatch(r"[\w.]+\(\w(, \w)*\)", plain)
    return re.sub(r"\b([abc])\b", r"{\1}" if call else r"{\1__}", plain)


def _level(text: str) -> int:
    """Tell how tightly the outermost operator of a spelling binds."""
    depth, level = 0, ATOM
    for place, sign in enumerate(text):
        depth += (sign in "([{") - (sign in ")]}")
        if depth == 0 and sign in "+-*/" and place:
            level = min(level, ADD if sign in "+-" else MULTIPLY)
    return level


def spelt(spelling: Spelling, args: Sequence[Piece]) -> Piece:
    """Put the arguments of a function into its spelling.

    Parameters
    ----------
    spelling : tuple of str and int
        The text, and how tightly its outermost operator binds.
    args : sequence of Piece
        The arguments.

    Returns
    -------
    Piece
    """
    text, level = spelling
    words: dict[str, str] = {}
    for name, piece in zip("abc", args, strict=False):
        words |= {name: piece.text, f"{name}_": piece.inside(POWER), f"{name}__": piece.inside(ATOM)}
        words[f"_{name}"] = negated(piece)
    return Piece(text.format_map(words), level, sum(piece.cost for piece in args))


def negated(piece: Piece) -> str:
    """Write a piece with its sign changed, to stand between parentheses or commas."""
    if piece.text.startswith("-") and piece.level > ADD:
        return unwrapped(piece.text[1:])
    return f"-{piece.inside(MATMUL)}"


def unwrapped(text: str) -> str:
    """Take off the parentheses that are around the whole of a text."""
    depth = 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return text[1:-1] if character == ")" and place == len(text) - 1 and text.startswith("(") else text
    return text
