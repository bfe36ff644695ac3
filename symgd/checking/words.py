"""Causes in words."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from symgd import language as fm
from symgd.checking.reading import Reading
from symgd.errors import FormulaError

if TYPE_CHECKING:
    from symgd.checking.causes import Scene
    from symgd.checking.edits import Candidate

LARGEST = 64


def lengths(reading: Reading) -> list[tuple[str, int]]:
    """Give the lengths of axes, each as text that gives it."""
    found: dict[int, str] = {}
    for shapes in (reading.data, reading.params):
        for name, shape in shapes.items():
            for axis, n in enumerate(shape):
                if n > 1:
                    found.setdefault(n, f"len({name})" if axis == 0 else f"{name}.shape[{axis}]")
    return [(text, n) for n, text in found.items()]


def constants(reading: Reading, value: float) -> list[tuple[str, float]]:
    """Give readings of a constant as text: small ratios, lengths and pi; those that fit."""
    sign, size = ("-" if value < 0 else ""), abs(value)
    found: list[tuple[str, float]] = []

    def fits(other: float) -> bool:
        return abs(size - other) <= 1e-9 * other

    for text, n in lengths(reading):
        for top in (1, 2, 3, 4):
            for c, written in ((top / n, f"{top}/{text}"), (1 / (n * top), f"1/({top}*{text})" if top > 1 else ""),
                               (n * top, text if top == 1 else f"{top}*{text}"),
                               (n / top, f"{text}/{top}")):  # fmt: skip
                if written and fits(c):
                    found.append((sign + written, value))
    ratio = Fraction(size).limit_denominator(LARGEST)
    if fits(float(ratio)):
        rational = (sign + str(ratio), value)
        whole = any(n > 4 and n in (ratio.denominator, ratio.numerator) for _, n in lengths(reading))
        found.insert(len(found) if whole else 0, rational)
    for c, text in ((math.pi, "pi"), (1 / math.pi, "1/pi"), (2 * math.pi, "2*pi"), (1 / (2 * math.pi), "1/(2*pi)"),
                    (math.sqrt(2), "sqrt(2)"), (1 / math.sqrt(2), "1/sqrt(2)"), (math.log(2), "log(2)"),
                    (1 / math.log(2), "1/log(2)"), (math.log(10), "log(10)"), (1 / math.log(10), "1/log(10)"),
                    (math.pi / 180, "pi/180"), (180 / math.pi, "180/pi"), (math.sqrt(2 * math.pi), "sqrt(2*pi)"),
                    (1 / math.sqrt(2 * math.pi), "1/sqrt(2*pi)"), (2 / math.sqrt(math.pi), "2/sqrt(pi)"),
                    (math.sqrt(math.pi) / 2, "sqrt(pi)/2")):  # fmt: skip
        if fits(c):
            found.append((sign + text, value))
    if not found:
        near = Fraction(value).limit_denominator(10**13)
        found.append((str(near), value))
    return found


def cause(scene: Scene, candidate: Candidate, factor: str) -> tuple[str, str]:
    """Say what was wrong: kind and sentence."""
    if candidate.kind == "as it is":
        return whole(scene, factor)
    kind, said = candidate.kind, candidate.message
    if factor:
        more_kind, more = whole(scene, factor)
        return f"{kind} and {more_kind}", f"{said}; and {more}"
    return kind, said


def whole(scene: Scene, factor: str) -> tuple[str, str]:
    """Say that a derivative is off by a constant."""
    if factor == "-1":
        return "sign", "the sign is wrong: yours is minus the derivative"
    sign = "; the sign is wrong too" if factor.startswith("-") else ""
    plain = factor.removeprefix("-")
    kind = "sign and factor" if sign else "factor"
    if plain.startswith(("1/len(", "1/")) and ("len(" in plain or ".shape" in plain) and _has(scene, "mean", "/len"):
        return kind, (f"off by the constant factor {plain}: you differentiated the sum, the objective is the mean; "
                      f"multiply by {plain} (1/n){sign}")  # fmt: skip
    if plain.startswith("len(") or (".shape" in plain and "/" not in plain):
        return kind, f"off by the constant factor {plain}: you differentiated the mean, the objective is the sum{sign}"
    return kind, f"off by the constant factor {plain}: multiply by {plain}{sign}"


def _has(scene: Scene, *parts: str) -> bool:
    text = scene.judge.problem.text.replace(" ", "")
    return any(part in text for part in parts)


def is_regulariser(scene: Scene, text: str) -> bool:
    """Tell whether a term reads the parameter, and no array of data."""
    reading = scene.judge.exact.reading
    try:
        names = fm.names(fm.parse(text, declared=reading.declared))
    except FormulaError:
        return False
    arrays = {n for n, s in reading.data.items() if s}
    whole = scene.judge.problem.tree
    own = whole.args if isinstance(whole, fm.Sum) else ()
    if not any(not arrays & set(fm.names(a)) and set(fm.names(a)) & set(reading.params) for a in own):
        return False
    scalars = {n for n, s in reading.data.items() if not s}
    return bool(names) and not arrays & set(names) and bool(set(names) & set(reading.params)) and bool(
        arrays and (scalars & set(names) or len(reading.params) == 1)
    )  # fmt: skip


def short(text: str, most: int = 70) -> str:
    """Cut a text."""
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 3] + "..."


__all__ = ["Any", "cause", "constants", "is_regulariser", "lengths", "short", "whole"]
