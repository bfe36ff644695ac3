"""The phase diagram of a rule: rates are those of theory, and the boundary is where they reach 1."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from symgd import UsageError
from symgd.plotting import phases, plot_rule
from symgd.rules import Rule, find_rule

MOMENTUM = find_rule("momentum")


@pytest.fixture
def ax():
    return Figure(layout="constrained").subplots()


def test_boundary_and_best_of_momentum(ax):
    assert plot_rule(MOMENTUM, 1, 9, {"lr": (0.01, 0.5), "beta": (0, 0.99)}, ax=ax) is ax
    ax.figure.canvas.draw()
    lines = {line.get_gid(): line for line in ax.lines}
    lr, beta = lines["boundary"].get_data()
    assert np.allclose(lr, 2 * (1 + beta) / 9, rtol=1e-9)
    assert lines["best"].get_xydata() == pytest.approx(np.array([[0.25, 0.25]]))  # Polyak's pair
    assert ax.get_xscale() == "log"


def test_rates_are_those_of_theory():
    lrs, betas = np.array([0.05, 0.2, 0.4]), np.array([0.1, 0.6])
    found = phases.rates(MOMENTUM.theory(smallest=1, largest=9).map, (1, 9), lrs, ("beta", betas))
    for row, beta in zip(found, betas, strict=True):
        for rate, lr in zip(row, lrs, strict=True):
            assert rate == pytest.approx(MOMENTUM.theory(smallest=1, largest=9, lr=lr, beta=beta).rate, rel=1e-9)


def test_rates_reach_1_at_the_boundary():
    betas = np.linspace(0, 0.95, 7)
    limits = phases.boundary(MOMENTUM, 9.0, "beta", betas)
    found = MOMENTUM.theory(smallest=1, largest=9).map
    for limit, beta in zip(limits, betas, strict=True):
        below, above = phases.rates(found, (1, 9), limit * np.array([1 - 1e-6, 1 + 1e-6]), ("beta", np.array([beta])))[
            0
        ]
        assert below < 1 < above


@pytest.mark.parametrize(
    ("rule", "ranges", "message"),
    [
        (MOMENTUM, {"lr": (0.1, 1)}, "must be those of lr and one hyperparameter; the rule has beta"),
        (MOMENTUM, {"lr": (0.1, 1), "gamma": (0, 1)}, "the rule has beta"),
        (find_rule("gd"), {"lr": (0.1, 1), "beta": (0, 1)}, "the rule has none, so that there is no diagram"),
        (MOMENTUM, {"lr": (1, 0.1), "beta": (0, 1)}, "must be finite and rising"),
        (
            Rule("x = x - lr*c*sign(g)", c=1.0),
            {"lr": (0.1, 1), "c": (0, 1)},
            r"no phase diagram: .* not linear",
        ),
    ],
)
def test_what_has_no_diagram(rule, ranges, message):
    with pytest.raises(UsageError, match=message):
        plot_rule(rule, 1, 9, ranges)


def test_a_range_without_a_stable_rate_is_drawn(ax):
    plot_rule(MOMENTUM, 1, 9, {"lr": (3, 4), "beta": (0, 0.5)}, ax=ax)
    ax.figure.canvas.draw()
    assert (ax.get_xlim(), ax.get_ylim()) == ((3, 4), (0, 0.5))
