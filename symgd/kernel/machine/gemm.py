"""Products of matrices for compiled code: one function, written in LLVM's own language, and its plain form.

The library that SciPy or NumPy calls for this starts threads of its own, sets their number for the whole process, and
gives other bits with other versions. Blocks of rows are handed to threads already; what a thread needs is a product
that stays where it is called. So this is one: the right matrix is copied, twelve columns at a time, so that it lies in
memory in the order in which it is read, and four rows by twelve columns of the result are kept in registers while the
sum runs (Goto and van de Geijn, ACM TOMS 34, 2008; with AVX-512, eight by twenty-four). Every entry is summed up in
the same order, whatever the number of threads. On one x86-64 core with AVX2, the product of 256 x 64 and 64 x 128 runs
at 40 billion operations a second, OpenBLAS's at 39; two threads at once do twice as many.

The machine code depends on nothing but the processor: it is compiled once, in a quarter of a second, and kept on disk.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableSequence, Sequence
from contextlib import contextmanager
from functools import cache as once
from typing import TYPE_CHECKING, Any

from symgd.kernel.machine import cache

if TYPE_CHECKING:
    from llvmlite import ir

SYMBOL = "symgd_gemm"
NEEDS = ("malloc", "free")  # what its machine code calls

_DEPTH = 256  # terms of a sum that are gone through at a time: so much of twelve columns stays in the first cache
_HEIGHT = 128  # rows at a time: so much of the left matrix stays in the second cache


def gemm(
    a: Sequence[float],
    a_offset: int,
    lda: int,
    ta: int,
    b: Sequence[float],
    b_offset: int,
    ldb: int,
    tb: int,
    c: MutableSequence[float],
    c_offset: int,
    ldc: int,
    m: int,
    n: int,
    k: int,
    beta: float,
) -> None:
    """Compute C = op(A) op(B) + beta C, for matrices that lie row after row in flat sequences.

    Parameters
    ----------
    a : sequence of float
        What holds A.
    a_offset : int
        Where in it A begins.
    lda : int
        How far apart its rows are.
    ta : int
        Whether op(A) is A transposed: 0 or 1. A has m rows and k columns, or else k rows and m columns.
    b : sequence of float
        What holds B.
    b_offset : int
        Where in it B begins.
    ldb : int
        How far apart its rows are.
    tb : int
        Whether op(B) is B transposed: 0 or 1. B has k rows and n columns, or else n rows and k columns.
    c : sequence of float
        What holds C, which must not overlap the others.
    c_offset : int
        Where in it C begins.
    ldc : int
        How far apart its rows are.
    m : int
        The rows of C.
    n : int
        Its columns.
    k : int
        The terms of each sum.
    beta : float
        What C is multiplied by first. Where it is 0, C is not read.

    Examples
    --------
    >>> c = [0.0, 0.0]
    >>> gemm([1.0, 2.0, 3.0, 4.0], 0, 2, 0, [5.0, 6.0], 0, 1, 0, c, 0, 1, 2, 1, 2, 0.0)
    >>> c
    [17.0, 39.0]
    """
    row, term = (1, lda) if ta else (lda, 1)
    down, right = (1, ldb) if tb else (ldb, 1)
    for i in range(m):
        for j in range(n):
            total = 0.0
            for p in range(k):
                total += a[a_offset + i * row + p * term] * b[b_offset + p * down + j * right]
            place = c_offset + i * ldc + j
            c[place] = total if beta == 0.0 else total + beta * c[place]


# ---- for compiled code ---------------------------------------------------------------------------------------------


@once
def compiled() -> Any:
    """Give `gemm` for functions that Numba compiles: it takes flat arrays, and calls `SYMBOL`."""
    from llvmlite import ir
    from numba import types
    from numba.core import cgutils
    from numba.extending import intrinsic

    def gemm(
        context: Any, a: Any, i: Any, lda: Any, ta: Any, b: Any, j: Any, ldb: Any, tb: Any, c: Any, l: Any, ldc: Any,  # noqa: E741
        m: Any, n: Any, k: Any, beta: Any,
    ) -> Any:  # fmt: skip
        del context, i, lda, ta, j, ldb, tb, l, ldc, m, n, k, beta
        whole = [types.int64] * 3
        vector = types.Array(types.float64, 1, "C")
        if {a, b, c} != {vector}:
            message = f"gemm takes flat arrays of float64, not {a}, {b} and {c}"
            raise TypeError(message)

        def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            kinds = [context.get_value_type(kind) for kind in signature.args]
            passed = list(values)
            for place in (0, 4, 8):
                passed[place] = context.make_array(vector)(context, builder, values[place]).data
                kinds[place] = passed[place].type
            function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), kinds), SYMBOL)
            builder.call(function, passed)
            return context.get_dummy_value()

        return types.void(a, *whole, b, *whole, c, *whole, *whole[:2], types.float64), write

    return intrinsic(gemm)


def code() -> bytes:
    """Give the machine code that defines `SYMBOL`, from the disk cache or compiled now.

    Returns
    -------
    bytes
        An object file.
    """
    import llvmlite.binding as llvm

    entry = cache.key("gemm", cache.generator(), processor())
    stored = cache.load(entry)
    if stored is None:
        stored = _compile(source(*_shape(llvm.get_host_cpu_features())))
        cache.save(entry, stored)
    return stored


@once
def processor() -> str:
    """Give the name of the processor, and what it can do."""
    import llvmlite.binding as llvm

    return f"{llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}"


def _shape(features: dict[str, bool]) -> tuple[int, int, int]:
    """Give what fits the registers: the rows of a tile, the numbers in a register, the registers in a row."""
    if features.get("avx512f"):
        return 8, 8, 3
    if features.get("avx"):
        return 4, 4, 3
    return 4, 2, 4


def _compile(text: str) -> bytes:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    static = target.name.startswith("x86")  # as Numba has it, for code that is linked in memory
    machine = target.create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=2,
        reloc="static" if static else "default",
        codemodel="jitdefault",
        jit=True,
    )
    module = llvm.parse_assembly(text)
    module.verify()
    # Loops are written out as they are to run.
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_unrolling = options.loop_vectorization = options.slp_vectorization = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    result: bytes = machine.emit_object(module)
    return result


# ---- the function in LLVM's language -------------------------------------------------------------------------------


class _Lines:
    """Builds a function: what `llvmlite.ir.IRBuilder` offers, loops, and vectors.

    Parameters
    ----------
    function : llvmlite.ir.Function
        The function, still empty.
    lanes : int
        The numbers in a register.
    """

    def __init__(self, function: ir.Function, lanes: int) -> None:
        from llvmlite import ir

        self.ir = ir
        self.vector = ir.VectorType(ir.DoubleType(), lanes)
        self.lanes = lanes
        entry, start = function.append_basic_block("entry"), function.append_basic_block("start")
        ir.IRBuilder(entry).branch(start)
        self.b = ir.IRBuilder(start)

    def whole(self, number: int) -> ir.Value:
        return self.ir.Constant(self.ir.IntType(64), number)

    def room(self, kind: ir.Type, size: int = 1) -> ir.Value:
        with self.b.goto_entry_block():
            return self.b.alloca(kind, size)

    @contextmanager
    def loop(self, start: ir.Value, stop: ir.Value, step: int = 1) -> Iterator[ir.Value]:
        """Write a loop; what is written meanwhile is its body."""
        b = self.b
        place = self.room(self.ir.IntType(64))
        b.store(start, place)
        head, body, after = (b.append_basic_block(name) for name in ("head", "body", "after"))
        b.branch(head)
        b.position_at_end(head)
        index = b.load(place)
        b.cbranch(b.icmp_signed("<", index, stop), body, after)
        b.position_at_end(body)
        yield index
        b.store(b.add(index, self.whole(step)), place)
        b.branch(head)
        b.position_at_end(after)

    def least(self, x: ir.Value, y: ir.Value) -> ir.Value:
        return self.b.select(self.b.icmp_signed("<", x, y), x, y)

    def at(self, place: ir.Value, index: ir.Value, stride: ir.Value | None = None) -> ir.Value:
        """Give the address of what stands ``index*stride`` numbers behind a place."""
        return self.b.gep(place, [index if stride is None else self.b.mul(index, stride)])

    def several(self, place: ir.Value, register: int) -> ir.Value:
        """Give the address of a register's worth of numbers."""
        return self.b.bitcast(self.at(place, self.whole(register * self.lanes)), self.vector.as_pointer())

    def spread(self, number: ir.Value) -> ir.Value:
        """Give a vector of one number, repeated."""
        ir = self.ir
        empty, first = ir.Constant(self.vector, ir.Undefined), ir.Constant(ir.IntType(32), 0)
        one = self.b.insert_element(empty, number, first)
        picked = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        return self.b.shuffle_vector(one, empty, picked)

    def grow(self, total: ir.Value, x: ir.Value, y: ir.Value) -> ir.Value:
        """Give ``total + x*y``, in one operation where the processor has one."""
        flags = ("contract",)
        return self.b.fadd(total, self.b.fmul(x, y, flags=flags), flags=flags)


