"""Values with axes: the indices that are open, and what stands at each place; how they line up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import NoReturn

from symgd.errors import FormulaError
from symgd.language.latex import tree as lt
from symgd.records import dataclass

Rank = int | None  # None: not known
ATOM, POWER, UNARY, TIMES, PLUS = 5, 4, 3, 2, 1


@dataclass(frozen=True, slots=True)
class Value:
    """A part of the formula.

    Parameters
    ----------
    text : str
        As NumPy text.
    level : int
        How tightly its outermost operator binds.
    indices : tuple of str
        The indices that are open: its first axes, in the order of the scope.
    rank : int
        How many axes stand at each of them.
    row : bool
        Whether a vector was transposed.
    ones : bool
        Whether it is the vector of ones.
    """

    text: str
    level: int = ATOM
    indices: tuple[str, ...] = ()
    rank: int = 0
    row: bool = False
    ones: bool = False


@dataclass
class Index:
    """An index in use: what is left out at the front and the end of its axis, and where its length is read."""

    front: int = 0
    back: int = 0
    length: str = ""
    counted: bool = True  # from 1, as mathematics does


@dataclass
class Axes:
    """What is known of names and indices, and how values line up.

    Parameters
    ----------
    text : str
        The LaTeX, for messages.
    shapes : mapping of str to tuple
        The axes of the names that are declared: lengths as numbers or names, ``None`` for those that nobody knows.
    ranks : mapping of str to int
        The number of axes of names whose shapes are not known.
    """

    text: str
    shapes: Mapping[str, tuple[object, ...]]
    ranks: Mapping[str, int]
    scope: list[str] = field(default_factory=list)
    open: dict[str, Index] = field(default_factory=dict)
    lengths: dict[str, str] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)

    def fail(self, problem: str, where: lt.Tree, hint: str | None = None) -> NoReturn:
        """Refuse the text."""
        raise FormulaError(problem, self.text, where.start, max(where.end, where.start + 1), hint)

    def ask(self, where: lt.Tree, one: str, other: str) -> NoReturn:
        """Refuse a text that has two readings."""
        hint = f"is it {one}, or {other}? Write it out"
        raise FormulaError("this can be read in two ways", self.text, where.start, where.end, hint)

    def rank_of(self, name: str) -> Rank:
        """Give the number of axes of a declared name."""
        if name in self.shapes:
            return len(self.shapes[name])
        return self.ranks.get(name)

    def bracketed(self, value: Value, level: int) -> str:
        """Give the text, in brackets where it binds less than that."""
        return value.text if value.level >= level else f"({value.text})"

    def aligned(self, a: Value, b: Value, level: int = PLUS) -> tuple[tuple[str, str], Value]:
        """Give the texts of two values whose axes line up, and what they have in common."""
        indices = tuple(sorted({*a.indices, *b.indices}, key=self.scope.index))
        rank = max(a.rank, b.rank)
        texts = tuple(self.spread(v, indices, rank, level + (v is b)) for v in (a, b))
        row = (a.row and a.rank == rank) or (b.row and b.rank == rank)
        return (texts[0], texts[1]), Value("", indices=indices, rank=rank, row=row)

    def spread(self, value: Value, indices: tuple[str, ...], rank: int, level: int) -> str:
        """Write a value with axes of length 1 where it does not vary, as NumPy wants them."""
        if not value.indices and not value.rank:
            return self.bracketed(value, level)
        axes = [":" if i in value.indices else "None" for i in indices]
        axes += ["None"] * (rank - value.rank) + [":"] * value.rank
        while axes and axes[0] == "None":
            axes.pop(0)
        if "None" not in axes:
            return self.bracketed(value, level)
        return f"{self.bracketed(value, ATOM)}[{', '.join(axes)}]"

    def summed(self, value: Value, rank: int) -> Value:
        """Sum over the axes that stand at each place of the open indices."""
        if not rank:
            return replace(value, level=POWER)
        if not value.indices:
            return Value(f"sum({value.text})")
        axes = "-1" if rank == 1 else "(-2, -1)"
        return Value(f"sum({value.text}, axis={axes})", indices=value.indices)


def said(value: Value) -> str:
    """Say what a value is."""
    return ("a number", "a vector", "a matrix", "an array")[min(value.rank, 3)]
