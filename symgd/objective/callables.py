"""The methods on functions that a user wrote: no formula, the same loop, and the same account."""
# ruff: noqa: ARG002 - a user's functions have one tier, and no data

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal, NoReturn, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symgd import checks, descent
from symgd.data import points
from symgd.descent.methods import METHODS
from symgd.errors import UsageError, safe, shown, suggest
from symgd.graph.bounds import UNKNOWN, Bounds
from symgd.insight import diagnose
from symgd.kernel.code import Source
from symgd.parameters import Shapes
from symgd.run import Run

Vector = NDArray[np.float64]
Given: TypeAlias = Callable[..., object]  # a user's function, whose results are looked at

AUTO = "auto"
AFFORDABLE = 256  # parameters up to which a step may form and decompose a matrix
CURVED = ("newton", "newton_cg")  # methods that need second derivatives


class Functions:
    """A user's own functions, as `symgd.curvature.problem.Problem` has an objective.

    Parameters
    ----------
    fun : callable
        As for `minimize_callable`, like the others.
    jac : callable or True
        The gradient.
    hess : callable or None
        The Hessian.
    hessp : callable or None
        Its products.
    n : int
        The length of the point.
    """

    params = ("x",)
    columns = ()
    rows = 0
    smooth = False  # nobody knows: kinks are looked for
    stored = False
    moments = 0
    tier = "python"

    def __init__(self, fun: Given, jac: Given | Literal[True], hess: Given | None, hessp: Given | None, n: int) -> None:
        self.fun, self.jac, self.hess, self.hessp, self.n = fun, jac, hess, hessp, n
        self.shapes = ((n,),)
        self.curved = hess is not None or hessp is not None

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        """A name for each number: ``x[0]``, ``x[1]``."""
        return Shapes(self.params, self.shapes).names

    def split(self, x: Vector) -> dict[str, float | Vector]:
        """Give the point by its one name."""
        return {"x": x.copy()}

    # ---- calls -----------------------------------------------------------------------------------------------------

    def value(self, x: Vector) -> float:
        """Give the value at a point."""
        found = self._call("fun", self.fun, x)
        return self._number(self._pair(found)[0] if self.jac is True else found)

    def slope(self, x: Vector, tier: str | None = None) -> tuple[float, Vector]:
        """Give value and gradient at a point."""
        if self.jac is True:
            f, g = self._pair(self._call("fun", self.fun, x))
        else:
            f, g = self._call("fun", self.fun, x), self._call("jac", self.jac, x)
        return self._number(f), self._array("jac", g, (self.n,))

    def product(self, x: Vector, v: Vector, tier: str | None = None) -> Vector:
        """Give the Hessian at a point times a vector; nan where nobody knows it."""
        if self.hessp is not None:
            return self._array("hessp", self._call("hessp", self.hessp, x, v), (self.n,))
        if self.hess is not None:
            found: Vector = self.hessian(x) @ v
            return found
        return np.full(self.n, np.nan)

    def hessian(self, x: Vector, tier: str | None = None) -> NDArray[np.float64]:
        """Give the Hessian at a point; nan where nobody knows it."""
        if self.hess is not None:
            full = self._array("hess", self._call("hess", self.hess, x), (self.n, self.n))
        else:
            full = np.array([self.product(x, unit) for unit in np.eye(self.n)])
        return (full + full.T) / 2

    def squares(self) -> None:
        """Give no residuals: nobody knows any."""

    def sides(self, x: Vector) -> None:
        """Say nothing of denominators: there is no formula."""

    def doubt(self, x: Vector) -> str:
        """Say nothing of lost digits: nobody knows."""
        return ""

    def bounds(self) -> Bounds:
        """Give no bounds: nobody knows any."""
        return UNKNOWN

    def locate(self, x: Vector) -> str:
        """Tell what is not finite at a point."""
        f, g = self.slope(x)
        return f"fun(x) is {f:g}" if not np.isfinite(f) else f"{int((~np.isfinite(g)).sum())} of jac(x) are not finite"

    # ---- what work costs: nobody knows ------------------------------------------------------------------------------

    def work(self) -> int:
        """Give a guess at the operations of an evaluation, by which it is decided what a diagnosis may cost."""
        return 1000 + 50 * self.n

    def cost(self) -> int:
        """Give what that costs, in operations of plain Python."""
        return self.work()

    def budget(self) -> int:
        """Give the operations after which compiled code takes over: there is none."""
        return 1 << 62

    def switch(self) -> int:
        """Give the step at which compiled code takes over: there is none."""
        return 1 << 62

    def tier_at(self, step: int) -> str:
        """Give the tier of a step."""
        return self.tier

    def loop(self, source: Source, tier: str) -> NoReturn:
        """Refuse: the loop of a rule is generated together with a formula."""
        raise UsageError("an update rule needs a formula: Objective(...).minimize takes one")

    # ---- checks ----------------------------------------------------------------------------------------------------

    def _call(self, name: str, function: Given, x: Vector, *more: Vector) -> object:
        """Call a function on copies, which it may change as it likes."""
        try:
            return function(x.copy(), *(v.copy() for v in more))
        except Exception as problem:
            reason = safe(str(problem), 160)
            raise UsageError(f"{name} raised {type(problem).__name__} at x={shown(x.tolist())}: {reason}") from problem

    def _pair(self, found: object) -> tuple[object, object]:
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise UsageError(f"fun returned {shown(found)}; with jac=True it must return value and gradient")
        return found[0], found[1]

    def _number(self, value: object) -> float:
        return float(self._array("fun", value, ()))

    def _array(self, name: str, values: object, shape: tuple[int, ...]) -> NDArray[np.float64]:
        wanted = f"an array of shape {shape}" if shape else "one number"
        try:
            array = checks.numbers(values).astype(np.float64)
        except ValueError as problem:
            raise UsageError(f"{name} must return {wanted}; what it returned {problem}") from None
        if array.shape != shape and not (array.size == 1 and shape in ((), (1,))):
            raise UsageError(f"{name} must return {wanted}; got one of shape {array.shape}")
        return array.reshape(shape)


