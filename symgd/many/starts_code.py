"""The loop over many starts, one after the other, around the loop of the single run.

For what vector registers cannot hold side by side: arrays of parameters, data with rows, the exact Cauchy step.
"""

from __future__ import annotations

import math

from symgd.descent.outcomes import QUARTERS
from symgd.kernel.code.forms import Argument, At, Call, Choice, Code, Expression, Name, Not, Text, of
from symgd.kernel.code.llvm import LLVM
from symgd.kernel.code.loop import NUMBERS, RESULT
from symgd.kernel.code.outside import GRADIENT, HUGE, NOT_FINITE
from symgd.kernel.code.program import Program
from symgd.kernel.code.writer import Writer


def quarter(step: Expression) -> Expression:
    """Give the code of the quarter of all steps that one after the start belongs to."""
    return Call("int", (4.0 * step - 1.0) / Call("float", "_limit"))


def write_starts(program: Program, states: int, *, cauchy: bool) -> Text:
    """Write the loop over starts around the loop of a single run, for the compiler.

    Parameters
    ----------
    program : Program
        The objective's functions.
    states : int
        How many states the rule has.
    cauchy : bool
        Whether the steps are exact Cauchy steps, the first of which is chosen by the gradient at the start.

    Returns
    -------
    Text
        The function ``starts``, which calls ``loop``.
    """
    writer = Writer(apart=True)
    Starts(writer, program, states, cauchy=cauchy).write()
    (function,) = writer.functions
    return LLVM.text(function, {"loop": tuple(RESULT.values())})


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

    def arguments(self) -> list[Argument]:
        """Give the arguments: arrays of all starts, memory of one, and what the loop of the single run takes."""
        vectors = ["_X", "_G", "_S", "_H", "_T", "_Y", "_F", "_U", "_K", "_A", "_Q", "_M", "_P", "_B"]
        vectors += [*(name for name, *_ in self.rows), *self.scratch, "_h"]
        known = {argument.name: argument for argument in NUMBERS}
        steps = [known["_stride"], *(Argument(name, "whole") for name in ("_every", "_limit"))]
        return [
            *(Argument(name, "whole") for name in ("_lo", "_hi", "_stop")),
            *(Argument(name, "float64") for name in vectors),
            *(known[name] for name in ("_z", "_hist")),
            *steps,
            *(known[name] for name in ("_ftol", "_xtol")),
            *self.layout.data(),
        ]

    def _copy(self, *, back: bool) -> None:
        """Write the copying of one start's numbers to where its loop works on them, or back."""
        w = self.w

        def copy(own: Expression, shared: Expression) -> None:
            w.assign(*((shared, own) if back else (own, shared)))

        with w.loop("_j", 0, self.n):
            for own, shared, place, count in self.rows:
                start: Code = "_i" if count == 1 else count * of("_i") + place
                copy(At(own, "_j"), At(shared, of(start) * self.n + "_j"))
        with w.loop("_j", 0, Call("len", "_h")):
            copy(At("_h", "_j"), At("_H", Call("len", "_h") * of("_i") + "_j"))

    def _write_first(self) -> None:
        """Write what evaluates a start, and ends it where it cannot go on or need not."""
        w = self.w
        data = self.layout.data()
        f, q, ended = Name("_f"), Name("_q"), At("_U", "_i")
        if self.layout.unrolled:
            slopes = [f"_g{i}" for i in range(self.n)]
            w.assign_all([f, *slopes], Call("slope", *(At("_x", i) for i in range(self.n)), *data))
            for i, slope in enumerate(slopes):
                w.assign(At("_g", i), slope)
        else:
            w.assign(f, Call("slope", "_x", "_g", *data))
        w.assign(q, 0.0)
        with w.loop("_j", 0, self.n):
            w.add(q, At("_g", "_j") * At("_g", "_j"))
        if self.cauchy:  # no longer than 1
            first = Call("min", 1.0, 1.0 / Call("sqrt", q))
            w.assign(At("_h", 0), Choice((of(0.0) < q) & (q < math.inf), first, 1.0))
        for place in (*(At(name, "_i") for name in ("_F", "_A", "_P", "_B")), *self._noted(0)):
            w.assign(place, f)
        w.assign(At("_M", "_i"), q)
        with w.when(Not(q + Call("abs", f) < HUGE)):
            w.assign(ended, float(NOT_FINITE))
        with w.otherwise(), w.when(q <= At("_Q", "_i")):
            w.assign(ended, float(GRADIENT))

    def write(self) -> None:
        """Write the function."""
        w = self.w
        with w.function("starts", self.arguments()):
            with w.loop("_i", "_lo", "_hi"):
                with w.when(At("_U", "_i").is_not(0.0)):
                    w.skip()
                w.assign("_from", Call("int", At("_K", "_i")))
                self._copy(back=False)
                with w.when(of("_from").is_(0)):
                    self._write_first()
                with w.when(At("_U", "_i").is_(0.0)):
                    self._write_run()
                self._copy(back=True)
            w.give()

    def _write_run(self) -> None:
        """Write the call of the single run's loop, and what is noted of it."""
        w = self.w
        own = [name for name, *_ in self.rows]
        begin, stride = of("_from"), "_stride"
        point = [*own[:2], *self.scratch, *own[2:]]
        numbers: list[Code] = ["_h", "_z", 0, begin, "_stop", At("_F", "_i"), begin + stride, stride, "_hist", 0]
        call = Call("loop", *point, *numbers, At("_Q", "_i"), "_ftol", "_xtol", 1.0, *self.layout.data())
        w.assign_all(["_r" if name == "_rec" else name for name in RESULT], call)
        w.assign(At("_F", "_i"), "_f")
        w.assign(At("_U", "_i"), Call("float", "_status"))
        w.assign(At("_K", "_i"), Call("float", "_t"))
        with w.loop("_j", 0, "_m"):
            step, value, size = (At("_hist", "_j", column) for column in range(3))
            w.assign("_now", Call("int", step))
            with w.when((of("_now") // "_every" * "_every").is_("_now")):
                w.assign("_quarter", quarter(step))
                self._grow(*self._noted("_quarter"), value)
            self._grow(At("_P", "_i"), At("_B", "_i"), value)
            with w.when(size * size > At("_M", "_i")):
                w.assign(At("_M", "_i"), size * size)
        with w.when(of("_t") >= "_limit"):
            w.assign("_quarter", QUARTERS - 1)
            self._grow(*self._noted("_quarter"), of("_f"))

    def _noted(self, place: Code) -> tuple[Expression, Expression]:
        """Give where the largest and the smallest value of a quarter of the steps are noted."""
        where = QUARTERS * of("_i") + place
        return At("_T", where), At("_Y", where)

    def _grow(self, top: Expression, low: Expression, value: Expression) -> None:
        """Write what takes a value into the largest and the smallest; a nan is none."""
        with self.w.when(value > top):
            self.w.assign(top, value)
        with self.w.when(value < low):
            self.w.assign(low, value)
