"""From the tree of a formula to nodes."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import NamedTuple, NoReturn

from symgd import language as fm
from symgd.errors import FormulaError, ShapeError
from symgd.graph import arrays, groups
from symgd.graph.array_functions import ARRAY_FUNCTIONS, average_over, rounded
from symgd.graph.arrays import ONE, Array, Cut, Item, Mask, Misfit
from symgd.graph.exact import LARGEST_EXPONENT, magnitude
from symgd.graph.graph import Graph
from symgd.graph.nodes import ROWS, Const, Leaf, Map, Node, Span, reachable
from symgd.language import Tree
from symgd.language.functions import FUNCTIONS

Lookup = Callable[[fm.Name], Node | Array]
Bounds = Callable[[Node], tuple[int, int]]

_COMPARISONS = {
    "<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal", "==": "equal", "!=": "not_equal",
}  # fmt: skip
MOST_FACTORS = 5000  # of one product
MOST_MATRICES = 50
MOST_LISTED = 32  # entries of a list that stands for an array: each place looks for its own among them
# Functions of constants that stay as they are, so that a gradient shows sqrt(2) and not 1.414...
_KEPT = ("sqrt", "log", "exp")


class NeedsShape(Exception):  # noqa: N818 - a question, not an error
    """A parameter whose shape was not given is used as an array; carries the shape that would do, if one is plain.

    ``reduced`` is the text of a reduction, such as ``mean(w)``, that means something else for a number than for an
    array, where nothing else in the formula tells which of them the parameter is.
    """

    def __init__(self, name: str, guess: tuple[int, ...] | None, reduced: str = "") -> None:
        super().__init__(name)
        self.name, self.guess, self.reduced = name, guess, reduced


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


def _exposed(trees: Sequence[Tree]) -> Iterator[fm.Name]:
    """Give the names whose axes the trees would have, were they arrays: of those that are reduced none is left."""
    stack = list(trees)[::-1]
    while stack:
        tree = stack.pop()
        if isinstance(tree, fm.Name):
            yield tree
        elif isinstance(tree, fm.Call) and tree.function in FUNCTIONS and FUNCTIONS[tree.function].kind == "reduction":
            continue
        elif not (isinstance(tree, fm.Attribute) and tree.name != "T"):
            stack += list(fm.children(tree))[::-1]


def _plain(node: Node) -> bool:
    """Tell whether a constant is made of numbers that people write, pi and e: sqrt(2*pi) stays what it is."""
    small = all(n.value == Fraction(n.value).limit_denominator(1000) for n in reachable([node]) if isinstance(n, Const))
    return small and node.constant is not None


def is_boolean(node: Node) -> bool:
    """Tell whether a node is a truth value."""
    return isinstance(node, Map) and FUNCTIONS[node.function].boolean


def as_number(graph: Graph, node: Node) -> Node:
    """Give 1 or 0 for a truth value, and any other node as it is."""
    return graph.map("where", node, graph.const(1), graph.const(0)) if is_boolean(node) else node


def _regrouping(tree: Tree) -> list[Tree]:
    """Give the parts of a tree whose axes are not just those of its operands, lined up."""
    found: list[Tree] = []
    for part in fm.walk(tree):
        if isinstance(part, fm.Call):
            row = FUNCTIONS.get(part.function)
            if row is not None and row.kind in ("reduction", "array"):
                found.append(part)
        elif isinstance(part, fm.Index | fm.Attribute) or (isinstance(part, fm.Product) and "@" in part.ops):
            found.append(part)
    return found


class _Axes(NamedTuple):
    """What a call says about axes: their positions, and whether they stay with length 1."""

    over: tuple[int, ...]
    keep: bool


class Reader:
    """Builds the nodes of one text."""

    def __init__(self, graph: Graph, text: str, lookup: Lookup, *, group: bool, strict: bool = True) -> None:
        self.strict = strict  # whether constants must be finite; in the table's own formulas their user sees to that
        self.graph = graph
        self.text = text
        self.lookup = lookup
        self.group = group
        self.undeclared: Collection[str] = ()
        self.reduced: NeedsShape | None = None
        self.bounds: Bounds | None = None
        self.flags: Collection[str] = ()
        self.masks: Collection[str] = ()
        self.keep = False
        # While a group's shape is read, what stands for the names and numbers of its first term, by their place.
        self.override: dict[int, Node] = {}

    # ---- errors ----------------------------------------------------------------------------------------------------

    def error(self, problem: str, tree: Tree, hint: str | None = None) -> FormulaError:
        """Make the error that points at a tree."""
        return FormulaError(problem, self.text, tree.start, tree.end, hint)

    def misfit(self, problem: str, start: int, end: int, operands: Sequence[Tree], hint: str | None = None) -> NoReturn:
        """Say that shapes do not fit; while the shape of a parameter among the operands is open, ask for it."""
        self.ask_at_once(operands)
        raise ShapeError(problem, self.text, start, end, hint)

    def ask_at_once(self, operands: Sequence[Tree]) -> None:
        """Ask for the shape of a parameter among the operands, if one is open."""
        for operand in operands:
            for name in fm.names(operand):
                if name in self.undeclared:
                    raise NeedsShape(name, None)

    def ask(self, tree: Tree, operands: Sequence[Tree], *values: Array) -> None:
        """Note that what is reduced has no axes, if it would have some were a parameter an array that may be one."""
        if self.reduced is None and self.undeclared and not any(value.axes for value in values):
            open_names = (n for n in _exposed(operands) if n.name in self.undeclared and not self._name(n).axes)
            name = next(open_names, None)
            self.reduced = NeedsShape(name.name, None, self.brief(tree)) if name else None

    def shown(self, tree: Tree, array: Array) -> str:
        """Write an operand down with its shape."""
        return f"'{self.brief(tree)}' with shape {arrays.shape(self.graph, array)}"

    def brief(self, tree: Tree) -> str:
        """Write an operand down, shortened."""
        text = " ".join(fm.source(self.text, tree).split())
        return text if len(text) <= 30 else text[:27] + "..."

    def _between(self, left: Tree, right: Tree) -> tuple[int, int]:
        """Give the place of the operator between two operands."""
        gap = self.text[left.end : right.start]
        if gap.strip() in ("", ","):  # the arguments of a call
            return left.start, right.end
        start = left.end + len(gap) - len(gap.lstrip())
        return start, left.end + len(gap.rstrip())

    # ---- values ----------------------------------------------------------------------------------------------------

    def value(self, tree: Tree) -> Array:
        """Give the array of a tree, refusing constants that are no real number."""
        array = self._READERS[type(tree)](self, tree)
        value = array.node.constant
        if self.strict and value is not None and not math.isfinite(value):
            what = "is not a real number" if value != value else "is infinite, or too large for float64"  # noqa: PLR0124
            raise self.error(
                f"the constant '{fm.source(self.text, tree)[:40]}' {what}", tree, "leave it out, or rewrite it"
            )
        if self.strict:
            self.graph.store.spans.setdefault(array.node.number, (tree.start, tree.end))
        return array

    def number(self, tree: Tree) -> Array:
        """Give an array that arithmetic can be done with: a truth value counts as 1 or 0."""
        return self.numbers(self.value(tree))

    def numbers(self, array: Array) -> Array:
        """Give 1 and 0 for truth values."""
        return Array(as_number(self.graph, array.node), array.axes)

    def condition(self, tree: Tree) -> Array:
        """Give truth values: a number holds where it is not 0."""
        return self._truth(*self.value(tree))

    def _truth(self, node: Node, axes: tuple[str, ...]) -> Array:
        return Array(node if is_boolean(node) else self.graph.map("not_equal", node, self.graph.const(0)), axes)

    def is_truth(self, node: Node) -> bool:
        """Tell whether NumPy would have True and False here: of a comparison, or of data that are so."""
        return is_boolean(node) or (isinstance(node, Leaf) and node.kind == "data" and node.name in self.flags)

    def operand(self, tree: Tree, operator: str) -> Array:
        """Give the truth values that stand beside and, or, not, &, | or ~; of numbers these mean something else.

        In Python ``2 or x`` is 2, and ``~x`` is ``-x - 1``.
        """
        array = self.value(tree)
        if not self.is_truth(array.node):
            brief = self.brief(tree)
            problem = f"'{operator}' wants conditions, and '{brief}' is a number"
            simple = isinstance(tree, fm.Name | fm.Number | fm.Call | fm.Index | fm.Attribute) or brief.startswith("(")
            condition = f"({brief} != 0)" if simple else f"(({brief}) != 0)"
            raise self.error(problem, tree, f"write {condition}; where(condition, a, b) chooses between numbers")
        return self._truth(*array)

    def no_truths(self, operator: str, trees: Sequence[Tree], values: Sequence[Array]) -> None:
        """Refuse an operation that NumPy does in another way where both operands are True and False."""
        if all(self.is_truth(value.node) for value in values):
            problem = f"'{operator}' of truth values is no arithmetic in NumPy"
            raise FormulaError(
                problem, self.text, trees[0].start, trees[-1].end, "write where(condition, 1, 0) for each"
            )

    def lined_up(self, trees: Sequence[Tree], values: Sequence[Array]) -> tuple[list[Node], tuple[str, ...]]:
        """Broadcast the operands of one operator or call."""
        if not any(value.axes for value in values):
            return [value.node for value in values], ()
        try:
            nodes, axes = arrays.broadcast(self.graph, *values)
            self._note_square(trees, values, axes)
            return nodes, axes
        except Misfit as problem:
            second = next(i for i in range(1, len(values)) if self._clashes(values[: i + 1]))
            first = next(i for i in range(second) if self._clashes((values[i], values[second])))
            before, after = trees[second - 1], trees[second]
            start, end = self._between(before, after)
            shown = f"{self.shown(trees[first], values[first])} and {self.shown(trees[second], values[second])}"
            hint = "axes are matched from the last one on, and must be equal or 1"
            self.misfit(f"{shown} {problem}", start, end, [t for tree in trees for t in _regrouping(tree)], hint)

    def _note_square(self, trees: Sequence[Tree], values: Sequence[Array], axes: tuple[str, ...]) -> None:
        """Note where a column beside a vector of the same length makes a square of them, though nothing says so."""
        if len(axes) != 2 or ONE in axes or arrays.size(self.graph, axes[0]) != arrays.size(self.graph, axes[1]):
            return
        column = next((i for i, v in enumerate(values) if len(v.axes) == 2 and v.axes[1] == ONE), None)
        vector = next((i for i, v in enumerate(values) if len(v.axes) == 1), None)
        if column is None or vector is None:
            return
        if any(isinstance(part, fm.NewAxis | fm.Bool) for t in (trees[column], trees[vector]) for part in fm.walk(t)):
            return  # x[:, None] - x is meant so
        (first, a), (second, b) = sorted((i, trees[i]) for i in (column, vector))
        shown = f"{self.shown(a, values[first])} and {self.shown(b, values[second])}"
        name = self.brief(trees[column])
        short = name if isinstance(trees[column], fm.Name) else f"({name})"
        row = self.brief(trees[vector])
        row = row if isinstance(trees[vector], fm.Name) else f"({row})"
        self.graph.store.notes[
            f"{shown} broadcast to {arrays.shape(self.graph, Array(self.graph.const(0), axes))}: every row meets every "
            f"other; write {short}[:, 0] to match them one by one, {row}[None, :] to mean this"
        ] = None

    def _clashes(self, values: Sequence[Array]) -> bool:
        try:
            arrays.broadcast(self.graph, *values)
        except Misfit:
            return True
        return False

    def mapped(self, function: str, trees: Sequence[Tree], values: Sequence[Array]) -> Array:
        """Apply a function element by element."""
        nodes, axes = self.lined_up(trees, values)
        return Array(self.graph.map(function, *nodes), axes)

    def no_divisor(self, operator: str, tree: Tree, value: Array) -> None:
        """Refuse a remainder by True or False, which is one of small whole numbers in NumPy: 0 for False."""
        if self.is_truth(value.node):
            raise self.error(f"a truth value is no divisor for '{operator}'", tree, "write where(condition, 1, 0)")

    def _one_shape(self, tree: fm.Compare | fm.Logical, word: str, values: Sequence[Array]) -> None:
        """Refuse arrays beside numbers where Python looks at the left side and may leave the right one out."""
        if len({len(value.axes) for value in values}) > 1:
            shown = self.shown(tree, max(values, key=lambda value: len(value.axes)))
            problem = f"'{word}' joins an array and a number in {shown}"
            raise self.error(problem, tree, "write & or |, with parentheses around each comparison")

    # ---- one method a kind of tree ---------------------------------------------------------------------------------

    def _number(self, tree: fm.Number) -> Array:
        return Array(self.override.get(tree.start) or self.graph.const(tree.value))

    def _name(self, tree: fm.Name) -> Array:
        found = self.override.get(tree.start) or self.lookup(tree)
        return found if isinstance(found, Array) else Array(found, tuple(sorted(found.labels)))

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
        start, end = self._between(*trees)
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
            self._one_shape(tree, tree.ops[0], ranks)
        nodes, axes = self.lined_up(tree.args, values)
        pairs = zip(tree.ops, nodes, nodes[1:], strict=False)
        return Array(self._all("logical_and", [self.graph.map(_COMPARISONS[op], a, b) for op, a, b in pairs]), axes)

    def _logical(self, tree: fm.Logical) -> Array:
        sign = {"and": "&", "or": "|"}[tree.op]
        typed = sign if sign in self.text[tree.args[0].end : tree.args[1].start] else tree.op
        values = [self.operand(arg, typed) for arg in tree.args]
        if typed == tree.op:
            self._one_shape(tree, typed, values)
        nodes, axes = self.lined_up(tree.args, values)
        return Array(self._all(f"logical_{tree.op}", nodes), axes)

    def _all(self, function: str, conditions: Sequence[Node]) -> Node:
        total = conditions[0]
        for condition in conditions[1:]:
            total = self.graph.map(function, total, condition)
        return total

    def _call(self, tree: fm.Call) -> Array:
        if tree.function not in FUNCTIONS:  # normal(), which only an update rule may read
            return self._name(fm.Name("normal()", start=tree.start, end=tree.end))
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

    # ---- axes ------------------------------------------------------------------------------------------------------

    def axes(self, tree: fm.Call, array: Array, default: Sequence[int] | None = None) -> _Axes:
        """Read ``axis=`` and ``keepdims=``; without an axis, all of them."""
        self.ask(tree, tree.args, array)
        given = dict(tree.keywords)
        keep = given.get("keepdims", fm.Bool(value=False))
        if not isinstance(keep, fm.Bool):
            raise self.error("'keepdims' must be True or False", keep, "write keepdims=True")
        axis = given.get("axis")
        if axis is None or isinstance(axis, fm.NewAxis):
            over = tuple(range(len(array.axes))) if default is None else tuple(default)
            return _Axes(over, keep.value)
        trees = axis.items if isinstance(axis, fm.Sequence) else (axis,)
        over = tuple(self.position(t, len(array.axes), tree.args) for t in trees)
        if len(set(over)) < len(over):
            self.misfit("an axis is named twice", axis.start, axis.end, tree.args, "name each axis once")
        return _Axes(over, keep.value)

    def position(self, tree: Tree, rank: int, operands: Sequence[Tree] = ()) -> int:
        """Read the number of an axis."""
        listed = ", ".join(self.brief(t) for t in (*operands[:1], tree))
        place = self.whole(tree, "an axis", f"for the entries of several, write a list: [{listed}]")
        if not -rank <= place < rank:
            has = "no axes" if rank == 0 else "only axis 0" if rank == 1 else f"axes 0 to {rank - 1}"
            shown = f"'{self.brief(operands[0])}'" if operands else "the array"
            self.misfit(f"axis {place} is out of bounds: {shown} has {has}", tree.start, tree.end, operands,
                        "axes are counted from 0, and -1 is the last" if rank else "leave the axis out")  # fmt: skip
        return place % rank

    def scalar(self, tree: Tree, what: str) -> Array:
        """Read one number, which may depend on anything."""
        array = self.number(tree)
        if array.axes:
            raise self.error(f"{what} must be one number", tree, "give a number, or a name that is one")
        return array

    def whole(self, tree: Tree, what: str, hint: str = "write it as a number, such as 0") -> int:
        """Read a whole number that must be known at once."""
        node = self.number(tree).node
        if isinstance(node, Leaf) and node.kind == "count" and self.graph.store.rows is not None:
            return self.graph.store.rows
        if not isinstance(node, Const) or node.value != int(node.value):
            raise self.error(f"{what} must be a whole number", tree, hint)
        spelt = fm.source(self.text, tree)
        if "arange" not in what and isinstance(tree, fm.Number) and not spelt.replace("_", "").isdecimal():
            raise self.error(f"{what} must be written as a whole number", tree, f"write {int(node.value)}")
        return int(node.value)

    def stretch(self, tree: Tree) -> str:
        """Read the length of a new axis: a number, or ``len(x)``; give its label."""
        node = self.number(tree).node
        if isinstance(node, Leaf) and node.kind == "count":
            return ROWS
        length = self.whole(tree, "a length")
        if length < 1:
            raise self.error("a length must be at least 1", tree, "leave the array out")
        return ONE if length == 1 else self.graph.label(length)

    def filled(self, tree: Tree) -> tuple[str, ...]:
        """Read the shape of a new array; give the labels of its axes."""
        axes: list[str] = []
        for item in tree.items if isinstance(tree, fm.Sequence) else (tree,):
            axis = self.stretch(item)
            length = arrays.size(self.graph, axis)
            axes.append(self.graph.label(length, axes) if axis in axes and axis and length else axis)
        return tuple(axes)

    # ---- shapes and indices ----------------------------------------------------------------------------------------

    def _attribute(self, tree: fm.Attribute) -> Array:
        array = self.value(tree.value)
        if tree.name == "T":
            return arrays.transpose(array)
        if tree.name == "size":
            self.ask(tree, (tree.value,), array)
            average_over(self.graph, array, range(len(array.axes)))
            return Array(arrays.count(self.graph, array, range(len(array.axes))))
        if tree.name == "ndim":
            return Array(self.graph.const(len(array.axes)))
        raise self.error("a shape is not a number", tree, "write x.shape[0] for the number of rows")

    def _index(self, tree: fm.Index) -> Array:
        if isinstance(tree.value, fm.Attribute) and tree.value.name == "shape":
            array = self.value(tree.value.value)
            if len(tree.items) == 1:
                place = self.position(tree.items[0], len(array.axes), (tree.value.value,))
                return Array(arrays.count(self.graph, array, (place,)))
            raise self.error("a shape takes one whole number", tree, "write x.shape[0]")
        array = self.value(tree.value)
        used = sum(not isinstance(t, fm.Ellipsis_ | fm.NewAxis) for t in tree.items)
        try:
            arrays.check_rank(array, used)
            return arrays.pick(self.graph, array, self._items(tree, array))
        except Misfit as problem:
            start = tree.value.end
            self.misfit(
                f"{self.shown(tree.value, array)} {problem}",
                start,
                tree.end,
                (tree.value,),
                "leave an index out, or pick another",
            )

    def _items(self, tree: fm.Index, array: Array) -> list[Item]:
        items: list[Item] = []
        dots = [t for t in tree.items if isinstance(t, fm.Ellipsis_)]
        if len(dots) > 1:
            raise self.error("an index takes one '...' at most", dots[1], "write ':' for the others")
        used = sum(not isinstance(t, fm.Ellipsis_ | fm.NewAxis) for t in tree.items)
        axis = 0
        for item in tree.items:
            if isinstance(item, fm.Ellipsis_):
                items += [Cut()] * max(0, len(array.axes) - used)
                axis += max(0, len(array.axes) - used)
            elif isinstance(item, fm.NewAxis):
                items.append(None)
            else:
                items.append(self._item(item, array.axes[axis], tree.value))
                axis += 1
        return items

    def _item(self, tree: Tree, axis: str, base: Tree) -> Item:
        if isinstance(tree, fm.Slice):
            bounds = (None if t is None else self.whole(t, "a bound of a slice")
                      for t in (tree.lower, tree.upper, tree.step))  # fmt: skip
            cut = Cut(*bounds)
            if cut.step == 0:
                raise self.error(
                    "the step of a slice must not be 0", tree, "write x[::1] for every entry, x[::-1] backwards"
                )
            return cut
        node, axes = self.value(tree)
        if is_boolean(node) or (isinstance(node, Leaf) and node.kind == "data" and node.name in self.masks):
            return self._mask(Array(node, axes), tree, axis, base)
        if isinstance(node, Const) and not axes:
            return self.whole(tree, "an index")
        if node.active:
            raise self.error("an index must not depend on a parameter", tree, "give it as data")
        return Array(self._wrapped(node, tree, axis, base), axes)

    def _mask(self, array: Array, tree: Tree, axis: str, base: Tree) -> Mask:
        """Read a condition that picks places along an axis."""
        if array.node.active:
            hint = "which rows there are must be known from the data; write where(condition, x, 0)"
            raise self.error("a condition that picks rows must not depend on a parameter", tree, hint)
        if len(array.axes) != 1 or axis == ONE or array.axes[0] == ONE:
            raise self.error("a condition picks along one axis", tree, "write where(condition, x, 0)")
        own = array.axes[0]
        if axis in self.graph.store.selected or own in self.graph.store.selected:
            raise self.error("rows are picked once", tree, "join the conditions: x[(a > 0) & (b > 0)]")
        if arrays.size(self.graph, own) != arrays.size(self.graph, axis):
            problem = f"{self.shown(tree, array)} picks along an axis of length {arrays.size(self.graph, axis) or 'n'}"
            self.misfit(problem, tree.start, tree.end, (base,), "a condition has one truth value for each place")
        node = self.graph.substitute(array.node, {own: Span(axis)})
        return Mask(node if is_boolean(node) else self.graph.map("not_equal", node, self.graph.const(0)))

    def _wrapped(self, node: Node, tree: Tree, axis: str, base: Tree) -> Node:
        """Check an array that serves as an index; negative entries count from the end."""
        length = arrays.size(self.graph, axis)
        if self.bounds is None or length is None:
            return node
        try:
            low, high = self.bounds(node)
        except ValueError as problem:
            hint = "an index holds whole numbers; where(condition, x, 0) picks by a condition"
            raise self.error(str(problem), tree, hint) from None
        if low < -length or high >= length:
            worst = f"index {low if low < -length else high} is out of bounds for an axis of length {length}"
            self.misfit(worst, tree.start, tree.end, (base,), f"entries go from {-length} to {length - 1}")
        if low >= 0:
            return node
        graph = self.graph
        negative = graph.map("less", node, graph.const(0))
        return graph.map("where", negative, graph.add(node, graph.const(length)), node)

    def _sequence(self, tree: fm.Sequence) -> Array:
        """Read [a, b] as an array, as NumPy's functions do."""
        if len(tree.items) > MOST_LISTED:
            problem = f"a list of {len(tree.items):,} entries; at most {MOST_LISTED} are read as an array"
            raise self.error(problem, tree, "give it as data, or as a parameter with a shape")
        return ARRAY_FUNCTIONS["stack"](self, fm.Call("stack", (tree,), start=tree.start, end=tree.end))

    def _unexpected(self, tree: Tree) -> Array:
        raise self.error("this has no meaning here", tree, "leave it out")

    _READERS: Mapping[type[Tree], Callable[..., Array]] = {
        fm.Number: _number, fm.Name: _name, fm.Unary: _unary, fm.Sum: _sum, fm.Product: _product, fm.Power: _power,
        fm.Compare: _compare, fm.Logical: _logical, fm.Call: _call, fm.Attribute: _attribute, fm.Index: _index,
        fm.Sequence: _sequence, fm.Slice: _unexpected, fm.Bool: _unexpected, fm.NewAxis: _unexpected,
        fm.Ellipsis_: _unexpected, fm.Text: _unexpected,
    }  # fmt: skip
