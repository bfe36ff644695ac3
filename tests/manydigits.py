"""Values and derivatives of a formula to any number of digits, by nothing but NumPy's own meaning of its text.

The text is run as Python on arrays of mpmath's numbers, and derivatives are differences of values: at 100 digits, and
with steps of 1e-25, they are right to 40.
"""

import re

import mpmath as mp
import numpy as np

DIGITS = 100
STEP = mp.mpf(10) ** -25
FLAT = mp.mpf(10) ** -30  # a curvature that is 0 but for the difference that it was taken from
_NUMBER = re.compile(r"(?<![\w.])(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)")


class Whole(int):
    """A whole number whose quotients are exact, as those of the formula language are."""

    def __truediv__(self, other):
        return mp.mpf(int(self)) / (mp.mpf(int(other)) if isinstance(other, int) else other)

    def __rtruediv__(self, other):
        return (mp.mpf(int(other)) if isinstance(other, int) else other) / mp.mpf(int(self))


def _each(function):
    several = np.frompyfunc(function, 1, 1)
    return lambda a: several(a) if isinstance(a, np.ndarray) else function(a)


def _array(a):
    if isinstance(a, int | float):
        return mp.mpf(a)
    found = np.empty(np.shape(a), dtype=object)
    for place, value in np.ndenumerate(np.asarray(a, dtype=object)):
        found[place] = mp.mpf(value)
    return found


_MEANING = {
    name: _each(getattr(mp, name)) for name in ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sqrt")
}
_MEANING |= {
    "abs": abs,
    "arctan": _each(mp.atan),
    "sum": np.sum,
    "mean": lambda a: np.sum(a) / Whole(np.size(a)),
    "prod": np.prod,
    "cumsum": np.cumsum,
    "arange": lambda *a: _array(np.arange(*a)),
    "outer": np.outer,
    "len": len,
    "ones": lambda n: _array(np.ones(n)),
    "minimum": np.minimum,
    "maximum": np.maximum,
    "where": np.frompyfunc(lambda c, a, b: a if c else b, 3, 1),
    "softplus": _each(lambda a: mp.log1p(mp.exp(a))),
    "norm": lambda a: mp.sqrt(np.sum(a * a)),
    "eye": lambda n: _array(np.eye(n)),
}


class Exact:
    """A problem's objective: ``value``, ``gradient`` and ``hessian`` at a list of numbers."""

    def __init__(self, problem):
        self.problem = problem
        text = _NUMBER.sub(lambda m: f"Whole({m[0]})" if m[0].isdigit() else f"mpf('{m[0]}')", problem.formula)
        self.code = compile(text, problem.name, "eval")
        with mp.workdps(DIGITS):
            self.space = {**_MEANING, "Whole": Whole, "mpf": mp.mpf, "pi": +mp.pi, "e": +mp.e, "__builtins__": {}}
            self.space |= {name: _array(values) for name, values in problem.data.items()}

    def value(self, x):
        with mp.workdps(DIGITS):
            left, point = [mp.mpf(v) for v in x], {}
            for name, start in self.problem.start.items():
                size = np.size(start)
                point[name] = left[0] if np.ndim(start) == 0 else np.array(left[:size], dtype=object)
                left = left[size:]
            return eval(self.code, self.space, point)

    def gradient(self, x):
        with mp.workdps(DIGITS):
            h = self._steps(x)
            return [(self._at(x, {i: h[i]}) - self._at(x, {i: -h[i]})) / (2 * h[i]) for i in range(len(x))]

    def hessian(self, x):
        with mp.workdps(DIGITS):
            n, h, middle = len(x), self._steps(x), self.value(x)
            one = [[self._at(x, {i: s * h[i]}) for s in (1, -1)] for i in range(n)]
            found = mp.matrix(n, n)
            for i in range(n):
                found[i, i] = (one[i][0] - 2 * middle + one[i][1]) / h[i] ** 2
                for j in range(i):
                    both = [self._at(x, {i: s * h[i], j: s * h[j]}) for s in (1, -1)]
                    rest = sum(one[i]) + sum(one[j]) - 2 * middle
                    found[i, j] = found[j, i] = (sum(both) - rest) / (2 * h[i] * h[j])
            return found

    def _steps(self, x):
        return [STEP * (max(abs(v), mp.mpf(10) ** -8) if v else 1) for v in x]

    def _at(self, x, moved):
        return self.value([v + moved.get(i, 0) for i, v in enumerate(x)])


def refined(exact, x, hessian=None, most=40):
    """Newton's steps from a point to the stationary point near it; ``None`` where they do not come to rest.

    A Hessian in floats, where one is given, will do as long as each step is much shorter than the one before.
    """
    with mp.workdps(DIGITS):
        x, last = [mp.mpf(v) for v in x], mp.inf
        for _ in range(most):
            try:
                g = exact.gradient(x)
                H = exact.hessian(x) if hessian is None else mp.matrix(hessian([float(v) for v in x]).tolist())
                if not all(mp.isfinite(v) for v in (*g, *H)):
                    return None
                step = mp.lu_solve(H, mp.matrix(g))
            except (ArithmeticError, ValueError):
                return None
            x = [v - s for v, s in zip(x, step, strict=True)]
            if max(map(abs, x)) > 1e12:
                return None
            size = max(min(abs(s), abs(s / v) if v else abs(s)) for v, s in zip(x, step, strict=True))
            if size < mp.mpf(10) ** -35:
                return x
            if hessian is not None and size > last / 10 and size < 1e-3:
                hessian = None
            last = size
    return None


def definite(H):
    """Whether a matrix is positive definite: its own scales are taken out, and Cholesky's factor then exists."""
    with mp.workdps(DIGITS):
        n = H.rows
        if any(H[i, i] <= FLAT for i in range(n)):
            return False
        d = [mp.sqrt(H[i, i]) for i in range(n)]
        scaled = mp.matrix(n, n)
        for i in range(n):
            for j in range(n):
                scaled[i, j] = H[i, j] / (d[i] * d[j]) - (mp.mpf(10) ** -24 if i == j else 0)
        try:
            mp.cholesky(scaled)
        except ValueError:
            return False
        return True
