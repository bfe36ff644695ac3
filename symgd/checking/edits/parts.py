"""Repairs of one part: its sign, exponent, axis, function, transposed or with a factor left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from symgd import language as fm
from symgd.checking import words
from symgd.checking.edits.pool import Candidate, coefficient, edit, editable, safely, source_of, wrapped
from symgd.language import Tree

if TYPE_CHECKING:
    from symgd.checking.causes import Scene


def parts(scene: Scene) -> Iterator[Candidate]:
    """One part with another sign, exponent, axis, function, or transposed."""
    for part in editable(scene):
        yield from at_part(scene, part)


def at_part(scene: Scene, part: Tree) -> Iterator[Candidate]:
    """Give the repairs of one part."""
    source = source_of(scene, part)
    if isinstance(part, fm.Sequence):
        if all(not isinstance(i, fm.Number) for i in part.items):
            order = ", ".join(source_of(scene, i) for i in reversed(part.items))
            yield edit(scene, "order", f"the order of {words.short(source)} is reversed", part, f"[{order}]",
                        lambda k: [scene.values[k].of(i) for i in reversed(part.items)])  # fmt: skip
        return
    values = scene.pool.evaluate(part)
    if values is None:
        return
    t = wrapped(source)
    if part is not scene.tree and not isinstance(part, fm.Number):
        yield edit(scene, "sign", f"the sign of {words.short(source)} is wrong", part, f"(-{t})", lambda k: -values[k])
    if values[0].ndim == 2:
        bare = isinstance(part, fm.Attribute) and part.name == "T"
        written = source_of(scene, part.value) if bare else f"{t}.T"  # type: ignore[attr-defined]
        yield edit(scene, "transposed", f"{words.short(source)} is transposed: {words.short(written)}", part, written,
                    lambda k: values[k].T)  # fmt: skip
    if isinstance(part, fm.Power):
        yield from exponents(scene, part)
    if isinstance(part, fm.Call):
        yield from _calls(scene, part, source)
    if isinstance(part, fm.Product):
        yield from _products(scene, part)
    if isinstance(part, fm.Sum) and part is not scene.tree:
        yield from _dropped(scene, part)
    if isinstance(part, fm.Index):
        inner = scene.pool.evaluate(part.value)
        if inner is not None and inner[0].shape == values[0].shape:
            yield edit(scene, "index", f"the index of {words.short(source)}", part, source_of(scene, part.value),
                        lambda k: inner[k])  # fmt: skip
    if not isinstance(part, fm.Number) and part is not scene.tree:
        yield edit(scene, "exponent", f"an exponent is off by one: {words.short(source)} should be squared", part,
                    f"{t}**2", lambda k: values[k] ** 2)  # fmt: skip
        yield edit(scene, "abs", f"abs is missing at {words.short(source)}", part, f"abs({source})",
                    lambda k: np.abs(values[k]))  # fmt: skip
        for name, apply in _links(scene):
            yield edit(scene, "link function", f"{name}(...) is forgotten at {words.short(source)}", part,
                        f"{name}({source})", lambda k, f=apply: f(values[k]))  # fmt: skip


def _links(scene: Scene) -> list[tuple[str, Callable[[Any], Any]]]:
    from symgd.graph.tape import Floats
    from symgd.language.functions import FUNCTIONS

    floats = Floats()
    tree = fm.parse(scene.judge.problem.text, declared=scene.judge.exact.reading.declared)
    names = {p.function for p in fm.walk(tree) if isinstance(p, fm.Call)} | ({"sigmoid", "exp"} if any(
        isinstance(p, fm.Call) and p.function in ("softplus", "log") for p in fm.walk(tree)) else set())  # fmt: skip
    names |= {"sign"} if "abs" in names else set()
    return [(n, lambda v, n=n: floats.apply(n, [v])) for n in sorted(names)  # type: ignore[misc]
            if n in FUNCTIONS and FUNCTIONS[n].kind == "map" and FUNCTIONS[n].most == 1]  # fmt: skip


def exponents(scene: Scene, part: fm.Power) -> Iterator[Candidate]:
    """Give a power with its exponent one more and one less."""
    base, exponent = scene.pool.evaluate(part.base), scene.pool.evaluate(part.exponent)
    if base is None or exponent is None:
        return
    b, e = wrapped(source_of(scene, part.base)), source_of(scene, part.exponent)
    for d in (1, -1):
        new = f"{b}**({e} {'+' if d > 0 else '-'} 1)"
        if isinstance(part.exponent, fm.Number):
            n = part.exponent.value + d
            new = b if n == 1 else f"{b}**{n}" if n >= 0 and n == int(n) else f"{b}**({n})"
        yield edit(scene, "exponent", f"the exponent of {words.short(source_of(scene, part))} is off by one", part, new,
                    lambda k, d=d: base[k] ** (exponent[k] + d))  # fmt: skip


def _calls(scene: Scene, part: fm.Call, source: str) -> Iterator[Candidate]:
    keywords = dict(part.keywords)
    inner = scene.pool.evaluate(part.args[0]) if part.args else None
    if inner is None:
        return
    text = source_of(scene, part.args[0])
    if part.function in ("sum", "mean", "max", "min"):
        axes = range(inner[0].ndim)
        reduce = getattr(np, part.function)
        for axis in [*axes, None]:
            written = f"{part.function}({text}{'' if axis is None else f', axis={axis}'})"
            said = f"{words.short(source)} is over another axis: {words.short(written)}"
            yield edit(scene, "axis", said, part, written,
                        lambda k, a=axis: reduce(inner[k], axis=a))  # fmt: skip
        yield edit(scene, "sum", f"a {part.function} where there should be none: {words.short(source)}", part,
                    wrapped(text), lambda k: inner[k])  # fmt: skip
    elif not keywords:
        twice = part.args[0]
        said = f"{part.function} is applied where it should not be: {words.short(source)}"
        if isinstance(twice, fm.Call) and twice.function == part.function:
            said = f"{part.function} is applied twice: the chain-rule factor is taken at the wrong place"
        yield edit(scene, "applied twice" if "twice" in said else "function", said, part, wrapped(text),
                    lambda k: inner[k])  # fmt: skip


def _products(scene: Scene, part: fm.Product) -> Iterator[Candidate]:
    """Leave a factor out, multiply for divide, contract for multiply."""
    for i, arg in enumerate(part.args):
        op = part.ops[i - 1] if i else "*"
        source = source_of(scene, arg)
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
                yield edit(scene, "extra factor", f"{what} {words.short(source)} is too much", part, written,
                            lambda k, v=values: v[k])  # fmt: skip
    if len(part.args) == 2 and part.ops == ("*",):
        for first, second in (part.args, part.args[::-1]):
            a, b = scene.pool.evaluate(first), scene.pool.evaluate(second)
            if a is None or b is None or not a[0].ndim or not b[0].ndim:
                continue
            written = f"({source_of(scene, first)} @ {source_of(scene, second)})"
            yield edit(scene, "sum", f"a sum is missing: {words.short(source_of(scene, part))} is elementwise, "
                        f"and {words.short(written)} is meant", part, written,
                        lambda k, a=a, b=b: safely(lambda: np.matmul(a[k], b[k])))  # fmt: skip
    elif "*" in part.ops:
        yield from _contracted(scene, part)


def _contracted(scene: Scene, part: fm.Product) -> Iterator[Candidate]:
    for i, op in enumerate(part.ops):
        if op == "*":
            a, b = part.args[i], part.args[i + 1]
            x, y = scene.pool.evaluate(a), scene.pool.evaluate(b)
            if x is None or y is None or x[0].ndim != 1 or y[0].ndim != 1 or x[0].shape != y[0].shape:
                continue
            pair = f"({source_of(scene, a)} @ {source_of(scene, b)})"
            written = scene.text[part.start : a.start] + pair + scene.text[b.end : part.end]
            joined = fm.Product((a, b), ("@",))
            args = (*part.args[:i], joined, *part.args[i + 2 :])
            tree = fm.Product(args, part.ops[:i] + part.ops[i + 1 :]) if len(args) > 1 else joined
            values = scene.pool.evaluate(tree)
            if values is not None:
                said = f"{source_of(scene, a)}*{source_of(scene, b)} is elementwise, and {pair} is meant"
                yield edit(scene, "sum", f"a sum is missing: {said}", part, written, lambda k, v=values: v[k])


def _dropped(scene: Scene, part: fm.Sum) -> Iterator[Candidate]:
    for i, arg in enumerate(part.args):
        keep = [(a, s) for j, (a, s) in enumerate(zip(part.args, part.signs, strict=True)) if j != i]
        values = [scene.pool.evaluate(a) for a, _ in keep]
        mine = scene.pool.evaluate(arg)
        if mine is None or any(v is None for v in values):
            continue
        source = source_of(scene, arg)
        text = " ".join(("+ " if s > 0 else "- ") + source_of(scene, a) for a, s in keep)
        text = text.removeprefix("+ ") if keep[0][1] > 0 else text

        def rest(k: int, values: Any = values, keep: Any = keep) -> Any:
            return sum(v[k] * s for v, (_, s) in zip(values, keep, strict=True))

        yield edit(scene, "extra term", f"the term {words.short(source)} is too much", part, f"({text})", rest)
        for c, said in ((-1.0, "-1"), (2.0, "2"), (0.5, "1/2")):
            kind, why = coefficient(scene, source, said)
            body = f"-{wrapped(source)}" if c < 0 else f"{said}*{wrapped(source)}" if c > 1 else f"{wrapped(source)}/2"
            yield edit(scene, kind, why, arg, f"({body})", lambda k, c=c, m=mine: c * m[k])
