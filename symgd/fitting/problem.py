"""What is to be fitted, as users give it: checked, and turned into an objective that is a sum of squares."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd import data as data_module
from symgd import language as fm
from symgd.data import Data, Owned, Stored
from symgd.errors import DataError, FormulaError, UsageError, safe, shown, suggest
from symgd.language.functions import CONSTANTS
from symgd.objective import Objective
from symgd.objective.formula import Formula, indices
from symgd.squares import Squares

Vector = NDArray[np.float64]

CHUNK = 1 << 20  # rows that are looked at together


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
    y : ndarray
        The target's values.
    w : ndarray
        Their weights, in the target's shape.
    """

    formula: Formula
    target: str
    objective: Objective
    squares: Squares
    start: Vector
    guessed: bool
    y: Vector
    w: Vector

    @property
    def weighted(self) -> bool:
        """Whether the weights are not all the same."""
        return bool((self.w != self.w.flat[0]).any()) or self.w.flat[0] != 1.0


def read(model: Any, data: Any, target: Any, start: Any, weights: Any, sigma: Any) -> Problem:
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
    known: dict[str, Any] = dict(data_module.load(data))
    if not known:
        raise UsageError("a fit needs data: a mapping of names to columns, a DataFrame, or a file of CSV")
    tree = fm.parse(model, declared=set(known))  # mistakes are shown in the text as it was typed
    text, wanted = str.__str__(model), fm.parse(target, declared=set(known))
    asked = [*fm.names(tree), *fm.names(wanted)]
    data_module.refuse_left_out(data, [name for name in asked if name not in known], declare=False)
    _check_columns("target", target, wanted, known)
    _check_no_loss(text, tree, target)
    y = _values(target, wanted, known, "target")
    factor, w = _counting(known, weights, sigma, fm.names(tree), y)
    for name in fm.names(tree):
        if name in known:
            _check_finite(name, known[name])
    params = [name for name in fm.names(tree) if name not in known and name not in CONSTANTS]
    _check_start(params, start, known)
    if not params:
        raise UsageError(f"there is nothing to fit: every name in '{safe(text)}' is a column of the data")
    residual = f"{enclosed(target)} - {enclosed(text)}"
    objective = Objective(f"sum({factor.format(f'({residual})')})", known, params)
    objective, x, guessed = _start(objective, params, start)
    found = objective.model.squares
    assert found is not None
    _check_sizes(found, y, w, text, target)
    formula = Formula(text, tree, objective.model.shapes, objective.data)
    return Problem(formula, target, objective, found, x, guessed, y, w)


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


def enclosed(text: str) -> str:
    """Put brackets around a formula; a comment at its end must not reach the closing one."""
    return text if text.isidentifier() else f"({text}\n)" if "#" in text else f"({text})"


def _values(text: str, tree: fm.Tree, known: Data, what: str) -> Vector:
    """Give the values of the target, or of the weights: finite, or a `DataError` that tells the row."""
    for name in fm.names(tree):
        if name in known:
            _check_finite(name, known[name])
    found = Formula(text, tree, {}, Owned(known, indices(tree), fm.names(tree))).values({})
    if not np.isfinite(found).all():
        row = int(np.argmin(np.isfinite(found).reshape(len(found), -1).all(axis=1))) if found.ndim else 0
        bad = found[row] if found.ndim < 2 else found[row][~np.isfinite(found[row])].flat[0]
        raise DataError(f"the {what} {safe(text)} is {bad:g} in row {row}; leave such rows out")
    return found


def _check_columns(what: str, text: str, tree: fm.Tree, known: Data) -> None:
    """Refuse a formula of the data that reads what is no column."""
    for name, (begin, end) in fm.names(tree).items():
        if name not in known and name not in CONSTANTS:
            near = suggest(name, list(known))
            listed = ", ".join(list(known)[:12]) + (", ..." if len(known) > 12 else "")
            hint = f"did you mean '{near}'?" if near else f"the columns are {safe(listed, 200)}"
            if text.strip() == name:
                raise DataError(f"{what}='{name}' is no column of the data; {hint}")
            raise FormulaError(f"'{name}' is no column of the data", text, begin, end, hint)


