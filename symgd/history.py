"""The recorded steps of a run."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symgd.errors import UnknownNameError, safe
from symgd.parameters import Shapes
from symgd.records import dataclass

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class History:
    """The recorded steps of a run.

    Parameters
    ----------
    params : tuple of str
        The parameters, in order.
    step : ndarray of int, shape (k,)
        The numbers of the recorded steps; 0 is the start.
    value : ndarray, shape (k,)
        The objective's value after each.
    gradient_norm : ndarray, shape (k,)
        The Euclidean norm of the gradient there.
    point : ndarray, shape (k, n)
        The parameters there, arrays row after row; of very many parameters only the last point is kept, in the run.
    shapes : tuple of tuple of int, optional
        Of the parameters; by default they are numbers.
    epoch : ndarray, shape (k,), optional
        Of a run in batches: passes over the data that had ended.
    batches : History, optional
        Of a run in batches: its single steps, thinned where they are many. ``value`` and ``gradient_norm`` are those of
        the rows of a step, where it began; ``point`` is where it ended. The first record, the start, is of all rows.
    """

    params: tuple[str, ...]
    step: NDArray[np.int64]
    value: NDArray[np.float64]
    gradient_norm: NDArray[np.float64]
    point: NDArray[np.float64]
    shapes: tuple[tuple[int, ...], ...] = ()
    epoch: NDArray[np.float64] | None = None
    batches: History | None = None

    def __len__(self) -> int:
        return len(self.step)

    @property
    def names(self) -> list[str]:
        """Names of the columns of ``point``: ``w[0]``, ``w[1]``."""
        if not self.point.shape[1]:
            return []
        return list(self._shapes.names)

    @cached_property
    def _shapes(self) -> Shapes:
        return Shapes(self.params, self.shapes or None)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Give one parameter's values, or ``step``, ``epoch``, ``value``, ``gradient_norm``."""
        if not isinstance(name, str):
            raise UnknownNameError(name, self.columns(), "the history")
        if name in self.params and self.point.shape[1]:
            return self._shapes.part(self.point, name)
        if name in self.names:
            return self.point[:, self.names.index(name)]
        if name in ("step", "value", "gradient_norm") or (name == "epoch" and self.epoch is not None):
            column: NDArray[Any] = getattr(self, name)
            return column
        if name in self.params:
            raise KeyError(f"so many parameters are not kept at every step; the run's point has '{safe(name)}'")
        raise UnknownNameError(name, self.columns(), "the history")

    def columns(self) -> list[str]:
        """Give the names of all columns."""
        epoch = ["epoch"] if self.epoch is not None else []
        return ["step", *epoch, "value", "gradient_norm", *self.names]

    def to_frame(self) -> pd.DataFrame:
        """Give the history as a pandas DataFrame, one row a recorded step."""
        try:
            import pandas as pd
        except ImportError as problem:
            message = "a DataFrame needs pandas: pip install 'symgd[pandas]'"
            raise ImportError(message) from problem
        frame = pd.DataFrame(self.point, columns=self.names, index=range(len(self)))
        for place, name in enumerate(self.columns()[: 3 + (self.epoch is not None)]):
            frame.insert(place, name if name not in self.params else f"run_{name}", getattr(self, name))
        return frame

    def __repr__(self) -> str:
        return f"History({len(self)} records of steps 0 to {self.step[-1]}: {', '.join(self.columns()[:8])})"
