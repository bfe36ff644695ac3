"""What derivatives say at a place, slices, models beside data, and axes that are taken."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.quiver import Quiver

from symgd import Objective, UsageError
from symgd.plotting import frame, local, models, plot_objective, plot_run, plot_runs, plot_slices, view

BOWL = Objective("0.2*x1**2 + x2**2")
X = np.linspace(-2, 2, 40)
LINE = Objective("mean((y - (w*x + b))**2)", {"x": X, "y": 2 * X + 1 + np.sin(9 * X)}, ["w", "b"])


@pytest.fixture
def ax():
    return Figure().subplots()


def found(ax, gid):
    return [artist for artist in ax.get_children() if artist.get_gid() == gid]


@given(
    st.floats(0.1, 10),
    st.floats(0.1, 10),
    st.floats(0, 3),
    st.floats(-5, 5, allow_subnormal=False),
    st.floats(-5, 5, allow_subnormal=False),
)
@settings(deadline=None, max_examples=20)
def test_the_ellipse_is_a_level_of_the_quadratic_part(a, b, angle, x, y):
    c, s = np.cos(angle), np.sin(angle)
    f = Objective(f"{a}*({c}*x + {s}*y)**2 + {b}*({c}*y - {s}*x)**2")
    ax = plot_objective(f, {"x": (-8, 8), "y": (-6, 6)}, Figure().subplots(), at=[x, y])
    (ring,) = found(ax, "curvature")
    away = ring.get_xydata() - [x, y]
    level = np.einsum("ki,ij,kj->k", away, f.hessian_at([x, y]), away)
    np.testing.assert_allclose(level, level[0], rtol=1e-6)
    assert np.abs(away).max() <= 0.18 * 12


def test_no_ellipse_where_curvatures_differ_in_sign_and_dashes_where_they_are_negative(ax):
    plot_objective(Objective("x**2 - y**2 + y"), {"x": (-2, 2), "y": (-2, 2)}, ax, at=[0, 0])
    assert not found(ax, "curvature")
    assert sorted(line.get_linestyle() for line in found(ax, "eigenvector")) == ["-", "--"]
    assert len(found(ax, "gradient")) == 1
    assert any("curvature -2, 2" in text.get_text() for text in ax.get_legend().get_texts())


@pytest.mark.parametrize("text", ["sin(x)*sin(y)", "x**2 + 3*x*y + y**4", "log(x + 5) + y"])
def test_arrows_are_the_gradient(ax, text):
    f = Objective(text)
    plot_objective(f, {"x": (-3, 3), "y": (-3, 3)}, ax, field=True)
    (arrows,) = (artist for artist in ax.collections if isinstance(artist, Quiver))
    slope = f.gradient_at(x=arrows.X, y=arrows.Y)
    cross = arrows.U * slope["y"] - arrows.V * slope["x"]
    along = arrows.U * slope["x"] + arrows.V * slope["y"]
    size = np.hypot(slope["x"], slope["y"])
    np.testing.assert_allclose(cross / size, 0, atol=1e-9)
    assert (along > 0).all()


def test_a_place_near_the_edge_gets_room(ax):
    run = BOWL.minimize([9, -3], lr=0.8, steps=40)
    plot_run(run, ax=ax, at="start")
    (ring,) = found(ax, "curvature")
    low, high = ax.get_xlim()
    assert low < ring.get_xdata().min()
    assert ring.get_xdata().max() < high


def test_slopes_of_a_slice_are_those_in_its_plane():
    f = Objective("x**2 + 2*y**2 + 3*z**2 + x*y")
    run = f.minimize([1, 2, 3], lr=0.05, steps=20)
    seen = frame.along(f, run.history.point)
    at, step = np.array([[0.3, -0.2]]), 1e-6
    slope = local.slopes(seen, at)[0]
    for k in range(2):
        ahead, behind = at + step * np.eye(2)[k], at - step * np.eye(2)[k]
        wanted = (seen.heights(*ahead.T) - seen.heights(*behind.T)) / (2 * step)
        assert slope[k] == pytest.approx(wanted[0], rel=1e-6)


# ---- axes that are taken ---------------------------------------------------------------------------------------------


def test_another_objective_is_refused_and_the_same_made_anew_is_not(ax):
    run = LINE.minimize([0, 0], lr=0.1, steps=20)
    plot_run(run, ax=ax)
    twin = Objective(LINE.text, dict(LINE.data), ["w", "b"])
    plot_run(twin.minimize([1, 1], lr=0.1, steps=20), ax=ax)
    other = Objective(LINE.text, {"x": X, "y": -X}, ["w", "b"]).minimize([0, 0], lr=0.1, steps=20)
    with pytest.raises(UsageError, match=r"landscape of 'mean.*' of other data, .* by kind='loss'"):
        plot_run(other, ax=ax)
    with pytest.raises(UsageError, match="these axes show the landscape of"):
        plot_run(BOWL.minimize([1, 1], lr=0.1, steps=5), ax=ax)
    plot_run(run, ax=(loss := Figure().subplots()), kind="loss")
    plot_run(other, ax=loss, kind="loss")
    assert len([line for line in loss.lines if line.get_gid() == "value"]) == 2
    loss.figure.canvas.draw()


# ---- models and slices -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "target", "model"),
    [
        ("mean((y - (w*x + b))**2)", "y", "w*x + b"),
        ("sum((w*x + b - y)**2)/2", "y", "w*x + b"),
        ("mean((y - w*x - b)**2) + 0.1*w**2", "y", "w*x + b"),
        ("mean((-y + w*x)**2)", "y", "w*x"),
    ],
)
def test_the_model_is_read_off_the_squares(text, target, model):
    f = Objective(text, {"x": X, "y": 3 * X}, params=[n for n in ("w", "b") if n in text.replace("sub", "")])
    run = f.minimize([2.0, 0.5][: len(f.params)], lr=0.1, steps=3)
    seen = models.of_run(run, f)
    assert (seen.target, seen.model) == (target, model)
    point = {"b": 0.0, **run.point}
    np.testing.assert_allclose(seen.fitted, point["w"] * X + point["b"], atol=1e-13)


def test_without_squares_of_data_there_is_no_model():
    run = BOWL.minimize([1, 1], lr=0.1, steps=3)
    with pytest.raises(UsageError, match=r"kind='data' is for objectives with a square of data less a model"):
        plot_run(run, kind="data")


def test_slices_go_through_the_ends():
    runs = [Objective(LINE.text, {"x": X, "y": y}, ["w", "b"]).minimize([0, 0]) for y in (X, X**2)]
    axes = plot_slices(runs, ["line", "parabola"], Figure())
    assert [ax.get_xlabel() for ax in axes] == ["w", "b"]
    for place, ax in enumerate(axes):
        for run, line, end in zip(runs, found(ax, "slice"), found(ax, "end"), strict=True):
            assert end.get_xydata().tolist() == [[run.x[place], run.value]]
            x = np.asarray(line.get_xdata())
            points = np.tile(run.x, (len(x), 1))
            points[:, place] = x
            np.testing.assert_allclose(line.get_ydata(), run.objective.value(list(points.T)), rtol=1e-9)
    assert "parabola: f =" in axes[0].get_legend().get_texts()[1].get_text()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plot_slices([]), "runs is empty"),
        (lambda: plot_slices([BOWL.minimize([1, 1])], ["a", "b"]), "labels has 2 names for 1 runs"),
        (lambda: plot_slices([BOWL.minimize([1, 1])], params=["x3"]), "'x3' is no parameter of the runs"),
        (lambda: plot_slices([BOWL.minimize([1, 1]), LINE.minimize([0, 0])]), "the runs have other parameters"),
        (lambda: plot_run(BOWL.minimize([1, 1]), kind="loss", field=True), "field= and at= are for the landscape"),
        (lambda: plot_objective(Objective("x**2"), {"x": (0, 1)}, field=True), "field=True is for two parameters"),
        (
            lambda: plot_runs([Objective("x**2").minimize([1])], kind="surface"),
            "kind='surface' is for objectives of two",
        ),
    ],
)
def test_what_cannot_be_drawn_is_told(call, message):
    with pytest.raises(UsageError, match=message):
        call()


# ---- single steps of batches -----------------------------------------------------------------------------------------


def test_the_path_of_a_run_in_batches_has_its_single_steps(ax):
    run = LINE.minimize([0, 0], lr=0.05, batch=4, epochs=3, seed=0)
    plot_run(run, ax=ax)
    (path,) = found(ax, "path")
    np.testing.assert_array_equal(path.get_xydata(), run.history.batches.point)
    assert len(view.path(run)) == 31
    curve = Objective("mean((y - w*x)**2)", {"x": X, "y": 2 * X}, ["w"])
    run = curve.minimize([0], lr=0.05, batch=4, epochs=3, seed=0)
    plot_run(run, ax=(other := Figure().subplots()))
    (path,) = found(other, "path")
    np.testing.assert_allclose(path.get_ydata(), curve.value(w=path.get_xdata()), rtol=1e-12)