def source(rows: int, lanes: int, registers: int) -> str:
    """Write the module that defines `SYMBOL`.

    Parameters
    ----------
    rows : int
        The rows of a tile.
    lanes : int
        The numbers in a register.
    registers : int
        The registers in a row of a tile.

    Returns
    -------
    str
        In LLVM's language.
    """
    import llvmlite.binding as llvm
    from llvmlite import ir

    whole, number = ir.IntType(64), ir.DoubleType()
    vector = number.as_pointer()
    module = ir.Module(SYMBOL)
    module.triple = llvm.get_process_triple()
    malloc = ir.Function(module, ir.FunctionType(whole, [whole]), "malloc")
    free = ir.Function(module, ir.FunctionType(ir.VoidType(), [whole]), "free")
    tiles = [_tile(module, rows, lanes, registers, used) for used in range(1, registers + 1)]
    sides = [vector, whole, whole, whole]
    kind = ir.FunctionType(ir.VoidType(), [*sides, *sides, *sides, whole, whole, number])
    function = ir.Function(module, kind, SYMBOL)
    a, i0, lda, ta, b, j0, ldb, tb, c, l0, ldc, m, n, k, beta = function.args
    w = _Lines(function, lanes)
    line, zero, width = w.b, w.whole(0), w.whole(lanes * registers)
    a, b, c = w.at(a, i0), w.at(b, j0), w.at(c, l0)
    turned = line.icmp_signed("!=", tb, zero)
    steps = []
    for lead, flag in ((lda, line.icmp_signed("!=", ta, zero)), (ldb, turned)):
        steps += [line.select(flag, w.whole(1), lead), line.select(flag, lead, w.whole(1))]
    row, term, down, right = steps
    spare = w.room(number, rows * lanes * registers)  # a tile that sticks out is computed here
    memory = line.call(malloc, [w.whole(_DEPTH * lanes * registers * 8 + 64)])
    panel = line.inttoptr(line.and_(line.add(memory, w.whole(63)), w.whole(-64)), vector)
    some = line.select(line.icmp_signed(">", k, zero), k, w.whole(1))  # where k is 0, C is beta C
    with w.loop(zero, some, _DEPTH) as p0:
        depth = w.least(line.sub(k, p0), w.whole(_DEPTH))
        factor = line.select(line.icmp_signed("==", p0, zero), beta, ir.Constant(number, 1.0))
        with w.loop(zero, m, _HEIGHT) as top, w.loop(zero, n, lanes * registers) as left:
            columns = w.least(line.sub(n, left), width)
            first = w.at(w.at(b, p0, down), left, right)
            _pack(w, panel, first, depth, columns, width, registers, turned, down, right)
            used = line.sdiv(line.add(columns, w.whole(lanes - 1)), w.whole(lanes))
            even = line.icmp_signed("==", line.mul(used, w.whole(lanes)), columns)
            bottom = w.least(line.add(top, w.whole(_HEIGHT)), m)
            with w.loop(top, bottom, rows) as i:
                here = [w.least(line.add(i, w.whole(r)), line.sub(bottom, w.whole(1))) for r in range(rows)]
                starts = [w.at(w.at(a, r, row), p0, term) for r in here]
                height = w.least(line.sub(bottom, i), w.whole(rows))
                fits = line.and_(even, line.icmp_signed("==", height, w.whole(rows)))
                out = w.at(w.at(c, i, ldc), left)
                target = [
                    line.select(fits, *pair)
                    for pair in ((out, spare), (ldc, width), (factor, ir.Constant(number, 0.0)))
                ]
                for count, tile in enumerate(tiles, 1):
                    with line.if_then(line.icmp_signed("==", used, w.whole(count))):
                        line.call(tile, [*starts, term, panel, depth, *target])
                with line.if_then(line.not_(fits)):
                    _copy(w, out, ldc, spare, width, height, columns, factor)
    line.call(free, [memory])
    line.ret_void()
    return str(module)


