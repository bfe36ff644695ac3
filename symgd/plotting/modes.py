"""Eigen-modes: how far a run is from the minimum along each eigenvector of the Hessian, with the rate of theory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from symgd.errors import UsageError
from symgd.plotting import marks, style
from symgd.rules import Rule

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from symgd.objective import Objective
    from symgd.plotting.view import Vector
    from symgd.run import Run

_MOST = 6  # modes that are drawn: the steepest, the flattest, and some in between
_LARGEST = 500  # parameters up to which the Hessian is formed
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#000000")  # Okabe and Ito
_POLISH = 50  # steps from the end of the run to the minimum


def check(run: Run, objective: Objective | None) -> None:
    """Refuse a run whose modes cannot be drawn.

    Parameters
    ----------
    run : Run
        The run.
    objective : Objective or None
        What it descends on.

    Raises
    ------
    UsageError
        If the path was not kept, the objective is not known, or there are too many parameters for the Hessian.
    """
    if objective is None:
        raise UsageError("the objective is needed for the Hessian: plot_modes(run, f)")
    if len(run.x) > _LARGEST or not run.history.point.shape[1]:
        raise UsageError(f"modes are drawn for up to {_LARGEST} parameters; the run has {len(run.x):,}")
    if not np.isfinite(run.x).all() or run.outcome in ("diverged", "left_domain"):
        raise UsageError(f"modes are distances from the end, and this run has none: {run.message}")


def modes(run: Run, objective: Objective) -> tuple[Vector, Vector]:
    """Give the eigenvalues of the Hessian at the end, and the distances from the minimum there along its eigenvectors.

    Parameters
    ----------
    run : Run
        The run.
    objective : Objective
        What it descends on.

    Returns
    -------
    eigenvalues : ndarray, shape (n,)
        Ascending.
    distances : ndarray, shape (k, n)
        At each recorded step, with their signs.
    """
    # A run that was stopped early, or by its tolerance, is not where the distances go to 0.
    polish = objective.maximize if run.maximized else objective.minimize
    end = polish(run.point, method="newton", steps=_POLISH, progress=False)
    near = end if end.ok else run
    values, vectors = np.linalg.eigh(objective.hessian_at(near.point))
    distances: Vector = (run.history.point - near.x) @ vectors
    return values, distances


def draw(ax: Axes, run: Run, objective: Objective) -> None:
    """Draw the distances on a logarithmic axis, and what theory says as dashed lines from the start.

    Parameters
    ----------
    ax : Axes
        Where.
    run : Run
        The run.
    objective : Objective
        What it descends on.
    """
    values, distances = modes(run, objective)
    step = run.history.step.astype(np.float64)
    sizes = np.abs(distances)
    floor = 1e-15 * (float(np.abs(run.x).max()) or 1.0)
    chosen = np.unique(np.linspace(0, len(values) - 1, min(_MOST, len(values))).round().astype(int))[::-1]
    for place, mode in enumerate(chosen.tolist()):
        own = np.where(sizes[:, mode] > floor, sizes[:, mode], np.nan)
        rate = _rate(run, float(values[mode]))
        label = f"eigenvalue {values[mode]:.4g}" + ("" if rate is None else f": {rate:.4g} a step")
        look: dict[str, Any] = {"color": COLOURS[place % len(COLOURS)], "linewidth": 2.4, "zorder": 3}
        ax.plot(step, own, marker="os^Dv*"[place], markersize=5, markevery=max(1, len(step) // 12), label=label,
                gid=f"mode {mode}", **look)  # fmt: skip
        if rate is not None and rate > 0 and sizes[0, mode] > floor:
            theory = np.exp(np.clip(math.log(sizes[0, mode]) + step * math.log(rate), -700, 700))
            theory[theory < floor] = np.nan
            ax.plot(step, theory, gid=f"theory {mode}", color="0.1", linestyle="--", linewidth=1.0, zorder=4)
    ax.set_yscale("log", nonpositive="mask")
    ax.set_xlim(0, max(float(step[-1]), 1.0))
    ax.grid(visible=True, color="0.92", linewidth=0.7)
    style.name_axes(ax, "step", "distance along an eigenvector")
    if any((line.get_gid() or "").startswith("theory") for line in ax.lines):
        ax.plot([], [], linestyle="--", color="0.1", linewidth=1.0, label="theory")
    style.put_legend(ax, np.tile(step, 2), np.concatenate([sizes[:, chosen[0]], sizes[:, chosen[-1]]]))


def _rate(run: Run, eigenvalue: float) -> float | None:
    """Give the factor per step along a direction of this curvature, where the rule has one."""
    curvature = -eigenvalue if run.maximized else eigenvalue
    if not curvature > 0 or isinstance(run.lr, str) or run.batch is not None:
        return None
    recipe = run.state.get("recipe", {})
    if "text" not in recipe:  # methods that choose their steps
        return None
    rule = Rule(recipe["text"], recipe["init"], recipe["name"], **recipe["hyper"])
    return rule.theory(smallest=curvature, largest=curvature, lr=float(run.lr)).rate


def told(run: Run) -> str:
    """Say in a line what was done."""
    return f"{marks.named(run)} · {run.steps:,} steps · distances from the minimum, by mode"


def plot_modes(
    run: Run, objective: Objective | None = None, ax: Axes | None = None, *, title: str | None = None
) -> Axes:
    """Draw how far a run is from the minimum along each eigenvector of the Hessian, with the rates that theory gives.

    For a rule that is linear, each mode shrinks by a factor of its own, the spectral radius that `Rule.theory` gives
    for its eigenvalue: a dashed line from the start.

    Parameters
    ----------
    run : Run
        The run.
    objective : Objective, optional
        What was minimized; by default the run's own.
    ax : Axes, optional
        Where to draw; by default a new figure.
    title : str, optional
        The first line of the title; by default the formula. ``""`` for no title at all.

    Returns
    -------
    Axes

    Raises
    ------
    UsageError
        If the run has no end to measure from, has kept no path, or has too many parameters for the Hessian.

    Examples
    --------
    >>> from symgd import Objective
    >>> run = Objective("0.2*x1**2 + x2**2").minimize({"x1": 9, "x2": -3}, lr=0.2)
    >>> plot_modes(run).get_xlabel()
    'step'
    """
    objective = objective if objective is not None else run.objective
    check(run, objective)
    assert objective is not None
    ax = style.new_axes() if ax is None else ax
    draw(ax, run, objective)
    if title != "":
        style.put_title(
            ax, run.formula if title is None else title, told(run), "" if title else style.mathematics(objective)
        )
    return ax
