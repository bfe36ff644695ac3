"""Maps: each cell as its descent would go alone, and the boundary that theory gives."""

import json
import signal
import threading

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import symgd as sg
from symgd.cli import main
from symgd.errors import UsageError

BOWL = "x**2/2 + 5*y**2"
WELLS = "x**4 - 3*x**2 + x"


def one(found, f, row, column, fixed):
    """Run the descent of one cell alone."""
    start, options = dict(fixed), dict(found.plan.numbers)
    for axis, place in zip(found.axes, (column, row), strict=True):
        target = start if axis.kind == "start" else options
        target[axis.name] = axis.values[place]
    options |= {"method": found.plan.method, "steps": found.plan.steps, "gtol": found.gtol}
    return f.minimize(start, **options)


@settings(max_examples=12)
@given(st.data())
def test_a_cell_is_a_descent_of_its_own(data):
    names = data.draw(st.permutations(["lr", "beta", "x", "y"]))
    ranges = {"lr": (0.02, 0.5), "beta": (0, 1), "x": (-2, 2), "y": (-1, 1)}
    numbers = {"lr": 0.11, "beta": 0.7, "x": 0.8, "y": -0.6}
    asked = {name: (ranges if place < 2 else numbers)[name] for place, name in enumerate(names)}
    f = sg.Objective(f"{WELLS} + 2*y**2 - y*x", tier="python")
    found = f.map(method="momentum", size=(4, 3), steps=data.draw(st.integers(1, 300)), gtol=1e-5, **asked)
    assert found.steps.shape == found.outcomes.shape == (3, 4)
    fixed = {name: asked[name] for name in "xy" if not isinstance(asked[name], tuple)}
    for row in range(3):
        for column in range(4):
            run = one(found, f, row, column, fixed)
            assert found.steps[row, column] == run.steps
            assert found.lost[row, column] == (run.outcome == "diverged")
            if found.converged[row, column]:
                assert run.gradient_norm <= 1e-5
                at = found.minima[found.reached[row, column]].point
                assert at["x"] == pytest.approx(run.point["x"], abs=1e-4)


def test_compiled_cells_are_those_of_plain_python():
    plain, fast = (
        sg.Objective(WELLS, tier=tier).map(lr=(1e-3, 0.3), beta=(0, 1), x=-0.3, size=13, steps=200, gtol=1e-4)
        for tier in ("python", "numba")
    )
    calm = plain.steps < 60  # rounding grows with the steps of what swings
    assert np.array_equal(plain.steps[calm], fast.steps[calm])
    assert np.array_equal(plain.reached[calm & plain.converged], fast.reached[calm & plain.converged])
    assert (plain.outcomes == fast.outcomes).mean() > 0.95


def test_the_boundary_is_that_of_theory_and_of_the_cells():
    found = sg.Objective(BOWL, tier="python").map(
        lr=(0, 0.5), beta=(0, 0.9), start={"x": 0, "y": 1}, size=30, steps=2000
    )
    (curve,) = found.boundaries
    assert (curve.minimum, curve.largest) == (0, 10.0)
    lr, beta = curve.points.T
    np.testing.assert_allclose(lr, 2 * (1 + beta) / 10, rtol=1e-12)
    across, up = (axis.values for axis in found.axes)
    limit = 2 * (1 + up[:, None]) / 10
    inside = across[None, :] < 0.99 * limit
    assert found.converged[inside & (across[None, :] > 0.02)].all()
    assert not found.converged[across[None, :] > limit].any()
    assert found.lost[across[None, :] > 1.02 * limit].all()


