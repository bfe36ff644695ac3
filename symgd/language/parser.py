"""Tokens to tree: precedence climbing with an explicit stack, so that only brackets recurse.

`Parser.expression` keeps the operators that wait for their right side on a list, one entry a level of precedence: a
sum of 50,000 terms is one entry, one node and no recursion. The precedences are Python's; ``^`` is read as ``**``.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from symgd.errors import FormulaError
from symgd.language import functions, hints
from symgd.language.calls import Calls
from symgd.language.tokens import NESTING, Token, number, spell
from symgd.language.tree import (
    Assignment,
    Compare,
    Logical,
    Name,
    Number,
    Power,
    Product,
    Sequence,
    Sum,
    Text,
    Tree,
    Unary,
)

_OR, _AND, _NOT, _COMPARE, _BIT_OR, _BIT_AND, _SUM, _PRODUCT, _UNARY, _POWER = range(1, 11)
_LEVELS: dict[str, int] = {
    "or": _OR, "and": _AND, "|": _BIT_OR, "&": _BIT_AND, "+": _SUM, "-": _SUM, "**": _POWER, "^": _POWER,
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), _COMPARE),
    **dict.fromkeys(("*", "/", "@", "%", "//"), _PRODUCT),
}  # fmt: skip
_LOGICAL = {_OR: "or", _AND: "and", _BIT_OR: "or", _BIT_AND: "and"}

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


class Parser(Calls):
    """One text on its way from tokens to tree."""

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
