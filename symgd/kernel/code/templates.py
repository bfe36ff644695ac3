"""What the rows of the table say of functions, as expressions."""

from __future__ import annotations

import ast
import math
from functools import cache

from symgd.kernel.code.forms import Call, Choice, Expression, Name, Negated, Not, Number, Operation

_SIGNS: dict[type, str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.Eq: "==", ast.NotEq: "!=", ast.And: "and", ast.Or: "or",
}  # fmt: skip
_CONSTANTS = {"inf": math.inf, "nan": math.nan}


@cache
def template(code: str, count: int) -> Expression:
    """Give what the row of a function says, with names for its arguments.

    Parameters
    ----------
    code : str
        The row's text: an expression in which ``{0}`` stands for the first argument.
    count : int
        How many arguments there are.

    Returns
    -------
    Expression
        In it ``{0}`` is a variable.

    Examples
    --------
    >>> template("({0} + 1.0)", 1).sign
    '+'
    """
    names = [f"_{place}" for place in range(count)]
    return _read(ast.parse(code.format(*names).strip(), mode="eval").body)


def _read(e: ast.expr) -> Expression:
    if isinstance(e, ast.Constant):
        assert isinstance(e.value, int | float)
        return Number(e.value)
    if isinstance(e, ast.Name):
        return Number(_CONSTANTS[e.id]) if e.id in _CONSTANTS else Name(f"{{{e.id[1:]}}}")
    if isinstance(e, ast.BinOp):
        return Operation(_SIGNS[type(e.op)], _read(e.left), _read(e.right))
    if isinstance(e, ast.UnaryOp):
        return Not(_read(e.operand)) if isinstance(e.op, ast.Not) else Negated(_read(e.operand))
    if isinstance(e, ast.IfExp):
        return Choice(_read(e.test), _read(e.body), _read(e.orelse))
    if isinstance(e, ast.BoolOp):
        return _chain(_SIGNS[type(e.op)], [_read(value) for value in e.values])
    if isinstance(e, ast.Compare):
        sides = [_read(side) for side in (e.left, *e.comparators)]
        return _chain("and", [Operation(_SIGNS[type(o)], a, b) for o, a, b in zip(e.ops, sides, sides[1:])])  # noqa: B905
    assert isinstance(e, ast.Call)
    assert isinstance(e.func, ast.Name)
    return Call(e.func.id, *map(_read, e.args))


def _chain(sign: str, parts: list[Expression]) -> Expression:
    first, *rest = parts
    for part in rest:
        first = Operation(sign, first, part)
    return first
