"""Functions of plain floats as functions of whole arrays: every branch is computed, and what holds is selected."""

from __future__ import annotations

from collections.abc import Sequence

from symgd.kernel.code import forms, tidied, translated
from symgd.kernel.code.forms import (
    Add,
    Assign,
    Call,
    Choice,
    Expression,
    For,
    If,
    Leave,
    Name,
    Not,
    Number,
    Operation,
    Return,
    Statement,
    While,
)
from symgd.kernel.code.python import INDENT, Python
from symgd.language.functions import FUNCTIONS

LONGEST = 220  # rounds of a loop whose number depends on the argument: more of them do no harm


class Selected(Python):
    """Writes functions of arrays, with what calls itself ``np``."""

    def definition(self, name: str) -> list[str]:
        """Write the function under a name."""
        f = self.function
        self.made = 0
        self.bound = {a.name for a in f.arguments}
        self.lines = [f"def {name}({', '.join(a.name for a in f.arguments)}):", f"{INDENT}result, live = np.nan, True"]
        self._run(f.statements, "live", 1)
        return [*self.lines, f"{INDENT}return result"]

    def _run(self, statements: Sequence[Statement], mask: str, depth: int) -> None:
        for s in statements:
            if isinstance(s, Return):
                self.line(f"result = np.where({mask}, {self.show(s.values[0])}, result)", depth)
                self.line(f"live = np.logical_and(live, np.logical_not({mask}))", depth)
            elif isinstance(s, While):
                self.made += 1
                again, test = f"again{self.made}", self.show(s.test)
                self.line(f"{again} = np.logical_and({mask}, {test})", depth)
                self.line(f"while np.any({again}):", depth)
                self._run(s.body, again, depth + 1)
                self.line(f"{again} = np.logical_and({again}, {test})", depth + 1)
            elif isinstance(s, If) and isinstance(s.body[0], Leave):
                continue  # more rounds do no harm
            elif isinstance(s, If):
                self.made += 1
                yes, no = f"if{self.made}", f"else{self.made}"
                test = self.show(s.test)
                self.line(f"{yes} = np.logical_and({mask}, {test})", depth)
                if s.otherwise:
                    self.line(f"{no} = np.logical_and({mask}, np.logical_not({test}))", depth)
                self._run(s.body, yes, depth)
                self._run(s.otherwise, no, depth)
            elif isinstance(s, For):
                self._loop(s, mask, depth)
            elif isinstance(s, Assign):
                for target, value in zip(s.targets, [self.show(v) for v in s.values], strict=True):
                    self._set(target, value, mask, depth)
            elif isinstance(s, Add):
                self._set(s.target, f"{self.show(s.target)} + {self.show(s.value, 7)}", mask, depth)
            else:
                raise NotImplementedError(type(s).__name__)

    def _set(self, target: Expression, value: str, mask: str, depth: int) -> None:
        assert isinstance(target, Name)
        known = target.name in self.bound and mask != "live"
        self.bound.add(target.name)
        self.line(f"{target.name} = " + (f"np.where({mask}, {value}, {target.name})" if known else value), depth)

    def _loop(self, s: For, mask: str, depth: int) -> None:
        fixed = isinstance(s.start, Number) and isinstance(s.stop, Number)
        span = self.span(s) if fixed else f"{LONGEST}, 0, -1"
        self.line(f"for {s.name} in range({span}):", depth)
        self._run(s.body, mask, depth + 1)

    # ---- expressions -----------------------------------------------------------------------------------------------

    def operation(self, e: Operation, level: int) -> str:
        """Write arithmetic; ``and`` and ``or`` place by place."""
        if e.sign in ("and", "or"):
            return f"np.logical_{e.sign}({self.show(e.a)}, {self.show(e.b)})"
        return super().operation(e, level)

    def negation(self, e: Not, level: int) -> str:
        """Write the opposite of a condition."""
        del level
        return f"np.logical_not({self.show(e.a)})"

    def choice(self, e: Choice, level: int) -> str:
        """Write one of two values, at each place."""
        del level
        return f"np.where({self.show(e.test)}, {self.show(e.yes)}, {self.show(e.no)})"

    def number(self, e: Number, level: int) -> str:
        """Write a constant."""
        if e.value != e.value or abs(e.value) == float("inf"):
            return {"inf": "np.inf", "-inf": "-np.inf"}.get(repr(float(e.value)), "np.nan")
        return super().number(e, level)

    def call(self, e: Call, level: int) -> str:
        """Write a call."""
        if e.function in ("divide", "div"):
            return self.show(Operation("/", *e.args), level)
        if e.function == "float":
            return self.show(e.args[0], level)
        own = {"modulo": "np.mod", "int": "np.trunc"}.get(e.function)
        if own:
            return f"{own}({', '.join(map(self.show, e.args))})"
        found = translated.inlined(e.function, e.args)
        if found is not None and e.function not in ("power", "pow"):
            return self.show(found, level)
        self.calls[e.function] = None
        return f"np_{e.function}({', '.join(map(self.show, e.args))})"


def definition(name: str, title: str) -> tuple[list[str], dict[str, None]]:
    """Write a function of the table on arrays; give its lines, and the functions that it calls.

    Parameters
    ----------
    name : str
        What a source spells out, or a row of the table whose scalar code says it.
    title : str
        What it is called.

    Returns
    -------
    lines : list of str
        Its text.
    calls : dict
        What it calls.
    """
    function = translated.written(name)
    if function is None:
        row = FUNCTIONS[name]
        given = [Name(letter) for letter in "abc"[: row.most]]
        value = translated.inlined(name, given)
        assert value is not None, name
        arguments = tuple(forms.Argument(g.name, "number") for g in given)
        function = forms.Function(name, arguments, ("number",), forms.MAIN, (Return((value,)),))
    printer = Selected(tidied.tidy(function))
    return printer.definition(title), printer.calls
