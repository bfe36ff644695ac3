"""The findings, one function each: ``None``, or what went wrong, with the numbers and the remedy."""

from __future__ import annotations

import math

import numpy as np

from symgd.curvature import in_names
from symgd.diagnosis.evidence import Evidence
from symgd.run import Finding, Kind, Outcome

OVERSHOT = -0.55  # factor along the steepest direction from which on jumping to the other side is worth a word
NEAR_BEST = 0.02  # a learning rate as close as this to the best one is not to blame
PATIENCE = 10.0  # times the steps taken that may remain before a run crawls
GAIN = 5.0  # times fewer steps at another learning rate that make this one too small
LONG = 100  # steps after which a run that has far to go crawls, whatever its learning rate
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
    remedy = "Start where the formula has a value." if not e.run.steps else (
        "Take a smaller lr, or method='newton', whose steps stay inside; or write the parameter so that it cannot "
        "leave, as exp(u) for a positive one."
    )  # fmt: skip
    return Finding("left_domain", f"{e.run.message}{before}.", remedy, {"step": e.run.steps})


def diverged(e: Evidence) -> Finding | None:
    """Tell why values grew: a learning rate over the limit, or an objective without a bound."""
    if e.run.outcome != Outcome.DIVERGED and not _is_falling(e):
        return None
    if e.minimum is None and e.affordable:
        better = "an upper" if e.run.maximized else "a lower"
        message = f"No {'maximum' if e.run.maximized else 'minimum'} was found from the start either: {e.run.message}."
        return Finding("unbounded", message, f"Give the objective {better} bound, or check its sign.", {})
    found = _over_the_limit(e)
    if found is None:
        remedy = "Take a smaller lr, a schedule such as lr='0.1/(1 + t/100)', or method='newton'."
        return Finding("diverged", f"The run diverged: {e.run.message}.", remedy, {})
    words, numbers = found
    return Finding("diverged", f"The run diverged: {words}.", _lower(e, numbers["limit"]), numbers)


def _is_falling(e: Evidence) -> bool:
    """Tell whether a run that was cut short went down at a pace that never slackened, with no minimum in sight."""
    rate = e.measured_rate
    if e.run.outcome not in (Outcome.MAX_STEPS, Outcome.TIME_LIMIT) or e.run.batch is not None or rate is None:
        return False
    straight = rate >= 1 - 1e-12 and bool((np.diff(e.values) < 0).all())
    return straight and e.affordable and e.minimum is None


def _over_the_limit(e: Evidence) -> tuple[str, dict[str, float]] | None:
    """Tell at which point the learning rate is over the rule's limit."""
    if e.map is None or e.lr is None:
        return None
    places = []
    if e.minimum is not None and len(e.eigenvalues):
        places.append((float(e.eigenvalues[-1]), e.minimum.x))
    steepest = e.steepest()
    if steepest is not None:
        places.append(steepest)
    for top, x in places:
        # At the limit itself nothing fades; rounding decides.
        if top > 0 and e.lr >= e.limit(top) * (1 - 1e-9):
            numbers = {"lr": e.lr, "limit": e.limit(top), "lambda_max": top}
            verb = "is at" if e.lr <= e.limit(top) * (1 + 1e-9) else "is over"
            return f"lr={e.lr:g} {verb} the limit {e.limit_in_words(top)} at {e.at(x)}", numbers
    return None


def _factor(value: float) -> str:
    """Write what a step leaves; next to 1, so that the difference shows."""
    return f"{value:.4g}" if abs(1.0 - abs(value)) >= 1e-3 else f"{value:.10g}"


def _lower(e: Evidence, limit: float) -> str:
    best = ""
    if e.best is not None and e.best[0] < limit:
        leaves = f"each step leaves {_factor(e.best[1])} of the error" if e.best[1] > 1e-12 else "it takes one step"
        best = f"; {e.best[0]:.6g} is best there: {leaves}"
    return f"Take lr below {limit:.6g}{best}. A schedule that decays, or method='newton', does without the limit."


