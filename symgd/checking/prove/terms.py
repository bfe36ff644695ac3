"""What the prover computes with: sums of monomials over atoms, with labels that are summed over.

A `Poly` maps each `Mono` to its coefficient, an exact ratio. A mono is a product of atoms with exponents, summed over
its *bound* labels: ``Sum_i X[i,k]*r[i]`` is one mono. An atom is an entry of an array, an exponential of one mono, a
logarithm, an inverse or root of a sum, a condition (1 or 0), or a function nothing is known about. Atoms are made once:
two are equal if they are the same object. A label is written ``length:name``, so that its length is known; bound ones
get names by their places, and so renaming what is summed over changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

Exponent = int | Fraction
Factors = tuple[tuple["Atom", Exponent], ...]
Place = Any  # of an axis: a label (str), a whole number, or a Poly


class Budget(Exception):  # noqa: N818 - an end, not an error
    """The work that a proof may cost is used up."""


class Unsupported(Exception):  # noqa: N818 - likewise
    """The prover has no meaning for this; says for what."""


class Atom:
    """One thing that monomials are made of."""

    __slots__ = ("args", "id", "kind", "labels")

    def __init__(self, number: int, kind: str, args: tuple[Any, ...], labels: frozenset[str]) -> None:
        self.id, self.kind, self.args, self.labels = number, kind, args, labels

    def __repr__(self) -> str:
        return show_atom(self)


Mono = tuple[Factors, tuple[str, ...]]


class Poly:
    """A sum of monomials; never changed once it is made."""

    __slots__ = ("_hash", "labels", "terms")

    def __init__(self, terms: Mapping[Mono, Fraction]) -> None:
        self.terms = {mono: c for mono, c in terms.items() if c}
        free: set[str] = set()
        for factors, bound in self.terms:
            for atom, _ in factors:
                free |= atom.labels.difference(bound) if bound else atom.labels
        self.labels = frozenset(free)
        self._hash: int | None = None

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self.terms.items()))
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Poly) and self.terms == other.terms

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __repr__(self) -> str:
        return show(self)

    def constant(self) -> Fraction | None:
        """Give the number that this is, if it is one."""
        if not self.terms:
            return Fraction(0)
        if len(self.terms) == 1:
            (((factors, _), c),) = self.terms.items()
            return c if not factors else None
        return None

    def single(self) -> tuple[Factors, tuple[str, ...], Fraction] | None:
        """Give factors, bound labels and coefficient if there is one mono only."""
        if len(self.terms) != 1:
            return None
        (((factors, bound), c),) = self.terms.items()
        return factors, bound, c

    def atoms(self) -> set[Atom]:
        """Give the atoms that it is made of."""
        return {atom for factors, _ in self.terms for atom, _ in factors}

    def plus(self, other: Poly, scale: Fraction | int = 1) -> Poly:
        """Add a multiple of another one."""
        total = dict(self.terms)
        for mono, c in other.terms.items():
            total[mono] = total.get(mono, Fraction(0)) + c * scale
        return Poly(total)

    def times(self, scale: Fraction | int) -> Poly:
        """Multiply by a number."""
        return self if scale == 1 else Poly({mono: c * scale for mono, c in self.terms.items()})


EMPTY: Mono = ((), ())
ZERO = Poly({})
ONE = Poly({EMPTY: Fraction(1)})


def number(value: Fraction | int) -> Poly:
    """Give a number as a sum of monomials."""
    return Poly({EMPTY: Fraction(value)})


def length(label: str) -> int:
    """Give the length that a label's name begins with."""
    return int(label.partition(":")[0])


def total(polys: Iterable[Poly]) -> Poly:
    """Add up."""
    terms: dict[Mono, Fraction] = {}
    for poly in polys:
        for mono, c in poly.terms.items():
            terms[mono] = terms.get(mono, Fraction(0)) + c
    return Poly(terms)


# ---- for people ----------------------------------------------------------------------------------------------------


def _label(label: Place) -> str:
    return str(label).partition(":")[2] if isinstance(label, str) else str(label)


def show_atom(atom: Atom) -> str:
    """Write an atom down, as certificates do."""
    kind, args = atom.kind, atom.args
    if kind == "leaf":
        return str(args[1]) + (f"[{','.join(_label(i) for i in args[2])}]" if args[2] else "")
    if kind in ("number", "constant"):
        return str(args[0])
    if kind == "place":
        return _label(args[0])
    if kind == "base":
        return f"({show(args[0])})"
    if kind in ("positive", "zero"):
        return f"[{show(args[0])} {'> 0' if kind == 'positive' else '== 0'}]"
    if kind == "fold":
        return f"{args[0]}_{_label(args[1])}({show(args[2])})"
    if kind == "function":
        return f"{args[0]}({', '.join(map(show, args[1:]))})"
    return f"{kind}({', '.join(show(a) for a in args)})"


def show(poly: Poly) -> str:
    """Write a sum of monomials down, as certificates do."""
    parts = []
    for (factors, bound), c in poly.terms.items():
        body = "*".join(show_atom(a) + ("" if e == 1 else f"**{e}" if e == int(e) and e > 0 else f"**({e})")
                        for a, e in factors)  # fmt: skip
        sign = "-" if c < 0 else "+"
        size = abs(c)
        text = body if size == 1 and body else str(size) + ("*" + body if body else "")
        parts.append(f"{sign} " + (f"Sum_{','.join(_label(b) for b in bound)} " if bound else "") + text)
    text = " ".join(parts) or "0"
    return text.removeprefix("+ ")
