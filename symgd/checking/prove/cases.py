"""Conditions, as 1 or 0: what depends on one is split by it; and what sums have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from symgd.checking.prove import signs
from symgd.checking.prove.algebra import Algebra
from symgd.checking.prove.terms import ONE, ZERO, Atom, Exponent, Poly, length, number

IDEMPOTENT = ("positive", "zero")


def split_cases(algebra: Algebra, polys: list[Poly], apply: Callable[[list[Poly]], Poly]) -> Poly | None:
    """Apply a function where a condition holds and where it does not; None if its arguments have none."""
    for p in polys:
        for factors, bound in p.terms:
            for atom, _ in factors:
                if atom.kind in IDEMPOTENT and not atom.labels.intersection(bound):
                    yes = apply([assume(algebra, q, atom, 1) for q in polys])
                    no = apply([assume(algebra, q, atom, 0) for q in polys])
                    condition = algebra.of(atom)
                    return algebra.multiply(condition, yes.plus(no, -1)).plus(no)
    return None


def assume(algebra: Algebra, p: Poly, condition: Atom, value: int) -> Poly:
    """Put 1 or 0 in for a condition."""
    terms: dict[Any, Fraction] = {}
    for (factors, bound), c in p.terms.items():
        if any(a is condition for a, _ in factors):
            if value:
                kept = {a: e for a, e in factors if a is not condition}
                for mono, d in algebra.mono(c, kept, bound).terms.items():
                    terms[mono] = terms.get(mono, Fraction(0)) + d
        else:
            terms[factors, bound] = terms.get((factors, bound), Fraction(0)) + c
    return Poly(terms)


def content(algebra: Algebra, p: Poly) -> tuple[Fraction, dict[Atom, Exponent], Poly]:
    """Give a sum as number * common factor * rest, the rest's leading coefficient 1 or -1."""
    common: dict[Atom, Exponent] | None = None
    for factors, bound in p.terms:
        here = {a: e for a, e in factors if a.kind not in IDEMPOTENT and not a.labels.intersection(bound)}
        if common is None:
            common = here
        else:
            merged = {}
            for a in {*common, *here}:
                low = min(common.get(a, 0), here.get(a, 0))
                if low and (low == int(low) or (a in common and a in here)):  # s**(1/2) is s*s**(-1/2): no end of it
                    merged[a] = low
            common = merged
    common = common or {}
    rest = p
    if common:
        inverse = {a: -e for a, e in common.items()}
        rest = scaled(algebra, p, inverse)
        if any(a.kind == "base" for a in common):  # what was under a fraction bar may have a factor of its own now
            c, more, rest = content(algebra, rest)
            for a, e in more.items():
                common[a] = common.get(a, 0) + e
            return c, {a: e for a, e in common.items() if e}, rest
    if not rest.terms:
        return Fraction(0), {}, ZERO
    lead = max(rest.terms, key=lambda m: ([(a.id, float(e)) for a, e in m[0]], m[1]))
    c = abs(rest.terms[lead])
    return c, common, rest.times(1 / c)


def scaled(algebra: Algebra, p: Poly, by: Mapping[Atom, Exponent]) -> Poly:
    """Multiply every mono by powers of atoms."""
    terms: dict[Any, Fraction] = {}
    taken = {label for a in by for label in a.labels}
    for (factors, bound), c in p.terms.items():
        if taken.intersection(bound):
            factors, bound = algebra._fresh_names(factors, bound, taken.intersection(bound))  # noqa: PLW2901, SLF001
        merged = dict(factors)
        for a, e in by.items():
            merged[a] = merged.get(a, 0) + e
        for mono, d in algebra.mono(c, merged, bound).terms.items():
            terms[mono] = terms.get(mono, Fraction(0)) + d
    return Poly(terms)


def absolute(algebra: Algebra, p: Poly) -> Poly:
    """Give |p|."""
    known = signs.sign(algebra, p)
    if known:
        return p.times(known)
    above = positive(algebra, p)
    return algebra.multiply(p, above.times(2).plus(ONE, -1))


