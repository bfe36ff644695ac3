"""What came of checking an optimizer: a finding a property, as data, as text, and as a page for notebooks."""

from __future__ import annotations

import html as escaping
import textwrap
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from symgd.errors import safe
from symgd.records import dataclass
from symgd.testing.laws.case import Answer
from symgd.testing.protocol import Setting

_WIDTH = 100
_COLOURS = {Answer.HOLDS: "#1a7f37", Answer.FAILS: "#cf222e", Answer.UNDECIDED: "#57606a"}


@dataclass(frozen=True)
class Counterexample:
    """Where a property fails, small enough to read.

    Parameters
    ----------
    formula : str
        The objective.
    start : tuple of float
        Where the optimizer starts.
    steps : int
        How many steps it takes.
    settings : mapping of str to float or str
        Learning rate and hyperparameters that it is run with; those left out are its own.
    claim : str
        What does not hold, as an expression in ``points``, the iterates; empty where there is none to give.
    shown : str
        What was seen there, in words.
    setup : str
        A statement that the claim needs; empty where it needs none.
    optimizer : str
        A statement that makes the optimizer, where it can be written down; empty where it is the reader's own.
    more : str
        Further arguments of the call, as text.
    """

    formula: str
    start: tuple[float, ...]
    steps: int
    settings: Mapping[str, Setting] = field(default_factory=dict)
    claim: str = ""
    shown: str = ""
    setup: str = ""
    optimizer: str = ""
    more: str = ""

    def code(self) -> str:
        """Give a program that fails where the property does; the optimizer is called ``optimizer`` there.

        Returns
        -------
        str
        """
        call = ["optimizer", repr(self.formula), f"start={[_number(v) for v in self.start]}", f"steps={self.steps}"]
        call += [f"{k}={v!r}" for k, v in self.settings.items()] + ([self.more] if self.more else [])
        lines = ["import numpy as np", "import symgd as sg", ""] + ([self.optimizer] if self.optimizer else [])
        lines.append(f"points = sg.testing.iterates({', '.join(call)})")
        if self.setup:
            lines.append(self.setup)
        if self.claim:
            lines.append(f"assert {self.claim}, points[-1]")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain data.

        Returns
        -------
        dict
        """
        return {
            "formula": self.formula, "start": list(self.start), "steps": self.steps, "settings": dict(self.settings),
            "claim": self.claim, "shown": self.shown, "code": self.code(),
        }  # fmt: skip


def _number(value: float) -> float | int:
    return int(value) if float(value).is_integer() and abs(value) < 1e15 else float(value)


@dataclass(frozen=True)
class Cause:
    """Why a property fails, in terms of a rule.

    Parameters
    ----------
    kind : str
        What is wrong, in a word: see `symgd.testing.causes.edits.Slip`.
    method : str
        The optimizer that it would be otherwise.
    said : str
        A sentence.
    right : str
        The statement, or the rule, with which the property holds.
    yours : str
        The same as the optimizer has it.
    """

    kind: str
    method: str
    said: str
    right: str = ""
    yours: str = ""

    def as_dict(self) -> dict[str, str]:
        """Give it as plain data.

        Returns
        -------
        dict
        """
        return {"kind": self.kind, "method": self.method, "said": self.said, "right": self.right, "yours": self.yours}


@dataclass(frozen=True)
class Finding:
    """What came of one property.

    Parameters
    ----------
    law : str
        Its name.
    claim : str
        What it says.
    source : str
        Where it is from.
    answer : Answer
        Whether it holds.
    why : str
        Why it fails, or could not be decided; what was looked at where it holds.
    cause : Cause or None
        What is wrong, where that was found out.
    example : Counterexample or None
        Where it fails.
    """

    law: str
    claim: str
    source: str
    answer: Answer
    why: str = ""
    cause: Cause | None = None
    example: Counterexample | None = None

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain data.

        Returns
        -------
        dict
        """
        return {
            "law": self.law, "claim": self.claim, "source": self.source, "answer": str(self.answer), "why": self.why,
            "cause": None if self.cause is None else self.cause.as_dict(),
            "example": None if self.example is None else self.example.as_dict(),
        }  # fmt: skip


