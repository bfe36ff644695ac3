"""The model inside of an objective of squares, so that a run is seen beside its data as a fit is."""

from __future__ import annotations

from dataclasses import field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from symgd import language as fm
from symgd.fitting import curve
from symgd.objective.formula import Formula
from symgd.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from symgd.objective import Objective
    from symgd.plotting.view import Vector
    from symgd.run import Run


@dataclass(frozen=True, eq=False)
class Seen:
    """A run as pictures of fits take it.

    Parameters
    ----------
    run : Run
        The run.
    formula : Formula
        The model.
    model : str
        Its text.
    target : str
        The column that it is to give.
    data : mapping
        The data of the objective.
    """

    run: Run
    formula: Formula
    model: str
    target: str
    data: Mapping[str, Any]
    fixed: Mapping[str, float] = field(default_factory=dict)
    weights: float = 1.0
    variance: float = float("nan")
    absolute_sigma: bool = False
    level: float = 0.95

    @property
    def shapes(self) -> Any:
        """The parameters' shapes."""
        return self.formula.shapes

    @cached_property
    def y(self) -> Vector:
        """The values that the model is to give."""
        return np.asarray(self.data[self.target], dtype=np.float64)

    @cached_property
    def fitted(self) -> Vector:
        """Those that it gives."""
        return np.asarray(self.predict())

    @property
    def residuals(self) -> Vector:
        """What is left between them."""
        return self.y - self.fitted

    def predict(self, data: Any = None, band: str | None = None) -> Vector:
        """Give the model's values at rows of data; of a run there are no bands."""
        assert band is None
        found, shape = (self.formula, self.y.shape) if data is None else curve.on(self.formula, data, self.fixed)
        return np.broadcast_to(found.values(self.run.point), shape).copy()


def of_run(run: Run, objective: Objective | None) -> Seen | None:
    """Give a run beside its data, where its objective has a square of a column less a model.

    Parameters
    ----------
    run : Run
        The run.
    objective : Objective or None
        What it descends on.

    Returns
    -------
    Seen or None
        ``None`` where there is no such square.
    """
    if objective is None:
        return None
    columns = set(objective.columns) & set(objective.data)
    for tree in fm.walk(objective.tree):
        if isinstance(tree, fm.Power) and isinstance(tree.base, fm.Sum) and _is_two(tree.exponent):
            found = _parted(objective.text, tree.base, columns)
            if found is not None:
                target, text, model = found
                shapes = objective.model.shapes
                if set(fm.names(model)) & set(shapes):
                    formula = Formula(text, model, shapes, objective.data, objective.columns)
                    return Seen(run, formula, text, target, objective.data)
    return None


def _is_two(tree: fm.Tree) -> bool:
    return isinstance(tree, fm.Number) and tree.value == Fraction(2)


def _parted(text: str, residual: fm.Sum, columns: set[str]) -> tuple[str, str, fm.Tree] | None:
    """Take a sum apart into a column that stands alone, and what it is compared with."""
    terms = [_unsigned(arg, sign) for arg, sign in zip(residual.args, residual.signs, strict=True)]
    for place, (arg, sign) in enumerate(terms):
        if not (isinstance(arg, fm.Name) and arg.name in columns):
            continue
        rest = [(a, -sign * s) for k, (a, s) in enumerate(terms) if k != place]
        spelt = "".join(f" {'+' if s > 0 else '-'} {_bare(text[a.start : a.end])}" for a, s in rest)
        if len(rest) == 1 and rest[0][1] > 0:
            return arg.name, _bare(text[rest[0][0].start : rest[0][0].end]), rest[0][0]
        first = rest[0][0] if rest[0][1] > 0 else fm.Unary("-", rest[0][0], start=rest[0][0].start, end=rest[0][0].end)
        tree = fm.Sum((first, *(a for a, _ in rest[1:])), (1, *(s for _, s in rest[1:]))) if rest[1:] else first
        return arg.name, spelt.removeprefix(" + ").strip(), tree
    return None


def _unsigned(arg: fm.Tree, sign: int) -> tuple[fm.Tree, int]:
    """Give a term without the minus before it, and its sign."""
    return (arg.arg, -sign) if isinstance(arg, fm.Unary) and arg.op == "-" else (arg, sign)


def _bare(text: str) -> str:
    """Leave out parentheses around the whole."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and place < len(text) - 1:
            return text
    return text[1:-1]
