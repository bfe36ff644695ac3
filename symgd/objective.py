"""The objective: a formula, its data, its exact derivatives, and the descents on it."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd import calculus, codegen, data, descent, rules, views
from symgd import formula as fm
from symgd.codegen import Program
from symgd.curvature import Curvature, curvature
from symgd.engine import TIERS, Kernel, cache, locate
from symgd.errors import DataError, FormulaError, UsageError, safe, suggest
from symgd.functions import CONSTANTS
from symgd.graph import ROWS, Graph, Node, read
from symgd.run import Run, load_state

Vector = NDArray[np.float64]
Point = Mapping[str, float] | Sequence[float] | Vector

VERSION = "5"  # of the generated code: part of every key of the disk cache


class Objective:
    """A formula to minimize, with its exact derivatives.

    Parameters
    ----------
    text : str
        A NumPy expression that gives one number, such as ``"mean((y - (w*x + b))**2)"``.
    data : mapping, DataFrame, path, or sequence of str, optional
        Columns of numbers by name, all of one length, and single numbers; or a CSV file. Names alone
        (``data=("x", "y")``) say which names are columns, without their values.
    params : sequence of str, optional
        The parameters, in order. By default all names that are not data, in the order of the text.
    tier : str
        ``"python"``, ``"numba"``, or ``"auto"``: short work in plain Python, long work compiled.
    workers : int, optional
        Threads for data of many rows; by default one a processor.

    Raises
    ------
    FormulaError
        If the text is no formula, or reads a name that nothing gives.
    DataError
        If the data are not columns of numbers.

    Examples
    --------
    >>> f = Objective("0.2*x1**2 + x2**2")
    >>> f.gradient
    {'x1': 2*x1/5, 'x2': 2*x2}
    >>> f.gradient_at(x1=9, x2=-3)
    {'x1': 3.6, 'x2': -6.0}
    """

    def __init__(
        self, text: str, data: Any = None, params: Sequence[str] | None = None, *, tier: str = "auto",
        workers: int | None = None,
    ) -> None:  # fmt: skip
        if tier not in TIERS:
            raise UsageError(f"tier={tier!r} must be one of {', '.join(TIERS)}")
        given = _names_of(data)
        self.data: data_module.Data = {} if given is not None else data_module.load(data)
        known = set(given if given is not None else self.data)
        chosen = _checked_params(params)
        declared = {*known, *(chosen or ())}
        self.tree = fm.parse(text, declared=declared)
        self.text = str.__str__(text)
        self.tier, self.workers = tier, workers
        used = fm.names(self.tree)
        self.params = _find_params(self.text, used, known, chosen)
        self.columns = tuple(n for n in used if n in known and not isinstance(self.data.get(n), float))
        self._numbers = tuple(n for n in used if isinstance(self.data.get(n), float))
        self._bound = given is None
        self._program: dict[float, Program] = {}
        self._kernels: dict[float, Kernel] = {}
        # Read at once, so that a mistake is reported here and not at the first evaluation.
        self.root  # noqa: B018

    # ---- what it says ------------------------------------------------------------------------------------------------

    def _read(self, *, group: bool) -> tuple[Graph, Node]:
        graph = Graph()
        with _deep():
            root = read(graph, self.text, self.tree, lambda name: self._leaf(graph, name.name), group=group)
        if root.labels:
            problem = "the objective must be one number, but this has one value a row"
            raise FormulaError(problem, self.text, 0, len(self.text), "put mean(...) or sum(...) around it")
        return graph, root

    def _leaf(self, graph: Graph, name: str) -> Node:
        if name in self.columns:
            return graph.leaf("data", name, (ROWS,))
        if name in self._numbers:
            return graph.leaf("data", name)
        if name in self.params:
            return graph.leaf("parameter", name)
        if name in ("pi", "e"):
            return graph.leaf("constant", name)
        return graph.const(CONSTANTS[name])

    @cached_property
    def _grouped(self) -> tuple[Graph, Node]:
        return self._read(group=True)

    @cached_property
    def _plain(self) -> tuple[Graph, Node]:
        """The graph without grouped terms, which views show."""
        graph, root = self._grouped
        return self._read(group=False) if graph.lengths else (graph, root)

    @property
    def root(self) -> Node:
        """The objective's node."""
        return self._grouped[1]

    @cached_property
    def _slope(self) -> calculus.Vector:
        graph, root = self._plain
        return calculus.gradient(graph, root)

    @cached_property
    def gradient(self) -> views.Gradient:
        """The exact partial derivatives, by name, as SymPy expressions."""
        zero = self._plain[0].const(0)
        return views.Gradient({name: self._slope.dense.get(name, zero) for name in self.params})

    @cached_property
    def hessian(self) -> views.Hessian:
        """The exact second derivatives, by pairs of names, as SymPy expressions."""
        return views.Hessian(self.params, calculus.hessian(self._plain[0], self._slope, self.params))

    @cached_property
    def sympy(self) -> Any:
        """The objective as a SymPy expression."""
        return views.to_sympy(self._plain[1])

    def numpy(self) -> str:
        """Give the objective as NumPy text, which reads back as the same function.

        Examples
        --------
        >>> Objective("log(1 + exp(x))").numpy()
        'softplus(x)'
        """
        return views.to_text(self._plain[1])

    def latex(self) -> str:
        """Give the objective as LaTeX."""
        import sympy

        return str(sympy.latex(self.sympy))

    def __repr__(self) -> str:
        flat = " ".join(self.text.split())
        shown = flat if len(flat) <= 100 else flat[:97] + "..."
        listed = ", ".join(self.params[:10]) + (", ..." if len(self.params) > 10 else "")
        rows = next((len(c) for c in self.data.values() if isinstance(c, np.ndarray)), None)
        data = f", data: {', '.join(self.columns)}" + (f" ({rows:,} rows)" if rows else "") if self.columns else ""
        return f"Objective({shown!r}, params: {listed or 'none'}{data})"

    def _repr_latex_(self) -> str:
        return f"$f({', '.join(self.params[:10])}) = {self.latex()}$"

    # ---- numbers -----------------------------------------------------------------------------------------------------

    def program(self, sign: float = 1.0) -> Program:
        """Give the generated functions, from the disk cache where they are known.

        Parameters
        ----------
        sign : float
            -1 for the functions of the negated objective.

        Returns
        -------
        Program
        """
        if sign not in self._program:
            parts = [VERSION, self.text, repr(self.params), repr(self.columns), repr(self._numbers), repr(sign)]
            key = cache.key("program", *parts)
            stored = cache.load(key)
            if stored is not None:
                self._program[sign] = Program.from_json(stored.decode())
            else:
                graph, root = self._grouped
                node = root if sign > 0 else graph.negate(root)
                self._program[sign] = codegen.generate(graph, node, self.params)
                cache.save(key, self._program[sign].to_json().encode())
        return self._program[sign]

    def kernel(self, sign: float = 1.0) -> Kernel:
        """Give the running kernel.

        Parameters
        ----------
        sign : float
            -1 for the negated objective.

        Returns
        -------
        Kernel

        Raises
        ------
        DataError
            If the data were given as names only.
        """
        if not self._bound and self.columns:
            raise DataError(f"the columns {', '.join(self.columns)} have no values; give data={{...}} to Objective")
        if sign not in self._kernels:
            self._kernels[sign] = Kernel(self.program(sign), self.data, self.tier, self.workers)
        return self._kernels[sign]

    def vector(self, point: Point | None = None, values: Mapping[str, float] | None = None) -> Vector:
        """Give a point as a vector in the order of ``params``.

        Parameters
        ----------
        point : mapping, or sequence in the order of ``params``
            The point.
        values : mapping of str to float, optional
            The same, given as keyword arguments.

        Returns
        -------
        ndarray, shape (n,)

        Raises
        ------
        UsageError
            If a parameter has no value, or a value no parameter.
        """
        return _vector(self.params, point, values or {})

    def value(self, point: Point | None = None, **values: float) -> float:
        """Give the value at a point.

        Parameters
        ----------
        point : mapping or sequence, optional
            The point, by name or in the order of ``params``.
        **values : float
            The point, as keyword arguments.

        Returns
        -------
        float

        Examples
        --------
        >>> Objective("x**2 - 4*x + 5").value(x=2)
        1.0
        """
        return self.kernel().value(self.vector(point, values))

    def gradient_at(self, point: Point | None = None, **values: float) -> dict[str, float]:
        """Give the gradient at a point, by name.

        Parameters
        ----------
        point : mapping or sequence, optional
            The point, by name or in the order of ``params``.
        **values : float
            The point, as keyword arguments.

        Returns
        -------
        dict of str to float
        """
        gradient = self.kernel().slope(self.vector(point, values))[1]
        return dict(zip(self.params, gradient.tolist(), strict=True))

    def hessian_at(self, point: Point | None = None, **values: float) -> NDArray[np.float64]:
        """Give the Hessian at a point.

        Parameters
        ----------
        point : mapping or sequence, optional
            The point, by name or in the order of ``params``.
        **values : float
            The point, as keyword arguments.

        Returns
        -------
        ndarray, shape (n, n)
        """
        return self.kernel().hessian(self.vector(point, values))

    def hvp(self, point: Point, v: Point) -> dict[str, float]:
        """Give the Hessian at a point times a vector, without forming the matrix.

        Parameters
        ----------
        point, v : mapping or sequence
            Point and vector, by name or in the order of ``params``.

        Returns
        -------
        dict of str to float

        References
        ----------
        Pearlmutter 1994, Fast exact multiplication by the Hessian.
        """
        product = self.kernel().product(self.vector(point), self.vector(v))
        return dict(zip(self.params, product.tolist(), strict=True))

    def curvature(self, point: Point | None = None, **values: float) -> Curvature:
        """Give eigenvalues, condition, kind of point and largest stable learning rate at a point.

        Parameters
        ----------
        point : mapping or sequence, optional
            The point, by name or in the order of ``params``.
        **values : float
            The point, as keyword arguments.

        Returns
        -------
        Curvature

        Examples
        --------
        >>> Objective("(5*x**2 + y**2)/2").curvature(x=0, y=0).largest_lr
        0.4
        """
        return curvature(self.kernel(), self.vector(point, values))

    # ---- for scipy.optimize.minimize -----------------------------------------------------------------------------------

    def fun(self, x: Any) -> float:
        """Give the value at a flat vector, as ``scipy.optimize.minimize`` asks for it."""
        return self.kernel().value(np.asarray(x, dtype=np.float64))

    def jac(self, x: Any) -> Vector:
        """Give the gradient at a flat vector."""
        return self.kernel().slope(np.asarray(x, dtype=np.float64))[1]

    def hess(self, x: Any) -> NDArray[np.float64]:
        """Give the Hessian at a flat vector."""
        return self.kernel().hessian(np.asarray(x, dtype=np.float64))

    def hessp(self, x: Any, p: Any) -> Vector:
        """Give the Hessian at a flat vector times another."""
        return self.kernel().product(np.asarray(x, dtype=np.float64), np.asarray(p, dtype=np.float64))

    def lambdify(self, what: str = "value") -> Callable[..., Any]:
        """Hand a generated function out, in plain Python.

        Parameters
        ----------
        what : str
            ``"value"``, or ``"slope"`` for value and gradient in one tuple.

        Returns
        -------
        callable
            Takes the parameters in order, as floats.

        Raises
        ------
        UsageError
            For any other ``what``, or more parameters than the unrolled code takes.
        """
        if what not in ("value", "slope"):
            raise UsageError(f"what={what!r} must be 'value' or 'slope'")
        kernel = self.kernel()
        if not kernel.program.layout.unrolled:
            count = len(self.params)
            raise UsageError(f"lambdify is for few parameters; this objective has {count:,}: use fun and jac")
        function, inputs = kernel.function(what, "python"), kernel.inputs("python")
        return lambda *point: function(*map(float, point), *inputs)

    # ---- descents ------------------------------------------------------------------------------------------------------

    def minimize(self, start: Point, **options: Any) -> Run:
        """Descend from a start.

        Parameters
        ----------
        start : mapping, or sequence in the order of ``params``
            Where to start.
        **options : object
            ``method`` (a rule's name or a `Rule`, default ``"gd"``), ``lr`` (a positive number, a formula of ``t``, or
            ``"auto"``), ``steps``, ``gtol``, ``ftol``, ``xtol``, ``seconds``, ``seed``, ``callback``, ``every``,
            ``progress``, and the rule's hyperparameters. With a learning rate given, ``steps`` alone asks for exactly
            that many steps; a tolerance ends the run earlier.

        Returns
        -------
        Run

        Raises
        ------
        UsageError
            For an option that does not exist or is out of bounds.
        FormulaError
            For a schedule that is no formula.

        Examples
        --------
        >>> f = Objective("0.2*x1**2 + x2**2")
        >>> run = f.minimize(start={"x1": 9, "x2": -3}, lr=0.2, steps=200)
        >>> run.ok, str(run.outcome)
        (True, 'converged_gradient')
        """
        return self._descend(start, 1.0, options)

    def maximize(self, start: Point, **options: Any) -> Run:
        """Ascend from a start: as `minimize`, up the gradient.

        Parameters
        ----------
        start : mapping, or sequence in the order of ``params``
            Where to start.
        **options : object
            As for `minimize`.

        Returns
        -------
        Run
        """
        return self._descend(start, -1.0, options)

    def resume(
        self, saved: Run | str | Path, steps: int | None = None, *, callback: descent.Callback | None = None,
        progress: bool | None = None, seconds: float = math.inf,
    ) -> Run:  # fmt: skip
        """Go on with a run; it ends as the uninterrupted run would have, bit for bit.

        Parameters
        ----------
        saved : Run, str or Path
            A run, or the file that `Run.save` wrote.
        steps : int, optional
            Steps in all, those already taken included; by default what the run was to take.
        callback : callable, optional
            As for `minimize`.
        progress : bool, optional
            As for `minimize`.
        seconds : float
            Wall time to take at most, what was taken before included.

        Returns
        -------
        Run

        Raises
        ------
        UsageError
            If the run is another objective's, or had ended.
        DataError
            If the file is no saved run.
        """
        state = dict(saved.state) if isinstance(saved, Run) else load_state(saved)
        if state.get("formula") != self.text or tuple(state.get("params", ())) != self.params:
            raise UsageError(f"the saved run is of {safe(str(state.get('formula')))!r}, not of {safe(self.text)!r}")
        at, settings = descent.restore(state, steps)
        settings = replace(settings, seconds=seconds)
        return self._go(at, settings, callback, progress)

    def _descend(self, start: Point, sign: float, options: dict[str, Any]) -> Run:
        if not self.params:
            raise UsageError("there is nothing to minimize: every name in the formula has data")
        x0 = self.vector(start)
        callback, progress = options.pop("callback", None), options.pop("progress", None)
        settings = self._settings(x0, sign, options)
        return self._go(descent.begin(self.kernel(sign), x0, settings), settings, callback, progress)

    def _go(
        self, state: descent.State, settings: descent.Settings, callback: descent.Callback | None, progress: bool | None
    ) -> Run:
        run = descent.descend(
            self.kernel(settings.sign), state, settings, formula=self.text, locate=self._locate, callback=callback,
            progress=progress,
        )  # fmt: skip
        return replace(run, objective=self)

    def _settings(
        self, x0: Vector, sign: float, options: dict[str, Any]
    ) -> descent.Settings:
        """Check the options, all of them before any work is done."""
        options = dict(options)
        rule = rules.find_rule(options.pop("method", "gd"))
        lr = options.pop("lr", None)
        plain = {name: options.pop(name) for name in _OPTIONS if name in options}
        if lr is not None:
            rules.check_schedule(lr)
        hyper = {k: v for k, v in options.items() if k in rule.hyper}
        for name in options:
            if name not in rule.hyper:
                known = [*_OPTIONS, "method", "lr", "callback", "progress", *rule.hyper]
                near = suggest(name, known)
                hint = f"did you mean '{near}'?" if near else f"known: {', '.join(known)}"
                raise UsageError(f"there is no option '{safe(name)}'; {hint}")
        numbers = _check_numbers(plain)
        fixed = lr is not None and lr != "auto"
        if "steps" in numbers and fixed and not {"gtol", "ftol", "xtol"} & set(numbers):
            numbers["gtol"] = -1.0  # so many steps were asked for
        rule = rule.with_hyper(hyper) if hyper else rule
        return self._prepare(rule, lr, x0, sign, numbers)

    def _prepare(
        self, rule: rules.Rule, lr: float | str | None, x0: Vector, sign: float, numbers: dict[str, Any]
    ) -> descent.Settings:
        """Write the loop of the rule, and the numbers that it starts from."""
        program = self.program(sign)
        wanted = rule.lr if lr is None else lr
        if rule.text == "x = x - lr*g" and wanted == "auto":
            size = float(np.linalg.norm(self.kernel(sign).slope(x0)[1]))
            first = min(1.0, 1.0 / size) if size > 0 and math.isfinite(size) else 1.0
            loop = self._loop(program, "cauchy", lambda: codegen.write_loop(program, None, ("lr",)))
            return descent.Settings("gd, exact steps", loop, (first,), sign=sign, **numbers)
        if wanted == "auto":
            wanted = self._safe_lr(x0, sign)
        graph = Graph()
        lowered = rules.lower(rule, graph, wanted if isinstance(wanted, str) else "lr")
        hyper = {"lr": wanted, **rule.hyper}
        names = tuple(k for k, v in hyper.items() if not isinstance(v, str))
        text = repr((rule.text, sorted(rule.init.items()), hyper if not names else
                     {k: v if isinstance(v, str) else "#" for k, v in hyper.items()}))  # fmt: skip
        loop = self._loop(program, text, lambda: codegen.write_loop(program, lowered, names))
        values = tuple(float(hyper[k]) for k in names)
        states = _initial_states(rule, x0, hyper)
        name = rule.name or rule.text
        return descent.Settings(name, loop, values, states, lowered.draws, sign=sign, **numbers)

    def _loop(self, program: Program, rule: str, write: Callable[[], dict[str, str]]) -> dict[str, str]:
        import json

        size = f"{len(self.params)} {program.layout.unrolled} {program.arguments}"
        key = cache.key("loop", VERSION, size, rule)
        stored = cache.load(key)
        if stored is not None:
            known: dict[str, str] = json.loads(stored)
            return known
        source = write()
        cache.save(key, json.dumps(source).encode())
        return source

    def _safe_lr(self, x0: Vector, sign: float) -> float:
        """Give 1/L, with L the largest curvature at the start in size: stable for gradient descent and momentum."""
        kernel = self.kernel(sign)
        v = np.ones(len(x0)) / math.sqrt(len(x0))
        largest = 0.0
        for _ in range(50):  # power iteration: a few digits are enough
            w = kernel.product(x0, v)
            size = float(np.linalg.norm(w))
            if not math.isfinite(size) or size == 0:
                break
            done = abs(size - largest) <= 1e-3 * size
            largest, v = size, w / size
            if done:
                break
        return 1.0 / largest if largest > 0 else 0.01

    def _locate(self, x: Vector) -> tuple[str, bool]:
        graph, root = self._plain
        return locate.first_bad(graph, root, self.text, dict(zip(self.params, x.tolist(), strict=True)), self.data)


