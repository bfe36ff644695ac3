"""Oracles that share no code with symgd: NumPy for values, and second-order jets in mpmath for derivatives.

Both run the text of a formula as Python. A `Jet` carries value, gradient and Hessian at as many digits as are asked
for, and beside each number a bound on the error that float64 makes when it evaluates the text as written (a running
error analysis: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. 2002, section 3.3). So a comparison
needs no tolerance but a small multiple of that bound.
"""

import operator
import re
from fractions import Fraction
from math import inf

import mpmath as mp
import numpy as np
from scipy import special

EPS = 2.0**-53
HUGE = mp.mpf("1e20000")  # larger arguments take as many digits
_LITERAL = re.compile(r"(?<![\w.])(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)")


# ---- NumPy -----------------------------------------------------------------------------------------------------------

NUMPY = {name: getattr(np, name) for name in np.__all__ if name not in ("long", "ulong")} | {
    "np": np,
    "e": np.e,
    "norm": np.linalg.norm,
    "len": np.size,
    "special": special,
    **{name: getattr(special, name) for name in ("erf", "erfc", "gamma", "digamma", "logsumexp", "xlogy", "logit")},
    "ln": np.log,
    "lgamma": special.gammaln,
    "gammaln": special.gammaln,
    "sigmoid": special.expit,
    "softplus": lambda a: np.logaddexp(0, a),
    "relu": lambda a: np.maximum(a, 0),
    "logcosh": lambda a: np.logaddexp(a, -a) - np.log(2),
    "sech": lambda a: 1 / np.cosh(a),
    "log1mexp": lambda a: np.log(-np.expm1(a)),
    "polygamma": lambda n, a: special.polygamma(np.asarray(n).astype(int), a),
}


def numpy_value(text, inputs):
    """The value of a formula as NumPy has it."""
    with np.errstate(all="ignore"):
        values = {name: np.float64(v) if np.ndim(v) == 0 else np.asarray(v, float) for name, v in inputs.items()}
        floats = _LITERAL.sub(lambda m: f"float64({m[0]})", text)  # reciprocal(7) of whole numbers is 0 in NumPy
        return float(eval(floats, {**NUMPY, "__builtins__": {"__import__": __import__}}, values))


# ---- jets ------------------------------------------------------------------------------------------------------------


class OutOfReachError(Exception):
    """The formula has no derivative here, or float64 cannot tell on which side of a kink it is."""


def _compare(holds):
    def compare(self, other):
        return NotImplemented if isinstance(other, np.ndarray) else holds(self._distance(other), 0)

    return compare


