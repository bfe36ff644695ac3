"""Functions in LLVM's own language: for the compiler.

Every type is known when a function is written, so that nothing is left to infer: whole numbers are 64 bits wide, others
are float64, an array is where it begins and how long it is (a matrix: its rows and columns). A variable that is
assigned once is the value itself; what is assigned again has a place on the stack, which LLVM puts into a register.

What is written here is the inside of a function; `symgd.kernel.machine.assembly` puts heads around it, and decides by a
function's role which form of an elementary function is meant, and how far arithmetic may be reordered. Pointers are
written with the type that they point to, which older versions of LLVM want and newer ones do without.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from symgd.kernel.code.forms import (
    Add,
    Argument,
    Assign,
    At,
    Call,
    Choice,
    Do,
    Expression,
    For,
    Function,
    If,
    Leave,
    Name,
    Negated,
    Not,
    Number,
    Operation,
    Return,
    Skip,
    Statement,
    Sum,
    Text,
    While,
)
from symgd.kernel.code.templates import template
from symgd.language.functions import FUNCTIONS
from symgd.language.scalar import GUARDED, SHARED

NAMES = frozenset([*FUNCTIONS, *GUARDED, *SHARED, "fading"])  # of functions that the table knows
WHOLE, FLOAT, TRUTH = "i64", "double", "i1"
TYPES = {"whole": WHOLE, "number": FLOAT}
# Of an array's numbers: the type in memory, and the instruction that widens it.
KINDS = {
    "float64": (FLOAT, ""), "float32": ("float", "fpext"), "bool": ("i8", "zext"), "int64": (WHOLE, ""),
    "uint64": (WHOLE, ""), **{f"int{bits}": (f"i{bits}", "sext") for bits in (8, 16, 32)},
    **{f"uint{bits}": (f"i{bits}", "zext") for bits in (8, 16, 32)}, "matrix": (FLOAT, ""),
}  # fmt: skip
_ARITHMETIC = {"+": "add", "-": "sub", "*": "mul", "/": "div"}
_COMPARED = {"<": ("olt", "slt"), "<=": ("ole", "sle"), ">": ("ogt", "sgt"), ">=": ("oge", "sge"), "==": ("oeq", "eq"),
             "!=": ("une", "ne")}  # fmt: skip
TABLE = "t."  # stands before the names of the table's functions

Typed = tuple[str, str]  # an operand, and its type


class _Again(Exception):  # noqa: N818 - no error
    """A variable needs a place on the stack, or a float where a whole number was seen first."""


def words(argument: Argument) -> list[Typed]:
    """Give what an argument is passed as: a number itself, of an array its place and its lengths."""
    if argument.kind in TYPES:
        return [(f"%{argument.name}", TYPES[argument.kind])]
    sizes = ("rows", "columns") if argument.kind == "matrix" else ("size",)
    start = (f"%{argument.name}", f"{KINDS[argument.kind][0]}*")
    return [start, *((f"%{argument.name}.{size}", WHOLE) for size in sizes)]


class LLVM:
    """Writes functions for the compiler.

    Parameters
    ----------
    function : Function
        What is to be written.
    results : mapping of str to tuple of str
        The kinds of what other generated functions give; numbers, where none are said.
    checked : bool
        Whether every subscript is looked at.
    """

    name = "numba"
    apart = True  # what happens at one place is a function of its own

    def __init__(self, function: Function, results: Mapping[str, Sequence[str]], *, checked: bool = False) -> None:
        self.function = function
        self.results = results
        self.checked = checked
        self.arguments = {a.name: a for a in function.arguments}
        counts: dict[str, int] = {}
        _count(function.statements, counts)
        self.slots = {name for name, count in counts.items() if count > 1 or name in self.arguments}
        self.floats: set[str] = set()  # of these, those that must not be whole numbers
        self.calls: dict[str, None] = {}

    @classmethod
    def text(
        cls, function: Function, results: Mapping[str, Sequence[str]] | None = None, *, checked: bool = False
    ) -> Text:  # fmt: skip
        """Write a function."""
        printer = cls(function, results or {}, checked=checked)
        while True:
            printer.begin()
            try:
                body = printer.write()
            except _Again:
                continue
            f = function
            return Text(f.name, f.arguments, f.result, f.role, tuple(printer.calls), body)

    def begin(self) -> None:
        """Forget what was written."""
        self.lines: list[str] = []
        self.count = 0
        self.scopes: list[dict[str, Typed]] = [{}]
        self.types: dict[str, str] = {}  # of what has a place on the stack
        self.around: list[tuple[str, str]] = []  # of each loop: the label of its next round, and of its end
        self.open = True  # whether the block that is being written has no end yet

    def write(self) -> str:
        """Write the body."""
        for name, argument in self.arguments.items():
            if argument.kind in TYPES:
                if name in self.slots:
                    self.store(name, (f"%{name}", TYPES[argument.kind]))
                else:
                    self.scopes[0][name] = (f"%{name}", TYPES[argument.kind])
        self.block(self.function.statements)
        if self.open:
            self.give(())
        slots = [f"  %v.{name} = alloca {kind}" for name, kind in self.types.items()]
        return "\n".join([*slots, *self.lines, ""])

    # ---- pieces ----------------------------------------------------------------------------------------------------

    def new(self) -> str:
        """Give a name for a value."""
        self.count += 1
        return f"%e{self.count}"

    def label(self) -> str:
        """Give a name for a block."""
        self.count += 1
        return f"b{self.count}"

    def put(self, instruction: str) -> str:
        """Write an instruction; give the name of its value."""
        name = self.new()
        self.lines.append(f"  {name} = {instruction}")
        return name

    def go(self, instruction: str) -> None:
        """Write the end of a block."""
        if self.open:
            self.lines.append(f"  {instruction}")
        self.open = False

    def at_label(self, label: str) -> None:
        """Begin a block, which the one before goes on to."""
        self.go(f"br label %{label}")
        self.lines.append(f"{label}:")
        self.open = True

    def as_float(self, value: Typed) -> str:
        """Give a number as a float."""
        operand, kind = value
        if kind == FLOAT:
            return operand
        if kind == WHOLE and not operand.startswith("%"):
            return constant(float(operand))
        return self.put(f"{'uitofp' if kind in (TRUTH, 'u64') else 'sitofp'} {_plain(kind)} {operand} to double")

    def as_whole(self, value: Typed) -> str:
        """Give a number as a whole one, cut off."""
        operand, kind = value
        if kind == TRUTH:
            return self.put(f"zext i1 {operand} to i64")
        return self.put(f"fptosi double {operand} to i64") if kind == FLOAT else operand

    def as_truth(self, value: Typed) -> str:
        """Tell whether a number is not 0."""
        operand, kind = value
        if kind == TRUTH:
            return operand
        zero = f"fcmp une double {operand}, {constant(0.0)}" if kind == FLOAT else f"icmp ne i64 {operand}, 0"
        return self.put(zero)

    def alike(self, a: Typed, b: Typed) -> tuple[str, str, str]:
        """Give two numbers as ones of the same type, which comes first."""
        if FLOAT in (a[1], b[1]):
            return FLOAT, self.as_float(a), self.as_float(b)
        if a[1] == b[1] == TRUTH:
            return TRUTH, a[0], b[0]
        return WHOLE, self.as_whole(a), self.as_whole(b)

    def store(self, name: str, value: Typed) -> None:
        """Write an assignment to a variable."""
        if name not in self.slots:
            self.scopes[-1][name] = value
            return
        kind = FLOAT if name in self.floats or value[1] == FLOAT else WHOLE
        if self.types.setdefault(name, kind) != kind and kind == FLOAT:
            self.floats.add(name)
            raise _Again
        kind = self.types[name]
        operand = self.as_float(value) if kind == FLOAT else self.as_whole(value)
        self.lines.append(f"  store {kind} {operand}, {kind}* %v.{name}")

    # ---- statements ------------------------------------------------------------------------------------------------

    def block(self, statements: Sequence[Statement]) -> None:
        """Write statements; variables that are values end with them."""
        self.scopes.append({})
        for statement in statements:
            if not self.open:  # behind the end of a loop's round
                break
            _STATEMENTS[type(statement)](self, statement)
        self.scopes.pop()

    def assign(self, s: Assign) -> None:
        """Write an assignment, to all targets at once."""
        if len(s.values) == 1 and isinstance(s.values[0], Call) and self.is_generated(s.values[0].function):
            values = self.called(s.values[0], len(s.targets))
        else:
            values = [self.show(value) for value in s.values]
        for target, value in zip(s.targets, values, strict=True):
            if isinstance(target, At):
                self.fill(target, value)
            else:
                assert isinstance(target, Name)
                self.store(target.name, value)

    def add(self, s: Add) -> None:
        """Write an addition to a target."""
        value = self.operation(Operation("+", s.target, s.value))
        if isinstance(s.target, At):
            self.fill(s.target, value)
        else:
            assert isinstance(s.target, Name)
            self.store(s.target.name, value)

    def fill(self, target: At, value: Typed) -> None:
        """Write an assignment to an element."""
        kind, _ = KINDS[self.arguments[target.array].kind]
        operand = self.as_float(value) if kind in (FLOAT, "float") else self.as_whole(value)
        wide = FLOAT if kind == "float" else WHOLE
        if kind not in (FLOAT, WHOLE):
            operand = self.put(f"{'fptrunc' if kind == 'float' else 'trunc'} {wide} {operand} to {kind}")
        place = self.place(target, kind)
        self.lines.append(f"  store {kind} {operand}, {kind}* {place}")

    def loop(self, s: For) -> None:
        """Write a loop over whole numbers."""
        start, stop = (self.as_whole(self.show(e)) for e in (s.start, s.stop))
        before, head, body, step, end = (self.label() for _ in range(5))
        self.at_label(before)
        self.at_label(head)
        index, following = f"%i.{head}", f"%n.{head}"
        self.lines.append(f"  {index} = phi i64 [ {start}, %{before} ], [ {following}, %{step} ]")
        test = self.put(f"icmp slt i64 {index}, {stop}")
        self.go(f"br i1 {test}, label %{body}, label %{end}")
        self.at_label(body)
        self.scopes.append({} if s.name in self.slots else {s.name: (index, WHOLE)})
        if s.name in self.slots:
            self.store(s.name, (index, WHOLE))
        self.around.append((step, end))
        self.block(s.body)
        self.around.pop()
        self.scopes.pop()
        self.at_label(step)
        self.lines.append(f"  {following} = add nsw i64 {index}, {s.step}")
        self.go(f"br label %{head}")
        self.at_label(end)

    def repeat(self, s: While) -> None:
        """Write a loop with a condition."""
        head, body, end = (self.label() for _ in range(3))
        self.at_label(head)
        self.go(f"br i1 {self.as_truth(self.show(s.test))}, label %{body}, label %{end}")
        self.at_label(body)
        self.around.append((head, end))
        self.block(s.body)
        self.around.pop()
        self.go(f"br label %{head}")
        self.at_label(end)

    def when(self, s: If) -> None:
        """Write what happens under a condition."""
        yes, no, end = (self.label() for _ in range(3))
        self.go(f"br i1 {self.as_truth(self.show(s.test))}, label %{yes}, label %{no}")
        self.at_label(yes)
        self.block(s.body)
        self.go(f"br label %{end}")
        self.at_label(no)
        self.block(s.otherwise)
        self.at_label(end)

    def give(self, values: Sequence[Expression]) -> None:
        """Write the end of the function."""
        kinds = [TYPES[kind] for kind in self.function.result]
        found = [self.show(value) for value in values] or [("0", WHOLE)] * len(kinds)
        result = "undef"
        for place, (kind, value) in enumerate(zip(kinds, found, strict=True)):
            operand = self.as_float(value) if kind == FLOAT else self.as_whole(value)
            result = self.put(f"insertvalue %RESULT {result}, {kind} {operand}, {place}")
        self.go(f"ret %RESULT {result}")

    # ---- expressions -----------------------------------------------------------------------------------------------

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
        raise _Again

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

    def arithmetic(self, sign: str, x: Typed, y: Typed) -> Typed:
        """Write a sum, a difference, a product or a quotient."""
        kind, a, b = self.alike(x, y)
        if sign == "/" or kind == TRUTH:
            kind, a, b = (FLOAT, self.as_float(x), self.as_float(y)) if sign == "/" else (
                WHOLE, self.as_whole(x), self.as_whole(y))  # fmt: skip
        name = _ARITHMETIC[sign]
        return self.put(f"f{name} double {a}, {b}" if kind == FLOAT else f"{name} nsw i64 {a}, {b}"), kind

    def floor_division(self, a: str, b: str) -> str:
        """Write a division of whole numbers that rounds down."""
        quotient, rest = self.put(f"sdiv i64 {a}, {b}"), self.put(f"srem i64 {a}, {b}")
        broken = self.put(f"icmp ne i64 {rest}, 0")
        signs = self.put(f"xor i64 {rest}, {b}")
        below = self.put(f"icmp slt i64 {signs}, 0")
        down = self.put(f"and i1 {broken}, {below}")
        return self.put(f"sub nsw i64 {quotient}, {self.put(f'zext i1 {down} to i64')}")

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

    def negative(self, value: Typed) -> Typed:
        """Write the negative of a value."""
        if value[1] == FLOAT:
            return self.put(f"fneg double {value[0]}"), FLOAT
        return self.put(f"sub nsw i64 0, {self.as_whole(value)}"), WHOLE

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
            return value, "u64"
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
        return name not in NAMES and name not in _CALLS

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
                passed.append(f"{_plain(kind)} {operand}" if kind != TRUTH else f"i64 {self.as_whole((operand, kind))}")
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


def constant(value: float) -> str:
    """Write a float by its bits.

    Parameters
    ----------
    value : float
        The number.

    Returns
    -------
    str

    Examples
    --------
    >>> constant(1.0)
    '0x3FF0000000000000'
    """
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


def _plain(kind: str) -> str:
    return WHOLE if kind == "u64" else kind


def _count(statements: Iterable[Statement], counts: dict[str, int]) -> None:
    """Count how often variables are set."""
    for s in statements:
        targets = s.targets if isinstance(s, Assign) else (s.target, s.target) if isinstance(s, Add) else ()
        for target in targets:
            if isinstance(target, Name):
                counts[target.name] = counts.get(target.name, 0) + 1
        if isinstance(s, For):
            counts[s.name] = counts.get(s.name, 0)
        if isinstance(s, For | While | If):
            _count(s.body, counts)
        if isinstance(s, If):
            _count(s.otherwise, counts)


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


_STATEMENTS: dict[type, Callable[[Any, Any], None]] = {
    Assign: LLVM.assign,
    Add: LLVM.add,
    For: LLVM.loop,
    While: LLVM.repeat,
    If: LLVM.when,
    Do: lambda p, s: p.called(s.call, 0),
    Return: lambda p, s: p.give(s.values),
    Leave: lambda p, _: p.go(f"br label %{p.around[-1][1]}"),
    Skip: lambda p, _: p.go(f"br label %{p.around[-1][0]}"),
}
_EXPRESSIONS: dict[type, Callable[[Any, Any], Typed]] = {
    Number: LLVM.number,
    Operation: LLVM.operation,
    Sum: LLVM.sum,
    Negated: LLVM.negated,
    Not: LLVM.negation,
    Choice: LLVM.choice,
    At: LLVM.at,
    Call: LLVM.call,
}
# What is no function of the table.
_CALLS: dict[str, Callable[[LLVM, Sequence[Expression]], Typed]] = {
    "float": lambda p, args: (p.as_float(p.show(args[0])), FLOAT),
    "int": lambda p, args: (p.as_whole(p.show(args[0])), WHOLE),
    "divide": lambda p, args: p.arithmetic("/", p.show(args[0]), p.show(args[1])),
    "min": LLVM.smaller,
    "abs": LLVM.size,
    "len": LLVM.length,
    "hide": LLVM.hidden,
}
