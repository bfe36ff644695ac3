"""Householder's reflections for many rows and few columns, compiled once for all formulas.

A block of rows is reflected into the triangle above it: of the triangle a reflection changes one row, so that no more
is touched than the block, which lies in the first-level cache. LAPACK's routine for so few columns, called through
NumPy, takes as long for the calls, and these hold up other threads.
"""

from __future__ import annotations

from functools import cache

from symgd.kernel.code import BLOCK, MAIN, Argument, Text
from symgd.kernel.machine.compile import Entry, compile_function

NUMBERS = 2048  # in a block: it stays in the first-level cache
_ARGUMENTS = (
    Argument("_room", "float64"),  # columns, one after the other
    Argument("_triangle", "float64"),  # row after row
    Argument("_rows", "whole"),  # of each column, that count
    Argument("_step", "whole"),  # from one column to the next
    Argument("_width", "whole"),  # columns
)
# Golub and Van Loan 2013, Matrix Computations, section 5.1; the vector's first entry is v, the others are the column.
_REFLECT = """\
    for _k in range(_width):
        _own = _k*_step + _first
        _s = 0.0
        for _i in range(_count):
            _s += _room[_u(_own + _i)]*_room[_u(_own + _i)]
        _d = _k*_width + _k
        _a = _triangle[_u(_d)]
        if _s > 0.0 or _s != _s:
            _b = math.sqrt(_a*_a + _s)
            if _a > 0.0:
                _b = -_b
            _v = _a - _b
            _t = 2.0/(_v*_v + _s)
            _triangle[_u(_d)] = _b
            for _j in range(_k + 1, _width):
                _other = _j*_step + _first
                _e = _k*_width + _j
                _s = 0.0
                for _i in range(_count):
                    _s += _room[_u(_own + _i)]*_room[_u(_other + _i)]
                _c = _t*(_v*_triangle[_u(_e)] + _s)
                _triangle[_u(_e)] -= _c*_v
                for _i in range(_count):
                    _room[_u(_other + _i)] -= _c*_room[_u(_own + _i)]
    return 0.0
"""
_ROTATE = """\
    _block = max(64, {numbers}//_width)
    for _first in range(0, _rows, _block):
        reflect(_room, _triangle, _first, min(_block, _rows - _first), _step, _width)
    return 0.0
"""


@cache
def rotation() -> Entry:
    """Give the function that reflects columns into a triangle, and leaves nothing of them.

    Returns
    -------
    Entry
        Takes the columns and the triangle, both flat, the number of rows, how far apart columns are, and how many.
    """
    room, triangle, _, step, width = _ARGUMENTS
    inner = (room, triangle, Argument("_first", "whole"), Argument("_count", "whole"), step, width)
    texts = (
        Text("reflect", inner, ("number",), BLOCK, ("_u",), _REFLECT),
        Text("rotate", _ARGUMENTS, ("number",), MAIN, ("reflect", "max", "min"), _ROTATE.format(numbers=NUMBERS)),
    )
    return compile_function(texts, "rotate", strict=False)
