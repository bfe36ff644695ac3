"""Findings about how fast a run went: learning rates that are too large or too small."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.curvature import in_names
from symgd.insight.evidence import Evidence
from symgd.insight.trials import remedy, typed
from symgd.run import Finding, Outcome

OVERSHOT = -0.55  # factor along the steepest direction from which on jumping to the other side is worth a word
NEAR_BEST = 0.02  # a learning rate as close as this to the best one is not to blame
LONGEST = 12  # steps of the longest cycle that is looked for


def climbs(e: Evidence) -> Finding | None:
    """Tell that a learning rate below 0 goes up the slope, or one of 0 nowhere."""
    lrs = e.lrs
    if e.run.ok or not len(lrs) or not lrs[0] <= 0:
        return None
    lowest = float(lrs.min())
    text, change = remedy([e.trials.best_lr(e.lr_candidates())], e.end, e.sign)
    numbers = {"lr": float(lrs[0])}
    if lrs[0] < 0:
        message = (
            f"The learning rate is negative, {lowest:.6g}: every step goes {'down' if e.run.maximized else 'up'}hill."
        )
        return Finding("climbs", message, text or "Give a positive lr.", numbers, change)
    if lrs.max() > 0:
        return None
    return Finding("climbs", "The learning rate is 0: no step moves.", text or "Give a positive lr.", numbers, change)


def diverged(e: Evidence) -> Finding | None:
    """Tell why values grew: a learning rate over the limit."""
    if e.run.outcome != Outcome.DIVERGED or e.falls_for_ever:
        return None
    found = _over_the_limit(e)
    text, change = _lower(e, found[1]["limit"] if found else None)
    if found is None:
        return Finding("diverged", f"The run diverged: {e.run.message}.", text, {}, change)
    words, numbers = found
    return Finding("diverged", f"The run diverged: {words}.", text, numbers, change)


def unbounded(e: Evidence) -> Finding | None:
    """Tell that values fall without end along a ray, where the formula shows no bound."""
    if e.run.ok or not e.falls_for_ever:
        return None
    better = "an upper" if e.run.maximized else "a lower"
    verb = "rises" if e.run.maximized else "falls"
    far, value = e.ray[-1]
    message = (
        f"The value {verb} without end: {e.sign * value:.3g} where the run's way is followed {far:g} times as far, and "
        f"the formula shows no bound."
    )
    numbers = {"value": e.sign * value, "times": far}
    return Finding("unbounded", message, f"Give the objective {better} bound, or check its sign.", numbers)


def _over_the_limit(e: Evidence) -> tuple[str, dict[str, float]] | None:
    """Tell at which point the learning rate is over the rule's limit."""
    lr = e.top_lr
    if e.map is None or lr is None:
        return None
    places = []
    if e.minimum is not None and len(e.eigenvalues):
        places.append((e.top_curvature, e.minimum.x))
    places += [place for place in (e.steepest, e.steepest_of_all()) if place is not None]
    for top, x in places:
        # At the limit itself nothing fades; rounding decides.
        if top > 0 and lr >= e.limit(top) * (1 - 1e-9):
            numbers = {"lr": lr, "limit": e.limit(top), "lambda_max": top}
            verb = "is at" if lr <= e.limit(top) * (1 + 1e-9) else "is over"
            seen = f" of the {e.run.batch} rows that a step sees" if e.rows is not e.kernel else ""
            return f"lr={lr:g} {verb} the limit {e.limit_in_words(top)}{seen} at {e.at(x)}", numbers
    return None


def _factor(value: float) -> str:
    """Write what a step leaves; next to 1, so that the difference shows."""
    if abs(1.0 - abs(value)) >= 1e-3:
        return f"{value:.4g}"
    return (
        f"{value:.10g}" if abs(1.0 - abs(value)) > 1e-9 else f"{math.copysign(1.0, value):.0f} - {1 - abs(value):.2g}"
    )


def _lower(e: Evidence, limit: float | None) -> tuple[str, Mapping[str, Any]]:
    """Say which learning rate is better: one that was tried, below the limit; and which method."""
    trial = e.trials.best_lr(e.lr_candidates(limit), e.floor)
    other = e.trials.best_method()
    text, change = remedy([trial, other], e.end, e.sign)
    below = ""
    # Of a batch it is one limit among many: other rows have another.
    if limit is not None and math.isfinite(limit) and e.rows is e.kernel:
        below = f"Stable below lr={typed(limit, 6)}. "
    if not text:
        if limit is None and e.recipe.get("method") is None:
            return "No learning rate that was tried ends lower: check the formula and the rule.", {}
        return f"{below}Nothing that was tried ends lower.", {}
    return f"{below}{text}", change


def flips(e: Evidence) -> Finding | None:
    """Tell that the run goes round in a cycle for ever."""
    points = e.consecutive[-3 * LONGEST :]
    if len(points) < 5 or not np.isfinite(points).all() or e.run.ok:
        return None
    size = 1e-9 * float(np.abs(points).max())
    once = np.linalg.norm(np.diff(points, axis=0), axis=1)
    if not (once[-4:] > size).all():
        return None
    period = next((p for p in range(2, LONGEST + 1) if _repeats(points, p, once)), None)
    if period is None:
        return None
    found = _over_the_limit(e)
    why = f": {found[0]}" if found else ""
    text, change = _lower(e, found[1]["limit"] if found else None)
    if period == 2:
        message = f"The run flips between {e.at(points[-2])} and {e.at(points[-1])} without progress{why}."
    else:
        message = (
            f"The run goes round in a cycle of {period} steps, {e.at(points[-1])} one of them, without progress{why}."
        )
    return Finding("flips", message, text, {**(found[1] if found else {}), "period": period}, change)


