"""Slips within a statement: a tree with one part of it changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import StrEnum
from fractions import Fraction

from symgd import language as fm
from symgd.language import Tree
from symgd.testing.causes.recurrence import Recurrence
from symgd.testing.causes.write import text


class Slip(StrEnum):
    """What was done to a rule."""

    SIGN = "sign"  # a term's sign turned round
    TERM = "term"  # a term left out
    FACTOR = "factor"  # a factor, or a divisor, left out
    TWICE = "twice"  # a factor once more
    SQUARE = "square"  # a power or a root left out
    FUNCTION = "function"  # a function left out, such as abs
    OTHER_FUNCTION = "other function"  # maximum for minimum
    BIAS = "bias"  # the correction of moments for their start at 0 left out
    SWAPPED = "swapped"  # two hyperparameters, each in the other's place
    COUNT = "count"  # t one too small or too large
    EPS = "eps"  # on the other side of a root
    NAME = "name"  # one name for another
    SHARE = "share"  # beta for 1 - beta
    ORDER = "order"  # two statements swapped
    STALE = "stale"  # the value of the step before
    FRESH = "fresh"  # the gradient again, without what was made of it
    LOST = "lost"  # a state that is not kept
    START = "start"  # a state that starts elsewhere
    COUPLED = "coupled"  # decay as part of the gradient
    DECOUPLED = "decoupled"  # decay apart from it
    UNSCALED = "unscaled"  # decay without the learning rate
    FLIPPED = "flipped"  # a comparison turned round
    WHOLE = "whole"  # one number for all parameters
    SCALED = "scaled"  # twice or half
    SINGLE = "single"  # float32
    SINGLE_STATES = "single states"  # float32 for what is kept
    FIRST = "first"  # the first step apart from the others
    KEPT = "kept"  # what was made of a state kept in its place
    LATE = "late"  # a constant that should be there from the first step


ONE = fm.Number(Fraction(1))
TWO = fm.Number(Fraction(2))
_SWAPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OTHER = {"maximum": ("minimum",), "minimum": ("maximum",)}

Edit = tuple[Slip, Tree, str, str]  # what, the part's new tree, the part, what stands instead


def everywhere(tree: Tree, rule: Recurrence, i: int) -> Iterator[Edit]:
    """Give all edits of a tree: of the node itself, and of what is below it.

    Parameters
    ----------
    tree : Tree
        Of a statement, or a part of it.
    rule : Recurrence
        The rule.
    i : int
        Which statement of the rule.

    Yields
    ------
    (Slip, Tree, str, str)
        What was done, the new tree, the part in question, and what stands there instead.
    """
    yield from _here(tree, rule, i)
    for k, child in enumerate(fm.children(tree)):
        for slip, made, part, instead in everywhere(child, rule, i):
            yield slip, with_child(tree, k, made), part, instead


def with_child(tree: Tree, k: int, child: Tree) -> Tree:
    """Give a tree with another child in a place.

    Parameters
    ----------
    tree : Tree
        The tree.
    k : int
        Which of its children.
    child : Tree
        The new one.

    Returns
    -------
    Tree
    """
    if isinstance(tree, fm.Unary):
        return replace(tree, arg=child)
    if isinstance(tree, fm.Power):
        return replace(tree, base=child) if k == 0 else replace(tree, exponent=child)
    args = list(fm.children(tree))
    args[k] = child
    return replace(tree, args=tuple(args))  # type: ignore[call-arg]


def _here(tree: Tree, rule: Recurrence, i: int) -> Iterator[Edit]:
    match tree:
        case fm.Sum():
            yield from _of_sum(tree)
        case fm.Product():
            yield from _of_product(tree)
        case fm.Power(base, fm.Number(value)) if value == 2:
            yield Slip.SQUARE, base, text(tree), text(base)
            yield Slip.SQUARE, fm.Call("abs", (base,)), text(tree), f"abs({text(base)})"
            yield Slip.SQUARE, fm.Power(base, fm.Number(Fraction(3))), text(tree), f"{text(base)}**3"
            yield Slip.WHOLE, fm.Call("mean", (tree,)), text(tree), f"mean({text(tree)})"
            yield Slip.WHOLE, fm.Call("sum", (tree,)), text(tree), f"sum({text(tree)})"
        case fm.Power(base, fm.Name("t")):
            yield Slip.LATE, base, text(tree), text(base)
            yield Slip.OTHER_FUNCTION, fm.Product((base, fm.Name("t")), ("*",)), text(tree), f"{text(base)}*t"
        case fm.Call("where", (condition, yes, no)):
            yield Slip.FLIPPED, replace(tree, args=(condition, no, yes)), text(tree), "the two branches swapped"
            yield Slip.FUNCTION, yes, text(tree), text(yes)
            yield Slip.FUNCTION, no, text(tree), text(no)
        case fm.Call(function, args):
            for arg in args:
                yield Slip.FUNCTION, arg, text(tree), text(arg)
            for other in _OTHER.get(function, ()):
                yield Slip.OTHER_FUNCTION, replace(tree, function=other), text(tree), f"{other}(...)"
            if function == "sqrt":
                yield Slip.TWICE, fm.Call("sqrt", (tree,)), text(tree), f"sqrt({text(tree)})"
        case fm.Compare(ops, args) if len(ops) == 1 and ops[0] in _SWAPPED:
            yield Slip.FLIPPED, replace(tree, ops=(_SWAPPED[ops[0]],)), text(tree), _SWAPPED[ops[0]]
        case fm.Name(name):
            yield from _of_name(tree, name, rule, i)
        case fm.Number(value) if value not in (0, 1, 2):
            yield Slip.SCALED, fm.Number(value * 2), text(tree), text(fm.Number(value * 2))
            yield Slip.SCALED, fm.Number(value / 2), text(tree), text(fm.Number(value / 2))


def _of_sum(tree: fm.Sum) -> Iterator[Edit]:
    args, signs = tree.args, tree.signs
    for k, (arg, sign) in enumerate(zip(args, signs, strict=True)):
        turned = replace(tree, signs=(*signs[:k], -sign, *signs[k + 1 :]))
        yield Slip.SIGN, turned, text(arg), text(turned)
        rest_args, rest_signs = args[:k] + args[k + 1 :], signs[:k] + signs[k + 1 :]
        rest = rest_args[0] if len(rest_args) == 1 and rest_signs[0] > 0 else fm.Sum(rest_args, rest_signs)
        yield Slip.TERM, rest, text(arg), text(rest)
    if len(args) == 2:
        yield from _of_eps(tree)
        if args[0] == ONE and signs == (1, -1) and isinstance(args[1], fm.Name):
            yield Slip.SHARE, args[1], text(tree), text(args[1])


def _of_eps(tree: fm.Sum) -> Iterator[Edit]:
    """Move eps into a root, or out of it."""
    root, eps = tree.args
    if isinstance(root, fm.Call) and root.function == "sqrt" and isinstance(eps, fm.Name):
        inside = fm.Call("sqrt", (fm.Sum((root.args[0], eps), (1, 1)),))
        yield Slip.EPS, inside, text(tree), text(inside)
        # Squares in the root have eps squared, where somebody wants the same size of it.
        yield Slip.EPS, fm.Call("maximum", (root, eps)), text(tree), f"maximum({text(root)}, {text(eps)})"


def _of_product(tree: fm.Product) -> Iterator[Edit]:
    args, ops = tree.args, tree.ops
    for k, arg in enumerate(args):
        if k == 0:
            rest: Tree = fm.Product(args[1:], ops[1:]) if len(args) > 2 else args[1]
            if ops[0] == "/":
                rest = fm.Product((ONE, *args[1:]), ops)
        else:
            rest = fm.Product(args[:k] + args[k + 1 :], ops[: k - 1] + ops[k:]) if len(args) > 2 else args[0]
        yield Slip.FACTOR, rest, text(arg), text(rest)
        if k and ops[k - 1] in "*/":
            turned = fm.Product(args, (*ops[: k - 1], "*" if ops[k - 1] == "/" else "/", *ops[k:]))
            yield Slip.FLIPPED, turned, text(tree), text(turned)
        op = ops[k - 1] if k else "*"
        if not isinstance(arg, fm.Number) and (k or not isinstance(arg, fm.Sum)):
            yield Slip.TWICE, fm.Product((*args, arg), (*ops, op)), text(arg), text(arg)
    # A denominator that ends too early: a/(b + c) read as a/b + c.
    for k, arg in enumerate(args[1:], 1):
        if ops[k - 1] == "/" and isinstance(arg, fm.Sum) and k == len(args) - 1:
            parted = fm.Sum((fm.Product((*args[:k], arg.args[0]), ops), *arg.args[1:]), (1, *arg.signs[1:]))
            yield Slip.FLIPPED, parted, text(tree), text(parted)


def _of_name(tree: fm.Name, name: str, rule: Recurrence, i: int) -> Iterator[Edit]:
    step = rule.steps[i]
    if name in rule.hyper:
        for other in rule.hyper:
            if other != name and other[:-1] == name[:-1] and name[-1].isdigit():
                yield Slip.NAME, fm.Name(other), name, other
        if name not in ("eps", "decay"):
            yield Slip.SHARE, fm.Sum((ONE, tree), (1, -1)), name, f"1 - {name}"
        return
    if name == "lr":
        yield Slip.TWICE, fm.Product((tree, tree), ("*",)), "lr", "lr"
        return
    if name in ("t", "f", "pi"):
        return
    if name not in ("g", step.name, "x"):
        yield Slip.FRESH, fm.Name("g"), name, "g"
    if name == "g" and step.name != "x":
        yield Slip.NAME, fm.Name("x"), name, "x"
    targets = [s.name for s in rule.steps if s.name != "x"]
    for other in dict.fromkeys(targets):
        if name not in (other, "x"):
            yield Slip.NAME, fm.Name(other), name, other
    if name != "x":
        yield Slip.WHOLE, fm.Call("mean", (tree,)), name, f"mean({name})"
    if name == "g":
        yield Slip.TWICE, fm.Product((fm.Name("lr"), tree), ("*",)), "lr", "lr"


def substituted(tree: Tree, change: Callable[[Tree], Tree | None]) -> Tree:
    """Give a tree in which some parts are others.

    Parameters
    ----------
    tree : Tree
        The tree.
    change : callable
        Gives what stands for a part; ``None`` for the part itself.

    Returns
    -------
    Tree
    """
    made = change(tree)
    if made is not None:
        return made
    for k, child in enumerate(fm.children(tree)):
        new = substituted(child, change)
        if new is not child:
            tree = with_child(tree, k, new)
    return tree


def named(rule: Recurrence, name: str, value: Tree, only: int | None = None) -> Recurrence:
    """Give a rule in which a name is another tree wherever it is read, or in one statement.

    Parameters
    ----------
    rule : Recurrence
        The rule.
    name : str
        What is read.
    value : Tree
        What stands for it.
    only : int, optional
        The statement.

    Returns
    -------
    Recurrence
    """
    target = fm.Name(name)
    steps = tuple(
        replace(s, value=substituted(s.value, lambda t: value if t == target else None))
        if only is None or k == only
        else s
        for k, s in enumerate(rule.steps)
    )
    return rule.edited(steps)
