"""Whether a difference vanishes: denominators cleared, sums compared under the sum sign, and at last written out."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from symgd.checking.prove.algebra import Algebra
from symgd.checking.prove.terms import ZERO, Atom, Exponent, Poly, length

DEPTH = 4


def vanishes(algebra: Algebra, p: Poly, depth: int = 0) -> bool:
    """Tell whether a polynomial is seen to be 0; False says nothing."""
    if not p.terms:
        return True
    p = cleared(algebra, p)
    if not p.terms:
        return True
    if depth >= DEPTH:
        return False
    for size in sorted({length(b) for factors, bound in p.terms for b in bound
                        if any(a.kind == "base" and b in a.labels for a, _ in factors)}):  # fmt: skip
        inside = opened(algebra, p, size)
        if inside is not None and vanishes(algebra, inside, depth + 1):
            return True
    return False


def cleared(algebra: Algebra, p: Poly) -> Poly:
    """Multiply by all sums that stand in denominators and do not vary along what is summed over."""
    for _ in range(12):
        worst: dict[Atom, Exponent] = {}
        for factors, bound in p.terms:
            for atom, e in factors:
                if atom.kind == "base" and e <= -1 and not atom.labels.intersection(bound):
                    worst[atom] = min(worst.get(atom, 0), e)
        if not worst:
            return p
        atom = min(worst, key=lambda a: (len(a.args[0].terms), a.id))
        p = _times(algebra, p, {atom: -int(worst[atom])})
    return p


def _times(algebra: Algebra, p: Poly, by: dict[Atom, Exponent]) -> Poly:
    terms: dict[Any, Fraction] = {}
    for (factors, bound), c in p.terms.items():
        merged = dict(factors)
        for atom, e in by.items():
            merged[atom] = merged.get(atom, 0) + e
        for mono, d in algebra.mono(c, merged, bound).terms.items():
            terms[mono] = terms.get(mono, Fraction(0)) + d
    return Poly(terms)


def opened(algebra: Algebra, p: Poly, size: int) -> Poly | None:
    """Take a sum over a label of this length off every mono; None where one has none.

    Which of several labels it is, the denominators say; where there are none, it is each of them in turn.
    """
    row = f"{size}:@row{algebra._fresh}"  # noqa: SLF001
    algebra._fresh += 1  # noqa: SLF001
    result = ZERO
    for (factors, bound), c in p.terms.items():
        here = [b for b in bound if length(b) == size]
        if not here:
            return None
        marked = [b for b in here if any(a.kind == "base" and b in a.labels for a, _ in factors)]
        chosen = marked or here
        for label in chosen:
            names = {label: row}
            moved = algebra._renamed(dict(factors), names)  # noqa: SLF001
            if moved is None:
                return None
            kept = [b for b in bound if b != label]
            result = result.plus(algebra.mono(c / len(chosen), dict(moved), kept))
    return result
