"""From a rule's text to nodes."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from symgd import language as fm
from symgd.graph import ROWS, Graph, Leaf, Node, as_number, reachable, read
from symgd.records import dataclass
from symgd.rules.values import of_t, of_tree

if TYPE_CHECKING:
    from symgd.rules.rule import Rule

COMPONENTS = ROWS  # the label of the parameter vector inside a rule: one row a parameter


@dataclass(frozen=True)
class Lowered:
    """A rule as nodes: the new parameters and states, what the states start at, and how many draws a step takes."""

    graph: Graph = field(repr=False)
    x: Node
    states: dict[str, Node]
    init: dict[str, Node]
    draws: int

    def roots(self) -> list[Node]:
        """Give the new parameters and states."""
        return [self.x, *self.states.values()]


def reads(node: Node) -> set[str]:
    """Give the names that a node reads."""
    return {n.name for n in reachable([node]) if isinstance(n, Leaf)}


def lower(rule: Rule, graph: Graph, lr: float | str) -> Lowered:
    """Give a rule as nodes.

    Parameters
    ----------
    rule : Rule
        The rule.
    graph : Graph
        Where nodes are made.
    lr : float or str
        A number, which is read at run time under the name ``lr``, or a formula of ``t``.

    Returns
    -------
    Lowered

    Raises
    ------
    FormulaError
        If the schedule is no formula of ``t``.
    """
    known: dict[str, Node] = {name: graph.leaf("symbol", name, (COMPONENTS,)) for name in ("x", "g")}
    known |= {name: graph.leaf("symbol", name) for name in ("f", "t")}
    for name, value in {"lr": lr, **rule.hyper}.items():
        known[name] = of_t(graph, value) if isinstance(value, str) and value != "lr" else graph.leaf("symbol", name)
    init = {name: of_tree(graph, rule.init[name], tree, known) for name, tree in rule.starts.items()}
    for state in rule.states:
        known[state] = graph.leaf("symbol", state, (COMPONENTS,))
    draws = 0

    def lookup(name: fm.Name) -> Node:
        nonlocal draws
        if name.name == "normal()":
            draws += 1
            return graph.leaf("draw", str(draws - 1), (COMPONENTS,))
        return known[name.name] if name.name in known else graph.leaf("constant", name.name)

    for step in rule.steps:
        known[step.name] = as_number(graph, read(graph, rule.text, step.value, lookup, group=False).node)
    states = {state: known[state] for state in rule.states}
    return Lowered(graph, known["x"], states, init, draws)
