"""Models and data to parameters with standard errors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np

from symgd.errors import UsageError, shown, unknown_option
from symgd.fitting import statistics
from symgd.fitting.account import Facts, denied, findings, message
from symgd.fitting.curve import Band
from symgd.fitting.problem import Problem, read
from symgd.fitting.result import Fit, checked_level
from symgd.fitting.solve import Search, Solution
from symgd.history import History
from symgd.run import Outcome, Run
from symgd.squares.factors import lengths
from symgd.verdict import Kind, Reason, Verdict

__all__ = ["Band", "Fit", "fit"]

OPTIONS = ("target", "start", "weights", "sigma", "absolute_sigma", "level", "covariance", "fixed")


def fit(
    model: str, data: Any, target: str = "y", start: Any = None, *, weights: Any = None, sigma: Any = None,
    absolute_sigma: bool = False, level: float = 0.95, covariance: str = "jacobian",
    fixed: Mapping[str, float] | None = None, **others: Any,
) -> Fit:  # fmt: skip
    r"""Fit a model to data by least squares.

    The parameters minimize

    .. math:: \sum_i w_i (y_i - m(x_i; b))^2 .

    Levenberg's and Marquardt's method is run with the exact Jacobian in all parameters, and once more without those
    that the model is linear in. If that ends at no sound minimum, other starts around the given one are tried. Newton's
    steps with the exact Hessian then settle the last digits, with numbers of 40 digits where those of float64 would
    show in the result.

    Parameters
    ----------
    model : str
        A formula of columns and parameters: every name that is no column is a parameter.
    data : mapping, DataFrame or path
        Columns by name, as for `Objective`.
    target : str
        The column that is fitted, or a formula of columns, such as ``"log(y)"``.
    start : mapping, or sequence in the order of the parameters, optional
        Where to start. Without one, ones and numbers around them are tried, and the best end is taken.
    weights : str or array-like, optional
        What the squared residuals are multiplied by, at least 0: a column, a formula of columns, or the numbers.
    sigma : str or array-like, optional
        Standard deviations of the target, in its units, instead of weights: ``weights = 1/sigma**2``.
    absolute_sigma : bool
        Whether `sigma` is to be taken at its word. Otherwise only its ratios count, and the residuals say how large
        the variance is.
    level : float
        Of confidence intervals, in (0, 1).
    covariance : str
        Where standard errors come from: ``"jacobian"``, ``s**2 * inv(J.T @ J)``, which is what is usually published;
        ``"hessian"``, ``2 * s**2 * inv(H)`` with the exact Hessian of the sum of squares, which takes the curvature of
        the model into account; ``"robust"``, which does not assume that all residuals have the same variance.
    fixed : mapping of str to float, optional
        Parameters that keep these values: numbers of the model, as if they stood in it.
    **others : object
        There are no others: each is refused, with the name that it has here.

    Returns
    -------
    Fit

    Raises
    ------
    FormulaError
        If a formula is none.
    DataError
        If a column is missing, or a number in one that is used is not finite: says in which row.
    UsageError
        If there are fewer rows than parameters, or an option makes no sense.

    References
    ----------
    Moré 1978, The Levenberg-Marquardt algorithm: implementation and theory; Golub and Pereyra 1973, The differentiation
    of pseudo-inverses and nonlinear least squares problems whose variables separate; Seber and Wild 2003, Nonlinear
    Regression, chapter 2.

    Examples
    --------
    >>> data = {"x": [0, 1, 2, 3, 4], "y": [5.1, 3.0, 2.1, 1.2, 0.8]}
    >>> found = fit("a*exp(-b*x)", data, start={"a": 1, "b": 1})
    >>> found
    Fit(converged_gradient, a=5.05067 ± 0.12, b=0.470524 ± 0.021, rsd=0.1226, dof=3)
    >>> found.ok, round(found.rss, 6)
    (True, 0.045069)
    """
    for name in others:
        raise unknown_option(name, OPTIONS)
    if not isinstance(covariance, str) or covariance not in statistics.KINDS:
        raise UsageError(f"covariance={shown(covariance)} must be one of {', '.join(statistics.KINDS)}")
    checked_level(level)
    if absolute_sigma and sigma is None:
        raise UsageError("absolute_sigma=True says that sigma is to be taken at its word; give sigma")
    problem = read(model, data, target, start, weights, sigma, fixed)
    begun = perf_counter()
    magnitude = float(np.linalg.norm(problem.weighted[0]))
    found = Search(problem.squares, magnitude, problem.rows.total).run(None if problem.guessed else problem.start)
    return _result(problem, found, perf_counter() - begun, level, covariance, absolute=bool(absolute_sigma))


@np.errstate(all="ignore")  # numerical trouble is data
def _result(problem: Problem, found: Solution, seconds: float, level: float, covariance: str, *, absolute: bool) -> Fit:
    """Make the account of a search."""
    squares, at = problem.squares, found.at
    if covariance == "hessian" and at.hessian is None:  # the search did without; the objective's own code has it
        at = replace(at, hessian=problem.objective.hess(at.x) / 2)
    rss, counted, rows = at.factors.rss, int((problem.rows.w > 0).sum()), problem.rows
    felt = statistics.directions(at.factors.R, found.lost)
    rank = squares.n if felt is None else felt.rank
    deviation = 1 / rows.scale if absolute else math.sqrt(rss / (counted - rank)) if counted > rank else math.nan
    spread = statistics.spread(squares, at, covariance, deviation, felt, counted)
    facts = Facts(problem, found, felt, squares.residuals(at.x), counted, absolute)
    outcome, kind = found.outcome, found.kind
    if felt is not None and felt.open and outcome.converged:
        kind = Kind.DEGENERATE
        outcome = Outcome.DIVERGED if found.lost else outcome
    point = {name: np.array(v, dtype=np.float64) if np.ndim(v) else float(v)
             for name, v in squares.point(at.x).items()}  # fmt: skip
    text = message(facts)
    return Fit(
        problem.formula, problem.target, point, spread, covariance, rss, rows, absolute, float(level),
        _condition(at.factors.R), rank, outcome, kind, text, findings(facts), denied(facts),
        _run(problem, found, point, outcome, kind, text, seconds), problem.fixed,
    )  # fmt: skip


def _condition(R: Any) -> float:
    norms = lengths(R)
    if not np.isfinite(R).all() or not norms.all():
        return math.inf
    s = np.linalg.svd(R / norms, compute_uv=False)
    return float(s[0] / s[-1]) if s[-1] > 0 else math.inf


def _run(
    problem: Problem, found: Solution, point: Any, outcome: Outcome, kind: Kind, message: str, seconds: float
) -> Run:
    """Give the search as a run: the descent from the start, and the end."""
    at, trace = found.at, found.trace
    slope = 2 * float(np.linalg.norm(at.factors.gradient))
    xs, values, slopes = [*trace.x, at.x], [*trace.rss, at.factors.rss], [*trace.slope, slope]
    history = History(
        problem.objective.params, np.arange(len(xs)), np.array(values), np.array(slopes), np.array(xs),
        tuple(problem.squares.shapes.values()),
    )  # fmt: skip
    return Run(
        problem.objective.text, point, at.factors.rss, slope, outcome, message, Verdict(kind, Reason.MUTE), found.steps,
        found.evaluations, seconds, history, "lm", "auto", objective=problem.objective,
    )  # fmt: skip
