"""Losses on data, whose minimizer is known because the data were made around it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.errors import UsageError
from symgd.testing.classes.known import Known, Spelling


class LeastSquares(Known):
    r"""Half the mean of squared residuals, whose best coefficients are known.

    .. math:: f(w) = \frac{1}{2n} |X w - y|^2, \qquad y = X w^* + r, \quad X^T r = 0

    Parameters
    ----------
    X : array of shape (n, p)
        The data.
    minimizer : array of shape (p,)
        w*.
    residual : array of shape (n,)
        What no coefficients explain; its part within the columns of X is taken out of it.

    Raises
    ------
    UsageError
        If the shapes do not go together.

    Examples
    --------
    >>> LeastSquares([[1, 0], [1, 1]], [2, -1])
    Objective('mean((X @ x - y)**2)/2', data={'X': [[1, 0], [1, 1]], 'y': [2, 1]})
    """

    def __init__(self, X: Any, minimizer: Any, residual: Any = None) -> None:
        self.X = _matrix(X, minimizer)
        rows = len(self.X)
        sizes, axes = _axes(self.X)
        self.rank = int(np.count_nonzero(sizes > 1e-10 * sizes.max(initial=0.0)))
        self.flat = axes[self.rank :]
        rest = np.zeros(rows)
        if residual is not None and self.rank < rows:
            rest = np.array(residual, dtype=float)
            for _ in range(2):  # the second time for what rounding left
                rest = rest - self.X @ np.linalg.lstsq(self.X, rest, rcond=1e-10)[0]
        squares = sizes**2 / rows
        mu = float(squares[-1]) if self.rank == self.X.shape[1] else 0.0
        self.y = self.X @ np.asarray(minimizer, dtype=float) + rest
        self.rough = float(np.abs(self.X).T @ np.abs(self.y) @ np.ones(self.X.shape[1])) / rows
        super().__init__(minimizer, float(rest @ rest) / (2 * rows), L=float(squares[0]), mu=mu, quadratic=True)

    def gap(self, x: Any) -> Any:
        """Give f - minimum."""
        return np.mean(((np.asarray(x, dtype=float) - self.minimizer) @ self.X.T) ** 2, axis=-1) / 2

    def slope(self, x: Any) -> Any:
        """Give the gradient."""
        return (np.asarray(x, dtype=float) - self.minimizer) @ self.X.T @ self.X / len(self.X)

    def nearest(self, x: Any) -> Any:
        """Give the nearest of the best coefficients."""
        return self.minimizer + (np.asarray(x, dtype=float) - self.minimizer) @ self.flat.T @ self.flat

    def spelt(self) -> Spelling:
        """Give the formula."""
        return Spelling("mean((X @ x - y)**2)/2", {"X": self.X, "y": self.y}, vector=True)


def _rest(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give exp(z) - 1 - z, where z is not large, without cancellation."""
    series = np.zeros_like(z)
    for k in range(18, 1, -1):  # z**19/19! is under rounding for z up to 1
        series = (1 + series) * z / k
    # What Horner's scheme has now is z/2 (1 + z/3 (1 + ...)), of exp(z) - 1 - z = z (z/2 (1 + ...)).
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where(np.abs(z) < 1, z * series, np.expm1(z) - z)


