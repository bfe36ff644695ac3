"""What a fit gives back: parameters with their errors, and how well they describe the data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.checks import number
from symgd.data import Data
from symgd.display import finite, plain
from symgd.errors import UsageError, shown
from symgd.fitting import curve, report, statistics
from symgd.fitting.curve import Band
from symgd.fitting.rows import Rows
from symgd.fitting.statistics import Spread
from symgd.objective.formula import Formula
from symgd.parameters import Shapes
from symgd.records import dataclass
from symgd.run import Finding, Outcome, Run
from symgd.verdict import Kind

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted model.

    Parameters
    ----------
    formula : Formula
        The model, its parameters and data.
    target : str
        What was fitted.
    point : dict of str to float or ndarray
        The parameters.
    spread : Spread
        How far they may be from where they are.
    covariance_kind : str
        How it was formed: ``"jacobian"``, ``"hessian"`` or ``"robust"``.
    squares : float
        The sum of the squared residuals, weighted, in the units of ``rows``.
    rows : Rows
        The target and its weights.
    absolute_sigma : bool
        Whether the standard deviations that were given are absolute.
    level : float
        Of the intervals.
    condition : float
        The condition number of the Jacobian, its columns scaled to length 1.
    rank : int
        How many directions of the parameters the data determine: the degrees of freedom that they take.
    outcome : Outcome
        How the search ended.
    kind : Kind
        What kind of point it ended at.
    message : str
        The same in a sentence.
    diagnosis : tuple of Finding
        What is not as it should be, each with ``code``, ``message``, ``remedy`` and ``evidence``; none for a healthy
        fit.
    denied : bool
        Whether the point is likely no minimum that was meant, for it explains less than a constant.
    run : Run
        The descent from the start, as `Objective.minimize` would give it.
    fixed : dict of str to float
        Parameters that kept their values.
    """

    formula: Formula = field(repr=False)
    target: str
    point: Mapping[str, Any]
    spread: Spread = field(repr=False)
    covariance_kind: str
    squares: float
    rows: Rows = field(repr=False)
    absolute_sigma: bool
    level: float
    condition: float
    rank: int
    outcome: Outcome
    kind: Kind
    message: str
    diagnosis: tuple[Finding, ...]
    denied: bool = field(repr=False)
    run: Run = field(repr=False)
    fixed: Mapping[str, float] = field(default_factory=dict)

    @property
    def model(self) -> str:
        """The model's formula."""
        return self.formula.text

    @property
    def data(self) -> Data:
        """The data."""
        return self.formula.data

    # ---- how it went -----------------------------------------------------------------------------------------------

    @property
    def ok(self) -> bool:
        """Whether the search ended at a minimum at which the data determine every parameter."""
        return self.outcome.converged and self.kind.minimal and not self.denied

    @property
    def steps(self) -> int:
        """Steps taken, those from all starts."""
        return self.run.steps

    # ---- parameters ------------------------------------------------------------------------------------------------

    @property
    def shapes(self) -> Shapes:
        """The shapes of the parameters."""
        return self.formula.shapes

    @cached_property
    def names(self) -> tuple[str, ...]:
        """A name for each number of the parameters."""
        return self.shapes.names

    @cached_property
    def x(self) -> Array:
        """The parameters as a vector, arrays row after row."""
        return self.shapes.join(self.point)

    @property
    def covariance(self) -> Array:
        """That of the parameters, arrays row after row; infinite on the diagonal where the data do not tell them."""
        return self.spread.covariance

    @property
    def _errors(self) -> Array:
        return self.spread.errors

    @property
    def stderr(self) -> dict[str, Any]:
        """The standard errors, by name; infinite for what the data do not determine."""
        return self.shapes.values_of(self._errors)

    @property
    def correlation(self) -> Array:
        """The correlations of the parameters, shape (n, n)."""
        return self.spread.correlation

    @property
    def tstat(self) -> dict[str, Any]:
        """The parameters in standard errors, by name."""
        with np.errstate(all="ignore"):
            return self.shapes.values_of(self.x / self._errors)

    @property
    def pvalues(self) -> dict[str, Any]:
        """The probability of a `tstat` further from 0, by Student's distribution, were the parameter 0."""
        with np.errstate(all="ignore"):
            return self.shapes.values_of(statistics.tail(self.x / self._errors, self._dof_of_intervals))

    @property
    def _dof_of_intervals(self) -> float:
        return math.inf if self.absolute_sigma else self.dof

    def _width(self, level: float | None) -> float:
        return statistics.quantile(checked_level(self.level if level is None else level), self._dof_of_intervals)

    def interval(self, level: float | None = None) -> dict[str, tuple[Any, Any]]:
        """Give confidence intervals of the parameters.

        Parameters
        ----------
        level : float, optional
            The probability that an interval covers the parameter, in (0, 1); by default that of the fit.

        Returns
        -------
        dict of str to tuple
            The lower and the upper bound: as many standard errors to both sides as Student's distribution says, or
            the normal one, where the standard deviations are absolute.

        Raises
        ------
        UsageError
            If the level is not in (0, 1).
        """
        half = self._width(level) * self._errors
        lower, upper = self.shapes.values_of(self.x - half), self.shapes.values_of(self.x + half)
        return {name: (lower[name], upper[name]) for name in self.point}

    @property
    def intervals(self) -> dict[str, tuple[Any, Any]]:
        """The confidence intervals at the level of the fit."""
        return self.interval()

    # ---- residuals -------------------------------------------------------------------------------------------------

    @property
    def y(self) -> Array:
        """The target's values."""
        return self.rows.y

    @property
    def weights(self) -> Array:
        """What the squared residuals were multiplied by, in the target's shape; of extreme sizes only the ratios."""
        return self.rows.w

    @cached_property
    def fitted(self) -> Array:
        """The model's values, in the shape of the target."""
        return np.broadcast_to(self.formula.values(self.point), self.y.shape).copy()

    @property
    def residuals(self) -> Array:
        """The target minus the model, not weighted."""
        return self.y - self.fitted

    @property
    def rss(self) -> float:
        """The sum of the squared residuals, weighted."""
        return self.squares * self.rows.scale * self.rows.scale

    @property
    def n(self) -> int:
        """How many values of the target count: those of positive weight."""
        return int((self.weights > 0).sum())

    @property
    def dof(self) -> int:
        """Degrees of freedom: values of the target less directions of the parameters that they determine."""
        return self.n - self.rank

    @property
    def variance(self) -> float:
        """The residual variance: ``rss/dof``, or 1 where the standard deviations are absolute."""
        return 1.0 if self.absolute_sigma else self.rss / self.dof if self.dof > 0 else math.nan

    @property
    def rsd(self) -> float:
        """The residual standard deviation ``sqrt(rss/dof)``; nan without degrees of freedom."""
        return math.sqrt(self.squares / self.dof) * self.rows.scale if self.dof > 0 else math.nan

    @property
    def r2(self) -> float:
        """The share of the target's weighted variance that the model explains; negative where a mean does better."""
        return 1 - self.squares / self.rows.total if self.rows.total > 0 else math.nan

    @property
    def loglik(self) -> float:
        """The logarithm of the likelihood for normal residuals, their variance the likeliest where it is not given."""
        rows, n = self.rows, self.n
        half = 0.5 * float(np.log(rows.w[rows.w > 0]).sum())
        if self.absolute_sigma:
            return half + n * math.log(rows.scale / rows.unit) - 0.5 * (self.rss + n * math.log(2 * math.pi))
        if not self.squares > 0:
            return math.inf
        return half - n * math.log(rows.unit) - 0.5 * n * (math.log(2 * math.pi * self.squares / n) + 1)

    @property
    def _parameters(self) -> int:
        """Parameters of the likelihood: the variance is one, where it is not given."""
        return self.rank + (not self.absolute_sigma)

    @property
    def aic(self) -> float:
        """Akaike's information criterion."""
        return 2 * self._parameters - 2 * self.loglik

    @property
    def bic(self) -> float:
        """Schwarz's information criterion."""
        return self._parameters * math.log(self.n) - 2 * self.loglik

    # ---- predictions -----------------------------------------------------------------------------------------------

    def predict(self, data: Any = None, band: str | None = None, level: float | None = None) -> Array | Band:
        """Give the model's values at rows of data.

        Parameters
        ----------
        data : mapping, DataFrame or path, optional
            The columns that the model reads; by default those of the fit.
        band : str, optional
            ``"confidence"`` for bounds of the curve, ``"prediction"`` for those of a further observation of weight 1.
        level : float, optional
            Of the bounds, in (0, 1); by default that of the fit.

        Returns
        -------
        ndarray, or Band of value, lower and upper

        Raises
        ------
        DataError
            If a column is missing.
        UsageError
            For another band, or a level that is not in (0, 1).

        References
        ----------
        Seber and Wild 2003, Nonlinear Regression, section 5.1 (linear approximation).
        """
        if band is not None and not (isinstance(band, str) and band in ("confidence", "prediction")):
            raise UsageError(f"band={shown(band)} must be 'confidence', 'prediction' or None")
        width = self._width(level)
        found, shape = (self.formula, self.y.shape) if data is None else curve.on(self.formula, data, self.fixed)
        if band is None:
            return np.broadcast_to(found.values(self.point), shape).copy()
        more = self.variance if band == "prediction" else 0.0
        return curve.band(found, shape, self.x, self.covariance, width, more)

    # ---- the account -----------------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Give the fit as plain data, ready for JSON; nan and infinities become ``None``."""
        return {
            "model": self.model,
            "target": self.target,
            "point": {k: plain(v) for k, v in self.point.items()},
            "fixed": dict(self.fixed),
            "stderr": {k: plain(v) for k, v in self.stderr.items()},
            "interval": {k: [plain(low), plain(high)] for k, (low, high) in self.intervals.items()},
            "level": self.level,
            "tstat": {k: plain(v) for k, v in self.tstat.items()},
            "pvalues": {k: plain(v) for k, v in self.pvalues.items()},
            "names": list(self.names),
            "covariance": plain(self.covariance),
            "correlation": plain(self.correlation),
            "covariance_kind": self.covariance_kind,
            "rss": finite(self.rss),
            "rsd": finite(self.rsd),
            "r2": finite(self.r2),
            "n": self.n,
            "dof": self.dof,
            "loglik": finite(self.loglik),
            "aic": finite(self.aic),
            "bic": finite(self.bic),
            "condition": finite(self.condition),
            "outcome": str(self.outcome),
            "ok": self.ok,
            "message": self.message,
            "kind": str(self.kind),
            "diagnosis": [finding.to_dict() for finding in self.diagnosis],
            "steps": self.steps,
            "evaluations": self.run.evaluations,
            "seconds": self.run.seconds,
            "method": self.run.method,
        }

    def summary(self) -> str:
        """Give the fit as a regression table."""
        return report.summary(self)

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Draw data, fitted curve, bands and residuals; with ``kind="path"`` or ``"loss"`` the descent.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.
        **options : object
            Passed to `symgd.plotting.plot_fit`.

        Returns
        -------
        Axes
        """
        from symgd.plotting import plot_fit

        return plot_fit(self, ax, **options)

    def __repr__(self) -> str:
        errors = self._errors
        listed = [f"{name}={x:.6g} ± {e:.2g}" for name, x, e in zip(self.names, self.x, errors, strict=True)]
        shown_ = ", ".join(listed[:8]) + (", ..." if len(listed) > 8 else "")
        return f"Fit({self.outcome}{'' if self.ok else ' (not ok)'}, {shown_}, rsd={self.rsd:.4g}, dof={self.dof})"

    def _repr_html_(self) -> str:
        return report.html(self)


def checked_level(level: Any) -> float:
    """Refuse a level that is no probability."""
    return number("level", level, "a probability between 0 and 1, such as 0.95", low=0.0, high=1.0, closed=False)
