"""What is to be fitted, as users give it: checked, and turned into an objective that is a sum of squares."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd import data as data_module
from symgd import language as fm
from symgd.checks import number
from symgd.data import Data, Owned, Stored, points
from symgd.errors import FormulaError, UsageError, safe, shown, suggest
from symgd.fitting.rows import Rows, check_finite, free, listed, minus, name_of, over, total
from symgd.fitting.rows import read as read_rows
from symgd.graph import ROWS, Fold, reachable
from symgd.language import Typed
from symgd.language.functions import CONSTANTS
from symgd.objective import Objective
from symgd.objective.formula import Formula, indices
from symgd.records import dataclass
from symgd.squares import Squares

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Problem:
    """A model, its data, and where to start.

    Parameters
    ----------
    formula : Formula
        The model, its parameters, and the data, those included that were given as weights.
    target : str
        The target, a formula of the data.
    objective : Objective
        The weighted sum of squared residuals.
    squares : Squares
        The same by its residuals.
    start : ndarray, shape (n,)
        Where to start.
    guessed : bool
        Whether the start was made up.
    rows : Rows
        The target and its weights.
    seen : ndarray of bool
        The rows that the residuals are made of: all, but those of weight 0 where they can be left out.
    fixed : dict of str to float
        Parameters that keep their values.
    """

    formula: Formula
    target: str
    objective: Objective
    squares: Squares
    start: Vector
    guessed: bool
    rows: Rows
    seen: NDArray[np.bool_]
    fixed: dict[str, float]

    @property
    def weighted(self) -> tuple[Vector, Vector]:
        """The target as the residuals have it, and the roots of the weights it is multiplied by; shape (m,)."""
        y, w = self.rows.y, self.rows.w
        if y.ndim:
            y, w = y[self.seen], w[self.seen]
        root = np.sqrt(np.ravel(w))
        return np.ravel(y) / self.rows.unit * root, root


def read(model: Any, data: Any, target: Any, start: Any, weights: Any, sigma: Any, fixed: Any = None) -> Problem:
    """Check everything that a fit is made from.

    Parameters
    ----------
    model : str
        The model's formula.
    data : mapping, DataFrame or path
        The data.
    target : str
        A column of the data, or a formula of several.
    start : mapping or sequence or None
        Where to start.
    weights : str, array or None
        What squared residuals are multiplied by.
    sigma : str, array or None
        Standard deviations of the target.
    fixed : mapping or None
        Parameters that keep their values.

    Returns
    -------
    Problem

    Raises
    ------
    FormulaError
        If a formula is none.
    DataError
        If the data hold numbers that are not finite, or not the columns that are asked for.
    UsageError
        For anything else that does not fit together.
    """
    if callable(model):
        raise UsageError(f"the model must be a formula, such as 'a*exp(-b*x)'; got {shown(model)}")
    if not isinstance(target, str):
        rule = "must be the name of a column, or a formula such as 'log(y)'"
        hint = "" if isinstance(target, (bool, int, float)) else "; numbers are given as data={'x': ..., 'y': ...}"
        raise UsageError(f"target={shown(target)} {rule}{hint}")
    if weights is not None and sigma is not None:
        raise UsageError("weights and sigma both say how much each row counts; sigma=s is weights=1/s**2: give one")
    start, fixed = points.by_label(start), points.by_label(fixed)
    loaded = data_module.load(data)
    known: dict[str, Any] = dict(loaded)
    if not known:
        raise UsageError("a fit needs data: a mapping of names to columns, a DataFrame, or a file of CSV")
    target = fm.written(fm.quoted(target)) if fm.quoted(target) in known else target
    tree, wanted = _parsed(model, known), _parsed(target, known)  # mistakes are shown in the text as it was typed
    text = str.__str__(model)
    asked = [*fm.names(tree), *fm.names(wanted)]
    data_module.refuse_left_out(loaded, [name for name in asked if name not in known], declare=False)
    _check_no_loss(text, tree, target)
    numbers = _fixed(fixed, start, [name for name in fm.names(tree) if name not in known], known)
    known |= numbers
    rows = read_rows(target, wanted, known, weights, sigma, fm.names(tree))
    params = [name for name in fm.names(tree) if name not in known and name not in CONSTANTS]
    _check_start(params, start, known)
    if not params:
        rest = " or fixed" if numbers else ""
        raise UsageError(f"there is nothing to fit: every name in '{safe(text)}' is a column of the data{rest}")
    loss = _loss(Typed(text, tree), Typed(target, wanted), rows, known)
    seen = rows.seen if _apart(known, tree, wanted) else np.ones_like(rows.seen)
    objective, x, guessed = _start(Objective(loss, _only(known, seen), params), params, start)
    if not seen.all() and _joined(objective):  # what reads all rows at once reads them as they are
        seen = np.ones_like(seen)
        for name in (name for name in fm.names(wanted) if name in known):
            check_finite(name, known[name], seen)
        objective, x, guessed = _start(Objective(loss, known, params), params, start)
    for name in fm.names(tree):
        if name in known:
            check_finite(name, known[name], seen)
    found = objective.model.squares
    assert found is not None
    _check_sizes(found, rows, rows.y[seen] if rows.y.ndim else rows.y, text, target)
    owned = objective.data if seen.all() else Owned(known, indices(tree), fm.names(tree))
    return Problem(
        Formula(text, tree, objective.model.shapes, owned), target, objective, found, x, guessed, rows, seen, numbers
    )


def _loss(model: Typed, target: Typed, rows: Rows, known: dict[str, Any]) -> Typed:
    """Write the weighted sum of squares; numbers that it needs are added to the data."""
    taken = [*known, *fm.names(model.tree)]
    if not np.isfinite(rows.y).all() and rows.y.ndim > 1:  # single values that do not count are 0
        target = name_of(free("target", taken))
        known[str(target)] = np.where(rows.w > 0, rows.y, 0.0)
    residual = minus(target, model)
    if rows.unit != 1:
        known[unit := free("unit", taken)] = rows.unit
        residual = over(residual, name_of(unit))
    return total(rows.square(residual))


def _apart(known: Data, tree: fm.Tree, wanted: fm.Tree) -> bool:
    """Tell whether rows can be left out: each stands for itself, and they are in memory."""
    used = [known[name] for name in {**fm.names(tree), **fm.names(wanted)} if name in known]
    return not indices(tree) and not indices(wanted) and not any(isinstance(column, Stored) for column in used)


def _only(known: Data, seen: NDArray[np.bool_]) -> Data:
    """Give the data without the rows in which nothing counts."""
    if seen.all():
        return known
    aligned = {name: isinstance(v, np.ndarray) and v.shape[:1] == seen.shape for name, v in known.items()}
    return {name: np.asarray(v)[seen] if aligned[name] else v for name, v in known.items()}


def _joined(objective: Objective) -> bool:
    """Tell whether a residual reads more rows than its own."""
    found = objective.model.squares
    return found is None or any(isinstance(node, Fold) and node.label == ROWS
                                for node in reachable([term.residual for term in found.terms]))  # fmt: skip


def _fixed(fixed: Any, start: Any, free_: Sequence[str], known: Data) -> dict[str, float]:
    """Give the parameters that keep their values."""
    if fixed is None:
        return {}
    if not isinstance(fixed, Mapping):
        raise UsageError(f"fixed={shown(fixed)} must be a mapping of parameters to numbers, such as {{'c': 0.5}}")
    found = {}
    for given, value in fixed.items():
        name = fm.check_name(given)
        if name not in free_:
            near = suggest(name, free_)
            what = "a column of the data" if name in known else "no parameter of the model"
            hint = f"did you mean '{near}'?" if near else f"its parameters are {', '.join(free_)}"
            raise UsageError(f"fixed names '{safe(name)}', which is {what}; {hint}")
        if isinstance(start, Mapping) and given in start:
            raise UsageError(f"'{safe(name)}' is fixed and has a start as well; leave one of them out")
        found[name] = number(f"fixed['{safe(name)}']", value, "a number that the parameter keeps, such as 0.5")
    return found


def _parsed(text: Any, known: Data) -> fm.Tree:
    """Read a formula; where the data have columns whose names are none, a mistake may come from that."""
    try:
        return fm.parse(text, declared=set(known))
    except FormulaError as problem:
        odd = [name for name in known if fm.unquoted(name) is not None]
        if not odd:
            raise
        hint = f"{problem.hint}; " if problem.hint else ""
        columns = f"{hint}the columns are {listed(known)}"
        raise FormulaError(problem.problem, problem.text, problem.start, problem.end, columns) from None


def _check_no_loss(text: str, tree: fm.Tree, target: str) -> None:
    """Refuse a loss in the place of a model: a sum or mean of something that reads the target."""
    read = fm.names(tree)
    if target not in read:
        return
    summed = [t for t in fm.walk(tree) if isinstance(t, fm.Call) and t.function in ("sum", "mean", "norm")
              and target in fm.names(t)]  # fmt: skip
    squared = isinstance(tree, fm.Power | fm.Sum) and any(isinstance(t, fm.Power) and target in fm.names(t.base)
                                                         for t in fm.walk(tree))  # fmt: skip
    if not summed and not squared:
        return
    hint = f"give the model alone, what {target} is to be like"
    for t in fm.walk(tree):
        if isinstance(t, fm.Sum) and len(t.args) == 2 and t.signs[1] < 0:
            other = [a for a in t.args if not (isinstance(a, fm.Name) and a.name == target)]
            if len(other) == 1 and target not in fm.names(other[0]):
                hint += f": {safe(fm.source(text, other[0]), 60)}"
                break
    problem = f"this is a loss, for it reads the target '{target}'; fit takes the model, and squares the differences"
    raise FormulaError(problem, text, *read[target], f"{hint}; Objective(...).minimize takes a loss")


def _check_start(params: Sequence[str], start: Any, known: Data) -> None:
    """Tell a name that has neither data nor a start: it may be a column, misspelt."""
    odd = [plain for name in known if (plain := fm.unquoted(name)) is not None]
    given = start if isinstance(start, Mapping) else {}
    for name in params:
        if name in given:
            continue
        part = next((plain for plain in odd if name in re.findall(r"\w+", plain)), None)
        if part is not None:
            rule = f"there is a column '{safe(part)}': write it in backquotes, `{safe(part)}`, or rename it"
            raise UsageError(f"'{name}' is no column of the data and has no start; {rule}")
        if given:
            near = suggest(name, [*known, *(k for k in start if isinstance(k, str))])
            hint = f"did you mean '{near}'?" if near else f"give it one: start={{'{name}': 1.0, ...}}"
            raise UsageError(
                f"'{name}' is no column of the data and has no start; {hint}; the columns are {listed(known)}"
            )


def _start(objective: Objective, params: Sequence[str], start: Any) -> tuple[Objective, Vector, bool]:
    """Give the start as a vector; ones, where none was given."""
    if start is None or (isinstance(start, Mapping) and not start):
        shapes = objective.model.shapes
        x = objective.vector({name: np.ones(shapes[name]) if shapes[name] else 1.0 for name in params})
        return objective, x, True
    x = objective.vector(start)
    if isinstance(start, Mapping) and any(np.ndim(v) for v in start.values()):
        objective = objective.with_shapes({name: np.shape(start[name]) for name in params})
    return objective, x, False


def _check_sizes(found: Squares, rows: Rows, y: Vector, text: str, target: str) -> None:
    if found.shape != y.shape:
        raise UsageError(
            f"the target {safe(target)} has the shape {y.shape}, and with the model {safe(text, 60)} the residuals "
            f"have {found.shape}; they must be the same"
        )
    count = int((rows.w > 0).sum())
    if count < found.n:
        some = f"{count} row{'s' if count != 1 else ''}" + (" of positive weight" if count < rows.w.size else "")
        raise UsageError(
            f"{some} cannot determine {found.n} parameters; give more rows, or a model of fewer parameters"
        )
