"""What to say about a text that is not a formula: the problem, the place, and what to write instead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from symgd.errors import FormulaError, safe
from symgd.language import functions, pieces
from symgd.language.tokens import character

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symgd.language.tokens import Token

ATTRIBUTES = ("T", "shape", "size", "ndim")
METHODS = ("sum", "mean", "min", "max", "dot", "var", "std", "clip", "round", "trace", "diagonal", "transpose", "prod",
           "cumsum")  # fmt: skip
DISPLAYS = "tuples and lists are only arguments of functions, as in sum(x, axis=(0, 1))"

_ASSIGNMENTS = frozenset({"=", "+=", "-=", "*=", "/=", "**=", "//=", "%=", "^=", "@=", "&=", "|="})

_OPERATORS = {
    "=": "for a comparison, write ==",
    "===": "write ==",
    "!==": "write !=",
    "<>": "write !=",
    "~=": "write !=",
    "=>": "write >=",
    "=<": "write <=",
    "&&": "write & and put parentheses around the comparisons: (x > 0) & (y > 0)",
    "||": "write | and put parentheses around the comparisons: (x > 0) | (y > 0)",
    "<<": "write x*2**n",
    ">>": "write x//2**n",
    "->": "write only the expression on the right",
    ":=": "leave out the left side; a formula assigns nothing",
    ";": "a formula is one expression; leave out the ';'",
    ":": "a ':' belongs inside an index, as in x[1:]",
    "...": "'...' belongs inside an index, as in x[..., 0]; write a sum out, or as sum(x) over an array",
    "~": "write only the right side of '~', with its parameters, such as a + b*x",
    "!": "write gamma(x + 1) for a factorial, not x for a negation, != for 'not equal'",
    ".": "a '.' stands in a number, or before T, shape, size, ndim or a method",
}  # fmt: skip

_KEYWORDS = {
    "if": "write where(condition, x, y) for 'x if condition else y'",
    "else": "write where(condition, x, y) for 'x if condition else y'",
    "elif": "write where(condition, x, y)",
    "for": "write sums over whole arrays: sum(x**2)",
    "in": "write comparisons: (x >= a) & (x <= b)",
    "is": "write ==",
    "return": "write only the expression that is returned",
    "def": "write only the expression that is returned",
    "True": "True and False are only values of named arguments, as in keepdims=True",
    "False": "True and False are only values of named arguments, as in keepdims=True",
    "None": "None is only an index, as in x[:, None], or a value as in axis=None; for clip write maximum or minimum",
}


def expected_operand(text: str, tokens: Sequence[Token], index: int) -> FormulaError:
    """Say what is wrong where a number, a name or a bracket had to begin."""
    token = tokens[index]
    before = tokens[index - 1] if index else None
    if token.kind == "bad":
        return character(text, token.start)
    if token.kind == "keyword":
        return _keyword(text, tokens, index)
    if token.kind in ("|", "||"):
        name = "abs" if token.kind == "|" else "norm"
        return pieces.at(text, token, f"bars are not read as {name}", f"write {name}(x)")
    if token.kind in ("*", "**") and before and before.kind in ("(", ","):
        return pieces.at(text, token, f"{token.kind!r} has nothing on its left", "write the arguments one by one")
    opening = pieces.enclosing(tokens, index)
    if token.kind in ("end", ";", ")", "]"):
        if token.kind in (")", "]") and opening is None:
            return pieces.at(text, token, f"unmatched {token.kind!r}", "leave it out, or open it before")
        if token.kind == "end" and opening and before and before.kind in ("(", "[", ","):
            return _unclosed(text, opening)
        if before and before.kind not in ("(", "[", ";"):
            return pieces.at(text, before, f"nothing to the right of {before.text!r}", "write what belongs there")
        return pieces.at(text, token, "an expression is missing", _OPERATORS.get(token.kind))
    if token.kind == "[":
        return pieces.at(text, token, "a list cannot stand here", DISPLAYS)
    if token.kind == "!":
        return pieces.at(text, token, "'!' is no operator", "write not x")
    if token.kind == "=" and before is None:
        return pieces.at(text, token, "unexpected '='", "leave it out")
    if token.kind in _OPERATORS:
        return pieces.at(text, token, f"unexpected {token.kind!r}", _OPERATORS[token.kind])
    hint = "two operators in a row: leave one out" if before else "write what belongs there, or leave it out"
    if token.kind == "*" and before and before.kind == "*":
        hint = "write ** without a space"
    return pieces.at(text, token, f"{token.text!r} has nothing on its left", hint)


def expected_operator(text: str, tokens: Sequence[Token], index: int) -> FormulaError:
    """Say what is wrong where an operator, a closing bracket or the end had to come."""
    token, before = tokens[index], tokens[index - 1]
    opening = pieces.enclosing(tokens, index)
    if token.kind == "bad":
        if token.text == "'" and token.start == before.end:
            return pieces.at(
                text, token, 'unexpected "\'"', "write .T for a transpose; derivatives are symgd's own work"
            )
        return character(text, token.start)
    if token.kind in ("keyword", "not"):
        return _keyword(text, tokens, index)
    if token.kind in ("end", ";") and opening:
        return _unclosed(text, opening)
    if token.kind in (")", "]"):
        if opening:
            return pieces.at(text, token, f"{token.kind!r} closes {opening.kind!r}", "use brackets in pairs")
        return pieces.at(text, token, f"unmatched {token.kind!r}", "leave it out, or open it before")
    if token.kind in ("name", "number", "("):
        return _side_by_side(text, tokens, index)
    if token.kind == ",":
        return _comma(text, tokens, index, opening)
    if token.kind == "=" and opening is None:
        return _second_side(text, tokens, index)
    if token.kind == "!":
        left = pieces.piece(text, tokens, index - 1)
        return pieces.at(text, token, "'!' is no operator", f"write gamma({left} + 1) for a factorial")
    if token.kind in _ASSIGNMENTS - {"="}:
        return pieces.at(
            text, token, f"unexpected {token.kind!r}", "leave out the left side; a formula assigns nothing"
        )
    return pieces.at(text, token, f"unexpected {token.text!r}", _OPERATORS.get(token.kind))


def expected_name(text: str, tokens: Sequence[Token], index: int) -> FormulaError:
    """Say that a '.' is followed by no name."""
    if tokens[index].kind == "bad":
        return character(text, tokens[index].start)
    elementwise = tokens[index].kind in ("*", "/", "^", "**")  # as other languages write it
    hint = f"write {tokens[index].kind} without the '.'" if elementwise else _OPERATORS["."]
    return pieces.at(text, tokens[index - 1], "no name follows the '.'", hint)


def not_a_statement(text: str, tokens: Sequence[Token], index: int) -> FormulaError:
    """Say what is wrong with a statement that does not begin with ``name =``."""
    token, following = tokens[index], tokens[min(index + 1, len(tokens) - 1)]
    if token.kind == "keyword":
        return _keyword(text, tokens, index)
    for piece in (token, following):
        if piece.kind == "bad":
            return character(text, piece.start)
    if token.kind == "name" and following.kind == "==":
        return pieces.at(text, following, "'==' compares", "write = to assign")
    if token.kind == "name" and following.kind.endswith("=") and following.kind not in ("<=", ">=", "!="):
        return pieces.at(text, following, f"unexpected {following.kind!r}", "write the assignment out: x = x**2")
    return pieces.at(text, token, "a statement assigns to one name", "write it as name = formula, such as x = x - lr*g")


def not_a_name(name: str, tokens: Sequence[Token]) -> FormulaError:
    """Say why a text is not the name of a parameter or of data."""
    for token in tokens[:2]:
        if token.kind == "bad":
            return character(name, token.start)
    first = tokens[0]
    if first.kind == "keyword":
        return _keyword(name, tokens, 0)
    problem = f"'{safe(name, 30)}' is not a name" if name else "the name is empty"
    hint = "a name is made of letters, digits and _, and does not begin with a digit"
    if first.kind == "name" and first.start == 0:
        return FormulaError(problem, name, first.end, first.end + 1, hint)
    return FormulaError(problem, name, 0, max(first.end, 1), hint)


def uncalled(text: str, tokens: Sequence[Token], index: int) -> FormulaError:
    """Say how a function is called that stands without parentheses."""
    token = tokens[index]
    after = [*tokens[index + 1 : index + 5], *[tokens[-1]] * 4]
    if after[0].kind == "bad":
        return character(text, after[0].start)
    name = token.text
    if after[0].kind in ("^", "**") and after[1].kind == "number" and after[2].kind == "(":
        argument = pieces.brackets(text, tokens, index + 3)
        hint = f"write {name}{argument}**{after[1].text}"
    elif after[0].kind in ("^", "**") and after[1].kind == "-" and after[2].text == "1" and after[3].kind == "(":
        argument = pieces.brackets(text, tokens, index + 4)
        inverse = f"arc{name}{argument} or " if functions.find(f"arc{name}") else ""
        hint = f"write {inverse}1/{name}{argument}"
    elif after[0].kind in ("name", "number"):
        hint = f"write {name}({after[0].text})"
    elif after[0].kind == "*" and after[1].kind in ("name", "number"):
        hint = f"write {name}({after[1].text})"
    else:
        hint = f"write {name}(...); a variable of that name must be declared"
    return pieces.at(text, token, f"the function {safe(name)!r} has no arguments", safe(hint, 100))


def _unclosed(text: str, opening: Token) -> FormulaError:
    closing = ")" if opening.kind == "(" else "]"
    return pieces.at(text, opening, f"{opening.kind!r} is never closed", f"add the missing {closing!r}")


def _keyword(text: str, tokens: Sequence[Token], index: int) -> FormulaError:
    token, word = tokens[index], tokens[index].text
    problem = f"unexpected {word!r}"
    if word == "lambda":
        colon = next((piece for piece in tokens[index : index + 20] if piece.kind == ":"), None)
        left = safe(text[token.start : colon.end], 30) if colon else ""
        hint = f"leave out '{left}'" if colon else "write lambda_ for a variable"
        return pieces.at(text, token, problem, hint)
    if word == "not":
        return pieces.at(text, token, problem, _KEYWORDS["in"])
    default = f"it is a word of Python; a variable may be called {word + '_'!r}"
    return pieces.at(text, token, problem, _KEYWORDS.get(word, default))


def _second_side(text: str, tokens: Sequence[Token], index: int) -> FormulaError:
    """Say what to do about a '=' behind an expression."""
    begin = next((place + 1 for place in range(index - 1, -1, -1) if tokens[place].kind == ";"), 0)
    if any(token.kind in _ASSIGNMENTS for token in tokens[begin:index]):
        return pieces.at(text, tokens[index], "a second '='", "assign once in a statement; for a comparison, write ==")
    left = safe(text[tokens[begin].start : tokens[index].end], 24)
    return pieces.at(
        text, tokens[index], "a formula has no left side", f"leave out '{left}'; for a comparison, write =="
    )


def _comma(text: str, tokens: Sequence[Token], index: int, opening: Token | None) -> FormulaError:
    token, before, after = tokens[index], tokens[index - 1], tokens[index + 1]
    if before.kind == after.kind == "number" and (before.end, token.end) == (token.start, after.start):
        hint = f"for a decimal number, write {safe(before.text, 20)}.{safe(after.text, 20)}"
    elif opening:
        hint = DISPLAYS
    else:
        hint = "a formula is one expression"
    return pieces.at(text, token, "unexpected ','", hint)


def _side_by_side(text: str, tokens: Sequence[Token], index: int) -> FormulaError:
    """Say what is missing between two operands."""
    before, token = tokens[index - 1], tokens[index]
    left, right = pieces.piece(text, tokens, index - 1), pieces.piece(text, tokens, index)
    if before.kind == "number" and token.start == before.end:
        if before.text == "0" and re.match(r"[xXoObB][0-9a-fA-F]", token.text):
            return FormulaError("numbers are decimal", text, before.start, token.end, "write it in base ten")
        if token.text in ("j", "J"):
            return pieces.at(
                text, token, "numbers are real", f"leave out the {token.text!r}, or write {left}*{token.text}"
            )
        if token.kind == "number":
            return pieces.at(text, token, "a number has one decimal point", f"write {left} or an operator in between")
        if token.text in ("e", "E"):
            return pieces.at(text, token, "no digits follow the exponent", f"write {left}e0, or {left}*{token.text}")
    if before.kind == token.kind == "number":
        return pieces.at(
            text, token, "two numbers side by side", f"write {safe(left + right)}, or an operator in between"
        )
    return pieces.at(text, token, f"no operator before {safe(token.text)!r}", f"to multiply, write {left}*{right}")
