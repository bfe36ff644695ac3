"""Numbers: exact ratios while they are small, float64 beyond.

SymPy's constructors, and Python's own integers, do exact arithmetic of any size; `10**10**10` would never end. Here
numerators and denominators stay under 2**53, the last whole number up to which float64 is exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from fractions import Fraction

from symgd.language import scalar

Number = Fraction | float

LARGEST_EXACT = 2**53
LARGEST_EXPONENT = 10_000


_unbounded: ContextVar[bool] = ContextVar("unbounded", default=False)


@contextmanager
def unbounded() -> Iterator[None]:
    """Keep every ratio exact, however large, as proofs need it; the powers of numbers stay bounded."""
    token = _unbounded.set(True)
    try:
        yield
    finally:
        _unbounded.reset(token)


def exact(value: Number) -> Number:
    """Keep a ratio while numerator and denominator stay under 2**53; give the float beyond."""
    if isinstance(value, Fraction) and max(abs(value.numerator), value.denominator) >= LARGEST_EXACT:
        return value if _unbounded.get() else ratio_to_float(value)
    return value


def ratio_to_float(value: Fraction) -> float:
    """Round a ratio; infinite where it is too large."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def magnitude(value: Number) -> float:
    """Give the size of a number, rounded."""
    return abs(float(value))


def fold_add(a: Number, b: Number) -> Number:
    """Add two numbers, exactly where that stays small."""
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return exact(a + b)
    return float(a) + float(b)


def fold_multiply(a: Number, b: Number) -> Number:
    """Multiply two numbers, exactly where that stays small."""
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return exact(a * b)
    return float(a) * float(b)


def fold_power(a: Number, b: Number) -> Number:
    """Raise a number to a number; exact for whole exponents while the result stays small."""
    rough = scalar.pow(float(a), float(b))
    if isinstance(a, Fraction) and isinstance(b, Fraction) and b.denominator == 1 and abs(b) <= 64 and a != 0:
        # A result that float64 holds comfortably has at most 64 * 53 bits: a bounded computation.
        return exact(a ** int(b)) if 1e-300 < abs(rough) < 1e300 else rough
    return rough
