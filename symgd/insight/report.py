"""The report on a point: its curvatures, and what they say about learning rates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd import display
from symgd.curvature.corner import corner
from symgd.curvature.directions import in_names, names_of
from symgd.curvature.kind import classify, judge_large
from symgd.curvature.problem import Problem
from symgd.curvature.spectrum import DENSE, EPS, dense, extremes, unit_diagonal
from symgd.display import finite
from symgd.insight import rates, words
from symgd.insight.flat import Flat, flat_directions, flat_pairs
from symgd.insight.rates import Momentum
from symgd.records import dataclass
from symgd.verdict import Kind, Reason, Verdict

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

NEAR = 1e-5  # how short Newton's step must be beside the point, where the gradient is not small


@dataclass(frozen=True, eq=False)
class Curvature:
    """Second-order account of a point.

    Parameters
    ----------
    params : sequence of str
        A name for each number of the parameters, in order.
    eigenvalues : ndarray, shape (k,)
        Of the Hessian, ascending: all of them up to 512 parameters, beyond the three smallest and the three largest.
    eigenvectors : ndarray, shape (n, k)
        The columns belong to the eigenvalues, and have length 1.
    gradient_norm : float
        The Euclidean norm of the gradient there.
    verdict : Verdict
        What kind of point it is, and how that is known.
    errors : ndarray, shape (k,)
        Error bounds: there is an eigenvalue so near to each that is given.
    converged : bool
        Whether the eigenvalues are as exact as they were meant to be; that of a few hundred parameters always is.
    note : str
        How the eigenvalues were found.
    flat : tuple of Flat
        Directions along which the curvature is next to nothing.
    scales : dict of str to float
        For each parameter the size of a step that matters: measured in these, each parameter has the curvature 1. Empty
        where the Hessian was not formed.
    scaled_condition : float
        The condition in parameters measured so; nan where the Hessian was not formed.
    data : tuple of str
        The arrays of data that the objective reads.
    doubt : str
        How many digits the derivatives have, where quotients have lost some; empty where none are lost.
    """

    params: Sequence[str]
    eigenvalues: Vector
    eigenvectors: Matrix
    gradient_norm: float
    verdict: Verdict
    errors: Vector
    converged: bool
    note: str
    flat: tuple[Flat, ...]
    scales: Mapping[str, float]
    scaled_condition: float
    data: tuple[str, ...]
    doubt: str = ""

    @property
    def kind(self) -> Kind:
        """What kind of point it is."""
        return self.verdict.kind

    @property
    def message(self) -> str:
        """How that is known, as a clause."""
        return f"{self.verdict.message}; {self.doubt}" if self.doubt else self.verdict.message

    @property
    def smallest(self) -> float:
        """The smallest eigenvalue; nan without parameters."""
        return float(self.eigenvalues[0]) if len(self.eigenvalues) else math.nan

    @property
    def largest(self) -> float:
        """The largest eigenvalue; nan without parameters."""
        return float(self.eigenvalues[-1]) if len(self.eigenvalues) else math.nan

    @property
    def condition(self) -> float:
        """Largest eigenvalue over smallest, in size; infinite where one is 0 as far as its error can tell."""
        size = np.abs(self.eigenvalues)
        if not len(size) or not np.isfinite(size).all():
            return math.nan
        return float(size.max() / size.min()) if (size > self.errors).all() else math.inf

    @property
    def positive(self) -> bool:
        """Whether every curvature is positive beyond its error."""
        return math.isfinite(self.condition) and self.smallest > 0

    @property
    def largest_lr(self) -> float:
        """The learning rate from which on gradient descent leaves this point: 2 over the largest eigenvalue.

        Infinite where no curvature is positive: then no direction limits it. nan at a kink and at the edge of the
        domain, where curvatures do not say.
        """
        return self.largest_lr_momentum(0.0)

    def largest_lr_momentum(self, beta: float) -> float:
        """Give the learning rate from which on gradient descent with momentum leaves this point.

        Parameters
        ----------
        beta : float
            The momentum, in [0, 1).

        Returns
        -------
        float
            2*(1 + beta) over the largest eigenvalue.

        Raises
        ------
        UsageError
            If `beta` is out of bounds.

        References
        ----------
        Polyak 1964; Goh 2017, Why momentum really works.

        Examples
        --------
        >>> import symgd
        >>> symgd.Objective("(5*x**2 + y**2)/2").curvature(x=0, y=0).largest_lr_momentum(0.5)
        0.6
        """
        beta = rates.checked_beta(beta)
        if math.isnan(self.largest) or self.kind.kinked or self.kind == Kind.BOUNDARY:
            return math.nan
        return 2.0 * (1.0 + beta) / self.largest if self.largest > 0 else math.inf

    @property
    def best_lr(self) -> float | None:
        """The fixed learning rate that is fastest at worst: 2 over the sum of smallest and largest eigenvalue.

        ``None`` unless every curvature is positive.
        """
        return 2.0 / (self.smallest + self.largest) if self.positive else None

    @property
    def rate(self) -> float | None:
        """What a step of gradient descent with `best_lr` leaves of the error: (L - mu)/(L + mu)."""
        return (self.largest - self.smallest) / (self.largest + self.smallest) if self.positive else None

    @property
    def momentum(self) -> Momentum | None:
        """Polyak's pair: the learning rate and the momentum that are fastest at worst, with the rate that they give."""
        return rates.polyak(self.smallest, self.largest) if self.positive else None

    def steps(self, tolerance: float = 1e-6, method: str = "gd") -> int | None:
        """Predict the steps that reduce the distance to the minimum by a factor, with the best fixed learning rate.

        Parameters
        ----------
        tolerance : float
            The factor, in (0, 1).
        method : str
            ``"gd"`` with `best_lr`, or ``"momentum"`` with Polyak's pair.

        Returns
        -------
        int or None
            Exact for the quadratic with these curvatures, from the worst start; ``None`` unless every curvature is
            positive.

        Raises
        ------
        UsageError
            For another method, or a tolerance out of bounds.

        Examples
        --------
        >>> import symgd
        >>> symgd.Objective("(5*x**2 + y**2)/2").curvature(x=0, y=0).steps(1e-6)
        35
        """
        rates.check_steps(tolerance, method)
        if not self.positive:
            return None
        return rates.steps(self.smallest, self.largest, float(tolerance), method)

    @property
    def directions(self) -> tuple[str, ...]:
        """The eigenvectors, in the parameters' names."""
        return tuple(in_names(self.params, d) for d in self.eigenvectors.T)

    def to_dict(self) -> dict[str, Any]:
        """Give the account as plain data, ready for JSON; nan and infinities become ``None``."""
        pair = self.momentum
        if len(self.params) <= DENSE:
            columns = [dict(zip(self.params, column, strict=True)) for column in self.eigenvectors.T.tolist()]
        else:
            columns = [_heaviest(self.params, d) for d in self.eigenvectors.T]
        return {
            "kind": str(self.kind),
            "message": self.message,
            "gradient_norm": finite(self.gradient_norm),
            "parameters": len(self.params),
            "eigenvalues": [finite(v) for v in self.eigenvalues.tolist()],
            "errors": [finite(v) for v in self.errors.tolist()],
            "converged": self.converged,
            "note": self.note,
            "directions": list(self.directions),
            "eigenvectors": columns,
            "condition": finite(self.condition),
            "largest_lr": finite(self.largest_lr),
            "best_lr": self.best_lr,
            "rate": self.rate,
            "momentum": pair.to_dict() if pair else None,
            "steps": {method: self.steps(method=method) for method in rates.METHODS},
            "flat": [flat.to_dict() for flat in self.flat],
            "scaled_condition": finite(self.scaled_condition),
            "scales": {name: finite(v) for name, v in self.scales.items()},
        }

    def explain(self) -> str:
        """Give the account as a few lines of text.

        Returns
        -------
        str

        Examples
        --------
        >>> import symgd
        >>> print(symgd.Objective("(5*x**2 + y**2)/2").curvature(x=0, y=0).explain())
        point      minimum: every curvature is positive; the gradient's norm is 0
        curvature  1            along y
                   5            along x
        condition  5; all eigenvalues
        lr         gradient descent is stable here below 0.4
                   fastest at 0.333333: a step leaves 0.666667 of the error, 35 steps to a millionth
        momentum   fastest at 0.381966 with beta=0.145898: a step leaves 0.381966 of the error, 18 steps to a millionth
        """
        return "\n".join(f"{label:11}{line}" for label, line in words.explained(self))

    def __repr__(self) -> str:
        values = ", ".join(f"{v:.6g}" for v in self.eigenvalues[:8])
        why = f": {self.message}" if np.isnan(self.eigenvalues).any() else ""
        return (
            f"Curvature({self.kind}{why}, eigenvalues=[{values}{', ...' if len(self.eigenvalues) > 8 else ''}], "
            f"condition={self.condition:.4g}, largest_lr={self.largest_lr:.6g})"
        )

    def _repr_html_(self) -> str:
        return display.html("curvature", words.explained(self))


