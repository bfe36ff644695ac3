"""Which published optimizer somebody's optimizer is; or which one it would be but for one slip of the pen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from functools import cache

import numpy as np

from symgd.records import dataclass
from symgd.testing.adapters import names
from symgd.testing.adapters.base import DOUBLE, Steps
from symgd.testing.causes.catalogue import Form, forms
from symgd.testing.causes.edits import Slip
from symgd.testing.causes.fit import Fitted, fit, is_share, tolerance, with_numbers
from symgd.testing.causes.neighbours import Neighbour, neighbours
from symgd.testing.causes.probe import START, gradients, observe
from symgd.testing.causes.recurrence import Observed, Recurrence
from symgd.testing.protocol import Setting

SINGLE = 2.0**-24
_DIGITS = 3e-6  # to which rounding to single precision lets a few dozen steps agree
_LRS = (0.05, 0.2)  # two learning rates, where they can be set: what is proportional at both is no accident
# Seldom written, and with many neighbours: looked at where `like` says so.
_RARE = frozenset({"nesterov_convex", "fista", "ogm", "triple", "item"})
_NEAR = 16  # forms whose neighbours are looked at, where nothing says which optimizer it is meant to be

# What a design of its own may be as well as a slip: told as the cause where a claim fails, and otherwise not held
# against an optimizer that claims nothing.
DOUBTFUL = frozenset({Slip.WHOLE, Slip.SCALED, Slip.START, Slip.UNSCALED, Slip.COUPLED, Slip.DECOUPLED})


@dataclass(frozen=True)
class Identity:
    """What an optimizer was found to be.

    Parameters
    ----------
    form : Form or None
        The published form that it agrees with, but for the slip.
    fitted : Fitted or None
        How well, and with which numbers.
    slip : Neighbour or None
        What would have to be mended.
    unseen : str
        Why nothing could be compared, as a clause.
    nearest : Form or None
        The form that comes nearest, where none agrees.
    digits : bool
        Whether it agrees to the digits of single precision only.
    scale : float
        Its learning rate in terms of the form's; 1 where it is not known.
    proportional : bool
        Whether that is so for other learning rates as well.
    odd : mapping of str to (float, float)
        Hyperparameters that it does not use as it says: what it says, and what it does.
    """

    form: Form | None = None
    fitted: Fitted | None = None
    slip: Neighbour | None = None
    unseen: str = ""
    nearest: Form | None = None
    digits: bool = False
    scale: float = 1.0
    proportional: bool = True
    odd: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def agrees(self) -> bool:
        """Whether it is a published optimizer as it stands."""
        return self.form is not None and self.slip is None


Tick = Callable[..., None]


def quiet(done: int, note: str = "") -> None:
    """Show no progress."""


class _Case:
    """Two observations of an optimizer, and what it says of its numbers."""

    def __init__(self, optimizer: Steps, given: Mapping[str, Setting]) -> None:
        self.optimizer = optimizer
        self.rounding = optimizer.rounding
        self.limit = tolerance(self.rounding)
        self.given = dict(given)
        self.known: dict[str, float] = {**optimizer.known}
        self.known.update({k: float(v) for k, v in given.items() if not isinstance(v, str)})
        lrs = _LRS if "lr" in optimizer.settable and "lr" not in given else (None, None)
        own = {k: v for k, v in given.items() if k in optimizer.settable and (optimizer.scheduled or k in self.known)}
        self.settings: list[dict[str, Setting]] = [{**own, **({} if lr is None else {"lr": lr})} for lr in lrs]
        self.seen = [observe(optimizer, s, seed) for seed, s in enumerate(self.settings)]

        self.decays = True  # whether the point itself may have a part in the steps

    def lr(self, which: int) -> Setting | None:
        """Give the learning rate of an observation, as far as it is known."""
        return self.settings[which].get("lr", self.given.get("lr", self.known.get("lr")))

    def fixed(self, form: Form, *, all_known: bool) -> dict[str, Setting]:
        """Give the numbers that are known: all that it says, or the learning rate alone."""
        out: dict[str, Setting] = {}
        if all_known:
            out |= names.translated(form.method, form.hyper, self.known)
            out |= {k: v for k, v in self.given.items() if k in form.hyper}
        if form.hyper.get("decay") == 0 and not self.decays:
            out["decay"] = 0.0
        lr = self.lr(0)
        return out if lr is None else {**out, "lr": lr}


def identify(
    optimizer: Steps, like: Sequence[Form] | None = None, given: Mapping[str, Setting] | None = None,
    tick: Tick = quiet,
) -> Identity:  # fmt: skip
    """Find out which published optimizer something is.

    Parameters
    ----------
    optimizer : Steps
        What takes the steps.
    like : sequence of Form, optional
        What it is meant to be; by default any published form.
    given : mapping
        Numbers that are said of it; where they can be set they are.
    tick : callable
        Shows progress.

    Returns
    -------
    Identity
    """
    case = _Case(optimizer, given or {})
    seen = case.seen[0]
    if isinstance(seen, str):
        return Identity(unseen=seen)
    candidates = list(like) if like is not None else _plausible(optimizer, case)
    candidates = [f for f in candidates if f.style in ("", optimizer.style)]
    first = candidates[0] if like else None
    found = _agreeing(case, seen, candidates)
    if found is not None:
        return found
    tick(1)
    if case.rounding == DOUBLE and (found := _in_single(case, seen, candidates)) is not None:
        return found
    tick(2)
    ranked = _ranked(case, seen, candidates) if like is None else candidates
    said = set(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", optimizer.name).lower()))
    passes = (False,) if case.lr(0) is None else (True,) if "lr" in optimizer.settable else (True, False)
    for with_lr in passes:
        for k, form in enumerate(ranked):
            tick(3 + k, form.method)
            meant = like is not None or form.method in said
            found = _slipped(case, seen, form, with_lr=with_lr, every=meant)
            if found is not None:
                return found
        if with_lr:
            found = _agreeing(case, seen, candidates, with_lr=False)
            if found is not None:
                return found
    return Identity(nearest=first or (ranked[0] if ranked else None))


# ---- which forms come into question --------------------------------------------------------------------------------


def _plausible(optimizer: Steps, case: _Case) -> list[Form]:
    """Give the forms whose answer to a larger gradient is that of the optimizer, those that its name says first."""
    seen = case.seen[0]
    assert isinstance(seen, Observed)
    said = "".join(c for c in optimizer.name.lower() if c.isalnum())
    hint = {"sgd": "gd", "heavyball": "momentum"}

    def rank(form: Form) -> int:
        method = form.method.replace(" ", "")
        if method == said or hint.get(said) == method:
            return 0
        return 1 if len(method) > 3 and method in said else 2

    case.decays = _decays(optimizer, case)
    kept = [f for f in forms() if case.decays or not f.hyper.get("decay")]
    return sorted(kept, key=rank)


def _decays(optimizer: Steps, case: _Case) -> bool:
    """Say whether the point itself, and not only where it moves, has a part in the steps."""
    seen = case.seen[0]
    assert isinstance(seen, Observed)
    moved = observe(optimizer, case.settings[0], 0, seen.points[0] * 1.5 + 1)
    if isinstance(moved, str):
        return True
    steps = min(seen.steps, moved.steps)
    a, b = (np.diff(o.points[: steps + 1], axis=0) for o in (seen, moved))
    scale = np.abs(a).max(axis=0) + 64 * case.rounding * (
        np.abs(seen.points).max(axis=0) + np.abs(moved.points).max(axis=0)
    )
    return bool((np.abs(a - b) > 1e-6 * scale + 64 * case.rounding * np.abs(moved.points).max(axis=0)).any())


def _ranked(case: _Case, seen: Observed, candidates: Iterable[Form]) -> list[Form]:
    """Put forms in order: those whose steps grow with the gradient as the optimizer's do, by how near they come.

    Among those that come equally near, what is written most often is short. Those whose numbers have the same names as
    the optimizer's own are looked at though they grow otherwise, since a slip may be the reason.
    """
    grows = _growth(lambda factor: observe(case.optimizer, case.settings[0], 0, factor=factor))

    def key(form: Form) -> tuple[bool, float]:
        return not abs(_form_growth(form) - grows) < 0.1, _roughly(case, seen, form) + len(form.text) / 1000

    def named(form: Form) -> bool:
        said = names.translated(form.method, form.hyper, case.known)
        return bool(said) and 2 * len(said) >= len(form.hyper)

    kept = sorted((f for f in candidates if (f.table or f.common) and f.method not in _RARE), key=key)
    first = [f for f in kept if not key(f)[0]]
    alike = [f for f in kept if key(f)[0] and named(f)]
    return list({id(f): f for f in [*first, *alike[:4], *kept]}.values())[:_NEAR]


def _roughly(case: _Case, seen: Observed, form: Form) -> float:
    """Give the mean difference in direction of the steps from a form's with its usual numbers."""
    points = form.recurrence()(seen, {"lr": 0.01, **form.hyper, **case.fixed(form, all_known=True)})[:, 0]
    a, b = (np.diff(np.vstack([seen.points[:1], p]), axis=0) for p in (seen.points[1:], points))
    with np.errstate(all="ignore"):
        a, b = (s / np.sqrt(np.sum(s**2, axis=0)) for s in (a, b))
        apart = np.sum((a - b) ** 2, axis=0)
    return float(np.mean(apart[np.isfinite(apart)])) if np.isfinite(apart).any() else 4.0


