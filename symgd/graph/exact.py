"""Numbers: exact ratios while they are small, float64 beyond.

SymPy's constructors, and Python's own integers, do exact arithmetic of any size; `10**10**10` would never end. Here
numerators and denominators stay under 2**53, the last whole number up to which float64 is exact.
"""

from __future__ import annotations

import math
from fractions import Fraction

from symgd.language import scalar

Number = Fraction | float

LARGEST_EXACT = 2**53
LARGEST_EXPONENT = 10_000


class Numbers:
    """How the numbers of formulas are added up and multiplied: exactly where that stays small."""

    def kept(self, value: Number) -> Number:
        """Keep a ratio while numerator and denominator stay under 2**53; give the float beyond."""
        if isinstance(value, Fraction) and max(abs(value.numerator), value.denominator) >= LARGEST_EXACT:
            return ratio_to_float(value)
        return value

    def read(self, value: float) -> Number:
        """Take a float64 for a number."""
        return value

    def add(self, a: Number, b: Number) -> Number:
        """Add two numbers."""
        if isinstance(a, Fraction) and isinstance(b, Fraction):
            return self.kept(a + b)
        return float(a) + float(b)

    def multiply(self, a: Number, b: Number) -> Number:
        """Multiply two numbers."""
        if isinstance(a, Fraction) and isinstance(b, Fraction):
            return self.kept(a * b)
        return float(a) * float(b)

    def power(self, a: Number, b: Number) -> Number:
        """Raise a number to a number; exact for whole exponents while the result stays small."""
        rough = scalar.pow(float(a), float(b))
        if isinstance(a, Fraction) and isinstance(b, Fraction) and b.denominator == 1 and abs(b) <= 64 and a != 0:
            # A result that float64 holds comfortably has at most 64 * 53 bits: a bounded computation.
            return self.kept(a ** int(b)) if 1e-300 < abs(rough) < 1e300 else rough
        return rough


class Ratios(Numbers):
    """Every ratio exact, however large, as proofs need it; the powers of numbers stay bounded."""

    def kept(self, value: Number) -> Number:
        """Keep a ratio."""
        return value

    def read(self, value: float) -> Number:
        """Take a float for the shortest decimal number that reads as it."""
        return Fraction(repr(float(value))) if abs(value) < math.inf else value


NUMBERS = Numbers()


def ratio_to_float(value: Number) -> float:
    """Round a number; infinite where a ratio is too large."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def magnitude(value: Number) -> float:
    """Give the size of a number, rounded."""
    return abs(ratio_to_float(value))
