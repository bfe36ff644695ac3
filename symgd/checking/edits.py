"""Small repairs of a formula, by the mistake that each of them undoes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from symgd import language as fm
from symgd.checking import words
from symgd.checking.trees import Values, ancestors
from symgd.errors import FormulaError
from symgd.language import Tree

if TYPE_CHECKING:
    from symgd.checking.causes import Scene

MOST_PARTS = 60  # of a formula that are edited
MOST_FACTORS = 90  # that are tried at each
PAIRS = 4000  # of edits


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


def _replaced(scene: Scene, part: Tree, written: str) -> str:
    return scene.text[: part.start] + written + scene.text[part.end :]


def _source(scene: Scene, part: Tree) -> str:
    return scene.text[part.start : part.end]


def _edit(
    scene: Scene, kind: str, message: str, part: Tree, written: str, new: Any, *, rough: bool = False
) -> Candidate:
    above = ancestors(scene.tree, part) | {id(part)}

    def value(k: int) -> Any:
        try:
            return scene.values[k].of(scene.tree, {id(part): new(k)}, above)
        except (ValueError, TypeError, IndexError, KeyError, NotImplementedError, ArithmeticError, AttributeError):
            return None

    return Candidate(kind, message, _replaced(scene, part, written), value, rough, part, written, new)


def _of(scene: Scene, tree: Tree) -> Callable[[int], Any]:
    return lambda k: np.asarray(scene.values[k].of(tree), dtype=float)


# ---- the whole -----------------------------------------------------------------------------------------------------


def as_it_is(scene: Scene) -> Iterator[Candidate]:
    """Off by a constant, or by the sign."""
    yield Candidate("as it is", "", scene.text, lambda k: scene.values[k].of(scene.tree))


def terms(scene: Scene) -> Iterator[Candidate]:
    """Terms with other coefficients: signs, factors, and terms too many."""
    tree = scene.tree
    if not isinstance(tree, fm.Sum) or not 2 <= len(tree.args) <= 8:
        return
    columns = []
    shape = scene.exact[0].shape
    for arg, sign in zip(tree.args, tree.signs, strict=True):
        values = scene.pool.evaluate(arg)
        if values is None:
            return
        try:
            columns.append(np.concatenate([np.broadcast_to(v, shape).ravel() * sign for v in values]))
        except ValueError:
            return
    matrix = np.stack(columns, axis=1)
    want = np.concatenate([e.ravel() for e in scene.exact])
    if not np.isfinite(matrix).all() or np.linalg.matrix_rank(matrix) < len(columns):
        return
    found, *_ = np.linalg.lstsq(matrix, want, rcond=None)
    if np.abs(matrix @ found - want).max() > 1e-8 * np.abs(want).max():
        return
    kinds, said, pieces = [], [], []
    for c, arg, sign in zip(found, tree.args, tree.signs, strict=True):
        source = _source(scene, arg)
        if abs(c - 1) < 1e-8:
            pieces.append(("-" if sign < 0 else "+", source))
            continue
        if abs(c) < 1e-8:
            kinds.append("extra term")
            said.append(f"the term {words.short(source)} is too much")
            continue
        options = words.constants(scene.judge.exact.reading, c)
        if not options:
            return
        written = options[0][0]
        kind, why = _coefficient(scene, source, written)
        kinds.append(kind)
        said.append(why)
        negative = (sign < 0) != written.startswith("-")
        body = written.lstrip("-")
        pieces.append(("-" if negative else "+", source if body == "1" else scaled(source, body)))
    if not pieces:
        return
    text = " ".join(f"{op} {piece}" for op, piece in pieces)
    text = text[2:] if text.startswith("+ ") else "-" + text[2:] if text.startswith("- ") else text
    fitted = [np.reshape(m, shape) for m in np.split(matrix @ found, len(scene.exact))]
    yield Candidate(" and ".join(dict.fromkeys(kinds)), "; ".join(said), text, lambda k: fitted[k], rough=True)


def _coefficient(scene: Scene, source: str, written: str) -> tuple[str, str]:
    term = words.short(source)
    if written == "-1":
        return "sign", f"the sign of the term {term} is wrong"
    plain = written.lstrip("-")
    if words.is_regulariser(scene, source):
        kind = {"2": "its factor 2 is forgotten", "1/2": "it is doubled"}.get(plain, f"it is off by the factor {plain}")
        return "regulariser", f"the regulariser's term {term}: {kind}"
    sign = ", and its sign is wrong" if written.startswith("-") else ""
    return "factor of a term", f"the term {term} is off by the constant factor {plain}{sign}"


def whole(scene: Scene) -> Iterator[Candidate]:
    """Transposed; another parameter's; a factor forgotten or too much; a mask."""
    mine = scene.pool.evaluate(scene.tree)
    if mine is None:
        return
    text, want = scene.text, scene.exact
    if mine[0].ndim == 2:
        yield Candidate("transposed", "it is transposed", f"({text}).T", lambda k: mine[k].T)
    yield from _other_axes(scene, mine)
    if mine[0].shape != want[0].shape:
        yield from _broadcast_factors(scene, mine)
        return
    for part in scene.pool.conditions:
        yield _times(scene, mine, part, "mask", f"it is right up to a mask: {part.text} is missing")
    for part in scene.pool.factors():
        yield _times(
            scene, mine, part, "chain-rule factor", f"the chain-rule factor {words.short(part.text)} is missing"
        )
    for part in scene.pool.factors():
        yield _over(scene, mine, part)
    yield from _jacobians(scene, mine)


