"""Derivatives as users hold them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from symgd.errors import UnknownNameError
from symgd.graph import ROWS, Graph, Leaf, Node, Span, reachable
from symgd.graph.arrays import ONE
from symgd.views.formulas import letters, symbol, to_element, to_latex, to_sympy
from symgd.views.leaves import is_whole, subscript
from symgd.views.pieces import ADD, shape_text, trimmed
from symgd.views.text import Writer, to_text
from symgd.views.tidy import tidied

if TYPE_CHECKING:
    from sympy import Expr, Symbol

    from symgd.graph.calculus import Vector


class Partial:
    """The derivative by one array of parameters; it is shown as NumPy text.

    Parameters
    ----------
    graph : Graph
        Where the nodes were made.
    name : str
        The parameter.
    shape : tuple of int
        Its shape.
    entries : sequence of (Leaf, Node)
        What is added to which elements.
    written : int
        The number of the last node of the formula itself.
    """

    _letter = "g"  # what statements leave the derivative in

    def __init__(
        self, graph: Graph, name: str, shape: tuple[int, ...], entries: Sequence[tuple[Leaf, Node]], written: int = -1
    ) -> None:
        self.name, self.shape = name, shape
        self._graph = graph
        self._entries = _joined(graph, entries, shape)
        self._written = written

    @cached_property
    def text(self) -> str:
        """The derivative in the language of formulas: an expression of the parameter's shape.

        Where slices or gathered elements of the parameter are differentiated it is statements, one a line, after which
        ``g`` holds the derivative (or ``g_`` and the parameter's name where something is called ``g``).
        """
        return self._text(numpy=False)

    def numpy(self) -> str:
        """Give the same text with NumPy's own names: see `Gradient.numpy`."""
        return self._text(numpy=True)

    def _text(self, *, numpy: bool) -> str:
        graph, shape = self._graph, self.shape
        if not self._entries:
            return f"zeros({shape_text(shape)})"
        nodes = tidied(graph, (node for _, node in self._entries), self._written)
        entries = [(leaf, node) for (leaf, _), node in zip(self._entries, nodes, strict=True)]
        (leaf, node), *more = entries
        if not more and is_whole(graph, leaf, shape):
            return to_text(node, graph=graph, axes=_axes(leaf), tidy=True, numpy=numpy)
        roots = [n for leaf, node in entries for n in (node, *(i for i in leaf.index if isinstance(i, Node)))]
        taken = {part.name for part in graph.store if isinstance(part, Leaf)}
        target = self._letter if self._letter not in taken else f"{self._letter}_{self.name.replace(', ', '_')}"
        writer = Writer(graph, roots, tidy=True, numpy=numpy)
        writer.sizes.setdefault(self.name, shape)
        lines = [f"{target} = zeros({shape_text(shape)})"]
        for leaf, node in entries:
            lines.append(_statement(writer, target, leaf, node, whole=is_whole(graph, leaf, shape)))
        return "\n".join(lines)

    @cached_property
    def indices(self) -> tuple[Symbol, ...]:
        """The indices of the element that ``sympy`` gives, counted from 1."""
        parts = [part for entry in self._entries for part in reachable(entry)]
        rows = any(ROWS in part.labels for part in parts)
        leaf = self._entries[0][0] if self._entries else None
        labels = [i.label if isinstance(i, Span) else None for i in leaf.index] if leaf else [None] * len(self.shape)
        return tuple(letters(rows, labels))

    @cached_property
    def sympy(self) -> Expr:
        """One element of the derivative, as a function of ``indices``."""
        import sympy

        entries = (to_element(leaf, node, self._graph, self.indices, self.shape) for leaf, node in self._entries)
        return sympy.Add(*entries)

    @property
    def by(self) -> Expr:
        """The element of the parameter that ``sympy`` is the derivative by."""
        import sympy

        return sympy.IndexedBase(self.name, real=True)[self.indices]

    def latex(self) -> str:
        """Give one element of the derivative as LaTeX."""
        return to_latex(self.sympy)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Partial) and (self.shape, self.text) == (other.shape, other.text)

    def __hash__(self) -> int:
        return hash((self.shape, self.text))

    def __repr__(self) -> str:
        return self.text

    def _repr_latex_(self) -> str:
        return rf"$\frac{{\partial f}}{{\partial {to_latex(self.by)}}} = {self.latex()}$"


def _axes(leaf: Leaf) -> list[str]:
    return [i.label if isinstance(i, Span) else ONE for i in leaf.index]


def _joined(graph: Graph, entries: Sequence[tuple[Leaf, Node]], shape: Sequence[int]) -> list[tuple[Leaf, Node]]:
    """Put what is added to the whole of a parameter first, as one entry, whatever its labels are called."""
    whole = [(leaf, node) for leaf, node in entries if is_whole(graph, leaf, shape)]
    if not whole:
        return list(entries)[::-1]
    target = next((leaf for leaf, _ in whole if ROWS in leaf.labels), whole[0][0])
    terms = []
    for leaf, node in whole:
        places = {a.label: b for a, b in zip(leaf.index, target.index, strict=True) if isinstance(a, Span)}
        terms.append(graph.substitute(node, places))
    return [(target, graph.add(*terms)), *(e for e in reversed(entries) if e not in whole)]


