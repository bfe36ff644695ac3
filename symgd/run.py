"""What a descent gives back: frozen data that says what happened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd import display, saving
from symgd.errors import unexplained
from symgd.history import History
from symgd.parameters import flat_of
from symgd.records import dataclass
from symgd.verdict import Kind, Verdict


class Outcome(StrEnum):
    """How a run ended."""

    CONVERGED_GRADIENT = "converged_gradient"
    CONVERGED_VALUE = "converged_value"
    CONVERGED_STEP = "converged_step"
    MAX_STEPS = "max_steps"
    TIME_LIMIT = "time_limit"
    DIVERGED = "diverged"
    LEFT_DOMAIN = "left_domain"
    STALLED = "stalled"
    INTERRUPTED = "interrupted"

    @property
    def converged(self) -> bool:
        """Whether a test for convergence was met."""
        return self.value.startswith("converged")


_STOPPED = {
    Kind.SADDLE: "at a saddle", Kind.MAXIMUM: "at a maximum", Kind.MINIMUM: "at a minimum",
    Kind.WEAK_MINIMUM: "at a weak minimum", Kind.WEAK_MAXIMUM: "at a weak maximum",
    Kind.KINK_MINIMUM: "at a minimum with a kink", Kind.KINK_MAXIMUM: "at a maximum with a kink",
    Kind.DEGENERATE: "at a flat point", Kind.KINK: "at a kink", Kind.BOUNDARY: "at a boundary",
    Kind.NOT_STATIONARY: "where the gradient is not 0",
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """Something that a run shows.

    Parameters
    ----------
    code : str
        What it is, in a word: ``diverged``, ``crawling``, ``zigzag`` ...
    message : str
        What happened and why, in numbers.
    remedy : str
        What to do about it, in numbers.
    evidence : dict of str to float or str
        The numbers.
    change : dict
        What the remedy changes in the call, as options of `minimize`, where it was tried: with it the run ends lower.
    """

    code: str
    message: str
    remedy: str
    evidence: Mapping[str, float | str] = field(default_factory=dict)
    change: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Give the finding as plain data."""
        evidence = {k: display.finite(v) if isinstance(v, float) else v for k, v in self.evidence.items()}
        told = {"code": self.code, "message": self.message, "remedy": self.remedy, "evidence": evidence}
        return told | {"change": {name: _plain_option(value) for name, value in self.change.items()}}

    def __str__(self) -> str:
        return f"{self.code}: {self.message} {self.remedy}"


@dataclass(frozen=True)
class Diagnosis:
    """What a run shows.

    Parameters
    ----------
    findings : tuple of Finding
        None for a healthy run.
    measured_rate : float or None
        The factor per step by which the gradient's norm shrank over the second half of the run.
    predicted_rate : float or None
        The factor that theory gives for the rule at the minimum; ``None`` for rules that are not linear.
    """

    findings: tuple[Finding, ...] = ()
    measured_rate: float | None = None
    predicted_rate: float | None = None


