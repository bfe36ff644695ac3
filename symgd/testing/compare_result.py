"""What a comparison gives back: attempts, a row for each method, and performance profiles."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symgd import display
from symgd.display import finite
from symgd.errors import UsageError, shown
from symgd.records import dataclass

if TYPE_CHECKING:
    import pandas as pd

MEASURES = ("evaluations", "seconds")


class Place(StrEnum):
    """Where an attempt ended."""

    LOWEST = "lowest"  # at the lowest of the known minima
    MINIMUM = "minimum"  # at another one, or at one that exact derivatives show
    NOWHERE = "nowhere"


@dataclass(frozen=True)
class Attempt:
    """One method on one problem from one start.

    Parameters
    ----------
    method, problem : str
        Their names.
    factor : float
        By which the standard start was multiplied.
    place : Place
        Where it ended.
    claimed : bool
        Whether the method says that it converged, for symgd's: to a minimum.
    value : float
        The value at the end.
    point : tuple of float
        The end.
    evaluations : int
        Points at which value or gradient was asked for.
    seconds : float
        Wall time.
    message : str
        What the method said.
    """

    method: str
    problem: str
    factor: float
    place: Place
    claimed: bool
    value: float
    point: tuple[float, ...] = field(repr=False)
    evaluations: int
    seconds: float
    message: str

    @property
    def solved(self) -> bool:
        """Whether it ended at a minimum."""
        return self.place != Place.NOWHERE

    @property
    def false_success(self) -> bool:
        """Whether the method said that it had converged, and had not."""
        return self.claimed and not self.solved

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain data, ready for JSON."""
        return {
            "method": self.method,
            "problem": self.problem,
            "factor": self.factor,
            "place": str(self.place),
            "claimed": self.claimed,
            "value": finite(self.value),
            "point": [finite(v) for v in self.point],
            "evaluations": self.evaluations,
            "seconds": self.seconds,
            "message": self.message,
        }


@dataclass(frozen=True)
class Row:
    """What is told of a method.

    Parameters
    ----------
    method : str
        Its name.
    attempts : int
        How many it made.
    solved : int
        Of these, how many ended at a minimum.
    lowest : int
        Of these, at the lowest known.
    false : int
        Where it said that it had converged, and had not.
    silent : int
        Where it was at a minimum, and did not say so.
    evaluations, seconds : float
        Medians over the problems that every method solved; nan where there are none.
    """

    method: str
    attempts: int
    solved: int
    lowest: int
    false: int
    silent: int
    evaluations: float
    seconds: float


_HEAD = ("method", "solved", "lowest", "false", "silent", "evaluations", "seconds")


