"""Where landscapes are drawn, and several runs in one picture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from symgd import Objective, UsageError
from symgd.plotting import frame, marks, plot_run, window

BOWL = Objective("0.2*x1**2 + x2**2")
HILLS = Objective("x*cos(x) + 9")


@pytest.fixture
def ax():
    return Figure(layout="constrained").subplots()


def lines(ax, gid):
    return [artist for artist in ax.lines if artist.get_gid() == gid]


def drawn(ax):
    ax.figure.canvas.draw()
    return ax


def subtitle(ax):
    (text,) = (text.get_text() for text in ax.texts if text.get_gid() == "subtitle")
    return text


# ---- ranges ----------------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(-50, 50), min_size=2, max_size=2),
    st.floats(0.01, 0.99),
    st.sampled_from([1e-9, 1e-3, 1.0, 1e6]),
)
def test_path_start_and_end_are_inside(start, lr, scale):
    run = BOWL.minimize([scale * v for v in start], lr=lr, steps=30)
    found = frame.along(BOWL, run.history.point)
    chosen, _ = window.of_run(run, found)
    assert window.holds(chosen, run.history.point)
    assert all(low < high for low, high in chosen)


@pytest.mark.parametrize("start", [-3.0, 2.0, 12.0])
def test_a_better_minimum_nearby_is_not_cut_off(start):
    run = HILLS.minimize([start], lr=0.05)
    [(low, high)], _ = window.of_run(run, frame.of_parameters(HILLS))
    wide = np.linspace(low - (high - low) / 2, high + (high - low) / 2, 4001)
    heights = wide * np.cos(wide) + 9
    inner = np.flatnonzero((heights[1:-1] < heights[:-2]) & (heights[1:-1] < heights[2:])) + 1
    better = [wide[i] for i in inner if heights[i] < run.value - 0.1 * np.ptp(run.history.value)]
    best = min(better, key=lambda x: x * np.cos(x), default=run.x[0])
    assert low < best < high


def test_a_pole_is_no_better_minimum():
    objective = Objective("x + 1/x")
    run = objective.minimize([3], lr=0.3)
    [(low, _)], _ = window.of_run(run, frame.of_parameters(objective))
    assert low > -3  # where it would be if the window were widened to the pole and beyond


def test_ranges_are_kept(ax):
    run = BOWL.minimize([9, -3], lr=0.2, steps=20)
    plot_run(run, ax=ax, ranges={"x1": (-12, 12), "x2": (-5, 6)})
    drawn(ax)
    assert (ax.get_xlim(), ax.get_ylim()) == ((-12, 12), (-5, 6))


def test_one_range_leaves_the_other_to_the_path(ax):
    run = BOWL.minimize([9, -3], lr=0.2, steps=20)
    plot_run(run, ax=ax, ranges={"x1": (-12, 12)})
    assert ax.get_xlim() == (-12, 12)
    assert ax.get_ylim()[0] < -3


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ({"x3": (0, 1)}, "ranges has 'x3', which the objective has not; its parameters are x1, x2"),
        ({"x1": (1, 0)}, r"ranges\['x1'\]=\(1, 0\) must be finite and rising"),
        ({"x1": 3}, r"ranges\['x1'\]=3 must be two numbers"),
    ],
)
def test_ranges_that_are_none(ranges, message):
    run = BOWL.minimize([9, -3], lr=0.2, steps=20)
    with pytest.raises(UsageError, match=message):
        run.plot(ranges=ranges)
    with pytest.raises(UsageError, match="ranges are for the landscape"):
        run.plot(kind="loss", ranges=ranges)


def test_where_a_path_leaves_the_ranges_is_marked_on_the_edge(ax):
    run = BOWL.minimize([9, -3], lr=1.05, steps=60)
    plot_run(run, ax=ax, ranges={"x1": (-10, 10), "x2": (-6, 6)})
    drawn(ax)
    (lost,) = lines(ax, "lost")
    ((x, y),) = lost.get_xydata()
    assert abs(y) == pytest.approx(6)
    assert -10 < x < 10
    last = int(np.flatnonzero(np.abs(run.history["x2"]) <= 6)[-1])
    assert lost.get_label() == f"leaves the picture after step {last}"
    assert any(text.get_gid() == "leaves" for text in ax.texts)


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=2, max_size=12))
def test_crossings_lie_on_the_edge(points):
    path = np.array(points)
    box = [(-1.0, 1.0), (-1.0, 1.0)]
    found = window.leaving(path, box)
    inside = (np.abs(path) <= 1).all(axis=1)
    assert (found is None) == (inside[-1] or not inside.any())
    if found is not None:
        assert not inside[found[0] + 1 :].any()
        assert np.abs(found[1]).max() == pytest.approx(1, rel=1e-9)


# ---- several runs ----------------------------------------------------------------------------------------------------


def test_a_second_run_is_drawn_on_the_landscape_that_is_there(ax):
    BOWL.minimize([9, -3], lr=0.1, steps=40).plot(ax)
    before, limits = list(ax.collections), (ax.get_xlim(), ax.get_ylim())
    BOWL.minimize([8, -2], lr=0.3, steps=40).plot(ax)
    drawn(ax)
    assert list(ax.collections) == before
    assert (ax.get_xlim(), ax.get_ylim()) == limits
    assert len({line.get_color() for line in lines(ax, "path")}) == 2
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["gd, lr = 0.1", "gd, lr = 0.3"]
    assert subtitle(ax) == "2 runs"


def test_a_second_run_from_afar_widens_the_landscape_once(ax):
    BOWL.minimize([1, -1], lr=0.1, steps=40).plot(ax)
    count = len(ax.collections)
    BOWL.minimize([-20, 15], lr=0.1, steps=40).plot(ax)
    drawn(ax)
    assert len(ax.collections) == count
    limits = [ax.get_xlim(), ax.get_ylim()]
    assert all(window.holds(limits, line.get_xydata()) for line in lines(ax, "path"))


def test_runs_on_one_curve(ax):
    starts = [-3, 8, 14]
    for start in starts:
        HILLS.minimize([start], lr=0.05).plot(ax)
    drawn(ax)
    (curve,) = lines(ax, "curve")
    x, y = curve.get_data()
    assert np.allclose(y, x * np.cos(x) + 9, rtol=1e-12)
    assert marks.count(ax) == 3
    limits = [ax.get_xlim(), ax.get_ylim()]
    assert all(window.holds(limits, line.get_xydata()) for line in lines(ax, "path"))


@pytest.mark.parametrize("text", ["x**2", "x**2 + y**2"])
def test_a_start_that_is_the_end_is_seen_around_it(ax, text):
    objective = Objective(text)
    objective.minimize([0.0] * len(objective.params), steps=3).plot(ax)
    (start,), (end,) = lines(ax, "start"), lines(ax, "end")
    assert start.get_zorder() > end.get_zorder()
    assert start.get_markersize() > end.get_markersize()
    assert start.get_markerfacecolor() == "none"


# ---- more than two parameters ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def regression():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    objective = Objective("mean((X @ w - y)**2)", data={"X": X, "y": X @ [1, 2, -1, 0.5]})
    return objective.minimize({"w": [0, 0, 0, 0]}, lr=0.1, steps=60)


def test_arrays_are_drawn_in_the_plane_of_the_path(ax, regression):
    regression.plot(ax, kind="path")
    drawn(ax)
    (path,) = lines(ax, "path")
    away = regression.history.point - regression.x
    # At right angles, so that distances from the end are those in the plane and what is left out.
    shares = np.linalg.svd(away, compute_uv=False) ** 2
    seen = (path.get_xydata() ** 2).sum()
    assert seen == pytest.approx(shares[:2].sum(), rel=1e-9)
    assert ax.get_xlabel().startswith("principal direction 1 of the path (99.")
    assert "w[1]" in ax.get_xlabel()
    assert "slice through the end" in subtitle(ax)


def test_the_plane_has_the_objectives_values(regression):
    found = frame.along(regression.objective, regression.history.point)
    assert found.axes @ found.axes.T == pytest.approx(np.eye(2), abs=1e-12)
    point = regression.x + 0.3 * found.axes[0] - 0.2 * found.axes[1]
    height = found.heights(np.array([[0.3]]), np.array([[-0.2]]))
    assert height[0, 0] == pytest.approx(regression.objective.value({"w": point}), rel=1e-12)


def test_ranges_of_a_plane_are_refused(regression):
    with pytest.raises(UsageError, match="ranges are for pictures of one or two parameters"):
        regression.plot(kind="path", ranges={"w[0]": (0, 1)})


@pytest.mark.parametrize("start", [[0, 0, 0], [1, 0, 0]])
def test_a_path_that_is_a_point_or_a_line_has_a_plane(ax, start):
    run = Objective("a**2 + 2*b**2 + 3*c**2").minimize(start, lr=0.1, steps=5)
    drawn(run.plot(ax, kind="path"))
    assert np.ptp(ax.get_xlim()) > 0


# ---- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "start", "options", "words"),
    [
        ("x**2", [1], {"lr": 0.3}, " steps · minimum"),
        ("x**2 - y**2", [1, 0], {"lr": 0.1}, " · saddle"),
        ("x**2 + 10*y**2", [9, 9], {"lr": 0.01, "steps": 5}, "5 steps · max steps · not stationary"),
        ("x**2", [1], {"lr": 1.5}, " · diverged"),
    ],
)
def test_the_kind_is_said(ax, text, start, options, words):
    Objective(text).minimize(start, **options).plot(ax)
    assert subtitle(ax).endswith(words)


def test_a_maximum_is_said_to_be_one(ax):
    Objective("exp(-x**2 - y**2)").maximize([0.5, 1], lr=0.3).plot(ax)
    assert subtitle(ax).startswith("maximized by gd")
    assert subtitle(ax).endswith("maximum · dark is high")
