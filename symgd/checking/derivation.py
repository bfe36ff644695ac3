"""The derivation as LaTeX: the objective, each step of the chain rule, both derivatives, and their difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symgd import views
from symgd.checking.claims import Target
from symgd.checking.exact import plain_graph
from symgd.errors import SymgdError
from symgd.graph import Fold, Graph, Map, Node, reachable
from symgd.graph.partials import partials

if TYPE_CHECKING:
    from symgd.checking.problem import Problem

STEPS = 12  # of the chain rule that are shown


def derivation(problem: Problem, target: Target, yours: str) -> str:
    """Write down how the exact derivative comes about, and what was claimed beside it.

    Parameters
    ----------
    problem : Problem
        The objective.
    target : Target
        Which derivative.
    yours : str
        What is claimed.

    Returns
    -------
    str
        LaTeX; empty where a part has no such form.
    """
    try:
        graph, root = plain_graph(problem, problem.text, problem.tree)
    except SymgdError:
        return ""
    lines = [rf"f &= {_latex(graph, root)}"]
    for node in [n for n in reachable([root]) if n.active and isinstance(n, Map | Fold)][-STEPS:]:
        lines += _step(graph, node)
    exact = _element(problem, target)
    if exact:
        lines.append(rf"\frac{{\partial f}}{{\partial {target.name}}} &= {exact}")
    lines.append(r"\text{yours} &= \texttt{" + _escaped(yours) + "}")
    return r"\begin{aligned}" + r" \\ ".join(line for line in lines if line) + r"\end{aligned}"


def _step(graph: Graph, node: Node) -> list[str]:
    """Give the derivatives of one function by its arguments."""
    if not isinstance(node, Map) or node.function in ("add", "multiply") or any(n.labels for n in (node, *node.args)):
        return []
    found = []
    for arg, slope in zip(node.args, partials(graph, node), strict=True):
        if arg.active:
            found.append(rf"\frac{{\partial}}{{\partial u}}\,{_latex(graph, node)} &= {_latex(graph, slope)}, "
                         rf"\quad u = {_latex(graph, arg)}")  # fmt: skip
    return found


def _latex(graph: Graph, node: Node) -> str:
    try:
        return views.to_latex(views.to_sympy(node, graph=graph))
    except (NotImplementedError, KeyError, ValueError, AssertionError, AttributeError):
        return r"\dots"


def _element(problem: Problem, target: Target) -> str:
    from symgd.checking.exact import gradient

    try:
        found = gradient(problem)[target.name]
        return views.to_latex(found.sympy if hasattr(found, "sympy") else found)
    except (SymgdError, NotImplementedError, KeyError, ValueError, AssertionError, AttributeError):
        return ""


def _escaped(text: str) -> str:
    for sign in ("\\", "_", "^", "&", "%", "#", "{", "}", "$"):
        text = text.replace(sign, r"\textbackslash{}" if sign == "\\" else r"\^{}" if sign == "^" else "\\" + sign)
    return text
