"""Formulas of the language, with data and a point inside their domain.

A piece of a formula is drawn together with its value at the point. So a function is applied only where it is defined
there, away from its kinks, and what is drawn needs no guards: ``log(x)`` where x is positive, ``x/y`` where y is not 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from numpy.typing import NDArray

from symgd.errors import UsageError, shown
from symgd.testing.classes.known import Lazy, number
from symgd.testing.strategies.draws import draw_whole

Array = NDArray[np.float64]
ROWS, WIDTH = 4, 3  # rows of the data, and the length of the array parameter
MOST = 1e6  # values beyond it leave squares and exponentials of them no room
APART = 0.05  # distance from kinks and from where domains end


class Written(Lazy):
    """A formula with its data, and a point at which it and its gradient are finite.

    Parameters
    ----------
    text : str
        The formula.
    data : mapping of str to array
        Its data.
    shapes : mapping of str to tuple of int
        Its parameters, in order, with their shapes.
    point : mapping of str to float or array
        A point inside its domain.
    expected : float
        The value there, by NumPy.
    """

    def __init__(
        self, text: str, data: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]], point: Mapping[str, Any],
        expected: float,
    ) -> None:  # fmt: skip
        self.written, self.given, self.sizes = text, dict(data), dict(shapes)
        self.point, self.expected = dict(point), expected
        self.made = True

    def _parts(self) -> tuple[str, Mapping[str, Any] | None, dict[str, tuple[int, ...]]]:
        return self.written, self.given or None, self.sizes


class Piece(NamedTuple):
    """A part of a formula and its value; ``bare`` where it needs no brackets as an operand."""

    text: str
    value: Array
    bare: bool = False

    @property
    def operand(self) -> str:
        """The text as an operand of a product or a power."""
        return self.text if self.bare else f"({self.text})"


def _everywhere(_: Array) -> bool:
    return True


def _positive(v: Array) -> bool:
    return bool((v > APART).all())


def _nonzero(v: Array) -> bool:
    return bool((np.abs(v) > APART).all())


def _below(most: float) -> Callable[[Array], bool]:
    return lambda v: bool((np.abs(v) < most).all())


def _sigmoid(v: Array) -> Array:
    return 1 / (1 + np.exp(-v))


def _special(name: str) -> Callable[[Array], Array]:
    """Give a function of SciPy's, loaded when it is drawn."""

    def function(v: Array) -> Array:
        from scipy import special

        found: Array = getattr(special, name)(v)
        return found

    return function


