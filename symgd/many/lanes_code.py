"""The loop over many starts: a block of them side by side, one in each lane of the vector registers.

There are two forms of the steps. ``fast`` takes steps and adds up what would not stay finite; nothing is tested.
``careful`` tests after each step as the loop of a single run does; a start that has ended stays where it is, and one
that has taken more steps than others waits for them. Where no tolerance was given, a few fast steps are taken at a
time, and taken once more with care if a start did not stay finite in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeGuard

from symgd.graph import Fold, Leaf, Map, Node, reachable
from symgd.kernel.code.forms import LANES, NEAR, Argument, At, Call, Choice, Expression, Name, Not, Text, of
from symgd.kernel.code.layout import Layout
from symgd.kernel.code.llvm import LLVM
from symgd.kernel.code.outside import GRADIENT, HUGE, NOT_FINITE, STEP, VALUE
from symgd.kernel.code.program import Program
from symgd.kernel.code.schedule import Pass, schedule
from symgd.kernel.code.writer import Expressions, Writer
from symgd.language.functions import FUNCTIONS
from symgd.many.block_code import RUNS, SLOPE, START, STEPS, TOLERANCES, WIDTH, Block
from symgd.many.starts_code import quarter
from symgd.rules import COMPONENTS, Lowered

PARTS = 2  # of a block that are worked on in turn by fast steps, for the same reason
SHORT = 4000  # characters of a gradient's code up to which it is written out for each part
TURNING = ("sin", "cos")  # what vector registers know near 0 only
# What is not smooth but finite for all reals, and its slope with it.
_BROKEN = {"relu", "maximum", "minimum", "where"}
_FINITE = _BROKEN | {
    row.name for row in FUNCTIONS.values()
    if row.kind == "map" and ((row.smooth and row.domain == "all reals") or row.boolean)
}  # fmt: skip


def fits(layout: Layout) -> bool:
    """Tell whether the loop can run side by side: few parameters, all of them numbers, and no arrays of data."""
    return layout.unrolled and not layout.arrays() and not layout.counted and layout.size > 0


def write_lanes(
    program: Program, rule: Lowered, hyper: tuple[str, ...], *, tested: bool, varying: tuple[str, ...] = ()
) -> tuple[Text, ...]:
    """Write the loop of a rule over blocks of starts, for the compiler.

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
    varying : tuple of str
        Those of the numbers that differ from start to start.

    Returns
    -------
    tuple of Text
        The function ``lanes``, and those that it calls.
    """
    lanes = Lanes(Writer(apart=True), program, rule, hyper, varying)
    lanes.write_all(tested=tested)
    results = {f.name: f.result for f in lanes.w.functions}
    return (lanes.slope, *(LLVM.text(f, results) for f in lanes.w.functions))


def is_near(functions: Sequence[Text]) -> bool:
    """Tell whether functions read what is nan for large arguments."""
    return any(f.role == NEAR and set(TURNING) & set(f.calls) for f in functions)


class Lanes(Block):
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
    varying : tuple of str
        Those of them that each lane has its own of.
    """

    def __init__(
        self, writer: Writer, program: Program, rule: Lowered, hyper: tuple[str, ...], varying: tuple[str, ...] = ()
    ) -> None:
        super().__init__(writer, program.layout, rule, hyper)
        self.varying = varying
        self.turned: dict[Node, Name] = {}  # what is multiplied by in place of dividing by a node
        self.lowered = rule
        self.plan = schedule(rule.roots())
        self.update = Pass(COMPONENTS, len(self.plan.passes))
        self.update.nodes = [n for n in reachable(rule.roots()) if n.labels]
        slope = next(f for f in program.written.functions if f.name == "slope")
        self.slope = replace(slope, name=SLOPE, role=NEAR)
        self.short = len(program.function("slope").body) < SHORT
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
        self.write_look()
        self.write_notes()
        self._write_careful(tested=tested)
        if not tested:
            self._write_fast()
            self.write_ways_back()
        self._write_lanes(tested=tested)

    def _steps(
        self, name: str, runs: str, more: list[Argument], lane: Callable[[Expressions], None], parts: int = 1
    ) -> None:
        """Write a function that takes steps: code for each lane, inside of what a step knows of all lanes."""
        w = self.w
        arguments = [START, *(RUNS[letter] for letter in runs), *STEPS, *more, *self.layout.data()]
        with w.function(name, arguments, role=LANES):
            for index, number in enumerate(self.hyper):
                if number not in self.varying:
                    w.assign(f"_h{index}", At("_h", index))
            outer = self._hoist()
            same = self._same()
            with w.loop("_t", of("_from") + 1, of("_stop") + 1):
                w.assign("_tf", Call("float", "_t"))
                outer.write([n for n in self.plan.scalars[0] if n in same], keep=same)
                self._renew(outer, same)
                with w.loop("_l", 0, Call("hide", WIDTH // parts)):
                    for part in range(parts):
                        self.shift = part * WIDTH // parts
                        for place, number in enumerate(self.varying):
                            w.assign(f"_h{self.hyper.index(number)}", self.run("H", place))
                        lane(outer)
                    self.shift = 0
            w.give()

    def fixed(self, node: Node) -> bool:
        """Tell whether a node is the same at every step, and in every lane."""
        return super().fixed(node) and not (isinstance(node, Leaf) and node.name in self.varying)

    def _renew(self, outer: Expressions, same: set[Node]) -> None:
        """Write 1 over what all lanes are divided by: a division takes a processor ten times as long as a product."""
        self.turned = {}
        for node in reachable(self.lowered.roots()):
            if not _divides(node) or node in same or node.args[1].constant is not None:
                continue
            divisor = node.args[1]
            if divisor not in self.turned and (outer.find(divisor) or self.fixed(divisor)):
                self.turned[divisor] = Name(f"_i{divisor.number}")
                self.w.assign(self.turned[divisor], 1.0 / outer[divisor])

    def inside(self, around: Expressions, suffix: str = "") -> Expressions:
        """Give what writes the expressions of a lane."""
        inner = _Lane(self.w, self.access, around, suffix)
        inner.turned = self.turned
        return inner

    def _same(self) -> set[Node]:
        """Give the nodes that are the same for all lanes at one step: made of its number and of hyperparameters."""
        same: set[Node] = set()
        for node in self.plan.scalars[0]:
            if isinstance(node, Map) and all(
                a.constant is not None or a in same or self.fixed(a) or (isinstance(a, Leaf) and a.name == "t")
                for a in node.args
            ):
                same.add(node)
        return same

    def _step_lane(self, outer: Expressions) -> None:
        """Write the rule for one lane, whose numbers have been read."""
        inner = self.inside(outer)
        self.w.assign("_d", 0.0)
        for level, nodes in enumerate(self.plan.scalars):
            inner.write(nodes, keep=[n for n in nodes if isinstance(n, Map)])
            for piece in self.plan.passes[level] if level < len(self.plan.passes) else []:
                self._reduce(piece, inner)
        self.each(lambda: self._update(self.update, inner, self.lowered))

    # ---- the functions over a block --------------------------------------------------------------------------------

    def _write_careful(self, *, tested: bool) -> None:
        w = self.w
        f, d, q, c, r, v, b = (Name(f"_{letter}") for letter in "fdqcrvb")
        steepest, top, low = (self.run(letter) for letter in "MPB")

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
            w.assign(v, Choice(q <= self.run("Q"), float(GRADIENT), v))
            # A nan in either is one in the sum.
            w.assign(v, Choice(q + c < HUGE, v, float(NOT_FINITE)))
            w.assign("_was", self.run("U"))
            w.assign(b, Choice(of("_tf") > self.run("K"), "_was", 1.0))
            for name, place in numbers:
                w.assign(place, Choice(b.is_(0.0), name, f"{name}_o"))
            w.assign(self.run("K"), Choice(b.is_(0.0), "_tf", self.run("K")))
            w.assign(self.run("U"), Choice(b.is_(0.0), v, "_was"))
            if tested:
                w.assign(q, Choice(b.is_(0.0), q, 0.0))
                w.assign(steepest, Choice(q > steepest, q, steepest))
                w.assign(f, self.run("F"))
                w.assign(top, Choice(f > top, f, top))
                w.assign(low, Choice(f < low, f, low))

        self._steps("careful", "XGSFUKQMPBH", TOLERANCES, lane)

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

        self._steps("fast", "XSEH", [], lane, PARTS if self.short else 1)

    # ---- over blocks -----------------------------------------------------------------------------------------------

    def _write_start(self) -> None:
        """Write what evaluates the starts, and ends those that cannot go on or need not."""
        w = self.w
        ended = self.run("U")
        with w.when(of("_new").is_(1)):
            self._call("look", "XGFEU", self.layout.data())
            with w.loop("_l", 0, WIDTH):
                for i in range(self.n):
                    w.assign(f"_g{i}", self.run("G", i))
                with w.when(ended.is_(0.0)):
                    w.assign(ended, Choice(self.squares() <= self.run("Q"), float(GRADIENT), 0.0))
                    with w.when(Not(self.run("E") < HUGE)):
                        w.assign(ended, float(NOT_FINITE))
                w.assign(self.run("M"), self.squares())
                for letter in "ATYPB":
                    w.assign(self.run(letter), self.run("F"))

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
            self._call("careful", "XGSFUKQMPBH", [*steps, *TOLERANCES, *data])

        with w.function("lanes", self._lanes_arguments()):
            with w.loop("_b", "_lo", "_hi"):
                w.assign(START, WIDTH * of("_b"))
                self._write_start()
                self._call("end", "UK", [Call("float", "_t")], "_ended")
                w.assign(a, "_t")
                w.assign("_next", (of("_t") // "_every" + 1) * "_every")
                with w.repeat((a < stop) & (ended < WIDTH)):
                    w.assign(c, Call("min", Call("min", a + "_size", "_next"), stop))
                    if tested:
                        careful()
                    else:
                        self._call("save", "XGSFER", [])
                        self._call("fast", "XSEH", [*steps, *data])
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
        names = ("_lo", "_hi", "_t", "_stop", "_new", "_size", "_every", "_limit")
        whole = {name: Argument(name, "whole") for name in names}
        known = {argument.name: argument for argument in STEPS}
        return [
            *(whole[name] for name in ("_lo", "_hi", "_t", "_stop", "_new")),
            *RUNS.values(),
            *(known[name] for name in ("_h", "_z", "_z0")),
            *(whole[name] for name in ("_size", "_every", "_limit")),
            *TOLERANCES,
            *self.layout.data(),
        ]


class _Lane(Expressions):
    """Expressions of a lane, where nothing is divided by what all lanes share."""

    turned: Mapping[Node, Name]

    def _expression(self, node: Map) -> Expression:
        if _divides(node) and node.args[1] in self.turned:
            return self[node.args[0]] * self.turned[node.args[1]]
        return super()._expression(node)


def _divides(node: Node) -> TypeGuard[Map]:
    return isinstance(node, Map) and node.function == "divide"
