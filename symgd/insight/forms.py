"""Linear forms: what a statement of a rule computes, as a sum of numbers times x, g, the states and random draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symgd.graph import Const, Fold, Graph, Leaf, Map, Node, is_zero, reachable

Form = dict[str, Node]  # what stands in front of x, g, each state and each draw, and what stands alone

OFFSET = ""  # the key of a form for what stands alone


class NoMatrix(Exception):  # noqa: N818 - an answer, caught in this package
    """Why a rule has no iteration matrix, as a clause."""


def read_form(graph: Graph, root: Node, states: frozenset[str]) -> Form:
    """Write a node as a sum of numbers times x, g, states and draws.

    Parameters
    ----------
    graph : Graph
        Where it was made, and where the numbers are made.
    root : Node
        The node.
    states : frozenset of str
        The names of the states.

    Returns
    -------
    dict of str to Node
        What stands in front of each that occurs.

    Raises
    ------
    NoMatrix
        If the node is no such sum.
    """
    forms: dict[Node, Form] = {}
    for node in reachable([root]):
        forms[node] = _Reader(graph, states, forms).read(node)
    return {name: factor for name, factor in forms[root].items() if not is_zero(factor)}


class _Reader:
    """Reads one node after the other, arguments first."""

    def __init__(self, graph: Graph, states: frozenset[str], forms: Mapping[Node, Form]) -> None:
        self.graph, self.states, self.forms = graph, states, forms

    def read(self, node: Node) -> Form:
        if isinstance(node, Leaf):
            return self._leaf(node)
        if isinstance(node, Map):
            args = [self.forms[a] for a in node.args]
            if all(_is_number(form) for form in args):
                return {OFFSET: node}
            form = self._map(node.function, args)
            if form is not None:
                return form
        elif isinstance(node, Fold) and not _is_number(self.forms[node.body]):
            raise NoMatrix(f"{self._text(node)} looks at all parameters together")
        elif isinstance(node, Const):
            return {OFFSET: node}
        if any(isinstance(part, Leaf) and part.kind == "draw" for part in reachable([node])):
            raise NoMatrix("random draws enter by more than a sum")
        raise NoMatrix(f"{self._text(node)} is not linear in x, g and the states")

    def _leaf(self, leaf: Leaf) -> Form:
        if leaf.kind == "draw":
            return {f"draw {leaf.name}": self.graph.const(1)}
        if leaf.kind == "symbol" and (leaf.name in ("x", "g") or leaf.name in self.states):
            return {leaf.name: self.graph.const(1)}
        if leaf.kind == "symbol" and leaf.name == "f":
            raise NoMatrix("it reads f, which is not linear in x")
        if leaf.kind == "count":
            raise NoMatrix("it counts the parameters")
        return {OFFSET: leaf}

    def _map(self, function: str, args: Sequence[Form]) -> Form | None:
        graph = self.graph
        if function == "add":
            return {name: graph.add(*(form[name] for form in args if name in form)) for name in _keys(args)}
        if function == "multiply" and any(map(_is_number, args)):
            number, form = args if _is_number(args[0]) else args[::-1]
            return {name: graph.multiply(number[OFFSET], factor) for name, factor in form.items()}
        if function == "divide" and _is_number(args[1]):
            return {name: graph.divide(factor, args[1][OFFSET]) for name, factor in args[0].items()}
        if function == "where" and _is_number(args[0]):
            zero = graph.const(0)
            yes, no = args[1:]
            return {name: graph.map("where", args[0][OFFSET], yes.get(name, zero), no.get(name, zero))
                    for name in _keys((yes, no))}  # fmt: skip
        return None

    def _text(self, node: Node) -> str:
        from symgd.views import to_text

        return to_text(node, graph=self.graph, axes=tuple(node.labels))


def _is_number(form: Form) -> bool:
    """Tell whether a form has neither x nor g nor a state nor a draw in it."""
    return form.keys() <= {OFFSET}


def _keys(forms: Sequence[Form]) -> dict[str, None]:
    return {name: None for form in forms for name in form}
