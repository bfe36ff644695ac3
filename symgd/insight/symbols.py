"""The theory of a linear rule in symbols: its matrix, and closed forms where there are any.

Closed forms of the limit are the learning rates at which a root of the characteristic polynomial passes 1, -1, or, in a
pair, the unit circle; one of them counts if it agrees with the exact limit in numbers, for the hyperparameters as they
are and for some near them. Those of the best values belong to three families: rules whose characteristic polynomial is
that of gradient descent, of the heavy ball, or of Nesterov's momentum, under whatever names and scales of the states.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from symgd.insight.linear import LinearMap
from symgd.insight.stability import is_product, stable_lr
from symgd.records import dataclass
from symgd.views import symbol, to_sympy

Expression = Any  # a sympy.Expr

_NEAR = (1.0, 1 - 2.0**-10, 1 + 2.0**-9)  # factors of the hyperparameters at which a closed form is tried
_AGREE = 1e-9  # relative: the numbers are exact but for the rounding of one division


@dataclass(frozen=True)
class Family:
    """A rule with the characteristic polynomial of a well-known one.

    Parameters
    ----------
    name : str
        ``"gd"``, ``"momentum"`` or ``"nesterov"``.
    scale : sympy.Expr
        The factor on lr that makes it the learning rate of the well-known rule.
    beta : sympy.Expr
        What takes the place of that rule's beta.
    """

    name: str
    scale: Expression
    beta: Expression


class Symbols:
    """The symbolic side of a linear map.

    Parameters
    ----------
    found : LinearMap
        The rule.
    """

    def __init__(self, found: LinearMap) -> None:
        import sympy

        self.found = found
        self.lr = symbol("lr")
        self.eigenvalue = symbol("lambda")
        self.z = sympy.Symbol("z")
        taken = found.hyper.keys()
        self.largest = sympy.Symbol("lambda_max" if "L" in taken else "L", positive=True)
        self.smallest = sympy.Symbol("lambda_min" if "mu" in taken else "mu", positive=True)

    @cached_property
    def matrix(self) -> Any:
        """The iteration matrix, for an eigenvalue lambda."""
        import sympy

        names = self.found.names
        full = sympy.zeros(len(names), len(names))
        for (row, column), node in self.found.coefficients.items():
            value = to_sympy(node, graph=self.found.graph)
            if column == "g":
                full[names.index(row), 0] += self.eigenvalue * value
            else:
                full[names.index(row), names.index(column)] += value
        return full.applyfunc(sympy.expand)

    @cached_property
    def characteristic(self) -> Expression:
        """The characteristic polynomial of the matrix, in z."""
        import sympy

        return sympy.collect(sympy.expand(self.matrix.charpoly(self.z).as_expr()), self.z)

    @cached_property
    def _coefficients(self) -> list[Expression]:
        """Those of the characteristic polynomial, of the highest power first, without roots that are always 0."""
        import sympy

        found = [sympy.expand(c) for c in sympy.Poly(self.characteristic, self.z).all_coeffs()]
        while len(found) > 2 and found[-1] == 0:
            found.pop()
        return found

    def _numbers(self, hyper: Mapping[str, float]) -> dict[Expression, float]:
        return {symbol(name): value for name, value in hyper.items()}

    # ---- the limit -------------------------------------------------------------------------------------------------

    @cached_property
    def limit(self) -> Expression | None:
        """The largest stable learning rate in terms of L, the largest eigenvalue; ``None`` without a closed form."""
        for candidate in self._candidates():
            if self._is_limit(candidate):
                return candidate
        return None

    def _candidates(self) -> list[Expression]:
        import sympy

        c = [v.subs(self.eigenvalue, self.largest) for v in self._coefficients]
        n = len(c) - 1
        conditions = [sum(c), sum(v * (-1) ** k for k, v in enumerate(c))]
        if n == 2:
            conditions.append(c[2] - 1)
        elif n == 3:
            conditions.append(1 - c[3] ** 2 - c[2] + c[3] * c[1])
        found: list[Expression] = []
        for condition in conditions:
            try:
                powers = sympy.Poly(sympy.expand(condition), self.lr).all_coeffs()
            except sympy.PolynomialError:
                continue
            while powers and powers[-1] == 0:  # lr = 0 is where it begins
                powers.pop()
            if any(p.has(self.lr) for p in powers):
                continue
            if len(powers) == 2:
                found.append(sympy.factor(-powers[1] / powers[0]))
            elif len(powers) == 3:
                a, b, d = powers
                root = sympy.sqrt(sympy.factor(b**2 - 4 * a * d))
                found += [sympy.simplify((-b + sign * root) / (2 * a)) for sign in (1, -1)]
        return found

    def _is_limit(self, candidate: Expression) -> bool:
        for largest in (1.0, 3.0):
            for factor in _NEAR:
                hyper = {k: v * factor or (factor - 1) for k, v in self.found.hyper.items()}
                exact = stable_lr(self.found, largest, hyper)
                if not 0 < exact < math.inf:
                    return False
                value = candidate.subs({self.largest: largest, **self._numbers(hyper)})
                if not value.is_finite or not abs(complex(value) - exact) <= _AGREE * exact:
                    return False
                if not hyper:
                    break
        return True

    # ---- families --------------------------------------------------------------------------------------------------

    @cached_property
    def family(self) -> Family | None:
        """The well-known rule that has the same characteristic polynomial."""
        import sympy

        if not is_product(self.found):
            return None
        p = [c.subs(self.eigenvalue, 0) for c in self._coefficients]
        q = [sympy.simplify(sympy.diff(c, self.eigenvalue) / self.lr) for c in self._coefficients]
        if any(v.has(self.lr) for v in (*p, *q)) or sympy.simplify(sum(p)) != 0:
            return None
        if len(p) == 2:
            return self._checked(Family("gd", q[1], sympy.Integer(0)))
        if len(p) != 3:
            return None
        beta = p[2]
        if q[2] == 0:
            return self._checked(Family("momentum", q[1], beta))
        if sympy.simplify(q[2] * (1 + beta) + q[1] * beta) == 0:
            return self._checked(Family("nesterov", sympy.simplify(q[1] / (1 + beta)), beta))
        return None

    def _checked(self, family: Family) -> Family | None:
        """Leave out rules that climb, and hyperparameters without a value."""
        scale = complex(family.scale.subs(self._numbers(self.found.hyper)))
        return family if scale.imag == 0 and scale.real > 0 else None

    @cached_property
    def rate(self) -> Expression | None:
        """The worst rate from mu to L at lr; of the families alone, whose worst rate is at one of the ends."""
        import sympy

        family = self.family
        if family is None:
            return None
        rates = []
        for end in (self.smallest, self.largest):
            h = family.scale * self.lr * end
            if family.name == "gd":
                rates.append(sympy.Abs(1 - h))
                continue
            if family.name == "momentum":
                trace, determinant = 1 + family.beta - h, family.beta
            else:
                trace, determinant = (1 + family.beta) * (1 - h), family.beta * (1 - h)
            inner = trace**2 - 4 * determinant
            real = (sympy.Abs(trace) + sympy.sqrt(inner)) / 2
            rates.append(sympy.Piecewise((sympy.sqrt(determinant), inner < 0), (real, True)))
        return sympy.Max(*rates)

    @cached_property
    def best(self) -> tuple[dict[str, Expression], Expression] | None:
        """The best learning rate and hyperparameters from mu to L, and their rate; of the families alone.

        References
        ----------
        Polyak 1964 (heavy ball); Lessard, Recht and Packard 2016, proposition 1 (all three, on quadratics).
        """
        import sympy

        family = self.family
        if family is None:
            return None
        top, low = self.largest, self.smallest
        if family.name == "gd":
            return {"lr": sympy.factor(2 / (family.scale * (top + low)))}, (top - low) / (top + low)
        free = [symbol(k) for k in self.found.hyper if family.beta.has(symbol(k))]
        if len(free) != 1:
            return None
        if family.name == "momentum":
            roots = sympy.sqrt(top), sympy.sqrt(low)
            rate = (roots[0] - roots[1]) / (roots[0] + roots[1])
            lr, beta = 4 / (roots[0] + roots[1]) ** 2, rate**2
        else:
            root = sympy.sqrt(3 * top / low + 1)
            rate = 1 - 2 / root
            lr, beta = 4 / (3 * top + low), (root - 2) / (root + 2)
        held = sympy.Symbol("held", real=True)
        solved = sympy.solve(family.beta - held, free[0])
        if len(solved) != 1:
            return None
        value = solved[0].subs(held, beta)
        return {"lr": lr / family.scale.subs(free[0], value), free[0].name: value}, rate

    def evaluated(self, expression: Expression, smallest: float, largest: float) -> float:
        """Put numbers in for mu, L and the hyperparameters as they are."""
        places = {self.smallest: smallest, self.largest: largest, **self._numbers(self.found.hyper)}
        value = complex(expression.subs(places).evalf(20))
        return value.real if abs(value.imag) <= 1e-15 * abs(value) else math.nan