def flips(e: Evidence) -> Finding | None:
    """Tell that the run jumps between two points for ever."""
    points = e.consecutive[-6:]
    if len(points) < 5 or not np.isfinite(points).all():
        return None
    once = np.linalg.norm(np.diff(points, axis=0), axis=1)
    twice = np.linalg.norm(points[2:] - points[:-2], axis=1)
    size = 1e-9 * (1.0 + float(np.abs(points).max()))
    if not (once > size).all() or not (twice <= 1e-6 * once[1:]).all():
        return None
    found = _over_the_limit(e)
    why = f": {found[0]}" if found else ""
    message = f"The run flips between {e.at(points[-2])} and {e.at(points[-1])} without progress{why}."
    numbers = found[1] if found else {}
    return Finding("flips", message, _lower(e, numbers["limit"]) if found else "Take a smaller lr.", numbers)


def unstable(e: Evidence) -> Finding | None:
    """Tell that values rise again and again because steps are too long for part of the way."""
    if not e.plain or e.run.ok or e.run.batch is not None or e.lr is None or e.run.outcome == Outcome.DIVERGED:
        return None
    values = e.values[np.isfinite(e.values)]
    rises = int(np.count_nonzero(np.diff(values) > 1e-9 * np.abs(values[1:])))
    if rises < 2:
        return None
    steepest = e.steepest()
    if steepest is None or not steepest[0] > 0 or e.lr < e.limit(steepest[0]):
        return None
    top, x = steepest
    numbers = {"rises": rises, "lr": e.lr, "limit": e.limit(top), "lambda_max": top}
    went = "fell" if e.run.maximized else "rose"
    message = (
        f"The run is unstable: the value {went} in {rises} of {len(values) - 1} steps, for lr={e.lr:g} is over the "
        f"limit {e.limit_in_words(top)} at {e.at(x)}."
    )
    return Finding("unstable", message, _lower(e, e.limit(top)), numbers)


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
    names = e.kernel.program.layout.names
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
    remedy = f"lr={1 / high:.6g} does not overshoot."
    if len(e.eigenvalues) > 1:
        slower = f", but leaves {_factor(1 - low / high)} of the error a step" if 1 - low / high > abs(across) else ""
        fastest = f"; {best:.6g} is fastest here, {_factor(e.best[1])}" if e.best else ""
        cure = f"momentum, scaled parameters or method='newton' cope with the condition {high / low:.4g}"
        remedy = f"lr={1 / high:.6g} does not overshoot{slower}{fastest}; {cure}."
    return Finding("zigzag", message, remedy, numbers)


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


def crawling(e: Evidence) -> Finding | None:
    """Tell that the run is far from its end, and how many steps remain."""
    run, rate = e.run, e.measured_rate
    if run.outcome not in (Outcome.MAX_STEPS, Outcome.TIME_LIMIT, Outcome.CONVERGED_VALUE, Outcome.CONVERGED_STEP):
        return None
    if run.batch is not None:
        return _crawling_epochs(e)
    if e.noisy or run.ok or rate is None or rate >= 1 or not run.steps:
        return None
    if e.remaining < PATIENCE * run.steps or unstable(e) is not None:
        return None
    quicker = _quicker(e, rate)
    if run.steps < LONG and (quicker is None or quicker[1] < GAIN):
        return None
    numbers = {"rate": rate, "remaining": e.remaining, "gradient_norm": run.gradient_norm}
    message = (
        f"The run crawls: a step leaves {rate:.6g} of the gradient; at this rate {_count(e.remaining)} more steps "
        f"remain until its norm is {e.gtol:g}."
    )
    newton = (
        "method='newton', which needs a few steps" if e.affordable else "method='lbfgs', which needs far fewer steps"
    )
    remedy = f"Take {newton}."
    if quicker is not None and quicker[1] >= 1.5:
        steps = e.remaining / quicker[1]
        remedy = f"Take lr={quicker[0]:.6g}, for {_count(steps)} step{'s' if steps > 1 else ''}; or {newton}."
    return Finding("crawling", message, remedy, numbers)


