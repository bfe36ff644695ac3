"""Functions as C: so far those over single numbers, without loops and arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symgd.kernel.code.forms import (
    Assign,
    Call,
    Choice,
    Code,
    Expression,
    Function,
    Name,
    Operation,
    Return,
    Statement,
    of,
)
from symgd.kernel.code.python import ATOM, Python

# What C's library calls otherwise than the table does, and what it does not have: by the table's names.
_NAMES = {
    "abs": "fabs", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arcsinh": "asinh", "arccosh": "acosh",
    "arctanh": "atanh", "arctan2": "atan2", "power": "pow", "gamma": "tgamma",
}  # fmt: skip
_KNOWN = {
    "exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "sqrt", "cbrt", "sin", "cos", "tan", "sinh", "cosh",
    "tanh", "erf", "erfc", "lgamma", "floor", "ceil", "trunc", "rint", "hypot",
    "copysign", *_NAMES.values(),
}  # fmt: skip
_KINDS = {"number": "double", "whole": "int64_t"}


def _where(test: Expression, yes: Code, no: Code) -> Expression:
    return Choice(Operation("!=", test, of(0.0)), yes, no)


# What stands for a function of the table, in what C has.
_SPELT: dict[str, Callable[..., Expression]] = {
    "divide": lambda a, b: a / b,
    "ratio": lambda a, b: Choice(b.is_(0.0), 0.0, a / b),
    "powslope": lambda a, b: Choice(a.is_(0.0) & b.is_(0.0), 0.0, b * Call("pow", a, b - 1.0)),
    "powlog": lambda a, b: Choice(a.is_(0.0), 0.0, Call("pow", a, b) * Call("log", a)),
    "sqrt0": lambda a: Call("sqrt", a),
    "relu": lambda a: Choice(a <= 0.0, 0.0, a),
    "sign": lambda a: Choice(a.is_not(a), a, (a > 0.0) - (a < 0.0)),
    "maximum": lambda a, b: Choice((a >= b) | a.is_not(a), a, b),
    "minimum": lambda a, b: Choice((a <= b) | a.is_not(a), a, b),
    "where": _where,
    "greater": lambda a, b: a > b,
    "greater_equal": lambda a, b: a >= b,
    "less": lambda a, b: a < b,
    "less_equal": lambda a, b: a <= b,
    "equal": lambda a, b: a.is_(b),
    "not_equal": lambda a, b: a.is_not(b),
    "logical_and": lambda a, b: a.is_not(0.0) & b.is_not(0.0),
    "logical_or": lambda a, b: a.is_not(0.0) | b.is_not(0.0),
    "logical_not": lambda a: a.is_(0.0),
    "sech": lambda a: 1.0 / Call("cosh", a),
    "sigmoid": lambda a: 1.0 / (1.0 + Call("exp", 0.0 - a)),
    "softplus": lambda a: Choice(a > 0.0, a, 0.0) + Call("log1p", Call("exp", 0.0 - Call("fabs", a))),
}  # fmt: skip


class MissingError(NotImplementedError):
    """A form or a function that this printer cannot write yet."""


class C(Python):
    """Writes functions for a compiler of C: their expressions as Python has them, where the two agree."""

    name = "c"

    @classmethod
    def source(cls, function: Function) -> str:
        """Give a function as C, with what it needs included.

        Several results go to an array, ``_r``, which is the last argument.

        Parameters
        ----------
        function : Function
            The function.

        Returns
        -------
        str

        Raises
        ------
        MissingError
            For what needs loops or arrays, and for functions that C does not have.
        """
        several = len(function.result) > 1
        arguments = [f"{_kind(a.kind)} {a.name}" for a in function.arguments] + ["double *_r"] * several
        head = f"{'void' if several else 'double'} {function.name}({', '.join(arguments) or 'void'})"
        return f"#include <math.h>\n#include <stdint.h>\n\n{head}\n{{\n{cls.text(function).body}}}\n"

    def statement(self, s: Statement, depth: int) -> None:
        """Write a statement."""
        if isinstance(s, Assign) and len(s.targets) == len(s.values) == 1 and isinstance(s.targets[0], Name):
            self.line(f"const double {s.targets[0].name} = {self.show(s.values[0])};", depth)
        elif isinstance(s, Return):
            self._give(s.values, depth)
        else:
            raise MissingError(f"a statement of the kind '{type(s).__name__}'")

    def _give(self, values: Sequence[Expression], depth: int) -> None:
        if len(values) == 1:
            self.line(f"return {self.show(values[0])};", depth)
        else:
            for place, value in enumerate(values):
                self.line(f"_r[{place}] = {self.show(value)};", depth)

    def show(self, e: Expression, level: int = 0) -> str:
        """Write an expression; every part stands in brackets, since C binds otherwise than Python does."""
        if isinstance(e, Operation):
            sign = {"and": "&&", "or": "||"}.get(e.sign, e.sign)
            if sign == "//":
                raise MissingError("a quotient of whole numbers")
            return f"({self.show(e.a, ATOM)} {sign} {self.show(e.b, ATOM)})"
        if isinstance(e, Choice):
            return f"({self.show(e.test)} ? {self.show(e.yes)} : {self.show(e.no)})"
        text = super().show(e, level)
        return f"({text})" if text.startswith("-") else text  # two signs in a row would be an operator of its own

    def number(self, e: object, level: int) -> str:
        """Write a constant."""
        text = super().number(e, level)  # type: ignore[arg-type]
        return text.replace("(1e999 - 1e999)", "NAN").replace("1e999", "INFINITY")

    def call(self, e: Call, level: int) -> str:
        """Write a call."""
        if e.function in _SPELT:
            return self.show(_SPELT[e.function](*e.args), level)
        name = _NAMES.get(e.function, e.function)
        if name not in _KNOWN:
            raise MissingError(f"the function '{e.function}'")
        self.calls[name] = None
        return f"{name}({', '.join([self.show(a) for a in e.args])})"


def _kind(kind: str) -> str:
    if kind not in _KINDS:
        raise MissingError("an argument that is an array")
    return _KINDS[kind]