@dataclass(frozen=True, eq=False)
class Comparison:
    """Methods beside each other.

    Parameters
    ----------
    attempts : tuple of Attempt
        What was done, problem by problem.
    methods : tuple of str
        The methods, in the order in which they were given.
    complete : bool
        Whether all was done; after Ctrl-C it is not.
    """

    attempts: tuple[Attempt, ...]
    methods: tuple[str, ...]
    complete: bool = True

    def __len__(self) -> int:
        return len(self.attempts)

    @cached_property
    def tasks(self) -> tuple[tuple[str, float], ...]:
        """The problems and factors that were tried."""
        return tuple(dict.fromkeys((a.problem, a.factor) for a in self.attempts))

    @cached_property
    def by_method(self) -> dict[str, dict[tuple[str, float], Attempt]]:
        """The attempts of each method, by problem and factor."""
        found: dict[str, dict[tuple[str, float], Attempt]] = {name: {} for name in self.methods}
        for attempt in self.attempts:
            found[attempt.method][attempt.problem, attempt.factor] = attempt
        return found

    @property
    def false_successes(self) -> tuple[Attempt, ...]:
        """The attempts that were said to have converged, and had not."""
        return tuple(a for a in self.attempts if a.false_success)

    @property
    def rows(self) -> tuple[Row, ...]:
        """A row for each method."""
        every = [t for t in self.tasks if all(self.by_method[name][t].solved for name in self.methods)]
        return tuple(self._row(name, every) for name in self.methods)

    def _row(self, name: str, every: list[tuple[str, float]]) -> Row:
        own = self.by_method[name]
        all_of_it = list(own.values())

        def count(holds: Callable[[Attempt], bool]) -> int:
            return sum(map(holds, all_of_it))

        def median(measure: str) -> float:
            return float(np.median([getattr(own[t], measure) for t in every])) if every else math.nan

        return Row(
            name, len(all_of_it), count(lambda a: a.solved), count(lambda a: a.place == Place.LOWEST),
            count(lambda a: a.false_success), count(lambda a: a.solved and not a.claimed),
            median("evaluations"), median("seconds"),
        )  # fmt: skip

    # ---- profiles ----------------------------------------------------------------------------------------------------

    def ratios(self, measure: str = "evaluations") -> dict[str, NDArray[np.float64]]:
        """Give what each method spent on each task, relative to the method that spent least.

        Parameters
        ----------
        measure : str
            ``"evaluations"`` or ``"seconds"``.

        Returns
        -------
        dict of str to ndarray, shape (tasks,)
            Infinite where it did not get to a minimum; at least 1 elsewhere.

        Raises
        ------
        UsageError
            For any other measure.

        References
        ----------
        Dolan and Moré 2002, (2.1).
        """
        if measure not in MEASURES:
            raise UsageError(f"measure={shown(measure)} must be one of {', '.join(MEASURES)}")
        runs = [[self.by_method[name][task] for task in self.tasks] for name in self.methods]
        spent = [[max(getattr(a, measure), 1e-9) if a.solved else math.inf for a in row] for row in runs]
        table = np.array(spent)
        if not table.size:
            return {name: np.zeros(0) for name in self.methods}
        best = table.min(axis=0)
        with np.errstate(invalid="ignore"):
            found = np.where(np.isfinite(table), table / best, math.inf)
        return dict(zip(self.methods, found, strict=True))

    def profile(self, measure: str = "evaluations") -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Give the performance profile of each method: which share of the tasks it solves within a factor of the best.

        Parameters
        ----------
        measure : str
            ``"evaluations"`` or ``"seconds"``.

        Returns
        -------
        dict of str to (ndarray, ndarray)
            The factors, ascending, at which the share grows, and the share from there on.

        References
        ----------
        Dolan and Moré 2002, section 2.
        """
        found = {}
        for name, ratios in self.ratios(measure).items():
            factors, counts = np.unique(ratios[np.isfinite(ratios)], return_counts=True)
            found[name] = factors, np.cumsum(counts) / max(len(ratios), 1)
        return found

    def plot(self, ax: Any = None, measure: str = "evaluations") -> Any:
        """Draw the performance profiles.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.
        measure : str
            ``"evaluations"`` or ``"seconds"``.

        Returns
        -------
        Axes
        """
        from symgd.plotting import plot_profile

        return plot_profile(self.profile(measure), measure, ax=ax)

    # ---- as data and text --------------------------------------------------------------------------------------------

    def to_frame(self) -> pd.DataFrame:
        """Give a pandas DataFrame with a row for each attempt."""
        try:
            import pandas as pd
        except ImportError as problem:
            message = "a DataFrame needs pandas: pip install 'symgd[pandas]'"
            raise ImportError(message) from problem
        columns = [k for k in Attempt.__dataclass_fields__ if k != "point"]
        rows = [{**{k: getattr(a, k) for k in columns}, "place": str(a.place)} for a in self.attempts]
        return pd.DataFrame(rows, columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """Give the comparison as plain data, ready for JSON."""
        rows = [{k: finite(v) if isinstance(v, float) else v for k, v in vars(row).items()} for row in self.rows]
        return {"methods": rows, "complete": self.complete, "attempts": [a.to_dict() for a in self.attempts]}

    def cells(self) -> list[tuple[str, ...]]:
        """Give the rows as text, the head first."""
        found: list[tuple[str, ...]] = [_HEAD]
        for row in self.rows:
            spent = [f"{v:.3g}" if math.isfinite(v) else "-" for v in (row.evaluations, row.seconds)]
            found.append(
                (row.method, f"{row.solved} of {row.attempts}", *map(str, (row.lowest, row.false, row.silent)), *spent)
            )
        return found

    def _title(self) -> str:
        cut = "" if self.complete else ", interrupted"
        return f"{len(self.methods)} methods on {len(self.tasks)} problems and starts{cut}"

    def __repr__(self) -> str:
        return "\n".join([self._title(), *display.lines(self.cells(), left=1)])

    def _repr_html_(self) -> str:
        head, *rows = self.cells()
        return display.html(self._title(), rows, head)
