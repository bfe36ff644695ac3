"""Parts of a formula's text as hints repeat them, and errors at a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symgd.errors import FormulaError, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symgd.language.tokens import Token


def at(text: str, token: Token, problem: str, hint: str | None) -> FormulaError:
    """Make an error at a token."""
    return FormulaError(problem, text, token.start, token.end, hint)


def piece(text: str, tokens: Sequence[Token], index: int) -> str:
    """Give an operand as a hint may repeat it: the name or number, or brackets with what they hold."""
    token = tokens[index]
    if token.kind == "(":
        return brackets(text, tokens, index)
    if token.kind in (")", "]"):
        opening = partner(tokens, index, -1)
        if opening is None:
            return "(...)"
        return short(text, tokens[opening - follows_name(tokens, opening)], token)
    if tokens[index + 1].kind == "(" and follows_name(tokens, index + 1):
        return safe(token.text, 30) + brackets(text, tokens, index + 1)
    first = index
    while first > 1 and tokens[first - 1].kind == "." and tokens[first - 2].kind == "name":
        first -= 2
    return short(text, tokens[first], token)


def follows_name(tokens: Sequence[Token], index: int) -> bool:
    """Say whether a bracket stands right behind a name."""
    before = tokens[index - 1]
    return index > 0 and before.kind == "name" and before.end == tokens[index].start


def brackets(text: str, tokens: Sequence[Token], index: int) -> str:
    """Give the brackets that open at `index` with what they hold."""
    closing = partner(tokens, index)
    return "(...)" if closing is None else short(text, tokens[index], tokens[closing])


def short(text: str, first: Token, last: Token) -> str:
    """Give the text from one token to another, or dots if that is long."""
    whole = text[first.start : last.end]
    return safe(whole) if len(whole) <= 30 and "\n" not in whole else "(...)"


def partner(tokens: Sequence[Token], index: int, step: int = 1) -> int | None:
    """Find the bracket that pairs with the one at `index`, if it is near; `step` -1 looks to the left."""
    depth = 0
    stop = min(index + 100, len(tokens)) if step > 0 else max(index - 100, -1)
    for place in range(index, stop, step):
        depth += (tokens[place].kind in ("(", "[")) - (tokens[place].kind in (")", "]"))
        if depth == 0:
            return place
    return None


def enclosing(tokens: Sequence[Token], index: int) -> Token | None:
    """Find the innermost bracket that is open in front of `index`."""
    depth = 0
    for place in range(index - 1, -1, -1):
        depth += (tokens[place].kind in ("(", "[")) - (tokens[place].kind in (")", "]"))
        if depth > 0:
            return tokens[place]
    return None
