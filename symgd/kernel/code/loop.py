"""The compiled loop: evaluate, test, record, step; written once for local variables and for arrays.

It runs from step ``_t`` to ``_stop`` and comes back at once when a test says so, or when the history is full. Nothing
in it knows about clocks, callbacks or progress: those look in between two calls.
"""

from __future__ import annotations

from collections.abc import Callable

from symgd.graph import Fold, Leaf, Map, Node, reachable
from symgd.kernel.code import folds
from symgd.kernel.code.forms import Argument, At, Call, Choice, Code, Expression, Name, Not, Number, of
from symgd.kernel.code.layout import Layout
from symgd.kernel.code.outside import GRADIENT, HUGE, NOT_FINITE, STAGE, STALLED, STEP, VALUE, kept
from symgd.kernel.code.schedule import Pass, schedule
from symgd.kernel.code.timed import Timed, is_fixed
from symgd.kernel.code.writer import Expressions, Writer
from symgd.rules import COMPONENTS, Lowered

HALVINGS = 60
ARMIJO = 1e-4

# What the loop takes and gives besides point, states and data: hyperparameters, normal numbers and the step that they
# begin at, steps, value, records, tolerances, the objective's sign (-1 to ascend); and in batches the order of the
# rows, their number, the first step.
NUMBERS = [
    Argument("_h", "float64"), Argument("_z", "matrix"), Argument("_z0", "whole"), Argument("_t", "whole"),
    Argument("_stop", "whole"), Argument("_f", "number"), Argument("_rec", "whole"), Argument("_stride", "whole"),
    Argument("_hist", "matrix"), Argument("_m", "whole"), Argument("_gtol", "number"), Argument("_ftol", "number"),
    Argument("_xtol", "number"), Argument("_sign", "number"),
]  # fmt: skip
BATCH = [Argument("_perm", "int64"), Argument("_size", "whole"), Argument("_t0", "whole")]
RESULT = {"_t": "whole", "_status": "whole", "_f": "number", "_rec": "whole", "_m": "whole", "_calls": "whole"}


