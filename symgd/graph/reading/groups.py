"""Long sums whose terms differ only in which names and numbers they read.

The 1,998 terms of a Rosenbrock function written out in 1,000 variables have two shapes. Each shape becomes one term
over index tables: one kernel, one derivative, whatever the number of terms.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import field
from fractions import Fraction
from typing import TYPE_CHECKING

from symgd import language as fm
from symgd.graph.arrays import Array
from symgd.graph.nodes import Leaf, Node
from symgd.language import Tree
from symgd.language.functions import FUNCTIONS
from symgd.records import dataclass

if TYPE_CHECKING:
    from symgd.graph.reading.reader import Reader

LEAST = 16  # terms of one shape that are worth a loop


@dataclass
class _Shape:
    """What a term looks like with its names and numbers taken out, and the places where they stood."""

    key: list[object] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)  # (start of the name, which of ``names``)
    numbers: list[fm.Number] = field(default_factory=list)


def collect(reader: Reader, tree: fm.Sum) -> tuple[list[Node], list[tuple[Tree, int]]]:
    """Split a sum into grouped terms, as nodes, and the rest, as trees with their signs."""
    signed = list(zip(tree.args, tree.signs, strict=True))
    if len(signed) < LEAST:
        return [], signed
    alike: dict[object, list[tuple[Tree, int, _Shape]]] = defaultdict(list)
    rest = []
    for arg, sign in signed:
        shape = _Shape()
        if _describe(reader, arg, shape) and shape.names:
            alike[sign, *shape.key].append((arg, sign, shape))
        else:
            rest.append((arg, sign))
    terms = []
    for members in alike.values():
        if len(members) >= LEAST:
            terms.append(_group(reader, members))
        else:
            rest.extend((arg, sign) for arg, sign, _ in members)
    return terms, rest


def _describe(reader: Reader, tree: Tree, shape: _Shape) -> bool:
    """Write the shape of a term down; false for a term that reads anything but parameters."""
    if isinstance(tree, fm.Name):
        found = reader.lookup(tree)
        leaf = found.node if isinstance(found, Array) else found
        if isinstance(leaf, Leaf) and leaf.kind == "constant":
            shape.key.append(tree.name)
            return True
        alone = isinstance(leaf, Leaf) and leaf.kind == "parameter" and not leaf.index
        if not alone or tree.start in reader.override:
            return False
        if tree.name not in shape.names:
            shape.names.append(tree.name)
        index = shape.names.index(tree.name)
        shape.places.append((tree.start, index))
        shape.key.append(index)
        return True
    if isinstance(tree, fm.Number):
        shape.numbers.append(tree)
        shape.key.append("#")
        return True
    if _is_of_arrays(tree):
        return False
    shape.key.append(_head(tree))
    children = fm.children(tree)
    shape.key.append(len(children))
    if isinstance(tree, fm.Power) and isinstance(tree.exponent, fm.Number):
        # Exponents stay in the shape: x**2 and x**3 are different code.
        shape.key.append(tree.exponent.value)
        children = (tree.base,)
    return all(_describe(reader, child, shape) for child in children)


def _is_of_arrays(tree: Tree) -> bool:
    """Tell whether numbers inside of a tree may say where or how many, which no table can."""
    if isinstance(tree, fm.Call):
        return bool(tree.keywords) or (tree.function in FUNCTIONS and FUNCTIONS[tree.function].kind == "array")
    return isinstance(tree, fm.Index | fm.Slice | fm.Attribute | fm.Sequence)


def _head(tree: Tree) -> object:
    """What a node says apart from its children."""
    match tree:
        case fm.Sum(_, signs):
            return "sum", signs
        case fm.Product(_, ops) | fm.Compare(ops, _):
            return type(tree), ops
        case fm.Unary(op, _) | fm.Logical(op, _):
            return type(tree), op
        case fm.Call(function, _, keywords):
            return function, tuple(name for name, _ in keywords)
        case _:
            return type(tree)


def _group(reader: Reader, members: list[tuple[Tree, int, _Shape]]) -> Node:
    graph = reader.graph
    label = f"terms{len(graph.store.lengths)}"  # its own, also where another group has as many terms
    graph.store.lengths[label] = len(members)
    first, sign, shape = members[0]
    inputs = []
    for slot in range(len(shape.names)):
        table = tuple(member.names[slot] for *_, member in members)
        inputs.append(graph.leaf("parameter", "", (label,), table))
    outer, reader.override = reader.override, {start: inputs[slot] for start, slot in shape.places}
    for slot, number in enumerate(shape.numbers):
        values = tuple(member.numbers[slot].value for *_, member in members)
        if len(set(values)) > 1:
            reader.override[number.start] = graph.leaf("numbers", "", (label,), tuple(map(_plain, values)))
    reader.group = False
    body = reader.number(first).node
    reader.group, reader.override = True, outer
    total = graph.fold("sum", body, label)
    return total if sign > 0 else graph.negate(total)


def _plain(value: Fraction | float) -> float:
    return float(value)
