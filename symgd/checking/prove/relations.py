"""Relations between atoms, as rewrites of one mono: what makes two spellings of a function the same polynomial."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

from symgd.checking.prove import signs
from symgd.checking.prove.terms import ONE, ZERO, Atom, Exponent, Place, Poly, Unsupported, length, number
from symgd.records import dataclass

if TYPE_CHECKING:
    from symgd.checking.prove.algebra import Algebra

EXPANDED = 300  # monomials that a power of a sum may have when it is multiplied out
LABELS = 6  # that are summed over in one of them


@dataclass(frozen=True)
class Relation:
    """A product that equals something else: ``lead``, summed over ``bound``, for all places along ``free``."""

    lead: tuple[tuple[Atom, Exponent], ...]
    bound: tuple[str, ...]
    free: tuple[str, ...]
    replacement: Poly
    name: str


def expandable(p: Poly, q: int) -> bool:
    """Tell whether a power of a sum is multiplied out: not where it has very many monomials or labels."""
    labels = max((len(bound) for _, bound in p.terms), default=0)
    return len(p.terms) ** q <= EXPANDED and labels * q <= LABELS


def leaf(algebra: Algebra, kind: str, name: str, index: tuple[Place, ...]) -> Poly:
    """Give an entry of an array; of a symmetric matrix, one of its two names."""
    if name in algebra.symmetric and len(index) == 2:
        swapped = tuple(sorted(index, key=lambda i: (not isinstance(i, str), str(i))))
        if swapped != index and algebra.symmetric[name]:
            algebra.used[algebra.symmetric[name]] = None
        index = swapped
    return algebra.of(algebra.atom("leaf", kind, name, index))


def put(algebra: Algebra, rest: Mapping[Atom, Exponent], bound: Iterable[str], replacement: Poly) -> Poly:
    """Multiply what is left of a mono by what has been put in, inside of its sums."""
    outer = set(bound)
    taken = outer | {label for a in rest for label in a.labels}
    parts: dict[Any, Fraction] = {}
    for (factors, inner), c in replacement.terms.items():
        clash = taken.intersection(inner)
        if clash:
            factors, inner = algebra._fresh_names(factors, inner, clash)  # noqa: PLW2901, SLF001
        total = dict(rest)
        for a, e in factors:
            total[a] = total.get(a, 0) + e
        for mono, d in algebra.mono(c, total, (*outer, *inner)).terms.items():
            parts[mono] = parts.get(mono, Fraction(0)) + d
    return Poly(parts)


def without(factors: Mapping[Atom, Exponent], *atoms: Atom) -> dict[Atom, Exponent]:
    """Leave atoms out."""
    return {a: e for a, e in factors.items() if a not in atoms}


def reduce(algebra: Algebra, factors: dict[Atom, Exponent], bound: frozenset[str]) -> Poly | None:
    """Apply the first relation that changes a mono; None if none does."""
    for rule in (_exponents, _equal, _conditions, _inverses, _given):
        found = rule(algebra, factors, bound)
        if found is not None:
            return found
    return None


# ---- exponents -----------------------------------------------------------------------------------------------------


def _exponents(algebra: Algebra, factors: dict[Atom, Exponent], bound: frozenset[str]) -> Poly | None:
    for atom, e in factors.items():
        kind = atom.kind
        if kind in ("positive", "zero"):
            if e < 0 or e != int(e):
                raise Unsupported("a division by a condition")
            if e != 1:
                return algebra.mono(Fraction(1), {**factors, atom: 1}, bound)
        elif kind == "number":
            whole = math.floor(e)
            if whole:
                rest = {**factors, atom: e - whole}
                return algebra.mono(Fraction(atom.args[0]) ** whole, rest, bound)
        elif kind == "base":
            whole = math.ceil(e)
            if whole > 0 and expandable(atom.args[0], whole):
                rest = {**factors, atom: e - whole}
                return put(algebra, {a: x for a, x in rest.items() if x}, bound, algebra.raised(atom.args[0], whole))
        elif kind == "sine" and e == int(e) and e >= 2:
            cosine = algebra.of(algebra.atom("cosine", *atom.args), 2)
            rest = {**factors, atom: e - 2}
            return put(algebra, {a: x for a, x in rest.items() if x}, bound, ONE.plus(cosine, -1))
    return None


# ---- places and conditions -----------------------------------------------------------------------------------------


def _equal(algebra: Algebra, factors: dict[Atom, Exponent], bound: frozenset[str]) -> Poly | None:
    """Use a condition that two places, or a place and an index, are the same one."""
    for atom in [a for a in factors if a.kind == "zero"]:
        solved = solve(atom.args[0], bound)
        rest = without(factors, atom)
        if solved is not None:
            label, to = solved
            if isinstance(to, int) and not 0 <= to < length(label):
                return ZERO
            keep = bound - {label}
            if label not in bound:
                if not any(label in a.labels for a in rest):
                    continue
                keep = bound
            result = ONE if label in bound else algebra._plain(atom, 1)  # noqa: SLF001
            moved = ONE
            for a, e in rest.items():
                moved = algebra.multiply(moved, algebra.raised(algebra.moved(a, {label: to}), e))
            moved = algebra.multiply(result, moved)
            for other in keep:
                moved = algebra.sum(moved, other)
            return moved
        for a, e in rest.items():  # [y == 1]*y is [y == 1]
            value = _value_of(a, atom.args[0])
            if value is not None and e == int(e) and e > 0:
                return put(algebra, without(factors, a), bound, algebra.raised(value, e))
    return None


def _value_of(atom: Atom, zero: Poly) -> Poly | None:
    """Give what an atom is where a sum is 0, if it stands in it alone and the rest is a number."""
    if atom.kind != "leaf":
        return None
    c = zero.terms.get((((atom, 1),), ()))
    if c is None:
        return None
    rest = zero.plus(Poly({(((atom, 1),), ()): c}), -1)
    return None if rest.constant() is None else rest.times(-1 / c)


def solve(zero: Poly, bound: frozenset[str]) -> tuple[str, Place] | None:
    """Solve u = 0 for the place along a label: a bound one, or else the later of two."""
    found: list[tuple[bool, str, Place]] = []
    for (factors, inner), c in zero.terms.items():
        if inner or len(factors) != 1 or factors[0][0].kind != "place" or factors[0][1] != 1:
            continue
        label = factors[0][0].args[0]
        rest = zero.plus(Poly({(factors, inner): c}), -1).times(-1 / c)
        if label in rest.labels:
            continue
        value = rest.constant()
        one = rest.single()
        if value is not None:
            if value.denominator == 1:
                found.append((label in bound, label, int(value)))
        elif one is not None and one[2] == 1 and not one[1] and len(one[0]) == 1 and one[0][0][1] == 1:
            other = one[0][0][0]
            if other.kind == "place":
                if length(other.args[0]) == length(label):
                    found.append((label in bound, label, other.args[0]))
            elif other.kind == "leaf":
                found.append((label in bound, label, rest))
    if not found:
        return None
    best = max(found, key=lambda f: (f[0], isinstance(f[2], str | int), f[1]))
    return (best[1], best[2]) if best[0] or isinstance(best[2], str | int) else None


def _conditions(algebra: Algebra, factors: dict[Atom, Exponent], bound: frozenset[str]) -> Poly | None:
    """Use that one condition says something about another."""
    held = [a for a in factors if a.kind == "positive"]
    for i, a in enumerate(held):
        for b in held[:i]:
            known = signs.related(algebra, a.args[0], b.args[0])
            if known is None:
                continue
            rest = without(factors, a, b)
            p, q = algebra._plain(a, 1), algebra._plain(b, 1)  # noqa: SLF001
            value = {"implies": p, "follows": q, "excludes": ZERO, "either": p.plus(q).plus(ONE, -1)}[known]
            return put(algebra, rest, bound, value)
    return None


# ---- inverses of sums ----------------------------------------------------------------------------------------------


def _inverses(algebra: Algebra, factors: dict[Atom, Exponent], bound: frozenset[str]) -> Poly | None:
    """Use that a sum times its inverse is 1: ``exp(u)/(1 + exp(u))`` is ``1 - 1/(1 + exp(u))``."""
    for atom, e in factors.items():
        if atom.kind != "base" or e > -1:
            continue
        found = _cancel(algebra, atom, e, factors, bound)
        if found is not None:
            return found
    return None


def _cancel(
    algebra: Algebra, atom: Atom, e: Exponent, factors: dict[Atom, Exponent], bound: frozenset[str]
) -> Poly | None:
    base: Poly = atom.args[0]
    for mono, trailing in leads(algebra, base):
        lead, inner = mono
        c = base.terms[mono]
        if trailing is not None:
            if factors.get(trailing, 0) >= 0:
                continue
            matched: Mapping[str, Place] | None = {}
            rest = dict(factors)
        else:
            matched = next(iter(matches(algebra, lead, inner, (), factors, bound)), None)
            if matched is None:
                continue
            rest = taken_off(algebra, lead, matched, factors)
        tail = base.plus(Poly({mono: c}), -1)
        if trailing is None and matched:
            gone = frozenset(str(v) for v in matched.values())
            bound = bound - gone
        more = dict(rest)
        more[atom] = e + 1
        first = algebra.mono(1 / c, more, bound)
        keep = dict(rest)
        if trailing is not None and lead:  # the mono without the trailing atom is a unit: divide by it
            for a, x in lead:
                more[a] = more.get(a, 0) - x
                keep[a] = keep.get(a, 0) - x
            first = algebra.mono(1 / c, more, bound)
        return first.plus(put(algebra, keep, bound, tail).times(-1 / c))
    return None


def leads(algebra: Algebra, base: Poly) -> list[tuple[Any, Atom | None]]:
    """Give the monos of a sum that its inverse cancels: the leading one, and the last one against negative powers."""
    key = ("leads", base)
    found = algebra.pairs.get(key)
    if found is None:
        found = algebra.pairs[key] = _leads(base)
    return found


_RANK = {"exp": 0, "base": 4, "log": 1, "function": 1, "sine": 1, "cosine": 1, "leaf": 2}


def _leads(base: Poly) -> list[tuple[Any, Atom | None]]:
    summed = [m for m in base.terms if m[1]]
    if summed:
        best = max(summed, key=lambda m: (len(m[1]), sum(float(e) for _, e in m[0]), [a.id for a, _ in m[0]]))
        return [(best, None)]
    choices = []
    for atom in base.atoms():
        if atom.kind in ("positive", "zero"):
            continue
        powers = [(dict(m[0]).get(atom, 0), m) for m in base.terms]
        top = max(p for p, _ in powers)
        at_top = [m for p, m in powers if p == top]
        if len(at_top) > 1 or top <= 0 or min(p for p, _ in powers) < 0:
            continue
        low = [m for p, m in powers if p == 0]
        trailing = low[0] if len(low) == 1 and all(a.kind == "exp" for a, _ in low[0][0]) else None
        plain = len(at_top[0][0]) == 1
        choices.append(((not plain, _RANK.get(atom.kind, 3), top, -atom.id), atom, at_top[0], trailing))
    if not choices:
        return []
    _, main, lead, trailing = min(choices, key=lambda c: c[0])
    return [(lead, None), *([(trailing, main)] if trailing is not None else [])]


def taken_off(
    algebra: Algebra, lead: Iterable[tuple[Atom, Exponent]], matched: Mapping[str, Place],
    factors: Mapping[Atom, Exponent],
) -> dict[Atom, Exponent]:  # fmt: skip
    """Divide a mono by a product that is part of it."""
    rest = dict(factors)
    for atom, e in lead:
        image = renamed(algebra, atom, matched)
        assert image is not None
        rest[image] -= e
        if not rest[image]:
            del rest[image]
    return rest


def renamed(algebra: Algebra, atom: Atom, names: Mapping[str, Place]) -> Atom | None:
    """Rename labels in an atom; None where it becomes something else."""
    if not names:
        return atom
    one = algebra.moved(atom, names).single()
    return one[0][0][0] if one and len(one[0]) == 1 and not one[1] and one[2] == 1 and one[0][0][1] == 1 else None


def matches(
    algebra: Algebra, lead: tuple[tuple[Atom, Exponent], ...], inner: tuple[str, ...], free: tuple[str, ...],
    factors: Mapping[Atom, Exponent], bound: frozenset[str],
) -> Iterator[Mapping[str, Place]]:  # fmt: skip
    """Find a product, its bound and its free labels under other names, in a mono."""
    wanted = {(a.kind, a.args[1] if a.kind == "leaf" else "") for a, _ in lead}
    if not wanted <= {(a.kind, a.args[1] if a.kind == "leaf" else "") for a in factors}:
        return
    around = sorted({label for a in factors for label in a.labels})
    choices = [[b for b in sorted(bound) if length(b) == length(label)] for label in inner]
    choices += [[b for b in around if length(b) == length(label)] for label in free]
    for chosen in product(*choices):
        names = dict(zip((*inner, *free), chosen, strict=True))
        summed = set(chosen[: len(inner)])
        if len(summed) < len(inner) or summed.intersection(chosen[len(inner) :]):
            continue
        left = dict(factors)
        for atom, e in lead:
            image = renamed(algebra, atom, names)
            have = left.get(image, 0) if image is not None else 0
            if image is None or (have < e if e > 0 else have > e):
                break
            left[image] = have - e
        else:
            rest = {label for a, e in left.items() if e for label in a.labels}
            if not summed & rest:
                yield names


# ---- conditions that were given ------------------------------------------------------------------------------------


def _given(algebra: Algebra, factors: dict[Atom, Exponent], bound: frozenset[str]) -> Poly | None:
    for relation in algebra.relations:
        for names in matches(algebra, relation.lead, relation.bound, relation.free, factors, bound):
            rest = taken_off(algebra, relation.lead, names, factors)
            keep = bound.difference(str(names[b]) for b in relation.bound)
            replacement = algebra.substitute(relation.replacement, names)
            if relation.name:
                algebra.used[relation.name] = None
            return put(algebra, rest, keep, replacement)
        one = relation.lead
        if len(one) == 1 and one[0][1] == 2 and relation.replacement == ONE:  # 1/y is y where y is -1 or 1
            for atom, e in factors.items():
                if e < 0 and e == int(e) and atom.kind == "leaf" and atom.args[1] == one[0][0].args[1]:
                    algebra.used[relation.name] = None
                    return algebra.mono(Fraction(1), {**factors, atom: e + 2}, bound)
    return None


__all__ = ["Relation", "leaf", "matches", "number", "put", "reduce"]
