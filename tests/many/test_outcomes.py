"""How a start ends is the same alone and among many: one function tells it, from what both look at."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import symgd as sg
from symgd.descent.outcomes import LONGEST, SLICE, look_back, look_every
from symgd.descent.state import room
from symgd.many.lanes import Limits

BOWL = "3*x**2 + y**2 + x*y"
FENCED = "x**2 - log(1 - x - y) + y**2"
STEEP = "exp(x**4) + y**2"
DEEP = "-exp(x) - y**3"
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
    (FLAT, {"steps": 200, "gtol": 1e-12}),  # stalls
]


def spread(count):
    """Give starts inside of the fence."""
    starts = np.random.default_rng(5).uniform(-1.5, 1.5, (count, 2))
    return np.where(starts.sum(axis=1, keepdims=True) < 0.95, starts, -starts)


@pytest.mark.parametrize(
    ("tier", "cases"),
    [
        ("python", CASES),
        ("numba", [case for case in CASES if case[0] != DEEP and case[1].get("method") != "momentum"][2:7]),
        pytest.param("numba", CASES, marks=pytest.mark.slow),
    ],
    ids=["python", "some compiled", "all compiled"],
)
def test_a_start_ends_the_same_alone_and_among_many(tier, cases):
    seen = set()
    for text, options in cases:
        f = sg.Objective(text, tier=tier)
        starts = spread(25)
        many = f.minimize_many(starts, **options)
        for start, code in zip(starts, many.outcomes, strict=True):
            told, alone = many.OUTCOMES[code], f.minimize(start, **{"method": "gd", **options}).outcome
            seen.add(str(told))
            # What is at rest, for rounding hides what is left or next to nothing is left, has converged, if there is a
            # minimum: among many, this is said where minima are told apart.
            rest = told in ("stalled", "max_steps") and alone.converged
            assert told == alone or rest, (text, options, start)
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
