"""From the tree of a formula to nodes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache

from symgd import formula as fm
from symgd.errors import FormulaError
from symgd.formula import Tree
from symgd.functions import FUNCTIONS
from symgd.graph import groups
from symgd.graph.exact import LARGEST_EXPONENT, magnitude
from symgd.graph.graph import Graph
from symgd.graph.nodes import ROWS, Const, Map, Node

Lookup = Callable[[fm.Name], Node]

_COMPARISONS = {
    "<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal", "==": "equal", "!=": "not_equal",
}  # fmt: skip
# Functions of constants that stay as they are, so that a gradient shows sqrt(2) and not 1.414...
_KEPT = ("sqrt", "log", "exp")


def read(graph: Graph, text: str, tree: Tree, lookup: Lookup, *, group: bool = True) -> Node:
    """Give the node of a tree.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    text : str
        The text that the tree was read from, for messages.
    tree : Tree
        What to read.
    lookup : callable
        Gives the node of a name.
    group : bool
        Whether long sums of terms of one shape become one term over an index table.

    Returns
    -------
    Node

    Raises
    ------
    FormulaError
        For a constant outside a function's domain, and for arithmetic that NumPy would refuse.
    """
    return Reader(graph, text, lookup, group=group).node(tree)


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
        What these stand for.

    Returns
    -------
    Node
    """

    def lookup(name: fm.Name) -> Node:
        return values[name.name] if name.name in values else graph.leaf("constant", name.name)

    return Reader(graph, text, lookup, group=False, strict=False).node(template(text))


def is_boolean(node: Node) -> bool:
    """Tell whether a node is a truth value."""
    return isinstance(node, Map) and FUNCTIONS[node.function].boolean


def as_number(graph: Graph, node: Node) -> Node:
    """Give 1 or 0 for a truth value, and any other node as it is."""
    return graph.map("where", node, graph.const(1), graph.const(0)) if is_boolean(node) else node


