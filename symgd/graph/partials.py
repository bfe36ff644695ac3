"""Partial derivatives of one function: what the table says, or ``sympy.diff`` of its row."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

from symgd.graph.graph import Graph
from symgd.graph.nodes import Map, Node
from symgd.graph.reading import instantiate
from symgd.language.functions import FUNCTIONS

if TYPE_CHECKING:
    import sympy


def partials(graph: Graph, node: Map) -> tuple[Node, ...]:
    """Give the partial derivatives of a map by its arguments, as the table or ``sympy.diff`` says.

    Only those by arguments that a parameter reaches are worked out; the others are given as 0.
    """
    if node.function == "add":
        return (graph.const(1),) * len(node.args)
    if node.function == "power" and node.args[1].constant is not None:
        base, exponent = node.args
        reduced = graph.power(base, graph.add(exponent, graph.const(-1)))
        return graph.multiply(exponent, reduced), graph.const(0)
    if node.function == "power" and (node.args[0].constant or 0) > 0:
        return graph.const(0), graph.multiply(node, graph.map("log", node.args[0]))
    row = FUNCTIONS[node.function]
    values = dict(zip("abc", node.args, strict=False)) | {"y": node}
    slopes = []
    for index, arg in enumerate(node.args):
        if not arg.active:
            slopes.append(graph.const(0))
        elif row.partials:
            slopes.append(instantiate(graph, row.partials[index], values))
        else:
            slopes.append(from_sympy(graph, _sympy_partial(row.name, index), values))
    return tuple(slopes)


@cache
def _sympy_partial(function: str, index: int) -> sympy.Expr:
    """Differentiate a function of the table by one of its arguments."""
    import sympy

    row = FUNCTIONS[function]
    if row.sympy is None:
        message = f"the function '{function}' has neither partials nor a SymPy form"
        raise NotImplementedError(message)
    symbols = sympy.symbols("a b c", real=True)[: row.most]
    return sympy.diff(row.sympy(sympy, *symbols), symbols[index])


def from_sympy(graph: Graph, expr: sympy.Basic, values: dict[str, Node]) -> Node:
    """Give the node of a SymPy expression in the symbols ``a``, ``b``, ``c``.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    expr : sympy.Basic
        A derivative of a function of the table.
    values : dict of str to Node
        What the symbols stand for.

    Returns
    -------
    Node
    """
    import sympy

    def convert(e: sympy.Basic) -> Node:
        if isinstance(e, sympy.Symbol):
            return values[e.name]
        if isinstance(e, sympy.Rational):
            return graph.const(Fraction(int(e.p), int(e.q)))
        if e in (sympy.pi, sympy.E):
            return graph.leaf("constant", "pi" if e == sympy.pi else "e")
        args = [convert(a) for a in e.args]
        if isinstance(e, sympy.Add):
            return graph.add(*args)
        if isinstance(e, sympy.Mul):
            return _product(graph, args)
        if isinstance(e, sympy.exp):
            return graph.map("exp", args[0])
        if isinstance(e, sympy.Pow):
            if e.exp == -1:
                return graph.divide(graph.const(1), args[0])
            return graph.power(args[0], args[1])
        return graph.map(_SYMPY_NAMES.get(type(e).__name__, type(e).__name__), *args)

    return convert(expr)


_SYMPY_NAMES = {"Abs": "abs", "atan": "arctan", "asin": "arcsin", "acos": "arccos"}


def _product(graph: Graph, factors: list[Node]) -> Node:
    total = factors[0]
    for factor in factors[1:]:
        total = graph.multiply(total, factor)
    return total
