"""Second derivatives as users hold them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from numbers import Integral
from typing import TYPE_CHECKING, Any, NamedTuple

from symgd.checks import why_not
from symgd.errors import UnknownNameError, UsageError
from symgd.graph import Graph, Leaf, Node, is_zero
from symgd.views.derivatives import Partial
from symgd.views.formulas import symbol, to_latex, to_sympy
from symgd.views.text import to_text
from symgd.views.tidy import tidied

if TYPE_CHECKING:
    import sympy

Pair = tuple[str, str]


class Entries(NamedTuple):
    """The second derivatives by two parameters: at the places of each leaf, with the axes of both, its node is added.

    ``written`` is the number of the last node of the formula itself.
    """

    graph: Graph
    entries: tuple[tuple[Leaf, Node], ...]
    written: int


_MOST = 3  # axes of a block that is written out


class Block(Partial):
    """The second derivatives by two parameters, one of them an array; they are shown as NumPy text.

    Parameters
    ----------
    entries : Entries
        What is added to which elements.
    pair : tuple of two str
        The parameters.
    shapes : tuple of two tuples of int
        Their shapes. The block has the axes of the first, then those of the second; with
        ``.reshape(first.size, second.size)`` it is the block of `Objective.hessian_at`.
    """

    _letter = "h"

    def __init__(self, entries: Entries, pair: Pair, shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
        graph = entries.graph
        nodes = tidied(graph, (node for _, node in entries.entries), entries.written)
        added = [(leaf, node) for (leaf, _), node in zip(entries.entries, nodes, strict=True) if not is_zero(node)]
        newest = max((node.number for node in nodes), default=-1)  # nothing is left to be rewritten
        super().__init__(graph, ", ".join(pair), shapes[0] + shapes[1], added, newest)
        self.pair, self._parts = pair, shapes

    def _text(self, *, numpy: bool) -> str:
        if self._entries and len(self.shape) > _MOST:
            return self._refusal
        try:
            return super()._text(numpy=numpy)
        except UsageError:
            return self._refusal

    @property
    def _refusal(self) -> str:
        """Why the block is not written as text, and what there is instead: a comment."""
        a, b = self.pair
        sizes = " x ".join(str(math.prod(shape)) for shape in self._parts)
        return (
            f"# {len(self.shape)} axes, of shape {self.shape}, which is no formula to read: f.hvp(point, v) multiplies "
            f"by the Hessian, and f.hessian_at(point) has the numbers by {a} and {b} as {sizes} of its entries"
        )

    @property
    def by(self) -> sympy.Expr:
        """The product of the two elements that ``sympy`` is the derivative by."""
        import sympy

        cut = len(self._parts[0])
        indices = (self.indices[:cut], self.indices[cut:])
        named = zip(self.pair, indices, strict=True)
        return tuple(sympy.IndexedBase(n, real=True)[i] if i else symbol(n) for n, i in named)

    def _repr_latex_(self) -> str:
        return rf"${self.slope} = {self.latex()}$"

    @property
    def slope(self) -> str:
        """The left side of an equation: what the block is, as LaTeX."""
        a, b = self.by
        return rf"\frac{{\partial^2 f}}{{\partial {to_latex(a)} \partial {to_latex(b)}}}"


class Hessian(Mapping[Pair, Any]):
    """The second derivatives: ``h["x", "y"]``, ``h["x"]["y"]`` or ``h[0, 1]``.

    Each is a SymPy expression where both parameters are numbers, and a `Block`, shown as NumPy text, where one of them
    is an array.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
        The parameters, in order, and their shapes.
    block : callable
        Gives the second derivatives by two parameters.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], block: Callable[[str, str], Entries]) -> None:
        self.params = tuple(shapes)
        self._shapes = dict(shapes)
        self._block = block
        self._found: dict[Pair, Entries] = {}
        self._shown: dict[Pair, Any] = {}

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, an entry for each number of the parameters."""
        size = sum(math.prod(shape) for shape in self._shapes.values())
        return size, size

    def _entries(self, pair: Pair) -> Entries:
        if pair not in self._found:
            self._found[pair] = self._block(*pair)
        return self._found[pair]

    def _is_number(self, pair: Pair) -> bool:
        return not any(self._shapes[name] for name in pair)

    def __getitem__(self, key: object) -> Any:
        if not isinstance(key, tuple):
            first = self._name(key)
            return {name: self[first, name] for name in self.params}
        if len(key) != 2:
            raise UnknownNameError(key, self.params, "the Hessian, which takes one name or two,")
        a, b = map(self._name, key)
        pair = (a, b)
        if self._is_number(pair):  # the same on both sides of the diagonal
            pair = (a, b) if self.params.index(a) <= self.params.index(b) else (b, a)
        if pair not in self._shown:
            entries = self._entries(pair)
            if self._is_number(pair):
                node = entries.graph.add(*(node for _, node in entries.entries))
                self._shown[pair] = to_sympy(node, graph=entries.graph)
            else:
                self._shown[pair] = Block(entries, pair, (self._shapes[pair[0]], self._shapes[pair[1]]))
        return self._shown[pair]

    def _name(self, key: Any) -> str:
        """Give the parameter that a name or a place stands for."""
        whole = isinstance(key, Integral) and not isinstance(key, bool) and not why_not(key)
        if whole and -len(self.params) <= int(key) < len(self.params):
            return self.params[int(key)]
        if not isinstance(key, str) or key not in self.params:
            raise UnknownNameError(key, self.params, "the Hessian")
        return key

    def __iter__(self) -> Iterator[Pair]:
        return ((a, b) for a in self.params for b in self.params)

    def __len__(self) -> int:
        return len(self.params) ** 2

    @property
    def matrix(self) -> sympy.Matrix:
        """The Hessian as a SymPy matrix, where all parameters are numbers.

        Raises
        ------
        UsageError
            If a parameter is an array.
        """
        import sympy

        self._check_numbers("is no SymPy matrix; h['w', 'w'] has the block of one parameter, or of two")
        return sympy.Matrix(len(self.params), len(self.params), lambda i, j: self[int(i), int(j)])

    def _check_numbers(self, problem: str) -> None:
        name = next((name for name, shape in self._shapes.items() if shape), None)
        if name is not None:
            raise UsageError(f"'{name}' is an array, and the Hessian {problem}")

    def _sympy_(self) -> sympy.Matrix:
        return self.matrix

    def __eq__(self, other: object) -> bool:
        if any(self._shapes.values()):
            return isinstance(other, Hessian) and self._shapes == other._shapes and self.text() == other.text()
        return bool(self.matrix == getattr(other, "matrix", other))

    __hash__ = None  # type: ignore[assignment]

    @cached_property
    def _pairs(self) -> list[Pair]:
        """The pairs on and above the diagonal whose derivatives are not 0."""
        pairs = ((a, b) for k, a in enumerate(self.params) for b in self.params[k:])
        return [pair for pair in pairs if self._entries(pair).entries]

    def text(self) -> dict[Pair, str]:
        """Give the second derivatives in the language of formulas.

        Returns
        -------
        dict of (str, str) to str
            Those that are not 0, on and above the diagonal: an expression, or statements that leave the block in ``h``.
            It has the axes of the first parameter, then those of the second. What would have four axes or more is not
            written out; a comment says what there is instead.

        Examples
        --------
        >>> from symgd import Objective
        >>> Objective("sum(exp(w)) + w @ w", params={"w": 3}).hessian.text()
        {('w', 'w'): 'diag(2 + exp(w))'}
        """
        return {pair: self._text(pair, numpy=False) for pair in self._pairs}

    def numpy(self) -> dict[Pair, str]:
        """Give the second derivatives as NumPy text: see `text`, and `Gradient.numpy` for what it needs to run."""
        return {pair: self._text(pair, numpy=True) for pair in self._pairs}

    def _text(self, pair: Pair, *, numpy: bool) -> str:
        if not self._is_number(pair):
            block = self[pair]
            return str(block.numpy() if numpy else block.text)
        entries = self._entries(pair)
        node = entries.graph.add(*(node for _, node in entries.entries))
        (node,) = tidied(entries.graph, [node], entries.written)
        return to_text(node, graph=entries.graph, tidy=True, numpy=numpy)

    def latex(self) -> str:
        """Give the Hessian as LaTeX; of arrays, one element of each block on and above the diagonal that is not 0."""
        if not any(self._shapes.values()):
            return to_latex(self.matrix)
        rows = []
        for a, b in self._pairs:
            found = self[a, b]
            slope = rf"\frac{{\partial^2 f}}{{\partial {to_latex(symbol(a))} \partial {to_latex(symbol(b))}}}"
            left, right = (found.slope, found.latex()) if isinstance(found, Block) else (slope, to_latex(found))
            rows.append(f"{left} &= {right}")
        return "\\begin{aligned}" + r" \\ ".join(rows) + "\\end{aligned}"

    def __repr__(self) -> str:
        shown = ", ".join(f"{pair!r}: " + str(self[pair]).replace("\n", "; ") for pair in self._pairs[:12])
        more = ", ..." if len(self._pairs) > 12 else ""
        return f"Hessian({', '.join(self.params[:12])}; {{{shown}{more}}})"

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"
