"""Findings about where a run ended, and what kept it there."""

from __future__ import annotations

import math

import numpy as np

from symgd.curvature import in_names
from symgd.insight.evidence import Evidence
from symgd.insight.report import curvature
from symgd.insight.speed import unstable
from symgd.run import Finding, Outcome
from symgd.verdict import Kind

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
    gap = e.run.message.split(" is ")[0]
    if not e.run.steps and gap in e.kernel.columns:
        remedy = f"Leave such rows out of the data, or put where({gap} == {gap}, ..., 0) around what they enter."
        return Finding("left_domain", f"{e.run.message}.", remedy, {"step": 0})
    remedy = "Start where the formula has a value." if not e.run.steps else (
        "Take a smaller lr, or method='newton', whose steps stay inside; or write the parameter so that it cannot "
        "leave, as exp(u) for a positive one."
    )  # fmt: skip
    return Finding("left_domain", f"{e.run.message}{before}.", remedy, {"step": e.run.steps})


def saddle(e: Evidence) -> Finding | None:
    """Tell that the run stopped at a saddle or on the wrong kind of extremum, and the way out."""
    kind = e.run.kind
    wrong = Kind.MINIMUM if e.run.maximized else Kind.MAXIMUM
    if kind not in (Kind.SADDLE, wrong) and not _is_degenerate_saddle(e):
        return None
    remedy = "method='newton' leaves it; so does a start beside it, or noise (method='noisy')."
    if not e.affordable:
        return Finding(str(kind), f"The run stopped at a {kind}: {e.run.message}.", remedy, {})
    goes = "rises" if e.run.maximized else "falls"
    if kind == Kind.DEGENERATE:
        way = e.run.verdict.along
        message = (
            f"The run stopped at a saddle, {e.at(e.run.x)}: no curvature shows it, but along {way} the value {goes}."
        )
        return Finding("saddle", message, remedy, {"curvature": 0.0, "direction": way})
    values, vectors = np.linalg.eigh(e.kernel.hessian(e.run.x))
    way = in_names(e.kernel.names, vectors[:, 0])
    bent = e.sign * values[0]
    message = (
        f"The run stopped at a {kind}, {e.at(e.run.x)}: along {way} the curvature is {bent:.6g}, and the value {goes}."
    )
    return Finding(str(kind), message, remedy, {"curvature": float(bent), "direction": way})


def _is_degenerate_saddle(e: Evidence) -> bool:
    """Tell whether the value falls along a way that has no curvature, as at a monkey saddle."""
    return e.run.verdict.falls and e.kernel.n > 1 and e.affordable


def plateau(e: Evidence) -> Finding | None:
    """Tell that the gradient is small without a minimum, or that some direction is not determined at all."""
    run = e.run
    stuck = run.outcome.converged or run.outcome == Outcome.STALLED
    if (
        not stuck
        or _is_degenerate_saddle(e)
        or run.kind not in (Kind.DEGENERATE, Kind.NOT_STATIONARY, Kind.UNKNOWN)
        or not e.affordable
    ):
        return None
    h = e.kernel.hessian(run.x)
    top = float(np.abs(np.linalg.eigvalsh(h)).max()) if np.isfinite(h).all() else math.nan
    numbers = {"gradient_norm": run.gradient_norm, "curvature": top}
    if run.kind == Kind.DEGENERATE and not run.verdict.falls:
        flat = _flat(e)
        if flat is not None:
            return flat
    if run.gradient_norm <= e.gtol:
        message = (
            f"The run is stuck on a plateau: the gradient's norm is {run.gradient_norm:.3g} and no curvature is over "
            f"{top:.3g}, but this is no {'maximum' if run.maximized else 'minimum'}: {run.message}."
        )
        remedy = "method='newton' looks for a way down; or start elsewhere, or from many places: minimize_many."
        return Finding("plateau", message, remedy, numbers)
    remedy = "method='newton' or 'bfgs' may go on; check the formula for kinks and for rounding."
    return Finding("stalled", f"The run came to a stop: {run.message}.", remedy, numbers)


def _flat(e: Evidence) -> Finding | None:
    flat = curvature(e.kernel, e.run.x).flat
    if not flat:
        return None
    remedy = "Fix one of them, or add a small penalty such as 1e-6*sum of squares."
    return Finding("flat", f"The minimum is not one point: {flat[0]}.", remedy, {"directions": len(flat)})


def kink(e: Evidence) -> Finding | None:
    """Tell that the run ended where the gradient jumps."""
    if e.run.kind != Kind.KINK:
        return None
    remedy = (
        "method='bfgs' copes with kinks; with gradient descent let lr decay, or smooth the formula: softplus for relu."
    )
    return Finding("kink", f"The run ended at a kink: {e.run.message}.", remedy, {})


def local_minimum(e: Evidence) -> Finding | None:
    """Tell that another start leads to a lower minimum."""
    run, here = e.run, e.minimum
    if here is None or run.outcome in (Outcome.DIVERGED, Outcome.LEFT_DOMAIN, Outcome.INTERRUPTED):
        return None
    if not _is_near(e) or unstable(e) is not None:
        return None
    points = run.history.point
    size = max(1.0, float(np.abs(here.x).max()), float(np.abs(points[0]).max()) if points.size else 0.0)
    draws = np.random.default_rng(0).uniform(-2.0 * size, 2.0 * size, (OTHERS, e.kernel.n))
    found = [(other, start) for start in [-here.x, *draws] if (other := e.below(start)) is not None]
    inside = [(other, start) for other, start in found if np.abs(other.x).max() <= 4.0 * size]
    other, start = min(inside, key=lambda pair: pair[0].value, default=(here, here.x))
    if not other.value < here.value - 1e-6 * (1.0 + abs(here.value)):
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
    if e.run.ok or not e.first_order or e.minimum is None or e.run.outcome == Outcome.LEFT_DOMAIN:
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
    remedy = (
        "Standardise the columns of data: (x - mean(x))/std(x)." if c.data
        else f"Write {high} as {large:.3g}*u, {low} as {small:.3g}*v."
    )  # fmt: skip
    return Finding("scaling", message, f"{remedy} Or take a method that does not mind: newton, bfgs, adam.", numbers)


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
    schedule = f"{e.lr or 0.1:g}/(1 + t/{10 * max(1, e.kernel.rows // run.batch)})"
    remedy = f"Let lr decay, as by lr='{schedule}', or take larger batches: twice the rows, half the floor."
    return Finding("noise_floor", message, remedy, numbers)