def _jacobians(scene: Scene, mine: Any) -> Iterator[Candidate]:
    """The derivative of a softmax is a matrix: p*(v - sum(p*v))."""
    for part in scene.pool.parts:
        if part.shape != mine[0].shape or not part.shape or not all(
            np.allclose(v.sum(axis=-1), 1) and (v > 0).all() for v in part.values
        ):  # fmt: skip
            continue
        t, p = f"({scene.text})", wrapped(part.text)
        inner = f"sum({p}*{t})" if len(part.shape) == 1 else f"sum({p}*{t}, axis=-1)[..., None]"
        yield Candidate(
            "chain-rule factor", f"the chain-rule factor is missing: the Jacobian of {words.short(part.text)}",
            f"{p}*({t} - {inner})",
            lambda k, q=part.values: q[k] * (mine[k] - (q[k] * mine[k]).sum(axis=-1, keepdims=True)),  # type: ignore[misc]
        )  # fmt: skip


def _fit(value: Any, shape: tuple[int, ...]) -> Any:
    return value if np.shape(value) == shape else None


def _times(scene: Scene, mine: Any, part: Part, kind: str, message: str) -> Candidate:
    def value(k: int) -> Any:
        try:
            return _fit(mine[k] * part.values[k], mine[k].shape)
        except ValueError:
            return None

    return Candidate(kind, message, f"({scene.text})*{wrapped(part.text)}", value)


def _over(scene: Scene, mine: Any, part: Part) -> Candidate:
    def value(k: int) -> Any:
        try:
            return _fit(mine[k] / part.values[k], mine[k].shape)
        except ValueError:
            return None

    said = words.short(part.text)
    message = f"the chain-rule factor 1/{wrapped(said)} is missing, or a factor {said} is too much"
    return Candidate("chain-rule factor", message, f"({scene.text})/({part.text})", value)


def powers(scene: Scene) -> Iterator[Candidate]:
    """An exponent is off by one."""
    for part in _editable(scene):
        if isinstance(part, fm.Power):
            yield from _exponents(scene, part)


def _broadcast_factors(scene: Scene, mine: Any) -> Iterator[Candidate]:
    """A number for an array: a factor with axes is missing."""
    shape = scene.exact[0].shape
    for part in scene.pool.factors():
        if part.shape == shape:
            yield Candidate("chain-rule factor", f"the factor {words.short(part.text)} is missing",
                            f"({scene.text})*{wrapped(part.text)}",
                            lambda k, p=part: _safe(lambda: mine[k] * p.values[k]))  # type: ignore[misc]  # fmt: skip


