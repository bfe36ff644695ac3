"""Functions of Python's source as forms, so that each target has them without a second text.

What the table's rows say in scalar code, what `symgd.language.scalar` spells out, and what generated code calls of
symgd's own on lists are all written in the little of Python that forms can say: arithmetic, comparisons, choices,
loops over whole numbers, elements of flat arrays.
"""

from __future__ import annotations

import ast
import inspect
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from symgd.kernel.code import forms
from symgd.kernel.code.forms import (
    MAIN,
    Argument,
    At,
    Call,
    Choice,
    Expression,
    Name,
    Negated,
    Not,
    Number,
    Operation,
    of,
)
from symgd.kernel.machine import gemm, matrices
from symgd.language import quotients, scalar, special
from symgd.language.functions import FUNCTIONS

SOURCES = (special, scalar, quotients, matrices, gemm)  # the first that has a name decides
# What Python's `math` calls otherwise than the table does.
_MATH = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh", "acosh": "arccosh",
    "atanh": "arctanh",
}  # fmt: skip
_CONSTANTS = {"inf": math.inf, "nan": math.nan, "LOG2": scalar.LOG2, "LOG_ROOT": special.LOG_ROOT, "TINY": special.TINY}
_ARITHMETIC: dict[type, str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//"}
_COMPARISONS: dict[type, str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="
}  # fmt: skip
_FOLDED: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip
_KINDS = {"float": "number", "int": "whole", "bool": "whole"}


def written(name: str) -> forms.Function | None:
    """Give a function that one of the sources spells out.

    Parameters
    ----------
    name : str
        Its name.

    Returns
    -------
    Function or None
        ``None`` where none does.
    """
    found = _definitions().get(name)
    return None if found is None else _function(found)


def summary(name: str) -> str:
    """Give the first line of what a function's source says of it."""
    return (ast.get_docstring(_definitions()[name]) or "").partition("\n")[0]


def inlined(function: str, args: Sequence[Expression]) -> Expression | None:
    """Give what the scalar code of a row says, with these arguments; ``None`` for a row that has none."""
    row = FUNCTIONS.get(function)
    if row is None or not row.code:
        return None
    names = {f"_arg{i}": arg for i, arg in enumerate(args)}
    return _Reader(names).expression(_parsed(row.code.format(*names)))


@cache
def _parsed(code: str) -> ast.expr:
    return ast.parse(code, mode="eval").body


@cache
def _definitions() -> dict[str, ast.FunctionDef]:
    found: dict[str, ast.FunctionDef] = {}
    for module in SOURCES:
        for statement in ast.parse(inspect.getsource(module)).body:
            if isinstance(statement, ast.FunctionDef):
                found.setdefault(statement.name, statement)
    return found


@cache
def _function(definition: ast.FunctionDef) -> forms.Function:
    arguments = [Argument(a.arg, _KINDS.get(ast.unparse(a.annotation or ast.Name("")), "float64"))
                 for a in definition.args.args]  # fmt: skip
    returns = ast.unparse(definition.returns or ast.Constant(None))
    count = returns.count("float") if returns != "None" else 0
    body = _Reader({}).block(definition.body[1:])
    return forms.Function(definition.name, tuple(arguments), ("number",) * count, MAIN, tuple(body))


class _Reader:
    """Reads Python; ``names`` says what stands for which name, all others for themselves."""

    def __init__(self, names: Mapping[str, Expression]) -> None:
        self.names = dict(names)

    # ---- statements ------------------------------------------------------------------------------------------------

    def block(self, statements: Sequence[ast.stmt]) -> list[forms.Statement]:
        """Read statements."""
        return [found for statement in statements for found in self.statement(statement)]

    def statement(self, s: ast.stmt) -> list[forms.Statement]:
        """Read a statement."""
        if isinstance(s, ast.Assign):
            return [forms.Assign(tuple(self._parts(s.targets[0])), tuple(self._parts(s.value)))]
        if isinstance(s, ast.AugAssign):
            target, value = self.expression(s.target), self.expression(s.value)
            if isinstance(s.op, ast.Add):
                return [forms.Add(target, value)]
            return [forms.Assign((target,), (Operation(_ARITHMETIC[type(s.op)], target, value),))]
        if isinstance(s, ast.Return):
            return [forms.Return(tuple(self._parts(s.value)) if s.value else ())]
        if isinstance(s, ast.If):
            return [forms.If(self.expression(s.test), tuple(self.block(s.body)), tuple(self.block(s.orelse)))]
        if isinstance(s, ast.While):
            return [forms.While(self.expression(s.test), tuple(self.block(s.body)))]
        if isinstance(s, ast.For):
            return self._loop(s)
        if isinstance(s, ast.Expr) and isinstance(s.value, ast.Call):
            call = self.expression(s.value)
            assert isinstance(call, Call)
            return [forms.Do(call)]
        return [{ast.Break: forms.Leave(), ast.Continue: forms.Skip()}[type(s)]]  # type: ignore[index]

    def _loop(self, s: ast.For) -> list[forms.Statement]:
        assert isinstance(s.target, ast.Name)
        if isinstance(s.iter, ast.Tuple):  # of constants: written out one after the other
            found = []
            for constant in s.iter.elts:
                self.names[s.target.id] = self.expression(constant)
                found += self.block(s.body)
            return found
        assert isinstance(s.iter, ast.Call)
        bounds = [self.expression(a) for a in s.iter.args]
        start, stop = bounds[:2] if len(bounds) > 1 else (of(0), bounds[0])
        step = int(ast.literal_eval(s.iter.args[2])) if len(bounds) > 2 else 1
        return [forms.For(s.target.id, start, stop, step, tuple(self.block(s.body)))]

    def _parts(self, e: ast.expr) -> list[Expression]:
        return [self.expression(part) for part in (e.elts if isinstance(e, ast.Tuple) else [e])]

    # ---- expressions -----------------------------------------------------------------------------------------------

    def expression(self, e: ast.expr) -> Expression:
        """Read an expression."""
        if isinstance(e, ast.Constant):
            return Number(e.value)  # type: ignore[arg-type]
        if isinstance(e, ast.Name):
            return self.names.get(e.id) or (Number(_CONSTANTS[e.id]) if e.id in _CONSTANTS else Name(e.id))
        if isinstance(e, ast.Attribute):
            return Number(getattr(math, e.attr))
        if isinstance(e, ast.Subscript):
            assert isinstance(e.value, ast.Name)
            return At(e.value.id, self.expression(e.slice))
        if isinstance(e, ast.UnaryOp):
            a = self.expression(e.operand)
            if isinstance(e.op, ast.Not):
                return Not(a)
            return Number(-a.value) if isinstance(a, Number) else Negated(a)
        if isinstance(e, ast.BinOp):
            return self._binary(e)
        if isinstance(e, ast.BoolOp):
            sign = "and" if isinstance(e.op, ast.And) else "or"
            return _chain(sign, [self.expression(v) for v in e.values])
        if isinstance(e, ast.Compare):
            sides = [self.expression(side) for side in (e.left, *e.comparators)]
            signs = [_COMPARISONS[type(op)] for op in e.ops]
            return _chain("and", [Operation(sign, a, b) for sign, (a, b) in zip(signs, pairwise(sides), strict=True)])
        if isinstance(e, ast.IfExp):
            return Choice(self.expression(e.test), self.expression(e.body), self.expression(e.orelse))
        assert isinstance(e, ast.Call), ast.dump(e)
        return self._call(e)

    def _binary(self, e: ast.BinOp) -> Expression:
        a, b = self.expression(e.left), self.expression(e.right)
        if isinstance(e.op, ast.Mod):
            return Call("modulo", a, b)
        sign = _ARITHMETIC[type(e.op)]
        if isinstance(a, Number) and isinstance(b, Number) and sign in _FOLDED:  # 1/12 has no division of whole numbers
            return Number(_FOLDED[sign](a.value, b.value))
        return Operation(sign, a, b)

    def _call(self, e: ast.Call) -> Expression:
        name = e.func.attr if isinstance(e.func, ast.Attribute) else ast.unparse(e.func)
        if isinstance(e.func, ast.Attribute):
            name = "cpow" if name == "pow" else _MATH.get(name, name)
        return Call(name, *(self.expression(a) for a in e.args))


def _chain(sign: str, parts: Sequence[Expression]) -> Expression:
    found = parts[0]
    for part in parts[1:]:
        found = Operation(sign, found, part)
    return found
