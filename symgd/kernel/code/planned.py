"""The functions of an objective, and of descents on it, for modules that stand alone in languages with loops.

They are those of compiled code, with all parameters in one flat vector, and without what only symgd's own loop asks
for: records, tolerances, threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from symgd.graph import Fold, Node, reachable
from symgd.kernel.code import forms, tidied
from symgd.kernel.code.forms import Argument, At, Call, Name, Number, of
from symgd.kernel.code.functions import Function
from symgd.kernel.code.identifiers import identifier
from symgd.kernel.code.layout import Layout
from symgd.kernel.code.loop import Loop
from symgd.kernel.code.module import STRICT, Derived
from symgd.kernel.code.writer import Expressions, Writer
from symgd.records import dataclass
from symgd.rules import Lowered

X, V, OUT, FULL = (Argument(name, "float64") for name in ("_x", "_v", "_out", "_full"))
SLOPE, PRODUCT, CURVATURE, DESCEND = "slope", "product", "curvature", "descend"
SMALLEST = 1e-290  # a squared gradient that is as good as 0


class Rule(NamedTuple):
    """An update rule for a module: its name and text, its nodes, and the numbers that it reads, with their values.

    Without nodes it is steepest descent with the exact Cauchy step.
    """

    name: str
    text: str
    lowered: Lowered | None
    hyper: Mapping[str, float]


class Flat(Function):
    """Writes a function of the flat vector of parameters."""

    @property
    def plain(self) -> bool:
        """Whether each entry of what is filled is known once, at the end."""
        singles = self.output.singles()
        whole = len(self.layout.params) == self.layout.size and not any(self.layout.shapes)
        return whole and len(singles) == len(self.output.entries) and not any(e.leaf.index for e in singles)

    def _load(self, *, clear: bool = True) -> None:
        super()._load(clear=clear and not self.plain)

    def _give(self) -> None:
        if self.output.vector and self.plain:
            given = {self.layout.point_shapes.starts[e.leaf.name]: e.node for e in self.output.singles()}
            for place in range(self.layout.size):
                value = self.scalars[given[place]] if place in given else Number(0.0)
                self.writer.assign(At(OUT.name, place), value)
            self.writer.give(*(self.scalars[n] for n in self.output.numbers))
        else:
            super()._give()


class Second(Flat):
    """Writes the second derivatives, one by one, into a matrix that lies row after row."""

    entries: tuple[tuple[int, int], ...] = ()

    def arguments(self) -> list[Argument]:
        """Give the function's arguments."""
        return [X, FULL, *self.layout.data()]

    def result(self) -> list[str]:
        """Give the kinds of what the function gives back."""
        return ["number"]

    def _give(self) -> None:
        n = self.layout.size
        given = dict(zip(self.entries, self.output.numbers, strict=True))
        for i in range(n):
            for j in range(n):
                node = given.get((i, j)) or given.get((j, i))
                self.writer.assign(At(FULL.name, i * n + j), self.scalars[node] if node else 0.0)
        self.writer.give()


class Descent(Loop):
    """Writes a rule's steps: no records and no tests, but that value and gradient are finite."""

    init: Mapping[str, Node]

    def _turn(self, letter: str, value: str = "") -> None:
        """The objective is minimized."""

    def arguments(self, states: list[str]) -> list[Argument]:
        """Give the arguments: the point, what is filled and carried along, numbers, steps done and to do, data."""
        vectors = ["_x", "_g", *([] if self.rule else ["_e", "_w"]), *states, "_h"]
        steps = [Argument("_t", "whole"), Argument("_stop", "whole")]
        return [*(Argument(name, "float64") for name in vectors), *steps, *self.layout.data()]

    def write(self, name: str, slope: str, product: str) -> None:
        """Write the function; it gives the number of steps done, and the value."""
        w = self.w
        states = [f"_s{i}" for i in range(len(self.states))]
        with w.function(name, self.arguments(states), ["whole", "number"]):
            self._load(states)
            self._evaluate(slope)
            if self.init:
                with w.when(of("_t").is_(0)):
                    self.each(self._begin)
            before = self._hoist()
            with w.repeat(of("_t") < "_stop"):
                w.add("_t", 1)
                w.assign("_d", 0.0)
                if self.rule:
                    self._step(before, slope)
                else:
                    self._cauchy(slope, product)
                self._measure()
                self._leave_unless_finite()
                if not self.rule:
                    with w.when(of("_q") <= SMALLEST):
                        w.leave()
            self._store(states)
            w.give("_t", "_f")

    def _begin(self) -> None:
        """Write what the states of one parameter start at."""
        for index, state in enumerate(self.states):
            if state in self.init:
                inner = Expressions(self.w, self.access, suffix=f"_{index}")
                inner.write(reachable([self.init[state]]))
                self.w.assign(self.state(index), inner[self.init[state]])


@dataclass(frozen=True)
class Planned:
    """The functions of a module.

    Parameters
    ----------
    layout : Layout
        The inputs.
    functions : dict of str to Function
        Each after those that it calls.
    memory : dict of str to int
        Numbers of working memory: what passes leave to each other, and that of a block.
    rules : dict of str to Rule
        By the names of the functions that take their steps.
    """

    layout: Layout
    functions: dict[str, forms.Function]
    memory: dict[str, int]
    rules: dict[str, Rule]


