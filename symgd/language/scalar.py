"""Every function of the table on plain floats, with NumPy's meaning: no exception, but nan and infinities.

The functions under "shared source" are written once and run by both tiers: as they stand here by plain Python, and
compiled by Numba with its own ``exp``, ``log`` and so on in place of the guarded ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from math import inf, nan

from symgd.language import quotients
from symgd.language.functions import FUNCTIONS
from symgd.language.quotients import (  # noqa: F401 - looked up here by name
    expm1inv,
    expm1invbend,
    expm1invslope,
    exprel,
    exprelbend,
    exprelslope,
    log1prel,
    log1prelbend,
    log1prelslope,
    sinhrel,
    sinhslope,
    sinrel,
    sinrest,
    sinrestslope,
    tanhrel,
    tanhslope,
    tilt,
    tiltslope,
)  # fmt: skip

Scalar = Callable[..., float]

LOG2 = math.log(2.0)


def _guarded(function: Scalar, limits: Callable[[float], float] = lambda _: nan) -> Scalar:
    """Give ``function`` with the value of ``limits`` where Python's math raises."""

    def guarded(a: float) -> float:
        try:
            return function(a)
        except (ValueError, OverflowError):
            return nan if a != a else limits(a)  # noqa: PLR0124

    return guarded


# ---- guarded: what Python's math refuses --------------------------------------------------------------------------

exp = _guarded(math.exp, lambda _: inf)
expm1 = _guarded(math.expm1, lambda _: inf)
sinh = _guarded(math.sinh, lambda a: math.copysign(inf, a))
cosh = _guarded(math.cosh, lambda _: inf)
log = _guarded(math.log, lambda a: -inf if a == 0 else nan)
log2 = _guarded(math.log2, lambda a: -inf if a == 0 else nan)
log10 = _guarded(math.log10, lambda a: -inf if a == 0 else nan)
log1p = _guarded(math.log1p, lambda a: -inf if a == -1 else nan)
sqrt = _guarded(math.sqrt)
sin = _guarded(math.sin)
cos = _guarded(math.cos)
tan = _guarded(math.tan)
arcsin = _guarded(math.asin)
arccos = _guarded(math.acos)
arctan = math.atan
arctan2 = math.atan2
tanh = math.tanh
arcsinh = math.asinh
arccosh = _guarded(math.acosh)
arctanh = _guarded(math.atanh, lambda a: math.copysign(inf, a) if abs(a) == 1 else nan)
hypot = math.hypot
erf = math.erf
erfc = math.erfc
sqrt0 = sqrt
gamma = _guarded(math.gamma, lambda a: inf if a > 0 else math.copysign(inf, a) if a == 0 else nan)
lgamma = _guarded(math.lgamma, lambda a: inf if a > -inf else nan)
floor = _guarded(lambda a: math.copysign(math.floor(a), a), lambda a: a)  # a zero has the sign that C gives it
ceil = _guarded(lambda a: math.copysign(math.ceil(a), a), lambda a: a)
trunc = _guarded(lambda a: math.copysign(math.trunc(a), a), lambda a: a)
rint = _guarded(lambda a: math.copysign(round(a), a), lambda a: a)


def pow(a: float, b: float) -> float:  # noqa: A001
    """Raise a to b as C does: nan for a negative base with a broken exponent."""
    try:
        return math.pow(a, b)
    except OverflowError:
        return -inf if a < 0 and b % 2 == 1 else inf
    except ValueError:
        if a == 0:
            return math.copysign(inf, a) if b % 2 == 1 else inf
        return nan


def div(a: float, b: float) -> float:
    """Divide as IEEE 754 does."""
    try:
        return a / b
    except ZeroDivisionError:
        return nan if a == 0 or a != a else math.copysign(inf, a) * math.copysign(1.0, b)  # noqa: PLR0124


# ---- shared source: run as it stands, or compiled ------------------------------------------------------------------


def cbrt(a: float) -> float:
    """Cube root: a power, then one Newton step to the last digit."""
    if a == 0.0 or a - a != 0.0:
        return a
    y = math.exp(math.log(abs(a)) / 3.0)
    y = y - (y - abs(a) / (y * y)) / 3.0
    return y if a > 0.0 else -y


