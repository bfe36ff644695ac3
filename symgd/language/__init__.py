"""Text to tree: the language in which objectives, schedules and update rules are typed.

A formula is a NumPy expression, read by a tokenizer and a precedence-climbing parser of its own; nothing is evaluated,
imported or looked up outside the table of functions. Any text at all gives a tree or a `symgd.errors.FormulaError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from symgd.errors import FormulaError, UsageError, safe
from symgd.language import hints
from symgd.language.parser import Parser
from symgd.language.quoted import quoted, unquoted, written
from symgd.language.tokens import spell, tokenize
from symgd.language.tree import (
    Assignment,
    Attribute,
    Bool,
    Call,
    Compare,
    Ellipsis_,
    Index,
    Logical,
    Name,
    NewAxis,
    Number,
    Power,
    Product,
    Sequence,
    Slice,
    Sum,
    Text,
    Tree,
    Unary,
    children,
    names,
    source,
    walk,
)
from symgd.language.typed import Typed, joined

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "Assignment",
    "Attribute",
    "Bool",
    "Call",
    "Compare",
    "Ellipsis_",
    "Index",
    "Logical",
    "Name",
    "NewAxis",
    "Number",
    "Power",
    "Product",
    "Sequence",
    "Slice",
    "Sum",
    "Text",
    "Tree",
    "Typed",
    "Unary",
    "check_name",
    "children",
    "joined",
    "names",
    "parse",
    "parse_program",
    "quoted",
    "source",
    "unquoted",
    "walk",
    "written",
]


def parse(text: str, declared: Collection[str] = ()) -> Tree:
    """Read a formula.

    Parameters
    ----------
    text : str
        A NumPy expression; line breaks are spaces and ``#`` begins a comment.
    declared : collection of str
        Names known to be variables, even where a function has the same name; spelt as `check_name` gives them.

    Returns
    -------
    Tree
        The formula, its names and functions resolved, nothing computed.

    Raises
    ------
    FormulaError
        If the text is anything but a formula.

    Examples
    --------
    >>> parse("x**2 - 4*y").signs
    (1, -1)
    >>> parse("x + sinn(y)")
    Traceback (most recent call last):
    symgd.errors.FormulaError: unknown function 'sinn' at column 5
      x + sinn(y)
          ^^^^
    did you mean 'sin'?
    """
    text = _checked_text(text, "formula")
    return Parser(text, declared).formula()


def parse_program(text: str, declared: Collection[str] = ()) -> tuple[Assignment, ...]:
    """Read the statements of an update rule, such as ``v = beta*v - lr*g; x = x + v``.

    Statements are parted by ``;`` or line breaks; ``+= -= *= /=`` are written out.

    Parameters
    ----------
    text : str
        The statements.
    declared : collection of str
        Names known to be variables; those assigned to are so anyway.

    Returns
    -------
    tuple of Assignment
        At least one statement, in the order of the text.

    Raises
    ------
    FormulaError
        If the text is anything but such statements.

    Examples
    --------
    >>> [step.name for step in parse_program("v = beta*v - lr*g; x += v")]
    ['v', 'x']
    """
    text = _checked_text(text, "rule")
    return Parser(text, declared, statements=True).program()


def check_name(name: str) -> str:
    """Check the name of a parameter or of data as strictly as a formula's, and spell its Greek letters out.

    Parameters
    ----------
    name : str
        A name, with nothing around it.

    Returns
    -------
    str
        The name that a formula would have.

    Raises
    ------
    UsageError
        If it is not text.
    FormulaError
        If no formula could use it.

    Examples
    --------
    >>> check_name("x_1"), check_name("λ")
    ('x_1', 'lambda_')
    """
    if not isinstance(name, str):
        raise UsageError(f"a name must be text (str); got {safe(name)} of type {type(name).__name__}")
    name = str.__str__(name)
    tokens = tokenize(name)
    first = tokens[0]
    if first.kind == "name" and first.text == name:
        return spell(name, first)
    raise hints.not_a_name(name, tokens)


def _checked_text(text: str, what: str) -> str:
    if not isinstance(text, str):
        problem = f"a {what} must be text (str); got {safe(text)} of type {type(text).__name__}"
        raise FormulaError(problem, safe(text), 0, 0)
    # A subclass may answer every question about itself differently the second time.
    return str.__str__(text)