def planned(derived: Derived, rules: Sequence[Rule] = ()) -> Planned:
    """Write the functions of a module as forms.

    Parameters
    ----------
    derived : Derived
        The objective with its derivatives.
    rules : sequence of Rule
        The descents.

    Returns
    -------
    Planned
    """
    layout = replace(derived.inputs, unrolled=False)
    lengths = derived.graph.store.lengths
    nodes = reachable([*derived.outputs["value"].numbers, *derived.slope.nodes()])
    strict = any(isinstance(n, Fold) and n.function in STRICT for n in nodes)
    writer = Writer()
    memory = {"_mem": 0, "_buf": 0}
    for name, output in derived.outputs.items():
        kind = Second if name == CURVATURE else Flat
        function = kind(name, layout, output, lengths, directed=name == PRODUCT, strict=strict)
        if isinstance(function, Second):
            function.entries = derived.entries
        function.write(writer)
        memory["_mem"] = max(memory["_mem"], function.size)
        memory["_buf"] = max(memory["_buf"], function.block_size)
    if CURVATURE not in derived.outputs:
        _write_columns(writer, layout)
    named = {}
    for rule in rules:
        name = DESCEND if len(rules) == 1 else f"{DESCEND}_{identifier(rule.name)}"
        named[name] = rule
        descent = Descent(writer, layout, rule.lowered, tuple(rule.hyper))
        descent.init = rule.lowered.init if rule.lowered else {}
        descent.write(name, SLOPE, PRODUCT)
    return Planned(layout, {f.name: tidied.tidy(f) for f in writer.functions}, memory, named)


def _write_columns(w: Writer, layout: Layout) -> None:
    """Write the Hessian as its products with the unit vectors, of which it takes the symmetric part."""
    n, data = layout.size, layout.data()
    unit, column = Argument("_unit", "float64"), Argument("_column", "float64")
    with w.function(CURVATURE, [X, unit, column, FULL, *data]):
        with w.loop("_j", 0, n):
            w.assign(At(unit.name, "_j"), 0.0)
        with w.loop("_j", 0, n):
            w.assign(At(unit.name, "_j"), 1.0)
            w.call(PRODUCT, X, unit, column, *data)
            w.assign(At(unit.name, "_j"), 0.0)
            with w.loop("_p", 0, n):
                w.assign(At(FULL.name, n * of("_j") + "_p"), At(column.name, "_p"))
        with w.loop("_j", 0, n), w.loop("_p", 0, "_j"):
            above, below = At(FULL.name, n * of("_p") + "_j"), At(FULL.name, n * of("_j") + "_p")
            w.assign("_mean", 0.5 * (above + below))
            w.assign(above, "_mean")
            w.assign(below, "_mean")
        w.give()


def used(
    functions: Mapping[str, forms.Function], apart: Iterable[str] = (), whole: Iterable[str] = (),
    same: Mapping[str, str] | None = None,
) -> tuple[dict[str, list[int]], dict[str, list[str]]]:  # fmt: skip
    """Give the places of the arguments that functions read, directly or by handing them on; and those for nothing.

    Parameters
    ----------
    functions : dict of str to Function
        Callees first.
    apart : iterable of str
        Arguments that need not be handed over.
    whole : iterable of str
        Functions that take all others, whether they read them or not.
    same : mapping of str to str, optional
        What stands for another, which is handed over for it.

    Returns
    -------
    kept : dict of str to list of int
        The places of the arguments that each function takes.
    idle : dict of str to list of str
        Those of them that it takes but does not read.
    """
    found: dict[str, list[int]] = {}
    idle: dict[str, list[str]] = {}
    left, every = set(apart), set(whole)
    for name, function in functions.items():
        known: set[str] = set()
        stack = [e for s in tidied.every(function.statements) for e in (*tidied.read(s), *tidied.targets(s))]
        while stack:
            e = stack.pop()
            name_of = e.name if isinstance(e, Name) else e.array if isinstance(e, At) else ""
            known.add((same or {}).get(name_of, name_of))
            inside = tidied.parts(e)
            stack += [inside[i] for i in found[e.function]] if isinstance(e, Call) and e.function in found else inside
        places = [i for i, a in enumerate(function.arguments) if a.name not in left]
        found[name] = [i for i in places if name in every or function.arguments[i].name in known]
        idle[name] = [function.arguments[i].name for i in found[name] if function.arguments[i].name not in known]
    return found, idle


def filled(
    function: forms.Function, functions: Mapping[str, forms.Function], found: Mapping[str, set[str]]
) -> set[str]:
    """Give the arrays that a function writes to, directly or by handing them on.

    Parameters
    ----------
    function : Function
        The function.
    functions : mapping of str to Function
        What it may call.
    found : mapping of str to set of str
        Those of the functions that it calls.

    Returns
    -------
    set of str
    """
    body = list(tidied.every(function.statements))
    arrays = {t.array for s in body for t in tidied.targets(s) if isinstance(t, At)}
    for e in tidied.walk(e for s in body for e in tidied.read(s)):
        if isinstance(e, Call) and e.function in found:
            pairs = zip(functions[e.function].arguments, e.args, strict=True)
            arrays |= {a.name for given, a in pairs if given.name in found[e.function] and isinstance(a, Name)}
    return arrays
