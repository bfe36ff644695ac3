"""Verdicts, as frozen data; sentences are made from them last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from symgd.errors import shown
from symgd.records import dataclass

PROVED, VERIFIED, WHERE, WRONG, UNKNOWN = "proved", "verified", "right where", "wrong", "unknown"


@dataclass(frozen=True)
class Counterexample:
    """A point at which what is claimed is not the derivative.

    Parameters
    ----------
    point : mapping of str to float or list
        The parameters and the data there.
    entry : tuple of int
        Which entry of the derivative is looked at; ``()`` where it is one number.
    yours, exact : float
        What the claim gives there, and what it should.
    digits : int
        How many digits of the two agree.
    """

    point: Mapping[str, Any]
    entry: tuple[int, ...]
    yours: float
    exact: float
    digits: int

    def __str__(self) -> str:
        at = ", ".join(f"{name} = {_short(value)}" for name, value in self.point.items())
        which = f"entry [{', '.join(map(str, self.entry))}]" if self.entry else "it"
        agree = f" ({self.digits} digits agree)" if self.digits else ""
        return f"at {at}: {which} is {self.exact:.12g}, yours gives {self.yours:.12g}{agree}"


def _short(value: Any) -> str:
    text = str(value) if not isinstance(value, float) else f"{value:g}"
    text = text.replace(".0,", ",").replace(".0]", "]")
    return text if len(text) <= 60 else text[:57] + "..."


@dataclass(frozen=True)
class Cause:
    """Why a derivative is wrong, tested: the repair was put in and compared.

    Parameters
    ----------
    kind : str
        In one or two words: ``"sign"``, ``"factor"``, ``"missing term"``, ...
    message : str
        The cause in a sentence.
    repair : str
        The repaired text, to paste; empty where there is none.
    tested : str
        ``"proved"`` or ``"verified"``: what the repaired text is.
    """

    kind: str
    message: str
    repair: str = ""
    tested: str = ""

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Verdict:
    """What is to be said about one derivative.

    Parameters
    ----------
    name : str
        The parameter, or the pair of parameters ``a,b`` of a block of the Hessian.
    kind : str
        ``"proved"``, ``"verified"``, ``"right where"``, ``"wrong"`` or ``"unknown"``.
    yours, exact : str
        What was claimed, and an exact derivative, as text.
    reason : str
        How it was shown, or why it could not be.
    conditions : tuple of str
        Under which it is right.
    notes : tuple of str
        What else should be known, such as points that are missing from the domain.
    cause : Cause, optional
        Why it is wrong.
    counterexample : Counterexample, optional
        Where it is wrong.
    proof : callable, optional
        Gives the certificate of a proof; see `certificate`.
    derivation : callable, optional
        Gives the derivation; see `latex`.
    read_as : str
        Where the claim was LaTeX: the formula that was read from it.
    """

    name: str
    kind: str
    yours: str = ""
    exact: str = ""
    reason: str = ""
    conditions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    cause: Cause | None = None
    counterexample: Counterexample | None = None
    proof: Any = field(default=None, repr=False, compare=False)
    derivation: Any = field(default=None, repr=False, compare=False)
    read_as: str = ""

    @property
    def ok(self) -> bool:
        """Whether it is not wrong."""
        return self.kind != WRONG

    @property
    def latex(self) -> str:
        """The derivation as LaTeX: the objective, steps of the chain rule, the derivative, and what was claimed."""
        return str(self.derivation()) if self.derivation is not None else ""

    @property
    def certificate(self) -> Any:
        """The certificate of the proof, which `symgd.checking.replay.replay` checks; None where there is none."""
        return self.proof() if self.proof is not None else None

    def __str__(self) -> str:
        head = self.kind + (f" {' and '.join(self.conditions)}" if self.kind == WHERE else "")
        return "\n".join([f"{self.name}: {head}", *self.lines()])

    def lines(self) -> list[str]:
        """Give what there is to say beyond the verdict, a line each."""
        found = [f"read as {self.read_as}"] if self.read_as else []
        found += [self.reason] if self.reason else []
        if self.cause is not None:
            found.append(f"cause: {self.cause.message}")
            if self.cause.repair:
                found.append(f"repair ({self.cause.tested}): {self.cause.repair}")
        if self.counterexample is not None:
            found.append(str(self.counterexample))
        found += [f"note: {note}" for note in self.notes]
        return found

    def to_dict(self) -> dict[str, Any]:
        """Give the verdict as plain data."""
        found: dict[str, Any] = {"verdict": self.kind, "yours": self.yours, "exact": self.exact}
        if self.read_as:
            found["read_as"] = self.read_as
        if self.reason:
            found["reason"] = self.reason
        if self.conditions:
            found["conditions"] = list(self.conditions)
        if self.notes:
            found["notes"] = list(self.notes)
        if self.cause is not None:
            found["cause"] = self.cause.message
            found["cause_kind"] = self.cause.kind
            if self.cause.repair:
                found["repair"] = self.cause.repair
                found["repair_verdict"] = self.cause.tested
        if self.counterexample is not None:
            c = self.counterexample
            found["counterexample"] = {"point": dict(c.point), "entry": list(c.entry), "yours": _json(c.yours),
                                       "exact": _json(c.exact), "digits": c.digits}  # fmt: skip
        return found


def _json(value: float) -> float | None:
    return value if abs(value) < float("inf") else None


@dataclass(frozen=True)
class Check(Mapping[str, Verdict]):
    """The verdicts on what was claimed, by parameter.

    Parameters
    ----------
    formula : str
        The objective.
    verdicts : mapping of str to Verdict
        One for each derivative, in the order in which they were given.
    what : str
        ``"gradient"``, ``"hessian"`` or ``"jacobian"``.
    shapes : mapping of str to str
        The shapes that everything has.
    inferred : bool
        Whether some of them were found from the formulas.
    read_as : str
        Where the objective was LaTeX: the formula that was read from it.
    """

    formula: str
    verdicts: Mapping[str, Verdict]
    what: str = "gradient"
    shapes: Mapping[str, str] = field(default_factory=dict)
    inferred: bool = False
    read_as: str = ""

    @property
    def ok(self) -> bool:
        """Whether none is wrong."""
        return all(v.ok for v in self.verdicts.values())

    def __bool__(self) -> bool:
        return self.ok

    def __getitem__(self, name: Any) -> Verdict:
        parts = name if isinstance(name, tuple) else (name,)
        if not all(isinstance(part, str) for part in parts):
            raise KeyError(shown(name))
        return self.verdicts[",".join(parts)]

    def __iter__(self) -> Iterator[str]:
        return iter(self.verdicts)

    def __len__(self) -> int:
        return len(self.verdicts)

    def __str__(self) -> str:
        from symgd.checking.report import table

        return table(self)

    def __repr__(self) -> str:
        said = ", ".join(f"{name}: {v.kind}" for name, v in self.verdicts.items())
        return f"Check({said})"

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain data, ready for JSON."""
        return {
            "formula": self.formula, **({"read_as": self.read_as} if self.read_as else {}),
            "what": self.what, "ok": self.ok, "shapes": dict(self.shapes),
            "verdict": {name: v.kind for name, v in self.verdicts.items()},
            "details": {name: v.to_dict() for name, v in self.verdicts.items()},
        }  # fmt: skip

    def _repr_html_(self) -> str:
        from symgd.checking.report import html

        return html(self)

    def _repr_latex_(self) -> str:
        return "$" + r" \\ ".join(v.latex for v in self.verdicts.values() if v.latex) + "$"
