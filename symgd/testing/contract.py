"""What every optimizer owes whoever calls it, whatever it claims to be: properties of steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.records import dataclass
from symgd.testing.adapters.base import Handling, Session, Steps
from symgd.testing.causes.probe import START, STEPS, Script, gradients
from symgd.testing.laws.case import Answer
from symgd.testing.protocol import Setting, Trace
from symgd.testing.report import Counterexample

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """What came of a property: the answer, why, and where it fails."""

    answer: Answer
    why: str = ""
    example: Counterexample | None = None


@dataclass(frozen=True)
class Duty:
    """A property of any optimizer that takes steps.

    Parameters
    ----------
    name : str
        What it is called by.
    claim : str
        What holds.
    check : callable
        Takes the optimizer and settings, and gives an `Outcome`; ``None`` where it does not apply.
    """

    name: str
    claim: str
    check: Callable[[Steps, Mapping[str, Setting]], Outcome | None]


HOLDS = Outcome(Answer.HOLDS)


class Bowl:
    """``sum(L x**2/2)``, in NumPy."""

    def __init__(self, curvature: Any) -> None:
        self.curvature = np.atleast_1d(np.array(curvature, dtype=float))

    def fun(self, x: Any) -> float:
        """Give the value."""
        with np.errstate(over="ignore"):  # far away the value is infinite
            return float(np.sum(self.curvature * np.square(x)) / 2)

    def jac(self, x: Any) -> Array:
        """Give the gradient."""
        return np.array(self.curvature * np.asarray(x))

    def formula(self) -> str:
        """Give it as text."""
        terms = [f"{number(c / 2)}*x{i}**2" for i, c in enumerate(self.curvature, 1)]
        return " + ".join(terms).replace("1*x", "x") if all(c != 0 for c in self.curvature) else "0*x1"


def number(value: float) -> str:
    """Write a number, whole ones as such."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def seeded() -> None:
    """Let all generators that a library shares start anew."""
    import random
    import sys

    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - it is the shared one that somebody's optimizer may draw from
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(0)


class Slope:
    """A linear function.

    Parameters
    ----------
    gradient : ndarray of shape (n,)
        Its gradient.
    """

    def __init__(self, gradient: Array) -> None:
        self.gradient = gradient

    def fun(self, x: Any) -> float:
        """Give the value."""
        return float(self.gradient @ np.asarray(x))

    def jac(self, x: Any) -> Array:  # noqa: ARG002 - it is the same everywhere
        """Give the gradient."""
        return self.gradient.copy()


def scripted(optimizer: Steps, settings: Mapping[str, Setting], handling: Handling = "plain", seed: int = 0) -> Trace:
    """Run an optimizer on gradients that are given; on a bowl where a step asks for more than one."""
    seeded()
    if optimizer.asks_often:
        bowl = Bowl(np.arange(1.0, len(START) + 1) + seed)
        return optimizer.run(bowl, START, STEPS, settings, handling)
    return optimizer.run(Script(gradients(seed)), START, STEPS, settings, handling)


def _same(a: Trace, b: Trace) -> bool:
    return a.points.shape == b.points.shape and np.array_equal(a.points, b.points, equal_nan=True)


# ---- the same again -------------------------------------------------------------------------------------------------


def _deterministic(optimizer: Steps, settings: Mapping[str, Setting]) -> Outcome:
    first = scripted(optimizer, settings)
    if "raised" in first.ended:
        seeded()
        fewer = optimizer.run(Script(gradients()[:, :3]), START[:3], STEPS, settings)
        if "raised" not in fewer.ended:
            why = f"with other parameters than in an earlier run {first.ended}: something outlives the run"
            return Outcome(Answer.FAILS, why)
    scripted(optimizer, settings, seed=7)
    again = scripted(optimizer, settings)
    if _same(first, again):
        return HOLDS
    third = scripted(optimizer, settings)
    why = "a run after another one goes elsewhere: something outlives the run, such as a default argument or a global"
    if not _same(third, again):
        why = "runs from the same start, with the same seed, go elsewhere; it draws, or something outlives a run"
    return Outcome(Answer.FAILS, why, _twice(settings))


def _twice(settings: Mapping[str, Setting]) -> Counterexample:
    more = "".join(f", {k}={v!r}" for k, v in settings.items())
    again = f"again = sg.testing.iterates(optimizer, 'x1**2', start=[1], steps=3{more})"
    shown = "a second run differs from the first"
    return Counterexample("x1**2", (1.0,), 3, settings, "np.array_equal(points, again)", shown, again)


# ---- whose arrays these are -----------------------------------------------------------------------------------------


def _session(optimizer: Steps, settings: Mapping[str, Setting], steps: int = 4) -> Session | None:
    seeded()
    try:
        session = optimizer.begin(START, settings)
        script = Script(gradients())
        for _ in range(steps):
            session.step(script)
    except Exception:  # noqa: BLE001 - what somebody's code raises is told elsewhere
        return None
    return session


