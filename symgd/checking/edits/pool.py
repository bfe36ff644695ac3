"""Pieces that repairs are made of, and a repaired text with its values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from symgd import language as fm
from symgd.checking import words
from symgd.checking.trees import Values, ancestors
from symgd.errors import FormulaError
from symgd.language import Tree
from symgd.records import dataclass

if TYPE_CHECKING:
    from symgd.checking.causes import Scene

MOST_PARTS = 60  # of a formula that are edited


@dataclass(frozen=True)
class Candidate:
    """A repaired text, its value at each of the scene's points, and what it repairs."""

    kind: str
    message: str
    text: str
    value: Callable[[int], Any]
    rough: bool = False  # fits too much to be tried with a constant besides
    part: Any = None  # what is replaced, by what, and its value
    written: str = ""
    new: Callable[[int], Any] | None = None


@dataclass(frozen=True)
class Part:
    """A piece of text with its values."""

    text: str
    values: tuple[Any, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return np.shape(self.values[0])


class Pool:
    """Pieces of the objective, of the claim and of the exact derivative, from which repairs are made."""

    def __init__(self, values: list[Values], text: str, tree: Tree, others: list[str], declared: set[str]) -> None:
        self.values, self.text, self.tree = values, text, tree
        self.parts: list[Part] = []
        self.conditions: list[Part] = []
        self.terms: list[Part] = []
        self._seen: set[Any] = set()
        self._add_all(text, tree)
        for other in others:
            try:
                self._add_all(other, fm.parse(other, declared=declared))
            except FormulaError:
                continue

    def _add_all(self, text: str, tree: Tree) -> None:
        for part in list(fm.walk(tree))[:400]:
            if isinstance(part, fm.Slice | fm.Ellipsis_ | fm.NewAxis | fm.Sequence | fm.Bool):
                continue
            source = text[part.start : part.end]
            if isinstance(part, fm.Compare):
                self._condition(source, part)
                continue
            if isinstance(part, fm.Call) and part.function in ("maximum", "relu", "minimum", "where"):
                self._kinks(text, part)
            found = self._add(source, part, self.parts)
            if found and isinstance(part, fm.Sum):
                for arg in part.args:
                    self._add(text[arg.start : arg.end], arg, self.terms, keep=True)
            elif found and part is tree:
                self._add(source, part, self.terms, keep=True)
            if isinstance(part, fm.Product):
                self._prefixes(text, part)

    def _prefixes(self, text: str, part: fm.Product) -> None:
        """Products are flat: pieces of them count too."""
        for low in range(len(part.args)):
            for high in range(low + 2, min(len(part.args), low + 4) + 1):
                ops = part.ops[low : high - 1]
                if (low == 0 or part.ops[low - 1] == "*") and high - low < len(part.args):
                    inner = fm.Product(part.args[low:high], ops)
                    self._add(text[part.args[low].start : part.args[high - 1].end], inner, self.parts)

    def _add(self, text: str, tree: Tree, to: list[Part], *, keep: bool = False) -> bool:
        values = self.evaluate(tree)
        if values is None or not all(np.isfinite(v).all() for v in values):
            return False
        key = (id(to), values[0].shape, values[0].tobytes())
        if key in self._seen:
            return keep
        self._seen.add(key)
        to.append(Part(text, values))
        return True

    def evaluate(self, tree: Tree) -> tuple[Any, ...] | None:
        """Give the values of a tree at all points."""
        try:
            with np.errstate(all="ignore"):
                return tuple(np.asarray(v.of(tree), dtype=float) for v in self.values)
        except (ValueError, TypeError, IndexError, KeyError, NotImplementedError, ArithmeticError, AttributeError):
            return None

    def _condition(self, text: str, tree: Tree) -> None:
        values = self.evaluate(tree)
        if values is not None:
            self.conditions.append(Part(f"({text})", values))

    def _kinks(self, text: str, call: fm.Call) -> None:
        args = [text[a.start : a.end] for a in call.args]
        pairs = (
            [(args[0], "0")] if call.function == "relu" else [(args[0], args[1])] if call.function != "where" else []
        )
        for a, b in pairs:
            for left, right in ((a, b), (b, a)):
                written = (
                    f"({left} > 0)" if right == "0" else f"({right} < 0)" if left == "0" else f"({left} > {right})"
                )
                tree = fm.parse(written, declared=set(self.values[0].point))
                values = self.evaluate(tree)
                if values is not None:
                    self.conditions.append(Part(written, values))

    def factors(self) -> list[Part]:
        """Give pieces that may be a forgotten factor: parts, and what derivatives make of them."""
        found: list[Part] = []
        for part in self.parts:
            f, t = part.values, wrapped(part.text)
            with np.errstate(all="ignore"):
                made: list[tuple[str, Any]] = [
                    (t, f), (f"(1 - {t})", [1 - v for v in f]), (f"{t}*(1 - {t})", [v * (1 - v) for v in f]),
                    (f"(1 - {t}**2)", [1 - v * v for v in f]), (f"{t}**2", [v * v for v in f]),
                    (f"sign({t})", [np.sign(v) for v in f]), (f"({t} > 0)", [(v > 0) * 1.0 for v in f]),
                    (f"exp({part.text})", [np.exp(v) for v in f]), (f"cos({part.text})", [np.cos(v) for v in f]),
                    (f"sin({part.text})", [np.sin(v) for v in f]), (f"{t}**3", [v**3 for v in f]),
                    (f"sqrt({part.text})", [np.sqrt(v) for v in f]), (f"(1 + {t})", [1 + v for v in f]),
                    (f"(1 + {t}**2)", [1 + v * v for v in f]),
                ]  # fmt: skip
            if t.startswith("(") and ("+" in t or "-" in t):
                made.append((f"(-{t})", [-v for v in f]))
            found += [Part(text, tuple(v)) for text, v in made if all(np.isfinite(x).all() for x in v)]
        return found


def wrapped(text: str) -> str:
    """Put parentheses around what is more than a name, a number or a call."""
    depth, plain = 0, True
    for i, c in enumerate(text):
        depth += (c in "([" and 1) or (c in ")]" and -1) or 0
        if depth == 0 and i < len(text) - 1 and not (c.isalnum() or c in "_.)]"):
            plain = False
    return text if plain else f"({text})"


def scaled(text: str, factor: str) -> str:
    """Multiply a text by a constant."""
    if factor == "-1":
        return f"-({text})"
    if "/" in factor and factor.startswith("1/") and factor.count("/") == 1:
        return f"({text})/{factor[2:]}"
    return f"{factor}*({text})" if "/" not in factor else f"({factor})*({text})"


def replaced(scene: Scene, part: Tree, written: str) -> str:
    """Write something else for a part."""
    return scene.text[: part.start] + written + scene.text[part.end :]


def source_of(scene: Scene, part: Tree) -> str:
    """Give the text of a part."""
    return scene.text[part.start : part.end]


def edit(
    scene: Scene, kind: str, message: str, part: Tree, written: str, new: Any, *, rough: bool = False
) -> Candidate:
    """Give the repair that writes something else for one part."""
    above = ancestors(scene.tree, part) | {id(part)}

    def value(k: int) -> Any:
        try:
            return scene.values[k].of(scene.tree, {id(part): new(k)}, above)
        except (ValueError, TypeError, IndexError, KeyError, NotImplementedError, ArithmeticError, AttributeError):
            return None

    return Candidate(kind, message, replaced(scene, part, written), value, rough, part, written, new)


def safely(compute: Callable[[], Any]) -> Any:
    """Give a value; None where shapes do not fit."""
    try:
        return compute()
    except (ValueError, TypeError, IndexError):
        return None


def coefficient(scene: Scene, source: str, written: str) -> tuple[str, str]:
    """Say that a term is off by a constant: kind and sentence."""
    term = words.short(source)
    if written == "-1":
        return "sign", f"the sign of the term {term} is wrong"
    plain = written.lstrip("-")
    if words.is_regulariser(scene, source):
        kind = {"2": "its factor 2 is forgotten", "1/2": "it is doubled"}.get(plain, f"it is off by the factor {plain}")
        return "regulariser", f"the regulariser's term {term}: {kind}"
    sign = ", and its sign is wrong" if written.startswith("-") else ""
    return "factor of a term", f"the term {term} is off by the constant factor {plain}{sign}"


def editable(scene: Scene) -> list[Tree]:
    """Give the parts that may be edited."""
    found = []
    inside: set[int] = set()
    for part in fm.walk(scene.tree):
        if id(part) in inside or isinstance(part, fm.Slice | fm.Ellipsis_ | fm.NewAxis | fm.Bool):
            inside.update(id(c) for c in fm.children(part))
            continue
        if isinstance(part, fm.Index):
            inside.update(id(i) for i in part.items)
        if isinstance(part, fm.Call):
            inside.update(id(v) for _, v in part.keywords)
        found.append(part)
    return found[:MOST_PARTS]
