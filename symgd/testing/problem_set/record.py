"""A problem with known answers: a formula, where to start, and the minima."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from symgd.errors import UsageError, shown
from symgd.records import dataclass

if TYPE_CHECKING:
    from symgd.objective import Objective

Value = float | Sequence[float]
TOLERANCE = 1e-6  # of a value, by which a problem counts as solved

PROOFS = ("hessian", "zero", "convex", "bound")

# What the tags say. A tag that is not here is refused, so that none is misspelt.
TAGS = {
    "squares": "a sum of squares, with its minimum 0 or not",
    "data": "a model and measured data",
    "zero": "the minimum is 0, and the objective is nowhere negative",
    "convex": "convex",
    "several": "several minima",
    "singular": "the Hessian at a minimizer has no inverse",
    "curve": "minimizers that are not isolated",
    "kink": "no derivative at the minimizer",
    "scaled": "parameters, or curvatures, of very different size",
    "valley": "a curved, narrow valley",
    "tail": "flat far away: a descent may end where there is no minimum",
    "unbounded": "falls for ever in some direction; the minima are local",
    "no_minimum": "no minimum at all: what claims one is wrong",
    "domain": "not defined everywhere",
    "large": "more than ten parameters",
}


def check_tag(tag: str) -> None:
    """Refuse a tag that does not exist.

    Parameters
    ----------
    tag : str
        The tag.

    Raises
    ------
    UsageError
        If it is not in `TAGS`.
    """
    if tag not in TAGS:
        raise UsageError(f"tag={shown(tag)} must be one of {', '.join(TAGS)}")


@dataclass(frozen=True, eq=False)
class Problem:
    """A formula to minimize whose minima are known.

    Parameters
    ----------
    name : str
        Lower case, words joined by ``_``.
    formula : str
        The objective.
    start : mapping of str to float or sequence of float
        The standard start.
    source : str
        Where the problem comes from.
    tags : tuple of str
        What it is like; `TAGS` says what each means.
    data : mapping of str to sequence of float
        What the formula reads besides.
    proof : str
        How its minima are known to be minima: ``"hessian"`` (the gradient is 0 and the Hessian positive definite),
        ``"zero"`` (a value of 0 that nothing can be below), ``"convex"``, or ``"bound"`` (what is below is excluded
        by the bounds of the functions that the formula is made of).
    known : tuple of (float, sequence of float)
        The minima, the lowest first: the value, and the minimizer as numbers in the order of the parameters.

    Examples
    --------
    >>> from symgd.testing import problems
    >>> rosenbrock = problems["rosenbrock"]
    >>> rosenbrock.formula, rosenbrock.minimizer, rosenbrock.minimum
    ('100*(y - x**2)**2 + (1 - x)**2', {'x': 1.0, 'y': 1.0}, 0.0)
    >>> rosenbrock.objective().minimize(rosenbrock.start).ok
    True
    """

    name: str
    formula: str
    start: Mapping[str, Value]
    source: str
    tags: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    proof: str = "hessian"
    known: tuple[tuple[float, Sequence[float]], ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        for tag in self.tags:
            check_tag(tag)
        if self.proof not in PROOFS:
            raise UsageError(f"proof={shown(self.proof)} must be one of {', '.join(PROOFS)}")
        if any(len(numbers) != self.n for _, numbers in self.known):
            raise UsageError(
                f"known must have {self.n} numbers for each minimizer, as many as the start of {self.name}"
            )
        if any(a > b for a, b in pairwise(self.minima)):
            raise UsageError(f"known must begin with the lowest minimum; those of {self.name} are {shown(self.minima)}")

    # ---- what is known -----------------------------------------------------------------------------------------------

    @property
    def minima(self) -> tuple[float, ...]:
        """The value at each known minimizer, the lowest first."""
        return tuple(value for value, _ in self.known)

    @property
    def minimizers(self) -> tuple[dict[str, Any], ...]:
        """The known minimizers, in the same order."""
        return tuple(self.point(numbers) for _, numbers in self.known)

    @property
    def minimum(self) -> float:
        """The lowest of the known minima."""
        self._need()
        return self.minima[0]

    @property
    def minimizer(self) -> dict[str, Any]:
        """Where the lowest of the known minima is; where there are several such points, the first of them."""
        self._need()
        return self.minimizers[0]

    def _need(self) -> None:
        if not self.known:
            raise UsageError(f"no minimum of {shown(self.name)} is known; give known=((value, numbers),) with it")

    # ---- points ------------------------------------------------------------------------------------------------------

    @property
    def n(self) -> int:
        """How many numbers its parameters are."""
        return len(self.flat(self.start))

    def flat(self, point: Mapping[str, Value]) -> list[float]:
        """Give a point as a list of numbers, in the order of the parameters.

        Parameters
        ----------
        point : mapping of str to float or sequence of float
            The point.

        Returns
        -------
        list of float
        """
        return [float(v) for name in self.start for v in _entries(point[name])]

    def point(self, numbers: Sequence[float]) -> dict[str, Any]:
        """Give a list of numbers as a point.

        Parameters
        ----------
        numbers : sequence of float
            In the order of the parameters.

        Returns
        -------
        dict of str to float or list of float
        """
        left = [float(v) for v in numbers]
        found: dict[str, Any] = {}
        for name, value in self.start.items():
            size = len(_entries(value))
            found[name] = left[0] if _is_number(value) else left[:size]
            left = left[size:]
        return found

    def start_at(self, factor: float = 1.0) -> dict[str, Any]:
        """Give a start farther out: the standard start times a factor.

        Parameters
        ----------
        factor : float
            The factor. A start at 0 has every number equal to the factor instead, but for the factor 1.

        Returns
        -------
        dict of str to float or list of float

        References
        ----------
        Moré, Garbow and Hillstrom 1981, Testing unconstrained optimization software, section 4.
        """
        numbers = self.flat(self.start)
        if factor == 1 or any(numbers):
            return self.point([factor * v for v in numbers])
        return self.point([factor] * len(numbers))

    def objective(self, **options: Any) -> Objective:
        """Give the objective.

        Parameters
        ----------
        **options : object
            Passed to `symgd.Objective`: ``tier`` and ``workers``.

        Returns
        -------
        Objective
        """
        from symgd.objective import Objective

        shapes = {name: () if _is_number(v) else (len(_entries(v)),) for name, v in self.start.items()}
        return Objective(self.formula, dict(self.data) or None, shapes, **options)

    def solved(self, value: float, tolerance: float = TOLERANCE) -> bool:
        """Tell whether a value is that of the lowest known minimum.

        Parameters
        ----------
        value : float
            The value.
        tolerance : float
            Relative to the minimum, or where that is 0, to the value at the start, or to 1 if that is smaller.

        Returns
        -------
        bool
        """
        return bool(self.known) and value <= self.minimum + tolerance * self.scale

    @cached_property
    def scale(self) -> float:
        """What the tolerance of a value is relative to."""
        return abs(self.minimum) or min(1.0, abs(self.objective().value(self.start)))


def _entries(value: Value) -> Sequence[float]:
    return [value] if _is_number(value) else value  # type: ignore[list-item,return-value]


def _is_number(value: Any) -> bool:
    return not hasattr(value, "__len__")
