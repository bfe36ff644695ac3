r"""Objectives and derivatives in LaTeX: read into formulas, which are then checked as others are.

What is claimed for an array may be a whole formula, or its entry: an index of the parameter that is left open, in the
key ``w_j`` or on the left side ``\frac{\partial L}{\partial w_j} =``, is its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from symgd import language as fm
from symgd.checking.problem import dims, split_data
from symgd.checking.result import Check
from symgd.errors import FormulaError, UsageError, safe
from symgd.language.latex import axes_of, free_names, read_latex, read_target
from symgd.records import dataclass

Key = tuple[str, tuple[str, ...]]  # a parameter, and the indices of its entry


@dataclass(frozen=True)
class Written:
    """An objective and derivatives in LaTeX, as formulas.

    Parameters
    ----------
    text : str
        The objective's LaTeX.
    formula : str
        The same as a formula.
    claims : mapping of str to str
        Formulas for derivatives, by parameter, or by ``a,b``.
    texts : mapping of str to str
        Their LaTeX.
    params : mapping of str to shape
        The parameters that were declared or are differentiated by.
    """

    text: str
    formula: str
    claims: Mapping[str, str]
    texts: Mapping[str, str]
    params: Mapping[str, Any]

    def told(self, check: Check) -> Check:
        """Put the LaTeX into a result, beside the formulas that were read from it."""
        verdicts = {
            name: replace(verdict, yours=self.texts[name], read_as=self.claims[name])
            for name, verdict in check.verdicts.items()
        }
        return replace(check, formula=self.text, read_as=self.formula, verdicts=verdicts)

    def located(self, problem: FormulaError) -> FormulaError:
        """Tell a problem of a formula at the LaTeX that it was read from."""
        for text, formula in ((self.text, self.formula), *((self.texts[n], c) for n, c in self.claims.items())):
            if problem.text == formula and text != formula:
                hint = f"it was read as {formula}" + (f"; {problem.hint}" if problem.hint else "")
                return FormulaError(problem.problem, text, 0, len(text), hint)
        return problem


def read(formula: str, claims: Any, data: Any, params: Any, *, count: int = 1, rows: bool = False) -> Written:
    r"""Read an objective and derivatives from LaTeX.

    Parameters
    ----------
    formula : str
        The objective.
    claims : mapping, or str or sequence of str
        LaTeX by parameter (``w``, ``w_j``, ``\theta``; by ``a,b`` with ``count=2``), or equations with
        ``\frac{\partial L}{\partial w_j}`` or ``\nabla_w L`` on the left.
    data : object
        As `check_gradient` takes them.
    params : object
        As `check_gradient` takes them.
    count : int
        By how many parameters one text is a derivative.
    rows : bool
        Whether the objective may have an index of its own, which comes first.

    Returns
    -------
    Written

    Raises
    ------
    FormulaError
        For LaTeX that is not understood, or has two readings.
    UsageError
        If a text says of no parameter that it is the derivative by it, or of two.
    """
    shapes = dict(split_data(data)[0])
    declared = _declared(params)
    keyed = _keyed(claims, {**shapes, **declared}, count)
    names = [name for keys, _ in keyed for name, _ in keys]
    shapes.update({name: declared.get(name) for name in (*declared, *names)})
    # What the objective reads besides is left alone, as of formulas in symgd's own language.
    free = free_names(formula, shapes)
    shapes.update(dict.fromkeys(free, ()))
    texts = [formula, *(text for _, text in keyed)]
    ranks = axes_of(texts, shapes)
    for keys, _ in keyed:
        for name, indices in keys:
            ranks[name] = max(ranks.get(name, 0), len(indices))
    known: dict[str, Any] = {name: ranks[name] if shape is None else shape for name, shape in shapes.items()}
    own = read_target(formula, known, own=True) if rows else ()
    objective = read_latex(formula, known, indices=own[0][1] if own else ())
    found: dict[str, str] = {}
    written: dict[str, str] = {}
    for keys, text in keyed:
        key = ",".join(name for name, _ in keys)
        if key in found:
            raise UsageError(f"two derivatives by '{safe(key)}' are given")
        indices = (*objective.indices, *(i for _, letters in keys for i in letters))
        found[key], written[key] = read_latex(text, known, indices=indices, lengths=objective.lengths).formula, text
    return Written(formula, objective.formula, found, written, {n: s for n, s in declared.items() if s is not None} |
                   {n: None for n in (*declared, *names) if declared.get(n) is None} |
                   dict.fromkeys(free, ()))  # fmt: skip


def _declared(params: Any) -> dict[str, Any]:
    if params is None:
        return {}
    if isinstance(params, Mapping):
        return {fm.check_name(n): None if s is None else dims(s, n) for n, s in params.items()}
    names = params.split(",") if isinstance(params, str) else params
    return {fm.check_name(n.strip()): None for n in names}


def _keyed(claims: Any, shapes: Mapping[str, Any], count: int) -> list[tuple[list[Key], str]]:
    """Give for each text the parameters that it is a derivative by, with their indices."""
    if isinstance(claims, Mapping):
        pairs: Iterable[tuple[Any, Any]] = claims.items()
    elif isinstance(claims, str):
        pairs = [("", claims)]
    elif isinstance(claims, Sequence):
        pairs = [("", text) for text in claims]
    else:
        raise UsageError("derivatives in LaTeX are a mapping of parameters to texts, or equations")
    found = []
    for key, text in pairs:
        if not isinstance(text, str):
            raise UsageError(f"a derivative in LaTeX must be text; got {type(text).__name__}")
        found.append((_agreed(key, text, shapes, count), text))
    if not found:
        raise UsageError("no derivative is given")
    return found


def _agreed(key: Any, text: str, shapes: Mapping[str, Any], count: int) -> list[Key]:
    """Give the parameters of a key and of the left side of its text, which must not disagree."""
    said = read_target(text, shapes)
    given = [_read_key(part, shapes) for part in _parts(key)] if key else []
    if given and said and [name for name, _ in given] != [name for name, _ in said]:
        problem = f"the left side is a derivative by {', '.join(n for n, _ in said)}"
        raise FormulaError(problem, text, 0, text.index("="), f"it is given for '{safe(key)}'")
    keys = [b if b[1] else a for a, b in zip(given, said, strict=True)] if given and said else [*given, *said]
    if len(keys) != count or not all(name for name, _ in keys):
        how = "w} = ..." if count == 1 else r"w \partial b} = ..."
        of = "L" if count == 1 else "^2 L"
        left = rf"\frac{{\partial {of}}}{{\partial {how}"
        raise UsageError(f"by what is {safe(text)}? Give that as its key, or write {left}")
    return keys


def _read_key(text: str, shapes: Mapping[str, Any]) -> Key:
    r"""Read a parameter with its indices: ``w``, ``w_j``, ``W_{ij}``, ``\theta``."""
    name, sign, letters = text.rpartition("_")
    if text.isidentifier():
        entry = sign and text not in shapes and letters.isalpha() and name.isidentifier()
        return (name, tuple(letters)) if entry else (text, ())
    found = read_target(f"{text} = 0", shapes, own=True)
    if not found:
        raise UsageError(f"a derivative is by a parameter, such as 'w', 'w_j' or '\\theta'; got {safe(text)}")
    return found[0]


def _parts(key: Any) -> list[str]:
    """Take a key apart at the commas between parameters, not those between indices."""
    if not isinstance(key, str):
        return [str(part).strip() for part in key]
    parts, depth = [""], 0
    for letter in key:
        depth += (letter in "{(") - (letter in "})")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]
