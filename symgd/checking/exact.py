"""The exact derivative as text, to stand beside what was claimed."""

from __future__ import annotations

from symgd import language as fm
from symgd import views
from symgd.checking.claims import Target
from symgd.checking.problem import Problem
from symgd.errors import SymgdError
from symgd.graph import Array, Forms, Graph, Node, calculus, read, whole

LONGEST = 400


def text(problem: Problem, target: Target) -> str:
    """Give the exact derivative as NumPy text that can be pasted.

    Parameters
    ----------
    problem : Problem
        The objective.
    target : Target
        Which derivative; of blocks of arrays there is no text.

    Returns
    -------
    str
        Empty where there is none.
    """
    if target.of:
        return ""
    known = problem.__dict__.setdefault("_texts", {})
    if target.name not in known:
        try:
            known[target.name] = _text(problem, target.name)
        except (SymgdError, NotImplementedError, KeyError, AssertionError, IndexError, ValueError):
            known[target.name] = ""
    found: str = known[target.name]
    return found if len(found) <= LONGEST and "\n" not in found else ""


def _text(problem: Problem, name: str) -> str:
    return gradient(problem).text().get(name, "0")


def gradient(problem: Problem) -> views.Gradient:
    """Give the exact gradient as it is shown."""
    graph, root = plain_graph(problem, problem.text, problem.tree)
    return views.Gradient(graph.tidy, calculus.gradient(graph, root), problem.reading(0).params)


def plain_graph(problem: Problem, text: str, tree: fm.Tree) -> tuple[Graph, Node]:
    """Read a formula as objectives are read, stable forms and all."""
    from symgd.language.functions import CONSTANTS

    reading = problem.reading(0)
    graph = Graph(forms=Forms.NAMED)  # a proof is about the text

    def lookup(leaf: object) -> Array:
        key = leaf.name  # type: ignore[attr-defined]
        if key in reading.params:
            return whole(graph, "parameter", key, reading.params[key])
        if key in reading.data:
            return whole(graph, "data", key, reading.data[key])
        if key in reading.sizes:
            return Array(graph.const(reading.sizes[key]))
        return Array(graph.leaf("constant", key) if key in ("pi", "e") else graph.const(CONSTANTS[key]))

    return graph, read(graph, text, tree, lookup, group=False).node
