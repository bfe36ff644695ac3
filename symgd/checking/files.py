"""Files of derivatives: a model and the formulas that somebody published for its derivatives.

One statement a line, ``name = formula``; ``#`` begins a comment, and a line that begins with blanks goes on with the
one before::

    f = b1*(1 - exp[-b2*x])          # what is differentiated: the first statement
    data x                           # what is data; everything else is a parameter
    shape X = n x k                  # where there are arrays
    where y is 0 or 1
    df/db1 = 1 - exp[-b2*x]          # or: d/db1, or b1 alone
    d2f/db1db2 = x*exp[-b2*x]        # or: d2/db1 db2, or b1,b2

A file that ends in ``.json`` or ``.toml`` has the same under the keys ``formula``, ``data``, ``params``, ``where``,
``gradient`` and ``hessian`` (with keys such as ``"b1,b2"``), or a list of such under ``checks``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from symgd.checking.result import Check
from symgd.checking.spelling import plain
from symgd.errors import DataError, UsageError, safe, shown

LARGEST = 10_000_000  # characters
_NAME = r"[^\W\d]\w*"
_FIRST = re.compile(rf"(?:d\s*\w*\s*/\s*d\s*|∂\s*\w*\s*/\s*∂\s*)({_NAME})")
_SECOND = re.compile(rf"(?:d\^?2|∂2|∂²|d²)\s*\w*\s*/\s*[d∂]\s*({_NAME}?)(?:\^?2|²|\*\*2|\s*\*?\s*[d∂]\s*({_NAME}))")


def check_file(path: str | os.PathLike[str], *, explain: bool = True) -> list[Check]:
    r"""Check a file of derivatives.

    Parameters
    ----------
    path : str or PathLike
        Text as this module describes it, JSON or TOML.
    explain : bool
        Whether to look for causes and counterexamples.

    Returns
    -------
    list of Check
        One for the gradient or Jacobian and one for the Hessian, of each formula in the file.

    Raises
    ------
    DataError
        If the file cannot be read, or holds something else.
    FormulaError
        If a text in it is no formula.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "misra.txt"
    >>> _ = file.write_text("f = b1*(1 - exp[-b2*x])\ndata x\ndf/db1 = 1 - exp[-b2*x]\n")
    >>> [found.ok for found in check_file(file)]
    [True]
    """
    if not isinstance(path, str | os.PathLike):
        raise UsageError(f"path={shown(path)} must be the name of a file")
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as problem:
        reason = safe(str(getattr(problem, "strerror", problem)))
        raise DataError(f"{safe(str(path), 200)} cannot be read: {reason}") from None
    if len(text) > LARGEST:
        raise DataError(f"{safe(str(path))} is too long for a file of derivatives")
    try:
        if file.suffix == ".json":
            given = json.loads(text)
        elif file.suffix == ".toml":
            import tomllib

            given = tomllib.loads(text)
        else:
            given = _statements(text, str(path))
    except ValueError as problem:
        if isinstance(problem, DataError):
            raise
        raise DataError(f"{safe(str(path))}: {problem}") from None
    listed = given if isinstance(given, list) else given.get("checks", [given])
    return [found for one in listed for found in _check(one, str(path), explain=explain)]


def _check(given: Any, path: str, *, explain: bool) -> list[Check]:
    from symgd.checking import check_gradient, check_hessian, check_jacobian

    if not isinstance(given, Mapping) or not isinstance(given.get("formula"), str):
        raise DataError(f"{safe(path)} needs a formula: 'f = ...' in text, the key 'formula' in JSON and TOML")
    known = {"formula", "data", "params", "where", "gradient", "jacobian", "hessian", "name", "source"}
    odd = sorted(set(given) - known)
    if odd:
        raise DataError(f"{safe(path)} has '{safe(odd[0])}'; the keys are {', '.join(sorted(known))}")
    more = {"params": given.get("params"), "where": given.get("where", ()), "explain": explain}
    formula, data = given["formula"], given.get("data")
    found = []
    first = given.get("gradient") or given.get("jacobian")
    if first:
        found.append(_first(formula, first, data, more, check_gradient, check_jacobian))
    if given.get("hessian"):
        found.append(_second(formula, given["hessian"], data, more, check_hessian))
    if not found:
        raise DataError(
            f"{safe(path)} has no derivatives: 'df/dx = ...' in text, 'gradient' or 'hessian' in JSON, TOML"
        )
    return found


def _first(formula: str, first: Any, data: Any, more: Any, gradient: Any, jacobian: Any) -> Check:
    check = jacobian if data is not None and _per_row(formula, data, more) else gradient
    found: Check = check(formula, first, data, **more)
    return found


def _second(formula: str, second: Any, data: Any, more: Any, hessian: Any) -> Check:
    # One value a row: the derivatives at a row are those for a single number.
    if data is not None and _per_row(formula, data, more):
        names = list(data)
        data = dict.fromkeys(names, "")
    return hessian(formula, second, data, **more)  # type: ignore[no-any-return]


def _per_row(formula: str, data: Any, more: Any) -> bool:
    from symgd.checking import problem as problems
    from symgd.errors import SymgdError

    try:
        made = problems.make(plain(formula), {}, data, more["params"], (), rank="rows")
        return bool([a for a in made.reading(0).value.axes if a])
    except SymgdError:
        return False


def _statements(text: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = {"gradient": {}, "hessian": {}, "where": []}
    data: dict[str, Any] = {}
    params: dict[str, Any] = {}
    shapes: dict[str, str] = {}
    for number, line in _joined(text):
        word, _, rest = line.partition(" ")
        if word in ("data", "params", "parameters") and "=" not in line:
            names = [n for n in re.split(r"[,\s]+", rest.strip()) if n]
            (data if word == "data" else params).update(dict.fromkeys(names))
        elif word == "where" and "=" not in word:
            found["where"].append(rest.strip())
        elif word == "shape":
            name, _, shape = rest.partition("=")
            shapes[name.strip()] = shape.strip()
        elif "=" in line:
            _statement(line, number, path, found)
        else:
            raise DataError(f"{safe(path)}, line {number}: {safe(line)!r} is no statement; write name = formula")
    for name, shape in shapes.items():
        (data if name in data else params)[name] = shape
    found["data"], found["params"] = data or None, params or None
    if not found["hessian"]:
        del found["hessian"]
    return found


def _joined(text: str) -> list[tuple[int, str]]:
    lines: list[tuple[int, str]] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.split("#", 1)[0].rstrip()
        if not line.strip():
            continue
        if raw[:1] in " \t" and lines:
            lines[-1] = (lines[-1][0], f"{lines[-1][1]} {line.strip()}")
        else:
            lines.append((number, line.strip()))
    return lines


def _statement(line: str, number: int, path: str, found: dict[str, Any]) -> None:
    left, _, right = (part.strip() for part in line.partition("="))
    right = right.rstrip(";")
    if not right:
        raise DataError(f"{safe(path)}, line {number}: nothing stands behind '='")
    if "formula" not in found:
        found["formula"] = right
        return
    second, first = _SECOND.fullmatch(left), _FIRST.fullmatch(left)
    pair = left.split(",")
    if second:
        a = second[1]
        found["hessian"][f"{a},{second[2] or a}"] = right
    elif first:
        found["gradient"][first[1]] = right
    elif len(pair) == 2:
        found["hessian"][left.replace(" ", "")] = right
    elif re.fullmatch(_NAME, left):
        found["gradient"][left] = right
    else:
        raise DataError(f"{safe(path)}, line {number}: {safe(left)!r} names no derivative; write df/dx or d2f/dxdy")


__all__ = ["UsageError", "check_file"]
