"""Findings about how fast a run went: learning rates that are too large or too small."""

from __future__ import annotations

import math

import numpy as np

from symgd.curvature import in_names
from symgd.insight.evidence import Evidence
from symgd.run import Finding, Outcome

OVERSHOT = -0.55  # factor along the steepest direction from which on jumping to the other side is worth a word
NEAR_BEST = 0.02  # a learning rate as close as this to the best one is not to blame
PATIENCE = 10.0  # times the steps taken that may remain before a run crawls
GAIN = 5.0  # times fewer steps at another learning rate that make this one too small
LONG = 100  # steps after which a run that has far to go crawls, whatever its learning rate


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
    steepest = e.steepest
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
    steepest = e.steepest
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