def _check_finite(name: str, column: Any) -> None:
    parts = ((low, column.rows(low, min(low + CHUNK, len(column)))) for low in range(0, len(column), CHUNK)) \
        if isinstance(column, Stored) else [(0, np.atleast_1d(np.asarray(column)))]  # fmt: skip
    for low, part in parts:
        if part.dtype.kind == "f" and not np.isfinite(part).all():
            row = int(np.argmin(np.isfinite(part).reshape(len(part), -1).all(axis=1)))
            bad = part[row] if part.ndim == 1 else part[row][~np.isfinite(part[row])].flat[0]
            count = int((~np.isfinite(part).reshape(len(part), -1).all(axis=1)).sum())
            more = f", and {count - 1:,} more rows" if count > 1 else ""
            raise DataError(f"'{name}' is {bad:g} in row {low + row}{more}; leave such rows out")


def _counting(
    known: dict[str, Any], weights: Any, sigma: Any, used: Mapping[str, Any], y: Vector
) -> tuple[str, Vector]:
    """Give the text of a weighted square, ``{}`` standing for the residual, and the weights' values."""
    what, given = ("weights", weights) if sigma is None else ("sigma", sigma)
    if given is None:
        return "{}**2", np.ones(y.shape)
    text = given if isinstance(given, str) else _free(what, [*known, *used])
    if not isinstance(given, str):
        known[text] = data_module.column(what, given)
        _check_finite(what, known[text])
    tree = fm.parse(text, declared=set(known))
    _check_columns(what, text, tree, known)
    found = _values(text, tree, known, what)
    try:
        found = np.broadcast_to(found, y.shape)
    except ValueError:
        raise DataError(
            f"{what} has the shape {found.shape}, and the target {y.shape}; give one for each row"
        ) from None
    bad = found <= 0 if what == "sigma" else found < 0
    if bad.any():
        row = int(np.argmax(bad.reshape(len(bad), -1).any(axis=1))) if bad.ndim else 0
        rule = "a standard deviation is positive" if what == "sigma" else "weights are not negative; 0 leaves a row out"
        raise DataError(f"{what} is {float(np.ravel(found[row])[0] if found.ndim else found):g} in row {row}; {rule}")
    if what == "weights" and not found.any():
        raise DataError("all weights are 0: no row counts")
    named = enclosed(text)
    return (f"({{}}/{named})**2", 1 / found**2) if what == "sigma" else (f"{named}*{{}}**2", np.array(found))


def _free(name: str, taken: Sequence[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _check_start(params: Sequence[str], start: Any, known: Data) -> None:
    """Tell a name that has neither data nor a start: it may be a column, misspelt."""
    if not isinstance(start, Mapping):
        return
    for name in params:
        if name not in start and len(start) > 0:
            near = suggest(name, [*known, *(k for k in start if isinstance(k, str))])
            hint = f"did you mean '{near}'?" if near else f"give it one: start={{'{name}': 1.0, ...}}"
            raise UsageError(f"'{name}' is no column of the data and has no start; {hint}")


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


def _check_sizes(found: Squares, y: Vector, w: Vector, text: str, target: str) -> None:
    if found.shape != y.shape:
        raise UsageError(
            f"the target {safe(target)} has the shape {y.shape}, and with the model {safe(text, 60)} the residuals "
            f"have {found.shape}; they must be the same"
        )
    rows = int((w > 0).sum())
    if rows < found.n:
        some = f"{rows} row{'s' if rows != 1 else ''}" + (" of positive weight" if rows < w.size else "")
        raise UsageError(
            f"{some} cannot determine {found.n} parameters; give more rows, or a model of fewer parameters"
        )
    if math.isinf(float(np.abs(y).max())):
        raise DataError(f"the target {safe(target)} is infinite")