def _tile(module: ir.Module, rows: int, lanes: int, registers: int, used: int) -> ir.Value:
    """Write the function for one tile: ``out = factor*out + sum of row[p*term]*panel[p]``, for each row.

    It is called, not inlined, so that its sums have all registers to themselves.
    """
    from llvmlite import ir

    whole, number = ir.IntType(64), ir.DoubleType()
    vector = number.as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [*[vector] * rows, whole, vector, whole, vector, whole, number])
    function = ir.Function(module, kind, f"tile{used}")
    function.linkage = "internal"
    function.attributes.add("noinline")
    starts, (term, panel, depth, out, ldc, factor) = function.args[:rows], function.args[rows:]
    w = _Lines(function, lanes)
    line = w.b
    sums = [[w.room(w.vector) for _ in range(used)] for _ in range(rows)]
    for total in (s for row in sums for s in row):
        line.store(ir.Constant(w.vector, [0.0] * lanes), total)
    with w.loop(w.whole(0), depth) as p:
        at, step = w.at(panel, p, w.whole(lanes * registers)), line.mul(p, term)
        right = [line.load(w.several(at, v), align=8) for v in range(used)]
        for start, row in zip(starts, sums, strict=True):
            left = w.spread(line.load(w.at(start, step)))
            for total, x in zip(row, right, strict=True):
                line.store(w.grow(line.load(total), left, x), total)
    with line.if_else(line.fcmp_ordered("==", factor, ir.Constant(number, 0.0))) as (fresh, old):
        for arm in (fresh, old):
            with arm:
                for r, row in enumerate(sums):
                    for v, total in enumerate(row):
                        place = w.several(w.at(out, w.whole(r), ldc), v)
                        value = line.load(total)
                        if arm is old:
                            value = w.grow(value, line.load(place, align=8), w.spread(factor))
                        line.store(value, place, align=8)
    line.ret_void()
    return function


