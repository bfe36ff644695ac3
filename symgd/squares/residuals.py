"""Residuals and their Jacobian, in numbers: over whole arrays, or over blocks of rows that are joined by their QR."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.data import Stored
from symgd.graph import ROWS, Graph, Leaf, Node, Span, arguments, is_zero, reachable
from symgd.graph.calculus import Entry, directional
from symgd.graph.tape import Arithmetic, Floats, Tape
from symgd.parameters import Shapes
from symgd.squares.factors import Factors, factors, joined
from symgd.squares.jacobian import by_row, by_rows, sliced
from symgd.squares.recognise import Term

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

BLOCK = 1 << 19  # numbers of a Jacobian that are held together
PAIRS, MOST = 60, 1 << 24  # parameters, and numbers of all products of two, up to which second derivatives are formed


class Squares:
    """An objective ``constant + r @ r`` by its residuals r.

    Parameters
    ----------
    graph : Graph
        Where nodes are made.
    terms : sequence of Term
        The sums of squares.
    constants : sequence of Term
        What no parameter reaches.
    shapes : mapping of str to tuple of int
        The parameters, in order.
    data : mapping of str to ndarray, Stored or float
        The data.
    """

    def __init__(
        self, graph: Graph, terms: Sequence[Term], constants: Sequence[Term],
        shapes: Mapping[str, tuple[int, ...]], data: Mapping[str, Any],
    ) -> None:  # fmt: skip
        self.terms = tuple(terms)
        self.shapes = Shapes.of(shapes)
        self.n = self.shapes.size
        self._graph, self._data, self._sizes = graph, data, graph.store.sizes()
        self.places = [_lengths(t, self._sizes) for t in self.terms]
        self.m = sum(math.prod(s) for s in self.places)
        self._tapes: dict[Any, Tape] = {}
        self.constant = sum(float(np.sum(self._product(t, (t.residual, *t.weights)))) for t in constants)
        self.scales = [self._scale(t) for t in self.terms]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the residuals, where all come from one sum; ``(m,)`` otherwise."""
        return self.places[0] if len(self.places) == 1 else (self.m,)

    def _product(self, term: Term, nodes: Sequence[Node]) -> Any:
        """Multiply inactive nodes, in the shape of a term."""
        total: Any = 1.0
        if nodes:
            tape = self.tape(nodes)
            values = tape.at({})
            for node in nodes:
                total = total * tape.arranged(values[node], ordered(term.labels))
        return total if term.labels == () else np.broadcast_to(total, _lengths(term, self._sizes))

    def _scale(self, term: Term) -> Any:
        """Give the square root of a term's weights: a number, or one for each residual."""
        with np.errstate(all="ignore"):
            labelled = any(node.labels for node in term.weights)
            product = self._product(term if labelled else Term(term.residual, term.weights, ()), term.weights)
            return np.sqrt(product)

    def tape(self, nodes: Sequence[Node]) -> Tape:
        """Give nodes of the residuals, or made from theirs, ready to be evaluated on the data."""
        return Tape(list(nodes), self._data, self._sizes)

    # ---- points ----------------------------------------------------------------------------------------------------

    def point(self, x: NDArray[Any]) -> dict[str, Any]:
        """Give a flat vector as values by name."""
        return self.shapes.split(x)

    # ---- residuals -------------------------------------------------------------------------------------------------

    def residuals(self, x: NDArray[Any], arithmetic: Arithmetic | None = None) -> NDArray[Any]:
        """Give the residuals at a point.

        Parameters
        ----------
        x : ndarray, shape (n,)
            The point.
        arithmetic : Arithmetic, optional
            What to compute with; by default floats.

        Returns
        -------
        ndarray, shape (m,)
        """
        tape = self._tape("value", [t.residual for t in self.terms], arithmetic)
        return self._read(tape, tape.at(self.point(x)), self.scales)

    def _tape(self, kind: Any, nodes: Sequence[Node], arithmetic: Arithmetic | None) -> Tape:
        key = kind, arithmetic
        if key not in self._tapes:
            # Derivatives may have labels that the formula had not.
            sizes = self._graph.store.sizes() | self._sizes
            self._tapes[key] = Tape(list(nodes), self._data, sizes, arithmetic or Floats())
        return self._tapes[key]

    def _read(self, tape: Tape, values: Mapping[Node, Any], scales: Sequence[Any]) -> NDArray[Any]:
        parts = []
        for term, shape, scale in zip(self.terms, self.places, scales, strict=True):
            with np.errstate(all="ignore"):
                value = tape.arranged(values[term.residual], ordered(term.labels)) * scale
            parts.append(np.broadcast_to(value, shape).ravel())
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    # ---- the Jacobian ----------------------------------------------------------------------------------------------

    @cached_property
    def entries(self) -> list[tuple[Entry, ...] | None]:
        """The Jacobian of each term, as nodes; ``None`` where only directions will do."""
        return [by_row(self._graph, t.residual, frozenset(t.labels)) for t in self.terms]

    @cached_property
    def _along(self) -> list[Node]:
        """The derivative of each term's residuals along a direction."""
        return self._derivatives([t.residual for t in self.terms])

    def _derivatives(self, nodes: list[Node]) -> list[Node]:
        seeds: dict[Leaf, Node] = {}
        for leaf in reachable(nodes):
            if isinstance(leaf, Leaf) and leaf.kind == "parameter":
                seeds[leaf] = self._graph.leaf("direction", _direction(leaf.name), leaf.index, leaf.table)
        found = directional(self._graph, nodes, seeds)
        return [found[node] for node in nodes]

    def jacobian(
        self, x: NDArray[Any], arithmetic: Arithmetic | None = None, only: frozenset[str] | None = None
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Give residuals and Jacobian at a point.

        Parameters
        ----------
        x : ndarray, shape (n,)
            The point.
        arithmetic : Arithmetic, optional
            What to compute with; by default floats.
        only : frozenset of str, optional
            The parameters whose columns are wanted; the others may be 0.

        Returns
        -------
        r : ndarray, shape (m,)
        J : ndarray, shape (m, n)
        """
        wanted = [[e for e in found or () if only is None or e.leaf.name in only] for found in self.entries]
        nodes = [t.residual for t in self.terms]
        for entries in wanted:
            nodes += _nodes(entries)
        tape = self._tape(("slope", only), nodes, arithmetic)
        values = tape.at(self.point(x))
        r = self._read(tape, values, self.scales)
        J = np.zeros((self.m, self.n), dtype=r.dtype)
        low = 0
        for term, entries, shape, scale in zip(self.terms, wanted, self.places, self.scales, strict=True):
            block = J[low : low + math.prod(shape)]
            for entry in entries:
                self._scatter(block, tape, values, entry, term, shape, scale)
            low += len(block)
        if None in self.entries:
            self._fill(J, x, arithmetic)
        return r, J

    @property
    def stored(self) -> bool:
        """Whether some of the data are on disk."""
        return any(isinstance(values, Stored) for values in self._data.values())

    def _scatter(
        self, J: NDArray[Any], tape: Tape, values: Mapping[Node, Any], entry: Entry, term: Term,
        shape: tuple[int, ...], scale: Any,
    ) -> None:  # fmt: skip
        """Add what an entry says of a leaf to the columns that the leaf reads."""
        leaf, value = entry.leaf, values[entry.node]
        with np.errstate(all="ignore"):
            if not leaf.labels:
                column = self._column(tape, values, leaf)
                scaled = tape.arranged(value, ordered(term.labels)) * scale
                J[:, int(np.ravel(column)[0])] += np.broadcast_to(scaled, shape).ravel()
                return
            extra = sorted(leaf.labels - set(term.labels))
            wide = (*shape, *(self._sizes[label] for label in extra))
            along = [*ordered(term.labels), *extra]
            scaled = np.broadcast_to(tape.arranged(value, along), wide)
            scaled = scaled * np.reshape(scale, (*shape, *(1 for _ in extra)) if np.ndim(scale) else ())
            flat = scaled.reshape(len(J), -1)
            columns = np.asarray(tape.arranged(self._column(tape, values, leaf), along))
            if math.prod(columns.shape[: len(shape)]) == 1:  # the same for each residual
                here = np.broadcast_to(columns.reshape(columns.shape[len(shape) :]), wide[len(shape) :]).ravel()
                if len(set(here.tolist())) == len(here):
                    straight = np.array_equal(here, np.arange(here[0], here[0] + len(here)))
                    J[:, slice(here[0], here[0] + len(here)) if straight else here] += flat
                    return
            columns = np.broadcast_to(columns, wide).reshape(len(J), -1)
            np.add.at(J, (np.arange(len(J))[:, None], columns), flat)

    def _column(self, tape: Tape, values: Mapping[Node, Any], leaf: Leaf) -> NDArray[np.int64]:
        """Give the columns of the Jacobian that belong to what a leaf reads, along the labels of a tape."""
        total: Any = np.zeros([1] * len(tape.labels), dtype=np.int64)
        for index, length in zip(leaf.index, self.shapes[leaf.name], strict=True):
            if isinstance(index, Span):
                axis = [-1 if label == index.label else 1 for label in tape.labels]
                place: Any = (index.start + index.step * np.arange(self._sizes[index.label])).reshape(axis)
            else:
                place = (
                    index if isinstance(index, int) else np.asarray(values[index], dtype=np.float64).astype(np.int64)
                )
            total = total * length + np.where(np.asarray(place) < 0, np.asarray(place) + length, place)
        return total + self.shapes.starts[leaf.name]  # type: ignore[no-any-return]

    def _fill(self, J: NDArray[Any], x: NDArray[Any], arithmetic: Arithmetic | None) -> None:
        """Form the rows of a Jacobian that need it one direction at a time."""
        tape = self._tape("along", self._along, arithmetic)
        for k in range(self.n):
            values = tape.at(self.point(x) | _unit(self, k))
            low = 0
            for node, term, found, shape, scale in zip(
                self._along, self.terms, self.entries, self.places, self.scales, strict=True
            ):
                rows = slice(low, low + math.prod(shape))
                low = rows.stop
                if found is None:
                    value = tape.arranged(values[node], ordered(term.labels)) * scale
                    J[rows, k] = np.broadcast_to(value, shape).ravel()

    # ---- second derivatives ----------------------------------------------------------------------------------------

    @cached_property
    def _bent(self) -> list[tuple[Term, tuple[Entry, ...], list[Node]]]:
        """The derivative of the Jacobian along a direction."""
        found = []
        for term, entries in zip(self.terms, self.entries, strict=True):
            bent = self._derivatives([e.node for e in entries or ()])
            found.append((term, entries or (), bent))
        return found

    def second(self, x: Vector) -> Matrix | None:
        """Give the part of the Hessian that the Gauss-Newton matrix leaves out.

        Parameters
        ----------
        x : ndarray, shape (n,)
            The point.

        Returns
        -------
        ndarray, shape (n, n), or None
            The sum of each residual times its Hessian, so that the Hessian of ``r @ r`` is ``2*(J.T @ J + S)``;
            ``None`` where it is not formed.
        """
        if self.n > PAIRS or self.m * self.n**2 > MOST or None in self.entries:
            return None
        nodes = [t.residual for t in self.terms]
        for _, entries, bent in self._bent:
            nodes += [*_nodes(entries), *(n for n in bent if not is_zero(n))]
        tape = self._tape("second", nodes, None)
        S = np.zeros((self.n, self.n))
        for k in range(self.n):
            values = tape.at(self.point(x) | _unit(self, k))
            r = self._read(tape, values, self.scales)
            low = 0
            for (term, entries, bent), shape, scale in zip(self._bent, self.places, self.scales, strict=True):
                part = np.zeros((math.prod(shape), self.n))
                for entry, node in zip(entries, bent, strict=True):
                    if not is_zero(node):
                        self._scatter(part, tape, values, Entry(entry.leaf, node), term, shape, scale)
                with np.errstate(all="ignore"):
                    S[:, k] += part.T @ r[low : low + len(part)]
                low += len(part)
        return (S + S.T) / 2

    # ---- blocks of rows --------------------------------------------------------------------------------------------

    @cached_property
    def in_blocks(self) -> bool:
        """Whether the residuals are many, and rows of the data can be taken a block at a time."""
        return self.m * (self.n + 1) > BLOCK and by_rows(self.terms, self.entries)

    def _blocks(self) -> Iterator[Squares]:
        """Give the same residuals for one block of rows after the other; those without rows come first."""
        fixed = [i for i, term in enumerate(self.terms) if ROWS not in term.labels]
        if fixed:
            yield self._part(fixed, self._data, self._sizes, [self.scales[i] for i in fixed])
        moving = [i for i, term in enumerate(self.terms) if ROWS in term.labels]
        names, rows = sliced([self.terms[i] for i in moving]), self._sizes[ROWS]
        step = max(1, BLOCK * rows // (self.m * (self.n + 1)))
        for low in range(0, rows, step):
            high = min(low + step, rows)
            data = {k: _cut(v, low, high) if k in names else v for k, v in self._data.items()}
            scales = [self.scales[i][low:high] if np.ndim(self.scales[i]) else self.scales[i] for i in moving]
            yield self._part(moving, data, self._sizes | {ROWS: high - low}, scales)

    def _part(
        self, which: Sequence[int], data: Mapping[str, Any], sizes: Mapping[str, int], scales: list[Any]
    ) -> Squares:
        part = copy(self)
        part.terms = tuple(self.terms[i] for i in which)
        part.entries = [self.entries[i] for i in which]
        part.scales = scales
        places = [_lengths(t, sizes) for t in part.terms]
        part.m = sum(map(math.prod, places))
        part.__dict__.update(_data=data, _sizes=dict(sizes), _tapes={}, places=places)
        return part

    def normal(self, x: Vector) -> Factors:
        """Give what a step needs, a large Jacobian never formed as a whole where rows can be taken in blocks.

        Parameters
        ----------
        x : ndarray, shape (n,)
            The point.

        Returns
        -------
        Factors
        """
        if not self.in_blocks:
            return factors(*self.jacobian(x))
        return joined((part.jacobian(x) for part in self._blocks()), self.n)

    def rss(self, x: Vector) -> float:
        """Give the sum of the squared residuals at a point.

        Parameters
        ----------
        x : ndarray, shape (n,)
            The point.

        Returns
        -------
        float
        """
        with np.errstate(all="ignore"):
            parts = (part.residuals(x) for part in self._blocks()) if self.in_blocks else [self.residuals(x)]
            return float(sum(r @ r for r in parts))


def _lengths(term: Term, sizes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(sizes[label] for label in ordered(term.labels))


def ordered(labels: Sequence[str]) -> list[str]:
    """Give the labels of a term in the order of the residuals' axes: the rows first."""
    return sorted(labels, key=lambda label: label != ROWS)


def _direction(name: str) -> str:
    return f"along {name}"  # no name of a formula has a space


def _unit(squares: Squares, k: int) -> dict[str, Any]:
    """Give the direction of one parameter."""
    one = np.zeros(squares.n)
    one[k] = 1.0
    return {_direction(name): value for name, value in squares.point(one).items()}


def _nodes(entries: Sequence[Entry]) -> list[Node]:
    """Give the nodes of entries, those included that say which places they belong to."""
    return [n for e in entries for n in (e.node, *arguments(e.leaf))]


def _cut(values: Any, low: int, high: int) -> Any:
    return values.rows(low, high) if isinstance(values, Stored) else values[low:high]
