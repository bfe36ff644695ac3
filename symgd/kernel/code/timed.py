"""Expressions of a rule that depend on the step's number."""

from __future__ import annotations

import math

from symgd.graph import Const, Leaf, Map, Node
from symgd.kernel.code.forms import Call, Choice, Expression, Name, of
from symgd.kernel.code.writer import Expressions

TINIEST = -700.0  # log of where powers such as beta**t are taken as 0, before slow subnormal numbers set in


class Timed(Expressions):
    """Expressions of a rule, where powers such as ``beta**t`` end at 0 instead of in slow subnormal numbers."""

    def __init__(self, *args: object, **more: object) -> None:
        super().__init__(*args, **more)  # type: ignore[arg-type]
        self.cuts: dict[Node, Expression] = {}

    def cut(self, nodes: list[Node]) -> None:
        """Write the number of steps after which each power of a hyperparameter is 0, before the loop."""
        for node in nodes:
            if _is_fading(node) and node.args[0] not in self.cuts:  # type: ignore[attr-defined]
                base = node.args[0]  # type: ignore[attr-defined]
                name, number = Name(f"_u{base.number}"), self[base]
                inside = (of(0.0) < number) & (number < 1.0)
                self.writer.assign(name, Choice(inside, TINIEST / Call("log", number), math.inf))
                self.cuts[base] = name

    def _expression(self, node: Map) -> Expression:
        if _is_fading(node) and node.args[0] in self.cuts:
            base, exponent = (self[a] for a in node.args)
            return Choice(exponent < self.cuts[node.args[0]], Call("fading", base, exponent), 0.0)
        return super()._expression(node)


def _is_fading(node: Node) -> bool:
    """Tell whether a node is a hyperparameter to the power of something."""
    return (
        isinstance(node, Map)
        and node.function == "power"
        and not isinstance(node.args[1], Const)
        and is_fixed(node.args[0])
        and node.args[0].constant is None
    )


def is_fixed(node: Node) -> bool:
    """Tell whether a node is the same at every step."""
    if node.constant is not None:
        return True
    return isinstance(node, Leaf) and not node.labels and node.name not in ("t", "f")
