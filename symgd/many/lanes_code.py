"""The loop over many starts: a block of them side by side, one in each lane of the vector registers.

A block holds `WIDTH` starts; each number of the loop (a parameter, a part of the gradient, a state) is a run of so many
floats, and the innermost loop goes over the starts, free of branches, so that LLVM packs it. There are two forms of the
steps. ``fast_lane_block`` takes steps and adds up what would not stay finite; nothing is tested.
``careful_lane_block`` tests after each step as the loop of a single run does, and a start that has ended stays where it
is. Where no tolerance was given, a few fast steps are taken at a time, and taken once more with care if a start did not
stay finite in them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from symgd.descent.outcomes import QUARTERS
from symgd.graph import Fold, Leaf, Map, Node, reachable
from symgd.kernel.code.forms import LANES, NEAR, Argument, At, Call, Choice, Expression, Name, Not, Text, of, total
from symgd.kernel.code.layout import Layout
from symgd.kernel.code.llvm import LLVM
from symgd.kernel.code.loop import GRADIENT, HUGE, NOT_FINITE, STEP, VALUE, Loop
from symgd.kernel.code.module import Program
from symgd.kernel.code.schedule import Pass, schedule
from symgd.kernel.code.writer import Expressions, Writer
from symgd.language.functions import FUNCTIONS
from symgd.many.starts_code import quarter
from symgd.rules import COMPONENTS, Lowered

WIDTH = 128  # starts in a block: enough independent work to hide the time that one operation takes
PARTS = 2  # of a block that are worked on in turn by fast steps, for the same reason
SHORT = 4000  # characters of a gradient's code up to which it is written out for each part
TURNING = ("sin", "cos")  # what vector registers know near 0 only
SLOPE = "slope_each"
# What is not smooth but finite for all reals, and its slope with it.
_BROKEN = {"relu", "maximum", "minimum", "where"}
_FINITE = _BROKEN | {
    row.name for row in FUNCTIONS.values()
    if row.kind == "map" and ((row.smooth and row.domain == "all reals") or row.boolean)
}  # fmt: skip

# A block's numbers: points, gradients, states, the largest and the lowest value in each quarter of the steps, values,
# sums that must stay finite, how a start has ended and when, its first value, and a copy of what fast steps change.
RUNS = {letter: Argument(f"_{letter}", "float64") for letter in "XGSTYFEUKAR"}
STEPS = [
    Argument("_h", "float64"), Argument("_z", "matrix"), Argument("_z0", "whole"), Argument("_from", "whole"),
    Argument("_stop", "whole"),
]  # fmt: skip
TOLERANCES = [Argument(name, "number") for name in ("_gtol", "_ftol", "_xtol")]
START = Argument("_o", "whole")  # where in the runs a block begins


def fits(layout: Layout) -> bool:
    """Tell whether the loop can run side by side: few parameters, all of them numbers, and no arrays of data."""
    return layout.unrolled and not layout.arrays() and not layout.counted and layout.size > 0


def write_lanes(program: Program, rule: Lowered, hyper: tuple[str, ...], *, tested: bool) -> tuple[Text, ...]:
    """Write the loop of a rule over blocks of starts, for Numba.

    Parameters
    ----------
    program : Program
        The objective's functions, for which `fits` holds.
    rule : Lowered
        The rule.
    hyper : tuple of str
        The numbers that it reads, in order.
    tested : bool
        Whether a tolerance is tested after each step.

    Returns
    -------
    tuple of Text
        The function ``lanes``, and those that it calls.
    """
    lanes = Lanes(Writer(apart=True), program, rule, hyper)
    lanes.write_all(tested=tested)
    results = {f.name: f.result for f in lanes.w.functions}
    return (lanes.slope, *(LLVM.text(f, results) for f in lanes.w.functions))


def is_near(functions: Sequence[Text]) -> bool:
    """Tell whether functions read what is nan for large arguments."""
    return any(f.role == NEAR and set(TURNING) & set(f.calls) for f in functions)


class Lanes(Loop):
    """Writes the loop over blocks of starts.

    Parameters
    ----------
    writer : Writer
        Where the lines go.
    program : Program
        The objective's functions.
    rule : Lowered
        The rule.
    hyper : tuple of str
        The numbers that the rule reads from ``_h``, in order.
    """

    def __init__(self, writer: Writer, program: Program, rule: Lowered, hyper: tuple[str, ...]) -> None:
        super().__init__(writer, program.layout, rule, hyper)
        self.lowered = rule
        self.plan = schedule(rule.roots())
        self.update = Pass(COMPONENTS, len(self.plan.passes))
        self.update.nodes = [n for n in reachable(rule.roots()) if n.labels]
        slope = next(f for f in program.written.functions if f.name == "slope")
        self.slope = replace(slope, name=SLOPE, role=NEAR)
        self.short = len(program.function("slope").body) < SHORT
        self.shift = 0  # of the part of a block that is being written
        self.reads_value = any(leaf.name == "f" for leaf in self.plan.leaves)

    def access(self, node: Leaf | Fold) -> Expression:
        """Give the code that reads what a rule may read."""
        if isinstance(node, Leaf) and node.kind == "draw":
            assert isinstance(self.place, int)
            column = int(node.name) * self.n + self.place
            return At("_z", of("_t") - 1 - "_z0", of(column * WIDTH) + "_l" + self.shift, unsigned=True)
        return super().access(node)

    def write_all(self, *, tested: bool) -> None:
        """Write all functions."""
        self._write_look()
        self._write_notes()
        self._write_careful()
        if not tested:
            self._write_fast()
            self._write_ways_back()
        self._write_lanes(tested=tested)

    # ---- one lane --------------------------------------------------------------------------------------------------

    def run(self, letter: str, index: int = 0) -> Expression:
        """Give the code of a lane's entry of one of the runs of a block, which begins at ``_o`` or a multiple of it."""
        return At(RUNS[letter].name, self._begin(letter) + (index * WIDTH + self.shift) + "_l", unsigned=True)

    def _begin(self, letter: str) -> Expression:
        """Give the code of where a block's numbers begin in one of the runs."""
        stretch = {"X": self.n, "G": self.n, "S": self.n * len(self.states), "T": QUARTERS, "Y": QUARTERS}
        return stretch.get(letter, 1) * of(START) if stretch.get(letter, 1) != 1 else of(START)

    def _noted(self, letter: str) -> Expression:
        """Give the code of what is noted of a lane in the quarter of the steps at hand."""
        return At(RUNS[letter].name, self._begin(letter) + WIDTH * of("_quarter") + "_l", unsigned=True)

    def numbers(self) -> list[tuple[str, Expression]]:
        """Give the numbers of a lane that steps change: parameters and states, with where they are kept."""
        found = [(f"_x{i}", self.run("X", i)) for i in range(self.n)]
        for state in range(len(self.states)):
            found += [(f"_s{state}_{i}", self.run("S", state * self.n + i)) for i in range(self.n)]
        return found

    def evaluate(self) -> None:
        """Write the evaluation of value and gradient."""
        names = ["_f", *(f"_g{i}" for i in range(self.n))]
        self.w.assign_all(names, Call(SLOPE, *self.layout.point(), *self.layout.data()))

    def squares(self, *before: Expression) -> Expression:
        """Give the code of the gradient's squared norm, added to what stands before it."""
        return total([*before, *(of(f"_g{i}") * f"_g{i}" for i in range(self.n))])

    def _steps(
        self, name: str, runs: str, more: list[Argument], lane: Callable[[Expressions], None], parts: int = 1
    ) -> None:
        """Write a function that takes steps: code for each lane, inside of what a step knows of all lanes."""
        w = self.w
        arguments = [START, *(RUNS[letter] for letter in runs), *STEPS, *more, *self.layout.data()]
        with w.function(name, arguments, role=LANES):
            for index in range(len(self.hyper)):
                w.assign(f"_h{index}", At("_h", index))
            outer = self._hoist()
            same = self._same()
            with w.loop("_t", of("_from") + 1, of("_stop") + 1):
                w.assign("_tf", Call("float", "_t"))
                outer.write([n for n in self.plan.scalars[0] if n in same], keep=same)
                with w.loop("_l", 0, Call("hide", WIDTH // parts)):
                    for part in range(parts):
                        self.shift = part * WIDTH // parts
                        lane(outer)
                    self.shift = 0
            w.give()

    def _same(self) -> set[Node]:
        """Give the nodes that are the same for all lanes at one step: made of its number and of hyperparameters."""
        same: set[Node] = set()
        for node in self.plan.scalars[0]:
            if isinstance(node, Map) and all(
                a.constant is not None or a in same or (isinstance(a, Leaf) and not a.labels and a.name != "f")
                for a in node.args
            ):
                same.add(node)
        return same

    def _step_lane(self, outer: Expressions) -> None:
        """Write the rule for one lane, whose numbers have been read."""
        inner = Expressions(self.w, self.access, outer=outer)
        self.w.assign("_d", 0.0)
        for level, nodes in enumerate(self.plan.scalars):
            inner.write(nodes, keep=[n for n in nodes if isinstance(n, Map)])
            for piece in self.plan.passes[level] if level < len(self.plan.passes) else []:
                self._reduce(piece, inner)
        self.each(lambda: self._update(self.update, inner, self.lowered))

    # ---- the functions over a block --------------------------------------------------------------------------------

    def _block(self, name: str, arguments: list[Argument], write: Callable[[], None]) -> None:
        """Write a function over the lanes of a block that returns a count."""
        w = self.w
        with w.function(name, [START, *arguments], ["whole"], LANES):
            w.assign("_count", 0)
            with w.loop("_l", 0, Call("hide", WIDTH)):
                write()
            w.give("_count")

    def _write_look(self) -> None:
        """Write what evaluates value and gradient where the lanes stand, and counts those that are not finite."""
        w = self.w
        e = Name("_e")

        def lane() -> None:
            for i in range(self.n):
                w.assign(f"_x{i}", self.run("X", i))
            self.evaluate()
            for i in range(self.n):
                w.assign(self.run("G", i), f"_g{i}")
            w.assign(self.run("F"), "_f")
            w.assign(e, self.squares(self.run("E")) + Call("abs", "_f"))
            w.assign(self.run("E"), e)
            w.add("_count", Choice((e < HUGE) | self.run("U").is_not(0.0), 0, 1))

        self._block("look", [*(RUNS[letter] for letter in "XGFEU"), *self.layout.data()], lane)

    def _write_notes(self) -> None:
        """Write what notes the values, and what counts the starts that have ended."""
        w = self.w
        top, low, value = self._noted("T"), self._noted("Y"), self.run("F")
        quarter = Argument("_quarter", "whole")

        def note() -> None:
            w.assign(top, Choice(value > top, value, top))
            w.assign(low, Choice(value < low, value, low))

        def end() -> None:
            running = self.run("U").is_(0.0)
            w.add("_count", Choice(running, 0, 1))
            w.assign(self.run("K"), Choice(running, "_last", self.run("K")))

        self._block("note", [*(RUNS[letter] for letter in "TYF"), quarter], note)
        self._block("end", [RUNS["U"], RUNS["K"], Argument("_last", "number")], end)

    def _write_careful(self) -> None:
        w = self.w
        f, d, q, c, r, v, b = (Name(f"_{letter}") for letter in "fdqcrvb")

        def lane(outer: Expressions) -> None:
            numbers = [*self.numbers(), *((f"_g{i}", self.run("G", i)) for i in range(self.n)), ("_f", self.run("F"))]
            for name, place in numbers:
                w.assign(name, place)
                w.assign(f"{name}_o", name)
            self._step_lane(outer)
            self.evaluate()
            w.assign(q, self.squares())
            w.assign(c, Call("abs", f))
            w.assign(r, of("_ftol") * Choice(c > 1.0, c, 1.0))
            w.assign(v, Choice(d <= "_xtol", float(STEP), 0.0))
            w.assign(v, Choice(Call("abs", f - "_f_o") <= r, float(VALUE), v))
            w.assign(v, Choice(q <= "_gtol", float(GRADIENT), v))
            # A nan in either is one in the sum.
            w.assign(v, Choice(q + c < HUGE, v, float(NOT_FINITE)))
            w.assign(b, self.run("U"))
            for name, place in numbers:
                w.assign(place, Choice(b.is_(0.0), name, f"{name}_o"))
            w.assign(self.run("K"), Choice(b.is_(0.0), "_tf", self.run("K")))
            w.assign(self.run("U"), Choice(b.is_(0.0), v, b))

        self._steps("careful", "XGSFUK", TOLERANCES, lane)

    def _write_fast(self) -> None:
        w = self.w
        # A polynomial that has overflown stays so: it is enough to look between the steps. The value of what is finite
        # everywhere is looked at between the steps as well.
        summed = bool(self.slope.calls)
        watched = self.reads_value or not _FINITE.issuperset(self.slope.calls)

        def lane(outer: Expressions) -> None:
            numbers = self.numbers()
            for name, place in numbers:
                w.assign(name, place)
            self.evaluate()
            if summed:
                numbers.append(("_e", self.run("E")))
                size = self.squares(self.run("E"))
                w.assign("_e", size + of("_f") * "_f" if watched else size)
            self._step_lane(outer)
            for name, place in numbers:
                w.assign(place, name)

        self._steps("fast", "XSE", [], lane, PARTS if self.short else 1)

    # ---- over blocks -----------------------------------------------------------------------------------------------

    def _write_start(self) -> None:
        """Write what evaluates the starts, and ends those that cannot go on or need not."""
        w = self.w
        ended = self.run("U")
        with w.when(of("_t").is_(0)):
            self._call("look", "XGFEU", self.layout.data())
            with w.loop("_l", 0, WIDTH):
                for i in range(self.n):
                    w.assign(f"_g{i}", self.run("G", i))
                with w.when(ended.is_(0.0)):
                    w.assign(ended, Choice(self.squares() <= "_gtol", float(GRADIENT), 0.0))
                    with w.when(Not(self.run("E") < HUGE)):
                        w.assign(ended, float(NOT_FINITE))
                w.assign(self.run("A"), self.run("F"))
                w.assign(self.run("T"), self.run("F"))
                w.assign(self.run("Y"), self.run("F"))

    def _call(self, name: str, runs: str, more: Sequence[Argument | Expression | str], to: str = "") -> None:
        """Write a call of a function over a block."""
        call = Call(name, START, *(RUNS[letter] for letter in runs), *more)
        self.w.assign(to or "_none", call)

    def _write_lanes(self, *, tested: bool) -> None:
        """Write the loop over blocks: ``_size`` steps at a time, until all of a block's starts have ended.

        Every ``_every`` steps, and at the end, the value is noted, the largest and the smallest in each quarter of the
        ``_limit`` steps: a run whose values rose is told by these.
        """
        w, data = self.w, self.layout.data()
        a, stop, c, ended, bad = (Name(name) for name in ("_a", "_stop", "_c", "_ended", "_bad"))
        steps = ["_h", "_z", "_z0", "_a", "_c"]

        def careful() -> None:
            self._call("careful", "XGSFUK", [*steps, *TOLERANCES, *data])

        with w.function("lanes", self._lanes_arguments()):
            with w.loop("_b", "_lo", "_hi"):
                w.assign(START, WIDTH * of("_b"))
                self._write_start()
                self._call("end", "UK", [Call("float", "_t")], "_ended")
                w.assign(a, "_t")
                w.assign("_next", of("_t") + "_every")
                with w.repeat((a < stop) & (ended < WIDTH)):
                    w.assign(c, Call("min", a + "_size", stop))
                    if tested:
                        careful()
                    else:
                        self._call("save", "XGSFER", [])
                        self._call("fast", "XSE", [*steps, *data])
                        self._call("look", "XGFEU", data, "_bad")
                        with w.when(bad + ended > 0):
                            self._call("back", "XGSFUR", [bad > 0])
                            with w.when(bad > 0):
                                careful()
                    with w.when((c >= "_next") | (c >= "_limit")):
                        self._call("note", "TYF", [quarter(Call("float", c))])
                        w.add("_next", "_every")
                    w.assign(a, c)
                    self._call("end", "UK", [Call("float", c)], "_ended")
            w.give()

    def _lanes_arguments(self) -> list[Argument]:
        """Give the arguments of the function that is called from outside."""
        whole = {name: Argument(name, "whole") for name in ("_lo", "_hi", "_t", "_stop", "_size", "_every", "_limit")}
        known = {argument.name: argument for argument in STEPS}
        return [
            *(whole[name] for name in ("_lo", "_hi", "_t", "_stop")),
            *RUNS.values(),
            *(known[name] for name in ("_h", "_z", "_z0")),
            *(whole[name] for name in ("_size", "_every", "_limit")),
            *TOLERANCES,
            *self.layout.data(),
        ]

    def _write_ways_back(self) -> None:
        """Write what keeps a block as it is before fast steps, and what goes back: all lanes, or those that ended."""
        w = self.w
        runs = [("X", self.n), ("G", self.n), ("S", self.n * len(self.states)), ("F", 1)]
        places = [self.run(letter, index) for letter, count in runs for index in range(count)]
        copies = [At("_R", of(index * WIDTH) + "_l", unsigned=True) for index in range(len(places))]
        everything = Argument("_all", "whole")

        def save() -> None:
            for copy, place in zip(copies, places, strict=True):
                w.assign(copy, place)
            w.assign(self.run("E"), 0.0)

        def back() -> None:
            w.assign("_v", self.run("U"))
            for copy, place in zip(copies, places, strict=True):
                w.assign(place, Choice(of(everything) | of("_v").is_not(0.0), copy, place))

        self._block("save", [RUNS[letter] for letter in "XGSFER"], save)
        self._block("back", [*(RUNS[letter] for letter in "XGSFUR"), everything], back)