def _heaviest(names: Sequence[str], d: Vector, most: int = 10) -> dict[str, float]:
    order = np.argpartition(-np.abs(d), most)[:most]
    return {names[i]: float(d[i]) for i in order[np.argsort(-np.abs(d[order]), kind="stable")]}


@np.errstate(all="ignore")  # numerical trouble is data
def curvature(kernel: Problem, x: Vector, gtol: float = 1e-8, k: int = 3) -> Curvature:
    """Work the curvature at a point out.

    Parameters
    ----------
    kernel : Problem
        The objective.
    x : ndarray, shape (n,)
        The point.
    gtol : float
        Gradient norm up to which the point counts as stationary. It also does where Newton's step to a stationary point
        is 1e-5 of the point's own size, as of a point that is copied with six digits; parameters are measured by their
        curvatures.
    k : int
        How many of the smallest eigenvalues, and how many of the largest, of more than `DENSE` parameters.

    Returns
    -------
    Curvature

    References
    ----------
    Nocedal and Wright 2006, section 2.1 (second-order conditions); Polyak 1964, Some methods of speeding up the
    convergence of iteration methods.
    """
    names = names_of(kernel)
    data = kernel.columns
    if not len(x):
        found = dense(np.zeros((0, 0)))
        return Curvature(
            names, found.values, found.vectors, 0.0, Verdict(Kind.UNKNOWN, Reason.NOTHING), found.errors,
            found.converged, found.note, (), {},
            math.nan, data,
        )  # fmt: skip
    f, g = kernel.slope(x)
    norm = _norm(g)
    if len(x) > DENSE:
        found = extremes(kernel, x, k)
        verdict = judge_large(names, found) if norm <= gtol else _elsewhere(f, norm)
        flat = flat_pairs(kernel, x, f, found, names)
        scales: dict[str, float] = {}
        scaled_condition = math.nan
    else:
        # A formula that is nan has no curvature, though its derivatives may be numbers: log(x) at -1.
        h = kernel.hessian(x) if math.isfinite(f) else np.full((len(x), len(x)), np.nan)
        found = dense(h)
        if _stationary(h, x, g, gtol):
            verdict = classify(kernel, x, f, g)
        else:
            verdict = _elsewhere(f, norm)
            kink = corner(kernel, x) if verdict.kind == Kind.NOT_STATIONARY else None
            verdict = replace(kink, slope=norm) if kink else verdict
        flat = () if verdict.kind.kinked else flat_directions(kernel, x, f, h, names, found)
        scales, scaled_condition = _scaled(h, names)
    doubt = kernel.doubt(x) if math.isfinite(f) and math.isfinite(norm) else ""
    return Curvature(
        names, found.values, found.vectors, norm, verdict, found.errors, found.converged, found.note, flat,
        scales, scaled_condition, data, doubt,
    )  # fmt: skip


