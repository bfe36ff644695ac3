"""Minimizers that run to the end by themselves: ``scipy.optimize.minimize``, and functions that are called like it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

import numpy as np

from symgd.errors import UsageError, safe
from symgd.records import dataclass
from symgd.testing.adapters import names
from symgd.testing.adapters.base import Handling, Steps, Vector
from symgd.testing.protocol import Oracle, Recorded, Setting, Trace

_JACOBIANS = frozenset(
    ["jac", "grad", "gradient", "fprime", "df", "dfun", "grad_f", "gradf", "grad_fn", "g", "jacobian"]
)
_HESSIANS = frozenset(["hess", "hessian"])


@dataclass(frozen=True)
class Solved:
    """What a minimizer gave back, and what it was seen to do.

    Parameters
    ----------
    x : ndarray of shape (n,)
        The point that it gave back; nan where it gave none.
    result : object
        All that it gave back.
    values, slopes : int
        How often it asked for the value and the gradient.
    evaluated : ndarray of shape (k, n)
        Where it asked for the gradient.
    told : list of ndarray
        The points that it handed to its callback, as they are at the end.
    copies : list of ndarray
        The same points, as they were when it did.
    start : ndarray of shape (n,)
        What became of the array that it was to start from.
    raised : str
        What it raised, as a clause.
    """

    x: Vector
    result: Any
    values: int
    slopes: int
    evaluated: Vector
    told: list[Any] = field(default_factory=list)
    copies: list[Vector] = field(default_factory=list)
    start: Any = None
    raised: str = ""

    def get(self, key: str) -> Any:
        """Give an entry of the result, if it has one of this name."""
        if isinstance(self.result, dict) and key in self.result:  # as SciPy's is
            return self.result[key]
        return getattr(self.result, key, None) if not isinstance(self.result, np.ndarray) else None


class _Call:
    """What a minimizer is handed, and what is noted of how it uses it."""

    def __init__(self, problem: Oracle) -> None:
        self.problem, self.seen = problem, Recorded(problem)
        self.values = 0
        self.told: list[Any] = []
        self.copies: list[Vector] = []

    def fun(self, x: Any, *_: Any) -> float:
        self.values += 1
        return self.problem.fun(np.array(x, dtype=np.float64))

    def jac(self, x: Any, *_: Any) -> Vector:
        return self.seen.jac(np.array(x, dtype=np.float64))

    def callback(self, x: Any, *_: Any, **__: Any) -> None:
        self.told.append(x)
        self.copies.append(np.array(getattr(x, "x", x), dtype=np.float64))

    def solved(self, begin: Vector, result: Any, raised: str = "") -> Solved:
        """Give what came of it."""
        point = np.full(len(begin), np.nan)
        if not raised:
            given = result[0] if isinstance(result, tuple) else result
            given = given.get("x") if isinstance(given, dict) else getattr(given, "x", given)
            found = np.atleast_1d(np.array(given, dtype=np.float64))
            if found.shape == begin.shape:
                point = found
            else:
                raised = f"it gave back an array of shape {found.shape} for one of shape {begin.shape}"
        at = self.seen.evaluated
        return Solved(point, result, self.values, len(at), at, self.told, self.copies, begin, raised)


class Minimizer(Steps):
    """A function ``minimize(fun, x0, jac=..., ...)``.

    Parameters
    ----------
    function : callable
        Takes an objective and a start, and gives the minimizer, or something whose ``x`` it is.
    name : str
        What to call it.
    given : mapping
        Values of its other arguments.
    gradients : bool
        Whether it goes by gradients.

    Raises
    ------
    UsageError
        If an argument has no value.
    """

    style = "minimizer"

    def __init__(
        self, function: Callable[..., Any], name: str, given: Mapping[str, Any], *, gradients: bool = True
    ) -> None:
        self.function, self.name, self.gradients = function, name, gradients
        parameters = inspect.signature(function).parameters
        self.any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        plain = [p for p in parameters.values() if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
        self.jac = next((p.name for p in plain if p.name in _JACOBIANS), "")
        self.hess = next((p.name for p in plain if p.name in _HESSIANS), "")
        self.callback = "callback" if "callback" in parameters else ""
        self.limit = next((n for n in names.LIMITS if n in parameters), "")
        self.own = {p.name: names.OURS.get(p.name, p.name) for p in plain}
        if "alpha" in self.own and "lr" not in self.own.values():
            self.own["alpha"] = "lr"
        self.values = {k: given[v] if v in given else given[k] for k, v in self.own.items() if k in given or v in given}
        taken = {self.jac, self.hess, self.callback}
        for p in plain[2:]:
            if p.default is p.empty and p.name not in taken and p.name not in self.values:
                if self.own[p.name] == "lr":
                    self.values[p.name] = 0.05
                elif p.name in names.LIMITS:
                    self.values[p.name] = 200
                else:
                    raise UsageError(
                        f"{name}'s argument '{p.name}' has no value; give it as "
                        f"check_optimizer(..., hyper={{'{p.name}': ...}})"
                    )
        said = {**{p.name: p.default for p in plain}, **self.values}
        self.known = names.numbers({"lr" if self.own[k] == "lr" else k: v for k, v in said.items()})
        self.settable = frozenset(v for k, v in self.own.items() if v in ("lr", "beta", "beta1", "beta2", "eps")
                                  and (k in self.known or v in self.known))  # fmt: skip

    def solve(
        self, problem: Oracle, start: Vector, settings: Mapping[str, Setting], steps: int | None = None
    ) -> Solved:
        """Run it to its end.

        Parameters
        ----------
        problem : Oracle
            What it may ask; its Hessian too, where it has one.
        start : ndarray of shape (n,)
            Where it starts.
        settings : mapping
            What is set.
        steps : int, optional
            After how many steps it is to end, where it can be told.

        Returns
        -------
        Solved
        """
        call = _Call(problem)
        own: dict[str, Any] = dict(self.values)
        own |= {k: settings[v] for k, v in self.own.items() if v in settings}
        if self.jac and self.gradients:
            own[self.jac] = call.jac
        if self.hess and hasattr(problem, "hess"):
            own[self.hess] = problem.hess
        if self.callback:
            own["callback"] = call.callback
        if steps is not None and self.limit:
            own[self.limit] = steps
        begin = np.array(start, dtype=np.float64)
        with np.errstate(all="ignore"):
            try:
                result = self.function(call.fun, begin, **own)
            except Exception as problem_:  # noqa: BLE001 - a user's code raises what it likes
                return call.solved(begin, None, f"it raised {type(problem_).__name__}: {safe(str(problem_), 120)}")
        return call.solved(begin, result)

    def run(
        self, problem: Oracle, start: Vector, steps: int, settings: Mapping[str, Setting],
        handling: Handling = "plain",  # noqa: ARG002 - there are no arrays to hand over
    ) -> Trace:  # fmt: skip
        """Run it, and give the points that it went through."""
        missing = [key for key in settings if key not in self.settable]
        if missing:
            return Trace(np.array([start]), unable=f"its {missing[0]} cannot be set")
        done = self.solve(problem, start, settings, steps)
        if done.copies:
            points = done.copies if np.array_equal(done.copies[0], start) else [np.array(start), *done.copies]
        else:
            # A method that asks for one gradient a step was where it asked; what it ended at it did not ask at.
            points = [*done.evaluated, done.x] if done.slopes else [np.array(start), done.x]
            if len(points) > 2 and np.array_equal(points[-1], points[-2]):
                points.pop()
        good = [p for p in points if np.isfinite(p).all()]
        ended = done.raised or ("" if len(good) > steps else "it ended by itself")
        return Trace(np.array(good[: steps + 1]), ended=ended, evaluated=done.evaluated)


WITHOUT_GRADIENTS = frozenset({"nelder-mead", "powell", "cobyla", "cobyqa"})


def of_scipy(method: str, given: Mapping[str, Any]) -> Minimizer:
    """Give a method of ``scipy.optimize.minimize``.

    Parameters
    ----------
    method : str
        Its name there.
    given : mapping
        Options.

    Returns
    -------
    Minimizer
    """

    def minimize(
        fun: Any, x0: Any, jac: Any = None, hess: Any = None, callback: Any = None, maxiter: Any = None
    ) -> Any:
        from scipy import optimize

        options = dict(given)
        if maxiter is not None:
            options["maxiter"] = maxiter
        second = method.lower() in ("newton-cg", "dogleg", "trust-ncg", "trust-krylov", "trust-exact", "trust-constr")
        return optimize.minimize(
            fun, x0, method=method, jac=jac, hess=hess if second else None, callback=callback, options=options
        )

    return Minimizer(minimize, f"scipy {method}", {}, gradients=method.lower() not in WITHOUT_GRADIENTS)


def of_method(method: str, given: Mapping[str, Any]) -> Minimizer:
    """Give a method of symgd.

    Parameters
    ----------
    method : str
        Its name.
    given : mapping
        Its numbers.

    Returns
    -------
    Minimizer
    """

    def minimize(fun: Any, x0: Any, jac: Any = None, hess: Any = None, maxiter: int = 1000) -> Any:
        from symgd.objective.callables import CURVED, minimize_callable

        curved = {"hess": hess} if hess is not None and method in CURVED else {}
        run = minimize_callable(fun, jac, x0, method=method, steps=maxiter, **curved, **given)
        return {"x": run.point["x"], "fun": run.value, "success": run.ok, "message": str(run.outcome)}

    made = Minimizer(minimize, method, {})
    made.method = method
    return made
