"""NumPy text of nodes.

Each node is written bottom-up as a `Piece`, once for each order of its axes; where an operand's axes do not fit, it is
transposed, or gets new axes by ``[:, None]``. Of several ways the cheapest is taken: see `pieces`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import permutations

from symgd.errors import UsageError
from symgd.graph import ROWS, Const, Fold, Graph, Leaf, Map, Matrix, Node, arguments, reachable
from symgd.graph.arrays import ONE
from symgd.views.contractions import write_contraction
from symgd.views.factors import write_product
from symgd.views.leaves import write_leaf
from symgd.views.matrices import write_matrix, write_running, write_stack
from symgd.views.patterns import Named, named, sizes_of
from symgd.views.pieces import (
    ADD,
    ATOM,
    COMPARE,
    KEPT,
    MATMUL,
    NEGATE,
    POWER,
    Piece,
    cheapest,
    merged,
    number_text,
    shape_text,
)
from symgd.views.products import Contraction, Factor, Guarded, Masked, Ones, Product, Products, nodes
from symgd.views.spelling import spelling, spelt
from symgd.views.sums import collected
from symgd.views.units import write_diagonal

_SIGNS = {"greater": ">", "greater_equal": ">=", "less": "<", "less_equal": "<=", "equal": "==", "not_equal": "!="}
_MOST = 6  # axes of an array


def to_text(
    node: Node, *, graph: Graph | None = None, axes: Sequence[str] = (), tidy: bool = False, numpy: bool = False
) -> str:
    """Write a node as a formula that reads back as the same function.

    Parameters
    ----------
    node : Node
        A node without grouped terms.
    graph : Graph, optional
        Where it was made; needed where it has other axes than the rows of data.
    axes : sequence of str
        The labels of its axes, in the order that the text is to give them.
    tidy : bool
        Whether factors are gathered, cancelled, and put in the order in which people write them: for derivatives.
    numpy : bool
        Whether only names that NumPy has are used, and those of ``scipy.special`` where it has none.

    Returns
    -------
    str

    Raises
    ------
    UsageError
        If it cannot be written as one NumPy expression.
    """
    writer = Writer(graph, [node], tidy=tidy, numpy=numpy)
    return writer.whole(node, tuple(axes)).text


class Writer:
    """Writes the nodes of one text."""

    def __init__(self, graph: Graph | None, roots: Collection[Node], *, tidy: bool, numpy: bool = False) -> None:
        self.graph = graph
        self.numpy = numpy
        self.tidy = tidy
        self.products = Products(graph, tidy=tidy)
        self.arrays = any(
            part.labels - {ROWS} or (isinstance(part, Leaf) and part.kind == "parameter" and part.index)
            for part in reachable(roots)
        )
        self._written: dict[tuple[Factor, tuple[str, ...]], Piece | None] = {}
        found, stack = set(roots), list(roots)
        while stack:  # what stands inside of a long product is not written on its own
            for piece in self._pieces(stack.pop()):
                if piece not in found:
                    found.add(piece)
                    stack.append(piece)
        # From the bottom up, so that nothing recurses deeply.
        for part in sorted(found, key=lambda n: n.number):
            if len(part.labels) > _MOST:
                raise UsageError(f"an array with {len(part.labels)} axes cannot be written as one NumPy expression")
            for order in permutations(sorted(part.labels)) if len(part.labels) < 4 else ():
                self.best(part, order)

    @cached_property
    def sizes(self) -> dict[str, tuple[int | None, ...]]:
        """The shapes of all inputs."""
        return sizes_of(self.graph)

    def length(self, label: str) -> int | None:
        """Give the length of a label; ``None`` where it is not known."""
        return self.products.length(label)

    def whole(self, node: Node, axes: tuple[str, ...]) -> Piece:
        """Write a node with all of some axes, whether it varies along them or not."""
        order = tuple(axis for axis in axes if axis != ONE)
        missing = frozenset(order or axes) - node.labels
        if missing:
            product = self.products.of(node)
            piece = self.product(replace(product, top=(*product.top, Ones(missing))), order or axes)
        else:
            piece = self.best(node, order)
        return piece.widened([axis != ONE for axis in axes]) if order and ONE in axes else piece

    # ---- one text for each order of the axes -----------------------------------------------------------------------

    def best(self, factor: Factor, order: tuple[str, ...]) -> Piece:
        """Write a factor with its axes in an order."""
        found = [p for p in (self._direct(factor, order),) if p]
        if len(order) > 1:
            turned = self._direct(factor, order[::-1])
            found += [turned.turned()] if turned else []
        return cheapest(found)

    def fitted(self, factor: Factor, target: Sequence[str]) -> Piece:
        """Write a factor as an operand of what has the axes ``target``."""
        order = tuple(label for label in target if label in factor.labels)
        kept = tuple(target[target.index(order[0]) :]) if order else ()
        if len(kept) == len(order) or isinstance(factor, Ones):
            return self.best(factor, order) if not isinstance(factor, Ones) else self._ones(kept, factor)
        found = [self.best(factor, order).widened([label in order for label in kept])]
        if isinstance(factor, Node) and (spread := self._spread(factor, kept)):
            found.insert(0, spread)
        return cheapest(found)

    def _spread(self, node: Node, target: tuple[str, ...]) -> Piece | None:
        """Write a node with axes that it lacks, if these can stand further inside."""
        if isinstance(node, Leaf):
            return write_leaf(self, node, target)
        inner: Iterable[Factor] = arguments(node)
        if isinstance(node, Fold | Matrix) or self.pattern(node):
            inner = ()
        if self.products.is_product(node) or self.products.opened(node):
            inner = self.products.of(node).factors()
        return self._node(node, target) if sum(bool(f.labels) for f in inner) < 2 else None

    def _direct(self, factor: Factor, order: tuple[str, ...]) -> Piece | None:
        key = factor, order
        if key not in self._written:
            if isinstance(factor, Node):
                self._written[key] = self._node(factor, order)
            elif isinstance(factor, Contraction):
                self._written[key] = write_contraction(self, factor, order)
            elif isinstance(factor, Masked):
                self._written[key] = self._masked(factor, order)
            elif isinstance(factor, Guarded):
                self._written[key] = self._guarded(factor, order)
            else:
                self._written[key] = self._ones(order, factor)
        return self._written[key]

    def _pieces(self, node: Node) -> Iterable[Node]:
        """Give the nodes whose text a node's text is made of."""
        pattern = self.pattern(node)
        if pattern:
            return (pattern.of,)
        if self.products.is_product(node) or self.products.opened(node):
            product = self.products.of(node)
            found = list(nodes(product.factors()))
            return found + [self.products.chain(f)[1] for f in found if isinstance(f, Fold) and product.means]
        return (self.products.chain(node)[1],) if isinstance(node, Fold) else arguments(node)

    def pattern(self, node: Node) -> Named | None:
        """Give the function of a whole array that a node spells out, and is written as."""
        pattern = named(self.graph, node)
        # Where the only axis is that of the rows, people write exp(a - logsumexp(a)).
        return None if pattern and "softmax" in pattern.name and not self.arrays else pattern

    # ---- nodes -----------------------------------------------------------------------------------------------------

    def _node(self, node: Node, target: tuple[str, ...]) -> Piece | None:
        if isinstance(node, Const):
            return Piece(*number_text(node.value))
        if isinstance(node, Leaf):
            return write_leaf(self, node, target)
        if isinstance(node, Matrix):
            return write_matrix(self, node, target)
        pattern = self.pattern(node)
        if pattern:
            return self._named(pattern, target)
        if self.products.is_product(node) or self.products.opened(node):
            return self.product(self.products.of(node), target)
        if isinstance(node, Fold):
            running = write_running(self, node, target)
            if running is not None:
                return running
            over, body = self.products.chain(node)
            return self.reduction(node.function, lambda order: self.best(body, order), over, node.labels, target)
        assert isinstance(node, Map)
        special = write_stack(self, node, target) or write_diagonal(self, node, target)
        if special is not None:
            return special
        if node.function == "add":
            return self._sum(
                collected(self, node, target) if self.tidy else [self.fitted(a, target) for a in node.args]
            )
        args = [self.fitted(arg, target) for arg in node.args]
        cost = sum(arg.cost for arg in args)
        if node.function == "power":
            return Piece(f"{args[0].inside(ATOM)}**{self._exponent(node, args[1])}", POWER, cost)
        if node.function in _SIGNS:
            a, b = (arg.inside(ADD) for arg in args)
            return Piece(f"{a} {_SIGNS[node.function]} {b}", COMPARE, cost)
        return self.applied(node.function, args)

    def applied(self, function: str, args: Sequence[Piece]) -> Piece:
        """Write a function of what is written."""
        own = spelling(function, numpy=self.numpy)
        if own is not None:
            return spelt(own, args)
        return Piece(f"{function}({', '.join(arg.text for arg in args)})", ATOM, sum(arg.cost for arg in args))

    def called(self, function: str) -> str:
        """Give the name of a function of whole arrays."""
        own = spelling(function, numpy=self.numpy)
        return own[0] if own else function

    def _exponent(self, node: Map, piece: Piece) -> str:
        if piece.level == NEGATE and any(isinstance(n, Leaf) and n.kind == "places" for n in reachable([node.args[0]])):
            return (
                f"{piece.text}.0" if piece.text[1:].isdigit() else piece.text
            )  # NumPy's integers take no negative one
        return piece.text if piece.level in (NEGATE, ATOM) else f"({piece.text})"

    def _sum(self, terms: Sequence[Piece]) -> Piece:
        if len(terms) == 1:
            return terms[0]
        texts = [term.inside(MATMUL) for term in terms]
        if self.tidy and texts[0].startswith("-"):  # a - b, not -b + a
            first = next((i for i, text in enumerate(texts) if not text.startswith("-")), 0)
            texts.insert(0, texts.pop(first))
        text = texts[0] + "".join(f" - {t[1:]}" if t.startswith("-") else f" + {t}" for t in texts[1:])
        return Piece(text, ADD, sum(term.cost for term in terms))

    def _ones(self, target: tuple[str, ...], ones: Ones) -> Piece:
        kept = target[min(target.index(label) for label in ones.labels) :]
        return Piece(f"ones({shape_text([self.length(a) if a and a in ones.labels else 1 for a in kept])})", ATOM)

    def _masked(self, masked: Masked, order: tuple[str, ...]) -> Piece:
        condition = self.fitted(masked.condition, order)
        branches = [self.product(branch, order) for branch in (masked.yes, masked.no)]
        text = f"where({condition.text}, {branches[0].text}, {branches[1].text})"
        return Piece(text, ATOM, condition.cost + sum(branch.cost for branch in branches))

    def _guarded(self, guarded: Guarded, order: tuple[str, ...]) -> Piece:
        """Write a divisor so that what is divided by it is 0 where it is 0."""
        of = self.best(guarded.of, order)
        return Piece(f"where({of.inside(ADD)} == 0, inf, {of.text})", ATOM, of.cost)

    # ---- reductions ------------------------------------------------------------------------------------------------

    def reduction(
        self, name: str, write: Callable[[tuple[str, ...]], Piece], over: Collection[str], labels: Collection[str],
        target: tuple[str, ...],
    ) -> Piece | None:  # fmt: skip
        """Write a reduction.

        Parameters
        ----------
        name : str
            The function.
        write : callable
            Writes what is reduced, its axes in a given order.
        over : collection of str
            The labels that it runs over.
        labels : collection of str
            Those that are left.
        target : tuple of str
            The axes of the result; labels that it has not are axes of length 1.

        Returns
        -------
        Piece or None
            ``None`` where the axes of length 1 are not those that it runs over.
        """
        order = tuple(label for label in target if label in labels)
        name = self.called(name)
        found = []
        if len(order) < len(target):
            slots = [place for place, label in enumerate(target) if label not in labels]
            if len(slots) != len(over):
                return None
            for filled in permutations(over):
                mapping = dict(zip(slots, filled, strict=True))
                body = write(tuple(mapping.get(place, label) for place, label in enumerate(target)))
                found.append(Piece(f"{name}({body.text}, axis={_axis(slots)}, keepdims=True)", ATOM, body.cost + KEPT))
            return cheapest(found)
        for axes in merged(order, tuple(over)):
            body = write(axes)
            places = [place for place, label in enumerate(axes) if label in over]
            if name == "sum" and not order and body.text.startswith("diagonal(") and body.level == ATOM:
                found.append(Piece(body.text.replace("diagonal", "trace", 1), ATOM, body.cost))
                continue
            axis = f", axis={_axis(places)}" if order else ""
            found.append(Piece(f"{name}({body.text}{axis})", ATOM, body.cost))
        return cheapest(found)

    def _named(self, pattern: Named, target: tuple[str, ...]) -> Piece | None:
        if pattern.name in ("softmax", "logsoftmax"):
            if set(target) != pattern.of.labels:
                return None
            inner = self.best(pattern.of, target)
            places = [place for place, label in enumerate(target) if label in pattern.over]
            axis = f", axis={_axis(places)}" if len(target) > 1 else ""
            return Piece(f"{self.called(pattern.name)}({inner.text}{axis})", ATOM, inner.cost)
        left = pattern.of.labels - pattern.over
        over = sorted(pattern.over)
        return self.reduction(pattern.name, lambda order: self.best(pattern.of, order), over, left, target)

    def product(self, product: Product, target: tuple[str, ...]) -> Piece:
        """Write a product as an operand of what has the axes ``target``."""
        return write_product(self, product, target)


def _axis(places: Sequence[int]) -> str:
    return str(places[0]) if len(places) == 1 else f"({', '.join(map(str, places))})"
