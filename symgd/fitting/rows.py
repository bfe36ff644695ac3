"""Which rows of the data count in a fit, and how much: target, weights, and units in which squares stay in range."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd import data as data_module
from symgd import language as fm
from symgd.data import Data, Owned, Stored
from symgd.errors import DataError, FormulaError, safe, suggest
from symgd.language import Typed, joined
from symgd.language.functions import CONSTANTS
from symgd.objective.formula import Formula, indices
from symgd.records import dataclass

Vector = NDArray[np.float64]

CHUNK = 1 << 20  # rows that are looked at together
RANGE = 1e70  # sizes beyond which, and below one over which, squares need other units


@dataclass(frozen=True, eq=False)
class Rows:
    """The target, and what its squared residuals are multiplied by.

    Parameters
    ----------
    y : ndarray
        The target in all rows.
    w : ndarray
        The weights, in its shape; relative to `scale` where they are of extreme size.
    square : callable
        Gives the weighted square of a residual.
    unit : float
        What residuals are divided by before they are squared: 1, but for targets of extreme size.
    scale : float
        What the root of the sum of squares is to be multiplied by to undo this, and the same for weights.
    """

    y: Vector
    w: Vector
    square: Callable[[Typed], Typed]
    unit: float
    scale: float

    @property
    def seen(self) -> NDArray[np.bool_]:
        """The rows in which something counts."""
        counts = np.asarray(self.w > 0)
        return np.asarray(counts.reshape(len(counts), -1).any(axis=1)) if counts.ndim else counts

    @property
    def total(self) -> float:
        """The sum of squares that a constant leaves, in the units of the residuals."""
        counts = self.w > 0
        y, w = self.y[counts] / self.unit, self.w[counts]
        return float(np.sum(w * (y - float(np.average(y, weights=w))) ** 2))


def read(
    target: str, wanted: fm.Tree, known: dict[str, Any], weights: Any, sigma: Any, taken: Mapping[str, Any]
) -> Rows:
    """Read target and weights.

    Parameters
    ----------
    target : str
        A column of the data, or a formula of several.
    wanted : Tree
        The same, read.
    known : dict
        The data; weights that are given as numbers are added.
    weights : str, array or None
        What squared residuals are multiplied by.
    sigma : str, array or None
        Standard deviations of the target.
    taken : mapping
        Names that the model uses.

    Returns
    -------
    Rows

    Raises
    ------
    DataError
        If weights are no weights, or there is something in a row that counts which is not finite.
    """
    check_columns("target", target, wanted, known)
    y = _values(target, wanted, known)
    square, w, root = _counting(known, weights, sigma, taken, y)
    rows = Rows(y, w, square, 1.0, root)
    if not np.isfinite(y[w > 0]).all():
        for name in fm.names(wanted):
            if name in known:
                check_finite(name, known[name], rows.seen)
        _check_values("target", target, np.where(w > 0, y, 0.0))
    size = float(np.abs(y[w > 0]).max())
    unit = 1.0 if size == 0 or 1 / RANGE < size < RANGE else 2.0 ** math.floor(math.log2(size))
    return Rows(y, w, square, unit, root * unit)


def _values(text: str, tree: fm.Tree, known: Data) -> Vector:
    return Formula(text, tree, {}, Owned(known, indices(tree), fm.names(tree))).values({})


def _check_values(what: str, text: str, found: Vector) -> None:
    """Refuse values that are not finite."""
    bad = ~np.isfinite(found).reshape(len(found), -1).all(axis=1) if found.ndim else ~np.isfinite(found)
    if bad.any():
        row = int(np.argmax(bad)) if found.ndim else 0
        value = found[row] if found.ndim == 1 else found if not found.ndim else found[row][~np.isfinite(found[row])][0]
        raise DataError(f"the {what} {safe(text)} is {float(value):g} in row {row}; {OUT}")


OUT = "leave such rows out, or give them the weight 0"


def check_finite(name: str, column: Any, seen: NDArray[np.bool_]) -> None:
    """Refuse a column with something that is not finite in a row that counts.

    Parameters
    ----------
    name : str
        Its name.
    column : ndarray, Stored or float
        Its values.
    seen : ndarray of bool
        The rows that count; of columns of another length all are looked at.

    Raises
    ------
    DataError
        Says which row.
    """
    if not isinstance(column, Stored):
        column = np.atleast_1d(np.asarray(column))
    counts = seen if seen.shape == (len(column),) else np.ones(len(column), dtype=bool)
    for low in range(0, len(column), CHUNK):
        high = min(low + CHUNK, len(column))
        part = column.rows(low, high) if isinstance(column, Stored) else column[low:high]
        if part.dtype.kind != "f" or np.isfinite(part).all():
            continue
        bad = ~np.isfinite(part).reshape(len(part), -1).all(axis=1) & counts[low:high]
        if bad.any():
            row = int(np.argmax(bad))
            value = part[row] if part.ndim == 1 else part[row][~np.isfinite(part[row])].flat[0]
            more = f", and {int(bad.sum()) - 1:,} more rows" if bad.sum() > 1 else ""
            raise DataError(f"'{safe(fm.unquoted(name) or name)}' is {value:g} in row {low + row}{more}; {OUT}")


def check_columns(what: str, text: str, tree: fm.Tree, known: Data) -> None:
    """Refuse a formula of the data that reads what is no column.

    Parameters
    ----------
    what : str
        What it is for.
    text : str
        The formula.
    tree : Tree
        The same, read.
    known : mapping
        The data.

    Raises
    ------
    DataError, FormulaError
        Says which columns there are.
    """
    for name, (begin, end) in fm.names(tree).items():
        if name not in known and name not in CONSTANTS:
            near = suggest(name, list(known))
            hint = f"did you mean '{near}'?" if near else f"the columns are {listed(known)}"
            if text.strip() == name:
                raise DataError(f"{what}='{name}' is no column of the data; {hint}")
            raise FormulaError(f"'{name}' is no column of the data", text, begin, end, hint)


def listed(known: Iterable[str], most: int = 12) -> str:
    """Give the names of columns as a formula has them, those that need them in backquotes."""
    names = [fm.written(name) for name in known]
    more = "" if len(names) <= most else ", ..."
    odd = any(fm.unquoted(name) is not None for name in known)
    rename = "; in backquotes as here, or renamed" if odd else ""
    return safe(", ".join(names[:most]) + more, 300) + rename


def _counting(
    known: dict[str, Any], weights: Any, sigma: Any, taken: Mapping[str, Any], y: Vector
) -> tuple[Callable[[Typed], Typed], Vector, float]:
    """Give what writes a weighted square, the weights' values, and the root of what they are relative to."""
    what, given = ("weights", weights) if sigma is None else ("sigma", sigma)
    if given is None:
        return squared, np.ones(y.shape), 1.0
    if isinstance(given, str):
        text = Typed(given, fm.parse(given, declared=set(known)))
    else:
        text = name_of(free(what, [*known, *taken]))
        known[str(text)] = data_module.column(what, given)
    check_columns(what, text, text.tree, known)
    found = _values(text, text.tree, known)
    _check_values(what, text, found)
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
    one = _middle(found[found > 0])
    named = text.enclosed()
    if one != 1:
        known[name := free("unit", [*known, *taken])] = one
        named = over(named, name_of(name))
    if what == "sigma":
        return lambda residual: squared(over(residual, named)), (one / found) ** 2, 1 / one
    return lambda residual: _times(named, squared(residual)), found / one, math.sqrt(one)


