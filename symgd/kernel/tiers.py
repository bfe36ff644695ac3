"""The two ways to run generated functions: as plain Python on lists, and compiled on arrays."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from symgd.data import Stored
from symgd.kernel import streams, threads
from symgd.kernel.code import STAGE, Program, Source, Text
from symgd.kernel.loading import Generated, Numbers, load_arrays, load_python, quietly
from symgd.records import dataclass

if TYPE_CHECKING:
    from symgd.kernel.machine.compile import Entry, Plan

Vector = NDArray[np.float64]
Column = NDArray[np.generic] | Stored
Input = Column | streams.Blocks | list[float] | float
Loop = Callable[..., tuple[int, int, float, int, int, int]]


@dataclass(frozen=True)
class Bound:
    """An objective's functions, and the data that they read.

    Parameters
    ----------
    program : Program
        The functions.
    numbers : list of float
        Data that are single numbers.
    columns : list of ndarray or Stored
        Arrays, flat.
    tables : list of ndarray
        Index tables, and tables of numbers.
    rows : int
        How many rows there are.
    workers : int
        Threads for data of many rows.
    """

    program: Program
    numbers: list[float]
    columns: list[Column]
    tables: list[NDArray[np.generic]]
    rows: int
    workers: int

    @property
    def n(self) -> int:
        """The number of parameters."""
        return self.program.layout.size

    @cached_property
    def stored(self) -> bool:
        """Whether an array stays on disk."""
        return any(isinstance(column, Stored) for column in self.columns)

    @cached_property
    def large(self) -> bool:
        """Whether the rows are enough for threads."""
        return self.stored or threads.is_large(self.program, self.rows)

    def inputs(self) -> list[Column | float]:
        """Give what the functions take behind the point."""
        layout = self.program.layout
        count = [self.rows] if layout.counted else []
        places = [np.arange(self.rows)] if layout.numbered else []
        return [*count, *self.numbers, *self.columns, *places, *self.tables]


class Tier(ABC):
    """The functions of an objective as one tier runs them.

    Parameters
    ----------
    bound : Bound
        The functions and their data.
    """

    name: str

    def __init__(self, bound: Bound) -> None:
        self.bound = bound
        self.unrolled = bound.program.layout.unrolled
        self._functions: dict[str, Generated] = {}
        self._loops: dict[str, Loop] = {}
        self._own = threading.local()

    def function(self, name: str) -> Generated:
        """Give one of the program's functions, loaded or compiled at its first use."""
        if name not in self._functions:
            self._functions[name] = self.load(name)
        return self._functions[name]

    def loop(self, source: Source) -> Loop:
        """Give the loop of a rule, as a function of arrays, which it fills; see `Kernel.loop`."""
        if source.key not in self._loops:
            self._loops[source.key] = self.load_loop(source)
        return self._loops[source.key]

    def inputs(self) -> list[Input]:
        """Give what functions take behind the point: data, and working memory, to each caller's thread its own."""
        if self.unrolled:
            return self._data
        if not hasattr(self._own, "memory"):
            self._own.memory = [self.array(np.zeros(size)) for size in self.memory()]
        return [*self._data, *self._own.memory]

    def memory(self) -> Sequence[int]:
        """Give how many numbers the functions' working memory has."""
        return self.bound.program.memory

    @cached_property
    def _data(self) -> list[Input]:
        return [a if isinstance(a, float | int) else self.array(a) for a in self.bound.inputs()]

    def evaluate(self, name: str, vectors: Sequence[Vector], out: Vector | None = None) -> float | Numbers:
        """Call a function at a point, and in a direction; what is more than numbers goes to ``out``."""
        function = self.function(name)
        if self.unrolled:
            return function(*[number for vector in vectors for number in vector.tolist()], *self.inputs())
        return self.fill(function, vectors, out)

    def staging(self, rest: Sequence[object], *, batched: bool) -> list[Input]:
        """Give room for the rows of one batch."""
        if not batched:
            return []
        size = min(int(rest[-2]), self.bound.rows)  # type: ignore[call-overload]
        layout = self.bound.program.layout
        kinds = [argument.kind for argument in layout.staging()]
        return [self.array(np.empty(size * w, dtype=kind)) for w, kind in zip(layout.widths(), kinds, strict=True)]

    @abstractmethod
    def array(self, values: Column) -> Input:
        """Give an array as the functions take it."""

    @abstractmethod
    def load(self, name: str) -> Generated:
        """Load one of the program's functions."""

    @abstractmethod
    def load_loop(self, source: Source) -> Loop:
        """Load the loop of a rule."""

    @abstractmethod
    def fill(self, function: Generated, vectors: Sequence[Vector], out: Vector | None) -> float | Numbers:
        """Call a function of vectors that fills one."""

    @abstractmethod
    def curvature(self, x: Vector, full: Vector) -> None:
        """Fill a matrix with the Hessian, where parameters live in a vector."""


