"""What is written out for languages whose library lacks it: within 4 units of the last place, and right at the ends."""

import math
import random

import mpmath as mp
import pytest

from symgd.language import special


def lgamma(a):
    return mp.log(abs(mp.gamma(a))) if a < 0 else mp.loggamma(a)


SPANS = [
    ("erf", mp.erf, [(-1, 1), (1, 6)]),
    ("erfc", mp.erfc, [(-6, -1), (-1, 0.5), (0.5, 1), (1, 3), (3, 26)]),
    (
        "lgamma",
        lgamma,
        [(0, 0.7), (0.6875, 1.3125), (0.999, 1.001), (1.3, 2), (1.99, 2.01), (2, 3), (3, 10), (10, 1e4)],
    ),
    ("gamma", mp.gamma, [(0, 1), (1, 2), (2, 20), (20, 171.6), (-1, 0), (-20, -1), (-168, -20)]),
]


@pytest.mark.parametrize(("name", "wanted", "low", "high"), [(n, w, a, b) for n, w, spans in SPANS for a, b in spans])
def test_values_are_within_four_units(name, wanted, low, high):
    source = random.Random(f"{name}{low}")
    with mp.workdps(40):
        for _ in range(200):
            a = source.uniform(low, high)
            exact = wanted(a)
            assert abs(mp.mpf(getattr(special, name)(a)) - exact) <= 4 * math.ulp(float(exact)), a


def test_very_small_and_very_large_arguments():
    for name in ("erf", "erfc", "lgamma", "gamma"):
        for a in (1e-300, -1e-300, 1e-20, 1e10, 1e300, -1e10 - 0.5):
            try:
                wanted = getattr(math, name)(a)
            except OverflowError:
                wanted = math.inf
            found = getattr(special, name)(a)
            assert found == pytest.approx(wanted, rel=1e-15) or (math.isinf(found) and math.isinf(wanted)), (name, a)


def test_ends():
    inf, nan = math.inf, math.nan
    for name, a, wanted in [
        ("erf", inf, 1.0), ("erf", -inf, -1.0), ("erfc", inf, 0.0), ("erfc", -inf, 2.0), ("lgamma", 1.0, 0.0),
        ("lgamma", 2.0, 0.0), ("lgamma", 0.0, inf), ("lgamma", -3.0, inf), ("lgamma", inf, inf), ("lgamma", -inf, inf),
        ("gamma", inf, inf), ("gamma", -inf, nan), ("gamma", -2.0, nan), ("gamma", 172.0, inf), ("gamma", 5.0, 24.0),
        ("rint", 0.5, 0.0), ("rint", 1.5, 2.0), ("rint", -2.5, -2.0), ("rint", 1e300, 1e300), ("rint", inf, inf),
        ("rint", 0.49999999999999994, 0.0), ("rint", 4503599627370495.5, 4503599627370496.0),
    ]:  # fmt: skip
        found = getattr(special, name)(a)
        assert found == wanted or (math.isnan(found) and math.isnan(wanted)), (name, a, found)
    for name in ("erf", "erfc", "lgamma", "gamma", "rint"):
        assert math.isnan(getattr(special, name)(nan))
    for a, b in [(7.5, 2.0), (-7.5, 2.0), (7.5, -2.0), (-7.5, -2.0), (6.0, -3.0), (-1e-300, 2.0)]:
        assert special.modulo(a, b) == a % b
    assert special.pow(1.0, nan) == special.pow(-1.0, inf) == 1.0
    assert math.copysign(1.0, special.copysign(3.0, -0.0)) == -1.0
