"""Levenberg and Marquardt's method, for sums of squares."""

from __future__ import annotations

import numpy as np

from symgd.descent.methods.base import At, Function, Memory, Method, Vector
from symgd.errors import UsageError
from symgd.squares import Factors, Squares, State, advance


class LevenbergMarquardt(Method):
    r"""Gauss-Newton within a trust region, for objectives that are sums of squares of residuals.

    .. math:: \min_s |r + J s| \quad\text{with } |D s| \le \Delta

    The residuals and their Jacobian are found in the formula, in which sums and means of squares, norms and products of
    a vector with itself are recognised, and a constant beside them.

    References
    ----------
    Levenberg 1944; Marquardt 1963; Moré 1978 (the scaling, and the trust region).
    """

    name = "lm"
    summary = "Gauss-Newton in a trust region, for sums of squares (Levenberg 1944, Marquardt 1963, Moré 1978)"
    escapes = True
    # The last factors, not to be computed twice: no memory, for they come out the same.
    _last: tuple[Squares, Vector, Factors] | None = None

    def _factors(self, squares: Squares, x: Vector) -> Factors:
        if self._last is not None:
            last, point, found = self._last
            if last is squares and np.array_equal(point, x):
                return found
        return squares.normal(x)

    def begin(self, function: Function, at: At) -> Memory:
        """Begin with a region and a scaling that the first step sets.

        Parameters
        ----------
        function : Function
            The objective.
        at : At
            The start.

        Returns
        -------
        list of ndarray

        Raises
        ------
        UsageError
            If the objective is no sum of squares.
        """
        if function.squares is None:
            message = "method='lm' is for sums of squares, such as mean((y - (w*x + b))**2); this formula is none"
            raise UsageError(f"{message}: take method='newton'")
        return [np.zeros(1), np.zeros(function.n)]

    def step(self, function: Function, at: At, memory: Memory) -> At | None:
        """Take the step of the linear model."""
        radius, scale = memory
        squares = function.squares
        assert squares is not None  # as `begin` has made sure
        found = self._factors(squares, at.x)
        if not found.finite:
            return None
        norms = np.linalg.norm(found.R, axis=0)
        np.maximum(scale, norms, out=scale)
        if not radius[0] > 0:
            length = float(np.linalg.norm(scale * at.x))
            radius[0] = 10.0 * length if length > 0 else np.inf  # a step that is too long is shortened
        state = advance(squares, State(at.x, found, scale.copy(), float(radius[0])))
        radius[0], scale[:] = state.radius, state.scale
        self._last = squares, state.x, state.factors
        trials, moved = state.evaluations - 1, state.moved != 0 and not np.array_equal(state.x, at.x)
        function.count(trials - moved)  # where it goes, value and gradient are asked for besides: one point
        return function.at(state.x, across=True) if moved else None
