"""How nodes are shown: as SymPy expressions, as LaTeX, and as NumPy text that can be pasted back."""

from __future__ import annotations

import keyword
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

from symgd.functions import FUNCTIONS
from symgd.graph import Const, Fold, Leaf, Map, Node, arguments, reachable
from symgd.graph.exact import Number, fold_multiply

if TYPE_CHECKING:
    import sympy

# How tightly the operators bind, loosest first.
_OR, _AND, _NOT, _COMPARE, _ADD, _MULTIPLY, _NEGATE, _POWER, _ATOM = range(9)
_SIGNS = {"greater": ">", "greater_equal": ">=", "less": "<", "less_equal": "<=", "equal": "==", "not_equal": "!="}
# Derivatives are made of functions that say what happens at a kink; people write them without.
_PLAIN = {"powslope": "{1}*{0}**({1} - 1)", "powlog": "{0}**{1}*log({0})"}


# ---- NumPy text ------------------------------------------------------------------------------------------------------


def to_text(node: Node, *, tidy: bool = False) -> str:
    """Write a node as a formula that reads back as the same function.

    Parameters
    ----------
    node : Node
        A node without grouped terms.
    tidy : bool
        Whether factors are put in the order in which people write them, and what holds only at kinks is left out: for
        derivatives.

    Returns
    -------
    str
    """
    writer = _Text(tidy=tidy)
    found, stack = {node}, [node]
    while stack:  # what stands inside of a long product is not written on its own
        for piece in writer.pieces(stack.pop()):
            if piece not in found:
                found.add(piece)
                stack.append(piece)
    for part in sorted(found, key=lambda n: n.number):
        writer.written[part] = writer.write(part)
    return writer.written[node][0]


@dataclass(frozen=True)
class _Product:
    """A product taken apart: its numbers, the factors above and below the line, and whether sums in it are means."""

    numbers: tuple[Number, ...]
    top: tuple[Node, ...]
    bottom: tuple[Node, ...]
    means: bool


class _Text:
    """Writes nodes, each once, with how tightly its outermost operator binds."""

    def __init__(self, *, tidy: bool) -> None:
        self.tidy = tidy
        self.written: dict[Node, tuple[str, int]] = {}

    def pieces(self, node: Node) -> Iterable[Node]:
        """Give the nodes whose text a node's text is made of."""
        if isinstance(node, Map) and self._is_product(node):
            product = self._factors(node)
            means = [f.body for f in product.top if product.means and isinstance(f, Fold)]
            return [*product.top, *product.bottom, *means]
        named = _named(node)
        return (named[1],) if named else arguments(node)

    def write(self, node: Node) -> tuple[str, int]:
        """Write one node, whose pieces are written."""
        if isinstance(node, Const):
            return number_text(node.value)
        if isinstance(node, Leaf):
            return f"len({node.name})" if node.kind == "count" else node.name, _ATOM
        named = _named(node)
        if named:
            return f"{named[0]}({self.written[named[1]][0]})", _ATOM
        if isinstance(node, Fold):
            return f"{node.function}({self.written[node.body][0]})", _ATOM
        assert isinstance(node, Map)
        if self._is_product(node):
            return self._product(node)
        if node.function == "add":
            return self._sum(node), _ADD
        if node.function == "power":
            return f"{self._inside(node.args[0], _ATOM)}**{self._exponent(node.args[1])}", _POWER
        if node.function in _SIGNS:
            a, b = (self._inside(arg, _ADD) for arg in node.args)
            return f"{a} {_SIGNS[node.function]} {b}", _COMPARE
        if self.tidy and node.function in _PLAIN:
            return _PLAIN[node.function].format(*(self._inside(a, _ATOM) for a in node.args)), _MULTIPLY
        return f"{node.function}({', '.join(self.written[arg][0] for arg in node.args)})", _ATOM

    def _inside(self, node: Node, least: int) -> str:
        text, level = self.written[node]
        return text if level >= least else f"({text})"

    def _exponent(self, node: Node) -> str:
        text, level = self.written[node]
        return text if level in (_NEGATE, _ATOM) else f"({text})"

    def _sum(self, node: Map) -> str:
        pieces: list[str] = []
        for term in node.args:
            piece = self._inside(term, _MULTIPLY)
            if pieces and piece.startswith("-"):
                pieces.append(" - " + piece[1:])
            else:
                pieces.append((" + " if pieces else "") + piece)
        return "".join(pieces)

    # ---- products ----------------------------------------------------------------------------------------------------

    def _is_product(self, node: Map) -> bool:
        return node.function in ("multiply", "divide") or (self.tidy and node.function == "ratio")

    def _factors(self, node: Map) -> _Product:
        numbers: list[Number] = []
        top: list[Node] = []
        bottom: list[Node] = []
        stack: list[tuple[Node, int]] = [(node, 1)]
        while stack:
            part, side = stack.pop()
            if isinstance(part, Map) and self._is_product(part):
                a, b = part.args
                stack += [(b, side if part.function == "multiply" else -side), (a, side)]
            elif isinstance(part, Const) and side > 0:
                numbers.append(part.value)
            else:
                (top if side > 0 else bottom).append(part)
        if self.tidy:
            common = Counter(top) & Counter(bottom)
            top, bottom = (list((Counter(side) - common).elements()) for side in (top, bottom))
        sums = [f for f in top if isinstance(f, Fold) and f.function == "sum"]
        counts = [f for f in bottom if isinstance(f, Leaf) and f.kind == "count"]
        means = len(sums) == len(counts) > 0
        below = [f for f in bottom if f not in counts] if means else bottom
        return _Product(tuple(numbers), tuple(top), tuple(below), means)

    def _product(self, node: Map) -> tuple[str, int]:
        product = self._factors(node)
        negative, above, below = _coefficient(product.numbers, alone=not product.top)
        above += self._powers(product.top, means=product.means)
        below += self._powers(product.bottom)
        text = "*".join(above)
        if below:
            text += "/" + (below[0] if len(below) == 1 else f"({'*'.join(below)})")
        lone = len(above) == 1 and not below
        if negative:
            return "-" + text, _NEGATE if lone else _MULTIPLY
        return text, _NEGATE if lone else _MULTIPLY

    def _powers(self, factors: Sequence[Node], *, means: bool = False) -> list[str]:
        """Write factors: those that stand more than once as powers, in derivatives the short ones first."""
        counts = Counter(factors)
        order = sorted(counts, key=_weight) if self.tidy else list(counts)
        texts = []
        for factor in order:
            if means and isinstance(factor, Fold) and factor.function == "sum":
                text, level = f"mean({self.written[factor.body][0]})", _ATOM
            else:
                text, level = self.written[factor]
            if counts[factor] > 1:
                text = f"{text if level == _ATOM else f'({text})'}**{counts[factor]}"
            elif level < _POWER:
                text = f"({text})"
            texts.append(text)
        return texts


