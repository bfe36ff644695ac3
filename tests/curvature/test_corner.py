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
    found = corner(line(lambda x: jump * (x > 0) + bend * x), np.zeros(1))
    if jump > steps:  # else it is hidden by how the gradient changes within a millionth
        assert found.kind == Kind.KINK
        assert found.reason == Reason.JUMP
        assert found.numbers[1] == pytest.approx(jump, rel=1e-2 + 2e-8 * bend / jump)
        assert found.along == "x[0]"
    else:
        assert found is None


def test_rounding_is_no_jump():
    assert corner(line(lambda x: 0.99e-7 * (x > 0)), np.zeros(1)) is None
    assert corner(line(lambda x: 1.01e-7 * (x > 0)), np.zeros(1)).kind == Kind.KINK


def test_a_quick_change_beside_a_kink_elsewhere_is_none():
    f = sg.Objective("1e4*(x - 1)**2 + abs(x)", tier="python")
    assert corner(f.kernel(), np.array([1.0 - 0.5e-4])) is None
