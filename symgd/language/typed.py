"""Texts that have been read, and what is put together from them: text and tree at once, so that each is read once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Self

from symgd.language.tree import Tree, moved


class Typed(str):
    """A text with what was read from it.

    Parameters
    ----------
    text : str
        The text.
    tree : Tree
        Its tree, with places in this text.
    """

    __slots__ = ("tree",)
    tree: Tree

    def __new__(cls, text: str, tree: Tree) -> Self:
        """Keep the tree beside the text."""
        made = super().__new__(cls, str.__str__(text))
        made.tree = tree
        return made

    def enclosed(self) -> Typed:
        """Give the text in brackets, where it needs them; a comment at its end must not reach the closing one."""
        if self.isidentifier():
            return self
        end = "\n)" if "#" in self else ")"
        return joined(lambda tree: tree, "(", self, end)


def joined(make: Callable[..., Tree], *parts: str) -> Typed:
    """Put texts together.

    Parameters
    ----------
    make : callable
        Gives the tree, from those of the parts that have one.
    *parts : str
        The pieces of the text, `Typed` ones among them.

    Returns
    -------
    Typed

    Examples
    --------
    >>> from symgd.language import Product, parse
    >>> a, b = (Typed(text, parse(text)) for text in ("a", "b[0]"))
    >>> both = joined(lambda x, y: Product((x, y), ("*",)), a, "*", b)
    >>> both, both.tree == parse(both)
    ('a*b[0]', True)
    """
    trees, text = [], ""
    for part in parts:
        if isinstance(part, Typed):
            trees.append(moved(part.tree, len(text)))
        text += part
    return Typed(text, replace(make(*trees), start=0, end=len(text)))
