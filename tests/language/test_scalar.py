"""The functions that are written out here, against mpmath over their whole domain."""

import math

import mpmath as mp
import numpy as np
import pytest
from oracles import error

from symgd.language import scalar

RANDOM = np.random.default_rng(7)
WIDE = [float(s * 10.0**k) for s in (1, -1) for k in RANDOM.uniform(-12, 2.8, 60)]
RIGHT = [abs(x) for x in WIDE]

# Function, points, its definition in mpmath, and what float64 may lose: a few units in the last place.
CASES = {
    "cbrt": (WIDE, lambda x: mp.sign(x) * abs(x) ** (mp.mpf(1) / 3)),
    "sech": (WIDE, mp.sech),
    "sigmoid": (WIDE, lambda x: 1 / (1 + mp.exp(-x))),
    "softplus": (WIDE, lambda x: mp.log1p(mp.exp(x))),
    "logcosh": (WIDE, lambda x: mp.log(mp.cosh(x))),
    "log1mexp": ([-x for x in RIGHT], lambda x: mp.log(-mp.expm1(x))),
    "digamma": ([x for x in RIGHT if x > 1e-8], lambda x: mp.psi(0, x)),
    "logerfc": (WIDE, lambda x: mp.log(mp.erfc(x))),
    "mills": ([x for x in WIDE if x > -20], lambda x: 2 * mp.exp(-x * x) / (mp.sqrt(mp.pi) * mp.erfc(x))),
    "millsrest": (
        [x for x in WIDE if -20 < x < 1e3],
        lambda x: 2 * mp.exp(-x * x) / (mp.sqrt(mp.pi) * mp.erfc(x)) - 2 * x,
    ),
    "sincslope": ([x for x in WIDE if 1e-4 < abs(x) < 2], lambda x: (mp.sin(x) - x * mp.cos(x)) / x**3),
    "logit": ([float(x) for x in RANDOM.uniform(0, 1, 60)], lambda x: mp.log(x / (1 - x))),
    "lngamma": ([x for x in RIGHT if x > 1e-8], mp.loggamma),
}


@pytest.mark.parametrize("name", CASES)
def test_functions_to_a_few_units_in_the_last_place(name):
    points, exact = CASES[name]
    with mp.workdps(
        700
    ):  # erfc(500) is 1e-108,574: mpmath works with relative precision, and cancellation needs digits
        for x in points:
            wanted = exact(mp.mpf(x))
            assert error(getattr(scalar, name)(x), wanted) < 5e-14, (x, wanted)  # lgamma and exp at 700: 100 units


@pytest.mark.parametrize("n", [1, 2, 3, 5, 10, 25])
def test_polygamma(n):
    for x in (1e-3, 0.3, 1.0, 1.46, 7.7, 30.0, 1e4, -0.3, -7.7):
        wanted = mp.psi(n, mp.mpf(x))
        assert error(scalar.polygamma(float(n), x), wanted) < 1e-13  # sums of up to 40 terms


def test_digamma_at_its_zero():
    zero = 1.4616321449683623
    for x in (zero, math.nextafter(zero, 2), math.nextafter(zero, 1), 1.46, 1.463):
        with mp.workdps(40):
            assert error(scalar.digamma(x), mp.psi(0, mp.mpf(x))) < 1e-13


TWO = (
    "mod", "floor_divide", "copysign", "logaddexp", "polygamma", "polygamma_series", "arctan2", "hypot", "pow", "div",
    "rel_entr", "boxcox", "boxcoxslope", "boxcoxbend",
)  # fmt: skip


def test_nan_goes_through():
    for name in (*scalar.SHARED, *scalar.GUARDED):
        function = getattr(scalar, name)
        count = 2 if name in TWO else 1
        assert math.isnan(function(*[math.nan] * count)), name


def test_evaluate_knows_every_function_of_the_table():
    from symgd.language.functions import FUNCTIONS

    for row in FUNCTIONS.values():
        if row.kind == "map":
            assert isinstance(float(scalar.evaluate(row.name, [0.5] * row.least)), float)
