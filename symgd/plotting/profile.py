"""Performance profiles: which share of problems a method solves within a factor of the best one's work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from symgd.plotting import style

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from symgd.plotting.view import Vector

_COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A7A7A", "#000000")  # Okabe and Ito
_LINES = ("-", "--", ":", "-.")
_LEAST = 10.0  # how far to the right the axis goes at least


def plot_profile(
    profiles: Mapping[str, tuple[Vector, Vector]], measure: str = "evaluations", ax: Axes | None = None
) -> Axes:
    """Draw performance profiles, a staircase each.

    Parameters
    ----------
    profiles : mapping of str to (ndarray, ndarray)
        For each method, factors and the share of the problems that are solved within each.
    measure : str
        What the factors are of.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes

    Examples
    --------
    >>> import numpy as np
    >>> ax = plot_profile({"newton": (np.array([1.0, 2.0]), np.array([0.5, 1.0]))})
    >>> len(ax.lines)
    1

    References
    ----------
    Dolan and Moré 2002, Benchmarking optimization software with performance profiles.
    """
    ax = style.new_axes() if ax is None else ax
    right = max([_LEAST, *(float(factors[-1]) for factors, _ in profiles.values() if len(factors))]) * 1.1
    for place, (name, (factors, shares)) in enumerate(profiles.items()):
        # From 0 at the left edge up to the first factor, and on to the right edge at the last share.
        x = np.concatenate([[1.0], factors, [right]])
        y = np.concatenate([[0.0], shares, [shares[-1] if len(shares) else 0.0]])
        look: dict[str, Any] = {
            "color": _COLOURS[place % len(_COLOURS)],
            "linestyle": _LINES[place // len(_COLOURS) % len(_LINES)],
        }
        ax.step(x, y, where="post", linewidth=1.8, label=name, gid=f"profile {name}", **look)
    ax.set_xscale("log")
    ax.set_xlim(1.0, right)
    ax.set_ylim(0.0, 1.02)
    ax.grid(visible=True, color="0.92", linewidth=0.7)
    style.name_axes(ax, f"{measure}, as a multiple of the best method's", "share of the problems solved")
    if profiles:
        legend = ax.legend(loc="lower right", fontsize=8.5, framealpha=0.92, edgecolor="0.85")
        for text in legend.get_texts():
            text.set_parse_math(False)
    return ax