def _arguments(optimizer: Steps, settings: Mapping[str, Setting]) -> Outcome | None:
    session = _session(optimizer, settings)
    changed = getattr(session, "changed", None)
    if not isinstance(changed, dict):
        return None
    if changed["g"]:
        return Outcome(Answer.FAILS, "the step changes the gradient's array, which belongs to the caller: take a copy")
    if changed["x"] and not getattr(session, "returned_same", True):
        return Outcome(Answer.FAILS, "the step changes the point's array and gives back another one: do one of the two")
    return HOLDS


def _aliases(optimizer: Steps, settings: Mapping[str, Setting]) -> Outcome | None:
    if optimizer.style not in ("step", "torch"):
        return None
    session = _session(optimizer, settings)
    if session is None:
        return None
    held = list(session.held())
    for place, whose, changed in held:
        if whose == "x" and changed:
            why = f"{place} is the point's own array, which the step then changes: what it kept is lost; keep a copy"
            return Outcome(Answer.FAILS, why)
    plain, copied = scripted(optimizer, settings), scripted(optimizer, settings, "copies")
    if not _same(plain, copied):
        why = "it goes elsewhere where it is handed copies of the point: it relies on an array being the same one"
        return Outcome(Answer.FAILS, why)
    buffered = scripted(optimizer, settings, "buffer")
    if not _same(plain, buffered):
        kept = next((place for place, whose, _ in held if whose == "g"), "its state")
        why = (
            f"{kept} is the gradient's own array: where a caller reuses its memory, what was kept changes; keep a copy"
        )
        return Outcome(Answer.FAILS if optimizer.style == "torch" else Answer.UNDECIDED, why)
    return HOLDS


def _double(optimizer: Steps, settings: Mapping[str, Setting]) -> Outcome | None:
    """Look for numbers that have been through single precision."""
    if optimizer.rounding > 2.0**-50:
        return None
    session = _session(optimizer, settings)
    narrow = getattr(session, "narrow", None)
    if narrow is not None and (found := narrow()):
        return Outcome(Answer.FAILS, f"{found} has single precision, the parameters have double")
    trace = scripted(optimizer, settings)
    points = trace.points[1:]
    moved = points[:, np.any(points != START, axis=0)]
    narrowed = bool(moved.size and np.isfinite(moved).all()) and np.array_equal(moved.astype(np.float32), moved)
    if not narrowed or np.array_equal(np.round(moved, 4), moved):  # whole numbers are as good in single precision
        return HOLDS
    shown = "all digits beyond the seventh are lost"
    claim = "points[-1][0] != np.float32(points[-1][0])"
    example = Counterexample("x1**2", (1 / 3,), 1, settings, claim, shown)
    return Outcome(Answer.FAILS, "points come back in single precision", example)


# ---- where it goes --------------------------------------------------------------------------------------------------


def _rests(optimizer: Steps, settings: Mapping[str, Setting]) -> Outcome:
    """With gradients that are 0 nothing moves: the start is a minimizer of a constant."""
    for start in ((0.0, 0.0, 0.0, 0.0), (1.0, -2.0, 1.0, 3.0)):
        seeded()
        trace = optimizer.run(Bowl([0.0] * 4), np.array(start), 20, settings)
        if trace.unable:
            return Outcome(Answer.UNDECIDED, trace.unable)
        still = np.array_equal(trace.points, np.broadcast_to(trace.points[0], trace.points.shape))
        if still and "raised" not in trace.ended:
            continue
        if still:
            example = Counterexample("0*x1", (start[0],), 5, settings, "len(points) == 6", trace.ended)
            return Outcome(Answer.FAILS, f"with a gradient of 0, {trace.ended}", example)
        if known := _reason_to_move(trace.points):
            return Outcome(Answer.UNDECIDED, known)
        finite = np.isfinite(trace.points).all()
        why = "with a gradient of 0 it moves" if finite else "with a gradient of 0 the point becomes nan: 0/0"
        example = Counterexample("0*x1", (start[0],), 5, settings, f"(points == {number(start[0])}).all()", why)
        return Outcome(Answer.FAILS, why, example)
    return HOLDS


def _reason_to_move(points: Array) -> str:
    """Say what else than a mistake moves a point at which the gradient is 0: decay, or noise."""
    if not np.isfinite(points).all():
        return ""
    if points[0].all():
        share = points[1] / points[0]
        if np.allclose(share, share[0], rtol=1e-9) and 0 < share[0] < 1:
            return "with a gradient of 0 the point falls towards 0: it has weight decay"
    signs = np.sign(np.diff(points, axis=0))
    to_and_fro = (signs > 0).any(axis=0) & (signs < 0).any(axis=0)
    if to_and_fro.all() and len(np.unique(np.diff(points, axis=0))) > points.size // 2:
        return "with a gradient of 0 it goes to and fro: noise, where it draws (claims=['stochastic'])"
    return ""


