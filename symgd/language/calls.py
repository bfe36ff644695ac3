"""Names, and what stands behind them: arguments, indices and attributes."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from symgd.errors import FormulaError
from symgd.language import functions, hints, unknown
from symgd.language.cursor import Cursor
from symgd.language.tokens import GREEK_NAMES, spell
from symgd.language.tree import Attribute, Bool, Call, Ellipsis_, Index, Name, NewAxis, Number, Slice, Tree

if TYPE_CHECKING:
    from symgd.language.tokens import Token

# Modules that people call NumPy's functions by; the names after them must be the table's.
_MODULES = frozenset({
    ("np",), ("numpy",), ("jnp",), ("math",), ("torch",), ("special",), ("linalg",), ("scipy", "special"),
    ("np", "linalg"),
    ("numpy", "linalg"), ("jnp", "linalg"), ("torch", "linalg"), ("scipy", "linalg"), ("jax", "numpy"), ("jax", "nn"),
    ("jax", "scipy", "special"), ("torch", "nn", "functional"), ("torch", "special"),
})  # fmt: skip


class Calls(Cursor):
    """Reads what begins with a name."""

    @abstractmethod
    def expression(self, *, displays: bool = False) -> Tree:
        """Read operands and operators up to a token that is neither."""

    # Names and calls

    def module(self) -> int:
        """Count the tokens of a prefix such as ``np.`` or ``np.linalg.``; 0 where ``np`` is a variable."""
        if self.token.kind != "name" or self.peek().kind != "." or self.token.text in self.declared:
            return 0
        texts = [token.text for token in self.tokens[self.index : self.index + 8]]
        for count in (6, 4, 2):
            if tuple(texts[:count:2]) in _MODULES and set(texts[1:count:2]) == {"."}:
                attribute = texts[count] in hints.ATTRIBUTES and texts[count + 1] != "("
                return 0 if attribute else count
        return 0

    def named(self) -> Tree:
        """Read a name: a variable, a constant, or a function with its arguments."""
        first = self.token
        module = self.module()
        self.skip(module)
        token = self.token
        if token.kind != "name":
            raise hints.expected_name(self.text, self.tokens, self.index)
        name = spell(self.text, token)
        if self.peek().kind == "(":
            return self.call(name, first.start)
        span = {"start": first.start, "end": token.end}
        if module and name in functions.CONSTANTS:
            self.advance()
            # Behind a prefix it is the constant, even where the bare name is a variable.
            return Number(functions.CONSTANTS[name], **span) if name in self.declared else Name(name, **span)
        variable = not module and (name in self.declared or name in GREEK_NAMES)
        if not variable and functions.find(name):
            raise hints.uncalled(self.text, self.tokens, self.index)
        if module:
            raise unknown.unknown_constant(self.text, token)
        self.advance()
        return Name(name, **span)

    def call(self, name: str, start: int) -> Tree:
        """Read a call of the function called `name`."""
        row = functions.find(name) or self.extra.get(name)
        if row is None:
            raise unknown.unknown_function(self.text, self.tokens, self.index, name, declared=name in self.declared)
        bare = start == self.token.start and name == row.name
        if not bare and name in ("std", "var") and self.text.startswith("torch", start):
            raise unknown.other_meaning(self.text, self.tokens, self.index)
        return self.arguments(row, self.advance(), start, [], bare=bare)

    def arguments(
        self, row: functions.Function, typed: Token, start: int, args: list[Tree | None], *, bare: bool = False
    ) -> Tree:
        """Read the arguments of a call, after those in `args`, and check them against the function's row.

        `bare` says that the function's own name was typed, without a prefix: then Python's own function of that name
        may be meant.
        """
        opening = self.advance()
        self.enter(opening)
        keywords: dict[str, Tree | None] = {}
        links = self.links
        while self.token.kind != ")":
            if self.token.kind == "name" and self.peek().kind == "=":
                self.keyword(row, keywords)
            elif keywords:
                raise self.error("an argument without a name follows one with a name", self.token, "put it first")
            elif self.token.text == "None" and args and row.positional + row.keywords:
                self.advance()
                args.append(None)
            else:
                args.append(self.expression(displays=True))
            links = max(links, self.links)
            if self.token.kind != ",":
                break
            self.advance()
        end = self.close(opening)
        self.links = links
        return self.checked_call(row, typed, args, keywords, bare=bare, span={"start": start, "end": end})

    def checked_call(
        self, row: functions.Function, typed: Token, args: list[Tree | None], keywords: dict[str, Tree | None], *,
        bare: bool, span: dict[str, int],
    ) -> Tree:  # fmt: skip
        """Match arguments with the function's row, as NumPy's signatures say."""
        if row.name == "clip":
            return self.clipped(row, typed, args, keywords, span)
        builtin = bare and row.builtin and not keywords and len(args) > 1
        if row.most is not None and len(args) > row.most and not builtin:
            extra = args[row.most :]
            if len(extra) > len(row.positional):
                raise unknown.argument_count(self.text, row, typed, len(args))
            named = dict(zip(row.positional, extra, strict=False))
            if twice := next((name for name in named if name in keywords), None):
                raise self.error(f"the argument {twice!r} is given twice", typed, "leave one of them out")
            keywords = named | keywords
            args = args[: row.most]
        if len(args) < row.least or None in args:
            raise unknown.argument_count(self.text, row, typed, len(args) - args.count(None))
        found = tuple(arg for arg in args if arg is not None)
        given = tuple((name, value) for name, value in keywords.items() if value is not None)
        return Call(row.name, found, given, typed.text, **span)

    def clipped(
        self, row: functions.Function, typed: Token, args: list[Tree | None], keywords: dict[str, Tree | None],
        span: dict[str, int],
    ) -> Tree:  # fmt: skip
        """Give a call of clip, one bound of which may be left out or None."""
        bounds = dict(enumerate(args))
        for name, value in keywords.items():
            place = 1 if name.endswith("min") else 2
            if place in bounds:
                raise self.error("a bound of 'clip' is given twice", typed, "leave one of them out")
            bounds[place] = value
        value, low, high = bounds.get(0), bounds.get(1), bounds.get(2)
        if value is None or len(bounds) > 3 or (low is None and high is None):
            raise unknown.argument_count(self.text, row, typed, len(args) + len(keywords))
        if low is not None and high is not None:
            return Call(row.name, (value, low, high), (), typed.text, **span)
        bound, one = (high, "minimum") if low is None else (low, "maximum")
        assert bound is not None
        return Call(one, (value, bound), (), typed.text, **span)

    def keyword(self, row: functions.Function, keywords: dict[str, Tree | None]) -> None:
        """Read ``name=value``; the value ``None`` is every keyword's default and leaves no trace."""
        token = self.advance()
        name = spell(self.text, token)
        if name not in row.keywords:
            raise unknown.unknown_keyword(self.text, row, token)
        if name in keywords:
            raise self.error(f"the argument {name!r} is given twice", token, "leave one of them out")
        self.advance()
        value = self.token
        if value.text in ("True", "False", "None"):
            self.advance()
            given = Bool(value.text == "True", start=value.start, end=value.end)
            keywords[name] = None if value.text == "None" else given
        else:
            keywords[name] = self.expression(displays=True)

    # Indices and attributes

    def attribute_of(self, value: Tree) -> Tree:
        """Read ``.T`` or a method call such as ``.sum(axis=0)``, which is the function's call."""
        self.advance()
        token = self.token
        if token.kind != "name":
            raise hints.expected_name(self.text, self.tokens, self.index)
        called = self.peek().kind == "("
        if called and token.text in hints.METHODS and (row := functions.find(token.text)):
            self.advance()
            return self.arguments(row, token, value.start, [value])
        if called or token.text not in hints.ATTRIBUTES:
            raise unknown.unknown_attribute(self.text, self.tokens, self.index, value)
        self.advance()
        return Attribute(value, token.text, start=value.start, end=token.end)

    def index_of(self, value: Tree) -> Tree:
        """Read the index in brackets behind `value`."""
        opening = self.advance()
        self.enter(opening)
        if self.token.kind == "]":
            raise FormulaError("empty index", self.text, opening.start, self.token.end, "write an index: x[0]")
        links = self.links
        items = [self.item()]
        while self.token.kind == ",":
            links = max(links, self.links)
            self.advance()
            if self.token.kind == "]":
                break
            items.append(self.item())
        self.links = max(links, self.links)
        return Index(value, tuple(items), start=value.start, end=self.close(opening))

    def item(self) -> Tree:
        """Read one item of an index."""
        token = self.token
        self.links = 0
        if token.kind == "...":
            self.advance()
            return Ellipsis_(start=token.start, end=token.end)
        module = self.module()
        if self.tokens[self.index + module].text in {"None", "newaxis"} - self.declared:
            self.skip(module)
            return NewAxis(start=token.start, end=self.advance().end)
        lower = None if token.kind == ":" else self.expression()
        if lower is not None and self.token.kind != ":":
            return lower
        parts, links = [lower], self.links
        while self.token.kind == ":" and len(parts) < 3:
            self.advance()
            parts.append(None if self.token.kind in (":", ",", "]") else self.expression())
            links = max(links, self.links)
        self.links = links
        return Slice(*parts, start=token.start, end=self.tokens[self.index - 1].end)