class Jet:
    """Value, gradient and Hessian (mpmath), each with a bound on float64's error in units of `EPS`."""

    def __init__(self, v, g=None, h=None, ev=0, top=0):
        self.v, self.g, self.h = v, g or {}, h or {}
        self.ev, self.eg, self.eh = ev, {}, {}
        self.top = top  # the largest number met on the way

    def __add__(self, other):
        if isinstance(other, np.ndarray):
            return NotImplemented  # NumPy goes through the entries
        other = jet(other)
        v = self.v + other.v
        out = Jet(v, *(_merge(getattr(self, n), getattr(other, n)) for n in ("g", "h")))
        out.top = max(self.top, other.top)
        out.ev = self.ev + other.ev + abs(v)
        # A partial sum is as large as its terms: each entry is charged for both.
        out.eg = _merge(self.eg, other.eg, {k: abs(x) for k, x in _merge(_sizes(self.g), _sizes(other.g)).items()})
        out.eh = _merge(self.eh, other.eh, {k: abs(x) for k, x in _merge(_sizes(self.h), _sizes(other.h)).items()})
        return out

    def __mul__(self, other):
        if isinstance(other, np.ndarray):
            return NotImplemented
        a, b = self, jet(other)
        v, one = a.v * b.v, mp.mpf(1)
        return combine((a, b), v, (b.v, a.v), ((0, one), (one, 0)), ((0, 0), (0, 0)), ((b.ev, a.ev)))

    def __truediv__(self, other):
        if isinstance(other, np.ndarray):
            return NotImplemented
        return self * jet(other).apply(_reciprocal)

    def __rtruediv__(self, other):
        return jet(other) / self

    def __neg__(self):
        return self * -1

    def __pos__(self):
        return self

    def __sub__(self, other):
        if isinstance(other, np.ndarray):
            return NotImplemented
        return self + -jet(other)

    def __rsub__(self, other):
        return jet(other) + -self

    def __pow__(self, other):
        if isinstance(other, np.ndarray):
            return NotImplemented
        p = jet(other)
        if not p.g and not p.ev:
            return self.apply(lambda x: _power_slopes(x, p.v))
        if self.v <= 0:
            raise OutOfReachError("a power of a number that is not positive")
        return exp(p * log(self))

    def __rpow__(self, other):
        return jet(other) ** self

    __radd__, __rmul__ = __add__, __mul__

    def apply(self, slopes):
        """A function of one argument; ``slopes(x)`` gives its value and first three derivatives."""
        v, d1, d2, d3 = slopes(self.v)
        if not all(mp.isfinite(d) and mp.im(d) == 0 for d in (v, d1, d2, d3)):
            raise OutOfReachError("outside of the domain")
        return combine((self,), v, (d1,), ((d2,),), ((d3,),), (abs(d2) * self.ev,))

    def _distance(self, other):
        """The difference, where float64 can tell its sign."""
        difference = self - jet(other)
        if abs(difference.v) <= 64 * EPS * (difference.ev + abs(self.v)) and (difference.v != 0 or difference.ev != 0):
            raise OutOfReachError("too close to a kink")
        return difference.v

    __gt__ = _compare(operator.gt)
    __lt__ = _compare(operator.lt)
    __ge__ = _compare(operator.ge)
    __le__ = _compare(operator.le)
    __eq__ = _compare(operator.eq)
    __ne__ = _compare(operator.ne)

    __hash__ = None


def combine(args, v, first, second, third, first_errors):
    """The chain rule to second order for a function of several jets, with error bounds.

    ``third`` holds, for each pair (i, j), a bound on how fast ``second[i][j]`` changes with argument i or j.
    """
    out = Jet(v)
    out.ev = abs(v) + sum(abs(d) * a.ev for d, a in zip(first, args, strict=True))
    for d, error, a in zip(first, first_errors, args, strict=True):
        for k, g in a.g.items():
            _put(out.g, k, d * g)
            _put(out.eg, k, abs(d) * (a.eg.get(k, 0) + 2 * abs(g)) + error * abs(g))
        for k, h in a.h.items():
            _put(out.h, k, d * h)
            _put(out.eh, k, abs(d) * (a.eh.get(k, 0) + 2 * abs(h)) + error * abs(h))
    for i, a in enumerate(args):
        for j, b in enumerate(args):
            d = second[i][j]
            wiggle = abs(third[i][j]) * (a.ev + b.ev) + 3 * abs(d)
            if not d and not wiggle:
                continue
            for k, x in a.g.items():
                for m, y in b.g.items():
                    if k <= m:
                        _put(out.h, (k, m), d * x * y)
                        size = abs(d) * (abs(x) * b.eg.get(m, 0) + abs(y) * a.eg.get(k, 0)) + wiggle * abs(x * y)
                        _put(out.eh, (k, m), size)
    numbers = [*first, *(d for row in second for d in row), *(a.top for a in args)]
    out.top = max(abs(v), *(abs(d) for d in numbers))
    return out


def _put(entries, key, value):
    entries[key] = entries.get(key, 0) + value


def _merge(*parts):
    total = {}
    for part in parts:
        for key, value in part.items():
            _put(total, key, value)
    return total


def _sizes(entries):
    return {key: abs(value) for key, value in entries.items()}


def jet(value):
    """A number as a jet."""
    if isinstance(value, Jet):
        return value
    exact = mp.mpf(value)
    return Jet(exact, ev=0 if exact == float(exact) else abs(exact))


