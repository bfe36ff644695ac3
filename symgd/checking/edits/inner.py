"""Factors that are missing inside of a formula, names and parts that stand for others, two mistakes at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from symgd import language as fm
from symgd.checking import words
from symgd.checking.edits.parts import at_part
from symgd.checking.edits.pool import Candidate, Part, edit, editable, safely, source_of, wrapped
from symgd.checking.trees import ancestors
from symgd.errors import FormulaError
from symgd.language import Tree

if TYPE_CHECKING:
    from symgd.checking.causes import Scene

MOST_FACTORS = 90  # that are tried at each
PAIRS = 4000  # of edits


def inner_factors(scene: Scene) -> Iterator[Candidate]:
    """A chain-rule factor is missing inside."""
    factors = scene.pool.factors()[: MOST_FACTORS * 3]
    for part in editable(scene):
        values = scene.pool.evaluate(part)
        if values is None or isinstance(part, fm.Number) or part is scene.tree:
            continue
        t = wrapped(source_of(scene, part))
        shape = values[0].shape
        for factor in [*scene.pool.conditions, *factors]:
            if factor.shape not in (shape, ()):
                continue
            kind = "mask" if any(factor is c for c in scene.pool.conditions) else "chain-rule factor"
            said = (
                f"the chain-rule factor {words.short(factor.text)} is missing at {words.short(source_of(scene, part))}"
            )
            yield edit(scene, kind, said, part, f"({t}*{wrapped(factor.text)})",
                        lambda k, f=factor, v=values: v[k] * f.values[k])  # fmt: skip


def inner_quotients(scene: Scene) -> Iterator[Candidate]:
    """A factor too much, or a division forgotten, inside."""
    for part in editable(scene):
        values = scene.pool.evaluate(part)
        if values is None or isinstance(part, fm.Number) or part is scene.tree:
            continue
        t = wrapped(source_of(scene, part))
        for factor in scene.pool.parts[:MOST_FACTORS]:
            if factor.shape in (values[0].shape, ()):
                said = f"a division by {words.short(factor.text)} is missing at {words.short(source_of(scene, part))}"
                yield edit(scene, "chain-rule factor", said, part, f"({t}/{wrapped(factor.text)})",
                            lambda k, f=factor, v=values: v[k] / f.values[k])  # fmt: skip


def names(scene: Scene) -> Iterator[Candidate]:
    """One name stands for another."""
    for part in editable(scene):
        values = scene.pool.evaluate(part) if isinstance(part, fm.Name) else None
        if values is None:
            continue
        source = source_of(scene, part)
        for other in scene.pool.parts:
            if other.shape == values[0].shape and other.text.isidentifier() and other.text != source:
                said = f"another variable: {source} stands where {other.text} belongs"
                yield edit(scene, "another variable", said, part, other.text, lambda k, o=other: o.values[k])


def everywhere(scene: Scene) -> Iterator[Candidate]:
    """The same mistake at each place where an expression stands."""
    groups: dict[Tree, list[Tree]] = {}
    for part in editable(scene):
        if not isinstance(part, fm.Number):
            groups.setdefault(part, []).append(part)
    for same in groups.values():
        if len(same) < 2:
            continue
        above = frozenset().union(*(ancestors(scene.tree, p) | {id(p)} for p in same))
        for one in [*at_part(scene, same[0]), *(c for c in names(scene) if c.part is same[0])]:
            if one.part is not same[0] or one.new is None:
                continue
            text = scene.text
            for part in sorted(same, key=lambda p: -p.start):
                text = text[: part.start] + one.written + text[part.end :]

            def value(k: int, one: Candidate = one, same: Any = same, above: Any = above) -> Any:
                assert one.new is not None
                new = one.new
                return safely(lambda: scene.values[k].of(scene.tree, {id(p): new(k) for p in same}, above))

            yield Candidate(one.kind, one.message, text, value)


def exchanged(scene: Scene) -> Iterator[Candidate]:
    """One part stands for another."""
    for part in editable(scene):
        values = scene.pool.evaluate(part)
        if values is None or part is scene.tree:
            continue
        source = source_of(scene, part)
        for other in [*scene.pool.parts, *_negated(scene)]:
            if other.shape == values[0].shape and other.text != source:
                said = f"{words.short(source)} stands where {words.short(other.text)} belongs"
                yield edit(scene, "another expression", said, part, wrapped(other.text),
                            lambda k, o=other: o.values[k], rough=True)  # fmt: skip


def _negated(scene: Scene) -> list[Part]:
    return [Part(f"(-{wrapped(p.text)})", tuple(-v for v in p.values)) for p in scene.pool.parts[:40]]


def pairs(scene: Scene) -> Iterator[Candidate]:
    """Two mistakes at once, of those that are easily made."""
    first = editable(scene)
    simple = [(part, c) for part in first for c in at_part(scene, part)
              if c.kind in ("sign", "transposed", "factor of a term", "regulariser", "exponent", "extra factor", "axis",
                            "abs", "link function",
                            "another variable", "sum", "extra term")]  # fmt: skip
    count = 0
    for i, (p, a) in enumerate(simple):
        middle = _second(scene, a)
        if middle is None:
            continue
        for part in editable(middle):
            if part.start < p.start:
                continue
            for b in at_part(middle, part):
                count += 1
                if count > PAIRS:
                    return
                yield Candidate(f"{a.kind} and {b.kind}", f"{a.message}; and {b.message}", b.text, b.value, rough=True)
        del i


def _second(scene: Scene, candidate: Candidate) -> Scene | None:

    try:
        tree = fm.parse(candidate.text, declared=scene.judge.exact.reading.declared)
    except FormulaError:
        return None
    return replace(scene, text=candidate.text, tree=tree)
