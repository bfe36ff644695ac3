"""Spellings that overflow or lose digits, and the function that each of them means.

``log(1 + exp(x))`` is softplus, ``1/(1 + exp(-x))`` the sigmoid; ``log(cosh(x))`` overflows from 711 on though its
value is about 710; ``1 - cos(x)`` has lost every digit at 1e-9. They are recognised when the node is made, so that
value, gradient and Hessian all take the stable form. Two ideas do most of the work:

- a node made of exponentials has a logarithm that is no larger than its exponents (`log_of`), and any other product or
  sum is a plain factor times an exponential (`parts`). So logarithms of them are sums, and their ratios are
  exponentials of differences;
- some sums of two terms have a name of their own (`sums.PAIRS`).

A stable form is never worse than the text: where the text keeps its digits, so does the form, and where the text is nan
because something on the way was infinite, the form has the number. Every rewrite has a name here, and a test that
counts them: what no formula of the tests reaches does not stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from symgd.graph.nodes import Node
from symgd.graph.stable import logarithms, ratios, sums
from symgd.graph.stable.exponentials import keep_parts, less_logsumexp
from symgd.graph.stable.matching import Rules, first

if TYPE_CHECKING:
    from symgd.graph.graph import Graph

__all__ = ["RULES", "less_logsumexp", "names", "rewrite"]

# Of each function, the rewrites that are tried, in order.
RULES: dict[str, Rules] = {
    "log": (("logarithms", logarithms.log),),
    "log2": (("log2", logarithms.log_to_base(2)),),
    "log10": (("log10", logarithms.log_to_base(10)),),
    "log1p": (
        ("log1p(exp(u))", logarithms.log1p_of_exponential),
        ("log1p(-exp(u))", logarithms.log1p_of_negative),
    ),
    "logaddexp": (("logaddexp(0, u)", logarithms.logaddexp_of_zero),),
    "add": (("pairs", sums.add),),
    "multiply": (
        ("exp(u)*(v/expm1(u))", ratios.times_planck),
        ("exp(u)*sech(u)", ratios.times_sech),
        ("p*exp(u)*q*exp(v)", ratios.times_exponential),
    ),
    "divide": (
        ("v/cosh(u)", ratios.over_cosh),
        ("p*exp(u)/expm1(u)", ratios.over_expm1),
        ("expm1(u)/(exp(u) + 1)", ratios.tanh_spelt_out),
        ("exp(u)/(exp(u) + exp(v))", ratios.sigmoid_spelt_out),
        ("p*exp(u)/(q*exp(v))", ratios.over_exponential),
    ),
    "power": (
        ("u**(1/2)", ratios.square_root),
        ("exp(u)**p", ratios.power_of_exp),
        ("(p*exp(u))**-k", ratios.negative_power),
        ("(exp(u) + exp(v))**p", ratios.any_power),
    ),
    "sqrt": (
        ("sqrt(u**2)", ratios.root_of_square),
        ("sqrt(exp(u))", ratios.root_of_exp),
        ("sqrt(sum(u**2))", ratios.norm_spelt_out),
        ("sqrt(u**2 + v**2)", ratios.root_of_squares),
    ),
    "exp": (
        ("exp(0)", ratios.exp_of_zero),
        ("exp(-softplus(u))", ratios.exp_of_softplus),
    ),
}


def rewrite(graph: Graph, function: str, args: tuple[Node, ...]) -> Node | None:
    """Give the stable form of a function applied to arguments; ``None`` where it needs none."""
    rules = RULES.get(function)
    found = first(graph, rules, *args) if rules else None
    if found is not None and function in ("multiply", "divide", "power"):
        keep_parts(graph, found, function, args)
    return found


def names() -> list[str]:
    """Give the names of all rewrites, which `Store.fired` counts."""
    tables = (*RULES.values(), logarithms.LOGARITHMS, sums.PAIRS)
    return list(dict.fromkeys(name for table in tables for name, _ in table))
