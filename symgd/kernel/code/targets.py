"""The targets of code that stands alone, and the writer of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symgd.kernel.code.module import Derived
from symgd.kernel.code.planned import Rule

TARGETS = ("numpy", "c", "javascript", "jax", "pytorch")
EMBEDS = ("javascript",)  # those that can hold the data
DESCENDS = ("c", "javascript")  # those that have descents


def module(
    target: str, derived: Derived, formula: str, version: str, rules: Sequence[Rule] = (),
    values: Mapping[str, object] | None = None, rows: Sequence[int] = (),
) -> str:  # fmt: skip
    """Write an objective, and descents on it, as a module that stands alone.

    Parameters
    ----------
    target : str
        One of `TARGETS`.
    derived : Derived
        The objective with its derivatives.
    formula : str
        Its text.
    version : str
        symgd's.
    rules : sequence of Rule
        The descents.
    values : mapping of str to numbers, optional
        Data that the module is to hold, for targets in `EMBEDS`.
    rows : sequence of int
        The lengths of the columns that are known.

    Returns
    -------
    str
    """
    if target == "javascript":
        from symgd.kernel.code.javascript import JavaScript

        written = JavaScript(derived, formula, version, rules, uneven=len(set(rows)) > 1)
        return written.text(values, min(rows, default=0))
    if target == "c":
        from symgd.kernel.code.c import C

        return C(derived, formula, version, rules).text()
    if target in ("jax", "pytorch"):
        from symgd.kernel.code.tensors import Jax, PyTorch

        return (Jax if target == "jax" else PyTorch)(derived, formula, version).text()
    from symgd.kernel.code.standalone import Module

    return Module(derived, formula, version).text()