def parameter(name, value):
    """A parameter: its own derivative is 1."""
    return Jet(mp.mpf(value), {name: mp.mpf(1)})


# ---- functions of one argument: value and three derivatives ----------------------------------------------------------


def _reciprocal(x):
    if x == 0:
        raise OutOfReachError("division by 0")
    return 1 / x, -1 / x**2, 2 / x**3, -6 / x**4


def _power_slopes(x, p):
    found = [mp.mpf(1)]
    if p != int(p) and x < 0:
        raise OutOfReachError("a broken power of a negative number")
    found, factor = [], mp.mpf(1)
    for k in range(4):
        if factor == 0:
            found.append(mp.mpf(0))
        elif x == 0 and p - k < 0:
            raise OutOfReachError("a negative power of 0")
        else:
            found.append(factor * x ** (p - k))
        factor *= p - k
    return tuple(found)


def _log_slopes(x):
    if x == 0:
        raise OutOfReachError("log(0)")
    if x < 0:
        raise OutOfReachError("the logarithm of a negative number")
    return mp.log(x), 1 / x, -1 / x**2, 2 / x**3


def _psi_slopes(order):
    def slopes(x):
        if (x <= 0 and x == mp.floor(x)) or abs(x) > 1e10:
            raise OutOfReachError("a pole, or too large for mpmath")
        return tuple(_psi(order + k, x) for k in range(4))

    return slopes


def _psi(m, x):
    """A derivative of digamma. mpmath walks from a negative number up to 0 in steps of 1, for hours from -1e10."""
    if m == 0 or x > -50:
        return mp.psi(m, x)
    if m > 3:
        raise OutOfReachError("too large for mpmath")
    sin, cos = mp.sinpi(x), mp.cospi(x)
    reflected = ((mp.pi / sin) ** 2, -2 * mp.pi**3 * cos / sin**3, 2 * mp.pi**4 * (sin**2 + 3 * cos**2) / sin**4)
    return reflected[m - 1] + (-1) ** m * mp.psi(m, 1 - x)


def _lgamma_slopes(x):
    if (x <= 0 and x == mp.floor(x)) or abs(x) > 1e10:
        raise OutOfReachError("a pole, or too large for mpmath")
    return (mp.log(abs(mp.gamma(x))), *(_psi(k, x) for k in range(3)))


def _gamma_slopes(x):
    if (x <= 0 and x == mp.floor(x)) or abs(x) > 1e10:
        raise OutOfReachError("a pole, or too large for mpmath")
    y, p, q, r = mp.gamma(x), _psi(0, x), _psi(1, x), _psi(2, x)
    return y, y * p, y * (p**2 + q), y * (p**3 + 3 * p * q + r)


def _erf_slopes(x):
    d = 2 / mp.sqrt(mp.pi) * mp.exp(-(x**2))
    return mp.erf(x), d, -2 * x * d, (4 * x**2 - 2) * d


def _atan_slopes(x):
    q = 1 + x**2
    return mp.atan(x), 1 / q, -2 * x / q**2, (6 * x**2 - 2) / q**3


def _step(value):
    def slopes(a):
        if not isinstance(a, Jet):
            a = jet(a)
        rounded = value(a.v)
        if abs(a.v - mp.nint(a.v)) <= 64 * EPS * (a.ev + abs(a.v)) or abs(a.v * 2 - mp.nint(a.v * 2)) < 1e-12:
            raise OutOfReachError("too close to a jump")
        return Jet(mp.mpf(rounded))

    return slopes


def _elementwise(function):
    def call(*args):
        if any(isinstance(a, np.ndarray) for a in args):
            return np.frompyfunc(function, len(args), 1)(*args)
        return function(*args)

    return call


def _of(slopes):
    return _elementwise(lambda a: jet(a).apply(slopes))


def _exp_slopes(x):
    if abs(x) > HUGE:
        raise OutOfReachError("too large for mpmath")
    return (mp.exp(x),) * 4