@dataclass(frozen=True)
class Report:
    """What came of checking an optimizer.

    Parameters
    ----------
    name : str
        The optimizer's.
    kind : str
        What kind of thing it is, such as ``"torch"``.
    recognised : str
        What it was found to be, in words; empty where nothing was found.
    findings : tuple of Finding
        A finding for each property, failures first.
    method : str
        The method whose laws were checked; empty where none was.
    """

    name: str
    kind: str
    recognised: str
    findings: tuple[Finding, ...]
    method: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing fails."""
        return not self.failed

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The findings of what fails."""
        return self._of(Answer.FAILS)

    @property
    def held(self) -> tuple[Finding, ...]:
        """The findings of what holds."""
        return self._of(Answer.HOLDS)

    @property
    def undecided(self) -> tuple[Finding, ...]:
        """The findings of what could not be decided."""
        return self._of(Answer.UNDECIDED)

    @property
    def causes(self) -> tuple[Cause, ...]:
        """What is wrong, each cause once."""
        return tuple({f.cause.said: f.cause for f in self.failed if f.cause}.values())

    def _of(self, answer: Answer) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.answer is answer)

    def __getitem__(self, law: str) -> Finding:
        return next(f for f in self.findings if f.law == law)

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> list[str]:
        counts = f"{len(self.held)} hold, {len(self.failed)} fail, {len(self.undecided)} undecided"
        lines = [f"{safe(self.name)} ({self.kind}): {counts}"]
        if self.recognised:
            lines += textwrap.wrap(self.recognised, _WIDTH)
        width = max((len(f.law) for f in self.findings), default=0)
        for f in self.findings:
            word = str(f.answer).upper() if f.answer is Answer.FAILS else str(f.answer)
            lines += textwrap.wrap(f"{f.law:{width}}  {word:9}  {f.claim}", _WIDTH, initial_indent="  ",
                                   subsequent_indent=" " * (width + 15))  # fmt: skip
            if f.answer is Answer.HOLDS:
                continue
            pad = " " * (width + 15)
            if f.why:
                lines += textwrap.wrap(f.why, _WIDTH, initial_indent=pad, subsequent_indent=pad)
            if f.cause is not None:
                lines += textwrap.wrap(f"cause: {f.cause.said}", _WIDTH, initial_indent=pad, subsequent_indent=pad)
            if f.answer is Answer.FAILS and f.source:
                lines += textwrap.wrap(f"source: {f.source}", _WIDTH, initial_indent=pad, subsequent_indent=pad)
            if f.example is not None:
                lines += [pad + line for line in f.example.code().splitlines()]
        return lines

    def _repr_html_(self) -> str:
        def cell(text: str) -> str:
            return f"<td>{escaping.escape(text)}</td>"

        rows = []
        for f in self.findings:
            said = f.cause.said if f.cause else f.why
            code = f"<pre>{escaping.escape(f.example.code())}</pre>" if f.example else ""
            answer = f"<td style='color:{_COLOURS[f.answer]}'>{f.answer}</td>"
            rows.append(
                f"<tr>{cell(f.law)}{answer}{cell(f.claim)}<td>{escaping.escape(said)}{code}</td>{cell(f.source)}</tr>"
            )
        head = "".join(f"<th>{h}</th>" for h in ("law", "", "claim", "", "source"))
        caption = escaping.escape(f"{self.name}: {self.recognised}")
        return f"<table><caption>{caption}</caption><tr>{head}</tr>{''.join(rows)}</table>"

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain data, ready for JSON.

        Returns
        -------
        dict
        """
        return {
            "name": self.name, "kind": self.kind, "recognised": self.recognised, "method": self.method, "ok": self.ok,
            "findings": [f.as_dict() for f in self.findings],
        }  # fmt: skip
