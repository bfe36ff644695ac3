"""Numbers of many digits, for residuals so small that the rounding of floats shows in them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from symgd.graph import Leaf, Node
from symgd.graph.nodes import Const
from symgd.graph.tape import Value
from symgd.language.functions import FUNCTIONS


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
        self._known: dict[str, np.ufunc] = {}

    def constant(self, node: Node) -> Value | None:
        """Give the value of a number, or of pi and e."""
        m, found = self.context, None
        if isinstance(node, Const):
            value = node.value
            if isinstance(value, Fraction):
                found = m.mpf(value.numerator) / value.denominator
            else:
                found = m.mpf(repr(float(value)))
        elif isinstance(node, Leaf) and node.kind == "constant":
            found = +(m.pi if node.name == "pi" else m.e)
        return found

    def array(self, values: Value) -> Value:
        """Give numbers with many digits; those that have them already as they are."""
        array = np.asarray(values)
        if array.dtype == object:
            return values
        # Only of float64 is the shortest decimal meant; the others are what they are when float64 computes with them.
        text = array.dtype == np.float64
        convert = np.frompyfunc(lambda v: self.context.mpf(repr(float(v)) if text else float(v)), 1, 1)
        found: Value = convert(array)  # of an array without axes, the number itself
        return found

    def apply(self, function: str, args: list[Value]) -> Value:
        """Apply a function of the table, element by element."""
        if function == "add":
            total = args[0]
            for arg in args[1:]:
                total = total + arg
            return total
        if function not in self._known:
            self._known[function] = np.frompyfunc(self._find(function), len(args), 1)
        found: Value = self._known[function](*args)
        return found

    def _find(self, function: str) -> Callable[..., Any]:
        written = FUNCTIONS[function].digits
        found = partial(written, self.context) if written else getattr(self.context, function, None)
        if found is None:
            message = f"the function '{function}' has no form of many digits"
            raise NotImplementedError(message)
        return found
