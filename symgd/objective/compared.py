"""The model inside of an objective of squares: what a column of the data is compared with."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from symgd import language as fm

if TYPE_CHECKING:
    from symgd.objective import Objective


class Compared(NamedTuple):
    """A column and the model that is to give it, as text and as tree."""

    target: str
    text: str
    tree: fm.Tree


def compared(objective: Objective) -> Compared | None:
    """Find the square of a column less a model, which has parameters.

    Parameters
    ----------
    objective : Objective
        The objective.

    Returns
    -------
    Compared or None
        ``None`` where there is no such square.

    Examples
    --------
    >>> import symgd
    >>> f = symgd.Objective("mean((y - (w*x + b))**2)", {"x": [1.0, 2.0], "y": [1.0, 3.0]})
    >>> compared(f)[:2]
    ('y', 'w*x + b')
    """
    columns = set(objective.columns) & set(objective.data)
    for tree in fm.walk(objective.tree):
        if not (isinstance(tree, fm.Power) and isinstance(tree.base, fm.Sum)):
            continue
        if isinstance(tree.exponent, fm.Number) and tree.exponent.value == Fraction(2):
            found = _parted(objective.text, tree.base, columns)
            if found is not None and set(fm.names(found.tree)) & set(objective.model.shapes):
                return found
    return None


def _parted(text: str, residual: fm.Sum, columns: set[str]) -> Compared | None:
    """Take a sum apart into a column that stands alone, and what it is compared with."""
    terms = [_unsigned(arg, sign) for arg, sign in zip(residual.args, residual.signs, strict=True)]
    for place, (arg, sign) in enumerate(terms):
        if not (isinstance(arg, fm.Name) and arg.name in columns):
            continue
        rest = [(other, -sign * its) for k, (other, its) in enumerate(terms) if k != place]
        first, its = rest[0]
        if len(rest) == 1 and its > 0:
            return Compared(arg.name, _bare(text[first.start : first.end]), first)
        spelt = "".join(f" {'+' if s > 0 else '-'} {_bare(text[a.start : a.end])}" for a, s in rest)
        head = first if its > 0 else fm.Unary("-", first, start=first.start, end=first.end)
        tree = fm.Sum((head, *(a for a, _ in rest[1:])), (1, *(s for _, s in rest[1:]))) if rest[1:] else head
        return Compared(arg.name, spelt.removeprefix(" + ").strip(), tree)
    return None


def _unsigned(arg: fm.Tree, sign: int) -> tuple[fm.Tree, int]:
    """Give a term without the minus before it, and its sign."""
    return (arg.arg, -sign) if isinstance(arg, fm.Unary) and arg.op == "-" else (arg, sign)


def _bare(text: str) -> str:
    """Leave out parentheses around the whole."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and place < len(text) - 1:
            return text
    return text[1:-1]
