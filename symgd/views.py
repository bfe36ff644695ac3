"""How nodes are shown: as SymPy expressions, as LaTeX, and as NumPy text that can be pasted back."""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from symgd.functions import FUNCTIONS
from symgd.graph import Const, Fold, Leaf, Map, Node, arguments, reachable
from symgd.graph.exact import Number

if TYPE_CHECKING:
    import sympy

# How tightly the operators bind, loosest first.
_OR, _AND, _NOT, _COMPARE, _ADD, _MULTIPLY, _NEGATE, _POWER, _ATOM = range(9)
_SIGNS = {"greater": ">", "greater_equal": ">=", "less": "<", "less_equal": "<=", "equal": "==", "not_equal": "!="}


# ---- NumPy text ----------------------------------------------------------------------------------------------------


def to_text(node: Node) -> str:
    """Write a node as a formula that reads back as the same function.

    Parameters
    ----------
    node : Node
        A node without grouped terms.

    Returns
    -------
    str
    """
    written: dict[Node, tuple[str, int]] = {}
    columns = [n.name for n in reachable([node]) if isinstance(n, Leaf) and n.kind == "data" and n.labels]
    for part in reachable([node]):
        written[part] = _text(part, written, columns[0] if columns else "x")
    return written[node][0]


def _text(node: Node, written: dict[Node, tuple[str, int]], column: str) -> tuple[str, int]:
    def inside(arg: Node, least: int) -> str:
        text, level = written[arg]
        return text if level >= least else f"({text})"

    if isinstance(node, Const):
        return number_text(node.value)
    if isinstance(node, Leaf):
        return (f"len({column})", _ATOM) if node.kind == "count" else (node.name, _ATOM)
    if isinstance(node, Fold):
        return f"{node.function}({written[node.body][0]})", _ATOM
    assert isinstance(node, Map)
    a, *rest = node.args
    if node.function == "add":
        return _sum_text(node, written), _ADD
    if node.function == "multiply":
        if isinstance(a, Const) and a.value == -1:
            return f"-{inside(rest[0], _MULTIPLY)}", _NEGATE if written[rest[0]][1] > _MULTIPLY else _MULTIPLY
        return f"{inside(a, _MULTIPLY)}*{inside(rest[0], _NEGATE)}", _MULTIPLY
    if node.function == "divide":
        if isinstance(a, Fold) and a.function == "sum" and _is_count(rest[0]):
            return f"mean({written[a.body][0]})", _ATOM
        return f"{inside(a, _MULTIPLY)}/{inside(rest[0], _POWER)}", _MULTIPLY
    if node.function == "power":
        return f"{inside(a, _ATOM)}**{inside(rest[0], _ATOM)}", _POWER
    if node.function in _SIGNS:
        return f"{inside(a, _ADD)} {_SIGNS[node.function]} {inside(rest[0], _ADD)}", _COMPARE
    return f"{node.function}({', '.join(written[arg][0] for arg in node.args)})", _ATOM


def _sum_text(node: Map, written: dict[Node, tuple[str, int]]) -> str:
    text = ""
    for term in node.args:
        piece, level = written[term]
        if level < _MULTIPLY:
            piece = f"({piece})"
        if text and piece.startswith("-"):
            text += " - " + piece[1:]
        else:
            text += (" + " if text else "") + piece
    return text


def _is_count(node: Node) -> bool:
    return isinstance(node, Leaf) and node.kind == "count"


def number_text(value: Number) -> tuple[str, int]:
    """Write a number so that it reads back as the same one, and say how tightly it binds.

    Parameters
    ----------
    value : Fraction or float
        The number.

    Returns
    -------
    text : str
        The literal, or a ratio of two.
    level : int
        Its precedence.

    Examples
    --------
    >>> number_text(Fraction(1, 10))[0], number_text(Fraction(1, 3))[0]
    ('0.1', '1/3')
    """
    if isinstance(value, float):
        text = repr(value)
    elif value.denominator == 1:
        text = str(value.numerator)
    else:
        text = repr(float(value))
        if Fraction(text) != value or "e" in text:
            return f"{value.numerator}/{value.denominator}", _MULTIPLY if value > 0 else _NEGATE - 1
    return text, _NEGATE if text.startswith("-") else _ATOM


# ---- SymPy ---------------------------------------------------------------------------------------------------------


def to_sympy(node: Node) -> sympy.Expr:
    """Write a node as a SymPy expression; a fold over rows becomes a sum over i.

    Parameters
    ----------
    node : Node
        A node without grouped terms.

    Returns
    -------
    sympy.Expr
    """
    import sympy

    index = sympy.Symbol("i", integer=True, positive=True)
    rows = sympy.Symbol("n", integer=True, positive=True)
    written: dict[Node, Any] = {}
    for part in reachable([node]):
        args = [written[a] for a in arguments(part)]
        if isinstance(part, Leaf):
            written[part] = _sympy_leaf(part, index, rows)
        elif isinstance(part, Const):
            written[part] = _sympy_number(part.value)
        elif isinstance(part, Fold):
            written[part] = _sympy_fold(part, args[0], (index, 1, rows))
        elif isinstance(part, Map):
            row = FUNCTIONS[part.function]
            written[part] = row.sympy(sympy, *args) if row.sympy else sympy.Function(row.name)(*args)
    return written[node]


