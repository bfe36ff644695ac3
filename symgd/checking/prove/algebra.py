"""The arithmetic of polynomials over atoms: products, sums over labels, substitution, and names for what is bound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import permutations, product
from typing import Any

from symgd.checking.prove import relations
from symgd.checking.prove.terms import ONE, ZERO, Atom, Budget, Exponent, Mono, Place, Poly, length, number, total

WORK = 30_000  # monomials that one proof may make
ORDERS = 720  # ways of naming the bound labels of one mono that are looked at


class Algebra:
    """Makes atoms and polynomials; knows the relations that hold between them.

    Parameters
    ----------
    work : int
        How many monomials may be made before `Budget` is raised.
    """

    def __init__(self, work: int = WORK) -> None:
        self.left = work
        self._atoms: dict[Any, Atom] = {}
        self._monos: dict[Any, Poly] = {}
        self._moved: dict[Any, Poly] = {}
        self._fresh = 0
        self._depth = 0
        self.facts: set[Any] = set()  # schemas of what is positive
        self.positive: set[str] = set()  # names of arrays all of whose entries are
        self.relations: list[relations.Relation] = []  # conditions
        self.active: set[str] = set()  # names of parameters
        self.used: dict[str, None] = {}  # what proofs relied on, in words
        self.signs: dict[Poly, int] = {}
        self.pairs: dict[Any, Any] = {}
        self.symmetric: dict[str, str] = {}  # matrices, and the condition that says so
        self.units: dict[str, int] = {}  # of angles: by what they are divided

    # ---- atoms -----------------------------------------------------------------------------------------------------

    def atom(self, kind: str, *args: Any) -> Atom:
        """Give the atom of a kind with these arguments, always the same one."""
        key = (kind, args)
        found = self._atoms.get(key)
        if found is None:
            labels: set[str] = set()
            for arg in args[2] if kind == "leaf" else args:
                if isinstance(arg, Poly):
                    labels |= arg.labels
                elif kind in ("leaf", "place") and isinstance(arg, str):
                    labels.add(arg)
            if kind == "fold":
                labels.discard(args[1])
            found = self._atoms[key] = Atom(len(self._atoms), kind, args, frozenset(labels))
        return found

    def of(self, atom: Atom, exponent: Exponent = 1) -> Poly:
        """Give a power of an atom."""
        return self.mono(Fraction(1), {atom: exponent}, ())

    # ---- products --------------------------------------------------------------------------------------------------

    def mono(self, coefficient: Fraction, factors: Mapping[Atom, Exponent], bound: Iterable[str]) -> Poly:
        """Give one mono in normal form, which may be several."""
        factors = {a: e for a, e in factors.items() if e}
        bound = frozenset(bound)
        if not factors and not bound:
            return number(coefficient)
        key = (frozenset(factors.items()), bound)
        found = self._monos.get(key)
        if found is None:
            self.left -= 1
            self._depth += 1
            if self.left < 0 or self._depth > 90:
                self._depth = 0
                raise Budget
            found = self._normal(dict(factors), bound)
            self._depth -= 1
            self._monos[key] = found
        return found.times(coefficient)

    def _normal(self, factors: dict[Atom, Exponent], bound: frozenset[str]) -> Poly:
        idle = [b for b in bound if not any(b in a.labels for a in factors)]
        if idle:
            count = Fraction(1)
            for label in idle:
                count *= length(label)
            return self.mono(count, factors, bound.difference(idle))
        changed = relations.reduce(self, factors, bound)
        if changed is not None:
            return changed
        if not bound:
            return Poly({(tuple(sorted(factors.items(), key=lambda f: f[0].id)), ()): Fraction(1)})
        return self._named(factors, bound)

    def _named(self, factors: dict[Atom, Exponent], bound: frozenset[str]) -> Poly:
        """Give bound labels the names of their places: the same however they were called."""
        free = {label for a in factors for label in a.labels} - bound
        self.left -= len(bound)
        best: tuple[Any, Mono] | None = None
        fallback: dict[str, str] | None = None
        for order in self._orders(factors, bound):
            names: dict[str, Place] = {}
            counts: dict[int, int] = {}
            for label in order:
                size = length(label)
                k = counts.get(size, 0)
                while f"{size}:#{k}" in free:
                    k += 1
                counts[size] = k + 1
                names[label] = f"{size}:#{k}"
            moved = self._renamed(factors, names)
            if moved is None:
                fallback = fallback or names
                continue
            rank = tuple((a.id, e) for a, e in moved)
            if best is None or rank < best[0]:
                best = rank, (moved, tuple(sorted(names.values())))
        if best is not None:
            return Poly({best[1]: Fraction(1)})
        assert fallback is not None
        if all(k == v for k, v in fallback.items()):
            return Poly({(tuple(sorted(factors.items(), key=lambda f: f[0].id)), tuple(sorted(bound))): Fraction(1)})
        result = ONE
        for atom, exponent in factors.items():
            result = self.multiply(result, self.raised(self.moved(atom, fallback), exponent))
        for label in fallback.values():
            result = self.sum(result, label)
        return result

    def _renamed(self, factors: Mapping[Atom, Exponent], names: Mapping[str, Place]) -> Any:
        """Rename labels in factors; None where one of them becomes something else than a product of atoms."""
        moved: dict[Atom, Exponent] = {}
        for atom, exponent in factors.items():
            image = self._power_moved(atom, exponent, names).single()
            if image is None or image[1] or image[2] != 1:
                return None
            for new, e in image[0]:
                moved[new] = moved.get(new, 0) + e
        return tuple(sorted(((a, e) for a, e in moved.items() if e), key=lambda f: f[0].id))

    def _power_moved(self, atom: Atom, exponent: Exponent, names: Mapping[str, Place]) -> Poly:
        used = {k: v for k, v in names.items() if k in atom.labels and k != v}
        if not used:
            return self._plain(atom, exponent)
        key = (atom, exponent, tuple(sorted(used.items(), key=lambda f: f[0])))
        found = self._moved.get(key)
        if found is None:
            found = self._moved[key] = self.raised(self.moved(atom, used), exponent)
        return found

    @staticmethod
    def _orders(factors: Mapping[Atom, Exponent], bound: frozenset[str]) -> Iterable[tuple[str, ...]]:
        """Give the orders in which bound labels may get their names: those that look alike in every way."""
        if len(bound) == 1:
            return [tuple(bound)]
        colours: dict[str, list[Any]] = {}
        for label in bound:
            seen = []
            for atom, exponent in factors.items():
                if label in atom.labels:
                    seen.append((skeleton(atom, label), float(exponent)))
            colours[label] = sorted(seen, key=repr)
        groups: dict[str, list[str]] = {}
        for label in sorted(bound):
            groups.setdefault(f"{length(label):12d} {colours[label]!r}", []).append(label)
        orders = []
        for choice in product(*(permutations(groups[key]) for key in sorted(groups))):
            orders.append(tuple(label for part in choice for label in part))
            if len(orders) >= ORDERS:
                break
        return orders

    def multiply(self, p: Poly, q: Poly) -> Poly:
        """Multiply two sums."""
        if len(p.terms) > len(q.terms):
            p, q = q, p
        c = p.constant()
        if c is not None:
            return q.times(c)
        terms: dict[Mono, Fraction] = {}
        for (f1, b1), c1 in p.terms.items():
            for (f2, b2), c2 in q.terms.items():
                if b1 or b2:
                    f2, b2 = self._apart(f1, b1, f2, b2)  # noqa: PLW2901
                    if b1:
                        clash = set(b1) & {label for a, _ in f2 for label in a.labels}
                        g1, e1 = self._fresh_names(f1, b1, clash) if clash else (f1, b1)
                    else:
                        g1, e1 = f1, b1
                else:
                    g1, e1 = f1, b1
                factors = dict(g1)
                for a, e in f2:
                    factors[a] = factors.get(a, 0) + e
                for mono, c in self.mono(c1 * c2, factors, (*e1, *b2)).terms.items():
                    terms[mono] = terms.get(mono, Fraction(0)) + c
        return Poly(terms)

    def _apart(self, f1: Any, b1: Any, f2: Any, b2: Any) -> tuple[Any, Any]:
        taken = set(b1) | {label for a, _ in f1 for label in a.labels}
        clash = taken.intersection(b2)
        return self._fresh_names(f2, b2, clash) if clash else (f2, b2)

    def _fresh_names(self, factors: Any, bound: Any, clash: Iterable[str]) -> tuple[Any, Any]:
        names: dict[str, Place] = {label: self.fresh(length(label)) for label in clash}
        moved = self._renamed(dict(factors), names)
        if moved is None:
            raise Budget
        return moved, tuple(names.get(b, b) for b in bound)

    def fresh(self, size: int) -> str:
        """Give a label that nothing else has."""
        self._fresh += 1
        return f"{size}:~{self._fresh}"

    def product(self, *polys: Poly) -> Poly:
        """Multiply several sums."""
        result = ONE
        for poly in polys:
            result = self.multiply(result, poly)
        return result

    def raised(self, p: Poly, n: Exponent) -> Poly:
        """Raise to a whole exponent by multiplication, and anything else as an atom."""
        if n == 1:
            return p
        one = p.single()
        if one is not None and not one[1]:
            factors, _, c = one
            if c == 1 and (n == int(n) or len(factors) == 1):
                return self.mono(Fraction(1), {a: e * n for a, e in factors}, ())
        if n == int(n) and n > 0 and relations.expandable(p, int(n)):
            result = ONE
            for _ in range(int(n)):
                result = self.multiply(result, p)
            return result
        from symgd.checking.prove.functions import power

        return power(self, p, Fraction(n))

    def sum(self, p: Poly, label: str) -> Poly:
        """Sum over a label."""
        if label not in p.labels:
            return p.times(length(label))
        parts = []
        for (factors, bound), c in p.terms.items():
            if label in bound:  # a bound label of that name, though the free one is meant
                factors, bound = self._fresh_names(factors, bound, [label])  # noqa: PLW2901
            parts.append(self.mono(c, dict(factors), (*bound, label)))
        return total(parts)

    # ---- substitution ----------------------------------------------------------------------------------------------

    def substitute(self, p: Poly, places: Mapping[str, Place]) -> Poly:
        """Put labels, whole numbers or indices in for labels, all at once."""
        used = {k: v for k, v in places.items() if k in p.labels and k != v}
        if not used:
            return p
        key = (p, tuple(sorted(used.items(), key=lambda f: f[0])))
        found = self._moved.get(key)
        if found is None:
            arriving = {v for v in used.values() if isinstance(v, str)}
            arriving |= {label for v in used.values() if isinstance(v, Poly) for label in v.labels}
            parts = []
            for (factors, bound), c in p.terms.items():
                clash = arriving.intersection(bound)
                if clash:
                    factors, bound = self._fresh_names(factors, bound, clash)  # noqa: PLW2901
                term = number(c)
                for atom, exponent in factors:
                    term = self.multiply(term, self.raised(self.moved(atom, used), exponent)) if (
                        atom.labels & used.keys()) else self.multiply(term, self._plain(atom, exponent))  # fmt: skip
                for label in bound:
                    term = self.sum(term, label)
                parts.append(term)
            found = self._moved[key] = total(parts)
        return found

    @staticmethod
    def _plain(atom: Atom, exponent: Exponent) -> Poly:
        return Poly({(((atom, exponent),), ()): Fraction(1)})

    def moved(self, atom: Atom, places: Mapping[str, Place]) -> Poly:
        """Put labels, whole numbers or indices in for the labels of an atom."""
        used = {k: v for k, v in places.items() if k in atom.labels and k != v}
        if not used:
            return self._plain(atom, 1)
        key = (atom, tuple(sorted(used.items(), key=lambda f: f[0])))
        found = self._moved.get(key)
        if found is None:
            found = self._moved[key] = self._move(atom, used)
        return found

    def _move(self, atom: Atom, used: Mapping[str, Place]) -> Poly:
        from symgd.checking.prove import folds, functions

        kind, args = atom.kind, atom.args
        if kind == "leaf":
            index = tuple(self._index(i, used) for i in args[2])
            return relations.leaf(self, args[0], args[1], index)
        if kind == "place":
            to = used[args[0]]
            return (
                number(to) if isinstance(to, int) else to if isinstance(to, Poly) else self.of(self.atom("place", to))
            )
        if kind == "fold":
            return folds.move_fold(self, atom, used)
        inner = [self.substitute(a, used) if isinstance(a, Poly) else a for a in args]
        return functions.rebuild(self, kind, inner)

    def _index(self, index: Place, used: Mapping[str, Place]) -> Place:
        if isinstance(index, str):
            return used.get(index, index)
        if isinstance(index, Poly):
            moved = self.substitute(index, used)
            c = moved.constant()
            return int(c) if c is not None and c.denominator == 1 else moved
        return index


def skeleton(atom: Atom, label: str) -> Any:
    """Say what an atom looks like to one of its labels, whatever the others are called."""
    if atom.kind == "leaf":
        return (atom.args[1], tuple("." if i == label else "*" if isinstance(i, str) else "p" if isinstance(i, Poly)
                                    else i for i in atom.args[2]))  # fmt: skip
    name = atom.args[0] if atom.kind in ("function", "fold") else ""
    inner = [a for a in atom.args if isinstance(a, Poly)]
    parts = sorted((skeleton_of(p, label) for p in inner), key=repr)
    return (atom.kind, name, tuple(parts))


def skeleton_of(p: Poly, label: str) -> Any:
    """Say the same of a sum of monomials."""
    return tuple(sorted((tuple(sorted(((skeleton(a, label), float(e)) for a, e in factors if label in a.labels),
                                      key=repr)), float(c), len(factors), len(bound))
                        for (factors, bound), c in p.terms.items()))  # fmt: skip


__all__ = ["ONE", "ZERO", "Algebra"]
