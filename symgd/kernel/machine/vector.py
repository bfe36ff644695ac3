"""Exponentials, logarithms and their kin that a loop over rows computes several rows at a time.

A call of C's library keeps LLVM from vectorising the loop that it stands in. The functions here have no branch, no
table and no call: every case is computed, and one is selected. Each is written once, as Python that runs on plain
floats and that, handed a `Value` instead, writes itself down in LLVM's language. What calls it has it written in, so
that the machine code needs nothing from outside.

The reductions are those of Cody and Waite, Software Manual for the Elementary Functions (1980), and of Tang
(ACM TOMS 15, 1989, for exp; 16, 1990, for log) without their tables; log(1 + f) by the inverse hyperbolic tangent is
from FDLIBM (Sun Microsystems, 1993). The polynomials interpolate at Chebyshev's nodes, which is within a few per cent
of the best there is; the coefficients were computed with 60 digits, and what they leave out is at most a fifth of a
unit in the last place.

Measured on one x86-64 core with AVX2, against C's library (glibc) called by Numba, in nanoseconds. "Row" is the time of
one element of a long array; "step" is that of one call in a chain in which each waits for the one before.

=========  ========  =========  ==========    =========  ========  =========  ==========
function   row by C  row here   step, C-here  function   row by C  row here   step, C-here
=========  ========  =========  ==========    =========  ========  =========  ==========
exp        5.0       1.4        12 - 17       sech       5.3       2.0        18 - 23
expm1      9.8       1.9        32 - 16       sigmoid    5.3       2.0        17 - 22
log        4.4       1.6        6 - 22        softplus   12.5      3.3        31 - 33
log1p      8.1       2.1        26 - 24       logaddexp  13.7      4.0        39 - 33
tanh       25        2.8        39 - 25       logcosh    14.3      4.6        31 - 35
sinh       16        2.5        39 - 23       log1mexp   12.3      9.9        10 - 45
cosh       7.2       1.8        17 - 22       cbrt       17.2      4.9        42 - 47
erf        15        3.4        14 - 22
=========  ========  =========  ==========    =========  ========  =========  ==========

So loops over rows take all of them. Elsewhere, as in a descent without data, where each step waits for the last, those
in `LATE` are left to C's library, whose tables make them ready sooner. The time to compile does not grow.

Sine and cosine of large arguments need the digits of 2/pi from a table. So what is here of them, `sinnear` and
`cosnear`, is nan beyond a million, and no loop takes them that cannot compute such a row again. The functions log2 and
log10 are not here: they are to be exact at powers of 2 and of 10.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache as once
from math import inf, nan

from symgd.kernel.machine.values import REST, Number, Value, bits, real, select

# ---- constants -----------------------------------------------------------------------------------------------------

# Added to a number below 2**51, this rounds it to a whole number, which then stands in the lowest bits, 2046 more than
# it is: the exponents that exp needs, from -1076 on, become positive.
_ROUND, _BIAS, _LOW = 1.5 * 2.0**52 + 2046.0, 2046, 0xFFF
_PER_LOG2 = 1.4426950408889634
_LOG2_HIGH, _LOG2_LOW = 0.6931471803691238, 1.9082149292705877e-10  # the first has 21 zero bits: times k it is exact
_LOG2 = 0.6931471805599453
_ONE, _ROOT = 0x3FF0000000000000, 0x3FE6A09E00000000  # the bits of 1, and of sqrt(1/2) cut off
_SIGN = -0x8000000000000000
_TINY = 1e-17  # where f(a) is a to the last digit, if f(a) = a + O(a**2)

# (exp(r) - 1 - r)/r**2 for abs(r) <= log(2)/2, in r.
_EXP = (
    0.5, 0.1666666666666667, 0.04166666666666667, 0.008333333333326136, 0.0013888888888883748,
    0.00019841269874820627, 2.4801587325547743e-05, 2.7557255400206422e-06, 2.75572736431103e-07,
    2.5105217004720745e-08, 2.0914686968086876e-09,
)  # fmt: skip
# (2*arctanh(s) - 2*s)/s**3 in s**2: for s <= 3 - 2*sqrt(2), which is log(1 + f) for 1 + f between the roots of 1/2
# and 2, and for s <= 1/3, which is f from 0 to 1.
_LOG = (
    0.666666666666667, 0.39999999999899444, 0.2857142862600327, 0.22222211130259878, 0.18182889455674947,
    0.15331710618210773, 0.14616585424888623,
)  # fmt: skip
_UNIT = (
    0.6666666666666666, 0.3999999999999952, 0.28571428571600266, 0.22222222198216113, 0.1818181989926796,
    0.15384543917753166, 0.13335179661515711, 0.11734265179376593, 0.10845291032779812, 0.07491639460673266,
    0.15631534707431224,
)  # fmt: skip
# (tanh(a) - a)/a**3 for a <= 0.55, (sinh(a) - a)/a**3 for a <= 1, (log(cosh(a)) - a**2/2)/a**4 for a <= 1, in a**2.
_TANH = (
    -0.3333333333333333, 0.13333333333332714, -0.053968253967434016, 0.021869488493666944, -0.008863234397814355,
    0.003592110378689024, -0.001455661830100716, 0.0005889360520074057, -0.0002346347410887237, 8.511313685577671e-05,
    -2.060276537636634e-05,
)  # fmt: skip
_SINH = (
    0.16666666666666666, 0.008333333333333299, 0.00019841269841324198, 2.7557319191381816e-06, 2.5052117695907823e-08,
    1.6057679623801638e-10, 7.746178593018827e-13,
)  # fmt: skip
_LOGCOSH = (
    -0.08333333333333331, 0.022222222222212935, -0.00674603174542508, 0.0021869488379452975, -0.0007386027486527743,
    0.00025657884381260647, -9.098044473771023e-05, 3.274575390887597e-05, -1.1870098278564584e-05,
    4.245452328679248e-06, -1.4222263651084714e-06, 4.0316343962433623e-07, -8.163410141072987e-08,
    8.440273144347443e-09,
)  # fmt: skip
# erf(a)/a - 1 in a**2 for a <= 1, and erfc(a)*exp(a**2) in (a - 3)/(a + 3) for 1 <= a <= 6.
_ERF = (
    0.1283791670955126, -0.3761263890318375, 0.11283791670954879, -0.026866170645076792, 0.0052239776248180145,
    -0.000854832698083379, 0.0001205533111164271, -1.4925595266831182e-05, 1.6461000484121368e-06,
    -1.6350312701054695e-07, 1.4659775274047436e-08, -1.1372848856791674e-09, 5.957176147748911e-11,
)  # fmt: skip
_ERFC = (
    0.17900115118138996, -0.32623356004303716, 0.24560380171233195, -0.15011593650078744, 0.07166583719774874,
    -0.024392499318273194, 0.004269136347508256, 0.0007077464443901538, -0.0005970623517093284, 4.525472635483354e-05,
    6.406182073530546e-05, -1.284889451252353e-05, -8.008021319412685e-06, 2.023603179641757e-06,
    1.2801900862962662e-06,
)  # fmt: skip
# pi/2 in three parts, of which the first two have 33 bits: times a whole number below 2**20 they are exact. Then the
# polynomials of FDLIBM: (sin(r) - r)/r**3 and (cos(r) - 1 + r**2/2)/r**4 for abs(r) <= pi/4, in r**2.
_PER_HALF_PI, _NEAR = 0.6366197723675814, 2.0**20
_HALF_PI = (1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21)
_SIN = (
    -0.16666666666666632, 0.00833333333332249, -0.0001984126982985795, 2.7557313707070068e-06,
    -2.5050760253406863e-08, 1.58969099521155e-10,
)  # fmt: skip
_COS = (
    0.0416666666666666, -0.001388888888887411, 2.480158728947673e-05, -2.7557314351390663e-07, 2.087572321298175e-09,
    -1.1359647557788195e-11,
)  # fmt: skip


# ---- pieces --------------------------------------------------------------------------------------------------------


def _polynomial(x: Number, coefficients: Sequence[Number]) -> Number:
    """Give the polynomial by Estrin's scheme, whose chains of dependent operations are short."""
    terms = list(coefficients)
    while len(terms) > 1:
        odd = terms[-1:] if len(terms) % 2 else []
        terms = [low + high * x for low, high in zip(terms[::2], terms[1::2], strict=False)] + odd
        x = x * x
    return terms[0]


