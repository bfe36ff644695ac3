"""Numbers as plain floats, and as LLVM's instructions: what `vector` is written in."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from llvmlite import ir

Number: TypeAlias = Any  # a float, or a `Value` that stands for one
Operand: TypeAlias = "float | Value"

REST = 0x7FFFFFFFFFFFFFFF  # all bits of a float but the sign's


def select(test: Number, yes: Number, no: Number) -> Number:
    """Give ``yes`` where the test holds, else ``no``."""
    return test.select(yes, no) if isinstance(test, Value) else yes if test else no


def bits(a: Number) -> Number:
    """Give the bits of a float as a whole number."""
    return a.cast("IntType", 64) if isinstance(a, Value) else struct.unpack("<q", struct.pack("<d", a))[0]


def real(a: Number) -> Number:
    """Give the float that has these bits."""
    if isinstance(a, Value):
        return a.cast("DoubleType")
    return struct.unpack("<d", struct.pack("<Q", a & 0xFFFFFFFFFFFFFFFF))[0]


class Value:
    """A number in a function that is being compiled; operators append instructions to it.

    Whole numbers take +, -, &, | and shifts, the right one for those that are not negative.

    Parameters
    ----------
    builder : IRBuilder
        What appends instructions.
    value : ir.Value
        The number.
    """

    __hash__ = None  # type: ignore[assignment]

    # The function around may be allowed to reorder sums; what is written here has flags of its own, and keeps them.
    # Without that, (a + b) - b would be a.
    FLAGS = ("contract",)

    def __init__(self, builder: ir.IRBuilder, value: ir.Value) -> None:
        self.builder = builder
        self.value = value

    def _operate(self, name: str, left: Operand, right: Operand) -> Value:
        a, b = self._lift(left), self._lift(right)
        if self._whole():
            return Value(self.builder, getattr(self.builder, name)(a, b))
        return Value(self.builder, getattr(self.builder, "f" + name)(a, b, flags=self.FLAGS))

    def _compare(self, sign: str, other: Operand) -> Value:
        return Value(self.builder, self.builder.fcmp_ordered(sign, self.value, self._lift(other)))

    def _whole(self) -> bool:
        from llvmlite import ir

        return isinstance(self.value.type, ir.IntType)

    def _lift(self, other: Operand) -> ir.Value:
        from llvmlite import ir

        return other.value if isinstance(other, Value) else ir.Constant(self.value.type, other)

    def cast(self, kind: str, *width: int) -> Value:
        """Give the same bits as another type."""
        from llvmlite import ir

        return Value(self.builder, self.builder.bitcast(self.value, getattr(ir, kind)(*width)))

    def select(self, yes: Number, no: Number) -> Value:
        """Give one or the other; this is the test."""
        from llvmlite import ir

        chosen = [v.value if isinstance(v, Value) else ir.Constant(ir.DoubleType(), v) for v in (yes, no)]
        return Value(self.builder, self.builder.select(self.value, *chosen))

    def __add__(self, other: Operand) -> Value:
        return self._operate("add", self, other)

    def __radd__(self, other: Operand) -> Value:
        return self._operate("add", other, self)

    def __sub__(self, other: Operand) -> Value:
        return self._operate("sub", self, other)

    def __rsub__(self, other: Operand) -> Value:
        return self._operate("sub", other, self)

    def __mul__(self, other: Operand) -> Value:
        return self._operate("mul", self, other)

    def __rmul__(self, other: Operand) -> Value:
        return self._operate("mul", other, self)

    def __truediv__(self, other: Operand) -> Value:
        return self._operate("div", self, other)

    def __rtruediv__(self, other: Operand) -> Value:
        return self._operate("div", other, self)

    def __neg__(self) -> Value:
        return self._operate("sub", -0.0, self)

    def __abs__(self) -> Value:
        return (self.cast("IntType", 64) & REST).cast("DoubleType")

    def __and__(self, other: Operand) -> Value:
        return self._operate("and_", self, other)

    def __or__(self, other: Operand) -> Value:
        return self._operate("or_", self, other)

    def __lshift__(self, other: Operand) -> Value:
        return self._operate("shl", self, other)

    def __rshift__(self, other: Operand) -> Value:
        return self._operate("lshr", self, other)

    def __lt__(self, other: Operand) -> Value:
        return self._compare("<", other)

    def __gt__(self, other: Operand) -> Value:
        return self._compare(">", other)

    def __eq__(self, other: object) -> Value:  # type: ignore[override]
        return self._compare("==", other)  # type: ignore[arg-type]
