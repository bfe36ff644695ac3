"""The product of matrices in LLVM's own language, tile by tile: see `gemm`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llvmlite import ir

SYMBOL = "symgd_gemm"

_DEPTH = 256  # terms of a sum that are gone through at a time: so much of twelve columns stays in the first cache
_HEIGHT = 128  # rows at a time: so much of the left matrix stays in the second cache


class Lines:
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
        """Give a whole number."""
        return self.ir.Constant(self.ir.IntType(64), number)

    def room(self, kind: ir.Type, size: int = 1) -> ir.Value:
        """Give the address of memory on the stack."""
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
        """Give the smaller one of two whole numbers."""
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

    number = ir.DoubleType()
    module = ir.Module(SYMBOL)
    module.triple = llvm.get_process_triple()
    tiles = [_tile(module, rows, lanes, registers, used) for used in range(1, registers + 1)]
    function, malloc, free = _declared(module)
    a, i0, lda, ta, b, j0, ldb, tb, c, l0, ldc, m, n, k, beta = function.args
    w = Lines(function, lanes)
    line, zero, width = w.b, w.whole(0), w.whole(lanes * registers)
    a, b, c = w.at(a, i0), w.at(b, j0), w.at(c, l0)
    turned = line.icmp_signed("!=", tb, zero)
    steps = []
    for lead, flag in ((lda, line.icmp_signed("!=", ta, zero)), (ldb, turned)):
        steps += [line.select(flag, w.whole(1), lead), line.select(flag, lead, w.whole(1))]
    row, term, down, right = steps
    spare = w.room(number, rows * lanes * registers)  # a tile that sticks out is computed here
    memory = line.call(malloc, [w.whole(_DEPTH * lanes * registers * 8 + 64)])
    panel = line.inttoptr(line.and_(line.add(memory, w.whole(63)), w.whole(-64)), number.as_pointer())
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


def _declared(module: ir.Module) -> tuple[ir.Function, ir.Function, ir.Function]:
    """Declare the function, and what it calls for memory."""
    from llvmlite import ir

    whole, number = ir.IntType(64), ir.DoubleType()
    side = [number.as_pointer(), whole, whole, whole]
    kind = ir.FunctionType(ir.VoidType(), [*side, *side, *side[:3], *[whole] * 3, number])
    malloc = ir.Function(module, ir.FunctionType(whole, [whole]), "malloc")
    free = ir.Function(module, ir.FunctionType(ir.VoidType(), [whole]), "free")
    return ir.Function(module, kind, SYMBOL), malloc, free


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
    w = Lines(function, lanes)
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
    w: Lines, panel: ir.Value, first: ir.Value, depth: ir.Value, columns: ir.Value, width: ir.Value,
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
    w: Lines,
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