def _weight(node: Node) -> int:
    """In which order people write factors: constants, data and parameters, powers, then functions and sums."""
    if node.constant is not None:
        return 0
    if isinstance(node, Leaf):
        return 1
    return 2 if isinstance(node, Map) and node.function == "power" else 3


def _coefficient(numbers: Sequence[Number], *, alone: bool) -> tuple[bool, list[str], list[str]]:
    """Give the sign of the product of numbers, and what of them stands above and below the line."""
    total: Number = Fraction(1)
    apart = []
    for number in numbers:
        product = fold_multiply(total, number)
        if math.isfinite(product) and (product != 0 or number == 0):
            total = product
        else:
            apart.append(number_text(number)[0])  # their product is too large, or too small, for float64
    negative = total < 0
    size: Number = -total if negative else total
    if isinstance(size, Fraction) and "/" in number_text(size)[0]:
        over = [str(size.numerator)] if size.numerator != 1 or alone else []
        return negative, over + apart, [str(size.denominator)]
    return negative, ([number_text(size)[0]] if size != 1 or alone else []) + apart, []


def _named(node: Node) -> tuple[str, Node] | None:
    """Give the reduction that a node spells out: norm, std or var, and what it is of."""
    if isinstance(node, Map) and node.function == "sqrt0":
        inside = node.args[0]
        if isinstance(inside, Fold) and inside.function == "sum" and (u := _base(inside.body)) is not None:
            return "norm", u
        spread = _named(inside)
        return ("std", spread[1]) if spread and spread[0] == "var" else None
    body = _mean(node)
    base = _base(body) if body is not None else None
    if isinstance(base, Map) and base.function == "add" and len(base.args) == 2:
        a, b = base.args
        if isinstance(b, Map) and b.function == "multiply" and isinstance(b.args[0], Const) and b.args[0].value == -1:
            return ("var", a) if _mean(b.args[1]) is a else None
    return None


def _base(node: Node) -> Node | None:
    """Give u where the node is u**2."""
    square = isinstance(node, Map) and node.function == "power" and getattr(node.args[1], "value", None) == 2
    return node.args[0] if isinstance(node, Map) and square else None


