"""What printers for languages with declared variables and braces or ends have in common."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from symgd.kernel.code import forms, tidied, translated
from symgd.kernel.code.forms import (
    Add,
    Assign,
    At,
    Call,
    Choice,
    Do,
    Expression,
    For,
    If,
    Leave,
    Name,
    Negated,
    Not,
    Number,
    Operation,
    Return,
    Statement,
    Sum,
    While,
)
from symgd.kernel.code.python import AND, ATOM, CHOICE, COMPARISON, OR, PRODUCT, SIGN, SUM, Python
from symgd.language.functions import FUNCTIONS

WHOLE, NUMBER, TRUTH = "whole", "number", "truth"
_BINDING = {
    "or": OR, "and": AND, "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "//": PRODUCT, "%": PRODUCT,
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), COMPARISON),
}  # fmt: skip
_LOGICAL = {sign for sign, level in _BINDING.items() if level <= COMPARISON}
_WHOLES = ("int", "len")


class Declared(Python):
    """Writes functions whose variables are declared.

    Parameters
    ----------
    function : Function
        What is to be written.
    heads : mapping of str to Function
        The functions that it may call, apart from those of the table.
    kept : mapping of str to list of int
        Of each of these, the arguments that it takes in the text.
    named : callable
        Gives the name in the text of a variable, an argument or an array.
    title : callable
        Gives that of a function.
    """

    signs: ClassVar[Mapping[str, str]] = {}  # where they are not Python's
    primitives: ClassVar[Mapping[str, str]] = {}  # what is called besides the table's functions
    end, otherwise = "}", "} else {"
    stop = ";"

    def __init__(
        self, function: forms.Function, heads: Mapping[str, forms.Function], kept: Mapping[str, Sequence[int]],
        named: Callable[[str], str], title: Callable[[str], str],
    ) -> None:  # fmt: skip
        super().__init__(function)
        self.heads, self.kept, self.named, self.title = heads, kept, named, title
        self.scopes = tidied.scopes(function)
        self.read = set(tidied.names(e for s in tidied.every(function.statements) for e in tidied.read(s)))
        self.kinds = {a.name: WHOLE if "int" in a.kind or a.kind == "whole" else NUMBER for a in function.arguments}
        self._infer(function.statements)

    def _infer(self, statements: Sequence[Statement]) -> None:
        """Find the kinds of variables."""
        for s in statements:
            if isinstance(s, Assign):
                kinds = [self.kind(v) for v in s.values]
                if len(kinds) < len(s.targets):
                    kinds = list(self.results(s.values[0]))
                for target, kind in zip(s.targets, kinds, strict=True):
                    if isinstance(target, Name) and self.kinds.get(target.name) != NUMBER:
                        self.kinds[target.name] = WHOLE if kind == WHOLE else NUMBER
            elif isinstance(s, For):
                self.kinds[s.name] = WHOLE
            for body in tidied.bodies(s):
                self._infer(body)

    def results(self, call: Expression) -> Sequence[str]:
        """Give the kinds of what a call gives."""
        assert isinstance(call, Call)
        return self.heads[call.function].result

    def kind(self, e: Expression) -> str:
        """Tell whether an expression is a whole number, another number, or a truth value."""
        if isinstance(e, Number):
            return WHOLE if isinstance(e.value, int) else NUMBER
        if isinstance(e, Name):
            return self.kinds.get(e.name, NUMBER)
        if isinstance(e, At):
            return self.kinds.get(e.array, NUMBER)
        if isinstance(e, Not) or (isinstance(e, Operation) and e.sign in _LOGICAL):
            return TRUTH
        if isinstance(e, Call):
            if e.function in ("min", "hide"):
                return self._common(e.args)
            row = FUNCTIONS.get(e.function)
            return WHOLE if e.function in _WHOLES else TRUTH if row is not None and row.boolean else NUMBER
        if isinstance(e, Operation) and e.sign == "/":
            return NUMBER
        return self._common(tidied.parts(e)[isinstance(e, Choice) :])

    def _common(self, parts: Sequence[Expression]) -> str:
        return WHOLE if all(self.kind(part) != NUMBER for part in parts) else NUMBER

    # ---- statements ------------------------------------------------------------------------------------------------

    def statement(self, s: Statement, depth: int) -> None:
        """Write a statement, behind the declarations of what begins with it."""
        ahead = self.scopes.ahead.get(id(s), [])
        fresh = isinstance(s, Assign) and sorted(ahead) == sorted(t.name for t in s.targets if isinstance(t, Name))
        for name in [] if fresh else ahead:
            self.line(self.bare(name) + self.stop, depth)
        if isinstance(s, Assign):
            self._assign(s, depth, fresh=fresh and bool(ahead))
        elif isinstance(s, Add):
            self.line(f"{self.show(s.target)} += {self.valued(s.value)}{self.stop}", depth)
        elif isinstance(s, Do):
            self.line(self.show(s.call) + self.stop, depth)
        elif isinstance(s, Return):
            self.give(s.values, depth)
        elif isinstance(s, For):
            self._inside(self.loop(s), s.body, depth)
        elif isinstance(s, While):
            self._inside(self.repeat(self.truth(s.test)), s.body, depth)
        elif isinstance(s, If):
            self._choice(s, depth)
        else:
            self.line(("break" if isinstance(s, Leave) else "continue") + self.stop, depth)

    def _inside(self, head: str, body: Sequence[Statement], depth: int) -> None:
        self.line(head, depth)
        self.block(body, depth + 1)
        self.line(self.end, depth)

    def _choice(self, s: If, depth: int) -> None:
        if not s.body:
            self.statement(If(Not(s.test), s.otherwise, ()), depth)
            return
        self.line(self.when(self.truth(s.test)), depth)
        self.block(s.body, depth + 1)
        if s.otherwise:
            self.line(self.otherwise, depth)
            self.block(s.otherwise, depth + 1)
        self.line(self.end, depth)

    def _assign(self, s: Assign, depth: int, *, fresh: bool) -> None:
        if len(s.values) < len(s.targets):
            call = s.values[0]
            assert isinstance(call, Call)
            self.unpack(s.targets, call, depth, fresh=fresh)
        elif len(s.targets) == 1:
            value = self.valued(s.values[0])
            target = self.show(s.targets[0])
            if id(s) in self.scopes.inline:
                name = self.scopes.inline[id(s)]
                target = self.declared(name, constant=name in self.scopes.constant)
            self.line(f"{target} = {value}{self.stop}", depth)
        else:
            self._together(s, depth, fresh=fresh)

    def _together(self, s: Assign, depth: int, *, fresh: bool) -> None:
        """Write assignments that happen at once: one after the other where that is the same."""
        written: set[str] = set()
        values = list(s.values)
        for i, (target, value) in enumerate(zip(s.targets, s.values, strict=True)):
            later = [t for t in s.targets[:i] if t is not target]
            if written & set(tidied.names([value])) and later:
                values = [self._apart(v, j, depth) for j, v in enumerate(s.values)]
                break
            written |= set(tidied.names([target] if isinstance(target, Name) else [Name(target.array)]))  # type: ignore[attr-defined]
        for target, value in zip(s.targets, values, strict=True):
            self.line(f"{self.target(target, fresh=fresh)} = {self.valued(value)}{self.stop}", depth)

    def target(self, e: Expression, *, fresh: bool) -> str:
        """Write what is assigned to; where it begins, with its declaration."""
        if fresh and isinstance(e, Name):
            return self.declared(e.name, constant=e.name in self.scopes.constant)
        return self.show(e)

    def _apart(self, value: Expression, place: int, depth: int) -> Expression:
        name = f"_next{place}"
        self.kinds[name] = self._common([value])
        self.line(f"{self.declared(name, constant=True)} = {self.valued(value)}{self.stop}", depth)
        return Name(name)

    @abstractmethod
    def declared(self, name: str, *, constant: bool = False) -> str:
        """Write the declaration of a variable, without a value."""

    def bare(self, name: str) -> str:
        """Write the declaration of a variable that gets its value later."""
        return self.declared(name)

    @abstractmethod
    def unpack(self, targets: Sequence[Expression], call: Call, depth: int, *, fresh: bool) -> None:
        """Write a call that gives several numbers."""

    @abstractmethod
    def give(self, values: Sequence[Expression], depth: int) -> None:
        """Write the end of the function."""

    @abstractmethod
    def loop(self, s: For) -> str:
        """Write the head of a loop over whole numbers."""

    def repeat(self, test: str) -> str:
        """Write the head of a loop."""
        return f"while ({test}) {{"

    def when(self, test: str) -> str:
        """Write the head of a choice."""
        return f"if ({test}) {{"

    # ---- expressions -----------------------------------------------------------------------------------------------

    def show(self, e: Expression, level: int = 0) -> str:
        """Write an expression, in brackets where it binds less tightly than a level."""
        return self.named(e.name) if isinstance(e, Name) else super().show(e, level)

    def truth(self, e: Expression, level: int = 0) -> str:
        """Write a condition: of a number, whether it is not 0."""
        return self.show(e if self.kind(e) == TRUTH else Operation("!=", e, Number(0.0)), level)

    def valued(self, e: Expression, level: int = 0) -> str:
        """Write a number: of a condition, 1 or 0."""
        return self.show(Choice(e, 1.0, 0.0) if self.kind(e) == TRUTH else e, level)

    def number(self, e: Number, level: int) -> str:
        """Write a constant."""
        text = self.literal(e.value)
        return f"({text})" if text.startswith("-") and level > PRODUCT else text

    @abstractmethod
    def literal(self, value: float) -> str:
        """Write a number."""

    def operation(self, e: Operation, level: int) -> str:
        """Write arithmetic, a comparison, ``and`` or ``or``."""
        own = _BINDING[e.sign]
        if e.sign in ("and", "or"):
            # Brackets around one inside of the other, which compilers warn without.
            inner = COMPARISON
            sides = [self.truth(side, own if isinstance(side, Operation) and side.sign == e.sign and i == 0 else inner)
                     for i, side in enumerate((e.a, e.b))]  # fmt: skip
        else:
            left = SUM if own == COMPARISON else own
            sides = [self.valued(e.a, left), self.valued(e.b, own + 1)]
        sign = self.signs.get(e.sign, e.sign)
        text = f"{sides[0]}*{sides[1]}" if sign == "*" else f"{sides[0]} {sign} {sides[1]}"
        return f"({text})" if own < level else text

    def sum(self, e: Sum, level: int) -> str:
        """Write a sum."""
        first, *rest = e.terms
        head = f"-{self.valued(first[0], ATOM)}" if first[1] else self.valued(first[0], SUM)
        text = head + "".join(f" {'-' if minus else '+'} {self.valued(t, PRODUCT)}" for t, minus in rest)
        return f"({text})" if level > SUM else text

    def negated(self, e: Negated, level: int) -> str:
        """Write the negative of a number."""
        text = f"-{self.valued(e.a, ATOM)}"
        return f"({text})" if level >= SIGN else text

    def negation(self, e: Not, level: int) -> str:
        """Write the opposite of a condition."""
        del level
        return f"!({self.truth(e.a)})"

    def choice(self, e: Choice, level: int) -> str:
        """Write one of two values."""
        text = f"{self.truth(e.test, OR)} ? {self.valued(e.yes, OR)} : {self.valued(e.no, CHOICE)}"
        return f"({text})" if level > CHOICE else text

    def call(self, e: Call, level: int) -> str:
        """Write a call: of what the language has, of what the row says, of a function that stands in the text."""
        name, args = e.function, e.args
        if name == "hide":
            return self.show(args[0], level)
        if name in ("divide", "div"):
            return self.show(Operation("/", *args), level)
        if name == "fading":
            name = "pow"
        row = FUNCTIONS.get(name)
        own = self.primitives.get(name) or (row.library.get(self.name) if row else None)
        if own:
            return f"{own}({', '.join([self.valued(a) for a in args])})"
        special = self.special(e, level)
        if special:
            return special
        found = translated.inlined(name, args)
        if found is not None:
            return self.show(found, level)
        self.calls[name] = None
        places = self.kept.get(name, range(len(args)))
        return f"{self.title(name)}({', '.join([self.argument(name, i, args[i]) for i in places])})"

    def argument(self, name: str, place: int, arg: Expression) -> str:
        """Write what is handed over."""
        del name, place
        return self.valued(arg)

    def special(self, e: Call, level: int) -> str:
        """Write a call that is an expression of its own in the language; nothing for any other."""
        del e, level
        return ""


def shown(value: float, infinite: str, none: str, *, whole: bool = False) -> str:
    """Write a number, with what a language calls those that are infinite or none."""
    if value != value:  # noqa: PLR0124
        return none
    if math.isinf(value):
        return infinite if value > 0 else f"-{infinite}"
    return str(value) if isinstance(value, int) or not whole else repr(value).removesuffix(".0")
