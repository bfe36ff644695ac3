"""The verdict on one formula: numbers first, then a proof; conditions, and a counterexample, where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symgd import language as fm
from symgd.checking import conditions as cond
from symgd.checking import counterexample, numeric
from symgd.checking.certificate import Certificate, certificate
from symgd.checking.claims import Exact, Target, matched, written_shape
from symgd.checking.conditions import Condition
from symgd.checking.numeric import DIGITS, WORKING, Numbers
from symgd.checking.problem import Problem
from symgd.checking.prove.proof import Proof, prove
from symgd.checking.result import PROVED, UNKNOWN, VERIFIED, WHERE, WRONG, Verdict
from symgd.errors import FormulaError, ShapeError, UsageError
from symgd.graph import Array
from symgd.records import dataclass

POINTS = 12  # at which 40 digits are compared
QUICK = 5  # at which floats are
SEARCHED = 120  # points among which the sides of kinks are looked for
LOOSE = 1e-7  # relative difference of floats that is none of rounding
ROUNDED = 15  # digits to which a constant agrees that was typed as a float


@dataclass
class Comparison:
    """What numbers say of one formula."""

    tried: int = 0
    differ: int = 0
    missing: int = 0  # points at which the derivative has a value and the formula has none
    worst: float = 0.0
    point: dict[str, Any] | None = None

    @property
    def equal(self) -> bool:
        """Whether there were points, and the two agree at all of them."""
        return bool(self.tried) and not self.differ


class Judge:
    """Decides about formulas for one block of derivatives.

    Parameters
    ----------
    problem : Problem
        What is checked.
    target : Target
        Which derivatives.
    """

    def __init__(self, problem: Problem, target: Target) -> None:
        self.problem, self.target = problem, target
        self.given = tuple(c for text in problem.where for c in cond.parse(text, {*problem.params, *problem.data}))
        self.observed = tuple(c for n, v in problem.values.items() for c in cond.holding(n, v))
        self.exact = Exact(problem.reading(0), target)

    # ---- numbers ---------------------------------------------------------------------------------------------------

    def compare(
        self, theirs: Array, conditions: Sequence[Condition] = (), points: int = QUICK, digits: int = 0, seed: int = 0,
    ) -> Comparison:  # fmt: skip
        """Compare a formula with the exact block at random points."""
        found = Comparison()
        numbers = Numbers(self.exact, [theirs], WORKING if digits else 0)
        rng = np.random.default_rng(seed)
        for attempt in range(points * 6):
            if found.tried >= points:
                break
            style = self._style(attempt)
            point = numeric.draw(self.exact.reading, rng, style, tuple(conditions))
            exact, (yours,), value = numbers.at(point)
            if not (numeric.finite(value) and numeric.finite(exact)):
                continue
            if not numeric.finite(yours):
                found.missing += 1
                if found.point is None and found.missing > 3 * points:
                    break
                continue
            found.tried += 1
            self._measure(found, exact, yours, digits, point)
        return found

    def _style(self, attempt: int) -> str:
        return numeric.STYLES[(attempt // 2 if attempt % 2 else 0) % len(numeric.STYLES)]

    @staticmethod
    def _measure(found: Comparison, exact: Any, yours: Any, digits: int, point: dict[str, Any]) -> None:
        if digits:
            equal = numeric.same(exact, yours, digits)
            if not equal and numeric.same(exact, yours, ROUNDED):
                found.worst = max(found.worst, 10.0**-ROUNDED)
                equal = True
        else:
            scale = np.maximum(np.abs(exact), np.abs(yours))
            error = np.abs(exact - yours)
            # Sums of numbers of both signs cancel: what is small beside the largest entry is judged by that.
            room = LOOSE * np.maximum(scale, 1e-6 * scale.max(initial=0.0)) + 1e-12
            equal = bool((error <= room).all())
        if not equal:
            found.differ += 1
            found.point = found.point or point

    # ---- verdicts --------------------------------------------------------------------------------------------------

    def read(self, text: str) -> Array | None:
        """Read a formula; None where its shape is not that of the block."""
        return matched(self.exact.reading, self.exact.reading.read(text), self.exact.shape)

    def decide(self, text: str, *, explain: bool = True) -> Verdict:
        """Decide about a formula.

        Parameters
        ----------
        text : str
            What is claimed.
        explain : bool
            Whether a cause and a counterexample are looked for.

        Returns
        -------
        Verdict
        """
        try:
            theirs = self.read(text)
        except ShapeError as problem:
            return self._unreadable(text, problem, explain=explain)
        if theirs is None:
            return self._misshapen(text, explain=explain)
        quick = self.compare(theirs)
        if quick.equal:
            return self._equal(text, theirs, quick, explain=explain)
        if not quick.tried:
            found = self._proof(text, ())
            if found is not None and not quick.missing:
                return self._verdict(PROVED, text, proof=lambda: self.certificate(text))
            return self._undecided(text, theirs, quick, found, explain=explain)
        conditional = self._conditional(text, theirs)
        if conditional is not None:
            return conditional
        return self._wrong(text, theirs, quick, explain=explain)

    def _verdict(self, kind: str, text: str, **more: Any) -> Verdict:
        return Verdict(self.target.key, kind, text, **more)

    def _equal(self, text: str, theirs: Array, quick: Comparison, *, explain: bool) -> Verdict:
        notes = self._notes(theirs, quick)
        found = self._proof(text, ())
        if found is not None:
            return self._verdict(PROVED, text, reason=_how(found), notes=notes, proof=lambda: self.certificate(text))
        return self._verified(text, theirs, notes, explain=explain)

    def _proof(self, text: str, conditions: Sequence[Condition]) -> Proof | None:
        """Prove for all lengths; where that fails and there are free ones, for two sets of small ones."""
        for which in ([self._long()] if self.problem.free else []) + [0]:
            found = self._prove_at(which, text, conditions, thorough=which == 0)
            if found is not None:
                if which == 0 and self.problem.free:
                    again = self._prove_at(1, text, conditions, thorough=True)
                    return found if again is not None else None
                return found
        return None

    def _long(self) -> str:
        """Say which lengths to prove for: large ones, if the objective can be read for them."""
        try:
            self.problem.reading("large")
        except FormulaError:
            return "middle"
        return "large"

    def certificate(self, text: str, conditions: Sequence[Condition] = ()) -> Certificate:
        """Give the certificate of a proof, at the small lengths, where it can be replayed."""
        for seed in (0, 1):
            found = self._prove_at(seed, text, conditions, thorough=True)
            if found is not None:
                return certificate(found)
        raise UsageError("there is no proof of this at small lengths")

    def _prove_at(
        self, which: str | int, text: str, conditions: Sequence[Condition], *, thorough: bool
    ) -> Proof | None:
        try:
            reading = self.problem.reading(which)
            exact = Exact(reading, self.target)
            theirs = matched(reading, reading.read(text), exact.shape)
        except FormulaError:
            return None
        if theirs is None:
            return None
        found = prove(exact, theirs, conditions, thorough=thorough)
        return found if isinstance(found, Proof) else None

    def _verified(self, text: str, theirs: Array, notes: tuple[str, ...], conditions: Sequence[Condition] = (),
                  *, explain: bool = True) -> Verdict:  # fmt: skip
        many = self.compare(theirs, conditions, POINTS, DIGITS, seed=1)
        if many.differ:
            return self._wrong(text, theirs, many, explain=explain)
        if not many.tried:
            reason = "no point was found at which both have a value to many digits"
            return self._verdict(UNKNOWN, text, reason=reason, notes=notes)
        crossed = self._cross(theirs, conditions, many)
        if many.differ:
            return self._wrong(text, theirs, many, explain=explain)
        digits = ROUNDED if many.worst else DIGITS
        reason = f"equal to {digits} digits at {many.tried} random points{crossed}; no proof was found"
        said = tuple(c.said for c in conditions)
        return self._verdict(WHERE if said else VERIFIED, text, reason=reason, notes=notes, conditions=said)

    def _cross(self, theirs: Array, conditions: Sequence[Condition], found: Comparison) -> str:
        """Compare on both sides of every kink too, and say whether all were reached."""
        rng = np.random.default_rng(13)
        draws = (self._far(rng, k, conditions) for k in range(SEARCHED))
        chosen, missed = numeric.crossing(self.exact, theirs, draws)
        numbers = Numbers(self.exact, [theirs], WORKING)
        for point in chosen:
            exact, (yours,), _ = numbers.at(point)
            found.tried += 1
            self._measure(found, exact, yours, DIGITS, dict(point))
        if missed:
            return f", but not on {missed} sides of kinks, which no point reached"
        return ", on both sides of every kink" if chosen else ""

    def _far(self, rng: np.random.Generator, k: int, conditions: Sequence[Condition]) -> dict[str, Any]:
        """Draw a point; from some number on, with parameters of other sizes."""
        point = numeric.draw(self.exact.reading, rng, self._style(k), tuple(conditions))
        size = 10.0 ** (k % 4) if k >= SEARCHED // 3 else 1.0
        return {n: v * size if n in self.problem.params else v for n, v in point.items()}

    def _notes(self, theirs: Array, quick: Comparison) -> tuple[str, ...]:
        notes = []
        have = written_shape(self.exact.reading, theirs)
        if 1 in have and have != self.exact.shape and self.exact.shape:
            notes.append(
                f"its shape is {_shape(have)}, and broadcasts to that of the parameter, {_shape(self.exact.shape)}"
            )
        if quick.missing:
            notes.append("it has no value at some points where the derivative has one")
        notes += self._edges(theirs)
        return tuple(notes)

    def _edges(self, theirs: Array) -> list[str]:
        """Look at zeros: where the derivative has a value and the text is 0/0."""
        numbers = Numbers(self.exact, [theirs])
        rng = np.random.default_rng(5)
        for name in self.problem.params:
            point = numeric.draw(self.exact.reading, rng, "positive")
            values = np.array(point[name], dtype=float)
            values[(0,) * values.ndim] = 0.0
            point[name] = values
            exact, (yours,), value = numbers.at(point)
            if numeric.finite(value) and numeric.finite(exact) and not numeric.finite(yours):
                where = f"{name}[{', '.join('0' * values.ndim)}]" if values.ndim else name
                return [f"at {where} = 0 your text has no value (0/0 or the like); symgd takes the derivative's there"]
        return []

    # ---- conditions ------------------------------------------------------------------------------------------------

    def _conditional(self, text: str, theirs: Array) -> Verdict | None:
        """Find conditions under which the formula is right: given ones, those of the data, and then usual ones."""
        known = [*self.given, *self.observed]
        if known and self.compare(theirs, known).equal:
            return self._under(text, theirs, known, sure=True)
        if self.given:
            return None
        fixed = {c.name for c in self.observed} | set(self.problem.values)
        masks = self._masks()
        usual = [c for n, s in self.exact.reading.data.items() if n not in fixed
                 for c in cond.possible(n, s, data=True)
                 if cond.KINDS[c.kind].plain and (n not in masks or c.kind in ("01", "pm1"))]  # fmt: skip
        unproved = None
        for condition in usual:
            tried = [*known, condition]
            if self.compare(theirs, tried, points=3).equal and self.compare(theirs, tried, seed=3).equal:
                verdict = self._under(text, theirs, tried, sure=False)
                if verdict.proof is not None:
                    return verdict
                unproved = unproved or verdict
        return unproved

    def _masks(self) -> set[str]:
        """Give the data that the objective itself compares with numbers: they are not positive all over."""
        compared = [set(fm.names(p)) for p in fm.walk(self.problem.tree) if isinstance(p, fm.Compare)]
        return {next(iter(names)) for names in compared if len(names) == 1}

    def under(self, text: str, conditions: Sequence[Condition]) -> Verdict | None:
        """Decide about a formula where the data fulfil conditions besides; None where it is not right then."""
        theirs, known = self.read(text), [*self.given, *self.observed, *conditions]
        if theirs is None or not self.compare(theirs, known).equal:
            return None
        return self._under(text, theirs, known, sure=False)

    def _under(self, text: str, theirs: Array, known: Sequence[Condition], *, sure: bool) -> Verdict:
        needed = list(known)
        for condition in sorted(
            known, key=lambda c: (c in self.given, c.kind != "positive")
        ):  # keep what is needed only
            fewer = [c for c in needed if c != condition]
            if self.compare(theirs, fewer, seed=7).equal:
                needed = fewer
        found = self._proof(text, needed)
        said = tuple(c.said for c in needed)
        origin = "" if sure else "nothing that was given says so; under this condition it is proved"
        if found is None:
            return self._verified(text, theirs, (), needed, explain=False)
        return self._verdict(WHERE, text, conditions=found.conditions or said,
                             proof=lambda: self.certificate(text, needed),
                             reason=origin or _how(found))  # fmt: skip

    # ---- wrong -----------------------------------------------------------------------------------------------------

    def _undecided(self, text: str, theirs: Array, quick: Comparison, found: Proof | None, *, explain: bool) -> Verdict:
        if quick.missing:
            note = "it has no value wherever the derivative was looked at"
            if found is not None:
                return self._verdict(PROVED, text, reason=_how(found), notes=(note,),
                                     proof=lambda: self.certificate(text))  # fmt: skip
            return self._wrong(text, theirs, quick, explain=explain, reason=note)
        return self._verdict(UNKNOWN, text, reason="no point was found at which the objective has a value")

    def _wrong(self, text: str, theirs: Array, found: Comparison, *, explain: bool, reason: str = "") -> Verdict:
        verdict = self._verdict(WRONG, text, reason=reason)
        if not explain:
            return verdict
        from dataclasses import replace

        from symgd.checking.causes import explain as causes

        known = (*self.given, *self.observed)
        example = counterexample.find(self, text, theirs, known, found.point)
        return replace(verdict, counterexample=example, cause=causes(self, text))

    def _unreadable(self, text: str, problem: ShapeError, *, explain: bool) -> Verdict:
        """Say what shapes that do not go together come from; where nothing is found, it is the call's mistake."""
        if not explain:
            raise problem
        from symgd.checking.causes import explain as causes

        cause = causes(self, text)
        if cause is None or not cause.tested:
            raise problem
        return self._verdict(WRONG, text, reason=problem.problem, cause=cause)

    def _misshapen(self, text: str, *, explain: bool) -> Verdict:
        reading = self.exact.reading
        have = written_shape(reading, reading.read(text))
        reason = f"its shape is {_shape(have)}, and that of the derivative is {_shape(self.exact.shape)}"
        verdict = self._verdict(WRONG, text, reason=reason)
        if not explain:
            return verdict
        from dataclasses import replace

        from symgd.checking.causes import explain as causes

        return replace(verdict, cause=causes(self, text))


def _shape(shape: tuple[int, ...]) -> str:
    return (
        "that of a number" if not shape else "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"
    )


def _how(found: Proof) -> str:
    return {"form": "", "entries": "entry by entry", "written out": "for these lengths, sums written out"}[found.how]
