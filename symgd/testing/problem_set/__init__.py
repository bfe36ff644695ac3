"""Formulas whose minima are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from symgd.errors import UsageError, shown, suggest
from symgd.testing.problem_set.record import TAGS, Problem

__all__ = ["TAGS", "Problem", "Problems", "problems"]


class Problems(Mapping[str, Problem]):
    """Problems by name, read at their first use.

    Examples
    --------
    >>> problems["beale"].minimum
    0.0
    >>> len(problems.select(tag="kink")) < len(problems)
    True
    """

    @cached_property
    def _all(self) -> dict[str, Problem]:
        from symgd.testing.problem_set import chained, classics, fits, more, several

        families = (more, classics, chained, fits, several)
        return {problem.name: problem for family in families for problem in family.PROBLEMS}

    def __getitem__(self, name: str) -> Problem:
        if name not in self._all:
            raise UsageError(f"there is no problem {shown(name)}{suggest(name, self._all)}")
        return self._all[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


problems = Problems()