def sech(a: float) -> float:
    """1/cosh(a), without overflow."""
    b = math.exp(-abs(a))
    return 2.0 * b / (1.0 + b * b)


def sign(a: float) -> float:
    """-1, 0 or 1; nan stays."""
    return 1.0 if a > 0.0 else (-1.0 if a < 0.0 else a * 0.0)


def mod(a: float, b: float) -> float:
    """Remainder with the sign of b."""
    if b == 0.0 or a - a != 0.0 or b != b:  # noqa: PLR0124
        return nan
    if b - b != 0.0:
        return a if (a >= 0.0) == (b > 0.0) or a == 0.0 else b
    return a % b


def floor_divide(a: float, b: float) -> float:
    """floor(a/b) as if a/b were exact: 1 // 0.1 is 9, since 0.1 is a little more than a tenth."""
    if b == 0.0 and a == a and a != 0.0:  # noqa: PLR0124
        return math.copysign(inf, a) * math.copysign(1.0, b)
    if b == 0.0 or a - a != 0.0 or b != b:  # noqa: PLR0124
        return nan
    if b - b != 0.0:
        return -1.0 if a * b < 0.0 else 0.0
    return floor((a - a % b) / b + 0.5) + 0.0


def copysign(a: float, b: float) -> float:
    """abs(a) with the sign of b, also where b is -0.0."""
    return math.copysign(a, b)


def sinc(a: float) -> float:
    """sin(pi*a)/(pi*a), 1 at 0."""
    b = math.pi * a
    return sin(b) / b if a != 0.0 else 1.0


def sincslope(a: float) -> float:
    """(sin(a) - a*cos(a))/a**3; near 0, where that cancels, its power series."""
    if abs(a) > 1e100 or a != a:  # noqa: PLR0124
        return a * 0.0 if a != a else 0.0  # sin(a) has no digits there  # noqa: PLR0124
    if abs(a) >= 1.0:
        return (sin(a) / a - cos(a)) / (a * a)
    r, term, total = a * a, 1.0 / 3.0, 1.0 / 3.0
    for k in range(1, 12):
        term *= -r / (2.0 * k * (2.0 * k + 3.0))
        total += term
    return total


def logit(a: float) -> float:
    """log(a/(1 - a)); in the middle, where that is near 0, by the inverse hyperbolic tangent."""
    return 2.0 * math.atanh(2.0 * a - 1.0) if 0.25 < a < 0.75 else log(a) - log1p(-a)


def sigmoid(a: float) -> float:
    """1/(1 + exp(-a)) from the side that does not overflow."""
    b = math.exp(-abs(a))
    return 1.0 / (1.0 + b) if a >= 0.0 else b / (1.0 + b)


def softplus(a: float) -> float:
    """log(1 + exp(a)) without overflow."""
    return (a if a > 0.0 else 0.0) + math.log1p(math.exp(-abs(a)))  # noqa: FURB136 - max() would lose a nan


def logcosh(a: float) -> float:
    """log(cosh(a)): the half-angle form keeps small a exact, the shifted one keeps large a finite."""
    b = abs(a)
    if b < 1.0:
        s = math.sinh(0.5 * b)
        return math.log1p(2.0 * s * s)
    return b - LOG2 + math.log1p(math.exp(-2.0 * b))


def log1mexp(a: float) -> float:
    """log(1 - exp(a)) for a < 0, by the form that keeps its digits (Maechler 2012, eq. 7)."""
    if a >= 0.0:
        return -inf if a == 0.0 else nan
    return log(-math.expm1(a)) if a > -LOG2 else math.log1p(-math.exp(a))


def logaddexp(a: float, b: float) -> float:
    """log(exp(a) + exp(b)) without overflow."""
    if a == b:  # infinities too, whose difference is none
        return a + LOG2
    return (a if a > b else b) + math.log1p(math.exp(-abs(a - b)))  # noqa: FURB136


