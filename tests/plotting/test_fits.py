"""Pictures of fits: data, curve, bands and residuals are there, with the right numbers."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from symgd import UsageError, fit
from symgd.plotting import fits

X = np.linspace(0.5, 8, 30)
Y = 3 * np.exp(-0.4 * X) + 0.5 + 0.05 * np.sin(17 * X)
DECAY = "a*exp(-b*x) + c"


@pytest.fixture
def ax():
    return Figure(layout="constrained").subplots()


@pytest.fixture(scope="module")
def decay():
    return fit(DECAY, {"x": X, "y": Y}, start={"a": 2, "b": 0.5, "c": 0.3})


def line(ax, gid):
    (found,) = (artist for artist in ax.lines if artist.get_gid() == gid)
    return found


def below(ax):
    (found,) = (other for other in ax.figure.axes if other is not ax)
    return found


def drawn(ax):
    ax.figure.canvas.draw()
    return ax


def test_data_curve_bands_and_residuals(ax, decay):
    assert decay.plot(ax) is ax
    drawn(ax)
    assert np.array_equal(line(ax, "data").get_xydata(), np.column_stack([X, Y]))
    x, y = line(ax, "curve").get_data()
    a, b, c = decay.x
    assert np.allclose(y, a * np.exp(-b * x) + c, rtol=1e-13)  # a few roundings
    assert x[0] < X[0]
    assert x[-1] > X[-1]
    bands = {artist.get_gid(): artist for artist in ax.collections}
    for name in ("confidence", "prediction"):
        expected = decay.predict({"x": x}, band=name)
        corners = bands[name].get_paths()[0].vertices
        assert np.isclose(corners[:, 1].max(), expected.upper.max(), rtol=1e-12)
        assert np.isclose(corners[:, 1].min(), expected.lower.min(), rtol=1e-12)
    assert np.array_equal(line(below(ax), "residuals").get_ydata(), decay.residuals)
    assert (below(ax).get_xlabel(), below(ax).get_ylabel(), ax.get_ylabel()) == ("x", "residual", "y")
    assert ax.get_xlim() == below(ax).get_xlim()


def test_every_point_and_residual_is_in_the_picture(ax, decay):
    drawn(decay.plot(ax))
    assert ax.get_ylim()[0] < Y.min()
    assert ax.get_ylim()[1] > Y.max()
    assert below(ax).get_ylim()[1] > np.abs(decay.residuals).max()


def test_the_descent_is_drawn_when_asked_for(ax, decay):
    assert "value" in {artist.get_gid() for artist in decay.plot(ax, kind="loss").lines}
    with pytest.raises(UsageError, match="kind='pie' must be one of data, both, path, surface, loss"):
        decay.plot(kind="pie")
    with pytest.raises(UsageError, match="band='wide' must be 'both', 'confidence', 'prediction' or None"):
        decay.plot(band="wide")


def test_bands_and_residuals_can_be_left_out(ax, decay):
    drawn(decay.plot(ax, band=None, residuals=False))
    assert not ax.collections
    assert ax.figure.axes == [ax]
    assert ax.get_xlabel() == "x"


def test_a_second_fit_adds_its_curve_and_draws_the_data_once(ax, decay):
    decay.plot(ax)
    straight = fit("p*x + q", {"x": X, "y": Y})
    drawn(straight.plot(ax))
    assert len(ax.figure.axes) == 2
    assert len([artist for artist in ax.lines if artist.get_gid() == "data"]) == 1
    curves = [artist for artist in ax.lines if artist.get_gid() == "curve"]
    assert [artist.get_label() for artist in curves] == [DECAY, "p*x + q"]
    residuals = [artist for artist in below(ax).lines if artist.get_gid() == "residuals"]
    assert [artist.get_color() for artist in residuals] == [artist.get_color() for artist in curves]
    assert below(ax).get_ylim()[1] > np.abs(straight.residuals).max()


def test_of_several_columns_the_data_stand_over_the_fitted_values(ax):
    rng = np.random.default_rng(0)
    u, v = rng.normal(size=(2, 50))
    found = fit("a*u + b*v", {"u": u, "v": v, "y": u - 2 * v + 0.1 * rng.normal(size=50)})
    drawn(found.plot(ax))
    assert np.array_equal(line(ax, "data").get_xdata(), found.fitted)
    assert below(ax).get_xlabel() == "fitted y"


def test_a_column_that_does_not_vary_is_no_axis(ax):
    found = fit("a*x + k", {"x": X, "k": np.full(30, 2.0), "y": 2 + 3 * X + np.sin(X)})
    drawn(found.plot(ax))
    x, y = line(ax, "curve").get_data()
    assert np.allclose(y, found.point["a"] * x + 2, rtol=1e-13)


def test_a_model_that_reads_other_rows_has_its_curve_at_the_rows(ax):
    found = fit("a*(x - mean(x)) + b", {"x": X, "y": 2 * X + np.sin(X)})
    drawn(found.plot(ax))
    assert np.allclose(line(ax, "curve").get_xydata(), np.column_stack([X, found.fitted]), rtol=1e-13)


def test_weights_are_bars_and_rows_of_weight_nothing_are_hollow(ax):
    weights = np.where(np.arange(30) == 4, 0.0, 1 + X)
    found = fit("a*x + b", {"x": X, "y": Y, "w": weights}, weights="w")
    drawn(found.plot(ax))
    assert line(ax, "left_out").get_xdata().tolist() == [X[4]]
    assert ax.containers
    assert "prediction" not in {artist.get_gid() for artist in ax.collections}


def test_a_column_over_decades_is_on_a_logarithmic_axis(ax):
    x = np.geomspace(1e-3, 1e3, 25)
    found = fit("a/(1 + x/k)", {"x": x, "y": 2 / (1 + x) + 0.01 * np.sin(np.arange(25))}, start={"a": 1, "k": 2})
    drawn(found.plot(ax))
    assert ax.get_xscale() == "log"
    assert line(ax, "curve").get_xdata()[0] > 0


@pytest.mark.parametrize(
    ("model", "data", "start"),
    [
        ("a", {"y": [1.0, 2.0, 4.0]}, None),
        ("a*x", {"x": [1.0, 2.0], "y": [1.0, 2.5]}, None),
        ("a*x + b", {"x": [1.0, 1.0, 1.0], "y": [1.0, 2.0, 3.0]}, None),
        ("(a + b)*x", {"x": X, "y": 2 * X + np.sin(X)}, None),
        ("a*x", {"x": X, "y": 2 * X}, None),
        ("a*log(x - 0.4)", {"x": X, "y": X}, None),
        ("a*x", {"x": 1e10 * X, "y": 1e-10 * X}, None),
    ],
    ids=["constant", "two rows", "one place", "undetermined", "exact", "edge of the domain", "extreme sizes"],
)
def test_degenerate_fits_are_drawn(ax, model, data, start):
    found = fit(model, data, start=start)
    drawn(found.plot(ax))
    assert np.isfinite([*ax.get_xlim(), *ax.get_ylim()]).all()
    assert np.ptp(ax.get_ylim()) > 0


def test_many_rows_are_thinned_and_said_to_be(ax):
    x = np.linspace(0, 1, 100_000)
    found = fit("a*x + b", {"x": x, "y": 2 * x + np.sin(1e4 * x)})
    drawn(found.plot(ax, residuals=False))
    shown = line(ax, "data")
    assert len(shown.get_xdata()) <= 4000
    assert shown.get_label() == f"data, {len(shown.get_xdata()):,} of 100,000"


def test_errors_are_written_with_as_many_digits_as_they_have(decay):
    assert fits.told(decay).startswith(f"a = {decay.point['a']:.3f} ± {decay.stderr['a']:.3f}")


def test_axes_placed_by_hand_are_parted_too(decay):
    ax = Figure().add_axes((0.1, 0.1, 0.8, 0.8))
    drawn(decay.plot(ax))
    assert below(ax).get_position().y1 < ax.get_position().y0