def _elsewhere(f: float, norm: float) -> Verdict:
    if math.isfinite(f) and math.isfinite(norm):
        return Verdict(Kind.NOT_STATIONARY, Reason.SLOPE, (norm,))
    if math.isfinite(f):
        return Verdict(Kind.BOUNDARY, Reason.NOT_FINITE, (), "gradient")
    return Verdict(Kind.BOUNDARY, Reason.NO_VALUE, (f,))


def _stationary(h: Matrix, x: Vector, g: Vector, gtol: float) -> bool:
    """Tell whether the gradient is as good as 0: by its norm, or by Newton's step."""
    if _norm(g) <= gtol:
        return bool(not np.isnan(h).all())
    if not (np.isfinite(h).all() and np.isfinite(g).all()):
        return False
    scaled, size = unit_diagonal(h)
    values, vectors = np.linalg.eigh(scaled)
    if float(np.abs(values).min()) <= 64 * len(x) * EPS * float(np.abs(values).max()):
        return False
    step = (vectors.T @ (g / size)) / values
    return _norm(step) <= NEAR * _norm(x * size)


def _norm(g: Vector) -> float:
    """Give the length of a vector whose squares may overflow."""
    size = float(np.abs(g).max())
    return size * float(np.linalg.norm(g / size)) if 0.0 < size < math.inf else size


def _scaled(h: Matrix, names: Sequence[str]) -> tuple[dict[str, float], float]:
    """Give the parameters' own scales, and the condition that is left in them."""
    if not np.isfinite(h).all() or not h.any():
        return {}, math.nan
    scaled, size = unit_diagonal(h)
    bent = np.abs(np.diag(h)) > 0
    values = np.abs(np.linalg.eigvalsh(scaled))
    none = values.min() <= 64 * len(h) * EPS * values.max()
    scales = {name: 1.0 / s if b else math.inf for name, s, b in zip(names, size.tolist(), bent, strict=True)}
    return scales, math.inf if none else float(values.max() / values.min())
