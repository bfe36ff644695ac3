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

from collections.abc import MutableSequence, Sequence
from functools import cache as once
from typing import Any

from symgd.kernel.machine import cache, tiles
from symgd.kernel.machine.tiles import SYMBOL

NEEDS = ("malloc", "free")  # what its machine code calls


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
    row, term = 1 if ta else lda, lda if ta else 1
    down, right = 1 if tb else ldb, ldb if tb else 1
    for i in range(m):
        for j in range(n):
            total = 0.0
            for p in range(k):
                total += a[a_offset + i * row + p * term] * b[b_offset + p * down + j * right]
            place = c_offset + i * ldc + j
            c[place] = total if beta == 0.0 else total + beta * c[place]


# ---- for compiled code ---------------------------------------------------------------------------------------------


@once
def compiled() -> object:
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
        stored = _compile(tiles.source(*_shape(llvm.get_host_cpu_features())))
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
