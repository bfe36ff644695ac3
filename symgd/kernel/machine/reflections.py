"""Householder's reflections for many rows and few columns, compiled once for all formulas.

A block of rows is reflected into the triangle above it: of the triangle a reflection changes one row, so that no more
is touched than the block, which lies in the first-level cache. LAPACK's routine for so few columns, called through
NumPy, takes as long for the calls, and these hold up other threads.
"""

from __future__ import annotations

from functools import cache

from symgd.kernel.code import BLOCK, Argument
from symgd.kernel.code.forms import At, Call, Choice, Expression, Not, Operation, of, total
from symgd.kernel.code.llvm import LLVM
from symgd.kernel.code.writer import Writer
from symgd.kernel.machine.compile import Entry, compile_function

NUMBERS = 2048  # in a block: it stays in the first-level cache
LEAST = 64  # rows in a block
_ARGUMENTS = (
    Argument("_room", "float64"),  # columns, one after the other
    Argument("_triangle", "float64"),  # row after row
    Argument("_rows", "whole"),  # of each column, that count
    Argument("_step", "whole"),  # from one column to the next
    Argument("_width", "whole"),  # columns
)


def _at(array: str, *index: Expression | str) -> At:
    return At(array, total([of(part) for part in index]), unsigned=True)


def _reflect(w: Writer) -> None:
    """Write the reflection of a block: Golub and Van Loan 2013, Matrix Computations, section 5.1.

    The vector's first entry is v, the others are the column.
    """
    with w.loop("_k", 0, "_width"):
        w.assign("_own", of("_k") * "_step" + "_first")
        w.assign("_s", 0.0)
        with w.loop("_i", 0, "_count"):
            w.add("_s", _at("_room", "_own", "_i") * _at("_room", "_own", "_i"))
        w.assign("_d", of("_k") * "_width" + "_k")
        w.assign("_a", _at("_triangle", "_d"))
        with w.when(Not(of("_s") <= 0.0)):
            w.assign("_b", Call("sqrt", of("_a") * "_a" + "_s"))
            with w.when(of("_a") > 0.0):
                w.assign("_b", -1.0 * of("_b"))
            w.assign("_v", of("_a") - "_b")
            w.assign("_t", 2.0 / (of("_v") * "_v" + "_s"))
            w.assign(_at("_triangle", "_d"), "_b")
            with w.loop("_j", of("_k") + 1, "_width"):
                _turn(w)
    w.give(0.0)


def _turn(w: Writer) -> None:
    """Write what a reflection makes of another column."""
    own, other = _at("_room", "_own", "_i"), _at("_room", "_other", "_i")
    w.assign("_other", of("_j") * "_step" + "_first")
    w.assign("_e", of("_k") * "_width" + "_j")
    w.assign("_p", 0.0)
    with w.loop("_i", 0, "_count"):
        w.add("_p", own * other)
    w.assign("_c", of("_t") * (of("_v") * _at("_triangle", "_e") + "_p"))
    w.assign(_at("_triangle", "_e"), _at("_triangle", "_e") - of("_c") * "_v")
    with w.loop("_i", 0, "_count"):
        w.assign(other, other - of("_c") * own)


@cache
def rotation() -> Entry:
    """Give the function that reflects columns into a triangle, and leaves nothing of them.

    Returns
    -------
    Entry
        Takes the columns and the triangle, both flat, the number of rows, how far apart columns are, and how many.
    """
    room, triangle, _, step, width = _ARGUMENTS
    inner = [room, triangle, Argument("_first", "whole"), Argument("_count", "whole"), step, width]
    w = Writer(apart=True)
    with w.function("reflect", inner, ["number"], BLOCK):
        _reflect(w)
    with w.function("rotate", _ARGUMENTS, ["number"]):
        w.assign("_most", Operation("//", of(NUMBERS), of("_width")))
        w.assign("_block", Choice(of("_most") > LEAST, "_most", LEAST))
        w.assign("_first", 0)
        with w.repeat(of("_first") < "_rows"):
            w.assign("_left", of("_rows") - "_first")
            count = Choice(of("_left") < "_block", "_left", "_block")
            w.call("reflect", "_room", "_triangle", "_first", count, "_step", "_width")
            w.add("_first", "_block")
        w.give(0.0)
    texts = [LLVM.text(function, {"reflect": ("number",)}) for function in w.functions]
    return compile_function(texts, "rotate", strict=False)