# ---- arguments -----------------------------------------------------------------------------------------------------------

data_module = data
_OPTIONS = ("steps", "gtol", "ftol", "xtol", "seconds", "seed", "every")


def _names_of(source: Any) -> set[str] | None:
    names = data_module.names(source)
    return None if names is None or not isinstance(source, list | tuple | set | frozenset) else set(names)


def _checked_params(params: Sequence[str] | None) -> tuple[str, ...] | None:
    if params is None:
        return None
    if isinstance(params, str):
        params = [p.strip() for p in params.split(",")]
    checked = tuple(fm.check_name(p) for p in params)
    if len(set(checked)) < len(checked):
        twice = next(p for p in checked if checked.count(p) > 1)
        raise UsageError(f"params names '{twice}' twice; give each parameter once")
    return checked


def _find_params(
    text: str, used: Mapping[str, tuple[int, int]], known: set[str], chosen: tuple[str, ...] | None
) -> tuple[str, ...]:
    """Tell parameters from data and constants."""
    free = [name for name in used if name not in known]
    if chosen is None:
        return tuple(name for name in free if name not in CONSTANTS)
    both = [name for name in chosen if name in known]
    if both:
        raise UsageError(f"'{both[0]}' is given both as a parameter and as data; choose one")
    for name in free:
        if name not in chosen and name not in CONSTANTS:
            begin, end = used[name]
            near = suggest(name, [*chosen, *known])
            hint = f"did you mean '{near}'?" if near else f"the parameters are {', '.join(chosen) or 'none'}"
            raise FormulaError(f"unknown name '{name}'", text, begin, end, hint)
    return chosen


