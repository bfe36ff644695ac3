"""Terms that are missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from symgd import language as fm
from symgd.checking import words
from symgd.checking.edits.parts import parts
from symgd.checking.edits.pool import Candidate, Part, scaled, wrapped

if TYPE_CHECKING:
    from symgd.checking.causes import Scene


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
    for part in [*scene.pool.terms, *scene.pool.parts, *_turned(scene), *_squares(scene, shape)]:
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
    if _stands(scene, [-sign * v for v in values]):
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


def _squares(scene: Scene, shape: tuple[int, ...]) -> Iterator[Part]:
    """Give what second derivatives are made of: numbers and vectors on the diagonal, outer products of vectors."""
    if len(shape) != 2 or shape[0] != shape[1]:
        return
    n = shape[0]
    size = next((text for text, length in words.lengths(scene.judge.exact.reading) if length == n), str(n))
    eye = np.eye(n)
    for part in scene.pool.factors():
        t, f = wrapped(part.text), part.values
        if part.shape == ():
            yield Part(f"{t}*eye({size})", tuple(v * eye for v in f))
        elif part.shape == (n,):
            yield Part(f"diag({part.text})", tuple(v * eye for v in f))
            outer = [np.outer(v, v) for v in f]
            yield Part(f"outer({part.text}, {part.text})", tuple(outer))
            yield Part(f"outer({part.text}, {part.text})*(1 - eye({size}))", tuple(o * (1 - eye) for o in outer))
