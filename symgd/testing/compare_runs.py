"""Many methods on many problems: who gets there, at what cost, and who only says so."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd import checks
from symgd.errors import UsageError, shown
from symgd.objective import Objective
from symgd.progress import interruptible
from symgd.progress import progress as shown_progress
from symgd.testing import problem_set
from symgd.testing.compare_methods import Counter, End, solvers
from symgd.testing.compare_result import Attempt, Comparison, Place
from symgd.testing.problem_set import Problem
from symgd.testing.problem_set.record import TOLERANCE

Vector = NDArray[np.float64]

NEAR = 1e-4  # how far from a stationary point, relative to the point's size, a run counts as having got there
ROUNDING = 64 * float(np.finfo(float).eps)


def compare(
    methods: Any, problems: Any = None, *, factors: Sequence[float] = (1.0,), evaluations: int = 5000,
    seconds: float = 10.0, tolerance: float = TOLERANCE, progress: bool | None = None,
) -> Comparison:  # fmt: skip
    """Run methods on problems whose minima are known.

    Parameters
    ----------
    methods : mapping of str to object, or sequence
        Each a name of symgd's methods or rules (``"auto"``, ``"newton"``, ``"adam"``), a `Rule`, options of
        ``minimize`` as a mapping (``{"method": "adam", "lr": 0.01}``), a name of SciPy's (``"scipy:BFGS"``,
        ``"scipy:least_squares"``), or a function that is called as SciPy calls a method of yours,
        ``method(fun, x0, jac=..., hess=..., hessp=...)`` with those that it takes, and gives the point, or what has
        ``x`` and ``success``.
    problems : Problem, str, or iterable of them, optional
        The problems, or their names; by default all of `symgd.testing.problems`.
    factors : sequence of float
        Starts: the standard one times each.
    evaluations : int
        The points at most, at which an attempt may ask for value or gradient.
    seconds : float
        The wall time of an attempt at most.
    tolerance : float
        By which a value counts as that of the minimum; see `Problem.solved`.
    progress : bool, optional
        Whether to show progress; by default on a terminal after two seconds.

    Returns
    -------
    Comparison
        After Ctrl-C, of what was done until then.

    Raises
    ------
    UsageError
        For methods, problems or numbers that are none.

    Examples
    --------
    >>> found = compare(["newton", "scipy:BFGS"], ["beale", "booth"])
    >>> [row.solved for row in found.rows]
    [2, 2]

    References
    ----------
    Dolan and Moré 2002, Benchmarking optimization software with performance profiles.
    """
    runners, chosen = solvers(methods), _chosen(problems)
    factors = _factors(factors)
    budget = checks.whole("evaluations", evaluations, 1)
    limit = checks.seconds("seconds", seconds)
    tolerance = checks.number("tolerance", tolerance, "a number between 0 and 1", low=0.0, high=1.0)
    attempts: list[Attempt] = []
    tasks = [(problem, factor) for problem in chosen for factor in factors]
    # Progress is that of problems, each of which all methods try one after the other, so that what else happens on
    # the machine meets all of them alike.
    with shown_progress(len(tasks), "problem", wanted=progress) as tick, interruptible() as pressed:
        for done, (problem, factor) in enumerate(tasks):
            tick(done, problem.name)
            start = problem.start_at(factor)
            objective = problem.objective(tier="python")  # nobody waits for a compiler
            if not math.isfinite(objective.value(start)):
                continue
            row: list[Attempt] = []
            for name, runner in runners.items():
                counter = Counter(objective, budget, limit, pressed)
                begun = time.perf_counter()
                end = runner(start, counter)
                spent = time.perf_counter() - begun
                if end.stopped or pressed():
                    return Comparison((*attempts,), tuple(runners), complete=False)
                row.append(_attempt(name, problem, objective, factor, end, spent, tolerance))
            attempts += row
        tick(len(tasks))
    return Comparison(tuple(attempts), tuple(runners), complete=True)


def _chosen(given: Any) -> list[Problem]:
    known = problem_set.problems
    if given is None:
        return list(known.values())
    if isinstance(given, str | Problem):
        given = [given]
    if isinstance(given, Mapping):
        given = given.values()
    if not isinstance(given, Iterable):
        raise UsageError(f"problems={shown(given)} must be problems, or names of them")
    found = [p if isinstance(p, Problem) else known[p] for p in given]
    if not found:
        raise UsageError("there are no problems to compare on")
    names = [p.name for p in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"two problems have the name {shown(twice)}; give each once, and its starts by factors=")
    return found


def _factors(factors: Any) -> tuple[float, ...]:
    if isinstance(factors, int | float):
        factors = (factors,)
    found = tuple(checks.number("factors", f, "a finite number other than 0") for f in factors)
    if not found or 0 in found:
        raise UsageError(f"factors={shown(factors)} must be numbers other than 0, such as (1, 10)")
    return found


def _attempt(
    name: str, problem: Problem, objective: Objective, factor: float, end: End, spent: float, tolerance: float
) -> Attempt:
    value = objective.fun(end.x) if np.isfinite(end.x).all() else math.nan
    counts = math.isfinite(value) and not end.spent
    place = judge(problem, objective, end.x, value, tolerance) if counts else Place.NOWHERE
    return Attempt(
        name, problem.name, factor, place, end.claimed, value, tuple(end.x.tolist()), end.evaluations, spent,
        end.message,
    )  # fmt: skip


def judge(problem: Problem, objective: Objective, x: Vector, value: float, tolerance: float) -> Place:
    """Say where a run ended, by what is known of the problem and by exact derivatives, whatever the run says.

    Parameters
    ----------
    problem : Problem
        The problem.
    objective : Objective
        Its objective.
    x : ndarray, shape (n,)
        The point.
    value : float
        The value there.
    tolerance : float
        By which a value counts as that of a minimum.

    Returns
    -------
    Place
    """
    for place, known in enumerate(problem.minima):
        if abs(value - known) <= tolerance * (abs(known) or problem.scale):
            return Place.MINIMUM if place else Place.LOWEST
    return Place.MINIMUM if stationary(objective, x) else Place.NOWHERE


def stationary(objective: Objective, x: Vector) -> bool:
    """Tell whether a point is next to a minimum: Newton's step there is short, and every curvature positive.

    Parameters
    ----------
    objective : Objective
        The objective.
    x : ndarray, shape (n,)
        The point.

    Returns
    -------
    bool
    """
    with np.errstate(all="ignore"):
        for _ in range(3):  # where two steps more go nowhere, the point is where they started from, to their accuracy
            g, H = objective.jac(x), objective.hess(x)
            if not (np.isfinite(g).all() and np.isfinite(H).all() and (np.diag(H) > 0).all()):
                return False
            d = 1 / np.sqrt(np.diag(H))
            scaled = H * np.outer(d, d)
            if np.linalg.eigvalsh(scaled)[0] <= len(x) * ROUNDING:
                return False
            step = d * np.linalg.solve(scaled, d * g)
            if np.abs(step).max() > NEAR * (1e-3 + np.abs(x).max()):
                return False
            x = x - step
    return True
