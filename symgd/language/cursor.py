"""Where a parser stands in its tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from symgd.errors import FormulaError
from symgd.language import hints
from symgd.language.tokens import NESTING, Token, tokenize

if TYPE_CHECKING:
    from collections.abc import Collection

    from symgd.language import functions
    from symgd.language.tree import Tree


class Cursor:
    """A place in the tokens of a text, and how deep it is nested."""

    def __init__(self, text: str, declared: Collection[str], *, statements: bool = False) -> None:
        self.text = text
        self.tokens = tokens = tokenize(text, statements=statements)
        self.declared = frozenset(declared)
        self.extra: dict[str, functions.Function] = {}
        self.index = 0
        self.token = tokens[0]
        self.depth = 0  # brackets, signs and exponents around this token
        self.links = 0  # the longest chain of indices and attributes in what was read last

    def advance(self) -> Token:
        """Step over the token and give it."""
        token = self.token
        self.index += 1
        self.token = self.tokens[self.index]
        return token

    def skip(self, count: int) -> None:
        """Step over several tokens."""
        self.index += count
        self.token = self.tokens[self.index]

    def peek(self) -> Token:
        """Give the token after this one, which is not the end."""
        return self.tokens[self.index + 1]

    def enter(self, token: Token) -> None:
        """Count one more level of nesting."""
        self.depth += 1
        if self.depth > NESTING:
            self.fail_nesting(token)

    def close(self, opening: Token) -> int:
        """Step over the bracket that closes `opening`; give the end of it."""
        if self.token.kind != (")" if opening.kind == "(" else "]"):
            raise hints.expected_operator(self.text, self.tokens, self.index)
        self.depth -= 1
        return self.advance().end

    def fail_nesting(self, token: Token) -> NoReturn:
        """Say that the nesting is too deep at `token`."""
        raise self.error(f"nested more than {NESTING} deep", token, "give a part of it a name of its own")

    def error(self, problem: str, place: Token | Tree, hint: str | None = None) -> FormulaError:
        """Make an error at a token or node."""
        return FormulaError(problem, self.text, place.start, place.end, hint)
