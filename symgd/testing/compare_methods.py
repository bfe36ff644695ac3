"""Whoever minimizes, behind one call: our methods and rules, SciPy's, and other people's."""

from __future__ import annotations

import inspect
import math
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.errors import SymgdError, UsageError, safe, shown, suggest
from symgd.objective import Objective
from symgd.records import dataclass
from symgd.rules import Rule
from symgd.run import Outcome
from symgd.squares import Squares

Vector = NDArray[np.float64]

GTOL = 1e-8  # what SciPy's methods are asked for where they take it: symgd's own tolerance
_CURVED = {"Newton-CG": "hess", "dogleg": "hess", "trust-ncg": "hessp", "trust-krylov": "hessp", "trust-exact": "hess",
           "trust-constr": "hess"}  # fmt: skip
_SLOPED = ("CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP", *_CURVED)
_PLAIN = ("Nelder-Mead", "Powell", "COBYLA", "COBYQA")
_SQUARES = ("least_squares", "least_squares-trf", "least_squares-dogbox", "least_squares-lm")
SCIPY = (*_SLOPED, *_PLAIN, *_SQUARES)
_GTOL = ("CG", "BFGS", "L-BFGS-B", "TNC", "dogleg", "trust-ncg", "trust-krylov", "trust-exact", "trust-constr")


@dataclass(frozen=True)
class End:
    """Where a method ended, and what it cost.

    Parameters
    ----------
    x : ndarray, shape (n,)
        The point.
    claimed : bool
        Whether the method says that it has converged, for ours: to a minimum.
    evaluations : int
        Points at which the value or the gradient was asked for.
    message : str
        What it says itself.
    stopped : bool
        Whether somebody pressed Ctrl-C.
    spent : bool
        Whether it took more than it had: then where it ended does not count.
    """

    x: Vector
    claimed: bool
    evaluations: int
    message: str
    stopped: bool = False
    spent: bool = False


class Spent(Exception):  # noqa: N818 - no error, but a way out of other people's loops
    """The budget of an attempt is spent."""


class Counter:
    """An objective as other people's methods see it: each call is counted, and refused once the budget is spent.

    Parameters
    ----------
    objective : Objective
        The objective.
    evaluations : int
        Points that may be asked for.
    seconds : float
        Wall time that it may take.
    stopped : callable
        Tells whether somebody pressed Ctrl-C.
    """

    def __init__(self, objective: Objective, evaluations: int, seconds: float, stopped: Callable[[], bool]) -> None:
        self.objective, self.stopped = objective, stopped
        self.left, self.until = evaluations, time.perf_counter() + seconds
        self.count, self.last = 0, b""
        self.best: tuple[float, Vector] | None = None

    def _enter(self, x: Any) -> Vector:
        """Count a point, once for all that is asked of it in a row."""
        point = np.array(x, dtype=np.float64)
        if point.tobytes() != self.last:
            if self.count >= self.left or time.perf_counter() > self.until or self.stopped():
                raise Spent
            self.count, self.last = self.count + 1, point.tobytes()
        return point

    def _note(self, value: float, point: Vector) -> float:
        if self.best is None or value < self.best[0]:
            self.best = value, point
        return value

    def fun(self, x: Any) -> float:
        """Give the value."""
        point = self._enter(x)
        return self._note(self.objective.fun(point), point)

    def jac(self, x: Any) -> Vector:
        """Give the gradient."""
        return self.objective.jac(self._enter(x))

    def hess(self, x: Any) -> NDArray[np.float64]:
        """Give the Hessian."""
        return self.objective.hess(self._enter(x))

    def hessp(self, x: Any, p: Any) -> Vector:
        """Give the Hessian times a vector."""
        return self.objective.hessp(self._enter(x), p)

    def residuals(self, x: Any) -> Vector:
        """Give the residuals, where it is a sum of their squares."""
        point = self._enter(x)
        found: Vector = self._squares().residuals(point)
        self._note(float(found @ found), point)
        return found

    def jacobian(self, x: Any) -> NDArray[np.float64]:
        """Give their derivatives."""
        return self._squares().jacobian(self._enter(x))[1]

    def _squares(self) -> Squares:
        found = self.objective.kernel().squares()
        assert found is not None  # those who ask know it
        return found


Solver = Callable[[Mapping[str, Any], Counter], End]


def solvers(methods: Any) -> dict[str, Solver]:
    """Give what minimizes, by the names under which it is told.

    Parameters
    ----------
    methods : mapping of str to object, or sequence
        As for `compare`.

    Returns
    -------
    dict of str to callable

    Raises
    ------
    UsageError
        For what is no method, or two with one name.
    """
    if isinstance(methods, str | Rule) or callable(methods):
        methods = [methods]
    if not isinstance(methods, Mapping | Sequence):
        raise UsageError(f"methods={shown(methods)} must be a list of methods, or a mapping from names to them")
    pairs = list(methods.items()) if isinstance(methods, Mapping) else [(_name(m), m) for m in methods]
    if not pairs:
        raise UsageError("methods is empty; give at least one, such as 'auto'")
    found: dict[str, Solver] = {}
    for name, method in pairs:
        if name in found:
            raise UsageError(f"two methods have the name {shown(name)}; give names as {{'first': ..., 'second': ...}}")
        found[str(name)] = _solver(method)
    return found


def _name(method: Any) -> str:
    if isinstance(method, str):
        return method
    if isinstance(method, Mapping):
        return ", ".join(str(v) if k == "method" else f"{k}={v}" for k, v in method.items())
    return str(getattr(method, "name", None) or getattr(method, "__name__", None) or type(method).__name__)


