"""The running kernel of one objective on its data: value, gradient, Hessian products, and the loop, in either tier."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd import scalar
from symgd.codegen import Program
from symgd.engine import native, threads

Vector = NDArray[np.float64]

# Operations that plain Python may spend before it is worth waiting for Numba: about half a second, and more for long
# code, a line of which takes Numba about as long to compile as plain Python takes for so many operations.
PYTHON_BUDGET = 8_000_000
PER_LINE = 30_000
TIERS = ("auto", "python", "numba")

# What the loop takes besides point, states and data, and what it gives back: see `symgd.codegen.loop`.
_LOOP_RESULT = "iifiii"


class Kernel:
    """An objective's generated functions, bound to data.

    Parameters
    ----------
    program : Program
        The functions.
    data : mapping of str to ndarray or float
        Columns of float64, all of one length, and single numbers.
    tier : str
        ``"python"``, ``"numba"``, or ``"auto"``: plain Python until `PYTHON_BUDGET` is spent.
    workers : int, optional
        Threads for data of many rows; by default one a processor.
    """

    def __init__(
        self, program: Program, data: Mapping[str, Vector | float], tier: str = "auto", workers: int | None = None
    ) -> None:
        self.program = program
        self.tier = tier
        self.n = len(program.layout.params)
        inputs = program.layout
        self.columns = [np.ascontiguousarray(data[name], dtype=np.float64) for name in inputs.columns]
        self.rows = next((len(c) for c in data.values() if isinstance(c, np.ndarray)), 0) if inputs.counted else 0
        self.numbers = [float(data[name]) for name in inputs.scalars]
        self.tables = [_table(t, inputs.params) for t in inputs.tables]
        self.workers = workers or threads.available()
        self.spent: dict[str, int] = {}
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

    def hessian(self, x: Vector) -> NDArray[np.float64]:
        """Give the Hessian at a point."""
        full = np.zeros((self.n, self.n))
        if self.program.layout.unrolled:
            if self.program.entries:
                result = self._call("curvature", x)
                values = result if isinstance(result, tuple) else (result,)
                for (i, j), h in zip(self.program.entries, values, strict=True):
                    full[i, j] = full[j, i] = h
            return full
        if threads.is_large(self.rows):
            full = np.array([self.product(x, unit) for unit in np.eye(self.n)])
            return (full + full.T) / 2
        tier = self._tier("curvature", self.n)
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
            count = [self.rows] if self.program.layout.counted else []
            arrays: list[Any] = [*count, *self.columns, *self.numbers, *self.tables]
            if tier == "python":
                arrays = [a.tolist() if isinstance(a, np.ndarray) else a for a in arrays]
            self._functions[key] = lambda: arrays
        result: list[Any] = self._functions[key]()
        return result

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
        width = program.width(name)
        if threads.is_large(self.rows) and any(program.passes[name]):
            return threads.spread(program, name, self.rows, self.workers)
        kinds = native.kinds_of(program.arguments[name], program.layout.tables)
        return native.compile_function(program.source["numba"], name, kinds, "f" * width, strict=program.strict)

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
            Takes point, gradient, states, then numbers and records; fills the arrays.
        """
        key = (source["python"], tier)
        if key not in self._functions:
            self._functions[key] = self._load_loop(source, tier)
        return self._functions[key]

    def _load_loop(self, source: Mapping[str, str], tier: str) -> Callable[..., Any]:
        unrolled = self.program.layout.unrolled
        spread = tier == "numba" and threads.is_large(self.rows)
        if tier == "numba" and not spread:
            text = self.program.source["numba"] + source["numba"]
            arguments = _loop_arguments(source["numba"])
            kinds = native.kinds_of(arguments, self.program.layout.tables)
            entry = native.compile_function(text, "loop", kinds, _LOOP_RESULT, strict=self.program.strict)
            scratch = [] if unrolled else [np.empty(self.n), np.empty(self.n)]
            return lambda x, g, s, *rest: entry(x, g, *scratch, *s, *rest, *self.inputs(tier))
        space = load_python(self.program.source["python"] + source["python"])
        if spread:  # the rows are the work: the loop around them may be plain Python
            space["slope"], space["product"] = self.function("slope", tier), self.function("product", tier)
        return lambda x, g, s, *rest: self._run_plain(space["loop"], tier, x, g, s, rest)

    def _run_plain(
        self, loop: Callable[..., Any], tier: str, x: Vector, g: Vector, states: list[Vector], rest: tuple[Any, ...]
    ) -> Any:
        """Run the loop in plain Python, on lists, whose elements are faster to reach."""
        vectors = [x, g, *states]
        lists = [v.tolist() for v in vectors]
        scratch = [] if self.program.layout.unrolled else [[0.0] * self.n, [0.0] * self.n]
        h, *others = rest
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
    space["__builtins__"] = {"range": range, "min": min, "abs": abs, "float": float, "len": len}
    exec(compile(source, "<symgd>", "exec"), space)
    return space


def _loop_arguments(source: str) -> list[str]:
    head = source[source.index("(") + 1 : source.index("):")]
    return [a.strip() for a in head.split(",")]


def _table(entries: tuple[object, ...], params: tuple[str, ...]) -> NDArray[Any]:
    """Give a table as an array: names as the places of parameters."""
    if isinstance(entries[0], str):
        index = {name: i for i, name in enumerate(params)}
        return np.array([index[str(e)] for e in entries], dtype=np.int64)
    return np.array(entries, dtype=np.float64)
