"""The objective: a formula, its data, its exact derivatives, and the descents on it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd import data as data_module
from symgd import descent, many, views
from symgd import language as fm
from symgd.data import Stored, points
from symgd.data.points import Point, Shape, Vector
from symgd.errors import DataError, FormulaError, ShapeError, UsageError, safe, shown
from symgd.graph import NeedsShape, Node, calculus
from symgd.insight import diagnose
from symgd.insight.report import Curvature, curvature
from symgd.kernel import TIERS, Kernel
from symgd.kernel.code import Program
from symgd.kernel.machine import cache
from symgd.objective.model import Model, row_count
from symgd.parameters import entry_names
from symgd.run import Run, load_state


class Objective:
    """A formula to minimize, with its exact derivatives.

    Parameters
    ----------
    text : str
        A NumPy expression that gives one number, such as ``"mean((y - (w*x + b))**2)"``.
    data : mapping, DataFrame, path, or sequence of str, optional
        Arrays of up to three axes by name, and single numbers; or a file (CSV, Parquet, npz, npy). A value may be the
        path of a ``.npy`` file, which stays on disk. Names alone (``data=("x", "y")``) say which names are columns,
        without their values.
    params : sequence of str, or mapping of str to shape, optional
        The parameters, in order. By default all names that are not data, in the order of the text. Those that are
        arrays get their shapes here, or from the first point that is given.
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
        self, text: str, data: Any = None, params: Sequence[str] | Mapping[str, Any] | None = None, *,
        tier: str = "auto", workers: int | None = None,
    ) -> None:  # fmt: skip
        if not isinstance(tier, str) or tier not in TIERS:
            raise UsageError(f"tier={shown(tier)} must be one of {', '.join(TIERS)}")
        if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
            raise UsageError(f"workers={shown(workers)} must be a whole number of at least 1")
        given = data_module.names(data)
        self.data: data_module.Data = {} if given is not None else data_module.load(data)
        known = set(given if given is not None else self.data)
        chosen, declared = points.checked_params(params) or (None, {})
        self.tree = fm.parse(text, declared={*known, *(chosen or ())})
        self.text = str.__str__(text)
        self.tier, self.workers = tier, workers
        used = fm.names(self.tree)
        self.params = points.find_params(self.text, used, known, chosen)
        self.columns = tuple(n for n in used if n in known and not isinstance(self.data.get(n), float))
        self._known = tuple(n for n in used if n in known)
        self._declared = {name: declared[name] for name in self.params if name in declared}
        self._models: dict[tuple[tuple[int, ...], ...], Model] = {}
        self._kernels: dict[tuple[float, Model], Kernel] = {}
        self._default: Model | None = None
        self._open = ""  # the parameter whose shape is not known
        self._guessed = len(self._declared) < len(self.params)
        self._settle()

    # ---- shapes ----------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Read the formula at once, so that a mistake is reported here: undeclared parameters are taken for numbers.

        Where ``X @ w`` says that one must be an array, and of what length, it is one. Otherwise nothing is settled
        until shapes are given.
        """
        shapes: dict[str, Shape] = {name: self._declared.get(name, ()) for name in self.params}
        undeclared = [name for name in self.params if name not in self._declared]
        guessed = False
        while True:
            try:
                self._default = self._model(shapes, undeclared)
            except NeedsShape as question:
                if question.guess is None or shapes[question.name]:
                    self._open = question.name
                    return
                shapes[question.name] = question.guess
                guessed = True
            except ShapeError:
                if not guessed:
                    raise
                self._open = next(iter(undeclared))
                return
            else:
                return

    def _model(self, shapes: Mapping[str, Shape], undeclared: Sequence[str] = ()) -> Model:
        key = tuple(shapes[name] for name in self.params)
        if key not in self._models:
            ordered = {name: shapes[name] for name in self.params}
            self._models[key] = Model(self.text, self.tree, ordered, self.data, self._known, undeclared)
        return self._models[key]

    @property
    def model(self) -> Model:
        """The formula with the shapes that are known.

        Raises
        ------
        UsageError
            If the shape of a parameter is not known yet.
        """
        if self._default is None:
            example = f"f.with_shapes({{'{self._open}': (3,)}})"
            raise UsageError(f"'{self._open}' is an array whose shape is not known; declare it, as by {example}")
        return self._default

    def with_shapes(self, shapes: Mapping[str, Any]) -> Objective:
        """Give the objective with the shapes of its parameters declared.

        Parameters
        ----------
        shapes : mapping of str to tuple of int
            A shape for each parameter that is an array, ``()`` or nothing for numbers.

        Returns
        -------
        Objective

        Raises
        ------
        UsageError
            For a name that is no parameter, or a shape that is none.

        Examples
        --------
        >>> f = Objective("sum(x[1:]*x[:-1])").with_shapes({"x": 4})
        >>> f.value(x=[1, 2, 3, 4])
        20.0
        """
        _, declared = points.checked_params(shapes) or ((), {})
        for name in declared:
            if name not in self.params:
                raise UsageError(f"'{name}' is no parameter of the formula; they are {', '.join(self.params)}")
        sizes = {name: declared.get(name, ()) for name in self.params}
        return Objective(self.text, self.data or self.columns, sizes, tier=self.tier, workers=self.workers)

    def _at(self, point: Point | None, values: Mapping[str, Any] | None = None) -> tuple[Model, Vector]:
        """Give the model that fits a point, and the point as a flat vector."""
        if self._is_flat(point):
            assert self._default is not None
            return self._default, points.flat(self._size(self._default), point)
        given = points.entries(self.params, point, values or {})
        shapes = {name: np.shape(value) for name, value in given.items()}
        for name, shape in self._declared.items():
            if shapes[name] != shape:
                raise UsageError(f"'{name}' has the shape {shapes[name]} here, and {shape} was declared")
        try:
            model = self._default if self._default and self._default.shapes == shapes else self._model(shapes)
        except FormulaError as problem:
            given_shapes = ", ".join(f"'{n}' has the shape {shape}" for n, shape in shapes.items() if shape)
            if not given_shapes:
                raise
            hint = f"{problem.hint}; here {given_shapes}" if problem.hint else f"here {given_shapes}"
            kind = type(problem)
            raise kind(problem.problem, problem.text, problem.start, problem.end, hint) from None
        if self._guessed:  # the first point that is given says what the shapes are
            self._default, self._guessed = model, False
        return model, points.vector(given, shapes)

    def _is_flat(self, point: Any) -> bool:
        """Tell whether a point is the flat vector of an objective whose parameters are arrays."""
        model = self._default
        if model is None or not any(model.shapes.values()) or isinstance(point, Mapping | str) or point is None:
            return False
        try:
            array = np.asarray(point)
        except ValueError:  # a ragged list: what is wrong with it is said further on
            return False
        return array.ndim == 1 and array.dtype.kind in "fiu" and len(array) == self._size(model)

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each number of the parameters: ``w[0]``, ``w[1]``, ``b``."""
        return entry_names(self.params, self.model.shapes.values())

    def _size(self, model: Model) -> int:
        return sum(math.prod(shape) for shape in model.shapes.values())

    # ---- what it says ----------------------------------------------------------------------------------------------

    @property
    def root(self) -> Node:
        """The objective's node."""
        return self.model.root

    @cached_property
    def gradient(self) -> views.Gradient:
        """The exact partial derivatives by name: SymPy expressions, and NumPy text where they are arrays."""
        return views.Gradient(self.model.plain[0], self.model.slope, self.model.shapes)

    @cached_property
    def hessian(self) -> views.Hessian:
        """The exact second derivatives, by pairs of names, as SymPy expressions, where no parameter is an array."""
        model = self.model
        if any(model.shapes.values()):
            name = next(name for name, shape in model.shapes.items() if shape)
            raise UsageError(f"'{name}' is an array; hessian_at gives the Hessian in numbers, hvp its products")
        graph = model.plain[0]
        return views.Hessian(self.params, calculus.hessian(graph, model.slope, self.params), graph)

    @cached_property
    def sympy(self) -> Any:
        """The objective as a SymPy expression."""
        return views.to_sympy(self.model.plain[1], graph=self.model.plain[0])

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
        return views.to_text(self.model.plain[1], graph=self.model.plain[0])

    def latex(self) -> str:
        """Give the objective as LaTeX."""
        return views.to_latex(self.sympy)

    def __repr__(self) -> str:
        flat = " ".join(self.text.split())
        shown = flat if len(flat) <= 100 else flat[:97] + "..."
        listed = ", ".join(self.params[:10]) + (", ..." if len(self.params) > 10 else "")
        rows = row_count(self.tree, self.data)
        data = f", data: {', '.join(self.columns)}" + (f" ({rows:,} rows)" if rows else "") if self.columns else ""
        return f"Objective({shown!r}, params: {listed or 'none'}{data})"

    def _repr_latex_(self) -> str:
        return f"$f({', '.join(self.params[:10])}) = {self.latex()}$"

    # ---- numbers ---------------------------------------------------------------------------------------------------

    def program(self, sign: float = 1.0) -> Program:
        """Give the generated functions; -1 for those of the negated objective."""
        return self.model.program(sign)

    def kernel(self, sign: float = 1.0, model: Model | None = None) -> Kernel:
        """Give the running kernel.

        Parameters
        ----------
        sign : float
            -1 for the negated objective.
        model : Model, optional
            With other shapes than those that are known.

        Returns
        -------
        Kernel

        Raises
        ------
        DataError
            If the data were given as names only.
        """
        key = sign, model or self.model
        if key not in self._kernels:
            self._kernels[key] = key[1].kernel(sign, self.tier, self.workers)
        return self._kernels[key]

    def vector(self, point: Point | None = None, values: Mapping[str, Any] | None = None) -> Vector:
        """Give a point as a flat vector in the order of ``params``, arrays row after row.

        Parameters
        ----------
        point : mapping, or sequence in the order of ``params``
            The point.
        values : mapping of str to float or array, optional
            The same, given as keyword arguments.

        Returns
        -------
        ndarray, shape (n,)

        Raises
        ------
        UsageError
            If a parameter has no value, or a value no parameter.
        """
        return self._at(point, values)[1]

    def _ready(self, point: Point | None, values: Mapping[str, Any] | None = None) -> tuple[Kernel, Vector]:
        model, x = self._at(point, values)
        return self.kernel(model=model), x

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
        kernel, x = self._ready(point, values)
        return kernel.value(x)

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
        dict of str to float or ndarray
        """
        kernel, x = self._ready(point, values)
        return kernel.program.layout.split(kernel.slope(x)[1])

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
        kernel, x = self._ready(point, values)
        return kernel.hessian(x)

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
        dict of str to float or ndarray

        Raises
        ------
        UsageError
            If the vector has other shapes than the point.

        References
        ----------
        Pearlmutter 1994, Fast exact multiplication by the Hessian.
        """
        kernel, x = self._ready(point)
        other, direction = self._ready(v)
        if other is not kernel:
            shapes = zip(self.params, kernel.program.layout.shapes, other.program.layout.shapes, strict=True)
            name, here, there = next(found for found in shapes if found[1] != found[2])
            raise UsageError(f"the vector must have the shapes of the point: '{name}' has {there}, and {here} there")
        return kernel.program.layout.split(kernel.product(x, direction))

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
        return curvature(*self._ready(point, values))

    # ---- for scipy.optimize.minimize -------------------------------------------------------------------------------

    def _flat(self, x: Any) -> Vector:
        return points.flat(self._size(self.model), x)

    def fun(self, x: Any) -> float:
        """Give the value at a flat vector, as ``scipy.optimize.minimize`` asks for it."""
        return self.kernel().value(self._flat(x))

    def jac(self, x: Any) -> Vector:
        """Give the gradient at a flat vector."""
        return self.kernel().slope(self._flat(x))[1]

    def hess(self, x: Any) -> NDArray[np.float64]:
        """Give the Hessian at a flat vector."""
        return self.kernel().hessian(self._flat(x))

    def hessp(self, x: Any, p: Any) -> Vector:
        """Give the Hessian at a flat vector times another."""
        return self.kernel().product(self._flat(x), self._flat(p))

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
            raise UsageError("lambdify is for few parameters, all of them numbers; fun and jac take any")
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
            ``method`` (the name of a method or of a rule, or a `Rule`; by default gradient descent where ``lr`` or
            ``batch`` is given, else the best one for the problem), ``lr`` (a positive number, a formula of ``t``, or
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

    def minimize_many(
        self, starts: Any = None, *, box: Any = None, n: int | None = None, strategy: str = "sobol", seed: int = 0,
        progress: bool | None = None, **options: Any,
    ) -> many.Many:  # fmt: skip
        """Descend from many starts, and tell which distinct minima they reached.

        Parameters
        ----------
        starts : mapping, ndarray of shape (k, n), or sequence of points, optional
            Where to start: an array for each parameter, whose first axis is that of the starts; or a row for each.
        box : mapping of str to (low, high), optional
            In place of starts, bounds to spread them in; for an array, of its shape or one for all its entries.
        n : int, optional
            How many starts to spread; by default 1000.
        strategy : str
            ``"sobol"``, ``"latin"`` or ``"uniform"``.
        seed : int
            Of the strategy. Draws of the rule at start i are those of a single run with the seed ``seed + i``.
        progress : bool, optional
            Whether to show progress; by default on a terminal after two seconds.
        **options : object
            As for `minimize`, without ``callback`` and ``every``. With neither method nor learning rate, exact Cauchy
            steps, at most 1000.

        Returns
        -------
        Many

        Raises
        ------
        UsageError
            For starts, a box or options that are none.

        Examples
        --------
        >>> f = Objective("(x**2 + y - 11)**2 + (x + y**2 - 7)**2", tier="python")
        >>> many = f.minimize_many(box={"x": (-5, 5), "y": (-5, 5)}, n=64)
        >>> len(many.minima), sum(m.count for m in many.minima)
        (4, 64)
        """
        if not self.params:
            raise UsageError("there is nothing to minimize: every name in the formula has data")
        known = self._default.shapes if self._default else self._declared
        given, bounds = many.points(self.params, known, starts, box, n, strategy, seed)
        model, _ = self._at({name: values[0] for name, values in given.items()})
        x = np.concatenate([values.reshape(len(values), -1) for values in given.values()], axis=1)
        options = {**options, "seed": seed}
        kernel = self.kernel(model=model)
        return many.descend_many(kernel, x, options, formula=self.text, box=bounds, progress=progress)

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
        points.check_callback(callback)
        model = self._saved_model(state)
        if model is None:
            raise UsageError(f"the saved run is of {safe(str(state.get('formula')))!r}, not of {safe(self.text)!r}")
        if state.get("data") != self._fingerprint():
            raise UsageError("the saved run was made with other data")
        sign = -1.0 if state.get("sign") == -1 else 1.0
        at, settings = descent.restore(self.kernel(sign, model), state, steps)
        settings = replace(settings, seconds=seconds)
        return self._go(model, at, settings, callback, progress)

    def _saved_model(self, state: Mapping[str, Any]) -> Model | None:
        """Give the model of a saved run; ``None`` if it is another objective's."""
        params = tuple(state.get("params") or ())
        if state.get("formula") != self.text or params != self.params:
            return None
        try:
            shapes = [tuple(int(n) for n in shape) for shape in state.get("shapes") or [()] * len(params)]
            return self._model(dict(zip(params, shapes, strict=True)))
        except (TypeError, ValueError) as problem:
            raise DataError(f"the saved run is damaged: {safe(repr(problem))}") from None

    def _descend(self, start: Point, sign: float, options: dict[str, Any]) -> Run:
        if not self.params:
            raise UsageError("there is nothing to minimize: every name in the formula has data")
        model, x0 = self._at(start)
        callback, progress = options.pop("callback", None), options.pop("progress", None)
        points.check_callback(callback)
        kernel = self.kernel(sign, model)
        settings = descent.prepare(kernel, x0, sign, options)
        return self._go(model, descent.begin(kernel, x0, settings), settings, callback, progress)

    def _go(
        self,
        model: Model,
        state: descent.State,
        settings: descent.Settings,
        callback: descent.Callback | None,
        progress: bool | None,  # noqa: FBT001
    ) -> Run:
        kernel = self.kernel(settings.sign, model)
        run = descent.descend(
            kernel, state, settings, formula=self.text, callback=callback, progress=progress,
            locate=lambda x: model.locate(kernel.program.layout.split(x)),
        )  # fmt: skip
        return replace(
            run, objective=self, state={**run.state, "data": self._fingerprint()}, explain=partial(diagnose, kernel)
        )

    def _fingerprint(self) -> str:
        """Give a hash of the data's shape and of a sample of their rows: what a saved run was made from."""
        parts = []
        for name in self._known:
            values = self.data.get(name, 0.0)
            if isinstance(values, Stored):
                sample = values.sample(4096)
            else:
                rows = np.atleast_1d(np.asarray(values))
                sample = rows[:: max(1, len(rows) // 4096)]
            parts += [name, str(np.shape(sample) if isinstance(values, Stored) else np.shape(values))]
            parts.append(hashlib.sha256(np.ascontiguousarray(sample).tobytes()).hexdigest())
        return cache.key(*parts)
