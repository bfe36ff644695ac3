"""Laws for optimizers: a table of claims, each with its source, its assumptions, and a check."""

from __future__ import annotations

from symgd.errors import UnknownNameError
from symgd.testing.laws import adaptive, descent, gradient_descent, gradients, momentum, optimal, same, symmetry, theory
from symgd.testing.laws.case import Answer, Case, Reason, Verdict
from symgd.testing.laws.kinds import Rate, Stepwise
from symgd.testing.laws.law import Law
from symgd.testing.laws.search import check

_FAMILIES = (gradient_descent, momentum, optimal, adaptive, descent, symmetry, theory, same, gradients)
LAWS: dict[str, Law] = {law.name: law for family in _FAMILIES for law in family.LAWS}

__all__ = ["LAWS", "Answer", "Case", "Law", "Rate", "Reason", "Stepwise", "Verdict", "check", "find_law", "laws_of"]


def find_law(name: str | Law) -> Law:
    """Give the law of a name.

    Parameters
    ----------
    name : str or Law
        A name of the table, or a law, which is given back.

    Returns
    -------
    Law

    Raises
    ------
    UnknownNameError
        If there is no such law.

    Examples
    --------
    >>> find_law("gd-convex").claim
    'f(xn) - f* <= L R2/(4 n L lr + 2)'
    """
    if isinstance(name, Law):
        return name
    if name not in LAWS:
        raise UnknownNameError(name, LAWS, "the table of laws")
    return LAWS[name]


def laws_of(method: str | None) -> list[Law]:
    """Give the laws that are about a method: those published for it, and those for any optimizer; none that are false.

    Parameters
    ----------
    method : str or None
        A row of the table of rules, or a method; ``None`` for one that claims to be none of them.

    Returns
    -------
    list of Law
    """
    about = (law for law in LAWS.values() if not law.false and method not in law.lacking)
    return [law for law in about if not law.methods or method in law.methods]
