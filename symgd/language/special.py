"""Functions that C's library has and those of other languages do not, on plain floats: source for generated code.

Python takes them from C. Where code is written for a language without them, they are written out from here, with what
else that language's library lacks or has otherwise. The polynomials are Chebyshev's interpolants, found with mpmath to
2e-17 of the smallest value on their interval; all functions are within 4 units of the last place.
"""

from __future__ import annotations

import math
from math import fmod, inf, nan

LOG_ROOT = 0.9189385332046728  # log(2*pi)/2
TINY = 3.054936363499605e-151  # 2**-500, which keeps products far from the largest number


def erf(a: float) -> float:
    """The error function: a power series near 0, which has the digits there."""
    if a >= 0.5 or a != a:  # noqa: PLR0124
        return 1.0 - erfc(a)
    if a <= -0.5:
        return erfc(-a) - 1.0
    r, term, total = a * a, 1.0, 1.0
    for k in range(1, 15):
        term *= -r / k
        total += term / (2.0 * k + 1.0)
    return 2.0 / math.sqrt(math.pi) * a * total


def erfc(a: float) -> float:
    """1 - erf(a): between 0.5 and 1 a polynomial, from there on a continued fraction (DLMF 7.9.1)."""
    if a != a:  # noqa: PLR0124
        return a
    if a < 0.5:
        return 1.0 - erf(a) if a > -0.5 else 2.0 - erfc(-a)
    if a < 1.0:
        d, total = a - 0.75, 0.0
        for c in (
            -2.1368182881792984e-05, 7.408255551407303e-05, 0.00010611475192428497, -0.0006238282675380799,
            -0.00018602892820998942, 0.003968253038400969, -0.002301788389016191, -0.018435234988667625,
            0.026872509533883027, 0.0532427291652456, -0.15068696934263318, -0.026788794549785944, 0.4821983018964055,
            -0.6429310691952074, 0.28884436634648486,
        ):  # fmt: skip
            total = total * d + c
        return total
    if a > 27.3:
        return 0.0
    k = 0.0
    for n in range(int(20.0 + 200.0 / (a * a)), 0, -1):
        k = 0.5 * n / (a + k)
    # The square of the leading half of the digits is exact.
    big = 134217729.0 * a
    high = big - (big - a)
    return math.exp(-high * high) * math.exp((high - a) * (high + a)) / (math.sqrt(math.pi) * (a + k))


def lgamma(a: float) -> float:
    """log(abs(gamma(a))): by reflection, Stirling's series (DLMF 5.11.1), or a recurrence down to a polynomial."""
    if a - a != 0.0:
        return a * a
    if a <= 0.0:
        if a == math.floor(a):
            return inf
        if a > -1e-17:
            return -math.log(-a)
        f = a - math.floor(a + 0.5)  # the nearest whole number taken off, which keeps the digits
        return math.log(math.pi / abs(a * math.sin(math.pi * f))) - lgamma(-a)
    if a >= 10.0:
        if a > 1e17:
            return a * (math.log(a) - 1.0)
        r = 1.0 / (a * a)
        s = 1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r * (1 / 1188 - r * (691 / 360360 - r / 156)))))
        return (a - 0.5) * math.log(a) - a + LOG_ROOT + s / a
    if a < 0.6875:
        return lgamma_middle(a + 1.0) - math.log(a)
    more = 1.0
    while a >= 3.0:
        a -= 1.0
        more *= a
    return lgamma_middle(a) + math.log(more) if more > 1.0 else lgamma_middle(a)


