"""Sums of products of arrays as NumPy writes them: ``@`` where two share what is summed over, else ``einsum``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Value(NamedTuple):
    """The text of an array, and the labels of its axes; ``whole`` where it is more than the current block."""

    code: str
    axes: tuple[str, ...]
    whole: bool = False


def sorted_axes(labels: Iterable[str], home: str) -> tuple[str, ...]:
    """Give the axes that an array with these labels has, in their order: the home of the pass last.

    It is the longest: NumPy then sums and takes maxima along short axes number by number of long ones, and repeats what
    has no other axis without being told where.
    """
    return tuple(sorted(labels, key=lambda label: (label == home, label)))


def atom(code: str) -> str:
    """Put brackets around what is more than a name, a number, a call or a subscript."""
    depth = 0
    for i, c in enumerate(code):
        depth += (c in "([") - (c in ")]")
        if depth == 0 and c in " +-*/@" and not (i and code[i - 1] == "e" and code[i - 2].isdigit()):
            return f"({code})"
    return code


def aligned(value: Value, axes: Sequence[str]) -> str:
    """Write an array so that it lines up with these axes, of which it has some, in their order."""
    own = value.axes
    if not own or own == tuple(axes[len(axes) - len(own) :]):
        return value.code
    first = axes.index(own[0])
    places = ", ".join(":" if label in own else "None" for label in axes[first:])
    return f"{atom(value.code)}[{places}]"


def transposed(value: Value, axes: tuple[str, ...]) -> Value:
    """Write an array with its axes in another order."""
    if value.axes == axes:
        return Value(value.code, axes)
    if len(axes) == 2 and value.code.endswith(".T") and atom(value.code) == value.code:
        return Value(value.code.removesuffix(".T"), axes)
    if len(axes) == 2:
        return Value(f"{atom(value.code)}.T", axes)
    order = ", ".join(str(value.axes.index(label)) for label in axes)
    return Value(f"{atom(value.code)}.transpose({order})", axes)


def contraction(values: Sequence[Value], label: str, width: str, home: str) -> Value:
    """Write the sum over a label of the product of arrays.

    Parameters
    ----------
    values : sequence of Value
        The factors.
    label : str
        What is summed over.
    width : str
        Text of the number of places along it.
    home : str
        The home of the pass.

    Returns
    -------
    Value
    """
    inside = [v for v in values if label in v.axes]
    outside = [v for v in values if label not in v.axes]
    while len(inside) > 2:
        inside = _merged(inside, home)
    if len(inside) == 2:
        found = _dot(inside[0], inside[1], label, home)
    elif inside:
        (only,) = inside
        found = Value(f"np.sum({only.code}, {only.axes.index(label)})", tuple(a for a in only.axes if a != label))
    else:
        found = Value(width, ())
    for factor in outside:
        found = product(found, factor, home)
    return found


def total(values: Sequence[Value]) -> Value:
    """Write the sum over all axes of an array, or of the product of two with the same axes."""
    if len(values) == 1:
        return Value(f"np.sum({values[0].code})", ())
    letters = dict(zip(values[0].axes, _LETTERS, strict=False))
    spelt = ",".join("".join(letters[x] for x in v.axes) for v in values)
    return Value(f"np.einsum('{spelt}->', {', '.join(v.code for v in values)})", ())


def product(a: Value, b: Value, home: str) -> Value:
    """Write the product of two arrays, place by place."""
    axes = sorted_axes({*a.axes, *b.axes}, home)
    return Value(f"{atom(aligned(a, axes))}*{atom(aligned(b, axes))}", axes)


def _merged(values: list[Value], home: str) -> list[Value]:
    """Multiply the two whose product has the fewest axes."""
    pairs = [(i, j) for i in range(len(values)) for j in range(i)]
    i, j = min(pairs, key=lambda p: (len({*values[p[0]].axes, *values[p[1]].axes}), p))
    rest = [v for k, v in enumerate(values) if k not in (i, j)]
    return [*rest, product(values[j], values[i], home)]


def _dot(a: Value, b: Value, label: str, home: str) -> Value:
    shared = [x for x in a.axes if x in b.axes and x != label]
    left = [x for x in a.axes if x not in b.axes]
    right = [x for x in b.axes if x not in a.axes]
    axes = (*shared, *left, *right)
    if shared and not (left and right):
        letters = dict(zip(dict.fromkeys([*a.axes, *b.axes]), _LETTERS, strict=False))
        spelt = ["".join(letters[x] for x in part) for part in (a.axes, b.axes, sorted_axes(axes, home))]
        code = f"np.einsum('{spelt[0]},{spelt[1]}->{spelt[2]}', {a.code}, {b.code})"
        return Value(code, sorted_axes(axes, home))
    if len(left) > 1 or len(right) > 1:
        if shared:
            return _dot_of_many(a, b, label, home)
        if sorted_axes(axes, home) == (*right, *left):
            a, b, axes = b, a, (*right, *left)
        places = f"({a.axes.index(label)}, {b.axes.index(label)})"
        return transposed(Value(f"np.tensordot({a.code}, {b.code}, {places})", axes), sorted_axes(axes, home))
    if not shared and sorted_axes(axes, home) != axes:
        a, b, left, right, axes = b, a, right, left, (*right, *left)
    first = transposed(a, (*shared, *left, label))
    second = transposed(b, (*shared, label, *right))
    return transposed(Value(f"{atom(first.code)} @ {atom(second.code)}", axes), sorted_axes(axes, home))


def _dot_of_many(a: Value, b: Value, label: str, home: str) -> Value:
    """Write a product in which several axes are shared, and several are not."""
    letters = dict(zip(dict.fromkeys([*a.axes, *b.axes]), _LETTERS, strict=False))
    axes = sorted_axes({*a.axes, *b.axes} - {label}, home)
    spelt = ["".join(letters[x] for x in part) for part in (a.axes, b.axes, axes)]
    return Value(f"np.einsum('{spelt[0]},{spelt[1]}->{spelt[2]}', {a.code}, {b.code}, optimize=True)", axes)
