"""Student's distribution: SciPy's numbers, and many digits."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from symgd.fitting import statistics, student

DOFS = st.one_of(st.integers(1, 200), st.integers(1, 10**8), st.just(math.inf))


def exactly(t, dof):
    with mpmath.workdps(50):
        if math.isinf(dof):
            if t > 1e3:  # exp(-t**2/2), which mpmath without gmpy2 does not try
                return mpmath.mpf(0)
            return mpmath.erfc(mpmath.mpf(t) / mpmath.sqrt(2))
        return mpmath.betainc(mpmath.mpf(dof) / 2, 0.5, 0, dof / (dof + mpmath.mpf(t) ** 2), regularized=True)


@pytest.mark.parametrize("dof", [1, 2, 3, 7, 39, 40, 41, 500, 10_000, math.inf])
@pytest.mark.parametrize("t", [1e-8, 0.1, 1.0, 1.5, 1.500001, 1.96, 3.0, 30.0, 1e8, 1e160])
def test_tails_are_those_of_many_digits(t, dof):
    exact = exactly(t, dof)
    if exact > 1e-290:
        assert student.beyond(t, dof) == pytest.approx(float(exact), rel=3e-13)


@given(DOFS, st.floats(1e-6, 1e3))
def test_tails_are_those_of_scipy(dof, t):
    theirs = 2 * (special.ndtr(-t) if math.isinf(dof) else special.stdtr(dof, -t))
    assert student.beyond(t, dof) == pytest.approx(float(theirs), rel=1e-10, abs=1e-290)


@given(DOFS, st.floats(1e-9, 1 - 1e-12))
def test_quantiles_have_the_share_that_was_asked_for(dof, level):
    inside, outside = student._sides(student.reach(level, dof), dof)
    assert inside == pytest.approx(level, rel=1e-12) if level < 0.5 else outside == pytest.approx(1 - level, rel=1e-12)


def test_quantiles_are_those_of_scipy():
    for dof in (1, 2, 5, 47, 1e3, 1e6):
        for level in (0.5, 0.683, 0.95, 0.999):
            assert student.reach(level, dof) == pytest.approx(special.stdtrit(dof, (1 + level) / 2), rel=1e-10)


def test_what_has_no_degrees_of_freedom_has_no_tail():
    assert math.isnan(statistics.quantile(0.95, 0))
    found = statistics.tail(np.array([math.nan, 0.0, -math.inf, math.inf, -2.0]), 3)
    np.testing.assert_allclose(found, [math.nan, 1.0, 0.0, 0.0, 2 * special.stdtr(3, -2.0)], rtol=1e-13)
    assert np.isnan(statistics.tail(np.ones(2), 0)).all()