def rel_entr(a: float, b: float) -> float:
    """a*log(a/b), 0 where a is 0, and infinite where either is negative, as SciPy has it."""
    if a != a or b != b:  # noqa: PLR0124
        return nan
    if a > 0.0 and b > 0.0:
        return a * log(a / b)
    return 0.0 if a == 0.0 and b >= 0.0 else inf


def millsrest(a: float) -> float:
    """mills(a) - 2*a: to the right of 1 by the continued fraction of erfc (DLMF 7.9.1), where nothing cancels."""
    if a < 1.0 or a != a:  # noqa: PLR0124
        return 2.0 * math.exp(-a * a) / (math.sqrt(math.pi) * math.erfc(a)) - 2.0 * a
    k = 0.0
    for n in range(int(20.0 + 200.0 / (a * a)), 0, -1):
        k = 0.5 * n / (a + k)
    return 2.0 * k


def mills(a: float) -> float:
    """2*exp(-a**2)/(sqrt(pi)*erfc(a)), which goes to 2*a."""
    return 2.0 * math.exp(-a * a) / (math.sqrt(math.pi) * math.erfc(a)) if a < 1.0 else 2.0 * a + millsrest(a)


def logerfc(a: float) -> float:
    """log(erfc(a)) without underflow."""
    if a < 0.5:
        return math.log1p(-math.erf(a))
    return math.log(math.erfc(a)) if a < 1.0 else -math.log(0.5 * math.sqrt(math.pi) * mills(a)) - a * a


def lngamma(a: float) -> float:
    """log(gamma(a)); between -1 and 0, -3 and -2, and so on, gamma is negative."""
    if a <= 0.0 and (a == floor(a) or floor(a) % 2.0 != 0.0):
        return inf if math.copysign(1.0, a) > 0.0 else nan
    return lgamma(a)


def digamma(a: float) -> float:
    """Derivative of lgamma: reflection, recurrence up to 10, then the asymptotic series (DLMF 5.11.2)."""
    if a - a != 0.0:
        return a if a > 0.0 else nan
    y = 0.0
    if a <= 0.0:
        if a == floor(a):
            # As SciPy has it: the pole at 0 has two sides, and its sign is that of the side that 0 is on.
            return -math.copysign(inf, a) if a == 0.0 else nan
        f = a - floor(a + 0.5)  # the nearest whole number taken off: pi*a itself would lose the digits
        y = -math.pi / math.tan(math.pi * f)
        a = 1.0 - a
    # Near the zero at 1.4616... the recurrence cancels; the Taylor series there starts from the zero itself.
    if 1.3 < a < 1.65:
        return y + digamma_near_zero(a)
    while a < 10.0:
        y -= 1.0 / a
        a += 1.0
    r = 1.0 / (a * a)
    s = r * (1 / 12 - r * (1 / 120 - r * (1 / 252 - r * (1 / 240 - r * (1 / 132 - r * (691 / 32760 - r / 12))))))
    return y + math.log(a) - 0.5 / a - s


def digamma_near_zero(a: float) -> float:
    """Taylor series of digamma about its positive zero, whose coefficients are polygammas there."""
    zero, rest = 1.4616321449683623, 9.549995429965697e-17  # the zero to 32 digits, in two parts
    d = (a - zero) - rest
    total, power, factorial = 0.0, 1.0, 1.0
    for k in range(1, 30):
        power *= d
        factorial *= k
        term = polygamma_series(float(k), zero) / factorial * power
        total += term
        if abs(term) <= 1e-18 * abs(total):
            break
    return total


def polygamma(n: float, a: float) -> float:
    """n-th derivative of digamma."""
    return digamma(a) if n == 0.0 else polygamma_series(n, a)


