"""Findings about the pace of a run: how it comes down, and where it hangs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from symgd.insight.evidence import Evidence
from symgd.insight.speed import unstable
from symgd.insight.trials import Trial, remedy, typed
from symgd.run import Finding, Outcome

PATIENCE = 10.0  # times the steps taken that may remain before a run crawls
GAIN = 5.0  # times fewer steps at another learning rate that make this one too small
LONG = 100  # steps after which a run that has far to go crawls, whatever its learning rate
CUT = (Outcome.MAX_STEPS, Outcome.TIME_LIMIT, Outcome.CONVERGED_VALUE, Outcome.CONVERGED_STEP)
LOST = 1e-2  # of the whole fall, which lost again is worth a word
FINE, DIGITS = 1e-20, 1e4  # of the whole fall, next to a lowest value of 0; and how many times larger is lost
LATE = 0.9  # of the steps before which the lowest value was passed
SPENT = 1e-3  # of its largest learning rate, below which a schedule has ended
ABOVE = 1e-3  # of the whole fall that is left where a run has not arrived


def crawling(e: Evidence) -> Finding | None:
    """Tell that the run is far from its end, and how many steps remain."""
    run, rate = e.run, e.measured_rate
    if run.outcome not in (Outcome.MAX_STEPS, Outcome.TIME_LIMIT, Outcome.CONVERGED_VALUE, Outcome.CONVERGED_STEP):
        return None
    if run.batch is not None:
        return _crawling_epochs(e)
    if e.noisy or run.ok or rate is None or rate >= 1 or not run.steps:
        return None
    if e.remaining < PATIENCE * run.steps or e.arrived or unstable(e) is not None or spent(e) is not None:
        return None
    power = e.power
    if power is not None:
        return _sublinear(e, power)
    quicker = _quicker(e, rate)
    if run.steps < LONG and (quicker is None or quicker[1] < GAIN):
        return None
    numbers = {"rate": rate, "remaining": e.remaining, "gradient_norm": run.gradient_norm}
    leaves = f"leaves {rate:.6g}" if 1.0 - rate > 1e-5 else f"takes {1.0 - rate:.2g}"
    message = (
        f"The run crawls: a step {leaves} of the gradient; at this rate {_count(e.remaining)} more steps remain until "
        f"its norm is {e.gtol:g}."
    )
    text, change = _faster(e)
    return Finding("crawling", message, text, numbers, change)


def _faster(e: Evidence) -> tuple[str, Mapping[str, Any]]:
    """Say which learning rate, and which method, goes further in as many steps: those that were tried."""
    lr = e.top_lr
    larger = [e.best[0]] if e.best is not None else []
    if lr is not None and lr > 0:
        larger += [times * lr for times in (10.0, 3.0, 100.0, 1e3, 1e4, 1e6)]
    scaled = [e.trials.make(lr=f"{times:g}*({e.recipe['lr']})") for times in (3, 10, 100)] if e.scheduled else []
    trial = best_of(e, scaled) if e.scheduled else e.trials.best_lr(larger, e.floor)
    text, change = remedy([trial, e.trials.best_method()], e.end, e.sign)
    return text or "Nothing that was tried goes further.", change


def best_of(e: Evidence, trials: Iterable[Trial | None]) -> Trial | None:
    """Give the trial that ended lowest, if it is better than the run.

    Parameters
    ----------
    e : Evidence
        What is known of the run.
    trials : iterable of Trial or None
        What was tried.

    Returns
    -------
    Trial or None
    """
    good = [trial for trial in trials if trial is not None and e.trials.better(trial, e.floor)]
    return min(good, key=lambda trial: trial.value, default=None)


def _sublinear(e: Evidence, power: float) -> Finding | None:
    """Tell of a gradient that falls like a power of the steps: there is no factor a step, and no count from one."""
    if e.run.steps < LONG:
        return None
    times = (e.run.gradient_norm / e.gtol) ** (1.0 / power)
    message = (
        f"The run crawls: the gradient falls like t**-{power:.2g}, ever more slowly, as on a tail or into a flat "
        f"minimum; at this pace its norm is {e.gtol:g} after {_count(times)} times as many steps."
    )
    text, change = _faster(e)
    numbers = {"power": power, "times": times, "gradient_norm": e.run.gradient_norm}
    return Finding("crawling", message, text, numbers, change)


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
    text, change = _faster(e)
    return Finding("crawling", message, text, {"rate": rate, "remaining": remaining}, change)


def _quicker(e: Evidence, rate: float) -> tuple[float, float] | None:
    """Give the best learning rate, and how many times fewer steps it needs."""
    if e.best is None:
        return None
    lr, best = e.best
    return lr, math.log(max(best, 1e-16)) / math.log(rate)


def _count(steps: float) -> str:
    return f"{max(1, math.ceil(steps)):,}" if steps < 1e15 else f"{steps:.1e}"


def spent(e: Evidence) -> Finding | None:
    """Tell that the learning rate fell to next to nothing far from the minimum."""
    lrs = e.lrs
    if e.run.ok or not e.scheduled or e.run.outcome != Outcome.MAX_STEPS or len(lrs) < 3 or e.arrived:
        return None
    top = float(lrs.max())
    if not (top > 0 and lrs[-1] <= SPENT * top) or e.values[-1] > e.values[0]:
        return None
    text, change = remedy([best_of(e, others(e)), e.trials.best_method()], e.end, e.sign)
    message = (
        f"The schedule ended far from the minimum: the learning rate fell from {top:.6g} to {lrs[-1]:.3g} while the "
        f"gradient's norm is {e.run.gradient_norm:.3g}."
    )
    numbers = {"lr": top, "last": float(lrs[-1]), "gradient_norm": e.run.gradient_norm}
    return Finding("schedule", message, text or "Let the learning rate fall later.", numbers, change)


def others(e: Evidence) -> Iterator[Trial | None]:
    """Try other learning rates: of a schedule, the same times numbers, and its largest learning rate throughout.

    Parameters
    ----------
    e : Evidence
        What is known of the run.

    Yields
    ------
    Trial or None
    """
    top = e.top_lr
    if e.scheduled:
        for times in (3, 10, 30, 100, 1000, 0.3, 0.1, 0.01):
            yield e.trials.make(lr=f"{times}*({e.recipe['lr']})")
    if top is not None and top > 0:
        for share in (1.0, 3.0, 10.0, 100.0, 0.3, 0.1, 0.01):
            yield e.trials.make(lr=float(typed(share * top)))


def lost(e: Evidence) -> Finding | None:
    """Tell that a value was reached that was lost again, also of a run that ended well enough."""
    values, steps = e.values, e.run.history.step
    if e.run.outcome == Outcome.DIVERGED or not np.isfinite(values).all() or len(values) < 6 or e.batched or e.noisy:
        return None
    place = int(np.argmin(values))
    low, end = float(values[place]), float(values[-1])
    if steps[place] > LATE * steps[-1] or not _is_lost(e, low, end) or unstable(e) is not None:
        return None
    step = int(steps[place])
    lr = e.recipe.get("lr")
    decayed = [e.trials.make(lr=f"{lr}/(1 + t/{max(1, step // share)})") for share in (1, 4)] if e.lr else []
    smaller = e.trials.best_lr([0.3 * e.lr, 0.1 * e.lr], e.floor) if e.lr else None
    stop = e.trials.make(steps=step) if step else None
    text, change = remedy([best_of(e, [*decayed, smaller]) or best_of(e, [stop])], e.end, e.sign)
    message = (
        f"The {'highest' if e.run.maximized else 'lowest'} value, {e.sign * low:.6g}, was reached at step {step:,} and "
        f"lost again: the run ended at {e.sign * end:.6g}."
    )
    numbers = {"value": e.sign * low, "step": step, "end": e.sign * end}
    return Finding("lost", message, text or f"Stop at step {step:,}: steps={step}.", numbers, change)


def _is_lost(e: Evidence, low: float, end: float) -> bool:
    """Tell whether what was lost counts: a share of the whole fall, or, next to a lowest value of 0, most digits."""
    whole = float(e.values[0]) - low
    if whole > 0 and end - low > LOST * whole:
        return not e.run.ok
    bounds = e.kernel.bounds()
    above, last = low - bounds.low, end - bounds.low
    exact = not bounds.low_open and 0.0 <= above <= FINE * whole
    return exact and last > DIGITS * above and last > FINE * whole


def hovering(e: Evidence) -> Finding | None:
    """Tell that steps that do not shrink keep the run moving about its minimum."""
    values = e.values
    if e.run.ok or e.run.outcome != Outcome.MAX_STEPS or e.batched or len(values) < 24 or e.minimum is None:
        return None
    if not np.isfinite(values).all() or e.plain:
        return None
    late = values[len(values) // 2 :]
    over = late - e.minimum.value
    level = float(np.median(over))
    if not level > 1e-14 * float(values[0] - e.minimum.value) or not (over > 0).all():
        return None
    logs = np.log(over)
    trend = float(np.polyfit(np.arange(len(over)), logs, 1)[0]) * len(over)
    ups = np.count_nonzero(np.diff(late) > 0) / (len(late) - 1)
    if abs(trend) > 0.7 or (ups < 0.1 and trend < 0):
        return None
    lr = e.recipe.get("lr")
    tenth = max(1, e.run.steps // 10)
    trials = [e.trials.make(lr=f"{lr}/(1 + t/{n})") for n in (tenth, max(1, tenth // 10))] if e.lr else []
    trials += [e.trials.make(lr=float(typed(share * e.lr))) for share in (0.1, 0.01)] if e.lr else []
    text, change = remedy([best_of(e, trials), e.trials.best_method()], e.end, e.sign)
    message = (
        f"The run hovers {level:.3g} above its minimum {e.sign * e.minimum.value:.6g}: its steps do not shrink with "
        "the gradient."
    )
    numbers = {"floor": level, "lowest": e.sign * e.minimum.value}
    return Finding("hovering", message, text or "Let lr decay.", numbers, change)


def unfinished(e: Evidence) -> Finding | None:
    """Tell that a run is far above what is reached otherwise, where nothing else explains it."""
    run = e.run
    if run.ok or run.outcome == Outcome.INTERRUPTED or run.batch is not None:
        return None
    if e.minimum is not None and e.end - e.minimum.value <= ABOVE * (float(e.values[0]) - e.minimum.value):
        return None
    other = e.trials.best_method()
    rates = best_of(e, others(e)) if e.rule is not None else None
    trial = min((t for t in (rates, other) if t is not None), key=lambda t: t.value, default=None)
    if trial is None or trial.run is None:
        return None
    whole = float(e.values[0]) - trial.value
    if not e.end - trial.value > ABOVE * whole or not whole > 0:
        return None
    text, change = remedy([rates, other], e.end, e.sign)
    top = "highest" if run.maximized else "lowest"
    message = f"The run ended at {e.sign * e.end:.6g}, and not at its {top}: {run.message}."
    return Finding("unfinished", message, text, {"value": e.sign * e.end, "better": e.sign * trial.value}, change)