def _vector(params: tuple[str, ...], point: Point | None, values: Mapping[str, float]) -> Vector:
    if isinstance(point, Mapping) or (point is None and values is not None):
        given = {fm.check_name(k): v for k, v in {**(point or {}), **values}.items()}  # type: ignore[dict-item]
        missing = [p for p in params if p not in given]
        extra = [k for k in given if k not in params]
        if extra:
            near = suggest(extra[0], list(params))
            hint = f"did you mean '{near}'?" if near else f"the parameters are {', '.join(params) or 'none'}"
            raise UsageError(f"'{extra[0]}' is no parameter of the formula; {hint}")
        if missing:
            raise UsageError(f"no value for {', '.join(missing[:5])}; give every parameter one: {_example(params)}")
        entries = [(p, given[p]) for p in params]
    else:
        if values:
            raise UsageError("give the point by name or by position, not both")
        try:
            listed = list(point)  # type: ignore[arg-type]
        except TypeError:
            raise UsageError(f"a point must be a mapping or a sequence; got {safe(repr(point))}") from None
        if len(listed) != len(params):
            raise UsageError(f"the point has {len(listed)} values for {len(params)} parameters: {', '.join(params)}")
        entries = list(zip(params, listed, strict=True))
    return np.array([_real(name, value) for name, value in entries], dtype=np.float64)


