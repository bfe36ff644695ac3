"""Remedies, tried: the same descent with something changed, within a budget. What is not better is not told."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd import descent
from symgd.curvature.problem import Problem
from symgd.errors import SymgdError
from symgd.kernel import Kernel
from symgd.records import dataclass
from symgd.rules import Rule
from symgd.run import Run

Vector = NDArray[np.float64]

BUDGET = 25_000_000  # operations that all trials of a diagnosis may take, about a second in plain Python
OWN = 4.0  # the same, in times of what the run itself took
AT_ONCE = 3e9  # operations that one trial may take at most
METHODS = ("lm", "newton", "bfgs", "lbfgs", "newton_cg", "sampling")  # those that a remedy may name, in this order
SHARE = 0.05  # of what there is to gain that a remedy must gain, to be one


@dataclass(frozen=True, eq=False)
class Trial:
    """A remedy, and what came of it.

    Parameters
    ----------
    change : dict
        What is to be changed in the call, as options of `minimize`; the numbers are those that are told.
    run : Run
        The run with it.
    """

    change: Mapping[str, Any] = field(default_factory=dict)
    run: Run | None = None

    @property
    def value(self) -> float:
        """Where it ended; of what did not end at a number, infinity."""
        value = math.inf if self.run is None else self.run.value
        return value if math.isfinite(value) else math.inf


class Trials:
    """The descents that explain a run, each made once.

    Parameters
    ----------
    kernel : Problem
        The objective that was minimized.
    run : Run
        The run.
    """

    def __init__(self, kernel: Problem, run: Run) -> None:
        self.kernel, self.run = kernel, run
        self.recipe: dict[str, Any] = dict(run.state.get("recipe") or {})
        own = float(run.state.get("cost", run.evaluations)) * kernel.work()
        self.left = max(float(BUDGET), OWN * own)
        self.made: dict[str, Trial | None] = {}

    @property
    def steps(self) -> int:
        """The steps that the run was to take at most."""
        return int(self.run.state.get("steps", self.run.steps) or 1)

    @cached_property
    def rule(self) -> Rule:
        """The rule that the run was made with."""
        r = self.recipe
        return Rule(r["text"], r["init"], r["name"], **r["hyper"])

    def options(self) -> dict[str, Any]:
        """Give the options that the run was made with."""
        r, state = self.recipe, self.run.state
        options: dict[str, Any] = {"steps": self.steps, "seed": int(state.get("seed", 0))}
        tolerances = [float.fromhex(t) for t in state["tolerances"]]
        options |= {name: max(t, 0.0) for name, t in zip(("gtol", "ftol", "xtol"), tolerances, strict=True)}
        if "text" in r:
            options["method"] = self.rule
            options["lr"] = r["lr"]
            if self.run.batch is not None and state.get("batch"):
                options |= {"batch": int(state["batch"]), "shuffle": bool(state["shuffle"])}
        else:
            options["method"] = r.get("method", "exact")
        return options

    def make(self, start: Vector | None = None, **change: Any) -> Trial | None:
        """Descend with something changed.

        Parameters
        ----------
        start : ndarray, shape (n,), optional
            Another start.
        **change : object
            Options, in place of those that the run was made with.

        Returns
        -------
        Trial or None
            ``None`` where that is not affordable, or cannot be done.
        """
        key = repr((None if start is None else start.tobytes(), sorted(change.items(), key=str)))
        if key not in self.made:
            self.made[key] = self._made(start, change)
        return self.made[key]

    def _made(self, start: Vector | None, change: Mapping[str, Any]) -> Trial | None:
        points = self.run.history.point
        if not points.size or (start is None and not np.isfinite(points[0]).all()):
            return None
        x0 = np.array(points[0] if start is None else start)
        options = self.options()
        if "method" in change:
            options = {k: v for k, v in options.items() if k in ("steps", "seed")}
        options |= change
        epochs, rest = divmod(self.steps, int(self.run.state.get("epoch") or 1))
        if "batch" in change and not rest:  # who asked for epochs gets as many of them, of other steps
            options["steps"] = epochs * -(-self.kernel.rows // int(options["batch"]))
        steps = int(options.get("steps", self.steps))
        newton = isinstance(options["method"], str) and options["method"] in ("newton", "lm")
        rows = options.get("batch") or self.kernel.rows or 1
        share = rows / (self.kernel.rows or 1)
        # A method ends by itself long before its last step.
        cost = float(self.kernel.work()) * (min(steps, 400) * (self.kernel.n if newton else 3) if "method" in change
                                            else steps * share)  # fmt: skip
        if cost > min(self.left, AT_ONCE):
            return None
        self.left -= cost
        try:
            begun = {} if start is None else {"start": self.kernel.split(x0)}
            return Trial({**begun, **change}, self._descend(x0, options))
        except SymgdError:  # the rule or the method cannot be used here
            return None

    def _descend(self, x0: Vector, options: dict[str, Any]) -> Run:
        kernel = self.kernel
        if isinstance(kernel, Kernel):
            kernel = descent.through(kernel, options)
            settings = descent.prepare(kernel, x0, 1.0, options)
        else:
            named = {k: v for k, v in options.items() if k not in ("method", "lr")}
            settings = descent.with_method(str(options["method"]), named)
        return descent.descend(kernel, descent.begin(kernel, x0, settings), settings, progress=False)

    # ---- what is better --------------------------------------------------------------------------------------------

    @property
    def own(self) -> float:
        """Where the run ended, or its start, where that is lower: a remedy must beat both."""
        sign = -1.0 if self.run.maximized else 1.0
        ends = sign * np.array([self.run.value, self.run.history.value[0]])
        ends = ends[np.isfinite(ends)]
        return float(ends.min()) if len(ends) else math.inf

    def better(self, trial: Trial | None, floor: float | None = None) -> bool:
        """Tell whether a trial ends clearly lower than the run, and the start.

        Parameters
        ----------
        trial : Trial or None
            The trial.
        floor : float, optional
            The lowest value that is known.

        Returns
        -------
        bool
        """
        if trial is None or not math.isfinite(trial.value):
            return False
        gain = self.own - trial.value
        low = trial.value if floor is None else min(floor, trial.value)
        return gain > 1e-12 * abs(self.own) and gain >= SHARE * (self.own - low)

    def best_lr(self, candidates: Iterable[float], floor: float | None = None, **more: Any) -> Trial | None:
        """Try learning rates, and give what ended lowest, if that is better; the first that ends well ends the search.

        Parameters
        ----------
        candidates : iterable of float
            Learning rates; they are rounded down to the three digits that are told.
        floor : float, optional
            The lowest value that is known.
        **more : object
            Further changes.

        Returns
        -------
        Trial or None
        """
        found: Trial | None = None
        for lr in candidates:
            if not (math.isfinite(lr) and lr > 0):
                continue
            trial = self.make(lr=float(typed(lr)), **more)
            if self.better(trial, floor) and (found is None or trial.value < found.value):  # type: ignore[union-attr]
                found = trial
                near = floor is not None and found is not None and found.value - floor <= 1e-3 * (self.own - floor)
                if found is not None and found.run is not None and (found.run.ok or near):
                    break
        return found

    def best_method(self, names: Iterable[str] = METHODS) -> Trial | None:
        """Try methods other than the run's own, and give the first that ends well, or else the lowest.

        Parameters
        ----------
        names : iterable of str
            Methods.

        Returns
        -------
        Trial or None
        """
        found: Trial | None = None
        if not self.kernel.smooth:  # at a kink there is no Hessian
            names = sorted(names, key=lambda name: name in ("lm", "newton", "newton_cg"))
        for name in names:
            if name == self.recipe.get("method") or (name == "lm" and self.kernel.squares() is None):
                continue
            if name in ("newton", "lm", "newton_cg") and not self.kernel.curved:
                continue
            trial = self.make(method=name)
            if trial is None or trial.run is None or not self.better(trial):
                continue
            if trial.run.ok:
                return trial
            if found is None or trial.value < found.value:
                found = trial
        return found


def typed(value: float, digits: int = 3) -> str:
    """Write a number rounded toward 0, so that typed back it is not larger than it is.

    Parameters
    ----------
    value : float
        The number.
    digits : int
        Digits to write.

    Returns
    -------
    str

    Examples
    --------
    >>> typed(4.33335588e-07, 6), typed(0.0416666), typed(0.5)
    ('4.33335e-07', '0.0416', '0.5')
    """
    if not (math.isfinite(value) and value):
        return f"{value:g}"
    text = f"{value:.{digits}g}"
    if abs(float(text)) > abs(value):
        unit = 10.0 ** (math.floor(math.log10(abs(value))) - digits + 1)
        text = f"{value - math.copysign(unit, value):.{digits}g}"
        if abs(float(text)) > abs(value):  # rounded up all the same, as of 9.9996
            text = f"{value - 2.0 * math.copysign(unit, value):.{digits}g}"
    return text


def ended(trial: Trial, own: float, sign: float) -> str:
    """Say where a trial ended.

    Parameters
    ----------
    trial : Trial
        The trial.
    own : float
        Where the run ended.
    sign : float
        -1 where values are told with the opposite sign.

    Returns
    -------
    str
    """
    assert trial.run is not None
    steps = trial.run.steps
    told = f"{steps:,} step{'s' * (steps != 1)} end{'s' * (steps == 1)}"
    end = f"at {sign * trial.value:.6g}"
    return f"{told} {end}" + (f" instead of {sign * own:.6g}" if math.isfinite(own) else "")


def remedy(trials: Iterable[Trial | None], own: float, sign: float = 1.0) -> tuple[str, Mapping[str, Any]]:
    """Write what was tried and worked, the first first; with what it changes in the call.

    Parameters
    ----------
    trials : iterable of Trial or None
        What was tried.
    own : float
        Where the run ended.
    sign : float
        -1 where values are told with the opposite sign.

    Returns
    -------
    text : str
        Empty where nothing worked.
    change : dict
        Of the first.
    """
    good = [trial for trial in trials if trial is not None]
    parts = []
    for trial in good:
        named = ", ".join(_option(name, value) for name, value in trial.change.items())
        parts.append(f"{named}: {ended(trial, own, sign)}")
    if not parts:
        return "", {}
    return f"Take {'; or '.join(parts)}.", good[0].change


def _option(name: str, value: Any) -> str:
    """Write an option as it is typed."""
    if name == "start":
        return f"a start at {_point(value)}"
    return f"{name}={value!r}" if isinstance(value, str) else f"{name}={value:.12g}"


def _point(point: Mapping[str, Any]) -> str:
    """Write a point; of arrays, what their numbers are like."""
    few = list(point.items())[:4]
    texts = [
        f"{name} = {value:.4g}"
        if np.ndim(value) == 0
        else f"{name} of size {float(np.abs(value).max(initial=0.0)):.3g}"
        for name, value in few
    ]
    return ", ".join(texts) + (", ..." if len(point) > len(few) else "")


def some_rows(kernel: Kernel, batch: int) -> Kernel | None:
    """Give an objective on as many of its rows as a step looks at.

    Parameters
    ----------
    kernel : Kernel
        The objective.
    batch : int
        How many.

    Returns
    -------
    Kernel or None
        ``None`` where the data stay on disk.
    """
    if kernel.stored:
        return None
    rows = np.sort(np.random.default_rng(0).permutation(kernel.rows)[:batch])
    names = {column.name for column in kernel.program.layout.columns if column.rows}
    data = {name: np.asarray(v)[rows] if name in names else v for name, v in kernel.data.items()}
    return Kernel(kernel.program, data, "python", 1, batch)