class Plain(Tier):
    """Plain Python, on lists: NumPy's numbers are slow one by one, and warn of what overflows."""

    name = "python"

    def array(self, values: Column) -> Input:
        """Give a list."""
        assert isinstance(values, np.ndarray)  # what stays on disk is arrays
        numbers: list[float] = values.tolist()
        return numbers

    def load(self, name: str) -> Generated:
        """Run the text of a function, and of those that it calls."""
        return load_python(self.bound.program.functions, name)

    def fill(self, function: Generated, vectors: Sequence[Vector], out: Vector | None) -> float | Numbers:
        """Call a function of lists."""
        filled = [] if out is None else [[0.0] * len(out)]
        result = function(*[v.tolist() for v in vectors], *filled, *self.inputs())
        if out is not None:
            out[:] = filled[0]
        return result

    def curvature(self, x: Vector, full: Vector) -> None:
        """Fill a matrix with the Hessian."""
        n = len(x)
        self.function("curvature")(x.tolist(), [0.0] * n, [0.0] * n, full, *self.inputs())

    def load_loop(self, source: Source) -> Loop:
        """Run the text of a loop, and of the functions that it calls."""
        texts = source[self.name]
        loop = load_python((*self.bound.program.functions, *texts), "loop")
        return self.on_lists(loop, batched=source.batched)

    def on_lists(self, loop: Generated, *, batched: bool) -> Loop:
        """Give a loop on lists as a function of arrays."""
        n = self.bound.n

        def run(x: Vector, g: Vector, states: Sequence[Vector], h: Vector, *rest: object) -> float | Numbers:
            vectors = [x, g, *states, h]
            lists = [v.tolist() for v in vectors]
            scratch = [] if self.unrolled else [[0.0] * n, [0.0] * n]
            staging = self.staging(rest, batched=batched)
            result = loop(*lists[:2], *scratch, *lists[2:], *rest, *staging, *self.inputs())
            for vector, values in zip(vectors, lists, strict=True):
                vector[:] = values
            return result

        return run  # type: ignore[return-value]


class OnArrays(Tier):
    """Functions that take arrays as they are, and fill them."""

    def array(self, values: Column) -> Input:
        """Give the array as it is."""
        return values

    def fill(self, function: Generated, vectors: Sequence[Vector], out: Vector | None) -> float | Numbers:
        """Call a function of arrays."""
        filled = [] if out is None else [out]
        return function(*(streams.passed(v, np.float64, self.bound.n) for v in vectors), *filled, *self.inputs())

    def curvature(self, x: Vector, full: Vector) -> None:
        """Fill a matrix with the Hessian."""
        n = self.bound.n
        point = streams.passed(x, np.float64, n)
        self.function("curvature")(point, np.zeros(n), np.empty(n), full, *self.inputs())

    def on_arrays(self, loop: Generated, *, batched: bool) -> Loop:
        """Give a loop with room for what it works on."""
        n = self.bound.n

        def run(x: Vector, g: Vector, states: Sequence[Vector], *rest: object) -> float | Numbers:
            for vector in (x, g, *states):  # they are filled, so that a copy of another length is no way out
                streams.fits(vector, n)
            scratch = () if self.unrolled else (np.empty(n), np.empty(n))
            return loop(x, g, *scratch, *states, *rest, *self.staging(rest, batched=batched), *self.inputs())

        return run  # type: ignore[return-value]


