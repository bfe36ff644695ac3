"""Functions in LLVM's own language: for the compiler.

Every type is known when a function is written, so that nothing is left to infer: whole numbers are 64 bits wide, others
are float64, an array is where it begins and how long it is (a matrix: its rows and columns). A variable that is
assigned once is the value itself; what is assigned again has a place on the stack, which LLVM puts into a register.

What is written here is the inside of a function; `symgd.kernel.machine.assembly` puts heads around it, and decides by a
function's role which form of an elementary function is meant, and how far arithmetic may be reordered. Pointers are
written with the type that they point to, which older versions of LLVM want and newer ones do without.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from symgd.kernel.code.forms import (
    Add,
    Assign,
    At,
    Call,
    Do,
    Expression,
    For,
    Function,
    If,
    Leave,
    Name,
    Number,
    Operation,
    Return,
    Skip,
    Statement,
    Text,
    While,
)
from symgd.kernel.code.instructions import FLOAT, WHOLE, Typed
from symgd.kernel.code.values import KINDS, TYPES, Again, Values

# Whether compiled code looks at every subscript, and fails with code 1 where one is out of bounds: for tests.
CHECKED = os.environ.get("SYMGD_BOUNDS_CHECK", "") not in ("", "0")
ROUNDS = 16  # of a loop that may be written out round after round
WHOLE_LOOP = ", !llvm.loop !LOOP"  # stands behind the end of a loop that is left one


class LLVM(Values):
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

    def __init__(self, function: Function, results: Mapping[str, Sequence[str]], *, checked: bool = CHECKED) -> None:
        super().__init__(function, results, checked=checked)
        counts: dict[str, int] = {}
        _count(function.statements, counts)
        self.slots = {name for name, count in counts.items() if count > 1 or name in self.arguments}
        self.floats: set[str] = set()  # of these, those that must not be whole numbers

    @classmethod
    def text(
        cls, function: Function, results: Mapping[str, Sequence[str]] | None = None, *, checked: bool = CHECKED
    ) -> Text:  # fmt: skip
        """Write a function."""
        printer = cls(function, results or {}, checked=checked)
        while True:
            printer.begin()
            try:
                body = printer.write()
            except Again:
                continue
            f = function
            return Text(f.name, f.arguments, f.result, f.role, tuple(printer.calls), body)

    def begin(self) -> None:
        """Forget what was written."""
        self.lines, self.count, self.open = [], 0, True
        self.scopes, self.types, self.calls = [{}], {}, {}
        self.around: list[tuple[str, str]] = []  # of each loop: the label of its next round, and of its end

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

    def store(self, name: str, value: Typed) -> None:
        """Write an assignment to a variable."""
        if name not in self.slots:
            self.scopes[-1][name] = value
            return
        kind = FLOAT if name in self.floats or value[1] == FLOAT else WHOLE
        if self.types.setdefault(name, kind) != kind and kind == FLOAT:
            self.floats.add(name)
            raise Again
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
        self.go(f"br label %{head}" + ("" if _is_short(s) else WHOLE_LOOP))
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


def _is_short(s: For) -> bool:
    """Tell whether a loop has few rounds, as many every time."""
    known = isinstance(s.start, Number) and isinstance(s.stop, Number)
    return known and s.stop.value - s.start.value <= ROUNDS * s.step  # type: ignore[attr-defined]


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
