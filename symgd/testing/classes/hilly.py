"""Objectives that are not convex, with known minima and curvature bounds."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from symgd.errors import UsageError, shown, suggest
from symgd.testing.classes.known import Known, Spelling, bare, bracketed, linear, number, shifted


class Hill(NamedTuple):
    """A function of a number with its smallest value 0 at 0, and the bounds of its second derivative."""

    value: Any
    slope: Any
    low: float
    high: float
    text: str
    apart: float  # how far apart its global minima are; infinite where there is one


# Bounds: of u**2/(1 + u**2), 2 (1 - 3 u**2)/(1 + u**2)**3 is smallest at u = 1; of 1 - exp(-u**2/2),
# (1 - u**2) exp(-u**2/2) at u**2 = 3; of log(1 + u**2), 2 (1 - u**2)/(1 + u**2)**2 at u**2 = 3.
HILLS: dict[str, Hill] = {
    "cosine": Hill(lambda u: 2 * np.sin(u / 2) ** 2, np.sin, -1.0, 1.0, "(1 - cos({bare}))", 2 * math.pi),
    "welsch": Hill(
        lambda u: -np.expm1(-u * u / 2), lambda u: u * np.exp(-u * u / 2), -2 * math.exp(-1.5), 1.0,
        "(1 - exp(-{t}**2/2))", math.inf,
    ),
    "geman": Hill(
        lambda u: u * u / (1 + u * u), lambda u: 2 * u / (1 + u * u) ** 2, -0.5, 2.0, "{t}**2/(1 + {t}**2)", math.inf,
    ),
    "cauchy": Hill(
        lambda u: np.log1p(u * u), lambda u: 2 * u / (1 + u * u), -0.25, 2.0, "log1p({t}**2)", math.inf,
    ),
}  # fmt: skip


class Hilly(Known):
    r"""A sum of functions of one number that are not convex, over squares, rotated.

    .. math:: f(x) = m + \sum_i \frac{w_i}{|a_i|^2} \varphi(a_i \cdot (x - c)) + \frac{s}{2} |x - c|^2

    The minimum m is attained at c; without the squares cosines attain it elsewhere, too. The curvature lies between
    ``low``, below 0, and ``L``.

    Parameters
    ----------
    kind : str
        ``"cosine"``, ``"welsch"``, ``"geman"`` or ``"cauchy"``.
    weights : array of shape (n,)
        The w_i, positive.
    minimizer : array of shape (n,)
        c.
    minimum : float
        m.
    basis : array of shape (n, n), optional
        Orthogonal rows a_i; by default the axes.
    square : float
        s, 0 or above.

    Raises
    ------
    UsageError
        If there is no such kind.

    Examples
    --------
    >>> f = Hilly("cosine", [2, 1], [0, 1])
    >>> f
    Objective('2*(1 - cos(x1)) + (1 - cos(x2 - 1))')
    >>> f.L, f.low
    (2.0, -2.0)
    """

    def __init__(
        self, kind: str, weights: Any, minimizer: Any, minimum: float = 0.0, *, basis: Any = None,
        square: float = 0.0,
    ) -> None:  # fmt: skip
        if kind not in HILLS:
            near = suggest(str(kind), HILLS)
            hint = f"did you mean '{near}'?" if near else f"take one of {', '.join(HILLS)}"
            raise UsageError(f"kind={shown(kind)} is not known; {hint}")
        self.kind, self.weights, self.square = kind, np.array(weights, dtype=float), float(square)
        n = len(self.weights)
        self.basis = np.eye(n) if basis is None else np.array(basis, dtype=float)
        lengths = np.sum(self.basis**2, axis=1)
        near = np.rint(lengths)
        self.over = np.where(np.abs(lengths - near) < 1e-9 * near, near, lengths)
        self.factors = self.weights / self.over
        hill, most = HILLS[kind], float(self.weights.max())
        self.low = most * hill.low + self.square
        convex = self.low >= 0
        super().__init__(minimizer, minimum, L=max(most * hill.high + self.square, -self.low),
                         mu=self.low if convex else None)  # fmt: skip

    def gap(self, x: Any) -> Any:
        """Give f - minimum."""
        away = np.asarray(x, dtype=float) - self.minimizer
        hills = np.sum(self.factors * HILLS[self.kind].value(away @ self.basis.T), axis=-1)
        return hills + self.square / 2 * np.sum(away * away, axis=-1)

    def slope(self, x: Any) -> Any:
        """Give the gradient."""
        away = np.asarray(x, dtype=float) - self.minimizer
        return self.factors * HILLS[self.kind].slope(away @ self.basis.T) @ self.basis + self.square * away

    def nearest(self, x: Any) -> Any:
        """Give the nearest point where the minimum is attained."""
        apart = HILLS[self.kind].apart
        if self.square or not math.isfinite(apart):
            return super().nearest(x)
        u = (np.asarray(x, dtype=float) - self.minimizer) @ self.basis.T
        return self.minimizer + apart * (np.rint(u / apart) / self.over) @ self.basis

    def spelt(self) -> Spelling:
        """Give the formula."""
        names = [f"x{i + 1}" for i in range(self.n)]
        text = HILLS[self.kind].text
        terms = []
        for w, a in zip(self.factors, self.basis, strict=True):
            form = linear(a, self.minimizer, names)
            terms.append(("" if w == 1 else f"{number(w)}*") + text.format(t=bracketed(form), bare=bare(form)))
        squares = (
            f"{number(self.square)}/2*("
            + " + ".join(
                f"{bracketed(linear([1.0], [c], [name]))}**2" for c, name in zip(self.minimizer, names, strict=True)
            )
            + ")"
        )
        return Spelling(shifted(" + ".join(terms) + (f" + {squares}" if self.square else ""), self.minimum))