def _solver(method: Any) -> Solver:
    if isinstance(method, str) and method.startswith("scipy:"):
        return _scipy(method.removeprefix("scipy:"))
    if isinstance(method, str | Rule):
        return _ours({"method": method})
    if isinstance(method, Mapping):
        return _ours(method)
    if callable(method):
        return _foreign(method)
    raise UsageError(
        f"{shown(method)} is no method: give a name of symgd's, 'scipy:BFGS' and the like, a Rule, options of minimize"
        " as a mapping, or a function of (fun, x0, jac=..., hess=...)"
    )


# ---- ours ----------------------------------------------------------------------------------------------------------


def _ours(options: Mapping[str, Any]) -> Solver:
    given = dict(options)
    Objective("x**2").minimize({"x": 0.0}, **given)  # what is wrong with the options is told before any work

    def solve(start: Mapping[str, Any], counter: Counter) -> End:
        limits = {"steps": counter.left, "seconds": counter.until - time.perf_counter(), "gtol": GTOL, **given}
        try:
            run = counter.objective.minimize(start, progress=False, **limits)
        except (SymgdError, ArithmeticError, LookupError, ValueError, np.linalg.LinAlgError) as error:
            return End(counter.objective.vector(start), claimed=False, evaluations=0, message=_told(error))
        told, stopped = f"{run.outcome}, {run.kind}", run.outcome == Outcome.INTERRUPTED
        if run.evaluations > counter.left:  # steps are limited, of which each may take several
            return End(
                run.x, claimed=False, evaluations=run.evaluations, message=f"the budget is spent; {told}", spent=True
            )
        return End(run.x, run.ok, run.evaluations, told, stopped)

    return solve


# ---- SciPy's -------------------------------------------------------------------------------------------------------


def _scipy(name: str) -> Solver:
    if name not in SCIPY:
        near = suggest(name, SCIPY)
        hint = f"did you mean '{near}'?" if near else f"there are {', '.join(SCIPY)}"
        raise UsageError(f"'scipy:{safe(name)}' is no method of SciPy's that compare knows; {hint}")
    return _foreign(_least_squares(name) if name in _SQUARES else _minimize(name))


def _minimize(name: str) -> Callable[..., Any]:
    def run(fun: Any, x0: Vector, *, jac: Any, hess: Any, hessp: Any, maxiter: int) -> Any:
        from scipy.optimize import minimize

        options: dict[str, Any] = {"maxiter": maxiter}
        if name in _GTOL:
            options["gtol"] = GTOL
        if name in ("L-BFGS-B", "TNC"):
            options |= {"ftol": 1e-15, "maxfun": maxiter}
        if name == "TNC":
            options["maxfun"] = options.pop("maxiter")
        needs: dict[str, Any] = {"jac": jac} if name in _SLOPED else {}
        if name in _CURVED:
            needs[_CURVED[name]] = hess if _CURVED[name] == "hess" else hessp
        return minimize(fun, x0, method=name, options=options, **needs)

    return run


def _least_squares(name: str) -> Callable[..., Any]:
    method = name.partition("-")[2] or "trf"

    def run(_fun: Any, x0: Vector, *, residuals: Any, jacobian: Any, maxiter: int) -> Any:
        from scipy.optimize import least_squares

        if residuals is None:
            raise UsageError("the objective is no sum of squares")
        if method == "lm" and len(residuals(x0)) < len(x0):
            raise UsageError("lm needs as many residuals as parameters")
        tight = {"ftol": 1e-15, "xtol": 1e-15, "gtol": GTOL}
        return least_squares(residuals, x0, jac=jacobian, method=method, max_nfev=maxiter, x_scale="jac", **tight)

    return run


# ---- other people's ------------------------------------------------------------------------------------------------


def _foreign(method: Callable[..., Any]) -> Solver:
    """Give a solver for a function of ``(fun, x0)`` that may take ``jac``, ``hess`` and so on."""
    takes = inspect.signature(method).parameters
    every = any(p.kind == p.VAR_KEYWORD for p in takes.values())

    def solve(start: Mapping[str, Any], counter: Counter) -> End:
        x0 = counter.objective.vector(start)
        squares = counter.objective.kernel().squares()
        offered = {
            "jac": counter.jac, "hess": counter.hess, "hessp": counter.hessp, "maxiter": counter.left, "args": (),
            "residuals": counter.residuals if squares else None, "jacobian": counter.jacobian if squares else None,
        }  # fmt: skip
        named = {k: v for k, v in offered.items() if k in takes or (every and k in ("jac", "hess", "hessp"))}
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                found = method(counter.fun, x0.copy(), **named)
        except Spent:
            told = "the budget is spent"
        except Exception as error:  # noqa: BLE001 - whatever other people's code does, the comparison goes on
            told = _told(error)
        else:
            x = np.asarray(getattr(found, "x", found), dtype=np.float64).reshape(-1)
            if x.shape != x0.shape:
                raise UsageError(f"the method gave a point of shape {x.shape}, and {x0.shape} was its start")
            claimed, told = bool(getattr(found, "success", True)), str(getattr(found, "message", ""))
            return End(x, claimed, counter.count, safe(told, 160))
        best = counter.best[1] if counter.best and math.isfinite(counter.best[0]) else x0
        return End(best, claimed=False, evaluations=counter.count, message=told, stopped=counter.stopped())

    return solve


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {safe(str(error), 160)}"
