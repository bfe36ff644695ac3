"""Where generated code finds its inputs.

Up to `UNROLLED` parameters live in local variables, which the compiler keeps in registers, and functions return
tuples; beyond, and for gathered parameters, they live in arrays that functions fill. Generated code holds mangled names
only, so that a parameter may be called ``x``, ``np`` or ``lambda_``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from symgd.graph import Leaf

UNROLLED = 16


@dataclass(frozen=True)
class Layout:
    """The inputs of one objective.

    Parameters
    ----------
    params : tuple of str
        The parameters, in order.
    columns : tuple of str
        The data columns that are read, in order.
    scalars : tuple of str
        Data that are single numbers, in order.
    tables : tuple of tuple
        Index tables (of parameters' names) and tables of numbers.
    unrolled : bool
        Whether parameters are local variables.
    counted : bool
        Whether the number of rows is read.
    """

    params: tuple[str, ...]
    columns: tuple[str, ...]
    scalars: tuple[str, ...]
    tables: tuple[tuple[object, ...], ...]
    unrolled: bool
    counted: bool

    @cached_property
    def index(self) -> dict[str, int]:
        """The place of each parameter."""
        return {name: i for i, name in enumerate(self.params)}

    def parameter(self, name: str) -> str:
        """Give the code of a parameter."""
        return f"_x{self.index[name]}"

    def direction(self, name: str) -> str:
        """Give the code of a component of the direction."""
        return f"_v{self.index[name]}"

    def table(self, entries: tuple[object, ...]) -> str:
        """Give the name of a table."""
        return f"_k{self.tables.index(entries)}"

    def point(self, letter: str = "x") -> list[str]:
        """Give the arguments that hold the point (``x``) or a direction (``v``)."""
        return [f"_{letter}{i}" for i in range(len(self.params))] if self.unrolled else [f"_{letter}"]

    def data(self) -> list[str]:
        """Give the arguments that hold the data: the number of rows, columns, single numbers, tables."""
        return [
            *(["_n"] if self.counted else []),
            *(f"_d{i}" for i in range(len(self.columns))),
            *(f"_c{i}" for i in range(len(self.scalars))),
            *(f"_k{i}" for i in range(len(self.tables))),
        ]

    def access(self, leaf: Leaf, index: str) -> str:
        """Give the code that reads a leaf at a place along its label."""
        if leaf.kind == "count":
            return "float(_n)"
        if leaf.kind == "data":
            if not leaf.labels:
                return f"_c{self.scalars.index(leaf.name)}"
            return f"_d{self.columns.index(leaf.name)}[{index}]"
        if leaf.kind == "numbers":
            return f"{self.table(leaf.table)}[{index}]"
        if leaf.table:
            letter = "x" if leaf.kind == "parameter" else "v"
            return f"_{letter}[{self.table(leaf.table)}[{index}]]"
        return self.parameter(leaf.name) if leaf.kind == "parameter" else self.direction(leaf.name)


def layout(params: Sequence[str], leaves: Sequence[Leaf]) -> Layout:
    """Lay the inputs of an objective out.

    Parameters
    ----------
    params : sequence of str
        The parameters, in order.
    leaves : sequence of Leaf
        All leaves that any of the functions reads.

    Returns
    -------
    Layout
    """
    data = [leaf for leaf in leaves if leaf.kind == "data"]
    tables = tuple(dict.fromkeys(leaf.table for leaf in leaves if leaf.table))
    return Layout(
        tuple(params),
        tuple(dict.fromkeys(leaf.name for leaf in data if leaf.labels)),
        tuple(dict.fromkeys(leaf.name for leaf in data if not leaf.labels)),
        tables,
        unrolled=len(params) <= UNROLLED and not tables,
        counted=any(leaf.kind == "count" for leaf in leaves) or any(leaf.labels for leaf in data),
    )