def _safe(compute: Callable[[], Any]) -> Any:
    try:
        return compute()
    except (ValueError, TypeError, IndexError):
        return None


def _other_axes(scene: Scene, mine: Any) -> Iterator[Candidate]:
    text = scene.text
    for axis in range(mine[0].ndim):
        yield Candidate("axis", f"a sum over axis {axis} is missing", f"sum({text}, axis={axis})",
                        lambda k, a=axis: mine[k].sum(axis=a))  # type: ignore[misc]  # fmt: skip
    if mine[0].ndim:
        yield Candidate("sum", "a sum is missing", f"sum({text})", lambda k: mine[k].sum())


# ---- parts ---------------------------------------------------------------------------------------------------------


def parts(scene: Scene) -> Iterator[Candidate]:
    """One part with another sign, exponent, axis, function, or transposed."""
    for part in _editable(scene):
        yield from _at_part(scene, part)


def _editable(scene: Scene) -> list[Tree]:
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


def _at_part(scene: Scene, part: Tree) -> Iterator[Candidate]:
    source = _source(scene, part)
    if isinstance(part, fm.Sequence):
        if all(not isinstance(i, fm.Number) for i in part.items):
            order = ", ".join(_source(scene, i) for i in reversed(part.items))
            yield _edit(scene, "order", f"the order of {words.short(source)} is reversed", part, f"[{order}]",
                        lambda k: [scene.values[k].of(i) for i in reversed(part.items)])  # fmt: skip
        return
    values = scene.pool.evaluate(part)
    if values is None:
        return
    t = wrapped(source)
    if part is not scene.tree and not isinstance(part, fm.Number):
        yield _edit(scene, "sign", f"the sign of {words.short(source)} is wrong", part, f"(-{t})", lambda k: -values[k])
    if values[0].ndim == 2:
        bare = isinstance(part, fm.Attribute) and part.name == "T"
        written = _source(scene, part.value) if bare else f"{t}.T"  # type: ignore[attr-defined]
        yield _edit(scene, "transposed", f"{words.short(source)} is transposed: {words.short(written)}", part, written,
                    lambda k: values[k].T)  # fmt: skip
    if isinstance(part, fm.Power):
        yield from _exponents(scene, part)
    if isinstance(part, fm.Call):
        yield from _calls(scene, part, source)
    if isinstance(part, fm.Product):
        yield from _products(scene, part)
    if isinstance(part, fm.Sum) and part is not scene.tree:
        yield from _dropped(scene, part)
    if isinstance(part, fm.Index):
        inner = scene.pool.evaluate(part.value)
        if inner is not None and inner[0].shape == values[0].shape:
            yield _edit(scene, "index", f"the index of {words.short(source)}", part, _source(scene, part.value),
                        lambda k: inner[k])  # fmt: skip
    if not isinstance(part, fm.Number) and part is not scene.tree:
        yield _edit(scene, "exponent", f"an exponent is off by one: {words.short(source)} should be squared", part,
                    f"{t}**2", lambda k: values[k] ** 2)  # fmt: skip
        yield _edit(scene, "abs", f"abs is missing at {words.short(source)}", part, f"abs({source})",
                    lambda k: np.abs(values[k]))  # fmt: skip
        for name, apply in _links(scene):
            yield _edit(scene, "link function", f"{name}(...) is forgotten at {words.short(source)}", part,
                        f"{name}({source})", lambda k, f=apply: f(values[k]))  # fmt: skip


def _links(scene: Scene) -> list[tuple[str, Callable[[Any], Any]]]:
    from symgd.graph.tape import Floats
    from symgd.language.functions import FUNCTIONS

    floats = Floats()
    tree = fm.parse(scene.judge.problem.text, declared=scene.judge.exact.reading.declared)
    names = {p.function for p in fm.walk(tree) if isinstance(p, fm.Call)} | ({"sigmoid", "exp"} if any(
        isinstance(p, fm.Call) and p.function in ("softplus", "log") for p in fm.walk(tree)) else set())  # fmt: skip
    return [(n, lambda v, n=n: floats.apply(n, [v])) for n in sorted(names)  # type: ignore[misc]
            if n in FUNCTIONS and FUNCTIONS[n].kind == "map" and FUNCTIONS[n].most == 1]  # fmt: skip


