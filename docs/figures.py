"""The pictures of the pages, drawn anew on every build."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import symgd as sg
from symgd import plotting

BOWL = sg.Objective("0.2*x1**2 + x2**2")
START = [9, -3]
X = np.linspace(-2, 2, 100)
LINE = sg.Objective(
    "mean((y - (w*x + b))**2)", {"x": X, "y": 2 * X + 1 + np.random.default_rng(0).normal(0, 0.5, 100)}, ["w", "b"]
)
FOUR = sg.Objective("(x**2 + y - 11)**2 + (x + y**2 - 7)**2")
MOMENTUM = sg.Rule("v = beta*v - lr*g; x = x + v", beta=0.9, name="momentum")


def _fit() -> Any:
    x = np.linspace(0, 8, 40)
    y = 3 * np.exp(-0.5 * x) + 1 + np.random.default_rng(1).normal(0, 0.15, 40)
    return sg.fit("a*exp(-b*x) + c", {"x": x, "y": y}).plot()


FIGURES: dict[str, Callable[[], Any]] = {
    "path": lambda: BOWL.minimize(START, lr=0.8, steps=60).plot(at="start"),
    "field": lambda: sg.Objective("sin(x)*sin(y)").plot({"x": (-3.2, 3.2), "y": (-3.2, 3.2)}, field=True),
    "surface": lambda: FOUR.minimize([0, 0], lr=0.01, steps=60).plot(kind="surface"),
    "tangent": lambda: sg.Objective("x*cos(x) + 9").plot({"x": (-8, 14)}, at=[6]),
    "loss": lambda: BOWL.minimize(START, lr=0.2, steps=60).plot(kind="loss"),
    "batches": lambda: LINE.minimize([0, 0], lr=0.05, batch=10, epochs=8, seed=0).plot(),
    "both": lambda: LINE.minimize([0, 0], lr=0.015, steps=100).plot(kind="both"),
    "fit": _fit,
    "basins": lambda: FOUR.minimize_many(box={"x": (-5, 5), "y": (-5, 5)}, n=400).plot(),
    "panels": lambda: plotting.plot_runs([BOWL.minimize(START, lr=lr, steps=40) for lr in (0.02, 0.5, 0.97, 1.05)]),
    "modes": lambda: plotting.plot_modes(BOWL.minimize(START, lr=0.2, steps=60)),
    "phases": lambda: plotting.plot_rule(MOMENTUM, 1, 10, {"lr": (0.01, 0.4), "beta": (0, 0.99)}),
}


def write(folder: Path) -> None:
    """Draw all of them as PNG files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in FIGURES.items():
        drawn = draw()
        plotting.save(drawn[0] if isinstance(drawn, list) else drawn, folder / f"{name}.png")