def _reduced(a: Number) -> tuple[Number, Number, Number]:
    """Give k + 2046, r and w, where exp(a) = 2**k*(1 + r + w), and w is the smaller."""
    t = a * _PER_LOG2 + _ROUND
    k = t - _ROUND
    high = a - k * _LOG2_HIGH
    r = high - k * _LOG2_LOW
    lost = (high - r) - k * _LOG2_LOW
    return bits(t) & _LOW, r, r * r * _polynomial(r, _EXP) + lost


def _scaled(k: Number, r: Number, w: Number) -> Number:
    """Give 2**(k - 2046)*(1 + r + w), in two steps: 2**-1074 and 2**1024 are out of one step's reach."""
    half = k >> 1
    scale = real(half << 52)
    return ((r + w) * scale + scale) * real((k - half) << 52)


def _decay(a: Number) -> Number:
    """Give exp(-abs(a))."""
    b = abs(a)
    return _scaled(*_reduced(-select(b > 746.0, 746.0, b)))


def _half(b: Number) -> Number:
    """Give exp(b)/2 for b >= 0, which is finite wherever sinh and cosh are."""
    k, r, w = _reduced(select(b > 711.0, 711.0, b))
    return _scaled(k - 1, r, w)


def _split(a: Number) -> tuple[Number, Number, Number]:
    """Give k + 1023, k as a float, and m between the roots of 1/2 and 2, where a = m*2**k. It must be normal."""
    shifted = (bits(a) + (_ONE - _ROOT)) & REST
    k = shifted >> 52
    # There is no packed instruction from int64 to float64 before AVX-512: a whole number put below 2**52 is one.
    return k, real(k | 0x4330000000000000) - (2.0**52 + 1023.0), real((shifted & 0xFFFFFFFFFFFFF) + _ROOT)


