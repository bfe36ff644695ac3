"""What is known of a linear update rule before it runs: stability, rates, and the best it can be tuned to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from functools import cached_property
from numbers import Real
from typing import Any

from symgd import display
from symgd.checks import is_number
from symgd.display import finite
from symgd.errors import UsageError, safe, shown
from symgd.graph import Graph
from symgd.insight.forms import NoMatrix
from symgd.insight.linear import PULL, LinearMap, linear_map, obstacle, read_map
from symgd.insight.search import best_lr, best_values, worst_rate
from symgd.insight.stability import stable_below
from symgd.insight.symbols import Symbols
from symgd.records import dataclass
from symgd.rules.lowering import reads
from symgd.rules.rule import Rule
from symgd.rules.values import check_schedule, of_t
from symgd.views import to_latex

__all__ = ["LinearMap", "Theory", "linear_map", "obstacle", "theory"]

_DOUBLE = 1e-7  # how far eigenvalues may be off in numbers where two of them meet, as they do at the best values
_CHANGING = "lr follows a formula of t, so that there is no one rate"
_AUTO = "lr='auto' is chosen by the run, so that there is no rate beforehand"


@dataclass(frozen=True, eq=False, repr=False)
class Theory:
    r"""What is known of an update rule on quadratics: exact stability limit, rate, best hyperparameters.

    On a quadratic whose Hessian has the eigenvalue :math:`\lambda`, one step of a linear rule multiplies the distance
    from the minimizer and the states, along the eigenvector, by the iteration matrix :math:`M(\lambda)`. Its spectral
    radius :math:`\rho` is the factor by which the error shrinks per step in the long run, and the rule is stable where
    :math:`\rho < 1`. Near a minimum any smooth objective is such a quadratic. States that never reach ``x`` are left
    out. `Rule.theory` makes one.

    Parameters
    ----------
    rule : Rule
        The rule, with the hyperparameters that hold.
    smallest : float or None
        The smallest eigenvalue of the Hessian, positive.
    largest : float or None
        The largest one.
    lr : float, str or None
        The learning rate.
    map : LinearMap or None
        The rule in numbers; ``None`` for a rule that has no iteration matrix.
    reason : str
        Why it has none, as a clause; empty for a rule that has one. All numbers and formulas are then ``None``.

    Examples
    --------
    >>> nesterov = Rule("v = beta*v + g; x = x - lr*(g + beta*v)", beta=0.9)
    >>> theory = nesterov.theory(smallest=1, largest=10, lr=0.05)
    >>> round(theory.rate, 6), round(theory.stable_lr, 6), theory.limit
    (0.924662, 0.135714, 2*(beta + 1)/(L*(2*beta + 1)))
    >>> {name: round(value, 6) for name, value in theory.best.items()}
    {'lr': 0.129032, 'beta': 0.471442}
    >>> theory.steps(1e-6)
    177
    >>> Rule("x = x - lr*sign(g)").theory().reason
    'sign(g) is not linear in x, g and the states'

    References
    ----------
    Lessard, Recht and Packard 2016, Analysis and Design of Optimization Algorithms via Integral Quadratic Constraints,
    section 2.2 and proposition 1; Polyak 1964.
    """

    rule: Rule
    smallest: float | None
    largest: float | None
    lr: float | str | None
    map: LinearMap | None
    reason: str

    # ---- numbers ---------------------------------------------------------------------------------------------------

    @property
    def linear(self) -> bool:
        """Whether the rule has an iteration matrix: it is linear, and the same in every step."""
        return self.map is not None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the numbers do not say: noise, where the rule settles, why there is no rate."""
        if self.map is None:
            return ()
        changing = {"auto": _AUTO}.get(self.lr, _CHANGING) if isinstance(self.lr, str) else ""
        return (*self.map.notes, changing) if changing else self.map.notes

    @cached_property
    def rate(self) -> float | None:
        """The largest spectral radius over all eigenvalues from ``smallest`` to ``largest`` at ``lr``.

        The error shrinks by this factor per step in the long run; at 1 and above, it does not. nan where a coefficient
        of the rule is not finite.
        """
        if self.map is None or self.smallest is None or self.largest is None or not isinstance(self.lr, float):
            return None
        return worst_rate(self.map, self.smallest, self.largest, self.lr)

    @cached_property
    def stable_lr(self) -> float | None:
        """The learning rate up to which the rule is stable for all eigenvalues from 0 to ``largest``.

        The end of the interval of stable learning rates that begins at 0; 0 where there is none, infinite where it has
        no end. Exact where lr enters the characteristic polynomial only by its product with the eigenvalue, as in most
        rules: a single lr inside at which the radius touches 1 does not end the interval. For others, learning rates
        from far below to far above 1 and 1 over ``largest`` are looked at in turn, each of which is decided exactly.
        """
        return None if self.map is None or self.largest is None else self.map.stable_lr(self.largest)

    @cached_property
    def stable(self) -> bool | None:
        """Whether the rule is stable at ``lr``, for eigenvalues from ``smallest``, or else from 0, to ``largest``."""
        if self.map is None or self.largest is None or not isinstance(self.lr, float):
            return None
        if self.rate is not None:
            return self.rate < 1
        try:
            return stable_below(self.map, self.lr, self.largest)
        except NoMatrix:
            return False

    @cached_property
    def _best(self) -> tuple[dict[str, float], float] | None:
        if self.map is None or self.smallest is None or self.largest is None:
            return None
        free = _free(self.map)
        closed = self._closed(self.smallest, self.largest, free)
        if closed is not None:
            return closed
        values, number = best_values(self.map, self.smallest, self.largest, free)
        return (values, number) if number < 1 else None

    def _closed(self, smallest: float, largest: float, free: tuple[str, ...]) -> tuple[dict[str, float], float] | None:
        """Evaluate the closed forms of the best values, if there are any and the matrix agrees."""
        assert self.map is not None
        if self._symbols.best is None or (self._symbols.family.name != "gd" and not free):
            return None
        formulas, formula = self._symbols.best
        changed = {k: self._symbols.evaluated(v, smallest, largest) for k, v in formulas.items()}
        rate = self._symbols.evaluated(formula, smallest, largest)
        values = {**changed, **{k: v for k, v in self.map.hyper.items() if k not in changed}}
        hyper = {k: v for k, v in values.items() if k != "lr"}
        found = worst_rate(self.map, smallest, largest, values["lr"], hyper)
        return (values, rate) if abs(found - rate) <= _DOUBLE else None

    @property
    def best(self) -> dict[str, float] | None:
        """The learning rate and hyperparameters with the best worst rate from ``smallest`` to ``largest``.

        From closed forms where there are any; otherwise by a search, which with several hyperparameters may end at
        values that are not quite the best. Hyperparameters stay as they are where the rule would settle elsewhere than
        at the minimum if they changed, as with a decay. ``None`` where nothing is stable.
        """
        return self._best[0] if self._best else None

    @property
    def best_rate(self) -> float | None:
        """The worst rate with ``best``."""
        return self._best[1] if self._best else None

    @cached_property
    def _best_lr(self) -> tuple[float, float] | None:
        if self.map is None or self.smallest is None or self.largest is None:
            return None
        lr, rate = best_lr(self.map, self.smallest, self.largest)
        return (lr, rate) if rate < 1 else None

    @property
    def best_lr(self) -> float | None:
        """The best learning rate, with the hyperparameters as they are; ``None`` where none is stable."""
        return self._best_lr[0] if self._best_lr else None

    @property
    def best_lr_rate(self) -> float | None:
        """The worst rate with ``best_lr``."""
        return self._best_lr[1] if self._best_lr else None

    def steps(self, tolerance: float) -> float:
        """Predict how many steps reduce the error by a factor: log(tolerance)/log(rate), rounded up.

        Parameters
        ----------
        tolerance : float
            The factor, between 0 and 1.

        Returns
        -------
        int or float
            At least 1; infinite where the rate is not below 1. What the states need to build up comes on top.

        Raises
        ------
        UsageError
            Without a rate, or for a tolerance that is no such factor.
        """
        if not is_number(tolerance) or not 0 < tolerance < 1:
            raise UsageError(f"tolerance={shown(tolerance)} must be a number between 0 and 1, such as 1e-6")
        if self.rate is None:
            why = self.reason or next(iter(self.notes[-1:]), "") or "it needs smallest, largest and lr"
            raise UsageError(f"there is no rate to count steps by: {why}")
        if not self.rate < 1:
            return math.inf
        return max(1, math.ceil(math.log(tolerance) / math.log(self.rate))) if self.rate > 0 else 1

    # ---- symbols ---------------------------------------------------------------------------------------------------

    @cached_property
    def _symbols(self) -> Any:
        return None if self.map is None else Symbols(self.map)

    @property
    def matrix(self) -> Any:
        """The iteration matrix as a SymPy matrix in ``lambda``, ``lr`` and the hyperparameters."""
        return self._symbols and self._symbols.matrix

    @property
    def characteristic(self) -> Any:
        """The characteristic polynomial of the matrix, in z, as a SymPy expression."""
        return self._symbols and self._symbols.characteristic

    @property
    def limit(self) -> Any:
        """The stability limit in symbols, with L for the largest eigenvalue; ``None`` where no closed form is known.

        It holds for the hyperparameters as they are and around them: elsewhere another root may be the first to leave
        the unit circle.
        """
        return self._symbols and self._symbols.limit

    @property
    def rate_formula(self) -> Any:
        """The worst rate in symbols, with mu and L for the ends; ``None`` where no closed form is known."""
        return self._symbols and self._symbols.rate

    @property
    def best_formula(self) -> dict[str, Any] | None:
        """The best learning rate and hyperparameters in symbols; ``None`` where no closed form is known."""
        return self._symbols.best[0] if self._symbols and self._symbols.best else None

    @property
    def best_rate_formula(self) -> Any:
        """The rate with them in symbols."""
        return self._symbols.best[1] if self._symbols and self._symbols.best else None

    # ---- how it is told --------------------------------------------------------------------------------------------

    def lines(self) -> list[tuple[str, str]]:
        """Give the account in lines: what, and its value."""
        if self.map is None:
            return [("theory", f"none: {self.reason}")]
        found = [("matrix of", ", ".join(self.map.names))]
        shown = {"stable up to": self.stable_lr, "rate": self.rate, "best lr": self.best_lr}
        told = {k: f"{v:.10g}" for k, v in shown.items() if v is not None}
        if self.limit is not None:
            told["stable up to"] = (
                f"{self.limit} = {told['stable up to']}" if "stable up to" in told else str(self.limit)
            )
        if self.rate is not None and self.rate >= 1:
            told["rate"] += ", unstable"
        elif self.stable is not None:
            told["rate"] = told.get("rate", "below 1") if self.stable else "unstable"
        if self.best_lr is not None:
            told["best lr"] += f", with the rate {self.best_lr_rate:.10g}"
        if self.best is not None and self.best_rate is not None and not self.best.items() >= self.map.hyper.items():
            values = ", ".join(f"{k} = {v:.10g}" for k, v in self.best.items())
            told["best of all"] = f"{values}, with the rate {self.best_rate:.10g}"
        if self.best_formula is not None:
            told["in symbols"] = ", ".join(f"{k} = {v}" for k, v in self.best_formula.items())
        return [*found, *told.items(), *(("note", note) for note in self.notes)]

    def summary(self) -> str:
        """Give the account as text.

        Returns
        -------
        str
        """
        lines = self.lines()
        width = max(len(label) for label, _ in lines)
        return "\n".join([f"{self.rule!r}", *(f"  {label:{width}}  {text}" for label, text in lines)])

    def to_dict(self) -> dict[str, Any]:
        """Give the account as plain data; formulas as text."""

        def number(value: float | None) -> float | None:
            return None if value is None else finite(value)

        def text(value: Any) -> str | None:
            return None if value is None else str(value)

        best, formulas = self.best, self.best_formula
        matrix = self.matrix
        return {
            "rule": self.rule.text, "name": self.rule.name, "hyper": dict(self.rule.hyper),
            "linear": self.linear, "reason": self.reason, "notes": list(self.notes),
            "smallest": self.smallest, "largest": self.largest, "lr": self.lr,
            "rate": number(self.rate), "stable": self.stable, "stable_lr": number(self.stable_lr),
            "best": best and {k: number(v) for k, v in best.items()}, "best_rate": number(self.best_rate),
            "best_lr": number(self.best_lr), "best_lr_rate": number(self.best_lr_rate),
            "matrix": None if matrix is None else [[str(v) for v in row] for row in matrix.tolist()],
            "matrix_of": None if self.map is None else list(self.map.names),
            "characteristic": text(self.characteristic), "limit": text(self.limit),
            "rate_formula": text(self.rate_formula),
            "best_formula": formulas and {k: str(v) for k, v in formulas.items()},
            "best_rate_formula": text(self.best_rate_formula),
        }  # fmt: skip

    def latex(self) -> str:
        """Give the iteration matrix, and the limit where it has a closed form, as LaTeX.

        Returns
        -------
        str
            Empty for a rule that has no matrix.
        """
        if self.map is None:
            return ""
        limit = rf", \qquad \text{{lr}} < {to_latex(self.limit)}" if self.limit is not None else ""
        return rf"M(\lambda) = {to_latex(self.matrix)}{limit}"

    def __repr__(self) -> str:
        name = self.rule.name or self.rule.text
        if self.map is None:
            return f"Theory({name!r}, none: {self.reason})"
        shown = {"rate": self.rate, "stable_lr": self.stable_lr, "best_lr": self.best_lr}
        told = [f"{k}={v:.6g}" for k, v in shown.items() if v is not None]
        return f"Theory({', '.join([repr(name), *(told or [f'limit={self.limit}'])])})"

    def _repr_html_(self) -> str:
        formula = f"<p>${self.latex()}$</p>" if self.map is not None else ""
        return display.html(display.code(repr(self.rule)), self.lines()) + formula


