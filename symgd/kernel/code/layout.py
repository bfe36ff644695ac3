"""Where generated code finds its inputs.

Up to `UNROLLED` parameters that are single numbers live in local variables, which the compiler keeps in registers, and
functions return tuples; beyond, and where parameters are arrays or gathered, they live in one flat vector, and
functions fill vectors. Data arrays are flat too, row after row. Generated code holds mangled names only, so that a
parameter may be called ``x``, ``np`` or ``lambda_``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from symgd.graph import ROWS, Leaf, Matrix, Node, Span
from symgd.kernel.code.forms import Argument, At, Call, Expression, Name, Number, of, total
from symgd.parameters import Shapes
from symgd.records import dataclass

UNROLLED = 16


class Column(NamedTuple):
    """A data array as code reads it: by rows, where ``shape`` has those of one row, or as a whole."""

    name: str
    rows: bool
    shape: tuple[int, ...]
    dtype: str  # NumPy's name

    @property
    def width(self) -> int:
        """Numbers in a row, or in all."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Layout:
    """The inputs of one objective.

    Parameters
    ----------
    params : tuple of str
        The parameters, in order.
    shapes : tuple of tuple of int
        Theirs; ``()`` for a number.
    columns : tuple of Column
        The data arrays that are read, in order.
    scalars : tuple of str
        Data that are single numbers, in order.
    tables : tuple of tuple
        Index tables (of parameters' names) and tables of numbers.
    unrolled : bool
        Whether parameters are local variables.
    counted : bool
        Whether the number of rows is read.
    numbered : bool
        Whether the rows' own numbers are read.
    vectorised : bool
        Whether anything that is computed varies along a label.
    """

    params: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    columns: tuple[Column, ...]
    scalars: tuple[str, ...]
    tables: tuple[tuple[object, ...], ...]
    unrolled: bool
    counted: bool
    numbered: bool = False
    vectorised: bool = False

    @cached_property
    def point_shapes(self) -> Shapes:
        """The parameters with their shapes."""
        return Shapes(self.params, self.shapes)

    @property
    def size(self) -> int:
        """Length of the flat vector."""
        return self.point_shapes.size

    def table(self, entries: tuple[object, ...]) -> str:
        """Give the name of a table."""
        return f"_k{self.tables.index(entries)}"

    def point(self, letter: str = "x") -> list[Argument]:
        """Give the arguments that hold the point (``x``) or a direction (``v``)."""
        if self.unrolled:
            return [Argument(f"_{letter}{i}", "number") for i in range(len(self.params))]
        return [Argument(f"_{letter}", "float64")]

    def arrays(self, *, rows: bool = False) -> list[Argument]:
        """Give the arguments that hold arrays of data: columns, the rows' numbers, tables; or only those of rows."""
        columns = [Argument(f"_d{i}", column.dtype) for i, column in enumerate(self.columns) if column.rows or not rows]
        kinds = ["int64" if isinstance(table[0], str) else "float64" for table in self.tables]
        tables = [Argument(f"_k{i}", kind) for i, kind in enumerate(kinds) if not rows]
        return [*columns, *([Argument("_id", "int64")] if self.numbered else []), *tables]

    def widths(self) -> list[int]:
        """Give the numbers in a row of each array of rows."""
        return [*(column.width for column in self.columns if column.rows), *([1] if self.numbered else [])]

    def staging(self) -> list[Argument]:
        """Give the arguments that hold the rows of one batch, for each array of rows."""
        return [Argument(f"_m{a.name[1:]}", a.kind) for a in self.arrays(rows=True)]

    def memory(self) -> list[Argument]:
        """Give the arguments that are working memory: what passes leave to each other, and that of a block."""
        return [] if self.unrolled else [Argument("_mem", "float64"), Argument("_buf", "float64")]

    def data(self) -> list[Argument]:
        """Give the arguments behind the point: the number of rows, single numbers, arrays, working memory."""
        return [
            *([Argument("_n", "whole")] if self.counted else []),
            *(Argument(f"_c{i}", "number") for i in range(len(self.scalars))),
            *self.arrays(),
            *self.memory(),
        ]

    def column(self, leaf: Leaf) -> int:
        """Give the place of the data array that a leaf reads."""
        rows = leaf.index[0] == Span(ROWS)
        return next(i for i, c in enumerate(self.columns) if (c.name, c.rows) == (leaf.name, rows))

    def is_float(self, leaf: Leaf) -> bool:
        """Tell whether a leaf with an index is read as float64 as it stands."""
        return (
            bool(leaf.table)
            or leaf.kind in ("parameter", "direction")
            or (leaf.kind == "data" and self.columns[self.column(leaf)].dtype == "float64")
        )

    # ---- access ----------------------------------------------------------------------------------------------------

    def number(self, leaf: Leaf) -> Expression:
        """Give the code of a leaf without an index."""
        if leaf.kind == "count":
            return Call("float", "_n")
        if leaf.kind == "data":
            return Name(f"_c{self.scalars.index(leaf.name)}")
        letter = "x" if leaf.kind == "parameter" else "v"
        return Name(f"_{letter}{self.point_shapes.starts[leaf.name]}")

    def source(self, leaf: Leaf) -> str:
        """Give the name of the array that a leaf with an index reads."""
        if leaf.kind == "data":
            return f"_d{self.column(leaf)}"
        if leaf.kind == "numbers":
            return self.table(leaf.table)
        return "_x" if leaf.kind == "parameter" else "_v"

    def element(self, leaf: Leaf, offset: Expression, *, unsigned: bool = False) -> Expression:
        """Give the code that reads a leaf with an index at a place in its array, as a float."""
        value = At(self.source(leaf), offset, unsigned=unsigned)
        if leaf.kind == "data" and self.columns[self.column(leaf)].dtype == "bool":
            return of(1.0) * value  # Numba has no float(True)
        return value if self.is_float(leaf) else Call("float", value)

    def offset(
        self, leaf: Leaf, place: Callable[[str], Expression], value: Callable[[Node], Expression]
    ) -> Expression:  # fmt: skip
        """Give the code of where in its array a leaf is read.

        Parameters
        ----------
        leaf : Leaf
            With an index.
        place : callable
            Gives the code of the place along a label.
        value : callable
            Gives the code of a node's value, a whole number.

        Returns
        -------
        Expression
        """
        if leaf.table:
            (span,) = leaf.index
            assert isinstance(span, Span)
            here = place(span.label)
            return here if leaf.kind == "numbers" else At(self.table(leaf.table), here)
        steps = self.strides(leaf)
        fixed = self.point_shapes.starts[leaf.name] if leaf.kind in ("parameter", "direction") else 0
        terms: list[Expression] = []
        for index, step in zip(leaf.index, steps, strict=True):
            if isinstance(index, int):
                fixed += index * step
            elif isinstance(index, Span):
                row = index.label == ROWS and leaf.kind != "data"
                code = At("_id", place(ROWS)) if row else place(index.label)
                fixed += index.start * step
                terms.append(scaled(index.step * step, code))
            else:
                terms.append(scaled(step, value(index)))
        return total([*terms, *([Number(fixed)] if fixed or not terms else [])])

    def strides(self, leaf: Leaf) -> list[int]:
        """Give how far apart neighbours along each axis of a leaf's array are."""
        if leaf.kind == "places":  # the places themselves
            return [1]
        if leaf.kind == "data":
            column = self.columns[self.column(leaf)]
            shape = (0, *column.shape) if column.rows else column.shape
        else:
            shape = self.point_shapes[leaf.name]
        return [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]


