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

from symgd.kernel.machine import cache, target, tiles

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


def code() -> bytes:
    """Give the machine code that defines `SYMBOL`, from the disk cache or compiled now.

    Returns
    -------
    bytes
        An object file.
    """
    entry = cache.key("gemm", cache.generator(), target.processor())
    stored = cache.load(entry)
    if stored is None:
        stored = _compile(tiles.source(*_shape(target.started().get_host_cpu_features())))
        cache.save(entry, stored)
    return stored


def _shape(features: dict[str, bool]) -> tuple[int, int, int]:
    """Give what fits the registers: the rows of a tile, the numbers in a register, the registers in a row."""
    if features.get("avx512f"):
        return 8, 8, 3
    if features.get("avx"):
        return 4, 4, 3
    return 4, 2, 4


def _compile(text: str) -> bytes:
    module = target.started().parse_assembly(text)
    module.verify()
    # Loops are written out as they are to run.
    target.optimise(module, loop_unrolling=False, loop_vectorization=False, slp_vectorization=False)
    made: bytes = target.machine().emit_object(module)
    return made
