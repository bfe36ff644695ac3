"""The certificate of a proof: every step from the two formulas to one normal form, as text and as data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from symgd.checking.prove.proof import Proof
from symgd.checking.prove.terms import Poly, show
from symgd.graph import Const, Fold, Leaf, Map, Node, arguments
from symgd.records import dataclass


@dataclass(frozen=True)
class Line:
    """One step: a function of earlier lines, and the normal form that it was brought to."""

    number: int
    rule: str
    args: tuple[int, ...]
    form: Poly
    node: Node

    def __str__(self) -> str:
        of = f"({', '.join(f'#{a}' for a in self.args)})" if self.args else ""
        return f"#{self.number} {self.rule}{of} = {show(self.form)}"


@dataclass(frozen=True)
class Certificate:
    """What `replay` checks.

    Parameters
    ----------
    lines : tuple of Line
        The steps, each after those that it uses.
    ours, theirs : Poly
        Normal forms of the exact derivative and of the claim.
    conditions : tuple of str
        What is given.
    claim : int
        The line of the claim.
    how : str
        As in `Proof`.
    """

    lines: tuple[Line, ...]
    ours: Poly
    theirs: Poly
    conditions: tuple[str, ...]
    how: str
    proof: Proof

    def __iter__(self) -> Iterator[Line]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)

    def __str__(self) -> str:
        steps = "\n".join(map(str, self.lines))
        given = f"given: {', '.join(self.conditions)}\n" if self.conditions else ""
        return f"{given}{steps}\nexact = {show(self.ours)}\nyours = {show(self.theirs)}"


def certificate(proof: Proof) -> Certificate:
    """Write a proof down.

    Parameters
    ----------
    proof : Proof
        What was found.

    Returns
    -------
    Certificate
    """
    lines = tuple(Line(node.number, _rule(node), tuple(a.number for a in arguments(node)), form, node)
                  for node, form in sorted(proof.lines, key=lambda f: f[0].number))  # fmt: skip
    return Certificate(lines, proof.ours, proof.theirs, proof.conditions, proof.how, proof)


def _rule(node: Any) -> str:
    if isinstance(node, Const):
        return "number"
    if isinstance(node, Leaf):
        return node.name or node.kind
    if isinstance(node, Fold):
        return f"{node.function} over {node.label}"
    return node.function if isinstance(node, Map) else type(node).__name__
