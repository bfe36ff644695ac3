"""What is said about names that the language does not have, and about calls that do not fit its table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from symgd.errors import FormulaError, safe, suggest
from symgd.language import foreign, functions, pieces
from symgd.language.hints import ATTRIBUTES, METHODS
from symgd.language.tokens import spell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symgd.language.tokens import Token
    from symgd.language.tree import Tree


def unknown_function(text: str, tokens: Sequence[Token], index: int, name: str, *, declared: bool) -> FormulaError:
    """Say what a name in front of a parenthesis may have been meant for."""
    token = tokens[index]
    argument = pieces.brackets(text, tokens, index + 1)
    multiply = f"to multiply, write {safe(token.text)}*{argument}"
    if index and tokens[index - 1].kind == ".":
        multiply = "only functions of the table of functions can be called"
    if declared:
        return pieces.at(text, token, f"{name!r} is a variable, not a function", multiply)
    problem = f"unknown function {safe(token.text)!r}"
    closing = pieces.partner(tokens, index + 1)
    if closing and tokens[closing + 1].kind in ("=", ":="):
        return pieces.at(text, token, problem, f"leave out the left side, '{safe(token.text)}{argument} ='")
    inside = argument[1:-1]
    if name.startswith(("sum_", "mean_")) and not declared:  # as on paper: over the rows i
        return pieces.at(text, token, problem, f"write {name.split('_', 1)[0]}{argument}, with whole columns for y_i")
    known = foreign.replacement(name, inside if re.fullmatch(r"[\w.*+\- ]+", inside) else "x")
    near = None if known else foreign.typo(name)
    return pieces.at(text, token, problem, known or (f"did you mean {near!r}?" if near else multiply))


def other_meaning(text: str, tokens: Sequence[Token], index: int) -> FormulaError:
    """Say that a function of PyTorch is not NumPy's of the same name."""
    name = tokens[index].text
    problem = f"PyTorch's {name!r} divides by n - 1, and NumPy's by n"
    return pieces.at(text, tokens[index], problem, f"write {name}(x, ddof=1), or {name}(x), without 'torch.'")


def unknown_constant(text: str, token: Token) -> FormulaError:
    """Say that a module has no such constant."""
    name = token.text
    near = next((known for known in functions.CONSTANTS if known == name.lower()), None) or foreign.typo(name)
    known = foreign.replacement(name, "x") or (f"did you mean {near!r}?" if near else None)
    hint = known or "leave out the prefix if it is a variable"
    return pieces.at(text, token, f"unknown function or constant {safe(name)!r}", hint)


def argument_count(text: str, row: functions.Function, typed: Token, count: int) -> FormulaError:
    """Say how many arguments a function takes, where `count` were given."""
    if row.most is None:
        takes = f"at least {row.least}"
    else:
        takes = str(row.least) if row.least == row.most else f"{row.least} to {row.most}"
    problem = f"{typed.text!r} takes {takes} argument{'s' * (takes != '1')}; got {count}"
    hint = f"{row.name}: {row.summary}"
    if count > (row.most or 0):
        if row.builtin:
            hint = f"write {row.builtin}(a, b) for the values of several, and axis=0 for an axis"
        elif "keepdims" in row.keywords:
            hint = "write axis=0 for an axis, and keepdims=True by name"
        elif row.name == "log":
            hint = "write log(x)/log(b) for the base b"
        elif re.search(r"\(\s*[0-9]+,[0-9]+\s*\)", text[typed.end : typed.end + 40]):
            hint = "for a decimal number, write a point"
    return pieces.at(text, typed, problem, hint)


def unknown_keyword(text: str, row: functions.Function, token: Token) -> FormulaError:
    """Say which named arguments a function takes."""
    near = suggest(token.text, row.keywords)
    if token.text in foreign.KEYWORDS and (
        row.keywords or row.kind != "map" or token.text in ("out", "dtype", "where")
    ):
        hint = foreign.KEYWORDS[token.text]
    elif near:
        hint = f"did you mean {near!r}?"
    else:
        takes = (
            " and ".join([", ".join(row.keywords[:-1]), row.keywords[-1]][len(row.keywords) < 2 :])
            if row.keywords
            else "no named arguments"
        )
        hint = f"{row.name} takes {takes}; for a comparison, write =="
    return pieces.at(text, token, f"{row.name!r} has no argument {safe(token.text)!r}", hint)


def unknown_attribute(text: str, tokens: Sequence[Token], index: int, value: Tree) -> FormulaError:
    """Say which attributes and methods there are."""
    token = tokens[index]
    name = spell(text, token)
    called = tokens[index + 1].kind == "("
    before = text[value.start : value.end]
    before = safe(before) if len(before) <= 30 and "\n" not in before else "x"
    near = suggest(name, (*ATTRIBUTES, *METHODS))
    if called and name in ATTRIBUTES:
        hint = f"write .{name} without parentheses"
    elif not called and name in METHODS:
        hint = f"write .{name}()"
    elif name in foreign.ATTRIBUTES:
        hint = foreign.ATTRIBUTES[name].replace("{0}", before)
    elif functions.find(name):
        inside = pieces.brackets(text, tokens, index + 1)[1:-1] if called else ""
        first = before[1:-1] if before.startswith("(") and before.find(")") == len(before) - 1 else before
        takes = functions.find(name).most or 9  # type: ignore[union-attr]
        given = [part for part in (first, inside) if part]
        hint = f"write {name}({', '.join(given[-takes:])})"  # F.relu(x) is relu(x)
    elif (known := foreign.replacement(name, before)) is not None:
        hint = known
    elif near:
        hint = f"did you mean {near!r}?"
    else:
        hint = f"there are .{' .'.join(ATTRIBUTES)} and .{'() .'.join(METHODS)}()"
    return pieces.at(text, token, f"unknown attribute {safe(token.text)!r}", hint)
