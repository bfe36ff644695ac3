"""What strategies draw, and what it shrinks to."""

import math
import re
from random import Random

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from symgd.errors import UsageError
from symgd.testing.classes import Known
from symgd.testing.strategies import (
    convex_bowls,
    convex_quadratics,
    extremal,
    hilly,
    kinked,
    learning_rates,
    least_squares,
    logistic_losses,
    starts,
)

ALL = {
    "quadratics": convex_quadratics(),
    "bowls": convex_bowls(),
    "least squares": least_squares(),
    "logistic losses": logistic_losses(),
    "hilly": hilly(),
    "kinked": kinked(),
    "extremal": extremal(),
}
HOW = settings(max_examples=300, database=None, deadline=None)


def smallest(strategy, condition, seed=0):
    return find(strategy, condition, settings=HOW, random=Random(seed))


@pytest.mark.parametrize("name", ALL)
@given(data=st.data())
def test_what_is_drawn_is_known(name, data):
    f = data.draw(ALL[name])
    assert isinstance(f, Known)
    assert f.minimizer.shape == (f.n,)
    assert np.isfinite(f.minimizer).all()
    assert math.isfinite(f.minimum)
    assert f.L > 0
    assert f.mu is None or 0 <= f.mu <= f.L


@given(f=convex_quadratics(dims=(2, 5), condition=(10, 1e4)))
def test_conditions_and_dimensions_are_those_asked_for(f):
    assert 2 <= f.n <= 5
    assert 10 <= f.L / f.mu <= 1e4
    factors = f.ridges[0].factors * np.sum(f.ridges[0].directions ** 2, axis=1)
    assert factors.max() == pytest.approx(f.L, rel=1e-14)
    assert factors.min() == pytest.approx(f.mu, rel=1e-14)


@given(f=convex_quadratics(dims=3, condition=1e12, largest=2.0, centred=True))
def test_numbers_may_be_given_outright(f):
    assert f.n == 3
    assert f.L == 2
    assert f.L / f.mu == pytest.approx(1e12, rel=1e-15)
    assert not f.minimizer.any()
    assert f.minimum == 0


def spectrum(f):
    return np.sort(f.ridges[0].weights)


@pytest.mark.parametrize(
    "kind",
    [
        lambda f: len(set(spectrum(f))) == 1 and f.n > 2,  # all the same
        lambda f: len(set(spectrum(f)[1:-1])) == 1 and f.n == 5 and f.mu < spectrum(f)[1] < f.L,  # repeated
        lambda f: 0 < spectrum(f)[1] / f.mu - 1 < 1e-10,  # a cluster, almost one
        lambda f: set(spectrum(f)) == {f.mu, f.L} and f.mu < f.L and f.n == 5,  # only the ends
        lambda f: f.L / f.mu > 1e5,  # extreme
        lambda f: f.L > 1e8,
        lambda f: f.L < 1e-3,
        lambda f: not np.allclose(np.abs(f.ridges[0].directions), np.eye(f.n)) and f.ridges[0].over[0] == 1,  # turned
    ],
)
def test_spectra_of_every_kind_are_drawn(kind):
    assert kind(smallest(convex_quadratics(dims=5), kind))


@pytest.mark.parametrize("seed", range(2))
def test_what_is_drawn_shrinks_to_what_a_person_can_read(seed):
    def repeats(strategy, condition):
        return repr(smallest(strategy, condition, seed))

    assert repeats(convex_quadratics(), lambda f: True) == "Objective('x1**2/2')"
    assert repeats(convex_quadratics(), lambda f: f.L / f.mu > 7.5) == "Objective('4*x1**2 + x2**2/2')"
    assert repeats(convex_quadratics(), lambda f: f.minimum > 2) == "Objective('x1**2/2 + 3')"
    assert repeats(convex_quadratics(), lambda f: f.minimizer.min() < -2) == "Objective('(x1 + 3)**2/2')"
    turned = repeats(convex_quadratics(), lambda f: f.mu < f.L and (f.ridges[0].directions != 0).sum() > f.n)
    assert turned == "Objective('(x1 + x2)**2/2 + (x1 - x2)**2/4')"
    assert repeats(least_squares(), lambda f: f.n > 1).startswith(
        "Objective('mean((X @ x - y)**2)/2', data={'X': [[1, 0]"
    )
    assert repeats(hilly(), lambda f: f.n > 1) == "Objective('(1 - cos(x1)) + (1 - cos(x2))')"


@pytest.mark.parametrize("name", ["quadratics", "bowls", "hilly", "kinked"])
@pytest.mark.parametrize("seed", [0])
def test_counterexamples_that_need_two_parameters_have_two_and_small_numbers(name, seed):
    def far(case):
        f, x = case
        return f.n >= 2 and f.gap(x) > 20 * abs(f.minimum) + 20

    strategy = ALL[name].flatmap(lambda f: st.tuples(st.just(f), starts(f)))
    f, x = smallest(strategy, far, seed)
    assert f.n == 2
    numbers = [float(v) for v in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", repr(f))] + [abs(v) for v in x]
    assert all(2 * v == int(2 * v) and v < 100 for v in numbers), (f, x)  # Huber functions have a half of their own


@given(data=st.data())
def test_starts_are_away_from_the_minimizer(data):
    f = data.draw(convex_quadratics())
    x = data.draw(starts(f))
    assert x.shape == (f.n,)
    assert np.isfinite(x).all()
    assert f.distance(x) > 0
    assert data.draw(starts(3)).shape == (3,)


@given(data=st.data())
def test_learning_rates_are_stable_where_they_must_be(data):
    f = data.draw(convex_quadratics())
    assert 0 < data.draw(learning_rates(f)) * f.L < 2
    # Polyak 1964: of the heavy ball it is 2 (1 + beta)/L.
    assert 0 < data.draw(learning_rates(f, method="momentum")) * f.L < 2 * 1.9
    assert data.draw(learning_rates(f, stable=False)) > 0


def test_learning_rates_beyond_what_is_stable_are_drawn_when_asked_for():
    assert smallest(learning_rates(4.0, stable=False), lambda lr: lr > 0.5) > 0.5


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(UsageError, match=r"dims=0 must be a whole number from 1 to 1000, or a pair of them in order"):
        convex_quadratics(dims=0)
    with pytest.raises(UsageError, match=r"dims=\(3, 2\) must be a whole number"):
        convex_quadratics(dims=(3, 2))
    with pytest.raises(UsageError, match=r"condition=0\.5 must be a number from 1 to 1e"):
        convex_quadratics(condition=0.5)
    with pytest.raises(UsageError, match="condition=10 of one parameter is always 1; give dims= of at least 2"):
        convex_quadratics(dims=1, condition=10)
    with pytest.raises(UsageError, match="kind='hubr' is not known; did you mean 'huber'"):
        convex_bowls(kinds=("hubr",))
    with pytest.raises(UsageError, match=r"of=0 must be an objective of symgd\.testing, or a whole number"):
        starts(0)
    with pytest.raises(UsageError, match="L=inf must be positive and finite"):
        learning_rates(math.inf)
    with pytest.raises(UsageError, match="adam has no largest stable learning rate"):
        learning_rates(1.0, method="adam")
