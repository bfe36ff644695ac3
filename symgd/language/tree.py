"""What a formula is read into: frozen nodes, each with its place in the text.

Two trees are equal when they say the same, wherever they were typed. ``text[node.start:node.end]`` is the text of a
node, its parentheses included.
"""

from __future__ import annotations

from dataclasses import field, fields
from typing import TYPE_CHECKING, Any

from symgd.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Tree:
    """Any node.

    Parameters
    ----------
    start, end : int
        The node's place in the text, in characters.
    """

    start: int = field(default=0, kw_only=True, compare=False)
    end: int = field(default=0, kw_only=True, compare=False)


@dataclass(frozen=True, slots=True)
class Number(Tree):
    """A literal: exact while numerator and denominator stay below 2**53, a float beyond."""

    value: Fraction | float


@dataclass(frozen=True, slots=True)
class Name(Tree):
    """A variable or constant, its Greek letters spelt out."""

    name: str


@dataclass(frozen=True, slots=True)
class Unary(Tree):
    """``-arg``, ``+arg`` or ``not arg`` (also typed ``~arg``); `op` is ``"-"``, ``"+"`` or ``"not"``."""

    op: str
    arg: Tree


@dataclass(frozen=True, slots=True)
class Sum(Tree):
    """``a + b - c``, flat: `signs` holds +1 or -1 for each of `args`, +1 for the first."""

    args: tuple[Tree, ...]
    signs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Product(Tree):
    """``a*b/c@d``, flat, evaluated from left to right: `ops` stand between `args` and are ``* / @ % //``."""

    args: tuple[Tree, ...]
    ops: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Power(Tree):
    """``base**exponent``."""

    base: Tree
    exponent: Tree


@dataclass(frozen=True, slots=True)
class Compare(Tree):
    """``a < b <= c``: `ops` stand between `args` and are ``< <= > >= == !=``."""

    ops: tuple[str, ...]
    args: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Logical(Tree):
    """``a and b and c`` (also typed ``&``), or the same with ``or`` (``|``); `op` is ``"and"`` or ``"or"``."""

    op: str
    args: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Call(Tree):
    """``function(*args, **keywords)``: `function` is the name of the table's row, `typed` what stood in the text."""

    function: str
    args: tuple[Tree, ...]
    keywords: tuple[tuple[str, Tree], ...] = ()
    typed: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Attribute(Tree):
    """``value.name``, where `name` is ``T``, ``shape``, ``size`` or ``ndim``."""

    value: Tree
    name: str


@dataclass(frozen=True, slots=True)
class Index(Tree):
    """``value[items]``: each of `items` an expression, a `Slice`, an `Ellipsis_` or a `NewAxis`."""

    value: Tree
    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Slice(Tree):
    """``lower:upper:step`` inside an index; what was left out is ``None``."""

    lower: Tree | None = None
    upper: Tree | None = None
    step: Tree | None = None


@dataclass(frozen=True, slots=True)
class Ellipsis_(Tree):  # noqa: N801 - Ellipsis itself is a builtin
    """``...`` inside an index."""


@dataclass(frozen=True, slots=True)
class NewAxis(Tree):
    """``None`` inside an index (also typed ``newaxis``)."""


@dataclass(frozen=True, slots=True)
class Sequence(Tree):
    """``(a, b)`` or ``[a, b]`` as an argument of a call."""

    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Text(Tree):
    """The subscripts of ``einsum``, without their quotes."""

    value: str


@dataclass(frozen=True, slots=True)
class Bool(Tree):
    """``True`` or ``False`` as the value of a keyword argument."""

    value: bool


@dataclass(frozen=True, slots=True)
class Assignment:
    """One statement of an update rule, ``name = value``.

    Parameters
    ----------
    name : str
        What is assigned to, its Greek letters spelt out.
    value : Tree
        What is assigned; ``x -= d`` has the value ``x - d``.
    start, end : int
        The statement's place in the text, in characters.
    """

    name: str
    value: Tree
    start: int = field(default=0, kw_only=True, compare=False)
    end: int = field(default=0, kw_only=True, compare=False)


def children(tree: Tree) -> tuple[Tree, ...]:
    """Give the nodes right below a node, in the order of the text.

    Parameters
    ----------
    tree : Tree
        Any node.

    Returns
    -------
    tuple of Tree

    Examples
    --------
    >>> children(Power(Name("x"), Name("y")))
    (Name(start=0, end=0, name='x'), Name(start=0, end=0, name='y'))
    """
    match tree:
        case Sum(args) | Product(args) | Compare(_, args) | Logical(_, args):
            return args
        case Unary(_, arg):
            return (arg,)
        case Power(base, exponent):
            return (base, exponent)
        case Call(_, args, keywords):
            return (*args, *(value for _, value in keywords))
        case Attribute(value):
            return (value,)
        case Index(value, items):
            return (value, *items)
        case Slice(lower, upper, step):
            return tuple(part for part in (lower, upper, step) if part is not None)
        case Sequence(items):
            return items
        case _:
            return ()


def walk(tree: Tree) -> Iterator[Tree]:
    """Go through a tree without recursion, each node before those below it, in the order of the text.

    Parameters
    ----------
    tree : Tree
        Any node.

    Yields
    ------
    Tree

    Examples
    --------
    >>> [type(node).__name__ for node in walk(Power(Name("x"), Name("y")))]
    ['Power', 'Name', 'Name']
    """
    pending = [tree]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(reversed(children(node)))


def names(tree: Tree) -> dict[str, tuple[int, int]]:
    """Give the free names of a tree, each with the place of its first use, in the order of the text.

    Constants such as ``pi`` and ``e`` are names too; whether they are constants is for the caller to say.

    Parameters
    ----------
    tree : Tree
        Any node.

    Returns
    -------
    dict of str to (int, int)

    Examples
    --------
    >>> from symgd.language import parse
    >>> names(parse("a*x + x"))
    {'a': (0, 1), 'x': (2, 3)}
    """
    found: dict[str, tuple[int, int]] = {}
    for node in walk(tree):
        if isinstance(node, Name):
            found.setdefault(node.name, (node.start, node.end))
    return found


def moved(tree: Tree, by: int) -> Tree:
    """Give a tree as it stands in a text that has more before it.

    Parameters
    ----------
    tree : Tree
        Any node.
    by : int
        How many characters more.

    Returns
    -------
    Tree

    Examples
    --------
    >>> moved(Name("x", start=0, end=1), 4)
    Name(start=4, end=5, name='x')
    """
    done: dict[int, Tree] = {}

    def new(value: Any) -> Any:
        if isinstance(value, Tree):
            return done[id(value)]
        return tuple(new(part) for part in value) if isinstance(value, tuple) else value

    for node in reversed([*walk(tree)]):  # those below it first
        kept = {f.name: new(getattr(node, f.name)) for f in fields(node)}
        done[id(node)] = type(node)(**{**kept, "start": node.start + by, "end": node.end + by})
    return done[id(tree)]


def source(text: str, tree: Tree) -> str:
    """Give the piece of the text that a node was read from.

    Parameters
    ----------
    text : str
        The whole text.
    tree : Tree
        The node.

    Returns
    -------
    str

    Examples
    --------
    >>> from symgd.language import parse
    >>> source("2*(x + y)", parse("2*(x + y)").args[1])
    '(x + y)'
    """
    return text[tree.start : tree.end]