def _growth(run: Callable[[float], Observed | str]) -> float:
    """Give the power of the gradient's size that steps grow with: 1 for gradient descent, 0 for Adam."""
    both = run(1.0), run(16.0)
    if any(isinstance(o, str) for o in both):
        return np.nan
    sizes = [float(np.abs(o.points[1:4, :2] - o.points[0, :2]).sum()) for o in both if isinstance(o, Observed)]
    with np.errstate(all="ignore"):
        return float(np.log(sizes[1] / sizes[0]) / np.log(16.0))


@cache
def _form_growth(form: Form) -> float:
    rule, drawn = form.recurrence(), gradients()[:4]

    def run(factor: float) -> Observed:
        start = np.broadcast_to(START, (5, len(START)))
        seen = Observed(start, drawn * factor, np.ones(4))
        return Observed(np.vstack([START[None], rule(seen, {"lr": 1e-3, **form.hyper})[:, 0]]), drawn, np.ones(4))

    return _growth(run)


# ---- forms as they stand --------------------------------------------------------------------------------------------


def _agreeing(case: _Case, seen: Observed, candidates: Iterable[Form], *, with_lr: bool = True) -> Identity | None:
    """Give the first form that agrees: with all numbers as they are said, then with others."""
    candidates = list(candidates)
    for all_known in (True, False):
        for form in candidates:
            fixed = case.fixed(form, all_known=all_known)
            if all_known and not names.translated(form.method, form.hyper, case.known) and form.hyper:
                continue
            if not with_lr:
                if not form.table:  # with a free learning rate, what has many numbers agrees with much
                    continue
                fixed.pop("lr", None)
            found = fit(form.recurrence(), seen, fixed, case.rounding)
            if found.error <= case.limit and _sensible(found):
                confirmed = _confirmed(case, Identity(form, found), form.recurrence())
                if confirmed is not None:
                    return confirmed
    return None


