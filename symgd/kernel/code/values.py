"""Expressions in LLVM's language; `symgd.kernel.code.llvm` has the statements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symgd.kernel.code.forms import (
    Argument,
    At,
    Call,
    Choice,
    Expression,
    Function,
    Name,
    Negated,
    Not,
    Number,
    Operation,
    Sum,
)
from symgd.kernel.code.instructions import FLOAT, TRUTH, UNSIGNED, WHOLE, Instructions, Typed, constant, plain
from symgd.kernel.code.templates import template
from symgd.language.functions import FUNCTIONS
from symgd.language.scalar import GUARDED, SHARED

NAMES = frozenset([*GUARDED, *SHARED, "fading"])  # of functions that are called besides those of the table
TYPES = {"whole": WHOLE, "number": FLOAT}
# Of an array's numbers: the type in memory, and the instruction that widens it.
KINDS = {
    "float64": (FLOAT, ""), "float32": ("float", "fpext"), "bool": ("i8", "zext"), "int64": (WHOLE, ""),
    "uint64": (WHOLE, ""), **{f"int{bits}": (f"i{bits}", "sext") for bits in (8, 16, 32)},
    **{f"uint{bits}": (f"i{bits}", "zext") for bits in (8, 16, 32)}, "matrix": (FLOAT, ""),
}  # fmt: skip
_COMPARED = {"<": ("olt", "slt"), "<=": ("ole", "sle"), ">": ("ogt", "sgt"), ">=": ("oge", "sge"), "==": ("oeq", "eq"),
             "!=": ("une", "ne")}  # fmt: skip
TABLE = "t."  # stands before the names of the table's functions


class Again(Exception):  # noqa: N818 - no error
    """A variable needs a place on the stack, or a float where a whole number was seen first."""


def words(argument: Argument) -> list[Typed]:
    """Give what an argument is passed as: a number itself, of an array its place and its lengths."""
    if argument.kind in TYPES:
        return [(f"%{argument.name}", TYPES[argument.kind])]
    sizes = ("rows", "columns") if argument.kind == "matrix" else ("size",)
    start = (f"%{argument.name}", f"{KINDS[argument.kind][0]}*")
    return [start, *((f"%{argument.name}.{size}", WHOLE) for size in sizes)]


class Values(Instructions):
    """Writes expressions: what a function's statements set, and where it is.

    Parameters
    ----------
    function : Function
        The function.
    results : mapping of str to tuple of str
        The kinds of what other generated functions give; numbers, where none are said.
    checked : bool
        Whether every subscript is looked at.
    """

    def __init__(self, function: Function, results: Mapping[str, Sequence[str]], *, checked: bool) -> None:
        super().__init__()
        self.function = function
        self.results = results
        self.checked = checked
        self.arguments = {a.name: a for a in function.arguments}
        self.slots: set[str] = set()  # the variables that have a place on the stack
        self.types: dict[str, str] = {}  # and theirs
        self.scopes: list[dict[str, Typed]] = [{}]  # the variables that are values
        self.calls: dict[str, None] = {}

    def show(self, e: Expression) -> Typed:
        """Write an expression."""
        return self.read(e) if type(e) is Name else _EXPRESSIONS[type(e)](self, e)

    def read(self, e: Name) -> Typed:
        """Write the reading of a variable."""
        name = e.name
        if name in self.slots:
            kind = self.types.get(name)
            if kind is None:
                message = f"variable {name} of {self.function.name} is read before it is set"
                raise AssertionError(message)
            return self.put(f"load {kind}, {kind}* %v.{name}"), kind
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        self.slots.add(name)  # set inside of a loop or a branch, and read outside of it
        raise Again

    def number(self, e: Number) -> Typed:
        """Write a constant."""
        return (constant(e.value), FLOAT) if isinstance(e.value, float) else (str(int(e.value)), WHOLE)

    def operation(self, e: Operation) -> Typed:
        """Write arithmetic, a comparison, ``and`` or ``or``."""
        x, y = self.show(e.a), self.show(e.b)
        if e.sign in ("and", "or"):
            return self.put(f"{e.sign} i1 {self.as_truth(x)}, {self.as_truth(y)}"), TRUTH
        if e.sign in _COMPARED:
            kind, a, b = self.alike(x, y)
            signs = _COMPARED[e.sign]
            compared = f"fcmp {signs[0]} double" if kind == FLOAT else f"icmp {signs[1]} {kind}"
            return self.put(f"{compared} {a}, {b}"), TRUTH
        if e.sign == "//":
            return self.floor_division(self.as_whole(x), self.as_whole(y)), WHOLE
        return self.arithmetic(e.sign, x, y)

    def sum(self, e: Sum) -> Typed:
        """Write a sum."""
        (first, minus), *rest = e.terms
        total = self.negative(self.show(first)) if minus else self.show(first)
        for term, minus in rest:
            total = self.arithmetic("-" if minus else "+", total, self.show(term))
        return total

    def negated(self, e: Negated) -> Typed:
        """Write the negative of a number."""
        return self.negative(self.show(e.a))

    def negation(self, e: Not) -> Typed:
        """Write the opposite of a condition."""
        return self.put(f"xor i1 {self.as_truth(self.show(e.a))}, true"), TRUTH

    def choice(self, e: Choice) -> Typed:
        """Write one of two values: where they are cheap, both are computed."""
        test = self.as_truth(self.show(e.test))
        if not (_is_dear(e.yes) or _is_dear(e.no)):
            kind, yes, no = self.alike(self.show(e.yes), self.show(e.no))
            return self.put(f"select i1 {test}, {kind} {yes}, {kind} {no}"), kind
        labels = [self.label() for _ in range(3)]
        self.go(f"br i1 {test}, label %{labels[0]}, label %{labels[1]}")
        found = []
        for label, side in zip(labels, (e.yes, e.no), strict=False):
            self.at_label(label)
            value = self.as_float(self.show(side))
            last = self.label()
            self.at_label(last)
            found.append(f"[ {value}, %{last} ]")
            self.go(f"br label %{labels[2]}")
        self.at_label(labels[2])
        return self.put(f"phi double {', '.join(found)}"), FLOAT

    def at(self, e: At) -> Typed:
        """Write the reading of an element."""
        argument = self.arguments[e.array]
        kind, widen = KINDS[argument.kind]
        value = self.put(f"load {kind}, {kind}* {self.place(e, kind)}")
        if argument.kind == "uint64":
            return value, UNSIGNED
        wide = FLOAT if kind in (FLOAT, "float") else WHOLE
        return (self.put(f"{widen} {kind} {value} to {wide}") if widen else value), wide

    def place(self, e: At, kind: str) -> str:
        """Write where an element is."""
        places = [self.as_whole(self.show(place)) for place in e.places]
        flat = places[0]
        if len(places) > 1:
            row = self.put(f"mul nsw i64 {flat}, %{e.array}.columns")
            flat = self.put(f"add nsw i64 {row}, {places[1]}")
        if self.checked:
            ends = ("rows", "columns") if len(places) > 1 else ("size",)
            for place, end in zip(places, ends, strict=True):
                flat = self.put(f"call i64 @symgd.inside(i64 {place}, i64 %{e.array}.{end}, i64 {flat})")
        return self.put(f"getelementptr inbounds {kind}, {kind}* %{e.array}, i64 {flat}")

    # ---- calls -----------------------------------------------------------------------------------------------------

    def is_generated(self, name: str) -> bool:
        """Tell whether a function is none of the table's, nor of what every program may call."""
        return name not in FUNCTIONS and name not in NAMES and name not in _CALLS

    def call(self, e: Call) -> Typed:
        """Write a call for its value."""
        name = e.function
        if self.is_generated(name):
            return self.called(e, 1)[0]
        self.calls[name] = None
        if name in _CALLS:
            return _CALLS[name](self, e.args)
        row = FUNCTIONS.get(name)
        if row is not None and row.code:
            return self.by_template(row.code, e.args)
        return self.of_table(name, [self.as_float(self.show(a)) for a in e.args]), FLOAT

    def of_table(self, name: str, operands: Sequence[str]) -> str:
        """Write a call of a function of the table."""
        return self.put(f"call double @{TABLE}{name}({', '.join([f'double {o}' for o in operands])})")

    def by_template(self, code: str, args: Sequence[Expression]) -> Typed:
        """Write what the row of a function says, with values in place of its arguments."""
        names = [f"{{{place}}}" for place in range(len(args))]
        self.scopes.append({name: self.show(arg) for name, arg in zip(names, args, strict=True)})
        value = self.show(template(code, len(args)))
        self.scopes.pop()
        return value

    def called(self, e: Call, count: int) -> list[Typed]:
        """Write a call of another generated function; give its results."""
        name = e.function
        self.calls[name] = None
        passed: list[str] = []
        for arg in e.args:
            if isinstance(arg, Name) and arg.name in self.arguments and self.arguments[arg.name].kind not in TYPES:
                passed += [f"{kind} {word}" for word, kind in words(self.arguments[arg.name])]
            else:
                operand, kind = self.show(arg)
                passed.append(f"{plain(kind)} {operand}" if kind != TRUTH else f"i64 {self.as_whole((operand, kind))}")
        result = self.put(f"call %R.{name} @{name}({', '.join(passed)})")
        kinds = [TYPES[kind] for kind in self.results.get(name, ["number"] * count)[:count]]
        return [(self.put(f"extractvalue %R.{name} {result}, {i}"), kind) for i, kind in enumerate(kinds)]

    def smaller(self, args: Sequence[Expression]) -> Typed:
        """Write the smaller one of two numbers."""
        kind, a, b = self.alike(self.show(args[0]), self.show(args[1]))
        compared = f"fcmp olt double {b}, {a}" if kind == FLOAT else f"icmp slt i64 {b}, {a}"
        return self.put(f"select i1 {self.put(compared)}, {kind} {b}, {kind} {a}"), kind

    def size(self, args: Sequence[Expression]) -> Typed:
        """Write the size of a number."""
        value = self.show(args[0])
        if value[1] == FLOAT:
            return self.put(f"call double @llvm.fabs.f64(double {value[0]})"), FLOAT
        number = self.as_whole(value)
        turned = self.put(f"sub nsw i64 0, {number}")
        return self.put(f"select i1 {self.put(f'icmp slt i64 {number}, 0')}, i64 {turned}, i64 {number}"), WHOLE

    def length(self, args: Sequence[Expression]) -> Typed:
        """Write the length of an array."""
        (array,) = args
        assert isinstance(array, Name)
        return words(self.arguments[array.name])[1]

    def hidden(self, args: Sequence[Expression]) -> Typed:
        """Write a number such that the compiler does not know which it is.

        A short loop with a known count is written out, and then no longer seen as one that vector registers could run.
        """
        return self.put(f'call i64 asm "", "=r,0"(i64 {self.as_whole(self.show(args[0]))})'), WHOLE


