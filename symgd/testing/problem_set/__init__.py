"""Formulas whose minima are known."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from symgd.errors import UsageError, shown, suggest
from symgd.testing.problem_set.record import TAGS, Problem, check_tag

__all__ = ["TAGS", "Problem", "Problems", "problems"]

ANSWERS = Path(__file__).with_name("answers.json")


class UnknownProblemError(UsageError, KeyError):
    """A name that no problem has; a `KeyError` too, as mappings have it."""

    __str__ = UsageError.__str__


class Problems(Mapping[str, Problem]):
    """Problems by name, read at their first use.

    Parameters
    ----------
    chosen : iterable of Problem, optional
        By default all that there are.

    Examples
    --------
    >>> problems["beale"].minimum
    0.0
    >>> len(problems.select(tag="kink")) < len(problems)
    True
    """

    def __init__(self, chosen: Iterable[Problem] | None = None) -> None:
        self._chosen = chosen

    @cached_property
    def _all(self) -> dict[str, Problem]:
        if self._chosen is not None:
            return {problem.name: problem for problem in self._chosen}
        from symgd.testing.problem_set import chained, classics, falling, fits, more, several

        families = (more, classics, chained, fits, several, falling)
        answers = json.loads(ANSWERS.read_text(encoding="utf-8"))
        return {
            p.name: replace(p, known=_known(answers.get(p.name, ()))) for family in families for p in family.PROBLEMS
        }

    def __getitem__(self, name: str) -> Problem:
        if name not in self._all:
            near = suggest(name, self._all) if isinstance(name, str) else None
            hint = f"; did you mean '{near}'?" if near else f"; there are {len(self)}, and list(problems) gives them"
            raise UnknownProblemError(f"there is no problem {shown(name)}{hint}")
        return self._all[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def __repr__(self) -> str:
        return f"{len(self)} problems: {', '.join(list(self)[:8])}{', ...' if len(self) > 8 else ''}"

    def select(self, tag: str | Iterable[str] = (), *, most: int | None = None) -> Problems:
        """Give some of the problems.

        Parameters
        ----------
        tag : str or iterable of str
            What they must have, all of it: names in `TAGS`.
        most : int, optional
            How many numbers their parameters may be at most.

        Returns
        -------
        Problems

        Raises
        ------
        UsageError
            For a tag that does not exist.
        """
        wanted = {tag} if isinstance(tag, str) else set(tag)
        for name in wanted:
            check_tag(name)
        chosen = (p for p in self.values() if wanted <= set(p.tags) and (most is None or p.n <= most))
        return Problems(chosen)


def _known(answers: Sequence[dict[str, Any]]) -> tuple[tuple[float, Sequence[float]], ...]:
    return tuple((answer["value"], answer["point"]) for answer in answers)


problems = Problems()
