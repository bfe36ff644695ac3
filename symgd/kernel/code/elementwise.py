"""Functions of the table as NumPy writes them, place by place."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symgd.graph import Const, Map
from symgd.kernel.code.contractions import atom
from symgd.kernel.code.forms import PREFIX
from symgd.language.vectors import CONDITIONS, is_ufunc


def literal(value: float) -> str:
    """Write a number."""
    text = repr(float(value))
    return {"inf": "np.inf", "-inf": "-np.inf", "nan": "np.nan"}.get(text, text)


def expression(node: Map, codes: Sequence[str], calls: dict[str, None], *, scalar: bool = False) -> str:
    """Write a function applied to arrays that line up.

    Parameters
    ----------
    node : Map
        The function, and its arguments.
    codes : sequence of str
        Texts of the arguments.
    calls : dict
        Takes the names of functions that NumPy does not have.
    scalar : bool
        Whether all are single numbers, which divided by 0 would raise.

    Returns
    -------
    str
    """
    name = node.function
    if name == "held":
        return codes[0]
    if name == "add":
        return _sum(codes)
    if name == "multiply":
        a, b = codes
        return f"-{atom(b)}" if a == "-1.0" else f"{atom(a)}*{atom(b)}"
    if name == "divide":
        a, b = codes
        return f"np.divide({a}, {b})" if scalar else f"{atom(a)}/{atom(b)}"
    if name == "power":
        return _power(codes, node.args[1], scalar=scalar)
    if name == "where":
        condition = node.args[0]
        test = codes[0]
        if not (isinstance(condition, Map) and condition.function in CONDITIONS):
            test = f"{atom(test)} != 0"
        return f"np.where({test}, {codes[1]}, {codes[2]})"
    return f"{spelt(name, calls)}({', '.join(codes)})"


def spelt(name: str, calls: dict[str, None]) -> str:
    """Write the name of a function of arrays."""
    if is_ufunc(name):
        return f"np.{name}"
    calls[PREFIX + name] = None
    return PREFIX + name


def _sum(codes: Sequence[str]) -> str:
    text = codes[0]
    for code in codes[1:]:
        text += f" - {code[1:]}" if code.startswith("-") and atom(code[1:]) == code[1:] else f" + {atom(code)}"
    return text


def _power(codes: Sequence[str], exponent: object, *, scalar: bool) -> str:
    """Write a power: by multiplication where that is as exact, and faster."""
    base, written = codes
    if isinstance(exponent, Const):
        size = abs(exponent.value)
        known: dict[object, str] = {Fraction(1, 2): f"np.sqrt({base})", 1: base, 2: f"np.square({base})"}
        spelling = known.get(size)
        if spelling is None and size in (3, 4) and atom(base) == base and len(base) < 12:
            spelling = "*".join([base] * int(size)) if size == 3 else f"np.square(np.square({base}))"
        if spelling is not None:
            if exponent.value > 0:
                return spelling
            return f"np.divide(1.0, {spelling})" if scalar else f"1.0/{atom(spelling)}"
    return f"np.power({base}, {written})"
