"""Sines and cosines, by the addition theorems functions of those of single monos."""

from __future__ import annotations

import re
from fractions import Fraction

from symgd.checking.prove.algebra import Algebra
from symgd.checking.prove.cases import split_cases
from symgd.checking.prove.terms import ONE, ZERO, Poly, number

LARGEST_POWER = 12


def sine(algebra: Algebra, p: Poly) -> Poly:
    """Give the sine, by the addition theorems a function of those of single monos."""
    return _angles(algebra, p)[0]


def cosine(algebra: Algebra, p: Poly) -> Poly:
    """Give the cosine."""
    return _angles(algebra, p)[1]


def _angles(algebra: Algebra, p: Poly) -> tuple[Poly, Poly]:
    for index in (0, 1):
        cases = split_cases(algebra, [p], lambda a, i=index: _angles(algebra, a[0])[i])  # type: ignore[misc]
        if cases is not None and index == 0:
            first = cases
        elif cases is not None:
            return first, cases
    result = ZERO, ONE
    for (factors, bound), c in p.terms.items():
        one = _multiple(algebra, Poly({(factors, bound): Fraction(1)}), c)
        s, k = result
        result = (
            algebra.multiply(s, one[1]).plus(algebra.multiply(k, one[0])),
            algebra.multiply(k, one[1]).plus(algebra.multiply(s, one[0]), -1),
        )
    return result


def _multiple(algebra: Algebra, angle: Poly, c: Fraction) -> tuple[Poly, Poly]:
    """Give sine and cosine of c times an angle, from those of the angle over the denominator of c."""
    one = angle.single()
    assert one is not None
    if len(one[0]) == 1 and one[0][0][0].kind == "constant" and one[0][0][1] == 1 and (c * 2).denominator == 1:
        quarter = int(c * 2) % 4
        return number((0, 1, 0, -1)[quarter]), number((1, 0, -1, 0)[quarter])
    unit = algebra.units.get(unit_key(angle), 1)
    if unit % c.denominator:
        raise Finer(angle, c.denominator)
    times = int(abs(c) * unit)
    base = angle.times(Fraction(1, unit))
    s1, c1 = algebra.of(algebra.atom("sine", base)), algebra.of(algebra.atom("cosine", base))
    if times > LARGEST_POWER:
        whole = angle.times(abs(c))
        s, k = algebra.of(algebra.atom("sine", whole)), algebra.of(algebra.atom("cosine", whole))
    else:
        s, k = ZERO, ONE
        for _ in range(times):
            s, k = (
                algebra.multiply(s, c1).plus(algebra.multiply(k, s1)),
                algebra.multiply(k, c1).plus(algebra.multiply(s, s1), -1),
            )
    return s.times(1 if c > 0 else -1), k


def unit_key(angle: Poly) -> str:
    """Name an angle, whatever its labels are called."""
    return re.sub(r"\[[^\]]*\]|Sum_\S*", "[]", str(angle))


class Finer(Exception):  # noqa: N818 - a question, not an error
    """An angle is divided more finely than was foreseen; everything is to be done again with this unit."""

    def __init__(self, angle: Poly, denominator: int) -> None:
        super().__init__(str(angle))
        self.angle, self.denominator = angle, denominator
