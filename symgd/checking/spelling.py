"""Spellings that leave no doubt: brackets of calls, capitals of functions, signs that a keyboard lacks.

The text keeps its length wherever it can, so that a caret in a message points at what was typed.
"""

from __future__ import annotations

import re

from symgd.language.functions import find

_CALL = re.compile(r"([A-Za-z][A-Za-z0-9_]*)(\s*)([\[(])")
_OWN = {"Abs": "abs", "Ln": "log", "Exp": "exp", "Sqrt": "sqrt", "ArcTan": "arctan", "Power": "power"}
_SIGNS = str.maketrans({"−": "-", "–": "-", "·": "*", "×": "*", "⋅": "*", "∗": "*", "÷": "/", "［": "[", "］": "]"})


def plain(text: str) -> str:
    """Write a formula as the language has it: ``Exp[-b2*x]`` is ``exp(-b2*x)``.

    Only a bracket behind the name of a function is a call, and only a name that no formula has otherwise loses its
    capital.

    Parameters
    ----------
    text : str
        What was typed or pasted.

    Returns
    -------
    str

    Examples
    --------
    >>> plain("b1*(1 − Exp[-b2*x])")
    'b1*(1 - exp(-b2*x))'
    """
    if not isinstance(text, str):
        return text
    text = text.translate(_SIGNS)
    out = list(text)
    for found in _CALL.finditer(text):
        name = found[1]
        function = name if find(name) else _OWN.get(name) or (name.lower() if _capital(name) else "")
        if not function or (find(name) is None and find(function) is None):
            continue
        if len(function) == len(name):
            out[found.start(1) : found.end(1)] = list(function)
        if found[3] == "[":
            close = _closing(text, found.end(3) - 1)
            if close is not None:
                out[found.end(3) - 1], out[close] = "(", ")"
    return "".join(out)


def _capital(name: str) -> bool:
    return name[:1].isupper() and find(name.lower()) is not None and len(name) > 1


def _closing(text: str, start: int) -> int | None:
    """Give the place of the bracket that closes one."""
    depth = 0
    for place in range(start, len(text)):
        if text[place] in "([":
            depth += 1
        elif text[place] in ")]":
            depth -= 1
            if not depth:
                return place if text[place] == "]" else None
    return None
