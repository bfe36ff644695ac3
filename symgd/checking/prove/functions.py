"""Functions of polynomials, in a basis small enough that equal functions look equal.

Everything of the kind of an exponential is a power of ``exp`` of one mono; logarithms are taken apart into those of
prime numbers, atoms and sums that have no common factor; roots are powers; what depends on a condition is split by it.
Values on a set without extent, such as a tie, do not count here; they are looked at with numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from symgd.checking.prove import relations, signs
from symgd.checking.prove.algebra import Algebra
from symgd.checking.prove.angles import cosine, sine
from symgd.checking.prove.cases import absolute, content, positive, scaled, split_cases, zero
from symgd.checking.prove.terms import ONE, ZERO, Atom, Exponent, Poly, Unsupported, number

LARGEST_POWER = 12
ODD = ("arctan", "arcsin", "erf", "arcsinh", "arctanh", "cbrt")


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
        rest = scaled(algebra, rest, unknown)
    if rest.constant() is None or rest.constant() != 1:
        value = rest.constant()
        if value is not None and value < 0:
            raise Unsupported("a root or logarithm of a negative number")
        parts.append((rest, 1))
    return c, parts


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
