"""Pictures: the artists are there, with the right data."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from symgd import Objective, UsageError
from symgd.plotting import check_path, contours, curves, frame, grid, plot_objective, plot_profile, plot_run, save, view

ROOT = Path(__file__).parents[2]
BOWL = "0.2*x1**2 + x2**2"


@pytest.fixture(autouse=True)
def _no_figures_left():
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def ax():
    return Figure().subplots()


def line(ax, gid):
    (found,) = (artist for artist in ax.lines if artist.get_gid() == gid)
    return found


def gids(ax):
    return {artist.get_gid() for artist in ax.lines}


def drawn(ax):
    """Draw everything, so that what only fails or warns then does so here."""
    ax.figure.canvas.draw()
    return ax


# ---- which picture ---------------------------------------------------------------------------------------------------


def test_two_parameters_give_the_path_on_contours(ax):
    run = Objective(BOWL).minimize([9, -3], lr=0.2, steps=50)
    assert plot_run(run, ax=ax) is ax
    drawn(ax)
    assert np.array_equal(line(ax, "path").get_xydata(), run.history.point)
    assert line(ax, "start").get_xydata().tolist() == [[9.0, -3.0]]
    assert line(ax, "end").get_xydata().tolist() == [run.history.point[-1].tolist()]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x1", "x2")
    assert ax.get_title(loc="left") == r"$\dfrac{x_{1}^{2}}{5} + x_{2}^{2}$"
    (subtitle,) = (text.get_text() for text in ax.texts if text.get_gid() == "subtitle")
    assert subtitle.startswith("gd, lr = 0.2")
    assert "50 steps" in subtitle
    assert len(ax.collections) == 2  # bands and lines


def test_one_parameter_gives_the_path_on_the_curve(ax):
    run = Objective("x**2 - 4*x + 5").minimize([-1], lr=0.8)
    drawn(plot_run(run, ax=ax))
    path = line(ax, "path")
    assert np.array_equal(path.get_xdata(), run.history["x"])
    assert np.array_equal(path.get_ydata(), run.history.value)
    x, y = line(ax, "curve").get_data()
    assert np.allclose(y, x**2 - 4 * x + 5, rtol=1e-13)  # a few roundings
    assert x[0] < -1
    assert x[-1] > 3.8  # where the first step goes


def test_more_parameters_give_the_loss(ax):
    run = Objective("a**2 + 2*b**2 + 3*c**2 + 1").minimize([1, 1, 1], lr=0.1, steps=60)
    drawn(plot_run(run, ax=ax))
    assert np.array_equal(line(ax, "value").get_xdata(), run.history.step)
    assert np.array_equal(line(ax, "value").get_ydata(), run.history.value)
    (beside,) = (other for other in ax.figure.axes if other is not ax)
    assert np.array_equal(line(beside, "gradient_norm").get_ydata(), run.history.gradient_norm)
    assert ax.get_yscale() == "linear"  # it ends at 1
    assert beside.get_yscale() == "log"


def test_without_the_objective_the_loss_is_drawn(ax):
    run = Objective(BOWL).minimize([9, -3], lr=0.2, steps=50)
    bare = replace(run, objective=None)
    assert "value" in gids(plot_run(bare, ax=ax))
    assert "path" in gids(plot_run(bare, Objective(BOWL)))
    with pytest.raises(UsageError, match="the objective is needed to draw its landscape"):
        plot_run(bare, kind="path")


def test_kind_chooses(ax):
    run = Objective(BOWL).minimize([9, -3], lr=0.2, steps=50)
    assert "value" in gids(plot_run(run, ax=ax, kind="loss"))
    with pytest.raises(UsageError, match=r"kind='pie' must be one of auto, path,"):
        plot_run(run, kind="pie")
    many = Objective("sum((x - 1)**2)").minimize({"x": np.zeros(5000)}, lr=0.1, steps=5)
    with pytest.raises(UsageError, match=r"kind='path': of 5,000 parameters the run has kept no path"):
        plot_run(many, kind="path")


def test_run_plot_is_the_door(ax):
    run = Objective(BOWL).minimize([9, -3])
    assert run.plot(ax=ax, title="a bowl") is ax
    assert ax.get_title(loc="left") == "a bowl"
    assert run.plot(title="").get_title(loc="left") == ""


def test_a_figure_is_made_without_pyplot(monkeypatch):
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    ax = plot_run(Objective("x**2").minimize([1]))
    assert isinstance(ax.figure, Figure)
    assert "matplotlib.pyplot" not in sys.modules


def test_text_is_never_mathtext(ax):
    run = Objective("x_1**2 + alpha**2").minimize([1, 1])
    plot_run(run, ax=ax, title=r"costs $\frac{1}$ and $")
    drawn(ax)
    assert ax.get_xlabel() == "x_1"


@pytest.fixture(scope="module")
def long():
    return Objective(" + ".join(f"(x - {i})**2" for i in range(60))).minimize([0])


@pytest.mark.parametrize("layout", ["constrained", "compressed", None])
@pytest.mark.parametrize("panels", [1, 3])
def test_titles_fit_in_the_figure(long, layout, panels):
    figure = Figure(figsize=(4 * panels, 3.5), layout=layout)
    for ax in np.ravel(figure.subplots(1, panels)):
        plot_run(long, ax=ax)
    figure.canvas.draw()
    ends = [ax._left_title.get_window_extent().x1 for ax in figure.axes]
    starts = [ax._left_title.get_window_extent().x0 for ax in figure.axes]
    assert all(end < start for end, start in zip(ends, [*starts[1:], figure.bbox.x1], strict=True))
    assert all(ax.get_title(loc="left").endswith("...") for ax in figure.axes)


# ---- what part of the path -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lr", [1.01, 1.5, 40.0])
def test_a_diverging_path_is_drawn_where_it_can_be_seen(ax, lr):
    run = Objective("x**2 - 4*x + 5").minimize([-1], lr=lr, steps=2000)
    drawn(plot_run(run, ax=ax))
    shown = line(ax, "path").get_xdata()
    assert 2 <= len(shown) < len(run.history)
    assert np.array_equal(shown, run.history["x"][: len(shown)])
    first = np.ptp(run.history["x"][:2])
    assert np.ptp(shown) >= first
    assert np.ptp(ax.get_xlim()) < 10_000 * first
    assert {"start", "lost"} <= gids(ax)
    assert "end" not in gids(ax)


def test_a_path_beside_a_saddle_is_seen_to_leave(ax):
    run = Objective("x**2 - y**2").minimize([2, 0.01], lr=0.1)
    drawn(plot_run(run, ax=ax))
    x, y = line(ax, "path").get_data()
    assert x.min() < 0.3
    assert y.max() > 10 * y[0]


@pytest.mark.parametrize(
    ("text", "start", "lr"),
    [("log(x) + x", [1], 0.5), ("log(x)", [-1], 0.1), ("sqrt(x) + y**2", [2, 1], 0.9), ("log(x) + y**2", [-1, 2], 0.1)],
)
def test_a_path_out_of_the_domain(ax, text, start, lr):
    run = Objective(text).minimize(start, lr=lr)
    assert run.outcome == "left_domain"
    drawn(plot_run(run, ax=ax))
    assert "lost" in gids(ax)
    assert any("not finite" in text.get_text() for text in ax.get_legend().get_texts())


@pytest.mark.parametrize("text", ["5 + 0*x", "5 + 0*x + 0*y", "x**2", "x**2 + y**2", "1e-300*x**2 + 0*y", "1e300*x**2"])
def test_a_run_that_stays_where_it_is(ax, text):
    objective = Objective(text)
    drawn(plot_run(objective.minimize([0.0] * len(objective.params), steps=3), ax=ax))
    assert np.ptp(ax.get_xlim()) > 0


def test_maximum_is_the_dark_place(ax):
    run = Objective("exp(-x**2 - y**2)").maximize([1.0, 0.5])
    drawn(plot_run(run, ax=ax))
    bands = ax.collections[0]
    shades = bands.get_facecolor().sum(axis=1)
    assert (np.diff(shades) > 0).all()  # the first band, the highest of the function, is the darkest
    heights = ax.collections[1].levels
    assert heights[0] > -1.0001
    assert heights[-1] < 0


def test_levels_are_squares_on_a_bowl_and_factors_in_a_valley():
    x, y = np.meshgrid(np.linspace(-2, 2, 101), np.linspace(-1, 3, 101))
    bowl = contours.levels(x**2 + y**2, 0.0)
    assert np.allclose(np.diff(np.sqrt(bowl)), np.sqrt(bowl[0]))
    valley = contours.levels((1 - x) ** 2 + 100 * (y - x**2) ** 2, 0.0)
    assert np.allclose(valley[1:] / valley[:-1], valley[1] / valley[0])
    assert len(contours.levels(np.full((5, 5), 3.0), 3.0)) == 0


def test_curve_is_broken_at_a_pole(ax):
    run = Objective("x + 1/x").minimize([3], lr=0.3)
    drawn(plot_run(run, ax=ax))
    x, y = line(ax, "curve").get_data()
    assert x[0] < 0
    steps = np.abs(np.diff(y))
    assert np.isnan(y).any()
    low, high = ax.get_ylim()
    across = (np.minimum(y[1:], y[:-1]) < low) & (np.maximum(y[1:], y[:-1]) > high)
    assert not (across & np.isfinite(steps)).any()
    assert high < 20


def test_coordinates_are_spelt_as_finely_as_the_picture():
    assert view.spell(-1.96e-22, 12.0) == "0"
    assert view.spell(0.00215290687, 12.0) == "0.002"
    assert view.spell(0.000523, 1e-4) == "0.000523"
    assert view.spell(7.0, 0.0) == "7"


# ---- values ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["x*cos(y) + exp(-x*y)", "where(x > 0, x, y)**2 + pi", "erf(x) + gamma(y + 4)", "maximum(x, y) + abs(x) % 2"],
)
def test_values_at_once_are_those_one_by_one(text):
    objective = Objective(text)
    x, y = np.meshgrid(np.linspace(-2, 2, 9), np.linspace(-1, 3, 9))
    at_once = grid.values(objective, {"x": x, "y": y})
    single = np.array([objective.value(x=a, y=b) for a, b in zip(x.ravel(), y.ravel(), strict=True)])
    # NumPy's functions and the C library's differ in the last digits
    assert np.allclose(at_once.ravel(), single, rtol=1e-13, atol=1e-14)


def test_landscape_of_data():
    objective = Objective("mean((y - b1*x**b2)**2)", data=ROOT / "tests" / "known" / "nist" / "DanWood.csv")
    run = objective.minimize([1, 5])
    ax = drawn(plot_run(run))
    assert ax.get_xlabel() == "b1"
    ends = np.array([[0.7, 0.8], [3.8, 3.9]])
    b1, b2 = np.meshgrid(*ends)
    values = grid.values(objective, {"b1": b1, "b2": b2})
    assert values[1, 0] == objective.value(b1=0.7, b2=3.9)


@pytest.mark.parametrize(("rows", "side"), [(10, 121), (5_000, 60), (20_000, 31), (200_000, 0)])
def test_more_rows_give_a_coarser_grid(rows, side):
    data = {"y": np.zeros(rows)}
    assert grid.side(Objective("mean((y - a*b)**2)", data=data), 2) == side


def test_too_many_rows_give_the_loss(ax):
    run = Objective("mean((y - a*b)**2)", data={"y": np.arange(100_000.0)}).minimize([1, 1], steps=2, lr=1e-12)
    assert "value" in gids(plot_run(run, ax=ax))
    with pytest.raises(UsageError, match=r"kind='path': the data have too many rows"):
        plot_run(run, kind="path")


# ---- objectives and files --------------------------------------------------------------------------------------------


def test_plot_objective():
    ax = drawn(plot_objective(Objective("x*cos(x) + 9"), {"x": (0, 15)}))
    x, y = line(ax, "curve").get_data()
    assert np.allclose(y, x * np.cos(x) + 9, rtol=1e-13)
    ax = drawn(plot_objective(Objective(BOWL), {"x1": (-3, 4), "x2": (-1, 2)}, title="bowl"))
    assert (ax.get_xlim(), ax.get_ylim()) == ((-3, 4), (-1, 2))
    assert ax.get_title(loc="left") == "bowl"
    assert len(ax.collections) == 2


@pytest.mark.parametrize(
    ("text", "ranges", "message"),
    [
        ("x + y + z", {}, "a landscape has one or two parameters; this objective has 3"),
        ("x**2", {}, "ranges has no 'x'"),
        ("x**2", {"x": 3}, r"ranges\['x'\]=3 must be two numbers"),
        ("x**2", {"x": (1, 1)}, "must be finite and rising"),
        ("x**2", {"x": (0, np.inf)}, "must be finite and rising"),
    ],
)
def test_plot_objective_refuses(text, ranges, message):
    with pytest.raises(UsageError, match=message):
        plot_objective(Objective(text), ranges)


def test_plot_objective_refuses_too_many_rows():
    objective = Objective("mean((y - a*b)**2)", data={"y": np.zeros(100_000)})
    with pytest.raises(UsageError, match="too many rows for a picture"):
        plot_objective(objective, {"a": (0, 1), "b": (0, 1)})


@pytest.mark.parametrize(
    ("suffix", "magic"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF"), (".PNG", b"\x89PNG")]
)
def test_save_writes_by_suffix(tmp_path, suffix, magic):
    ax = plot_run(Objective("x**2").minimize([1], lr=0.2))
    assert save(ax, tmp_path / f"run{suffix}").read_bytes().startswith(magic)


def test_save_takes_figures_within_figures(tmp_path):
    figure = Figure()
    inner = figure.subfigures(1, 2)[0].subplots()
    assert save(inner, tmp_path / "a.png").exists()
    assert save(figure, tmp_path / "b.png").exists()


def test_paths_are_checked_beforehand(tmp_path):
    with pytest.raises(UsageError, match=r"must end in .png, .svg or .pdf"):
        check_path(tmp_path / "run.gif")
    with pytest.raises(UsageError, match="there is no folder"):
        check_path(tmp_path / "nowhere" / "run.png")


def test_height_of_a_curve_without_values_is_left_alone(ax):
    curves.draw_curve(ax, frame.of_parameters(Objective("log(x)")), (-3, -1))
    before = ax.get_ylim()
    curves.choose_height(ax, np.array([]), np.array([]))
    assert ax.get_ylim() == before


def test_an_array_of_two_is_drawn_as_two_parameters():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 2))
    f = Objective("mean((X @ w - y)**2)", data={"X": X, "y": X @ [2, -1]})
    ax = f.minimize({"w": [0, 0]}).plot()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("w[0]", "w[1]")
    loss = f.minimize({"w": [0, 0]}, batch=10, epochs=3, lr=0.05).plot(kind="loss")
    assert loss.get_xlabel()


def test_a_run_of_very_many_parameters_is_drawn_by_its_loss():
    run = Objective("sum((x - 1)**2)").minimize({"x": np.zeros(5000)}, lr=0.1, steps=5)
    assert run.history.point.shape == (6, 0)
    assert run.plot().get_xlabel()


# ---- performance profiles --------------------------------------------------------------------------------------------


def test_profiles_are_staircases_from_the_left_edge_to_the_right(ax):
    profiles = {"one": (np.array([1.0, 4.0]), np.array([0.25, 0.75])), "none": (np.zeros(0), np.zeros(0))}
    assert plot_profile(profiles, "seconds", ax=ax) is ax
    one, none = ax.lines
    right = ax.get_xlim()[1]
    assert one.get_drawstyle() == "steps-post"
    assert (one.get_xdata().tolist(), one.get_ydata().tolist()) == ([1, 1, 4, right], [0, 0.25, 0.75, 0.75])
    assert none.get_ydata().tolist() == [0, 0]
    assert ax.get_xlabel() == "seconds, as a multiple of the best method's"


def test_profiles_of_many_methods_look_different(ax):
    profiles = {f"${k}$": (np.array([1.0 + k]), np.array([0.5])) for k in range(20)}
    plot_profile(profiles, ax=ax)
    assert len({(line.get_color(), line.get_linestyle()) for line in ax.lines}) == 20
    assert not any(text.get_parse_math() for text in ax.get_legend().get_texts())
