"""The graph of one objective: hash-consed nodes, and the arithmetic that makes them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from symgd.graph import entropy, flat, lengths, removable, series, stable
from symgd.graph.exact import Number, exact, fold_add, fold_multiply, fold_power, magnitude
from symgd.graph.nodes import ROWS, Const, Fold, Index, Leaf, Map, Matrix, Node, Span, arguments, is_zero
from symgd.language import scalar

FEW = 8  # places along a label that are looked at one by one


class Graph:
    """The nodes of one objective, and the arithmetic that makes new ones.

    While the user's formula is read (``derived`` is false) the arithmetic keeps what was written: ``0*log(x)`` stays,
    since NumPy too gives nan for it at x < 0. In derivatives it tidies: zeros vanish, equal terms are collected.
    """

    def __init__(self) -> None:
        self._nodes: dict[tuple[object, ...], Node] = {}
        self.derived = False
        self.lengths: dict[str, int] = {}  # of all labels but the rows'
        self.rows: int | None = None  # where the data are known
        self.spans: dict[int, tuple[int, int]] = {}
        self.averaged: set[int] = set()  # of how many terms, the rows left aside, the formula takes means
        self.gaps: frozenset[str] = frozenset()  # data with entries that are no numbers, for views
        self.notes: dict[str, None] = {}  # what is probably not meant, in the order of the text
        self.selected: dict[str, tuple[str, Node]] = {}  # see selections.selection
        self.booleans: frozenset[str] = frozenset()  # data that are truth values
        self.column = ""  # of the data, by which their number of rows is written
        self.logs: dict[Node, Node | None] = {}  # see stable.log_of
        self.outside: dict[tuple[Node, str], tuple[Node, Node] | None] = {}  # see _outside
        self.parts: dict[Node, tuple[Node, Node | None]] = {}  # see stable.parts
        self.singular: dict[Node, bool] = {}  # see flat.singular
        self.shielded: set[Node] = set()  # see flat.branches
        self.stable = True  # whether spellings are rewritten that lose digits
        self.guarded = True  # by shifts and branches too, which mean nothing but to float64; views go without
        self.seamed = True  # by branches that are one function: power series near where a quotient is 0/0
        self.seams: dict[Node, Node] = {}  # these branches, and what was written
        self.edges: set[Node] = set()  # their conditions
        self.fired: Counter[str] = Counter()  # how often each rewrite was

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes.values())

    def copy(self) -> Graph:
        """Give a graph of the same nodes, which grows on its own."""
        new = Graph()
        for name, value in vars(self).items():
            setattr(new, name, value.copy() if isinstance(value, dict | set) else value)
        return new

    def _intern(self, key: tuple[object, ...], make: Callable[[int], Node]) -> Node:
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = make(len(self._nodes))
        return node

    # ---- leaves ----------------------------------------------------------------------------------------------------

    def const(self, value: Number | int) -> Node:
        """Give the node of a number."""
        number = exact(Fraction(value) if isinstance(value, int) else value)
        key = ("const", number.hex() if isinstance(number, float) else number)
        return self._intern(key, lambda i: Const(i, frozenset(), False, float(number), number))

    def leaf(self, kind: str, name: str, index: Iterable[Index | str] = (), table: tuple[object, ...] = ()) -> Node:
        """Give the node of an input; a label in ``index`` stands for all places along it."""
        places = tuple(Span(i) if isinstance(i, str) else i for i in index)
        labels = [frozenset([i.label]) if isinstance(i, Span) else i.labels for i in places if not isinstance(i, int)]
        if kind == "data" and places and places[0] == Span(ROWS):
            self.column = self.column or name
        if kind == "places" and not isinstance(places[0], Span):
            return self.const(places[0]) if isinstance(places[0], int) else places[0]
        constant = {"pi": math.pi, "e": math.e}.get(name) if kind == "constant" else None
        return self._intern(
            ("leaf", kind, name, places, table),
            lambda i: Leaf(i, frozenset().union(*labels), kind == "parameter", constant, kind, name, places, table),
        )

    # ---- labels ----------------------------------------------------------------------------------------------------

    def label(self, length: int, taken: Collection[str] = ()) -> str:
        """Give a label of a length: the same for all axes of this length, but for those that are taken."""
        name = f"n{length}"
        while name in taken:
            name += "'"
        self.lengths[name] = length
        return name

    def length(self, label: str) -> int | None:
        """Give the number of places along a label; ``None`` for rows whose data are not known."""
        return self.rows if label == ROWS else None if label in self.selected else self.lengths[label]

    def sizes(self) -> dict[str, int]:
        """Give the lengths of all labels, the rows' too where it is known."""
        return self.lengths | ({ROWS: self.rows} if self.rows is not None else {})

    def substitute(self, node: Node, places: Mapping[str, Index]) -> Node:
        """Put indices in for labels, all at once: slices, gathers, transposes and single elements are all this."""
        wanted = {label: index for label, index in places.items() if index != Span(label)}
        return self._substitute(node, wanted, {})

    def _substitute(self, node: Node, places: dict[str, Index], known: dict[Any, Node]) -> Node:
        used = {label: index for label, index in places.items() if label in node.labels}
        if not used:
            return node
        key = (node, tuple(sorted((label, str(index) if isinstance(index, Span | int) else index.number)
                                  for label, index in used.items())))  # fmt: skip
        if key not in known:
            if isinstance(node, Leaf):
                index = tuple(self._at(i, used, known) for i in node.index)
                known[key] = self.leaf(node.kind, node.name, index, node.table)
            elif isinstance(node, Fold):
                known[key] = self._substitute_fold(node, used, known)
            elif isinstance(node, Matrix):  # its body has no label but those that it binds
                known[key] = self.matrix(node.function, node.body, [self._at(i, used, known) for i in node.index])
            else:
                assert isinstance(node, Map)
                known[key] = self.map(node.function, *(self._substitute(a, used, known) for a in node.args))
            if node in self.seams:
                self.seams[known[key]] = self._substitute(self.seams[node], used, known)
            if node in self.edges:
                self.edges.add(known[key])
        return known[key]

    def _substitute_fold(self, node: Fold, used: dict[str, Index], known: dict[Any, Node]) -> Node:
        """Put indices in inside of a fold, whose own label must not be mistaken for one of theirs."""
        free: set[str] = set()
        for index in used.values():
            free |= {index.label} if isinstance(index, Span) else set() if isinstance(index, int) else index.labels
        label = node.label
        inner = {k: v for k, v in used.items() if k != label}
        if label in free:
            length = self.length(label)
            assert length is not None
            label = self.label(length, free | node.body.labels)
            inner[node.label] = Span(label)
        return self.fold(node.function, self._substitute(node.body, inner, known), label)

    def _at(self, index: Index, places: dict[str, Index], known: dict[Any, Node]) -> Index:
        """Give one entry of a leaf's index with other indices put in for labels."""
        if isinstance(index, int):
            return index
        if isinstance(index, Node):
            node = self._substitute(index, places, known)
            return node if node.constant is None else int(node.constant)
        place = places.get(index.label)
        if place is None:
            return index
        if isinstance(place, Span):
            return Span(place.label, index.start + index.step * place.start, index.step * place.step)
        if isinstance(place, int):
            return index.start + index.step * place
        return place if (index.start, index.step) == (0, 1) else self.add(
            self.const(index.start), self.multiply(self.const(index.step), place)
        )  # fmt: skip

    def seam(self, node: Node, written: Node) -> Node:
        """Note that branches are one function, and what was written for it."""
        if node is not written:
            self.seams[node] = written
        return node

    def without_seams(self, root: Node) -> list[Node]:
        """Give the nodes that a root is made of, without the branches and shifts that mean nothing but to float64."""
        kept: dict[Node, bool] = {}
        stack = [root]
        while stack:
            node = stack.pop()
            if node in kept:
                continue
            shift = isinstance(node, Map) and node.function in ("held", "below")
            kept[node] = not shift and node not in self.seams
            stack += [self.seams[node]] if node in self.seams else arguments(node)[: -1 if shift else None]
        return [node for node, keep in kept.items() if keep]

    def signature(self) -> str:
        """Write all nodes down: equal texts are equal graphs."""
        lines = []
        for node in self:
            if isinstance(node, Const):
                lines.append(repr(node.value))
            elif isinstance(node, Leaf):
                index = [i.number if isinstance(i, Node) else i for i in node.index]
                lines.append(f"{node.kind} {node.name} {index} {node.table}")
            elif isinstance(node, Map):
                lines.append(f"{node.function} {[a.number for a in node.args]}")
            elif isinstance(node, Fold):
                lines.append(f"{node.function} {node.body.number} {node.label}")
            elif isinstance(node, Matrix):
                index = [i.number if isinstance(i, Node) else i for i in node.index]
                lines.append(f"{node.function} {node.body.number} {node.row} {node.column} {index}")
        return "\n".join([*lines, *map(repr, sorted(self.lengths.items()))])

    # ---- arithmetic ------------------------------------------------------------------------------------------------

    def add(self, *terms: Node) -> Node:
        """Add terms, collecting numbers and equal terms."""
        total: Number = Fraction(0)
        weights: dict[Node, Number] = {}
        for term in terms:
            if isinstance(term, Const):
                total = fold_add(total, term.value)
            else:
                factor, rest = self.split(term)
                weights[rest] = fold_add(weights[rest], factor) if rest in weights else factor
        parts = [self.scaled(w, rest) for rest, w in weights.items() if w != 0 or not self.derived]
        if total != 0 or not parts:
            # A number stands where it stood: 1 - x, not -x + 1.
            number = self.const(total)
            parts.insert(0 if terms and isinstance(terms[0], Const) else len(parts), number)
        if len(parts) == 1:
            return parts[0]
        return self._shortcut("add", tuple(parts)) or self._map("add", tuple(parts))

    def subtract(self, a: Node, b: Node) -> Node:
        """Take b from a."""
        return self.add(a, self.negate(b))

    def negate(self, a: Node) -> Node:
        """Give -a."""
        return self.multiply(self.const(-1), a)

    def split(self, node: Node) -> tuple[Number, Node]:
        """Take the number in front off a product."""
        if isinstance(node, Map) and node.function == "multiply" and isinstance(node.args[0], Const):
            return node.args[0].value, node.args[1]
        return Fraction(1), node

    def scaled(self, factor: Number, node: Node) -> Node:
        """Put a number in front of a node that has none."""
        if factor == 1:
            return node
        if self.derived and factor == 0:
            return self.const(0)
        return self._map("multiply", (self.const(factor), node))

    def multiply(self, a: Node, b: Node) -> Node:
        """Multiply; the number in front of a product stays in front."""
        if self.derived and (is_zero(a) or is_zero(b)):
            return self.const(0)
        if isinstance(a, Const) and isinstance(b, Const):
            return self.const(fold_multiply(a.value, b.value))
        if isinstance(b, Const):
            a, b = b, a
        if isinstance(a, Const):
            return self._scale(a.value, b)
        stable_form = self._shortcut("multiply", (a, b))
        if stable_form is not None:
            return stable_form
        if not self.derived:
            return self._map("multiply", (a, b))
        (p, x), (q, y) = self.split(a), self.split(b)
        factor = fold_multiply(p, q)
        for top, bottom in ((x, y), (y, x)):
            if isinstance(bottom, Map) and bottom.function == "divide" and isinstance(bottom.args[0], Const):
                return self._scale(fold_multiply(factor, bottom.args[0].value), self.divide(top, bottom.args[1]))
        chosen = self._into_branches(
            x, lambda n: self.multiply(n, y), deep=flat.singular(self, y)
        ) or self._into_branches(y, lambda n: self.multiply(x, n), deep=flat.singular(self, x))
        if chosen is not None:
            return self._scale(factor, chosen)
        return self._scale(factor, self._map("multiply", (x, y)))

    def _scale(self, factor: Number, node: Node) -> Node:
        """Multiply a node by a number, merging it with the one in front while nothing over- or underflows."""
        if isinstance(node, Const):
            return self.const(fold_multiply(factor, node.value))
        inner, rest = self.split(node)
        product = fold_multiply(factor, inner)
        if inner != 1 and not 1e-290 < magnitude(product) < 1e290 and product != 0:
            return self._map("multiply", (self.const(factor), node))
        if self.derived:
            chosen = self._into_branches(rest, lambda n: self._scale(product, n))
            if chosen is not None:
                return chosen
        return self.scaled(product, rest)

    def _into_branches(self, node: Node, change: Callable[[Node], Node], *, deep: bool = False) -> Node | None:
        """Apply ``change`` inside a where() one branch of which is 0.

        The derivative of ``where(x > 0, log(x), 0)`` must be ``where(x > 0, 1/x, 0)``, not ``where(x > 0, 1, 0)/x``,
        which is nan at 0. See `flat.branches` for what else is flat, where a factor that may be infinite goes in.
        """
        if isinstance(node, Map) and node.function == "where":
            condition, yes, no = node.args
            if is_zero(no):
                return self.map("where", condition, change(yes), no)
            if is_zero(yes):
                return self.map("where", condition, yes, change(no))
        return flat.branches(self, node, change) if deep else None

    def divide(self, a: Node, b: Node) -> Node:
        """Divide; by a number, multiply by its inverse."""
        if self.derived and is_zero(a):
            return a
        if isinstance(b, Const) and b.value != 0:
            inverse = fold_power(b.value, Fraction(-1))
            if 1e-300 < magnitude(inverse) < 1e300:
                return self.multiply(self.const(inverse), a)
        if self.derived:
            factor, rest = self.split(a)
            chosen = self._into_branches(rest, lambda n: self.divide(n, b), deep=b.active and not lengths.never_zero(b))
            if chosen is not None:
                return self._scale(factor, chosen)
            if factor != 1 and not isinstance(a, Const):
                return self._scale(factor, self.divide(rest, b))
        return self._shortcut("divide", (a, b)) or self._map("divide", (a, b))

    def power(self, a: Node, b: Node) -> Node:
        """Raise a to b."""
        if isinstance(b, Const):
            if b.value == 0 and (self.derived or not a.labels):  # a column of ones is still a column
                return self.const(1)
            if b.value == 1:
                return a
            if isinstance(a, Const):
                return self.const(fold_power(a.value, b.value))
        if isinstance(a, Leaf) and a.kind == "constant" and a.name == "e":
            return self.map("exp", b)
        return self._shortcut("power", (a, b)) or self._map("power", (a, b))

    # ---- functions and folds ---------------------------------------------------------------------------------------

    def map(self, function: str, *args: Node) -> Node:
        """Apply a function of the table; spellings that overflow or lose digits become the stable function."""
        arithmetic: dict[str, Callable[..., Node]] = {
            "add": self.add, "multiply": self.multiply, "divide": self.divide, "power": self.power,
        }  # fmt: skip
        if function in arithmetic:
            return arithmetic[function](*args)
        if function == "where":
            return self._where(*args)
        if function == "log" and isinstance(args[0], Const) and args[0].value == 1:
            return self.const(0)
        return self._shortcut(function, args) or self._map(function, args)

    def _where(self, condition: Node, yes: Node, no: Node) -> Node:
        if condition.constant is not None:
            return yes if condition.constant else no
        if yes is no and (self.derived or condition.labels <= yes.labels):
            return yes
        return self._map("where", (condition, yes, no))

    def raw(self, function: str, *args: Node) -> Node:
        """Apply a function as it stands, without looking for a better form."""
        return self._map(function, args)

    def raw_fold(self, function: str, body: Node, label: str) -> Node:
        """Reduce over a label that the body has, as it stands."""
        return self._fold(function, body, label)

    def same(self, node: Node, args: tuple[Node, ...]) -> Node:
        """Give a map, fold or matrix like another, of other arguments."""
        if isinstance(node, Map):
            return node if args == node.args else self._map(node.function, args)
        if isinstance(node, Matrix):
            rest = iter(args[1:])
            return self.matrix(node.function, args[0], [next(rest) if isinstance(i, Node) else i for i in node.index])
        assert isinstance(node, Fold)
        return node if args[0] is node.body else self._fold(node.function, args[0], node.label)

    def _shortcut(self, function: str, args: tuple[Node, ...]) -> Node | None:
        """Give the form that a node takes instead: one that overflows later, keeps its digits, or has no false kink."""
        if not self.stable:
            return None
        found = (family.rewrite(self, function, args) for family in (removable, stable, series, lengths, entropy))
        return next((node for node in found if node is not None), None)

    def _map(self, function: str, args: tuple[Node, ...]) -> Node:
        if function == "multiply":
            swapped = self._nodes.get(("map", function, args[1].number, args[0].number))
            if swapped is not None:
                return swapped
        return self._intern(
            ("map", function, *(a.number for a in args)),
            lambda i: Map(
                i,
                frozenset().union(*(a.labels for a in args)),
                any(a.active for a in args),
                constant_value(function, args),
                function,
                args,
            ),
        )

    def fold(self, function: str, body: Node, label: str) -> Node:
        """Reduce over a label. What does not vary along it stays outside of the sum."""
        if label not in body.labels:
            if function == "sum":
                return self.multiply(self.count(label), body)
            if function == "prod":
                return self.power(body, self.count(label))
            return body if function != "logsumexp" else self.add(body, self.map("log", self.count(label)))
        if function == "sum" and self.derived:
            factor, rest = self.split(body)
            if factor != 1:
                return self._scale(factor, self.fold(function, rest, label))
            there = self._single_place(body, label)
            if there is not None:
                return there
            factored = self._outside(body, label)
            if factored is not None:
                return self.multiply(factored[0], self.fold(function, factored[1], label))
        return self._fold(function, body, label)

    def _fold(self, function: str, body: Node, label: str) -> Node:
        return self._intern(
            ("fold", function, body.number, label),
            lambda i: Fold(i, body.labels - {label}, body.active, None, function, body, label),
        )

    def matrix(self, function: str, body: Node, index: Iterable[Index] = ()) -> Node:
        """Give a function of a square matrix, whose rows and columns lie along the labels of `square`."""
        places = tuple(index)
        row, column = self.square(max(self.lengths[label] for label in body.labels))
        labels = (frozenset([i.label]) if isinstance(i, Span) else i.labels for i in places if not isinstance(i, int))
        return self._intern(
            ("matrix", function, body.number, places),
            lambda i: Matrix(
                i, frozenset().union(*labels), body.active, None, function, body, row, column, places
            ),
        )  # fmt: skip

    def square(self, length: int) -> tuple[str, str]:
        """Give the labels of rows and columns inside of a `Matrix`, which nothing outside of it has."""
        names = f"m{length}", f"m{length}'"
        self.lengths.update(dict.fromkeys(names, length))
        return names

    def _single_place(self, body: Node, label: str) -> Node | None:
        """Give u[i] for the sum over j of where(j == i, u[j], 0): what is differentiated by a diagonal."""
        if isinstance(body, Map) and body.function == "add":
            terms = [(factor, self._single_place(rest, label)) for factor, rest in map(self.split, body.args)]
            found = [self._scale(factor, node) for factor, node in terms if node is not None]
            return self.add(*found) if len(found) == len(terms) else None
        if not isinstance(body, Map) or body.function != "where" or not any(map(is_zero, body.args[1:])):
            return None
        condition, inside, other = body.args
        if condition.labels == {label} and self.lengths.get(label, FEW + 1) <= FEW:
            return self._few_places(body, label)
        if not isinstance(condition, Map) or condition.function != "equal" or not is_zero(other):
            return None
        for here, other in (condition.args, condition.args[::-1]):
            if not (isinstance(here, Leaf) and isinstance(other, Leaf) and here.kind == other.kind == "places"):
                return None
            (own,), (there,) = here.index, other.index
            if own == Span(label) and isinstance(there, Span) and there == Span(there.label):
                whole = self.length(there.label) == self.length(label)
                return self.substitute(inside, {label: there}) if whole else None
        return None

    def _few_places(self, body: Map, label: str) -> Node | None:
        """Give the elements of a sum where their places alone say that all but one or two are 0, as in a stack."""
        condition = body.args[0]
        if not isinstance(condition, Map) or any(isinstance(a, Leaf) and a.kind != "places" for a in condition.args):
            return None
        found = [self.substitute(body, {label: place}) for place in range(self.lengths[label])]
        left = [node for node in found if not is_zero(node)]
        return self.add(*left) if len(left) <= 2 else None

    def _outside(self, body: Node, label: str) -> tuple[Node, Node] | None:
        """Take a factor off a product that varies, but not along a label: it need not be multiplied at each place."""
        key = body, label
        if key not in self.outside:
            self.outside[key] = self._find_outside(body, label)
        return self.outside[key]

    def _find_outside(self, body: Node, label: str) -> tuple[Node, Node] | None:
        if not isinstance(body, Map) or body.function != "multiply":
            return None
        a, b = body.args
        for fixed, rest in ((a, b), (b, a)):
            if fixed.labels and label not in fixed.labels:
                return fixed, rest
        for part, rest in ((a, b), (b, a)):
            inner = self._outside(part, label)
            if inner is not None:
                return inner[0], self.multiply(inner[1], rest)
        return None

    def count(self, label: str) -> Node:
        """Give the number of places along a label."""
        if label in self.selected:
            base, condition = self.selected[label]
            return self.fold("sum", self.map("where", condition, self.const(1), self.const(0)), base)
        return self.const(self.lengths[label]) if label in self.lengths else self.leaf("count", self.column)


def constant_value(function: str, args: tuple[Node, ...]) -> float | None:
    """Give the value of a function of constants; ``None`` when an argument is not one."""
    values = [a.constant for a in args]
    if any(v is None for v in values):
        return None
    return scalar.evaluate(function, [float(v) for v in values if v is not None])