def _sensible(found: Fitted) -> bool:
    """Refuse numbers that make another method of it: weights of averages next to 0 or 1, decay without effect."""
    for name in found.free:
        value = float(found.hyper[name])
        if is_share(name) and not 1e-5 < value < 1 - 1e-7:
            return False
        if name == "decay" and value < 1e-9:
            return False
        if name in ("eps", "root") and not (1e-13 if "root" in found.free else 0) <= value < 1.5:
            return False
    return True


def _usual(found: Fitted) -> bool:
    """Tell numbers that somebody may have chosen from those of a fluke."""
    for name in found.free:
        value = float(found.hyper[name])
        if (is_share(name) and not 0.2 < value < 0.99999) or (name in ("eps", "root") and value > 2e-3):
            return False
    return True


def _confirmed(case: _Case, found: Identity, rule: Recurrence) -> Identity | None:
    """Look whether it agrees on other gradients, and at another learning rate, with the same numbers."""
    assert found.fitted is not None
    other = case.seen[1]
    if isinstance(other, str):
        return found
    hyper = dict(found.fitted.hyper)
    before, after = case.lr(0), case.lr(1)
    free = "lr" in found.fitted.free
    scale, proportional = 1.0, True
    if "lr" in hyper and isinstance(before, float) and isinstance(after, float):
        scale = float(hyper["lr"]) / before
        hyper["lr"] = after * scale
    elif "lr" in hyper and not free and after is not None:
        hyper["lr"] = after
    again = with_numbers(rule, other, hyper, case.rounding)
    if again.error > 10 * case.limit:
        hyper.pop("lr", None)
        again = fit(rule, other, hyper, case.rounding, [{}])
        if again.error > 10 * case.limit:
            return None
        proportional = False
    odd = {}
    if found.form is not None and found.slip is None:
        said = names.translated(found.form.method, found.form.hyper, case.known)
        odd = {k: (v, float(found.fitted.hyper[k])) for k, v in said.items()
               if k in found.fitted.free and abs(float(found.fitted.hyper[k]) - v) > 1e-4 * abs(v)}  # fmt: skip
    return replace(found, scale=scale, proportional=proportional, odd=odd)