@dataclass(frozen=True, eq=False)
class Run:
    """The account of a descent.

    Parameters
    ----------
    formula : str
        The objective.
    point : dict of str to float or ndarray
        Where the run ended.
    value : float
        The objective's value there.
    gradient_norm : float
        The Euclidean norm of the gradient there.
    outcome : Outcome
        How it ended.
    message : str
        The same in one sentence, with the numbers.
    verdict : Verdict
        What kind of point it ended at, and how that is known.
    steps : int
        Steps taken.
    evaluations : int
        Evaluations of value and gradient together, the one at the start included.
    seconds : float
        Wall time.
    history : History
        The recorded steps.
    method : str
        The update rule's name, or its text.
    lr : float or str
        The learning rate, its schedule, or ``"auto"``.
    maximized : bool
        Whether the objective was maximized.
    batch : int or None
        Rows that each step looked at; ``None`` for all of them.
    state : dict
        What `resume` needs to go on.
    rows : int
        How many rows the data have.
    moments : int
        How many moments the data entered through, in place of the rows; 0 where every step looked at rows.
    objective : Objective, optional
        The objective, from which pictures are drawn.
    explain : callable, optional
        Works the diagnosis out, when it is first asked for.
    """

    formula: str
    point: Mapping[str, Any]
    value: float
    gradient_norm: float
    outcome: Outcome
    message: str
    verdict: Verdict
    steps: int
    evaluations: int
    seconds: float
    history: History
    method: str
    lr: float | str = "auto"
    maximized: bool = False
    batch: int | None = None
    state: Mapping[str, Any] = field(default_factory=dict, repr=False)
    rows: int = 0
    moments: int = 0
    objective: Any = field(default=None, repr=False)
    explain: Callable[[Run], Diagnosis] | None = field(default=None, repr=False)

    @property
    def kind(self) -> Kind:
        """What kind of point the run ended at."""
        return self.verdict.kind

    @property
    def ok(self) -> bool:
        """Whether the run converged, and to a minimum (a maximum when maximizing) as far as can be told."""
        return self.outcome.converged and (self.kind.maximal if self.maximized else self.kind.minimal)

    @property
    def x(self) -> NDArray[np.float64]:
        """The point as a vector, in the order of the parameters."""
        return flat_of(self.point.values())

    @cached_property
    def _explained(self) -> Diagnosis:
        try:
            return self.explain(self) if self.explain else Diagnosis()
        except Exception as problem:  # noqa: BLE001 - whatever it is, the run is there
            message = unexplained("the diagnosis", problem)
            return Diagnosis((Finding("unexplained", message, "Please report it with the formula and the start."),))

    @property
    def diagnosis(self) -> tuple[Finding, ...]:
        """Findings, each with ``code``, ``message``, ``remedy`` and ``evidence``; none for a healthy run."""
        return self._explained.findings

    @property
    def measured_rate(self) -> float | None:
        """The factor per step by which the gradient's norm shrank over the second half of the run."""
        return self._explained.measured_rate

    @property
    def predicted_rate(self) -> float | None:
        """The factor per step that theory gives for the rule at the minimum; ``None`` where there is no theory."""
        return self._explained.predicted_rate

    def to_dict(self) -> dict[str, Any]:
        """Give the run as plain data, ready for JSON; nan and infinities become ``None``."""
        return {
            "formula": self.formula,
            "point": {k: display.plain(v) for k, v in self.point.items()},
            "value": display.finite(self.value),
            "gradient_norm": display.finite(self.gradient_norm),
            "outcome": str(self.outcome),
            "ok": self.ok,
            "message": self.message,
            "kind": str(self.kind),
            "steps": self.steps,
            "evaluations": self.evaluations,
            "seconds": self.seconds,
            "method": self.method,
            "lr": self.lr,
            "maximized": self.maximized,
            "batch": self.batch,
            "rows": self.rows,
            "moments": self.moments,
            "measured_rate": display.finite(self.measured_rate),
            "predicted_rate": display.finite(self.predicted_rate),
            "diagnosis": [finding.to_dict() for finding in self.diagnosis],
        }

    def summary(self) -> str:
        """Give the run as a few lines of text."""
        verb = "maximized" if self.maximized else "minimized"
        lines = [
            f"{verb} {display.one_line(self.formula)}",
            f"  outcome   {self._verdict()}: {self.message}",
            f"  value     {self.value:.10g}",
            f"  gradient  {self.gradient_norm:.3g}",
            f"  kind      {self.kind}",
            f"  steps     {self.steps:,} of {self.method}, {self._work()}, {self.seconds:.3g} s",
        ]
        lines += [f"  data      {self._through}"] if self.moments else []
        shown = list(self.point.items())[:12]
        width = max((len(k) for k, _ in shown), default=0)
        lines += [
            f"  {'point' if not i else '':9} {k:{width}} = {display.brief(v, 12)}" for i, (k, v) in enumerate(shown)
        ]
        if len(self.point) > len(shown):
            lines.append(f"  {'':9} ... and {len(self.point) - len(shown):,} more")
        if self.measured_rate is not None and self.predicted_rate is not None:
            lines.append(f"  rate      {self.measured_rate:.6g} a step, measured; {self.predicted_rate:.6g}, predicted")
        lines += [f"  finding   {finding}" for finding in self.diagnosis]
        return "\n".join(lines)

    def _verdict(self) -> str:
        """Say first what matters: a small gradient is no success at a saddle."""
        if self.ok:
            return f"{self.outcome} (ok)"
        if self.outcome.converged and self.kind in _STOPPED:
            return f"stopped {_STOPPED[self.kind]} (not ok, {self.outcome})"
        # Steps that were asked for and taken are neither a success nor a failure.
        return f"{self.outcome}{'' if self.outcome == Outcome.MAX_STEPS else ' (not ok)'}"

    @property
    def _through(self) -> str:
        """Say how the data entered, where that was not row by row."""
        rows = f"{self.rows:,} row{'' if self.rows == 1 else 's'}"
        return f"the data entered through {self.moments:,} moments of {rows}" if self.moments else ""

    def _work(self) -> str:
        if self.batch is None or self.history.epoch is None:
            return f"{self.evaluations:,} evaluations"
        passes = f"{self.history.epoch[-1]:.4g}"
        return f"{passes} epoch{'s' if passes != '1' else ''} in batches of {self.batch:,}"

    def __repr__(self) -> str:
        at = ", ".join(f"{k}={display.brief(v, 6)}" for k, v in list(self.point.items())[:6])
        more = ", ..." if len(self.point) > 6 else ""
        through = f", through {self.moments:,} moments of {self.rows:,} rows" if self.moments else ""
        return f"Run({self.outcome}, {self.kind}, value={self.value:.6g}, {at}{more}, steps={self.steps:,}{through})"

    def _repr_html_(self) -> str:
        rows = [("outcome", self._verdict()), ("", self.message),
                ("value", f"{self.value:.10g}"), ("gradient norm", f"{self.gradient_norm:.3g}"), ("kind", self.kind),
                ("steps", f"{self.steps:,} of {self.method}")]  # fmt: skip
        rows += [("data", self._through)] if self.moments else []
        rows += [(k, display.brief(v, 10)) for k, v in list(self.point.items())[:12]]
        rows += [(f.code, f"{f.message} {f.remedy}") for f in self.diagnosis]
        return display.html(display.code(display.one_line(self.formula)), rows)

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Draw the run: its path on contours (2 parameters), on the curve (1), or the loss over the steps.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.
        **options : object
            Passed to `symgd.plotting.plot_run`.

        Returns
        -------
        Axes
        """
        from symgd.plotting import plot_run

        return plot_run(self, ax=ax, **options)

    def animate(self, path: str | Path | None = None, *, frames: Any = 100, fps: float = 20, **options: Any) -> Any:
        """Animate the run: the picture of `plot`, step by step.

        Parameters
        ----------
        path : str or Path, optional
            A file to write: ``.mp4``, ``.gif`` or ``.html``.
        frames : int or sequence of int
            How many pictures at most, or the steps that are shown.
        fps : float
            Frames a second.
        **options : object
            Passed to `symgd.plotting.plot_run`.

        Returns
        -------
        symgd.plotting.Film
            Which a notebook shows; ``run.animate().at(5)`` is the picture of step 5.
        """
        from symgd.plotting import animate, check_film, plot_run

        if path is not None:
            check_film(path)
        return animate(plot_run(self, **options), path, frames=frames, fps=fps)

    def save(self, path: str | Path) -> Path:
        """Write the run to a file from which `resume` goes on, bit for bit.

        Parameters
        ----------
        path : str or Path
            A name ending in ``.npz``, or in ``.json`` for text.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        UsageError
            If the name ends in neither.
        DataError
            If the file cannot be written; what stood there stays.
        """
        data = {"data": self.objective.fingerprint()} if self.objective is not None and "data" in self.state else {}
        return saving.write(path, {**self.state, **data})


def _plain_option(value: Any) -> Any:
    """Give an option as JSON can hold it."""
    if isinstance(value, Mapping):
        return {name: display.plain(v) for name, v in value.items()}
    return value
