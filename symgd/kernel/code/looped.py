"""Modules that stand alone in languages with loops: what their printers have in common."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from symgd.kernel.code import forms, tidied, translated
from symgd.kernel.code.declared import Declared
from symgd.kernel.code.identifiers import WORDS, Names, comment, identifier
from symgd.kernel.code.module import Derived
from symgd.kernel.code.planned import Rule, filled, planned, used


class Heads(dict[str, forms.Function]):
    """Functions by name; those that generated code calls are translated from their source when they are asked for."""

    def __missing__(self, name: str) -> forms.Function:
        found = translated.written(name)
        assert found is not None, name
        self[name] = tidied.tidy(found)
        return self[name]


class Looped(ABC):
    """Writes a module.

    Parameters
    ----------
    derived : Derived
        The objective with its derivatives.
    formula : str
        Its text.
    version : str
        symgd's.
    rules : sequence of Rule
        Descents on it.
    uneven : bool
        Whether columns of the data are longer than the rows that are read.
    """

    target: ClassVar[str]
    printer: ClassVar[type[Declared]]
    reserved: ClassVar[frozenset[str]]
    public: ClassVar[tuple[str, ...]] = ()  # functions that take all inputs

    def __init__(
        self, derived: Derived, formula: str, version: str, rules: Sequence[Rule] = (), *, uneven: bool = False
    ) -> None:  # fmt: skip
        self.formula, self.version = formula, version
        self.plan = planned(derived, rules)
        self.layout = layout = self.plan.layout
        self.heads = Heads(self.plan.functions)
        self.inputs = [a.name for a in layout.data()]
        # One array may be read by rows and as a whole.
        first: dict[str, str] = {}
        self.same = {f"_d{i}": first.setdefault(c.name, f"_d{i}") for i, c in enumerate(layout.columns)}
        # Whether the number of rows is given, and not seen from a column.
        self.counted = "_n" in self.inputs and (uneven or not any(c.rows for c in layout.columns))
        self.kept, self.idle = used(self.plan.functions, self.outside(), self.public, self.same)
        # What the module uses, in the order in which it is defined.
        self.written: dict[str, list[str]] = {}
        self.filled: dict[str, set[str]] = {}
        self.names = Names(self.reserved)
        for name in self.plan.functions:
            self.title(name)
        self._name_inputs()
        for name in self.plan.functions:
            self._write(name)

    def _name_inputs(self) -> None:
        layout, give = self.layout, self.names.give
        for name in ("_x", "_v", "_out", "_full", "_unit", "_column"):
            give(name, WORDS.get(name) or name.strip("_"))
        self.data: dict[str, str] = {}  # names in the text, by those of data
        for i, column in enumerate(layout.columns):
            if column.name not in self.data:
                self.data[column.name] = self.names.free(identifier(column.name))
            self.names.known[f"_d{i}"] = self.data[column.name]
        for i, name in enumerate(layout.scalars):
            self.data[name] = give(f"_c{i}", identifier(name))
        for i in range(len(layout.tables)):
            give(f"_k{i}", f"table{i}")
        for name in ("_n", "_mem", "_buf"):
            if name in self.inputs:
                give(name, {"_n": "rows", "_mem": "memory", "_buf": "buffer"}[name])
        self.counter = self.names("_n") if "_n" in self.inputs else ""
        starts = layout.point_shapes.starts
        self.params = {name: give(f"_x{starts[name]}", identifier(name)) for name in layout.params}
        for name, given in self.params.items():
            give(f"_v{starts[name]}", f"v_{given}")

    @staticmethod
    def cased(name: str) -> str:
        """Give the name of a function as the language writes it."""
        return name

    def outside(self) -> list[str]:
        """Give the inputs that functions see without being handed them: the rows' numbers are their places."""
        none = [name for name, size in self.plan.memory.items() if not size]
        none += [name for name, other in self.same.items() if other != name]
        return [*none, *(name for name in self.inputs if name == "_id" or name.startswith("_k"))]

    def title(self, name: str) -> str:
        """Give the name of a function in the text."""
        return self.names.known.get(name) or self.names.give(name, self.cased(name), function=True)

    def _write(self, name: str) -> None:
        """Write a function, behind those that it calls."""
        if name in self.written:
            return
        self.written[name] = []  # what calls itself is not looked for again
        function = self.heads[name]
        self.names.begin(self._fixed(name), apart=name not in self.plan.functions)
        printer = self.printer(function, self.heads, self.kept, self.names, self.title)
        printer.block(function.statements, 1)
        local = self.names.local
        for call in printer.calls:
            self._write(call)
        self.names.local = local
        self.filled[name] = filled(function, self.heads, self.filled)
        lines = [self.head(function, printer), *printer.lines, *self.tail()]
        del self.written[name]
        self.written[name] = lines

    def _fixed(self, name: str) -> dict[str, str]:
        """Give the names that stand fixed in a function: the numbers and the states of a descent."""
        if name not in self.plan.rules:
            return {}
        rule = self.plan.rules[name]
        states = rule.lowered.states if rule.lowered else ()
        wanted = {f"_s{i}": state for i, state in enumerate(states)} | {f"_h{i}": h for i, h in enumerate(rule.hyper)}
        taken = self.names.taken | set(WORDS.values()) | {"t", "f", "stop"}
        fixed: dict[str, str] = {}
        for key, given in wanted.items():
            found = identifier(given)
            while found in taken or found in fixed.values():
                found += "_"
            fixed[key] = found
        return fixed

    @abstractmethod
    def head(self, function: forms.Function, printer: Declared) -> str:
        """Write the head of a function."""

    def tail(self) -> list[str]:
        """Write what stands behind the body of a function."""
        return ["}"]

    @abstractmethod
    def text(self) -> str:
        """Write the module."""

    # ---- what the head of the module says --------------------------------------------------------------------------

    def table(self, place: int) -> list[float]:
        """Give the entries of a table; of parameters' names, where they are."""
        starts = self.layout.point_shapes.starts
        return [starts[e] if isinstance(e, str) else e for e in self.layout.tables[place]]  # type: ignore[misc]

    def about(self) -> list[str]:
        """Give the lines of the head: the formula, the version, where everything is."""
        layout = self.layout
        lines = [comment(self.formula), "", f"Value and exact derivatives, written by symgd {self.version}.", ""]
        for name, shape in zip(layout.params, layout.shapes, strict=True):
            start = layout.point_shapes.starts[name]
            size = math.prod(shape)
            where = f"point[{start}]" if not shape else f"point[{start}] to point[{start + size - 1}]"
            lines.append(f"{where}: {self.params[name]}{spelt(shape)}")
        columns: dict[str, str] = {}
        for column in layout.columns:
            sides = ["rows" if column.rows else "n", *(column.shape if column.rows else column.shape[1:])]
            columns.setdefault(column.name, f", {' x '.join(map(str, sides))} numbers, row after row")
        lines += [f"data {given}{columns.get(name, ', a number')}" for name, given in self.data.items()]
        if self.counted:
            lines.append(f"data {self.counter}, how many there are")
        for rule in self.plan.rules.values():
            lines.append(f"{comment(rule.name)}: {comment(rule.text)}")
        return lines


def spelt(shape: Sequence[int]) -> str:
    """Write a shape for people."""
    return f", {' x '.join(map(str, shape))} numbers, row after row" if shape else ""