def symbol(name: str) -> sympy.Symbol:
    """Give the SymPy symbol of a parameter: every symbol is real."""
    import sympy

    return sympy.Symbol(name, real=True)


def _sympy_leaf(leaf: Leaf, index: Any, rows: Any) -> Any:
    import sympy

    if leaf.kind == "constant":
        return sympy.pi if leaf.name == "pi" else sympy.E
    if leaf.kind == "count":
        return rows
    if leaf.labels:
        return sympy.IndexedBase(leaf.name, real=True)[index]
    return symbol(leaf.name)


def _sympy_number(value: Number) -> Any:
    import sympy

    return sympy.Rational(value.numerator, value.denominator) if isinstance(value, Fraction) else sympy.Float(value)


def _sympy_fold(fold: Fold, body: Any, limits: tuple[Any, ...]) -> Any:
    import sympy

    if fold.function == "sum":
        return sympy.Sum(body, limits)
    if fold.function == "logsumexp":
        return sympy.log(sympy.Sum(sympy.exp(body), limits))
    return sympy.Function(fold.function)(body)


# ---- derivatives as users hold them --------------------------------------------------------------------------------


class Gradient(Mapping[str, "sympy.Expr"]):
    """The partial derivatives by name, each a SymPy expression.

    Parameters
    ----------
    nodes : mapping of str to Node
        The derivatives.
    """

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self._nodes = dict(nodes)
        self._shown: dict[str, sympy.Expr] = {}

    def __getitem__(self, name: str) -> sympy.Expr:
        if name not in self._shown:
            self._shown[name] = to_sympy(self._nodes[name])
        return self._shown[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)

    def __eq__(self, other: object) -> bool:
        return dict(self) == (dict(other) if isinstance(other, Mapping) else other)

    __hash__ = None  # type: ignore[assignment]

    def text(self) -> dict[str, str]:
        """Give each derivative as NumPy text."""
        return {name: to_text(node) for name, node in self._nodes.items()}

    def latex(self) -> str:
        """Give the gradient as LaTeX."""
        import sympy

        rows = [rf"\frac{{\partial f}}{{\partial {sympy.latex(symbol(n))}}} &= {sympy.latex(self[n])}" for n in self]
        return "\\begin{aligned}" + r" \\ ".join(rows) + "\\end{aligned}"

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{name!r}: {self[name]}" for name in self) + "}"

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"


class Hessian(Mapping[tuple[str, str], "sympy.Expr"]):
    """The second derivatives: ``h["x", "y"]``, ``h["x"]["y"]`` or ``h[0, 1]``, each a SymPy expression.

    Parameters
    ----------
    params : tuple of str
        The parameters, in order.
    nodes : mapping of (str, str) to Node
        The upper triangle, without zeros.
    """

    def __init__(self, params: tuple[str, ...], nodes: Mapping[tuple[str, str], Node]) -> None:
        self.params = params
        self._nodes = dict(nodes)
        self._shown: dict[tuple[str, str], Any] = {}

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.params), len(self.params)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            if key not in self.params:
                raise KeyError(key)
            return {name: self[key, name] for name in self.params}
        a, b = (self.params[k] if isinstance(k, int) else k for k in key)
        if a not in self.params or b not in self.params:
            raise KeyError(key)
        pair = (a, b) if (a, b) in self._nodes else (b, a)
        if pair not in self._shown:
            import sympy

            self._shown[pair] = to_sympy(self._nodes[pair]) if pair in self._nodes else sympy.Integer(0)
        return self._shown[pair]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((a, b) for a in self.params for b in self.params)

    def __len__(self) -> int:
        return len(self.params) ** 2

    @property
    def matrix(self) -> sympy.Matrix:
        """The Hessian as a SymPy matrix."""
        import sympy

        return sympy.Matrix(len(self.params), len(self.params), lambda i, j: self[int(i), int(j)])

    def _sympy_(self) -> sympy.Matrix:
        return self.matrix

    def __eq__(self, other: object) -> bool:
        return bool(self.matrix == getattr(other, "matrix", other))

    __hash__ = None  # type: ignore[assignment]

    def text(self) -> dict[tuple[str, str], str]:
        """Give the entries that are not 0, on and above the diagonal, as NumPy text."""
        return {pair: to_text(node) for pair, node in self._nodes.items()}

    def latex(self) -> str:
        """Give the Hessian as LaTeX."""
        import sympy

        return str(sympy.latex(self.matrix))

    def __repr__(self) -> str:
        shown = ", ".join(f"({a!r}, {b!r}): {self[a, b]}" for a, b in list(self._nodes)[:12])
        more = ", ..." if len(self._nodes) > 12 else ""
        return f"Hessian({', '.join(self.params[:12])}; {{{shown}{more}}})"

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"


def is_name(name: str) -> bool:
    """Tell whether a name can stand in Python code as it is."""
    return name.isidentifier() and not keyword.iskeyword(name)
