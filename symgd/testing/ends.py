"""What every minimizer owes whoever calls it: properties of what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.records import dataclass
from symgd.testing.adapters.minimizer import Minimizer, Solved
from symgd.testing.contract import HOLDS, Bowl, Outcome, seeded
from symgd.testing.laws.case import Answer
from symgd.testing.report import Counterexample

Array = NDArray[np.float64]


@dataclass(frozen=True)
class End:
    """A property of any minimizer.

    Parameters
    ----------
    name : str
        What it is called by.
    claim : str
        What holds.
    check : callable
        Takes the minimizer and the method that it is said to be, and gives an `Outcome`; ``None`` where it does not
        apply.
    """

    name: str
    claim: str
    check: Callable[[Minimizer, str], Outcome | None]


class Tilted(Bowl):
    """A bowl whose axes are not those of the parameters, away from 0, with its Hessian."""

    def __init__(self, matrix: Any, centre: Any, least: float = 0.0) -> None:
        self.matrix = np.array(matrix, dtype=float)
        self.centre = np.array(centre, dtype=float)
        self.least = least

    def fun(self, x: Any) -> float:
        """Give the value."""
        d = np.asarray(x) - self.centre
        return float(d @ self.matrix @ d) / 2 + self.least

    def jac(self, x: Any) -> Array:
        """Give the gradient."""
        return np.asarray(self.matrix @ (np.asarray(x) - self.centre))

    def hess(self, x: Any, *_: Any) -> Array:  # noqa: ARG002 - it is the same everywhere
        """Give the Hessian."""
        return self.matrix.copy()

    def formula(self) -> str:
        """Give it as text, for two parameters."""
        (a, b), (_, d) = self.matrix
        x, y = (f"(x{i} - {c:g})" if c else f"x{i}" for i, c in enumerate(self.centre, 1))
        cross = f" + {b:g}*{x}*{y}" if b else ""
        least = f" + {self.least:g}" if self.least else ""
        return f"{a / 2:g}*{x}**2{cross} + {d / 2:g}*{y}**2{least}".replace("- -", "+ ")


_PROBLEMS = (
    Tilted([[2, 0], [0, 2]], [0, 0]),
    Tilted([[2, 0], [0, 4]], [1, 2], 3.0),
    Tilted([[4, 2], [2, 6]], [-1, 2], -1.0),
    Tilted([[20, 0], [0, 2]], [3, -3]),
)
_STARTS = ((3.0, -2.0), (10.0, 10.0))


def _solved(minimizer: Minimizer, problem: Bowl, start: tuple[float, ...]) -> Solved:
    seeded()
    return minimizer.solve(problem, np.array(start), {})


def _example(
    problem: Tilted, start: tuple[float, ...], shown: str, claim: str = "", steps: int = 1000
) -> Counterexample:
    return Counterexample(problem.formula(), start, steps, {}, claim, shown)


def _repeats(minimizer: Minimizer, _: str) -> Outcome:
    problem = _PROBLEMS[2]
    first = _solved(minimizer, problem, _STARTS[0])
    _solved(minimizer, _PROBLEMS[3], _STARTS[1])
    again = _solved(minimizer, problem, _STARTS[0])
    if first.raised:
        return Outcome(Answer.FAILS, first.raised, _example(problem, _STARTS[0], first.raised))
    if np.array_equal(first.x, again.x, equal_nan=True) and first.slopes == again.slopes:
        return HOLDS
    return Outcome(Answer.FAILS, "a run after another one ends elsewhere: something outlives the run")


def _start(minimizer: Minimizer, _: str) -> Outcome:
    for problem in _PROBLEMS[:2]:
        done = _solved(minimizer, problem, _STARTS[0])
        if not np.array_equal(done.start, _STARTS[0]):
            return Outcome(Answer.FAILS, "the array x0, which belongs to the caller, is changed: take a copy")
    return HOLDS


def _told(minimizer: Minimizer, _: str) -> Outcome | None:
    done = _solved(minimizer, _PROBLEMS[2], _STARTS[0])
    if len(done.copies) < 2:
        return None
    arrays = [(np.asarray(t), c) for t, c in zip(done.told, done.copies, strict=True) if isinstance(t, np.ndarray)]
    if any(not np.array_equal(t, c) for t, c in arrays):
        why = "the points that the callback was handed change afterwards: they are one array; hand over copies"
        return Outcome(Answer.FAILS, why)
    return HOLDS


def _values(minimizer: Minimizer, _: str) -> Outcome | None:
    looked = False
    for problem in _PROBLEMS:
        for start in _STARTS:
            done = _solved(minimizer, problem, start)
            fun, jac = done.get("fun"), done.get("jac")
            if np.isnan(done.x).any():
                continue
            if isinstance(fun, float | int | np.floating):
                looked = True
                true = problem.fun(done.x)
                if abs(float(fun) - true) > 1e-9 * max(1.0, abs(true)):
                    why = f"it says fun={float(fun):.6g} where f(x) is {true:.6g}"
                    return Outcome(Answer.FAILS, why, _example(problem, start, why))
            if isinstance(jac, np.ndarray) and jac.shape == done.x.shape and minimizer.gradients:
                looked = True
                slope = problem.jac(done.x)
                if np.abs(jac - slope).max() > 1e-6 * max(1.0, float(np.abs(problem.jac(np.array(start))).max())):
                    why = f"it says jac={jac} where the gradient at x is {slope}"
                    return Outcome(Answer.FAILS, why, _example(problem, start, why))
    return HOLDS if looked else None


def _counts(minimizer: Minimizer, _: str) -> Outcome | None:
    looked = False
    for problem in _PROBLEMS[:3]:
        done = _solved(minimizer, problem, _STARTS[0])
        for key, true in (("nfev", done.values), ("njev", done.slopes)):
            said = done.get(key)
            if said is None or done.raised:
                continue
            looked = True
            # One more or less is a matter of taste: the evaluation at the start, or the last one.
            if abs(int(said) - true) > 1 + 0.02 * true:
                why = f"it says {key}={said}, and asked {true} times"
                return Outcome(Answer.FAILS, why, _example(problem, _STARTS[0], why))
    return HOLDS if looked else None


def _success(minimizer: Minimizer, _: str) -> Outcome | None:
    """Where it says that it succeeded, it is at the minimizer of a bowl."""
    said_any = False
    for problem in _PROBLEMS:
        for start in _STARTS:
            done = _solved(minimizer, problem, start)
            if done.raised or done.get("success") is None:
                continue
            said_any = True
            away = float(np.abs(done.x - problem.centre).max())
            far = float(np.abs(np.array(start) - problem.centre).max())
            if bool(done.get("success")) and not away <= 1e-2 * far:
                why = f"it says success at {done.x}, and the minimizer is {problem.centre}"
                return Outcome(Answer.FAILS, why, _ended(problem, start, why))
    return HOLDS if said_any else None


def _ended(problem: Tilted, start: tuple[float, ...], why: str) -> Counterexample:
    at = [float(c) for c in problem.centre]
    far = float(np.abs(np.array(start) - problem.centre).max())
    return _example(problem, start, why, f"np.allclose(points[-1], {at}, rtol=0, atol={1e-2 * far:g})")


def _better(minimizer: Minimizer, _: str) -> Outcome:
    for problem in _PROBLEMS:
        for start in _STARTS:
            done = _solved(minimizer, problem, start)
            if done.raised:
                return Outcome(Answer.FAILS, done.raised, _example(problem, start, done.raised))
            before, after = problem.fun(np.array(start)), problem.fun(done.x)
            if not after <= before:
                why = f"it ends at the value {after:.6g}, above {before:.6g} at the start"
                return Outcome(Answer.FAILS, why, _ended(problem, start, why))
    return HOLDS


def _arrives(minimizer: Minimizer, _: str) -> Outcome:
    """On some scale of a round bowl it arrives; where it has no learning rate, on every bowl."""
    scales = (1.0, 0.1, 10.0, 1e-2, 100.0, 1e-3, 1e3) if "lr" in minimizer.own.values() else (1.0,)
    best = np.inf
    for scale in scales:
        problems = [
            Tilted(np.array([[2, 0], [0, 2]]) * scale, [0, 0]),
            Tilted(np.array([[4, 2], [2, 6]]) * scale, [-1, 2]),
        ]
        worst = 0.0
        for problem in problems:
            done = _solved(minimizer, problem, _STARTS[0])
            away = np.abs(done.x - problem.centre).max() / np.abs(np.array(_STARTS[0]) - problem.centre).max()
            worst = max(worst, float(away) if np.isfinite(away) else np.inf)
        best = min(best, worst)
        if best < 0.05:
            return HOLDS
    why = f"on bowls of two parameters it does not arrive: {best:.3g} of the way are left"
    return Outcome(Answer.FAILS, why, _ended(_PROBLEMS[2], _STARTS[0], why))


def _stays(minimizer: Minimizer, _: str) -> Outcome:
    for problem in _PROBLEMS[1:]:
        done = _solved(minimizer, problem, tuple(float(c) for c in problem.centre))
        if done.raised:
            return Outcome(Answer.FAILS, f"from the minimizer {done.raised}")
        if not np.allclose(done.x, problem.centre, rtol=0, atol=1e-3):
            start = tuple(float(c) for c in problem.centre)
            why = f"from the minimizer {problem.centre} it goes to {done.x}"
            return Outcome(
                Answer.FAILS, why, _example(problem, start, why, f"np.allclose(points[-1], {list(start)}, atol=1e-3)")
            )
    return HOLDS


_FAST = {"bfgs": 60, "lbfgs": 80, "l-bfgs": 80, "newton": 20, "cg": 120, "newton_cg": 60}  # gradients that are enough


def _fast(minimizer: Minimizer, method: str) -> Outcome | None:
    """What takes curvature into account needs few gradients in a long valley."""
    most = _FAST.get(method.lower())
    if most is None:
        return None
    problem = Tilted(np.diag([2.0, 2000.0]), [1, 1])
    done = _solved(minimizer, problem, _STARTS[0])
    near = np.abs(done.x - problem.centre).max() < 1e-3
    if near and done.slopes <= most:
        return HOLDS
    away = float(np.abs(done.x - problem.centre).max())
    took = f"in a valley of condition 1000 it takes {done.slopes} gradients and ends {away:.3g} away"
    why = f"{took}; {method} takes fewer than {most}"
    return Outcome(Answer.FAILS, why, _example(problem, _STARTS[0], why))


ENDS = (
    End("repeats", "from the same start it ends at the same point again", _repeats),
    End("start-kept", "the array of the start is not changed", _start),
    End("callback", "the points that a callback is handed stay what they were", _told),
    End("told-values", "the value and the gradient that it gives back are those at its point", _values),
    End("told-counts", "it counts its evaluations right", _counts),
    End("told-success", "where it says that it succeeded, it is at the minimizer", _success),
    End("no-worse", "it does not end above the start", _better),
    End("arrives", "on bowls of two parameters it comes to the minimizer", _arrives),
    End("stays", "from the minimizer it does not go away", _stays),
    End("fast", "in a long valley it needs few gradients", _fast),
)
