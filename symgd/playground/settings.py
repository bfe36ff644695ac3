"""What a page starts with: the window, the start, rules and their numbers, and the data beside the landscape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from symgd import language as fm
from symgd.errors import UsageError
from symgd.insight.linear import linear_map
from symgd.language.functions import CONSTANTS
from symgd.objective import Objective
from symgd.objective.compared import compared
from symgd.plotting import frame as frames
from symgd.plotting import window as windows
from symgd.rules import Rule, find_rule

Range = tuple[float, float]

METHODS = ("gd", "momentum", "nesterov", "adam", "rmsprop", "adagrad")  # of the table of rules, in the page's order
CELLS, FEWER = 90, 40  # of the grid of heights along each side; fewer where a value takes many rows
POINTS = 2_000  # of the data that are drawn, about
SLOW = 2_000_000  # rows times cells that a page evaluates at once
USUAL = (1.0, -0.7)  # where descents start


def across(objective: Objective, start: Any) -> tuple[Objective, Any]:
    """Let x run to the right and y upward, whichever the formula names first; else the first goes to the right."""
    if objective.params != ("y", "x") or any(objective.model.shapes.values()):
        return objective, start
    if start is not None:
        start = dict(zip("yx", objective.vector(start).tolist(), strict=True))
    return Objective(objective.text, objective.data or None, params=("x", "y")), start


def two_at_most(objective: Objective) -> list[str]:
    """Give the names of the numbers that are varied.

    Parameters
    ----------
    objective : Objective
        The objective.

    Returns
    -------
    list of str

    Raises
    ------
    UsageError
        If there are none, or more than two.
    """
    names = list(objective.kernel().names)
    if not 1 <= len(names) <= 2:
        listed = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
        raise UsageError(
            f"a playground shows one or two parameters; the formula has {len(names)}"
            + (f" ({listed}): put numbers in place of the others" if names else "")
        )
    return names


def chosen_rules(given: str | Rule | Sequence[str | Rule] | None) -> dict[str, Rule]:
    """Give the rules that a page offers, by name: one's own before those of the table.

    Parameters
    ----------
    given : str, Rule, or sequence of them, optional
        Names or texts.

    Returns
    -------
    dict
    """
    own = [] if given is None else [given] if isinstance(given, str | Rule) else list(given)
    found: dict[str, Rule] = {}
    for asked in [*own, *METHODS]:
        rule = Rule(asked) if isinstance(asked, str) and "=" in asked else find_rule(asked)
        found.setdefault(rule.name or f"rule{len(found) or ''}", rule)
    return found


def window(objective: Objective, start: Any, ranges: Mapping[str, Range] | None) -> tuple[
    list[float], list[Range]
]:  # fmt: skip
    """Choose where the first descent starts, and from where to where the landscape is shown.

    Parameters
    ----------
    objective : Objective
        The objective.
    start : mapping, sequence or None
        The start that was asked for.
    ranges : mapping of str to tuple of float, optional
        The window that was asked for, by parameter.

    Returns
    -------
    start : list of float
    window : list of tuple of float
    """
    frame = frames.of_parameters(objective)
    place = _start(objective, start, frames.ranges_of(frame, ranges))
    with np.errstate(all="ignore"):
        run = objective.minimize(place, progress=False)
    return place, windows.of_run(run, frame, ranges)[0]


def _start(objective: Objective, start: Any, asked: Sequence[Range | None]) -> list[float]:
    if start is not None:
        return [float(v) for v in objective.vector(start)]
    # A third of the way across, where few landscapes are symmetric; else off the axes and the diagonal.
    return [ends[0] + 0.3 * (ends[1] - ends[0]) if ends else own for ends, own in zip(asked, USUAL, strict=False)]


def rates(rules: Mapping[str, Rule], steepest: float, width: float) -> dict[str, dict[str, float]]:
    """Give the learning rate that each rule begins with.

    Parameters
    ----------
    rules : mapping of str to Rule
        The rules.
    steepest : float
        The largest curvature where the descents start, which a rule that is linear goes by.
    width : float
        That of the window, which the steps of the others go by.

    Returns
    -------
    dict
    """
    known = linear(rules)
    usual = {True: 0.3 / steepest if steepest > 0 else 0.1, False: 0.01 * width}
    return {name: {"lr": float(f"{usual[name in known]:.2g}")} for name in rules}


def linear(rules: Mapping[str, Rule]) -> list[str]:
    """Give the names of the rules whose step on a parabola is a matrix.

    Parameters
    ----------
    rules : mapping of str to Rule
        The rules.

    Returns
    -------
    list of str
    """
    return [name for name, rule in rules.items() if linear_map(rule) is not None]


def parabola() -> Objective:
    """Give the objective on which a linear rule's step is read off: a parabola of any curvature."""
    return Objective("sum(k*x**2)/2", data=("k",), params=("x",))


def slider(steepest: float, width: float) -> Range:
    """Give the learning rates between which the slider goes: around what the curvature allows."""
    middle = 2.0 / steepest if np.isfinite(steepest) and steepest > 0 else 1.0
    return min(middle, 0.01 * width) * 1e-3, max(middle, 0.01 * width) * 30.0


def cells(objective: Objective) -> int:
    """Give the number of cells along each side of the grid."""
    rows = max([len(np.atleast_1d(np.asarray(objective.data[name]))) for name in objective.columns], default=1)
    return CELLS if rows * CELLS**2 <= SLOW else max(FEWER // 2, min(CELLS, int((SLOW / rows) ** 0.5)))


class Seen(NamedTuple):
    """Data beside the landscape: what the page is told of them, and the model as a module."""

    shown: dict[str, Any]
    code: str


def data_of(objective: Objective, names: Sequence[str]) -> Seen | None:
    """Give data and model as the page draws them, where a model of one column is compared with another.

    Parameters
    ----------
    objective : Objective
        The objective.
    names : sequence of str
        Its parameters.

    Returns
    -------
    Seen or None
    """
    found = compared(objective)
    if found is None:
        return None
    columns = [name for name in fm.names(found.tree) if name in objective.data]
    arrays = [np.asarray(objective.data[name], dtype=np.float64) for name in (*columns, found.target)]
    if len(columns) != 1 or any(array.ndim != 1 for array in arrays):
        return None
    order = [*columns, *(name for name in names if name in fm.names(found.tree))]
    if set(order) != set(fm.names(found.tree)) - set(CONSTANTS):
        return None
    model = Objective(found.text, params=order)
    every = max(1, len(arrays[0]) // POINTS)
    places = [-1, *(names.index(name) for name in order[1:])]
    shown = {"x": arrays[0][::every].tolist(), "y": arrays[1][::every].tolist(), "column": columns[0],
             "target": found.target, "model": f"{found.target} = {found.text}", "order": places}  # fmt: skip
    return Seen(shown, model.code("javascript"))