def test_each_minimum_has_a_boundary_of_its_own():
    found = sg.Objective(WELLS, tier="python").map(x=(-2, 2), lr=(0.01, 0.25), size=20, steps=300)
    assert [m.point["x"] for m in found.minima] == pytest.approx([-1.3008395660, 1.1309011])
    for curve, minimum in zip(found.boundaries, found.minima, strict=True):
        curvature = 12 * minimum.point["x"] ** 2 - 6
        np.testing.assert_allclose(curve.points[:, 1], 2 / curvature, rtol=1e-9)
        reached = (found.reached == curve.minimum).any(axis=1)
        assert (found.axes[1].values[reached] <= 2 / curvature).all()
    assert not sg.Objective(WELLS, tier="python").map(x=(-2, 2), lr=(0.01, 0.2), method="adam", size=3).boundaries
    assert not sg.Objective(BOWL, tier="python").map(x=(-2, 2), y=(-1, 1), lr=0.1, size=3).boundaries


def test_a_closer_look_has_the_same_cells_where_they_lie_in_the_same_places():
    found = sg.Objective(BOWL, tier="python").map(lr=(0, 0.4), beta=(0, 1), start=[1, 1], size=(8, 6), steps=80)
    near = found.zoom(lr=(0.1, 0.3), size=(4, 6))
    assert np.array_equal(near.steps, found.steps[:, 2:6])
    assert near.gtol == found.gtol
    assert found.zoom().steps.tolist() == found.steps.tolist()
    with pytest.raises(UsageError, match=r"x=.*the axes of this map are lr and beta"):
        found.zoom(x=(0, 1))
    with pytest.raises(UsageError, match="low below high"):
        found.zoom(lr=(0.3, 0.1))


def test_axes_are_logarithmic_where_they_span_decades():
    found = sg.Objective("x**2", tier="python").map(lr=(1e-3, 1), x=(0.5, 2), size=(6, 2), steps=3)
    across, up = found.axes
    np.testing.assert_allclose(across.values, 10 ** (-3 + 3 * (np.arange(6) + 0.5) / 6))
    np.testing.assert_allclose(up.values, [0.875, 1.625])


def test_units_of_the_objective_do_not_change_a_map():
    maps = [
        sg.Objective(f"{unit}*({BOWL})", tier="python").map(x=(-1, 2), y=(-2, 1), lr=0.15 / unit, size=7, steps=90)
        for unit in (1.0, 2.0**40, 2.0**-40)
    ]
    assert np.array_equal(maps[0].steps, maps[1].steps)
    assert np.array_equal(maps[0].steps, maps[2].steps)
    assert maps[0].converged.all()


def test_other_methods_saddles_and_entries_of_arrays():
    saddle = sg.Objective("x**4/4 - x**2/2 + y**2", tier="python")
    found = saddle.map(x=(-2, 2), y=(-2, 2), method="newton", size=5)
    assert found.converged.all()
    line = saddle.map(start={"x": 0, "y": (-1, 1)}, lr=(0.1, 0.2), size=4, steps=300)
    assert line.converged.all()
    assert (line.reached == -1).all()  # along y there is no way off the saddle
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2))
    f = sg.Objective("mean((y - X @ w)**2)", data={"X": X, "y": X @ [1, -1]}, tier="python")
    found = f.map(start={"w": np.zeros(2)}, lr=(0.05, 0.2), size=3, steps=200, **{"w[1]": (-1, 1)})
    assert found.converged.all()
    with pytest.raises(UsageError, match=r"'w' is an array; an axis is one of its entries, such as 'w\[0\]'"):
        f.map(start={"w": np.zeros(2)}, lr=(0.05, 0.2), w=(0, 1))
    with pytest.raises(UsageError, match=r"'w\[2\]' is no single number here; take one of w\[0\], w\[1\]"):
        f.map(start={"w": np.zeros(2)}, lr=(0.05, 0.2), size=2, **{"w[2]": (0, 1)})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": (0, 1)}, r"a map has two axes, such as lr=\(1e-3, 1\), beta=\(0, 1\); got lr=\(0, 1\)"),
        ({"lr": (0, 1), "x": (0, 1), "y": (0, 1)}, "two axes"),
        ({"lr": (0, 1, 2), "x": (0, 1), "y": 1}, r"lr=\(0, 1, 2\) must be a number, or a range"),
        ({"lr": (0, 1), "x": (0, 1)}, "no value for y"),
        ({"lr": (0, 1), "x": ("a", 1), "y": 1}, "x='a' must be a range"),
        ({"lr": (1, 0.1), "x": (0, 1), "y": 1}, "low below high"),
        ({"lr": (-1, 1), "x": (0, 1), "y": 1}, "must not begin below 0"),
        ({"lr": (0, 1), "x": (0, float("inf")), "y": 1}, "finite"),
        ({"lr": (0, 1), "bta": (0, 1)}, "there is no option 'bta'"),
        ({"x": (0, 1), "y": (0, 1)}, "no learning rate: give a number"),
        ({"lr": (0, 1), "x": (0, 1), "y": 1, "size": 0}, "size=0 must be a whole number"),
        ({"lr": (0, 1), "x": (0, 1), "y": 1, "size": 10**6}, "more than 100,000,000 cells"),
        ({"lr": (0, 1), "x": (0, 1), "y": 1, "gtol": 0}, "gtol=0 must be a number above 0"),
        ({"lr": (0, 1), "x": (0, 1), "y": 1, "steps": 0}, "steps=0 must be"),
    ],
)
def test_misuse_is_told(options, message):
    with pytest.raises(UsageError, match=message):
        sg.Objective(BOWL, tier="python").map(**options)


