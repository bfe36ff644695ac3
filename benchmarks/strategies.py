"""How many examples a second the strategies draw: `python -m benchmarks.strategies`, with Hypothesis's own share."""

import time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symgd.testing import (
    convex_bowls,
    convex_quadratics,
    formulas,
    hilly,
    kinked,
    least_squares,
    logistic_losses,
    rules,
)

EXAMPLES = 3000
FIVE = {
    "five floats": st.tuples(*[st.floats(-9, 9)] * 5),
    "quadratics": convex_quadratics(dims=5),
    "bowls": convex_bowls(dims=5),
    "least squares": least_squares(dims=5),
    "logistic losses": logistic_losses(dims=5),
    "hilly": hilly(dims=5),
    "kinked": kinked(dims=5),
    "rules": rules(),
    "formulas": formulas(),
}


def rate(strategy):
    """Examples a second: by the clock, and by the processor's time, which other programs do not take from."""
    count = 0

    @settings(max_examples=EXAMPLES, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def draw(drawn):
        nonlocal count
        count += 1

    began, spent = time.monotonic(), time.process_time()
    draw()
    return count / (time.monotonic() - began), count / (time.process_time() - spent)


def main():
    print("examples a second, of five parameters   by the clock   of processor time")
    for name, strategy in FIVE.items():
        clock, processor = rate(strategy)
        print(f"{name:40}{clock:12,.0f}{processor:20,.0f}")


if __name__ == "__main__":
    main()
