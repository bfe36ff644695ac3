"""The largest over a label, and products."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from symgd.checking.prove import relations
from symgd.checking.prove.algebra import Algebra
from symgd.checking.prove.cases import assume, content, scaled
from symgd.checking.prove.functions import exp, power
from symgd.checking.prove.terms import Atom, Place, Poly, Unsupported, length, number


def fold(algebra: Algebra, name: str, p: Poly, label: str) -> Poly:
    """Give the largest (or a like reduction) over a label; a summand that does not vary comes out of a maximum."""
    if label not in p.labels:
        return p
    outside = Poly({m: c for m, c in p.terms.items() if not any(label in a.labels for a, _ in m[0])})
    inside = p.plus(outside, -1)
    size, k = length(label), 0
    while f"{size}:!{k}" in inside.labels:
        k += 1
    name_here = f"{size}:!{k}"
    body = algebra.substitute(inside, {label: name_here})
    return algebra.of(algebra.atom("fold", name, name_here, body)).plus(outside)


def product(algebra: Algebra, p: Poly, label: str) -> Poly:
    """Give the product over a label, factor by factor: of powers and exponentials, and of what stays as it is."""
    size = length(label)
    if label not in p.labels:
        return power(algebra, p, Fraction(size))
    for atom in [a for a in p.atoms() if a.kind == "zero" and label in a.labels]:  # all factors but one
        solved = relations.solve(atom.args[0], frozenset([label]))
        if solved is not None and solved[0] == label:
            usual, here = assume(algebra, p, atom, 0), assume(algebra, p, atom, 1)
            there = {label: solved[1]}
            apart = power(algebra, algebra.substitute(usual, there), Fraction(-1))
            return algebra.product(product(algebra, usual, label), algebra.substitute(here, there), apart)
    c, common, rest = content(algebra, p)
    result = number(c**size)
    for atom, e in common.items():
        if label not in atom.labels:
            result = algebra.multiply(result, algebra.raised(algebra.of(atom), e * size))
        elif atom.kind == "exp":
            exponent = algebra.sum(atom.args[0], label)
            result = algebra.multiply(result, exp(algebra, exponent.times(Fraction(e))))
        elif e == int(e):
            result = algebra.multiply(result, algebra.raised(_kept_product(algebra, algebra.of(atom), label), e))
        else:
            rest = scaled(algebra, rest, {atom: e})
    if label not in rest.labels:
        return algebra.multiply(result, power(algebra, rest, Fraction(size)))
    return algebra.multiply(result, _kept_product(algebra, rest, label))


def _kept_product(algebra: Algebra, p: Poly, label: str) -> Poly:
    name = f"{length(label)}:!0"
    if name in p.labels:
        raise Unsupported("a product of products")
    return algebra.of(algebra.atom("fold", "prod", name, algebra.substitute(p, {label: name})))


def move_fold(algebra: Algebra, atom: Atom, used: Mapping[str, Place]) -> Poly:
    """Put places in for labels inside of a fold."""
    name, label, body = atom.args
    fresh = algebra.fresh(length(label))
    moved = algebra.substitute(algebra.substitute(body, {label: fresh}), used)
    return product(algebra, moved, fresh) if name == "prod" else fold(algebra, name, moved, fresh)
