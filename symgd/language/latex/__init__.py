"""LaTeX to formulas: what people write on paper, read without a guess.

What has two readings among authors is refused with a question that names both, and what is not understood is an error
with a caret: nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from symgd.errors import FormulaError, UsageError, safe
from symgd.language.latex import tree as lt
from symgd.language.latex.meaning import Meaning
from symgd.language.latex.parser import Parser
from symgd.records import dataclass

__all__ = ["Reading", "axes_of", "free_names", "read_latex", "read_target"]

Target = tuple[str, tuple[str, ...]]  # a name, and its indices


@dataclass(frozen=True)
class Reading:
    r"""What LaTeX was read as.

    Parameters
    ----------
    formula : str
        The same in symgd's own language.
    target : str
        The parameter on the left of ``=``, as in ``\nabla_w L =``; empty where none is named.
    indices : tuple of str
        The indices that the formula leaves open, in the order of its axes.
    lengths : mapping of str to str
        Letters that stand for lengths, such as the ends of its sums, and formulas for them.
    """

    formula: str
    target: str = ""
    indices: tuple[str, ...] = ()
    lengths: Mapping[str, str] = field(default_factory=dict)


def read_latex(
    text: str, shapes: Mapping[str, Sequence[object] | int | None], *, indices: Sequence[str] = (),
    lengths: Mapping[str, str] | None = None,
) -> Reading:  # fmt: skip
    r"""Read a formula in LaTeX.

    Parameters
    ----------
    text : str
        The LaTeX, with or without dollar signs and a left side.
    shapes : mapping of str to sequence, or ``None``
        The names that are declared, data and parameters alike, with the lengths of their axes: numbers, or names such
        as ``"n"``, which the formula may then use. A number where only that of the axes is known, and ``None`` where
        not even that is: its use says what it is.
    indices : sequence of str
        Indices that may stay open, in the order of the axes of the result, as ``j`` in ``\sum_i r_i x_{ij}``. By
        default those of the left side.
    lengths : mapping of str to str, optional
        What more letters stand for: the ``lengths`` of another reading in the same names.

    Returns
    -------
    Reading

    Raises
    ------
    FormulaError
        For LaTeX that is not understood, or that has two readings.

    Examples
    --------
    >>> read_latex(
    ...     r"\frac{1}{n} \sum_{i=1}^n (y_i - (w x_i + b))^2", {"x": ("n",), "y": ("n",), "w": (), "b": ()}
    ... ).formula
    '1/len(x)*sum((y - (w*x + b))**2)'
    >>> read_latex(r"\|X w - y\|_2^2", {"X": ("n", "k"), "y": ("n",), "w": None}).formula
    'sum((X @ w - y)**2)'
    """
    if not isinstance(text, str):
        raise UsageError(f"LaTeX must be text; got {safe(repr(text))}")
    known = _known(shapes)
    left, tree = Parser(text, _names(shapes)).formula()
    targets = [_target(one) for one in left]
    target, own = targets[0] if len(targets) == 1 else ("", tuple(i for _, letters in targets for i in letters))
    ranks = _ranks(tree, {name for name, shape in shapes.items() if shape is None}, known)
    ranks |= {name: shape for name, shape in shapes.items() if isinstance(shape, int)}
    meaning = Meaning(text, known, ranks)
    meaning.lengths.update(lengths or {})
    _name_lengths(meaning, tree)
    for letter in tuple(indices) or own:
        meaning.scope.append(letter)
        meaning.open[letter] = meaning._range(lt.Big("sum", (), None, None, tree, start=0, end=0))  # noqa: SLF001
    found = meaning.value(tree)
    if found.ones:
        raise FormulaError("a vector of ones alone has no length", text, tree.start, tree.end)
    return Reading(found.text, target, found.indices, dict(meaning.lengths))


def free_names(text: str, shapes: Mapping[str, Sequence[object] | int | None]) -> tuple[str, ...]:
    r"""Give the names of a formula that nobody declared and that can only be numbers, in the order of the text.

    Left out is what may be meant otherwise: indices and what has some, letters that lengths go by, and names that are
    declared in the other case, as ``x`` beside ``X``.

    Parameters
    ----------
    text : str
        The LaTeX.
    shapes : mapping of str to sequence, int or ``None``
        The names that are declared, as for `read_latex`.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> free_names(r"\sum_i (y_i - (w x_i + b))^2", {"x": ("n",), "y": ("n",), "w": ()})
    ('b',)
    """
    _, tree = Parser(text, _names(shapes)).formula()
    parts = list(lt.walk(tree))
    taken = {name.lower() for name in _names(shapes)} | {"e", "pi", "inf", "1", *"nmkt"}
    for part in parts:
        if isinstance(part, lt.Subscript):
            taken |= {part.base.name.lower()}
            taken |= {p.name.lower() for index in part.indices for p in lt.walk(index) if isinstance(p, lt.Name)}
        elif isinstance(part, lt.Big):
            ends = [p for end in (part.lower, part.upper) if end is not None for p in lt.walk(end)]
            taken |= {p.name.lower() for p in (*part.indices, *ends) if isinstance(p, lt.Name)}
    found = [p for p in parts if isinstance(p, lt.Name) and not p.bold and p.name.lower() not in taken]
    names = ("lambda_" if p.name == "lambda" else p.name for p in sorted(found, key=lambda p: p.start))
    return tuple(dict.fromkeys(names))


def read_target(
    text: str, shapes: Mapping[str, Sequence[object] | int | None], *, own: bool = False
) -> tuple[Target, ...]:
    r"""Say what a formula is the derivative by: what stands on the left of ``=``.

    Parameters
    ----------
    text : str
        The LaTeX.
    shapes : mapping of str to sequence, int or ``None``
        The names that are declared, as for `read_latex`.
    own : bool
        Whether the name on the left itself is asked for, as in ``f_i =``.

    Returns
    -------
    tuple of (str, tuple of str)
        Names with their indices; of second derivatives two, and none where there is no such left side.

    Examples
    --------
    >>> read_target(r"\frac{\partial L}{\partial w_j} = w_j", {"w": ("k",)})
    (('w', ('j',)),)
    """
    parser = Parser(text, _names(shapes))
    if own:
        found = parser.own()
        return () if found is None else (_target(found),)
    return tuple(map(_target, parser.formula()[0]))


def axes_of(texts: Iterable[str], shapes: Mapping[str, Sequence[object] | None]) -> dict[str, int]:
    r"""Say how many axes names have, by how formulas use them.

    Parameters
    ----------
    texts : iterable of str
        Formulas in LaTeX about the same names.
    shapes : mapping of str to sequence or ``None``
        The names that are declared; those without a shape are asked for.

    Returns
    -------
    dict of str to int

    Examples
    --------
    >>> axes_of([r"\|w\|_2^2", r"2w"], {"w": None})
    {'w': 1}
    """
    known, names = _known(shapes), {name for name, shape in shapes.items() if shape is None}
    found = dict.fromkeys(names, 0)
    for text in texts:
        for name, axes in _ranks(Parser(text, _names(shapes)).formula()[1], names, known).items():
            found[name] = max(found[name], axes)
    return found


def _known(shapes: Mapping[str, Sequence[object] | int | None]) -> dict[str, tuple[object, ...]]:
    return {name: tuple(shape) for name, shape in shapes.items() if shape is not None and not isinstance(shape, int)}


def _names(shapes: Mapping[str, Sequence[object] | int | None]) -> frozenset[str]:
    """Give the names that a formula may use: what is declared, and lengths."""
    lengths = frozenset(str(n) for shape in _known(shapes).values() for n in shape if isinstance(n, str))
    return frozenset(shapes) | lengths


def _target(left: lt.Tree) -> Target:
    if isinstance(left, lt.Subscript):
        return left.base.name, tuple(i.name for i in left.indices if isinstance(i, lt.Name))
    return (left.name, ()) if isinstance(left, lt.Name) else ("", ())


def _ranks(tree: lt.Tree, names: set[str], known: Mapping[str, tuple[object, ...]]) -> dict[str, int]:
    """Say how many axes names have whose shapes are not known, by how they are used."""
    found = dict.fromkeys(names, 0)
    for part in lt.walk(tree):
        if isinstance(part, lt.Subscript) and part.base.name in found:
            letters = [i for i in part.indices if not isinstance(i, lt.Number)]
            found[part.base.name] = max(found[part.base.name], len(letters))
        if isinstance(part, lt.Name) and part.bold and part.name in found:
            found[part.name] = max(found[part.name], 2 if part.name[0].isupper() else 1)
        if isinstance(part, lt.Transpose) and isinstance(part.base, lt.Name) and part.base.name in found:
            found[part.base.name] = max(found[part.base.name], 2 if part.base.name[0].isupper() else 1)
        if isinstance(part, lt.Norm) and isinstance(part.arg, lt.Name) and part.arg.name in found:
            found[part.arg.name] = max(found[part.arg.name], 2 if part.which == "F" else 1)
    matrices = {name for name, shape in known.items() if len(shape) == 2} | {n for n, r in found.items() if r == 2}
    for part in lt.walk(tree):
        if isinstance(part, lt.Product):
            for a, b, op in zip(part.factors, part.factors[1:], part.ops, strict=False):
                base = a.base if isinstance(a, lt.Transpose) else a
                applied = op == "" and isinstance(base, lt.Name) and base.name in matrices
                if applied and isinstance(b, lt.Name) and b.name in found:  # X w: w is a vector
                    found[b.name] = max(found[b.name], 1)
    return found


def _name_lengths(meaning: Meaning, tree: lt.Tree) -> None:
    """Give the lengths that have names: those of declared shapes, and the ends of sums."""
    for name, shape in meaning.shapes.items():
        for axis, length in enumerate(shape):
            if isinstance(length, str) and length not in meaning.shapes and length not in meaning.lengths:
                meaning.lengths[length] = f"len({name})" if axis == 0 else f"{name}.shape[{axis}]"
    for part in lt.walk(tree):
        if isinstance(part, lt.Big) and part.upper is not None:
            letter = next((p.name for p in lt.walk(part.upper) if isinstance(p, lt.Name)), "")
            if not letter:
                continue
            own = _runs_over(meaning, part)
            if own is None:
                continue
            name, axis, length = own
            declared = meaning.lengths.get(letter)
            if isinstance(length, str) and declared not in (None, meaning.lengths.get(length)):
                problem = f"the sum runs to {letter}, and axis {axis} of {name} has the length {length}"
                meaning.fail(problem, part.upper)
            if declared is None and meaning.rank_of(letter) is None:
                meaning.lengths[letter] = f"len({name})" if axis == 0 else f"{name}.shape[{axis}]"


def _runs_over(meaning: Meaning, part: lt.Big) -> tuple[str, int, object] | None:
    """Give an array, its axis and its length that a sum runs over."""
    letters = {name.name for name in part.indices}
    for inner in lt.walk(part.body):
        if isinstance(inner, lt.Subscript):
            name = inner.base.name
            name = name if meaning.rank_of(name) is not None else name.upper()
            for axis, index in enumerate(inner.indices):
                used = {p.name for p in lt.walk(index) if isinstance(p, lt.Name)}
                if used & letters and (meaning.rank_of(name) or 0) > axis:
                    shape = meaning.shapes.get(name, ())
                    return name, axis, shape[axis] if axis < len(shape) else None
    return None