def _mean(node: Node) -> Node | None:
    """Give u where the node is sum(u)/n."""
    if not (isinstance(node, Map) and node.function == "divide"):
        return None
    a, b = node.args
    counts = isinstance(b, Leaf) and b.kind == "count"
    return a.body if counts and isinstance(a, Fold) and a.function == "sum" else None


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
        if Fraction(text) != value:
            return f"{value.numerator}/{value.denominator}", _MULTIPLY if value > 0 else _NEGATE - 1
    return text, _NEGATE if text.startswith("-") else _ATOM


# ---- SymPy -----------------------------------------------------------------------------------------------------------


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

    row = sympy.Dummy("row", integer=True, positive=True)
    rows = sympy.Symbol("n", integer=True, positive=True)
    written: dict[Node, Any] = {}
    depth: dict[Node, int] = {}  # of sums inside each other: each has an index of its own
    for part in reachable([node]):
        args = [written[a] for a in arguments(part)]
        depth[part] = max((depth[a] for a in arguments(part)), default=0)
        if isinstance(part, Leaf):
            written[part] = _sympy_leaf(part, row, rows)
        elif isinstance(part, Const):
            written[part] = _sympy_number(part.value)
        elif isinstance(part, Fold):
            depth[part] += 1
            letter = "ijkl"[depth[part] - 1] if depth[part] <= 4 else f"i{depth[part]}"
            index = sympy.Symbol(letter, integer=True, positive=True)
            written[part] = _sympy_fold(part, args[0].xreplace({row: index}), (index, 1, rows))
        elif isinstance(part, Map) and part.function == "power":
            written[part] = _sympy_power(*args)
        elif isinstance(part, Map):
            known = FUNCTIONS[part.function]
            written[part] = known.sympy(sympy, *args) if known.sympy else sympy.Function(known.name)(*args)
    return written[node]


def _sympy_power(base: Any, exponent: Any) -> Any:
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


# ---- LaTeX -----------------------------------------------------------------------------------------------------------


def to_latex(expression: Any) -> str:
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


@cache
def _latex_printer() -> Any:
    import sympy
    from sympy.printing.latex import LatexPrinter

    class Printer(LatexPrinter):
        def _print_Symbol(self, expr: Any, style: str = "plain") -> str:  # noqa: N802 - SymPy's names
            # lambda_ is spelt so only because Python has taken the word.
            name = expr.name[:-1] if keyword.iskeyword(expr.name[:-1]) else expr.name
            return str(super()._print_Symbol(sympy.Symbol(name), style))

        def _print_Indexed(self, expr: Any) -> str:  # noqa: N802
            name = self._print_Symbol(sympy.Symbol(str(expr.base.label)))
            indices = ",".join(self._print(i) for i in expr.indices)
            return f"{name[:-1]},{indices}}}" if name.endswith("}") and "_{" in name else f"{name}_{{{indices}}}"

        def _print_Mul(self, expr: Any) -> str:  # noqa: N802
            sums = [a for a in expr.args if isinstance(a, sympy.Sum)]
            rest = sympy.Mul(*(a for a in expr.args if a not in sums))
            if len(sums) != 1 or not rest.free_symbols <= {sums[0].limits[0][2]}:
                return str(super()._print_Mul(expr))
            sign, size = ("- ", -rest) if rest.could_extract_minus_sign() else ("", rest)
            return f"{sign}{'' if size == 1 else self._print(size) + ' '}{self._print(sums[0])}"

    return Printer()


# ---- derivatives as users hold them ----------------------------------------------------------------------------------


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
        return {name: to_text(node, tidy=True) for name, node in self._nodes.items()}

    def latex(self) -> str:
        """Give the gradient as LaTeX."""
        rows = [rf"\frac{{\partial f}}{{\partial {to_latex(symbol(n))}}} &= {to_latex(self[n])}" for n in self]
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
        return {pair: to_text(node, tidy=True) for pair, node in self._nodes.items()}

    def latex(self) -> str:
        """Give the Hessian as LaTeX."""
        return to_latex(self.matrix)

    def __repr__(self) -> str:
        shown = ", ".join(f"({a!r}, {b!r}): {self[a, b]}" for a, b in list(self._nodes)[:12])
        more = ", ..." if len(self._nodes) > 12 else ""
        return f"Hessian({', '.join(self.params[:12])}; {{{shown}{more}}})"

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"