def _exponents(scene: Scene, part: fm.Power) -> Iterator[Candidate]:
    base, exponent = scene.pool.evaluate(part.base), scene.pool.evaluate(part.exponent)
    if base is None or exponent is None:
        return
    b, e = wrapped(_source(scene, part.base)), _source(scene, part.exponent)
    for d in (1, -1):
        new = f"{b}**({e} {'+' if d > 0 else '-'} 1)"
        if isinstance(part.exponent, fm.Number):
            n = part.exponent.value + d
            new = b if n == 1 else f"{b}**{n}" if n >= 0 and n == int(n) else f"{b}**({n})"
        yield _edit(scene, "exponent", f"the exponent of {words.short(_source(scene, part))} is off by one", part, new,
                    lambda k, d=d: base[k] ** (exponent[k] + d))  # fmt: skip


def _calls(scene: Scene, part: fm.Call, source: str) -> Iterator[Candidate]:
    keywords = dict(part.keywords)
    inner = scene.pool.evaluate(part.args[0]) if part.args else None
    if inner is None:
        return
    text = _source(scene, part.args[0])
    if part.function in ("sum", "mean", "max", "min"):
        axes = range(inner[0].ndim)
        reduce = getattr(np, part.function)
        for axis in [*axes, None]:
            written = f"{part.function}({text}{'' if axis is None else f', axis={axis}'})"
            said = f"{words.short(source)} is over another axis: {words.short(written)}"
            yield _edit(scene, "axis", said, part, written,
                        lambda k, a=axis: reduce(inner[k], axis=a))  # fmt: skip
        yield _edit(scene, "sum", f"a {part.function} where there should be none: {words.short(source)}", part,
                    wrapped(text), lambda k: inner[k])  # fmt: skip
    elif not keywords:
        twice = part.args[0]
        said = f"{part.function} is applied where it should not be: {words.short(source)}"
        if isinstance(twice, fm.Call) and twice.function == part.function:
            said = f"{part.function} is applied twice: the chain-rule factor is taken at the wrong place"
        yield _edit(scene, "applied twice" if "twice" in said else "function", said, part, wrapped(text),
                    lambda k: inner[k])  # fmt: skip


def _products(scene: Scene, part: fm.Product) -> Iterator[Candidate]:
    """Leave a factor out, multiply for divide, contract for multiply."""
    for i, arg in enumerate(part.args):
        op = part.ops[i - 1] if i else "*"
        source = _source(scene, arg)
        if len(part.args) > 1 and op in "*/" and (i or part.ops[0] == "*"):
            args = part.args[:i] + part.args[i + 1 :]
            ops = part.ops[: i - 1] + part.ops[i:] if i else part.ops[1:]
            rest = fm.Product(args, ops) if len(args) > 1 else args[0]
            written = scene.text[part.start : part.end]
            low, high = (part.args[i - 1].end, arg.end) if i else (arg.start, part.args[1].start)
            written = scene.text[part.start : low] + scene.text[high : part.end]
            values = scene.pool.evaluate(rest)
            if values is not None:
                what = "a division by" if op == "/" else "the factor"
                yield _edit(scene, "extra factor", f"{what} {words.short(source)} is too much", part, written,
                            lambda k, v=values: v[k])  # fmt: skip
    if len(part.args) == 2 and part.ops == ("*",):
        for first, second in (part.args, part.args[::-1]):
            a, b = scene.pool.evaluate(first), scene.pool.evaluate(second)
            if a is None or b is None or not a[0].ndim or not b[0].ndim:
                continue
            written = f"({_source(scene, first)} @ {_source(scene, second)})"
            yield _edit(scene, "sum", f"a sum is missing: {words.short(_source(scene, part))} is elementwise, "
                        f"and {words.short(written)} is meant", part, written,
                        lambda k, a=a, b=b: _safe(lambda: np.matmul(a[k], b[k])))  # fmt: skip
    elif "*" in part.ops:
        yield from _contracted(scene, part)