def minimize_callable(
    fun: Given,
    jac: Given | Literal[True],
    x0: ArrayLike,
    hess: Given | None = None,
    hessp: Given | None = None,
    method: str = AUTO,
    **options: Any,
) -> Run:
    """Minimize a function of your own, by the methods that need no formula.

    Parameters
    ----------
    fun : callable
        Takes a point, an array of shape (n,), and returns the value.
    jac : callable or True
        Takes a point and returns the gradient, of shape (n,); ``True`` if `fun` returns value and gradient.
    x0 : array-like, shape (n,)
        The start.
    hess : callable, optional
        Takes a point and returns the Hessian, of shape (n, n).
    hessp : callable, optional
        Takes a point and a vector and returns the Hessian times the vector, of shape (n,).
    method : str
        ``"newton"`` and ``"newton_cg"``, which need `hess` or `hessp`; ``"bfgs"``, ``"lbfgs"``, ``"cg"``, ``"wolfe"``,
        ``"armijo"``, ``"bb"``, ``"polyak"``; ``"auto"`` takes the best one for what was given.
    **options : object
        ``steps``, ``gtol``, ``ftol``, ``xtol``, ``seconds``, ``callback``, ``every``, ``progress``, and the method's
        numbers, as for `Objective.minimize`.

    Returns
    -------
    Run
        What kind of point it ended at is known where second derivatives are; else it is ``unknown``, and says so.

    Raises
    ------
    UsageError
        For what is no function, a function that raises or returns what it must not, a start that is no vector of finite
        numbers, and options that do not exist or are out of bounds.

    Examples
    --------
    >>> import numpy as np
    >>> import symgd as sg
    >>> run = sg.minimize_callable(
    ...     lambda x: np.sum((x - 1) ** 4 + x**2),
    ...     lambda x: 4 * (x - 1) ** 3 + 2 * x,
    ...     np.zeros(2),
    ...     hess=lambda x: np.diag(12 * (x - 1) ** 2 + 2),
    ... )
    >>> run.ok, run.method, run.x.round(6).tolist()
    (True, 'newton', [0.410245, 0.410245])
    """
    given = {"fun": fun, "jac": jac, "hess": hess, "hessp": hessp}
    for name, function in given.items():
        if (
            not callable(function)
            and not (name == "jac" and function is True)
            and (name[0] != "h" or function is not None)
        ):
            more = ", or True if fun returns both; an Objective works it out by itself" if name == "jac" else ""
            raise UsageError(f"{name}={shown(function)} must be a function of the point{more}")
    x = _start(x0)
    problem = Functions(fun, jac, hess, hessp, len(x))
    callback, progress = options.pop("callback", None), options.pop("progress", None)
    points.check_callback(callback)
    settings = descent.with_method(_method(method, problem), options)
    state = descent.begin(problem, x, settings)
    name = safe(getattr(fun, "__name__", type(fun).__name__))
    run = descent.descend(
        problem, state, settings, formula=f"{name}(x)", locate=problem.locate, callback=callback, progress=progress
    )
    return replace(run, explain=functools.partial(diagnose, problem))


def _start(x0: ArrayLike) -> Vector:
    """Check a start."""
    try:
        x = checks.numbers(x0).astype(np.float64)
    except ValueError as problem:
        raise UsageError(f"x0 {problem}") from None
    if x.ndim != 1 or not x.size or not np.isfinite(x).all():
        what = f"an array of shape {x.shape}" if x.ndim != 1 or not x.size else shown(x.tolist())
        raise UsageError(f"x0 must be a vector of finite numbers; got {what}")
    return x


def _method(method: object, problem: Functions) -> str:
    """Give the name of a method that a user's functions have enough for."""
    if isinstance(method, str) and method == AUTO:
        if problem.n > AFFORDABLE:
            return "newton_cg" if problem.hessp is not None else "lbfgs"
        return "newton" if problem.hess is not None else "newton_cg" if problem.hessp is not None else "bfgs"
    known = [name for name in METHODS if name != "lm"]
    if not isinstance(method, str) or method not in known:
        near = suggest(method, known) if isinstance(method, str) else None
        hint = f"did you mean '{near}'?" if near else f"take one of {', '.join(known)}"
        raise UsageError(f"method={shown(method)} is none for functions without a formula; {hint}")
    if method in CURVED and not problem.curved:
        raise UsageError(f"method='{method}' needs second derivatives: give hess= or hessp=, or take method='bfgs'")
    return method