class Logistic(Known):
    r"""The mean logistic loss with probabilities for labels, whose best coefficients are known, over a ridge.

    .. math:: f(w) = \frac1n \sum_i \log(1 + e^{x_i w}) - p_i x_i w + \frac{\mu}{2} |w - w^*|^2, \quad
              p_i = \sigma(x_i w^*)

    The largest curvature is at most that of X^T X/(4 n), and mu; where w* is 0, it is that.

    Parameters
    ----------
    X : array of shape (n, p)
        The data.
    minimizer : array of shape (p,)
        w*.
    ridge : float
        mu, 0 or above.

    Raises
    ------
    UsageError
        If the shapes do not go together.

    Examples
    --------
    >>> Logistic([[1, 0], [1, 1]], [0, 0])
    Objective('mean(softplus(X @ x) - p*(X @ x))', data={'X': [[1, 0], [1, 1]], 'p': [0.5, 0.5]})
    """

    def __init__(self, X: Any, minimizer: Any, ridge: float = 0.0) -> None:
        self.X, self.ridge = _matrix(X, minimizer), float(ridge)
        t = self.X @ np.asarray(minimizer, dtype=float)
        self.p = _sigmoid(t)
        sizes, axes = _axes(self.X)
        self.flat = axes[int(np.count_nonzero(sizes > 1e-10 * sizes.max(initial=0.0))) :]
        self.rough = float(np.abs(self.X).sum()) / len(self.X)
        minimum = float(np.mean(np.logaddexp(0, t) - self.p * t))
        super().__init__(minimizer, minimum, L=float(sizes[0] ** 2) / (4 * len(self.X)) + self.ridge, mu=self.ridge)

    def gap(self, x: Any) -> Any:
        """Give f - minimum: of each row log(q exp(-p u) + p exp(q u)), u being how far its form is from the best."""
        away = np.asarray(x, dtype=float) - self.minimizer
        u, p, q = away @ self.X.T, self.p, _sigmoid(-self.X @ self.minimizer)
        with np.errstate(over="ignore", invalid="ignore"):
            near = np.log1p(q * _rest(-p * u) + p * _rest(q * u))
            far = np.logaddexp(np.log(q) - p * u, np.log(p) + q * u)
        rows = np.where(np.abs(u) < 1, near, far)
        return np.mean(rows, axis=-1) + self.ridge / 2 * np.sum(away * away, axis=-1)

    def slope(self, x: Any) -> Any:
        """Give the gradient: the difference of two sigmoids as one quotient, which keeps its digits near 0."""
        away = np.asarray(x, dtype=float) - self.minimizer
        u, p = away @ self.X.T, self.p
        # sigma(t + u) - sigma(t) = p q (e^u - 1)/(q + p e^u), on the side where e^u does not overflow.
        q, small = _sigmoid(-self.X @ self.minimizer), np.expm1(-np.abs(u))
        up, down = -p * q * small / (p + q * (1 + small)), p * q * small / (q + p * (1 + small))
        return np.where(u > 0, up, down) @ self.X / len(self.X) + self.ridge * away

    def nearest(self, x: Any) -> Any:
        """Give the nearest of the best coefficients."""
        if self.ridge:
            return super().nearest(x)
        return self.minimizer + (np.asarray(x, dtype=float) - self.minimizer) @ self.flat.T @ self.flat

    def spelt(self) -> Spelling:
        """Give the formula."""
        data: dict[str, Any] = {"X": self.X, "p": self.p}
        text = "mean(softplus(X @ x) - p*(X @ x))"
        if self.ridge:
            data |= {"ridge": self.ridge, "c": self.minimizer}
            text += " + ridge/2*sum((x - c)**2)"
        return Spelling(text, data, vector=True)


def _axes(X: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the singular values of data, and all directions of its columns, as rows."""
    square = X if len(X) <= X.shape[1] else np.linalg.qr(X, mode="r")
    _, sizes, axes = np.linalg.svd(square)
    return sizes, axes


def _sigmoid(t: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):
        return np.where(t >= 0, 1 / (1 + np.exp(-np.abs(t))), np.exp(-np.abs(t)) / (1 + np.exp(-np.abs(t))))


def _matrix(X: Any, minimizer: Any) -> NDArray[np.float64]:
    matrix = np.array(X, dtype=float)
    if matrix.ndim != 2 or not matrix.size or np.shape(minimizer) != matrix.shape[1:]:
        raise UsageError(
            f"X with shape {matrix.shape} and minimizer with shape {np.shape(minimizer)} do not go together; "
            "give a table and a number for each of its columns"
        )
    return matrix