def lgamma_middle(a: float) -> float:
    """Give lgamma from 0.6875 to 3: its zeros at 1 and 2, times a polynomial."""
    total = 0.0
    if a < 1.3125:
        d = a - 1.0
        for c in (
            -0.03867343061482993, 0.040570044245456634, -0.023779528417752906, 0.025175127342924687,
            -0.030662061205222767, 0.03262908404149118, -0.03441590485282487, 0.036960848065327845,
            -0.03994415544198373, 0.04341213695436935, -0.04754310124344974, 0.05255629147680057, -0.058777941767800594,
            0.06673172873702275, -0.07731816852889487, 0.0922390084610037, -0.11514654256384436, 0.15543426586396245,
            -0.24525136852258037, 0.5772156649015329,
        ):  # fmt: skip
            total = total * d + c
    elif a < 2.0:
        d = a - 1.65625
        for c in (
            -1.7334248820651793e-05, 3.0436095068730667e-05, -4.544734856006545e-05, 8.05552476569691e-05,
            -0.00014509762105051953, 0.00026004739014404106, -0.0004693393070518861, 0.0008550707159597019,
            -0.001575795245021913, 0.0029479275633269492, -0.005628878185268401, 0.011067479179687614,
            -0.022754178684780146, 0.05037961248116949, -0.12836222448506443, 0.4617484138791129,
        ):  # fmt: skip
            total = total * d + c
    else:
        d = a - 2.5
        for c in (
            -3.354980266950506e-08, 8.869766646857856e-08, -2.0179796339065143e-07, 5.383952194785158e-07,
            -1.4574458942322836e-06, 3.931687998572382e-06, -1.068227978456627e-05, 2.929915410862951e-05,
            -8.13022919694818e-05, 0.0002290536456758698, -0.0006586397066756878, 0.0019490574886904051,
            -0.006018768527034356, 0.01990515430474625, -0.07466357415449942, 0.37957716063055885,
        ):  # fmt: skip
            total = total * d + c
    return (a - 1.0) * (a - 2.0) * total + 0.0  # no negative 0 at 1 and 2


def gamma(a: float) -> float:
    """The gamma function: from 1 to 2 by lgamma, elsewhere by its recurrence, the product in twice the digits."""
    if a - a != 0.0:
        return a if a > 0.0 else nan
    if abs(a) < 1e-17:
        return 1.0 / a if a != 0.0 else copysign(inf, a)
    if a > 172.0:
        return inf
    if a < 0.0 and a == math.floor(a):
        return nan
    if a < -190.0:
        return 0.0 if math.floor(a) % 2.0 == 0.0 else -0.0
    high, low, up = TINY, 0.0, a >= 1.0
    while a < 1.0 or a >= 2.0:
        if up:
            a -= 1.0
        # Dekker's product: high*a is p + e exactly.
        p = high * a
        big = 134217729.0 * high
        h = big - (big - high)
        big = 134217729.0 * a
        k = big - (big - a)
        e = ((h * k - p) + h * (a - k) + (high - h) * k) + (high - h) * (a - k)
        low = low * a + e
        high = p
        if not up:
            a += 1.0
    found = math.exp(lgamma_middle(a))
    if up:
        return (found * high + found * low) / TINY
    return found / high * (1.0 - low / high) * TINY


def rint(a: float) -> float:
    """Round to the nearest whole number, ties to even."""
    if a - a != 0.0 or abs(a) >= 4503599627370496.0:
        return a
    below = math.floor(a)
    rest = a - below
    found = below if rest < 0.5 or (rest == 0.5 and below % 2.0 == 0.0) else below + 1.0
    return math.copysign(found, a)


def copysign(a: float, b: float) -> float:
    """abs(a) with the sign of b: that of 0 is seen in the angle of a point to the left of it."""
    return -abs(a) if math.atan2(b, -1.0) < 0.0 else abs(a)


def pow(a: float, b: float) -> float:  # noqa: A001
    """Raise a to b, 1 where a is 1 whatever b, and where a is -1 and b infinite, as C has it."""
    return 1.0 if a == 1.0 or (a == -1.0 and abs(b) == inf) else math.pow(a, b)


def modulo(a: float, b: float) -> float:
    """Remainder of finite numbers with the sign of b, as Python has it."""
    found = fmod(a, b)
    if found == 0.0:
        return copysign(0.0, b)
    return found + b if (found < 0.0) != (b < 0.0) else found