def varies(algebra: Algebra, p: Poly) -> bool:
    """Tell whether a parameter reaches a sum, so that it is 0 hardly anywhere."""
    for atom in p.atoms():
        if atom.kind == "leaf" and atom.args[0] == "parameter":
            return True
        if atom.kind == "fold":
            return False
    return any(varies(algebra, a) for atom in p.atoms() for a in atom.args if isinstance(a, Poly))


def positive(algebra: Algebra, p: Poly, *, tie: bool = False) -> Poly:
    """Give the condition p > 0 (p >= 0 with ``tie``), as 1 or 0."""
    value = p.constant()
    if value is not None:
        return number(int(value > 0 or (tie and value == 0)))
    cases = split_cases(algebra, [p], lambda a: positive(algebra, a[0], tie=tie))
    if cases is not None:
        return cases
    known = signs.sign(algebra, p)
    moving = varies(algebra, p)
    if known and (moving or _never_zero(algebra, p)):
        return number(int(known > 0))
    _, common, rest = content(algebra, p)
    kept = {}
    for atom, e in common.items():
        s, strict = signs._atom_sign(algebra, atom, e)  # noqa: SLF001
        if not (s > 0 and strict):
            kept[atom] = 1 if e == int(e) and int(e) % 2 else e
    rest = scaled(algebra, rest, kept) if kept else rest
    lead = max(rest.terms, key=lambda m: ([(a.id, float(e)) for a, e in m[0]], m[1]))
    flipped = rest.terms[lead] < 0
    rest = rest.times(1 / abs(rest.terms[lead]) * (-1 if flipped else 1))
    above = algebra.of(algebra.atom("positive", rest))
    if flipped:
        above = ONE.plus(above, -1)
    if not moving and tie != flipped:
        at = zero(algebra, rest)
        return above.plus(at) if tie else above.plus(at, -1)
    return above


def _never_zero(algebra: Algebra, p: Poly) -> bool:
    """Tell whether a sum of data is really positive, ties and all: a number and things that are not negative."""
    for c in (1, -1):
        if p.terms.get(((), ()), Fraction(0)) * c > 0 and signs.nonnegative(algebra, p.times(c)):
            return True
    if signs.schema(algebra, p) & algebra.facts or signs.schema(algebra, p.times(-1)) & algebra.facts:
        return True
    one = p.single()
    return one is not None and all(
        a.kind in ("exp", "number", "constant") or (a.kind == "leaf" and a.args[1] in algebra.positive)
        for a, _ in one[0]
    )


def zero(algebra: Algebra, p: Poly) -> Poly:
    """Give the condition p == 0, as 1 or 0; hardly ever true where a parameter moves p."""
    value = p.constant()
    if value is not None:
        return number(int(value == 0))
    cases = split_cases(algebra, [p], lambda a: zero(algebra, a[0]))
    if cases is not None:
        return cases
    if varies(algebra, p) or (signs.sign(algebra, p) and _never_zero(algebra, p)):
        return ZERO
    _, common, rest = content(algebra, p)
    rest = scaled(algebra, rest, {a: 1 for a, e in common.items() if a.kind not in ("exp", "number", "constant")})
    lead = max(rest.terms, key=lambda m: ([(a.id, float(e)) for a, e in m[0]], m[1]))
    rest = rest.times(1 / rest.terms[lead])
    places = [m for m in rest.terms if len(m[0]) == 1 and m[0][0][0].kind == "place" and not m[1]]
    if len(places) == 1 and len(rest.terms) == 2:
        rest_number = rest.terms.get(((), ()))
        if rest_number is not None:
            at = -rest_number / rest.terms[places[0]]
            size = length(places[0][0][0][0].args[0])
            if at.denominator > 1 or not 0 <= at < size:
                return ZERO
    return algebra.of(algebra.atom("zero", rest))