def _real(name: str, value: Any) -> float:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, str | bytes) or isinstance(value, complex):
        raise UsageError(f"{name}={safe(repr(value))} must be a real number")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        kind = type(value).__name__
        raise UsageError(f"{name}={safe(repr(value))} must be a real number; got {kind}") from None
    if not math.isfinite(number):
        raise UsageError(f"{name}={number} must be finite")
    return number


def _example(params: tuple[str, ...]) -> str:
    shown = ", ".join(f"'{p}': 1.0" for p in params[:3])
    return "{" + shown + (", ..." if len(params) > 3 else "") + "}"


def _check_numbers(options: dict[str, Any]) -> dict[str, Any]:
    """Check the options that are numbers."""
    found: dict[str, Any] = {}
    for name, value in options.items():
        if value is None:
            continue
        whole = name in ("steps", "seed", "every")
        least = 1 if name in ("steps", "every") else 0
        kinds: tuple[type, ...] = (int, np.integer) if whole else (int, float, np.integer, np.floating)
        if isinstance(value, float) and whole and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, kinds) or not value >= least:
            rule = f"a whole number of at least {least}" if whole else "a number of at least 0"
            raise UsageError(f"{name}={value!r} must be {rule}")
        # A tolerance of 0 asks for no test at all.
        found[name] = int(value) if whole else float(value) if value > 0 or name == "seconds" else -1.0
    return found


def _initial_states(rule: rules.Rule, x0: Vector, hyper: Mapping[str, Any]) -> tuple[Vector, ...]:
    states = []
    for state in rule.states:
        text = rule.init.get(state)
        if text is None:
            states.append(np.zeros(len(x0)))
            continue
        lr = hyper["lr"] if isinstance(hyper["lr"], float | int) else None
        inner = Objective(f"sum({text})" if False else text, params=("x", "lr"))
        if lr is None and "lr" in fm.names(inner.tree):
            raise UsageError(f"the state '{state}' starts at {text!r}, which needs a fixed lr; got {hyper['lr']!r}")
        states.append(np.array([inner.value(x=v, lr=float(lr or 0.0)) for v in x0.tolist()]))
    return tuple(states)


@contextmanager
def _deep() -> Iterator[None]:
    """Let a formula nested as deeply as the language allows be walked: Python's own limit is in the way."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, 12_000))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