def _contracted(scene: Scene, part: fm.Product) -> Iterator[Candidate]:
    for i, op in enumerate(part.ops):
        if op == "*":
            a, b = part.args[i], part.args[i + 1]
            x, y = scene.pool.evaluate(a), scene.pool.evaluate(b)
            if x is None or y is None or x[0].ndim != 1 or y[0].ndim != 1 or x[0].shape != y[0].shape:
                continue
            pair = f"({_source(scene, a)} @ {_source(scene, b)})"
            written = scene.text[part.start : a.start] + pair + scene.text[b.end : part.end]
            joined = fm.Product((a, b), ("@",))
            args = (*part.args[:i], joined, *part.args[i + 2 :])
            tree = fm.Product(args, part.ops[:i] + part.ops[i + 1 :]) if len(args) > 1 else joined
            values = scene.pool.evaluate(tree)
            if values is not None:
                yield _edit(scene, "sum", f"a sum is missing: {_source(scene, a)}*{_source(scene, b)} is elementwise, "
                            f"and {pair} is meant", part, written, lambda k, v=values: v[k])  # fmt: skip


def _dropped(scene: Scene, part: fm.Sum) -> Iterator[Candidate]:
    for i, arg in enumerate(part.args):
        keep = [(a, s) for j, (a, s) in enumerate(zip(part.args, part.signs, strict=True)) if j != i]
        values = [scene.pool.evaluate(a) for a, _ in keep]
        mine = scene.pool.evaluate(arg)
        if mine is None or any(v is None for v in values):
            continue
        source = _source(scene, arg)
        text = " ".join(("+ " if s > 0 else "- ") + _source(scene, a) for a, s in keep)
        text = text.removeprefix("+ ") if keep[0][1] > 0 else text

        def rest(k: int, values: Any = values, keep: Any = keep) -> Any:
            return sum(v[k] * s for v, (_, s) in zip(values, keep, strict=True))

        yield _edit(scene, "extra term", f"the term {words.short(source)} is too much", part, f"({text})", rest)
        for c, said in ((-1.0, "-1"), (2.0, "2"), (0.5, "1/2")):
            kind, why = _coefficient(scene, source, said)
            body = f"-{wrapped(source)}" if c < 0 else f"{said}*{wrapped(source)}" if c > 1 else f"{wrapped(source)}/2"
            yield _edit(scene, kind, why, arg, f"({body})", lambda k, c=c, m=mine: c * m[k])


# ---- what is missing -----------------------------------------------------------------------------------------------


def missing(scene: Scene) -> Iterator[Candidate]:
    """A term is missing."""
    mine = scene.pool.evaluate(scene.tree)
    if mine is None:
        return
    shape = scene.exact[0].shape
    try:
        gaps = [e - np.broadcast_to(m, shape) for e, m in zip(scene.exact, mine, strict=True)]
    except ValueError:
        return
    from symgd.checking.causes import proportion

    flat = np.concatenate([g.ravel() for g in gaps])
    if np.ptp(flat) < 1e-9 * max(np.abs(flat).max(initial=0), 1e-300):
        for written, _ in words.constants(scene.judge.exact.reading, float(flat[0]))[:1]:
            yield _with_term(scene, mine, written.lstrip("-"), -1.0 if written.startswith("-") else 1.0,
                             [np.abs(g) for g in gaps])  # fmt: skip
    for part in [*scene.pool.terms, *scene.pool.parts, *_turned(scene)]:
        if part.shape not in (shape, ()):
            continue
        found = [proportion(g, np.broadcast_to(v, shape)) for g, v in zip(gaps, part.values, strict=True)]
        if any(c is None for c in found) or max(found) - min(found) > 1e-8 * abs(found[0]):  # type: ignore[arg-type,operator,type-var]
            continue
        c = float(found[0])  # type: ignore[arg-type]
        options = words.constants(scene.judge.exact.reading, abs(c))
        if not options or (len(options[0][0]) > 12):
            continue
        written = part.text if abs(abs(c) - 1) < 1e-8 else scaled(part.text, options[0][0])
        yield _with_term(scene, mine, written, np.sign(c), [np.abs(c) * np.broadcast_to(v, shape) for v in part.values])


