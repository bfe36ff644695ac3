"""The loop over many starts, one after the other, around the loop of the single run.

For what vector registers cannot hold side by side: arrays of parameters, data with rows, the exact Cauchy step.
"""

from __future__ import annotations

from symgd.kernel.code.loop import GRADIENT, HUGE, NOT_FINITE
from symgd.kernel.code.module import Program
from symgd.kernel.code.writer import Writer


def write_starts(program: Program, loop: str, states: int, *, cauchy: bool) -> str:
    """Write the loop over starts around the loop of a single run, for Numba.

    Parameters
    ----------
    program : Program
        The objective's functions.
    loop : str
        The text of the single run's loop.
    states : int
        How many states the rule has.
    cauchy : bool
        Whether the steps are exact Cauchy steps, the first of which is chosen by the gradient at the start.

    Returns
    -------
    str
        The loop, and the function ``starts``.
    """
    writer = Writer("numba")
    Starts(writer, program, states, cauchy=cauchy).write()
    return loop + writer.text()


class Starts:
    """Writes the loop over starts, each of which is copied to where the single run's loop looks for it.

    Parameters
    ----------
    writer : Writer
        Where the lines go.
    program : Program
        The objective's functions.
    states : int
        How many states the rule has.
    cauchy : bool
        As for `write_starts`.
    """

    def __init__(self, writer: Writer, program: Program, states: int, *, cauchy: bool) -> None:
        self.w = writer
        self.layout = program.layout
        self.n = program.layout.size
        self.states = states
        self.cauchy = cauchy
        self.rows = [("_x", "_X", 0, 1), ("_g", "_G", 0, 1), *((f"_y{i}", "_S", i, states) for i in range(states))]
        self.scratch = [] if program.layout.unrolled else ["_e", "_w"]

    def arguments(self) -> list[str]:
        """Give the arguments: arrays of all starts, memory of one, and what the loop of the single run takes."""
        own = [*(name for name, *_ in self.rows), *self.scratch, "_h"]
        shared = ["_lo", "_hi", "_stop", "_X", "_G", "_S", "_H", "_F", "_U", "_K", "_A", "_T", "_Y"]
        return [*shared, *own, "_z", "_hist", "_stride", "_t0", "_rec", "_gtol", "_ftol", "_xtol", *self.layout.data()]

    def _copy(self, *, back: bool) -> None:
        w = self.w
        w.open(f"for _j in range({self.n}):")
        for own, shared, place, count in self.rows:
            index = f"{shared}[({'_i' if count == 1 else f'{count}*_i + {place}'})*{self.n} + _j]"
            w.line(f"{index} = {own}[_j]" if back else f"{own}[_j] = {index}")
        w.close()
        w.open("for _j in range(len(_h)):")
        w.line("_H[len(_h)*_i + _j] = _h[_j]" if back else "_h[_j] = _H[len(_h)*_i + _j]")
        w.close()

    def _write_first(self) -> None:
        """Write what evaluates a start, and ends it where it cannot go on or need not."""
        w = self.w
        data = self.layout.data()
        if self.layout.unrolled:
            names = ", ".join(["_f", *(f"_g{i}" for i in range(self.n))])
            w.line(f"{names} = slope({', '.join([*(f'_x[{i}]' for i in range(self.n)), *data])})")
            for i in range(self.n):
                w.line(f"_g[{i}] = _g{i}")
        else:
            w.line(f"_f = slope({', '.join(['_x', '_g', *data])})")
        w.line("_q = 0.0")
        w.open(f"for _j in range({self.n}):")
        w.line("_q += _g[_j]*_g[_j]")
        w.close()
        if self.cauchy:  # no longer than 1
            w.line("_h[0] = min(1.0, 1.0 / sqrt(_q)) if 0.0 < _q < 1e999 else 1.0")
        w.line("_F[_i] = _f")
        w.line("_A[_i] = _f")
        w.line("_T[_i] = _f")
        w.open(f"if not (_q + abs(_f) < {HUGE}):")
        w.line(f"_U[_i] = {NOT_FINITE}.0")
        w.close()
        w.open("elif _q <= _gtol:")
        w.line(f"_U[_i] = {GRADIENT}.0")
        w.close()

    def write(self) -> None:
        """Write the function."""
        w = self.w
        own = [name for name, *_ in self.rows]
        point = [*own[:2], *self.scratch, *own[2:], "_h", "_z", "0", "_from", "_stop", "_F[_i]", "_from + _stride"]
        call = [*point, "_stride", "_hist", "0", "_gtol", "_ftol", "_xtol", *self.layout.data()]
        w.open(f"def starts({', '.join(self.arguments())}):")
        w.open("for _i in range(_lo, _hi):")
        w.open("if _U[_i] != 0.0:")
        w.line("continue")
        w.close()
        w.line("_from = int(_K[_i])")
        self._copy(back=False)
        w.open("if _from == 0:")
        self._write_first()
        w.close()
        w.open("if _U[_i] == 0.0:")
        w.line(f"_t, _status, _f, _r, _m, _calls = loop({', '.join(call)})")
        w.line("_F[_i] = _f")
        w.line("_U[_i] = float(_status)")
        w.line("_K[_i] = float(_t)")
        w.open("for _j in range(_m):")
        w.open("if _hist[_j, 0] <= _t0:")
        w.line("_T[_i] = max(_T[_i], _hist[_j, 1])")
        w.close()
        w.open("elif _hist[_j, 0] >= _rec:")
        w.line("_Y[_i] = min(_Y[_i], _hist[_j, 1])")
        w.close(3)
        self._copy(back=True)
        w.close()
        w.line("return 0.0")
        w.close()
        w.line("")
