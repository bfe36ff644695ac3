"""One proof: exact derivatives and what is claimed, brought to normal form, and their difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from symgd.checking.claims import SEED, Exact
from symgd.checking.prove import angles
from symgd.checking.prove.algebra import Algebra
from symgd.checking.prove.convert import Converter
from symgd.checking.prove.terms import Budget, Poly, Unsupported, length
from symgd.checking.prove.zero import vanishes
from symgd.graph import Array
from symgd.records import dataclass

ENTRIES = 100  # of a block that are looked at one by one
WRITTEN_OUT = 60  # entries of arrays up to which sums are written out
WRITTEN_WORK = 8_000  # monomials that this may make


@dataclass(frozen=True)
class Proof:
    """That two formulas are equal.

    Parameters
    ----------
    how : str
        ``"form"``, ``"entries"``, or ``"written out"``: for these lengths alone.
    conditions : tuple of str
        What it relied on.
    lines : tuple of (Node, Poly)
        The normal form of every node on the way.
    algebra : Algebra
        Where it was made.
    ours, theirs : Poly
        Both sides in normal form.
    """

    how: str
    conditions: tuple[str, ...]
    algebra: Algebra
    ours: Poly
    theirs: Poly
    lines: tuple[tuple[Any, Poly], ...] = ()


@dataclass(frozen=True)
class Refusal:
    """Why there is no proof; the difference, where there is one."""

    reason: str
    difference: Poly | None = None
    ours: Poly | None = None


def prove(
    exact: Exact, theirs: Array, conditions: Sequence[Any] = (), work: int = 30_000, *, thorough: bool = True
) -> Proof | Refusal:
    """Prove that a formula is the exact block of derivatives.

    Parameters
    ----------
    exact : Exact
        The block.
    theirs : Array
        The formula, with the axes of the block.
    conditions : sequence
        What is given: functions that make a condition known to an algebra.
    work : int
        Monomials that may be made.
    thorough : bool
        Whether sums may be written out where the normal form says nothing.

    Returns
    -------
    Proof or Refusal
    """
    units: dict[Any, int] = {}
    last: Refusal | None = None
    small = _entries(exact) <= WRITTEN_OUT
    for unroll in (False, True) if small and thorough else (False,):
        for _ in range(4):  # angles may be asked for in finer and finer units
            try:
                allowed = min(work, WRITTEN_WORK) if unroll else work
                return _attempt(exact, theirs, conditions, allowed, units, unroll=unroll)
            except angles.Finer as finer:
                key = angles.unit_key(finer.angle)
                units[key] = units.get(key, 1) * finer.denominator
            except Budget:
                last = last or Refusal("the normal form grows too large")
                break
            except Unsupported as problem:
                last = last or Refusal(f"the prover does not reach through {problem}")
                break
            except _Differs as found:
                last = Refusal("the normal forms differ", found.difference, found.ours)
                break
            except (RecursionError, ArithmeticError):
                last = last or Refusal("the formula is nested too deeply, or divides by 0")
                break
    return last or Refusal("an angle is divided too finely")


class _Differs(Exception):  # noqa: N818 - a way out
    def __init__(self, difference: Poly, ours: Poly) -> None:
        super().__init__()
        self.difference, self.ours = difference, ours


def _entries(exact: Exact) -> int:
    from math import prod

    shapes = (*exact.reading.params.values(), *exact.reading.data.values())
    return sum(prod(shape) for shape in shapes)


def _attempt(
    exact: Exact, theirs: Array, conditions: Sequence[Any], work: int, units: dict[Any, int], *, unroll: bool
) -> Proof:
    algebra = Algebra(work)
    algebra.units = units
    axes = [f"{n}:@{i}" for i, n in enumerate(exact.shape)]
    seeds = tuple(axes[: len(exact.seed)])
    seed = (SEED if exact.target.of else "", seeds)
    converter = Converter(algebra, exact.reading, unroll=unroll, seed=seed)
    for condition in conditions:
        condition(algebra, converter)
    converter.learn(exact.reading.value.node)
    ours = converter.vector(exact.slope, exact.target.name, axes[len(exact.seed) :])
    written = converter.poly(theirs.node)
    moves = {converter.label(a): axis for a, axis in zip(theirs.axes, axes, strict=True) if a}
    written = algebra.substitute(written, moves)
    difference = written.plus(ours, -1)
    how = "written out" if unroll else "form"
    if vanishes(algebra, difference):
        return Proof(how, tuple(algebra.used), algebra, ours, written, tuple(converter.known.items()))
    if any(a.kind == "place" for a in _below(difference)) and difference.labels:
        for entry in _places(axes):
            if not vanishes(algebra, algebra.substitute(difference, entry)):
                raise _Differs(difference, ours)
        return Proof("entries" if not unroll else how, tuple(algebra.used), algebra, ours, written,
                     tuple(converter.known.items()))  # fmt: skip
    raise _Differs(difference, ours)


def _places(axes: Sequence[str]) -> Iterator[dict[str, int]]:
    sizes = [length(axis) for axis in axes]
    total = 1
    for n in sizes:
        total *= n
    if total > ENTRIES:
        raise Unsupported("places along an axis of free length")
    for chosen in product(*(range(n) for n in sizes)):
        yield dict(zip(axes, chosen, strict=True))


def _below(p: Poly) -> set[Any]:
    found: set[Any] = set()
    stack = [p]
    while stack:
        for atom in stack.pop().atoms():
            if atom not in found:
                found.add(atom)
                stack.extend(a for a in atom.args if isinstance(a, Poly))
    return found