class Vectorised(OnArrays):
    """NumPy's statements on whole arrays, a block of rows at a time: the first tier of what has arrays."""

    name = "python"

    def array(self, values: Column) -> Input:
        """Give the array as it is; one on disk by blocks."""
        return values if isinstance(values, np.ndarray) else streams.Blocks(values)

    def load(self, name: str) -> Generated:
        """Run the text of a function, and of those that it calls."""
        from symgd.kernel import blocks

        blocks.keep_pages()
        return quietly(load_arrays(self.bound.program.functions, name))

    def load_loop(self, source: Source) -> Loop:
        """Run the text of a loop, and of the functions that it calls."""
        from symgd.kernel import blocks

        blocks.keep_pages()
        texts = source[self.name]
        functions = [text for text in texts if text.name != STAGE]
        loop = load_arrays((*self.bound.program.functions, *functions), "loop", {STAGE: streams.stage})
        return self.on_arrays(quietly(loop), batched=source.batched)


class Compiled(OnArrays):
    """Machine code, on arrays; many rows are handed to threads."""

    name = "numba"

    def memory(self) -> Sequence[int]:
        """Give how many numbers the functions' working memory has."""
        return self._plan.memory

    @cached_property
    def _plan(self) -> Plan:
        from symgd.kernel.machine.compile import plan

        return plan(self.bound.program)

    def load(self, name: str) -> Generated:
        """Compile a function, or take it from the disk cache."""
        bound = self.bound
        if bound.large and self._plan.pieces[name]:
            return threads.Spread(bound.program, name, bound.rows, bound.workers)
        return self._alone(name)

    def curvature(self, x: Vector, full: Vector) -> None:
        """Fill a matrix with the Hessian: products with unit vectors, so that nothing is compiled for it."""
        n = self.bound.n
        product, point, given = self.function("product"), streams.passed(x, np.float64, n), self.inputs()
        for row, unit in zip(full, np.eye(n), strict=True):
            product(point, unit, row, *given)

    def _alone(self, name: str) -> Entry:
        from symgd.kernel.machine.compile import compile_written

        program = self.bound.program
        return compile_written(program.identity, lambda: program.written.functions, name, strict=program.strict)

    def load_loop(self, source: Source) -> Loop:
        """Compile a loop; where the rows are the work, it may be plain Python around compiled functions."""
        from symgd.kernel.machine.compile import compile_written

        bound, program = self.bound, self.bound.program
        if bound.stored or (bound.large and not source.batched):
            return self._around(source)

        def write() -> Sequence[Text]:
            return *program.written.functions, *source[self.name]

        entry = compile_written(f"{program.identity} {source.key}", write, "loop", strict=program.strict)
        return self.on_arrays(entry, batched=source.batched)

    def _around(self, source: Source) -> Loop:
        """Give the loop in plain Python around compiled functions."""
        texts = source[Plain.name]
        wanted = {call for text in texts for call in text.calls} & {"slope", "product"}
        given: dict[str, object] = {name: self.function(name) for name in wanted}
        if source.batched:
            given |= {"slope": self._alone("slope"), STAGE: streams.stage}
            texts = tuple(text for text in texts if text.name != STAGE)
        load = load_arrays if self.bound.program.layout.vectorised else load_python
        loop = load(texts, "loop", given)
        if not self.unrolled:
            return self.on_arrays(quietly(loop), batched=source.batched)
        plain = Plain(self.bound)
        plain.inputs, plain.staging = self.inputs, self.staging  # type: ignore[method-assign] # what it calls takes arrays
        return plain.on_lists(loop, batched=source.batched)
