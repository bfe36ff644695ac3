"""What counts as the same point, and which starts belong to it: the bounds themselves, from both sides."""

import numpy as np
import pytest

from symgd.many.cluster import NEAR, REACH, _belong, _Goal, _same, _way
from symgd.objective.callables import Functions

SCALE = np.array([2.0, 4.0])  # the box
INSIDE, OUTSIDE = 0.99, 1.01


def goal(hessian, x=(0.0, 0.0), f=0.0):
    return _Goal(np.array(x), f, np.zeros(2), np.diag(hessian), singular=False)


def belong(hessian, away, f=0.0):
    """Ask of a point beside a stationary point of a quadratic function, whose model holds everywhere."""
    x = np.array([away]) * SCALE
    return bool(_belong(goal(hessian), x, np.array([f]), x @ np.diag(hessian), SCALE)[0])


@pytest.mark.parametrize(("hessian", "reach"), [([1.0, 3.0], REACH), ([1.0, -3.0], 1e-3), ([-1.0, -3.0], 1e-3)])
@pytest.mark.parametrize("direction", [(1.0, 0.0), (0.0, -1.0), (-1.0, 0.5)])
def test_who_stopped_near_belongs(hessian, reach, direction):
    assert belong(hessian, np.multiply(direction, INSIDE * reach))
    assert not belong(hessian, np.multiply(direction, OUTSIDE * reach))


def test_a_minimum_has_no_lower_value_beside_it():
    for f, depth in ((0.0, 1e-9), (9.0, 1e-8)):
        at = goal([1.0, 1.0], f=f)
        x = np.array([[1e-2, 0.0]])
        for part, belongs in ((INSIDE, True), (OUTSIDE, False)):
            found = _belong(at, x, np.array([f - part * depth]), x, SCALE)
            assert found.tolist() == [belongs]


def test_where_the_model_fails_only_what_is_the_same_point_belongs():
    for distance, belongs in ((INSIDE * NEAR, True), (OUTSIDE * NEAR, False)):
        x = np.array([[distance, 0.0]]) * SCALE
        assert _belong(goal([1.0, 1.0]), x, np.zeros(1), 2 * x, SCALE).tolist() == [belongs]


def test_points_are_the_same_up_to_a_millionth_of_the_box():
    others = [goal([1.0, 1.0], (1.0, 1.0)), goal([1.0, 1.0])]
    for axis in (0, 1):
        for part, place in ((INSIDE, 1), (OUTSIDE, None)):
            x = np.zeros(2)
            x[axis] = part * 1e-6 * SCALE[axis]
            assert _same(goal([1.0, 1.0], x), others, SCALE) == place


def test_a_way_joins_where_the_value_does_not_rise():
    for height in (INSIDE, OUTSIDE):
        middle = 3.0 + height * 1e-9 * (1e-3 * 2.0 + 3.0)  # of values that are spread by 2, above ends at 3
        plane = Functions(lambda x, middle=middle: middle, lambda x: np.zeros(2), lambda x: np.zeros((2, 2)), None, 2)
        joins = _way(plane, np.array([[0.0, 0.0], [1.0, 1.0], [9.0, 9.0]]), np.array([3.0, 3.0, 5.0]), SCALE)
        assert joins(0, 1) == (height < 1)
