"""Settings at a step: numbers, and formulas of t."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from symgd import language as fm
from symgd.checking.trees import Values
from symgd.testing.protocol import Setting


@lru_cache(maxsize=256)
def _parsed(text: str) -> fm.Tree:
    return fm.parse(text, declared=("t",))


def number_at(value: Setting, t: int) -> float:
    """Give a setting's number at a step.

    Parameters
    ----------
    value : float or str
        A number, or a formula of t.
    t : int
        The step's number, from 1.

    Returns
    -------
    float

    Examples
    --------
    >>> number_at("1/(1 + t)", 3)
    0.25
    """
    return float(Values({"t": float(t)}).of(_parsed(value))) if isinstance(value, str) else float(value)


def numbers_at(settings: Mapping[str, Setting], t: int) -> dict[str, float]:
    """Give all of them.

    Parameters
    ----------
    settings : mapping
        Numbers and formulas of t.
    t : int
        The step's number, from 1.

    Returns
    -------
    dict of str to float
    """
    return {key: number_at(value, t) for key, value in settings.items()}
