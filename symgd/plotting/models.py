"""The model inside of an objective of squares, so that a run is seen beside its data as a fit is."""

from __future__ import annotations

from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from symgd.fitting import curve
from symgd.objective.compared import compared
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
    found = compared(objective)
    if found is None:
        return None
    formula = Formula(found.text, found.tree, objective.model.shapes, objective.data, objective.columns)
    return Seen(run, formula, found.text, found.target, objective.data)
