"""From the tree of a formula to nodes."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction
from functools import cache
from itertools import pairwise

from symgd import language as fm
from symgd.graph import arrays
from symgd.graph.arrays import Array, Misfit
from symgd.graph.exact import LARGEST_EXPONENT, magnitude
from symgd.graph.graph import Graph
from symgd.graph.nodes import Const, Map, Node, reachable
from symgd.graph.reading import groups
from symgd.graph.reading.array_functions import ARRAY_FUNCTIONS, rounded
from symgd.graph.reading.axes import Axes
from symgd.graph.reading.indices import attribute, indexed
from symgd.graph.reading.messages import Lookup, NeedsShape
from symgd.graph.reading.values import as_number
from symgd.language import Tree
from symgd.language.functions import FUNCTIONS

Bounds = Callable[[Node], tuple[int, int]]

_COMPARISONS = {
    "<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal", "==": "equal", "!=": "not_equal",
}  # fmt: skip
MOST_FACTORS = 5000  # of one product
MOST_MATRICES = 50
MOST_LISTED = 32  # entries of a list that stands for an array: each place looks for its own among them
# Functions of constants that stay as they are, so that a gradient shows sqrt(2) and not 1.414...
_KEPT = ("sqrt", "log", "exp")


def read(
    graph: Graph, text: str, tree: Tree, lookup: Lookup, *, group: bool = True, undeclared: Collection[str] = (),
    bounds: Bounds | None = None, flags: Collection[str] = (), masks: Collection[str] = (), keep: bool = False,
) -> Array:  # fmt: skip
    """Give the array that a tree says.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    text : str
        The text that the tree was read from, for messages.
    tree : Tree
        What to read.
    lookup : callable
        Gives the array, or the node, of a name.
    group : bool
        Whether long sums of terms of one shape become one term over an index table.
    undeclared : collection of str
        Parameters whose shapes were not given: they are taken for numbers while that makes sense.
    bounds : callable, optional
        Gives the smallest and the largest value of a node that serves as an index; by default it is trusted.
    flags : collection of str
        Data that hold True and False, or whose values are not known: they may stand where a condition does.
    masks : collection of str
        Data that hold True and False for certain: they may pick rows.
    keep : bool
        Whether functions of constants stay as they are: a proof needs ``sqrt(2*pi)``, not 2.5066...

    Returns
    -------
    Array

    Raises
    ------
    FormulaError
        For a constant outside a function's domain, and for arithmetic that NumPy would refuse.
    ShapeError
        For shapes that do not go together.
    NeedsShape
        If a parameter in ``undeclared`` is used as an array.
    """
    reader = Reader(graph, text, lookup, group=group)
    reader.undeclared, reader.bounds, reader.keep = undeclared, bounds, keep
    reader.flags, reader.masks = flags, masks
    found = reader.value(tree)
    if reader.reduced is not None:  # asked last, since what follows may say it
        raise reader.reduced
    return found


@cache
def template(text: str) -> Tree:
    """Read a definition or partial derivative of the table, once."""
    return fm.parse(text, declared=("a", "b", "c", "y"))


def instantiate(graph: Graph, text: str, values: Mapping[str, Node]) -> Node:
    """Give the node of a formula of the table, its arguments put in.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    text : str
        A formula in ``a``, ``b``, ``c`` and ``y``.
    values : mapping of str to Node
        What these stand for; their labels are already matched.

    Returns
    -------
    Node
    """

    def lookup(name: fm.Name) -> Array:
        return Array(values[name.name] if name.name in values else graph.leaf("constant", name.name))

    return Reader(graph, text, lookup, group=False, strict=False).value(template(text)).node


def _plain(node: Node) -> bool:
    """Tell whether a constant is made of numbers that people write, pi and e: sqrt(2*pi) stays what it is."""
    small = all(n.value == Fraction(n.value).limit_denominator(1000) for n in reachable([node]) if isinstance(n, Const))
    return small and node.constant is not None


class Reader(Axes):
    """Builds the nodes of one text: one method a kind of tree."""

    def __init__(self, graph: Graph, text: str, lookup: Lookup, *, group: bool, strict: bool = True) -> None:
        super().__init__(graph, text, lookup, strict=strict)
        self.group = group
        self.bounds: Bounds | None = None
        self.masks: Collection[str] = ()
        self.keep = False

    def array(self, tree: Tree) -> Array:
        """Give the array of a tree, whatever it is."""
        return self._READERS[type(tree)](self, tree)

    def _number(self, tree: fm.Number) -> Array:
        return Array(self.override.get(tree.start) or self.graph.const(tree.value))

    def _unary(self, tree: fm.Unary) -> Array:
        if tree.op == "not":
            typed = "~" if self.text[tree.start : tree.arg.start].lstrip(" (\t\n").startswith("~") else "not"
            node, axes = self.operand(tree.arg, typed)
            if typed == "~" and node.constant is not None:
                raise self.error("'~' of numbers compared is -1 or -2 in Python", tree, "write not")
            return Array(self.graph.map("logical_not", node), axes)
        node, axes = self.value(tree.arg)
        if self.is_truth(node):
            raise self.error("a truth value has no sign", tree, "write where(condition, 1, 0)")
        return Array(node if tree.op == "+" else self.graph.negate(node), axes)

    def _sum(self, tree: fm.Sum) -> Array:
        signed = list(zip(tree.args, tree.signs, strict=True))
        grouped, rest = groups.collect(self, tree) if self.group else ([], signed)
        values, truths = [], 0
        for arg, _ in rest:
            node, axes = self.value(arg)
            truths += self.is_truth(node)
            if truths > 1:
                raise self.error("truth values are not added up", tree, "write where(condition, 1, 0) for each")
            values.append(Array(as_number(self.graph, node), axes))
        nodes, axes = self.lined_up([arg for arg, _ in rest], values)
        terms = [n if sign > 0 else self.graph.negate(n) for n, (_, sign) in zip(nodes, rest, strict=True)]
        return Array(self.graph.add(*grouped, *terms), axes)

    def _product(self, tree: fm.Product) -> Array:
        factors = [arg for arg in tree.args if not isinstance(arg, fm.Number)]
        if len(factors) > MOST_FACTORS:
            problem = f"a product of {len(factors):,} factors; at most {MOST_FACTORS:,} are read"
            hint = "float64 holds no product of so many numbers: write the sum of their logarithms, or exp of it"
            raise self.error(problem, factors[MOST_FACTORS], hint)
        if tree.ops.count("@") > MOST_MATRICES:
            problem = f"a product of more than {MOST_MATRICES} matrices"
            raise self.error(problem, tree.args[MOST_MATRICES], "give a part of it as data")
        total = self.value(tree.args[0])
        left: Tree = tree.args[0]
        for op, arg in zip(tree.ops, tree.args[1:], strict=True):
            right = self.value(arg)
            if op == "@":
                self.no_truths(op, (left, arg), (total, right))
            elif op in ("%", "//"):
                self.no_divisor(op, arg, right)
            total = self._apply_operator(op, (left, arg), (self.numbers(total), self.numbers(right)))
            left = fm.Product((left, arg), (op,), start=tree.start, end=arg.end)
            if self.strict and total.node.constant is not None and not math.isfinite(total.node.constant):
                raise self.error("a constant in this product is infinite or no real number", tree, "scale its factors")
        return total

    def _apply_operator(self, op: str, trees: tuple[Tree, Tree], values: tuple[Array, Array]) -> Array:
        if op == "@":
            return self.matmul(trees, values)
        if op != "*" and self.strict and values[1].node.constant == 0:
            raise self.error("division by zero", trees[1], "leave it out; a limit such as sin(x)/x is read as it is")
        (a, b), axes = self.lined_up(trees, values)
        name = {"*": "multiply", "/": "divide", "%": "mod", "//": "floor_divide"}[op]
        return Array(self.graph.map(name, a, b), axes)

    def matmul(self, trees: tuple[Tree, Tree], values: tuple[Array, Array]) -> Array:
        """Multiply as ``@`` does."""
        a, b = values
        start, end = self.between(*trees)
        for tree, value, inner in ((trees[0], a, b.axes[-2:-1] or b.axes), (trees[1], b, a.axes[-1:])):
            if isinstance(tree, fm.Name) and tree.name in self.undeclared and not value.axes:
                length = arrays.size(self.graph, inner[0]) if inner else None
                raise NeedsShape(tree.name, (length,) if length else None)
        try:
            return arrays.matmul(self.graph, a, b)
        except Misfit as problem:
            shown = f"{self.shown(trees[0], a)} and {self.shown(trees[1], b)}"
            hint = "the two must be equal" if a.axes and b.axes else "write * for a product with a number"
            self.misfit(f"{shown} {problem}", start, end, trees, hint)

    def _power(self, tree: fm.Power) -> Array:
        trees = (tree.base, tree.exponent)
        (base, exponent), axes = self.lined_up(trees, [self.number(t) for t in trees])
        if isinstance(exponent, Const):
            n = exponent.value
            if magnitude(n) > LARGEST_EXPONENT:
                raise self.error(
                    f"the exponent is larger than {LARGEST_EXPONENT:,}", tree.exponent, "write exp(n*log(x))"
                )
            if not isinstance(base, Const):
                self._check_coefficient(float(n) * self._log_coefficient(base), tree)
        return Array(self.graph.power(base, exponent), axes)

    def _log_coefficient(self, node: Node) -> float:
        """Give the logarithm of the number in front, through powers: that of ((3*x)**5)**7 is 35*log(3)."""
        factor, rest = self.graph.split(node)
        size = math.log(magnitude(factor)) if factor != 0 else 0.0
        if isinstance(rest, Map) and rest.function == "power" and isinstance(rest.args[1], Const):
            size += float(rest.args[1].value) * self._log_coefficient(rest.args[0])
        return size

    def _check_coefficient(self, size: float, tree: Tree) -> None:
        """The derivatives raise the number in front too, so that it must stay a number of float64."""
        if abs(size) > 700:
            what = "large" if size > 0 else "small"
            problem = f"the coefficient raised to this power is too {what} for float64"
            raise self.error(problem, tree, "scale the variable instead")

    def _compare(self, tree: fm.Compare) -> Array:
        values = [self.number(arg) for arg in tree.args]
        if len(values) > 2:
            ranks = [Array(a.node, max(a.axes, b.axes, key=len)) for a, b in pairwise(values)]
            self.one_shape(tree, tree.ops[0], ranks)
        nodes, axes = self.lined_up(tree.args, values)
        pairs = zip(tree.ops, nodes, nodes[1:], strict=False)
        return Array(self._all("logical_and", [self.graph.map(_COMPARISONS[op], a, b) for op, a, b in pairs]), axes)

    def _logical(self, tree: fm.Logical) -> Array:
        sign = {"and": "&", "or": "|"}[tree.op]
        typed = sign if sign in self.text[tree.args[0].end : tree.args[1].start] else tree.op
        values = [self.operand(arg, typed) for arg in tree.args]
        if typed == tree.op:
            self.one_shape(tree, typed, values)
        nodes, axes = self.lined_up(tree.args, values)
        return Array(self._all(f"logical_{tree.op}", nodes), axes)

    def _all(self, function: str, conditions: Sequence[Node]) -> Node:
        total = conditions[0]
        for condition in conditions[1:]:
            total = self.graph.map(function, total, condition)
        return total

    def _call(self, tree: fm.Call) -> Array:
        if tree.function not in FUNCTIONS:  # normal(), which only an update rule may read
            return self.name(fm.Name("normal()", start=tree.start, end=tree.end))
        row = FUNCTIONS[tree.function]
        if row.kind in ("reduction", "array"):
            return ARRAY_FUNCTIONS[row.name](self, tree)
        if row.name == "power":
            return self._power(fm.Power(*tree.args, start=tree.start, end=tree.end))
        if row.name == "where":
            args = [self.condition(tree.args[0]), *(self._branch(a) for a in tree.args[1:])]
        elif row.name.startswith("logical_"):
            args = [self.condition(a) for a in tree.args]
        else:
            found = [self.value(a) for a in tree.args]
            if row.name in ("mod", "floor_divide"):
                self.no_divisor(row.name, tree.args[1], found[1])
            args = [self.numbers(a) for a in found]
        nodes, axes = self.lined_up(tree.args, args)
        if row.kind == "alias":
            return Array(instantiate(self.graph, row.definition, dict(zip("abc", nodes, strict=False))), axes)
        if tree.keywords:  # round(x, 2)
            return rounded(self, tree, Array(nodes[0], axes))
        node = self.graph.map(row.name, *nodes)
        kept = row.name in _KEPT and all(map(_plain, nodes)) and not float(node.constant or 0).is_integer()
        kept |= self.keep
        if node.constant is not None and math.isfinite(node.constant) and not kept:
            return Array(self.graph.const(node.constant), axes)
        return Array(node, axes)

    def _branch(self, tree: Tree) -> Array:
        """Read a branch of where(), which may be infinite: what is left out of a smallest or largest element."""
        name = tree.arg if isinstance(tree, fm.Unary) and tree.op == "-" else tree
        if isinstance(name, fm.Name) and name.name == "inf":
            found = self.lookup(name)
            node = found.node if isinstance(found, Array) else found
            if node.constant == math.inf:
                return Array(node if name is tree else self.graph.negate(node))
        return self.number(tree)

    def _sequence(self, tree: fm.Sequence) -> Array:
        """Read [a, b] as an array, as NumPy's functions do."""
        if len(tree.items) > MOST_LISTED:
            problem = f"a list of {len(tree.items):,} entries; at most {MOST_LISTED} are read as an array"
            raise self.error(problem, tree, "give it as data, or as a parameter with a shape")
        return ARRAY_FUNCTIONS["stack"](self, fm.Call("stack", (tree,), start=tree.start, end=tree.end))

    def _unexpected(self, tree: Tree) -> Array:
        raise self.error("this has no meaning here", tree, "leave it out")

    _READERS: Mapping[type[Tree], Callable[..., Array]] = {
        fm.Number: _number, fm.Name: Axes.name, fm.Unary: _unary, fm.Sum: _sum, fm.Product: _product, fm.Power: _power,
        fm.Compare: _compare, fm.Logical: _logical, fm.Call: _call, fm.Attribute: attribute, fm.Index: indexed,
        fm.Sequence: _sequence, fm.Slice: _unexpected, fm.Bool: _unexpected, fm.NewAxis: _unexpected,
        fm.Ellipsis_: _unexpected, fm.Text: _unexpected,
    }  # fmt: skip
