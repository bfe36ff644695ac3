"""Pieces of NumPy text, with their axes: fitted to each other by NumPy's rules."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import permutations
from typing import NamedTuple

from symgd.graph.exact import NUMBERS, Number

# How tightly the operators bind, loosest first. A product with @ stands below other products: it is not reordered.
OR, AND, NOT, COMPARE, ADD, MATMUL, MULTIPLY, NEGATE, POWER, ATOM = range(10)
# What a person would rather not write: keepdims=True, x[:, None], X.T, (...).T, a sum where @ would do, an index that
# does nothing but reorder axes.
KEPT, WIDENED, TRANSPOSED, TURNED, SPELT_OUT, GATHERED = 0.8, 0.9, 1.0, 1.5, 3.0, 20.0


class Piece(NamedTuple):
    """A text, how tightly its outermost operator binds, and how far it is from what a person would write."""

    text: str
    level: int
    cost: float = 0.0

    def inside(self, least: int) -> str:
        """Give the text, in parentheses where it binds less tightly."""
        return self.text if self.level >= least else f"({self.text})"

    def turned(self) -> Piece:
        """Give the piece with its axes in reverse order."""
        if self.text.endswith(".T") and self.level == ATOM:
            return Piece(self.text.removesuffix(".T"), ATOM, self.cost - TRANSPOSED)
        name = self.text.isidentifier()
        return Piece(f"{self.inside(ATOM)}.T", ATOM, self.cost + (TRANSPOSED if name else TURNED))

    def widened(self, pattern: Sequence[bool]) -> Piece:
        """Give the piece with new axes: ``pattern`` says of each axis whether it was there."""
        items = [":" if there else "None" for there in pattern]
        return Piece(f"{self.inside(ATOM)}{brackets(items)}", ATOM, self.cost + WIDENED)


def brackets(items: Sequence[str]) -> str:
    """Write an index; none where it takes everything."""
    shown = trimmed(items)
    return f"[{', '.join(shown)}]" if shown else ""


def trimmed(items: Sequence[str]) -> list[str]:
    """Give the items of an index that are needed: axes that are taken whole need no mention at the end."""
    shown = list(items)
    while shown and shown[-1] == ":":
        shown.pop()
    return shown


def cheapest(pieces: Sequence[Piece]) -> Piece:
    """Give the piece that a person would write: the first of those with the fewest detours and the shortest text."""
    return min(pieces, key=lambda p: (round(p.cost, 6), len(p.text)))


def merged(order: Sequence[str], more: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Give all orders of labels in which those of ``order`` keep theirs."""
    for found in permutations((*order, *more)):
        if tuple(label for label in found if label in order) == tuple(order):
            yield found


def shape_text(sizes: Sequence[int | None]) -> str:
    """Write a shape as ``zeros`` and ``ones`` take it."""
    return str(sizes[0]) if len(sizes) == 1 else f"({', '.join(map(str, sizes))})"


def number_text(value: Number) -> tuple[str, int]:
    """Write a number so that it reads back as the same one, and say how tightly it binds.

    Parameters
    ----------
    value : Fraction or float
        The number.

    Returns
    -------
    text : str
        The literal, or a ratio of two.
    level : int
        Its precedence.

    Examples
    --------
    >>> number_text(Fraction(1, 10))[0], number_text(Fraction(1, 3))[0]
    ('0.1', '1/3')
    """
    if isinstance(value, float):
        text = repr(value)
    elif value.denominator == 1:
        text = str(value.numerator)
    else:
        text = repr(float(value))
        if Fraction(text) != value:
            return f"{value.numerator}/{value.denominator}", MULTIPLY if value > 0 else NEGATE - 1
    return text, NEGATE if text.startswith("-") else ATOM


def coefficient(numbers: Sequence[Number], *, alone: bool) -> tuple[bool, list[str], list[str]]:
    """Give the sign of the product of numbers, and what of them stands above and below the line."""
    total: Number = Fraction(1)
    apart = []
    for number in numbers:
        product = NUMBERS.multiply(total, number)
        if math.isfinite(product) and (product != 0 or number == 0):
            total = product
        else:
            apart.append(number_text(number)[0])  # their product is too large, or too small, for float64
    negative = total < 0
    size: Number = -total if negative else total
    if isinstance(size, Fraction) and "/" in number_text(size)[0]:
        over = [str(size.numerator)] if size.numerator != 1 or alone else []
        return negative, over + apart, [str(size.denominator)]
    return negative, ([number_text(size)[0]] if size != 1 or alone else []) + apart, []


def slice_text(start: int, step: int, count: int, size: int | None) -> str:
    """Write the slice that takes ``count`` places of an axis.

    Parameters
    ----------
    start : int
        The first place.
    step : int
        The way from one to the next.
    count : int
        How many places.
    size : int, optional
        The length of the axis.

    Returns
    -------
    str

    Examples
    --------
    >>> slice_text(1, 1, 5, 6), slice_text(0, 1, 5, 6), slice_text(5, -1, 6, 6), slice_text(0, 2, 3, 9)
    ('1:', ':-1', '::-1', ':5:2')
    """
    stop = start + step * (count - 1) + (1 if step > 0 else -1)
    if step > 0:
        first = str(start) if start else ""
        last = "" if size is not None and stop + step > size else _from_end(stop, size)
    else:
        first = "" if size is not None and start == size - 1 else str(start)
        last = "" if stop + step < -1 or stop < 0 else str(stop)
    text = f"{first}:{last}"
    return text if step == 1 else f"{text}:{step}"


def place_text(place: int, size: int | None) -> str:
    """Write one place on an axis: the last one of a long axis is -1."""
    return "-1" if size is not None and place == size - 1 > 3 else str(place)


def _from_end(stop: int, size: int | None) -> str:
    return str(stop - size) if size is not None and size - stop < min(stop, 4) else str(stop)
