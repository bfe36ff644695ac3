"""Numbers of many digits, for residuals so small that the rounding of floats shows in them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from symgd.graph import Leaf, Node
from symgd.graph.nodes import Const


class Digits:
    """Numbers of many digits, in arrays of objects.

    A float64 is taken for the shortest decimal number that reads as it, which is what stood in the file or was typed:
    0.1 is 1/10 here, and not the binary fraction nearest to it.

    Parameters
    ----------
    digits : int
        Decimal digits to compute with.

    Raises
    ------
    NotImplementedError
        By `apply`, for a function that has no such form.
    """

    def __init__(self, digits: int = 40) -> None:
        import mpmath

        self.context = mpmath.mp.clone()
        self.context.dps = digits
        self._known: dict[str, Any] = {}

    def constant(self, node: Node) -> Any:
        """Give the value of a number, or of pi and e."""
        if isinstance(node, Const):
            value = node.value
            return self._ratio(value) if isinstance(value, Fraction) else self.context.mpf(repr(float(value)))
        if isinstance(node, Leaf) and node.kind == "constant":
            return +(self.context.pi if node.name == "pi" else self.context.e)
        return None

    def _ratio(self, value: Fraction) -> Any:
        return self.context.mpf(value.numerator) / value.denominator

    def array(self, values: Any) -> Any:
        """Give numbers with many digits; those that have them already as they are."""
        array = np.asarray(values)
        if array.dtype == object:
            return values
        # Only of float64 is the shortest decimal meant; the others are what they are when float64 computes with them.
        text = array.dtype == np.float64
        convert = np.frompyfunc(lambda v: self.context.mpf(repr(float(v)) if text else float(v)), 1, 1)
        return convert(array)  # of an array without axes, the number itself

    def apply(self, function: str, args: list[Any]) -> Any:
        """Apply a function of the table, element by element."""
        if function == "add":
            total = args[0]
            for arg in args[1:]:
                total = total + arg
            return total
        if function == "multiply":
            return args[0] * args[1]
        if function not in self._known:
            self._known[function] = np.frompyfunc(self._find(function), len(args), 1)
        return self._known[function](*args)

    def _find(self, function: str) -> Any:
        if function in _OWN:
            return getattr(self.context, _OWN[function])
        if function in _PLAIN:
            return _PLAIN[function]
        if function not in _WRITTEN:
            message = f"the function '{function}' has no form of many digits"
            raise NotImplementedError(message)
        written = _WRITTEN[function]
        return lambda *args: written(self.context, *args)


def _polygamma(m: Any, order: int, a: Any) -> Any:
    if order and a < -1000:  # mpmath walks up to 0 in steps of 1
        message = "polygamma far below 0 has no form of many digits"
        raise NotImplementedError(message)
    return m.polygamma(order, a)


def _power(a: Any, b: Any) -> Any:
    return a ** int(b) if b == int(b) else a**b


# What mpmath has, by its name there.
_OWN = {
    name: name
    for name in (
        "exp",
        "expm1",
        "log",
        "log1p",
        "log10",
        "sqrt",
        "sin",
        "cos",
        "tan",
        "sinh",
        "cosh",
        "tanh",
        "sech",
        "erf",
        "erfc",
        "gamma",
        "hypot",
        "cbrt",
        "sign",
        "floor",
        "ceil",
    )
}
_OWN |= {"abs": "fabs"} | {f"arc{name}": f"a{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")}
# What is written out: in terms of numbers alone, or of functions of the context too.
_PLAIN: dict[str, Callable[..., Any]] = {
    "divide": lambda a, b: a / b,
    "xdivy": lambda a, b: a / b if a else a,
    "held": lambda a: a,
    "below": lambda a, b: a - b if a != b else a * 0,
    "ratio": lambda a, b: a / b if b else a * 0,
    "power": _power,
    "powslope": lambda a, b: b * _power(a, b - 1) if a or b else a,
    "relu": lambda a: max(a, 0),
    "maximum": max,
    "minimum": min,
    "where": lambda c, a, b: a if c else b,
    "greater": lambda a, b: a > b,
    "greater_equal": lambda a, b: a >= b,
    "less": lambda a, b: a < b,
    "less_equal": lambda a, b: a <= b,
    "equal": lambda a, b: a == b,
    "not_equal": lambda a, b: a != b,
    "logical_and": lambda a, b: bool(a) and bool(b),
    "logical_or": lambda a, b: bool(a) or bool(b),
    "logical_not": lambda a: not a,
    "copysign": lambda a, b: -abs(a) if b < 0 else abs(a),
}
_WRITTEN: dict[str, Callable[..., Any]] = {
    "powlog": lambda m, a, b: _power(a, b) * m.log(a) if a else a,
    "xlogy": lambda m, a, b: a * m.log(b) if a else a,
    "xlog1py": lambda m, a, b: a * m.log1p(b) if a else a,
    "rel_entr": lambda m, a, b: a * m.log(a / b) if a else a,
    "exprel": lambda m, a: m.expm1(a) / a if a else a + 1,
    "expm1inv": lambda m, a: a / m.expm1(a) if a else a + 1,
    "log1prel": lambda m, a: m.log1p(a) / a if a else a + 1,
    "sinrel": lambda m, a: m.sin(a) / a if a else a + 1,
    "sinhrel": lambda m, a: m.sinh(a) / a if a else a + 1,
    "tanhrel": lambda m, a: m.tanh(a) / a if a else a + 1,
    "boxcox": lambda m, a, b: m.expm1(b * m.log(a)) / b if b else m.log(a),
    "sqrt0": lambda m, a: m.sqrt(a),
    "weighted": lambda m, a, b: a * m.exp(b) if a else a,
    "log2": lambda m, a: m.log(a) / m.log(2),
    "sigmoid": lambda m, a: 1 / (1 + m.exp(-a)),
    "softplus": lambda m, a: max(a, 0) + m.log1p(m.exp(-abs(a))),
    "logaddexp": lambda m, a, b: max(a, b) + m.log1p(m.exp(-abs(a - b))),
    "logcosh": lambda m, a: abs(a) + m.log1p(m.exp(-2 * abs(a))) - m.log(2),
    "cosarcsin": lambda m, a: m.sqrt((1 - a) * (1 + a)),
    "arctan2": lambda m, a, b: m.atan2(a, b),
    "sinc": lambda m, a: m.sincpi(a),
    "sincslope": lambda m, a: (m.sin(a) - a * m.cos(a)) / a**3 if a else m.mpf(1) / 3,
    "logit": lambda m, a: m.log(a / (1 - a)),
    "log1mexp": lambda m, a: m.log(-m.expm1(a)),
    "logerfc": lambda m, a: m.log(m.erfc(a)),
    "mills": lambda m, a: 2 * m.exp(-(a**2)) / (m.sqrt(m.pi) * m.erfc(a)),
    "millsrest": lambda m, a: 2 * m.exp(-(a**2)) / (m.sqrt(m.pi) * m.erfc(a)) - 2 * a,
    "lgamma": lambda m, a: m.log(abs(m.gamma(a))),
    "lngamma": lambda m, a: m.log(m.gamma(a)),
    "digamma": lambda m, a: m.digamma(a),
    "polygamma": lambda m, a, b: _polygamma(m, int(a), b),
    "trunc": lambda m, a: m.floor(a) if a >= 0 else m.ceil(a),
    "rint": lambda m, a: m.nint(a),
    "floor_divide": lambda m, a, b: m.floor(a / b),
    "mod": lambda m, a, b: a - b * m.floor(a / b),
}
