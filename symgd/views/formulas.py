"""Nodes as SymPy expressions, and these as LaTeX."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache, cached_property
from typing import TYPE_CHECKING

from symgd.graph import ROWS, Const, Fold, Graph, Leaf, Map, Matrix, Node, Span, arguments, reachable
from symgd.graph.exact import Number
from symgd.language.functions import FUNCTIONS
from symgd.views.patterns import sizes_of, unwrapped

if TYPE_CHECKING:
    import sympy
    from sympy.printing.latex import LatexPrinter

# Where along each label: counted from 1.
Places = Mapping[str, "sympy.Expr"]
_LETTERS = "ijklmpqrst"


def to_sympy(node: Node, *, graph: Graph | None = None, places: Places | None = None) -> sympy.Expr:
    """Write a node as a SymPy expression; a fold over a label becomes a sum over an index.

    Parameters
    ----------
    node : Node
        A node without grouped terms.
    graph : Graph, optional
        Where it was made; needed where it has other axes than the rows of data.
    places : mapping of str to sympy.Expr, optional
        Which element: the place along each of its labels, counted from 1.

    Returns
    -------
    sympy.Expr
    """
    return _Formula(graph, node, places or {}, frozenset()).result()


def to_element(
    leaf: Leaf, node: Node, graph: Graph, indices: Sequence[sympy.Symbol], shape: Sequence[int]
) -> sympy.Expr:
    """Write what an entry of a vector of parameters adds to one element of a parameter.

    Parameters
    ----------
    leaf : Leaf
        Which elements of the parameter the entry is added to.
    node : Node
        What is added.
    graph : Graph
        Where they were made.
    indices : sequence of sympy.Symbol
        The element, an index for each axis, counted from 1.
    shape : sequence of int
        The parameter's shape.

    Returns
    -------
    sympy.Expr
    """
    import sympy

    places: dict[str, sympy.Expr] = {}
    conditions: list[sympy.Basic] = []
    fixed: list[tuple[sympy.Expr, Span | int | Node]] = []
    for at, index, size in zip(indices, leaf.index, shape, strict=True):
        if isinstance(index, Span) and index.label not in places:
            places[index.label] = (at - 1 - index.start) / sympy.Integer(index.step) + 1
            conditions += _inside(at, index, graph.length(index.label) or size, size)
        elif size > 1:
            fixed.append((at, unwrapped(index, size) if isinstance(index, Node) else index))
    used = {str(i) for i in indices}
    limits = []
    for label in sorted(leaf.labels - set(places), key=lambda label: (label != ROWS, label)):
        name = next(c for c in (*_LETTERS[label != ROWS :], "i") if c not in used)
        used.add(name)
        places[label] = index_symbol(name)
        limits.append((places[label], 1, _length(graph, label)))
    total = _Formula(graph, node, places, frozenset(used)).result()
    for at, index in fixed:
        there = to_sympy(index, graph=graph, places=places) if isinstance(index, Node) else place_along(index, places)
        total *= sympy.KroneckerDelta(at, counted(index, there) if isinstance(index, Node) else there)
    if limits:
        total = sympy.Sum(total, *limits)
    return sympy.Piecewise((total, sympy.And(*conditions)), (0, True)) if conditions else total


def _inside(at: sympy.Symbol, span: Span, count: int, size: int) -> list[sympy.Basic]:
    """Say which places of an axis a slice takes."""
    import sympy

    ends = sorted((span.start, span.start + span.step * (count - 1)))
    conditions = [sympy.Ge(at, ends[0] + 1)] if ends[0] > 0 else []
    step = abs(span.step)
    conditions += [sympy.Le(at, ends[1] + 1)] if ends[1] + step < size else []
    return conditions + ([sympy.Eq(sympy.Mod(at - 1 - span.start, step), 0)] if step > 1 else [])


def letters(rows: bool, labels: Sequence[str | None]) -> list[sympy.Symbol]:  # noqa: FBT001 - where there are rows
    """Give an index for each axis of a parameter: i is for the rows, where there are any."""
    names = iter(_LETTERS[1:] if rows else _LETTERS)
    return [index_symbol("i" if label == ROWS else next(names)) for label in labels]


def index_symbol(name: str) -> sympy.Symbol:
    """Give the SymPy symbol of an index, which counts from 1."""
    import sympy

    return sympy.Symbol(name, integer=True, positive=True)


def symbol(name: str) -> sympy.Symbol:
    """Give the SymPy symbol of a parameter: every symbol is real."""
    import sympy

    return sympy.Symbol(name, real=True)


_At = tuple[tuple[str, "sympy.Expr"], ...]
_Key = tuple[Node, _At, frozenset[str]]


class _Formula:
    """Writes the nodes of one formula, each once for each element that is asked for."""

    def __init__(self, graph: Graph | None, root: Node, places: Places, used: frozenset[str]) -> None:
        self.graph = graph
        found = reachable([root])
        self.rows = any(ROWS in part.labels for part in found)
        self.depth: dict[Node, int] = {}  # of sums inside each other: each has an index of its own
        if not places and all(part.labels <= {ROWS} for part in found):
            for part in found:
                inner = max((self.depth[a] for a in arguments(part)), default=0)
                self.depth[part] = inner + isinstance(part, Fold)
        self.written: dict[_Key, sympy.Expr] = {}
        self.root = self._key(root, places, used.union(s.name for p in places.values() for s in p.free_symbols))

    @cached_property
    def sizes(self) -> dict[str, tuple[int | None, ...]]:
        """The shapes of all inputs."""
        return sizes_of(self.graph)

    def result(self) -> sympy.Expr:
        """Write the element that is asked for."""
        stack = [self.root]
        while stack:
            key = stack[-1]
            needed = [k for k in self._needs(*key) if k not in self.written] if key not in self.written else []
            if needed:
                stack += needed
                continue
            stack.pop()
            if key not in self.written:
                self.written[key] = self._write(*key)
        return self.written[self.root]

    def _key(self, node: Node, places: Places, used: frozenset[str]) -> _Key:
        """Name an element of a node: where it stands along each label, and the indices that are in use around it."""
        inner = frozenset() if self.depth else used
        return node, tuple((label, places[label]) for label in sorted(node.labels)), inner

    def _needs(self, node: Node, at: _At, used: frozenset[str]) -> list[_Key]:
        if isinstance(node, Fold):
            index = self._index(node, used)
            return [self._key(node.body, dict(at) | {node.label: index}, used | {index.name})]
        if isinstance(node, Matrix):
            sides = self._sides(used)
            inside = dict(zip((node.row, node.column), sides, strict=True))
            body = self._key(node.body, inside, used | {side.name for side in sides})
            return [body, *(self._key(i, dict(at), used) for i in node.index if isinstance(i, Node))]
        return [self._key(a, dict(at), used) for a in self._arguments(node)]

    def _arguments(self, node: Node) -> tuple[Node, ...]:
        if not isinstance(node, Leaf) or not node.index:
            return arguments(node)
        sizes = self.sizes.get(node.name) or (None,) * len(node.index)
        return tuple(unwrapped(i, n) for i, n in zip(node.index, sizes, strict=True) if isinstance(i, Node))

    def _index(self, fold: Fold, used: frozenset[str]) -> sympy.Symbol:
        """Give the index that a sum runs over: one that is not in use; i is for the rows, where there are any."""
        if self.depth:
            place = self.depth[fold] - 1
            return index_symbol(_LETTERS[place] if place < 4 else f"i{place + 1}")
        more = (f"i{k}" for k in range(2, len(used) + 3))
        names = (*_LETTERS[self.rows and fold.label != ROWS :], *more)
        return index_symbol(next(name for name in names if name not in used))

    def _sides(self, used: frozenset[str]) -> list[sympy.Symbol]:
        """Give the indices of rows and columns inside of a matrix."""
        names = [*_LETTERS, *(f"i{k}" for k in range(2, len(used) + 4))]
        return [index_symbol(name) for name in [n for n in names if n not in used][:2]]

    def _matrix(self, node: Matrix, at: Places, used: frozenset[str], args: list[sympy.Expr]) -> sympy.Expr:
        """Write a function of a matrix that is given by its elements; SymPy counts these from 0."""
        import sympy

        body, *gathered = args
        length = _length(self.graph, node.row)
        sides = self._sides(used)
        inside = [sympy.Symbol(side.name, integer=True, nonnegative=True) for side in sides]
        element = sympy.Lambda(tuple(inside), body.subs({a: b + 1 for a, b in zip(sides, inside, strict=True)}))
        matrix = sympy.FunctionMatrix(length, length, element)
        size = sympy.Determinant(matrix)
        if not node.index:
            return {"det": size, "logdet": sympy.log(size), "logabsdet": sympy.log(sympy.Abs(size)),
                    "detsign": sympy.sign(size)}[node.function]  # fmt: skip
        arrays = iter(gathered)
        i, j = (counted(n, next(arrays)) if isinstance(n, Node) else place_along(n, at) for n in node.index)
        found = sympy.matrices.expressions.matexpr.MatrixElement(sympy.Inverse(matrix), i - 1, j - 1)
        return found if node.function == "inv" else size * found

    def _write(self, node: Node, at: _At, used: frozenset[str]) -> sympy.Expr:
        import sympy

        args = [self.written[key] for key in self._needs(node, at, used)]
        if isinstance(node, Leaf):
            return self._leaf(node, dict(at), args)
        if isinstance(node, Const):
            return _number(node.value)
        if isinstance(node, Fold):
            limits = (self._index(node, used), 1, _length(self.graph, node.label))
            return _fold(node.function, args[0], limits)
        if isinstance(node, Matrix):
            return self._matrix(node, dict(at), used, args)
        assert isinstance(node, Map)
        if node.function == "power":
            return _power(*args)
        if self.graph is not None and node.args[0] in self.graph.store.edges:
            return args[2]  # symbols need no power series
        known = FUNCTIONS[node.function]
        return known.sympy(sympy, *args) if known.sympy else sympy.Function(known.name)(*args)

    def _leaf(self, leaf: Leaf, places: Places, gathered: list[sympy.Expr]) -> sympy.Expr:
        import sympy

        if leaf.kind == "constant":
            return sympy.pi if leaf.name == "pi" else sympy.E
        if leaf.kind == "count":
            return _length(self.graph, ROWS)
        if not leaf.index:
            return symbol(leaf.name)
        arrays = iter(gathered)
        indices = [counted(i, next(arrays)) if isinstance(i, Node) else place_along(i, places) for i in leaf.index]
        return indices[0] - 1 if leaf.kind == "places" else sympy.IndexedBase(leaf.name, real=True)[tuple(indices)]


def _length(graph: Graph | None, label: str) -> sympy.Expr:
    import sympy

    length = graph.length(label) if graph and label != ROWS else None
    return sympy.Integer(length) if length else index_symbol("n" if label == ROWS else label)


def place_along(index: Span | int, places: Places) -> sympy.Expr:
    """Give the place on an axis, counted from 1, that a slice or a number says."""
    import sympy

    if isinstance(index, int):
        return sympy.Integer(index + 1)
    return index.start + 1 + index.step * (places[index.label] - 1)


def counted(node: Node, value: sympy.Expr) -> sympy.Expr:
    """Give the place that an index array says: its entries are names; what is worked out from places counts from 0."""
    worked_out = any(isinstance(part, Leaf) and part.kind == "places" for part in reachable([node]))
    return value + 1 if worked_out else value


def _power(base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
    """Raise to a power; a number in front is raised in float64 where SymPy would make it thousands of digits long."""
    import sympy

    if not exponent.is_Rational:
        return base**exponent
    factor, rest = base.as_coeff_Mul()
    if factor.is_Rational and factor not in (1, -1):
        digits = max(abs(factor.p), factor.q).bit_length() * abs(float(exponent))
        if digits > 53:
            size = sympy.Float(abs(factor)) ** exponent
            return size * (rest if factor > 0 else -rest) ** exponent
    return base**exponent


def _number(value: Number) -> sympy.Expr:
    import sympy

    return sympy.Rational(value.numerator, value.denominator) if isinstance(value, Fraction) else sympy.Float(value)


def _fold(function: str, body: sympy.Expr, limits: tuple[sympy.Expr, ...]) -> sympy.Expr:
    import sympy

    if function == "sum":
        return sympy.Sum(body, limits)
    if function == "prod":
        return sympy.Product(body, limits)
    if function == "logsumexp":
        return sympy.log(sympy.Sum(sympy.exp(body), limits))
    return sympy.Function(function)(body)


# ---- LaTeX -----------------------------------------------------------------------------------------------------------


def to_latex(expression: sympy.Basic) -> str:
    """Write a SymPy expression as LaTeX: means in front of their sums, indices beside those of the name.

    Parameters
    ----------
    expression : sympy.Basic
        What `to_sympy` gave, or a matrix of such.

    Returns
    -------
    str
    """
    return str(_latex_printer().doprint(expression))


def _upright(name: str) -> str:
    r"""Write a name of several letters in \mathrm, or it would read as their product; commands such as \alpha stay."""
    base = re.match("[A-Za-z]{2,}", name)
    return rf"\mathrm{{{base[0]}}}{name[base.end() :]}" if base else name


@cache
def _latex_printer() -> LatexPrinter:
    import sympy
    from sympy.printing.latex import LatexPrinter

    class Printer(LatexPrinter):
        def _print_Symbol(self, expr: sympy.Basic, style: str = "plain") -> str:  # noqa: N802 - SymPy's names
            # lambda_ is spelt so only because Python has taken the word.
            name = expr.name[:-1] if keyword.iskeyword(expr.name[:-1]) else expr.name
            return _upright(str(super()._print_Symbol(sympy.Symbol(name), style)))

        def _print_Indexed(self, expr: sympy.Basic) -> str:  # noqa: N802
            name = self._print_Symbol(sympy.Symbol(str(expr.base.label)))
            indices = ",".join(self._print(i) for i in expr.indices)
            return f"{name[:-1]},{indices}}}" if name.endswith("}") and "_{" in name else f"{name}_{{{indices}}}"

        def _print_FunctionMatrix(self, expr: sympy.Basic) -> str:  # noqa: N802
            sides = [index_symbol(s.name) for s in expr.lamda.variables]
            names = ",".join(self._print(s) for s in sides)
            return rf"\left[{self._print(expr.lamda(*(s - 1 for s in sides)))}\right]_{{{names}}}"

        def _print_Determinant(self, expr: sympy.Basic, exp: str | None = None) -> str:  # noqa: N802
            power = f"^{{{exp}}}" if exp else ""
            return rf"\det{power} {self._print(expr.arg)}"

        def _print_MatrixElement(self, expr: sympy.Basic) -> str:  # noqa: N802
            places = ",".join(self._print(i + 1) for i in expr.indices)
            return rf"{{\left({self._print(expr.parent)}\right)}}_{{{places}}}"

        def _print_Mul(self, expr: sympy.Basic) -> str:  # noqa: N802
            if not isinstance(expr, sympy.Mul):  # SymPy prints 1/a by this too
                return str(super()._print_Mul(expr))
            sums = [a for a in expr.args if isinstance(a, sympy.Sum)]
            rest = sympy.Mul(*(a for a in expr.args if a not in sums))
            if len(sums) != 1 or not rest.free_symbols <= {sums[0].limits[0][2]}:
                return str(super()._print_Mul(expr))
            sign, size = ("- ", -rest) if rest.could_extract_minus_sign() else ("", rest)
            return f"{sign}{'' if size == 1 else self._print(size) + ' '}{self._print(sums[0])}"

    return Printer()
