"""Instructions of LLVM's language, and what every one of them is about: operands with types."""

from __future__ import annotations

import struct

WHOLE, FLOAT, TRUTH = "i64", "double", "i1"
UNSIGNED = "u64"  # a whole number that is to become a float as one without a sign
_ARITHMETIC = {"+": "add", "-": "sub", "*": "mul", "/": "div"}

Typed = tuple[str, str]  # an operand, and its type


class Instructions:
    """Collects instructions."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.count = 0
        self.open = True  # whether the block that is being written has no end yet

    def new(self) -> str:
        """Give a name for a value."""
        self.count += 1
        return f"%e{self.count}"

    def label(self) -> str:
        """Give a name for a block."""
        self.count += 1
        return f"b{self.count}"

    def put(self, instruction: str) -> str:
        """Write an instruction; give the name of its value."""
        name = self.new()
        self.lines.append(f"  {name} = {instruction}")
        return name

    def go(self, instruction: str) -> None:
        """Write the end of a block."""
        if self.open:
            self.lines.append(f"  {instruction}")
        self.open = False

    def at_label(self, label: str) -> None:
        """Begin a block, which the one before goes on to."""
        self.go(f"br label %{label}")
        self.lines.append(f"{label}:")
        self.open = True

    def as_float(self, value: Typed) -> str:
        """Give a number as a float."""
        operand, kind = value
        if kind == FLOAT:
            return operand
        if kind == WHOLE and not operand.startswith("%"):
            return constant(float(operand))
        return self.put(f"{'uitofp' if kind in (TRUTH, 'u64') else 'sitofp'} {plain(kind)} {operand} to double")

    def as_whole(self, value: Typed) -> str:
        """Give a number as a whole one, cut off."""
        operand, kind = value
        if kind == TRUTH:
            return self.put(f"zext i1 {operand} to i64")
        return self.put(f"fptosi double {operand} to i64") if kind == FLOAT else operand

    def as_truth(self, value: Typed) -> str:
        """Tell whether a number is not 0."""
        operand, kind = value
        if kind == TRUTH:
            return operand
        zero = f"fcmp une double {operand}, {constant(0.0)}" if kind == FLOAT else f"icmp ne i64 {operand}, 0"
        return self.put(zero)

    def alike(self, a: Typed, b: Typed) -> tuple[str, str, str]:
        """Give two numbers as ones of the same type, which comes first."""
        if FLOAT in (a[1], b[1]):
            return FLOAT, self.as_float(a), self.as_float(b)
        if a[1] == b[1] == TRUTH:
            return TRUTH, a[0], b[0]
        return WHOLE, self.as_whole(a), self.as_whole(b)

    def arithmetic(self, sign: str, x: Typed, y: Typed) -> Typed:
        """Write a sum, a difference, a product or a quotient."""
        kind, a, b = self.alike(x, y)
        if sign == "/" or kind == TRUTH:
            kind, a, b = (FLOAT, self.as_float(x), self.as_float(y)) if sign == "/" else (
                WHOLE, self.as_whole(x), self.as_whole(y))  # fmt: skip
        name = _ARITHMETIC[sign]
        return self.put(f"f{name} double {a}, {b}" if kind == FLOAT else f"{name} nsw i64 {a}, {b}"), kind

    def floor_division(self, a: str, b: str) -> str:
        """Write a division of whole numbers that rounds down."""
        quotient, rest = self.put(f"sdiv i64 {a}, {b}"), self.put(f"srem i64 {a}, {b}")
        broken = self.put(f"icmp ne i64 {rest}, 0")
        signs = self.put(f"xor i64 {rest}, {b}")
        below = self.put(f"icmp slt i64 {signs}, 0")
        down = self.put(f"and i1 {broken}, {below}")
        return self.put(f"sub nsw i64 {quotient}, {self.put(f'zext i1 {down} to i64')}")

    def negative(self, value: Typed) -> Typed:
        """Write the negative of a value."""
        if value[1] == FLOAT:
            return self.put(f"fneg double {value[0]}"), FLOAT
        return self.put(f"sub nsw i64 0, {self.as_whole(value)}"), WHOLE


def constant(value: float) -> str:
    """Write a float by its bits.

    Parameters
    ----------
    value : float
        The number.

    Returns
    -------
    str

    Examples
    --------
    >>> constant(1.0)
    '0x3FF0000000000000'
    """
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


def plain(kind: str) -> str:
    """Give a type as LLVM knows it."""
    return WHOLE if kind == UNSIGNED else kind