def _in_single(case: _Case, seen: Observed, candidates: Iterable[Form]) -> Identity | None:
    """Give the form that agrees to the digits of single precision, and no further."""
    for form in candidates:
        fixed = case.fixed(form, all_known=False)
        found = fit(form.recurrence(), seen, fixed, SINGLE)
        if found.error <= _DIGITS and _sensible(found):
            return Identity(form, found, digits=True)
    return None


# ---- forms with a slip ----------------------------------------------------------------------------------------------


def _slipped(case: _Case, seen: Observed, form: Form, *, with_lr: bool, every: bool) -> Identity | None:
    """Give the neighbour of a form that agrees."""
    rule = form.recurrence()
    fixed = case.fixed(form, all_known=True)
    if not with_lr:
        fixed.pop("lr", None)
    base = fit(rule, seen, {k: v for k, v in fixed.items() if k == "lr"}, case.rounding)
    usual = {k: float(v) for k, v in {**form.hyper, **fixed}.items() if not isinstance(v, str)}
    near = [usual]
    if np.isfinite(base.error) and _sensible(base):
        near.append({k: float(v) for k, v in base.hyper.items() if not isinstance(v, str)})
    doubtful: Identity | None = None
    schedule = fixed.get("lr")
    for neighbour in _with_schedule(rule, schedule):
        if neighbour.rule.precision != "double":
            continue
        numbers = {
            k: v for k, v in fixed.items() if k != "lr" or neighbour.slip is not Slip.COUNT or not isinstance(v, str)
        }
        found = fit(neighbour.rule, seen, numbers, case.rounding, near) if _open(neighbour, numbers) else with_numbers(
            neighbour.rule, seen, {**form.hyper, **numbers}, case.rounding)  # fmt: skip
        if found.error > case.limit or not _sensible(found):
            continue
        confirmed = _confirmed(case, Identity(form, found, neighbour), neighbour.rule)
        if confirmed is None:
            continue
        if neighbour.slip not in DOUBTFUL and (every or _usual(found)):
            return confirmed
        doubtful = doubtful or confirmed
    return doubtful if every else None


def _open(neighbour: Neighbour, fixed: Mapping[str, Setting]) -> bool:
    """Say whether there is a number to fit."""
    return any(name not in fixed for name in ("lr", *neighbour.rule.hyper))


def _with_schedule(rule: Recurrence, lr: Setting | None) -> Iterable[Neighbour]:
    """Give the neighbours, those of the schedule among them where there is one."""
    if isinstance(lr, str):
        for moved in ("(t - 1)", "(t + 1)"):
            yield Neighbour(Slip.COUNT, _scheduled(rule, lr, moved), "t", moved[1:-1], f"lr = {lr}")
    yield from neighbours(rule)


def _scheduled(rule: Recurrence, lr: str, moved: str) -> Recurrence:
    from symgd import language as fm
    from symgd.testing.causes.edits import named, substituted

    at = fm.parse(moved, declared=("t",))
    schedule = substituted(fm.parse(lr, declared=("t",)), lambda p: at if p == fm.Name("t") else None)
    return named(rule, "lr", schedule)
