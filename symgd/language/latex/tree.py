"""What LaTeX says, as a tree; what it means depends on the shapes of its names and comes later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from symgd.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A part of a formula, and where it stands in the text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Number(Tree):
    """A number, as it is written."""

    text: str


@dataclass(frozen=True, slots=True)
class Name(Tree):
    """A letter, or a name of several; ``bold`` ones are arrays."""

    name: str
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Subscript(Tree):
    """A name with indices, ``x_{ij}`` or ``x^{(i)}``."""

    base: Name
    indices: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Sum(Tree):
    """Terms with their signs."""

    terms: tuple[Tree, ...]
    signs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Product(Tree):
    """Factors; ``ops`` says what stands between them: nothing, ``dot``, ``odot`` or ``/``."""

    factors: tuple[Tree, ...]
    ops: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fraction(Tree):
    r"""``\\frac{a}{b}``."""

    top: Tree
    bottom: Tree


@dataclass(frozen=True, slots=True)
class Power(Tree):
    """A power, or an inverse."""

    base: Tree
    exponent: Tree


@dataclass(frozen=True, slots=True)
class Transpose(Tree):
    """A transpose; ``inverse`` for ``A^{-T}``."""

    base: Tree
    inverse: bool = False


@dataclass(frozen=True, slots=True)
class Call(Tree):
    """A function of the formula language."""

    function: str
    args: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Big(Tree):
    """A sum or a product over indices, from a first to a last place where these are said."""

    kind: str
    indices: tuple[Name, ...]
    lower: Tree | None
    upper: Tree | None
    body: Tree


@dataclass(frozen=True, slots=True)
class Norm(Tree):
    """A norm; ``which`` is what stands below it: 1, 2, F, inf or nothing."""

    arg: Tree
    which: str


@dataclass(frozen=True, slots=True)
class Bars(Tree):
    """Single bars: an absolute value, of a matrix perhaps its determinant."""

    arg: Tree


@dataclass(frozen=True, slots=True)
class Compare(Tree):
    """A condition."""

    args: tuple[Tree, ...]
    ops: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cases(Tree):
    """Values with their conditions; the last one may stand for all else."""

    values: tuple[Tree, ...]
    conditions: tuple[Tree | None, ...]


def walk(tree: Tree) -> Iterator[Tree]:
    """Give a tree and all its parts."""
    stack = [tree]
    while stack:
        top = stack.pop()
        yield top
        for field in fields(top):
            value = getattr(top, field.name)
            parts = value if isinstance(value, tuple) else (value,)
            stack.extend(part for part in parts if isinstance(part, Tree))
