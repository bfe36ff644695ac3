"""A kink is a gradient that jumps, and not one that changes quickly."""

import numpy as np
import pytest

import symgd as sg
from symgd.curvature import corner
from symgd.objective.callables import Functions
from symgd.verdict import Kind, Reason


def line(gradient):
    """Give a function of one number by its gradient; its value is the same everywhere, so that none is lower."""
    return Functions(lambda x: 0.0, lambda x: np.array([gradient(float(x[0]))]), None, None, 1)


@pytest.mark.parametrize("bend", [1e-3, 1.0, 1e4, 1e9])
def test_a_steep_gradient_is_no_jump(bend):
    assert corner(line(lambda x: bend * x), np.zeros(1)) is None
    assert corner(line(lambda x: bend * (x - 2.0)), np.array([2.0])) is None


@pytest.mark.parametrize("bend", [0.0, 1.0, 1e3])
@pytest.mark.parametrize("jump", [1e-6, 1.0, 1e5])
def test_a_jump_is_told_with_its_size(jump, bend):
    steps = 2e-6 * bend
    found = corner(line(lambda x: jump * (x > 0) + bend * x - 2.0 * jump), np.zeros(1))
    if jump > steps:  # else it is hidden by how the gradient changes within a millionth
        assert found.kind == Kind.KINK
        assert found.reason == Reason.JUMP
        assert found.numbers[1] == pytest.approx(jump, rel=1e-2 + 2e-8 * bend / jump)
        assert found.along == "x[0]"
    else:
        assert found is None


@pytest.mark.parametrize("units", [1e-10, 1.0, 1e10])
def test_rounding_is_no_jump(units):
    assert corner(line(lambda x: units * (1.0 + 0.99e-7 * (x > 0))), np.zeros(1)) is None
    assert corner(line(lambda x: units * (1.0 + 1.01e-7 * (x > 0))), np.zeros(1)).kind == Kind.KINK


def test_slopes_with_0_among_their_mixtures_are_a_minimum():
    # 0 is a mixture of -1 and 2, and none of 1 and 2.
    assert corner(line(lambda x: 3.0 * (x > 0) - 1.0), np.zeros(1)).kind == Kind.KINK_MINIMUM
    assert corner(line(lambda x: 1.0 * (x > 0) + 1.0), np.zeros(1)).kind == Kind.KINK


@pytest.mark.parametrize(
    ("text", "at", "kind"),
    [
        ("abs(x) + abs(y)", [0, 0], "kink_minimum"),
        ("abs(x) - abs(y)", [0, 0], "kink"),
        ("maximum(x + y, -x) + maximum(x - y, -y)", [0, 0], "kink"),
        ("maximum(3*x + y, -x - 2*y)", [0, 0], "kink"),  # falls along (1, -2)
        ("hypot(x - 1, y) + hypot(x + 1, y)", [0, 0], "weak_minimum"),  # all the way between the two points
        ("hypot(x, y) + x/2", [0, 0], "kink_minimum"),
        ("hypot(x, y) + 2*x", [0, 0], "kink"),
        ("(x - 3)**2 + 7*abs(x)", [0], "kink_minimum"),
        ("(x - 3)**2 + 5*abs(x)", [0], "kink"),
        ("abs(x)*(2 + sin(1/(x**2 + 1)))", [0], "kink_minimum"),  # not convex
        ("norm(w - 1) + sum(abs(w - 1))", {"w": np.ones(3)}, "kink_minimum"),
    ],
)
def test_kinks_are_minima_where_slopes_mix_to_0(text, at, kind):
    f = sg.Objective(text, params={"w": 3} if "w" in text else None, tier="python")
    assert f.curvature(at).kind == kind


def test_a_quick_change_beside_a_kink_elsewhere_is_none():
    f = sg.Objective("1e4*(x - 1)**2 + abs(x)", tier="python")
    assert corner(f.kernel(), np.array([1.0 - 0.5e-4])) is None