def polygamma_series(n: float, a: float) -> float:
    """Polygamma for n >= 1: recurrence up to n + 15, then the asymptotic series (DLMF 5.15.8)."""
    # Far to the left the recurrence would walk for ever; nothing there is told apart from a pole any more.
    if n - n != 0.0 or n != floor(n) or n < 0.0 or a != a:  # noqa: PLR0124
        return nan
    if a == inf:
        return 0.0
    if a <= 0.0 and a == floor(a):
        return inf if int(n) % 2 == 1 else -inf  # a pole, as seen from the right
    if a < -1e6:
        return nan
    flip = -1.0 if int(n) % 2 == 0 else 1.0
    # To the left of 0 the recurrence still holds; it is walked until the argument is large.
    y = 0.0
    while a < n + 15.0:
        y += pow(a, -n - 1.0)
        a += 1.0
    front = math.exp(math.lgamma(n) - n * math.log(a)) if n > 20.0 else gamma(n) * math.pow(a, -n)
    s = front * (1.0 + 0.5 * n / a)
    t, k = front, 0.0
    for b in (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510):
        # The factor (n + 2k - 1)!/((2k)! (n - 1)! a**(2k)) is carried from term to term.
        t *= (n + k) * (n + k + 1.0) / ((k + 1.0) * (k + 2.0)) / (a * a)
        s += b * t
        k += 2.0
    return flip * (gamma(n + 1.0) * y + s)


def boxcox(a: float, b: float) -> float:
    """(a**b - 1)/b, log(a) at b = 0; near that by expm1, which keeps the digits."""
    if a > 0.0 and b - b == 0.0 and abs(b * log(a)) < 1.0:
        return log(a) * exprel(b * log(a))
    return (pow(a, b) - 1.0) / b if b != 0.0 else log(a)


def boxcoxslope(a: float, b: float) -> float:
    """The derivative of boxcox by b."""
    if a == 0.0:
        return 1.0 / b / b if b > 0.0 else nan
    return log(a) * log(a) * exprelslope(b * log(a))


def boxcoxbend(a: float, b: float) -> float:
    """The second derivative of boxcox by b."""
    if a == 0.0:
        return -2.0 / b / b / b if b > 0.0 else nan
    return log(a) * log(a) * log(a) * exprelbend(b * log(a))


# Names of the functions above that generated code may call, and those of them that are source for both tiers.
SHARED = (*quotients.SHARED, "boxcox", "boxcoxslope", "boxcoxbend",
          "cbrt", "sech", "sign", "mod", "floor_divide", "copysign", "sinc", "sincslope", "logit",
          "sigmoid", "softplus", "logcosh", "log1mexp", "logaddexp", "rel_entr", "millsrest", "mills",
          "logerfc", "lngamma",
          "polygamma_series", "digamma_near_zero", "digamma", "polygamma")  # fmt: skip
GUARDED = (
    "exp", "expm1", "sinh", "cosh", "log", "log2", "log10", "log1p", "sqrt", "sin", "cos", "tan", "arcsin", "arccos",
    "arctan", "arctan2", "tanh", "arcsinh", "arccosh", "arctanh", "hypot", "erf", "erfc", "gamma", "lgamma", "floor",
    "ceil", "trunc", "rint", "pow", "div",
)  # fmt: skip

# The operators, and what a table's row says with one of them that raises in Python.
_OPERATIONS: dict[str, Scalar] = {
    "add": lambda *a: sum(a[1:], a[0]),
    "multiply": lambda a, b: a * b,
    "divide": div,
    "power": pow,
    "abs": abs,
    "xdivy": lambda a, b: 0.0 if a == 0.0 else div(a, b),
}


@cache
def _operation(function: str) -> Scalar:
    """Give a function of the table: one from above, or what the scalar code of its row says."""
    if function in _OPERATIONS:
        return _OPERATIONS[function]
    row = FUNCTIONS[function]
    if not row.code:
        return globals()[function]  # type: ignore[no-any-return]
    names = "abc"[: row.most]
    code = row.code.format(*names)
    text = f"lambda {', '.join(names)}: float({f'bool({code})' if row.boolean else code})"
    return eval(text, globals())  # type: ignore[no-any-return] # noqa: S307 - the table's own text


def evaluate(function: str, values: list[float]) -> float:
    """Give the value of a function of the table at plain floats.

    Parameters
    ----------
    function : str
        The name of its row.
    values : list of float
        The arguments.

    Returns
    -------
    float

    Examples
    --------
    >>> evaluate("divide", [1.0, 0.0])
    inf
    """
    return _operation(function)(*values)