def test_the_account():
    found = sg.Objective(BOWL, tier="python").map(lr=(0.001, 0.4), beta=(0, 1), start=[1, 1], size=(5, 4), steps=90)
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["steps"] == found.steps.tolist()
    assert [axis["scale"] for axis in told["axes"]] == ["log", "linear"]
    frame = found.to_frame()
    assert list(frame.columns) == ["lr", "beta", "steps", "outcome", "reached"]
    row = frame.iloc[7]  # the second row of cells, the third in it
    assert (row["lr"], row["beta"]) == (found.axes[0].values[2], found.axes[1].values[1])
    assert row["steps"] == found.steps[1, 2]
    assert sum(found.counts.values()) == 20
    best = found.fastest
    assert best["steps"] == found.steps[found.converged].min()
    assert "5 x 4 cells of at most 90 steps by momentum" in repr(found)
    assert "<table>" in found._repr_html_()


@pytest.mark.skipif(not hasattr(signal, "raise_signal"), reason="needs signals")
def test_an_interrupt_keeps_the_cells_that_are_done():
    threading.Timer(0.3, lambda: signal.raise_signal(signal.SIGINT)).start()
    found = sg.Objective(WELLS, tier="python").map(x=(-2, 2), lr=(1e-5, 1e-4), size=300, steps=5000)
    assert 0 < found.counts["max_steps"] < 90_000
    assert found.counts["interrupted"] + found.counts["max_steps"] + found.counts.get("converged_gradient", 0) == 90_000


def call(*args):
    result = CliRunner().invoke(main, ["map", *args])
    return result.exit_code, result.output


def test_command(tmp_path):
    rest = ("--tier", "python", "--size", "6x5", "--steps", "80")
    code, out = call(BOWL, "--lr", "1e-3", "0.4", "--beta", "0", "1", "--start", "x=1,y=1", *rest, "--json")
    assert code == 0
    assert np.shape(json.loads(out)["steps"]) == (5, 6)
    picture = tmp_path / "edge.png"
    code, out = call(WELLS, "--x", "-2", "2", "--lr", "0.01", "0.2", "-o", str(picture), *rest)
    assert code == 0
    assert picture.stat().st_size > 5000
    assert "start x from -2 to 2" in out
    assert call("-x**2", "--x", "0.1", "1", "--lr", "1", "2", *rest)[0] == 1
    assert call(WELLS, "--x", "-2", "2", "--lr", "0.1/t", *rest)[0] == 2
    code, out = call(WELLS, "--x", "-2", "2", "--lr", "0", "1", "--size", "abc")
    assert (code, "--size abc must be a number of cells" in out) == (2, True)
    assert "No such option '--jsn'. Did you mean '--json'" in call(WELLS, "--x", "-2", "2", "--jsn")[1]
