"""Conditions under which textbook answers are right: how they are said, tested on data, drawn, and used in proofs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from symgd.errors import UsageError, shown
from symgd.records import dataclass

if TYPE_CHECKING:
    from symgd.checking.prove.algebra import Algebra
    from symgd.checking.prove.convert import Converter

Draw = Callable[[np.random.Generator, Any], Any]


@dataclass(frozen=True)
class Kind:
    """One kind of condition on one array.

    Parameters
    ----------
    said : str
        The sentence, with ``{0}`` for the array.
    ranks : tuple of int
        Numbers of axes that it makes sense for.
    holds : callable
        Whether an array fulfils it.
    drawn : callable
        An array of that kind, from a generator and an array of any.
    plain : bool
        Whether it is taken for granted where the shape alone is known: labels and weights are, symmetry is not.
    """

    said: str
    ranks: tuple[int, ...]
    holds: Callable[[Any], bool]
    drawn: Draw
    plain: bool = False
    square: bool = False


@dataclass(frozen=True)
class Condition:
    """A condition on an array by name."""

    kind: str
    name: str

    @property
    def said(self) -> str:
        """The condition in words."""
        return KINDS[self.kind].said.format(self.name)

    def __call__(self, algebra: Algebra, converter: Converter) -> None:
        """Make it known to a proof."""
        _teach(self, algebra, converter)


def _close(a: Any, b: Any) -> bool:
    return bool(np.allclose(np.asarray(a, dtype=float), b, rtol=0, atol=1e-9))


def _shares(rng: np.random.Generator, a: Any, axis: Any) -> Any:
    """Give positive hundredths that add up to 1, exactly in decimals."""
    a = np.asarray(a, dtype=float)
    moved = np.moveaxis(np.atleast_1d(a), axis, -1) if axis is not None else a.reshape(1, -1)
    flat = moved.reshape(-1, moved.shape[-1])
    out = np.empty(flat.shape)
    for row in out:
        cuts = rng.multinomial(1000 - len(row), np.ones(len(row)) / len(row)) + 1
        row[:] = cuts / 1000
    out = out.reshape(moved.shape)
    return np.moveaxis(out, -1, axis) if axis is not None else out.reshape(a.shape)


def _one_hot(rng: np.random.Generator, a: Any) -> Any:
    a = np.atleast_1d(np.asarray(a, dtype=float))
    return np.eye(a.shape[-1])[rng.integers(a.shape[-1], size=a.shape[:-1])]


def _symmetric(a: Any) -> bool:
    return a.ndim == 2 and a.shape[0] == a.shape[1] and _close(a, a.T)


def _symmetrised(_: Any, a: Any) -> Any:
    return (a + a.T) / 2  # which leaves their sum as it is


def _centred(_: Any, a: Any) -> Any:
    a = np.array(a, dtype=float)
    a[-1] = -np.round(a[:-1].sum(axis=0), 4)
    return a


KINDS: Mapping[str, Kind] = {
    "positive": Kind("{0} is positive", (0, 1, 2), lambda a: bool((a > 0).all()),
                     lambda _, a: np.abs(a) + 0.1, plain=True),
    "01": Kind("{0} is 0 or 1", (0, 1, 2), lambda a: bool(np.isin(a, (0, 1)).all()),
               lambda r, a: r.integers(2, size=np.shape(a)).astype(float), plain=True),
    "pm1": Kind("{0} is -1 or 1", (0, 1, 2), lambda a: bool(np.isin(a, (-1, 1)).all()),
                lambda r, a: 2.0 * r.integers(2, size=np.shape(a)) - 1, plain=True),
    "rows": Kind("each row of {0} sums to 1", (2, 3), lambda a: _close(a.sum(axis=-1), 1),
                 lambda r, a: _shares(r, a, -1), plain=True),
    "total": Kind("{0} sums to 1", (1, 2), lambda a: _close(a.sum(), 1), lambda r, a: _shares(r, a, None), plain=True),
    "columns": Kind("each column of {0} sums to 1", (2,), lambda a: _close(a.sum(axis=0), 1),
                    lambda r, a: _shares(r, a, 0), plain=True),
    "onehot": Kind("{0} is one-hot", (1, 2), lambda a: bool(np.isin(a, (0, 1)).all()) and _close(a.sum(axis=-1), 1),
                   _one_hot, plain=True),
    "symmetric": Kind("{0} is symmetric", (2,), _symmetric, _symmetrised, square=True),
    "centred": Kind("the columns of {0} are centred", (1, 2), lambda a: _close(a.sum(axis=0), 0), _centred),
}  # fmt: skip
_WORDS = (
    ("symmetric", r"({n}) (?:is|are) symmetric|symmetric ({n})|({n}) symmetric"),
    ("onehot", r"({n}) is one.?hot|one.?hot ({n})|({n}) one.?hot"),
    ("rows", r"(?:each row of|the rows of|rows of|each row in) ({n}) sums? to 1|sum\(({n}), axis=-?1\) == 1"),
    ("columns", r"(?:each column of|the columns of|columns of) ({n}) sums? to 1|sum\(({n}), axis=0\) == 1"),
    ("total", r"({n}) sums? to 1|sum\(({n})\) ==? 1"),
    ("01", r"({n}) is 0 or 1|({n}) in \{{0, ?1\}}|({n}) is (?:binary|a mask)"),
    ("pm1", r"({n}) is (?:-1 or 1|1 or -1|\+-1|\+/-1)|({n}) in \{{-1, ?\+?1\}}"),
    ("positive", r"({n}) is positive|({n}) > 0|positive ({n})|({n}) positive"),
    ("centred", (r"(?:the )?(?:columns|rows) of ({n}) are cent(?:re|ere)d|({n}) is cent(?:re|ere)d|"
                 r"mean\(({n}), axis=0\) == 0")),
)  # fmt: skip
_NAME = r"[A-Za-z_]\w*"


def parse(text: str, names: Any) -> list[Condition]:
    """Read conditions: ``"each row of T sums to 1"``, ``"A and B symmetric"``, ``"y in {0, 1}"``, ``"a > 0"``.

    Parameters
    ----------
    text : str
        One or more, parted by commas or semicolons.
    names : collection of str
        The arrays there are.

    Returns
    -------
    list of Condition

    Raises
    ------
    UsageError
        For what is no condition that is known.
    """
    if not isinstance(text, str):
        raise UsageError(f"where={shown(text)} must be text, such as 'each row of T sums to 1'")
    found: list[Condition] = []
    for part in re.split(r"[;,](?![^{(]*[})])", text):
        said = " ".join(part.split())
        if said:
            found += _one(said, names)
    return found


def _one(said: str, names: Any) -> list[Condition]:
    several = re.fullmatch(rf"({_NAME}(?: and {_NAME})+) ((?:is|are)?.*)", said)
    if several:
        rest = several[2].replace("are ", "is ", 1)
        return [c for name in several[1].split(" and ") for c in _one(f"{name} {rest}", names)]
    for kind, pattern in _WORDS:
        match = re.fullmatch(pattern.format(n=_NAME), said)
        name = next((g for g in match.groups() if g), "") if match else ""
        if name in names:
            return [Condition(kind, name)]
    listed = "; ".join(k.said.format("A") for k in KINDS.values())
    raise UsageError(f"where={shown(said)} is no condition that is known; they are: {listed}")


def holding(name: str, value: Any) -> Iterator[Condition]:
    """Give the conditions that data fulfil."""
    array = np.asarray(value, dtype=float)
    for key, kind in KINDS.items():
        if array.ndim in kind.ranks and array.size and np.isfinite(array).all() and kind.holds(array):
            yield Condition(key, name)


def possible(name: str, shape: tuple[int, ...], *, data: bool) -> Iterator[Condition]:
    """Give the conditions that make sense for an array of a shape."""
    for key, kind in KINDS.items():
        if len(shape) in kind.ranks and (not kind.square or len(set(shape)) == 1) and (data or key == "positive"):
            yield Condition(key, name)


# ---- in proofs -----------------------------------------------------------------------------------------------------


def _teach(condition: Condition, algebra: Algebra, converter: Converter) -> None:
    from symgd.checking.prove.relations import Relation
    from symgd.checking.prove.terms import ONE, ZERO, length

    name, said = condition.name, condition.said
    shape = converter.shape_of(name)
    if condition.kind == "symmetric":
        algebra.symmetric[name] = said
        return
    if condition.kind == "positive":
        algebra.positive.add(name)
        algebra.used[said] = None
        return
    labels = tuple(f"{n}:?{i}" for i, n in enumerate(shape))
    if any(length(b) == 1 for b in labels):
        return
    entry = algebra.atom("leaf", converter.kind_of(name), name, labels)

    def add(exponent: int, bound: tuple[str, ...], replacement: Any) -> None:
        free = tuple(b for b in labels if b not in bound)
        algebra.relations.append(Relation(((entry, exponent),), bound, free, replacement, said))

    if condition.kind in ("01", "onehot"):
        add(2, (), algebra._plain(entry, 1))  # noqa: SLF001
    if condition.kind == "pm1":
        add(2, (), ONE)
    sums = {"rows": labels[-1:], "onehot": labels[-1:], "columns": labels[:1], "total": labels, "centred": labels[:1]}
    if condition.kind in sums:
        add(1, sums[condition.kind], ZERO if condition.kind == "centred" else ONE)


__all__ = ["KINDS", "Condition", "Fraction", "holding", "parse", "possible"]
