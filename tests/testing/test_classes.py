"""Objectives about which everything is known: what is said of them, against their formulas."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symgd as sg
from symgd.errors import UsageError
from symgd.testing.classes import (
    BOWLS,
    HILLS,
    Hilly,
    Kinked,
    LeastSquares,
    Lessard,
    Logistic,
    Resisting,
    quadratic,
    ridge,
)
from symgd.testing.strategies import (
    convex_bowls,
    convex_quadratics,
    extremal,
    hilly,
    kinked,
    least_squares,
    logistic_losses,
    starts,
)

SMOOTH = convex_quadratics() | convex_bowls() | least_squares() | logistic_losses() | hilly()
ANY = SMOOTH | kinked() | extremal()
REACH = st.sampled_from([1e-6, 1e-2, 1.0, 30.0])
FEW = settings(max_examples=max(25, settings().max_examples // 4))  # where each example reads a formula
SEEDS = st.integers(0, 10**6)


def near(f, seed, reach):
    return f.minimizer + reach * np.random.default_rng(seed).normal(size=f.n)


def units(f, x):
    """What rounding may do to a value: the formula adds numbers of the size of its curvature times distances."""
    size = np.abs(x).max() + np.abs(f.minimizer).max()
    slope = f.L * f.distance(x) if math.isfinite(f.L) else f.lipschitz
    return 1e-14 * (abs(f.minimum) + f.gap(x) + slope * size * f.n + 1e-300)


@FEW
@given(f=ANY, seed=SEEDS, reach=REACH)
def test_values_and_gradients_are_those_of_the_formula(f, seed, reach):
    x = near(f, seed, reach)
    plain = f.plain("python")
    assert f.fun(x) == pytest.approx(plain.fun(x), rel=1e-12, abs=100 * units(f, x))
    # The formula's gradient may be a difference of large numbers, as in X.T @ (X @ w - y).
    size = f.L * (np.abs(x).max() + np.abs(f.minimizer).max()) * f.n if math.isfinite(f.L) else f.lipschitz
    assert f.jac(x) == pytest.approx(plain.jac(x), rel=1e-11, abs=1e-12 * size + 1e-14 * f.rough)


@FEW
@given(f=ANY)
def test_what_it_prints_is_the_objective(f):
    again = eval(repr(f), {"Objective": sg.Objective})
    x = f.minimizer + 1.5
    assert again.value({"x": x} if "x" in again.params else dict(zip(again.params, x, strict=True))) == pytest.approx(
        f.fun(x), rel=1e-12, abs=100 * units(f, x)
    )


@given(f=ANY, seed=SEEDS, reach=REACH)
def test_nothing_is_below_the_minimum(f, seed, reach):
    assert f.gap(f.minimizer) == 0
    assert f.gap(near(f, seed, reach)) >= 0
    assert f.distance(f.minimizer) == 0
    assert f.fun(f.minimizer) == f.minimum
    if math.isfinite(f.L):
        assert np.abs(f.jac(f.minimizer)).max() == 0


@given(f=SMOOTH, seed=SEEDS, reach=REACH)
def test_values_lie_between_the_parabolas_that_the_curvature_allows(f, seed, reach):
    x = near(f, seed, reach)
    squared = f.distance(x) ** 2
    # 1e-6: x itself is known to a rounding, which is a share of the smallest reach.
    assert f.gap(x) <= f.L / 2 * squared * (1 + 1e-6) + units(f, x)
    if f.mu:
        assert f.gap(x) >= f.mu / 2 * squared * (1 - 1e-6)


@given(f=SMOOTH, seed=SEEDS, reach=REACH)
def test_gradients_are_as_far_apart_as_the_largest_curvature_allows(f, seed, reach):
    x, y = near(f, seed, reach), near(f, seed + 1, reach)
    apart = np.linalg.norm(x - y)
    assert np.linalg.norm(f.slope(x) - f.slope(y)) <= f.L * apart * (1 + 1e-6)
    if f.mu is not None:
        assert (f.slope(x) - f.slope(y)) @ (x - y) >= f.mu * apart**2 * (1 - 1e-6) - 1e-12 * f.L * apart**2


CENTRED = (
    convex_quadratics(centred=True)
    | st.sampled_from([ridge(kind, [3, 1], smallest=0.5) for kind in BOWLS])
    | st.sampled_from([Hilly(kind, [3, 1], [0, 0]) for kind in HILLS])
    | least_squares().map(lambda f: LeastSquares(f.X, 0 * f.minimizer))
    | logistic_losses().map(lambda f: Logistic(f.X, 0 * f.minimizer, f.ridge))
)


@given(f=CENTRED, seed=SEEDS)
def test_gaps_keep_their_digits_next_to_the_minimizer(f, seed):
    # At a distance of 1e-9 the gap is about 1e-18, which no difference of values could tell.
    x = 1e-9 * np.random.default_rng(seed).normal(size=f.n)
    assert f.gap(x) == pytest.approx(x @ f.slope(x) / 2, rel=1e-6)


def test_logistic_losses_keep_them_wherever_their_minimizer_is():
    import mpmath as mp

    f = Logistic([[1.0], [2.0], [-0.5]], [0.75])
    for away in (2.0**-30, 2.0**-10, 0.25, 1.0, 40.0, -300.0):
        with mp.workdps(60):
            p = [1 / (1 + mp.exp(-mp.mpf(float(a)) * mp.mpf(0.75))) for a in f.X[:, 0]]
            gap = sum(
                mp.log(1 - q + q * mp.exp(mp.mpf(float(a)) * away)) - q * mp.mpf(float(a)) * away
                for a, q in zip(f.X[:, 0], p, strict=True)
            )
        assert f.gap([0.75 + away]) == pytest.approx(float(gap / 3), rel=1e-13)


@given(f=SMOOTH, seed=SEEDS, reach=REACH)
def test_a_point_alone_and_among_others_is_the_same(f, seed, reach):
    x = np.array([near(f, seed + i, reach) for i in range(3)])
    assert f.gap(x) == pytest.approx([float(f.gap(one)) for one in x], rel=1e-13, abs=1e-300)
    assert f.slope(x) == pytest.approx(np.array([f.slope(one) for one in x]), rel=1e-10, abs=1e-13 * f.L * reach)
    assert f.distance(x) == pytest.approx([float(f.distance(one)) for one in x], rel=1e-13)


@FEW
@given(f=convex_quadratics(dims=(2, 6), condition=(1, 1e12)))
def test_eigenvalues_hold_to_a_rounding_for_any_condition(f):
    import mpmath as mp

    with mp.workdps(60):
        rows, factors = f.ridges[0].directions, f.ridges[0].factors
        A = mp.zeros(f.n)
        for w, a in zip(factors, rows, strict=True):
            exact = mp.matrix([mp.mpf(float(v)) for v in a])
            A += mp.mpf(float(w)) * exact * exact.T
        found = sorted(mp.eigsy(A, eigvals_only=True))
        assert float(found[0]) == pytest.approx(f.mu, rel=1e-13)
        assert float(found[-1]) == pytest.approx(f.L, rel=1e-13)


@given(f=least_squares() | logistic_losses(ridge=False) | convex_bowls(), seed=SEEDS)
def test_the_nearest_minimizer_is_one_and_none_is_nearer(f, seed):
    x = near(f, seed, 3.0)
    nearest = f.nearest(x)
    assert f.gap(nearest) <= 1e-24 * f.L * (1 + np.abs(x).max() + np.abs(f.minimizer).max()) ** 2
    flat = f.minimizer + np.random.default_rng(seed).normal(size=f.n)
    other = f.nearest(flat)
    assert np.linalg.norm(x - nearest) <= np.linalg.norm(x - other) * (1 + 1e-9) + 1e-12


@pytest.mark.parametrize("name", HILLS)
def test_the_bounds_of_what_is_not_convex_are_attained(name):
    u = np.linspace(-6, 6, 200_001)
    second = np.gradient(HILLS[name].slope(u), u)
    # The second derivative by differences is off by the square of their step.
    assert second.min() == pytest.approx(HILLS[name].low, rel=1e-6)
    assert second.max() == pytest.approx(HILLS[name].high, rel=1e-6)


@pytest.mark.parametrize("name", BOWLS)
def test_bowls_have_the_curvature_1_at_0_and_less_elsewhere(name):
    bowl = BOWLS[name]
    t = np.linspace(-9, 9, 40_001)
    slopes = np.diff(bowl.slope(t)) / np.diff(t)
    assert slopes.max() <= 1 + 1e-9
    assert slopes[len(slopes) // 2] == pytest.approx(1, rel=1e-6)
    assert bowl.value(np.array([1e-8]))[0] == pytest.approx(0.5e-16, rel=1e-7)


def test_the_function_of_lessard_is_smooth_and_strongly_convex():
    f = Lessard()
    for edge in (1.0, 2.0):  # both sides meet
        assert f.fun([edge - 1e-12]) == pytest.approx(f.fun([edge]), rel=1e-9)
        assert f.jac([edge - 1e-12]) == pytest.approx(f.jac([edge]), rel=1e-9)
    assert f.fun([3.3]) == pytest.approx(12.5 * 3.3**2 - 24 * 3.3 + 36, rel=1e-15)


def test_what_resists_gives_one_number_away_a_step():
    f = Resisting(3, 2.0, 1.0)
    x = np.array([3e-9, 2e-9, 1e-9])
    for i in range(2):
        assert f.jac(x).nonzero()[0].tolist() == [i]
        x = x - 0.1 * f.jac(x)
        assert f.gap(x) == pytest.approx(2, rel=1e-8)
    assert f.nearest(np.array([-5.0, 0, 1])).tolist() == [-5, -1, -1]


@FEW
@given(f=ANY)
def test_objectives_travel_before_and_after_their_formula_was_read(f):
    other = pickle.loads(pickle.dumps(f))
    assert repr(other) == repr(f)
    assert f.params  # reads it
    other = pickle.loads(pickle.dumps(f))
    assert repr(other) == repr(f)
    assert (other.L, other.mu, other.minimum) == (f.L, f.mu, f.minimum)
    assert other.fun(f.minimizer + 1) == f.fun(f.minimizer + 1)


def test_the_formula_is_read_when_it_is_needed():
    f = quadratic([1, 3], minimizer=[2, 0])
    assert isinstance(f, sg.Objective)
    assert f.jac([3, 1]).tolist() == [1, 3]
    assert repr(f)
    assert "tree" not in vars(f)
    assert f.minimize([5, 5], lr=0.3, steps=200).ok
    assert "tree" in vars(f)


@given(f=convex_quadratics(dims=(1, 4)), data=st.data())
def test_an_objective_that_is_moved_is_the_same_elsewhere(f, data):
    n = f.n
    turn, _ = np.linalg.qr(np.random.default_rng(data.draw(SEEDS)).normal(size=(n, n)))
    x = data.draw(starts(f))
    other = f.moved(turn @ f.minimizer + 1, turn, 4.0)
    assert other.gap(turn @ x + 1) == pytest.approx(4 * f.gap(x), rel=1e-6, abs=4 * units(f, x))
    assert (other.L, other.mu) == (4 * f.L, 4 * f.mu)


def test_formulas_are_short_where_numbers_are():
    assert repr(quadratic([1])) == "Objective('x1**2/2')"
    assert repr(quadratic([4, 2], [1, -2], -3)) == "Objective('2*(x1 - 1)**2 + (x2 + 2)**2 - 3')"
    assert repr(quadratic([0, 1])) == "Objective('0*x1 + x2**2/2')"
    assert repr(quadratic([2, 2], basis=[[0, 1], [1, 0]])) == "Objective('x2**2 + x1**2', params=['x1', 'x2'])"
    assert repr(ridge("logcosh", [2], scale=3)) == "Objective('2*9*logcosh(x1/3)')"
    assert repr(Kinked([1, 2], [0, 1])) == "Objective('abs(x1) + 2*abs(x2 - 1)')"
    assert repr(Hilly("cauchy", [1], [2])) == "Objective('log1p((x1 - 2)**2)')"
    text = repr(quadratic(range(1, 10)))
    assert text == "Objective('sum(w*x**2/2)', data={'w': [1, 2, 3, 4, 5, 6, 7, 8, 9]})"


def test_what_cannot_be_is_refused():
    with pytest.raises(UsageError, match="kind='hubr' is not known; did you mean 'huber'"):
        ridge("hubr", [1])
    with pytest.raises(UsageError, match=r"spectrum=.* must be finite numbers of at least 0"):
        quadratic([1, -1])
    with pytest.raises(UsageError, match="scale=0 must be positive"):
        ridge("huber", [1], scale=0)
    with pytest.raises(UsageError, match="kind='cosin' is not known; did you mean 'cosine'"):
        Hilly("cosin", [1], [0])
    with pytest.raises(UsageError, match=r"X with shape \(1, 2\) and minimizer with shape \(3,\) do not go together"):
        LeastSquares([[1, 2]], [0, 0, 0])
    with pytest.raises(UsageError, match=r"x has the shape \(3,\); give a vector of 2 numbers"):
        quadratic([1, 2]).fun([1, 2, 3])