class Loop:
    """Writes the loop of one objective and one rule.

    Parameters
    ----------
    writer : Writer
        Where the lines go.
    layout : Layout
        The objective's inputs.
    rule : Lowered or None
        The rule; ``None`` for steepest descent with the exact Cauchy step.
    hyper : tuple of str
        The numbers that the rule reads from ``_h``, in order.
    batched : bool
        Whether each step looks at a batch of rows of its own.
    """

    def __init__(
        self, writer: Writer, layout: Layout, rule: Lowered | None, hyper: tuple[str, ...], *, batched: bool = False
    ) -> None:
        self.batched = batched
        self.w = writer
        self.layout = layout
        self.rule = rule
        self.hyper = hyper
        self.n = layout.size
        self.place: Code = ""  # the parameter that is being written: its number, or the loop's index
        self.states = tuple(rule.states) if rule else ()

    # ---- reading and writing one parameter -------------------------------------------------------------------------

    def at(self, letter: str) -> Expression:
        """Give the code of the current parameter's entry of a vector."""
        return Name(f"_{letter}{self.place}") if self.layout.unrolled else At(f"_{letter}", self.place)

    def state(self, index: int) -> Expression:
        """Give the code of the current parameter's entry of a state."""
        return Name(f"_s{index}_{self.place}") if self.layout.unrolled else At(f"_s{index}", self.place)

    def each(self, write: Callable[[], None]) -> None:
        """Write code for every parameter: several times, or in a loop."""
        if self.layout.unrolled:
            for index in range(self.n):
                self.place = index
                write()
            return
        with self.w.loop("_p", 0, self.n):
            self.place = "_p"
            write()

    def access(self, node: Leaf | Fold) -> Expression:
        """Give the code that reads what a rule may read."""
        if isinstance(node, Fold):
            return Name(f"_f{node.number}")
        if node.kind == "count":
            return Number(float(self.n))
        if node.kind == "draw":
            column = of(self.place) if node.name == "0" else of(int(node.name) * self.n) + self.place
            return Call("float", At("_z", of("_t") - 1 - "_z0", column))
        if node.name in ("x", "g") and node.labels:
            return self.at(node.name)
        if node.name in self.states:
            return self.state(self.states.index(node.name))
        known = {"t": "_tf", "f": "_f"}.get(node.name)
        return Name(known or f"_h{self.hyper.index(node.name)}")

    # ---- the function ----------------------------------------------------------------------------------------------

    def arguments(self, states: list[str]) -> list[Argument]:
        """Give the arguments of the loop, given the names of its states."""
        vectors = [*(["_xs", "_gs"] if self.layout.unrolled else ["_x", "_g", "_e", "_w"]), *states]
        batch = [*BATCH, *self.layout.staging()] if self.batched else []
        return [*(Argument(name, "float64") for name in vectors), *NUMBERS, *batch, *self.layout.data()]

    def write(self, name: str, slope: str, product: str) -> None:
        """Write the loop under a name; it calls ``slope`` for value and gradient, ``product`` for Hessian times v."""
        w = self.w
        states = [f"_y{i}" if self.layout.unrolled else f"_s{i}" for i in range(len(self.states))]
        if self.batched:
            self._write_stage()
        with w.function(name, self.arguments(states), list(RESULT.values())):
            self._load(states)
            w.assign("_status", 0)
            w.assign("_calls", 0)
            w.assign("_room", Call("len", "_hist"))
            before = self._hoist()
            with w.repeat(of("_t") < "_stop"):
                w.add("_t", 1)
                w.assign("_old", "_f")
                w.assign("_d", 0.0)
                if self.rule:
                    self._step(before, slope)
                else:
                    self._cauchy(slope, product)
                if self.batched:
                    self._measure()
                    self._record()
                    self._leave_unless_finite()
                    self._leave_if_full()
                else:
                    self._test()
            self._store(states)
            w.give(*RESULT)

    def _load(self, states: list[str]) -> None:
        for index in range(len(self.hyper)):
            self.w.assign(f"_h{index}", At("_h", index))
        if not self.rule:
            self.w.assign("_lr", "_h0")
        if not self.layout.unrolled:
            return

        def one() -> None:
            for place, vector in self._carried(states):
                self.w.assign(place, At(vector, self.place))

        self.each(one)

    def _carried(self, states: list[str]) -> list[tuple[Expression, str]]:
        """Give the current parameter's numbers that live in local variables, and the vectors that they come from."""
        kept = [(self.state(index), name) for index, name in enumerate(states)]
        return [(self.at("x"), "_xs"), (self.at("g"), "_gs"), *kept]

    def _store(self, states: list[str]) -> None:
        if not self.rule:
            self.w.assign(At("_h", 0), "_lr")
        if not self.layout.unrolled:
            return

        def one() -> None:
            for place, vector in self._carried(states):
                self.w.assign(At(vector, self.place), place)

        self.each(one)

    # ---- a rule ----------------------------------------------------------------------------------------------------

    def _hoist(self) -> Expressions:
        """Write what depends on hyperparameters alone before the loop."""
        scalars = Timed(self.w, self.access)
        if self.rule:
            nodes = schedule(self.rule.roots()).scalars[0]
            early: set[Node] = set()
            for node in nodes:
                if isinstance(node, Map) and all(self.fixed(a) or a in early for a in node.args):
                    early.add(node)
            scalars.write([n for n in nodes if n in early], keep=early)
            scalars.cut([n for n in nodes if isinstance(n, Map) and self.fixed(n.args[0])])
        return scalars

    def fixed(self, node: Node) -> bool:
        """Tell whether a node is the same at every step."""
        return is_fixed(node)

    def inside(self, around: Expressions, suffix: str = "") -> Expressions:
        """Give what writes the expressions of one parameter, around which others have been written."""
        return Expressions(self.w, self.access, around, suffix)

    def _step(self, scalars: Expressions, slope: str) -> None:
        w, rule = self.w, self.rule
        assert rule is not None
        plan = schedule(rule.roots())
        if any(leaf.name == "t" for leaf in plan.leaves):
            w.assign("_tf", Call("float", "_t"))
        if self.batched:
            # The gradient is that of this step's rows, at the point where they are seen first.
            w.assign("_low", (of("_t") - 1 - "_t0") * "_size")
            w.assign("_count", Call("min", "_size", of("_n") - "_low"))
            w.call(STAGE, "_perm", "_low", "_count", *self.layout.arrays(rows=True), *self.layout.staging())
            self._evaluate(slope)
        last = Pass(COMPONENTS, len(plan.passes))
        last.nodes = [n for n in reachable(rule.roots()) if n.labels]
        for level, nodes in enumerate(plan.scalars):
            scalars.write(nodes, keep=[n for n in nodes if isinstance(n, Map)])
            for piece in plan.passes[level] if level < len(plan.passes) else []:
                self._reduce(piece, scalars)
        self.each(lambda: self._update(last, scalars, rule))
        if not self.batched:
            self._evaluate(slope)

    def _reduce(self, piece: Pass, scalars: Expressions) -> None:
        for fold in piece.folds:
            folds.start(self.w, fold, f"_f{fold.number}", f"_g{fold.number}")

        def one() -> None:
            inner = self.inside(scalars, f"_{self.place}")
            inner.write(piece.nodes)
            for fold in piece.folds:
                folds.grow(self.w, fold, f"_f{fold.number}", inner[fold.body], f"_g{fold.number}")

        self.each(one)
        for fold in piece.folds:
            folds.finish(self.w, fold, f"_f{fold.number}", f"_g{fold.number}")

    def _update(self, piece: Pass, scalars: Expressions, rule: Lowered) -> None:
        inner = self.inside(scalars, f"_{self.place}")
        new = rule.roots()
        inner.write(piece.nodes, keep=new)
        x = self.at("x")
        step = Name(f"_n{self.place}")
        self.w.assign(step, inner[rule.x])
        values = [inner[node] for node in rule.states.values()]
        self.w.add("_d", (step - x) * (step - x))
        # All at once: a state may take the old value of another.
        self.w.assign_all([self.state(index) for index in range(len(values))], *values)
        self.w.assign(x, step)

    def _write_stage(self) -> None:
        """Write what copies the rows of a batch to where the functions find them."""
        w, layout = self.w, self.layout
        rows, staging = layout.arrays(rows=True), layout.staging()
        numbers = [Argument("_perm", "int64"), Argument("_low", "whole"), Argument("_count", "whole")]
        with w.function(STAGE, [*numbers, *rows, *staging]):
            with w.loop("_i", 0, "_count"):
                w.assign("_r", At("_perm", of("_low") + "_i"))
                for source, target, width in zip(rows, staging, layout.widths(), strict=True):
                    if width == 1:
                        w.assign(At(target.name, "_i"), At(source.name, "_r"))
                        continue
                    with w.loop("_j", 0, width):
                        w.assign(At(target.name, width * of("_i") + "_j"), At(source.name, width * of("_r") + "_j"))
            w.give()

    def _evaluate(self, slope: str, point: str = "x", gradient: str = "g", value: str = "_f") -> None:
        data = self.layout.data()
        if self.batched:
            instead = dict(zip(self.layout.arrays(rows=True), self.layout.staging(), strict=True))
            instead[Argument("_n", "whole")] = Argument("_count", "whole")
            data = [instead.get(a, a) for a in data]
        if self.layout.unrolled:
            results = [value, *(f"_{gradient}{i}" for i in range(self.n))]
            self.w.assign_all(results, Call(slope, *self.layout.point(point), *data))
        else:
            self.w.assign(value, Call(slope, f"_{point}", f"_{gradient}", *data))
        self._turn(gradient, value)
        self.w.add("_calls", 1)

    def _turn(self, letter: str, value: str = "") -> None:
        """Write the turning of signs, where the objective is maximized."""
        with self.w.when(of("_sign") < 0.0):
            if value:
                self.w.assign(value, -1.0 * of(value))
            self.each(lambda: self.w.assign(self.at(letter), -1.0 * self.at(letter)))

    # ---- the exact Cauchy step -------------------------------------------------------------------------------------

    def _cauchy(self, slope: str, product: str) -> None:
        """X = x - lr*g with lr = g'g/g'Hg, halved until the value falls enough (Nocedal and Wright 2006, eq. 3.4)."""
        w = self.w
        self._model(product)
        f, new, lr, q, c, r = (Name(name) for name in ("_f", "_new", "_lr", "_q", "_c", "_r"))
        # Where the curvature is negative the model has no minimum: go further than last time.
        w.assign(lr, Choice(c > 0.0, q / c, 4.0 * lr))
        # The model is a local one: a step of the size of the point itself stays in its valley.
        w.assign(r, Choice(q > 0.0, 2.0 * (1.0 + Call("sqrt", r)) / Call("sqrt", q), lr))
        w.assign(lr, Choice(lr < r, lr, r))
        w.assign("_halvings", 0)
        with w.repeat(of("_halvings") <= HALVINGS):
            self.each(lambda: w.assign(self.at("e"), self.at("x") - lr * self.at("g")))
            self._evaluate(slope, "e", "w", "_new")
            # A step out of the domain is too long as well.
            w.assign(c, 0.0)
            self.each(lambda: w.add(c, self.at("w") * self.at("w")))
            # Where values are too close to be told apart, a smaller gradient will do.
            lower = ((new < f) & (new <= f - ARMIJO * lr * q)) | ((new <= f) & (c < q))
            with w.when(lower & (new > -1e300) & (c < 1e300)):
                w.leave()
            w.add("_halvings", 1)
            with w.when(of("_halvings") <= HALVINGS):
                w.assign(lr, 0.5 * lr)
        with w.when(of("_halvings") > HALVINGS):
            w.add("_t", -1)
            w.assign("_status", STALLED)
            w.leave()
        w.assign(f, new)

        def take() -> None:
            w.add("_d", (self.at("e") - self.at("x")) * (self.at("e") - self.at("x")))
            w.assign(self.at("x"), self.at("e"))
            w.assign(self.at("g"), self.at("w"))

        self.each(take)

    def _model(self, product: str) -> None:
        """Write the product of the Hessian with the gradient, and the sums that the step is made of."""
        w, data = self.w, self.layout.data()
        if self.layout.unrolled:
            results = [f"_w{i}" for i in range(self.n)]
            w.assign_all(results, Call(product, *self.layout.point(), *self.layout.point("g"), *data))
        else:
            w.call(product, "_x", "_g", "_w", *data)
        self._turn("w")
        for name in ("_q", "_c", "_r"):
            w.assign(name, 0.0)

        def sums() -> None:
            w.add("_q", self.at("g") * self.at("g"))
            w.add("_c", self.at("g") * self.at("w"))
            w.add("_r", self.at("x") * self.at("x"))

        self.each(sums)

    # ---- tests and records -----------------------------------------------------------------------------------------

    def _measure(self) -> None:
        self.w.assign("_q", 0.0)
        self.each(lambda: self.w.add("_q", self.at("g") * self.at("g")))

    def _leave_unless_finite(self) -> None:
        # Asked this way round, so that a nan fails too.
        self._leave(Not((of("_q") < HUGE) & (Call("abs", "_f") < HUGE)), NOT_FINITE)

    def _test(self) -> None:
        size = Call("abs", "_f")
        self._measure()
        self._record()
        self._leave_unless_finite()
        self._leave(of("_q") <= "_gtol", GRADIENT)
        self._leave(Call("abs", of("_f") - "_old") <= of("_ftol") * Choice(size > 1.0, size, 1.0), VALUE)
        self._leave(of("_d") <= "_xtol", STEP)
        self._leave_if_full()

    def _record(self) -> None:
        """Write what is recorded of a step; in batches that is the value of its rows where it began."""
        w = self.w
        with w.when(of("_t").is_("_rec")):
            w.assign(At("_hist", "_m", 0), "_t")
            w.assign(At("_hist", "_m", 1), "_f")
            w.assign(At("_hist", "_m", 2), Call("sqrt", "_q"))
            if kept(self.n):
                self.each(lambda: w.assign(At("_hist", "_m", of(3) + self.place), self.at("x")))
            w.add("_m", 1)
            w.add("_rec", "_stride")

    def _leave_if_full(self) -> None:
        with self.w.when(of("_m").is_("_room")):
            self.w.leave()

    def _leave(self, condition: Expression, status: int) -> None:
        with self.w.when(condition):
            self.w.assign("_status", status)
            self.w.leave()
