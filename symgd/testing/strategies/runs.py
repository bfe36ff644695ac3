"""Starts and learning rates."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from symgd.checks import is_number
from symgd.errors import UsageError, shown
from symgd.testing.classes import Known
from symgd.testing.strategies.draws import THREE, Vector, draw_random, draw_whole


def starts(of: Known | int, *, away: bool = True) -> SearchStrategy[Vector]:
    """Draw starts: whole steps from the minimizer, near and far.

    Parameters
    ----------
    of : Known or int
        The objective, or the number of parameters, for starts around 0.
    away : bool
        Whether the minimizer itself is left out.

    Returns
    -------
    SearchStrategy of array of shape (n,)

    Raises
    ------
    UsageError
        If there is no parameter.
    """
    if not isinstance(of, Known) and not (is_number(of) and of >= 1):
        raise UsageError(f"of={shown(of)} must be an objective of symgd.testing, or a whole number of at least 1")
    n, centre = (of.n, of.minimizer) if isinstance(of, Known) else (int(of), np.zeros(int(of)))
    return _offsets(n, away).map(lambda offset: centre + offset)


@lru_cache(maxsize=1024)
def _offsets(n: int, away: bool) -> SearchStrategy[Vector]:  # noqa: FBT001 - private
    @st.composite
    def draws(draw: DrawFn) -> Vector:
        kind, offset = draw(THREE), draw_whole(draw, n, -9, 9).astype(float)
        if kind == 2:
            random = draw_random(draw)
            return random.normal(size=n) * 10 ** random.uniform(-3, 3)
        if away and not offset.any():
            offset[0] = 1.0
        return offset

    return draws()


_shares = st.sampled_from([1.0, 0.5, 0.25, 0.75, 0.1, 0.9, 0.01]) | st.floats(1e-3, 1.0, allow_subnormal=False)


def shares() -> SearchStrategy[float]:
    """Draw shares of what is largest: all of it first, then simple fractions, then any."""
    return _shares


def learning_rates(of: Known | float, *, method: str | Any = "gd", stable: bool = True) -> SearchStrategy[float]:
    """Draw learning rates: shares of the largest stable one, up to 0.99 of it, or up to four times it.

    Parameters
    ----------
    of : Known or float
        The objective, or its largest curvature L, positive.
    method : str or Rule
        A linear rule of the table, or one's own.
    stable : bool
        Whether the rule must be stable for curvatures from 0 to L.

    Returns
    -------
    SearchStrategy of float

    Raises
    ------
    UsageError
        If L is not positive and finite, or the rule has no largest stable learning rate.

    Examples
    --------
    >>> from hypothesis import find
    >>> 0.1 < find(learning_rates(4.0), lambda lr: lr > 0.1) < 2 / 4.0
    True
    """
    from symgd.rules import find_rule

    largest = of.L if isinstance(of, Known) else float(of)
    if not (0 < largest < math.inf):
        raise UsageError(f"L={shown(largest)} must be positive and finite")
    rule = find_rule(method)
    limit = rule.theory(largest=largest).stable_lr
    if limit is None or not 0 < limit < math.inf:
        raise UsageError(f"{rule.name or 'this rule'} has no largest stable learning rate; draw them by hand")
    fractions = [0.5, 0.25, 0.75, 0.9, 0.1, 0.01] + ([] if stable else [1.0, 1.01, 2.0])
    share = st.sampled_from(fractions) | st.floats(1e-3, 0.99 if stable else 4.0, allow_subnormal=False)
    return share.map(lambda s: s * limit)