exp = _of(_exp_slopes)
log = _of(_log_slopes)
sin = _of(lambda x: (mp.sin(x), mp.cos(x), -mp.sin(x), -mp.cos(x)))
cos = _of(lambda x: (mp.cos(x), -mp.sin(x), -mp.cos(x), mp.sin(x)))
sinh = _of(lambda x: (mp.sinh(x), mp.cosh(x), mp.sinh(x), mp.cosh(x)))
cosh = _of(lambda x: (mp.cosh(x), mp.sinh(x), mp.cosh(x), mp.sinh(x)))
erf = _of(_erf_slopes)
erfc = _of(lambda x: (mp.erfc(x), *(-d for d in _erf_slopes(x)[1:])))
arctan = _of(_atan_slopes)
lgamma = _of(_lgamma_slopes)
HALF = mp.mpf("0.5")


def _tanh_slopes(x):
    t, s = mp.tanh(x), mp.sech(x) ** 2
    return t, s, -2 * t * s, 2 * s * (3 * t**2 - 1)


def _sigmoid_slopes(x):
    _, d1, d2, d3 = _tanh_slopes(x / 2)
    return 1 / (1 + mp.exp(-x)), d1 / 4, d2 / 8, d3 / 16


def _softplus_slopes(x):
    return mp.log1p(mp.exp(x)), *_sigmoid_slopes(x)[:3]


def _absolute(a):
    a = jet(a)
    side = a._distance(0)
    return a if side > 0 else -a if side < 0 else Jet(mp.mpf(0))


def _larger(a, b):
    a, b = jet(a), jet(b)
    side = a._distance(b)
    return a if side > 0 else b if side < 0 else (a + b) * HALF


def _smaller(a, b):
    return -_larger(-jet(a), -jet(b))


def _choose(condition, a, b):
    return jet(a) if condition else jet(b)


def _arctan2(a, b):
    a, b = jet(a), jet(b)
    if b._distance(0) > 0:
        return arctan(a / b)
    if a._distance(0) == 0:
        raise OutOfReachError("the cut of arctan2")
    return mp.pi / 2 * (1 if a.v > 0 else -1) - arctan(b / a)


def _sign(a):
    return Jet(mp.sign(jet(a)._distance(0)))


def _modulo(a, b):
    return jet(a) - b * _step(mp.floor)(jet(a) / b)


maximum, minimum, absolute, where = map(_elementwise, (_larger, _smaller, _absolute, _choose))


def _fold(function, a):
    a = np.atleast_1d(a)
    total = a[0]
    for item in a[1:]:
        total = function(total, item)
    return total


def _extreme(a, sign):
    """The largest (sign 1) or smallest entry; entries that tie share evenly."""
    entries = [jet(x) for x in np.atleast_1d(a)]
    best = entries[0]
    for entry in entries[1:]:
        best = entry if sign * entry._distance(best) > 0 else best
    tied = [entry for entry in entries if entry._distance(best) == 0]
    return _total(tied) * (mp.mpf(1) / len(tied))


def _total(a):
    return _fold(lambda x, y: x + y, a)


def _mean(a):
    return _total(a) * (mp.mpf(1) / np.size(a))


def _var(a):
    return _mean((a - _mean(a)) ** 2)


def _mills(a):
    return 2 * exp(-a * a) / (mp.sqrt(mp.pi) * erfc(a))


def _sqrt(a):
    return a**HALF


def _exprel(a):
    return (exp(a) - 1) / a


def _exprelslope(a):
    return (exp(a) - _exprel(a)) / a


def _log1prel(a):
    return log(1 + a) / a


def _log1prelslope(a):
    return (1 / (1 + a) - _log1prel(a)) / a


def _sinrest(a):
    return (a - sin(a)) / a**3


def _boxcox(a, b):
    return (a**b - 1) / b


def _boxcoxslope(a, b):
    return (a**b * log(a) - _boxcox(a, b)) / b


