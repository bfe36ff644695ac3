"""Repairs of a whole formula: constants, terms, masks, factors, axes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from symgd import language as fm
from symgd.checking import words
from symgd.checking.edits.parts import exponents
from symgd.checking.edits.pool import Candidate, Part, coefficient, editable, safely, scaled, source_of, wrapped

if TYPE_CHECKING:
    from symgd.checking.causes import Scene


def as_it_is(scene: Scene) -> Iterator[Candidate]:
    """Off by a constant, or by the sign."""
    yield Candidate("as it is", "", scene.text, lambda k: safely(lambda: scene.values[k].of(scene.tree)))


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
        source = source_of(scene, arg)
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
        kind, why = coefficient(scene, source, written)
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
    for part in editable(scene):
        if isinstance(part, fm.Power):
            yield from exponents(scene, part)


def _broadcast_factors(scene: Scene, mine: Any) -> Iterator[Candidate]:
    """A number for an array: a factor with axes is missing."""
    shape = scene.exact[0].shape
    for part in scene.pool.factors():
        if part.shape == shape:
            yield Candidate("chain-rule factor", f"the factor {words.short(part.text)} is missing",
                            f"({scene.text})*{wrapped(part.text)}",
                            lambda k, p=part: safely(lambda: mine[k] * p.values[k]))  # type: ignore[misc]  # fmt: skip


def _other_axes(scene: Scene, mine: Any) -> Iterator[Candidate]:
    text = scene.text
    for axis in range(mine[0].ndim):
        yield Candidate("axis", f"a sum over axis {axis} is missing", f"sum({text}, axis={axis})",
                        lambda k, a=axis: mine[k].sum(axis=a))  # type: ignore[misc]  # fmt: skip
    if mine[0].ndim:
        yield Candidate("sum", "a sum is missing", f"sum({text})", lambda k: mine[k].sum())
