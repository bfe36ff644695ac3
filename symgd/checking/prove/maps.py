"""What the elementwise functions of the table mean to the prover.

Most say it themselves: the expression that a row differentiates is called with the prover's own exponential, logarithm
and so on in place of SymPy's. Spelled out here are those with a condition in them, and those whose meaning at a place
where a text is 0/0 is not what they are elsewhere. A function that has no meaning here stands for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from symgd.checking.prove import angles, cases
from symgd.checking.prove import functions as fn
from symgd.checking.prove.algebra import Algebra
from symgd.checking.prove.terms import ONE, Poly, Unsupported, number, total
from symgd.language.functions import FUNCTIONS

HALF = Fraction(1, 2)

Rule = Callable[..., Poly]


def apply(algebra: Algebra, name: str, args: Sequence[Poly]) -> Poly:
    """Apply a function of the table.

    Parameters
    ----------
    algebra : Algebra
        Where polynomials are made.
    name : str
        The function.
    args : sequence of Poly
        Its arguments.

    Returns
    -------
    Poly
    """
    rule = MAPS.get(name)
    if rule is not None:
        return rule(algebra, *args)
    row = FUNCTIONS.get(name)
    if row is not None and row.sympy is not None and name not in THEMSELVES:
        try:
            found = row.sympy(Meaning(algebra), *(Value(algebra, p) for p in args))
        except AttributeError:  # of a function that `Meaning` has not
            found = None
        if isinstance(found, Value):
            return found.poly
    return fn.function(algebra, name, *args)


# ---- rows that speak for themselves --------------------------------------------------------------------------------


class Value:
    """A polynomial with the operators of Python."""

    def __init__(self, algebra: Algebra, poly: Poly) -> None:
        self.algebra, self.poly = algebra, poly

    def _of(self, other: Any) -> Poly:
        return other.poly if isinstance(other, Value) else number(other)

    def _new(self, poly: Poly) -> Value:
        return Value(self.algebra, poly)

    def __add__(self, other: Any) -> Value:
        return self._new(self.poly.plus(self._of(other)))

    def __sub__(self, other: Any) -> Value:
        return self._new(self.poly.plus(self._of(other), -1))

    def __rsub__(self, other: Any) -> Value:
        return self._new(self._of(other).plus(self.poly, -1))

    def __neg__(self) -> Value:
        return self._new(self.poly.times(-1))

    def __mul__(self, other: Any) -> Value:
        return self._new(self.algebra.multiply(self.poly, self._of(other)))

    def __truediv__(self, other: Any) -> Value:
        return self._new(_ratio(self.algebra, self.poly, self._of(other)))

    def __rtruediv__(self, other: Any) -> Value:
        return self._new(_ratio(self.algebra, self._of(other), self.poly))

    def __pow__(self, other: Any) -> Value:
        return self._new(_power(self.algebra, self.poly, self._of(other)))

    __radd__, __rmul__ = __add__, __mul__


class Meaning:
    """What rows ask of the SymPy module, as far as the prover has it."""

    def __init__(self, algebra: Algebra) -> None:
        self._algebra = algebra

    def __getattr__(self, name: str) -> Callable[[Any], Value]:
        rule = ELEMENTARY.get(name)
        if rule is None:
            raise AttributeError(name)
        algebra = self._algebra
        return lambda a: Value(algebra, rule(algebra, a.poly if isinstance(a, Value) else number(a)))

    @property
    def pi(self) -> Value:
        """The number pi."""
        return Value(self._algebra, _pi(self._algebra))


def _pi(a: Algebra) -> Poly:
    return a.of(a.atom("constant", "pi"))


def _ratio(a: Algebra, p: Poly, q: Poly) -> Poly:
    return a.multiply(p, fn.power_or_nothing(a, q, Fraction(-1)))


def _power(a: Algebra, p: Poly, q: Poly) -> Poly:
    value = q.constant()
    if value is not None:
        return fn.power(a, p, value)
    if not p.terms:
        raise Unsupported("a power of 0")
    return fn.exp(a, a.multiply(q, fn.log(a, p)))


def _inverse(a: Algebra, p: Poly) -> Poly:
    return fn.power(a, p, Fraction(-1))


def _sinh(a: Algebra, p: Poly) -> Poly:
    return fn.exp(a, p).plus(fn.exp(a, p.times(-1)), -1).times(HALF)


def _cosh(a: Algebra, p: Poly) -> Poly:
    return fn.exp(a, p).plus(fn.exp(a, p.times(-1))).times(HALF)


def _erfc(a: Algebra, p: Poly) -> Poly:
    return ONE.plus(fn.function(a, "erf", p), -1)


ELEMENTARY: Mapping[str, Rule] = {
    "exp": fn.exp,
    "log": fn.log,
    "sqrt": lambda a, p: fn.power(a, p, HALF),
    "sin": angles.sine,
    "cos": angles.cosine,
    "tan": lambda a, p: a.multiply(angles.sine(a, p), _inverse(a, angles.cosine(a, p))),
    "sinh": _sinh,
    "cosh": _cosh,
    "tanh": lambda a, p: a.multiply(_sinh(a, p), _inverse(a, _cosh(a, p))),
    "sinc": lambda a, p: a.multiply(angles.sine(a, p), fn.power_or_nothing(a, p, Fraction(-1))),
    "erfc": _erfc,
    "gamma": lambda a, p: fn.function(a, "gamma", p),
    "Abs": cases.absolute,
}


# ---- rows with conditions, and those whose derivatives SymPy is asked for -------------------------------------------


def _maximum(a: Algebra, p: Poly, q: Poly) -> Poly:
    return q.plus(a.multiply(cases.positive(a, p.plus(q, -1)), p.plus(q, -1)))


def _minimum(a: Algebra, p: Poly, q: Poly) -> Poly:
    return p.plus(a.multiply(cases.positive(a, p.plus(q, -1)), p.plus(q, -1)), -1)


def _where(a: Algebra, c: Poly, p: Poly, q: Poly) -> Poly:
    return q.plus(a.multiply(c, p.plus(q, -1)))


def _sign(a: Algebra, p: Poly) -> Poly:
    if not cases.varies(a, p):
        return cases.positive(a, p).plus(cases.positive(a, p.times(-1)), -1)
    return cases.positive(a, p).times(2).plus(ONE, -1)


def _or(a: Algebra, p: Poly, q: Poly) -> Poly:
    return p.plus(q).plus(a.multiply(p, q), -1)


def _expm1inv(a: Algebra, p: Poly, order: int) -> Poly:
    """Give a derivative of p/(e - 1), e = exp(p)."""
    e = fn.exp(a, p)
    d = e.plus(ONE, -1)
    if order == 1:
        return a.multiply(d.plus(a.multiply(p, e), -1), fn.power(a, d, Fraction(-2)))
    top = a.multiply(e, a.multiply(p, e.plus(ONE)).plus(d, -2))
    return a.multiply(top, fn.power(a, d, Fraction(-3)))


def _boxcox(a: Algebra, p: Poly, q: Poly, order: int) -> Poly:
    """Give a derivative of (p**q - 1)/q by q."""
    u, angle = _power(a, p, q), a.multiply(q, fn.log(a, p))
    less = angle.plus(ONE, -1)
    if order == 1:
        return a.multiply(a.multiply(u, less).plus(ONE), fn.power(a, q, Fraction(-2)))
    top = a.multiply(u, a.raised(less, 2).plus(ONE)).plus(number(-2))
    return a.multiply(top, fn.power(a, q, Fraction(-3)))


def _log1prelbend(a: Algebra, p: Poly) -> Poly:
    """Give the second derivative of log(1 + p)/p."""
    share = _ratio(a, p, ONE.plus(p))
    top = fn.log(a, ONE.plus(p)).times(2).plus(share, -2).plus(a.raised(share, 2), -1)
    return a.multiply(top, fn.power(a, p, Fraction(-3)))


MAPS: Mapping[str, Rule] = {
    "add": lambda _, *p: total(p),
    "multiply": lambda a, p, q: a.multiply(p, q),
    "divide": _ratio,
    "ratio": _ratio,
    "power": _power,
    "held": lambda _, p: p,
    "expm1invslope": lambda a, p: _expm1inv(a, p, 1),
    "expm1invbend": lambda a, p: _expm1inv(a, p, 2),
    "log1prelbend": _log1prelbend,
    "boxcoxslope": lambda a, p, q: _boxcox(a, p, q, 1),
    "boxcoxbend": lambda a, p, q: _boxcox(a, p, q, 2),
    "logit": lambda a, p: fn.log(a, p).plus(fn.log(a, ONE.plus(p, -1)), -1),
    "arccos": lambda a, p: _pi(a).times(HALF).plus(fn.function(a, "arcsin", p), -1),
    "relu": lambda a, p: a.multiply(cases.positive(a, p), p),
    "sign": _sign,
    "copysign": lambda a, p, q: a.multiply(cases.absolute(a, p), cases.positive(a, q, tie=True).times(2).plus(ONE, -1)),
    "maximum": _maximum,
    "minimum": _minimum,
    "where": _where,
    "greater": lambda a, p, q: cases.positive(a, p.plus(q, -1)),
    "greater_equal": lambda a, p, q: cases.positive(a, p.plus(q, -1), tie=True),
    "less": lambda a, p, q: cases.positive(a, q.plus(p, -1)),
    "less_equal": lambda a, p, q: cases.positive(a, q.plus(p, -1), tie=True),
    "equal": lambda a, p, q: cases.zero(a, p.plus(q, -1)),
    "not_equal": lambda a, p, q: ONE.plus(cases.zero(a, p.plus(q, -1)), -1),
    "logical_and": lambda a, p, q: a.multiply(p, q),
    "logical_or": _or,
    "logical_not": lambda _, p: ONE.plus(p, -1),
}

THEMSELVES = frozenset(["gamma"])  # its row would ask for itself
