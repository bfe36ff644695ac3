"""Maps: how many steps a descent takes, over any two of learning rate, hyperparameters and start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symgd import display
from symgd.descent import GTOL
from symgd.descent.outcomes import CODES, OUTCOMES
from symgd.errors import UsageError, shown
from symgd.kernel import Kernel
from symgd.many.axes import Axis, axis, sizes
from symgd.many.descents import descend_many
from symgd.many.result import Many, Minimum
from symgd.many.stacks import slopes
from symgd.records import dataclass
from symgd.rules import Rule, find_rule
from symgd.run import Outcome

if TYPE_CHECKING:
    import pandas as pd

Vector = NDArray[np.float64]

STEPS = 500  # when nothing is said
SHARE = 1e-6  # of the gradient's norm at a usual start, at which a descent has converged
SAMPLE = 1000  # starts that say what is usual
PLACES = 49  # along the boundary, each of which is computed exactly
CURVES = 6  # minima whose boundaries are worked out


@dataclass(frozen=True, eq=False)
class Plan:
    """What a map is to show.

    Parameters
    ----------
    kernel : Kernel
        The objective.
    formula : str
        Its text.
    method : str or Rule
        What takes the steps.
    start : ndarray, shape (n,)
        Where descents begin, where no axis says it.
    numbers : mapping of str to float or str
        Learning rate and hyperparameters that are the same in all cells.
    axes : tuple of Axis
        What varies across, and what varies up.
    steps : int
        Steps at most.
    gtol : float or None
        The norm of the gradient at which a descent has converged.
    seed : int
        Of a rule's draws.
    latex : callable
        Gives the formula as LaTeX.
    """

    kernel: Kernel
    formula: str
    method: str | Rule
    start: Vector
    numbers: Mapping[str, float | str]
    axes: tuple[Axis, Axis]
    steps: int = STEPS
    gtol: float | None = None
    seed: int = 0
    latex: Callable[[], str] = str

    @property
    def rule(self) -> Rule | None:
        """The update rule with its numbers; ``None`` for a method that is none."""
        try:
            rule = find_rule(self.method)
        except UsageError:
            return None
        return rule.with_hyper({name: value for name, value in self.numbers.items() if name != "lr"})


@dataclass(frozen=True, eq=False)
class Boundary:
    """Up to where a rule is stable at a minimum.

    Parameters
    ----------
    minimum : int
        Which one: its place in ``Map.minima``.
    largest : float
        The largest eigenvalue of the Hessian there.
    points : ndarray, shape (m, 2)
        Places along the boundary: the value across, and that up; nan where no learning rate is stable.
    """

    minimum: int
    largest: float
    points: Vector


@dataclass(frozen=True, eq=False)
class Map:
    """How descents end, and after how many steps, in cells of two numbers that vary.

    All arrays have a row for each cell of the second axis and a column for each cell of the first, as an image whose
    origin is its lower left corner.

    Parameters
    ----------
    plan : Plan
        What was asked for.
    gtol : float
        The norm of the gradient at which a descent has converged.
    many : Many
        The descents, cell by cell, row after row.

    Examples
    --------
    >>> import symgd as sg
    >>> f = sg.Objective("x**2/2 + 5*y**2", tier="python")
    >>> found = f.map(lr=(0, 0.4), beta=(0, 1), start={"x": 1, "y": 1}, size=8, steps=100)
    >>> found.steps.shape, found.counts["diverged"], len(found.boundaries)
    ((8, 8), 16, 1)
    """

    OUTCOMES = OUTCOMES

    plan: Plan = field(repr=False)
    gtol: float
    many: Many = field(repr=False)

    # ---- cells -----------------------------------------------------------------------------------------------------

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """What varies across, and what varies up."""
        return self.plan.axes

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        across, up = self.axes
        return up.count, across.count

    @property
    def steps(self) -> NDArray[np.int64]:
        """The steps that each cell's descent took until it converged, diverged, or ended for another reason."""
        return self.many.steps.reshape(self.shape)

    @property
    def outcomes(self) -> NDArray[np.int8]:
        """How each cell's descent ended: places in ``Map.OUTCOMES``."""
        return self.many.outcomes.reshape(self.shape)

    @cached_property
    def converged(self) -> NDArray[np.bool_]:
        """Whether each cell's descent converged."""
        return np.isin(self.outcomes, [CODES[outcome] for outcome in OUTCOMES if outcome.converged])

    @cached_property
    def lost(self) -> NDArray[np.bool_]:
        """Whether each cell's descent diverged, or left the domain."""
        return np.isin(self.outcomes, [CODES[Outcome.DIVERGED], CODES[Outcome.LEFT_DOMAIN]])

    @property
    def counts(self) -> dict[str, int]:
        """How many cells ended in which way."""
        return self.many.counts

    @cached_property
    def _ended(self) -> Many:
        """The descents that converged, from which minima are told apart."""
        many, rows = self.many, np.flatnonzero(self.converged)
        names = ("starts", "points", "values", "gradient_norms", "steps", "gradients")
        return replace(many, tell=partial(np.take, many.outcomes, rows), **{n: getattr(many, n)[rows] for n in names})

    @cached_property
    def minima(self) -> tuple[Minimum, ...]:
        """The minima that were reached, the lowest first."""
        return self._ended.minima if self.converged.any() else ()

    @cached_property
    def reached(self) -> NDArray[np.int64]:
        """Which of `minima` each cell's descent reached, -1 for none."""
        found = np.full(self.shape, -1, dtype=np.int64)
        if self.converged.any():
            found[self.converged] = self._ended.reached
        return found

    @property
    def fastest(self) -> dict[str, float] | None:
        """Where the fewest steps led to convergence: the axes' values and ``steps``; ``None`` where nothing did."""
        if not self.converged.any():
            return None
        found = np.where(self.converged, self.steps, np.iinfo(np.int64).max)
        up, across = np.unravel_index(int(found.argmin()), self.shape)
        values = zip(self.axes, (across, up), strict=True)
        return {a.name: float(a.values[place]) for a, place in values} | {"steps": int(found[up, across])}

    # ---- theory ----------------------------------------------------------------------------------------------------

    @cached_property
    def boundaries(self) -> tuple[Boundary, ...]:
        """Where the learning rate ceases to be stable at each minimum, exactly, as `Rule.theory` says.

        One for each minimum that was reached, at most six, where one axis is the learning rate and the rule is linear.
        """
        rule, names = self.plan.rule, [a.name for a in self.axes]
        if rule is None or "lr" not in names:
            return ()
        side = names.index("lr")
        other = self.axes[1 - side]
        values = other.spread(np.linspace(0.0, 1.0, PLACES))
        found = []
        for place, minimum in enumerate(self.minima[:CURVES]):
            largest = float(minimum.eigenvalues[-1]) if len(minimum.eigenvalues) else np.nan
            if not 0.0 < largest < np.inf:
                continue
            limits = _limits(rule, largest, other, values)
            if limits is not None:
                columns = (limits, values) if side == 0 else (values, limits)
                found.append(Boundary(place, largest, np.column_stack(columns)))
        return tuple(found)

    # ---- what is made of it ----------------------------------------------------------------------------------------

    def zoom(
        self, *, size: object = None, steps: int | None = None, progress: bool | None = None, **ranges: Any
    ) -> Map:
        """Compute a part of the map, or another one, more finely: with the same start, numbers and tolerance.

        Parameters
        ----------
        size : int or pair of int, optional
            Cells along each axis; by default as many as here.
        steps : int, optional
            Steps at most; by default as here.
        progress : bool, optional
            As for `symgd.Objective.map`.
        **ranges : tuple of float
            The axes, by name; an axis that is not named stays as it is.

        Returns
        -------
        Map

        Raises
        ------
        UsageError
            For a name that is no axis, or a range that is none.
        """
        names = [a.name for a in self.axes]
        for name, given in ranges.items():
            if name not in names:
                raise UsageError(f"{name}={shown(given)}: the axes of this map are {' and '.join(names)}")
        counts = sizes(size) if size is not None else (self.axes[0].count, self.axes[1].count)
        across, up = (
            axis(a.name, a.kind, ranges.get(a.name, (a.low, a.high)), count)
            for a, count in zip(self.axes, counts, strict=True)
        )
        plan = replace(self.plan, axes=(across, up), steps=steps or self.plan.steps, gtol=self.gtol)
        return descend_map(plan, progress=progress)

    def to_frame(self) -> pd.DataFrame:
        """Give a pandas DataFrame with a row for each cell: its place, its steps, how it ended, what it reached."""
        try:
            import pandas as pd
        except ImportError as problem:
            message = "a DataFrame needs pandas: pip install 'symgd[pandas]'"
            raise ImportError(message) from problem
        across, up = self.axes
        return pd.DataFrame({
            across.name: np.tile(across.values, up.count), up.name: np.repeat(up.values, across.count),
            "steps": self.many.steps, "outcome": self.many.outcome_names(), "reached": self.reached.reshape(-1),
        })  # fmt: skip

    def to_dict(self) -> dict[str, object]:
        """Give the map as plain data, ready for JSON."""
        return {
            "formula": self.plan.formula,
            "method": self.many.method,
            "axes": [a.to_dict() for a in self.axes],
            "gtol": self.gtol,
            "max_steps": self.plan.steps,
            "counts": self.counts,
            "fastest": self.fastest,
            "minima": [m.to_dict() for m in self.minima],
            "boundaries": [
                {"minimum": b.minimum, "largest": b.largest, "points": display.plain(b.points)}
                for b in self.boundaries
            ],
            "outcome_names": [str(outcome) for outcome in OUTCOMES],
            "steps": self.steps.tolist(),
            "outcomes": self.outcomes.tolist(),
            "reached": self.reached.tolist(),
            "seconds": self.many.seconds,
        }  # fmt: skip

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Draw the map: a hue for each minimum, the lighter the fewer steps, with the boundary of stability.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.
        **options : object
            Passed to `symgd.plotting.plot_map`.

        Returns
        -------
        Axes
        """
        from symgd.plotting import plot_map

        return plot_map(self, ax, **options)

    def _rows(self) -> list[tuple[str, str]]:
        across, up = self.axes
        rows = [("across", str(across)), ("up", str(up))]
        rows += [("ended", ", ".join(f"{count:,} {name}" for name, count in self.counts.items()))]
        if self.fastest:
            *places, steps = (f"{name} = {value:.6g}" for name, value in self.fastest.items())
            rows.append(("fastest", f"{steps} at {', '.join(places)}"))
        found = f"{len(self.minima):,} minim{'um' if len(self.minima) == 1 else 'a'}"
        return [*rows, ("reached", f"{found}, where the gradient's norm is within {self.gtol:.3g}")]

    def _head(self) -> str:
        rows, columns = self.shape
        return f"{columns:,} x {rows:,} cells of at most {self.plan.steps:,} steps by {self.many.method}"

    def __repr__(self) -> str:
        return "\n".join([self._head(), *(f"  {name:8} {text}" for name, text in self._rows())])

    def _repr_html_(self) -> str:
        return display.html(self._head(), self._rows())


def _limits(rule: Rule, largest: float, other: Axis, values: Vector) -> Vector | None:
    """Give the largest stable learning rate at each value of the other axis; ``None`` where the rule has none."""
    if other.kind != "hyper":
        limit = rule.theory(largest=largest).stable_lr
        return None if limit is None else np.full(len(values), limit if 0 < limit < np.inf else np.nan)
    found = [rule.with_hyper({other.name: float(v)}).theory(largest=largest).stable_lr for v in values]
    if all(limit is None for limit in found):
        return None
    return np.array([limit if limit is not None and 0 < limit < np.inf else np.nan for limit in found])


def descend_map(plan: Plan, *, progress: bool | None = None) -> Map:
    """Run the descent of each cell.

    Parameters
    ----------
    plan : Plan
        What the map is to show.
    progress : bool, optional
        Whether to show progress; by default on a terminal after two seconds.

    Returns
    -------
    Map
    """
    across, up = plan.axes
    columns = np.tile(across.values, up.count), np.repeat(up.values, across.count)
    x = np.tile(plan.start, (len(columns[0]), 1))
    options: dict[str, Any] = {"method": plan.method, "steps": plan.steps, "seed": plan.seed, **plan.numbers}
    for found, values in zip(plan.axes, columns, strict=True):
        if found.kind == "start":
            x[:, plan.kernel.names.index(found.name)] = values
        else:
            options[found.name] = values
    gtol = plan.gtol if plan.gtol is not None else _usual(plan.kernel, x)
    many = descend_many(
        plan.kernel, x, {**options, "gtol": gtol}, formula=plan.formula, progress=progress, settles=False, unit="cell"
    )  # fmt: skip
    return Map(plan, gtol, many)


def _usual(kernel: Kernel, x: NDArray[np.float64]) -> float:
    """Give a tolerance of the gradient's norm in the units of the objective."""
    some = x[:: -(-len(x) // SAMPLE)] if np.ptp(x, axis=0).any() else x[:1]
    with np.errstate(all="ignore"):
        sizes = np.linalg.norm(slopes(kernel, some)[1], axis=1)
    sizes = sizes[np.isfinite(sizes) & (sizes > 0)]
    return SHARE * float(np.median(sizes)) if len(sizes) else GTOL