def _pack(
    w: _Lines, panel: ir.Value, first: ir.Value, depth: ir.Value, columns: ir.Value, width: ir.Value,
    registers: int, turned: ir.Value, down: ir.Value, right: ir.Value,
) -> None:  # fmt: skip
    """Write what copies columns of B to where they lie term after term, zeros behind them."""
    line, zero = w.b, w.whole(0)
    number = w.ir.DoubleType()
    whole = line.icmp_signed("==", columns, width)
    with line.if_else(line.and_(whole, line.not_(turned))) as (straight, other):
        with straight, w.loop(zero, depth) as p:
            for v in range(registers):
                value = line.load(w.several(w.at(first, p, down), v), align=8)
                line.store(value, w.several(w.at(panel, p, width), v), align=8)
        with other, w.loop(zero, width) as j:
            inside = line.icmp_signed("<", j, columns)
            column = w.at(first, line.select(inside, j, zero), right)
            with w.loop(zero, depth) as p:
                value = line.load(w.at(column, p, down))
                value = line.select(inside, value, w.ir.Constant(number, 0.0))
                line.store(value, w.at(w.at(panel, p, width), j))


def _copy(
    w: _Lines,
    out: ir.Value,
    ldc: ir.Value,
    spare: ir.Value,
    width: ir.Value,
    height: ir.Value,
    columns: ir.Value,
    factor: ir.Value,
) -> None:
    """Write what copies the part of a tile that belongs to C."""
    line = w.b
    nought = line.fcmp_ordered("==", factor, w.ir.Constant(w.ir.DoubleType(), 0.0))
    with w.loop(w.whole(0), height) as r, w.loop(w.whole(0), columns) as j:
        place = w.at(w.at(out, r, ldc), j)
        value = line.load(w.at(w.at(spare, r, width), j))
        with line.if_else(nought) as (fresh, old):
            with fresh:
                line.store(value, place)
            with old:
                line.store(w.grow(value, line.load(place), factor), place)
