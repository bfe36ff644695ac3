r"""Sums of functions of one linear form each: quadratics, and what grows more slowly than they do.

.. math:: f(x) = m + \sum_i \frac{w_i}{o_i} s^2 \varphi\left(\frac{a_i \cdot (x - c)}{s}\right)

with :math:`\varphi''(0) = 1` the largest curvature of the function. So the Hessian at the minimizer c is the largest,
and its eigenvalues are those of :math:`\sum_i (w_i / o_i) a_i a_i^T`; the smallest curvature is that of the squares
among the terms alone. No term is negative, so that ``f - m`` loses no digits.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.errors import UsageError, shown, suggest
from symgd.records import dataclass
from symgd.testing.classes.known import Known, Spelling, Vector, bare, bracketed, linear, number, shifted

SPELT = 8  # parameters up to which a formula is written in numbers, x1, x2, ...; beyond, in arrays


@dataclass(frozen=True)
class Bowl:
    """A convex function of a number, with its smallest value 0 at 0, where its curvature is 1 and largest."""

    value: Callable[[Any], Any]
    slope: Callable[[Any], Any]
    text: Callable[[str, float], str]  # of the form, and the scale; times the scale's square


def _huber_text(t: str, s: float) -> str:
    size, factor = f"abs({bare(t)})", number(s)
    outer = ("" if s == 1 else f"{factor}*") + f"{size} - {number(s * s / 2)}"
    return f"where({size} <= {factor}, {bracketed(t)}**2/2, {outer})"


def _over(t: str, s: float) -> str:
    return t if s == 1 else f"{bracketed(t)}/{number(s)}"


def _logcosh(t: Any) -> Any:
    small = np.minimum(np.abs(t), 1.0)  # log1p keeps the digits near 0, and would overflow far from it
    t = np.abs(t)
    return np.where(t < 1, np.log1p(2 * np.sinh(small / 2) ** 2), t + np.log1p(np.exp(-2 * t)) - math.log(2))


BOWLS: dict[str, Bowl] = {
    "square": Bowl(lambda t: t * t / 2, lambda t: t, lambda t, _: f"{bracketed(t)}**2/2"),
    "huber": Bowl(
        lambda t: np.where(np.abs(t) <= 1, t * t / 2, np.abs(t) - 0.5),
        lambda t: np.clip(t, -1, 1),
        _huber_text,
    ),
    "logcosh": Bowl(
        _logcosh,
        np.tanh,
        lambda t, s: ("" if s == 1 else f"{number(s * s)}*") + f"logcosh({_over(t, s)})",
    ),
    "pseudohuber": Bowl(
        lambda t: t * t / (1 + np.hypot(1, t)),
        lambda t: t / np.hypot(1, t),
        lambda t, s: f"{bracketed(t)}**2/(1 + sqrt(1 + {bracketed(_over(t, s))}**2))",
    ),
}


@dataclass(frozen=True, eq=False)
class Ridge:
    """Terms of one kind: weights w/over, directions as rows, and the scale s at which they leave the square."""

    kind: str
    weights: Vector
    directions: NDArray[np.float64]
    over: Vector
    scale: float = 1.0

    @property
    def factors(self) -> Vector:
        """The weights as numbers."""
        return self.weights / self.over


class Ridges(Known):
    """A sum of functions of one linear form each.

    Parameters
    ----------
    ridges : sequence of Ridge
        The terms, by kind.
    minimizer : array of shape (n,)
        Where all of them are 0.
    minimum : float
        The value there.
    L : float, optional
        The largest curvature, where it is known better than by eigenvalues computed from the terms.
    mu : float, optional
        The smallest one, likewise.
    """

    def __init__(
        self, ridges: Sequence[Ridge], minimizer: Any, minimum: float = 0.0, *, L: float | None = None,
        mu: float | None = None,
    ) -> None:  # fmt: skip
        self.ridges = tuple(ridges)
        quadratic = all(r.kind == "square" for r in self.ridges)
        n = len(minimizer)
        if L is None:
            L = float(np.linalg.eigvalsh(_hessian(self.ridges, n))[-1])
        if mu is None:
            squares = [r for r in self.ridges if r.kind == "square"]
            eigenvalues = np.linalg.eigvalsh(_hessian(squares, n))
            # An eigenvalue of 0 comes out as rounding of the largest.
            mu = float(eigenvalues[0]) if eigenvalues[0] > 8 * n * np.finfo(float).eps * L else 0.0
        super().__init__(minimizer, minimum, L=L, mu=mu, quadratic=quadratic)

    def gap(self, x: Any) -> Any:
        """Give f - minimum."""
        away = np.asarray(x, dtype=float) - self.minimizer
        total: Any = 0.0
        for r in self.ridges:
            t = away @ r.directions.T / r.scale
            total = total + r.scale**2 * np.sum(r.factors * BOWLS[r.kind].value(t), axis=-1)
        return total

    def slope(self, x: Any) -> Any:
        """Give the gradient."""
        away = np.asarray(x, dtype=float) - self.minimizer
        total = np.zeros_like(away)
        for r in self.ridges:
            t = away @ r.directions.T / r.scale
            total += r.scale * (r.factors * BOWLS[r.kind].slope(t)) @ r.directions
        return total

    def nearest(self, x: Any) -> Any:
        """Give the nearest minimizer: all points where the forms are 0 are minimizers."""
        forms = np.concatenate([r.directions[r.factors > 0] for r in self.ridges])
        if self.mu:
            return super().nearest(x)
        away = np.asarray(x, dtype=float) - self.minimizer
        _, sizes, axes = np.linalg.svd(forms) if len(forms) else (None, np.zeros(0), np.eye(self.n))
        flat = axes[np.count_nonzero(sizes > 1e-12 * sizes.max(initial=0.0)) :]
        return self.minimizer + away @ flat.T @ flat

    def moved(self, minimizer: Any, turn: Any = None, factor: float = 1.0) -> Ridges:
        """Give the same objective elsewhere: about another minimizer, turned, or times a factor.

        Parameters
        ----------
        minimizer : array of shape (n,)
            Where its minimizer is.
        turn : array of shape (n, n), optional
            An orthogonal matrix that distances from the minimizer are turned by.
        factor : float
            What it is multiplied by, positive.

        Returns
        -------
        Ridges

        Examples
        --------
        >>> quadratic([3, 1]).moved([0, 2], turn=[[0, 1], [1, 0]], factor=2)
        Objective('3*(x2 - 2)**2 + x1**2', params=['x1', 'x2'])
        """
        ridges = [
            replace(
                r,
                weights=r.weights * factor,
                directions=r.directions if turn is None else r.directions @ np.transpose(turn),
            )
            for r in self.ridges
        ]
        mu = None if self.mu is None else self.mu * factor
        return Ridges(ridges, minimizer, self.minimum * factor, L=self.L * factor, mu=mu)

    def spelt(self) -> Spelling:
        """Give the formula."""
        if self.n > SPELT:
            return self._in_arrays()
        names = [f"x{i + 1}" for i in range(self.n)]
        terms = [
            term
            for r in self.ridges
            for w, o, a in zip(r.weights, r.over, r.directions, strict=True)
            if w and (term := _term(r.kind, w, o, linear(a, self.minimizer, names), r.scale))
        ]
        left = [f"0*{name}" for name in names if not any(re.search(rf"\b{name}\b", term) for term in terms)]
        return Spelling(shifted(" + ".join(left + terms), self.minimum))

    def _in_arrays(self) -> Spelling:
        data: dict[str, Any] = {}
        away = "x"
        if self.minimizer.any():
            data["c"], away = self.minimizer, "(x - c)"
        terms = []
        for k, r in enumerate(self.ridges):
            suffix = "" if len(self.ridges) == 1 else str(k + 1)
            data[f"w{suffix}"] = r.factors
            form = away
            if not np.array_equal(r.directions, np.eye(self.n)):
                data[f"A{suffix}"], form = r.directions, f"A{suffix} @ {away}"
            terms.append(f"sum(w{suffix}*{_loose(BOWLS[r.kind].text(form, r.scale), r.kind)})")
        return Spelling(shifted(" + ".join(terms), self.minimum), data, vector=True)


def _loose(text: str, kind: str) -> str:
    return text if kind != "pseudohuber" else f"({text})"


def _term(kind: str, weight: float, over: float, form: str, scale: float) -> str:
    """Write one term, its weight as a quotient of whole numbers where it is one."""
    if form == "0":
        return ""
    text = BOWLS[kind].text(form, scale)
    if kind == "square":
        text, over = text.removesuffix("/2"), 2 * over
    if float(weight).is_integer() and float(over).is_integer() and abs(weight) < 1e15:
        part = Fraction(int(weight), int(over))
        top, bottom = part.numerator, part.denominator
        return ("" if top == 1 else f"{top}*") + text + ("" if bottom == 1 else f"/{bottom}")
    return f"{number(weight)}*{text}" + ("" if over == 1 else f"/{number(over)}")


def _hessian(ridges: Sequence[Ridge], n: int) -> NDArray[np.float64]:
    total = np.zeros((n, n))
    for r in ridges:
        total += r.directions.T @ (r.factors[:, None] * r.directions)
    return total


# ---- made by hand ----------------------------------------------------------------------------------------------------


def ridge(kind: str, spectrum: Any, minimizer: Any = None, minimum: float = 0.0, *, basis: Any = None,
          over: Any = None, scale: float = 1.0, smallest: float = 0.0) -> Ridges:  # fmt: skip
    r"""Make a bowl of one kind along each direction of a basis, over a square if it must be strongly convex.

    Parameters
    ----------
    kind : str
        ``"square"``, ``"huber"``, ``"logcosh"`` or ``"pseudohuber"``.
    spectrum : array of shape (n,)
        The curvature along each direction, 0 or above.
    minimizer : array of shape (n,), optional
        By default 0.
    minimum : float
        The smallest value.
    basis : array of shape (n, n), optional
        The directions as rows, orthogonal; by default the axes.
    over : array of shape (n,), optional
        The squared lengths of the directions, for whole numbers in them; by default they are of length 1.
    scale : float
        Where it leaves the square, as a distance, positive.
    smallest : float
        A square of this curvature is added, 0 or above.

    Returns
    -------
    Ridges

    Raises
    ------
    UsageError
        For a kind that does not exist, or numbers out of bounds.

    Examples
    --------
    >>> ridge("huber", [1, 4], scale=0.5, smallest=1)
    Objective('where(abs(x1) <= 0.5, x1**2/2, 0.5*abs(x1) - 0.125) + 4*where(abs(x2) <= 0.5, x2**2/2, 0.5*abs(x2) - 0.125) + x1**2/2 + x2**2/2')
    """  # noqa: E501
    if kind not in BOWLS:
        near = suggest(str(kind), BOWLS)
        hint = f"did you mean '{near}'?" if near else f"take one of {', '.join(BOWLS)}"
        raise UsageError(f"kind={shown(kind)} is not known; {hint}")
    weights = np.array(spectrum, dtype=float)
    n = len(weights)
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise UsageError(f"spectrum={shown(spectrum)} must be finite numbers of at least 0")
    if not scale > 0 or not smallest >= 0:
        raise UsageError(f"scale={shown(scale)} must be positive, and smallest={shown(smallest)} at least 0")
    directions = np.eye(n) if basis is None else np.array(basis, dtype=float)
    lengths = np.ones(n) if over is None else np.array(over, dtype=float)
    ridges = [Ridge(kind, weights, directions, lengths, float(scale) if kind != "square" else 1.0)]
    if smallest:
        ridges.append(Ridge("square", np.full(n, float(smallest)), np.eye(n), np.ones(n)))
    largest, least = float(weights.max()), float(weights.min()) if kind == "square" else 0.0
    return Ridges(ridges, np.zeros(n) if minimizer is None else minimizer, minimum, L=largest + smallest,
                  mu=least + smallest)  # fmt: skip


def quadratic(
    spectrum: Any, minimizer: Any = None, minimum: float = 0.0, *, basis: Any = None, over: Any = None
) -> Ridges:
    """Make a convex quadratic of chosen eigenvalues.

    Parameters
    ----------
    spectrum : array of shape (n,)
        The eigenvalues of the Hessian, 0 or above.
    minimizer : array of shape (n,), optional
        By default 0.
    minimum : float
        The smallest value.
    basis : array of shape (n, n), optional
        The eigenvectors as rows; by default the axes.
    over : array of shape (n,), optional
        Their squared lengths, for whole numbers in them; by default they are of length 1.

    Returns
    -------
    Ridges

    Examples
    --------
    >>> quadratic([3, 1], basis=[[1, 1], [1, -1]], over=[2, 2])
    Objective('3*(x1 + x2)**2/4 + (x1 - x2)**2/4')
    """
    return ridge("square", spectrum, minimizer, minimum, basis=basis, over=over)
