"""An assertion for tests of hand-derived gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def assert_gradient(
    formula: str, gradient: Any, data: Any = None, *, params: Any = None, where: str | Sequence[str] = (),
    proved: bool = False, latex: bool = False,
) -> None:  # fmt: skip
    """Fail where a gradient is wrong, with the whole report.

    Parameters
    ----------
    formula : str
        The objective.
    gradient : mapping or callable
        As for `symgd.check_gradient`.
    data : object, optional
        Likewise.
    params : object, optional
        Likewise.
    where : str or sequence of str
        Likewise.
    proved : bool
        Whether anything but a proof (under the conditions in ``where``) fails too.
    latex : bool
        Whether objective and derivatives are LaTeX.

    Raises
    ------
    AssertionError
        If a derivative is wrong; its message is the report, with cause, repair and counterexample.

    Examples
    --------
    >>> assert_gradient("sum((y - X @ w)**2)", {"w": "2*X.T @ (X @ w - y)"}, data=("X", "y"))
    """
    __tracebackhide__ = True  # pytest shows the caller
    from symgd.checking import check_gradient

    found = check_gradient(formula, gradient, data, params=params, where=where, latex=latex)
    good = all(v.kind in ("proved", "right where") for v in found.values()) if proved else found.ok
    if not good:
        raise AssertionError("\n" + str(found))
