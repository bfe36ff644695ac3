"""The compiled loop: evaluate, test, record, step; written once for local variables and for arrays.

It runs from step ``_t`` to ``_stop`` and comes back at once when a test says so, or when the history is full. Nothing
in it knows about clocks, callbacks or progress: those look in between two calls.
"""

from __future__ import annotations

from collections.abc import Callable

from symgd.graph import Const, Fold, Leaf, Map, Node, reachable
from symgd.kernel.code import folds
from symgd.kernel.code.layout import Layout
from symgd.kernel.code.schedule import Pass, schedule
from symgd.kernel.code.writer import Expressions, Writer
from symgd.rules import COMPONENTS, Lowered

# What the loop came back for.
RUNNING, NOT_FINITE, GRADIENT, VALUE, STEP, STALLED = range(6)
TINIEST = -700.0  # log of where powers such as beta**t are taken as 0, before slow subnormal numbers set in
HALVINGS = 60
ARMIJO = 1e-4
HUGE = 1e290  # a value, or a squared gradient, that is as good as infinite


MOST = 4096  # parameters whose values are recorded along the way


def kept(n: int) -> int:
    """Give the number of parameters that a record holds: all of them, or none where they are very many."""
    return n if n <= MOST else 0


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
        self.place = ""  # the parameter that is being written: its number, or the loop's index
        self.states = tuple(rule.states) if rule else ()

    # ---- reading and writing one parameter -------------------------------------------------------------------------

    def at(self, letter: str) -> str:
        """Give the code of the current parameter's entry of a vector."""
        return f"_{letter}{self.place}" if self.layout.unrolled else f"_{letter}[{self.place}]"

    def state(self, index: int) -> str:
        """Give the code of the current parameter's entry of a state."""
        return f"_s{index}_{self.place}" if self.layout.unrolled else f"_s{index}[{self.place}]"

    def each(self, write: Callable[[], None]) -> None:
        """Write code for every parameter: several times, or in a loop."""
        if self.layout.unrolled:
            for index in range(self.n):
                self.place = str(index)
                write()
            return
        self.w.open(f"for _p in range({self.n}):")
        self.place = "_p"
        write()
        self.w.close()

    def access(self, node: Leaf | Fold) -> str:
        """Give the code that reads what a rule may read."""
        if isinstance(node, Fold):
            return f"_f{node.number}"
        if node.kind == "count":
            return f"{float(self.n)}"
        if node.kind == "draw":
            column = f"{node.name}*{self.n} + {self.place}" if node.name != "0" else self.place
            return f"float(_z[_t - 1 - _z0, {column}])"
        if node.name in ("x", "g") and node.labels:
            return self.at(node.name)
        if node.name in self.states:
            return self.state(self.states.index(node.name))
        return {"t": "_tf", "f": "_f"}.get(node.name) or f"_h{self.hyper.index(node.name)}"

    # ---- the function ----------------------------------------------------------------------------------------------

    def write(self, name: str, slope: str, product: str) -> None:
        """Write the loop under a name; it calls ``slope`` for value and gradient, ``product`` for Hessian times v."""
        w = self.w
        vectors = [f"_s{i}_" if self.layout.unrolled else f"_s{i}" for i in range(len(self.states))]
        state_arguments = [f"_y{i}" if self.layout.unrolled else v for i, v in enumerate(vectors)]
        point = ["_xs", "_gs"] if self.layout.unrolled else ["_x", "_g", "_e", "_w"]
        numbers = ["_h", "_z", "_z0", "_t", "_stop", "_f", "_rec", "_stride", "_hist", "_m", "_gtol", "_ftol", "_xtol"]
        batch = ["_perm", "_size", "_t0", *self.layout.staging()] if self.batched else []
        if self.batched:
            self._write_stage()
        w.open(f"def {name}({', '.join([*point, *state_arguments, *numbers, *batch, *self.layout.data()])}):")
        self._load(state_arguments)
        w.line("_status = 0")
        w.line("_calls = 0")
        w.line("_room = len(_hist)")
        before = self._hoist()
        w.open("while _t < _stop:")
        w.line("_t += 1")
        w.line("_old = _f")
        w.line("_d = 0.0")
        if self.rule:
            self._step(before, slope)
        else:
            self._cauchy(slope, product)
        if self.batched:
            self._measure()
            self._leave_unless_finite()
        else:
            self._test()
        w.close()
        self._store(state_arguments)
        w.line("return _t, _status, _f, _rec, _m, _calls")
        w.close()
        w.line("")

    def _load(self, states: list[str]) -> None:
        for index in range(len(self.hyper)):
            self.w.line(f"_h{index} = _h[{index}]")
        if not self.rule:
            self.w.line("_lr = _h0")
        if not self.layout.unrolled:
            return

        def one() -> None:
            self.w.line(f"_x{self.place} = _xs[{self.place}]")
            self.w.line(f"_g{self.place} = _gs[{self.place}]")
            for index, name in enumerate(states):
                self.w.line(f"{self.state(index)} = {name}[{self.place}]")

        self.each(one)

    def _store(self, states: list[str]) -> None:
        if not self.rule:
            self.w.line("_h[0] = _lr")
        if not self.layout.unrolled:
            return

        def one() -> None:
            self.w.line(f"_xs[{self.place}] = _x{self.place}")
            self.w.line(f"_gs[{self.place}] = _g{self.place}")
            for index, name in enumerate(states):
                self.w.line(f"{name}[{self.place}] = {self.state(index)}")

        self.each(one)

    # ---- a rule ----------------------------------------------------------------------------------------------------

    def _hoist(self) -> Expressions:
        """Write what depends on hyperparameters alone before the loop."""
        scalars = Timed(self.w, self.access)
        if self.rule:
            nodes = schedule(self.rule.roots()).scalars[0]
            early: set[Node] = set()
            for node in nodes:
                if isinstance(node, Map) and all(_fixed(a) or a in early for a in node.args):
                    early.add(node)
            scalars.write([n for n in nodes if n in early], keep=early)
            scalars.cut(nodes)
        return scalars

    def _step(self, scalars: Expressions, slope: str) -> None:
        w, rule = self.w, self.rule
        assert rule is not None
        plan = schedule(rule.roots())
        if any(leaf.name == "t" for leaf in plan.leaves):
            w.line("_tf = float(_t)")
        if self.batched:
            # The gradient is that of this step's rows, at the point where they are seen first.
            stage = ["_perm", "_low", "_count", *self.layout.arrays(rows=True), *self.layout.staging()]
            w.line("_low = (_t - 1 - _t0)*_size")
            w.line("_count = min(_size, _n - _low)")
            w.line(f"stage({', '.join(stage)})")
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
            inner = Expressions(self.w, self.access, outer=scalars, suffix=f"_{self.place}")
            inner.write(piece.nodes)
            for fold in piece.folds:
                folds.grow(self.w, fold, f"_f{fold.number}", inner[fold.body], f"_g{fold.number}")

        self.each(one)
        for fold in piece.folds:
            folds.finish(self.w, fold, f"_f{fold.number}", f"_g{fold.number}")

    def _update(self, piece: Pass, scalars: Expressions, rule: Lowered) -> None:
        inner = Expressions(self.w, self.access, outer=scalars, suffix=f"_{self.place}")
        new = rule.roots()
        inner.write(piece.nodes, keep=new)
        x = self.at("x")
        self.w.line(f"_n{self.place} = {inner[rule.x]}")
        values = [inner[node] for node in rule.states.values()]
        self.w.line(f"_d += (_n{self.place} - {x})*(_n{self.place} - {x})")
        if values:
            # All at once: a state may take the old value of another.
            self.w.line(f"{', '.join(map(self.state, range(len(values))))} = {', '.join(values)}")
        self.w.line(f"{x} = _n{self.place}")

    def _write_stage(self) -> None:
        """Write what copies the rows of a batch to where the functions find them."""
        w, layout = self.w, self.layout
        rows, staging = layout.arrays(rows=True), layout.staging()
        w.open(f"def stage({', '.join(['_perm', '_low', '_count', *rows, *staging])}):")
        w.open("for _i in range(_count):")
        w.line("_r = _perm[_low + _i]")
        for source, target in zip(rows, staging, strict=True):
            width = 1 if source == "_id" else layout.columns[int(source[2:])].width
            if width == 1:
                w.line(f"{target}[_i] = {source}[_r]")
            else:
                w.open(f"for _j in range({width}):")
                w.line(f"{target}[{width}*_i + _j] = {source}[{width}*_r + _j]")
                w.close()
        w.close()
        w.line("return 0.0")
        w.close()
        w.line("")

    def _evaluate(self, slope: str, point: str = "x", gradient: str = "g", value: str = "_f") -> None:
        data = self.layout.data()
        if self.batched:
            instead = dict(zip(self.layout.arrays(rows=True), self.layout.staging(), strict=True)) | {"_n": "_count"}
            data = [instead.get(name, name) for name in data]
        if self.layout.unrolled:
            results = [value, *(f"_{gradient}{i}" for i in range(self.n))]
            arguments = [*self.layout.point(point), *data]
            self.w.line(f"{', '.join(results)} = {slope}({', '.join(arguments)})")
        else:
            self.w.line(f"{value} = {slope}({', '.join([f'_{point}', f'_{gradient}', *data])})")
        self.w.line("_calls += 1")

    # ---- the exact Cauchy step -------------------------------------------------------------------------------------

    def _cauchy(self, slope: str, product: str) -> None:
        """X = x - lr*g with lr = g'g/g'Hg, halved until the value falls enough (Nocedal and Wright 2006, eq. 3.4)."""
        w, data = self.w, self.layout.data()
        if self.layout.unrolled:
            arguments = [*self.layout.point(), *self.layout.point("g"), *data]
            results = "".join(f"_w{i}, " for i in range(self.n))
            w.line(f"{results}= {product}({', '.join(arguments)})")
        else:
            w.line(f"{product}({', '.join(['_x', '_g', '_w', *data])})")
        w.line("_q = 0.0")
        w.line("_c = 0.0")

        def sums() -> None:
            w.line(f"_q += {self.at('g')}*{self.at('g')}")
            w.line(f"_c += {self.at('g')}*{self.at('w')}")
            w.line(f"_r += {self.at('x')}*{self.at('x')}")

        w.line("_r = 0.0")
        self.each(sums)
        # Where the curvature is negative the model has no minimum: go further than last time.
        w.line("_lr = _q / _c if _c > 0.0 else 4.0*_lr")
        # The model is a local one: a step of the size of the point itself stays in its valley.
        w.line("_r = 2.0*(1.0 + sqrt(_r)) / sqrt(_q) if _q > 0.0 else _lr")
        w.line("_lr = _lr if _lr < _r else _r")
        w.line("_halvings = 0")
        w.open("while True:")
        self.each(lambda: w.line(f"{self.at('e')} = {self.at('x')} - _lr*{self.at('g')}"))
        self._evaluate(slope, "e", "w", "_new")
        # A step out of the domain is too long as well.
        w.line("_c = 0.0")
        self.each(lambda: w.line(f"_c += {self.at('w')}*{self.at('w')}"))
        # Where values are too close to be told apart, a smaller gradient will do.
        lower = f"(_new < _f and _new <= _f - {ARMIJO}*_lr*_q) or (_new <= _f and _c < _q)"
        w.open(f"if ({lower}) and _new > -1e300 and _c < 1e300:")
        w.line("break")
        w.close()
        w.line("_halvings += 1")
        w.open(f"if _halvings > {HALVINGS}:")
        w.line("break")
        w.close()
        w.line("_lr = 0.5*_lr")
        w.close()
        w.open(f"if _halvings > {HALVINGS}:")
        w.line("_t -= 1")
        w.line(f"_status = {STALLED}")
        w.line("break")
        w.close()
        w.line("_f = _new")

        def take() -> None:
            w.line(f"_d += ({self.at('e')} - {self.at('x')})*({self.at('e')} - {self.at('x')})")
            w.line(f"{self.at('x')} = {self.at('e')}")
            w.line(f"{self.at('g')} = {self.at('w')}")

        self.each(take)

    # ---- tests and records -----------------------------------------------------------------------------------------

    def _measure(self) -> None:
        self.w.line("_q = 0.0")
        self.each(lambda: self.w.line(f"_q += {self.at('g')}*{self.at('g')}"))

    def _leave_unless_finite(self) -> None:
        # Asked this way round, so that a nan fails too.
        self._leave(f"not (_q < {HUGE} and abs(_f) < {HUGE})", NOT_FINITE)

    def _test(self) -> None:
        w = self.w
        self._measure()
        w.open("if _t == _rec:")
        w.line("_hist[_m, 0] = _t")
        w.line("_hist[_m, 1] = _f")
        w.line("_hist[_m, 2] = sqrt(_q)")
        if kept(self.n):
            self.each(lambda: w.line(f"_hist[_m, 3 + {self.place}] = {self.at('x')}"))
        w.line("_m += 1")
        w.line("_rec += _stride")
        w.close()
        self._leave_unless_finite()
        self._leave("_q <= _gtol", GRADIENT)
        self._leave("abs(_f - _old) <= _ftol*(abs(_f) if abs(_f) > 1.0 else 1.0)", VALUE)
        self._leave("_d <= _xtol", STEP)
        w.open("if _m == _room:")
        w.line("break")
        w.close()

    def _leave(self, condition: str, status: int) -> None:
        self.w.open(f"if {condition}:")
        self.w.line(f"_status = {status}")
        self.w.line("break")
        self.w.close()


