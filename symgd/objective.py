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

from symgd import arguments, calculus, codegen, descent, views
from symgd import data as data_module
from symgd import formula as fm
from symgd.arguments import Point, Vector
from symgd.codegen import Program
from symgd.curvature import Curvature, curvature
from symgd.engine import TIERS, Kernel, cache, locate
from symgd.errors import DataError, FormulaError, UsageError, safe, shown
from symgd.functions import CONSTANTS
from symgd.graph import ROWS, Graph, Node, read
from symgd.run import Run, load_state


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
        if not isinstance(tier, str) or tier not in TIERS:
            raise UsageError(f"tier={shown(tier)} must be one of {', '.join(TIERS)}")
        if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
            raise UsageError(f"workers={shown(workers)} must be a whole number of at least 1")
        given = data_module.names(data)
        self.data: data_module.Data = {} if given is not None else data_module.load(data)
        known = set(given if given is not None else self.data)
        chosen = arguments.checked_params(params)
        declared = {*known, *(chosen or ())}
        self.tree = fm.parse(text, declared=declared)
        self.text = str.__str__(text)
        self.tier, self.workers = tier, workers
        used = fm.names(self.tree)
        self.params = arguments.find_params(self.text, used, known, chosen)
        self.columns = tuple(n for n in used if n in known and not isinstance(self.data.get(n), float))
        self._numbers = tuple(n for n in used if isinstance(self.data.get(n), float))
        self._kinds = dict.fromkeys(self.params, "parameter") | dict.fromkeys(self.columns, "column")
        self._kinds |= dict.fromkeys(self._numbers, "data")
        self._bound = given is None
        self._program: dict[float, Program] = {}
        self._kernels: dict[float, Kernel] = {}
        # Read at once, so that a mistake is reported here and not at the first evaluation.
        self.root  # noqa: B018

    # ---- what it says ----------------------------------------------------------------------------------------------

    def _read(self, *, group: bool) -> tuple[Graph, Node]:
        graph = Graph()
        with _deep():
            root = read(graph, self.text, self.tree, lambda name: self._leaf(graph, name.name), group=group)
        if root.labels:
            problem = "the objective must be one number, but this has one value a row"
            raise FormulaError(problem, self.text, 0, len(self.text), "put mean(...) or sum(...) around it")
        return graph, root

    def _leaf(self, graph: Graph, name: str) -> Node:
        kind = self._kinds.get(name, "constant")
        if kind == "constant" and name not in ("pi", "e"):
            return graph.const(CONSTANTS[name])
        return graph.leaf("data", name, (ROWS,)) if kind == "column" else graph.leaf(kind, name)

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

        Returns
        -------
        str

        Examples
        --------
        >>> Objective("log(1 + exp(x))").numpy()
        'softplus(x)'
        """
        return views.to_text(self._plain[1])

    def latex(self) -> str:
        """Give the objective as LaTeX."""
        return views.to_latex(self.sympy)

    def __repr__(self) -> str:
        flat = " ".join(self.text.split())
        shown = flat if len(flat) <= 100 else flat[:97] + "..."
        listed = ", ".join(self.params[:10]) + (", ..." if len(self.params) > 10 else "")
        rows = next((len(c) for c in self.data.values() if isinstance(c, np.ndarray)), None)
        data = f", data: {', '.join(self.columns)}" + (f" ({rows:,} rows)" if rows else "") if self.columns else ""
        return f"Objective({shown!r}, params: {listed or 'none'}{data})"

    def _repr_latex_(self) -> str:
        return f"$f({', '.join(self.params[:10])}) = {self.latex()}$"

    # ---- numbers ---------------------------------------------------------------------------------------------------

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
            parts = [
                cache.generator(),
                self.text,
                repr(self.params),
                repr(self.columns),
                repr(self._numbers),
                repr(sign),
            ]
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
        return arguments.vector(self.params, point, values or {})

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
        point : mapping or sequence
            The point, by name or in the order of ``params``.
        v : mapping or sequence
            The vector, likewise.

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

    # ---- for scipy.optimize.minimize -------------------------------------------------------------------------------

    def fun(self, x: Any) -> float:
        """Give the value at a flat vector, as ``scipy.optimize.minimize`` asks for it."""
        return self.kernel().value(arguments.flat(self.params, x))

    def jac(self, x: Any) -> Vector:
        """Give the gradient at a flat vector."""
        return self.kernel().slope(arguments.flat(self.params, x))[1]

    def hess(self, x: Any) -> NDArray[np.float64]:
        """Give the Hessian at a flat vector."""
        return self.kernel().hessian(arguments.flat(self.params, x))

    def hessp(self, x: Any, p: Any) -> Vector:
        """Give the Hessian at a flat vector times another."""
        return self.kernel().product(arguments.flat(self.params, x), arguments.flat(self.params, p))

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
        if not isinstance(what, str) or what not in ("value", "slope"):
            raise UsageError(f"what={shown(what)} must be 'value' or 'slope'")
        kernel = self.kernel()
        if not kernel.program.layout.unrolled:
            count = len(self.params)
            raise UsageError(f"lambdify is for few parameters; this objective has {count:,}: use fun and jac")
        function, inputs = kernel.function(what, "python"), kernel.inputs("python")
        return lambda *point: function(*map(float, point), *inputs)

    # ---- descents --------------------------------------------------------------------------------------------------

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
        >>> run = f.minimize(start={"x1": 9, "x2": -3}, lr=0.2, steps=300)
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
        if steps is not None and (isinstance(steps, bool) or not isinstance(steps, int) or steps < 1):
            raise UsageError(f"steps={shown(steps)} must be a whole number of at least 1")
        arguments.check_callback(callback)
        if state.get("formula") != self.text or tuple(state.get("params") or ()) != self.params:
            raise UsageError(f"the saved run is of {safe(str(state.get('formula')))!r}, not of {safe(self.text)!r}")
        if state.get("data") != self._fingerprint():
            raise UsageError("the saved run was made with other data")
        sign = -1.0 if state.get("sign") == -1 else 1.0
        at, settings = descent.restore(self.kernel(sign), state, steps)
        settings = replace(settings, seconds=seconds)
        return self._go(at, settings, callback, progress)

    def _descend(self, start: Point, sign: float, options: dict[str, Any]) -> Run:
        if not self.params:
            raise UsageError("there is nothing to minimize: every name in the formula has data")
        x0 = self.vector(start)
        callback, progress = options.pop("callback", None), options.pop("progress", None)
        arguments.check_callback(callback)
        settings = descent.prepare(self.kernel(sign), x0, sign, options)
        return self._go(descent.begin(self.kernel(sign), x0, settings), settings, callback, progress)

    def _go(
        self,
        state: descent.State,
        settings: descent.Settings,
        callback: descent.Callback | None,
        progress: bool | None,  # noqa: FBT001
    ) -> Run:
        run = descent.descend(
            self.kernel(settings.sign), state, settings, formula=self.text, locate=self._locate, callback=callback,
            progress=progress,
        )  # fmt: skip
        return replace(run, objective=self, state={**run.state, "data": self._fingerprint()})

    def _fingerprint(self) -> str:
        """Give a hash of the data's shape and of a sample of their rows: what a saved run was made from."""
        parts = []
        for name in (*self.columns, *self._numbers):
            values = np.atleast_1d(np.asarray(self.data.get(name, 0.0)))
            sample = values[:: max(1, len(values) // 4096)]
            parts += [name, str(len(values)), sample.tobytes().hex()]
        return cache.key(*parts)

    def _locate(self, x: Vector) -> tuple[str, bool]:
        graph, root = self._plain
        return locate.first_bad(graph, root, self.text, dict(zip(self.params, x.tolist(), strict=True)), self.data)


@contextmanager
def _deep() -> Iterator[None]:
    """Let a formula nested as deeply as the language allows be walked: Python's own limit is in the way."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, 12_000))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
