"""The neighbours of a rule: what it becomes by one slip of the pen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import combinations

from symgd import language as fm
from symgd.language import Assignment, Tree
from symgd.records import dataclass
from symgd.testing.causes.edits import ONE, TWO, Slip, everywhere, named, substituted
from symgd.testing.causes.recurrence import Recurrence
from symgd.testing.causes.write import text


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
        for slip, value, part, instead in everywhere(step.value, rule, i):
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


def _is_correction(tree: Tree) -> bool:
    """Tell ``1 - beta**t`` from anything else, and roots of it."""
    if isinstance(tree, fm.Call) and tree.function == "sqrt":
        return _is_correction(tree.args[0])
    if not (isinstance(tree, fm.Sum) and tree.args[0] == ONE and tree.signs == (1, -1)):
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
            replace(s, value=substituted(s.value, lambda p: ONE if any(p is q for q in gone) else None))  # noqa: B023
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
        yield Neighbour(Slip.COUNT, named(rule, "t", ONE), "t", "1")
    for sign, said in ((-1, "t - 1"), (1, "t + 1")):
        moved = fm.Sum((t, ONE), (1, sign))
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
                ones = {**rule.init, state: ONE}
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
        for start, said in ((fm.Name("g"), "the first gradient"), (ONE, "1"), (zero, "0"), (fm.Name("x"), "x")):
            if rule.init.get(state, zero) == start:
                continue
            yield Neighbour(Slip.START, replace(rule, init={**rule.init, state: start}), state, said)
        square = fm.Power(fm.Name("g"), TWO)
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
