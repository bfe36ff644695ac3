"""Tokens to tree: precedence climbing with an explicit stack, so that only brackets recurse.

`Parser.expression` keeps the operators that wait for their right side on a list, one entry a level of precedence: a
sum of 50,000 terms is one entry, one node and no recursion. The precedences are Python's; ``^`` is read as ``**``.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, NoReturn

from symgd.errors import FormulaError
from symgd.language import functions, hints
from symgd.language.tokens import GREEK_NAMES, NESTING, Token, number, spell, tokenize
from symgd.language.tree import (
    Assignment,
    Attribute,
    Bool,
    Call,
    Compare,
    Ellipsis_,
    Index,
    Logical,
    Name,
    NewAxis,
    Number,
    Power,
    Product,
    Sequence,
    Slice,
    Sum,
    Text,
    Tree,
    Unary,
)

if TYPE_CHECKING:
    from collections.abc import Collection

_OR, _AND, _NOT, _COMPARE, _BIT_OR, _BIT_AND, _SUM, _PRODUCT, _UNARY, _POWER = range(1, 11)
_LEVELS: dict[str, int] = {
    "or": _OR, "and": _AND, "|": _BIT_OR, "&": _BIT_AND, "+": _SUM, "-": _SUM, "**": _POWER, "^": _POWER,
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), _COMPARE),
    **dict.fromkeys(("*", "/", "@", "%", "//"), _PRODUCT),
}  # fmt: skip
_LOGICAL = {_OR: "or", _AND: "and", _BIT_OR: "or", _BIT_AND: "and"}

# Modules that people call NumPy's functions by; the names after them must be the table's.
_MODULES = frozenset({
    ("np",), ("numpy",), ("jnp",), ("math",), ("torch",), ("special",), ("linalg",), ("scipy", "special"),
    ("np", "linalg"),
    ("numpy", "linalg"), ("jnp", "linalg"), ("torch", "linalg"), ("scipy", "linalg"), ("jax", "numpy"), ("jax", "nn"),
    ("jax", "scipy", "special"), ("torch", "nn", "functional"), ("torch", "special"),
})  # fmt: skip
_ASSIGNED = {"+=": "+", "-=": "-", "*=": "*", "/=": "/"}
# Only an update rule may draw random numbers: an objective must give the same value twice.
_DRAW = functions.Function("normal", "draw", 0, 0, "a standard normal number")


class _Pending:
    """Operators of one level, and the operands to their left, waiting for the last operand."""

    __slots__ = ("level", "operands", "operators")

    def __init__(self, level: int, operator: Token, operands: list[Tree]) -> None:
        self.level = level
        self.operators = [operator]
        self.operands = operands


class Parser:
    """One text on its way from tokens to tree."""

    def __init__(self, text: str, declared: Collection[str], *, statements: bool = False) -> None:
        self.text = text
        self.tokens = tokens = tokenize(text, statements=statements)
        self.declared = frozenset(declared)
        self.extra: dict[str, functions.Function] = {}
        self.index = 0
        self.token = tokens[0]
        self.depth = 0  # brackets, signs and exponents around this token
        self.links = 0  # the longest chain of indices and attributes in what was read last

    # Moving on

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

    # Whole texts

    def formula(self) -> Tree:
        """Read the whole text as one expression."""
        if self.token.kind == "end":
            raise FormulaError("the formula is empty", self.text, 0, 0, "write an expression such as x**2 + y**2")
        tree = self.expression()
        if self.token.kind != "end":
            raise hints.expected_operator(self.text, self.tokens, self.index)
        return tree

    def program(self) -> tuple[Assignment, ...]:
        """Read the whole text as statements."""
        self.extra = {"normal": _DRAW}
        self.declared |= {
            spell(self.text, token)
            for token, sign in pairwise(self.tokens)
            if token.kind == "name" and (sign.kind == "=" or sign.kind in _ASSIGNED)
        }
        statements = []
        while True:
            while self.token.kind == ";":
                self.advance()
            if self.token.kind == "end":
                break
            statements.append(self.statement())
        if not statements:
            raise FormulaError("the rule is empty", self.text, 0, 0, "write statements such as x = x - lr*g")
        return tuple(statements)

    def statement(self) -> Assignment:
        """Read one assignment, written out if it is an augmented one."""
        target, sign = self.token, self.peek()
        if target.kind != "name" or (sign.kind != "=" and sign.kind not in _ASSIGNED):
            raise hints.not_a_statement(self.text, self.tokens, self.index)
        name = spell(self.text, target)
        self.advance()
        self.advance()
        value = self.expression()
        if self.token.kind not in (";", "end"):
            raise hints.expected_operator(self.text, self.tokens, self.index)
        if operator := _ASSIGNED.get(sign.kind):
            old = Name(name, start=target.start, end=target.end)
            span = {"start": target.start, "end": value.end}
            if operator in "+-":
                value = Sum((old, value), (1, 1 if operator == "+" else -1), **span)
            else:
                value = Product((old, value), (operator,), **span)
        return Assignment(name, value, start=target.start, end=value.end)

    # Operators

    def expression(self, *, displays: bool = False) -> Tree:
        """Read operands and operators up to a token that is neither.

        `displays` says whether a tuple or list may stand here, alone.
        """
        pending: list[_Pending] = []
        links = 0
        while True:
            self.prefixes(pending)
            value = self.operand(displays=displays and not pending)
            links = max(links, self.links)
            level = _LEVELS.get(self.token.kind, 0)
            if level and type(value) is Sequence:
                raise self.error("a tuple or list takes no operators", self.token, hints.DISPLAYS)
            while pending and pending[-1].level > level:
                value = self.fold(pending.pop(), value)
                if type(value) is Logical:
                    self.check_bits(value, level, pending)
            if not level:
                self.links = links
                return value
            operator = self.advance()
            if level == _POWER:
                self.enter(operator)
            if pending and pending[-1].level == level:
                pending[-1].operators.append(operator)
                pending[-1].operands.append(value)
            else:
                pending.append(_Pending(level, operator, [value]))

    def prefixes(self, pending: list[_Pending]) -> None:
        """Read the signs before an operand."""
        while self.token.kind in ("-", "+", "~", "not"):
            level = _NOT if self.token.kind == "not" else _UNARY
            if level == _NOT and pending and pending[-1].level > _NOT:
                raise self.error("'not' cannot stand here", self.token, "put it in parentheses: (not x)")
            self.enter(self.token)
            pending.append(_Pending(level, self.advance(), []))

    def fold(self, entry: _Pending, value: Tree) -> Tree:
        """Make the node of an entry whose last operand is `value`."""
        level, operators = entry.level, [operator.kind for operator in entry.operators]
        args = (*entry.operands, value)
        if level in (_UNARY, _NOT):
            self.depth -= 1
            start = entry.operators[0].start
            return Unary("not" if operators[0] in ("~", "not") else operators[0], value, start=start, end=value.end)
        if level == _POWER:
            self.depth -= len(operators)
            for base in reversed(entry.operands):
                value = Power(base, value, start=base.start, end=value.end)
            return value
        start, end = args[0].start, value.end
        if level == _SUM:
            signs = (1, *(1 if operator == "+" else -1 for operator in operators))
            return Sum(args, signs, start=start, end=end)
        if level == _PRODUCT:
            return Product(args, tuple(operators), start=start, end=end)
        if level == _COMPARE:
            return Compare(tuple(operators), args, start=start, end=end)
        return Logical(_LOGICAL[level], args, start=start, end=end)

    def check_bits(self, value: Logical, level: int, pending: list[_Pending]) -> None:
        """Refuse ``x > 0 & y > 0``, which Python reads as ``x > (0 & y) > 0``."""
        if level == _COMPARE or (pending and pending[-1].level == _COMPARE):
            sign = "&" if value.op == "and" else "|"
            raise self.error(
                f"{sign!r} binds more tightly than a comparison", value,
                f"put parentheses around the comparisons: (x > 0) {sign} (y > 0)",
            )  # fmt: skip

    # Operands

    def operand(self, *, displays: bool = False) -> Tree:
        """Read a number, a name, a call or a bracket, and the indices and attributes after it."""
        token = self.token
        self.links = 0
        value: Tree
        if token.kind == "name":
            value = self.named()
        elif token.kind == "number":
            value = Number(number(self.text, token), start=token.start, end=token.end)
            self.advance()
        elif token.kind == "string":
            value = Text(token.text[1:-1], start=token.start, end=token.end)
            self.advance()
        elif token.kind == "(":
            value = self.group(displays=displays)
        elif token.kind == "[" and displays:
            value = self.listing()
        else:
            raise hints.expected_operand(self.text, self.tokens, self.index)
        while self.token.kind in (".", "["):
            if type(value) is Sequence:
                raise self.error("a tuple or list takes no index or attribute", self.token, hints.DISPLAYS)
            value = self.index_of(value) if self.token.kind == "[" else self.attribute_of(value)
            self.links += 1
            if self.links > NESTING:
                self.fail_nesting(self.tokens[self.index - 1])
        return value

    def group(self, *, displays: bool) -> Tree:
        """Read parentheses; the node is as wide as they are."""
        opening = self.advance()
        self.enter(opening)
        if self.token.kind == ")":
            raise FormulaError("empty parentheses", self.text, opening.start, self.token.end, "write what they hold")
        value = self.expression(displays=displays)
        if self.token.kind == "," and displays:
            return self.sequence(opening, [value])
        return replace(value, start=opening.start, end=self.close(opening))

    def listing(self) -> Tree:
        """Read a list in brackets."""
        opening = self.advance()
        self.enter(opening)
        if self.token.kind == "]":
            raise FormulaError("empty brackets", self.text, opening.start, self.token.end, "write what they hold")
        return self.sequence(opening, [self.expression(displays=True)])

    def sequence(self, opening: Token, items: list[Tree]) -> Tree:
        """Read the rest of a tuple or list."""
        links = self.links
        while self.token.kind == ",":
            self.advance()
            if self.token.kind in (")", "]"):
                break
            items.append(self.expression(displays=True))
            links = max(links, self.links)
        self.links = links
        return Sequence(tuple(items), start=opening.start, end=self.close(opening))

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
            raise hints.unknown_constant(self.text, token)
        self.advance()
        return Name(name, **span)

    def call(self, name: str, start: int) -> Tree:
        """Read a call of the function called `name`."""
        row = functions.find(name) or self.extra.get(name)
        if row is None:
            raise hints.unknown_function(self.text, self.tokens, self.index, name, declared=name in self.declared)
        bare = start == self.token.start and name == row.name
        if not bare and name in ("std", "var") and self.text.startswith("torch", start):
            raise hints.other_meaning(self.text, self.tokens, self.index)
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
                raise hints.argument_count(self.text, row, typed, len(args))
            named = dict(zip(row.positional, extra, strict=False))
            if twice := next((name for name in named if name in keywords), None):
                raise self.error(f"the argument {twice!r} is given twice", typed, "leave one of them out")
            keywords = named | keywords
            args = args[: row.most]
        if len(args) < row.least or None in args:
            raise hints.argument_count(self.text, row, typed, len(args) - args.count(None))
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
            raise hints.argument_count(self.text, row, typed, len(args) + len(keywords))
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
            raise hints.unknown_keyword(self.text, row, token)
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
            raise hints.unknown_attribute(self.text, self.tokens, self.index, value)
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
