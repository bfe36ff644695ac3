"""The running kernel of one objective on its data: value, gradient, Hessian products, and the loop, in either tier."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from symgd.data.owned import COPIED
from symgd.errors import UsageError
from symgd.graph.bounds import UNKNOWN, Bounds
from symgd.kernel import streams, threads
from symgd.kernel.code import Program, Source
from symgd.kernel.loading import Numbers
from symgd.kernel.memory import SIZE, Found, Memory
from symgd.kernel.tiers import Bound, Compiled, Input, Loop, Plain, Vector, Vectorised
from symgd.squares import Squares

# What the first tier may spend before it is worth to compile, in nanoseconds: about what compiling takes, LLVM's import
# and linking with it. The nodes of value and gradient say how long the code is: those of scalars are an instruction or
# two each, those of arrays a share in a nest of loops.
COMPILING = 100_000_000
PER_NODE = {False: 300_000, True: 5_000_000}  # by whether anything varies along a label
CALLS = 5  # single calls that would spend it all: an objective as slow as that is compiled for the first
OPERATION = 60  # nanoseconds of one in plain Python
STEP = 30_000  # nanoseconds of what a step on arrays costs besides
MOMENTS = 50_000_000  # operations of what comes before the pass that makes moments: reading, deriving, writing code
TIERS = ("auto", "python", "numba")


class Kernel:
    """An objective's generated functions, bound to data.

    Parameters
    ----------
    program : Program
        The functions.
    data : mapping of str to ndarray or float
        Arrays, and single numbers.
    tier : str
        chosen = self.tiers[tier or self._tier(self.n)]
    workers : int, optional
        Threads for data of many rows; by default one a processor.
    rows : int
        How many rows the data have.
    squares : callable, optional
        Gives residuals and Jacobian, where the model knows them.
    doubt : callable, optional
        Tells where derivatives have lost digits.
    bounds : callable, optional
        Gives what the formula shows of its values.
    sides : callable, optional
        Gives numbers that change their signs where a denominator does.
    sign : float
        -1 for the negated objective: all that is asked of it is turned, and the functions are the same.
    reduce : callable, optional
        Gives a kernel that needs no rows, if there is one and it pays.
    """

    curved = True  # second derivatives are known

    def __init__(
        self,
        program: Program,
        data: Mapping[str, object],
        tier: str = "auto",
        workers: int | None = None,
        rows: int = 0,
        squares: Callable[[], Squares | None] | None = None,
        doubt: Callable[[Vector], str] | None = None,
        bounds: Callable[[], Bounds] | None = None,
        sides: Callable[[Vector], Vector | None] | None = None,
        sign: float = 1.0,
        reduce: Callable[[Kernel, int | None], Kernel | None] | None = None,
    ) -> None:
        self.data, self.given, self.asked = data, workers, tier
        layout = program.layout
        self.bound = Bound(
            program,
            [float(data[name]) for name in layout.scalars],  # type: ignore[arg-type]
            [streams.open_column(data[c.name], c, rows) for c in layout.columns],
            [_table(t, layout.point_shapes.starts) for t in layout.tables],
            rows,
            workers or threads.available(),
        )
        self.program, self.n, self.rows = program, layout.size, rows
        self.numbers, self.workers = self.bound.numbers, self.bound.workers
        self.stored, self.large = self.bound.stored, self.bound.large
        self.tier = tier
        first = Vectorised if layout.vectorised else Plain
        self.tiers = {found.name: found for found in (first(self.bound), Compiled(self.bound))}
        self._squares, self._doubt, self._bounds, self._sides = squares, doubt, bounds, sides
        self._reduce, self._whole, self.moments = reduce, self, 0
        self.sign = sign
        # Where nobody can change the data, and an evaluation takes longer than to look it up.
        kept = layout.vectorised and self.n <= SIZE and all(_is_owned(column) for column in self.bound.columns)
        self._memory = Memory() if kept else None

    def __reduce__(self) -> tuple[object, ...]:
        # What is compiled, and the room of each thread, stay behind.
        if self.moments:
            return _travelled, (self.whole, self.program, self.data, self._squares, self._bounds, self.moments)
        known = self._squares, self._doubt, self._bounds, self._sides, self.sign, self._reduce
        return Kernel, (self.program, self.data, self.tier, self.given, self.rows, *known)

    def negated(self) -> Kernel:
        """Give the negated objective: the same code, compiled once, on the same data."""
        new = object.__new__(Kernel)
        new.__dict__.update(self.__dict__, sign=-self.sign)
        return new

    @property
    def whole(self) -> Kernel:
        """The kernel with rows, of which this one may have the moments only."""
        return self._whole if self._whole.sign == self.sign else self._whole.negated()

    def reduced(self, evaluations: int | None = None) -> Kernel | None:
        """Give a kernel that needs no rows, but moments of them.

        Parameters
        ----------
        evaluations : int, optional
            About how many of value and gradient the pass over the rows must pay for; by default it need not.

        Returns
        -------
        Kernel or None
            ``None`` where there is none, or it does not pay.
        """
        if evaluations is not None and evaluations * self.program.work[1] * self.rows < MOMENTS:
            return None
        return self._reduce(self, evaluations) if self._reduce else None

    def without_rows(
        self, program: Program, data: Mapping[str, object], squares: Callable[[], Squares | None] | None,
        bounds: Callable[[], Bounds] | None, count: int,
    ) -> Kernel:  # fmt: skip
        """Give the kernel of the same objective in other words: those that read so many moments, and no rows.

        Parameters
        ----------
        program : Program
            Its functions.
        data : mapping of str to ndarray or float
            The moments, and data that are no rows.
        squares : callable or None
            Gives residuals and Jacobian.
        bounds : callable or None
            Gives what the formula shows of its values.
        count : int
            How many moments there are.

        Returns
        -------
        Kernel
        """
        new = Kernel(
            program, data, self.asked, 1, self.rows, squares, self._doubt, bounds, self._sides, self.sign
        )  # fmt: skip
        new._whole, new.moments = self, count
        return new

    # ---- facts -----------------------------------------------------------------------------------------------------

    @property
    def params(self) -> tuple[str, ...]:
        """The parameters."""
        return self.program.layout.params

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The parameters' shapes."""
        return self.program.layout.shapes

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each number of the parameters."""
        return self.program.layout.point_shapes.names

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the arrays of data that the code reads."""
        return tuple(column.name for column in self.program.layout.columns)

    @property
    def smooth(self) -> bool:
        """Whether there are no kinks."""
        return self.program.smooth

    def split(self, x: Vector) -> dict[str, float | Vector]:
        """Take a flat vector apart: a number or an array for each parameter."""
        return self.program.layout.point_shapes.values_of(x)

    def squares(self) -> Squares | None:
        """Give the residuals, where the objective is known as a sum of their squares; else ``None``."""
        return self._squares() if self._squares and self.sign > 0 else None

    def doubt(self, x: Vector) -> str:
        """Tell where derivatives have lost digits at a point; nothing where they have not."""
        return self._doubt(x) if self._doubt else ""

    def bounds(self) -> Bounds:
        """Give what the formula shows of its values: bounds, and whether it is convex."""
        found = self._bounds() if self._bounds else UNKNOWN
        return found if self.sign > 0 else found.negated

    def sides(self, x: Vector) -> Vector | None:
        """Give numbers that change their signs where a denominator does, if there are any."""
        return self._sides(x) if self._sides else None

    def work(self) -> int:
        """Give the operations of one evaluation of value and gradient."""
        once, row = self.program.work
        return once + row * self.rows

    def cost(self) -> int:
        """Give what one evaluation of value and gradient costs the first tier, in operations of plain Python."""
        if not self.program.layout.vectorised:
            return self.work()
        once, rows = self.program.pace
        return (once + rows * self.rows // 1000) // OPERATION

    def budget(self) -> int:
        """Give the operations of plain Python that the first tier may spend before compiled code takes over."""
        each = PER_NODE[self.program.layout.vectorised]
        return (COMPILING + each * self.program.nodes) // OPERATION

    def switch(self) -> int:
        """Give the step of a descent at which plain Python hands over to compiled code.

        It depends on the problem alone, never on a clock: the tiers round differently, and a run must come out the
        same every time, resumed or not.
        """
        if self.tier != "auto":
            return 0 if self.tier == "numba" else 1 << 62
        return self.budget() // self.step_cost()

    def step_cost(self) -> int:
        """Give what one step of a rule costs the first tier, in operations of plain Python."""
        around = STEP // OPERATION + self.n // 4 if self.program.layout.vectorised else 10 * self.n + 20
        return self.cost() + around

    def tier_at(self, step: int) -> str:
        """Give the tier that takes a step of a descent."""
        return "python" if step < self.switch() else "numba"

    # ---- calls -----------------------------------------------------------------------------------------------------

    def value(self, x: Vector) -> float:
        """Give the value at a point."""
        return self.sign * self._numbers("value", [x])[0]

    def slope(self, x: Vector, tier: str | None = None) -> tuple[float, Vector]:
        """Give value and gradient at a point."""
        if self.program.layout.unrolled:
            f, *found = self._numbers("slope", [x], tier)
            return self.sign * f, self._turned(np.array(found, dtype=np.float64))
        g = np.empty(self.n)
        return self.sign * self._numbers("slope", [x], tier, g)[0], self._turned(g)

    def product(self, x: Vector, v: Vector, tier: str | None = None) -> Vector:
        """Give the Hessian at a point times a vector."""
        if self.program.layout.unrolled:
            return self._turned(np.array(self._numbers("product", [x, v], tier), dtype=np.float64)[: self.n])
        out = np.empty(self.n)
        self._numbers("product", [x, v], tier, out)
        return self._turned(out)

    def _turned(self, a: Vector) -> Vector:
        return a if self.sign > 0 else -a

    def hessian(self, x: Vector, tier: str | None = None) -> NDArray[np.float64]:
        """Give the Hessian at a point; a `UsageError` where it takes more memory than there is."""
        _refuse_too_large(self.n)
        full = np.zeros((self.n, self.n))
        if self.program.layout.unrolled:
            if self.program.entries:
                for (i, j), h in zip(self.program.entries, self._numbers("curvature", [x], tier), strict=True):
                    full[i, j] = full[j, i] = self.sign * h
            return full
        chosen = self.tiers[tier or self._tier(self.n)]

        def compute() -> Found:
            chosen.curvature(x, full)
            return (), full

        found = self._recalled("curvature", chosen.name, x, compute)[1]
        assert found is not None
        return (found + found.T) * (0.5 * self.sign)

    def _tier(self, times: int = 1) -> str:
        """Give the tier for a single call: always the same, so that a point has the same bits at every call."""
        if self.tier != "auto":
            return self.tier
        return "python" if CALLS * times * self.cost() <= self.budget() else "numba"

    def _numbers(self, name: str, vectors: list[Vector], tier: str | None = None, out: Vector | None = None) -> Numbers:
        """Call a function; give the numbers that it returns."""
        chosen = tier or self._tier()

        def compute() -> Found:
            result = self.tiers[chosen].evaluate(name, vectors, out)
            return result if isinstance(result, tuple) else (float(result),), None if out is None else out.copy()

        numbers, filled = self._recalled(name, chosen, vectors[0], compute)
        if out is not None and filled is not None:
            out[:] = filled
        return numbers

    def _recalled(self, name: str, tier: str, x: Vector, compute: Callable[[], Found]) -> Found:
        """Call a function, unless it is known what it gives."""
        return self._memory.recall(name, tier, x, compute) if self._memory and name != "product" else compute()

    def inputs(self, tier: str) -> list[Input]:
        """Give what a tier's functions take behind the point: data, and working memory."""
        return self.tiers[tier].inputs()

    def loop(self, source: Source, tier: str) -> Loop:
        """Give the loop of a rule, as a function of arrays.

        Parameters
        ----------
        source : Source
            The loop.
        tier : str
            Which tier.

        Returns
        -------
        callable
            Takes point, gradient, states, then numbers and records, and for a loop in batches the order of the rows,
            the size of a batch and the step before the first; fills the arrays.
        """
        return self.tiers[tier].loop(source)


def _is_owned(column: object) -> bool:
    """Tell whether an array of data is a copy of what was given, as `symgd.data.owned` has it."""
    return isinstance(column, np.ndarray) and column.nbytes <= COPIED


def _travelled(
    whole: Kernel, program: Program, data: Mapping[str, object], squares: Callable[[], Squares | None],
    bounds: Callable[[], Bounds], count: int,
) -> Kernel:  # fmt: skip
    """Give a kernel of moments that has travelled."""
    return whole.without_rows(program, data, squares, bounds, count)


def _table(entries: tuple[object, ...], places: Mapping[str, int]) -> NDArray[np.generic]:
    """Give a table as an array: names as the places of parameters."""
    if isinstance(entries[0], str):
        return np.array([places[str(e)] for e in entries], dtype=np.int64)
    return np.array(entries, dtype=np.float64)


def _refuse_too_large(n: int) -> None:
    """Refuse a Hessian that does not fit into memory, twice: as it is made, and as it is given."""
    needed, sizes = 2 * 8 * n**2, getattr(os, "sysconf_names", {})
    if "SC_PHYS_PAGES" in sizes and needed > os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"):
        raise UsageError(
            f"the Hessian of {n:,} parameters takes {needed / 1e9:,.0f} GB, more than there is; products with vectors "
            "do without it: hessp, method='newton_cg', or method='lbfgs'"
        )
