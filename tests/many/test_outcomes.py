"""How a start ends is the same alone and among many: one function tells it, from what both look at."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symgd as sg
from symgd.descent.outcomes import LONGEST, SLICE, look_back, look_every
from symgd.descent.state import room
from symgd.many.lanes import Limits

BOWL = "3*x**2 + y**2 + x*y"
FENCED = "x**2 - log(1 - x - y) + y**2"
STEEP = "exp(x**4) + y**2"
DEEP = "-exp(x) - y**3"
KINKED = "abs(x - y) + 0.1*(x - 1)**2"
FLAT = "1e6 + exp(x) - 1.3*x + 3*(y - 0.3)**2"
CASES = [
    (BOWL, {"lr": 0.1, "steps": 400}),  # converges, and has no tolerance
    (BOWL, {"lr": 0.1, "steps": 37, "gtol": 1e-4}),
    (BOWL, {"lr": 0.33, "steps": 25}),  # rises
    (BOWL, {"lr": 0.33, "steps": 2}),
    (BOWL, {"lr": 0.5, "steps": 3000}),  # grows beyond all numbers
    (BOWL, {"lr": 0.05, "method": "momentum", "beta": 1.02, "steps": 90}),  # swings ever wider
    (BOWL, {"lr": 0.05, "method": "momentum", "beta": 1.004, "steps": 1500}),
    (BOWL, {"lr": 0.05, "method": "momentum", "beta": 0.8, "steps": 1500, "xtol": 1e-6}),
    (FENCED, {"lr": 0.6, "steps": 3}),
    (FENCED, {"lr": 0.25, "steps": 40}),
    (FENCED, {"lr": 0.02, "steps": 40, "ftol": 1e-3}),
    (FENCED, {"steps": 200}),  # the exact Cauchy step
    (STEEP, {"lr": 0.3, "steps": 12}),  # overflows near its start
    (DEEP, {"lr": 0.5, "steps": 30}),  # falls for ever
    (DEEP, {"steps": 60}),
    (FLAT, {"steps": 200, "gtol": 1e-12}),  # ends where rounding hides the rest
    (KINKED, {"steps": 60}),  # stalls
    (KINKED, {"steps": 90, "lr": 0.1, "gtol": 1e-8}),
    (FLAT, {"lr": 0.1, "gtol": 1e-9, "steps": 2500}),  # by looks in between, and by a tolerance that is lowered
    (f"1e-9*({BOWL})", {"lr": 3e7, "gtol": 1e-8, "steps": 600}),  # small enough a gradient from the start
]
LOOKED = CASES[-2:-1]


def check_like_alone(f, starts, options):
    """Ask each start alone; give how they ended."""
    many = f.minimize_many(starts, **options)
    seen = set()
    for place, start in enumerate(starts):
        told, run = many.OUTCOMES[many.outcomes[place]], f.minimize(start, **{"method": "gd", **options})
        seen.add(str(told))
        assert told == run.outcome, (f.text, options, start)
        if run.outcome in ("diverged", "left_domain"):  # rounding decides in which step a number is out of bounds
            assert abs(many.steps[place] - run.steps) <= 1
        else:
            assert many.steps[place] == run.steps
            np.testing.assert_allclose(many.points[place], run.x, rtol=1e-7, atol=1e-9)
    return seen


def spread(count):
    """Give starts inside of the fence."""
    starts = np.random.default_rng(5).uniform(-1.5, 1.5, (count, 2))
    return np.where(starts.sum(axis=1, keepdims=True) < 0.95, starts, -starts)


@pytest.mark.parametrize(
    ("tier", "cases"),
    [
        ("python", CASES),
        ("numba", [case for case in CASES if case[0] != DEEP and case[1].get("method") != "momentum"][2:7]),
        ("numba", LOOKED),
        pytest.param("numba", CASES, marks=pytest.mark.slow),
    ],
    ids=["python", "some compiled", "looked at", "all compiled"],
)
def test_a_start_ends_the_same_alone_and_among_many(tier, cases):
    seen = set()
    for text, options in cases:
        seen |= check_like_alone(sg.Objective(text, tier=tier), spread(25), options)
    ways = {
        "converged_gradient",
        "converged_value",
        "converged_step",
        "max_steps",
        "diverged",
        "left_domain",
        "stalled",
    }
    assert seen == ways or cases != CASES


SHAPES = (
    "a*x**2 + y**2 + x*y", "x**4 + a*y**2", "a*exp(x - y) + x**2 + y**2", "x**2 - y**2 + a*y**4", "a*(x - y)**2",
    "(x**2 + y - 0.3)**2 + a*(x + y**2 - 0.7)**2", "abs(x) + a*y**2", "sqrt(x + 2) + a*y**2", "exp(-x) + a*y**2",
)  # fmt: skip
RULES = ({}, {"lr": 0.1}, {"lr": "0.2/(1 + t/50)"}, {"method": "adam", "lr": 0.05}, {"method": "momentum", "lr": 0.05})


@settings(max_examples=25)
@given(
    st.sampled_from(SHAPES), st.sampled_from([0.5, 1.0, 3.0]), st.sampled_from([-12, -6, 0, 6]), st.sampled_from(RULES),
    st.sampled_from([None, 1e-8, 1e-11, 1e-4]), st.integers(1, 700), st.integers(0, 9),
)  # fmt: skip
def test_whatever_is_asked_for_a_start_ends_as_it_does_alone(shape, a, scale, rule, gtol, steps, seed):
    f = sg.Objective(f"1e{scale}*({shape.replace('a*', f'{a}*')})", tier="python")
    starts = np.random.default_rng(seed).uniform(-1.5, 1.5, (3, 2))
    check_like_alone(f, starts, {**rule, "steps": steps, **({"gtol": gtol} if gtol else {})})


@pytest.mark.parametrize(
    ("n", "steps"), [(2, 1), (2, 15), (2, 1000), (2, 30_000), (2, 10**6), (3000, 10**5), (2, 10**8)]
)
def test_all_look_at_values_at_the_same_steps(n, steps):
    every, rows = look_every(n, steps), room(n, steps + 2)
    thinned = 1
    while steps >= (rows - 1) * thinned:
        thinned *= 2
    assert every % thinned == 0  # where the history has a record
    assert (every // thinned) % 2 == 1
    assert every <= max(SLICE, thinned)
    assert steps // every >= 16 or every == 1
    assert Limits(steps, -1.0, -1.0, -1.0, every).chunk <= LONGEST


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=60))
def test_peaks_and_lows_are_those_of_the_quarters(values):
    values, steps = np.array(values), max(1, len(values) - 1)
    step = np.arange(len(values), dtype=float)
    peaks, lows, looks = look_back(step, values, (len(values) - 1, values[-1]), steps, 1)
    assert looks == len(values)
    assert peaks.max() == values.max()
    assert lows.min() == values.min()
    late = values[step > 3 * steps / 4]
    assert peaks[3] == max(late, default=-np.inf)
    assert lows[0] == values[step <= steps / 4].min()
