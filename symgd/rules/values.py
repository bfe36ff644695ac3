"""Learning rates and hyperparameters as they are given: numbers, or formulas of the step's number t."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from symgd import language as fm
from symgd.checks import is_number
from symgd.errors import FormulaError, UsageError, safe, shown
from symgd.graph import Graph, Node, read
from symgd.language import Tree


def check_schedule(lr: Any) -> None:
    """Refuse a learning rate that is neither a positive number, nor ``"auto"``, nor a formula of ``t``.

    Parameters
    ----------
    lr : float or str
        What was given.

    Raises
    ------
    FormulaError
        If it is a text that is no formula of ``t``.
    UsageError
        If it is anything else.
    """
    if isinstance(lr, str):
        node = None if lr == "auto" else of_t(Graph(), lr)
        if node is not None and node.constant is not None and not node.constant > 0:
            raise UsageError(f"lr={shown(lr)} must be positive")
    elif not is_number(lr) or not float(lr) > 0:
        rule = "a positive number, 'auto', or a formula of t such as '0.1/(1 + t/100)'"
        raise UsageError(f"lr={safe(lr)} must be {rule}")


def of_t(graph: Graph, text: str) -> Node:
    """Read a schedule."""
    known = {"t": graph.leaf("symbol", "t")}
    return of_tree(graph, text, _tree(str.__str__(text)), known)


@lru_cache(64)
def _tree(text: str) -> Tree:
    return fm.parse(text, declared=("t",))


def of_tree(graph: Graph, text: str, tree: Tree, known: Mapping[str, Node]) -> Node:
    """Give the node of a formula of names that are known."""

    def lookup(name: fm.Name) -> Node:
        if name.name in known:
            return known[name.name]
        if name.name in ("pi", "e"):
            return graph.leaf("constant", name.name)
        hint = f"it may read {', '.join(known)}"
        raise FormulaError(f"unknown name '{name.name}'", text, name.start, name.end, hint)

    return read(graph, text, tree, lookup, group=False).node