MPMATH = {
    "exprel": _exprel,
    "exprelslope": _exprelslope,
    "exprelbend": lambda a: (exp(a) - 2 * _exprelslope(a)) / a,
    "expm1inv": lambda a: a / (exp(a) - 1),
    "expm1invslope": lambda a: (exp(a) * (1 - a) - 1) / (exp(a) - 1) ** 2,
    "expm1invbend": lambda a: exp(a) * (a * (exp(a) + 1) - 2 * (exp(a) - 1)) / (exp(a) - 1) ** 3,
    "log1prel": _log1prel,
    "log1prelslope": _log1prelslope,
    "log1prelbend": lambda a: (-1 / (1 + a) ** 2 - 2 * _log1prelslope(a)) / a,
    "sinrel": lambda a: sin(a) / a,
    "sinhrel": lambda a: sinh(a) / a,
    "sinhslope": lambda a: (cosh(a) - sinh(a) / a) / a**2,
    "tanhrel": lambda a: sinh(a) / cosh(a) / a,
    "tanhslope": lambda a: (sinh(a) / cosh(a) / a - 1 / cosh(a) ** 2) / a**2,
    "sinrest": _sinrest,
    "sinrestslope": lambda a: ((1 - cos(a)) / a**2 - 3 * _sinrest(a)) / a**2,
    "boxcox": _boxcox,
    "boxcoxslope": _boxcoxslope,
    "boxcoxbend": lambda a, b: (a**b * log(a) ** 2 - 2 * _boxcoxslope(a, b)) / b,
    "xlogy": lambda a, b: a * log(b),
    "xlog1py": lambda a, b: a * log(1 + b),
    "xdivy": lambda a, b: a / b,
    "rel_entr": lambda a, b: a * log(a / b),
    "exp": exp,
    "log": log,
    "ln": log,
    "sin": sin,
    "cos": cos,
    "sinh": sinh,
    "cosh": cosh,
    "erf": erf,
    "erfc": erfc,
    "arctan": arctan,
    "atan": arctan,
    "lgamma": lgamma,
    "gammaln": lgamma,
    "tanh": _of(_tanh_slopes),
    "sigmoid": _of(_sigmoid_slopes),
    "softplus": _of(_softplus_slopes),
    "sqrt": _elementwise(lambda a: jet(a) ** HALF),
    "tan": lambda a: sin(a) / cos(a),
    "cbrt": _elementwise(lambda a: _sign(a) * _absolute(a) ** (mp.mpf(1) / 3)),
    "expm1": lambda a: exp(a) - 1,
    "log1p": lambda a: log(1 + a),
    "log2": lambda a: log(a) / mp.log(2),
    "log10": lambda a: log(a) / mp.log(10),
    "arcsin": _of(lambda x: (mp.asin(x), (q := 1 - x * x) ** -HALF, x * q**-1.5, (1 + 2 * x * x) * q**-2.5)),
    "arccos": _of(lambda x: (mp.acos(x), -((q := 1 - x * x) ** -HALF), -x * q**-1.5, -(1 + 2 * x * x) * q**-2.5)),
    "arctan2": _elementwise(_arctan2),
    "sech": lambda a: 1 / cosh(a),
    "arcsinh": lambda a: log(a + _sqrt(a * a + 1)),
    "arccosh": lambda a: log(a + _sqrt(a - 1) * _sqrt(a + 1)),
    "arctanh": lambda a: (log(1 + a) - log(1 - a)) * HALF,
    "hypot": lambda a, b: _sqrt(a * a + b * b),
    "gamma": _of(_gamma_slopes),
    "digamma": _of(_psi_slopes(0)),
    "lngamma": lgamma,
    "factorial": lambda a: MPMATH["gamma"](a + 1),
    "polygamma": lambda n, a: _of(_psi_slopes(int(jet(n).v)))(a),
    "sqrt0": _sqrt,
    "negative": lambda a: -a,
    "powslope": lambda a, b: b * a ** (b - 1),
    "powlog": lambda a, b: a**b * log(a),
    "ratio": lambda a, b: a / b,
    "held": _elementwise(lambda a: Jet(jet(a).v)),
    "below": lambda a, b: a - b,
    "weighted": lambda a, b: a * exp(b),
    "cosarcsin": lambda a: _sqrt(1 - a * a),
    "heaviside": lambda a, b: (1 + _sign(a)) / 2,
    "sinc": lambda a: sin(mp.pi * a) / (mp.pi * a),
    "sincslope": lambda a: (sin(a) / a - cos(a)) / a**2,
    "logerfc": lambda a: log(MPMATH["erfc"](a)),
    "logit": lambda a: log(a / (1 - a)),
    "millsrest": lambda a: _mills(a) - 2 * a,
    "mills": _mills,
    "floor_divide": _elementwise(lambda a, b: _step(mp.floor)(jet(a) / b)),
    "copysign": lambda a, b: _absolute(a) * _sign(b),
    "logcosh": lambda a: log(cosh(a)),
    "log1mexp": lambda a: log(1 - exp(a)),
    "logaddexp": lambda a, b: log(exp(a) + exp(b)),
    "relu": _elementwise(lambda a: jet(a) if jet(a)._distance(0) > 0 else Jet(mp.mpf(0))),
    "abs": absolute,
    "absolute": absolute,
    "fabs": absolute,
    "maximum": maximum,
    "minimum": minimum,
    "sign": _elementwise(_sign),
    "floor": _elementwise(_step(mp.floor)),
    "ceil": _elementwise(_step(mp.ceil)),
    "trunc": _elementwise(_step(lambda x: mp.floor(x) if x > 0 else mp.ceil(x))),
    "rint": _elementwise(_step(mp.nint)),
    "mod": _elementwise(_modulo),
    "where": where,
    "clip": lambda a, b, c: minimum(maximum(a, b), c),
    "square": lambda a: a * a,
    "reciprocal": lambda a: 1 / a,
    "logical_and": _elementwise(lambda a, b: a and b),
    "logical_or": _elementwise(lambda a, b: a or b),
    "logical_not": _elementwise(lambda a: not a),
    "sum": _total,
    "mean": _mean,
    "var": _var,
    "std": lambda a: _sqrt(_var(a)),
    "min": lambda a: _extreme(a, -1),
    "max": lambda a: _extreme(a, 1),
    "logsumexp": lambda a: log(_total(exp(a))),
    "norm": lambda a: _sqrt(_total(a * a)),
    "len": np.size,
}