def _middle(sizes: Vector) -> float:
    """Give what sizes are to be divided by so that their squares stay in range: 1, or a power of 2 between them."""
    low, high = float(sizes.min()), float(sizes.max())
    if low > 1 / RANGE and high < RANGE:
        return 1.0
    return float(2.0 ** math.floor((math.log2(low) + math.log2(high)) / 2))


# ---- what is written around the formulas -----------------------------------------------------------------------------


def minus(a: Typed, b: Typed) -> Typed:
    """Write a difference, in brackets."""
    return joined(lambda x, y: fm.Sum((x, y), (1, -1)), "(", a.enclosed(), " - ", b.enclosed(), ")")


def over(a: Typed, b: Typed) -> Typed:
    """Write a quotient of what needs no brackets, in brackets."""
    return joined(lambda x, y: fm.Product((x, y), ("/",)), "(", a, "/", b, ")")


def squared(a: Typed) -> Typed:
    """Write the square of what needs no brackets."""
    return joined(fm.Power, a, "**", Typed("2", fm.Number(Fraction(2), start=0, end=1)))


def _times(a: Typed, b: Typed) -> Typed:
    return joined(lambda x, y: fm.Product((x, y), ("*",)), a, "*", b)


def total(a: Typed) -> Typed:
    """Write a sum over everything."""
    return joined(lambda x: fm.Call("sum", (x,), typed="sum"), "sum(", a, ")")


def name_of(text: str) -> Typed:
    """Give a name as it is written."""
    return Typed(text, fm.Name(text, start=0, end=len(text)))


def free(name: str, taken: list[str]) -> str:
    """Give a name that is not taken yet."""
    while name in taken:
        name += "_"
    return name
