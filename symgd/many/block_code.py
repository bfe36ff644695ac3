"""What the loop over many starts does to a block of them, between the steps: look, note, save, go back.

A block holds `WIDTH` starts; each number of the loop (a parameter, a part of the gradient, a state) is a run of so many
floats, and the innermost loop goes over the starts, free of branches, so that LLVM packs it.
"""

from __future__ import annotations

from collections.abc import Callable

from symgd.descent.outcomes import QUARTERS
from symgd.kernel.code.forms import LANES, Argument, At, Call, Choice, Expression, Name, of, total
from symgd.kernel.code.loop import Loop
from symgd.kernel.code.outside import HUGE

WIDTH = 128  # starts in a block: enough independent work to hide the time that one operation takes
SLOPE = "slope_each"

# A block's numbers: points, gradients, states, the largest and the lowest value in each quarter of the steps, values,
# sums that must stay finite, how a start has ended and when, its first value, the square of its tolerance of the
# gradient, the largest square of a gradient, the largest and the lowest value since it was last looked whether a start
# is at rest, the rule's numbers that differ from start to start, and a copy of what fast steps change.
RUNS = {letter: Argument(f"_{letter}", "float64") for letter in "XGSTYFEUKAQMPBHR"}
STEPS = [
    Argument("_h", "float64"), Argument("_z", "matrix"), Argument("_z0", "whole"), Argument("_from", "whole"),
    Argument("_stop", "whole"),
]  # fmt: skip
TOLERANCES = [Argument(name, "number") for name in ("_ftol", "_xtol")]
START = Argument("_o", "whole")  # where in the runs a block begins


class Block(Loop):
    """Writes functions over the lanes of a block."""

    shift = 0  # of the part of a block that is being written
    varying: tuple[str, ...] = ()  # numbers of the rule that differ from lane to lane

    def run(self, letter: str, index: int = 0) -> Expression:
        """Give the code of a lane's entry of one of the runs of a block, which begins at ``_o`` or a multiple of it."""
        return At(RUNS[letter].name, self._begin(letter) + (index * WIDTH + self.shift) + "_l", unsigned=True)

    def _begin(self, letter: str) -> Expression:
        """Give the code of where a block's numbers begin in one of the runs."""
        stretch = {"X": self.n, "G": self.n, "S": self.n * len(self.states), "T": QUARTERS, "Y": QUARTERS}
        stretch["H"] = len(self.varying)
        return stretch.get(letter, 1) * of(START) if stretch.get(letter, 1) != 1 else of(START)

    def noted(self, letter: str) -> Expression:
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

    # ---- functions over a block ------------------------------------------------------------------------------------

    def _block(self, name: str, arguments: list[Argument], write: Callable[[], None]) -> None:
        """Write a function over the lanes of a block that returns a count."""
        w = self.w
        with w.function(name, [START, *arguments], ["whole"], LANES):
            w.assign("_count", 0)
            with w.loop("_l", 0, Call("hide", WIDTH)):
                write()
            w.give("_count")

    def write_look(self) -> None:
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

    def write_notes(self) -> None:
        """Write what notes the values, and what counts the starts that have ended."""
        w = self.w
        top, low, value = self.noted("T"), self.noted("Y"), self.run("F")
        quarter = Argument("_quarter", "whole")

        def note() -> None:
            w.assign(top, Choice(value > top, value, top))
            w.assign(low, Choice(value < low, value, low))

        def end() -> None:
            running = self.run("U").is_(0.0)
            w.add("_count", Choice(running, 0, 1))
            w.assign(self.run("K"), Choice(running & (self.run("K") < "_last"), "_last", self.run("K")))

        self._block("note", [*(RUNS[letter] for letter in "TYF"), quarter], note)
        self._block("end", [RUNS["U"], RUNS["K"], Argument("_last", "number")], end)

    def write_ways_back(self) -> None:
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
