"""The loop over many starts: a block of them side by side, one in each lane of the vector registers.

A block holds `WIDTH` starts; each number of the loop (a parameter, a part of the gradient, a state) is a run of so many
floats, and the innermost loop goes over the starts, free of branches, so that LLVM packs it. There are two forms of the
steps. ``fast_lane_block`` takes steps and adds up what would not stay finite; nothing is tested.
``careful_lane_block`` tests after each step as the loop of a single run does, and a start that has ended stays where it
is. Where no tolerance was given, a few fast steps are taken at a time, and taken once more with care if a start did not
stay finite in them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from symgd.graph import Fold, Leaf, Map, Node, reachable
from symgd.kernel.code.layout import Layout
from symgd.kernel.code.loop import GRADIENT, HUGE, NOT_FINITE, STEP, VALUE, Loop
from symgd.kernel.code.module import Program
from symgd.kernel.code.schedule import Pass, schedule
from symgd.kernel.code.writer import Expressions, Writer
from symgd.language.functions import FUNCTIONS
from symgd.rules import COMPONENTS, Lowered

WIDTH = 128  # starts in a block: enough independent work to hide the time that one operation takes
PARTS = 2  # of a block that are worked on in turn by fast steps, for the same reason
SHORT = 4000  # characters of a gradient's code up to which it is written out for each part
TURNING = r"\b(sin|cos)\("


def fits(layout: Layout) -> bool:
    """Tell whether the loop can run side by side: few parameters, all of them numbers, and no arrays of data."""
    return layout.unrolled and not layout.arrays() and not layout.counted and layout.size > 0


def write_lanes(program: Program, rule: Lowered, hyper: tuple[str, ...], *, tested: bool) -> str:
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
    str
        The function ``lanes``, and those that it calls.
    """
    writer = Writer("numba")
    Lanes(writer, program, rule, hyper).write_all(tested=tested)
    return writer.text()


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
        self.slope = _renamed(program.source["numba"], "slope", "slope_each")
        self.shift = 0  # of the part of a block that is being written
        self.reads_value = any(leaf.name == "f" for leaf in self.plan.leaves)

    def access(self, node: Leaf | Fold) -> str:
        """Give the code that reads what a rule may read."""
        if isinstance(node, Leaf) and node.kind == "draw":
            column = int(node.name) * self.n + int(self.place)
            return f"_z[_u(_t - 1 - _z0), _u({column * WIDTH} + _l + {self.shift})]"
        return super().access(node)

    def write_all(self, *, tested: bool) -> None:
        """Write all functions."""
        for line in self.slope.splitlines():
            self.w.line(line)
        self.w.line("")
        self._write_look()
        self._write_notes()
        self._write_careful()
        if not tested:
            self._write_fast()
            self._write_ways_back()
        self._write_lanes(tested=tested)

    # ---- one lane --------------------------------------------------------------------------------------------------

    def run(self, letter: str, index: int = 0) -> str:
        """Give the code of a lane's entry of one of the runs of a block, which begins at ``_o`` or a multiple of it."""
        stretch = {"X": self.n, "G": self.n, "S": self.n * len(self.states)}.get(letter, 1)
        start = "_o" if stretch == 1 else f"{stretch}*_o"
        return f"_{letter}[_u({start} + {index * WIDTH + self.shift} + _l)]"

    def numbers(self) -> list[tuple[str, str]]:
        """Give the numbers of a lane that steps change: parameters and states, with where they are kept."""
        found = [(f"_x{i}", self.run("X", i)) for i in range(self.n)]
        for state in range(len(self.states)):
            found += [(f"_s{state}_{i}", self.run("S", state * self.n + i)) for i in range(self.n)]
        return found

    def slopes(self) -> str:
        """Give the code that evaluates value and gradient."""
        names = ", ".join(["_f", *(f"_g{i}" for i in range(self.n))])
        return f"{names} = slope_each({', '.join([*self.layout.point(), *self.layout.data()])})"

    def squares(self) -> str:
        """Give the code of the gradient's squared norm."""
        return " + ".join(f"_g{i}*_g{i}" for i in range(self.n))

    def _steps(self, name: str, before: str, after: str, lane: Callable[[Expressions], None], parts: int = 1) -> None:
        """Write a function that takes steps: code for each lane, inside of what a step knows of all lanes."""
        w = self.w
        w.open(f"def {name}({before}, _h, _z, _z0, _from, _stop{after}{self._data()}):")
        for index in range(len(self.hyper)):
            w.line(f"_h{index} = _h[{index}]")
        outer = self._hoist()
        same = self._same()
        w.open("for _t in range(_from + 1, _stop + 1):")
        w.line("_tf = float(_t)")
        outer.write([n for n in self.plan.scalars[0] if n in same], keep=same)
        w.open(f"for _l in range(_hide({WIDTH // parts})):")
        for part in range(parts):
            self.shift = part * WIDTH // parts
            lane(outer)
        self.shift = 0
        w.close(2)
        w.line("return 0.0")
        w.close()
        w.line("")

    def _data(self) -> str:
        return "".join(f", {name}" for name in self.layout.data())

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
        self.w.line("_d = 0.0")
        for level, nodes in enumerate(self.plan.scalars):
            inner.write(nodes, keep=[n for n in nodes if isinstance(n, Map)])
            for piece in self.plan.passes[level] if level < len(self.plan.passes) else []:
                self._reduce(piece, inner)
        self.each(lambda: self._update(self.update, inner, self.lowered))

    # ---- the functions over a block --------------------------------------------------------------------------------

    def _block(self, name: str, arguments: str, write: Callable[[], None]) -> None:
        """Write a function over the lanes of a block that returns a count."""
        w = self.w
        w.open(f"def {name}_lane_block({arguments}):")
        w.line("_count = 0")
        w.open(f"for _l in range(_hide({WIDTH})):")
        write()
        w.close()
        w.line("return _count")
        w.close()
        w.line("")

    def _write_look(self) -> None:
        """Write what evaluates value and gradient where the lanes stand, and counts those that are not finite."""
        w = self.w

        def lane() -> None:
            for i in range(self.n):
                w.line(f"_x{i} = {self.run('X', i)}")
            w.line(self.slopes())
            for i in range(self.n):
                w.line(f"{self.run('G', i)} = _g{i}")
            w.line(f"{self.run('F')} = _f")
            w.line(f"_e = {self.run('E')} + {self.squares()} + abs(_f)")
            w.line(f"{self.run('E')} = _e")
            w.line(f"_count += 0 if (_e < {HUGE} or {self.run('U')} != 0.0) else 1")

        self._block("look", f"_o, _X, _G, _F, _E, _U{self._data()}", lane)

    def _write_notes(self) -> None:
        """Write what notes the values, and what counts the starts that have ended."""
        w = self.w
        top, low, value = self.run("T"), self.run("Y"), self.run("F")

        def note() -> None:
            w.line(f"{top} = {value} if _early and {value} > {top} else {top}")
            w.line(f"{low} = {value} if not _early and {value} < {low} else {low}")

        def end() -> None:
            w.line(f"_count += 0 if {self.run('U')} == 0.0 else 1")
            w.line(f"{self.run('K')} = _last if {self.run('U')} == 0.0 else {self.run('K')}")

        self._block("note", "_o, _F, _T, _Y, _early", note)
        self._block("end", "_o, _U, _K, _last", end)

    def _write_careful(self) -> None:
        w = self.w

        def lane(outer: Expressions) -> None:
            numbers = [*self.numbers(), *((f"_g{i}", self.run("G", i)) for i in range(self.n)), ("_f", self.run("F"))]
            for name, place in numbers:
                w.line(f"{name} = {place}")
                w.line(f"{name}_o = {name}")
            self._step_lane(outer)
            w.line(self.slopes())
            w.line(f"_q = {self.squares()}")
            w.line("_c = abs(_f)")
            w.line("_r = _ftol*(_c if _c > 1.0 else 1.0)")
            w.line(f"_v = {STEP}.0 if _d <= _xtol else 0.0")
            w.line(f"_v = {VALUE}.0 if abs(_f - _f_o) <= _r else _v")
            w.line(f"_v = {GRADIENT}.0 if _q <= _gtol else _v")
            # A nan in either is one in the sum.
            w.line(f"_v = _v if _q + _c < {HUGE} else {NOT_FINITE}.0")
            w.line(f"_b = {self.run('U')}")
            for name, place in numbers:
                w.line(f"{place} = {name} if _b == 0.0 else {name}_o")
            w.line(f"{self.run('K')} = _tf if _b == 0.0 else {self.run('K')}")
            w.line(f"{self.run('U')} = _v if _b == 0.0 else _b")

        self._steps("careful_lane_block", "_o, _X, _G, _S, _F, _U, _K", ", _gtol, _ftol, _xtol", lane)

    def _write_fast(self) -> None:
        w = self.w
        text = self.slope
        # A polynomial that has overflown stays so: it is enough to look between the steps. The value of what is finite
        # everywhere is looked at between the steps as well.
        summed = bool(re.search(r"/|\bif\b|[a-z]\(", text.split("\n", 1)[1]))
        watched = self.reads_value or not _finite_everywhere(text)

        def lane(outer: Expressions) -> None:
            numbers = self.numbers()
            for name, place in numbers:
                w.line(f"{name} = {place}")
            w.line(self.slopes())
            if summed:
                numbers.append(("_e", self.run("E")))
                w.line(f"_e = {self.run('E')} + {self.squares()}{' + _f*_f' if watched else ''}")
            self._step_lane(outer)
            for name, place in numbers:
                w.line(f"{place} = {name}")

        self._steps("fast_lane_block", "_o, _X, _S, _E", "", lane, PARTS if len(text) < SHORT else 1)

    # ---- over blocks -----------------------------------------------------------------------------------------------

    def _write_start(self) -> None:
        """Write what evaluates the starts, and ends those that cannot go on or need not."""
        w = self.w
        w.open("if _t == 0:")
        w.line(f"look_lane_block(_o, _X, _G, _F, _E, _U{self._data()})")
        w.open(f"for _l in range({WIDTH}):")
        for i in range(self.n):
            w.line(f"_g{i} = {self.run('G', i)}")
        w.open(f"if {self.run('U')} == 0.0:")
        w.line(f"{self.run('U')} = {GRADIENT}.0 if {self.squares()} <= _gtol else 0.0")
        w.open(f"if not ({self.run('E')} < {HUGE}):")
        w.line(f"{self.run('U')} = {NOT_FINITE}.0")
        w.close(2)
        w.line(f"{self.run('A')} = {self.run('F')}")
        w.line(f"{self.run('T')} = {self.run('F')}")
        w.close(2)

    def _write_lanes(self, *, tested: bool) -> None:
        """Write the loop over blocks: ``_size`` steps at a time, until all of a block's starts have ended.

        Between two times the value is noted, the largest of those up to step ``_m`` and the smallest from ``_rec`` on:
        a run whose values rose is told by these.
        """
        w, data = self.w, self._data()
        steps = "_h, _z, _z0, _a, _c"
        careful = f"careful_lane_block(_o, _X, _G, _S, _F, _U, _K, {steps}, _gtol, _ftol, _xtol{data})"
        w.open(
            "def lanes(_lo, _hi, _t, _stop, _X, _G, _S, _F, _E, _U, _K, _A, _T, _Y, _R, _h, _z, _z0, _size, _m, _rec, "
            f"_gtol, _ftol, _xtol{data}):"
        )
        w.open("for _b in range(_lo, _hi):")
        w.line(f"_o = {WIDTH}*_b")
        self._write_start()
        w.line("_ended = end_lane_block(_o, _U, _K, float(_t))")
        w.line("_a = _t")
        w.open(f"while _a < _stop and _ended < {WIDTH}:")
        w.line("_c = min(_a + _size, _stop)")
        if tested:
            w.line(careful)
        else:
            w.line("save_lane_block(_o, _X, _G, _S, _F, _E, _R)")
            w.line(f"fast_lane_block(_o, _X, _S, _E, {steps}{data})")
            w.line(f"_bad = look_lane_block(_o, _X, _G, _F, _E, _U{data})")
            w.open("if _bad + _ended > 0:")
            w.line("back_lane_block(_o, _X, _G, _S, _F, _U, _R, _bad > 0)")
            w.open("if _bad > 0:")
            w.line(careful)
            w.close(2)
        w.open("if _c <= _m or _c >= _rec:")
        w.line("note_lane_block(_o, _F, _T, _Y, _c <= _m)")
        w.close()
        w.line("_a = _c")
        w.line("_ended = end_lane_block(_o, _U, _K, float(_c))")
        w.close(2)
        w.line("return 0.0")
        w.close()
        w.line("")

    def _write_ways_back(self) -> None:
        """Write what keeps a block as it is before fast steps, and what goes back: all lanes, or those that ended."""
        w = self.w
        runs = [("X", self.n), ("G", self.n), ("S", self.n * len(self.states)), ("F", 1)]
        places = [self.run(letter, index) for letter, count in runs for index in range(count)]
        copies = [f"_R[_u({index * WIDTH} + _l)]" for index in range(len(places))]

        def save() -> None:
            for copy, place in zip(copies, places, strict=True):
                w.line(f"{copy} = {place}")
            w.line(f"{self.run('E')} = 0.0")

        def back() -> None:
            w.line(f"_v = {self.run('U')}")
            for copy, place in zip(copies, places, strict=True):
                w.line(f"{place} = {copy} if _all or _v != 0.0 else {place}")

        self._block("save", "_o, _X, _G, _S, _F, _E, _R", save)
        self._block("back", "_o, _X, _G, _S, _F, _U, _R, _all", back)


def _renamed(source: str, name: str, other: str) -> str:
    """Give the text of one function of a module under another name, with the sine and cosine of vector registers."""
    start = source.index(f"def {name}(")
    text = source[start : source.index("\n\n", start)]
    return re.sub(TURNING, r"\1near(", text.replace(f"def {name}(", f"def {other}("))


def _finite_everywhere(text: str) -> bool:
    """Tell whether code computes nothing that ceases to be finite while its slope stays finite.

    What is defined on all reals and smooth grows without bound only together with its slope.
    """
    called = set(re.findall(r"\b([a-z_]\w*)\(", text)) - {"slope_each"}
    known = {row.name for row in FUNCTIONS.values() if row.smooth and row.domain == "all reals" and row.kind == "map"}
    return "/" not in text and called <= known | {"sinnear", "cosnear"}
