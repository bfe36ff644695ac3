"""Residuals at many points at once, for points that are only rated: a hundred take as long as ten one by one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.graph import Matrix, Node, reachable
from symgd.squares.recognise import Term
from symgd.squares.residuals import Squares, ordered

Array = NDArray[np.float64]


def all_numbers(squares: Squares) -> bool:
    """Tell whether all parameters are numbers, so that many points can be looked at together.

    Parameters
    ----------
    squares : Squares
        The residuals.

    Returns
    -------
    bool
    """
    nodes = reachable([term.residual for term in squares.terms])
    return not any(squares.shapes.values()) and not any(isinstance(node, Matrix) for node in nodes)


class Together:
    """Residuals, and some columns of the Jacobian, at many points.

    Parameters
    ----------
    squares : Squares
        The residuals; their parameters are numbers.
    names : sequence of str
        The parameters whose columns are wanted.
    """

    def __init__(self, squares: Squares, names: Sequence[str] = ()) -> None:
        self._squares, self._names = squares, tuple(names)
        self._wanted = [[[e.node for e in found or () if e.leaf.name == name] for name in names]
                        for found in squares.entries]  # fmt: skip
        nodes = [term.residual for term in squares.terms]
        nodes += [node for columns in self._wanted for column in columns for node in column]
        self._tape = squares.tape(nodes)

    def at(self, X: Array) -> tuple[Array, Array]:
        """Give residuals and columns.

        Parameters
        ----------
        X : ndarray, shape (k, n)
            The points.

        Returns
        -------
        r : ndarray, shape (k, m)
        J : ndarray, shape (k, m, number of names)
        """
        squares, low = self._squares, 0
        values = self._tape.at(dict(zip(squares.shapes, X.T, strict=True)), many=True)
        r, J = np.empty((len(X), squares.m)), np.zeros((len(X), squares.m, len(self._names)))
        for i, (term, columns) in enumerate(zip(squares.terms, self._wanted, strict=True)):
            rows = slice(low, low + math.prod(squares.places[i]))
            low = rows.stop
            r[:, rows] = self._wide(values, term.residual, term, i, len(X))
            for k, nodes in enumerate(columns):
                for node in nodes:
                    J[:, rows, k] += self._wide(values, node, term, i, len(X))
        return r, J

    def _wide(self, values: Any, node: Node, term: Term, i: int, count: int) -> Array:
        """Give the values of a node, a row for each point."""
        with np.errstate(all="ignore"):
            value = self._tape.arranged(values[node], ordered(term.labels), many=node.active) * self._squares.scales[i]
        return np.broadcast_to(value, (count, *self._squares.places[i])).reshape(count, -1)