def _repeats(points: NDArray[np.float64], period: int, once: NDArray[np.float64]) -> bool:
    if len(points) < 2 * period + 1:
        return False
    back = np.linalg.norm(points[period:] - points[:-period], axis=1)[-2 * period :]
    return bool((back <= 1e-6 * once[-len(back) :].max()).all())


def unstable(e: Evidence) -> Finding | None:
    """Tell that values rise again and again because steps are too long for part of the way."""
    if e.map is None or e.run.ok or e.run.batch is not None or e.run.outcome == Outcome.DIVERGED:
        return None
    values, lr = e.values[np.isfinite(e.values)], e.top_lr
    rises = int(np.count_nonzero(np.diff(values) > 1e-9 * np.abs(values[1:])))
    if rises < (2 if e.plain else len(values) // 4) or lr is None or len(values) < 3:
        return None
    steepest = max((p for p in (e.steepest, e.steepest_of_all()) if p is not None), key=lambda p: p[0], default=None)
    if steepest is None or not steepest[0] > 0 or lr < e.limit(steepest[0]):
        return None
    top, x = steepest
    text, change = _lower(e, e.limit(top))
    if not change:  # nothing is better
        return None
    numbers = {"rises": rises, "lr": lr, "limit": e.limit(top), "lambda_max": top}
    went = "fell" if e.run.maximized else "rose"
    message = (
        f"The run is unstable: the value {went} in {rises} of {len(values) - 1} steps, for lr={lr:g} is over the "
        f"limit {e.limit_in_words(top)} at {e.at(x)}."
    )
    return Finding("unstable", message, text, numbers, change)


def zigzag(e: Evidence) -> Finding | None:
    """Tell that each step jumps over the floor of the valley."""
    if not e.plain or e.lr is None or e.minimum is None or e.map is None or not len(e.eigenvalues) or e.batched:
        return None
    low, high = float(e.eigenvalues[0]), float(e.eigenvalues[-1])
    across, along = (float(e.map.matrix(v, e.lr).ravel()[0]) for v in (high, low))
    best = e.best[0] if e.best else math.inf
    # At the limit itself the run flips, or diverges.
    if not -0.9999 < across <= OVERSHOT or abs(e.lr - best) <= NEAR_BEST * best or not _is_crossing(e):
        return None
    names = e.kernel.names
    vectors = e.minimum.curvature.eigenvectors
    numbers = {"lambda_max": high, "lambda_min": low, "factor": across, "lr": e.lr}
    if len(e.eigenvalues) == 1 or high <= 1.5 * low:
        message = (
            f"Each step overshoots: with lr={e.lr:g} and the curvature {high:.6g} it leaves the factor {across:.4g} of "
            "the distance, on the other side of the minimum."
        )
    else:
        message = (
            f"The run zig-zags: along {in_names(names, vectors[:, -1])}, where the curvature is {high:.6g}, each step "
            f"jumps to the other side (factor {_factor(across)}), while along "
            f"{in_names(names, vectors[:, -len(e.eigenvalues)])}, where it is {low:.6g}, it leaves {_factor(along)}."
        )
    if e.run.ok:
        message = f"The run converged, and could be faster. {message}"
    trial = e.trials.best_lr([v for v in (best, 1.0 / high) if math.isfinite(v)], e.floor)
    text, change = remedy([trial, None if e.run.ok else e.trials.best_method()], e.end, e.sign)
    if not text and e.run.ok:
        text = _sooner(e, best, high)
    return Finding("zigzag", message, text or f"lr={typed(1.0 / high)} does not overshoot.", numbers, change)


def _sooner(e: Evidence, best: float, high: float) -> str:
    """Name the learning rate with which a run that converged ends after fewer steps."""
    for lr in (best, 1.0 / high):
        trial = e.trials.make(lr=float(typed(lr)), gtol=e.gtol) if math.isfinite(lr) else None
        if trial is not None and trial.run is not None and trial.run.ok and trial.run.steps < e.steps_to_end:
            return f"lr={typed(lr)} needs {trial.run.steps:,} steps where this run took {e.steps_to_end:,}."
    return ""


def _is_crossing(e: Evidence) -> bool:
    """Tell whether the path really changes sides along the steepest direction, as far as that shows."""
    assert e.minimum is not None
    points = e.run.history.point[:12]
    if len(points) < 3 or not np.isfinite(points).all():
        return False
    away = points - e.minimum.x
    side = away @ e.minimum.curvature.eigenvectors[:, -1]
    seen = np.abs(side) > 1e-3 * np.linalg.norm(away, axis=1)
    turns = np.sign(side[1:]) != np.sign(side[:-1])
    return bool(np.count_nonzero(turns & seen[1:]) >= 2)
