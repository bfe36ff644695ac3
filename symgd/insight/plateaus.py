"""Findings about gradients that vanish far from a minimum: saturated, dead and equal units, tails, underflow."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from symgd import curvature
from symgd.draws import Draws
from symgd.insight.evidence import Evidence
from symgd.insight.pace import best_of
from symgd.insight.trials import remedy
from symgd.run import Finding, Outcome
from symgd.verdict import Reason

Vector = NDArray[np.float64]

FAINT = 1e-2  # of the gradient nearer to the origin, under which one is that of a saturated unit
NEARER = (0.3, 0.1, 0.03, 0.01)  # shares of the start's size that are tried
SUNK = 1e-3  # of the gradient before a step, under which the step has jumped onto a plateau
JUMPS = 12  # steps among which such a jump is looked for
DRAWN = (0.1, 0.5, 1.0)  # sizes of random starts that are tried
NEVER = (Outcome.DIVERGED, Outcome.LEFT_DOMAIN, Outcome.INTERRUPTED)


def plateaued(e: Evidence) -> Finding | None:
    """Tell why a gradient vanishes far from a minimum: the first of the reasons that holds.

    Parameters
    ----------
    e : Evidence
        What is known of the run.

    Returns
    -------
    Finding or None
    """
    if e.run.ok or e.run.outcome in NEVER or not e.run.history.point.size or not np.isfinite(e.run.x).all():
        return None
    return next((f for test in (tail, underflow, symmetric, dead, overshot, saturated) if (f := test(e))), None)


def tail(e: Evidence) -> Finding | None:
    """Tell that there is no finite minimum: the value falls for ever toward a limit, as with separable classes."""
    seen = e.run.verdict if e.run.verdict.reason == Reason.TAIL else None
    if seen is None and (e.minimum is not None or not e.affordable):
        return None
    seen = seen or curvature.tail(e.kernel, e.run.x, e.end, e.kernel.slope(e.run.x)[1], e.run.history.point[0])
    if seen is None:
        return None
    limit = e.sign * seen.numbers[0]
    goes, what = ("rises", "maximum") if e.run.maximized else ("falls", "minimum")
    parted = bool(e.kernel.columns) and e.kernel.bounds().convex
    message = (
        f"There is no finite {what}: along {seen.along} the value {goes} for ever toward {limit:.6g}, and the "
        "parameters run off to infinity."
    )
    if parted:
        message += " So it is where the classes are separable: they are parted, or the data met, without an error."
    text = "Add a penalty on the size of the parameters, or stop by the value: a smaller gradient means nothing here."
    numbers = {"limit": limit, "value": e.sign * e.end}
    return Finding("separable" if parted else "tail", message, text, numbers)


def underflow(e: Evidence) -> Finding | None:
    """Tell that value and slope are as good as constant in float64, though the objective is not."""
    g = e.kernel.slope(e.run.x)[1]
    if e.run.verdict.reason != Reason.FADED and (g.any() or e.run.steps > 1):
        return None
    changed = [s for s in NEARER if e.kernel.value(s * e.run.x) != e.end]
    if not changed:
        return None
    nearer = [e.trials.make(start=s * e.run.history.point[0]) for s in changed[:3]]
    text, change = remedy([best_of(e, nearer)], e.end, e.sign)
    message = (
        f"Value and gradient do not change in float64 around {e.at(e.run.x)}, though they do further away: what they "
        "are made of underflows, or is rounded off."
    )
    return Finding("underflow", message, text or "Minimize a logarithm of the value instead, or start elsewhere.",
                   {"value": e.sign * e.end}, change)  # fmt: skip


def symmetric(e: Evidence) -> Finding | None:
    """Tell that entries which begin alike stay alike, so that many units are one."""
    alike = _alike(e)
    if not alike:
        return None
    draws = Draws(0)
    x0 = e.run.history.point[0]
    size = float(np.abs(x0).max()) or 1.0
    starts = [x0 + spread * size * draws.normal(len(x0)) for spread in DRAWN]
    trial = best_of(e, [e.trials.make(start=start) for start in starts])
    if trial is None:
        return None
    text, change = remedy([trial], e.end, e.sign)
    message = (
        f"The entries of {' and '.join(alike)} begin alike, have the same gradient, and stay alike for ever: many "
        "units are one."
    )
    return Finding("symmetric", message, f"Draw the start at random. {text}", {"value": e.sign * e.end}, change)


def _alike(e: Evidence) -> list[str]:
    """Give the parameters whose entries were alike along an axis at the start, and still are."""
    found = []
    first, last = e.kernel.split(e.run.history.point[0]), e.kernel.split(e.run.x)
    for name, shape in zip(e.kernel.params, e.kernel.shapes, strict=True):
        for axis, length in enumerate(shape):
            both = (np.asarray(v[name]) for v in (first, last))
            if length > 1 and all(np.ptp(v, axis=axis).max() <= 1e-12 * np.abs(v).max() for v in both):
                found.append(name)
                break
    return found


def dead(e: Evidence) -> Finding | None:
    """Tell that parameters never moved, for their gradient is 0 at every step, though not elsewhere."""
    points = e.run.history.point
    still = (points == points[0]).all(axis=0) & (e.kernel.slope(e.run.x)[1] == 0.0)
    if e.kernel.smooth or not still.any() or len(points) < 3:
        return None
    draws = Draws(0)
    size = 1.0 + float(np.abs(points[0]).max())
    starts = [points[0] + spread * size * draws.normal(len(points[0])) for spread in DRAWN]
    if not any(e.kernel.slope(start)[1][still].any() for start in starts):
        return None
    trial = best_of(e, [e.trials.make(start=start) for start in starts])
    if trial is None:
        return None
    names = [e.kernel.names[i] for i in np.flatnonzero(still)[:4]]
    more = f" and {int(still.sum()) - len(names)} more" if still.sum() > len(names) else ""
    text, change = remedy([trial], e.end, e.sign)
    message = (
        f"{', '.join(names)}{more} never moved: their gradient is 0 all along, that of units which are switched off."
    )
    return Finding("dead", message, text, {"dead": int(still.sum())}, change)


def overshot(e: Evidence) -> Finding | None:
    """Tell that a step jumped to where there is hardly a slope."""
    sizes, steps = e.run.history.gradient_norm[: JUMPS + 1], e.run.history.step[: JUMPS + 1]
    if e.top_lr is None or len(sizes) < 2 or e.batched:
        return None
    sunk = np.flatnonzero((sizes[1:] < SUNK * sizes[:-1]) & (sizes[:-1] > 0) & np.isfinite(sizes[:-1]))
    if not len(sunk) or e.end < e.values[sunk[0]] - 0.5 * abs(e.values[0] - e.values[sunk[0]]):
        return None
    place = int(sunk[0])
    trial = e.trials.best_lr(e.lr_candidates(), e.floor)
    if trial is None:
        return None
    points = e.run.history.point
    text, change = remedy([trial], e.end, e.sign)
    message = (
        f"Step {int(steps[place + 1])} jumped from {e.at(points[place])} to {e.at(points[place + 1])}, onto a plateau: "
        f"the gradient's norm fell from {sizes[place]:.3g} to {sizes[place + 1]:.3g}, and no step comes back."
    )
    return Finding("overshot", message, text, {"step": int(steps[place + 1]), "lr": e.top_lr}, change)


def saturated(e: Evidence) -> Finding | None:
    """Tell that units are so far out that hardly a gradient comes back from them."""
    size = e.run.gradient_norm
    x0 = e.run.history.point[0]
    slopes = [(s, float(np.linalg.norm(e.kernel.slope(s * x0)[1]))) for s in NEARER]
    stronger = [s for s, slope in slopes if math.isfinite(slope) and size < FAINT * slope]
    if not stronger or size >= FAINT * max(slope for _, slope in slopes if math.isfinite(slope)):
        return None
    if e.end < e.values[0] - 0.5 * abs(e.values[0]):  # it has come far all the same
        return None
    trial = best_of(e, [e.trials.make(start=s * x0) for s in stronger])
    if trial is None:
        return None
    text, change = remedy([trial], e.end, e.sign)
    message = (
        f"The run is saturated: at {e.at(e.run.x)} the gradient's norm is {size:.3g}, and nearer to 0 it is "
        f"{max(slope for _, slope in slopes if math.isfinite(slope)):.3g}: this is a plateau, and no minimum."
    )
    return Finding("saturated", message, text, {"gradient_norm": size}, change)
