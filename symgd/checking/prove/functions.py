"""Functions of polynomials, in a basis small enough that equal functions look equal.

Everything of the kind of an exponential is a power of ``exp`` of one mono; logarithms are taken apart into those of
prime numbers, atoms and sums that have no common factor; roots are powers; what depends on a condition is split by it.
Values on a set without extent, such as a tie, do not count here; they are looked at with numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from symgd.checking.prove import relations, signs
from symgd.checking.prove.algebra import Algebra
from symgd.checking.prove.terms import ONE, ZERO, Atom, Exponent, Place, Poly, Unsupported, length, number

IDEMPOTENT = ("positive", "zero")
MOST_CASES = 6  # conditions in the argument of one function
LARGEST_POWER = 12


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


# ---- taking sums apart ---------------------------------------------------------------------------------------------


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
        rest = _scaled(algebra, p, inverse)
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


def _scaled(algebra: Algebra, p: Poly, by: Mapping[Atom, Exponent]) -> Poly:
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


def positive_parts(algebra: Algebra, p: Poly) -> tuple[Fraction, list[tuple[Poly, Exponent]]]:
    """Give a sum, which is positive in the domain, as a number times powers of positive things."""
    c, common, rest = content(algebra, p)
    parts: list[tuple[Poly, Exponent]] = []
    unknown: dict[Atom, Exponent] = {}
    for atom, e in common.items():
        if atom.kind == "base" and e == int(e) and signs.sign(algebra, atom.args[0]) < 0:
            parts.append((algebra.raised(atom.args[0].times(-1), -1), -e))
            if int(e) % 2:
                rest = rest.times(-1)
        elif signs._atom_sign(algebra, atom, 1)[0] > 0 or e != int(e):  # noqa: SLF001
            parts.append((algebra._plain(atom, 1), e))  # noqa: SLF001
        elif int(e) % 2 == 0:
            parts.append((absolute(algebra, algebra.raised(algebra._plain(atom, 1), 1)), e))  # noqa: SLF001
        else:
            unknown[atom] = e
    if rest.constant() == 1 and len(unknown) == 1 and c > 0:
        ((atom, e),) = unknown.items()
        parts.append((algebra._plain(atom, 1), e))  # noqa: SLF001
        return c, parts
    if unknown:
        rest = _scaled(algebra, rest, unknown)
    if rest.constant() is None or rest.constant() != 1:
        value = rest.constant()
        if value is not None and value < 0:
            raise Unsupported("a root or logarithm of a negative number")
        parts.append((rest, 1))
    return c, parts


def absolute(algebra: Algebra, p: Poly) -> Poly:
    """Give |p|."""
    known = signs.sign(algebra, p)
    if known:
        return p.times(known)
    above = positive(algebra, p)
    return algebra.multiply(p, above.times(2).plus(ONE, -1))


def primes(value: Fraction) -> dict[int, int]:
    """Give the prime factors of a ratio with their exponents; what is too large is left as one factor."""
    found: dict[int, int] = {}
    for n, s in ((value.numerator, 1), (value.denominator, -1)):
        k = 2
        while k * k <= n and k < 2000:
            while n % k == 0:
                found[k] = found.get(k, 0) + s
                n //= k  # noqa: PLW2901
            k += 1
        if n > 1:
            found[n] = found.get(n, 0) + s
    return {k: e for k, e in found.items() if e}


# ---- powers, exponentials, logarithms ------------------------------------------------------------------------------


def power(algebra: Algebra, p: Poly, q: Fraction) -> Poly:
    """Raise to a number."""
    if q == 0:
        return ONE
    if q == 1:
        return p
    if not p.terms:
        if q > 0:
            return ZERO
        raise Unsupported("a division by 0")
    whole = q.denominator == 1
    one = p.single()
    if whole and q > 0 and ((one and not one[1]) or relations.expandable(p, int(q))):
        if one is None or one[1]:
            return algebra.raised(p, int(q))
        return algebra.mono(one[2] ** int(q), {a: e * int(q) for a, e in one[0]}, ())
    cases = split_cases(algebra, [p], lambda a: power_or_nothing(algebra, a[0], q))
    if cases is not None:
        return cases
    value = p.constant()
    if value is not None and (whole or value > 0):
        return _number_power(algebra, value, q)
    if not whole:
        c, parts = positive_parts(algebra, p)
        result = _number_power(algebra, c, q)
        for base, e in parts:
            result = algebra.multiply(result, _part_power(algebra, base, e * q))
        return result
    c, common, rest = content(algebra, p)
    result = algebra.mono(c ** int(q), {a: e * int(q) for a, e in common.items()}, ())
    return algebra.multiply(result, _base_power(algebra, rest, q))


def power_or_nothing(algebra: Algebra, p: Poly, q: Fraction) -> Poly:
    """Raise to a number; a division by 0 in a case that is masked counts as an unknown."""
    if not p.terms and q < 0:
        return algebra.of(algebra.atom("function", "undefined", number(0)))
    return power(algebra, p, q)


def _number_power(algebra: Algebra, value: Fraction, q: Exponent) -> Poly:
    if q == int(q):
        return number(value ** int(q))
    return algebra.mono(Fraction(1), {algebra.atom("number", k): e * q for k, e in primes(value).items()}, ())


def _part_power(algebra: Algebra, base: Poly, q: Exponent) -> Poly:
    one = base.single()
    if one is not None and not one[1] and one[2] == 1 and len(one[0]) == 1 and one[0][0][1] == 1:
        return algebra.mono(Fraction(1), {one[0][0][0]: q}, ())
    if split_cases(algebra, [base], lambda a: a[0]) is not None:
        return power(algebra, base, Fraction(q))
    return _base_power(algebra, base, q)


def _base_power(algebra: Algebra, base: Poly, q: Exponent) -> Poly:
    value = base.constant()
    if value is not None:
        return _number_power(algebra, value, q)
    one = base.single()
    if one is not None and not one[1] and one[2] == 1 and q == int(q):
        return algebra.mono(Fraction(1), {a: e * q for a, e in one[0]}, ())
    c = Fraction(1)
    if q == int(q):
        lead = max(base.terms, key=lambda m: ([(a.id, float(e)) for a, e in m[0]], m[1]))
        if base.terms[lead] < 0:
            base, c = base.times(-1), Fraction((-1) ** int(q))
    return algebra.mono(c, {algebra.atom("base", base): q}, ())


def exp(algebra: Algebra, p: Poly) -> Poly:
    """Give the exponential."""
    cases = split_cases(algebra, [p], lambda a: exp(algebra, a[0]))
    if cases is not None:
        return cases
    result = ONE
    for (factors, bound), c in p.terms.items():
        if len(factors) == 1 and not bound and factors[0][0].kind == "log" and factors[0][1] == 1:
            part = power(algebra, factors[0][0].args[0], c)
        else:
            exponent = Poly({(factors, bound): Fraction(1)})
            part = algebra.mono(Fraction(1), {algebra.atom("exp", exponent): c if c.denominator > 1 else int(c)}, ())
        result = algebra.multiply(result, part)
    return result


def log(algebra: Algebra, p: Poly) -> Poly:
    """Give the logarithm."""
    if not p.terms:
        raise Unsupported("the logarithm of 0")
    cases = split_cases(algebra, [p], lambda a: log(algebra, a[0]))
    if cases is not None:
        return cases
    c, parts = positive_parts(algebra, p)
    result = ZERO
    for k, times in primes(c).items():
        result = result.plus(algebra.of(algebra.atom("log", number(k))), times)
    for base, e in parts:
        one = base.single()
        if one is not None and len(one[0]) == 1 and not one[1] and one[2] == 1:
            atom, x = one[0][0]
            if atom.kind == "exp":
                result = result.plus(atom.args[0], Fraction(e * x))
                continue
            if atom.kind == "base":
                result = result.plus(algebra.of(algebra.atom("log", atom.args[0])), Fraction(e * x))
                continue
        if split_cases(algebra, [base], lambda a: a[0]) is not None:
            result = result.plus(log(algebra, base), Fraction(e))
        else:
            result = result.plus(algebra.of(algebra.atom("log", base)), Fraction(e))
    return result


# ---- conditions ----------------------------------------------------------------------------------------------------


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
    rest = _scaled(algebra, rest, kept) if kept else rest
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
    rest = _scaled(algebra, rest, {a: 1 for a, e in common.items() if a.kind not in ("exp", "number", "constant")})
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


# ---- everything else -----------------------------------------------------------------------------------------------

ODD = ("arctan", "arcsin", "erf", "arcsinh", "arctanh", "cbrt")


def function(algebra: Algebra, name: str, *args: Poly) -> Poly:
    """Give a function that nothing is known about but, for some, that it is odd."""
    cases = split_cases(algebra, list(args), lambda a: function(algebra, name, *a))
    if cases is not None:
        return cases
    if name in ODD:
        p = args[0]
        if not p.terms:
            return ZERO
        if _leading(p) < 0:
            return algebra.of(algebra.atom("function", name, p.times(-1))).times(-1)
    if name in ("gamma", "digamma") and (args[0].constant() is None):
        return _shifted(algebra, name, args[0])
    return algebra.of(algebra.atom("function", name, *args))


def _leading(p: Poly) -> Fraction:
    return p.terms[max(p.terms, key=lambda m: ([(a.id, float(e)) for a, e in m[0]], m[1]))]


def _shifted(algebra: Algebra, name: str, p: Poly) -> Poly:
    """Use gamma(u + 1) = u*gamma(u), and likewise for its logarithmic derivative: 0 <= the number in u < 1."""
    c = p.terms.get(((), ()), Fraction(0))
    whole = c.numerator // c.denominator
    base = p.plus(number(-whole))
    result = algebra.of(algebra.atom("function", name, base))
    if abs(whole) > LARGEST_POWER:
        return algebra.of(algebra.atom("function", name, p))
    for k in range(abs(whole)):
        at = base.plus(number(k if whole > 0 else -k - 1))
        if name == "gamma":
            result = algebra.multiply(result, at if whole > 0 else power(algebra, at, Fraction(-1)))
        else:
            result = result.plus(power(algebra, at, Fraction(-1)), 1 if whole > 0 else -1)
    return result


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
            rest = _scaled(algebra, rest, {atom: e})
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


def rebuild(algebra: Algebra, kind: str, args: list[Any]) -> Poly:
    """Make what an atom stands for, of other arguments."""
    if kind == "base":
        return args[0]  # type: ignore[no-any-return]
    if kind == "function":
        return function(algebra, *args)
    simple: dict[str, Callable[[Algebra, Poly], Poly]] = {
        "exp": exp, "log": log, "positive": positive, "zero": zero, "sine": sine, "cosine": cosine,
    }  # fmt: skip
    return simple[kind](algebra, args[0])