def _logarithm(k: Number, f: Number) -> Number:
    """Give k*log(2) + log(1 + f), 1 + f between the roots of 1/2 and 2."""
    s = f / (2.0 + f)
    z = s * s
    return k * _LOG2_HIGH - ((s * (f - z * _polynomial(z, _LOG)) - k * _LOG2_LOW) - f)


def _unit(f: Number) -> Number:
    """Give log(1 + f) for f from 0 to 1."""
    s = f / (2.0 + f)
    z = s * s
    return f - s * (f - z * _polynomial(z, _UNIT))


def _signed(y: Number, a: Number) -> Number:
    """Give y, which is not negative, with the sign of a."""
    return real(bits(y) | (bits(a) & _SIGN))


def _turned(a: Number, quarters: int) -> Number:
    """Give the sine of a and so many quarters of a turn; nan for large a."""
    t = a * _PER_HALF_PI + 1.5 * 2.0**52
    k = t - 1.5 * 2.0**52
    first = a - k * _HALF_PI[0]
    second = first - k * _HALF_PI[1]
    third = second - k * _HALF_PI[2]
    lost = ((first - second) - k * _HALF_PI[1]) + ((second - third) - k * _HALF_PI[2])
    z = third * third
    sine = third + (lost + third * z * _polynomial(z, _SIN))
    half = 0.5 * z
    top = 1.0 - half
    cosine = top + (((1.0 - top) - half) + (z * z * _polynomial(z, _COS) - third * lost))
    turn = (bits(t) & 3) + quarters
    # The bits of the whole number as those of floats: 2 or 0, and 1 or -1.
    y = select(real((turn & 1) << 62) > 0.0, cosine, sine)
    return select(abs(a) < _NEAR, y * real(((turn & 2) << 62) | _ONE), nan)


# ---- the functions -------------------------------------------------------------------------------------------------
# A comparison with nan is false, and so written that what is selected then is nan.


def exp(a: Number) -> Number:
    """e**a."""
    b = select(a > 710.0, 710.0, a)
    return _scaled(*_reduced(select(b < -746.0, -746.0, b)))


def expm1(a: Number) -> Number:
    """exp(a) - 1, exact for small a."""
    b = select(a > 710.0, 710.0, a)
    k, r, w = _reduced(select(b < -40.0, -40.0, b))
    quarter = real((k - (_BIAS - 1021)) << 52)  # of 2**k, which may be infinite
    y = 4.0 * ((r * quarter + (quarter - 0.25)) + w * quarter)
    return select(abs(a) < _TINY, a, y)


def log(a: Number) -> Number:
    """Natural logarithm."""
    subnormal = a < 2.0**-1022
    _, k, m = _split(select(subnormal, a * 2.0**54, a))
    y = _logarithm(k - select(subnormal, 54.0, 0.0), m - 1.0)
    return _ends(y, a, a)


def log1p(a: Number) -> Number:
    """log(1 + a), exact for small a."""
    u = 1.0 + a
    b = u - 1.0
    lost = (1.0 - (u - b)) + (a - b)  # 1 + a = u + lost
    raised, k, m = _split(u)
    f = (m - 1.0) + select(a < 1e18, lost * real((2046 - raised) << 52), 0.0)
    y = select(abs(a) < _TINY, a, _logarithm(k, f))
    return _ends(y, a, 1.0 + a)


def _ends(y: Number, a: Number, u: Number) -> Number:
    """Give the logarithm y of u where there is one, and what it is where there is none; a is its argument."""
    y = select(a < inf, y, a)
    return select(u > 0.0, y, select(u == 0.0, -inf, nan))