def _turned(scene: Scene) -> Iterator[Part]:
    """Give the claim with one matrix in it transposed: the other half of a product rule."""
    for candidate in parts(scene):
        if candidate.kind == "transposed":
            values = [candidate.value(k) for k in range(len(scene.values))]
            if all(v is not None for v in values):
                yield Part(candidate.text, tuple(np.asarray(v, dtype=float) for v in values))


def _with_term(scene: Scene, mine: Any, written: str, sign: float, values: Any) -> Candidate:
    op = "+" if sign > 0 else "-"
    term = written if op == "+" else wrapped(written)
    said = words.short(f"-{term}" if op == "-" else term)
    names = set(fm.names(scene.tree))
    declared = scene.judge.exact.reading.declared
    theirs = set(fm.names(fm.parse(written, declared=declared)))
    if op == "-" and _stands(scene, values):
        kind = "regulariser" if words.is_regulariser(scene, written) else "extra term"
        message = f"the term {words.short(term)} is doubled: it is too much once"
    elif words.is_regulariser(scene, written):
        kind, message = "regulariser", f"the regulariser's term {said} is forgotten (missing term)"
    elif theirs and theirs <= names:
        kind, message = "product rule", f"a term is missing: {said}; the product rule is half applied"
    else:
        kind, message = "missing term", f"a term is missing: {said}"
    return Candidate(kind, message, f"{scene.text} {op} {term}", lambda k: mine[k] + sign * values[k], rough=True)


def _stands(scene: Scene, values: Any) -> bool:
    """Tell whether a term stands in the claim as it is."""
    if not isinstance(scene.tree, fm.Sum):
        return False
    for arg, sign in zip(scene.tree.args, scene.tree.signs, strict=True):
        have = scene.pool.evaluate(arg)
        if have is None or np.shape(have[0]) != np.shape(values[0]):
            continue
        if all(np.allclose(sign * h, v, rtol=1e-9) for h, v in zip(have, values, strict=True)):
            return True
    return False


def inner_factors(scene: Scene) -> Iterator[Candidate]:
    """A chain-rule factor is missing inside."""
    factors = scene.pool.factors()[: MOST_FACTORS * 3]
    for part in _editable(scene):
        values = scene.pool.evaluate(part)
        if values is None or isinstance(part, fm.Number) or part is scene.tree:
            continue
        t = wrapped(_source(scene, part))
        shape = values[0].shape
        for factor in [*scene.pool.conditions, *factors]:
            if factor.shape not in (shape, ()):
                continue
            kind = "mask" if any(factor is c for c in scene.pool.conditions) else "chain-rule factor"
            said = f"the chain-rule factor {words.short(factor.text)} is missing at {words.short(_source(scene, part))}"
            yield _edit(scene, kind, said, part, f"({t}*{wrapped(factor.text)})",
                        lambda k, f=factor, v=values: v[k] * f.values[k])  # fmt: skip


def inner_quotients(scene: Scene) -> Iterator[Candidate]:
    """A factor too much, or a division forgotten, inside."""
    for part in _editable(scene):
        values = scene.pool.evaluate(part)
        if values is None or isinstance(part, fm.Number) or part is scene.tree:
            continue
        t = wrapped(_source(scene, part))
        for factor in scene.pool.parts[:MOST_FACTORS]:
            if factor.shape in (values[0].shape, ()):
                said = f"a division by {words.short(factor.text)} is missing at {words.short(_source(scene, part))}"
                yield _edit(scene, "chain-rule factor", said, part, f"({t}/{wrapped(factor.text)})",
                            lambda k, f=factor, v=values: v[k] / f.values[k])  # fmt: skip