class Reader:
    """Builds the nodes of one text."""

    def __init__(self, graph: Graph, text: str, lookup: Lookup, *, group: bool, strict: bool = True) -> None:
        self.strict = strict  # whether constants must be finite; in the table's own formulas their user sees to that
        self.graph = graph
        self.text = text
        self.lookup = lookup
        self.group = group
        # While a group's shape is read, what stands for the names and numbers of its first term, by their place.
        self.override: dict[int, Node] = {}

    def error(self, problem: str, tree: Tree, hint: str | None = None) -> FormulaError:
        """Make the error that points at a tree."""
        return FormulaError(problem, self.text, tree.start, tree.end, hint)

    def node(self, tree: Tree) -> Node:
        """Give the node of a tree, refusing constants that are no real number."""
        node = self._READERS[type(tree)](self, tree)
        value = node.constant
        if self.strict and value is not None and not math.isfinite(value):
            what = "is not a real number" if value != value else "is infinite, or too large for float64"  # noqa: PLR0124
            raise self.error(f"the constant '{fm.source(self.text, tree)[:40]}' {what}", tree)
        if self.strict:
            self.graph.spans.setdefault(node.number, (tree.start, tree.end))
        return node

    def number(self, tree: Tree) -> Node:
        """Give a node that arithmetic can be done with: a truth value counts as 1 or 0."""
        return as_number(self.graph, self.node(tree))

    def condition(self, tree: Tree) -> Node:
        """Give a truth value: a number holds where it is not 0."""
        node = self.node(tree)
        return node if is_boolean(node) else self.graph.map("not_equal", node, self.graph.const(0))

    # ---- one method a kind of tree ---------------------------------------------------------------------------------

    def _number(self, tree: fm.Number) -> Node:
        return self.override.get(tree.start) or self.graph.const(tree.value)

    def _name(self, tree: fm.Name) -> Node:
        return self.override.get(tree.start) or self.lookup(tree)

    def _unary(self, tree: fm.Unary) -> Node:
        if tree.op == "not":
            return self.graph.map("logical_not", self.condition(tree.arg))
        node = self.node(tree.arg)
        if is_boolean(node):
            raise self.error("a truth value has no sign", tree, "write where(condition, 1, 0)")
        return node if tree.op == "+" else self.graph.negate(node)

    def _sum(self, tree: fm.Sum) -> Node:
        terms, rest = groups.collect(self, tree) if self.group else ([], list(zip(tree.args, tree.signs, strict=True)))
        truths = 0
        for arg, sign in rest:
            node = self.node(arg)
            truths += is_boolean(node)
            if truths > 1:
                raise self.error("truth values are not added up", tree, "write where(condition, 1, 0) for each")
            term = as_number(self.graph, node)
            terms.append(term if sign > 0 else self.graph.negate(term))
        return self.graph.add(*terms)

    def _product(self, tree: fm.Product) -> Node:
        total = self.number(tree.args[0])
        for op, arg in zip(tree.ops, tree.args[1:], strict=True):
            total = self._apply_operator(op, total, self.number(arg), arg)
            self._check_constant(total, tree)
        return total

    def _apply_operator(self, op: str, a: Node, b: Node, tree: Tree) -> Node:
        graph = self.graph
        if op == "*":
            return graph.multiply(a, b)
        if op != "@" and self.strict and b.constant == 0:
            raise self.error("division by zero", tree)
        if op == "/":
            return graph.divide(a, b)
        if op == "%":
            return graph.map("mod", a, b)
        if op == "//":
            return graph.map("floor_divide", a, b)
        if ROWS in a.labels and ROWS in b.labels:
            return graph.fold("sum", graph.multiply(a, b), ROWS)
        raise self.error("'@' needs two columns of data", tree, "write * for a product with a number")

    def _check_constant(self, node: Node, tree: Tree) -> None:
        if self.strict and node.constant is not None and not math.isfinite(node.constant):
            raise self.error("a constant in this product is infinite or no real number", tree)

    def _power(self, tree: fm.Power) -> Node:
        base, exponent = self.number(tree.base), self.number(tree.exponent)
        if isinstance(exponent, Const):
            n = exponent.value
            if magnitude(n) > LARGEST_EXPONENT:
                raise self.error(f"the exponent is larger than {LARGEST_EXPONENT:,}", tree.exponent)
            if not isinstance(base, Const):
                self._check_coefficient(float(n) * self._log_coefficient(base), tree)
        return self.graph.power(base, exponent)

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

    def _compare(self, tree: fm.Compare) -> Node:
        values = [self.number(arg) for arg in tree.args]
        pairs = zip(tree.ops, values, values[1:], strict=False)
        return self._all("logical_and", [self.graph.map(_COMPARISONS[op], a, b) for op, a, b in pairs])

    def _logical(self, tree: fm.Logical) -> Node:
        return self._all(f"logical_{tree.op}", [self.condition(arg) for arg in tree.args])

    def _all(self, function: str, conditions: list[Node]) -> Node:
        total = conditions[0]
        for condition in conditions[1:]:
            total = self.graph.map(function, total, condition)
        return total

    def _call(self, tree: fm.Call) -> Node:
        if tree.function not in FUNCTIONS:  # normal(), which only an update rule may read
            return self.lookup(fm.Name("normal()", start=tree.start, end=tree.end))
        row = FUNCTIONS[tree.function]
        if row.kind == "reduction":
            return self._reduction(tree)
        if row.name == "where":
            args = [self.condition(tree.args[0]), *(self.number(a) for a in tree.args[1:])]
        elif row.name.startswith("logical_"):
            args = [self.condition(a) for a in tree.args]
        else:
            args = [self.number(a) for a in tree.args]
        if row.kind == "alias":
            return instantiate(self.graph, row.definition, dict(zip("abc", args, strict=False)))
        if row.name == "power":
            return self._power(fm.Power(*tree.args, start=tree.start, end=tree.end))
        node = self.graph.map(row.name, *args)
        small = all(isinstance(a, Const) and a.value == Fraction(a.value).limit_denominator(1000) for a in args)
        if node.constant is not None and math.isfinite(node.constant) and not (row.name in _KEPT and small):
            return self.graph.const(node.constant)
        return node

    # ---- reductions ------------------------------------------------------------------------------------------------

    def _reduction(self, tree: fm.Call) -> Node:
        graph = self.graph
        values = [self.number(arg) for arg in tree.args]
        a = values[0]
        for name, value in tree.keywords:
            self._check_keyword(name, value)
        if tree.function == "dot":
            return self._apply_operator("@", a, values[1], tree.args[1])
        if tree.function == "len":
            return graph.count(ROWS) if ROWS in a.labels else graph.const(1)
        if tree.function in ("sum", "min", "max", "logsumexp"):
            return graph.fold(tree.function, a, ROWS) if ROWS in a.labels else a
        if tree.function == "norm":
            square = graph.power(a, graph.const(2))
            return graph.map("sqrt0", graph.fold("sum", square, ROWS)) if ROWS in a.labels else graph.map("abs", a)
        if tree.function == "mean":
            return self._mean(a)
        variance = self._mean(graph.power(graph.subtract(a, self._mean(a)), graph.const(2)))
        return graph.map("sqrt0", variance) if tree.function == "std" else variance

    def _mean(self, a: Node) -> Node:
        if ROWS not in a.labels:
            return a
        return self.graph.divide(self.graph.fold("sum", a, ROWS), self.graph.count(ROWS))

    def _check_keyword(self, name: str, value: Tree) -> None:
        whole = isinstance(value, fm.Number) and value.value == 0
        last = isinstance(value, fm.Unary) and isinstance(value.arg, fm.Number) and value.arg.value == 1
        if name == "axis" and not (whole or last or isinstance(value, fm.NewAxis)):
            raise self.error("columns of data have one axis, axis 0", value, "leave 'axis' out")
        if name == "keepdims" and value != fm.Bool(value=False):
            raise self.error("'keepdims' has no meaning for columns of data", value, "leave it out")

    # ---- shapes ----------------------------------------------------------------------------------------------------

    def _attribute(self, tree: fm.Attribute) -> Node:
        value = self.node(tree.value)
        if tree.name == "T":
            return value
        if tree.name == "size":
            return self.graph.count(ROWS) if ROWS in value.labels else self.graph.const(1)
        if tree.name == "ndim":
            return self.graph.const(len(value.labels))
        raise self.error("a shape is not a number", tree, "write x.shape[0] for the number of rows")

    def _index(self, tree: fm.Index) -> Node:
        if isinstance(tree.value, fm.Attribute) and tree.value.name == "shape":
            value = self.node(tree.value.value)
            if ROWS in value.labels and tree.items == (fm.Number(Fraction(0)),):
                return self.graph.count(ROWS)
        raise self.error("indexing is for arrays, and names here are numbers or columns of numbers", tree)

    def _unexpected(self, tree: Tree) -> Node:
        raise self.error("this has no meaning here", tree)

    _READERS: Mapping[type[Tree], Callable[..., Node]] = {
        fm.Number: _number, fm.Name: _name, fm.Unary: _unary, fm.Sum: _sum, fm.Product: _product, fm.Power: _power,
        fm.Compare: _compare, fm.Logical: _logical, fm.Call: _call, fm.Attribute: _attribute, fm.Index: _index,
        fm.Sequence: _unexpected, fm.Slice: _unexpected, fm.Bool: _unexpected, fm.NewAxis: _unexpected,
        fm.Ellipsis_: _unexpected,
    }  # fmt: skip