# Spelling, meaning, where it may be applied. Among them are spellings that lose digits or overflow where they stand.
_ONE: tuple[tuple[str, Callable[[Array], Array], Callable[[Array], bool]], ...] = (
    ("sin({})", np.sin, _everywhere), ("cos({})", np.cos, _everywhere), ("tanh({})", np.tanh, _everywhere),
    ("exp({})", np.exp, _below(12)), ("log({})", np.log, _positive), ("sqrt({})", np.sqrt, _positive),
    ("square({})", np.square, _everywhere), ("({})**2", np.square, _everywhere), ("abs({})", np.abs, _nonzero),
    ("({})**3", lambda v: v**3, _everywhere), ("arctan({})", np.arctan, _everywhere),
    ("sigmoid({})", _sigmoid, _below(300)), ("softplus({})", lambda v: np.logaddexp(0, v), _everywhere),
    ("log1p({})", np.log1p, lambda v: bool((v > -0.9).all())), ("arcsin({})", np.arcsin, _below(0.95)),
    ("arccos({})", np.arccos, _below(0.95)), ("arctanh({})", np.arctanh, _below(0.95)),
    ("sinh({})", np.sinh, _below(12)), ("cosh({})", np.cosh, _below(12)), ("expm1({})", np.expm1, _below(12)),
    ("arcsinh({})", np.arcsinh, _everywhere), ("cbrt({})", np.cbrt, _nonzero),
    ("relu({})", lambda v: np.maximum(v, 0), _nonzero),
    ("logcosh({})", lambda v: np.logaddexp(v, -v) - math.log(2), _everywhere), ("log2({})", np.log2, _positive),
    ("tan({})", np.tan, _below(1.4)), ("negative({})", np.negative, _everywhere),
    ("sech({})", lambda v: 1 / np.cosh(v), _below(12)), ("reciprocal({})", np.reciprocal, _nonzero),
    ("erf({})", _special("erf"), _everywhere), ("erfc({})", _special("erfc"), _below(5)),
    ("lgamma({})", _special("gammaln"), _positive), ("digamma({})", _special("psi"), _positive),
    ("gamma({})", _special("gamma"), lambda v: _positive(v) and _below(12)(v)),
    ("log10({})", np.log10, _positive), ("logit({})", _special("logit"), lambda v: _positive(v) and _below(0.95)(v)),
    ("log(1 + exp({}))", lambda v: np.logaddexp(0, v), _below(300)),
    ("1/(1 + exp(-({})))", _sigmoid, _below(300)), ("(1 - cos({}))", lambda v: 2 * np.sin(v / 2) ** 2, _everywhere),
    ("clip({}, -0.7, 1.3)", lambda v: np.clip(v, -0.7, 1.3), lambda v: _nonzero(v + 0.7) and _nonzero(v - 1.3)),
)  # fmt: skip
_TWO: tuple[tuple[str, Callable[[Array, Array], Array], Callable[[Array, Array], bool]], ...] = (
    ("{a.text} + {b.text}", np.add, lambda a, b: True),  # noqa: ARG005
    ("{a.text} - {b.operand}", np.subtract, lambda a, b: True),  # noqa: ARG005
    ("{a.operand}*{b.operand}", np.multiply, lambda a, b: True),  # noqa: ARG005
    ("{a.operand}/{b.operand}", np.divide, lambda a, b: _nonzero(b)),  # noqa: ARG005
    ("{a.operand}**{b.operand}", np.power, lambda a, b: _positive(a) and _below(4)(b) and _below(50)(a)),
    ("maximum({a.text}, {b.text})", np.maximum, lambda a, b: _nonzero(a - b)),
    ("minimum({a.text}, {b.text})", np.minimum, lambda a, b: _nonzero(a - b)),
    ("hypot({a.text}, {b.text})", np.hypot, lambda a, b: _nonzero(a) or _nonzero(b)),
    ("logaddexp({a.text}, {b.text})", np.logaddexp, lambda a, b: True),  # noqa: ARG005
    ("arctan2({a.text}, {b.text})", np.arctan2, lambda a, b: _nonzero(b)),  # noqa: ARG005
    ("where({a.text} > {b.text}, {a.text}, {b.operand}**2)", lambda a, b: np.where(a > b, a, b * b),
     lambda a, b: _nonzero(a - b)),
    ("log(exp({a.text}) + exp({b.text}))", np.logaddexp, lambda a, b: _below(300)(a) and _below(300)(b)),
    ("exp({a.text})/(exp({a.text}) + exp({b.text}))", lambda a, b: _sigmoid(a - b),
     lambda a, b: _below(300)(a) and _below(300)(b)),
    ("sqrt({a.operand}**2 + {b.operand}**2)", np.hypot, lambda a, b: _nonzero(a) or _nonzero(b)),
)  # fmt: skip
_FOLDS: tuple[tuple[str, Callable[[Array], Any], Callable[[Array], bool]], ...] = (
    ("sum({})", np.sum, _everywhere), ("mean({})", np.mean, _everywhere),
    ("max({})", np.max, lambda v: _nonzero(np.diff(np.sort(v))[-1:])),
    ("min({})", np.min, lambda v: _nonzero(np.diff(np.sort(v))[:1])),
    ("logsumexp({})", np.logaddexp.reduce, _everywhere),
    ("norm({})", lambda v: np.sqrt(np.sum(v * v)), lambda v: bool((np.abs(v) > APART).any())),
    ("var({})", np.var, _everywhere), ("std({})", np.std, lambda v: bool(np.std(v) > APART)),
    ("sum(({})**2)", lambda v: np.sum(v * v), _everywhere),
)  # fmt: skip

_OP = st.integers(0, 9)
_WHICH_ONE, _WHICH_TWO, _WHICH_FOLD = (st.sampled_from(table) for table in (_ONE, _TWO, _FOLDS))
_CONSTANT = st.sampled_from([1.0, 2.0, 3.0, 0.5, 0.1, 1.5, 7.0, 100.0])


class _Grammar:
    """Draws pieces, from leaves of three kinds: numbers, columns, and the array parameter."""

    def __init__(self, draw: DrawFn, leaves: Mapping[str, Sequence[Piece]], *, inside: bool) -> None:
        self.draw, self.leaves, self.inside = draw, leaves, inside

    def leaf(self, kind: str) -> Piece:
        names = self.leaves[kind]
        chosen = self.draw(st.integers(0, len(names)))
        if chosen < len(names):
            return names[chosen]
        value = self.draw(_CONSTANT)
        text = number(value)
        return Piece(text, np.array(value), bare=True) if kind == "number" else names[0]

    def piece(self, kind: str, size: int) -> Piece:
        """Draw a piece of a kind, made of up to so many operations."""
        op = self.draw(_OP) if size > 0 else 0
        if op < (1 if size > 2 else 2):
            return self.leaf(kind)
        if op < 5:
            spelling, function, inside = self.draw(_WHICH_ONE)
            a = self.piece(kind, size - 1)
            bare = "/(" not in spelling and "**" not in spelling
            return self._kept(spelling.format(a.text), lambda: function(a.value), inside(a.value), a, bare=bare)
        if op == 9 and kind == "number" and len(self.leaves) > 1:
            return self._folded(size)
        spelling, both, allowed = self.draw(_WHICH_TWO)
        half = (size - 1) // 2
        a, b = self.piece(kind, size - 1 - half), self.piece(self._partner(kind), half)
        bare = spelling[0] != "{" and ")/(" not in spelling
        return self._kept(spelling.format(a=a, b=b), lambda: both(a.value, b.value), allowed(a.value, b.value), a,
                          bare=bare)  # fmt: skip

    def _partner(self, kind: str) -> str:
        """Draw the kind of the other operand: a number goes with anything."""
        return kind if kind == "number" or self.draw(_OP) else "number"

    def _folded(self, size: int) -> Piece:
        kinds = [kind for kind in self.leaves if kind != "number"]
        spelling, function, inside = self.draw(_WHICH_FOLD)
        a = self.piece(kinds[self.draw(_OP) % len(kinds)], size - 1)
        return self._kept(spelling.format(a.text), lambda: function(a.value), inside(a.value), None, bare=True)

    def folded(self, size: int) -> Piece:
        """Draw a number that is made of arrays."""
        found = self._folded(size)
        return found if found.text else Piece("0", np.array(0.0), bare=True)

    def _kept(
        self, text: str, value: Callable[[], Any], inside: bool, otherwise: Piece | None, *, bare: bool  # noqa: FBT001
    ) -> Piece:  # fmt: skip
        """Give a piece, or what it was made of where it is not defined or too large."""
        if inside or not self.inside:
            found = np.asarray(value(), dtype=float)
            if not self.inside or (np.isfinite(found).all() and (np.abs(found) < MOST).all()):
                return Piece(text, found, bare)
        return otherwise if otherwise is not None else self.leaf("number")


