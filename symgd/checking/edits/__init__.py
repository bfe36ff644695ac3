"""Small repairs of a formula, by the mistake that each of them undoes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from symgd.checking.edits.inner import everywhere, exchanged, inner_factors, inner_quotients, names, pairs
from symgd.checking.edits.missing import missing
from symgd.checking.edits.parts import parts
from symgd.checking.edits.pool import Candidate, Part, Pool, scaled, wrapped
from symgd.checking.edits.whole import as_it_is, powers, terms, whole

if TYPE_CHECKING:
    from symgd.checking.causes import Scene

Stage = Callable[["Scene"], Iterator[Candidate]]
STAGES: tuple[Stage, ...] = (
    as_it_is, terms, names, powers, whole, missing, parts, everywhere, inner_factors, inner_quotients, pairs, exchanged,
)  # fmt: skip

__all__ = ["STAGES", "Candidate", "Part", "Pool", "as_it_is", "inner_quotients", "scaled", "wrapped"]
