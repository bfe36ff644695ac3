"""Trees of rules written down as text."""

from __future__ import annotations

from fractions import Fraction

from symgd import language as fm
from symgd.language import Tree

_SUM, _PRODUCT, _UNARY, _POWER, _ATOM = range(5)  # how tightly things bind


def text(tree: Tree) -> str:
    """Write a tree down.

    Parameters
    ----------
    tree : Tree
        Of a rule.

    Returns
    -------
    str
        Text that is read as this tree.

    Examples
    --------
    >>> from symgd.language import parse
    >>> text(parse("beta*v-lr*(g+2)"))
    'beta*v - lr*(g + 2)'
    """
    return _written(tree)[0]


def statements(steps: tuple[fm.Assignment, ...]) -> str:
    """Write the statements of a rule down.

    Parameters
    ----------
    steps : tuple of Assignment
        The statements.

    Returns
    -------
    str
    """
    return "; ".join(f"{s.name} = {text(s.value)}" for s in steps)


def _inside(tree: Tree, least: int) -> str:
    written, binds = _written(tree)
    return written if binds >= least else f"({written})"


def _written(tree: Tree) -> tuple[str, int]:
    match tree:
        case fm.Number(value):
            return _number(value)
        case fm.Name(name):
            return name, _ATOM
        case fm.Unary(op, arg):
            return f"{op}{' ' if op == 'not' else ''}{_inside(arg, _POWER)}", _UNARY if op != "not" else _SUM
        case fm.Sum(args, signs):
            out = ("-" if signs[0] < 0 else "") + _inside(args[0], _PRODUCT)
            for arg, sign in zip(args[1:], signs[1:], strict=True):
                out += (" + " if sign > 0 else " - ") + _inside(arg, _PRODUCT)
            return out, _SUM
        case fm.Product(args, ops):
            out = _inside(args[0], _UNARY)
            for op, arg in zip(ops, args[1:], strict=True):
                out += op + _inside(arg, _POWER)
            return out, _PRODUCT
        case fm.Power(base, exponent):
            return f"{_inside(base, _ATOM)}**{_inside(exponent, _POWER)}", _POWER
        case fm.Compare(ops, args):
            out = _inside(args[0], _PRODUCT)
            for op, arg in zip(ops, args[1:], strict=True):
                out += f" {op} {_inside(arg, _PRODUCT)}"
            return out, -1
        case fm.Logical(op, args):
            return f" {op} ".join(f"({text(a)})" for a in args), -1
        case fm.Call(function, args):
            return f"{function}({', '.join(map(text, args))})", _ATOM
    message = f"a rule has no {type(tree).__name__}"
    raise TypeError(message)


def _number(value: Fraction | float) -> tuple[str, int]:
    number = float(value)
    written = str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
    return written, _ATOM if number >= 0 else _UNARY