def _is_dear(e: Expression) -> bool:
    """Tell whether an expression calls what costs more than arithmetic does."""
    if isinstance(e, Call):
        row = FUNCTIONS.get(e.function)
        if row is not None and row.code:
            if _is_dear(template(row.code, len(e.args))):
                return True
        elif e.function not in _CALLS and e.function != "sqrt":
            return True
        return any(map(_is_dear, e.args))
    if isinstance(e, Operation):
        return _is_dear(e.a) or _is_dear(e.b)
    if isinstance(e, Sum):
        return any(_is_dear(term) for term, _ in e.terms)
    if isinstance(e, Choice):
        return _is_dear(e.test) or _is_dear(e.yes) or _is_dear(e.no)
    if isinstance(e, Negated | Not):
        return _is_dear(e.a)
    return isinstance(e, At) and any(map(_is_dear, e.places))


_EXPRESSIONS: dict[type, Callable[[Any, Any], Typed]] = {
    Number: Values.number,
    Operation: Values.operation,
    Sum: Values.sum,
    Negated: Values.negated,
    Not: Values.negation,
    Choice: Values.choice,
    At: Values.at,
    Call: Values.call,
}
# What is no function of the table.
_CALLS: dict[str, Callable[[Values, Sequence[Expression]], Typed]] = {
    "float": lambda p, args: (p.as_float(p.show(args[0])), FLOAT),
    "int": lambda p, args: (p.as_whole(p.show(args[0])), WHOLE),
    "divide": lambda p, args: p.arithmetic("/", p.show(args[0]), p.show(args[1])),
    "min": Values.smaller,
    "abs": Values.size,
    "len": Values.length,
    "hide": Values.hidden,
}
