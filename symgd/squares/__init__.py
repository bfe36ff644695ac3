"""Sums of squares: recognised from a formula, with residuals, Jacobian, and the steps that use them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symgd.graph import ROWS, Graph, Node
from symgd.squares.damped import State, advance, begin
from symgd.squares.factors import Factors, factors
from symgd.squares.recognise import Term, recognise
from symgd.squares.residuals import Squares

__all__ = [
    "Factors",
    "Squares",
    "State",
    "Term",
    "advance",
    "begin",
    "factors",
    "recognise",
    "squares",
]


def squares(graph: Graph, root: Node, shapes: Mapping[str, tuple[int, ...]], data: Mapping[str, Any]) -> Squares | None:
    """Give an objective by its residuals, where its formula is a constant plus sums of squares.

    Parameters
    ----------
    graph : Graph
        Where the nodes were made.
    root : Node
        The objective, without grouped terms.
    shapes : mapping of str to tuple of int
        The parameters, in order.
    data : mapping of str to ndarray, Stored or float
        The data.

    Returns
    -------
    Squares or None
        ``None`` for any other formula, and where a weight is negative or no number.
    """
    found = recognise(graph, root)
    if found is None:
        return None
    uses_rows = any(ROWS in term.labels for terms in found for term in terms)
    if uses_rows and graph.store.rows is None:  # the data were given as names only
        return None
    result = Squares(graph, *found, shapes, data)
    usable = all(np.isfinite(scale).all() for scale in result.scales) and np.isfinite(result.constant)
    return result if usable else None
