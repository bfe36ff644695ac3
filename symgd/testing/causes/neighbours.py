"""The neighbours of a rule: what it becomes by one slip of the pen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from itertools import combinations

from symgd import language as fm
from symgd.language import Assignment, Tree
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


@dataclass(frozen=True)
class Neighbour:
    """A rule after a slip.

    Parameters
    ----------
    slip : Slip
        What was done.
    rule : Recurrence
        The rule after it.
    part : str
        The part in question, as it should be.
    instead : str
        What stands there instead; empty where nothing does.
    statement : str
        The statement as it should be.
    yours : str
        The statement after the slip.
    """

    slip: Slip
    rule: Recurrence
    part: str
    instead: str = ""
    statement: str = ""
    yours: str = ""


_ONE = fm.Number(Fraction(1))
_HALF = fm.Number(Fraction(1, 2))
_TWO = fm.Number(Fraction(2))
_SWAPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OTHER = {"maximum": ("minimum",), "minimum": ("maximum",)}

Edit = tuple[Slip, Tree, str, str]  # what, the part's new tree, the part, what stands instead


def neighbours(rule: Recurrence) -> Iterator[Neighbour]:
    """Give the neighbours of a rule, those that are met most often first where it matters.

    Parameters
    ----------
    rule : Recurrence
        The rule.

    Yields
    ------
    Neighbour
    """
    for i, step in enumerate(rule.steps):
        for slip, value, part, instead in _everywhere(step.value, rule, i):
            made = replace(step, value=value)
            steps = (*rule.steps[:i], made, *rule.steps[i + 1 :])
            yield Neighbour(slip, rule.edited(steps), part, instead, _line(step), _line(made))
    yield from _corrections(rule)
    yield from _swapped(rule)
    yield from _counts(rule)
    yield from _orders(rule)
    yield from _stale(rule)
    yield from _states(rule)
    yield from _kept(rule)
    yield from _decays(rule)
    yield Neighbour(Slip.SINGLE, replace(rule, precision="single"), "")
    yield Neighbour(Slip.SINGLE_STATES, replace(rule, precision="single states"), "")


def _line(step: Assignment) -> str:
    return f"{step.name} = {text(step.value)}"


def _everywhere(tree: Tree, rule: Recurrence, i: int) -> Iterator[Edit]:
    """Give all edits of a tree: of the node itself, and of what is below it."""
    yield from _here(tree, rule, i)
    for k, child in enumerate(fm.children(tree)):
        for slip, made, part, instead in _everywhere(child, rule, i):
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
        if args[0] == _ONE and signs == (1, -1) and isinstance(args[1], fm.Name):
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
                rest = fm.Product((_ONE, *args[1:]), ops)
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
            yield Slip.SHARE, fm.Sum((_ONE, tree), (1, -1)), name, f"1 - {name}"
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


def _is_correction(tree: Tree) -> bool:
    """Tell ``1 - beta**t`` from anything else, and roots of it."""
    if isinstance(tree, fm.Call) and tree.function == "sqrt":
        return _is_correction(tree.args[0])
    if not (isinstance(tree, fm.Sum) and tree.args[0] == _ONE and tree.signs == (1, -1)):
        return False
    power = tree.args[1]
    return isinstance(power, fm.Power) and isinstance(power.base, fm.Name) and "t" in fm.names(power.exponent)


def _corrections(rule: Recurrence) -> Iterator[Neighbour]:
    """Leave out the correction of all moments, and of those with one of the hyperparameters."""
    found = [p for s in rule.steps for p in fm.walk(s.value) if _is_correction(p)]
    bases = sorted({next(n for n in fm.names(p) if n != "t") for p in found})
    for only in [None, *(bases if len(bases) > 1 else [])]:
        gone = [p for p in found if only is None or only in fm.names(p)]
        steps = tuple(
            replace(s, value=substituted(s.value, lambda p: _ONE if any(p is q for q in gone) else None))  # noqa: B023
            for s in rule.steps
        )
        yield Neighbour(Slip.BIAS, rule.edited(steps), only or "")


def _swapped(rule: Recurrence) -> Iterator[Neighbour]:
    """Put two hyperparameters in each other's places, everywhere; or one in another's, all over a statement."""
    for one, other in combinations(rule.hyper, 2):
        places: dict[Tree, Tree] = {fm.Name(one): fm.Name(other), fm.Name(other): fm.Name(one)}
        steps = tuple(replace(s, value=substituted(s.value, lambda p: places.get(p))) for s in rule.steps)  # noqa: B023, PLW0108
        yield Neighbour(Slip.SWAPPED, rule.edited(steps), one, other)
    for k, step in enumerate(rule.steps):
        for one in [n for n in fm.names(step.value) if n in rule.hyper]:
            for other in rule.hyper:
                if other != one:
                    made = named(rule, one, fm.Name(other), k)
                    yield Neighbour(Slip.NAME, made, one, other, _line(step), _line(made.steps[k]))


def _counts(rule: Recurrence) -> Iterator[Neighbour]:
    t = fm.Name("t")
    reading = [k for k, s in enumerate(rule.steps) if "t" in fm.names(s.value)]
    if reading:
        yield Neighbour(Slip.COUNT, named(rule, "t", _ONE), "t", "1")
    for sign, said in ((-1, "t - 1"), (1, "t + 1")):
        moved = fm.Sum((t, _ONE), (1, sign))
        if reading:
            yield Neighbour(Slip.COUNT, named(rule, "t", moved), "t", said)
        for k in reading:
            places = [p for p in fm.walk(rule.steps[k].value) if p == t]
            for place in places if len(places) > 1 else []:
                value = substituted(rule.steps[k].value, lambda p: moved if p is place else None)  # noqa: B023
                steps = (*rule.steps[:k], replace(rule.steps[k], value=value), *rule.steps[k + 1 :])
                yield Neighbour(Slip.COUNT, rule.edited(steps), "t", said, _line(rule.steps[k]), _line(steps[k]))


def _orders(rule: Recurrence) -> Iterator[Neighbour]:
    for k in range(len(rule.steps)):
        for j in range(k + 1, len(rule.steps)):
            order = list(rule.steps)
            order.insert(j, order.pop(k))
            if tuple(order) == rule.steps:
                continue
            before, after = _line(rule.steps[k]), _line(rule.steps[j])
            # What a state's first step reads is then what it starts at.
            yield Neighbour(Slip.ORDER, rule.edited(tuple(order)), before, after)
            state = rule.steps[k].name
            if state in rule.states and state not in rule.init:  # which would divide by 0 at first
                ones = {**rule.init, state: _ONE}
                yield Neighbour(Slip.ORDER, rule.edited(tuple(order), init=ones), before, after)


def _stale(rule: Recurrence) -> Iterator[Neighbour]:
    """Let a statement, or all of them, read the gradient of the step before."""
    old = fm.Name("g_before")
    keep = Assignment("g_before", fm.Name("g"))
    reading = [k for k, s in enumerate(rule.steps) if "g" in fm.names(s.value)]
    for only in [None, *(reading if len(reading) > 1 else [])]:
        made = named(rule, "g", old, only)
        line = "" if only is None else _line(rule.steps[only])
        for init in ({}, {"g_before": fm.Name("g")}):
            steps = (*made.steps, keep)
            yield Neighbour(
                Slip.STALE, rule.edited(steps, init={**rule.init, **init}), "g", "g of the step before", line
            )


def _states(rule: Recurrence) -> Iterator[Neighbour]:
    for state in rule.states:
        if state == "g_before":
            continue
        zero = fm.Number(Fraction(0))
        first = next((k for k, s in enumerate(rule.steps) if s.name == state), None)
        if first is not None and state in fm.names(rule.steps[first].value):
            yield Neighbour(Slip.LOST, named(rule, state, zero, first), state)
        for start, said in ((fm.Name("g"), "the first gradient"), (_ONE, "1"), (zero, "0"), (fm.Name("x"), "x")):
            if rule.init.get(state, zero) == start:
                continue
            yield Neighbour(Slip.START, replace(rule, init={**rule.init, state: start}), state, said)
        square = fm.Power(fm.Name("g"), _TWO)
        yield Neighbour(
            Slip.START, replace(rule, init={**rule.init, state: square}), state, "the first gradient's square"
        )


def _kept(rule: Recurrence) -> Iterator[Neighbour]:
    """Keep what is made of a state in its place, such as a moment after its correction."""
    for k, step in enumerate(rule.steps):
        for part in fm.walk(step.value):
            if not isinstance(part, fm.Product) or not isinstance(part.args[0], fm.Name):
                continue
            state = part.args[0].name
            if state not in rule.states or state == step.name or "g" in fm.names(part):
                continue
            value = substituted(step.value, lambda p: fm.Name(state) if p is part else None)  # noqa: B023
            steps = (*rule.steps[:k], Assignment(state, part), replace(step, value=value), *rule.steps[k + 1 :])
            yield Neighbour(Slip.KEPT, rule.edited(steps), state, text(part))


def _decays(rule: Recurrence) -> Iterator[Neighbour]:
    """Put decay into the gradient, or take it out; leave the learning rate off it."""
    if "decay" not in rule.hyper:
        return
    decay, x, g, lr = (fm.Name(n) for n in ("decay", "x", "g", "lr"))
    penalty = fm.Product((decay, x), ("*",))
    zero = fm.Number(Fraction(0))
    bare = named(rule, "decay", zero)
    if any(s.name == "h" and "decay" in fm.names(s.value) for s in rule.steps):
        plain = tuple(s for s in named(rule, "h", g).steps if s.name != "h")
        end = Assignment("x", fm.Sum((x, fm.Product((lr, decay, x), ("*", "*"))), (1, -1)))
        yield Neighbour(Slip.DECOUPLED, rule.edited((*plain, end)), "decay*x")
        return
    coupled = named(bare, "g", fm.Name("g_decayed"))
    head = Assignment("g_decayed", fm.Sum((g, penalty), (1, 1)))
    yield Neighbour(Slip.COUPLED, coupled.edited((head, *coupled.steps)), "decay*x", "g + decay*x")
    for scale, slip in (((lr, decay, x), Slip.ORDER), ((decay, x), Slip.UNSCALED)):
        product = fm.Product(scale, ("*",) * (len(scale) - 1))
        after = Assignment("x", fm.Sum((x, product), (1, -1)))
        # Decay of the point after the step is another one than that of the point before.
        yield Neighbour(slip, bare.edited((*bare.steps, after)), "decay*x", "decay of the new x")
        if slip is Slip.UNSCALED:
            yield Neighbour(slip, bare.edited((after, *bare.steps)), "lr*decay*x", "decay*x")
