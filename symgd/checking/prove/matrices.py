"""Inverses and determinants: entries of matrices that have names, and what is known of them.

The inverse of a matrix is a leaf whose name carries the matrix. Before it gets its name, numbers, scaled rows and
columns and products are taken out of it, and it is turned so that a matrix and its transpose share one name. What makes
it an inverse is two relations: a matrix times its inverse is the identity, from either side.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Self

from symgd.checking.prove import cases, relations
from symgd.checking.prove import functions as fn
from symgd.checking.prove.algebra import Algebra
from symgd.checking.prove.terms import ONE, Atom, Exponent, Place, Poly, Unsupported, length, show, total


class Square(str):
    """The name of an inverse or a determinant, with the matrix that it is of.

    Parameters
    ----------
    function : str
        ``"inv"`` or ``"det"``.
    body : Poly
        The matrix, along the labels ``row`` and ``column``.
    row, column : str
        Labels that nothing else has.
    """

    __slots__ = ("body", "column", "function", "row")
    function: str
    body: Poly
    row: str
    column: str

    def __new__(cls, function: str, body: Poly, row: str, column: str) -> Self:
        """Write the name."""
        self = super().__new__(cls, f"{function}({show(body)})")
        self.function, self.body, self.row, self.column = function, body, row, column
        return self


def sides(size: int) -> tuple[str, str]:
    """Give the labels of the rows and columns of named matrices."""
    return f"{size}:!row", f"{size}:!column"


def matrix(algebra: Algebra, function: str, body: Poly, index: tuple[Place, ...]) -> Poly:
    """Give an entry of an inverse or adjugate, or a determinant.

    Parameters
    ----------
    algebra : Algebra
        Where polynomials are made.
    function : str
        As `symgd.graph.nodes.Matrix` has it.
    body : Poly
        The matrix, along the labels of `sides`.
    index : tuple
        Which entry.

    Returns
    -------
    Poly
    """
    if function == "inv":
        return inverse(algebra, body, *index)
    det = determinant(algebra, body)
    if function == "adjugate":
        return algebra.multiply(det, inverse(algebra, body, *index))
    if function == "logdet":
        return fn.log(algebra, det)
    if function == "logabsdet":
        return fn.log(algebra, cases.absolute(algebra, det))
    if function == "detsign":
        return cases.positive(algebra, det).times(2).plus(ONE, -1)
    return det


def inverse(algebra: Algebra, body: Poly, i: Place, j: Place) -> Poly:
    """Give an entry of an inverse."""
    scale, rows, columns, rest = _scales(algebra, body)
    row, column = _sides_of(rest)
    result = _raised(algebra, scale, -1)
    result = algebra.multiply(result, _moved(algebra, _raised(algebra, rows, -1), {row: j}))
    result = algebra.multiply(result, _moved(algebra, _raised(algebra, columns, -1), {column: i}))
    halves = _halves(algebra, rest)
    if halves is not None:
        first, second = halves
        middle = algebra.fresh(length(row))
        inner = algebra.multiply(inverse(algebra, second, i, middle), inverse(algebra, first, middle, j))
        return algebra.multiply(result, algebra.sum(inner, middle))
    name, turned = _named(algebra, "inv", rest)
    entry = relations.leaf(algebra, _kind(algebra, rest), name, (j, i) if turned else (i, j))
    return algebra.multiply(result, entry)


def determinant(algebra: Algebra, body: Poly) -> Poly:
    """Give a determinant; numbers come out of it, and that of a product is a product."""
    scale, rows, columns, rest = _scales(algebra, body)
    if rows or columns:
        scale, rest = (scale[0], dict(scale[1])), _back(algebra, rest, {**rows, **columns})
    row, _ = _sides_of(rest)
    halves = _halves(algebra, rest)
    if halves is not None:
        det = algebra.multiply(determinant(algebra, halves[0]), determinant(algebra, halves[1]))
    else:
        name, _ = _named(algebra, "det", rest)
        det = relations.leaf(algebra, _kind(algebra, rest), name, ())
    return algebra.multiply(_raised(algebra, scale, length(row)), det)


# ---- names ---------------------------------------------------------------------------------------------------------


def _named(algebra: Algebra, function: str, body: Poly) -> tuple[Square, bool]:
    """Give the name of an inverse or determinant, and whether it is that of the transpose."""
    row, column = _sides_of(body)
    other = algebra.substitute(algebra.substitute(body, {row: f"{row}'"}), {column: row})
    other = algebra.substitute(other, {f"{row}'": column})
    turned = other != body and show(other) < show(body)
    kept = other if turned else body
    known: dict[Any, Square] = algebra.pairs.setdefault("matrices", {})
    name = known.get((function, kept))
    if name is None:
        name = known[function, kept] = Square(function, kept, row, column)
        if function == "inv":
            if other == body:
                algebra.symmetric[name] = ""
            _relate(algebra, name, kept)
    return name, turned


def _relate(algebra: Algebra, name: Square, body: Poly) -> None:
    """Say that the matrix times its inverse is the identity."""
    row, column = name.row, name.column
    kind = _kind(algebra, body)
    lead = max(body.terms, key=lambda m: (len(m[1]), len(m[0]), [a.id for a, _ in m[0]]))
    factors, bound = lead
    c = body.terms[lead]
    if any(a.kind == "zero" for a, _ in factors):
        return
    tail = body.plus(Poly({lead: c}), -1)
    size = length(row)
    for inner, outer, place in ((column, row, 0), (row, column, 1)):
        free = f"{size}:!other"
        index = (inner, free) if place == 0 else (free, inner)
        entry = algebra.atom("leaf", kind, name, _sorted(algebra, name, index))
        places = [algebra.of(algebra.atom("place", label)) for label in (outer, free)]
        identity = cases.zero(algebra, places[0].plus(places[1], -1))
        rest = algebra.sum(algebra.multiply(tail, Poly({(((entry, 1),), ()): Fraction(1)})), inner)
        whole = tuple(sorted([*factors, (entry, 1)], key=lambda f: f[0].id))
        outside = tuple(sorted({label for a, _ in factors for label in a.labels} - {inner, *bound} | {free}))
        algebra.relations.append(
            relations.Relation(whole, (*bound, inner), outside, identity.plus(rest, -1).times(1 / c), "")
        )


def _sorted(algebra: Algebra, name: str, index: tuple[str, str]) -> tuple[str, ...]:
    return tuple(sorted(index)) if name in algebra.symmetric else index


def _kind(algebra: Algebra, body: Poly) -> str:
    return "parameter" if cases.varies(algebra, body) else "data"


def _sides_of(body: Poly) -> tuple[str, str]:
    found = sorted(body.labels)
    if len(found) != 2 or length(found[0]) != length(found[1]) or {f.rpartition(":")[2] for f in found} != {
        "!row", "!column"
    }:  # fmt: skip
        raise Unsupported("a stack of matrices, or one with equal rows")
    return sides(length(found[0]))


# ---- taken apart ---------------------------------------------------------------------------------------------------

Factors = dict[Atom, Exponent]
Scaled = tuple[Fraction, Factors]


def _scales(algebra: Algebra, body: Poly) -> tuple[Scaled, Factors, Factors, Poly]:
    """Take numbers, and factors of whole rows and columns, out of a matrix."""
    row, column = _sides_of(body)
    c, common, rest = cases.content(algebra, body)
    scale: Factors = {}
    rows: Factors = {}
    columns: Factors = {}
    kept: Factors = {}
    for atom, e in common.items():
        inside = atom.labels & {row, column}
        (kept if len(inside) == 2 else rows if row in inside else columns if column in inside else scale)[atom] = e
    rest = _back(algebra, rest, kept)
    if len(rest.labels) < 2:  # a matrix of rank one, or a diagonal: nothing is left of it without them
        return (Fraction(1), {}), {}, {}, body
    if not rest.single() and rest.terms[max(rest.terms, key=lambda m: [a.id for a, _ in m[0]])] < 0:
        rest, c = rest.times(-1), -c
    one = rest.single()
    if one is not None and one[2] != 1:
        rest, c = rest.times(1 / one[2]), c * one[2]
    return (c, scale), rows, columns, rest


def _back(algebra: Algebra, p: Poly, by: Factors) -> Poly:
    return cases.scaled(algebra, p, by) if by else p


def _raised(algebra: Algebra, scale: Scaled | Factors, n: int) -> Poly:
    c, factors = scale if isinstance(scale, tuple) else (Fraction(1), scale)
    return algebra.mono(c**n, {a: e * n for a, e in factors.items()}, ())


def _moved(algebra: Algebra, p: Poly, places: dict[str, Place]) -> Poly:
    return algebra.substitute(p, places)


def _halves(algebra: Algebra, body: Poly) -> tuple[Poly, Poly] | None:
    """Take a product of two square matrices apart: one sum, between what has the rows and what has the columns."""
    row, column = _sides_of(body)
    one = body.single()
    if one is None:
        return None
    factors, bound, c = one
    for middle in bound:
        if length(middle) != length(row):
            continue
        left = {row}
        grown = True
        while grown:  # all that hangs together with the rows without the middle
            grown = False
            for atom, _ in factors:
                inside = atom.labels - {middle}
                if inside & left and not inside <= left:
                    left |= inside
                    grown = True
        if column in left:
            continue
        first = [(a, e) for a, e in factors if a.labels & left]
        second = [(a, e) for a, e in factors if not a.labels & left]
        halves = []
        for part, label, to in ((first, middle, column), (second, middle, row)):
            inner = [b for b in bound if b != middle and any(b in a.labels for a, _ in part)]
            halves.append(algebra.substitute(algebra.mono(Fraction(1), dict(part), inner), {label: to}))
        if all(len(h.labels) == 2 for h in halves):
            return halves[0].times(c), halves[1]
    return None


__all__ = ["Square", "determinant", "inverse", "matrix", "sides", "total"]