def formulas(
    kinds: Sequence[str] = ("numbers", "rows", "arrays"), *, size: int = 8, inside: bool = True
) -> SearchStrategy[Written]:
    """Draw well-formed formulas, with data and a point inside their domain.

    Parameters
    ----------
    kinds : sequence of str
        ``"numbers"``: formulas in numbers alone; ``"rows"``: with columns of data; ``"arrays"``: with a table of data
        and an array parameter as well.
    size : int
        How many operations at most, from 1 to 100.
    inside : bool
        Whether the point must lie inside the domain; otherwise functions are applied to anything.

    Returns
    -------
    SearchStrategy of Objective
        Each with ``point``, at which it and its gradient are finite, and ``expected``, its value there by NumPy.

    Raises
    ------
    UsageError
        For a kind that does not exist, or a size out of bounds.

    Examples
    --------
    >>> from hypothesis import given, settings
    >>> @settings(deadline=None)
    ... @given(formulas())
    ... def test_values_are_those_of_numpy(f):
    ...     assert abs(f.value(f.point) - f.expected) <= 1e-9 * (1 + abs(f.expected))
    >>> test_values_are_those_of_numpy()
    """
    known = ("numbers", "rows", "arrays")
    if not kinds or any(kind not in known for kind in kinds):
        raise UsageError(f"kinds={shown(kinds)} must be some of {', '.join(known)}")
    if not isinstance(size, int) or not 1 <= size <= 100:
        raise UsageError(f"size={shown(size)} must be a whole number from 1 to 100")
    which, sizes = st.sampled_from(list(kinds)), st.integers(1, size)

    @st.composite
    def draws(draw: DrawFn) -> Written:
        kind, count = draw(which), draw(sizes)
        values = draw_whole(draw, 3 + 2 * ROWS + ROWS * WIDTH + WIDTH, -20, 20) / 10 + 0.05
        numbers = dict(zip(("x", "y", "z"), values[:3], strict=True))
        leaves = {"number": [Piece(name, np.array(v), bare=True) for name, v in numbers.items()]}
        data: dict[str, Array] = {}
        if kind != "numbers":
            data = {"u": values[3 : 3 + ROWS], "v": values[3 + ROWS : 3 + 2 * ROWS]}
            leaves["column"] = [Piece(name, v, bare=True) for name, v in data.items()]
        point: dict[str, Any] = {name: float(v) for name, v in numbers.items()}
        if kind == "arrays":
            X, w = values[3 + 2 * ROWS : -WIDTH].reshape(ROWS, WIDTH), values[-WIDTH:]
            data["X"], point["w"] = X, w
            leaves["column"].append(Piece("X @ w", X @ w))
            leaves["vector"] = [Piece("w", w, bare=True)]
        grammar = _Grammar(draw, leaves, inside=inside)
        with np.errstate(all="ignore"):
            plain = kind == "numbers" or draw(_OP) > 6
            found = grammar.piece("number", count) if plain else grammar.folded(count)
        return _written(found, data, point)

    return draws()


def _written(found: Piece, data: Mapping[str, Array], point: Mapping[str, Any]) -> Written:
    """Give the formula with what it reads of the data and the parameters; one at least."""
    from symgd import language as fm

    text = found.text
    used = fm.names(fm.parse(text))
    if not any(name in used for name in point):
        text, used = f"{text} + x", {**used, "x": (0, 0)}
        found = Piece(text, found.value + point["x"])
    shapes = {name: np.shape(point[name]) for name in used if name in point}
    return Written(text, {k: v for k, v in data.items() if k in used}, shapes, {k: point[k] for k in shapes},
                   float(found.value))  # fmt: skip
