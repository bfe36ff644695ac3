"""The text of what statements of NumPy call besides NumPy, for modules that stand alone: read from its own source."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable
from functools import cache
from types import ModuleType

from symgd.graph import elimination
from symgd.kernel import blocks
from symgd.kernel.code.forms import PREFIX
from symgd.language import quotients, scalar, vectors
from symgd.language.functions import FUNCTIONS

SOURCES: tuple[ModuleType, ...] = (blocks, elimination, quotients, scalar, vectors)
_FROM_MATH = ("inf", "nan")


def texts(calls: Iterable[str]) -> list[str]:
    """Give the definitions of functions, and of what they call, each before its first use at import.

    Parameters
    ----------
    calls : iterable of str
        Their names: of `symgd.kernel.blocks`, or of the table behind `PREFIX`.

    Returns
    -------
    list of str
        Imports first.
    """
    found: dict[str, str] = {}
    for call in sorted(calls):
        name = call.removeprefix(PREFIX)
        if call == name:
            _collect(call, found)
        elif name in vectors.OWN:
            _define(call, own(name), found)
        else:
            _define(call, _written(call, name), found)
    names = {n.id for text in found.values() for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)}
    imports = ["import math"] if "math" in names else []
    constants = [name for name in _FROM_MATH if name in names]
    if constants:
        imports.append(f"from math import {', '.join(constants)}")
    return ["\n".join(imports)] * bool(imports) + list(found.values())


def _written(call: str, name: str) -> ast.stmt:
    """Give a function of the table on arrays: by its row's text, or number by number."""
    row = FUNCTIONS[name]
    arguments = ", ".join("abc"[: row.most])
    text = row.numpy
    if not vectors.is_whole(name):
        each = row.code.format(*"abc") or f"{name}({arguments})"
        text = f"np.asarray(np.frompyfunc(lambda {arguments}: {each}, {row.most}, 1)({arguments}), dtype=float)"
    (statement,) = ast.parse(f"def {call}({arguments}):\n    return {text}").body
    return statement


def own(name: str) -> ast.stmt:
    """Give a function that `symgd.language.vectors` spells out, under the name that statements have for it."""
    statement = _definitions()[vectors.OWN[name].__name__]
    assert isinstance(statement, ast.FunctionDef)
    return ast.FunctionDef(**{f: getattr(statement, f) for f in statement._fields} | {"name": PREFIX + name})


def _collect(name: str, found: dict[str, str]) -> None:
    if name not in found and name in _definitions():
        _define(name, _definitions()[name], found)


def _define(name: str, statement: ast.stmt, found: dict[str, str]) -> None:
    """Add a definition behind those of what it calls."""
    if isinstance(statement, ast.FunctionDef):
        found[name] = ""  # what calls itself is not looked for again
    for other in _names(statement):
        if other != name:
            _collect(other, found)
    found.pop(name, None)
    found[name] = ast.unparse(ast.fix_missing_locations(statement))


def _names(statement: ast.stmt) -> list[str]:
    """Give the names that a definition reads, and does not bind itself."""
    nodes = list(ast.walk(statement))
    bound = {n.arg for n in nodes if isinstance(n, ast.arg)}
    bound |= {n.id for n in nodes if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    return [n.id for n in nodes if isinstance(n, ast.Name) and n.id not in bound]


@cache
def _definitions() -> dict[str, ast.stmt]:
    """Give what the sources define, by name, without annotations, which need more imports, and without examples."""
    found: dict[str, ast.stmt] = {}
    for module in SOURCES:
        for statement in ast.parse(inspect.getsource(module)).body:
            if isinstance(statement, ast.FunctionDef):
                statement.decorator_list = []
                _bare(statement)
                found[statement.name] = statement
            elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                found[statement.targets[0].id] = statement
    return found


def _bare(function: ast.FunctionDef) -> None:
    for inner in ast.walk(function):
        if isinstance(inner, ast.FunctionDef):
            inner.returns = None
            for argument in inner.args.args:
                argument.annotation = None
    for place, statement in enumerate(function.body):
        if isinstance(statement, ast.AnnAssign) and statement.value is not None:
            function.body[place] = ast.Assign([statement.target], statement.value)
    summary = ast.get_docstring(function)
    if summary:
        function.body[0] = ast.Expr(ast.Constant(summary.partition("\n")[0]))