class Timed(Expressions):
    """Expressions of a rule, where powers such as ``beta**t`` end at 0 instead of in slow subnormal numbers."""

    def __init__(self, *args: object, **more: object) -> None:
        super().__init__(*args, **more)  # type: ignore[arg-type]
        self.cuts: dict[Node, str] = {}

    def cut(self, nodes: list[Node]) -> None:
        """Write the number of steps after which each power of a hyperparameter is 0, before the loop."""
        for node in nodes:
            if _is_fading(node) and node.args[0] not in self.cuts:  # type: ignore[attr-defined]
                base = node.args[0]  # type: ignore[attr-defined]
                name = f"_u{base.number}"
                self.writer.line(f"{name} = {TINIEST} / log({self[base]}) if 0.0 < {self[base]} < 1.0 else 1e999")
                self.cuts[base] = name

    def _expression(self, node: Map) -> str:
        if _is_fading(node) and node.args[0] in self.cuts:
            base, exponent = (self[a] for a in node.args)
            return f"(fading({base}, {exponent}) if {exponent} < {self.cuts[node.args[0]]} else 0.0)"
        return super()._expression(node)


def _is_fading(node: Node) -> bool:
    """Tell whether a node is a hyperparameter to the power of something."""
    return (
        isinstance(node, Map)
        and node.function == "power"
        and not isinstance(node.args[1], Const)
        and _fixed(node.args[0])
        and node.args[0].constant is None
    )


def _fixed(node: Node) -> bool:
    """Tell whether a node is the same at every step."""
    if node.constant is not None:
        return True
    return isinstance(node, Leaf) and not node.labels and node.name not in ("t", "f")