def _falls(optimizer: Steps, settings: Mapping[str, Setting]) -> Outcome:
    """On a slope it goes down, by every parameter."""
    for slope in (1.0, -0.01):
        seeded()
        g = slope * np.array([1.0, 2.0, 3.0, 4.0])
        trace = optimizer.run(Slope(g), np.zeros(4), 50, settings)
        if trace.unable:
            return Outcome(Answer.UNDECIDED, trace.unable)
        still = (trace.points == trace.points[0]).all(axis=0)
        if still.any() and not still.all():
            k = int(np.argmax(still)) + 1
            formula = " + ".join(f"{number(v)}*x{i}" for i, v in enumerate(g, 1))
            why = f"on the slope {formula} the parameter x{k} does not move"
            claim = f"points[-1][{k - 1}] != 0"
            return Outcome(Answer.FAILS, why, Counterexample(formula, (0.0,) * 4, 50, settings, claim, why))
        down = (trace.points - trace.points[0]) @ g
        if not (down < 0).any():
            up = bool((down > 0).any())
            why = "on a slope it goes up" if up else f"on a slope it does not move ({trace.ended or 'in 50 steps'})"
            formula = f"{number(slope)}*x1" if slope != 1 else "x1"
            claim = f"{number(slope)}*points[-1][0] < 0" if slope != 1 else "points[-1][0] < 0"
            return Outcome(Answer.FAILS, why, Counterexample(formula, (0.0,), 50, settings, claim, why))
    return HOLDS


def _finite(optimizer: Steps, settings: Mapping[str, Setting]) -> Outcome | None:
    """Gradients of usual sizes, and 0 among them, give finite points."""
    if optimizer.asks_often:
        return None
    for size in (1.0, 1e-10, 1e10):
        seeded()
        drawn = np.where(np.abs(gradients()) > 0.05, gradients(), 0.0)[:, :4] * size
        trace = optimizer.run(Script(drawn), np.array([1.0, -2.0, 3.0, 0.0]), STEPS, settings)
        if trace.unable:
            return Outcome(Answer.UNDECIDED, trace.unable)
        if not np.isfinite(trace.points).all() or "raised" in trace.ended:
            return Outcome(
                Answer.FAILS, f"gradients of size {size:g}, some of them 0: {trace.ended or 'a point is nan'}"
            )
    return HOLDS


_CURVATURES = (1.0, 0.1, 10.0, 1e-2, 100.0, 1e-3, 1e3, 1e-4, 1e4, 1e-6, 1e6)
_RADII = (1.0, 0.1, 10.0, 1e-2, 1e-3, 1e2, 1e-4)


def _converges(optimizer: Steps, settings: Mapping[str, Setting]) -> Outcome:
    """Some bowl is the right one for its learning rate; there it comes near the bottom."""
    best = np.inf
    for radius in _RADII:
        for curvature in _CURVATURES:
            seeded()
            bowl = Bowl([curvature, curvature / 2])
            start = np.array([radius, -radius])
            trace = optimizer.run(bowl, start, 60, settings)
            if trace.unable:
                return Outcome(Answer.UNDECIDED, trace.unable)
            share = min(bowl.fun(p) for p in trace.points) / bowl.fun(start)
            if share < 0.5:
                trace = optimizer.run(bowl, start, 600, settings)
                share = min(bowl.fun(p) for p in trace.points[-60:]) / bowl.fun(start)
            best = min(best, share if np.isfinite(share) else np.inf)
            if best < 1e-2:
                return HOLDS
    if best < 0.999:
        why = f"it comes nearer, but slowly: in 600 steps {best:.2g} of the start's value is left, at best"
        return Outcome(Answer.UNDECIDED, why)
    lr = settings.get("lr", "its own")
    left = f"(lr: {lr}; at best {best:.2g} of the start's value is left)"
    why = f"on no bowl L*x**2/2, L from 1e-6 to 1e6, does it come near the bottom in 600 steps {left}"
    example = Counterexample("x1**2/2", (1.0,), 600, settings, "abs(points[-1][0]) < 0.1", why)
    return Outcome(Answer.FAILS, why, example)


DUTIES = (
    Duty("repeatable", "a run from the same start goes the same way again", _deterministic),
    Duty("arguments", "what is handed over is not changed", _arguments),
    Duty("aliasing", "what it keeps is its own: it does not matter whose arrays the caller hands over", _aliases),
    Duty("precision", "points and states keep the precision of the parameters", _double),
    Duty("rests", "where the gradient is 0, and has always been, it does not move", _rests),
    Duty("falls", "on a slope it goes down", _falls),
    Duty("finite", "gradients from 1e-10 to 1e10, and 0, give finite points", _finite),
    Duty("converges", "on some bowl it comes near the bottom", _converges),
)
