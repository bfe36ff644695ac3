"""Runs side by side, eigen-modes, rates of theory, and data beside the landscape."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from symgd import Objective, UsageError, fit
from symgd.plotting import modes, plot_modes, plot_runs

BOWL = Objective("0.2*x1**2 + x2**2")
CURVE = Objective("x**2 - 4*x + 5")


@pytest.fixture
def ax():
    return Figure(layout="constrained").subplots()


def lines(ax, start):
    return [artist for artist in ax.lines if (artist.get_gid() or "").startswith(start)]


def drawn(ax):
    ax.figure.canvas.draw()
    return ax


# ---- panels ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("objective", "start", "lrs"),
    [(BOWL, [9, -3], (0.02, 0.5, 0.97, 1.05)), (CURVE, [-1], (0.01, 0.4, 0.97, 1.05))],
    ids=["contours", "curve"],
)
def test_panels_of_learning_rates_share_a_window_and_are_named(objective, start, lrs):
    runs = [objective.minimize(start, lr=lr, steps=80) for lr in lrs]
    axes = plot_runs(runs)
    drawn(axes[0])
    names = [ax.get_title(loc="left") for ax in axes]
    assert [names[0], names[2], names[3]] == ["slow", "oscillating", "diverging"]
    assert names[1] in ("good", "converging")
    assert len({ax.get_xlim() for ax in axes}) == len({ax.get_ylim() for ax in axes}) == 1
    for ax, run in zip(axes, runs, strict=True):
        (path,) = lines(ax, "path")
        assert path.get_xydata()[0, 0] == run.history.point[0, 0]
    assert [len(lines(ax, "lost")) for ax in axes] == [0, 0, 0, 1]
    (low, high) = axes[0].get_xlim()
    assert high - low < 10 * np.ptp(runs[1].history.point[:, 0])  # what diverges does not make the rest small


def test_panels_take_ranges_and_figures():
    figure = Figure(figsize=(12, 3))
    runs = [BOWL.minimize([9, -3], lr=lr, steps=20) for lr in (0.1, 0.2)]
    axes = plot_runs(runs, figure=figure, ranges={"x1": (-3, 12), "x2": (-4, 4)})
    assert figure.axes == axes
    assert {(ax.get_xlim(), ax.get_ylim()) for ax in axes} == {((-3, 12), (-4, 4))}


def test_panels_of_more_parameters_have_the_loss():
    f = Objective("a**2 + 2*b**2 + 3*c**2")
    axes = plot_runs([f.minimize([1, 1, 1], lr=lr, steps=20) for lr in (0.01, 0.1, 0.2, 0.3, 0.31)])
    drawn(axes[0])
    assert len(axes) == 5
    assert all(lines(ax, "value") for ax in axes)
    assert len({ax.get_ylim() for ax in axes}) == 1


def test_panels_are_refused_where_there_are_none():
    run = BOWL.minimize([9, -3], lr=0.2, steps=5)
    with pytest.raises(UsageError, match="runs is empty"):
        plot_runs([])
    with pytest.raises(UsageError, match="not all of one objective"):
        plot_runs([run, CURVE.minimize([1])])
    with pytest.raises(UsageError, match="kind='pie' must be one of"):
        plot_runs([run], kind="pie")
    with pytest.raises(UsageError, match="ranges are for the landscape"):
        plot_runs([run], kind="loss", ranges={"x1": (0, 1)})


# ---- modes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lr", "steps"), [(0.2, 30), (0.8, 200), (0.97, 15)])
def test_modes_of_a_quadratic_are_those_of_theory(ax, lr, steps):
    run = BOWL.minimize([9, -3], lr=lr, steps=steps)
    drawn(plot_modes(run, ax=ax))
    step = run.history.step
    for mode, (eigenvalue, start) in enumerate(((0.4, 9), (2.0, 3))):
        (line,) = lines(ax, f"mode {mode}")
        expected = start * np.abs(1 - lr * eigenvalue) ** step
        seen = expected > 1e-10  # below, rounding of the point
        assert np.allclose(line.get_ydata()[seen], expected[seen], rtol=1e-5)
        (theory,) = lines(ax, f"theory {mode}")
        assert np.allclose(theory.get_ydata()[seen], expected[seen], rtol=1e-9)


def test_modes_turned_from_the_axes(ax):
    f = Objective("2.5*(x + y)**2 + 0.5*(x - y)**2")
    values, distances = modes.modes(f.minimize([3, 1], lr=0.05, steps=5), f)
    assert values == pytest.approx([2, 10])
    assert np.abs(distances[0]) == pytest.approx([2 / np.sqrt(2), 4 / np.sqrt(2)])


@pytest.mark.parametrize("options", [{}, {"method": "newton"}, {"method": "adam", "lr": 0.1}, {"lr": "0.3/(1 + t)"}])
def test_methods_without_a_rate_have_no_line_of_theory(ax, options):
    run = BOWL.minimize([9, -3], steps=20, **options)
    drawn(plot_modes(run, ax=ax))
    assert lines(ax, "mode")
    assert not lines(ax, "theory")


def test_modes_of_a_run_without_an_end_are_refused():
    with pytest.raises(UsageError, match="this run has none"):
        plot_modes(CURVE.minimize([-1], lr=1.5))
    many = Objective("sum((x - 1)**2)").minimize({"x": np.zeros(5000)}, lr=0.1, steps=5)
    with pytest.raises(UsageError, match="up to 500 parameters; the run has 5,000"):
        plot_modes(many)


# ---- theory in the loss, data beside the landscape -------------------------------------------------------------------


def test_loss_has_the_rate_of_theory(ax):
    run = BOWL.minimize([9, -3], lr=0.2, steps=60)
    drawn(run.plot(ax, kind="loss"))
    (beside,) = (other for other in ax.figure.axes if other is not ax)
    (theory,) = lines(beside, "theory")
    x, y = theory.get_data()
    assert np.allclose(y[1:] / y[:-1], run.predicted_rate ** np.diff(x), rtol=1e-9)
    late = x > 40
    assert np.allclose(y[late], run.history.gradient_norm[x[late].astype(int)], rtol=1e-3)


def test_data_stand_beside_the_landscape(ax):
    x = np.linspace(0, 3, 20)
    found = fit("w*x + b", {"x": x, "y": 2 * x + 1 + 0.1 * np.sin(9 * x)})
    assert found.plot(ax, kind="both") is ax
    drawn(ax)
    beside = next(other for other in ax.figure.axes if other.get_xlabel() == "w")
    assert beside.get_ylabel() == "b"
    assert lines(beside, "path")
    assert lines(ax, "data")
    assert beside.get_position().x0 > ax.get_position().x1
