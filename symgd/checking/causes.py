"""Why a derivative is wrong: small repairs are tried, the simplest first, and one that is told has been tested."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from symgd import language as fm
from symgd.checking import conditions as cond
from symgd.checking import edits, numeric, words
from symgd.checking.claims import Exact, Target, written_shape
from symgd.checking.conditions import Condition
from symgd.checking.exact import text as exact_text
from symgd.checking.numeric import Numbers
from symgd.checking.prove.proof import Refusal, prove
from symgd.checking.prove.terms import Poly, show
from symgd.checking.result import PROVED, VERIFIED, WHERE, WRONG, Cause
from symgd.checking.trees import Values
from symgd.errors import SymgdError
from symgd.language import Tree
from symgd.records import dataclass

if TYPE_CHECKING:
    from symgd.checking.decide import Judge

CLOSE = 1e-9
POINTS = 3
CONFIRMED = 8  # repairs that fit in numbers and are tested
UNDER_CONDITIONS = 7  # stages that are tried where data are taken to fulfil a condition
MOST_TERMS = 8  # that are told


@dataclass
class Scene:
    """Everything that a search for causes looks at.

    Parameters
    ----------
    text : str
        What is claimed.
    tree : Tree
        What was read from it.
    values : list of Values
        Values at some points.
    exact : list of ndarray
        The exact block there.
    pool : Pool
        Pieces that repairs are made of.
    extra : tuple of Condition
        What data are taken to fulfil.
    """

    judge: Judge
    text: str
    tree: Tree
    values: list[Values]
    exact: list[Any]
    pool: edits.Pool
    extra: tuple[Condition, ...] = ()

    def fits(self, candidate: edits.Candidate) -> float | None:
        """Give the constant by which a candidate is off, at all points the same; None where there is none."""
        constant: float | None = None
        for k, want in enumerate(self.exact):
            with np.errstate(all="ignore"):
                got = candidate.value(k)
            if got is None:
                return None
            got = np.asarray(got, dtype=float)
            if got.shape != want.shape:
                return None
            ratio = proportion(want, got)
            if ratio is None or (constant is not None and abs(ratio - constant) > 1e-7 * abs(constant)):
                return None
            constant = ratio
        return constant


def proportion(want: Any, got: Any) -> float | None:
    """Give c where want is c*got; None where it is no multiple."""
    if not np.isfinite(got).all():
        return None
    with np.errstate(all="ignore"):
        size = float((got * got).sum())
        c = float((want * got).sum()) / size if size else 0.0
    if not np.isfinite(size):
        return None
    if abs(c) < 1e-12 or not np.isfinite(c):
        return None
    top = np.abs(want).max(initial=0)
    return c if bool((np.abs(want - c * got) <= 1e-8 * np.abs(want) + 1e-9 * top).all()) else None


def explain(judge: Judge, text: str) -> Cause | None:
    """Find out why a formula is not the derivative.

    Parameters
    ----------
    judge : Judge
        What it is compared with.
    text : str
        The formula.

    Returns
    -------
    Cause or None
        The simplest repair that was found, tested; None if there is none.
    """
    found = None
    for extra in _settings(judge):
        scene = _scene(judge, text, extra)
        if scene is None:
            continue
        found = _by_other(scene) or _search(scene, edits.STAGES if not extra else edits.STAGES[:UNDER_CONDITIONS])
        if found is not None:
            return found
    return _repaired(judge, _by_condition(judge, text) or _by_terms(judge, text))


def _repaired(judge: Judge, found: Cause | None) -> Cause | None:
    """Put the exact derivative beside a cause that says nothing better to write."""
    exact = exact_text(judge.problem, judge.target)
    if found is None or found.repair or not exact:
        return found
    verdict = judge.decide(exact, explain=False)
    return replace(found, repair=exact, tested=verdict.kind) if verdict.kind in (PROVED, VERIFIED) else found


def _by_other(scene: Scene) -> Cause | None:
    """Say that this is the derivative by another parameter."""
    judge = scene.judge
    mine, exact = scene.pool.evaluate(scene.tree), exact_text(judge.problem, judge.target)
    reading, target = judge.exact.reading, judge.target
    if mine is None or not exact:
        return None
    for name, shape in reading.params.items():
        if name == target.name or shape != reading.params[target.name]:
            continue
        numbers = Numbers(Exact(reading, Target(name, target.of)), [])
        if all(_close(numbers.at(values.point)[0], have) for values, have in zip(scene.values, mine, strict=True)):
            verdict = judge.decide(exact, explain=False)
            if verdict.kind in (PROVED, VERIFIED):
                return Cause("another parameter", f"this is the derivative by {name}, another parameter", exact,
                             verdict.kind)  # fmt: skip
    return None


def _close(right: Any, have: Any) -> bool:
    right = np.asarray(right, dtype=float)
    return have.shape == right.shape and bool(np.allclose(right, have, rtol=1e-8, atol=1e-10)) and bool(right.any())


def _settings(judge: Judge) -> Iterator[tuple[Condition, ...]]:
    """Give what data may be taken to fulfil: nothing, and then what labels and weights usually do."""
    yield ()
    if judge.given or judge.problem.values:
        return
    for name, shape in judge.exact.reading.data.items():
        for condition in cond.possible(name, shape, data=True):
            if condition.kind in ("rows", "total", "pm1", "01"):
                yield (condition,)
    square = [n for n, s in judge.exact.reading.data.items() if len(s) == 2 and s[0] == s[1]]
    if square:
        yield tuple(Condition("symmetric", name) for name in square)


def _search(scene: Scene, stages: tuple[edits.Stage, ...]) -> Cause | None:
    second: Cause | None = None
    for tried, (candidate, constant) in enumerate(_fitting(scene, stages), 1):
        cause = _confirmed(scene, candidate, constant)
        if cause is not None:
            if cause.tested:
                return cause
            second = second or cause
        if tried >= CONFIRMED:
            break
    return second


def _by_condition(judge: Judge, text: str) -> Cause | None:
    """Say that a formula is right for symmetric matrices only."""
    theirs = judge.read(text)
    reading = judge.exact.reading
    if theirs is None:
        return None
    for name, shape in {**reading.data, **reading.params}.items():
        if len(shape) == 2 and shape[0] == shape[1]:
            one = Condition("symmetric", name)
            if judge.compare(theirs, [*judge.given, *judge.observed, one]).equal:
                said = f'{name} stands for {name}.T somewhere; where it is symmetric, say where="{name} is symmetric"'
                return Cause("transposed", f"transposed: it is right only where {name} is symmetric; {said}")
    return None


def _by_terms(judge: Judge, text: str) -> Cause | None:
    """Say how the two differ when both are multiplied out."""
    theirs = judge.read(text)
    if theirs is None:
        return None
    found = prove(judge.exact, theirs, (), thorough=False)
    if not isinstance(found, Refusal) or found.difference is None or len(found.difference.terms) > MOST_TERMS:
        return None
    ours = found.ours.terms if found.ours is not None else {}
    extra, missing, other = [], [], []
    for mono, c in found.difference.terms.items():
        have = ours.get(mono)
        one = show(Poly({mono: abs(c)}))
        if have is None:
            extra.append(one)
        elif have == -c:
            missing.append(show(Poly({mono: have})))
        else:
            other.append(show(Poly({mono: have})))
    said = []
    kinds = []
    for kind, listed, words_ in (("extra term", extra, "too much"), ("missing term", missing, "missing"),
                                 ("factor of a term", other, "off by a factor")):  # fmt: skip
        if listed:
            kinds.append(kind)
            said.append(f"{words_}: {'; '.join(listed)}")
    return Cause(" and ".join(kinds), "multiplied out, these terms differ: " + "; ".join(said))


def _scene(judge: Judge, text: str, extra: tuple[Condition, ...]) -> Scene | None:
    reading = judge.exact.reading
    tree = fm.parse(text, declared=reading.declared)
    rng = np.random.default_rng(3)
    numbers = Numbers(judge.exact, [])
    known = (*judge.given, *judge.observed, *extra)
    values, exact = [], []
    for attempt in range(60):
        point = numeric.draw(reading, rng, judge._style(attempt), known)  # noqa: SLF001
        right, _, value = numbers.at(point)
        if numeric.finite(right) and numeric.finite(value) and np.abs(right).max(initial=0) > 1e-12:
            values.append(Values({**reading.sizes, **{n: v if np.ndim(v) else float(v) for n, v in point.items()}}))
            exact.append(np.asarray(right, dtype=float))
        if len(values) == POINTS:
            break
    if not values:
        return None
    others = [judge.problem.text, exact_text(judge.problem, judge.target)]
    pool = edits.Pool(values, text, tree, [t for t in others if t], reading.declared)
    return Scene(judge, text, tree, values, exact, pool, extra)


def _fitting(scene: Scene, stages: tuple[edits.Stage, ...]) -> Iterator[tuple[edits.Candidate, float]]:
    """Give the candidates that fit in numbers: first those that need no factor besides."""
    proportional: list[tuple[edits.Candidate, float]] = []
    for stage in stages:
        for candidate in stage(scene):
            c = scene.fits(candidate)
            if c is None:
                continue
            if abs(c - 1) < CLOSE:
                yield candidate, 1.0
            elif candidate.kind == "as it is" or not candidate.rough:
                proportional.append((candidate, c))
        if stage in (edits.as_it_is, edits.inner_quotients):
            yield from proportional
            proportional.clear()
    yield from proportional


def _confirmed(scene: Scene, candidate: edits.Candidate, constant: float) -> Cause | None:
    """Put the repair in, and decide about the repaired text."""
    judge = scene.judge
    options = [("", 1.0)] if constant == 1.0 else words.constants(judge.exact.reading, constant)
    best: Cause | None = None
    for written, _ in options:
        text = candidate.text if not written else edits.scaled(candidate.text, written)
        try:
            verdict = judge.decide(text, explain=False)
            if verdict.kind == WRONG and scene.extra:
                verdict = judge.under(text, scene.extra) or verdict
        except SymgdError:
            continue
        if verdict.kind in (PROVED, VERIFIED, WHERE):
            said = words.cause(scene, candidate, written)
            conditions = f" where {' and '.join(verdict.conditions)}" if verdict.conditions else ""
            cause = Cause(said[0], said[1], text, f"right{conditions}" if verdict.kind == WHERE else verdict.kind)
            if verdict.kind in (PROVED, WHERE):
                return cause
            best = best or cause
    return best


__all__ = ["Scene", "explain", "replace", "written_shape"]
