"""What pictures look like: against small ones that were looked at, without letters, so that no font matters."""

import os
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imread, imsave
from matplotlib.text import Text

from symgd import Objective, fit
from symgd.plotting import animate, plot_modes, plot_objective

GOLDEN = Path(__file__).parent / "golden"
REDRAW = "SYMGD_REDRAW" in os.environ  # writes the pictures anew; look at each before it is kept
CELLS = (48, 64)
MEAN, MOST = 0.004, 0.15  # of the range from black to white: versions of matplotlib draw edges differently

X = np.linspace(0.5, 8, 30)
BOWL = Objective("0.2*x1**2 + x2**2")
HILLS = Objective("x*cos(x) + 9")
EGGS = Objective("sin(x)*sin(y)")
LINE = Objective("mean((y - (w*x + b))**2)", {"x": X, "y": 2 * X + 1 + np.sin(17 * X)}, ["w", "b"])
FOUR = Objective("(x**2 + y - 11)**2 + (x + y**2 - 7)**2")
PICTURES = {
    "contours": lambda ax: BOWL.minimize([9, -3], lr=0.2, steps=40).plot(ax),
    "curve": lambda ax: HILLS.minimize([2], lr=0.1).plot(ax),
    "two_runs": lambda ax: [BOWL.minimize([9, -3], lr=lr, steps=40).plot(ax) for lr in (0.1, 0.8)],
    "leaving": lambda ax: BOWL.minimize([9, -3], lr=1.05).plot(ax, ranges={"x1": (-10, 10), "x2": (-6, 6)}),
    "fit": lambda ax: fit("a*exp(-b*x) + c", {"x": X, "y": 3 * np.exp(-0.4 * X) + 0.05 * np.sin(17 * X)}).plot(ax),
    "basins": lambda ax: FOUR.minimize_many(box={"x": (-5, 5), "y": (-5, 5)}, n=200).plot(ax),
    "modes": lambda ax: plot_modes(BOWL.minimize([9, -3], lr=0.2, steps=60), ax=ax),
    "loss": lambda ax: BOWL.minimize([9, -3], lr=0.2, steps=60).plot(ax, kind="loss"),
    "surface": lambda ax: BOWL.minimize([9, -3], lr=0.2, steps=40).plot(ax, kind="surface"),
    "field": lambda ax: plot_objective(EGGS, {"x": (-3, 3), "y": (-3, 3)}, ax, field=True, at=[1, 2]),
    "tangent": lambda ax: plot_objective(HILLS, {"x": (-8, 14)}, ax, at=[6]),
    "both": lambda ax: LINE.minimize([0, 0], lr=0.015, steps=100).plot(ax, kind="both"),
    "batches": lambda ax: LINE.minimize([0, 0], lr=0.05, batch=5, epochs=8, seed=0).plot(ax, kind="loss"),
    "frame": lambda ax: animate(BOWL.minimize([9, -3], lr=0.8, steps=40).plot(ax)).at(4),
}


def small(draw):
    """Draw without letters, and give the mean of each cell of a coarse grid."""
    figure = Figure(figsize=(6.4, 4.8), dpi=50)  # without a layout: it would make room for letters
    canvas = FigureCanvasAgg(figure)
    draw(figure.subplots())
    for ax in figure.findobj(Axes):
        ax.set_xticks([])
        ax.set_yticks([])
        if ax.get_legend() is not None:
            ax.get_legend().remove()
    for text in figure.findobj(Text):
        text.set_visible(False)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3] / 255.0
    rows, columns = CELLS
    return pixels.reshape(rows, pixels.shape[0] // rows, columns, -1, 3).mean(axis=(1, 3))


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_look_as_they_did(name):
    found, file = small(PICTURES[name]), GOLDEN / f"{name}.png"
    if REDRAW:
        imsave(file, np.round(found * 255).astype(np.uint8))
    away = np.abs(found - imread(file)[..., :3])
    assert away.mean() < MEAN
    assert away.max() < MOST


def test_another_picture_would_be_noticed():
    away = np.abs(
        small(lambda ax: BOWL.minimize([9, -3], lr=0.3, steps=40).plot(ax)) - imread(GOLDEN / "contours.png")[..., :3]
    )
    assert away.mean() >= MEAN or away.max() >= MOST
