"""The rate of an update rule over its learning rate and another hyperparameter, with the boundary of stability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps
from matplotlib.ticker import LogLocator, NullFormatter

from symgd.errors import UsageError, safe
from symgd.plotting import frame, style

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from symgd.insight.linear import LinearMap
    from symgd.plotting.view import Range, Vector
    from symgd.rules import Rule

_SIDE = 121  # places along each axis
_BOUNDARY = 81  # places along the boundary, each of which is computed exactly
_BETWEEN = 25  # eigenvalues from the smallest to the largest, of which the slowest counts
_DECADES = 30.0  # largest over smallest lr from which on its axis is logarithmic
_RATES = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)


def plot_rule(
    rule: Rule,
    smallest: float,
    largest: float,
    ranges: Mapping[str, Range],
    ax: Axes | None = None,
    *,
    title: str | None = None,
) -> Axes:
    """Draw what an update rule leaves of the error per step, over lr and another hyperparameter: its phase diagram.

    The rate is that of the slowest of the eigenvalues between the two that are given, on quadratics; where it is 1 and
    more, the rule does not converge, and nothing is coloured. The line is the exact boundary that `Rule.theory` gives.

    Parameters
    ----------
    rule : Rule
        A rule that is linear.
    smallest : float
        The smallest eigenvalue of the Hessian, above 0.
    largest : float
        The largest.
    ranges : mapping of str to tuple of float
        From where to where: of ``lr``, and of one hyperparameter.
    ax : Axes, optional
        Where to draw; by default a new figure.
    title : str, optional
        By default the rule; ``""`` for none.

    Returns
    -------
    Axes

    Raises
    ------
    UsageError
        If the rule is not linear, or the ranges are not those of lr and one hyperparameter.

    Examples
    --------
    >>> from symgd.rules import find_rule
    >>> ax = plot_rule(find_rule("momentum"), 1, 10, {"lr": (0.01, 0.5), "beta": (0, 0.99)})
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('lr', 'beta')

    References
    ----------
    Polyak 1964, Some methods of speeding up the convergence of iteration methods, theorem 9.
    """
    others = [name for name in ranges if name != "lr"]
    if "lr" not in ranges or len(others) != 1 or others[0] not in rule.hyper:
        known = ", ".join(rule.hyper) or "none, so that there is no diagram"
        raise UsageError(
            f"ranges={safe(dict(ranges))} must be those of lr and one hyperparameter; the rule has {known}"
        )
    (other,) = others
    across, up = (frame.checked_range(name, ranges[name]) for name in ("lr", other))
    theory = rule.theory(smallest=smallest, largest=largest)
    if theory.map is None:
        raise UsageError(f"the rule has no phase diagram: {theory.reason}")
    ax = style.new_axes() if ax is None else ax
    logarithmic = across[0] > 0 and across[1] > _DECADES * across[0]
    lrs = np.geomspace(*across, _SIDE) if logarithmic else np.linspace(*across, _SIDE)
    values = np.linspace(*up, _SIDE)
    _draw_rates(ax, lrs, values, rates(theory.map, (smallest, largest), lrs, (other, values)))
    limits = boundary(rule, largest, other, np.linspace(*up, _BOUNDARY))
    ax.plot(limits, np.linspace(*up, _BOUNDARY), color="0.1", linewidth=1.8, label="boundary of stability",
            gid="boundary", zorder=4)  # fmt: skip
    best = theory.best
    if best is not None and set(best) == {"lr", other}:
        label = f"best: lr = {best['lr']:.4g}, {other} = {best[other]:.4g}, {theory.best_rate:.4g} a step"
        ax.plot(best["lr"], best[other], linestyle="", zorder=5, gid="best", label=label, **style.END)
    if logarithmic:
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlim(*across)
    ax.set_ylim(*up)
    style.name_axes(ax, "lr", other)
    style.put_legend(ax, limits, np.linspace(*up, _BOUNDARY))
    if title != "":
        note = f"rate a step, eigenvalues from {smallest:.4g} to {largest:.4g}"
        style.put_title(ax, rule.text if title is None else title, note)
    return ax


def rates(found: LinearMap, ends: Range, lrs: Vector, other: tuple[str, Vector]) -> Vector:
    """Give the rates at each lr, across, and each value of a hyperparameter, up.

    Parameters
    ----------
    found : LinearMap
        The rule in numbers.
    ends : tuple of float
        The smallest and the largest eigenvalue.
    lrs : ndarray, shape (m,)
        The learning rates.
    other : tuple of str and ndarray
        A hyperparameter, and its values.

    Returns
    -------
    ndarray, shape (len(values), m)
    """
    eigenvalues = np.geomspace(*ends, _BETWEEN)
    name, values = other
    hyper = dict(found.hyper)
    return np.array(
        [[found.radius(eigenvalues, float(lr), {**hyper, name: float(v)}).max() for lr in lrs] for v in values]
    )


def boundary(rule: Rule, largest: float, name: str, values: Vector) -> Vector:
    """Give the largest stable lr for each value of a hyperparameter, exactly; nan where no lr is stable.

    Parameters
    ----------
    rule : Rule
        The rule.
    largest : float
        The largest eigenvalue.
    name : str
        The hyperparameter.
    values : ndarray, shape (m,)
        Its values.

    Returns
    -------
    ndarray, shape (m,)
    """
    found = [rule.theory(largest=largest, **{name: float(value)}).stable_lr for value in values]
    return np.array([limit if limit is not None and 0 < limit < np.inf else np.nan for limit in found])


def _draw_rates(ax: Axes, lrs: Vector, values: Vector, found: Vector) -> None:
    ax.set_facecolor("0.88")  # seen where the rule does not converge
    seen = np.ma.masked_where(~(found < 1), found)
    if seen.count() < 4:
        return
    levels = [0.0, *_RATES, 1.0]
    shades: list[Any] = list(colormaps[style.LANDSCAPE](np.linspace(0.2, 0.97, len(levels) - 1)))
    ax.contourf(lrs, values, seen, levels, colors=shades, zorder=0).set_gid("rates")
    drawn = [rate for rate in _RATES if seen.min() < rate < seen.max()]
    if drawn:
        lines = ax.contour(lrs, values, seen, drawn, colors="white", linewidths=0.8, zorder=1)
        for text in ax.clabel(lines, fontsize=7, fmt="%g", colors="0.15"):
            text.set_parse_math(False)
