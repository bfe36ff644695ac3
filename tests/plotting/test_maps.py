"""Pictures of maps: every cell in its place, as dark as its steps are few, whatever its hue."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from symgd import Objective
from symgd.plotting.maps import shades
from symgd.plotting.starts import COLOURS

WELLS = Objective("x**4 - 3*x**2 + x", tier="python")


@pytest.fixture
def ax():
    return Figure(layout="constrained").subplots()


def light(rgb):
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def test_shades_of_all_hues_reflect_the_same_light():
    lights = np.array([light(shades(colour)) for colour in (*COLOURS, "black", "white", "red", "blue")])
    np.testing.assert_allclose(lights, lights[[0]].repeat(len(lights), axis=0), atol=2e-3)
    assert (np.diff(lights[0]) > 0).all()
    ends = [shades(colour) for colour in COLOURS]
    assert all((end.min() >= 0) and (end.max() <= 1) for end in ends)
    assert all(np.abs(a[40] - b[40]).max() > 0.08 for i, a in enumerate(ends) for b in ends[:i])


def test_cells_stand_in_their_places(ax):
    found = WELLS.map(x=(-2, 2), lr=(1e-3, 0.5), size=(14, 11), steps=60)
    assert found.plot(ax) is ax
    ax.figure.canvas.draw()
    (mesh,) = ax.collections
    edges = mesh.get_coordinates()
    np.testing.assert_allclose(edges[0, :, 0], np.linspace(-2, 2, 15))
    np.testing.assert_allclose(edges[:, 0, 1], np.geomspace(1e-3, 0.5, 12))
    colours = np.asarray(mesh.get_array()).reshape(11, 14, 3) / 255
    assert (light(colours[found.lost]) < 0.02).all()
    waiting = ~found.converged & ~found.lost
    assert waiting.any()
    assert (light(colours[waiting]) > 0.8).all()
    for place in (0, 1):
        mine = found.reached == place
        steps, seen = found.steps[mine], light(colours[mine])
        order = np.argsort(steps, kind="stable")
        assert (np.diff(seen[order]) > -0.01).all()  # the more steps, the paler
    first, second = (colours[found.reached == place].mean(axis=0) for place in (0, 1))
    assert first[2] > first[0]  # blue, and vermilion
    assert second[0] > second[2]


def test_labels_legend_and_boundary(ax):
    found = WELLS.map(x=(-2, 2), lr=(0.01, 0.3), size=12, steps=200)
    found.plot(ax)
    ax.figure.canvas.draw()
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("start of x", "learning rate lr", "linear")
    assert ax.get_title(loc="left") == "$x^{4} - 3 x^{2} + x$"
    words = [text.get_text() for text in ax.get_legend().get_texts()]
    assert words[0].startswith("1: minimum at -1.301")
    assert words[1].startswith("2: minimum at 1.131")
    assert "diverged" in words
    drawn = [line for line in ax.lines if (line.get_gid() or "").startswith("boundary")]
    assert [line.get_gid() for line in drawn] == ["boundary 0", "boundary 1"]
    for line, curve in zip(drawn, found.boundaries, strict=True):
        assert np.array_equal(line.get_xydata(), curve.points)
    numbers = {text.get_text() for text in ax.texts if (text.get_gid() or "").startswith("number")}
    assert numbers == {"1", "2"}


def test_a_map_without_convergence_and_one_over_starts():
    nothing = Objective("-x**2", tier="python").map(x=(1, 2), lr=(0.1, 0.2), size=3, steps=5)
    ax = nothing.plot(Figure().subplots(), title="")
    ax.figure.canvas.draw()
    assert not ax.get_title(loc="left")
    hills = Objective("(x**2 - 1)**2 + y**2", tier="python").map(x=(-2, 2), y=(-2, 2), lr=0.05, size=9)
    ax = hills.plot(Figure().subplots(), boundary=False)
    ax.figure.canvas.draw()
    stars = [line.get_xydata()[0] for line in ax.lines if (line.get_gid() or "").startswith("minimum")]
    np.testing.assert_allclose(sorted(map(tuple, stars)), [(-1, 0), (1, 0)], atol=1e-6)
    assert ax.get_aspect() == 1.0