def scaled(factor: int, code: Expression) -> Expression:
    """Write a multiple of a whole number."""
    return code if factor == 1 else of(factor) * code


def layout(
    params: Sequence[str], inputs: Sequence[Leaf | Matrix], shapes: Mapping[str, tuple[int, ...]] | None = None,
    data: Mapping[str, tuple[str, tuple[int, ...]]] | None = None,
) -> Layout:  # fmt: skip
    """Lay the inputs of an objective out.

    Parameters
    ----------
    params : sequence of str
        The parameters, in order.
    inputs : sequence of Leaf or Matrix
        All leaves, and elements of matrices, that any of the functions reads.
    shapes : mapping of str to tuple of int, optional
        Those of the parameters; by default they are numbers.
    data : mapping of str to (str, tuple of int), optional
        Type and shape of each data array; by default columns of float64.

    Returns
    -------
    Layout
    """
    sizes = shapes or {}
    leaves = [leaf for leaf in inputs if isinstance(leaf, Leaf)]
    used = [leaf for leaf in leaves if leaf.kind == "data"]
    tables = tuple(dict.fromkeys(leaf.table for leaf in leaves if leaf.table))
    columns = []
    for leaf in used:
        if leaf.index:
            rows = leaf.index[0] == Span(ROWS)
            dtype, shape = (data or {}).get(leaf.name, ("float64", (0,)))
            columns.append(Column(leaf.name, rows, shape[1:] if rows else shape, dtype))
    apart = [leaf for leaf in inputs if isinstance(leaf, Matrix) or leaf.kind in ("parameter", "direction", "places")]
    shaped = tuple(tuple(sizes.get(name, ())) for name in params)
    plain = not any(leaf.labels - {ROWS} for leaf in leaves) and not any(shaped)
    return Layout(
        tuple(params),
        shaped,
        tuple(dict.fromkeys(columns)),
        tuple(dict.fromkeys(leaf.name for leaf in used if not leaf.index)),
        tables,
        unrolled=len(params) <= UNROLLED and plain,
        counted=any(leaf.kind == "count" for leaf in leaves) or any(ROWS in leaf.labels for leaf in inputs),
        numbered=any(isinstance(i, Span) and i.label == ROWS for leaf in apart for i in leaf.index),
        vectorised=any(leaf.labels for leaf in inputs),
    )
