"""The arithmetic that makes nodes: as a formula is written, and tidy for derivatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from symgd.graph import entropy, flat, lengths, removable, series, stable
from symgd.graph.exact import Number, magnitude
from symgd.graph.forms import Forms
from symgd.graph.nodes import Const, Fold, Index, Leaf, Map, Matrix, Node, Span, is_zero
from symgd.graph.store import Store
from symgd.graph.substitution import Substitution

if TYPE_CHECKING:
    from symgd.graph.flat import Change

FEW = 8  # places along a label that are looked at one by one


class Graph:
    """The arithmetic that makes nodes, as a formula is written.

    It keeps what was written: ``0*log(x)`` stays, since NumPy too gives nan for it at x < 0. For derivatives
    there is `tidy`.

    Parameters
    ----------
    store : Store, optional
        Where nodes are kept; by default a new one.
    forms : Forms
        Which other forms of what is written are made.
    """

    derived = False

    def __init__(self, store: Store | None = None, forms: Forms = Forms.GUARDED) -> None:
        self.store = store = Store() if store is None else store
        self.forms = forms
        # Nodes and labels that are made just as they stand.
        self.const, self.leaf, self.matrix, self.raw, self.raw_fold = (
            store.const, store.leaf, store.matrix, store.map, store.fold
        )  # fmt: skip
        self.label, self.length = store.label, store.length

    def copy(self, forms: Forms | None = None) -> Graph:
        """Give a graph of the same nodes, which grows on its own; other forms may be made there."""
        return Graph(self.store.copy(), self.forms if forms is None else forms)

    @cached_property
    def tidy(self) -> Graph:
        """The arithmetic for derivatives, over the same nodes."""
        return Tidy(self.store, self.forms)

    @property
    def guarded(self) -> bool:
        """Whether shifts and branches keep numbers in the range of float64."""
        return self.forms >= Forms.GUARDED

    def substitute(self, node: Node, places: Mapping[str, Index]) -> Node:
        """Put indices in for labels, all at once."""
        return Substitution(self).of(node, {label: i for label, i in places.items() if i != Span(label)})

    # ---- arithmetic ------------------------------------------------------------------------------------------------

    def add(self, *terms: Node) -> Node:
        """Add terms, collecting numbers and equal terms."""
        numbers = self.store.numbers
        total: Number = Fraction(0)
        weights: dict[Node, Number] = {}
        for term in terms:
            if isinstance(term, Const):
                total = numbers.add(total, term.value)
            else:
                factor, rest = self.split(term)
                weights[rest] = numbers.add(weights[rest], factor) if rest in weights else factor
        parts = [self.scaled(w, rest) for rest, w in self._weighted(weights).items()]
        if total != 0 or not parts:
            # A number stands where it stood: 1 - x, not -x + 1.
            number = self.const(total)
            parts.insert(0 if terms and isinstance(terms[0], Const) else len(parts), number)
        return parts[0] if len(parts) == 1 else self._made("add", *parts)

    def _weighted(self, weights: dict[Node, Number]) -> dict[Node, Number]:
        return weights

    def subtract(self, a: Node, b: Node) -> Node:
        """Take b from a."""
        return self.add(a, self.negate(b))

    def negate(self, a: Node) -> Node:
        """Give -a."""
        return self.multiply(self.const(-1), a)

    @staticmethod
    def split(node: Node) -> tuple[Number, Node]:
        """Take the number in front off a product."""
        if isinstance(node, Map) and node.function == "multiply" and isinstance(node.args[0], Const):
            return node.args[0].value, node.args[1]
        return Fraction(1), node

    def scaled(self, factor: Number, node: Node) -> Node:
        """Put a number in front of a node that has none."""
        return node if factor == 1 else self.raw("multiply", self.const(factor), node)

    def multiply(self, a: Node, b: Node) -> Node:
        """Multiply; the number in front of a product stays in front."""
        if isinstance(a, Const) and isinstance(b, Const):
            return self.const(self.store.numbers.multiply(a.value, b.value))
        if isinstance(b, Const):
            a, b = b, a
        if isinstance(a, Const):
            return self.scale(a.value, b)
        return self._form("multiply", a, b) or self._product(a, b)

    def _product(self, a: Node, b: Node) -> Node:
        """Multiply what has no other form."""
        return self.raw("multiply", a, b)

    def scale(self, factor: Number, node: Node) -> Node:
        """Multiply a node by a number, merging it with the one in front while nothing over- or underflows."""
        numbers = self.store.numbers
        if isinstance(node, Const):
            return self.const(numbers.multiply(factor, node.value))
        inner, rest = self.split(node)
        product = numbers.multiply(factor, inner)
        if inner != 1 and not 1e-290 < magnitude(product) < 1e290 and product != 0:
            return self.raw("multiply", self.const(factor), node)
        return self._in_front(product, rest)

    def _in_front(self, factor: Number, node: Node) -> Node:
        return self.scaled(factor, node)

    def divide(self, a: Node, b: Node) -> Node:
        """Divide; by a number, multiply by its inverse."""
        if isinstance(b, Const) and b.value != 0:
            inverse = self.store.numbers.power(b.value, Fraction(-1))
            if 1e-300 < magnitude(inverse) < 1e300:
                return self.multiply(self.const(inverse), a)
        return self._quotient(a, b)

    def _quotient(self, a: Node, b: Node) -> Node:
        """Divide by what is no number."""
        return self._made("divide", a, b)

    def power(self, a: Node, b: Node) -> Node:
        """Raise a to b."""
        if isinstance(b, Const):
            if b.value == 0 and not a.labels:  # a column of ones is still a column
                return self.const(1)
            if b.value == 1:
                return a
            if isinstance(a, Const):
                return self.const(self.store.numbers.power(a.value, b.value))
        if isinstance(a, Leaf) and a.kind == "constant" and a.name == "e":
            return self.map("exp", b)
        return self._made("power", a, b)

    # ---- functions and folds ---------------------------------------------------------------------------------------

    def map(self, function: str, *args: Node) -> Node:
        """Apply a function of the table; spellings that overflow or lose digits become the stable function."""
        arithmetic: dict[str, Callable[..., Node]] = {
            "add": self.add, "multiply": self.multiply, "divide": self.divide, "power": self.power,
            "where": self._where,
        }  # fmt: skip
        if function in arithmetic:
            return arithmetic[function](*args)
        if function == "log" and isinstance(args[0], Const) and args[0].value == 1:
            return self.const(0)
        return self._made(function, *args)

    def _where(self, condition: Node, yes: Node, no: Node) -> Node:
        if condition.constant is not None:
            return yes if condition.constant else no
        if yes is no and condition.labels <= yes.labels:
            return yes
        return self.raw("where", condition, yes, no)

    def same(self, node: Node, args: tuple[Node, ...]) -> Node:
        """Give a map, fold or matrix like another, of other arguments."""
        if isinstance(node, Map):
            return node if args == node.args else self.raw(node.function, *args)
        if isinstance(node, Fold):
            return node if args[0] is node.body else self.raw_fold(node.function, args[0], node.label)
        assert isinstance(node, Matrix)
        rest = iter(args[1:])
        return self.matrix(node.function, args[0], [next(rest) if isinstance(i, Node) else i for i in node.index])

    def _made(self, function: str, *args: Node) -> Node:
        return self._form(function, *args) or self.raw(function, *args)

    def _form(self, function: str, *args: Node) -> Node | None:
        """Give the form that a node takes instead: one that overflows later, keeps its digits, or has no false kink."""
        if self.forms == Forms.TYPED:
            return None
        found = (family.rewrite(self, function, args) for family in (removable, stable, series, lengths, entropy))
        return next((node for node in found if node is not None), None)

    def fold(self, function: str, body: Node, label: str) -> Node:
        """Reduce over a label. What does not vary along it stays outside of the sum."""
        if label in body.labels:
            return self.raw_fold(function, body, label)
        if function == "sum":
            return self.multiply(self.count(label), body)
        if function == "prod":
            return self.power(body, self.count(label))
        return body if function != "logsumexp" else self.add(body, self.map("log", self.count(label)))

    def count(self, label: str) -> Node:
        """Give the number of places along a label."""
        store = self.store
        if label in store.selected:
            base, condition = store.selected[label]
            return self.fold("sum", self.map("where", condition, self.const(1), self.const(0)), base)
        return self.const(store.lengths[label]) if label in store.lengths else self.leaf("count", store.column)


class Tidy(Graph):
    """The arithmetic that makes the nodes of derivatives: zeros vanish, equal terms are collected.

    Parameters
    ----------
    store : Store
        Where nodes are kept.
    forms : Forms
        Which other forms of what is written are made.
    shielded : frozenset of Node
        Nodes that are multiplied as they are, flat or not: see `flat.branches`.
    """

    derived = True

    def __init__(self, store: Store, forms: Forms, shielded: frozenset[Node] = frozenset()) -> None:
        super().__init__(store, forms)
        self.shielded = shielded

    @property
    def tidy(self) -> Tidy:
        """The arithmetic for derivatives, which is the same."""
        return self

    def shielding(self, node: Node) -> Tidy:
        """Give the arithmetic that multiplies a node as it is."""
        return Tidy(self.store, self.forms, self.shielded | {node})

    # ---- arithmetic ------------------------------------------------------------------------------------------------

    def _weighted(self, weights: dict[Node, Number]) -> dict[Node, Number]:
        return {node: weight for node, weight in weights.items() if weight != 0}

    def scaled(self, factor: Number, node: Node) -> Node:
        """Put a number in front of a node that has none."""
        return self.const(0) if factor == 0 else super().scaled(factor, node)

    def multiply(self, a: Node, b: Node) -> Node:
        """Multiply; 0 times anything is 0."""
        return self.const(0) if is_zero(a) or is_zero(b) else super().multiply(a, b)

    def _product(self, a: Node, b: Node) -> Node:
        multiplied = self.store.numbers.multiply
        (p, x), (q, y) = self.split(a), self.split(b)
        factor = multiplied(p, q)
        for top, bottom in ((x, y), (y, x)):
            if isinstance(bottom, Map) and bottom.function == "divide" and isinstance(bottom.args[0], Const):
                return self.scale(multiplied(factor, bottom.args[0].value), self.divide(top, bottom.args[1]))
        chosen = self._into_branches(
            x, lambda g, n: g.multiply(n, y), deep=flat.singular(self, y)
        ) or self._into_branches(y, lambda g, n: g.multiply(x, n), deep=flat.singular(self, x))
        return self.scale(factor, self.raw("multiply", x, y) if chosen is None else chosen)

    def _in_front(self, factor: Number, node: Node) -> Node:
        chosen = self._into_branches(node, lambda g, n: g.scale(factor, n))
        return self.scaled(factor, node) if chosen is None else chosen

    def _into_branches(self, node: Node, change: Change, *, deep: bool = False) -> Node | None:
        """Apply ``change`` inside a where() one branch of which is 0.

        The derivative of ``where(x > 0, log(x), 0)`` must be ``where(x > 0, 1/x, 0)``, not ``where(x > 0, 1, 0)/x``,
        which is nan at 0. See `flat.branches` for what else is flat, where a factor that may be infinite goes in.
        """
        if isinstance(node, Map) and node.function == "where":
            condition, yes, no = node.args
            if is_zero(no):
                return self.map("where", condition, change(self, yes), no)
            if is_zero(yes):
                return self.map("where", condition, yes, change(self, no))
        return flat.branches(self, node, change) if deep else None

    def divide(self, a: Node, b: Node) -> Node:
        """Divide; 0 over anything is 0."""
        return a if is_zero(a) else super().divide(a, b)

    def _quotient(self, a: Node, b: Node) -> Node:
        factor, rest = self.split(a)
        infinite = b.active and not lengths.never_zero(b)
        chosen = self._into_branches(rest, lambda g, n: g.divide(n, b), deep=infinite)
        if chosen is not None:
            return self.scale(factor, chosen)
        if factor != 1 and not isinstance(a, Const):
            return self.scale(factor, self.divide(rest, b))
        return super()._quotient(a, b)

    def power(self, a: Node, b: Node) -> Node:
        """Raise a to b; to 0, it is 1."""
        return self.const(1) if isinstance(b, Const) and b.value == 0 else super().power(a, b)

    def _where(self, condition: Node, yes: Node, no: Node) -> Node:
        return yes if yes is no else super()._where(condition, yes, no)

    # ---- sums ------------------------------------------------------------------------------------------------------

    def fold(self, function: str, body: Node, label: str) -> Node:
        """Reduce over a label; what does not vary along it, or picks one place of it, stays outside of a sum."""
        if function == "sum" and label in body.labels:
            factor, rest = self.split(body)
            if factor != 1:
                return self.scale(factor, self.fold(function, rest, label))
            there = self._single_place(body, label)
            if there is not None:
                return there
            factored = self._outside(body, label)
            if factored is not None:
                return self.multiply(factored[0], self.fold(function, factored[1], label))
        return super().fold(function, body, label)

    def _single_place(self, body: Node, label: str) -> Node | None:
        """Give u[i] for the sum over j of where(j == i, u[j], 0): what is differentiated by a diagonal."""
        if isinstance(body, Map) and body.function == "add":
            terms = [(factor, self._single_place(rest, label)) for factor, rest in map(self.split, body.args)]
            found = [self.scale(factor, node) for factor, node in terms if node is not None]
            return self.add(*found) if len(found) == len(terms) else None
        if not isinstance(body, Map) or body.function != "where" or not any(map(is_zero, body.args[1:])):
            return None
        condition, inside, other = body.args
        if condition.labels == {label} and self.store.lengths.get(label, FEW + 1) <= FEW:
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
        found = [self.substitute(body, {label: place}) for place in range(self.store.lengths[label])]
        left = [node for node in found if not is_zero(node)]
        return self.add(*left) if len(left) <= 2 else None

    def _outside(self, body: Node, label: str) -> tuple[Node, Node] | None:
        """Take a factor off a product that varies, but not along a label: it need not be multiplied at each place."""
        known = self.store.memo(Tidy._outside)
        if (body, label) not in known:
            known[body, label] = self._find_outside(body, label)
        return known[body, label]

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