def exact(text, point, data=None, digits=50, largest=1e140):
    """The jet of a formula: numbers as they are typed, parameters and columns as the floats that they are.

    Raises
    ------
    OutOfReachError
        Where there is no derivative, or float64 cannot be expected to find it: too close to a kink, or numbers on the
        way that are larger than ``largest``.
    """
    with mp.workdps(digits):
        space = {
            "Jet": Jet,
            "mpf": mp.mpf,
            "__builtins__": {"__import__": __import__},
            "pi": jet(+mp.pi),
            "e": jet(+mp.e),
            **MPMATH,
        }
        space |= {name: parameter(name, value) for name, value in point.items()}
        for name, column in (data or {}).items():
            plain = [Jet(mp.mpf(float(x))) for x in np.atleast_1d(column)]
            space[name] = np.array(plain, dtype=object) if np.ndim(column) else plain[0]
        try:
            found = jet(eval(_LITERAL.sub(lambda m: f"Jet(mpf('{m[0]}'), ev={_literal_error(m[0])})", text), space))
        except ZeroDivisionError:
            raise OutOfReachError("division by 0") from None
    if found.top > largest:
        raise OutOfReachError("too large for float64 on the way")
    return found


def _literal_error(text):
    return 0 if Fraction(text) == Fraction(float(text)) else abs(float(text))


def error(found, wanted):
    """The relative error of a float against an mpmath number, which may lie outside of float64."""
    if wanted == 0 or abs(wanted) < 1e-300:
        return 0.0 if abs(found) <= 1e-300 else inf
    if abs(wanted) > 1e308:
        return 0.0 if found == inf * mp.sign(wanted) else inf
    return float(abs(mp.mpf(found) - wanted) / abs(wanted))
