"""What is positive: from what functions are, and from the domain of the objective."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations
from typing import TYPE_CHECKING, Any

from symgd.checking.prove.terms import Atom, Poly, length

if TYPE_CHECKING:
    from symgd.checking.prove.algebra import Algebra


def sign(algebra: Algebra, p: Poly) -> int:
    """Tell whether a sum is positive (1) or negative (-1) almost everywhere; 0 if that is not known."""
    found = algebra.signs.get(p)
    if found is None:
        algebra.signs[p] = 0  # what asks for itself is not known
        found = algebra.signs[p] = _sign(algebra, p)
    return found


def _sign(algebra: Algebra, p: Poly) -> int:
    if not p.terms:
        return 0
    kinds = set()
    firm = False
    for (factors, _), c in p.terms.items():
        s, sure = (1 if c > 0 else -1), True
        for atom, e in factors:
            one, strict = _atom_sign(algebra, atom, e)
            s *= one
            sure = sure and strict
        kinds.add(s)
        firm = firm or sure
    if len(kinds) == 1 and 0 not in kinds and firm:
        return kinds.pop()
    for way in (1, -1):
        if schema(algebra, p.times(way)) & algebra.facts:
            return way
    return 0


def nonnegative(algebra: Algebra, p: Poly) -> bool:
    """Tell whether a sum is nowhere negative; 0 is allowed."""
    return all(
        (1 if c > 0 else -1) * _product_sign(algebra, factors) > 0 for (factors, _), c in p.terms.items()
    )  # fmt: skip


def _product_sign(algebra: Algebra, factors: Any) -> int:
    s = 1
    for atom, e in factors:
        s *= _atom_sign(algebra, atom, e)[0]
    return s


def _atom_sign(algebra: Algebra, atom: Atom, e: Any) -> tuple[int, bool]:
    """Give the sign of a power of an atom, and whether it is hardly ever 0."""
    kind = atom.kind
    if kind in ("exp", "number", "constant"):
        return 1, True
    if kind in ("positive", "zero"):
        return 1, False
    if kind == "place":
        return 1, False
    if e != int(e) or int(e) % 2 == 0:
        return 1, True
    if kind == "leaf":
        return (1, True) if atom.args[1] in algebra.positive or _fact(algebra, atom) else (0, True)
    if kind == "base":
        return sign(algebra, atom.args[0]), True
    if kind == "function" and atom.args[0] == "gamma":
        return sign(algebra, atom.args[1]), True
    return (1, True) if _fact(algebra, atom) else (0, True)


def _fact(algebra: Algebra, atom: Atom) -> bool:
    return bool(algebra.facts) and bool(schema(algebra, Poly({(((atom, 1),), ()): Fraction(1)})) & algebra.facts)


def schema(algebra: Algebra, p: Poly) -> frozenset[Any]:
    """Give a sum, scaled, under all names of its labels: what holds at each place holds at all."""
    lead = max(p.terms, key=lambda m: ([(a.id, e) for a, e in m[0]], m[1])) if p.terms else None
    if lead is None:
        return frozenset()
    p = p.times(1 / abs(p.terms[lead]))
    labels = sorted(p.labels)
    if not labels:
        return frozenset([p])
    if len(labels) > 3:
        return frozenset([p])
    found = set()
    for order in permutations(labels):
        counts: dict[int, int] = {}
        names: dict[str, Any] = {}
        for label in order:
            size = length(label)
            counts[size] = counts.get(size, 0) + 1
            names[label] = f"{size}:@{counts[size]}"
        moved = algebra.substitute(p, names)
        top = max(moved.terms, key=lambda m: ([(a.id, e) for a, e in m[0]], m[1]))
        found.add(moved.times(1 / abs(moved.terms[top])))
    return frozenset(found)


def learn(algebra: Algebra, p: Poly) -> None:
    """Take it as given that a sum is positive: the objective has no value elsewhere."""
    if p.constant() is not None or sign(algebra, p) > 0:
        return
    algebra.facts |= schema(algebra, p)
    algebra.signs.clear()


def related(algebra: Algebra, u: Poly, v: Poly) -> str | None:
    """Tell what u > 0 says about v > 0: implies, follows, excludes, either (one of them holds); None if nothing."""
    key = ("related", u, v)
    if key not in algebra.pairs:
        algebra.pairs[key] = _related(algebra, u, v)
    return algebra.pairs[key]  # type: ignore[no-any-return]


def _related(algebra: Algebra, u: Poly, v: Poly) -> str | None:
    for name, a, b in (("implies", 1, -1), ("follows", -1, 1), ("excludes", 1, 1), ("either", -1, -1)):
        if _impossible(algebra, u.times(a), v.times(b)):
            return name
    return None


def _impossible(algebra: Algebra, u: Poly, v: Poly) -> bool:
    """Tell whether u > 0 and v > 0 exclude each other: a positive combination of them is never positive."""
    for mono, c in u.terms.items():
        d = v.terms.get(mono)
        if d is not None and (c > 0) != (d > 0) and mono[0]:
            combined = u.plus(v, -c / d)
            if not combined.terms or sign(algebra, combined) < 0 or nonnegative(algebra, combined.times(-1)):
                return True
    return False
