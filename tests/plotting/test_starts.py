"""Pictures of many starts: each stands where it was, in the colour of what it reached."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from symgd import Objective, UsageError

HILLS = Objective("x*cos(x) + 9")
FOUR = Objective("(x**2 + y - 11)**2 + (x + y**2 - 7)**2")


@pytest.fixture
def ax():
    return Figure(layout="constrained").subplots()


def lines(ax, start):
    return [artist for artist in ax.lines if (artist.get_gid() or "").startswith(start)]


def drawn(ax):
    ax.figure.canvas.draw()
    return ax


def test_starts_of_two_parameters_stand_in_groups(ax):
    many = FOUR.minimize_many(box={"x": (-5, 5), "y": (-5, 5)}, n=120)
    assert many.plot(ax) is ax
    drawn(ax)
    for place, minimum in enumerate(many.minima):
        (group,) = lines(ax, f"starts {place}")
        assert np.array_equal(group.get_xydata(), many.starts[many.reached == place])
        (star,) = lines(ax, f"minimum {place}")
        assert star.get_xydata().tolist() == [[minimum.point["x"], minimum.point["y"]]]
        assert star.get_color() == group.get_color()
        assert f"{minimum.count} starts" in group.get_label()
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert len(set(labels)) == len(labels) == 4  # all four have the value 0
    assert len({group.get_marker() for group in lines(ax, "starts")}) == 4  # for those who see no colours


def test_the_box_is_inside(ax):
    FOUR.minimize_many(box={"x": (-5, 5), "y": (-4, 4)}, n=30).plot(ax)
    drawn(ax)
    assert ax.get_xlim()[0] < -5
    assert ax.get_ylim()[1] > 4


def test_starts_of_one_parameter_stand_on_the_curve(ax):
    many = HILLS.minimize_many(box={"x": (-15, 15)}, n=60)
    drawn(many.plot(ax))
    total = 0
    for group in (*lines(ax, "starts"), *lines(ax, "others"), *lines(ax, "none")):
        x, y = group.get_data()
        total += len(x)
        assert np.allclose(y, x * np.cos(x) + 9, rtol=1e-12)
    assert total == 60
    assert any("outside of the box" in text.get_text() for text in ax.get_legend().get_texts())


def test_of_more_parameters_the_values_are_a_staircase(ax):
    many = Objective("a**4 - 3*a**2 + a + b**2 + c**2").minimize_many(box=dict.fromkeys("abc", (-2, 2)), n=40)
    drawn(many.plot(ax))
    points = np.vstack([group.get_xydata() for group in lines(ax, "starts")])
    points = points[np.argsort(points[:, 0])]
    assert points[:, 0].tolist() == list(range(1, 41))
    assert np.array_equal(points[:, 1], np.sort(many.values))
    with pytest.raises(UsageError, match="kind='basins': the starts have 3 parameters"):
        many.plot(kind="basins")
    with pytest.raises(UsageError, match="ranges are for the landscape, and values are drawn"):
        many.plot(ranges={"a": (0, 1)})


def test_kinds_and_ranges(ax):
    many = FOUR.minimize_many(box={"x": (-5, 5), "y": (-5, 5)}, n=20)
    with pytest.raises(UsageError, match="kind='pie' must be one of auto, basins, values"):
        many.plot(kind="pie")
    many.plot(ax, ranges={"x": (0, 5), "y": (0, 4)})
    assert (ax.get_xlim(), ax.get_ylim()) == ((0, 5), (0, 4))
    assert many.plot(kind="values").get_ylabel() == "f where they ended"


@pytest.mark.parametrize("text", ["x**2 - y**2", "0*x + 0*y", "log(x) + y**2", "exp(-x) + 0*y"])
def test_starts_that_reach_no_minimum_are_crosses(ax, text):
    many = Objective(text).minimize_many(box={"x": (-2, 2), "y": (-2, 2)}, n=20)
    drawn(many.plot(ax))
    count = int((many.reached < 0).sum())
    assert sum(len(group.get_xdata()) for group in lines(ax, "none")) == count


def test_many_starts_are_thinned_and_said_to_be(ax):
    many = Objective("x**2 + y**2").minimize_many(box={"x": (-2, 2), "y": (-2, 2)}, n=12_000, lr=0.5)
    drawn(many.plot(ax))
    assert sum(len(group.get_xdata()) for group in lines(ax, "starts")) == 4000
    assert any("4,000 are drawn" in text.get_text() for text in ax.texts)
    assert "12,000 starts" in lines(ax, "starts")[0].get_label()
