"""Findings about where a run ended, and what kept it there."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from symgd.curvature import floor, in_names
from symgd.draws import Draws
from symgd.insight.evidence import Evidence
from symgd.insight.pace import best_of
from symgd.insight.speed import unstable
from symgd.insight.trials import remedy, typed
from symgd.run import Finding, Outcome
from symgd.verdict import Kind, Reason

ILL = 1e3  # condition from which on scaling is worth a word
LOUD = 1e-5  # share of the whole fall from which on the noise of batches is worth a word
OTHERS = 24  # starts that are tried for a lower minimum


def left_domain(e: Evidence) -> Finding | None:
    """Tell where the value stopped being a number."""
    if e.run.outcome != Outcome.LEFT_DOMAIN:
        return None
    points = e.run.history.point
    finite = points[np.isfinite(points).all(axis=1) & np.isfinite(e.run.history.value)] if points.size else points
    before = f"; before that it stood at {e.at(finite[-1])}" if len(finite) and e.run.steps else ""
    if not e.run.steps:
        gaps = e.gaps
        cure = "Start where the formula has a value."
        if gaps:
            name = gaps[0]
            cure = f"Leave such rows out of the data, or put where({name} == {name}, ..., 0) around what they enter."
        return Finding("left_domain", f"{e.run.message}.", cure, {"step": 0})
    trial = e.trials.best_lr(e.lr_candidates(), e.floor) if e.top_lr is not None else None
    text, change = remedy([trial, e.trials.best_method()], e.own, e.sign)
    other = "Write the parameter so that it cannot leave, as exp(u) for a positive one."
    message = f"{e.run.message}{before}."
    return Finding("left_domain", message, f"{text} {other}".strip(), {"step": e.run.steps}, change)


def saddle(e: Evidence) -> Finding | None:
    """Tell that the run stopped at a saddle or on the wrong kind of extremum, and the way out."""
    kind = e.run.kind
    wrong = kind.minimal if e.run.maximized else kind.maximal
    if not (kind == Kind.SADDLE or wrong) and not _is_degenerate_saddle(e):
        return None
    code = "saddle" if kind == Kind.SADDLE else "maximum"
    beside = e.trials.make(start=e.run.history.point[0] + _aside(e)) if e.run.history.point.size else None
    methods = e.trials.best_method(("newton",)) if e.affordable else None
    text, change = remedy([methods, beside if e.trials.better(beside, e.floor) else None], e.end, e.sign)
    text = text or "Start elsewhere, or from many places: minimize_many."
    if not e.affordable:
        return Finding(code, f"The run stopped at a {kind}: {e.run.message}.", text, {})
    goes = "rises" if e.run.maximized else "falls"
    if kind == Kind.DEGENERATE:
        way = e.run.verdict.along
        message = (
            f"The run stopped at a saddle, {e.at(e.run.x)}: no curvature shows it, but along {way} the value {goes}."
        )
        return Finding("saddle", message, text, {"curvature": 0.0, "direction": way}, change)
    values, vectors = np.linalg.eigh(e.kernel.hessian(e.run.x))
    way = in_names(e.kernel.names, vectors[:, 0])
    bent = e.sign * values[0]
    message = (
        f"The run stopped at a {kind}, {e.at(e.run.x)}: along {way} the curvature is {bent:.6g}, and the value {goes}."
    )
    return Finding(code, message, text, {"curvature": float(bent), "direction": way}, change)


def _aside(e: Evidence) -> NDArray[np.float64]:
    """Give a small step along the direction that leads down from where the run stopped."""
    way = e.run.verdict.direction
    if way is None or not np.any(way):
        way = Draws(0).normal(e.kernel.n)
    size = 1.0 + float(np.abs(e.run.history.point[0]).max())
    step: NDArray[np.float64] = 0.01 * size * way / float(np.linalg.norm(way))
    return step


def _is_degenerate_saddle(e: Evidence) -> bool:
    """Tell whether the value falls along a way that has no curvature, as at a monkey saddle."""
    return e.run.verdict.falls and e.kernel.n > 1 and e.affordable


def plateau(e: Evidence) -> Finding | None:
    """Tell that the gradient is small without a minimum, or that no step lowers the value."""
    run = e.run
    stuck = run.outcome.converged or run.outcome == Outcome.STALLED
    kinds = (Kind.DEGENERATE, Kind.NOT_STATIONARY, Kind.UNKNOWN)
    if not stuck or _is_degenerate_saddle(e) or run.kind not in kinds or not e.affordable:
        return None
    if run.kind == Kind.DEGENERATE and flat(e) is not None:
        return None  # that is told on its own
    h = e.kernel.hessian(run.x)
    top = float(np.abs(np.linalg.eigvalsh(h)).max()) if np.isfinite(h).all() else math.nan
    numbers = {"gradient_norm": run.gradient_norm, "curvature": top}
    text, change = remedy([e.trials.best_method()], e.end, e.sign)
    if run.outcome == Outcome.STALLED and run.gradient_norm > e.gtol:
        cure = text or "Check the formula for kinks and for rounding."
        return Finding("stalled", f"The run came to a stop: {run.message}.", cure, numbers, change)
    message = (
        f"The run is stuck on a plateau: the gradient's norm is {run.gradient_norm:.3g} and no curvature is over "
        f"{top:.3g}, but this is no {'maximum' if run.maximized else 'minimum'}: {run.message}."
    )
    return Finding("plateau", message, text or "Start elsewhere, or from many places: minimize_many.", numbers, change)


def flat(e: Evidence) -> Finding | None:
    """Tell that the minimum is not one point: which parameters are not told apart, and what is determined."""
    run = e.run
    wanted = run.kind in (Kind.WEAK_MINIMUM, Kind.WEAK_MAXIMUM, Kind.DEGENERATE)
    if not wanted or run.verdict.falls or not e.affordable or run.outcome == Outcome.DIVERGED:
        return None
    if run.kind == Kind.DEGENERATE and run.verdict.reason not in (Reason.FLAT, Reason.ROUNDED):
        return None
    from symgd.insight.report import curvature

    found = curvature(e.kernel, floor(e.kernel, run.x)).flat
    if not found:
        return None
    text = "Fix one of them, or add a small penalty on the sum of squares."
    return Finding("flat", f"The minimum is not one point: {found[0]}.", text, {"directions": len(found)})


def kink(e: Evidence) -> Finding | None:
    """Tell that the run ended where the gradient jumps."""
    if e.run.kind != Kind.KINK:
        return None
    text, change = remedy([e.trials.best_method(("bfgs", "lbfgs"))], e.end, e.sign)
    text = text or "Let lr decay, or smooth the formula: softplus for relu."
    return Finding("kink", f"The run ended at a kink: {e.run.message}.", text, {}, change)


def local_minimum(e: Evidence) -> Finding | None:
    """Tell that another start leads to a lower minimum."""
    run, bounds = e.run, e.kernel.bounds()
    lowest = math.isfinite(bounds.low) and e.end - bounds.low <= 1e-9 * (float(e.values[0]) - bounds.low)
    if bounds.convex or lowest:
        return None  # the formula shows that none is lower
    here = e.minimum
    if here is None or run.outcome in (Outcome.DIVERGED, Outcome.LEFT_DOMAIN, Outcome.INTERRUPTED):
        return None
    if math.isfinite(bounds.low) and here.value - bounds.low <= 1e-9 * (float(e.values[0]) - bounds.low):
        return None
    if not _is_near(e) or unstable(e) is not None:
        return None
    enough = here.value - 1e-6 * (1.0 + abs(here.value))
    bounds = e.kernel.bounds()
    if bounds.convex or bounds.low >= enough:  # the formula shows that none is that much lower
        return None
    points = run.history.point
    size = max(1.0, float(np.abs(here.x).max()), float(np.abs(points[0]).max()) if points.size else 0.0)
    draws = Draws(0).uniform(-2.0 * size, 2.0 * size, (OTHERS, e.kernel.n))
    found = [(other, start) for start in [-here.x, *draws] if (other := e.below(start)) is not None]
    inside = [(other, start) for other, start in found if np.abs(other.x).max() <= 4.0 * size]
    other, start = min(inside, key=lambda pair: pair[0].value, default=(here, here.x))
    if not other.value < enough:
        return None
    numbers = {"value": e.sign * here.value, "better": e.sign * other.value}
    better, kind = ("higher", "maximum") if run.maximized else ("lower", "minimum")
    message = (
        f"This is a worse local {kind}, {e.sign * here.value:.6g} at {e.at(here.x)}: from {e.at(start)} a {better} one "
        f"is reached, {e.sign * other.value:.6g} at {e.at(other.x)}."
    )
    return Finding(
        "local_minimum", message, "Try several starts: minimize_many(box=...) ranks what they reach.", numbers
    )


def _is_near(e: Evidence) -> bool:
    """Tell whether the run ended at its minimum, or on the way into it."""
    assert e.minimum is not None
    points = e.run.history.point
    left = float(np.linalg.norm(e.run.x - e.minimum.x))
    whole = float(np.linalg.norm(points[0] - e.minimum.x)) if points.size else 0.0
    return left <= max(0.2 * whole, 1e-3 * (1.0 + float(np.linalg.norm(e.minimum.x))))


def scaling(e: Evidence) -> Finding | None:
    """Tell that parameters or features of different size make the valley narrow."""
    if e.run.ok or not e.first_order or e.minimum is None or e.run.outcome == Outcome.LEFT_DOMAIN or e.arrived:
        return None
    c = e.minimum.curvature
    if not math.isfinite(c.scaled_condition) or c.condition < ILL or c.scaled_condition > 0.01 * c.condition:
        return None
    if not _is_narrow(e):  # a curvature that vanishes at the minimum alone is no matter of scales
        return None
    sizes = sorted(c.scales.items(), key=lambda pair: pair[1])
    (low, small), (high, large) = sizes[0], sizes[-1]
    numbers = {"condition": c.condition, "scaled_condition": c.scaled_condition}
    what = "features" if c.data else "parameters"
    message = (
        f"The {what} are badly scaled: the condition number is {c.condition:.3g}, and {c.scaled_condition:.3g} once "
        f"each parameter is measured in its own scale ({low}: {small:.3g}, {high}: {large:.3g})."
    )
    cure = (
        "Standardise the columns of data: (x - mean(x))/std(x)." if c.data
        else f"Write {high} as {typed(large)}*u, {low} as {typed(small)}*v."
    )  # fmt: skip
    text, change = remedy([e.trials.best_method()], e.end, e.sign)
    return Finding("scaling", message, f"{cure} {text}".strip(), numbers, change)


def _is_narrow(e: Evidence) -> bool:
    """Tell whether the valley is narrow where the run began, too."""
    points = e.run.history.point
    h = e.kernel.hessian(points[0]) if points.size else np.zeros((0, 0))
    if not h.size or not np.isfinite(h).all():
        return True
    sizes = np.abs(np.linalg.eigvalsh(h))
    return bool(sizes.max() >= ILL * sizes.min())


def noise_floor(e: Evidence) -> Finding | None:
    """Tell that batches keep a run from coming closer."""
    run = e.run
    if run.batch is None or not e.batched or run.ok or len(e.values) < 6:
        return None
    late = e.values[len(e.values) // 2 :]
    if e.minimum is None or not np.isfinite(late).all():
        return None
    over = late - e.minimum.value
    floor = float(np.median(over))
    # Values that still come down do so along a line, in their logarithms; on the floor they scatter about a level.
    trend, level = np.polyfit(np.arange(len(over)), np.log(np.maximum(over, 1e-300)), 1)
    scatter = np.log(np.maximum(over, 1e-300)) - (trend * np.arange(len(over)) + level)
    falls = np.count_nonzero(np.diff(late) < 0) >= 0.9 * (len(late) - 1)
    falling = falls or (trend < 0 and -trend * len(over) > 4.0 * float(np.std(scatter)) and -trend * len(over) > 0.35)
    if falling or not floor > LOUD * float(e.values[0] - e.minimum.value):
        return None
    numbers = {"floor": floor, "batch": run.batch, "lowest": e.sign * e.minimum.value}
    message = (
        f"Noise of the batches keeps the run {floor:.3g} above the lowest value {e.sign * e.minimum.value:.6g}: for "
        f"the last {len(late)} epochs recorded it has only moved about."
    )
    epoch = max(1, e.kernel.rows // run.batch)
    lr = e.recipe.get("lr")
    trials = [e.trials.make(lr=f"{lr}/(1 + t/{n * epoch})") for n in (10, 3)] if e.lr else []
    trials += [e.trials.make(lr=float(typed(share * e.lr))) for share in (0.1, 0.01)] if e.lr else []
    trials += [e.trials.make(batch=min(e.kernel.rows - 1, 8 * run.batch))]
    text, change = remedy([best_of(e, trials)], e.end, e.sign)
    text = text or "Let lr decay, or take larger batches: twice the rows, half the floor."
    return Finding("noise_floor", message, text, numbers, change)
