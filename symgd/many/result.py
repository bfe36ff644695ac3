"""What many descents give back: the distinct minima, and which start reached which."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symgd import display
from symgd.descent.outcomes import OUTCOMES
from symgd.display import finite, plain
from symgd.kernel import Kernel
from symgd.many.cluster import Found, cluster
from symgd.many.starts import Box
from symgd.records import dataclass
from symgd.run import Outcome
from symgd.verdict import Kind

if TYPE_CHECKING:
    import pandas as pd

ROUNDING = 1e-14  # what is shown as 0
SHOWN = 12  # minima, and parameters, that a table of text has room for


@dataclass(frozen=True, eq=False)
class Minimum:
    """A point that descents ended at.

    Parameters
    ----------
    point : dict of str to float or ndarray
        Where it is.
    value : float
        The objective's value there.
    kind : Kind
        What it is, as far as curvature can tell.
    message : str
        The evidence, as a clause.
    count : int
        Starts that reached it.
    share : float
        The same as a part of all starts, from 0 to 1.
    eigenvalues : ndarray, shape (n,)
        Of the Hessian there, ascending; empty where there are too many parameters to form it.
    gradient_norm : float
        The Euclidean norm of the gradient there.
    inside : bool
        Whether it lies in the box that the starts were spread in.
    """

    point: Mapping[str, display.Value]
    value: float
    kind: Kind
    message: str
    count: int
    share: float
    eigenvalues: NDArray[np.float64]
    gradient_norm: float
    inside: bool = True

    def to_dict(self) -> dict[str, object]:
        """Give it as plain data, ready for JSON."""
        return {
            "point": {name: plain(value) for name, value in self.point.items()},
            "value": finite(self.value),
            "kind": str(self.kind),
            "message": self.message,
            "count": self.count,
            "share": self.share,
            "eigenvalues": [finite(value) for value in self.eigenvalues.tolist()],
            "gradient_norm": finite(self.gradient_norm),
            "inside": self.inside,
        }

    def __repr__(self) -> str:
        at = ", ".join(f"{name}={_brief(value)}" for name, value in list(self.point.items())[:6])
        return f"Minimum({self.kind}, value={self.value:.6g}, {at}, count={self.count:,})"


@dataclass(frozen=True, eq=False)
class Many:
    """The account of many descents.

    How each start ended, and which minima there are, is told when it is first asked for.

    Parameters
    ----------
    formula : str
        The objective.
    starts, points : ndarray, shape (k, n)
        Where each began, and where it ended; arrays of parameters row after row.
    values, gradient_norms : ndarray, shape (k,)
        The objective's value there, and the norm of its gradient.
    steps : ndarray of int, shape (k,)
        Steps that each took.
    method : str
        The update rule's name, or its text.
    seconds : float
        Wall time of the descents.
    box : Box, optional
        Where the starts were spread.
    gradients : ndarray, shape (k, n)
        The gradients where they ended.
    kernel : Kernel
        The objective's functions.
    tell : callable
        Gives `outcomes`.
    """

    OUTCOMES = OUTCOMES

    formula: str
    starts: NDArray[np.float64]
    points: NDArray[np.float64]
    values: NDArray[np.float64]
    gradient_norms: NDArray[np.float64]
    steps: NDArray[np.int64]
    method: str
    seconds: float
    box: Box | None = field(repr=False)
    gradients: NDArray[np.float64] = field(repr=False)
    kernel: Kernel = field(repr=False)
    tell: Callable[[], NDArray[np.int8]] = field(repr=False)

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def outcomes(self) -> NDArray[np.int8]:
        """How each start ended, as it would have ended alone: places in ``Many.OUTCOMES``; shape (k,)."""
        return self.tell()

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many starts ended in which way, those that happened."""
        numbers = np.bincount(self.outcomes, minlength=len(OUTCOMES)).tolist()
        return {str(name): count for name, count in zip(OUTCOMES, numbers, strict=True) if count}

    @cached_property
    def _found(self) -> tuple[tuple[Minimum, ...], tuple[Minimum, ...], NDArray[np.int64]]:
        lost = [OUTCOMES.index(o) for o in (Outcome.DIVERGED, Outcome.LEFT_DOMAIN)]
        converged = [OUTCOMES.index(o) for o in Outcome if o.converged or o == Outcome.STALLED]
        scale = self.box.high - self.box.low if self.box else np.ptp(self.starts, axis=0)
        scale = np.where(scale > 0, scale, 1.0 + np.abs(self.starts[0]))
        groups = cluster(
            self.kernel, self.points, self.values, self.gradients, scale,
            candidates=np.flatnonzero(~np.isin(self.outcomes, lost)), converged=np.isin(self.outcomes, converged),
            starts=self.starts,
        )  # fmt: skip
        # Those in the box come first.
        low = sorted(
            (g for g in groups if g.verdict.low), key=lambda g: (not self._holds(g), g.value, *g.point.tolist())
        )
        others = sorted((g for g in groups if not g.verdict.low), key=lambda g: (g.value, *g.point.tolist()))
        reached = np.full(len(self), -1, dtype=np.int64)
        for place, group in enumerate(low):
            reached[group.members] = place
        return tuple(map(self._told, low)), tuple(map(self._told, others)), reached

    def _holds(self, group: Found) -> bool:
        return self.box is None or self.box.holds(group.point)

    def _told(self, group: Found) -> Minimum:
        inside = self._holds(group)
        count = len(group.members)
        point = self.kernel.split(group.point)
        return Minimum(
            point, group.value, group.verdict.kind, group.verdict.message, count, count / len(self), group.eigenvalues,
            group.gradient_norm, inside,
        )  # fmt: skip

    @property
    def minima(self) -> tuple[Minimum, ...]:
        """The distinct minima, the lowest first; valleys, kinks and edges among them, each as what it is.

        Where the starts were spread in a box, those that lie in it.
        """
        return tuple(m for m in self._found[0] if m.inside)

    @property
    def outside(self) -> tuple[Minimum, ...]:
        """The minima outside of the box, which descents may leave, the lowest first."""
        return tuple(m for m in self._found[0] if not m.inside)

    @property
    def others(self) -> tuple[Minimum, ...]:
        """Points where descents stopped that are no minima: saddles, maxima, plateaus."""
        return self._found[1]

    @property
    def reached(self) -> NDArray[np.int64]:
        """Which minimum each start reached: its place in ``(*minima, *outside)``, -1 for none; shape (k,)."""
        return self._found[2]

    @property
    def best(self) -> Minimum | None:
        """The lowest minimum in the box, else the lowest outside of it; ``None`` where none was found."""
        return next(iter((*self.minima, *self.outside)), None)

    def to_frame(self) -> pd.DataFrame:
        """Give a pandas DataFrame with a row for each start: where it began and ended, how, and what it reached."""
        try:
            import pandas as pd
        except ImportError as problem:
            message = "a DataFrame needs pandas: pip install 'symgd[pandas]'"
            raise ImportError(message) from problem
        names = self.kernel.names
        columns: dict[str, object] = {f"{name}_start": self.starts[:, i] for i, name in enumerate(names)}
        columns |= {f"{name}_end": self.points[:, i] for i, name in enumerate(names)}
        columns |= {"value": self.values, "gradient_norm": self.gradient_norms, "steps": self.steps}
        return pd.DataFrame({**columns, "outcome": self.outcome_names(), "reached": self.reached})

    def outcome_names(self) -> pd.Categorical:
        """Give how each start ended as a pandas Categorical."""
        import pandas as pd

        return pd.Categorical.from_codes(self.outcomes, categories=[str(o) for o in OUTCOMES])

    def to_dict(self) -> dict[str, object]:
        """Give the account as plain data, ready for JSON; of the starts only how many ended in which way."""
        return {
            "formula": self.formula,
            "starts": len(self),
            "minima": [m.to_dict() for m in self.minima],
            "outside": [m.to_dict() for m in self.outside],
            "others": [m.to_dict() for m in self.others],
            "outcomes": self.counts,
            "reached_none": int((self.reached < 0).sum()),
            "method": self.method,
            "steps": int(self.steps.sum()),
            "seconds": self.seconds,
        }

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Draw the starts in the colours of the minima that they reached; of many parameters, the values reached.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.
        **options : object
            Passed to `symgd.plotting.plot_many`.

        Returns
        -------
        Axes
        """
        from symgd.plotting import plot_many

        return plot_many(self, ax, **options)

    def _rows(self) -> list[list[str]]:
        names = list(self.kernel.params)[:SHOWN]
        rows = [["", "value", *names, "kind", "starts"]]
        for place, found in enumerate(self.minima[:SHOWN]):
            at = [_brief(found.point[name]) for name in names]
            value = found.value if abs(found.value) > ROUNDING else 0.0
            rows.append([str(place), f"{value:.8g}", *at, str(found.kind), f"{found.count:,}"])
        return rows

    def _head(self) -> str:
        ended = ", ".join(f"{count:,} {name}" for name, count in self.counts.items())
        none = int((self.reached < 0).sum())
        found = f"{len(self.minima):,} minim{'um' if len(self.minima) == 1 else 'a'}"
        beyond = f", {len(self.outside):,} more outside of the box" if self.outside else ""
        missed = f", {none:,} starts reached none" if none else ""
        return f"{len(self):,} starts, {found}{beyond}{missed}; {ended}"

    def __repr__(self) -> str:
        more = [f"... and {len(self.minima) - SHOWN:,} more"] if len(self.minima) > SHOWN else []
        return "\n".join([self._head(), *(display.lines(self._rows()) if self.minima else []), *more])

    def _repr_html_(self) -> str:
        head, *rows = self._rows()
        return display.html(self._head(), rows, head)


def _brief(value: display.Value) -> str:
    if not isinstance(value, np.ndarray):
        return f"{value if abs(value) > ROUNDING else 0.0:.6g}"
    if value.size <= 4 and value.ndim == 1:
        return "[" + ", ".join(f"{v:.4g}" for v in value) + "]"
    return f"array of {' x '.join(map(str, value.shape))}"