def names(scene: Scene) -> Iterator[Candidate]:
    """One name stands for another."""
    for part in _editable(scene):
        values = scene.pool.evaluate(part) if isinstance(part, fm.Name) else None
        if values is None:
            continue
        source = _source(scene, part)
        for other in scene.pool.parts:
            if other.shape == values[0].shape and other.text.isidentifier() and other.text != source:
                said = f"another variable: {source} stands where {other.text} belongs"
                yield _edit(scene, "another variable", said, part, other.text, lambda k, o=other: o.values[k])


def everywhere(scene: Scene) -> Iterator[Candidate]:
    """The same mistake at each place where an expression stands."""
    groups: dict[Tree, list[Tree]] = {}
    for part in _editable(scene):
        if not isinstance(part, fm.Number):
            groups.setdefault(part, []).append(part)
    for same in groups.values():
        if len(same) < 2:
            continue
        above = frozenset().union(*(ancestors(scene.tree, p) | {id(p)} for p in same))
        for one in [*_at_part(scene, same[0]), *(c for c in names(scene) if c.part is same[0])]:
            if one.part is not same[0] or one.new is None:
                continue
            text = scene.text
            for part in sorted(same, key=lambda p: -p.start):
                text = text[: part.start] + one.written + text[part.end :]

            def value(k: int, one: Candidate = one, same: Any = same, above: Any = above) -> Any:
                assert one.new is not None
                new = one.new
                return _safe(lambda: scene.values[k].of(scene.tree, {id(p): new(k) for p in same}, above))

            yield Candidate(one.kind, one.message, text, value)


def exchanged(scene: Scene) -> Iterator[Candidate]:
    """One part stands for another."""
    for part in _editable(scene):
        values = scene.pool.evaluate(part)
        if values is None or part is scene.tree:
            continue
        source = _source(scene, part)
        for other in [*scene.pool.parts, *_negated(scene)]:
            if other.shape == values[0].shape and other.text != source:
                said = f"{words.short(source)} stands where {words.short(other.text)} belongs"
                yield _edit(scene, "another expression", said, part, wrapped(other.text),
                            lambda k, o=other: o.values[k], rough=True)  # fmt: skip


def _negated(scene: Scene) -> list[Part]:
    return [Part(f"(-{wrapped(p.text)})", tuple(-v for v in p.values)) for p in scene.pool.parts[:40]]


def pairs(scene: Scene) -> Iterator[Candidate]:
    """Two mistakes at once, of those that are easily made."""
    first = _editable(scene)
    simple = [(part, c) for part in first for c in _at_part(scene, part)
              if c.kind in ("sign", "transposed", "factor of a term", "regulariser", "exponent", "extra factor", "axis",
                            "another variable", "sum", "extra term")]  # fmt: skip
    count = 0
    for i, (p, a) in enumerate(simple):
        middle = _second(scene, a)
        if middle is None:
            continue
        for part in _editable(middle):
            if part.start < p.start:
                continue
            for b in _at_part(middle, part):
                count += 1
                if count > PAIRS:
                    return
                yield Candidate(f"{a.kind} and {b.kind}", f"{a.message}; and {b.message}", b.text, b.value, rough=True)
        del i


def _second(scene: Scene, candidate: Candidate) -> Scene | None:
    from dataclasses import replace

    try:
        tree = fm.parse(candidate.text, declared=scene.judge.exact.reading.declared)
    except FormulaError:
        return None
    return replace(scene, text=candidate.text, tree=tree)


Stage = Callable[["Scene"], Iterator[Candidate]]
STAGES: tuple[Stage, ...] = (
    as_it_is, terms, names, powers, whole, missing, parts, everywhere, inner_factors, inner_quotients, pairs, exchanged,
)  # fmt: skip

__all__ = ["STAGES", "Candidate", "Mapping", "Part", "Pool", "scaled", "wrapped"]