def tanh(a: Number) -> Number:
    """Hyperbolic tangent."""
    b = abs(a)
    c = select(b > 20.0, 20.0, b)
    z = c * c
    near = c + c * z * _polynomial(z, _TANH)
    far = 1.0 - 2.0 / (_scaled(*_reduced(c + c)) + 1.0)
    return _signed(select(b < 0.55, near, far), a)


def sinh(a: Number) -> Number:
    """Hyperbolic sine."""
    b = abs(a)
    z = b * b
    near = b + b * z * _polynomial(z, _SINH)
    half = _half(b)
    return _signed(select(b < 1.0, near, half - 0.25 / half), a)


def cosh(a: Number) -> Number:
    """Hyperbolic cosine."""
    half = _half(abs(a))
    return half + 0.25 / half


def sech(a: Number) -> Number:
    """1/cosh(a), without overflow."""
    b = _decay(a)
    return (b + b) / (1.0 + b * b)


def sigmoid(a: Number) -> Number:
    """1/(1 + exp(-a))."""
    b = _decay(a)
    return select(a < 0.0, b, 1.0) / (1.0 + b)


def softplus(a: Number) -> Number:
    """log(1 + exp(a)), without overflow."""
    return select(a < 0.0, 0.0, a) + _unit(_decay(a))


def logaddexp(a: Number, b: Number) -> Number:
    """log(exp(a) + exp(b)), without overflow."""
    d = select(a == b, 0.0, a - b)  # infinities too, whose difference is none
    return select(a > b, a, b) + _unit(_decay(d))


def logcosh(a: Number) -> Number:
    """log(cosh(a)), without overflow."""
    b = abs(a)
    z = b * b
    near = 0.5 * z + z * z * _polynomial(z, _LOGCOSH)
    return select(b < 1.0, near, (b - _LOG2) + _unit(_decay(b + b)))


def erf(a: Number) -> Number:
    """Error function."""
    b = abs(a)
    c = select(b > 6.0, 6.0, b)
    z = c * c
    near = c + c * _polynomial(z, _ERF)
    far = 1.0 - _decay(z) * _polynomial((c - 3.0) / (c + 3.0), _ERFC)
    return _signed(select(b < 1.0, near, far), a)


def sinnear(a: Number) -> Number:
    """Sine of a below a million in size, nan beyond."""
    return select(a == 0.0, a, _turned(a, 0))


def cosnear(a: Number) -> Number:
    """Cosine of a below a million in size, nan beyond."""
    return _turned(a, 1)


def log1mexp(a: Number) -> Number:
    """log(1 - exp(a)) for a < 0, by the form that keeps its digits (Maechler 2012, eq. 7)."""
    return select(a > -_LOG2, log(-expm1(a)), log1p(-exp(a)))


def cbrt(a: Number) -> Number:
    """Cube root: a power, then one Newton step to the last digit."""
    b = abs(a)
    c = select(b > 0.0, b, 1.0)
    y = exp(log(c) * (1.0 / 3.0))
    y = y - (y - c / (y * y)) * (1.0 / 3.0)
    y = select(b < inf, y, b)
    return _signed(select(b > 0.0, y, b), a)


# Number of arguments by name.
FUNCTIONS = {
    "exp": 1, "expm1": 1, "log": 1, "log1p": 1, "tanh": 1, "sinh": 1, "cosh": 1, "sech": 1, "sigmoid": 1,
    "softplus": 1, "logaddexp": 2, "logcosh": 1, "log1mexp": 1, "cbrt": 1, "erf": 1, "sinnear": 1,
    "cosnear": 1,
}  # fmt: skip
# Those that are ready sooner by C's library where each waits for the one before, as in a descent without data.
LATE = ("exp", "log", "cosh", "sech", "sigmoid", "log1mexp", "erf", "sinnear", "cosnear")


@once
def text(name: str) -> str:
    """Give a function in LLVM's language, to be written into what calls it.

    Parameters
    ----------
    name : str
        One of `FUNCTIONS`.

    Returns
    -------
    str
        The definition of ``v.`` and the name.
    """
    from llvmlite import ir

    number = ir.DoubleType()
    function = ir.Function(ir.Module(), ir.FunctionType(number, [number] * FUNCTIONS[name]), f"v.{name}")
    function.linkage = "internal"
    function.attributes.add("alwaysinline")
    builder = ir.IRBuilder(function.append_basic_block())
    written = globals()[name]
    builder.ret(written(*(Value(builder, a) for a in function.args)).value)
    return str(function)
