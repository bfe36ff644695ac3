"""The report on a point, in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from symgd.curvature.directions import in_names
from symgd.verdict import Kind, Reason

if TYPE_CHECKING:
    from symgd.insight.report import Curvature

Lines = list[tuple[str, str]]

POOR = 100.0  # condition from which scaling is spoken of
LISTED = 8  # eigenvalues, and flat directions, that are listed


def explained(c: Curvature) -> Lines:
    """Give the report as lines, each with a label that may be empty.

    Parameters
    ----------
    c : Curvature
        The report.

    Returns
    -------
    list of tuple of str
    """
    told = c.verdict.reason == Reason.SLOPE or math.isfinite(c.verdict.slope)
    slope = "" if told else f"; the gradient's norm is {c.gradient_norm:.3g}"
    lines = [("point", f"{c.kind}: {c.message}{slope}")]
    lines += _curvatures(c)
    lines += _rates(c)
    lines += [("flat", flat.message) for flat in c.flat[:LISTED]]
    if len(c.flat) > LISTED:
        lines.append(("", f"and {len(c.flat) - LISTED} more flat directions"))
    return lines + [("scaling", line) for line in _scaling(c)]


def _curvatures(c: Curvature) -> Lines:
    if not len(c.eigenvalues):
        return []
    if not np.isfinite(c.eigenvalues).all():
        return [("curvature", "not known: the Hessian is not finite there")]
    places = list(range(len(c.eigenvalues)))
    if len(places) > LISTED:
        places = places[: LISTED // 2] + places[-(LISTED // 2) :]
    lines: Lines = []
    for i in places:
        value, error = float(c.eigenvalues[i]), float(c.errors[i])
        doubt = f", give or take {error:.1g}" if error > 1e-6 * abs(value) else ""
        along = f"{value:<12.6g} along {in_names(c.params, c.eigenvectors[:, i])}{doubt}"
        lines.append(("" if lines else "curvature", along))
    return [*lines, ("condition", f"{c.condition:.4g}; {c.note}")]


def _rates(c: Curvature) -> Lines:
    if not math.isfinite(c.largest):
        return []
    if c.kind.kinked or c.kind == Kind.BOUNDARY:
        return [("lr", "what is stable does not follow from curvatures at such a point")]
    negative = c.smallest < -float(c.errors[0])
    if not c.largest > float(c.errors[-1]):
        what = "gradient descent leaves this point with any" if negative else "they set no limit to the"
        return [("lr", f"no curvature is positive: {what} learning rate")]
    stable = f"gradient descent is stable here below {c.largest_lr:.6g}"
    pair, rate = c.momentum, c.rate
    if pair is None or rate is None:
        if negative:
            return [("lr", stable), ("", "along a negative curvature it leaves with any learning rate")]
        return [("lr", stable), ("", "there is no fastest one, and no number of steps: a curvature may be 0")]
    plain = f"fastest at {c.best_lr:.6g}: a step leaves {rate:.6g} of the error, {_to_a_millionth(c.steps())}"
    heavy = f"fastest at {pair.lr:.6g} with beta={pair.beta:.6g}: a step leaves {pair.rate:.6g} of the error"
    return [("lr", stable), ("", plain), ("momentum", f"{heavy}, {_to_a_millionth(c.steps(method='momentum'))}")]


def _to_a_millionth(steps: int | None) -> str:
    assert steps is not None  # for there is a rate
    return f"{steps:,} step{'s' * (steps != 1)} to a millionth"


def _scaling(c: Curvature) -> list[str]:
    """Say what scaling the parameters would do to the condition."""
    before, after = c.condition, c.scaled_condition
    if not c.scales or not before > POOR or math.isnan(after):
        return []
    if not math.isfinite(after):
        return ["a direction has no curvature in any units: scaling the parameters does not help"]
    data = ", ".join(c.data)
    found = []
    if before > 2.0 * after:
        order = sorted(c.scales, key=lambda name: c.scales[name])
        ratio = c.scales[order[-1]] / c.scales[order[0]]
        remedy = f"; standardise the data that they multiply (of {data})" if data else ""
        found.append(
            f"the condition falls to {after:.4g} where each parameter is measured by its own curvature: {order[-1]} in "
            f"units {ratio:.3g} times those of {order[0]}{remedy}"
        )
    if after > POOR:
        rest = "it falls no further" if found else f"the condition is {after:.4g} in any units of the parameters"
        remedy = f"; subtracting the means of the data (of {data}) may help" if data else ""
        found.append(f"{rest}, since parameters make up for each other{remedy}")
    return found