def _statement(writer: Writer, target: str, leaf: Leaf, node: Node, *, whole: bool) -> str:
    """Write that an entry is added to a part of ``target``."""
    if whole:
        return f"{target} += {writer.whole(node, tuple(_axes(leaf))).text}"
    order = [label for index in leaf.index for label in _labels(index)]
    found = subscript(writer, leaf, list(dict.fromkeys(order)))
    value = writer.fitted(node, found.axes)
    if leaf.labels <= {i.label for i in leaf.index if isinstance(i, Span)}:  # no element is named twice
        if value.text.startswith("-") and value.level > ADD:
            return f"{target}{found.text()} -= {value.text[1:]}"
        return f"{target}{found.text()} += {value.text}"
    items = trimmed(found.items)
    where = items[0] if len(items) == 1 else f"s_[{', '.join(items)}]"
    return f"add.at({target}, {where}, {value.text})"


def _labels(index: Span | int | Node) -> list[str]:
    if isinstance(index, Span):
        return [index.label]
    return sorted(index.labels) if isinstance(index, Node) else []


class Gradient(Mapping[str, Any]):
    """The partial derivatives by name: a SymPy expression for a number, a `Partial` for an array.

    Parameters
    ----------
    graph : Graph
        Where the nodes were made.
    vector : Vector
        The derivatives.
    shapes : mapping of str to tuple of int
        The shapes of all parameters, ``()`` for a number.
    written : int
        The number of the last node of the formula itself.
    """

    def __init__(self, graph: Graph, vector: Vector, shapes: Mapping[str, tuple[int, ...]], written: int = -1) -> None:
        self._graph = graph
        self._written = written
        self._shapes = dict(shapes)
        self._entries: dict[str, list[tuple[Leaf, Node]]] = {name: [] for name in shapes}
        for entry in vector.entries:
            self._entries[entry.leaf.name].append((entry.leaf, entry.node))
        self._shown: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if not isinstance(name, str) or name not in self._shapes:
            raise UnknownNameError(name, self._shapes, "the gradient")
        if name not in self._shown:
            shape = self._shapes[name]
            self._shown[name] = (
                Partial(self._graph, name, shape, self._entries[name], self._written)
                if shape
                else to_sympy(self._node(name), graph=self._graph)
            )
        return self._shown[name]

    def _node(self, name: str) -> Node:
        return self._graph.add(*(node for _, node in self._entries[name]))

    def __iter__(self) -> Iterator[str]:
        return iter(self._shapes)

    def __len__(self) -> int:
        return len(self._shapes)

    def __eq__(self, other: object) -> bool:
        return dict(self) == (dict(other) if isinstance(other, Mapping) else other)

    __hash__ = None  # type: ignore[assignment]

    def text(self) -> dict[str, str]:
        """Give each derivative in the language of formulas: an expression, or statements that leave it in ``g``.

        Returns
        -------
        dict of str to str
            By parameter; see `Partial.text`.
        """
        return {name: self._text(name, numpy=False) for name in self._shapes}

    def numpy(self) -> dict[str, str]:
        """Give each derivative as NumPy text, which computes what is shown.

        Returns
        -------
        dict of str to str
            By parameter: an expression, or statements that leave the derivative in ``g`` (see `Partial.text`). They run
            after ``from numpy import *``; where NumPy has no such function, the text calls ``special.erf`` and the
            like, and needs ``from scipy import special`` as well.

        Examples
        --------
        >>> from symgd import Objective
        >>> Objective("softplus(a*b)").gradient.numpy()["a"]
        'b*(1/(1 + exp(-a*b)))'
        """
        return {name: self._text(name, numpy=True) for name in self._shapes}

    def _text(self, name: str, *, numpy: bool) -> str:
        if self._shapes[name]:
            partial = self[name]
            return str(partial.numpy() if numpy else partial.text)
        (node,) = tidied(self._graph, [self._node(name)], self._written)
        return to_text(node, graph=self._graph, tidy=True, numpy=numpy)

    def latex(self) -> str:
        """Give the gradient as LaTeX; of arrays, one element."""
        rows = []
        for name in self:
            found = self[name]
            by, value = (found.by, found.sympy) if isinstance(found, Partial) else (symbol(name), found)
            rows.append(rf"\frac{{\partial f}}{{\partial {to_latex(by)}}} &= {to_latex(value)}")
        return "\\begin{aligned}" + r" \\ ".join(rows) + "\\end{aligned}"

    def __repr__(self) -> str:
        arrays = any(self._shapes.values())
        shown = {n: t.replace("\n", "; ") for n, t in self.text().items()} if arrays else self
        return "{" + ", ".join(f"{name!r}: {shown[name]}" for name in self) + "}"

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"
