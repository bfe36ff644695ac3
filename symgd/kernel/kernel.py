"""The running kernel of one objective on its data: value, gradient, Hessian products, and the loop, in either tier."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.data import Stored
from symgd.kernel import matrices, streams, threads
from symgd.kernel.code import Program
from symgd.kernel.machine import compile as native
from symgd.kernel.machine import gemm as blas
from symgd.language import scalar

Vector = NDArray[np.float64]

# Operations that plain Python may spend before it is worth waiting for Numba: about half a second, and more for long
# code, a line of which takes Numba about as long to compile as plain Python takes for so many operations.
PYTHON_BUDGET = 8_000_000
PER_LINE = 30_000
TIERS = ("auto", "python", "numba")

# What the loop takes besides point, states and data, and what it gives back: see `symgd.kernel.code.loop`.
_LOOP_RESULT = "iifiii"


class Kernel:
    """An objective's generated functions, bound to data.

    Parameters
    ----------
    program : Program
        The functions.
    data : mapping of str to ndarray or float
        Arrays, and single numbers.
    tier : str
        ``"python"``, ``"numba"``, or ``"auto"``: plain Python until `PYTHON_BUDGET` is spent.
    workers : int, optional
        Threads for data of many rows; by default one a processor.
    rows : int
        How many rows the data have.
    """

    def __init__(
        self, program: Program, data: Mapping[str, Any], tier: str = "auto", workers: int | None = None, rows: int = 0
    ) -> None:
        self.program = program
        inputs = program.layout
        self.n = inputs.size
        self.rows = rows
        self.columns = [streams.open_flat(data[c.name], c.dtype, rows=c.rows) for c in inputs.columns]
        self.stored = any(isinstance(column, Stored) for column in self.columns)
        self.tier = "numba" if self.stored else tier  # plain Python would have to read all of it into lists
        self.numbers = [float(data[name]) for name in inputs.scalars]
        self.tables = [_table(t, inputs.index) for t in inputs.tables]
        self.workers = workers or threads.available()
        self.large = self.stored or threads.is_large(program, rows)  # enough for threads
        self.squares: Callable[[], Any] = lambda: None  # gives residuals and Jacobian, where the model knows them
        self.spent: dict[str, int] = {}
        self._own = threading.local()
        self._functions: dict[tuple[str, str], Callable[..., Any]] = {}

    def work(self) -> int:
        """Give the operations of one evaluation of value and gradient."""
        once, row = self.program.work
        return once + row * self.rows

    def budget(self) -> int:
        """Give the operations that plain Python may spend before compiled code takes over."""
        return max(PYTHON_BUDGET, PER_LINE * self.program.source["numba"].count("\n"))

    def switch(self) -> int:
        """Give the step of a descent at which plain Python hands over to compiled code.

        It depends on the problem alone, never on a clock: the tiers round differently, and a run must come out the
        same every time, resumed or not.
        """
        if self.tier != "auto":
            return 0 if self.tier == "numba" else 1 << 62
        return self.budget() // (self.work() + 10 * self.n + 20)

    def tier_at(self, step: int) -> str:
        """Give the tier that takes a step of a descent."""
        return "python" if step < self.switch() else "numba"

    # ---- calls -----------------------------------------------------------------------------------------------------

    def value(self, x: Vector) -> float:
        """Give the value at a point."""
        result: float = self._call("value", x)
        return float(result)

    def slope(self, x: Vector, tier: str | None = None) -> tuple[float, Vector]:
        """Give value and gradient at a point."""
        if self.program.layout.unrolled:
            f, *g = self._call("slope", x, tier=tier)
            return float(f), np.array(g, dtype=np.float64)
        g = np.empty(self.n)
        return float(self._call("slope", x, out=g, tier=tier)), g

    def product(self, x: Vector, v: Vector, tier: str | None = None) -> Vector:
        """Give the Hessian at a point times a vector."""
        if self.program.layout.unrolled:
            result = self._call("product", x, v, tier=tier)
            return np.array(result if isinstance(result, tuple) else (result,), dtype=np.float64)
        out = np.empty(self.n)
        self._call("product", x, v, out=out, tier=tier)
        return out

    def hessian(self, x: Vector, tier: str | None = None) -> NDArray[np.float64]:
        """Give the Hessian at a point."""
        full = np.zeros((self.n, self.n))
        if self.program.layout.unrolled:
            if self.program.entries:
                result = self._call("curvature", x, tier=tier)
                values = result if isinstance(result, tuple) else (result,)
                for (i, j), h in zip(self.program.entries, values, strict=True):
                    full[i, j] = full[j, i] = h
            return full
        if self.large:
            full = np.array([self.product(x, unit, tier) for unit in np.eye(self.n)])
            return (full + full.T) / 2
        tier = tier or self._tier("curvature", self.n)
        vectors: list[Any] = [np.ascontiguousarray(x), np.zeros(self.n), np.empty(self.n)]
        if tier == "python":
            vectors = [v.tolist() for v in vectors]
        self.function("curvature", tier)(*vectors, full, *self.inputs(tier))
        return (full + full.T) / 2

    def _tier(self, name: str, times: int = 1) -> str:
        """Give the tier for a single call: plain Python until calls of this function have spent its budget."""
        self.spent[name] = self.spent.get(name, 0) + times * self.work()
        return self.tier if self.tier != "auto" else "python" if self.spent[name] <= self.budget() else "numba"

    def _call(
        self, name: str, x: Vector, v: Vector | None = None, out: Vector | None = None, tier: str | None = None
    ) -> Any:
        tier = tier or self._tier(name)
        function = self.function(name, tier)
        if self.program.layout.unrolled:
            return function(*x.tolist(), *(v.tolist() if v is not None else ()), *self.inputs(tier))
        if tier == "numba":
            extra = [a for a in (v, out) if a is not None]
            return function(np.ascontiguousarray(x), *extra, *self.inputs(tier))
        filled = [0.0] * self.n
        extra_lists = [a for a in (v.tolist() if v is not None else None, filled if out is not None else None) if a]
        result = function(x.tolist(), *extra_lists, *self.inputs(tier))
        if out is not None:
            out[:] = filled
        return result

    def inputs(self, tier: str) -> list[Any]:
        """Give the data as a tier's functions take them: lists for plain Python, arrays for compiled code."""
        key = ("inputs", tier)
        if key not in self._functions:
            layout = self.program.layout
            count = [self.rows] if layout.counted else []
            places = [np.arange(self.rows)] if layout.numbered else []
            arrays: list[Any] = [*count, *self.numbers, *self.columns, *places, *self.tables]
            if tier == "python":
                arrays = [a.tolist() if isinstance(a, np.ndarray) else a for a in arrays]
            self._functions[key] = lambda: arrays
        result: list[Any] = self._functions[key]()
        return [*result, *self._memory(tier)]

    def _memory(self, tier: str) -> list[Any]:
        """Give the working memory, to each of the caller's threads its own."""
        if self.program.layout.unrolled:
            return []
        if not hasattr(self._own, tier):
            room = [np.zeros(size) for size in self.program.memory]
            setattr(self._own, tier, [r.tolist() for r in room] if tier == "python" else room)
        memory: list[Any] = getattr(self._own, tier)
        return memory

    # ---- functions -------------------------------------------------------------------------------------------------

    def function(self, name: str, tier: str) -> Callable[..., Any]:
        """Give one of the program's functions, loaded or compiled at its first use."""
        if (name, tier) not in self._functions:
            plain = tier == "python"
            self._functions[name, tier] = self._plain()[name] if plain else self._compile(name)
        return self._functions[name, tier]

    def _plain(self) -> dict[str, Any]:
        return load_python(self.program.source["python"])

    def _compile(self, name: str) -> Callable[..., Any]:
        program = self.program
        if self.large and program.pieces[name]:
            return threads.Spread(program, name, self.rows, self.workers)
        return self._compile_alone(name)

    def _compile_alone(self, name: str) -> Callable[..., Any]:
        program = self.program
        kinds = native.kinds_of(program.arguments[name], program.layout)
        return native.compile_function(
            program.source["numba"], name, kinds, "f" * program.width(name), strict=program.strict
        )

    def loop(self, source: Mapping[str, str], tier: str) -> Callable[..., Any]:
        """Give the loop of a rule, as a function of arrays.

        Parameters
        ----------
        source : mapping of str to str
            The loop's text for each tier.
        tier : str
            Which tier.

        Returns
        -------
        callable
            Takes point, gradient, states, then numbers and records, and for a loop in batches the order of the rows,
            the size of a batch and the step before the first; fills the arrays.
        """
        key = (source["python"], tier)
        if key not in self._functions:
            self._functions[key] = self._load_loop(source, tier)
        return self._functions[key]

    def _load_loop(self, source: Mapping[str, str], tier: str) -> Callable[..., Any]:
        batched = "stage(" in source["python"]
        spread = self.large and tier == "numba" and not batched
        if tier == "numba" and not spread and not self.stored:
            arguments = _loop_arguments(source["numba"])
            kinds = native.kinds_of(arguments, self.program.layout)
            program = self.program
            entry = native.compile_function(
                program.source["numba"], "loop", kinds, _LOOP_RESULT, strict=program.strict, more=source["numba"]
            )
            scratch = 0 if program.layout.unrolled else 2
            return lambda x, g, s, *rest: entry(
                x,
                g,
                *(np.empty(self.n) for _ in range(scratch)),
                *s,
                *rest,
                *self._staging(rest, batched=batched),
                *self.inputs(tier),
            )
        space = load_python(self.program.source["python"] + source["python"])
        if spread or self.stored:  # the rows are the work: the loop around them may be plain Python
            space["slope"], space["product"] = self.function("slope", "numba"), self.function("product", "numba")
        if self.stored and batched:
            space["slope"] = self._compile_alone("slope")
            space["stage"] = streams.stage
        return lambda x, g, s, *rest: self._run_plain(
            space["loop"], tier, x, g, s, (*rest, *self._staging(rest, batched=batched))
        )

    def _staging(self, rest: tuple[Any, ...], *, batched: bool) -> list[Any]:
        """Give room for the rows of one batch."""
        if not batched:
            return []
        size = min(rest[-2], self.rows)
        layout = self.program.layout
        room = [np.empty(size * c.width, dtype=c.dtype) for c in layout.columns if c.rows]
        return [*room, *([np.empty(size, dtype=np.int64)] if layout.numbered else [])]

    def _run_plain(
        self, loop: Callable[..., Any], tier: str, x: Vector, g: Vector, states: list[Vector], rest: tuple[Any, ...]
    ) -> Any:
        """Run the loop in plain Python, on lists, whose elements are faster to reach."""
        vectors = [x, g, *states]
        h, *others = rest
        if tier == "numba" and not self.program.layout.unrolled:  # what it calls takes arrays
            room = [np.empty(self.n), np.empty(self.n)]
            return loop(x, g, *room, *states, h, *others, *self.inputs(tier))
        lists = [v.tolist() for v in vectors]
        scratch = [] if self.program.layout.unrolled else [[0.0] * self.n, [0.0] * self.n]
        hyper = h.tolist()
        result = loop(*lists[:2], *scratch, *lists[2:], hyper, *others, *self.inputs(tier))
        for vector, values in zip([*vectors, h], [*lists, hyper], strict=True):
            vector[:] = values
        return result


def load_python(source: str) -> dict[str, Any]:
    """Run a module's text in plain Python, with nothing but the table's functions in reach.

    Parameters
    ----------
    source : str
        Text that symgd generated.

    Returns
    -------
    dict
        Its functions.
    """
    space: dict[str, Any] = {name: getattr(scalar, name) for name in (*scalar.GUARDED, *scalar.SHARED)}
    space["fading"] = scalar.pow
    if "gemm(" in source:
        space["gemm"] = blas.gemm
    if "matrix_" in source:
        space |= {name: getattr(matrices, name) for name in matrices.NAMES}
    space["__builtins__"] = {"range": range, "min": min, "abs": abs, "float": float, "int": int, "len": len}
    exec(compile(source, "<symgd>", "exec"), space)
    return space


def _loop_arguments(source: str) -> list[str]:
    head = source.split("def loop(")[1].split("):", maxsplit=1)[0]
    return [a.strip() for a in head.split(",")]


def _table(entries: tuple[object, ...], places: Mapping[str, int]) -> NDArray[Any]:
    """Give a table as an array: names as the places of parameters."""
    if isinstance(entries[0], str):
        return np.array([places[str(e)] for e in entries], dtype=np.int64)
    return np.array(entries, dtype=np.float64)