def _crawling_epochs(e: Evidence) -> Finding | None:
    """Tell the same of a run in batches, by what is above the minimum after each epoch."""
    epochs = e.run.history.epoch
    if epochs is None or e.minimum is None or e.run.ok or len(e.values) < 6 or not np.isfinite(e.values).all():
        return None
    half = slice(len(e.values) // 2, None)
    over, at = e.values[half] - e.minimum.value, epochs[half]
    if not (over > 0).all() or np.count_nonzero(np.diff(over) < 0) < 0.9 * (len(over) - 1):
        return None
    rate = (over[-1] / over[0]) ** (1.0 / float(at[-1] - at[0]))
    # To a thousandth of what there was to gain: closer, the noise of batches decides.
    first = float(e.values[0] - e.minimum.value)
    remaining = math.log(1e-3 * first / over[-1]) / math.log(rate) if over[-1] > 1e-3 * first else 0.0
    if remaining < 3.0 * float(epochs[-1]):
        return None
    message = (
        f"The run crawls: an epoch leaves {rate:.4g} of what is above the minimum {e.sign * e.minimum.value:.6g}; "
        f"at this rate {_count(remaining)} more epochs remain until a thousandth of it is left."
    )
    remedy = "Take a larger lr, decaying if need be, momentum, or method='adam'."
    return Finding("crawling", message, remedy, {"rate": rate, "remaining": remaining})


def _quicker(e: Evidence, rate: float) -> tuple[float, float] | None:
    """Give the best learning rate, and how many times fewer steps it needs."""
    if e.best is None:
        return None
    lr, best = e.best
    return lr, math.log(max(best, 1e-16)) / math.log(rate)


def _count(steps: float) -> str:
    return f"{max(1, math.ceil(steps)):,}" if steps < 1e15 else f"{steps:.1e}"


def saddle(e: Evidence) -> Finding | None:
    """Tell that the run stopped at a saddle or on the wrong kind of extremum, and the way out."""
    kind = e.run.kind
    wrong = Kind.MINIMUM if e.run.maximized else Kind.MAXIMUM
    if kind not in (Kind.SADDLE, wrong):
        return None
    remedy = "method='newton' leaves it; so does a start beside it, or noise (method='noisy')."
    if not e.affordable:
        return Finding(str(kind), f"The run stopped at a {kind}: {e.run.message}.", remedy, {})
    values, vectors = np.linalg.eigh(e.kernel.hessian(e.run.x))
    way = in_names(e.kernel.program.layout.names, vectors[:, 0])
    goes = "rises" if e.run.maximized else "falls"
    bent = e.sign * values[0]
    message = (
        f"The run stopped at a {kind}, {e.at(e.run.x)}: along {way} the curvature is {bent:.6g}, and the value {goes}."
    )
    return Finding(str(kind), message, remedy, {"curvature": float(bent), "direction": way})


def plateau(e: Evidence) -> Finding | None:
    """Tell that the gradient is small without a minimum, or that some direction is not determined at all."""
    run = e.run
    stuck = run.outcome.converged or run.outcome == Outcome.STALLED
    if not stuck or run.kind not in (Kind.DEGENERATE, Kind.NOT_STATIONARY, Kind.UNKNOWN) or not e.affordable:
        return None
    h = e.kernel.hessian(run.x)
    top = float(np.abs(np.linalg.eigvalsh(h)).max()) if np.isfinite(h).all() else math.nan
    numbers = {"gradient_norm": run.gradient_norm, "curvature": top}
    if run.kind == Kind.DEGENERATE and "falls" not in run.message:
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
    from symgd.curvature import curvature

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
    inside = [(other, start) for other, start in found if _inside(other.x, 4.0 * size)]
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


def _inside(x: np.ndarray, size: float) -> bool:
    return bool(np.abs(x).max() <= size)


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


# In the order in which they are told. What stands in the first group explains everything; nothing is added to it.
ENDED = (left_domain, diverged, flips)
OTHER = (scaling, unstable, zigzag, crawling, saddle, plateau, kink, local_minimum, noise_floor)