def theory(
    rule: Rule, smallest: float | None = None, largest: float | None = None, lr: float | str | None = None,
    hyper: Mapping[str, float | str] | None = None,
) -> Theory:  # fmt: skip
    """Work the theory of a rule out; see `Rule.theory`."""
    for name, value in (("smallest", smallest), ("largest", largest)):
        if value is not None and (not is_number(value) or not 0 < float(value) < math.inf):
            raise UsageError(
                f"{name}={shown(value)} must be a positive number: an eigenvalue of the Hessian at a minimum"
            )
    if smallest is not None and largest is not None and smallest > largest:
        raise UsageError(f"smallest={safe(smallest)} must not be above largest={safe(largest)}")
    if lr is not None:
        check_schedule(lr)
    if isinstance(lr, str) and lr != "auto":
        constant = of_t(Graph(), lr).constant
        lr = lr if constant is None else constant
    elif isinstance(lr, Real):
        lr = float(lr)
    chosen = rule.with_hyper(hyper) if hyper else rule
    low, high = (None if v is None else float(v) for v in (smallest, largest))
    try:
        found, reason = read_map(chosen), ""
    except NoMatrix as problem:
        found, reason = None, str(problem)
    return Theory(chosen, low, high, lr, found, reason)


def _free(found: LinearMap) -> tuple[str, ...]:
    """Give the hyperparameters that can change while the rule still settles at the minimum."""
    used = {part for node in found.coefficients.values() for part in reads(node)}
    if PULL in found.notes:
        return ()
    return tuple(name for name in found.hyper if name in used and _settles(found, name))


def _settles(found: LinearMap, name: str) -> bool:
    """Tell whether 1 stays an eigenvalue of the matrix without a gradient when a hyperparameter changes."""
    value = found.hyper[name] * (1 - 2.0**-7) or 2.0**-7
    try:
        return sum(found.polynomials(Fraction(1, 7), {name: value})[0]) == 0
    except NoMatrix:
        return False
